//! What the next frame of a subscription should say before its ticker, kept ready as text.
//!
//! Deltas of a subscription follow each other, so nearly every frame carries the number that is
//! one above the last. One comparison then proves subscription, number and keys at once. It is a
//! matter of speed alone: whether the number is the right one is judged elsewhere, from its value.

/// Length of the text at most.
pub const HINT_LEN_MAX: usize = 64;

/// The text of one subscription and number.
#[derive(Clone, Copy)]
pub struct Hint {
    text: [u8; HINT_LEN_MAX],
    /// A bit for each byte of the text that counts.
    mask: u64,
    len: u8,
    /// Where the last digit of the number stands.
    last_digit: u8,
    /// Subscription.
    pub sid: u64,
    /// Its sequence number.
    pub seq: u64,
}

const BEFORE_SID: &[u8] = b"id\":";
const BEFORE_SEQ: &[u8] = b",\"seq\":";
const BEFORE_TICKER: &[u8] = b",\"msg\":{\"market_ticker\":\"";

impl Hint {
    /// A hint that no frame fits.
    pub const NONE: Hint =
        Hint { text: [0; HINT_LEN_MAX], mask: u64::MAX, len: 0, last_digit: 0, sid: 0, seq: 0 };

    /// The text of that subscription and number.
    pub fn new(sid: u64, seq: u64) -> Hint {
        let mut hint = Hint { sid, seq, ..Hint::NONE };
        let fits = hint.put(BEFORE_SID)
            && hint.put_number(sid)
            && hint.put(BEFORE_SEQ)
            && hint.put_number(seq);
        hint.last_digit = hint.len.saturating_sub(1);
        if !(fits && hint.put(BEFORE_TICKER)) {
            return Hint { sid, seq, ..Hint::NONE };
        }
        hint.mask = u64::MAX >> (HINT_LEN_MAX - usize::from(hint.len));
        hint
    }

    /// The text and the bits of its bytes that count.
    #[inline(always)]
    pub const fn text(&self) -> (&[u8; HINT_LEN_MAX], u64) {
        (&self.text, self.mask)
    }

    /// Length of the text.
    #[inline(always)]
    pub const fn text_len(&self) -> usize {
        self.len as usize
    }

    /// Moves on to what should follow a frame of that subscription and number.
    #[inline(always)]
    pub fn follow(&mut self, sid: u64, seq: u64) {
        if (sid, seq) == (self.sid, self.seq)
            && let Some(digit @ b'0'..=b'8') = self.text.get_mut(usize::from(self.last_digit))
        {
            *digit += 1;
            self.seq += 1;
        } else {
            self.carry_or_renew(sid, seq);
        }
    }

    #[cold]
    #[inline(never)]
    fn carry_or_renew(&mut self, sid: u64, seq: u64) {
        if (sid, seq) == (self.sid, self.seq) {
            let digits = self.text[..=usize::from(self.last_digit)].iter_mut().rev();
            for digit in digits {
                match *digit {
                    b'9' => *digit = b'0',
                    b'0'..=b'8' => {
                        *digit += 1;
                        self.seq += 1;
                        return;
                    }
                    _ => break, // one more digit is needed
                }
            }
        }
        *self = Hint::new(sid, seq.wrapping_add(1));
    }

    fn put(&mut self, text: &[u8]) -> bool {
        let from = self.text_len();
        let Some(room) = self.text.get_mut(from..from + text.len()) else { return false };
        room.copy_from_slice(text);
        self.len += text.len() as u8;
        true
    }

    fn put_number(&mut self, number: u64) -> bool {
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut rest = number;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                return self.put(&digits[at..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(hint: &Hint) -> Option<&str> {
        let (text, mask) = hint.text();
        let shown = core::str::from_utf8(&text[..hint.text_len()]).unwrap();
        (mask.count_ones() as usize == hint.text_len()).then_some(shown)
    }

    proptest! {
        #[test]
        fn a_hint_says_what_the_next_frame_says(
            sid in prop_oneof![0u64..20, any::<u64>()],
            seq in prop_oneof![0u64..1_000, 99_990u64..100_010, any::<u64>()],
            steps in 1u64..40,
            jump in prop::option::of(any::<u64>()),
        ) {
            let mut hint = Hint::NONE;
            let mut seq = seq;
            for step in 0..steps {
                hint.follow(sid, seq);
                seq = seq.wrapping_add(1);
                let want = format!("id\":{sid},\"seq\":{seq},\"msg\":{{\"market_ticker\":\"");
                match text(&hint) {
                    Some(shown) => prop_assert_eq!(shown, want),
                    None => prop_assert!(want.len() > HINT_LEN_MAX),
                }
                prop_assert_eq!((hint.sid, hint.seq), (sid, seq));
                if step == 5 && let Some(jump) = jump {
                    seq = jump;
                }
            }
        }
    }
}
