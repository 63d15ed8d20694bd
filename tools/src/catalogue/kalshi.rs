//! Kalshi's series, events and markets as the catalogue keeps them (kalshi.md section 4, "What a
//! matcher needs").

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::Fields;
use super::rules;

/// A series: what its events have in common, fees first of all.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Series {
    /// Its ticker.
    pub ticker: String,
    /// Its title.
    pub title: String,
    /// Its category.
    pub category: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// How often it comes.
    pub frequency: String,
    /// Who its outcomes are read from: name and address.
    pub sources: Vec<(String, String)>,
    /// The formula that takers pay by.
    pub fee_type: String,
    /// The formula's multiplier, as it is written.
    pub fee_multiplier: Option<String>,
    /// Addresses of its contract and of the contract's terms.
    #[serde(default)]
    pub contract: [String; 2],
}

/// An event: a question with one market or several.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Event {
    /// Its ticker.
    pub ticker: String,
    /// Its series.
    pub series: String,
    /// Its title.
    pub title: String,
    /// What stands under the title.
    pub sub_title: String,
    /// Its category.
    pub category: String,
    /// At most one of its markets pays. That one of them must is *not* promised.
    pub mutually_exclusive: bool,
    /// Unix seconds of what it is about, where it says so.
    pub strike_date: Option<i64>,
    /// The period that it is about.
    pub strike_period: String,
    /// Who its outcomes are read from: name and address.
    pub sources: Vec<(String, String)>,
    /// Replaces the series' formula.
    pub fee_type_override: Option<String>,
    /// Replaces the series' multiplier.
    pub fee_multiplier_override: Option<String>,
}

/// A market.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Market {
    /// Its ticker.
    pub ticker: String,
    /// Its event.
    pub event: String,
    /// `binary`, or `scalar`.
    pub market_type: String,
    /// Its title; deprecated, and often empty.
    pub title: String,
    /// Under the title.
    pub subtitle: String,
    /// What YES stands for.
    pub yes_sub_title: String,
    /// What NO stands for.
    pub no_sub_title: String,
    /// When it pays.
    pub rules_primary: String,
    /// What else holds.
    pub rules_secondary: String,
    /// Begin of trading; Unix seconds, as all times here.
    pub open_time: Option<i64>,
    /// End of trading.
    pub close_time: Option<i64>,
    /// When it is expected to be known.
    pub expected_expiration: Option<i64>,
    /// When it is known at the latest.
    pub latest_expiration: Option<i64>,
    /// When what it is about happens.
    pub occurrence: Option<i64>,
    /// Whether it may end before its time.
    pub can_close_early: bool,
    /// When it does.
    pub early_close_condition: String,
    /// Seconds between the outcome and the payment.
    pub settlement_timer_s: Option<u64>,
    /// `greater`, `between`, `structured` and their kin.
    pub strike_type: String,
    /// Lower bound, as it is written.
    pub floor_strike: Option<String>,
    /// Upper bound, as it is written.
    pub cap_strike: Option<String>,
    /// A bound in words.
    pub functional_strike: String,
    /// Named bounds: a team, a person.
    pub custom_strike: Vec<(String, String)>,
    /// `active` where it trades. The set is open.
    pub status: String,
    /// `yes`, `no` or `scalar` once it is known.
    pub result: String,
    /// Bands of prices: start, end, step, in dollars as they are written.
    pub price_ranges: Vec<[String; 3]>,
    /// The shard that it trades on; missing on pages from before there were shards.
    pub exchange_index: Option<u32>,
    /// What a contract pays.
    pub notional: Option<String>,
    /// One of a combination of several events: never paired.
    pub is_combo: bool,
    /// It may vanish if nobody trades.
    pub is_provisional: bool,
    /// Best bid for YES as the page showed it: for ranking only.
    pub yes_bid: Option<String>,
    /// Best ask for YES as the page showed it.
    pub yes_ask: Option<String>,
    /// When the venue last changed it.
    pub updated: Option<i64>,
}

/// Words for states in which a market can still trade, now or later.
const LIVE: [&str; 3] = ["initialized", "active", "inactive"];

/// Words for states in which it never will again.
const OVER: [&str; 5] = ["closed", "determined", "disputed", "amended", "finalized"];

impl Market {
    /// True where it trades or will. A word that nobody knows is not taken as either.
    pub fn is_open(&self) -> bool {
        LIVE.contains(&self.status.as_str())
    }

    /// True where the word for its state is new to us.
    pub fn has_new_status(&self) -> bool {
        !LIVE.contains(&self.status.as_str()) && !OVER.contains(&self.status.as_str())
    }

    /// A digest of everything that says when it pays.
    pub fn rules_hash(&self) -> String {
        let custom: Vec<String> =
            self.custom_strike.iter().map(|(name, value)| format!("{name}={value}")).collect();
        rules::hash(&[
            &self.title,
            &self.subtitle,
            &self.yes_sub_title,
            &self.no_sub_title,
            &self.rules_primary,
            &self.rules_secondary,
            &self.early_close_condition,
            &self.strike_type,
            self.floor_strike.as_deref().unwrap_or_default(),
            self.cap_strike.as_deref().unwrap_or_default(),
            &self.functional_strike,
            &custom.join(";"),
        ])
    }
}

/// Reads a series.
///
/// # Errors
/// What it lacks to be one.
pub fn series(value: &Value) -> Result<(Series, String), String> {
    let mut fields = Fields::of(value).ok_or("a series that is no object")?;
    let ticker = fields.name("ticker").ok_or("a series without `ticker`")?;
    let series = Series {
        ticker,
        title: fields.text("title"),
        category: fields.text("category"),
        tags: fields.texts("tags"),
        frequency: fields.text("frequency"),
        sources: sources(&mut fields),
        fee_type: fields.text("fee_type"),
        fee_multiplier: fields.decimal("fee_multiplier"),
        contract: [fields.text("contract_url"), fields.text("contract_terms_url")],
    };
    Ok((series, fields.wrong()))
}

/// Reads an event, without the markets inside.
///
/// # Errors
/// What it lacks to be one.
pub fn event(value: &Value) -> Result<(Event, String), String> {
    let mut fields = Fields::of(value).ok_or("an event that is no object")?;
    let ticker = fields.name("event_ticker").ok_or("an event without `event_ticker`")?;
    let event = Event {
        series: fields.name("series_ticker").unwrap_or_else(|| series_of(&ticker).to_owned()),
        ticker,
        title: fields.text("title"),
        sub_title: fields.text("sub_title"),
        category: fields.text("category"),
        mutually_exclusive: fields.flag("mutually_exclusive").unwrap_or(false),
        strike_date: fields.time("strike_date"),
        strike_period: fields.text("strike_period"),
        sources: sources(&mut fields),
        fee_type_override: fields.name("fee_type_override"),
        fee_multiplier_override: fields.decimal("fee_multiplier_override"),
    };
    Ok((event, fields.wrong()))
}

/// Reads a market.
///
/// # Errors
/// What it lacks to be one.
pub fn market(value: &Value) -> Result<(Market, String), String> {
    let mut fields = Fields::of(value).ok_or("a market that is no object")?;
    let ticker = fields.name("ticker").ok_or("a market without `ticker`")?;
    let event = fields.name("event_ticker").unwrap_or_else(|| event_of(&ticker).to_owned());
    let is_combo = fields.name("mve_collection_ticker").is_some() || ticker.starts_with("KXMVE");
    let bands = fields.objects("price_ranges").into_iter().filter_map(|band| {
        let mut band = Fields::of(band)?;
        Some([band.decimal("start")?, band.decimal("end")?, band.decimal("step")?])
    });
    let price_ranges = bands.collect();
    let market = Market {
        ticker,
        event,
        market_type: fields.text("market_type"),
        title: fields.text("title"),
        subtitle: fields.text("subtitle"),
        yes_sub_title: fields.text("yes_sub_title"),
        no_sub_title: fields.text("no_sub_title"),
        rules_primary: fields.text("rules_primary"),
        rules_secondary: fields.text("rules_secondary"),
        open_time: fields.time("open_time"),
        close_time: fields.time("close_time"),
        expected_expiration: fields.time("expected_expiration_time"),
        latest_expiration: fields
            .time("latest_expiration_time")
            .or_else(|| fields.time("expiration_time")),
        occurrence: fields.time("occurrence_datetime"),
        can_close_early: fields.flag("can_close_early").unwrap_or(false),
        early_close_condition: fields.text("early_close_condition"),
        settlement_timer_s: fields.integer("settlement_timer_seconds"),
        strike_type: fields.text("strike_type"),
        floor_strike: fields.decimal("floor_strike"),
        cap_strike: fields.decimal("cap_strike"),
        functional_strike: fields.text("functional_strike"),
        custom_strike: custom(fields.object("custom_strike")),
        status: fields.text("status"),
        result: fields.text("result"),
        price_ranges,
        exchange_index: fields.integer("exchange_index").and_then(|n| u32::try_from(n).ok()),
        notional: fields.decimal("notional_value_dollars"),
        is_combo,
        is_provisional: fields.flag("is_provisional").unwrap_or(false),
        yes_bid: fields.decimal("yes_bid_dollars"),
        yes_ask: fields.decimal("yes_ask_dollars"),
        updated: fields.time("updated_time"),
    };
    Ok((market, fields.wrong()))
}

/// The series in an event's ticker.
fn series_of(event: &str) -> &str {
    event.split_once('-').map_or(event, |(series, _)| series)
}

/// The event in a market's ticker.
fn event_of(ticker: &str) -> &str {
    ticker.rsplit_once('-').map_or(ticker, |(event, _)| event)
}

fn sources(fields: &mut Fields<'_>) -> Vec<(String, String)> {
    let list = fields.objects("settlement_sources").into_iter();
    list.filter_map(|source| {
        let mut source = Fields::of(source)?;
        Some((source.text("name"), source.text("url")))
    })
    .collect()
}

fn custom(value: Option<&Value>) -> Vec<(String, String)> {
    let Some(map) = value.and_then(Value::as_object) else { return Vec::new() };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    map.iter().take(32).map(|(name, value)| (name.clone(), text(value))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bare_market_says_what_it_can() {
        let bare = json!({"ticker": "KXFED-26DEC-T3.50", "status": "frozen", "close_time": 5});
        let (market, wrong) = market(&bare).unwrap();
        assert_eq!((market.event.as_str(), market.close_time), ("KXFED-26DEC", None));
        assert!(market.has_new_status() && !market.is_open(), "a new word is not taken for open");
        assert_eq!(wrong, "`close_time` is not a time");
        assert_eq!(super::market(&json!({})).unwrap_err(), "a market without `ticker`");
        assert_eq!(super::market(&json!("x")).unwrap_err(), "a market that is no object");
        let (event, _) = event(&json!({"event_ticker": "KXFED-26DEC"})).unwrap();
        assert_eq!(event.series, "KXFED");
    }

    #[test]
    fn prices_and_states_do_not_change_the_rules_and_a_word_does() {
        let page = |status: &str, rule: &str| {
            let value = json!({"ticker": "A-B-C", "status": status, "yes_bid_dollars": "0.4",
                "rules_primary": rule, "custom_strike": {"Hike": 25}, "floor_strike": 3.5});
            market(&value).unwrap().0
        };
        let one = page("active", "If it  rains,\nthen Yes.");
        assert_eq!(one.rules_hash(), page("closed", "If it rains, then Yes.").rules_hash());
        assert_ne!(one.rules_hash(), page("active", "If it snows, then Yes.").rules_hash());
        assert_eq!(one.custom_strike, [("Hike".to_owned(), "25".to_owned())]);
    }
}
