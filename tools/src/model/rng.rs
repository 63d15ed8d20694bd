//! Chance, from a seed.

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, integers only, so that a seed means
/// the same on every machine.
pub struct Rng(u64);

impl Rng {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0..`n`; 0 where `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// True `n` times out of `of`.
    pub fn chance(&mut self, n: u64, of: u64) -> bool {
        self.below(of) < n
    }

    /// `len` digits of `alphabet`, the first of which is not its first character.
    pub fn digits(&mut self, len: usize, alphabet: &[u8]) -> String {
        let n = alphabet.len() as u64;
        let digit =
            |i| alphabet[if i == 0 { 1 + self.below(n - 1) } else { self.below(n) } as usize];
        (0..len).map(digit).map(char::from).collect()
    }

    /// Something that looks like a UUID.
    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.bits(), self.bits());
        let (b_high, b_low) = (b >> 48, b & 0xffff_ffff_ffff);
        format!(
            "{:08x}-{:04x}-{:04x}-{b_high:04x}-{b_low:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xffff
        )
    }
}
