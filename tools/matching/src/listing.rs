//! One market of one venue, as a matcher sees it: texts, times and strikes, no quotes.

use serde::{Deserialize, Serialize};

use crate::when::UnixTime;

/// Where a market is listed.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Venue {
    /// An exchange with a rulebook: Kalshi.
    #[default]
    Kalshi,
    /// An order book over tokens that an oracle settles: Polymarket.
    Polymarket,
}

/// Whether orders are taken. A word that is not known is kept, and never read as open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Trading.
    #[default]
    Open,
    /// Listed and not trading yet, or paused.
    Paused,
    /// Trading has ended.
    Closed,
    /// A word of the venue that this program does not know.
    Other(String),
}

/// One side of a market. The first outcome of a listing is its YES.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// `Yes`, `No`, or what the venue calls it: a team, `Over`.
    pub name: String,
    /// Token or position id (Polymarket); empty at Kalshi.
    pub token: String,
}

/// The strike fields of a structured market, as decimal texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Strike {
    /// `greater`, `greater_or_equal`, `less`, `less_or_equal`, `between`, `custom`, `structured`...; empty where absent.
    pub kind: String,
    /// Lower bound.
    pub floor: Option<String>,
    /// Upper bound.
    pub cap: Option<String>,
    /// Values of `custom_strike` that are text for people (not ids), such as `25` of `{"Cut":"25"}`.
    pub custom: Vec<String>,
}

/// Typed fields of a sports market.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sport {
    /// The venue's id of the game.
    pub game_id: Option<String>,
    /// `moneyline`, `spreads`, `totals`, and child types; empty where absent.
    pub market_type: String,
    /// Signed line of spreads, line of totals, as decimal text.
    pub line: Option<String>,
    /// Scheduled start.
    pub start: Option<UnixTime>,
    /// Home team, where the venue names it.
    pub home: String,
    /// Away team, where the venue names it.
    pub away: String,
}

/// One step of a price grid, as decimal texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GridStep {
    /// Lowest price.
    pub start: String,
    /// Highest price.
    pub end: String,
    /// Distance of two prices.
    pub step: String,
}

/// What the pair table needs of a market beside its meaning. The matcher does not read it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// Price grid (Kalshi).
    pub grid: Vec<GridStep>,
    /// Tick (Polymarket).
    pub tick: Option<String>,
    /// Smallest order in contracts or shares.
    pub min_size: Option<String>,
    /// Smallest marketable order in dollars.
    pub min_notional: Option<String>,
    /// Fee type (Kalshi).
    pub fee_type: String,
    /// Multiplier of the fee (Kalshi).
    pub fee_multiplier: Option<String>,
    /// Rate of the fee (Polymarket).
    pub fee_rate: Option<String>,
    /// Exponent of the fee (Polymarket).
    pub fee_exponent: Option<u32>,
    /// Shard (Kalshi).
    pub exchange_index: Option<i64>,
    /// `v1` or `v2` (Polymarket).
    pub version: String,
    /// Delay of takers (Polymarket).
    pub taker_delay_ms: u32,
}

/// One market of one venue. Fields that a venue did not give are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Listing {
    /// Where.
    pub venue: Venue,
    /// Market ticker (Kalshi) or condition id (Polymarket).
    pub id: String,
    /// Event ticker (Kalshi) or event id (Polymarket).
    pub event_id: String,
    /// Series ticker (Kalshi) or series slug (Polymarket).
    pub series: String,
    /// Slug of the market (Polymarket).
    pub slug: String,
    /// Slug of the event (Polymarket).
    pub event_slug: String,
    /// The question.
    pub title: String,
    /// Title of the event that holds the market.
    pub event_title: String,
    /// Subtitle of the event.
    pub event_subtitle: String,
    /// What YES names inside its event: `yes_sub_title` or `groupItemTitle`.
    pub subtitle: String,
    /// YES first. Exactly two, or empty where the venue did not say.
    pub outcomes: Vec<Outcome>,
    /// All rules that the venue prints: primary and secondary, or the description.
    pub rules: String,
    /// Named resolution sources.
    pub sources: Vec<String>,
    /// When and why it can close early, in the venue's words.
    pub early_close: String,
    /// Whether it can close before `close`.
    pub can_close_early: bool,
    /// Category, where there is one.
    pub category: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Trading begins.
    pub open: Option<UnixTime>,
    /// Trading ends: `close_time` or `endDate`.
    pub close: Option<UnixTime>,
    /// When the outcome is expected.
    pub expected: Option<UnixTime>,
    /// When the event happens: `occurrence_datetime`.
    pub occurrence: Option<UnixTime>,
    /// Strikes.
    pub strike: Strike,
    /// Sports fields.
    pub sport: Sport,
    /// Kalshi: `binary` or `scalar`; empty means binary.
    pub market_type: String,
    /// Polymarket: traded on the neg-risk exchange.
    pub neg_risk: bool,
    /// At most one market of the event resolves YES.
    pub mutually_exclusive: bool,
    /// The outcome is "Other", whose meaning changes as names are added.
    pub other: bool,
    /// A placeholder ("Person A") that has no meaning yet.
    pub placeholder: bool,
    /// Whether it trades.
    pub status: Status,
    /// What the pair table needs.
    pub terms: Terms,
}

impl Listing {
    /// The outcome that is YES here, where the venue said.
    #[must_use]
    pub fn yes(&self) -> Option<&Outcome> {
        self.outcomes.first()
    }

    /// Whether the two outcomes are called Yes and No, or are not given (then they are taken so).
    #[must_use]
    pub fn is_yes_no(&self) -> bool {
        match self.outcomes.as_slice() {
            [] => true,
            [yes, no] => {
                yes.name.trim().eq_ignore_ascii_case("yes")
                    && no.name.trim().eq_ignore_ascii_case("no")
            }
            _ => false,
        }
    }

    /// A digest of the texts that say how it resolves. A change of it pauses the pair.
    #[must_use]
    pub fn rules_hash(&self) -> String {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        for text in [&self.title, &self.subtitle, &self.rules, &self.early_close] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        for source in &self.sources {
            hash.update((source.len() as u64).to_le_bytes());
            hash.update(source.as_bytes());
        }
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}
