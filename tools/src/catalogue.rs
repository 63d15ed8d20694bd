//! What both venues list, which of it is one contract, and who said so. Read the modules in this
//! order.

pub mod moment; // times of both venues -> Unix seconds
mod fields; // fields of JSON, read without trust
pub(crate) mod rules; // digests of rules
pub mod kalshi; // Kalshi's series, events, markets
pub mod polymarket; // Polymarket's events, markets
pub mod beside; // Gamma's tags, sports and teams
pub mod page; // a page of a listing -> what stands on it
pub mod crawl; // whole listings, or what changed in them
pub mod venues; // the venues as the source of a crawl
pub mod offline; // files as the source
pub mod store; // what is known, in one file
pub mod listing; // rows of it -> what a matcher reads
pub mod likeness; // what one approval may cover
pub mod worth; // what a pair would earn on the money that it locks up
pub mod names; // further names that mean the same
pub mod finding; // what the matcher said, in the engine's words
pub mod delays; // how long Polymarket holds marketable orders
pub mod table; // pairs -> the pair table that the engine reads
pub mod discovery; // from catalogues to pairs
