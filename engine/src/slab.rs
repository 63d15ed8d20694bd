//! Memory of all books of a feed: three size classes, laid out at start, with a reserve.

use core::fmt;

use crate::book::{BookError, Side, Sized};
use crate::grid::{Grid, STEPS_MAX};
use crate::top::Levels;
use crate::units::{Px, Qty};

/// Price steps of the three size classes: a 1-cent grid, a 0.1-cent grid, a 0.01-cent grid.
/// The smallest holds the 101 cents and a reserve; the three books of a pair with all that the
/// sessions and the core keep of it then take less than 8 KiB.
pub const CLASS_STEPS: [usize; 3] = [104, 1_024, 10_240];
const _: () = assert!(CLASS_STEPS[2] >= STEPS_MAX);

type Small = Sized<104, 2, 1>;
type Medium = Sized<1_024, 16, 1>;
type Large = Sized<10_240, 160, 3>;

/// Bytes that one book of each class occupies.
pub const CLASS_BYTES: [usize; 3] = [size_of::<Small>(), size_of::<Medium>(), size_of::<Large>()];

/// A book in a [`Slab`]: class in the top two bits, place in the rest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BookId(u32);

impl BookId {
    const fn new(class: usize, place: usize) -> BookId {
        BookId(((class as u32) << 30) | place as u32)
    }
    const fn class(self) -> usize {
        (self.0 >> 30) as usize
    }
    const fn place(self) -> usize {
        (self.0 & ((1 << 30) - 1)) as usize
    }
}

/// No book of the class a grid needs is left: the market stays untradable, visibly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReserveEmpty {
    /// Price steps of the class that ran out.
    pub steps: usize,
}

impl fmt::Display for ReserveEmpty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no book of {} price steps is left in the reserve", self.steps)
    }
}

impl core::error::Error for ReserveEmpty {}

/// All books of one feed. Nothing is allocated after [`Slab::new`].
pub struct Slab {
    small: Box<[Small]>,
    medium: Box<[Medium]>,
    large: Box<[Large]>,
    free: [Vec<u32>; 3],
}

/// Calls a method of the class that holds the book. The class is matched once, here.
macro_rules! of_class {
    ($slab:expr, $id:expr, $book:ident => $call:expr) => {
        match $id.class() {
            0 => {
                let $book = &$slab.small[$id.place()];
                $call
            }
            1 => {
                let $book = &$slab.medium[$id.place()];
                $call
            }
            _ => {
                let $book = &$slab.large[$id.place()];
                $call
            }
        }
    };
    (mut $slab:expr, $id:expr, $book:ident => $call:expr) => {
        match $id.class() {
            0 => {
                let $book = &mut $slab.small[$id.place()];
                $call
            }
            1 => {
                let $book = &mut $slab.medium[$id.place()];
                $call
            }
            _ => {
                let $book = &mut $slab.large[$id.place()];
                $call
            }
        }
    };
}

impl Slab {
    /// Room for that many books of each class ([`CLASS_STEPS`]).
    pub fn new(counts: [usize; 3]) -> Slab {
        let free = counts.map(|n| (0..u32::try_from(n).unwrap_or(u32::MAX)).rev().collect());
        Slab {
            small: (0..counts[0]).map(|_| Small::new()).collect(),
            medium: (0..counts[1]).map(|_| Medium::new()).collect(),
            large: (0..counts[2]).map(|_| Large::new()).collect(),
            free,
        }
    }

    /// The class, 0 to 2, of the smallest book that holds a grid.
    pub fn class_of(grid: &Grid) -> usize {
        CLASS_STEPS.iter().position(|steps| grid.steps() <= *steps).unwrap_or(2)
    }

    /// An empty book on that grid.
    pub fn take(&mut self, grid: &Grid) -> Result<BookId, ReserveEmpty> {
        let class = Slab::class_of(grid);
        let place = self.free[class].pop().ok_or(ReserveEmpty { steps: CLASS_STEPS[class] })?;
        let id = BookId::new(class, place as usize);
        of_class!(mut self, id, book => book.reset(grid));
        Ok(id)
    }

    /// Gives a book back to the reserve.
    pub fn give(&mut self, id: BookId) {
        self.free[id.class()].push(id.place() as u32);
    }

    /// Moves a book to another grid, which empties it; on an empty reserve it is left as it was.
    pub fn regrid(&mut self, id: &mut BookId, grid: &Grid) -> Result<(), ReserveEmpty> {
        if Slab::class_of(grid) == id.class() {
            of_class!(mut self, *id, book => book.reset(grid));
        } else {
            let fresh = self.take(grid)?;
            self.give(*id);
            *id = fresh;
        }
        Ok(())
    }

    /// Moves a book to a finer grid and keeps its levels, as a venue does that refines the grid of
    /// an open market; where a level is off the new grid the book ends empty. On an empty reserve
    /// it is left as it was. Allocates: it happens a few times a day.
    pub fn refine(&mut self, id: &mut BookId, grid: &Grid) -> Result<(), ReserveEmpty> {
        let levels = [self.levels(*id, Side::Bid), self.levels(*id, Side::Ask)];
        self.regrid(id, grid)?;
        for (side, levels) in [Side::Bid, Side::Ask].into_iter().zip(levels) {
            for (px, qty) in levels {
                if self.set(*id, side, px, qty).is_err() {
                    self.clear(*id);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Books of each class that are not in use.
    pub fn reserve(&self) -> [usize; 3] {
        [self.free[0].len(), self.free[1].len(), self.free[2].len()]
    }

    /// The book's grid.
    pub fn grid(&self, id: BookId) -> &Grid {
        of_class!(self, id, book => book.grid())
    }

    /// Removes every level.
    pub fn clear(&mut self, id: BookId) {
        of_class!(mut self, id, book => book.clear());
    }

    /// Sets a level to a total size; 0 removes it.
    // Most books are small, and their set is shorter than a call.
    #[inline(always)]
    pub fn set(&mut self, id: BookId, side: Side, px: Px, qty: Qty) -> Result<(), BookError> {
        match self.small.get_mut(id.place()) {
            Some(book) if id.class() == 0 => book.set(side, px, qty),
            _ => self.set_larger(id, side, px, qty),
        }
    }

    #[inline(never)]
    fn set_larger(&mut self, id: BookId, side: Side, px: Px, qty: Qty) -> Result<(), BookError> {
        of_class!(mut self, id, book => book.set(side, px, qty))
    }

    /// Adds to a level, in 1e-2 contract, and says its new total; a level at 0 is removed.
    #[inline(always)]
    pub fn add(&mut self, id: BookId, side: Side, px: Px, delta_e2: i64) -> Result<Qty, BookError> {
        of_class!(mut self, id, book => book.add(side, px, delta_e2))
    }

    /// The best price of a side.
    #[inline]
    pub fn best(&self, id: BookId, side: Side) -> Option<Px> {
        of_class!(self, id, book => book.best(side))
    }

    /// The best four levels of a side.
    #[inline]
    pub fn top(&self, id: BookId, side: Side) -> Levels {
        of_class!(self, id, book => book.top(side))
    }

    /// Every level of a side, prices ascending. Allocates: for digests, audits and tests.
    pub fn levels(&self, id: BookId, side: Side) -> Vec<(Px, Qty)> {
        of_class!(self, id, book => book.levels(side))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug)]
    enum Op {
        Set(Side, u16, u64),
        Add(Side, u16, i64),
        Clear,
    }

    fn op(step: u16) -> impl Strategy<Value = Op> {
        let side = prop_oneof![Just(Side::Bid), Just(Side::Ask)];
        // Prices cluster, so that levels are hit again; a few are off the grid.
        let px = prop_oneof![
            8 => (0u16..=10_000 / step).prop_map(move |s| s * step),
            4 => (0u16..12).prop_map(move |s| s * step),
            1 => 0u16..=10_000,
        ];
        let qty = prop_oneof![2 => Just(0u64), 8 => 1u64..100_000, 1 => Just(5_000_000_000u64)];
        prop_oneof![
            10 => (side.clone(), px.clone(), qty).prop_map(|(s, p, q)| Op::Set(s, p, q)),
            10 => (side, px, -2_000i64..4_000).prop_map(|(s, p, d)| Op::Add(s, p, d)),
            1 => Just(Op::Clear),
        ]
    }

    /// A sorted map: too simple to be wrong.
    #[derive(Default)]
    struct Slow {
        sides: [BTreeMap<u16, u64>; 2],
    }

    fn agree(step: u16, ops: &[Op]) {
        let grid = Grid::uniform(step).unwrap();
        let mut slab = Slab::new([2, 2, 2]);
        let id = slab.take(&grid).unwrap();
        let mut slow = Slow::default();
        for op in ops {
            match *op {
                Op::Set(side, px, qty) => {
                    let fast = slab.set(id, side, Px::lit(px), Qty::lit(qty));
                    if px % step != 0 {
                        assert_eq!(fast, Err(BookError::OffGrid(Px::lit(px))));
                    } else if qty == 0 {
                        slow.sides[side as usize].remove(&px);
                    } else {
                        slow.sides[side as usize].insert(px, qty);
                    }
                }
                Op::Add(side, px, delta) => {
                    let total = slab.add(id, side, Px::lit(px), delta);
                    let fast = total.map(drop);
                    let have = slow.sides[side as usize].get(&px).copied().unwrap_or(0);
                    if let Ok(total) = total {
                        assert_eq!(Some(total.e2()), have.checked_add_signed(delta));
                    }
                    match have.checked_add_signed(delta) {
                        _ if px % step != 0 => {
                            assert_eq!(fast, Err(BookError::OffGrid(Px::lit(px))));
                        }
                        None => assert_eq!(fast, Err(BookError::Negative(Px::lit(px)))),
                        Some(0) => drop(slow.sides[side as usize].remove(&px)),
                        Some(sum) => drop(slow.sides[side as usize].insert(px, sum)),
                    }
                }
                Op::Clear => {
                    slab.clear(id);
                    slow = Slow::default();
                }
            }
            let bids: Vec<_> = slow.sides[0].iter().rev().map(|(p, q)| (*p, *q)).collect();
            let asks: Vec<_> = slow.sides[1].iter().map(|(p, q)| (*p, *q)).collect();
            for (side, want) in [(Side::Bid, &bids), (Side::Ask, &asks)] {
                assert_eq!(slab.best(id, side).map(Px::e4), want.first().map(|l| l.0));
                let top = slab.top(id, side);
                for i in 0..4 {
                    let (px, qty) = want.get(i).copied().unwrap_or((0, 0));
                    let qty = u32::try_from(qty).unwrap_or(u32::MAX);
                    assert_eq!((top.px[i], top.qty[i]), (px, qty), "{side:?} level {i}");
                }
            }
            let all: Vec<_> =
                slab.levels(id, Side::Bid).iter().map(|(p, q)| (p.e4(), q.e2())).collect();
            assert_eq!(all, bids.iter().rev().copied().collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn each_class_agrees_with_a_sorted_map(
            step in prop_oneof![Just(100u16), Just(50), Just(10), Just(25), Just(1)],
            ops in proptest::collection::vec(op(100), 1..120),
            fine in proptest::collection::vec(op(10), 1..60),
            finest in proptest::collection::vec(op(1), 1..60),
        ) {
            agree(step, &ops);
            agree(step, &fine);
            agree(step, &finest);
        }
    }

    #[test]
    fn an_empty_reserve_is_an_answer() {
        let mut slab = Slab::new([1, 1, 0]);
        let mut id = slab.take(&Grid::CENT).unwrap();
        assert_eq!(slab.take(&Grid::CENT), Err(ReserveEmpty { steps: CLASS_STEPS[0] }));
        slab.set(id, Side::Bid, Px::lit(4_700), Qty::ONE).unwrap();
        assert_eq!(slab.regrid(&mut id, &Grid::CENTI_CENT), Err(ReserveEmpty { steps: 10_240 }));
        assert_eq!(slab.best(id, Side::Bid), Some(Px::lit(4_700)), "left as it was");
        slab.regrid(&mut id, &Grid::DECI_CENT).unwrap();
        assert_eq!(slab.best(id, Side::Bid), None, "a new grid begins empty");
        assert_eq!(slab.reserve(), [1, 0, 0], "the old book is free again");
        slab.give(id);
        let again = slab.take(&Grid::DECI_CENT).unwrap();
        assert!(slab.levels(again, Side::Bid).is_empty());
    }

    #[test]
    fn a_pair_fits_its_memory_budget() {
        // One book on the first venue, one for each token on the second.
        assert!(3 * CLASS_BYTES[0] <= 8 * 1_024, "{CLASS_BYTES:?}");
        assert!(3 * CLASS_BYTES[1] <= 64 * 1_024, "{CLASS_BYTES:?}");
    }
}
