//! The other words of a listing: they can explain what its title leaves out.

use std::collections::HashSet;

use crate::alias::{Aliases, Class};
use crate::claim_words::{clock_at, stem};
use crate::listing::Listing;
use crate::span::spans;
use crate::station::stations;
use crate::token::{Token, tokens};
use crate::when::Day;

/// Words and phrases beside the title.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Phrases of the event's title, subtitle and slug: as good as the title.
    strong: HashSet<(Class, String)>,
    /// Phrases of the rules.
    weak: HashSet<(Class, String)>,
    /// Words of all of them, as they stand and stemmed.
    words: HashSet<String>,
    /// Times of day that the rules name, with whether they are in UTC.
    pub(crate) clocks: Vec<(i32, bool)>,
    /// Days that the rules name with their year.
    pub(crate) days: Vec<Day>,
    /// Stations that they name.
    pub(crate) stations: Vec<&'static str>,
    /// Taken to say everything.
    everything: bool,
}

impl Context {
    /// Collects what stands beside the title.
    #[must_use]
    pub fn of(listing: &Listing, aliases: &Aliases) -> Context {
        let mut context = Context::default();
        let strong = [&listing.event_title, &listing.event_subtitle, &listing.subtitle];
        for text in strong {
            let (phrases, words) = read(&tokens(text), aliases);
            context.strong.extend(phrases);
            context.words.extend(words);
        }
        let rules = tokens(&listing.rules);
        let clocks = (0..rules.len()).filter_map(|at| clock_at(&rules, at));
        context.clocks = clocks.map(|(minute, utc, _)| (minute, utc)).collect();
        let dates = spans(&rules, &mut vec![false; rules.len()], None);
        context.days = dates.iter().filter(|s| s.year_known).map(|span| span.last).collect();
        let words: Vec<&str> = rules.iter().map(|token| token.text.as_str()).collect();
        context.stations = stations(&words.join(" "));
        let beside = listing.tags.iter().chain([&listing.title]).map(|text| tokens(text));
        for found in std::iter::once(rules).chain(beside) {
            let (phrases, words) = read(&found, aliases);
            context.weak.extend(phrases);
            context.words.extend(words);
        }
        context
    }

    /// A context that could explain anything: what is refused beside it is refused beside any.
    #[must_use]
    pub fn everything() -> Context {
        Context { everything: true, ..Context::default() }
    }

    /// Whether it is the one that could explain anything.
    pub(crate) fn is_everything(&self) -> bool {
        self.everything
    }

    /// Whether this phrase stands in the event's own texts, or for classes where the rules may say
    /// it, in the rules.
    #[must_use]
    pub fn says(&self, class: Class, value: &str) -> bool {
        if self.everything {
            return true;
        }
        let key = (class, value.to_owned());
        let rules_count = matches!(
            class,
            Class::Metric
                | Class::Basis
                | Class::Award
                | Class::Event
                | Class::Scope
                | Class::Country
                | Class::Office
                | Class::League
                | Class::Conference
                | Class::Asset
                | Class::Bank
                | Class::Next
                | Class::Control
                | Class::Superlative
        );
        // What rules say of no case beside.
        let particular = matches!(
            (class, value),
            (Class::Narrow, "global" | "emergency") | (Class::Stage, "special")
        );
        self.strong.contains(&key) || ((rules_count || particular) && self.weak.contains(&key))
    }

    /// Whether a word stands anywhere.
    #[must_use]
    pub fn has_word(&self, word: &str) -> bool {
        self.everything || self.words.contains(word) || self.words.contains(&stem(word))
    }
}

fn read(found: &[Token], aliases: &Aliases) -> (Vec<(Class, String)>, Vec<String>) {
    let mut phrases = Vec::new();
    let mut words = Vec::with_capacity(found.len());
    let mut at = 0;
    while at < found.len() {
        words.push(found[at].text.clone());
        words.push(stem(&found[at].text));
        match aliases.longest(found, at) {
            Some((class, value, length)) => {
                phrases.push((class, value.to_owned()));
                words.extend(found[at..at + length].iter().map(|token| token.text.clone()));
                if class == Class::Org {
                    words.push(value.to_owned());
                }
                at += length;
            }
            None => at += 1,
        }
    }
    (phrases, words)
}
