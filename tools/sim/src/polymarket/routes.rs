//! REST of the CLOB: who may ask, what it costs, and where a path leads (polymarket.md sections 5,
//! 8 and 9).

use engine::units::{Ns, Px};
use serde_json::{Value, json};

use crate::polymarket::Polymarket;
use crate::polymarket::auth::ApiKey;
use crate::polymarket::decimal;
use crate::polymarket::limits::{Cost, Level, Limits};
use crate::polymarket::reply::{Refusal, error, json_reply, number, ok};
use crate::polymarket::wallet::TokenKey;
use crate::polymarket::{catalogue, market::Market};
use crate::venue::{Outbox, Reply, Request};

/// Orders of a batch at most.
const BATCH_MAX: usize = 15;
/// Ids of a cancel at most.
const CANCELS_MAX: usize = 1_000;
/// Books of one `POST /books` at most.
const BOOKS_MAX: usize = 500;

/// A query, decoded where it is read.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a>(pub &'a str);

impl Query<'_> {
    /// Every value of a key; commas do not part them.
    pub fn all(&self, key: &str) -> Vec<String> {
        let pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(name, _)| *name == key).map(|(_, value)| decoded(value)).collect()
    }

    /// The first value of a key that is not empty.
    pub fn get(&self, key: &str) -> Option<String> {
        self.all(key).into_iter().find(|value| !value.is_empty())
    }

    /// A value that is a number.
    pub fn number(&self, key: &str) -> Option<usize> {
        self.get(key)?.parse().ok()
    }
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut raw = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let escaped = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                raw.push(byte);
                at += 3;
            }
            None => {
                raw.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&raw).into_owned()
}

impl Polymarket {
    /// Answers a request.
    pub(super) fn route(&mut self, now: Ns, request: &Request<'_>, out: &mut Outbox) -> Reply {
        let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
        let query = Query(request.query);
        let answer = match (request.method, &path[..]) {
            ("GET", _) if is_private(&path) => {
                self.keys.verify(now, request).map(|key| self.read_private(&key, &path, &query))
            }
            ("GET", ["auth", "derive-api-key"]) => self.keys.find(now, request).map(|key| ok(&key)),
            ("POST", ["auth", "api-key"]) => self.keys.create(now, request).map(|key| ok(&key)),
            ("GET", _) => Ok(self.read_public(now, &path, &query)),
            ("POST", ["books"]) => Ok(self.books(request.body)),
            ("POST" | "DELETE", _) => self.write(now, request, &path, out),
            _ => Err(Refusal::new(405, "method not allowed")),
        };
        answer.unwrap_or_else(Reply::from)
    }

    fn write(
        &mut self,
        now: Ns,
        request: &Request<'_>,
        path: &[&str],
        out: &mut Outbox,
    ) -> Result<Reply, Refusal> {
        const ORDERS: [&str; 4] = ["order", "orders", "cancel-all", "cancel-market-orders"];
        let known = matches!(
            (request.method, path),
            ("DELETE", ["cancel-all" | "cancel-market-orders"] | ["auth", "api-key"])
                | (_, ["order" | "orders"])
                | ("POST", ["v1", "heartbeats"])
        );
        if !known {
            return Err(Refusal::new(404, "not found"));
        }
        let key = self.keys.verify(now, request)?;
        if ORDERS.contains(&path[0]) && now < self.mode.restarts_until {
            self.too_early += 1;
            let headers = vec![("Retry-After", "1".to_owned())];
            let body = json!({ "error": "service is restarting" });
            return Ok(Reply { headers, ..json_reply(425, &body) });
        }
        let body: Value = match request.body {
            [] => Value::Null,
            bytes => serde_json::from_slice(bytes)
                .map_err(|_| Refusal::new(400, "Invalid order payload"))?,
        };
        match (request.method, path) {
            ("POST", ["order"]) => self.charged(now, &key, Cost::Orders(1), |venue| {
                venue.admits()?;
                venue.place(now, &key, &body, out).map(|answer| ok(&answer))
            }),
            ("POST", ["orders"]) => {
                let orders = list(&body, BATCH_MAX)?;
                self.charged(now, &key, Cost::Orders(orders.len() as u32), |venue| {
                    venue.admits()?;
                    let answers =
                        orders.iter().map(|order| match venue.place(now, &key, order, out) {
                            Ok(answer) => answer,
                            Err(refusal) => refused(&refusal),
                        });
                    Ok(ok(&answers.collect()))
                })
            }
            ("DELETE", ["order"]) => self.charged(now, &key, Cost::Cancels(1), |venue| {
                let id = body["orderID"].as_str();
                let id = id.ok_or_else(|| Refusal::new(400, "Invalid order payload"))?;
                Ok(venue.cancel_ids(now, &key, &[id], out))
            }),
            ("DELETE", ["orders"]) => {
                let ids = list(&body, CANCELS_MAX)?;
                let ids: Option<Vec<&str>> = ids.iter().map(Value::as_str).collect();
                let ids = ids.ok_or_else(|| Refusal::new(400, "Invalid order payload"))?;
                let cost = Cost::Cancels(ids.len() as u32);
                self.charged(now, &key, cost, |venue| Ok(venue.cancel_ids(now, &key, &ids, out)))
            }
            ("DELETE", ["cancel-all"]) => self.charged(now, &key, Cost::Cancels(1), |venue| {
                Ok(venue.cancel_where(now, &key, &Value::Null, out))
            }),
            ("DELETE", ["cancel-market-orders"]) => {
                self.charged(now, &key, Cost::Cancels(1), |venue| {
                    Ok(venue.cancel_where(now, &key, &body, out))
                })
            }
            ("DELETE", ["auth", "api-key"]) => {
                self.keys.delete(&key.key);
                Ok(ok(&json!("OK")))
            }
            _ => Ok(self.beat(now, &key, &body)),
        }
    }

    fn admits(&self) -> Result<(), Refusal> {
        let text = "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed.";
        if self.mode.cancel_only { Err(Refusal::new(503, text)) } else { Ok(()) }
    }

    /// Does something that costs tokens, where the signer has them; the answer says what is left.
    fn charged(
        &mut self,
        now: Ns,
        key: &ApiKey,
        cost: Cost,
        run: impl FnOnce(&mut Polymarket) -> Result<Reply, Refusal>,
    ) -> Result<Reply, Refusal> {
        if !self.limited {
            return run(self);
        }
        let limits = self.limits.entry(key.address).or_insert_with(|| Limits::new(now));
        let taken = limits.take(now, cost);
        let (mut reply, level) = match taken {
            Ok(level) => (run(self).unwrap_or_else(Reply::from), level),
            Err(level) => (error(429, "Too Many Requests"), level),
        };
        let Level { remaining, reset, retry_after } = level;
        if taken.is_err() {
            reply.headers.push(("Retry-After", retry_after.max(1).to_string()));
        }
        reply.headers.push(("Poly-RateLimit-Remaining", remaining.to_string()));
        reply.headers.push(("Poly-RateLimit-Reset", reset.to_string()));
        reply.headers.push(("Poly-RateLimit-Tier", "standard".to_owned()));
        Ok(reply)
    }

    /// What `cancel-all` and `cancel-market-orders` cost beyond the first token.
    pub(super) fn charge_cancels(&mut self, key: &ApiKey, count: usize) {
        if let Some(limits) = self.limits.get_mut(&key.address) {
            limits.charge_cancels(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }

    fn books(&self, body: &[u8]) -> Reply {
        let Ok(Value::Array(asked)) = serde_json::from_slice::<Value>(body) else {
            return error(400, "Invalid payload");
        };
        let tokens = asked.iter().filter_map(|entry| entry["token_id"].as_str());
        let found = tokens.filter_map(|token| self.tokens.get(token)).take(BOOKS_MAX);
        let books: Vec<String> =
            found.map(|(market, token)| self.markets[*market].book_rest(*token)).collect();
        Reply::json(200, format!("[{}]", books.join(",")))
    }

    fn read_public(&self, now: Ns, path: &[&str], query: &Query<'_>) -> Reply {
        let by_condition =
            |id: &str, form: fn(&Market) -> Value| match self.conditions.get(&id.to_lowercase()) {
                Some(market) => ok(&form(&self.markets[*market])),
                None => error(404, "market not found"),
            };
        match path {
            [] | ["ok"] => ok(&json!("OK")),
            ["time"] => ok(&json!(now.0 / 1_000_000_000)),
            ["version"] => ok(&json!({ "version": 2 })),
            ["api", "geoblock"] => ok(&json!({
                "blocked": false, "ip": "127.0.0.1", "country": "IE", "region": "L",
            })),
            ["clob-markets", id] => by_condition(id, catalogue::clob_market),
            ["markets", id] if id.starts_with("0x") => by_condition(id, catalogue::long_market),
            ["markets"] if query.get("next_cursor").is_some() => self.clob_listing(query),
            ["markets-by-token", asset] => self.of_token(Some(asset), |market, _| {
                let spec = &market.spec;
                ok(&json!({
                    "condition_id": spec.condition_id,
                    "primary_token_id": spec.tokens[0],
                    "secondary_token_id": spec.tokens[1],
                }))
            }),
            [what @ ("book" | "tick-size" | "neg-risk" | "fee-rate" | "price" | "midpoint")] => {
                let token = query.get("token_id");
                self.of_token(token.as_deref(), |market, token| {
                    quotation(market, token, what, query)
                })
            }
            _ => self.gamma(path, query).unwrap_or_else(|| error(404, "page not found")),
        }
    }

    fn of_token(&self, id: Option<&str>, answer: impl Fn(&Market, usize) -> Reply) -> Reply {
        let key: Option<&TokenKey> = id.and_then(|id| self.tokens.get(id));
        match key {
            Some((market, token)) => answer(&self.markets[*market], *token),
            None => error(404, "No orderbook exists for the requested token id"),
        }
    }
}

fn is_private(path: &[&str]) -> bool {
    matches!(
        path,
        ["data", ..]
            | ["balance-allowance", ..]
            | ["auth", "api-keys"]
            | ["auth", "ban-status", "closed-only"]
            | ["v1", "user", "rate-limit-tier"]
    )
}

fn list(body: &Value, most: usize) -> Result<&[Value], Refusal> {
    match body.as_array() {
        Some(list) if !list.is_empty() && list.len() <= most => Ok(list),
        _ => Err(Refusal::new(400, "Invalid order payload")),
    }
}

/// A refused order of a batch: the venue says success and fills the message.
fn refused(refusal: &Refusal) -> Value {
    json!({
        "errorMsg": refusal.text, "orderID": "", "takingAmount": "", "makingAmount": "",
        "status": "", "success": true,
    })
}

fn quotation(market: &Market, token: usize, what: &str, query: &Query<'_>) -> Reply {
    let (bid, ask) = market.best(token);
    match what {
        "book" => Reply::json(200, market.book_rest(token)),
        "tick-size" => ok(&json!({ "minimum_tick_size": number(&decimal::tick(market.tick)) })),
        "neg-risk" => ok(&json!({ "neg_risk": market.spec.neg_risk })),
        "fee-rate" => {
            ok(&json!({ "base_fee": if market.spec.fee_rate_e6 > 0 { 1_000 } else { 0 } }))
        }
        "price" => match query.get("side").as_deref() {
            Some("BUY" | "buy") => ok(&json!({ "price": decimal::price(bid.unwrap_or(Px::ZERO)) })),
            Some("SELL" | "sell") => {
                ok(&json!({ "price": decimal::price(ask.unwrap_or(Px::ONE)) }))
            }
            _ => error(400, "Invalid side"),
        },
        _ => match (bid, ask) {
            (Some(bid), Some(ask)) => {
                let sum = u64::from(bid.e4()) + u64::from(ask.e4());
                ok(&json!({ "mid": decimal::e6(sum * 50) }))
            }
            _ => error(404, "No orderbook exists for the requested token id"),
        },
    }
}

#[cfg(test)]
mod query_tests {
    use super::*;

    #[test]
    fn queries_are_decoded() {
        let query = Query("a=1&id=x%20y&id=%zz&b=&next_cursor=MA%3D%3D");
        assert_eq!(query.all("id"), ["x y", "%zz"]);
        assert_eq!(query.get("next_cursor").as_deref(), Some("MA=="));
        assert_eq!((query.get("b"), query.number("a")), (None, Some(1)));
    }
}
