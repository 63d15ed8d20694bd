//! Kalshi: what its market channels say (kalshi.md sections 2 and 3).

pub mod message; // what a frame can say
