//! What is asked to be signed ahead, and that decisions are cut to it.

use super::*;
use crate::core::CoreConfig;
use crate::event::{Bundle, Event};
use crate::fixture::{config, market, pair, table, top};
use crate::pair::Polarity;
use crate::units::Venue;

#[derive(Default)]
struct Heard {
    arms: Vec<ArmRequest>,
    bundles: Vec<Bundle>,
}

impl Outlet for Heard {
    fn bundle(&mut self, bundle: &Bundle) {
        self.bundles.push(*bundle);
    }

    fn event(&mut self, _event: &Event) {}

    fn arm(&mut self, request: &ArmRequest) {
        self.arms.push(*request);
    }
}

fn core(within: Option<Usd>) -> Core {
    let config = CoreConfig { min_profit: Usd::new(10_000), arm_within: within, ..config() };
    Core::new(table(&[pair("a", 0, 0, Polarity::Same)]), [0, 0], config)
}

fn book(core: &mut Core, out: &mut Heard, venue: Venue, at: u64, bid: (u16, u32), ask: (u16, u32)) {
    let top = top(market(venue, 0), at, &[bid], &[ask]);
    core.on_top(Now::at(top.recv), &top, out);
}

#[test]
fn the_order_that_is_asked_for_is_the_one_that_leaves() {
    let (mut core, mut out) = (core(Some(Usd::new(50_000))), Heard::default());
    book(&mut core, &mut out, Venue::Polymarket, 1, (5_000, 10_000), (5_100, 10_000));
    // YES at 0.46 there and NO at 0.50 here leave some half cent after fees: not enough.
    book(&mut core, &mut out, Venue::Kalshi, 2, (4_500, 10_000), (4_650, 10_000));
    assert!(out.bundles.is_empty());
    let arm = *out.arms.last().expect("close enough to be signed ahead");
    assert_eq!(
        (arm.direction, arm.leg.limit, arm.leg.qty),
        (Direction::FirstYes, Px::lit(5_000), Qty::lit(10_000))
    );
    let asked = out.arms.len();
    book(&mut core, &mut out, Venue::Kalshi, 3, (4_500, 9_999), (4_650, 10_000));
    assert_eq!(out.arms.len(), asked, "nothing changed that matters");
    book(&mut core, &mut out, Venue::Kalshi, 3 + ARM_AGE.0, (4_500, 9_998), (4_650, 10_000));
    assert_eq!(out.arms.len(), asked + 1, "old ones are renewed");
    book(&mut core, &mut out, Venue::Kalshi, 4 + ARM_AGE.0, (4_300, 10_000), (4_400, 10_000));
    assert_eq!(out.bundles.len(), 1);
    let fired = out.bundles[0].legs[1];
    assert_eq!((fired.market, fired.outcome), (arm.leg.market, arm.leg.outcome));
    assert_eq!(
        (fired.limit, fired.qty, fired.budget),
        (arm.leg.limit, arm.leg.qty, arm.leg.budget)
    );
}

#[test]
fn a_larger_chance_is_cut_to_what_lies_ready_and_a_much_larger_one_is_not() {
    for (shown, fired) in [(11_000, 8_000), (16_000, 8_000), (17_000, 17_000), (7_000, 7_000)] {
        let (mut core, mut out) = (core(Some(Usd::new(50_000))), Heard::default());
        book(&mut core, &mut out, Venue::Polymarket, 1, (5_000, 20_000), (5_100, 10_000));
        book(&mut core, &mut out, Venue::Kalshi, 2, (4_500, 10_000), (4_650, 8_000));
        assert_eq!(out.arms.last().unwrap().leg.qty, Qty::lit(8_000));
        book(&mut core, &mut out, Venue::Kalshi, 3, (4_300, 10_000), (4_400, shown));
        assert_eq!(out.bundles[0].legs.map(|leg| leg.qty.e2()), [fired; 2], "{shown} are shown");
    }
}

#[test]
fn nothing_is_asked_for_unless_wanted_or_where_nothing_may_be_decided() {
    let (mut core_off, mut out) = (core(None), Heard::default());
    book(&mut core_off, &mut out, Venue::Polymarket, 1, (5_000, 10_000), (5_100, 10_000));
    book(&mut core_off, &mut out, Venue::Kalshi, 2, (4_500, 10_000), (4_650, 10_000));
    assert!(out.arms.is_empty());
    let mut far = core(Some(Usd::new(1_000)));
    book(&mut far, &mut out, Venue::Polymarket, 1, (5_000, 10_000), (5_100, 10_000));
    book(&mut far, &mut out, Venue::Kalshi, 2, (4_500, 10_000), (4_750, 10_000));
    assert!(out.arms.is_empty(), "too far from leaving");
}
