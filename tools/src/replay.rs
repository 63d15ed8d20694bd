//! Replay of recorded frames through the shipped tiles. Read the modules in this order.

pub mod options; // the command line
pub mod command; // from arguments to an exit status
pub mod outputs; // no file is read and written at once
pub mod speed; // how fast a tape is played
pub mod stream; // bytes for another core, written past the caches
pub mod frames; // frames on their way from the tape to the feed tiles
pub mod feeder; // the tape's thread
pub mod setup; // a pair file -> sessions and pairs
pub mod drive; // the threads that step the tiles
pub mod run; // one replay from start to outcome
pub mod record; // decisions and opportunities as lines of JSON
pub mod summary; // the one JSON object at the end
