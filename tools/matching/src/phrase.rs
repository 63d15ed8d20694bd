//! Turns of speech that no table of phrases can hold: `one week after`, `10-year`, what somebody is
//! to say, an abbreviation behind its name, an answer behind its question.

use serde::Serialize;

use crate::token::{MICRO, Token, folded};

/// A name and the abbreviation that stands in brackets behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gloss {
    /// Words before the brackets, folded.
    pub words: Vec<String>,
    /// What stands in them, folded.
    pub code: String,
}

/// A word that somebody is to say, and the title without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    /// The words, folded; of several that count alike, in the order of the alphabet.
    pub words: String,
    /// The title without them.
    pub rest: String,
    /// The subtitle names them.
    pub of_subtitle: bool,
}

/// Words of a name before its abbreviation.
const GLOSS_WORDS_MAX: usize = 4;
/// Longest abbreviation.
const CODE_MAX: usize = 6;

/// `one week after`, `24 hours after`: the time in hours, and the number of tokens.
pub(crate) fn after_at(found: &[Token], at: usize) -> Option<(String, usize)> {
    let count = counted(found.get(at)?)?;
    let unit = found.get(at + 1)?.text.trim_end_matches('s').to_owned();
    let after = matches!(found.get(at + 2)?.text.as_str(), "after" | "following" | "post");
    let hours = match unit.as_str() {
        "hour" => 1,
        "day" => 24,
        "week" => 24 * 7,
        "month" => 24 * 30,
        "year" => 24 * 365,
        _ => return None,
    };
    after.then(|| (format!("{} hours after", count * hours), 2))
}

/// `10-year` and `10Y` of a bond or a loan, and the number of tokens.
pub(crate) fn tenor_at(found: &[Token], at: usize) -> Option<(String, usize)> {
    let token = found.get(at)?;
    let of_bond = |from: usize| {
        let words = ["treasury", "yield", "note", "bond", "mortgage", "fixed", "us", "t"];
        found.iter().skip(from).take(2).any(|t| words.contains(&t.text.as_str()))
    };
    if let Some(years) = token.text.strip_suffix('y').filter(|y| y.parse::<u8>().is_ok()) {
        return of_bond(at + 1).then(|| (format!("{years} years"), 1));
    }
    let years = counted(token)?;
    let unit = matches!(found.get(at + 1)?.text.as_str(), "year" | "yr");
    (unit && of_bond(at + 2)).then(|| (format!("{years} years"), 2))
}

/// `Season 35`, and the number of tokens.
pub(crate) fn edition_at(found: &[Token], at: usize) -> Option<(i128, usize)> {
    let season = matches!(found.get(at)?.text.as_str(), "season" | "edition" | "series");
    let number = found.get(at + 1)?.number.filter(|n| !n.year && !n.joined && !n.plus)?;
    let whole = number.micro % MICRO == 0 && !(number.percent || number.dollar);
    (season && whole).then_some((number.micro / MICRO, 2))
}

/// A small whole number, in figures or as a word.
fn counted(token: &Token) -> Option<i128> {
    const WORDS: &[&str] = &["one", "two", "three", "four", "five", "six"];
    if let Some(place) = WORDS.iter().position(|word| *word == token.text) {
        return i128::try_from(place + 1).ok();
    }
    let number = token.number.filter(|n| !n.percent && !n.dollar && n.micro % MICRO == 0)?;
    Some(number.micro / MICRO).filter(|count| (1..=99).contains(count))
}

/// Who does something to whom, in the active voice: `Will Israel strike Iran`, by their words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deed {
    /// Words of who does it.
    pub who: Vec<String>,
    /// Words of to whom.
    pub whom: Vec<String>,
}

/// What two do with each other, so that either may stand first.
const MUTUAL: &[&str] = &[
    "meet",
    "meets",
    "merge",
    "merges",
    "fight",
    "fights",
    "marry",
    "marries",
    "divorce",
    "and",
    "normalize",
    "face",
    "faces",
    "play",
    "plays",
    "sign",
    "agree",
    "x",
    "vs",
    "v",
    "of",
    "or",
    "at",
];

/// The deed that a title begins with.
pub(crate) fn deed(found: &[Token]) -> Option<Deed> {
    let text = |at: usize| found.get(at).map_or("", |t| t.text.as_str());
    let skip = |at: usize| at + usize::from(text(at) == "the");
    let start = skip(usize::from(text(0) == "will"));
    let names = |from: usize| {
        let named = found.iter().skip(from).take_while(|t| t.capital && t.number.is_none());
        named.map(|t| t.text.clone()).collect::<Vec<_>>()
    };
    let who = names(start);
    let verb = start + who.len();
    if who.is_empty() || MUTUAL.contains(&text(verb)) || found.get(verb)?.number.is_some() {
        return None;
    }
    let link = usize::from(matches!(text(verb + 1), "in" | "on" | "to" | "against"));
    let whom = names(skip(verb + 1 + link));
    (!whom.is_empty()).then_some(Deed { who, whom })
}

/// Whether an answer stands behind the question: `Which company will be first? - Google`.
pub(crate) fn answered(title: &str) -> bool {
    title.rsplit_once('?').is_some_and(|(_, rest)| rest.chars().any(char::is_alphanumeric))
}

/// Names with their abbreviations: `Tether (USDT)`, `Full Self-Driving (FSD)`.
pub(crate) fn glosses(title: &str) -> Vec<Gloss> {
    let plain = folded(title);
    let mut found = Vec::new();
    for (at, _) in plain.match_indices('(') {
        let Some(inside) = plain.get(at + 1..).and_then(|rest| rest.split(')').next()) else {
            continue;
        };
        let letters = inside.bytes().all(|b| b.is_ascii_alphanumeric())
            && inside.bytes().next().is_some_and(|b| b.is_ascii_uppercase());
        let named = inside.bytes().filter(u8::is_ascii_uppercase).count() >= 2;
        if !letters || !named || inside.len() > CODE_MAX || inside.starts_with("BO") {
            continue;
        }
        let before = plain.get(..at).unwrap_or("");
        let words = before.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).rev();
        // Written small, words are meant where their initials are the code.
        let spelt: Vec<&str> = words.clone().take(inside.len()).collect();
        let initials = spelt.iter().rev().filter_map(|w| w.chars().next());
        let code = inside.to_uppercase();
        let by_initials = initials.flat_map(char::to_uppercase).eq(code.chars());
        let links = ["for", "of", "the", "and", "in", "de"];
        let capital = |w: &&str| {
            by_initials || links.contains(w) || w.starts_with(|c: char| c.is_uppercase())
        };
        let most = if by_initials { inside.len() } else { GLOSS_WORDS_MAX };
        let words = words.take_while(capital).take(most);
        let words: Vec<String> = words.map(str::to_lowercase).collect();
        found.push(Gloss { words, code: inside.to_lowercase() });
    }
    found
}

/// What somebody is to say: in quotes behind `say`, or the subtitle where the title asks.
pub(crate) fn mention(title: &str, subtitle: &str) -> Option<Mention> {
    let lower = title.to_ascii_lowercase();
    if let Some(mention) = said(title) {
        return Some(mention);
    }
    let (at, verb) = [" say ", " says ", " mention ", " mentions "]
        .iter()
        .find_map(|verb| lower.find(verb).map(|at| (at, verb.len())))?;
    let (before, after) = (title.get(..at + verb)?, title.get(at + verb..)?);
    let marks = ['"', '\u{201c}', '\u{201d}'];
    let open = after.char_indices().find(|(_, c)| marks.contains(c));
    if let Some((from, mark)) = open.filter(|(from, _)| *from <= 4) {
        let inner = after.get(from + mark.len_utf8()..)?;
        let (quoted, rest) = inner.split_once(marks)?;
        let rest = format!("{before}{rest}");
        return Some(Mention { words: alternatives(quoted), rest, of_subtitle: false });
    }
    if subtitle.is_empty() {
        return None;
    }
    let words = alternatives(subtitle);
    let named = after.get(..subtitle.len()).filter(|text| text.eq_ignore_ascii_case(subtitle));
    let rest = match named {
        Some(_) => format!("{before}{}", after.get(subtitle.len()..)?),
        None if lower.starts_with("what will") => title.to_owned(),
        None => return None,
    };
    Some(Mention { words, rest, of_subtitle: true })
}

/// `Will "Mahomes" be said by the announcers?`
fn said(title: &str) -> Option<Mention> {
    let marks = ['"', '\u{201c}', '\u{201d}'];
    let (before, rest) = title.split_once(marks)?;
    let (quoted, after) = rest.split_once(marks)?;
    let lower = after.to_ascii_lowercase();
    let passive = [" be said", " be mentioned", " said", " mentioned"];
    let spoken = passive.iter().any(|verb| lower.starts_with(verb));
    let rest = format!("{before}{after}");
    spoken.then(|| Mention { words: alternatives(quoted), rest, of_subtitle: false })
}

/// `Hot / Hottest`: each counts.
fn alternatives(words: &str) -> String {
    let plain = folded(words).to_lowercase();
    let mut all: Vec<&str> = plain.split(" or ").flat_map(|part| part.split('/')).collect();
    all.iter_mut().for_each(|word| *word = word.trim());
    all.sort_unstable();
    all.join(" / ")
}

#[cfg(test)]
#[path = "phrase_tests.rs"]
mod tests;
