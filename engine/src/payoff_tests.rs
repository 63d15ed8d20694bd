//! Bounds against every outcome, and a plan's payoff against its cost.

use super::*;
use crate::core::NO_LIMIT;
use crate::fixture::{market, pair, top};
use crate::pair::{Direction, Polarity};
use crate::size::{Limits, Offer, plan};
use crate::units::{Qty, Venue};
use proptest::prelude::*;

fn doubt() -> impl Strategy<Value = Doubt> {
    (any::<bool>(), 0..6u64, 0..=1_200_000i64, 0..6u64, 0..=1_200_000i64).prop_map(
        |(yes, filled, each, open, more)| Doubt {
            pays: if yes { Outcome::Yes } else { Outcome::No },
            filled: Shares::new(filled * 1_000_000),
            paid: Usd::new(filled as i64 * each),
            open: Shares::new(open * 1_000_000),
            reserve: Usd::new(open as i64 * more),
        },
    )
}

/// Every way in which the legs can fill, contract by contract: what each holds, and what it cost.
fn outcomes(legs: &[Doubt]) -> Vec<Vec<(Outcome, u64, i64)>> {
    let mut all = vec![Vec::new()];
    for leg in legs {
        let (filled, open) = (leg.filled.e6() / 1_000_000, leg.open.e6() / 1_000_000);
        let each = leg.reserve.e6() / (open.max(1) as i64);
        let ends: Vec<_> = (0..=open)
            .map(|more| (leg.pays, filled + more, leg.paid.e6() + each * more as i64))
            .collect();
        all = all
            .into_iter()
            .flat_map(|before: Vec<_>| {
                ends.iter().map(move |end| before.iter().copied().chain([*end]).collect())
            })
            .collect();
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Never below brute force over all outcomes and settlements, void ones among them, and never
    /// above it either: the bound is one of them.
    #[test]
    fn the_bounds_are_the_worst_of_all_outcomes(
        legs in proptest::collection::vec(doubt(), 0..4),
    ) {
        let all = outcomes(&legs);
        let mut worst = i64::MIN;
        let mut naked = 0;
        for end in &all {
            for yes in [Px::ZERO, Px::lit(2_500), Px::lit(5_000), Px::ONE] {
                let settled = Settlement::split(yes);
                let pays = |(outcome, count, _): &(Outcome, u64, i64)| {
                    settled.pays(*outcome, Shares::new(count * 1_000_000)).e6()
                };
                let cost: i64 = end.iter().map(|(_, _, cost)| cost).sum();
                worst = worst.max(cost - end.iter().map(pays).sum::<i64>());
            }
            let side = |of| end.iter().filter(|leg| leg.0 == of).map(|leg| leg.1).sum::<u64>();
            naked = naked.max(side(Outcome::Yes).abs_diff(side(Outcome::No)));
        }
        prop_assert_eq!(worst_loss(&legs).e6(), worst, "{:?}", legs);
        prop_assert_eq!(worst_naked(&legs), Shares::new(naked * 1_000_000));
    }

    /// What a plan buys on both legs pays at least what all of it costs, fees included, however
    /// the event ends; where both markets are void alike, too.
    #[test]
    fn a_plan_covers_its_cost_in_every_settlement(
        inverted: bool,
        bids in [2..90u16, 2..90u16],
        gaps in [1..9u16, 1..9u16],
        sizes in [100..90_000u32, 100..90_000u32],
        direction in 0..3usize,
        split in 0..=10_000u16,
    ) {
        let polarity = if inverted { Polarity::Inverted } else { Polarity::Same };
        let terms = pair("a", 0, 0, polarity).sides;
        let tops = [0, 1].map(|at: usize| {
            let (bid, ask) = (bids[at] * 100, (bids[at] + gaps[at]) * 100);
            let deeper = [(bid, sizes[at]), (bid - 100, sizes[at])];
            let asks = [(ask, sizes[at]), (ask + 100, sizes[at] * 2)];
            top(market(Venue::ALL[at], 0), 1, &deeper, &asks)
        });
        let legs = Direction::ALL[direction].legs(polarity);
        let offers = legs.map(|(side, outcome)| Offer::of(&tops[side], outcome, &terms[side]));
        let limits = Limits {
            min_profit: Usd::ZERO,
            max_qty: Qty::lit(100_000),
            cash: [NO_LIMIT; 2],
            one_purse: false,
            balance_grid: Usd::new(100),
        };
        let Some(plan) = plan(&offers, &limits) else { return Ok(()) };
        let cost: Usd = plan.legs.iter().map(|leg| leg.cost + leg.fee).sum();
        for yes in [Px::ZERO, Px::ONE, Px::lit(split)] {
            // The second venue's YES is the first one's NO where they ask the opposite question.
            let settled = [0, 1].map(|side: usize| match (side, polarity) {
                (0, _) | (_, Polarity::Same) => Settlement::split(yes),
                (_, Polarity::Inverted) => Settlement::split(yes.complement()),
            });
            let pays: Usd =
                legs.iter().map(|(side, outcome)| settled[*side].pays(*outcome, plan.qty)).sum();
            // Two roundings down, a micro-dollar each at most.
            prop_assert!(pays + Usd::new(1) >= cost + plan.profit, "{:?} {:?}", plan, yes);
            prop_assert!(pays > cost || plan.profit <= Usd::new(1));
        }
        // Where the venues settle differently the plan says nothing: that is what matching is for.
    }
}

#[test]
fn both_sides_of_a_market_pay_a_dollar_however_it_settles() {
    for yes in 0..=PX_ONE {
        let settled = Settlement::split(Px::lit(yes));
        let each = [Outcome::Yes, Outcome::No].map(|outcome| settled.each(outcome).e4());
        assert_eq!(each[0] + each[1], PX_ONE);
    }
    assert_eq!(Settlement::YES.pays(Outcome::Yes, Shares::new(7)), Usd::new(7));
    assert_eq!(Settlement::NO.pays(Outcome::Yes, Shares::new(7)), Usd::ZERO);
}
