//! A leg of a bundle -> a venue's own order, signed; a venue's answer -> what became of it. Read
//! the modules in this order.

pub mod action; // bought or sold
pub mod token; // a 256-bit id, as text and as the bytes that are signed
pub mod kalshi; // a leg as an order on Kalshi, and its JSON body
pub mod polymarket; // a leg as an order on Polymarket: amounts to sign
pub mod sign; // keys, signatures, and all that is signed
pub mod report; // what an answer, or none, says of an order
