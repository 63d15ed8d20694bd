//! What makers want to rest in one market of one venue.

use std::collections::BTreeMap;

use engine::units::{PX_ONE, Px, Qty, Venue};

use super::Floor;
use super::bands::{self, Bands};
use crate::rng::Rng;
use crate::venue::Side;

/// Prices below this and above its complement are not quoted, in 1e-4 dollar.
const EDGE_E4: u16 = 100;
/// Levels a side.
const DEPTH: usize = 10;
/// Half of the spread around the fair value, in 1e-4 dollar.
const HALF_SPREAD_E4: u16 = 40;
/// The least distance of two levels, in 1e-4 dollar.
const GAP_E4: u16 = 30;

/// Sizes by price of the venue's own YES, bids and asks.
pub struct Ladder {
    bands: Vec<(u16, u16, u16)>,
    /// By side: 1e-4 dollar -> what makers want there.
    wanted: [BTreeMap<u16, Qty>; 2],
}

impl Ladder {
    /// Nothing wanted.
    pub fn new(bands: Vec<(u16, u16, u16)>) -> Ladder {
        Ladder { bands, wanted: [BTreeMap::new(), BTreeMap::new()] }
    }

    /// Which prices there are.
    pub fn bands(&self) -> &Bands {
        &self.bands
    }

    /// The best bid and ask around a fair value.
    pub fn best_at(&self, fair: u16) -> (u16, u16) {
        let bid = bands::floor(&self.bands, fair.saturating_sub(HALF_SPREAD_E4).max(EDGE_E4));
        let ask = bands::ceil(&self.bands, (fair + HALF_SPREAD_E4).min(PX_ONE - EDGE_E4));
        (bid, ask)
    }

    /// The best bid and ask of makers that rest; 0 and a dollar where nothing does.
    pub fn best(&self, venue: Venue, market: usize, floor: &dyn Floor) -> (u16, u16) {
        let rests = |side, e4: &&u16| !floor.quoted(venue, market, side, px(**e4)).is_zero();
        let bid = self.wanted[0].keys().rev().find(|e4| rests(Side::Bid, e4));
        let ask = self.wanted[1].keys().find(|e4| rests(Side::Ask, e4));
        (bid.copied().unwrap_or(0), ask.copied().unwrap_or(PX_ONE))
    }

    /// Moves to a fair value and fills what was taken. What would cross goes first.
    pub fn move_to(
        &mut self,
        venue: Venue,
        market: usize,
        fair: u16,
        rng: &mut Rng,
        floor: &mut dyn Floor,
    ) {
        let (bid, ask) = self.best_at(fair);
        for (side, best) in [(Side::Bid, bid), (Side::Ask, ask)] {
            let target = self.target(side, best);
            let gone: Vec<u16> = self.wanted[side as usize]
                .keys()
                .filter(|e4| !target.contains(e4))
                .copied()
                .collect();
            for e4 in gone {
                self.wanted[side as usize].remove(&e4);
                if !floor.quoted(venue, market, side, px(e4)).is_zero() {
                    floor.quote(venue, market, side, px(e4), Qty::ZERO);
                }
            }
        }
        for (side, best) in [(Side::Bid, bid), (Side::Ask, ask)] {
            for (rank, e4) in self.target(side, best).into_iter().enumerate() {
                let wanted =
                    *self.wanted[side as usize].entry(e4).or_insert_with(|| size(venue, rank, rng));
                if floor.quoted(venue, market, side, px(e4)) != wanted {
                    floor.quote(venue, market, side, px(e4), wanted);
                }
            }
        }
    }

    /// Another size for a level behind the best, mostly.
    pub fn churn(&mut self, venue: Venue, market: usize, rng: &mut Rng, floor: &mut dyn Floor) {
        let side = if rng.chance(1, 2) { Side::Bid } else { Side::Ask };
        let rank = rng.below(DEPTH as u64) as usize;
        let levels = &mut self.wanted[side as usize];
        let entry = match side {
            Side::Bid => levels.iter_mut().rev().nth(rank),
            Side::Ask => levels.iter_mut().nth(rank),
        };
        let Some((e4, wanted)) = entry else { return };
        // A level that was taken from is filled by makers, not by chance.
        if floor.quoted(venue, market, side, px(*e4)) == *wanted {
            *wanted = size(venue, rank, rng);
            floor.quote(venue, market, side, px(*e4), *wanted);
        }
    }

    /// True where less rests than makers want.
    pub fn was_hit(&self, venue: Venue, market: usize, floor: &dyn Floor) -> bool {
        [Side::Bid, Side::Ask].into_iter().any(|side| {
            let mut levels = self.wanted[side as usize].iter();
            levels.any(|(e4, wanted)| floor.quoted(venue, market, side, px(*e4)) < *wanted)
        })
    }

    /// Leaves so many thousandths of each level.
    pub fn thin(&self, venue: Venue, market: usize, keep_e3: u64, floor: &mut dyn Floor) {
        for side in [Side::Bid, Side::Ask] {
            for e4 in self.wanted[side as usize].keys() {
                let rests = floor.quoted(venue, market, side, px(*e4));
                // Whole contracts, so that what is left is a size that a venue takes.
                let kept = rests.e2() * keep_e3.min(1_000) / 1_000 / 100 * 100;
                floor.quote(venue, market, side, px(*e4), Qty::new(kept).unwrap_or(rests));
            }
        }
    }

    /// The prices of a side, best first.
    fn target(&self, side: Side, best: u16) -> Vec<u16> {
        let mut prices = Vec::with_capacity(DEPTH);
        let mut e4 = best;
        while prices.len() < DEPTH && (EDGE_E4..=PX_ONE - EDGE_E4).contains(&e4) {
            prices.push(e4);
            let last = e4;
            while e4.abs_diff(last) < GAP_E4 {
                let next = match side {
                    Side::Bid => bands::down(&self.bands, e4),
                    Side::Ask => bands::up(&self.bands, e4),
                };
                if next == e4 {
                    return prices;
                }
                e4 = next;
            }
        }
        prices
    }
}

/// Thinner at the best price; now and then not whole.
fn size(venue: Venue, rank: usize, rng: &mut Rng) -> Qty {
    let whole = match rank {
        0 => rng.between(20, 120),
        1 | 2 => rng.between(60, 400),
        _ => rng.between(100, 2_000),
    };
    let is_fine = match venue {
        Venue::Kalshi => rng.chance(1, 12),
        Venue::Polymarket => rng.chance(2, 3),
    };
    Qty::new(whole * 100 + if is_fine { rng.below(100) } else { 0 }).unwrap_or(Qty::ONE)
}

fn px(e4: u16) -> Px {
    Px::new(e4).unwrap_or(Px::ONE)
}
