//! What must hold of every two listings, whatever they say.

#![allow(clippy::unwrap_used)] // helpers of tests

use matching::alias::Aliases;
use matching::listing::Outcome;
use matching::when::UnixTime;
use matching::{Judgement, Listing, Matcher, Polarity, Venue, Verdict};
use proptest::prelude::*;

/// Lines of id, title, subtitle, other title, both ends of trading, what is expected.
const DOMAINS: &str = include_str!("../src/domains.txt");

fn pairs() -> Vec<[Listing; 2]> {
    let line = |line: &str| {
        let columns: Vec<&str> = line.split('|').collect();
        let outcome = |name: &str| Outcome { name: name.into(), token: format!("token of {name}") };
        let kalshi = Listing {
            venue: Venue::Kalshi,
            id: columns[0].into(),
            title: columns[1].into(),
            subtitle: columns[2].into(),
            close: UnixTime::parse(columns[4]),
            ..Listing::default()
        };
        let polymarket = Listing {
            venue: Venue::Polymarket,
            id: "0x1".into(),
            title: columns[3].into(),
            outcomes: vec![outcome("Yes"), outcome("No")],
            close: UnixTime::parse(columns[5]),
            ..Listing::default()
        };
        [kalshi, polymarket]
    };
    DOMAINS.lines().map(line).collect()
}

fn matcher() -> Matcher {
    Matcher::new(Aliases::builtin())
}

/// What must not depend on which listing is named first.
fn core(judgement: &Judgement) -> (bool, u16, Polarity, Verdict, Option<String>, u16) {
    let token = judgement.mapping.as_ref().map(|mapping| mapping.with_yes.clone());
    let Judgement { equality, polarity, verdict, payoff, .. } = judgement;
    (equality.equal, equality.score, *polarity, *verdict, token, payoff.worst)
}

#[test]
fn the_order_of_two_listings_changes_nothing() {
    let (matcher, pairs) = (matcher(), pairs());
    let mut wrong = Vec::new();
    // Every listing against its own partner and against its neighbours' too.
    for distance in 0..3 {
        for (at, [kalshi, _]) in pairs.iter().enumerate() {
            let [_, polymarket] = &pairs[(at + distance) % pairs.len()];
            let (straight, crossed) =
                (matcher.judge(kalshi, polymarket), matcher.judge(polymarket, kalshi));
            if core(&straight) != core(&crossed) {
                wrong.push(format!(
                    "{} | {}: {:?} {:?}",
                    kalshi.title,
                    polymarket.title,
                    core(&straight),
                    core(&crossed)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_negated_question_is_the_opposite_contract() {
    let matcher = matcher();
    let mut negated = 0;
    for [kalshi, polymarket] in pairs() {
        let plain = matcher.judge(&kalshi, &polymarket);
        let words: Vec<&str> = polymarket.title.split(' ').collect();
        let verb =
            words.iter().position(|w| matches!(*w, "win" | "be" | "pardon" | "release" | "close"));
        let Some(at) = verb.filter(|_| words[0] == "Will" && plain.equality.equal) else {
            continue;
        };
        let title = [&words[..at], &["not"], &words[at..]].concat().join(" ");
        let other = matcher.judge(&kalshi, &Listing { title: title.clone(), ..polymarket.clone() });
        let want = match plain.polarity {
            Polarity::Same => Polarity::Inverted,
            Polarity::Inverted => Polarity::Same,
            Polarity::Unknown => Polarity::Unknown,
        };
        assert_eq!((other.equality.equal, other.polarity), (true, want), "{title}");
        let (a, b) = (plain.mapping.unwrap(), other.mapping.unwrap());
        assert_eq!((a.with_yes, a.with_no), (b.with_no, b.with_yes), "{title}");
        negated += 1;
    }
    assert!(negated >= 15, "only {negated} titles could be negated");
}

#[test]
fn the_token_of_a_game_belongs_to_the_named_team() {
    let matcher = matcher();
    let game = |first: &str, second: &str| Listing {
        venue: Venue::Polymarket,
        id: "0x2".into(),
        slug: "nba-lal-bos-2026-01-05".into(),
        title: "Lakers vs. Celtics".into(),
        outcomes: [first, second]
            .map(|n| Outcome { name: n.into(), token: format!("t-{n}") })
            .to_vec(),
        ..Listing::default()
    };
    for (suffix, city, nick) in [("LAL", "Los Angeles L", "Lakers"), ("BOS", "Boston", "Celtics")] {
        let kalshi = Listing {
            id: format!("KXNBAGAME-26JAN05LALBOS-{suffix}"),
            title: "Los Angeles L at Boston Winner?".into(),
            subtitle: city.into(),
            ..Listing::default()
        };
        for names in [["Lakers", "Celtics"], ["Celtics", "Lakers"]] {
            let judgement = matcher.judge(&kalshi, &game(names[0], names[1]));
            let mapping = judgement.mapping.unwrap();
            assert_eq!(mapping.with_yes, format!("t-{nick}"), "{suffix} {names:?}");
            let same = names[0] == nick;
            assert_eq!(judgement.polarity, if same { Polarity::Same } else { Polarity::Inverted });
        }
        // Outcomes that are neither team are never guessed.
        let judgement = matcher.judge(&kalshi, &game("Home", "Away"));
        assert_eq!((judgement.mapping, judgement.polarity == Polarity::Same), (None, false));
        assert_ne!(judgement.verdict, Verdict::Tradable);
    }
}

#[test]
fn without_rules_nothing_is_tradable() {
    let matcher = matcher();
    for [kalshi, polymarket] in pairs() {
        for (here, there) in [("", ""), ("Rules.", ""), ("", "Rules.")] {
            let kalshi = Listing { rules: here.into(), ..kalshi.clone() };
            let polymarket = Listing { rules: there.into(), ..polymarket.clone() };
            let judgement = matcher.judge(&kalshi, &polymarket);
            assert_ne!(judgement.verdict, Verdict::Tradable, "{}", kalshi.title);
        }
    }
}

#[test]
fn a_text_of_any_size_and_kind_is_read_in_bounds() {
    let matcher = matcher();
    let texts = [
        String::new(),
        "a".repeat(1_000_000),
        "1".repeat(1_000_000),
        "will not ".repeat(100_000),
        "before Jan 2027 ".repeat(50_000),
        "$1,000-".repeat(100_000),
        "\u{301}\u{200d}🏀".repeat(100_000),
        "ß".repeat(300_000),
        "A vs. B ".repeat(50_000),
        "TX-".repeat(100_000),
        "99999999999999999999999999999999999999999999 trillion billion million %".into(),
        "on -99999 31 February 2026-02-31 2026-13-13T99:99".into(),
    ];
    for text in &texts {
        let listing = |venue| Listing {
            venue,
            id: text.chars().take(100).collect(),
            slug: text.clone(),
            title: text.clone(),
            subtitle: text.clone(),
            rules: text.clone(),
            event_title: text.clone(),
            ..Listing::default()
        };
        let (a, b) = (listing(Venue::Kalshi), listing(Venue::Polymarket));
        let judgement = matcher.judge(&a, &b);
        assert_ne!(judgement.verdict, Verdict::Tradable);
        assert!(judgement.compared.iter().all(|field| field.here_text.len() <= 100_000));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_two_texts_are_judged_and_alike_from_both_sides(
        here in "\\PC{0,120}", there in "\\PC{0,120}", id in "[A-Z0-9-]{0,40}", rules in "\\PC{0,200}",
        close in proptest::option::of(any::<i64>())
    ) {
        let matcher = matcher_once();
        let a = Listing { id, title: here, rules: rules.clone(), close: close.map(UnixTime), ..Listing::default() };
        let b = Listing { venue: Venue::Polymarket, title: there, rules, ..Listing::default() };
        let (straight, crossed) = (matcher.judge(&a, &b), matcher.judge(&b, &a));
        prop_assert_eq!(core(&straight), core(&crossed));
        prop_assert_eq!(crossed.turned(), straight.clone());
        let claims = [&a, &b].map(|l| matching::claim::Claim::of(l, matcher.aliases(), None));
        // The quick look never refuses what the judgement accepts.
        prop_assert!(!straight.equality.equal || matcher.may_equal([&a, &b], [&claims[0], &claims[1]]));
    }
}

fn matcher_once() -> &'static Matcher {
    static MATCHER: std::sync::OnceLock<Matcher> = std::sync::OnceLock::new();
    MATCHER.get_or_init(matcher)
}
