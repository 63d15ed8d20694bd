//! Which markets are worth comparing: those that share rare words. The matcher decides the rest.

use std::collections::{HashMap, HashSet};

use engine::units::Venue;
use matching::alias::Aliases;
use matching::judgement::Judgement;
use matching::listing::{self, Listing};
use matching::matcher::{Matcher, unfit};

/// Markets of the other venue that are compared with one: the best by shared words.
const CANDIDATES: usize = 40;

/// Two markets and what the matcher says of them.
#[derive(Clone, Debug)]
pub struct Alike {
    /// Ticker.
    pub kalshi: String,
    /// Condition.
    pub polymarket: String,
    /// What is said of them.
    pub judged: Judgement,
}

/// All open markets of both venues, by their words.
pub struct Finder {
    matcher: Matcher,
    sides: [Side; 2],
}

impl Default for Finder {
    fn default() -> Finder {
        let matcher = Matcher::new(Aliases::builtin());
        Finder { matcher, sides: [Side::default(), Side::default()] }
    }
}

/// The markets of one venue.
#[derive(Default)]
struct Side {
    /// By number; nothing where one went.
    listings: Vec<Option<Listing>>,
    numbers: HashMap<String, u32>,
    words: HashMap<String, Vec<u32>>,
}

/// A word in more markets than this of a venue tells none of them apart.
const COMMON_MIN: usize = 2_000;

impl Finder {
    /// Adds a market, or replaces what was known of it.
    pub fn put(&mut self, listing: Listing) {
        let venue = match listing.venue {
            listing::Venue::Kalshi => Venue::Kalshi,
            listing::Venue::Polymarket => Venue::Polymarket,
        };
        self.remove(venue, &listing.id);
        if !unfit(&listing).is_empty() {
            return;
        }
        let side = &mut self.sides[venue.index()];
        let number = side.listings.len() as u32;
        side.numbers.insert(listing.id.clone(), number);
        for word in words(&listing) {
            side.words.entry(word).or_default().push(number);
        }
        side.listings.push(Some(listing));
    }

    /// Forgets a market.
    pub fn remove(&mut self, venue: Venue, id: &str) {
        let side = &mut self.sides[venue.index()];
        let Some(number) = side.numbers.remove(id) else { return };
        let Some(listing) = side.listings[number as usize].take() else { return };
        for word in words(&listing) {
            if let Some(list) = side.words.get_mut(&word) {
                list.retain(|other| *other != number);
            }
        }
    }

    /// The pairs that a market belongs to.
    pub fn pairs_of(&self, venue: Venue, id: &str) -> Vec<Alike> {
        let mut alike = self.look_alikes(venue, id);
        alike.retain(|alike| alike.judged.equality.equal);
        alike
    }

    /// The markets that could be the other side of one, judged: equal ones first, then the likest.
    pub fn look_alikes(&self, venue: Venue, id: &str) -> Vec<Alike> {
        let side = &self.sides[venue.index()];
        let known = side.numbers.get(id).and_then(|n| side.listings[*n as usize].as_ref());
        let Some(listing) = known else { return Vec::new() };
        let other = &self.sides[1 - venue.index()];
        let mut alike: Vec<Alike> = other
            .candidates(listing)
            .into_iter()
            .map(|candidate| {
                let (here, there) = match venue {
                    Venue::Kalshi => (listing, candidate),
                    Venue::Polymarket => (candidate, listing),
                };
                Alike {
                    kalshi: here.id.clone(),
                    polymarket: there.id.clone(),
                    judged: self.matcher.judge(here, there),
                }
            })
            .collect();
        alike.sort_by_key(|alike| {
            let equality = &alike.judged.equality;
            (!equality.equal, std::cmp::Reverse(equality.score))
        });
        alike
    }

    /// What the matcher says of two markets.
    pub fn judge(&self, here: &Listing, there: &Listing) -> Judgement {
        self.matcher.judge(here, there)
    }
}

impl Side {
    /// Markets that share words with one, those with many and rare ones first.
    fn candidates(&self, listing: &Listing) -> Vec<&Listing> {
        let mut scores: HashMap<u32, u32> = HashMap::new();
        let common = (self.numbers.len() / 20).max(COMMON_MIN);
        for word in words(listing) {
            let Some(list) = self.words.get(&word) else { continue };
            if list.is_empty() || list.len() > common {
                continue;
            }
            // The rarer the more it says, as in a text index.
            let weight = 1 + (1 + self.numbers.len() / list.len()).ilog2();
            for number in list {
                *scores.entry(*number).or_default() += weight;
            }
        }
        let mut best: Vec<(u32, u32)> = scores.into_iter().collect();
        best.sort_unstable_by_key(|(number, score)| (std::cmp::Reverse(*score), *number));
        // What shares less than a part of what the best one shares is another subject.
        let least = best.first().map_or(0, |(_, score)| score * 2 / 5);
        let best = best.into_iter().take(CANDIDATES).filter(|(_, score)| *score >= least);
        best.filter_map(|(number, _)| self.listings[number as usize].as_ref()).collect()
    }
}

/// The words of a market's question, without those that are in every question.
fn words(listing: &Listing) -> HashSet<String> {
    let Listing { title, subtitle, event_title, event_subtitle, sport, outcomes, .. } = listing;
    let names = outcomes.iter().map(|outcome| &outcome.name);
    let texts = [title, subtitle, event_title, event_subtitle, &sport.home, &sport.away];
    let mut words = HashSet::new();
    for text in texts.into_iter().chain(names) {
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            let word = word.to_lowercase();
            if word.chars().count() > 1 && !EMPTY.contains(&word.as_str()) {
                words.insert(word);
            }
        }
    }
    words
}

/// Words that say nothing about what is asked.
const EMPTY: &[&str] = &[
    "will", "the", "of", "in", "on", "at", "by", "be", "to", "is", "or", "and", "an", "for", "yes",
    "no", "before", "after", "above", "below", "than", "more", "win", "who", "what",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(venue: listing::Venue, id: &str, title: &str) -> Listing {
        Listing { venue, id: id.into(), title: title.into(), ..Listing::default() }
    }

    #[test]
    fn a_market_is_compared_with_what_shares_its_rare_words_until_it_goes() {
        let mut finder = Finder::default();
        let (k, p) = (listing::Venue::Kalshi, listing::Venue::Polymarket);
        finder.put(listing(k, "K", "Will Zyzzyva win the Ballon d'Or in 2026?"));
        for number in 0..100 {
            finder.put(listing(
                p,
                &format!("P{number}"),
                &format!("Will club {number} win in 2026?"),
            ));
        }
        finder.put(listing(p, "P", "Ballon d'Or 2026: Zyzzyva"));
        let alike = |finder: &Finder| -> Vec<String> {
            finder.look_alikes(Venue::Kalshi, "K").into_iter().map(|a| a.polymarket).collect()
        };
        assert!(alike(&finder).contains(&"P".to_owned()));
        finder.remove(Venue::Polymarket, "P");
        assert!(!alike(&finder).contains(&"P".to_owned()));
        let back: Vec<Alike> = finder.look_alikes(Venue::Polymarket, "P7");
        assert!(back.iter().all(|alike| alike.kalshi == "K" && alike.polymarket == "P7"));
        finder.put(Listing { placeholder: true, ..listing(k, "K", "Will Zyzzyva win?") });
        assert!(alike(&finder).is_empty(), "what has no meaning yet is compared with nothing");
    }
}
