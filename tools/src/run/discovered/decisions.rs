//! What people decide while a run lasts: read several times a second, on a thread that never waits
//! for a venue, so that who blocks a pair does not wait for a look at two catalogues.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::roster::{self, Key, Roster};
use super::standing;
use crate::catalogue::store::{Store, StoreError};

/// How often the store is asked whether anybody decided something: one row of one index.
const EVERY: Duration = Duration::from_millis(200);

/// Reads decisions, and stops what may be traded no longer.
pub(super) struct Decisions {
    store: Store,
    roster: Arc<Mutex<Roster>>,
    /// The number of the last decision that was read.
    last: i64,
    /// Pairs that are still to be asked about.
    due: Vec<Key>,
}

impl Decisions {
    /// Reads them in this store.
    pub fn open(
        path: &Path,
        now: i64,
        roster: Arc<Mutex<Roster>>,
    ) -> Result<Decisions, StoreError> {
        let store = Store::open(path, now)?;
        // All pairs of the roster are read once, with what was decided until then.
        let last = store.last_decision()?;
        Ok(Decisions { store, roster, last, due: Vec::new() })
    }

    /// Reads until the run is over.
    pub fn run(&mut self, end: &AtomicBool) {
        let mut said = String::new();
        while !end.load(Relaxed) {
            let trouble = self.read().err().map_or_else(String::new, |error| error.to_string());
            if !trouble.is_empty() && trouble != said {
                eprintln!(
                    "discovery: decisions cannot be read, so that none stops a pair until they can: \
                     {trouble}"
                );
            }
            said = trouble;
            thread::sleep(EVERY);
        }
    }

    /// Stops pairs that were decided on since, or that joined since and may not trade. What could not
    /// be read is read again.
    pub fn read(&mut self) -> Result<(), StoreError> {
        let last = self.store.last_decision()?;
        if last != self.last {
            self.due.extend(self.store.decided_since(self.last)?);
            self.last = last;
        }
        self.due.extend(roster::lock(&self.roster).take_unread());
        while let Some(key) = self.due.last() {
            let own = roster::lock(&self.roster).trading(key).map(|seat| seat.own);
            if let Some(own) = own
                && let Some(why) = standing::ending(&self.store, key, own)?
            {
                roster::lock(&self.roster).stop(key, &why);
            }
            self.due.pop();
        }
        Ok(())
    }
}
