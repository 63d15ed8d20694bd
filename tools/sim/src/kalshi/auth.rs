//! Who sends a request: three headers and a signature over time, method and path
//! (kalshi.md section 1).

use std::collections::{BTreeMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use engine::units::Ns;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::sha2::Sha256;
use rsa::signature::Verifier as _;

use super::refusal::Refusal;
use super::text::ms;
use crate::venue::Request;

/// How far a header's time may be from the venue's, either way; milliseconds. The real window is
/// not documented: 10 s were accepted, 30 s into the past were not.
const WINDOW_MS: u64 = 10_000;

/// A member's public key.
pub enum PublicKey {
    /// RFC 8032 over the text.
    Ed25519(ed25519_dalek::VerifyingKey),
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    Rsa(Box<rsa::pss::VerifyingKey<Sha256>>),
}

impl PublicKey {
    /// Reads a PEM of any of the forms that the venue takes.
    pub fn from_pem(pem: &str) -> Option<PublicKey> {
        let pem = pem.trim();
        if let Ok(key) = ed25519_dalek::VerifyingKey::from_public_key_pem(pem) {
            return Some(PublicKey::Ed25519(key));
        }
        let rsa = rsa::RsaPublicKey::from_public_key_pem(pem)
            .or_else(|_| rsa::RsaPublicKey::from_pkcs1_pem(pem).map_err(drop));
        rsa.ok().map(|key| PublicKey::Rsa(Box::new(rsa::pss::VerifyingKey::new(key))))
    }

    /// True where `signature`, in standard base64, is this key's over `text`.
    pub fn verifies(&self, text: &str, signature: &str) -> bool {
        let Ok(bytes) = STANDARD.decode(signature) else { return false };
        match self {
            PublicKey::Ed25519(key) => ed25519_dalek::Signature::from_slice(&bytes)
                .is_ok_and(|signature| key.verify_strict(text.as_bytes(), &signature).is_ok()),
            PublicKey::Rsa(key) => rsa::pss::Signature::try_from(bytes.as_slice())
                .is_ok_and(|signature| key.verify(text.as_bytes(), &signature).is_ok()),
        }
    }
}

/// Headers of the current window, to notice one that comes twice. Whether the real venue minds is
/// not known, so this one counts only.
#[derive(Default)]
pub struct SeenHeaders {
    by_ms: BTreeMap<u64, HashSet<String>>,
    /// How many came again.
    pub reused: u64,
}

impl SeenHeaders {
    /// Counts the header where it was seen before.
    pub fn note(&mut self, now: Ns, stamp_ms: u64, signature: &str) {
        let oldest = ms(now).saturating_sub(2 * WINDOW_MS);
        self.by_ms = self.by_ms.split_off(&oldest);
        if !self.by_ms.entry(stamp_ms).or_default().insert(signature.to_owned()) {
            self.reused += 1;
        }
    }
}

/// What a request says about its sender, checked for form and time alone.
pub struct Credentials<'a> {
    /// The key's id.
    pub key_id: &'a str,
    /// The stamp as sent.
    pub stamp: &'a str,
    /// The stamp in Unix milliseconds.
    pub stamp_ms: u64,
    /// The signature in base64.
    pub signature: &'a str,
}

impl<'a> Credentials<'a> {
    /// True where a request carries any of the three headers.
    pub fn are_in(request: &Request<'_>) -> bool {
        ["KALSHI-ACCESS-KEY", "KALSHI-ACCESS-TIMESTAMP", "KALSHI-ACCESS-SIGNATURE"]
            .iter()
            .any(|name| request.header(name).is_some())
    }

    /// The headers of a request.
    ///
    /// # Errors
    /// 401 where one is missing or its time is outside the window.
    pub fn of(request: &Request<'a>, now: Ns) -> Result<Credentials<'a>, Refusal> {
        let header = |name, code| {
            let value = request.header(name).filter(|value| !value.is_empty());
            value.ok_or(Refusal::new(401, code))
        };
        let signature = header("KALSHI-ACCESS-SIGNATURE", "signature_is_missing_from_headers")?;
        let key_id = header("KALSHI-ACCESS-KEY", "key_is_missing_from_headers")?;
        let stamp = header("KALSHI-ACCESS-TIMESTAMP", "timestamp_is_missing_from_headers")?;
        let digits = stamp.bytes().all(|byte| byte.is_ascii_digit());
        let stamp_ms = stamp.parse::<u64>().ok().filter(|_| digits);
        let near = stamp_ms.filter(|stamp_ms| stamp_ms.abs_diff(ms(now)) <= WINDOW_MS);
        let stamp_ms = near.ok_or(Refusal::new(401, "header_timestamp_expired"))?;
        Ok(Credentials { key_id, stamp, stamp_ms, signature })
    }

    /// The text that must be signed.
    pub fn text(&self, method: &str, path: &str) -> String {
        format!("{}{method}{path}", self.stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of the protocol's fixtures.
    #[test]
    fn the_published_signatures_verify() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../shared/protocol/fixtures/kalshi/auth_signing_vectors.json"
        );
        let Ok(text) = std::fs::read_to_string(path) else {
            eprintln!("skipped: {path} is absent");
            return;
        };
        let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
        let signed = vectors["signed_text"].as_str().unwrap();
        let rsa = &vectors["rsa_pss_sha256"];
        let key = PublicKey::from_pem(rsa["public_key_pem"].as_str().unwrap()).unwrap();
        let signature = rsa["signature_header"].as_str().unwrap();
        assert!(key.verifies(signed, signature));
        assert!(!key.verifies("1703123456789GET/trade-api/v2/portfolio/events/orders", signature));

        let hex = vectors["ed25519"]["public_key_hex"].as_str().unwrap();
        let bytes: Vec<u8> =
            (0..32).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes.try_into().unwrap()).unwrap();
        let key = PublicKey::Ed25519(key);
        let signature = vectors["ed25519"]["signature_header"].as_str().unwrap();
        assert!(key.verifies(signed, signature));
        assert!(!key.verifies(signed, "AAAA") && !key.verifies(signed, "no base64!"));
    }
}
