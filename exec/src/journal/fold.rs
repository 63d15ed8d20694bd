//! Records -> what was known when they end: money, positions, and every order whose fate is open.

use std::collections::{BTreeMap, VecDeque};

use engine::event::{Action, Feedback, Report, ReportKind};
use engine::pair::Outcome;
use engine::risk::Payout;
use engine::top::MarketId;
use engine::units::{Ns, Shares, Usd, Venue};

use super::record::{Finding, OrderRecord, Record};
use crate::id::Id;

/// Signed orders older than this when the records end cannot have left: a gate fires none that is
/// older than two seconds, and a record waits for its commit far less than the rest.
pub const ARMED_KEPT: Ns = Ns::from_ms(60_000);

/// Orders of runs before that are remembered.
pub const PAST_KEPT: usize = 4_096;

/// A market by venue and number.
pub type MarketKey = (usize, usize);

const fn key(market: MarketId) -> MarketKey {
    (market.venue().index(), market.index())
}

/// An order as far as the journal knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    /// How it left.
    pub order: OrderRecord,
    /// Filled so far.
    pub filled: Shares,
    /// What that cost without fees.
    pub cash: Usd,
    /// Fees of it.
    pub fee: Usd,
    /// It ended.
    pub over: bool,
    /// Its fate was unknown.
    pub unknown: bool,
}

/// Money three ways, by venue.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Ledgers {
    /// By every fill that a venue told.
    pub matched: [Usd; 2],
    /// By the venue's own word, as it was compared last.
    pub settled: [Usd; 2],
    /// What orders that have not ended may still take.
    pub at_risk: [Usd; 2],
}

/// What was known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// Number of the last run; `None` before the first.
    pub run: Option<u64>,
    /// When it began; Unix.
    pub began: Ns,
    /// Its orders cost money.
    pub live: bool,
    /// It ended in order.
    pub ended: bool,
    /// Names of markets: ticker or condition id.
    pub markets: BTreeMap<MarketKey, String>,
    /// Tokens of Polymarket's markets by outcome, YES first.
    pub tokens: BTreeMap<MarketKey, [String; 2]>,
    /// Money by venue.
    pub cash: [Usd; 2],
    /// Money by venue as the venue said last.
    settled: [Usd; 2],
    /// Positions by market, YES and NO; 1e-6 contracts. Kalshi's is in YES alone, below zero of NO.
    pub held: BTreeMap<MarketKey, [i64; 2]>,
    /// What was paid for contracts of markets that settled, since the run began.
    pub paid_out: BTreeMap<MarketKey, Usd>,
    /// The last bundle whose ids are reserved.
    pub ids: u64,
    /// Orders that were signed last and of which nothing more is known: id and market.
    pub armed: VecDeque<(Id, MarketId, Outcome, Ns)>,
    /// Orders by bundle and leg.
    pub orders: BTreeMap<(u64, u8), Known>,
    /// Orders of runs before, and trades that this one begins with, the latest last: a venue's list
    /// may still hold them.
    pub past: VecDeque<Id>,
    /// Orders that a report was about before they were known, or that filled beyond what they are.
    pub contradictions: u64,
    /// A run that began, as far as its opening is there. Its ids end the opening, and before them
    /// it sent nothing: a crash may have torn it, and half of it says nothing of what is held.
    opening: Option<Box<State>>,
}

impl State {
    /// Takes in the next record.
    pub fn take(&mut self, record: &Record) {
        match (record, self.opening.take()) {
            (Record::Ids { .. }, Some(opening)) => *self = *opening,
            (
                Record::Market { .. }
                | Record::Token { .. }
                | Record::Cash { .. }
                | Record::Held { .. }
                | Record::Seen { .. },
                Some(mut opening),
            ) => {
                opening.take(record);
                self.opening = Some(opening);
                return;
            }
            // What the next start finds of the run before a torn opening is about that run.
            (_, opening) => self.opening = opening,
        }
        match *record {
            Record::Run { run, wall, live } => {
                let mut past = self.past.clone();
                past.extend(self.orders.values().map(|known| known.order.client));
                past.drain(..past.len().saturating_sub(PAST_KEPT));
                let next = State { run: Some(run), began: wall, live, past, ..State::default() };
                self.opening = Some(Box::new(next));
            }
            Record::Market { market, name } => {
                let (key, name) = (key(market), text(name.as_bytes()));
                self.forget_former(key, &name);
                if self.markets.get(&key).is_some_and(|former| *former != name) {
                    self.paid_out.remove(&key);
                }
                self.markets.insert(key, name);
            }
            Record::Token { market, outcome, name } => {
                let tokens = self.tokens.entry(key(market)).or_default();
                tokens[outcome as usize] = text(name.as_bytes());
            }
            Record::Cash { venue, cash } => {
                self.cash[venue.index()] = cash;
                self.settled[venue.index()] = cash;
            }
            Record::Held { market, outcome, e6 } => {
                self.held.entry(key(market)).or_default()[outcome as usize] = e6;
            }
            Record::Ids { last, .. } => self.ids = self.ids.max(last),
            Record::Armed { id, market, outcome, wall, .. } => {
                self.arm(Id::hash(&id.0), market, outcome, wall);
            }
            Record::Order(order) => self.order(&order),
            Record::Heard(Feedback::Report(report)) => self.report(&report),
            Record::Found(found) => self.found(&found),
            Record::Paid(payout) => self.pay_out(&payout),
            Record::Seen { trade } => self.remember(trade),
            Record::Merged { market, e6 } => self.merge(market, e6),
            Record::End { unknown, open } => self.ended = unknown == 0 && open == 0,
            Record::Heard(_)
            | Record::Ended(_)
            | Record::Tripped { .. }
            | Record::Said { .. }
            | Record::Differs { .. } => {}
        }
    }

    /// A market that left and came back under another number is known by its new one alone: the
    /// old name would claim that nothing is held of it. What is held is never forgotten.
    fn forget_former(&mut self, now: MarketKey, name: &str) {
        let State { markets, tokens, held, .. } = self;
        markets.retain(|key, known| {
            let is_former = key.0 == now.0 && *key != now && known == name;
            let stays = !is_former || held.get(key).is_some_and(|held| *held != [0; 2]);
            if !stays {
                tokens.remove(key);
                held.remove(key);
            }
            stays
        });
    }

    /// Orders that have not ended, as far as is known.
    pub fn open(&self) -> impl Iterator<Item = &Known> {
        self.orders.values().filter(|known| !known.over)
    }

    /// Money three ways.
    pub fn ledgers(&self) -> Ledgers {
        let mut at_risk = [Usd::ZERO; 2];
        for known in self.open() {
            let left = known.order.reserve - known.cash - known.fee;
            at_risk[known.order.market.venue().index()] += left.max(Usd::ZERO);
        }
        Ledgers { matched: self.cash, settled: self.settled, at_risk }
    }

    fn remember(&mut self, past: Id) {
        self.past.push_back(past);
        if self.past.len() > PAST_KEPT {
            self.past.pop_front();
        }
    }

    /// A YES and a NO become their dollar: by the venue's own balances.
    fn merge(&mut self, market: MarketId, e6: i64) {
        let held = self.held.entry(key(market)).or_default();
        held.iter_mut().for_each(|held| *held = held.saturating_sub(e6));
        let venue = market.venue().index();
        self.cash[venue] += Usd::new(e6);
        self.settled[venue] += Usd::new(e6);
    }

    fn arm(&mut self, id: Id, market: MarketId, outcome: Outcome, wall: Ns) {
        while self.armed.front().is_some_and(|old| wall.since(old.3) > ARMED_KEPT) {
            self.armed.pop_front();
        }
        self.armed.push_back((id, market, outcome, wall));
    }

    fn order(&mut self, order: &OrderRecord) {
        self.armed.retain(|(id, ..)| *id != order.client);
        let fresh = Known {
            order: *order,
            filled: Shares::ZERO,
            cash: Usd::ZERO,
            fee: Usd::ZERO,
            over: false,
            unknown: false,
        };
        if self.orders.insert((order.bundle.0, order.leg), fresh).is_some() {
            self.contradictions += 1; // One intent, two orders.
        }
    }

    fn report(&mut self, report: &Report) {
        let (market, outcome, action) = (report.market, report.outcome, report.action);
        match report.kind {
            ReportKind::Filled { shares, cash, fee, .. } => {
                self.trade(market, outcome, action, [e6(shares), cash.e6(), fee.e6()]);
            }
            ReportKind::Undone { shares, cash, fee, .. } => {
                self.trade(market, outcome, action, [-e6(shares), -cash.e6(), -fee.e6()]);
            }
            _ => {}
        }
        let Some(known) = self.orders.get_mut(&(report.bundle.0, report.leg)) else {
            // A refusal of the gate itself is about an order that never was.
            self.contradictions += u64::from(!matches!(report.kind, ReportKind::Rejected(_)));
            return;
        };
        match report.kind {
            ReportKind::Filled { shares, cash, fee, .. } => {
                known.filled += shares;
                known.cash += cash;
                known.fee += fee;
                known.unknown = false;
            }
            ReportKind::Undone { shares, cash, fee, .. } => {
                known.filled = known.filled.saturating_sub(shares);
                known.cash -= cash;
                known.fee -= fee;
            }
            ReportKind::Unknown => known.unknown = true,
            ReportKind::Sent | ReportKind::Acked => known.unknown = false,
            ReportKind::Done | ReportKind::Rejected(_) | ReportKind::Cancelled => {
                (known.over, known.unknown) = (true, false);
            }
        }
    }

    /// Evidence replaces what was heard: it is about all that the order ever filled.
    fn found(&mut self, found: &Finding) {
        let of = |known: &&mut Known| {
            known.order.market.venue() == found.venue && known.order.client == found.client
        };
        let Some(known) = self.orders.values_mut().find(of) else { return };
        let by = [
            e6(found.shares) - e6(known.filled),
            (found.cash - known.cash).e6(),
            (found.fee - known.fee).e6(),
        ];
        let OrderRecord { market, outcome, action, .. } = known.order;
        (known.filled, known.cash, known.fee) = (found.shares, found.cash, found.fee);
        (known.over, known.unknown) = (true, false);
        self.trade(market, outcome, action, by);
    }

    /// Contracts of a market that settled go, and their money comes: by the venue's own word.
    fn pay_out(&mut self, payout: &Payout) {
        let Payout { market, outcome, shares, paid, .. } = *payout;
        let venue = market.venue();
        let held = self.held.entry(key(market)).or_default();
        let (at, gone) = match (venue, outcome) {
            (Venue::Kalshi, Outcome::Yes) => (0, e6(shares)),
            (Venue::Kalshi, Outcome::No) => (0, -e6(shares)),
            (Venue::Polymarket, outcome) => (outcome as usize, e6(shares)),
        };
        held[at] = held[at].saturating_sub(gone);
        *self.paid_out.entry(key(market)).or_default() += paid;
        self.cash[venue.index()] += paid;
        self.settled[venue.index()] += paid;
    }

    /// Books a trade as its venue does: contracts, cash and fee, each below zero where it is taken
    /// back.
    pub fn trade(
        &mut self,
        market: MarketId,
        outcome: Outcome,
        action: Action,
        [shares, cash, fee]: [i64; 3],
    ) {
        let (come, paid) = match action {
            Action::Buy => (shares, cash + fee),
            Action::Sell => (-shares, fee - cash),
        };
        let purse = &mut self.cash[market.venue().index()];
        *purse -= Usd::new(paid);
        let held = self.held.entry(key(market)).or_default();
        match market.venue() {
            Venue::Polymarket => {
                held[outcome as usize] = held[outcome as usize].saturating_add(come);
            }
            Venue::Kalshi => {
                let net = if outcome == Outcome::Yes { come } else { -come };
                let before = held[0];
                held[0] = before.saturating_add(net);
                // A YES and a NO pay their dollar as they meet, and owe it as they part.
                let yes_no = |position: i64| (position.max(0), (-position).max(0));
                let ((yes, no), (yes_now, no_now)) = (yes_no(before), yes_no(held[0]));
                let met = match outcome {
                    Outcome::Yes => yes + come - yes_now,
                    Outcome::No => no + come - no_now,
                };
                *purse += Usd::new(met);
            }
        }
    }
}

fn e6(shares: Shares) -> i64 {
    i64::try_from(shares.e6()).unwrap_or(i64::MAX)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
