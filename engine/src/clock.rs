//! Where time comes from. Only the thread that drives tiles reads a clock; tiles are told [`Now`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::tile::Now;
use crate::units::Ns;

/// A source of time for a thread driver.
pub trait Clock {
    /// Both clocks at one instant.
    fn now(&self) -> Now;

    /// A stamp in ticks of the source: the cheapest read there is, for timing a stage.
    fn raw(&self) -> u64;

    /// Nanoseconds between two [`Clock::raw`] stamps; 0 where the second is not later, as two
    /// cores may disagree by a few ticks.
    fn delta_ns(&self, start_raw: u64, end_raw: u64) -> u64;
}

/// How many times wall time is sampled to find a reading that nothing interrupted.
const ANCHOR_TRIES: usize = 8;

/// The processor's time stamp counter, scaled to nanoseconds; the kernel's monotonic clock where
/// the counter is missing or not invariant.
///
/// Clones share one origin and one anchor, so stamps of several threads compare. `wall` runs with the
/// counter from its last anchor and therefore never steps between two calls of
/// [`TscClock::resync`] or [`TscClock::follow`] of any of them.
#[derive(Clone, Debug)]
pub struct TscClock {
    source: quanta::Clock,
    origin_raw: u64,
    /// Unix time when `mono` was 0, as of the last anchor.
    wall_at_origin: Arc<Anchor>,
}

/// Unix nanoseconds, on a cache line that nothing else is written to: every hot thread reads it.
#[derive(Default, Debug)]
#[repr(align(64))]
struct Anchor(AtomicU64);

impl TscClock {
    /// Calibrates the counter, which takes up to 200 ms once a process, and anchors wall time.
    pub fn new() -> TscClock {
        let source = quanta::Clock::new();
        let origin_raw = source.raw();
        let clock = TscClock { source, origin_raw, wall_at_origin: Arc::default() };
        clock.resync();
        clock
    }

    /// Reads the system's wall clock again and says how far `wall` had drifted from it, in
    /// nanoseconds; positive where the system is ahead. For housekeeping, never for a hot step.
    pub fn resync(&self) -> i64 {
        self.follow(0)
    }

    /// The same, and `wall` stays as it is where it is not off by more than `most` nanoseconds: a
    /// clock that is disciplined all the time need not make ours step all the time. A counter that
    /// stood while the host was paused, and one that drifts, are found by this alone.
    pub fn follow(&self, most: u64) -> i64 {
        let before = self.wall_at_origin.0.load(Relaxed);
        let anchor = self.anchor();
        let off = anchor.wrapping_sub(before).cast_signed();
        if off.unsigned_abs() > most {
            // SYNC: whoever reads it reads nothing else through it.
            self.wall_at_origin.0.store(anchor, Relaxed);
        }
        off
    }

    /// Unix time when `mono` was 0, by the system's wall clock.
    fn anchor(&self) -> u64 {
        let mut anchor = 0;
        // The sample with the shortest bracket of ticks is the one least disturbed.
        let mut bracket_ns_min = u64::MAX;
        for _ in 0..ANCHOR_TRIES {
            let start = self.source.raw();
            let wall = unix_ns(SystemTime::now());
            let end = self.source.raw();
            let bracket_ns = self.delta_ns(start, end);
            if bracket_ns < bracket_ns_min {
                bracket_ns_min = bracket_ns;
                let mono = self.delta_ns(self.origin_raw, start) + bracket_ns / 2;
                anchor = wall.saturating_sub(mono);
            }
        }
        anchor
    }

    /// True where stamps come from the processor's counter, false for the kernel's clock.
    pub fn is_tsc(&self) -> bool {
        // The kernel's clock already counts nanoseconds, so its stamps scale by exactly one. A
        // calibrated counter does not, to the last of 2^40 ticks.
        self.source.delta_as_nanos(0, 1 << 40) != 1 << 40
    }

    /// What the start-up report and the latency report call this clock.
    pub fn describe(&self) -> &'static str {
        if self.is_tsc() {
            "processor time stamp counter (invariant TSC)"
        } else {
            "kernel monotonic clock (no invariant TSC)"
        }
    }
}

impl Default for TscClock {
    fn default() -> TscClock {
        TscClock::new()
    }
}

impl Clock for TscClock {
    #[inline]
    fn now(&self) -> Now {
        let mono = self.delta_ns(self.origin_raw, self.source.raw());
        // SYNC: see `follow`.
        Now { mono: Ns(mono), wall: Ns(self.wall_at_origin.0.load(Relaxed)).after(Ns(mono)) }
    }

    #[inline]
    fn raw(&self) -> u64 {
        self.source.raw()
    }

    #[inline]
    fn delta_ns(&self, start_raw: u64, end_raw: u64) -> u64 {
        self.source.delta_as_nanos(start_raw, end_raw)
    }
}

fn unix_ns(at: SystemTime) -> u64 {
    // A wall clock before 1970 or after 2554 is nonsense; both ends saturate.
    at.duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX))
}

/// Time that moves only when told: replay, property tests and fault simulation run under it.
///
/// A raw tick is a nanosecond of `mono`.
#[derive(Clone, Debug, Default)]
pub struct FakeClock {
    now: Now,
}

impl FakeClock {
    /// A clock that stands at `now`.
    pub const fn at(now: Now) -> FakeClock {
        FakeClock { now }
    }

    /// Puts the clock at `now`. Monotonic time that would go back stays where it is; wall time
    /// is taken as told, because real wall clocks step too.
    pub fn set(&mut self, now: Now) {
        self.now = Now { mono: self.now.mono.max(now.mono), wall: now.wall };
    }

    /// Lets `span` pass on both clocks.
    pub fn advance(&mut self, span: Ns) {
        self.now = Now { mono: self.now.mono.after(span), wall: self.now.wall.after(span) };
    }

    /// Jumps to the earliest of the tiles' deadlines and returns the span that passed; `None`,
    /// and no time passes, where no tile has one. A deadline already past costs no time.
    pub fn jump(&mut self, deadlines: impl IntoIterator<Item = Option<Ns>>) -> Option<Ns> {
        let next = deadlines.into_iter().flatten().min()?;
        let span = next.since(self.now.mono);
        self.advance(span);
        Some(span)
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Now {
        self.now
    }

    fn raw(&self) -> u64 {
        self.now.mono.0
    }

    fn delta_ns(&self, start_raw: u64, end_raw: u64) -> u64 {
        end_raw.saturating_sub(start_raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn monotonic_time_never_goes_back_and_wall_time_is_the_systems() {
        let clock = TscClock::new();
        let mut last = clock.now();
        for _ in 0..10_000 {
            let now = clock.now();
            assert!(now.mono >= last.mono);
            last = now;
        }
        let (early, ours, late) =
            (unix_ns(SystemTime::now()), clock.now().wall.0, unix_ns(SystemTime::now()));
        let slack = 50_000_000;
        assert!(early - slack < ours && ours < late + slack, "{early} < {ours} < {late}");
        clock.resync();
        assert!(clock.now().mono >= last.mono, "an anchor moves wall time only");
    }

    /// As after a pause of the host in which the counter stood.
    #[test]
    fn a_wall_that_lags_behind_the_systems_is_found_and_set_right_for_every_thread() {
        const HOUR: u64 = 3_600_000_000_000;
        const SLACK: u64 = 50_000_000;
        let clock = TscClock::new();
        let gates = clock.clone();
        let lag = |by| clock.wall_at_origin.0.fetch_sub(by, Relaxed);
        let lags = || unix_ns(SystemTime::now()).abs_diff(gates.now().wall.0);
        lag(HOUR);
        assert!(lags() > HOUR - SLACK);
        let off = clock.follow(2_000_000);
        assert!(off.unsigned_abs().abs_diff(HOUR) < SLACK && off > 0, "{off}");
        assert!(lags() < SLACK);
        lag(HOUR);
        let before = clock.wall_at_origin.0.load(Relaxed);
        assert!(clock.follow(2 * HOUR) > 0);
        assert_eq!(clock.wall_at_origin.0.load(Relaxed), before, "not by that much");
    }

    #[test]
    fn ticks_scale_to_the_same_nanoseconds_as_the_kernels() {
        let clock = TscClock::new();
        let ns = |from: Instant| u64::try_from(from.elapsed().as_nanos()).unwrap();
        let outer = Instant::now();
        let start = clock.raw();
        let inner = Instant::now();
        while inner.elapsed().as_millis() < 20 {
            std::hint::spin_loop();
        }
        let inner_ns = ns(inner);
        let ours = clock.delta_ns(start, clock.raw());
        let outer_ns = ns(outer);
        // The reads of the kernel's clock bracket ours, so an interruption cannot mislead.
        assert!(
            inner_ns - inner_ns / 100 <= ours && ours <= outer_ns + outer_ns / 100,
            "{inner_ns} <= {ours} <= {outer_ns}"
        );
        assert_eq!(clock.delta_ns(100, 99), 0, "never negative");
    }

    #[test]
    fn a_fake_clock_jumps_to_the_next_deadline_only() {
        let mut clock = FakeClock::at(Now { mono: Ns(100), wall: Ns(5_000) });
        assert_eq!(clock.jump([None, Some(Ns(250)), Some(Ns(180))]), Some(Ns(80)));
        assert_eq!(clock.now(), Now { mono: Ns(180), wall: Ns(5_080) });
        assert_eq!(clock.jump([Some(Ns(90))]), Some(Ns(0)), "a past deadline is due now");
        assert_eq!(clock.jump([None, None]), None);
        assert_eq!(clock.raw(), 180);

        clock.set(Now { mono: Ns(170), wall: Ns(4_000) });
        assert_eq!(
            clock.now(),
            Now { mono: Ns(180), wall: Ns(4_000) },
            "wall steps, mono does not"
        );
    }
}
