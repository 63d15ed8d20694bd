//! While a venue takes no orders: when to ask again, and what must have passed before the next
//! order may leave.

use engine::units::Ns;

use crate::answer::Closed;
use crate::backoff::{Backoff, Rng};

/// How a closed venue is treated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShutConfig {
    /// First wait before the venue is asked whether it takes orders again.
    pub probe_first: Ns,
    /// Longest such wait.
    pub probe_longest: Ns,
    /// After a restart only resting orders are taken for this long (polymarket.md section 9).
    pub after_restart: Ns,
}

impl Default for ShutConfig {
    fn default() -> ShutConfig {
        ShutConfig {
            probe_first: Ns::from_ms(1_000),
            probe_longest: Ns::from_ms(30_000),
            after_restart: Ns::from_ms(120_000),
        }
    }
}

/// Whether a venue takes orders, as far as we know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    /// To be asked at `probe_at`; once it says yes, `then` must pass and it is asked again.
    Closed {
        probe_at: Ns,
        then: Ns,
    },
    /// The question is out.
    Probing {
        then: Ns,
    },
    /// Nothing is asked before a person has looked.
    Barred,
}

/// The venue's door.
#[derive(Debug)]
pub struct Shut {
    state: State,
    config: ShutConfig,
    backoff: Backoff,
}

impl Shut {
    /// A venue that takes orders.
    pub const fn new(config: ShutConfig) -> Shut {
        let backoff = Backoff::new(config.probe_first, config.probe_longest);
        Shut { state: State::Open, config, backoff }
    }

    /// True where orders may leave.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// True where only a person opens it.
    pub fn is_barred(&self) -> bool {
        self.state == State::Barred
    }

    /// A person has looked: the venue is asked at once.
    pub fn arm(&mut self) {
        if self.is_barred() {
            self.state = State::Closed { probe_at: Ns(0), then: Ns(0) };
        }
    }

    /// The venue said that it takes none.
    pub fn close(&mut self, why: Closed, now: Ns, rng: &mut Rng) {
        let seconds = |s: u32| Ns::from_ms(u64::from(s) * 1_000);
        let (told, then) = match why {
            Closed::Restart { retry_after_s } => (retry_after_s, self.config.after_restart),
            Closed::Mode { retry_after_s } => (retry_after_s, Ns(0)),
            Closed::Identity => (None, Ns(0)),
            Closed::Account => {
                self.state = State::Barred;
                return;
            }
        };
        let before = match self.state {
            State::Open => Ns(0),
            State::Barred => return,
            State::Closed { then, .. } | State::Probing { then } => then,
        };
        let wait = self.backoff.wait(rng);
        // What the venue names is the least; a word of a mode does not shorten a restart.
        let wait = told.map_or(wait, |told| seconds(told).max(wait));
        self.state = State::Closed { probe_at: now.after(wait), then: then.max(before) };
    }

    /// When the venue is to be asked.
    pub const fn probe_at(&self) -> Option<Ns> {
        match self.state {
            State::Closed { probe_at, .. } => Some(probe_at),
            State::Open | State::Probing { .. } | State::Barred => None,
        }
    }

    /// The question left.
    pub fn probing(&mut self) {
        if let State::Closed { then, .. } = self.state {
            self.state = State::Probing { then };
        }
    }

    /// The answer is here, or will never be.
    pub fn probed(&mut self, passes: bool, now: Ns, rng: &mut Rng) {
        let State::Probing { then } = self.state else { return };
        self.state = match (passes, then) {
            (true, Ns(0)) => State::Open,
            (true, then) => State::Closed { probe_at: now.after(then), then: Ns(0) },
            (false, then) => State::Closed { probe_at: now.after(self.backoff.wait(rng)), then },
        };
    }

    /// An order was taken: the trouble is over.
    pub const fn works(&mut self) {
        self.backoff.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_is_followed_by_a_time_without_takers() {
        let (mut rng, config) = (Rng::new(1), ShutConfig::default());
        let mut shut = Shut::new(config);
        shut.close(Closed::Restart { retry_after_s: Some(7) }, Ns(0), &mut rng);
        assert_eq!((shut.is_open(), shut.probe_at()), (false, Some(Ns::from_ms(7_000))));
        shut.probing();
        assert_eq!(shut.probe_at(), None);
        shut.probed(false, Ns(10), &mut rng);
        assert!(shut.probe_at().is_some_and(|at| at > Ns(10) && at < Ns::from_ms(2_001)));
        shut.close(Closed::Mode { retry_after_s: None }, Ns(20), &mut rng);
        shut.probing();
        shut.probed(true, Ns(30), &mut rng);
        assert_eq!(shut.probe_at(), Some(Ns(30).after(config.after_restart)));
        shut.probing();
        shut.probed(true, Ns(40), &mut rng);
        assert!(shut.is_open());
    }

    #[test]
    fn what_bars_us_lasts_until_a_person_has_looked() {
        let mut rng = Rng::new(1);
        let mut shut = Shut::new(ShutConfig::default());
        shut.close(Closed::Identity, Ns(0), &mut rng);
        shut.probing();
        shut.close(Closed::Account, Ns(0), &mut rng);
        shut.probed(true, Ns(5), &mut rng);
        shut.close(Closed::Mode { retry_after_s: None }, Ns(9), &mut rng);
        assert_eq!((shut.is_open(), shut.is_barred(), shut.probe_at()), (false, true, None));
        shut.arm();
        assert!(!shut.is_open() && !shut.is_barred() && shut.probe_at().is_some());
        shut.probing();
        shut.probed(true, Ns(20), &mut rng);
        shut.arm();
        assert!(shut.is_open());
    }

    #[test]
    fn repeated_trouble_is_probed_ever_more_rarely() {
        let mut rng = Rng::new(1);
        let mut shut = Shut::new(ShutConfig::default());
        let mut wait = |shut: &mut Shut| {
            shut.close(Closed::Identity, Ns(0), &mut rng);
            shut.probe_at().unwrap()
        };
        let waits = [0; 4].map(|_| wait(&mut shut));
        assert!(waits.is_sorted(), "{waits:?}");
        shut.works();
        assert!(wait(&mut shut) < waits[1]);
    }
}
