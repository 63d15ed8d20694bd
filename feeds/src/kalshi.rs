//! Kalshi: what its market channels say (kalshi.md sections 2 and 3).

pub mod message; // what a frame can say
pub mod general; // any frame, through a JSON parser
pub mod hint; // what the next frame should begin with
pub mod fast; // the usual delta, without one
pub mod sequence; // which frame is missing
pub mod session; // frames -> books -> tops
