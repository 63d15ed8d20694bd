//! Pairs that join while markets trade. All their memory was taken at the start.

use super::{Core, Outlet, PairRow, PairState};
use crate::event::{Event, PairChange};
use crate::pair::{Listing, PairTable};
use crate::tile::Now;

impl Core {
    /// Takes a pair in, and looks at it by the books that stand. One that does not come in its
    /// turn, or for which no place is left, changes nothing, and that is said: who asked for it
    /// counts on it.
    pub(super) fn on_listing(&mut self, now: Now, listing: &Listing, out: &mut impl Outlet) {
        if !self.lists(now, listing, out) {
            let (pair, change) = (listing.pair, PairChange::Refused);
            out.event(&Event::PairChanged { pair, at: now.mono, change });
        }
    }

    /// Takes a pair in; false where it is refused.
    fn lists(&mut self, now: Now, listing: &Listing, out: &mut impl Outlet) -> bool {
        let known = listing.sides.map(|it| {
            let side = it.market.venue().index();
            self.heads[side].get(it.market.index()).copied()
        });
        let [Some(first), Some(second)] = known else { return false };
        // A market has one set of terms: those in force. The table keeps the pair's own, which come
        // back when what overrides them ends.
        let mut terms = listing.sides;
        for (side, head) in [first, second].into_iter().enumerate() {
            if let Some(state) = self.states.get(usize::from(head)) {
                terms[side] = state.terms[side];
            }
        }
        if !self.table.list(listing) {
            return false;
        }
        let id = listing.pair;
        self.decision_digest.mix(1 << 61 | u64::from(id.0));
        for (side, it) in listing.sides.iter().enumerate() {
            self.decision_digest.mix((side as u64) << 32 | it.market.index() as u64);
            let head = &mut self.heads[side][it.market.index()];
            if *head == PairTable::END {
                *head = id.0;
            }
        }
        // The table put it at the end of both chains.
        let mut chains = [first, second];
        for (side, at) in chains.iter_mut().enumerate() {
            while let Some(row) = self.rows.get_mut(usize::from(*at)) {
                *at = row.next[side];
                if row.next[side] == PairTable::END {
                    row.next[side] = id.0;
                }
            }
        }
        let decides = listing.verdict.may_decide() && terms.iter().all(|it| it.fee.is_known());
        let mut row = PairRow::new(&terms, listing.polarity, [PairTable::END; 2]);
        row.reprice::<0>(&self.tops[0][listing.sides[0].market.index()]);
        row.reprice::<1>(&self.tops[1][listing.sides[1].market.index()]);
        self.rows[id.index()] = row;
        let mut state = PairState::new(terms, listing.polarity, decides, listing.event);
        state.after = self.last_bundle as u32;
        self.states[id.index()] = state;
        self.guard.list(listing);
        out.event(&Event::PairChanged { pair: id, at: now.mono, change: PairChange::Joined });
        // Books that stand were made for the market's other pairs.
        if self.rows[id.index()].status & super::KNOWN == super::KNOWN {
            self.look_at(now, id, 0, out);
        }
        true
    }
}

#[cfg(test)]
#[path = "join_tests.rs"]
mod tests;
