//! What a claim takes from the fields beside a listing's text: league, year, strikes, dates; and the
//! sort of event that all of it makes.

use crate::alias::{Aliases, Class};
use crate::claim::{Claim, Kind};
use crate::listing::{Listing, Venue};
use crate::quantity::{Quantity, Unit, micro};
use crate::token::{MICRO, tokens};
use crate::when::{Day, UnixTime};

impl Claim {
    /// Strike fields say exactly what the text says in words.
    pub(crate) fn strikes(&mut self, listing: &Listing) {
        let strike = &listing.strike;
        let floor = strike.floor.as_deref().and_then(micro);
        let cap = strike.cap.as_deref().and_then(micro);
        let unit = self.quantities.iter().map(|q| q.unit).max().unwrap_or(Unit::Count);
        let exact = match (strike.kind.as_str(), floor, cap) {
            ("greater", Some(low), _) => Quantity::above(low, false, unit),
            ("greater_or_equal", Some(low), _) => Quantity::above(low, true, unit),
            ("less", _, Some(high)) => Quantity::below(high, false, unit),
            ("less_or_equal", _, Some(high)) => Quantity::below(high, true, unit),
            ("between", Some(low), Some(high)) => Quantity::between(low, high, unit),
            _ => return,
        };
        let bounds: Vec<i128> = [floor, cap].into_iter().flatten().collect();
        let near = |q: &Quantity| {
            let unit_step = MICRO.max(bounds.iter().map(|b| b.abs() / 1000).max().unwrap_or(0));
            let all: Vec<i128> = [q.low, q.high].into_iter().flatten().map(|b| b.0).collect();
            !all.is_empty()
                && all.iter().all(|value| bounds.iter().any(|b| (b - value).abs() <= unit_step))
        };
        self.quantities.retain(|q| !near(q));
        self.quantities.push(exact);
    }

    /// The sort of event.
    pub(crate) fn sort_of(&self) -> Kind {
        if let Some(game) = &self.game {
            return game.kind();
        }
        let is = |class| self.values(class).is_some();
        let moves = self.has(Class::Metric, "fed-rate") || is(Class::Direction);
        if is(Class::Bank) && moves {
            Kind::CentralBank
        } else if self.has(Class::Stage, "nominee") {
            Kind::Nomination
        } else if self.has(Class::Metric, "seats") && is(Class::Office) {
            Kind::Seats
        } else if is(Class::Office)
            && (self.has(Class::Verb, "win") || self.has(Class::Verb, "lose") || is(Class::Stage))
        {
            Kind::Election
        } else if ["temperature", "low-temperature", "rain", "snow"]
            .iter()
            .any(|metric| self.has(Class::Metric, metric))
        {
            Kind::Weather
        } else if is(Class::Asset) && (!self.quantities.is_empty() || is(Class::Direction)) {
            Kind::AssetPrice
        } else if is(Class::Metric) && !self.quantities.is_empty() {
            Kind::Economic
        } else if is(Class::Award) {
            Kind::Award
        } else if is(Class::Event) || is(Class::League) || self.has(Class::Verb, "win") {
            Kind::Competition
        } else if self.spans.iter().any(|span| span.kind == crate::span::SpanKind::Deadline) {
            Kind::Deadline
        } else {
            Kind::Other
        }
    }
}

/// The day near which dates without a year lie.
pub(crate) fn anchor(listing: &Listing) -> Option<Day> {
    let expected = listing.occurrence.or(listing.expected);
    let time = match (listing.close, expected) {
        (Some(close), Some(expected)) => Some(close.min(expected)),
        (one, other) => one.or(other),
    };
    time.map(UnixTime::eastern_day)
}

/// League by ticker, slug, typed tags, or a competition that only it has.
pub(crate) fn league_of(listing: &Listing, aliases: &Aliases) -> Option<String> {
    let of_series = match listing.venue {
        Venue::Kalshi => aliases
            .league_of_series(&listing.series)
            .or_else(|| aliases.league_of_series(&listing.id)),
        Venue::Polymarket => aliases
            .league_of_slug(&listing.slug)
            .or_else(|| aliases.league_of_slug(&listing.event_slug)),
    };
    if let Some(league) = of_series {
        return Some(league.id.clone());
    }
    let found = tokens(&listing.title);
    for at in 0..found.len() {
        if let Some((class, value, _)) = aliases.longest(&found, at) {
            let league = match (class, value) {
                (Class::League, value) => Some(value),
                (Class::Event, "alcs" | "nlcs" | "world-series") => Some("mlb"),
                (Class::Event, "super-bowl") => Some("nfl"),
                (Class::Event, "stanley-cup") => Some("nhl"),
                (Class::Event, "nba-finals") => Some("nba"),
                (Class::Award, "cy-young") => Some("mlb"),
                _ => None,
            };
            if let Some(league) = league.filter(|id| aliases.league(id).is_some()) {
                return Some(league.to_owned());
            }
        }
    }
    let tag = listing.tags.iter().find_map(|tag| aliases.league(&tag.to_lowercase()));
    tag.map(|league| league.id.clone())
}

/// The year in `KXBRPRES-26-LULA`, `KXARREST-27JAN-X`, `KXCS2-IEMCOL26-VIT`.
pub(crate) fn ticker_year(listing: &Listing) -> Option<i32> {
    if listing.venue != Venue::Kalshi {
        return None;
    }
    let parts: Vec<&str> = listing.id.split('-').skip(1).collect();
    let two =
        |text: &str| text.parse::<i32>().ok().filter(|y| (20..=60).contains(y)).map(|y| 2000 + y);
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let dated = |part: &str| {
        let rest = part.get(2..).unwrap_or("");
        rest.len() >= 3 && rest.bytes().take(3).all(|b| b.is_ascii_uppercase())
    };
    let exact = parts.iter().find(|part| digits(part)).and_then(|part| two(part));
    let leading = parts.iter().find(|part| dated(part)).and_then(|part| two(part.get(..2)?));
    let trailing = parts.iter().find_map(|part| {
        let cut = part.len().checked_sub(2).filter(|cut| *cut >= 3)?;
        let letters = part.get(..cut)?.bytes().all(|b| b.is_ascii_uppercase());
        if letters { two(part.get(cut..)?) } else { None }
    });
    exact.or(leading).or(trailing)
}
