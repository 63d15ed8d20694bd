//! Dates in a text: what must happen by, before, within or on which days.

use serde::{Deserialize, Serialize};

use crate::token::{MICRO, Token};
use crate::when::{Day, days_in};

/// What a date means in its sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// At any time up to the last day.
    Deadline,
    /// Somewhere in a month, a quarter, a year.
    Within,
    /// On one day.
    On,
    /// At any time later than the last day.
    After,
}

/// Days, first to last, both included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// What they mean.
    pub kind: SpanKind,
    /// First day; of a deadline the first day that the words name.
    pub first: Day,
    /// Last day that counts.
    pub last: Day,
    /// Whether the text or a time of the listing gave the year.
    pub year_known: bool,
    /// A season over two years, `2026-27`.
    pub season: bool,
    /// Named beside the date before it: `June and July`.
    pub also: bool,
    /// The words.
    pub text: String,
}

/// Where the year of `June 30` comes from: the day near which it must lie.
const ANCHOR_BEFORE: i32 = 320;

/// Whether a date begins at `at`, perhaps behind an article.
pub(crate) fn begins_date(found: &[Token], at: usize) -> bool {
    (at..(at + 3).min(found.len())).any(|at| date_at(found, at, None).is_some())
}

/// All dates of a text; the tokens that they are made of are marked.
pub(crate) fn spans(found: &[Token], used: &mut [bool], anchor: Option<Day>) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::new();
    let mut at = 0;
    let mut ended = None;
    while at < found.len() {
        let Some((days, end)) = date_at(found, at, anchor) else {
            at += 1;
            continue;
        };
        let mut begin = at;
        // `3 March 2026`: the day stands before the month.
        let kind = relation(found, &mut begin);
        let scheduled = scheduled(found, end);
        let text = |at: usize| found.get(at).map_or("", |token| token.text.as_str());
        let later = text(end) == "or" && matches!(text(end + 1), "later" | "after");
        let from = later || matches!(kind, Some(Word::From));
        let end = if later { end + 2 } else { end };
        if scheduled && !matches!(kind, Some(Word::Within)) {
            // What stands before it is no part of the date.
            begin = at;
        }
        let kind = match kind {
            // A date that only says which season or meeting is meant is no deadline.
            Some(Word::By | Word::Before | Word::After) if scheduled => SpanKind::Within,
            Some(Word::By | Word::Before) => SpanKind::Deadline,
            Some(Word::After | Word::From) => SpanKind::After,
            _ if later => SpanKind::After,
            Some(Word::End) => SpanKind::On,
            Some(Word::Within) if days.first != days.last => SpanKind::Within,
            _ if days.first == days.last => SpanKind::On,
            _ => SpanKind::Within,
        };
        let before = !scheduled && matches!(relation(found, &mut at.clone()), Some(Word::Before));
        let last = if before || from { Day(days.first.0 - 1) } else { days.last };
        let beside = begin.checked_sub(1).filter(|and| found[*and].text == "and");
        let also = beside.is_some() && beside == ended;
        let first = if kind == SpanKind::On { last } else { days.first };
        let words: Vec<&str> = found[begin..end].iter().map(|t| t.text.as_str()).collect();
        let span = Span { kind, first, last, text: words.join(" "), also, ..days };
        used[begin..end].fill(true);
        if let Some(from) =
            out.last_mut().filter(|from| ranges(found, (from, ended), (&span, begin)))
        {
            // `Feb 2 - Feb 8`
            from.kind = SpanKind::Within;
            from.last = span.last;
            from.text = format!("{} to {}", from.text, span.text);
        } else {
            out.push(span);
        }
        ended = Some(end);
        at = end;
    }
    out
}

/// Whether two days are the ends of a range: a dash, `to`, `through` or `and` stands between.
fn ranges(found: &[Token], from: (&Span, Option<usize>), to: (&Span, usize)) -> bool {
    let ((from, Some(ended)), (to, begin)) = (from, to) else { return false };
    let single = |span: &Span| matches!(span.kind, SpanKind::On | SpanKind::Deadline);
    let days = from.kind == SpanKind::On && single(to) && from.first < to.last && !to.also;
    let link = found.get(ended..begin).unwrap_or(&[]);
    let linked = match link {
        [] => {
            to.text.starts_with("through")
                || found.get(begin).is_some_and(|t| t.hyphen || !t.after_break)
        }
        [word] => matches!(word.text.as_str(), "to" | "and"),
        _ => false,
    };
    days && linked && from.year_known && to.year_known
}

/// What has a time of its own, so that a date before it only says which of them.
const SCHEDULED: &[&str] = &[
    "season",
    "offseason",
    "draft",
    "meeting",
    "decision",
    "election",
    "elections",
    "midterm",
    "midterms",
    "world",
    "olympics",
    "olympic",
    "super",
    "playoffs",
    "campaign",
    "summit",
    "finals",
    "final",
    "convention",
    "primary",
    "primaries",
    "presidential",
    "general",
    "fifa",
    "nba",
    "nfl",
    "mlb",
    "nhl",
    "winter",
    "summer",
    "opener",
    "deadline",
    "trade",
    "budget",
    "gala",
    "awards",
    "oscars",
    "grammys",
    "fomc",
    "fed",
];

/// Whether what follows a date is what has a time of its own.
fn scheduled(found: &[Token], end: usize) -> bool {
    let close = |token: &&Token| !token.after_break && SCHEDULED.contains(&token.text.as_str());
    found.get(end).filter(close).is_some()
}

/// Whether what has a time of its own stands behind a `before` and the date that says which of
/// them: the season of `before the 2027 season`.
pub(crate) fn event_behind(found: &[Token], before: usize) -> bool {
    let led = matches!(found[before].text.as_str(), "before" | "by" | "until");
    let at = before + 1 + usize::from(found.get(before + 1).is_some_and(|t| t.text == "the"));
    const YEARLY: &[&str] = &[
        "season",
        "offseason",
        "draft",
        "election",
        "elections",
        "midterm",
        "midterms",
        "olympics",
        "playoffs",
    ];
    let date = (led && at < found.len()).then(|| date_at(found, at, None)).flatten();
    let yearly = |token: &Token| YEARLY.contains(&token.text.as_str());
    led && date.map_or_else(|| found.get(at).is_some_and(yearly), |(_, end)| scheduled(found, end))
}

enum Word {
    By,
    Before,
    /// `after June 30`: later than it.
    After,
    /// `on or after June 30`, `June 30 or later`.
    From,
    Within,
    /// `at the end of July`: on its last day.
    End,
}

/// The preposition before a date; `begin` moves back to it.
fn relation(found: &[Token], begin: &mut usize) -> Option<Word> {
    let mut at = *begin;
    let mut end = false;
    let word_at =
        |at: usize, back: usize| at.checked_sub(back).map_or("", |n| found[n].text.as_str());
    let leads = |at: usize| {
        let word = at.checked_sub(1).map_or("", |n| found[n].text.as_str());
        matches!(word, "by" | "before" | "at" | "until" | "year")
    };
    for _ in 0..6 {
        let Some(before) = at.checked_sub(1) else { break };
        let word = match found[before].text.as_str() {
            // `ends November 12` is no end of November.
            "end" | "close" if found[before + 1].text == "of" || leads(before) => {
                at = before;
                end = true;
                continue;
            }
            "the" | "of" | "start" | "beginning" | "midnight" => {
                at = before;
                continue;
            }
            "by" | "until" | "through" | "till" => Word::By,
            // What must happen before the end of a year may happen on its last day.
            "before" if end => Word::By,
            // `on or before June 30`
            "before" if word_at(before, 1) == "or" && word_at(before, 2) == "on" => {
                *begin = before - 2;
                return Some(Word::By);
            }
            "after" if word_at(before, 1) == "or" && word_at(before, 2) == "on" => {
                *begin = before - 2;
                return Some(Word::From);
            }
            "than" if word_at(before, 1) == "later" => match word_at(before, 2) {
                "no" | "not" => Word::By,
                _ => Word::After,
            },
            // `on the final trading day of 2026`
            "day" | "trading" | "final" | "last" if at < *begin || word_at(before, 0) == "day" => {
                at = before;
                end |= word_at(before, 0) != "day" && word_at(before, 0) != "trading";
                continue;
            }
            "before" => Word::Before,
            "after" | "past" | "beyond" if !end => Word::After,
            "in" | "during" | "within" | "for" | "on" | "at" if end => Word::End,
            "in" | "during" | "within" | "for" | "on" => Word::Within,
            _ => break,
        };
        *begin = before;
        return Some(word);
    }
    // `end of July` without a word before it: the last token before was no part of a date.
    let of_end = end && matches!(found[at].text.as_str(), "end" | "close");
    if of_end {
        *begin = at;
    }
    of_end.then_some(Word::End)
}

fn small(token: Option<&Token>, up_to: i128) -> Option<u32> {
    let number = token?.number?;
    let bare = !(number.percent || number.dollar || number.bps || number.degrees || number.plus);
    let value = number.micro / MICRO;
    let fits = bare && number.micro % MICRO == 0 && (1..=up_to).contains(&value);
    if fits { u32::try_from(value).ok() } else { None }
}

fn year(token: Option<&Token>) -> Option<i32> {
    let number = token?.number.filter(|number| number.year)?;
    i32::try_from(number.micro / MICRO).ok().filter(|year| (1990..=2099).contains(year))
}

/// A date that begins at `at`: its days, and where it ends.
fn date_at(found: &[Token], at: usize, anchor: Option<Day>) -> Option<(Span, usize)> {
    let token = &found[at];
    if let Some(day) = token.date {
        return Some((days(day, day, true), at + 1));
    }
    if let Some(y) = year(Some(token)) {
        // `2026-27`, a season.
        let next = found.get(at + 1);
        let joined = next.and_then(|t| t.number).is_some_and(|n| n.joined);
        if joined && small(next, 99).is_some_and(|n| i32::try_from(n) == Ok((y + 1) % 100)) {
            let mut span = days(Day::new(y, 7, 1)?, Day::new(y + 1, 6, 30)?, true);
            span.season = true;
            return Some((span, at + 2));
        }
        return Some((days(Day::new(y, 1, 1)?, Day::new(y, 12, 31)?, true), at + 1));
    }
    if let Some(quarter) = quarter(&token.text) {
        let y = year(found.get(at + 1));
        let month = 3 * quarter - 2;
        let (span, known) = with_year(y, anchor, |y| {
            Some((Day::new(y, month, 1)?, Day::new(y, month + 2, days_in(y, month + 2))?))
        })?;
        return Some((days(span.0, span.1, known), at + 1 + usize::from(y.is_some())));
    }
    // `3 March`, `31st of December`.
    if let Some(day) = small(Some(token), 31) {
        let of = usize::from(found.get(at + 1).is_some_and(|t| t.text == "of"));
        let month_at = at + 1 + of;
        if let Some(month) = found.get(month_at).and_then(month_of)
            && small(found.get(month_at + 1), 31).is_none()
        {
            let y = year(found.get(month_at + 1));
            let (span, known) = with_year(y, anchor, |y| Day::new(y, month, day).map(|d| (d, d)))?;
            return Some((days(span.0, span.1, known), month_at + 1 + usize::from(y.is_some())));
        }
        return None;
    }
    let month = month_of(token).filter(|_| token.text != "may" || may_is_month(found, at))?;
    let mut end = at + 1;
    let first = small(found.get(end), 31).filter(|_| year(found.get(end)).is_none());
    let mut last = first;
    if first.is_some() {
        end += 1;
        // `July 28-29`
        let joined = found.get(end).and_then(|t| t.number).is_some_and(|n| n.joined);
        if let Some(day) = small(found.get(end), 31).filter(|_| joined) {
            last = Some(day);
            end += 1;
        }
    }
    let y = year(found.get(end));
    end += usize::from(y.is_some());
    let (span, known) = with_year(y, anchor, |y| {
        let last = last.unwrap_or_else(|| days_in(y, month));
        Some((Day::new(y, month, first.unwrap_or(1))?, Day::new(y, month, last)?))
    })?;
    // A meeting of two days ends on its second.
    let meeting = first.is_some() && span.1.0 - span.0.0 <= 1;
    let begin = if meeting { span.1 } else { span.0 };
    Some((days(begin, span.1, known), end))
}

fn days(first: Day, last: Day, year_known: bool) -> Span {
    Span {
        kind: SpanKind::Within,
        first,
        last,
        year_known,
        season: false,
        also: false,
        text: String::new(),
    }
}

/// The days in the given year, or in the year that puts them near the anchor: a market ends soon
/// after what it is about.
fn with_year(
    year: Option<i32>,
    anchor: Option<Day>,
    make: impl Fn(i32) -> Option<(Day, Day)>,
) -> Option<((Day, Day), bool)> {
    if let Some(year) = year {
        return make(year).map(|span| (span, true));
    }
    let Some(anchor) = anchor else { return make(2000).map(|span| (span, false)) };
    let near = anchor.year();
    [near + 1, near, near - 1].into_iter().find_map(|year| {
        let span = make(year)?;
        let distance = anchor.0 - span.1.0;
        (-45..=ANCHOR_BEFORE).contains(&distance).then_some((span, true))
    })
}

fn quarter(word: &str) -> Option<u32> {
    match word {
        "q1" => Some(1),
        "q2" => Some(2),
        "q3" => Some(3),
        "q4" => Some(4),
        _ => None,
    }
}

fn month_of(token: &Token) -> Option<u32> {
    if !token.capital {
        return None;
    }
    Some(match token.text.as_str() {
        "january" | "jan" => 1,
        "february" | "feb" => 2,
        "march" | "mar" => 3,
        "april" | "apr" => 4,
        "may" => 5,
        "june" | "jun" => 6,
        "july" | "jul" => 7,
        "august" | "aug" => 8,
        "september" | "sept" | "sep" => 9,
        "october" | "oct" => 10,
        "november" | "nov" => 11,
        "december" | "dec" => 12,
        _ => return None,
    })
}

/// `May` is a month where a number follows or a preposition stands before it, or it ends the text.
fn may_is_month(found: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1).map(|n| found[n].text.as_str());
    let preposition = matches!(
        before,
        Some(
            "in" | "by"
                | "before"
                | "of"
                | "until"
                | "through"
                | "during"
                | "on"
                | "the"
                | "for"
                | "after"
                | "end"
        )
    );
    preposition || found.get(at + 1).is_none_or(|next| next.number.is_some())
}

#[cfg(test)]
#[path = "span_tests.rs"]
mod tests;
