//! A match and its way through the chain (polymarket.md section 3).

use engine::units::{Ns, Px};
use serde_json::{Value, json};

use crate::polymarket::decimal;
use crate::polymarket::wallet::{Move, TokenKey};

/// Where a trade stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Sent to the executor.
    Matched,
    /// The transaction failed and is sent again.
    Retrying,
    /// In a block.
    Mined,
    /// Final.
    Confirmed,
    /// Final: it never happened.
    Failed,
}

impl Status {
    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Matched => "MATCHED",
            Status::Retrying => "RETRYING",
            Status::Mined => "MINED",
            Status::Confirmed => "CONFIRMED",
            Status::Failed => "FAILED",
        }
    }

    /// Nothing changes any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Status::Confirmed | Status::Failed)
    }
}

/// Someone's part in a trade.
#[derive(Clone, Debug)]
pub struct Party {
    /// The order; `None` for the market model's makers.
    pub order: Option<usize>,
    /// Its id.
    pub order_id: String,
    /// Its API key.
    pub owner: String,
    /// The address that holds its funds, with checksum.
    pub address: String,
    /// Which token it trades.
    pub token: TokenKey,
    /// Its outcome's name.
    pub outcome: String,
    /// The token's id.
    pub asset: String,
    /// It buys.
    pub buys: bool,
    /// Its token's price.
    pub px: Px,
    /// Millionths of a share.
    pub size: u64,
    /// Micro-dollars of fee.
    pub fee: u64,
    /// What it moves; the fee is in it.
    pub moves: Move,
}

impl Party {
    /// `BUY` or `SELL`.
    pub const fn side_name(&self) -> &'static str {
        if self.buys { "BUY" } else { "SELL" }
    }

    fn as_maker(&self) -> Value {
        json!({
            "order_id": self.order_id,
            "owner": self.owner,
            "maker_address": self.address,
            "matched_amount": decimal::e6(self.size),
            "price": decimal::price(self.px),
            "fee_rate_bps": "0",
            "asset_id": self.asset,
            "outcome": self.outcome,
            "outcome_index": self.token.1,
            "side": self.side_name(),
        })
    }
}

/// A taker met one price level.
#[derive(Clone, Debug)]
pub struct Trade {
    /// A UUID.
    pub id: String,
    /// The market's condition id.
    pub condition: String,
    /// Who took.
    pub taker: Party,
    /// Who gave.
    pub makers: Vec<Party>,
    /// Where it stands.
    pub status: Status,
    /// `0x` and 64 hex digits once there is one.
    pub transaction: String,
    /// When it was matched; Unix.
    pub matched: Ns,
    /// When its status changed; Unix.
    pub updated: Ns,
    /// Its transaction will fail.
    pub fails: bool,
    /// Rounding that the makers of the model carry, in micro-dollars.
    pub rounding: i64,
}

impl Trade {
    /// All who traded.
    pub fn parties(&self) -> impl Iterator<Item = &Party> {
        std::iter::once(&self.taker).chain(&self.makers)
    }

    /// At how many prices the taker met its makers: each is a fill.
    pub fn prices(&self) -> u64 {
        let yes = |maker: &Party| if maker.token.1 == 0 { maker.px } else { maker.px.complement() };
        let mut prices: Vec<Px> = self.makers.iter().map(yes).collect();
        prices.sort_unstable();
        prices.dedup();
        prices.len() as u64
    }

    /// A row of `GET /data/trades`, as `role` (TAKER or MAKER) sees it; `own` is that side's key.
    pub fn row(&self, role: &str, own: &str) -> Value {
        let makers: Vec<Value> = self.makers.iter().map(Party::as_maker).collect();
        json!({
            "id": self.id,
            "taker_order_id": self.taker.order_id,
            "market": self.condition,
            "asset_id": self.taker.asset,
            "side": self.taker.side_name(),
            "size": decimal::e6(self.taker.size),
            "price": decimal::price(self.taker.px),
            "fee_rate_bps": "0",
            "status": self.status.name(),
            "match_time": (self.matched.0 / 1_000_000_000).to_string(),
            "last_update": (self.updated.0 / 1_000_000_000).to_string(),
            "outcome": self.taker.outcome,
            "owner": own,
            "maker_address": self.taker.address,
            "transaction_hash": self.transaction,
            "bucket_index": 0,
            "maker_orders": makers,
            "trader_side": role,
        })
    }

    /// A `trade` event for `role`.
    pub fn event(&self, role: &str, own: &str, now: Ns) -> Value {
        let mut event = json!({ "event_type": "trade", "type": "TRADE" });
        if let (Value::Object(event), Value::Object(row)) = (&mut event, self.row(role, own)) {
            event.extend(row);
        }
        event["trade_owner"] = json!(own);
        event["timestamp"] = json!((now.0 / 1_000_000).to_string());
        event
    }
}
