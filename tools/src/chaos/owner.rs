//! Whose keys they are: files on a real disk, read by the shipped loader and locked by the shipped
//! lock, because two engines on one account and a key that others may read are refused there.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::checks::Violation;
use crate::config::{Config, WalletKey};
use crate::journal::lock::{Lock, LockError};
use crate::rest::keys;

/// The folder with both keys, and the lock of the process that runs.
pub struct Owner {
    folder: TempDir,
    lock: Option<Lock>,
    /// How many checks were made.
    pub count: u64,
}

fn broken(invariant: &'static str, detail: String) -> Violation {
    Violation { invariant, detail }
}

impl Owner {
    /// Writes the keys down where a configuration beside them expects them.
    ///
    /// # Errors
    /// Where no folder or file can be made.
    pub fn new(kalshi_pem: &str, polymarket_hex: &str) -> Result<Owner, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("a folder for keys: {error}"))?;
        for (name, text) in [("kalshi.pem", kalshi_pem), ("polymarket.key", polymarket_hex)] {
            let path = folder.path().join(name);
            let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
            let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
            written.map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(Owner { folder, lock: None, count: 0 })
    }

    /// Where the configuration that names them would be.
    pub fn config_path(&self) -> PathBuf {
        self.folder.path().join("parallax.toml")
    }

    /// A process starts: true where it has the accounts for itself and its keys can be read.
    ///
    /// # Errors
    /// Where it has them though others may read a key, or not though nobody does.
    pub fn start(&mut self, config: &Config) -> Result<bool, Violation> {
        if self.lock.is_some() {
            return Ok(true);
        }
        self.count += 1;
        let read = keys::kalshi(config).and_then(|_| keys::polymarket(config)).map(drop);
        let is_open = paths(config).iter().any(|path| mode(path) & 0o077 != 0);
        match (read, is_open) {
            (Ok(()), false) => {}
            (Err(_), true) => return Ok(false),
            (Ok(()), true) => {
                let detail = "a key that others may read was read".to_owned();
                return Err(broken("keys", detail));
            }
            (Err(problem), false) => return Err(broken("starts", problem.0)),
        }
        let lock = Lock::within(&paths(config), Duration::ZERO);
        self.lock = Some(lock.map_err(|error| broken("starts", error.to_string()))?);
        Ok(true)
    }

    /// A second process tries to start beside the first.
    ///
    /// # Errors
    /// Where nobody keeps it from it.
    pub fn second(&mut self, config: &Config) -> Result<(), Violation> {
        self.count += 1;
        match Lock::within(&paths(config), Duration::ZERO) {
            Err(LockError::Held { .. }) => Ok(()),
            Err(error) => Err(broken("one_engine", error.to_string())),
            Ok(_) => Err(broken("one_engine", "a second engine has the same accounts".to_owned())),
        }
    }

    /// The process is gone: the system gives its lock back.
    pub fn end(&mut self) {
        self.lock = None;
    }

    /// Somebody lets others read a key, or no longer.
    ///
    /// # Errors
    /// Where the system does not let us.
    pub fn expose(&self, config: &Config, exposed: bool) -> Result<(), Violation> {
        let bits = if exposed { 0o644 } else { 0o600 };
        for path in paths(config) {
            fs::set_permissions(path, Permissions::from_mode(bits))
                .map_err(|error| broken("starts", format!("{}: {error}", path.display())))?;
        }
        Ok(())
    }
}

fn paths(config: &Config) -> Vec<&Path> {
    let kalshi = config.kalshi.key.as_ref().map(|key| key.file.as_path());
    let polymarket = match &config.polymarket.key {
        Some(WalletKey::File(path)) => Some(path.as_path()),
        Some(WalletKey::Text(_)) | None => None,
    };
    kalshi.into_iter().chain(polymarket).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).map_or(0, |meta| meta.permissions().mode())
}
