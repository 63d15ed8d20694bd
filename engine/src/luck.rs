//! How sure and how fast the orders of each venue were, and which leg should leave first.

use crate::pair::{Instrument, LegOrder};
use crate::units::Ns;

/// Orders of each venue that must have been seen before anything is concluded.
const ENOUGH: u32 = 24;
/// Old orders count half as much after so many new ones.
const HALVED_AT: u32 = 128;
/// One venue is clearly less certain where so many more of a thousand of its orders miss.
const CLEARLY: u32 = 150;
/// One venue is clearly slower where it answers so many times later than the other,
const SLOWER: u64 = 4;
/// and so much later at least.
const SLOWER_BY: Ns = Ns::from_ms(100);

/// What was measured of one venue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Luck {
    sent: u32,
    filled: u32,
    /// Orders in a row that the venue refused.
    refused: u32,
    /// From the decision to the venue's first answer, smoothed.
    ack: Ns,
}

impl Luck {
    /// An order that left ended.
    pub fn note(&mut self, filled: bool) {
        self.sent += 1;
        self.filled += u32::from(filled);
        if self.sent >= HALVED_AT {
            (self.sent, self.filled) = (self.sent / 2, self.filled / 2);
        }
    }

    /// The venue refused an order.
    pub fn refused(&mut self) {
        self.note(false);
        self.refused = self.refused.saturating_add(1);
    }

    /// The venue took an order.
    pub const fn works(&mut self) {
        self.refused = 0;
    }

    /// A venue answered an order for the first time.
    pub fn answered(&mut self, after: Ns) {
        self.works();
        self.ack = match self.ack {
            Ns(0) => after,
            Ns(before) => Ns(before - before / 8 + after.0 / 8),
        };
    }

    /// How many of a thousand orders came to nothing.
    fn misses(&self) -> u32 {
        (self.sent - self.filled) * 1_000 / self.sent.max(1)
    }
}

/// Which leg leaves first under `order`; never [`LegOrder::Auto`].
///
/// Where a venue holds takers back, its order is slow and may come to nothing: it goes first. So
/// does that of the venue whose orders clearly missed more often, or were clearly answered later,
/// and that of a venue which refused its last order: what it refuses again leaves nothing alone.
/// A leg that waits for the other loses some of its own chances, so that without a clear reason
/// both leave at once.
pub fn first(order: LegOrder, lucks: &[Luck; 2], terms: &[Instrument; 2]) -> LegOrder {
    if order != LegOrder::Auto {
        return order;
    }
    let of = |side: usize| if side == 0 { LegOrder::First } else { LegOrder::Second };
    let delays = terms.map(|side| side.taker_delay);
    if delays[0] != delays[1] {
        return of(usize::from(delays[1] > delays[0]));
    }
    let refused = lucks.map(|luck| luck.refused);
    if refused[0] != refused[1] {
        return of(usize::from(refused[1] > refused[0]));
    }
    if lucks.iter().any(|luck| luck.sent < ENOUGH) {
        return LegOrder::Both;
    }
    let misses = [lucks[0].misses(), lucks[1].misses()];
    if misses[0].abs_diff(misses[1]) >= CLEARLY {
        return of(usize::from(misses[1] > misses[0]));
    }
    for side in [0, 1] {
        let (slow, fast) = (lucks[side].ack, lucks[1 - side].ack);
        if slow.0 >= fast.0.saturating_mul(SLOWER) && slow.since(fast) >= SLOWER_BY {
            return of(side);
        }
    }
    LegOrder::Both
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::pair;
    use crate::pair::Polarity;

    fn luck(sent: u32, filled: u32, ack_ms: u64) -> Luck {
        Luck { sent, filled, ack: Ns::from_ms(ack_ms), refused: 0 }
    }

    #[test]
    fn the_slower_or_less_certain_leg_goes_first_where_that_is_clear() {
        let terms = pair("a", 0, 0, Polarity::Same).sides;
        let of = |lucks: [Luck; 2]| first(LegOrder::Auto, &lucks, &terms);
        assert_eq!(of([luck(100, 90, 5), luck(100, 80, 9)]), LegOrder::Both);
        assert_eq!(of([luck(100, 90, 5), luck(100, 75, 9)]), LegOrder::Second);
        assert_eq!(of([luck(100, 60, 5), luck(100, 75, 9)]), LegOrder::First);
        assert_eq!(of([luck(23, 0, 5), luck(100, 75, 9)]), LegOrder::Both, "too few");
        assert_eq!(of([luck(100, 90, 5), luck(100, 90, 105)]), LegOrder::Second);
        assert_eq!(of([luck(100, 90, 40), luck(100, 90, 139)]), LegOrder::Both, "not by so much");
        let mut held = terms;
        held[1].taker_delay = Ns::from_ms(250);
        let none = [Luck::default(); 2];
        assert_eq!(first(LegOrder::Auto, &none, &held), LegOrder::Second);
        for said in [LegOrder::Both, LegOrder::First, LegOrder::Second] {
            assert_eq!(first(said, &[luck(100, 1, 1), luck(100, 99, 1)], &held), said);
            assert_eq!(LegOrder::from_name(said.name()), Some(said));
        }
    }

    #[test]
    fn a_venue_that_refused_its_last_order_goes_first_until_it_takes_one() {
        let terms = pair("a", 0, 0, Polarity::Same).sides;
        let mut lucks = [Luck::default(); 2];
        lucks[0].answered(Ns(5));
        lucks[1].refused();
        assert_eq!(first(LegOrder::Auto, &lucks, &terms), LegOrder::Second);
        lucks[0].refused();
        assert_eq!(first(LegOrder::Auto, &lucks, &terms), LegOrder::Both, "nobody knows which");
        lucks[0].refused();
        assert_eq!(first(LegOrder::Auto, &lucks, &terms), LegOrder::First);
        lucks.iter_mut().for_each(|luck| luck.answered(Ns(5)));
        assert_eq!(first(LegOrder::Auto, &lucks, &terms), LegOrder::Both);
    }

    #[test]
    fn old_orders_fade() {
        let mut it = Luck::default();
        (0..1_000).for_each(|_| it.note(false));
        (0..300).for_each(|_| it.note(true));
        assert!(it.misses() < 250, "{it:?}");
        it.answered(Ns(800));
        it.answered(Ns(1_600));
        assert_eq!(it.ack, Ns(900));
    }
}
