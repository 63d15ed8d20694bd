//! Token buckets of a signer (polymarket.md section 9), the Standard tier.

use engine::units::Ns;

/// What a request costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cost {
    /// So many orders.
    Orders(u32),
    /// So many cancels.
    Cancels(u32),
}

/// A bucket refused; what its headers say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level {
    /// Tokens left; below zero after a large cancel-all.
    pub remaining: i64,
    /// When it is full again; Unix seconds.
    pub reset: u64,
    /// Seconds until the request would pass; zero where it did.
    pub retry_after: u64,
}

/// One bucket in 1e-9 tokens.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    rate: i64,
    burst: i64,
    level: i64,
    at: Ns,
}

const TOKEN: i64 = 1_000_000_000;

impl Bucket {
    const fn new(rate: i64, burst: i64, now: Ns) -> Bucket {
        Bucket { rate, burst: burst * TOKEN, level: burst * TOKEN, at: now }
    }

    fn refill(&mut self, now: Ns) {
        let elapsed = i64::try_from(now.since(self.at).0).unwrap_or(i64::MAX);
        // One token a second is one unit a nanosecond.
        let gained = elapsed.saturating_mul(self.rate);
        self.level = self.level.saturating_add(gained).min(self.burst);
        self.at = now;
    }

    fn level(&self, now: Ns, short: i64) -> Level {
        let ns = |units: i64| (units.max(0) / self.rate) as u64;
        Level {
            remaining: self.level.div_euclid(TOKEN),
            reset: (now.0 + ns(self.burst - self.level)).div_ceil(1_000_000_000),
            retry_after: ns(short).div_ceil(1_000_000_000),
        }
    }
}

/// The two buckets of a signer.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    orders: Bucket,
    cancels: Bucket,
}

impl Limits {
    /// Both full: 40 orders a second and 60 at once, 80 cancels and 120.
    pub const fn new(now: Ns) -> Limits {
        Limits { orders: Bucket::new(40, 60, now), cancels: Bucket::new(80, 120, now) }
    }

    /// Takes what a request costs, whole or not at all.
    ///
    /// # Errors
    /// The bucket as it is, where it does not hold as much.
    pub fn take(&mut self, now: Ns, cost: Cost) -> Result<Level, Level> {
        let (bucket, tokens) = match cost {
            Cost::Orders(count) => (&mut self.orders, count),
            Cost::Cancels(count) => (&mut self.cancels, count),
        };
        bucket.refill(now);
        let needed = i64::from(tokens) * TOKEN;
        if bucket.level < needed {
            return Err(bucket.level(now, needed - bucket.level));
        }
        bucket.level -= needed;
        Ok(bucket.level(now, 0))
    }

    /// What a cancel-all cost beyond the one that it needed; the bucket may go below zero.
    pub fn charge_cancels(&mut self, count: u32) {
        self.cancels.level -= i64::from(count) * TOKEN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_empties_the_bucket_and_time_fills_it() {
        let start = Ns::from_ms(1_795_000_000_000);
        let mut limits = Limits::new(start);
        for left in (0..60).rev() {
            assert_eq!(limits.take(start, Cost::Orders(1)).unwrap().remaining, left);
        }
        let refused = limits.take(start, Cost::Orders(1)).unwrap_err();
        assert_eq!((refused.remaining, refused.retry_after), (0, 1));
        assert!(limits.take(start, Cost::Cancels(120)).is_ok(), "a bucket of its own");
        let later = start.after(Ns::from_ms(25));
        assert!(limits.take(later, Cost::Orders(1)).is_ok(), "40 a second");
        assert!(limits.take(later, Cost::Orders(1)).is_err());
        limits.charge_cancels(10);
        assert!(limits.take(start.after(Ns::from_ms(100)), Cost::Cancels(1)).is_err());
    }
}
