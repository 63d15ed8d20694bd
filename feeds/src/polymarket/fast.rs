//! The shapes that nearly every live `price_change` has, decoded without a parser: both orders of
//! the top-level keys, entries in fixed key order, tokens compared whole with the market's own.

use engine::book::Side;
use engine::units::{Px, Qty};

use crate::scan::Cursor;

/// Length of a condition id: `0x` and 64 hex digits.
pub const CONDITION_LEN: usize = 66;

/// Entries of one `price_change` that the fast path takes. Two is the rule, one a token; a match
/// through several levels makes more.
pub const ENTRIES_MAX: usize = 8;

/// One changed level of one of the market's two tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change<'a> {
    /// Which token of the market, 0 or 1.
    pub token: usize,
    /// Which side of the token's book.
    pub side: Side,
    /// The level.
    pub px: Px,
    /// Its new total.
    pub qty: Qty,
    /// Names the transition together with the timestamp.
    pub hash: &'a [u8],
    /// The token's best bid after the transition; 0 for an empty side.
    pub best_bid: Option<Px>,
    /// The token's best ask after the transition; 1 for an empty side.
    pub best_ask: Option<Px>,
}

/// A market's tokens as they stand in a frame: the id and its closing quote.
#[derive(Clone, Copy)]
pub struct TokenText {
    len: u8,
    text: [u8; TOKEN_MAX + 1],
}

/// Longest token id: 2^256 has 78 decimal digits.
pub const TOKEN_MAX: usize = 78;

impl TokenText {
    /// No token.
    pub const NONE: TokenText = TokenText { len: 0, text: [0; TOKEN_MAX + 1] };

    /// The token, or `None` where that is no decimal number of at most 78 digits.
    pub fn new(id: &str) -> Option<TokenText> {
        let digits =
            !id.is_empty() && id.len() <= TOKEN_MAX && id.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return None;
        }
        let mut text = [0; TOKEN_MAX + 1];
        text[..id.len()].copy_from_slice(id.as_bytes());
        text[id.len()] = b'"';
        Some(TokenText { len: id.len() as u8, text })
    }

    /// The id.
    #[inline]
    pub fn id(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }

    /// The id and its closing quote; empty for [`TokenText::NONE`].
    #[inline(always)]
    fn quoted(&self) -> &[u8] {
        if self.len == 0 { &[] } else { &self.text[..=usize::from(self.len)] }
    }
}

/// What stands before the entries.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    at: Cursor<'a>,
    /// The condition id.
    pub condition: &'a [u8; CONDITION_LEN],
    /// In one of the two key orders the time stands here.
    timestamp_ms: Option<u64>,
}

/// Decodes the frame up to its entries; `None` means: ask the general decoder.
#[inline]
pub fn head(frame: &[u8]) -> Option<Head<'_>> {
    let mut at = Cursor::new(frame);
    if at.optional(b"{\"market\":\"") {
        let condition = at.name_of::<CONDITION_LEN>()?;
        at.literal(b",\"price_changes\":[")?;
        return Some(Head { at, condition, timestamp_ms: None });
    }
    at.literal(b"{\"event_type\":\"price_change\",\"market\":\"")?;
    let condition = at.name_of::<CONDITION_LEN>()?;
    at.literal(b",\"timestamp\":\"")?;
    let timestamp_ms = at.millis()?;
    at.literal(b"\",\"price_changes\":[")?;
    Some(Head { at, condition, timestamp_ms: Some(timestamp_ms) })
}

impl<'a> Head<'a> {
    /// Decodes the entries of the usual frame, one for each token, and its time in Unix
    /// milliseconds. `None` means: ask [`Head::entries`].
    #[inline(always)]
    pub fn pair(mut self, tokens: [&TokenText; 2]) -> Option<([Change<'a>; 2], u64)> {
        let at = &mut self.at;
        at.literal(b"{\"asset_id\":\"")?;
        let first = if at.known(tokens[0].quoted()) {
            0
        } else {
            at.known(tokens[1].quoted()).then_some(1)?
        };
        let one = entry(at, first)?;
        at.literal(b"},{\"asset_id\":\"")?;
        at.known(tokens[1 - first].quoted()).then_some(())?;
        let two = entry(at, 1 - first)?;
        at.literal(b"}]")?;
        Some(([one, two], self.end()?))
    }

    /// Decodes the entries into `changes` and the rest of the frame. Says how many there are and
    /// the venue's time in Unix milliseconds; `None` means: ask the general decoder.
    pub fn entries(
        mut self,
        tokens: [&TokenText; 2],
        changes: &mut [Change<'a>; ENTRIES_MAX],
    ) -> Option<(usize, u64)> {
        let at = &mut self.at;
        let mut count = 0;
        loop {
            at.literal(b"{\"asset_id\":\"")?;
            let token = tokens.iter().position(|token| at.known(token.quoted()))?;
            *changes.get_mut(count)? = entry(at, token)?;
            count += 1;
            if !at.optional(b"},") {
                break;
            }
        }
        at.literal(b"}]")?;
        Some((count, self.end()?))
    }

    /// What stands behind the entries; says the venue's time.
    #[inline(always)]
    fn end(self) -> Option<u64> {
        let mut at = self.at;
        let timestamp_ms = match self.timestamp_ms {
            Some(timestamp_ms) => {
                at.literal(b"}")?;
                timestamp_ms
            }
            None => {
                at.literal(b",\"timestamp\":\"")?;
                let timestamp_ms = at.millis()?;
                at.literal(b"\",\"event_type\":\"price_change\"}")?;
                timestamp_ms
            }
        };
        at.end()?;
        Some(timestamp_ms)
    }
}

/// What stands between an entry's token and its closing brace.
#[inline(always)]
fn entry<'a>(at: &mut Cursor<'a>, token: usize) -> Option<Change<'a>> {
    at.literal(b",\"price\":\"")?;
    let px = at.price()?;
    at.literal(b",\"size\":\"")?;
    let qty = at.size()?;
    at.literal(b",\"side\":\"")?;
    let side = if at.optional(b"BUY\",\"hash\":\"") {
        Side::Bid
    } else {
        at.literal(b"SELL\",\"hash\":\"")?;
        Side::Ask
    };
    let hash = at.string_of::<40>()?;
    at.literal(b",\"best_bid\":\"")?;
    let best_bid = Some(at.best_price()?);
    at.literal(b",\"best_ask\":\"")?;
    let best_ask = Some(at.best_price()?);
    Some(Change { token, side, px, qty, hash, best_bid, best_ask })
}

impl Change<'_> {
    /// Fills the array that [`Head::entries`] writes to.
    pub const NONE: Change<'static> = Change {
        token: 0,
        side: Side::Bid,
        px: Px::ZERO,
        qty: Qty::ZERO,
        hash: &[],
        best_bid: None,
        best_ask: None,
    };
}
