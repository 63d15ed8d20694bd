//! What an account reads, cancels and keeps alive (polymarket.md sections 5.5 and 7).

use engine::units::Ns;
use serde_json::{Map, Value, json};

use crate::polymarket::auth::{ApiKey, derived, uuid};
use crate::polymarket::eip712::{Exchange, word_of_hex};
use crate::polymarket::reply::{error, json_reply, ok, page};
use crate::polymarket::routes::Query;
use crate::polymarket::wallet::Balance;
use crate::polymarket::{Due, Polymarket};
use crate::venue::{Outbox, Reply};

/// Orders of an API key that was heard once live only while it is heard again: 10 s, and 5 more.
const HEART_SPAN: Ns = Ns::from_ms(15_000);
/// What an account that has everything approved allows.
const ALLOWANCE: &str =
    "115792089237316195423570985008687907853269984665640564039457584007913129639935";

/// The order-safety heartbeat of an API key.
#[derive(Clone, Debug)]
pub struct Heart {
    id: String,
    count: u64,
    until: Ns,
}

impl Polymarket {
    /// Answers what only an account may read.
    pub(super) fn read_private(&self, key: &ApiKey, path: &[&str], query: &Query<'_>) -> Reply {
        match path {
            ["auth", "api-keys"] => ok(&json!({ "apiKeys": self.keys.of(&key.address) })),
            ["auth", ..] => ok(&json!({ "closed_only": false })),
            ["v1", ..] => ok(&json!({
                "tier": "standard",
                "order_rate": 40, "order_burst": 60, "cancel_rate": 80, "cancel_burst": 120,
            })),
            ["balance-allowance", "update"] => Reply::json(200, "{}"),
            ["balance-allowance"] => self.balance(key, query),
            ["data", "order", id] => match self.own_order(key, id) {
                Some(number) => ok(&self.order_row(number)),
                None => error(404, "order not found"),
            },
            ["data", "orders"] => self.open_orders(key, query),
            ["data", "trades"] => self.trade_rows(key, query),
            _ => error(404, "page not found"),
        }
    }

    fn own_order(&self, key: &ApiKey, id: &str) -> Option<usize> {
        let number = *self.by_id.get(&word_of_hex(id)?)?;
        (self.wallets[self.orders[number].wallet].signer == key.address).then_some(number)
    }

    fn open_orders(&self, key: &ApiKey, query: &Query<'_>) -> Reply {
        let rows = self.orders.iter().enumerate().filter(|(_, order)| {
            let spec = &self.markets[order.token.0].spec;
            let is = |key: &str, value: &str| {
                query.get(key).is_none_or(|wanted| wanted.eq_ignore_ascii_case(value))
            };
            order.state.is_open()
                && self.wallets[order.wallet].signer == key.address
                && is("id", &order.id_text)
                && is("market", &spec.condition_id)
                && is("asset_id", &spec.tokens[order.token.1])
        });
        let rows = rows.map(|(number, _)| self.order_row(number)).collect();
        page(rows, query.get("next_cursor").as_deref())
    }

    /// The account's trades, the oldest first; one that it met on both sides comes twice.
    fn trade_rows(&self, key: &ApiKey, query: &Query<'_>) -> Reply {
        let mut rows = Vec::new();
        for trade in &self.trades {
            let matched = trade.matched.0 / 1_000_000_000;
            let is = |key: &str, value: &str| {
                query.get(key).is_none_or(|wanted| wanted.eq_ignore_ascii_case(value))
            };
            let second = |key: &str| query.get(key).and_then(|text| text.parse::<u64>().ok());
            let party = |value: &dyn Fn(&crate::polymarket::trade::Party) -> bool| {
                trade.parties().any(value)
            };
            let wanted = is("id", &trade.id)
                && is("market", &trade.condition)
                && party(&|party| is("asset_id", &party.asset))
                && party(&|party| is("maker_address", &party.address))
                && second("before").is_none_or(|limit| matched <= limit)
                && second("after").is_none_or(|limit| matched >= limit);
            if !wanted {
                continue;
            }
            let mut told = Vec::new();
            for (at, party) in trade.parties().enumerate() {
                let own = party.moves.wallet;
                let own = own.is_some_and(|wallet| self.wallets[wallet].signer == key.address);
                let role = if at == 0 { "TAKER" } else { "MAKER" };
                if own && !told.contains(&(role, &party.owner)) {
                    rows.push(trade.row(role, &party.owner));
                    told.push((role, &party.owner));
                }
            }
        }
        page(rows, query.get("next_cursor").as_deref())
    }

    /// `GET /balance-allowance`: in base units, of the wallet of the given signature type.
    fn balance(&self, key: &ApiKey, query: &Query<'_>) -> Reply {
        let kind = query.number("signature_type").unwrap_or(0);
        let wallet = self.wallets.iter().find(|wallet| {
            wallet.signer == key.address && usize::from(wallet.signature_type) == kind
        });
        let token = query.get("token_id");
        let balance = match query.get("asset_type").as_deref() {
            Some("COLLATERAL") => wallet.map(|wallet| wallet.cash),
            Some("CONDITIONAL" | "CONDITIONAL-V2") => {
                match token.and_then(|id| self.tokens.get(&id)) {
                    Some(token) => wallet.map(|wallet| wallet.of(*token)),
                    None => return error(400, "Invalid token_id"),
                }
            }
            _ => return error(400, "Invalid asset_type"),
        };
        let Balance { total, pending, .. } = balance.unwrap_or_default();
        let spenders =
            Exchange::ALL.map(|exchange| (exchange.contract().to_owned(), Value::from(ALLOWANCE)));
        let allowances: Map<String, Value> = spenders.into_iter().collect();
        ok(&json!({ "balance": (total - pending).to_string(), "allowances": allowances }))
    }

    /// Cancels orders by their ids.
    pub(super) fn cancel_ids(
        &mut self,
        now: Ns,
        key: &ApiKey,
        ids: &[&str],
        out: &mut Outbox,
    ) -> Reply {
        let mut gone = Vec::new();
        let mut kept = Map::new();
        for id in ids {
            let number = word_of_hex(id).and_then(|id| self.by_id.get(&id).copied());
            match self.cancel(now, key, number, out) {
                Ok(()) => gone.push(*id),
                Err(why) => {
                    kept.insert((*id).to_owned(), json!(why));
                }
            }
        }
        ok(&json!({ "canceled": gone, "not_canceled": kept }))
    }

    /// Cancels what a `market` and an `asset_id` name, all where they are missing; an order in its
    /// delay stays.
    pub(super) fn cancel_where(
        &mut self,
        now: Ns,
        key: &ApiKey,
        body: &Value,
        out: &mut Outbox,
    ) -> Reply {
        let named = |key: &str, value: &str| match body[key].as_str() {
            None | Some("") => true,
            Some(wanted) => wanted.eq_ignore_ascii_case(value),
        };
        let wanted = self.orders.iter().enumerate().filter(|(_, order)| {
            let spec = &self.markets[order.token.0].spec;
            order.state.is_open()
                && self.wallets[order.wallet].signer == key.address
                && named("market", &spec.condition_id)
                && named("asset_id", &spec.tokens[order.token.1])
        });
        let ids: Vec<String> = wanted.map(|(_, order)| order.id_text.clone()).collect();
        self.charge_cancels(key, ids.len());
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.cancel_ids(now, key, &ids, out)
    }

    /// `POST /v1/heartbeats`: the first starts the watch, each names the one before it.
    pub(super) fn beat(&mut self, now: Ns, key: &ApiKey, body: &Value) -> Reply {
        let said = body["heartbeat_id"].as_str().unwrap_or("");
        let heart = self.hearts.get(&key.key).filter(|heart| heart.until > now);
        if let Some(heart) = heart
            && said != heart.id
        {
            let answer = json!({ "error_msg": "Invalid Heartbeat ID", "heartbeat_id": heart.id });
            return json_reply(400, &answer);
        }
        let count = self.hearts.get(&key.key).map_or(0, |heart| heart.count + 1);
        let id = uuid(&derived(&[key.key.as_bytes(), &count.to_be_bytes(), b"heart"]));
        let until = now.after(HEART_SPAN);
        self.hearts.insert(key.key.clone(), Heart { id: id.clone(), count, until });
        self.at(until, Due::Heart(key.key.clone()));
        ok(&json!({ "heartbeat_id": id }))
    }

    /// A heartbeat did not come in time: the key's open orders go.
    pub(super) fn miss_heart(&mut self, now: Ns, key: &str, out: &mut Outbox) {
        if self.hearts.get(key).is_none_or(|heart| heart.until != now) {
            return;
        }
        let own = |number: &usize| {
            let order = &self.orders[*number];
            order.owner == key && order.state.is_open()
        };
        for number in (0..self.orders.len()).filter(own).collect::<Vec<usize>>() {
            self.drop_order(now, number, "CANCELED", out);
        }
    }
}
