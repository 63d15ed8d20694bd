//! Markets that settle while they are held: contracts go, money comes, and what had been counted as
//! certain is set right where the two venues do not agree on the outcome.

use super::{Core, mend};
use crate::pair::{Outcome, PairId};
use crate::payoff::Settlement;
use crate::risk::Payout;
use crate::units::{Ns, Px, Shares, Usd, Venue};

impl Core {
    /// Books what a venue paid.
    pub(super) fn pay_out(&mut self, payout: &Payout) {
        let Payout { market, outcome, shares, each, paid } = *payout;
        match market.venue() {
            Venue::Kalshi => self.net.sell(market.index(), outcome, shares, paid),
            Venue::Polymarket => self.tokens.sell(market.index(), outcome, shares, paid),
        }
        let side = market.venue().index();
        let (mut left, mut open, mut only, mut count) = (shares, Usd::ZERO, None, 0);
        let mut at = self.heads[side].get(market.index()).copied().unwrap_or(u16::MAX);
        // The number that ends a chain is beyond the last row.
        while let Some(row) = self.rows.get(usize::from(at)) {
            let id = PairId(at);
            at = row.next[side];
            (only, count) = (Some(id), count + 1);
            let state = &mut self.states[id.index()];
            if market.venue() == Venue::Polymarket {
                // What a market pays for is there: no trade in it can fail any more.
                state.final_at = Ns(0);
            }
            let lot = state.stock.take(side, outcome, left);
            left = left.saturating_sub(lot.shares);
            let pays = worth(each, lot.shares);
            open += pays;
            self.inventory -= lot.cost;
            self.figures.realised += pays - lot.cost;
            // Nothing can be closed against a market that is over.
            if state.naked().1 == Shares::ZERO {
                self.rows[id.index()].open &= !mend::NAKED;
                self.unwatch(id);
            }
            self.risk(id, Usd::ZERO - lot.cost);
        }
        // What lay hedged had been counted as a dollar with its counterpart.
        let mut counted = paid - open;
        if let Some(only) = only.filter(|_| count == 1) {
            let wrong = self.surprise(only, side, outcome, each, left);
            self.figures.realised += wrong;
            counted -= wrong;
        }
        self.settled += counted;
    }

    /// What hedged contracts paid beyond what the other side's settlement made them worth: nothing,
    /// unless the two venues judged one event differently, or one called it void.
    fn surprise(
        &mut self,
        pair: PairId,
        side: usize,
        outcome: Outcome,
        each: Px,
        hedged: Shares,
    ) -> Usd {
        let state = &mut self.states[pair.index()];
        let pays = state.stock.pays(side, outcome);
        let yes = if pays == Outcome::Yes { each } else { each.complement() };
        state.worth[side] = yes.e4();
        let Some(other) = Px::new(state.worth[1 - side]) else { return Usd::ZERO };
        worth(each, hedged) - Settlement::split(other).pays(pays, hedged)
    }
}

fn worth(each: Px, shares: Shares) -> Usd {
    Settlement::split(each).pays(Outcome::Yes, shares)
}

#[cfg(test)]
#[path = "payout_tests.rs"]
mod tests;
