//! What a Kalshi frame can say. Everything borrows from the decoder's buffers.
//!
//! Prices stand as on the wire. Under `use_yes_price:true` a NO bid at 0.48 arrives as 0.52
//! (kalshi.md section 2, "`use_yes_price`"); the session knows which convention it asked for.

use engine::book::Side;
use engine::grid::Grid;
use engine::units::{Px, Qty};

use crate::error::DecodeError;

/// One frame: the envelope and what is in it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Frame<'a> {
    /// Our own number of the command that this answers; 0 on the wire means none.
    pub id: Option<u64>,
    /// Subscription. A `subscribed` frame carries it in its body instead.
    pub sid: Option<u64>,
    /// Running number per `sid`; every frame that has one advances the counter, whatever its type.
    pub seq: Option<u64>,
    /// Wall milliseconds when Kalshi queued the frame (`sending_ts_ms`).
    pub sent_ms: Option<u64>,
    /// The message itself.
    pub body: Body<'a>,
}

/// The message of a frame, by its `type`.
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(clippy::large_enum_variant)] // it lives in registers and on one stack frame, never in a queue
pub enum Body<'a> {
    /// `orderbook_delta`: one level changed.
    Delta(Delta<'a>),
    /// `orderbook_snapshot`: a whole book.
    Snapshot(Snapshot<'a>),
    /// `ticker`: top of book and totals, throttled; no proof of a book error.
    Ticker(Ticker<'a>),
    /// `trade`: a public trade.
    Trade(Trade<'a>),
    /// `market_lifecycle_v2`: a market was created, paused, closed, settled or re-gridded.
    Lifecycle(Lifecycle<'a>),
    /// `event_lifecycle`: an event was created.
    EventLifecycle(EventLifecycle<'a>),
    /// `event_fee_update`: the fees of all markets of an event changed.
    EventFee(EventFee<'a>),
    /// `subscribed`: a channel now delivers under this `sid`.
    Subscribed(Subscription<'a>),
    /// `unsubscribed`: the frame's `sid` is dead.
    Unsubscribed,
    /// `ok`: the answer to an update (the subscription's markets, unless `skip_ticker_ack` left
    /// them out) or to `list_subscriptions` (the channels, each with its number).
    Ok {
        /// Tickers that the subscription now holds.
        markets: Names<'a>,
        /// The connection's channels.
        channels: Names<'a>,
        /// `sid` of each channel, in the same order.
        sids: &'a [u64],
    },
    /// `error`: a command or a subscription failed. Codes 10 and 25 end the subscription
    /// (kalshi.md section 2, "Error codes").
    Error {
        /// Kalshi's number of the error.
        code: u64,
        /// Kalshi's words for it, empty where it gave none.
        text: &'a str,
    },
    /// A type that is not a market channel's, or a new one.
    Other,
}

/// Whose bids a book message speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BookSide {
    /// Bids for YES.
    Yes,
    /// Bids for NO: asks for YES.
    No,
}

/// A level of one side changed by `delta_e2`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delta<'a> {
    /// `market_ticker`.
    pub ticker: &'a str,
    /// `market_id`, empty where absent.
    pub market_id: &'a str,
    /// Price of the level, as on the wire.
    pub px: Px,
    /// Change of the level in 0.01 contract; the level is gone when the sum is 0.
    pub delta_e2: i64,
    /// Whose bids.
    pub side: BookSide,
    /// Wall milliseconds of the change.
    pub ts_ms: Option<u64>,
    /// Our own order caused it (`client_order_id` is there).
    pub own: bool,
}

/// A whole book. The lists are in the order of the wire; no price stands twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Snapshot<'a> {
    /// `market_ticker`.
    pub ticker: &'a str,
    /// `market_id`, empty where absent.
    pub market_id: &'a str,
    /// Bids for YES; empty where the key is absent.
    pub yes: &'a [(Px, Qty)],
    /// Bids for NO, prices as on the wire; empty where the key is absent.
    pub no: &'a [(Px, Qty)],
}

/// Top of book and totals of a market. What an empty side looks like is unconfirmed, so an
/// absent, null or empty price is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticker<'a> {
    /// `market_ticker`.
    pub ticker: &'a str,
    /// `market_id`, empty where absent.
    pub market_id: &'a str,
    /// Last trade price of YES.
    pub last: Option<Px>,
    /// Best YES bid.
    pub yes_bid: Option<Px>,
    /// Best YES ask.
    pub yes_ask: Option<Px>,
    /// Size at the best YES bid.
    pub yes_bid_qty: Option<Qty>,
    /// Size at the best YES ask.
    pub yes_ask_qty: Option<Qty>,
    /// Size of the last trade.
    pub last_qty: Option<Qty>,
    /// Contracts traded.
    pub volume: Option<Qty>,
    /// Contracts open.
    pub open_interest: Option<Qty>,
    /// Whole dollars traded; signed on the wire.
    pub dollar_volume: Option<i64>,
    /// Whole dollars open; signed on the wire.
    pub dollar_open_interest: Option<i64>,
    /// Wall milliseconds of the change.
    pub ts_ms: Option<u64>,
}

/// A public trade, block trades included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trade<'a> {
    /// `trade_id`, empty where absent.
    pub id: &'a str,
    /// `market_ticker`.
    pub ticker: &'a str,
    /// Price of YES.
    pub yes_px: Px,
    /// Contracts, floored to 0.01.
    pub qty: Qty,
    /// Side of the YES book that the taker's order was on; `taker_side` is deprecated and unread.
    pub taker: Option<Side>,
    /// Negotiated apart from the book: no sign of its liquidity.
    pub block: bool,
    /// Wall milliseconds of the trade.
    pub ts_ms: Option<u64>,
}

/// What happened to a market.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LifecycleEvent {
    /// `created`.
    Created,
    /// `activated`: trading resumed; all resting orders were cancelled.
    Activated,
    /// `deactivated`: trading is paused.
    Deactivated,
    /// `close_date_updated`: `close_ts_s` moved.
    CloseDateUpdated,
    /// `determined`: the result is known.
    Determined,
    /// `settled`: money has moved.
    Settled,
    /// `price_level_structure_updated`: the price grid changed while open.
    GridUpdated,
    /// `metadata_updated`.
    MetadataUpdated,
    /// A word we do not know.
    Other,
}

/// A market's life. Which fields are there depends on the event. Times are Unix seconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lifecycle<'a> {
    /// `market_ticker`.
    pub ticker: &'a str,
    /// What happened.
    pub event: LifecycleEvent,
    /// Start of trading.
    pub open_ts_s: Option<u64>,
    /// End of trading.
    pub close_ts_s: Option<u64>,
    /// When the result became known.
    pub determination_ts_s: Option<u64>,
    /// When it was paid.
    pub settled_ts_s: Option<u64>,
    /// `yes`, `no`, `scalar`, or empty.
    pub result: Option<&'a str>,
    /// What YES pays.
    pub settlement: Option<Px>,
    /// Trading is paused.
    pub is_deactivated: Option<bool>,
    /// The market's new prices. Bands that make no grid are an error of this field alone, so
    /// that the session still learns which market must stop.
    pub grid: Option<Result<Grid, DecodeError>>,
}

/// An event, the parent of markets, was created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventLifecycle<'a> {
    /// `event_ticker`.
    pub event_ticker: &'a str,
    /// `series_ticker`, empty where absent.
    pub series_ticker: &'a str,
    /// `title`, empty where absent.
    pub title: &'a str,
}

/// Fees of an event's markets. `None` means that the override was cleared and the series' own
/// fee holds again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventFee<'a> {
    /// `event_ticker`.
    pub event_ticker: &'a str,
    /// Kalshi's name of the fee formula. What cannot be read is an error of this field alone, so
    /// that the session still learns whose fees are not known any more.
    pub fee_type: Result<Option<&'a str>, DecodeError>,
    /// Multiplier in 1e-6; errors as above.
    pub multiplier_e6: Result<Option<u64>, DecodeError>,
}

/// A channel and the number it is delivered under.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subscription<'a> {
    /// `orderbook_delta`, `ticker`, ...
    pub channel: &'a str,
    /// Number of the subscription on this connection.
    pub sid: u64,
}

/// A list of names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Names<'a> {
    text: &'a str,
    ends: &'a [u32],
}

impl<'a> Names<'a> {
    /// Names that stand back to back in `text`, each up to its end.
    pub(super) const fn new(text: &'a str, ends: &'a [u32]) -> Names<'a> {
        Names { text, ends }
    }

    /// Number of names.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// True without a name.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The names in the order of the wire.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let Names { text, ends } = *self;
        let mut start = 0;
        ends.iter().map(move |&end| {
            let name = text.get(start..end as usize).unwrap_or("");
            start = end as usize;
            name
        })
    }
}

impl LifecycleEvent {
    /// The event of that name on the wire.
    pub fn of(text: &str) -> LifecycleEvent {
        match text {
            "created" => LifecycleEvent::Created,
            "activated" => LifecycleEvent::Activated,
            "deactivated" => LifecycleEvent::Deactivated,
            "close_date_updated" => LifecycleEvent::CloseDateUpdated,
            "determined" => LifecycleEvent::Determined,
            "settled" => LifecycleEvent::Settled,
            "price_level_structure_updated" => LifecycleEvent::GridUpdated,
            "metadata_updated" => LifecycleEvent::MetadataUpdated,
            _ => LifecycleEvent::Other,
        }
    }
}
