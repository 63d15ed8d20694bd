//! Kalshi's gate from a bundle to the end of its order.

use serde_json::{Value, json};

use super::rig::*;
use crate::gate::kalshi::KalshiClerk;
use crate::gate::*;
use crate::sign::kalshi::KalshiSigner;
use crate::sign::pool::HeaderFiller;
use engine::event::{Reject, ReportKind};

/// The body of a request.
pub fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// Answers an order as created.
pub fn created(client: &Value, filled: &str) -> String {
    json!({"order_id": "O-1", "client_order_id": client, "fill_count": filled,
        "remaining_count": "0.00", "ts_ms": 1})
    .to_string()
}

/// A `fill` message of a NO bought at 40 cents.
pub fn fill(trade: &str, order: &str, count: &str, fee: &str) -> String {
    json!({"type": "fill", "sid": 1, "msg": {"trade_id": trade, "order_id": order,
        "market_ticker": "KXTEST-1", "yes_price_dollars": "0.6000", "count_fp": count,
        "fee_cost": fee, "outcome_side": "no", "book_side": "ask"}})
    .to_string()
}

#[test]
fn an_order_leaves_as_the_venue_wants_it_and_ends_with_its_fills() {
    let (mut rig, _) = kalshi();
    let (slot, request) = rig.fire(legs());
    assert!(request.starts_with("POST /trade-api/v2/portfolio/events/orders HTTP/1.1\r\n"));
    assert!(request.contains("\r\nHost: kalshi.test\r\nUser-Agent: parallax/1\r\n"));
    for name in ["KALSHI-ACCESS-KEY", "KALSHI-ACCESS-TIMESTAMP", "KALSHI-ACCESS-SIGNATURE"] {
        assert_eq!(request.matches(&format!("\r\n{name}: ")).count(), 1, "{request}");
    }
    let order = body(&request);
    let id = KalshiClerk::client_order_id(0x0123_4567_89ab_cdef, 1, 0);
    assert_eq!(
        order,
        json!({"ticker": "KXTEST-1", "client_order_id": crate::id::Id::uuid(id).as_str(),
            "side": "ask", "count": "10.00", "price": "0.6000",
            "time_in_force": "immediate_or_cancel",
            "self_trade_prevention_type": "taker_at_cross", "exchange_index": 2})
    );
    // A part of the fills is faster than the answer, and one comes twice.
    rig.hear(&fill("T-1", "O-1", "4.00", "0.0672"));
    rig.run(1);
    assert_eq!(rig.reports(), [], "nobody knows yet whose it is");
    let answer = created(&order["client_order_id"], "10.00");
    rig.peer(slot).borrow_mut().answer(201, "", &answer);
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Acked, filled(4_000_000, 4_000, 1_600_000, 67_200)]);
    rig.hear(&fill("T-1", "O-1", "4.00", "0.0672"));
    rig.hear(&fill("T-2", "O-1", "6.00", "0.1008"));
    rig.run(1);
    assert_eq!(rig.reports(), [filled(6_000_000, 4_000, 2_400_000, 100_800), ReportKind::Done]);
    assert_eq!(rig.gate.open_orders(), [0, 0]);
    let figures = rig.gate.figures();
    assert_eq!((figures.fired, figures.inline, figures.fills), (1, 1, 2));
    assert_eq!((figures.duplicates, figures.foreign, figures.unknown), (1, 0, 0));
    assert_eq!([rig.gate.stages().fire.len(), rig.gate.stages().ack.len()], [1, 1]);
}

#[test]
fn an_order_that_matched_nothing_or_less_is_cancelled() {
    for (count, fills) in [("0.00", 0), ("4.00", 1)] {
        let (mut rig, _) = kalshi();
        let (slot, request) = rig.fire(legs());
        let answer = created(&body(&request)["client_order_id"], count);
        rig.peer(slot).borrow_mut().answer(201, "", &answer);
        if fills > 0 {
            rig.hear(&fill("T-1", "O-1", count, "0.0672"));
        }
        rig.run(1);
        let reports = rig.reports();
        assert_eq!(reports.len(), 2 + fills);
        assert_eq!(reports.first(), Some(&ReportKind::Acked));
        assert_eq!(reports.last(), Some(&ReportKind::Cancelled));
    }
}

#[test]
fn a_header_that_lies_ready_is_used() {
    fn fill(filler: &mut HeaderFiller, signer: &mut KalshiSigner, now: Now) {
        while filler.fill(signer, now.wall) {}
    }
    let (mut rig, mut filler) = kalshi();
    let mut signer = kalshi_signer();
    fill(&mut filler, &mut signer, rig.now());
    let before = rig.gate.clerk().public_key_ops();
    rig.fire(legs());
    let figures = rig.gate.figures();
    assert_eq!((figures.hits, figures.inline), (1, 0));
    assert_eq!(rig.gate.clerk().public_key_ops(), before, "firing signs nothing");
}

#[test]
fn ids_tell_run_bundle_and_leg_and_never_meet() {
    let id = |run, bundle, leg| KalshiClerk::client_order_id(run, bundle, leg);
    let text = crate::id::Id::uuid(id(0x0fed_cba9_8765_4321, 1, 1));
    assert_eq!(text.as_str(), "fedcba98-7654-8321-8000-000000000101");
    let mut all: Vec<u128> = Vec::new();
    for run in [0, 1, 0xfff, 0x1000, (1 << 60) - 1] {
        for bundle in [1, 255, 256, (1 << 54) - 1] {
            all.extend([0, 1].map(|leg| id(run, bundle, leg)));
        }
    }
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn a_refusal_is_told_with_its_reason() {
    for (status, error, reason) in [
        (400, r#"{"error":{"code":"insufficient_balance"}}"#, Reject::Funds),
        (400, r#"{"error":{"code":"invalid_price"}}"#, Reject::Venue),
        (429, r#"{"error":"too many requests"}"#, Reject::RateLimit),
    ] {
        let (mut rig, _) = kalshi();
        let (slot, _) = rig.fire(legs());
        rig.peer(slot).borrow_mut().answer(status, "", error);
        rig.run(1);
        assert_eq!(rig.reports(), [ReportKind::Rejected(reason)]);
        if reason == Reject::RateLimit {
            let bundle = rig.bundle(legs());
            rig.send(bundle);
            rig.run(1);
            let ours = ReportKind::Rejected(Reject::Budget);
            assert_eq!(rig.reports(), [ours], "the bucket is empty now");
            assert_eq!(rig.requests(), []);
        }
    }
}

#[test]
fn an_order_that_rests_is_cancelled_and_ends_with_what_it_has() {
    let (mut rig, _) = kalshi();
    let (slot, request) = rig.fire(legs());
    let client = &body(&request)["client_order_id"];
    let rests = created(client, "4.00").replace("\"0.00\"", "\"6.00\"");
    rig.peer(slot).borrow_mut().answer(201, "", &rests);
    rig.hear(&fill("T-1", "O-1", "4.00", "0.0672"));
    rig.run(2);
    assert_eq!(rig.reports(), [ReportKind::Acked, filled(4_000_000, 4_000, 1_600_000, 67_200)]);
    let (aside, cancel) = rig.request();
    let path = "/trade-api/v2/portfolio/events/orders/o-1?market_ticker=KXTEST-1&exchange_index=2";
    assert!(cancel.starts_with(&format!("DELETE {path} HTTP/1.1\r\n")), "{cancel}");
    let done = r#"{"order_id":"o-1","reduced_by":"6.00","ts_ms":1}"#;
    rig.peer(aside).borrow_mut().answer(200, "", done);
    rig.run(2);
    let (_, question) = rig.request();
    assert!(question.starts_with("GET /trade-api/v2/portfolio/orders?ticker=KXTEST-1&min_ts="));
    let list = json!({"cursor": "", "orders": [{"order_id": "O-1", "client_order_id": client,
        "status": "canceled", "fill_count_fp": "4.00"}]});
    rig.peer(aside).borrow_mut().answer(200, "", &list.to_string());
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Cancelled]);
    assert_eq!(rig.gate.figures().rested, 1);
}
