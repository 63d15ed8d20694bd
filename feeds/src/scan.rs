//! A cursor over one frame for the shape-specialised decoders: each step proves what it passes,
//! and the first surprise sends the frame to the general decoder.

use engine::units::{Px, Qty};

use crate::wide::{self, STRING_WINDOW};

/// Longest string that [`Cursor::string`] takes.
pub const STRING_MAX: usize = 96;

/// The rest of a frame.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// At the start of a frame.
    #[inline]
    pub const fn new(frame: &'a [u8]) -> Cursor<'a> {
        Cursor { rest: frame }
    }

    /// Bytes not passed yet.
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Passes exactly `text`.
    #[inline]
    pub fn literal<const N: usize>(&mut self, text: &[u8; N]) -> Option<()> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        if head != text {
            return None;
        }
        self.rest = rest;
        Some(())
    }

    /// Passes `text` where it comes next, and says whether it did.
    #[inline]
    pub fn optional<const N: usize>(&mut self, text: &[u8; N]) -> bool {
        self.literal(text).is_some()
    }

    /// Passes exactly `text`, whose length is known only at run time.
    #[inline]
    pub fn known(&mut self, text: &[u8]) -> Option<()> {
        let (head, rest) = self.rest.split_at_checked(text.len())?;
        if head != text {
            return None;
        }
        self.rest = rest;
        Some(())
    }

    /// Passes `text` where it comes next and is not empty, and says whether it did.
    #[inline]
    pub fn known_some(&mut self, text: &[u8]) -> bool {
        !text.is_empty() && self.known(text).is_some()
    }

    /// Passes `count` bytes without looking at them: the caller compares them.
    #[inline]
    pub fn skip(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(head)
    }

    /// Passes a plain string of at most [`STRING_MAX`] bytes and its closing quote.
    #[inline]
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let mut len = 0;
        loop {
            let window: &[u8; STRING_WINDOW] = self.rest.get(len..)?.first_chunk()?;
            if let Some(end) = wide::plain_string(window) {
                len += end;
                break;
            }
            if len >= STRING_MAX || !wide::is_plain(window) {
                return None;
            }
            len += STRING_WINDOW;
        }
        let (text, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest.get(1..)?;
        Some(text)
    }

    /// Passes a plain string of exactly `N` bytes, 32 to 64, and its closing quote.
    #[inline]
    pub fn string_of<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        const { assert!(N >= STRING_WINDOW && N <= 2 * STRING_WINDOW) };
        let (text, rest) = self.rest.split_first_chunk::<N>()?;
        // Two windows that overlap cover the text.
        let plain = wide::is_plain(text.first_chunk()?) && wide::is_plain(text.last_chunk()?);
        self.rest = rest.strip_prefix(b"\"")?;
        plain.then_some(text)
    }

    /// Passes a string of exactly `N` bytes that the caller compares with a name it knows, and
    /// its closing quote.
    #[inline]
    pub fn name_of<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (text, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest.strip_prefix(b"\"")?;
        Some(text)
    }

    /// Passes a JSON integer of 1 to 19 digits without sign, fraction or leading zero.
    #[inline]
    pub fn integer(&mut self) -> Option<u64> {
        let word = u64::from_le_bytes(*self.rest.first_chunk()?);
        let count = wide::digits_in(word);
        if count == 0 || (count > 1 && word as u8 == b'0') {
            return None;
        }
        let value = wide::digits_value(word, count);
        if count < 8 {
            self.rest = &self.rest[count as usize..];
            return Some(value);
        }
        self.integer_tail(value)
    }

    /// The digits from the ninth on: times in milliseconds have 13.
    #[inline]
    fn integer_tail(&mut self, head: u64) -> Option<u64> {
        const POWER: [u64; 9] =
            [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
        let rest = &self.rest[8..];
        // A time is often the last thing in a frame, with less than a word behind its digits.
        let word = rest.first_chunk().map_or_else(|| short_word(rest), |b| u64::from_le_bytes(*b));
        let count = wide::digits_in(word);
        if count == 8 {
            return None; // 16 digits or more: nothing that a venue sends
        }
        self.rest = &rest[count as usize..];
        if count == 0 {
            return Some(head);
        }
        Some(head * POWER[count as usize] + wide::digits_value(word, count))
    }

    /// Passes a price `0.d` to `0.dddd` and its closing quote.
    #[inline]
    pub fn price(&mut self) -> Option<Px> {
        let word = u64::from_le_bytes(*self.rest.first_chunk()?);
        let after = word >> 16; // six bytes: at most four digits, the quote, one more
        let count = wide::digits_in(after);
        if word as u16 != u16::from_le_bytes(*b"0.") || count == 0 || count > 4 {
            return None;
        }
        if (after >> (8 * count)) as u8 != b'"' {
            return None;
        }
        const SCALE: [u16; 5] = [0, 1_000, 100, 10, 1];
        let px = wide::digits_value(after, count) as u16 * SCALE[count as usize];
        self.rest = &self.rest[count as usize + 3..];
        Px::new(px)
    }

    /// Passes a price as [`Cursor::price`] does, or the `0` or `1` of an empty side.
    #[inline]
    pub fn best_price(&mut self) -> Option<Px> {
        match self.rest {
            [b'0', b'"', rest @ ..] => {
                self.rest = rest;
                Some(Px::ZERO)
            }
            [b'1', b'"', rest @ ..] => {
                self.rest = rest;
                Some(Px::ONE)
            }
            _ => self.price(),
        }
    }

    /// Passes a size with at most two decimals (`0`, `813.8`, `1644.12`) and its closing quote.
    #[inline]
    pub fn size(&mut self) -> Option<Qty> {
        let word = u64::from_le_bytes(*self.rest.first_chunk()?);
        let whole = wide::digits_in(word);
        if whole == 0 || whole == 8 || (whole > 1 && word as u8 == b'0') {
            return None;
        }
        let value = wide::digits_value(word, whole) * 100;
        let rest = &self.rest[whole as usize..];
        match rest {
            [b'"', rest @ ..] => {
                self.rest = rest;
                Qty::new(value)
            }
            [b'.', a @ b'0'..=b'9', b'"', rest @ ..] => {
                self.rest = rest;
                Qty::new(value + 10 * u64::from(a - b'0'))
            }
            [b'.', a @ b'0'..=b'9', b @ b'0'..=b'9', b'"', rest @ ..] => {
                self.rest = rest;
                Qty::new(value + 10 * u64::from(a - b'0') + u64::from(b - b'0'))
            }
            _ => None,
        }
    }

    /// Passes the end of a frame: nothing, or one line break.
    #[inline]
    pub fn end(self) -> Option<()> {
        (self.rest.is_empty() || self.rest == b"\n").then_some(())
    }
}

/// Fewer than eight bytes, filled up with zeros.
#[inline]
fn short_word(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |word, byte| (word << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers end a frame in the tests, so they are padded as a frame's rest would pad them.
    fn padded(text: &str) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        bytes.extend_from_slice(b"\",\"k\":\"........................................");
        bytes
    }

    #[test]
    fn prices() {
        for (text, want) in [
            ("0.2300", Some(2_300)),
            ("0.66", Some(6_600)),
            ("0.6", Some(6_000)),
            ("0.075", Some(750)),
            ("0.0001", Some(1)),
            ("1", None),
            ("1.00", None),
            ("0.", None),
            ("0.12345", None),
            (".48", None),
            ("-0.48", None),
            ("0.4x", None),
        ] {
            let bytes = padded(text);
            let mut cursor = Cursor::new(&bytes);
            assert_eq!(cursor.price().map(Px::e4), want, "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, want) in [
            ("0", Some(0)),
            ("5", Some(500)),
            ("813.8", Some(81_380)),
            ("1644.12", Some(164_412)),
            ("1234567.89", Some(123_456_789)),
            ("12345678", None),
            ("00", None),
            ("1.234", None),
            ("1.", None),
            ("-1", None),
            ("1e3", None),
        ] {
            let bytes = padded(text);
            let mut cursor = Cursor::new(&bytes);
            assert_eq!(cursor.size().map(Qty::e2), want, "{text}");
            if want.is_some() {
                assert!(cursor.rest().starts_with(b",\"k\""), "{text}");
            }
        }
    }

    #[test]
    fn integers() {
        for (text, want) in [
            ("0", Some(0)),
            ("7", Some(7)),
            ("1795284000000", Some(1_795_284_000_000)),
            ("12345678", Some(12_345_678)),
            ("123456789012345", Some(123_456_789_012_345)),
            ("1234567890123456", None),
            ("01", None),
            ("x", None),
            ("-1", None),
        ] {
            let bytes = padded(text);
            assert_eq!(Cursor::new(&bytes).integer(), want, "{text}");
        }
    }
}
