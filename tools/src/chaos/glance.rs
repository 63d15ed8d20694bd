//! The cross-check of the feeds' books that goes on while a run does: the shipped one, in simulated
//! time.

use std::rc::Rc;
use std::time::Duration;

use super::books::Courier;
use super::door::Door;
use super::seed::Simulation;
use super::trader::Compared;
use crate::crosscheck::{self, Asked, CrossCheck, EVERY, SETTLE, Seen};
use crate::pairs::PairFile;
use engine::core::Core;
use engine::pair::PairTable;
use engine::units::{Ns, Venue};

/// What a run's books are compared with.
pub(super) struct Glances {
    seen: Rc<Seen>,
    checks: [CrossCheck<Rc<Seen>>; 2],
    /// What was asked and waits until the picture has settled.
    asked: [Vec<Asked>; 2],
    next: Ns,
    judges: bool,
}

impl Glances {
    /// Of a run that begins now; `verdicts` are its feeds' rings.
    pub(super) fn new(
        table: &PairTable,
        file: &PairFile,
        (verdicts, hearing): Compared,
        now: Ns,
    ) -> Glances {
        let seen = Rc::new(Seen::default());
        let [first, second] = verdicts;
        let check = |venue, verdicts| {
            let markets = crosscheck::markets(venue, table, file);
            CrossCheck::new(Rc::clone(&seen), venue, markets, verdicts)
        };
        let first = check(Venue::Kalshi, first).hearing(hearing);
        let checks = [first, check(Venue::Polymarket, second)];
        let asked = [Vec::new(), Vec::new()];
        Glances { seen, checks, asked, next: now.after(span(EVERY)), judges: false }
    }

    /// When something is to be done next.
    pub(super) const fn due(&self) -> Ns {
        self.next
    }

    /// The books as the core has them now.
    fn picture(&self, core: &Core) {
        for pair in core.pairs().pairs() {
            let tops = pair.sides.iter().filter_map(|side| core.top(side.market));
            tops.for_each(|top| self.seen.put(top));
        }
    }
}

impl Simulation {
    /// Asks for the venues' books where that is due, or judges what they showed.
    pub(super) fn glance(&mut self, now: Ns) {
        let (Some(glances), Some(trader)) = (&mut self.glances, &self.trader) else { return };
        let wants = glances.checks.iter().any(CrossCheck::wants);
        if now < glances.next && !wants {
            return;
        }
        let cut = self.lobby.borrow().refuses_until.map(|until| now < until);
        let wall = Ns(now.0.saturating_add_signed(self.wall_ahead));
        let door = Door { host: &mut self.world, revoked: self.revoked };
        let courier = Courier::new(door, now, wall, cut);
        if wants {
            courier.learn(&self.config, &mut glances.checks[0]);
        }
        if now < glances.next {
            let mut effects = courier.effects();
            return self.fabric.deliver(&mut effects);
        }
        glances.picture(trader.core());
        glances.judges = !glances.judges;
        if glances.judges {
            glances.next = now.after(span(SETTLE));
            courier.learn(&self.config, &mut glances.checks[0]);
            for venue in Venue::ALL {
                let check = &mut glances.checks[venue.index()];
                glances.asked[venue.index()] = courier.show(&self.config, venue, check);
            }
            let mut effects = courier.effects();
            self.fabric.deliver(&mut effects);
            return;
        }
        glances.next = now.after(span(EVERY));
        for (check, asked) in glances.checks.iter_mut().zip(&mut glances.asked) {
            core::mem::take(asked).into_iter().for_each(|asked| check.judge_all(asked));
        }
        let mut effects = courier.effects();
        self.fabric.deliver(&mut effects);
    }
}

const fn span(span: Duration) -> Ns {
    Ns(span.as_nanos() as u64)
}
