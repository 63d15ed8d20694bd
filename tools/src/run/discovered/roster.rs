//! The pairs of a run, by their markets. Whoever learns that one must stop says so here, from
//! whatever thread: the core is asked at once, and nobody waits for a venue.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use engine::pair::{PairId, Verdict};

use crate::run::joins::joiner::{Stopper, Went};
use crate::run::joins::terms::Terms;

/// What names a pair by its markets: ticker and condition.
pub(super) type Key = (String, String);

/// A pair of the run.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    pub place: PairId,
    /// What its orders are made from.
    pub terms: Terms,
    /// What the user's file that has it says; none where discovery found it.
    pub own: Option<Verdict>,
    /// It was stopped, and has not left yet.
    stopped: bool,
}

impl Seat {
    pub const fn new(place: PairId, terms: Terms, own: Option<Verdict>) -> Seat {
        Seat { place, terms, own, stopped: false }
    }
}

/// All of them.
pub(super) struct Roster {
    seats: HashMap<Key, Seat>,
    /// Pairs of which nobody has asked yet whether a person decided on them: somebody may have while
    /// they joined.
    unread: Vec<Key>,
    stopper: Stopper,
}

impl Roster {
    pub fn new(stopper: Stopper) -> Roster {
        Roster { seats: HashMap::new(), unread: Vec::new(), stopper }
    }

    pub fn add(&mut self, key: Key, seat: Seat) {
        self.unread.push(key.clone());
        self.seats.insert(key, seat);
    }

    pub fn has(&self, key: &Key) -> bool {
        self.seats.contains_key(key)
    }

    /// A pair that may still be traded.
    pub fn trading(&self, key: &Key) -> Option<&Seat> {
        self.seats.get(key).filter(|seat| !seat.stopped)
    }

    /// All that may still be traded.
    pub fn all_trading(&self) -> Vec<(Key, Seat)> {
        let trading = self.seats.iter().filter(|(_, seat)| !seat.stopped);
        trading.map(|(key, seat)| (key.clone(), seat.clone())).collect()
    }

    pub fn take_unread(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.unread)
    }

    /// Stops a pair and says why: it leaves once nothing of it is open.
    pub fn stop(&mut self, key: &Key, why: &str) {
        let Some(seat) = self.seats.get_mut(key).filter(|seat| !seat.stopped) else { return };
        seat.stopped = true;
        self.stopper.stop(seat.place);
        eprintln!("discovery: {} stops, and leaves once nothing of it is open: {why}", key.0);
    }

    /// Forgets what left; whose it was.
    pub fn leave(&mut self, went: &Went) -> Vec<Key> {
        self.seats.extract_if(|_, seat| seat.place == went.place).map(|(key, _)| key).collect()
    }
}

/// What is known stays true where a thread ended in the middle of it.
pub(super) fn lock(roster: &Mutex<Roster>) -> MutexGuard<'_, Roster> {
    roster.lock().unwrap_or_else(PoisonError::into_inner)
}
