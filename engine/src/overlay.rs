//! What paper orders have already bought of the visible depth, so that it is not offered twice.

use crate::pair::Outcome;
use crate::top::{Levels, MarketId, TOP_LEVELS, Top};
use crate::units::{Px, Qty, Shares, Venue};

/// Prices remembered for each side of a market: the visible ones, and as many that slipped out of
/// sight. A dearer one is forgotten first.
pub const OVERLAY_LEVELS: usize = 2 * TOP_LEVELS;

#[derive(Clone, Copy)]
struct Bought {
    /// YES price, as in a [`Top`].
    px: u16,
    /// Size that the level showed then; 0 for an empty slot.
    shown: u32,
    taken: Shares,
}

const FREE: Bought = Bought { px: 0, shown: 0, taken: Shares::ZERO };

/// By side of a market: NO is bought from the bids, YES from the asks.
#[derive(Clone, Copy)]
struct Market {
    sides: [[Bought; OVERLAY_LEVELS]; 2],
    any: bool,
}

const NONE: Market = Market { sides: [[FREE; OVERLAY_LEVELS]; 2], any: false };

/// What was taken from each market, until the book moves there.
pub struct Overlay {
    markets: [Box<[Market]>; 2],
}

const BIDS: usize = 0;
const ASKS: usize = 1;

impl Overlay {
    /// Nothing taken, for that many markets a venue.
    pub fn new(markets: [usize; 2]) -> Overlay {
        Overlay { markets: markets.map(|n| vec![NONE; n].into_boxed_slice()) }
    }

    /// Takes in a book: where a level shows another size than it did, or is gone, what was taken
    /// there is history. A level beyond the visible ones may still be as it was, and a book of
    /// which nothing is known says nothing.
    pub fn on_top(&mut self, top: &Top) {
        if top.flags & Top::NO_MARKET != 0 || !top.health.is_known() {
            return;
        }
        let Some(market) = self.market_mut(top) else { return };
        if !market.any {
            return;
        }
        let mut any = false;
        for (side, levels) in [(BIDS, top.bids()), (ASKS, top.asks())] {
            for slot in market.sides[side].iter_mut().filter(|slot| slot.shown != 0) {
                if is_as_it_was(slot, side, &levels) {
                    any = true;
                } else {
                    *slot = FREE;
                }
            }
        }
        market.any = any;
    }

    /// Forgets what was taken from a market.
    pub fn forget(&mut self, market: MarketId) {
        let all = &mut self.markets[market.venue().index()];
        if let Some(market) = all.get_mut(market.index()) {
            *market = NONE;
        }
    }

    /// The book without what was taken.
    #[must_use]
    pub fn adjusted(&self, top: &Top) -> Top {
        let mut out = *top;
        let index = top.market.index();
        let market = self.markets[top.market.venue().index()].get(index).filter(|m| m.any);
        if let Some(market) = market {
            out.set_bids(&rest(&market.sides[BIDS], top.bids()));
            out.set_asks(&rest(&market.sides[ASKS], top.asks()));
        }
        out
    }

    /// Remembers that `shares` of `outcome` at its price `px` were taken out of a book.
    pub fn take(&mut self, top: &Top, outcome: Outcome, px: Px, shares: Shares) {
        let (side, yes_px, levels) = match outcome {
            Outcome::Yes => (ASKS, px.e4(), top.asks()),
            Outcome::No => (BIDS, px.complement().e4(), top.bids()),
        };
        let shown = levels.px.iter().zip(levels.qty).find(|(p, _)| **p == yes_px).map(|(_, q)| q);
        let (Some(shown), Some(market)) = (shown, self.market_mut(top)) else { return };
        if shown == 0 {
            return;
        }
        market.any = true;
        let slots = &mut market.sides[side];
        if let Some(slot) = slots.iter_mut().find(|s| s.shown != 0 && s.px == yes_px) {
            slot.taken += shares;
            return;
        }
        let dear = |s: &Bought| match (s.shown, side) {
            (0, _) => u32::MAX,
            (_, ASKS) => u32::from(s.px),
            _ => u32::from(crate::units::PX_ONE - s.px),
        };
        if let Some(slot) = slots.iter_mut().max_by_key(|s| dear(s)) {
            *slot = Bought { px: yes_px, shown, taken: shares };
        }
    }

    fn market_mut(&mut self, top: &Top) -> Option<&mut Market> {
        let venue: Venue = top.market.venue();
        self.markets[venue.index()].get_mut(top.market.index())
    }
}

fn is_as_it_was(slot: &Bought, side: usize, levels: &Levels) -> bool {
    let mut seen = levels.px.iter().zip(levels.qty).filter(|(_, qty)| *qty != 0);
    if let Some((_, qty)) = seen.find(|(px, _)| **px == slot.px) {
        return qty == slot.shown;
    }
    let last = TOP_LEVELS - 1;
    let worst = levels.px[last];
    // Out of sight only where all levels are in use and it is worse than the last of them.
    levels.qty[last] != 0 && if side == ASKS { slot.px > worst } else { slot.px < worst }
}

/// The levels less what was taken of them; emptied ones are closed up.
fn rest(slots: &[Bought; OVERLAY_LEVELS], levels: Levels) -> Levels {
    let mut out = Levels::EMPTY;
    let mut n = 0;
    for (px, qty) in levels.iter() {
        let slot = slots.iter().find(|s| s.shown != 0 && s.px == px.e4());
        let taken = slot.map_or(Shares::ZERO, |s| s.taken);
        let left: Qty = Shares::from(qty).saturating_sub(taken).floor_qty();
        if let (false, Ok(qty)) = (left.is_zero(), u32::try_from(left.e2())) {
            (out.px[n], out.qty[n]) = (px.e4(), qty);
            n += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::{Health, MarketId};

    fn top(bids: &[(u16, u32)], asks: &[(u16, u32)]) -> Top {
        let mut top = Top::unknown(MarketId::new(Venue::Polymarket, 1).unwrap());
        let levels = |list: &[(u16, u32)]| {
            let mut out = Levels::EMPTY;
            for (i, (px, qty)) in list.iter().enumerate() {
                (out.px[i], out.qty[i]) = (*px, *qty);
            }
            out
        };
        top.set_bids(&levels(bids));
        top.set_asks(&levels(asks));
        top.health = Health::Sound;
        top
    }

    /// Levels of a side.
    type Left = Vec<(u16, u64)>;

    fn taken(overlay: &Overlay, top: &Top) -> (Left, Left) {
        let out = overlay.adjusted(top);
        let list = |levels: Levels| levels.iter().map(|(p, q)| (p.e4(), q.e2())).collect();
        (list(out.bids()), list(out.asks()))
    }

    #[test]
    fn what_was_bought_is_not_offered_until_the_level_moves() {
        let book = top(&[(4_500, 900), (4_400, 100)], &[(4_600, 500), (4_700, 200)]);
        let mut overlay = Overlay::new([2, 2]);
        overlay.take(&book, Outcome::Yes, Px::lit(4_600), Shares::new(5_000_000));
        overlay.take(&book, Outcome::No, Px::lit(5_500), Shares::new(1_005_000));
        overlay.take(&book, Outcome::No, Px::lit(5_500), Shares::new(1));
        assert_eq!(
            taken(&overlay, &book),
            (vec![(4_500, 799), (4_400, 100)], vec![(4_700, 200)]),
            "fractions of 0.01 are no longer offered, an emptied level closes up"
        );
        overlay.on_top(&book);
        assert_eq!(taken(&overlay, &book).1, [(4_700, 200)], "an equal book is no move");
        let grown = top(&[(4_500, 900)], &[(4_600, 501), (4_700, 200)]);
        overlay.on_top(&grown);
        assert_eq!(taken(&overlay, &grown), (vec![(4_500, 799)], vec![(4_600, 501), (4_700, 200)]));
        overlay.on_top(&top(&[(4_400, 100)], &[]));
        assert_eq!(taken(&overlay, &book).0, [(4_500, 900), (4_400, 100)], "it went and came back");
    }

    #[test]
    fn out_of_sight_is_not_gone() {
        let book = top(&[], &[(4_600, 500)]);
        let mut overlay = Overlay::new([2, 2]);
        overlay.take(&book, Outcome::Yes, Px::lit(4_600), Shares::new(4_000_000));
        overlay.on_top(&top(&[], &[(4_200, 1), (4_300, 1), (4_400, 1), (4_500, 1)]));
        assert_eq!(taken(&overlay, &book).1, [(4_600, 100)]);
        let mut unknown = top(&[], &[]);
        unknown.health = Health::Gap;
        overlay.on_top(&unknown);
        assert_eq!(taken(&overlay, &book).1, [(4_600, 100)]);
        overlay.on_top(&top(&[], &[(4_200, 1), (4_300, 1), (4_400, 1)]));
        assert_eq!(taken(&overlay, &book).1, [(4_600, 500)], "there was room to show it");
    }

    #[test]
    fn the_table_forgets_the_dearest_first() {
        let mut overlay = Overlay::new([2, 2]);
        for i in 0..=OVERLAY_LEVELS as u16 {
            let book = top(&[], &[(5_000 - i, 500)]);
            overlay.take(&book, Outcome::Yes, Px::lit(5_000 - i), Shares::new(5_000_000));
        }
        let ask = |px| taken(&overlay, &top(&[], &[(px, 500)])).1;
        assert_eq!(ask(5_000), [(5_000, 500)]);
        assert_eq!(ask(4_999), []);
        assert_eq!(ask(4_992), []);
    }
}
