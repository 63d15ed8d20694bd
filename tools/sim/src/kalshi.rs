//! Kalshi as it behaves: orders, money, private and public channels, limits, refusals in its own
//! words (kalshi.md). No socket, no clock, no randomness: equal input, equal output.
//!
//! Where the protocol file says UNCONFIRMED, this venue does the following. A header may come
//! twice (it is counted). `ok` and `unsubscribed` use up a `seq`. A paused exchange refuses with 400
//! `TRADING_PAUSED`, a paused or closed market with 400 `MARKET_INACTIVE`. Positions net at once.
//! `balance` leaves out what resting orders keep. A batch runs in order and stops at nothing. No
//! cancel-all reaches an order that comes after it. Only the primary subaccount exists; another is
//! `not_found`. A void market has the result `scalar` and pays whole cents; what is below one is a
//! fee.

use engine::payoff::Settlement;
use engine::units::{Ns, Px, Qty};
use serde_json::{Value, json};

use crate::universe::{KalshiMarket, Universe};
use crate::venue::{ClientId, Outbox, Reply, Request, Side, Standing, Upset, Venue};

mod text; // numbers, times and names as the venue writes them
mod refusal; // why it says no
mod auth; // who asks
mod limits; // how often
mod position; // what somebody holds
mod account; // who holds
mod order; // orders, fills, trades
mod market; // where they meet
mod group; // the breaker around orders
mod news; // what happened
mod exchange; // matching and money
mod body; // a request's body
mod query; // a request's parameters
mod writes; // orders over REST
mod catalogue; // what everybody may read
mod portfolio; // what a member may read
mod ledger; // the truth about all
mod socket; // who listens

pub use limits::Tier;

use auth::{Credentials, SeenHeaders};
use exchange::Exchange;
use limits::Charge;
use news::News;
use query::Query;
use refusal::Refusal;
use socket::Sockets;
use writes::Writes;

/// The root of every REST path.
const ROOT: &str = "/trade-api/v2/";
/// The path of the WebSocket.
const SOCKET_PATH: &str = "/trade-api/ws/v2";

// Spaces of ids: equal numbers in two of them give different ids.
const USER_IDS: u64 = 1;
const MARKET_IDS: u64 = 2;
const ORDER_IDS: u64 = 3;
const TRADE_IDS: u64 = 4;
const GROUP_IDS: u64 = 5;
const TRANSFER_IDS: u64 = 6;

/// The venue.
pub struct Kalshi {
    exchange: Exchange,
    sockets: Sockets,
    seen: SeenHeaders,
}

impl Kalshi {
    /// A venue whose members are of the Premier tier.
    pub fn new(universe: &Universe, now: Ns) -> Kalshi {
        Kalshi::with_tier(universe, now, Tier::Premier)
    }

    /// A venue whose members are of one tier.
    pub fn with_tier(universe: &Universe, now: Ns, tier: Tier) -> Kalshi {
        Kalshi {
            exchange: Exchange::new(universe, tier, now),
            sockets: Sockets::default(),
            seen: SeenHeaders::default(),
        }
    }

    /// Lists more markets behind those of the universe, with books that stay empty unless somebody
    /// quotes them.
    #[must_use]
    pub fn listing(mut self, markets: &[KalshiMarket], now: Ns) -> Kalshi {
        self.exchange.list(markets, now);
        self
    }

    /// Keeps the universe's markets from this number on out of the catalogue until they are listed.
    #[must_use]
    pub fn withholding(mut self, first: usize) -> Kalshi {
        self.exchange.withhold(first);
        self
    }

    /// Trading stops everywhere, as on Thursdays, or goes on. Cancels are taken all the time
    /// (kalshi.md section 8).
    pub fn pause_all(&mut self, now: Ns, is_paused: bool, out: &mut Outbox) {
        self.exchange.advance(now);
        self.exchange.pause_all(is_paused);
        self.publish(out);
    }

    /// An event's fee replaces its series': type and multiplier in millionths. `None` brings the
    /// series' back.
    pub fn override_fee(
        &mut self,
        now: Ns,
        event: &str,
        fee: Option<(&str, u32)>,
        out: &mut Outbox,
    ) {
        self.exchange.advance(now);
        self.exchange.override_fee(event, fee);
        let message = json!({
            "event_ticker": event,
            "fee_type_override": fee.map(|(fee_type, _)| fee_type),
            "fee_multiplier_override": fee.map(|(_, e6)| catalogue::multiplier(e6)),
        });
        self.exchange.news.push(News::Lifecycle("event_fee_update", message));
        self.publish(out);
    }

    fn publish(&mut self, out: &mut Outbox) {
        let news = std::mem::take(&mut self.exchange.news);
        if !news.is_empty() {
            self.sockets.publish(&self.exchange, &news, out);
        }
    }

    /// The account that a request proves to be of.
    fn login(&mut self, request: &Request<'_>) -> Result<usize, Refusal> {
        let now = self.exchange.now;
        let sent = Credentials::of(request, now)?;
        let wrong = |details| Refusal::with(401, "authentication_error", details);
        let mut accounts = self.exchange.accounts.iter();
        let number = accounts.position(|account| account.key_id == sent.key_id);
        let number = number.ok_or_else(|| wrong("NOT_FOUND"))?;
        let text = sent.text(request.method, request.path);
        let key = self.exchange.accounts[number].key.as_ref();
        if !key.is_some_and(|key| key.verifies(&text, sent.signature)) {
            return Err(wrong("INCORRECT_API_KEY_SIGNATURE"));
        }
        if request.method != "GET" {
            self.seen.note(now, sent.stamp_ms, sent.signature);
        }
        Ok(number)
    }

    fn answer(&mut self, request: &Request<'_>) -> Result<Reply, Refusal> {
        let path = request.path.strip_prefix(ROOT).ok_or(Refusal::not_found())?;
        let path: Vec<String> = path.split('/').map(query::decode).collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let query = Query::parse(request.query);
        if request.method != "GET" {
            return self.write(request, &path, &query);
        }
        let is_private = matches!(path.first(), Some(&("portfolio" | "account" | "api_keys")));
        let account = match is_private || Credentials::are_in(request) {
            true => Some(self.login(request)?),
            false => None,
        };
        if let Some(account) = account {
            let is_order =
                matches!(path.as_slice(), ["portfolio", "orders", id] if *id != "queue_positions");
            let tokens = if is_order { 2 } else { 10 };
            let now = self.exchange.now;
            if !self.exchange.accounts[account].limits.take(now, Charge::Read, tokens) {
                return Err(Refusal::TooMany);
            }
        }
        let found = match account.filter(|_| is_private) {
            Some(account) => self.read_own(account, &path, &query)?,
            None => self.read(&path, &query)?,
        };
        Ok(Reply::json(200, found.to_string()))
    }

    fn read(&self, path: &[&str], query: &Query) -> Result<Value, Refusal> {
        let exchange = &self.exchange;
        match path {
            ["exchange", "status"] => Ok(exchange.get_status()),
            ["exchange", "schedule"] => Ok(exchange.get_schedule()),
            ["exchange", "user_data_timestamp"] => {
                Ok(json!({"as_of_time": text::rfc3339(exchange.now)}))
            }
            ["markets"] => exchange.get_markets(query),
            ["markets", "trades"] => exchange.get_trades(query),
            ["markets", "orderbooks"] => exchange.get_orderbooks(query),
            ["markets", ticker] => exchange.get_market(ticker),
            ["markets", ticker, "orderbook"] => exchange.get_orderbook(ticker, query),
            ["events"] => exchange.get_events(query),
            ["events", "fee_changes"] => Ok(json!({"event_fee_changes": [], "cursor": ""})),
            ["events", ticker] => exchange.get_event(ticker, query),
            ["series"] => exchange.list_series(query),
            ["series", "fee_changes"] => Ok(json!({"series_fee_change_arr": []})),
            ["series", ticker] => exchange.get_series(ticker),
            _ => Err(Refusal::not_found()),
        }
    }

    fn read_own(&self, account: usize, path: &[&str], query: &Query) -> Result<Value, Refusal> {
        let exchange = &self.exchange;
        match path {
            ["portfolio", "balance"] => exchange.get_balance(account, query),
            ["portfolio", "positions"] => exchange.get_positions(account, query),
            ["portfolio", "fills"] => exchange.get_fills(account, query),
            ["portfolio", "settlements"] => exchange.get_settlements(account, query),
            ["portfolio", "orders"] => exchange.get_orders(account, query),
            ["portfolio", "orders", "queue_positions"] => {
                exchange.get_queue_positions(account, query)
            }
            ["portfolio", "orders", id] => exchange.get_order(account, id),
            ["portfolio", "orders", id, "queue_position"] => {
                exchange.get_queue_position(account, id)
            }
            ["portfolio", "order_groups"] => Ok(exchange.get_groups(account)),
            ["portfolio", "order_groups", id] => exchange.get_group(account, id),
            ["account", "limits"] => Ok(exchange.accounts[account].limits.json()),
            ["account", "endpoint_costs"] => Ok(exchange.get_costs()),
            ["api_keys"] => Ok(exchange.get_keys(account)),
            _ => Err(Refusal::not_found()),
        }
    }

    fn write(
        &mut self,
        request: &Request<'_>,
        path: &[&str],
        query: &Query,
    ) -> Result<Reply, Refusal> {
        let account = self.login(request)?;
        let kind = request.header("content-type").unwrap_or_default();
        let is_json = kind.split(';').next().unwrap_or_default().trim() == "application/json";
        if !request.body.is_empty() && !is_json {
            return Err(Refusal::new(400, "invalid_content_type"));
        }
        let exchange = &mut self.exchange;
        let mut writes = Writes { exchange, account, query, body: request.body };
        match (request.method, path) {
            ("POST", ["portfolio", "events", "orders"]) => writes.create(),
            ("POST", ["portfolio", "events", "orders", "batched"]) => writes.create_batch(),
            ("DELETE", ["portfolio", "events", "orders", "batched"]) => writes.cancel_batch(),
            ("DELETE", ["portfolio", "events", "orders"]) => writes.cancel_all(),
            ("DELETE", ["portfolio", "events", "orders", id]) => writes.cancel(id),
            ("POST", ["portfolio", "events", "orders", id, "amend"]) => writes.amend(id),
            ("POST", ["portfolio", "events", "orders", id, "decrease"]) => writes.decrease(id),
            ("POST", ["portfolio", "order_groups", "create"]) => writes.create_group(),
            ("DELETE", ["portfolio", "order_groups", id]) => writes.change_group(id, "delete"),
            ("PUT", ["portfolio", "order_groups", id, what @ ("reset" | "trigger" | "limit")]) => {
                writes.change_group(id, what)
            }
            ("POST", ["portfolio", "intra_exchange_instance_transfer"]) => writes.transfer(),
            ("POST" | "DELETE", ["portfolio", "orders", ..]) => Err(Refusal::with(
                400,
                "bad_request",
                "this endpoint is deprecated, use /portfolio/events/orders",
            )),
            _ => Err(Refusal::not_found()),
        }
    }
}

impl Venue for Kalshi {
    fn request(&mut self, now: Ns, request: &Request<'_>, out: &mut Outbox) -> Reply {
        self.exchange.advance(now);
        let reply = self.answer(request).unwrap_or_else(|refusal| refusal.reply());
        self.publish(out);
        reply
    }

    fn open(
        &mut self,
        now: Ns,
        client: ClientId,
        request: &Request<'_>,
        out: &mut Outbox,
    ) -> Result<(), Reply> {
        self.exchange.advance(now);
        self.publish(out);
        if request.path != SOCKET_PATH {
            return Err(Refusal::not_found().reply());
        }
        let account = self.login(request).map_err(|refusal| refusal.reply())?;
        self.sockets.open(self.exchange.now, client, account);
        Ok(())
    }

    fn text(&mut self, now: Ns, client: ClientId, text: &str, out: &mut Outbox) {
        self.exchange.advance(now);
        self.publish(out);
        self.sockets.command(&self.exchange, client, text, out);
    }

    fn closed(&mut self, client: ClientId) {
        self.sockets.close(client);
    }

    fn tick(&mut self, now: Ns, out: &mut Outbox) {
        self.exchange.advance(now);
        self.publish(out);
        self.sockets.tick(self.exchange.now, out);
    }

    fn next_due(&self) -> Option<Ns> {
        let due = self.exchange.due.first().map(|(at, _)| *at);
        due.into_iter().chain(self.sockets.next_due()).min()
    }

    fn quote(&mut self, now: Ns, market: usize, side: Side, px: Px, qty: Qty, out: &mut Outbox) {
        self.exchange.advance(now);
        if market < self.exchange.markets.len() {
            self.exchange.quote(market, side, px, qty);
        }
        self.publish(out);
    }

    fn quoted(&self, market: usize, side: Side, px: Px) -> Qty {
        let market = self.exchange.markets.get(market);
        market.map_or(Qty::ZERO, |market| position::qty(market.book.makers_at(side, px)))
    }

    fn pause(&mut self, now: Ns, market: usize, paused: bool, out: &mut Outbox) {
        self.exchange.advance(now);
        if market < self.exchange.markets.len() {
            self.exchange.pause(market, paused);
        }
        self.publish(out);
    }

    fn list(&mut self, now: Ns, market: usize, out: &mut Outbox) -> bool {
        self.exchange.advance(now);
        let listed = self.exchange.list_withheld(market);
        self.publish(out);
        listed
    }

    fn refine(&mut self, now: Ns, market: usize, out: &mut Outbox) -> bool {
        self.exchange.advance(now);
        let refined = market < self.exchange.markets.len() && self.exchange.refine(market);
        self.publish(out);
        refined
    }

    fn set_fee(
        &mut self,
        now: Ns,
        market: usize,
        fee: Option<(&str, u32)>,
        out: &mut Outbox,
    ) -> bool {
        let Some(found) = self.exchange.markets.get(market) else { return false };
        let event = found.spec.event.clone();
        self.override_fee(now, &event, fee, out);
        true
    }

    fn close(&mut self, now: Ns, market: usize, out: &mut Outbox) -> bool {
        self.exchange.advance(now);
        let closed = market < self.exchange.markets.len() && self.exchange.close_early(market);
        self.publish(out);
        closed
    }

    fn settle(&mut self, now: Ns, market: usize, settlement: Settlement, out: &mut Outbox) {
        self.exchange.advance(now);
        if market < self.exchange.markets.len() {
            self.exchange.settle(market, settlement);
        }
        self.publish(out);
    }

    fn heal(&mut self) {
        self.exchange.overfills = 0;
    }

    fn upset(&mut self, now: Ns, what: Upset, out: &mut Outbox) -> bool {
        match what {
            Upset::PauseAll(is_paused) => self.pause_all(now, is_paused, out),
            Upset::OverFill => self.exchange.overfills += 1,
            Upset::Restart | Upset::FailSettlement => return false,
        }
        true
    }

    /// Money is in micro-dollars, counts in 1e-2 contract, YES prices in 1e-4 dollar:
    ///
    /// ```text
    /// {"venue":"kalshi",
    ///  "accounts":[{"key_id",
    ///    "cash":{"<shard>":usd}, "reserved":{"<shard>":usd},       cash holds what is reserved
    ///    "positions":{"<ticker>":{"position_e2","cost","realized","fees"}},   NO below zero
    ///    "orders":[{"id","client_order_id","ticker","side","limit_e4","count_e2","filled_e2",
    ///               "remaining_e2","state","reason","fees","created_ns"}],
    ///    "fills":[{"trade_id","order_id","client_order_id","ticker","outcome","price_e4",
    ///              "count_e2","cost","fee","is_taker","at_ns"}],   cash moved by -cost - fee
    ///    "settlements":[{"ticker","result","position_e2","revenue","fee"}]}],
    ///  "markets":[{"ticker","status","result","yes_pays_e4"}],
    ///  "makers_cash":usd, "fees":usd,
    ///  "money":usd,                       all money with open pairs at a dollar; never changes
    ///  "orders_by_client_order_id":n,     most orders that one client order id ever got
    ///  "overfilled_orders":n,             filled beyond what they asked for, by a fault
    ///  "reused_headers":n}
    /// ```
    fn ledger(&self) -> Value {
        self.exchange.ledger(self.seen.reused)
    }

    fn standing(&self, account: usize) -> Option<Standing> {
        self.exchange.standing(account, self.seen.reused)
    }

    fn moves(&self) -> u64 {
        self.exchange.moves()
    }

    fn orders(&self, account: usize, from: usize) -> Vec<Value> {
        self.exchange.orders_of(account, from)
    }
}
