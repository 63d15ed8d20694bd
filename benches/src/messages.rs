//! The messages of both venues as a typed client would declare them, for parsing alone. `S` is
//! the type of every text: `String`, or `&str` where nothing is copied.

use serde::Deserialize;

/// A frame of Kalshi.
#[derive(Deserialize)]
#[expect(dead_code, reason = "parsed, not read")]
pub struct KalshiFrame<S> {
    #[serde(rename = "type")]
    kind: S,
    sid: Option<u64>,
    seq: Option<u64>,
    sending_ts_ms: Option<u64>,
    msg: Option<KalshiMessage<S>>,
}

/// What stands in its `msg`: one struct for all types, because a tagged enum would parse twice.
#[derive(Deserialize)]
#[expect(dead_code, reason = "parsed, not read")]
pub struct KalshiMessage<S> {
    market_ticker: Option<S>,
    market_id: Option<S>,
    price_dollars: Option<S>,
    delta_fp: Option<S>,
    side: Option<S>,
    ts_ms: Option<u64>,
    client_order_id: Option<S>,
    yes_dollars_fp: Option<Vec<(S, S)>>,
    no_dollars_fp: Option<Vec<(S, S)>>,
    yes_bid_dollars: Option<S>,
    yes_ask_dollars: Option<S>,
    volume_fp: Option<S>,
    open_interest_fp: Option<S>,
}

/// An object of Polymarket.
#[derive(Deserialize)]
#[expect(dead_code, reason = "parsed, not read")]
pub struct PolyObject<S> {
    event_type: Option<S>,
    market: Option<S>,
    asset_id: Option<S>,
    timestamp: Option<S>,
    hash: Option<S>,
    bids: Option<Vec<PolyLevel<S>>>,
    asks: Option<Vec<PolyLevel<S>>>,
    price_changes: Option<Vec<PolyChange<S>>>,
    tick_size: Option<S>,
    price: Option<S>,
    size: Option<S>,
    side: Option<S>,
}

/// One level of a book.
#[derive(Deserialize)]
#[expect(dead_code, reason = "parsed, not read")]
pub struct PolyLevel<S> {
    price: S,
    size: S,
}

/// One entry of a `price_change`.
#[derive(Deserialize)]
#[expect(dead_code, reason = "parsed, not read")]
pub struct PolyChange<S> {
    asset_id: S,
    price: S,
    size: S,
    side: S,
    hash: S,
    best_bid: Option<S>,
    best_ask: Option<S>,
}
