//! Headers of Kalshi: stamp, method and path are signed, the body is not (kalshi.md section 1,
//! "Signing"), so a header can be made before the order is known.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::Signer;
use rsa::signature::{RandomizedSigner, SignatureEncoding};

use super::key::{KalshiKey, Kind, RSA_BITS};
use super::rng::SignerRng;
use super::text::{Digits, Text, is_plain, push_number};

/// Path of `POST` that creates an order (kalshi.md section 4).
pub const ORDERS_PATH: &str = "/trade-api/v2/portfolio/events/orders";

/// Path of the WebSocket.
pub const WS_PATH: &str = "/trade-api/ws/v2";

/// Longest key id; the venue's are UUIDs of 36.
pub const KEY_ID_LEN_MAX: usize = 64;

/// Longest signature: base64 of the longest RSA key.
const SIGNATURE_LEN_MAX: usize = (RSA_BITS[1] / 8).div_ceil(3) * 4;

const NAMES: [&str; 3] =
    ["KALSHI-ACCESS-KEY", "KALSHI-ACCESS-TIMESTAMP", "KALSHI-ACCESS-SIGNATURE"];

const LINES_LEN_MAX: usize = {
    let values = KEY_ID_LEN_MAX + 20 + SIGNATURE_LEN_MAX;
    NAMES[0].len() + NAMES[1].len() + NAMES[2].len() + 3 * ": \r\n".len() + values
};

/// Three header lines that let one request in.
#[derive(Clone, Copy)]
pub struct SignedHeader {
    stamp_ms: u64,
    lines: Text<LINES_LEN_MAX>,
}

impl SignedHeader {
    fn new(key_id: &str, stamp_ms: u64, signature: &[u8]) -> SignedHeader {
        let mut lines = Text::EMPTY;
        lines.push_line(NAMES[0], key_id.as_bytes());
        lines.push_line(NAMES[1], Digits::of(stamp_ms).as_bytes());
        lines.push_line(NAMES[2], signature);
        SignedHeader { stamp_ms, lines }
    }

    /// Its stamp, Unix milliseconds.
    #[inline]
    pub const fn stamp_ms(&self) -> u64 {
        self.stamp_ms
    }

    /// The three lines, each with its line end.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.lines.as_bytes()
    }

    /// Appends the three lines.
    #[inline]
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

/// Why a signer could not be made: the key id cannot stand in a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadKeyId;

/// Signs requests to Kalshi.
pub struct KalshiSigner {
    key: KalshiKey,
    key_id: String,
    rng: SignerRng,
    text: Vec<u8>,
    public_key_ops: u64,
}

impl KalshiSigner {
    /// A signer with a key and the id under which the venue knows it. `seed` feeds the salts of
    /// RSA; Ed25519 needs none.
    pub fn new(key: KalshiKey, key_id: &str, seed: [u8; 32]) -> Result<KalshiSigner, BadKeyId> {
        if !is_plain(key_id, KEY_ID_LEN_MAX) {
            return Err(BadKeyId);
        }
        Ok(KalshiSigner {
            key,
            key_id: key_id.to_owned(),
            rng: SignerRng::new(seed),
            text: Vec::with_capacity(256),
            public_key_ops: 0,
        })
    }

    /// The header of one request. `stamp_ms` is Unix milliseconds and should come from
    /// [`super::stamps::Stamps`]; `method` is in upper case; what follows a `?` in `path` is not
    /// signed.
    pub fn sign(&mut self, stamp_ms: u64, method: &str, path: &str) -> SignedHeader {
        let path = path.split_once('?').map_or(path, |(before, _)| before);
        self.text.clear();
        push_number(stamp_ms, &mut self.text);
        self.text.extend_from_slice(method.as_bytes());
        self.text.extend_from_slice(path.as_bytes());
        let mut encoded = [0; SIGNATURE_LEN_MAX];
        let mut encode = |signature: &[u8]| {
            BASE64_STANDARD.encode_slice(signature, &mut encoded).expect("room for the longest key")
        };
        let len = match &self.key.0 {
            Kind::Ed25519(key) => encode(&key.sign(&self.text).to_bytes()),
            // PSS with SHA-256 and a salt of its 32 bytes.
            Kind::Rsa(key) => encode(&key.sign_with_rng(&mut self.rng, &self.text).to_bytes()),
        };
        self.public_key_ops += 1;
        SignedHeader::new(&self.key_id, stamp_ms, &encoded[..len])
    }

    /// The header of an order.
    pub fn order(&mut self, stamp_ms: u64) -> SignedHeader {
        self.sign(stamp_ms, "POST", ORDERS_PATH)
    }

    /// The header of a WebSocket's upgrade.
    pub fn login(&mut self, stamp_ms: u64) -> SignedHeader {
        self.sign(stamp_ms, "GET", WS_PATH)
    }

    /// Signatures made so far.
    pub const fn public_key_ops(&self) -> u64 {
        self.public_key_ops
    }
}

impl core::fmt::Display for BadKeyId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "a Kalshi key id is 1 to {KEY_ID_LEN_MAX} printable characters without quotes")
    }
}

impl core::error::Error for BadKeyId {}

#[cfg(test)]
#[path = "kalshi_tests.rs"]
mod tests;
