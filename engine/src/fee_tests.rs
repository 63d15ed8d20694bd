//! Venue examples, golden vectors, and slow twins for [`super`].

use super::*;
use proptest::prelude::*;

const M1: u32 = 1_000_000;

fn shares(contracts: u64) -> Shares {
    Shares::new(contracts * 1_000_000)
}

/// Net fee of equal fills of one taker order, as the venue's table gives it.
fn net(grid: i64, fills: u64, contracts: u64, px: u16, role: Role) -> Usd {
    let (px, mut order) = (Px::lit(px), OrderFees::new(Usd::new(grid)));
    (0..fills)
        .map(|_| {
            let fee = quadratic_fee(shares(contracts), px, M1, role);
            order.fill(-cost_of(shares(contracts), px), fee)
        })
        .sum()
}

#[test]
fn the_worked_examples_of_the_first_venue_come_out() {
    // kalshi.md section 6, "Worked examples", row by row.
    assert_eq!(net(100, 1, 100, 5_000, Role::Taker), Usd::new(1_750_000));
    assert_eq!(net(100, 1, 1, 5_200, Role::Taker), Usd::new(17_500));
    assert_eq!(net(100, 10, 1, 5_200, Role::Taker), Usd::new(174_800));
    assert_eq!(net(100, 1, 10, 5_200, Role::Taker), Usd::new(174_800));
    assert_eq!(net(100, 1, 100, 3_000, Role::MakerQuarter), Usd::new(367_500));
    assert_eq!(net(10_000, 1, 1, 550, Role::Taker), Usd::new(5_000));
    assert_eq!(net(10_000, 1, 1, 5_200, Role::Taker), Usd::new(20_000));
    // The trade fees beside them.
    let fee = |c, px, role| quadratic_fee(shares(c), Px::lit(px), M1, role).e6();
    assert_eq!(fee(1, 5_200, Role::Taker), 17_472);
    assert_eq!(fee(1, 550, Role::Taker), 3_639, "rounded up from 3638.25");
    assert_eq!(fee(100, 3_000, Role::Maker), 0);
    assert_eq!(fee(100, 3_000, Role::MakerHalf), 735_000);
}

#[test]
fn the_multiplier_is_inside_the_ceiling() {
    // 3638.25 x 2 = 7276.5: rounding before the multiplier would give 7278.
    assert_eq!(quadratic_fee(shares(1), Px::lit(550), 2 * M1, Role::Taker), Usd::new(7_277));
    assert_eq!(quadratic_fee(shares(1), Px::lit(550), 0, Role::Taker), Usd::ZERO);
}

#[test]
fn every_vector_of_the_second_venue_comes_out() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/protocol/vectors/polymarket_fees.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: no file {path}");
        return;
    };
    let rows: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert!(rows.len() >= 40);
    for row in &rows {
        let input = &row["inputs"];
        let number = |name: &str, digits| scaled(input[name].as_str().unwrap(), digits);
        let fee = curve_fee(
            Shares::new(number("shares", 6)),
            Px::new(number("price", 4) as u16).unwrap(),
            number("rate", 6) as u32,
            input["exponent"].as_u64().unwrap() as u8,
        );
        let want: i64 = row["outputs"]["feeBaseUnits"].as_str().unwrap().parse().unwrap();
        assert_eq!(fee, Usd::new(want), "{row}");
    }
}

/// A decimal text as an integer of 10^-digits.
fn scaled(text: &str, digits: usize) -> u64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    assert!(part.len() <= digits, "{text}");
    format!("{whole}{part:0<digits$}").parse().unwrap()
}

#[test]
fn no_order_overflows() {
    let all = Shares::new(u64::MAX);
    assert!(quadratic_fee(all, Px::lit(5_000), u32::MAX, Role::Taker) > Usd::ZERO);
    assert_eq!(curve_fee(all, Px::lit(5_000), 1_000_000, 2), Usd::new(i64::MAX));
    assert_eq!(cost_of(all, Px::ONE), Usd::new(i64::MAX));
    assert_eq!(bought_for(Usd::new(i64::MAX), Px::lit(1)), Shares::new(u64::MAX));
    assert_eq!(bought_for(Usd::ONE, Px::ZERO), Shares::ZERO);
    assert_eq!(bought_for(Usd::new(5_000_000), Px::lit(6_600)), Shares::new(7_575_757));
}

/// numerator / denominator of the model fee in dollars, by the venues' own formulas.
fn model(rate: (u128, u128), shares: Shares, px: Px, exponent: u32) -> (u128, u128) {
    let p = u128::from(px.e4());
    let curve = (p * (10_000 - p)).pow(exponent);
    (rate.0 * u128::from(shares.e6()) * curve, rate.1 * 1_000_000 * 100_000_000u128.pow(exponent))
}

proptest! {
    #[test]
    fn quadratic_fees_agree_with_a_rational(
        e6 in 0u64..10_000_000_000, px in 0u16..=10_000, m in 0u32..5_000_000,
    ) {
        for (role, num, den) in
            [(Role::Taker, 7, 100), (Role::MakerQuarter, 175, 10_000), (Role::MakerHalf, 35, 1_000)]
        {
            let rate = (num * u128::from(m), den * 1_000_000);
            let (n, d) = model(rate, Shares::new(e6), Px::lit(px), 1);
            // The smallest whole number of micro-dollars that is not below n/d dollars.
            let fee = quadratic_fee(Shares::new(e6), Px::lit(px), m, role).e6() as u128;
            prop_assert!(fee * d >= n * 1_000_000);
            prop_assert!(fee == 0 || (fee - 1) * d < n * 1_000_000);
        }
    }

    #[test]
    fn curve_fees_agree_with_a_rational(
        e6 in 0u64..10_000_000_000, px in 0u16..=10_000, r in 0u32..=1_000_000, exp in 1u8..=2,
    ) {
        let rate = (u128::from(r), 1_000_000);
        let (n, d) = model(rate, Shares::new(e6), Px::lit(px), u32::from(exp));
        let fee = curve_fee(Shares::new(e6), Px::lit(px), r, exp).e6() as u128;
        prop_assert_eq!(fee % 10, 0);
        let fifths = fee / 10;
        // Split, because the cross product of exponent 2 leaves 128 bits.
        let (whole, rest) = (n / d, n % d);
        let want = whole * 100_000 + rest.checked_mul(100_000).map_or_else(
            || rest / (d / 100_000), |x| x / d);
        prop_assert_eq!(fifths, want);
    }

    #[test]
    fn one_contract_agrees_with_the_general_rule(
        px in 0u16..=10_000, m in 0u32..=100_000_000, r in 0u32..=1_000_000,
    ) {
        let one = Shares::new(1_000_000);
        let p = Px::lit(px);
        let quadratic = OneFee::new(FeeRule::quadratic(m).unwrap());
        prop_assert_eq!(i64::from(quadratic.e6(px)), quadratic_fee(one, p, m, Role::Taker).e6());
        for exp in 1..=2 {
            let curve = OneFee::new(FeeRule::curve(r, exp).unwrap());
            prop_assert_eq!(i64::from(curve.e6(px)), curve_fee(one, p, r, exp).e6());
        }
    }

    #[test]
    fn the_balance_moves_by_whole_steps_and_gives_back(
        grid in prop_oneof![Just(100i64), Just(10_000)],
        fills in proptest::collection::vec((1u64..100_000, 1u16..10_000), 1..20),
    ) {
        let mut order = OrderFees::new(Usd::new(grid));
        let (mut charged, mut exact, mut balance) = (0, 0, 0);
        for (e2, px) in fills {
            let (size, px) = (Shares::new(e2 * 10_000), Px::lit(px));
            let cost = cost_of(size, px);
            let fee = quadratic_fee(size, px, M1, Role::Taker);
            let net = order.fill(-cost, fee);
            prop_assert!(net >= Usd::ZERO, "never negative");
            charged += net.e6();
            exact += fee.e6();
            balance -= cost.e6() + net.e6();
            prop_assert_eq!(balance % grid, 0, "whole steps only");
            prop_assert_eq!(charged - exact, order.accumulator, "nothing is lost");
        }
        // Planning bound of kalshi.md section 6: the rest is below a step unless a cap held it.
        if grid == 100 {
            prop_assert!(order.accumulator < 200);
        }
    }

    #[test]
    fn the_worst_fee_covers_any_better_price(
        limit in 1u16..10_000, better in 1u16..10_000, e2 in 1u64..1_000_000,
        m in 0u32..5_000_000, r in 0u32..=1_000_000, exp in 1u8..=2,
    ) {
        let (limit, px) = (Px::lit(limit), Px::lit(better.min(limit)));
        let size = Shares::new(e2 * 10_000);
        let bound = |rule| (i128::from(worst_fee_e6(rule, limit)) * i128::from(e2) + 99) / 100 + 1;
        let quadratic = FeeRule::quadratic(m).unwrap();
        let fee = quadratic_fee(size, px, m, Role::Taker);
        prop_assert!(i128::from(fee.e6()) <= bound(quadratic));
        let curve = FeeRule::curve(r, exp).unwrap();
        let bought = bought_for(cost_of(size, limit), px);
        let fee = curve_fee(bought, px, r, exp);
        prop_assert!(i128::from(fee.e6()) <= bound(curve));
    }
}
