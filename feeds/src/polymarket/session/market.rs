//! A market with its two tokens, as a session keeps them.

use engine::book::Side;
use engine::slab::BookId;
use engine::top::{Health, Top};
use engine::units::{Px, Qty};

use super::{CONDITION_MAX, HashTerms};
use crate::market::{self, Crossing, Standing};
use crate::polymarket::fast::TokenText;

const HASH_MAX: usize = 40;

pub(super) struct Market {
    pub(super) top: Top,
    pub(super) tokens: [Token; 2],
    pub(super) condition_len: u8,
    pub(super) condition: [u8; CONDITION_MAX],
    /// In the list of markets to publish when the frame ends.
    pub(super) touched: bool,
    pub(super) learnt: bool,
    /// The connection that it is subscribed to on.
    pub(super) conn: u32,
    pub(super) terms: Option<Box<HashTerms>>,
}

impl Market {
    pub(super) fn condition(&self) -> &[u8] {
        &self.condition[..usize::from(self.condition_len)]
    }

    /// True of a number that no market has; its books are somebody else's.
    pub(super) const fn is_vacant(&self) -> bool {
        self.condition_len == 0
    }

    pub(super) fn token_of(&self, id: &str) -> Option<usize> {
        self.tokens.iter().position(|token| token.text.id() == id.as_bytes())
    }
}

pub(super) struct Token {
    pub(super) text: TokenText,
    pub(super) book: BookId,
    pub(super) standing: Standing,
    pub(super) crossing: Crossing,
    /// The venue's time of the last message applied; Unix milliseconds.
    pub(super) timestamp_ms: u64,
    pub(super) unsettled: Option<Unsettled>,
    /// Messages in a row that were older than the last one applied.
    pub(super) behind: u8,
    pub(super) seen_book: bool,
    /// Best bid and ask of the book, followed change by change; of an empty side what the venue
    /// writes then: [`EMPTY`].
    pub(super) best: [Px; 2],
}

impl Token {
    /// Whether the book is sound and a change of that time can be applied to it.
    #[inline(always)]
    pub(super) fn is_calm(&self, timestamp_ms: u64) -> bool {
        self.standing.is_whole()
            && !self.crossing.is_on()
            && self.unsettled.is_none()
            && timestamp_ms >= self.timestamp_ms
    }
}

/// A transition whose stated best prices are not ours yet: more of its entries may follow.
#[derive(Clone, Copy)]
pub(super) struct Unsettled {
    pub(super) timestamp_ms: u64,
    pub(super) hash: [u8; HASH_MAX],
}

pub(super) fn unsettled(timestamp_ms: u64, hash: &[u8]) -> Unsettled {
    let mut text = [0; HASH_MAX];
    let len = hash.len().min(HASH_MAX);
    text[..len].copy_from_slice(&hash[..len]);
    Unsettled { timestamp_ms, hash: text }
}

/// Best bid and ask of an empty book, as the venue writes them. No level can stand there.
pub(super) const EMPTY: [Px; 2] = [Px::ZERO, Px::ONE];

#[inline]
pub(super) fn health(token: &Token) -> Health {
    match market::health(token.standing, token.crossing.is_on()) {
        Health::Sound if token.unsettled.is_some() => Health::Stale,
        health => health,
    }
}

/// The health of a market whose two books have these: what is missing weighs more than what is
/// crossed.
#[inline]
pub(super) const fn worse(a: Health, b: Health) -> Health {
    const fn weight(health: Health) -> u8 {
        match health {
            Health::Sound => 0,
            Health::Crossed => 1,
            Health::Stale => 2,
            Health::Gap => 3,
            Health::AwaitSnapshot => 4,
        }
    }
    if matches!(a, Health::Sound) || weight(a) < weight(b) { b } else { a }
}

/// Lets the best prices follow a change of one level; false where the level that was the best is
/// gone, so that the next one must be read from the book.
#[inline(always)]
pub(super) fn follow(best: &mut [Px; 2], side: Side, px: Px, qty: Qty) -> bool {
    if qty == Qty::ZERO {
        return best[side as usize] != px;
    }
    match side {
        Side::Bid => best[0] = px.max(best[0]),
        Side::Ask => best[1] = px.min(best[1]),
    }
    true
}

/// True where a book is crossed or locked.
#[inline(always)]
pub(super) fn overlaps([bid, ask]: [Px; 2]) -> bool {
    bid >= ask
}

/// A book's number is twice its market's, plus its token's.
pub(super) fn crossing_of(markets: &mut [Market], book: usize) -> &mut Crossing {
    &mut markets[book / 2].tokens[book % 2].crossing
}
