//! What the administrator may ask for, under `/sim/` on every port. Each call carries the token
//! that the start-up line tells, in `x-sim-token`; bodies are JSON objects.
//!
//! | call | body |
//! |---|---|
//! | `GET /sim/ledger` | |
//! | `GET /sim/universe` | |
//! | `POST /sim/close` | `{"venue":"kalshi","market":"kxsim.."}`: it takes no more orders there, before its time; it settles later all the same |
//! | `POST /sim/fault` | `{"venue":"kalshi","kind":"drop","count":1,"ms":500}`; `count` and `ms` may be missing; kind `clock_skew` takes `ms` of either sign and lasts; kinds `settlement_failed` and `over_fill` |
//! | `POST /sim/fee` | `{"venue":"kalshi","market":"kxsim..","fee_type":"quadratic","multiplier_e6":2000000}`: all markets of its event charge that from now on (1000000 where it is missing; `flat` is charged like `quadratic`, as nobody knows its formula); without `fee_type` the fee is the series' again. Polymarket tells of no change |
//! | `POST /sim/inject` | `{"pair":"kxsim..","direction":"FirstYes","edge_micro_usd":20000,"ms":1000}` |
//! | `POST /sim/list` | `{}`: the next of the withheld markets is listed and announced on all venues |
//! | `POST /sim/pause` | `{"venue":"kalshi","market":"kxsim..","paused":true}`; without `market` the whole venue |
//! | `POST /sim/refine` | `{"venue":"kalshi","market":"kxsim.."}`: prices become tenths of a cent |
//! | `POST /sim/restart` | `{"venue":"polymarket"}` |
//! | `POST /sim/settle` | `{"market":"kxsim..","outcome":"yes"}`: Kalshi's outcome, `yes` or `no`; `void` pays half a dollar a token on Polymarket, and on Kalshi `"yes_price":"0.3700"` a YES, half a dollar where that is missing; `"polymarket":"void"` (or `yes`, `no`, or what a YES pays, `"0.3333"`) is what that venue finds instead |
//! | `POST /sim/settle-all` | `{}`: every market by its fair value |
//! | `POST /sim/end` | `{}`: write the last ledger and end |
//!
//! A market is named by its pair, its ticker or its number.

use std::sync::atomic::Ordering;

use engine::pair::{Direction, MULTIPLIER_E6_MAX, Outcome};
use engine::payoff::Settlement;
use engine::units::{Ns, Px, Venue as VenueId};
use serde_json::{Value, json};

use super::{Booths, World};
use crate::cast::pair_id;
use crate::fault::Kind;
use crate::host::{Effects, SiteId};
use crate::venue::{Reply, Request, Upset};

/// The longest time that a call may ask for: a day.
const MS_MAX: u64 = 86_400_000;
/// How long an injected arbitrage stays open where nobody says.
const INJECT_MS: u64 = 1_000;

/// What either token of a void market pays on Polymarket, and a YES on Kalshi where nobody says.
const HALF: Px = Px::lit(5_000);

/// Kalshi's names of fees (kalshi.md section 6).
const FEE_TYPES: [&str; 4] =
    ["quadratic", "quadratic_with_maker_fees", "quadratic_with_combo_maker_fees", "flat"];

/// What a call lacks.
type Refusal = (u16, String);

impl World {
    /// Answers a call.
    pub(super) fn admin(&mut self, now: Ns, request: &Request<'_>, effects: &mut Effects) -> Reply {
        if request.header("x-sim-token") != Some(self.admin_token.as_str()) {
            return Reply::json(401, "{\"error\":\"x-sim-token is missing or wrong\"}");
        }
        let done = match (request.method, request.path) {
            ("GET", "/sim/ledger") => Ok(self.ledger()),
            ("GET", "/sim/universe") => Ok(self.universe()),
            ("POST", path) => Call::new(request.body).and_then(|call| match path {
                "/sim/close" => self.close_one(now, &call, effects),
                "/sim/fault" => self.order_fault(now, &call, effects),
                "/sim/fee" => self.fee(now, &call, effects),
                "/sim/inject" => self.inject(now, &call, effects),
                "/sim/list" => self.list(now, effects),
                "/sim/pause" => self.pause(now, &call, effects),
                "/sim/refine" => self.refine(now, &call, effects),
                "/sim/restart" => self.upset(now, &call, Upset::Restart, effects),
                "/sim/settle" => self.settle_one(now, &call, effects),
                "/sim/settle-all" => Ok(self.settle_all(now, effects)),
                "/sim/end" => {
                    self.end.store(true, Ordering::Relaxed);
                    Ok(json!({ "ok": true }))
                }
                _ => Err((404, format!("{path}: no such call"))),
            }),
            (_, path) => Err((404, format!("{path}: no such call"))),
        };
        match done {
            Ok(value) => Reply::json(200, value.to_string()),
            Err((status, error)) => Reply::json(status, json!({ "error": error }).to_string()),
        }
    }

    fn universe(&self) -> Value {
        json!({ "markets": (0..self.markets.len()).map(|n| self.told(n)).collect::<Vec<_>>() })
    }

    fn list(&mut self, now: Ns, effects: &mut Effects) -> Result<Value, Refusal> {
        match self.list_next(now, effects) {
            Some(number) => Ok(json!({ "ok": true, "market": self.told(number) })),
            None => Err((409, "no market is left that is not listed".to_owned())),
        }
    }

    /// A market as the administrator is told of it.
    fn told(&self, number: usize) -> Value {
        let market = &self.markets[number];
        json!({
            "number": number,
            "pair": pair_id(&market.kalshi),
            "ticker": market.kalshi.ticker,
            "exchange_index": market.kalshi.exchange_index,
            "condition_id": market.polymarket.condition_id,
            "tokens": market.polymarket.tokens,
            "inverted": market.polarity == engine::pair::Polarity::Inverted,
            "version": if market.polymarket.is_v2 { "v2" } else { "v1" },
            "likely": self.model.likely(number).name(),
            "settled": self.settled.contains(&number),
            "closed": self.closed_at(number),
        })
    }

    /// The venues that closed a market before its time.
    fn closed_at(&self, number: usize) -> Vec<&'static str> {
        let at = self.closed.iter().filter(|(_, market)| *market == number);
        at.map(|(site, _)| self.sites[*site].id.name()).collect()
    }

    fn close_one(&mut self, now: Ns, call: &Call, effects: &mut Effects) -> Result<Value, Refusal> {
        let (site, market) = (self.site(call)?, self.market(call, "market")?);
        match self.close(now, site, market, effects) {
            true => Ok(json!({ "ok": true })),
            false => Err((409, "market: it is closed there already".to_owned())),
        }
    }

    fn fee(&mut self, now: Ns, call: &Call, effects: &mut Effects) -> Result<Value, Refusal> {
        let (site, market) = (self.site(call)?, self.market(call, "market")?);
        let multiplier_e6 = call.number("multiplier_e6", u64::from(MULTIPLIER_E6_MAX))?;
        let fee = match (call.0["fee_type"].is_null(), multiplier_e6) {
            (true, None) => None,
            _ => Some((call.fee_type()?, multiplier_e6.unwrap_or(1_000_000) as u32)),
        };
        match self.set_fee(now, site, market, fee, effects) {
            true => Ok(json!({ "ok": true })),
            false => Err((409, format!("{} tells of no fee change", self.sites[site.0].id))),
        }
    }

    fn order_fault(
        &mut self,
        now: Ns,
        call: &Call,
        effects: &mut Effects,
    ) -> Result<Value, Refusal> {
        let site = self.site(call)?;
        let name = call.text("kind")?;
        if name == "settlement_failed" {
            return self.upset(now, call, Upset::FailSettlement, effects);
        }
        if name == "over_fill" {
            return self.upset(now, call, Upset::OverFill, effects);
        }
        let Some(kind) = Kind::from_name(name) else {
            let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            return Err((400, format!("kind: {name:?} is none of {}", names.join(", "))));
        };
        if kind == Kind::ClockSkew {
            let ms = call.0["ms"].as_i64().filter(|ms| ms.unsigned_abs() <= MS_MAX);
            let ms = ms.ok_or_else(|| (400, "ms: a number of milliseconds".to_owned()))?;
            self.faults.skew(site, ms * 1_000_000);
            return Ok(json!({ "ok": true }));
        }
        let count = call.number("count", 1_000)?.unwrap_or(1);
        let span = call.number("ms", MS_MAX)?.map(Ns::from_ms);
        self.faults.arm(site, kind, count as u32, span);
        Ok(json!({ "ok": true }))
    }

    fn inject(&mut self, now: Ns, call: &Call, effects: &mut Effects) -> Result<Value, Refusal> {
        let market = self.market(call, "pair")?;
        let name = call.text("direction")?;
        let polarity = self.markets[market].polarity;
        let direction = Direction::ALL
            .into_iter()
            .find(|direction| name == direction.name(polarity) || name == format!("{direction:?}"));
        let Some(direction) = direction else {
            return Err((400, format!("direction: {name:?} is neither FirstYes nor FirstNo")));
        };
        let edge = call.number("edge_micro_usd", 1_000_000)?.unwrap_or(10_000);
        let span = Ns::from_ms(call.number("ms", MS_MAX)?.unwrap_or(INJECT_MS));
        let World { model, sites, faults, .. } = self;
        let mut booths = Booths { sites, faults, now, effects };
        match model.inject(now, market, direction, edge as i32, span, &mut booths) {
            true => Ok(json!({ "ok": true })),
            false => Err((409, "no price leads there now; try later or a smaller edge".to_owned())),
        }
    }

    fn pause(&mut self, now: Ns, call: &Call, effects: &mut Effects) -> Result<Value, Refusal> {
        let site = self.site(call)?;
        let paused = call.0["paused"].as_bool().unwrap_or(true);
        let told = self.faults.clock(site, now);
        if call.0["market"].is_null() {
            let venue = &mut self.sites[site.0].venue;
            if !venue.upset(told, Upset::PauseAll(paused), &mut effects.outbox) {
                for market in 0..self.markets.len() {
                    venue.pause(told, market, paused, &mut effects.outbox);
                }
            }
        } else {
            let market = self.market(call, "market")?;
            self.sites[site.0].venue.pause(told, market, paused, &mut effects.outbox);
        }
        Ok(json!({ "ok": true }))
    }

    fn refine(&mut self, now: Ns, call: &Call, effects: &mut Effects) -> Result<Value, Refusal> {
        let (site, market) = (self.site(call)?, self.market(call, "market")?);
        let told = self.faults.clock(site, now);
        match self.sites[site.0].venue.refine(told, market, &mut effects.outbox) {
            true => Ok(json!({ "ok": true })),
            false => Err((409, "market: its prices are as fine already".to_owned())),
        }
    }

    fn upset(
        &mut self,
        now: Ns,
        call: &Call,
        what: Upset,
        effects: &mut Effects,
    ) -> Result<Value, Refusal> {
        let site = self.site(call)?;
        let told = self.faults.clock(site, now);
        let Some(entry) = self.sites.get_mut(site.0) else { return Err((404, String::new())) };
        match entry.venue.upset(told, what, &mut effects.outbox) {
            true => Ok(json!({ "ok": true })),
            false => Err((409, format!("{} knows no {what:?}", entry.id))),
        }
    }

    fn settle_one(
        &mut self,
        now: Ns,
        call: &Call,
        effects: &mut Effects,
    ) -> Result<Value, Refusal> {
        let market = self.market(call, "market")?;
        let yes_price = call.price("yes_price")?;
        let mut ends = match (call.text("outcome")?, yes_price) {
            ("yes", None) => [Settlement::YES; 2],
            ("no", None) => [Settlement::NO; 2],
            ("void", yes) => [yes.unwrap_or(HALF), HALF].map(Settlement::split),
            ("yes" | "no", Some(_)) => {
                return Err((400, "yes_price: only a void market has one".to_owned()));
            }
            (other, _) => {
                return Err((400, format!("outcome: {other:?} is none of yes, no, void")));
            }
        };
        match &call.0["polymarket"] {
            Value::Null => {}
            value => match value.as_str().and_then(end) {
                Some(end) => ends[VenueId::Polymarket.index()] = end,
                None => {
                    let wrong = format!("polymarket: {value} is none of yes, no, void, \"0.3333\"");
                    return Err((400, wrong));
                }
            },
        }
        self.settle(now, market, ends, effects);
        Ok(json!({ "ok": true }))
    }

    fn settle_all(&mut self, now: Ns, effects: &mut Effects) -> Value {
        let mut outcomes = serde_json::Map::new();
        for market in 0..self.markets.len() {
            let outcome = self.model.likely(market);
            let end = match outcome {
                Outcome::Yes => Settlement::YES,
                Outcome::No => Settlement::NO,
            };
            self.settle(now, market, [end; 2], effects);
            outcomes.insert(self.markets[market].kalshi.ticker.clone(), outcome.name().into());
        }
        json!({ "ok": true, "outcomes": outcomes })
    }

    fn site(&self, call: &Call) -> Result<SiteId, Refusal> {
        let name = call.text("venue")?;
        let number = self.sites.iter().position(|site| Some(site.id) == VenueId::from_name(name));
        number.map(SiteId).ok_or_else(|| (404, format!("venue: {name:?} does not run here")))
    }

    fn market(&self, call: &Call, key: &str) -> Result<usize, Refusal> {
        let wanted = &call.0[key];
        let number = self.markets.iter().enumerate().position(|(number, market)| {
            let names = [market.kalshi.ticker.clone(), pair_id(&market.kalshi)];
            wanted.as_u64() == Some(number as u64)
                || wanted.as_str().is_some_and(|name| names.iter().any(|own| own == name))
        });
        number.ok_or_else(|| (404, format!("{key}: {wanted} is no market here")))
    }
}

/// The body of a call.
struct Call(Value);

impl Call {
    fn new(body: &[u8]) -> Result<Call, Refusal> {
        let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
        match serde_json::from_slice(body) {
            Ok(value @ Value::Object(_)) => Ok(Call(value)),
            _ => Err((400, "the body is no JSON object".to_owned())),
        }
    }

    fn text(&self, key: &str) -> Result<&str, Refusal> {
        self.0[key].as_str().ok_or_else(|| (400, format!("{key}: a text is missing")))
    }

    fn fee_type(&self) -> Result<&str, Refusal> {
        let name = self.text("fee_type")?;
        match FEE_TYPES.contains(&name) {
            true => Ok(name),
            false => {
                let names = FEE_TYPES.join(", ");
                Err((400, format!("fee_type: {name:?} is none of {names}")))
            }
        }
    }

    /// Dollars as text, such as `0.3700`.
    fn price(&self, key: &str) -> Result<Option<Px>, Refusal> {
        let wrong = |value: &Value| (400, format!("{key}: {value} is no price such as \"0.3700\""));
        match &self.0[key] {
            Value::Null => Ok(None),
            value => match value.as_str().and_then(price) {
                Some(px) => Ok(Some(px)),
                None => Err(wrong(value)),
            },
        }
    }

    fn number(&self, key: &str, max: u64) -> Result<Option<u64>, Refusal> {
        match &self.0[key] {
            Value::Null => Ok(None),
            value => match value.as_u64().filter(|number| *number <= max) {
                Some(number) => Ok(Some(number)),
                None => Err((400, format!("{key}: {value} is no number from 0 to {max}"))),
            },
        }
    }
}

/// A price of `0` to `1` with at most four decimals.
/// How a market ends, or what a YES of it pays.
fn end(text: &str) -> Option<Settlement> {
    match text {
        "yes" => Some(Settlement::YES),
        "no" => Some(Settlement::NO),
        "void" => Some(Settlement::split(HALF)),
        part => price(part).map(Settlement::split),
    }
}

fn price(text: &str) -> Option<Px> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = part.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(whole, "0" | "1") || part.len() > 4 || !digits {
        return None;
    }
    Px::new(format!("{whole}{part:0<4}").parse().ok()?)
}
