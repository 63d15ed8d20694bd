//! Which places hold orders that have not ended, and which of the others is taken next. A step of
//! a gate asks several times, and few of the orders that are kept have not ended.

use std::collections::VecDeque;

use super::ORDERS_MAX;

const WORD: usize = u64::BITS as usize;
const _: () = assert!(ORDERS_MAX.is_multiple_of(WORD));

/// The places of the orders.
pub(super) struct Places {
    /// A bit a place whose order has not ended.
    live: [u64; ORDERS_MAX / WORD],
    /// Places whose order has ended, in the order of the ends.
    ended: VecDeque<u16>,
    /// Places that no order had yet are those from here on.
    untouched: usize,
}

impl Places {
    pub(super) fn new() -> Places {
        Places {
            live: [0; ORDERS_MAX / WORD],
            ended: VecDeque::with_capacity(ORDERS_MAX),
            untouched: 0,
        }
    }

    /// Places that an order can have.
    pub(super) fn free(&self) -> usize {
        ORDERS_MAX - self.live().count()
    }

    /// A place for an order: a new one, or that of the order that ended longest ago.
    pub(super) fn take(&mut self) -> Option<usize> {
        let place = if self.untouched < ORDERS_MAX {
            self.untouched += 1;
            self.untouched - 1
        } else {
            usize::from(self.ended.pop_front()?)
        };
        self.live[place / WORD] |= 1 << (place % WORD);
        Some(place)
    }

    /// The order of a place has ended.
    pub(super) fn end(&mut self, place: usize) {
        let bit = 1 << (place % WORD);
        if self.live[place / WORD] & bit != 0 {
            self.live[place / WORD] &= !bit;
            self.ended.push_back(place as u16);
        }
    }

    /// True where the order of a place has not ended.
    pub(super) fn is_live(&self, place: usize) -> bool {
        self.live[place / WORD] & (1 << (place % WORD)) != 0
    }

    /// The places whose orders have not ended, ascending.
    pub(super) fn live(&self) -> Live<'_> {
        let [first, rest @ ..] = &self.live;
        Live { word: *first, base: 0, rest }
    }
}

/// Places whose orders have not ended.
#[derive(Clone)]
pub(super) struct Live<'a> {
    word: u64,
    base: usize,
    rest: &'a [u64],
}

impl Live<'_> {
    /// How many.
    #[inline]
    pub(super) fn count(self) -> usize {
        let ones = self.rest.iter().map(|word| word.count_ones()).sum::<u32>();
        (self.word.count_ones() + ones) as usize
    }
}

impl Iterator for Live<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.word == 0 {
            let (next, rest) = self.rest.split_first()?;
            (self.word, self.rest, self.base) = (*next, rest, self.base + WORD);
        }
        let place = self.base + self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splitmix64.
    struct Rng(u64);

    impl Rng {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) % bound as u64) as usize
        }
    }

    #[test]
    fn places_are_those_of_a_slow_twin() {
        for seed in 0..20 {
            let mut rng = Rng(seed);
            let mut places = Places::new();
            // Every place that was taken: whether its order lives, and when it ended.
            let mut twin: Vec<(bool, u64)> = Vec::new();
            for time in 0..3_000 {
                // Fills up, and empties again.
                let fills = (time / 500) % 2 == 0;
                if rng.below(10) < if fills { 8 } else { 2 } {
                    let oldest = (0..twin.len()).filter(|it| !twin[*it].0);
                    let expected = match twin.len() {
                        ORDERS_MAX => oldest.min_by_key(|it| twin[*it].1),
                        new => Some(new),
                    };
                    assert_eq!(places.take(), expected, "seed {seed}");
                    match expected {
                        Some(place) if place == twin.len() => twin.push((true, 0)),
                        Some(place) => twin[place].0 = true,
                        None => {}
                    }
                } else if !twin.is_empty() {
                    let place = rng.below(twin.len());
                    places.end(place); // one that ended before stays where it is
                    if twin[place].0 {
                        twin[place] = (false, time);
                    }
                }
                let live: Vec<usize> = (0..twin.len()).filter(|it| twin[*it].0).collect();
                assert_eq!(places.live().collect::<Vec<_>>(), live, "seed {seed}");
                assert_eq!(places.free(), ORDERS_MAX - live.len());
                assert!((0..twin.len()).all(|it| places.is_live(it) == twin[it].0));
            }
        }
    }
}
