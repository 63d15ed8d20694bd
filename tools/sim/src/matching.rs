//! A book with price-time priority, in YES prices: what the makers of the market model quote and
//! what accounts have resting, in one queue a level.
//!
//! It knows neither money nor accounts. A venue steps through it: [`Book::front`] shows what a
//! taker would meet next, [`Book::hit`] takes from it, so that rules such as self-trade prevention
//! stand between the two. Sizes are in the venue's least unit: 1e-2 contract on Kalshi, 1e-6 share
//! on Polymarket.

use std::collections::{BTreeMap, HashMap, VecDeque};

use engine::units::Px;

use crate::venue::Side;

impl Side {
    /// The side that it trades with.
    #[must_use]
    pub const fn opposite(self) -> Side {
        match self {
            Side::Bid => Side::Ask,
            Side::Ask => Side::Bid,
        }
    }
}

/// Who rests.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Owner {
    /// The makers of the market model.
    Makers,
    /// An account's order, by the number that the venue gave it.
    Order(u64),
}

/// A place in a queue, or what was taken from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resting {
    /// Whose it is.
    pub owner: Owner,
    /// Its YES price: that of a trade with it.
    pub px: Px,
    /// Its size.
    pub size: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    owner: Owner,
    size: u64,
}

/// The queue at one price. Never empty, and no place of it is.
#[derive(Clone, Default, Debug)]
struct Level {
    queue: VecDeque<Place>,
    total: u64,
    makers: u64,
}

/// Both sides of a market.
#[derive(Clone, Default, Debug)]
pub struct Book {
    bids: BTreeMap<u16, Level>,
    asks: BTreeMap<u16, Level>,
    /// Where each order rests.
    places: HashMap<u64, (Side, Px)>,
}

impl Book {
    /// A book without orders.
    pub fn new() -> Book {
        Book::default()
    }

    /// The best price of a side.
    pub fn best(&self, side: Side) -> Option<Px> {
        let e4 = match side {
            Side::Bid => self.bids.last_key_value(),
            Side::Ask => self.asks.first_key_value(),
        };
        e4.and_then(|(e4, _)| Px::new(*e4))
    }

    /// The levels of a side with their sizes, best first.
    pub fn levels(&self, side: Side) -> impl DoubleEndedIterator<Item = (Px, u64)> {
        let (bids, asks) = match side {
            Side::Bid => (Some(self.bids.iter().rev()), None),
            Side::Ask => (None, Some(self.asks.iter())),
        };
        let levels = bids.into_iter().flatten().chain(asks.into_iter().flatten());
        levels.filter_map(|(e4, level)| Some((Px::new(*e4)?, level.total)))
    }

    /// What rests at a price, makers' and accounts' together.
    pub fn size_at(&self, side: Side, px: Px) -> u64 {
        self.side(side).get(&px.e4()).map_or(0, |level| level.total)
    }

    /// What the makers have at a price.
    pub fn makers_at(&self, side: Side, px: Px) -> u64 {
        self.side(side).get(&px.e4()).map_or(0, |level| level.makers)
    }

    /// Everything that a taker on `side` with this limit would meet, in the order of meeting it.
    pub fn facing(&self, side: Side, limit: Px) -> impl Iterator<Item = Resting> {
        let reachable = move |px: Px| match side {
            Side::Bid => px <= limit,
            Side::Ask => px >= limit,
        };
        let resting = self.side(side.opposite());
        self.levels(side.opposite())
            .map(|(px, _)| px)
            .take_while(move |px| reachable(*px))
            .flat_map(move |px| {
                let queue = resting.get(&px.e4()).map(|level| level.queue.iter());
                let place =
                    move |place: &Place| Resting { owner: place.owner, px, size: place.size };
                queue.into_iter().flatten().map(place)
            })
    }

    /// What a taker on `side` with this limit meets next.
    pub fn front(&self, side: Side, limit: Px) -> Option<Resting> {
        self.facing(side, limit).next()
    }

    /// How much a taker on `side` with this limit could take.
    pub fn takeable(&self, side: Side, limit: Px) -> u64 {
        self.facing(side, limit).fold(0, |sum, place| sum.saturating_add(place.size))
    }

    /// Takes up to `size` from the first in the queue that a taker on `side` meets; what was taken.
    pub fn hit(&mut self, side: Side, limit: Px, size: u64) -> Option<Resting> {
        let front = self.front(side, limit)?;
        let taken = front.size.min(size);
        if taken == 0 {
            return None;
        }
        self.shrink(side.opposite(), front.px, 0, front.size - taken);
        Some(Resting { size: taken, ..front })
    }

    /// Takes up to `size` in order of price and time; every queue place that gave something.
    pub fn take(&mut self, side: Side, limit: Px, size: u64) -> Vec<Resting> {
        let mut left = size;
        let mut taken = Vec::new();
        while let Some(fill) = self.hit(side, limit, left) {
            left -= fill.size;
            taken.push(fill);
        }
        taken
    }

    /// Puts an order at the end of a level's queue. The number must be new; no size, no place.
    pub fn rest(&mut self, side: Side, px: Px, size: u64, order: u64) {
        if size > 0 && !self.places.contains_key(&order) {
            self.places.insert(order, (side, px));
            self.append(side, px, Place { owner: Owner::Order(order), size });
        }
    }

    /// What is left of an order.
    pub fn size_of(&self, order: u64) -> Option<u64> {
        let (side, px) = *self.places.get(&order)?;
        let level = self.side(side).get(&px.e4())?;
        level.queue.iter().find(|place| place.owner == Owner::Order(order)).map(|place| place.size)
    }

    /// Takes an order out; what was left of it.
    pub fn cancel(&mut self, order: u64) -> Option<u64> {
        self.reduce(order, 0)
    }

    /// Leaves at most `size` of an order, in its place; what was left of it before.
    pub fn reduce(&mut self, order: u64, size: u64) -> Option<u64> {
        let (side, px) = *self.places.get(&order)?;
        let level = self.side(side).get(&px.e4())?;
        let at = level.queue.iter().position(|place| place.owner == Owner::Order(order))?;
        let before = level.queue.get(at)?.size;
        self.shrink(side, px, at, size.min(before));
        Some(before)
    }

    /// Sets what the makers have at a price. Less leaves from the end of the queue, more joins it.
    pub fn set_makers(&mut self, side: Side, px: Px, size: u64) {
        let mut now = self.makers_at(side, px);
        if now < size {
            self.append(side, px, Place { owner: Owner::Makers, size: size - now });
        }
        while now > size {
            let Some(level) = self.side(side).get(&px.e4()) else { return };
            let mut places = level.queue.iter().enumerate();
            let last = places.rfind(|(_, place)| place.owner == Owner::Makers);
            let Some((at, place)) = last else { return };
            let gone = place.size.min(now - size);
            let left = place.size - gone;
            now -= gone;
            self.shrink(side, px, at, left);
        }
    }

    fn side(&self, side: Side) -> &BTreeMap<u16, Level> {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut BTreeMap<u16, Level> {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    fn append(&mut self, side: Side, px: Px, place: Place) {
        let level = self.side_mut(side).entry(px.e4()).or_default();
        level.total += place.size;
        if place.owner == Owner::Makers {
            level.makers += place.size;
        }
        match level.queue.back_mut() {
            Some(last) if last.owner == Owner::Makers && place.owner == Owner::Makers => {
                last.size += place.size;
            }
            _ => level.queue.push_back(place),
        }
    }

    /// Leaves `size` at a place, which has at least that; nothing left is no place.
    fn shrink(&mut self, side: Side, px: Px, at: usize, size: u64) {
        let levels = self.side_mut(side);
        let Some(level) = levels.get_mut(&px.e4()) else { return };
        let Some(place) = level.queue.get_mut(at) else { return };
        let (owner, gone) = (place.owner, place.size - size);
        place.size = size;
        level.total -= gone;
        if owner == Owner::Makers {
            level.makers -= gone;
        }
        if size > 0 {
            return;
        }
        level.queue.remove(at);
        if level.queue.is_empty() {
            levels.remove(&px.e4());
        }
        if let Owner::Order(order) = owner {
            self.places.remove(&order);
        }
    }
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
