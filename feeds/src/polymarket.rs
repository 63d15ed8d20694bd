//! Polymarket: what its market channel says (polymarket.md section 2).

pub mod general; // any key order, any white space: bytes -> objects
pub mod hash; // the book hash, a sampling audit
pub mod message; // what an object of a frame can say
