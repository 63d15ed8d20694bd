//! API keys and the signatures of requests (polymarket.md section 4).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use engine::units::Ns;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::polymarket::eip712::{Address, address, bare_hex, bytes_of_hex, hex, recover_auth};
use crate::polymarket::reply::Refusal;
use crate::venue::Request;

/// How far a request's stamp may be from the venue's clock.
const WINDOW_S: u64 = 10;

/// What a client gets for its log-in, and the account that it is for.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// A UUID.
    pub key: String,
    /// base64url, with padding.
    pub secret: String,
    /// Hex digits.
    pub passphrase: String,
    /// Whose log-in made it.
    pub address: Address,
    nonce: u64,
}

impl ApiKey {
    /// The key of an address and a nonce: always the same, so that a restarted venue knows it.
    pub fn derive(address: &Address, nonce: u64) -> ApiKey {
        let part = |what: &str| -> [u8; 32] {
            Sha256::digest([what.as_bytes(), address, &nonce.to_be_bytes()].concat()).into()
        };
        ApiKey {
            key: uuid(&part("key")),
            secret: URL_SAFE.encode(part("secret")),
            passphrase: bare_hex(&part("passphrase")),
            address: *address,
            nonce,
        }
    }

    /// The answer to a log-in.
    pub fn json(&self) -> Value {
        json!({ "apiKey": self.key, "secret": self.secret, "passphrase": self.passphrase })
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiKey").field("key", &self.key).finish_non_exhaustive()
    }
}

/// All keys that were made.
#[derive(Default, Debug)]
pub struct Keys {
    keys: BTreeMap<String, ApiKey>,
}

impl Keys {
    /// Makes a key, or finds it.
    pub fn make(&mut self, address: &Address, nonce: u64) -> &ApiKey {
        let key = ApiKey::derive(address, nonce);
        self.keys.entry(key.key.clone()).or_insert(key)
    }

    /// A key by its UUID.
    pub fn get(&self, key: &str) -> Option<&ApiKey> {
        self.keys.get(key)
    }

    /// All UUIDs of an address.
    pub fn of(&self, address: &Address) -> Vec<&str> {
        let own = self.keys.values().filter(|key| key.address == *address);
        own.map(|key| key.key.as_str()).collect()
    }

    /// Removes a key.
    pub fn delete(&mut self, key: &str) {
        self.keys.remove(key);
    }

    /// A log-in (section 4.1): its address and nonce.
    ///
    /// # Errors
    /// 401 `Invalid L1 Request headers`.
    pub fn log_in(now: Ns, request: &Request<'_>) -> Result<(Address, u64), Refusal> {
        let claim = || {
            let claimed = address(request.header("POLY_ADDRESS")?)?;
            let stamp = request.header("POLY_TIMESTAMP")?;
            let nonce = match request.header("POLY_NONCE") {
                None | Some("") => 0,
                Some(text) => text.parse().ok()?,
            };
            let signature = bytes_of_hex(request.header("POLY_SIGNATURE")?)?;
            let whose = recover_auth(&claimed, stamp, nonce, &signature)?;
            (in_window(now, stamp) && whose == claimed).then_some((claimed, nonce))
        };
        claim().ok_or_else(|| Refusal::new(401, "Invalid L1 Request headers"))
    }

    /// Creates the key of a log-in; one that exists is not made again.
    ///
    /// # Errors
    /// As [`Keys::log_in`], or 400 where it exists.
    pub fn create(&mut self, now: Ns, request: &Request<'_>) -> Result<Value, Refusal> {
        let (address, nonce) = Keys::log_in(now, request)?;
        if self.get(&ApiKey::derive(&address, nonce).key).is_some() {
            return Err(Refusal::new(400, "Could not create api key"));
        }
        Ok(self.make(&address, nonce).json())
    }

    /// The key that an earlier log-in with this nonce made.
    ///
    /// # Errors
    /// As [`Keys::log_in`], or 400 where there is none.
    pub fn find(&self, now: Ns, request: &Request<'_>) -> Result<Value, Refusal> {
        let (address, nonce) = Keys::log_in(now, request)?;
        let found = self.get(&ApiKey::derive(&address, nonce).key);
        found.map(ApiKey::json).ok_or_else(|| Refusal::new(400, "Could not derive api key!"))
    }

    /// The key that signed a request (section 4.2).
    ///
    /// # Errors
    /// 401 `Unauthorized/Invalid api key`.
    pub fn verify(&self, now: Ns, request: &Request<'_>) -> Result<ApiKey, Refusal> {
        let claim = || {
            let key = self.get(request.header("POLY_API_KEY")?)?;
            let stamp = request.header("POLY_TIMESTAMP")?;
            let says = address(request.header("POLY_ADDRESS")?)?;
            let known = request.header("POLY_PASSPHRASE")? == key.passphrase
                && says == key.address
                && in_window(now, stamp);
            let secret = URL_SAFE.decode(&key.secret).ok()?;
            let mut mac = Hmac::<Sha256>::new_from_slice(&secret).ok()?;
            for part in [stamp, request.method, request.path] {
                mac.update(part.as_bytes());
            }
            mac.update(request.body);
            let sent = URL_SAFE.decode(request.header("POLY_SIGNATURE")?).ok()?;
            (known && mac.verify_slice(&sent).is_ok()).then(|| key.clone())
        };
        claim().ok_or_else(|| Refusal::new(401, "Unauthorized/Invalid api key"))
    }

    /// The key of the user channel's first frame (section 3).
    pub fn of_frame(&self, auth: &Value) -> Option<&ApiKey> {
        let key = self.get(auth["apiKey"].as_str()?)?;
        let known = auth["passphrase"].as_str()? == key.passphrase
            && auth["secret"].as_str()?.trim_end_matches('=') == key.secret.trim_end_matches('=');
        known.then_some(key)
    }
}

fn in_window(now: Ns, stamp: &str) -> bool {
    let digits = stamp.bytes().all(|byte| byte.is_ascii_digit());
    digits && stamp.parse::<u64>().is_ok_and(|s| s.abs_diff(now.0 / 1_000_000_000) <= WINDOW_S)
}

/// A version-4 UUID of 16 of these bytes.
pub fn uuid(bytes: &[u8; 32]) -> String {
    let mut raw: [u8; 16] = [0; 16];
    raw.copy_from_slice(&bytes[..16]);
    raw[6] = raw[6] & 0x0f | 0x40;
    raw[8] = raw[8] & 0x3f | 0x80;
    let digits = bare_hex(&raw);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// Something that looks random and is always the same for the same words.
pub fn derived(words: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for word in words {
        hash.update((word.len() as u64).to_be_bytes());
        hash.update(word);
    }
    hash.finalize().into()
}

/// [`derived`] as a transaction or an order id.
pub fn derived_hex(words: &[&[u8]]) -> String {
    hex(&derived(words))
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
