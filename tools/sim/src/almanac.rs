//! What both venues list beside what they trade: a few hundred events of every kind, on one venue
//! or on both, and among them look-alikes that must not be taken for each other. All of it is made
//! up from a seed; the names are those of real teams and offices, so that matching has real work.

pub(crate) mod day; // dates as tickers, slugs and rules write them
mod leagues; // their teams as both venues write them
mod games; // games of two teams
mod world; // everything else

use engine::pair::Polarity;
use engine::units::{Ns, Qty};
use serde_json::{Value, json};

use crate::cast;
use crate::rng::Rng;
use crate::universe::{KalshiAbout, KalshiMarket, PolymarketAbout, PolymarketMarket};
use day::Day;

/// What is true of two listings that a matcher could take for one contract.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Truth {
    /// Ticker.
    pub ticker: String,
    /// Condition.
    pub condition: String,
    /// How their outcomes answer each other; `None` where they are two contracts.
    pub polarity: Option<Polarity>,
    /// What differs, or what they are.
    pub why: &'static str,
}

/// Listings without a market model: their books stay empty.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Almanac {
    /// Kalshi's.
    pub kalshi: Vec<KalshiMarket>,
    /// Polymarket's.
    pub polymarket: Vec<PolymarketMarket>,
    /// What Gamma lists as `/sports` and as `/teams`.
    pub sports: Vec<Value>,
    /// See `sports`.
    pub teams: Vec<Value>,
    /// What is true of them.
    pub truth: Vec<Truth>,
}

/// Gamma's numbers of markets begin here, and those of events.
const GAMMA_FIRST: u64 = 1_000_000;
const EVENT_FIRST: u64 = 2_000_000;

/// An event of Kalshi while its markets are written.
struct Board<'b> {
    series: &'b str,
    event: String,
    title: String,
    sub_title: String,
    exclusive: bool,
    category: &'b str,
    source: &'b str,
    close: u64,
    occurrence: Option<u64>,
}

/// A market of Kalshi while it is written.
#[derive(Default)]
struct Ask<'a> {
    suffix: &'a str,
    title: String,
    yes: String,
    rules: [String; 2],
    strike: [String; 3],
    custom: Option<(&'a str, String)>,
}

/// An event of Polymarket while its markets are written.
struct Page<'p> {
    slug: String,
    title: String,
    tags: &'p [&'p str],
    series: &'p str,
    neg_risk: bool,
    end: u64,
    start: Option<u64>,
}

/// A market of Polymarket while it is written.
#[derive(Default)]
struct Bet<'a> {
    slug: String,
    question: String,
    item: String,
    outcomes: Option<[&'a str; 2]>,
    description: String,
    game: Option<(&'a str, Option<String>)>,
}

/// Writes an almanac.
struct Scribe {
    made: Almanac,
    rng: Rng,
    events: u64,
}

impl Almanac {
    /// The listings of a seed at a time. The same arguments give the same listings.
    pub fn new(seed: u64, now: Ns) -> Almanac {
        let rng = Rng::new(seed ^ 0x0061_6c6d_616e_6163);
        let mut scribe = Scribe { made: Almanac::default(), rng, events: EVENT_FIRST };
        let today = Day::of(now.0 / 1_000_000_000);
        games::write(&mut scribe, today);
        (scribe.made.sports, scribe.made.teams) = leagues::beside();
        world::write(&mut scribe, today);
        scribe.made
    }

    /// What is true of them, for whoever checks a matcher.
    pub fn to_json(&self) -> Value {
        let rows = self.truth.iter().map(|truth| {
            json!({
                "kalshi_ticker": truth.ticker,
                "condition_id": truth.condition,
                "equal": truth.polarity.is_some(),
                "polarity": truth.polarity.map(|polarity| match polarity {
                    Polarity::Same => "same",
                    Polarity::Inverted => "inverted",
                }),
                "why": truth.why,
            })
        });
        rows.collect()
    }
}

impl Scribe {
    /// Lists a market on Kalshi; its ticker.
    fn ask(&mut self, board: &Board<'_>, ask: Ask<'_>) -> String {
        let ticker = format!("{}-{}", board.event, ask.suffix);
        self.made.kalshi.push(KalshiMarket {
            ticker: ticker.clone(),
            event: board.event.clone(),
            series: board.series.to_owned(),
            title: board.title.clone(),
            yes_sub_title: ask.yes,
            bands: vec![(0, 10_000, 100)],
            price_level_structure: "linear_cent".to_owned(),
            fee_type: "quadratic".to_owned(),
            fee_multiplier_e6: 1_000_000,
            exchange_index: 0,
            close_time: board.close,
            about: KalshiAbout {
                title: ask.title,
                sub_title: board.sub_title.clone(),
                rules: ask.rules,
                strike: ask.strike,
                custom: ask.custom.map(|(name, value)| (name.to_owned(), value)),
                exclusive: board.exclusive,
                category: board.category.to_owned(),
                source: board.source.to_owned(),
                occurrence: board.occurrence,
                early_close: String::new(),
            },
        });
        ticker
    }

    /// Opens an event on Polymarket; its number.
    fn page(&mut self) -> u64 {
        self.events += 1;
        self.events
    }

    /// Lists a market on Polymarket; its condition.
    fn bet(&mut self, number: u64, page: &Page<'_>, bet: Bet<'_>) -> String {
        let (condition_id, tokens) = cast::ids(false, &mut self.rng);
        let outcomes = bet.outcomes.unwrap_or(["Yes", "No"]);
        self.made.polymarket.push(PolymarketMarket {
            gamma_id: GAMMA_FIRST + self.made.polymarket.len() as u64,
            condition_id: condition_id.clone(),
            tokens,
            outcomes: outcomes.map(str::to_owned),
            question: bet.question,
            slug: bet.slug,
            tick: 100,
            min_size: Qty::lit(500),
            fee_rate_e6: 40_000,
            fee_exponent: 1,
            neg_risk: page.neg_risk,
            is_v2: false,
            taker_delay_ms: if bet.game.is_some() { 1_000 } else { 0 },
            end_time: page.end,
            about: PolymarketAbout {
                event: Some((number, page.slug.clone(), page.title.clone())),
                description: bet.description,
                source: String::new(),
                item: bet.item,
                tags: page.tags.iter().map(|tag| (*tag).to_owned()).collect(),
                series: page.series.to_owned(),
                game: bet.game.and_then(|(kind, line)| Some((kind.to_owned(), line, page.start?))),
                augmented: false,
            },
        });
        condition_id
    }

    /// Notes that two are one contract.
    fn equal(&mut self, ticker: &str, condition: &str, polarity: Polarity, why: &'static str) {
        let (ticker, condition) = (ticker.to_owned(), condition.to_owned());
        self.made.truth.push(Truth { ticker, condition, polarity: Some(polarity), why });
    }

    /// Notes that two only look like it.
    fn alike(&mut self, ticker: &str, condition: &str, why: &'static str) {
        let (ticker, condition) = (ticker.to_owned(), condition.to_owned());
        self.made.truth.push(Truth { ticker, condition, polarity: None, why });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_few_hundred_events_with_names_of_their_own() {
        let now = Ns(1_795_262_400_000_000_000);
        let one = Almanac::new(7, now);
        assert_eq!(one, Almanac::new(7, now));
        let tickers: BTreeSet<_> = one.kalshi.iter().map(|market| &market.ticker).collect();
        assert_eq!(tickers.len(), one.kalshi.len(), "no ticker twice");
        let slugs: BTreeSet<_> = one.polymarket.iter().map(|market| &market.slug).collect();
        assert_eq!(slugs.len(), one.polymarket.len(), "no slug twice");
        let events: BTreeSet<_> = one.kalshi.iter().map(|market| &market.event).collect();
        assert!((200..500).contains(&events.len()), "{} events", events.len());
        let equal = one.truth.iter().filter(|truth| truth.polarity.is_some()).count();
        let alike = one.truth.len() - equal;
        assert!(equal > 200 && alike > 60, "{equal} equal, {alike} alike");
        let conditions: BTreeSet<_> = one.polymarket.iter().map(|m| &m.condition_id).collect();
        for truth in &one.truth {
            assert!(tickers.contains(&truth.ticker) && conditions.contains(&truth.condition));
        }
    }
}
