//! Signatures checked as the venue checks them.

use super::*;
use ed25519_dalek::Verifier as _;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::sha2::Sha256;
use rsa::signature::Verifier as _;

use crate::sign::key::tests::{ed25519_pem, rsa_key};

fn signature_of(header: &SignedHeader) -> Vec<u8> {
    let text = std::str::from_utf8(header.as_bytes()).unwrap();
    let line = text.lines().nth(2).unwrap();
    BASE64_STANDARD.decode(line.strip_prefix("KALSHI-ACCESS-SIGNATURE: ").unwrap()).unwrap()
}

fn signer(pem: &str) -> KalshiSigner {
    KalshiSigner::new(KalshiKey::from_pem(pem.as_bytes()).unwrap(), "key-id", [3; 32]).unwrap()
}

#[test]
fn both_kinds_of_key_sign_what_the_venue_checks() {
    let mut signer_of_rsa = {
        let pem = rsa_key().to_pkcs8_pem(Default::default()).unwrap();
        signer(&pem)
    };
    let check = rsa::pss::VerifyingKey::<Sha256>::new(rsa_key().to_public_key());
    let text = format!("1703123456789POST{ORDERS_PATH}");
    let [one, two] = [(); 2].map(|()| {
        let header = signer_of_rsa.order(1_703_123_456_789);
        signature_of(&header)
    });
    for bytes in [&one, &two] {
        let signature = rsa::pss::Signature::try_from(bytes.as_slice()).unwrap();
        check.verify(text.as_bytes(), &signature).unwrap();
        assert!(check.verify(b"1703123456790POST", &signature).is_err());
    }
    assert_ne!(one, two, "salted");

    let mut signer = signer(&ed25519_pem());
    let public = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
    let bytes = signature_of(&signer.sign(5, "GET", "/trade-api/v2/portfolio/orders?limit=5"));
    let signature = ed25519_dalek::Signature::from_slice(&bytes).unwrap();
    public.verify(b"5GET/trade-api/v2/portfolio/orders", &signature).unwrap();
    let bytes = signature_of(&signer.login(6));
    let signature = ed25519_dalek::Signature::from_slice(&bytes).unwrap();
    public.verify(b"6GET/trade-api/ws/v2", &signature).unwrap();
    assert_eq!(signer.public_key_ops(), 2);
}

#[test]
fn a_header_is_three_lines_and_the_longest_fits() {
    let mut signer = signer(&ed25519_pem());
    let mut out = b"left over\r\n".to_vec();
    signer.order(1_703_123_456_789).write(&mut out);
    let text = String::from_utf8(out).unwrap();
    let start =
        "left over\r\nKALSHI-ACCESS-KEY: key-id\r\nKALSHI-ACCESS-TIMESTAMP: 1703123456789\r\n";
    assert!(text.starts_with(start) && text.ends_with("==\r\n"), "{text}");
    assert_eq!(text.lines().count(), 4);

    let id = "k".repeat(KEY_ID_LEN_MAX);
    let longest = SignedHeader::new(&id, u64::MAX, &[b'='; SIGNATURE_LEN_MAX]);
    assert_eq!(longest.as_bytes().len(), LINES_LEN_MAX);
    for id in ["", "two words", "a\r\nb", &"k".repeat(KEY_ID_LEN_MAX + 1)] {
        let key = KalshiKey::from_pem(ed25519_pem().as_bytes()).unwrap();
        assert_eq!(KalshiSigner::new(key, id, [3; 32]).err(), Some(BadKeyId), "{id}");
    }
}
