//! Wire bytes -> order books -> tops. Read the modules in this order.

pub mod fitness; // what is said of a book from outside
pub mod sink; // what comes out
pub mod figures; // what was counted
pub mod error; // why a frame was refused
pub mod number; // decimal text -> integers
pub mod json; // a parsed frame, walked without allocating
pub mod level; // lists of levels
pub mod wide; // wide looks at bytes: the only `unsafe` here
pub mod shape; // which byte may stand where
pub mod scan; // a cursor that proves each step
pub mod registry; // a market's name -> its number
pub mod market; // trust, crossing, publishing: alike on both venues
pub mod kalshi;
pub mod polymarket;
pub mod feed; // the tile: frames in, tops and controls out
pub mod controls; // what a venue says of its fees -> rules
pub mod listed; // what a venue lists anew -> a word
pub mod transport; // bytes from and to a venue: TLS, WebSocket
pub mod live; // sockets, subscriptions and recovery around a session
