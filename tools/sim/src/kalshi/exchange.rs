//! The matching engine with its money: orders of members against each other and against the
//! makers of the market model, fees to the micro-dollar, what happened as news.

mod cash; // what a trade moves
mod orders; // what an order does

use std::collections::{BTreeSet, HashMap};

use engine::grid::Grid;
use engine::pair::Outcome;
use engine::payoff;
use engine::units::{Ns, Px, Qty, Usd};
use serde_json::json;

use cash::Taker;

use super::account::Account;
use super::group::Group;
use super::limits::Tier;
use super::market::{Market, Phase};
use super::news::News;
use super::order::{Fill, Order, Settlement, Trade};
use super::position::{Position, qty};
use super::text::{result, secs};
use crate::matching::Owner;
use crate::universe::{KalshiMarket, Universe};
use crate::venue::Side;

/// What settling pays is a multiple of this.
const CENT: Usd = Usd::new(10_000);

/// What is due at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Due {
    /// A market closes.
    Close(usize),
    /// An order expires.
    Expire(usize),
}

/// The other side of the accounts' trades: the makers' money, which may be below zero, and the fees.
#[derive(Default)]
pub struct House {
    /// The makers' money.
    pub cash: Usd,
    /// Everything that was charged.
    pub fees: Usd,
    /// The makers' positions by the market's number.
    pub positions: Vec<Position>,
}

/// Everything but sockets and requests.
pub struct Exchange {
    /// The time of the last call.
    pub now: Ns,
    /// In the universe's order.
    pub markets: Vec<Market>,
    /// Markets by ticker.
    pub tickers: HashMap<String, usize>,
    /// In the universe's order.
    pub accounts: Vec<Account>,
    /// Every order ever, in the order of coming.
    pub orders: Vec<Order>,
    /// Orders by the venue's id.
    pub order_ids: HashMap<String, usize>,
    /// Every fill of a member, in order.
    pub fills: Vec<Fill>,
    /// Every trade, in order.
    pub trades: Vec<Trade>,
    /// What markets paid, in order.
    pub settlements: Vec<Settlement>,
    /// Every order group ever.
    pub groups: Vec<Group>,
    /// Shards in ascending order.
    pub shards: Vec<u32>,
    /// The other side.
    pub house: House,
    /// Fees of events in place of their series: type, multiplier in millionths.
    pub fee_overrides: HashMap<String, (String, u32)>,
    /// How often money moved between shards.
    pub transfers: u64,
    /// False while trading is paused everywhere.
    pub is_trading: bool,
    /// Orders that are to be filled beyond what they ask for.
    pub overfills: u32,
    /// Orders that were.
    pub overfilled: u64,
    /// What is due.
    pub due: BTreeSet<(Ns, Due)>,
    /// What happened and was not told yet.
    pub news: Vec<News>,
}

impl Exchange {
    /// A venue with empty books.
    pub fn new(universe: &Universe, tier: Tier, now: Ns) -> Exchange {
        let specs = || universe.markets.iter().map(|market| &market.kalshi);
        let of_markets = specs().map(|market| market.exchange_index);
        let of_cash = universe.kalshi.iter().flat_map(|account| account.cash.iter());
        let shards: BTreeSet<u32> =
            of_markets.chain(of_cash.map(|(shard, _)| *shard)).chain([0]).collect();
        let shards: Vec<u32> = shards.into_iter().collect();
        let accounts = universe.kalshi.iter().enumerate();
        let markets: Vec<Market> =
            specs().enumerate().map(|(number, spec)| Market::new(number, spec, now)).collect();
        Exchange {
            now,
            tickers: specs().enumerate().map(|(i, spec)| (spec.ticker.clone(), i)).collect(),
            accounts: accounts
                .map(|(number, spec)| Account::new(number, spec, tier, &shards, now))
                .collect(),
            orders: Vec::new(),
            order_ids: HashMap::new(),
            fills: Vec::new(),
            trades: Vec::new(),
            settlements: Vec::new(),
            groups: Vec::new(),
            shards,
            house: House {
                positions: vec![Position::default(); markets.len()],
                ..House::default()
            },
            fee_overrides: HashMap::new(),
            transfers: 0,
            is_trading: true,
            overfills: 0,
            overfilled: 0,
            due: markets.iter().enumerate().map(|(i, m)| (m.closes(), Due::Close(i))).collect(),
            markets,
            news: Vec::new(),
        }
    }

    /// Lists more markets, with empty books.
    pub fn list(&mut self, specs: &[KalshiMarket], now: Ns) {
        for spec in specs {
            let number = self.markets.len();
            if self.tickers.contains_key(&spec.ticker) {
                continue;
            }
            self.tickers.insert(spec.ticker.clone(), number);
            let market = Market::new(number, spec, now);
            self.due.insert((market.closes(), Due::Close(number)));
            self.house.positions.push(Position::default());
            self.markets.push(market);
        }
    }

    /// Takes the markets from this number on out of the catalogue until they are listed.
    pub fn withhold(&mut self, first: usize) {
        for market in self.markets.iter_mut().skip(first) {
            market.is_listed = false;
            self.tickers.remove(&market.spec.ticker);
        }
    }

    /// Lists a market that was withheld, as of now; false where none is.
    pub fn list_withheld(&mut self, number: usize) -> bool {
        let Some(market) = self.markets.get_mut(number).filter(|market| !market.is_listed) else {
            return false;
        };
        market.is_listed = true;
        (market.opened, market.updated) = (self.now, self.now);
        self.tickers.insert(market.spec.ticker.clone(), number);
        let created = market.created();
        let event = market.spec.event.clone();
        if self.of_event(&event).count() == 1
            && let Some(announced) = self.event_announced(&event)
        {
            self.news.push(News::Lifecycle("event_lifecycle", announced));
        }
        self.news.push(News::Lifecycle("market_lifecycle_v2", created));
        true
    }

    /// The markets of the catalogue with their numbers.
    pub fn listed(&self) -> impl Iterator<Item = (usize, &Market)> {
        self.markets.iter().enumerate().filter(|(_, market)| market.is_listed)
    }

    /// Cancels a group's orders and refuses more.
    pub fn trigger(&mut self, group: usize) {
        self.groups[group].is_triggered = true;
        self.news.push(News::Group { group, event: "triggered" });
        self.cancel_where(Some("OrderGroupCancel"), |order| order.asked.group == Some(group));
    }

    /// Cancels every resting order that is meant.
    pub fn cancel_where(
        &mut self,
        reason: Option<&'static str>,
        is_meant: impl Fn(&Order) -> bool,
    ) {
        let resting = self.accounts.iter().flat_map(|account| account.resting.iter().copied());
        let meant: Vec<usize> = resting.filter(|number| is_meant(&self.orders[*number])).collect();
        for number in meant {
            self.cancel(number, reason);
        }
    }

    /// The makers want `size` at a price. They take what accounts have across it, and their own
    /// quantity across it gives way. Where nothing trades, what would is ignored.
    pub fn quote(&mut self, market: usize, side: Side, px: Px, size: Qty) {
        let is_over = matches!(self.markets[market].phase, Phase::Closed | Phase::Finalized(_));
        if is_over || !self.markets[market].knows(px) {
            return;
        }
        let is_open = self.check_open(market).is_ok();
        let mut left = size;
        while !left.is_zero()
            && let Some(front) = self.markets[market].book.front(side, px)
        {
            match front.owner {
                Owner::Makers => self.set_makers(market, side.opposite(), front.px, 0),
                Owner::Order(_) if !is_open => return,
                Owner::Order(number) => {
                    let number = number as usize;
                    let taken = qty(front.size).min(left);
                    if self.can_pay(number, front.px, taken, false) {
                        left = left.saturating_sub(taken);
                        self.trade(market, side, front.owner, front.px, taken, Taker::Makers);
                    } else {
                        self.cancel(number, Some("MarginCancel"));
                    }
                }
            }
        }
        self.set_makers(market, side, px, left.e2());
    }

    fn set_makers(&mut self, market: usize, side: Side, px: Px, size: u64) {
        let book = &mut self.markets[market].book;
        let before = book.makers_at(side, px);
        book.set_makers(side, px, size);
        self.level(market, side, px, before.abs_diff(size), size > before, None);
    }

    /// Trading stops everywhere, or goes on.
    pub fn pause_all(&mut self, is_paused: bool) {
        self.is_trading = !is_paused;
        if is_paused {
            self.cancel_where(Some("HaltCancel"), |order| order.asked.cancels_on_pause);
        }
    }

    /// Trading in a market stops, or goes on with no order of before.
    pub fn pause(&mut self, market: usize, is_paused: bool) {
        let (from, to) = match is_paused {
            true => (Phase::Active, Phase::Inactive),
            false => (Phase::Inactive, Phase::Active),
        };
        if self.markets[market].phase != from {
            return;
        }
        self.cancel_where(Some("HaltCancel"), |order| {
            order.asked.market == market && (!is_paused || order.asked.cancels_on_pause)
        });
        self.markets[market].phase = to;
        self.markets[market].updated = self.now;
        let ticker = &self.markets[market].spec.ticker;
        let message = match is_paused {
            true => {
                json!({"market_ticker": ticker, "is_deactivated": true, "event_type": "deactivated"})
            }
            false => json!({"market_ticker": ticker, "event_type": "activated"}),
        };
        self.news.push(News::Lifecycle("market_lifecycle_v2", message));
    }

    /// A market's prices become tenths of a cent while it trades; what rests stays (kalshi.md
    /// section 3). False where they are already.
    pub fn refine(&mut self, market: usize) -> bool {
        const FINE: (u16, u16, u16) = (0, 10_000, 10);
        let found = &mut self.markets[market];
        if found.spec.bands == [FINE] || matches!(found.phase, Phase::Finalized(_)) {
            return false;
        }
        found.spec.bands = vec![FINE];
        "deci_cent".clone_into(&mut found.spec.price_level_structure);
        found.grid = Grid::banded(&found.spec.bands).ok();
        found.updated = self.now;
        let message = json!({
            "market_ticker": found.spec.ticker,
            "event_type": "price_level_structure_updated",
            "price_level_structure": found.spec.price_level_structure,
            "price_ranges": found.price_ranges(),
        });
        self.news.push(News::Lifecycle("market_lifecycle_v2", message));
        true
    }

    /// A market closes before its time: its close date becomes now, which is told, and what follows
    /// from that date is not (kalshi.md section 2). False where it is closed already.
    pub fn close_early(&mut self, market: usize) -> bool {
        let found = &mut self.markets[market];
        if matches!(found.phase, Phase::Closed | Phase::Finalized(_)) {
            return false;
        }
        self.due.remove(&(found.closes(), Due::Close(market)));
        found.spec.close_time = secs(self.now);
        let message = json!({
            "market_ticker": found.spec.ticker,
            "close_ts": found.spec.close_time,
            "event_type": "close_date_updated",
        });
        self.news.push(News::Lifecycle("market_lifecycle_v2", message));
        self.close(market);
        true
    }

    /// Trading in a market ends: no order rests beyond it.
    pub fn close(&mut self, market: usize) {
        if matches!(self.markets[market].phase, Phase::Closed | Phase::Finalized(_)) {
            return;
        }
        self.cancel_where(Some("CloseCancel"), |order| order.asked.market == market);
        for side in [Side::Bid, Side::Ask] {
            let levels: Vec<Px> = self.markets[market].book.levels(side).map(|l| l.0).collect();
            for px in levels {
                self.set_makers(market, side, px, 0);
            }
        }
        self.markets[market].phase = Phase::Closed;
        self.markets[market].updated = self.now;
        self.due.remove(&(self.markets[market].closes(), Due::Close(market)));
    }

    /// It is known how the market ends: it closes and pays, to members whole cents. What is below a
    /// cent, where a contract pays a part of its dollar, is a fee of settling.
    pub fn settle(&mut self, market: usize, settlement: payoff::Settlement) {
        if matches!(self.markets[market].phase, Phase::Finalized(_)) {
            return;
        }
        self.close(market);
        let shard = self.markets[market].spec.exchange_index;
        for (number, account) in self.accounts.iter_mut().enumerate() {
            let Some(position) = account.positions.get_mut(&market) else { continue };
            let (e2, bought) = (position.e2, position.bought);
            let exact = position.settle(settlement, self.now);
            let fee = Usd::new(exact.e6() % CENT.e6());
            let revenue = exact - fee;
            position.fees += fee;
            let (fees, at) = (position.fees, self.now);
            account.pay(shard, revenue);
            self.house.fees += fee;
            let account = number;
            let row =
                Settlement { account, market, settlement, e2, bought, revenue, fee, fees, at };
            self.settlements.push(row);
            self.news.push(News::Position { account, market });
        }
        self.house.cash += self.house.positions[market].settle(settlement, self.now);
        let settled = &mut self.markets[market];
        let phase = Phase::Finalized(settlement);
        (settled.phase, settled.open_e2, settled.updated) = (phase, 0, self.now);
        let ticker = settled.spec.ticker.clone();
        let determined = json!({
            "market_ticker": ticker,
            "determination_ts": secs(self.now),
            "result": result(settlement),
            "settlement_value": settlement.each(Outcome::Yes).to_string(),
            "event_type": "determined",
        });
        let done = json!({
            "market_ticker": ticker,
            "settled_ts": secs(self.now),
            "event_type": "settled",
        });
        self.news.push(News::Lifecycle("market_lifecycle_v2", determined));
        self.news.push(News::Lifecycle("market_lifecycle_v2", done));
    }

    /// Does what is due.
    pub fn advance(&mut self, now: Ns) {
        self.now = self.now.max(now);
        while let Some((at, due)) = self.due.first().copied()
            && at <= self.now
        {
            self.due.pop_first();
            match due {
                Due::Close(market) => self.close(market),
                Due::Expire(number) => self.cancel(number, Some("ExpiryCancel")),
            }
        }
    }

    /// Contracts that somebody holds: those of the longs, or of the shorts.
    fn open_e2(&self, market: usize) -> u64 {
        let members = self.accounts.iter().filter_map(|account| account.positions.get(&market));
        let all = members.chain(self.house.positions.get(market));
        all.fold(0, |sum: u64, position| sum + position.e2.max(0).unsigned_abs())
    }

    /// All money that there is: members', makers', fees, and a dollar a pair of open contracts. It
    /// never changes.
    pub fn money(&self) -> Usd {
        let members = self.accounts.iter().flat_map(|account| account.cash.values().copied());
        let pairs = (0..self.markets.len()).map(|market| qty(self.open_e2(market)).at(Px::ONE));
        members.chain(pairs).chain([self.house.cash, self.house.fees]).sum()
    }

    fn tell(&mut self, number: usize) {
        self.news.push(News::Order(Box::new(self.orders[number].clone())));
    }

    fn level(
        &mut self,
        market: usize,
        side: Side,
        px: Px,
        size: u64,
        is_more: bool,
        by: Option<usize>,
    ) {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let delta_e2 = if is_more { size } else { -size };
        if delta_e2 != 0 {
            self.news.push(News::Level { market, side, px, delta_e2, by });
        }
    }
}
