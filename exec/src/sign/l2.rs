//! Headers of every private request: an HMAC over time, method, path and body (polymarket.md
//! section 4.2).

use core::fmt;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::address::Address;
use super::text::{Digits, Text, is_plain};

/// Longest API key; the venue's are UUIDs of 36.
pub const API_KEY_LEN_MAX: usize = 64;

/// Longest passphrase; the venue's are 64 hex digits.
pub const PASSPHRASE_LEN_MAX: usize = 128;

/// Longest secret as text; the venue's are 44 characters.
const SECRET_LEN_MAX: usize = 256;

/// Characters of a signature: base64 of 32 bytes with its padding.
pub const HMAC_TEXT_LEN: usize = 44;

/// Header names in the order in which they are written.
pub const NAMES: [&str; 5] =
    ["POLY_ADDRESS", "POLY_SIGNATURE", "POLY_TIMESTAMP", "POLY_API_KEY", "POLY_PASSPHRASE"];

const LINES_LEN_MAX: usize = {
    let values = Address::TEXT_LEN + HMAC_TEXT_LEN + 20 + API_KEY_LEN_MAX + PASSPHRASE_LEN_MAX;
    let names = 12 + 14 + 14 + 12 + 15;
    names + 5 * ": \r\n".len() + values
};

/// What the venue gave for a wallet. Wiped when dropped.
pub struct ApiCredentials {
    key: String,
    secret: Zeroizing<String>,
    passphrase: Zeroizing<String>,
}

/// Which part of the credentials is wrong. Never holds any of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadCredentials {
    /// The key cannot stand in a header.
    Key,
    /// The secret is no base64.
    Secret,
    /// The passphrase cannot stand in a header.
    Passphrase,
}

impl ApiCredentials {
    /// Credentials as the venue wrote them.
    pub fn new(
        key: &str,
        secret: &str,
        passphrase: &str,
    ) -> Result<ApiCredentials, BadCredentials> {
        if !is_plain(key, API_KEY_LEN_MAX) {
            return Err(BadCredentials::Key);
        }
        if !is_plain(passphrase, PASSPHRASE_LEN_MAX) {
            return Err(BadCredentials::Passphrase);
        }
        if !is_plain(secret, SECRET_LEN_MAX) || secret_bytes(secret).is_none() {
            return Err(BadCredentials::Secret);
        }
        Ok(ApiCredentials {
            key: key.to_owned(),
            secret: Zeroizing::new(secret.to_owned()),
            passphrase: Zeroizing::new(passphrase.to_owned()),
        })
    }

    /// The API key, which is the `owner` in order bodies. No secret.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Base64url, tolerant of the other alphabet and of missing padding.
fn secret_bytes(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    const TOLERANT: GeneralPurpose = GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let mut url = Zeroizing::new(text.as_bytes().to_vec());
    for byte in url.iter_mut() {
        match *byte {
            b'+' => *byte = b'-',
            b'/' => *byte = b'_',
            _ => {}
        }
    }
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(url.len())]);
    let len = TOLERANT.decode_slice(&*url, &mut bytes).ok()?;
    bytes.truncate(len);
    (len > 0).then_some(bytes)
}

/// Five header lines that let one request in.
#[derive(Clone, Copy)]
pub struct L2Header(Text<LINES_LEN_MAX>);

impl L2Header {
    /// The lines, each with its line end.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Signs private requests to Polymarket.
pub struct L2Signer {
    address: [u8; Address::TEXT_LEN],
    credentials: ApiCredentials,
    /// Keyed once; each message starts from a copy.
    keyed: Hmac<Sha256>,
    hmacs: u64,
}

impl L2Signer {
    /// A signer for the account that the credentials were made for: the key's own, never a proxy.
    pub fn new(owner: Address, credentials: ApiCredentials) -> L2Signer {
        let secret = secret_bytes(&credentials.secret).expect("proved when it was read");
        let keyed = Hmac::new_from_slice(&secret).expect("an HMAC takes a key of any length");
        L2Signer { address: owner.to_checksum(), credentials, keyed, hmacs: 0 }
    }

    /// The header of one request. `timestamp_s` is Unix seconds, `method` in upper case, `body`
    /// the exact bytes that are sent; what follows a `?` in `path` is not signed.
    pub fn sign(&mut self, timestamp_s: u64, method: &str, path: &str, body: &[u8]) -> L2Header {
        let signature = self.hmac(timestamp_s, method, path, body);
        let mut lines = Text::EMPTY;
        lines.push_line(NAMES[0], &self.address);
        lines.push_line(NAMES[1], &signature);
        lines.push_line(NAMES[2], Digits::of(timestamp_s).as_bytes());
        lines.push_line(NAMES[3], self.credentials.key.as_bytes());
        lines.push_line(NAMES[4], self.credentials.passphrase.as_bytes());
        L2Header(lines)
    }

    /// The value of `POLY_SIGNATURE` of a request, as [`L2Signer::sign`] puts it into its lines.
    pub fn hmac(
        &mut self,
        timestamp_s: u64,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> [u8; HMAC_TEXT_LEN] {
        let path = path.split_once('?').map_or(path, |(before, _)| before);
        let mut mac = self.keyed.clone();
        mac.update(Digits::of(timestamp_s).as_bytes());
        mac.update(method.as_bytes());
        mac.update(path.as_bytes());
        mac.update(body);
        self.hmacs += 1;
        let mut text = [0; HMAC_TEXT_LEN];
        base64::prelude::BASE64_URL_SAFE
            .encode_slice(mac.finalize().into_bytes(), &mut text)
            .expect("32 bytes are 44 characters");
        text
    }

    /// Appends the three header lines that never change. They hold the passphrase.
    pub fn push_identity(&self, out: &mut Vec<u8>) {
        let values = [
            &self.address,
            self.credentials.key.as_bytes(),
            self.credentials.passphrase.as_bytes(),
        ];
        for (name, value) in [NAMES[0], NAMES[3], NAMES[4]].into_iter().zip(values) {
            for part in [name.as_bytes(), b": ", value, b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
    }

    /// The `owner` of order bodies: the API key.
    pub fn owner(&self) -> &str {
        self.credentials.key()
    }

    /// Appends the `auth` object of the user channel's first frame (polymarket.md section 3).
    /// It holds the secret: the caller keeps it out of logs and tapes.
    pub fn push_channel_auth(&self, out: &mut Vec<u8>) {
        for (name, value) in [
            ("{\"apiKey\":\"", &self.credentials.key),
            ("\",\"secret\":\"", &self.credentials.secret),
            ("\",\"passphrase\":\"", &self.credentials.passphrase),
        ] {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(value.as_bytes());
        }
        out.extend_from_slice(b"\"}");
    }

    /// HMACs made so far.
    pub const fn hmacs(&self) -> u64 {
        self.hmacs
    }
}

impl fmt::Display for BadCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadCredentials::Key => "the Polymarket API key is empty or cannot stand in a header",
            BadCredentials::Secret => "the Polymarket API secret is no base64",
            BadCredentials::Passphrase => {
                "the Polymarket API passphrase is empty or cannot stand in a header"
            }
        })
    }
}

impl core::error::Error for BadCredentials {}

#[cfg(test)]
#[path = "l2_tests.rs"]
mod tests;
