//! Tapes, replay, reports and the subcommands of `parallax`.

pub mod pairs; // which markets are one event, as a file states it
pub mod tape; // what the sockets said, frame by frame
