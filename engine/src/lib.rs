//! What Parallax knows about money and books, and nothing about sockets, JSON or keys.
//!
//! Read the modules in this order: units, grid, book, slab, top; pair, fee, edge, size, event, order,
//! ledger, core, paper; tile.

pub mod book; // one instrument's book: arrays by price step, occupancy bitmaps
pub mod core; // Tops in, candidates, episodes, decisions and their accounts out
pub mod digest; // a number over everything that was computed, to compare two runs by
pub mod edge; // what one contract of each direction earns at the best levels
pub mod event; // everything that happens, as plain values
pub mod fee; // what the venues charge, to the micro-dollar
#[cfg(test)]
mod fixture; // pairs, books and a recording outlet for tests
pub mod flight; // a bundle between its decision and the end of its last order
pub mod grid; // which prices a market knows
pub mod ledger; // cash and positions, one type for each way to hold them
pub mod order; // the states of an order and the only ways between them
pub mod overlay; // what paper orders have already bought of the visible depth
pub mod pair; // which two markets are one event, and their rules as values
pub mod paper; // bundles fill against the books that stand when their orders take effect
pub mod size; // how much to buy of both legs
pub mod slab; // the memory of all books, laid out at start
pub mod tile; // a bounded step of work that is told the time
pub mod top; // the best four levels of a market in one cache line
pub mod units; // prices, sizes, money, time: integers with their unit in the type
