//! The one key that whoever stops trading needs, read from a configuration in whatever state it is:
//! a run trades on while its file is being edited.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::file::DEFAULT;

/// The state folder as a configuration says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateDir {
    /// What the file says, or means where it is silent; `None` where there is no file, or its text
    /// does not say.
    pub said: Option<PathBuf>,
    /// The folder of a configuration that is silent.
    pub usual: PathBuf,
    /// What was not understood, so that `said` is uncertain.
    pub trouble: Option<String>,
}

impl StateDir {
    /// Reads the file that was asked for, or the usual one where it exists.
    pub fn read(asked: Option<&Path>) -> StateDir {
        let path = asked.unwrap_or(Path::new("parallax.toml"));
        match super::read(asked, "parallax.toml") {
            Ok(Some((text, _))) => StateDir::of(&text, path),
            Ok(None) => StateDir { said: None, usual: beside(path, &usual()), trouble: None },
            Err(error) => StateDir {
                said: None,
                usual: beside(path, &usual()),
                trouble: Some(error.to_string()),
            },
        }
    }

    fn of(text: &str, path: &Path) -> StateDir {
        let usual = beside(path, &usual());
        let name = path.display();
        let (said, trouble) = match text.parse::<Table>() {
            Ok(table) => match table.get("state_dir") {
                None => (Some(usual.clone()), None),
                Some(Value::String(dir)) => (Some(beside(path, dir)), None),
                Some(_) => (None, Some(format!("{name}: state_dir: a text in quotes"))),
            },
            Err(error) => {
                let error = error.to_string();
                (line_of(text).map(|dir| beside(path, &dir)), Some(format!("{name}: {error}")))
            }
        };
        StateDir { said, usual, trouble }
    }
}

/// What the line says by itself, in a text that is no TOML as a whole.
fn line_of(text: &str) -> Option<String> {
    let top = text.lines().take_while(|line| !line.trim_start().starts_with('['));
    let mut said = top.filter_map(|line| match line.parse::<Table>().ok()?.remove("state_dir") {
        Some(Value::String(dir)) => Some(dir),
        _ => None,
    });
    said.next()
}

/// As the built-in default says it.
fn usual() -> String {
    line_of(DEFAULT).unwrap_or_default()
}

fn beside(path: &Path, dir: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_its_own_line_matters() {
        let of = |text: &str| StateDir::of(text, Path::new("etc/parallax.toml"));
        let said = |text: &str| of(text).said.map(|dir| dir.display().to_string());
        let usual = "etc/parallax-state";
        assert_eq!(said("").as_deref(), Some(usual));
        assert_eq!(of("").usual, Path::new(usual));
        // Keys and files that a run would refuse.
        let odd = "colour = 3\nlimits_file = \"none.toml\"\nstate_dir = \"s\"\n[kalshi]\nx = 1\n";
        assert_eq!((said(odd).as_deref(), of(odd).trouble), (Some("etc/s"), None));
        assert_eq!(said("state_dir = '/abs'").as_deref(), Some("/abs"));
        // Half a file: the line is read, and it is said that the rest was not.
        let half = "state_dir = \"s\"\npairs = [\"a.toml\",\n[kalshi\n";
        assert_eq!(said(half).as_deref(), Some("etc/s"));
        assert!(of(half).trouble.unwrap().contains("etc/parallax.toml"));
        let cut = of("state_dir = \"s\n");
        assert_eq!((cut.said, cut.trouble.is_some()), (None, true));
        // The same word in a section is another key.
        assert_eq!(of("x = \n[kalshi]\nstate_dir = \"no\"\n").said, None);
        assert!(of("state_dir = 3").trouble.unwrap().contains("state_dir"));
    }
}
