//! One instrument's order book: two arrays indexed by price step, with occupancy bitmaps.
//!
//! Best, next, set and clear cost a few instructions and no search, whatever the depth. Memory
//! comes in three size classes, laid out at start ([`crate::slab`]).

use core::fmt;

use crate::grid::Grid;
use crate::top::{Levels, TOP_LEVELS};
use crate::units::{Px, Qty};

/// Which side of a book.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Side {
    /// Offers to buy.
    Bid = 0,
    /// Offers to sell.
    Ask = 1,
}

/// Why a change was not applied. The book is as it was; the venue and we disagree about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BookError {
    /// The price is not on the market's grid: a grid change raced us, or the message lies.
    OffGrid(Px),
    /// A change would leave less than nothing at the level.
    Negative(Px),
    /// A size above [`Qty::MAX`].
    TooLarge(Px),
}

impl fmt::Display for BookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BookError::OffGrid(px) => write!(f, "price {px} is off the market's grid"),
            BookError::Negative(px) => write!(f, "the level at {px} would become negative"),
            BookError::TooLarge(px) => write!(f, "the level at {px} would exceed {}", Qty::MAX),
        }
    }
}

/// One side of a book over `N` price steps, with `W` occupancy words of 64 steps and `S`
/// words that say which of those are not empty.
#[derive(Clone)]
struct Ladder<const N: usize, const W: usize, const S: usize> {
    summary: [u64; S],
    occupied: [u64; W],
    qty: [u64; N],
}

impl<const N: usize, const W: usize, const S: usize> Ladder<N, W, S> {
    const EMPTY: Self = {
        assert!(N <= W * 64 && N + 64 > W * 64 && W <= S * 64);
        Ladder { summary: [0; S], occupied: [0; W], qty: [0; N] }
    };

    #[inline(always)]
    fn set(&mut self, step: usize, qty: u64) {
        self.qty[step] = qty;
        let (word, bit) = (step / 64, 1u64 << (step % 64));
        if qty != 0 {
            self.occupied[word] |= bit;
            self.summary[word / 64] |= 1 << (word % 64);
        } else {
            self.occupied[word] &= !bit;
            if self.occupied[word] == 0 {
                self.summary[word / 64] &= !(1 << (word % 64));
            }
        }
    }

    fn clear(&mut self) {
        // Only what is occupied is touched: a slab that was never used stays cold.
        for s in 0..S {
            let mut words = self.summary[s];
            while words != 0 {
                let word = s * 64 + words.trailing_zeros() as usize;
                let mut bits = self.occupied[word];
                while bits != 0 {
                    self.qty[word * 64 + bits.trailing_zeros() as usize] = 0;
                    bits &= bits - 1;
                }
                self.occupied[word] = 0;
                words &= words - 1;
            }
            self.summary[s] = 0;
        }
    }

    #[inline]
    fn highest(&self) -> Option<usize> {
        for s in (0..S).rev() {
            if let Some(at) = self.summary[s].checked_ilog2() {
                let word = (s * 64 + at as usize) % W;
                return Some(word * 64 + (63 - (self.occupied[word] | 1).leading_zeros() as usize));
            }
        }
        None
    }

    #[inline]
    fn lowest(&self) -> Option<usize> {
        for s in 0..S {
            if self.summary[s] != 0 {
                let word = (s * 64 + self.summary[s].trailing_zeros() as usize) % W;
                return Some(word * 64 + (self.occupied[word].trailing_zeros() as usize) % 64);
            }
        }
        None
    }

    /// The occupied steps from the highest down.
    #[inline]
    fn descend(&self) -> impl Iterator<Item = usize> + '_ {
        let mut next = self.highest();
        core::iter::from_fn(move || {
            let at = next?;
            next = self.below(at);
            Some(at)
        })
    }

    /// The occupied steps from the lowest up.
    #[inline]
    fn ascend(&self) -> impl Iterator<Item = usize> + '_ {
        let mut next = self.lowest();
        core::iter::from_fn(move || {
            let at = next?;
            next = self.above(at);
            Some(at)
        })
    }

    #[inline]
    fn below(&self, step: usize) -> Option<usize> {
        let word = step / 64;
        let rest = self.occupied[word] & ((1u64 << (step % 64)) - 1);
        if let Some(at) = rest.checked_ilog2() {
            return Some(word * 64 + at as usize);
        }
        let mut s = word / 64;
        let mut words = self.summary[s] & ((1u64 << (word % 64)) - 1);
        loop {
            if let Some(at) = words.checked_ilog2() {
                let word = (s * 64 + at as usize) % W;
                return Some(word * 64 + (63 - (self.occupied[word] | 1).leading_zeros() as usize));
            }
            s = s.checked_sub(1)?;
            words = self.summary[s];
        }
    }

    #[inline]
    fn above(&self, step: usize) -> Option<usize> {
        let word = step / 64;
        let rest = self.occupied[word] & (!1u64).wrapping_shl(step as u32 % 64);
        if rest != 0 {
            return Some(word * 64 + rest.trailing_zeros() as usize);
        }
        let mut s = word / 64;
        let mut words = self.summary[s] & (!1u64).wrapping_shl(word as u32 % 64);
        loop {
            if words != 0 {
                let word = (s * 64 + words.trailing_zeros() as usize) % W;
                return Some(word * 64 + (self.occupied[word].trailing_zeros() as usize) % 64);
            }
            s += 1;
            if s == S {
                return None;
            }
            words = self.summary[s];
        }
    }
}

#[cold]
fn out_of_range(px: Px, sum: u64) -> BookError {
    if sum > i64::MAX as u64 { BookError::Negative(px) } else { BookError::TooLarge(px) }
}

/// A book of one size class.
#[derive(Clone)]
pub(crate) struct Sized<const N: usize, const W: usize, const S: usize> {
    grid: Grid,
    bids: Ladder<N, W, S>,
    asks: Ladder<N, W, S>,
}

/// What every size class can do; the slab picks the class once per call.
///
/// Every method is generated for each class, so the array bounds are constants.
impl<const N: usize, const W: usize, const S: usize> Sized<N, W, S> {
    pub(crate) fn new() -> Self {
        Sized { grid: Grid::CENT, bids: Ladder::EMPTY, asks: Ladder::EMPTY }
    }

    pub(crate) fn reset(&mut self, grid: &Grid) {
        assert!(grid.steps() <= N, "the slab picked a class too small for the grid");
        self.clear();
        self.grid = *grid;
    }

    pub(crate) fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    pub(crate) fn grid(&self) -> &Grid {
        &self.grid
    }

    #[inline]
    fn ladder(&self, side: Side) -> &Ladder<N, W, S> {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }

    #[inline]
    fn ladder_mut(&mut self, side: Side) -> &mut Ladder<N, W, S> {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    #[inline(always)]
    fn step(&self, px: Px) -> Result<usize, BookError> {
        match self.grid.step_of(px) {
            Some(step) if step < N => Ok(step),
            _ => Err(BookError::OffGrid(px)),
        }
    }

    #[inline(always)]
    pub(crate) fn set(&mut self, side: Side, px: Px, qty: Qty) -> Result<(), BookError> {
        let step = self.step(px)?;
        self.ladder_mut(side).set(step, qty.e2());
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, side: Side, px: Px, delta_e2: i64) -> Result<Qty, BookError> {
        let step = self.step(px)?;
        let ladder = self.ladder_mut(side);
        // Sizes and changes are far below 2^63, so a negative sum wraps to beyond every size.
        let sum = ladder.qty[step].wrapping_add_signed(delta_e2);
        let Some(total) = Qty::new(sum) else { return Err(out_of_range(px, sum)) };
        ladder.set(step, sum);
        Ok(total)
    }

    #[inline]
    pub(crate) fn best(&self, side: Side) -> Option<Px> {
        let ladder = self.ladder(side);
        let step = match side {
            Side::Bid => ladder.highest(),
            Side::Ask => ladder.lowest(),
        };
        step.map(|step| self.grid.px_of(step))
    }

    /// The best [`TOP_LEVELS`] levels of a side.
    #[inline]
    pub(crate) fn top(&self, side: Side) -> Levels {
        let ladder = self.ladder(side);
        let mut levels = Levels::EMPTY;
        let mut put = |at: usize, step: usize| {
            levels.px[at] = self.grid.px_of(step).e4();
            levels.qty[at] = u32::try_from(ladder.qty[step % N]).unwrap_or(u32::MAX);
        };
        match side {
            Side::Bid => ladder.descend().take(TOP_LEVELS).enumerate().for_each(|(i, s)| put(i, s)),
            Side::Ask => ladder.ascend().take(TOP_LEVELS).enumerate().for_each(|(i, s)| put(i, s)),
        }
        levels
    }

    /// Every level of a side, prices ascending. For digests and audits, not for the hot path.
    pub(crate) fn levels(&self, side: Side) -> Vec<(Px, Qty)> {
        let ladder = self.ladder(side);
        ladder.ascend().map(|s| (self.grid.px_of(s), Qty::lit(ladder.qty[s]))).collect()
    }
}
