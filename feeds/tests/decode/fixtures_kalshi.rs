//! Every documented Kalshi frame gives the documented values.

use engine::book::Side;
use engine::grid::Grid;
use engine::units::{Px, Qty};
use feeds::error::{DecodeError, DecodeErrorKind};
use feeds::kalshi::general::General;
use feeds::kalshi::message::*;

use crate::shared;

const MARKET_ID: &str = "9b0f6b43-5b68-4f9f-9f02-9a2d1b8ac1a1";

/// Decodes a fixture and hands its frame to `check`.
fn on(name: &str, check: impl FnOnce(Result<Frame<'_>, DecodeError>)) {
    let Some(bytes) = shared::file(&format!("protocol/fixtures/kalshi/{name}.json")) else {
        return;
    };
    check(General::new().decode(&bytes));
}

fn levels(pairs: &[(u16, u64)]) -> Vec<(Px, Qty)> {
    pairs.iter().map(|&(px, qty)| (Px::lit(px), Qty::lit(qty))).collect()
}

#[test]
fn deltas() {
    on("ws_orderbook_delta", |frame| {
        let body = Body::Delta(Delta {
            ticker: "FED-23DEC-T3.00",
            market_id: MARKET_ID,
            px: Px::lit(9_600),
            delta_e2: -5_400,
            side: BookSide::Yes,
            ts_ms: Some(1_669_149_841_000),
            own: false,
        });
        let (sid, seq, sent_ms) = (Some(2), Some(3), Some(1_669_149_841_234));
        assert_eq!(frame, Ok(Frame { id: None, sid, seq, sent_ms, body }));
    });
    on("ws_orderbook_delta_own_order_fractional", |frame| {
        let Body::Delta(delta) = frame.unwrap().body else { panic!() };
        assert_eq!((delta.px, delta.delta_e2), (Px::lit(2_210), 777));
        assert_eq!((delta.side, delta.own), (BookSide::No, true));
    });
}

#[test]
fn snapshots() {
    on("ws_orderbook_snapshot", |frame| {
        let body = Body::Snapshot(Snapshot {
            ticker: "FED-23DEC-T3.00",
            market_id: MARKET_ID,
            yes: &levels(&[(800, 30_000), (2_200, 33_300)]),
            no: &levels(&[(5_400, 2_000), (5_600, 14_600)]),
        });
        let (sid, seq, sent_ms) = (Some(2), Some(2), Some(1_669_149_841_234));
        assert_eq!(frame, Ok(Frame { id: None, sid, seq, sent_ms, body }));
    });
    on("ws_orderbook_snapshot_use_yes_price", |frame| {
        let Body::Snapshot(book) = frame.unwrap().body else { panic!() };
        assert_eq!(book.no, levels(&[(4_400, 14_600), (4_600, 2_000)]), "as on the wire");
    });
    on("ws_orderbook_snapshot_one_side_absent", |frame| {
        let Body::Snapshot(book) = frame.unwrap().body else { panic!() };
        assert_eq!((book.yes.len(), book.no.len()), (2, 0));
    });
    on("ws_orderbook_snapshot_get_snapshot_reply", |frame| {
        let frame = frame.unwrap();
        assert_eq!((frame.id, frame.sid, frame.seq), (Some(127), Some(456), Some(240)));
        let Body::Snapshot(book) = frame.body else { panic!() };
        assert_eq!(book.ticker, "MARKET-1");
    });
}

#[test]
fn ticker_and_trade() {
    on("ws_ticker", |frame| {
        let frame = frame.unwrap();
        assert_eq!((frame.sid, frame.seq), (Some(11), None));
        let ticker = Ticker {
            ticker: "FED-23DEC-T3.00",
            market_id: MARKET_ID,
            last: Some(Px::lit(4_800)),
            yes_bid: Some(Px::lit(4_500)),
            yes_ask: Some(Px::lit(5_300)),
            yes_bid_qty: Some(Qty::lit(30_000)),
            yes_ask_qty: Some(Qty::lit(15_000)),
            last_qty: Some(Qty::lit(2_500)),
            volume: Some(Qty::lit(3_389_600)),
            open_interest: Some(Qty::lit(2_042_200)),
            dollar_volume: Some(16_948),
            dollar_open_interest: Some(10_211),
            ts_ms: Some(1_669_149_841_000),
        };
        assert_eq!(frame.body, Body::Ticker(ticker));
    });
    on("ws_trade", |frame| {
        let trade = Trade {
            id: "d91bc706-ee49-470d-82d8-11418bda6fed",
            ticker: "HIGHNY-22DEC23-B53.5",
            yes_px: Px::lit(3_600),
            qty: Qty::lit(13_600),
            taker: Some(Side::Ask),
            block: false,
            ts_ms: Some(1_669_149_841_000),
        };
        assert_eq!(frame.unwrap().body, Body::Trade(trade));
    });
}

#[test]
fn lifecycles() {
    let bare = |event| Lifecycle {
        ticker: "INXD-23SEP14-B4487",
        event,
        open_ts_s: None,
        close_ts_s: None,
        determination_ts_s: None,
        settled_ts_s: None,
        result: None,
        settlement: None,
        is_deactivated: None,
        grid: None,
    };
    let on_body = |name: &str, want: Lifecycle<'_>| {
        on(name, |frame| assert_eq!(frame.unwrap().body, Body::Lifecycle(want)));
    };
    on_body(
        "ws_market_lifecycle_created",
        Lifecycle {
            open_ts_s: Some(1_694_635_200),
            close_ts_s: Some(1_694_721_600),
            grid: Some(Ok(Grid::CENT)),
            ..bare(LifecycleEvent::Created)
        },
    );
    on_body(
        "ws_market_lifecycle_price_level_updated",
        Lifecycle { grid: Some(Ok(Grid::DECI_CENT)), ..bare(LifecycleEvent::GridUpdated) },
    );
    on_body(
        "ws_market_lifecycle_close_date_updated",
        Lifecycle { close_ts_s: Some(1_694_700_000), ..bare(LifecycleEvent::CloseDateUpdated) },
    );
    on_body(
        "ws_market_lifecycle_deactivated",
        Lifecycle { is_deactivated: Some(true), ..bare(LifecycleEvent::Deactivated) },
    );
    on_body(
        "ws_market_lifecycle_determined",
        Lifecycle {
            determination_ts_s: Some(1_694_722_000),
            result: Some("yes"),
            settlement: Some(Px::ONE),
            ..bare(LifecycleEvent::Determined)
        },
    );
    on_body(
        "ws_market_lifecycle_metadata_updated",
        Lifecycle { ticker: "KXBTC-25APR30-T0915-B95000", ..bare(LifecycleEvent::MetadataUpdated) },
    );
    on("ws_event_lifecycle", |frame| {
        let event = EventLifecycle {
            event_ticker: "KXQUICKSETTLE-26JAN25H2150",
            series_ticker: "KXQUICKSETTLE",
            title: "What will 1+1 equal on Jan 25 at 21:50?",
        };
        assert_eq!(frame.unwrap().body, Body::EventLifecycle(event));
    });
}

#[test]
fn fee_updates() {
    let event_ticker = "KXBTCD-26MAY2018";
    on("ws_event_fee_update", |frame| {
        let (fee_type, multiplier_e6) = (Ok(Some("quadratic")), Ok(Some(1_000_000)));
        let fee = EventFee { event_ticker, fee_type, multiplier_e6 };
        assert_eq!(frame.unwrap().body, Body::EventFee(fee));
    });
    on("ws_event_fee_update_cleared", |frame| {
        let fee = EventFee { event_ticker, fee_type: Ok(None), multiplier_e6: Ok(None) };
        assert_eq!(frame.unwrap().body, Body::EventFee(fee));
    });
}

#[test]
fn replies() {
    on("ws_subscribed", |frame| {
        let frame = frame.unwrap();
        assert_eq!((frame.id, frame.sent_ms), (Some(1), Some(1_669_149_841_234)));
        let subscription = Subscription { channel: "orderbook_delta", sid: 1 };
        assert_eq!(frame.body, Body::Subscribed(subscription));
    });
    on("ws_subscribed_no_sending_ts", |frame| {
        let subscription = Subscription { channel: "trade", sid: 2 };
        assert_eq!(frame.unwrap().body, Body::Subscribed(subscription));
    });
    on("ws_unsubscribed", |frame| {
        let (id, sid, seq) = (Some(102), Some(2), Some(7));
        let want = Frame { id, sid, seq, sent_ms: None, body: Body::Unsubscribed };
        assert_eq!(frame, Ok(want));
    });
    on("ws_ok_update_subscription", |frame| {
        let frame = frame.unwrap();
        assert_eq!((frame.id, frame.sid, frame.seq), (Some(123), Some(456), Some(222)));
        let Body::Ok { markets, channels, sids } = frame.body else { panic!() };
        assert!(markets.iter().eq(["MARKET-1", "MARKET-2", "MARKET-3"]));
        assert!(channels.is_empty() && sids.is_empty());
    });
    on("ws_ok_list_subscriptions", |frame| {
        let Body::Ok { markets, channels, sids } = frame.unwrap().body else { panic!() };
        assert!(channels.iter().eq(["orderbook_delta", "ticker", "fill"]));
        assert_eq!((markets.len(), sids), (0, &[1, 2, 3][..]));
    });
    for (name, code, text, sid, seq) in [
        ("ws_error_command", 7, "Unknown subscription ID", None, None),
        ("ws_error_market_ticker_required", 14, "Market Ticker required", None, None),
        (
            "ws_error_terminal_buffer_overflow",
            25,
            "Subscription buffer overflow",
            Some(1),
            Some(9_001),
        ),
    ] {
        on(name, |frame| {
            let frame = frame.unwrap();
            assert_eq!((frame.sid, frame.seq), (sid, seq), "{name}");
            assert_eq!(frame.body, Body::Error { code, text }, "{name}");
        });
    }
}

/// Whatever is documented decodes; private channels are of another type, commands are ours.
#[test]
fn every_fixture_decodes() {
    let mut general = General::new();
    for name in shared::fixtures("kalshi") {
        let bytes = shared::file(&format!("protocol/fixtures/kalshi/{name}")).unwrap();
        let frame = general.decode(&bytes);
        if name.starts_with("ws_cmd_") {
            let error = frame.unwrap_err();
            assert_eq!((error.kind, error.field), (DecodeErrorKind::Missing, "type"), "{name}");
            continue;
        }
        let private = ["ws_fill", "ws_user_", "ws_market_position", "ws_order_group"];
        let is_private = private.iter().any(|p| name.starts_with(p));
        assert_eq!(frame.unwrap().body == Body::Other, is_private, "{name}");
    }
}

#[test]
fn a_recorded_session_shows_its_gap() {
    let Some(text) = shared::file("protocol/fixtures/kalshi/ws_session_with_seq_gap.jsonl") else {
        return;
    };
    let mut general = General::new();
    let lines = text.split_inclusive(|b| *b == b'\n');
    let seqs: Vec<_> = lines.map(|line| general.decode(line).unwrap().seq).collect();
    assert_eq!(seqs, [None, Some(1), Some(2), Some(3), Some(4), Some(6)]);
}
