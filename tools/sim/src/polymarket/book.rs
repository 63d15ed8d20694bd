//! One book a market, in prices of the first token; the second token's book is its mirror.
//!
//! At a price rest the makers of the market model, one quantity, and orders of accounts in the
//! order of their arrival. Sizes are millionths of a share; what falls below a hundredth of a share
//! is not shown and cannot rest, so it is dropped.

use std::collections::{BTreeMap, VecDeque};

use engine::fee::bought_for;
use engine::units::{Px, Shares, Usd};

use crate::venue::Side;

/// The least size that a book shows, in millionths of a share.
pub const SHOWN_MIN: u64 = 10_000;

/// Who rests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// The makers of the market model.
    House,
    /// An account's order.
    Order(usize),
}

#[derive(Clone, Debug)]
struct Resting {
    order: usize,
    left: u64,
    /// What of the makers was there before it.
    ahead: u64,
}

#[derive(Clone, Default, Debug)]
struct Level {
    house: u64,
    queue: VecDeque<Resting>,
}

impl Level {
    fn total(&self) -> u64 {
        self.house + self.queue.iter().map(|resting| resting.left).sum::<u64>()
    }

    fn set_house(&mut self, house: u64) {
        self.house = if house < SHOWN_MIN { 0 } else { house };
        for resting in &mut self.queue {
            resting.ahead = resting.ahead.min(self.house);
        }
    }
}

/// How much a taker wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    /// That many millionths of a share.
    Shares(u64),
    /// What that many micro-dollars buy.
    Spend(u64),
}

/// What a taker would get, level by level.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Plan {
    /// Price of the first token, and millionths of a share.
    pub parts: Vec<(Px, u64)>,
    /// Nothing of the order would be left over.
    pub full: bool,
}

/// Bids and asks of the first token.
#[derive(Clone, Default, Debug)]
pub struct Book {
    bids: BTreeMap<u16, Level>,
    asks: BTreeMap<u16, Level>,
}

/// The other side.
pub const fn opposite(side: Side) -> Side {
    match side {
        Side::Bid => Side::Ask,
        Side::Ask => Side::Bid,
    }
}

impl Book {
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

    /// Price and size of a side's levels, the best first.
    pub fn levels(&self, side: Side) -> Vec<(Px, u64)> {
        let level = |(px, level): (&u16, &Level)| Some((Px::new(*px)?, level.total()));
        match side {
            Side::Bid => self.bids.iter().rev().filter_map(level).collect(),
            Side::Ask => self.asks.iter().filter_map(level).collect(),
        }
    }

    /// A side's best price.
    pub fn best(&self, side: Side) -> Option<Px> {
        let key = match side {
            Side::Bid => self.bids.keys().next_back(),
            Side::Ask => self.asks.keys().next(),
        };
        key.and_then(|px| Px::new(*px))
    }

    /// What rests of the makers at a price.
    pub fn house(&self, side: Side, px: Px) -> u64 {
        self.side(side).get(&px.e4()).map_or(0, |level| level.house)
    }

    /// Replaces what rests of the makers at a price.
    pub fn set_house(&mut self, side: Side, px: Px, size: u64) {
        let levels = self.side_mut(side);
        levels.entry(px.e4()).or_default().set_house(size);
        levels.retain(|_, level| level.total() > 0);
    }

    /// Takes away the makers' sizes on `side` that an order of the other side at `px` would cross.
    pub fn pull_house(&mut self, side: Side, px: Px) {
        for (at, level) in self.side_mut(side).iter_mut() {
            let crossed = match side {
                Side::Bid => *at >= px.e4(),
                Side::Ask => *at <= px.e4(),
            };
            if crossed {
                level.set_house(0);
            }
        }
        self.side_mut(side).retain(|_, level| level.total() > 0);
    }

    /// An account's order rests behind all that is there.
    pub fn rest(&mut self, side: Side, px: Px, order: usize, size: u64) {
        let level = self.side_mut(side).entry(px.e4()).or_default();
        level.queue.push_back(Resting { order, left: size, ahead: level.house });
    }

    /// An account's order leaves.
    pub fn remove(&mut self, side: Side, px: Px, order: usize) {
        let levels = self.side_mut(side);
        if let Some(level) = levels.get_mut(&px.e4()) {
            level.queue.retain(|resting| resting.order != order);
        }
        levels.retain(|_, level| level.total() > 0);
    }

    /// What a taker gets that meets `side` up to `limit`; `mirror` where it trades the second
    /// token, so that money buys at one minus the price. Nothing changes.
    pub fn plan(&self, side: Side, limit: Px, mirror: bool, want: Want) -> Plan {
        let mut plan = Plan::default();
        let mut want = want;
        for (px, total) in self.levels(side) {
            let out_of_reach = match side {
                Side::Bid => px < limit,
                Side::Ask => px > limit,
            };
            if out_of_reach {
                break;
            }
            let own = if mirror { px.complement() } else { px };
            let size = match want {
                Want::Shares(left) => left.min(total),
                Want::Spend(left) => affordable(left, own).min(total),
            };
            if size == 0 {
                break;
            }
            plan.parts.push((px, size));
            want = match want {
                Want::Shares(left) => Want::Shares(left - size),
                Want::Spend(left) => Want::Spend(left.saturating_sub(cost(size, own))),
            };
        }
        let own = if mirror { limit.complement() } else { limit };
        plan.full = match want {
            Want::Shares(left) => left < SHOWN_MIN,
            Want::Spend(left) => affordable(left, own) < SHOWN_MIN,
        };
        plan
    }

    /// Takes `size` from a level: those that gave, in the order of their turn.
    pub fn take(&mut self, side: Side, px: Px, size: u64) -> Vec<(Who, u64)> {
        let mut gave = Vec::new();
        let levels = self.side_mut(side);
        let Some(level) = levels.get_mut(&px.e4()) else { return gave };
        let mut want = size;
        while want > 0 {
            let ahead = level.queue.front().map_or(level.house, |front| front.ahead);
            if ahead > 0 {
                let part = ahead.min(want);
                level.house -= part;
                for resting in &mut level.queue {
                    resting.ahead = resting.ahead.saturating_sub(part);
                }
                gave.push((Who::House, part));
                want -= part;
                continue;
            }
            let Some(front) = level.queue.front_mut() else { break };
            let part = front.left.min(want);
            front.left -= part;
            gave.push((Who::Order(front.order), part));
            want -= part;
            if front.left < SHOWN_MIN {
                level.queue.pop_front();
            }
        }
        let house = level.house;
        level.set_house(house);
        levels.retain(|_, level| level.total() > 0);
        gave
    }
}

/// Micro-dollars for a size at a price, by the one rule that rounds.
pub const fn cost(size: u64, px: Px) -> u64 {
    engine::fee::cost_of(Shares::new(size), px).e6() as u64
}

/// Millionths of a share for so many micro-dollars.
fn affordable(micro_usd: u64, px: Px) -> u64 {
    bought_for(Usd::new(i64::try_from(micro_usd).unwrap_or(i64::MAX)), px).e6()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: u64 = 1_000_000;

    fn px(e4: u16) -> Px {
        Px::new(e4).unwrap()
    }

    #[test]
    fn earlier_makers_go_before_an_order_and_later_ones_after_it() {
        let mut book = Book::default();
        book.set_house(Side::Ask, px(5_000), 10 * ONE);
        book.rest(Side::Ask, px(5_000), 7, 5 * ONE);
        book.set_house(Side::Ask, px(5_000), 30 * ONE);
        assert_eq!(
            book.take(Side::Ask, px(5_000), 20 * ONE),
            [(Who::House, 10 * ONE), (Who::Order(7), 5 * ONE), (Who::House, 5 * ONE)]
        );
        assert_eq!(book.levels(Side::Ask), [(px(5_000), 15 * ONE)]);
    }

    #[test]
    fn money_buys_more_where_it_is_cheaper_than_the_limit() {
        let mut book = Book::default();
        book.set_house(Side::Ask, px(6_600), 100 * ONE);
        // polymarket.md section 5.4: 5 dollars at 0.66 are some 7.5757 shares.
        let plan = book.plan(Side::Ask, px(7_000), false, Want::Spend(5 * ONE));
        assert_eq!(plan, Plan { parts: vec![(px(6_600), 7_575_757)], full: true });
        // The second token: asks of it are the bids here.
        let plan = book.plan(Side::Bid, px(1_000), true, Want::Spend(5 * ONE));
        assert_eq!(plan, Plan::default());
        book.set_house(Side::Bid, px(5_000), 4 * ONE);
        let plan = book.plan(Side::Bid, px(4_000), true, Want::Spend(5 * ONE));
        assert_eq!(plan, Plan { parts: vec![(px(5_000), 4 * ONE)], full: false });
    }

    #[test]
    fn what_cannot_be_shown_does_not_rest() {
        let mut book = Book::default();
        book.set_house(Side::Bid, px(3_000), ONE);
        book.rest(Side::Bid, px(3_000), 1, ONE);
        book.take(Side::Bid, px(3_000), 2 * ONE - 9_999);
        assert_eq!(book.levels(Side::Bid), []);
    }
}
