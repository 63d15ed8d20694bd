//! Which prices a market knows.

/// Prices of a market in 1e-4 dollar: bands of (start, end, step), ascending and adjoining.
pub type Bands = &'static [(u16, u16, u16)];

/// Whole cents.
pub const CENTS: Bands = &[(0, 10_000, 100)];
/// Tenths of a cent.
pub const TENTHS: Bands = &[(0, 10_000, 10)];
/// Tenths of a cent below 10 and above 90 cents, cents between.
pub const BANDED: Bands = &[(0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10)];

/// The highest price of the grid at or below `px_e4`.
pub fn floor(bands: Bands, px_e4: u16) -> u16 {
    let (start, _, step) = *bands.iter().rev().find(|b| px_e4 >= b.0).unwrap_or(&bands[0]);
    start + (px_e4 - start) / step * step
}

/// The lowest price of the grid at or above `px_e4`.
pub fn ceil(bands: Bands, px_e4: u16) -> u16 {
    let below = floor(bands, px_e4);
    if below == px_e4 { px_e4 } else { up(bands, below) }
}

/// The next price above one of the grid.
pub fn up(bands: Bands, px_e4: u16) -> u16 {
    let step = bands.iter().find(|b| px_e4 < b.1).map_or(0, |b| b.2);
    px_e4 + step
}

/// The next price below one of the grid; 0 stays.
pub fn down(bands: Bands, px_e4: u16) -> u16 {
    let step = bands.iter().rev().find(|b| px_e4 > b.0).map_or(0, |b| b.2);
    px_e4 - step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_change_at_the_bands() {
        assert_eq!((floor(BANDED, 999), ceil(BANDED, 999)), (990, 1_000));
        assert_eq!((up(BANDED, 1_000), down(BANDED, 1_000)), (1_100, 990));
        assert_eq!((up(BANDED, 9_000), down(BANDED, 9_000)), (9_010, 8_900));
        assert_eq!((up(BANDED, 990), down(CENTS, 100)), (1_000, 0));
        assert_eq!((floor(CENTS, 4_999), ceil(TENTHS, 4_991)), (4_900, 5_000));
    }
}
