//! A venue that does not know us: nothing more leaves, somebody is told once, and it is asked with
//! proof of who asks until it does.

use engine::event::Risk;

use super::rig::*;
use crate::gate::*;

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
    rig.peer(slot).borrow_mut().answer(403, "", "{}");
    rig.run(2);
    assert_eq!(alarms(&rig.feedback()), 1, "another time is news again");
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
