//! Budgets by hand, under threads, and beside a slow twin.

use super::*;
use proptest::prelude::*;

const S: u64 = SECOND;

#[test]
fn the_reserve_is_for_cancels() {
    let budget = Budget::new(100, 100, 20);
    assert!((0..8).all(|_| budget.take(10, Ns(0))));
    assert!(!budget.take(10, Ns(0)), "20 left are the reserve");
    assert!((0..10).all(|_| budget.take_reserved(2, Ns(0))));
    assert!(!budget.take_reserved(2, Ns(0)));
    assert!(!budget.take_reserved(2, Ns(S / 50 - 1)), "a nanosecond too early");
    assert!(budget.take_reserved(2, Ns(S / 50)));
    budget.give_back(1_000);
    assert_eq!(budget.tokens(Ns(S / 50)), 100, "never above the capacity");
    budget.empty(Ns(S));
    assert_eq!((budget.tokens(Ns(S)), budget.tokens(Ns(S / 2))), (0, 0));
    assert_eq!(budget.tokens(Ns(u64::MAX)), 100);
}

#[test]
fn a_cost_above_the_capacity_never_passes_and_without_a_rate_nothing_does() {
    let budget = Budget::new(TOKENS_MAX, u32::MAX, 0);
    assert!(!budget.take(u32::MAX, Ns(S)));
    assert!(budget.take(TOKENS_MAX, Ns(S)));
    assert!(!Budget::new(0, 100, 0).take(1, Ns(S)));
}

#[test]
fn both_legs_are_paid_for_or_neither() {
    let market = |venue, index| MarketId::new(venue, index).unwrap();
    let (first, second) = (market(Venue::Kalshi, 1), market(Venue::Polymarket, 0));
    let shards = vec![Budget::new(10, 10, 0), Budget::new(10, 30, 0)];
    let kalshi = OrderBudgets::new(shards, vec![0, 1, 9], 10);
    let polymarket = OrderBudgets::new(vec![Budget::new(1, 2, 0)], vec![], 1);
    let left = || [kalshi.of(first).tokens(Ns(0)), polymarket.of(second).tokens(Ns(0))];
    let both = [&kalshi, &polymarket];
    assert!(take_all(&both, &[first, second], Ns(0)));
    assert_eq!(left(), [20, 1]);
    assert!(take_all(&both, &[second], Ns(0)));
    assert!(!take_all(&both, &[first, second], Ns(0)));
    assert_eq!(left(), [20, 0], "the first leg's went back");
    assert!(!take_all(&both, &[second, first], Ns(0)));
    assert_eq!(left(), [20, 0]);
    polymarket.give_back(second);
    assert!(!take_all(&both, &[second, second], Ns(0)), "both legs may be of one venue");
    assert_eq!(left(), [20, 1]);
    assert_eq!(kalshi.of(market(Venue::Kalshi, 0)).tokens(Ns(0)), 10, "each shard its own");
    assert_eq!(kalshi.of(market(Venue::Kalshi, 2)).tokens(Ns(0)), 20, "beyond the last: the last");
    assert_eq!(kalshi.of(market(Venue::Kalshi, 7)).tokens(Ns(0)), 20, "unlisted: the last");
}

#[test]
fn threads_together_take_no_more_than_there_is() {
    let budget = Budget::new(1, 1_000, 0);
    let taken: usize = std::thread::scope(|scope| {
        let takers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..1_000).filter(|_| budget.take(1, Ns(0))).count()))
            .collect();
        takers.into_iter().map(|taker| taker.join().unwrap()).sum()
    });
    assert_eq!(taken, 1_000);
}

/// The slow twin: exact integers, and a list of what was taken and when.
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
}

proptest! {
    /// With a rate that divides a second nothing is rounded, and both agree to the nanosecond;
    /// with any other it lets through no more than its twin.
    #[test]
    fn it_admits_what_its_slow_twin_admits(
        exact in any::<bool>(),
        rate in 1u32..5_000,
        capacity in 1u32..15_000,
        reserve in 0u32..100,
        steps in proptest::collection::vec((0u64..400_000_000, 1u32..60, any::<bool>()), 0..80),
    ) {
        let rate = if exact { [1, 10, 40, 100, 500, 1_000][rate as usize % 6] } else { rate };
        let fast = Budget::new(rate, capacity, reserve);
        let unit = u128::from(S);
        let mut slow =
            Slow { rate: rate.into(), capacity: u128::from(capacity) * unit, taken: Vec::new() };
        let mut now = 0;
        for (passed, cost, is_cancel) in steps {
            now += passed;
            let took = if is_cancel {
                fast.take_reserved(cost, Ns(now))
            } else {
                fast.take(cost, Ns(now))
            };
            let floor = if is_cancel { 0 } else { u128::from(reserve) * unit };
            let cost = u128::from(cost) * unit;
            let fits = slow.level(now) >= cost + floor;
            prop_assert!(fits || !took);
            if exact {
                prop_assert_eq!(took, fits);
            }
            if took {
                slow.taken.push((now, cost));
            }
            if exact {
                prop_assert_eq!(u128::from(fast.tokens(Ns(now))), slow.level(now) / unit);
            }
        }
    }
}
