//! Token buckets: what the venues let us send, counted here so that they never have to refuse
//! (kalshi.md section 5, polymarket.md section 9). Told the time; integers only.

use engine::units::Ns;

/// Tokens are kept in billionths: a rate in tokens a second times nanoseconds is exactly that.
const UNIT: u64 = 1_000_000_000;

/// The largest rate and the largest capacity, far above any tier, so that nothing overflows.
pub const TOKENS_MAX: u32 = 1_000_000;

/// Tokens that flow in at a rate up to a capacity. A part of it is for cancels alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bucket {
    rate: u64,
    capacity: u64,
    reserve: u64,
    level: u64,
    at: Ns,
}

impl Bucket {
    /// A full bucket at `now`, a monotonic stamp, that refills by `rate` tokens a second up to
    /// `capacity`, and of which the last `reserve` are kept for cancels. Rate and capacity are at
    /// most [`TOKENS_MAX`]; more counts as that.
    pub const fn new(rate: u32, capacity: u32, reserve: u32, now: Ns) -> Bucket {
        const fn units(tokens: u32) -> u64 {
            let tokens = if tokens > TOKENS_MAX { TOKENS_MAX } else { tokens };
            tokens as u64 * UNIT
        }
        let capacity = units(capacity);
        Bucket {
            rate: units(rate) / UNIT,
            capacity,
            reserve: units(reserve),
            level: capacity,
            at: now,
        }
    }

    /// Takes `cost` tokens unless that would touch the reserve.
    #[inline]
    pub fn take(&mut self, cost: u32, now: Ns) -> bool {
        self.take_above(self.reserve, cost, now)
    }

    /// Takes `cost` tokens, from the reserve too: for cancels.
    #[inline]
    pub fn take_reserved(&mut self, cost: u32, now: Ns) -> bool {
        self.take_above(0, cost, now)
    }

    /// Puts back what was taken for something that was never sent.
    pub fn give_back(&mut self, cost: u32) {
        self.level = (self.level + u64::from(cost) * UNIT).min(self.capacity);
    }

    /// The venue says that there is nothing left: it is right.
    pub fn empty(&mut self, now: Ns) {
        self.refill(now);
        self.level = 0;
    }

    /// Whole tokens at `now`.
    pub fn tokens(&mut self, now: Ns) -> u64 {
        self.refill(now);
        self.level / UNIT
    }

    #[inline]
    fn take_above(&mut self, floor: u64, cost: u32, now: Ns) -> bool {
        self.refill(now);
        // At most 2^32 tokens: 2^62 units.
        let cost = u64::from(cost) * UNIT;
        let enough = self.level >= cost.saturating_add(floor);
        if enough {
            self.level -= cost;
        }
        enough
    }

    #[inline]
    fn refill(&mut self, now: Ns) {
        let passed = now.since(self.at);
        self.at = self.at.max(now);
        let flowed = self.rate.saturating_mul(passed.0);
        self.level = self.level.saturating_add(flowed).min(self.capacity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const S: u64 = UNIT;

    #[test]
    fn the_reserve_is_for_cancels() {
        let mut bucket = Bucket::new(100, 100, 20, Ns(0));
        assert!((0..8).all(|_| bucket.take(10, Ns(0))));
        assert!(!bucket.take(10, Ns(0)), "20 left are the reserve");
        assert!((0..10).all(|_| bucket.take_reserved(2, Ns(0))));
        assert!(!bucket.take_reserved(2, Ns(0)));
        assert!(!bucket.take_reserved(2, Ns(S / 50 - 1)), "a nanosecond too early");
        assert!(bucket.take_reserved(2, Ns(S / 50)));
        bucket.give_back(1_000);
        assert_eq!(bucket.tokens(Ns(S / 50)), 100, "never above the capacity");
        bucket.empty(Ns(S));
        assert_eq!((bucket.tokens(Ns(S)), bucket.tokens(Ns(S / 2))), (0, 0));
        assert_eq!(bucket.tokens(Ns(u64::MAX)), 100);
    }

    #[test]
    fn a_cost_above_the_capacity_never_passes() {
        let mut bucket = Bucket::new(TOKENS_MAX, u32::MAX, 0, Ns(0));
        assert!(!bucket.take(u32::MAX, Ns(u64::MAX)));
        assert!(bucket.take(TOKENS_MAX, Ns(u64::MAX)));
    }

    /// The slow twin: every nanosecond's inflow is counted in exact integers since the start, as
    /// a list of what was taken and when; the level is found by walking all of it.
    struct Slow {
        rate: u128,
        capacity: u128,
        taken: Vec<(u64, u128)>,
    }

    impl Slow {
        fn level(&self, now: u64) -> u128 {
            let (mut level, mut at) = (self.capacity, 0);
            for &(when, cost) in self.taken.iter().chain(&[(now, 0)]) {
                level = (level + self.rate * u128::from(when - at)).min(self.capacity);
                level -= cost;
                at = when;
            }
            level
        }

        fn take(&mut self, cost: u32, floor: u32, now: u64) -> bool {
            let cost = u128::from(cost) * 1_000_000_000;
            let enough = self.level(now) >= cost + u128::from(floor) * 1_000_000_000;
            if enough {
                self.taken.push((now, cost));
            }
            enough
        }
    }

    proptest! {
        #[test]
        fn it_admits_what_its_slow_twin_admits(
            rate in 0u32..5_000,
            capacity in 0u32..15_000,
            reserve in 0u32..100,
            steps in proptest::collection::vec((0u64..400_000_000, 0u32..60, any::<bool>()), 0..80),
        ) {
            let mut fast = Bucket::new(rate, capacity, reserve, Ns(0));
            let mut slow = Slow {
                rate: u128::from(rate),
                capacity: u128::from(capacity) * 1_000_000_000,
                taken: Vec::new(),
            };
            let mut now = 0;
            for (passed, cost, is_cancel) in steps {
                now += passed;
                let (fast_took, floor) = if is_cancel {
                    (fast.take_reserved(cost, Ns(now)), 0)
                } else {
                    (fast.take(cost, Ns(now)), reserve)
                };
                prop_assert_eq!(fast_took, slow.take(cost, floor, now));
                prop_assert_eq!(u128::from(fast.tokens(Ns(now))), slow.level(now) / 1_000_000_000);
            }
        }
    }
}
