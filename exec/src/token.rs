//! Token and position ids of Polymarket: numbers of 256 bits that travel as decimal text and are
//! signed as bytes.

use core::fmt;

/// A token (v1) or position (v2) id (polymarket.md sections 2.1 and 5.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId([u8; 32]);

impl TokenId {
    /// The id of a decimal text, or `None` where that is no number below 2^256 in its one
    /// spelling: no sign, no zero in front.
    pub fn parse(text: &str) -> Option<TokenId> {
        if text.is_empty() || (text.starts_with('0') && text.len() > 1) {
            return None;
        }
        // Limbs of 32 bits, the least significant first; each digit multiplies all of them.
        let mut limbs = [0u32; 8];
        for byte in text.bytes() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            let mut carry = u64::from(digit);
            for limb in &mut limbs {
                let wide = u64::from(*limb) * 10 + carry;
                *limb = wide as u32;
                carry = wide >> 32;
            }
            if carry != 0 {
                return None;
            }
        }
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.rchunks_exact_mut(4).zip(limbs) {
            chunk.copy_from_slice(&limb.to_be_bytes());
        }
        Some(TokenId(bytes))
    }

    /// The number as an ABI word: 32 bytes, the most significant first.
    #[inline]
    pub const fn to_be_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for TokenId {
    /// Decimal, as the venue spells it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0;
        let mut text = [b'0'; 78]; // 2^256 has 78 digits.
        let mut at = text.len();
        while bytes.iter().any(|b| *b != 0) {
            let mut rest = 0u32;
            for byte in &mut bytes {
                let wide = rest << 8 | u32::from(*byte);
                *byte = (wide / 10) as u8;
                rest = wide % 10;
            }
            at -= 1;
            text[at] = b'0' + rest as u8;
        }
        let digits = &text[at.min(text.len() - 1)..];
        f.pad(core::str::from_utf8(digits).unwrap_or_default())
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_are_one_number() {
        let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        let mut one_in_front = [0; 32];
        one_in_front[15] = 1;
        for (text, bytes) in [
            ("0", [0; 32]),
            ("340282366920938463463374607431768211456", one_in_front),
            (max, [0xff; 32]),
        ] {
            let token = TokenId::parse(text).unwrap();
            assert_eq!(token.to_be_bytes(), bytes);
            assert_eq!(token.to_string(), text);
        }
        for text in ["1", "10", "255", "256", "4294967296", "52114319501245915516055106046884209"] {
            assert_eq!(TokenId::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_id() {
        let above =
            "115792089237316195423570985008687907853269984665640564039457584007913129639936";
        for text in ["", "-1", "+1", "01", "00", "1.0", "0x1", "1 ", above, &"9".repeat(500)] {
            assert_eq!(TokenId::parse(text), None, "{text}");
        }
    }
}
