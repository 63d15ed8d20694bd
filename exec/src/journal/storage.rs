//! What a journal lies on: numbered segments of bytes, appended to and made durable.

use core::fmt;

use engine::tile::Now;

/// Bytes of a segment: some ten thousand records.
pub const SEGMENT_BYTES: usize = 4 << 20;

/// Why storage did not do what it was asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StorageError {
    /// There is no room.
    Full,
    /// It failed. What was appended since the last sync may or may not be there: nothing may be
    /// built on it, and trying again proves nothing.
    Failed,
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StorageError::Full => "the disk of the journal is full",
            StorageError::Failed => "the disk of the journal failed",
        })
    }
}

impl core::error::Error for StorageError {}

/// How far a sync is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Synced {
    /// All that was appended before it is durable.
    Done,
    /// Ask again.
    Pending,
}

/// Segments of a journal. A file system may block in [`Storage::append`] and [`Storage::sync`]:
/// whoever calls them has a thread of its own. Memory answers at once or later.
pub trait Storage {
    /// Numbers of the segments that are there, ascending.
    fn segments(&mut self) -> Result<Vec<u64>, StorageError>;

    /// All bytes of a segment replace `to`.
    fn read(&mut self, segment: u64, to: &mut Vec<u8>) -> Result<(), StorageError>;

    /// Makes a segment of `bytes` zeros, begins it with `head`, and appends there from now on. Its
    /// name, its room and its head are durable when this returns.
    fn create(&mut self, segment: u64, bytes: usize, head: &[u8]) -> Result<(), StorageError>;

    /// Appends to the segment that was made last.
    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError>;

    /// Makes what was appended durable. After [`Synced::Pending`] it is called again, with nothing
    /// appended in between.
    fn sync(&mut self, now: Now) -> Result<Synced, StorageError>;

    /// Shortens a segment that is not appended to, durably. What is cut off is kept aside where
    /// that is possible.
    fn cut(&mut self, segment: u64, len: usize) -> Result<(), StorageError>;
}
