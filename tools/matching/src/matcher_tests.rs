use super::*;
use crate::when::UnixTime;

fn matcher() -> Matcher {
    Matcher::new(Aliases::builtin())
}

fn kalshi(id: &str, title: &str, subtitle: &str) -> Listing {
    Listing {
        venue: Venue::Kalshi,
        id: id.to_owned(),
        title: title.to_owned(),
        subtitle: subtitle.to_owned(),
        rules: "If it happens, then the market resolves to Yes.".to_owned(),
        ..Listing::default()
    }
}

fn polymarket(title: &str, outcomes: [&str; 2]) -> Listing {
    let outcome = |name: &str, token: &str| crate::listing::Outcome {
        name: name.to_owned(),
        token: token.to_owned(),
    };
    Listing {
        venue: Venue::Polymarket,
        id: "0xabc".to_owned(),
        title: title.to_owned(),
        outcomes: vec![outcome(outcomes[0], "11"), outcome(outcomes[1], "22")],
        rules: "This market will resolve to \"Yes\" if it happens.".to_owned(),
        ..Listing::default()
    }
}

fn with_close(mut listing: Listing, close: &str) -> Listing {
    listing.close = UnixTime::parse(close);
    listing
}

/// (id, title, subtitle, other title, close, other close, equal, inverted)
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    bool,
    bool,
);

const CASES: &[Case] = &[
    (
        "KXFEDDECISION-26JUL-C25",
        "Will the Federal Reserve Cut rates by 25bps at their July 2026 meeting?",
        "Cut 25bps",
        "Will the Fed decrease interest rates by 25 bps after the July 2026 meeting?",
        "2026-07-29T17:59:00Z",
        "2026-07-29T00:00:00Z",
        true,
        false,
    ),
    (
        "KXFEDDECISION-26JUL-H0",
        "Will the Federal Reserve Hike rates by 0bps at their July 2026 meeting?",
        "Fed maintains rate",
        "Will there be no change in Fed interest rates after the July 2026 meeting?",
        "2026-07-29T17:59:00Z",
        "2026-07-29T00:00:00Z",
        true,
        false,
    ),
    (
        "KXFEDDECISION-26JUL-C26",
        "Will the Federal Reserve Cut rates by >25bps at their July 2026 meeting?",
        "Cut >25bps",
        "Will the Fed decrease interest rates by 50+ bps after the July 2026 meeting?",
        "2026-07-29T17:59:00Z",
        "2026-07-29T00:00:00Z",
        true,
        false,
    ),
    (
        "KXFEDDECISION-26JUL-C25",
        "Will the Federal Reserve Cut rates by 25bps at their July 2026 meeting?",
        "Cut 25bps",
        "Will the Fed increase interest rates by 25 bps after the July 2026 meeting?",
        "2026-07-29T17:59:00Z",
        "2026-07-29T00:00:00Z",
        false,
        false,
    ),
    (
        "KXFEDDECISION-26SEP-C25",
        "Will the Federal Reserve Cut rates by 25bps at their September 2026 meeting?",
        "Cut 25bps",
        "Will the Fed decrease interest rates by 25 bps after the July 2026 meeting?",
        "2026-09-16T17:59:00Z",
        "2026-07-29T00:00:00Z",
        false,
        false,
    ),
    (
        "KXBALLONDOR-26-LYAM",
        "Who will win the Ballon d'Or in 2026?",
        "Lamine Yamal",
        "Will Lamine Yamal win the 2026 Ballon d'Or?",
        "2026-12-31T04:59:00Z",
        "2026-10-31T00:00:00Z",
        true,
        false,
    ),
    (
        "KXBALLONDOR-26-HKAN",
        "Who will win the Ballon d'Or in 2026?",
        "Harry Kane",
        "Will Lamine Yamal win the 2026 Ballon d'Or?",
        "2026-12-31T04:59:00Z",
        "2026-10-31T00:00:00Z",
        false,
        false,
    ),
    (
        "KXATP-26WIM-SIN",
        "Will Jannik Sinner win the Wimbledon Men's Singles?",
        "Jannik Sinner",
        "Will Jannik Sinner be the 2026 Men’s Wimbledon winner?",
        "2026-07-27T02:00:00Z",
        "2026-07-12T00:00:00Z",
        true,
        false,
    ),
    (
        "KXWTA-26WIM-OSA",
        "Will Naomi Osaka win the Wimbledon Women's Singles?",
        "Naomi Osaka",
        "Will Naomi Osaka be the 2026 Men’s Wimbledon winner?",
        "2026-07-27T02:00:00Z",
        "2026-07-12T00:00:00Z",
        false,
        false,
    ),
    (
        "KXBTCD-26DEC3117-T99999.99",
        "Bitcoin price on Dec 31, 2026 at 5pm EST?",
        "$100,000 or above",
        "Will Bitcoin be above $100,000 on December 31, 2026 at 5PM ET?",
        "2026-12-31T22:00:00Z",
        "2026-12-31T22:00:00Z",
        true,
        false,
    ),
    (
        "KXBTCD-26DEC3117-T99999.99",
        "Bitcoin price on Dec 31, 2026 at 5pm EST?",
        "$100,000 or above",
        "Will Bitcoin be below $100,000 on December 31, 2026 at 5PM ET?",
        "2026-12-31T22:00:00Z",
        "2026-12-31T22:00:00Z",
        true,
        true,
    ),
    (
        "KXBTCD-26DEC3117-T99999.99",
        "Bitcoin price on Dec 31, 2026 at 5pm EST?",
        "$100,000 or above",
        "Will Bitcoin reach $100,000 by December 31, 2026?",
        "2026-12-31T22:00:00Z",
        "2026-12-31T22:00:00Z",
        false,
        false,
    ),
    (
        "KXBTCD-26DEC3117-T99999.99",
        "Bitcoin price on Dec 31, 2026 at 5pm EST?",
        "$100,000 or above",
        "Will Ethereum be above $100,000 on December 31, 2026 at 5PM ET?",
        "2026-12-31T22:00:00Z",
        "2026-12-31T22:00:00Z",
        false,
        false,
    ),
    (
        "KXHIGHNY-26JUN03-B80.5",
        "Will the high temp in NYC be 80-81° on Jun 3, 2026?",
        "80° to 81°",
        "Will the highest temperature in New York City be between 80-81°F on June 3?",
        "2026-06-04T03:59:00Z",
        "2026-06-03T12:00:00Z",
        true,
        false,
    ),
    (
        "KXHIGHNY-26JUN03-B80.5",
        "Will the high temp in NYC be 80-81° on Jun 3, 2026?",
        "80° to 81°",
        "Will the highest temperature in New York City be between 82-83°F on June 3?",
        "2026-06-04T03:59:00Z",
        "2026-06-03T12:00:00Z",
        false,
        false,
    ),
    (
        "KXHIGHCHI-26JUN03-B80.5",
        "Will the high temp in Chicago be 80-81° on Jun 3, 2026?",
        "80° to 81°",
        "Will the highest temperature in New York City be between 80-81°F on June 3?",
        "2026-06-04T03:59:00Z",
        "2026-06-03T12:00:00Z",
        false,
        false,
    ),
    (
        "KXCPIYOY-26MAY-T3.1",
        "Will the rate of CPI inflation be above 3.1% for the year ending in May 2026?",
        "Above 3.1%",
        "Will annual inflation be above 3.1% in May 2026?",
        "2026-06-10T12:25:00Z",
        "2026-06-10T00:00:00Z",
        true,
        false,
    ),
    (
        "KXNBA-27-ATL",
        "Will Atlanta win the 2027 Pro Basketball Finals?",
        "Atlanta",
        "Will the Atlanta Hawks win the 2027 NBA Finals?",
        "2029-07-30T14:00:00Z",
        "2027-07-01T00:00:00Z",
        true,
        false,
    ),
    (
        "KXNBA-27-ATL",
        "Will Atlanta win the 2027 Pro Basketball Finals?",
        "Atlanta",
        "Will the Boston Celtics win the 2027 NBA Finals?",
        "2029-07-30T14:00:00Z",
        "2027-07-01T00:00:00Z",
        false,
        false,
    ),
    (
        "KXRECOGPERSONIRAN-26",
        "Will the United States recognize Reza Pahlavi as the leader of Iran in 2026?",
        "Before 2027",
        "US recognizes Reza Pahlavi as leader of Iran in 2026?",
        "2027-01-01T04:59:00Z",
        "2026-12-31T00:00:00Z",
        true,
        false,
    ),
    (
        "KXKHAMENEIOUT-AKHA",
        "Will Ali Khamenei leave office before April 1, 2026?",
        "Before April 1, 2026",
        "Khamenei out as Supreme Leader of Iran by March 31?",
        "2026-04-01T14:00:00Z",
        "2026-03-31T00:00:00Z",
        true,
        false,
    ),
    (
        "KXKHAMENEIOUT-AKHA",
        "Will Ali Khamenei leave office before April 1, 2026?",
        "Before April 1, 2026",
        "Khamenei out as Supreme Leader of Iran by June 30?",
        "2026-04-01T14:00:00Z",
        "2026-06-30T00:00:00Z",
        false,
        false,
    ),
    (
        "KXGOVSHUT-26",
        "Will there be a government shutdown before 2027?",
        "Before 2027",
        "Will there be no government shutdown before 2027?",
        "2027-01-01T04:59:00Z",
        "2026-12-31T00:00:00Z",
        true,
        true,
    ),
];

#[test]
fn contracts_of_many_kinds_are_told_apart() {
    let matcher = matcher();
    let mut wrong = Vec::new();
    for (id, title, subtitle, other, close, other_close, equal, inverted) in CASES {
        let a = with_close(kalshi(id, title, subtitle), close);
        let b = with_close(polymarket(other, ["Yes", "No"]), other_close);
        let judgement = matcher.judge(&a, &b);
        let want = match (equal, inverted) {
            (true, true) => Polarity::Inverted,
            (true, false) => Polarity::Same,
            (false, _) => Polarity::Unknown,
        };
        if judgement.equality.equal != *equal || judgement.polarity != want {
            wrong.push(format!(
                "{title} [{subtitle}] | {other}: {:?} {:?}\n{:#?}",
                judgement.equality,
                judgement.polarity,
                judgement
                    .compared
                    .iter()
                    .filter(|f| f.relation != Relation::Equal)
                    .map(|f| (&f.field, f.relation, &f.here, &f.there))
                    .collect::<Vec<_>>()
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The same, of other domains. Lines of id, title, subtitle, other title, both ends of trading, and
/// what is expected.
const DOMAINS: &str = include_str!("domains.txt");

#[test]
fn other_domains_are_told_apart() {
    let matcher = matcher();
    let mut wrong = Vec::new();
    for line in DOMAINS.lines() {
        let [id, title, subtitle, other, close, other_close, want] =
            line.split('|').collect::<Vec<_>>().try_into().unwrap();
        let a = with_close(kalshi(id, title, subtitle), close);
        let b = with_close(polymarket(other, ["Yes", "No"]), other_close);
        let b = Listing { outcomes: Vec::new(), rules: String::new(), ..b };
        let judgement = matcher.judge(&a, &b);
        let got = match (judgement.equality.equal, judgement.polarity) {
            (true, Polarity::Same) => "same",
            (true, Polarity::Inverted) => "inverted",
            (true, Polarity::Unknown) => "unknown",
            (false, _) => "no",
        };
        if got != want {
            let fields = judgement.compared.iter().filter(|f| f.relation != Relation::Equal);
            let fields: Vec<_> = fields
                .map(|f| format!("\n    {} {:?}: {} / {}", f.field, f.relation, f.here, f.there))
                .collect();
            wrong.push(format!(
                "want {want}, got {got} {}: {title} [{subtitle}] | {other}{}",
                judgement.equality.score,
                fields.concat()
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn texts_that_say_nothing_are_not_equal() {
    let matcher = Matcher::new(Aliases::builtin());
    let titled = |title: &str| Listing { title: title.into(), ..Listing::default() };
    for (here, there) in
        [("", ""), ("?", "!"), ("...", "Will BTC be above $100,000?"), ("Will the?", "Will a?")]
    {
        let judged = matcher.judge(&titled(here), &titled(there));
        assert!(!judged.equality.equal, "{here} {there}: {judged:?}");
        assert_eq!((judged.equality.score, judged.verdict), (0, Verdict::Blocked));
        assert!(judged.compared.iter().any(|field| field.field == "question"), "{judged:?}");
    }
    let one = titled("Will Jane Roe win the election?");
    assert!(matcher.judge(&one, &one).equality.equal);
}
