//! The closer look at a pair: candidates, opportunity episodes and decisions.

use super::mend::{self, NAKED};
use super::{Core, NO_LIMIT, Outlet, SOUND};
use crate::edge::exists;
use crate::event::{
    Action, Bundle, BundleId, Closed, Decision, Event, Grounds, Leg, Miss, Opened, Purpose, Risk,
    Ticket,
};
use crate::flight::Flight;
use crate::luck;
use crate::pair::{Direction, LegOrder, PairId};
use crate::size::{Limits, Offer, depth, first_gain, plan};
use crate::tile::Now;
use crate::top::Top;
use crate::units::{Ns, Px, Qty, Usd, Venue};

/// An opportunity while it lives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Episode {
    opened: Ns,
    opened_by: Venue,
    peak_edge: i32,
    peak_size: Qty,
    seen: u64,
    missed: Option<Miss>,
}

impl Episode {
    pub(super) const NONE: Episode = Episode {
        opened: Ns(0),
        opened_by: Venue::Kalshi,
        peak_edge: 0,
        peak_size: Qty::ZERO,
        seen: 0,
        missed: Some(Miss::Off),
    };
}

impl Core {
    /// Looks closely at a pair whose book or fee on `side` changed with a frame received at `at`.
    #[cold]
    #[inline(never)]
    pub(super) fn attend(
        &mut self,
        now: Now,
        id: PairId,
        side: usize,
        at: Ns,
        out: &mut impl Outlet,
    ) {
        if self.rows[id.index()].open & NAKED != 0 {
            self.mend(now, id, out);
        }
        let row = &self.rows[id.index()];
        let (sound, edges) = (row.status & SOUND == SOUND, row.edges);
        let tops = self.tops_of(id);
        for direction in Direction::ALL {
            let edge = edges[direction.index()];
            if sound && exists(edge) && edge > self.best {
                self.best = edge;
                self.alert = edge.min(0).min(self.arm_floor());
            }
            if sound && edge > 0 {
                self.note_gain(id, direction, edge, &tops, (side, at), out);
            } else {
                self.note_none(id, direction, at, side, out);
            }
        }
        if !sound || !self.config.trade || self.killed {
            return;
        }
        let mut order = Direction::ALL;
        order.sort_unstable_by_key(|d| (-edges[d.index()], d.index()));
        for direction in order {
            let edge = Usd::new(i64::from(edges[direction.index()]));
            if edge <= Usd::ZERO {
                break;
            }
            let missed = if edge < self.config.min_profit {
                Err(Miss::BelowMinimum)
            } else {
                self.may_decide(now, id)
                    .and_then(|()| self.decide(now, id, direction, &tops, at, out))
            };
            let episode = &mut self.states[id.index()].episodes[direction.index()];
            if missed.is_ok() {
                episode.missed = None;
                return;
            }
            if episode.missed.is_some() {
                episode.missed = missed.err();
            }
        }
        self.arm(now, id, &tops, out);
    }

    pub(super) fn tops_of(&self, id: PairId) -> [Top; 2] {
        let terms = &self.states[id.index()].terms;
        [0, 1].map(|side: usize| self.tops[side][terms[side].market.index()])
    }

    pub(super) fn offers(&self, id: PairId, direction: Direction, tops: &[Top; 2]) -> [Offer; 2] {
        let state = &self.states[id.index()];
        let collar = self.guard.limits().collar;
        direction.legs(state.polarity).map(|(side, outcome)| {
            Offer::of(&tops[side], outcome, &state.terms[side]).within(collar)
        })
    }

    /// Counts a candidate, and opens or goes on with its episode.
    fn note_gain(
        &mut self,
        id: PairId,
        direction: Direction,
        edge: i32,
        tops: &[Top; 2],
        (side, at): (usize, Ns),
        out: &mut impl Outlet,
    ) {
        let size = depth(&self.offers(id, direction, tops));
        let (row, state) = (&mut self.rows[id.index()], &mut self.states[id.index()]);
        state.candidates[direction.index()] += 1;
        self.figures.candidates += 1;
        let episode = &mut state.episodes[direction.index()];
        let bit = 1 << direction.index();
        if row.open & bit == 0 {
            row.open |= bit;
            self.figures.episodes += 1;
            let by = Venue::ALL[side];
            *episode = Episode {
                opened: at,
                opened_by: by,
                peak_edge: edge,
                peak_size: size,
                ..Episode::NONE
            };
            let edge = Usd::new(i64::from(edge));
            out.event(&Event::OpportunityFound(Opened { pair: id, direction, at, by, edge, size }));
        }
        episode.seen += 1;
        episode.peak_edge = episode.peak_edge.max(edge);
        episode.peak_size = episode.peak_size.max(size);
    }

    /// Ends the episode of a direction, if there is one.
    pub(super) fn note_none(
        &mut self,
        id: PairId,
        direction: Direction,
        at: Ns,
        side: usize,
        out: &mut impl Outlet,
    ) {
        let row = &mut self.rows[id.index()];
        let bit = 1 << direction.index();
        if row.open & bit == 0 {
            return;
        }
        row.open &= !bit;
        let episode = self.states[id.index()].episodes[direction.index()];
        out.event(&Event::OpportunityClosed(Closed {
            pair: id,
            direction,
            opened: episode.opened,
            lived: at.since(episode.opened),
            opened_by: episode.opened_by,
            closed_by: Venue::ALL[side],
            peak_edge: Usd::new(i64::from(episode.peak_edge)),
            peak_size: episode.peak_size,
            seen: episode.seen,
            missed: episode.missed,
        }));
    }

    /// What a plan whose legs draw on these sides must respect.
    pub(super) fn limits(&self, id: PairId, sides: [usize; 2]) -> Limits {
        let room = self.guard.room(id, sides);
        let free = self.free(id, self.guard.limits().wallet_min);
        let most = self.config.max_notional.min(self.half_unsettled()).min(room.notional);
        let most = most.min(self.naked_room(id));
        Limits {
            min_profit: self.config.min_profit,
            max_qty: self.config.max_qty.min(room.qty),
            cash: sides.map(|side| free[side].min(most)),
            one_purse: sides[0] == sides[1],
            balance_grid: self.config.balance_grid,
        }
    }

    /// How much more one side of the pair's event may put at risk.
    fn naked_room(&self, id: PairId) -> Usd {
        let most = self.config.repair.map_or(NO_LIMIT, |repair| repair.naked_max);
        (most - self.at_risk(id)).max(Usd::ZERO)
    }

    /// Which leg of a bundle leaves first. One that leaves alone is followed by a repair.
    fn leg_order(&self, id: PairId, direction: Direction) -> LegOrder {
        let Some(repair) = self.config.repair else { return LegOrder::Both };
        if direction == Direction::SecondBoth {
            return LegOrder::Both;
        }
        let said = self.table.get(id).and_then(|pair| pair.legs);
        luck::first(said.unwrap_or(repair.order), &self.lucks, &self.states[id.index()].terms)
    }

    /// Both legs may take their half: neither can push the sum over the limit.
    fn half_unsettled(&self) -> Usd {
        Usd::new((self.config.max_unsettled - self.unsettled()).e6().max(0) / 2)
    }

    /// Why no plan fits: the limit that forbids one by itself, or the money and the market there are.
    #[cold]
    fn too_small(
        &mut self,
        now: Now,
        id: PairId,
        sides: [usize; 2],
        offers: &[Offer; 2],
        out: &mut impl Outlet,
    ) -> Miss {
        let free = self.free(id, self.guard.limits().wallet_min);
        let (room, all) = (self.guard.room(id, sides), self.config.max_qty);
        let allowed = self.limits(id, sides);
        let fits = |money: Usd, max_qty: Qty| {
            let most = money.min(self.config.max_notional);
            let cash = sides.map(|side| free[side].min(most));
            plan(offers, &Limits { max_qty, cash, ..allowed }).is_some()
        };
        // Each is a bound from above: where all of them together forbid it, one does alone.
        let risk = match () {
            () if !fits(NO_LIMIT, all) => return Miss::TooSmall,
            () if !fits(self.half_unsettled(), all) => Risk::Unsettled,
            () if !fits(room.notional, all) => room.by[0],
            () if !fits(NO_LIMIT, all.min(room.qty)) => room.by[1],
            () => return Miss::Unhedged,
        };
        self.trip(now, id, risk, out)
    }

    /// A safeguard stopped a decision: it is told once, until the pair fires again.
    #[cold]
    pub(super) fn trip(
        &mut self,
        now: Now,
        pair: PairId,
        risk: Risk,
        out: &mut impl Outlet,
    ) -> Miss {
        let (tripped, bit) = (&mut self.states[pair.index()].tripped, 1 << risk as u32);
        if *tripped & bit == 0 {
            *tripped |= bit;
            out.event(&Event::RiskTripped { pair, at: now.mono, risk });
        }
        Miss::Limit
    }

    fn may_decide(&self, now: Now, id: PairId) -> Result<(), Miss> {
        let state = &self.states[id.index()];
        match state {
            _ if !state.decides => Err(Miss::NotTradable),
            _ if state.flight.is_some() => Err(Miss::InFlight),
            _ if state.aside || self.rows[id.index()].open & NAKED != 0 => Err(Miss::Unhedged),
            _ if now.mono < state.ready_at => Err(Miss::Cooldown),
            _ => Ok(()),
        }
    }

    /// Sends a bundle if the books that stand for deciding allow one.
    fn decide(
        &mut self,
        now: Now,
        id: PairId,
        direction: Direction,
        tops: &[Top; 2],
        at: Ns,
        out: &mut impl Outlet,
    ) -> Result<(), Miss> {
        // Its two tokens may be of different moments, so the gap between them may never have been.
        if direction == Direction::SecondBoth && tops[1].flags & Top::TORN != 0 {
            return Err(Miss::Torn);
        }
        let sides = direction.legs(self.states[id.index()].polarity);
        if sides.iter().any(|(side, _)| !self.gates[*side]) {
            return Err(Miss::GateDown);
        }
        let sides_of = sides.map(|(side, _)| side);
        let before = self.grounds(now, sides_of.map(|side| &tops[side]));
        let allowed = self
            .guard
            .may_fire(now, id, sides_of, before.age)
            .and_then(|()| self.guard.may_spend(before.cash, before.today));
        if let Err(risk) = allowed {
            return Err(self.trip(now, id, risk, out));
        }
        let standing = [out.standing(&tops[0]), out.standing(&tops[1])];
        let offers = self.offers(id, direction, &standing);
        let limits = self.limits(id, sides_of);
        let Some(plan) = plan(&offers, &limits) else {
            return Err(self.too_small(now, id, sides_of, &offers, out));
        };
        let plan = self.as_armed(id, direction, &offers, &limits, &plan).unwrap_or(plan);
        let state = &self.states[id.index()];
        let (Some(edge), Some(best_a), Some(best_b)) =
            (first_gain(&offers), offers[0].best(), offers[1].best())
        else {
            return Err(Miss::TooSmall);
        };
        let order = self.leg_order(id, direction);
        // The leg that leaves first, or alone, stands first.
        let turn = if order == LegOrder::Second { [1, 0] } else { [0, 1] };
        let best = turn.map(|leg: usize| [best_a, best_b][leg]);
        let leg = |leg: usize| {
            let ((side, outcome), part) = (sides[leg], &plan.legs[leg]);
            Leg {
                market: state.terms[side].market,
                outcome,
                action: Action::Buy,
                spends: state.terms[side].size.whole_cents,
                limit: part.limit,
                qty: part.qty,
                budget: part.budget,
                expected: part.expected,
                cost: part.cost,
                fee: part.fee,
                reserve: part.reserve,
                generation: tops[side].generation,
            }
        };
        self.last_bundle += 1;
        let bundle = Bundle {
            id: BundleId(self.last_bundle),
            pair: id,
            direction,
            purpose: Purpose::Open,
            count: if order == LegOrder::Both { 2 } else { 1 },
            legs: turn.map(leg),
            recv: at,
            decided: now.mono,
            deadline: now.mono.after(self.config.deadline),
            kill_epoch: self.kill_epoch,
            collar: collars(best, self.guard.limits().collar),
            ticket: Ticket::AtGate,
        };
        // What is to follow must find its money and its room when its time comes.
        for part in bundle.planned() {
            self.reserve(part.market, part.reserve);
        }
        self.risk(id, mend::at_risk(&bundle));
        self.guard.fired(&bundle);
        (0..bundle.planned().len()).for_each(|leg| self.guard.fly(&bundle, leg));
        let state = &mut self.states[id.index()];
        state.tripped = 0;
        state.flight = Some(Flight::new(&bundle));
        self.figures.decisions += 1;
        self.mix_bundle(&bundle);
        out.event(&Event::ExecuteTrade(Decision {
            at,
            bundle,
            best,
            qty: plan.qty,
            edge,
            profit: plan.profit,
            tops: standing,
        }));
        let (unsettled, left) = (self.unsettled(), self.left());
        out.bundle(&bundle, &Grounds { unsettled, left, ..before });
        Ok(())
    }
}

/// The dearest that each leg may pay: so much above the best price of its own book, and never so
/// much that it and the best price of the other leg come to more than the dollar that one of them
/// pays.
fn collars(best: [Px; 2], collar: Px) -> [Px; 2] {
    [(best[0], best[1]), (best[1], best[0])].map(|(own, other)| {
        Px::new(own.e4().saturating_add(collar.e4())).unwrap_or(Px::ONE).min(other.complement())
    })
}

#[cfg(test)]
#[path = "attend_tests.rs"]
mod tests;
