//! What a market on a game bets on: its kind, its line, and whom YES names.

use crate::alias::{Aliases, normal};
use crate::game::{GameMarket, Named, same_team, team};
use crate::listing::{Listing, Venue};
use crate::quantity::micro;

/// What is bet on, by typed field, series or words; none for what this program does not know.
pub(crate) fn market_of(listing: &Listing, esports: bool) -> Option<GameMarket> {
    let series = listing.id.split('-').next().unwrap_or("").to_ascii_uppercase();
    let text = format!("{} {}", listing.title, listing.subtitle).to_lowercase();
    let kalshi = listing.venue == Venue::Kalshi;
    match listing.sport.market_type.as_str() {
        "moneyline" => return Some(GameMarket::Moneyline),
        "spreads" => return Some(GameMarket::Spread),
        "totals" => return Some(GameMarket::Total),
        "both_teams_to_score" => return Some(GameMarket::BothScore),
        "child_moneyline" if esports => return Some(GameMarket::Map),
        "soccer_exact_score" => return Some(GameMarket::ExactScore),
        "soccer_team_to_advance" => return Some(GameMarket::Advance),
        "" => {}
        _ => return None,
    }
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let exact = (kalshi && series.ends_with("SCORE")) || has(&["exact score", "correct score"]);
    if exact || text.contains("final score be") {
        return Some(GameMarket::ExactScore);
    }
    let partly = ["1H", "2H", "1Q", "F5", "TEAMTOTAL"];
    if has(PARTS) || (kalshi && partly.iter().any(|part| series.contains(part))) {
        return None;
    }
    if !esports
        && !text.contains("world series")
        && (has(&[" series?", "series winner", "win series", "series against", " in round "])
            || series.ends_with("SERIES"))
    {
        return Some(GameMarket::Series);
    }
    if (kalshi && series.ends_with("BTTS")) || has(&["both teams to score", "btts"]) {
        Some(GameMarket::BothScore)
    } else if has(&["to advance", "advances", " advance past "]) {
        Some(GameMarket::Advance)
    } else if (kalshi && series.ends_with("SPREAD"))
        || has(&["spread", "wins by", "win by", " by more than ", " by over ", " by at least "])
    {
        Some(GameMarket::Spread)
    } else if (kalshi && series.ends_with("TOTAL")) || has(&["o/u", "total", "over ", "under "]) {
        Some(GameMarket::Total)
    } else if esports && map_number(&listing.title).is_some() {
        Some(GameMarket::Map)
    } else {
        Some(GameMarket::Moneyline)
    }
}

/// Whether a title says `not`; `no` may be the code of a team.
pub(crate) fn negated(title: &str) -> bool {
    let words = format!(" {} ", normal(title));
    [" not ", " wont ", " never ", " fail to ", " fails to "].iter().any(|no| words.contains(no))
}

/// Words of bets on a part of a game, on one team's part, or on a player: none that is known here.
const PARTS: &[&str] = &[
    "final score",
    "first half",
    "1st half",
    "second half",
    "2nd half",
    "1h ",
    "2h ",
    "half-time",
    "halftime",
    "half time",
    "quarter:",
    "1st quarter",
    "first quarter",
    "1st period",
    "first period",
    "1st inning",
    "first inning",
    "5 innings",
    "set 1",
    "set 2",
    "first set",
    "1st set",
    "team total",
    "corners",
    "cards",
    "goalscorer",
    "score first",
    "first to score",
    "clean sheet",
    "method of",
    "by ko",
    "by tko",
    "by submission",
    "by decision",
    "by knockout",
    "go the distance",
    "margin",
];

pub(crate) fn map_number(text: &str) -> Option<u32> {
    let lower = text.to_lowercase();
    let (_, rest) = lower.split_once("map ").or_else(|| lower.split_once("game "))?;
    rest.chars().next()?.to_digit(10).filter(|n| (1..=7).contains(n))
}

/// Whom or what YES names, and whether the order of the names alone says so.
pub(crate) fn named(
    listing: &Listing,
    aliases: &Aliases,
    league: Option<&str>,
    teams: &[String; 2],
    market: GameMarket,
) -> (Option<Named>, bool) {
    let place = |name: &str| place_of(aliases, league, teams, name);
    let yes = listing.yes().map_or("", |yes| yes.name.as_str());
    let plain = listing.is_yes_no();
    let text =
        crate::token::folded(&format!("{} {}", listing.title, listing.subtitle)).to_lowercase();
    match market {
        GameMarket::BothScore | GameMarket::ExactScore => (Some(Named::Yes), false),
        GameMarket::Total => {
            let side = if plain { text.as_str() } else { &yes.to_lowercase() };
            let under = side.contains("under") && !side.contains("over");
            (
                Some(if under { Named::Under } else { Named::Over }),
                plain && !text.contains("over") && !under,
            )
        }
        _ => {
            if !plain {
                return (place(yes).map(Named::Team), false);
            }
            let tie =
                ["draw", "tie"].iter().any(|w| normal(&text).split(' ').any(|word| word == *w));
            let suffix = listing.id.rsplit('-').next().unwrap_or("");
            if listing.venue == Venue::Kalshi && suffix == "TIE" || tie {
                return (Some(Named::Draw), false);
            }
            let code = league.and_then(|l| {
                let letters = suffix.trim_end_matches(|c: char| c.is_ascii_digit());
                let by_code =
                    aliases.team_of_code(l, suffix).or_else(|| aliases.team_of_code(l, letters));
                by_code.filter(|_| listing.venue == Venue::Kalshi)
            });
            let subject = text
                .split_once("will ")
                .and_then(|(_, rest)| {
                    [" win", " beat", " advance", " defeat"].iter().find_map(|w| rest.split_once(w))
                })
                .and_then(|(name, _)| place(name.strip_prefix("the ").unwrap_or(name)));
            let wins =
                text.split_once(" wins").and_then(|(before, _)| place(before.rsplit(':').next()?));
            let of_subtitle = place(listing.subtitle.trim_end_matches(" advances"));
            let found = of_subtitle.or(code.and_then(place)).or(subject).or(wins);
            if found.is_some() {
                return (found.map(Named::Team), false);
            }
            let of_spread = text.strip_prefix("spread: ").and_then(|rest| rest.split_once('('));
            if let Some((name, _)) = of_spread {
                let alone = teams[1].is_empty().then_some(0);
                return (place(name).or(alone).map(Named::Team), false);
            }
            // `A vs. B` without outcomes: by custom the first is YES. Good for a study, not for money.
            let bare = listing.outcomes.is_empty() && !text.contains("will ");
            (bare.then_some(Named::Team(0)), bare)
        }
    }
}

/// The place of a name among two teams.
pub(crate) fn place_of(
    aliases: &Aliases,
    league: Option<&str>,
    teams: &[String; 2],
    name: &str,
) -> Option<usize> {
    let name = normal(name);
    let known = league.and_then(|league| team(aliases, league, &name)).unwrap_or(name);
    match [same_team(&known, &teams[0]), same_team(&known, &teams[1])] {
        [true, false] => Some(0),
        [false, true] => Some(1),
        _ => None,
    }
}

/// The line, as what the named team must win by, or what both must score more than.
pub(crate) fn line_of(listing: &Listing, market: GameMarket) -> Option<i128> {
    if !matches!(market, GameMarket::Spread | GameMarket::Total) {
        return None;
    }
    if let Some(line) = listing.sport.line.as_deref().and_then(micro) {
        // A spread of -3.5 is to win by more than 3.5.
        return Some(if market == GameMarket::Spread { -line } else { line });
    }
    if let Some(floor) = listing.strike.floor.as_deref().and_then(micro) {
        return Some(floor);
    }
    let text = format!("{} {}", listing.title, listing.subtitle);
    let number = text.split([' ', '(', ')', '?', ':']).find_map(|word| {
        let halves = word.ends_with(".5") && word.len() <= 6;
        halves.then(|| micro(word)).flatten()
    })?;
    let spread_written =
        market == GameMarket::Spread && text.contains(['+', '-']) && !text.contains("by ");
    Some(if spread_written { -number } else { number })
}
