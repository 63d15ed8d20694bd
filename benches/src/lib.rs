//! Benchmarks of the shipped code on recorded bytes. Read the modules in this order.

pub mod frames; // frame texts, back to back
pub mod corpus; // markets, books and the hot frames of a benchmark
pub mod generate; // the same in kind, where the recorded files are absent
pub mod pipeline; // frame text in, decision out: what is measured
pub mod baseline; // the same job the ordinary way
pub mod case; // what can be measured, one message at a time
pub mod alloc; // counts what the heap is asked for
pub mod callgrind; // counts instructions
pub mod time; // counts nanoseconds
pub mod fold; // best prices as one number
pub mod memory; // bytes of a pair
pub mod ring; // a hop between two threads
pub mod messages; // both venues' messages, for parsing alone
pub mod replay; // the shipped replay against parsing and reading alone
pub mod accounts; // made-up keys and the orders that they sign
pub mod sign; // signing, and taking what was signed ahead
pub mod fire; // a bundle in, the bytes of its order out
pub mod wire; // a frame on one socket to an order on another, beside an echo
pub mod matching; // two catalogues into pairs, and the ordinary way beside it
pub mod figures; // what came out, and what it should be
pub mod gate; // what was reached before
pub mod run; // the measurements in order
