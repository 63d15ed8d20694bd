//! The market that a demonstration lists while it trades: both venues announce it, discovery finds
//! that it is one contract, it joins, and it is traded without a start or a connection.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use engine::pair::PairId;
use engine::units::Usd;

use crate::pairs::PairSpec;
use crate::rest::Agent;
use crate::run::child::Venues;
use crate::run::inject::Injection;
use crate::run::joins::{Joined, Joins, Move, Told, Watched};
use crate::run::story::Story;
use crate::run::summary::JoinedPair;

/// A demonstration that ends sooner has no time for it.
const SECONDS_MIN: u64 = 4;
/// It is listed after a quarter of the time, but not later.
const LIST_AFTER_MAX: Duration = Duration::from_secs(5);
/// So long after it joined its first arbitrage is asked for: its books have come.
const OPEN_AFTER: Duration = Duration::from_millis(500);
/// And again so long after the venues could not open one.
const OPEN_AGAIN: Duration = Duration::from_millis(250);
/// What a contract is to earn of it.
const EDGE: Usd = Usd::new(30_000);

/// How far it is.
enum Stage {
    /// It is listed so long after the start.
    Waiting(Duration),
    /// The venues listed it.
    Listed,
    /// It joined, and an arbitrage of it is asked for next then.
    Joined(Duration),
    /// Nothing is left to do.
    Done,
}

/// The market and what became of it.
pub(super) struct Late {
    stage: Stage,
    /// The name of its pair, and when it was listed.
    listed: Option<(String, Instant)>,
    /// Pairs that joined, and how long after their listing.
    pub joined: Vec<(PairId, PairSpec, Option<Duration>)>,
    /// What did not work.
    pub troubles: Vec<String>,
}

impl Late {
    /// For a demonstration of so many seconds.
    pub fn new(seconds: u64) -> RefCell<Late> {
        let stage = match seconds {
            SECONDS_MIN.. => Stage::Waiting((Duration::from_secs(seconds) / 4).min(LIST_AFTER_MAX)),
            _ => Stage::Done,
        };
        RefCell::new(Late { stage, listed: None, joined: Vec::new(), troubles: Vec::new() })
    }

    /// Does what is due.
    pub fn tick(&mut self, elapsed: Duration, venues: &Venues, agent: &Agent) {
        match self.stage {
            Stage::Waiting(at) if elapsed >= at => match venues.list(agent) {
                Ok(pair) => {
                    eprintln!("both exchanges list one more market: {pair}");
                    (self.stage, self.listed) = (Stage::Listed, Some((pair, Instant::now())));
                }
                Err(error) => {
                    self.troubles.push(format!("no market was listed while it traded: {error}"));
                    self.stage = Stage::Done;
                }
            },
            Stage::Listed if self.has_joined() => self.stage = Stage::Joined(elapsed + OPEN_AFTER),
            Stage::Joined(at) if elapsed >= at => {
                let Some((pair, _)) = self.listed.clone() else { return };
                let wanted = Injection { pair, direction: "FirstYes", edge: EDGE };
                self.stage = match wanted.open(venues, agent) {
                    Ok(true) | Err(_) => Stage::Done,
                    Ok(false) => Stage::Joined(elapsed + OPEN_AGAIN),
                };
            }
            _ => {}
        }
    }

    fn has_joined(&self) -> bool {
        let is = |name: &String| self.joined.iter().any(|(_, pair, _)| pair.id == *name);
        self.listed.as_ref().is_some_and(|(name, _)| is(name))
    }

    /// What became of the pairs that joined, for the summary; and a word where the one that was
    /// listed did not.
    pub fn told(&mut self, story: &Story) -> Vec<JoinedPair> {
        if let Some((name, _)) = &self.listed
            && !self.has_joined()
        {
            self.troubles.push(format!("{name} was listed while it traded and did not join"));
        }
        let told = |(_, pair, after): &(PairId, PairSpec, Option<Duration>)| {
            let ms = after.and_then(|after| u64::try_from(after.as_millis()).ok());
            JoinedPair { after_ms: ms, ..story.joined(&pair.id) }
        };
        self.joined.iter().map(told).collect()
    }
}

/// Where the pairs come from that join.
pub(super) struct Newcomers<'a> {
    pub watched: Watched,
    pub late: &'a RefCell<Late>,
}

impl Joins for Newcomers<'_> {
    fn next(&mut self) -> Option<Move> {
        self.watched.changes.try_recv().ok()
    }

    fn told(&mut self, told: Told) {
        // Where the watcher is gone the run is over.
        let _ = self.watched.told.send(told);
    }

    fn joined(&mut self, joined: &Joined) {
        let late = &mut *self.late.borrow_mut();
        let listed = late.listed.as_ref().filter(|(name, _)| *name == joined.spec.id);
        let after = listed.map(|(_, since)| since.elapsed());
        late.joined.push((joined.listing.pair, joined.spec.clone(), after));
    }
}
