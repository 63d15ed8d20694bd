//! Rules that change while markets trade: new terms, new edges, and what follows from them.

use super::arm::Armed;
use super::{Core, KNOWN, Outlet};
use crate::edge::{Quote, edges};
use crate::event::{Control, Event, PairChange};
use crate::fee::OneFee;
use crate::grid::Grid;
use crate::pair::{FeeRule, PairId, Polarity};
use crate::tile::Now;
use crate::top::MarketId;
use crate::units::Ns;

impl Core {
    /// Takes in a change of rules, and evaluates the pairs that it touches by the books that
    /// stand: an opportunity may begin or end, and a decision may follow.
    #[cold]
    pub fn on_control(&mut self, now: Now, control: &Control, out: &mut impl Outlet) {
        match *control {
            Control::Fee { market, fee } => self.on_fee(now, market, fee, out),
            Control::Grid { market, grid } => self.on_grid(now, market, &grid, out),
            Control::Close { market, at } => self.on_close(now, market, at, out),
            Control::Join(listing) => self.on_listing(now, &listing, out),
            Control::Retire(pair) => self.on_retire(now, pair, out),
            Control::Vacate { market, generation } => self.on_vacate(market, generation),
            Control::EndOfFrame => {}
        }
    }

    /// Limit prices come from the books, which lie on the new grid from now on; what was asked to
    /// be signed ahead may not.
    fn on_grid(&mut self, now: Now, market: MarketId, grid: &Grid, out: &mut impl Outlet) {
        let side = market.venue().index();
        let Some(mut at) = self.heads[side].get(market.index()).copied() else { return };
        while let Some(row) = self.rows.get(usize::from(at)) {
            let id = PairId(at);
            at = row.next[side];
            let state = &mut self.states[id.index()];
            state.terms[side].tick = grid.coarsest();
            state.armed = [Armed::NONE; 2];
            out.event(&Event::PairChanged { pair: id, at: now.mono, change: PairChange::Grid });
        }
    }

    /// Nothing is opened from a market's close on, wherever it moved to.
    fn on_close(&mut self, now: Now, market: MarketId, at: Ns, out: &mut impl Outlet) {
        let (side, index) = (market.venue().index(), market.index());
        self.decision_digest.mix(1 << 57 | (side as u64) << 32 | index as u64);
        self.decision_digest.mix(at.0);
        if !self.guard.close(market, at) {
            return;
        }
        let Some(mut at) = self.heads[side].get(index).copied() else { return };
        while let Some(row) = self.rows.get(usize::from(at)) {
            let (pair, change) = (PairId(at), PairChange::Close);
            at = row.next[side];
            out.event(&Event::PairChanged { pair, at: now.mono, change });
        }
    }

    fn on_fee(&mut self, now: Now, market: MarketId, fee: Option<FeeRule>, out: &mut impl Outlet) {
        self.mix_fee(market, fee);
        let side = market.venue().index();
        let Some(mut at) = self.heads[side].get(market.index()).copied() else { return };
        // The number that ends a chain is beyond the last row.
        while let Some(row) = self.rows.get(usize::from(at)) {
            let id = PairId(at);
            at = row.next[side];
            self.charge(now, id, side, fee, out);
        }
    }

    /// Gives one side of a pair another fee; one that it has already changes nothing.
    fn charge(
        &mut self,
        now: Now,
        id: PairId,
        side: usize,
        fee: Option<FeeRule>,
        out: &mut impl Outlet,
    ) {
        let Some(pair) = self.table.get(id) else { return };
        let state = &mut self.states[id.index()];
        let rule = fee.unwrap_or_else(|| pair.sides[side].fee.without_override());
        if state.terms[side].fee == rule {
            return;
        }
        state.terms[side].fee = rule;
        state.decides =
            pair.verdict.may_decide() && state.terms.iter().all(|terms| terms.fee.is_known());
        let row = &mut self.rows[id.index()];
        row.fees[side] = OneFee::new(rule);
        out.event(&Event::PairChanged { pair: id, at: now.mono, change: PairChange::Fee });
        let top = &self.tops[side][state.terms[side].market.index()];
        let polarity = if side == 0 { Polarity::Same } else { row.polarity };
        row.quotes[side] = Quote::of(top, row.fees[side], polarity);
        row.edges = edges(row.quotes[0], row.quotes[1]);
        if row.status & KNOWN == KNOWN {
            self.look_at(now, id, side, out);
        }
    }

    /// Evaluates a pair whose rules, not books, changed.
    pub(super) fn look_at(&mut self, now: Now, id: PairId, side: usize, out: &mut impl Outlet) {
        let edges = self.rows[id.index()].edges;
        let [yes, no, both] = edges.map(|edge| u64::from(edge as u32));
        self.figures.evaluations += 1;
        self.edge_digest.mix(no << 32 | yes);
        self.edge_digest.mix(both << 32 | u64::from(id.0));
        self.attend(now, id, side, now.wall, out);
    }

    fn mix_fee(&mut self, market: MarketId, fee: Option<FeeRule>) {
        let digest = &mut self.decision_digest;
        let (kind, number) = match fee {
            None => (0, 0),
            Some(FeeRule::Quadratic { multiplier_e6 }) => (1, multiplier_e6),
            Some(FeeRule::Curve { rate_e6, exponent }) => (0x100 | u64::from(exponent), rate_e6),
            Some(FeeRule::Unknown) => (2, 0),
        };
        digest.mix((market.venue() as u64) << 32 | market.index() as u64);
        digest.mix(kind << 32 | u64::from(number));
    }
}

#[cfg(test)]
#[path = "control_tests.rs"]
mod tests;
