//! Orders meet the book: trades, what they move, what rests after them.

use engine::units::{Ns, Px};

use crate::polymarket::auth::{self, derived_hex, uuid};
use crate::polymarket::book::{Plan, SHOWN_MIN, Want, Who, cost, opposite};
use crate::polymarket::eip712::checksummed;
use crate::polymarket::intake::Kind;
use crate::polymarket::market::Print;
use crate::polymarket::order::State;
use crate::polymarket::trade::{Party, Status, Trade};
use crate::polymarket::wallet::{Move, TokenKey};
use crate::polymarket::{Due, Polymarket};
use crate::venue::{Outbox, Side};

/// A trade is mined so long after its match, and final as much later.
pub const CHAIN_STEP: Ns = Ns::from_ms(1_500);
const FOK_KILLED: &str = "order couldn't be fully filled. FOK orders are fully filled or killed.";
const FAK_KILLED: &str = "no orders found to match with FAK order. FAK orders are partially \
filled or killed if no match is found.";

impl Polymarket {
    /// Matches an order now; what is left rests or is dropped. The text where it is killed.
    pub(super) fn run(
        &mut self,
        now: Ns,
        number: usize,
        plan: &Plan,
        out: &mut Outbox,
    ) -> Option<&'static str> {
        let killed = match self.orders[number].kind {
            Kind::Fok if !plan.full => Some(FOK_KILLED),
            Kind::Fak if plan.parts.is_empty() => Some(FAK_KILLED),
            _ => None,
        };
        if let Some(text) = killed {
            self.drop_order(now, number, &format!("CANCELED_{text}"), out);
            return killed;
        }
        let mut prints = Vec::new();
        let levels = plan.parts.iter().map(|(px, size)| self.meet(number, *px, *size));
        let levels: Vec<_> = levels.collect();
        // The venue's form allows for both: a trade a price, or all prices in one.
        let trades = if number.is_multiple_of(2) { levels } else { swept(levels) };
        for (taker, makers) in trades {
            prints.push(self.record(now, taker, makers, out));
        }
        let taken = !plan.parts.is_empty();
        let order = &mut self.orders[number];
        let token = order.token;
        if plan.full {
            order.state = State::Matched;
            self.tell_order(now, number, "UPDATE", out);
        } else if order.kind.is_market() {
            self.tell_order(now, number, "UPDATE", out);
            self.drop_order(now, number, "CANCELED", out);
        } else {
            let (side, px, left) = (order.side(), order.yes_px(), order.left());
            order.state = State::Live;
            let expires = order.expires();
            self.markets[token.0].book.rest(side, px, number, left);
            self.hold(number);
            self.tell_order(now, number, if taken { "UPDATE" } else { "PLACEMENT" }, out);
            if let Some(at) = expires {
                self.at(at, Due::Expire(number));
            }
        }
        self.publish(now, token.0, &prints, out);
        None
    }

    /// One price level gives to a taker: the parts of both sides.
    fn meet(&mut self, number: usize, yes_px: Px, size: u64) -> (Party, Vec<Party>) {
        let taker = &self.orders[number];
        let (token, buys, side) = (taker.token, taker.buys, taker.takes());
        let fee = self.fee(taker, yes_px, size);
        let gave = self.markets[token.0].book.take(side, yes_px, size);
        let taker = self.party(Some(number), token, buys, yes_px, size, fee);
        let makers = gave.iter().map(|(who, size)| self.maker(*who, token, buys, yes_px, *size));
        let makers = makers.collect();
        (taker, makers)
    }

    /// The part of one that rested: of an account, or of the model's makers as the taker's
    /// counterpart in the same token.
    fn maker(&self, who: Who, token: TokenKey, buys: bool, yes_px: Px, size: u64) -> Party {
        match who {
            Who::House => self.party(None, token, !buys, yes_px, size, 0),
            Who::Order(number) => {
                let order = &self.orders[number];
                let mut party = self.party(Some(number), order.token, order.buys, yes_px, size, 0);
                if order.buys {
                    // What is left costs so much less: never more than it holds, in any number of
                    // fills.
                    let left = order.left().saturating_sub(size);
                    party.moves.cash = cost(left, order.px) as i64 - order.needs();
                }
                party
            }
        }
    }

    fn party(
        &self,
        order: Option<usize>,
        token: TokenKey,
        buys: bool,
        yes_px: Px,
        size: u64,
        fee: u64,
    ) -> Party {
        let spec = &self.markets[token.0].spec;
        let px = if token.1 == 0 { yes_px } else { yes_px.complement() };
        let sign = if buys { 1 } else { -1 };
        let (order_id, owner, wallet) = match order.map(|number| &self.orders[number]) {
            Some(order) => (order.id_text.clone(), order.owner.clone(), Some(order.wallet)),
            None => {
                let number = self.trades.len().to_be_bytes();
                let seed = [spec.condition_id.as_bytes(), &number];
                (derived_hex(&seed), uuid(&auth::derived(&[b"maker"])), None)
            }
        };
        let funder = wallet.map_or([0; 20], |wallet| self.wallets[wallet].funder);
        Party {
            order,
            order_id,
            owner,
            address: checksummed(&funder),
            token,
            outcome: spec.outcomes[token.1].clone(),
            asset: spec.tokens[token.1].clone(),
            buys,
            px,
            size,
            fee,
            moves: Move {
                wallet,
                token,
                cash: -sign * cost(size, px) as i64 - fee as i64,
                shares: sign * size as i64,
            },
        }
    }

    /// A trade comes to be: money and shares move, orders fill, both sides are told.
    fn record(&mut self, now: Ns, taker: Party, makers: Vec<Party>, out: &mut Outbox) -> Print {
        let number = self.trades.len();
        let print =
            Print { token: taker.token.1, px: taker.px, size: taker.size, buys: taker.buys };
        let market = &mut self.markets[taker.token.0];
        market.last = Some(if taker.token.1 == 0 { taker.px } else { taker.px.complement() });
        // Made of the orders' ids: another run has other trades, a repeated one the same.
        let parties = std::iter::once(&taker).chain(&makers);
        let mut words: Vec<&[u8]> = parties.map(|party| party.order_id.as_bytes()).collect();
        let tail = number.to_be_bytes();
        words.push(&tail);
        let id = uuid(&auth::derived(&words));
        let mut trade = Trade {
            id,
            condition: market.spec.condition_id.clone(),
            taker,
            makers,
            status: Status::Matched,
            transaction: String::new(),
            matched: now,
            updated: now,
            fails: self.failing > 0,
            rounding: 0,
        };
        self.failing = self.failing.saturating_sub(1);
        // Two buyers of different tokens mint, two sellers merge: the pool takes or gives a dollar
        // a pair, and the model's makers what rounding leaves.
        let sum = |of: fn(&Party) -> i64| trade.parties().map(of).sum::<i64>();
        let minted = sum(|party| if party.token.1 == 0 { party.moves.shares } else { 0 });
        trade.rounding = -sum(|party| party.moves.cash + party.fee as i64) - minted;
        self.apply(&trade);
        for party in trade.parties() {
            if let Some(order) = party.order {
                let order = &mut self.orders[order];
                order.trades.push(number);
                order.filled_shares += party.size;
                let fee = party.fee as i64;
                order.filled_cash += (party.moves.cash + fee).unsigned_abs();
                order.fees += party.fee;
            }
        }
        let resting: Vec<usize> = trade.makers.iter().filter_map(|maker| maker.order).collect();
        self.trades.push(trade);
        self.tell_trade(now, number, out);
        for maker in resting {
            self.hold(maker);
            let order = &mut self.orders[maker];
            if let Want::Shares(left) = order.want()
                && left < SHOWN_MIN
            {
                order.state = State::Matched;
                self.release(maker);
            }
            self.tell_order(now, maker, "UPDATE", out);
        }
        self.at(now.after(CHAIN_STEP), Due::Trade(number));
        print
    }

    /// A resting order holds what it still needs.
    fn hold(&mut self, number: usize) {
        let needs = self.orders[number].needs();
        self.hold_amount(number, needs);
    }

    pub(super) fn hold_amount(&mut self, number: usize, amount: i64) {
        let order = &mut self.orders[number];
        let wallet = &mut self.wallets[order.wallet];
        let balance = if order.buys { &mut wallet.cash } else { wallet.of_mut(order.token) };
        balance.held += amount - order.held;
        order.held = amount;
    }

    pub(super) fn release(&mut self, number: usize) {
        self.hold_amount(number, 0);
    }

    /// The market model's makers want `size` to rest at a price.
    pub(super) fn quote_house(
        &mut self,
        now: Ns,
        number: usize,
        side: Side,
        px: Px,
        size: u64,
        out: &mut Outbox,
    ) {
        let Some(market) = self.markets.get_mut(number) else { return };
        if !market.on_grid(px) || market.closed || market.settled.is_some() {
            return;
        }
        let mut prints = Vec::new();
        let mut left = size;
        if size > 0 {
            market.book.pull_house(opposite(side), px);
            let plan = market.book.plan(opposite(side), px, false, Want::Shares(size));
            let buys = side == Side::Bid;
            for (px, size) in plan.parts {
                let gave = self.markets[number].book.take(opposite(side), px, size);
                let taker = self.party(None, (number, 0), buys, px, size, 0);
                let makers =
                    gave.iter().map(|(who, size)| self.maker(*who, (number, 0), buys, px, *size));
                let makers = makers.collect();
                prints.push(self.record(now, taker, makers, out));
                left -= size;
            }
        }
        self.markets[number].book.set_house(side, px, left);
        self.publish(now, number, &prints, out);
    }
}

/// All levels that an order met as one trade, at the last one's price; its makers say theirs.
fn swept(levels: Vec<(Party, Vec<Party>)>) -> Vec<(Party, Vec<Party>)> {
    let join = |(mut taker, mut makers): (Party, Vec<Party>), (more, also): (Party, Vec<Party>)| {
        taker.px = more.px;
        taker.size += more.size;
        taker.fee += more.fee;
        taker.moves.cash += more.moves.cash;
        taker.moves.shares += more.moves.shares;
        makers.extend(also);
        (taker, makers)
    };
    levels.into_iter().reduce(join).into_iter().collect()
}
