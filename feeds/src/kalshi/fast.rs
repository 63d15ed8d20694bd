//! The shape that nearly every live delta has, decoded without a parser: fixed key order, each
//! key compared whole, the first surprise left to the general decoder.
//!
//! `sending_ts_ms` stands after `type` in most live frames, and frames caused by our own order
//! end with `client_order_id` and `subaccount` (kalshi.md section 2).

use engine::units::Px;

use crate::kalshi::hint::Hint;
use crate::kalshi::message::BookSide;
use crate::scan::Cursor;
use crate::shape::Shape;
use crate::wide;

/// A delta as the hot path needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FastDelta<'a> {
    /// Subscription.
    pub sid: u64,
    /// Its sequence number.
    pub seq: u64,
    /// When the venue queued the frame; Unix milliseconds.
    pub sent_ms: Option<u64>,
    /// Ticker, the key between, and market id: one range, compared at once
    /// ([`put_market_id`]).
    pub identity: &'a [u8],
    /// The ticker alone.
    pub ticker: &'a [u8],
    /// The level, in the convention of the subscription.
    pub px: Px,
    /// What is added, in 1e-2 contract.
    pub delta_e2: i64,
    /// Whose bids.
    pub side: BookSide,
    /// When the change was recorded; Unix milliseconds.
    pub ts_ms: u64,
    /// True where our own order caused it.
    pub own: bool,
}

/// What stands between ticker and id; the ticker's closing quote is before it.
const ID_KEY: &[u8; 14] = b",\"market_id\":\"";
const ID_LEN: usize = 36;

/// Decodes a delta of the usual shape; `None` means: ask the general decoder.
#[inline]
pub fn delta(frame: &[u8]) -> Option<FastDelta<'_>> {
    delta_like(frame, &Hint::NONE)
}

/// As [`delta`], and faster where the frame begins as `hint` says.
#[inline(always)]
pub fn delta_like<'a>(frame: &'a [u8], hint: &Hint) -> Option<FastDelta<'a>> {
    let mut at = Cursor::new(frame);
    at.literal(b"{\"type\":\"orderbook_delta\",\"s")?;
    let sent_ms = if at.optional(b"ending_ts_ms\":") {
        let sent_ms = at.millis()?;
        at.literal(b",\"s")?;
        Some(sent_ms)
    } else {
        None
    };
    let (sid, seq) = if at.expected(hint.text(), hint.text_len()) {
        (hint.sid, hint.seq)
    } else {
        let (sid, seq, rest) = sid_and_seq(at)?;
        at = rest;
        (sid, seq)
    };
    // Ticker, key and id are compared with the market's own, so they are only passed here.
    let ticker_len = at.name_len()?;
    let identity = at.skip(identity_len(ticker_len))?;
    let ticker = identity.get(..ticker_len)?;
    let px = price(&mut at)?;
    let negative = at.optional(b"-");
    let size = at.size()?.e2() as i64;
    let delta_e2 = if negative { -size } else { size };
    let (side, ts_ms, own) = match short_end(at) {
        Some((side, ts_ms)) => (side, ts_ms, false),
        None => end(at)?,
    };
    Some(FastDelta { sid, seq, sent_ms, identity, ticker, px, delta_e2, side, ts_ms, own })
}

/// What stands before the ticker, where it was not foreseen.
#[inline(never)]
fn sid_and_seq(mut at: Cursor<'_>) -> Option<(u64, u64, Cursor<'_>)> {
    at.literal(b"id\":")?;
    let sid = at.integer()?;
    at.literal(b",\"seq\":")?;
    let seq = at.integer()?;
    at.literal(b",\"msg\":{\"market_ticker\":\"")?;
    Some((sid, seq, at))
}

/// What stands between the market id and the size.
#[inline(always)]
fn price(at: &mut Cursor<'_>) -> Option<Px> {
    const SHAPE: Shape<39> = Shape::new(b"\",\"price_dollars\":\"0.####\",\"delta_fp\":\"");
    if let Some(text) = at.shaped(&SHAPE) {
        let (_, decimals) = text.split_first_chunk::<21>()?;
        let word = u32::from_le_bytes(*decimals.first_chunk()?);
        return Px::new(wide::decimals_value(word, 4));
    }
    at.literal(b"\",\"price_dollars\":\"")?;
    let px = at.price()?;
    at.literal(b",\"delta_fp\":\"")?;
    Some(px)
}

/// Side and time at the end of nearly all frames: six decimals of a second, not our own order.
#[inline(always)]
fn short_end(at: Cursor<'_>) -> Option<(BookSide, u64)> {
    const SHAPE: Shape<60> =
        Shape::new(b"\",\"ts\":\"####-##-##T##:##:##.######Z\",\"ts_ms\":^############}}");
    let (side, text) = at.shaped_end(&SHAPE)?;
    let side = if let Ok(yes) = side.try_into() {
        wide::same(yes, b",\"side\":\"yes").then_some(BookSide::Yes)?
    } else {
        wide::same(side.try_into().ok()?, b",\"side\":\"no").then_some(BookSide::No)?
    };
    let (_, ts_ms) = text.split_last_chunk::<15>()?;
    Some((side, wide::thirteen_value(ts_ms.first_chunk()?)))
}

/// The same of any other frame, and whether our own order caused it.
fn end(mut at: Cursor<'_>) -> Option<(BookSide, u64, bool)> {
    at.literal(b",\"side\":\"")?;
    let side = if at.optional(b"yes\",\"ts\":\"") {
        BookSide::Yes
    } else {
        at.literal(b"no\",\"ts\":\"")?;
        BookSide::No
    };
    at.string()?;
    at.literal(b",\"ts_ms\":")?;
    let ts_ms = at.millis()?;
    let own = at.optional(b",\"client_order_id\":\"");
    if own {
        at.string()?;
        at.literal(b",\"subaccount\":")?;
        at.integer()?;
    }
    at.literal(b"}}")?;
    at.end()?;
    Some((side, ts_ms, own))
}

/// The hash by which a market is looked up: of its id at the end of [`FastDelta::identity`], which
/// is random, so that a few of its digits do.
#[inline(always)]
pub fn id_hash(identity: &[u8]) -> u64 {
    let Some(id) = identity.last_chunk::<ID_LEN>() else { return 0 };
    let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let (head, tail) = (word(id.first_chunk()), word(id.last_chunk()));
    let mixed = (head ^ tail.rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 32)
}

/// Length of [`FastDelta::identity`] for a ticker of that length.
pub const fn identity_len(ticker_len: usize) -> usize {
    ticker_len + 1 + ID_KEY.len() + ID_LEN
}

/// Writes behind a ticker of `ticker_len` bytes what [`FastDelta::identity`] must hold behind it
/// for a market id; false, and nothing is written, where no frame of the usual shape can carry it.
///
/// A quote or a backslash in the id would stand for something else in a frame's bytes than in the
/// text that was decoded, so an id that holds one is never compared with bytes.
pub fn put_market_id(identity: &mut [u8], ticker_len: usize, market_id: &str) -> bool {
    let plain = |b: u8| (0x20..0x80).contains(&b) && b != b'"' && b != b'\\';
    if market_id.len() != ID_LEN || !market_id.bytes().all(plain) {
        return false;
    }
    let Some(room) = identity.get_mut(ticker_len..identity_len(ticker_len)) else { return false };
    let (quote, rest) = room.split_at_mut(1);
    let (key, id) = rest.split_at_mut(ID_KEY.len());
    quote.copy_from_slice(b"\"");
    key.copy_from_slice(ID_KEY);
    id.copy_from_slice(market_id.as_bytes());
    true
}
