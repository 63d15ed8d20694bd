//! Signing ahead: which orders of the second venue a pair would send next, if either venue's price
//! came its way, and deciding for what lies ready.

use super::{Core, Outlet, SOUND};
use crate::event::{Action, ArmRequest, Leg};
use crate::pair::{Direction, Outcome, PairId};
use crate::size::{Limits, Offer, Plan, around};
use crate::tile::Now;
use crate::top::{MarketId, Top};
use crate::units::{Ns, PX_ONE, Px, Qty, Shares, Usd};

/// An order that was asked to be signed ahead is asked for again after this long at the latest:
/// the signer forgets what is older than some times that.
pub const ARM_AGE: Ns = Ns::from_ms(1_000);

/// Limit prices that are kept ready for a direction: the second venue's two best prices, for when
/// the first venue moves, and what it may cost at most against the first venue's two best prices,
/// for when the second venue moves.
const LIMITS: usize = 4;

/// Sizes of each: nobody knows what depth a move will show.
const RUNGS: usize = 4;

/// Orders that are kept ready for a direction of a pair at most.
pub const ARMS_MAX: usize = LIMITS * RUNGS;

/// Orders that lie ready are tried so many times before one is signed on the spot.
const TRIES: usize = 4;

/// The directions that reach both venues; only their second leg is worth signing ahead.
const ACROSS: [Direction; 2] = [Direction::FirstYes, Direction::FirstNo];

/// An order as it is asked for; a size of nothing is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Wish {
    limit: u16,
    qty_e2: u32,
}

impl Wish {
    const NONE: Wish = Wish { limit: 0, qty_e2: 0 };

    /// Price and size.
    fn order(self) -> Option<(Px, Qty)> {
        let (limit, qty) = (Px::new(self.limit)?, Qty::new(u64::from(self.qty_e2))?);
        (self.qty_e2 > 0).then_some((limit, qty))
    }
}

/// What was asked for last, for one direction of a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Armed {
    wishes: [Wish; ARMS_MAX],
    /// When all of them were last asked for.
    at: Ns,
}

impl Armed {
    /// Nothing.
    pub(super) const NONE: Armed = Armed { wishes: [Wish::NONE; ARMS_MAX], at: Ns(0) };
}

impl Core {
    /// Edges above this deserve a closer look for arming.
    pub(super) fn arm_floor(&self) -> i32 {
        let Some(within) = self.config.arm_within else { return i32::MAX };
        let floor = self.config.min_profit - within;
        i32::try_from(floor.e6()).unwrap_or(if floor < Usd::ZERO { i32::MIN } else { i32::MAX })
    }

    /// Asks for the second venue's orders of each direction that is close to being sent.
    pub(super) fn arm(&mut self, now: Now, id: PairId, tops: &[Top; 2], out: &mut impl Outlet) {
        let floor = self.arm_floor();
        if floor == i32::MAX || !self.states[id.index()].decides {
            return;
        }
        for direction in ACROSS {
            if self.rows[id.index()].edges[direction.index()] <= floor {
                continue;
            }
            let offers = self.offers(id, direction, tops);
            let state = &mut self.states[id.index()];
            let (side, outcome) = direction.legs(state.polarity)[1];
            let terms = &state.terms[side];
            let least = self.config.min_profit.e6().max(1);
            let wishes = wishes(&offers, self.config.max_qty, least, terms.tick);
            let armed = &mut state.armed[direction.index()];
            let renew = now.mono.since(armed.at) >= ARM_AGE;
            for (rank, wish) in wishes.into_iter().enumerate() {
                if wish == armed.wishes[rank] && !renew {
                    continue;
                }
                armed.wishes[rank] = wish;
                let Some((limit, qty)) = wish.order() else { continue };
                let leg = Leg {
                    market: terms.market,
                    outcome,
                    action: Action::Buy,
                    spends: terms.size.whole_cents,
                    limit,
                    qty,
                    budget: qty.at(limit),
                    expected: Shares::from(qty),
                    cost: qty.at(limit),
                    fee: Usd::ZERO,
                    reserve: qty.at(limit),
                    generation: tops[side].generation,
                };
                out.arm(&ArmRequest { pair: id, direction, rank: rank as u8, leg, at: now.mono });
            }
            if renew {
                armed.at = now.mono;
            }
        }
    }

    /// The plan around the order that lies ready and gains most, where that is at least half of
    /// what `whole` gains: firing a little less at once beats signing a little more first.
    pub(super) fn as_armed(
        &self,
        id: PairId,
        direction: Direction,
        offers: &[Offer; 2],
        limits: &Limits,
        whole: &Plan,
    ) -> Option<Plan> {
        let armed = self.states[id.index()].armed.get(direction.index())?;
        let best = offers[1].best()?;
        // The gate holds every leg to this.
        let most = Px::new(best.e4().saturating_add(self.guard.limits().collar.e4()));
        let most = most.unwrap_or(Px::ONE);
        let mut below = whole.legs[1].expected.e6();
        for _ in 0..TRIES {
            // What an order buys at most, the largest first.
            let (buys, order) = armed
                .wishes
                .iter()
                .filter_map(|wish| wish.order())
                .filter(|(limit, _)| (best..=most).contains(limit))
                .map(|order| (bought_e6(order, best), order))
                .filter(|(buys, _)| *buys <= below)
                .max_by_key(|(buys, (limit, _))| (*buys, core::cmp::Reverse(*limit)))?;
            if buys * 2 < whole.qty.e6() {
                return None;
            }
            if let Some(plan) = around(offers, order, limits)
                && plan.profit.e6() * 2 >= whole.profit.e6()
            {
                return Some(plan);
            }
            below = buys.checked_sub(1)?;
        }
        None
    }
}

impl Core {
    /// Where, and at which price of which outcome, the first venue would have to sell for a
    /// contract of this direction to earn `edge`; `None` while a book is not sound, and where no
    /// price leads to it.
    pub fn price_for(
        &self,
        id: PairId,
        direction: Direction,
        edge: Usd,
    ) -> Option<(MarketId, Outcome, Px)> {
        let (row, state) = (self.rows.get(id.index())?, self.states.get(id.index())?);
        if row.status & SOUND != SOUND || !ACROSS.contains(&direction) {
            return None;
        }
        let [first, second] = self.offers(id, direction, &self.tops_of(id));
        let (side, outcome) = direction.legs(state.polarity)[0];
        let other = second.one_e6(second.best()?);
        let px = dearest(&first, other, edge.e6(), state.terms[side].tick)?;
        Some((state.terms[side].market, outcome, px))
    }
}

/// What an order buys at most where `best` is the best price, in millionths of a contract.
fn bought_e6((limit, qty): (Px, Qty), best: Px) -> u64 {
    qty.at(limit).e6().cast_unsigned() * u64::from(PX_ONE) / u64::from(best.e4().max(1))
}

/// The orders of the second venue that are worth having ready: `least_e6` is what a contract must
/// gain, and prices there are multiples of `tick`.
fn wishes(offers: &[Offer; 2], max: Qty, least_e6: i64, tick: Px) -> [Wish; ARMS_MAX] {
    let mut all = [Wish::NONE; ARMS_MAX];
    let [first, second] = offers;
    let mut depth = [Qty::ZERO; 2];
    for number in 0..LIMITS / 2 {
        if let Some((px, qty)) = second.level(number) {
            depth[1] = depth[1].saturating_add(qty);
            add(&mut all, number, px, depth[1].min(max), second);
        }
        if let Some((px, qty)) = first.level(number) {
            depth[0] = depth[0].saturating_add(qty);
            if let Some(limit) = dearest(second, first.one_e6(px), least_e6, tick) {
                // A better price buys more: room is left for it.
                let most = Qty::new(depth[0].min(max).e2() / 20 * 19).unwrap_or(max);
                add(&mut all, LIMITS / 2 + number, limit, most, second);
            }
        }
    }
    all
}

/// Adds the sizes of one limit price, each two thirds of the one before.
fn add(all: &mut [Wish; ARMS_MAX], number: usize, limit: Px, most: Qty, offer: &Offer) {
    let (rule, mut size) = (offer.rule(), most.e2());
    let step = rule.step_e2(limit);
    for rung in 0..RUNGS {
        let snapped = size - size % step;
        size = size * 2 / 3;
        let (Some(qty), Ok(qty_e2)) = (Qty::new(snapped), u32::try_from(snapped)) else { continue };
        let wish = Wish { limit: limit.e4(), qty_e2 };
        if qty.is_zero() || qty < rule.min_qty || qty.at(limit) < rule.min_notional {
            return;
        }
        if !all.contains(&wish) {
            // The most likely sizes of every price come before the others of any.
            all[rung * LIMITS + number] = wish;
        }
    }
}

/// The dearest price at which a contract still gains `least_e6` beside one that costs `other_e6`.
fn dearest(offer: &Offer, other_e6: i64, least_e6: i64, tick: Px) -> Option<Px> {
    let tick = i64::from(tick.e4().max(1));
    let most = Usd::ONE.e6() - least_e6 - other_e6;
    let price = |steps: i64| Px::new(u16::try_from(steps * tick).ok()?);
    let fits = |px: Px| offer.one_e6(px) <= most;
    // Without a fee it would be this; a fee takes it down by at most some steps.
    let mut steps = (most / 100).min(i64::from(PX_ONE) - 1) / tick;
    while steps > 0 {
        let px = price(steps)?;
        if fits(px) {
            return Some(px);
        }
        // At least as many steps as the excess is worth without its fee.
        steps -= ((offer.one_e6(px) - most) / 100 / tick / 2).max(1);
    }
    None
}

#[cfg(test)]
#[path = "arm_tests.rs"]
mod tests;
