//! What a thread does when its tiles had no work: decided once, at start, from the host.

use std::fmt;
use std::hint;
use std::thread;
use std::time::Duration;

use crate::units::Ns;

/// Empty steps that a thread spins through before it yields, where it yields at all: some tens
/// of microseconds, longer than the usual pause inside a burst of frames.
pub const SPINS_BEFORE_YIELD: u32 = 2_000;

/// Longest that a parked thread sleeps without being woken.
pub const PARK_NS_MAX: Ns = Ns(1_000_000);

/// Shortest that a parked thread sleeps; each empty step after it doubles the sleep.
const PARK_NS_MIN: Ns = Ns(1_000);

/// The idle policy of one thread. It never changes while the thread runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Idle {
    /// Never gives the core away: least latency, and the core is at 100 %.
    Spin,
    /// Spins through so many empty steps, then offers the core to others after each further one.
    SpinThenYield {
        /// Empty steps before the first yield.
        spins: u32,
    },
    /// Spins, then sleeps for doubling spans: for cold threads, which others may unpark.
    Park {
        /// Empty steps before the first sleep.
        spins: u32,
        /// Longest sleep.
        park_ns_max: Ns,
    },
}

impl Idle {
    /// For threads that no order waits for.
    pub const COLD: Idle = Idle::Park { spins: 100, park_ns_max: PARK_NS_MAX };

    /// The policy of each of `spinning_threads` hot threads on a host that lets this process use
    /// `cores_available` cores, with the reason for the start-up report.
    ///
    /// A thread that spins without a core of its own only takes time from the thread it waits
    /// for, so spinning needs a core for each such thread and one more for everything else.
    pub fn choose(cores_available: usize, spinning_threads: usize) -> (Idle, &'static str) {
        if spinning_threads == 0 {
            (Idle::COLD, "parks: no thread of this topology is hot")
        } else if cores_available > spinning_threads {
            (Idle::Spin, "spins: each hot thread has a core, and one is left for the system")
        } else if cores_available == spinning_threads {
            (
                Idle::SpinThenYield { spins: SPINS_BEFORE_YIELD },
                "spins, then yields: hot threads take every core, and the system needs one at times",
            )
        } else {
            (
                Idle::SpinThenYield { spins: 0 },
                "yields: fewer cores than hot threads, so spinning would only delay the others",
            )
        }
    }
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Idle::Spin => f.write_str("spin"),
            Idle::SpinThenYield { spins: 0 } => f.write_str("yield"),
            Idle::SpinThenYield { spins } => write!(f, "spin {spins} steps, then yield"),
            Idle::Park { spins, park_ns_max } => {
                write!(f, "spin {spins} steps, then park up to {} us", park_ns_max.0 / 1_000)
            }
        }
    }
}

/// Applies a policy after every step of a thread.
#[derive(Clone, Debug)]
pub struct Idler {
    policy: Idle,
    empty_steps: u32,
    park: Ns,
}

/// What an [`Idler`] did, so that a driver counts it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rest {
    /// There was work: no rest.
    None,
    /// One spin-loop hint.
    Spun,
    /// The core was offered to other threads.
    Yielded,
    /// The thread slept, at most so long.
    Parked(Ns),
}

impl Idler {
    /// An idler at the start of its policy.
    pub const fn new(policy: Idle) -> Idler {
        Idler { policy, empty_steps: 0, park: PARK_NS_MIN }
    }

    /// Rests as the policy says after a step that handled `work` messages.
    #[inline]
    pub fn idle(&mut self, work: usize) -> Rest {
        if work > 0 {
            self.empty_steps = 0;
            self.park = PARK_NS_MIN;
            return Rest::None;
        }
        self.empty_steps = self.empty_steps.saturating_add(1);
        match self.policy {
            Idle::SpinThenYield { spins } if self.empty_steps > spins => {
                thread::yield_now();
                Rest::Yielded
            }
            Idle::Park { spins, park_ns_max } if self.empty_steps > spins => {
                let span = self.park.min(park_ns_max);
                self.park = Ns(self.park.0.saturating_mul(2)).min(park_ns_max);
                thread::park_timeout(Duration::from_nanos(span.0));
                Rest::Parked(span)
            }
            _ => {
                hint::spin_loop();
                Rest::Spun
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spinning_needs_a_core_for_each_thread_and_one_more() {
        let table = [
            // cores, hot threads, policy
            (1, 0, Idle::COLD),
            (1, 1, Idle::SpinThenYield { spins: SPINS_BEFORE_YIELD }),
            (1, 2, Idle::SpinThenYield { spins: 0 }),
            (2, 1, Idle::Spin),
            (2, 2, Idle::SpinThenYield { spins: SPINS_BEFORE_YIELD }),
            (2, 3, Idle::SpinThenYield { spins: 0 }),
            (4, 3, Idle::Spin),
            (64, 8, Idle::Spin),
            (0, 1, Idle::SpinThenYield { spins: 0 }),
        ];
        for (cores, hot, want) in table {
            let (got, reason) = Idle::choose(cores, hot);
            assert_eq!(got, want, "{cores} cores, {hot} hot threads");
            let verb = match got {
                Idle::Spin => "spins:",
                Idle::SpinThenYield { spins: 0 } => "yields:",
                Idle::SpinThenYield { .. } => "spins, then yields:",
                Idle::Park { .. } => "parks:",
            };
            assert!(reason.starts_with(verb), "the reason must say what happens: {reason}");
        }
    }

    #[test]
    fn a_spinning_thread_never_gives_its_core_away() {
        let mut idler = Idler::new(Idle::Spin);
        for _ in 0..10_000 {
            assert_eq!(idler.idle(0), Rest::Spun);
        }
    }

    #[test]
    fn work_starts_the_policy_again() {
        let mut idler = Idler::new(Idle::SpinThenYield { spins: 2 });
        assert_eq!([idler.idle(0), idler.idle(0)], [Rest::Spun, Rest::Spun]);
        assert_eq!(idler.idle(0), Rest::Yielded);
        assert_eq!(idler.idle(7), Rest::None);
        assert_eq!(idler.idle(0), Rest::Spun);
    }

    #[test]
    fn parking_doubles_up_to_its_limit() {
        let mut idler = Idler::new(Idle::Park { spins: 0, park_ns_max: Ns(3_000) });
        let spans: Vec<Rest> = (0..4).map(|_| idler.idle(0)).collect();
        let want = [1_000, 2_000, 3_000, 3_000].map(|ns| Rest::Parked(Ns(ns)));
        assert_eq!(spans, want);
    }
}
