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
        let mut id = Id { len: 36, text: [0; ID_LEN_MAX] };
        let mut at = 0;
        for (place, byte) in number.to_be_bytes().into_iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                id.text[at] = b'-';
                at += 1;
            }
            id.text[at] = hex(byte >> 4);
            id.text[at + 1] = hex(byte & 0xf);
            at += 2;
        }
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
        core::str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or_default()
    }
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
    fn what_cannot_stand_in_a_path_is_no_id() {
        for text in ["", "a b", "a/b", "a?b=c", "a&b", "ä", "a\r\nb", &"a".repeat(67)] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
    }
}
