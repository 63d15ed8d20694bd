//! The shapes that nearly every live `price_change` has, decoded without a parser: both orders of
//! the top-level keys, entries in fixed key order, tokens compared whole with the market's own.

use engine::book::Side;
use engine::units::{Px, Qty};

use crate::scan::{Cursor, Near};
use crate::shape::Shape;
use crate::wide::{self, Either};

/// Length of a condition id: `0x` and 64 hex digits.
pub const CONDITION_LEN: usize = 66;

/// Length of the hash that names a transition.
pub const HASH_LEN: usize = 40;

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

/// What the usual `price_change` says: one changed level of each of the market's tokens, the YES
/// token's first wherever it stands in the frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair<'a> {
    /// The changed sides of the books.
    pub sides: [Side; 2],
    /// The levels.
    pub prices: [Px; 2],
    /// Their new totals.
    pub sizes: [Qty; 2],
    /// Best bid and ask of each token after the transition, as in [`Change`].
    pub best: [[Px; 2]; 2],
    /// Hashes, as in [`Change`].
    pub hashes: [&'a [u8; HASH_LEN]; 2],
    /// The venue's time; Unix milliseconds.
    pub timestamp_ms: u64,
}

impl<'a> Pair<'a> {
    /// The same as two changes.
    pub fn changes(&self) -> [Change<'a>; 2] {
        [0, 1].map(|token| Change {
            token,
            side: self.sides[token],
            px: self.prices[token],
            qty: self.sizes[token],
            hash: self.hashes[token],
            best_bid: Some(self.best[token][0]),
            best_ask: Some(self.best[token][1]),
        })
    }
}

/// One of a market's tokens as it stands in a frame, with all that is known beforehand of an entry
/// about it: so that most of an entry is proved by comparing, not by decoding.
#[derive(Clone, Copy)]
pub struct TokenText {
    /// Length of the id; 0 is no token.
    len: u8,
    /// Length of `opening`, likewise.
    opening_len: u8,
    /// Length of what the last entry said of the best prices; 0 before the first.
    stated_len: u8,
    /// `{"asset_id":"<id>","price":"0.`
    opening: [u8; OPENING_MAX],
    /// `","best_bid":"0.59","best_ask":"0.61"}` of the last entry that was decoded: best prices
    /// move with one entry in ten, so the next one mostly ends in the same text.
    stated: [u8; STATED_MAX],
    /// What that says.
    best: [Px; 2],
    /// The last time of a frame that began with this token's market.
    near: Near,
}

/// Longest token id: 2^256 has 78 decimal digits.
pub const TOKEN_MAX: usize = 78;

const ID_KEY: &[u8; 13] = b"{\"asset_id\":\"";
const PRICE_KEY: &[u8; 13] = b"\",\"price\":\"0.";
const OPENING_MAX: usize = ID_KEY.len() + TOKEN_MAX + PRICE_KEY.len();

/// Two prices of four decimals.
const STATED_MAX: usize = b"\",\"best_bid\":\"0.0000\",\"best_ask\":\"0.0000\"}".len();

impl TokenText {
    /// No token.
    pub const NONE: TokenText = TokenText {
        len: 0,
        opening_len: 0,
        stated_len: 0,
        opening: [0; OPENING_MAX],
        stated: [0; STATED_MAX],
        best: [Px::ZERO; 2],
        near: Near::NONE,
    };

    /// The token, or `None` where that is no decimal number of at most 78 digits.
    pub fn new(id: &str) -> Option<TokenText> {
        let digits =
            !id.is_empty() && id.len() <= TOKEN_MAX && id.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return None;
        }
        let mut token = TokenText { len: id.len() as u8, ..TokenText::NONE };
        let mut at = 0;
        for part in [ID_KEY, id.as_bytes(), PRICE_KEY] {
            token.opening[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        token.opening_len = at as u8;
        Some(token)
    }

    /// The id.
    #[inline]
    pub fn id(&self) -> &[u8] {
        &self.opening[ID_KEY.len()..ID_KEY.len() + usize::from(self.len)]
    }

    /// The id and its closing quote; empty for [`TokenText::NONE`].
    fn quoted(&self) -> &[u8] {
        match usize::from(self.len) {
            0 => &[],
            len => &self.opening[ID_KEY.len()..=ID_KEY.len() + len],
        }
    }

    /// Passes an entry's text up to the decimals of its price, if it is of this token.
    #[inline(always)]
    fn opens(&self, at: &mut Cursor<'_>) -> bool {
        // Whoever has a shorter id goes the longer way. This says all that follows about lengths.
        let len = usize::from(self.opening_len);
        (97..=OPENING_MAX).contains(&len) && at.known_head(&self.opening[..len])
    }

    /// Passes the best prices that end an entry, with the quote before them and its brace.
    #[inline(always)]
    fn best_prices(&mut self, at: &mut Cursor<'_>) -> Option<[Px; 2]> {
        let len = usize::from(self.stated_len);
        if !((32..=STATED_MAX).contains(&len) && at.known_tail(&self.stated[..len])) {
            *at = self.other_best_prices(*at)?;
        }
        Some(self.best)
    }

    /// The same where they are other ones than last time. Takes and gives the cursor by value: so
    /// the caller's lives in registers.
    #[inline(never)]
    fn other_best_prices<'a>(&mut self, mut at: Cursor<'a>) -> Option<Cursor<'a>> {
        const LEN: usize = 38;
        const SHAPE: Shape<LEN> = Shape::new(b"\",\"best_bid\":\"0.##\",\"best_ask\":\"0.##\"}");
        if let Some(text) = at.shaped(&SHAPE) {
            *self.stated.first_chunk_mut::<LEN>()? = *text;
            self.stated_len = LEN as u8;
            let cents = |at: usize| Px::new(wide::two_decimals([text[at], text[at + 1]]));
            self.best = [cents(16)?, cents(34)?];
            return Some(at);
        }
        let before = at.rest();
        at.literal(b"\",\"best_bid\":\"")?;
        let bid = at.best_price()?;
        at.literal(b",\"best_ask\":\"")?;
        let ask = at.best_price()?;
        at.literal(b"}")?;
        let text = &before[..before.len() - at.rest().len()];
        self.stated.get_mut(..text.len())?.copy_from_slice(text);
        self.stated_len = text.len() as u8;
        self.best = [bid, ask];
        Some(at)
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
    /// Decodes the entries of the usual frame, one for each token, and its end. `None` means: ask
    /// [`Head::entries`].
    #[inline(always)]
    pub fn pair(self, yes: &mut TokenText, no: &mut TokenText) -> Option<Pair<'a>> {
        let mut at = self.at;
        // One call for both orders, so that it can be put in line.
        let (first, second, in_order) = if yes.opens(&mut at) {
            (yes, no, true)
        } else {
            no.opens(&mut at).then_some((no, yes, false))?
        };
        let pair = pair(at, self.timestamp_ms, first, second)?;
        if in_order {
            return Some(pair);
        }
        let swapped = |[a, b]: [Px; 2]| [b, a];
        Some(Pair {
            sides: [pair.sides[1], pair.sides[0]],
            prices: swapped(pair.prices),
            sizes: [pair.sizes[1], pair.sizes[0]],
            best: [pair.best[1], pair.best[0]],
            hashes: [pair.hashes[1], pair.hashes[0]],
            ..pair
        })
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
            at.literal(ID_KEY)?;
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

/// What stands behind the opening of the first of two entries, `one`'s, up to the end of the
/// frame. Says what `one`'s entry does before what `two`'s does.
// Not inlined: the decoder needs every register for itself.
#[inline(always)]
fn pair<'a>(
    mut at: Cursor<'a>,
    timestamp_ms: Option<u64>,
    one: &mut TokenText,
    two: &mut TokenText,
) -> Option<Pair<'a>> {
    let px_one = at.decimals()?;
    let text = at.rest();
    let qty_one = size(&mut at)?;
    let size_len = text.len() - at.rest().len();
    let (side_one, hash_one) = side_and_hash(&mut at)?;
    let best_one = one.best_prices(&mut at)?;

    at.literal(b",")?;
    two.opens(&mut at).then_some(())?;
    let px_two = at.decimals()?;
    // What one token's buyers offer, the other's sellers do: the size is the same text.
    let qty_two = if at.repeated(text, size_len) { qty_one } else { size(&mut at)? };
    let (side_two, hash_two) = side_and_hash(&mut at)?;
    let best_two = two.best_prices(&mut at)?;

    let timestamp_ms = match timestamp_ms {
        Some(timestamp_ms) => {
            at.literal(b"]}")?;
            timestamp_ms
        }
        None => {
            at.literal(b"],\"timestamp\":\"")?;
            let timestamp_ms = at.millis_near(&mut one.near)?;
            at.literal(b"\",\"event_type\":\"price_change\"}")?;
            timestamp_ms
        }
    };
    at.end()?;
    Some(Pair {
        sides: [side_one, side_two],
        prices: [px_one, px_two],
        sizes: [qty_one, qty_two],
        best: [best_one, best_two],
        hashes: [hash_one, hash_two],
        timestamp_ms,
    })
}

/// What stands between the decimals of an entry's price and its side's key.
#[inline(always)]
fn size(at: &mut Cursor<'_>) -> Option<Qty> {
    at.literal(b"\",\"size\":\"")?;
    at.size()
}

static SIDES: Either<23> =
    Either::new(b",\"side\":\"BUY\",\"hash\":\"", b",\"side\":\"SELL\",\"hash\":\"");

/// An entry's side and its hash without the closing quote.
#[inline(always)]
fn side_and_hash<'a>(at: &mut Cursor<'a>) -> Option<(Side, &'a [u8; HASH_LEN])> {
    let is_ask = at.either(&SIDES)?;
    let side = if is_ask { Side::Ask } else { Side::Bid };
    Some((side, at.lower_of()?))
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
