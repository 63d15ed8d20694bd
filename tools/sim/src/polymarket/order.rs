//! An order that was admitted, and how it is shown to its owner.

use engine::units::{Ns, Px};
use serde_json::{Value, json};

use crate::polymarket::book::{Want, cost, opposite};
use crate::polymarket::decimal;
use crate::polymarket::eip712::{Word, checksummed};
use crate::polymarket::intake::Kind;
use crate::polymarket::wallet::{TokenKey, Wallet};
use crate::venue::Side;

/// Where an order stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// It waits before it may take (polymarket.md section 9).
    Delayed,
    /// It rests.
    Live,
    /// It is done, in full or as far as its kind goes.
    Matched,
    /// It is gone; the venue's word for it.
    Cancelled(String),
}

impl State {
    /// It may still trade.
    pub const fn is_open(&self) -> bool {
        matches!(self, State::Live | State::Delayed)
    }

    /// The word on the wire.
    pub fn name(&self) -> &str {
        match self {
            State::Delayed => "DELAYED",
            State::Live => "LIVE",
            State::Matched => "MATCHED",
            State::Cancelled(word) => word,
        }
    }
}

/// An order.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its digest.
    pub id: Word,
    /// The digest as text.
    pub id_text: String,
    /// Whose funds.
    pub wallet: usize,
    /// The API key that sent it.
    pub owner: String,
    /// What it trades.
    pub token: TokenKey,
    /// It buys.
    pub buys: bool,
    /// `orderType`.
    pub kind: Kind,
    /// The limit, in its own token's price.
    pub px: Px,
    /// Millionths of a share: its size at the limit.
    pub shares: u64,
    /// Micro-dollars: its size at the limit.
    pub cash: u64,
    /// Millionths of a share traded so far.
    pub filled_shares: u64,
    /// Micro-dollars traded so far, without fees.
    pub filled_cash: u64,
    /// Micro-dollars of fees.
    pub fees: u64,
    /// Where it stands.
    pub state: State,
    /// When it came; Unix.
    pub created: Ns,
    /// What it said; Unix seconds, 0 for never.
    pub expiration: u64,
    /// Its trades, by number.
    pub trades: Vec<usize>,
    /// What of the wallet's money or shares it holds.
    pub held: i64,
}

impl Order {
    /// A FOK or FAK that buys is an amount of money, every other order one of shares.
    pub const fn spends(&self) -> bool {
        self.buys && self.kind.is_market()
    }

    /// What is left to trade.
    pub const fn want(&self) -> Want {
        if self.spends() {
            Want::Spend(self.cash.saturating_sub(self.filled_cash))
        } else {
            Want::Shares(self.left())
        }
    }

    /// Shares that may still rest.
    pub const fn left(&self) -> u64 {
        self.shares.saturating_sub(self.filled_shares)
    }

    /// Money or shares that what is left needs.
    pub const fn needs(&self) -> i64 {
        (if self.buys { cost(self.left(), self.px) } else { self.left() }) as i64
    }

    /// On which side of the first token's book it rests.
    pub const fn side(&self) -> Side {
        if self.buys == (self.token.1 == 0) { Side::Bid } else { Side::Ask }
    }

    /// What it takes from.
    pub const fn takes(&self) -> Side {
        opposite(self.side())
    }

    /// Its limit in the first token's price.
    pub const fn yes_px(&self) -> Px {
        if self.token.1 == 0 { self.px } else { self.px.complement() }
    }

    /// `BUY` or `SELL`.
    pub const fn side_name(&self) -> &'static str {
        if self.buys { "BUY" } else { "SELL" }
    }

    /// When a GTD order leaves: a minute before it says (section 5.4). Unix.
    pub const fn expires(&self) -> Option<Ns> {
        match self.kind {
            Kind::Gtd => Some(Ns(self.expiration.saturating_sub(60).saturating_mul(1_000_000_000))),
            _ => None,
        }
    }

    /// `original_size` and `size_matched`: money for a FOK or FAK that buys (section 3).
    pub fn sizes(&self) -> (String, String) {
        let (original, matched) = match self.spends() {
            true => (self.cash, self.filled_cash),
            false => (self.shares, self.filled_shares),
        };
        (decimal::e6(original), decimal::e6(matched))
    }

    /// A row of `GET /data/orders`.
    pub fn row(&self, view: &View<'_>) -> Value {
        let (original, matched) = self.sizes();
        json!({
            "id": self.id_text,
            "status": self.state.name(),
            "owner": self.owner,
            "maker_address": checksummed(&view.wallet.funder),
            "market": view.condition,
            "asset_id": view.asset,
            "side": self.side_name(),
            "original_size": original,
            "size_matched": matched,
            "price": decimal::price(self.px),
            "associate_trades": view.trades,
            "outcome": view.outcome,
            "order_type": self.kind.name(),
            "created_at": self.created.0 / 1_000_000_000,
            "expiration": self.expiration.to_string(),
        })
    }

    /// An `order` event; `what` is PLACEMENT, UPDATE or CANCELLATION.
    pub fn event(&self, view: &View<'_>, what: &str, now: Ns) -> Value {
        let (original, matched) = self.sizes();
        json!({
            "id": self.id_text,
            "owner": self.owner,
            "market": view.condition,
            "asset_id": view.asset,
            "side": self.side_name(),
            "order_owner": self.owner,
            "original_size": original,
            "size_matched": matched,
            "price": decimal::price(self.px),
            "associate_trades": view.trades,
            "outcome": view.outcome,
            "type": what,
            "created_at": (self.created.0 / 1_000_000_000).to_string(),
            "expiration": self.expiration.to_string(),
            "order_type": self.kind.name(),
            "status": self.state.name(),
            "maker_address": checksummed(&view.wallet.funder),
            "timestamp": (now.0 / 1_000_000).to_string(),
            "event_type": "order",
        })
    }
}

/// What an order's JSON takes from elsewhere.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// Its wallet.
    pub wallet: &'a Wallet,
    /// The market's condition id.
    pub condition: &'a str,
    /// The token's id.
    pub asset: &'a str,
    /// The token's outcome.
    pub outcome: &'a str,
    /// The ids of its trades.
    pub trades: Vec<&'a str>,
}
