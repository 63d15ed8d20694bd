//! All that is signed, and the only place that holds keys. Read the modules in this order.
//!
//! No type that holds a key has `Debug`, `Clone` or a way to read the key back.

pub mod text; // digits, hex and lines of a known length
pub mod rng; // the seeded generator of salts
pub mod key; // key files and texts -> keys
pub mod stamps; // no two requests with one stamp
pub mod kalshi; // headers of Kalshi
pub mod pool; // headers of Kalshi, signed ahead
pub mod address; // accounts of Polymarket, and the wallets that follow from a key
pub mod eip712; // typed data -> the digest that is signed
pub mod position; // which exchange an id belongs to
pub mod order; // an order as the struct that is signed and the JSON that is sent
pub mod polymarket; // orders signed by the wallet's key
pub mod l1; // headers that prove the wallet
pub mod l2; // headers of every private request
