//! Names of orders and trades, as the venues write them.

use core::fmt;

/// Longest id: `0x` and 64 hexadecimal digits.
pub const ID_LEN_MAX: usize = 66;

/// An order's or a trade's id, kept as text: Kalshi writes UUIDs, Polymarket hashes and UUIDs, and
/// neither promises to. Letters are lower case, so that two spellings of a hash are one id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id {
    len: u8,
    text: [u8; ID_LEN_MAX],
}

impl Id {
    /// The id of a text, or `None` where it is empty, too long, or has a character that an id may
    /// not have: it goes into paths and queries as it is.
    pub fn parse(text: &str) -> Option<Id> {
        if text.is_empty() || text.len() > ID_LEN_MAX {
            return None;
        }
        let mut id = Id { len: text.len() as u8, text: [0; ID_LEN_MAX] };
        for (to, byte) in id.text.iter_mut().zip(text.bytes()) {
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
                return None;
            }
            *to = byte.to_ascii_lowercase();
        }
        Some(id)
    }

    /// A UUID in its usual spelling.
    pub fn uuid(number: u128) -> Id {
        let mut id = Id { len: 36, text: [b'-'; ID_LEN_MAX] };
        let part = |place: u32| hex_digits((number >> (96 - 32 * place)) as u32);
        let [one, two, three, four] = [part(0), part(1), part(2), part(3)];
        id.text[..8].copy_from_slice(&one);
        id.text[9..13].copy_from_slice(&two[..4]);
        id.text[14..18].copy_from_slice(&two[4..]);
        id.text[19..23].copy_from_slice(&three[..4]);
        id.text[24..28].copy_from_slice(&three[4..]);
        id.text[28..36].copy_from_slice(&four);
        // Equal ids are equal byte for byte, behind their text too.
        id.text[36..].fill(0);
        id
    }

    /// A hash in hexadecimal, after `0x`.
    pub fn hash(bytes: &[u8; 32]) -> Id {
        let mut id = Id { len: ID_LEN_MAX as u8, text: [0; ID_LEN_MAX] };
        id.text[0] = b'0';
        id.text[1] = b'x';
        for (pair, byte) in id.text[2..].chunks_exact_mut(2).zip(bytes) {
            pair[0] = hex(byte >> 4);
            pair[1] = hex(byte & 0xf);
        }
        id
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Made of ASCII by every constructor.
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The last characters as a number, which are those that differ from id to id; ids that are not
    /// equal may have the same.
    #[inline]
    pub(crate) fn tail(&self) -> u64 {
        let from = usize::from(self.len).saturating_sub(size_of::<u64>());
        self.text[from..].first_chunk().map_or(0, |tail| u64::from_le_bytes(*tail))
    }

    /// The text as it goes into a request.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }
}

/// Eight hexadecimal digits, all at once: an order's id is written while its order waits.
#[inline]
const fn hex_digits(number: u32) -> [u8; 8] {
    let mut nibbles = number as u64;
    nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff;
    nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff;
    nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    // One in every byte that is a letter: from ten on, six more reach sixteen.
    let letters = ((nibbles + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    let to_letter = (b'a' - 10 - b'0') as u64;
    (nibbles + 0x3030_3030_3030_3030 + letters * to_letter).to_be_bytes()
}

const fn hex(nibble: u8) -> u8 {
    b"0123456789abcdef"[nibble as usize]
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_text() {
        let uuid = Id::uuid(0x97ec18b7_10d3_4557_9de0_8598aad625f0);
        assert_eq!(uuid.as_str(), "97ec18b7-10d3-4557-9de0-8598aad625f0");
        assert_eq!(Id::parse("97EC18B7-10d3-4557-9de0-8598aad625f0"), Some(uuid));
        let hash = Id::hash(&[0xab; 32]);
        assert_eq!(hash.as_str(), format!("0x{}", "ab".repeat(32)));
        assert_eq!(Id::parse(&format!("0x{}", "AB".repeat(32))), Some(hash));
        assert_ne!(Id::parse("a"), Id::parse("ab"));
    }

    #[test]
    fn every_digit_is_written_as_the_formatter_writes_it() {
        for number in [0, 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210, u128::MAX, 1 << 127] {
            let digits = format!("{number:032x}");
            let (a, b, c) = (&digits[..8], &digits[8..12], &digits[12..16]);
            let text = format!("{a}-{b}-{c}-{}-{}", &digits[16..20], &digits[20..]);
            assert_eq!(Id::uuid(number).as_str(), text);
            assert_eq!(Id::parse(&text), Some(Id::uuid(number)));
        }
    }

    #[test]
    fn what_cannot_stand_in_a_path_is_no_id() {
        for text in ["", "a b", "a/b", "a?b=c", "a&b", "ä", "a\r\nb", &"a".repeat(67)] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
    }
}
