//! All open markets of both venues, found by what is rare in them: a text index in memory (BM25
//! over words and canonical fields, so that date, district, team and threshold block), and the
//! matcher for the best of what it finds.

use std::collections::{HashMap, HashSet};

use crate::alias::Class;
use crate::claim::Claim;
use crate::judgement::Judgement;
use crate::listing::{Listing, Venue};
use crate::matcher::{Matcher, may_equal_hinted, unfit};
use crate::token::tokens;

/// Markets of the other venue that are compared with one.
const CANDIDATES_MAX: usize = 24;
/// A key in more markets than this tells none of them apart, and is read only where no other is.
const COMMON: usize = 1_500;
/// Keys of one listing; a hostile text has no more.
const KEYS_MAX: usize = 96;

/// One listing and what is known of it.
#[derive(Debug)]
struct Entry {
    listing: Listing,
    claim: Claim,
    keys: Vec<u32>,
}

/// The listings of one venue.
#[derive(Debug, Default)]
struct Side {
    /// By number; nothing where one went.
    entries: Vec<Option<Entry>>,
    /// Numbers that are free.
    free: Vec<u32>,
    by_id: HashMap<String, u32>,
    /// Numbers by key, unordered.
    postings: Vec<Vec<u32>>,
}

/// Two listings and what the matcher says of them.
#[derive(Clone, Debug)]
pub struct Found {
    /// The Kalshi market.
    pub kalshi: String,
    /// The Polymarket market.
    pub polymarket: String,
    /// What is said of them, Kalshi first.
    pub judgement: Judgement,
}

/// The index.
#[derive(Debug)]
pub struct Index {
    matcher: Matcher,
    keys: HashMap<String, u32>,
    sides: [Side; 2],
}

fn place(venue: Venue) -> usize {
    match venue {
        Venue::Kalshi => 0,
        Venue::Polymarket => 1,
    }
}

impl Index {
    /// An empty index.
    #[must_use]
    pub fn new(matcher: Matcher) -> Index {
        Index { matcher, keys: HashMap::new(), sides: [Side::default(), Side::default()] }
    }

    /// The matcher.
    #[must_use]
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// Number of listings of both venues.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sides.iter().map(|side| side.by_id.len()).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a listing, or replaces what was known of it. One without a meaning is forgotten.
    pub fn put(&mut self, listing: Listing) {
        let at = place(listing.venue);
        if !unfit(&listing).is_empty() {
            self.remove(listing.venue, &listing.id);
            return;
        }
        let claim = Claim::of(&listing, self.matcher.aliases(), None);
        self.insert(at, listing, claim);
    }

    /// As [`Index::put`] of one after the other; their texts are taken apart on `threads` threads.
    pub fn put_all(&mut self, listings: Vec<Listing>, threads: usize) {
        let (fit, without): (Vec<Listing>, Vec<Listing>) =
            listings.into_iter().partition(|listing| unfit(listing).is_empty());
        for listing in without {
            self.remove(listing.venue, &listing.id);
        }
        let share = fit.len().div_ceil(threads.max(1)).max(1);
        let matcher = &self.matcher;
        let claims: Vec<Claim> = std::thread::scope(|scope| {
            let parts: Vec<_> = fit
                .chunks(share)
                .map(|part| {
                    let read = |listing| Claim::of(listing, matcher.aliases(), None);
                    scope.spawn(move || part.iter().map(read).collect::<Vec<_>>())
                })
                .collect();
            let join = |part: std::thread::ScopedJoinHandle<'_, Vec<Claim>>| {
                part.join().unwrap_or_else(|why| std::panic::resume_unwind(why))
            };
            parts.into_iter().flat_map(join).collect()
        });
        for (listing, claim) in fit.into_iter().zip(claims) {
            let at = place(listing.venue);
            self.insert(at, listing, claim);
        }
    }

    fn insert(&mut self, at: usize, listing: Listing, claim: Claim) {
        let mut keys: Vec<u32> = keys_of(&listing, &claim)
            .into_iter()
            .map(|key| {
                let next = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
                *self.keys.entry(key).or_insert(next)
            })
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let side = &mut self.sides[at];
        // What is known already keeps its number, and what it is found by is mostly the same: lists
        // of a hundred thousand are not searched for nothing.
        let known = side.by_id.get(&listing.id).copied();
        let before = known.and_then(|number| side.entries[number as usize].take());
        let before = before.map_or_else(Vec::new, |entry| entry.keys);
        let number = known.or_else(|| side.free.pop()).unwrap_or_else(|| {
            side.entries.push(None);
            u32::try_from(side.entries.len() - 1).unwrap_or(u32::MAX)
        });
        for key in before.iter().filter(|key| keys.binary_search(key).is_err()) {
            side.unlist(*key, number);
        }
        for key in keys.iter().filter(|key| before.binary_search(key).is_err()) {
            let key = *key as usize;
            if side.postings.len() <= key {
                side.postings.resize_with(key + 1, Vec::new);
            }
            side.postings[key].push(number);
        }
        side.by_id.insert(listing.id.clone(), number);
        side.entries[number as usize] = Some(Entry { listing, claim, keys });
    }

    /// Forgets a listing.
    pub fn remove(&mut self, venue: Venue, id: &str) {
        let side = &mut self.sides[place(venue)];
        let Some(number) = side.by_id.remove(id) else { return };
        let Some(entry) = side.entries[number as usize].take() else { return };
        for key in &entry.keys {
            side.unlist(*key, number);
        }
        side.free.push(number);
    }

    /// The listing of an id.
    #[must_use]
    pub fn get(&self, venue: Venue, id: &str) -> Option<&Listing> {
        let side = &self.sides[place(venue)];
        let number = side.by_id.get(id)?;
        side.entries[*number as usize].as_ref().map(|entry| &entry.listing)
    }

    /// The listings of the other venue that are one contract with this one.
    #[must_use]
    pub fn matches(&self, venue: Venue, id: &str) -> Vec<Found> {
        let mut scratch = Scratch::default();
        self.equals(venue, id, &mut scratch)
    }

    /// The likest listings of the other venue, judged: equal ones first. For study and for review.
    #[must_use]
    pub fn look_alikes(&self, venue: Venue, id: &str) -> Vec<Found> {
        let mut scratch = Scratch::default();
        let mut found = self.found(venue, id, &mut scratch, false);
        found.sort_by_key(|f| {
            (!f.judgement.equality.equal, std::cmp::Reverse(f.judgement.equality.score))
        });
        found
    }

    /// Every pair of one contract, found from Kalshi's side on `threads` threads; in the order of
    /// Kalshi's numbers.
    #[must_use]
    pub fn all_matches(&self, threads: usize) -> Vec<Found> {
        let entries = self.sides[0].entries.iter().flatten();
        let markets: Vec<(Venue, &str)> =
            entries.map(|entry| (Venue::Kalshi, entry.listing.id.as_str())).collect();
        self.matches_of(&markets, threads).into_iter().flatten().collect()
    }

    /// What [`Index::matches`] says of each of these markets, searched on `threads` threads.
    #[must_use]
    pub fn matches_of(&self, markets: &[(Venue, &str)], threads: usize) -> Vec<Vec<Found>> {
        let share = markets.len().div_ceil(threads.max(1)).max(1);
        std::thread::scope(|scope| {
            let parts: Vec<_> = markets
                .chunks(share)
                .map(|part| {
                    scope.spawn(move || {
                        let mut scratch = Scratch::default();
                        let find =
                            |(venue, id): &(Venue, &str)| self.equals(*venue, id, &mut scratch);
                        part.iter().map(find).collect::<Vec<_>>()
                    })
                })
                .collect();
            let join = |part: std::thread::ScopedJoinHandle<'_, Vec<Vec<Found>>>| {
                // A search that failed is a fault of this program, and not an empty answer.
                part.join().unwrap_or_else(|why| std::panic::resume_unwind(why))
            };
            parts.into_iter().flat_map(join).collect()
        })
    }

    /// The equal ones. A name with another letter in it is a slip of the pen only where neither side
    /// has the name itself.
    fn equals(&self, venue: Venue, id: &str, scratch: &mut Scratch) -> Vec<Found> {
        let mut found = self.found(venue, id, scratch, true);
        let slip = |f: &Found| f.judgement.compared.iter().any(|field| field.field == "spelling");
        let named = found.iter().any(|f| !slip(f));
        found.retain(|f| {
            let other = match venue {
                Venue::Kalshi => (Venue::Polymarket, &f.polymarket),
                Venue::Polymarket => (Venue::Kalshi, &f.kalshi),
            };
            !slip(f)
                || !(named || self.found(other.0, other.1, scratch, true).iter().any(|o| !slip(o)))
        });
        found
    }

    fn found(&self, venue: Venue, id: &str, scratch: &mut Scratch, equal: bool) -> Vec<Found> {
        let at = place(venue);
        let known = self.sides[at].by_id.get(id).map(|number| *number as usize);
        let Some(entry) = known.and_then(|n| self.sides[at].entries[n].as_ref()) else {
            return Vec::new();
        };
        let other = &self.sides[1 - at];
        let mut found = Vec::new();
        for number in other.candidates(&entry.keys, scratch) {
            let Some(candidate) = &other.entries[number as usize] else { continue };
            let (kalshi, polymarket) =
                if at == 0 { (entry, candidate) } else { (candidate, entry) };
            let listings = [&kalshi.listing, &polymarket.listing];
            let claims = [&kalshi.claim, &polymarket.claim];
            if equal && !self.may_equal(number, [entry, candidate], scratch) {
                continue;
            }
            let judgement = self.matcher.judge_claims(listings, claims);
            if equal && !judgement.equality.equal {
                continue;
            }
            found.push(Found {
                kalshi: kalshi.listing.id.clone(),
                polymarket: polymarket.listing.id.clone(),
                judgement,
            });
        }
        found
    }
}

/// Claims that one search may keep: a little more than the markets of a day's games.
const HINTED_MAX: usize = 8_192;

/// Memory of one search, used again by the next.
#[derive(Debug, Default)]
struct Scratch {
    scores: Vec<u32>,
    touched: Vec<u32>,
    /// Claims by venue and number that were read again with a league of the other venue: the markets
    /// of one game find the same candidates one after the other.
    hinted: HashMap<(Venue, u32), (String, Claim)>,
}

impl Index {
    /// The quick look at the candidate with this number.
    fn may_equal(&self, number: u32, [own, other]: [&Entry; 2], scratch: &mut Scratch) -> bool {
        let listings = [&own.listing, &other.listing];
        let aliases = self.matcher.aliases();
        match (&own.claim.league, &other.claim.league) {
            (Some(league), None) => {
                let read = || Claim::of(&other.listing, aliases, Some(league));
                if scratch.hinted.len() >= HINTED_MAX {
                    scratch.hinted.clear();
                }
                let key = (other.listing.venue, number);
                let kept = scratch.hinted.entry(key).or_insert_with(|| (league.clone(), read()));
                if kept.0 != *league {
                    *kept = (league.clone(), read());
                }
                may_equal_hinted(listings, [&own.claim, &kept.1])
            }
            _ => self.matcher.may_equal(listings, [&own.claim, &other.claim]),
        }
    }
}

impl Side {
    /// Takes a market out of the list of a key.
    fn unlist(&mut self, key: u32, number: u32) {
        if let Some(list) = self.postings.get_mut(key as usize)
            && let Some(at) = list.iter().position(|other| *other == number)
        {
            list.swap_remove(at);
        }
    }

    /// The markets that share most with these keys, the rare ones counting most.
    fn candidates(&self, keys: &[u32], scratch: &mut Scratch) -> Vec<u32> {
        scratch.scores.resize(self.entries.len(), 0);
        let mut lists: Vec<&Vec<u32>> = keys
            .iter()
            .filter_map(|key| self.postings.get(*key as usize))
            .filter(|l| !l.is_empty())
            .collect();
        lists.sort_unstable_by_key(|list| list.len());
        let rare = lists.iter().filter(|list| list.len() <= COMMON).count();
        // Where every key is common the two rarest still block.
        for list in lists.iter().take(rare.max(2)) {
            let weight = idf(self.by_id.len(), list.len());
            for number in *list {
                let score = &mut scratch.scores[*number as usize];
                if *score == 0 {
                    scratch.touched.push(*number);
                }
                *score += weight;
            }
        }
        let mut best: Vec<(u32, u32)> = scratch
            .touched
            .iter()
            .map(|number| (scratch.scores[*number as usize], *number))
            .collect();
        for number in scratch.touched.drain(..) {
            scratch.scores[number as usize] = 0;
        }
        // Common keys decide between those that share the rare ones.
        let order = |a: &(u32, u32), b: &(u32, u32)| b.0.cmp(&a.0).then(a.1.cmp(&b.1));
        if best.len() > 4 * CANDIDATES_MAX {
            best.select_nth_unstable_by(4 * CANDIDATES_MAX, order);
            best.truncate(4 * CANDIDATES_MAX);
        }
        let all = self.by_id.len();
        let weights = keys.iter().filter_map(|key| Some((*key, self.postings.get(*key as usize)?)));
        let weights: Vec<(u32, u32)> =
            weights.map(|(key, list)| (key, idf(all, list.len()))).collect();
        for (score, number) in &mut best {
            let Some(entry) = &self.entries[*number as usize] else { continue };
            *score += common_weight(&weights, &entry.keys);
        }
        best.sort_unstable_by(order);
        best.truncate(CANDIDATES_MAX);
        best.into_iter().map(|(_, number)| number).collect()
    }
}

/// The weights of those keys that stand in both lists; both are ascending.
fn common_weight(weights: &[(u32, u32)], keys: &[u32]) -> u32 {
    let (mut at, mut sum) = (0, 0);
    for (key, weight) in weights {
        while keys.get(at).is_some_and(|other| other < key) {
            at += 1;
        }
        sum += if keys.get(at) == Some(key) { *weight } else { 0 };
    }
    sum
}

/// BM25's weight of a key by how many markets have it, in 1/256 of a doubling. Every key occurs once
/// in a market and titles are alike in length, so that its other terms are constant here.
fn idf(all: usize, with: usize) -> u32 {
    let ratio = ((2 * all + 1) as u64 * 256) / (2 * with + 1) as u64;
    // log2 in fixed point: the whole part, and the next bits as they stand.
    let bits = (ratio + 256).ilog2();
    let fraction = ((ratio + 256) << 8 >> bits) & 255;
    bits.saturating_sub(8) * 256 + u32::try_from(fraction).unwrap_or(0) + 1
}

/// What a market can be found by.
fn keys_of(listing: &Listing, claim: &Claim) -> Vec<String> {
    let mut keys: HashSet<String> = HashSet::new();
    for (class, values) in &claim.slots {
        if matches!(class, Class::Weak | Class::Stop) {
            continue;
        }
        keys.extend(values.iter().map(|value| format!("{}:{value}", class.field())));
    }
    keys.extend(claim.terms.iter().map(|term| format!("w:{}", term.text)));
    for quantity in &claim.quantities {
        let bounds = [quantity.low, quantity.high];
        keys.extend(bounds.into_iter().flatten().map(|bound| format!("n:{}", bound.0)));
    }
    keys.extend(claim.spans.iter().map(|span| format!("d:{}", span.last.0)));
    if let Some(game) = &claim.game {
        let day = game.day.map_or(0, |day| day.0);
        let mut teams = game.teams.clone();
        teams.sort();
        keys.insert(format!("g:{}:{}:{day}", teams[0], teams[1]));
        keys.extend(teams.iter().map(|team| format!("t:{team}")));
        keys.extend(game.line.map(|line| format!("n:{}", line.abs())));
    }
    let texts = [&listing.title, &listing.subtitle, &listing.event_title];
    for token in texts.into_iter().flat_map(|text| tokens(text)) {
        if token.text.len() > 1 && keys.len() < KEYS_MAX {
            keys.insert(format!("w:{}", token.text));
        }
    }
    keys.into_iter().take(KEYS_MAX).collect()
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
