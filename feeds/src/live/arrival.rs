//! Markets that come and go while a feed runs.

use engine::top::MarketId;
use rtrb::{Consumer, Producer};

use crate::market::AddError;

/// Markets on their way to a feed, and its answers: those that one look at both catalogues finds
/// come after each other, never more than so many at a time.
pub const ARRIVAL_RING_DEPTH: usize = 16;

/// A market that comes, and how the tape tells of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrival<M> {
    /// What the session must know of it.
    pub market: M,
    /// Written to the tape before its first frame, so that whoever plays that can add it too.
    pub note: Box<[u8]>,
}

/// A feed's ends of the rings by which markets come.
pub struct Arrivals<M> {
    /// Each takes the next number of the venue.
    pub coming: Consumer<Arrival<M>>,
    /// The number that each took, or why it was not added; in their order.
    pub answers: Producer<Result<MarketId, AddError>>,
    /// Markets that go, and numbers that are free again.
    pub going: Consumer<Going>,
    /// The same, with the generation of the market's last Top; in their order.
    pub gone: Producer<(Going, u32)>,
}

/// A market that goes: first it is retired, and once everybody has forgotten it, its number is free
/// for another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Going {
    /// It is not subscribed to any more.
    Retire(MarketId),
    /// Nothing of it is under way any more.
    Vacate(MarketId),
}
