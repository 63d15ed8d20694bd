//! Who uses a state folder: every run holds a shared lock on a file of it, so that whoever stops
//! trading there can say whether anybody was trading. The system gives the lock back when its
//! holder dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// That a run uses a folder; it ends with this value.
#[derive(Debug)]
pub struct Presence {
    _file: File,
}

impl Presence {
    /// Enters a folder. Several runs may use one.
    ///
    /// # Errors
    /// Where the file cannot be made or locked.
    pub fn enter(dir: &Path) -> io::Result<Presence> {
        let path = file(dir);
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        // Whoever looks holds the lock for a moment, and nobody else keeps us out.
        file.lock_shared()?;
        Ok(Presence { _file: file })
    }

    /// True while a run uses the folder.
    ///
    /// # Errors
    /// Where that cannot be told.
    pub fn is_in(dir: &Path) -> io::Result<bool> {
        let file = match File::open(file(dir)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        match file.try_lock() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn file(dir: &Path) -> PathBuf {
    dir.join("running")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_share_a_folder_and_the_last_one_leaves_it() {
        let folder = tempfile::tempdir().unwrap();
        let is_in = || Presence::is_in(folder.path()).unwrap();
        assert!(!is_in(), "nobody ever was");
        let (one, two) = (Presence::enter(folder.path()), Presence::enter(folder.path()));
        assert!(is_in());
        drop(one.unwrap());
        assert!(is_in());
        drop(two.unwrap());
        assert!(!is_in());
        assert!(Presence::enter(&folder.path().join("missing")).is_err());
    }
}
