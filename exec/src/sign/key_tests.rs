//! Keys that are taken, keys that are not, and what errors say.

use super::*;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::EncodePrivateKey as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::LazyLock;

use crate::sign::rng::SignerRng;

pub(in crate::sign) fn ed25519_pem() -> String {
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    key.to_pkcs8_pem(Default::default()).unwrap().to_string()
}

/// Made once: finding primes takes longer than all the tests.
pub(in crate::sign) fn rsa_key() -> rsa::RsaPrivateKey {
    static KEY: LazyLock<rsa::RsaPrivateKey> = LazyLock::new(|| make_rsa(2_048));
    KEY.clone()
}

fn make_rsa(bits: usize) -> rsa::RsaPrivateKey {
    rsa::RsaPrivateKey::new(&mut SignerRng::new([7; 32]), bits).unwrap()
}

fn kind(pem: &str) -> Result<&'static str, KeyError> {
    KalshiKey::from_pem(pem.as_bytes()).map(|key| key.kind())
}

#[test]
fn the_type_is_read_from_the_key_and_not_from_its_header() {
    let rsa = rsa_key();
    let pkcs1 = rsa.to_pkcs1_pem(Default::default()).unwrap().to_string();
    let pkcs8 = rsa.to_pkcs8_pem(Default::default()).unwrap().to_string();
    assert!(pkcs1.contains("BEGIN RSA PRIVATE KEY") && pkcs8.contains("BEGIN PRIVATE KEY"));
    assert_eq!(kind(&pkcs1), Ok("rsa"));
    assert_eq!(kind(&pkcs8), Ok("rsa"));
    assert_eq!(kind(&pkcs1.replace("RSA PRIVATE", "PRIVATE")), Ok("rsa"));
    assert_eq!(kind(&ed25519_pem()), Ok("ed25519"));
    assert_eq!(kind(&ed25519_pem().replace("PRIVATE", "RSA PRIVATE")), Ok("ed25519"));
    // As OpenSSL writes it: without the public half.
    let der = [
        [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20].as_slice(),
        &[7; 32],
    ];
    let short = BASE64_STANDARD.encode(der.concat());
    let short = format!("-----BEGIN PRIVATE KEY-----\n{short}\n-----END PRIVATE KEY-----\n");
    assert_eq!(kind(&short), Ok("ed25519"));
    let public = |pem: &str| KalshiKey::from_pem(pem.as_bytes()).unwrap().public_pem();
    assert_eq!(public(&short), public(&ed25519_pem()));
    assert!(public(&pkcs1).starts_with("-----BEGIN PUBLIC KEY-----\nMIIB"));
    let windows = format!("# my key\r\n{}", ed25519_pem().replace('\n', "\r\n"));
    assert_eq!(kind(&windows), Ok("ed25519"));
}

#[test]
fn what_is_no_key_says_so_without_a_word_of_it() {
    assert_eq!(kind(""), Err(KeyError::NotPem));
    assert_eq!(kind("CANARY"), Err(KeyError::NotPem));
    let cut = ed25519_pem();
    assert_eq!(kind(&cut[..cut.len() - 30]), Err(KeyError::NotPem));
    assert_eq!(kind(&cut.replace("K2Vw", "K2Vx")), Err(KeyError::Unsupported));
    assert_eq!(kind(&cut.replace("PRIVATE", "ENCRYPTED PRIVATE")), Err(KeyError::Encrypted));
    let small = make_rsa(1_024).to_pkcs1_pem(Default::default()).unwrap().to_string();
    assert_eq!(kind(&small), Err(KeyError::RsaBits(1_024)));
    let cases = ["", "0x", "CANARY", &"0".repeat(64), &"f".repeat(64), &"1".repeat(63)];
    for text in cases {
        let error = PolymarketKey::from_hex(text).err();
        assert_eq!(error, Some(KeyError::Hex), "{text}");
    }
    assert!(PolymarketKey::from_hex(&format!(" 0x{}\n", "1".repeat(64))).is_ok());
}

#[test]
fn a_key_file_that_others_may_read_is_not_read() {
    let folder = std::env::temp_dir().join(format!("parallax-key-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("kalshi.pem");
    fs::write(&path, ed25519_pem()).unwrap();
    for (mode, taken) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        match read_key_file(&path) {
            Ok(bytes) => assert!(taken && *bytes == ed25519_pem().into_bytes(), "{mode:o}"),
            Err(error) => {
                assert!(!taken, "{mode:o}");
                let (text, path) = (error.to_string(), path.display().to_string());
                assert!(text.contains(&path) && text.contains(&format!("{mode:04o}")), "{text}");
                assert!(text.contains(&format!("chmod 600 {path}")), "{text}");
            }
        }
    }
    let text = read_key_file(&folder).unwrap_err().to_string();
    assert!(text.contains("no plain file"), "{text}");
    let missing = folder.join("missing").display().to_string();
    let text = read_key_file(Path::new(&missing)).unwrap_err().to_string();
    assert!(text.contains(&missing), "{text}");
    fs::remove_dir_all(&folder).unwrap();
}
