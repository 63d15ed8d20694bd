//! One market's book on one venue, and how makers and takers change it.

use std::collections::BTreeMap;

use super::grid::{self, Bands};
use super::rng::Rng;

/// Prices below this and above its complement are not quoted, in 1e-4 dollar.
const EDGE_E4: u16 = 200;

/// Bids or asks of YES.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Bid,
    Ask,
}

/// One level that changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    pub side: Side,
    /// Price of YES in 1e-4 dollar.
    pub px_e4: u16,
    /// Size before and after, in 1e-2 contract; 0 is no level.
    pub old_e2: u64,
    pub new_e2: u64,
}

/// The book of YES: bids and asks by price. NO is its mirror.
pub struct Ladder {
    pub bids: BTreeMap<u16, u64>,
    pub asks: BTreeMap<u16, u64>,
    bands: Bands,
    /// Levels a side that makers keep.
    depth: usize,
    /// Half of the spread that makers want around the fair value, in 1e-4 dollar.
    half_spread_e4: u16,
    /// Largest gap between levels, in steps.
    gap_max: u64,
    /// True where sizes come in 0.01 contract, and not in whole ones mostly.
    fine: bool,
}

impl Ladder {
    /// An empty book; [`Ladder::move_to`] fills it.
    pub fn new(
        bands: Bands,
        depth: usize,
        half_spread_e4: u16,
        gap_max: u64,
        fine: bool,
    ) -> Ladder {
        Ladder {
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            bands,
            depth,
            half_spread_e4,
            gap_max,
            fine,
        }
    }

    /// The highest bid, in 1e-4 dollar.
    pub fn best_bid(&self) -> Option<u16> {
        self.bids.keys().next_back().copied()
    }

    /// The lowest ask, in 1e-4 dollar.
    pub fn best_ask(&self) -> Option<u16> {
        self.asks.keys().next().copied()
    }

    /// Moves the quotes to `fair_e4`. What would trade goes first, so that the book is never
    /// crossed on the way.
    pub fn move_to(&mut self, fair_e4: u16, rng: &mut Rng) -> Vec<Change> {
        let bid = grid::floor(self.bands, fair_e4 - self.half_spread_e4);
        let ask = grid::ceil(self.bands, fair_e4 + self.half_spread_e4);
        let mut changes = Vec::new();
        while let Some(px) = self.best_ask().filter(|px| *px < ask) {
            changes.push(self.set(Side::Ask, px, 0));
        }
        while let Some(px) = self.best_bid().filter(|px| *px > bid) {
            changes.push(self.set(Side::Bid, px, 0));
        }
        for side in [Side::Bid, Side::Ask] {
            self.refill(side, if side == Side::Bid { bid } else { ask }, rng, &mut changes);
        }
        changes
    }

    /// One level behind the best gets another size, appears or goes.
    pub fn churn(&mut self, rng: &mut Rng) -> Option<Change> {
        let side = if rng.chance(1, 2) { Side::Bid } else { Side::Ask };
        let mut px = self.best(side)?;
        // The best level itself changes its size now and then, and never goes.
        let away = rng.below(self.depth as u64);
        for _ in 0..away {
            px = self.behind(side, px)?;
        }
        let old = self.level(side, px);
        let new = match old {
            0 => self.size(rng, away == 0),
            _ if away > 0 && rng.chance(2, 5) => 0,
            // Part is cancelled, or more is added.
            _ if rng.chance(1, 2) => old.div_ceil(2),
            _ => old + self.size(rng, true),
        };
        (new != old).then(|| self.set(side, px, new))
    }

    /// A taker takes half of the best level or all of it: what changed, and the size in 1e-2
    /// contract. Nothing where the side has one level only.
    pub fn hit(&mut self, side: Side, rng: &mut Rng) -> Option<(Change, u64)> {
        if self.side(side).len() < 2 {
            return None;
        }
        let px = self.best(side)?;
        let old = self.level(side, px);
        let left = if rng.chance(1, 3) { 0 } else { old / 2 };
        Some((self.set(side, px, left), old - left))
    }

    /// A bid one step above the best ask, and then the removal of the asks that it hit.
    pub fn cross(&mut self, rng: &mut Rng) -> Vec<Change> {
        let Some(ask) = self.best_ask() else { return Vec::new() };
        let px = grid::up(self.bands, ask);
        let size = self.size(rng, true);
        let mut changes = vec![self.set(Side::Bid, px, size)];
        while let Some(ask) = self.best_ask().filter(|ask| *ask <= px) {
            changes.push(self.set(Side::Ask, ask, 0));
        }
        changes
    }

    /// Makes `best` the best price of a side whose levels are all at or behind it, and keeps the
    /// depth.
    fn refill(&mut self, side: Side, best: u16, rng: &mut Rng, changes: &mut Vec<Change>) {
        let ahead = |px: u16, of: u16| if side == Side::Bid { px > of } else { px < of };
        let old_best = self.best(side);
        let mut px = Some(best);
        // Ahead of the old best: new levels.
        while let Some(at) = px.filter(|px| old_best.is_some_and(|old| ahead(*px, old))) {
            let size = self.size(rng, at == best);
            changes.push(self.set(side, at, size));
            px = self.further(side, at, rng);
        }
        // Behind: as many as are missing, or too many.
        let mut worst = match side {
            Side::Bid => self.bids.keys().next().copied(),
            Side::Ask => self.asks.keys().next_back().copied(),
        };
        if worst.is_none() {
            let size = self.size(rng, true);
            changes.push(self.set(side, best, size));
            worst = Some(best);
        }
        while self.side(side).len() < self.depth {
            let Some(at) = worst.and_then(|px| self.further(side, px, rng)) else { break };
            let size = self.size(rng, false);
            changes.push(self.set(side, at, size));
            worst = Some(at);
        }
        // Churn may add levels; twice the depth is where makers tidy up.
        while self.side(side).len() > 2 * self.depth {
            let out = match side {
                Side::Bid => self.bids.keys().next().copied(),
                Side::Ask => self.asks.keys().next_back().copied(),
            };
            let Some(out) = out else { break };
            changes.push(self.set(side, out, 0));
        }
    }

    fn set(&mut self, side: Side, px_e4: u16, new_e2: u64) -> Change {
        let levels = match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        };
        let old = if new_e2 == 0 { levels.remove(&px_e4) } else { levels.insert(px_e4, new_e2) };
        Change { side, px_e4, old_e2: old.unwrap_or(0), new_e2 }
    }

    fn side(&self, side: Side) -> &BTreeMap<u16, u64> {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }

    fn best(&self, side: Side) -> Option<u16> {
        match side {
            Side::Bid => self.best_bid(),
            Side::Ask => self.best_ask(),
        }
    }

    fn level(&self, side: Side, px_e4: u16) -> u64 {
        self.side(side).get(&px_e4).copied().unwrap_or(0)
    }

    /// The next price of the grid away from the other side, inside of the quoted range.
    fn behind(&self, side: Side, px_e4: u16) -> Option<u16> {
        let px = match side {
            Side::Bid => grid::down(self.bands, px_e4),
            Side::Ask => grid::up(self.bands, px_e4),
        };
        (EDGE_E4..=10_000 - EDGE_E4).contains(&px).then_some(px)
    }

    /// Some steps behind.
    fn further(&self, side: Side, px_e4: u16, rng: &mut Rng) -> Option<u16> {
        let mut px = px_e4;
        for _ in 0..=rng.below(self.gap_max) {
            px = self.behind(side, px)?;
        }
        Some(px)
    }

    /// A size in 1e-2 contract; thinner at the best price.
    fn size(&self, rng: &mut Rng, best: bool) -> u64 {
        let whole = 5 + rng.below(if best { 400 } else { 3_000 });
        let cents = match (self.fine, rng.chance(1, 12)) {
            (true, false) | (false, true) => rng.below(100),
            _ => 0,
        };
        whole * 100 + cents
    }
}
