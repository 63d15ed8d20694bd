//! What is at stake: positions at their cost, and what orders under way may still cost; by pair,
//! event and venue, and in all.

use crate::event::Risk;
use crate::pair::{Listing, Outcome, PairId, PairTable, Polarity};
use crate::risk::limits::{Cap, RiskLimits};
use crate::units::{PX_ONE, Px, Qty, Shares, Usd, Venue};

/// Contracts and money.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stake {
    /// Contracts of both outcomes and both venues.
    pub qty: Shares,
    /// What they cost without fees, or may still cost.
    pub notional: Usd,
}

impl Stake {
    fn add(&mut self, other: Stake) {
        self.qty += other.qty;
        self.notional += other.notional;
    }

    fn take(&mut self, other: Stake) {
        self.qty = self.qty.saturating_sub(other.qty);
        self.notional = (self.notional - other.notional).max(Usd::ZERO);
    }

    /// What of it goes with `qty`, by its share; the money rounded down, so that none is forgotten.
    fn part(&self, qty: Shares) -> Stake {
        let qty = qty.min(self.qty);
        if qty == self.qty {
            return *self;
        }
        let exact =
            i128::from(self.notional.e6()) * i128::from(qty.e6()) / i128::from(self.qty.e6());
        Stake { qty, notional: Usd::new(i64::try_from(exact).unwrap_or(i64::MAX)) }
    }

    /// Asked of what is left, not of the sum, which might not fit its type.
    #[inline]
    fn fits(&self, more: Stake, cap: &Cap) -> bool {
        // Neither a cap nor what is at stake is ever negative.
        let left = cap.notional.e6() - self.notional.e6();
        self.qty <= cap.qty
            && more.qty.e6() <= cap.qty.e6() - self.qty.e6()
            && more.notional.e6() <= left
    }

    /// Adds what both fit below a cap, so that no sum of it can leave its type.
    #[inline]
    fn add_capped(&mut self, more: Stake) {
        self.qty = Shares::new(self.qty.e6() + more.qty.e6());
        self.notional = Usd::new(self.notional.e6() + more.notional.e6());
    }
}

/// How much one more leg may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// Contracts.
    pub qty: Qty,
    /// Money.
    pub notional: Usd,
    /// Which cap leaves the least money, and which the fewest contracts.
    pub by: [Risk; 2],
}

/// One pair's part.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    event: u16,
    /// What a contract of each leg pays together at worst, and how the outcomes map.
    worst: u16,
    is_inverted: bool,
    /// By side and outcome.
    held: [[Stake; 2]; 2],
    /// By leg of the bundle under way, with its side.
    flying: [(u8, Stake); 2],
    sum: Stake,
}

impl Row {
    fn new(event: PairId, worst: Px, polarity: Polarity) -> Row {
        let is_inverted = polarity == Polarity::Inverted;
        Row { event: event.0, worst: worst.e4(), is_inverted, ..Row::default() }
    }

    /// What would be lost if the pair paid its worst: all that it cost, less a dollar for both
    /// outcomes of one market, and less the worst for contracts that hedge each other across the
    /// venues. Orders under way pay nothing yet.
    fn void_loss(&self) -> Usd {
        let [first, second] = &self.held;
        let boxed = second[0].qty.min(second[1].qty);
        let across = |yes: usize| {
            let answer = if self.is_inverted { yes } else { 1 - yes };
            first[yes].qty.min(second[answer].qty.saturating_sub(boxed))
        };
        let pays = |shares: Shares, each: u16| {
            i128::from(shares.e6()) * i128::from(each) / i128::from(PX_ONE)
        };
        let back = pays(boxed, PX_ONE) + pays(across(0) + across(1), self.worst);
        let lost = i128::from(self.sum.notional.e6()) - back;
        Usd::new(i64::try_from(lost.max(0)).unwrap_or(i64::MAX))
    }
}

/// Bytes that a pair takes.
pub(super) const ROW_BYTES: usize = size_of::<Row>() + size_of::<Stake>();

/// What is at stake.
#[derive(Clone, Debug)]
pub struct Exposure {
    rows: Box<[Row]>,
    events: Box<[Stake]>,
    venues: [Stake; 2],
    total: Stake,
}

impl Exposure {
    /// Nothing is at stake. Pairs without an event are one each.
    pub fn new(table: &PairTable) -> Exposure {
        let rows = (0..table.slots()).map(|at| {
            let place = PairId(at as u16);
            let (worst, polarity) = table
                .get(place)
                .map_or((Px::ZERO, Polarity::Same), |pair| (pair.worst_payoff, pair.polarity));
            Row::new(table.first_of_event(place), worst, polarity)
        });
        Exposure {
            rows: rows.collect(),
            events: vec![Stake::default(); table.slots()].into(),
            venues: [Stake::default(); 2],
            total: Stake::default(),
        }
    }

    /// A pair joins an event, with nothing at stake.
    pub fn list(&mut self, listing: &Listing) {
        self.leave(listing.pair);
        if let Some(row) = self.rows.get_mut(listing.pair.index()) {
            *row = Row::new(listing.event, listing.worst_payoff, listing.polarity);
        }
    }

    /// What hedged contracts of a pair, and orders under way, would lose if it paid its worst.
    pub fn void_loss(&self, pair: PairId) -> Usd {
        self.rows.get(pair.index()).map_or(Usd::ZERO, Row::void_loss)
    }

    /// How many more contracts of each leg a pair may have before its worst payment loses more than
    /// the cap. Both legs cost a dollar together at most, or they were not bought.
    fn void_room(&self, pair: PairId, cap: Usd) -> Shares {
        let Some(row) = self.rows.get(pair.index()) else { return Shares::ZERO };
        let each = i128::from(PX_ONE.saturating_sub(row.worst));
        let left = i128::from((cap - row.void_loss()).e6().max(0));
        let most = (left * i128::from(PX_ONE)).checked_div(each);
        let most = most.and_then(|most| u64::try_from(most).ok()).unwrap_or(Cap::NONE.qty.e6());
        Shares::new(most.min(Cap::NONE.qty.e6()))
    }

    /// Which outcome at the second venue pays when `first` does not at the first one.
    pub(super) fn answer(&self, pair: PairId, first: Outcome) -> Outcome {
        let is_inverted = self.rows.get(pair.index()).is_some_and(|row| row.is_inverted);
        if is_inverted { first } else { first.opposite() }
    }

    /// What a pair has at stake.
    pub fn pair(&self, pair: PairId) -> Stake {
        self.rows.get(pair.index()).map_or_else(Stake::default, |row| row.sum)
    }

    /// What all pairs of a pair's event have.
    pub fn event(&self, pair: PairId) -> Stake {
        let row = self.rows.get(pair.index());
        row.and_then(|row| self.events.get(usize::from(row.event))).copied().unwrap_or_default()
    }

    /// What a venue has.
    pub const fn venue(&self, venue: Venue) -> Stake {
        self.venues[venue.index()]
    }

    /// What is at stake in all.
    pub const fn total(&self) -> Stake {
        self.total
    }

    /// How much each leg of a new bundle of that pair may have, whose legs are on these sides.
    pub fn room(&self, pair: PairId, sides: [usize; 2], limits: &RiskLimits) -> Room {
        let same = u64::from(sides[0] == sides[1]) + 1;
        let mut room = Room {
            qty: floor(limits.order.qty),
            notional: limits.order.notional,
            by: [Risk::Order; 2],
        };
        let mut within = |stake: Stake, cap: &Cap, legs: u64, risk: Risk| {
            let qty = floor(Shares::new(cap.qty.saturating_sub(stake.qty).e6() / legs));
            let left = (cap.notional - stake.notional).e6().max(0) / legs as i64;
            if left < room.notional.e6() {
                (room.notional, room.by[0]) = (Usd::new(left), risk);
            }
            if qty < room.qty {
                (room.qty, room.by[1]) = (qty, risk);
            }
        };
        within(self.pair(pair), &limits.pair, 2, Risk::Pair);
        within(self.event(pair), &limits.event, 2, Risk::Event);
        for side in [sides[0], sides[1]] {
            within(self.venues[side], &limits.venue[side], same, Risk::Venue);
        }
        within(self.total, &limits.total, 2, Risk::Total);
        // Both outcomes of one market pay a dollar whatever becomes of it.
        if sides[0] != sides[1] {
            let qty = floor(self.void_room(pair, limits.void_loss));
            if qty < room.qty {
                (room.qty, room.by[1]) = (qty, Risk::Void);
            }
        }
        room
    }

    /// Orders leave for a venue where the caps leave room for all of them: all that they may cost
    /// is at stake until they end. By leg, each below the cap of an order; a leg of nothing is none.
    ///
    /// # Errors
    /// The cap that does not.
    #[inline(always)] // an order waits for it
    pub fn board(
        &mut self,
        pair: PairId,
        side: usize,
        legs: [Stake; 2],
        limits: &RiskLimits,
    ) -> Result<(), Risk> {
        // In place, and every row looked up once.
        let Some(row) = self.rows.get_mut(pair.index()) else { return Err(Risk::Pair) };
        let Some(event) = self.events.get_mut(usize::from(row.event)) else {
            return Err(Risk::Event);
        };
        let (venue, total) = (&mut self.venues[side], &mut self.total);
        let mut more = legs[0];
        more.add_capped(legs[1]);
        if !row.sum.fits(more, &limits.pair) {
            return Err(Risk::Pair);
        }
        if !event.fits(more, &limits.event) {
            return Err(Risk::Event);
        }
        if !venue.fits(more, &limits.venue[side]) {
            return Err(Risk::Venue);
        }
        if !total.fits(more, &limits.total) {
            return Err(Risk::Total);
        }
        for ((flies, flying), leg) in row.flying.iter_mut().zip(legs) {
            if leg.qty > Shares::ZERO {
                *flies = side as u8;
                flying.add_capped(leg);
            }
        }
        [&mut row.sum, event, venue, total].into_iter().for_each(|sum| sum.add_capped(more));
        Ok(())
    }

    /// An order leaves: all that it may cost is at stake until it ends.
    pub fn fly(&mut self, pair: PairId, leg: usize, side: usize, stake: Stake) {
        let Some((row, leg)) =
            self.rows.get_mut(pair.index()).filter(|_| leg < 2).map(|r| (r, leg))
        else {
            return;
        };
        row.flying[leg].0 = side as u8;
        row.flying[leg].1.add(stake);
        self.grow(pair, side, stake);
    }

    /// An order filled: what it bought is held, at its cost. `nets` is true where opposite
    /// outcomes cancel out at once.
    pub fn fill(&mut self, pair: PairId, leg: usize, at: Place, bought: Stake, nets: bool) {
        let Place { side, outcome } = at;
        let Some(row) = self.rows.get_mut(pair.index()) else { return };
        let mut freed = Stake::default();
        // A late fill of an order before this one may be of the other venue.
        let its = row.flying.get_mut(leg).filter(|(flies, _)| usize::from(*flies) == side);
        if let Some((_, flying)) = its {
            // A better price frees money with its contracts only when the order ends.
            freed = Stake {
                qty: flying.qty.min(bought.qty),
                notional: flying.notional.min(bought.notional),
            };
            flying.take(freed);
        }
        let mut held = bought;
        if nets {
            let opposite = &mut row.held[side][outcome.opposite() as usize];
            let closed = opposite.part(bought.qty);
            opposite.take(closed);
            held.take(held.part(closed.qty));
            freed.add(closed);
        }
        row.held[side][outcome as usize].add(held);
        self.shrink(pair, side, freed);
        self.grow(pair, side, held);
    }

    /// An order ended: what it did not spend is free.
    pub fn land(&mut self, pair: PairId, leg: usize) {
        let Some((side, stake)) =
            self.rows.get_mut(pair.index()).and_then(|r| r.flying.get_mut(leg))
        else {
            return;
        };
        let (side, stake) = (usize::from(*side), core::mem::take(stake));
        self.shrink(pair, side, stake);
    }

    /// Contracts were sold, merged, or taken back.
    pub fn close(&mut self, pair: PairId, at: Place, qty: Shares) {
        let Some(row) = self.rows.get_mut(pair.index()) else { return };
        let held = &mut row.held[at.side][at.outcome as usize];
        let gone = held.part(qty);
        held.take(gone);
        self.shrink(pair, at.side, gone);
    }

    /// A pair's market on this side paid out: nothing of it is at stake any more.
    pub fn settle(&mut self, pair: PairId, side: usize) {
        let Some(row) = self.rows.get_mut(pair.index()) else { return };
        let [yes, no] = core::mem::take(&mut row.held[side]);
        self.shrink(pair, side, yes);
        self.shrink(pair, side, no);
    }

    /// A pair is gone: nothing of it is at stake any more.
    pub fn leave(&mut self, pair: PairId) {
        (0..2).for_each(|leg| self.land(pair, leg));
        (0..2).for_each(|side| self.settle(pair, side));
    }

    /// A position that was there before.
    pub fn begin_with(&mut self, pair: PairId, at: Place, held: Stake) {
        if let Some(row) = self.rows.get_mut(pair.index()) {
            row.held[at.side][at.outcome as usize].add(held);
            self.grow(pair, at.side, held);
        }
    }

    fn grow(&mut self, pair: PairId, side: usize, stake: Stake) {
        let row = &mut self.rows[pair.index()];
        row.sum.add(stake);
        self.events[usize::from(row.event)].add(stake);
        self.venues[side].add(stake);
        self.total.add(stake);
    }

    fn shrink(&mut self, pair: PairId, side: usize, stake: Stake) {
        let row = &mut self.rows[pair.index()];
        row.sum.take(stake);
        self.events[usize::from(row.event)].take(stake);
        self.venues[side].take(stake);
        self.total.take(stake);
    }
}

/// Where contracts are held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// 0 for the first venue, 1 for the second.
    pub side: usize,
    /// Of which outcome.
    pub outcome: Outcome,
}

fn floor(shares: Shares) -> Qty {
    Qty::new(shares.floor_qty().e2()).unwrap_or(Qty::MAX)
}
