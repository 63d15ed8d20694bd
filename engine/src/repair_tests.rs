//! Each way out by hand, and a slow twin for the choice between them.

use super::*;
use crate::fixture::{market, pair, top};
use crate::pair::Polarity;
use crate::stock::{ASSETS, Lot};
use crate::units::Venue;
use proptest::prelude::*;

const RICH: Usd = Usd::new(1_000_000_000_000);

struct Case {
    stock: Stock,
    tops: [Top; 2],
    terms: [Instrument; 2],
    open: [bool; 3],
    cash: [Usd; 2],
    give: Usd,
    config: RepairConfig,
}

fn book(venue: Venue, bid: (u16, u32), ask: (u16, u32)) -> Top {
    top(market(venue, 0), 1, &[bid], &[ask])
}

/// Ten YES of Kalshi at 40 cents are alone; the books stand at 0.44 / 0.46 and 0.45 / 0.47.
fn case() -> Case {
    let mut stock = Stock::new(Polarity::Same);
    stock.add(0, Outcome::Yes, Lot { shares: Shares::new(10_000_000), cost: Usd::new(4_000_000) });
    Case {
        stock,
        tops: [
            book(Venue::Kalshi, (4_400, 5_000), (4_600, 5_000)),
            book(Venue::Polymarket, (4_500, 5_000), (4_700, 5_000)),
        ],
        terms: pair("a", 0, 0, Polarity::Same).sides,
        open: [true; 3],
        cash: [RICH; 2],
        give: Usd::new(100_000),
        config: RepairConfig::default(),
    }
}

fn decide(case: &Case) -> Choice {
    choose(&Scene {
        stock: &case.stock,
        tops: &case.tops,
        terms: &case.terms,
        cash: case.cash,
        max_qty: Shares::new(u64::MAX),
        max_notional: RICH,
        collar: Px::ONE,
        balance_grid: Usd::new(100),
        open: case.open,
        give: case.give,
        config: &case.config,
    })
}

fn exit(case: &Case) -> Exit {
    match decide(case) {
        Choice::Close(exit) => exit,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_way_that_is_worth_most_is_taken() {
    // NO for 0.55 and a fee of 1.237 cents there, or for 0.56 and 1.725 here.
    let chase = exit(&case());
    assert_eq!((chase.way, chase.purpose), (Way::BuySecond, Purpose::Chase));
    assert_eq!((chase.side, chase.outcome, chase.action), (1, Outcome::No, Action::Buy));
    assert_eq!((chase.leg.limit, chase.leg.qty), (Px::lit(5_500), Qty::lit(1_000)));
    assert_eq!((chase.value, chase.fair), (Usd::new(437_630), Usd::new(455_000)));
    // Without that one: the complement, which pays at once.
    let complement = exit(&Case { open: [true, true, false], ..case() });
    assert_eq!((complement.way, complement.purpose), (Way::BuyFirst, Purpose::Complement));
    assert_eq!((complement.outcome, complement.leg.limit), (Outcome::No, Px::lit(5_600)));
    assert_eq!(decide(&Case { open: [false; 3], ..case() }), Choice::NoWay);
    // Nothing is there to be sold.
    assert_eq!(decide(&Case { open: [false, true, false], ..case() }), Choice::NoWay);
}

#[test]
fn tokens_are_sold_again_where_that_is_worth_most() {
    let mut held = case();
    held.stock = Stock::new(Polarity::Same);
    let lot = Lot { shares: Shares::new(10_007_000), cost: Usd::new(5_500_000) };
    held.stock.add(1, Outcome::No, lot);
    // Theirs: NO is bid 0.53; YES costs 0.47 there and 0.46 here.
    held.tops[0] = book(Venue::Kalshi, (4_400, 5_000), (4_900, 5_000));
    let sale = exit(&held);
    assert_eq!((sale.way, sale.purpose, sale.side), (Way::Sell, Purpose::SellBack, 1));
    assert_eq!((sale.outcome, sale.action), (Outcome::No, Action::Sell));
    assert_eq!((sale.leg.limit, sale.leg.qty), (Px::lit(5_300), Qty::lit(1_000)));
    assert_eq!((sale.leg.cost, sale.leg.reserve), (Usd::new(5_300_000), Usd::ZERO));
    // The complement is worth the same there, but locks the dollar up until a merge.
    let merge = exit(&Case { open: [true, false, true], ..held });
    assert_eq!((merge.way, merge.purpose), (Way::BuySecond, Purpose::Complement));
    assert_eq!(merge.value, sale.value);
}

#[test]
fn a_minimum_sends_small_amounts_the_other_way() {
    let mut small = case();
    small.stock = Stock::new(Polarity::Same);
    let lot = Lot { shares: Shares::new(4_990_000), cost: Usd::new(2_000_000) };
    small.stock.add(1, Outcome::No, lot);
    let chase = exit(&small);
    assert_eq!((chase.way, chase.purpose), (Way::BuyFirst, Purpose::Chase));
    assert_eq!((chase.outcome, chase.leg.qty), (Outcome::Yes, Qty::lit(499)));
    // What no order can say is no order.
    small.stock = Stock::new(Polarity::Same);
    small.stock.add(0, Outcome::Yes, Lot { shares: Shares::new(9_999), cost: Usd::new(1) });
    assert_eq!(decide(&small), Choice::NoWay);
}

#[test]
fn no_way_beyond_its_bound_and_none_that_costs_more_than_holding() {
    // The best way costs 1.737 cents a contract.
    assert!(matches!(decide(&Case { give: Usd::new(17_370), ..case() }), Choice::Close(_)));
    assert_eq!(decide(&Case { give: Usd::new(17_369), ..case() }), Choice::Dear);
    let config = RepairConfig { hold_cost: Usd::new(17_369), ..RepairConfig::default() };
    let at_most = |hold_max| RepairConfig { hold_max: Usd::new(hold_max), ..config };
    assert_eq!(decide(&Case { config: at_most(4_000_000), ..case() }), Choice::Hold);
    // No more may be lost than allowed, whatever holding is worth.
    assert!(matches!(decide(&Case { config: at_most(3_999_999), ..case() }), Choice::Close(_)));
}

#[test]
fn a_book_that_is_not_sound_and_an_unknown_fee_are_no_way() {
    let mut lost = case();
    lost.tops[1].health = Health::Stale;
    let exit_lost = exit(&lost);
    assert_eq!((exit_lost.way, exit_lost.fair), (Way::BuyFirst, Usd::new(450_000)));
    lost.tops[0].health = Health::Crossed;
    assert_eq!(decide(&lost), Choice::NoWay);
    let mut unknown = case();
    unknown.terms[1].fee = crate::pair::FeeRule::Unknown;
    assert_eq!(exit(&unknown).way, Way::BuyFirst);
    let poor = Case { cash: [Usd::ZERO; 2], ..case() };
    assert_eq!(decide(&poor), Choice::NoWay);
}

#[test]
fn a_way_is_taken_as_far_as_it_is_the_better_one() {
    let mut deep = case();
    // NO here: 3 at 0.54, then at 0.60; there 0.55.
    deep.tops[0] = top(market(Venue::Kalshi, 0), 1, &[(4_600, 300), (4_000, 900)], &[]);
    let first = exit(&deep);
    assert_eq!((first.way, first.leg.expected), (Way::BuyFirst, Shares::new(3_000_000)));
    assert_eq!(first.leg.limit, Px::lit(5_400), "beyond that the other way is better");
}

#[test]
fn where_no_book_has_two_sides_what_it_cost_is_the_measure() {
    let one_sided = |bid: u16| Case {
        tops: [
            top(market(Venue::Kalshi, 0), 1, &[], &[(4_000, 5_000)]),
            top(market(Venue::Polymarket, 0), 1, &[(bid, 50_000)], &[]),
        ],
        ..case()
    };
    // NO at 0.65: with its fee a contract comes to 33.9 cents, and cost 40.
    let near = exit(&one_sided(3_500));
    assert_eq!((near.way, near.fair), (Way::BuySecond, Usd::new(400_000)));
    assert!(near.fair - near.value <= case().give);
    assert_eq!(decide(&one_sided(500)), Choice::Dear, "never for what it happens to bring");
}

proptest! {
    /// Whatever the books are: an order closes no more than is alone, at no worse than the bound,
    /// on a way that is open, and takes no more money than is there.
    #[test]
    fn every_order_is_within_its_bounds(
        asset in 0..4usize,
        inverted: bool,
        shares in 0..50_000_000u64,
        bids in [1..9_000u16, 1..9_000u16],
        gaps in [1..900u16, 1..900u16],
        sizes in [1..6_000u32, 1..6_000u32],
        open in [any::<bool>(), any::<bool>(), any::<bool>()],
        give in 0..200_000i64,
        one_sided: bool,
        cash in 0..40_000_000i64,
    ) {
        let polarity = if inverted { Polarity::Inverted } else { Polarity::Same };
        let mut stock = Stock::new(polarity);
        let (side, outcome) = ASSETS[asset];
        let cost = Usd::new(shares as i64 / 2);
        stock.add(side, outcome, Lot { shares: Shares::new(shares), cost });
        let cent = |px: u16| px / 100 * 100 + 100;
        let tops = [0, 1].map(|at: usize| {
            let (bid, ask) = (cent(bids[at]), cent(bids[at]) + cent(gaps[at]));
            let size = sizes[at];
            let asks = [(ask.min(9_900), size)];
            // The first venue offers, and the second one bids.
            let (bids, asks) = match (one_sided, at) {
                (false, _) => (&[(bid, size)][..], &asks[..]),
                (true, 0) => (&[][..], &asks[..]),
                (true, _) => (&[(bid, size)][..], &[][..]),
            };
            top(market(Venue::ALL[at], 0), 1, bids, asks)
        });
        let case = Case {
            stock, tops, open, give: Usd::new(give), cash: [Usd::new(cash); 2], ..case()
        };
        let Choice::Close(exit) = decide(&case) else { return Ok(()) };
        prop_assert!(open[exit.way as usize]);
        prop_assert!(exit.leg.expected <= Shares::new(shares));
        prop_assert!(exit.leg.expected != Shares::ZERO);
        prop_assert!(exit.leg.reserve <= Usd::new(cash));
        prop_assert!(exit.fair - exit.value <= Usd::new(give));
        // Closing all of it costs no more a contract than the bound allows, but for roundings.
        let count = exit.leg.expected.e6() as i128;
        let money = i128::from((exit.leg.cost + exit.leg.fee).e6()) * 1_000_000;
        let net = i128::from((exit.leg.cost - exit.leg.fee).e6()) * 1_000_000;
        let worth = match exit.action {
            Action::Buy => 1_000_000 * count - money,
            Action::Sell => net,
        };
        let floor = i128::from((exit.fair - Usd::new(give)).e6()) * count;
        prop_assert!(worth + 1_000_000 * 1_000 >= floor, "{worth} {floor}");
        // What is bought pays when what is held does not; what is sold is what is held.
        let held = case.stock.pays(side, outcome);
        let traded = case.stock.pays(exit.side, exit.outcome);
        prop_assert_eq!(traded == held, exit.action == Action::Sell);
        // No open way is worth more.
        for way in WAYS {
            if let Some(value) = value(&Scene {
                stock: &case.stock, tops: &case.tops, terms: &case.terms, cash: case.cash,
                max_qty: Shares::new(u64::MAX),
        max_notional: RICH,
        collar: Px::ONE, balance_grid: Usd::new(100), open, give: case.give,
                config: &case.config,
            }, way, held) {
                let fits = exit.value >= value || exit.way != way;
                prop_assert!(fits);
            }
        }
    }
}
