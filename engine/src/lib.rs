//! What Parallax knows about money and books, and nothing about sockets, JSON or keys.
//! Read the modules in this order.

pub mod units; // prices, sizes, money, time: integers with their unit in the type
pub mod tile; // a bounded step of work that is told the time
