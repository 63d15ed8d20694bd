//! Evaluations, candidates, episodes and decisions of [`super`].

use super::*;
use crate::event::{Action, BundleId, PairChange, Reject, Report, ReportKind, Risk};
use crate::fixture::{Recorder, config, market, pair, table, top};
use crate::pair::{Direction, FeeRule, Outcome, Verdict};
use crate::units::Px;

const K: usize = 0;
const P: usize = 1;

struct Rig {
    core: Core,
    out: Recorder,
}

impl Rig {
    fn new(pairs: &[crate::pair::Pair], config: CoreConfig) -> Rig {
        Rig { core: Core::new(table(pairs), [0, 0], config), out: Recorder::default() }
    }

    fn top(&mut self, top: &Top) {
        self.core.on_top(Now::at(top.recv), top, &mut self.out);
    }

    fn book(&mut self, side: usize, index: usize, at: u64, bid: (u16, u32), ask: (u16, u32)) {
        self.top(&top(market(Venue::ALL[side], index), at, &[bid], &[ask]));
    }

    fn report(&mut self, leg: usize, at: u64, kind: ReportKind) {
        let bundle = *self.out.bundles.last().unwrap();
        let report = Report {
            bundle: bundle.id,
            pair: bundle.pair,
            leg: leg as u8,
            market: bundle.legs[leg].market,
            outcome: bundle.legs[leg].outcome,
            action: bundle.legs[leg].action,
            at: Ns(at),
            kind,
        };
        self.core.on_report(Now::at(Ns(at)), &report, &mut self.out);
    }

    fn fill(&mut self, leg: usize, at: u64, contracts: u64) {
        let part = self.out.bundles.last().unwrap().legs[leg];
        let shares = Shares::new(contracts * 1_000_000);
        let (cash, fee) = (crate::fee::cost_of(shares, part.limit), Usd::new(1_000));
        self.report(leg, at, ReportKind::Filled { shares, px: part.limit, cash, fee });
    }
}

fn one() -> Vec<crate::pair::Pair> {
    vec![pair("a", 0, 0, Polarity::Same)]
}

/// YES at 0.40 on the first venue, NO at 0.50 on the second: some 7 cents after fees.
fn open_gap(rig: &mut Rig, at: u64) {
    rig.book(K, 0, at, (3_900, 10_000), (4_000, 10_000));
    rig.book(P, 0, at + 1, (5_000, 10_000), (5_100, 10_000));
}

#[test]
fn an_evaluation_needs_both_books() {
    let mut rig = Rig::new(&one(), CoreConfig::default());
    rig.book(K, 0, 1, (3_900, 100), (4_000, 100));
    rig.book(K, 0, 2, (3_900, 100), (4_000, 100));
    assert_eq!(rig.core.figures().evaluations, 0);
    rig.book(P, 0, 3, (3_900, 100), (4_000, 100));
    rig.book(K, 0, 4, (3_900, 100), (4_000, 100));
    let figures = rig.core.figures();
    assert_eq!((figures.evaluations, figures.candidates), (2, 0));
    assert!(figures.best_edge.unwrap() < Usd::ZERO);
    let mut lost = top(market(Venue::Kalshi, 0), 5, &[], &[]);
    lost.health = Health::Gap;
    rig.top(&lost);
    rig.book(P, 0, 6, (3_900, 100), (4_000, 100));
    assert_eq!(rig.core.figures().evaluations, 2, "a lost book ends them");
    rig.top(&Top::empty_frame(Venue::Kalshi, Ns(7)));
    rig.book(P, 9, 8, (1, 1), (2, 1));
    assert_eq!(rig.core.figures().unlisted, 1);
    assert_eq!(rig.core.top(market(Venue::Kalshi, 0)).unwrap().health, Health::Gap);
}

#[test]
fn a_candidate_is_a_direction_that_earns() {
    let mut rig = Rig::new(&one(), CoreConfig::default());
    open_gap(&mut rig, 1);
    // 1 - 0.40 - 0.50 - 0.0168 - 0.0125.
    let figures = rig.core.figures();
    assert_eq!(figures.best_edge, Some(Usd::new(70_700)));
    assert_eq!((figures.candidates, figures.decisions), (1, 0), "it does not trade");
    assert_eq!(rig.core.candidates_by(PairId(0)), [1, 0, 0]);
    rig.book(P, 0, 3, (3_000, 500), (3_100, 500));
    assert_eq!(rig.core.candidates_by(PairId(0)), [1, 1, 0], "now the other way");
    rig.book(P, 0, 4, (6_000, 500), (5_000, 500));
    assert_eq!(rig.core.candidates_by(PairId(0)), [2, 1, 1], "both tokens for 0.90");
}

#[test]
fn inverted_pairs_read_the_second_book_upside_down() {
    let mut rig = Rig::new(&[pair("a", 0, 0, Polarity::Inverted)], config());
    rig.book(K, 0, 1, (3_900, 10_000), (4_000, 10_000));
    // Their YES is our NO: it costs 0.50, and together 0.90.
    rig.book(P, 0, 2, (4_900, 10_000), (5_000, 10_000));
    assert_eq!(rig.core.candidates_by(PairId(0)), [1, 0, 0]);
    assert_eq!(rig.core.figures().best_edge, Some(Usd::new(70_700)));
    let legs = rig.out.bundles[0].legs;
    assert_eq!((legs[0].outcome, legs[0].limit), (Outcome::Yes, Px::lit(4_000)));
    assert_eq!((legs[1].outcome, legs[1].limit), (Outcome::Yes, Px::lit(5_000)));
    assert_eq!(Direction::FirstYes.name(Polarity::Inverted), "kalshi_yes_polymarket_yes");
}

#[test]
fn a_market_may_belong_to_several_pairs() {
    let pairs = [
        pair("a", 0, 0, Polarity::Same),
        pair("b", 0, 1, Polarity::Inverted),
        pair("c", 1, 0, Polarity::Same),
    ];
    let mut rig = Rig::new(&pairs, CoreConfig::default());
    rig.book(P, 0, 1, (5_000, 100), (5_100, 100));
    rig.book(P, 1, 2, (4_900, 100), (5_000, 100));
    rig.book(K, 1, 3, (5_000, 100), (5_100, 100));
    assert_eq!(rig.core.figures().evaluations, 1, "c alone is complete");
    rig.book(K, 0, 4, (3_900, 100), (4_000, 100));
    assert_eq!(rig.core.figures().evaluations, 3);
    assert_eq!(rig.core.candidates_by(PairId(0)), [1, 0, 0]);
    assert_eq!(rig.core.candidates_by(PairId(1)), [1, 0, 0]);
    assert_eq!(rig.core.candidates_by(PairId(2)), [0, 0, 0]);
    let of = |venue, index| {
        rig.core.pairs().pairs_of(market(venue, index)).map(|p| p.0).collect::<Vec<_>>()
    };
    assert_eq!(of(Venue::Kalshi, 0), [0, 1]);
    assert_eq!(of(Venue::Polymarket, 0), [0, 2]);
    assert!(of(Venue::Polymarket, 7).is_empty());
}

#[test]
fn books_that_are_not_sound_make_no_edge() {
    for health in [Health::Crossed, Health::Stale, Health::Gap, Health::AwaitSnapshot] {
        let mut rig = Rig::new(&one(), config());
        rig.book(K, 0, 1, (3_900, 100), (4_000, 10_000));
        let mut gap = top(market(Venue::Polymarket, 0), 2, &[(5_000, 10_000)], &[]);
        gap.health = health;
        rig.top(&gap);
        let figures = rig.core.figures();
        assert_eq!((figures.candidates, figures.best_edge), (0, None), "{health:?}");
        assert_eq!(figures.evaluations, u64::from(health == Health::Crossed));
        assert!(rig.out.bundles.is_empty() && figures.episodes == 0);
    }
}

#[test]
fn an_episode_knows_its_peak_and_who_made_it() {
    let mut rig = Rig::new(&one(), CoreConfig::default());
    open_gap(&mut rig, 10);
    rig.book(P, 0, 20, (5_200, 700), (5_300, 10_000));
    rig.book(P, 0, 30, (5_100, 400), (5_300, 10_000));
    rig.book(K, 0, 41, (4_900, 100), (5_000, 100));
    rig.book(K, 0, 50, (4_900, 100), (5_000, 100));
    let closed = rig.out.closed();
    assert_eq!(closed.len(), 1);
    let episode = closed[0];
    assert_eq!((episode.opened, episode.lived), (Ns(11), Ns(30)));
    assert_eq!((episode.opened_by, episode.closed_by), (Venue::Polymarket, Venue::Kalshi));
    assert_eq!(episode.peak_size, Qty::lit(10_000));
    assert_eq!((episode.seen, rig.core.figures().episodes), (3, 1));
    // 1 - 0.40 - 0.48 - 0.0168 - 0.01248.
    assert_eq!(episode.peak_edge, Usd::new(90_720));
    open_gap(&mut rig, 60);
    let mut crossed = top(market(Venue::Kalshi, 0), 70, &[(4_100, 5)], &[(4_000, 5)]);
    crossed.health = Health::Crossed;
    rig.top(&crossed);
    let mut lost = crossed;
    lost.health = Health::Gap;
    open_gap(&mut rig, 80);
    rig.top(&lost);
    assert_eq!(rig.out.closed().len(), 3, "an unsound or a lost book ends it too");
}

#[test]
fn a_decision_tells_all_that_led_to_it() {
    let mut rig = Rig::new(&one(), config());
    open_gap(&mut rig, 1);
    let decision = rig.out.decisions()[0];
    assert_eq!(decision.bundle, rig.out.bundles[0]);
    assert_eq!((decision.at, decision.bundle.decided), (Ns(2), Ns(2)));
    assert_eq!(decision.bundle.deadline, Ns(2).after(config().deadline));
    assert_eq!(decision.best, [Px::lit(4_000), Px::lit(5_000)]);
    assert_eq!(decision.edge, Usd::new(70_700));
    assert_eq!(decision.qty, Shares::from(Qty::lit(10_000)));
    assert_eq!(decision.profit, Usd::new(7_070_000));
    assert_eq!(decision.tops[0].best_ask_raw(), (4_000, 10_000));
    assert_eq!(decision.bundle.legs.map(|l| l.generation), [1, 2]);
    assert!(!decision.bundle.legs[0].spends && decision.bundle.legs[1].spends);
}

#[test]
fn one_bundle_a_pair_and_a_rest_after_it() {
    let mut rig = Rig::new(&one(), CoreConfig { cooldown: Ns(100), ..config() });
    open_gap(&mut rig, 1);
    open_gap(&mut rig, 3);
    assert_eq!(rig.out.bundles.len(), 1, "in flight");
    rig.fill(0, 10, 100);
    rig.report(0, 11, ReportKind::Done);
    open_gap(&mut rig, 12);
    assert_eq!(rig.out.bundles.len(), 1, "one leg has not ended");
    rig.report(1, 20, ReportKind::Rejected(Reject::Venue));
    assert_eq!(rig.out.settled()[0].matched, Shares::ZERO);
    open_gap(&mut rig, 100);
    assert_eq!(rig.out.bundles.len(), 1, "resting");
    open_gap(&mut rig, 119);
    assert_eq!(rig.out.bundles.len(), 2);
    let accounts = rig.core.accounts();
    assert_eq!(accounts.inventory, Usd::new(40_000_000), "one leg alone is inventory");
    assert_eq!(accounts.realised, Usd::new(-1_000), "and its fee is lost");
}

#[test]
fn nobody_decides_against_a_verdict_or_an_unknown_fee() {
    let mut pairs = vec![one()[0].clone(); 4];
    for (i, pair) in pairs.iter_mut().enumerate() {
        pair.id = i.to_string();
    }
    pairs[0].verdict = Verdict::Blocked;
    pairs[1].verdict = Verdict::NeedsReview;
    pairs[2].sides[1].fee = FeeRule::Unknown;
    pairs[3].verdict = Verdict::Approved;
    let mut rig = Rig::new(&pairs, config());
    open_gap(&mut rig, 1);
    assert_eq!(rig.out.bundles.iter().map(|b| b.pair.0).collect::<Vec<_>>(), [3]);
    assert_eq!(rig.core.figures().evaluations, 4);
    assert_eq!(rig.core.figures().candidates, 3, "no net edge without a fee");
}

#[test]
fn a_torn_book_is_no_pair_of_tokens() {
    for (flags, want) in [(Top::TORN, 0), (0, 1)] {
        let mut rig = Rig::new(&one(), config());
        rig.book(K, 0, 1, (4_900, 100), (6_000, 100));
        let mut both = top(market(Venue::Polymarket, 0), 2, &[(6_000, 1_000)], &[(5_000, 1_000)]);
        both.flags = flags;
        rig.top(&both);
        assert_eq!(rig.core.candidates_by(PairId(0)), [0, 0, 1]);
        assert_eq!(rig.out.bundles.len(), want);
    }
}

#[test]
fn doubt_blocks_the_pair_until_evidence() {
    let mut rig = Rig::new(&one(), config());
    open_gap(&mut rig, 1);
    let reserve = rig.out.bundles[0].legs.map(|l| l.reserve);
    assert_eq!(rig.core.accounts().reserved, reserve);
    rig.report(0, 5, ReportKind::Unknown);
    rig.report(1, 5, ReportKind::Cancelled);
    open_gap(&mut rig, 10_000_000_000);
    assert_eq!(rig.out.bundles.len(), 1, "no timeout ends doubt");
    assert_eq!(rig.core.accounts().reserved, [reserve[0], Usd::ZERO], "it counts in full");
    rig.report(0, 10_000_000_002, ReportKind::Cancelled);
    open_gap(&mut rig, 10_000_000_003);
    assert_eq!(rig.out.bundles.len(), 2);
    let events = &rig.out.events;
    let has = |want: fn(&Event) -> bool| events.iter().filter(|e| want(e)).count();
    assert_eq!(has(|e| matches!(e, Event::RiskTripped { risk: Risk::UnknownOrder, .. })), 1);
    assert_eq!(has(|e| matches!(e, Event::PairChanged { change: PairChange::Blocked, .. })), 1);
    assert_eq!(has(|e| matches!(e, Event::PairChanged { change: PairChange::Unblocked, .. })), 1);
}

#[test]
fn a_stray_fill_is_money_all_the_same() {
    let mut rig = Rig::new(&one(), config());
    open_gap(&mut rig, 1);
    rig.report(0, 5, ReportKind::Cancelled);
    rig.report(1, 5, ReportKind::Cancelled);
    rig.fill(0, 6, 10);
    let accounts = rig.core.accounts();
    assert_eq!(accounts.inventory, Usd::new(4_000_000));
    assert_eq!(accounts.realised, Usd::new(-1_000));
    assert_eq!(rig.core.net().position_e6(0), 10_000_000);
    let stray = |e: &&Event| matches!(e, Event::RiskTripped { risk: Risk::LateFill, .. });
    assert_eq!(rig.out.events.iter().filter(stray).count(), 1);
}

#[test]
fn empty_purses_and_kills_send_nothing() {
    let poor = CoreConfig { cash: [Usd::new(1_000_000_000), Usd::new(900_000)], ..config() };
    let mut rig = Rig::new(&one(), poor);
    open_gap(&mut rig, 1);
    assert_eq!(rig.core.figures().candidates, 1);
    assert!(rig.out.bundles.is_empty());
    let mut rig = Rig::new(&one(), config());
    rig.core.kill();
    open_gap(&mut rig, 1);
    assert!(rig.out.bundles.is_empty());
    let mut rig = Rig::new(&one(), CoreConfig { min_profit: Usd::new(70_701), ..config() });
    open_gap(&mut rig, 1);
    assert!(rig.out.bundles.is_empty(), "one micro-dollar too little");
}

#[test]
fn a_pair_has_what_lies_on_its_markets_own_shard_and_no_other() {
    let pairs = [("a", 0), ("b", 1), ("c", 2)].map(|(id, n)| pair(id, n, n, Polarity::Same));
    let decided = |shards: &[(u8, i64)], placed: usize| {
        let mut rig = Rig::new(&pairs, config());
        for (shard, cash) in shards {
            rig.core.on_word(Now::at(Ns(1)), Word::Funded { shard: *shard, cash: Usd::new(*cash) });
        }
        for (index, shard) in [0, 3, 3].into_iter().enumerate().take(placed) {
            rig.core.on_word(
                Now::at(Ns(1)),
                Word::Shard { market: market(Venue::Kalshi, index), shard },
            );
        }
        for (at, index) in [1, 3, 5].into_iter().zip(0..) {
            rig.book(K, index, at, (3_900, 10_000), (4_000, 10_000));
            rig.book(P, index, at + 1, (5_000, 10_000), (5_100, 10_000));
        }
        let leg = |bundle: &Bundle| (bundle.pair.0, bundle.legs[0].qty.e2());
        rig.out.bundles.iter().map(leg).collect::<Vec<_>>()
    };
    let [(_, whole), ..] = decided(&[], 3)[..] else { panic!("nothing was decided") };
    assert_eq!(decided(&[], 3), [(0, whole), (1, whole), (2, whole)], "one purse");
    assert_eq!(decided(&[(0, 1_000_000_000), (3, 0)], 3), [(0, whole)]);
    assert_eq!(decided(&[(0, 1_000_000_000), (3, 1_000_000_000)], 2), [(0, whole), (1, whole)]);
    // What the first bundle there sets aside the second one has no more.
    let [first, second, third] = decided(&[(0, 1_000_000_000), (3, 60_000_000)], 3)[..] else {
        panic!("some money is left for each")
    };
    assert_eq!([first, second], [(0, whole), (1, whole)]);
    assert!(third.1 < whole, "{third:?} of {whole}");
}

#[test]
fn digests_see_books_and_decisions_apart() {
    let run = |trade: bool, bid: u16| {
        let mut rig = Rig::new(&one(), CoreConfig { trade, ..config() });
        open_gap(&mut rig, 1);
        rig.book(P, 0, 3, (bid, 100), (5_100, 100));
        (rig.core.figures().edge_hash, rig.core.figures().decision_hash)
    };
    assert_eq!(run(true, 4_900), run(true, 4_900));
    assert_eq!(run(true, 4_900).0, run(false, 4_900).0, "deciding changes no edge");
    assert_ne!(run(true, 4_900).1, run(false, 4_900).1);
    assert_ne!(run(true, 4_900).0, run(true, 4_800).0);
}

#[test]
fn a_report_for_a_pair_that_is_not_there_changes_nothing() {
    let mut rig = Rig::new(&one(), config());
    open_gap(&mut rig, 1);
    for (pair, leg, bundle) in [(PairId(9), 0, 1), (PairId(0), 7, 1), (PairId(0), 0, 2)] {
        let report = Report {
            bundle: BundleId(bundle),
            pair,
            leg,
            market: market(Venue::Kalshi, 0),
            outcome: Outcome::Yes,
            action: Action::Buy,
            at: Ns(3),
            kind: ReportKind::Done,
        };
        rig.core.on_report(Now::at(Ns(3)), &report, &mut rig.out);
    }
    assert!(rig.core.flight(PairId(0)).is_some());
}

#[test]
fn an_opportunity_ends_with_the_reason_why_nothing_was_sent() {
    let missed = |config: CoreConfig, gate_down: bool| {
        let mut rig = Rig::new(&one(), config);
        if gate_down {
            rig.core.on_gate(Venue::Polymarket, false);
        }
        open_gap(&mut rig, 1);
        rig.book(K, 0, 9, (6_900, 10_000), (7_000, 10_000));
        rig.out.closed().iter().map(|closed| closed.missed).collect::<Vec<_>>()
    };
    use crate::event::Miss;
    assert_eq!(missed(config(), false), [None]);
    assert_eq!(missed(config(), true), [Some(Miss::GateDown)]);
    let dear = CoreConfig { min_profit: Usd::new(500_000), ..config() };
    assert_eq!(missed(dear, false), [Some(Miss::BelowMinimum)]);
    let poor = CoreConfig { cash: [Usd::new(1); 2], ..config() };
    assert_eq!(missed(poor, false), [Some(Miss::TooSmall)]);
    let limited = CoreConfig { max_unsettled: Usd::new(1_000), ..config() };
    assert_eq!(missed(limited, false), [Some(Miss::Limit)]);
    assert_eq!(missed(CoreConfig { trade: false, ..config() }, false), [Some(Miss::Off)]);
}

/// Where all money is adds up to where it began.
fn conserved(core: &Core) {
    let a = core.accounts();
    let matched = Usd::new(a.matched.e6() as i64);
    let sum = a.cash[0] + a.cash[1] + a.inventory + a.in_flight + matched - a.realised - a.netted;
    assert_eq!(sum, Usd::new(2_000_000_000), "{a:?}");
}

#[test]
fn a_fill_after_the_end_reopens_its_leg() {
    let mut rig = Rig::new(&one(), config());
    open_gap(&mut rig, 1);
    rig.fill(0, 3, 10);
    rig.report(0, 4, ReportKind::Done);
    rig.report(1, 5, ReportKind::Cancelled);
    assert!(rig.core.flight(PairId(0)).is_none());
    assert_eq!(rig.core.naked(PairId(0)), (Outcome::Yes, Shares::new(10_000_000)));
    conserved(&rig.core);
    rig.fill(1, 6, 4);
    assert_eq!(rig.core.naked(PairId(0)), (Outcome::Yes, Shares::new(6_000_000)));
    assert_eq!(rig.core.accounts().matched, Shares::new(4_000_000));
    let late = |e: &&Event| matches!(e, Event::RiskTripped { risk: Risk::LateFill, .. });
    assert_eq!(rig.out.events.iter().filter(late).count(), 1);
    conserved(&rig.core);
    // The rest comes later still, and then some.
    rig.fill(1, 7, 9);
    assert_eq!(rig.core.naked(PairId(0)), (Outcome::No, Shares::new(3_000_000)));
    conserved(&rig.core);
}

#[test]
fn a_trade_that_fails_gives_everything_back_and_reopens_its_leg() {
    let undone = |rig: &mut Rig, at, contracts: u64| {
        let part = rig.out.bundles.last().unwrap().legs[1];
        let shares = Shares::new(contracts * 1_000_000);
        let (cash, fee) = (crate::fee::cost_of(shares, part.limit), Usd::new(1_000));
        rig.report(1, at, ReportKind::Undone { shares, px: part.limit, cash, fee });
    };
    // Before the bundle's end and after it: the outcome is the same.
    let mut ends = Vec::new();
    for early in [true, false] {
        let mut rig = Rig::new(&one(), config());
        open_gap(&mut rig, 1);
        let start = rig.core.tokens().purse.cash();
        rig.fill(0, 3, 10);
        rig.fill(1, 3, 10);
        rig.report(1, 4, ReportKind::Done);
        if early {
            undone(&mut rig, 5, 10);
        }
        rig.report(0, 6, ReportKind::Done);
        if !early {
            assert_eq!(rig.core.naked(PairId(0)).1, Shares::ZERO);
            undone(&mut rig, 7, 10);
        }
        assert_eq!(rig.core.tokens().purse.cash(), start);
        assert_eq!(rig.core.tokens().balance(0, Outcome::No), Shares::ZERO);
        assert_eq!(rig.core.naked(PairId(0)), (Outcome::Yes, Shares::new(10_000_000)));
        conserved(&rig.core);
        let a = rig.core.accounts();
        ends.push((a.cash, a.inventory, a.matched, a.realised, a.netted));
    }
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn what_bundles_left_on_either_side_cancels_out() {
    let mut rig = Rig::new(&one(), config());
    open_gap(&mut rig, 1);
    rig.fill(0, 3, 10);
    rig.report(0, 4, ReportKind::Done);
    rig.report(1, 5, ReportKind::Rejected(Reject::Funds));
    // The next bundle fills its other leg alone.
    rig.book(P, 0, 6, (5_000, 9_999), (5_100, 10_000));
    assert_eq!(rig.out.bundles.len(), 2);
    rig.fill(1, 7, 7);
    rig.report(1, 8, ReportKind::Cancelled);
    rig.report(0, 9, ReportKind::Cancelled);
    assert_eq!(rig.core.naked(PairId(0)), (Outcome::Yes, Shares::new(3_000_000)));
    assert_eq!(rig.core.unhedged(), Shares::new(3_000_000));
    assert_eq!(rig.core.accounts().matched, Shares::new(7_000_000));
    conserved(&rig.core);
}
