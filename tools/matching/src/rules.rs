//! Sentences of rules, and what they say of the cases in which an event does not run its course.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::claim::Claim;
use crate::gate::{Cutoff, Overtime, Pays, Read};
use crate::listing::{Listing, Venue};
use crate::span::{Span, SpanKind, spans};
use crate::token::{bounded, tokens};
use crate::when::Day;

/// What one sentence says of one case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clause {
    /// What is paid.
    pub pays: Option<Pays>,
    /// The day up to which it may be put off.
    pub until: Option<String>,
    /// The sentence.
    pub text: String,
}

/// What the rules of one side say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whose publication decides.
    pub publishers: Vec<String>,
    /// The sentence that names them.
    pub source_text: Option<String>,
    /// The event does not take place.
    pub cancelled: Option<Clause>,
    /// It is put off.
    pub postponed: Option<Clause>,
    /// Two are level.
    pub tie: Option<Clause>,
    /// Extra time.
    pub overtime: Option<Read<Overtime>>,
    /// It may end early.
    pub early: Option<String>,
    /// Rounding.
    pub rounding: Option<String>,
    /// Days named with a deadline's words, and their sentence.
    pub deadline: Option<(Day, Option<i32>, String)>,
}

/// Publishers by the words that name them. The first column is the name that is compared.
const PUBLISHERS: &[(&str, &[&str])] = &[
    ("bls", &["bureau of labor statistics", "bls"]),
    ("bea", &["bureau of economic analysis"]),
    ("census", &["census bureau"]),
    ("fed", &["federal reserve", "fomc"]),
    ("ecb", &["european central bank"]),
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

/// The same, of a text that [`spaced`] made.
fn named_in(spaced_text: &str) -> Vec<String> {
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

fn spaced(text: &str) -> String {
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

/// The longest sentence that is quoted whole.
const QUOTE_MAX: usize = 300;

fn quote(sentence: &str) -> String {
    let sentence = sentence.trim();
    let mut end = QUOTE_MAX.min(sentence.len());
    while !sentence.is_char_boundary(end) {
        end -= 1;
    }
    let cut = sentence.get(..end).unwrap_or("");
    if end < sentence.len() { format!("{cut}…") } else { cut.to_owned() }
}

/// Sentences: up to a stop or an end of line. A stop inside a number or `U.S.` ends none.
fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let next = bytes.get(at + 1);
        let stop = matches!(byte, b'.' | b'!' | b'?') && next.is_none_or(u8::is_ascii_whitespace);
        let single =
            at >= 2 && bytes[at - 1].is_ascii_uppercase() && !bytes[at - 2].is_ascii_alphanumeric();
        if *byte == b'\n' || (stop && !single) {
            found.extend(text.get(from..=at));
            from = at + 1;
        }
    }
    found.extend(text.get(from..));
    found.retain(|sentence| !sentence.trim().is_empty());
    found
}

impl Rules {
    /// Reads rules.
    #[must_use]
    pub fn of(text: &str) -> Rules {
        let mut rules = Rules { publishers: publishers(text), ..Rules::default() };
        for sentence in sentences(bounded(text)) {
            rules.read(sentence);
        }
        rules
    }

    fn read(&mut self, sentence: &str) {
        let lower = sentence.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let words = format!(" {} ", spaced(sentence));
        let pays = pays(&lower);
        let clause = || Clause { pays, until: until(sentence), text: quote(sentence) };
        if self.source_text.is_none()
            && (has(&["resolution source", "according to"]) || !named_in(words.trim()).is_empty())
        {
            self.source_text = Some(quote(sentence));
        }
        let fill = |slot: &mut Option<Clause>, new: Clause| {
            if slot.as_ref().is_none_or(|old| old.pays.is_none() && new.pays.is_some()) {
                *slot = Some(new);
            }
        };
        if has(&[
            "cancel",
            "canceled",
            "void",
            "abandoned",
            "not take place",
            "does not occur",
            "not played",
            "no contest",
            "forfeit",
        ]) {
            fill(&mut self.cancelled, clause());
        }
        if has(&["postpone", "rescheduled", "delayed", "suspended"]) {
            fill(&mut self.postponed, clause());
        }
        if [" tie ", " tied ", " ties ", " draw ", " dead heat "].iter().any(|w| words.contains(w))
        {
            fill(&mut self.tie, clause());
        }
        if self.overtime.is_none() {
            let excluded = has(&[
                "regular time",
                "regulation only",
                "90 minutes",
                "excluding overtime",
                "not include overtime",
                "overtime will not",
                "does not include extra",
            ]);
            let counts = has(&[
                "including overtime",
                "include overtime",
                "overtime counts",
                "overtime will count",
                "including any overtime",
                "extra innings",
                "including extra time",
                "overtime and shootout",
            ]);
            if excluded || counts {
                let value = if excluded { Overtime::Excluded } else { Overtime::Counts };
                self.overtime = Some(Read { value, text: quote(sentence) });
            }
        }
        if self.early.is_none()
            && has(&[
                "as soon as",
                "resolve early",
                "immediately",
                "close early",
                "will close and expire",
            ])
        {
            self.early = Some(quote(sentence));
        }
        if self.rounding.is_none()
            && has(&["rounded", "rounding", "decimal place", "significant figure"])
        {
            self.rounding = Some(quote(sentence));
        }
        self.deadline_of(sentence);
    }

    fn deadline_of(&mut self, sentence: &str) {
        if self.deadline.is_some() {
            return;
        }
        let lower = sentence.to_lowercase();
        let yes = [
            "resolve to \"yes\"",
            "resolve to “yes”",
            "resolves to yes",
            "resolve to yes",
            "otherwise",
        ];
        if !yes.iter().any(|word| lower.contains(word)) {
            return;
        }
        let found = tokens(sentence);
        let mut used = vec![false; found.len()];
        let all = spans(&found, &mut used, None);
        let between = lower.contains("between") || lower.contains(" and ");
        let by = all.iter().filter(|s| {
            s.year_known && (s.kind == SpanKind::Deadline || (between && s.kind == SpanKind::On))
        });
        let Some(last) = by.map(|s| s.last).max() else { return };
        let minute = (0..found.len())
            .find_map(|at| crate::claim_words::clock_at(&found, at))
            .map(|(minute, _, _)| minute);
        self.deadline = Some((last, minute, quote(sentence)));
    }
}

/// What a sentence says is paid.
fn pays(lower: &str) -> Option<Pays> {
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["50-50", "50/50", "50–50", "$0.50", "0.50 "]) {
        Some(Pays::Half)
    } else if has(&["fair price", "fair market", "fair value", "last traded", "last fair"]) {
        Some(Pays::FairPrice)
    } else if has(&[
        "remain open",
        "remains open",
        "stay open",
        "will remain",
        "until the game has been completed",
        "until it is played",
        "rescheduled date",
    ]) {
        Some(Pays::Waits)
    } else if has(&[
        "to \"other\"",
        "to “other”",
        "alphabetical",
        "no change",
        "maintains rate",
        "official winner",
        "official leader",
        "tiebreak",
    ]) {
        Some(Pays::Other)
    } else if has(&["to \"no\"", "to “no”", "resolve to no", "resolves to no", "resolve no"]) {
        Some(Pays::No)
    } else {
        None
    }
}

/// `after July 1, 2026`, `within two days`: the last day, or the words' number of days.
fn until(sentence: &str) -> Option<String> {
    let found = tokens(sentence);
    let mut used = vec![false; found.len()];
    let day =
        spans(&found, &mut used, None).into_iter().filter(|s| s.year_known).map(|s| s.last).max();
    if let Some(day) = day {
        return Some(day.text());
    }
    let at =
        found.iter().position(|t| t.text == "days" || t.text == "hours" || t.text == "weeks")?;
    let count = found.get(at.checked_sub(1)?)?;
    let number = ["one", "two", "three", "four", "five", "six", "seven"]
        .iter()
        .position(|w| *w == count.text);
    let count = number
        .map(|n| (n + 1).to_string())
        .or(count.number.map(|n| crate::quantity::decimal(n.micro)))?;
    Some(format!("{count} {}", found[at].text))
}

/// The last moment that counts. A deadline in the rules is what binds, then one in the title.
#[must_use]
pub fn cutoff(listing: &Listing, claim: &Claim, rules: &Rules) -> Option<Read<Cutoff>> {
    if let Some((day, minute, text)) = &rules.deadline {
        let value = Cutoff { day: day.text(), minute: *minute, scheduled: false };
        return Some(Read { value, text: text.clone() });
    }
    let dated = |span: &&Span| span.kind != SpanKind::Within && span.year_known;
    if let Some(span) = claim.spans.iter().filter(dated).max_by_key(|span| span.last) {
        let minute = claim.clocks.last().filter(|(_, utc)| !utc).map(|(minute, _)| *minute);
        let value = Cutoff { day: span.last.text(), minute, scheduled: false };
        return Some(Read { value, text: claim.text.clone() });
    }
    let close = listing.close?;
    let day = if close.second_of_day() == 0 { close.day() } else { close.eastern_day() };
    let name = match listing.venue {
        Venue::Kalshi => "close_time",
        Venue::Polymarket => "endDate",
    };
    let value = Cutoff { day: day.text(), minute: None, scheduled: true };
    Some(Read { value, text: format!("{name} {}", close.text()) })
}
