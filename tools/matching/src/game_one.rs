//! Titles of games that name no two teams with `vs`: a spread of one team, the winner of a day,
//! an exact score.

use crate::alias::normal;
use crate::game::Game;
use crate::when::UnixTime;

/// Goals of both teams, in the order of `teams`.
pub(crate) type Score = [u32; 2];

/// The teams that such a title names, folded; the second is empty where it names one.
pub(crate) fn teams(title: &str) -> Option<[String; 2]> {
    let lower = crate::token::folded(title).to_lowercase();
    let alone = |name: &str| {
        let name = normal(name.strip_prefix("the ").unwrap_or(name));
        (!name.is_empty() && name.split(' ').count() <= 6).then_some([name, String::new()])
    };
    if let Some(rest) = lower.strip_prefix("spread: ") {
        return alone(rest.split_once('(')?.0);
    }
    if let Some((name, day)) = lower.strip_prefix("will ").and_then(|l| l.split_once(" win on ")) {
        UnixTime::parse(day.get(..10)?)?;
        return alone(name);
    }
    if let Some((home, _, away)) = written(&lower) {
        return Some([normal(home), normal(away)]).filter(|t| t.iter().all(|t| !t.is_empty()));
    }
    alone(winner(&lower)?.0)
}

/// The score that a title and a subtitle name, in the order of these teams.
pub(crate) fn score(texts: [&str; 2], teams: &[String; 2], place: Place<'_>) -> Option<Score> {
    texts.into_iter().find_map(|text| {
        let lower = crate::token::folded(text).to_lowercase();
        if let Some((home, goals, away)) = written(&lower) {
            return match (place(home), place(away)) {
                (Some(0), None | Some(1)) | (None, Some(1)) => Some(goals),
                (Some(1), None | Some(0)) | (None, Some(0)) => Some([goals[1], goals[0]]),
                _ => None,
            };
        }
        if let Some((name, [most, least])) = winner(&lower) {
            let won = [most.max(least), most.min(least)];
            return match place(name)? {
                0 => Some(won),
                _ => Some([won[1], won[0]]),
            };
        }
        let level = lower.contains("draw") || lower.contains("tie");
        let goals = lower.split([' ', '?', ':', ')', '(']).find_map(goals)?;
        (level && goals[0] == goals[1] && !teams[0].is_empty()).then_some(goals)
    })
}

/// Finds the place of a name among the teams.
pub(crate) type Place<'a> = &'a dyn Fn(&str) -> Option<usize>;

/// `exact score: spain 2 - 3 argentina?`, `spain 2-3 argentina`.
fn written(lower: &str) -> Option<(&str, Score, &str)> {
    let text = lower.rsplit(": ").next()?.trim_end_matches('?').trim();
    let (left, right) = text.split_once('-')?;
    let (home, first) = left.trim().rsplit_once(' ')?;
    let (second, away) = right.trim().split_once(' ')?;
    Some((home, [goal(first)?, goal(second)?], away))
}

/// `argentina wins 3-2`: who, and both numbers as they stand.
fn winner(lower: &str) -> Option<(&str, Score)> {
    let (before, after) = lower.split_once(" wins ")?;
    let name = before.rsplit(": ").next()?;
    let name = name.rsplit_once("score be ").map_or(name, |(_, name)| name);
    Some((name, goals(after.split([' ', '?']).next()?)?))
}

fn goals(text: &str) -> Option<Score> {
    let (first, second) = text.split_once('-')?;
    Some([goal(first)?, goal(second)?])
}

fn goal(text: &str) -> Option<u32> {
    let digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Whether both name the same goals of the same teams; nothing where one names none.
pub(crate) fn same_score(a: &Game, b: &Game, place: usize) -> Option<bool> {
    let (x, y) = (a.score?, b.score?);
    Some(x[0] == y[place] && x[1] == y[1 - place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_team_or_a_score_is_a_game_and_a_trophy_is_not() {
        let named = |title: &str| teams(title).map(|t| t.join("/"));
        assert_eq!(named("Spread: Celtics (-4.5)").as_deref(), Some("celtics/"));
        assert_eq!(named("Will Arsenal FC win on 2026-03-01?").as_deref(), Some("arsenal fc/"));
        assert_eq!(
            named("Exact Score: Spain 2 - 3 Argentina?").as_deref(),
            Some("spain/argentina")
        );
        let wins = "Will the final score be Argentina wins 3-2?";
        assert_eq!(named(wins).as_deref(), Some("argentina/"));
        for other in
            ["Will Arsenal win the cup?", "Will Arsenal win on Sunday?", "Spread: Celtics", ""]
        {
            assert_eq!(named(other), None, "{other}");
        }
    }

    #[test]
    fn a_score_belongs_to_its_teams() {
        let teams = ["spain".to_owned(), "argentina".to_owned()];
        let place = |name: &str| teams.iter().position(|team| team == name);
        let read = |text: &str| score([text, ""], &teams, &place);
        assert_eq!(read("Exact Score: Spain 2 - 3 Argentina?"), Some([2, 3]));
        assert_eq!(read("Exact Score: Argentina 3-2 Spain?"), Some([2, 3]));
        assert_eq!(read("Will the final score be Argentina wins 3-2?"), Some([2, 3]));
        assert_eq!(read("Reg Time: Spain wins 3-2"), Some([3, 2]));
        assert_eq!(read("Reg Time: Draw 1-1"), Some([1, 1]));
        assert_eq!(read("Exact Score: Any Other Score"), None);
        assert_eq!(read("Will the final score be France wins 3-2?"), None);
    }
}
