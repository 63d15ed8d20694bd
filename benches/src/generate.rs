//! Frames like the recorded ones, from a seed: for machines without the recorded files, and for
//! more markets than they have.
//!
//! Every market has a middle price that both venues agree on and nobody bids through, so there is
//! no arbitrage and no crossed book: what is measured is the steady state.

use std::fmt::Write;

use crate::corpus::{Corpus, Form, Names};
use crate::frames::Frames;

/// What is generated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Number of pairs, at most 32,768.
    pub pairs: usize,
    /// Hot frames a venue.
    pub messages: usize,
    /// How the frames are spelt.
    pub form: Form,
    /// Equal seeds make equal frames.
    pub seed: u64,
    /// Whether every level stays and only sizes change. Levels that come and go do so the more,
    /// the more often a market's turn comes, so that few markets and many would not be asked the
    /// same.
    pub steady: bool,
}

/// Levels a side at first.
const DEPTH: u64 = 12;
/// The venues' time of the first frame: Unix milliseconds.
const START_MS: u64 = 1_795_284_000_000;

/// Generates pairs, their books and hot frames.
pub fn corpus(plan: Plan) -> Corpus {
    let mut rng = Rng(plan.seed);
    let mut markets: Vec<Market> = (0..plan.pairs).map(|n| Market::new(n, &mut rng)).collect();
    let mut corpus = Corpus {
        pairs: markets.iter().map(|market| market.names.clone()).collect(),
        kalshi_books: Frames::default(),
        kalshi_hot: Frames::default(),
        poly_books: Frames::default(),
        poly_hot: Frames::default(),
    };
    let mut writer = Writer { form: plan.form, seq: 1, text: String::new() };
    for market in &markets {
        corpus.kalshi_books.push(writer.snapshot(market));
        corpus.poly_books.push(writer.books(market));
    }
    for number in 0..plan.messages {
        let market = rng.below(plan.pairs as u64) as usize;
        let change = markets[market].kalshi.change(&mut rng, 1, plan.steady);
        corpus.kalshi_hot.push(writer.delta(&markets[market], number, change, &mut rng));
        let market = rng.below(plan.pairs as u64) as usize;
        let change = markets[market].poly.change(&mut rng, 100, plan.steady);
        corpus.poly_hot.push(writer.price_change(&markets[market], number, change, &mut rng));
    }
    corpus
}

/// SplitMix64: small, and the same everywhere.
pub struct Rng(pub u64);

impl Rng {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 to `end` - 1.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    fn text(&mut self, len: usize, alphabet: &[u8]) -> String {
        (0..len).map(|_| char::from(alphabet[self.below(alphabet.len() as u64) as usize])).collect()
    }
}

struct Market {
    names: Names,
    /// Kalshi's own id of it.
    uuid: String,
    kalshi: Book,
    poly: Book,
}

/// Sizes in 1e-2 contract by whole cents; bids lie below the middle, asks above.
struct Book {
    middle: u64,
    qty: [u64; 101],
}

/// A level that changed.
#[derive(Clone, Copy)]
struct Change {
    cents: u64,
    is_bid: bool,
    before: u64,
    after: u64,
}

impl Market {
    fn new(number: usize, rng: &mut Rng) -> Market {
        let id: String = rng.text(32, b"0123456789abcdef");
        let uuid = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
        let middle = 20 + rng.below(61);
        let token = |rng: &mut Rng| format!("{}{}", 1 + rng.below(9), rng.text(76, b"0123456789"));
        let names = Names {
            id: format!("generated-{number}"),
            ticker: format!("KXNBAGAME-26NOV21T{number:05}-TA"),
            condition: format!("0x{}", rng.text(64, b"0123456789abcdef")),
            tokens: [token(rng), token(rng)],
        };
        Market { names, uuid, kalshi: Book::new(middle, rng), poly: Book::new(middle, rng) }
    }
}

impl Book {
    fn new(middle: u64, rng: &mut Rng) -> Book {
        let mut qty = [0; 101];
        for away in 1..=DEPTH {
            qty[(middle - away) as usize] = 100 * (1 + rng.below(5_000));
            qty[(middle + away) as usize] = 100 * (1 + rng.below(5_000));
        }
        Book { middle, qty }
    }

    /// Changes a level by a multiple of `unit` hundredths of a contract... mostly near the top.
    fn change(&mut self, rng: &mut Rng, spread: u64, steady: bool) -> Change {
        let away = 1 + rng.below(DEPTH);
        let is_bid = rng.below(2) == 0;
        let cents = if is_bid { self.middle - away } else { self.middle + away };
        let before = self.qty[cents as usize];
        let fraction = if spread == 1 { 0 } else { rng.below(spread) };
        // The levels next to the middle stay, so that no side is ever empty.
        let after = if !steady && before != 0 && away > 1 && rng.below(8) == 0 {
            0
        } else {
            100 * (1 + rng.below(5_000)) + fraction
        };
        self.qty[cents as usize] = after;
        Change { cents, is_bid, before, after }
    }

    fn levels(&self, is_bid: bool) -> impl Iterator<Item = (u64, u64)> + '_ {
        let range = if is_bid { 0..self.middle } else { self.middle + 1..101 };
        range.filter(|cents| self.qty[*cents as usize] != 0).map(|c| (c, self.qty[c as usize]))
    }

    fn best(&self) -> (u64, u64) {
        let bid = self.levels(true).last().map_or(0, |level| level.0);
        (bid, self.levels(false).next().map_or(100, |level| level.0))
    }
}

struct Writer {
    form: Form,
    seq: u64,
    text: String,
}

/// Formatting into a `String` cannot fail.
macro_rules! put {
    ($to:expr, $($what:tt)*) => { let _ = write!($to, $($what)*); };
}

impl Writer {
    fn is_mixed(&self) -> bool {
        self.form == Form::Mixed
    }

    fn snapshot(&mut self, market: &Market) -> &[u8] {
        self.seq += 1;
        self.text.clear();
        let (ticker, uuid) = (&market.names.ticker, &market.uuid);
        put!(self.text, r#"{{"type":"orderbook_snapshot","sid":2,"seq":{},"#, self.seq);
        put!(self.text, r#""msg":{{"market_ticker":"{ticker}","market_id":"{uuid}","#);
        self.text.push_str(r#""yes_dollars_fp":["#);
        for (cents, qty) in market.kalshi.levels(true) {
            put!(self.text, r#"["0.{cents:02}00","{}.{:02}"],"#, qty / 100, qty % 100);
        }
        self.text.pop();
        self.text.push_str(r#"],"no_dollars_fp":["#);
        for (cents, qty) in market.kalshi.levels(false) {
            put!(self.text, r#"["0.{:02}00","{}.{:02}"],"#, 100 - cents, qty / 100, qty % 100);
        }
        self.text.pop();
        self.text.push_str("]}}");
        self.text.as_bytes()
    }

    fn delta(&mut self, market: &Market, number: usize, change: Change, rng: &mut Rng) -> &[u8] {
        self.seq += 1;
        self.text.clear();
        let now_ms = START_MS + 100 * number as u64;
        self.text.push_str(r#"{"type":"orderbook_delta","#);
        if self.is_mixed() && rng.below(4) != 0 {
            put!(self.text, r#""sending_ts_ms":{},"#, now_ms + rng.below(9));
        }
        let (ticker, uuid) = (&market.names.ticker, &market.uuid);
        put!(self.text, r#""sid":2,"seq":{},"msg":{{"market_ticker":"{ticker}","#, self.seq);
        let (side, cents) =
            if change.is_bid { ("yes", change.cents) } else { ("no", 100 - change.cents) };
        put!(self.text, r#""market_id":"{uuid}","price_dollars":"0.{cents:02}00","#);
        let sign = if change.after < change.before { "-" } else { "" };
        let size = change.after.abs_diff(change.before);
        put!(self.text, r#""delta_fp":"{sign}{}.{:02}","side":"{side}","#, size / 100, size % 100);
        let micros = rng.below(1_000_000);
        put!(self.text, r#""ts":"2026-11-21T18:00:00.{micros:06}Z","ts_ms":{now_ms}"#);
        if self.is_mixed() && rng.below(50) == 0 {
            put!(self.text, r#","client_order_id":"{uuid}","subaccount":0"#);
        }
        self.text.push_str("}}");
        self.text.as_bytes()
    }

    fn books(&mut self, market: &Market) -> &[u8] {
        self.text.clear();
        self.text.push('[');
        for token in 0..2 {
            let (condition, id) = (&market.names.condition, &market.names.tokens[token]);
            put!(self.text, r#"{{"market":"{condition}","asset_id":"{id}","#);
            put!(self.text, r#""timestamp":"{START_MS}","hash":"{:040x}","bids":["#, token);
            let own = |is_bid: bool| is_bid == (token == 0);
            let mut bids: Vec<_> = market.poly.levels(own(true)).collect();
            let mut asks: Vec<_> = market.poly.levels(own(false)).collect();
            if token == 1 {
                bids = bids.iter().rev().map(|(cents, qty)| (100 - cents, *qty)).collect();
                asks = asks.iter().rev().map(|(cents, qty)| (100 - cents, *qty)).collect();
            }
            asks.reverse();
            for (at, side) in [bids, asks].into_iter().enumerate() {
                if at == 1 {
                    self.text.pop();
                    self.text.push_str(r#"],"asks":["#);
                }
                for (cents, qty) in side {
                    self.text.push_str(r#"{"price":""#);
                    self.price(cents);
                    self.text.push_str(r#"","size":""#);
                    self.size(qty);
                    self.text.push_str(r#""},"#);
                }
            }
            self.text.pop();
            self.text.push_str(r#"],"tick_size":"0.01","event_type":"book"},"#);
        }
        self.text.pop();
        self.text.push(']');
        self.text.as_bytes()
    }

    fn price_change(
        &mut self,
        market: &Market,
        number: usize,
        change: Change,
        rng: &mut Rng,
    ) -> &[u8] {
        self.text.clear();
        let condition = &market.names.condition;
        let now_ms = START_MS + 1_000 + number as u64;
        let type_first = self.is_mixed() && rng.below(2) == 0;
        if type_first {
            put!(self.text, r#"{{"event_type":"price_change","market":"{condition}","#);
            put!(self.text, r#""timestamp":"{now_ms}","price_changes":["#);
        } else {
            put!(self.text, r#"{{"market":"{condition}","price_changes":["#);
        }
        let (bid, ask) = market.poly.best();
        for token in 0..2 {
            let mirror = |cents: u64| if token == 0 { cents } else { 100 - cents };
            put!(self.text, r#"{{"asset_id":"{}","price":""#, market.names.tokens[token]);
            self.price(mirror(change.cents));
            self.text.push_str(r#"","size":""#);
            self.size(change.after);
            let side = if change.is_bid == (token == 0) { "BUY" } else { "SELL" };
            put!(self.text, r#"","side":"{side}","hash":"{:016x}"#, rng.bits());
            put!(self.text, r#"{:016x}{:08x}","best_bid":""#, rng.bits(), rng.bits() as u32);
            let (bid, ask) = if token == 0 { (bid, ask) } else { (mirror(ask), mirror(bid)) };
            self.price(bid);
            self.text.push_str(r#"","best_ask":""#);
            self.price(ask);
            self.text.push_str(r#""},"#);
        }
        self.text.pop();
        if type_first {
            self.text.push_str("]}");
        } else {
            put!(self.text, r#"],"timestamp":"{now_ms}","event_type":"price_change"}}"#);
        }
        self.text.as_bytes()
    }

    /// Polymarket's spelling: no trailing zeros.
    fn price(&mut self, cents: u64) {
        if cents.is_multiple_of(10) {
            put!(self.text, "0.{}", cents / 10);
        } else {
            put!(self.text, "0.{cents:02}");
        }
    }

    fn size(&mut self, qty: u64) {
        let (whole, rest) = (qty / 100, qty % 100);
        match rest {
            0 => {
                put!(self.text, "{whole}");
            }
            _ if rest.is_multiple_of(10) => {
                put!(self.text, "{whole}.{}", rest / 10);
            }
            _ => {
                put!(self.text, "{whole}.{rest:02}");
            }
        }
    }
}
