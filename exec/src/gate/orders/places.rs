//! Which places hold orders that have not ended, or may come to something else after their end, and
//! which of the others is taken next. A step of a gate asks several times, and few of the orders that
//! are kept have not ended.

use std::collections::VecDeque;

use super::ORDERS_MAX;

const WORD: usize = u64::BITS as usize;
const WORDS: usize = ORDERS_MAX / WORD;
// One word says which of the others are not empty.
const _: () = assert!(ORDERS_MAX.is_multiple_of(WORD) && WORDS <= WORD);

/// A bit a place.
type Bits = [u64; WORDS];

/// The places of the orders.
pub(super) struct Places {
    /// Those whose order has not ended.
    live: Bits,
    /// The words of these that are not empty.
    words: u64,
    /// How many they are.
    lives: usize,
    /// Those whose order has ended and has a trade that may fail.
    kept: Bits,
    /// The same, in the order in which they came to be kept.
    waiting: VecDeque<u16>,
    /// Places whose order has ended for good, in the order of the ends.
    ended: VecDeque<u16>,
    /// Places that no order had yet are those from here on.
    untouched: usize,
}

impl Places {
    pub(super) fn new() -> Places {
        Places {
            live: [0; WORDS],
            words: 0,
            lives: 0,
            kept: [0; WORDS],
            waiting: VecDeque::with_capacity(ORDERS_MAX),
            ended: VecDeque::with_capacity(ORDERS_MAX),
            untouched: 0,
        }
    }

    /// Places that an order can have.
    #[inline]
    pub(super) fn free(&self) -> usize {
        ORDERS_MAX - self.lives - self.waiting.len()
    }

    /// Places whose order has not ended.
    pub(super) const fn lives(&self) -> usize {
        self.lives
    }

    /// A place for an order: a new one, or that of the order that ended longest ago and comes to
    /// nothing else any more. Where there is none, it is the one that has been kept longest: the
    /// caller made sure of room, and a late fill has taken it since.
    pub(super) fn take(&mut self) -> Option<usize> {
        let place = if self.untouched < ORDERS_MAX {
            self.untouched += 1;
            self.untouched - 1
        } else {
            usize::from(self.ended.pop_front().or_else(|| self.waiting.pop_front())?)
        };
        self.kept[place / WORD] &= !(1 << (place % WORD));
        self.live[place / WORD] |= 1 << (place % WORD);
        self.words |= 1 << (place / WORD);
        self.lives += 1;
        Some(place)
    }

    /// The order of a place has ended.
    pub(super) fn end(&mut self, place: usize) {
        if !self.is_live(place) {
            return;
        }
        let word = &mut self.live[place / WORD];
        *word &= !(1 << (place % WORD));
        if *word == 0 {
            self.words &= !(1 << (place / WORD));
        }
        self.lives -= 1;
        self.ended.push_back(place as u16);
    }

    /// The order of a place has ended, and has a trade that may fail: nobody else gets the place.
    pub(super) fn keep(&mut self, place: usize) {
        if self.is_live(place) || is_in(&self.kept, place) {
            return;
        }
        // It ended just now, as a rule.
        if let Some(at) = self.ended.iter().rposition(|ended| usize::from(*ended) == place) {
            self.ended.remove(at);
            self.kept[place / WORD] |= 1 << (place % WORD);
            self.waiting.push_back(place as u16);
        }
    }

    /// The order of a place comes to nothing else any more.
    pub(super) fn release(&mut self, place: usize) {
        if !is_in(&self.kept, place) {
            return;
        }
        self.kept[place / WORD] &= !(1 << (place % WORD));
        if let Some(at) = self.waiting.iter().position(|kept| usize::from(*kept) == place) {
            self.waiting.remove(at);
            self.ended.push_back(place as u16);
        }
    }

    /// The place that has been kept longest.
    #[inline]
    pub(super) fn kept_longest(&self) -> Option<usize> {
        self.waiting.front().map(|place| usize::from(*place))
    }

    /// True where the order of a place has not ended.
    pub(super) fn is_live(&self, place: usize) -> bool {
        is_in(&self.live, place)
    }

    /// The places whose orders have not ended, ascending.
    #[inline]
    pub(super) fn live(&self) -> Live<'_> {
        Live { live: &self.live, words: self.words, word: 0, base: 0 }
    }
}

const fn is_in(bits: &Bits, place: usize) -> bool {
    bits[place / WORD] & (1 << (place % WORD)) != 0
}

/// Places whose orders have not ended.
#[derive(Clone)]
pub(super) struct Live<'a> {
    live: &'a Bits,
    /// The words that come after this one.
    words: u64,
    word: u64,
    base: usize,
}

impl Iterator for Live<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.word == 0 {
            if self.words == 0 {
                return None;
            }
            let at = self.words.trailing_zeros() as usize;
            self.words &= self.words - 1;
            (self.word, self.base) = (self.live[at], at * WORD);
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

    /// What became of the order of a place, and when.
    #[derive(Clone, Copy, PartialEq)]
    enum Twin {
        Live,
        Kept(u64),
        Ended(u64),
    }

    #[test]
    fn places_are_those_of_a_slow_twin() {
        for seed in 0..2 {
            let mut rng = Rng(seed);
            let mut places = Places::new();
            let mut twin: Vec<Twin> = Vec::new();
            for time in 0..12_000 {
                // Fills up, and empties again.
                let fills = (time / 6_000) % 2 == 0;
                let place = rng.below(twin.len().max(1));
                match rng.below(10) {
                    0..8 if fills => take(&mut places, &mut twin, seed),
                    0..2 => take(&mut places, &mut twin, seed),
                    _ if twin.is_empty() => {}
                    // One that is not of that state stays what it is.
                    2..7 => {
                        places.end(place);
                        if twin[place] == Twin::Live {
                            twin[place] = Twin::Ended(time);
                        }
                    }
                    7 => {
                        places.keep(place);
                        if matches!(twin[place], Twin::Ended(_)) {
                            twin[place] = Twin::Kept(time);
                        }
                    }
                    _ => {
                        places.release(place);
                        if matches!(twin[place], Twin::Kept(_)) {
                            twin[place] = Twin::Ended(time);
                        }
                    }
                }
                let is = |place: &usize| twin[*place] == Twin::Live;
                assert_eq!(places.is_live(place), twin.get(place) == Some(&Twin::Live));
                if time % 64 == 0 {
                    let live: Vec<usize> = (0..twin.len()).filter(is).collect();
                    assert_eq!(places.live().collect::<Vec<_>>(), live, "seed {seed}");
                    let kept = twin.iter().enumerate().filter_map(|(place, it)| match it {
                        Twin::Kept(since) => Some((*since, place)),
                        _ => None,
                    });
                    let kept: Vec<_> = kept.collect();
                    assert_eq!(places.lives(), live.len());
                    assert_eq!(places.free(), ORDERS_MAX - live.len() - kept.len());
                    let longest = kept.iter().min().map(|(_, place)| *place);
                    assert_eq!(places.kept_longest(), longest, "seed {seed}");
                }
            }
        }
    }

    fn take(places: &mut Places, twin: &mut Vec<Twin>, seed: u64) {
        let ends = twin.iter().enumerate().filter_map(|(place, it)| match it {
            Twin::Ended(at) => Some((false, *at, place)),
            Twin::Kept(at) => Some((true, *at, place)),
            Twin::Live => None,
        });
        let expected = match twin.len() {
            ORDERS_MAX => ends.min().map(|(.., place)| place),
            new => Some(new),
        };
        assert_eq!(places.take(), expected, "seed {seed}");
        match expected {
            Some(place) if place == twin.len() => twin.push(Twin::Live),
            Some(place) => twin[place] = Twin::Live,
            None => {}
        }
    }
}
