//! Money: what a trade moves, what it costs, and what a resting order keeps.

use engine::fee::{OrderFees, Role, quadratic_fee};
use engine::units::{Px, Qty, Shares, Usd};

use super::Exchange;
use crate::kalshi::TRADE_IDS;
use crate::kalshi::news::News;
use crate::kalshi::order::{Fill, NewOrder, Status, Trade, outcome_cost};
use crate::kalshi::position::{leg, qty};
use crate::kalshi::refusal::Refusal;
use crate::kalshi::text::uuid;
use crate::matching::Owner;
use crate::venue::Side;

/// Who takes.
#[derive(Clone, Copy)]
pub(super) enum Taker {
    /// The makers of the market model.
    Makers,
    /// An order, by its number.
    Order(usize),
}

impl Exchange {
    /// One trade with the first in the queue.
    pub(super) fn trade(
        &mut self,
        market: usize,
        side: Side,
        maker: Owner,
        px: Px,
        size: Qty,
        taker: Taker,
    ) {
        self.markets[market].book.hit(side, px, size.e2());
        let by = match taker {
            Taker::Makers => None,
            Taker::Order(number) => Some(number),
        };
        self.level(market, side.opposite(), px, size.e2(), false, by);
        let id = uuid(TRADE_IDS, self.trades.len() as u64);
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
    pub(super) fn can_pay(&self, number: usize, px: Px, size: Qty, is_taker: bool) -> bool {
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
    pub(super) fn reserve(&mut self, number: usize) {
        let order = &self.orders[number];
        let (account, market) = (order.account, order.asked.market);
        let role = maker_role(self.fee_of(market).0);
        let left = order.remaining;
        let keep = self.worst_cost(account, Some(number), &order.asked, left, role);
        self.keep(number, keep);
    }

    pub(super) fn keep(&mut self, number: usize, keep: Usd) {
        let order = &mut self.orders[number];
        let shard = self.markets[order.asked.market].spec.exchange_index;
        let change = keep - order.reserved;
        order.reserved = keep;
        *self.accounts[order.account].reserved.entry(shard).or_default() += change;
    }

    pub(super) fn check_funds(
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
}

/// Who pays what for resting, by the fee's type (kalshi.md section 6).
fn maker_role(fee_type: &str) -> Role {
    match fee_type {
        "quadratic_with_maker_fees" => Role::MakerQuarter,
        "quadratic_with_combo_maker_fees" => Role::MakerHalf,
        _ => Role::Maker,
    }
}
