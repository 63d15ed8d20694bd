//! Tapes, replay, reports and the subcommands of `parallax`.

pub mod doctor; // what of the host helps or hurts
pub mod host; // facts of the machine
pub mod jitter; // how often the host interrupts a core
pub mod report; // what a run leaves behind
