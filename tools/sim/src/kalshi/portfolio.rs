//! What a member may read about itself (kalshi.md section 4, "Portfolio").

use std::collections::BTreeMap;

use engine::units::{Qty, Usd};
use serde_json::{Value, json};

use super::exchange::Exchange;
use super::group::Group;
use super::order::Order;
use super::position::{Position, qty};
use super::query::Query;
use super::refusal::Refusal;
use super::text::{contracts, dollars4, dollars6, rfc3339, secs, size};
use crate::venue::Side;

type Answer = Result<Value, Refusal>;

impl Exchange {
    /// `GET /portfolio/balance`: money that no resting order keeps.
    pub fn get_balance(&self, account: usize, query: &Query) -> Answer {
        let only = query.int("exchange_index", "GetBalance")?;
        let meant = |shard: u32| only.is_none_or(|only| only == i64::from(shard));
        let member = &self.accounts[account];
        let shards = member.cash.keys().copied().filter(|shard| meant(*shard));
        let money: Vec<(u32, Usd)> = shards.map(|shard| (shard, member.available(shard))).collect();
        let total: Usd = money.iter().map(|(_, usd)| *usd).sum();
        let held = member
            .positions
            .iter()
            .filter(|(market, _)| meant(self.markets[**market].spec.exchange_index));
        let value: Usd = held.map(|(market, position)| self.value(*market, position)).sum();
        let of_shard =
            |(shard, usd): &(u32, Usd)| json!({"balance": dollars4(*usd), "exchange_index": shard});
        let shards: Value = money.iter().map(of_shard).collect();
        Ok(json!({
            "balance": total.e6().div_euclid(10_000),
            "balance_breakdown": shards,
            "balance_dollars": dollars4(total),
            "portfolio_value": value.e6().div_euclid(10_000),
            "updated_ts": secs(self.now),
        }))
    }

    /// What a position would fetch at the best price.
    fn value(&self, market: usize, position: &Position) -> Usd {
        let held = qty(position.e2.unsigned_abs());
        let market = &self.markets[market];
        match position.e2 {
            0.. => held.at(market.top(Side::Bid).0),
            _ => held.at(market.top(Side::Ask).0.complement()),
        }
    }

    /// `GET /portfolio/positions`.
    pub fn get_positions(&self, account: usize, query: &Query) -> Answer {
        let limit = query.limit("GetPositions", 100, 1_000)?;
        let settled = query.get("settlement_status").unwrap_or("unsettled");
        let filter = query.list("count_filter");
        let meant = self.accounts[account].positions.iter().filter(|(number, position)| {
            let market = &self.markets[**number];
            let is_settled = matches!(market.phase, super::market::Phase::Finalized(_));
            query.admits("ticker", &market.spec.ticker)
                && query.admits("event_ticker", &market.spec.event)
                && matches!(
                    (settled, is_settled),
                    ("all", _) | ("unsettled", false) | ("settled", true)
                )
                && (!filter.contains(&"position") || position.e2 != 0)
                && (!filter.contains(&"total_traded") || position.volume_e2 != 0)
        });
        let (page, cursor) = query.page(
            limit,
            meant.map(|(number, position)| (*number, (*number, position))),
            false,
        );
        let mut events: BTreeMap<&str, (Usd, Usd, Usd, u64)> = BTreeMap::new();
        let mut markets = Vec::new();
        for (number, position) in page {
            let market = &self.markets[number];
            let event = events.entry(&market.spec.event).or_default();
            event.0 += position.cost;
            event.1 += position.fees;
            event.2 += position.realized;
            event.3 += position.e2.unsigned_abs();
            markets.push(json!({
                "ticker": market.spec.ticker,
                "exchange_index": market.spec.exchange_index,
                "total_traded_dollars": dollars6(position.traded),
                "position_fp": contracts(position.e2),
                "market_exposure_dollars": dollars6(position.cost),
                "realized_pnl_dollars": dollars6(position.realized),
                "fees_paid_dollars": dollars6(position.fees),
                "last_updated_ts": rfc3339(position.updated),
            }));
        }
        let events: Value = events
            .into_iter()
            .map(|(event, (cost, fees, realized, e2))| {
                json!({
                    "event_exposure_dollars": dollars6(cost),
                    "event_ticker": event,
                    "fees_paid_dollars": dollars6(fees),
                    "realized_pnl_dollars": dollars6(realized),
                    "total_cost_dollars": dollars6(cost),
                    "total_cost_shares_fp": size(e2),
                })
            })
            .collect();
        Ok(json!({"cursor": cursor, "event_positions": events, "market_positions": markets}))
    }

    fn order_json(&self, order: &Order) -> Value {
        let mut json =
            order.json(&self.accounts[order.account].user_id, &self.markets[order.asked.market]);
        if let Some(group) = order.asked.group {
            json["order_group_id"] = json!(self.groups[group].id);
        }
        json
    }

    /// `GET /portfolio/orders`, newest first.
    pub fn get_orders(&self, account: usize, query: &Query) -> Answer {
        let limit = query.limit("GetOrders", 100, 1_000)?;
        let spans = query.spans("GetOrders")?;
        let shard = query.int("exchange_index", "GetOrders")?;
        let meant = self.orders.iter().enumerate().rev().filter(|(_, order)| {
            let market = &self.markets[order.asked.market].spec;
            order.account == account
                && query.admits("ticker", &market.ticker)
                && query.admits("event_ticker", &market.event)
                && query.admits("status", order.status.name())
                && shard.is_none_or(|shard| shard == i64::from(market.exchange_index))
                && spans(secs(order.created))
        });
        let orders = meant.map(|(number, order)| (number, self.order_json(order)));
        Ok(query.reply("orders", limit, orders, true))
    }

    fn own_order(&self, account: usize, id: &str) -> Result<&Order, Refusal> {
        let number = self.order_ids.get(id).copied();
        let order = number.map(|number| &self.orders[number]);
        order.filter(|order| order.account == account).ok_or(Refusal::not_found())
    }

    /// `GET /portfolio/orders/{order_id}`.
    pub fn get_order(&self, account: usize, id: &str) -> Answer {
        Ok(json!({"order": self.order_json(self.own_order(account, id)?)}))
    }

    /// Contracts before an order in its queue; none of one that does not rest.
    fn queue_position(&self, number: usize) -> Option<Qty> {
        let asked = &self.orders[number].asked;
        let mut ahead: u64 = 0;
        let book = &self.markets[asked.market].book;
        for place in book.facing(asked.side.opposite(), asked.px) {
            if place.owner == crate::matching::Owner::Order(number as u64) {
                return Some(qty(ahead));
            }
            ahead += place.size;
        }
        None
    }

    /// `GET /portfolio/orders/{order_id}/queue_position`.
    pub fn get_queue_position(&self, account: usize, id: &str) -> Answer {
        self.own_order(account, id)?;
        let position = self.order_ids.get(id).and_then(|number| self.queue_position(*number));
        let position = position.ok_or(Refusal::not_found())?;
        Ok(json!({"queue_position_fp": position.to_string()}))
    }

    /// `GET /portfolio/orders/queue_positions`.
    pub fn get_queue_positions(&self, account: usize, query: &Query) -> Answer {
        let resting = self.accounts[account].resting.iter().filter_map(|number| {
            let order = &self.orders[*number];
            let market = &self.markets[order.asked.market].spec;
            let is_meant = query.admits("market_tickers", &market.ticker)
                && query.admits("event_ticker", &market.event);
            let position = self.queue_position(*number).filter(|_| is_meant)?;
            Some(json!({
                "order_id": order.id,
                "market_ticker": market.ticker,
                "queue_position_fp": position.to_string(),
            }))
        });
        Ok(json!({"queue_positions": resting.collect::<Value>()}))
    }

    /// `GET /portfolio/fills`, newest first.
    pub fn get_fills(&self, account: usize, query: &Query) -> Answer {
        let limit = query.limit("GetFills", 100, 1_000)?;
        let spans = query.spans("GetFills")?;
        let meant = self.fills.iter().enumerate().rev().filter(|(_, fill)| {
            fill.account == account
                && query.admits("ticker", &self.markets[fill.market].spec.ticker)
                && query.admits("order_id", &self.orders[fill.order].id)
                && spans(secs(fill.at))
        });
        let json = |(number, fill): (usize, &super::order::Fill)| {
            (number, fill.json(&self.orders[fill.order], &self.markets[fill.market]))
        };
        Ok(query.reply("fills", limit, meant.map(json), true))
    }

    /// `GET /portfolio/settlements`, newest first.
    pub fn get_settlements(&self, account: usize, query: &Query) -> Answer {
        let limit = query.limit("GetSettlements", 100, 1_000)?;
        let spans = query.spans("GetSettlements")?;
        let meant = self.settlements.iter().enumerate().rev().filter(|(_, settlement)| {
            let market = &self.markets[settlement.market].spec;
            settlement.account == account
                && query.admits("ticker", &market.ticker)
                && query.admits("event_ticker", &market.event)
                && spans(secs(settlement.at))
        });
        let json =
            meant.map(|(i, settlement)| (i, settlement.json(&self.markets[settlement.market])));
        Ok(query.reply("settlements", limit, json, true))
    }

    /// `GET /portfolio/order_groups`.
    pub fn get_groups(&self, account: usize) -> Value {
        let own = self.groups.iter().filter(|group| group.account == account && !group.is_deleted);
        let groups: Value = own
            .map(|group| {
                json!({
                    "id": group.id,
                    "contracts_limit_fp": group.limit.to_string(),
                    "is_auto_cancel_enabled": true,
                    "exchange_index": group.shard,
                })
            })
            .collect();
        json!({ "order_groups": groups })
    }

    /// `GET /portfolio/order_groups/{id}`.
    pub fn get_group(&self, account: usize, id: &str) -> Answer {
        let is_it = |group: &Group| group.id == id && group.account == account && !group.is_deleted;
        let number = self.groups.iter().position(is_it).ok_or(Refusal::not_found())?;
        let group = &self.groups[number];
        let resting = self.accounts[account].resting.iter().map(|number| &self.orders[*number]);
        let orders: Value = resting
            .filter(|order| order.asked.group == Some(number))
            .map(|order| json!(order.id))
            .collect();
        Ok(json!({
            "is_auto_cancel_enabled": true,
            "contracts_limit_fp": group.limit.to_string(),
            "orders": orders,
            "exchange_index": group.shard,
        }))
    }

    /// `GET /api_keys`.
    pub fn get_keys(&self, account: usize) -> Value {
        let key = json!({
            "api_key_id": self.accounts[account].key_id,
            "name": "simulated",
            "scopes": ["read", "write::trade"],
        });
        json!({"api_keys": [key], "api_key_region_expiration_ts": null})
    }

    /// `GET /account/endpoint_costs`.
    pub fn get_costs(&self) -> Value {
        let cost = |method: &str, path: &str| json!({"cost": 2, "method": method, "path": format!("/trade-api/v2{path}")});
        json!({
            "default_cost": 10,
            "endpoint_costs": [
                cost("DELETE", "/portfolio/events/orders"),
                cost("DELETE", "/portfolio/events/orders/:order_id"),
                cost("DELETE", "/portfolio/events/orders/batched"),
                cost("GET", "/portfolio/orders/:order_id"),
            ],
        })
    }

    /// `msg` of a `market_position` frame.
    pub fn position_message(&self, account: usize, market: usize) -> Value {
        let member = &self.accounts[account];
        let position = member.position(market);
        json!({
            "user_id": member.user_id,
            "market_ticker": self.markets[market].spec.ticker,
            "position_fp": contracts(position.e2),
            "position_cost_dollars": dollars4(position.cost),
            "realized_pnl_dollars": dollars4(position.realized),
            "fees_paid_dollars": dollars4(position.fees),
            "position_fee_cost_dollars": dollars4(position.fee_cost),
            "volume_fp": size(position.volume_e2),
        })
    }
}
