//! The general decoder: any key order, any white space, numbers as text or as numbers.

use engine::book::Side;
use engine::grid::{BANDS_MAX, Grid};
use engine::units::{Px, Qty};

use super::message::{
    Body, BookSide, Delta, EventFee, EventLifecycle, Frame, Lifecycle, LifecycleEvent, Names,
    Snapshot, Subscription, Ticker, Trade,
};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::json::{Field, Parser, Value, fields};
use crate::level;

/// The decoder and its reused buffers.
#[derive(Default)]
pub struct General {
    parser: Parser,
    lists: Lists,
    envelope: Envelope,
}

/// What stands around a message. Of a frame that was refused it tells which subscription's books
/// can no longer be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Envelope {
    /// Our own number of the command that this answers.
    pub id: Option<u64>,
    /// Subscription.
    pub sid: Option<u64>,
    /// Running number per `sid`.
    pub seq: Option<u64>,
    /// Wall milliseconds when Kalshi queued the frame.
    pub sent_ms: Option<u64>,
}

/// Lists that a message points into.
#[derive(Default)]
struct Lists {
    yes: Vec<(Px, Qty)>,
    no: Vec<(Px, Qty)>,
    /// Names, back to back, and where each ends.
    text: String,
    ends: Vec<u32>,
    sids: Vec<u64>,
}

impl General {
    /// Empty buffers; they grow with the first frames.
    pub fn new() -> General {
        General::default()
    }

    /// Decodes one frame, a newline at its end allowed.
    ///
    /// # Errors
    /// No JSON object, beyond a limit of [`crate::json`], or a field of a known type is missing,
    /// stands twice, or is not what kalshi.md section 2 says. [`General::envelope`] then tells
    /// what of the envelope could be read.
    pub fn decode<'a>(&'a mut self, frame: &[u8]) -> Result<Frame<'a>, DecodeError> {
        let General { parser, lists, envelope } = self;
        *envelope = Envelope::default();
        let doc = parser.parse(frame)?;
        let root = doc.root();
        fields! { root, "frame";
            kind = "type", id = "id", sid = "sid", seq = "seq", sent = "sending_ts_ms", msg = "msg",
        }
        // First what tells whose frame it is, so that it is known whatever fails after it.
        envelope.sid = sid.read(Value::unsigned)?;
        envelope.seq = seq.read(Value::unsigned)?;
        envelope.id = id.read(Value::unsigned)?;
        envelope.sent_ms = sent.read(Value::unsigned)?;
        let kind = kind.need(root, Value::text)?;
        let body = match kind {
            "orderbook_delta" => Body::Delta(delta(msg.required(root)?)?),
            "orderbook_snapshot" => snapshot(msg.required(root)?, lists)?,
            "ticker" => Body::Ticker(ticker(msg.required(root)?)?),
            "trade" => Body::Trade(trade(msg.required(root)?)?),
            "market_lifecycle_v2" => Body::Lifecycle(lifecycle(msg.required(root)?)?),
            "event_lifecycle" => Body::EventLifecycle(event_lifecycle(msg.required(root)?)?),
            "event_fee_update" => Body::EventFee(event_fee(msg.required(root)?)?),
            "subscribed" => Body::Subscribed(subscription(msg.required(root)?)?),
            "unsubscribed" => Body::Unsubscribed,
            "ok" => ok(msg, lists)?,
            "error" => error(msg.required(root)?)?,
            _ => Body::Other,
        };
        let Envelope { id, sid, seq, sent_ms } = *envelope;
        Ok(Frame { id, sid, seq, sent_ms, body })
    }

    /// The envelope of the last frame, or what could be read of it before it was refused.
    pub fn envelope(&self) -> Envelope {
        self.envelope
    }
}

fn delta<'a>(msg: Value<'_, 'a, '_>) -> Result<Delta<'a>, DecodeError> {
    fields! { msg, "msg";
        ticker = "market_ticker", market_id = "market_id", price = "price_dollars",
        change = "delta_fp", side = "side", ts_ms = "ts_ms", own = "client_order_id",
    }
    Ok(Delta {
        ticker: ticker.need(msg, Value::text)?,
        market_id: market_id.read(Value::text)?.unwrap_or(""),
        px: price.need(msg, Value::price)?,
        delta_e2: change.need(msg, Value::delta_e2)?,
        side: side.need(msg, book_side)?,
        ts_ms: ts_ms.read(Value::unsigned)?,
        own: own.value.is_some(),
    })
}

fn book_side(value: Value<'_, '_, '_>, field: &'static str) -> Result<BookSide, DecodeError> {
    match value.text(field)? {
        "yes" => Ok(BookSide::Yes),
        "no" => Ok(BookSide::No),
        _ => Err(value.error(DecodeErrorKind::Word, field)),
    }
}

fn snapshot<'a>(msg: Value<'_, 'a, '_>, lists: &'a mut Lists) -> Result<Body<'a>, DecodeError> {
    fields! { msg, "msg";
        ticker = "market_ticker", market_id = "market_id",
        yes = "yes_dollars_fp", no = "no_dollars_fp",
    }
    for (side, levels) in [(yes, &mut lists.yes), (no, &mut lists.no)] {
        levels.clear();
        side.read(|list, name| level::read(list, name, levels, |pair| level(pair, name)))?;
    }
    Ok(Body::Snapshot(Snapshot {
        ticker: ticker.need(msg, Value::text)?,
        market_id: market_id.read(Value::text)?.unwrap_or(""),
        yes: &lists.yes,
        no: &lists.no,
    }))
}

/// `["0.0800","300.00"]`
fn level(pair: Value<'_, '_, '_>, field: &'static str) -> Result<(Px, Qty), DecodeError> {
    let mut parts = pair.elements(field)?;
    match (parts.next(), parts.next(), parts.next()) {
        (Some(px), Some(qty), None) => Ok((px.price(field)?, qty.size(field)?)),
        _ => Err(pair.error(DecodeErrorKind::Type, field)),
    }
}

fn ticker<'a>(msg: Value<'_, 'a, '_>) -> Result<Ticker<'a>, DecodeError> {
    fields! { msg, "msg";
        ticker = "market_ticker", market_id = "market_id", last = "price_dollars",
        yes_bid = "yes_bid_dollars", yes_ask = "yes_ask_dollars",
        yes_bid_qty = "yes_bid_size_fp", yes_ask_qty = "yes_ask_size_fp",
        last_qty = "last_trade_size_fp", volume = "volume_fp", open_interest = "open_interest_fp",
        dollar_volume = "dollar_volume", dollar_open_interest = "dollar_open_interest",
        ts_ms = "ts_ms",
    }
    Ok(Ticker {
        ticker: ticker.need(msg, Value::text)?,
        market_id: market_id.read(Value::text)?.unwrap_or(""),
        last: last.price_if_any()?,
        yes_bid: yes_bid.price_if_any()?,
        yes_ask: yes_ask.price_if_any()?,
        yes_bid_qty: yes_bid_qty.read(Value::size)?,
        yes_ask_qty: yes_ask_qty.read(Value::size)?,
        last_qty: last_qty.read(Value::size)?,
        volume: volume.read(Value::size)?,
        open_interest: open_interest.read(Value::size)?,
        dollar_volume: dollar_volume.read(Value::signed)?,
        dollar_open_interest: dollar_open_interest.read(Value::signed)?,
        ts_ms: ts_ms.read(Value::unsigned)?,
    })
}

fn trade<'a>(msg: Value<'_, 'a, '_>) -> Result<Trade<'a>, DecodeError> {
    fields! { msg, "msg";
        id = "trade_id", ticker = "market_ticker", yes_px = "yes_price_dollars",
        qty = "count_fp", taker = "taker_book_side", block = "is_block_trade", ts_ms = "ts_ms",
    }
    Ok(Trade {
        id: id.read(Value::text)?.unwrap_or(""),
        ticker: ticker.need(msg, Value::text)?,
        yes_px: yes_px.need(msg, Value::price)?,
        qty: qty.need(msg, Value::size)?,
        taker: taker.read(|value, field| match value.text(field)? {
            "bid" => Ok(Side::Bid),
            "ask" => Ok(Side::Ask),
            _ => Err(value.error(DecodeErrorKind::Word, field)),
        })?,
        block: block.read(Value::flag)?.unwrap_or(false),
        ts_ms: ts_ms.read(Value::unsigned)?,
    })
}

fn lifecycle<'a>(msg: Value<'_, 'a, '_>) -> Result<Lifecycle<'a>, DecodeError> {
    fields! { msg, "msg";
        ticker = "market_ticker", event = "event_type", open_ts = "open_ts",
        close_ts = "close_ts", determination_ts = "determination_ts", settled_ts = "settled_ts",
        result = "result", settlement = "settlement_value", deactivated = "is_deactivated",
        ranges = "price_ranges",
    }
    Ok(Lifecycle {
        ticker: ticker.need(msg, Value::text)?,
        event: LifecycleEvent::of(event.need(msg, Value::text)?),
        open_ts_s: open_ts.read(Value::unsigned)?,
        close_ts_s: close_ts.read(Value::unsigned)?,
        determination_ts_s: determination_ts.read(Value::unsigned)?,
        settled_ts_s: settled_ts.read(Value::unsigned)?,
        result: result.read(Value::text)?,
        settlement: settlement.price_if_any()?,
        is_deactivated: deactivated.read(Value::flag)?,
        grid: ranges.value.map(|list| grid(list, ranges.name)),
    })
}

fn grid(list: Value<'_, '_, '_>, field: &'static str) -> Result<Grid, DecodeError> {
    let elements = list.elements(field)?;
    if elements.len() > BANDS_MAX {
        return Err(list.error(DecodeErrorKind::TooManyItems, field));
    }
    let mut bands = [(0, 0, 0); BANDS_MAX];
    let mut len = 0;
    for band in elements {
        fields! { band, field; start = "start", end = "end", step = "step" }
        bands[len] = (
            start.need(band, Value::price)?.e4(),
            end.need(band, Value::price)?.e4(),
            step.need(band, Value::price)?.e4(),
        );
        len += 1;
    }
    Grid::banded(&bands[..len]).map_err(|bad| list.error(DecodeErrorKind::Grid(bad), field))
}

fn event_lifecycle<'a>(msg: Value<'_, 'a, '_>) -> Result<EventLifecycle<'a>, DecodeError> {
    fields! { msg, "msg"; event = "event_ticker", series = "series_ticker", title = "title" }
    Ok(EventLifecycle {
        event_ticker: event.need(msg, Value::text)?,
        series_ticker: series.read(Value::text)?.unwrap_or(""),
        title: title.read(Value::text)?.unwrap_or(""),
    })
}

fn event_fee<'a>(msg: Value<'_, 'a, '_>) -> Result<EventFee<'a>, DecodeError> {
    fields! { msg, "msg";
        event = "event_ticker", fee_type = "fee_type_override",
        multiplier = "fee_multiplier_override",
    }
    Ok(EventFee {
        event_ticker: event.need(msg, Value::text)?,
        fee_type: fee_type.read(Value::text),
        multiplier_e6: multiplier.read(Value::ratio_e6),
    })
}

fn subscription<'a>(msg: Value<'_, 'a, '_>) -> Result<Subscription<'a>, DecodeError> {
    fields! { msg, "msg"; channel = "channel", sid = "sid" }
    Ok(Subscription {
        channel: channel.need(msg, Value::text)?,
        sid: sid.need(msg, Value::unsigned)?,
    })
}

fn ok<'a>(msg: Field<'_, 'a, '_>, lists: &'a mut Lists) -> Result<Body<'a>, DecodeError> {
    let Lists { text, ends, sids, .. } = lists;
    text.clear();
    ends.clear();
    sids.clear();
    let mut keep = |name: &str| {
        text.push_str(name);
        ends.push(text.len() as u32); // a frame is shorter than 2^32 bytes
    };
    match msg.value {
        Some(object) if object.is_object() => {
            fields! { object, "msg"; markets = "market_tickers" }
            if let Some(list) = markets.value {
                for market in list.elements(markets.name)? {
                    keep(market.text(markets.name)?);
                }
            }
            let markets = Names::new(text, ends);
            Ok(Body::Ok { markets, channels: Names::default(), sids })
        }
        Some(list) => {
            for element in list.elements(msg.name)? {
                let Subscription { channel, sid } = subscription(element)?;
                keep(channel);
                sids.push(sid);
            }
            Ok(Body::Ok { markets: Names::default(), channels: Names::new(text, ends), sids })
        }
        None => Ok(Body::Ok { markets: Names::default(), channels: Names::default(), sids }),
    }
}

fn error<'a>(msg: Value<'_, 'a, '_>) -> Result<Body<'a>, DecodeError> {
    fields! { msg, "msg"; code = "code", text = "msg" }
    Ok(Body::Error {
        code: code.need(msg, Value::unsigned)?,
        text: text.read(Value::text)?.unwrap_or(""),
    })
}
