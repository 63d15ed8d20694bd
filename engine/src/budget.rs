//! What a venue lets us send, counted where every tile that spends it can take from it: the core's
//! outlet for both legs of a bundle at once, a gate for cancels and for what it gives back.
//!
//! Lock-free: one word a budget. Told the time; integers only.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use crate::top::MarketId;
use crate::units::{Ns, Venue};

/// The largest rate and the largest capacity, far above any tier, so that nothing overflows.
pub const TOKENS_MAX: u32 = 1_000_000;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// Tokens that flow in at a rate up to a capacity. A part of them is for cancels alone.
///
/// Kept as the moment at which it will be full again: taking tokens puts that off by the time in
/// which they flow back in. That time is rounded up, so that it never lets through more than the
/// venue does.
#[derive(Debug)]
pub struct Budget {
    /// Monotonic nanoseconds.
    // SYNC: every access is Relaxed: the word is all there is, nothing is read through it.
    full_at: AtomicU64,
    rate: u64,
    /// Nanoseconds from empty to full.
    span: u64,
    /// The part of the span that is for cancels alone.
    reserve: u64,
}

impl Budget {
    /// A full budget that refills by `rate` tokens a second up to `capacity`, and of which the last
    /// `reserve` are kept for cancels. Without a rate nothing ever passes. Rate and capacity are at
    /// most [`TOKENS_MAX`]; more counts as that.
    pub fn new(rate: u32, capacity: u32, reserve: u32) -> Budget {
        let rate = u64::from(rate.min(TOKENS_MAX));
        // Rounded down, as costs are rounded up.
        let span = |tokens: u32| u64::from(tokens.min(TOKENS_MAX)) * SECOND / rate.max(1);
        let budget = Budget {
            full_at: AtomicU64::new(0),
            rate,
            span: if rate == 0 { 0 } else { span(capacity) },
            reserve: 0,
        };
        let reserve = if rate == 0 { 0 } else { budget.cost(reserve) };
        Budget { reserve, ..budget }
    }

    /// Takes `cost` tokens unless that would touch the reserve.
    #[inline]
    pub fn take(&self, cost: u32, now: Ns) -> bool {
        self.take_within(self.span.saturating_sub(self.reserve), cost, now)
    }

    /// Takes `cost` tokens, from the reserve too: for cancels.
    #[inline]
    pub fn take_reserved(&self, cost: u32, now: Ns) -> bool {
        self.take_within(self.span, cost, now)
    }

    /// Puts back what was taken for something that was never sent.
    pub fn give_back(&self, cost: u32) {
        let span = self.cost(cost);
        let back = |full_at: u64| Some(full_at.saturating_sub(span));
        // It always gives a value, so it cannot fail.
        let _ = self.full_at.fetch_update(Relaxed, Relaxed, back);
    }

    /// The venue says that there is nothing left: it is right.
    pub fn empty(&self, now: Ns) {
        self.full_at.fetch_max(now.0.saturating_add(self.span), Relaxed);
    }

    /// Whole tokens at `now`.
    pub fn tokens(&self, now: Ns) -> u64 {
        let missing = self.full_at.load(Relaxed).saturating_sub(now.0);
        let left = u128::from(self.span.saturating_sub(missing)) * u128::from(self.rate);
        u64::try_from(left / u128::from(SECOND)).unwrap_or(u64::MAX)
    }

    #[inline]
    fn take_within(&self, span: u64, cost: u32, now: Ns) -> bool {
        let (cost, latest) = (self.cost(cost), now.0.saturating_add(span));
        let taken = |full_at: u64| {
            let then = full_at.max(now.0).saturating_add(cost);
            (then <= latest).then_some(then)
        };
        self.full_at.fetch_update(Relaxed, Relaxed, taken).is_ok()
    }

    /// The time in which so many tokens flow in.
    #[inline]
    fn cost(&self, tokens: u32) -> u64 {
        match self.rate {
            0 => u64::MAX,
            rate => (u64::from(tokens) * SECOND).div_ceil(rate),
        }
    }
}

/// The budgets for orders of one venue: one, or one for each of its shards.
#[derive(Debug)]
pub struct OrderBudgets {
    budgets: Box<[Budget]>,
    /// By market: the number of its budget.
    // SYNC: Relaxed: a market's number is stored before the pair that needs it is told of, through
    // a ring; nothing else is read through it.
    of: Box<[AtomicU8]>,
    /// Tokens of an order.
    cost: u32,
}

impl OrderBudgets {
    /// `of` says which budget each market has; a number beyond the last one, and a market that is
    /// not listed, have the last.
    ///
    /// # Panics
    /// Where there is no budget at all.
    pub fn new(budgets: Vec<Budget>, of: Vec<u8>, cost: u32) -> OrderBudgets {
        assert!(!budgets.is_empty(), "a venue has a budget");
        let of = of.into_iter().map(AtomicU8::new).collect();
        OrderBudgets { budgets: budgets.into(), of, cost }
    }

    /// Says which budget a market has that came later; there must be a place for it.
    pub fn assign(&self, market: MarketId, number: u8) {
        if let Some(place) = self.of.get(market.index()) {
            place.store(number, Relaxed);
        }
    }

    /// The budget of a market.
    #[inline]
    pub fn of(&self, market: MarketId) -> &Budget {
        let last = self.budgets.len() - 1;
        let number =
            self.of.get(market.index()).map_or(last, |number| usize::from(number.load(Relaxed)));
        &self.budgets[number.min(last)]
    }

    /// The first: what belongs to no market counts towards it.
    pub fn first(&self) -> &Budget {
        &self.budgets[0]
    }

    /// Takes what an order costs.
    #[inline]
    pub fn take(&self, market: MarketId, now: Ns) -> bool {
        self.of(market).take(self.cost, now)
    }

    /// Puts that back: the order did not leave.
    #[inline]
    pub fn give_back(&self, market: MarketId) {
        self.of(market).give_back(self.cost);
    }
}

/// Takes what all orders at these markets cost, or nothing; `budgets` are by venue.
pub fn take_all(budgets: &[&OrderBudgets; 2], markets: &[MarketId], now: Ns) -> bool {
    let of = |market: MarketId| match market.venue() {
        Venue::Kalshi => budgets[0],
        Venue::Polymarket => budgets[1],
    };
    for (taken, market) in markets.iter().enumerate() {
        if !of(*market).take(*market, now) {
            markets[..taken].iter().for_each(|market| of(*market).give_back(*market));
            return false;
        }
    }
    true
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
