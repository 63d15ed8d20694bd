//! When whoever asks a venue which of its markets trade must do so: after every moment in which a
//! word about that may have been missed. Another thread looks at it now and then.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The stretch of words without a gap that is heard now.
#[derive(Debug, Default)]
pub struct Hearing(AtomicU32);

/// Above every stretch.
const HEARD: u32 = 1 << 16;

impl Hearing {
    /// Another one began, or nothing is heard any more.
    pub fn tell(&self, stretch: Option<u16>) {
        let value = stretch.map_or(0, |stretch| HEARD | u32::from(stretch));
        // Nothing else is read by it: what an answer is worth is decided where words are heard.
        self.0.store(value, Relaxed);
    }

    /// The stretch; `None` while nothing is heard.
    pub fn stretch(&self) -> Option<u16> {
        let value = self.0.load(Relaxed);
        (value & HEARD != 0).then_some(value as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_seen_until_it_ends() {
        let hearing = Hearing::default();
        assert_eq!(hearing.stretch(), None);
        for stretch in [Some(1), None, Some(0), Some(u16::MAX)] {
            hearing.tell(stretch);
            assert_eq!(hearing.stretch(), stretch);
        }
    }
}
