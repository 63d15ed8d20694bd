//! The shape that recorders write: keys in one order, no white space, short escapes.

use engine::units::{Ns, Venue};

use super::Head;

/// The shape that recorders write, or `None` for every other.
pub fn parse_usual(bytes: &[u8], scratch: &mut Vec<u8>) -> Option<Head> {
    let rest = bytes.strip_prefix(b"{\"recv_ns\":")?;
    let (recv, rest) = whole_number(rest)?;
    let rest = rest.strip_prefix(b",\"venue\":\"")?;
    let (venue, rest) = match rest.strip_prefix(b"kalshi\",\"conn\":") {
        Some(rest) => (Venue::Kalshi, rest),
        None => (Venue::Polymarket, rest.strip_prefix(b"polymarket\",\"conn\":")?),
    };
    let (conn, rest) = whole_number(rest)?;
    let conn = u32::try_from(conn).ok()?;
    let frame = match rest.strip_prefix(b",\"frame\":\"") {
        Some(rest) => {
            let text = rest.strip_suffix(b"\"}")?;
            std::str::from_utf8(text).ok()?;
            Some((0, unescape(text, scratch)?))
        }
        None if rest == b",\"event\":\"connected\"}" => None,
        None => return None,
    };
    Some(Head { recv: Ns(recv), venue, conn, frame })
}

/// A JSON integer from 0 to `u64::MAX` and what follows it.
fn whole_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    let mut len = 0;
    while let Some(digit) = bytes.get(len).map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10) {
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        len += 1;
    }
    // JSON knows no leading zero.
    if len == 0 || (len > 1 && bytes[0] == b'0') {
        return None;
    }
    Some((value, &bytes[len..]))
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Marks (bit 7 of a byte) the first quote, backslash or control character of eight bytes.
/// Marks above the first one may be false; the first never is.
#[inline]
fn first_special(word: u64) -> u64 {
    let zero_of = |w: u64| w.wrapping_sub(LOW) & !w & HIGH;
    let quote = zero_of(word ^ (LOW * 0x22));
    let backslash = zero_of(word ^ (LOW * 0x5c));
    let control = word.wrapping_sub(LOW * 0x20) & !word & HIGH;
    quote | backslash | control
}

/// The text of a JSON string without its quotes, into `out`; its length, or `None` for `\u`
/// escapes, stray quotes, control characters and escapes that do not exist.
///
/// Escapes stand some seven bytes apart in a frame of JSON, too dense for a search that starts
/// anew at each: eight bytes are copied at once, wanted or not, and the next copy overwrites
/// what was too much.
fn unescape(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    const WORD: usize = 8;
    if out.len() < text.len() + WORD {
        out.resize(text.len() + WORD, 0);
    }
    let (mut read, mut wrote) = (0, 0);
    while let Some(bytes) = text.get(read..read + WORD) {
        let word = u64::from_le_bytes(bytes.try_into().ok()?);
        // `wrote <= read`, and `out` is a word longer than `text`.
        out[wrote..wrote + WORD].copy_from_slice(&word.to_le_bytes());
        let marks = first_special(word);
        if marks == 0 {
            read += WORD;
            wrote += WORD;
            continue;
        }
        let plain = (marks.trailing_zeros() / 8) as usize;
        read += plain;
        wrote += plain;
        out[wrote] = unescape_one(text, read)?;
        read += 2;
        wrote += 1;
    }
    while let Some(&byte) = text.get(read) {
        if byte == b'"' || byte < 0x20 {
            return None;
        }
        if byte == b'\\' {
            out[wrote] = unescape_one(text, read)?;
            read += 2;
        } else {
            out[wrote] = byte;
            read += 1;
        }
        wrote += 1;
    }
    Some(wrote)
}

/// What the escape at `at` stands for; `None` where there is no two-byte escape.
#[inline]
fn unescape_one(text: &[u8], at: usize) -> Option<u8> {
    if text[at] != b'\\' {
        return None;
    }
    match *text.get(at + 1)? {
        same @ (b'"' | b'\\' | b'/') => Some(same),
        b'n' => Some(b'\n'),
        b't' => Some(b'\t'),
        b'r' => Some(b'\r'),
        b'b' => Some(0x08),
        b'f' => Some(0x0c),
        _ => None,
    }
}
