//! What contracts pay when their market settles, and the worst that can come of orders whose end
//! nobody knows yet.

use crate::pair::Outcome;
use crate::units::{PX_ONE, Px, Shares, Usd};

/// How a market settled: what a YES contract pays. A NO pays the rest of the dollar, whatever it
/// is: a void market may split the dollar anywhere (kalshi.md section 8, polymarket.md section 7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settlement(Px);

impl Settlement {
    /// The event happened.
    pub const YES: Settlement = Settlement(Px::ONE);
    /// It did not.
    pub const NO: Settlement = Settlement(Px::ZERO);

    /// The market is void and pays so much a YES contract.
    pub const fn split(yes: Px) -> Settlement {
        Settlement(yes)
    }

    /// What a contract of an outcome pays.
    pub const fn each(self, outcome: Outcome) -> Px {
        match outcome {
            Outcome::Yes => self.0,
            Outcome::No => self.0.complement(),
        }
    }

    /// What contracts of an outcome pay, rounded down to a micro-dollar.
    pub fn pays(self, outcome: Outcome, shares: Shares) -> Usd {
        let exact =
            u128::from(shares.e6()) * u128::from(self.each(outcome).e4()) / u128::from(PX_ONE);
        Usd::new(i64::try_from(exact).unwrap_or(i64::MAX))
    }
}

/// A leg whose end is not known. It bought something, and may still buy anything up to `open`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Doubt {
    /// With which outcome of the event it pays.
    pub pays: Outcome,
    /// What it surely holds.
    pub filled: Shares,
    /// What that cost, with fees.
    pub paid: Usd,
    /// What it may still buy.
    pub open: Shares,
    /// What all of that may cost, with fees; a part of it costs its part at most.
    pub reserve: Usd,
}

impl Doubt {
    /// The most that it may cost against what it surely pays if the event ends so.
    fn loss(&self, end: Outcome) -> Usd {
        let dollars = |shares: Shares| Usd::new(i64::try_from(shares.e6()).unwrap_or(i64::MAX));
        if self.pays != end {
            return self.paid + self.reserve.max(Usd::ZERO);
        }
        // Either all of what is open fills or nothing: in between lies between.
        let more = (self.reserve - dollars(self.open)).max(Usd::ZERO);
        self.paid - dollars(self.filled) + more
    }
}

/// The most that can be lost on legs of one event, whatever of what is open fills and however the
/// event ends; a market that is void for all of them alike lies between the two ends. Below zero
/// where a gain is certain.
pub fn worst_loss(legs: &[Doubt]) -> Usd {
    let of = |end: Outcome| legs.iter().map(|leg| leg.loss(end)).sum::<Usd>();
    of(Outcome::Yes).max(of(Outcome::No))
}

/// The most contracts that can come to be held on one side of an event alone.
pub fn worst_naked(legs: &[Doubt]) -> Shares {
    let sum = |side: Outcome, part: fn(&Doubt) -> Shares| {
        let its = legs.iter().filter(|leg| leg.pays == side);
        its.fold(Shares::ZERO, |sum, leg| sum + part(leg))
    };
    let beyond = |side: Outcome| {
        let most = sum(side, |leg| leg.filled + leg.open);
        most.saturating_sub(sum(side.opposite(), |leg| leg.filled))
    };
    let (yes, no) = (beyond(Outcome::Yes), beyond(Outcome::No));
    if yes > no { yes } else { no }
}

#[cfg(test)]
#[path = "payoff_tests.rs"]
mod tests;
