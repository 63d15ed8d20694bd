//! Simulated faults: seeds that repeat, promises that hold.

#![allow(clippy::unwrap_used)] // helpers of tests

use engine::units::Ns;
use parallax::chaos::seed::{self, SPAN_MIN};

#[test]
fn a_calm_seed_trades_and_repeats_bit_for_bit() {
    let once = seed::run(3, SPAN_MIN, false).unwrap();
    assert_eq!(once.broken, None);
    assert!(once.orders > 10 && once.fills > 10, "it trades: {once:?}");
    assert_eq!(once.faults.len(), 0);
    assert!(once.simulated >= SPAN_MIN && once.checks > 100);
    assert_eq!(seed::run(3, Ns(0), false).unwrap(), once, "the shortest span is the same");
}
