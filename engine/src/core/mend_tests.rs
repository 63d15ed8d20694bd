//! From a one-sided bundle to nothing held alone: which orders leave, when, and what they cost.

use super::*;
use crate::core::CoreConfig;
use crate::event::{Action, Purpose, Reject, Report, ReportKind, Risk};
use crate::fee::cost_of;
use crate::fixture::{Recorder, config, market, pair, table, top};
use crate::pair::{Outcome, Polarity};
use crate::risk::Word;
use crate::units::{Px, Shares, Venue};

const MS: u64 = 1_000_000;
const PAIR: PairId = PairId(0);

struct Rig {
    core: Core,
    out: Recorder,
}

/// A bundle of which Kalshi's YES filled ten contracts and Polymarket's NO none.
fn one_sided(repair: Option<RepairConfig>) -> Rig {
    let config = CoreConfig { repair, cooldown: Ns(1_000 * MS), ..config() };
    let core = Core::new(table(&[pair("a", 0, 0, Polarity::Same)]), [0, 0], config);
    let mut rig = Rig { core, out: Recorder::default() };
    rig.book(0, 1, (3_900, 1_000), (4_000, 1_000));
    rig.book(1, 2, (5_000, 1_000), (5_100, 1_000));
    assert_eq!(rig.out.bundles.len(), 1);
    rig.fill(0, 3, 10);
    rig.report(0, 4, ReportKind::Done);
    // The gap is gone before the other leg is refused.
    rig.book(1, 5, (4_000, 1_000), (4_100, 1_000));
    rig.report(1, 6, ReportKind::Rejected(Reject::Venue));
    rig
}

impl Rig {
    fn book(&mut self, side: usize, at: u64, bid: (u16, u32), ask: (u16, u32)) {
        let top = top(market(Venue::ALL[side], 0), at, &[bid], &[ask]);
        self.core.on_top(Now::at(top.recv), &top, &mut self.out);
    }

    fn report(&mut self, leg: usize, at: u64, kind: ReportKind) {
        let bundle = *self.out.bundles.last().unwrap();
        let it = bundle.legs[leg];
        let report = Report {
            bundle: bundle.id,
            pair: bundle.pair,
            leg: leg as u8,
            market: it.market,
            outcome: it.outcome,
            action: it.action,
            at: Ns(at),
            kind,
        };
        self.core.on_report(Now::at(Ns(at)), &report, &mut self.out);
    }

    fn fill(&mut self, leg: usize, at: u64, contracts: u64) {
        let part = self.out.bundles.last().unwrap().legs[leg];
        let shares = Shares::new(contracts * 1_000_000);
        let (cash, fee) = (cost_of(shares, part.limit), Usd::new(1_000));
        self.report(leg, at, ReportKind::Filled { shares, px: part.limit, cash, fee });
    }

    fn last(&self) -> Bundle {
        *self.out.bundles.last().unwrap()
    }

    /// Lets time pass until something is due.
    fn wait(&mut self) -> u64 {
        let due = self.core.next_due().expect("it looks again");
        self.core.on_timer(Now::at(due), &mut self.out);
        due.0
    }

    fn conserved(&self) {
        let a = self.core.accounts();
        let matched = Usd::new(a.matched.e6() as i64);
        let sum =
            a.cash[0] + a.cash[1] + a.inventory + a.in_flight + matched - a.realised - a.netted;
        assert_eq!(sum, Usd::new(2_000_000_000), "{a:?}");
    }
}

#[test]
fn repairs_that_fill_next_to_nothing_do_not_go_on_without_end() {
    let mut rig = one_sided(Some(RepairConfig::default()));
    let part = |rig: &mut Rig, at| {
        let px = rig.last().legs[0].limit;
        let shares = Shares::new(10_000);
        let (cash, fee) = (cost_of(shares, px), Usd::new(1_000));
        rig.report(0, at, ReportKind::Filled { shares, px, cash, fee });
        rig.report(0, at, ReportKind::Cancelled);
    };
    (0..64).for_each(|_| part(&mut rig, 7));
    assert_eq!((rig.core.figures().repairs, rig.core.flight(PAIR).is_some()), (64, false));
    let rate = |e: &&Event| matches!(e, Event::RiskTripped { risk: Risk::Rate, pair: PAIR, .. });
    assert_eq!(rig.out.events.iter().filter(rate).count(), 1);
    assert!(!rig.core.is_killed());
    // A second after the first of them it goes on.
    while rig.wait() < 900 * MS {
        assert_eq!(rig.core.figures().repairs, 64);
    }
    while rig.core.figures().repairs == 64 {
        assert!(rig.wait() < 1_200 * MS);
    }
}

#[test]
fn a_one_sided_bundle_is_closed_at_once_and_sized_from_its_fills() {
    let mut rig = one_sided(Some(RepairConfig::default()));
    let repair = rig.last();
    assert_eq!((rig.out.bundles.len(), repair.purpose, repair.count), (2, Purpose::Chase, 1));
    let leg = repair.legs[0];
    assert_eq!((leg.market.venue(), leg.outcome), (Venue::Polymarket, Outcome::No));
    // NO costs 0.60 there: a cent less than here, fees included.
    assert_eq!((leg.limit, leg.expected), (Px::lit(6_000), Shares::new(10_000_000)));
    assert_eq!(rig.core.open_orders(), [0, 1]);
    rig.conserved();
    // It fills a part; what is left is closed after it.
    rig.fill(0, 7, 4);
    rig.report(0, 8, ReportKind::Cancelled);
    assert_eq!(rig.core.naked(PAIR), (Outcome::Yes, Shares::new(6_000_000)));
    assert_eq!(rig.last().legs[0].expected, Shares::new(6_000_000));
    rig.fill(0, 9, 6);
    rig.report(0, 10, ReportKind::Done);
    assert_eq!(rig.core.naked(PAIR).1, Shares::ZERO);
    assert_eq!((rig.core.open_orders(), rig.core.next_due()), ([0, 0], None));
    assert_eq!(rig.core.figures().repairs, 2);
    // Ten pairs of a dollar, 4.00 and 6.00 dollars of cost, and three fees.
    assert_eq!(rig.core.accounts().realised, Usd::new(-3_000));
    assert_eq!(rig.core.figures().repair_profit, Usd::new(-2_000));
    rig.conserved();
}

#[test]
fn what_lies_on_one_side_alone_is_closed_once_a_person_arms_it_though_no_book_moves() {
    let config = CoreConfig { repair: Some(RepairConfig::default()), ..config() };
    let core = Core::new(table(&[pair("a", 0, 0, Polarity::Same)]), [0, 0], config);
    let mut rig = Rig { core, out: Recorder::default() };
    rig.book(0, 1, (3_900, 1_000), (4_000, 1_000));
    rig.book(1, 2, (5_000, 1_000), (5_100, 1_000));
    rig.core.kill();
    rig.fill(0, 3, 10);
    rig.report(0, 4, ReportKind::Done);
    rig.report(1, 5, ReportKind::Rejected(Reject::Killed));
    let told = Some(Ns(3 + 5_000 * MS));
    assert_eq!((rig.out.bundles.len(), rig.core.next_due()), (1, told), "nothing while killed");
    rig.core.on_word(Now::at(Ns(0)), Word::Arm);
    let due = rig.core.next_due().expect("it looks at once");
    assert!(due <= Ns(6), "{due:?}");
    rig.core.on_timer(Now::at(Ns(6)), &mut rig.out);
    assert_eq!((rig.out.bundles.len(), rig.last().purpose), (2, Purpose::Chase));
    rig.conserved();
}

#[test]
fn without_repairs_it_stays_as_it_is() {
    let rig = one_sided(None);
    assert_eq!((rig.out.bundles.len(), rig.core.next_due()), (1, None));
    assert_eq!(rig.core.naked(PAIR), (Outcome::Yes, Shares::new(10_000_000)));
    assert_eq!(rig.core.open_orders(), [0, 0]);
    rig.conserved();
}

#[test]
fn tries_are_bounded_each_way_rests_and_somebody_is_told() {
    let config = RepairConfig { tries_max: 4, ..RepairConfig::default() };
    let mut rig = one_sided(Some(config));
    let mut ways = Vec::new();
    let mut now = 10;
    for _ in 0..12 {
        if rig.core.flight(PAIR).is_some() {
            ways.push((now, rig.last().purpose));
            rig.report(0, now, ReportKind::Cancelled);
        } else {
            now = rig.wait();
        }
    }
    // The next best way at once, then both rest, longer each time.
    let names: Vec<_> = ways.iter().map(|(_, purpose)| *purpose).collect();
    assert_eq!(
        names[..4],
        [Purpose::Chase, Purpose::Complement, Purpose::Chase, Purpose::Complement]
    );
    assert!(ways[2].0 >= 10 + 100 * MS, "{ways:?}");
    let told = |e: &&Event| matches!(e, Event::RiskTripped { risk: Risk::Unhedged, .. });
    assert_eq!(rig.out.events.iter().filter(told).count(), 1);
    assert_eq!(rig.core.open_orders(), [0, u64::from(rig.core.flight(PAIR).is_some())]);
    // It goes on all the same, and a fill makes it forget.
    while rig.core.flight(PAIR).is_none() {
        now = rig.wait();
    }
    rig.fill(0, now + 1, 10);
    rig.report(0, now + 2, ReportKind::Done);
    assert_eq!((rig.core.naked(PAIR).1, rig.core.next_due()), (Shares::ZERO, None));
    rig.conserved();
}

#[test]
fn what_is_too_dear_waits_for_a_better_book_and_nothing_opens_meanwhile() {
    let mut rig = one_sided(Some(RepairConfig {
        give_first: Usd::new(1_000),
        give_max: Usd::new(1_000),
        ..RepairConfig::default()
    }));
    assert_eq!(rig.out.bundles.len(), 1);
    let waits = |e: &&Event| matches!(e, Event::RepairWaits { why: Wait::Dear, .. });
    assert_eq!(rig.out.events.iter().filter(waits).count(), 1);
    // The old gap again, long after the cooldown: it closes what is held, and opens nothing.
    rig.book(1, 2_000 * MS, (5_000, 1_000), (5_100, 1_000));
    let close = rig.last();
    assert_eq!((rig.out.bundles.len(), close.purpose), (2, Purpose::Chase));
    assert_eq!(close.legs[0].limit, Px::lit(5_000));
}

#[test]
fn a_late_fill_and_a_failed_trade_are_closed_too() {
    let mut rig = one_sided(Some(RepairConfig::default()));
    let (first, chase) = (rig.out.bundles[0], rig.last());
    rig.fill(0, 7, 10);
    rig.report(0, 8, ReportKind::Done);
    assert_eq!(rig.core.naked(PAIR).1, Shares::ZERO);
    // The chase's trade fails for good.
    let shares = Shares::new(10_000_000);
    let (px, cash, fee) =
        (chase.legs[0].limit, cost_of(shares, chase.legs[0].limit), Usd::new(1_000));
    rig.report(0, 9, ReportKind::Undone { shares, px, cash, fee });
    assert_eq!(rig.core.naked(PAIR), (Outcome::Yes, shares));
    assert_eq!((rig.out.bundles.len(), rig.last().purpose), (3, Purpose::Chase));
    rig.conserved();
    // Meanwhile the refused leg of the first bundle turns out to have filled five.
    let it = first.legs[1];
    let shares = Shares::new(5_000_000);
    let kind = ReportKind::Filled { shares, px: it.limit, cash: cost_of(shares, it.limit), fee };
    let report = Report {
        bundle: first.id,
        pair: PAIR,
        leg: 1,
        market: it.market,
        outcome: it.outcome,
        action: it.action,
        at: Ns(10),
        kind,
    };
    rig.core.on_report(Now::at(Ns(10)), &report, &mut rig.out);
    rig.fill(0, 11, 10);
    rig.report(0, 12, ReportKind::Done);
    assert_eq!(rig.core.naked(PAIR), (Outcome::No, Shares::new(5_000_000)));
    // What is too much is sold again, or its counterpart bought.
    assert_eq!(rig.out.bundles.len(), 4);
    rig.fill(0, 13, 5);
    rig.report(0, 14, ReportKind::Done);
    assert_eq!(rig.core.naked(PAIR).1, Shares::ZERO);
    rig.conserved();
}

#[test]
fn a_sale_gives_tokens_back_and_money_is_conserved() {
    let config = CoreConfig { repair: Some(RepairConfig::default()), ..config() };
    let core = Core::new(table(&[pair("a", 0, 0, Polarity::Same)]), [0, 0], config);
    let mut rig = Rig { core, out: Recorder::default() };
    rig.book(0, 1, (3_900, 1_000), (4_000, 1_000));
    rig.book(1, 2, (5_000, 1_000), (5_100, 1_000));
    rig.fill(1, 3, 10);
    rig.report(1, 4, ReportKind::Done);
    // Only Polymarket is left: to sell is worth as much as the complement, and frees the cash.
    rig.core.on_gate(Venue::Kalshi, false);
    rig.book(0, 5, (4_900, 1_000), (5_000, 1_000));
    rig.report(0, 5, ReportKind::Rejected(Reject::Expired));
    let sale = rig.last();
    assert_eq!((sale.purpose, sale.legs[0].action), (Purpose::SellBack, Action::Sell));
    assert_eq!((sale.legs[0].limit, sale.legs[0].spends), (Px::lit(4_900), false));
    rig.fill(0, 6, 4);
    rig.conserved();
    assert_eq!(rig.core.naked(PAIR), (Outcome::No, Shares::new(6_000_000)));
    rig.report(0, 7, ReportKind::Cancelled);
    assert_eq!(rig.core.tokens().balance(0, Outcome::No), Shares::new(6_000_000));
    assert_eq!(rig.core.accounts().inventory, Usd::new(3_000_000));
    // A cent a contract and two fees.
    assert_eq!(rig.core.accounts().realised, Usd::new(-40_000 - 2_000));
    rig.conserved();
}

#[test]
fn no_more_is_opened_than_may_be_naked_in_an_event() {
    let of_one_event = |id: &str, market| {
        let mut it = pair(id, market, market, Polarity::Same);
        it.event = Some("e".to_owned());
        it
    };
    let pairs = [of_one_event("a", 0), of_one_event("b", 1)];
    let repair = RepairConfig { naked_max: Usd::new(12_000_000), ..RepairConfig::default() };
    let config = CoreConfig { repair: Some(repair), ..config() };
    let mut rig = Rig { core: Core::new(table(&pairs), [0, 0], config), out: Recorder::default() };
    for index in [0, 1] {
        for (side, bid) in [3_900, 5_000].into_iter().enumerate() {
            let it = market(Venue::ALL[side], index);
            let top = top(it, 1 + index as u64, &[(bid, 5_000)], &[(bid + 100, 5_000)]);
            rig.core.on_top(Now::at(top.recv), &top, &mut rig.out);
        }
    }
    // The first takes nearly all of it; what is left is too little for the second.
    assert_eq!(rig.out.bundles.len(), 1);
    let risk = rig.core.at_risk(PAIR);
    assert!(risk <= Usd::new(12_000_000) && risk > Usd::new(11_000_000), "{risk}");
    assert_eq!(rig.core.at_risk(PairId(1)), risk, "it is one event");
    let filled = rig.last().legs[0].qty;
    rig.fill(0, 5, filled.e2() / 100);
    rig.report(0, 6, ReportKind::Done);
    assert_eq!(rig.core.at_risk(PAIR), risk, "the other may still fail");
    rig.report(1, 7, ReportKind::Rejected(Reject::Venue));
    // Now it is what was paid, until a repair has ended.
    let paid = rig.core.at_risk(PAIR);
    assert!(paid > Usd::new(8_000_000) && paid < risk, "{paid}");
    rig.fill(0, 8, filled.e2() / 100);
    rig.report(0, 9, ReportKind::Done);
    assert!(rig.core.at_risk(PAIR) < Usd::new(500_000), "{}", rig.core.at_risk(PAIR));
}

#[test]
fn a_leg_that_leaves_first_is_followed_by_what_it_filled() {
    let first = |order, side: usize| {
        let mut it = pair("a", 0, 0, Polarity::Same);
        it.legs = Some(order);
        let config = CoreConfig { repair: Some(RepairConfig::default()), ..config() };
        let mut rig =
            Rig { core: Core::new(table(&[it]), [0, 0], config), out: Recorder::default() };
        rig.book(0, 1, (3_900, 1_000), (4_000, 1_000));
        rig.book(1, 2, (5_000, 1_000), (5_100, 1_000));
        let open = rig.last();
        assert_eq!((open.purpose, open.count), (Purpose::Open, 1));
        assert_eq!(open.legs.map(|leg| leg.market.venue().index()), [side, 1 - side]);
        // No other pair may take what the one that follows will need.
        assert_eq!(rig.core.accounts().reserved[1 - side], open.legs[1].reserve);
        assert_eq!(rig.core.unsettled(), open.legs[0].budget + open.legs[1].budget);
        rig.fill(0, 3, 7);
        rig.report(0, 4, ReportKind::Cancelled);
        let chase = rig.last();
        assert_eq!((rig.out.bundles.len(), chase.purpose), (2, Purpose::Chase));
        assert_eq!(chase.legs[0].market.venue().index(), 1 - side);
        assert_eq!(chase.legs[0].expected, Shares::new(7_000_000), "what the first one filled");
        let follows = |e: &&Event| matches!(e, Event::LegFollows(_));
        assert_eq!(rig.out.events.iter().filter(follows).count(), 1);
        rig.fill(0, 5, 7);
        rig.report(0, 6, ReportKind::Done);
        assert_eq!(rig.core.naked(PAIR).1, Shares::ZERO);
        assert_eq!(rig.core.accounts().reserved, [Usd::ZERO; 2]);
        // Seven dollars for seven times 0.90 and two fees.
        assert_eq!(rig.core.accounts().realised, Usd::new(700_000 - 2_000));
        rig.conserved();
    };
    first(crate::pair::LegOrder::First, 0);
    first(crate::pair::LegOrder::Second, 1);
}

#[test]
fn what_was_alone_before_is_closed_only_where_that_is_wanted() {
    for adopt in [false, true] {
        let repair = RepairConfig { adopt, ..RepairConfig::default() };
        let config = CoreConfig { repair: Some(repair), ..config() };
        let core = Core::new(table(&[pair("a", 0, 0, Polarity::Same)]), [0, 0], config);
        let mut rig = Rig { core, out: Recorder::default() };
        // Nine YES against seven NO, and a YES token beside them.
        let tokens = [Shares::new(1_000_000), Shares::new(7_000_000)];
        rig.core.begin_with(PAIR, 9_000_000, tokens, Usd::ZERO);
        rig.book(0, 1, (4_900, 1_000), (5_000, 1_000));
        rig.book(1, 2, (4_900, 1_000), (5_000, 1_000));
        assert_eq!(rig.out.bundles.len(), usize::from(adopt));
        if adopt {
            let close = rig.last();
            assert_eq!((close.purpose, close.legs[0].qty), (Purpose::Complement, Qty::lit(300)));
            rig.fill(0, 3, 3);
            rig.report(0, 4, ReportKind::Done);
        }
        assert_eq!(rig.core.naked(PAIR).1, Shares::ZERO);
        rig.conserved();
    }
}

#[test]
fn what_was_taken_over_brings_no_more_than_it_was_taken_to_cost() {
    let came_to = |each: i64| {
        let repair = RepairConfig { adopt: true, ..RepairConfig::default() };
        let config = CoreConfig { repair: Some(repair), ..config() };
        let core = Core::new(table(&[pair("a", 0, 0, Polarity::Same)]), [0, 0], config);
        let mut rig = Rig { core, out: Recorder::default() };
        rig.core.begin_with(PAIR, 3_000_000, [Shares::ZERO; 2], Usd::new(each));
        let before = (rig.core.today(Ns(1)).result.e6(), rig.core.at_risk(PAIR).e6());
        rig.book(0, 1, (4_900, 1_000), (5_000, 1_000));
        rig.book(1, 2, (4_900, 1_000), (5_000, 1_000));
        rig.fill(0, 3, 3);
        rig.report(0, 4, ReportKind::Done);
        assert_eq!(rig.core.naked(PAIR).1, Shares::ZERO);
        assert_eq!((rig.core.accounts().inventory, rig.core.at_risk(PAIR)), (Usd::ZERO, Usd::ZERO));
        (before, rig.core.today(Ns(1)).result.e6())
    };
    let (before, free) = came_to(0);
    assert_eq!(before, (0, 0));
    // What may be lost on it counts as lost until it is closed, and at the event.
    let (before, after) = came_to(400_000);
    assert_eq!(before, (-1_200_000, 1_200_000));
    assert_eq!(after, free - 1_200_000);
    assert!(came_to(1_000_000).1 < 0, "at a dollar there is nothing to gain");
}

#[test]
fn a_hold_lets_repairs_go_on_and_a_kill_does_not() {
    let mut rig = one_sided(Some(RepairConfig::default()));
    rig.core.hold();
    rig.report(0, 7, ReportKind::Cancelled);
    assert_eq!(rig.out.bundles.len(), 3, "what is open is closed");
    rig.core.kill();
    rig.report(0, 8, ReportKind::Rejected(Reject::Killed));
    rig.book(1, 9_000 * MS, (4_000, 1_000), (4_100, 999));
    rig.core.on_timer(Now::at(Ns(20_000 * MS)), &mut rig.out);
    assert_eq!((rig.out.bundles.len(), rig.core.open_orders()), (3, [0, 0]));
}
