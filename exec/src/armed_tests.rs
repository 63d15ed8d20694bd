//! What is fired, checked as the venue checks it.

use super::*;
use crate::action::Action;
use crate::armory::{Armory, BadHost, HOST_LEN_MAX, NotArmed, ORDER_PATH, USER_AGENT_LEN_MAX};
use crate::polymarket::{OrderType, PolymarketIntent, Refused};
use crate::sign::address::Address;
use crate::sign::key::PolymarketKey;
use crate::sign::l2::{API_KEY_LEN_MAX, ApiCredentials, L2Signer, PASSPHRASE_LEN_MAX};
use crate::sign::order::{OrderId, WalletKind};
use crate::sign::polymarket::{Chain, NotSigned, PolymarketSigner, Wallet};
use crate::sign::position::{Exchange, MarketVersion};
use crate::terms::PolymarketTerms;
use crate::token::TokenId;
use engine::units::{Shares, Usd, Venue};
use serde_json::Value;

const SECRET: &str = "-_--_14ir5IZd9Aqd6huNbcxFR1Bcc76FJZ9UO1mAwg=";

/// 0.25 s into a second.
pub(crate) const WALL: Ns = Ns(1_795_000_000_250_000_000);

pub(crate) fn signer(cost_max: i64) -> PolymarketSigner {
    let key = PolymarketKey::from_hex(&"11".repeat(32)).unwrap();
    let wallet = Wallet { kind: WalletKind::Deposit, funder: Some(Address::new([0xab; 20])) };
    PolymarketSigner::new(key, Chain::Polygon, wallet, Usd::new(cost_max)).unwrap()
}

fn login(key: &str, passphrase: &str) -> L2Signer {
    let credentials = ApiCredentials::new(key, SECRET, passphrase).unwrap();
    L2Signer::new(signer(0).owner(), credentials)
}

pub(crate) fn armory() -> Armory {
    let orders = signer(1_000_000_000);
    Armory::new(orders, login("the-key", "the-pass"), "clob.test", "parallax/1", [5; 32]).unwrap()
}

pub(crate) fn terms() -> PolymarketTerms {
    let tokens = [
        "115792089237316195423570985008687907853269984665640564039457584007913129639935",
        "43393808330987478239817922562313374653940164041067500389519301341071746577812",
    ];
    let tokens = tokens.map(|text| TokenId::parse(text).unwrap());
    PolymarketTerms::new(tokens, MarketVersion::V1, true, Px::lit(10)).unwrap()
}

pub(crate) fn leg(index: usize, limit: u16, qty: u64) -> Leg {
    let (limit, qty) = (Px::lit(limit), Qty::lit(qty));
    Leg {
        market: MarketId::new(Venue::Polymarket, index).unwrap(),
        outcome: Outcome::No,
        action: Action::Buy,
        spends: true,
        limit,
        qty,
        budget: qty.at(limit),
        expected: Shares::from(qty),
        cost: qty.at(limit),
        fee: Usd::ZERO,
        reserve: qty.at(limit),
        generation: 1,
    }
}

/// Checks a request as a server would, and gives its stamp.
pub(crate) fn check(request: &[u8], id: OrderId, leg: &Leg) -> u64 {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut parsed = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = parsed.parse(request).unwrap() else { panic!("cut") };
    assert_eq!((parsed.method, parsed.path), (Some("POST"), Some(ORDER_PATH)));
    let header = |name: &str| {
        let all: Vec<_> = parsed.headers.iter().filter(|h| h.name == name).collect();
        assert_eq!(all.len(), 1, "{name}");
        std::str::from_utf8(all[0].value).unwrap()
    };
    assert_eq!((header("Host"), header("User-Agent")), ("clob.test", "parallax/1"));
    assert_eq!(header("POLY_ADDRESS"), signer(0).owner().to_string());
    assert_eq!(header("POLY_API_KEY"), "the-key");
    assert_eq!(header("POLY_PASSPHRASE"), "the-pass");
    let body = &request[head..];
    assert_eq!(header("Content-Length"), body.len().to_string());
    let stamp = header("POLY_TIMESTAMP").parse().unwrap();
    let hmac = login("the-key", "the-pass").hmac(stamp, "POST", ORDER_PATH, body);
    assert_eq!(header("POLY_SIGNATURE").as_bytes(), hmac);

    let value: Value = serde_json::from_slice(body).unwrap();
    let order = &value["order"];
    assert_eq!((&value["orderType"], &value["owner"]), (&"FAK".into(), &"the-key".into()));
    // The same order made apart has the same id and signature.
    let (token, tick) = (terms().token(leg.outcome), terms().tick());
    let kind = OrderType::Fak;
    let intent = PolymarketIntent::new(Action::Buy, token, leg.limit, leg.qty, kind, tick).unwrap();
    let mut signer = signer(i64::MAX);
    let timestamp = order["timestamp"].as_str().unwrap().parse().unwrap();
    let twin = signer.order(&intent, order["salt"].as_u64().unwrap(), timestamp);
    let twin = signer.sign(Exchange::V2NegRisk, &twin).unwrap();
    assert_eq!(twin.id, id);
    let mut hex = Vec::new();
    crate::sign::text::push_hex(twin.signature.as_bytes(), &mut hex);
    assert_eq!(order["signature"].as_str().unwrap().as_bytes(), hex);
    assert_eq!(order["makerAmount"], leg.budget.e6().to_string());
    stamp
}

#[test]
fn an_armed_order_is_right_in_both_its_seconds_and_in_no_other() {
    let (mut armory, leg, mut order) = (armory(), leg(1, 4_200, 1_000), ArmedOrder::EMPTY);
    armory.arm(&leg, &terms(), WALL, &mut order).unwrap();
    assert_eq!((armory.operations(), order.key()), ([1, 2], Some(LegKey::of(&leg))));
    let id = order.id();
    for (later_ms, stamp) in [
        (0, Some(1_795_000_000)),
        (749, Some(1_795_000_000)),
        (750, Some(1_795_000_001)),
        (300, Some(1_795_000_000)), // The clock went back, or another core's is behind.
        (1_749, Some(1_795_000_001)),
        (1_750, None),
    ] {
        let request = order.request(WALL.after(Ns::from_ms(later_ms)));
        assert_eq!(request.map(|request| check(request, id, &leg)), stamp, "{later_ms}");
    }
    assert!(order.request(Ns(WALL.0 - 300_000_000)).is_none(), "the second before");
    assert_eq!(armory.operations(), [1, 2], "firing signs and hashes nothing");

    armory.sign_now(&leg, &terms(), WALL, &mut order).unwrap();
    assert_eq!(armory.operations(), [2, 3]);
    assert_ne!(order.id(), id, "another salt, another order");
    let id = order.id();
    check(order.request(WALL).unwrap(), id, &leg);
    assert!(order.request(WALL.after(Ns::from_ms(800))).is_none(), "one second only");
}

#[test]
fn what_is_no_order_is_not_armed() {
    let (mut armory, good, mut order) = (armory(), leg(1, 4_200, 1_000), ArmedOrder::EMPTY);
    armory.arm(&good, &terms(), WALL, &mut order).unwrap();
    let mut refused = |leg: &Leg, wall| armory.arm(leg, &terms(), wall, &mut order).unwrap_err();
    let cents = leg(1, 4_210, 1_001);
    assert_eq!(refused(&cents, WALL), NotArmed::Order(Refused::Cents));
    let off = leg(1, 4_205, 1_000);
    assert_eq!(refused(&off, WALL), NotArmed::Order(Refused::Price(Px::lit(4_205))));
    let counts = Leg { spends: false, ..good };
    assert_eq!(refused(&counts, WALL), NotArmed::CountsContracts);
    assert_eq!(refused(&Leg { budget: Usd::ONE, ..good }, WALL), NotArmed::Budget);
    assert_eq!(refused(&leg(1, 5_000, 400_000), WALL), NotArmed::Signer(NotSigned::Cost));
    assert_eq!(refused(&good, Ns(1)), NotArmed::Clock);
    assert!(order.key().is_none() && order.request(WALL).is_none(), "nothing is left over");
}

#[test]
fn the_longest_request_fits() {
    let (host, agent) = ("h".repeat(HOST_LEN_MAX), "u".repeat(USER_AGENT_LEN_MAX));
    let login = login(&"k".repeat(API_KEY_LEN_MAX), &"p".repeat(PASSPHRASE_LEN_MAX));
    let mut armory = Armory::new(signer(i64::MAX), login, &host, &agent, [5; 32]).unwrap();
    let mut order = ArmedOrder::EMPTY;
    let long = Leg { outcome: Outcome::Yes, ..leg(1, 9_990, 900_000_000_000_000) };
    armory.arm(&long, &terms(), WALL, &mut order).unwrap();
    let len = order.request(WALL).unwrap().len();
    assert!((2_100..REQUEST_LEN_MAX - 16).contains(&len), "{len}");

    let bad = |host: &str, agent: &str| {
        Armory::new(signer(1), self::login("k", "p"), host, agent, [0; 32]).err()
    };
    assert_eq!(bad("a b", "x"), Some(BadHost::Host));
    assert_eq!(bad("", "x"), Some(BadHost::Host));
    assert_eq!(bad("h", ""), Some(BadHost::UserAgent));
    assert_eq!(bad("h", "x\r\nY: z"), Some(BadHost::UserAgent));
}

#[test]
fn an_order_is_found_by_its_exact_leg_and_fired_once() {
    let ((mut filler, mut book), mut armory) = (armed_ring(), armory());
    let mut order = ArmedOrder::EMPTY;
    let legs = [leg(1, 4_200, 1_000), leg(2, 4_200, 1_000), leg(2, 4_200, 2_000)];
    for (slot, leg) in legs.iter().enumerate() {
        order.slot = slot as u16;
        armory.arm(leg, &terms(), WALL, &mut order).unwrap();
        assert!(filler.push(&order));
    }
    assert_eq!((book.refresh(2), book.refresh(9)), (2, 1));
    let other_leg = LegKey { limit: Px::lit(4_100), ..LegKey::of(&legs[0]) };
    assert!(book.take(&other_leg, WALL).is_none());
    let other_leg = LegKey { outcome: Outcome::Yes, ..LegKey::of(&legs[0]) };
    assert!(book.take(&other_leg, WALL).is_none());
    for leg in [&legs[2], &legs[0]] {
        let fired = book.take(&LegKey::of(leg), WALL).unwrap();
        check(fired.request, fired.id, leg);
        assert!(book.take(&LegKey::of(leg), WALL).is_none(), "once");
    }
    assert_eq!((filler.pop_used(), filler.pop_used(), filler.pop_used()), (Some(2), Some(0), None));
    assert!(book.take(&LegKey::of(&legs[1]), WALL.after(Ns::from_ms(2_000))).is_none());
    let figures = ArmedFigures { armed: 3, hits: 2, misses: 5, stale: 1 };
    assert_eq!(book.figures(), figures);

    // A newer order takes its slot's place.
    order.slot = 1;
    armory.arm(&legs[0], &terms(), WALL, &mut order).unwrap();
    let first = order.id();
    assert!(filler.push(&order));
    armory.arm(&legs[0], &terms(), WALL, &mut order).unwrap();
    assert!(filler.push(&order));
    book.refresh(9);
    let fired = book.take(&LegKey::of(&legs[0]), WALL).unwrap();
    assert!(fired.id == order.id() && fired.id != first);
    assert!(book.take(&LegKey::of(&legs[0]), WALL).is_none());
}
