//! Word that a venue lists something new, for whoever reads its catalogue.

use engine::units::Venue;
use rtrb::Producer;

use crate::feed::{ControlBox, NoticeSink};
use crate::sink::Notice;

/// Slots of a ring of such words: one is enough, for whoever hears it looks at all that is new.
pub const LISTED_RING_DEPTH: usize = 1;

/// Passes on that something is listed, and all notices to somebody else.
pub struct Announced<N> {
    tell: Producer<Venue>,
    inner: N,
}

impl<N> Announced<N> {
    /// In front of whoever else hears notices.
    pub const fn new(tell: Producer<Venue>, inner: N) -> Announced<N> {
        Announced { tell, inner }
    }
}

impl<N: NoticeSink> NoticeSink for Announced<N> {
    fn notice(&mut self, notice: &Notice<'_>, controls: &mut ControlBox) {
        if let Notice::Listed { venue } = *notice {
            // Full means that nobody has looked since the last one.
            let _ = self.tell.push(venue);
        }
        self.inner.notice(notice, controls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtrb::RingBuffer;

    #[test]
    fn one_word_waits_however_many_come_and_the_next_follows_the_look() {
        let (tell, mut heard) = RingBuffer::new(LISTED_RING_DEPTH);
        let mut announced = Announced::new(tell, ());
        let mut controls = ControlBox::new(RingBuffer::new(1).0, 1);
        for _ in 0..2 {
            for _ in 0..3 {
                announced.notice(&Notice::Listed { venue: Venue::Kalshi }, &mut controls);
            }
            assert_eq!((heard.pop(), heard.pop().is_err()), (Ok(Venue::Kalshi), true));
        }
    }
}
