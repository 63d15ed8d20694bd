//! All pairs of a process, and which of them a market belongs to.

use core::fmt;

use super::{Listing, MULTIPLIER_E6_MAX, PAIRS_MAX, Pair, PairId};
use crate::top::MarketId;
use crate::units::Venue;

/// Why a pair or a table of pairs is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PairError {
    /// More than [`PAIRS_MAX`] pairs.
    TooMany(usize),
    /// Two pairs of that name.
    Duplicate(String),
    /// The sides of that pair are not Kalshi first and Polymarket second.
    Sides(String),
    /// A fee multiplier, in millionths, above [`MULTIPLIER_E6_MAX`].
    Multiplier(u32),
    /// A fee rate, in millionths, above one.
    Rate(u32),
    /// A fee exponent that is neither 1 nor 2.
    Exponent(u8),
}

impl fmt::Display for PairError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PairError::TooMany(n) => write!(f, "{n} pairs; at most {PAIRS_MAX} fit, split them"),
            PairError::Duplicate(id) => write!(f, "pair id \"{id}\" is used twice; rename one"),
            PairError::Sides(id) => {
                write!(f, "pair \"{id}\": the first side must be Kalshi, the second Polymarket")
            }
            PairError::Multiplier(e6) => {
                write!(f, "fee multiplier {e6}e-6 is above {MULTIPLIER_E6_MAX}e-6; check it")
            }
            PairError::Rate(e6) => write!(f, "fee rate {e6}e-6 is above 1; check it"),
            PairError::Exponent(n) => write!(f, "fee exponent {n} is neither 1 nor 2"),
        }
    }
}

impl std::error::Error for PairError {}

/// All pairs, and which of them a market belongs to.
#[derive(Clone, Debug)]
pub struct PairTable {
    pairs: Vec<Pair>,
    /// By venue and market: its first pair, or [`PairTable::END`].
    first: [Vec<u16>; 2],
    /// By pair and side: the next pair of the same market, or [`PairTable::END`].
    next: Vec<[u16; 2]>,
    /// By pair: the first one of its event.
    events: Vec<u16>,
    /// How many more pairs may join.
    reserve: usize,
}

impl PairTable {
    /// Ends a chain of pairs; no pair has this number.
    pub const END: u16 = PAIRS_MAX as u16;

    /// The table of these pairs, numbered in this order.
    pub fn new(pairs: Vec<Pair>) -> Result<PairTable, PairError> {
        if pairs.len() > PAIRS_MAX {
            return Err(PairError::TooMany(pairs.len()));
        }
        let mut names: Vec<&str> = pairs.iter().map(|p| p.id.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
            return Err(PairError::Duplicate(twice[0].to_owned()));
        }
        let mut first = [Vec::new(), Vec::new()];
        let mut next = vec![[PairTable::END; 2]; pairs.len()];
        // Backwards, so that a chain runs through the pairs of a market in their order.
        for (number, pair) in pairs.iter().enumerate().rev() {
            for (side, venue) in Venue::ALL.into_iter().enumerate() {
                let market = pair.sides[side].market;
                if market.venue() != venue {
                    return Err(PairError::Sides(pair.id.clone()));
                }
                let heads: &mut Vec<u16> = &mut first[side];
                if heads.len() <= market.index() {
                    heads.resize(market.index() + 1, PairTable::END);
                }
                next[number][side] = heads[market.index()];
                heads[market.index()] = number as u16;
            }
        }
        let mut firsts = std::collections::HashMap::new();
        let events = pairs.iter().enumerate().map(|(number, pair)| match &pair.event {
            Some(name) => *firsts.entry(name.as_str()).or_insert(number as u16),
            None => number as u16,
        });
        let events = events.collect();
        Ok(PairTable { pairs, first, next, events, reserve: 0 })
    }

    /// The table with room for that many more pairs, each of which brings one more market of each
    /// venue at most.
    ///
    /// # Errors
    /// More than [`PAIRS_MAX`] pairs.
    pub fn with_reserve(mut self, reserve: usize) -> Result<PairTable, PairError> {
        let slots = self.pairs.len().saturating_add(reserve);
        if slots > PAIRS_MAX {
            return Err(PairError::TooMany(slots));
        }
        self.reserve = reserve;
        Ok(self)
    }

    /// Takes the memory of all pairs that may still join: a copy of a table has none of it.
    pub(crate) fn lay_out(&mut self) {
        self.pairs.reserve_exact(self.reserve);
        self.next.reserve_exact(self.reserve);
        self.events.reserve_exact(self.reserve);
        self.first.iter_mut().for_each(|heads| heads.reserve_exact(self.reserve));
    }

    /// Takes in a pair that joins, without its names; false where it is not the next one, where no
    /// place is left, or where a market is not the one that its side must be.
    pub fn list(&mut self, listing: &Listing) -> bool {
        let number = self.pairs.len();
        let sides = Venue::ALL.into_iter().zip(&listing.sides);
        let fits = sides.clone().all(|(venue, side)| {
            let room = self.first[venue.index()].len() + self.reserve;
            side.market.venue() == venue && side.market.index() < room
        });
        if listing.pair.index() != number
            || listing.event.index() > number
            || self.reserve == 0
            || !fits
        {
            return false;
        }
        self.reserve -= 1;
        self.pairs.push(listing.to_pair());
        self.next.push([PairTable::END; 2]);
        self.events.push(listing.event.0);
        for (side, instrument) in listing.sides.iter().enumerate() {
            let index = instrument.market.index();
            let heads = &mut self.first[side];
            if heads.len() <= index {
                heads.resize(index + 1, PairTable::END);
            }
            // At the end of its chain, which runs through the pairs in their order.
            let mut last = PairTable::END;
            let mut at = heads[index];
            while let Some(next) = self.next.get(usize::from(at)) {
                (last, at) = (at, next[side]);
            }
            match self.next.get_mut(usize::from(last)) {
                Some(next) => next[side] = number as u16,
                None => heads[index] = number as u16,
            }
        }
        true
    }

    /// Gives a pair that joined its names.
    pub fn name(&mut self, id: PairId, name: &str, event: Option<&str>) {
        if let Some(pair) = self.pairs.get_mut(id.index()) {
            pair.id = name.to_owned();
            pair.event = event.map(str::to_owned);
        }
    }

    /// The place of the next pair that joins; `None` where there is none left.
    pub fn vacant(&self) -> Option<PairId> {
        (self.reserve > 0).then_some(PairId(self.pairs.len() as u16))
    }

    /// Places of pairs, those that are free among them.
    pub fn slots(&self) -> usize {
        self.pairs.len() + self.reserve
    }

    /// How many more pairs may join.
    pub const fn reserve(&self) -> usize {
        self.reserve
    }

    /// Places of markets of a side that the pairs need, those that may still join among them.
    pub(crate) fn markets(&self, side: usize) -> usize {
        self.first[side].len() + self.reserve
    }

    /// The first pair of an event of that name.
    pub fn event_named(&self, name: &str) -> Option<PairId> {
        let number = self.pairs.iter().position(|pair| pair.event.as_deref() == Some(name))?;
        Some(PairId(number as u16))
    }

    /// The pairs in the order of their numbers.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// The pair of that number.
    pub fn get(&self, id: PairId) -> Option<&Pair> {
        self.pairs.get(id.index())
    }

    /// The pairs that a market belongs to, in the order of their numbers.
    pub fn pairs_of(&self, market: MarketId) -> impl Iterator<Item = PairId> + '_ {
        let side = market.venue().index();
        let mut at = self.head(market);
        core::iter::from_fn(move || {
            let next = self.next.get(usize::from(at))?;
            let id = PairId(at);
            at = next[side];
            Some(id)
        })
    }

    /// The first pair of the event that a pair belongs to; itself where it names none.
    pub fn first_of_event(&self, id: PairId) -> PairId {
        self.events.get(id.index()).map_or(id, |first| PairId(*first))
    }

    /// The first pair of a market, or [`PairTable::END`].
    pub(crate) fn head(&self, market: MarketId) -> u16 {
        let heads = &self.first[market.venue().index()];
        heads.get(market.index()).copied().unwrap_or(PairTable::END)
    }

    /// The pair after `id` of the same market, by side.
    pub(crate) fn after(&self, id: PairId) -> [u16; 2] {
        self.next[id.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::pair;
    use crate::pair::Polarity;

    #[test]
    fn a_table_refuses_what_it_cannot_tell_apart() {
        let one = pair("a", 0, 0, Polarity::Same);
        let error = PairTable::new(vec![one.clone(), one.clone()]).unwrap_err();
        assert_eq!(error.to_string(), "pair id \"a\" is used twice; rename one");
        let mut swapped = one.clone();
        swapped.sides.reverse();
        assert_eq!(PairTable::new(vec![swapped]).unwrap_err(), PairError::Sides("a".to_owned()));
        let table = PairTable::new(vec![one]).unwrap();
        assert_eq!(table.get(PairId(0)).unwrap().id, "a");
        assert_eq!(table.get(PairId(1)), None);
    }

    #[test]
    fn a_pair_that_joins_stands_where_it_would_have_stood_from_the_start() {
        // One market of several pairs, an event of two, in every order of joining.
        let mut pairs = vec![
            pair("a", 0, 0, Polarity::Same),
            pair("b", 1, 0, Polarity::Inverted),
            pair("c", 0, 1, Polarity::Same),
            pair("d", 2, 2, Polarity::Same),
        ];
        for at in [1, 3] {
            pairs[at].event = Some("e".to_owned());
        }
        let whole = PairTable::new(pairs.clone()).unwrap();
        for known in 1..=pairs.len() {
            let mut table = PairTable::new(pairs[..known].to_vec()).unwrap();
            table = table.with_reserve(pairs.len() - known).unwrap();
            table.lay_out();
            for (number, pair) in pairs.iter().enumerate().skip(known) {
                let event = pair.event.as_deref().and_then(|name| table.event_named(name));
                let id = table.vacant().unwrap();
                let listing = Listing::of(id, event.unwrap_or(id), pair);
                assert!(table.list(&listing), "{known} {number}");
                table.name(id, &pair.id, pair.event.as_deref());
                assert!(!table.list(&listing), "nothing joins twice");
            }
            assert_eq!((table.vacant(), table.slots()), (None, pairs.len()));
            assert_eq!(table.pairs(), whole.pairs());
            for id in (0..4).map(PairId) {
                assert_eq!(table.after(id), whole.after(id), "{known}: {id:?}");
                assert_eq!(table.first_of_event(id), whole.first_of_event(id), "{known}");
            }
            for market in pairs.iter().flat_map(|pair| pair.sides.map(|side| side.market)) {
                assert_eq!(table.head(market), whole.head(market), "{known}");
            }
        }
    }
}
