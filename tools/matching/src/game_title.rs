//! Who plays, by a title: `A vs B`, `Will A beat B`, `Will A advance against B`.

use crate::alias::normal;

/// Words that end the name of the second team.
const ENDS: &[&str] = &[
    "winner",
    "winners",
    "mens",
    "womens",
    "pro",
    "professional",
    "college",
    "game",
    "match",
    "soccer",
    "football",
    "baseball",
    "basketball",
    "hockey",
    "end",
    "ends",
    "both",
    "o",
    "spread",
    "total",
    "round",
    "to",
    "over",
    "under",
    "who",
    "moneyline",
    "map",
    "team",
    "btts",
    "on",
    "in",
    "bo1",
    "bo3",
    "bo5",
    "exact",
    "series",
    "esports",
    "more",
    "draw",
    "fight",
    "bout",
    "boxing",
    "mma",
    "ufc",
    "tennis",
    "cricket",
    "rugby",
    "darts",
    "snooker",
    "chess",
    "scheduled",
    "during",
    "at",
];
/// What stands between two opponents of which one is to win.
const BEATS: &[&str] = &[
    " beat ",
    " defeat ",
    " win against ",
    " win over ",
    " win the series against ",
    " win their series against ",
    " win the match against ",
    " win the game against ",
    " win the fight against ",
];

/// `advance past the round of 16 against Mexico`: who, and against whom.
fn through(lower: &str) -> Option<(&str, &str)> {
    let (before, right) = lower.split_once(" against ")?;
    let left = [" advance ", " qualify "].iter().find_map(|verb| before.split_once(verb))?.0;
    Some((left, right))
}

/// `A vs B` of a text, folded.
pub(crate) fn versus(text: &str, sports: bool) -> Option<[String; 2]> {
    let lower = format!(" {} ", crate::token::folded(text).to_lowercase());
    // Of two universities of one name the lesser known is named with its state.
    let lower = lower.replace("(oh)", "oh").replace("(ohio)", "oh").replace("(fl)", "fl");
    // In other titles `at` is a word.
    let signs: &[&str] =
        if sports { &[" vs. ", " vs ", " v. ", " @ ", " at "] } else { &[" vs. ", " vs ", " @ "] };
    // Earnings are no team.
    let figures = ["earnings", "estimates", "expectations", "record", "forecast"];
    let opponents = !figures.iter().any(|word| lower.contains(word));
    let asked = lower.starts_with(" will ") || lower.contains(": will ");
    let beats: &[&str] = if opponents && asked { BEATS } else { &[] };
    let sign = signs.iter().chain(beats).find_map(|sign| lower.find(sign).map(|at| (at, sign)));
    let (left, right) = match sign {
        Some((at, sign)) => (lower.get(..at)?, lower.get(at + sign.len()..)?),
        None => through(&lower).filter(|_| opponents && asked)?,
    };
    let left = left.rsplit(": ").next()?;
    let cuts = [
        "win the ",
        "will the ",
        "will ",
        "beat the ",
        " goals in ",
        " points in ",
        " runs in ",
        " goals be scored in ",
    ];
    let left = cuts.iter().fold(left, |text, cut| {
        text.rfind(cut).and_then(|at| text.get(at + cut.len()..)).unwrap_or(text)
    });
    let right = right.split([':', '?', '(', '|', '–']).next()?.split(" - ").next()?;
    let words = normal(right);
    let words: Vec<&str> = words.split(' ').collect();
    // A name has at least one word, be it `Team` of `Team Spirit`; `women` before a sport is none.
    let of_sport = |at: usize| {
        let sex = matches!(words.get(at), Some(&("women" | "men")));
        sex && words.get(at + 1).is_some_and(|next| ENDS.contains(next))
    };
    let named = |at: &usize| {
        let ends = words.get(*at).is_some_and(|word| ENDS.contains(word)) || of_sport(*at);
        *at == 0 || !ends
    };
    let right: Vec<&str> =
        (0..words.len()).take_while(named).filter_map(|at| words.get(at).copied()).collect();
    let (left, right) = (normal(left), right.join(" "));
    let right = right.strip_prefix("the ").map_or(right.clone(), str::to_owned);
    let fits = |name: &str| !name.is_empty() && name.split(' ').count() <= 6;
    (fits(&left) && fits(&right)).then_some([left, right])
}
