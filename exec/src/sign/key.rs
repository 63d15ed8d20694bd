//! Key files and texts -> keys. A key's type is read from the key itself, never from the words
//! around it (kalshi.md section 1, "Signing").

use core::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rsa::pss::BlindedSigningKey;
use rsa::sha2::Sha256;
use rsa::traits::PublicKeyParts;
use zeroize::Zeroizing;

/// The largest file that is taken for a key.
pub const KEY_FILE_LEN_MAX: u64 = 64 * 1024;

/// Sizes of an RSA key that are taken, in bits. Kalshi makes 2048; own keys may be longer.
pub const RSA_BITS: [usize; 2] = [2_048, 4_096];

/// A key that signs for Kalshi: Ed25519, or RSA of 2048 to 4096 bits.
pub struct KalshiKey(pub(super) Kind);

pub(super) enum Kind {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    Rsa(Box<BlindedSigningKey<Sha256>>),
}

/// A key of a Polymarket wallet: secp256k1.
pub struct PolymarketKey(pub(super) k256::ecdsa::SigningKey);

/// Why a text is no key. Never holds any of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyError {
    /// No lines of PEM.
    NotPem,
    /// A PEM file that a passphrase protects.
    Encrypted,
    /// A PEM file that holds neither an Ed25519 key nor an RSA key.
    Unsupported,
    /// An RSA key of this many bits.
    RsaBits(usize),
    /// Not 64 hex digits, or no key of that curve.
    Hex,
}

/// Why a key file was not read.
#[derive(Debug)]
pub struct KeyFileError {
    /// Which file.
    pub path: PathBuf,
    /// Why.
    pub fault: KeyFileFault,
}

/// What is wrong with a key file.
#[derive(Debug)]
pub enum KeyFileFault {
    /// Others may read it; its permission bits.
    Mode(u32),
    /// Larger than [`KEY_FILE_LEN_MAX`], or no plain file.
    NotAKeyFile,
    /// The operating system refused.
    Io(io::Error),
}

/// The bytes of a key file that nobody else may read; wiped when dropped.
pub fn read_key_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let fail = |fault| KeyFileError { path: path.to_owned(), fault };
    let io = |e| fail(KeyFileFault::Io(e));
    let mut file = File::open(path).map_err(io)?;
    // Of the open file, so that what is checked is what is read.
    let meta = file.metadata().map_err(io)?;
    if !meta.is_file() || meta.len() > KEY_FILE_LEN_MAX {
        return Err(fail(KeyFileFault::NotAKeyFile));
    }
    if meta.mode() & 0o077 != 0 {
        return Err(fail(KeyFileFault::Mode(meta.mode() & 0o7777)));
    }
    // Room for all of it at once: growing would leave copies behind.
    let mut bytes = Zeroizing::new(vec![0; meta.len() as usize]);
    file.read_exact(&mut bytes).map_err(io)?;
    Ok(bytes)
}

impl KalshiKey {
    /// The key of a PEM text: PKCS#8 (Ed25519 or RSA) or PKCS#1 (RSA).
    pub fn from_pem(text: &[u8]) -> Result<KalshiKey, KeyError> {
        let der = pem_body(text)?;
        if let Ok(key) =
            <ed25519_dalek::SigningKey as ed25519_dalek::pkcs8::DecodePrivateKey>::from_pkcs8_der(
                &der,
            )
        {
            return Ok(KalshiKey(Kind::Ed25519(Box::new(key))));
        }
        let key = <rsa::RsaPrivateKey as rsa::pkcs8::DecodePrivateKey>::from_pkcs8_der(&der)
            .or_else(|_| {
                <rsa::RsaPrivateKey as rsa::pkcs1::DecodeRsaPrivateKey>::from_pkcs1_der(&der)
            })
            .map_err(|_| KeyError::Unsupported)?;
        let bits = key.n().bits();
        if !(RSA_BITS[0]..=RSA_BITS[1]).contains(&bits) {
            return Err(KeyError::RsaBits(bits));
        }
        key.validate().map_err(|_| KeyError::Unsupported)?;
        Ok(KalshiKey(Kind::Rsa(Box::new(BlindedSigningKey::new(key)))))
    }

    /// `ed25519` or `rsa`.
    pub const fn kind(&self) -> &'static str {
        match self.0 {
            Kind::Ed25519(_) => "ed25519",
            Kind::Rsa(_) => "rsa",
        }
    }

    /// The public key as a PEM text, for whoever checks the signatures.
    pub fn public_pem(&self) -> String {
        let made = match &self.0 {
            Kind::Ed25519(key) => {
                use ed25519_dalek::pkcs8::EncodePublicKey;
                key.verifying_key().to_public_key_pem(Default::default()).ok()
            }
            Kind::Rsa(key) => {
                use rsa::pkcs8::EncodePublicKey;
                let public = AsRef::<rsa::RsaPrivateKey>::as_ref(&**key).to_public_key();
                public.to_public_key_pem(Default::default()).ok()
            }
        };
        made.expect("a key that was read has a public half")
    }
}

impl PolymarketKey {
    /// The key of 64 hex digits, with or without `0x`; white space around them is ignored.
    pub fn from_hex(text: &str) -> Result<PolymarketKey, KeyError> {
        let bytes = super::text::parse_hex::<32>(text.trim()).ok_or(KeyError::Hex)?;
        let bytes = Zeroizing::new(bytes);
        let key = k256::ecdsa::SigningKey::from_slice(&*bytes).map_err(|_| KeyError::Hex)?;
        Ok(PolymarketKey(key))
    }
}

/// The bytes between the first `BEGIN` and `END` lines.
fn pem_body(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let text = core::str::from_utf8(text).map_err(|_| KeyError::NotPem)?;
    let mut lines = text.lines().map(str::trim).skip_while(|l| !l.starts_with("-----BEGIN "));
    let head = lines.next().ok_or(KeyError::NotPem)?;
    let mut digits = Zeroizing::new(String::with_capacity(text.len()));
    let mut ended = false;
    for line in lines {
        if line.starts_with("-----END ") {
            ended = true;
            break;
        }
        if line.starts_with("Proc-Type:") {
            return Err(KeyError::Encrypted);
        }
        digits.push_str(line);
    }
    if head.contains("ENCRYPTED") {
        return Err(KeyError::Encrypted);
    }
    if !ended {
        return Err(KeyError::NotPem);
    }
    // Room for all of it at once, as above.
    let mut der = Zeroizing::new(vec![0; base64::decoded_len_estimate(digits.len())]);
    let len =
        BASE64_STANDARD.decode_slice(digits.as_bytes(), &mut der).map_err(|_| KeyError::NotPem)?;
    der.truncate(len);
    Ok(der)
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::NotPem => f.write_str("no PEM text with BEGIN and END lines"),
            KeyError::Encrypted => {
                f.write_str("the key is protected by a passphrase; write it without one")
            }
            KeyError::Unsupported => f.write_str("neither an Ed25519 nor an RSA private key"),
            KeyError::RsaBits(bits) => {
                write!(f, "an RSA key of {bits} bits; {} to {} are taken", RSA_BITS[0], RSA_BITS[1])
            }
            KeyError::Hex => f.write_str("no secp256k1 key of 64 hex digits"),
        }
    }
}

impl core::error::Error for KeyError {}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.fault {
            KeyFileFault::Mode(mode) => write!(
                f,
                "key file {path}: mode {mode:04o} lets others read it; run `chmod 600 {path}`"
            ),
            KeyFileFault::NotAKeyFile => {
                write!(f, "key file {path}: no plain file of at most {KEY_FILE_LEN_MAX} bytes")
            }
            KeyFileFault::Io(error) => write!(f, "key file {path}: {error}"),
        }
    }
}

impl core::error::Error for KeyFileError {}

#[cfg(test)]
#[path = "key_tests.rs"]
pub(in crate::sign) mod tests;
