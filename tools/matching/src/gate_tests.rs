use super::*;
use crate::alias::Aliases;
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
