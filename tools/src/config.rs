//! What a run may do and with whom: a TOML file, a `.env` file and the environment, turned into
//! types once. Nothing else in the program reads the environment. Read the modules in this order.

mod secret; // a text that nobody prints
mod url; // where a venue is reached, and which hosts belong to which environment
mod file; // the TOML text
mod limits; // what no order and no run may exceed
mod legs; // how one-sided fills are closed
mod variables; // the environment and `.env`
mod build; // text -> types, with every rule checked
mod sections; // the types
mod state_dir; // the one key that a kill needs, from a file in whatever state
mod simulated; // a file that points at simulated venues
pub mod live; // what must be true before money is at stake
pub mod command; // `parallax config`

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

pub use file::DEFAULT;
pub use limits::{DEFAULT_LIMITS, Limits};
pub use secret::Secret;
pub use sections::*;
pub use simulated::Simulated;
pub use state_dir::StateDir;
pub use url::Url;
pub use variables::Variables;

/// Where to read the configuration from; for every command that talks to a venue.
#[derive(Args, Clone, Debug, Default)]
pub struct ConfigArgs {
    /// Configuration [default: parallax.toml where it exists, otherwise the built-in default].
    #[arg(long, value_name = "FILE.toml", global = true)]
    pub config: Option<PathBuf>,
    /// File of environment variables [default: .env where it exists].
    #[arg(long, value_name = "FILE", global = true)]
    pub env_file: Option<PathBuf>,
    /// Environment of the venues, in place of the configured one. The built-in default is demo:
    /// Kalshi's demo, which quotes other prices than the exchange, beside Polymarket itself, which
    /// has no demo. Live trading needs prod.
    #[arg(long, value_enum, global = true)]
    pub environment: Option<Environment>,
}

/// A configuration that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigError {
    /// A file cannot be read.
    Read {
        /// Which.
        file: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// The text is no TOML, or has a key or a type that it must not have.
    Syntax {
        /// Which file.
        file: String,
        /// The parser's reason, with the line.
        reason: String,
    },
    /// A key has a value that it must not have.
    Key {
        /// Which file.
        file: String,
        /// Section and key.
        key: String,
        /// What it should be.
        want: String,
    },
    /// An environment variable has a value that it must not have.
    Variable {
        /// Its name and where it stands.
        from: String,
        /// What it should be.
        want: String,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Read { file, reason } => write!(f, "{}: {reason}", file.display()),
            ConfigError::Syntax { file, reason } => write!(f, "{file}: {reason}"),
            ConfigError::Key { file, key, want } => write!(f, "{file}: {key}: {want}"),
            ConfigError::Variable { from, want } => write!(f, "{from}: {want}"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Reads the configuration of this process.
///
/// # Errors
/// [`ConfigError`], whose text names the place and the remedy.
pub fn load(args: &ConfigArgs) -> Result<Config, ConfigError> {
    let mut variables = Variables::of_process(|name| match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(ConfigError::Variable {
            from: format!("environment variable {name}"),
            want: "text in UTF-8".into(),
        }),
    })?;
    if let Some((text, path)) = read(args.env_file.as_deref(), ".env")? {
        variables = variables.with_file(&text, path)?;
    }
    let (text, path) = match read(args.config.as_deref(), "parallax.toml")? {
        Some(found) => found,
        None => (String::new(), PathBuf::from("built-in default")),
    };
    parse(&text, &path, &variables, args.environment)
}

/// Whoever runs this process, as the system names them.
pub fn user() -> Option<String> {
    ["USER", "LOGNAME"].into_iter().find_map(|name| env::var(name).ok()).filter(|n| !n.is_empty())
}

/// Turns a file's text and variables into a configuration. Paths in it are relative to the folder
/// of `path`.
///
/// # Errors
/// As for [`load`].
pub fn parse(
    text: &str,
    path: &Path,
    variables: &Variables,
    environment: Option<Environment>,
) -> Result<Config, ConfigError> {
    let open = |name: &str| {
        let path = path.parent().unwrap_or(Path::new("")).join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok((text, path.display().to_string())),
            Err(error) => Err(ConfigError::Read { file: path, reason: error.to_string() }),
        }
    };
    let file = file::read(text, &path.display().to_string(), open)?;
    build::build(&file, path, variables, environment)
}

/// A file that was asked for, or `usual` where it exists.
fn read(asked: Option<&Path>, usual: &str) -> Result<Option<(String, PathBuf)>, ConfigError> {
    let path = asked.unwrap_or(Path::new(usual));
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some((text, path.to_owned()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound && asked.is_none() => Ok(None),
        Err(error) => Err(ConfigError::Read { file: path.to_owned(), reason: error.to_string() }),
    }
}

#[cfg(test)]
mod tests;
