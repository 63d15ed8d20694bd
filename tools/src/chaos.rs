//! `parallax chaos`: the shipped tiles on one thread under a clock that jumps, against simulated
//! venues in memory, while everything goes wrong that a seed can think of. Read the modules in
//! this order.
//!
//! What is simulated: the network (bytes in memory, under the shipped HTTP and WebSocket code, so
//! that faults cut inside of frames), both venues (the state machines of the `sim` crate), the
//! host's clocks and processor. What is not: TLS, the operating system, and time itself.

pub mod pipe; // a connection: bytes that take their time
pub mod net; // how the tiles reach the venues through pipes
pub mod spoil; // what a feed says that it should not
pub mod fabric; // the venues' end, and what the network does
pub mod door; // the door before the venues, for revoked keys
pub mod plan; // what a seed stands for
pub mod trader; // the shipped tiles and their rings
pub mod books; // how a process asks the venues for its figures
mod figures; // the comparison that goes on while it runs
mod glance; // that of its books
pub mod checks; // what must hold after every event
pub mod naked; // what one leg filled alone, and its bound
pub mod stakes; // what may be at stake at most
pub mod chances; // what becomes of opportunities
pub mod disk; // the disk under the journal
pub mod watch; // what was durable before it left
pub mod owner; // whose keys they are: one engine, and no file that others read
pub mod doubt; // a venue that does not know our key
pub mod latch; // what waits for a person
pub mod tail; // what happened last
pub(crate) mod process; // a start: the journal is read, the venues are asked
pub mod mishap; // what is done to a simulation from outside
pub mod seed; // one seed from its first event to its verdict
pub mod command; // many of them, on all cores
#[cfg(test)]
mod fixture; // what its tests tell it
