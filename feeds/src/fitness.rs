//! What is said of a market's book from outside: its frames cannot tell that they are not all.

use engine::top::MarketId;
use engine::units::Venue;

/// Why a book that its frames make whole is not believed, or is again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fitness {
    /// Another source, such as the venue's REST book, shows other prices. A fresh book is asked
    /// for, and even then it is not believed before the other source agrees.
    Unfit,
    /// It shows the same.
    Fit,
    /// The market is no longer subscribed to: its book stands still.
    Removed,
    /// It is subscribed to again: its book awaits a snapshot.
    Restored,
    /// It is no longer subscribed to for good: it has said its last word, and no frame is about it.
    Retired,
    /// One that was retired is forgotten everywhere: its number and books are free for another one.
    Vacant,
    /// From now on somebody asks the venue which of its markets trade, whenever words about that
    /// may have been missed: until the answer came, no market of the venue is tradable. Said of the
    /// whole venue, whichever market it names.
    Asked,
    /// How the venue's REST API lists it.
    Listed(Listed),
}

/// How a venue's REST API lists a market.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Listed {
    /// Which stretch of words about markets the question falls into
    /// ([`crate::sink::Notice::Heard`]): an answer from before it may be out of date.
    pub heard: u16,
    /// Whether orders for it are taken.
    pub trades: bool,
    /// When it closes, Unix seconds; 0 where that cannot be read.
    pub close_s: u32,
}

impl Fitness {
    /// The words that say nothing more, in the order of their codes on a tape.
    pub const PLAIN: [Fitness; 7] = [
        Fitness::Unfit,
        Fitness::Fit,
        Fitness::Removed,
        Fitness::Restored,
        Fitness::Retired,
        Fitness::Vacant,
        Fitness::Asked,
    ];

    const fn code(self) -> u8 {
        match self {
            Fitness::Unfit => 0,
            Fitness::Fit => 1,
            Fitness::Removed => 2,
            Fitness::Restored => 3,
            Fitness::Retired => 4,
            Fitness::Vacant => 5,
            Fitness::Asked => 6,
            Fitness::Listed(_) => LISTED,
        }
    }
}

/// The code of [`Fitness::Listed`].
const LISTED: u8 = 7;

/// A word about one market.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Verdict {
    /// Which market.
    pub market: MarketId,
    /// What is said of it.
    pub says: Fitness,
}

/// Most bytes of a verdict on a tape.
pub const VERDICT_LEN_MAX: usize = 11;

impl Verdict {
    /// Writes the bytes on a tape and returns how many they are: number of the market,
    /// little-endian, venue, code; of a listing besides the stretch, whether it trades, its close.
    pub fn encode(self, bytes: &mut [u8; VERDICT_LEN_MAX]) -> usize {
        let [low, high] = (self.market.index() as u16).to_le_bytes();
        bytes[..4].copy_from_slice(&[low, high, self.market.venue() as u8, self.says.code()]);
        let Fitness::Listed(listed) = self.says else { return 4 };
        bytes[4..6].copy_from_slice(&listed.heard.to_le_bytes());
        bytes[6] = u8::from(listed.trades);
        bytes[7..].copy_from_slice(&listed.close_s.to_le_bytes());
        VERDICT_LEN_MAX
    }

    /// Reads what [`Verdict::encode`] wrote; `None` where that is not it.
    pub fn from_bytes(bytes: &[u8]) -> Option<Verdict> {
        let (&[low, high, venue, code], rest) = bytes.split_first_chunk()?;
        let venue = *Venue::ALL.get(usize::from(venue))?;
        let market = MarketId::new(venue, usize::from(u16::from_le_bytes([low, high])))?;
        let says = match (code, rest) {
            (LISTED, &[h0, h1, trades @ (0 | 1), c0, c1, c2, c3]) => Fitness::Listed(Listed {
                heard: u16::from_le_bytes([h0, h1]),
                trades: trades == 1,
                close_s: u32::from_le_bytes([c0, c1, c2, c3]),
            }),
            (code, []) => *Fitness::PLAIN.get(usize::from(code))?,
            _ => return None,
        };
        Some(Verdict { market, says })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_keeps_its_meaning_on_a_tape() {
        let listed = [(0, false, 0), (u16::MAX, true, u32::MAX), (0x1234, true, 0x1234_5678)];
        let listed = listed.map(|(heard, trades, close_s)| Listed { heard, trades, close_s });
        for venue in Venue::ALL {
            let market = MarketId::new(venue, 4_711).unwrap();
            for says in Fitness::PLAIN.into_iter().chain(listed.map(Fitness::Listed)) {
                let (verdict, mut bytes) = (Verdict { market, says }, [0; VERDICT_LEN_MAX]);
                let len = verdict.encode(&mut bytes);
                assert_eq!(Verdict::from_bytes(&bytes[..len]), Some(verdict));
                assert_eq!(Verdict::from_bytes(&bytes[..len - 1]), None);
            }
        }
        let wrong: [&[u8]; 7] = [
            &[0, 0, 0],
            &[0, 0, 2, 0],
            &[0, 0, 0, 7],
            &[0, 0, 0, 8],
            &[0, 0x80, 0, 0],
            &[0; 5],
            &[0, 0, 0, 7, 0, 0, 2, 0, 0, 0, 0],
        ];
        for bytes in wrong {
            assert_eq!(Verdict::from_bytes(bytes), None);
        }
    }
}
