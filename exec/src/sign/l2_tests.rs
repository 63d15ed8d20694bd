//! Secrets in their spellings, and what never shows.

use super::*;

const OWNER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

fn signer(secret: &str) -> L2Signer {
    let credentials = ApiCredentials::new("key", secret, "pass").unwrap();
    L2Signer::new(Address::parse(OWNER).unwrap(), credentials)
}

#[test]
fn a_secret_is_one_in_either_alphabet_and_without_padding() {
    let signature = |secret: &str| signer(secret).hmac(1, "GET", "/data/orders?x=1", b"");
    let url = "-_--_14ir5IZd9Aqd6huNbcxFR1Bcc76FJZ9UO1mAwg=";
    let other = url.replace('-', "+").replace('_', "/");
    assert_eq!(signature(url), signature(&other));
    assert_eq!(signature(url), signature(url.trim_end_matches('=')));
    assert_ne!(signature(url), signature("AAAA"));
    let mut one = signer(url);
    assert_eq!(one.hmac(1, "GET", "/data/orders", b""), signature(url), "the query is not signed");
    assert_ne!(one.hmac(1, "GET", "/data/orders", b"{}"), signature(url));
    assert_eq!(one.hmacs(), 2);
}

#[test]
fn the_longest_lines_fit_and_odd_credentials_are_refused() {
    let (key, pass) = ("k".repeat(API_KEY_LEN_MAX), "p".repeat(PASSPHRASE_LEN_MAX));
    let credentials = ApiCredentials::new(&key, "AAAA", &pass).unwrap();
    let mut signer = L2Signer::new(Address::parse(OWNER).unwrap(), credentials);
    assert_eq!(signer.sign(u64::MAX, "POST", "/order", b"").as_bytes().len(), LINES_LEN_MAX);
    let odd = |key, secret, pass| ApiCredentials::new(key, secret, pass).err();
    assert_eq!(odd("", "AAAA", "p"), Some(BadCredentials::Key));
    assert_eq!(odd("k\r\nX: y", "AAAA", "p"), Some(BadCredentials::Key));
    assert_eq!(odd("it's", "AAAA", "p"), Some(BadCredentials::Key));
    assert_eq!(odd("k", "CANARY!", "p"), Some(BadCredentials::Secret));
    assert_eq!(odd("k", "", "p"), Some(BadCredentials::Secret));
    assert_eq!(odd("k", "AAAA", "two words"), Some(BadCredentials::Passphrase));
    assert!(!BadCredentials::Secret.to_string().contains("CANARY"));
}

#[test]
fn the_channel_is_told_who_we_are() {
    let mut out = b"{\"auth\":".to_vec();
    signer("AAAA").push_channel_auth(&mut out);
    out.push(b'}');
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let auth = &value["auth"];
    assert_eq!((&auth["apiKey"], &auth["secret"]), (&"key".into(), &"AAAA".into()));
    assert_eq!(auth["passphrase"], "pass");
}
