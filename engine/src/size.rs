//! How much to buy: the visible depth of both legs, walked to the last contract that still earns
//! the minimum, cut to limits and snapped to what each venue accepts.

use crate::fee::{FillFees, bought_for, cost_of, worst_fee_e6};
use crate::pair::{FeeRule, Instrument, Outcome, SizeRule};
use crate::top::{Levels, TOP_LEVELS, Top};
use crate::units::{PX_ONE, Px, QTY_ONE, Qty, Shares, Usd};

/// Contracts come in hundredths: less than one of them, in millionths, is dust that no order has.
const DUST_E6: u64 = 10_000;

/// What no order there is made for, in micro-dollars.
const CENT_E6: i64 = 10_000;

/// An order that is given may leave this part of its budget unspent: one of so many.
const UNSPENT_PARTS: i64 = 5;

/// What a venue offers of one outcome, and on which terms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offer {
    /// Prices of the outcome, cheapest first; it ends before a price of nothing or a dollar.
    levels: Levels,
    fee: FeeRule,
    size: SizeRule,
}

/// What a plan must respect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Least net gain a contract; whatever it is, a plan gains something.
    pub min_profit: Usd,
    /// Most contracts.
    pub max_qty: Qty,
    /// Free money of each leg's venue.
    pub cash: [Usd; 2],
    /// True where both legs draw on the first purse of `cash`.
    pub one_purse: bool,
    /// The account's balance grid.
    pub balance_grid: Usd,
}

/// One order of a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LegPlan {
    /// Worst price.
    pub limit: Px,
    /// Size on the order.
    pub qty: Qty,
    /// `limit` x `qty`.
    pub budget: Usd,
    /// What the visible depth fills.
    pub expected: Shares,
    /// What that costs.
    pub cost: Usd,
    /// Net fees on it.
    pub fee: Usd,
    /// The most that the order can take out of the purse.
    pub reserve: Usd,
}

/// Two orders that together gain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The orders.
    pub legs: [LegPlan; 2],
    /// What both fill.
    pub qty: Shares,
    /// A dollar a contract of `qty` minus costs and net fees of both orders.
    pub profit: Usd,
}

impl Offer {
    /// The offers of `outcome` in a book of YES prices: its asks, or the mirror of its bids.
    pub fn of(top: &Top, outcome: Outcome, terms: &Instrument) -> Offer {
        let mut levels = match outcome {
            Outcome::Yes => top.asks(),
            Outcome::No => {
                let bids = top.bids();
                // An absent level has price zero, whose mirror would be a dollar.
                let mut mirror = bids.mirrored();
                for i in 0..TOP_LEVELS {
                    if bids.qty[i] == 0 {
                        mirror.px[i] = 0;
                    }
                }
                mirror
            }
        };
        let real = |px: &u16| (1..PX_ONE).contains(px);
        let end = levels.px.iter().position(|px| !real(px)).unwrap_or(TOP_LEVELS);
        levels.qty[end..].fill(0);
        Offer { levels, fee: terms.fee, size: terms.size }
    }

    /// Only what costs no more than `collar` above the best price.
    #[must_use]
    pub fn within(mut self, collar: Px) -> Offer {
        let most = self.levels.px[0].saturating_add(collar.e4());
        let end = self.levels.px.iter().position(|px| *px > most).unwrap_or(TOP_LEVELS);
        self.levels.qty[end..].fill(0);
        self
    }

    /// The same depth, each price less by `steps` of 1e-4 dollar; a price stays above nothing.
    #[must_use]
    pub fn cheaper(mut self, steps: u16) -> Offer {
        for (px, _) in self.levels.px.iter_mut().zip(&self.levels.qty).filter(|(_, qty)| **qty != 0)
        {
            *px = px.saturating_sub(steps).max(1);
        }
        self
    }

    /// The cheapest price.
    pub fn best(&self) -> Option<Px> {
        Some(self.level(0)?.0)
    }

    /// The same depth as far as a contract, fee included, costs no more than that.
    #[must_use]
    pub fn while_at_most(mut self, most: Usd) -> Offer {
        let dear = |at: &usize| self.level(*at).is_none_or(|(px, _)| self.one_e6(px) > most.e6());
        let end = (0..TOP_LEVELS).find(dear).unwrap_or(TOP_LEVELS);
        self.levels.qty[end..].fill(0);
        self
    }

    /// Price and fee of the cheapest contract.
    pub fn first_cost(&self) -> Option<Usd> {
        let cost = self.one_e6(self.best()?);
        self.fee.is_known().then(|| Usd::new(cost))
    }

    /// The largest order that buys at most `want` of this depth out of a purse with `cash`.
    pub fn order_within(&self, want: Shares, cash: Usd, balance_grid: Usd) -> Option<LegPlan> {
        let (worst, _) = (0..TOP_LEVELS).rev().find_map(|at| self.level(at))?;
        let limits = Limits {
            min_profit: Usd::ZERO,
            max_qty: Qty::MAX,
            cash: [cash; 2],
            one_purse: false,
            balance_grid,
        };
        let most = affordable(&[*self, *self], [worst; 2], &limits);
        self.order(want.min(Shares::from(most)), balance_grid)
    }

    /// A level by its number, the cheapest first.
    pub fn level(&self, index: usize) -> Option<(Px, Qty)> {
        let qty = *self.levels.qty.get(index)?;
        if qty == 0 {
            return None;
        }
        Some((Px::new(self.levels.px[index])?, Qty::lit(u64::from(qty))))
    }

    /// The sizes that an order may have.
    pub const fn rule(&self) -> SizeRule {
        self.size
    }

    /// Price and taker fee of one contract, in micro-dollars.
    pub fn one_e6(&self, px: Px) -> i64 {
        let one = Shares::from(Qty::ONE);
        // Within one order the balance grid only defers what it rounds: the trade fee counts.
        let fee = match self.fee {
            FeeRule::Quadratic { multiplier_e6 } => {
                crate::fee::quadratic_fee(one, px, multiplier_e6, crate::fee::Role::Taker)
            }
            FeeRule::Curve { rate_e6, exponent } => {
                crate::fee::curve_fee(one, px, rate_e6, exponent)
            }
            FeeRule::Unknown => return i64::MAX / 4,
        };
        i64::from(px.e4()) * 100 + fee.e6()
    }

    /// What the first `want` of the depth cost and charge.
    fn take(&self, want: Shares, balance_grid: Usd) -> Fill {
        let mut fill = Fill::new(self.fee, balance_grid);
        for (px, qty) in self.levels.iter() {
            let left = want.saturating_sub(fill.shares);
            if left == Shares::ZERO {
                break;
            }
            fill.buy(left.min(Shares::from(qty)), px);
        }
        fill
    }

    /// What an amount buys of the depth no dearer than `limit`.
    fn spend(&self, budget: Usd, limit: Px, balance_grid: Usd) -> Fill {
        let mut fill = Fill::new(self.fee, balance_grid);
        for (px, qty) in self.levels.iter().take_while(|(px, _)| *px <= limit) {
            let affordable = bought_for(budget - fill.cost, px);
            if affordable == Shares::ZERO {
                break;
            }
            fill.buy(affordable.min(Shares::from(qty)), px);
        }
        fill
    }

    /// The largest order that buys at most `want` of the visible depth.
    fn order(&self, want: Shares, balance_grid: Usd) -> Option<LegPlan> {
        let (limit, qty, fill) = if self.size.whole_cents {
            let whole = self.take(want, balance_grid);
            let limit = whole.worst?;
            let step = self.size.step_e2(limit);
            let steps = whole.cost.e6() as u64 / (u64::from(limit.e4()) * step);
            // What it costs is rounded up: a micro-dollar more must buy no contract more.
            let steps = steps.min(want.floor_qty().e2() / step);
            let qty = Qty::new(steps * step)?;
            (limit, qty, self.spend(qty.at(limit), limit, balance_grid))
        } else {
            let qty = want.floor_qty();
            let fill = self.take(Shares::from(qty), balance_grid);
            (fill.worst?, qty, fill)
        };
        let budget = qty.at(limit);
        if qty.is_zero() || qty < self.size.min_qty || budget < self.size.min_notional {
            return None;
        }
        Some(LegPlan {
            limit,
            qty,
            budget,
            expected: fill.shares,
            cost: fill.cost,
            fee: fill.fee,
            reserve: self.reserve(limit, qty, balance_grid),
        })
    }

    /// The most that an order can take out of the purse in as many fills as a [`Top`] has levels:
    /// a better price costs less, but its fee may be higher.
    fn reserve(&self, limit: Px, qty: Qty, balance_grid: Usd) -> Usd {
        let each = i128::from(self.reserve_each_e6(limit));
        let exact = (i128::from(qty.e2()) * each + 99) / i128::from(QTY_ONE);
        Usd::new(i64::try_from(exact).unwrap_or(i64::MAX)) + self.reserve_fixed(balance_grid)
    }

    fn reserve_each_e6(&self, limit: Px) -> i64 {
        i64::from(limit.e4()) * 100 + worst_fee_e6(self.fee, limit)
    }

    /// Roundings of each fill: one micro-dollar and one step of the balance grid.
    fn reserve_fixed(&self, balance_grid: Usd) -> Usd {
        match self.fee {
            FeeRule::Quadratic { .. } => Usd::new(TOP_LEVELS as i64 * (balance_grid.e6() + 1)),
            FeeRule::Curve { .. } | FeeRule::Unknown => Usd::ZERO,
        }
    }
}

/// Fills of one order, level by level.
struct Fill {
    shares: Shares,
    cost: Usd,
    fee: Usd,
    worst: Option<Px>,
    fees: FillFees,
}

impl Fill {
    fn new(rule: FeeRule, balance_grid: Usd) -> Fill {
        let fees = FillFees::new(rule, balance_grid);
        Fill { shares: Shares::ZERO, cost: Usd::ZERO, fee: Usd::ZERO, worst: None, fees }
    }

    fn buy(&mut self, shares: Shares, px: Px) {
        let cost = cost_of(shares, px);
        self.fee += self.fees.buy(shares, px, cost);
        self.shares += shares;
        self.cost += cost;
        self.worst = Some(px);
    }
}

/// A stretch of both depths at one price each.
#[derive(Clone, Copy)]
struct Stretch {
    /// Contracts up to its end.
    end: Qty,
    px: [Px; 2],
}

/// Walks both depths together while the next contract gains at least `least_e6`.
fn walk(legs: &[Offer; 2], least_e6: i64) -> impl Iterator<Item = Stretch> + '_ {
    let (mut at, mut used, mut end) = ([0; 2], [Qty::ZERO; 2], Qty::ZERO);
    core::iter::from_fn(move || {
        let (px_a, qty_a) = legs[0].level(at[0])?;
        let (px_b, qty_b) = legs[1].level(at[1])?;
        let cost = legs[0].one_e6(px_a).saturating_add(legs[1].one_e6(px_b));
        if Usd::ONE.e6().saturating_sub(cost) < least_e6 {
            return None;
        }
        let left = [qty_a.saturating_sub(used[0]), qty_b.saturating_sub(used[1])];
        let step = left[0].min(left[1]);
        for leg in 0..2 {
            if left[leg] == step {
                at[leg] += 1;
                used[leg] = Qty::ZERO;
            } else {
                used[leg] = used[leg].saturating_add(step);
            }
        }
        end = end.saturating_add(step);
        Some(Stretch { end, px: [px_a, px_b] })
    })
}

/// Net gain of the first contract, or `None` where a leg has nothing to offer.
pub fn first_gain(legs: &[Offer; 2]) -> Option<Usd> {
    let cost = legs[0].one_e6(legs[0].best()?).saturating_add(legs[1].one_e6(legs[1].best()?));
    Some(Usd::new(Usd::ONE.e6().saturating_sub(cost)))
}

/// Contracts that gain anything over the visible depth.
pub fn depth(legs: &[Offer; 2]) -> Qty {
    walk(legs, 1).last().map_or(Qty::ZERO, |stretch| stretch.end)
}

/// The plan that gains most, or `None` where none gains enough within the limits.
///
/// Every price level that the walk reaches is tried as the worst price, because a dearer limit
/// may snap worse or charge more than its contracts earn.
pub fn plan(legs: &[Offer; 2], limits: &Limits) -> Option<Plan> {
    let least_e6 = limits.min_profit.e6().max(1);
    let mut best: Option<Plan> = None;
    let mut before = Qty::ZERO;
    for stretch in walk(legs, least_e6) {
        let qty = stretch.end.min(limits.max_qty).min(affordable(legs, stretch.px, limits));
        if qty <= before {
            break;
        }
        for first in fitted_first(legs) {
            if let Some(plan) = fitted(legs, first, Shares::from(qty), limits)
                && best.is_none_or(|b| plan.profit > b.profit)
            {
                best = Some(plan);
            }
        }
        before = stretch.end;
        if qty < stretch.end {
            break;
        }
    }
    best
}

/// The plan around an order of the second leg that is given: an amount of `qty` x `limit`, spent at
/// `limit` or better. `None` where it gains too little at its worst prices, where the limits do not
/// allow it, or where more might be bought than the first leg can match.
pub fn around(legs: &[Offer; 2], (limit, qty): (Px, Qty), limits: &Limits) -> Option<Plan> {
    let [first, second] = legs;
    let (budget, grid) = (qty.at(limit), limits.balance_grid);
    let fill = second.spend(budget, limit, grid);
    // What is left unspent may meet depth that comes, or that is not shown.
    let unspent = (budget - fill.cost).e6();
    let shows_end = second.level(TOP_LEVELS - 1).is_none_or(|(px, _)| px > limit);
    let may_leave = if shows_end { budget.e6() / UNSPENT_PARTS } else { CENT_E6 };
    if unspent > may_leave {
        return None;
    }
    let reserve = second.reserve(limit, qty, grid);
    let (expected, cost, fee) = (fill.shares, fill.cost, fill.fee);
    let two = LegPlan { limit, qty, budget, expected, cost, fee, reserve };
    let one = first.order(expected, grid)?;
    let covers = one.expected.e6() + DUST_E6 > expected.e6();
    let worst = first.one_e6(one.limit).saturating_add(second.one_e6(limit));
    let gains = Usd::ONE.e6().saturating_sub(worst) >= limits.min_profit.e6().max(1);
    let allowed = expected <= Shares::from(limits.max_qty)
        && one.reserve <= limits.cash[0]
        && two.reserve <= limits.cash[1]
        && !limits.one_purse;
    if !(covers && gains && allowed) {
        return None;
    }
    worthwhile([one, two], limits)
}

/// Which leg may be fitted first. An amount fills what it fills, and a number of contracts can
/// follow it to 0.01; of two amounts either may be the coarser.
fn fitted_first(legs: &[Offer; 2]) -> core::ops::Range<usize> {
    match [legs[0].size.whole_cents, legs[1].size.whole_cents] {
        [true, true] => 0..2,
        [false, true] => 1..2,
        [_, false] => 0..1,
    }
}

/// Contracts that the purses pay for at these worst prices.
fn affordable(legs: &[Offer; 2], px: [Px; 2], limits: &Limits) -> Qty {
    let of = |cash: Usd, each: i64, fixed: Usd| {
        let free = (cash - fixed).e6().max(0) as i128;
        // `reserve` rounds up to a micro-dollar: leave one for each leg.
        let e2 = (free - 2).max(0) * i128::from(QTY_ONE) / i128::from(each.max(1));
        u64::try_from(e2).ok().and_then(Qty::new).unwrap_or(Qty::MAX)
    };
    let each = [legs[0].reserve_each_e6(px[0]), legs[1].reserve_each_e6(px[1])];
    let fixed = [0, 1].map(|i: usize| legs[i].reserve_fixed(limits.balance_grid));
    if limits.one_purse {
        of(limits.cash[0], each[0].saturating_add(each[1]), fixed[0] + fixed[1])
    } else {
        of(limits.cash[0], each[0], fixed[0]).min(of(limits.cash[1], each[1], fixed[1]))
    }
}

/// Leg `first` as large as `want` allows, the other matched to what it fills.
fn fitted(legs: &[Offer; 2], first: usize, want: Shares, limits: &Limits) -> Option<Plan> {
    let second = 1 - first;
    let one = legs[first].order(want, limits.balance_grid)?;
    let other = legs[second].order(one.expected, limits.balance_grid)?;
    worthwhile(if first == 0 { [one, other] } else { [other, one] }, limits)
}

/// The plan of two orders, if it gains enough.
fn worthwhile(legs: [LegPlan; 2], limits: &Limits) -> Option<Plan> {
    let [one, other] = &legs;
    let qty = one.expected.min(other.expected);
    let profit =
        Usd::new(i64::try_from(qty.e6()).ok()?) - (one.cost + one.fee) - (other.cost + other.fee);
    let enough = i128::from(limits.min_profit.e6()) * i128::from(qty.e6());
    let is_enough = profit > Usd::ZERO && i128::from(profit.e6()) * 1_000_000 >= enough;
    is_enough.then_some(Plan { legs, qty, profit })
}

#[cfg(test)]
#[path = "size_tests.rs"]
mod tests;
