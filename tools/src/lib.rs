//! Tapes, replay, reports and the subcommands of `parallax`.

pub mod tape; // recorded frames: files in and out
pub mod digest; // a digest of every book, to compare with other programs
pub mod topology; // every ring and every thread of a run
pub mod replay; // recorded frames through the shipped tiles
