//! Which prices a market knows.

/// Bands of (start, end, step) in 1e-4 dollar, ascending and adjoining.
pub type Bands = [(u16, u16, u16)];

/// The highest price of the grid at or below `e4`.
pub fn floor(bands: &Bands, e4: u16) -> u16 {
    let Some(&(start, _, step)) = bands.iter().rev().find(|band| e4 >= band.0) else { return 0 };
    start + (e4 - start) / step * step
}

/// The lowest price of the grid at or above `e4`.
pub fn ceil(bands: &Bands, e4: u16) -> u16 {
    let below = floor(bands, e4);
    if below == e4 { e4 } else { up(bands, below) }
}

/// The next price above one of the grid; the end of the grid stays.
pub fn up(bands: &Bands, e4: u16) -> u16 {
    e4 + bands.iter().find(|band| e4 < band.1).map_or(0, |band| band.2)
}

/// The next price below one of the grid; 0 stays.
pub fn down(bands: &Bands, e4: u16) -> u16 {
    e4 - bands.iter().rev().find(|band| e4 > band.0).map_or(0, |band| band.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_change_at_the_bands() {
        let bands = [(0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10)];
        assert_eq!((floor(&bands, 999), ceil(&bands, 991)), (990, 1_000));
        assert_eq!((up(&bands, 1_000), down(&bands, 1_000)), (1_100, 990));
        assert_eq!((up(&bands, 9_000), down(&bands, 9_000)), (9_010, 8_900));
        assert_eq!((up(&bands, 10_000), down(&bands, 0)), (10_000, 0));
    }
}
