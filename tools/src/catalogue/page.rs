//! A page of a listing, from a venue or from a file -> what stands on it. Whatever cannot be read
//! is said and left out; the rest of the page counts.

use engine::units::Venue;
use serde_json::Value;

use super::beside::Beside;
use super::{kalshi, polymarket};

/// One thing that a page shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// A series of Kalshi.
    KalshiSeries(kalshi::Series),
    /// An event of Kalshi.
    KalshiEvent(kalshi::Event),
    /// A market of Kalshi.
    KalshiMarket(Box<kalshi::Market>),
    /// An event of Polymarket.
    PolymarketEvent(polymarket::Event),
    /// An event of Polymarket as the page of one of its markets shows it, with less than its own:
    /// good enough where nothing better is known.
    PolymarketGlimpse(polymarket::Event),
    /// A market of Polymarket.
    PolymarketMarket(Box<polymarket::Market>),
    /// A tag, sport or team of Polymarket, and what names it among them.
    PolymarketBeside(String, Beside),
}

impl Found {
    /// Whose it is.
    pub const fn venue(&self) -> Venue {
        match self {
            Found::KalshiSeries(_) | Found::KalshiEvent(_) | Found::KalshiMarket(_) => {
                Venue::Kalshi
            }
            Found::PolymarketEvent(_)
            | Found::PolymarketGlimpse(_)
            | Found::PolymarketMarket(_)
            | Found::PolymarketBeside(..) => Venue::Polymarket,
        }
    }

    /// What names it among its kind.
    pub fn id(&self) -> &str {
        match self {
            Found::KalshiSeries(series) => &series.ticker,
            Found::KalshiEvent(event) => &event.ticker,
            Found::KalshiMarket(market) => &market.ticker,
            Found::PolymarketEvent(event) | Found::PolymarketGlimpse(event) => &event.id,
            Found::PolymarketMarket(market) => &market.condition_id,
            Found::PolymarketBeside(id, _) => id,
        }
    }

    /// When the venue says that it last changed it; Unix seconds.
    pub fn updated(&self) -> Option<i64> {
        match self {
            Found::KalshiMarket(market) => market.updated,
            Found::PolymarketEvent(event) | Found::PolymarketGlimpse(event) => event.updated,
            Found::PolymarketMarket(market) => market.updated,
            Found::KalshiSeries(_) | Found::KalshiEvent(_) | Found::PolymarketBeside(..) => None,
        }
    }
}

/// What stands on a page, and what was wrong with it.
#[derive(Default, Debug)]
pub struct Contents {
    /// What was read, events in front of their markets.
    pub found: Vec<Found>,
    /// What was not, in words.
    pub wrong: Vec<String>,
}

/// Deepest nesting of pages inside of pages. Real ones have three: list, event, market.
const DEPTH_MAX: usize = 6;

impl Contents {
    /// Everything on a page, whatever listing it is of.
    pub fn of(page: &Value) -> Contents {
        let mut contents = Contents::default();
        contents.take(page, DEPTH_MAX);
        contents
    }

    fn take(&mut self, value: &Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match value {
            Value::Array(list) => list.iter().for_each(|one| self.take(one, depth)),
            Value::Object(map) => {
                let has = |key: &str| map.get(key).is_some_and(|value| !value.is_null());
                if has("conditionId") || (has("clobTokenIds") && has("question")) {
                    self.polymarket_market(value, None);
                } else if has("ticker") && has("event_ticker") {
                    self.kalshi_market(value);
                } else if has("event_ticker") {
                    self.kalshi_event(value);
                } else if has("fee_type") && has("ticker") {
                    self.one(kalshi::series(value).map(|(s, w)| (Found::KalshiSeries(s), w)));
                } else if has("slug") && has("id") && has("markets") {
                    self.polymarket_event(value);
                } else if let Some(one) = Beside::read(value) {
                    self.found.push(Found::PolymarketBeside(one.id(), one));
                } else {
                    // A wrapper, such as `{"events": [...], "cursor": "..."}`.
                    for key in ["series", "event", "events", "market", "markets", "data"] {
                        if let Some(inside) = map.get(key) {
                            self.take(inside, depth);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn one(&mut self, read: Result<(Found, String), String>) {
        match read {
            Ok((found, wrong)) => {
                if !wrong.is_empty() {
                    self.wrong.push(format!("{} {}: {wrong}", found.venue().name(), found.id()));
                }
                self.found.push(found);
            }
            Err(wrong) => self.wrong.push(wrong),
        }
    }

    fn kalshi_event(&mut self, value: &Value) {
        self.one(kalshi::event(value).map(|(event, wrong)| (Found::KalshiEvent(event), wrong)));
        for market in value.get("markets").and_then(Value::as_array).into_iter().flatten() {
            self.kalshi_market(market);
        }
    }

    fn kalshi_market(&mut self, value: &Value) {
        let read = kalshi::market(value);
        if let Ok((market, _)) = &read
            && market.has_new_status()
        {
            let (ticker, status) = (&market.ticker, market.status.escape_debug());
            self.wrong.push(format!("kalshi {ticker}: status \"{status}\" is new: not traded"));
        }
        self.one(read.map(|(market, wrong)| (Found::KalshiMarket(Box::new(market)), wrong)));
    }

    fn polymarket_event(&mut self, value: &Value) {
        let read = polymarket::event(value);
        let id = read.as_ref().map(|(event, _)| event.id.clone()).ok();
        self.one(read.map(|(event, wrong)| (Found::PolymarketEvent(event), wrong)));
        for market in value.get("markets").and_then(Value::as_array).into_iter().flatten() {
            self.polymarket_market(market, id.as_deref());
        }
    }

    fn polymarket_market(&mut self, value: &Value, event: Option<&str>) {
        if event.is_none() {
            // Pages of markets carry the event, without its other markets.
            let inside = value.get("events").and_then(Value::as_array);
            for event in inside.into_iter().flatten().take(1) {
                let read = polymarket::event(event);
                self.one(read.map(|(event, wrong)| (Found::PolymarketGlimpse(event), wrong)));
            }
        }
        let read = polymarket::market(value, event);
        self.one(read.map(|(market, wrong)| (Found::PolymarketMarket(Box::new(market)), wrong)));
    }
}

/// The cursor of the next page; `None` at the end.
pub fn next_cursor(page: &Value) -> Option<&str> {
    let text = |key: &str| page.get(key).and_then(Value::as_str);
    text("cursor").or_else(|| text("next_cursor")).filter(|cursor| !cursor.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_of_every_kind_are_told_apart_and_half_of_one_counts() {
        let condition = format!("0x{}", "ab".repeat(32));
        let page = json!([
            {"series": [{"ticker": "KXA", "fee_type": "quadratic"}, 7]},
            {"cursor": "x", "events": [
                {"event_ticker": "KXA-1", "markets": [{"ticker": "KXA-1-B", "status": "active"}, {}]},
            ]},
            {"events": [{"id": "1", "slug": "s", "markets": [{"conditionId": condition}, {"question": "?"}]}]},
            {"id": "2", "conditionId": condition, "events": [{"id": "1", "slug": "s", "title": "t"}]},
            {"orderbook_fp": {}},
        ]);
        let contents = Contents::of(&page);
        let ids: Vec<&str> = contents.found.iter().map(Found::id).collect();
        assert_eq!(ids, ["KXA", "KXA-1", "KXA-1-B", "1", &condition, "1", &condition]);
        assert_eq!(contents.wrong.len(), 2, "{:?}", contents.wrong);
        assert_eq!(next_cursor(&page[1]), Some("x"));
        assert_eq!(next_cursor(&json!({"cursor": ""})), None);
        let mut deep = json!([]);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert!(Contents::of(&deep).found.is_empty());
    }
}
