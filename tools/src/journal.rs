//! The engine's journal around the tile that writes it: whose it is, what a run begins with, what
//! a crash left open, and what the venues say to it. Read the modules in this order.

pub mod lock; // one engine an account
pub mod prune; // what no start needs any more
pub mod keep; // the journal of a folder: read, cut, ready to be gone on with
pub mod opening; // what a run begins with, as records
pub mod truth; // what both venues say
pub mod listed; // the same, found by id
pub mod payouts; // markets that settled
pub mod judge; // the journal against the venues, without a socket
pub mod recover; // asks until all is known, or says what is not
mod settling; // markets that settle while a run goes on
mod figure; // one figure of ours beside a venue's
pub mod compare; // the same while a run goes on
pub mod start; // all of that, before a run
pub mod command; // `parallax journal`
