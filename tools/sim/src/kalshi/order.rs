//! An order, a fill and a public trade, and how the venue writes them.

use engine::fee::OrderFees;
use engine::pair::Outcome;
use engine::payoff;
use engine::units::{Ns, Px, Qty, Usd};
use serde_json::{Value, json};

use super::market::Market;
use super::position::{leg, outcome};
use super::text::{
    cents, contracts, dollars6, from_secs, ms, result, rfc3339, rfc3339_secs, secs, size,
};
use crate::venue::Side;

/// What becomes of an order that does not trade at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeInForce {
    /// All or nothing.
    FillOrKill,
    /// The rest is cancelled.
    ImmediateOrCancel,
    /// The rest rests.
    GoodTillCanceled,
}

/// Who gives way where an account would trade with itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SelfTrade {
    /// The order that comes.
    TakerAtCross,
    /// The order that rests.
    Maker,
}

/// Where an order stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It rests.
    Resting,
    /// What was left of it is gone.
    Canceled,
    /// It is filled.
    Executed,
}

impl Status {
    /// The venue's word.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Resting => "resting",
            Status::Canceled => "canceled",
            Status::Executed => "executed",
        }
    }
}

/// An order as it is asked for, read and routed.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// The market's number.
    pub market: usize,
    /// Empty where none was given.
    pub client_order_id: String,
    /// The side of the YES book.
    pub side: Side,
    /// The worst YES price.
    pub px: Px,
    /// Contracts.
    pub count: Qty,
    /// What becomes of the rest.
    pub tif: TimeInForce,
    /// Against whom it may not trade.
    pub stp: SelfTrade,
    /// Refused where it would take.
    pub is_post_only: bool,
    /// Only down to no position.
    pub is_reduce_only: bool,
    /// Cancelled when trading pauses.
    pub cancels_on_pause: bool,
    /// Unix seconds.
    pub expiration: Option<u64>,
    /// The group's number.
    pub group: Option<usize>,
}

/// An order of a member.
#[derive(Clone, Debug)]
pub struct Order {
    /// The venue's id.
    pub id: String,
    /// The account's number.
    pub account: usize,
    /// What was asked for; price, count and client id change with an amendment.
    pub asked: NewOrder,
    /// Where it stands.
    pub status: Status,
    /// Filled so far.
    pub filled: Qty,
    /// What may still be filled.
    pub remaining: Qty,
    /// Money kept for it while it rests.
    pub reserved: Usd,
    /// Rounding of its fees.
    pub fees: OrderFees,
    /// Sum of YES price x size over its fills.
    pub yes_cost: Usd,
    /// Cost of the outcome that it buys: as taker, as maker.
    pub fill_cost: [Usd; 2],
    /// Fees as taker, as maker.
    pub fee_cost: [Usd; 2],
    /// When it came.
    pub created: Ns,
    /// Its last change.
    pub updated: Ns,
    /// Why it changed last.
    pub reason: Option<&'static str>,
}

impl Order {
    /// Both fees.
    pub fn all_fees(&self) -> Usd {
        self.fee_cost[0] + self.fee_cost[1]
    }

    /// The average YES price and the average fee a contract, both rounded to four decimals; none
    /// where nothing was filled.
    pub fn averages(&self) -> Option<(String, String)> {
        let filled = i64::try_from(self.filled.e2()).ok().filter(|filled| *filled > 0)?;
        let px = (self.yes_cost.e6() + filled / 2) / filled;
        let fee = (self.all_fees().e6() + filled / 2) / filled;
        let text = |e4: i64| format!("{}.{:04}", e4 / 10_000, e4 % 10_000);
        Some((text(px), text(fee)))
    }

    /// `GET /portfolio/orders` and its kin.
    pub fn json(&self, user_id: &str, market: &Market) -> Value {
        let side = self.asked.side;
        let mut order = json!({
            "order_id": self.id,
            "user_id": user_id,
            "client_order_id": self.asked.client_order_id,
            "ticker": market.spec.ticker,
            "side": outcome(side).name(),
            "action": "buy",
            "outcome_side": outcome(side).name(),
            "book_side": book_side(side),
            "type": "limit",
            "status": self.status.name(),
            "yes_price_dollars": self.asked.px.to_string(),
            "no_price_dollars": self.asked.px.complement().to_string(),
            "fill_count_fp": self.filled.to_string(),
            "remaining_count_fp": self.remaining.to_string(),
            "initial_count_fp": self.asked.count.to_string(),
            "taker_fill_cost_dollars": dollars6(self.fill_cost[0]),
            "maker_fill_cost_dollars": dollars6(self.fill_cost[1]),
            "taker_fees_dollars": dollars6(self.fee_cost[0]),
            "maker_fees_dollars": dollars6(self.fee_cost[1]),
            "created_time": rfc3339(self.created),
            "last_update_time": rfc3339(self.updated),
            "self_trade_prevention_type": self_trade(self.asked.stp),
            "subaccount_number": 0,
            "exchange_index": market.spec.exchange_index,
        });
        if let Some(expiration) = self.asked.expiration {
            order["expiration_time"] = json!(rfc3339_secs(expiration));
        }
        order
    }

    /// `msg` of a `user_order` frame.
    pub fn message(&self, user_id: &str, market: &Market, group: Option<&str>) -> Value {
        let side = self.asked.side;
        let mut order = json!({
            "order_id": self.id,
            "user_id": user_id,
            "ticker": market.spec.ticker,
            "exchange_index": market.spec.exchange_index,
            "status": self.status.name(),
            "side": outcome(side).name(),
            "is_yes": side == Side::Bid,
            "outcome_side": outcome(side).name(),
            "book_side": book_side(side),
            "yes_price_dollars": self.asked.px.to_string(),
            "fill_count_fp": self.filled.to_string(),
            "remaining_count_fp": self.remaining.to_string(),
            "initial_count_fp": self.asked.count.to_string(),
            "taker_fill_cost_dollars": dollars6(self.fill_cost[0]),
            "maker_fill_cost_dollars": dollars6(self.fill_cost[1]),
            "taker_fees_dollars": dollars6(self.fee_cost[0]),
            "maker_fees_dollars": dollars6(self.fee_cost[1]),
            "client_order_id": self.asked.client_order_id,
        });
        if let Some(group) = group {
            order["order_group_id"] = json!(group);
        }
        order["self_trade_prevention_type"] = json!(self_trade(self.asked.stp));
        order["created_time"] = json!(rfc3339(self.created));
        order["created_ts_ms"] = json!(ms(self.created));
        if let Some(expiration) = self.asked.expiration {
            order["expiration_time"] = json!(rfc3339_secs(expiration));
            order["expiration_ts_ms"] = json!(ms(from_secs(expiration)));
        }
        order["subaccount_number"] = json!(0);
        if let Some(reason) = self.reason {
            order["last_updated_ts_ms"] = json!(ms(self.updated));
            order["last_update_reason"] = json!(reason);
        }
        order
    }
}

/// `bid` or `ask`.
pub const fn book_side(side: Side) -> &'static str {
    match side {
        Side::Bid => "bid",
        Side::Ask => "ask",
    }
}

const fn self_trade(stp: SelfTrade) -> &'static str {
    match stp {
        SelfTrade::TakerAtCross => "taker_at_cross",
        SelfTrade::Maker => "maker",
    }
}

/// A member's part of a trade.
#[derive(Clone, Debug)]
pub struct Fill {
    /// The trade that it is part of.
    pub trade_id: String,
    /// The account's number.
    pub account: usize,
    /// The order's number.
    pub order: usize,
    /// The market's number.
    pub market: usize,
    /// The side that was bought on.
    pub side: Side,
    /// The YES price.
    pub px: Px,
    /// Contracts.
    pub count: Qty,
    /// True for the order that came, not the one that rested.
    pub is_taker: bool,
    /// Money paid, fees aside; below zero where a closing pair gave some back.
    pub cost: Usd,
    /// The net fee.
    pub fee: Usd,
    /// The position after it; 1e-2 contract.
    pub post_e2: i64,
    /// When.
    pub at: Ns,
}

impl Fill {
    /// `GET /portfolio/fills`.
    pub fn json(&self, order: &Order, market: &Market) -> Value {
        json!({
            "action": "buy",
            "book_side": book_side(self.side),
            "count_fp": self.count.to_string(),
            "created_time": rfc3339(self.at),
            "exchange_index": market.spec.exchange_index,
            "fee_cost": dollars6(self.fee),
            "fill_id": self.trade_id,
            "is_taker": self.is_taker,
            "market_ticker": market.spec.ticker,
            "no_price_dollars": self.px.complement().to_string(),
            "order_id": order.id,
            "outcome_side": outcome(self.side).name(),
            "side": outcome(self.side).name(),
            "subaccount_number": 0,
            "ticker": market.spec.ticker,
            "trade_id": self.trade_id,
            "ts": secs(self.at),
            "yes_price_dollars": self.px.to_string(),
        })
    }

    /// `msg` of a `fill` frame.
    pub fn message(&self, order: &Order, market: &Market) -> Value {
        let mut fill = json!({"trade_id": self.trade_id, "order_id": order.id});
        if !order.asked.client_order_id.is_empty() {
            fill["client_order_id"] = json!(order.asked.client_order_id);
        }
        let rest = json!({
            "market_ticker": market.spec.ticker,
            "exchange_index": market.spec.exchange_index,
            "is_taker": self.is_taker,
            "side": outcome(self.side).name(),
            "yes_price_dollars": self.px.to_string(),
            "count_fp": self.count.to_string(),
            "fee_cost": dollars6(self.fee),
            "action": "buy",
            "ts": secs(self.at),
            "ts_ms": ms(self.at),
            "post_position_fp": contracts(self.post_e2),
            "purchased_side": outcome(self.side).name(),
            "outcome_side": outcome(self.side).name(),
            "book_side": book_side(self.side),
            "subaccount": 0,
        });
        if let (Value::Object(fill), Value::Object(rest)) = (&mut fill, rest) {
            fill.extend(rest);
        }
        fill
    }
}

/// A trade as everybody sees it.
#[derive(Clone, Debug)]
pub struct Trade {
    /// Its id.
    pub id: String,
    /// The market's number.
    pub market: usize,
    /// The side of who took.
    pub taker: Side,
    /// The YES price.
    pub px: Px,
    /// Contracts.
    pub count: Qty,
    /// When.
    pub at: Ns,
}

impl Trade {
    /// `GET /markets/trades`.
    pub fn json(&self, market: &Market) -> Value {
        json!({
            "count_fp": self.count.to_string(),
            "created_time": rfc3339(self.at),
            "is_block_trade": false,
            "no_price_dollars": self.px.complement().to_string(),
            "taker_book_side": book_side(self.taker),
            "taker_outcome_side": outcome(self.taker).name(),
            "taker_side": outcome(self.taker).name(),
            "ticker": market.spec.ticker,
            "trade_id": self.id,
            "yes_price_dollars": self.px.to_string(),
        })
    }

    /// `msg` of a `trade` frame.
    pub fn message(&self, market: &Market) -> Value {
        json!({
            "trade_id": self.id,
            "market_ticker": market.spec.ticker,
            "yes_price_dollars": self.px.to_string(),
            "no_price_dollars": self.px.complement().to_string(),
            "count_fp": self.count.to_string(),
            "taker_side": outcome(self.taker).name(),
            "taker_outcome_side": outcome(self.taker).name(),
            "taker_book_side": book_side(self.taker),
            "is_block_trade": false,
            "ts": secs(self.at),
            "ts_ms": ms(self.at),
        })
    }
}

/// What a market paid a member when it settled.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The account's number.
    pub account: usize,
    /// The market's number.
    pub market: usize,
    /// How it settled.
    pub settlement: payoff::Settlement,
    /// The position that was held; 1e-2 contract.
    pub e2: i64,
    /// Bought of YES and of NO.
    pub bought: [Usd; 2],
    /// What it paid: whole cents.
    pub revenue: Usd,
    /// What it did not pay because it is less than a cent.
    pub fee: Usd,
    /// All fees of the market, this one among them.
    pub fees: Usd,
    /// When.
    pub at: Ns,
}

impl Settlement {
    /// `GET /portfolio/settlements`.
    pub fn json(&self, market: &Market) -> Value {
        json!({
            "ticker": market.spec.ticker,
            "exchange_index": market.spec.exchange_index,
            "event_ticker": market.spec.event,
            "market_result": result(self.settlement),
            "yes_count_fp": size(self.e2.max(0).unsigned_abs()),
            "yes_total_cost_dollars": dollars6(self.bought[0]),
            "no_count_fp": size(self.e2.min(0).unsigned_abs()),
            "no_total_cost_dollars": dollars6(self.bought[1]),
            "revenue": self.revenue.e6() / 10_000,
            "settled_time": rfc3339(self.at),
            "fee_cost": super::text::dollars4(self.fees),
            "value": cents(self.settlement.each(Outcome::Yes)),
        })
    }
}

/// The cost of the outcome that an order on this side buys.
pub fn outcome_cost(side: Side, px: Px, count: Qty) -> Usd {
    count.at(leg(side, px))
}
