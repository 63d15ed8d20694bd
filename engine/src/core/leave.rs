//! Pairs that leave while others trade, and markets whose numbers become free. A pair leaves once
//! nothing of it is open; a market is vacated once no pair has it and all that its feed ever said of
//! it has come. Neither happens by itself: whoever wants it asks until it is told.

use super::mend::NAKED;
use super::{Armed, Core, Outlet, PairRow, PairState};
use crate::event::{Event, PairChange, Report};
use crate::pair::{Direction, Outcome, PairId, PairTable};
use crate::tile::Now;
use crate::top::{MarketId, Top};
use crate::units::{Shares, Usd, Venue};

impl Core {
    /// Takes a pair out of trading at once, and out of the table where nothing of it is open. One
    /// that left before is told again, because events may be lost.
    pub(super) fn on_retire(&mut self, now: Now, id: PairId, out: &mut impl Outlet) {
        self.decision_digest.mix(1 << 60 | u64::from(id.0));
        if id.index() >= self.table.pairs().len() {
            return;
        }
        let told = |change| Event::PairChanged { pair: id, at: now.mono, change };
        if self.table.stop(id) {
            self.guard.stop(id);
            let state = &mut self.states[id.index()];
            state.decides = false;
            state.armed = [Armed::NONE; 2];
            out.event(&told(PairChange::Stopped));
        }
        if self.table.is_live(id) {
            if self.is_open(now, id) {
                return;
            }
            self.unlink(now, id, out);
        }
        out.event(&told(PairChange::Left));
    }

    /// True where something of a pair is under way or held, or was sold and may come back: a trade
    /// that fails leaves what it had closed open again. What its markets hold counts for each of
    /// their pairs: nobody can tell whose it is.
    fn is_open(&self, now: Now, id: PairId) -> bool {
        let state = &self.states[id.index()];
        let stock = &state.stock;
        state.flight.is_some()
            || now.mono < state.final_at
            || self.rows[id.index()].open & NAKED != 0
            || stock.sums() != [Shares::ZERO; 2]
            || stock.cost() != Usd::ZERO
            || state.terms.iter().any(|side| self.is_held(side.market))
    }

    fn is_held(&self, market: MarketId) -> bool {
        let index = market.index();
        match market.venue() {
            Venue::Kalshi => self.net.position_e6(index) != 0,
            Venue::Polymarket => [Outcome::Yes, Outcome::No]
                .into_iter()
                .any(|outcome| self.tokens.balance(index, outcome) != Shares::ZERO),
        }
    }

    /// Takes a pair out of both chains, and empties its place.
    fn unlink(&mut self, now: Now, id: PairId, out: &mut impl Outlet) {
        for direction in Direction::ALL {
            self.note_none(id, direction, now.wall, 0, out);
        }
        let after = self.rows[id.index()].next;
        let terms = self.states[id.index()].terms;
        for side in 0..2 {
            let head = &mut self.heads[side][terms[side].market.index()];
            let mut at = *head;
            if at == id.0 {
                *head = after[side];
            }
            // The number that ends a chain is beyond the last row.
            while let Some(row) = self.rows.get_mut(usize::from(at)) {
                at = row.next[side];
                if at == id.0 {
                    row.next[side] = after[side];
                    break;
                }
            }
        }
        self.rows[id.index()] = PairRow::vacant();
        self.unwatch(id);
        // Nothing that is still reported of it is of the pair that comes next.
        let after = self.last_bundle as u32;
        self.states[id.index()] = PairState { after, ..PairState::vacant() };
        self.guard.leave(id);
        self.table.leave(id);
    }

    /// True where a market may be forgotten whose feed said nothing after its Top of that
    /// generation: no pair has it, nothing of it is held, and that Top came.
    pub fn may_vacate(&self, market: MarketId, generation: u32) -> bool {
        let (side, index) = (market.venue().index(), market.index());
        let empty = self.heads[side].get(index) == Some(&PairTable::END);
        let is_last = |top: &Top| top.generation == generation;
        empty && self.top(market).is_some_and(is_last) && !self.is_held(market)
    }

    /// Forgets a market.
    pub(super) fn on_vacate(&mut self, market: MarketId, generation: u32) {
        let side = market.venue().index();
        self.decision_digest.mix(1 << 60 | 1 << 59 | (side as u64) << 32 | market.index() as u64);
        self.decision_digest.mix(u64::from(generation));
        if self.may_vacate(market, generation) {
            // The next market of that number counts on.
            let top = &mut self.tops[side][market.index()];
            *top = Top::unknown(market);
            top.generation = generation;
        }
    }

    /// The gate of a market has forgotten it as well.
    pub fn on_vacated(&mut self, market: MarketId, generation: u32, out: &mut impl Outlet) {
        let side = market.venue().index();
        self.decision_digest.mix(3 << 59 | 1 << 58 | (side as u64) << 32 | market.index() as u64);
        out.event(&Event::MarketVacated { market, generation });
    }

    /// True where a report is of a bundle from before its pair joined: it is of the pair that had
    /// the place then.
    #[inline]
    pub(super) fn is_of_before(&self, report: &Report) -> bool {
        let state = self.states.get(report.pair.index());
        // The low halves are compared as numbers on a ring: no two bundles that anybody still
        // speaks of are half of it apart.
        state.is_some_and(|state| {
            state.after != 0 && (state.after.wrapping_sub(report.bundle.0 as u32) as i32) >= 0
        })
    }

    /// Books such a report as one of no pair.
    #[cold]
    pub(super) fn on_report_of_before(&mut self, now: Now, report: &Report, out: &mut impl Outlet) {
        self.on_report(now, &Report { pair: PairId(PairTable::END), ..*report }, out);
    }
}

#[cfg(test)]
#[path = "leave_tests.rs"]
mod tests;
