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

/// Instructions of this program with the arguments `args` inside functions whose names match
/// `inside`. Callgrind's file is left at `out`.
///
/// # Errors
/// [`CountError`].
pub fn count(args: &[String], inside: &str, out: &Path) -> Result<u64, CountError> {
    let own = std::env::current_exe().map_err(CountError::Missing)?;
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--toggle-collect={inside}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(own)
        .args(args)
        .output()
        .map_err(CountError::Missing)?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let tail: Vec<&str> = text.lines().rev().take(4).collect();
        return Err(CountError::Failed(tail.into_iter().rev().collect::<Vec<_>>().join("; ")));
    }
    let result = || CountError::Result { path: out.to_owned() };
    let text = std::fs::read_to_string(out).map_err(|_| result())?;
    totals(&text).filter(|count| *count != 0).ok_or_else(result)
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
