//! The whole truth about every member, for those who check ours against it.

use engine::pair::Outcome;
use serde_json::{Map, Value, json};

use super::exchange::Exchange;
use super::market::Phase;
use super::order::{Order, book_side};
use super::text::result;
use crate::venue::{Side, Standing};

impl Exchange {
    /// The whole truth about every member; see [`crate::venue::Venue::ledger`] of the venue for its
    /// form.
    pub fn ledger(&self, reused_headers: u64) -> Value {
        let accounts = (0..self.accounts.len()).map(|account| self.ledger_of(account));
        let results: Value = self
            .listed()
            .map(|(_, market)| {
                let (result, yes) = match market.phase {
                    Phase::Finalized(settlement) => {
                        (json!(result(settlement)), json!(settlement.each(Outcome::Yes).e4()))
                    }
                    _ => (Value::Null, Value::Null),
                };
                json!({
                    "ticker": market.spec.ticker,
                    "status": market.status(),
                    "result": result,
                    "yes_pays_e4": yes,
                })
            })
            .collect();
        let most = self.accounts.iter().flat_map(|account| account.client_ids.values().copied());
        json!({
            "venue": "kalshi",
            "accounts": accounts.collect::<Value>(),
            "markets": results,
            "makers_cash": self.house.cash.e6(),
            "fees": self.house.fees.e6(),
            "money": self.money().e6(),
            "orders_by_client_order_id": most.max().unwrap_or(0),
            "overfilled_orders": self.overfilled,
            "reused_headers": reused_headers,
        })
    }

    /// A member's orders as the ledger has them, without the first `from`.
    pub fn orders_of(&self, number: usize, from: usize) -> Vec<Value> {
        let own = self.orders.iter().filter(|order| order.account == number).skip(from);
        let row = |order: &Order| {
            json!({
                "id": order.id,
                "client_order_id": order.asked.client_order_id,
                "ticker": self.markets[order.asked.market].spec.ticker,
                "side": book_side(order.asked.side),
                "limit_e4": order.asked.px.e4(),
                "count_e2": order.asked.count.e2(),
                "filled_e2": order.filled.e2(),
                "remaining_e2": order.remaining.e2(),
                "state": order.status.name(),
                "reason": order.reason,
                "fees": order.all_fees().e6(),
                "created_ns": order.created.0,
            })
        };
        own.map(row).collect()
    }

    /// How a member stands.
    pub fn standing(&self, number: usize, reused_headers: u64) -> Option<Standing> {
        let member = self.accounts.get(number)?;
        let held = member.positions.iter().filter(|(_, position)| position.e2 != 0);
        let own = || self.fills.iter().filter(|fill| fill.account == number);
        let most = self.accounts.iter().flat_map(|account| account.client_ids.values().copied());
        Some(Standing {
            cash: member.cash.values().map(|usd| usd.e6()).sum(),
            held: held
                .map(|(market, position)| (self.markets[*market].spec.ticker.clone(), position.e2))
                .collect(),
            orders: self.orders.iter().filter(|order| order.account == number).count() as u64,
            fills: own().count() as u64,
            fees: own().map(|fill| fill.fee.e6()).sum(),
            failed: 0,
            orders_of_an_id: most.max().unwrap_or(0).into(),
            reused_headers,
            overfilled: self.overfilled,
        })
    }

    /// Orders and fills so far.
    pub fn moves(&self) -> u64 {
        (self.orders.len() + self.fills.len()) as u64
    }

    fn ledger_of(&self, number: usize) -> Value {
        let member = &self.accounts[number];
        let cash: Map<String, Value> =
            member.cash.iter().map(|(shard, usd)| (shard.to_string(), json!(usd.e6()))).collect();
        let reserved: Map<String, Value> = member
            .reserved
            .iter()
            .map(|(shard, usd)| (shard.to_string(), json!(usd.e6())))
            .collect();
        let positions: Map<String, Value> = member
            .positions
            .iter()
            .map(|(market, position)| {
                let entry = json!({
                    "position_e2": position.e2,
                    "cost": position.cost.e6(),
                    "realized": position.realized.e6(),
                    "fees": position.fees.e6(),
                });
                (self.markets[*market].spec.ticker.clone(), entry)
            })
            .collect();
        let fills = self.fills.iter().filter(|fill| fill.account == number).map(|fill| {
            let order = &self.orders[fill.order];
            let outcome = if fill.side == Side::Bid { Outcome::Yes } else { Outcome::No }.name();
            json!({
                "trade_id": fill.trade_id,
                "order_id": order.id,
                "client_order_id": order.asked.client_order_id,
                "ticker": self.markets[fill.market].spec.ticker,
                "outcome": outcome,
                "price_e4": fill.px.e4(),
                "count_e2": fill.count.e2(),
                "cost": fill.cost.e6(),
                "fee": fill.fee.e6(),
                "is_taker": fill.is_taker,
                "at_ns": fill.at.0,
            })
        });
        let paid = self.settlements.iter().filter(|settlement| settlement.account == number);
        let settlements = paid.map(|settlement| {
            json!({
                "ticker": self.markets[settlement.market].spec.ticker,
                "result": result(settlement.settlement),
                "position_e2": settlement.e2,
                "revenue": settlement.revenue.e6(),
                "fee": settlement.fee.e6(),
            })
        });
        json!({
            "key_id": member.key_id,
            "cash": cash,
            "reserved": reserved,
            "positions": positions,
            "orders": self.orders_of(number, 0),
            "fills": fills.collect::<Value>(),
            "settlements": settlements.collect::<Value>(),
        })
    }
}
