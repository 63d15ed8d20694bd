//! An order as the struct that is signed and as the JSON that is sent (polymarket.md sections 5.1
//! to 5.4).

use std::io::Write;

use super::address::Address;
use super::eip712::{Word, Words};
use super::text::{push_hex, push_number};
use crate::action::Action;
use crate::polymarket::OrderType;
use crate::token::TokenId;

/// The type that is signed, as text.
pub const ORDER_TYPE: &str = "Order(uint256 salt,address maker,address signer,uint256 tokenId,\
uint256 makerAmount,uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,\
bytes32 metadata,bytes32 builder)";

/// Its hash.
pub const ORDER_TYPE_HASH: Word = [
    0xbb, 0x86, 0x31, 0x8a, 0x21, 0x38, 0xf5, 0xfa, 0x8a, 0xe3, 0x2f, 0xbe, 0x8e, 0x65, 0x9f, 0x8f,
    0xcf, 0x13, 0xcc, 0x6a, 0xe4, 0x01, 0x4a, 0x70, 0x78, 0x93, 0x05, 0x54, 0x33, 0x81, 0x85, 0x89,
];

/// Orders of one `POST /orders` (polymarket.md section 5.4).
pub const BATCH_MAX: usize = 15;

/// Bytes of the longest signature, of a deposit wallet: digest signature, domain, struct hash,
/// type, and the type's length.
pub const SIGNATURE_LEN_MAX: usize = 65 + 32 + 32 + ORDER_TYPE.len() + 2;
const _: () = assert!(ORDER_TYPE.len() == 186 && SIGNATURE_LEN_MAX == 317);

/// Which kind of account holds the funds (`signatureType`, polymarket.md section 5.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum WalletKind {
    /// The key's own account.
    Eoa = 0,
    /// The proxy of an old email account.
    Proxy = 1,
    /// The Safe of an old browser account.
    Safe = 2,
    /// A deposit wallet, the documented choice for new users: signed by ERC-7739.
    Deposit = 3,
}

impl WalletKind {
    /// The kind of a `signatureType`.
    pub const fn from_number(number: u8) -> Option<WalletKind> {
        match number {
            0 => Some(WalletKind::Eoa),
            1 => Some(WalletKind::Proxy),
            2 => Some(WalletKind::Safe),
            3 => Some(WalletKind::Deposit),
            _ => None,
        }
    }
}

/// The order id: the digest of the order under its exchange's domain. Known before sending.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub Word);

impl OrderId {
    /// The id of a text, with or without `0x`.
    pub fn parse(text: &str) -> Option<OrderId> {
        super::text::parse_hex(text).map(OrderId)
    }
}

impl core::fmt::Display for OrderId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl core::fmt::Debug for OrderId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

/// What is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// Makes equal orders differ. Below 2^53, because it travels as a JSON number.
    pub salt: u64,
    /// Who holds the funds.
    pub maker: Address,
    /// Who signs; the maker itself where it is a deposit wallet.
    pub signer: Address,
    /// Which outcome.
    pub token: TokenId,
    /// What we give, in millionths.
    pub maker_amount: u64,
    /// What we get, in millionths.
    pub taker_amount: u64,
    /// Bought or sold.
    pub side: Action,
    /// How it is signed.
    pub wallet: WalletKind,
    /// When it was made, Unix milliseconds.
    pub timestamp_ms: u64,
    /// Zero, unless the venue agreed on something else.
    pub metadata: Word,
    /// Zero: a builder's code can carry a fee of its own.
    pub builder: Word,
}

impl Order {
    /// The hash of the struct, without any domain.
    pub fn struct_hash(&self) -> Word {
        Words::<{ 12 * 32 }>::of_type(ORDER_TYPE_HASH)
            .number(self.salt)
            .address(self.maker)
            .address(self.signer)
            .token(self.token)
            .number(self.maker_amount)
            .number(self.taker_amount)
            .number(u64::from(self.side == Action::Sell))
            .number(self.wallet as u64)
            .number(self.timestamp_ms)
            .word(self.metadata)
            .word(self.builder)
            .hash()
    }
}

/// The bytes of an order's signature: 65, or 317 of a deposit wallet.
#[derive(Clone, Copy)]
pub struct OrderSignature {
    len: u16,
    bytes: [u8; SIGNATURE_LEN_MAX],
}

impl OrderSignature {
    /// A signature put together of parts. Panics where they are longer than any signature.
    pub(super) fn of(parts: &[&[u8]]) -> OrderSignature {
        let (mut bytes, mut len) = ([0; SIGNATURE_LEN_MAX], 0);
        for part in parts {
            bytes[len..len + part.len()].copy_from_slice(part);
            len += part.len();
        }
        OrderSignature { len: len as u16, bytes }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// An order with its id and signature.
#[derive(Clone, Copy)]
pub struct SignedOrder {
    /// What was signed.
    pub order: Order,
    /// Its id at the venue.
    pub id: OrderId,
    /// The signature.
    pub signature: OrderSignature,
}

/// What is sent beside an order and is not signed (polymarket.md section 5.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Placement {
    /// How it is matched.
    pub order_type: OrderType,
    /// Refused where it would match at once; resting orders only. Left out where `None`.
    pub post_only: Option<bool>,
    /// Undocumented; left out where `None`.
    pub defer_exec: Option<bool>,
}

impl Placement {
    /// A taker's: nothing but the type.
    pub const fn taker(order_type: OrderType) -> Placement {
        Placement { order_type, post_only: None, defer_exec: None }
    }
}

impl SignedOrder {
    /// Appends the JSON object of `POST /order`. `owner` is the API key, which needs no escape.
    ///
    /// No apostrophe is ever in it, so that it does not matter which of the venue's clients the
    /// server takes after when it checks the HMAC (polymarket.md section 4.2).
    pub fn push_body(&self, placement: &Placement, owner: &str, out: &mut Vec<u8>) {
        let order = &self.order;
        let until_s = match placement.order_type {
            OrderType::Gtd { until_s } => until_s,
            OrderType::Gtc | OrderType::Fok | OrderType::Fak => 0,
        };
        out.extend_from_slice(b"{\"order\":{\"salt\":");
        push_number(order.salt, out);
        out.extend_from_slice(b",\"maker\":\"");
        out.extend_from_slice(&order.maker.to_lower());
        out.extend_from_slice(b"\",\"signer\":\"");
        out.extend_from_slice(&order.signer.to_lower());
        out.extend_from_slice(b"\",\"tokenId\":\"");
        write!(out, "{}", order.token).expect("a Vec takes all bytes");
        out.extend_from_slice(b"\",\"makerAmount\":\"");
        push_number(order.maker_amount, out);
        out.extend_from_slice(b"\",\"takerAmount\":\"");
        push_number(order.taker_amount, out);
        out.extend_from_slice(match order.side {
            Action::Buy => b"\",\"side\":\"BUY\",\"expiration\":\"".as_slice(),
            Action::Sell => b"\",\"side\":\"SELL\",\"expiration\":\"".as_slice(),
        });
        push_number(until_s, out);
        out.extend_from_slice(b"\",\"signatureType\":");
        push_number(order.wallet as u64, out);
        out.extend_from_slice(b",\"timestamp\":\"");
        push_number(order.timestamp_ms, out);
        out.extend_from_slice(b"\",\"metadata\":\"");
        push_hex(&order.metadata, out);
        out.extend_from_slice(b"\",\"builder\":\"");
        push_hex(&order.builder, out);
        out.extend_from_slice(b"\",\"signature\":\"");
        push_hex(self.signature.as_bytes(), out);
        out.extend_from_slice(b"\"},\"orderType\":\"");
        out.extend_from_slice(match placement.order_type {
            OrderType::Gtc => b"GTC",
            OrderType::Gtd { .. } => b"GTD",
            OrderType::Fok => b"FOK",
            OrderType::Fak => b"FAK",
        });
        out.extend_from_slice(b"\",\"owner\":\"");
        out.extend_from_slice(owner.as_bytes());
        out.push(b'"');
        for (name, value) in
            [(",\"postOnly\":", placement.post_only), (",\"deferExec\":", placement.defer_exec)]
        {
            if let Some(value) = value {
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(if value { b"true".as_slice() } else { b"false" });
            }
        }
        out.push(b'}');
    }
}

/// Replaces `out` by the JSON array of `POST /orders`; false, and nothing written, where it
/// would be empty or longer than [`BATCH_MAX`].
#[must_use]
pub fn write_batch(orders: &[(SignedOrder, Placement)], owner: &str, out: &mut Vec<u8>) -> bool {
    out.clear();
    if orders.is_empty() || orders.len() > BATCH_MAX {
        return false;
    }
    for (at, (order, placement)) in orders.iter().enumerate() {
        out.push(if at == 0 { b'[' } else { b',' });
        order.push_body(placement, owner, out);
    }
    out.push(b']');
    true
}

/// Replaces `out` by the body of `DELETE /order` (polymarket.md section 5.5).
pub fn write_cancel(id: OrderId, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"{\"orderID\":\"");
    push_hex(&id.0, out);
    out.extend_from_slice(b"\"}");
}

/// Orders of one `DELETE /orders` (polymarket.md section 5.5).
pub const CANCELS_MAX: usize = 1_000;

/// Replaces `out` by the body of `DELETE /orders`; false, and nothing written, where it would be
/// empty or longer than [`CANCELS_MAX`].
#[must_use]
pub fn write_cancels(ids: &[OrderId], out: &mut Vec<u8>) -> bool {
    out.clear();
    if ids.is_empty() || ids.len() > CANCELS_MAX {
        return false;
    }
    for (at, id) in ids.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b"[\"" } else { b"\",\"" });
        push_hex(&id.0, out);
    }
    out.extend_from_slice(b"\"]");
    true
}

/// Replaces `out` by the body of `DELETE /cancel-market-orders`: all orders of one outcome.
/// `condition` is the market's 32 bytes.
pub fn write_cancel_market(condition: &Word, token: TokenId, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"{\"market\":\"");
    push_hex(condition, out);
    write!(out, "\",\"asset_id\":\"{token}\"}}").expect("a Vec takes all bytes");
}
