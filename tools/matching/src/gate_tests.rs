use super::*;
use crate::alias::Aliases;
use crate::judgement::{Compared, Relation};
use crate::listing::Outcome;
use crate::matcher::Matcher;
use crate::payoff::DOLLAR;
use crate::{Judgement, Verdict};

/// A pair of listings on one thing, with the rules of both.
fn judged(title: &str, kalshi: &str, polymarket: &str) -> Judgement {
    let outcome = |name: &str| Outcome { name: name.into(), token: name.into() };
    let listing = |venue, rules: &str| Listing {
        venue,
        id: "X".into(),
        title: title.into(),
        rules: rules.into(),
        outcomes: vec![outcome("Yes"), outcome("No")],
        ..Listing::default()
    };
    let matcher = Matcher::new(Aliases::builtin());
    matcher.judge(&listing(Venue::Kalshi, kalshi), &listing(Venue::Polymarket, polymarket))
}

fn field<'a>(judgement: &'a Judgement, name: &str) -> &'a Compared {
    judgement.gate.compared.iter().find(|field| field.field == name).unwrap()
}

const TITLE: &str = "Will Ada Lovelace be arrested before 2027?";

#[test]
fn equal_rules_are_tradable_and_any_missing_side_is_not() {
    let kalshi = "If Ada Lovelace is arrested before Jan 1, 2027, then the market resolves to Yes. Sources: Reuters.";
    let polymarket = "This market will resolve to \"Yes\" if Ada Lovelace is arrested by December 31, 2026, 11:59 PM ET. Otherwise, this market will resolve to \"No\". The source is Reuters.";
    let judgement = judged(TITLE, kalshi, polymarket);
    assert_eq!((judgement.verdict, judgement.reasons), (Verdict::Tradable, Vec::new()));
    assert_eq!(judged(TITLE, "", polymarket).verdict, Verdict::NeedsReview);
    assert_eq!(judged(TITLE, kalshi, "").verdict, Verdict::NeedsReview);
    assert_eq!(judged(TITLE, kalshi, " \n").reasons[0].field, "rules");
}

#[test]
fn another_cut_off_blocks_and_quotes_both_texts() {
    let judgement = judged(
        TITLE,
        "If Ada Lovelace is arrested before Jan 1, 2027, then the market resolves to Yes. Reuters decides.",
        "This market will resolve to \"Yes\" if she is arrested by November 30, 2026. Otherwise \"No\". Reuters.",
    );
    assert_eq!(judgement.verdict, Verdict::Blocked);
    let reason = judgement.reasons.iter().find(|reason| reason.field == "cut-off").unwrap();
    assert_eq!((reason.here.as_str(), reason.there.as_str()), ("2026-12-31", "2026-11-30"));
    assert!(reason.here_text.contains("before Jan 1, 2027"), "{reason:?}");
    assert!(reason.there_text.contains("November 30, 2026"), "{reason:?}");
    // It may happen in December: one leg pays nothing, and nor does the other.
    assert_eq!(judgement.payoff.worst, 0);
}

#[test]
fn another_price_feed_or_bound_blocks() {
    let title = "Will Bitcoin be above $100,000 on December 31, 2026?";
    let rules = |source: &str| {
        format!(
            "If Bitcoin is above $100,000 on December 31, 2026 by {source}, the market resolves to Yes."
        )
    };
    let judgement = judged(title, &rules("CF Benchmarks"), &rules("Chainlink"));
    assert_eq!(
        (judgement.verdict, judgement.reasons[0].field.as_str()),
        (Verdict::Blocked, "source")
    );
    assert_eq!(
        field(&judged(title, &rules("Binance"), &rules("Binance")), "source").relation,
        Relation::Equal
    );
    let cpi = |word: &str| Listing {
        title: format!("Will core CPI rise {word} 0.6% in May 2026?"),
        rules: "The Bureau of Labor Statistics decides.".into(),
        ..Listing::default()
    };
    let there = Listing { venue: Venue::Polymarket, ..cpi("at least") };
    let judgement = Matcher::new(Aliases::builtin()).judge(&cpi("more than"), &there);
    assert!(judgement.equality.equal);
    assert_eq!(
        (judgement.verdict, judgement.reasons[0].field.as_str()),
        (Verdict::Blocked, "strike")
    );
}

#[test]
fn what_is_paid_when_an_event_does_not_take_place_is_read() {
    let judgement = judged(
        TITLE,
        "If the match is cancelled, the market will resolve to a fair price. If it is postponed, the market will remain open (within two weeks).",
        "If the match is canceled, or postponed beyond 7 days, this market will resolve 50-50. Overtime counts; including overtime. A tie resolves to \"No\".",
    );
    let pays = |record: &Record| record.cancelled.as_ref().map(|read| read.value);
    let Gate { here, there, .. } = &judgement.gate;
    assert_eq!((pays(here), pays(there)), (Some(Pays::FairPrice), Some(Pays::Half)));
    assert_eq!(here.postponed.as_ref().unwrap().value, Pays::Waits);
    assert_eq!(here.postponed_until.as_ref().unwrap().value, "2 weeks");
    assert_eq!(there.postponed_until.as_ref().unwrap().value, "7 days");
    assert_eq!(there.overtime.as_ref().unwrap().value, Overtime::Counts);
    assert_eq!(there.tie.as_ref().unwrap().value, Pays::No);
    assert_eq!(field(&judgement, "cancelled").relation, Relation::Different);
    assert_eq!(field(&judgement, "overtime").relation, Relation::Unknown);
    let case = |name: &str| judgement.payoff.cases.iter().find(|case| case.name == name).unwrap();
    assert_eq!(case("yes").together, DOLLAR);
    // Void at Polymarket alone: half a dollar there, and Kalshi's leg can lose.
    assert_eq!(case("void-there").together, DOLLAR / 2);
    assert_eq!(case("void-here").together, 0);
}

/// What both sides say of one case, and the field for which a person has to look; none where the
/// pair is tradable.
type Probe = (&'static str, &'static str, Option<&'static str>);

/// Every probe beside rules that agree: the verdict, and whether the field is among the reasons.
fn probed(title: &str, kalshi: &str, polymarket: &str, probes: &[Probe]) {
    for (here, there, want) in probes {
        let judgement =
            judged(title, &format!("{kalshi} {here}"), &format!("{polymarket} {there}"));
        let fields: Vec<&str> = judgement.reasons.iter().map(|r| r.field.as_str()).collect();
        match want {
            None => {
                assert_eq!(judgement.verdict, Verdict::Tradable, "{here} | {there}: {fields:?}");
            }
            Some(field) => {
                assert_ne!(judgement.verdict, Verdict::Tradable, "{here} | {there}");
                assert!(fields.contains(field), "{here} | {there}: {fields:?}");
            }
        }
        // The same, whichever stands first.
        let turned = judged(title, &format!("{kalshi} {there}"), &format!("{polymarket} {here}"));
        assert_eq!(turned.verdict == Verdict::Tradable, want.is_none(), "{there} | {here}");
    }
}

#[test]
fn a_deadline_is_a_day_a_clock_and_a_zone() {
    let by = |clock: &str| {
        format!(
            "This pays \"Yes\": it will resolve to \"Yes\" if Ada Lovelace is arrested by December \
             31, 2026{clock}. Otherwise \"No\". Reuters decides."
        )
    };
    for (here, there, relation) in [
        (", 11:59 PM ET", ", 11:59 PM ET", Relation::Equal),
        (", 11:59 PM ET", ", 11:59 PM EST", Relation::Equal),
        ("", "", Relation::Equal),
        (", 11:59 PM ET", "", Relation::Compatible),
        (", 11:59 PM ET", ", 11:59 PM UTC", Relation::Unknown),
        (", 11:59 PM PT", ", 11:59 PM ET", Relation::Unknown),
        (", 11:59 PM ET", ", 11:59 PM China Standard Time", Relation::Unknown),
        (", 11:59 PM ET", ", 11:59 PM", Relation::Unknown),
        (", 11:59 PM GMT+8", ", 11:59 PM GMT", Relation::Unknown),
        (", 12:00 PM ET", "", Relation::Unknown),
        (", 11:59 PM PT", "", Relation::Unknown),
        (", 11:59 PM ET", ", 12:00 PM ET", Relation::Different),
    ] {
        for (here, there) in [(here, there), (there, here)] {
            let judgement = judged(TITLE, &by(here), &by(there));
            let cutoff = field(&judgement, "cut-off");
            assert_eq!(cutoff.relation, relation, "{cutoff:?}");
            let trades = matches!(relation, Relation::Equal | Relation::Compatible);
            assert_eq!(judgement.verdict == Verdict::Tradable, trades, "{cutoff:?}");
        }
    }
}

#[test]
fn what_one_side_alone_says_of_a_printed_figure_is_reviewed() {
    let title = "Will the unemployment rate be above 4.3% in November 2026?";
    let rules = "If the unemployment rate of November 2026 is above 4.3%, by the Bureau of Labor \
                 Statistics, the market resolves to Yes.";
    let first = "Revisions made later will not be considered.";
    let unrounded = "The unrounded figure counts.";
    let one_place = "The figure is rounded to one decimal place.";
    let adjusted = "The seasonally adjusted rate counts.";
    let fair = "If the report is not released by December 31, 2026, a fair price is paid.";
    probed(
        title,
        rules,
        rules,
        &[
            ("", "", None),
            (first, "Only the first print counts.", None),
            (first, "", Some("which print")),
            (first, "The figure as revised in January counts.", Some("which print")),
            (unrounded, unrounded, None),
            (one_place, "It is rounded to the nearest tenth.", None),
            (unrounded, "", Some("rounding")),
            (unrounded, one_place, Some("rounding")),
            (adjusted, adjusted, None),
            (adjusted, "", Some("seasonal adjustment")),
            (adjusted, "The rate is not seasonally adjusted.", Some("seasonal adjustment")),
            (fair, "", Some("no result")),
            (
                fair,
                "If no data is released by December 31, 2026, it will resolve to \"No\".",
                Some("no result"),
            ),
            (
                fair,
                "If the report is not released by January 31, 2027, a fair price is paid.",
                Some("no result until"),
            ),
        ],
    );
}

#[test]
fn what_one_side_alone_says_of_a_game_is_reviewed() {
    let outcome = |name: &str| Outcome { name: name.into(), token: name.into() };
    let void = "If the game is postponed, the market remains open. If it is cancelled, the market \
                resolves 50-50.";
    let judged = |here: &str, there: &str| {
        let kalshi = Listing {
            venue: Venue::Kalshi,
            id: "KXNBAGAME-26DEC06BOSLAL-BOS".into(),
            event_id: "KXNBAGAME-26DEC06BOSLAL".into(),
            title: "Boston vs Los Angeles L Winner?".into(),
            subtitle: "Boston".into(),
            rules: format!("If Boston wins the game, the market resolves to Yes. {void} {here}"),
            ..Listing::default()
        };
        let polymarket = Listing {
            venue: Venue::Polymarket,
            id: "nba-bos-lal-2026-12-06".into(),
            slug: "nba-bos-lal-2026-12-06".into(),
            title: "Celtics vs. Lakers".into(),
            outcomes: vec![outcome("Celtics"), outcome("Lakers")],
            rules: format!("The winner of the game, by name. {void} {there}"),
            ..Listing::default()
        };
        Matcher::new(Aliases::builtin()).judge(&kalshi, &polymarket)
    };
    for (here, there, want) in [
        ("", "", None),
        ("", "Any overtime: the final score including overtime counts.", None),
        ("This is about regulation only.", "", Some("overtime")),
        ("A tie resolves 50-50.", "", Some("tie")),
        ("A tie resolves 50-50.", "If they tie, it resolves to \"No\".", Some("tie")),
        (
            "If it is postponed, the market remains open, if that is within two weeks.",
            "",
            Some("postponed until"),
        ),
        ("A forfeit is paid at a fair price.", "", Some("forfeit")),
        ("A forfeit is paid at a fair price.", "A forfeit counts as a win.", Some("forfeit")),
        ("A forfeit counts as a win.", "A forfeit counts as a win.", None),
        ("The NBA publishes the result.", "", Some("source")),
    ] {
        for (here, there) in [(here, there), (there, here)] {
            let judgement = judged(here, there);
            let fields: Vec<&str> = judgement.reasons.iter().map(|r| r.field.as_str()).collect();
            assert!(judgement.equality.equal, "{judgement:#?}");
            let trades = judgement.verdict == Verdict::Tradable;
            assert_eq!(trades, want.is_none(), "{here} | {there}: {fields:?}");
            assert!(
                want.is_none_or(|field| fields.contains(&field)),
                "{here} | {there}: {fields:?}"
            );
        }
    }
}

#[test]
fn two_publishers_or_two_ways_to_win_an_office_are_reviewed() {
    let named = |who: &str| {
        format!(
            "It will resolve to \"Yes\" if Ada Lovelace is arrested by December 31, 2026, 11:59 PM \
             ET. Otherwise \"No\". By {who}."
        )
    };
    let judgement = judged(TITLE, &named("the Associated Press"), &named("the White House"));
    assert_eq!(judgement.verdict, Verdict::NeedsReview);
    assert_eq!(judgement.reasons[0].field, "source");
    probed(
        "Will the Republican party win the Texas Senate race in 2026?",
        "If the Republican nominee wins the 2026 Texas Senate race, by Fox News, the market resolves to Yes.",
        "If the Republican nominee wins the 2026 Texas Senate race, by Fox News, it resolves to Yes.",
        &[
            ("", "", None),
            (
                "Whoever is sworn in has won.",
                "It is the winner called by Fox News.",
                Some("what wins an office"),
            ),
            ("Whoever is sworn in has won.", "", Some("what wins an office")),
            ("It is the certified winner.", "It is the certified winner.", None),
        ],
    );
}

#[test]
fn awards_and_competitions_with_an_end_on_one_side_alone_are_reviewed() {
    // Facts as the venues had them, in other words.
    probed(
        "Will Rodri win the 2026 Ballon d'Or?",
        "If Rodri wins the 2026 Ballon d'Or, France Football says so and the market resolves to Yes.",
        "The winner of the 2026 Ballon d'Or by France Football.",
        &[
            ("", "", None),
            (
                "",
                "If no winner of it has been declared by December 31, 2026, 11:59 PM ET, this goes to “Other”.",
                Some("no result"),
            ),
        ],
    );
    probed(
        "Will Spain win the 2026 FIFA World Cup?",
        "If Spain wins the 2026 FIFA World Cup, the market resolves to Yes. FIFA decides.",
        "The team that wins the 2026 FIFA World Cup. FIFA decides.",
        &[
            ("", "", None),
            (
                "",
                "Should the tournament be permanently canceled, or not be completed by October 13, 2026, 11:59 PM, this goes to “Other”.",
                Some("cancelled"),
            ),
        ],
    );
    let assists = "Players who are tied are told apart by FIFA's tiebreaker: the most assists, then the fewest minutes.";
    let penalties = "A tie goes to the official leader, then to fewer goals from penalty kicks, then to the name that is first alphabetically.";
    probed(
        "Will Lionel Messi score the most goals at the 2026 FIFA World Cup?",
        "If Lionel Messi leads the 2026 FIFA World Cup in goals, the market resolves to Yes. FIFA decides.",
        "The player who scores the most goals at the 2026 FIFA World Cup. FIFA decides.",
        &[
            (assists, assists, None),
            (assists, penalties, Some("tie")),
            (
                assists,
                "Players who are tied are told apart by FIFA's tiebreaker: the most assists, then the fewest minutes. If it is cancelled, this goes to “Other”.",
                Some("cancelled"),
            ),
        ],
    );
}

#[test]
fn a_pair_that_is_void_by_one_rule_still_pays_its_dollar() {
    let void = |rule: &str| {
        format!(
            "If Ada Lovelace is arrested before Jan 1, 2027, the market resolves to Yes. Reuters. If the trial is cancelled, {rule}."
        )
    };
    for (rule, both, worst) in [
        ("the market resolves 50-50", DOLLAR, DOLLAR / 2),
        ("the market resolves to \"No\"", DOLLAR, 0),
        ("the market remains open", DOLLAR, 0),
        ("a fair price is paid", 0, 0),
    ] {
        let payoff = judged(TITLE, &void(rule), &void(rule)).payoff;
        let case = payoff.cases.iter().find(|case| case.name == "void-both").unwrap();
        assert_eq!((case.together, payoff.worst), (both, worst), "{rule}");
    }
}
