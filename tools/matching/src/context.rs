//! The other words of a listing: they can explain what its title leaves out.

use std::collections::HashSet;

use crate::alias::{Aliases, Class};
use crate::claim_words::stem;
use crate::listing::Listing;
use crate::token::tokens;

/// Words and phrases beside the title.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Phrases of the event's title, subtitle and slug: as good as the title.
    strong: HashSet<(Class, String)>,
    /// Phrases of the rules.
    weak: HashSet<(Class, String)>,
    /// Words of all of them, as they stand and stemmed.
    words: HashSet<String>,
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
            let (phrases, words) = read(text, aliases);
            context.strong.extend(phrases);
            context.words.extend(words);
        }
        for text in std::iter::once(&listing.rules).chain(&listing.tags).chain([&listing.title]) {
            let (phrases, words) = read(text, aliases);
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
        self.strong.contains(&key) || (rules_count && self.weak.contains(&key))
    }

    /// Whether a word stands anywhere.
    #[must_use]
    pub fn has_word(&self, word: &str) -> bool {
        self.everything || self.words.contains(word) || self.words.contains(&stem(word))
    }
}

fn read(text: &str, aliases: &Aliases) -> (Vec<(Class, String)>, Vec<String>) {
    let found = tokens(text);
    let mut phrases = Vec::new();
    let mut words = Vec::with_capacity(found.len());
    let mut at = 0;
    while at < found.len() {
        words.push(found[at].text.clone());
        words.push(stem(&found[at].text));
        match aliases.longest(&found, at) {
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
