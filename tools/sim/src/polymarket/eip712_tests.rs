use serde_json::Value;

use super::*;

/// A file of golden rows, or `None` with a printed reason.
fn rows(file: &str) -> Option<Vec<Value>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/protocol/vectors/");
    match std::fs::read(format!("{path}{file}")) {
        Ok(bytes) => serde_json::from_slice(&bytes).ok(),
        Err(error) => {
            eprintln!("skipped: {path}{file}: {error}");
            None
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}"))
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| text(value, key).parse().unwrap())
}

fn exchange(inputs: &Value) -> Exchange {
    match (text(inputs, "protocol"), inputs["negRisk"].as_bool()) {
        ("exchange_v2", Some(true)) => Exchange::NegRisk,
        ("exchange_v2", _) => Exchange::Standard,
        _ => Exchange::V3,
    }
}

#[test]
fn golden_orders_verify_and_mutants_do_not() {
    let Some(rows) = rows("polymarket_orders.json") else { return };
    assert!(!rows.is_empty());
    for row in &rows {
        let (inputs, outputs) = (&row["inputs"], &row["outputs"]);
        let fields = &outputs["order"];
        let order = SignedOrder {
            salt: number(fields, "salt"),
            maker: address(text(fields, "maker")).unwrap(),
            signer: address(text(fields, "signer")).unwrap(),
            token: word_of_decimal(text(fields, "tokenId")).unwrap(),
            maker_amount: number(fields, "makerAmount"),
            taker_amount: number(fields, "takerAmount"),
            side: number(fields, "side") as u8,
            signature_type: number(fields, "signatureType") as u8,
            timestamp: number(fields, "timestamp"),
            metadata: word_of_hex(text(fields, "metadata")).unwrap(),
            builder: word_of_hex(text(fields, "builder")).unwrap(),
        };
        let name = text(row, "name");
        let (chain, exchange) = (number(inputs, "chainId"), exchange(inputs));
        // Amoy has a contract of its own for V3.
        if chain != CHAIN_ID && exchange == Exchange::V3 {
            continue;
        }
        let domain = exchange.domain(chain);
        assert_eq!(hex(&domain), text(outputs, "domainSeparator"), "{name}");
        assert_eq!(hex(&order.struct_hash()), text(outputs, "structHash"), "{name}");
        assert_eq!(hex(&order.id(&domain)), text(outputs, "orderHash"), "{name}");
        let owner = address(text(inputs, "signerAddress")).unwrap();
        let mut signature = bytes_of_hex(text(outputs, "signature")).unwrap();
        assert_eq!(order.recover_on(chain, exchange, &signature), Some(owner), "{name}");
        for other in Exchange::ALL.into_iter().filter(|other| *other != exchange) {
            assert_ne!(order.recover_on(chain, other, &signature), Some(owner), "{name}");
        }
        let dearer = SignedOrder { maker_amount: order.maker_amount + 1, ..order.clone() };
        assert_ne!(dearer.recover_on(chain, exchange, &signature), Some(owner), "{name}");
        for at in [3, 40, 64, signature.len() - 1] {
            signature[at] ^= 1;
            assert_ne!(order.recover_on(chain, exchange, &signature), Some(owner), "{name} {at}");
            signature[at] ^= 1;
        }
        assert_eq!(order.recover_on(chain, exchange, &signature[..64]), None, "{name}");
    }
}

#[test]
fn golden_log_ins_verify() {
    let Some(rows) = rows("polymarket_l1_auth.json") else { return };
    for row in &rows {
        let headers = &row["outputs"]["headers"];
        let claimed = address(text(headers, "POLY_ADDRESS")).unwrap();
        let nonce = number(headers, "POLY_NONCE");
        let (stamp, chain) = (text(headers, "POLY_TIMESTAMP"), number(&row["inputs"], "chainId"));
        let signature = bytes_of_hex(text(headers, "POLY_SIGNATURE")).unwrap();
        let whose =
            |stamp, nonce| recover(&auth_digest_on(chain, &claimed, stamp, nonce), &signature);
        assert_eq!(whose(stamp, nonce), Some(claimed), "{row}");
        assert_ne!(whose(stamp, nonce + 1), Some(claimed));
        assert_ne!(whose("1", nonce), Some(claimed));
    }
}

#[test]
fn a_signature_in_the_upper_half_is_refused() {
    let key = k256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let hash = keccak(b"order");
    let (signature, recovery) = key.sign_prehash_recoverable(&hash);
    let mut bytes = signature.to_bytes().to_vec();
    bytes.push(27 + recovery.to_byte());
    assert_eq!(recover(&hash, &bytes), Some(address_of(key.verifying_key())));
    // n - s with the other parity is the same signature for a careless verifier.
    let high = k256::ecdsa::Signature::from_scalars(signature.r(), -*signature.s()).unwrap();
    let mut bytes = high.to_bytes().to_vec();
    bytes.push(27 + (recovery.to_byte() ^ 1));
    assert_eq!(recover(&hash, &bytes), None);
}

#[test]
fn words_and_addresses_are_read_exactly() {
    let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    assert_eq!(word_of_decimal(max), Some([255; 32]));
    assert_eq!(word_of_decimal(&max.replace("935", "936")), None);
    assert_eq!(word_of_decimal("-1"), None);
    assert_eq!(address("0x12"), None);
    let written = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    assert_eq!(checksummed(&address(&written.to_lowercase()).unwrap()), written);
}
