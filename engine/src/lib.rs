//! What Parallax knows about money and books, and nothing about sockets, JSON or keys.
//! Read the modules in this order.

pub mod units; // prices, sizes, money, time: integers with their unit in the type
pub mod grid; // which prices a market knows
pub mod book; // one instrument's book: arrays by price step, occupancy bitmaps
pub mod slab; // the memory of all books, laid out at start
pub mod top; // the best four levels of a market in one cache line
pub mod pair; // which two markets are one event, and their rules as values
pub mod fee; // what the venues charge, to the micro-dollar
pub mod edge; // what one contract of each direction earns at the best levels
pub mod size; // how much to buy of both legs
pub mod event; // everything that happens, as plain values
pub mod budget; // what the venues let us send, taken for both legs at once
pub mod lanes; // how many orders a gate can send at once
pub mod order; // the states of an order and the only ways between them
pub mod flight; // the bundle in flight of a pair
pub mod stock; // what one leg holds without the other, and how it cancels out
pub mod payoff; // what contracts pay, and the worst that open orders can come to
pub mod luck; // how sure and fast orders were, and which leg leaves first
pub mod repair; // what the ways out of it are worth
pub mod ledger; // positions: one signed number a market, or two balances
pub mod risk; // what may be at stake, how often and when; the same for the core and the gates
pub mod digest; // a number over everything that was computed, to compare two runs by
pub mod core; // Tops in, candidates, episodes, decisions and their accounts out
pub mod overlay; // what paper orders took out of the books that are shown
pub mod paper; // paper venues: orders filled against the depth that stands some time later
pub mod core_tile; // the rings into it, taken in an order that is data
pub mod input; // what the core takes in, as bytes that can be played again
pub mod desk; // the core with venues behind it, on paper or real, driven by inputs alone
pub mod view; // what a person is shown of a running core
pub mod inject; // a test arbitrage, shown to a core that trades on paper
pub mod live_tile; // the rings into and out of a core that trades
pub mod tap; // raw frames and inputs on their way to the recorder, which may never slow a tile
pub mod tile; // a bounded step of work that is told the time
pub mod clock; // where thread drivers, and they alone, read the time
pub mod idle; // what a thread does without work, and why
pub mod pin; // threads to cores, checked
pub mod latency; // histograms of each stage that never grow
#[cfg(test)]
mod fixture; // pairs, books and a recording outlet for tests
