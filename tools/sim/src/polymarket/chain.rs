//! What happens to trades after their match, and what a market pays at its end.

use engine::pair::Outcome;
use engine::payoff::Settlement;
use engine::units::{Ns, PX_ONE, Shares};

use crate::polymarket::auth::derived_hex;
use crate::polymarket::fills::CHAIN_STEP;
use crate::polymarket::market::Market;
use crate::polymarket::trade::{Status, Trade};
use crate::polymarket::wallet::{Balance, TokenKey, Wallet};
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

    /// A market takes no more orders: those that are there leave, the makers' too. Trades go on to
    /// their end. False where it took none already.
    pub(super) fn close_market(&mut self, now: Ns, number: usize, out: &mut Outbox) -> bool {
        let over = |market: &Market| market.closed || market.settled.is_some();
        if self.markets.get(number).is_none_or(over) {
            return false;
        }
        self.drop_all(now, number, "CANCELED", out);
        let market = &mut self.markets[number];
        market.closed = true;
        market.book = Default::default();
        self.publish(now, number, &[], out);
        true
    }

    fn drop_all(&mut self, now: Ns, number: usize, word: &str, out: &mut Outbox) {
        let own = (0..self.orders.len()).filter(|order| self.orders[*order].token.0 == number);
        for order in own.collect::<Vec<usize>>() {
            self.drop_order(now, order, word, out);
        }
    }

    /// It is known how the market ends: orders leave, trades become final, shares pay what they are
    /// worth, rounded down to a micro-dollar, and both tokens are gone. The market model's makers
    /// get what is left of the dollars that the shares were made of.
    pub(super) fn settle_market(
        &mut self,
        now: Ns,
        number: usize,
        settlement: Settlement,
        out: &mut Outbox,
    ) {
        if self.markets.get(number).is_none_or(|market| market.settled.is_some()) {
            return;
        }
        self.drop_all(now, number, "CANCELED_MARKET_RESOLVED", out);
        for trade in 0..self.trades.len() {
            while self.trades[trade].taker.token.0 == number
                && !self.trades[trade].status.is_final()
            {
                self.advance_trade(now, trade, out);
            }
        }
        let mut left_e10: i128 = 0; // 1e-6 shares times 1e-4 dollar
        for (token, outcome) in [Outcome::Yes, Outcome::No].into_iter().enumerate() {
            let each = i128::from(settlement.each(outcome).e4());
            left_e10 += i128::from(take_all(&mut self.house, (number, token))) * each;
            for wallet in &mut self.wallets {
                let held = take_all(wallet, (number, token));
                let shares = Shares::new(u64::try_from(held).unwrap_or(0));
                let paid = settlement.pays(outcome, shares).e6();
                wallet.cash.total += paid;
                left_e10 += i128::from(held) * each - i128::from(paid) * i128::from(PX_ONE);
            }
        }
        let left = left_e10.div_euclid(i128::from(PX_ONE));
        self.house.cash.total += i64::try_from(left).unwrap_or(0);
        let market = &mut self.markets[number];
        market.settled = Some(settlement);
        market.book = Default::default();
        self.publish(now, number, &[], out);
        self.tell_resolved(now, number, out);
    }
}

/// All that a wallet has of a token, which it has no more.
fn take_all(wallet: &mut Wallet, token: TokenKey) -> i64 {
    wallet.shares.remove(&token).unwrap_or_default().total
}

fn fees(trade: &Trade) -> i64 {
    trade.parties().map(|party| party.fee as i64).sum()
}
