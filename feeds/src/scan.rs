//! A cursor over one frame for the shape-specialised decoders: each step proves what it passes,
//! and the first surprise sends the frame to the general decoder.

use engine::units::{Px, Qty};

use crate::shape::Shape;
use crate::wide::{self, Either, STRING_WINDOW};

/// Longest string that [`Cursor::string`] takes.
pub const STRING_MAX: usize = 96;

/// The rest of a frame.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

/// The first eight of a time's thirteen digits, and what they say.
#[derive(Clone, Copy)]
pub struct Near {
    text: [u8; 8],
    value: u64,
}

impl Near {
    /// No time.
    pub const NONE: Near = Near { text: *b"no time.", value: 0 };
}

impl<'a> Cursor<'a> {
    /// At the start of a frame.
    #[inline(always)]
    pub const fn new(frame: &'a [u8]) -> Cursor<'a> {
        Cursor { rest: frame }
    }

    /// Bytes not passed yet.
    #[inline(always)]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Passes exactly `text`.
    #[inline(always)]
    pub fn literal<const N: usize>(&mut self, text: &[u8; N]) -> Option<()> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        if !wide::same(head, text) {
            return None;
        }
        self.rest = rest;
        Some(())
    }

    /// Passes `text` where it comes next, and says whether it did.
    #[inline(always)]
    pub fn optional<const N: usize>(&mut self, text: &[u8; N]) -> bool {
        self.literal(text).is_some()
    }

    /// Passes exactly `text`, a name whose length is known only at run time; an empty one is
    /// never there.
    #[inline(always)]
    pub fn known(&mut self, text: &[u8]) -> bool {
        let Some((head, rest)) = self.rest.split_at_checked(text.len()) else { return false };
        if text.is_empty() || !wide::equal(head, text) {
            return false;
        }
        self.rest = rest;
        true
    }

    /// Passes the first `len` of 64 bytes where those under `mask` are equal to `text`.
    #[inline(always)]
    pub fn expected(&mut self, (text, mask): (&[u8; 64], u64), len: usize) -> bool {
        let Some(window) = self.rest.first_chunk() else { return false };
        if !wide::equal_bytes(window, text) & mask != 0 {
            return false;
        }
        let Some(rest) = self.rest.get(len..) else { return false };
        self.rest = rest;
        true
    }

    /// As [`Cursor::known`], cheapest for the longest texts that are known beforehand: 97 to 128
    /// bytes.
    #[inline(always)]
    pub fn known_head(&mut self, text: &[u8]) -> bool {
        let Some((head, rest)) = self.rest.split_at_checked(text.len()) else { return false };
        if !wide::equal_in_four(head, text) || text.is_empty() {
            return false;
        }
        self.rest = rest;
        true
    }

    /// The next `N` bytes where they have that shape; none is passed.
    #[inline(always)]
    pub fn sees<const N: usize>(&self, shape: &Shape<N>) -> Option<&'a [u8; N]> {
        let text = self.rest.first_chunk::<N>()?;
        shape.fits(text).then_some(text)
    }

    /// Passes `N` bytes of that shape.
    #[inline(always)]
    pub fn shaped<const N: usize>(&mut self, shape: &Shape<N>) -> Option<&'a [u8; N]> {
        let (text, rest) = self.rest.split_first_chunk::<N>()?;
        if !shape.fits(text) {
            return None;
        }
        self.rest = rest;
        Some(text)
    }

    /// Cuts off the last `N` bytes where they have that shape, and gives what is before them.
    #[inline(always)]
    pub fn shaped_end<const N: usize>(&self, shape: &Shape<N>) -> Option<(&'a [u8], &'a [u8; N])> {
        let (before, text) = self.rest.split_last_chunk::<N>()?;
        shape.fits(text).then_some((before, text))
    }

    /// As [`Cursor::known`], cheapest for 32 to 64 bytes.
    #[inline(always)]
    pub fn known_tail(&mut self, text: &[u8]) -> bool {
        let Some((head, rest)) = self.rest.split_at_checked(text.len()) else { return false };
        if !wide::equal_in_two(head, text) || text.is_empty() {
            return false;
        }
        self.rest = rest;
        true
    }

    /// Passes the first `len` bytes of `text` where they come next, and says whether it did. It
    /// may say no where they do: where `len` is above 32, or less than that is left of either.
    #[inline(always)]
    pub fn repeated(&mut self, text: &[u8], len: usize) -> bool {
        let (Some(here), Some(there)) = (self.rest.first_chunk(), text.first_chunk()) else {
            return false;
        };
        if len > STRING_WINDOW || wide::common(here, there) < len {
            return false;
        }
        self.rest = &self.rest[len..];
        true
    }

    /// Passes one of two texts; true where it was the longer one.
    #[inline(always)]
    pub fn either<const LONG: usize>(&mut self, texts: &Either<LONG>) -> Option<bool> {
        let is_long = texts.begins(self.rest.first_chunk()?)?;
        self.rest = &self.rest[LONG - 1 + usize::from(is_long)..];
        Some(is_long)
    }

    /// Passes `N` bytes, 32 to 64, of a plain string in lower-case hex or the like.
    #[inline(always)]
    pub fn lower_of<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        const { assert!(N >= STRING_WINDOW && N <= 2 * STRING_WINDOW) };
        let (text, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        // Two windows that overlap cover the text.
        wide::are_lower(text.first_chunk()?, text.last_chunk()?).then_some(text)
    }

    /// Passes the one to four decimals of a price, whose `0.` was passed before. What comes next
    /// must be proved by the caller to be no digit, as a literal does.
    #[inline(always)]
    pub fn decimals(&mut self) -> Option<Px> {
        let word = u32::from_le_bytes(*self.rest.first_chunk()?);
        let (count, e4) = wide::decimals(word);
        if count == 0 {
            return None;
        }
        self.rest = &self.rest[count..];
        Px::new(e4)
    }

    /// Passes `count` bytes without looking at them: the caller compares them.
    #[inline(always)]
    pub fn skip(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(head)
    }

    /// Passes a plain string of at most [`STRING_MAX`] bytes and its closing quote.
    #[inline(always)]
    pub fn string(&mut self) -> Option<&'a [u8]> {
        if let Some(window) = self.rest.first_chunk()
            && let Some(len) = wide::plain_string(window)
        {
            return self.text(len);
        }
        let len = long_string(self.rest)?;
        self.text(len)
    }

    /// The length of a name, up to its closing quote, that the caller compares with one it knows
    /// to be plain. Nothing is passed.
    #[inline(always)]
    pub fn name_len(&self) -> Option<usize> {
        match self.rest.first_chunk().and_then(wide::quote) {
            Some(len) => Some(len),
            None => long_string(self.rest),
        }
    }

    /// The next `len` bytes; they and the quote behind them are passed.
    #[inline(always)]
    fn text(&mut self, len: usize) -> Option<&'a [u8]> {
        let (text, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest.get(1..)?;
        Some(text)
    }

    /// Passes a plain string of exactly `N` bytes, 32 to 64, and its closing quote.
    #[inline(always)]
    pub fn string_of<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        const { assert!(N >= STRING_WINDOW && N <= 2 * STRING_WINDOW) };
        let (text, rest) = self.rest.split_first_chunk::<N>()?;
        // Two windows that overlap cover the text.
        let plain = wide::are_plain(text.first_chunk()?, text.last_chunk()?);
        self.rest = rest.strip_prefix(b"\"")?;
        plain.then_some(text)
    }

    /// Passes a string of exactly `N` bytes that the caller compares with a name it knows, and
    /// its closing quote.
    #[inline(always)]
    pub fn name_of<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (text, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest.strip_prefix(b"\"")?;
        Some(text)
    }

    /// Passes a JSON integer of 1 to 15 digits without sign, fraction or leading zero.
    #[inline(always)]
    pub fn integer(&mut self) -> Option<u64> {
        let Some(bytes) = self.rest.first_chunk() else { return self.long_integer() };
        let word = u64::from_le_bytes(*bytes);
        let count = wide::digits_in(word);
        if count == 8 {
            return self.long_integer();
        }
        if count == 0 || (word as u8 == b'0' && count > 1) {
            return None;
        }
        self.rest = &self.rest[count as usize..];
        Some(wide::digits_value(word, count))
    }

    /// Passes a time in milliseconds, or any other integer. What comes next must be proved by the
    /// caller to be no digit, as a literal does.
    #[inline(always)]
    pub fn millis(&mut self) -> Option<u64> {
        if let Some((text, rest)) = self.rest.split_first_chunk()
            && text[0] != b'0'
            && let Some(value) = wide::thirteen_digits(text)
        {
            self.rest = rest;
            return Some(value);
        }
        self.long_integer()
    }

    /// As [`Cursor::millis`], cheaper where the time is of the same 100 seconds as `near`, which
    /// it becomes.
    #[inline(always)]
    pub fn millis_near(&mut self, near: &mut Near) -> Option<u64> {
        let (text, rest) = self.rest.split_first_chunk::<13>()?;
        if text.first_chunk() != Some(&near.text) {
            let value = self.millis()?;
            if let Some(whole) = wide::thirteen_digits(text).filter(|whole| *whole == value) {
                *near = Near { text: *text.first_chunk()?, value: whole - whole % 100_000 };
            }
            return Some(value);
        }
        let tail = wide::last_five_digits(u64::from_le_bytes(*text.last_chunk()?))?;
        self.rest = rest;
        Some(near.value + tail)
    }

    #[inline(always)]
    fn long_integer(&mut self) -> Option<u64> {
        let (value, rest) = long_integer(self.rest)?;
        self.rest = rest;
        Some(value)
    }

    /// Passes a price `0.d` to `0.dddd` and its closing quote.
    #[inline(always)]
    pub fn price(&mut self) -> Option<Px> {
        let word = match self.rest.first_chunk() {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => short_word(self.rest), // a price of one decimal may be the last of a frame
        };
        if let Some(e4) = wide::cents(word)
            && let Some(rest) = self.rest.get(5..)
        {
            self.rest = rest;
            return Px::new(e4);
        }
        let after = word >> 16; // six bytes: at most four digits, the quote, one more
        let count = wide::digits_in(after);
        if word as u16 != u16::from_le_bytes(*b"0.") || count == 0 || count > 4 {
            return None;
        }
        if (after >> (8 * count)) as u8 != b'"' {
            return None;
        }
        self.rest = self.rest.get(count as usize + 3..)?;
        Px::new(wide::decimals_value(after as u32, count))
    }

    /// Passes a price as [`Cursor::price`] does, or the `0` or `1` of an empty side.
    #[inline(always)]
    pub fn best_price(&mut self) -> Option<Px> {
        if let Some(px) = self.price() {
            return Some(px);
        }
        let px = match self.rest {
            [b'0', b'"', ..] => Px::ZERO,
            [b'1', b'"', ..] => Px::ONE,
            _ => return None,
        };
        self.rest = &self.rest[2..];
        Some(px)
    }

    /// Passes a size with at most two decimals (`0`, `813.8`, `1644.12`) and its closing quote.
    #[inline(always)]
    pub fn size(&mut self) -> Option<Qty> {
        let word = u64::from_le_bytes(*self.rest.first_chunk()?);
        let whole = wide::digits_in(word);
        if whole == 0 || whole == 8 || (whole > 1 && word as u8 == b'0') {
            return None;
        }
        let value = wide::digits_value(word, whole) * 100;
        let rest = &self.rest[whole as usize..];
        if let Some((tail, rest)) = rest.split_first_chunk()
            && let Some(hundredths) = wide::hundredths(u32::from_le_bytes(*tail))
        {
            self.rest = rest;
            return Qty::new(value + hundredths);
        }
        match rest {
            [b'"', rest @ ..] => {
                self.rest = rest;
                Qty::new(value)
            }
            [b'.', a @ b'0'..=b'9', b'"', rest @ ..] => {
                self.rest = rest;
                Qty::new(value + 10 * u64::from(a - b'0'))
            }
            _ => None,
        }
    }

    /// Passes the end of a frame: nothing, or one line break.
    #[inline(always)]
    pub fn end(self) -> Option<()> {
        (self.rest.is_empty() || self.rest == b"\n").then_some(())
    }
}

// The rare cases take and return bytes, not the cursor: so it lives in registers.

/// The length of a plain string that does not end in the first window, or that ends a frame.
#[cold]
fn long_string(bytes: &[u8]) -> Option<usize> {
    let mut len = 0;
    while let Some(window) = bytes.get(len..)?.first_chunk() {
        if let Some(end) = wide::plain_string(window) {
            return Some(len + end);
        }
        if len >= STRING_MAX || !wide::is_plain(window) {
            return None;
        }
        len += STRING_WINDOW;
    }
    let plain = |byte: &&u8| (0x20..0x7f).contains(*byte) && !b"\"\\".contains(byte);
    let len = len + bytes[len..].iter().take_while(plain).count();
    (bytes.get(len) == Some(&b'"')).then_some(len)
}

/// An integer of more digits than a word, or at the end of a frame, and what stands behind it.
#[cold]
fn long_integer(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = bytes.split_at(count);
    // 16 digits or more: nothing that a venue sends.
    if count == 0 || count > 15 || (count > 1 && digits[0] == b'0') {
        return None;
    }
    Some((digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')), rest))
}

/// Fewer than eight bytes, filled up with zeros.
#[cold]
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
