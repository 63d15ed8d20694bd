//! Tapes, replay, reports and the subcommands of `parallax`.

pub mod tape;
