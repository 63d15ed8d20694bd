//! Polymarket's gate from a bundle to the end of its orders.

use engine::event::Leg;
use engine::pair::Outcome;
use engine::units::{Px, Qty, Shares, Usd, Venue};
use serde_json::{Value, json};

use super::kalshi::body;
use super::rig::*;
use crate::armed::ArmedOrder;
use crate::armed::tests::{armory, check, terms};
use crate::sign::order::OrderId;
use engine::event::{Reject, ReportKind};

/// The only order that left, with its id as our private channel knows it.
pub fn fire(rig: &mut Rig<crate::gate::polymarket::PolymarketClerk>) -> (usize, String) {
    let (slot, _) = rig.fire(legs());
    (slot, rig.gate.order_id())
}

pub fn placed(id: &str, status: &str, trades: &Value) -> String {
    json!({"success": true, "errorMsg": "", "orderID": id, "status": status,
        "makingAmount": "", "takingAmount": "", "tradeIDs": trades})
    .to_string()
}

pub fn trade(trade: &str, taker: &str, status: &str, price: &str, size: &str) -> String {
    json!({"event_type": "trade", "id": trade, "taker_order_id": taker, "asset_id": "52",
        "size": size, "price": price, "status": status, "maker_orders": [{"order_id": "0xm",
        "matched_amount": size, "price": price, "asset_id": "52"}]})
    .to_string()
}

#[test]
fn an_order_is_signed_on_the_spot_and_ends_with_all_its_trades() {
    let (mut rig, _) = polymarket();
    let (slot, request) = rig.fire(legs());
    let id = rig.gate.order_id();
    let leg = &legs()[1];
    let order_id = OrderId::parse(&id).unwrap();
    check(request.as_bytes(), order_id, leg);
    assert_eq!(body(&request)["orderType"], "FAK");
    rig.peer(slot).borrow_mut().answer(200, "", &placed(&id, "matched", &json!(["a", "b"])));
    // The better price buys more shares than were asked for.
    rig.hear(&trade("a", &id, "MATCHED", "0.5", "4"));
    rig.run(1);
    // 4 x 0.05 x 0.25 dollars of fee.
    assert_eq!(rig.reports(), [ReportKind::Acked, filled(4_000_000, 5_000, 2_000_000, 50_000)]);
    rig.hear(&trade("b", &id, "MATCHED", "0.53", "6.603773"));
    rig.hear(&trade("a", &id, "MINED", "0.5", "4"));
    rig.hear(&trade("a", &id, "CONFIRMED", "0.5", "4"));
    rig.run(1);
    // 6.603773 x 0.53 is rounded up to a micro-dollar, its fee down to 1e-5.
    assert_eq!(rig.reports(), [filled(6_603_773, 5_300, 3_500_000, 82_240), ReportKind::Done]);
    let figures = rig.gate.figures();
    assert_eq!((figures.fills, figures.duplicates, figures.settling), (2, 0, 2));
    assert_eq!(figures.undone, 0);
    // What is told in the same words again is a duplicate.
    rig.hear(&trade("a", &id, "MATCHED", "0.5", "4"));
    rig.run(1);
    assert_eq!(rig.gate.figures().duplicates, 1);
    rig.hear(&trade("b", &id, "FAILED", "0.53", "6.603773"));
    rig.hear(&trade("b", &id, "FAILED", "0.53", "6.603773"));
    rig.run(1);
    let (shares, px) = (Shares::new(6_603_773), Px::lit(5_300));
    let (cash, fee) = (Usd::new(3_500_000), Usd::new(82_240));
    let undone = ReportKind::Undone { shares, px, cash, fee };
    assert_eq!(rig.reports(), [undone], "once, as it was told");
    assert_eq!(rig.gate.figures().undone, 1);
}

#[test]
fn a_trade_that_failed_while_nobody_listened_is_asked_for() {
    let (mut rig, _) = polymarket();
    let (slot, id) = fire(&mut rig);
    rig.peer(slot).borrow_mut().answer(200, "", &placed(&id, "matched", &json!(["a"])));
    rig.hear(&trade("a", &id, "MATCHED", "0.55", "10"));
    rig.run(1);
    assert_eq!(rig.reports().last(), Some(&ReportKind::Done));
    rig.channel().borrow_mut().is_over = true;
    rig.run(1);
    rig.pass(300 * MS);
    rig.subscribe();
    rig.run(2);
    rig.pass(1_000 * MS);
    rig.run(1);
    let (slot, question) = rig.request();
    assert!(question.starts_with("GET /data/order/"), "{question}");
    let order = json!({"id": id, "status": "MATCHED", "associate_trades": ["a"]}).to_string();
    rig.peer(slot).borrow_mut().answer(200, "", &order);
    rig.run(2);
    let (slot, question) = rig.request();
    assert!(question.starts_with("GET /data/trades"), "{question}");
    let row: Value = serde_json::from_str(&trade("a", &id, "FAILED", "0.55", "10")).unwrap();
    let page = json!({"limit": 100, "count": 1, "next_cursor": "LTE=", "data": [row]}).to_string();
    rig.peer(slot).borrow_mut().answer(200, "", &page);
    rig.run(2);
    let reports = rig.reports();
    assert!(matches!(reports[..], [ReportKind::Undone { .. }]), "{reports:?}");
}

#[test]
fn an_armed_order_leaves_without_a_signature() {
    let (mut rig, mut filler) = polymarket();
    let mut armed = ArmedOrder::EMPTY;
    armory().arm(&legs()[1], &terms(), rig.now().wall, &mut armed).unwrap();
    assert!(filler.push(&armed));
    rig.run(1);
    let before = rig.gate.clerk().operations();
    rig.fire(legs());
    assert_eq!(rig.gate.clerk().operations(), before, "no signature, no HMAC");
    let figures = rig.gate.figures();
    assert_eq!((figures.hits, figures.inline), (1, 0));
    assert_eq!(rig.gate.order_id(), crate::id::Id::hash(&armed.id().0).as_str());
}

#[test]
fn a_kill_is_a_cancel_and_a_delay_waits_for_the_channel() {
    let (mut rig, _) = polymarket();
    let (slot, _) = fire(&mut rig);
    let kill = r#"{"error":"no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found."}"#;
    rig.peer(slot).borrow_mut().answer(400, "", kill);
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Acked, ReportKind::Cancelled]);

    let (slot, id) = fire(&mut rig);
    rig.peer(slot).borrow_mut().answer(200, "", &placed(&id, "delayed", &json!([])));
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Acked]);
    rig.hear(&trade("a", &id, "MATCHED", "0.55", "4"));
    rig.run(1);
    assert_eq!(rig.reports(), [filled(4_000_000, 5_500, 2_200_000, 49_500)]);
    assert_eq!(rig.gate.open_orders(), [1, 0], "more may come");
    let over = json!({"event_type": "order", "id": id, "status": "CANCELED",
        "associate_trades": ["a"], "size_matched": ""});
    rig.hear(&over.to_string());
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Cancelled]);
}

#[test]
fn both_legs_here_leave_together_or_not_at_all() {
    let both = || {
        let here = |outcome| leg(market(Venue::Polymarket, 2), outcome, 4_500, 1_000);
        [here(Outcome::Yes), here(Outcome::No)]
    };
    let (mut rig, _) = polymarket();
    for _ in 0..2 {
        let bundle = rig.bundle(both());
        rig.send(bundle);
        rig.run(1);
        assert_eq!(rig.reports(), [ReportKind::Sent; 2]);
        let requests = rig.requests();
        let slots: Vec<usize> = requests.iter().map(|(slot, _)| *slot).collect();
        assert_eq!(slots, [0, 1]);
        for slot in slots {
            let no = r#"{"error":"not enough balance / allowance"}"#;
            rig.peer(slot).borrow_mut().answer(400, "", no);
        }
        rig.run(1);
        assert_eq!(rig.reports(), [ReportKind::Rejected(Reject::Funds); 2]);
    }
    // A part of a token came back since: enough for none.
    let bundle = rig.bundle(both());
    rig.send(bundle);
    rig.run(1);
    let [limit, other] = [Reject::Budget, Reject::OtherLeg].map(ReportKind::Rejected);
    assert_eq!(rig.reports(), [limit, other]);
    rig.pass(1_000 * MS);
    let bundle = rig.bundle(both());
    rig.send(bundle);
    rig.run(1);
    assert_eq!(rig.reports(), [other, limit], "one token is not two");
    let mut odd: [Leg; 2] = both();
    odd[1].qty = Qty::lit(999);
    odd[1].budget = odd[1].qty.at(odd[1].limit);
    let bundle = rig.bundle(odd);
    rig.send(bundle);
    rig.run(1);
    let malformed = ReportKind::Rejected(Reject::Malformed);
    assert_eq!(rig.reports(), [other, malformed], "an amount with parts of a cent");
    assert_eq!(rig.requests(), []);
}

#[test]
fn the_channel_is_logged_in_and_pinged() {
    let (mut rig, _) = polymarket();
    let sent = rig.channel().borrow().sent.clone();
    let login: Value = serde_json::from_str(&sent[0]).unwrap();
    assert_eq!((&login["type"], &login["auth"]["apiKey"]), (&json!("user"), &json!("the-key")));
    assert_eq!(login["markets"], json!([]));
    assert_eq!(sent[1..], ["PING"]);
    rig.pass(10 * S);
    rig.run(1);
    assert_eq!(rig.channel().borrow().sent.len(), 3);
    rig.pass(20 * S);
    rig.run(1);
    assert!(!rig.gate.is_ready(), "silence");
    assert_eq!(rig.gate.figures().channels_lost, 1);
}
