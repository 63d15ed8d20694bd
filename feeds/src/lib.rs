//! Wire bytes -> order books -> tops. Read the modules in this order.

pub mod error; // why a frame was refused
pub mod json; // bytes -> values, in reused buffers
pub mod kalshi;
pub mod level; // lists of prices and sizes
pub mod number; // decimal text -> integers
pub mod polymarket;
