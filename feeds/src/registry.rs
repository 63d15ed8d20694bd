//! From a market's name on the wire to its number, by open addressing.
//!
//! The table only proposes: the caller compares the whole name, so two names with one hash are
//! two markets.

use engine::top::MARKETS_MAX;

/// Numbers of markets by the hash of their names.
pub struct Registry {
    /// Upper half: tag, the upper bits of the hash. Lower half: number + 1; 0 is free.
    slots: Box<[u32]>,
    shift: u32,
    len: usize,
}

// A number and its tag share a slot.
const _: () = assert!(MARKETS_MAX < u16::MAX as usize);

/// Free slots for every slot in use, at least: probes stay short.
const SPARE: usize = 4;

/// Most bytes that the table takes for a name: it doubles when it is a quarter full.
pub const BYTES_PER_NAME_MAX: usize = 2 * SPARE * size_of::<u32>();

impl Registry {
    /// Room for `markets` names before the table must grow.
    pub fn with_capacity(markets: usize) -> Registry {
        let slots = (markets.max(16) * SPARE).next_power_of_two();
        Registry {
            slots: vec![0; slots].into_boxed_slice(),
            shift: 64 - slots.trailing_zeros(),
            len: 0,
        }
    }

    /// The number that nearly always has this hash, by one look, or one beyond every market. The
    /// caller compares the name, and asks [`Registry::find`] where it is another.
    #[inline(always)]
    pub fn likely(&self, hash: u64) -> usize {
        let slot = self.slots.get((hash >> self.shift) as usize).copied().unwrap_or(0);
        ((slot & 0xFFFF) as usize).wrapping_sub(1)
    }

    /// The number whose name has this hash and for which `is` says yes.
    #[inline]
    pub fn find(&self, hash: u64, mut is: impl FnMut(usize) -> bool) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let tag = tag_of(hash);
        let mut at = (hash >> self.shift) as usize;
        loop {
            let slot = self.slots[at & mask];
            if slot == 0 {
                return None;
            }
            let number = (slot & 0xFFFF) as usize - 1;
            if slot & 0xFFFF_0000 == tag && is(number) {
                return Some(number);
            }
            at += 1;
        }
    }

    /// Adds a number under a hash. The name must not be there yet. Grows, and so allocates, when
    /// a quarter of the slots is in use.
    pub fn insert(&mut self, hash: u64, number: usize, hash_of: impl Fn(usize) -> u64) {
        if (self.len + 1) * SPARE > self.slots.len() {
            self.grow(self.slots.len() / SPARE * 2, &hash_of);
        }
        self.put(hash, number);
    }

    /// Takes a number out that was put in under this hash.
    pub fn remove(&mut self, hash: u64, number: usize, hash_of: impl Fn(usize) -> u64) {
        let mask = self.slots.len() - 1;
        let mut hole = (hash >> self.shift) as usize & mask;
        while self.slots[hole] & 0xFFFF != number as u32 + 1 {
            if self.slots[hole] == 0 {
                return;
            }
            hole = (hole + 1) & mask;
        }
        self.len -= 1;
        // What was pushed on by it moves up, so that no search ends in the hole.
        let mut at = hole;
        loop {
            self.slots[hole] = 0;
            let slot = loop {
                at = (at + 1) & mask;
                let slot = self.slots[at];
                if slot == 0 {
                    return;
                }
                let home = (hash_of((slot & 0xFFFF) as usize - 1) >> self.shift) as usize;
                if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                    break slot;
                }
            };
            self.slots[hole] = slot;
            hole = at;
        }
    }

    /// Makes room for that many names in all, so that none of them makes it grow.
    pub fn reserve(&mut self, names: usize, hash_of: impl Fn(usize) -> u64) {
        if names * SPARE > self.slots.len() {
            self.grow(names, &hash_of);
        }
    }

    fn grow(&mut self, names: usize, hash_of: &impl Fn(usize) -> u64) {
        let mut grown = Registry::with_capacity(names);
        for slot in self.slots.iter().filter(|slot| **slot != 0) {
            let number = (slot & 0xFFFF) as usize - 1;
            grown.put(hash_of(number), number);
        }
        *self = grown;
    }

    fn put(&mut self, hash: u64, number: usize) {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = tag_of(hash) | (number as u32 + 1);
        self.len += 1;
    }
}

/// Low bits of the hash choose nothing in [`Registry::find`], so they make the tag.
#[inline]
const fn tag_of(hash: u64) -> u32 {
    (hash as u32) << 16
}

/// A hash of all bytes of a name. Names of a venue share their beginnings and often differ in one
/// letter in the middle, so no byte is left out.
#[inline]
pub fn hash(name: &[u8]) -> u64 {
    let seed = name.len() as u64;
    let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let two = |hash: u64, bytes: &[u8; 16]| {
        mix(hash, word(bytes.first_chunk()), word(bytes.last_chunk()))
    };
    let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) else {
        return name.iter().fold(seed, |hash, byte| mix(hash, u64::from(*byte), 0));
    };
    // The last 16 bytes may overlap what was hashed before them, so that nothing is left over.
    let mut hash = two(two(seed, first), last);
    if name.len() > 32 {
        let middle = &name[16..name.len() - 16];
        for bytes in middle.chunks(16) {
            let mut padded = [0; 16];
            padded[..bytes.len()].copy_from_slice(bytes);
            hash = two(hash, &padded);
        }
    }
    hash
}

/// One step of [`hash`]: a 64 x 64 multiplication folded to 64 bits.
#[inline]
pub fn mix(hash: u64, a: u64, b: u64) -> u64 {
    let left = hash ^ a ^ 0x9E37_79B9_7F4A_7C15;
    let product = u128::from(left) * u128::from(b.rotate_left(32) ^ 0xD6E8_FEB8_6659_FD93);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_anywhere_are_found_apart() {
        let mut names: Vec<String> =
            (0..20_000).map(|n| format!("KXGAME-26NOV{n:05}LAD-LAD")).collect();
        names.extend((0..8_000).map(|n| format!("{n}")));
        names.extend((0..60).map(|n| "A".repeat(n + 1)));
        let mut registry = Registry::with_capacity(0);
        for number in 0..names.len() {
            let hash_of = |n: usize| hash(names[n].as_bytes());
            registry.insert(hash_of(number), number, hash_of);
        }
        for (number, name) in names.iter().enumerate() {
            let found = registry.find(hash(name.as_bytes()), |n| names[n] == *name);
            assert_eq!(found, Some(number), "{name}");
        }
        assert_eq!(registry.find(hash(b"absent"), |n| names[n] == "absent"), None);
    }

    #[test]
    fn names_that_come_and_go_are_those_of_a_list() {
        let mut state = 7_u64;
        let mut next = move |most: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % most
        };
        // Few homes, one of them the last slot, so that names push each other on and around.
        let hash_of = |n: usize| ((n as u64 % 3 + 61) << 58) | n as u64;
        let mut registry = Registry::with_capacity(16);
        let mut there = [false; 16];
        for _ in 0..20_000 {
            let n = next(16);
            if there[n] {
                registry.remove(hash_of(n), n, hash_of);
            } else {
                registry.insert(hash_of(n), n, hash_of);
            }
            there[n] ^= true;
            for (n, there) in there.iter().enumerate() {
                assert_eq!(registry.find(hash_of(n), |one| one == n), there.then_some(n));
            }
        }
        registry.remove(hash_of(16), 16, hash_of);
    }

    #[test]
    fn equal_hashes_are_two_markets() {
        let mut registry = Registry::with_capacity(4);
        registry.insert(7, 0, |_| 7);
        registry.insert(7, 1, |_| 7);
        assert_eq!(registry.find(7, |n| n == 1), Some(1));
        assert_eq!(registry.find(7, |n| n == 2), None);
    }
}
