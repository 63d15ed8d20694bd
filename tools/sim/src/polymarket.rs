//! The simulated Polymarket: what its CLOB, its sockets and Gamma hear and say (polymarket.md).
//!
//! One machine answers for all hosts; their paths do not collide but for `GET /markets`, which is
//! Gamma's unless it brings the CLOB's `next_cursor`. Read the modules in this order.
//!
//! Where the protocol leaves something open, this venue
//! * charges the fee of every match by itself, a match being one price level;
//! * counts money as gone and shares as bought at the match, and lets them be spent when mined;
//! * does not cancel an order while it is delayed;
//! * calls a FOK that buys filled when the money that it signed for is spent;
//! * states `makingAmount` and `takingAmount` in human units;
//! * calls both tokens of a void market winners, and in `market_resolved` none;
//! * cancels all orders of a market that takes no more before it is resolved, refuses new ones as
//!   where it is paused, and says nothing of it on the market channel beyond what leaves the book.

mod decimal; // amounts as text
mod eip712; // hashes, and who signed
mod reply; // answers and refusals
mod auth; // API keys
mod intake; // an order as it arrives
mod book; // what rests
mod market; // a book and what was told of it
mod wallet; // money and shares
mod order; // an admitted order
mod trade; // a match
mod limits; // token buckets
mod desk; // admits, delays, cancels
mod fills; // matches
mod chain; // mines, fails and settles
mod channel; // both WebSockets
mod routes; // REST of the CLOB
mod account; // REST of an account
mod catalogue; // REST of the listings
mod truth; // the ledger

use std::collections::BTreeMap;

use engine::payoff::Settlement;
use engine::units::{Ns, Px, Qty};
use serde_json::Value;

use crate::universe::{PolymarketMarket, Universe};
use crate::venue::{ClientId, Outbox, Reply, Request, Side, Standing, Upset, Venue};

pub(crate) use catalogue::tag_id;

use auth::{ApiKey, Keys};
use book::SHOWN_MIN;
use channel::Client;
use eip712::{Address, Word};
use limits::Limits;
use market::{FINE_TICK, Market};
use order::Order;
use trade::Trade;
use wallet::{TokenKey, Wallet};

/// How long order requests are answered with 425 in a restart.
const RESTART: Ns = Ns::from_ms(90_000);
/// How long only post-only orders are taken after it.
const POST_ONLY: Ns = Ns::from_ms(120_000);

/// Something that is due.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Due {
    /// A delayed order matches.
    Match(usize),
    /// A GTD order leaves.
    Expire(usize),
    /// A trade goes on.
    Trade(usize),
    /// The heartbeat of an API key is missed, unless it came.
    Heart(String),
}

/// What the venue takes at the moment.
#[derive(Clone, Copy, Default, Debug)]
struct Mode {
    /// Until then order requests get 425.
    restarts_until: Ns,
    /// Until then nobody takes.
    post_only_until: Ns,
    /// New orders are refused.
    cancel_only: bool,
}

/// The venue.
#[derive(Debug)]
pub struct Polymarket {
    markets: Vec<Market>,
    tokens: BTreeMap<String, TokenKey>,
    conditions: BTreeMap<String, usize>,
    wallets: Vec<Wallet>,
    house: Wallet,
    fees: i64,
    /// Trades that failed.
    undone: u64,
    keys: Keys,
    orders: Vec<Order>,
    by_id: BTreeMap<Word, usize>,
    trades: Vec<Trade>,
    timers: BTreeMap<(Ns, u64), Due>,
    timers_made: u64,
    clients: BTreeMap<ClientId, Client>,
    hearts: BTreeMap<String, account::Heart>,
    limits: BTreeMap<Address, Limits>,
    limited: bool,
    mode: Mode,
    failing: u32,
    /// Rows of Gamma's `/sports` and `/teams`.
    sports: Vec<Value>,
    teams: Vec<Value>,
    /// Orders that were held back and then found nobody.
    unmatched: u64,
    /// Order requests that a restart answered with 425.
    too_early: u64,
}

/// Credentials of an API key.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `POLY_API_KEY`.
    pub key: String,
    /// The secret of the HMAC in base64url.
    pub secret: String,
    /// `POLY_PASSPHRASE`.
    pub passphrase: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Polymarket {
    /// All markets with empty books, the wallets as the universe has them, no API key.
    pub fn new(universe: &Universe, now: Ns) -> Polymarket {
        let mut venue = Polymarket {
            markets: Vec::new(),
            tokens: BTreeMap::new(),
            conditions: BTreeMap::new(),
            wallets: Vec::new(),
            house: Wallet::default(),
            fees: 0,
            undone: 0,
            keys: Keys::default(),
            orders: Vec::new(),
            by_id: BTreeMap::new(),
            trades: Vec::new(),
            timers: BTreeMap::new(),
            timers_made: 0,
            clients: BTreeMap::new(),
            hearts: BTreeMap::new(),
            limits: BTreeMap::new(),
            limited: true,
            mode: Mode::default(),
            failing: 0,
            sports: Vec::new(),
            teams: Vec::new(),
            unmatched: 0,
            too_early: 0,
        };
        for market in &universe.markets {
            venue.add_market(&market.polymarket, now);
        }
        let wallets = universe.polymarket.iter();
        venue.wallets = wallets
            .filter_map(|account| Wallet::new(account, |id| venue.tokens.get(id).copied()))
            .collect();
        venue
    }

    /// Lists more markets behind those of the universe, with books that stay empty unless somebody
    /// quotes them.
    #[must_use]
    pub fn listing(mut self, markets: &[PolymarketMarket], now: Ns) -> Polymarket {
        for spec in markets {
            self.add_market(spec, now);
        }
        self
    }

    /// Lists sports and teams, rows as Gamma shows them.
    #[must_use]
    pub fn with_sports(mut self, sports: &[Value], teams: &[Value]) -> Polymarket {
        (self.sports, self.teams) = (sports.to_vec(), teams.to_vec());
        self
    }

    /// Keeps the universe's markets from this number on out of all listings until they are listed.
    #[must_use]
    pub fn withholding(mut self, first: usize) -> Polymarket {
        for market in self.markets.iter_mut().skip(first) {
            market.is_listed = false;
            self.conditions.remove(&market.spec.condition_id.to_lowercase());
            for token in &market.spec.tokens {
                self.tokens.remove(token);
            }
        }
        self
    }

    /// The markets of the listings.
    fn listed(&self) -> impl Iterator<Item = &Market> {
        self.markets.iter().filter(|market| market.is_listed)
    }

    /// Counts requests against the Standard tier's buckets (section 9), or lets all pass.
    pub const fn set_rate_limits(&mut self, on: bool) {
        self.limited = on;
    }

    /// The credentials that a log-in of `signer` (`0x` and 40 hex digits) with `nonce` gets, made
    /// as if it had logged in; `None` where that is no address.
    pub fn credentials(&mut self, signer: &str, nonce: u64) -> Option<Credentials> {
        let address = eip712::address(signer)?;
        let ApiKey { key, secret, passphrase, .. } = self.keys.make(&address, nonce).clone();
        Some(Credentials { key, secret, passphrase })
    }

    /// The engine restarts: order requests get 425 for 90 s, then post-only mode lasts 2 minutes
    /// (section 9). Orders keep resting; delayed ones are dropped when their time comes.
    pub fn restart(&mut self, now: Ns) {
        self.restart_for(now, RESTART, POST_ONLY);
    }

    /// [`Polymarket::restart`] with other spans.
    pub fn restart_for(&mut self, now: Ns, down: Ns, post_only: Ns) {
        self.mode.restarts_until = now.after(down);
        self.mode.post_only_until = now.after(down).after(post_only);
    }

    /// New orders are refused while it is on; cancels work.
    pub const fn set_cancel_only(&mut self, on: bool) {
        self.mode.cancel_only = on;
    }

    /// The next trade's transaction fails: RETRYING, then FAILED, and its fills are undone.
    pub const fn fail_next_settlement(&mut self) {
        self.failing += 1;
    }

    /// Another market is listed and announced; its number follows the last one's.
    pub fn list_market(&mut self, spec: &PolymarketMarket, now: Ns, out: &mut Outbox) -> usize {
        let number = self.add_market(spec, now);
        self.announce(number, now, out);
        number
    }

    fn add_market(&mut self, spec: &PolymarketMarket, now: Ns) -> usize {
        let number = self.markets.len();
        self.markets.push(Market::new(spec, now));
        self.name(number);
        number
    }

    /// A market can be named by its condition and its tokens.
    fn name(&mut self, number: usize) {
        let spec = &self.markets[number].spec;
        self.conditions.insert(spec.condition_id.to_lowercase(), number);
        for (at, token) in spec.tokens.iter().enumerate() {
            self.tokens.insert(token.clone(), (number, at));
        }
    }

    fn at(&mut self, when: Ns, due: Due) {
        self.timers_made += 1;
        self.timers.insert((when, self.timers_made), due);
    }
}

impl Venue for Polymarket {
    fn request(&mut self, now: Ns, request: &Request<'_>, out: &mut Outbox) -> Reply {
        self.tick(now, out);
        self.route(now, request, out)
    }

    fn open(
        &mut self,
        _now: Ns,
        client: ClientId,
        request: &Request<'_>,
        _out: &mut Outbox,
    ) -> Result<(), Reply> {
        let opened = match request.path {
            "/ws/market" => Client::market(),
            "/ws/user" => Client::user(),
            _ => return Err(reply::error(404, "page not found")),
        };
        self.clients.insert(client, opened);
        Ok(())
    }

    fn text(&mut self, now: Ns, client: ClientId, text: &str, out: &mut Outbox) {
        self.tick(now, out);
        self.hear(client, text, out);
    }

    fn closed(&mut self, client: ClientId) {
        self.clients.remove(&client);
    }

    fn tick(&mut self, now: Ns, out: &mut Outbox) {
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().0 > now {
                break;
            }
            // It happens when it was due, so that nothing depends on how often the venue is asked.
            let ((at, _), due) = entry.remove_entry();
            match due {
                Due::Match(order) => self.match_delayed(at, order, out),
                Due::Expire(order) => self.drop_order(at, order, "CANCELED_EXPIRED_ORDER", out),
                Due::Trade(trade) => self.advance_trade(at, trade, out),
                Due::Heart(key) => self.miss_heart(at, &key, out),
            }
        }
    }

    fn next_due(&self) -> Option<Ns> {
        self.timers.first_key_value().map(|((at, _), _)| *at)
    }

    fn quote(&mut self, now: Ns, market: usize, side: Side, px: Px, qty: Qty, out: &mut Outbox) {
        self.tick(now, out);
        self.quote_house(now, market, side, px, qty.e2().saturating_mul(SHOWN_MIN), out);
    }

    fn quoted(&self, market: usize, side: Side, px: Px) -> Qty {
        let size = self.markets.get(market).map_or(0, |market| market.book.house(side, px));
        Qty::new(size / SHOWN_MIN).unwrap_or(Qty::MAX)
    }

    fn pause(&mut self, now: Ns, market: usize, paused: bool, out: &mut Outbox) {
        self.tick(now, out);
        if let Some(market) = self.markets.get_mut(market) {
            market.paused = paused;
        }
    }

    fn heal(&mut self) {
        self.failing = 0;
    }

    fn list(&mut self, now: Ns, market: usize, out: &mut Outbox) -> bool {
        self.tick(now, out);
        let Some(withheld) = self.markets.get_mut(market).filter(|market| !market.is_listed) else {
            return false;
        };
        (withheld.is_listed, withheld.made) = (true, Some(now));
        withheld.stamp_ms = now.0 / 1_000_000;
        self.name(market);
        self.announce(market, now, out);
        true
    }

    fn refine(&mut self, now: Ns, market: usize, out: &mut Outbox) -> bool {
        self.tick(now, out);
        let fine = self.markets.get(market).is_none_or(|market| market.tick <= FINE_TICK);
        if !fine {
            self.retick(now, market, FINE_TICK, out);
        }
        !fine
    }

    fn close(&mut self, now: Ns, market: usize, out: &mut Outbox) -> bool {
        self.tick(now, out);
        self.close_market(now, market, out)
    }

    fn settle(&mut self, now: Ns, market: usize, settlement: Settlement, out: &mut Outbox) {
        self.tick(now, out);
        self.settle_market(now, market, settlement, out);
    }

    fn upset(&mut self, now: Ns, what: Upset, out: &mut Outbox) -> bool {
        self.tick(now, out);
        match what {
            Upset::Restart => self.restart(now),
            Upset::FailSettlement => self.fail_next_settlement(),
            Upset::PauseAll(paused) => {
                for market in &mut self.markets {
                    market.paused = paused;
                }
            }
            // The chain takes no more of an order than was signed.
            Upset::OverFill => return false,
        }
        true
    }

    fn ledger(&self) -> serde_json::Value {
        self.truth()
    }

    fn standing(&self, account: usize) -> Option<Standing> {
        self.standing_of(account)
    }

    fn moves(&self) -> u64 {
        (self.orders.len() + self.trades.len()) as u64 + self.undone
    }

    fn orders(&self, account: usize, from: usize) -> Vec<serde_json::Value> {
        self.orders_of(account, from)
    }
}

#[cfg(test)]
mod tests;
