//! A market of the venue: its tokens, its book and what subscribers were told of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use engine::pair::Outcome;
use engine::payoff::Settlement;
use engine::units::{Ns, Px};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use crate::polymarket::book::{Book, SHOWN_MIN};
use crate::polymarket::decimal;
use crate::polymarket::eip712::{Exchange, bare_hex};
use crate::universe::PolymarketMarket;
use crate::venue::Side;

/// The tick that replaces a cent near the ends (polymarket.md section 2.3).
pub const FINE_TICK: u16 = 10;

/// A trade as the market channel tells it.
#[derive(Clone, Debug)]
pub struct Print {
    /// The taker's token.
    pub token: usize,
    /// Its price.
    pub px: Px,
    /// Millionths of a share.
    pub size: u64,
    /// The taker buys.
    pub buys: bool,
}

/// One level that changed, in the first token's prices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// Which side.
    pub side: Side,
    /// Where.
    pub px: Px,
    /// The new size in 1e-2 shares; zero removes it.
    pub size_e2: u64,
}

/// A market.
#[derive(Clone, Debug)]
pub struct Market {
    /// As the universe lists it.
    pub spec: PolymarketMarket,
    /// What rests.
    pub book: Book,
    /// The tick now, in 1e-4 dollar.
    pub tick: u16,
    /// The first token's price in the last trade.
    pub last: Option<Px>,
    /// It takes no orders for now.
    pub paused: bool,
    /// It takes no orders any more.
    pub closed: bool,
    /// When it was made; `None` where that was before the venue began.
    pub made: Option<Ns>,
    /// It is in the listings; before, nobody can name it.
    pub is_listed: bool,
    /// It has paid.
    pub settled: Option<Settlement>,
    /// When the book changed last; Unix milliseconds.
    pub stamp_ms: u64,
    /// The first token's best prices as they were told.
    pub told_best: (Option<Px>, Option<Px>),
    shown: [BTreeMap<u16, u64>; 2],
}

impl Market {
    /// An empty book.
    pub fn new(spec: &PolymarketMarket, now: Ns) -> Market {
        Market {
            book: Book::default(),
            tick: spec.tick.max(1),
            last: None,
            paused: false,
            closed: false,
            made: None,
            is_listed: true,
            settled: None,
            stamp_ms: now.0 / 1_000_000,
            told_best: (None, None),
            shown: [BTreeMap::new(), BTreeMap::new()],
            spec: spec.clone(),
        }
    }

    /// It takes orders.
    pub const fn accepts(&self) -> bool {
        !self.paused && !self.closed && self.settled.is_none()
    }

    /// What each token pays, once that is known.
    pub fn pays(&self) -> Option<[Px; 2]> {
        self.settled.map(|settlement| [Outcome::Yes, Outcome::No].map(|of| settlement.each(of)))
    }

    /// The contract that its orders are signed for.
    pub const fn exchange(&self) -> Exchange {
        match (self.spec.is_v2, self.spec.neg_risk) {
            (true, _) => Exchange::V3,
            (false, true) => Exchange::NegRisk,
            (false, false) => Exchange::Standard,
        }
    }

    /// An order may have that price: a multiple of the tick, inside of it.
    pub const fn on_grid(&self, px: Px) -> bool {
        let (e4, tick) = (px.e4(), self.tick);
        e4.is_multiple_of(tick) && e4 >= tick && e4 <= Px::ONE.e4() - tick
    }

    /// What changed since it was shown last; it counts as shown from now on.
    pub fn changes(&mut self, now: Ns) -> Vec<Change> {
        let mut changes = Vec::new();
        for (at, side) in [Side::Bid, Side::Ask].into_iter().enumerate() {
            let levels = self.book.levels(side).into_iter();
            let next: BTreeMap<u16, u64> =
                levels.map(|(px, size)| (px.e4(), size / SHOWN_MIN)).collect();
            let before = std::mem::replace(&mut self.shown[at], next);
            let next = &self.shown[at];
            let gone = before.keys().filter(|px| !next.contains_key(*px)).map(|px| (*px, 0));
            let new = next.iter().filter(|(px, size)| before.get(*px) != Some(*size));
            let changed = gone.chain(new.map(|(px, size)| (*px, *size)));
            changes.extend(
                changed
                    .filter_map(|(px, size_e2)| Some(Change { side, px: Px::new(px)?, size_e2 })),
            );
        }
        if !changes.is_empty() {
            self.stamp_ms = self.stamp_ms.max(now.0 / 1_000_000);
        }
        changes
    }

    /// A token's best bid and best ask; `None` for an empty side.
    pub fn best(&self, token: usize) -> (Option<Px>, Option<Px>) {
        let (bid, ask) = (self.book.best(Side::Bid), self.book.best(Side::Ask));
        match token {
            0 => (bid, ask),
            _ => (ask.map(Px::complement), bid.map(Px::complement)),
        }
    }

    /// The price of a token in the last trade.
    pub fn last_of(&self, token: usize) -> String {
        // The venue says a half where nothing was traded yet.
        let last = self.last.unwrap_or(Px::lit(5_000));
        decimal::last_price(if token == 0 { last } else { last.complement() })
    }

    /// The tick that follows from where the market stands, where it is another than now.
    pub fn due_tick(&self) -> Option<u16> {
        let (bid, ask) = self.best(0);
        let (low, high) = (bid.unwrap_or(Px::ZERO).e4(), ask.unwrap_or(Px::ONE).e4());
        let both = bid.is_some() && ask.is_some();
        (both && self.tick == 100 && (low > 9_600 || high < 400)).then_some(FINE_TICK)
    }

    /// A token's book as text: both arrays, the best level last (section 2.2).
    fn sides(&self, token: usize) -> (String, String) {
        let ladder = |side: Side| {
            let mut text = String::from("[");
            for (px, size) in self.book.levels(side).into_iter().rev() {
                let own = if token == 0 { px } else { px.complement() };
                let comma = if text.len() > 1 { "," } else { "" };
                let (price, size) =
                    (decimal::price(own), decimal::e6(size / SHOWN_MIN * SHOWN_MIN));
                // Writing to a String cannot fail.
                let _ = write!(text, "{comma}{{\"price\":\"{price}\",\"size\":\"{size}\"}}");
            }
            text.push(']');
            text
        };
        let (bids, asks) = (ladder(Side::Bid), ladder(Side::Ask));
        if token == 0 { (bids, asks) } else { (asks, bids) }
    }

    fn hash_of(&self, token: usize, (bids, asks): &(String, String)) -> String {
        let preimage = format!(
            "{{\"market\":\"{}\",\"asset_id\":\"{}\",\"timestamp\":\"{}\",\"hash\":\"\",\
             \"bids\":{bids},\"asks\":{asks},\"min_order_size\":\"{}\",\"tick_size\":\"{}\",\
             \"neg_risk\":{},\"last_trade_price\":\"{}\"}}",
            self.spec.condition_id,
            self.spec.tokens[token],
            self.stamp_ms,
            self.min_size(),
            decimal::tick(self.tick),
            self.spec.neg_risk,
            self.last_of(token),
        );
        bare_hex(&Sha1::digest(preimage.as_bytes()))
    }

    /// The hash of a token's book (section 2.4).
    pub fn hash(&self, token: usize) -> String {
        self.hash_of(token, &self.sides(token))
    }

    /// The least size as text.
    pub fn min_size(&self) -> String {
        decimal::e6(self.spec.min_size.e2().saturating_mul(SHOWN_MIN))
    }

    /// A `book` of the market channel.
    pub fn book_event(&self, token: usize) -> String {
        self.book_text(token, "\"event_type\":\"book\",", "")
    }

    /// A book of REST, which knows the minimum and the exchange too.
    pub fn book_rest(&self, token: usize) -> String {
        let rest = format!(
            ",\"min_order_size\":\"{}\",\"neg_risk\":{}",
            self.min_size(),
            self.spec.neg_risk
        );
        self.book_text(token, "", &rest)
    }

    fn book_text(&self, token: usize, kind: &str, rest: &str) -> String {
        let sides = self.sides(token);
        let hash = self.hash_of(token, &sides);
        let (bids, asks) = sides;
        format!(
            "{{\"market\":\"{}\",\"asset_id\":\"{}\",\"timestamp\":\"{}\",\"hash\":\"{hash}\",\
             \"bids\":{bids},\"asks\":{asks},\"tick_size\":\"{}\",{kind}\
             \"last_trade_price\":\"{}\"{rest}}}",
            self.spec.condition_id,
            self.spec.tokens[token],
            self.stamp_ms,
            decimal::tick(self.tick),
            self.last_of(token),
        )
    }

    /// A `price_change` with both tokens' entries of every change.
    pub fn price_change(&self, changes: &[Change]) -> String {
        let hashes = [self.hash(0), self.hash(1)];
        let bests = [0, 1].map(|token| {
            let (bid, ask) = self.best(token);
            [decimal::price(bid.unwrap_or(Px::ZERO)), decimal::price(ask.unwrap_or(Px::ONE))]
        });
        let entry = |change: &Change, token: usize| {
            let buys = (change.side == Side::Bid) == (token == 0);
            let px = if token == 0 { change.px } else { change.px.complement() };
            json!({
                "asset_id": self.spec.tokens[token],
                "price": decimal::price(px),
                "size": decimal::e6(change.size_e2 * SHOWN_MIN),
                "side": if buys { "BUY" } else { "SELL" },
                "hash": hashes[token],
                "best_bid": bests[token][0],
                "best_ask": bests[token][1],
            })
        };
        let entries: Vec<Value> =
            changes.iter().flat_map(|change| [entry(change, 0), entry(change, 1)]).collect();
        json!({
            "market": self.spec.condition_id,
            "price_changes": entries,
            "timestamp": self.stamp_ms.to_string(),
            "event_type": "price_change",
        })
        .to_string()
    }

    /// A `last_trade_price`.
    pub fn print(&self, print: &Print, now_ms: u64) -> String {
        json!({
            "event_type": "last_trade_price",
            "market": self.spec.condition_id,
            "asset_id": self.spec.tokens[print.token],
            "price": decimal::price(print.px),
            "size": decimal::e6(print.size),
            "fee_rate_bps": "0",
            "side": if print.buys { "BUY" } else { "SELL" },
            "timestamp": now_ms.to_string(),
        })
        .to_string()
    }

    /// A `tick_size_change` of a token; `old` in 1e-4 dollar.
    pub fn tick_change(&self, token: usize, old: u16, now_ms: u64) -> String {
        json!({
            "event_type": "tick_size_change",
            "market": self.spec.condition_id,
            "asset_id": self.spec.tokens[token],
            "old_tick_size": decimal::tick(old),
            "new_tick_size": decimal::tick(self.tick),
            "timestamp": now_ms.to_string(),
        })
        .to_string()
    }

    /// A `best_bid_ask` of a token.
    pub fn best_bid_ask(&self, token: usize) -> String {
        let (bid, ask) = self.best(token);
        let (bid, ask) = (bid.unwrap_or(Px::ZERO), ask.unwrap_or(Px::ONE));
        let spread = Px::new(ask.e4().saturating_sub(bid.e4())).unwrap_or(Px::ZERO);
        json!({
            "event_type": "best_bid_ask",
            "market": self.spec.condition_id,
            "asset_id": self.spec.tokens[token],
            "best_bid": decimal::price(bid),
            "best_ask": decimal::price(ask),
            "spread": decimal::price(spread),
            "timestamp": self.stamp_ms.to_string(),
        })
        .to_string()
    }
}

#[cfg(test)]
#[path = "market_tests.rs"]
mod tests;
