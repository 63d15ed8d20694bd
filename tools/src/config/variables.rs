//! Environment variables: those of the process, and those of a `.env` file below them.

use std::collections::HashMap;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::{ConfigError, Secret};

/// Every variable that is looked at.
pub const NAMES: &[&str] = &[
    "APP_ENV",
    "DISCOVERY_ONLY",
    "DRY_RUN",
    "FORCE_DISCOVERY",
    "KALSHI_API_KEY_ID",
    "KALSHI_DEMO_API_KEY",
    "KALSHI_DEMO_PRIVATE_KEY_PATH",
    "KALSHI_FEE_RATE",
    "KALSHI_PRIVATE_KEY_PATH",
    "KALSHI_PROD_API_KEY",
    "KALSHI_PROD_PRIVATE_KEY_PATH",
    "MINIMUM_WALLET_BALANCE",
    "MIN_PROFIT_THRESHOLD",
    "POLYMARKET_API_KEY",
    "POLYMARKET_API_PASSPHRASE",
    "POLYMARKET_API_SECRET",
    "POLYMARKET_WALLET_ADDR",
    "POLYMARKET_WALLET_PRIVATE_KEY",
    "POLY_FUNDER",
    "POLY_PRIVATE_KEY",
    "POLY_SIGNATURE_TYPE",
    "SHUTDOWN_BALANCE",
    "TARGET_MARKETS",
];

/// Variables whose values are secrets.
const SECRETS: &[&str] = &[
    "POLYMARKET_API_KEY",
    "POLYMARKET_API_PASSPHRASE",
    "POLYMARKET_API_SECRET",
    "POLYMARKET_WALLET_PRIVATE_KEY",
    "POLY_PRIVATE_KEY",
];

/// What a variable said, and where.
pub struct Said<'v> {
    /// Its name and its place, for messages.
    pub from: String,
    /// Its value; never empty.
    pub value: &'v str,
}

impl Said<'_> {
    /// An error about this value. A secret is never repeated: the caller's `want` must not hold it.
    pub fn error(&self, want: impl Into<String>) -> ConfigError {
        ConfigError::Variable { from: self.from.clone(), want: want.into() }
    }
}

type Layer = HashMap<&'static str, Zeroizing<String>>;

/// The variables of the process over those of a file. An empty value is no value.
#[derive(Default)]
pub struct Variables {
    process: Layer,
    file: Layer,
    file_path: PathBuf,
}

impl Variables {
    /// Those of the process: `read` gives the value of a name.
    ///
    /// # Errors
    /// Where a value is not Unicode.
    pub fn of_process(
        read: impl Fn(&str) -> Result<Option<String>, ConfigError>,
    ) -> Result<Variables, ConfigError> {
        let mut variables = Variables::default();
        for name in NAMES {
            if let Some(value) = read(name)? {
                put(&mut variables.process, name, value);
            }
        }
        Ok(variables)
    }

    /// Puts the lines of a `.env` file below: `NAME=value`, an `export` in front, quotes around
    /// and comments are allowed. Names that are not ours are other programs'.
    ///
    /// # Errors
    /// Names the line that is neither.
    pub fn with_file(mut self, text: &str, path: PathBuf) -> Result<Variables, ConfigError> {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = |want| ConfigError::Variable {
                from: format!("{} line {}", path.display(), number + 1),
                want,
            };
            let line = line.strip_prefix("export ").unwrap_or(line);
            let (name, value) = line
                .split_once('=')
                .ok_or_else(|| bad("NAME=value, or a # before a comment".to_owned()))?;
            let value = unquoted(value.trim()).ok_or_else(|| {
                bad("a closing quote, and nothing but a comment after it".to_owned())
            })?;
            if let Some(name) = NAMES.iter().find(|known| **known == name.trim()) {
                put(&mut self.file, name, value.to_owned());
            }
        }
        self.file_path = path;
        Ok(self)
    }

    /// The first of these names that is set: by the process before the file, and within each in
    /// the order given.
    pub fn first(&self, names: &[&'static str]) -> Option<Said<'_>> {
        let of = |layer: &'_ Layer| -> Option<&'static str> {
            names.iter().find(|name| layer.contains_key(**name)).copied()
        };
        if let Some(name) = of(&self.process) {
            let value = self.process.get(name)?;
            return Some(Said { from: format!("environment variable {name}"), value });
        }
        let name = of(&self.file)?;
        let from = format!("{name} in {}", self.file_path.display());
        Some(Said { from, value: self.file.get(name)? })
    }

    /// The first of these as a secret.
    pub fn secret(&self, names: &[&'static str]) -> Option<Secret> {
        self.first(names).map(|said| Secret::new(said.value.to_owned()))
    }

    /// The `.env` file, where it holds a secret: it must then be readable by its owner alone.
    pub fn secret_file(&self) -> Option<PathBuf> {
        let holds = SECRETS.iter().any(|name| self.file.contains_key(name));
        holds.then(|| self.file_path.clone())
    }
}

fn put(layer: &mut Layer, name: &'static str, value: String) {
    if !value.is_empty() {
        layer.insert(name, Zeroizing::new(value));
    }
}

/// A value without its quotes, or without the comment behind it.
fn unquoted(value: &str) -> Option<&str> {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            let (inside, behind) = rest.split_once(quote)?;
            let behind = behind.trim();
            return (behind.is_empty() || behind.starts_with('#')).then_some(inside);
        }
    }
    Some(value.split_once(" #").map_or(value, |(value, _)| value).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<Variables, ConfigError> {
        Variables::default().with_file(text, PathBuf::from(".env"))
    }

    #[test]
    fn lines_of_a_file() {
        let text = "# comment\n\nexport POLY_FUNDER = '0xab # no comment' # comment\r\nDRY_RUN=0 # off\n\
                    OTHER=1\nTARGET_MARKETS=\"A,B\"\nAPP_ENV=\n";
        let variables = file(text).ok().unwrap();
        let get = |name| variables.first(&[name]).map(|said| said.value.to_owned());
        assert_eq!(get("POLY_FUNDER").as_deref(), Some("0xab # no comment"));
        assert_eq!(get("DRY_RUN").as_deref(), Some("0"));
        assert_eq!(get("TARGET_MARKETS").as_deref(), Some("A,B"));
        assert_eq!(get("APP_ENV"), None, "an empty value is none");
        assert_eq!(variables.secret_file(), None);
        for (bad, line) in [("DRY_RUN", 1), ("\nAPP_ENV=\"x", 2), ("A='x' y", 1)] {
            let error = file(bad).err().unwrap().to_string();
            assert!(error.contains(&format!(".env line {line}")), "{error}");
        }
    }

    #[test]
    fn the_process_comes_before_the_file_whatever_the_name() {
        let process = |name: &str| Ok((name == "POLYMARKET_WALLET_ADDR").then(|| "process".into()));
        let variables = Variables::of_process(process)
            .and_then(|v| v.with_file("POLY_FUNDER=file\nPOLY_PRIVATE_KEY=k", ".env".into()))
            .ok()
            .unwrap();
        let said = variables.first(&["POLY_FUNDER", "POLYMARKET_WALLET_ADDR"]).unwrap();
        assert_eq!(said.value, "process");
        assert_eq!(said.from, "environment variable POLYMARKET_WALLET_ADDR");
        assert_eq!(variables.secret_file(), Some(".env".into()));
    }
}
