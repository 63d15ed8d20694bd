//! Decisions that limits and safeguards cut or stop.

use super::*;
use crate::core::CoreConfig;
use crate::event::{Purpose, Reject, Report, ReportKind};
use crate::fixture::{Recorder, config, market, pair, table, top};
use crate::pair::{Outcome, Polarity};
use crate::repair::RepairConfig;
use crate::risk::Word;
use crate::risk::day::DayResult;
use crate::risk::limits::{Cap, Rate, RiskLimits};
use crate::top::Health;
use crate::units::Shares;

struct Rig {
    core: Core,
    out: Recorder,
    at: u64,
}

/// Monday 2026-09-21, some hours before midnight.
const WALL: u64 = 1_790_000_000_000_000_000;

impl Rig {
    fn new(limits: &RiskLimits) -> Rig {
        Rig::with(limits, DayResult::default(), config())
    }

    fn with(limits: &RiskLimits, today: DayResult, config: CoreConfig) -> Rig {
        let core = Core::new(table(&[pair("a", 0, 0, Polarity::Same)]), [0, 0], config);
        Rig { core: core.with_limits(limits, today), out: Recorder::default(), at: 0 }
    }

    fn now(&self) -> Now {
        Now { mono: Ns(self.at), wall: Ns(WALL + self.at) }
    }

    fn book(&mut self, venue: Venue, bids: &[(u16, u32)], asks: &[(u16, u32)]) {
        self.at += 1;
        let mut top = top(market(venue, 0), self.at, bids, asks);
        top.recv = Ns(WALL + self.at);
        self.core.on_top(self.now(), &top, &mut self.out);
    }

    /// YES at 0.40 here and NO at 0.50 there, a hundred contracts each.
    fn gap(&mut self) {
        self.book(Venue::Polymarket, &[(5_000, 10_000)], &[(5_100, 10_000)]);
        self.book(Venue::Kalshi, &[(3_900, 10_000)], &[(4_000, 10_000)]);
    }

    fn no_gap(&mut self) {
        self.book(Venue::Kalshi, &[(4_900, 10_000)], &[(5_000, 10_000)]);
    }

    fn report(&mut self, leg: usize, kind: ReportKind) {
        self.at += 1;
        let bundle = *self.out.bundles.last().unwrap();
        let it = bundle.legs[leg];
        let (market, outcome, action) = (it.market, it.outcome, it.action);
        let (bundle, pair, leg, at) = (bundle.id, bundle.pair, leg as u8, Ns(self.at));
        let report = Report { bundle, pair, leg, market, outcome, action, at, kind };
        self.core.on_report(self.now(), &report, &mut self.out);
    }

    fn trips(&self) -> Vec<Risk> {
        let pick = |event: &Event| match event {
            Event::RiskTripped { risk, .. } => Some(*risk),
            _ => None,
        };
        self.out.events.iter().filter_map(pick).collect()
    }
}

fn usd(cap: i64) -> Cap {
    Cap { notional: Usd::new(cap), ..Cap::NONE }
}

#[test]
fn of_several_limits_the_one_that_forbids_is_told() {
    let full = Cap { qty: Shares::new(10_000), ..Cap::NONE };
    let limits = RiskLimits { venue: [full, Cap::NONE], ..RiskLimits::NONE };
    // Less may lie alone than there is money for; that alone would allow an order.
    let repair = RepairConfig { naked_max: Usd::new(30_000_000), ..RepairConfig::default() };
    let config = CoreConfig { repair: Some(repair), ..config() };
    let mut rig = Rig::with(&limits, DayResult::default(), config);
    rig.gap();
    assert_eq!((rig.out.bundles.len(), rig.trips()), (0, vec![Risk::Venue]));
    rig.no_gap();
    let missed = rig.out.events.iter().find_map(|event| match event {
        Event::OpportunityClosed(closed) => closed.missed,
        _ => None,
    });
    assert_eq!(missed, Some(Miss::Limit));
}

#[test]
fn a_cap_cuts_the_size_and_then_stops_the_pair_and_is_told_once() {
    let mut rig = Rig::new(&RiskLimits { pair: usd(20_000_000), ..RiskLimits::NONE });
    rig.gap();
    let [first, second] = rig.out.bundles[0].legs;
    assert!(first.budget <= Usd::new(10_000_000) && second.budget <= Usd::new(10_000_000));
    assert!(second.budget > Usd::new(8_000_000), "as much as the cap allows: {:?}", second.budget);
    for leg in 0..2 {
        let shares = Shares::from(rig.out.bundles[0].legs[leg].qty);
        let (px, cash) = (Px::lit(5_000), Usd::new(10_000_000));
        rig.report(leg, ReportKind::Filled { shares, px, cash, fee: Usd::ZERO });
        rig.report(leg, ReportKind::Done);
    }
    for _ in 0..3 {
        rig.gap();
    }
    assert_eq!((rig.out.bundles.len(), rig.trips()), (1, vec![Risk::Pair]));
    rig.no_gap();
    assert_eq!(rig.out.closed()[0].missed, None, "it was taken once");
    // Both markets pay out: the pair may go on.
    for venue in Venue::ALL {
        rig.core.on_word(rig.now(), Word::Settled { market: market(venue, 0) });
    }
    rig.gap();
    assert_eq!(rig.out.bundles.len(), 2);
}

#[test]
fn what_a_run_begins_with_is_money_out_until_it_settles() {
    let all = Usd::new(40_000_000);
    let mut rig = Rig::with(
        &RiskLimits::NONE,
        DayResult::default(),
        CoreConfig { max_unsettled: all, cooldown: Ns(0), ..config() },
    );
    // Thirty hedged contracts of an earlier run: half a dollar a contract on each venue.
    let held = [Shares::ZERO, Shares::new(30_000_000)];
    rig.core.begin_with(PairId(0), 30_000_000, held, Usd::ZERO);
    assert_eq!(rig.core.unsettled(), Usd::new(30_000_000));
    rig.gap();
    let spent = |bundle: &Bundle| bundle.legs[0].budget + bundle.legs[1].budget;
    let first = rig.out.bundles[0];
    assert!(spent(&first) <= Usd::new(10_000_000), "{:?}", spent(&first));
    assert_eq!(rig.core.unsettled(), Usd::new(30_000_000) + spent(&first), "with what it sent");
    for leg in 0..2 {
        let (shares, px) = (Shares::from(first.legs[leg].qty), first.legs[leg].limit);
        let (cash, fee) = (first.legs[leg].budget, Usd::new(1_000));
        rig.report(leg, ReportKind::Filled { shares, px, cash, fee });
        rig.report(leg, ReportKind::Done);
    }
    assert_eq!(rig.core.unsettled(), Usd::new(30_000_000) + spent(&first), "and what filled");
    // What pays out makes room for as much, and for no more than that: a gain widens nothing.
    for venue in Venue::ALL {
        rig.core.on_word(rig.now(), Word::Settled { market: market(venue, 0) });
    }
    assert_eq!(rig.core.unsettled(), Usd::ZERO);
    rig.gap();
    let last = spent(&rig.out.bundles[1]);
    assert!(last > Usd::new(30_000_000) && last <= all, "{last:?}");
}

#[test]
fn each_safeguard_stops_what_is_missed_then_as_limited() {
    let limits = RiskLimits::NONE;
    let cases = [
        (RiskLimits { order: usd(0), ..limits }, Risk::Order),
        (RiskLimits { event: usd(0), ..limits }, Risk::Event),
        (RiskLimits { venue: [Cap::NONE, usd(0)], ..limits }, Risk::Venue),
        (RiskLimits { total: usd(0), ..limits }, Risk::Total),
        (RiskLimits { void_loss: Usd::ZERO, ..limits }, Risk::Void),
        (RiskLimits { shutdown_balance: Usd::new(2_000_000_001), ..limits }, Risk::Balance),
        (RiskLimits { bundles: Rate { count: 0, within: Ns(1) }, ..limits }, Risk::Rate),
        (RiskLimits { repeats: Rate { count: 0, within: Ns(1) }, ..limits }, Risk::Repeated),
        (RiskLimits { day_loss: Usd::ZERO, ..limits }, Risk::DayLoss),
    ];
    for (limits, risk) in cases {
        let mut rig = Rig::new(&limits);
        rig.gap();
        rig.no_gap();
        assert_eq!((rig.out.bundles.len(), rig.trips()), (0, vec![risk]));
        assert_eq!(rig.out.closed()[0].missed, Some(Miss::Limit), "{risk:?}");
        assert_eq!(rig.core.is_killed(), risk.latches(), "{risk:?}");
    }
}

#[test]
fn what_stops_again_after_a_person_armed_it_is_told_again() {
    let mut rig =
        Rig::new(&RiskLimits { shutdown_balance: Usd::new(2_000_000_001), ..RiskLimits::NONE });
    for times in 1..4 {
        for _ in 0..3 {
            rig.gap();
            rig.no_gap();
        }
        assert_eq!((rig.core.is_killed(), rig.trips()), (true, vec![Risk::Balance; times]));
        rig.core.on_word(rig.now(), Word::Arm);
        assert!(!rig.core.is_killed());
    }
    assert_eq!(rig.out.bundles.len(), 0);
}

#[test]
fn the_collar_cuts_the_walk_and_the_ceilings_hold_it() {
    let mut rig = Rig::new(&RiskLimits { collar: Px::lit(100), ..RiskLimits::NONE });
    rig.book(Venue::Polymarket, &[(5_000, 30_000)], &[(5_100, 10_000)]);
    let asks = [(4_000, 5_000), (4_100, 5_000), (4_200, 20_000)];
    rig.book(Venue::Kalshi, &[(3_900, 10_000)], &asks);
    let bundle = rig.out.bundles[0];
    assert_eq!((bundle.legs[0].limit, bundle.legs[0].qty), (Px::lit(4_100), Qty::lit(10_000)));
    assert_eq!(bundle.collar, [Px::lit(4_100), Px::lit(5_100)]);
    // Without a collar the ceiling is what is left of the dollar.
    let mut rig = Rig::new(&RiskLimits::NONE);
    rig.gap();
    assert_eq!(rig.out.bundles[0].collar, [Px::lit(5_000), Px::lit(6_000)]);
}

#[test]
fn nothing_is_opened_beside_what_lies_alone_from_before_and_is_not_to_be_closed() {
    let none = [Shares::ZERO; 2];
    let hedged = [Shares::ZERO, Shares::new(30_000_000)];
    let adopts = |adopt| Some(RepairConfig { adopt, ..RepairConfig::default() });
    for (repair, net, held, opens) in [
        (adopts(false), 30_000_000, none, false),
        (None, 30_000_000, none, false),
        (adopts(false), 0, hedged, false),
        (adopts(false), 30_010_000, hedged, false),
        // Hedged, but for less than an order can express.
        (adopts(false), 30_009_999, hedged, true),
        (adopts(false), 0, none, true),
    ] {
        let config = CoreConfig { repair, ..config() };
        let mut rig = Rig::with(&RiskLimits::NONE, DayResult::default(), config);
        rig.core.begin_with(PairId(0), net, held, Usd::new(1_000_000));
        rig.gap();
        assert_eq!(rig.out.bundles.len(), usize::from(opens), "{net} {held:?}");
        assert_eq!(rig.core.accounts().inventory, Usd::ZERO, "it is not ours to count");
        rig.no_gap();
        let missed = rig.out.closed()[0].missed;
        assert_eq!(missed, (!opens).then_some(Miss::Unhedged));
    }
}

#[test]
fn what_a_bundle_was_decided_on_goes_with_it() {
    let day = WALL / 86_400_000_000_000;
    let today = DayResult { day, result: Usd::new(-7) };
    let cash = [Usd::new(200_000_000), Usd::new(300_000_000)];
    let mut rig = Rig::with(&RiskLimits::NONE, today, CoreConfig { cash, ..config() });
    rig.book(Venue::Polymarket, &[(5_000, 10_000)], &[(5_100, 10_000)]);
    rig.at += 40;
    rig.book(Venue::Kalshi, &[(3_900, 10_000)], &[(4_000, 10_000)]);
    let [first, second] = rig.out.bundles[0].legs;
    let want = Grounds {
        wall: rig.now().wall,
        age: Ns(41),
        health: Health::Sound,
        cash: Usd::new(500_000_000),
        today: Usd::new(-7),
        unsettled: first.budget + second.budget,
        left: [cash[0] - first.reserve, cash[1] - second.reserve],
    };
    assert_eq!(rig.out.grounds, [want]);
}

#[test]
fn money_below_the_least_balance_of_a_wallet_is_not_touched() {
    let cash = [Usd::new(1_000_000_000), Usd::new(30_000_000)];
    let limits = RiskLimits { wallet_min: Usd::new(20_000_000), ..RiskLimits::NONE };
    let mut rig = Rig::with(&limits, DayResult::default(), CoreConfig { cash, ..config() });
    rig.gap();
    let second = rig.out.bundles[0].legs[1];
    assert!(second.reserve <= Usd::new(10_000_000) && second.reserve > Usd::new(9_000_000));
    assert_eq!(rig.out.grounds[0].left[1], cash[1] - second.reserve, "the gate is told");
}

#[test]
fn a_days_loss_stops_until_tomorrow_and_counts_what_only_one_leg_holds() {
    let limits = RiskLimits { day_loss: Usd::new(60_000_000), ..RiskLimits::NONE };
    let today = DayResult { day: WALL / 86_400_000_000_000, result: Usd::new(-20_000_000) };
    let mut rig = Rig::with(&limits, today, config());
    rig.gap();
    let shares = Shares::new(100_000_000);
    let cash = Usd::new(40_000_000);
    rig.report(0, ReportKind::Filled { shares, px: Px::lit(4_000), cash, fee: Usd::ZERO });
    rig.report(0, ReportKind::Done);
    rig.report(1, ReportKind::Rejected(Reject::Venue));
    assert_eq!(rig.core.today(rig.now().wall).result, Usd::new(-60_000_000));
    rig.gap();
    assert_eq!((rig.out.bundles.len(), rig.trips()), (1, vec![Risk::DayLoss]));
    rig.at += 86_400_000_000_000;
    rig.gap();
    assert_eq!(rig.out.bundles.len(), 2, "tomorrow is another day");
    assert_eq!(rig.out.bundles[1].legs[0].outcome, Outcome::Yes);
}

/// Both after trades of yesterday and after a start on another day than the last run's.
#[test]
fn what_is_lost_after_midnight_and_before_the_first_decision_is_of_that_day() {
    const DAY: u64 = 86_400_000_000_000;
    let limits = RiskLimits { day_loss: Usd::new(40_000_000), ..RiskLimits::NONE };
    for settles in [false, true] {
        let mut rig = Rig::new(&limits);
        rig.gap();
        let today = |rig: &Rig| rig.core.today(rig.now().wall).result;
        let shares = Shares::new(100_000_000);
        let (px, cash) = (Px::lit(4_000), Usd::new(40_000_000));
        let alone = |rig: &mut Rig, midnight: u64| {
            rig.at += midnight;
            rig.report(0, ReportKind::Filled { shares, px, cash, fee: Usd::ZERO });
            rig.report(0, ReportKind::Done);
            rig.report(1, ReportKind::Rejected(Reject::Venue));
        };
        if settles {
            // Both legs fill today, and the day after both markets are judged against us.
            rig.report(1, ReportKind::Filled { shares, px, cash, fee: Usd::ZERO });
            rig.report(1, ReportKind::Done);
            rig.report(0, ReportKind::Filled { shares, px, cash, fee: Usd::ZERO });
            rig.report(0, ReportKind::Done);
            assert_eq!(today(&rig), Usd::new(20_000_000));
            rig.at += DAY;
            for (venue, outcome) in
                [(Venue::Kalshi, Outcome::Yes), (Venue::Polymarket, Outcome::No)]
            {
                let (market, each, paid) = (market(venue, 0), Px::ZERO, Usd::ZERO);
                let payout = crate::risk::Payout { market, outcome, shares, each, paid };
                rig.core.on_word(rig.now(), Word::Paid(payout));
            }
            assert_eq!(today(&rig), Usd::new(-100_000_000));
        } else {
            alone(&mut rig, DAY);
            assert_eq!(today(&rig), Usd::new(-40_000_000));
        }
        rig.gap();
        assert_eq!((rig.out.bundles.len(), rig.trips()), (1, vec![Risk::DayLoss]));
    }
}

#[test]
fn a_kill_voids_what_has_not_left_and_lasts_until_a_person_arms_it() {
    let mut rig = Rig::new(&RiskLimits::NONE);
    rig.core.kill();
    rig.gap();
    assert!(rig.out.bundles.is_empty() && rig.core.is_killed());
    let hash = rig.core.figures().decision_hash;
    rig.core.on_word(rig.now(), Word::Arm);
    assert_ne!(rig.core.figures().decision_hash, hash, "a replay that loses it is another one");
    rig.gap();
    assert_eq!(rig.out.bundles[0].kill_epoch, 1, "it goes on in the epoch of the kill");
    // A hold is for good: nobody asked to end the run for nothing.
    let mut rig = Rig::new(&RiskLimits::NONE);
    rig.core.hold();
    rig.core.on_word(rig.now(), Word::Arm);
    rig.gap();
    assert!(rig.out.bundles.is_empty());
}

#[test]
fn a_venue_that_fills_more_than_was_asked_for_stops_everything_until_a_person_arms_it() {
    let repair = Some(RepairConfig::default());
    let mut rig =
        Rig::with(&RiskLimits::NONE, DayResult::default(), CoreConfig { repair, ..config() });
    rig.gap();
    let leg = rig.out.bundles[0].legs[0];
    let shares = Shares::from(leg.qty) + Shares::new(6_000_000);
    let (px, cash) = (leg.limit, crate::fee::cost_of(shares, leg.limit));
    rig.report(0, ReportKind::Filled { shares, px, cash, fee: Usd::ZERO });
    assert_eq!((rig.trips(), rig.core.is_killed()), (vec![Risk::Overfilled], true));
    rig.report(0, ReportKind::Done);
    rig.report(1, ReportKind::Rejected(Reject::Venue));
    // What it left on one side alone waits for the person too: nobody knows what a repair would fill.
    rig.no_gap();
    rig.gap();
    assert_eq!(rig.out.bundles.len(), 1);
    rig.core.on_word(rig.now(), Word::Arm);
    rig.no_gap();
    assert_eq!(rig.out.bundles.len(), 2, "it is closed once a person has looked");
}

#[test]
fn what_a_gate_saw_and_asks_for_a_person_latches_the_core() {
    for risk in Risk::ALL {
        let mut rig = Rig::new(&RiskLimits::NONE);
        rig.core.on_tripped(PairId(0), Ns(1), risk, &mut rig.out);
        assert_eq!(rig.core.is_killed(), risk.latches(), "{risk:?}");
        rig.core.on_word(rig.now(), Word::Arm);
        assert!(!rig.core.is_killed());
    }
}

/// Naked legs of a hundred seconds in which Polymarket refuses every order, and whether a person is
/// asked for.
fn refused_for_ever(config: CoreConfig) -> (usize, bool) {
    let limits = RiskLimits { errors: 2, error_rest: Ns::from_ms(5_000), ..RiskLimits::NONE };
    let mut rig = Rig::with(&limits, DayResult::default(), config);
    let (mut alone, mut heard) = (0, 0);
    for _ in 0..400 {
        rig.at += 250_000_000;
        rig.no_gap();
        rig.gap();
        while let Some(bundle) = rig.out.bundles.get(heard).copied() {
            assert_eq!(heard + 1, rig.out.bundles.len(), "one after the other");
            heard += 1;
            for (number, leg) in bundle.orders().iter().enumerate() {
                if leg.market.venue() == Venue::Polymarket {
                    rig.report(number, ReportKind::Rejected(Reject::Funds));
                    continue;
                }
                let (shares, px, cash) = (Shares::from(leg.qty), leg.limit, leg.budget);
                rig.report(number, ReportKind::Acked);
                rig.report(number, ReportKind::Filled { shares, px, cash, fee: Usd::ZERO });
                rig.report(number, ReportKind::Done);
                alone += usize::from(bundle.purpose == Purpose::Open);
            }
        }
    }
    assert!(rig.trips().contains(&Risk::Errors));
    (alone, rig.trips().contains(&Risk::Refused) && rig.core.is_killed())
}

#[test]
fn a_venue_that_refuses_everything_goes_first_rests_and_stops_trading_in_the_end() {
    let repair = Some(RepairConfig::default());
    let measured = refused_for_ever(CoreConfig { repair, ..config() });
    assert_eq!(measured, (1, true), "only the first bundle knew nothing of it");
    // Both at once, whatever was measured.
    assert_eq!(refused_for_ever(config()), (6, true));
}
