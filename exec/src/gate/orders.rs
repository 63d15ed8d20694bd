//! The orders of a gate: what was sent, what is known of it, and when that is all. No socket, no
//! clock.
//!
//! An order ends only where its fills add up to what the venue says of it, or where evidence says
//! that it never was. Fills come from the private channel or from a question, and count once.

mod order; // one of them
mod places; // where they are, and which have not ended

use std::collections::VecDeque;

use engine::core::FAILS_WITHIN;
use engine::event::{Bundle, Feedback, Reject, ReportKind, Risk};
use engine::fee::FillFees;
use engine::pair::PairId;
use engine::tile::Now;
use engine::top::MarketId;
use engine::units::{Ns, Shares};

use crate::answer::Answer;
use crate::gate::NO_PAIR;
use crate::gate::figures::GateFigures;
use crate::gate::outbox::Outbox;
use crate::id::Id;
use crate::private::{Expect, FillNews, OrderNews, Stand, TradeStands};
use crate::report::Fate;

use order::{Counted, Inquiry};
pub use order::{Order, Stage};
use places::Places;

/// Orders that are kept, ended ones until their place is needed: a late fill finds its order.
///
/// One with a trade that may fail keeps its place. Trades are final within seconds; where none ever
/// is, this is a hundred seconds at the rate of Polymarket's lowest tier (polymarket.md section 9),
/// and five minutes of 13 orders a second. After that no order leaves before a trade is final.
pub const ORDERS_MAX: usize = 4_096;

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
    /// A trade may fail for good so long after its order left: [`FAILS_WITHIN`].
    pub trades: Ns,
    /// An order that ended and has a trade which nobody called final is asked for this often.
    pub settles: Ns,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            fills: Ns::from_ms(1_000),
            round_first: Ns::from_ms(500),
            round_longest: Ns::from_ms(8_000),
            absence: Ns::from_ms(60_000),
            trades: FAILS_WITHIN,
            settles: Ns::from_ms(30_000),
        }
    }
}

/// The orders.
pub struct Orders {
    slots: Vec<Order>,
    /// The tails of both names of each order: what is told of ended ones is found by them.
    tails: Vec<[u64; 2]>,
    places: Places,
    /// Memory for the fills of orders to come.
    spare: Vec<Vec<Counted>>,
    serial: u64,
    /// With whether the private channel told them.
    early: VecDeque<(FillNews, bool)>,
    /// Orders that ended and whose trades may fail yet, with when to ask for them, soonest first.
    again: VecDeque<(OrderKey, Ns)>,
    patience: Patience,
}

impl Orders {
    /// No orders.
    pub fn new(patience: Patience) -> Orders {
        Orders {
            slots: Vec::with_capacity(ORDERS_MAX),
            tails: Vec::with_capacity(ORDERS_MAX),
            places: Places::new(),
            spare: (0..ORDERS_MAX).map(|_| Vec::with_capacity(FILLS_RESERVED)).collect(),
            serial: 0,
            early: VecDeque::with_capacity(EARLY_MAX),
            again: VecDeque::with_capacity(ORDERS_MAX),
            patience,
        }
    }

    /// True where that many more orders find a place.
    pub fn has_room(&mut self, orders: usize, now: Ns) -> bool {
        while let Some(slot) = self.places.kept_longest()
            && now.since(self.slots[slot].sent.mono) >= self.patience.trades
        {
            self.places.release(slot);
        }
        self.places.free() >= orders
    }

    /// Orders that have not ended.
    pub fn open(&self) -> usize {
        self.places.lives()
    }

    /// Orders whose fate is unknown.
    pub fn unknown(&self) -> usize {
        self.places.live().filter(|slot| self.slots[*slot].stage == Stage::Unknown).count()
    }

    /// Notes an order that left. `ids` are our own of it, and the venue's where that is known
    /// beforehand.
    ///
    /// Panics without room: the caller asked [`Orders::has_room`] before the order left.
    pub fn sent(
        &mut self,
        bundle: &Bundle,
        leg: usize,
        ids: (Id, Option<Id>),
        fees: FillFees,
        now: Now,
        out: &mut Outbox,
    ) -> OrderKey {
        self.serial += 1;
        // Places are laid out at start: of the orders that come to nothing else any more, the one
        // that ended longest ago gives up its own.
        let slot = self.places.take().expect("the caller made sure of room");
        let new = |counted| Order::new(self.serial, (bundle, leg), ids, fees, now, counted);
        let tails = [ids.0.tail(), ids.1.map_or(0, |id| id.tail())];
        if slot == self.slots.len() {
            self.slots.push(new(self.spare.pop().unwrap_or_default()));
            self.tails.push(tails);
        } else {
            let counted = core::mem::take(&mut self.slots[slot].counted);
            self.slots[slot] = new(counted);
            self.tails[slot] = tails;
        }
        self.slots[slot].tell(ReportKind::Sent, now.mono, out);
        OrderKey { slot: slot as u16, serial: self.serial }
    }

    /// The order of a key, unless its place was taken by another.
    pub fn get(&self, key: OrderKey) -> Option<&Order> {
        let place = usize::from(key.slot);
        let order = self.slots.get(place)?;
        debug_assert_eq!(self.places.is_live(place), order.stage != Stage::Ended);
        Some(order).filter(|order| order.serial == key.serial)
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
        if self.get(key).is_none_or(|order| order.stage == Stage::Ended) {
            return; // The channel was faster.
        }
        if let Some(venue) = answer.order {
            self.name(usize::from(key.slot), venue);
        }
        let order = &mut self.slots[usize::from(key.slot)];
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
                self.over(usize::from(key.slot));
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

    /// Something may have been missed: every order that has not ended is asked for, and after those
    /// every one whose trades may have failed meanwhile.
    pub fn ask_for_all(&mut self, now: Ns) {
        for slot in self.places.live() {
            self.slots[slot].ask_at(now);
        }
        let Patience { fills, trades, .. } = self.patience;
        self.again.clear();
        for (slot, order) in self.slots.iter().enumerate() {
            let ended = order.stage == Stage::Ended && order.may_fail() && !order.forgotten;
            if ended && now.since(order.sent.mono) < trades {
                self.again.push_back((self.key_of(slot), now.after(fills)));
            }
        }
    }

    /// Takes in a fill that the private channel told.
    pub fn fill(&mut self, news: &FillNews, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        self.take_fill((news, true), now, figures, out);
    }

    /// Takes in a fill that a question found. Returns since when nobody was asked of its order,
    /// where it is news: it happened after that.
    pub fn found(
        &mut self,
        news: &FillNews,
        now: Ns,
        figures: &mut GateFigures,
        out: &mut Outbox,
    ) -> Option<Ns> {
        self.take_fill((news, false), now, figures, out)
    }

    fn take_fill(
        &mut self,
        (news, is_told): (&FillNews, bool),
        now: Ns,
        figures: &mut GateFigures,
        out: &mut Outbox,
    ) -> Option<Ns> {
        let Some(slot) = self.find(&news.order, news.client.as_ref()) else {
            let waits = self.places.live().any(|slot| self.slots[slot].venue.is_none());
            if waits && self.early.len() < EARLY_MAX {
                self.early.push_back((*news, is_told));
            } else {
                // Told once for each fill, and once more where it is undone, however its settlement
                // goes on: questions find all that the account ever traded, again and again.
                if is_told && matches!(news.stands, TradeStands::Made | TradeStands::Failed) {
                    figures.foreign += 1;
                    let (pair, risk) = (NO_PAIR, Risk::Foreign);
                    out.tell(Feedback::Tripped { pair, at: now, risk });
                }
            }
            return None;
        };
        self.name(slot, news.order);
        let order = &mut self.slots[slot];
        let happened = order.fill(news, now, figures, out).then_some(order.known_until);
        let (is_over, may_fail) = (order.stage == Stage::Ended, order.may_fail());
        let key = OrderKey { slot: slot as u16, serial: order.serial };
        if happened.is_some() && is_over {
            if may_fail {
                self.places.keep(slot);
                if !self.again.iter().any(|(ended, _)| *ended == key) {
                    self.follow(key, now);
                }
            } else {
                self.places.release(slot);
                self.again.retain(|(ended, _)| *ended != key);
            }
        }
        // A trade at several prices is told part by part, and is whole with its last one.
        if !news.more {
            self.settle(key, now, figures, out);
        }
        happened
    }

    /// Takes in how an order stands.
    pub fn news(&mut self, news: &OrderNews, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        let patience = self.patience;
        let Some(slot) = self.find(&news.order, news.client.as_ref()) else { return };
        self.name(slot, news.order);
        let order = &mut self.slots[slot];
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

    /// The orders of a pair that left are from now on those of `nobody`: all of them have ended.
    pub fn leave(&mut self, pair: PairId, nobody: PairId) {
        let its = self.slots.iter_mut().filter(|order| order.pair == pair);
        its.filter(|order| order.stage == Stage::Ended).for_each(|order| order.pair = nobody);
    }

    /// Forgets the orders of a market; false, and nothing is forgotten, where one has not ended, or
    /// has a trade that may still be taken back.
    pub fn forget(&mut self, market: MarketId, now: Ns) -> bool {
        let trades = self.patience.trades;
        let is_open = |order: &Order| {
            order.stage != Stage::Ended || (order.may_fail() && now.since(order.sent.mono) < trades)
        };
        if self.slots.iter().any(|order| order.market == market && is_open(order)) {
            return false;
        }
        let slots = &self.slots;
        self.again.retain(|(key, _)| slots[usize::from(key.slot)].market != market);
        for order in self.slots.iter_mut().filter(|order| order.market == market) {
            order.forgotten = true;
        }
        true
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
        self.places.live().find(|slot| self.slots[*slot].cancel).map(|slot| self.key_of(slot))
    }

    /// The order that is to be asked for now. However many ended ones wait for their turn, one whose
    /// end is not known comes first.
    pub fn due_inquiry(&self, now: Ns) -> Option<OrderKey> {
        let ended = self.again.front().copied();
        self.doubt().into_iter().chain(ended).find(|(_, due)| now >= *due).map(|(key, _)| key)
    }

    /// When an order is to be asked for next.
    pub fn next_inquiry(&self) -> Option<Ns> {
        let ended = self.again.front().copied();
        self.doubt().into_iter().chain(ended).map(|(_, due)| due).min()
    }

    /// Of the orders that have not ended, the one that is to be asked for first, and when.
    fn doubt(&self) -> Option<(OrderKey, Ns)> {
        let due = self.places.live().filter_map(|slot| Some((slot, self.slots[slot].inquiry.due?)));
        due.min_by_key(|(_, due)| *due).map(|(slot, due)| (self.key_of(slot), due))
    }

    /// A round of questions about an order begins.
    pub fn inquire(&mut self, key: OrderKey, now: Ns) {
        self.again.retain(|(ended, _)| *ended != key);
        if let Some(order) = self.get_mut(key) {
            let inquiry = &mut order.inquiry;
            let rounds = inquiry.rounds + 1;
            *inquiry = Inquiry { began: now, rounds, whole: true, ..Inquiry::default() };
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
        let Some(order) = self.get_mut(key) else { return };
        let Inquiry { began, rounds, saw_order, saw_end, whole, .. } = order.inquiry;
        if whole {
            order.known_until = began;
        }
        if order.stage == Stage::Ended {
            return self.follow(key, now);
        }
        let old = now.since(order.sent.mono) >= patience.absence;
        if whole && order.expect.is_none() {
            if !saw_order && order.counted.is_empty() && old {
                // It is on no list, long after the venue would still have taken it.
                let kind = match order.stage {
                    Stage::Open => ReportKind::Cancelled,
                    _ => ReportKind::Rejected(Reject::Venue),
                };
                order.end(kind, now, figures, out);
                self.over(usize::from(key.slot));
                return;
            }
            if (saw_end && !order.counted.is_empty()) || (old && !saw_order) {
                // It is over, and these are all its trades.
                order.expect = Some(Expect::Trades(order.trades()));
            }
        }
        let doubled = patience.round_first.0 << rounds.saturating_sub(1).min(16);
        let next = now.after(Ns(doubled.min(patience.round_longest.0)));
        // The first round whose absence proves something is not put off.
        let proves = order.sent.mono.after(patience.absence);
        order.ask_at(if now < proves { next.min(proves) } else { next });
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
            self.over(usize::from(key.slot));
            self.follow(key, now);
        }
    }

    /// An order that ended is asked for later, as long as a trade of it may fail: whoever should tell
    /// that may be gone without a word.
    fn follow(&mut self, key: OrderKey, now: Ns) {
        let Patience { settles, trades, .. } = self.patience;
        let ends = |order: &&Order| order.may_fail() && now.since(order.sent.mono) < trades;
        if self.get(key).filter(ends).is_none() {
            return;
        }
        if self.again.len() >= ORDERS_MAX {
            let slots = &self.slots;
            let is_kept = |key: &OrderKey| slots[usize::from(key.slot)].serial == key.serial;
            self.again.retain(|(ended, _)| is_kept(ended) && *ended != key);
        }
        self.again.push_back((key, now.after(settles)));
    }

    /// Fills that came before it was known whose they are.
    fn take_early(&mut self, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        for _ in 0..self.early.len() {
            if let Some((news, is_told)) = self.early.pop_front() {
                self.take_fill((&news, is_told), now, figures, out); // It may wait again, behind the others.
            }
        }
    }

    fn find(&self, venue: &Id, client: Option<&Id>) -> Option<usize> {
        let is_it = |slot: &usize| {
            let order = &self.slots[*slot];
            if order.forgotten {
                return false;
            }
            order.venue.as_ref() == Some(venue) || client.is_some_and(|id| *id == order.client)
        };
        let tails = [client.map_or(0, Id::tail), venue.tail()];
        let may_be = |slot: &usize| {
            let has = self.tails[*slot];
            has[1] == tails[1] || has[0] == tails[0]
        };
        // Most news is of the few that have not ended.
        let mut ended = (0..self.slots.len()).filter(may_be);
        self.places.live().find(is_it).or_else(|| ended.find(is_it))
    }

    /// The venue's id of an order, where none is known yet.
    fn name(&mut self, slot: usize, venue: Id) {
        if self.slots[slot].venue.is_none() {
            self.slots[slot].venue = Some(venue);
            self.tails[slot][1] = venue.tail();
        }
    }

    /// An order has ended: another one may have its place once no trade of it can fail.
    fn over(&mut self, slot: usize) {
        self.places.end(slot);
        if self.slots[slot].may_fail() {
            self.places.keep(slot);
        }
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
