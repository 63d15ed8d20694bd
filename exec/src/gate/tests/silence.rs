//! Private channels that answer pings and tell nothing: what they owe is asked for, and they are
//! left.

use engine::event::ReportKind;
use serde_json::{Value, json};

use super::kalshi::{body, created};
use super::polymarket::{fire, placed, trade};
use super::rig::*;
use crate::gate::clerk::Clerk;

/// Seconds in which the venue answers pings, and each question by `answer` where that knows one.
/// Returns the questions.
fn seconds<K: Clerk>(
    rig: &mut Rig<K>,
    seconds: u64,
    answer: &dyn Fn(&str) -> Option<String>,
) -> Vec<String> {
    let mut asked = Vec::new();
    for step in 0..seconds * 10 {
        if step % 10 == 0 {
            rig.channel().borrow_mut().to_hear.push_back(None);
        }
        rig.pass(94 * MS);
        rig.run(1);
        for (slot, request) in rig.requests() {
            let line = request.lines().next().unwrap().to_owned();
            if let Some(text) = answer(&line) {
                rig.peer(slot).borrow_mut().answer(200, "", &text);
                asked.push(line);
            }
        }
    }
    asked
}

/// What the venue says of an order that one trade filled, which stands so.
fn answers(id: &str, status: &str) -> impl Fn(&str) -> Option<String> {
    let order = json!({"id": id, "status": "MATCHED", "associate_trades": ["a"]}).to_string();
    let row: Value = serde_json::from_str(&trade("a", id, status, "0.55", "10")).unwrap();
    let page = json!({"limit": 100, "count": 1, "next_cursor": "LTE=", "data": [row]}).to_string();
    move |line| match line {
        line if line.starts_with("GET /data/order/") => Some(order.clone()),
        line if line.starts_with("GET /data/trades") => Some(page.clone()),
        _ => None,
    }
}

#[test]
fn a_failure_that_a_dead_channel_does_not_tell_is_asked_for_and_the_channel_is_left() {
    let (mut rig, _) = polymarket();
    let (slot, id) = fire(&mut rig);
    rig.peer(slot).borrow_mut().answer(200, "", &placed(&id, "matched", &json!(["a"])));
    rig.hear(&trade("a", &id, "MATCHED", "0.55", "10"));
    rig.run(1);
    assert_eq!(rig.reports().last(), Some(&ReportKind::Done));
    assert_eq!(seconds(&mut rig, 29, &answers(&id, "MATCHED")), [] as [String; 0]);
    let asked = seconds(&mut rig, 2, &answers(&id, "MATCHED"));
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(seconds(&mut rig, 29, &answers(&id, "FAILED")), [] as [String; 0]);
    let asked = seconds(&mut rig, 2, &answers(&id, "FAILED"));
    assert_eq!(asked.len(), 2, "{asked:?}");
    let reports = rig.reports();
    assert!(matches!(reports[..], [ReportKind::Undone { .. }]), "{reports:?}");
    assert_eq!(rig.gate.figures().channels_lost, 0, "it may tell yet");
    seconds(&mut rig, 3, &answers(&id, "FAILED"));
    assert_eq!(rig.gate.figures().channels_lost, 1, "what should have told that told nothing");
    assert_eq!(seconds(&mut rig, 90, &answers(&id, "FAILED")), [] as [String; 0]);
}

#[test]
fn an_order_whose_trades_are_final_is_asked_for_no_more() {
    let (mut rig, _) = polymarket();
    let (slot, id) = fire(&mut rig);
    rig.peer(slot).borrow_mut().answer(200, "", &placed(&id, "matched", &json!(["a"])));
    for status in ["MATCHED", "MINED", "CONFIRMED"] {
        rig.hear(&trade("a", &id, status, "0.55", "10"));
    }
    rig.run(1);
    assert_eq!(rig.reports().last(), Some(&ReportKind::Done));
    assert_eq!(seconds(&mut rig, 90, &answers(&id, "CONFIRMED")), [] as [String; 0]);
    assert_eq!(rig.gate.figures().channels_lost, 0);
}

#[test]
fn an_order_is_asked_for_until_its_trades_are_too_old_to_fail() {
    let (mut rig, _) = polymarket();
    let (slot, id) = fire(&mut rig);
    rig.peer(slot).borrow_mut().answer(200, "", &placed(&id, "matched", &json!(["a"])));
    rig.hear(&trade("a", &id, "MATCHED", "0.55", "10"));
    rig.run(1);
    let asked = seconds(&mut rig, 400, &answers(&id, "MINED"));
    assert_eq!(asked.len(), 2 * 10, "{asked:?}");
    assert_eq!(rig.gate.figures().channels_lost, 0, "nothing was news");
}

/// An order on Kalshi that filled at once, of which the channel says nothing; the venue's answers
/// tell the fill.
fn silent_fill() -> (Rig<crate::gate::kalshi::KalshiClerk>, String) {
    let (mut rig, _) = kalshi();
    let (slot, request) = rig.fire(legs());
    let client = body(&request)["client_order_id"].as_str().unwrap().to_owned();
    let order = "O-1".to_owned();
    rig.peer(slot).borrow_mut().answer(201, "", &created(&json!(client), "10.00"));
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Acked]);
    let fill = json!({"fill_id": "T-1", "order_id": order, "count_fp": "10.00",
        "outcome_side": "no", "yes_price_dollars": "0.6000", "fee_cost": "0.0100"});
    let fills = json!({"cursor": "", "fills": [fill]}).to_string();
    let orders = json!({"cursor": "", "orders": [{"order_id": order, "client_order_id": client,
        "status": "executed", "fill_count_fp": "10.00"}]})
    .to_string();
    let answers = move |line: &str| match line {
        line if line.contains("/portfolio/orders") => Some(orders.clone()),
        line if line.contains("/portfolio/fills") => Some(fills.clone()),
        _ => None,
    };
    let asked = seconds(&mut rig, 2, &answers);
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(rig.reports(), [filled(10_000_000, 4_000, 4_000_000, 10_000), ReportKind::Done]);
    (rig, order)
}

#[test]
fn a_channel_that_keeps_a_fill_to_itself_is_left_and_one_that_tells_late_is_not() {
    let (mut rig, _) = silent_fill();
    seconds(&mut rig, 3, &|_| None);
    assert_eq!(rig.gate.figures().channels_lost, 1);
    assert!(!rig.gate.is_ready(), "no order leaves whose fills nobody tells");

    let (mut rig, order) = silent_fill();
    rig.hear(&super::kalshi::fill("T-1", &order, "10.00", "0.0100"));
    seconds(&mut rig, 9, &|_| None);
    assert_eq!(rig.gate.figures().channels_lost, 0);
    assert!(rig.gate.is_ready());
}

/// An edge that shows a page, or the row of somebody else's order, says nothing of ours.
#[test]
fn an_answer_that_says_nothing_of_our_order_does_not_prove_that_it_never_was() {
    let (mut rig, _) = polymarket();
    let (slot, _) = super::polymarket::fire(&mut rig);
    rig.peer(slot).borrow_mut().is_over = true;
    rig.run(1);
    let others = json!({"id": "0xab", "status": "MATCHED", "associate_trades": []}).to_string();
    let seconds = |rig: &mut Rig<_>, answer: (u16, &str), count: usize| {
        for _ in 0..10 * count {
            rig.pass(94 * MS);
            rig.hear("PONG");
            rig.run(1);
            for (peer, request) in rig.requests() {
                let (status, body) = match request.contains("/data/order/") {
                    true => answer,
                    false => (200, r#"{"data":[],"next_cursor":"LTE="}"#),
                };
                rig.peer(peer).borrow_mut().answer(status, "", body);
            }
        }
    };
    for nothing in [(200, "<html>"), (200, others.as_str()), (200, "{}"), (404, "<html>")] {
        seconds(&mut rig, nothing, 90);
        assert_eq!(rig.gate.open_orders(), [1, 1], "{nothing:?}");
    }
    seconds(&mut rig, (404, r#"{"error":"order not found"}"#), 20);
    assert_eq!(rig.gate.open_orders(), [0, 0]);
}
