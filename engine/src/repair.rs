//! Contracts that one leg filled alone: what each way out of them is worth, and whether one of
//! them is worth taking.
//!
//! A contract that is held alone pays a dollar or nothing. It is closed by buying what pays when
//! it does not, on the other venue (a chase) or on its own (the complement), or by selling it.
//! Each way has a value on one scale: the dollar less what the counterpart costs, or what the sale
//! brings, after fees. Against it stands the fair price, the middle of the books: closing costs
//! the difference.

use crate::event::{Action, Purpose};
use crate::fee::FillFees;
use crate::pair::{Instrument, LegOrder, Outcome};
use crate::size::{LegPlan, Offer};
use crate::stock::{Lot, Stock};
use crate::top::{Health, Levels, Top};
use crate::units::{Ns, Px, Qty, Shares, Usd};

/// How repairs are bounded in price, time and tries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RepairConfig {
    /// Which leg leaves first, where a pair does not say it: one that follows the other's fills is
    /// a repair.
    pub order: LegOrder,
    /// Most that closing may cost a contract against the fair price, at the first try.
    pub give_first: Usd,
    /// Each fruitless try doubles that, up to this.
    pub give_max: Usd,
    /// What holding a contract is taken to cost: where closing costs more, it is held,
    pub hold_cost: Usd,
    /// as long as no more than this can be lost on all that the pair holds so.
    pub hold_max: Usd,
    /// Rest of a way after a try that filled nothing; it doubles,
    pub wait_first: Ns,
    /// up to this.
    pub wait_max: Ns,
    /// After so many fruitless tries in a row somebody is told, and the waits stay at their
    /// longest.
    pub tries_max: u8,
    /// What was held on one side alone when the run began is closed too: right only where nobody
    /// else trades for the account.
    pub adopt: bool,
    /// Most money that may be at risk on one side of an event, orders in flight included: nothing
    /// is opened beyond it.
    pub naked_max: Usd,
}

impl Default for RepairConfig {
    /// Closes what a leg left alone for three cents a contract, ten in the end.
    fn default() -> RepairConfig {
        RepairConfig {
            order: LegOrder::Auto,
            give_first: Usd::new(30_000),
            give_max: Usd::new(100_000),
            hold_cost: Usd::new(50_000),
            hold_max: Usd::ZERO,
            wait_first: Ns::from_ms(100),
            wait_max: Ns::from_ms(2_000),
            tries_max: 8,
            adopt: false,
            naked_max: crate::core::NO_LIMIT,
        }
    }
}

/// The ways out, in the order in which they are preferred at equal value: what frees cash first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Way {
    /// Buy the counterpart on the first venue, where opposite contracts pay at once.
    BuyFirst = 0,
    /// Sell on the second venue.
    Sell = 1,
    /// Buy the counterpart on the second venue.
    BuySecond = 2,
}

/// All ways in the order of their discriminants.
pub const WAYS: [Way; 3] = [Way::BuyFirst, Way::Sell, Way::BuySecond];

/// An order that closes contracts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exit {
    /// Which way.
    pub way: Way,
    /// What that is called for these contracts.
    pub purpose: Purpose,
    /// Side of the pair.
    pub side: usize,
    /// Outcome that is bought or sold there.
    pub outcome: Outcome,
    /// Which of both.
    pub action: Action,
    /// The order.
    pub leg: LegPlan,
    /// The worst price that a gate lets pass: the best one and the collar.
    pub collar: Px,
    /// What the first contract closed is worth.
    pub value: Usd,
    /// What a contract is worth by the middle of the books.
    pub fair: Usd,
}

/// What to do with contracts that are held alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // It lives on the stack for one call.
pub enum Choice {
    /// Close some or all of them so.
    Close(Exit),
    /// Hold: that is cheaper, and no more can be lost than allowed.
    Hold,
    /// Wait: every way out costs more than it may.
    Dear,
    /// Wait: no book, gate, money or minimum allows a way out.
    NoWay,
}

/// What a choice is made from.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What is held.
    pub stock: &'a Stock,
    /// The books of both sides, as they may be decided upon.
    pub tops: &'a [Top; 2],
    /// Terms of both sides.
    pub terms: &'a [Instrument; 2],
    /// Free money by side, and no more than one order may come to.
    pub cash: [Usd; 2],
    /// Most contracts of one order.
    pub max_qty: Shares,
    /// Most that one sale may come to.
    pub max_notional: Usd,
    /// An order takes no price further than this from the best.
    pub collar: Px,
    /// The account's balance grid.
    pub balance_grid: Usd,
    /// The ways that may be tried, by [`Way`].
    pub open: [bool; 3],
    /// Most that closing may cost a contract now.
    pub give: Usd,
    /// The bounds.
    pub config: &'a RepairConfig,
}

impl Scene<'_> {
    /// True where no more can be lost on all that is held than allowed.
    fn may_hold(&self) -> bool {
        let most = self.config.hold_max;
        most > Usd::ZERO && self.stock.cost() <= most
    }
}

/// Decides what to do with what a stock holds on one side alone.
pub fn choose(scene: &Scene<'_>) -> Choice {
    let [yes, no] = scene.stock.sums();
    let pays = if no > yes { Outcome::No } else { Outcome::Yes };
    let naked = yes.saturating_sub(no) + no.saturating_sub(yes);
    if naked.floor_qty() == Qty::ZERO {
        return Choice::NoWay; // dust: nothing that an order could say
    }
    let mut values = WAYS.map(|way| (way, value(scene, way, pays)));
    // Stable: at equal value the preferred way stays in front.
    values.sort_by_key(|(_, value)| core::cmp::Reverse(value.unwrap_or(Usd::new(i64::MIN))));
    let fair = fair(scene, pays).unwrap_or_else(|| paid(scene.stock, naked));
    let floor = fair - scene.give;
    let mut dear = false;
    for at in 0..values.len() {
        let (way, Some(value)) = values[at] else { break };
        if fair - value > scene.config.hold_cost && scene.may_hold() {
            return Choice::Hold;
        }
        if value < floor {
            dear = true;
            break;
        }
        // Beyond the value of the next way, that one is better. Where that leaves too little for
        // an order, take more of this one.
        let next = values.get(at + 1).and_then(|(_, next)| *next).unwrap_or(floor);
        let order = |least| leg(scene, way, pays, naked, least);
        if let Some(leg) = order(floor.max(next)).or_else(|| order(floor)) {
            let (side, outcome, action) = asset(scene.stock, way, pays);
            let purpose = purpose(scene.stock, way, pays);
            let best = match action {
                Action::Buy => Offer::of(&scene.tops[side], outcome, &scene.terms[side]).best(),
                Action::Sell => bids(&scene.tops[side], outcome).best().map(|(px, _)| px),
            };
            let collar = collared(best.unwrap_or(leg.limit), scene.collar, action);
            return Choice::Close(Exit {
                way,
                purpose,
                side,
                outcome,
                action,
                leg,
                collar,
                value,
                fair,
            });
        }
    }
    if dear { Choice::Dear } else { Choice::NoWay }
}

/// What is traded on a way: side, outcome, action.
fn asset(stock: &Stock, way: Way, pays: Outcome) -> (usize, Outcome, Action) {
    let that_pays = |side: usize, when: Outcome| {
        if stock.pays(side, Outcome::Yes) == when { Outcome::Yes } else { Outcome::No }
    };
    match way {
        Way::BuyFirst => (0, that_pays(0, pays.opposite()), Action::Buy),
        Way::BuySecond => (1, that_pays(1, pays.opposite()), Action::Buy),
        Way::Sell => (1, that_pays(1, pays), Action::Sell),
    }
}

fn purpose(stock: &Stock, way: Way, pays: Outcome) -> Purpose {
    let (side, outcome, action) = asset(stock, way, pays);
    let here = stock.open(side, outcome.opposite()).shares;
    let all = stock.sums()[pays as usize];
    match action {
        Action::Sell => Purpose::SellBack,
        // What most of the contracts lie beside is their complement.
        Action::Buy if here.e6() * 2 > all.e6() => Purpose::Complement,
        Action::Buy => Purpose::Chase,
    }
}

/// The first contract closed on a way; `None` where the way is shut or its book says nothing.
fn value(scene: &Scene<'_>, way: Way, pays: Outcome) -> Option<Usd> {
    let (side, outcome, action) = asset(scene.stock, way, pays);
    let (top, terms) = (&scene.tops[side], &scene.terms[side]);
    if !scene.open[way as usize] || top.health != Health::Sound || !terms.fee.is_known() {
        return None;
    }
    match action {
        Action::Buy => Some(Usd::ONE - Offer::of(top, outcome, terms).first_cost()?),
        Action::Sell => {
            let held = scene.stock.open(side, outcome).shares;
            let (px, _) = bids(top, outcome).iter().next()?;
            (held.floor_qty() != Qty::ZERO).then(|| brings(px, terms))
        }
    }
}

/// An order on a way that closes at most `naked` at `least` a contract or better.
fn leg(scene: &Scene<'_>, way: Way, pays: Outcome, naked: Shares, least: Usd) -> Option<LegPlan> {
    let (side, outcome, action) = asset(scene.stock, way, pays);
    let (top, terms) = (&scene.tops[side], &scene.terms[side]);
    let naked = naked.min(scene.max_qty);
    match action {
        Action::Buy => Offer::of(top, outcome, terms)
            .within(scene.collar)
            .while_at_most(Usd::ONE - least)
            .order_within(naked, scene.cash[side], scene.balance_grid),
        Action::Sell => {
            let held = scene.stock.open(side, outcome).shares.min(naked).floor_qty();
            sale(&bids(top, outcome), terms, held, least, scene)
        }
    }
}

/// The largest sale of at most `held` at `least` a contract or better.
fn sale(
    bids: &Levels,
    terms: &Instrument,
    held: Qty,
    least: Usd,
    scene: &Scene<'_>,
) -> Option<LegPlan> {
    // The most that contracts can be worth is a dollar each, and that is how they count.
    let most = u64::try_from(scene.max_notional.e6() / 10_000).ok().and_then(Qty::new);
    let mut left = most.map_or(held, |most| held.min(most));
    let mut fees = FillFees::new(terms.fee, scene.balance_grid);
    let (mut qty, mut cost, mut fee, mut limit) = (Qty::ZERO, Usd::ZERO, Usd::ZERO, None);
    let worst = collared(bids.best()?.0, scene.collar, Action::Sell);
    let good = |px: Px| px >= worst && brings(px, terms) >= least;
    for (px, size) in bids.iter().take_while(|(px, _)| good(*px)) {
        let part = size.min(left);
        if part.is_zero() {
            break;
        }
        let cash = part.at(px);
        fee += fees.buy(Shares::from(part), px, cash);
        cost += cash;
        qty = qty.saturating_add(part);
        left = left.saturating_sub(part);
        limit = Some(px);
    }
    let limit = limit?;
    (qty >= terms.size.min_qty).then(|| LegPlan {
        limit,
        qty,
        budget: qty.at(limit),
        expected: Shares::from(qty),
        cost,
        fee,
        reserve: Usd::ZERO,
    })
}

/// The worst price within a collar around the best.
fn collared(best: Px, collar: Px, action: Action) -> Px {
    let e4 = match action {
        Action::Buy => best.e4().saturating_add(collar.e4()),
        Action::Sell => best.e4().saturating_sub(collar.e4()),
    };
    Px::new(e4).unwrap_or(Px::ONE)
}

/// What selling one contract brings.
fn brings(px: Px, terms: &Instrument) -> Usd {
    let cash = Qty::ONE.at(px);
    // Both venues charge a sale as they charge a purchase at the same price.
    cash - FillFees::new(terms.fee, Usd::new(1)).buy(Shares::from(Qty::ONE), px, cash)
}

/// What others pay for an outcome, best first.
fn bids(top: &Top, outcome: Outcome) -> Levels {
    match outcome {
        Outcome::Yes => top.bids(),
        // The list ends with the first level without size, so an absent price does no harm.
        Outcome::No => top.asks().mirrored(),
    }
}

/// The middle of the books for what pays with `pays`; of both venues where both say something.
fn fair(scene: &Scene<'_>, pays: Outcome) -> Option<Usd> {
    let middle = |side: usize| {
        let top = &scene.tops[side];
        let (bid, _) = top.bids().iter().next()?;
        let (ask, _) = top.asks().iter().next()?;
        let yes_e6 = (i64::from(bid.e4()) + i64::from(ask.e4())) * 50;
        let own = scene.stock.pays(side, Outcome::Yes) == pays;
        (top.health == Health::Sound).then(|| if own { yes_e6 } else { 1_000_000 - yes_e6 })
    };
    match (middle(0), middle(1)) {
        (Some(one), Some(two)) => Some(Usd::new((one + two) / 2)),
        (one, two) => one.or(two).map(Usd::new),
    }
}

/// What a contract of that which lies alone cost: what it is held against where no book says more.
/// A bound that follows from the way out itself is none.
fn paid(stock: &Stock, naked: Shares) -> Usd {
    Lot { shares: naked, cost: stock.cost() }.part(Shares::new(1_000_000))
}

#[cfg(test)]
#[path = "repair_tests.rs"]
mod tests;
