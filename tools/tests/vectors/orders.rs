//! Orders: amounts, ids, signatures and bodies.

use engine::units::{Px, Qty, Usd};
use exec::action::Action;
use exec::polymarket::{Amounts, OrderType, PolymarketIntent, limit_amounts, market_buy_amounts};
use exec::sign::address::Address;
use exec::sign::eip712::keccak256;
use exec::sign::key::PolymarketKey;
use exec::sign::order::{ORDER_TYPE, ORDER_TYPE_HASH, Placement, WalletKind};
use exec::sign::polymarket::{Chain, DOMAIN_NAME, PolymarketSigner, TYPED_DATA_SIGN, Wallet};
use exec::sign::position::{Exchange, MarketVersion};
use exec::sign::text::parse_hex;
use exec::token::TokenId;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};

use crate::{Row, decimal, each_row, hex, number};

#[test]
fn vectors_of_orders() {
    each_row("polymarket_orders.json", |row| {
        assert_eq!(row.function, "sign_order", "{}", row.what);
        let chain = Chain::from_id(row.number("chainId")).unwrap();
        let exchange = exchange_of(row);
        let wallet = Wallet {
            kind: WalletKind::from_number(row.number("signatureType") as u8).unwrap(),
            funder: row.input("funder").as_str().map(|text| Address::parse(text).unwrap()),
        };
        let key = PolymarketKey::from_hex(row.text("privateKey")).unwrap();
        let mut signer = PolymarketSigner::new(key, chain, wallet, Usd::new(i64::MAX)).unwrap();
        assert_eq!(signer.owner().to_string(), row.text("signerAddress"), "{}", row.what);

        let domain = row.output("domain");
        assert_eq!(domain["name"], DOMAIN_NAME, "{}", row.what);
        assert_eq!(domain["version"], exchange.domain_version(), "{}", row.what);
        assert_eq!(domain["chainId"], chain.id(), "{}", row.what);
        let contract = domain["verifyingContract"].as_str().unwrap();
        assert_eq!(Address::parse(contract), Some(chain.contract(exchange)), "{}", row.what);
        row.gives("domainSeparator", &hex(&chain.domain(exchange)));
        row.gives("typeHash", &hex(&ORDER_TYPE_HASH));

        let intent = intent_of(row);
        // The SDK cuts what it was given to the 53 bits that a JSON number holds.
        let salt = row.number("salt") & ((1 << 53) - 1);
        let mut order = signer.order(&intent, salt, row.number("timestampMs"));
        order.metadata = parse_hex(row.text("metadata")).unwrap();
        order.builder = parse_hex(row.text("builder")).unwrap();
        let want = row.output("order");
        let address = |key: &str| Address::parse(want[key].as_str().unwrap()).unwrap();
        assert_eq!(Some(salt), number(&want["salt"]), "{}", row.what);
        assert_eq!(order.maker, address("maker"), "{}", row.what);
        assert_eq!(order.signer, address("signer"), "{}", row.what);
        assert_eq!(Some(intent.token.to_string().as_str()), want["tokenId"].as_str());
        row.gives("structHash", &hex(&order.struct_hash()));
        row.gives("orderHash", &hex(&signer.id(exchange, &order).0));

        let signed = signer.sign(exchange, &order).unwrap();
        assert_eq!(signed.id, signer.id(exchange, &order), "{}", row.what);
        let bytes = signed.signature.as_bytes();
        row.gives("signature", &hex(bytes));
        assert_eq!(signer_of(&bytes[..65], row), signer.owner(), "{}", row.what);
        if wallet.kind == WalletKind::Deposit {
            let around = [TYPED_DATA_SIGN, ORDER_TYPE].concat();
            row.gives("typedDataSignTypeHash", &hex(&keccak256(around.as_bytes())));
            row.gives("innerSignature", &hex(&bytes[..65]));
            assert_eq!(row.output("contentsTypeLength").as_u64(), Some(ORDER_TYPE.len() as u64));
        }

        let placement = Placement {
            order_type: intent.order_type,
            post_only: post_only_of(row),
            defer_exec: row.input("deferExec").as_bool(),
        };
        let mut body = Vec::new();
        signed.push_body(&placement, row.text("owner"), &mut body);
        row.gives("postBody", std::str::from_utf8(&body).unwrap());
        assert!(!body.contains(&b'\''), "{}", row.what);
    });
}

/// By what the catalogue says; the bits of the id must agree.
fn exchange_of(row: &Row<'_>) -> Exchange {
    let version = match row.text("protocol") {
        "exchange_v2" => MarketVersion::V1,
        "exchange_v3" => MarketVersion::V2,
        other => panic!("{}: protocol {other}", row.what),
    };
    let token = TokenId::parse(row.text("assetId")).unwrap();
    let neg_risk = row.input("negRisk").as_bool().unwrap();
    Exchange::of(version, neg_risk, token).unwrap_or_else(|e| panic!("{}: {e}", row.what))
}

/// The SDK writes the flag of a limit order always, of a market order never.
fn post_only_of(row: &Row<'_>) -> Option<bool> {
    let flag = row.input("postOnly").as_bool();
    if row.text("kind") == "limit" { Some(flag.unwrap_or(false)) } else { flag }
}

/// The order of a row with the amounts that it states; ours must be the same.
fn intent_of(row: &Row<'_>) -> PolymarketIntent {
    let stated = |key: &str| number(&row.output("order")[key]).unwrap();
    let (maker_amount, taker_amount) = (stated("makerAmount"), stated("takerAmount"));
    let price = cut_to_tick(row);
    let spends_finer = row.text("kind") == "market_buy_usdc" && !decimal(row.text("amount"), 2).1;
    if !spends_finer {
        // The server takes cents and the SDK does not cut to them: see the amounts.
        let ours = amounts(row, price).unwrap_or_else(|e| panic!("{}: {e}", row.what));
        assert_eq!(ours, Amounts { maker_amount, taker_amount }, "{}", row.what);
    }
    PolymarketIntent {
        side: row.action(),
        token: TokenId::parse(row.text("assetId")).unwrap(),
        price,
        size: Qty::lit(decimal(row.text("amount"), 2).0 as u64),
        order_type: match row.text("orderType") {
            "GTC" => OrderType::Gtc,
            "GTD" => OrderType::Gtd { until_s: row.number("expiration") },
            "FOK" => OrderType::Fok,
            "FAK" => OrderType::Fak,
            other => panic!("{}: {other}", row.what),
        },
        maker_amount,
        taker_amount,
    }
}

/// Whose key made the 65 bytes over the digest that the row states.
fn signer_of(bytes: &[u8], row: &Row<'_>) -> Address {
    let digest: [u8; 32] = parse_hex(row.output("signedDigest").as_str().unwrap()).unwrap();
    let signature = Signature::from_slice(&bytes[..64]).unwrap();
    assert_eq!(signature, signature.normalize_s(), "{}: s is low", row.what);
    let recovery = RecoveryId::from_byte(bytes[64] - 27).unwrap();
    let key = VerifyingKey::recover_from_prehash(&digest, &signature, recovery).unwrap();
    let hash = keccak256(&key.to_sec1_point(false).as_bytes()[1..]);
    Address::new(hash[12..].try_into().unwrap())
}

fn px(text: &str) -> (Px, bool) {
    let (e4, exact) = decimal(text, 4);
    (Px::new(e4 as u16).unwrap(), exact)
}

/// The price of a row, truncated to the decimals of its tick as the foreign SDK does.
fn cut_to_tick(row: &Row<'_>) -> Px {
    let (price, tick) = (px(row.text("price")).0, px(row.text("tickSize")).0);
    let unit = [1_000, 100, 10, 1].into_iter().find(|u| tick.e4().is_multiple_of(*u));
    Px::lit(price.e4() - price.e4() % unit.unwrap())
}

/// The amounts of a row at a price.
fn amounts(row: &Row<'_>, price: Px) -> Result<Amounts, exec::polymarket::Refused> {
    let (amount, tick) = (row.text("amount"), px(row.text("tickSize")).0);
    if row.text("kind") == "market_buy_usdc" {
        return market_buy_amounts(price, Usd::new(decimal(amount, 6).0 as i64), tick);
    }
    limit_amounts(row.action(), price, Qty::lit(decimal(amount, 2).0 as u64), tick)
}

#[test]
fn vectors_of_amounts() {
    each_row("polymarket_amounts.json", |row| {
        let (kind, tick) = (row.text("kind"), px(row.text("tickSize")).0);
        let (mut price, exact) = px(row.text("price"));
        if !exact || !price.e4().is_multiple_of(tick.e4()) {
            // We never send a price off the tick. The foreign SDK truncates it to the tick's
            // decimals for its market orders; from there on the rows hold for us too.
            if exact {
                assert!(amounts(row, price).is_err(), "{}", row.what);
            }
            if kind == "limit" {
                assert_eq!(row.value["expect"], "reject", "{}", row.what);
                return;
            }
            price = cut_to_tick(row);
        }
        let got = amounts(row, price);
        // Where the SDKs differ the server sides with the unified one.
        let unified = row.output("unifiedSdk");
        let want = if unified.is_null() { &row.value["outputs"] } else { unified };
        let stated = |key: &str| number(&want[key]);
        if row.value["expect"] == "reject" || stated("makerAmount") == Some(0) {
            assert!(got.is_err(), "{}", row.what);
        } else {
            let (maker, taker) = (stated("makerAmount").unwrap(), stated("takerAmount").unwrap());
            let want = Amounts { maker_amount: maker, taker_amount: taker };
            assert_eq!(got, Ok(want), "{}: {}", row.what, row.value);
        }
        let buys_cents = row.action() == Action::Buy && kind == "market_buy_usdc";
        assert!(!buys_cents || got.is_err() || got.unwrap().maker_amount.is_multiple_of(10_000));
    });
}
