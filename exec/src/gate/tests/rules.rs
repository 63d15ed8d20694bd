//! Rules of markets that change while orders are decided and lie ready.

use engine::event::{Control, Leg, Reject, ReportKind};
use engine::grid::Grid;
use engine::pair::{FeeRule, Outcome};
use engine::risk::limits::RiskLimits;
use engine::units::{Ns, Px, Venue};

use super::rig::*;
use crate::armed::ArmedOrder;
use crate::armed::tests::{armory, terms};

/// A leg of ten contracts at a price, beside one of the other venue.
fn at(venue: Venue, px: u16, qty: u64) -> [Leg; 2] {
    let mut both = legs();
    let number = usize::from(venue == Venue::Polymarket);
    both[number] = leg(market(venue, 1), Outcome::Yes, px, qty);
    both
}

#[test]
fn an_order_that_lies_ready_on_a_tick_that_is_gone_does_not_leave() {
    let (mut rig, mut filler) = polymarket();
    let fine = at(Venue::Polymarket, 4_510, 1_000);
    let mut order = ArmedOrder::EMPTY;
    for slot in 0..2 {
        order.slot = slot;
        armory().arm(&fine[1], &terms(), rig.now().wall, &mut order).unwrap();
        assert!(filler.push(&order));
    }
    rig.run(2);
    let bundle = rig.bundle(fine);
    rig.send(bundle);
    rig.run(1);
    assert_eq!((rig.reports(), rig.gate.figures().hits), (vec![ReportKind::Sent], 1));
    // The rule is there before the bundle; no step is in between.
    let market = fine[1].market;
    rig.rules.push(Control::Grid { market, grid: Grid::CENT }).unwrap();
    let bundle = rig.bundle(fine);
    rig.send(bundle);
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Rejected(Reject::Malformed)]);
    assert_eq!(rig.gate.figures().fired, 1, "nothing on the old tick");
    // On a finer one than at the start it leaves, signed on the spot.
    rig.rules.push(Control::Grid { market, grid: Grid::CENTI_CENT }).unwrap();
    let bundle = rig.bundle(at(Venue::Polymarket, 4_505, 2_000));
    rig.send(bundle);
    rig.run(1);
    assert_eq!((rig.reports(), rig.gate.figures().inline), (vec![ReportKind::Sent], 1));
}

#[test]
fn a_close_that_moved_holds_at_the_gate_too() {
    let (mut rig, _words) = kalshi().0.guarded(&RiskLimits::NONE);
    // Of the pair that the bundles are of.
    let market = market(Venue::Kalshi, 7);
    let at = rig.now().wall;
    rig.rules.push(Control::Close { market, at }).unwrap();
    let bundle = rig.bundle(legs());
    rig.send(bundle);
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Rejected(Reject::Limit)]);
    assert!(rig.requests().is_empty(), "nothing left");
    rig.rules.push(Control::Close { market, at: Ns(at.0 + 60 * S) }).unwrap();
    rig.fire(legs());
}

#[test]
fn a_grid_that_refines_lets_its_new_prices_leave() {
    let (mut rig, _) = kalshi();
    let fine = at(Venue::Kalshi, 4_010, 1_000);
    let bundle = rig.bundle(fine);
    rig.send(bundle);
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Rejected(Reject::Malformed)]);
    let market = fine[0].market;
    rig.rules.push(Control::Grid { market, grid: Grid::DECI_CENT }).unwrap();
    let (slot, request) = rig.fire(fine);
    assert!(request.contains("0.4010"), "{request}");
    // Fees that change count for fills that do not tell theirs: none from now on.
    let fee = Some(FeeRule::quadratic(0).unwrap());
    rig.rules.push(Control::Fee { market, fee }).unwrap();
    rig.peer(slot).borrow_mut().answer(400, "", r#"{"error":"no"}"#);
    rig.run(2);
    rig.pass(1);
    rig.run(1);
    let clerk = rig.gate.clerk();
    let mut fees = crate::gate::clerk::Clerk::fees(clerk, &fine[0]);
    let (shares, px) = (engine::units::Shares::new(1_000_000), Px::lit(4_000));
    let cost = engine::fee::cost_of(shares, px);
    assert!(fees.buy(shares, px, cost).e6() < 100, "the balance grid alone");
}
