//! Signing ahead: which order of the second venue a pair would send next, if the first venue's
//! price came its way, and deciding for what lies ready.

use super::{Core, Outlet};
use crate::event::{Action, ArmRequest, Leg};
use crate::pair::{Direction, PairId};
use crate::size::{LegPlan, Limits, Offer, Plan, plan};
use crate::tile::Now;
use crate::top::Top;
use crate::units::{Ns, Px, Qty, Usd};

/// An order that was asked to be signed ahead is asked for again after this long at the latest:
/// the signer forgets what is older than twice that.
pub const ARM_AGE: Ns = Ns::from_ms(1_000);

/// The directions that reach both venues; only their second leg is worth signing ahead.
const ACROSS: [Direction; 2] = [Direction::FirstYes, Direction::FirstNo];

/// What was asked for last, for one direction of a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Armed {
    limit: Px,
    qty: Qty,
    at: Ns,
}

impl Core {
    /// Edges above this deserve a closer look for arming.
    pub(super) fn arm_floor(&self) -> i32 {
        let Some(within) = self.config.arm_within else { return i32::MAX };
        let floor = self.config.min_profit - within;
        i32::try_from(floor.e6()).unwrap_or(if floor < Usd::ZERO { i32::MIN } else { i32::MAX })
    }

    /// Asks for the second venue's order of each direction that is close to being sent.
    pub(super) fn arm(&mut self, now: Now, id: PairId, tops: &[Top; 2], out: &mut impl Outlet) {
        let floor = self.arm_floor();
        if floor == i32::MAX || !self.states[id.index()].decides {
            return;
        }
        for direction in ACROSS {
            let edge = self.rows[id.index()].edges[direction.index()];
            if edge <= floor {
                continue;
            }
            let Some(leg) = self.next_leg(id, direction, edge, tops) else { continue };
            let state = &mut self.states[id.index()];
            let (sides, armed) =
                (direction.legs(state.polarity), &mut state.armed[direction.index()]);
            let wanted = Armed { limit: leg.limit, qty: leg.qty, at: now.mono };
            let stands = armed.is_some_and(|old| {
                (old.limit, old.qty) == (wanted.limit, wanted.qty)
                    && now.mono.since(old.at) < ARM_AGE
            });
            if stands {
                continue;
            }
            *armed = Some(wanted);
            let (side, outcome) = sides[1];
            let leg = Leg {
                market: state.terms[side].market,
                outcome,
                action: Action::Buy,
                spends: state.terms[side].size.whole_cents,
                limit: leg.limit,
                qty: leg.qty,
                budget: leg.budget,
                expected: leg.expected,
                cost: leg.cost,
                fee: leg.fee,
                reserve: leg.reserve,
                generation: tops[side].generation,
            };
            out.arm(&ArmRequest { pair: id, direction, leg, at: now.mono });
        }
    }

    /// The second leg of the bundle that the pair would send if the first venue's prices were
    /// just good enough.
    fn next_leg(
        &self,
        id: PairId,
        direction: Direction,
        edge: i32,
        tops: &[Top; 2],
    ) -> Option<LegPlan> {
        let [first, second] = self.offers(id, direction, tops);
        // A step of the price is 100 micro-dollars; one more than is missing, for the fee moves too.
        let missing = self.config.min_profit.e6() - i64::from(edge);
        let steps = u16::try_from(missing.max(0) / 100 + i64::from(missing > 0)).ok()?;
        let sides = direction.legs(self.states[id.index()].polarity);
        let limits = self.limits(sides.map(|(side, _)| side));
        Some(plan(&[first.cheaper(steps), second], &limits)?.legs[1])
    }

    /// The same plan cut to the order that lies ready, where that is at least half of it: firing
    /// a little less at once beats signing a little more first.
    pub(super) fn as_armed(
        &self,
        id: PairId,
        direction: Direction,
        offers: &[Offer; 2],
        limits: &Limits,
        whole: &Plan,
    ) -> Option<Plan> {
        let armed = (*self.states[id.index()].armed.get(direction.index())?)?;
        let leg = &whole.legs[1];
        if armed.limit > leg.limit || armed.qty >= leg.qty || armed.qty.e2() * 2 < leg.qty.e2() {
            return None;
        }
        let cut = plan(offers, &Limits { max_qty: limits.max_qty.min(armed.qty), ..*limits })?;
        ((cut.legs[1].limit, cut.legs[1].qty) == (armed.limit, armed.qty)).then_some(cut)
    }
}

#[cfg(test)]
#[path = "arm_tests.rs"]
mod tests;
