//! Accounts of Polymarket: 20 bytes, and the wallets that follow from a key's own account.

use core::fmt;

use super::eip712::{Word, keccak256};
use super::text::{hex_of, parse_hex};

/// An account on the chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 20]);

impl Address {
    /// Characters of an address: `0x` and 40 digits.
    pub const TEXT_LEN: usize = 42;

    /// The account of these bytes.
    pub const fn new(bytes: [u8; 20]) -> Address {
        Address(bytes)
    }

    /// The account of a hex text, in either case. Its capitals are not checked as a checksum:
    /// venues write them in any case.
    pub fn parse(text: &str) -> Option<Address> {
        text.starts_with("0x").then(|| parse_hex(text).map(Address))?
    }

    /// The account of a hex text of our own.
    pub(super) const fn lit(text: &[u8; 40]) -> Address {
        let mut bytes = [0; 20];
        let mut at = 0;
        while at < 40 {
            let digit = text[at];
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                b'A'..=b'F' => digit - b'A' + 10,
                _ => panic!("hex digits"),
            };
            bytes[at / 2] = bytes[at / 2] << 4 | value;
            at += 1;
        }
        Address(bytes)
    }

    /// The account of an uncompressed public key without its first byte.
    pub(super) fn of_public_key(point: &[u8]) -> Address {
        Address::tail(&keccak256(point))
    }

    /// The bytes.
    pub const fn to_bytes(self) -> [u8; 20] {
        self.0
    }

    /// As a word: padded in front.
    pub fn to_word(self) -> Word {
        let mut word = [0; 32];
        word[12..].copy_from_slice(&self.0);
        word
    }

    /// The text in lower case.
    pub fn to_lower(self) -> [u8; Address::TEXT_LEN] {
        let mut text = [0; Address::TEXT_LEN];
        text[..2].copy_from_slice(b"0x");
        for (digits, byte) in text[2..].chunks_exact_mut(2).zip(self.0) {
            digits.copy_from_slice(&hex_of(byte));
        }
        text
    }

    /// The text whose capitals are a checksum (EIP-55).
    pub fn to_checksum(self) -> [u8; Address::TEXT_LEN] {
        let mut text = self.to_lower();
        let hash = keccak256(&text[2..]);
        for (at, digit) in text[2..].iter_mut().enumerate() {
            if hash[at / 2] >> (4 - at % 2 * 4) & 0xf >= 8 {
                digit.make_ascii_uppercase();
            }
        }
        text
    }

    /// The proxy wallet of an old email account (polymarket.md section 5.3, type 1).
    pub fn proxy_wallet(self) -> Address {
        create2(PROXY_FACTORY, keccak256(&self.0), &PROXY_CODE_HASH)
    }

    /// The Safe of an old browser account (polymarket.md section 5.3, type 2).
    pub fn safe_wallet(self) -> Address {
        create2(SAFE_FACTORY, keccak256(&self.to_word()), &SAFE_CODE_HASH)
    }

    fn tail(word: &Word) -> Address {
        let mut bytes = [0; 20];
        bytes.copy_from_slice(&word[12..]);
        Address(bytes)
    }
}

/// Factories (polymarket.md section 7) and the hashes of the code that they deploy.
const PROXY_FACTORY: Address = Address::lit(b"aB45c5A4B0c941a2F231C04C3f49182e1A254052");
const SAFE_FACTORY: Address = Address::lit(b"aacFeEa03eb1561C4e67d661e40682Bd20E3541b");
const PROXY_CODE_HASH: Word =
    word(b"d21df8dc65880a8606f09fe0ce3df9b8869287ab0b058be05aa9e8af6330a00b");
const SAFE_CODE_HASH: Word =
    word(b"2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf");

/// Where a factory puts the code with this hash under this salt (EIP-1014).
fn create2(factory: Address, salt: Word, code_hash: &Word) -> Address {
    let mut bytes = [0xff; 85];
    bytes[1..21].copy_from_slice(&factory.0);
    bytes[21..53].copy_from_slice(&salt);
    bytes[53..].copy_from_slice(code_hash);
    Address::tail(&keccak256(&bytes))
}

const fn word(text: &[u8; 64]) -> Word {
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < 64 {
        let digit = text[at];
        let value = if digit <= b'9' { digit - b'0' } else { digit - b'a' + 10 };
        bytes[at / 2] = bytes[at / 2] << 4 | value;
        at += 1;
    }
    bytes
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(core::str::from_utf8(&self.to_checksum()).unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_any_case_is_one_account_and_capitals_are_a_checksum() {
        // The first account of EIP-55's own examples.
        let text = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let address = Address::parse(text).unwrap();
        assert_eq!(address.to_string(), text);
        assert_eq!(Address::parse(&text.to_lowercase()), Some(address));
        assert_eq!(address.to_lower().as_slice(), text.to_lowercase().as_bytes());
        for odd in ["", "0x", &text[2..], &text[..41], &format!("{text}0")] {
            assert_eq!(Address::parse(odd), None, "{odd}");
        }
    }
}
