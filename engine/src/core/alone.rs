//! Who watches that what lies on one side alone is closed in time. Whatever keeps it open (an order
//! whose fate is unknown, a gate that takes none, a book that is not sound, a kill), somebody is told
//! by then. It knows recorded time alone, so that a replay tells the same.

use super::{Core, Outlet};
use crate::event::{Event, Risk};
use crate::pair::PairId;
use crate::units::{Ns, Qty};

/// So long may contracts lie on one side alone before somebody is told.
pub const ALONE_MAX: Ns = Ns::from_ms(5_000);

/// Pairs that are watched at once. They are few: a leg is mostly alone for a moment. Where more are,
/// somebody should look anyway, and is told at once.
const WATCHED_MAX: usize = 128;

/// Nothing is due.
const NEVER: Ns = Ns(u64::MAX);

/// The bit of what was told of a pair.
pub(super) const TOLD: u32 = 1 << Risk::Unhedged as u32;

/// Pairs that hold something on one side alone, and when somebody is told.
pub(super) struct Alone {
    list: [(PairId, Ns); WATCHED_MAX],
    count: usize,
    due: Ns,
}

impl Alone {
    pub(super) const NONE: Alone =
        Alone { list: [(PairId(0), NEVER); WATCHED_MAX], count: 0, due: NEVER };

    /// When somebody is told next; monotonic.
    #[inline]
    pub(super) const fn due(&self) -> Ns {
        self.due
    }

    /// Watches a pair from now on, where nobody does yet; false where there is no room.
    fn begin(&mut self, pair: PairId, until: Ns) -> bool {
        if self.list[..self.count].iter().any(|(it, _)| *it == pair) {
            return true;
        }
        let Some(place) = self.list.get_mut(self.count) else { return false };
        *place = (pair, until);
        self.count += 1;
        self.due = self.due.min(until);
        true
    }

    fn end(&mut self, pair: PairId) {
        if let Some(at) = self.list[..self.count].iter().position(|(it, _)| *it == pair) {
            self.remove(at);
        }
    }

    fn remove(&mut self, at: usize) -> PairId {
        let pair = self.list[at].0;
        self.count -= 1;
        self.list.swap(at, self.count);
        self.due = self.list[..self.count].iter().map(|(_, due)| *due).min().unwrap_or(NEVER);
        pair
    }

    /// A pair whose time is up.
    fn take_due(&mut self, now: Ns) -> Option<PairId> {
        let at = self.list[..self.count].iter().position(|(_, due)| *due <= now)?;
        Some(self.remove(at))
    }
}

impl Core {
    /// What a pair holds on one side alone may have changed.
    pub(super) fn watch(&mut self, now: Ns, id: PairId, out: &mut impl Outlet) {
        let Some(state) = self.states.get(id.index()) else { return };
        if self.config.repair.is_none() {
            return; // It is meant to stay.
        }
        if state.naked().1.floor_qty() == Qty::ZERO {
            self.unwatch(id);
        } else if state.tripped & TOLD == 0 && !self.alone.begin(id, now.after(ALONE_MAX)) {
            self.tell_alone(now, id, out);
        }
    }

    /// Nothing lies alone any more, or some of what somebody was told of was closed: told again where
    /// the rest stays.
    pub(super) fn unwatch(&mut self, id: PairId) {
        self.alone.end(id);
        self.states[id.index()].tripped &= !TOLD;
    }

    /// Somebody is told, once.
    #[cold]
    pub(super) fn tell_alone(&mut self, at: Ns, pair: PairId, out: &mut impl Outlet) {
        self.alone.end(pair);
        let tripped = &mut self.states[pair.index()].tripped;
        if *tripped & TOLD == 0 {
            *tripped |= TOLD;
            out.event(&Event::RiskTripped { pair, at, risk: Risk::Unhedged });
        }
    }

    /// Tells of every pair whose time is up.
    #[cold]
    pub(super) fn tell_due(&mut self, now: Ns, out: &mut impl Outlet) {
        while let Some(pair) = self.alone.take_due(now) {
            self.tell_alone(now, pair, out);
        }
    }
}

#[cfg(test)]
#[path = "alone_tests.rs"]
mod tests;
