//! Markets as Gamma and the CLOB list them (polymarket.md sections 5.7 and 8).

use engine::units::{Ns, Px};
use serde_json::{Value, json};

use crate::polymarket::Polymarket;
use crate::polymarket::decimal;
use crate::polymarket::market::Market;
use crate::polymarket::reply::{error, number, ok, page};
use crate::polymarket::routes::Query;
use crate::universe::PolymarketMarket;
use crate::venue::Reply;

/// Rows of a listing at most (section 8).
const LIMIT: usize = 100;

/// Where nothing was traded yet, and where nobody won.
const HALF: Px = Px::lit(5_000);

/// When everything began that was there at the start.
const START: &str = "2026-01-01T00:00:00Z";

/// `2026-12-31T23:59:00Z` of Unix seconds; a date that does not exist becomes the epoch.
fn iso(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(0);
    let date = time::OffsetDateTime::from_unix_timestamp(seconds)
        .unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    let (hour, minute, second) = date.to_hms();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The number of a tag: it follows from its slug, so that it never changes.
pub(crate) fn tag_id(slug: &str) -> String {
    let number = slug.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31) ^ u32::from(byte));
    (200_000 + number % 800_000).to_string()
}

/// A page of rows by `limit` and `offset`.
fn paged(rows: &[Value], query: &Query<'_>) -> Reply {
    let limit = query.number("limit").unwrap_or(20).clamp(1, LIMIT);
    let page = rows.iter().skip(query.number("offset").unwrap_or(0)).take(limit);
    ok(&page.cloned().collect::<Value>())
}

/// When a market was made: what the venue began with is as old as its listings say.
fn made(market: &Market) -> String {
    market.made.map_or_else(|| START.to_owned(), |at| iso(at.0 / 1_000_000_000))
}

/// A market of Gamma.
fn gamma_market(market: &Market) -> Value {
    let spec = &market.spec;
    let texts = |list: Value| Value::from(list.to_string());
    let px = |px: Px| number(&decimal::price(px));
    let (bid, ask) = market.best(0);
    let (bid, ask) = (bid.unwrap_or(Px::ZERO), ask.unwrap_or(Px::ONE));
    let last = market.last.unwrap_or(HALF);
    let prices = market.pays().unwrap_or([last, last.complement()]).map(decimal::price);
    let open = market.settled.is_none();
    let end = iso(spec.end_time);
    let (tokens, positions) = match spec.is_v2 {
        true => (json!([]), json!(spec.tokens)),
        false => (json!(spec.tokens), json!([])),
    };
    let about = &spec.about;
    let made_up = format!("{} A simulated market.", spec.question);
    let (event, slug, title) = event_of(spec);
    let mut row = json!({
        "id": spec.gamma_id.to_string(),
        "version": if spec.is_v2 { "v2" } else { "v1" },
        "question": spec.question,
        "conditionId": spec.condition_id,
        "slug": spec.slug,
        "description": if about.description.is_empty() { &made_up } else { &about.description },
        "resolutionSource": about.source,
        "startDate": made(market),
        "endDate": end,
        "endDateIso": end[..10],
        "outcomes": texts(json!(spec.outcomes)),
        "outcomePrices": texts(json!(prices)),
        "clobTokenIds": texts(tokens),
        "positionIds": positions,
        "active": true,
        "closed": !open,
        "archived": false,
        "acceptingOrders": market.accepts(),
        "enableOrderBook": true,
        "orderPriceMinTickSize": number(&decimal::tick(market.tick)),
        "orderMinSize": number(&market.min_size()),
        "negRisk": spec.neg_risk,
        "feesEnabled": spec.fee_rate_e6 > 0,
        "feeType": if spec.fee_rate_e6 > 0 { json!("general_fees") } else { Value::Null },
        "feeSchedule": {
            "exponent": spec.fee_exponent,
            "rate": number(&decimal::e6(u64::from(spec.fee_rate_e6))),
            "takerOnly": true,
            "rebateRate": number("0.25"),
        },
        "bestBid": px(bid),
        "bestAsk": px(ask),
        "spread": px(Px::new(ask.e4().saturating_sub(bid.e4())).unwrap_or(Px::ZERO)),
        "lastTradePrice": px(last),
        "volumeNum": 0,
        "liquidityNum": 0,
        "questionID": spec.condition_id,
        "groupItemTitle": about.item,
        "umaResolutionStatus": if open { Value::Null } else { json!("resolved") },
        "secondsDelay": spec.taker_delay_ms / 1_000,
    });
    if market.made.is_some() {
        row["createdAt"] = json!(made(market));
    }
    if about.event.is_some() {
        row["updatedAt"] = json!(iso(market.stamp_ms / 1_000));
        row["events"] = json!([{ "id": event, "ticker": slug, "slug": slug, "title": title }]);
    }
    if let Some((kind, line, start)) = &about.game {
        row["sportsMarketType"] = json!(kind);
        row["gameId"] = json!(event);
        row["gameStartTime"] = json!(iso(*start).replace('T', " ").replace('Z', "+00"));
        if let Some(line) = line {
            row["line"] = number(line);
        }
    }
    row
}

/// Number, slug and title of a market's event.
fn event_of(spec: &PolymarketMarket) -> (String, String, String) {
    match &spec.about.event {
        Some((number, slug, title)) => (number.to_string(), slug.clone(), title.clone()),
        None => (spec.gamma_id.to_string(), spec.slug.clone(), spec.question.clone()),
    }
}

/// An event with its markets, which are some of `all`.
fn gamma_event(first: &Market, all: &[&Market]) -> Value {
    let spec = &first.spec;
    let about = &spec.about;
    let (id, slug, title) = event_of(spec);
    let inside = |market: &&&Market| match &about.event {
        Some(event) => market.spec.about.event.as_ref().is_some_and(|other| other.0 == event.0),
        None => market.spec.gamma_id == spec.gamma_id,
    };
    let of: Vec<&Market> = all.iter().filter(inside).copied().collect();
    let tags: Vec<Value> =
        about.tags.iter().map(|tag| json!({ "id": tag_id(tag), "slug": tag })).collect();
    let end = iso(of.iter().map(|market| market.spec.end_time).max().unwrap_or(spec.end_time));
    let mut row = json!({
        "id": id,
        "ticker": slug,
        "slug": slug,
        "title": title,
        "description": about.description,
        "startDate": made(first),
        "createdAt": made(first),
        "endDate": end,
        "active": true,
        "closed": of.iter().all(|market| market.settled.is_some()),
        "negRisk": spec.neg_risk,
        "enableNegRisk": spec.neg_risk,
        "negRiskAugmented": about.augmented,
        "series": [],
        "tags": tags,
        "markets": of.into_iter().map(gamma_market).collect::<Vec<Value>>(),
    });
    if !about.series.is_empty() {
        row["seriesSlug"] = json!(about.series);
    }
    if let Some((_, _, start)) = &about.game {
        row["startTime"] = json!(iso(*start));
    }
    row
}

/// The event inside socket messages.
pub fn event_message(spec: &PolymarketMarket) -> Value {
    json!({
        "id": spec.gamma_id.to_string(),
        "ticker": spec.slug,
        "slug": spec.slug,
        "title": spec.question,
        "description": spec.question,
    })
}

/// A `new_market` of the market channel.
pub fn new_market(market: &Market, now: Ns) -> Value {
    let spec = &market.spec;
    json!({
        "event_type": "new_market",
        "id": spec.gamma_id.to_string(),
        "question": spec.question,
        "market": spec.condition_id,
        "condition_id": spec.condition_id,
        "slug": spec.slug,
        "description": spec.question,
        "assets_ids": spec.tokens,
        "clob_token_ids": spec.tokens,
        "outcomes": spec.outcomes,
        "event_message": event_message(spec),
        "timestamp": (now.0 / 1_000_000).to_string(),
        "tags": [],
        "active": true,
        "sports_market_type": "",
        "line": "",
        "game_start_time": "",
        "order_price_min_tick_size": decimal::tick(market.tick),
        "group_item_title": "",
        "taker_base_fee": "1000",
        "fees_enabled": spec.fee_rate_e6 > 0,
        "fee_schedule": {
            "exponent": spec.fee_exponent.to_string(),
            "rate": decimal::e6(u64::from(spec.fee_rate_e6)),
            "taker_only": true,
            "rebate_rate": "0.25",
        },
    })
}

/// `GET /clob-markets/{condition_id}`.
pub fn clob_market(market: &Market) -> Value {
    let spec = &market.spec;
    let token = |at: usize| json!({ "t": spec.tokens[at], "o": spec.outcomes[at] });
    let delayed = spec.taker_delay_ms > 0;
    let mut info = json!({
        "c": spec.condition_id,
        "gst": Value::Null,
        "r": {},
        "t": [token(0), token(1)],
        "mos": number(&market.min_size()),
        "mts": number(&decimal::tick(market.tick)),
        "mbf": 0,
        "tbf": if spec.fee_rate_e6 > 0 { 1_000 } else { 0 },
        "nr": spec.neg_risk,
        "rfqe": false,
        "ibce": false,
        "oas": 0,
    });
    // Both are left out where they say nothing.
    if delayed {
        info["itode"] = json!(true);
        if spec.taker_delay_ms >= 1_000 {
            info["sd"] = json!(spec.taker_delay_ms / 1_000);
        }
    }
    if spec.fee_rate_e6 > 0 {
        let rate = number(&decimal::e6(u64::from(spec.fee_rate_e6)));
        info["fd"] = json!({ "r": rate, "e": spec.fee_exponent, "to": true });
    }
    info
}

/// `GET /markets/{condition_id}` of the CLOB.
pub fn long_market(market: &Market) -> Value {
    let spec = &market.spec;
    let open = market.settled.is_none();
    let last = market.last.unwrap_or(HALF);
    let pays = market.pays();
    let prices = pays.unwrap_or([last, last.complement()]);
    let token = |at: usize| {
        json!({
            "token_id": spec.tokens[at],
            "outcome": spec.outcomes[at],
            "price": number(&decimal::price(prices[at])),
            "winner": pays.is_some_and(|pays| pays[at] > Px::ZERO),
        })
    };
    json!({
        "enable_order_book": true,
        "active": true,
        "closed": !open,
        "archived": false,
        "accepting_orders": market.accepts(),
        "accepting_order_timestamp": Value::Null,
        "minimum_order_size": number(&market.min_size()),
        "minimum_tick_size": number(&decimal::tick(market.tick)),
        "condition_id": spec.condition_id,
        "question_id": spec.condition_id,
        "question": spec.question,
        "description": spec.question,
        "market_slug": spec.slug,
        "end_date_iso": iso(spec.end_time),
        "game_start_time": Value::Null,
        "seconds_delay": spec.taker_delay_ms / 1_000,
        "fpmm": "",
        "maker_base_fee": 0,
        "taker_base_fee": if spec.fee_rate_e6 > 0 { 1_000 } else { 0 },
        "notifications_enabled": false,
        "neg_risk": spec.neg_risk,
        "neg_risk_market_id": "",
        "neg_risk_request_id": "",
        "icon": "",
        "image": "",
        "rewards": { "rates": Value::Null, "min_size": 0, "max_spread": 0 },
        "is_50_50_outcome": pays == Some([HALF; 2]),
        "tokens": [token(0), token(1)],
        "tags": [],
    })
}

impl Polymarket {
    /// `GET /markets` and its kin of Gamma; `None` for a path that is none of them.
    pub(super) fn gamma(&self, path: &[&str], query: &Query<'_>) -> Option<Reply> {
        let one = |found: Option<Value>| match found {
            Some(row) => ok(&row),
            None => error(404, "not found"),
        };
        let by_id = |id: &str| self.listed().find(|market| market.spec.gamma_id.to_string() == id);
        let by_slug = |slug: &str| self.listed().find(|market| market.spec.slug == slug);
        Some(match path {
            ["markets", "keyset"] => self.keyset(query, "markets"),
            ["events", "keyset"] => self.keyset(query, "events"),
            ["markets", "slug", slug] => one(by_slug(slug).map(gamma_market)),
            ["events", "slug", slug] => one(self.event_where(|_, other| other == *slug)),
            ["markets"] => self.offset(query, "markets"),
            ["events"] => self.offset(query, "events"),
            ["markets", id] => one(by_id(id).map(gamma_market)),
            ["events", id] => one(self.event_where(|other, _| other == *id)),
            ["tags"] => paged(&self.tags(), query),
            ["teams"] => paged(&self.teams, query),
            ["sports"] => ok(&json!(self.sports)),
            ["series"] => ok(&json!([])),
            _ => return None,
        })
    }

    /// The CLOB's own listing.
    pub(super) fn clob_listing(&self, query: &Query<'_>) -> Reply {
        page(self.listed().map(long_market).collect(), query.get("next_cursor").as_deref())
    }

    /// All tags of the events, and those of sports.
    fn tags(&self) -> Vec<Value> {
        let own =
            self.listed().flat_map(|market| market.spec.about.tags.iter().map(String::as_str));
        let sports = self.sports.iter().filter_map(|sport| sport["sport"].as_str());
        let slugs: std::collections::BTreeSet<&str> = own.chain(sports).collect();
        let row = |slug: &str| json!({ "id": tag_id(slug), "label": slug, "slug": slug });
        slugs.into_iter().map(row).collect()
    }

    fn filtered(&self, query: &Query<'_>) -> Vec<&Market> {
        let ids = query.all("id");
        let slugs = query.all("slug");
        let conditions: Vec<String> =
            query.all("condition_ids").iter().map(|id| id.to_lowercase()).collect();
        let tokens = query.all("clob_token_ids");
        let positions = query.all("position_ids");
        let none_or = |list: &[String], has: &dyn Fn(&String) -> bool| {
            list.is_empty() || list.iter().any(has)
        };
        let keep = |market: &&Market| {
            let spec = &market.spec;
            let closed = market.settled.is_some();
            let version = if spec.is_v2 { "v2" } else { "v1" };
            let holds = |list: &[String], is_v2: bool| {
                none_or(list, &|id| spec.is_v2 == is_v2 && spec.tokens.contains(id))
            };
            query.get("closed").is_none_or(|flag| flag == closed.to_string())
                && query.get("active").is_none_or(|flag| flag == "true")
                && query.get("version").is_none_or(|wanted| wanted == version)
                && none_or(&ids, &|id| *id == spec.gamma_id.to_string())
                && none_or(&slugs, &|slug| *slug == spec.slug)
                && none_or(&conditions, &|id| *id == spec.condition_id.to_lowercase())
                && holds(&tokens, false)
                && holds(&positions, true)
        };
        self.listed().filter(keep).collect()
    }

    /// The event whose number or slug is meant.
    fn event_where(&self, meant: impl Fn(&str, &str) -> bool) -> Option<Value> {
        let all: Vec<&Market> = self.listed().collect();
        let first = self.listed().find(|market| {
            let (id, slug, _) = event_of(&market.spec);
            meant(&id, &slug)
        });
        first.map(|first| gamma_event(first, &all))
    }

    /// Rows of a listing from `start` on, and whether more follow.
    fn rows(
        &self,
        query: &Query<'_>,
        name: &str,
        start: usize,
        limit: usize,
    ) -> (Vec<Value>, bool) {
        let mut markets = self.filtered(query);
        if query.get("order").as_deref() == Some("updatedAt") {
            markets.sort_by_key(|market| std::cmp::Reverse(market.stamp_ms));
        }
        if query.get("order").as_deref() == Some("createdAt") {
            markets.sort_by_key(|market| std::cmp::Reverse(market.made));
        }
        if name == "markets" {
            let rows = markets.iter().skip(start).take(limit).copied().map(gamma_market).collect();
            return (rows, start + limit < markets.len());
        }
        let mut seen = std::collections::BTreeSet::new();
        let mut firsts = markets.clone();
        firsts.retain(|market| seen.insert(event_of(&market.spec).0));
        let page = firsts.iter().skip(start).take(limit);
        let rows = page.map(|first| gamma_event(first, &markets)).collect();
        (rows, start + limit < firsts.len())
    }

    fn keyset(&self, query: &Query<'_>, name: &str) -> Reply {
        let after: Option<usize> = query.get("after_cursor").and_then(|text| text.parse().ok());
        let start = after.unwrap_or(0);
        let limit = query.number("limit").unwrap_or(20).clamp(1, LIMIT);
        let (rows, more) = self.rows(query, name, start, limit);
        let mut body = json!({ name: rows });
        if more {
            body["next_cursor"] = json!((start + limit).to_string());
        }
        ok(&body)
    }

    fn offset(&self, query: &Query<'_>, name: &str) -> Reply {
        let offset = query.number("offset").unwrap_or(0);
        let limit = query.number("limit").unwrap_or(20).clamp(1, LIMIT);
        ok(&Value::from(self.rows(query, name, offset, limit).0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_gamma_does() {
        assert_eq!(iso(1_798_761_540), "2026-12-31T23:59:00Z");
        assert_eq!(iso(u64::MAX), "1970-01-01T00:00:00Z");
    }
}
