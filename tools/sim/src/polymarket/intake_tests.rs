use serde_json::json;

use super::*;

fn intake(buys: bool, kind: &str, maker: u64, taker: u64) -> Intake {
    let zero = format!("0x{}", "0".repeat(64));
    Intake::read(&json!({
        "order": {
            "salt": 1, "maker": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
            "signer": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "tokenId": "12",
            "makerAmount": maker.to_string(), "takerAmount": taker.to_string(),
            "side": if buys { "BUY" } else { "SELL" }, "expiration": "0", "signatureType": 0,
            "timestamp": "1", "metadata": zero, "builder": zero, "signature": "0x00",
        },
        "orderType": kind, "owner": "k",
    }))
    .unwrap()
}

fn e4(order: &Intake, tick: u16) -> Option<u16> {
    order.limit(tick, "0xid").ok().map(Px::e4)
}

/// Millionths of a decimal text; `None` where there are more decimals.
fn millionths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<6}").parse().ok().filter(|_| part.len() <= 6)
}

#[test]
fn golden_amounts_imply_their_price() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/protocol/vectors/polymarket_amounts.json"
    );
    let Ok(bytes) = std::fs::read(path) else {
        eprintln!("skipped: {path} is absent");
        return;
    };
    let rows: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    let mut judged = 0;
    for row in rows.iter().filter(|row| row["expect"] == "ok") {
        let (inputs, outputs) = (&row["inputs"], &row["outputs"]);
        let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        // Where the packages disagree the venue takes the amounts in cents.
        let told = if outputs["unifiedSdk"].is_object() { &outputs["unifiedSdk"] } else { outputs };
        let amount = |key: &str| text(told, key).parse::<u64>().unwrap();
        let (maker, taker) = (amount("makerAmount"), amount("takerAmount"));
        let buys = text(inputs, "side") == "BUY";
        let market = text(inputs, "kind") != "limit";
        if maker == 0 || taker == 0 || (market && text(inputs, "amountUnit") == "shares" && buys) {
            continue;
        }
        let tick = u16::try_from(millionths(&text(inputs, "tickSize")).unwrap() / 100).unwrap();
        let price = u16::try_from(millionths(&text(inputs, "price")).unwrap() / 100).unwrap();
        let kind = if market { "FAK" } else { "GTC" };
        let order = intake(buys, kind, maker, taker);
        let got = order.limit(tick, "0xid");
        assert_eq!(got.map(Px::e4), Ok(price - price % tick), "{row}");
        judged += 1;
    }
    assert!(judged > 0, "no row was judged");
}

#[test]
fn amounts_that_make_no_price_are_refused_in_the_venues_words() {
    // 19.69 shares at 0.22 are 4.3318 dollars.
    assert_eq!(e4(&intake(false, "GTC", 19_690_000, 4_331_800), 100), Some(2_200));
    let text = intake(false, "GTC", 19_690_000, 4_331_900).limit(100, "0xid").unwrap_err();
    let said =
        "invalid amounts, the taker amount for a $0.22 order of size 19.69 should be '4.3318'";
    assert_eq!(text, said);
    let text = intake(true, "GTC", 5_150_000, 10_000_000).limit(100, "0xid").unwrap_err();
    assert_eq!(text, "order 0xid is invalid. Price (0.515) breaks minimum tick size rule: 0.01");
    let text = intake(true, "FAK", 3_331_000, 10_000_000).limit(1, "0xid").unwrap_err();
    assert!(text.contains("market buy orders maker amount supports a max accuracy of 2"), "{text}");
    assert_eq!(e4(&intake(true, "GTC", 10_000_000, 10_000_000), 100), None, "a dollar is no price");
    assert_eq!(e4(&intake(true, "GTC", 0, 10_000_000), 100), None);
    assert_eq!(e4(&intake(true, "GTC", AMOUNT_MAX, 10_000), 100), None);
}

#[test]
fn the_retired_struct_is_a_version_mismatch() {
    let refusal = Intake::read(&json!({"order": {"salt": 1, "nonce": "0"}})).unwrap_err();
    assert_eq!(refusal.text, "order_version_mismatch");
    assert_eq!(Intake::read(&json!([])).unwrap_err().text, "Invalid order payload");
}
