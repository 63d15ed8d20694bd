//! One engine an account: two would spend the same money and answer each other's orders.
//!
//! The key files are what an account is on this host, so they are what is locked, whatever folder
//! or configuration an engine runs from. The system gives the lock back when its holder dies.

use std::fs::{self, File, TryLockError};
use std::os::linux::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::config::{Config, WalletKey};

/// Whoever only looks whether a lock is held holds it for a moment.
const PATIENCE: Duration = Duration::from_millis(500);

/// Locked files; the locks end with it.
#[derive(Debug)]
pub struct Lock {
    _files: Vec<File>,
}

/// Why an account cannot be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody has it.
    #[error(
        "another engine{} trades with this account (its key {} is locked): end it first, one engine an account",
        pid.map(|pid| format!(", process {pid},")).unwrap_or_default(), path.display()
    )]
    Held {
        /// The key file.
        path: PathBuf,
        /// Who, where the system tells.
        pid: Option<u32>,
    },
    /// The file cannot be opened or locked at all.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Lock {
    /// Locks the accounts of a configuration.
    ///
    /// # Errors
    /// [`LockError`]
    pub fn take(config: &Config) -> Result<Lock, LockError> {
        let mut paths: Vec<&Path> = Vec::new();
        paths.extend(config.kalshi.key.as_ref().map(|key| key.file.as_path()));
        if let Some(WalletKey::File(path)) = &config.polymarket.key {
            paths.push(path);
        }
        Lock::of(&paths)
    }

    /// Locks these files.
    ///
    /// # Errors
    /// [`LockError`]
    pub fn of(paths: &[&Path]) -> Result<Lock, LockError> {
        Lock::within(paths, PATIENCE)
    }

    /// Locks these files, where whoever has them gives them back within that time.
    ///
    /// # Errors
    /// [`LockError`]
    pub fn within(paths: &[&Path], patience: Duration) -> Result<Lock, LockError> {
        let lock = |path: &&Path| {
            let fail = |source| LockError::Io { path: path.to_path_buf(), source };
            let file = File::open(path).map_err(fail)?;
            let began = Instant::now();
            loop {
                match file.try_lock() {
                    Ok(()) => return Ok(file),
                    Err(TryLockError::WouldBlock) if began.elapsed() < patience => {
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    Err(TryLockError::WouldBlock) => {
                        return Err(LockError::Held {
                            path: path.to_path_buf(),
                            pid: holder(path),
                        });
                    }
                    Err(TryLockError::Error(source)) => return Err(fail(source)),
                }
            }
        };
        Ok(Lock { _files: paths.iter().map(lock).collect::<Result<_, _>>()? })
    }
}

/// True while somebody else holds the lock of that file.
pub fn is_held(path: &Path) -> bool {
    let file = File::open(path);
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// The process that the kernel names as the holder of a file's lock.
fn holder(path: &Path) -> Option<u32> {
    let inode = fs::metadata(path).ok()?.st_ino();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    holder_in(&locks, inode)
}

/// Lines read `1: FLOCK  ADVISORY  WRITE 1234 fd:00:5678 0 EOF`.
fn holder_in(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, "WRITE", pid, file, ..] = fields.as_slice() else { return None };
        let ours = file.rsplit(':').next()?.parse::<u64>().ok()? == inode;
        pid.parse().ok().filter(|pid| ours && *pid != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_engine_is_refused_and_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key.pem");
        fs::write(&key, "secret").unwrap();
        assert!(!is_held(&key));
        let first = Lock::of(&[&key]).unwrap();
        assert!(is_held(&key));
        let error = Lock::of(&[&key]).unwrap_err().to_string();
        assert!(error.contains("key.pem") && error.contains("one engine an account"), "{error}");
        assert!(!error.contains("secret"));
        drop(first);
        assert!(!is_held(&key));
        Lock::of(&[&key]).unwrap();
        let missing = Lock::of(&[&folder.path().join("none")]).unwrap_err();
        assert!(missing.to_string().contains("none"));
    }

    #[test]
    fn the_holder_is_found_by_its_file() {
        let locks = "1: POSIX  ADVISORY  WRITE 7 fd:00:42 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 1234 fd:00:42 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 9 fd:00:42 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 0 fd:00:43 0 EOF\n";
        assert_eq!(holder_in(locks, 42), Some(1_234));
        assert_eq!((holder_in(locks, 43), holder_in(locks, 44)), (None, None));
    }
}
