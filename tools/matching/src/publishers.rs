//! Who publishes what decides, by the words that name them.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::token::bounded;

/// Publishers by the words that name them. The first column is the name that is compared.
const PUBLISHERS: &[(&str, &[&str])] = &[
    ("bls", &["bureau of labor statistics", "bls"]),
    ("bea", &["bureau of economic analysis"]),
    ("census", &["census bureau"]),
    ("fed", &["federal reserve", "fomc"]),
    ("ecb", &["european central bank"]),
    ("boe", &["bank of england"]),
    ("boj", &["bank of japan"]),
    ("cdc", &["centers for disease control", "cdc"]),
    ("noaa", &["noaa", "national oceanic"]),
    ("nasa", &["nasa", "giss", "land-ocean temperature"]),
    ("nws", &["national weather service", "nws", "climatological report"]),
    ("wunderground", &["wunderground", "weather underground"]),
    ("binance", &["binance"]),
    ("coinbase", &["coinbase"]),
    ("cf-benchmarks", &["cf benchmarks", "brti", "real-time index", "real time index"]),
    ("chainlink", &["chainlink"]),
    ("pyth", &["pyth"]),
    ("coingecko", &["coingecko"]),
    ("coinmarketcap", &["coinmarketcap"]),
    ("kraken", &["kraken.com", "kraken exchange"]),
    ("yahoo", &["yahoo finance"]),
    ("nasdaq", &["nasdaq.com"]),
    ("ap", &["associated press"]),
    ("reuters", &["reuters"]),
    ("nyt", &["new york times"]),
    ("fox", &["fox news"]),
    ("nbc", &["nbc"]),
    ("ddhq", &["decision desk"]),
    ("reporting", &["credible reporting", "credible news", "media reporting", "major news"]),
    (
        "government",
        &[
            "state department",
            "white house",
            "official government",
            "congress.gov",
            "federal register",
            "government of",
        ],
    ),
    (
        "election-authority",
        &[
            "certified",
            "certification",
            "electoral court",
            "secretary of state",
            "election authority",
            "house of representatives",
        ],
    ),
    (
        "league",
        &[
            "governing league",
            "nba",
            "nfl",
            "nhl",
            "mlb",
            "fifa",
            "uefa",
            "ncaa",
            "official league",
            "governing body",
            "atp",
            "wta",
            "premier league",
            "wimbledon",
            "usta",
            "formula 1",
            "fia",
        ],
    ),
    ("espn", &["espn"]),
    (
        "tournament",
        &["liquipedia", "hltv", "official esl", "official tournament", "esl", "riot games"],
    ),
    ("france-football", &["france football", "ballon dor", "ballon d'or"]),
    ("rotten-tomatoes", &["rotten tomatoes"]),
    ("box-office-mojo", &["box office mojo"]),
    ("the-numbers", &["the-numbers", "the numbers"]),
    ("spotify", &["spotify"]),
    ("billboard", &["billboard"]),
    ("academy", &["academy of motion picture", "academy awards"]),
];

/// The publishers that a text names.
#[must_use]
pub fn publishers(text: &str) -> Vec<String> {
    named_in(&spaced(text))
}

/// Places in [`PUBLISHERS`] by the first word of each of their names, with the words that follow.
type Names = HashMap<String, Vec<(Vec<String>, usize)>>;

/// The same, of a text that `spaced` made.
pub(crate) fn named_in(spaced_text: &str) -> Vec<String> {
    static NAMES: LazyLock<Names> = LazyLock::new(|| {
        let mut by_first = Names::new();
        for (place, (_, names)) in PUBLISHERS.iter().enumerate() {
            for name in *names {
                let name = spaced(name);
                let mut words = name.split(' ').map(str::to_owned);
                let first = words.next().unwrap_or_default();
                by_first.entry(first).or_default().push((words.collect(), place));
            }
        }
        by_first
    });
    let words: Vec<&str> = spaced_text.split(' ').collect();
    let mut found = [false; PUBLISHERS.len()];
    for (at, word) in words.iter().enumerate() {
        for (rest, place) in NAMES.get(*word).into_iter().flatten() {
            let follows = words.get(at + 1..at + 1 + rest.len());
            found[*place] |= follows.is_some_and(|follows| follows == rest.as_slice());
        }
    }
    let ids = PUBLISHERS.iter().zip(found).filter(|(_, found)| *found);
    ids.map(|((id, _), _)| (*id).to_owned()).collect()
}

/// The words of a text in lower case, a blank between each.
pub(crate) fn spaced(text: &str) -> String {
    let plain = bounded(text).to_lowercase();
    let mut out = String::with_capacity(plain.len());
    for word in plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}
