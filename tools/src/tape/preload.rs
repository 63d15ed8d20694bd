//! Tapes held in memory, so that reading and unpacking them is not measured along.

use std::path::{Path, PathBuf};

use engine::units::{Ns, Venue};

use super::error::TapeError;
use super::line::Head;
use super::merge::MergedTapes;
use super::reader::Truncation;
use super::record::{Body, Record};

/// All records of some tapes, merged: one buffer with the bytes of all frames, and an index.
#[derive(Default)]
pub struct Preloaded {
    bytes: Vec<u8>,
    index: Vec<Head>,
    truncated: Vec<(PathBuf, Truncation)>,
}

impl Preloaded {
    /// Reads all of `paths`; takes as much memory as their frames are long.
    ///
    /// # Errors
    /// [`TapeError`] of the first tape that fails.
    pub fn load(paths: &[PathBuf]) -> Result<Preloaded, TapeError> {
        Preloaded::read(&mut MergedTapes::open(paths)?)
    }

    /// Reads what is left of `tapes`.
    ///
    /// # Errors
    /// [`TapeError`] of the first tape that fails.
    pub fn read(tapes: &mut MergedTapes) -> Result<Preloaded, TapeError> {
        let mut all = Preloaded::default();
        while let Some(record) = tapes.next()? {
            all.push(&record);
        }
        all.truncated = tapes.truncated().map(|(path, cut)| (path.to_owned(), cut)).collect();
        Ok(all)
    }

    /// Appends a record.
    pub fn push(&mut self, record: &Record<'_>) {
        let mut keep = |bytes: &[u8]| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(bytes);
            Some((start, self.bytes.len()))
        };
        let (frame, mark) = match record.body {
            Body::Frame(frame) => (keep(frame), None),
            Body::Connected => (None, None),
            Body::Mark(kind, payload) => (keep(payload), Some(kind)),
        };
        let &Record { recv, venue, conn, .. } = record;
        self.index.push(Head { recv, venue, conn, frame, mark });
    }

    /// The records in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Record<'_>> {
        self.index.iter().map(|head| head.record(&self.bytes))
    }

    /// Record `at`, from 0.
    pub fn get(&self, at: usize) -> Option<Record<'_>> {
        self.index.get(at).map(|head| head.record(&self.bytes))
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// True for no record at all.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Bytes of all frames together.
    pub fn frame_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The first and the last time of receipt, by order of the records.
    pub fn span(&self) -> Option<(Ns, Ns)> {
        Some((self.index.first()?.recv, self.index.last()?.recv))
    }

    /// The venues that occur.
    pub fn has(&self, venue: Venue) -> bool {
        self.index.iter().any(|head| head.venue == venue)
    }

    /// Tapes whose tail could not be read.
    pub fn truncated(&self) -> impl Iterator<Item = (&Path, Truncation)> {
        self.truncated.iter().map(|(path, cut)| (path.as_path(), *cut))
    }
}
