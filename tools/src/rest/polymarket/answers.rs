//! What Polymarket answers to slow requests, as it is written and as it is used.

use std::collections::BTreeMap;

use engine::units::{Px, Qty, Usd};
use exec::private::FillNews;
use exec::sign::address::Address;
use serde::Deserialize;
use serde_json::Value;

use super::super::{Decimal, E2, E4, E6, level};

/// What a token pays of a market that paid nobody in full, unless its page says otherwise.
const HALF: Px = Px::lit(5_000);

/// Whether Polymarket serves this host.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Geoblock {
    /// True where it does not.
    pub blocked: bool,
    /// Country of this host as it sees it.
    #[serde(default)]
    pub country: String,
}

/// A token's book, best level first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Book {
    /// Which token.
    pub token: String,
    /// The venue's own time, Unix milliseconds.
    pub timestamp_ms: u64,
    /// Bids; sizes floored to hundredths.
    pub bids: Vec<(Px, Qty)>,
    /// Asks; sizes floored to hundredths.
    pub asks: Vec<(Px, Qty)>,
    /// Price step.
    pub tick: Px,
    /// Smallest order.
    pub min_size: Qty,
    /// Which exchange contract.
    pub neg_risk: bool,
}

/// A market's parameters on the CLOB (polymarket.md section 5.7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClobMarket {
    /// Token and outcome, in the venue's order.
    pub tokens: Vec<(String, String)>,
    /// Smallest order.
    pub min_size: E2,
    /// Price step.
    pub tick: E4,
    /// Which exchange contract.
    pub neg_risk: bool,
    /// What takers pay, in millionths; 0 where the market is free.
    pub fee_rate: E6,
    /// Exponent in the fee.
    pub fee_exponent: u8,
    /// Whether marketable orders wait.
    pub taker_delay: bool,
    /// Seconds that they wait on markets that say it.
    pub delay_s: Option<u64>,
}

/// How a market ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resolved {
    /// This token pays the dollar.
    Won(String),
    /// Each token pays a part of it: half, unless its page names other parts that make a dollar.
    /// The venue's money is the proof.
    Split([(String, Px); 2]),
}

/// An open order.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct OpenOrder {
    /// Its id: the digest that was signed.
    pub id: String,
    /// `LIVE`, or `ORDER_STATUS_LIVE`.
    pub status: String,
    /// Condition id.
    pub market: String,
    /// Token.
    pub asset_id: String,
    /// `BUY` or `SELL`.
    pub side: String,
    /// Shares; pUSD of a FOK or FAK BUY.
    pub original_size: E6,
    /// Shares filled.
    pub size_matched: E6,
    /// Limit.
    pub price: E4,
}

/// A trade of the account.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Trade {
    /// The venue's id.
    pub id: String,
    /// The taker's order.
    pub taker_order_id: String,
    /// Token.
    pub asset_id: String,
    /// `BUY` or `SELL`, of the taker.
    pub side: String,
    /// Shares.
    pub size: E6,
    /// Price.
    pub price: E6,
    /// `MATCHED`, `MINED`, `CONFIRMED`, `RETRYING` or `FAILED`.
    pub status: String,
}

/// A fill of a taker order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The fill.
    pub news: FillNews,
    /// Of which token.
    pub token: String,
    /// It was sold.
    pub sells: bool,
    /// Nothing more can become of it.
    pub is_final: bool,
}

/// A market of the catalogue (polymarket.md section 8), as far as orders need it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GammaMarket {
    /// Gamma's id.
    pub id: String,
    /// Condition id.
    pub condition_id: String,
    /// True for Protocol V2.
    pub is_v2: bool,
    /// Its question.
    pub question: String,
    /// Outcomes' names.
    pub outcomes: Vec<String>,
    /// Token (v1) or position (v2) ids, in the order of the outcomes.
    pub tokens: Vec<String>,
    /// Takes orders now.
    pub trades: bool,
}

/// What became of an order that was sent.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Posted {
    /// Only with an empty `error_msg` and an id was it taken.
    pub success: bool,
    /// Why not.
    #[serde(default)]
    pub error_msg: String,
    /// Its id.
    #[serde(default, rename = "orderID")]
    pub order_id: String,
    /// `live`, `matched`, `delayed` or `unmatched`.
    #[serde(default)]
    pub status: String,
}

/// What cancels did.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Cancelled {
    /// Ids that are gone.
    #[serde(default)]
    pub canceled: Vec<String>,
    /// Others, with reasons.
    #[serde(default)]
    pub not_canceled: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct BookReply {
    asset_id: String,
    timestamp: String,
    bids: Vec<LevelReply>,
    asks: Vec<LevelReply>,
    tick_size: E4,
    min_order_size: E2,
    #[serde(default)]
    neg_risk: bool,
}

#[derive(Deserialize)]
struct LevelReply {
    price: E4,
    size: E6,
}

impl BookReply {
    pub(super) fn book(self) -> Option<Book> {
        let side = |levels: Vec<LevelReply>| -> Vec<(Px, Qty)> {
            let floored = |l: LevelReply| level(l.price, l.size.0 / 10_000);
            let mut levels: Vec<(Px, Qty)> = levels.into_iter().filter_map(floored).collect();
            levels.sort_by_key(|(px, _)| *px);
            levels
        };
        let mut bids = side(self.bids);
        bids.reverse();
        Some(Book {
            token: self.asset_id,
            timestamp_ms: self.timestamp.parse().ok()?,
            bids,
            asks: side(self.asks),
            tick: u16::try_from(self.tick_size.0).ok().and_then(Px::new)?,
            min_size: u64::try_from(self.min_order_size.0).ok().and_then(Qty::new)?,
            neg_risk: self.neg_risk,
        })
    }
}

/// The short form of a market's parameters.
#[derive(Deserialize)]
pub(super) struct ClobReply {
    t: Vec<TokenReply>,
    mos: E2,
    mts: E4,
    #[serde(default)]
    nr: bool,
    #[serde(default)]
    itode: bool,
    fd: Option<FeeReply>,
    sd: Option<u64>,
}

#[derive(Deserialize)]
struct TokenReply {
    t: String,
    o: String,
}

#[derive(Deserialize)]
struct FeeReply {
    r: E6,
    e: u8,
}

impl ClobReply {
    pub(super) fn market(self) -> ClobMarket {
        let (fee_rate, fee_exponent) = self.fd.map_or((Decimal(0), 1), |fee| (fee.r, fee.e));
        ClobMarket {
            tokens: self.t.into_iter().map(|token| (token.t, token.o)).collect(),
            min_size: self.mos,
            tick: self.mts,
            neg_risk: self.nr,
            fee_rate,
            fee_exponent,
            taker_delay: self.itode,
            delay_s: self.sd,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GammaReply {
    id: String,
    condition_id: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    question: String,
    #[serde(default)]
    outcomes: String,
    #[serde(default)]
    clob_token_ids: String,
    #[serde(default)]
    position_ids: Vec<String>,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    closed: bool,
    #[serde(default)]
    accepting_orders: bool,
    #[serde(default)]
    enable_order_book: bool,
}

impl GammaReply {
    /// `None` for what has other than two outcomes or ids.
    pub(super) fn market(self) -> Option<GammaMarket> {
        // Texts that hold arrays: decoded twice.
        let list = |text: &str| serde_json::from_str::<Vec<String>>(text).ok();
        let is_v2 = self.version == "v2";
        let outcomes = list(&self.outcomes)?;
        let tokens = if is_v2 { self.position_ids } else { list(&self.clob_token_ids)? };
        if outcomes.len() != 2 || tokens.len() != 2 {
            return None;
        }
        Some(GammaMarket {
            id: self.id,
            condition_id: self.condition_id,
            is_v2,
            question: self.question,
            outcomes,
            tokens,
            trades: self.active && !self.closed && self.accepting_orders && self.enable_order_book,
        })
    }
}

/// A market in its long form, of which only the end is read.
#[derive(Deserialize)]
pub(super) struct ClosedReply {
    closed: bool,
    is_50_50_outcome: Option<bool>,
    tokens: Vec<ClosedToken>,
}

#[derive(Deserialize)]
struct ClosedToken {
    token_id: String,
    #[serde(default)]
    winner: bool,
    /// Not read as money before it matters: while a market trades it may be anything.
    #[serde(default)]
    price: Value,
}

impl ClosedToken {
    /// What its price says that it pays, if that is a part of a dollar.
    fn part(&self) -> Option<Px> {
        let price = E4::deserialize(&self.price).ok()?;
        let part = u16::try_from(price.0).ok().and_then(Px::new)?;
        (part > Px::ZERO && part < Px::ONE).then_some(part)
    }
}

impl ClosedReply {
    /// `None` before the end is final, and where the page says two things at once.
    pub(super) fn resolved(self) -> Option<Resolved> {
        let tokens: [ClosedToken; 2] = self.tokens.try_into().ok()?;
        if !self.closed {
            return None;
        }
        let winners = tokens.iter().filter(|token| token.winner).count();
        let halves = self.is_50_50_outcome;
        match (winners, halves) {
            (1, Some(false) | None) => {
                tokens.into_iter().find(|token| token.winner).map(|won| Resolved::Won(won.token_id))
            }
            (2, _) | (0, Some(true)) => {
                let [first, second] = tokens;
                let part = match (first.part(), second.part()) {
                    (Some(part), Some(other))
                        if halves == Some(false) && other == part.complement() =>
                    {
                        part
                    }
                    _ => HALF,
                };
                let parts = [(first.token_id, part), (second.token_id, part.complement())];
                Some(Resolved::Split(parts))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;

    fn fixture<T: DeserializeOwned>(name: &str) -> Option<T> {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/protocol/fixtures/polymarket");
        let Ok(text) = std::fs::read_to_string(format!("{dir}/{name}.json")) else {
            eprintln!("skipped: {name}.json is not there");
            return None;
        };
        Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")))
    }

    #[test]
    fn a_market_ends_as_its_page_says_and_with_no_end_where_it_says_two_things() {
        let read = |closed: bool, halves: bool, winners: [bool; 2], prices: [&str; 2]| {
            let [(a, x), (b, y)] = [(winners[0], prices[0]), (winners[1], prices[1])];
            let text = format!(
                "{{\"closed\":{closed},\"is_50_50_outcome\":{halves},\"tokens\":[\
                 {{\"token_id\":\"yes\",\"price\":{x},\"winner\":{a}}},\
                 {{\"token_id\":\"no\",\"price\":{y},\"winner\":{b}}}]}}"
            );
            serde_json::from_str::<ClosedReply>(&text).unwrap().resolved()
        };
        let won = |token: &str| Some(Resolved::Won(token.to_owned()));
        let split = |yes: Px| {
            let parts = [("yes".to_owned(), yes), ("no".to_owned(), yes.complement())];
            Some(Resolved::Split(parts))
        };
        assert_eq!(read(true, false, [true, false], ["1", "0"]), won("yes"));
        assert_eq!(read(true, false, [false, true], ["0", "1"]), won("no"));
        assert_eq!(read(true, true, [true, true], ["0.5", "0.5"]), split(HALF));
        assert_eq!(read(true, true, [false, false], ["0.5", "0.5"]), split(HALF));
        assert_eq!(read(true, false, [true, true], ["0.3333", "0.6667"]), split(Px::lit(3_333)));
        assert_eq!(read(true, true, [true, true], ["0.52", "0.48"]), split(HALF), "the last trade");
        // Prices that make no dollar, or that nobody can read, say nothing of what was paid.
        assert_eq!(read(true, false, [true, true], ["1", "0"]), split(HALF));
        assert_eq!(read(true, false, [true, true], ["0.515", "0.5"]), split(HALF));
        assert_eq!(read(true, true, [false, false], ["0.33333", "0.66667"]), split(HALF));
        assert_eq!(read(true, true, [false, false], ["null", "\"x\""]), split(HALF));
        for (closed, halves, winners) in [
            (false, false, [true, false]),
            (false, true, [true, true]),
            (true, false, [false, false]),
            (true, true, [true, false]),
        ] {
            assert_eq!(read(closed, halves, winners, ["1", "0"]), None);
        }
        let one = "{\"closed\":true,\"tokens\":[{\"token_id\":\"a\",\"winner\":true}]}";
        assert_eq!(serde_json::from_str::<ClosedReply>(one).unwrap().resolved(), None);
    }

    #[test]
    fn replies_of_the_venue_are_read() {
        let Some(book) = fixture::<BookReply>("rest_book") else { return };
        let book = book.book().unwrap();
        assert_eq!(book.bids[0], (Px::lit(5_100), Qty::lit(8_820)));
        assert_eq!(book.asks[0], (Px::lit(5_300), Qty::lit(6_000)));
        assert_eq!((book.tick, book.min_size), (Px::lit(100), Qty::lit(500)));
        let market = fixture::<ClobReply>("rest_clob_market_info").unwrap().market();
        assert_eq!((market.fee_rate, market.fee_exponent), (Decimal(70_000), 1));
        assert_eq!((market.tick, market.taker_delay), (Decimal(100), true));
        assert!(!fixture::<Geoblock>("rest_geoblock").unwrap().blocked);
        let posted = fixture::<Posted>("rest_post_order_response_matched").unwrap();
        assert!(posted.success && posted.order_id.starts_with("0x"));
        assert!(!fixture::<Cancelled>("rest_cancel_response").unwrap().canceled.is_empty());
        let none = fixture::<Cancelled>("rest_cancel_response_not_canceled").unwrap();
        assert!(!none.not_canceled.is_empty());
        let orders: Value = fixture("rest_open_orders_page").unwrap();
        let order: OpenOrder = serde_json::from_value(orders["data"][0].clone()).unwrap();
        assert_eq!((order.price, order.original_size), (Decimal(5_100), Decimal(100_000_000)));
        let trades: Value = fixture("rest_trades_page").unwrap();
        let trade: Trade = serde_json::from_value(trades["data"][0].clone()).unwrap();
        assert_eq!((trade.size, trade.price), (Decimal(25_000_000), Decimal(530_000)));
        for (name, is_v2) in [("gamma_market_v1", false), ("gamma_market_v2", true)] {
            let market = fixture::<GammaReply>(name).unwrap().market().unwrap();
            assert_eq!(
                (market.is_v2, market.tokens.len(), market.trades),
                (is_v2, 2, true),
                "{name}"
            );
        }
    }
}

/// What an account has, and what contracts may take of it; in base units.
#[derive(Deserialize)]
pub(super) struct BalanceReply {
    pub balance: String,
    #[serde(default)]
    pub allowances: Value,
}

/// Allowances by contract; `None` where the answer is none, or one of them no number. What is beyond all money is all money, and
/// a name that is no address is nobody's.
pub fn allowances_of(told: &Value) -> Option<BTreeMap<Address, Usd>> {
    let mut all = BTreeMap::new();
    for (spender, units) in told.as_object()? {
        let units = units.as_str()?;
        if units.is_empty() || !units.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let may = Usd::new(units.parse().unwrap_or(i64::MAX));
        if let Some(spender) = Address::parse(spender) {
            all.insert(spender, may);
        }
    }
    Some(all)
}
