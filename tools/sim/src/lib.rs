//! Simulated venues: Kalshi and Polymarket as state machines that refuse what the real ones would.
//!
//! It depends on `engine` alone, for units, grids and fee arithmetic. It shares no line with
//! `feeds` and `exec`: a misunderstanding that both sides had would go unseen. Read the modules in
//! this order.

pub mod universe; // which markets exist and who has an account
pub mod venue; // what a venue's state machine hears and says
pub mod matching; // who trades with whom
