//! The general decoder: any key order, any white space, numbers as text or as numbers.

use engine::book::Side;
use engine::grid::Grid;
use engine::units::{Px, Qty};

use super::hash::BookText;
use super::message::{
    BestBidAsk, Book, Entry, FeeSchedule, LastTrade, NewMarket, Object, PriceChange, Refused,
    Resolved, TickSize,
};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::json::{Field, Parser, Value, fields};
use crate::level::{self, LEVELS_MAX};

/// Most entries of one `price_change`: every price of both sides of both tokens.
pub const ENTRIES_MAX: usize = 2 * LEVELS_MAX;

/// Most tokens or outcomes of a market.
pub const NAMES_MAX: usize = 256;

/// The decoder and its reused buffers.
#[derive(Default)]
pub struct General {
    parser: Parser,
    bids: Vec<(Px, Qty)>,
    asks: Vec<(Px, Qty)>,
    entries: Vec<Entry<'static>>,
    names: Vec<&'static str>,
    texts: Vec<(&'static str, &'static str)>,
}

impl General {
    /// Empty buffers; they grow with the first frames.
    pub fn new() -> General {
        General::default()
    }

    /// Decodes one frame and hands over its objects in order. An object that cannot be
    /// understood is handed over as [`Refused`], and the next one is tried.
    ///
    /// An object without `event_type` is refused, also where it looks like a book: only a REST
    /// reply has none, and that is no frame.
    ///
    /// # Errors
    /// No JSON, or beyond a limit of [`crate::json`]; then nothing was handed over.
    pub fn decode(
        &mut self,
        frame: &[u8],
        each: &mut impl FnMut(Result<Object<'_>, Refused<'_>>),
    ) -> Result<(), DecodeError> {
        match frame.trim_ascii() {
            b"PING" => {
                each(Ok(Object::Ping));
                return Ok(());
            }
            b"PONG" => {
                each(Ok(Object::Pong));
                return Ok(());
            }
            _ => {}
        }
        let General { parser, bids, asks, entries: entry_home, names: name_home, .. } = self;
        let doc = parser.parse(frame)?;
        let mut lists = Lists { bids, asks, entries: reuse(entry_home), names: reuse(name_home) };
        let outcome = each_object(doc.root(), &mut |object| {
            match lists.object(object) {
                Ok(object) => each(Ok(object)),
                Err(error) => each(Err(refused(object, error))),
            };
        });
        *entry_home = reuse(&mut lists.entries);
        *name_home = reuse(&mut lists.names);
        outcome
    }

    /// Hands over the texts of every `book` of a frame, or of a REST reply, as they came: what
    /// the book hash is made of. For audits; [`General::decode`] gives the numbers.
    ///
    /// # Errors
    /// As of [`General::decode`]. A book whose texts are not all texts is handed over as refused.
    pub fn decode_book_texts(
        &mut self,
        frame: &[u8],
        each: &mut impl FnMut(Result<BookText<'_>, Refused<'_>>),
    ) -> Result<(), DecodeError> {
        let General { parser, texts: home, .. } = self;
        let doc = parser.parse(frame)?;
        let mut texts = reuse(home);
        let outcome = each_object(doc.root(), &mut |object| {
            texts.clear();
            match book_text(object, &mut texts) {
                Ok(Some(book)) => each(Ok(book)),
                Ok(None) => {}
                Err(error) => each(Err(refused(object, error))),
            };
        });
        *home = reuse(&mut texts);
        outcome
    }
}

/// Lists that an object points into, while it is handed over.
struct Lists<'h, 'a> {
    bids: &'h mut Vec<(Px, Qty)>,
    asks: &'h mut Vec<(Px, Qty)>,
    entries: Vec<Entry<'a>>,
    names: Vec<&'a str>,
}

/// The list's memory for items of another lifetime: emptied, so that nothing old can be seen.
/// Collecting from a vector's own iterator keeps its memory; the allocation test watches that.
fn reuse<Old, New>(home: &mut Vec<Old>) -> Vec<New> {
    const { assert!(size_of::<Old>() == size_of::<New>() && align_of::<Old>() == align_of::<New>()) }
    let mut list = core::mem::take(home);
    list.clear();
    list.into_iter().filter_map(|_| None).collect()
}

fn each_object<'t, 'a, 'f>(
    root: Value<'t, 'a, 'f>,
    each: &mut impl FnMut(Value<'t, 'a, 'f>),
) -> Result<(), DecodeError> {
    if root.is_object() {
        each(root);
        return Ok(());
    }
    for object in root.elements("frame")? {
        each(object);
    }
    Ok(())
}

/// Names the market and token of an object that was refused, as far as they can be read.
#[cold]
fn refused<'a>(object: Value<'_, 'a, '_>, error: DecodeError) -> Refused<'a> {
    let market = text_of(object, "market");
    let asset_id = text_of(object, "asset_id").or_else(|| {
        let list = find(object, "price_changes")?;
        let bad = list.elements("price_changes").ok()?.find(|entry| change(*entry).is_err())?;
        text_of(bad, "asset_id")
    });
    Refused { error, market, asset_id }
}

fn find<'t, 'a, 'f>(object: Value<'t, 'a, 'f>, name: &'static str) -> Option<Value<'t, 'a, 'f>> {
    object.entries(name).ok()?.find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn text_of<'a>(object: Value<'_, 'a, '_>, name: &'static str) -> Option<&'a str> {
    find(object, name)?.text(name).ok()
}

impl<'a> Lists<'_, 'a> {
    fn object(&mut self, object: Value<'_, 'a, '_>) -> Result<Object<'_>, DecodeError> {
        fields! { object, "frame"; event = "event_type" }
        match event.need(object, Value::text)? {
            "book" => self.book(object),
            "price_change" => self.price_change(object),
            "tick_size_change" => tick_size(object),
            "last_trade_price" => last_trade(object),
            "best_bid_ask" => best_bid_ask(object),
            "new_market" => self.new_market(object),
            "market_resolved" => self.resolved(object),
            _ => Ok(Object::Other),
        }
    }

    fn book(&mut self, object: Value<'_, 'a, '_>) -> Result<Object<'_>, DecodeError> {
        fields! { object, "book";
            market = "market", asset_id = "asset_id", timestamp = "timestamp", hash = "hash",
            bids = "bids", asks = "asks", tick_size = "tick_size",
        }
        for (side, levels) in [(bids, &mut *self.bids), (asks, &mut *self.asks)] {
            levels.clear();
            let list = side.required(object)?;
            level::read(list, side.name, levels, |pair| level(pair, side.name))?;
        }
        Ok(Object::Book(Book {
            market: market.need(object, Value::text)?,
            asset_id: asset_id.need(object, Value::text)?,
            timestamp_ms: timestamp.need(object, Value::unsigned)?,
            hash: hash.read(Value::text)?.unwrap_or(""),
            bids: self.bids,
            asks: self.asks,
            tick_size: step(tick_size)?,
        }))
    }

    fn price_change(&mut self, object: Value<'_, 'a, '_>) -> Result<Object<'_>, DecodeError> {
        fields! { object, "price_change";
            market = "market", timestamp = "timestamp", changes = "price_changes",
        }
        let list = changes.required(object)?;
        let elements = list.elements(changes.name)?;
        if elements.len() > ENTRIES_MAX {
            return Err(list.error(DecodeErrorKind::TooManyItems, changes.name));
        }
        self.entries.clear();
        for entry in elements {
            self.entries.push(change(entry)?);
        }
        Ok(Object::PriceChange(PriceChange {
            market: market.need(object, Value::text)?,
            timestamp_ms: timestamp.need(object, Value::unsigned)?,
            entries: &self.entries,
        }))
    }

    fn new_market(&mut self, object: Value<'_, 'a, '_>) -> Result<Object<'_>, DecodeError> {
        fields! { object, "new_market";
            market = "market", id = "id", question = "question", slug = "slug",
            assets = "assets_ids", outcomes = "outcomes", tick_size = "order_price_min_tick_size",
            active = "active", fee = "fee_schedule", timestamp = "timestamp",
        }
        self.names.clear();
        names(assets, &mut self.names)?;
        let assets_len = self.names.len();
        names(outcomes, &mut self.names)?;
        let (assets, outcomes) = self.names.split_at(assets_len);
        Ok(Object::NewMarket(NewMarket {
            market: market.need(object, Value::text)?,
            id: id.read(Value::text)?.unwrap_or(""),
            question: question.read(Value::text)?.unwrap_or(""),
            slug: slug.read(Value::text)?.unwrap_or(""),
            assets,
            outcomes,
            tick_size: step(tick_size)?,
            active: active.read(Value::flag)?,
            fee: fee.read(fee_schedule),
            timestamp_ms: timestamp.need(object, Value::unsigned)?,
        }))
    }

    fn resolved(&mut self, object: Value<'_, 'a, '_>) -> Result<Object<'_>, DecodeError> {
        fields! { object, "market_resolved";
            market = "market", assets = "assets_ids", winning_asset_id = "winning_asset_id",
            winning_outcome = "winning_outcome", timestamp = "timestamp",
        }
        self.names.clear();
        names(assets, &mut self.names)?;
        Ok(Object::Resolved(Resolved {
            market: market.need(object, Value::text)?,
            assets: &self.names,
            winning_asset_id: winning_asset_id.read(Value::text)?.unwrap_or(""),
            winning_outcome: winning_outcome.read(Value::text)?.unwrap_or(""),
            timestamp_ms: timestamp.need(object, Value::unsigned)?,
        }))
    }
}

/// `{"price":"0.47","size":"1200"}`
fn level(pair: Value<'_, '_, '_>, field: &'static str) -> Result<(Px, Qty), DecodeError> {
    fields! { pair, field; price = "price", size = "size" }
    Ok((price.need(pair, Value::price)?, size.need(pair, Value::size)?))
}

fn change<'a>(entry: Value<'_, 'a, '_>) -> Result<Entry<'a>, DecodeError> {
    fields! { entry, "price_changes";
        asset_id = "asset_id", price = "price", size = "size", side = "side", hash = "hash",
        best_bid = "best_bid", best_ask = "best_ask",
    }
    Ok(Entry {
        asset_id: asset_id.need(entry, Value::text)?,
        px: price.need(entry, Value::price)?,
        qty: size.need(entry, Value::size)?,
        side: side.need(entry, taker_side)?,
        hash: hash.read(Value::text)?.unwrap_or(""),
        best_bid: best_bid.price_if_any()?,
        best_ask: best_ask.price_if_any()?,
    })
}

fn taker_side(value: Value<'_, '_, '_>, field: &'static str) -> Result<Side, DecodeError> {
    match value.text(field)? {
        "BUY" => Ok(Side::Bid),
        "SELL" => Ok(Side::Ask),
        _ => Err(value.error(DecodeErrorKind::Word, field)),
    }
}

fn tick_size<'a>(object: Value<'_, 'a, '_>) -> Result<Object<'a>, DecodeError> {
    fields! { object, "tick_size_change";
        market = "market", asset_id = "asset_id", old = "old_tick_size", new = "new_tick_size",
        timestamp = "timestamp",
    }
    Ok(Object::TickSize(TickSize {
        market: market.need(object, Value::text)?,
        asset_id: asset_id.need(object, Value::text)?,
        old: step(old)?,
        new: step(new)?.ok_or_else(|| object.error(DecodeErrorKind::Missing, new.name))?,
        timestamp_ms: timestamp.need(object, Value::unsigned)?,
    }))
}

/// A step of a price grid: one that makes no grid is refused here, with the field's name.
fn step(field: Field<'_, '_, '_>) -> Result<Option<Px>, DecodeError> {
    let Some(px) = field.price_if_any()? else { return Ok(None) };
    match (Grid::uniform(px.e4()), field.value) {
        (Err(bad), Some(value)) => Err(value.error(DecodeErrorKind::Grid(bad), field.name)),
        _ => Ok(Some(px)),
    }
}

fn last_trade<'a>(object: Value<'_, 'a, '_>) -> Result<Object<'a>, DecodeError> {
    fields! { object, "last_trade_price";
        market = "market", asset_id = "asset_id", price = "price", size = "size", side = "side",
        timestamp = "timestamp", transaction_hash = "transaction_hash",
    }
    Ok(Object::LastTrade(LastTrade {
        market: market.need(object, Value::text)?,
        asset_id: asset_id.need(object, Value::text)?,
        px: price.need(object, Value::price)?,
        qty: size.need(object, Value::size)?,
        side: side.need(object, taker_side)?,
        timestamp_ms: timestamp.need(object, Value::unsigned)?,
        transaction_hash: transaction_hash.read(Value::text)?,
    }))
}

fn best_bid_ask<'a>(object: Value<'_, 'a, '_>) -> Result<Object<'a>, DecodeError> {
    fields! { object, "best_bid_ask";
        market = "market", asset_id = "asset_id", best_bid = "best_bid", best_ask = "best_ask",
        timestamp = "timestamp",
    }
    Ok(Object::BestBidAsk(BestBidAsk {
        market: market.need(object, Value::text)?,
        asset_id: asset_id.need(object, Value::text)?,
        best_bid: best_bid.price_if_any()?,
        best_ask: best_ask.price_if_any()?,
        timestamp_ms: timestamp.need(object, Value::unsigned)?,
    }))
}

fn fee_schedule(value: Value<'_, '_, '_>, field: &'static str) -> Result<FeeSchedule, DecodeError> {
    fields! { value, field; rate = "rate", exponent = "exponent", taker_only = "taker_only" }
    Ok(FeeSchedule {
        rate_e6: rate.need(value, Value::ratio_e6)?,
        exponent_e6: exponent.need(value, Value::ratio_e6)?,
        taker_only: taker_only.read(Value::flag)?.unwrap_or(false),
    })
}

fn names<'a>(field: Field<'_, 'a, '_>, names: &mut Vec<&'a str>) -> Result<(), DecodeError> {
    let Some(list) = field.value else { return Ok(()) };
    let elements = list.elements(field.name)?;
    if elements.len() > NAMES_MAX {
        return Err(list.error(DecodeErrorKind::TooManyItems, field.name));
    }
    for element in elements {
        names.push(element.text(field.name)?);
    }
    Ok(())
}

/// The texts of a book, or `None` for an object that is another event.
fn book_text<'a, 'l>(
    object: Value<'_, 'a, '_>,
    levels: &'l mut Vec<(&'a str, &'a str)>,
) -> Result<Option<BookText<'l>>, DecodeError> {
    fields! { object, "book";
        event = "event_type", market = "market", asset_id = "asset_id", timestamp = "timestamp",
        hash = "hash", bids = "bids", asks = "asks", min_order_size = "min_order_size",
        tick_size = "tick_size", neg_risk = "neg_risk", last_trade_price = "last_trade_price",
    }
    if event.read(Value::text)?.is_some_and(|event| event != "book") {
        return Ok(None);
    }
    let mut bids_len = 0;
    for side in [bids, asks] {
        bids_len = levels.len();
        let list = side.required(object)?;
        let elements = list.elements(side.name)?;
        if elements.len() > LEVELS_MAX {
            return Err(list.error(DecodeErrorKind::TooManyItems, side.name));
        }
        for pair in elements {
            fields! { pair, side.name; price = "price", size = "size" }
            levels.push((price.need(pair, Value::text)?, size.need(pair, Value::text)?));
        }
    }
    let (bids, asks) = levels.split_at(bids_len);
    Ok(Some(BookText {
        market: market.need(object, Value::text)?,
        asset_id: asset_id.need(object, Value::text)?,
        timestamp: timestamp.need(object, Value::text)?,
        hash: hash.need(object, Value::text)?,
        bids,
        asks,
        min_order_size: min_order_size.read(Value::text)?,
        tick_size: tick_size.read(Value::text)?,
        neg_risk: neg_risk.read(Value::flag)?,
        last_trade_price: last_trade_price.read(Value::text)?,
    }))
}
