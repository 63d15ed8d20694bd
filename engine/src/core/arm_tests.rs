//! What is asked to be signed ahead, and that decisions are cut to it.

use super::*;
use crate::core::CoreConfig;
use crate::event::{Bundle, Event, Grounds};
use crate::fixture::{config, market, pair, table, top};
use crate::pair::Polarity;
use crate::units::Venue;

#[derive(Default)]
struct Heard {
    arms: Vec<ArmRequest>,
    bundles: Vec<Bundle>,
}

impl Outlet for Heard {
    fn bundle(&mut self, bundle: &Bundle, _grounds: &Grounds) {
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

/// A leg of a bundle as it lies ready, or not.
fn was_asked_for(out: &Heard, bundle: &Bundle) -> bool {
    let fired = &bundle.legs[1];
    let is = |arm: &ArmRequest| {
        (arm.direction, arm.leg.market, arm.leg.outcome)
            == (bundle.direction, fired.market, fired.outcome)
            && (arm.leg.limit, arm.leg.qty, arm.leg.budget)
                == (fired.limit, fired.qty, fired.budget)
    };
    out.arms.iter().any(is)
}

#[test]
fn the_order_that_leaves_was_asked_for_whichever_venue_moves() {
    for moved in Venue::ALL {
        let (mut core, mut out) = (core(Some(Usd::new(50_000))), Heard::default());
        book(&mut core, &mut out, Venue::Polymarket, 1, (5_000, 10_000), (5_100, 10_000));
        // YES at 0.46 there and NO at 0.50 here leave some half cent after fees: not enough.
        book(&mut core, &mut out, Venue::Kalshi, 2, (4_500, 10_000), (4_650, 10_000));
        assert!(out.bundles.is_empty());
        assert!(out.arms.iter().any(|arm| {
            let leg = &arm.leg;
            (arm.direction, leg.limit, leg.qty, arm.rank)
                == (Direction::FirstYes, Px::lit(5_000), Qty::lit(10_000), 0)
        }));
        let asked = out.arms.len();
        book(&mut core, &mut out, Venue::Kalshi, 3, (4_500, 9_999), (4_650, 10_000));
        assert_eq!(out.arms.len(), asked, "nothing changed that matters");
        book(&mut core, &mut out, Venue::Kalshi, 3 + ARM_AGE.0, (4_500, 9_998), (4_650, 10_000));
        let again = out.arms.len() - asked;
        assert!((1..=2 * ARMS_MAX).contains(&again), "old ones are renewed: {again}");
        match moved {
            Venue::Kalshi => {
                book(&mut core, &mut out, moved, 4 + ARM_AGE.0, (4_300, 10_000), (4_400, 10_000));
            }
            Venue::Polymarket => {
                book(&mut core, &mut out, moved, 4 + ARM_AGE.0, (5_230, 10_000), (5_330, 10_000));
            }
        }
        assert_eq!(out.bundles.len(), 1);
        let bundle = &out.bundles[0];
        assert!(was_asked_for(&out, bundle), "{moved}: {bundle:?}");
        assert!(bundle.legs[1].qty >= Qty::lit(6_000), "{moved}: most of it is taken");
        let [first, second] = bundle.legs.map(|leg| leg.expected);
        assert_eq!(first.floor_qty(), second.floor_qty(), "{moved}: the other leg follows");
    }
}

#[test]
fn whatever_depth_a_move_shows_some_size_lies_ready_unless_it_is_tiny() {
    let mut ready = 0;
    for (moved, shown) in Venue::ALL.into_iter().flat_map(|v| (10..=120).map(move |n| (v, n))) {
        let (mut core, mut out) = (core(Some(Usd::new(50_000))), Heard::default());
        book(&mut core, &mut out, Venue::Polymarket, 1, (5_000, 8_000), (5_100, 10_000));
        book(&mut core, &mut out, Venue::Kalshi, 2, (4_500, 10_000), (4_650, 9_000));
        match moved {
            Venue::Kalshi => book(&mut core, &mut out, moved, 3, (4_300, 10), (4_400, shown * 100)),
            Venue::Polymarket => {
                book(&mut core, &mut out, moved, 3, (5_210, shown * 100), (5_330, 10));
            }
        }
        let bundle = &out.bundles[0];
        let is_ready = was_asked_for(&out, bundle);
        assert!(is_ready || shown < 40, "{moved} {shown}: {bundle:?}");
        ready += u32::from(is_ready);
        let most = u64::from(shown.min(90)) * 100;
        let takes = bundle.legs.map(|leg| leg.expected.floor_qty().e2());
        assert!(takes.iter().all(|took| *took <= most && *took * 2 >= most), "{shown}: {takes:?}");
    }
    assert!(ready > 180, "{ready} of 222");
}

#[test]
fn an_order_that_lies_ready_gains_enough_at_its_worst_price() {
    // The first venue's next price is dearer: the order that is ready for it is a cheaper one.
    let (mut core, mut out) = (core(Some(Usd::new(80_000))), Heard::default());
    let first =
        top(market(Venue::Kalshi, 0), 1, &[(4_500, 9_000)], &[(4_650, 500), (4_750, 9_000)]);
    core.on_top(Now::at(first.recv), &first, &mut out);
    book(&mut core, &mut out, Venue::Polymarket, 2, (5_000, 9_000), (5_100, 9_000));
    for arm in out.arms.iter().filter(|arm| arm.direction == Direction::FirstYes) {
        assert!(arm.leg.limit <= Px::lit(5_000) && arm.leg.limit.e4().is_multiple_of(10));
    }
    // NO at 0.465: against 0.475 it earns what is wanted up to some price, and no dearer one leaves.
    book(&mut core, &mut out, Venue::Polymarket, 3, (5_350, 9_000), (5_450, 9_000));
    let bundle = &out.bundles[0];
    assert!(was_asked_for(&out, bundle), "{bundle:?}");
    let worst = bundle.legs.map(|leg| i64::from(leg.limit.e4()) * 100);
    let fees = bundle.legs.map(|leg| leg.fee.e6() * 1_000_000 / leg.expected.e6() as i64);
    let gain = 1_000_000 - worst[0] - worst[1] - fees[0] - fees[1];
    assert!(gain >= 9_900, "{gain} of the 10,000 that are wanted, but for roundings");
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

#[test]
fn on_another_tick_other_orders_are_asked_for() {
    use crate::event::Control;
    use crate::grid::Grid;
    let (mut core, mut out) = (core(Some(Usd::new(50_000))), Heard::default());
    book(&mut core, &mut out, Venue::Polymarket, 1, (5_000, 10_000), (5_100, 10_000));
    book(&mut core, &mut out, Venue::Kalshi, 2, (4_500, 10_000), (4_650, 10_000));
    let odd = |arm: &ArmRequest| !arm.leg.limit.e4().is_multiple_of(100);
    assert!(out.arms.iter().any(odd), "tenths of a cent");
    let control = Control::Grid { market: market(Venue::Polymarket, 0), grid: Grid::CENT };
    core.on_control(Now::at(Ns(3)), &control, &mut out);
    out.arms.clear();
    book(&mut core, &mut out, Venue::Kalshi, 4, (4_500, 10_000), (4_650, 9_999));
    assert!(!out.arms.is_empty() && !out.arms.iter().any(odd), "all of them anew, on whole cents");
    book(&mut core, &mut out, Venue::Polymarket, 5, (5_300, 10_000), (5_400, 10_000));
    assert!(was_asked_for(&out, &out.bundles[0]));
    assert!(out.bundles[0].legs[1].limit.e4().is_multiple_of(100));
}
