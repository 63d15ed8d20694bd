//! Rate tokens that are taken for both legs of a bundle before it comes to any gate.

use std::sync::Arc;

use engine::budget::take_all;
use engine::event::{Bundle, Reject, ReportKind, Ticket};
use engine::risk::limits::{Rate, RiskLimits};
use engine::units::Ns;

use super::rig::*;

#[test]
fn while_one_venue_has_no_tokens_no_leg_leaves_at_either() {
    let ((mut here, _), (mut there, _)) = (polymarket(), kalshi());
    let budgets = [there.gate.clerk().budgets(), here.gate.clerk().budgets()];
    let [first, second] = [&budgets[0], &budgets[1]].map(Arc::as_ref);
    let markets = legs().map(|leg| leg.market);
    let mut sent = 0;
    for round in 0..6 {
        // Two clocks of the same kind run in both rigs; the earlier one has fewer tokens.
        let now = here.now().mono.min(there.now().mono);
        let ticket = match take_all(&[first, second], &markets, now) {
            true => Ticket::Taken,
            false => Ticket::Refused,
        };
        let mut reports = Vec::new();
        let bundle = Bundle { ticket, ..here.bundle(legs()) };
        here.send(bundle);
        here.run(1);
        reports.extend(here.reports());
        let bundle = Bundle { ticket, ..there.bundle(legs()) };
        there.send(bundle);
        there.run(1);
        reports.extend(there.reports());
        let orders = |requests: Vec<(usize, String)>| -> Vec<usize> {
            let is_order = |(_, text): &(usize, String)| text.starts_with("POST");
            requests.into_iter().filter(is_order).map(|(slot, _)| slot).collect()
        };
        let slots = [orders(here.requests()), orders(there.requests())];
        let left = [slots[0].len(), slots[1].len()];
        if round < 4 {
            assert_eq!((reports.as_slice(), left), ([ReportKind::Sent; 2].as_slice(), [1, 1]));
            sent += 1;
            here.peer(slots[0][0]).borrow_mut().answer(400, "", r#"{"error":"no"}"#);
            there.peer(slots[1][0]).borrow_mut().answer(400, "", r#"{"error":"no"}"#);
            here.run(2);
            there.run(2);
            here.reports();
            there.reports();
        } else {
            // Polymarket lets four through at once; Kalshi's own tokens would do for many more.
            let refused = ReportKind::Rejected(Reject::Budget);
            assert_eq!((reports.as_slice(), left), ([refused; 2].as_slice(), [0, 0]), "{round}");
            assert!(first.of(markets[0]).tokens(now) > 100);
        }
    }
    assert_eq!(sent, 4);
}

/// Repairs of what left before need the gate.
#[test]
fn a_lack_of_our_own_tokens_is_no_error_of_the_venue() {
    let repeats = Rate { count: 3, within: Ns(60 * S) };
    let limits = RiskLimits { errors: 1, error_rest: Ns(5 * S), repeats, ..RiskLimits::NONE };
    let (mut rig, _words) = kalshi().0.guarded(&limits);
    for _ in 0..5 {
        let bundle = Bundle { ticket: Ticket::Refused, ..rig.bundle(legs()) };
        rig.send(bundle);
        rig.run(1);
        assert_eq!(rig.reports(), [ReportKind::Rejected(Reject::Budget)]);
        assert!(rig.gate.is_ready());
    }
    let (slot, _) = rig.fire(legs());
    rig.peer(slot).borrow_mut().answer(429, "", r#"{"error":"too many requests"}"#);
    rig.run(1);
    assert!(!rig.gate.is_ready(), "its own word is one");
}

#[test]
fn what_was_taken_goes_back_where_a_leg_does_not_leave() {
    let (mut rig, _) = kalshi();
    let budgets = rig.gate.clerk().budgets();
    let market = legs()[0].market;
    let full = budgets.of(market).tokens(rig.now().mono);
    assert!(budgets.take(market, rig.now().mono));
    assert_eq!(budgets.of(market).tokens(rig.now().mono), full - 10);
    let now = rig.now().mono;
    let late = Bundle { ticket: Ticket::Taken, deadline: now, ..rig.bundle(legs()) };
    rig.pass(1);
    rig.send(late);
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Rejected(Reject::Expired)]);
    assert_eq!(budgets.of(market).tokens(rig.now().mono), full);
    // What left is paid for.
    assert!(budgets.take(market, rig.now().mono));
    let bundle = Bundle { ticket: Ticket::Taken, ..rig.bundle(legs()) };
    rig.send(bundle);
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Sent]);
    assert!(budgets.of(market).tokens(rig.now().mono) < full - 8);
}
