//! A journal in a folder: one preallocated file a segment.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use engine::tile::Now;

use super::storage::{Storage, StorageError, Synced};

/// Ending of a segment's name.
const ENDING: &str = "plj";

/// Zeros are written in pieces of this size.
const ZEROS: usize = 64 << 10;

/// A folder of segments.
#[derive(Debug)]
pub struct Files {
    dir: PathBuf,
    open: Option<File>,
}

impl Files {
    /// The journal in `dir`, which is made where it is not there.
    ///
    /// # Errors
    /// The system's.
    pub fn open(dir: &Path) -> io::Result<Files> {
        fs::create_dir_all(dir)?;
        Ok(Files { dir: dir.to_owned(), open: None })
    }

    /// The file of a segment.
    pub fn path(&self, segment: u64) -> PathBuf {
        self.dir.join(format!("{segment:010}.{ENDING}"))
    }

    fn list(&self) -> io::Result<Vec<u64>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let name = entry?.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(ENDING)?.strip_suffix('.'));
            found.extend(stem.and_then(|stem| stem.parse::<u64>().ok()));
        }
        found.sort_unstable();
        Ok(found)
    }

    fn make(&self, segment: u64, bytes: usize, head: &[u8]) -> io::Result<File> {
        // Under another name until it is whole: a segment that is there is complete.
        let fresh = self.dir.join(format!("{segment:010}.new"));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        // Real zeros take real room, so that no later append can find the disk full.
        let zeros = [0; ZEROS];
        let mut left = bytes;
        while left > 0 {
            let part = left.min(ZEROS);
            file.write_all(&zeros[..part])?;
            left -= part;
        }
        file.seek(SeekFrom::Start(0))?;
        file.write_all(head)?;
        file.sync_all()?;
        fs::rename(&fresh, self.path(segment))?;
        File::open(&self.dir)?.sync_all()?;
        Ok(file)
    }

    fn shorten(&self, segment: u64, len: usize) -> io::Result<()> {
        let path = self.path(segment);
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let mut rest = Vec::new();
        (&file).seek(SeekFrom::Start(len as u64))?;
        (&file).read_to_end(&mut rest)?;
        if rest.iter().any(|byte| *byte != 0) {
            fs::write(path.with_extension(format!("cut-at-{len}")), &rest)?;
        }
        file.set_len(len as u64)?;
        file.sync_all()
    }
}

/// What the system's reason means for a journal.
fn reason(error: &io::Error) -> StorageError {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => StorageError::Full,
        _ => StorageError::Failed,
    }
}

impl Storage for Files {
    fn segments(&mut self) -> Result<Vec<u64>, StorageError> {
        self.list().map_err(|error| reason(&error))
    }

    fn read(&mut self, segment: u64, to: &mut Vec<u8>) -> Result<(), StorageError> {
        to.clear();
        let mut file = File::open(self.path(segment)).map_err(|error| reason(&error))?;
        file.read_to_end(to).map(|_| ()).map_err(|error| reason(&error))
    }

    fn create(&mut self, segment: u64, bytes: usize, head: &[u8]) -> Result<(), StorageError> {
        self.open = Some(self.make(segment, bytes, head).map_err(|error| reason(&error))?);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let file = self.open.as_mut().ok_or(StorageError::Failed)?;
        file.write_all(bytes).map_err(|error| reason(&error))
    }

    fn sync(&mut self, _now: Now) -> Result<Synced, StorageError> {
        let file = self.open.as_mut().ok_or(StorageError::Failed)?;
        file.sync_data().map(|()| Synced::Done).map_err(|error| reason(&error))
    }

    fn cut(&mut self, segment: u64, len: usize) -> Result<(), StorageError> {
        self.shorten(segment, len).map_err(|error| reason(&error))
    }
}
