//! When to try again: twice as long each time, with a part by chance, so that many who lost the
//! same host do not come back at once.

use engine::units::Ns;

/// A seeded generator (splitmix64): the same seed gives the same waits.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator.
    pub const fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Waits between tries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    first: Ns,
    longest: Ns,
    failures: u32,
}

impl Backoff {
    /// Waits from `first` to `longest`.
    pub const fn new(first: Ns, longest: Ns) -> Backoff {
        Backoff { first, longest, failures: 0 }
    }

    /// How long to wait after one more failure: between half and all of first x 2^failures.
    pub fn wait(&mut self, rng: &mut Rng) -> Ns {
        let doubled = self.first.0.saturating_mul(1 << self.failures.min(20));
        let most = doubled.min(self.longest.0).max(1);
        self.failures = self.failures.saturating_add(1);
        Ns(most / 2 + rng.next() % (most - most / 2))
    }

    /// Failures since the last success.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// It worked.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_within_their_bounds() {
        let mut rng = Rng::new(7);
        let mut backoff = Backoff::new(Ns(100), Ns(1_000));
        for most in [100, 200, 400, 800, 1_000, 1_000] {
            let wait = backoff.wait(&mut rng).0;
            assert!(wait >= most / 2 && wait < most, "{wait} of {most}");
        }
        backoff.reset();
        assert!(backoff.wait(&mut rng).0 < 100);
        let waits = |seed| {
            let (mut rng, mut backoff) = (Rng::new(seed), Backoff::new(Ns(1_000), Ns(1 << 30)));
            [0; 8].map(|_| backoff.wait(&mut rng))
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }
}
