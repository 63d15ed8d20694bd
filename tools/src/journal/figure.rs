//! One figure of ours beside a venue's: as it is, until when it was something else, and by how much
//! the venue's is known to differ.

use std::collections::VecDeque;
use std::time::Instant;

/// So many reads in a row must differ before that is believed; of a zero where we believe in
/// something, twice as many, because an answer that lost its content reads as zero.
const STRIKES: u32 = 5;

/// Values of the time before that a difference is told against: a read may be older than the last
/// of them.
const KNOWN_MAX: usize = 64;

/// The figure.
#[derive(Clone, Debug, Default)]
pub(super) struct Figure {
    now: i64,
    past: VecDeque<(Instant, i64)>,
    strikes: u32,
    /// The difference that was told: by how much theirs is more than ours is, or just was. What a
    /// later read rules out goes.
    known: Vec<i64>,
    /// Reads in a row that agree though a difference was told.
    agreed: u32,
}

impl Figure {
    /// It is `value` from now on.
    pub(super) fn set(&mut self, at: Instant, value: i64) {
        if value != self.now {
            self.past.push_back((at, self.now));
            self.now = value;
        }
    }

    /// Forgets what it was.
    pub(super) fn forget(&mut self) {
        self.past.clear();
    }

    /// What it is.
    pub(super) const fn now(&self) -> i64 {
        self.now
    }

    /// By how much the venue's figure is known to be more.
    pub(super) fn known(&self) -> Option<i64> {
        self.known.first().copied()
    }

    /// An explanation was found of why it moves by `by`: where that is within what was told of the
    /// venue's figure, which is `theirs`, less is left to be known.
    pub(super) fn explain(&mut self, theirs: i64, by: i64) {
        let is_within = |known: &i64| self.was(theirs - known) && !self.was(theirs - by - known);
        if self.known.iter().any(is_within) {
            self.known.iter_mut().for_each(|known| *known -= by);
            self.known.retain(|known| *known != 0);
        }
    }

    /// Takes in a read; true where it differs so long, and so, that a person is to be told.
    pub(super) fn is_news(&mut self, since: Option<Instant>, theirs: i64) -> bool {
        while self.past.front().is_some_and(|(until, _)| since.is_some_and(|s| *until < s)) {
            self.past.pop_front();
        }
        let still: Vec<i64> =
            self.known.iter().copied().filter(|known| self.was(theirs - known)).collect();
        if !still.is_empty() {
            (self.known, self.agreed, self.strikes) = (still, 0, 0);
            return false;
        }
        if self.was(theirs) {
            (self.agreed, self.strikes) = (self.agreed.saturating_add(1), 0);
            if self.agreed >= STRIKES {
                self.known.clear();
            }
            return false;
        }
        (self.agreed, self.strikes) = (0, self.strikes + 1);
        let suspect = theirs == 0 && self.now != 0;
        if self.strikes < if suspect { 2 * STRIKES } else { STRIKES } {
            return false;
        }
        self.strikes = 0;
        let lately = self.past.iter().rev().map(|(_, past)| *past).take(KNOWN_MAX);
        self.known = std::iter::once(self.now).chain(lately).map(|ours| theirs - ours).collect();
        true
    }

    /// True where `value` was ours since then, and is no more.
    pub(super) fn was_since(&self, since: Option<Instant>, value: i64) -> bool {
        let late = self.past.iter().filter(|(until, _)| since.is_none_or(|since| *until >= since));
        late.map(|(_, past)| *past).any(|past| past == value)
    }

    /// True where it is `value`, or was within what is remembered.
    fn was(&self, value: i64) -> bool {
        self.now == value || self.past.iter().any(|(_, past)| *past == value)
    }
}
