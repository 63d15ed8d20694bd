//! Limits of a gate's own, kills, and dead-men at the venues.

use std::sync::atomic::Ordering;

use engine::event::{Bundle, Grounds, Purpose, Reject, ReportKind, Risk};
use engine::risk::Word;
use engine::risk::limits::{Cap, Rate, RiskLimits};
use engine::top::Health;
use engine::units::{Ns, Px, Qty, Usd};
use serde_json::json;

use super::kalshi::body;
use super::rig::*;
use crate::gate::kalshi::KalshiClerk;
use crate::gate::*;

/// What the core was told of a bundle that was sent.
fn told(rig: &mut Rig<KalshiClerk>, bundle: Bundle) -> Vec<Feedback> {
    rig.send(bundle);
    rig.run(1);
    rig.feedback()
}

fn refused_by(feedback: &[Feedback]) -> Option<Risk> {
    let [Feedback::Tripped { pair, risk, .. }, Feedback::Report(report)] = feedback else {
        return None;
    };
    assert_eq!((*pair, report.kind), (report.pair, ReportKind::Rejected(Reject::Limit)));
    Some(*risk)
}

#[test]
fn a_gate_holds_its_own_limits_whatever_the_core_thought() {
    let cap = Cap { notional: Usd::new(4_000_000), ..Cap::NONE };
    let both = Cap { notional: legs().map(|leg| leg.budget).into_iter().max().unwrap(), ..cap };
    let below = Cap { notional: Usd::new(3_999_999), ..Cap::NONE };
    for (limits, want) in [
        // Either leg's order: the other gate would refuse its own, and this one would be alone.
        (RiskLimits { order: both, ..RiskLimits::NONE }, None),
        (RiskLimits { order: cap, ..RiskLimits::NONE }, Some(Risk::Order)),
        (RiskLimits { order: below, ..RiskLimits::NONE }, Some(Risk::Order)),
        (RiskLimits { venue: [cap; 2], ..RiskLimits::NONE }, None),
        (RiskLimits { venue: [below; 2], ..RiskLimits::NONE }, Some(Risk::Venue)),
    ] {
        let (mut rig, _words) = kalshi().0.guarded(&limits);
        let bundle = rig.bundle(legs());
        let feedback = told(&mut rig, bundle);
        assert_eq!(refused_by(&feedback), want, "{feedback:?}");
        assert_eq!(rig.requests().len(), usize::from(want.is_none()), "nothing left");
    }
    let (mut rig, _words) = kalshi().0.guarded(&RiskLimits::NONE);
    let mut bundle = rig.bundle(legs());
    bundle.collar[0] = Px::lit(3_999);
    let feedback = told(&mut rig, bundle);
    assert_eq!(refused_by(&feedback), Some(Risk::Collar));
    assert_eq!(rig.gate.figures().tripped, 1);
}

/// What the core says of its books and its money goes with each bundle, and the gate looks at it.
#[test]
fn what_a_bundle_was_decided_on_is_held_against_the_limits_once_more() {
    let limits = RiskLimits {
        book_age: Ns(2 * S),
        day_loss: Usd::new(50),
        shutdown_balance: Usd::new(100),
        wallet_min: Usd::new(7),
        ..RiskLimits::NONE
    };
    let good = Grounds {
        age: Ns(2 * S),
        cash: Usd::new(100),
        today: Usd::new(-49),
        left: [Usd::new(7); 2],
        ..Grounds::PERFECT
    };
    for (grounds, want) in [
        (good, None),
        (Grounds { age: Ns(2 * S + 1), ..good }, Some(Risk::BookAge)),
        (Grounds { health: Health::Stale, ..good }, Some(Risk::Book)),
        (Grounds { today: Usd::new(-50), ..good }, Some(Risk::DayLoss)),
        (Grounds { cash: Usd::new(99), ..good }, Some(Risk::Balance)),
        (Grounds { left: [Usd::new(6), Usd::new(7)], ..good }, Some(Risk::Balance)),
        (Grounds { left: [Usd::new(7), Usd::new(6)], ..good }, Some(Risk::Balance)),
    ] {
        let (mut rig, mut words) = kalshi().0.guarded(&limits);
        let bundle = rig.bundle(legs());
        rig.dispatch(bundle, grounds);
        rig.run(1);
        let feedback = rig.feedback();
        assert_eq!(refused_by(&feedback), want, "{feedback:?}");
        assert_eq!(rig.requests().len(), usize::from(want.is_none()), "nothing left");
        let Some(risk) = want else { continue };
        let bundle = rig.bundle(legs());
        let after = told(&mut rig, bundle);
        assert_eq!(refused_by(&after), risk.latches().then_some(risk), "{risk:?}");
        words.push(Word::Arm).unwrap();
        rig.run(1);
    }
}

#[test]
fn what_an_order_may_cost_is_at_stake_until_it_ends() {
    let venue = [Cap { notional: Usd::new(7_999_999), ..Cap::NONE }; 2];
    let (mut rig, _words) = kalshi().0.guarded(&RiskLimits { venue, ..RiskLimits::NONE });
    let (slot, request) = rig.fire(legs());
    let bundle = rig.bundle(legs());
    assert_eq!(refused_by(&told(&mut rig, bundle)), Some(Risk::Venue), "one is on its way");
    let client = &body(&request)["client_order_id"];
    let killed = json!({"order_id": "O-1", "client_order_id": client, "fill_count": "0.00",
        "remaining_count": "0.00"});
    rig.peer(slot).borrow_mut().answer(201, "", &killed.to_string());
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Acked, ReportKind::Cancelled]);
    rig.fire(legs());
}

#[test]
fn a_pair_that_fires_again_and_again_stays_off_until_a_person_arms_it() {
    let repeats = Rate { count: 1, within: Ns(S) };
    let (mut rig, mut words) = kalshi().0.guarded(&RiskLimits { repeats, ..RiskLimits::NONE });
    rig.fire(legs());
    for _ in 0..2 {
        let bundle = rig.bundle(legs());
        assert_eq!(refused_by(&told(&mut rig, bundle)), Some(Risk::Repeated));
        rig.pass(2 * S);
    }
    words.push(Word::Arm).unwrap();
    rig.run(1);
    rig.feedback();
    let bundle = rig.bundle(legs());
    assert!(told(&mut rig, bundle).iter().all(|f| !matches!(f, Feedback::Tripped { .. })));
}

/// The core does not count them: a gate that did would refuse one leg while the other leaves.
#[test]
fn repairs_count_for_no_rate_that_holds_back_what_opens() {
    let rate = Rate { count: 1, within: Ns(3_600 * S) };
    let limits = RiskLimits { repeats: rate, bundles: rate, ..RiskLimits::NONE };
    let (mut rig, _words) = kalshi().0.guarded(&limits);
    for purpose in [Purpose::Chase, Purpose::Complement, Purpose::SellBack, Purpose::Open] {
        let bundle = Bundle { purpose, ..rig.bundle(legs()) };
        let feedback = told(&mut rig, bundle);
        assert_eq!(refused_by(&feedback), None, "{purpose:?}: {feedback:?}");
        let requests = rig.requests();
        assert_eq!(requests.len(), 1, "{purpose:?}");
        rig.peer(requests[0].0).borrow_mut().answer(400, "", r#"{"error":"no"}"#);
        rig.run(2);
        rig.feedback();
    }
    let bundle = rig.bundle(legs());
    assert_eq!(refused_by(&told(&mut rig, bundle)), Some(Risk::Rate));
}

/// A core that knew nothing of it would send the other leg alone.
#[test]
fn a_gate_that_rests_after_errors_is_not_ready_and_says_so() {
    let limits = RiskLimits { errors: 2, error_rest: Ns(5 * S), ..RiskLimits::NONE };
    let (mut rig, _words) = kalshi().0.guarded(&limits);
    let ready = |rig: &mut Rig<KalshiClerk>| {
        rig.run(1);
        let news = |told| match told {
            Feedback::Gate { ready, .. } => Some(ready),
            _ => None,
        };
        rig.feedback().into_iter().filter_map(news).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        assert!(ready(&mut rig).is_empty() && rig.gate.is_ready());
        let (slot, _) = rig.fire(legs());
        let no = r#"{"error":{"code":"invalid_price"}}"#;
        rig.peer(slot).borrow_mut().answer(400, "", no);
    }
    assert_eq!((ready(&mut rig), rig.gate.is_ready()), (vec![false], false));
    rig.pass(4_900 * MS);
    assert!(ready(&mut rig).is_empty());
    rig.pass(100 * MS);
    assert_eq!((ready(&mut rig), rig.gate.is_ready()), (vec![true], true));
}

#[test]
fn a_kill_cancels_all_orders_of_the_account_before_anything_else() {
    let (mut rig, _words) = kalshi().0.guarded(&RiskLimits::NONE);
    let bundle = rig.bundle(legs());
    rig.epoch.store(4, Ordering::Release);
    let feedback = told(&mut rig, bundle);
    assert!(
        matches!(
            feedback[..],
            [Feedback::Report(report), Feedback::Gate { ready: false, .. }]
                if report.kind == ReportKind::Rejected(Reject::Killed)
        ),
        "{feedback:?}"
    );
    let (aside, sweep) = rig.request();
    assert!(sweep.starts_with("DELETE /trade-api/v2/portfolio/events/orders HTTP"), "{sweep}");
    // The venue does not answer as it should: it is asked again.
    rig.peer(aside).borrow_mut().answer(500, "", "");
    rig.run(1);
    assert_eq!(rig.requests(), []);
    rig.pass(500 * MS);
    rig.run(1);
    assert!(rig.request().1.starts_with("DELETE"));
    rig.peer(aside).borrow_mut().answer(204, "", "");
    rig.run(1);
    assert_eq!((rig.gate.figures().swept, rig.gate.is_ready()), (1, false));
    // The venue may still cancel what comes within a minute: nothing is sent.
    for _ in 0..59 {
        rig.pass(S);
        rig.channel().borrow_mut().to_hear.push_back(None);
        rig.run(1);
        assert!(!rig.gate.is_ready());
    }
    rig.pass(S);
    rig.channel().borrow_mut().to_hear.push_back(None);
    rig.run(2);
    assert!(rig.gate.is_ready());
    let late = Bundle { kill_epoch: 4, ..rig.bundle(legs()) };
    rig.feedback();
    assert!(told(&mut rig, late).iter().all(|f| matches!(f,
        Feedback::Report(report) if report.kind == ReportKind::Sent)));
}

#[test]
fn polymarkets_dead_man_must_be_alive() {
    let (clerk, _filler) = polymarket_clerk(true);
    let mut rig = Rig::cold(clerk, 64);
    rig.subscribe();
    rig.run(4);
    assert!(!rig.gate.is_ready(), "no heartbeat was answered");
    let (aside, beat) = rig.request();
    assert!(beat.starts_with("POST /v1/heartbeats"), "{beat}");
    rig.peer(aside).borrow_mut().answer(200, "", r#"{"heartbeat_id":"aa-1"}"#);
    rig.run(1);
    assert!(rig.gate.is_ready());
    // The next one is lost on the way, and the venue answers no other.
    let mut asked = 0;
    for _ in 0..100 {
        rig.pass(94 * MS);
        rig.hear("PONG");
        rig.run(1);
        asked +=
            rig.requests().iter().filter(|(_, r)| r.contains(r#"{"heartbeat_id":"aa-1"}"#)).count();
    }
    assert!(asked >= 1);
    rig.pass(S);
    rig.run(1);
    assert!(!rig.gate.is_ready(), "ten seconds without an answer");
}

#[test]
fn an_order_goes_into_its_group_and_a_group_that_was_stopped_waits_for_a_person() {
    let (clerk, _filler) = kalshi_clerk();
    let rig = Rig::cold(clerk.with_groups(Qty::lit(15_000)), 64);
    let (mut rig, mut words) = rig.guarded(&RiskLimits::NONE);
    rig.subscribe();
    rig.run(4);
    assert!(!rig.gate.is_ready(), "there is no group yet");
    let (aside, create) = rig.request();
    assert!(create.starts_with("POST /trade-api/v2/portfolio/order_groups/create"), "{create}");
    assert_eq!(body(&create), json!({"contracts_limit_fp": "150.00", "exchange_index": 2}));
    rig.peer(aside).borrow_mut().answer(201, "", r#"{"order_group_id":"og-1","subaccount":0}"#);
    rig.run(1);
    assert!(rig.gate.is_ready());
    rig.feedback();
    let (slot, order) = rig.fire(legs());
    assert_eq!(body(&order)["order_group_id"], "og-1");
    assert_eq!(body(&order)["cancel_order_on_pause"], true);
    let refusal = r#"{"error":{"code":"EXCEEDED_ORDER_GROUP_RISK_LIMIT","message":"x"}}"#;
    rig.peer(slot).borrow_mut().answer(400, "", refusal);
    rig.run(1);
    assert!(!rig.gate.is_ready());
    assert_eq!(breakers(&mut rig), 1, "somebody is told, once");
    rig.pass(5 * S);
    rig.channel().borrow_mut().to_hear.push_back(None);
    rig.run(2);
    assert_eq!(rig.requests().iter().filter(|(_, r)| r.contains("order_groups")).count(), 0);
    words.push(Word::Arm).unwrap();
    rig.run(1);
    let (aside, reset) = rig.request();
    assert!(reset.starts_with("PUT /trade-api/v2/portfolio/order_groups/og-1/reset"), "{reset}");
    rig.peer(aside).borrow_mut().answer(200, "", "{}");
    rig.run(1);
    assert!(rig.gate.is_ready());
    // The private channel tells it too, before any order is refused; a word of another group is
    // none of ours.
    let stopped = |group: &str| {
        let msg = json!({"event_type": "triggered", "order_group_id": group, "ts_ms": 1});
        json!({"type": "order_group_updates", "sid": 4, "seq": 1, "msg": msg}).to_string()
    };
    rig.hear(&stopped("og-9"));
    rig.run(1);
    assert!(rig.gate.is_ready());
    rig.hear(&stopped("og-1"));
    rig.run(1);
    assert!(!rig.gate.is_ready());
    assert_eq!(breakers(&mut rig), 1);
}

/// How often it was told that the venue stopped us.
fn breakers(rig: &mut Rig<impl Clerk>) -> usize {
    let told = |it: &&Feedback| matches!(it, Feedback::Tripped { risk: Risk::Breaker, .. });
    rig.feedback().iter().filter(told).count()
}

#[test]
fn a_group_that_somebody_deleted_is_made_anew() {
    let (clerk, _filler) = kalshi_clerk();
    let rig = Rig::cold(clerk.with_groups(Qty::lit(15_000)), 64);
    let (mut rig, mut words) = rig.guarded(&RiskLimits::NONE);
    rig.subscribe();
    rig.run(4);
    let answer = |rig: &mut Rig<KalshiClerk>, starts: &str, status, body: &str| {
        rig.pass(S);
        rig.run(1);
        let (aside, request) = rig.request();
        assert!(request.starts_with(starts), "{request}");
        rig.peer(aside).borrow_mut().answer(status, "", body);
        rig.run(2);
    };
    let create = "POST /trade-api/v2/portfolio/order_groups/create";
    rig.request();
    let aside = ORDERS;
    rig.peer(aside).borrow_mut().answer(201, "", r#"{"order_group_id":"og-1"}"#);
    rig.run(1);
    let missing = r#"{"error":{"code":"not_found"}}"#;
    let refuse = |rig: &mut Rig<KalshiClerk>| {
        rig.feedback();
        let (slot, _) = rig.fire(legs());
        rig.peer(slot).borrow_mut().answer(404, "", missing);
        rig.run(1);
        assert!(!rig.gate.is_ready());
    };
    // It was the market that is not there: the group goes on, with all that it counted.
    refuse(&mut rig);
    let (aside, ask) = rig.request();
    assert!(ask.starts_with("GET /trade-api/v2/portfolio/order_groups/og-1 "), "{ask}");
    rig.peer(aside).borrow_mut().answer(200, "", "{}");
    rig.run(2);
    assert!(rig.gate.is_ready());
    // It was the group.
    refuse(&mut rig);
    answer(&mut rig, "GET /trade-api/v2/portfolio/order_groups/og-1 ", 404, missing);
    answer(&mut rig, create, 201, r#"{"order_group_id":"og-2"}"#);
    assert!(rig.gate.is_ready());
    // The private channel tells it.
    let event = |event: &str| {
        let msg = json!({"event_type": event, "order_group_id": "og-2", "ts_ms": 1});
        json!({"type": "order_group_updates", "sid": 4, "seq": 1, "msg": msg}).to_string()
    };
    rig.hear(&event("deleted"));
    rig.run(1);
    assert!(!rig.gate.is_ready());
    answer(&mut rig, create, 201, r#"{"order_group_id":"og-2"}"#);
    assert!(rig.gate.is_ready());
    // One that was stopped waits for a person, deleted or not.
    rig.hear(&event("triggered"));
    rig.hear(&event("deleted"));
    rig.run(2);
    rig.pass(5 * S);
    rig.run(1);
    assert!(!rig.gate.is_ready() && rig.requests().is_empty());
    words.push(Word::Arm).unwrap();
    rig.run(1);
    let (aside, reset) = rig.request();
    assert!(reset.starts_with("PUT /trade-api/v2/portfolio/order_groups/og-2/reset"), "{reset}");
    rig.peer(aside).borrow_mut().answer(404, "", missing);
    rig.run(2);
    answer(&mut rig, create, 201, r#"{"order_group_id":"og-3"}"#);
    assert!(rig.gate.is_ready());
}
