//! The journal: what may be sent, what was sent and what was heard, on disk before it matters.
//! After a crash it is all that is left of the engine. Read the modules in this order.

pub mod record; // what is written down
mod codec; // words as bytes
pub mod frame; // length, checksum, sequence and hash chain around a record
pub mod storage; // what a journal lies on
pub mod files; // files
pub mod memory; // memory that fails on request
pub mod durable; // who writes, and what they may count on
pub mod tile; // the tile that writes, many records at a time
pub mod reader; // what is there: whole, torn or damaged
pub mod fold; // records -> what was known when they end

pub use durable::{Durable, JournalWriter, Source};
pub use record::Record;
pub use tile::JournalTile;
