//! What everybody may read: markets, events, series, books, trades, the state of the exchange
//! (kalshi.md section 4, "Market data").

use std::collections::HashSet;

use serde_json::{Value, json};

use super::exchange::Exchange;
use super::market::Market;
use super::query::Query;
use super::refusal::Refusal;
use super::text::{number, rfc3339, secs};
use crate::universe::KalshiMarket;

type Answer = Result<Value, Refusal>;

/// What the shards are called (kalshi.md section 4, "Shards").
const fn shard_name(shard: u32) -> &'static str {
    match shard {
        0 => "Default",
        1 => "Exotics",
        2 => "Crypto",
        3 => "Sports",
        _ => "Other",
    }
}

impl Exchange {
    fn find_market(&self, ticker: &str) -> Result<&Market, Refusal> {
        let number = self.tickers.get(ticker).ok_or(Refusal::not_found())?;
        Ok(&self.markets[*number])
    }

    /// `GET /markets/{ticker}`.
    pub fn get_market(&self, ticker: &str) -> Answer {
        Ok(json!({"market": self.find_market(ticker)?.json()}))
    }

    /// `GET /markets`.
    pub fn get_markets(&self, query: &Query) -> Answer {
        let limit = query.limit("GetMarkets", 100, 1_000)?;
        let status = status_of(query, "GetMarkets")?;
        let span = |name: &str| -> Result<_, Refusal> {
            let bound = |edge| query.int(&format!("{edge}_{name}_ts"), "GetMarkets");
            let (min, max) = (bound("min")?, bound("max")?);
            Ok(move |secs: u64| {
                let secs = i64::try_from(secs).unwrap_or(i64::MAX);
                min.is_none_or(|min| secs >= min) && max.is_none_or(|max| secs <= max)
            })
        };
        let (closes, created, updated) = (span("close")?, span("created")?, span("updated")?);
        let only_combos = query.get("mve_filter") == Some("only");
        let shard = query.int("exchange_index", "GetMarkets")?;
        let meant = self.listed().filter(|(_, market)| {
            query.admits("tickers", &market.spec.ticker)
                && query.admits("event_ticker", &market.spec.event)
                && query.admits("series_ticker", &market.spec.series)
                && status.is_none_or(|status| status == market.status_filter())
                && shard.is_none_or(|shard| shard == i64::from(market.spec.exchange_index))
                && closes(market.spec.close_time)
                && created(secs(market.opened))
                && updated(secs(market.updated))
                && !only_combos
        });
        Ok(query.reply("markets", limit, meant.map(|(i, market)| (i, market.json())), false))
    }

    /// The markets of an event, which are listed under its first.
    pub(super) fn of_event(&self, event: &str) -> impl Iterator<Item = &Market> {
        self.listed().map(|(_, market)| market).filter(move |market| market.spec.event == event)
    }

    /// The message of `event_lifecycle` that tells of an event's making; nothing where it has no
    /// market.
    pub(super) fn event_announced(&self, event: &str) -> Option<Value> {
        let first = self.of_event(event).next()?;
        Some(json!({
            "event_ticker": event,
            "exchange_index": first.spec.exchange_index,
            "title": first.spec.title,
            "subtitle": first.spec.about.sub_title,
            "collateral_return_type": if first.spec.about.exclusive { "MECNET" } else { "" },
            "series_ticker": first.spec.series,
        }))
    }

    /// `Event` of the catalogue; nothing where it has no market.
    fn event(&self, event: &str, is_nested: bool) -> Option<Value> {
        let first = self.of_event(event).next()?;
        let updated = self.of_event(event).map(|market| market.updated).max()?;
        let mut json = json!({
            "event_ticker": event,
            "series_ticker": first.spec.series,
            "sub_title": first.spec.about.sub_title,
            "title": first.spec.title,
            "collateral_return_type": if first.spec.about.exclusive { "MECNET" } else { "" },
            "mutually_exclusive": first.spec.about.exclusive,
            "category": category(&first.spec),
            "strike_date": super::text::rfc3339_secs(first.spec.close_time),
            "product_metadata": {},
            "settlement_sources": sources(&first.spec),
            "last_updated_ts": rfc3339(updated),
            "fee_type_override": null,
            "fee_multiplier_override": null,
            "exchange_index": first.spec.exchange_index,
        });
        if let Some((fee_type, multiplier_e6)) = self.fee_overrides.get(event) {
            json["fee_type_override"] = json!(fee_type);
            json["fee_multiplier_override"] = multiplier(*multiplier_e6);
        }
        if is_nested {
            json["markets"] = self.of_event(event).map(Market::json).collect();
        }
        Some(json)
    }

    /// `GET /events/{event_ticker}`.
    pub fn get_event(&self, event: &str, query: &Query) -> Answer {
        let is_nested = query.get("with_nested_markets") == Some("true");
        let json = self.event(event, is_nested).ok_or(Refusal::not_found())?;
        let markets: Value = self.of_event(event).map(Market::json).collect();
        Ok(json!({"event": json, "markets": markets}))
    }

    /// `GET /events`.
    pub fn get_events(&self, query: &Query) -> Answer {
        let limit = query.limit("GetEvents", 200, 200)?;
        let status = status_of(query, "GetEvents")?;
        let is_nested = query.get("with_nested_markets") == Some("true");
        let closes_min = query.int("min_close_ts", "GetEvents")?.unwrap_or(0);
        let updated_min = query.int("min_updated_ts", "GetEvents")?.unwrap_or(0);
        let mut seen = HashSet::new();
        let meant = self.listed().filter(|(_, market)| {
            query.admits("tickers", &market.spec.event)
                && query.admits("series_ticker", &market.spec.series)
                && status.is_none_or(|status| status == market.status_filter())
                && i64::try_from(market.spec.close_time).is_ok_and(|secs| secs >= closes_min)
                && i64::try_from(secs(market.updated)).is_ok_and(|secs| secs >= updated_min)
                && seen.insert(market.spec.event.as_str())
        });
        let events =
            meant.filter_map(|(i, market)| Some((i, self.event(&market.spec.event, is_nested)?)));
        let mut reply = query.reply("events", limit, events, false);
        if query.get("with_milestones") == Some("true") {
            reply["milestones"] = json!([]);
        }
        Ok(reply)
    }

    fn series(&self, series: &str) -> Option<Value> {
        let all = || self.listed().map(|(_, market)| market);
        let of = || all().filter(|market| market.spec.series == series);
        let first = of().next()?;
        Some(json!({
            "ticker": series,
            "frequency": "custom",
            "title": first.spec.title,
            "category": category(&first.spec),
            "categories": [category(&first.spec)],
            "tags": [],
            "settlement_sources": sources(&first.spec),
            "contract_url": "https://example.invalid/contract.pdf",
            "contract_terms_url": "https://example.invalid/terms.pdf",
            "fee_type": first.spec.fee_type,
            "fee_multiplier": multiplier(first.spec.fee_multiplier_e6),
            "additional_prohibitions": [],
            "last_updated_ts": rfc3339(of().map(|market| market.updated).max()?),
            "exchange_index": first.spec.exchange_index,
        }))
    }

    /// `GET /series/{ticker}`.
    pub fn get_series(&self, series: &str) -> Answer {
        Ok(json!({"series": self.series(series).ok_or(Refusal::not_found())?}))
    }

    /// `GET /series`.
    pub fn list_series(&self, query: &Query) -> Answer {
        let mut seen: Vec<&str> = Vec::new();
        for (_, market) in self.listed() {
            let meant = query.admits("category", category(&market.spec));
            if meant && !seen.contains(&market.spec.series.as_str()) {
                seen.push(&market.spec.series);
            }
        }
        let all: Value = seen.into_iter().filter_map(|series| self.series(series)).collect();
        Ok(json!({ "series": all }))
    }

    /// `GET /markets/{ticker}/orderbook`.
    pub fn get_orderbook(&self, ticker: &str, query: &Query) -> Answer {
        let depth = query.int("depth", "GetMarketOrderbook")?.unwrap_or(0);
        let depth = usize::try_from(depth).ok().filter(|depth| *depth <= 100).ok_or_else(|| {
            Refusal::Query("Parameter validation failed for GetMarketOrderbook: Key: 'GetMarketOrderbookParams.Depth' Error:Field validation for 'Depth' failed on the 'lte' tag".to_owned())
        })?;
        Ok(json!({"orderbook_fp": self.find_market(ticker)?.orderbook(depth)}))
    }

    /// `GET /markets/orderbooks`: 1 to 100 tickers.
    pub fn get_orderbooks(&self, query: &Query) -> Answer {
        let tickers = query.list("tickers");
        if tickers.is_empty() || tickers.len() > 100 {
            return Err(Refusal::Query("Parameter validation failed for GetMarketOrderbooks: Key: 'GetMarketOrderbooksParams.Tickers' Error:Field validation for 'Tickers' failed on the 'max' tag".to_owned()));
        }
        let books = tickers.into_iter().filter_map(|ticker| self.find_market(ticker).ok());
        let books: Value = books
            .map(
                |market| json!({"ticker": market.spec.ticker, "orderbook_fp": market.orderbook(0)}),
            )
            .collect();
        Ok(json!({ "orderbooks": books }))
    }

    /// `GET /markets/trades`, newest first.
    pub fn get_trades(&self, query: &Query) -> Answer {
        let limit = query.limit("GetTrades", 100, 1_000)?;
        let spans = query.spans("GetTrades")?;
        let only_blocks = query.get("is_block_trade") == Some("true");
        let meant = self.trades.iter().enumerate().rev().filter(|(_, trade)| {
            query.admits("ticker", &self.markets[trade.market].spec.ticker)
                && spans(secs(trade.at))
                && !only_blocks
        });
        let trades = meant.map(|(i, trade)| (i, trade.json(&self.markets[trade.market])));
        Ok(query.reply("trades", limit, trades, true))
    }

    /// `GET /exchange/status`.
    pub fn get_status(&self) -> Value {
        let of_shard = |shard: &u32| {
            json!({
                "exchange_index": shard,
                "description": shard_name(*shard),
                "exchange_active": true,
                "trading_active": self.is_trading,
                "intra_exchange_transfers_active": true,
            })
        };
        let shards: Value = self.shards.iter().map(of_shard).collect();
        json!({
            "exchange_active": true,
            "trading_active": self.is_trading,
            "intra_exchange_transfers_active": true,
            "exchange_estimated_resume_time": null,
            "exchange_index_statuses": shards,
        })
    }

    /// `GET /exchange/schedule`: the pause on Thursdays, hours in Eastern time.
    pub fn get_schedule(&self) -> Value {
        const WEEK: u64 = 7 * 86_400;
        let all_day = json!([{"open_time": "00:00", "close_time": "00:00"}]);
        let thursday = json!([
            {"open_time": "00:00", "close_time": "03:00"},
            {"open_time": "05:00", "close_time": "00:00"},
        ]);
        let midnight = secs(self.now) / 86_400 * 86_400;
        let mut hours = json!({
            "start_time": super::text::rfc3339_secs(midnight),
            "end_time": super::text::rfc3339_secs(midnight + WEEK),
        });
        for day in ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] {
            hours[day] = if day == "thursday" { thursday.clone() } else { all_day.clone() };
        }
        // Day 0 of Unix time was a Thursday; 3:00 in New York in winter is 8:00 UTC.
        let next = secs(self.now) / WEEK * WEEK + 8 * 3_600;
        let window = json!({
            "start_datetime": super::text::rfc3339_secs(next),
            "end_datetime": super::text::rfc3339_secs(next + 2 * 3_600),
        });
        json!({"schedule": {"standard_hours": [hours], "maintenance_windows": [window]}})
    }
}

/// What does not say where it belongs.
fn category(spec: &KalshiMarket) -> &str {
    if spec.about.category.is_empty() { "Simulated" } else { &spec.about.category }
}

fn sources(spec: &KalshiMarket) -> Value {
    let source = &spec.about.source;
    let name = if source.is_empty() { "Simulator" } else { source };
    json!([{"name": name, "url": "https://example.invalid/source"}])
}

/// A multiplier as the number that the venue writes.
pub fn multiplier(e6: u32) -> Value {
    number(u64::from(e6), 6)
}

/// The `status` filter, which takes one value.
fn status_of<'q>(query: &'q Query, operation: &str) -> Result<Option<&'q str>, Refusal> {
    match query.get("status") {
        None | Some("unopened" | "open" | "paused" | "closed" | "settled") => {
            Ok(query.get("status"))
        }
        Some(_) => Err(Refusal::Query(format!(
            "Parameter validation failed for {operation}: invalid value for 'status'"
        ))),
    }
}
