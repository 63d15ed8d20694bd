//! Rows of the store -> what a matcher reads, with the terms that the pair table needs.

use matching::listing::{GridStep, Listing, Outcome, Sport, Status, Strike, Terms, Venue};
use matching::when::UnixTime;

use super::store::{KalshiRow, PolymarketRow};

/// The smallest marketable order in pUSD (polymarket.md section 5.6); no page states it.
const MIN_NOTIONAL: &str = "1";

/// A market of Kalshi.
pub fn kalshi(row: &KalshiRow) -> Listing {
    let KalshiRow { market, event, series } = row;
    let event = event.clone().unwrap_or_default();
    let series = series.clone().unwrap_or_default();
    let sources = if event.sources.is_empty() { &series.sources } else { &event.sources };
    let times = |at: Option<i64>| at.map(UnixTime);
    let grid = |[start, end, step]: &[String; 3]| GridStep {
        start: start.clone(),
        end: end.clone(),
        step: step.clone(),
    };
    Listing {
        venue: Venue::Kalshi,
        id: market.ticker.clone(),
        event_id: market.event.clone(),
        series: if series.ticker.is_empty() { event.series.clone() } else { series.ticker.clone() },
        title: first_of(&[&market.title, &event.title]),
        event_title: event.title.clone(),
        event_subtitle: event.sub_title.clone(),
        subtitle: first_of(&[&market.yes_sub_title, &market.subtitle]),
        outcomes: [("Yes", ""), ("No", "")].map(outcome).to_vec(),
        rules: joined(&[&market.rules_primary, &market.rules_secondary]),
        sources: sources
            .iter()
            .map(|(name, url)| format!("{name} {url}").trim().to_owned())
            .collect(),
        early_close: market.early_close_condition.clone(),
        can_close_early: market.can_close_early,
        category: first_of(&[&event.category, &series.category]),
        tags: series.tags.clone(),
        open: times(market.open_time),
        close: times(market.close_time),
        expected: times(market.expected_expiration),
        occurrence: times(market.occurrence.or(event.strike_date)),
        strike: Strike {
            kind: market.strike_type.clone(),
            floor: market.floor_strike.clone(),
            cap: market.cap_strike.clone(),
            custom: market
                .custom_strike
                .iter()
                .map(|(_, value)| value)
                .chain([&market.functional_strike])
                .filter(|value| is_for_people(value))
                .cloned()
                .collect(),
        },
        market_type: market.market_type.clone(),
        mutually_exclusive: event.mutually_exclusive,
        other: is_other(&market.yes_sub_title),
        placeholder: is_placeholder(&market.yes_sub_title),
        status: match market.status.as_str() {
            "active" => Status::Open,
            "initialized" | "inactive" => Status::Paused,
            "closed" | "determined" | "disputed" | "amended" | "finalized" => Status::Closed,
            other => Status::Other(other.to_owned()),
        },
        terms: Terms {
            grid: market.price_ranges.iter().map(grid).collect(),
            min_size: Some("0.01".to_owned()),
            fee_type: event.fee_type_override.unwrap_or(series.fee_type),
            fee_multiplier: event.fee_multiplier_override.or(series.fee_multiplier),
            exchange_index: market.exchange_index.map(i64::from),
            ..Terms::default()
        },
        ..Listing::default()
    }
}

/// A market of Polymarket.
pub fn polymarket(row: &PolymarketRow) -> Listing {
    let PolymarketRow { market, event } = row;
    let event = event.clone().unwrap_or_default();
    let times = |at: Option<i64>| at.map(UnixTime);
    let tokens = market.tokens.iter().map(String::as_str).chain(std::iter::repeat(""));
    let name = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Listing {
        venue: Venue::Polymarket,
        id: market.condition_id.clone(),
        event_id: market.event.clone(),
        series: event.series.clone(),
        slug: market.slug.clone(),
        event_slug: event.slug.clone(),
        title: first_of(&[&market.question, &event.title]),
        event_title: event.title.clone(),
        subtitle: market.group_item_title.clone(),
        outcomes: market.outcomes.iter().map(String::as_str).zip(tokens).map(outcome).collect(),
        rules: first_of(&[&market.description, &event.description]),
        sources: name(&market.resolution_source).into_iter().collect(),
        tags: event.tags.clone(),
        open: times(market.start),
        close: times(market.end.or(event.end)),
        sport: Sport {
            game_id: name(&market.game_id).or_else(|| name(&event.game_id)),
            market_type: market.sports_market_type.clone(),
            line: market.line.clone(),
            start: times(market.game_start.or(event.start_time)),
            home: event.home.clone(),
            away: event.away.clone(),
        },
        neg_risk: market.neg_risk,
        mutually_exclusive: event.neg_risk,
        other: market.is_other || is_other(&market.group_item_title),
        placeholder: is_placeholder(&market.group_item_title),
        status: match (market.is_open(), market.trades()) {
            (true, true) => Status::Open,
            (true, false) => Status::Paused,
            (false, _) => Status::Closed,
        },
        terms: Terms {
            tick: market.tick.clone(),
            min_size: market.min_size.clone(),
            min_notional: Some(MIN_NOTIONAL.to_owned()),
            fee_rate: match market.fees_enabled {
                Some(false) => Some("0".to_owned()),
                _ => market.fee_rate.clone(),
            },
            fee_exponent: match market.fees_enabled {
                Some(false) => Some(1),
                _ => market.fee_exponent.and_then(|n| u32::try_from(n).ok()),
            },
            version: if market.is_v2 { "v2" } else { "v1" }.to_owned(),
            taker_delay_ms: market
                .seconds_delay
                .and_then(|s| u32::try_from(s).ok()?.checked_mul(1_000))
                .unwrap_or(0),
            ..Terms::default()
        },
        ..Listing::default()
    }
}

fn outcome((name, token): (&str, &str)) -> Outcome {
    Outcome { name: name.to_owned(), token: token.to_owned() }
}

/// The first text that says something.
fn first_of(texts: &[&str]) -> String {
    texts.iter().find(|text| !text.trim().is_empty()).copied().unwrap_or_default().to_owned()
}

/// Those that say something, a blank line between them.
fn joined(texts: &[&str]) -> String {
    let some: Vec<&str> = texts.iter().filter(|text| !text.trim().is_empty()).copied().collect();
    some.join("\n\n")
}

/// False for ids, which name things to machines alone.
fn is_for_people(text: &str) -> bool {
    let is_uuid = text.len() == 36
        && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        && text.bytes().filter(|b| *b == b'-').count() == 4;
    !text.trim().is_empty() && !is_uuid
}

/// True for an outcome that means whatever is not named.
fn is_other(name: &str) -> bool {
    let name = name.trim().trim_end_matches('.').to_ascii_lowercase();
    matches!(
        name.as_str(),
        "other"
            | "another"
            | "any other"
            | "anyone else"
            | "someone else"
            | "field"
            | "the field"
            | "none of the above"
            | "none of these"
            | "another person"
            | "other person"
            | "another team"
            | "another candidate"
    )
}

/// True for an outcome whose name is still to come: `Person A`, `Team 3`, `TBD`.
fn is_placeholder(name: &str) -> bool {
    let words: Vec<String> = name.split_whitespace().map(str::to_ascii_lowercase).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tbd" | "tba" | "placeholder"] | ["to", "be", "announced" | "determined"] => true,
        [kind, mark] => {
            let is_kind = matches!(
                *kind,
                "person"
                    | "player"
                    | "team"
                    | "candidate"
                    | "company"
                    | "option"
                    | "outcome"
                    | "country"
                    | "party"
                    | "movie"
                    | "film"
                    | "artist"
                    | "song"
                    | "club"
                    | "individual"
                    | "placeholder"
                    | "nominee"
                    | "driver"
                    | "fighter"
            );
            let is_mark = mark.len() <= 2
                && (mark.bytes().all(|b| b.is_ascii_digit())
                    || mark.bytes().all(|b| b.is_ascii_alphabetic()));
            is_kind && is_mark
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{kalshi as k, polymarket as p};

    #[test]
    fn an_event_overrides_its_series_and_a_free_market_costs_nothing() {
        let series = k::Series {
            ticker: "KXA".into(),
            fee_type: "quadratic".into(),
            fee_multiplier: Some("1".into()),
            sources: vec![("NWS".into(), "https://a".into())],
            ..k::Series::default()
        };
        let event = k::Event {
            series: "KXA".into(),
            fee_multiplier_override: Some("0.5".into()),
            ..k::Event::default()
        };
        let market = k::Market {
            ticker: "KXA-1-B".into(),
            status: "dormant".into(),
            custom_strike: vec![
                ("team".into(), "e0729403-9c95-4ee2-b5d4-f704d8322570".into()),
                ("Hike".into(), "25".into()),
            ],
            ..k::Market::default()
        };
        let listing = kalshi(&KalshiRow { market, event: Some(event), series: Some(series) });
        assert_eq!(listing.terms.fee_type, "quadratic");
        assert_eq!(listing.terms.fee_multiplier.as_deref(), Some("0.5"));
        assert_eq!(listing.strike.custom, ["25"], "an id is for machines");
        assert_eq!(listing.sources, ["NWS https://a"]);
        assert_eq!(listing.status, Status::Other("dormant".into()));

        let market = p::Market {
            outcomes: vec!["Reds".into(), "Blues".into()],
            tokens: vec!["1".into(), "2".into()],
            active: true,
            fees_enabled: Some(false),
            group_item_title: "Player B".into(),
            ..p::Market::default()
        };
        let listing = polymarket(&PolymarketRow { market, event: None });
        assert_eq!(listing.terms.fee_rate.as_deref(), Some("0"));
        assert_eq!(listing.outcomes[1], outcome(("Blues", "2")));
        assert!(listing.placeholder && listing.status == Status::Paused);
    }

    #[test]
    fn names_that_name_nobody() {
        for name in ["Other", "the field", "None of the above."] {
            assert!(is_other(name), "{name}");
        }
        for name in ["Person A", "Team 12", "TBD", "to be announced"] {
            assert!(is_placeholder(name), "{name}");
        }
        for name in ["Otherwise", "Person of Interest", "Team Liquid", "Player One's"] {
            assert!(!is_other(name) && !is_placeholder(name), "{name}");
        }
    }
}
