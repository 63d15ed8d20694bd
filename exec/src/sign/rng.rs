//! The generator of salts: SHA-256 over a seed and a counter. Equal seeds give equal runs; in
//! live trading the caller takes the seed from the operating system.

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// A seeded generator whose output tells nobody the next one.
pub struct SignerRng {
    seed: Zeroizing<[u8; 32]>,
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl SignerRng {
    /// A generator that repeats itself for the same seed.
    pub fn new(seed: [u8; 32]) -> SignerRng {
        SignerRng { seed: Zeroizing::new(seed), counter: 0, block: [0; 32], used: 32 }
    }

    /// A uniform order salt below 2^53: it travels as a JSON number (polymarket.md section 5.3).
    pub fn salt(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes) >> 11
    }

    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            if self.used == self.block.len() {
                let mut hash = Sha256::new();
                hash.update(*self.seed);
                hash.update(self.counter.to_le_bytes());
                self.block = hash.finalize().into();
                self.counter += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
    }
}

impl Drop for SignerRng {
    fn drop(&mut self) {
        self.block.zeroize();
    }
}

// What `rsa` draws its salts and blinding from.
impl rsa::rand_core::RngCore for SignerRng {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.fill(out);
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.fill(out);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for SignerRng {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_repeat_with_the_seed_and_fit_a_json_number() {
        let salts = |seed: u8| {
            let mut rng = SignerRng::new([seed; 32]);
            (0..100).map(|_| rng.salt()).collect::<Vec<_>>()
        };
        let (one, two) = (salts(1), salts(2));
        assert_eq!(one, salts(1));
        assert!(one.iter().all(|salt| *salt < 1 << 53 && !two.contains(salt)));
        assert!(one.iter().any(|salt| *salt >= 1 << 52), "all 53 bits are drawn");
    }
}
