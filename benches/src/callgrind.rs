//! Counts instructions: the program runs itself under valgrind's callgrind, which collects inside
//! the measured loop alone. The counts repeat exactly, whatever else the machine does.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Why instructions could not be counted.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    /// No such program.
    #[error("valgrind does not start ({0}); install it to count instructions")]
    Missing(std::io::Error),
    /// It ran and failed.
    #[error("callgrind failed: {0}")]
    Failed(String),
    /// Its result could not be read.
    #[error("{path}: no count in callgrind's result")]
    Result {
        /// The file.
        path: PathBuf,
    },
}

/// What is counted, by the names of functions; `*` matches anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Instructions inside these functions.
    pub inside: &'static str,
    /// Up to the call of this one; `None`: to their end.
    pub until: Option<&'static str>,
}

/// Instructions of this program with the arguments `args` within `span`: all its runs together, or
/// the first one where it ends early.
/// Callgrind's files go to `dir`.
///
/// # Errors
/// [`CountError`].
pub fn count(args: &[String], span: Span, dir: &Path) -> Result<u64, CountError> {
    let own = std::env::current_exe().map_err(CountError::Missing)?;
    let out = dir.join("out");
    let mut command = Command::new("valgrind");
    command
        .arg("--tool=callgrind")
        .arg(format!("--toggle-collect={}", span.inside))
        .arg(format!("--callgrind-out-file={}", out.display()));
    if let Some(until) = span.until {
        // A file a call of it; what follows in a run would count for the next one.
        command.arg(format!("--dump-before={until}"));
    }
    let output = command.arg(own).args(args).output().map_err(CountError::Missing)?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let tail: Vec<&str> = text.lines().rev().take(4).collect();
        return Err(CountError::Failed(tail.into_iter().rev().collect::<Vec<_>>().join("; ")));
    }
    let read = |path: &Path| std::fs::read_to_string(path).ok().and_then(|text| totals(&text));
    let total = match span.until {
        None => read(&out),
        Some(_) => {
            (1..).map_while(|call| read(&dir.join(format!("out.{call}")))).find(|count| *count != 0)
        }
    };
    total.filter(|count| *count != 0).ok_or(CountError::Result { path: out })
}

/// The number behind `totals:`.
fn totals(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("totals:"))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_found() {
        assert_eq!(totals("events: Ir\nfn=x\n1 2\n\ntotals: 4711\n"), Some(4_711));
        assert_eq!(totals("events: Ir\n"), None);
    }
}
