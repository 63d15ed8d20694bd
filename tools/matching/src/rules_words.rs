//! What single sentences of rules say: who is paid, until when, and which of several figures counts.

use crate::gate::Pays;
use crate::publishers::spaced;
use crate::rules::{Clock, JOINED};
use crate::span::spans;
use crate::token::{Token, tokens};

/// What a sentence says is paid.
pub(crate) fn pays(lower: &str) -> Option<Pays> {
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
    } else if has(&["to \"yes\"", "to “yes”", "resolve to yes", "resolves to yes", "resolve yes"])
    {
        Some(Pays::Yes)
    } else {
        None
    }
}

/// To which other outcome a sentence sends the money: by name where it is one that both venues
/// have, otherwise by its own words, because an order of tie-breaks is equal to itself alone.
pub(crate) fn other(sentence: &str) -> String {
    let words = spaced(sentence);
    if sentence.contains(JOINED) {
        return words;
    }
    if words.contains("to other") {
        return "other".to_owned();
    }
    if words.contains("no change") || words.contains("maintains rate") {
        return "no change".to_owned();
    }
    words
}

/// `after July 1, 2026`, `within two days`: the last day, or the words' number of days.
pub(crate) fn until(sentence: &str) -> Option<String> {
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
    let number = NUMBERS.iter().position(|word| *word == count.text);
    let count = number
        .map(|n| n.to_string())
        .or(count.number.map(|n| crate::quantity::decimal(n.micro)))?;
    Some(format!("{count} {}", found[at].text))
}

const NUMBERS: &[&str] = &["zero", "one", "two", "three", "four", "five", "six", "seven"];

/// Whether a sentence, as words with blanks around each, is of the case that no result is known:
/// `if no winner is declared by`, `if the report is not released`.
pub(crate) fn has_no_result(words: &str) -> bool {
    const MADE_KNOWN: &[&str] = &[
        "declared",
        "announced",
        "released",
        "published",
        "completed",
        "available",
        "determined",
        "issued",
        "known",
    ];
    /// `no official winner of the award has been declared`.
    const REACH: usize = 9;
    let words: Vec<&str> = words.split_whitespace().collect();
    let Some(from) = words.iter().position(|word| matches!(*word, "if" | "unless" | "should"))
    else {
        return false;
    };
    let known = |word: &&&str| MADE_KNOWN.contains(*word);
    (from..words.len()).any(|at| match words[at] {
        // `resolve to "No"` denies nothing.
        "no" if words[at - 1] != "to" => words[at..].iter().take(REACH).any(|w| known(&w)),
        "not" | "never" => {
            let mut rest = words[at + 1..].iter();
            let said = rest.find(|word| !matches!(**word, "be" | "been" | "yet" | "publicly"));
            said.as_ref().is_some_and(known)
        }
        _ => false,
    })
}

/// To how many decimals a figure is rounded, or the words where they say it otherwise.
pub(crate) fn rounded(sentence: &str) -> Option<String> {
    let words = spaced(sentence);
    let has = |names: &[&str]| names.iter().any(|name| words.contains(name));
    if !has(&["rounded", "rounding", "decimal place", "significant figure", "nearest"]) {
        return None;
    }
    if has(&["unrounded", "not rounded", "not be rounded", "no rounding", "without rounding"])
        || has(&["all decimal"])
    {
        return Some("unrounded".to_owned());
    }
    let list: Vec<&str> = words.split(' ').collect();
    let before = list.iter().position(|word| word.starts_with("decimal"));
    let number = before.and_then(|at| list.get(at.checked_sub(1)?)).and_then(|word| {
        NUMBERS.iter().position(|name| name == word).or_else(|| word.parse::<usize>().ok())
    });
    let after = list.iter().position(|word| *word == "nearest").map(|at| &list[at + 1..]);
    let place = after.and_then(|rest| {
        rest.iter().take(3).find_map(|word| match *word {
            "whole" | "integer" | "degree" | "dollar" | "point" => Some(0),
            "tenth" => Some(1),
            "hundredth" | "cent" => Some(2),
            "thousandth" => Some(3),
            _ => None,
        })
    });
    Some(match number.or(place) {
        Some(1) => "1 decimal".to_owned(),
        Some(places) => format!("{places} decimals"),
        None => words,
    })
}

/// Which print of a figure counts, in lower case.
pub(crate) fn revised(lower: &str) -> Option<&'static str> {
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let revised = lower.contains("revis");
    let first = has(&[
        "first release",
        "initial release",
        "first print",
        "initial print",
        "advance estimate",
        "first published",
        "initially reported",
        "first estimate",
    ]);
    let denied = has(&["not be", "not count", "ignored", "disregard", "regardless", "no revis"])
        || has(&["not consider", "not affect", "will not", "do not", "does not", "without"]);
    match (revised, denied, first) {
        (true, true, _) | (false, _, true) => Some("first"),
        (true, false, _) => Some("revised"),
        (false, _, false) => None,
    }
}

/// Whether a figure is seasonally adjusted, in lower case.
pub(crate) fn adjusted(lower: &str) -> Option<&'static str> {
    let spaced = lower.replace('-', " ");
    if ["not seasonally", "non seasonally", "unadjusted", "not adjusted"]
        .iter()
        .any(|words| spaced.contains(words))
    {
        return Some("unadjusted");
    }
    spaced.contains("seasonally adjusted").then_some("adjusted")
}

/// What makes somebody the winner of an office, of words with blanks around each. Taking office,
/// a certificate and a newspaper's call can name two people.
pub(crate) fn standard(words: &str) -> Option<String> {
    let mut said: Vec<&str> = Vec::new();
    for (name, forms) in [
        ("certified", &[" certified ", " certification ", " certifies "][..]),
        (
            "called",
            &[
                " called by ",
                " call the race ",
                " calls the race ",
                " call the election ",
                " projected ",
                " projection ",
                " projects ",
            ][..],
        ),
        (
            "sworn in",
            &[
                " sworn in ",
                " inaugurated ",
                " takes office ",
                " assumes office ",
                " inauguration ",
            ][..],
        ),
    ] {
        if forms.iter().any(|form| words.contains(form)) {
            said.push(name);
        }
    }
    (!said.is_empty()).then(|| said.join(", "))
}

/// The first time of day, and its zone where one is named.
pub(crate) fn timed(found: &[Token]) -> Option<Clock> {
    (0..found.len()).find_map(|at| {
        let (minute, _, length) = crate::claim_words::clock_at(found, at)?;
        Some((minute, zone(found, at + 1..at + length + 3)))
    })
}

/// The zone that is named first among these tokens.
fn zone(found: &[Token], within: std::ops::Range<usize>) -> Option<String> {
    let end = within.end.min(found.len());
    (within.start..end).find_map(|at| {
        let name = match found[at].text.as_str() {
            "et" | "est" | "edt" | "eastern" => "ET",
            "ct" | "cst" | "cdt" | "central" => "CT",
            "mt" | "mst" | "mdt" | "mountain" => "MT",
            "pt" | "pst" | "pdt" | "pacific" => "PT",
            "utc" | "gmt" => "UTC",
            "cet" | "cest" => "CET",
            "bst" | "london" => "UK",
            "jst" | "tokyo" | "japan" => "JST",
            "kst" | "seoul" | "korea" => "KST",
            "ist" | "india" => "IST",
            "china" | "beijing" | "shanghai" | "hkt" => "China",
            "local" => "local",
            _ => return None,
        };
        // `GMT+8`: a number hard behind is of the zone. Where it is not, a person looks.
        let shift = found.get(at + 1).filter(|_| name == "UTC").and_then(|next| next.number);
        let shift = shift.map(|number| crate::quantity::decimal(number.micro));
        Some(shift.map_or(name.to_owned(), |shift| format!("{name} {shift}")))
    })
}

#[cfg(test)]
#[path = "rules_words_tests.rs"]
mod tests;
