//! What pairs of one series have in common, so that one approval may cover all of them: the series
//! on both venues, the way round, the form of the strike, and both rules word for word but for
//! names, numbers and dates.

use matching::listing::Listing;

use super::rules;

/// The digest of a likeness; empty where a side belongs to no series, or has no rules.
pub fn likeness(here: &Listing, there: &Listing, polarity: &str) -> String {
    let sides = [here, there];
    if sides.iter().any(|side| side.series.is_empty() || side.rules.trim().is_empty()) {
        return String::new();
    }
    let masks = sides.map(|side| {
        let mut names = vec![side.subtitle.as_str(), &side.sport.home, &side.sport.away];
        names.extend(side.outcomes.iter().map(|outcome| outcome.name.as_str()));
        // Both sides name the same things; where one does not list a name, the other may.
        let other = if std::ptr::eq(side, here) { there } else { here };
        names.extend([other.subtitle.as_str(), &other.sport.home, &other.sport.away]);
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

fn sources(side: &Listing) -> String {
    side.sources.join(";")
}

/// Words that say how it ends, not about whom.
fn is_answer(name: &str) -> bool {
    ["yes", "no", "over", "under", ""].contains(&name.trim().to_lowercase().as_str())
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
        let here = |team: &str, day: &str| {
            side("KXEPLGAME", team, &format!("If {team} wins on {day}, then Yes. Overtime counts."))
        };
        let there = |team: &str, day: &str| {
            side("epl-2026", team, &format!("Resolves to Yes if {team} wins the game of {day}."))
        };
        let one = likeness(&here("Arsenal", "Nov 3"), &there("Arsenal", "November 3"), "same");
        let two = likeness(&here("Leeds", "Dec 12"), &there("Leeds", "December 12"), "same");
        assert_eq!(one, two);
        assert!(!one.is_empty());
        let turned = likeness(&here("Leeds", "Dec 12"), &there("Leeds", "December 12"), "inverted");
        assert_ne!(one, turned);
        let mut changed = here("Leeds", "Dec 12");
        changed.rules.push_str(" A draw is void.");
        assert_ne!(one, likeness(&changed, &there("Leeds", "December 12"), "same"));
        assert_eq!(likeness(&side("", "a", "b"), &there("Leeds", "x"), "same"), "");
    }
}
