//! The comparison of our figures with the venues' that goes on while a run does: the shipped one, in
//! simulated time, and what a person does whom it calls.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine::event::Event;
use engine::pair::PairTable;
use engine::units::{Ns, Venue};

use super::books::Courier;
use super::checks::Violation;
use super::door::Door;
use super::seed::Simulation;
use crate::journal::compare::{Comparison, EVERY, Rounds};
use crate::pairs::PairFile;
use crate::run::audit;
use crate::run::spec::RunSpec;

/// Between two comparisons.
const COMPARE_EVERY: Ns = Ns(EVERY.as_nanos() as u64);
/// A person who was called restarts the engine after this.
const CALLED: Ns = Ns::from_ms(20_000);
/// The shipped comparison counts in the host's time, of which only spans matter: simulated time
/// begins so long after this process, so that no span reaches behind its begin.
const BEHIND: Duration = Duration::from_secs(1_000);

/// What a run believes beside what the venues say.
pub(super) struct Figures {
    comparison: Mutex<Comparison>,
    rounds: Rounds,
    epoch: Instant,
    began: Ns,
    next: Ns,
    /// A person was called, who restarts the engine then.
    called: Option<Ns>,
}

impl Figures {
    /// Of a run that begins now.
    pub(super) fn new(spec: &RunSpec, file: &PairFile, table: &PairTable, now: Ns) -> Figures {
        Figures {
            comparison: Mutex::new(Comparison::new(spec, file, table)),
            rounds: Rounds::of(file),
            epoch: Instant::now() + BEHIND,
            began: now,
            next: now.after(COMPARE_EVERY),
            called: None,
        }
    }

    /// Takes in what the run tells.
    pub(super) fn heard(&mut self, now: Ns, event: &Event) {
        let at = self.instant(now);
        let held = self.comparison.get_mut().unwrap_or_else(PoisonError::into_inner);
        held.heard(at, event);
    }

    /// Trading stopped because figures differ, and a person was called.
    pub(super) const fn has_called(&self) -> bool {
        self.called.is_some()
    }

    fn instant(&self, now: Ns) -> Instant {
        self.epoch + Duration::from_nanos(now.since(self.began).0)
    }
}

impl Simulation {
    /// Compares when that is due. Where figures differ for long, trading stops, and a person comes
    /// and restarts the engine: its start explains what it finds. A person who is called for nothing
    /// was lied to.
    pub(super) fn compare_figures(&mut self, now: Ns) -> Result<(), Violation> {
        let Some(figures) = &mut self.figures else { return Ok(()) };
        if let Some(at) = figures.called {
            if now >= at {
                self.end(now, now);
            }
            return Ok(());
        }
        if now < figures.next {
            return Ok(());
        }
        figures.next = now.after(COMPARE_EVERY);
        let asked = figures.instant(now);
        let cut = self.lobby.borrow().refuses_until.map(|until| now < until);
        let wall = Ns(now.0.saturating_add_signed(self.wall_ahead));
        let door = Door { host: &mut self.world, revoked: self.revoked };
        let courier = Courier::new(door, now, wall, cut);
        let both = (&mut figures.rounds, &figures.comparison);
        // Without an answer nothing is known: it is asked again.
        let compared = courier.compare(&self.config, &self.keys, both, asked).ok().flatten();
        let mut effects = courier.effects();
        self.fabric.deliver(&mut effects);
        let (Some(found), Some(trader)) = (compared, &mut self.trader) else { return Ok(()) };
        self.checks.compared(now);
        found.settled.into_iter().for_each(|word| trader.tell(word));
        let Some(why) = found.alarm else { return Ok(()) };
        let accounts = Venue::ALL.map(|venue| self.world.standing(venue));
        if audit::compare(trader.core(), &self.file, &accounts).agrees() {
            return Err(Violation { invariant: "no_false_alarm", detail: why });
        }
        // A difference that no fault explains is a mis-booking, however well it is noticed.
        if !self.checks.may_differ(now, &self.world) {
            return Err(Violation { invariant: "ledgers_equal", detail: why });
        }
        trader.kill();
        figures.called = Some(now.after(CALLED));
        self.tail.fault(now, "figures differ: trading stopped");
        *self.faults.entry("host/figures_differ_and_stopped").or_default() += 1;
        Ok(())
    }
}
