//! Wire bytes -> order books -> tops. Read the modules in this order.

pub mod error; // why a frame was refused
pub mod kalshi;
pub mod number; // decimal text -> integers
pub mod polymarket;
