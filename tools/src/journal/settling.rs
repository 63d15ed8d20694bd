//! Markets of Polymarket of which less is there than a run believes: when it may say that they were
//! paid for. That is decided for each market alone. One answer proves little, because a balance that
//! lost its content reads as nothing, and money moves for other reasons too: what several answers in
//! a row say counts, and for a void market the money that came since it was still there.

use std::collections::{BTreeMap, VecDeque};

use engine::risk::Payout;
use engine::top::MarketId;
use engine::units::{Usd, Venue};

use super::payouts::Claim;

/// So many answers in a row that nothing is there, of a market that has a winner, are believed
/// whatever the money says. Fewer than make a difference that stops trading.
const ZEROS: u32 = 3;

/// Answers before a market's tokens went that its money is told against.
const BASES_MAX: usize = 8;

/// What one answer says of a market of which nothing is there, though something is believed to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Missing {
    /// The market.
    pub(super) market: MarketId,
    /// What is believed, YES and NO; 1e-6.
    pub(super) shares: [i64; 2],
    /// It was told as a difference before: other hands may have sold it.
    pub(super) is_known: bool,
}

/// One of them, as long as it lasts.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Gone {
    last: Missing,
    zeros: u32,
    /// Money that nothing explained while its tokens were still there.
    bases: Vec<Usd>,
}

impl Gone {
    /// True where the answers are proof enough that `paid` came for it.
    fn lasts(&self, now: Usd, paid: Usd) -> bool {
        let came = self.bases.iter().any(|base| now - *base >= paid);
        self.zeros >= ZEROS && (came || !self.last.is_known)
    }

    /// True where `paid` is what came, to the micro-dollar, since the market's tokens went.
    fn brought(&self, now: Usd, paid: Usd) -> bool {
        paid > Usd::ZERO && self.bases.iter().any(|base| now - *base == paid)
    }
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Settling {
    gone: BTreeMap<MarketId, Gone>,
    /// Money that nothing explained, after the last answers.
    unexplained: VecDeque<Usd>,
}

impl Settling {
    /// Takes in an answer: what is missing, what would have been paid for that, and by how much the
    /// venue's money is more than is believed, in all and beyond what is known. Returns what may be
    /// booked.
    pub(super) fn hear(
        &mut self,
        missing: &[Missing],
        claims: Vec<Claim>,
        [moved, news]: [Usd; 2],
    ) -> Vec<Payout> {
        self.look(missing);
        let (mut kalshi, mut here): (Vec<Claim>, Vec<Claim>) =
            claims.into_iter().partition(|claim| claim.market.venue() == Venue::Kalshi);
        let all: Usd = here.iter().map(Claim::paid).sum();
        let (is_there, is_exact) = (news >= all, news == all);
        let mut left = moved;
        let mut booked = Vec::new();
        here.retain(|claim| {
            let paid = claim.paid();
            let lasts = self.gone.get(&claim.market).is_some_and(|gone| gone.lasts(left, paid));
            // No money is no evidence.
            let shows = paid > Usd::ZERO && is_there;
            let is_paid = if claim.is_void() { shows && is_exact } else { shows || lasts };
            if is_paid {
                left -= paid;
                booked.push(claim.clone());
            }
            !is_paid
        });
        here.retain(Claim::is_void);
        let voids: Usd = here.iter().map(Claim::paid).sum();
        let mut brought = Usd::ZERO;
        for claim in here {
            let gone = self.gone.get(&claim.market);
            let came = |gone: &Gone| gone.brought(left, claim.paid()) || gone.brought(left, voids);
            if gone.is_some_and(came) {
                brought += claim.paid();
                booked.push(claim);
            }
        }
        self.unexplained.push_back(left - brought);
        if self.unexplained.len() > BASES_MAX {
            self.unexplained.pop_front();
        }
        kalshi.append(&mut booked);
        for claim in &kalshi {
            self.gone.remove(&claim.market);
        }
        kalshi.into_iter().flat_map(|claim| claim.payouts).collect()
    }

    /// A market's number is another one's from now on.
    pub(super) fn forget(&mut self, market: MarketId) {
        self.gone.remove(&market);
    }

    fn look(&mut self, missing: &[Missing]) {
        let is_missing = |market: &MarketId| missing.iter().any(|it| it.market == *market);
        self.gone.retain(|market, _| is_missing(market));
        for it in missing {
            let bases = std::iter::once(Usd::ZERO).chain(self.unexplained.iter().copied());
            let fresh = || Gone { last: *it, zeros: 0, bases: bases.collect() };
            let gone = self.gone.entry(it.market).or_insert_with(fresh);
            let goes_on = gone.last.shares == it.shares;
            gone.zeros = if goes_on { gone.zeros.saturating_add(1) } else { 1 };
            gone.last = *it;
        }
    }
}

#[cfg(test)]
#[path = "settling_tests.rs"]
mod tests;
