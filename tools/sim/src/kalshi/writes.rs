//! Orders over REST: create, cancel, amend, decrease, in batches, and order groups
//! (kalshi.md section 4).

use serde_json::{Value, json};

use super::body::{Body, parse};
use super::exchange::Exchange;
use super::group::Group;
use super::limits::Charge;
use super::market::Phase;
use super::news::News;
use super::order::{Order, Status};
use super::query::Query;
use super::refusal::Refusal;
use super::text::{ms, uuid};
use crate::venue::Reply;

/// What a create, an amendment or a decrease costs; tokens.
const ORDER_COST: u64 = 10;
/// What a cancel costs; tokens.
const CANCEL_COST: u64 = 2;

/// Where a request goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Route {
    /// To the shard that it names.
    Shard(u32),
    /// To where its ticker trades.
    ByTicker,
}

/// A member's request to change something.
pub struct Writes<'a> {
    /// Where it happens.
    pub exchange: &'a mut Exchange,
    /// Whose request it is.
    pub account: usize,
    /// Its parameters.
    pub query: &'a Query,
    /// Its body.
    pub body: &'a [u8],
}

type Answer = Result<Reply, Refusal>;

impl Writes<'_> {
    /// Takes tokens.
    fn pay(&mut self, charge: Charge, tokens: u64) -> Result<(), Refusal> {
        let now = self.exchange.now;
        let limits = &mut self.exchange.accounts[self.account].limits;
        if limits.take(now, charge, tokens) { Ok(()) } else { Err(Refusal::TooMany) }
    }

    fn pay_route(&mut self, route: Route, tokens: u64) -> Result<(), Refusal> {
        let charge = match route {
            Route::Shard(0) => Charge::Unscoped,
            Route::Shard(shard) => Charge::Shard(shard),
            Route::ByTicker => Charge::Routed,
        };
        self.pay(charge, tokens)
    }

    /// `POST /portfolio/events/orders`.
    pub fn create(&mut self) -> Answer {
        let body = self.paid_body(Charge::Unscoped, ORDER_COST, "CreateOrderV2Request")?;
        let number = self.place(&body)?;
        Ok(Reply::json(201, self.created(number, false).to_string()))
    }

    /// Reads a body, and charges for it: where it cannot be read, `charge` pays.
    fn paid_body(
        &mut self,
        charge: Charge,
        tokens: u64,
        name: &'static str,
    ) -> Result<Value, Refusal> {
        let value = parse(self.body).and_then(|value| {
            let body = Body::of(&value, name)?;
            let ticker = body.text("ticker")?.is_some() || body.text("market_ticker")?.is_some();
            let route = route(body.int("exchange_index")?, ticker)?;
            Ok((value, route))
        });
        match value {
            Ok((value, route)) => {
                self.pay_route(route, tokens)?;
                Ok(value)
            }
            Err(refusal) => {
                self.pay(charge, tokens)?;
                Err(refusal)
            }
        }
    }

    fn place(&mut self, value: &Value) -> Result<usize, Refusal> {
        let body = Body::of(value, "CreateOrderV2Request")?;
        // Types first, as a parser would; then what the fields say.
        let group = body.text("order_group_id")?.filter(|id| !id.is_empty());
        let shard = body.int("exchange_index")?;
        let ticker = body.needs("ticker")?;
        let asked = body.order(0, None)?;
        let market = self.exchange.tickers.get(ticker).copied().ok_or(Refusal::no_market())?;
        let home = i64::from(self.exchange.markets[market].spec.exchange_index);
        if shard.is_some_and(|shard| shard >= 0 && shard != home) {
            return Err(Refusal::no_market());
        }
        let group = group.map(|id| self.group_of(id)).transpose()?;
        let asked = super::order::NewOrder { market, group, ..asked };
        self.exchange.place(self.account, asked)
    }

    /// The answer to a create; an item of a batch has every key.
    fn created(&self, number: usize, is_item: bool) -> Value {
        let order = &self.exchange.orders[number];
        let mut reply = json!({ "order_id": order.id });
        if !order.asked.client_order_id.is_empty() || is_item {
            reply["client_order_id"] = json!(order.asked.client_order_id);
        }
        reply["fill_count"] = json!(order.filled.to_string());
        reply["remaining_count"] = json!(order.remaining.to_string());
        averages(&mut reply, order, is_item);
        reply["ts_ms"] = json!(ms(self.exchange.now));
        if is_item {
            reply["error"] = Value::Null;
        }
        reply
    }

    /// `POST /portfolio/events/orders/batched`: billed whole, to the unscoped bucket.
    pub fn create_batch(&mut self) -> Answer {
        let value = parse(self.body)?;
        let items = Body::of(&value, "BatchCreateOrdersV2Request")?.list("orders")?;
        self.pay(Charge::Unscoped, ORDER_COST.saturating_mul(items.len().max(1) as u64))?;
        let mut replies = Vec::new();
        for item in items {
            let placed = self.place(item);
            replies.push(match placed {
                Ok(number) => self.created(number, true),
                Err(refusal) => json!({
                    "client_order_id": item["client_order_id"].as_str(),
                    "fill_count": null,
                    "remaining_count": null,
                    "average_fill_price": null,
                    "average_fee_paid": null,
                    "ts_ms": null,
                    "error": refusal.item(),
                }),
            });
        }
        Ok(Reply::json(201, json!({ "orders": replies }).to_string()))
    }

    /// `DELETE /portfolio/events/orders/{order_id}`.
    pub fn cancel(&mut self, id: &str) -> Answer {
        let ticker = self.query.get("market_ticker");
        let shard = self.query.int("exchange_index", "CancelOrder")?;
        let route = route(shard, ticker.is_some())?;
        self.pay_route(route, CANCEL_COST)?;
        self.refuse_subaccount()?;
        let reply = self.canceled(id, ticker, route)?;
        Ok(Reply::json(200, reply.to_string()))
    }

    fn canceled(&mut self, id: &str, ticker: Option<&str>, route: Route) -> Result<Value, Refusal> {
        let number = self.resting(id, ticker, route)?;
        let left = self.exchange.orders[number].remaining;
        self.exchange.cancel(number, None);
        let order = &self.exchange.orders[number];
        let mut reply = json!({ "order_id": order.id });
        if !order.asked.client_order_id.is_empty() {
            reply["client_order_id"] = json!(order.asked.client_order_id);
        }
        reply["reduced_by"] = json!(left.to_string());
        reply["ts_ms"] = json!(ms(self.exchange.now));
        Ok(reply)
    }

    /// `DELETE /portfolio/events/orders/batched`.
    pub fn cancel_batch(&mut self) -> Answer {
        let value = parse(self.body)?;
        let items = Body::of(&value, "BatchCancelOrdersV2Request")?.list("orders")?;
        self.pay(Charge::Unscoped, CANCEL_COST.saturating_mul(items.len().max(1) as u64))?;
        let mut replies = Vec::new();
        for item in items {
            let done = self.cancel_item(item);
            replies.push(done.unwrap_or_else(|refusal| {
                json!({
                    "order_id": item["order_id"].as_str(),
                    "client_order_id": null,
                    "reduced_by": "0.00",
                    "ts_ms": null,
                    "error": refusal.item(),
                })
            }));
        }
        Ok(Reply::json(200, json!({ "orders": replies }).to_string()))
    }

    fn cancel_item(&mut self, item: &Value) -> Result<Value, Refusal> {
        let body = Body::of(item, "BatchCancelOrdersV2RequestOrder")?;
        body.primary()?;
        let ticker = body.text("market_ticker")?;
        let route = route(body.int("exchange_index")?, ticker.is_some())?;
        self.canceled(body.needs("order_id")?, ticker, route)
    }

    /// `DELETE /portfolio/events/orders`: every order on every shard.
    pub fn cancel_all(&mut self) -> Answer {
        self.pay(Charge::Unscoped, CANCEL_COST)?;
        self.refuse_subaccount()?;
        let account = self.account;
        self.exchange.cancel_where(None, |order| order.account == account);
        Ok(Reply::json(204, ""))
    }

    /// `POST /portfolio/events/orders/{order_id}/amend`.
    pub fn amend(&mut self, id: &str) -> Answer {
        let value = self.paid_body(Charge::Unscoped, ORDER_COST, "AmendOrderV2Request")?;
        let body = Body::of(&value, "AmendOrderV2Request")?;
        body.primary()?;
        let (ticker, side) = (body.needs("ticker")?, body.side()?);
        let (px, total) = (body.price()?, body.count("count")?);
        let known_as = body.text("client_order_id")?;
        let renamed = body.text("updated_client_order_id")?.filter(|id| !id.is_empty());
        let expiration = body.expiration()?;
        let route = route(body.int("exchange_index")?, true)?;
        let number = self.resting(id, None, route)?;
        let order = &self.exchange.orders[number];
        if self.exchange.markets[order.asked.market].spec.ticker != ticker {
            return Err(Refusal::new(400, "order_ticker_mismatch"));
        }
        if order.asked.side != side {
            return Err(Refusal::new(400, "order_side_mismatch"));
        }
        if known_as.is_some_and(|id| id != order.asked.client_order_id) {
            return Err(Refusal::new(400, "order_id_and_client_order_id_mismatch"));
        }
        self.exchange.amend(number, px, total, renamed, expiration)?;
        let order = &self.exchange.orders[number];
        let mut reply = json!({
            "order_id": order.id,
            "client_order_id": order.asked.client_order_id,
            "remaining_count": order.remaining.to_string(),
            "fill_count": order.filled.to_string(),
        });
        averages(&mut reply, order, false);
        reply["ts_ms"] = json!(ms(self.exchange.now));
        Ok(Reply::json(200, reply.to_string()))
    }

    /// `POST /portfolio/events/orders/{order_id}/decrease`.
    pub fn decrease(&mut self, id: &str) -> Answer {
        let value = parse(self.body)?;
        let body = Body::of(&value, "DecreaseOrderV2Request")?;
        let ticker = body.text("market_ticker")?;
        let route = route(body.int("exchange_index")?, ticker.is_some())?;
        self.pay_route(route, ORDER_COST)?;
        body.primary()?;
        let by = body.text("reduce_by")?.map(|_| body.count("reduce_by")).transpose()?;
        let to = body.text("reduce_to")?.map(|_| body.count("reduce_to")).transpose()?;
        let number = self.resting(id, ticker, route)?;
        let before = self.exchange.orders[number].remaining;
        let left = match (by, to) {
            (Some(by), None) if by <= before && !by.is_zero() => before.saturating_sub(by),
            (None, Some(to)) if to < before => to,
            (Some(_), None) | (None, Some(_)) => {
                return Err(Refusal::new(400, "invalid_order_size"));
            }
            _ => return Err(Refusal::missing("exactly one of reduce_by and reduce_to")),
        };
        self.exchange.decrease(number, left);
        let order = &self.exchange.orders[number];
        let reply = json!({
            "order_id": order.id,
            "client_order_id": order.asked.client_order_id,
            "remaining_count": order.remaining.to_string(),
            "ts_ms": ms(self.exchange.now),
        });
        Ok(Reply::json(200, reply.to_string()))
    }

    /// The member's resting order of that id, where the request finds it. After the close of its
    /// market every operation is refused.
    fn resting(&self, id: &str, ticker: Option<&str>, route: Route) -> Result<usize, Refusal> {
        let number = self.exchange.order_ids.get(id).copied().ok_or(Refusal::not_found())?;
        let order = &self.exchange.orders[number];
        let market = &self.exchange.markets[order.asked.market];
        let is_there = match route {
            Route::Shard(shard) => shard == market.spec.exchange_index,
            Route::ByTicker => true,
        };
        let is_meant = ticker.is_none_or(|ticker| ticker == market.spec.ticker);
        if order.account != self.account || !is_there || !is_meant {
            return Err(Refusal::not_found());
        }
        if matches!(market.phase, Phase::Closed | Phase::Finalized(_)) {
            return Err(Refusal::new(400, "MARKET_INACTIVE"));
        }
        if order.status != Status::Resting {
            return Err(Refusal::not_found());
        }
        Ok(number)
    }

    fn refuse_subaccount(&self) -> Result<(), Refusal> {
        match self.query.int("subaccount", "CancelOrder")? {
            None | Some(0) => Ok(()),
            Some(_) => Err(Refusal::not_found()),
        }
    }

    fn group_of(&self, id: &str) -> Result<usize, Refusal> {
        let is_it =
            |group: &Group| group.id == id && group.account == self.account && !group.is_deleted;
        self.exchange.groups.iter().position(is_it).ok_or(Refusal::not_found())
    }

    /// `POST /portfolio/order_groups/create`.
    pub fn create_group(&mut self) -> Answer {
        self.pay(Charge::Unscoped, ORDER_COST)?;
        let value = parse(self.body)?;
        let body = Body::of(&value, "CreateOrderGroupRequest")?;
        body.primary()?;
        let limit = group_limit(body)?;
        let shard = u32::try_from(body.int("exchange_index")?.unwrap_or(0));
        let shard = shard.ok().filter(|shard| self.exchange.shards.contains(shard));
        let shard = shard.ok_or(Refusal::not_found())?;
        let group = self.exchange.groups.len();
        let id = uuid(super::GROUP_IDS, group as u64);
        self.exchange.groups.push(Group::new(id.clone(), self.account, shard, limit));
        self.exchange.news.push(News::Group { group, event: "created" });
        let reply = json!({"order_group_id": id, "subaccount": 0, "exchange_index": shard});
        Ok(Reply::json(201, reply.to_string()))
    }

    /// `PUT /portfolio/order_groups/{id}/{what}` and `DELETE /portfolio/order_groups/{id}`.
    pub fn change_group(&mut self, id: &str, what: &str) -> Answer {
        self.pay(Charge::Unscoped, ORDER_COST)?;
        let group = self.group_of(id)?;
        let event = match what {
            "reset" => {
                self.exchange.groups[group].reset();
                "reset"
            }
            "trigger" => {
                self.exchange.trigger(group);
                return Ok(Reply::json(200, "{}"));
            }
            "limit" => {
                let value = parse(self.body)?;
                let limit = group_limit(Body::of(&value, "UpdateOrderGroupLimitRequest")?)?;
                self.exchange.groups[group].limit = limit;
                if self.exchange.groups[group].exceeds() {
                    self.exchange.trigger(group);
                }
                "limit_updated"
            }
            _ => {
                self.exchange.cancel_where(Some("OrderGroupCancel"), |order| {
                    order.asked.group == Some(group)
                });
                self.exchange.groups[group].is_deleted = true;
                "deleted"
            }
        };
        self.exchange.news.push(News::Group { group, event });
        Ok(Reply::json(200, "{}"))
    }

    /// `POST /portfolio/intra_exchange_instance_transfer`: money from one shard to another.
    pub fn transfer(&mut self) -> Answer {
        self.pay(Charge::Unscoped, ORDER_COST)?;
        let value = parse(self.body)?;
        let body = Body::of(&value, "IntraExchangeInstanceTransferRequest")?;
        for field in ["source", "destination"] {
            if body.needs(field)? != "event_contract" {
                return Err(Refusal::with(400, "bad_request", "unknown exchange instance"));
            }
        }
        let shard = |field| -> Result<u32, Refusal> {
            let shard = u32::try_from(body.int(field)?.unwrap_or(0)).ok();
            shard.filter(|shard| self.exchange.shards.contains(shard)).ok_or(Refusal::not_found())
        };
        let (from, to) = (shard("source_exchange_shard")?, shard("destination_exchange_shard")?);
        let amount = body.int("amount")?.ok_or(Refusal::missing("amount"))?;
        let money = engine::units::Usd::new(amount.saturating_mul(100));
        let transfer = self.exchange.transfers;
        let member = &mut self.exchange.accounts[self.account];
        if amount <= 0 || money > member.available(from) {
            return Err(Refusal::new(400, "available_balance_too_low"));
        }
        member.pay(from, -money);
        member.pay(to, money);
        self.exchange.transfers += 1;
        let reply = json!({"transfer_id": uuid(super::TRANSFER_IDS, transfer)});
        Ok(Reply::json(200, reply.to_string()))
    }
}

/// Where a request goes: to the shard that it names, by its ticker, or to shard 0.
fn route(shard: Option<i64>, has_ticker: bool) -> Result<Route, Refusal> {
    match shard {
        Some(-1) | None if has_ticker => Ok(Route::ByTicker),
        None => Ok(Route::Shard(0)),
        Some(shard) => {
            let shard = u32::try_from(shard);
            shard.map(Route::Shard).map_err(|_| Refusal::missing("market_ticker"))
        }
    }
}

/// 1 to 1,000,000 contracts.
fn group_limit(body: Body<'_>) -> Result<engine::units::Qty, Refusal> {
    let limit = match body.int("contracts_limit")? {
        Some(whole) => u64::try_from(whole).ok().and_then(|n| n.checked_mul(100)),
        None => Some(body.count("contracts_limit_fp")?.e2()),
    };
    let limit = limit.filter(|e2| (100..=100_000_000).contains(e2));
    limit.and_then(engine::units::Qty::new).ok_or(Refusal::with(
        400,
        "bad_request",
        "contracts limit must be between 1 and 1000000",
    ))
}

fn averages(reply: &mut Value, order: &Order, is_item: bool) {
    if let Some((px, fee)) = order.averages() {
        reply["average_fill_price"] = json!(px);
        reply["average_fee_paid"] = json!(fee);
    } else if is_item {
        reply["average_fill_price"] = Value::Null;
        reply["average_fee_paid"] = Value::Null;
    }
}
