//! Two games: the same teams, the same start, the same bet; and which team YES names.

use crate::compare::Findings;
use crate::game::{Game, GameMarket, Named};
use crate::game_one::same_score;
use crate::judgement::Relation;
use crate::quantity::decimal;
use crate::token::MICRO;

const HOUR_S: i64 = 3600;

/// Compares the games of both claims.
pub(crate) fn games(found: &mut Findings<'_>) {
    let (Some(a), Some(b)) = (&found.a.game, &found.b.game) else { return };
    let relation =
        |same: bool| if same { (Relation::Equal, 0) } else { (Relation::Different, 500) };
    let league = match (&a.league, &b.league) {
        (Some(x), Some(y)) => relation(x == y),
        _ => (Relation::Unknown, 60),
    };
    let show = |text: &Option<String>| text.clone().unwrap_or_default();
    found.add("league", league.0, league.1, || (show(&a.league), show(&b.league)));
    let teams = |game: &Game| game.teams.join(" - ");
    let place = a.same_teams(b);
    let alone = [a, b].iter().any(|game| game.teams.iter().any(String::is_empty));
    let (equal, penalty) = match place.is_some() && alone {
        // A team plays one game at a time; who against, one side leaves out.
        true => (Relation::Unknown, 40),
        false => relation(place.is_some()),
    };
    found.add("teams", equal, penalty, || (teams(a), teams(b)));
    let market = |game: &Game| format!("{:?}", game.market).to_lowercase();
    // Where no draw is possible, to win and to advance is one thing.
    let alike = |x: GameMarket, y: GameMarket| {
        x == y || (!a.draw && !b.draw && pair(x, y, GameMarket::Moneyline, GameMarket::Advance))
    };
    let (equal, penalty) = relation(alike(a.market, b.market) && a.map == b.map);
    found.add("bet", equal, penalty, || (market(a), market(b)));
    start(found, a, b);
    if let Some(place) = place {
        outcome(found, a, b, place);
    }
    if a.negated != b.negated {
        found.inverted = !found.inverted;
        let side = |game: &Game| if game.negated { "not" } else { "" };
        found.add("negation", Relation::Compatible, 0, || (side(a), side(b)));
    }
}

fn pair(x: GameMarket, y: GameMarket, one: GameMarket, other: GameMarket) -> bool {
    (x == one && y == other) || (x == other && y == one)
}

/// Back-to-back games of one pairing exist, so that only the start decides.
fn start(found: &mut Findings<'_>, a: &Game, b: &Game) {
    let show = |game: &Game| match (game.start, game.day) {
        (Some(start), _) => start.text(),
        (None, Some(day)) => day.text(),
        _ => game.ends.map_or(String::new(), |ends| format!("ends about {}", ends.text())),
    };
    let hours = |from: i64, to: i64, low: i64, high: i64| {
        (low * HOUR_S..=high * HOUR_S).contains(&(to - from))
    };
    let ends = a.ends.map(|ends| (ends, b)).or(b.ends.map(|ends| (ends, a)));
    let proof = match (a.start, b.start, ends) {
        (Some(x), Some(y), _) => Some(hours(x.0, y.0, -2, 2)),
        // A time of the outcome far from the game is a date by which it must be known.
        (_, _, Some((ends, game))) => game
            .start
            .filter(|start| hours(start.0, ends.0, -24, 36))
            .map(|start| hours(start.0, ends.0, -1, 8)),
        _ => None,
    };
    // An expected time of the outcome cannot disprove the day that both name, unless two games of
    // one pairing can be played on it.
    let twice = [a, b].iter().any(|game| game.league.as_deref() == Some("mlb"));
    let named_day =
        a.day.is_some() && a.day == b.day && !twice && (a.start.is_none() || b.start.is_none());
    let proof = proof.filter(|same| *same || !named_day);
    let (relation, penalty) = match (proof, a.day, b.day) {
        (Some(true), ..) => (Relation::Equal, 0),
        (Some(false), ..) => (Relation::Different, 500),
        (None, Some(x), Some(y)) if x == y => (Relation::Compatible, 20),
        // The next day's slug may be the same game, and nothing here proves it.
        (None, Some(x), Some(y)) if (x.0 - y.0).abs() == 1 => (Relation::Different, 400),
        (None, Some(_), Some(_)) => (Relation::Different, 500),
        _ => by_close(found, a, b),
    };
    found.add("start", relation, penalty, || (show(a), show(b)));
}

/// One side has no day: the end of its trading must lie near the other's.
fn by_close(found: &Findings<'_>, a: &Game, b: &Game) -> (Relation, i32) {
    let (day, close) = match (a.day, b.day) {
        (Some(day), None) => (day, found.b.close),
        (None, Some(day)) => (day, found.a.close),
        _ => match (found.a.close, found.b.close) {
            (Some(x), Some(y)) => (x.eastern_day(), Some(y)),
            _ => return (Relation::Unknown, 150),
        },
    };
    let Some(close) = close else { return (Relation::Unknown, 150) };
    // Baseball is played on every day.
    let daily = [a, b].iter().any(|game| game.league.as_deref() == Some("mlb"));
    let days = [close.day(), close.eastern_day()];
    if daily && days.iter().all(|end| *end != day && (end.0 - day.0).abs() < 3) {
        return (Relation::Different, 500);
    }
    match close.eastern_day().0 - day.0 {
        -1..=1 => (Relation::Compatible, 60),
        // Two people meet once in a season, and teams of no known league hardly more.
        -15..=15 if a.league.is_none() && b.league.is_none() => (Relation::Unknown, 130),
        -15..=15 => (Relation::Unknown, 200),
        _ => (Relation::Different, 500),
    }
}

/// What YES names on both sides.
fn outcome(found: &mut Findings<'_>, a: &Game, b: &Game, place: usize) {
    let show = |game: &Game| match &game.named {
        Some(Named::Team(at)) => game.teams.get(*at).cloned().unwrap_or_default(),
        Some(other) => format!("{other:?}").to_lowercase(),
        None => String::new(),
    };
    let (Some(x), Some(y)) = (&a.named, &b.named) else {
        found.unsure = true;
        found.add("outcome", Relation::Unknown, 300, || (show(a), show(b)));
        return;
    };
    // In a game of no known league a draw may be possible, unless it is written as a match of two.
    let unknown = a.league.is_none() && b.league.is_none() && !a.assumed && !b.assumed;
    let two_way = !(a.draw || b.draw || unknown);
    let (relation, inverted) = match (x, y) {
        (Named::Team(i), Named::Team(j)) => {
            let same = (i + place) % 2 == *j;
            match a.market {
                GameMarket::Spread => spread(a, b, same),
                _ if same => (Relation::Equal, false),
                _ if two_way => (Relation::Equal, true),
                _ => (Relation::Different, false),
            }
        }
        (Named::Over, Named::Over) | (Named::Under, Named::Under) => (line(a, b), false),
        (Named::Over, Named::Under) | (Named::Under, Named::Over) => (line(a, b), true),
        (Named::Yes, Named::Yes) if a.market == GameMarket::ExactScore => {
            match same_score(a, b, place) {
                Some(true) => (Relation::Equal, false),
                _ => (Relation::Different, false),
            }
        }
        (x, y) if x == y => (Relation::Equal, false),
        _ => (Relation::Different, false),
    };
    found.inverted ^= inverted;
    let penalty = if relation == Relation::Different { 500 } else { 0 };
    let with_line = |game: &Game, text: String| match (game.line, game.score) {
        (Some(line), _) => format!("{text} {}", decimal(line)),
        (None, Some([first, second])) => format!("{} {first}-{second}", game.teams.join(" - ")),
        (None, None) => text,
    };
    let texts = || (with_line(a, show(a)), with_line(b, show(b)));
    found.add("outcome", relation, penalty, texts);
}

fn line(a: &Game, b: &Game) -> Relation {
    match (a.line, b.line) {
        (Some(x), Some(y)) if x == y => Relation::Equal,
        (Some(_), Some(_)) => Relation::Different,
        _ => Relation::Unknown,
    }
}

/// A team by more than 3.5, and the other by more than -3.5, are each other's opposite.
fn spread(a: &Game, b: &Game, same: bool) -> (Relation, bool) {
    let (Some(x), Some(y)) = (a.line, b.line) else { return (Relation::Unknown, false) };
    let half = |line: i128| line.rem_euclid(MICRO) == MICRO / 2;
    if same && x == y {
        (Relation::Equal, false)
    } else if !same && x == -y && half(x) {
        (Relation::Equal, true)
    } else {
        (Relation::Different, false)
    }
}
