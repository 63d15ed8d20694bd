//! A tape of either form behind one type.

use std::fs::File;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::container::{Container, Note};
use super::error::TapeError;
use super::lines::LineTape;
use super::record::Record;
use super::source::{Source, TextSource};

/// The form of a tape's file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TapeKind {
    /// `.jsonl`: one JSON object a line.
    Lines,
    /// `.jsonl.zst`: the same, packed.
    LinesZstd,
    /// `.mcap`: the container.
    Container,
}

impl TapeKind {
    /// The form that the file's name tells. An unfinished file (`.partial` behind its name)
    /// has the form of the finished one.
    ///
    /// # Errors
    /// [`TapeError::UnknownEnding`].
    pub fn of(path: &Path) -> Result<TapeKind, TapeError> {
        let name = path.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
        let name = name.strip_suffix(".partial").unwrap_or(&name);
        if name.ends_with(".mcap") {
            Ok(TapeKind::Container)
        } else if name.ends_with(".jsonl.zst") {
            Ok(TapeKind::LinesZstd)
        } else if name.ends_with(".jsonl") {
            Ok(TapeKind::Lines)
        } else {
            Err(TapeError::UnknownEnding { path: path.to_owned() })
        }
    }
}

/// A tail that could not be read: the file was cut off, or its recorder was killed.
///
/// Everything before it was read; whoever reports a tape reports this too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Truncation {
    /// Offset in the file up to which it was read.
    pub at: u64,
    /// Bytes behind the last whole record or chunk: of the file for a container, of the
    /// unpacked text for lines.
    pub lost: u64,
}

/// Reads a tape from its first record to its last, in the order of the file.
///
/// Nothing is allocated per record, and memory is bounded by the limits in [`super`], whatever
/// the file claims.
pub struct TapeReader {
    path: PathBuf,
    form: Form,
}

enum Form {
    Lines(LineTape),
    Container(Box<Container>),
}

impl TapeReader {
    /// Opens the tape; the end of its name tells the form.
    ///
    /// # Errors
    /// [`TapeError::UnknownEnding`], [`TapeError::Open`].
    pub fn open(path: &Path) -> Result<TapeReader, TapeError> {
        let kind = TapeKind::of(path)?;
        let fail = |source| TapeError::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(fail)?;
        let meta = file.metadata().map_err(fail)?;
        if meta.is_dir() {
            return Err(fail(std::io::ErrorKind::IsADirectory.into()));
        }
        TapeReader::new(path, kind, Source::new(Box::new(file), meta.len()))
    }

    /// Reads a tape from memory.
    ///
    /// # Errors
    /// [`TapeError::Open`] where the decompressor finds no memory.
    pub fn from_bytes(bytes: Vec<u8>, kind: TapeKind) -> Result<TapeReader, TapeError> {
        let total = bytes.len() as u64;
        TapeReader::new(
            Path::new("(memory)"),
            kind,
            Source::new(Box::new(Cursor::new(bytes)), total),
        )
    }

    fn new(path: &Path, kind: TapeKind, source: Source) -> Result<TapeReader, TapeError> {
        let path = path.to_owned();
        let form = match kind {
            TapeKind::Lines => Ok(Form::Lines(LineTape::new(TextSource::plain(source)))),
            TapeKind::LinesZstd => {
                TextSource::zstd(source).map(|text| Form::Lines(LineTape::new(text)))
            }
            TapeKind::Container => Container::new(source).map(|c| Form::Container(Box::new(c))),
        };
        match form {
            Ok(form) => Ok(TapeReader { path, form }),
            Err(source) => Err(TapeError::Open { path, source }),
        }
    }

    /// The next record, or `None` at the end.
    ///
    /// # Errors
    /// [`TapeError`]; reading on after one gives no further record.
    #[expect(
        clippy::should_implement_trait,
        reason = "a record borrows from its reader, which Iterator cannot say"
    )]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, TapeError> {
        Ok(if self.advance()? { self.current() } else { None })
    }

    /// The next record, and whether the quotes of its frame are escaped still: [`unquote`] takes
    /// that out, on whatever thread has time for it.
    ///
    /// # Errors
    /// [`TapeError`], as [`Self::next`].
    ///
    /// [`unquote`]: super::unquote
    #[inline]
    pub fn next_as_is(&mut self) -> Result<Option<(Record<'_>, bool)>, TapeError> {
        let (more, quoted) = match &mut self.form {
            Form::Lines(tape) => (tape.advance_as_is(&self.path)?, tape.is_quoted()),
            Form::Container(tape) => (tape.advance(&self.path)?, false),
        };
        Ok(if more { self.current().map(|record| (record, quoted)) } else { None })
    }

    /// Moves to the next record, which [`Self::current`] then gives; false at the end.
    ///
    /// # Errors
    /// [`TapeError`].
    #[inline]
    pub fn advance(&mut self) -> Result<bool, TapeError> {
        match &mut self.form {
            Form::Lines(tape) => tape.advance(&self.path),
            Form::Container(tape) => tape.advance(&self.path),
        }
    }

    /// The record that the last [`Self::advance`] moved to.
    #[inline]
    pub fn current(&self) -> Option<Record<'_>> {
        match &self.form {
            Form::Lines(tape) => tape.current(),
            Form::Container(tape) => tape.current(),
        }
    }

    /// The tail that could not be read; known once the end was reached.
    pub fn truncated(&self) -> Option<Truncation> {
        match &self.form {
            Form::Lines(tape) => tape.truncation(),
            Form::Container(tape) => tape.truncation(),
        }
    }

    /// What a run wrote down about itself before what was read so far.
    pub fn notes(&self) -> &[Note] {
        match &self.form {
            Form::Lines(_) => &[],
            Form::Container(tape) => tape.notes(),
        }
    }

    /// Bytes of the file that were read so far.
    pub fn bytes_read(&self) -> u64 {
        self.source().count()
    }

    /// Bytes that the file holds.
    pub fn bytes_total(&self) -> u64 {
        self.source().total()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn source(&self) -> &Source {
        match &self.form {
            Form::Lines(tape) => tape.source(),
            Form::Container(tape) => tape.source(),
        }
    }
}
