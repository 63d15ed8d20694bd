//! Tapes: what the sockets said, frame by frame, with the time of receipt.
//!
//! A tape is a file of [`Record`]s in the order in which they were written. Two forms hold the
//! same records without loss: the line format (`.jsonl`, `.jsonl.zst`: one JSON object a line)
//! and the container (`.mcap`: chunked, CRC-checked, zstd; readable by that format's public
//! tools). Read the modules in this order.

pub mod record; // one frame or one event, borrowed
pub mod error; // what can be wrong with a tape, and what to do about it
pub mod line; // one record as a line of JSON
pub mod source; // bytes of a file, counted and unpacked
pub mod lines; // text -> lines -> records
pub mod container; // the .mcap form
pub mod reader; // either form behind one type
pub mod merge; // several tapes as one
pub mod preload; // tapes held in memory
pub mod writer; // records -> file
pub mod utc; // times for people
pub mod info; // counts by venue, connection and type
pub mod command; // `parallax tape`

pub use error::{LineError, TapeError};
pub use line::{QUOTED_MAX, parse_line, unquote, write_line};
pub use merge::MergedTapes;
pub use preload::Preloaded;
pub use reader::{TapeKind, TapeReader, Truncation};
pub use record::{Body, Record};
pub use writer::TapeWriter;

/// The longest line of the line format, and the longest frame of a container, in bytes.
///
/// Kalshi's largest WebSocket message is 64 MiB and no other venue's is larger, so whatever is
/// longer is no recording; the limit bounds what a forged tape can make us hold.
pub const LINE_LEN_MAX: usize = 64 << 20;

/// Schema of the container: the value of `schema` in its metadata record [`METADATA_NAME`].
pub const CONTAINER_SCHEMA: &str = "1";

/// Name of the container's metadata record.
pub const METADATA_NAME: &str = "parallax.tape";
