//! When to try again: each failure doubles the wait, and chance spreads it, so that a venue that
//! comes back is not met by all of us at once.

use engine::units::Ns;

/// Wait after the first failure.
pub const WAIT_NS_MIN: Ns = Ns::from_ms(250);

/// Longest wait.
pub const WAIT_NS_MAX: Ns = Ns::from_ms(30_000);

/// So many doublings reach the longest wait.
const DOUBLINGS_MAX: u32 = 7;
const _: () = assert!(WAIT_NS_MIN.0 << DOUBLINGS_MAX >= WAIT_NS_MAX.0);

/// A connection that stayed open for so long has proved itself.
pub const PROVED_NS: Ns = Ns::from_ms(10_000);

/// SplitMix64: small, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// Numbers that follow from the seed.
    pub const fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// A number below `end`; 0 where that is 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        ((mixed as u128 * end as u128) >> 64) as u64
    }
}

/// The waits of one connection.
#[derive(Clone, Debug)]
pub struct Backoff {
    chance: Chance,
    failures: u32,
}

impl Backoff {
    /// Waits that follow from the seed.
    pub const fn new(seed: u64) -> Backoff {
        Backoff { chance: Chance::new(seed), failures: 0 }
    }

    /// It failed: how long to wait now. Half of the wait is left to chance.
    pub fn failed(&mut self) -> Ns {
        let longest = (WAIT_NS_MIN.0 << self.failures).min(WAIT_NS_MAX.0);
        self.failures = (self.failures + 1).min(DOUBLINGS_MAX);
        Ns(longest / 2 + self.chance.below(longest / 2 + 1))
    }

    /// It works: the next failure is the first one again.
    pub const fn proved(&mut self) {
        self.failures = 0;
    }

    /// Chance, for what else must not happen to all connections at once.
    pub const fn chance(&mut self) -> &mut Chance {
        &mut self.chance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_begin_anew() {
        let mut backoff = Backoff::new(7);
        let mut again = Backoff::new(7);
        for failure in 0..100u32 {
            let longest = (250_000_000u128 << failure.min(60)).min(30_000_000_000) as u64;
            let wait = backoff.failed();
            assert!(wait.0 >= longest / 2 && wait.0 <= longest, "failure {failure}: {wait:?}");
            assert_eq!(wait, again.failed(), "the seed decides");
        }
        assert_ne!(backoff.failed(), backoff.failed(), "chance spreads them");
        backoff.proved();
        assert!(backoff.failed() <= WAIT_NS_MIN);
    }
}
