//! Every documented Polymarket frame gives the documented values.

use engine::book::Side;
use engine::units::{Px, Qty};
use feeds::error::DecodeErrorKind;
use feeds::polymarket::general::General;
use feeds::polymarket::hash::{BookText, Verdict, audit, book_hash};
use feeds::polymarket::message::*;

use crate::shared;

const MARKET: &str = "0x9b1c6f0d2a7e4b58c3d1e0f4a59687766554433221100ffeeddccbbaa9988770";
const YES: &str = "52114319501245915516055106046884209969926127482827954674443846427813813222426";
const NO: &str = "71321045679252212594626385532706912750332728571942532289631379312455583992563";

/// Decodes a fixture and hands each object to `check`, with its number.
fn on(name: &str, objects: usize, mut check: impl FnMut(usize, Object<'_>)) {
    let Some(bytes) = shared::file(&format!("protocol/fixtures/polymarket/{name}.json")) else {
        return;
    };
    let mut number = 0;
    let outcome = General::new().decode(&bytes, &mut |object| {
        check(number, object.unwrap());
        number += 1;
    });
    assert_eq!((outcome, number), (Ok(()), objects), "{name}");
}

fn levels(pairs: &[(u16, u64)]) -> Vec<(Px, Qty)> {
    pairs.iter().map(|&(px, qty)| (Px::lit(px), Qty::lit(qty))).collect()
}

#[test]
fn books() {
    let yes = Book {
        market: MARKET,
        asset_id: YES,
        timestamp_ms: 1_795_000_000_123,
        hash: "e198ee3e76568a8114707b1f2239b5d15a6f306d",
        bids: &levels(&[(4_700, 120_000), (5_000, 31_055), (5_100, 8_820)]),
        asks: &levels(&[(5_600, 90_000), (5_400, 15_075), (5_300, 6_000)]),
        tick_size: Some(Px::lit(100)),
    };
    let no = Book {
        asset_id: NO,
        hash: "6383610450765db869a74bf651c9ecbc932f007f",
        bids: &levels(&[(4_400, 90_000), (4_600, 15_075), (4_700, 6_000)]),
        asks: &levels(&[(5_300, 120_000), (5_000, 31_055), (4_900, 8_820)]),
        ..yes
    };
    on("ws_book", 1, |_, object| assert_eq!(object, Object::Book(yes)));
    on("ws_book_initial_dump_array", 2, |number, object| {
        assert_eq!(object, Object::Book([yes, no][number]));
    });
    on("ws_book_after_price_change", 1, |_, object| {
        let Object::Book(book) = object else { panic!() };
        assert_eq!(book.bids, levels(&[(4_700, 120_000), (5_100, 10_020)]));
    });
}

#[test]
fn price_changes() {
    let entry = |asset_id, px, qty, side, hash, bid, ask| Entry {
        asset_id,
        px: Px::lit(px),
        qty: Qty::lit(qty),
        side,
        hash,
        best_bid: Some(Px::lit(bid)),
        best_ask: Some(Px::lit(ask)),
    };
    let yes_hash = "32afbd3220d1a8e7f326fc7c0fdc597a9abc55e1";
    let no_hash = "f6915246d2b183682d9e18b01c0ace8720d55c43";
    let entries = [
        entry(YES, 5_100, 10_020, Side::Bid, yes_hash, 5_100, 5_300),
        entry(NO, 4_900, 10_020, Side::Ask, no_hash, 4_700, 4_900),
        entry(YES, 5_000, 0, Side::Bid, yes_hash, 5_100, 5_300),
        entry(NO, 5_000, 0, Side::Ask, no_hash, 4_700, 4_900),
    ];
    on("ws_price_change", 1, |_, object| {
        let timestamp_ms = 1_795_000_000_456;
        let want = PriceChange { market: MARKET, timestamp_ms, entries: &entries };
        assert_eq!(object, Object::PriceChange(want));
    });
}

#[test]
fn small_messages() {
    on("ws_tick_size_change", 1, |_, object| {
        let want = TickSize {
            market: MARKET,
            asset_id: YES,
            old: Some(Px::lit(100)),
            new: Px::lit(10),
            timestamp_ms: 1_795_000_001_000,
        };
        assert_eq!(object, Object::TickSize(want));
    });
    on("ws_last_trade_price", 1, |_, object| {
        let want = LastTrade {
            market: MARKET,
            asset_id: YES,
            px: Px::lit(5_300),
            qty: Qty::lit(6_000),
            side: Side::Bid,
            timestamp_ms: 1_795_000_001_500,
            transaction_hash: Some(
                "0x5e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0ff",
            ),
        };
        assert_eq!(object, Object::LastTrade(want));
    });
    on("ws_best_bid_ask", 1, |_, object| {
        let want = BestBidAsk {
            market: MARKET,
            asset_id: YES,
            best_bid: Some(Px::lit(5_100)),
            best_ask: Some(Px::lit(5_400)),
            timestamp_ms: 1_795_000_001_501,
        };
        assert_eq!(object, Object::BestBidAsk(want));
    });
}

#[test]
fn markets_come_and_go() {
    on("ws_new_market", 1, |_, object| {
        let want = NewMarket {
            market: MARKET,
            id: "1031770",
            question: "Will the sample event happen by Dec 31?",
            slug: "will-the-sample-event-happen-by-dec-31",
            assets: &[YES, NO],
            outcomes: &["Yes", "No"],
            tick_size: Some(Px::lit(100)),
            active: Some(false),
            fee: Ok(Some(FeeSchedule {
                rate_e6: 50_000,
                exponent_e6: 1_000_000,
                taker_only: true,
            })),
            timestamp_ms: 1_795_000_002_000,
        };
        assert_eq!(object, Object::NewMarket(want));
    });
    on("ws_market_resolved", 1, |_, object| {
        let want = Resolved {
            market: MARKET,
            assets: &[YES, NO],
            winning_asset_id: YES,
            winning_outcome: "Yes",
            timestamp_ms: 1_795_000_003_000,
        };
        assert_eq!(object, Object::Resolved(want));
    });
}

/// Whatever is documented decodes; the user channel is of another type, subscriptions are ours.
#[test]
fn every_fixture_decodes() {
    let mut general = General::new();
    for name in shared::fixtures("polymarket") {
        let bytes = shared::file(&format!("protocol/fixtures/polymarket/{name}")).unwrap();
        let ours = name.contains("subscribe") || name == "ws_heartbeat.json";
        let outcome = general.decode(&bytes, &mut |object| match object {
            Ok(object) => {
                assert_eq!(object == Object::Other, name.starts_with("ws_user_"), "{name}");
            }
            Err(refused) => {
                assert!(ours, "{name}: {}", refused.error);
                assert_eq!(refused.error.kind, DecodeErrorKind::Missing, "{name}");
                assert_eq!(refused.error.field, "event_type", "{name}");
            }
        });
        assert_eq!(outcome, Ok(()), "{name}");
    }
}

#[test]
fn heartbeats_are_text() {
    let mut general = General::new();
    for (frame, want) in [("PING", Object::Ping), ("PONG", Object::Pong), ("PONG\n", Object::Pong)]
    {
        let mut got = 0;
        let outcome = general.decode(frame.as_bytes(), &mut |object| {
            assert_eq!(object, Ok(want));
            got += 1;
        });
        assert_eq!((outcome, got), (Ok(()), 1), "{frame}");
    }
}

#[test]
fn book_hashes_of_the_golden_rows() {
    let Some(bytes) = shared::file("protocol/vectors/polymarket_book_hash.json") else { return };
    let rows: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 12);
    let mut preimage = String::new();
    for row in rows {
        let (input, output) = (&row["inputs"], &row["outputs"]);
        let levels = |side: &str| -> Vec<(&str, &str)> {
            let list = input[side].as_array().unwrap();
            list.iter()
                .map(|l| (l["price"].as_str().unwrap(), l["size"].as_str().unwrap()))
                .collect()
        };
        let (bids, asks) = (levels("bids"), levels("asks"));
        let text = |key: &str| input[key].as_str().unwrap();
        let book = BookText {
            market: text("market"),
            asset_id: text("asset_id"),
            timestamp: text("timestamp"),
            hash: output["sha1"].as_str().unwrap(),
            bids: &bids,
            asks: &asks,
            min_order_size: Some(text("min_order_size")),
            tick_size: Some(text("tick_size")),
            neg_risk: input["neg_risk"].as_bool(),
            last_trade_price: Some(text("last_trade_price")),
        };
        let hash = book_hash(&book, &mut preimage).unwrap();
        assert_eq!(preimage, output["preimage"].as_str().unwrap());
        let hex: String = hash.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, book.hash);
        assert_eq!(audit(&book, &mut preimage), Verdict::Equal);

        let other = BookText { timestamp: "1795472505235", ..book };
        assert_eq!(audit(&other, &mut preimage), Verdict::Different);
        let unknown = BookText { tick_size: None, ..book };
        assert_eq!(audit(&unknown, &mut preimage), Verdict::Unknown);
        let odd = BookText { market: "0x\"", ..book };
        assert_eq!(audit(&odd, &mut preimage), Verdict::Unknown);
    }
}

#[test]
fn book_hashes_of_the_fixtures() {
    let (mut general, mut preimage) = (General::new(), String::new());
    for (name, books) in [
        ("ws_book", 1),
        ("ws_book_initial_dump_array", 2),
        ("ws_book_after_price_change", 1),
        ("rest_book", 1),
        ("ws_price_change", 0),
    ] {
        let Some(bytes) = shared::file(&format!("protocol/fixtures/polymarket/{name}.json")) else {
            return;
        };
        let mut equal = 0;
        let outcome = general.decode_book_texts(&bytes, &mut |book| {
            let book = book.unwrap();
            if name == "rest_book" {
                assert_eq!((book.min_order_size, book.neg_risk), (Some("5"), Some(false)));
            } else {
                assert_eq!(audit(&book, &mut preimage), Verdict::Unknown, "{name}");
            }
            let known = BookText { min_order_size: Some("5"), neg_risk: Some(false), ..book };
            assert_eq!(audit(&known, &mut preimage), Verdict::Equal, "{name}: {preimage}");
            equal += 1;
        });
        assert_eq!((outcome, equal), (Ok(()), books), "{name}");
    }
}
