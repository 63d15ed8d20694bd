//! The best four levels of one market, in one cache line.

use crate::book::Side;
use crate::units::{Ns, Px, Qty, Venue};

/// Most markets a venue may have in one process.
pub const MARKETS_MAX: usize = 32_768;

/// Levels a side that leave a feed.
pub const TOP_LEVELS: usize = 4;

/// A market of a venue, numbered by the process at start; the venue is its top bit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct MarketId(u16);

const VENUE_BIT: u16 = 1 << 15;
const _: () = assert!(MARKETS_MAX == VENUE_BIT as usize);

impl MarketId {
    /// Market number `index` of a venue, or `None` from [`MARKETS_MAX`] on.
    pub const fn new(venue: Venue, index: usize) -> Option<MarketId> {
        if index < MARKETS_MAX {
            Some(MarketId(index as u16 | ((venue as u16) << 15)))
        } else {
            None
        }
    }

    /// The venue.
    #[inline]
    pub const fn venue(self) -> Venue {
        if self.0 & VENUE_BIT == 0 { Venue::Kalshi } else { Venue::Polymarket }
    }

    /// The number among the venue's markets.
    #[inline]
    pub const fn index(self) -> usize {
        (self.0 & !VENUE_BIT) as usize
    }
}

/// Whether a book may be acted on. Only `Sound` books make an edge.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Health {
    /// Complete, in sequence, bid below ask.
    Sound = 0,
    /// No snapshot since the connection, the subscription or the grid change began.
    AwaitSnapshot = 1,
    /// Something the venue said contradicts it and a fresh snapshot was asked for, or trading in
    /// the market is stopped.
    Stale = 2,
    /// Best bid at or above best ask: real for some milliseconds, never tradable.
    Crossed = 3,
    /// A message of its subscription is missing.
    Gap = 4,
}

impl Health {
    /// True where the levels are a whole book, tradable or not.
    #[inline]
    pub const fn is_known(self) -> bool {
        matches!(self, Health::Sound | Health::Crossed)
    }

    /// The name used in events and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Health::Sound => "sound",
            Health::AwaitSnapshot => "await_snapshot",
            Health::Stale => "stale",
            Health::Crossed => "crossed",
            Health::Gap => "gap",
        }
    }
}

/// One side's levels, best first; a level of size 0 ends the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Levels {
    /// Sizes in 1e-2 contract. A size above 42 million contracts reads as that: a depth is
    /// understated, never overstated.
    pub qty: [u32; TOP_LEVELS],
    /// Prices in 1e-4 dollar.
    pub px: [u16; TOP_LEVELS],
}

impl Levels {
    /// No level.
    pub const EMPTY: Levels = Levels { qty: [0; TOP_LEVELS], px: [0; TOP_LEVELS] };

    /// The levels, best first.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (Px, Qty)> + '_ {
        self.px
            .iter()
            .zip(&self.qty)
            .take_while(|(_, qty)| **qty != 0)
            .map(|(px, qty)| (Px::new(*px).unwrap_or(Px::ONE), Qty::lit(u64::from(*qty))))
    }

    /// The best level.
    #[inline]
    pub fn best(&self) -> Option<(Px, Qty)> {
        self.iter().next()
    }

    /// The same depth seen from the other outcome.
    #[must_use]
    #[inline]
    pub fn mirrored(mut self) -> Levels {
        for px in &mut self.px {
            *px = crate::units::PX_ONE - *px;
        }
        self
    }
}

/// What a feed tells the core of one market, built when a whole frame has been applied.
///
/// Bids and asks are YES prices: YES is bought at the asks, NO at the complement of the bids.
/// Where a venue keeps a book for each token, the bids are the mirror of the NO token's asks, so
/// both outcomes are of one frame and never seen torn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(64))]
pub struct Top {
    /// When the frame that caused it was received; Unix nanoseconds of the feed's clock.
    pub recv: Ns,
    /// Rises by one with each Top of the market; wraps.
    pub generation: u32,
    /// Whose it is.
    pub market: MarketId,
    /// Whether it may be acted on.
    pub health: Health,
    /// The sum of [`Top::LAST_OF_FRAME`], [`Top::NO_MARKET`], [`Top::TORN`] and
    /// [`Top::CONTROL`], each or not.
    pub flags: u8,
    bid_qty: [u32; TOP_LEVELS],
    ask_qty: [u32; TOP_LEVELS],
    bid_px: [u16; TOP_LEVELS],
    ask_px: [u16; TOP_LEVELS],
}

// One cache line, so a market crosses between cores in one transfer.
const _: () = assert!(size_of::<Top>() == 64);

impl Top {
    /// Set on the last message that a frame causes, where the receiver merges feeds in order.
    pub const LAST_OF_FRAME: u8 = 1;
    /// Set on a message that carries no market: a frame that touched no book.
    pub const NO_MARKET: u8 = 2;
    /// Set on a book update whose token books are not of one venue timestamp.
    pub const TORN: u8 = 4;
    /// Set on the last message of a frame that changed rules too: controls of the same feed, up to
    /// [`crate::event::Control::EndOfFrame`], hold before this message does.
    pub const CONTROL: u8 = 8;

    /// A market of which nothing is known yet.
    pub const fn unknown(market: MarketId) -> Top {
        Top {
            recv: Ns(0),
            generation: 0,
            market,
            health: Health::AwaitSnapshot,
            flags: 0,
            bid_qty: [0; TOP_LEVELS],
            ask_qty: [0; TOP_LEVELS],
            bid_px: [0; TOP_LEVELS],
            ask_px: [0; TOP_LEVELS],
        }
    }

    /// A frame of `venue` that touched no book.
    pub const fn empty_frame(venue: Venue, recv: Ns) -> Top {
        let Some(market) = MarketId::new(venue, 0) else { unreachable!() };
        let mut top = Top::unknown(market);
        top.recv = recv;
        top.flags = Top::LAST_OF_FRAME | Top::NO_MARKET;
        top
    }

    /// YES bids, best (highest) first.
    #[inline]
    pub const fn bids(&self) -> Levels {
        Levels { qty: self.bid_qty, px: self.bid_px }
    }

    /// YES asks, best (lowest) first.
    #[inline]
    pub const fn asks(&self) -> Levels {
        Levels { qty: self.ask_qty, px: self.ask_px }
    }

    /// Replaces the bids.
    #[inline]
    pub fn set_bids(&mut self, levels: &Levels) {
        self.bid_qty = levels.qty;
        self.bid_px = levels.px;
    }

    /// Replaces the asks.
    #[inline]
    pub fn set_asks(&mut self, levels: &Levels) {
        self.ask_qty = levels.qty;
        self.ask_px = levels.px;
    }

    /// Takes in that the bids at `px` are now `qty` in total. False where they must be read from
    /// the book again ([`Top::set_bids`]): one of the levels that are shown is gone.
    #[inline]
    #[must_use]
    pub fn change_bids(&mut self, px: Px, qty: Qty) -> bool {
        change(&mut self.bid_px, &mut self.bid_qty, Side::Bid, px, qty)
    }

    /// As [`Top::change_bids`] for the asks.
    #[inline]
    #[must_use]
    pub fn change_asks(&mut self, px: Px, qty: Qty) -> bool {
        change(&mut self.ask_px, &mut self.ask_qty, Side::Ask, px, qty)
    }

    /// The best YES bid's price and size in wire units; size 0 where there is none.
    #[inline]
    pub const fn best_bid_raw(&self) -> (u16, u32) {
        (self.bid_px[0], self.bid_qty[0])
    }

    /// The best YES ask's price and size in wire units; size 0 where there is none.
    #[inline]
    pub const fn best_ask_raw(&self) -> (u16, u32) {
        (self.ask_px[0], self.ask_qty[0])
    }
}

/// Only where a shown level is gone is the next one below unknown.
#[inline(always)]
fn change(
    shown_px: &mut [u16; TOP_LEVELS],
    shown_qty: &mut [u32; TOP_LEVELS],
    side: Side,
    px: Px,
    qty: Qty,
) -> bool {
    let qty = u32::try_from(qty.e2()).unwrap_or(u32::MAX);
    if let Some(shown) = shown_qty.get_mut(lane_of(shown_px, px.e4()))
        && *shown != 0
    {
        if qty != 0 {
            *shown = qty;
        }
        return qty != 0;
    }
    let last = TOP_LEVELS - 1;
    let is_worse = match side {
        Side::Bid => px.e4() < shown_px[last],
        Side::Ask => px.e4() > shown_px[last],
    };
    if qty != 0 && (shown_qty[last] == 0 || !is_worse) {
        insert(shown_px, shown_qty, side, px.e4(), qty);
    }
    true
}

/// Shows a level that is not shown yet, at its place; the last one makes room.
#[inline(never)]
fn insert(
    shown_px: &mut [u16; TOP_LEVELS],
    shown_qty: &mut [u32; TOP_LEVELS],
    side: Side,
    px: u16,
    qty: u32,
) {
    let mut level = (px, qty);
    for (shown_px, shown_qty) in shown_px.iter_mut().zip(shown_qty) {
        let is_better = match side {
            Side::Bid => level.0 > *shown_px,
            Side::Ask => level.0 < *shown_px,
        };
        if *shown_qty == 0 || is_better {
            let shown = (*shown_px, *shown_qty);
            (*shown_px, *shown_qty) = level;
            level = shown;
        }
    }
}

/// The first of the four prices that equals `px`, or a number from 4 on.
#[inline]
fn lane_of(shown: &[u16; TOP_LEVELS], px: u16) -> usize {
    const ONES: u64 = 0x0001_0001_0001_0001;
    const HIGH: u64 = 0x8000_8000_8000_8000;
    let word = shown.iter().rev().fold(0, |word, px| (word << 16) | u64::from(*px));
    let other = word ^ (u64::from(px) * ONES);
    let equal = other.wrapping_sub(ONES) & !other & HIGH;
    equal.trailing_zeros() as usize / 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Grid;
    use crate::slab::Slab;
    use proptest::prelude::*;

    #[test]
    fn a_market_id_keeps_venue_and_number() {
        let id = MarketId::new(Venue::Polymarket, 4_711).unwrap();
        assert_eq!((id.venue(), id.index()), (Venue::Polymarket, 4_711));
        assert_eq!(MarketId::new(Venue::Kalshi, MARKETS_MAX), None);
    }

    proptest! {
        /// Whatever happens to a book, a Top that follows it change by change shows what one
        /// shows that is read from the book each time.
        #[test]
        fn a_top_that_follows_equals_one_that_is_read(
            ops in proptest::collection::vec((any::<bool>(), 0u16..9, 0u64..4), 1..200),
        ) {
            let mut slab = Slab::new([1, 0, 0]);
            let book = slab.take(&Grid::CENT).unwrap();
            let mut top = Top::unknown(MarketId::new(Venue::Kalshi, 0).unwrap());
            for (is_bid, step, size) in ops {
                // Both ends of the price range occur, and a size beyond 32 bits.
                let px = Px::lit([0, 100, 200, 300, 4_000, 4_100, 4_200, 9_900, 10_000][usize::from(step)]);
                let qty = Qty::lit([0, 0, 500, 5_000_000_000][size as usize]);
                let side = if is_bid { Side::Bid } else { Side::Ask };
                slab.set(book, side, px, qty).unwrap();
                let levels = slab.top(book, side);
                let (follows, shown) = match side {
                    Side::Bid => (top.change_bids(px, qty), top.bids()),
                    Side::Ask => (top.change_asks(px, qty), top.asks()),
                };
                if follows {
                    prop_assert_eq!(shown, levels);
                } else {
                    prop_assert_ne!(shown, levels, "it was read in vain");
                    match side {
                        Side::Bid => top.set_bids(&levels),
                        Side::Ask => top.set_asks(&levels),
                    }
                }
            }
        }
    }

    #[test]
    fn levels_end_at_the_first_empty_one() {
        let levels = Levels { qty: [100, 5, 0, 0], px: [4_800, 4_700, 0, 0] };
        let seen: Vec<_> = levels.iter().collect();
        assert_eq!(seen, [(Px::lit(4_800), Qty::lit(100)), (Px::lit(4_700), Qty::lit(5))]);
        assert_eq!(levels.mirrored().best(), Some((Px::lit(5_200), Qty::lit(100))));
        assert_eq!(Levels::EMPTY.best(), None);
    }
}
