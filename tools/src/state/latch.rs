//! The latch: a file whose presence stops trading, now and after every restart.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The latch of a state folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Latch {
    path: PathBuf,
}

impl Latch {
    /// The latch of a folder.
    pub fn in_dir(dir: &Path) -> Latch {
        Latch { path: dir.join("killed") }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why trading is stopped; `None` where it is not. A file that cannot be read stops it too:
    /// whoever wrote it meant something.
    pub fn reason(&self) -> Option<String> {
        match fs::read_to_string(&self.path) {
            Ok(text) => Some(text.trim_end().to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(format!("{}: {error}", self.path.display())),
        }
    }

    /// True where the file is there: cheaper than its reason.
    pub fn is_set(&self) -> bool {
        // What cannot be looked at counts as there.
        !matches!(fs::symlink_metadata(&self.path), Err(e) if e.kind() == io::ErrorKind::NotFound)
    }

    /// Stops trading. A latch that is set keeps its first reason.
    ///
    /// # Errors
    /// Where the file cannot be made, and kept by the disk.
    pub fn set(&self, reason: &str) -> io::Result<()> {
        if self.link(reason).is_err() {
            // A disk that has no room for a reason, or that knows no links: the name alone stops.
            match File::create_new(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        self.sync_dir()
    }

    /// One more reason to stop, beside those that the file has. Where somebody lifts the latch at
    /// this moment it is set again: nobody has read this reason.
    ///
    /// # Errors
    /// Where the file cannot be made, and kept by the disk.
    pub fn add(&self, reason: &str) -> io::Result<()> {
        let Ok(before) = fs::read_to_string(&self.path) else { return self.set(reason) };
        let whole = self.whole();
        let text = format!("{before}{reason}");
        let moved = write(&whole, &text).and_then(|()| fs::rename(&whole, &self.path));
        if moved.is_err() && whole.exists() {
            // What could not be written whole is worth nothing.
            fs::remove_file(&whole)?;
        }
        moved.and_then(|()| self.sync_dir())
    }

    /// The text on its way to its name.
    fn whole(&self) -> PathBuf {
        self.path.with_extension(format!("{}", std::process::id()))
    }

    /// Gives the file its name once it is whole: who sees it may read it at once.
    fn link(&self, reason: &str) -> io::Result<()> {
        let whole = self.whole();
        let written = write(&whole, reason);
        let linked = written.and_then(|()| fs::hard_link(&whole, &self.path));
        fs::remove_file(&whole)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// Lets trading go on; false where it was not stopped.
    ///
    /// # Errors
    /// Where the file cannot be removed.
    pub fn lift(&self) -> io::Result<bool> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
            Ok(()) => self.sync_dir().map(|()| true),
        }
    }

    /// The name is kept by the folder, not by the file.
    fn sync_dir(&self) -> io::Result<()> {
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        File::open(dir.unwrap_or(Path::new(".")))?.sync_all()
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    writeln!(file, "{text}").and_then(|()| file.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latch_keeps_its_first_reason_until_it_is_lifted() {
        let folder = tempfile::tempdir().unwrap();
        let latch = Latch::in_dir(folder.path());
        assert_eq!((latch.reason(), latch.is_set(), latch.lift().unwrap()), (None, false, false));
        latch.set("first").unwrap();
        latch.set("second").unwrap();
        assert_eq!((latch.reason().as_deref(), latch.is_set()), (Some("first"), true));
        latch.add("third").unwrap();
        assert_eq!(latch.reason().as_deref(), Some("first\nthird"));
        assert!(latch.lift().unwrap() && !latch.is_set());
        latch.add("alone").unwrap();
        assert_eq!(latch.reason().as_deref(), Some("alone"));
        assert!(latch.lift().unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing else is left there");
        // A folder in its place cannot be read, and stops trading all the same.
        fs::create_dir(latch.path()).unwrap();
        assert!(latch.is_set() && latch.reason().is_some());
    }
}
