//! Kalshi's signatures.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use exec::sign::kalshi::{KalshiSigner, ORDERS_PATH, WS_PATH};
use exec::sign::key::KalshiKey;
use exec::sign::text::parse_hex;
use rsa::pkcs8::DecodePublicKey;
use rsa::signature::Verifier;

use crate::{file, header, number};

#[test]
fn vectors_of_kalshi_signatures() {
    let Some(vectors) =
        file("auth_signing_vectors.json", Some("../shared/protocol/fixtures/kalshi"))
    else {
        return;
    };
    let text = |key: &str| vectors[key].as_str().unwrap();
    let (stamp, method, url) =
        (number(&vectors["timestamp_header"]).unwrap(), text("method"), text("url"));
    let path = path_of(url);
    assert_eq!(text("signed_text"), format!("{stamp}{method}{path}"));

    // Ed25519 has one signature for a text, so ours must be the stated one.
    let ed25519 = &vectors["ed25519"];
    let seed = parse_hex::<32>(ed25519["seed_hex"].as_str().unwrap()).unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(&seed);
    let public: [u8; 32] = parse_hex(ed25519["public_key_hex"].as_str().unwrap()).unwrap();
    assert_eq!(key.verifying_key().to_bytes(), public);
    let pem = key.to_pkcs8_pem(Default::default()).unwrap();
    let key = KalshiKey::from_pem(pem.as_bytes()).unwrap();
    let mut signer = KalshiSigner::new(key, "a-key-id", [0; 32]).unwrap();
    let signature = |lines: &[u8]| header(lines, "KALSHI-ACCESS-SIGNATURE").to_owned();
    let ours = signer.sign(stamp, method, path);
    assert_eq!(signature(ours.as_bytes()), ed25519["signature_header"].as_str().unwrap());
    assert_eq!(header(ours.as_bytes(), "KALSHI-ACCESS-TIMESTAMP"), stamp.to_string());
    assert_eq!(header(ours.as_bytes(), "KALSHI-ACCESS-KEY"), "a-key-id");
    if path == ORDERS_PATH && method == "POST" {
        assert_eq!(signature(signer.order(stamp).as_bytes()), signature(ours.as_bytes()));
    }

    // What is behind a question mark is not signed.
    let rule = |key: &str| vectors["query_rule"][key].as_str().unwrap();
    let whole = signer.sign(stamp, "GET", path_of(rule("url")));
    let signed = signer.sign(stamp, "GET", rule("signed_path"));
    assert_eq!(signature(whole.as_bytes()), signature(signed.as_bytes()));

    // The upgrade of a WebSocket.
    let template = vectors["ws"]["signed_text_template"].as_str().unwrap();
    assert_eq!(template.replace("{ts_ms}", ""), format!("GET{WS_PATH}"));
    let login = signer.sign(stamp, "GET", WS_PATH);
    assert_eq!(signature(signer.login(stamp).as_bytes()), signature(login.as_bytes()));

    // RSA's signatures are salted: the stated one must pass the check that ours pass in the
    // tests of the signer.
    let rsa = &vectors["rsa_pss_sha256"];
    assert_eq!((&rsa["mgf"], &rsa["salt_length"]), (&"MGF1-SHA256".into(), &32.into()));
    let public = rsa["public_key_pem"].as_str().unwrap();
    let public = rsa::RsaPublicKey::from_public_key_pem(public).unwrap();
    let check = rsa::pss::VerifyingKey::<rsa::sha2::Sha256>::new(public);
    let bytes = BASE64_STANDARD.decode(rsa["signature_header"].as_str().unwrap()).unwrap();
    let stated = rsa::pss::Signature::try_from(&*bytes).unwrap();
    check.verify(text("signed_text").as_bytes(), &stated).unwrap();
    assert!(check.verify(b"another text", &stated).is_err());
}

/// What follows the host.
fn path_of(url: &str) -> &str {
    let rest = url.strip_prefix("https://").unwrap();
    &rest[rest.find('/').unwrap()..]
}
