//! The way of feedback to the core: a ring, and what did not fit into it yet. Nothing is lost.

use std::collections::VecDeque;

use engine::event::Feedback;
use engine::risk::Guard;
use engine::units::{Ns, Venue};
use rtrb::Producer;

use crate::journal::durable::Cover;
use crate::journal::record::OrderRecord;
use crate::journal::{JournalWriter, Record};

/// Feedback that may wait. While more waits, the gate takes nothing new in, so that what waits is
/// bounded by what one step can cause.
pub const WAITING_MAX: usize = 1_024;

/// Where feedback goes.
pub struct Outbox {
    ring: Producer<Feedback>,
    waiting: VecDeque<Feedback>,
    journal: Option<JournalWriter>,
    /// An order leaves only when the journal holds it durably.
    waits: bool,
    /// Whatever is told passes here, so here it is counted what is at stake.
    guard: Option<Guard>,
}

impl Outbox {
    /// An outbox into that ring.
    pub fn new(ring: Producer<Feedback>) -> Outbox {
        let waiting = VecDeque::with_capacity(2 * WAITING_MAX);
        Outbox { ring, waiting, journal: None, waits: false, guard: None }
    }

    /// Writes down all that it tells, from now on. With `waits`, no order leaves that the journal
    /// does not hold durably.
    pub(super) fn keep(&mut self, journal: JournalWriter, waits: bool) {
        (self.journal, self.waits) = (Some(journal), waits);
    }

    /// Counts what is at stake, from now on.
    pub(super) fn watch(&mut self, guard: Guard) {
        self.guard = Some(guard);
    }

    /// What is at stake.
    pub(super) const fn guard(&self) -> Option<&Guard> {
        self.guard.as_ref()
    }

    /// The same, to ask and to tell.
    pub(super) const fn guard_mut(&mut self) -> Option<&mut Guard> {
        self.guard.as_mut()
    }

    /// True while too many errors at the venue keep its orders back.
    pub(super) fn rests(&self, venue: Venue, now: Ns) -> bool {
        self.guard.as_ref().is_some_and(|guard| guard.rests(venue, now))
    }

    /// True while new orders may be begun, as far as the journal goes.
    pub(super) fn may_begin(&self) -> bool {
        self.journal.as_ref().is_none_or(JournalWriter::has_room)
    }

    /// Writes down an order that is about to leave.
    pub(super) fn order(&mut self, order: &OrderRecord) -> Cover {
        match &mut self.journal {
            Some(journal) => journal.write(&Record::Order(*order)),
            None => Cover::Nothing,
        }
    }

    /// True where an order with that cover may leave.
    pub(super) fn covers(&self, cover: Cover) -> bool {
        let Some(journal) = self.journal.as_ref().filter(|_| self.waits) else { return true };
        journal.durable().is_open() && journal.durable().covers(cover)
    }

    /// Tells the core, now or as soon as it has room.
    pub fn tell(&mut self, feedback: Feedback) {
        self.pass(feedback);
        if let (Some(guard), Feedback::Report(report)) = (&mut self.guard, &feedback)
            && let Some(risk) = guard.hear(report)
        {
            self.pass(Feedback::Tripped { pair: report.pair, at: report.at, risk });
        }
    }

    fn pass(&mut self, feedback: Feedback) {
        if let Some(journal) = &mut self.journal {
            journal.write(&Record::Heard(feedback));
        }
        self.flush();
        if !self.waiting.is_empty() || self.ring.push(feedback).is_err() {
            self.waiting.push_back(feedback);
        }
    }

    /// Moves what waits into the ring.
    pub fn flush(&mut self) {
        while let Some(feedback) = self.waiting.front() {
            if self.ring.push(*feedback).is_err() {
                return;
            }
            self.waiting.pop_front();
        }
    }

    /// True where too much waits for anything new to be taken in.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING_MAX
    }
}
