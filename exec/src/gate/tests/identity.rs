//! A venue that does not know us: nothing more leaves, somebody is told once, and it is asked with
//! proof of who asks until it does.

use engine::event::Risk;
use engine::risk::Word;
use engine::risk::limits::RiskLimits;
use engine::units::{Px, Shares};

use super::rig::*;
use crate::gate::*;
use crate::id::Id;
use crate::private::{FillNews, TradeStands};

const UNKNOWN: &str = r#"{"error":{"code":"authentication_error","details":"NOT_FOUND"}}"#;

fn alarms(feedback: &[Feedback]) -> usize {
    let is_it = |told: &&Feedback| matches!(told, Feedback::Tripped { risk: Risk::Identity, .. });
    feedback.iter().filter(is_it).count()
}

/// Lets time pass until the gate asks with `path`; answers everything else with a refusal.
fn probe<K: Clerk>(rig: &mut Rig<K>, path: &str, status: u16, body: &str) -> Vec<Feedback> {
    for _ in 0..600 {
        rig.pass(100 * MS);
        rig.channel().borrow_mut().to_hear.push_back(None);
        rig.run(1);
        for (peer, request) in rig.requests() {
            assert!(!request.starts_with("POST "), "no order leaves: {request}");
            if request.starts_with(path) {
                rig.peer(peer).borrow_mut().answer(status, "", body);
                rig.run(2);
                return rig.feedback();
            }
            assert!(
                !request.contains("/exchange/status ") || peer < ORDERS,
                "anybody is told that"
            );
            rig.peer(peer).borrow_mut().answer(200, "", "{}");
        }
    }
    panic!("it never asks");
}

#[test]
fn a_key_that_is_not_known_is_not_tried_on_orders_and_is_asked_about_until_it_works() {
    let (mut rig, _) = kalshi();
    let (slot, _) = rig.fire(legs());
    rig.feedback();
    rig.peer(slot).borrow_mut().answer(401, "", UNKNOWN);
    rig.run(2);
    let told = rig.feedback();
    assert_eq!((alarms(&told), rig.gate.is_ready()), (1, false));
    assert_eq!(rig.gate.open_orders(), [0, 0], "a refusal for the key is a refusal");
    let bundle = rig.bundle(legs());
    rig.send(bundle);
    let balance = "GET /trade-api/v2/portfolio/balance ";
    let told = probe(&mut rig, balance, 401, UNKNOWN);
    assert_eq!((alarms(&told), rig.gate.is_ready()), (0, false), "it was told");
    probe(&mut rig, balance, 403, "{}");
    assert!(!rig.gate.is_ready());
    probe(&mut rig, balance, 200, r#"{"balance":1}"#);
    rig.run(2);
    assert!(rig.gate.is_ready() && rig.gate.figures().doubted == 1);
    let (slot, _) = rig.fire(legs());
    rig.peer(slot).borrow_mut().answer(401, "", UNKNOWN);
    rig.run(2);
    assert_eq!(alarms(&rig.feedback()), 1, "another time is news again");
}

/// The balance is told and cancels pass all the while: only an order would show it, and its other leg
/// would stand alone.
#[test]
fn a_venue_that_lets_us_trade_no_more_is_not_tried_again_until_a_person_has_looked() {
    let refused = |told: &[Feedback]| {
        let is_it =
            |told: &&Feedback| matches!(told, Feedback::Tripped { risk: Risk::Refused, .. });
        told.iter().filter(is_it).count()
    };
    assert!(Risk::Refused.latches(), "no bundle is decided, neither leg of it");
    let (mut rig, mut words) = kalshi().0.guarded(&RiskLimits::NONE);
    let (slot, _) = rig.fire(legs());
    rig.feedback();
    let scope = r#"{"error":{"code":"insufficient_scope"}}"#;
    rig.peer(slot).borrow_mut().answer(403, "", scope);
    rig.run(2);
    let told = rig.feedback();
    assert_eq!((refused(&told), alarms(&told), rig.gate.is_ready()), (1, 0, false));
    for _ in 0..600 {
        rig.pass(S);
        rig.channel().borrow_mut().to_hear.push_back(None);
        rig.run(1);
        for (peer, request) in rig.requests() {
            assert!(!request.contains("/portfolio/"), "nothing is asked: {request}");
            rig.peer(peer).borrow_mut().answer(200, "", r#"{"balance":1}"#);
        }
    }
    assert!(!rig.gate.is_ready());
    words.push(Word::Arm).unwrap();
    let balance = "GET /trade-api/v2/portfolio/balance ";
    probe(&mut rig, balance, 200, r#"{"balance":1}"#);
    rig.run(2);
    assert!(rig.gate.is_ready());

    let (mut rig, mut words) = polymarket().0.guarded(&RiskLimits::NONE);
    let (slot, _) = rig.fire(legs());
    rig.feedback();
    let banned = r#"{"error":"address in closed only mode"}"#;
    rig.peer(slot).borrow_mut().answer(400, "", banned);
    rig.run(2);
    assert_eq!((refused(&rig.feedback()), rig.gate.is_ready()), (1, false));
    words.push(Word::Arm).unwrap();
    rig.run(2);
    let (aside, request) = rig.request();
    assert!(request.starts_with("DELETE /order ") && !rig.gate.is_ready(), "it is asked first");
    rig.peer(aside).borrow_mut().answer(200, "", "{}");
    rig.run(2);
    assert!(rig.gate.is_ready());
}

#[test]
fn a_private_channel_that_is_refused_for_the_key_shuts_the_gate() {
    let (mut rig, _) = kalshi();
    rig.feedback();
    let channel = rig.channel();
    channel.borrow_mut().is_refused = true;
    channel.borrow_mut().is_over = true;
    rig.run(1);
    let told = rig.feedback();
    assert_eq!((alarms(&told), rig.gate.is_ready()), (1, false));
    assert_eq!(rig.gate.figures().channels_lost, 1);
}

#[test]
fn a_fill_of_an_order_that_nobody_here_sent_is_told() {
    let (mut rig, _) = kalshi();
    rig.feedback();
    rig.hear(&super::kalshi::fill("T-9", "O-9", "4.00", "0.0100"));
    rig.run(1);
    let told = rig.feedback();
    assert!(matches!(told[..], [Feedback::Tripped { risk: Risk::Foreign, .. }]), "{told:?}");
    assert_eq!(rig.gate.figures().foreign, 1);
}

#[test]
fn a_fill_that_a_question_finds_of_a_stranger_is_told_by_nobody() {
    let (rig, _) = kalshi();
    let (feedback_tx, mut feedback) = rtrb::RingBuffer::new(8);
    let (mut out, mut figures) = (Outbox::new(feedback_tx), GateFigures::default());
    let mut orders = Orders::new(Patience::default());
    let [order, trade] = ["O-9", "T-9"].map(|text| Id::parse(text).unwrap());
    let (shares, px, stands) = (Shares::new(1_000_000), Px::lit(4_000), TradeStands::Made);
    let news = FillNews {
        order,
        client: None,
        trade,
        part: 0,
        more: false,
        shares,
        px,
        fee: None,
        stands,
    };
    for _ in 0..3 {
        assert_eq!(orders.found(&news, rig.now().mono, &mut figures, &mut out), None);
    }
    assert!(feedback.pop().is_err() && figures.foreign == 0, "it may be years old");
}

#[test]
fn a_doubt_is_not_answered_by_what_anybody_is_told() {
    let (mut rig, _) = kalshi();
    let (slot, _) = rig.fire(legs());
    let paused = r#"{"error":{"code":"TRADING_PAUSED"}}"#;
    rig.peer(slot).borrow_mut().answer(409, "", paused);
    let asked = (0..600).find_map(|_| {
        rig.pass(10 * MS);
        rig.run(1);
        let mut requests = rig.requests().into_iter();
        requests.find(|(peer, it)| *peer >= ORDERS && it.contains("/exchange/status "))
    });
    let (aside, _) = asked.expect("it asks whether the venue takes orders");
    // While that question is out, the venue says that it does not know us.
    rig.channel().borrow_mut().is_refused = true;
    rig.channel().borrow_mut().is_over = true;
    rig.run(1);
    assert_eq!(alarms(&rig.feedback()), 1);
    let open = r#"{"exchange_active":true,"trading_active":true}"#;
    rig.peer(aside).borrow_mut().answer(200, "", open);
    rig.run(2);
    let balance = "GET /trade-api/v2/portfolio/balance ";
    probe(&mut rig, balance, 401, UNKNOWN);
    assert!(!rig.gate.is_ready());
}

#[test]
fn questions_that_are_refused_do_not_put_off_what_stops_trading() {
    let (mut rig, _) = kalshi();
    let (slot, _) = rig.fire(legs());
    rig.peer(slot).borrow_mut().is_over = true;
    rig.run(1);
    let (mut refused, mut probes) = (0, 0);
    let mut refuse = |rig: &mut Rig<_>| {
        rig.channel().borrow_mut().to_hear.push_back(None);
        rig.pass(94 * MS);
        rig.run(1);
        let mut swept = false;
        for (peer, request) in rig.requests() {
            swept |= request.starts_with("DELETE ");
            probes += usize::from(request.contains("/portfolio/balance "));
            refused += usize::from(request.contains("/portfolio/"));
            rig.peer(peer).borrow_mut().answer(401, "", UNKNOWN);
        }
        swept
    };
    (0..400).for_each(|_| assert!(!refuse(&mut rig)));
    rig.epoch.store(4, Ordering::Release);
    assert!((0..3).any(|_| refuse(&mut rig)), "it is tried at once");
    let again = (0..1_200).filter(|_| refuse(&mut rig)).count();
    assert!((2..60).contains(&again), "ever more rarely, but it goes on: {again}");
    assert!(refused > 20 && probes > 4, "{refused} {probes}");
}
