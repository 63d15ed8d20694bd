//! Polymarket: what its market channel says (polymarket.md section 2).

pub mod message; // what an object of a frame can say
