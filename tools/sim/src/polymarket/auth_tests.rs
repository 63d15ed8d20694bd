use super::*;

const STAMP_S: u64 = 1_804_147_333;

fn now() -> Ns {
    Ns(STAMP_S * 1_000_000_000)
}

fn keys() -> (Keys, ApiKey) {
    let mut keys = Keys::default();
    let key = keys.make(&[7; 20], 0).clone();
    (keys, key)
}

fn signature(key: &ApiKey, message: &[u8]) -> String {
    let secret = URL_SAFE.decode(&key.secret).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(message);
    URL_SAFE.encode(mac.finalize().into_bytes())
}

#[test]
fn a_request_must_be_signed_as_it_is() {
    let (keys, key) = keys();
    let signed = signature(&key, format!("{STAMP_S}POST/order{{}}").as_bytes());
    let (address, stamp) = (hex(&key.address), STAMP_S.to_string());
    let headers = [
        ("poly_address", address.as_str()),
        ("POLY_SIGNATURE", &signed),
        ("POLY_TIMESTAMP", &stamp),
        ("POLY_API_KEY", &key.key),
        ("POLY_PASSPHRASE", &key.passphrase),
    ];
    let request =
        Request { method: "POST", path: "/order", query: "a=1", headers: &headers, body: b"{}" };
    assert_eq!(keys.verify(now(), &request).unwrap().key, key.key, "the query is not signed");
    let refused = |at, request: &Request<'_>| keys.verify(at, request).unwrap_err().status == 401;
    assert!(refused(now(), &Request { body: b"{ }", ..request }));
    assert!(refused(now(), &Request { path: "/orders", ..request }));
    assert!(refused(now(), &Request { method: "DELETE", ..request }));
    assert!(refused(now().after(Ns::from_ms(11_000)), &request), "too old");
    assert!(refused(Ns(now().0 - 11_000_000_000), &request), "from the future");
    for at in 0..headers.len() {
        let mut fewer = headers.to_vec();
        fewer.remove(at);
        assert!(refused(now(), &Request { headers: &fewer, ..request }), "{:?}", headers[at].0);
        let mut other = headers;
        let changed = format!("{}0", other[at].1);
        other[at].1 = &changed;
        assert!(refused(now(), &Request { headers: &other, ..request }), "{:?}", headers[at].0);
    }
}

#[test]
fn golden_hmacs_are_made_the_same_way() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/protocol/vectors/polymarket_l2_auth.json"
    );
    let Ok(bytes) = std::fs::read(path) else {
        eprintln!("skipped: {path} is absent");
        return;
    };
    let rows: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    for row in &rows {
        let inputs = &row["inputs"];
        let text = |key: &str| inputs[key].as_str().unwrap_or_default();
        let owner = address(text("address")).unwrap();
        let key = ApiKey {
            key: text("apiKey").into(),
            secret: text("secret").into(),
            passphrase: text("passphrase").into(),
            address: owner,
            nonce: 0,
        };
        let keys = Keys { keys: BTreeMap::from([(key.key.clone(), key)]) };
        let sent = row["outputs"]["headers"].as_object().unwrap();
        let headers: Vec<(&str, &str)> =
            sent.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let stamp: u64 = text("timestampSeconds").parse().unwrap();
        let request = Request {
            method: text("method"),
            path: text("signedPath"),
            query: "",
            headers: &headers,
            body: text("body").as_bytes(),
        };
        let at = Ns(stamp.saturating_mul(1_000_000_000));
        assert!(keys.verify(at, &request).is_ok(), "{row}");
    }
}

#[test]
fn a_key_is_made_once_and_found_again() {
    let (mut keys, key) = keys();
    assert_eq!(keys.make(&[7; 20], 0), &key);
    assert_ne!(keys.make(&[7; 20], 1), &key);
    assert_ne!(keys.make(&[8; 20], 0), &key);
    assert_eq!(keys.of(&[7; 20]).len(), 2);
    assert_eq!(keys.of_frame(&key.json()), Some(&key));
    let mut wrong = key.json();
    wrong["secret"] = json!("");
    assert_eq!(keys.of_frame(&wrong), None);
    assert!(!format!("{key:?}").contains(&key.secret), "no secret is printed");
}
