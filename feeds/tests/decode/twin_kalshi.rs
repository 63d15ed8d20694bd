//! Kalshi's general decoder and the slow twin agree on whatever is sent.

use engine::book::Side;
use engine::units::{Px, Qty};
use feeds::kalshi::general::General;
use feeds::kalshi::message::*;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::twin::{self, Kind, Summary, Table, Writer, spell_levels};

const ENVELOPE: Table = &[
    ("id", Kind::Whole, false),
    ("sid", Kind::Whole, false),
    ("seq", Kind::Whole, false),
    ("sending_ts_ms", Kind::Whole, false),
];

const MESSAGES: &[(&str, Table)] = &[
    (
        "orderbook_delta",
        &[
            ("market_ticker", Kind::Text, true),
            ("market_id", Kind::Text, false),
            ("price_dollars", Kind::Price, true),
            ("delta_fp", Kind::Change, true),
            ("side", Kind::Word(&["yes", "no"]), true),
            ("ts_ms", Kind::Whole, false),
            ("client_order_id", Kind::Present, false),
        ],
    ),
    (
        "orderbook_snapshot",
        &[
            ("market_ticker", Kind::Text, true),
            ("market_id", Kind::Text, false),
            ("yes_dollars_fp", Kind::Pairs, false),
            ("no_dollars_fp", Kind::Pairs, false),
        ],
    ),
    (
        "ticker",
        &[
            ("market_ticker", Kind::Text, true),
            ("market_id", Kind::Text, false),
            ("price_dollars", Kind::PriceOrBlank, false),
            ("yes_bid_dollars", Kind::PriceOrBlank, false),
            ("yes_ask_dollars", Kind::PriceOrBlank, false),
            ("yes_bid_size_fp", Kind::Size, false),
            ("yes_ask_size_fp", Kind::Size, false),
            ("last_trade_size_fp", Kind::Size, false),
            ("volume_fp", Kind::Size, false),
            ("open_interest_fp", Kind::Size, false),
            ("dollar_volume", Kind::Signed, false),
            ("dollar_open_interest", Kind::Signed, false),
            ("ts_ms", Kind::Whole, false),
        ],
    ),
    (
        "trade",
        &[
            ("trade_id", Kind::Text, false),
            ("market_ticker", Kind::Text, true),
            ("yes_price_dollars", Kind::Price, true),
            ("count_fp", Kind::Size, true),
            ("taker_book_side", Kind::Word(&["bid", "ask"]), false),
            ("is_block_trade", Kind::Flag, false),
            ("ts_ms", Kind::Whole, false),
        ],
    ),
    (
        "market_lifecycle_v2",
        &[
            ("market_ticker", Kind::Text, true),
            ("event_type", Kind::Text, true),
            ("open_ts", Kind::Whole, false),
            ("close_ts", Kind::Whole, false),
            ("determination_ts", Kind::Whole, false),
            ("settled_ts", Kind::Whole, false),
            ("result", Kind::Text, false),
            ("settlement_value", Kind::PriceOrBlank, false),
            ("is_deactivated", Kind::Flag, false),
            ("price_ranges", Kind::Bands, false),
        ],
    ),
    (
        "event_lifecycle",
        &[
            ("event_ticker", Kind::Text, true),
            ("series_ticker", Kind::Text, false),
            ("title", Kind::Text, false),
        ],
    ),
    (
        "event_fee_update",
        &[
            ("event_ticker", Kind::Text, true),
            ("fee_type_override", Kind::Loose(&Kind::Text), false),
            ("fee_multiplier_override", Kind::Loose(&Kind::Ratio), false),
        ],
    ),
    ("subscribed", &[("channel", Kind::Text, true), ("sid", Kind::Whole, true)]),
    ("ok", &[("market_tickers", Kind::Names, false)]),
    ("error", &[("code", Kind::Whole, true), ("msg", Kind::Text, false)]),
];

/// What was put in, one field at a time.
#[derive(Default)]
struct Fields(Summary);

impl Fields {
    fn put(mut self, name: &str, value: impl ToString) -> Fields {
        self.0.insert(name.to_owned(), value.to_string());
        self
    }

    fn put_if<T: ToString>(self, name: &str, value: Option<T>) -> Fields {
        match value.map(|v| v.to_string()).filter(|text| !text.is_empty()) {
            Some(text) => self.put(name, text),
            None => self,
        }
    }
}

fn envelope(frame: &Frame<'_>) -> Summary {
    Fields::default()
        .put_if("id", frame.id)
        .put_if("sid", frame.sid)
        .put_if("seq", frame.seq)
        .put_if("sending_ts_ms", frame.sent_ms)
        .0
}

fn body(body: &Body<'_>) -> Summary {
    let fields = Fields::default();
    match *body {
        Body::Delta(d) => fields
            .put("market_ticker", d.ticker)
            .put_if("market_id", Some(d.market_id))
            .put("price_dollars", d.px.e4())
            .put("delta_fp", d.delta_e2)
            .put("side", if d.side == BookSide::Yes { "yes" } else { "no" })
            .put_if("ts_ms", d.ts_ms)
            .put_if("client_order_id", d.own.then_some("there")),
        Body::Snapshot(s) => {
            let levels =
                |list: &[(Px, Qty)]| spell_levels(list.iter().map(|(px, qty)| (px.e4(), qty.e2())));
            fields
                .put("market_ticker", s.ticker)
                .put_if("market_id", Some(s.market_id))
                .put_if("yes_dollars_fp", Some(levels(s.yes)))
                .put_if("no_dollars_fp", Some(levels(s.no)))
        }
        Body::Ticker(t) => fields
            .put("market_ticker", t.ticker)
            .put_if("market_id", Some(t.market_id))
            .put_if("price_dollars", t.last.map(Px::e4))
            .put_if("yes_bid_dollars", t.yes_bid.map(Px::e4))
            .put_if("yes_ask_dollars", t.yes_ask.map(Px::e4))
            .put_if("yes_bid_size_fp", t.yes_bid_qty.map(Qty::e2))
            .put_if("yes_ask_size_fp", t.yes_ask_qty.map(Qty::e2))
            .put_if("last_trade_size_fp", t.last_qty.map(Qty::e2))
            .put_if("volume_fp", t.volume.map(Qty::e2))
            .put_if("open_interest_fp", t.open_interest.map(Qty::e2))
            .put_if("dollar_volume", t.dollar_volume)
            .put_if("dollar_open_interest", t.dollar_open_interest)
            .put_if("ts_ms", t.ts_ms),
        Body::Trade(t) => fields
            .put_if("trade_id", Some(t.id))
            .put("market_ticker", t.ticker)
            .put("yes_price_dollars", t.yes_px.e4())
            .put("count_fp", t.qty.e2())
            .put_if("taker_book_side", t.taker.map(|s| if s == Side::Bid { "bid" } else { "ask" }))
            .put_if("is_block_trade", t.block.then_some(true))
            .put_if("ts_ms", t.ts_ms),
        Body::Lifecycle(l) => fields
            .put("market_ticker", l.ticker)
            .put_if("open_ts", l.open_ts_s)
            .put_if("close_ts", l.close_ts_s)
            .put_if("determination_ts", l.determination_ts_s)
            .put_if("settled_ts", l.settled_ts_s)
            .put_if("result", l.result)
            .put_if("settlement_value", l.settlement.map(Px::e4))
            .put_if("is_deactivated", l.is_deactivated)
            .put_if(
                "price_ranges",
                l.grid.map(|g| g.map_or("bad".to_owned(), |grid| format!("{grid:?}"))),
            ),
        Body::EventLifecycle(e) => fields
            .put("event_ticker", e.event_ticker)
            .put_if("series_ticker", Some(e.series_ticker))
            .put_if("title", Some(e.title)),
        Body::EventFee(e) => fields
            .put("event_ticker", e.event_ticker)
            .put_if("fee_type_override", e.fee_type.unwrap_or(Some("bad")))
            .put_if(
                "fee_multiplier_override",
                e.multiplier_e6.map_or(Some("bad".to_owned()), |m| m.map(|m| m.to_string())),
            ),
        Body::Subscribed(s) => fields.put("channel", s.channel).put("sid", s.sid),
        Body::Ok { markets, .. } => {
            let names: Vec<_> = markets.iter().collect();
            fields.put("market_tickers", format!("{names:?}"))
        }
        Body::Error { code, text } => fields.put("code", code).put_if("msg", Some(text)),
        Body::Unsubscribed | Body::Other => fields,
    }
    .0
}

/// What the message type does not keep apart is dropped from the twin's reading too.
fn normal(kind: &str, mut msg: Summary) -> Summary {
    match kind {
        "market_lifecycle_v2" => drop(msg.remove("event_type")),
        "trade" if msg.get("is_block_trade").is_some_and(|v| v == "false") => {
            msg.remove("is_block_trade");
        }
        "ok" => drop(msg.entry("market_tickers".to_owned()).or_insert_with(|| "[]".to_owned())),
        _ => {}
    }
    msg
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn the_decoder_agrees_with_the_twin(
        (kind, table, frame, msg) in proptest::sample::select(MESSAGES).prop_flat_map(
            |(kind, table)| (Just(kind), Just(table), twin::message(ENVELOPE), twin::message(table))
        ),
        seed in any::<u64>(),
    ) {
        let mut frame: Value = frame;
        frame["type"] = json!(kind);
        frame["msg"] = msg;
        let text = Writer::write(seed, &frame);
        let value: Value = serde_json::from_str(&text).unwrap();
        let want = twin::read(ENVELOPE, &value)
            .zip(twin::read(table, &value["msg"]).map(|msg| normal(kind, msg)));
        let mut general = General::new();
        let got = general.decode(text.as_bytes());
        match got {
            Ok(frame) => {
                prop_assert_eq!(Some((envelope(&frame), body(&frame.body))), want, "{}", text);
            }
            Err(error) => prop_assert_eq!(None, want, "{}: {}", error, text),
        }
    }
}
