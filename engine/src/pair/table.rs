//! All pairs of a process, and which of them a market belongs to.

use core::fmt;

use super::{Listing, MULTIPLIER_E6_MAX, PAIRS_MAX, Pair, PairId, Verdict};
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
    /// By pair: the place of the first one of its event, which may be gone; [`PairTable::END`]
    /// where no pair is.
    events: Vec<u16>,
    /// How many more pairs may join.
    reserve: usize,
    /// Places of markets by side, those among them that nobody had yet.
    room: [usize; 2],
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
        let room = [first[0].len(), first[1].len()];
        Ok(PairTable { pairs, first, next, events, reserve: 0, room })
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
        self.room = [0, 1].map(|side: usize| self.first[side].len() + reserve);
        Ok(self)
    }

    /// Takes the memory of all pairs that may still join: a copy of a table has none of it.
    pub(crate) fn lay_out(&mut self) {
        self.pairs.reserve_exact(self.reserve);
        self.next.reserve_exact(self.reserve);
        self.events.reserve_exact(self.reserve);
        self.first.iter_mut().for_each(|heads| heads.reserve_exact(self.reserve));
    }

    /// Takes in a pair that joins, without its names; false where its place is not free or not the
    /// next one, or where a market is not the one that its side must be.
    pub fn list(&mut self, listing: &Listing) -> bool {
        let number = listing.pair.index();
        let is_next = number == self.pairs.len() && self.reserve > 0;
        // Who names the event may not have heard yet that the last pair of it has left.
        let event = listing.event.index();
        let has_event = event < self.pairs.len() || event == number;
        let sides = Venue::ALL.into_iter().zip(&listing.sides);
        let fits = sides.clone().all(|(venue, side)| {
            side.market.venue() == venue && side.market.index() < self.room[venue.index()]
        });
        if !(is_next || self.is_free(listing.pair)) || !has_event || !fits {
            return false;
        }
        if is_next {
            self.reserve -= 1;
            self.pairs.push(listing.to_pair());
            self.next.push([PairTable::END; 2]);
            self.events.push(listing.event.0);
        } else {
            self.pairs[number].succeed(listing);
            self.events[number] = listing.event.0;
        }
        for (side, instrument) in listing.sides.iter().enumerate() {
            let index = instrument.market.index();
            let heads = &mut self.first[side];
            if heads.len() <= index {
                heads.resize(index + 1, PairTable::END);
            }
            // At the end of its chain, which runs through the pairs as they came.
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

    /// Says that a pair may not be traded any more; false where that was said before, or where no
    /// pair is.
    pub fn stop(&mut self, id: PairId) -> bool {
        let stops = self.is_live(id) && self.pairs[id.index()].verdict != Verdict::Blocked;
        if stops {
            self.pairs[id.index()].verdict = Verdict::Blocked;
        }
        stops
    }

    /// Takes a pair out, so that another may have its place; false where no pair is. Its names stay
    /// until then.
    pub fn leave(&mut self, id: PairId) -> bool {
        if !self.is_live(id) {
            return false;
        }
        let number = id.index();
        for side in 0..2 {
            let after = core::mem::replace(&mut self.next[number][side], PairTable::END);
            let head = &mut self.first[side][self.pairs[number].sides[side].market.index()];
            let mut at = *head;
            if at == id.0 {
                *head = after;
            }
            while let Some(next) = self.next.get_mut(usize::from(at)) {
                at = next[side];
                if at == id.0 {
                    next[side] = after;
                }
            }
        }
        self.pairs[number].verdict = Verdict::Blocked;
        self.events[number] = PairTable::END;
        true
    }

    /// True where a pair is, and has not left.
    pub fn is_live(&self, id: PairId) -> bool {
        self.events.get(id.index()).is_some_and(|event| *event != PairTable::END)
    }

    /// True where a pair was, and nothing is counted in its place any more: an event outlives its
    /// first pair.
    fn is_free(&self, id: PairId) -> bool {
        id.index() < self.pairs.len() && !self.is_live(id) && !self.events.contains(&id.0)
    }

    /// The pairs that have not left, in the order of their places.
    pub fn live(&self) -> impl Iterator<Item = (PairId, &Pair)> {
        let all = (0..).map(PairId).zip(&self.pairs);
        all.filter(|(id, _)| self.is_live(*id))
    }

    /// The place of the next pair that joins; `None` where there is none left.
    pub fn vacant(&self) -> Option<PairId> {
        let next = PairId(self.pairs.len() as u16);
        let left = (0..next.0).map(PairId).find(|id| self.is_free(*id));
        left.or((self.reserve > 0).then_some(next))
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
    pub fn markets(&self, side: usize) -> usize {
        self.room[side]
    }

    /// The place at which an event of that name is counted.
    pub fn event_named(&self, name: &str) -> Option<PairId> {
        let (id, _) = self.live().find(|(_, pair)| pair.event.as_deref() == Some(name))?;
        Some(self.first_of_event(id))
    }

    /// The pairs in the order of their places, and what was last in places that are free; see
    /// [`PairTable::live`].
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// The pair of that number.
    pub fn get(&self, id: PairId) -> Option<&Pair> {
        self.pairs.get(id.index())
    }

    /// The pairs that a market belongs to, in the order in which they came.
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

    /// The place of the first pair of the event that a pair belongs to; its own where it names none.
    pub fn first_of_event(&self, id: PairId) -> PairId {
        let first = self.events.get(id.index()).filter(|first| **first != PairTable::END);
        first.map_or(id, |first| PairId(*first))
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
#[path = "table_tests.rs"]
mod tests;
