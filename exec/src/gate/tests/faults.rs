//! Answers that do not come, venues that take no orders, cores that do not listen.

use std::sync::atomic::Ordering;

use engine::units::Venue;
use serde_json::json;

use super::kalshi::{body, created, fill};
use super::rig::*;
use crate::gate::kalshi::KalshiClerk;
use crate::gate::*;
use engine::event::{Bundle, Feedback, Reject, ReportKind};
use engine::risk::limits::RiskLimits;

fn gate_news(feedback: &[Feedback]) -> Vec<bool> {
    let ready = |f: &Feedback| match f {
        Feedback::Gate { ready, .. } => Some(*ready),
        Feedback::Report(_) | Feedback::Tripped { .. } | Feedback::Vacated { .. } => None,
    };
    feedback.iter().filter_map(ready).collect()
}

/// Fires an order on Kalshi whose connection breaks, and gives its client id.
fn lose(rig: &mut Rig<crate::gate::kalshi::KalshiClerk>) -> serde_json::Value {
    let (slot, request) = rig.fire(legs());
    rig.peer(slot).borrow_mut().is_over = true;
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Unknown]);
    assert_eq!(rig.gate.open_orders(), [1, 1]);
    body(&request)["client_order_id"].clone()
}

#[test]
fn what_became_of_an_order_without_an_answer_is_found_out() {
    let (mut rig, _) = kalshi();
    let client = lose(&mut rig);
    let (aside, question) = rig.request();
    assert_eq!(aside, ORDERS, "no order waits for a question");
    assert!(question.starts_with("GET /trade-api/v2/portfolio/orders?ticker=KXTEST-1"));
    assert!(question.contains("KALSHI-ACCESS-SIGNATURE"));
    let list = json!({"cursor": "", "orders": [
        {"order_id": "X", "client_order_id": "other", "status": "resting", "fill_count_fp": "1"},
        {"order_id": "O-1", "client_order_id": client, "status": "executed",
            "fill_count_fp": "10.00"}]});
    rig.peer(aside).borrow_mut().answer(200, "", &list.to_string());
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Acked], "it is there; its fills are not yet");
    let (_, question) = rig.request();
    assert!(question.starts_with("GET /trade-api/v2/portfolio/fills?order_id=o-1"), "{question}");
    let row = |trade: &str, count: &str| {
        json!({"fill_id": trade, "order_id": "O-1", "count_fp": count, "outcome_side": "no",
            "yes_price_dollars": "0.6000", "fee_cost": "0.0100"})
    };
    // The list lags: one of two.
    let fills = json!({"cursor": "", "fills": [row("T-1", "4.00")]});
    rig.peer(aside).borrow_mut().answer(200, "", &fills.to_string());
    rig.run(1);
    assert_eq!(rig.reports(), [filled(4_000_000, 4_000, 1_600_000, 10_000)]);
    assert_eq!(rig.requests(), [], "not at once again");
    // The channel tells the other; the first is not counted twice.
    rig.hear(&fill("T-1", "O-1", "4.00", "0.0100"));
    rig.hear(&fill("T-2", "O-1", "6.00", "0.0100"));
    rig.run(1);
    assert_eq!(rig.reports(), [filled(6_000_000, 4_000, 2_400_000, 10_000), ReportKind::Done]);
    assert_eq!((rig.gate.figures().unknown, rig.gate.figures().resolved), (1, 1));
    rig.pass(60 * S);
    rig.run(3);
    assert_eq!(rig.requests().iter().filter(|(_, r)| r.contains("/portfolio/")).count(), 0);
}

#[test]
fn absence_is_proved_by_whole_lists_and_time() {
    let (mut rig, _) = kalshi();
    lose(&mut rig);
    let none = r#"{"cursor":"","orders":[]}"#;
    let mut questions = 0;
    let ends = loop {
        for (aside, _) in rig.requests().into_iter().filter(|(_, r)| r.contains("/portfolio/")) {
            questions += 1;
            // The first list is cut off, and one is an error: they prove nothing.
            let (status, list) = match questions {
                1 => (200, r#"{"cursor":"more","orders":[]}"#),
                2 => (500, ""),
                _ => (200, none),
            };
            rig.peer(aside).borrow_mut().answer(status, "", list);
        }
        // Pings of the venue.
        rig.channel().borrow_mut().to_hear.push_back(None);
        rig.pass(94 * MS);
        rig.run(1);
        let reports = rig.reports();
        if !reports.is_empty() {
            assert_eq!(reports, [ReportKind::Rejected(Reject::Venue)]);
            break rig.now().mono.0;
        }
        assert!(questions < 60, "it never ends");
    };
    // The order left at the second second; a round is due when sixty are over.
    assert!((60 * S..62 * S).contains(&ends), "{ends}");
    assert!((5..20).contains(&questions), "{questions}");
}

#[test]
fn a_timeout_is_no_refusal() {
    let (mut rig, _) = kalshi();
    let (slot, request) = rig.fire(legs());
    rig.pass(5 * S);
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Unknown]);
    assert!(rig.peer(slot).borrow().closed, "a late answer has nowhere to go");
    // The channel knows better, without any question.
    let client = &body(&request)["client_order_id"];
    let over = json!({"type": "user_order", "sid": 2, "msg": {"order_id": "O-1",
        "client_order_id": client, "status": "canceled", "fill_count_fp": "0.00"}});
    rig.hear(&over.to_string());
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Acked, ReportKind::Cancelled]);
}

#[test]
fn nothing_leaves_late_after_a_kill_or_without_a_way_back() {
    let refused = |rig: &mut Rig<crate::gate::kalshi::KalshiClerk>, bundle, reason| {
        rig.send(bundle);
        rig.run(1);
        assert_eq!(rig.reports(), [ReportKind::Rejected(reason)]);
        assert_eq!(rig.requests(), []);
    };
    let (mut rig, _) = kalshi();
    let late = Bundle { deadline: rig.now().mono, ..rig.bundle(legs()) };
    refused(&mut rig, late, Reject::Expired);
    let mut wrong = rig.bundle(legs());
    wrong.legs[0].budget = wrong.legs[0].cost + engine::units::Usd::new(1);
    refused(&mut rig, wrong, Reject::Malformed);
    let mut unknown = rig.bundle(legs());
    unknown.legs[0].market = market(Venue::Kalshi, 99);
    refused(&mut rig, unknown, Reject::Malformed);
    rig.channel().borrow_mut().is_over = true;
    rig.run(1);
    assert_eq!(gate_news(&rig.feedback()), [false]);
    let deaf = rig.bundle(legs());
    refused(&mut rig, deaf, Reject::Shut);
    assert_eq!(rig.gate.figures().refused, [1, 0, 0, 0, 0, 0, 2, 0, 0, 1, 0]);
    let (mut rig, _) = kalshi();
    rig.epoch.store(4, Ordering::Release);
    let old = rig.bundle(legs());
    rig.send(old);
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Rejected(Reject::Killed)]);
    // What leaves is the cancel of everything.
    assert!(rig.request().1.starts_with("DELETE "));
}

#[test]
fn a_bundle_waits_for_a_connection_until_its_deadline() {
    let (mut rig, _) = kalshi();
    let first = rig.fire(legs());
    rig.fire(legs());
    for _ in 0..2 {
        let bundle = rig.bundle(legs());
        rig.send(bundle);
    }
    rig.run(1);
    assert_eq!((rig.reports(), rig.requests().len()), (vec![], 0));
    let answer = created(&body(&first.1)["client_order_id"], "0.00");
    rig.peer(first.0).borrow_mut().answer(201, "", &answer);
    rig.run(2);
    let reports = rig.reports();
    assert_eq!(reports, [ReportKind::Acked, ReportKind::Cancelled, ReportKind::Sent]);
    rig.pass(50 * MS);
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Rejected(Reject::Expired)]);
}

/// Whoever decides sends neither leg where one of them would have to wait.
#[test]
fn a_gate_tells_how_many_orders_could_leave_at_once() {
    let (mut rig, lanes) = kalshi().0.with_lanes();
    rig.run(1);
    assert_eq!(lanes.free(0), 2);
    let first = rig.fire(legs());
    assert_eq!(lanes.free(1), 1);
    let second = rig.fire(legs());
    assert_eq!(lanes.free(2), 0, "both are under way");
    let answer = |rig: &mut Rig<KalshiClerk>, (slot, request): &(usize, String)| {
        let answer = created(&body(request)["client_order_id"], "0.00");
        rig.peer(*slot).borrow_mut().answer(201, "", &answer);
        rig.run(2);
    };
    let bundle = rig.bundle(legs());
    rig.send(bundle);
    rig.run(1);
    answer(&mut rig, &first);
    assert_eq!(lanes.free(3), 0, "what waited has it");
    answer(&mut rig, &second);
    assert_eq!(lanes.free(3), 1);
    let late = Bundle { deadline: rig.now().mono, ..rig.bundle(legs()) };
    rig.send(late);
    rig.pass(1);
    rig.run(1);
    assert_eq!(lanes.free(4), 1, "what was refused was taken too");
}

#[test]
fn a_venue_that_takes_no_orders_is_left_alone_until_it_does() {
    let (mut rig, _) = polymarket();
    let (slot, _) = rig.fire(legs());
    let id = rig.gate.order_id();
    rig.peer(slot).borrow_mut().answer(425, "Retry-After: 2\r\n", r#"{"error":"restart"}"#);
    rig.run(1);
    let feedback = rig.feedback();
    assert_eq!(gate_news(&feedback), [false]);
    assert_eq!(rig.gate.open_orders(), [1, 1], "425 does not prove that it was not taken");
    let bundle = rig.bundle(legs());
    rig.send(bundle);
    // It was killed before the restart, as the venue tells when it is asked.
    let mut probes = Vec::new();
    let mut opened = 0;
    let start = rig.now().mono.0;
    while opened == 0 {
        for (aside, request) in rig.requests() {
            let (status, answer) = if request.starts_with("DELETE /order ") {
                probes.push(rig.now().mono.0 - start);
                (if probes.len() < 3 { 425 } else { 200 }, "{}".to_owned())
            } else if request.contains(&format!("/data/order/{id}")) {
                (200, json!({"id": id, "status": "CANCELED", "associate_trades": []}).to_string())
            } else {
                (200, r#"{"data":[],"next_cursor":"LTE="}"#.to_owned())
            };
            rig.peer(aside).borrow_mut().answer(status, "", &answer);
        }
        rig.hear("PONG");
        rig.pass(100 * MS);
        rig.run(1);
        let now = rig.now().mono.0 - start;
        let feedback = rig.feedback();
        if gate_news(&feedback) == [true] {
            opened = now;
        }
        assert!(now < 200 * S, "it never opens");
    }
    assert!(probes[0] >= 2 * S, "{probes:?}");
    assert!(
        opened - probes[2] >= 120 * S,
        "two minutes without takers follow: {probes:?} {opened}"
    );
    assert_eq!((rig.gate.open_orders(), rig.gate.figures().closed), ([0, 0], 1));
}

#[test]
fn a_new_channel_asks_for_what_the_old_one_missed() {
    let (mut rig, _) = kalshi();
    let (slot, request) = rig.fire(legs());
    let answer = created(&body(&request)["client_order_id"], "10.00");
    rig.peer(slot).borrow_mut().answer(201, "", &answer);
    rig.run(1);
    rig.channel().borrow_mut().is_over = true;
    rig.run(1);
    rig.pass(300 * MS);
    rig.subscribe();
    rig.run(2);
    assert!(rig.gate.is_ready());
    let (_, question) = rig.request();
    assert!(question.starts_with("GET /trade-api/v2/portfolio/orders"), "{question}");
}

#[test]
fn a_core_that_does_not_listen_loses_nothing() {
    let (rig, _) = kalshi();
    let clerk = rig.gate.clerk;
    let mut rig = Rig::cold(clerk, 1);
    rig.subscribe();
    rig.run(3);
    assert!(rig.gate.is_ready());
    let mut kinds = Vec::new();
    let (late, legs) = (rig.now().mono, legs());
    for _ in 0..12 {
        let bundle = Bundle { deadline: late, ..rig.bundle(legs) };
        rig.send(bundle);
        rig.run(1);
    }
    for _ in 0..20 {
        kinds.extend(rig.feedback());
        rig.run(1);
    }
    let bundles: Vec<u64> = kinds
        .iter()
        .filter_map(|f| match f {
            Feedback::Report(report) => Some(report.bundle.0),
            Feedback::Gate { .. } | Feedback::Tripped { .. } | Feedback::Vacated { .. } => None,
        })
        .collect();
    assert_eq!(bundles, (1..=12).collect::<Vec<u64>>());
}

#[test]
fn a_clock_that_was_set_back_closes_the_gate_until_there_are_stamps_again() {
    let (mut rig, _) = kalshi();
    let wall = rig.now().wall;
    rig.set_wall(Ns(wall.0 - 20 * S));
    rig.run(1);
    assert_eq!(gate_news(&rig.feedback()), [false], "its leg would stay, and the other one leave");
    rig.set_wall(wall);
    rig.run(1);
    assert_eq!(gate_news(&rig.feedback()), [true]);
}

#[test]
fn a_venue_that_only_cancels_is_left_alone_for_a_while_and_that_is_no_error() {
    let limits = RiskLimits { errors: 1, error_rest: Ns(5 * S), ..RiskLimits::NONE };
    let (mut rig, _words) = polymarket().0.guarded(&limits);
    let (slot, _) = rig.fire(legs());
    let mode = r#"{"error":"Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."}"#;
    rig.peer(slot).borrow_mut().answer(503, "", mode);
    rig.run(1);
    let feedback = rig.feedback();
    assert_eq!(gate_news(&feedback), [false]);
    let tripped = |one: &Feedback| matches!(one, Feedback::Tripped { .. });
    assert!(!feedback.iter().any(tripped), "the door is shut for it already: {feedback:?}");
    let closed = ReportKind::Rejected(Reject::Closed);
    let refused = |one: &Feedback| matches!(one, Feedback::Report(it) if it.kind == closed);
    assert!(feedback.iter().any(refused), "{feedback:?}");
    let start = rig.now().mono.0;
    loop {
        // Cancels pass all the time: that they do proves nothing.
        for (aside, _) in rig.requests() {
            rig.peer(aside).borrow_mut().answer(200, "", "{}");
        }
        rig.hear("PONG");
        rig.pass(100 * MS);
        rig.run(1);
        let now = rig.now().mono.0 - start;
        if gate_news(&rig.feedback()) == [true] {
            assert!((30 * S..32 * S).contains(&now), "{now}");
            return;
        }
        assert!(now < 60 * S, "it never opens");
    }
}
