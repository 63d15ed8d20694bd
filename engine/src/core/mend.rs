//! What one leg filled alone is closed: when to try, which order leaves, and when somebody is told.

use super::{Core, Outlet};
use crate::event::{Bundle, BundleId, Event, Leg, Purpose, Repair, Repaired, Ticket, Wait};
use crate::flight::Flight;
use crate::pair::{Direction, Outcome, PairId};
use crate::payoff::{Doubt, worst_loss};
use crate::repair::{Choice, Exit, RepairConfig, Scene, WAYS, Way, choose};
use crate::tile::Now;
use crate::top::Health;
use crate::units::{Ns, Qty, Shares, Usd};

/// The bit of a row's open directions that stands for contracts held on one side alone: the pair is
/// looked at with every Top of its markets.
pub(super) const NAKED: u8 = 1 << 7;

/// Nothing is due.
pub(super) const NEVER: Ns = Ns(u64::MAX);

/// The tries to close what a pair holds on one side alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mend {
    /// When to look again though no book moves; monotonic.
    due: Ns,
    /// A way rests until then,
    rests: [Ns; 3],
    /// after so many fruitless tries.
    fails: [u8; 3],
    /// The way that is being tried.
    way: Way,
    /// Looks and tries in a row that came to nothing.
    tries: u8,
    why: Option<Wait>,
}

impl Mend {
    pub(super) const NONE: Mend = Mend {
        due: NEVER,
        rests: [Ns(0); 3],
        fails: [0; 3],
        way: Way::BuyFirst,
        tries: 0,
        why: None,
    };
}

impl Core {
    /// Looks whether a pair holds something on one side alone, and tries to close it.
    #[cold]
    #[inline(never)]
    pub(super) fn mend(&mut self, now: Now, id: PairId, out: &mut impl Outlet) {
        let Some(config) = self.config.repair else { return };
        let naked = self.naked(id).1;
        let (row, state) = (&mut self.rows[id.index()], &mut self.states[id.index()]);
        if state.flight.is_some() {
            return; // what it fills may close it, or open more
        }
        if naked.floor_qty() == Qty::ZERO {
            row.open &= !NAKED;
            state.mend = Mend::NONE;
            return self.unwatch(id);
        }
        row.open |= NAKED;
        self.watch(now.mono, id, out);
        if self.is_killed() {
            return;
        }
        let at = now.mono;
        if let Err(risk) = self.guard.may_mend(at) {
            self.trip(now, id, risk, out);
            let mend = &mut self.states[id.index()].mend;
            mend.due = at.after(config.wait_first);
            self.mend_due = self.mend_due.min(mend.due);
            return;
        }
        let why = match self.choose(now, id, &config, out) {
            Choice::Close(exit) => return self.close(now, id, &exit, out),
            Choice::Hold => Wait::Hold,
            Choice::Dear => Wait::Dear,
            Choice::NoWay => Wait::NoWay,
        };
        let mend = &mut self.states[id.index()].mend;
        // A way that rests after a try is no news.
        let rests = mend.rests.iter().any(|until| *until > at);
        if mend.why != Some(why) && !rests {
            mend.why = Some(why);
            out.event(&Event::RepairWaits { pair: id, at, naked, why });
        }
        if mend.due <= at {
            self.fruitless(at, id, &config, out);
        }
        let mend = &mut self.states[id.index()].mend;
        if mend.due <= at || mend.due == NEVER {
            mend.due = at.after(wait(&config, mend.tries));
        }
        self.mend_due = self.mend_due.min(mend.due);
    }

    fn choose(&mut self, now: Now, id: PairId, config: &RepairConfig, out: &impl Outlet) -> Choice {
        let tops = self.tops_of(id).map(|top| out.standing(&top));
        let state = &self.states[id.index()];
        let rested = |way: Way| state.mend.rests[way as usize] <= now.mono;
        let gates = self.gates;
        let open = WAYS.map(|way| rested(way) && gates[usize::from(way != Way::BuyFirst)]);
        let limits = self.guard.limits();
        let most = self.config.max_notional.min(limits.order.notional);
        let doubled = config.give_first.e6().saturating_mul(1 << state.mend.tries.min(16));
        choose(&Scene {
            stock: &state.stock,
            tops: &tops,
            terms: &state.terms,
            cash: self.free(id, Usd::ZERO).map(|free| free.min(most)),
            max_qty: limits.order.qty,
            max_notional: most,
            collar: limits.collar,
            balance_grid: self.config.balance_grid,
            open,
            give: Usd::new(doubled).min(config.give_max),
            config,
        })
    }

    /// Sends an order that closes what it can.
    fn close(&mut self, now: Now, id: PairId, exit: &Exit, out: &mut impl Outlet) {
        let (pays, naked) = self.naked(id);
        let market = self.states[id.index()].terms[exit.side].market;
        let top = self.tops[exit.side][market.index()];
        debug_assert!(top.health == Health::Sound, "no order from a book that is not sound");
        let (terms, part) = (&self.states[id.index()].terms[exit.side], &exit.leg);
        let leg = Leg {
            market,
            outcome: exit.outcome,
            action: exit.action,
            spends: terms.size.whole_cents && exit.action == crate::event::Action::Buy,
            limit: part.limit,
            qty: part.qty,
            budget: part.budget,
            expected: part.expected,
            cost: part.cost,
            fee: part.fee,
            reserve: part.reserve,
            generation: top.generation,
        };
        self.last_bundle += 1;
        let bundle = Bundle {
            id: BundleId(self.last_bundle),
            pair: id,
            direction: Direction::FirstYes,
            purpose: exit.purpose,
            count: 1,
            legs: [leg; 2],
            // No frame caused it: what was heard of an order, or the time.
            recv: now.wall,
            decided: now.mono,
            deadline: now.mono.after(self.config.deadline),
            kill_epoch: self.kill_epoch,
            collar: [exit.collar; 2],
            ticket: Ticket::AtGate,
        };
        self.guard.fired(&bundle);
        self.guard.fly(&bundle, 0);
        self.reserve(market, part.reserve);
        let state = &mut self.states[id.index()];
        state.flight = Some(Flight::new(&bundle));
        let tries = state.mend.tries;
        state.mend = Mend { due: NEVER, way: exit.way, why: None, ..state.mend };
        self.figures.repairs += 1;
        self.mix_bundle(&bundle);
        let (value, fair) = (exit.value, exit.fair);
        out.event(&Event::RepairSent(Repair { bundle, naked, pays, value, fair, tries }));
        out.bundle(&bundle, &self.grounds(now, [&top; 2]));
    }

    /// A repair ended: what it filled is in the books.
    pub(super) fn mended(&mut self, now: Now, flight: &Flight, before: Usd, out: &mut impl Outlet) {
        let (pair, at) = (flight.bundle.pair, now.mono);
        let filled = flight.filled()[0];
        let profit = self.figures.realised - before;
        self.figures.repair_profit += profit;
        out.event(&Event::RepairEnded(Repaired {
            bundle: flight.bundle.id,
            pair,
            purpose: flight.bundle.purpose,
            at,
            filled,
            left: self.naked(pair).1,
            profit,
        }));
        let Some(config) = self.config.repair else { return };
        let state = &mut self.states[pair.index()];
        if filled != Shares::ZERO && state.tripped & super::alone::TOLD != 0 {
            self.unwatch(pair);
        }
        let mend = &mut self.states[pair.index()].mend;
        let way = mend.way as usize;
        let (until, fails) = (&mut mend.rests[way], &mut mend.fails[way]);
        if filled.floor_qty() == Qty::ZERO {
            *until = at.after(wait(&config, *fails));
            *fails = fails.saturating_add(1);
            self.fruitless(at, pair, &config, out);
        } else {
            (*until, *fails) = (at, 0);
            mend.tries = 0;
        }
    }

    /// A look or a try came to nothing: with the last of them somebody is told, if not before.
    fn fruitless(&mut self, at: Ns, pair: PairId, config: &RepairConfig, out: &mut impl Outlet) {
        let mend = &mut self.states[pair.index()].mend;
        mend.tries = mend.tries.saturating_add(1);
        if mend.tries == config.tries_max {
            self.tell_alone(at, pair, out);
        }
    }

    /// Time passed: looks again at what is held on one side alone, and tells of what is for too long.
    pub fn on_timer(&mut self, now: Now, out: &mut impl Outlet) {
        self.tell_due(now.mono, out);
        if now.mono < self.mend_due {
            return;
        }
        self.mend_due = NEVER;
        for number in 0..self.states.len() {
            let due = self.states[number].mend.due;
            if due <= now.mono {
                self.mend(now, PairId(number as u16), out);
            } else {
                self.mend_due = self.mend_due.min(due);
            }
        }
    }

    /// A person takes a kill back. What stopped decisions is told again where it still does, and
    /// what lies on one side alone is looked at anew, though no book moves.
    pub(super) fn on_arm(&mut self) {
        self.killed = false;
        for (row, state) in self.rows.iter().zip(&mut self.states) {
            state.tripped = 0;
            if row.open & NAKED != 0 {
                state.mend = Mend { due: Ns(0), ..Mend::NONE };
                self.mend_due = Ns(0);
            }
        }
    }

    /// When something is due though no input comes; monotonic.
    #[inline]
    pub fn next_due(&self) -> Option<Ns> {
        let due = self.mend_due.min(self.alone.due());
        (due != NEVER).then_some(due)
    }

    /// Pairs that hold something on one side alone which is still being closed.
    pub(super) fn mending(&self) -> u64 {
        let Some(config) = self.config.repair.filter(|_| !self.is_killed()) else { return 0 };
        let works = |state: &&super::PairState| {
            state.flight.is_none()
                && state.mend.tries < config.tries_max
                && state.mend.why != Some(Wait::Hold)
                && state.naked().1.floor_qty() != Qty::ZERO
        };
        self.states.iter().filter(works).count() as u64
    }
}

/// The most that can be lost on a bundle under way: that it fills in the worst way, and the event
/// ends so that nothing of it pays. A sale and what closes a position add nothing to lose.
pub(super) fn at_risk(bundle: &Bundle) -> Usd {
    if bundle.purpose != Purpose::Open {
        return Usd::ZERO;
    }
    let doubt = |number: usize| Doubt {
        // Its legs pay when the other does not; which is which does not matter here.
        pays: [Outcome::Yes, Outcome::No][number],
        filled: Shares::ZERO,
        paid: Usd::ZERO,
        open: Shares::from(bundle.legs[number].qty),
        reserve: bundle.legs[number].reserve,
    };
    let both = [doubt(0), doubt(1)];
    worst_loss(&both[..bundle.orders().len()])
}

/// The wait after so many fruitless tries.
fn wait(config: &RepairConfig, tries: u8) -> Ns {
    Ns(config.wait_first.0.saturating_mul(1 << tries.min(16)).min(config.wait_max.0))
}

#[cfg(test)]
#[path = "mend_tests.rs"]
mod tests;
