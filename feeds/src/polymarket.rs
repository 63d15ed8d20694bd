//! Polymarket: what its market channel says (polymarket.md section 2).

pub mod message; // what an object of a frame can say
pub mod general; // any frame, through a JSON parser
pub mod fast; // the usual price_change, without one
pub mod hash; // the venue's hash of a book
pub mod session; // frames -> books -> tops
