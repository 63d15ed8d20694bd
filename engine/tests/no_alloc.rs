//! Core and paper venues take all their memory at construction.
#![allow(clippy::unwrap_used)] // Helpers of a test are tests.

#[path = "common/counting.rs"]
mod counting;

use counting::allocations;
use engine::core::{CoreConfig, Outlet};
use engine::event::{Bundle, Event, Grounds};
use engine::pair::{FeeRule, Instrument, Pair, PairTable, Polarity, SizeRule, Verdict};
use engine::paper::PaperCore;
use engine::tile::Now;
use engine::top::{Health, Levels, MarketId, Top};
use engine::units::{Ns, Px, Qty, Usd, Venue};

#[derive(Default)]
struct Count {
    bundles: u64,
    events: u64,
}

impl Outlet for Count {
    fn bundle(&mut self, _: &Bundle, _: &Grounds) {
        self.bundles += 1;
    }

    fn event(&mut self, _: &Event) {
        self.events += 1;
    }
}

fn market(venue: Venue, index: usize) -> MarketId {
    MarketId::new(venue, index).unwrap()
}

fn pair(index: usize) -> Pair {
    let terms = |venue, fee, whole_cents| Instrument {
        market: market(venue, index),
        fee,
        size: SizeRule { min_qty: Qty::lit(1), min_notional: Usd::ZERO, whole_cents },
        tick: Px::lit(100),
        taker_delay: Ns(0),
    };
    Pair {
        id: index.to_string(),
        event: None,
        polarity: if index.is_multiple_of(2) { Polarity::Same } else { Polarity::Inverted },
        legs: None,
        verdict: Verdict::Approved,
        sides: [
            terms(Venue::Kalshi, FeeRule::quadratic(1_000_000).unwrap(), false),
            terms(Venue::Polymarket, FeeRule::curve(50_000, 1).unwrap(), true),
        ],
        worst_payoff: Px::ZERO,
        expected_resolution: None,
        close_time: None,
        game_start: None,
    }
}

#[test]
fn nothing_is_allocated_after_construction() {
    const PAIRS: usize = 8;
    let table = PairTable::new((0..PAIRS).map(pair).collect()).unwrap();
    let config = CoreConfig {
        min_profit: Usd::ZERO,
        max_qty: Qty::lit(1_000),
        cash: [Usd::new(100_000_000_000); 2],
        cooldown: Ns(0),
        trade: true,
        ..CoreConfig::default()
    };
    let mut core = PaperCore::new(table, [PAIRS; 2], config, [Ns(3), Ns(7)]);
    let mut out = Count::default();
    let before = allocations();
    let mut random = 1u64;
    for step in 0..50_000u64 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let pick = |shift: u32, n: u64| ((random >> shift) % n) as u16;
        let mut top =
            Top::unknown(market(Venue::ALL[usize::from(pick(40, 2))], usize::from(pick(41, 8))));
        let (bid, ask) = (4_000 + 10 * pick(44, 60), 4_700 + 10 * pick(50, 60));
        let levels = |a: u16, b: u16| Levels { qty: [900, 700, 0, 0], px: [a, b, 0, 0] };
        top.set_bids(&levels(bid, bid - 100));
        top.set_asks(&levels(ask, ask + 100));
        top.health = if pick(56, 20) == 0 { Health::Gap } else { Health::Sound };
        top.recv = Ns(step);
        top.generation = step as u32;
        core.on_top(Now::at(top.recv), &top, &mut out);
    }
    core.drain(&mut out);
    let allocated = allocations() - before;
    assert!(out.bundles > 1_000 && out.events > 10_000, "{} bundles prove nothing", out.bundles);
    assert!(core.core().figures().fills > 1_000);
    assert_eq!(allocated, 0);
}
