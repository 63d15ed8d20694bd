//! Admits orders, holds them back and takes them away.

use engine::fee::curve_fee;
use engine::units::{Ns, Px, Shares};
use serde_json::{Value, json};

use crate::polymarket::auth::ApiKey;
use crate::polymarket::book::Plan;
use crate::polymarket::decimal;
use crate::polymarket::eip712::{Exchange, hex};
use crate::polymarket::intake::{Intake, Kind};
use crate::polymarket::order::{Order, State};
use crate::polymarket::reply::Refusal;
use crate::polymarket::wallet::Wallet;
use crate::polymarket::{Due, Polymarket};
use crate::venue::Outbox;

/// Least money of a marketable BUY, in micro-dollars (polymarket.md section 5.4).
const MARKETABLE_MIN: u64 = 1_000_000;
/// How far ahead a GTD order's expiration must be, in seconds.
const EXPIRATION_MIN_S: u64 = 180;

const BALANCE: &str = "not enough balance / allowance";

impl Polymarket {
    /// Judges one order of `POST /order` and does with it what it says.
    ///
    /// # Errors
    /// The venue's refusal.
    pub(super) fn place(
        &mut self,
        now: Ns,
        key: &ApiKey,
        body: &Value,
        out: &mut Outbox,
    ) -> Result<Value, Refusal> {
        let bad = |text: String| Refusal::new(400, text);
        let intake = Intake::read(body)?;
        let known = self.tokens.get(&intake.token).copied();
        let token = known.filter(|(market, _)| self.markets[*market].settled.is_none());
        let token =
            token.ok_or_else(|| bad(format!("the orderbook {} does not exist", intake.token)))?;
        let market = &self.markets[token.0];
        let (exchange, tick, min_size) = (market.exchange(), market.tick, market.spec.min_size);
        let wallet = self.identify(key, &intake, exchange)?;
        let id = intake.signed.id_for(exchange);
        let id_text = hex(&id);
        if self.by_id.contains_key(&id) {
            return Err(bad(format!("order {id_text} is invalid. Duplicated.")));
        }
        let market = &self.markets[token.0];
        if !market.accepts() {
            return Err(bad("the market is not yet ready to process new orders".into()));
        }
        let px = intake.limit(tick, &id_text).map_err(bad)?;
        if intake.shares() < Shares::from(min_size).e6() {
            let size = decimal::e6(intake.shares());
            let least = market.min_size();
            return Err(bad(format!(
                "order {id_text} is invalid. Size ({size}) lower than the minimum: {least}"
            )));
        }
        let now_s = now.0 / 1_000_000_000;
        let in_time = match intake.kind {
            Kind::Gtd => intake.expiration >= now_s + EXPIRATION_MIN_S,
            Kind::Gtc | Kind::Fok | Kind::Fak => intake.expiration == 0,
        };
        if !in_time {
            return Err(bad("invalid expiration".into()));
        }
        if intake.post_only && intake.kind.is_market() {
            return Err(bad("invalid post-only order: it must be GTC or GTD".into()));
        }
        if !intake.post_only && now < self.mode.post_only_until {
            let left = self.mode.post_only_until.since(now).0.div_ceil(1_000_000_000);
            return Err(Refusal::post_only(left));
        }
        let order = Order {
            id,
            id_text,
            wallet,
            owner: key.key.clone(),
            token,
            buys: intake.buys,
            kind: intake.kind,
            px,
            shares: intake.shares(),
            cash: intake.cash(),
            filled_shares: 0,
            filled_cash: 0,
            fees: 0,
            state: State::Live,
            created: now,
            expiration: intake.expiration,
            trades: Vec::new(),
            held: 0,
        };
        let plan = self.plan(&order);
        let crosses = !plan.parts.is_empty();
        if crosses && intake.post_only {
            return Err(bad("invalid post-only order: order crosses book".into()));
        }
        if (crosses || order.kind.is_market()) && order.buys && order.cash < MARKETABLE_MIN {
            let money = decimal::e6(order.cash);
            return Err(bad(format!(
                "invalid amount for a marketable BUY order (${money}), min size: $1"
            )));
        }
        if !self.affords(&order, &plan) {
            return Err(bad(BALANCE.into()));
        }
        let delay = Ns::from_ms(self.markets[token.0].spec.taker_delay_ms);
        let number = self.orders.len();
        self.by_id.insert(order.id, number);
        self.orders.push(order);
        if crosses && delay > Ns(0) {
            self.delay(now, number, delay, out);
        } else if let Some(text) = self.run(now, number, &plan, out) {
            return Err(bad(text.into()));
        }
        Ok(self.placed(number))
    }

    /// Who pays, and that they want to (section 5.3).
    fn identify(
        &mut self,
        key: &ApiKey,
        intake: &Intake,
        exchange: Exchange,
    ) -> Result<usize, Refusal> {
        let bad = |text: &str| Refusal::new(400, text);
        let signed = &intake.signed;
        if intake.owner != key.key {
            return Err(bad("the order owner has to be the owner of the API KEY"));
        }
        let kind = signed.signature_type;
        let wallet = self.wallets.iter().position(|wallet| {
            wallet.funder == signed.maker
                && wallet.signer == key.address
                && wallet.signature_type == kind
        });
        let signs = match kind {
            3 => wallet.is_some() && signed.signer == signed.maker,
            _ => signed.signer == key.address,
        };
        if !signs {
            return Err(bad("the order signer address has to be the address of the API KEY"));
        }
        let vouches =
            |exchange: Exchange| signed.recover(exchange, &intake.signature) == Some(key.address);
        if !vouches(exchange) {
            let mut others = Exchange::ALL.into_iter();
            let version = |other: &Exchange| other.version() != exchange.version();
            let mismatch = others.any(|other| version(&other) && vouches(other));
            return Err(bad(if mismatch { "order_version_mismatch" } else { "invalid signature" }));
        }
        match (kind, wallet) {
            (0, _) if signed.maker != signed.signer => Err(bad("invalid signature")),
            (_, Some(wallet)) => Ok(wallet),
            // An address that nobody funded has a wallet all the same.
            (0, None) => {
                let address = key.address;
                let empty = Wallet { signer: address, funder: address, ..Wallet::default() };
                self.wallets.push(empty);
                Ok(self.wallets.len() - 1)
            }
            _ => Err(bad("invalid signature")),
        }
    }

    pub(super) fn plan(&self, order: &Order) -> Plan {
        let book = &self.markets[order.token.0].book;
        book.plan(order.takes(), order.yes_px(), order.token.1 == 1, order.want())
    }

    /// The order's whole amount and the fees of what it would take are there.
    fn affords(&self, order: &Order, plan: &Plan) -> bool {
        let wallet = &self.wallets[order.wallet];
        if !order.buys {
            return wallet.of(order.token).free() >= order.shares as i64;
        }
        let fees: u64 = plan.parts.iter().map(|(px, size)| self.fee(order, *px, *size)).sum();
        wallet.cash.free() >= (order.cash + fees) as i64
    }

    pub(super) fn fee(&self, order: &Order, yes_px: Px, size: u64) -> u64 {
        let spec = &self.markets[order.token.0].spec;
        // p(1-p) is the same for both tokens.
        let fee = curve_fee(Shares::new(size), yes_px, spec.fee_rate_e6, spec.fee_exponent);
        fee.e6().unsigned_abs()
    }

    /// A marketable order waits (section 9).
    fn delay(&mut self, now: Ns, number: usize, delay: Ns, out: &mut Outbox) {
        let order = &mut self.orders[number];
        order.state = State::Delayed;
        let amount = if order.buys { order.cash } else { order.shares } as i64;
        self.hold_amount(number, amount);
        self.tell_order(now, number, "PLACEMENT", out);
        self.at(now.after(delay), Due::Match(number));
    }

    /// A delayed order's time has come: it meets the book as it is now.
    pub(super) fn match_delayed(&mut self, now: Ns, number: usize, out: &mut Outbox) {
        if self.orders[number].state != State::Delayed {
            return;
        }
        if now < self.mode.post_only_until {
            return self.drop_order(now, number, "CANCELED_ORDER_TIMED_OUT", out);
        }
        self.release(number);
        self.orders[number].state = State::Live;
        let plan = self.plan(&self.orders[number]);
        if !self.affords(&self.orders[number], &plan) {
            return self.drop_order(now, number, "CANCELED_NOT_ENOUGH_BALANCE", out);
        }
        let killed = self.run(now, number, &plan, out);
        self.unmatched += u64::from(killed.is_some());
    }

    /// An order leaves: `word` is its status from now on. One that is done stays as it is.
    pub(super) fn drop_order(&mut self, now: Ns, number: usize, word: &str, out: &mut Outbox) {
        let order = &mut self.orders[number];
        if !order.state.is_open() {
            return;
        }
        order.state = State::Cancelled(word.to_owned());
        let (market, side, px) = (order.token.0, order.side(), order.yes_px());
        let rests = !order.kind.is_market();
        self.release(number);
        self.tell_order(now, number, "CANCELLATION", out);
        if rests {
            self.markets[market].book.remove(side, px, number);
            self.publish(now, market, &[], out);
        }
    }

    /// Cancels an order of an account.
    ///
    /// # Errors
    /// Why not, in the venue's words.
    pub(super) fn cancel(
        &mut self,
        now: Ns,
        key: &ApiKey,
        number: Option<usize>,
        out: &mut Outbox,
    ) -> Result<(), &'static str> {
        let own = |number: &usize| self.wallets[self.orders[*number].wallet].signer == key.address;
        let Some(number) = number.filter(own) else {
            return Err("order can't be found - already canceled or matched");
        };
        match self.orders[number].state {
            State::Live => {
                self.drop_order(now, number, "CANCELED", out);
                Ok(())
            }
            State::Delayed => Err("order is delayed and can't be canceled"),
            State::Matched | State::Cancelled(_) => Err("already canceled or matched"),
        }
    }

    /// The answer to an order that was admitted (section 5.4).
    fn placed(&self, number: usize) -> Value {
        let order = &self.orders[number];
        let matched = order.filled_shares > 0;
        let status = match order.state {
            State::Delayed => "delayed",
            _ if matched => "matched",
            _ => "live",
        };
        let amount = |e6: u64| if matched { decimal::e6(e6) } else { String::new() };
        let (making, taking) = match order.buys {
            true => (order.filled_cash, order.filled_shares),
            false => (order.filled_shares, order.filled_cash),
        };
        let mut answer = json!({
            "errorMsg": "",
            "orderID": order.id_text,
            "takingAmount": amount(taking),
            "makingAmount": amount(making),
            "status": status,
            "success": true,
        });
        if matched {
            let ids = order.trades.iter().map(|trade| self.trades[*trade].id.as_str());
            answer["tradeIDs"] = ids.collect();
        }
        answer
    }
}
