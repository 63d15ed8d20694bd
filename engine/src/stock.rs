//! Contracts of a pair that one leg filled without the other: what they are, what they cost, and
//! how they cancel out.

use crate::pair::{Outcome, Polarity};
use crate::units::{Shares, Usd};

/// Contracts, and what they cost without fees.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lot {
    /// How many.
    pub shares: Shares,
    /// What they cost.
    pub cost: Usd,
}

impl Lot {
    /// Takes `shares` of them out, at their part of the cost, rounded up to a micro-dollar; all of
    /// them where there are fewer.
    pub fn split(&mut self, shares: Shares) -> Lot {
        let shares = shares.min(self.shares);
        let out = Lot { shares, cost: self.part(shares) };
        self.shares = self.shares.saturating_sub(shares);
        self.cost -= out.cost;
        out
    }

    /// What `shares` of them cost, rounded up to a micro-dollar.
    pub fn part(&self, shares: Shares) -> Usd {
        let (all, some) = (i128::from(self.shares.e6()), i128::from(shares.e6()));
        if all == 0 {
            return Usd::ZERO;
        }
        let exact = (i128::from(self.cost.e6()) * some + all - 1).div_euclid(all);
        Usd::new(i64::try_from(exact).unwrap_or(i64::MAX))
    }

    fn join(&mut self, other: Lot) {
        self.shares += other.shares;
        self.cost += other.cost;
    }
}

/// Contracts that left a stock although they were no longer open in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Withdrawn {
    /// What those that were open had cost.
    pub open: Usd,
    /// How many were not open: their counterparts are, again.
    pub reopened: Shares,
    /// What those counterparts cost.
    pub cost: Usd,
}

/// What a pair holds on one side alone. What pays when its event happens cancels out with what
/// pays when it does not: together they pay a dollar, whatever bundle either came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stock {
    /// By side of the pair and outcome there.
    open: [[Lot; 2]; 2],
    /// All that was ever bought: what a contract cost where its bundle is forgotten.
    bought: [[Lot; 2]; 2],
    polarity: Polarity,
}

impl Stock {
    /// An empty stock.
    pub fn new(polarity: Polarity) -> Stock {
        Stock { open: Default::default(), bought: Default::default(), polarity }
    }

    /// With which outcome of the pair's first venue an outcome of a side pays.
    pub const fn pays(&self, side: usize, outcome: Outcome) -> Outcome {
        pays(self.polarity, side, outcome)
    }

    /// Notes a purchase, whether or not its bundle still accounts for it.
    pub fn note(&mut self, side: usize, outcome: Outcome, lot: Lot) {
        self.bought[side][outcome as usize].join(lot);
    }

    /// Takes in what only one leg holds.
    pub fn add(&mut self, side: usize, outcome: Outcome, lot: Lot) {
        self.open[side][outcome as usize].join(lot);
    }

    /// Takes out what is open of an outcome of a side, at its cost, up to `shares`: its market is
    /// over.
    pub fn take(&mut self, side: usize, outcome: Outcome, shares: Shares) -> Lot {
        self.open[side][outcome as usize].split(shares)
    }

    /// Contracts of an outcome of a side that are open.
    pub const fn open(&self, side: usize, outcome: Outcome) -> Lot {
        self.open[side][outcome as usize]
    }

    /// Contracts that pay when the event happens, and when it does not.
    pub fn sums(&self) -> [Shares; 2] {
        let mut sums = [Shares::ZERO; 2];
        for (side, outcome) in ASSETS {
            sums[self.pays(side, outcome) as usize] += self.open(side, outcome).shares;
        }
        sums
    }

    /// What all that is open cost: the most that can be lost on it.
    pub fn cost(&self) -> Usd {
        ASSETS.into_iter().map(|(side, outcome)| self.open(side, outcome).cost).sum()
    }

    /// Cancels out what can be: contracts that pay a dollar together leave, at their cost.
    pub fn pair_off(&mut self) -> Lot {
        let mut off = Lot::default();
        for (side, outcome) in ASSETS {
            for (other, opposite) in ASSETS {
                if self.pays(side, outcome) != Outcome::Yes
                    || self.pays(other, opposite) != Outcome::No
                {
                    continue;
                }
                let both = self.open(side, outcome).shares.min(self.open(other, opposite).shares);
                if both == Shares::ZERO {
                    continue;
                }
                let yes = self.open[side][outcome as usize].split(both);
                let no = self.open[other][opposite as usize].split(both);
                off.join(Lot { shares: both, cost: yes.cost + no.cost });
            }
        }
        off
    }

    /// Takes contracts out that were sold, or whose purchase came to nothing. Where they are not
    /// open any more, what they had been matched with is open again, at what such contracts cost
    /// on the average.
    pub fn withdraw(&mut self, side: usize, outcome: Outcome, shares: Shares) -> Withdrawn {
        let out = self.open[side][outcome as usize].split(shares);
        let reopened = shares.saturating_sub(out.shares);
        if reopened == Shares::ZERO {
            return Withdrawn { open: out.cost, ..Withdrawn::default() };
        }
        // The hedge lies on the other venue, unless nothing was ever bought there.
        let hedge = |at: usize| {
            let outcomes = [Outcome::Yes, Outcome::No].into_iter();
            outcomes
                .map(move |outcome| (at, outcome))
                .find(|(at, other)| self.pays(*at, *other) != self.pays(side, outcome))
        };
        let bought = |(at, other): &(usize, Outcome)| {
            self.bought[*at][*other as usize].shares != Shares::ZERO
        };
        let there = hedge(1 - side).filter(bought).or_else(|| hedge(side).filter(bought));
        // Nothing known of it: then both together cost the dollar that they pay.
        let (at, other) = there.or_else(|| hedge(1 - side)).unwrap_or((1 - side, outcome));
        let all = self.bought[at][other as usize];
        let cost = if there.is_some() {
            all.part(reopened)
        } else {
            Usd::new(i64::try_from(reopened.e6()).unwrap_or(i64::MAX))
        };
        self.add(at, other, Lot { shares: reopened, cost });
        Withdrawn { open: out.cost, reopened, cost }
    }
}

/// With which outcome of the pair's first venue an outcome of a side pays.
pub const fn pays(polarity: Polarity, side: usize, outcome: Outcome) -> Outcome {
    match (side, polarity) {
        (0, _) | (_, Polarity::Same) => outcome,
        (_, Polarity::Inverted) => outcome.opposite(),
    }
}

/// All that a pair can hold: side and outcome.
pub const ASSETS: [(usize, Outcome); 4] =
    [(0, Outcome::Yes), (0, Outcome::No), (1, Outcome::Yes), (1, Outcome::No)];

#[cfg(test)]
#[path = "stock_tests.rs"]
mod tests;
