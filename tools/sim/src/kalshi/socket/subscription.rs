//! One channel of a session: which markets, which count, how news reads there.

use std::collections::BTreeSet;

use engine::units::Px;
use serde_json::{Value, json};

use super::channel::Channel;
use super::ticker::TickerState;
use crate::kalshi::exchange::Exchange;
use crate::kalshi::news::News;
use crate::kalshi::text::{contracts, ms, rfc3339, size};
use crate::venue::Side;

/// A subscription.
pub(super) struct Subscription {
    pub(super) sid: u64,
    pub(super) channel: Channel,
    /// `None` for all markets.
    pub(super) markets: Option<BTreeSet<usize>>,
    pub(super) seq: u64,
    pub(super) use_yes_price: bool,
    pub(super) skip_ticker_ack: bool,
}

impl Subscription {
    pub(super) fn hears(&self, market: usize) -> bool {
        self.markets.as_ref().is_none_or(|markets| markets.contains(&market))
    }

    /// `,"sid":1,"seq":2`; the number is used up.
    pub(super) fn count(&mut self) -> String {
        if !self.channel.is_counted() {
            return format!(",\"sid\":{}", self.sid);
        }
        self.seq += 1;
        format!(",\"sid\":{},\"seq\":{}", self.sid, self.seq)
    }
}

impl Subscription {
    /// Adds markets; those that are new. Everything stays everything.
    pub(super) fn add(&mut self, more: Option<BTreeSet<usize>>) -> Option<BTreeSet<usize>> {
        match (&mut self.markets, more) {
            (Some(markets), Some(more)) => {
                let new: BTreeSet<usize> = more.difference(markets).copied().collect();
                markets.extend(&new);
                Some(new)
            }
            (Some(_), None) => {
                self.markets = None;
                None
            }
            (None, _) => Some(BTreeSet::new()),
        }
    }

    /// The answer to an update.
    pub(super) fn ok(&mut self, exchange: &Exchange, id: Option<u64>) -> String {
        let id = id.map_or(String::new(), |id| format!("\"id\":{id}"));
        let tickers = self.markets.iter().flatten().map(|market| &exchange.markets[*market]);
        let msg = match self.skip_ticker_ack {
            true => json!({}),
            false => json!({
                "market_tickers": tickers.map(|market| json!(market.spec.ticker)).collect::<Value>()
            }),
        };
        let frame = format!("{{{id}{},\"type\":\"ok\",\"msg\":{msg}}}", self.count());
        frame.replacen("{,", "{", 1)
    }

    /// The state of a market as its channel shows it at first.
    pub(super) fn initial(
        &mut self,
        exchange: &Exchange,
        market: usize,
        id: Option<u64>,
    ) -> String {
        if self.channel == Channel::Ticker {
            return TickerState::of(exchange, market).frame(exchange, market, self);
        }
        let id = id.map_or(String::new(), |id| format!(",\"id\":{id}"));
        let market = &exchange.markets[market];
        let mut body = String::new();
        for (key, side) in [("yes_dollars_fp", Side::Bid), ("no_dollars_fp", Side::Ask)] {
            let flips = side == Side::Ask && !self.use_yes_price;
            let price = |px: Px| if flips { px.complement() } else { px };
            let levels = market.book.levels(side);
            let level = |(px, e2)| format!("[\"{}\",\"{}\"]", price(px), size(e2));
            // Ascending in the prices that are shown.
            let levels: Vec<String> = match side == Side::Bid || flips {
                true => levels.rev().map(level).collect(),
                false => levels.map(level).collect(),
            };
            if !levels.is_empty() {
                body += &format!(",\"{key}\":[{}]", levels.join(","));
            }
        }
        format!(
            "{{\"type\":\"orderbook_snapshot\"{id},\"sending_ts_ms\":{}{},\"msg\":{{\"market_ticker\":{},\"market_id\":\"{}\"{body}}}}}",
            ms(exchange.now),
            self.count(),
            json!(market.spec.ticker),
            market.id,
        )
    }

    /// A piece of news as this subscription tells it; nothing where it does not.
    pub(super) fn frame(
        &mut self,
        exchange: &Exchange,
        account: usize,
        news: &News,
    ) -> Option<String> {
        let (kind, msg) = match (self.channel, news) {
            (Channel::Orderbook, News::Level { market, side, px, delta_e2, by })
                if self.hears(*market) =>
            {
                let msg = self.delta(exchange, account, *market, (*side, *px), *delta_e2, *by);
                ("orderbook_delta", msg)
            }
            (Channel::Trade, News::Trade(trade)) if self.hears(trade.market) => {
                ("trade", trade.message(&exchange.markets[trade.market]).to_string())
            }
            (Channel::Fill, News::Fill(fill))
                if fill.account == account && self.hears(fill.market) =>
            {
                let order = &exchange.orders[fill.order];
                ("fill", fill.message(order, &exchange.markets[fill.market]).to_string())
            }
            (Channel::UserOrders, News::Order(order))
                if order.account == account && self.hears(order.asked.market) =>
            {
                let group = order.asked.group.map(|group| exchange.groups[group].id.as_str());
                let market = &exchange.markets[order.asked.market];
                let user_id = &exchange.accounts[account].user_id;
                ("user_order", order.message(user_id, market, group).to_string())
            }
            (Channel::Positions, News::Position { account: owner, market })
                if *owner == account && self.hears(*market) =>
            {
                ("market_position", exchange.position_message(account, *market).to_string())
            }
            (Channel::Lifecycle, News::Lifecycle(kind, msg)) => (*kind, msg.to_string()),
            (Channel::Groups, News::Group { group, event }) => {
                let group = &exchange.groups[*group];
                if group.account != account {
                    return None;
                }
                let mut msg = json!({"event_type": event, "order_group_id": group.id});
                if matches!(*event, "created" | "limit_updated") {
                    msg["contracts_limit_fp"] = json!(group.limit.to_string());
                }
                msg["ts_ms"] = json!(ms(exchange.now));
                ("order_group_updates", msg.to_string())
            }
            _ => return None,
        };
        let at = ms(exchange.now);
        let count = self.count();
        Some(format!("{{\"type\":\"{kind}\",\"sending_ts_ms\":{at}{count},\"msg\":{msg}}}"))
    }

    pub(super) fn delta(
        &self,
        exchange: &Exchange,
        account: usize,
        market: usize,
        (side, px): (Side, Px),
        delta_e2: i64,
        by: Option<usize>,
    ) -> String {
        let market = &exchange.markets[market];
        let (name, px) = match side {
            Side::Bid => ("yes", px),
            Side::Ask if self.use_yes_price => ("no", px),
            Side::Ask => ("no", px.complement()),
        };
        let own = by.map(|number| &exchange.orders[number]).filter(|o| o.account == account);
        let own = own.map_or(String::new(), |order| {
            format!(",\"client_order_id\":{},\"subaccount\":0", json!(order.asked.client_order_id))
        });
        format!(
            "{{\"market_ticker\":{},\"market_id\":\"{}\",\"price_dollars\":\"{px}\",\"delta_fp\":\"{}\",\"side\":\"{name}\",\"ts\":\"{}\",\"ts_ms\":{}{own}}}",
            json!(market.spec.ticker),
            market.id,
            contracts(delta_e2),
            rfc3339(exchange.now),
            ms(exchange.now),
        )
    }
}
