//! Domains, wallets, and both kinds of Polymarket's headers.

use engine::units::Usd;
use exec::sign::address::Address;
use exec::sign::eip712::{domain_separator, keccak256};
use exec::sign::key::PolymarketKey;
use exec::sign::l1::MESSAGE;
use exec::sign::l2::{ApiCredentials, L2Signer, NAMES};
use exec::sign::order::{ORDER_TYPE, ORDER_TYPE_HASH, WalletKind};
use exec::sign::polymarket::{Chain, PolymarketSigner, TYPED_DATA_SIGN, Wallet};
use exec::sign::position::{Exchange, Position};
use exec::token::TokenId;

use crate::{each_row, header, hex};

#[test]
fn vectors_of_domains() {
    each_row("polymarket_domains.json", |row| match row.function {
        "domain_separator" => {
            let contract =
                row.input("verifyingContract").as_str().map(|text| Address::parse(text).unwrap());
            let id = row.number("chainId");
            let separator = domain_separator(row.text("name"), row.text("version"), id, contract);
            row.gives("domainSeparator", &hex(&separator));
            // What we sign with is that domain, and not merely computed like it.
            let ours = match row.value["name"].as_str() {
                Some("exchange_v2_standard") => Exchange::V2,
                Some("exchange_v2_neg_risk") => Exchange::V2NegRisk,
                Some("exchange_v3") => Exchange::V3,
                _ => return,
            };
            row.gives("domainSeparator", &hex(&Chain::from_id(id).unwrap().domain(ours)));
        }
        "type_hash" => {
            row.gives("typeHash", &hex(&keccak256(row.text("type").as_bytes())));
            match row.value["name"].as_str() {
                Some("Order") => {
                    assert_eq!(row.text("type"), ORDER_TYPE);
                    row.gives("typeHash", &hex(&ORDER_TYPE_HASH));
                }
                Some("TypedDataSign") => {
                    assert_eq!(row.text("type"), [TYPED_DATA_SIGN, ORDER_TYPE].concat());
                }
                _ => {}
            }
        }
        "derive_wallets" => {
            let owner = Address::parse(row.text("eoa")).unwrap();
            row.gives("proxyWallet", &owner.proxy_wallet().to_string());
            row.gives("safeWallet", &owner.safe_wallet().to_string());
        }
        other => panic!("{}: {other}", row.what),
    });
}

#[test]
fn vectors_of_l1_headers() {
    each_row("polymarket_l1_auth.json", |row| {
        let key = PolymarketKey::from_hex(row.text("privateKey")).unwrap();
        let chain = Chain::from_id(row.number("chainId")).unwrap();
        let wallet = Wallet { kind: WalletKind::Eoa, funder: None };
        let mut signer = PolymarketSigner::new(key, chain, wallet, Usd::ZERO).unwrap();
        assert_eq!(signer.owner(), Address::parse(row.text("address")).unwrap(), "{}", row.what);
        assert_eq!(row.text("message"), MESSAGE, "{}", row.what);
        let lines = signer.prove(row.number("timestampSeconds"), row.number("nonce"));
        for (name, value) in row.output("headers").as_object().unwrap() {
            assert_eq!(header(lines.as_bytes(), name), value, "{}: {name}", row.what);
        }
        assert_eq!(signer.public_key_ops(), 1);
    });
}

#[test]
fn vectors_of_l2_headers() {
    each_row("polymarket_l2_auth.json", |row| {
        let credentials =
            ApiCredentials::new(row.text("apiKey"), row.text("secret"), row.text("passphrase"));
        let owner = Address::parse(row.text("address")).unwrap();
        let mut signer = L2Signer::new(owner, credentials.unwrap());
        let (time, method) = (row.number("timestampSeconds"), row.text("method"));
        let body = row.input("body").as_str().unwrap_or_default().as_bytes();
        let stated = row.output("headers").as_object().unwrap();
        assert_eq!(stated.len(), NAMES.len(), "{}", row.what);
        for path in [row.text("signedPath"), row.text("requestTarget")] {
            let lines = signer.sign(time, method, path, body);
            for (name, value) in stated {
                assert_eq!(header(lines.as_bytes(), name), value, "{}: {name}", row.what);
            }
        }
    });
}

#[test]
fn vectors_of_position_ids() {
    each_row("polymarket_position_ids.json", |row| {
        let id = TokenId::parse(row.text("assetId")).unwrap();
        let position = Position::of(id);
        assert_eq!(
            row.output("isV2PositionId").as_bool(),
            Some(position.is_some()),
            "{}",
            row.what
        );
        let exchange = if position.is_some() { Exchange::V3 } else { Exchange::V2 };
        row.gives("orderDomainVersion", exchange.domain_version());
        if let Some(position) = position {
            let number = |key: &str| row.output(key).as_u64();
            // Absent where the id is in the range of positions but names none.
            if let Some(module) = number("moduleId") {
                assert_eq!(u64::from(position.module), module, "{}", row.what);
                row.gives("conditionIdBytes31", &hex(&position.condition));
                assert_eq!(number("outcomeIndex"), Some(u64::from(position.outcome)));
            }
        }
    });
}
