//! The shape that recorders write: keys in one order, no white space, short escapes.

use engine::units::{Ns, Venue};

use super::Head;

/// Longest text that `parse_quoted` leaves as it is, so that who takes its backslashes out later
/// knows the room that this needs.
pub const QUOTED_MAX: usize = 64 << 10;

/// The shape that recorders write, its text unescaped into `scratch`; `None` for every other.
pub fn parse_usual(bytes: &[u8], scratch: &mut Vec<u8>) -> Option<Head> {
    let head = parse_escaped(bytes)?;
    let frame = match head.frame {
        Some((from, to)) => Some((0, unescape(&bytes[from..to], scratch)?)),
        None => None,
    };
    Some(Head { frame, ..head })
}

/// The same where nothing is escaped but quotes, as in most frames. The text stays where it is, in
/// `bytes`: [`unquote`] does the rest, and cannot fail.
pub fn parse_quoted(bytes: &[u8]) -> Option<Head> {
    let head = parse_escaped(bytes)?;
    let text = head.frame.map_or(&[][..], |(from, to)| &bytes[from..to]);
    (text.len() <= QUOTED_MAX && only_quotes_are_escaped(text)).then_some(head)
}

/// The shape that recorders write; its text, if any, is UTF-8 and stands in `bytes`.
#[inline(always)]
fn parse_escaped(bytes: &[u8]) -> Option<Head> {
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
            let from = bytes.len() - rest.len();
            Some((from, from + text.len()))
        }
        None if rest == b",\"event\":\"connected\"}" => None,
        None => return None,
    };
    Some(Head { recv: Ns(recv), venue, conn, frame, mark: None })
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

/// Bytes that are searched together.
const BLOCK: usize = 64;

/// Bytes copied at once where the stretch between two escapes is no longer, as most are not.
const STRETCH: usize = 16;

/// The text of a JSON string without its quotes, into `out`; its length, or `None` for `\u`
/// escapes, stray quotes, control characters and escapes that do not exist.
///
/// Escapes stand some seven bytes apart in a frame of JSON, too dense for a search that starts
/// anew at each. So the backslashes of 64 bytes are found at once, and the stretches between
/// them are copied sixteen bytes at a time, wanted or not: the next copy overwrites what was too
/// much.
fn unescape(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    if out.len() < text.len() {
        out.resize(text.len(), 0);
    }
    let mut padded = [b' '; BLOCK];
    let (mut copied, mut wrote) = (0, 0);
    // The character behind the last backslash; where it is a backslash, it is none of its own.
    let mut escaped = usize::MAX;
    // All quotes must be escaped ones.
    let (mut quotes, mut escaped_quotes) = (0, 0);
    for from in (0..text.len()).step_by(BLOCK) {
        let block = block_at(text, from, &mut padded);
        if block.iter().fold(false, |any, b| any | (*b < 0x20)) {
            return None;
        }
        quotes += usize::from(block.iter().map(|b| u8::from(*b == b'"')).sum::<u8>());
        let mut slashes = backslashes(block);
        while slashes != 0 {
            let at = from + slashes.trailing_zeros() as usize;
            slashes &= slashes - 1;
            if at == escaped {
                continue;
            }
            wrote = copy(text, copied, at, out, wrote);
            escaped = at + 1;
            copied = at + 1;
            let short = match *text.get(escaped)? {
                b'"' => {
                    escaped_quotes += 1;
                    continue;
                }
                b'\\' | b'/' => continue,
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'b' => 0x08,
                b'f' => 0x0c,
                _ => return None,
            };
            out[wrote] = short;
            wrote += 1;
            copied += 1;
        }
    }
    (quotes == escaped_quotes).then(|| copy(text, copied, text.len(), out, wrote))
}

/// Whether each backslash stands before a quote, each quote behind a backslash, and there is no
/// control character: what is left once the backslashes are gone is what the text means.
fn only_quotes_are_escaped(text: &[u8]) -> bool {
    let (Some(first), Some(last)) = (text.first(), text.last()) else { return true };
    // Without a branch, so that many bytes are looked at together.
    let odd = text.iter().zip(&text[1..]).fold(0, |odd, (byte, next)| {
        odd | (u8::from(*byte == b'\\') ^ u8::from(*next == b'"')) | u8::from(*next < 0x20)
    });
    odd == 0 && *first >= 0x20 && *first != b'"' && *last != b'\\'
}

/// Takes the backslashes out of a text that `parse_quoted` left as it is. `out` has at least the
/// text's length; what is written of it.
pub fn unquote(text: &[u8], out: &mut [u8]) -> usize {
    let mut padded = [b' '; BLOCK];
    let (mut copied, mut wrote) = (0, 0);
    for from in (0..text.len()).step_by(BLOCK) {
        let block = block_at(text, from, &mut padded);
        let mut slashes = backslashes(block);
        while slashes != 0 {
            let at = from + slashes.trailing_zeros() as usize;
            slashes &= slashes - 1;
            wrote = copy(text, copied, at, out, wrote);
            copied = at + 1;
        }
    }
    copy(text, copied, text.len(), out, wrote)
}

/// A block of the text; `padded`, all blanks so far, holds one that its end cuts short.
#[inline]
fn block_at<'a>(text: &'a [u8], from: usize, padded: &'a mut [u8; BLOCK]) -> &'a [u8; BLOCK] {
    match text[from..].first_chunk() {
        Some(block) => block,
        None => {
            padded[..text.len() - from].copy_from_slice(&text[from..]);
            padded
        }
    }
}

/// Copies `text[from..to]` to `out[wrote..]`; where that ends.
#[inline]
fn copy(text: &[u8], from: usize, to: usize, out: &mut [u8], wrote: usize) -> usize {
    let len = to - from;
    match text[from..].first_chunk::<STRETCH>() {
        // What is written was read before, so `wrote <= from` and sixteen bytes fit.
        Some(bytes) if len <= STRETCH => out[wrote..wrote + STRETCH].copy_from_slice(bytes),
        _ => out[wrote..wrote + len].copy_from_slice(&text[from..to]),
    }
    wrote + len
}

/// A bit for each backslash of a block, the first byte's lowest.
#[inline]
fn backslashes(block: &[u8; BLOCK]) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const SLASH: u64 = 0x5c5c_5c5c_5c5c_5c5c;
    // Bit 8i moves to bit 56 + i.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (words, _) = block.as_chunks::<8>();
    words.iter().enumerate().fold(0, |mask, (i, bytes)| {
        let word = u64::from_le_bytes(*bytes) ^ SLASH;
        // Bit 7 of a byte is set where the byte is zero, exactly.
        let zero = !(((word & LOW) + LOW) | word | LOW);
        mask | (((zero >> 7).wrapping_mul(GATHER) >> 56) << (8 * i))
    })
}
