//! The simulated Kalshi from outside: what a client sends, what it gets.
#![allow(clippy::unwrap_used)] // the helpers of tests, too

mod rig; // a venue, members with keys, signed requests
mod orders; // what orders do to books and money
mod refusals; // what is refused, in which words
mod sockets; // commands and frames
mod shapes; // the keys of the protocol's fixtures
mod random; // any requests at all
