//! What an object of a Polymarket frame can say. Everything borrows from the decoder's buffers.

use engine::book::Side;
use engine::units::{Px, Qty};

use crate::error::DecodeError;

/// One object of a frame, by its `event_type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // it lives in registers and on one stack frame, never in a queue
pub enum Object<'a> {
    /// `book`: a whole book of one token.
    Book(Book<'a>),
    /// `price_change`: levels changed, of one token or of both of a market.
    PriceChange(PriceChange<'a>),
    /// `tick_size_change`: the token's price grid changed; its book starts afresh.
    TickSize(TickSize<'a>),
    /// `last_trade_price`: a trade.
    LastTrade(LastTrade<'a>),
    /// `best_bid_ask`: best prices without sizes.
    BestBidAsk(BestBidAsk<'a>),
    /// `new_market`: a market was made, of any subject.
    NewMarket(NewMarket<'a>),
    /// `market_resolved`: a market's outcome is known.
    Resolved(Resolved<'a>),
    /// The text frame `PING`.
    Ping,
    /// The text frame `PONG`: the answer to ours.
    Pong,
    /// An `event_type` that is not the market channel's, or a new one.
    Other,
}

/// An object that was refused. The others of its frame are delivered all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused<'a> {
    /// Why.
    pub error: DecodeError,
    /// `market`, where readable.
    pub market: Option<&'a str>,
    /// `asset_id`, where readable; of a price_change the entry's that is at fault.
    pub asset_id: Option<&'a str>,
}

/// A whole book of one token. Lists in the order of the wire: bids ascend, asks descend, the
/// best is last of each, but nothing relies on it. No price stands twice in a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Book<'a> {
    /// Condition id, `0x` hex.
    pub market: &'a str,
    /// Token, decimal.
    pub asset_id: &'a str,
    /// Wall milliseconds.
    pub timestamp_ms: u64,
    /// SHA-1 of the book as hex, empty where absent.
    pub hash: &'a str,
    /// Bids; sizes floored to 0.01, so a level may be there with size zero.
    pub bids: &'a [(Px, Qty)],
    /// Asks; sizes floored to 0.01, so a level may be there with size zero.
    pub asks: &'a [(Px, Qty)],
    /// Step of the token's price grid; some frames omit it.
    pub tick_size: Option<Px>,
}

/// Levels that changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PriceChange<'a> {
    /// Condition id, `0x` hex.
    pub market: &'a str,
    /// Wall milliseconds.
    pub timestamp_ms: u64,
    /// The changes in the order of the wire, of both tokens of the market.
    pub entries: &'a [Entry<'a>],
}

/// One changed level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// Token, decimal.
    pub asset_id: &'a str,
    /// Price of the level.
    pub px: Px,
    /// The new total at the level, floored to 0.01; zero removes it.
    pub qty: Qty,
    /// `BUY` is [`Side::Bid`], `SELL` is [`Side::Ask`].
    pub side: Side,
    /// Hash of the book that results, empty where absent. Entries of one transition share it.
    pub hash: &'a str,
    /// Best bid after the change; 0 stands for an empty side.
    pub best_bid: Option<Px>,
    /// Best ask after the change; 1 stands for an empty side.
    pub best_ask: Option<Px>,
}

/// A token's price grid changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TickSize<'a> {
    /// Condition id, `0x` hex.
    pub market: &'a str,
    /// Token, decimal.
    pub asset_id: &'a str,
    /// The step until now.
    pub old: Option<Px>,
    /// The step from now on; never zero.
    pub new: Px,
    /// Wall milliseconds.
    pub timestamp_ms: u64,
}

/// A trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LastTrade<'a> {
    /// Condition id, `0x` hex.
    pub market: &'a str,
    /// Token, decimal.
    pub asset_id: &'a str,
    /// Price.
    pub px: Px,
    /// Contracts, floored to 0.01.
    pub qty: Qty,
    /// The taker's side.
    pub side: Side,
    /// Wall milliseconds.
    pub timestamp_ms: u64,
    /// Settlement on chain; can be missing.
    pub transaction_hash: Option<&'a str>,
}

/// Best prices of a token, without sizes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BestBidAsk<'a> {
    /// Condition id, `0x` hex.
    pub market: &'a str,
    /// Token, decimal.
    pub asset_id: &'a str,
    /// Best bid; 0 stands for an empty side.
    pub best_bid: Option<Px>,
    /// Best ask; 1 stands for an empty side.
    pub best_ask: Option<Px>,
    /// Wall milliseconds.
    pub timestamp_ms: u64,
}

/// A market was made. It may be unusable on the order book for minutes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewMarket<'a> {
    /// Condition id, `0x` hex.
    pub market: &'a str,
    /// Gamma's number of the market, empty where absent.
    pub id: &'a str,
    /// The question in words, empty where absent.
    pub question: &'a str,
    /// Name in web addresses, empty where absent.
    pub slug: &'a str,
    /// Tokens in the order of `outcomes`; can be empty.
    pub assets: &'a [&'a str],
    /// Names of the outcomes.
    pub outcomes: &'a [&'a str],
    /// Step of the price grid.
    pub tick_size: Option<Px>,
    /// Trading is open.
    pub active: Option<bool>,
    /// What a taker pays; `None` where no schedule was sent. What cannot be read is an error of
    /// this field alone, so that the session still learns whose fees are not known any more.
    pub fee: Result<Option<FeeSchedule>, DecodeError>,
    /// Wall milliseconds.
    pub timestamp_ms: u64,
}

/// What a taker pays on a market (polymarket.md section 6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeeSchedule {
    /// Rate in 1e-6.
    pub rate_e6: u64,
    /// Exponent in 1e-6; 1,000,000 today.
    pub exponent_e6: u64,
    /// Makers pay nothing.
    pub taker_only: bool,
}

/// A market's outcome is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resolved<'a> {
    /// Condition id, `0x` hex.
    pub market: &'a str,
    /// Tokens of the market; can be empty.
    pub assets: &'a [&'a str],
    /// The token that pays a dollar, empty where absent.
    pub winning_asset_id: &'a str,
    /// Its name, empty where absent.
    pub winning_outcome: &'a str,
    /// Wall milliseconds.
    pub timestamp_ms: u64,
}
