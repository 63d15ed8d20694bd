//! What pairs of one series have in common, so that one approval may cover all of them: the series
//! on both venues, the way round, the form of the strike, and both rules word for word but for
//! names, numbers and dates.

use matching::alias::Aliases;
use matching::claim::Claim;
use matching::game::Game;
use matching::listing::Listing;

use super::rules;

/// The digest of a likeness; empty where a side belongs to no series, or has no rules.
pub fn likeness(here: &Listing, there: &Listing, polarity: &str, aliases: &Aliases) -> String {
    let sides = [here, there];
    if sides.iter().any(|side| side.series.is_empty() || side.rules.trim().is_empty()) {
        return String::new();
    }
    // Both sides name the same things; where one does not list a name, the other may.
    let teams = sides.map(|side| teams(side, aliases)).concat();
    let masks = sides.map(|side| {
        let mut names: Vec<&str> = teams.iter().map(String::as_str).collect();
        names.extend(side.outcomes.iter().map(|outcome| outcome.name.as_str()));
        for side in sides {
            names.extend([side.subtitle.as_str(), &side.sport.home, &side.sport.away]);
        }
        names.retain(|name| !is_answer(name));
        let texts = format!("{} {}", side.rules, side.early_close);
        rules::mask(&texts, &names)
    });
    let outcomes = |side: &Listing| if side.is_yes_no() { "yes-no" } else { "named" };
    rules::hash(&[
        &here.series,
        &there.series,
        polarity,
        &here.strike.kind,
        &there.sport.market_type,
        outcomes(there),
        &sources(here),
        &sources(there),
        &masks[0],
        &masks[1],
    ])
}

/// Who plays, in the words of the title and by the names that tables have: the rules of one side's
/// market name the opponent too.
fn teams(side: &Listing, aliases: &Aliases) -> Vec<String> {
    let shown = Game::of(side, aliases, None);
    let known = Claim::of(side, aliases, None).game;
    shown.into_iter().chain(known).flat_map(|game| game.teams).collect()
}

fn sources(side: &Listing) -> String {
    side.sources.join(";")
}

/// Words that say how it ends, not about whom.
fn is_answer(name: &str) -> bool {
    ["yes", "no", "over", "under", "tie", "draw", ""].contains(&name.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(series: &str, subtitle: &str, rules: &str) -> Listing {
        Listing {
            series: series.into(),
            subtitle: subtitle.into(),
            rules: rules.into(),
            ..Listing::default()
        }
    }

    #[test]
    fn another_team_on_another_day_is_alike_and_another_rule_is_not() {
        let names = Aliases::builtin();
        let here = |team: &str, day: &str| {
            side("KXEPLGAME", team, &format!("If {team} wins on {day}, then Yes. Overtime counts."))
        };
        let there = |team: &str, day: &str| {
            side("epl-2026", team, &format!("Resolves to Yes if {team} wins the game of {day}."))
        };
        let one =
            likeness(&here("Arsenal", "Nov 3"), &there("Arsenal", "November 3"), "same", &names);
        let two =
            likeness(&here("Leeds", "Dec 12"), &there("Leeds", "December 12"), "same", &names);
        assert_eq!(one, two);
        assert!(!one.is_empty());
        let turned =
            likeness(&here("Leeds", "Dec 12"), &there("Leeds", "December 12"), "inverted", &names);
        assert_ne!(one, turned);
        let mut changed = here("Leeds", "Dec 12");
        changed.rules.push_str(" A draw is void.");
        assert_ne!(one, likeness(&changed, &there("Leeds", "December 12"), "same", &names));
        assert_eq!(likeness(&side("", "a", "b"), &there("Leeds", "x"), "same", &names), "");
    }

    /// One market of a game on both venues, in Kalshi's words and in Polymarket's.
    fn game(teams: [[&str; 2]; 2], wins: usize, day: [&str; 2]) -> [Listing; 2] {
        let [[home, home_there], [away, away_there]] = teams;
        let (subtitle, there) = ([home, away][wins], [home_there, away_there][wins]);
        let here = Listing {
            id: "KXEPLGAME-26NOV21ABCDEF-ABC".into(),
            title: format!("{home} vs {away} Winner?"),
            event_title: format!("{home} vs {away}"),
            ..side(
                "KXEPLGAME",
                subtitle,
                &format!(
                    "If {subtitle} wins the {home} vs {away} professional EPL soccer game \
                     originally scheduled for {} after 90 minutes plus stoppage time (does not \
                     include extra time or penalties), then the market resolves to Yes.",
                    day[0]
                ),
            )
        };
        let there = Listing {
            venue: matching::Venue::Polymarket,
            title: format!("Will {there} win on 2026-11-21?"),
            event_title: format!("{home_there} vs. {away_there}"),
            ..side(
                "epl-2026",
                there,
                &format!(
                    "In the upcoming game, scheduled for {}: if {there} wins against whichever of \
                     {home_there} and {away_there} it plays, this market will resolve to \"Yes\".",
                    day[1]
                ),
            )
        };
        [here, there]
    }

    #[test]
    fn a_game_is_like_one_of_other_teams_at_home_and_away() {
        let names = Aliases::builtin();
        let like = |teams, wins, day| {
            let [here, there] = game(teams, wins, day);
            likeness(&here, &there, "same", &names)
        };
        let one = [["Arsenal", "Arsenal FC"], ["Chelsea", "Chelsea FC"]];
        let other = [
            ["West Ham", "West Ham United FC"],
            ["Brighton & Hove Albion", "Brighton & Hove Albion FC"],
        ];
        let third = [["Man City", "Manchester City FC"], ["Nottingham", "Nottingham Forest FC"]];
        let days = [["Nov 21, 2026", "November 21, 2026"], ["Dec 5, 2026", "December 5, 2026"]];
        let first = like(one, 0, days[0]);
        for (teams, wins) in [(one, 1), (other, 0), (other, 1), (third, 0), (third, 1)] {
            assert_eq!(like(teams, wins, days[1]), first, "{teams:?} {wins}");
        }
        // Who wins is masked, what winning means is not.
        let [mut here, there] = game(one, 0, days[0]);
        here.rules = here.rules.replace("does not include", "includes");
        assert_ne!(likeness(&here, &there, "same", &names), first);
    }
}
