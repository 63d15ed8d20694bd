//! The ledger: the truth about every account, as JSON.
//!
//! ```json
//! {
//!   "venue": "polymarket",
//!   "fees": 72490,
//!   "delayed_unmatched": 0,
//!   "too_early": 0,
//!   "makers": { "cash": -1250000, "shares": { "<token>": -25000000 } },
//!   "accounts": [{
//!     "funder": "0x..", "signer": "0x..", "signature_type": 0,
//!     "cash": 37506152, "unsettled_cash": 0,
//!     "shares": { "<token>": 7575758 }, "unsettled_shares": { "<token>": 0 },
//!     "orders": [{
//!       "id": "0x..", "market": "0x..", "token": "..", "side": "BUY", "type": "FAK",
//!       "price": 5300, "maker_amount": 13250000, "taker_amount": 25000000,
//!       "status": "MATCHED", "filled_shares": 25000000, "filled_cash": 13250000,
//!       "fees": 72490, "created": 1795000000000000000
//!     }],
//!     "fills": [{
//!       "trade": "<uuid>", "order": "0x..", "role": "TAKER", "market": "0x..", "token": "..",
//!       "side": "BUY", "price": 5300, "shares": 25000000, "cash": -13250000, "fee": 72490,
//!       "status": "CONFIRMED", "at": 1795000000000000000
//!     }]
//!   }],
//!   "markets": [{ "condition_id": "0x..", "closed": true, "settled": "yes", "yes_pays_e4": 10000 }]
//! }
//! ```
//!
//! Cash and fees are micro-dollars, shares millionths, prices 1e-4 dollar, times Unix nanoseconds.
//! `cash` and `shares` count every fill that did not fail, from its match on; `unsettled_*` is the
//! part that is not mined and cannot be spent. A fill's `cash` is what came (above zero) or went,
//! without its fee. `makers` are the market model's makers, who may owe. Accounts' and makers' cash
//! and `fees` and a dollar a pair of shares that exists sum up to the same for ever. A market that
//! is `closed` takes no more orders, `settled` is
//! `yes` for the first token, `no` for the second, `void` where both pay, and null while the market
//! is open; `yes_pays_e4` is what the first token pays, in 1e-4 dollar.

use engine::payoff::Settlement;
use serde_json::{Map, Value, json};

use crate::polymarket::Polymarket;
use crate::polymarket::eip712::checksummed;
use crate::polymarket::order::Order;
use crate::polymarket::trade::{Party, Status, Trade};
use crate::polymarket::wallet::{Balance, Wallet};
use crate::venue::Standing;

impl Polymarket {
    /// The ledger.
    pub(super) fn truth(&self) -> Value {
        let accounts = (0..self.wallets.len()).map(|number| self.account(number));
        let markets = self.listed().map(|market| {
            let settled = market.settled.map(|settlement| match settlement {
                Settlement::YES => "yes",
                Settlement::NO => "no",
                _ => "void",
            });
            json!({
                "condition_id": market.spec.condition_id,
                "closed": market.closed || settled.is_some(),
                "settled": settled,
                "yes_pays_e4": market.pays().map(|[first, _]| first.e4()),
            })
        });
        json!({
            "venue": "polymarket",
            "fees": self.fees,
            "delayed_unmatched": self.unmatched,
            "too_early": self.too_early,
            "makers": {
                "cash": self.house.cash.total,
                "shares": self.shares(&self.house, |balance| balance.total),
            },
            "accounts": accounts.collect::<Vec<Value>>(),
            "markets": markets.collect::<Vec<Value>>(),
        })
    }

    fn shares(&self, wallet: &Wallet, of: fn(&Balance) -> i64) -> Value {
        let rows = wallet.shares.iter().map(|((market, token), balance)| {
            (self.markets[*market].spec.tokens[*token].clone(), json!(of(balance)))
        });
        Value::Object(rows.collect::<Map<String, Value>>())
    }

    fn account(&self, number: usize) -> Value {
        let wallet = &self.wallets[number];
        let mut fills = Vec::new();
        for trade in &self.trades {
            for (at, party) in trade.parties().enumerate() {
                if party.moves.wallet == Some(number) {
                    fills.push(fill(trade, party, if at == 0 { "TAKER" } else { "MAKER" }));
                }
            }
        }
        json!({
            "funder": checksummed(&wallet.funder),
            "signer": checksummed(&wallet.signer),
            "signature_type": wallet.signature_type,
            "cash": wallet.cash.total,
            "unsettled_cash": wallet.cash.pending,
            "shares": self.shares(wallet, |balance| balance.total),
            "unsettled_shares": self.shares(wallet, |balance| balance.pending),
            "orders": self.orders_of(number, 0),
            "fills": fills,
        })
    }

    /// An account's orders as the ledger has them, without the first `from`.
    pub(super) fn orders_of(&self, number: usize, from: usize) -> Vec<Value> {
        let own = self.orders.iter().filter(|order| order.wallet == number).skip(from);
        own.map(|order| self.order_truth(order)).collect()
    }

    /// How an account stands.
    pub(super) fn standing_of(&self, number: usize) -> Option<Standing> {
        let wallet = self.wallets.get(number)?;
        let held = wallet.shares.iter().filter(|(_, balance)| balance.total != 0);
        let mut standing = Standing {
            cash: wallet.cash.total,
            held: held
                .map(|((market, token), balance)| {
                    (self.markets[*market].spec.tokens[*token].clone(), balance.total)
                })
                .collect(),
            orders: self.orders.iter().filter(|order| order.wallet == number).count() as u64,
            ..Standing::default()
        };
        for trade in &self.trades {
            let own = |party: &Party| party.moves.wallet == Some(number);
            let taken = if own(&trade.taker) { trade.prices() } else { 0 };
            let fills = taken + trade.makers.iter().filter(|maker| own(maker)).count() as u64;
            if trade.status == Status::Failed {
                standing.failed += fills;
                continue;
            }
            standing.fills += fills;
            let fees = trade.parties().filter(|party| own(party)).map(|party| party.fee as i64);
            standing.fees += fees.sum::<i64>();
        }
        Some(standing)
    }

    fn order_truth(&self, order: &Order) -> Value {
        let spec = &self.markets[order.token.0].spec;
        let (maker, taker) =
            if order.buys { (order.cash, order.shares) } else { (order.shares, order.cash) };
        json!({
            "id": order.id_text,
            "market": spec.condition_id,
            "token": spec.tokens[order.token.1],
            "side": order.side_name(),
            "type": order.kind.name(),
            "price": order.px.e4(),
            "maker_amount": maker,
            "taker_amount": taker,
            "status": order.state.name(),
            "filled_shares": order.filled_shares,
            "filled_cash": order.filled_cash,
            "fees": order.fees,
            "created": order.created.0,
        })
    }
}

fn fill(trade: &Trade, party: &Party, role: &str) -> Value {
    json!({
        "trade": trade.id,
        "order": party.order_id,
        "role": role,
        "market": trade.condition,
        "token": party.asset,
        "side": party.side_name(),
        "price": party.px.e4(),
        "shares": party.size,
        "cash": party.moves.cash + party.fee as i64,
        "fee": party.fee,
        "status": trade.status.name(),
        "at": trade.matched.0,
    })
}
