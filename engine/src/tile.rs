//! A tile: one job of the engine, stepped by a thread that may own several tiles.

use crate::units::Ns;

/// The time a tile is told; it never reads a clock itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// Monotonic nanoseconds since an arbitrary origin: for durations and deadlines.
    pub mono: Ns,
    /// Unix nanoseconds: for stamps that leave the process. It may step.
    pub wall: Ns,
}

impl Now {
    /// One instant for both clocks, as replay and simulation have it.
    #[inline]
    pub const fn at(ns: Ns) -> Now {
        Now { mono: ns, wall: ns }
    }
}

/// A bounded piece of work, rare housekeeping, and a deadline: idling is decided outside.
///
/// A tile never blocks, reads a clock, spawns, or draws randomness but from the seeded generator
/// it was given, so the same tiles run on pinned threads and under a fake clock.
pub trait Tile {
    /// Thread name and metric prefix.
    const NAME: &'static str;

    /// Does a bounded amount of work and says how many messages it handled; 0 is idle.
    fn step(&mut self, now: Now) -> usize;

    /// Told the time right after a step that did something: for stamps of what it did.
    fn stamp(&mut self, _now: Now) {}

    /// Rare work: publish counters, run slow timers.
    fn housekeep(&mut self, _now: Now) {}

    /// When this tile next has work without new input; lets a fake clock jump there.
    fn next_deadline(&self) -> Option<Ns> {
        None
    }
}
