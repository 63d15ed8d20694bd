//! Tapes, replay, reports and the subcommands of `parallax`.

pub mod tape; // recorded frames: files in and out
pub mod model; // a seeded pair of venues, which writes the demonstration tape
pub mod digest; // a digest of every book, to compare with other programs
pub mod topology; // every ring and every thread of a run
