//! Tapes, replay, reports and the subcommands of `parallax`.

pub mod tape;
pub mod model; // a seeded pair of venues, which writes the demonstration tape
