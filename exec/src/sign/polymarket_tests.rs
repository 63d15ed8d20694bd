//! What the golden rows do not say: limits, wallets, batches, cancels.

use super::*;
use crate::action::Action;
use crate::polymarket::OrderType;
use crate::sign::order::{
    BATCH_MAX, Placement, write_batch, write_cancel, write_cancel_market, write_cancels,
};
use crate::token::TokenId;
use engine::units::{Px, Qty};
use serde_json::Value;

fn signer(wallet: Wallet, cost_max: i64) -> Result<PolymarketSigner, WalletError> {
    let key = PolymarketKey::from_hex(&"11".repeat(32)).unwrap();
    PolymarketSigner::new(key, Chain::Polygon, wallet, Usd::new(cost_max))
}

fn buy(size: u64) -> PolymarketIntent {
    let token = TokenId::parse("52114319501245915516055106046884209").unwrap();
    let (px, tick) = (Px::lit(5_000), Px::lit(100));
    let size = Qty::lit(size);
    PolymarketIntent::new(Action::Buy, token, px, size, OrderType::Fak, tick).unwrap()
}

#[test]
fn wallets_go_with_the_key_or_are_refused() {
    let other = Address::new([9; 20]);
    let make = |kind, funder| signer(Wallet { kind, funder }, i64::MAX);
    let eoa = make(WalletKind::Eoa, None).unwrap();
    assert_eq!(eoa.maker(), eoa.owner());
    assert!(make(WalletKind::Eoa, Some(eoa.owner())).is_ok());
    assert_eq!(make(WalletKind::Eoa, Some(other)).err(), Some(WalletError::NotOwn(other)));
    assert_eq!(make(WalletKind::Deposit, None).err(), Some(WalletError::NoFunder));
    for (kind, derived) in [
        (WalletKind::Proxy, eoa.owner().proxy_wallet()),
        (WalletKind::Safe, eoa.owner().safe_wallet()),
    ] {
        assert_eq!(make(kind, None).unwrap().maker(), derived);
        let given = make(kind, Some(other)).unwrap();
        let order = given.order(&buy(100), 1, 2);
        assert_eq!((order.maker, order.signer), (other, eoa.owner()));
    }
    let deposit = make(WalletKind::Deposit, Some(other)).unwrap();
    let order = deposit.order(&buy(100), 1, 2);
    assert_eq!((order.maker, order.signer), (other, other));
}

#[test]
fn the_signer_keeps_a_limit_of_its_own() {
    let mut signer = signer(Wallet { kind: WalletKind::Eoa, funder: None }, 5_000_000).unwrap();
    let order = |signer: &PolymarketSigner, size, salt| signer.order(&buy(size), salt, 3);
    let (at, above) = (order(&signer, 1_000, 1), order(&signer, 1_002, 1));
    assert!(signer.sign(Exchange::V2, &at).is_ok());
    assert_eq!(signer.sign(Exchange::V2, &above).err(), Some(NotSigned::Cost));
    let salted = order(&signer, 1_000, 1 << 53);
    assert_eq!(signer.sign(Exchange::V2, &salted).err(), Some(NotSigned::Salt));
    assert_eq!(signer.public_key_ops(), 1, "what is refused is not signed");
    let huge = Order { maker_amount: u64::MAX, ..at };
    assert_eq!(signer.sign(Exchange::V2, &huge).err(), Some(NotSigned::Cost));
}

#[test]
fn an_id_depends_on_exchange_salt_and_time() {
    let signer = signer(Wallet { kind: WalletKind::Eoa, funder: None }, 1).unwrap();
    let order = signer.order(&buy(100), 1, 2);
    let ids = [
        signer.id(Exchange::V2, &order),
        signer.id(Exchange::V2NegRisk, &order),
        signer.id(Exchange::V3, &order),
        signer.id(Exchange::V2, &Order { salt: 2, ..order }),
        signer.id(Exchange::V2, &Order { timestamp_ms: 3, ..order }),
    ];
    for (at, id) in ids.iter().enumerate() {
        assert!(!ids[..at].contains(id));
        assert_eq!(OrderId::parse(&id.to_string()), Some(*id));
    }
}

#[test]
fn batches_and_cancels_are_json_within_their_limits() {
    let mut signer = signer(Wallet { kind: WalletKind::Eoa, funder: None }, i64::MAX).unwrap();
    let order = signer.order(&buy(100), 1, 2);
    let signed = signer.sign(Exchange::V2, &order).unwrap();
    let one = (signed, Placement::taker(OrderType::Fak));
    let mut out = Vec::new();
    assert!(write_batch(&[one; BATCH_MAX], "owner", &mut out));
    let batch: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(batch.as_array().unwrap().len(), BATCH_MAX);
    assert_eq!(batch[14]["orderType"], "FAK");
    assert!(batch[14].get("postOnly").is_none());
    assert!(!write_batch(&[one; BATCH_MAX + 1], "owner", &mut out) && out.is_empty());
    assert!(!write_batch(&[], "owner", &mut out));

    let id = signed.id.to_string();
    write_cancel(signed.id, &mut out);
    assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), serde_json::json!({"orderID": id}));
    assert!(write_cancels(&[signed.id; 2], &mut out));
    assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), serde_json::json!([id, id]));
    assert!(!write_cancels(&[], &mut out) && !write_cancels(&[signed.id; 1_001], &mut out));
    write_cancel_market(&[0xab; 32], order.token, &mut out);
    let market = format!("0x{}", "ab".repeat(32));
    let want = serde_json::json!({"market": market, "asset_id": order.token.to_string()});
    assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), want);
}
