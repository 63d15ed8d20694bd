//! The way of feedback to the core: a ring, and what did not fit into it yet. Nothing is lost.

use std::collections::VecDeque;

use engine::event::Feedback;
use rtrb::Producer;

/// Feedback that may wait. While more waits, the gate takes nothing new in, so that what waits is
/// bounded by what one step can cause.
pub const WAITING_MAX: usize = 1_024;

/// Where feedback goes.
pub struct Outbox {
    ring: Producer<Feedback>,
    waiting: VecDeque<Feedback>,
}

impl Outbox {
    /// An outbox into that ring.
    pub fn new(ring: Producer<Feedback>) -> Outbox {
        Outbox { ring, waiting: VecDeque::with_capacity(2 * WAITING_MAX) }
    }

    /// Tells the core, now or as soon as it has room.
    pub fn tell(&mut self, feedback: Feedback) {
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
