//! What is said of a market's book from outside: its frames cannot tell that they are not all.

use engine::top::MarketId;
use engine::units::Venue;

/// Why a book that its frames make whole is not believed, or is again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Fitness {
    /// Another source, such as the venue's REST book, shows other prices. A fresh book is asked
    /// for, and even then it is not believed before the other source agrees.
    Unfit = 0,
    /// It shows the same.
    Fit = 1,
    /// The market is no longer subscribed to: its book stands still.
    Removed = 2,
    /// It is subscribed to again: its book awaits a snapshot.
    Restored = 3,
    /// It is no longer subscribed to for good: it has said its last word, and no frame is about it.
    Retired = 4,
    /// One that was retired is forgotten everywhere: its number and books are free for another one.
    Vacant = 5,
}

impl Fitness {
    /// All in the order of their discriminants.
    pub const ALL: [Fitness; 6] = [
        Fitness::Unfit,
        Fitness::Fit,
        Fitness::Removed,
        Fitness::Restored,
        Fitness::Retired,
        Fitness::Vacant,
    ];
}

/// A word about one market.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Verdict {
    /// Which market.
    pub market: MarketId,
    /// What is said of it.
    pub says: Fitness,
}

/// Bytes of a verdict on a tape.
pub const VERDICT_LEN: usize = 4;

impl Verdict {
    /// The bytes on a tape: number of the market, little-endian, venue, fitness.
    pub const fn to_bytes(self) -> [u8; VERDICT_LEN] {
        let [low, high] = (self.market.index() as u16).to_le_bytes();
        [low, high, self.market.venue() as u8, self.says as u8]
    }

    /// Reads what [`Verdict::to_bytes`] wrote; `None` where that is not it.
    pub fn from_bytes(bytes: &[u8]) -> Option<Verdict> {
        let &[low, high, venue, says] = bytes else { return None };
        let venue = *Venue::ALL.get(usize::from(venue))?;
        let market = MarketId::new(venue, usize::from(u16::from_le_bytes([low, high])))?;
        Some(Verdict { market, says: *Fitness::ALL.get(usize::from(says))? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_keeps_its_meaning_on_a_tape() {
        for venue in Venue::ALL {
            let market = MarketId::new(venue, 4_711).unwrap();
            for says in Fitness::ALL {
                let verdict = Verdict { market, says };
                assert_eq!(Verdict::from_bytes(&verdict.to_bytes()), Some(verdict));
            }
        }
        for bytes in [&[0, 0, 0][..], &[0, 0, 2, 0], &[0, 0, 0, 6], &[0, 0x80, 0, 0], &[0; 5]] {
            assert_eq!(Verdict::from_bytes(bytes), None);
        }
    }
}
