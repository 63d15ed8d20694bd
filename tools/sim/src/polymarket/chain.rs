//! What happens to trades after their match, and what a market pays at its end.

use engine::pair::Outcome;
use engine::units::Ns;

use crate::polymarket::auth::derived_hex;
use crate::polymarket::fills::CHAIN_STEP;
use crate::polymarket::trade::{Status, Trade};
use crate::polymarket::wallet::{Balance, Wallet};
use crate::polymarket::{Due, Polymarket};
use crate::venue::Outbox;

impl Polymarket {
    /// A trade's money and shares move; what comes is pending.
    pub(super) fn apply(&mut self, trade: &Trade) {
        self.each_move(trade, Balance::add);
        self.house.cash.add(trade.rounding);
        self.fees += fees(trade);
    }

    fn each_move(&mut self, trade: &Trade, change: fn(&mut Balance, i64)) {
        for moves in trade.parties().map(|party| party.moves) {
            let wallet = match moves.wallet {
                Some(wallet) => &mut self.wallets[wallet],
                None => &mut self.house,
            };
            change(&mut wallet.cash, moves.cash);
            change(wallet.of_mut(moves.token), moves.shares);
        }
    }

    /// A trade goes one step on its way: MATCHED, MINED, CONFIRMED; or RETRYING, FAILED.
    pub(super) fn advance_trade(&mut self, now: Ns, number: usize, out: &mut Outbox) {
        let status = match (self.trades[number].status, self.trades[number].fails) {
            (Status::Matched, true) => Status::Retrying,
            (Status::Retrying, true) => Status::Failed,
            (Status::Matched | Status::Retrying, false) => Status::Mined,
            (Status::Mined, _) => Status::Confirmed,
            (Status::Confirmed | Status::Failed, _) => return,
        };
        self.enter(now, number, status, out);
        if !status.is_final() {
            self.at(now.after(CHAIN_STEP), Due::Trade(number));
        }
    }

    fn enter(&mut self, now: Ns, number: usize, status: Status, out: &mut Outbox) {
        let mut trade = self.trades[number].clone();
        match status {
            Status::Mined => {
                self.each_move(&trade, Balance::mined);
                self.house.cash.mined(trade.rounding);
                trade.transaction = derived_hex(&[trade.id.as_bytes(), b"transaction"]);
            }
            Status::Failed => {
                self.each_move(&trade, Balance::undo);
                self.house.cash.undo(trade.rounding);
                self.fees -= fees(&trade);
                self.undone += 1;
            }
            Status::Matched | Status::Retrying | Status::Confirmed => {}
        }
        trade.status = status;
        trade.updated = now;
        self.trades[number] = trade;
        self.tell_trade(now, number, out);
    }

    /// The market's outcome is known: orders leave, trades become final, winning shares pay a
    /// dollar each and both tokens are gone.
    pub(super) fn settle_market(
        &mut self,
        now: Ns,
        number: usize,
        outcome: Outcome,
        out: &mut Outbox,
    ) {
        if self.markets.get(number).is_none_or(|market| market.settled.is_some()) {
            return;
        }
        let open = (0..self.orders.len()).filter(|order| self.orders[*order].token.0 == number);
        for order in open.collect::<Vec<usize>>() {
            self.drop_order(now, order, "CANCELED_MARKET_RESOLVED", out);
        }
        for trade in 0..self.trades.len() {
            while self.trades[trade].taker.token.0 == number
                && !self.trades[trade].status.is_final()
            {
                self.advance_trade(now, trade, out);
            }
        }
        let winner = usize::from(outcome == Outcome::No);
        for wallet in self.wallets.iter_mut().chain([&mut self.house]) {
            pay(wallet, number, winner);
        }
        let market = &mut self.markets[number];
        market.settled = Some(outcome);
        market.book = Default::default();
        self.publish(now, number, &[], out);
        self.tell_resolved(now, number, winner, out);
    }
}

fn pay(wallet: &mut Wallet, market: usize, winner: usize) {
    for token in [0, 1] {
        let held = wallet.shares.remove(&(market, token)).unwrap_or_default();
        if token == winner {
            wallet.cash.total += held.total;
        }
    }
}

fn fees(trade: &Trade) -> i64 {
    trade.parties().map(|party| party.fee as i64).sum()
}
