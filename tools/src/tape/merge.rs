//! Several tapes as one, by time of receipt.

use std::path::{Path, PathBuf};

use super::error::TapeError;
use super::reader::{TapeReader, Truncation};
use super::record::Record;

/// Merges tapes by (receive time, order in which they were given).
///
/// Each tape keeps its own order even where its clock steps back: only the heads of the tapes
/// compete. With one tape this is that tape.
pub struct MergedTapes {
    tapes: Vec<TapeReader>,
    /// The tape whose record was given last; it must move on before heads are compared.
    last: Option<usize>,
    started: bool,
}

impl MergedTapes {
    /// Opens all tapes.
    ///
    /// # Errors
    /// [`TapeError`] of the first that cannot be opened.
    pub fn open(paths: &[PathBuf]) -> Result<MergedTapes, TapeError> {
        let tapes = paths.iter().map(|path| TapeReader::open(path)).collect::<Result<_, _>>()?;
        Ok(MergedTapes::new(tapes))
    }

    /// Merges tapes that are open and not yet read.
    pub fn new(tapes: Vec<TapeReader>) -> MergedTapes {
        MergedTapes { tapes, last: None, started: false }
    }

    /// The next record, or `None` at the end of all tapes.
    ///
    /// # Errors
    /// [`TapeError`] of the tape that failed.
    #[expect(
        clippy::should_implement_trait,
        reason = "a record borrows from its reader, which Iterator cannot say"
    )]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, TapeError> {
        // Nothing competes with a single tape.
        if self.tapes.len() == 1 { self.tapes[0].next() } else { self.first_of_several() }
    }

    /// The next record, and whether the quotes of its frame are escaped still, as
    /// [`TapeReader::next_as_is`] says it. Several tapes are read whole: which record comes next
    /// is known too late there.
    ///
    /// # Errors
    /// [`TapeError`] of the tape that failed.
    #[inline]
    pub fn next_as_is(&mut self) -> Result<Option<(Record<'_>, bool)>, TapeError> {
        if self.tapes.len() == 1 {
            return self.tapes[0].next_as_is();
        }
        Ok(self.first_of_several()?.map(|record| (record, false)))
    }

    fn first_of_several(&mut self) -> Result<Option<Record<'_>>, TapeError> {
        if !self.started {
            self.started = true;
            for tape in &mut self.tapes {
                tape.advance()?;
            }
        } else if let Some(last) = self.last {
            self.tapes[last].advance()?;
        }
        // A handful of tapes at most: a scan beats any heap.
        let heads = self.tapes.iter().enumerate();
        let first = heads.filter_map(|(i, tape)| tape.current().map(|head| (head.recv, i))).min();
        self.last = first.map(|(_, i)| i);
        Ok(self.last.and_then(|i| self.tapes[i].current()))
    }

    /// Tapes whose tail could not be read; complete once the end was reached.
    pub fn truncated(&self) -> impl Iterator<Item = (&Path, Truncation)> {
        self.tapes.iter().filter_map(|tape| Some((tape.path(), tape.truncated()?)))
    }

    /// Bytes read of all files.
    pub fn bytes_read(&self) -> u64 {
        self.tapes.iter().map(TapeReader::bytes_read).sum()
    }

    /// Bytes that all files hold.
    pub fn bytes_total(&self) -> u64 {
        self.tapes.iter().map(TapeReader::bytes_total).sum()
    }
}
