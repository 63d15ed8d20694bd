//! The journal against what the venues say: which orders came to what, what is still open, and
//! which differences nothing explains. No socket, no clock.

use std::collections::HashMap;
use std::fmt;

use engine::event::{Action, BundleId, Purpose};
use engine::fee::FillFees;
use engine::pair::{FeeRule, Outcome, PairId};
use engine::top::MarketId;
use engine::units::{Ns, Px, Qty, Shares, Usd, Venue};
use exec::gate::kalshi::KalshiClerk;
use exec::id::Id;
use exec::journal::Record;
use exec::journal::fold::{Known, State};
use exec::journal::record::{ADOPTED_FROM, Finding, OrderRecord, name};
use exec::private::{Expect, Stand};

use super::listed::{Listed, Ours, Sum};
use super::payouts::{self, Told, payouts};
use super::truth::{FillRow, HeldRow, OrderRow, Truth};

/// No list lags so far behind. Of an order that left before that it holds all that it ever will,
/// which may be nothing: Kalshi moves orders away that ended about two weeks ago.
const LAGS_MAX: Ns = Ns::from_ms(3_600_000);

/// A figure on which journal and venue do not agree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Where.
    pub venue: Venue,
    /// What.
    pub what: String,
    /// By the journal.
    pub ours: i64,
    /// By the venue.
    pub theirs: i64,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { venue, what, ours, theirs } = self;
        let by = theirs.saturating_sub(*ours);
        write!(f, "{venue}: {what}: the venue says {theirs}, the journal {ours} ({by:+})")
    }
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Judgement {
    /// What the venues' word adds to the journal, as records.
    pub records: Vec<Record>,
    /// What is not over yet, in words: ask again.
    pub open: Vec<String>,
    /// What nothing explains. A read may lag: ask again before believing it.
    pub differences: Vec<Difference>,
    /// What is explained, in words, for whoever reads.
    pub notes: Vec<String>,
    /// Orders of ours that rest in a book: none may, so they are to be taken back.
    pub resting: Vec<OrderRow>,
    /// What was held by that, whatever settled since: what was found and what others traded too.
    pub held: Vec<HeldRow>,
}

impl Judgement {
    /// True where all is known and agrees.
    pub fn is_settled(&self) -> bool {
        self.open.is_empty() && self.differences.is_empty()
    }
}

/// Judges what the venues say. `quiet` is true once whatever was on its way when the engine ended
/// must have arrived: what no list holds then never came into being. `fee` gives the rule of a
/// Polymarket token.
pub fn judge(
    state: &State,
    truth: &Truth,
    quiet: bool,
    fee: &dyn Fn(&str) -> FeeRule,
) -> Judgement {
    let (state, listed) = (state.clone(), Listed::new(truth));
    let (unlisted, out) = (Vec::new(), Judgement::default());
    let mut it = Judge { state, truth, listed, quiet, fee, unlisted, out };
    it.discover();
    let known: Vec<Known> = it.state.orders.values().copied().collect();
    known.iter().for_each(|order| it.settle(order));
    it.unlisted();
    it.foreign();
    it.out.held = payouts::held(&it.state);
    it.paid();
    it.merged();
    it.compare();
    it.out
}

struct Judge<'a> {
    state: State,
    truth: &'a Truth,
    listed: Listed<'a>,
    quiet: bool,
    fee: &'a dyn Fn(&str) -> FeeRule,
    /// Orders of long ago of which the lists hold less than was told.
    unlisted: Vec<Known>,
    out: Judgement,
}

impl Judge<'_> {
    fn record(&mut self, record: Record) {
        self.state.take(&record);
        self.out.records.push(record);
    }

    /// Orders that left after the journal's last durable record: their ids were reserved, so the
    /// venues' lists tell them from others'.
    fn discover(&mut self) {
        let Some(run) = self.state.run else { return };
        let truth = self.truth;
        for row in truth.orders.iter().filter(|row| row.venue == Venue::Kalshi) {
            let ours = row.client.as_ref().and_then(|id| KalshiClerk::order_of(run, id));
            let Some((bundle, leg)) = ours else { continue };
            if self.state.orders.contains_key(&(bundle, leg)) {
                continue;
            }
            let Some(market) = self.market(Venue::Kalshi, &row.name) else { continue };
            let client = row.client.unwrap_or(row.order);
            self.adopt(bundle, leg, (market, row.outcome, row.limit), client, Some(row.order));
        }
        let armed: Vec<_> = self.state.armed.iter().copied().collect();
        // Numbers beyond any bundle: nobody knows to which one such an order belonged.
        let mut number = ADOPTED_FROM;
        for (id, market, outcome, _) in armed {
            let filled = self.listed.fills(Venue::Polymarket, &id).first();
            if filled.is_none() && !self.listed.has(Venue::Polymarket, &id) {
                continue;
            }
            number += 1;
            let limit = filled.map_or(Px::ZERO, |row| row.px);
            self.adopt(number, 1, (market, outcome, limit), id, Some(id));
        }
    }

    fn adopt(
        &mut self,
        bundle: u64,
        leg: u8,
        (market, outcome, limit): (MarketId, Outcome, Px),
        client: Id,
        venue: Option<Id>,
    ) {
        let place = market.venue();
        self.out.notes.push(format!("{place}: order {client} left after the last durable record"));
        self.record(Record::Order(OrderRecord {
            bundle: BundleId(bundle),
            pair: PairId(u16::MAX),
            leg,
            market,
            outcome,
            action: Action::Buy,
            purpose: Purpose::Open,
            spends: place == Venue::Polymarket,
            limit,
            qty: Qty::ZERO,
            budget: Usd::ZERO,
            reserve: Usd::ZERO,
            client,
            venue,
            wall: Ns(0),
        }));
    }

    /// What one order came to.
    fn settle(&mut self, known: &Known) {
        let order = &known.order;
        let place = order.market.venue();
        let row = self.listed.row(known);
        let id = row.map(|row| row.order).or(order.venue);
        let mut sum = id.map_or(Sum::default(), |id| self.sum(place, &id));
        if sum.feeless && (known.filled, known.cash) == (sum.shares, sum.cash) {
            // Its gate knew the rule, and counted the same fills.
            (sum.fee, sum.feeless) = (known.fee, false);
        }
        let exists = row.is_some() || sum.trades > 0;
        let what = format!("{place}: order {} of bundle {}", order.client, order.bundle.0);
        self.out.resting.extend(row.filter(|row| row.stand == Stand::Resting).cloned());
        let holds_less = known.filled > sum.shares + sum.failed;
        if holds_less && self.is_old(known) && Judge::why_moves(row, &sum).is_none() {
            self.unlisted.push(*known);
            return;
        }
        if let Some(why) = self.why_open(known, row, &sum, exists) {
            self.out.open.push(format!("{what} {why}"));
            return;
        }
        let told = (known.filled, known.cash, known.fee);
        if known.over && told == (sum.shares, sum.cash, sum.fee) {
            return;
        }
        if sum.feeless {
            self.unknown_fee(&what);
        }
        let Sum { shares, cash, fee, .. } = sum;
        self.out.notes.push(match exists {
            true => format!("{what}: filled {shares} in all, {} of it known before", known.filled),
            false => format!("{what} never came into being"),
        });
        let client = order.client;
        self.record(Record::Found(Finding { venue: place, client, exists, shares, cash, fee }));
    }

    /// Why nobody can say yet what an order came to.
    fn why_open(
        &self,
        known: &Known,
        row: Option<&OrderRow>,
        sum: &Sum,
        exists: bool,
    ) -> Option<&'static str> {
        if let Some(why) = Judge::why_moves(row, sum) {
            return Some(why);
        }
        // A list that lags is no evidence that what was told never happened.
        if known.filled > sum.shares + sum.failed {
            return Some("has filled more than the venue lists");
        }
        if !exists {
            return match (known.over && known.filled == Shares::ZERO) || self.quiet {
                true => None,
                false => Some("is on no list, and may still be on its way"),
            };
        }
        if self.is_old(known) {
            return None;
        }
        match row.map(|row| (row.stand, row.expect)) {
            Some((Stand::Ended, Some(Expect::Shares(all)))) if sum.shares < all => {
                Some("has fills that are not listed yet")
            }
            Some((Stand::Ended, Some(Expect::Trades(all)))) if sum.trades < usize::from(all) => {
                Some("has trades that are not listed yet")
            }
            _ => None,
        }
    }

    /// Why an order may still fill, or lose a fill.
    fn why_moves(row: Option<&OrderRow>, sum: &Sum) -> Option<&'static str> {
        match row.map(|row| row.stand) {
            _ if sum.pending => Some("has trades that may still fail"),
            Some(Stand::Resting) => Some("rests in the book"),
            Some(Stand::Held) => Some("is held back by the venue"),
            Some(Stand::Ended) | None => None,
        }
    }

    /// True of an order that left before any list could lag. Of one that was found, nobody knows
    /// when it left.
    fn is_old(&self, known: &Known) -> bool {
        let left = known.order.wall;
        left != Ns(0) && self.truth.asked.since(left) > LAGS_MAX
    }

    fn sum(&self, place: Venue, order: &Id) -> Sum {
        Sum::of(self.listed.fills(place, order), self.fee)
    }

    /// A fee that neither the venue nor the table tells counts as nothing, so that it shows as a
    /// difference of money and of nothing else.
    fn unknown_fee(&mut self, what: &str) {
        self.out.notes.push(format!(
            "{what}: its fee is not known, because its market is in no pair of the table; it shows \
             as a difference of cash"
        ));
    }

    /// What was told of orders that no list holds any more counts: money and positions are compared
    /// all the same.
    fn unlisted(&mut self) {
        let orders = core::mem::take(&mut self.unlisted);
        for known in &orders {
            let Known { order, filled: shares, cash, fee, over, .. } = *known;
            let (venue, client) = (order.market.venue(), order.client);
            if !over {
                self.record(Record::Found(Finding {
                    venue,
                    client,
                    exists: true,
                    shares,
                    cash,
                    fee,
                }));
            }
        }
        for venue in Venue::ALL {
            let count = orders.iter().filter(|known| known.order.market.venue() == venue).count();
            if count > 0 {
                self.out.notes.push(format!(
                    "{venue}: {count} orders of long ago are not listed any more; what was told of \
                     them counts, and is compared with money and positions"
                ));
            }
        }
        self.unlisted = orders;
    }

    /// Orders that only their fills name, and that are what one of ours was told to be: the venue
    /// keeps fills longer than the orders that they were of.
    fn nameless(&self) -> Vec<Id> {
        let mut told: HashMap<_, usize> = HashMap::new();
        for known in self.unlisted.iter().filter(|known| self.listed.row(known).is_none()) {
            let OrderRecord { market, outcome, .. } = known.order;
            *told.entry((market, outcome, known.filled, known.cash, known.fee)).or_default() += 1;
        }
        let mut found = Vec::new();
        for order in self.listed.nameless() {
            let Some(first) = self.listed.fills(Venue::Kalshi, order).first() else { continue };
            let Some(market) = self.market(Venue::Kalshi, &first.name) else { continue };
            let sum = self.sum(Venue::Kalshi, order);
            let key = (market, first.outcome, sum.shares, sum.cash, sum.fee);
            if let Some(left) = told.get_mut(&key).filter(|left| **left > 0) {
                *left -= 1;
                found.push(*order);
            }
        }
        found
    }

    /// Fills of orders that are not the engine's: somebody traded by hand. They explain what they
    /// moved.
    fn foreign(&mut self) {
        let mut ours = Ours::new(&self.state);
        ours.claim(self.nameless());
        let truth = self.truth;
        let by_others = |row: &&FillRow| row.stands && !ours.has(row, &self.listed);
        let rows: Vec<&FillRow> = truth.fills.iter().filter(by_others).collect();
        for row in rows {
            let fee = match (row.fee, (self.fee)(&row.name)) {
                (Some(fee), _) => fee,
                (None, FeeRule::Unknown) => {
                    self.unknown_fee(&format!(
                        "{}: trade {} of {}",
                        row.venue, row.trade, row.name
                    ));
                    Usd::ZERO
                }
                (None, rule) => {
                    FillFees::new(rule, Usd::new(1)).buy(row.shares, row.px, row.cash())
                }
            };
            if !row.is_final {
                self.out.open.push(format!("{}: trade {} may still fail", row.venue, row.trade));
            }
            self.out.notes.push(format!(
                "{}: {} {} at {} by an order that is not the engine's ({})",
                row.venue,
                if row.action == Action::Buy { "bought" } else { "sold" },
                row.shares,
                row.px,
                row.order
            ));
            let place = self.market(row.venue, &row.name).map(|market| (market, row.outcome));
            let place = place.or_else(|| self.token(&row.name));
            let paid = match row.action {
                Action::Buy => row.cash() + fee,
                Action::Sell => fee - row.cash(),
            };
            match place {
                Some((market, outcome)) => {
                    let amounts = [
                        i64::try_from(row.shares.e6()).unwrap_or(i64::MAX),
                        row.cash().e6(),
                        fee.e6(),
                    ];
                    self.state.trade(market, outcome, row.action, amounts);
                }
                None => self.state.cash[row.venue.index()] -= paid,
            }
        }
    }

    /// Markets that settled since: they explain what they moved.
    fn paid(&mut self) {
        for payout in payouts(&self.state, self.truth) {
            let key = (payout.market.venue().index(), payout.market.index());
            let name = self.state.markets.get(&key).cloned().unwrap_or_default();
            self.out.notes.push(Told(&payout, &name).to_string());
            self.record(Record::Paid(payout));
        }
    }

    /// As many YES as NO tokens of a market that are gone, and brought their dollars; or came, and
    /// took them. Sales by hand were counted before, and are none.
    fn merged(&mut self) {
        let at = Venue::Polymarket.index();
        let mut found = Vec::new();
        for (key, tokens) in &self.state.tokens {
            let Some(market) = MarketId::new(Venue::Polymarket, key.1) else { continue };
            let held = self.state.held.get(key).copied().unwrap_or_default();
            let gone = |outcome: usize| {
                self.truth.tokens.get(&tokens[outcome]).map_or(0, |now| held[outcome] - now)
            };
            let (yes, no) = (gone(0), gone(1));
            if yes.signum() == no.signum() && yes != 0 {
                found.push((market, yes.signum() * yes.abs().min(no.abs())));
            }
        }
        // Balances alone prove nothing: a read may lag. The money must have moved with them.
        let moved: i64 = found.iter().map(|(_, e6)| e6).sum();
        if (self.truth.cash[at] - self.state.cash[at]).e6() != moved {
            return;
        }
        for (market, e6) in found {
            let key = (at, market.index());
            let name = self.state.markets.get(&key).cloned().unwrap_or_default();
            let (shares, what) = match e6 > 0 {
                true => (e6, "merged into their dollars"),
                false => (-e6, "split from their dollars"),
            };
            let shares = Shares::new(shares.unsigned_abs());
            self.out.notes.push(format!("polymarket: {name}: {shares} YES and NO each {what}"));
            self.record(Record::Merged { market, e6 });
        }
    }

    fn market(&self, venue: Venue, name: &str) -> Option<MarketId> {
        let of = |(key, found): (&(usize, usize), &String)| {
            (key.0 == venue.index() && found == name).then_some(key.1)
        };
        self.state.markets.iter().find_map(of).and_then(|index| MarketId::new(venue, index))
    }

    fn token(&self, token: &str) -> Option<(MarketId, Outcome)> {
        self.state.tokens.iter().find_map(|(key, tokens)| {
            let at = tokens.iter().position(|known| known == token)?;
            let outcome = if at == 0 { Outcome::Yes } else { Outcome::No };
            Some((MarketId::new(Venue::Polymarket, key.1)?, outcome))
        })
    }

    /// Money and positions.
    fn compare(&mut self) {
        let mut differ = |venue, what: String, ours: i64, theirs: i64| {
            if ours != theirs {
                self.out.differences.push(Difference { venue, what, ours, theirs });
            }
        };
        for venue in Venue::ALL {
            let (ours, theirs) = (self.state.cash[venue.index()], self.truth.cash[venue.index()]);
            differ(venue, "cash in micro-dollars".to_owned(), ours.e6(), theirs.e6());
        }
        for (key, name) in &self.state.markets {
            let held = self.state.held.get(key).copied().unwrap_or_default();
            if key.0 == Venue::Kalshi.index() {
                let theirs = self.truth.net.get(name).copied().unwrap_or(0);
                let what = format!("position in {name} in millionths");
                differ(Venue::Kalshi, what, held[0], theirs);
            }
        }
        for (key, tokens) in &self.state.tokens {
            let held = self.state.held.get(key).copied().unwrap_or_default();
            for (token, ours) in tokens.iter().zip(held) {
                // A token that was not asked for is of a pair that is not traded now.
                let Some(theirs) = self.truth.tokens.get(token) else { continue };
                let what = format!("shares of token {token} in millionths");
                differ(Venue::Polymarket, what, ours, *theirs);
            }
        }
    }
}

/// A difference as a record; `taken` where the venue's figure counts from now on.
pub fn noted(difference: &Difference, taken: bool) -> Record {
    let Difference { venue, what, ours, theirs } = difference;
    Record::Differs { venue: *venue, what: name(what), ours: *ours, theirs: *theirs, taken }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
