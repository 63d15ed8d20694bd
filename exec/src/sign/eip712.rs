//! Typed data -> the digest that is signed (EIP-712): words of 32 bytes, hashed by hand.

use sha3::{Digest, Keccak256};

use super::address::Address;
use crate::token::TokenId;

/// 32 bytes as the contracts see them: a hash, or a number with its most significant byte first.
pub type Word = [u8; 32];

/// Keccak-256.
pub fn keccak256(bytes: &[u8]) -> Word {
    Keccak256::digest(bytes).into()
}

/// A number as a word.
pub const fn word_of(value: u64) -> Word {
    let mut word = [0; 32];
    let bytes = value.to_be_bytes();
    let mut at = 0;
    while at < 8 {
        word[24 + at] = bytes[at];
        at += 1;
    }
    word
}

/// Words to be hashed, `N` bytes of them.
pub struct Words<const N: usize> {
    len: usize,
    bytes: [u8; N],
}

impl<const N: usize> Words<N> {
    /// Starts with the hash of a type.
    pub fn of_type(type_hash: Word) -> Words<N> {
        Words { len: 0, bytes: [0; N] }.word(type_hash)
    }

    /// Appends a word.
    #[must_use]
    pub fn word(mut self, word: Word) -> Words<N> {
        self.bytes[self.len..self.len + 32].copy_from_slice(&word);
        self.len += 32;
        self
    }

    /// Appends a number.
    #[must_use]
    pub fn number(self, value: u64) -> Words<N> {
        self.word(word_of(value))
    }

    /// Appends an account.
    #[must_use]
    pub fn address(self, address: Address) -> Words<N> {
        self.word(address.to_word())
    }

    /// Appends a token id.
    #[must_use]
    pub fn token(self, token: TokenId) -> Words<N> {
        self.word(token.to_be_bytes())
    }

    /// The hash of all of them; there must be exactly as many as there is room for.
    pub fn hash(&self) -> Word {
        assert_eq!(self.len, N, "as many words as the type has members");
        keccak256(&self.bytes)
    }
}

/// The hash of a domain, with or without a contract.
pub fn domain_separator(
    name: &str,
    version: &str,
    chain_id: u64,
    verifying_contract: Option<Address>,
) -> Word {
    const WITH: &[u8] =
        b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
    const WITHOUT: &[u8] = b"EIP712Domain(string name,string version,uint256 chainId)";
    let (name, version) = (keccak256(name.as_bytes()), keccak256(version.as_bytes()));
    match verifying_contract {
        Some(contract) => Words::<160>::of_type(keccak256(WITH))
            .word(name)
            .word(version)
            .number(chain_id)
            .address(contract)
            .hash(),
        None => Words::<128>::of_type(keccak256(WITHOUT))
            .word(name)
            .word(version)
            .number(chain_id)
            .hash(),
    }
}

/// The digest that is signed: of a domain and a struct.
pub fn digest(domain: &Word, struct_hash: &Word) -> Word {
    let mut bytes = [0; 66];
    bytes[..2].copy_from_slice(&[0x19, 0x01]);
    bytes[2..34].copy_from_slice(domain);
    bytes[34..].copy_from_slice(struct_hash);
    keccak256(&bytes)
}
