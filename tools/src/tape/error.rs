//! What can be wrong with a tape: where it is, and what to do about it.

use std::io;
use std::path::PathBuf;

use super::LINE_LEN_MAX;

/// A line of the line format that is no record. Small and `Copy`; [`TapeError`] adds the place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LineError {
    /// Bytes that are no UTF-8.
    #[error("byte {at} is not UTF-8; a tape is UTF-8 text: recode the line or delete it")]
    NotUtf8 {
        /// Offset in the line, from 0.
        at: usize,
    },
    /// The line ends inside of its JSON object.
    #[error("the line ends inside of its JSON object; it was cut off: delete it")]
    Cut,
    /// No JSON.
    #[error("not JSON at column {column}; each line is one JSON object: repair or delete it")]
    NotJson {
        /// Column, from 1.
        column: usize,
    },
    /// JSON, but no object.
    #[error(
        "a JSON value that is no object; each line is one object with recv_ns, venue, conn and frame or event"
    )]
    NotObject,
    /// A field that every record needs is not there.
    #[error("field `{field}` is missing; add it ({want})")]
    Missing {
        /// Its name.
        field: &'static str,
        /// What it holds.
        want: &'static str,
    },
    /// A field is there twice.
    #[error("field `{field}` is there twice; keep one")]
    Duplicate {
        /// Its name.
        field: &'static str,
    },
    /// A field holds a value of the wrong kind or out of range.
    #[error("field `{field}` must be {want}")]
    Wrong {
        /// Its name.
        field: &'static str,
        /// What it must hold.
        want: &'static str,
    },
    /// Both `frame` and `event`.
    #[error("both `frame` and `event` are there; a line has one of the two: delete the other")]
    FrameAndEvent,
}

/// A tape that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// The file name does not tell the form.
    #[error("{}: the name of a tape ends with .mcap, .jsonl or .jsonl.zst; rename it to say which it is", path.display())]
    UnknownEnding {
        /// The file.
        path: PathBuf,
    },
    /// Export writes lines only.
    #[error("{}: export writes lines of JSON: end the name with .jsonl or .jsonl.zst, or use `tape import` to make an .mcap", path.display())]
    ExportEnding {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened.
    #[error("{}: cannot open the tape: {source}; check the path and the permissions", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file cannot be read any further.
    #[error("{}: reading failed near byte {at}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Bytes of the file that were read.
        at: u64,
        /// The system's reason.
        source: io::Error,
    },
    /// Damaged zstd data in a `.jsonl.zst`.
    #[error("{}: damaged zstd data before byte {at} of the file: {reason}; fetch the file again, or keep what `zstd -dc` still gives", path.display())]
    Zstd {
        /// The file.
        path: PathBuf,
        /// Bytes of the file that were read.
        at: u64,
        /// The decompressor's reason.
        reason: String,
    },
    /// A line is no record.
    #[error("{}: line {line}: {source}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// What is wrong with it.
        source: LineError,
    },
    /// A line is longer than [`LINE_LEN_MAX`].
    #[error("{}: line {line} is longer than {LINE_LEN_MAX} bytes; this is no tape of one JSON object a line", path.display())]
    LineTooLong {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
    },
    /// A container is damaged, or is not one of ours.
    #[error("{}: byte {at}: {reason}", path.display())]
    Container {
        /// The file.
        path: PathBuf,
        /// Offset in the file of the record or chunk that is wrong.
        at: u64,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The output exists.
    #[error("{}: the file exists; choose another name, or pass --force to replace it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The output cannot be written.
    #[error("{}: cannot write the tape: {reason}; check the directory, the permissions and the free space", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// A frame that is no text cannot stand in the line format.
    #[error("{}: record {record} is a frame that is not UTF-8, which the line format cannot hold; write an .mcap instead", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Number of the record, from 1.
        record: u64,
    },
    /// A frame is longer than [`LINE_LEN_MAX`] once written.
    #[error("{}: record {record} is longer than {LINE_LEN_MAX} bytes, which no reader of tapes accepts; no venue sends such frames", path.display())]
    FrameTooLong {
        /// The file.
        path: PathBuf,
        /// Number of the record, from 1.
        record: u64,
    },
}
