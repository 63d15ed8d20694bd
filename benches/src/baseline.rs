//! The same job the ordinary way: typed `serde_json`, a sorted map a side, names looked up as
//! strings. Integers here too, so that what it computes can be compared.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use crate::corpus::Corpus;

/// A book: sizes in 1e-2 contract by price in 1e-4 dollar.
#[derive(Default)]
pub struct Book {
    /// Bids.
    pub bids: BTreeMap<u16, i64>,
    /// Asks.
    pub asks: BTreeMap<u16, i64>,
}

impl Book {
    /// Best bid and ask.
    pub fn best(&self) -> Option<(u16, u16)> {
        Some((*self.bids.last_key_value()?.0, *self.asks.first_key_value()?.0))
    }
}

/// All books, by the names of the venues, and who is whose pair.
#[derive(Default)]
pub struct Baseline {
    books: HashMap<String, Book>,
    /// From each name of a pair to all of its names: ticker, YES token, NO token.
    pairs: HashMap<String, [String; 3]>,
    seq: u64,
    mismatches: u64,
    candidates: u64,
}

#[derive(Deserialize)]
struct KalshiFrame<M> {
    #[serde(rename = "type")]
    kind: String,
    seq: u64,
    msg: M,
}

#[derive(Deserialize)]
struct KalshiDelta {
    market_ticker: String,
    price_dollars: String,
    delta_fp: String,
    side: String,
}

#[derive(Deserialize)]
struct KalshiSnapshot {
    market_ticker: String,
    yes_dollars_fp: Vec<(String, String)>,
    no_dollars_fp: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct PolyChanges {
    event_type: String,
    price_changes: Vec<PolyChange>,
}

#[derive(Deserialize)]
struct PolyChange {
    asset_id: String,
    price: String,
    size: String,
    side: String,
    best_bid: String,
    best_ask: String,
}

#[derive(Deserialize)]
struct PolyBook {
    asset_id: String,
    bids: Vec<PolyLevel>,
    asks: Vec<PolyLevel>,
}

#[derive(Deserialize)]
struct PolyLevel {
    price: String,
    size: String,
}

/// Decimal text times 10^`decimals`; what stands behind is cut off.
fn decimal(text: &str, decimals: usize) -> i64 {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let mut value = whole.parse::<i64>().unwrap_or(0);
    let mut part = part.bytes();
    for _ in 0..decimals {
        value = value * 10 + part.next().map_or(0, |digit| i64::from(digit - b'0'));
    }
    if negative { -value } else { value }
}

fn price(text: &str) -> u16 {
    decimal(text, 4) as u16
}

impl Baseline {
    /// Books filled with what the corpus begins with.
    pub fn filled(corpus: &Corpus) -> Baseline {
        let mut all = Baseline::default();
        for names in &corpus.pairs {
            let [yes, no] = names.tokens.clone();
            let group = [names.ticker.clone(), yes, no];
            for name in &group {
                all.pairs.insert(name.clone(), group.clone());
                all.books.insert(name.clone(), Book::default());
            }
        }
        for frame in corpus.kalshi_books.iter() {
            all.on_snapshot(frame);
        }
        for frame in corpus.poly_books.iter() {
            all.on_books(frame);
        }
        all
    }

    /// One `orderbook_delta`: book, best prices, edge.
    pub fn on_kalshi(&mut self, frame: &[u8]) {
        let Ok(frame) = serde_json::from_slice::<KalshiFrame<KalshiDelta>>(frame) else { return };
        if frame.kind != "orderbook_delta" {
            return;
        }
        self.seq = frame.seq;
        let delta = frame.msg;
        let Some(book) = self.books.get_mut(&delta.market_ticker) else { return };
        let (side, px) = match delta.side.as_str() {
            "yes" => (&mut book.bids, price(&delta.price_dollars)),
            _ => (&mut book.asks, 10_000 - price(&delta.price_dollars)),
        };
        let level = side.entry(px).or_insert(0);
        *level += decimal(&delta.delta_fp, 2);
        if *level <= 0 {
            side.remove(&px);
        }
        self.evaluate(&delta.market_ticker);
    }

    /// One `price_change`: books, best prices compared with the stated ones, edge.
    pub fn on_poly(&mut self, frame: &[u8]) {
        let Ok(frame) = serde_json::from_slice::<PolyChanges>(frame) else { return };
        if frame.event_type != "price_change" {
            return;
        }
        for change in &frame.price_changes {
            let Some(book) = self.books.get_mut(&change.asset_id) else { continue };
            let side = if change.side == "BUY" { &mut book.bids } else { &mut book.asks };
            match decimal(&change.size, 2) {
                0 => side.remove(&price(&change.price)),
                size => side.insert(price(&change.price), size),
            };
            if book.best() != Some((price(&change.best_bid), price(&change.best_ask))) {
                self.mismatches += 1;
            }
        }
        if let Some(change) = frame.price_changes.first() {
            self.evaluate(&change.asset_id);
        }
    }

    /// Directions of an evaluation that earned something.
    pub fn candidates(&self) -> u64 {
        self.candidates
    }

    /// Stated best prices that were not ours.
    pub fn mismatches(&self) -> u64 {
        self.mismatches
    }

    /// The book of a name.
    pub fn book(&self, name: &str) -> Option<&Book> {
        self.books.get(name)
    }

    /// Net edge of one contract in both directions, in micro-dollars.
    fn evaluate(&mut self, name: &str) {
        let Some([ticker, yes, no]) = self.pairs.get(name) else { return };
        let best = |name: &String| self.books.get(name).and_then(Book::best);
        let (Some(kalshi), Some(yes), Some(no)) = (best(ticker), best(yes), best(no)) else {
            return;
        };
        let k_fee = |px: i64| (7 * px * (10_000 - px)).div_euclid(10_000) + 1;
        let p_fee = |px: i64| 5 * px * (10_000 - px) / 100_000 * 10;
        for (first, second) in [(kalshi.1, no.1), (10_000 - kalshi.0, yes.1)] {
            let (first, second) = (i64::from(first), i64::from(second));
            let edge = 1_000_000 - 100 * (first + second) - k_fee(first) - p_fee(second);
            self.candidates += u64::from(edge > 0);
        }
    }

    fn on_snapshot(&mut self, frame: &[u8]) {
        let Ok(frame) = serde_json::from_slice::<KalshiFrame<KalshiSnapshot>>(frame) else {
            return;
        };
        let Some(book) = self.books.get_mut(&frame.msg.market_ticker) else { return };
        for (px, qty) in &frame.msg.yes_dollars_fp {
            book.bids.insert(price(px), decimal(qty, 2));
        }
        for (px, qty) in &frame.msg.no_dollars_fp {
            book.asks.insert(10_000 - price(px), decimal(qty, 2));
        }
    }

    fn on_books(&mut self, frame: &[u8]) {
        let Ok(books) = serde_json::from_slice::<Vec<PolyBook>>(frame) else { return };
        for text in books {
            let Some(book) = self.books.get_mut(&text.asset_id) else { continue };
            for (side, levels) in [(&mut book.bids, text.bids), (&mut book.asks, text.asks)] {
                side.extend(levels.iter().map(|l| (price(&l.price), decimal(&l.size, 2))));
            }
        }
    }
}
