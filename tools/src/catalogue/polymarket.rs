//! Polymarket's events and markets as the catalogue keeps them (polymarket.md section 8).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::Fields;
use super::rules;

/// An event: a question with one market or several.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Event {
    /// Gamma's id.
    pub id: String,
    /// Its slug.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// Scheduled end; Unix seconds, as all times here.
    pub end: Option<i64>,
    /// When the game starts.
    pub start_time: Option<i64>,
    /// The venue's local day of it, `2026-11-22`.
    pub event_date: String,
    /// The game's number.
    pub game_id: String,
    /// Its series' slug.
    pub series: String,
    /// Slugs of its tags.
    pub tags: Vec<String>,
    /// The home team.
    pub home: String,
    /// The away team.
    pub away: String,
    /// Exactly one of its markets pays.
    pub neg_risk: bool,
    /// More outcomes may be added, which changes what "Other" means.
    pub neg_risk_augmented: bool,
    /// Not over yet.
    pub is_open: bool,
    /// When it was made.
    pub created: Option<i64>,
    /// When the venue last changed it.
    pub updated: Option<i64>,
}

/// A market.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Market {
    /// Gamma's id.
    pub id: String,
    /// Condition id, in lower case.
    pub condition_id: String,
    /// Gamma's id of its event; empty where the page did not say.
    pub event: String,
    /// Protocol V2: ids are position ids.
    pub is_v2: bool,
    /// What it asks.
    pub question: String,
    /// Its slug.
    pub slug: String,
    /// Its outcome's name inside of the event.
    pub group_item_title: String,
    /// When it pays.
    pub description: String,
    /// Who says so.
    pub resolution_source: String,
    /// Begin of trading; Unix seconds, as all times here.
    pub start: Option<i64>,
    /// Scheduled end.
    pub end: Option<i64>,
    /// Names of the outcomes.
    pub outcomes: Vec<String>,
    /// Token (V1) or position (V2) ids, in the order of the outcomes.
    pub tokens: Vec<String>,
    /// Shown as trading.
    pub active: bool,
    /// Over.
    pub closed: bool,
    /// Put away.
    pub archived: bool,
    /// Takes orders.
    pub accepting_orders: bool,
    /// Has a book.
    pub enable_order_book: bool,
    /// Price step, as it is written.
    pub tick: Option<String>,
    /// Smallest order, as it is written.
    pub min_size: Option<String>,
    /// Which exchange contract.
    pub neg_risk: bool,
    /// The outcome that stands for everything not named.
    pub is_other: bool,
    /// Whether takers pay.
    pub fees_enabled: Option<bool>,
    /// The fee's rate, as it is written.
    pub fee_rate: Option<String>,
    /// The fee's exponent.
    pub fee_exponent: Option<u64>,
    /// `moneyline`, `spreads`, `totals` and their kin.
    pub sports_market_type: String,
    /// The line, as it is written; signed for spreads.
    pub line: Option<String>,
    /// The game's number.
    pub game_id: String,
    /// When the game starts.
    pub game_start: Option<i64>,
    /// How long marketable orders wait; seconds.
    pub seconds_delay: Option<u64>,
    /// `proposed`, `disputed`, `resolved`, or nothing.
    pub uma_status: String,
    /// Best bid of the first outcome as the page showed it: for ranking only.
    pub best_bid: Option<String>,
    /// Best ask of the first outcome.
    pub best_ask: Option<String>,
    /// When the venue last changed it.
    pub updated: Option<i64>,
}

impl Market {
    /// True where it trades or may still.
    pub fn is_open(&self) -> bool {
        self.active && !self.closed && !self.archived && self.outcomes.len() == 2
    }

    /// True where it takes orders now.
    pub fn trades(&self) -> bool {
        self.is_open() && self.accepting_orders && self.enable_order_book && self.tokens.len() == 2
    }

    /// A digest of everything that says when which outcome pays.
    pub fn rules_hash(&self) -> String {
        rules::hash(&[
            &self.question,
            &self.group_item_title,
            &self.description,
            &self.resolution_source,
            &self.outcomes.join(";"),
            self.line.as_deref().unwrap_or_default(),
        ])
    }
}

/// Reads an event, without the markets inside.
///
/// # Errors
/// What it lacks to be one.
pub fn event(value: &Value) -> Result<(Event, String), String> {
    let mut fields = Fields::of(value).ok_or("an event that is no object")?;
    let id = fields.name("id").ok_or("an event without `id`")?;
    let slugs = |list: Vec<&Value>| -> Vec<String> {
        list.into_iter().filter_map(|one| Some(one.get("slug")?.as_str()?.to_owned())).collect()
    };
    let series = slugs(fields.objects("series"));
    let event = Event {
        id,
        slug: fields.text("slug"),
        title: fields.text("title"),
        description: fields.text("description"),
        end: fields.time("endDate"),
        start_time: fields.time("startTime"),
        event_date: fields.text("eventDate"),
        game_id: fields.text("gameId"),
        series: fields.name("seriesSlug").or_else(|| series.into_iter().next()).unwrap_or_default(),
        tags: slugs(fields.objects("tags")),
        home: fields.text("homeTeamName"),
        away: fields.text("awayTeamName"),
        neg_risk: fields.flag("enableNegRisk").or_else(|| fields.flag("negRisk")).unwrap_or(false),
        neg_risk_augmented: fields.flag("negRiskAugmented").unwrap_or(false),
        is_open: !fields.flag("closed").unwrap_or(false),
        created: fields.time("createdAt"),
        updated: fields.time("updatedAt"),
    };
    Ok((event, fields.wrong()))
}

/// Reads a market; `event` is the id of the event whose page it stands on.
///
/// # Errors
/// What it lacks to be one.
pub fn market(value: &Value, event: Option<&str>) -> Result<(Market, String), String> {
    let mut fields = Fields::of(value).ok_or("a market that is no object")?;
    let condition = fields.name("conditionId").ok_or_else(|| {
        let question = value.get("question").and_then(Value::as_str).unwrap_or("without a name");
        format!("a market without `conditionId`: {}", question.escape_debug())
    })?;
    if !is_condition(&condition) {
        return Err(format!("`conditionId` is no condition: {}", condition.escape_debug()));
    }
    let is_v2 = match fields.text("version").as_str() {
        "v2" => true,
        // Pages from before there were two name none.
        "v1" | "" => false,
        other => {
            return Err(format!("condition {condition}: version {} is new", other.escape_debug()));
        }
    };
    let inside = fields.objects("events").into_iter().next();
    let inside = inside.and_then(|event| event.get("id")?.as_str()).map(str::to_owned);
    let fee = fields.object("feeSchedule").and_then(Fields::of);
    let (fee_rate, fee_exponent) =
        fee.map_or((None, None), |mut fee| (fee.decimal("rate"), fee.integer("exponent")));
    let item = fields.text("groupItemTitle");
    let market = Market {
        id: fields.text("id"),
        condition_id: condition.to_ascii_lowercase(),
        event: event.map(str::to_owned).or(inside).unwrap_or_default(),
        is_v2,
        question: fields.text("question"),
        slug: fields.text("slug"),
        description: fields.text("description"),
        resolution_source: fields.text("resolutionSource"),
        start: fields.time("startDate"),
        end: fields.time("endDate"),
        outcomes: fields.texts("outcomes"),
        tokens: fields.texts(if is_v2 { "positionIds" } else { "clobTokenIds" }),
        active: fields.flag("active").unwrap_or(false),
        closed: fields.flag("closed").unwrap_or(false),
        archived: fields.flag("archived").unwrap_or(false),
        accepting_orders: fields.flag("acceptingOrders").unwrap_or(false),
        enable_order_book: fields.flag("enableOrderBook").unwrap_or(false),
        tick: fields.decimal("orderPriceMinTickSize"),
        min_size: fields.decimal("orderMinSize"),
        neg_risk: fields.flag("negRisk").unwrap_or(false),
        is_other: fields.flag("negRiskOther").unwrap_or(false) || is_other(&item),
        group_item_title: item,
        fees_enabled: fields.flag("feesEnabled"),
        fee_rate,
        fee_exponent,
        sports_market_type: fields.text("sportsMarketType"),
        line: fields.decimal("line"),
        game_id: fields.text("gameId"),
        game_start: fields.time("gameStartTime"),
        seconds_delay: fields.integer("secondsDelay"),
        uma_status: fields.text("umaResolutionStatus"),
        best_bid: fields.decimal("bestBid"),
        best_ask: fields.decimal("bestAsk"),
        updated: fields.time("updatedAt"),
    };
    Ok((market, fields.wrong()))
}

/// True for an outcome that means whatever is not named.
fn is_other(item: &str) -> bool {
    let item = item.trim().to_ascii_lowercase();
    matches!(item.as_str(), "other" | "another" | "field" | "the field" | "any other")
}

fn is_condition(text: &str) -> bool {
    text.strip_prefix("0x")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(changes: &Value) -> Value {
        let mut value = json!({
            "conditionId": format!("0x{}", "Ab".repeat(32)), "version": "v1", "id": "7",
            "question": "Will it?", "outcomes": "[\"Yes\", \"No\"]",
            "clobTokenIds": "[\"1\", \"2\"]", "positionIds": ["3", "4"], "active": true,
            "feeSchedule": {"rate": 0.04, "exponent": 1}, "orderPriceMinTickSize": 0.001,
            "line": -3.5, "acceptingOrders": true, "enableOrderBook": true,
        });
        for (key, change) in changes.as_object().unwrap() {
            value[key] = change.clone();
        }
        value
    }

    #[test]
    fn lists_inside_of_texts_are_read_and_the_version_picks_the_ids() {
        let (one, wrong) = market(&page(&json!({})), Some("9")).unwrap();
        assert_eq!((one.tokens.join(" "), one.outcomes.join(" ")), ("1 2".into(), "Yes No".into()));
        assert_eq!((one.fee_rate.as_deref(), one.tick.as_deref()), (Some("0.04"), Some("0.001")));
        assert_eq!((one.event.as_str(), wrong.as_str()), ("9", ""));
        assert_eq!(one.condition_id, format!("0x{}", "ab".repeat(32)));
        assert_eq!(one.line.as_deref(), Some("-3.5"));
        assert!(one.trades());
        let (two, _) =
            market(&page(&json!({"version": "v2", "clobTokenIds": "[]"})), None).unwrap();
        assert_eq!(two.tokens, ["3", "4"]);
    }

    #[test]
    fn what_cannot_be_traded_is_kept_or_refused_in_words() {
        let (one, wrong) = market(&page(&json!({"clobTokenIds": "[\"1\""})), None).unwrap();
        assert!(one.is_open() && !one.trades() && wrong.contains("`clobTokenIds`"), "{wrong}");
        let (three, _) = market(&page(&json!({"outcomes": "[\"A\",\"B\",\"C\"]"})), None).unwrap();
        assert!(!three.is_open());
        let refused = |changes| market(&page(&changes), None).unwrap_err();
        assert!(refused(json!({"conditionId": "0x12"})).contains("no condition"));
        assert!(refused(json!({"conditionId": null})).contains("Will it?"));
        assert!(refused(json!({"version": "v3"})).contains("is new"));
        assert!(market(&page(&json!({"groupItemTitle": "Other"})), None).unwrap().0.is_other);
    }
}
