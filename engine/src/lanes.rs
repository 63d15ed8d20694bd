//! How many orders a gate can send at once, told to whoever decides: a leg that waits for a
//! connection leaves after the other one, or never.

use std::sync::atomic::{AtomicU64, Ordering};

/// Connections of a gate that are idle, and how many legs it had taken when it counted them.
///
/// One word, so that both are of one moment: what was dispatched since is known to whoever did it.
#[derive(Debug, Default)]
pub struct Lanes(AtomicU64);

impl Lanes {
    /// Of a gate that has told nothing yet: none is free.
    pub const fn new() -> Lanes {
        Lanes(AtomicU64::new(0))
    }

    /// The gate has taken so many legs since it began, wrapping, and could send so many more.
    pub fn tell(&self, taken: u32, idle: usize) {
        let idle = u64::try_from(idle).unwrap_or(u64::MAX).min(u64::from(u32::MAX));
        // SYNC: Relaxed: the word is all there is, nothing is read through it.
        self.0.store(u64::from(taken) << 32 | idle, Ordering::Relaxed);
    }

    /// How many more legs could leave at once, where so many, wrapping, were dispatched.
    pub fn free(&self, dispatched: u32) -> u32 {
        let word = self.0.load(Ordering::Relaxed);
        let (taken, idle) = ((word >> 32) as u32, word as u32);
        idle.saturating_sub(dispatched.wrapping_sub(taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_its_way_takes_a_place_until_the_gate_has_counted_it() {
        let lanes = Lanes::new();
        assert_eq!(lanes.free(0), 0, "nothing was told");
        lanes.tell(0, 3);
        assert_eq!([0, 1, 3, 4].map(|sent| lanes.free(sent)), [3, 2, 0, 0]);
        lanes.tell(2, 1);
        assert_eq!([2, 3, 4].map(|sent| lanes.free(sent)), [1, 0, 0]);
        lanes.tell(u32::MAX, 2);
        assert_eq!([u32::MAX, 0, 1].map(|sent| lanes.free(sent)), [2, 1, 0], "numbers wrap");
        lanes.tell(7, usize::MAX);
        assert_eq!(lanes.free(7), u32::MAX);
    }
}
