//! Kalshi's slow requests (kalshi.md section 4). Reads lag behind writes by up to seconds: they are
//! for catalogue and reconciliation, never a reason to send an order again.

use engine::units::{Ns, Px, Qty, Usd};
use exec::sign::kalshi::KalshiSigner;
use exec::sign::stamps::{Lane, Stamps};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::agent::{self, Agent, Call, Carrier};
use super::pace::Pace;
use super::{E2, E4, E6, RestError, RestErrorKind};
use crate::config::KalshiConfig;

/// Tokens of most reads; of a cancel and of reading one order; of other writes (section 5).
const READ_COST: u32 = 10;
const CANCEL_COST: u32 = 2;
const WRITE_COST: u32 = 10;

/// Most pages of one listing. A wrong cursor was seen to be accepted, so that a listing may never
/// end by itself.
const PAGES_MAX: usize = 1_000;

const NO_KEY: &str = "set KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH";

/// A client of Kalshi's REST API.
pub struct KalshiRest<A = Agent> {
    agent: A,
    /// With `/trade-api/v2`.
    base: String,
    /// The part of `base` that is signed.
    path: String,
    signer: Option<KalshiSigner>,
    stamps: Stamps,
    reads: Pace,
    writes: Pace,
}

/// Money of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Balance {
    /// On all shards.
    pub total: Usd,
    /// By shard; an order needs it on its market's own.
    pub shards: Vec<(u32, Usd)>,
}

/// A position.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Position {
    /// Its market.
    pub ticker: String,
    /// The market's shard.
    #[serde(default)]
    pub exchange_index: u32,
    /// Contracts of YES; below zero of NO.
    pub position_fp: E2,
    /// What may be lost.
    pub market_exposure_dollars: E6,
    /// What was gained by trading, without fees.
    pub realized_pnl_dollars: E6,
    /// Fees so far.
    pub fees_paid_dollars: E6,
}

/// A market that settled while the account held it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Settlement {
    /// The market.
    pub ticker: String,
    /// Contracts of YES.
    pub yes_count_fp: E2,
    /// Contracts of NO.
    pub no_count_fp: E2,
    /// What it paid; cents.
    pub revenue: i64,
    /// What a contract of YES paid; cents, and perhaps a part of one where a market is scalar.
    pub value: Option<serde_json::Number>,
}

/// An order as the venue keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Order {
    /// The venue's id.
    pub order_id: String,
    /// Ours.
    #[serde(default)]
    pub client_order_id: String,
    /// Its market.
    pub ticker: String,
    /// `bid` or `ask` of YES.
    pub book_side: String,
    /// `resting`, `canceled` or `executed`.
    pub status: String,
    /// Price of YES.
    pub yes_price_dollars: E4,
    /// Filled.
    pub fill_count_fp: E2,
    /// Not yet filled.
    pub remaining_count_fp: E2,
    /// As sent.
    pub initial_count_fp: E2,
    /// Its shard.
    #[serde(default)]
    pub exchange_index: u32,
}

/// A fill.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Fill {
    /// The venue's id of the trade.
    pub trade_id: String,
    /// Of which order.
    pub order_id: String,
    /// In which market.
    pub ticker: String,
    /// `yes` or `no`: what was gained.
    pub outcome_side: String,
    /// Contracts.
    pub count_fp: E2,
    /// Price of YES.
    pub yes_price_dollars: E4,
    /// The fee.
    pub fee_cost: E6,
}

/// A band of a market's price grid, in dollars.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub struct Band {
    /// First price.
    pub start: E4,
    /// Last price.
    pub end: E4,
    /// Step.
    pub step: E4,
}

/// A market of the catalogue.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Market {
    /// Its ticker.
    pub ticker: String,
    /// Its event.
    pub event_ticker: String,
    /// `active` where it trades.
    pub status: String,
    /// Its shard.
    pub exchange_index: u32,
    /// Prices that an order may have.
    pub price_ranges: Vec<Band>,
    /// End of trading, RFC 3339.
    pub close_time: String,
}

/// What becomes of a market.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct MarketState {
    /// Its ticker.
    pub ticker: String,
    /// `active` where it trades.
    pub status: String,
    /// End of trading, RFC 3339.
    #[serde(default)]
    pub close_time: Option<String>,
}

/// Whether the exchange is open.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct ExchangeStatus {
    /// False stops cancels too. Of shard 0 alone.
    pub exchange_active: bool,
    /// False takes no orders. Of shard 0 alone.
    pub trading_active: bool,
    /// By shard.
    #[serde(default)]
    pub exchange_index_statuses: Vec<ShardStatus>,
}

/// Whether a shard is open.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct ShardStatus {
    /// Which.
    pub exchange_index: u32,
    /// False stops cancels too.
    pub exchange_active: bool,
    /// False takes no orders.
    pub trading_active: bool,
}

/// A book: bids of both outcomes, each in its own prices, best first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Book {
    /// Bids for YES.
    pub yes: Vec<(Px, Qty)>,
    /// Bids for NO.
    pub no: Vec<(Px, Qty)>,
}

/// What became of an order that was sent.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Created {
    /// The venue's id.
    pub order_id: String,
    /// Filled at once. Only this counts: nothing remaining does not mean filled.
    pub fill_count: E2,
    /// Rests.
    pub remaining_count: E2,
    /// Average price of YES; only where something was filled.
    pub average_fill_price: Option<E4>,
}

/// What a cancel took away.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Cancelled {
    /// Which order.
    pub order_id: String,
    /// How much of it.
    pub reduced_by: E2,
}

impl<A: Carrier> KalshiRest<A> {
    /// A client with the budgets of the account's tier. Without a signer only public data answers.
    pub fn new(config: &KalshiConfig, agent: A, signer: Option<KalshiSigner>) -> KalshiRest<A> {
        let tier = config.tier;
        KalshiRest {
            agent,
            base: config.rest.as_str().to_owned(),
            path: config.rest.path().to_owned(),
            signer,
            stamps: Stamps::new(Lane::Rest),
            reads: Pace::new(tier.read_per_s, tier.read_burst),
            writes: Pace::new(tier.write_per_s, tier.write_burst),
        }
    }

    /// A client without a key that uses so many percent of the budget of reads: whoever reads
    /// catalogues leaves the rest to whoever trades.
    pub fn reading(config: &KalshiConfig, agent: A, share: u32) -> KalshiRest<A> {
        let mut client = KalshiRest::new(config, agent, None);
        let part = |tokens: u32| (tokens / 100 * share).max(READ_COST);
        client.reads = Pace::new(part(config.tier.read_per_s), part(config.tier.read_burst));
        client
    }

    /// What this host's clock shows to whoever carries our requests.
    pub fn wall(&self) -> Ns {
        self.agent.wall()
    }

    /// A page of a public listing, as it is.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn listing(&mut self, path: &str, query: &str) -> Result<serde_json::Value, RestError> {
        self.get(path, query, false)
    }

    /// Money of the account.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn balance(&mut self) -> Result<Balance, RestError> {
        #[derive(Deserialize)]
        struct Reply {
            balance_dollars: E6,
            balance_breakdown: Vec<Shard>,
        }
        #[derive(Deserialize)]
        struct Shard {
            balance: E6,
            exchange_index: u32,
        }
        let reply: Reply = self.get("/portfolio/balance", "", true)?;
        let shards = reply.balance_breakdown.iter();
        Ok(Balance {
            total: Usd::new(reply.balance_dollars.0),
            shards: shards.map(|s| (s.exchange_index, Usd::new(s.balance.0))).collect(),
        })
    }

    /// Positions that are not settled and not nothing.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn positions(&mut self) -> Result<Vec<Position>, RestError> {
        #[derive(Deserialize)]
        struct Page {
            market_positions: Vec<Position>,
            #[serde(default)]
            cursor: String,
        }
        let query = "limit=1000&count_filter=position";
        let pages = self.pages("/portfolio/positions", query, |page: Page| {
            (page.market_positions, page.cursor)
        });
        Ok(pages?.into_iter().filter(|p| p.position_fp.0 != 0).collect())
    }

    /// Markets that settled while the account held them, since `min_s` (Unix seconds).
    ///
    /// # Errors
    /// [`RestError`].
    pub fn settlements(&mut self, min_s: u64) -> Result<Vec<Settlement>, RestError> {
        #[derive(Deserialize)]
        struct Page {
            settlements: Vec<Settlement>,
            #[serde(default)]
            cursor: String,
        }
        let query = format!("limit=1000&min_ts={min_s}");
        self.pages("/portfolio/settlements", &query, |page: Page| (page.settlements, page.cursor))
    }

    /// Orders, of one market where `ticker` is given, of one status (`resting`, `canceled`,
    /// `executed`) where that is, made since `min_s` (Unix seconds) where that is.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn orders(
        &mut self,
        ticker: Option<&str>,
        status: Option<&str>,
        min_s: Option<u64>,
    ) -> Result<Vec<Order>, RestError> {
        #[derive(Deserialize)]
        struct Page {
            orders: Vec<Order>,
            #[serde(default)]
            cursor: String,
        }
        let mut query = "limit=1000".to_owned();
        for (name, value) in [("ticker", ticker), ("status", status)] {
            if let Some(value) = value {
                query.push_str(&format!("&{name}={value}"));
            }
        }
        if let Some(min_s) = min_s {
            query.push_str(&format!("&min_ts={min_s}"));
        }
        self.pages("/portfolio/orders", &query, |page: Page| (page.orders, page.cursor))
    }

    /// Fills since `min_s` (Unix seconds).
    ///
    /// # Errors
    /// [`RestError`].
    pub fn fills(&mut self, min_s: u64) -> Result<Vec<Fill>, RestError> {
        #[derive(Deserialize)]
        struct Page {
            fills: Vec<Fill>,
            #[serde(default)]
            cursor: String,
        }
        let query = format!("limit=1000&min_ts={min_s}");
        self.pages("/portfolio/fills", &query, |page: Page| (page.fills, page.cursor))
    }

    /// A market of the catalogue.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn market(&mut self, ticker: &str) -> Result<Market, RestError> {
        #[derive(Deserialize)]
        struct Reply {
            market: Market,
        }
        let reply: Reply = self.get(&format!("/markets/{ticker}"), "", false)?;
        Ok(reply.market)
    }

    /// What becomes of up to 1,000 markets.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn states(&mut self, tickers: &[&str]) -> Result<Vec<MarketState>, RestError> {
        #[derive(Deserialize)]
        struct Reply {
            markets: Vec<MarketState>,
        }
        // One page: the default is a hundred.
        let query = format!("limit=1000&tickers={}", tickers.join(","));
        let signed = self.signer.is_some();
        let reply: Reply = self.get("/markets", &query, signed)?;
        Ok(reply.markets)
    }

    /// Whether the exchange is open.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn exchange_status(&mut self) -> Result<ExchangeStatus, RestError> {
        self.get("/exchange/status", "", false)
    }

    /// A market's book, `depth` levels of each side; 0 is all.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn book(&mut self, ticker: &str, depth: u32) -> Result<Book, RestError> {
        #[derive(Deserialize)]
        struct Reply {
            orderbook_fp: Sides,
        }
        let query = format!("depth={depth}");
        // The schema lists authentication, though recordings answer without (kalshi.md section 4).
        let signed = self.signer.is_some();
        let reply: Reply = self.get(&format!("/markets/{ticker}/orderbook"), &query, signed)?;
        Ok(reply.orderbook_fp.book())
    }

    /// Books of up to 100 markets at once.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn books(&mut self, tickers: &[&str]) -> Result<Vec<(String, Book)>, RestError> {
        #[derive(Deserialize)]
        struct Reply {
            orderbooks: Vec<One>,
        }
        #[derive(Deserialize)]
        struct One {
            ticker: String,
            orderbook_fp: Sides,
        }
        let query: Vec<String> = tickers.iter().map(|ticker| format!("tickers={ticker}")).collect();
        let signed = self.signer.is_some();
        let reply: Reply = self.get("/markets/orderbooks", &query.join("&"), signed)?;
        Ok(reply.orderbooks.into_iter().map(|o| (o.ticker, o.orderbook_fp.book())).collect())
    }

    /// Sends an order: the body of [`exec::kalshi::KalshiIntent::write_body`].
    ///
    /// # Errors
    /// [`RestError`]. Without an answer, and after a 408 or any 5xx, the order may be there all the
    /// same: look it up by its client order id.
    pub fn create(&mut self, body: &[u8]) -> Result<Created, RestError> {
        self.write("POST", "/portfolio/events/orders", "", Some(body), WRITE_COST)
    }

    /// Takes an order back. The venue looks for it on the market's shard only.
    ///
    /// # Errors
    /// [`RestError`]; 404 means that it ended already: look at its fills.
    pub fn cancel(
        &mut self,
        order_id: &str,
        ticker: &str,
        exchange_index: u32,
    ) -> Result<Cancelled, RestError> {
        let query = format!("market_ticker={ticker}&exchange_index={exchange_index}");
        let path = format!("/portfolio/events/orders/{order_id}");
        self.write("DELETE", &path, &query, None, CANCEL_COST)
    }

    /// When a public request left, what second the venue's answer shows, and when it came; both
    /// ends in Unix milliseconds of this host.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn date(&mut self) -> Result<(i64, i64, i64), RestError> {
        agent::spend(&self.agent, &mut self.reads, READ_COST);
        let sent = agent::ms(self.agent.wall());
        let call = self.call("GET", "/exchange/status", "", &[], None);
        let url = call.url.clone();
        let answer = self.agent.send(&call)?;
        let came = agent::ms(self.agent.wall());
        let second = answer.date.as_deref().and_then(agent::http_date_s);
        let kind = || RestErrorKind::Form("no Date header".into());
        let second = second.ok_or_else(|| RestError { method: "GET", url, kind: kind() })?;
        Ok((sent, second, came))
    }

    fn get<T: DeserializeOwned>(
        &mut self,
        path: &str,
        query: &str,
        signed: bool,
    ) -> Result<T, RestError> {
        agent::spend(&self.agent, &mut self.reads, READ_COST);
        let headers = if signed { self.header("GET", path)? } else { Vec::new() };
        agent::json(&self.agent, &self.call("GET", path, query, &headers, None))
    }

    fn write<T: DeserializeOwned>(
        &mut self,
        method: &'static str,
        path: &str,
        query: &str,
        body: Option<&[u8]>,
        cost: u32,
    ) -> Result<T, RestError> {
        agent::spend(&self.agent, &mut self.writes, cost);
        let headers = self.header(method, path)?;
        agent::json(&self.agent, &self.call(method, path, query, &headers, body))
    }

    /// All pages of a listing. `take` gives a page's items and the next cursor.
    fn pages<P: DeserializeOwned, T>(
        &mut self,
        path: &str,
        query: &str,
        take: impl Fn(P) -> (Vec<T>, String),
    ) -> Result<Vec<T>, RestError> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let query = match cursor.is_empty() {
                true => query.to_owned(),
                false => format!("{query}&cursor={cursor}"),
            };
            let (items, next) = take(self.get(path, &query, true)?);
            all.extend(items);
            if next.is_empty() || next == cursor {
                return Ok(all);
            }
            cursor = next;
        }
        let kind = RestErrorKind::Form(format!("more than {PAGES_MAX} pages"));
        Err(RestError { method: "GET", url: format!("{}{path}", self.base), kind })
    }

    fn header(&mut self, method: &'static str, path: &str) -> Result<Vec<u8>, RestError> {
        let url = format!("{}{path}", self.base);
        let fail = |kind| RestError { method, url, kind };
        let Some(signer) = &mut self.signer else { return Err(fail(RestErrorKind::NoKey(NO_KEY))) };
        let Some(stamp) = self.stamps.now(self.agent.wall()) else {
            return Err(fail(RestErrorKind::NoStamp));
        };
        Ok(signer.sign(stamp, method, &format!("{}{path}", self.path)).as_bytes().to_vec())
    }

    fn call<'c>(
        &self,
        method: &'static str,
        path: &str,
        query: &'c str,
        headers: &'c [u8],
        body: Option<&'c [u8]>,
    ) -> Call<'c> {
        Call { method, url: format!("{}{path}", self.base), query, headers, body }
    }
}

/// Bids of both sides, ascending; a side may be absent.
#[derive(Deserialize)]
struct Sides {
    #[serde(default)]
    yes_dollars: Option<Vec<(E4, E2)>>,
    #[serde(default)]
    no_dollars: Option<Vec<(E4, E2)>>,
}

impl Sides {
    fn book(self) -> Book {
        let side = |levels: Option<Vec<(E4, E2)>>| -> Vec<(Px, Qty)> {
            let mut levels: Vec<(Px, Qty)> = levels
                .unwrap_or_default()
                .into_iter()
                .filter_map(|(px, qty)| super::level(px, qty.0))
                .collect();
            levels.sort_by_key(|(px, _)| std::cmp::Reverse(*px));
            levels
        };
        Book { yes: side(self.yes_dollars), no: side(self.no_dollars) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::Decimal;

    fn fixture(name: &str) -> Option<String> {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/protocol/fixtures/kalshi");
        let text = std::fs::read_to_string(format!("{dir}/{name}.json")).ok();
        if text.is_none() {
            eprintln!("skipped: {name}.json is not there");
        }
        text
    }

    #[test]
    fn replies_of_the_venue_are_read() {
        #[derive(Deserialize)]
        struct Positions {
            market_positions: Vec<Position>,
        }
        #[derive(Deserialize)]
        struct Orders {
            orders: Vec<Order>,
        }
        #[derive(Deserialize)]
        struct Fills {
            fills: Vec<Fill>,
        }
        #[derive(Deserialize)]
        struct One {
            market: Market,
        }
        let Some(text) = fixture("rest_positions") else { return };
        let positions: Positions = serde_json::from_str(&text).unwrap();
        assert_eq!(positions.market_positions[0].position_fp, Decimal(-300));
        assert_eq!(positions.market_positions[0].fees_paid_dollars, Decimal(18_900));
        let orders: Orders = serde_json::from_str(&fixture("rest_orders_list").unwrap()).unwrap();
        assert_eq!(orders.orders[0].yes_price_dollars, Decimal(9_900));
        let fills: Fills = serde_json::from_str(&fixture("rest_fills").unwrap()).unwrap();
        assert_eq!(fills.fills[0].fee_cost, Decimal(17_500));
        let market: One = serde_json::from_str(&fixture("rest_market_single").unwrap()).unwrap();
        assert_eq!(market.market.price_ranges[0].step, Decimal(100));
        let status: ExchangeStatus =
            serde_json::from_str(&fixture("rest_exchange_status").unwrap()).unwrap();
        assert!(!status.exchange_index_statuses[1].trading_active);
        for name in ["ioc_filled", "resting", "zero_fill_201"] {
            let text = fixture(&format!("rest_create_order_response_{name}")).unwrap();
            let created: Created = serde_json::from_str(&text).unwrap();
            assert_eq!(created.average_fill_price.is_some(), created.fill_count.0 > 0, "{name}");
        }
        let cancelled = fixture("rest_cancel_order_response").unwrap();
        assert!(serde_json::from_str::<Cancelled>(&cancelled).unwrap().reduced_by.0 > 0);
    }

    #[test]
    fn a_book_has_its_best_bid_first_whatever_the_order() {
        let sides: Sides = serde_json::from_str(
            r#"{"yes_dollars":[["0.0100","200.00"],["0.4200","13.50"],["0.4100","0.00"]]}"#,
        )
        .unwrap();
        let book = sides.book();
        assert_eq!(book.yes, [(Px::lit(4_200), Qty::lit(1_350)), (Px::lit(100), Qty::lit(20_000))]);
        assert!(book.no.is_empty(), "an empty side is absent");
    }
}
