//! The orders of a gate: what was sent, what is known of it, and when that is all. No socket, no
//! clock.
//!
//! An order ends only where its fills add up to what the venue says of it, or where evidence says
//! that it never was. Fills come from the private channel or from a question, and count once.

use std::collections::VecDeque;

use engine::event::{Bundle, BundleId, Feedback, Reject, Report, ReportKind};
use engine::fee::{FillFees, cost_of};
use engine::pair::{Outcome, PairId};
use engine::tile::Now;
use engine::top::MarketId;
use engine::units::{Ns, Px, Qty, Shares, Usd};

use crate::answer::Answer;
use crate::gate::figures::GateFigures;
use crate::gate::outbox::Outbox;
use crate::id::Id;
use crate::private::{Expect, FillNews, OrderNews, Stand, TradeStands};
use crate::report::Fate;

/// Orders that are kept, ended ones until their place is needed: a late fill finds its order.
pub const ORDERS_MAX: usize = 256;

/// Fills an order is laid out for; more of them cost an allocation.
const FILLS_RESERVED: usize = 16;

/// Fills that came before the answer that tells whose they are.
const EARLY_MAX: usize = 64;

/// An order, as long as its place is not taken by another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderKey {
    slot: u16,
    serial: u64,
}

/// What is known of an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// Its bytes left.
    Sent,
    /// The venue has it.
    Open,
    /// Nobody knows.
    Unknown,
    /// It is over.
    Ended,
}

/// A fill that counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Counted {
    trade: Id,
    part: u16,
    undone: bool,
}

/// An order.
#[derive(Debug)]
pub struct Order {
    serial: u64,
    bundle: BundleId,
    pair: PairId,
    leg: u8,
    /// Its market.
    pub market: MarketId,
    outcome: Outcome,
    limit: Px,
    qty: Qty,
    budget: Usd,
    spends: bool,
    /// Our own id of it, known before it was sent.
    pub client: Id,
    /// The venue's id of it, once that is known.
    pub venue: Option<Id>,
    /// When it left.
    pub sent: Now,
    /// What is known of it.
    pub stage: Stage,
    expect: Option<Expect>,
    filled: Shares,
    cash: Usd,
    fees: FillFees,
    counted: Vec<Counted>,
    /// It rests against our will.
    pub cancel: bool,
    inquiry: Inquiry,
}

/// The search for what became of an order.
#[derive(Clone, Copy, Debug, Default)]
struct Inquiry {
    /// When to ask next; monotonic. `None` while nothing is in doubt, or a question is out.
    due: Option<Ns>,
    rounds: u32,
    /// What this round found.
    saw_order: bool,
    saw_end: bool,
    whole: bool,
}

/// A question about an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Question {
    /// How does it stand?
    Order,
    /// Which fills has it?
    Fills,
}

/// How patient a gate is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// How long fills that an answer announced, or the end of a delayed order, may take before
    /// the venue is asked.
    pub fills: Ns,
    /// First wait between two rounds of questions; it doubles.
    pub round_first: Ns,
    /// Longest such wait.
    pub round_longest: Ns,
    /// An order that whole lists do not hold this long after it left never came into being. Above
    /// the venue's window for time stamps, and the lag of its lists (kalshi.md sections 1 and 4).
    pub absence: Ns,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            fills: Ns::from_ms(1_000),
            round_first: Ns::from_ms(500),
            round_longest: Ns::from_ms(8_000),
            absence: Ns::from_ms(60_000),
        }
    }
}

/// The orders.
pub struct Orders {
    slots: Vec<Order>,
    serial: u64,
    early: VecDeque<FillNews>,
    patience: Patience,
}

impl Orders {
    /// No orders.
    pub fn new(patience: Patience) -> Orders {
        Orders {
            slots: Vec::with_capacity(ORDERS_MAX),
            serial: 0,
            early: VecDeque::with_capacity(EARLY_MAX),
            patience,
        }
    }

    /// True where that many more orders find a place.
    pub fn has_room(&self, orders: usize) -> bool {
        self.slots.len() + orders <= ORDERS_MAX || self.open() + orders <= ORDERS_MAX
    }

    /// Orders that have not ended.
    pub fn open(&self) -> usize {
        self.slots.iter().filter(|order| order.stage != Stage::Ended).count()
    }

    /// Orders whose fate is unknown.
    pub fn unknown(&self) -> usize {
        self.slots.iter().filter(|order| order.stage == Stage::Unknown).count()
    }

    /// Notes an order that left. `venue` is the venue's id where that is known beforehand.
    ///
    /// Panics without room: the caller asked [`Orders::has_room`] before the order left.
    pub fn sent(
        &mut self,
        bundle: &Bundle,
        leg: usize,
        (client, venue): (Id, Option<Id>),
        fees: FillFees,
        now: Now,
        out: &mut Outbox,
    ) -> OrderKey {
        let it = &bundle.legs[leg];
        self.serial += 1;
        let oldest = || {
            let ended = self.slots.iter().enumerate().filter(|(_, o)| o.stage == Stage::Ended);
            ended.min_by_key(|(_, order)| order.serial).map(|(slot, _)| slot)
        };
        let slot = if self.slots.len() < ORDERS_MAX { None } else { oldest() };
        let counted = match slot {
            Some(slot) => core::mem::take(&mut self.slots[slot].counted),
            None => Vec::with_capacity(FILLS_RESERVED),
        };
        let mut order = Order {
            serial: self.serial,
            bundle: bundle.id,
            pair: bundle.pair,
            leg: leg as u8,
            market: it.market,
            outcome: it.outcome,
            limit: it.limit,
            qty: it.qty,
            budget: it.budget,
            spends: it.spends,
            client,
            venue,
            sent: now,
            stage: Stage::Sent,
            expect: None,
            filled: Shares::ZERO,
            cash: Usd::ZERO,
            fees,
            counted,
            cancel: false,
            inquiry: Inquiry::default(),
        };
        order.counted.clear();
        order.tell(ReportKind::Sent, now.mono, out);
        let slot = match slot {
            Some(slot) => {
                self.slots[slot] = order;
                slot
            }
            None => {
                assert!(self.slots.len() < ORDERS_MAX, "the caller made sure of room");
                self.slots.push(order);
                self.slots.len() - 1
            }
        };
        OrderKey { slot: slot as u16, serial: self.serial }
    }

    /// The order of a key, unless its place was taken by another.
    pub fn get(&self, key: OrderKey) -> Option<&Order> {
        self.slots.get(usize::from(key.slot)).filter(|order| order.serial == key.serial)
    }

    /// Takes in the venue's answer to an order.
    pub fn answered(
        &mut self,
        key: OrderKey,
        answer: &Answer,
        now: Ns,
        figures: &mut GateFigures,
        out: &mut Outbox,
    ) {
        let patience = self.patience;
        let Some(order) = self.get_mut(key) else { return };
        if order.stage == Stage::Ended {
            return; // The channel was faster.
        }
        order.venue = order.venue.or(answer.order);
        match answer.fate {
            Fate::Accepted => {
                order.acked(now, figures, out);
                order.expect = order.expect.or(answer.expect);
                order.cancel |= answer.rests;
                figures.rested += u64::from(answer.rests);
                order.ask_at(now.after(patience.fills));
            }
            Fate::Killed => {
                order.acked(now, figures, out);
                order.expect = order.expect.or(answer.expect).or(Some(Expect::Trades(0)));
                order.ask_at(now.after(patience.fills));
            }
            // Fills contradict the refusal: look what it is.
            Fate::Rejected { .. } if order.filled != Shares::ZERO => {
                order.doubt(now, figures, out);
            }
            Fate::Rejected { code } => {
                figures.rejected += 1;
                order.end(ReportKind::Rejected(code.reason()), now, figures, out);
            }
            Fate::Duplicate | Fate::Unknown => order.doubt(now, figures, out),
        }
        self.take_early(now, figures, out);
        self.settle(key, now, figures, out);
    }

    /// Its answer did not come, and will not.
    pub fn lost(&mut self, key: OrderKey, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        if let Some(order) = self.get_mut(key).filter(|order| order.stage != Stage::Ended) {
            order.doubt(now, figures, out);
        }
    }

    /// Something may have been missed: every order that has not ended is asked for.
    pub fn ask_for_all(&mut self, now: Ns) {
        for order in self.slots.iter_mut().filter(|order| order.stage != Stage::Ended) {
            order.ask_at(now);
        }
    }

    /// Takes in a fill, from wherever it is told.
    pub fn fill(&mut self, news: &FillNews, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        let Some(slot) = self.find(&news.order, news.client.as_ref()) else {
            let waits = self.slots.iter().any(|o| o.venue.is_none() && o.stage != Stage::Ended);
            if waits && self.early.len() < EARLY_MAX {
                self.early.push_back(*news);
            } else {
                figures.foreign += 1;
            }
            return;
        };
        let order = &mut self.slots[slot];
        order.venue = order.venue.or(Some(news.order));
        order.fill(news, now, figures, out);
        let key = OrderKey { slot: slot as u16, serial: order.serial };
        self.settle(key, now, figures, out);
    }

    /// Takes in how an order stands.
    pub fn news(&mut self, news: &OrderNews, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        let patience = self.patience;
        let Some(slot) = self.find(&news.order, news.client.as_ref()) else { return };
        let order = &mut self.slots[slot];
        order.venue = order.venue.or(Some(news.order));
        order.inquiry.saw_order = true;
        if order.stage == Stage::Ended {
            return;
        }
        match news.stand {
            Stand::Resting | Stand::Held => {
                order.acked(now, figures, out);
                // A word of it while its own answer is on its way need not be a rest.
                if news.stand == Stand::Resting && order.inquiry.rounds > 0 && !order.cancel {
                    order.cancel = true;
                    figures.rested += 1;
                }
            }
            Stand::Ended => {
                order.acked(now, figures, out);
                order.inquiry.saw_end = true;
                order.expect = order.expect.max_of(news.expect);
                order.ask_at(now.after(patience.fills));
            }
        }
        let key = OrderKey { slot: slot as u16, serial: order.serial };
        self.take_early(now, figures, out);
        self.settle(key, now, figures, out);
    }

    /// An order of ours does not rest any more: what it has is all.
    pub fn cancelled(&mut self, key: OrderKey, now: Ns) {
        if let Some(order) = self.get_mut(key).filter(|order| order.stage != Stage::Ended) {
            order.cancel = false;
            order.ask_at(now);
        }
    }

    /// An order that rests against our will.
    pub fn to_cancel(&self) -> Option<OrderKey> {
        let rests = |order: &Order| order.cancel && order.stage != Stage::Ended;
        self.slots.iter().position(rests).map(|slot| self.key_of(slot))
    }

    /// The order that is to be asked for next, and when.
    pub fn next_inquiry(&self) -> Option<(OrderKey, Ns)> {
        let due = self.slots.iter().enumerate().filter(|(_, o)| o.stage != Stage::Ended);
        let due = due.filter_map(|(slot, order)| Some((slot, order.inquiry.due?)));
        due.min_by_key(|(_, due)| *due).map(|(slot, due)| (self.key_of(slot), due))
    }

    /// A round of questions about an order begins.
    pub fn inquire(&mut self, key: OrderKey) {
        if let Some(order) = self.get_mut(key) {
            let inquiry = &mut order.inquiry;
            *inquiry = Inquiry { rounds: inquiry.rounds + 1, whole: true, ..Inquiry::default() };
        }
    }

    /// An answer to a question was no whole list, or none at all: absence proves nothing.
    pub fn unanswered(&mut self, key: OrderKey) {
        if let Some(order) = self.get_mut(key) {
            order.inquiry.whole = false;
        }
    }

    /// A round of questions is over: judges what it found, and asks again later where that is not
    /// all.
    pub fn judge(&mut self, key: OrderKey, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        let patience = self.patience;
        let Some(order) = self.get_mut(key).filter(|order| order.stage != Stage::Ended) else {
            return;
        };
        let Inquiry { rounds, saw_order, saw_end, whole, .. } = order.inquiry;
        let old = now.since(order.sent.mono) >= patience.absence;
        if whole && order.expect.is_none() {
            if !saw_order && order.counted.is_empty() && old {
                // It is on no list, long after the venue would still have taken it.
                let kind = match order.stage {
                    Stage::Open => ReportKind::Cancelled,
                    _ => ReportKind::Rejected(Reject::Venue),
                };
                order.end(kind, now, figures, out);
                return;
            }
            if (saw_end && !order.counted.is_empty()) || (old && !saw_order) {
                // It is over, and these are all its trades.
                order.expect = Some(Expect::Trades(order.trades()));
            }
        }
        let doubled = patience.round_first.0 << rounds.saturating_sub(1).min(16);
        order.ask_at(now.after(Ns(doubled.min(patience.round_longest.0))));
        self.settle(key, now, figures, out);
    }

    /// Ends an order whose fills are what the venue says they are.
    fn settle(&mut self, key: OrderKey, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        let Some(order) = self.get_mut(key).filter(|order| order.stage != Stage::Ended) else {
            return;
        };
        let is_all = match order.expect {
            None => false,
            Some(Expect::Shares(shares)) => order.filled >= shares,
            Some(Expect::Trades(trades)) => order.trades() >= trades,
        };
        if is_all {
            if let Some(Expect::Shares(shares)) = order.expect {
                figures.excess += u64::from(order.filled > shares);
            }
            let kind = if order.is_full() { ReportKind::Done } else { ReportKind::Cancelled };
            order.end(kind, now, figures, out);
        }
    }

    /// Fills that came before it was known whose they are.
    fn take_early(&mut self, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        for _ in 0..self.early.len() {
            if let Some(news) = self.early.pop_front() {
                self.fill(&news, now, figures, out); // It may wait again, behind the others.
            }
        }
    }

    fn find(&self, venue: &Id, client: Option<&Id>) -> Option<usize> {
        self.slots.iter().position(|order| {
            order.venue.as_ref() == Some(venue) || client.is_some_and(|id| *id == order.client)
        })
    }

    fn key_of(&self, slot: usize) -> OrderKey {
        OrderKey { slot: slot as u16, serial: self.slots[slot].serial }
    }

    fn get_mut(&mut self, key: OrderKey) -> Option<&mut Order> {
        self.slots.get_mut(usize::from(key.slot)).filter(|order| order.serial == key.serial)
    }
}

#[cfg(test)]
impl Orders {
    /// The order that left last.
    pub fn last(&self) -> &Order {
        self.slots.iter().max_by_key(|order| order.serial).unwrap()
    }
}

impl Order {
    /// Which outcome it buys.
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Trades that were counted, undone ones too: the venue counts those as well.
    fn trades(&self) -> u16 {
        let first = |n: usize| {
            !self.counted[..n].iter().any(|before| before.trade == self.counted[n].trade)
        };
        (0..self.counted.len()).filter(|n| first(*n)).count() as u16
    }

    /// True where the venue could fill no more of it.
    fn is_full(&self) -> bool {
        // What is left of an amount buys no hundredth of a share at the worst price.
        let spent = self.spends && self.cash + Usd::new(i64::from(self.limit.e4())) > self.budget;
        self.filled >= Shares::from(self.qty) || spent
    }

    fn acked(&mut self, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        if self.stage == Stage::Open {
            return;
        }
        figures.resolved += u64::from(self.stage == Stage::Unknown);
        self.stage = Stage::Open;
        self.tell(ReportKind::Acked, now, out);
    }

    fn doubt(&mut self, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        if self.stage != Stage::Unknown {
            figures.unknown += 1;
            self.stage = Stage::Unknown;
            self.tell(ReportKind::Unknown, now, out);
        }
        self.ask_at(now);
    }

    fn end(&mut self, kind: ReportKind, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        figures.resolved += u64::from(self.stage == Stage::Unknown);
        self.stage = Stage::Ended;
        self.inquiry.due = None;
        self.tell(kind, now, out);
    }

    fn ask_at(&mut self, at: Ns) {
        let sooner = self.inquiry.due.is_none_or(|due| at < due);
        if sooner {
            self.inquiry.due = Some(at);
        }
    }

    fn fill(&mut self, news: &FillNews, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        let same = |c: &&mut Counted| (c.trade, c.part) == (news.trade, news.part);
        let seen = self.counted.iter_mut().find(same);
        match (seen, news.stands) {
            (Some(counted), TradeStands::Failed) if !counted.undone => {
                // There is no report for money that comes back; doubt blocks the pair and shows.
                counted.undone = true;
                figures.undone += 1;
                self.tell(ReportKind::Unknown, now, out);
            }
            (Some(_), _) => figures.duplicates += 1,
            (None, stands) => {
                let undone = stands == TradeStands::Failed;
                self.counted.push(Counted { trade: news.trade, part: news.part, undone });
                if undone {
                    return; // It was told as a failure only: nothing was counted.
                }
                let cash = cost_of(news.shares, news.px);
                let fee = match news.fee {
                    Some(fee) => fee,
                    None => self.fees.buy(news.shares, news.px, cash),
                };
                figures.fills += 1;
                figures.excess += u64::from(self.stage == Stage::Ended);
                self.filled += news.shares;
                self.cash += cash;
                let kind = ReportKind::Filled { shares: news.shares, px: news.px, cash, fee };
                if self.stage == Stage::Unknown {
                    figures.resolved += 1;
                }
                if matches!(self.stage, Stage::Sent | Stage::Unknown) {
                    self.stage = Stage::Open;
                }
                self.tell(kind, now, out);
            }
        }
    }

    fn tell(&self, kind: ReportKind, at: Ns, out: &mut Outbox) {
        out.tell(Feedback::Report(Report {
            bundle: self.bundle,
            pair: self.pair,
            leg: self.leg,
            market: self.market,
            outcome: self.outcome,
            at,
            kind,
        }));
    }
}

/// The larger of two expectations of one kind: a later word of the venue replaces an earlier one
/// only upwards.
trait MaxOf {
    fn max_of(self, other: Self) -> Self;
}

impl MaxOf for Option<Expect> {
    fn max_of(self, other: Option<Expect>) -> Option<Expect> {
        match (self, other) {
            (Some(Expect::Shares(a)), Some(Expect::Shares(b))) => Some(Expect::Shares(a.max(b))),
            (Some(Expect::Trades(a)), Some(Expect::Trades(b))) => Some(Expect::Trades(a.max(b))),
            (one, other) => one.or(other),
        }
    }
}
