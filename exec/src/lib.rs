//! A leg of a bundle -> a venue's own order, signed; a venue's answer -> what became of it. Read
//! the modules in this order.

pub mod action; // bought or sold
pub mod token; // a 256-bit id, as text and as the bytes that are signed
pub mod kalshi; // a leg as an order on Kalshi, and its JSON body
pub mod polymarket; // a leg as an order on Polymarket: amounts to sign
pub mod sign; // keys, signatures, and all that is signed
pub mod terms; // what an order must know of its market
pub mod armed; // orders made ready to the last byte, each fired at most once
pub mod armory; // makes them, ahead of need or on the spot
pub mod signer; // the tile that keeps headers and orders ready
pub mod report; // what an answer, or none, says of an order
pub mod id; // names of orders and trades
pub mod http; // requests and answers
pub mod backoff; // when to try again
pub mod pool; // warm connections
#[cfg(test)]
mod script; // connections that follow a script
pub mod json; // fields of answers and messages
pub mod private; // what a venue says of our orders and trades
pub mod answer; // what a venue answers to an order
pub mod request; // requests as whole bytes
pub mod journal; // what must survive a crash, on disk before it matters
pub mod gate; // the tile between the core and a venue
