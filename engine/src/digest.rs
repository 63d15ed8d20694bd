//! One number over everything that was computed, so that two runs can be compared.

/// A running 64-bit digest. It finds differences between runs; it resists nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Digest(u64);

impl Digest {
    /// Takes in one word; the order of the words matters.
    #[inline]
    pub const fn mix(&mut self, word: u64) {
        // The rotation brings the well mixed high bits of the product down again.
        self.0 = (self.0.rotate_left(29) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    /// The digest so far.
    #[inline]
    pub const fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_value_of_the_words_matter() {
        let over = |words: &[u64]| {
            let mut digest = Digest::default();
            words.iter().for_each(|w| digest.mix(*w));
            digest.value()
        };
        assert_eq!(over(&[1, 2, 3]), over(&[1, 2, 3]));
        assert_ne!(over(&[1, 2, 3]), over(&[1, 3, 2]));
        assert_ne!(over(&[1, 2]), over(&[1, 2, 3]));
        assert_ne!(over(&[1 << 63]), over(&[0]));
    }
}
