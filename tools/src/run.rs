//! Trading, on paper or for real. Read the modules in this order.

pub mod legs; // how one-sided fills are closed
pub mod risk; // what may be at stake, as values that a tape carries
pub mod spec; // how a run is set up, as values that its tape carries
pub mod threads; // each steps its tiles and tells them the time
pub mod story; // what happened, folded from events
pub mod screen; // the live view in a terminal
pub mod repeat; // a run again, from its own tape
pub mod audit; // our books against the simulated ledgers
pub mod summary; // what a run came to
pub mod doors; // where the venues are, and who we are there
pub mod gates; // accounts, terms, signers and gates
pub mod approvals; // what Polymarket may take from the wallet
pub mod shards; // what lies on Kalshi's shards
pub mod assemble; // a configuration and a spec -> tiles with rings
pub mod brakes; // how it is stopped and armed from outside
pub mod pedals; // the thread that does it
pub mod trade; // one run from its first connection to its last report
pub mod discovered; // pairs that it finds by itself
pub mod joins; // how those reach every tile while it lasts
pub mod child; // the simulated venues in a process of their own
pub mod clocks; // how far the clock is off while a run goes on
pub mod command; // `parallax run` and `parallax record`
pub mod inject; // an arbitrage on request
pub mod reported; // the page that a run leaves
