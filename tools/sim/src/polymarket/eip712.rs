//! Typed data: hashes, domains and the address that signed (polymarket.md sections 4.1 and 5).
//!
//! Written from the protocol alone, so that a mistake of the side that signs cannot hide here.

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use sha3::{Digest, Keccak256};

/// An address of 20 bytes.
pub type Address = [u8; 20];
/// A hash, or a word of 256 bits, big end first.
pub type Word = [u8; 32];

/// The chain that the venue settles on.
const CHAIN_ID: u64 = 137;
const DOMAIN_TYPE: &str =
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const AUTH_DOMAIN_TYPE: &str = "EIP712Domain(string name,string version,uint256 chainId)";
const ORDER_TYPE: &str = "Order(uint256 salt,address maker,address signer,uint256 tokenId,\
uint256 makerAmount,uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,\
bytes32 metadata,bytes32 builder)";
const WRAPPED_TYPE: &str = "TypedDataSign(Order contents,string name,string version,\
uint256 chainId,address verifyingContract,bytes32 salt)";
const AUTH_TYPE: &str = "ClobAuth(address address,string timestamp,uint256 nonce,string message)";
const AUTH_MESSAGE: &str = "This message attests that I control the given wallet";
/// Signature, domain, struct hash, type text and its length in two bytes.
const WRAPPED_LEN: usize = 65 + 32 + 32 + ORDER_TYPE.len() + 2;
const _: () = assert!(WRAPPED_LEN == 317);

/// The contract that an order is signed for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exchange {
    /// Domain 2, markets of one condition.
    Standard,
    /// Domain 2, markets of a neg-risk event.
    NegRisk,
    /// Domain 3, position ids.
    V3,
}

impl Exchange {
    /// All of them.
    pub const ALL: [Exchange; 3] = [Exchange::Standard, Exchange::NegRisk, Exchange::V3];

    /// The contract's address on Polygon, `0x` and 40 hex digits (section 5.1).
    pub const fn contract(self) -> &'static str {
        match self {
            Exchange::Standard => "0xE111180000d2663C0091e4f400237545B87B996B",
            Exchange::NegRisk => "0xe2222d279d744050d28e00520010520000310F59",
            Exchange::V3 => "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa",
        }
    }

    /// The version in its domain.
    pub const fn version(self) -> &'static str {
        match self {
            Exchange::Standard | Exchange::NegRisk => "2",
            Exchange::V3 => "3",
        }
    }

    fn domain(self, chain_id: u64) -> Word {
        // A contract of the table above is an address; were it not, no signature would fit.
        let contract = address(self.contract()).unwrap_or_default();
        keccak_words(&[
            keccak(DOMAIN_TYPE.as_bytes()),
            keccak(b"Polymarket CTF Exchange"),
            keccak(self.version().as_bytes()),
            word_u64(chain_id),
            word_address(&contract),
        ])
    }
}

/// What an order's signature covers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedOrder {
    /// Entropy, below 2^53.
    pub salt: u64,
    /// Holds the funds.
    pub maker: Address,
    /// Signs, or is the contract that vouches.
    pub signer: Address,
    /// The asset.
    pub token: Word,
    /// What the maker gives, in 1e-6.
    pub maker_amount: u64,
    /// What the maker gets, in 1e-6.
    pub taker_amount: u64,
    /// 0 buys, 1 sells.
    pub side: u8,
    /// 0 to 3.
    pub signature_type: u8,
    /// Unix milliseconds.
    pub timestamp: u64,
    /// Zero as a rule.
    pub metadata: Word,
    /// Zero as a rule.
    pub builder: Word,
}

impl SignedOrder {
    /// The struct's hash.
    pub fn struct_hash(&self) -> Word {
        keccak_words(&[
            keccak(ORDER_TYPE.as_bytes()),
            word_u64(self.salt),
            word_address(&self.maker),
            word_address(&self.signer),
            self.token,
            word_u64(self.maker_amount),
            word_u64(self.taker_amount),
            word_u64(u64::from(self.side)),
            word_u64(u64::from(self.signature_type)),
            word_u64(self.timestamp),
            self.metadata,
            self.builder,
        ])
    }

    /// The digest for an exchange: the order's id, for every signature type.
    pub fn id_for(&self, exchange: Exchange) -> Word {
        self.id(&exchange.domain(CHAIN_ID))
    }

    fn id(&self, domain: &Word) -> Word {
        digest(domain, &self.struct_hash())
    }

    /// Whose key signed it for an exchange; `None` where the signature's form is wrong.
    pub fn recover(&self, exchange: Exchange, signature: &[u8]) -> Option<Address> {
        self.recover_on(CHAIN_ID, exchange, signature)
    }

    fn recover_on(&self, chain_id: u64, exchange: Exchange, signature: &[u8]) -> Option<Address> {
        let (digest, tail) = self.signing_on(chain_id, exchange);
        let (inner, rest) = signature.split_at_checked(65)?;
        if rest == tail { recover(&digest, inner) } else { None }
    }

    /// What the key signs, and what follows the 65 bytes: nothing, or for type 3 the contents that
    /// a wallet's contract reads (ERC-7739, section 5.3).
    fn signing_on(&self, chain_id: u64, exchange: Exchange) -> (Word, Vec<u8>) {
        let domain = exchange.domain(chain_id);
        if self.signature_type != 3 {
            return (self.id(&domain), Vec::new());
        }
        let contents = self.struct_hash();
        let length = (ORDER_TYPE.len() as u16).to_be_bytes();
        let tail = [&domain[..], &contents, ORDER_TYPE.as_bytes(), &length].concat();
        let wrapped = keccak_words(&[
            keccak([WRAPPED_TYPE, ORDER_TYPE].concat().as_bytes()),
            contents,
            keccak(b"DepositWallet"),
            keccak(b"1"),
            word_u64(chain_id),
            word_address(&self.signer),
            [0; 32],
        ]);
        (digest(&domain, &wrapped), tail)
    }

    /// What a client signs and appends, for tests.
    #[cfg(test)]
    pub fn signing(&self, exchange: Exchange) -> (Word, Vec<u8>) {
        self.signing_on(CHAIN_ID, exchange)
    }
}

/// Whose key signed a log-in (section 4.1).
pub fn recover_auth(
    claimed: &Address,
    timestamp: &str,
    nonce: u64,
    signature: &[u8],
) -> Option<Address> {
    recover(&auth_digest_on(CHAIN_ID, claimed, timestamp, nonce), signature)
}

/// What a client signs to log in, for tests.
#[cfg(test)]
pub fn auth_digest(claimed: &Address, timestamp: &str, nonce: u64) -> Word {
    auth_digest_on(CHAIN_ID, claimed, timestamp, nonce)
}

fn auth_digest_on(chain_id: u64, claimed: &Address, timestamp: &str, nonce: u64) -> Word {
    let domain = keccak_words(&[
        keccak(AUTH_DOMAIN_TYPE.as_bytes()),
        keccak(b"ClobAuthDomain"),
        keccak(b"1"),
        word_u64(chain_id),
    ]);
    let contents = keccak_words(&[
        keccak(AUTH_TYPE.as_bytes()),
        word_address(claimed),
        keccak(timestamp.as_bytes()),
        word_u64(nonce),
        keccak(AUTH_MESSAGE.as_bytes()),
    ]);
    digest(&domain, &contents)
}

/// The hash that everything here is made of.
pub fn keccak(bytes: &[u8]) -> Word {
    Keccak256::digest(bytes).into()
}

fn keccak_words(words: &[Word]) -> Word {
    keccak(&words.concat())
}

fn digest(domain: &Word, struct_hash: &Word) -> Word {
    keccak(&[&[0x19, 0x01][..], domain, struct_hash].concat())
}

/// 65 bytes: r, s in its lower half, v of 27 or 28.
fn recover(digest: &Word, signature: &[u8]) -> Option<Address> {
    let (&v, rs) = signature.split_last()?;
    let recovery = RecoveryId::from_byte(v.checked_sub(27)?).filter(|id| !id.is_x_reduced())?;
    let parsed = Signature::from_slice(rs).ok()?;
    if parsed.normalize_s() != parsed {
        return None;
    }
    let key = VerifyingKey::recover_from_prehash(digest, &parsed, recovery).ok()?;
    Some(address_of(&key))
}

/// The address of a public key.
pub fn address_of(key: &VerifyingKey) -> Address {
    let point = key.to_sec1_point(false);
    let hash = keccak(&point.as_bytes()[1..]);
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    address
}

fn word_u64(value: u64) -> Word {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&value.to_be_bytes());
    word
}

fn word_address(address: &Address) -> Word {
    let mut word = [0; 32];
    word[12..].copy_from_slice(address);
    word
}

/// A word of its decimal text; `None` for anything but digits of at most 256 bits.
pub fn word_of_decimal(text: &str) -> Option<Word> {
    if text.is_empty() || text.len() > 78 {
        return None;
    }
    let mut word: Word = [0; 32];
    for byte in text.bytes() {
        let mut carry = u32::from(byte.checked_sub(b'0').filter(|digit| *digit < 10)?);
        for part in word.iter_mut().rev() {
            carry += u32::from(*part) * 10;
            *part = carry as u8;
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(word)
}

/// Bytes of `0x` and hex digits.
pub fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?.as_bytes();
    let nibble = |byte: u8| char::from(byte).to_digit(16);
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|pair| Some((nibble(pair[0])? << 4 | nibble(pair[1])?) as u8)).collect()
}

/// An address of `0x` and 40 hex digits, of either case.
pub fn address(text: &str) -> Option<Address> {
    bytes_of_hex(text)?.try_into().ok()
}

/// A word of `0x` and 64 hex digits.
pub fn word_of_hex(text: &str) -> Option<Word> {
    bytes_of_hex(text)?.try_into().ok()
}

/// `0x` and lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    format!("0x{}", bare_hex(bytes))
}

/// Lower-case hex digits.
pub fn bare_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|n| char::from(DIGITS[usize::from(n)]))
        .collect()
}

/// An address with the case that carries its checksum, as the venue writes them.
pub fn checksummed(address: &Address) -> String {
    let lower = bare_hex(address);
    let hash = keccak(lower.as_bytes());
    let cased = lower.chars().enumerate().map(|(at, digit)| {
        let nibble = hash[at / 2] >> (4 * (1 - at % 2)) & 15;
        if nibble >= 8 { digit.to_ascii_uppercase() } else { digit }
    });
    "0x".chars().chain(cased).collect()
}

#[cfg(test)]
#[path = "eip712_tests.rs"]
mod tests;
