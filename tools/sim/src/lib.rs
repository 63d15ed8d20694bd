//! Simulated venues: Kalshi and Polymarket as state machines that refuse what the real ones would.
//!
//! It depends on `engine` alone, for units, grids and fee arithmetic. It shares no line with
//! `feeds` and `exec`: a misunderstanding that both sides had would go unseen. Read the modules in
//! this order.

// A market in the catalogue has more fields than `json!` expands by default.
#![recursion_limit = "256"]

pub mod universe; // which markets exist and who has an account
pub mod venue; // what a venue's state machine hears and says
pub mod matching; // who trades with whom
pub mod kalshi; // the one venue
pub mod polymarket; // the other
pub mod rng; // chance, from a seed
pub mod cast; // made-up markets, and the pair file of them
pub mod almanac; // what else both venues list, and what of it is equal
pub mod accounts; // keys of the one trader
pub mod model; // the market that moves both books
pub mod fault; // what goes wrong, and when
pub mod host; // what a front asks of what is behind it
pub mod ledger; // what survives
pub mod world; // venues, market and faults together
pub mod ca; // certificates that clients can trust
pub mod front; // TLS, HTTP and WebSocket
