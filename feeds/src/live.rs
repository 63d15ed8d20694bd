//! Live feeds: connections, subscriptions, heartbeats and recovery around a venue's session.
//!
//! A venue's markets are spread over connections (lines), so that what goes wrong on one of them
//! concerns its own books only. Every market is on one line: redundant lines of which the first
//! copy of each message wins are not built. Kalshi's changes are differences that are counted by
//! connection, so a book cannot take one message from here and the next one from there.

pub mod backoff; // when to try again
pub mod login; // what a connection says at the door
pub mod figures; // what was counted
pub mod network; // how connections are made
pub mod line; // one connection, from dialling to its end
pub mod rescue; // books that must be asked for
pub mod arrival; // markets that come while it runs
pub mod dialect; // what differs between venues
pub mod kalshi;
pub mod polymarket;
pub mod hearing; // when to ask which markets trade
pub mod ears; // what a session says that concerns its connections
pub mod tile; // all of it, stepped by a thread

pub use login::Login;
pub use network::Network;
pub use tile::{Ends, LiveFeed, Options, Pace};
