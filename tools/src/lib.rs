//! Tapes, replay, reports and the subcommands of `parallax`.

pub mod recorder; // taps -> a tape that a run can be repeated from
pub mod tape; // recorded frames: files in and out
pub mod model; // a seeded pair of venues, which writes the demonstration tape
pub mod pairs; // the pair table
pub mod digest; // a digest of every book, to compare with other programs
pub mod decimal; // amounts as people write them
pub mod config; // a file, a `.env` and the environment -> types, once
pub mod crash; // the process kills itself where a test wants it
pub mod rest; // slow requests to both venues
pub mod catalogue; // what both venues list, and which of it is one contract
pub mod discover; // catalogues in, pairs out
pub mod pairs_command; // pairs, read and decided on by a person
pub mod match_eval; // how good the matching of markets is
pub mod silence; // questions that get no answer
pub mod crosscheck; // books of the feeds beside those of REST
pub mod account; // both accounts by hand: money, positions, single orders
pub mod state; // what outlives a run: the kill latch, and what today came to
pub mod journal; // the engine's own: whose it is, recovery, what the venues say to it
pub mod topology; // every ring and every thread of a run
pub mod replay; // recorded frames through the shipped tiles
pub mod run; // trading: what a run is, how it is driven, and how it is repeated
pub mod chaos; // everything that can go wrong, from a seed
pub mod demo; // a market that needs no key and no network
pub mod sim_command; // the simulated venues on loopback
pub mod report; // what a run leaves behind
pub mod host; // facts of the machine
pub mod doctor; // what of the host helps or hurts
pub mod jitter; // how often the host interrupts a core
pub mod stdout; // printing to a reader who may leave
