//! Digits, hex and header lines, written without a formatter and without allocating.

/// Digits of the largest `u64`.
const U64_DIGITS: usize = 20;

/// Text of at most `N` bytes that is `Copy`: it crosses rings as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Text<const N: usize> {
    len: u16,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    /// No text yet.
    pub const EMPTY: Text<N> = {
        assert!(N <= u16::MAX as usize);
        Text { len: 0, bytes: [0; N] }
    };

    /// What was written.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Appends bytes. Panics where they do not fit: `N` was chosen too small.
    pub fn push(&mut self, bytes: &[u8]) {
        let (from, to) = (usize::from(self.len), usize::from(self.len) + bytes.len());
        self.bytes[from..to].copy_from_slice(bytes);
        self.len = to as u16; // N fits, and `to` is at most N.
    }

    /// Writes over bytes that are there. Panics where there are fewer.
    #[inline]
    pub fn patch(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[..usize::from(self.len)][at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Appends `name: value` as a line of an HTTP head.
    pub fn push_line(&mut self, name: &str, value: &[u8]) {
        self.push(name.as_bytes());
        self.push(b": ");
        self.push(value);
        self.push(b"\r\n");
    }
}

/// A number as decimal text.
#[derive(Clone, Copy)]
pub struct Digits {
    at: u8,
    bytes: [u8; U64_DIGITS],
}

impl Digits {
    /// The digits of `value`, at least one.
    pub fn of(mut value: u64) -> Digits {
        let (mut bytes, mut at) = ([b'0'; U64_DIGITS], U64_DIGITS);
        loop {
            at -= 1;
            bytes[at] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                return Digits { at: at as u8, bytes };
            }
        }
    }

    /// The digits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[usize::from(self.at)..]
    }
}

/// Appends the decimal digits of `value`.
pub fn push_number(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(Digits::of(value).as_bytes());
}

/// Appends `0x` and the bytes in lower-case hex.
pub fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"0x");
    for byte in bytes {
        out.extend_from_slice(&hex_of(*byte));
    }
}

/// Two lower-case hex digits.
#[inline]
pub const fn hex_of(byte: u8) -> [u8; 2] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    [HEX[(byte >> 4) as usize], HEX[(byte & 0xf) as usize]]
}

/// The `N` bytes of a hex text, with or without `0x`, in either case.
pub fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let digits = digits.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// True for text that may stand in a header line and in a JSON string as it is: printable ASCII
/// without quotes, apostrophes and backslashes, at most `max` bytes and at least one.
pub fn is_plain(text: &str, max: usize) -> bool {
    !text.is_empty()
        && text.len() <= max
        && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_hex_are_what_the_formatter_writes() {
        for value in [0, 1, 9, 10, 99, 1_703_123_456_789, u64::MAX] {
            let mut out = Vec::new();
            push_number(value, &mut out);
            assert_eq!(out, value.to_string().into_bytes());
        }
        let mut out = Vec::new();
        push_hex(&[0, 0x0f, 0xf0, 0xab], &mut out);
        assert_eq!(out, b"0x000ff0ab");
        assert_eq!(parse_hex("0X000FF0ab"), Some([0, 0x0f, 0xf0, 0xab]));
        assert_eq!(parse_hex("000ff0ab"), Some([0, 0x0f, 0xf0, 0xab]));
        for odd in ["", "0x", "0x000ff0a", "0x000ff0abc0", "0x000ff0ag"] {
            assert_eq!(parse_hex::<4>(odd), None, "{odd}");
        }
    }

    #[test]
    fn lines_are_lines_and_plain_is_plain() {
        let mut text = Text::<16>::EMPTY;
        text.push_line("A", b"1");
        text.push_line("Bc", b"23");
        assert_eq!(text.as_bytes(), b"A: 1\r\nBc: 23\r\n");
        assert!(is_plain("005638f5-73bf", 13) && !is_plain("005638f5-73bf", 12));
        for odd in ["", "a b", "a\r\nB: c", "a\"", "it's", "a\\", "é"] {
            assert!(!is_plain(odd, 100), "{odd}");
        }
    }
}
