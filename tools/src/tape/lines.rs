//! Text -> lines -> records.

use std::io::{ErrorKind, Read};
use std::path::Path;

use super::LINE_LEN_MAX;
use super::error::{LineError, TapeError};
use super::line::{Head, parse_head, parse_quoted};
use super::reader::Truncation;
use super::record::Record;
use super::source::TextSource;

/// Room for the text at first, in bytes: some hundreds of usual lines. It grows for a longer
/// line, never beyond [`LINE_LEN_MAX`] and one block.
const ROOM: usize = 256 << 10;

/// A tape in the line format.
pub struct LineTape {
    text: TextSource,
    buffer: Vec<u8>,
    /// Text that was read and not yet parsed: `buffer[start..end]`.
    start: usize,
    end: usize,
    /// Up to here no line feed was found, so it is not searched again.
    searched: usize,
    line: u64,
    ended: bool,
    scratch: Vec<u8>,
    head: Option<Head>,
    /// The frame of `head` stands in `buffer`, its quotes still escaped.
    quoted: bool,
    truncation: Option<Truncation>,
}

impl LineTape {
    /// The records of `text`.
    pub fn new(text: TextSource) -> LineTape {
        LineTape {
            text,
            buffer: vec![0; ROOM],
            start: 0,
            end: 0,
            searched: 0,
            line: 0,
            ended: false,
            scratch: Vec::new(),
            head: None,
            quoted: false,
            truncation: None,
        }
    }

    /// Moves to the next record; false at the end.
    ///
    /// # Errors
    /// [`TapeError`] with `path` in it.
    pub fn advance(&mut self, path: &Path) -> Result<bool, TapeError> {
        self.advance_any::<false>(path)
    }

    /// The same, but a frame in which nothing but quotes is escaped stays as it is.
    ///
    /// # Errors
    /// [`TapeError`] with `path` in it.
    pub fn advance_as_is(&mut self, path: &Path) -> Result<bool, TapeError> {
        self.advance_any::<true>(path)
    }

    fn advance_any<const AS_IS: bool>(&mut self, path: &Path) -> Result<bool, TapeError> {
        self.head = None;
        self.quoted = false;
        self.advance_inner::<AS_IS>(path).inspect_err(|_| {
            // Nothing is read behind damage.
            self.ended = true;
            self.start = self.end;
            self.searched = self.end;
        })
    }

    fn advance_inner<const AS_IS: bool>(&mut self, path: &Path) -> Result<bool, TapeError> {
        loop {
            let (from, to, whole) = match self.next_line(path)? {
                Some(line) => line,
                None => return Ok(false),
            };
            self.line += 1;
            if AS_IS && let Some(head) = parse_quoted(&self.buffer[from..to]) {
                let frame = head.frame.map(|(start, end)| (from + start, from + end));
                self.head = Some(Head { frame, ..head });
                self.quoted = true;
                return Ok(true);
            }
            match parse_head(&self.buffer[from..to], &mut self.scratch) {
                Ok(None) => {}
                Ok(head) => {
                    self.head = head;
                    return Ok(true);
                }
                // A recorder that was killed, or a file that was cut, leaves half a line.
                Err(LineError::Cut) if !whole => {
                    let lost = (to - from) as u64;
                    self.truncation
                        .get_or_insert(Truncation { at: self.text.source().count(), lost });
                    return Ok(false);
                }
                Err(source) => {
                    return Err(TapeError::Line { path: path.to_owned(), line: self.line, source });
                }
            }
        }
    }

    /// The record that the last [`Self::advance`] moved to.
    #[inline]
    pub fn current(&self) -> Option<Record<'_>> {
        let bytes = if self.quoted { &self.buffer } else { &self.scratch };
        self.head.map(|head| head.record(bytes))
    }

    /// Whether the quotes of that record's frame are escaped still.
    #[inline]
    pub fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// What was cut off, once the end was reached.
    pub fn truncation(&self) -> Option<Truncation> {
        self.truncation
    }

    /// The file underneath.
    pub fn source(&self) -> &super::source::Source {
        self.text.source()
    }

    /// Start and end of the next line in the buffer, and whether it ends with a line feed.
    fn next_line(&mut self, path: &Path) -> Result<Option<(usize, usize, bool)>, TapeError> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.searched..self.end]) {
                let (from, to) = (self.start, self.searched + at);
                self.start = to + 1;
                self.searched = self.start;
                if to - from > LINE_LEN_MAX {
                    return Err(self.too_long(path));
                }
                return Ok(Some((from, to, true)));
            }
            self.searched = self.end;
            if self.end - self.start > LINE_LEN_MAX {
                return Err(self.too_long(path));
            }
            if self.ended {
                let (from, to) = (self.start, self.end);
                self.start = self.end;
                return Ok((from < to).then_some((from, to, false)));
            }
            self.fill(path)?;
        }
    }

    fn too_long(&self, path: &Path) -> TapeError {
        TapeError::LineTooLong { path: path.to_owned(), line: self.line + 1 }
    }

    /// Reads more text behind what there is.
    fn fill(&mut self, path: &Path) -> Result<(), TapeError> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            let room = (self.buffer.len() * 2).min(LINE_LEN_MAX + ROOM);
            self.buffer.resize(room, 0);
        }
        loop {
            match self.text.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(n) => self.end += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                // The compressed stream ends in the middle: all that it held before is good.
                Err(e) if self.text.is_packed() && e.kind() == ErrorKind::UnexpectedEof => {
                    self.ended = true;
                    let at = self.text.source().count();
                    self.truncation = Some(Truncation { at, lost: (self.end - self.start) as u64 });
                }
                Err(source) => {
                    let (path, at) = (path.to_owned(), self.text.source().count());
                    // Errors of the operating system have a number; the decompressor's have none.
                    return Err(if self.text.is_packed() && source.raw_os_error().is_none() {
                        TapeError::Zstd { path, at, reason: source.to_string() }
                    } else {
                        TapeError::Read { path, at, source }
                    });
                }
            }
            return Ok(());
        }
    }
}
