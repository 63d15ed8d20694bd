//! Sizes by hand, and a brute-force twin for [`super`].

use super::*;
use crate::top::MarketId;
use crate::units::{Ns, Venue};
use proptest::prelude::*;

const K_FEE: FeeRule = FeeRule::Quadratic { multiplier_e6: 1_000_000 };
const P_FEE: FeeRule = FeeRule::Curve { rate_e6: 50_000, exponent: 1 };
const GRID: Usd = Usd::new(100);

fn contracts(min_e2: u64) -> SizeRule {
    SizeRule { min_qty: Qty::lit(min_e2), min_notional: Usd::ZERO, whole_cents: false }
}

fn amount(min_e2: u64, min_notional: i64) -> SizeRule {
    SizeRule { min_qty: Qty::lit(min_e2), min_notional: Usd::new(min_notional), whole_cents: true }
}

fn offer(levels: &[(u16, u32)], fee: FeeRule, size: SizeRule) -> Offer {
    let mut out = Levels::EMPTY;
    for (i, (px, qty)) in levels.iter().enumerate() {
        (out.px[i], out.qty[i]) = (*px, *qty);
    }
    Offer { levels: out, fee, size }
}

fn limits() -> Limits {
    Limits {
        min_profit: Usd::ZERO,
        max_qty: Qty::MAX,
        cash: [Usd::new(1_000_000_000_000); 2],
        one_purse: false,
        balance_grid: GRID,
    }
}

#[test]
fn the_walk_stops_where_the_next_contract_earns_nothing() {
    let a = offer(&[(4_000, 1_000), (4_200, 500), (6_000, 9_000)], K_FEE, contracts(1));
    let b = offer(&[(5_000, 1_200), (5_300, 9_000)], P_FEE, amount(1, 0));
    // 0.42 + 0.53 and both fees of 1.7 and 1.2 cents still earn; 0.60 does not.
    assert_eq!(depth(&[a, b]), Qty::lit(1_500));
    let none = offer(&[(5_900, 1_000)], P_FEE, amount(1, 0));
    assert_eq!(depth(&[a, none]), Qty::ZERO);
    assert_eq!(plan(&[a, none], &limits()), None);
    assert_eq!(depth(&[a, offer(&[], P_FEE, amount(1, 0))]), Qty::ZERO);
    assert_eq!(depth(&[a, offer(&[(100, 500)], FeeRule::Unknown, amount(1, 0))]), Qty::ZERO);
}

proptest! {
    /// An order for an amount names no contract beyond what it is to buy, whatever its cost is
    /// rounded to.
    #[test]
    fn no_order_asks_for_more_than_is_wanted(
        px in 1u16..9_999,
        more in 0u16..500,
        depth in 1u32..5_000,
        want_e6 in 1u64..60_000_000,
        whole in any::<bool>(),
    ) {
        let levels = [(px, depth), (px.saturating_add(more).min(9_999), 9_000)];
        let rule = if whole { amount(1, 0) } else { contracts(1) };
        let offer = offer(&levels, P_FEE, rule);
        let want = Shares::new(want_e6);
        let order = offer.order_within(want, Usd::new(1_000_000_000), GRID);
        let asked = order.map_or(Shares::ZERO, |order| Shares::from(order.qty));
        prop_assert!(asked <= want, "{asked} of {want}");
    }
}

#[test]
fn a_micro_dollar_of_rounding_buys_no_contract() {
    let offer = offer(&[(5_100, 9_000)], P_FEE, amount(1, 0));
    let qty = |e6| offer.order_within(Shares::new(e6), Usd::new(1_000_000_000), GRID).unwrap().qty;
    assert_eq!((qty(13_000_000), qty(12_999_999)), (Qty::lit(1_300), Qty::lit(1_200)));
}

#[test]
fn an_amount_buys_more_where_the_price_improves() {
    // 10 at 0.40 and 5 at 0.42 against 0.50 up to 12 and 0.53 beyond.
    let a = offer(&[(4_000, 1_000), (4_200, 500)], K_FEE, contracts(1));
    let b = offer(&[(5_000, 1_200), (5_300, 9_000)], P_FEE, amount(500, 1_000_000));
    let plan = plan(&[a, b], &limits()).unwrap();
    // Cost of 15 there: 6.00 + 1.59 = 7.59 dollars; at the limit 0.53 whole shares only, so 14
    // are signed, 7.42 dollars, which buy 12 and then 1.42 / 0.53.
    let leg = plan.legs[1];
    assert_eq!((leg.limit, leg.qty), (Px::lit(5_300), Qty::lit(1_400)));
    assert_eq!(leg.budget, Usd::new(7_420_000));
    assert_eq!(leg.expected, Shares::new(12_000_000 + 2_679_245));
    // The other leg is a whole number of 1e-2 contracts below that.
    assert_eq!(plan.legs[0].qty, Qty::lit(1_467));
    assert_eq!(plan.legs[0].limit, Px::lit(4_200));
    assert_eq!(plan.qty, Shares::from(Qty::lit(1_467)));
    let spent = plan.legs.iter().map(|l| l.cost + l.fee).sum();
    assert_eq!(plan.profit, Usd::new(14_670_000) - spent);
}

#[test]
fn limits_cut_and_minimums_refuse() {
    let a = offer(&[(4_000, 10_000)], K_FEE, contracts(1));
    let b = offer(&[(5_000, 10_000)], P_FEE, amount(500, 1_000_000));
    let free = plan(&[a, b], &limits()).unwrap();
    assert_eq!(free.qty, Shares::from(Qty::lit(10_000)));
    let capped = plan(&[a, b], &Limits { max_qty: Qty::lit(733), ..limits() }).unwrap();
    assert_eq!(capped.legs[1].qty, Qty::lit(732), "multiples of 0.02 at 0.50");
    assert_eq!(capped.qty, Shares::from(Qty::lit(732)));
    assert_eq!(plan(&[a, b], &Limits { max_qty: Qty::lit(499), ..limits() }), None);
    for leg in 0..2 {
        let mut poor = limits();
        poor.cash[leg] = Usd::new(4_000_000);
        let plan = plan(&[a, b], &poor).unwrap();
        assert!(plan.legs[leg].reserve <= poor.cash[leg] && plan.qty.e6() > 7_000_000);
        poor.cash[leg] = Usd::ZERO;
        assert_eq!(super::plan(&[a, b], &poor), None);
    }
    let dear = Limits { min_profit: Usd::new(90_000), ..limits() };
    assert_eq!(plan(&[a, b], &dear), None, "10 cents before fees");
}

#[test]
fn both_outcomes_of_one_market_share_a_purse() {
    let yes = offer(&[(4_500, 5_000)], P_FEE, amount(500, 1_000_000));
    let no = offer(&[(5_000, 5_000)], P_FEE, amount(500, 1_000_000));
    let mut limits = limits();
    limits.one_purse = true;
    limits.cash = [Usd::new(10_000_000), Usd::ZERO];
    let plan = plan(&[yes, no], &limits).unwrap();
    assert!(plan.legs[0].reserve + plan.legs[1].reserve <= limits.cash[0]);
    assert!(plan.qty > Shares::new(9_000_000));
}

#[test]
fn levels_of_either_outcome_come_from_one_book() {
    let mut top = Top::unknown(MarketId::new(Venue::Polymarket, 0).unwrap());
    top.set_bids(&Levels { qty: [700, 800, 0, 0], px: [4_800, 4_700, 0, 0] });
    top.set_asks(&Levels { qty: [100, 0, 0, 0], px: [10_000, 0, 0, 0] });
    let (size, tick) = (amount(500, 0), Px::lit(100));
    let terms = Instrument { market: top.market, fee: P_FEE, size, tick, taker_delay: Ns(0) };
    let no = Offer::of(&top, Outcome::No, &terms);
    assert_eq!(
        no.levels.iter().collect::<Vec<_>>(),
        [(Px::lit(5_200), Qty::lit(700)), (Px::lit(5_300), Qty::lit(800))]
    );
    assert_eq!(Offer::of(&top, Outcome::Yes, &terms).level(0), None, "a dollar buys no gain");
}

/// Every price as often as there are 1e-2 contracts of it.
fn units(offer: &Offer) -> Vec<Px> {
    offer.levels.iter().flat_map(|(px, qty)| vec![px; qty.e2() as usize]).collect()
}

/// Shares, cost and fees of what a budget buys, by whole fractions of a dollar.
fn slow_spend(offer: &Offer, budget: i128, limit: Px) -> (i128, i128, i128) {
    let (mut left, mut shares, mut fees) = (budget, 0, 0);
    for (px, qty) in offer.levels.iter().filter(|(px, _)| *px <= limit) {
        let p = i128::from(px.e4());
        let got = (i128::from(qty.e2()) * 10_000).min(left * 10_000 / p);
        let cost = (got * p + 9_999) / 10_000;
        fees += crate::fee::curve_fee(Shares::new(got as u64), px, 50_000, 1).e6() as i128;
        left -= cost;
        shares += got;
    }
    (shares, budget - left, fees)
}

/// The largest profit of any snapped amount within what the walk reaches.
fn brute(a: &Offer, b: &Offer, limits: &Limits) -> i128 {
    let (ua, ub) = (units(a), units(b));
    let least = limits.min_profit.e6().max(1);
    let gains = |i: usize| 1_000_000 - a.one_e6(ua[i]) - b.one_e6(ub[i]) >= least;
    let most = ua.len().min(ub.len()).min(limits.max_qty.e2() as usize);
    let reach = (0..most).take_while(|i| gains(*i)).count();
    let mut best = 0;
    let mut cost = 0;
    for end in 1..=reach {
        let limit = ub[end - 1];
        cost += i128::from(limit.e4());
        if end < reach && ub[end] == limit {
            continue;
        }
        let step = b.size.step_e2(limit) as usize;
        for signed in (step..=end).step_by(step) {
            let budget = i128::from(limit.e4()) * signed as i128;
            if budget > cost
                || (signed as u64) < b.size.min_qty.e2()
                || budget < i128::from(b.size.min_notional.e6())
            {
                continue;
            }
            let (shares, spent, fee_b) = slow_spend(b, budget, limit);
            let whole = (shares / 10_000) as usize;
            if whole == 0 || (whole as u64) < a.size.min_qty.e2() {
                continue;
            }
            let mut fees = FillFees::new(a.fee, limits.balance_grid);
            let (mut cost_a, mut fee_a) = (0, 0);
            for (px, _) in a.levels.iter() {
                let n = ua[..whole].iter().filter(|p| **p == px).count() as u64;
                if n > 0 {
                    let cost = Qty::lit(n).at(px);
                    cost_a += i128::from(cost.e6());
                    fee_a += i128::from(fees.buy(Shares::from(Qty::lit(n)), px, cost).e6());
                }
            }
            let profit = whole as i128 * 10_000 - cost_a - fee_a - spent - fee_b;
            if profit * 100 >= i128::from(limits.min_profit.e6()) * whole as i128 {
                best = best.max(profit);
            }
        }
    }
    best
}

fn ladder(from: u16) -> impl Strategy<Value = Vec<(u16, u32)>> {
    proptest::collection::vec((1u16..600, 1u32..900), 0..=4).prop_map(move |steps| {
        let mut px = from;
        steps
            .into_iter()
            .map(|(step, qty)| {
                px += step;
                (px, qty)
            })
            .collect()
    })
}

/// Dust of one 1e-2 contract and the roundings of a few fills: what a smaller amount may save.
const DUST_E6: i128 = 10_000 + 4 * 101 + 40;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_plan_gains_as_much_as_any_snapped_amount(
        a in ladder(4_000), b in ladder(4_600),
        cent in any::<bool>(), min_e2 in prop_oneof![Just(1u64), Just(500)],
        min_profit in 0i64..20_000, max in 1u64..4_000, poor in any::<bool>(),
    ) {
        let snap = |px: &(u16, u32)| if cent { (px.0 / 100 * 100, px.1) } else { *px };
        let mut b: Vec<_> = b.iter().map(snap).collect();
        b.dedup_by_key(|level| level.0);
        let legs = [
            offer(&a, K_FEE, contracts(1)),
            offer(&b, P_FEE, amount(min_e2, 1_000_000)),
        ];
        let mut limits = limits();
        limits.min_profit = Usd::new(min_profit);
        limits.max_qty = Qty::lit(max);
        let rich = plan(&legs, &limits);
        let want = brute(&legs[0], &legs[1], &limits);
        let got = rich.map_or(0, |p| i128::from(p.profit.e6()));
        prop_assert!(got >= want - DUST_E6, "{got} of {want}");
        prop_assert!(got <= want, "{got} of {want}: the twin tries everything");
        if poor {
            limits.cash = [Usd::new(3_000_000), Usd::new(2_500_000)];
        }
        for plan in rich.into_iter().chain(plan(&legs, &limits)) {
            prop_assert!(plan.profit > Usd::ZERO);
            prop_assert!(
                i128::from(plan.profit.e6()) * 1_000_000
                    >= i128::from(min_profit) * i128::from(plan.qty.e6())
            );
            prop_assert!(plan.qty <= Shares::from(limits.max_qty));
            for (leg, offer) in plan.legs.iter().zip(&legs) {
                let there: u64 = offer.levels.iter()
                    .filter(|(px, _)| *px <= leg.limit).map(|(_, q)| q.e2()).sum();
                prop_assert!(leg.expected <= Shares::from(Qty::lit(there)), "beyond the depth");
                prop_assert!(leg.qty >= offer.size.min_qty);
                prop_assert!(leg.budget >= offer.size.min_notional);
                prop_assert!(leg.cost + leg.fee <= leg.reserve);
                prop_assert!(leg.cost <= leg.budget);
                prop_assert!(plan.qty <= leg.expected);
            }
            prop_assert_eq!(plan.legs[1].budget.e6() % 10_000, 0, "whole cents");
            prop_assert_eq!(plan.legs[0].expected, Shares::from(plan.legs[0].qty));
        }
        if let Some(plan) = plan(&legs, &limits) {
            for leg in 0..2 {
                prop_assert!(plan.legs[leg].reserve <= limits.cash[leg]);
            }
        }
    }

    #[test]
    fn both_tokens_of_a_market_never_lose(
        a in ladder(4_000), b in ladder(4_600), cash in 0i64..20_000_000,
    ) {
        let legs = [
            offer(&a, P_FEE, amount(500, 1_000_000)),
            offer(&b, P_FEE, amount(500, 1_000_000)),
        ];
        let mut limits = limits();
        limits.one_purse = true;
        limits.cash = [Usd::new(cash); 2];
        if let Some(plan) = plan(&legs, &limits) {
            let out = plan.legs.iter().map(|l| l.cost + l.fee).sum();
            prop_assert_eq!(plan.profit, Usd::new(plan.qty.e6() as i64) - out);
            prop_assert!(plan.profit > Usd::ZERO);
            prop_assert!(plan.legs[0].reserve + plan.legs[1].reserve <= limits.cash[0]);
            for leg in plan.legs {
                prop_assert_eq!(leg.budget.e6() % 10_000, 0);
            }
        }
    }
}

#[test]
fn an_order_that_is_given_is_matched_and_never_overfills() {
    let a = offer(&[(4_000, 6_000), (4_400, 9_000)], K_FEE, contracts(1));
    let b = offer(&[(4_800, 5_000), (5_000, 9_000)], P_FEE, amount(500, 1_000_000));
    // 50 at 0.48 and, for what is left of 25 dollars, 2 at 0.50.
    let given = (Px::lit(5_000), Qty::lit(5_000));
    let found = around(&[a, b], given, &limits()).unwrap();
    assert_eq!((found.legs[1].limit, found.legs[1].qty), given);
    assert_eq!(found.legs.map(|leg| leg.expected.floor_qty()), [Qty::lit(5_200); 2]);
    assert_eq!(found.legs[0].limit, Px::lit(4_000));
    // More than the first leg has at a price that pays, more than is allowed, more than is shown.
    assert_eq!(around(&[a, b], (Px::lit(5_600), Qty::lit(9_000)), &limits()), None);
    let few = Limits { max_qty: Qty::lit(5_100), ..limits() };
    assert_eq!(around(&[a, b], given, &few), None);
    let poor = Limits { cash: [Usd::new(1_000_000_000), Usd::new(24_000_000)], ..limits() };
    assert_eq!(around(&[a, b], given, &poor), None);
    let thin = offer(&[(4_800, 3_500)], P_FEE, amount(500, 1_000_000));
    assert_eq!(around(&[a, thin], given, &limits()), None, "a third would be left unspent");
}

proptest! {
    #[test]
    fn a_plan_around_an_order_keeps_every_promise(
        first in proptest::collection::vec((1u16..60, 100u32..9_000), 1..=4),
        second in proptest::collection::vec((1u16..60, 100u32..9_000), 1..=4),
        (limit, steps) in (3_000u16..7_000, 1u64..9_000),
        min_profit in 0i64..30_000,
    ) {
        let book = |start: u16, list: &[(u16, u32)]| {
            let mut px = start;
            list.iter().map(|(step, qty)| { px += step * 10; (px, *qty) }).collect::<Vec<_>>()
        };
        let (a, b) = (book(3_500, &first), book(4_000, &second));
        let legs = [offer(&a, K_FEE, contracts(1)), offer(&b, P_FEE, amount(500, 1_000_000))];
        let limit = Px::lit(limit);
        let qty = Qty::lit(steps * legs[1].rule().step_e2(limit));
        let limits = Limits { min_profit: Usd::new(min_profit), max_qty: Qty::lit(9_000), ..limits() };
        if let Some(plan) = around(&legs, (limit, qty), &limits) {
            let [one, two] = plan.legs;
            // Slowly: every micro-dollar on the cheapest that is left, up to the limit.
            let (mut left, mut got) = (qty.at(limit).e6() as u64, 0u64);
            for (px, qty) in b.iter().filter(|(px, _)| *px <= limit.e4()) {
                let buys = (left * 10_000 / u64::from(*px)).min(u64::from(*qty) * 10_000);
                left -= (buys * u64::from(*px)).div_ceil(10_000).min(left);
                got += buys;
            }
            prop_assert!(two.expected.e6().abs_diff(got) < 10, "{} {got}", two.expected.e6());
            prop_assert!(one.expected <= two.expected && one.qty == two.expected.floor_qty());
            prop_assert!(two.expected <= Shares::from(limits.max_qty));
            let worst = legs[0].one_e6(one.limit) + legs[1].one_e6(limit);
            prop_assert!(1_000_000 - worst >= min_profit.max(1));
            prop_assert!(plan.profit > Usd::ZERO);
        }
    }
}
