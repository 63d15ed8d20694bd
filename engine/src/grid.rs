//! Which prices a market knows: one step size, or bands with a step each.

use core::fmt;

use crate::units::{PX_ONE, Px};

/// Most bands a grid may have. Kalshi publishes three at most today
/// (kalshi.md section 3, "Price grid"); twice that and a reserve.
pub const BANDS_MAX: usize = 8;

/// Most steps a grid may have: 1e-4 dollar from 0 to 1, both ends included.
pub const STEPS_MAX: usize = PX_ONE as usize + 1;

/// A fixed-point reciprocal of this many bits divides every offset below 2^14 exactly.
const RECIP_BITS: u32 = 31;
// The reciprocal of a step is off by less than one step in 2^31; times the largest offset that
// stays below one unit, so rounding down gives the true quotient.
const _: () = assert!((PX_ONE as u64) * (PX_ONE as u64) < 1 << RECIP_BITS);

/// The prices of a market, as steps counted from its lowest price.
///
/// Every price that a book holds is a YES price of the instrument, so a ladder of NO bids needs
/// no grid of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    bands: [Band; BANDS_MAX],
    len: u8,
    /// One band from 0 to a dollar.
    is_uniform: bool,
    steps: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Band {
    start: u16,
    end: u16,
    step: u16,
    /// Number of the step at `start`.
    first: u16,
    recip: u32,
}

/// Why a list of bands is no grid. All prices in 1e-4 dollar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GridError {
    /// No band at all.
    Empty,
    /// More than [`BANDS_MAX`] bands.
    TooManyBands(usize),
    /// A band ends before it starts, or beyond one dollar.
    Bounds {
        /// Number of the band, from 0.
        band: usize,
    },
    /// A step of zero, or one that does not divide the band.
    Step {
        /// Number of the band, from 0.
        band: usize,
    },
    /// A band does not start where the one before it ends.
    Hole {
        /// Number of the band, from 0.
        band: usize,
    },
}

impl Grid {
    /// Whole cents from 0 to 1 dollar.
    pub const CENT: Grid = Grid::lit(100);
    /// Tenths of a cent from 0 to 1 dollar.
    pub const DECI_CENT: Grid = Grid::lit(10);
    /// Hundredths of a cent, the unit of [`Px`], from 0 to 1 dollar: the finest grid there is.
    pub const CENTI_CENT: Grid = Grid::lit(1);

    /// One step size from 0 to 1 dollar. `step` in 1e-4 dollar.
    pub const fn uniform(step: u16) -> Result<Grid, GridError> {
        if step == 0 || !PX_ONE.is_multiple_of(step) {
            return Err(GridError::Step { band: 0 });
        }
        let mut bands = [Band { start: 0, end: 0, step: 0, first: 0, recip: 0 }; BANDS_MAX];
        bands[0] = Band { start: 0, end: PX_ONE, step, first: 0, recip: recip(step) };
        Ok(Grid { bands, len: 1, is_uniform: true, steps: PX_ONE / step + 1 })
    }

    const fn lit(step: u16) -> Grid {
        match Grid::uniform(step) {
            Ok(grid) => grid,
            Err(_) => panic!("the step does not divide a dollar"),
        }
    }

    /// Bands of (start, end, step) in 1e-4 dollar, ascending and without holes; a price where two
    /// bands meet belongs to both.
    pub fn banded(list: &[(u16, u16, u16)]) -> Result<Grid, GridError> {
        if list.is_empty() {
            return Err(GridError::Empty);
        }
        if list.len() > BANDS_MAX {
            return Err(GridError::TooManyBands(list.len()));
        }
        let mut bands = [Band::default(); BANDS_MAX];
        let mut first = 0;
        let mut expected_start = list[0].0;
        for (band, &(start, end, step)) in list.iter().enumerate() {
            if start >= end || end > PX_ONE {
                return Err(GridError::Bounds { band });
            }
            if start != expected_start {
                return Err(GridError::Hole { band });
            }
            if step == 0 || !(end - start).is_multiple_of(step) {
                return Err(GridError::Step { band });
            }
            bands[band] = Band { start, end, step, first, recip: recip(step) };
            first += (end - start) / step;
            expected_start = end;
        }
        let is_uniform = list.len() == 1 && list[0].0 == 0 && list[0].1 == PX_ONE;
        Ok(Grid { bands, len: list.len() as u8, is_uniform, steps: first + 1 })
    }

    /// Number of prices, both ends included: 2..=[`STEPS_MAX`].
    pub const fn steps(&self) -> usize {
        self.steps as usize
    }

    /// The step of a price, or `None` where the price is off the grid.
    #[inline(always)]
    pub fn step_of(&self, px: Px) -> Option<usize> {
        if !self.is_uniform {
            return self.step_of_band(px);
        }
        // One band from 0 to a dollar, where every price is: nothing to look for.
        let band = &self.bands[0];
        let steps = (u64::from(px.e4()) * u64::from(band.recip)) >> RECIP_BITS;
        (steps * u64::from(band.step) == u64::from(px.e4())).then_some(steps as usize)
    }

    fn step_of_band(&self, px: Px) -> Option<usize> {
        let bands = &self.bands[..self.len as usize];
        let band = bands.iter().find(|band| px.e4() <= band.end)?;
        let offset = u64::from(px.e4().checked_sub(band.start)?);
        let steps = (offset * u64::from(band.recip)) >> RECIP_BITS;
        let on_grid = steps * u64::from(band.step) == offset;
        on_grid.then_some(usize::from(band.first) + steps as usize)
    }

    /// The price of a step. A step beyond the grid reads as its last price.
    #[inline]
    pub fn px_of(&self, step: usize) -> Px {
        if self.is_uniform {
            let e4 = step * usize::from(self.bands[0].step);
            return Px::new(e4.min(usize::from(PX_ONE)) as u16).unwrap_or(Px::ONE);
        }
        let mut at = 0;
        while at + 1 < self.len as usize && step >= usize::from(self.bands[at + 1].first) {
            at += 1;
        }
        let band = &self.bands[at];
        let e4 =
            usize::from(band.start) + (step - usize::from(band.first)) * usize::from(band.step);
        // A step beyond the last band saturates; a book never holds one.
        Px::new(e4.min(usize::from(PX_ONE)) as u16).unwrap_or(Px::ONE)
    }

    /// The largest step.
    pub fn coarsest(&self) -> Px {
        self.bands().filter_map(|(_, _, step)| Px::new(step)).max().unwrap_or(Px::ONE)
    }

    /// The bands as (start, end, step) in 1e-4 dollar.
    pub fn bands(&self) -> impl Iterator<Item = (u16, u16, u16)> + '_ {
        self.bands[..self.len as usize].iter().map(|b| (b.start, b.end, b.step))
    }
}

const fn recip(step: u16) -> u32 {
    ((1u64 << RECIP_BITS).div_ceil(step as u64)) as u32
}

impl fmt::Debug for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.bands()).finish()
    }
}

impl fmt::Display for GridError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            GridError::Empty => write!(f, "a price grid needs at least one band"),
            GridError::TooManyBands(n) => write!(f, "{n} bands, at most {BANDS_MAX} are possible"),
            GridError::Bounds { band } => {
                write!(f, "band {band}: start must be below end, and end at most 1.0000")
            }
            GridError::Step { band } => {
                write!(f, "band {band}: step must be above 0 and divide the band into whole steps")
            }
            GridError::Hole { band } => {
                write!(f, "band {band}: must start where the band before it ends")
            }
        }
    }
}

impl core::error::Error for GridError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The slow twin: every price of the grid, in order.
    fn prices(grid: &Grid) -> Vec<u16> {
        let mut all: Vec<u16> = grid
            .bands()
            .flat_map(|(start, end, step)| (start..=end).step_by(usize::from(step)))
            .collect();
        all.dedup();
        all
    }

    fn check(grid: &Grid) {
        let all = prices(grid);
        assert_eq!(grid.steps(), all.len(), "{grid:?}");
        for e4 in 0..=PX_ONE {
            let want = all.binary_search(&e4).ok();
            assert_eq!(grid.step_of(Px::lit(e4)), want, "{grid:?} at {e4}");
            if let Some(step) = want {
                assert_eq!(grid.px_of(step), Px::lit(e4), "{grid:?} step {step}");
            }
        }
    }

    #[test]
    fn every_step_that_divides_a_dollar() {
        for step in 1..=PX_ONE {
            match Grid::uniform(step) {
                Ok(grid) => check(&grid),
                Err(_) => assert_ne!(PX_ONE % step, 0),
            }
        }
    }

    #[test]
    fn tapered_deci_cent() {
        let grid =
            Grid::banded(&[(0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10)]).unwrap();
        assert_eq!(grid.steps(), 281);
        check(&grid);
    }

    #[test]
    fn impossible_grids_are_refused() {
        assert_eq!(Grid::banded(&[]), Err(GridError::Empty));
        assert_eq!(Grid::banded(&[(0, 10_000, 0)]), Err(GridError::Step { band: 0 }));
        assert_eq!(Grid::banded(&[(0, 10_000, 300)]), Err(GridError::Step { band: 0 }));
        assert_eq!(Grid::banded(&[(5_000, 5_000, 10)]), Err(GridError::Bounds { band: 0 }));
        assert_eq!(Grid::banded(&[(0, 10_001, 1)]), Err(GridError::Bounds { band: 0 }));
        assert_eq!(
            Grid::banded(&[(0, 1_000, 10), (2_000, 10_000, 100)]),
            Err(GridError::Hole { band: 1 })
        );
        assert_eq!(Grid::banded(&[(0, 1, 1); 9]), Err(GridError::TooManyBands(9)));
    }

    proptest! {
        #[test]
        fn random_bands_agree_with_their_list(
            cuts in proptest::collection::vec((1u16..400, 1u16..12), 1..=BANDS_MAX)
        ) {
            let mut start = 0;
            let mut list = Vec::new();
            for (step, count) in cuts {
                let end = start + step * count;
                if end > PX_ONE { break; }
                list.push((start, end, step));
                start = end;
            }
            prop_assume!(!list.is_empty());
            check(&Grid::banded(&list).unwrap());
        }
    }
}
