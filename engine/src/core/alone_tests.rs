//! Somebody is told in time of what lies alone, whatever keeps it open, and once.

use super::*;
use crate::core::CoreConfig;
use crate::event::{Bundle, Report, ReportKind};
use crate::fee::cost_of;
use crate::fixture::{Recorder, config, market, pair, table, top};
use crate::pair::Polarity;
use crate::repair::RepairConfig;
use crate::risk::Word;
use crate::tile::Now;
use crate::units::{Shares, Usd, Venue};

const MS: u64 = 1_000_000;
const PAIR: PairId = PairId(0);

struct Rig {
    core: Core,
    out: Recorder,
}

/// A bundle under way of ten contracts a leg.
fn rig() -> Rig {
    let config = CoreConfig { repair: Some(RepairConfig::default()), ..config() };
    let core = Core::new(table(&[pair("a", 0, 0, Polarity::Same)]), [0, 0], config);
    let mut rig = Rig { core, out: Recorder::default() };
    rig.book(0, 1, (3_900, 1_000), (4_000, 1_000));
    rig.book(1, 2, (5_000, 1_000), (5_100, 1_000));
    assert_eq!(rig.out.bundles.len(), 1);
    rig
}

impl Rig {
    fn book(&mut self, side: usize, at: u64, bid: (u16, u32), ask: (u16, u32)) {
        let top = top(market(Venue::ALL[side], 0), at, &[bid], &[ask]);
        self.core.on_top(Now::at(top.recv), &top, &mut self.out);
    }

    fn of(&mut self, bundle: Bundle, leg: usize, at: u64, kind: ReportKind) {
        let it = bundle.legs[leg];
        let (market, outcome, action) = (it.market, it.outcome, it.action);
        let (bundle, pair, leg, at) = (bundle.id, bundle.pair, leg as u8, Ns(at));
        let report = Report { bundle, pair, leg, market, outcome, action, at, kind };
        self.core.on_report(Now::at(at), &report, &mut self.out);
    }

    fn report(&mut self, leg: usize, at: u64, kind: ReportKind) {
        let last = *self.out.bundles.last().unwrap();
        self.of(last, leg, at, kind);
    }

    fn fill(&mut self, leg: usize, at: u64, contracts: u64) {
        let px = self.out.bundles.last().unwrap().legs[leg].limit;
        let shares = Shares::new(contracts * 1_000_000);
        let (cash, fee) = (cost_of(shares, px), Usd::ZERO);
        self.report(leg, at, ReportKind::Filled { shares, px, cash, fee });
    }

    /// Lets time pass up to a moment, and says when somebody was told.
    fn until(&mut self, at: u64) -> Vec<u64> {
        while let Some(due) = self.core.next_due().filter(|due| due.0 <= at) {
            self.core.on_timer(Now::at(due), &mut self.out);
        }
        self.told()
    }

    fn told(&self) -> Vec<u64> {
        let pick = |event: &Event| match event {
            Event::RiskTripped { pair: PAIR, at, risk: Risk::Unhedged } => Some(at.0),
            _ => None,
        };
        self.out.events.iter().filter_map(pick).collect()
    }
}

#[test]
fn a_leg_beside_one_whose_fate_is_unknown_is_told_of_in_time() {
    let mut rig = rig();
    rig.fill(0, 3, 10);
    rig.report(0, 4, ReportKind::Done);
    rig.report(1, 5, ReportKind::Unknown);
    assert!(rig.until(4_999 * MS).is_empty());
    assert_eq!(rig.until(60_000 * MS), [5_000 * MS + 3], "once, and for as long as it stays");
    assert!(rig.core.flight(PAIR).is_some() && rig.core.next_due().is_none());
    // It had filled after all: what happens later is told anew.
    rig.fill(1, 60_001 * MS, 10);
    rig.report(1, 60_002 * MS, ReportKind::Done);
    assert_eq!(rig.core.naked(PAIR).1, Shares::ZERO);
    let bundle = rig.out.bundles[0];
    let (shares, px) = (Shares::new(10_000_000), bundle.legs[1].limit);
    rig.core.on_gate(Venue::Kalshi, false);
    rig.core.on_gate(Venue::Polymarket, false);
    let kind = ReportKind::Undone { shares, px, cash: cost_of(shares, px), fee: Usd::ZERO };
    rig.of(bundle, 1, 61_000 * MS, kind);
    assert_eq!(rig.until(90_000 * MS), [5_000 * MS + 3, 66_000 * MS]);
}

#[test]
fn both_legs_that_fill_in_time_are_told_of_by_nobody() {
    let mut rig = rig();
    rig.fill(0, 3, 10);
    rig.report(0, 4, ReportKind::Done);
    assert_eq!(rig.core.next_due(), Some(Ns(5_000 * MS + 3)));
    rig.fill(1, 4_000 * MS, 10);
    assert_eq!(rig.core.next_due(), None);
    rig.report(1, 4_001 * MS, ReportKind::Done);
    assert!(rig.until(90_000 * MS).is_empty());
}

#[test]
fn what_nobody_can_close_is_told_of_in_time_and_again_where_a_part_was_closed() {
    let mut rig = rig();
    rig.fill(0, 3, 10);
    rig.report(0, 4, ReportKind::Done);
    rig.report(1, 5, ReportKind::Cancelled);
    // A repair leaves, and nobody hears of it for long.
    assert_eq!(rig.out.bundles.len(), 2);
    assert_eq!(rig.until(8_000 * MS), [5_000 * MS + 3]);
    rig.core.on_gate(Venue::Kalshi, false);
    rig.core.on_gate(Venue::Polymarket, false);
    rig.fill(0, 8_000 * MS, 4);
    rig.report(0, 8_000 * MS, ReportKind::Cancelled);
    assert_eq!(rig.until(60_000 * MS), [5_000 * MS + 3, 13_000 * MS]);
}

#[test]
fn a_kill_keeps_nobody_from_being_told() {
    let mut rig = rig();
    rig.core.kill();
    rig.fill(0, 3, 10);
    rig.report(0, 4, ReportKind::Done);
    rig.report(1, 5, ReportKind::Cancelled);
    assert_eq!(rig.until(60_000 * MS), [5_000 * MS + 3]);
    // Once a person has armed it, it is closed.
    rig.core.on_word(Now::at(Ns(60_000 * MS)), Word::Arm);
    rig.core.on_timer(Now::at(Ns(60_000 * MS)), &mut rig.out);
    assert_eq!(rig.out.bundles.len(), 2);
    rig.fill(0, 60_002 * MS, 10);
    rig.report(0, 60_003 * MS, ReportKind::Done);
    assert_eq!(rig.until(90_000 * MS), [5_000 * MS + 3]);
}

#[test]
fn more_than_are_watched_are_told_of_at_once() {
    let mut alone = Alone::NONE;
    for number in 0..WATCHED_MAX as u16 {
        assert!(alone.begin(PairId(number), Ns(u64::from(number) + 10)));
    }
    assert!(!alone.begin(PairId(9_999), Ns(1)));
    assert!(alone.begin(PairId(5), Ns(1)), "it is watched, since before");
    assert_eq!(alone.due(), Ns(10));
    alone.end(PairId(0));
    assert_eq!((alone.due(), alone.take_due(Ns(10))), (Ns(11), None));
    assert!(alone.begin(PairId(9_999), Ns(3)));
    assert_eq!((alone.take_due(Ns(9)), alone.due()), (Some(PairId(9_999)), Ns(11)));
    let mut told = 0;
    while alone.take_due(Ns(1_000)).is_some() {
        told += 1;
    }
    assert_eq!((told, alone.due()), (WATCHED_MAX - 1, NEVER));
}
