//! Fills, overlay and conservation of money of [`super`].

use super::*;
use crate::core::Accounts;
use crate::event::{Purpose, Risk};
use crate::fixture::{Recorder, config, market, pair, table, top};
use crate::pair::LegOrder;
use crate::pair::{PairId, Polarity};
use crate::repair::RepairConfig;
use crate::units::{Px, Venue};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

const K: usize = 0;
const P: usize = 1;

struct Rig {
    paper: PaperCore,
    out: Recorder,
}

impl Rig {
    fn new(config: CoreConfig, latency: [u64; 2]) -> Rig {
        let pairs = [pair("a", 0, 0, Polarity::Same)];
        let paper = PaperCore::new(table(&pairs), [0, 0], config, latency.map(Ns));
        Rig { paper, out: Recorder::default() }
    }

    fn book(&mut self, side: usize, at: u64, bids: &[(u16, u32)], asks: &[(u16, u32)]) {
        let top = top(market(Venue::ALL[side], 0), at, bids, asks);
        self.paper.on_top(Now::at(top.recv), &top, &mut self.out);
    }

    fn gap(&mut self, at: u64) {
        self.book(K, at, &[(3_900, 10_000)], &[(4_000, 10_000)]);
        self.book(P, at, &[(5_000, 10_000)], &[(5_100, 10_000)]);
    }

    fn fills(&self) -> Vec<(u8, u64, u16)> {
        let pick = |e: &Event| match e {
            Event::Fill(Report { leg, kind: ReportKind::Filled { shares, px, .. }, .. }) => {
                Some((*leg, shares.e6(), px.e4()))
            }
            _ => None,
        };
        self.out.events.iter().filter_map(pick).collect()
    }

    fn accounts(&self) -> Accounts {
        self.paper.core().accounts()
    }
}

#[test]
fn a_bundle_fills_against_the_books_that_stand_when_it_arrives() {
    let mut rig = Rig::new(config(), [5, 20]);
    rig.gap(100);
    assert_eq!(rig.paper.next_due(), Some(Ns(105)));
    // The second venue's price improves after the first leg and before the second arrives.
    rig.book(P, 110, &[(5_200, 3_000), (5_000, 10_000)], &[(5_300, 10_000)]);
    assert_eq!(rig.fills(), [(0, 100_000_000, 4_000)]);
    // At 120 sharp the order still meets the book before this one.
    rig.book(P, 120, &[(1_000, 1)], &[(5_300, 10_000)]);
    // 50 dollars buy 30 at 0.48 and (50 - 14.40) / 0.50 = 71.2 more.
    assert_eq!(rig.fills()[1..], [(1, 30_000_000, 4_800), (1, 71_200_000, 5_000)]);
    let settled = rig.out.settled()[0];
    assert_eq!(settled.matched, Shares::new(100_000_000));
    assert_eq!(settled.filled, [Shares::new(100_000_000), Shares::new(101_200_000)]);
    assert!(settled.excess > Usd::ZERO && settled.profit > Usd::new(7_000_000));
    assert_eq!(rig.paper.core().figures().realised, settled.profit);
}

/// Fees of the fills of the first venue's leg when its fee changes between decision and fill.
fn charged(at: u64, fee: Option<FeeRule>) -> Vec<i64> {
    let mut rig = Rig::new(config(), [5, 20]);
    rig.gap(100);
    let control = Control::Fee { market: market(Venue::Kalshi, 0), fee };
    rig.paper.on_control(Now::at(Ns(at)), &control, &mut rig.out);
    rig.book(K, 130, &[(3_900, 10_000)], &[(6_000, 10_000)]);
    let settled = rig.out.settled()[0];
    let paid = rig.paper.core().accounts();
    assert_eq!(paid.realised, settled.profit);
    assert_eq!(paid.reserved, [Usd::ZERO; 2]);
    let pick = |e: &Event| match e {
        Event::Fill(Report { leg: 0, kind: ReportKind::Filled { fee, .. }, .. }) => Some(fee.e6()),
        _ => None,
    };
    rig.out.events.iter().filter_map(pick).collect()
}

#[test]
fn an_order_on_its_way_pays_the_fee_of_its_arrival() {
    let double = FeeRule::quadratic(2_000_000).ok();
    assert_eq!(charged(104, double), [3_360_000], "twice 0.07 x 100 x 0.4 x 0.6");
    assert_eq!(charged(105, double), [1_680_000], "it arrived just before");
    assert_eq!(charged(104, None), [1_680_000]);
    assert!(charged(104, Some(FeeRule::Unknown)).is_empty(), "nobody knows what it would cost");
}

#[test]
fn a_leg_that_comes_too_late_leaves_inventory() {
    let mut rig = Rig::new(config(), [0, 10]);
    rig.gap(100);
    rig.book(P, 105, &[(3_900, 10_000)], &[(4_000, 10_000)]);
    rig.book(P, 111, &[(3_900, 10_000)], &[(4_000, 10_000)]);
    assert_eq!(rig.fills(), [(0, 100_000_000, 4_000)]);
    let settled = rig.out.settled()[0];
    assert_eq!((settled.matched, settled.excess), (Shares::ZERO, Usd::new(40_000_000)));
    assert!(settled.profit < Usd::ZERO, "the fee of the first leg");
    assert_eq!(rig.paper.core().net().position_e6(0), 100_000_000);
}

#[test]
fn what_was_bought_is_not_bought_again() {
    let mut rig = Rig::new(config(), [0, 0]);
    rig.gap(100);
    rig.gap(200);
    rig.gap(300);
    assert_eq!(rig.out.bundles.len(), 1, "equal books offer nothing new");
    assert_eq!(rig.paper.core().figures().candidates, 5, "but they stay candidates");
    rig.book(K, 400, &[(3_900, 10_000)], &[(4_000, 10_100)]);
    assert_eq!(rig.out.bundles.len(), 1, "the other leg is still bought out");
    rig.book(P, 500, &[(5_000, 600)], &[(5_100, 10_000)]);
    assert_eq!(rig.out.bundles.len(), 2);
    rig.paper.drain(&mut rig.out);
    assert_eq!(rig.fills()[2..], [(0, 6_000_000, 4_000), (1, 6_000_000, 5_000)]);
    assert_eq!(rig.paper.next_due(), None);
}

#[test]
fn a_book_that_is_not_sound_fills_nothing() {
    let mut rig = Rig::new(config(), [10, 10]);
    rig.gap(100);
    let mut crossed = top(market(Venue::Kalshi, 0), 105, &[(4_100, 5)], &[(4_000, 10_000)]);
    crossed.health = Health::Crossed;
    rig.paper.on_top(Now::at(Ns(105)), &crossed, &mut rig.out);
    rig.paper.drain(&mut rig.out);
    assert_eq!(rig.fills(), [(1, 100_000_000, 5_000)]);
}

#[test]
fn an_order_slower_than_its_deadline_expires() {
    let mut rig = Rig::new(CoreConfig { deadline: Ns(9), ..config() }, [9, 10]);
    rig.gap(100);
    rig.paper.drain(&mut rig.out);
    assert_eq!(rig.fills(), [(0, 100_000_000, 4_000)], "nine is in time, ten is not");
    assert_eq!(rig.out.settled().len(), 1);
    assert_eq!(rig.accounts().reserved, [Usd::ZERO; 2], "nothing stays set aside");
}

#[test]
fn a_venue_that_holds_takers_fills_later() {
    let mut slow = pair("a", 0, 0, Polarity::Same);
    slow.sides[1].taker_delay = Ns(1_000);
    let config = CoreConfig { deadline: Ns(9), ..config() };
    let paper = PaperCore::new(table(&[slow]), [0, 0], config, [Ns(5), Ns(5)]);
    let mut rig = Rig { paper, out: Recorder::default() };
    rig.gap(100);
    rig.book(K, 1_000, &[], &[]);
    assert_eq!(rig.fills().len(), 1);
    assert_eq!(rig.paper.next_due(), Some(Ns(1_105)));
    rig.paper.drain(&mut rig.out);
    assert_eq!(rig.fills().len(), 2);
}

#[test]
fn several_levels_are_several_fills_within_the_limit() {
    let mut rig = Rig::new(config(), [0, 0]);
    rig.book(K, 100, &[], &[(4_000, 1_000), (4_100, 1_000), (4_200, 1_000), (9_000, 1_000)]);
    rig.book(P, 100, &[(5_000, 1_600), (4_900, 10_000)], &[]);
    rig.paper.drain(&mut rig.out);
    let fills = rig.fills();
    assert_eq!(fills.iter().filter(|f| f.0 == 0).count(), 3);
    let worst = fills.iter().filter(|f| f.0 == 1).map(|f| f.2).max();
    assert_eq!(worst, Some(5_100));
    let bundle = rig.out.bundles[0];
    assert_eq!(bundle.legs[0].limit, Px::lit(4_200));
    for (leg, part) in bundle.legs.iter().enumerate() {
        let sum: u64 = fills.iter().filter(|f| f.0 == leg as u8).map(|f| f.1).sum();
        assert_eq!(Shares::new(sum), part.expected, "the plan came true");
    }
    let decision = rig.out.decisions()[0];
    assert_eq!(rig.out.settled()[0].matched, decision.qty);
    // Dust of the second leg is worth nothing in the plan and stays in the books here.
    let settled = rig.out.settled()[0];
    assert!((settled.profit - decision.profit) <= settled.excess + Usd::new(1));
    assert!(settled.profit >= decision.profit);
}

#[test]
fn opposite_bundles_free_cash_only_where_positions_net() {
    let mut rig = Rig::new(config(), [0, 0]);
    rig.gap(100);
    rig.book(K, 200, &[(6_000, 10_000)], &[(6_100, 10_000)]);
    rig.book(P, 201, &[(5_000, 10_000)], &[(5_100, 9_000)]);
    rig.paper.drain(&mut rig.out);
    let accounts = rig.accounts();
    assert_eq!(rig.out.bundles.len(), 2);
    assert!(accounts.netted > Usd::new(80_000_000));
    assert!(rig.paper.core().tokens().mergeable(0) > Shares::new(80_000_000));
    assert_eq!(start(&accounts), Usd::new(2_000_000_000));
}

/// What there was at first, from what there is.
fn start(a: &Accounts) -> Usd {
    a.cash[0] + a.cash[1] + a.inventory + a.in_flight + Usd::new(a.matched.e6() as i64)
        - a.realised
        - a.netted
}

/// (side, market, time step, health, levels of bids, levels of asks, flags)
type Step = (usize, usize, u64, u8, Vec<(u16, u32)>, Vec<(u16, u32)>, u8);

fn ladder() -> impl Strategy<Value = Vec<(u16, u32)>> {
    proptest::collection::vec((1u16..300, 1u32..4_000), 0..=4)
}

fn step() -> impl Strategy<Value = Step> {
    let flags = prop_oneof![8 => Just(0u8), 1 => Just(Top::TORN), 1 => Just(Top::NO_MARKET)];
    let health = prop_oneof![12 => Just(0u8), 1 => 1u8..5];
    (0usize..2, 0usize..3, 0u64..40, health, ladder(), ladder(), flags)
}

/// A random book around 0.45, often apart from the other venue's.
fn random_top(step: &Step, at: u64, generation: u32) -> Top {
    let (side, index, _, health, bids, asks, flags) = step;
    let centre = 4_200 + (at % 7) as u16 * 150;
    let walk = |list: &[(u16, u32)], up: bool| {
        let mut px = centre;
        let next = |(step, qty): &(u16, u32)| {
            px = if up { px + step } else { px - step };
            (px, *qty)
        };
        list.iter().map(next).collect::<Vec<_>>()
    };
    let (bids, asks) = (walk(bids, false), walk(asks, true));
    let mut top = top(market(Venue::ALL[*side], *index), at, &bids, &asks);
    top.health =
        [Health::Sound, Health::AwaitSnapshot, Health::Stale, Health::Crossed, Health::Gap]
            [usize::from(*health)];
    top.flags = *flags;
    top.generation = generation;
    top
}

/// How a bundle that opened something ended.
fn ended(event: &Event) -> Option<crate::event::Settled> {
    match event {
        Event::TradeSettled(s) | Event::TradeFailed(s) | Event::LegFollows(s) => Some(*s),
        _ => None,
    }
}

fn repair(event: &Event) -> Option<crate::event::Repair> {
    if let Event::RepairSent(repair) = event { Some(*repair) } else { None }
}

struct Run {
    figures: crate::core::Figures,
    accounts: Accounts,
    bundles: usize,
}

fn run(steps: &[Step], config: CoreConfig, latency: [Ns; 2]) -> Run {
    let pairs = [
        pair("a", 0, 0, Polarity::Same),
        pair("b", 1, 1, Polarity::Inverted),
        pair("c", 1, 2, Polarity::Same),
        pair("d", 2, 0, Polarity::Same),
    ];
    let mut paper = PaperCore::new(table(&pairs), [3, 3], config, latency);
    let mut out = Recorder::default();
    let begin = config.cash[0] + config.cash[1];
    let mut at = 1;
    for (number, step) in steps.iter().enumerate() {
        at += step.2;
        let top = random_top(step, at, number as u32);
        paper.on_top(Now::at(Ns(at)), &top, &mut out);
        let accounts = paper.core().accounts();
        assert_eq!(start(&accounts), begin, "after step {number}");
        for side in 0..2 {
            assert!(accounts.cash[side] >= accounts.reserved[side], "{accounts:?}");
            assert!(accounts.reserved[side] >= Usd::ZERO);
        }
    }
    paper.drain(&mut out);
    let accounts = paper.core().accounts();
    assert_eq!(start(&accounts), begin);
    assert_eq!((accounts.reserved, accounts.in_flight), ([Usd::ZERO; 2], Usd::ZERO));
    for id in 0..4 {
        assert_eq!(paper.core().flight(PairId(id)), None);
    }
    for decision in &out.decisions() {
        assert!(decision.profit > Usd::ZERO && decision.edge >= config.min_profit);
        assert!(decision.tops.iter().all(|t| t.health == Health::Sound));
        assert!(decision.qty <= Shares::from(config.max_qty));
    }
    let bought: Vec<_> = out.events.iter().filter_map(ended).collect();
    let opened: Vec<_> = out.bundles.iter().filter(|b| b.purpose == Purpose::Open).collect();
    assert_eq!(bought.len(), opened.len(), "every bundle ends once");
    let repairs: Vec<_> = out.events.iter().filter_map(repair).collect();
    assert_eq!(repairs.len(), out.bundles.len() - opened.len());
    assert_eq!(repairs.len() as u64, paper.core().figures().repairs);
    for repair in &repairs {
        let leg = &repair.bundle.legs[0];
        assert!(leg.expected <= repair.naked && leg.expected != Shares::ZERO, "{repair:?}");
        assert!(leg.spends || Shares::from(leg.qty) <= repair.naked, "{repair:?}");
    }
    for (bundle, settled) in
        opened.iter().map(|b| (b, bought.iter().find(|s| s.bundle == b.id).expect("settled")))
    {
        for leg in 0..bundle.orders().len() {
            let part = bundle.legs[leg];
            let most = if part.spends {
                bought_for(part.budget, Px::lit(1))
            } else {
                Shares::from(part.qty)
            };
            assert!(settled.filled[leg] <= most);
        }
    }
    let told = |risk: &Risk| *risk == Risk::Unhedged && config.repair.is_some();
    let illegal = |e: &&Event| matches!(e, Event::RiskTripped { risk, .. } if !told(risk));
    assert_eq!(out.events.iter().filter(illegal).count(), 0);
    Run { figures: paper.core().figures(), accounts, bundles: out.bundles.len() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn money_is_conserved_and_runs_repeat(
        steps in proptest::collection::vec(step(), 1..200),
        latency in (0u64..60, 0u64..60), cooldown in 0u64..50, deadline in 20u64..80,
        cash in (0i64..60_000_000, 0i64..60_000_000), max in 500u64..5_000,
        min_profit in 0i64..30_000, broker in any::<bool>(),
        mends in proptest::option::of((0usize..4, 1u64..60, 0i64..20_000)),
    ) {
        let repair = mends.map(|(order, wait, hold)| RepairConfig {
            order: LegOrder::ALL[order],
            wait_first: Ns(wait),
            wait_max: Ns(4 * wait),
            hold_max: Usd::new(hold),
            hold_cost: Usd::new(hold),
            give_max: Usd::new(300_000),
            ..RepairConfig::default()
        });
        let config = CoreConfig {
            min_profit: Usd::new(min_profit),
            max_qty: Qty::lit(max),
            cash: [Usd::new(cash.0), Usd::new(cash.1)],
            cooldown: Ns(cooldown),
            deadline: Ns(deadline),
            balance_grid: Usd::new(if broker { 10_000 } else { 100 }),
            repair,
            trade: true,
            ..CoreConfig::default()
        };
        let latency = [Ns(latency.0), Ns(latency.1)];
        let (one, two) = (run(&steps, config, latency), run(&steps, config, latency));
        prop_assert_eq!(one.figures, two.figures);
        prop_assert_eq!(one.accounts, two.accounts);
        let still = run(&steps, CoreConfig { trade: false, ..config }, latency);
        prop_assert_eq!(still.figures.edge_hash, one.figures.edge_hash);
        prop_assert_eq!(still.figures.candidates, one.figures.candidates);
        prop_assert_eq!(still.bundles, 0);
    }
}

#[test]
fn the_random_books_do_trade() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = proptest::collection::vec(step(), 150..200);
    let (mut bundles, mut repairs) = (0, 0);
    for _ in 0..20 {
        let steps = strategy.new_tree(&mut runner).unwrap().current();
        let done = run(&steps, config(), [Ns(5), Ns(30)]);
        bundles += done.bundles;
        let give_max = Usd::new(300_000);
        let repair = RepairConfig { wait_first: Ns(5), give_max, ..RepairConfig::default() };
        let config = CoreConfig { repair: Some(repair), ..config() };
        repairs += run(&steps, config, [Ns(5), Ns(30)]).figures.repairs;
    }
    assert!(bundles > 50 && repairs > 20, "{bundles} bundles, {repairs} repairs prove nothing");
}
