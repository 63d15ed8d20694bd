//! Polymarket's general decoder and the slow twin agree on whatever is sent.

use engine::book::Side;
use engine::units::{Px, Qty};
use feeds::polymarket::general::General;
use feeds::polymarket::message::*;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::twin::{self, Kind, Summary, Table, Writer, spell_levels};

const SIDES: Kind = Kind::Word(&["BUY", "SELL"]);

const ENTRY: Table = &[
    ("asset_id", Kind::Text, true),
    ("price", Kind::Price, true),
    ("size", Kind::Size, true),
    ("side", SIDES, true),
    ("hash", Kind::Text, false),
    ("best_bid", Kind::PriceOrBlank, false),
    ("best_ask", Kind::PriceOrBlank, false),
];

const FEE: Table = &[
    ("rate", Kind::Ratio, true),
    ("exponent", Kind::Ratio, true),
    ("taker_only", Kind::Flag, false),
];

const MESSAGES: &[(&str, Table)] = &[
    (
        "book",
        &[
            ("market", Kind::Text, true),
            ("asset_id", Kind::Text, true),
            ("timestamp", Kind::Whole, true),
            ("hash", Kind::Text, false),
            ("bids", Kind::Levels, true),
            ("asks", Kind::Levels, true),
            ("tick_size", Kind::Step, false),
        ],
    ),
    (
        "price_change",
        &[
            ("market", Kind::Text, true),
            ("timestamp", Kind::Whole, true),
            ("price_changes", Kind::Objects(ENTRY), true),
        ],
    ),
    (
        "tick_size_change",
        &[
            ("market", Kind::Text, true),
            ("asset_id", Kind::Text, true),
            ("old_tick_size", Kind::Step, false),
            ("new_tick_size", Kind::Step, true),
            ("timestamp", Kind::Whole, true),
        ],
    ),
    (
        "last_trade_price",
        &[
            ("market", Kind::Text, true),
            ("asset_id", Kind::Text, true),
            ("price", Kind::Price, true),
            ("size", Kind::Size, true),
            ("side", SIDES, true),
            ("timestamp", Kind::Whole, true),
            ("transaction_hash", Kind::Text, false),
        ],
    ),
    (
        "best_bid_ask",
        &[
            ("market", Kind::Text, true),
            ("asset_id", Kind::Text, true),
            ("best_bid", Kind::PriceOrBlank, false),
            ("best_ask", Kind::PriceOrBlank, false),
            ("timestamp", Kind::Whole, true),
        ],
    ),
    (
        "new_market",
        &[
            ("market", Kind::Text, true),
            ("id", Kind::Text, false),
            ("question", Kind::Text, false),
            ("slug", Kind::Text, false),
            ("assets_ids", Kind::Names, false),
            ("outcomes", Kind::Names, false),
            ("order_price_min_tick_size", Kind::Step, false),
            ("active", Kind::Flag, false),
            ("fee_schedule", Kind::Loose(&Kind::Object(FEE)), false),
            ("timestamp", Kind::Whole, true),
        ],
    ),
    (
        "market_resolved",
        &[
            ("market", Kind::Text, true),
            ("assets_ids", Kind::Names, false),
            ("winning_asset_id", Kind::Text, false),
            ("winning_outcome", Kind::Text, false),
            ("timestamp", Kind::Whole, true),
        ],
    ),
];

fn put(summary: &mut Summary, name: &str, value: impl ToString) {
    summary.insert(name.to_owned(), value.to_string());
}

fn put_if(summary: &mut Summary, name: &str, value: Option<impl ToString>) {
    if let Some(text) = value.map(|v| v.to_string()).filter(|text| !text.is_empty()) {
        put(summary, name, text);
    }
}

fn word(side: Side) -> &'static str {
    if side == Side::Bid { "BUY" } else { "SELL" }
}

fn levels(list: &[(Px, Qty)]) -> String {
    spell_levels(list.iter().map(|(px, qty)| (px.e4(), qty.e2())))
}

fn entry(entry: &Entry<'_>) -> Summary {
    let mut s = Summary::new();
    put(&mut s, "asset_id", entry.asset_id);
    put(&mut s, "price", entry.px.e4());
    put(&mut s, "size", entry.qty.e2());
    put(&mut s, "side", word(entry.side));
    put_if(&mut s, "hash", Some(entry.hash));
    put_if(&mut s, "best_bid", entry.best_bid.map(Px::e4));
    put_if(&mut s, "best_ask", entry.best_ask.map(Px::e4));
    s
}

fn summary(object: &Object<'_>) -> Summary {
    let mut s = Summary::new();
    match *object {
        Object::Book(b) => {
            put(&mut s, "market", b.market);
            put(&mut s, "asset_id", b.asset_id);
            put(&mut s, "timestamp", b.timestamp_ms);
            put_if(&mut s, "hash", Some(b.hash));
            put(&mut s, "bids", levels(b.bids));
            put(&mut s, "asks", levels(b.asks));
            put_if(&mut s, "tick_size", b.tick_size.map(Px::e4));
        }
        Object::PriceChange(p) => {
            put(&mut s, "market", p.market);
            put(&mut s, "timestamp", p.timestamp_ms);
            let entries: Vec<_> = p.entries.iter().map(entry).collect();
            put(&mut s, "price_changes", format!("{entries:?}"));
        }
        Object::TickSize(t) => {
            put(&mut s, "market", t.market);
            put(&mut s, "asset_id", t.asset_id);
            put_if(&mut s, "old_tick_size", t.old.map(Px::e4));
            put(&mut s, "new_tick_size", t.new.e4());
            put(&mut s, "timestamp", t.timestamp_ms);
        }
        Object::LastTrade(t) => {
            put(&mut s, "market", t.market);
            put(&mut s, "asset_id", t.asset_id);
            put(&mut s, "price", t.px.e4());
            put(&mut s, "size", t.qty.e2());
            put(&mut s, "side", word(t.side));
            put(&mut s, "timestamp", t.timestamp_ms);
            put_if(&mut s, "transaction_hash", t.transaction_hash);
        }
        Object::BestBidAsk(b) => {
            put(&mut s, "market", b.market);
            put(&mut s, "asset_id", b.asset_id);
            put_if(&mut s, "best_bid", b.best_bid.map(Px::e4));
            put_if(&mut s, "best_ask", b.best_ask.map(Px::e4));
            put(&mut s, "timestamp", b.timestamp_ms);
        }
        Object::NewMarket(m) => {
            put(&mut s, "market", m.market);
            put_if(&mut s, "id", Some(m.id));
            put_if(&mut s, "question", Some(m.question));
            put_if(&mut s, "slug", Some(m.slug));
            put(&mut s, "assets_ids", format!("{:?}", m.assets));
            put(&mut s, "outcomes", format!("{:?}", m.outcomes));
            put_if(&mut s, "order_price_min_tick_size", m.tick_size.map(Px::e4));
            put_if(&mut s, "active", m.active);
            let fee = m.fee.map(|fee| fee.map(|f| format!("{f:?}")));
            put_if(&mut s, "fee_schedule", fee.unwrap_or(Some("bad".to_owned())));
            put(&mut s, "timestamp", m.timestamp_ms);
        }
        Object::Resolved(r) => {
            put(&mut s, "market", r.market);
            put(&mut s, "assets_ids", format!("{:?}", r.assets));
            put_if(&mut s, "winning_asset_id", Some(r.winning_asset_id));
            put_if(&mut s, "winning_outcome", Some(r.winning_outcome));
            put(&mut s, "timestamp", r.timestamp_ms);
        }
        Object::Ping | Object::Pong | Object::Other => {}
    }
    s
}

/// The twin's reading of an object, in the spelling of [`summary`].
fn want(kind: &str, table: Table, object: &Value) -> Option<Summary> {
    let mut s = twin::read(table, object)?;
    match kind {
        "tick_size_change" if s["new_tick_size"].is_empty() => return None,
        "new_market" | "market_resolved" => {
            let lists: &[&str] =
                if kind == "new_market" { &["assets_ids", "outcomes"] } else { &["assets_ids"] };
            for name in lists {
                s.entry((*name).to_owned()).or_insert_with(|| "[]".to_owned());
            }
            if let Some(fee) = twin::read(FEE, &object["fee_schedule"]) {
                let fee = FeeSchedule {
                    rate_e6: fee["rate"].parse().unwrap(),
                    exponent_e6: fee["exponent"].parse().unwrap(),
                    taker_only: fee.get("taker_only").is_some_and(|v| v == "true"),
                };
                put(&mut s, "fee_schedule", format!("{fee:?}"));
            }
        }
        _ => {}
    }
    Some(s)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn the_decoder_agrees_with_the_twin(
        objects in proptest::collection::vec(
            proptest::sample::select(MESSAGES).prop_flat_map(
                |(kind, table)| (Just(kind), Just(table), twin::message(table))
            ),
            0..4,
        ),
        seed in any::<u64>(),
    ) {
        let mut list: Vec<Value> = Vec::new();
        for (kind, _, object) in &objects {
            let mut object = object.clone();
            object["event_type"] = json!(kind);
            list.push(object);
        }
        let frame = if list.len() == 1 { list.remove(0) } else { Value::Array(list) };
        let text = Writer::write(seed, &frame);
        let value: Value = serde_json::from_str(&text).unwrap();
        let values: Vec<&Value> = value.as_array().map_or(vec![&value], |list| list.iter().collect());
        let wanted: Vec<_> = objects
            .iter()
            .zip(values)
            .map(|((kind, table, _), object)| want(kind, table, object))
            .collect();
        let mut got = Vec::new();
        let outcome = General::new().decode(text.as_bytes(), &mut |object| {
            got.push(object.as_ref().ok().map(summary));
        });
        prop_assert_eq!(outcome, Ok(()));
        prop_assert_eq!(got, wanted, "{}", text);
    }
}
