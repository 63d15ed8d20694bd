//! Settlements while contracts are held: cash, positions, limits and results follow.

use super::*;
use crate::core::Core;
use crate::event::{Report, ReportKind};
use crate::fee::cost_of;
use crate::fixture::{Recorder, config, market, pair, table, top};
use crate::pair::Polarity;
use crate::risk::Word;
use crate::risk::day::DayResult;
use crate::risk::limits::RiskLimits;
use crate::tile::Now;
use crate::units::Ns;

const PAIR: PairId = PairId(0);

struct Rig {
    core: Core,
    out: Recorder,
}

/// A bundle of which Kalshi's YES filled ten contracts and Polymarket's NO filled `second`.
fn held(second: u64) -> Rig {
    let core = Core::new(table(&[pair("a", 0, 0, Polarity::Same)]), [0, 0], config());
    let core = core.with_limits(&RiskLimits::NONE, DayResult::default());
    let mut rig = Rig { core, out: Recorder::default() };
    for (side, bid, ask) in [(0, 3_900, 4_000), (1, 5_000, 5_100)] {
        let top = top(market(Venue::ALL[side], 0), 1, &[(bid, 1_000)], &[(ask, 1_000)]);
        rig.core.on_top(Now::at(top.recv), &top, &mut rig.out);
    }
    for (leg, contracts) in [(0, 10), (1, second)] {
        let it = rig.out.bundles[0].legs[leg];
        let shares = Shares::new(contracts * 1_000_000);
        let (cash, fee) = (cost_of(shares, it.limit), Usd::new(1_000));
        if contracts > 0 {
            rig.report(leg, ReportKind::Filled { shares, px: it.limit, cash, fee });
        }
        rig.report(leg, ReportKind::Done);
    }
    rig
}

impl Rig {
    fn report(&mut self, leg: usize, kind: ReportKind) {
        let bundle = self.out.bundles[0];
        let it = bundle.legs[leg];
        let (market, outcome, action, at) = (it.market, it.outcome, it.action, Ns(5));
        let (bundle, pair, leg) = (bundle.id, bundle.pair, leg as u8);
        let report = Report { bundle, pair, leg, market, outcome, action, at, kind };
        self.core.on_report(Now::at(at), &report, &mut self.out);
    }

    /// The market of a side settles, where YES pays `yes`.
    fn pay(&mut self, side: usize, outcome: Outcome, contracts: u64, yes: Px) {
        let (market, settled) = (market(Venue::ALL[side], 0), Settlement::split(yes));
        let shares = Shares::new(contracts * 1_000_000);
        let (each, paid) = (settled.each(outcome), settled.pays(outcome, shares));
        self.core
            .on_word(Now::at(Ns(5)), Word::Paid(Payout { market, outcome, shares, each, paid }));
        self.conserved();
    }

    fn conserved(&self) {
        let a = self.core.accounts();
        let sum = a.cash[0] + a.cash[1] + a.inventory + a.in_flight - a.realised - a.netted
            + Usd::new(a.matched.e6() as i64)
            - a.settled;
        assert_eq!(sum, Usd::new(2_000_000_000), "{a:?}");
    }
}

#[test]
fn what_settles_frees_limits_and_brings_its_money() {
    let mut rig = held(10);
    rig.conserved();
    let before = rig.core.accounts();
    assert!(rig.core.guard().exposure().total().notional > Usd::ZERO);
    assert_eq!(rig.core.unsettled(), Usd::new(9_000_000), "what both legs cost");
    rig.pay(0, Outcome::Yes, 10, Px::ONE);
    let venue = |rig: &Rig, venue| rig.core.guard().exposure().venue(venue).notional;
    assert_eq!(venue(&rig, Venue::Kalshi), Usd::ZERO);
    assert!(venue(&rig, Venue::Polymarket) > Usd::ZERO, "the other one has not settled");
    rig.pay(1, Outcome::No, 10, Px::ONE);
    let after = rig.core.accounts();
    assert_eq!(rig.core.guard().exposure().total().qty, Shares::ZERO);
    assert_eq!(after.realised, before.realised, "a dollar a pair was counted when it was bought");
    assert_eq!(after.cash[0] - before.cash[0], Usd::new(10_000_000));
    assert_eq!(after.cash[1], before.cash[1], "NO pays nothing there");
    assert_eq!((rig.core.net().position_e6(0), rig.core.unsettled()), (0, Usd::ZERO));
    assert_eq!(rig.core.tokens().balance(0, Outcome::No), Shares::ZERO);
}

#[test]
fn what_one_leg_holds_alone_ends_with_what_it_paid() {
    for (yes, gained) in [(Px::ONE, 6_000_000), (Px::ZERO, -4_000_000), (Px::lit(5_000), 1_000_000)]
    {
        let mut rig = held(0);
        let fees = rig.core.accounts().realised;
        assert_eq!(rig.core.naked(PAIR), (Outcome::Yes, Shares::new(10_000_000)));
        rig.pay(0, Outcome::Yes, 10, yes);
        let after = rig.core.accounts();
        assert_eq!((after.realised - fees, after.inventory), (Usd::new(gained), Usd::ZERO));
        assert_eq!(rig.core.naked(PAIR).1, Shares::ZERO);
        assert_eq!((rig.core.at_risk(PAIR), rig.core.open_orders()), (Usd::ZERO, [0, 0]));
        assert_eq!(rig.core.today(Ns(1)).result, after.realised, "it is part of the day");
    }
}

#[test]
fn venues_that_judge_one_event_differently_cost_what_they_cost() {
    // Both legs lose, both win, and one venue calls it void.
    for (first, second, wrong) in [
        (Px::ZERO, Px::ONE, -10_000_000),
        (Px::ONE, Px::ZERO, 10_000_000),
        (Px::ONE, Px::lit(5_000), 5_000_000),
        (Px::lit(5_000), Px::lit(5_000), 0),
    ] {
        for order in [[0, 1], [1, 0]] {
            let mut rig = held(10);
            let before = rig.core.accounts().realised;
            for side in order {
                let (outcome, yes) =
                    if side == 0 { (Outcome::Yes, first) } else { (Outcome::No, second) };
                rig.pay(side, outcome, 10, yes);
            }
            let after = rig.core.accounts();
            assert_eq!(after.realised - before, Usd::new(wrong), "{first} {second} {order:?}");
            assert_eq!(after.settled, Usd::new(after.matched.e6() as i64));
        }
    }
}
