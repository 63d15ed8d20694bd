//! Kalshi: what its market channels say (kalshi.md sections 2 and 3).

pub mod general; // any key order, any white space: bytes -> message
pub mod message; // what a frame can say
