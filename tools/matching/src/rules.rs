//! Sentences of rules, and what they say of the cases in which an event does not run its course.

use crate::claim::Claim;
use crate::gate::{Cutoff, Overtime, Pays, Read};
use crate::listing::{Listing, Venue};
use crate::publishers::{named_in, publishers, spaced};
use crate::rules_words::{adjusted, has_no_result, pays, revised, rounded, standard, timed, until};
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
    /// One side gives up.
    pub forfeit: Option<Clause>,
    /// Nobody has published or declared a result.
    pub undecided: Option<Clause>,
    /// Extra time.
    pub overtime: Option<Read<Overtime>>,
    /// It may end early.
    pub early: Option<String>,
    /// Rounding.
    pub rounding: Option<Read<String>>,
    /// Which of several prints of one figure.
    pub revision: Option<Read<String>>,
    /// Seasonal adjustment.
    pub adjustment: Option<Read<String>>,
    /// What makes somebody the winner of an office.
    pub standard: Option<Read<String>>,
    /// A day named with a deadline's words, its clock and that clock's zone, and the sentence.
    pub deadline: Option<(Day, Option<Clock>, String)>,
}

/// Minutes after midnight, and the zone where one is named.
pub type Clock = (i32, Option<String>);

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

/// Stands between two sentences of one case.
pub(crate) const JOINED: &str = " | ";

/// Adds a sentence on a case to those before it. Two that pay differently are neither of them: what
/// they come to is known where the other side says it in the same words.
fn add(slot: &mut Option<Clause>, new: Clause) {
    let Some(old) = slot.as_mut().filter(|old| old.pays.is_some() || new.pays.is_none()) else {
        *slot = Some(new);
        return;
    };
    let same = |pays: Pays| old.pays == Some(pays) && pays != Pays::Other;
    if new.pays.is_some_and(|pays| !same(pays)) {
        old.pays = Some(Pays::Other);
        old.text = format!("{}{JOINED}{}", old.text, new.text);
    } else if old.until.is_none() && new.until.is_some() {
        old.text.clone_from(&new.text);
    }
    old.until = old.until.take().or(new.until);
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
        if has(&[
            "cancel",
            "canceled",
            "void",
            "abandoned",
            "not take place",
            "does not occur",
            "not played",
            "no contest",
        ]) {
            add(&mut self.cancelled, clause());
        }
        if has(&["postpone", "rescheduled", "delayed", "suspended"]) {
            add(&mut self.postponed, clause());
        }
        if [" tie ", " tied ", " ties ", " draw ", " dead heat "].iter().any(|w| words.contains(w))
        {
            add(&mut self.tie, clause());
        }
        if has(&["forfeit", "walkover"]) {
            add(&mut self.forfeit, clause());
        }
        if has_no_result(&words) {
            add(&mut self.undecided, clause());
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
        let note = |slot: &mut Option<Read<String>>, value: Option<String>| {
            if slot.is_none() {
                *slot = value.map(|value| Read { value, text: quote(sentence) });
            }
        };
        note(&mut self.rounding, rounded(sentence));
        note(&mut self.revision, revised(&lower).map(str::to_owned));
        note(&mut self.adjustment, adjusted(&lower).map(str::to_owned));
        note(&mut self.standard, standard(&words));
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
        self.deadline = Some((last, timed(&found), quote(sentence)));
    }
}

/// The last moment that counts. A deadline in the rules is what binds, then one in the title.
#[must_use]
pub fn cutoff(listing: &Listing, claim: &Claim, rules: &Rules) -> Option<Read<Cutoff>> {
    if let Some((day, clock, text)) = &rules.deadline {
        let value = Cutoff { stated: true, ..Cutoff::at(*day, clock.clone()) };
        return Some(Read { value, text: text.clone() });
    }
    let dated = |span: &&Span| span.kind != SpanKind::Within && span.year_known;
    if let Some(span) = claim.spans.iter().filter(dated).max_by_key(|span| span.last) {
        let value = Cutoff::at(span.last, timed(&tokens(&claim.text)));
        return Some(Read { value, text: claim.text.clone() });
    }
    let close = listing.close?;
    let day = if close.second_of_day() == 0 { close.day() } else { close.eastern_day() };
    let name = match listing.venue {
        Venue::Kalshi => "close_time",
        Venue::Polymarket => "endDate",
    };
    let value = Cutoff { scheduled: true, ..Cutoff::at(day, None) };
    Some(Read { value, text: format!("{name} {}", close.text()) })
}
