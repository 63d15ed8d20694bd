//! Keys of the simulation's one trader: made once, kept in files that only their owner reads.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use engine::units::Usd;
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use sha3::{Digest, Keccak256};

use crate::cast::SHARDS;
use crate::universe::{KalshiAccount, PolymarketAccount};

/// The file of Kalshi's key.
pub const KALSHI_FILE: &str = "kalshi.pem";
/// The file of Polymarket's key: `0x` and 64 hex digits.
pub const POLYMARKET_FILE: &str = "polymarket.key";
/// Money on each shard of Kalshi, and on Polymarket: a hundred thousand dollars.
const CASH: Usd = Usd::new(100_000_000_000);

/// The kind of a Kalshi key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum KalshiKey {
    /// Ed25519 as PKCS#8.
    #[default]
    Ed25519,
    /// RSA of 2048 bits as PKCS#1, as Kalshi makes them.
    Rsa,
}

/// Makes a Kalshi key in `dir` and returns its public half as PEM.
///
/// # Errors
/// Where chance or the file fails.
pub fn make_kalshi(dir: &Path, kind: KalshiKey) -> io::Result<String> {
    let (private, public) = match kind {
        KalshiKey::Ed25519 => {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(io::Error::other)?;
            let key = SigningKey::from_bytes(&seed);
            let private = key.to_pkcs8_pem(LineEnding::LF).map_err(io::Error::other)?;
            (private.to_string(), ed25519_public(&key)?)
        }
        KalshiKey::Rsa => {
            let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048)
                .map_err(io::Error::other)?;
            let private = key.to_pkcs1_pem(rsa::pkcs1::LineEnding::LF).map_err(io::Error::other)?;
            (private.to_string(), rsa_public(&key)?)
        }
    };
    write_secret(&dir.join(KALSHI_FILE), &private)?;
    Ok(public)
}

/// The public half of the Kalshi key in `dir`, as PEM.
///
/// # Errors
/// Where the file is not there or holds no key.
pub fn read_kalshi(dir: &Path) -> io::Result<String> {
    let path = dir.join(KALSHI_FILE);
    let pem = std::fs::read_to_string(&path)?;
    if let Ok(key) = SigningKey::from_pkcs8_pem(&pem) {
        return ed25519_public(&key);
    }
    let key = rsa::pkcs1::DecodeRsaPrivateKey::from_pkcs1_pem(&pem);
    rsa_public(&key.map_err(|_| no_key(&path))?)
}

fn ed25519_public(key: &SigningKey) -> io::Result<String> {
    key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(io::Error::other)
}

fn rsa_public(key: &rsa::RsaPrivateKey) -> io::Result<String> {
    let public = key.to_public_key();
    public.to_pkcs1_pem(rsa::pkcs1::LineEnding::LF).map_err(io::Error::other)
}

/// A member of Kalshi with that key and money on every shard that the cast trades on.
pub fn kalshi(key_id: &str, public_key_pem: String) -> KalshiAccount {
    KalshiAccount {
        key_id: key_id.to_owned(),
        public_key_pem,
        cash: SHARDS.map(|shard| (shard, CASH)).to_vec(),
        balance_grid: Usd::new(100),
    }
}

/// Makes a Polymarket key in `dir` and returns the address that signs with it.
///
/// # Errors
/// Where chance or the file fails.
pub fn make_polymarket(dir: &Path) -> io::Result<String> {
    let key = loop {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        // Nearly every number is a key.
        if let Ok(key) = k256::ecdsa::SigningKey::from_slice(&bytes) {
            break key;
        }
    };
    write_secret(&dir.join(POLYMARKET_FILE), &format!("0x{}\n", hex(&key.to_bytes())))?;
    Ok(address(&key))
}

/// The address of the Polymarket key in `dir`.
///
/// # Errors
/// Where the file is not there or holds no key.
pub fn read_polymarket(dir: &Path) -> io::Result<String> {
    let path = dir.join(POLYMARKET_FILE);
    let text = std::fs::read_to_string(&path)?;
    let digits = text.trim().strip_prefix("0x").unwrap_or_default().as_bytes();
    let byte = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16).ok()
    };
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    let key = bytes.and_then(|bytes| k256::ecdsa::SigningKey::from_slice(&bytes).ok());
    Ok(address(&key.ok_or_else(|| no_key(&path))?))
}

/// A wallet on Polymarket. For signature types above 0 the funds are at an address of their own,
/// made from the signer's.
pub fn polymarket(signer: String, signature_type: u8) -> PolymarketAccount {
    let funder = match signature_type {
        0 => signer.clone(),
        other => {
            let mut hash = Keccak256::new();
            hash.update(signer.as_bytes());
            hash.update([other]);
            checksummed(&hash.finalize()[12..])
        }
    };
    PolymarketAccount { signer, funder, signature_type, cash: CASH, shares: Vec::new() }
}

fn address(key: &k256::ecdsa::SigningKey) -> String {
    let point = key.verifying_key().to_sec1_point(false);
    // The last twenty bytes of the hash of both coordinates.
    checksummed(&Keccak256::digest(&point.as_bytes()[1..])[12..])
}

/// An address as ERC-55 writes it.
fn checksummed(bytes: &[u8]) -> String {
    let digits = hex(bytes);
    let hash = Keccak256::digest(digits.as_bytes());
    let upper = |at: usize| (hash[at / 2] >> (4 * (1 - at % 2))) & 0x8 != 0;
    let spelt = digits.char_indices().map(|(at, digit)| match upper(at) {
        true => digit.to_ascii_uppercase(),
        false => digit,
    });
    format!("0x{}", spelt.collect::<String>())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn no_key(path: &Path) -> io::Error {
    let text = format!("{}: holds no key; start without --resume to make one", path.display());
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// Writes a file that only its owner reads, in place of an older one.
///
/// # Errors
/// Where the file cannot be written.
pub fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    // A new file, so that the mode is that of a new file.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn addresses_are_those_of_the_ercs_example() {
        let bytes: Vec<u8> = (0..20)
            .map(|at| {
                u8::from_str_radix(
                    &"5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"[2 * at..2 * at + 2],
                    16,
                )
                .unwrap()
            })
            .collect();
        assert_eq!(checksummed(&bytes), "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
        let mut one = [0; 32];
        one[31] = 1;
        let key = k256::ecdsa::SigningKey::from_slice(&one).unwrap();
        assert_eq!(address(&key), "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
    }

    #[test]
    fn keys_are_read_back_and_read_by_their_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        for kind in [KalshiKey::Ed25519, KalshiKey::Rsa] {
            let public = make_kalshi(dir.path(), kind).unwrap();
            assert_eq!(read_kalshi(dir.path()).unwrap(), public, "{kind:?}");
        }
        let signer = make_polymarket(dir.path()).unwrap();
        assert_eq!(read_polymarket(dir.path()).unwrap(), signer);
        for file in [KALSHI_FILE, POLYMARKET_FILE] {
            let mode = dir.path().join(file).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        assert_ne!(polymarket(signer.clone(), 3).funder, signer);
    }
}
