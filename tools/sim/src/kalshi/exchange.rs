//! The matching engine with its money: orders of members against each other and against the
//! makers of the market model, fees to the micro-dollar, what happened as news.

use std::collections::{BTreeSet, HashMap};

use engine::fee::{OrderFees, Role, quadratic_fee};
use engine::pair::Outcome;
use engine::units::{Ns, Px, Qty, Shares, Usd};
use serde_json::json;

use super::account::Account;
use super::group::Group;
use super::limits::Tier;
use super::market::{Market, Phase};
use super::news::News;
use super::order::{
    Fill, NewOrder, Order, SelfTrade, Settlement, Status, TimeInForce, Trade, outcome_cost,
};
use super::position::{Position, leg, qty};
use super::refusal::Refusal;
use super::text::{from_secs, secs, uuid};
use crate::matching::Owner;
use crate::universe::Universe;
use crate::venue::Side;

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
    /// What is due.
    pub due: BTreeSet<(Ns, Due)>,
    /// What happened and was not told yet.
    pub news: Vec<News>,
}

/// Who takes.
#[derive(Clone, Copy)]
enum Taker {
    Makers,
    Order(usize),
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
            due: markets.iter().enumerate().map(|(i, m)| (m.closes(), Due::Close(i))).collect(),
            markets,
            news: Vec::new(),
        }
    }

    /// Takes an order: its number, or why not.
    ///
    /// # Errors
    /// In the venue's words.
    pub fn place(&mut self, account: usize, new: NewOrder) -> Result<usize, Refusal> {
        self.check_open(new.market)?;
        let taken = |ids: &HashMap<String, u32>| ids.contains_key(&new.client_order_id);
        if !new.client_order_id.is_empty() && taken(&self.accounts[account].client_ids) {
            return Err(Refusal::new(409, "order_already_exists"));
        }
        self.check_terms(account, &new)?;
        let mut count = new.count;
        if new.is_reduce_only {
            let position = self.accounts[account].position(new.market);
            count = count.min(qty(position.closable(new.side)));
        }
        self.check_funds(account, None, &new, count)?;
        if !new.client_order_id.is_empty() {
            self.accounts[account].client_ids.insert(new.client_order_id.clone(), 0);
        }
        if new.tif == TimeInForce::FillOrKill && !self.can_fill(account, &new, count) {
            return Err(Refusal::new(409, "fill_or_kill_insufficient_resting_volume"));
        }
        let number = self.orders.len();
        if let Some(orders) = self.accounts[account].client_ids.get_mut(&new.client_order_id) {
            *orders += 1;
        }
        let id = uuid(super::ORDER_IDS, number as u64);
        self.order_ids.insert(id.clone(), number);
        self.orders.push(Order {
            id,
            account,
            status: Status::Resting,
            filled: Qty::ZERO,
            remaining: count,
            reserved: Usd::ZERO,
            fees: OrderFees::new(self.accounts[account].grid),
            yes_cost: Usd::ZERO,
            fill_cost: [Usd::ZERO; 2],
            fee_cost: [Usd::ZERO; 2],
            created: self.now,
            updated: self.now,
            reason: None,
            asked: new,
        });
        self.work(number);
        Ok(number)
    }

    /// Lets an order take what it can, and rests or ends the rest.
    fn work(&mut self, number: usize) {
        let stopped = self.take(number);
        let order = &self.orders[number];
        if order.remaining.is_zero() {
            let all = order.filled > Qty::ZERO;
            let (status, reason) = match (all, order.asked.is_reduce_only) {
                (true, _) => (Status::Executed, Some("Trade")),
                (false, true) => (Status::Canceled, Some("ReduceOnlyCancel")),
                (false, false) => (Status::Canceled, stopped),
            };
            self.end(number, status, reason);
        } else if stopped.is_some() || order.asked.tif != TimeInForce::GoodTillCanceled {
            self.end(number, Status::Canceled, stopped);
        } else {
            let (market, side, px) = (order.asked.market, order.asked.side, order.asked.px);
            let (account, left) = (order.account, order.remaining);
            self.markets[market].book.rest(side, px, left.e2(), number as u64);
            self.accounts[account].resting.insert(number);
            if let Some(expiration) = order.asked.expiration {
                self.due.insert((from_secs(expiration), Due::Expire(number)));
            }
            self.level(market, side, px, left.e2(), true, Some(number));
            self.reserve(number);
            self.tell(number);
        }
    }

    /// Takes from the book; why it stopped before it had to.
    fn take(&mut self, number: usize) -> Option<&'static str> {
        loop {
            let order = &self.orders[number];
            let (market, side, limit) = (order.asked.market, order.asked.side, order.asked.px);
            let (account, stp, left) = (order.account, order.asked.stp, order.remaining);
            let group = order.asked.group;
            if left.is_zero() {
                return None;
            }
            if group.is_some_and(|group| self.groups[group].is_triggered) {
                return Some("OrderGroupCancel");
            }
            let front = self.markets[market].book.front(side, limit)?;
            let size = qty(front.size).min(left);
            if let Owner::Order(other) = front.owner {
                let other = other as usize;
                if self.orders[other].account == account {
                    match stp {
                        SelfTrade::TakerAtCross => return Some("SelfTradeCancel"),
                        SelfTrade::Maker => self.cancel(other, Some("SelfTradeCancel")),
                    }
                    continue;
                }
                if !self.can_pay(other, front.px, size, false) {
                    self.cancel(other, Some("MarginCancel"));
                    continue;
                }
            }
            if !self.can_pay(number, front.px, size, true) {
                return Some("MarginCancel");
            }
            self.trade(market, side, front.owner, front.px, size, Taker::Order(number));
        }
    }

    /// One trade with the first in the queue.
    fn trade(&mut self, market: usize, side: Side, maker: Owner, px: Px, size: Qty, taker: Taker) {
        self.markets[market].book.hit(side, px, size.e2());
        let by = match taker {
            Taker::Makers => None,
            Taker::Order(number) => Some(number),
        };
        self.level(market, side.opposite(), px, size.e2(), false, by);
        let id = uuid(super::TRADE_IDS, self.trades.len() as u64);
        let trade = Trade { id: id.clone(), market, taker: side, px, count: size, at: self.now };
        self.trades.push(trade.clone());
        self.news.push(News::Trade(trade));
        let now = self.now;
        let mut house = |side| {
            self.house.cash += self.house.positions[market].trade(side, px, size, Usd::ZERO, now);
        };
        match (taker, maker) {
            (Taker::Makers, _) => house(side),
            (Taker::Order(_), Owner::Makers) => house(side.opposite()),
            (Taker::Order(_), Owner::Order(_)) => {}
        }
        if let Taker::Order(number) = taker {
            self.fill(number, px, size, true, &id);
        }
        if let Owner::Order(number) = maker {
            self.fill(number as usize, px, size, false, &id);
        }
        let open = self.open_e2(market);
        let market = &mut self.markets[market];
        market.open_e2 = open;
        market.volume_e2 += size.e2();
        market.volume_usd_e6 += size.at(px).e6().unsigned_abs();
        market.last = Some((px, size));
        market.updated = now;
    }

    /// A member's part of a trade.
    fn fill(&mut self, number: usize, px: Px, size: Qty, is_taker: bool, trade_id: &str) {
        let (revenue, fee, rounding) = self.price(number, px, size, is_taker);
        let order = &mut self.orders[number];
        let (account, market, side) = (order.account, order.asked.market, order.asked.side);
        order.fees = rounding;
        let role = usize::from(!is_taker);
        order.filled = order.filled.saturating_add(size);
        order.remaining = order.remaining.saturating_sub(size);
        order.yes_cost += size.at(px);
        order.fill_cost[role] += outcome_cost(side, px, size);
        order.fee_cost[role] += fee;
        (order.updated, order.reason) = (self.now, Some("Trade"));
        let group = order.asked.group;
        let shard = self.markets[market].spec.exchange_index;
        let member = &mut self.accounts[account];
        let position = member.positions.entry(market).or_default();
        position.trade(side, px, size, fee, self.now);
        let post_e2 = position.e2;
        member.pay(shard, revenue - fee);
        self.house.fees += fee;
        let fill = Fill {
            trade_id: trade_id.to_owned(),
            account,
            order: number,
            market,
            side,
            px,
            count: size,
            is_taker,
            cost: -revenue,
            fee,
            post_e2,
            at: self.now,
        };
        self.fills.push(fill.clone());
        self.news.push(News::Fill(fill));
        self.news.push(News::Position { account, market });
        if !is_taker {
            if self.orders[number].remaining.is_zero() {
                self.end(number, Status::Executed, Some("Trade"));
            } else {
                self.reserve(number);
                self.tell(number);
            }
        }
        if let Some(group) = group
            && self.groups[group].fill(self.now, size)
            && !self.groups[group].is_triggered
        {
            self.trigger(group);
        }
    }

    /// What a fill would move, its net fee, and the order's rounding after it.
    fn price(&self, number: usize, px: Px, size: Qty, is_taker: bool) -> (Usd, Usd, OrderFees) {
        let order = &self.orders[number];
        let (kind, multiplier_e6) = self.fee_of(order.asked.market);
        let role = if is_taker { Role::Taker } else { maker_role(kind) };
        let fee = quadratic_fee(Shares::from(size), px, multiplier_e6, role);
        let position = self.accounts[order.account].position(order.asked.market);
        let revenue = position.revenue(order.asked.side, px, size);
        let mut rounding = order.fees;
        (revenue, rounding.fill(revenue, fee), rounding)
    }

    /// True where the member has the money for a fill.
    fn can_pay(&self, number: usize, px: Px, size: Qty, is_taker: bool) -> bool {
        let (revenue, fee, _) = self.price(number, px, size, is_taker);
        let order = &self.orders[number];
        let shard = self.markets[order.asked.market].spec.exchange_index;
        let available = self.accounts[order.account].available(shard) + order.reserved;
        let change = revenue - fee;
        change >= Usd::ZERO || available + change >= Usd::ZERO
    }

    /// What an order may cost at its limit: what it opens, with its fee, on the balance's grid.
    /// `number` is the order itself where it rests already.
    fn worst_cost(
        &self,
        account: usize,
        number: Option<usize>,
        asked: &NewOrder,
        left: Qty,
        role: Role,
    ) -> Usd {
        let member = &self.accounts[account];
        let alike = |other: &&usize| {
            let theirs = &self.orders[**other].asked;
            Some(**other) != number && theirs.market == asked.market && theirs.side == asked.side
        };
        let ahead = member.resting.iter().filter(alike);
        let ahead = ahead.fold(0, |sum: u64, other| sum + self.orders[*other].remaining.e2());
        let closable = member.position(asked.market).closable(asked.side).saturating_sub(ahead);
        let opening = left.saturating_sub(qty(closable));
        if opening.is_zero() {
            return Usd::ZERO;
        }
        let (_, multiplier_e6) = self.fee_of(asked.market);
        let fee = quadratic_fee(Shares::from(opening), asked.px, multiplier_e6, role);
        let exact = opening.at(leg(asked.side, asked.px)) + fee;
        let grid = member.grid.e6().max(1);
        let steps = exact.e6() / grid + i64::from(exact.e6() % grid != 0);
        Usd::new(steps.saturating_mul(grid))
    }

    /// Keeps the money that a resting order may cost.
    fn reserve(&mut self, number: usize) {
        let order = &self.orders[number];
        let (account, market) = (order.account, order.asked.market);
        let role = maker_role(self.fee_of(market).0);
        let left = order.remaining;
        let keep = self.worst_cost(account, Some(number), &order.asked, left, role);
        self.keep(number, keep);
    }

    fn keep(&mut self, number: usize, keep: Usd) {
        let order = &mut self.orders[number];
        let shard = self.markets[order.asked.market].spec.exchange_index;
        let change = keep - order.reserved;
        order.reserved = keep;
        *self.accounts[order.account].reserved.entry(shard).or_default() += change;
    }

    fn check_open(&self, market: usize) -> Result<(), Refusal> {
        match self.markets[market].phase {
            _ if !self.is_trading => Err(Refusal::new(400, "TRADING_PAUSED")),
            Phase::Active => Ok(()),
            Phase::Inactive | Phase::Closed | Phase::Finalized(_) => {
                Err(Refusal::new(400, "MARKET_INACTIVE"))
            }
        }
    }

    fn check_terms(&self, account: usize, new: &NewOrder) -> Result<(), Refusal> {
        let market = &self.markets[new.market];
        if !market.knows(new.px) {
            return Err(Refusal::new(400, "invalid_price"));
        }
        if new.count.is_zero() {
            return Err(Refusal::new(400, "invalid_order_size"));
        }
        let rests = new.tif == TimeInForce::GoodTillCanceled;
        if new.is_reduce_only && new.tif != TimeInForce::ImmediateOrCancel {
            return Err(Refusal::invalid_order("reduce only requires immediate_or_cancel"));
        }
        if new.is_post_only && !rests {
            return Err(Refusal::invalid_order("post only requires good_till_canceled"));
        }
        if let Some(expiration) = new.expiration {
            if !rests {
                return Err(Refusal::invalid_order("expiration time requires good_till_canceled"));
            }
            if from_secs(expiration) <= self.now {
                return Err(Refusal::invalid_order("expiration time must be in the future"));
            }
        }
        if let Some(group) = new.group.map(|group| &self.groups[group]) {
            if group.shard != market.spec.exchange_index || group.account != account {
                return Err(Refusal::not_found());
            }
            if group.is_triggered {
                return Err(Refusal::new(400, "EXCEEDED_ORDER_GROUP_RISK_LIMIT"));
            }
        }
        if new.is_post_only && market.book.front(new.side, new.px).is_some() {
            return Err(Refusal::invalid_order("post only cross"));
        }
        Ok(())
    }

    fn check_funds(
        &self,
        account: usize,
        number: Option<usize>,
        asked: &NewOrder,
        left: Qty,
    ) -> Result<(), Refusal> {
        let shard = self.markets[asked.market].spec.exchange_index;
        let own = number.map_or(Usd::ZERO, |number| self.orders[number].reserved);
        let need = self.worst_cost(account, number, asked, left, Role::Taker);
        let enough = need <= self.accounts[account].available(shard) + own;
        if enough { Ok(()) } else { Err(Refusal::new(400, "insufficient_balance")) }
    }

    /// True where a fill-or-kill order need not be killed: all of it is there, or it would meet an
    /// order of its own, where what it took before stands (kalshi.md section 4).
    fn can_fill(&self, account: usize, new: &NewOrder, count: Qty) -> bool {
        let mut found: u64 = 0;
        for place in self.markets[new.market].book.facing(new.side, new.px) {
            if found >= count.e2() {
                break;
            }
            match place.owner {
                Owner::Order(other) if self.orders[other as usize].account == account => {
                    if new.stp == SelfTrade::TakerAtCross {
                        return true;
                    }
                }
                _ => found = found.saturating_add(place.size),
            }
        }
        found >= count.e2()
    }

    /// Cancels what rests of an order.
    pub fn cancel(&mut self, number: usize, reason: Option<&'static str>) {
        self.unrest(number);
        self.end(number, Status::Canceled, reason);
    }

    /// Takes an order out of its book.
    fn unrest(&mut self, number: usize) {
        let asked = &self.orders[number].asked;
        let (market, side, px) = (asked.market, asked.side, asked.px);
        if let Some(left) = self.markets[market].book.cancel(number as u64) {
            self.level(market, side, px, left, false, Some(number));
        }
    }

    /// An order is over.
    fn end(&mut self, number: usize, status: Status, reason: Option<&'static str>) {
        self.keep(number, Usd::ZERO);
        let order = &mut self.orders[number];
        (order.status, order.remaining) = (status, Qty::ZERO);
        (order.updated, order.reason) = (self.now, reason);
        let (account, expiration) = (order.account, order.asked.expiration);
        self.accounts[account].resting.remove(&number);
        if let Some(expiration) = expiration {
            self.due.remove(&(from_secs(expiration), Due::Expire(number)));
        }
        self.tell(number);
    }

    /// New terms of a resting order: price, contracts in all, client id, expiration.
    ///
    /// # Errors
    /// In the venue's words; the order is as it was.
    pub fn amend(
        &mut self,
        number: usize,
        px: Px,
        total: Qty,
        client_order_id: Option<&str>,
        expiration: Option<Option<u64>>,
    ) -> Result<(), Refusal> {
        let order = &self.orders[number];
        let (account, filled, before) = (order.account, order.filled, order.remaining);
        self.check_open(order.asked.market)?;
        if total <= filled {
            return Err(Refusal::new(400, "invalid_order_size"));
        }
        let left = total.saturating_sub(filled);
        let mut asked = order.asked.clone();
        (asked.px, asked.count) = (px, total);
        asked.expiration = expiration.unwrap_or(asked.expiration);
        let renamed = client_order_id.filter(|id| *id != asked.client_order_id);
        if let Some(id) = renamed {
            if self.accounts[account].client_ids.contains_key(id) {
                return Err(Refusal::new(409, "order_already_exists"));
            }
            id.clone_into(&mut asked.client_order_id);
        }
        self.check_terms(account, &asked)?;
        self.check_funds(account, Some(number), &asked, left)?;
        if let Some(id) = renamed {
            self.accounts[account].client_ids.insert(id.to_owned(), 1);
        }
        let keeps_place = px == order.asked.px && left <= before;
        if keeps_place {
            self.shrink(number, left);
        } else {
            self.unrest(number);
        }
        if let Some(old) = self.orders[number].asked.expiration {
            self.due.remove(&(from_secs(old), Due::Expire(number)));
        }
        let order = &mut self.orders[number];
        (order.remaining, order.asked) = (left, asked);
        (order.updated, order.reason) = (self.now, Some("Amend"));
        if keeps_place {
            if let Some(expiration) = order.asked.expiration {
                self.due.insert((from_secs(expiration), Due::Expire(number)));
            }
            self.reserve(number);
            self.tell(number);
        } else {
            self.keep(number, Usd::ZERO);
            self.accounts[account].resting.remove(&number);
            self.work(number);
        }
        Ok(())
    }

    /// Leaves `left` of a resting order, in its place. Nothing left is a cancel.
    pub fn decrease(&mut self, number: usize, left: Qty) {
        if left.is_zero() {
            self.cancel(number, Some("Decrease"));
            return;
        }
        self.shrink(number, left);
        let order = &mut self.orders[number];
        order.asked.count = order.filled.saturating_add(left);
        order.remaining = left;
        (order.updated, order.reason) = (self.now, Some("Decrease"));
        self.reserve(number);
        self.tell(number);
    }

    fn shrink(&mut self, number: usize, left: Qty) {
        let asked = &self.orders[number].asked;
        let (market, side, px) = (asked.market, asked.side, asked.px);
        if let Some(before) = self.markets[market].book.reduce(number as u64, left.e2()) {
            self.level(market, side, px, before - left.e2(), false, Some(number));
        }
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

    /// An event's fee replaces its series', or no longer does.
    pub fn override_fee(&mut self, event: &str, fee: Option<(&str, u32)>) {
        match fee {
            Some((fee_type, e6)) => {
                self.fee_overrides.insert(event.to_owned(), (fee_type.to_owned(), e6));
            }
            None => _ = self.fee_overrides.remove(event),
        }
    }

    /// The fee of a market: its event's, or its series'.
    fn fee_of(&self, market: usize) -> (&str, u32) {
        let spec = &self.markets[market].spec;
        let own = (&spec.fee_type, spec.fee_multiplier_e6);
        let fee = self.fee_overrides.get(&spec.event).map_or(own, |(kind, e6)| (kind, *e6));
        (fee.0.as_str(), fee.1)
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

    /// The outcome is known: the market closes and pays.
    pub fn settle(&mut self, market: usize, result: Outcome) {
        if matches!(self.markets[market].phase, Phase::Finalized(_)) {
            return;
        }
        self.close(market);
        let shard = self.markets[market].spec.exchange_index;
        for (number, account) in self.accounts.iter_mut().enumerate() {
            let Some(position) = account.positions.get_mut(&market) else { continue };
            let (e2, bought, fees) = (position.e2, position.bought, position.fees);
            let revenue = position.settle(result, self.now);
            account.pay(shard, revenue);
            let result = result.name();
            let at = self.now;
            let settlement =
                Settlement { account: number, market, result, e2, bought, revenue, fees, at };
            self.settlements.push(settlement);
            self.news.push(News::Position { account: number, market });
        }
        self.house.cash += self.house.positions[market].settle(result, self.now);
        let settled = &mut self.markets[market];
        (settled.phase, settled.open_e2, settled.updated) = (Phase::Finalized(result), 0, self.now);
        let ticker = settled.spec.ticker.clone();
        let value = if result == Outcome::Yes { "1.0000" } else { "0.0000" };
        let determined = json!({
            "market_ticker": ticker,
            "determination_ts": secs(self.now),
            "result": result.name(),
            "settlement_value": value,
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

/// Who pays what for resting, by the fee's type (kalshi.md section 6).
fn maker_role(fee_type: &str) -> Role {
    match fee_type {
        "quadratic_with_maker_fees" => Role::MakerQuarter,
        "quadratic_with_combo_maker_fees" => Role::MakerHalf,
        _ => Role::Maker,
    }
}
