//! Headers that prove the wallet, to make or derive an API key (polymarket.md section 4.1).

use super::address::Address;
use super::eip712::{Word, Words, digest, domain_separator, keccak256};
use super::polymarket::Chain;
use super::text::{Digits, Text, hex_of};

/// What is signed beside the account, the time and the nonce.
pub const MESSAGE: &str = "This message attests that I control the given wallet";

const AUTH_TYPE: &[u8] = b"ClobAuth(address address,string timestamp,uint256 nonce,string message)";

/// The domain's name; it has no contract and stays version 1.
pub const DOMAIN_NAME: &str = "ClobAuthDomain";

/// The constant parts of what is signed.
pub(super) struct ClobAuth {
    domain: Word,
    type_hash: Word,
    message: Word,
}

impl ClobAuth {
    pub(super) fn new(chain: Chain) -> ClobAuth {
        ClobAuth {
            domain: domain_separator(DOMAIN_NAME, "1", chain.id(), None),
            type_hash: keccak256(AUTH_TYPE),
            message: keccak256(MESSAGE.as_bytes()),
        }
    }

    pub(super) fn digest(&self, owner: Address, timestamp_s: u64, nonce: u64) -> Word {
        let hash = Words::<160>::of_type(self.type_hash)
            .address(owner)
            .word(keccak256(Digits::of(timestamp_s).as_bytes()))
            .number(nonce)
            .word(self.message)
            .hash();
        digest(&self.domain, &hash)
    }
}

/// The four header lines of `POST /auth/api-key` and `GET /auth/derive-api-key`.
#[derive(Clone, Copy)]
pub struct L1Header(Text<288>);

impl L1Header {
    pub(super) fn new(
        owner: Address,
        signature: &[u8; 65],
        timestamp_s: u64,
        nonce: u64,
    ) -> L1Header {
        let mut hex = [0; 132];
        hex[..2].copy_from_slice(b"0x");
        for (digits, byte) in hex[2..].chunks_exact_mut(2).zip(signature) {
            digits.copy_from_slice(&hex_of(*byte));
        }
        let mut lines = Text::EMPTY;
        lines.push_line("POLY_ADDRESS", &owner.to_lower());
        lines.push_line("POLY_SIGNATURE", &hex);
        lines.push_line("POLY_TIMESTAMP", Digits::of(timestamp_s).as_bytes());
        lines.push_line("POLY_NONCE", Digits::of(nonce).as_bytes());
        L1Header(lines)
    }

    /// The lines, each with its line end.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
