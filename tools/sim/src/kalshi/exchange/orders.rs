//! Orders: what is checked before they are taken, what they take, how they end.

use std::collections::HashMap;

use engine::fee::OrderFees;
use engine::units::{Px, Qty, Usd};

use super::cash::Taker;
use super::{Due, Exchange};
use crate::kalshi::ORDER_IDS;
use crate::kalshi::market::Phase;
use crate::kalshi::order::{NewOrder, Order, SelfTrade, Status, TimeInForce};
use crate::kalshi::position::qty;
use crate::kalshi::refusal::Refusal;
use crate::kalshi::text::{from_secs, uuid};
use crate::matching::Owner;

/// The most that an order is filled beyond what it asked for.
const OVERFILL: Qty = Qty::lit(300);

impl Exchange {
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
        let id = uuid(ORDER_IDS, number as u64);
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
        self.overfill(number);
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

    /// An order that took all that it asked for takes more, where that fault is on: what no venue
    /// should ever do.
    fn overfill(&mut self, number: usize) {
        let order = &self.orders[number];
        let (is_full, filled) = (order.remaining.is_zero(), order.filled);
        if self.overfills == 0 || !is_full || filled.is_zero() {
            return;
        }
        self.orders[number].remaining = OVERFILL;
        self.take(number);
        self.orders[number].remaining = Qty::ZERO;
        if self.orders[number].filled > filled {
            self.overfills -= 1;
            self.overfilled += 1;
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

    pub(super) fn check_open(&self, market: usize) -> Result<(), Refusal> {
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
    pub(super) fn unrest(&mut self, number: usize) {
        let asked = &self.orders[number].asked;
        let (market, side, px) = (asked.market, asked.side, asked.px);
        if let Some(left) = self.markets[market].book.cancel(number as u64) {
            self.level(market, side, px, left, false, Some(number));
        }
    }

    /// An order is over.
    pub(super) fn end(&mut self, number: usize, status: Status, reason: Option<&'static str>) {
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
}
