//! Latency of each stage, in histograms of a fixed size: recording never allocates.

use hdrhistogram::Histogram;

/// Longest latency told apart; anything longer is recorded as this and counted.
pub const LATENCY_NS_MAX: u64 = 60_000_000_000;

/// Decimal digits kept of every value: an error of at most 0.1 %.
pub const LATENCY_DIGITS: u8 = 3;

/// A part of the way from wire to wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Stage {
    /// Bytes of a frame to changed books and a `Top`.
    Decode = 0,
    /// The ring from a feed to the core.
    Hop = 1,
    /// A `Top` to a decision, or to the finding that there is none.
    Decision = 2,
    /// The checks of a gate.
    Admit = 3,
    /// Making or taking a signature.
    Sign = 4,
    /// Handing the bytes of an order to the socket.
    Write = 5,
    /// The whole way: frame in to decision, or to the bytes of an order where orders leave.
    Total = 6,
}

impl Stage {
    /// All stages, in the order in which a message meets them.
    pub const ALL: [Stage; 7] = [
        Stage::Decode,
        Stage::Hop,
        Stage::Decision,
        Stage::Admit,
        Stage::Sign,
        Stage::Write,
        Stage::Total,
    ];

    /// The name in reports, files and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Decode => "decode",
            Stage::Hop => "hop",
            Stage::Decision => "decision",
            Stage::Admit => "admit",
            Stage::Sign => "sign",
            Stage::Write => "write",
            Stage::Total => "total",
        }
    }

    /// 0..7, for tables with a row a stage.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Latencies of one stage on one thread, 1 ns to 60 s at three digits, in some 220 KiB laid out
/// at start.
#[derive(Clone, Debug)]
pub struct StageHistogram {
    counts: Histogram<u64>,
    saturated: u64,
}

impl StageHistogram {
    /// An empty histogram; the only call that allocates.
    pub fn new() -> StageHistogram {
        let mut counts = Histogram::new_with_bounds(1, LATENCY_NS_MAX, LATENCY_DIGITS)
            .expect("the bounds are constants that the library accepts");
        counts.auto(false);
        // Fresh zeroes are pages that the kernel has yet to give, a fault at the first latency of
        // each size. A copy has them all.
        #[allow(clippy::redundant_clone, reason = "the copy is what touches every page")]
        let counts = counts.clone();
        StageHistogram { counts, saturated: 0 }
    }

    /// Records one latency in nanoseconds; what is above [`LATENCY_NS_MAX`] is recorded as that.
    #[inline]
    pub fn record(&mut self, ns: u64) {
        self.saturated += u64::from(ns > LATENCY_NS_MAX);
        self.counts.saturating_record(ns.min(LATENCY_NS_MAX));
    }

    /// Number of latencies recorded.
    pub fn len(&self) -> u64 {
        self.counts.len()
    }

    /// True where nothing was recorded: such a stage does not appear in reports.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// How many latencies were longer than can be told apart.
    pub fn saturated(&self) -> u64 {
        self.saturated
    }

    /// The counts as measured.
    pub fn raw(&self) -> &Histogram<u64> {
        &self.counts
    }

    /// Adds the latencies of another thread.
    pub fn merge(&mut self, other: &StageHistogram) {
        self.counts.add(&other.counts).expect("every stage histogram has the same bounds");
        self.saturated += other.saturated;
    }

    /// The counts corrected for coordinated omission: what a source that sends every
    /// `expected_interval_ns` would have seen while one slow message held up the ones behind it.
    ///
    /// Each latency above the interval adds latencies one interval shorter, two shorter and so
    /// on, down to the interval. An interval of 0 corrects nothing.
    pub fn corrected(&self, expected_interval_ns: u64) -> Histogram<u64> {
        let mut corrected = Histogram::new_from(&self.counts);
        for seen in self.counts.iter_recorded() {
            let (ns, count) = (seen.value_iterated_to(), seen.count_at_value());
            corrected.saturating_record_n(ns, count);
            if expected_interval_ns == 0 || ns <= expected_interval_ns {
                continue;
            }
            // One record for all the steps that end in the same bucket: the library's own
            // correction takes each step alone, which is minutes for a long stall. A bucket is
            // narrower than its values, so none of these steps is below the interval.
            let mut missing = ns - expected_interval_ns;
            while missing >= expected_interval_ns {
                let bucket = corrected.lowest_equivalent(missing);
                let steps = (missing - bucket) / expected_interval_ns + 1;
                corrected.saturating_record_n(missing, count.saturating_mul(steps));
                let Some(rest) = missing.checked_sub(steps.saturating_mul(expected_interval_ns))
                else {
                    break;
                };
                missing = rest;
            }
        }
        corrected
    }
}

impl Default for StageHistogram {
    fn default() -> StageHistogram {
        StageHistogram::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_histogram_never_grows() {
        let mut stage = StageHistogram::new();
        let buckets = stage.counts.distinct_values();
        for ns in [0, 1, 999, LATENCY_NS_MAX, LATENCY_NS_MAX + 1, u64::MAX] {
            stage.record(ns);
        }
        assert!(!stage.counts.is_auto_resize());
        assert_eq!(stage.counts.distinct_values(), buckets);
        assert_eq!(stage.len(), 6, "nothing is dropped");
        assert_eq!(stage.saturated(), 2);
        assert!(stage.raw().equivalent(stage.raw().max(), LATENCY_NS_MAX));
    }

    #[test]
    fn threads_merge() {
        let (mut a, mut b) = (StageHistogram::new(), StageHistogram::new());
        a.record(100);
        b.record(300);
        b.record(u64::MAX);
        a.merge(&b);
        assert_eq!((a.len(), a.saturated(), a.raw().value_at_quantile(0.5)), (3, 1, 300));
    }

    #[test]
    fn a_stall_counts_for_the_messages_it_held_up() {
        let mut stage = StageHistogram::new();
        stage.record(10);
        stage.record(50);
        // One message each 10 ns: those 40, 30, 20 and 10 ns behind the stall waited too.
        let corrected = stage.corrected(10);
        assert_eq!(corrected.len(), 6);
        assert_eq!(corrected.count_at(10), 2);
        assert_eq!(stage.corrected(0).len(), 2);
    }

    #[test]
    fn the_longest_stall_is_corrected_at_once() {
        let mut stage = StageHistogram::new();
        stage.record(u64::MAX);
        assert!(stage.corrected(1).len() >= LATENCY_NS_MAX);
    }

    #[test]
    fn stages_are_in_the_order_of_their_index() {
        for (at, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage.index(), at);
        }
    }

    proptest! {
        #[test]
        fn the_correction_is_the_librarys(
            latencies in proptest::collection::vec(0u64..3_000_000, 0..20),
            interval in prop_oneof![Just(0u64), 1u64..20, 1u64..100_000],
        ) {
            let mut stage = StageHistogram::new();
            for ns in latencies {
                stage.record(ns);
            }
            let slow = stage.raw().clone_correct(interval);
            prop_assert!(stage.corrected(interval) == slow, "interval {}", interval);
        }
    }
}
