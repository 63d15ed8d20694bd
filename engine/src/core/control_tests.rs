//! Changes of fees against a core that was made with them.

use super::*;
use crate::core::{CoreConfig, Figures};
use crate::event::{Closed, Opened};
use crate::fixture::{CURVE, Recorder, config, market, pair, table, top};
use crate::pair::{Pair, Verdict};
use crate::top::Top;
use crate::units::{Ns, Usd, Venue};

const K: usize = 0;
const P: usize = 1;

fn quadratic(multiplier: u32) -> FeeRule {
    FeeRule::quadratic(multiplier * 1_000_000).unwrap()
}

struct Rig {
    core: Core,
    out: Recorder,
}

impl Rig {
    fn new(pairs: &[Pair], config: CoreConfig) -> Rig {
        Rig { core: Core::new(table(pairs), [0, 0], config), out: Recorder::default() }
    }

    fn book(&mut self, side: usize, index: usize, at: u64, bid: u16, ask: u16) {
        let id = market(Venue::ALL[side], index);
        let top: Top = top(id, at, &[(bid, 10_000)], &[(ask, 10_000)]);
        self.core.on_top(Now::at(top.recv), &top, &mut self.out);
    }

    /// YES at 0.40 on the first venue, NO at 0.50 on the second: 70,700 micro-dollars after fees.
    fn gap(&mut self, at: u64) {
        self.book(K, 0, at, 3_900, 4_000);
        self.book(P, 0, at + 1, 5_000, 5_100);
    }

    fn fee(&mut self, side: usize, at: u64, fee: Option<FeeRule>) {
        let control = Control::Fee { market: market(Venue::ALL[side], 0), fee };
        self.core.on_control(Now::at(Ns(at)), &control, &mut self.out);
    }

    fn figures(&self) -> Figures {
        self.core.figures()
    }

    fn changes(&self) -> Vec<(u16, u64)> {
        let pick = |e: &Event| match e {
            Event::PairChanged { pair, at, change: PairChange::Fee } => Some((pair.0, at.0)),
            _ => None,
        };
        self.out.events.iter().filter_map(pick).collect()
    }

    fn opened(&self) -> Vec<Opened> {
        let pick = |e: &Event| if let Event::OpportunityFound(o) = e { Some(*o) } else { None };
        self.out.events.iter().filter_map(pick).collect()
    }
}

fn one() -> Vec<Pair> {
    vec![pair("a", 0, 0, Polarity::Same)]
}

fn watching() -> CoreConfig {
    CoreConfig::default()
}

#[test]
fn an_override_that_is_cleared_leaves_no_fee_below_the_usual_one() {
    // The pair's own fee may be an override that stood when it was listed.
    let cheap = FeeRule::quadratic(500_000).unwrap();
    let mut pairs = one();
    pairs[0].sides[0].fee = cheap;
    let mut rig = Rig::new(&pairs, watching());
    rig.gap(1);
    let before = rig.core.rows[0].edges[0];
    rig.fee(0, 5, None);
    assert_eq!(rig.core.rows[0].edges[0], 70_700, "as with the usual fee");
    assert!(before > 70_700);
    let dear = FeeRule::quadratic(2_000_000).unwrap();
    assert_eq!((dear.without_override(), CURVE.without_override()), (dear, CURVE));
}

#[test]
fn an_edge_follows_the_fee_without_a_new_book() {
    let mut rig = Rig::new(&one(), watching());
    rig.gap(1);
    assert_eq!(rig.core.rows[0].edges[0], 70_700);
    rig.fee(K, 10, Some(quadratic(2)));
    assert_eq!(rig.core.rows[0].edges[0], 70_700 - 16_800, "0.07 x 0.4 x 0.6 once more");
    rig.fee(K, 11, Some(quadratic(0)));
    assert_eq!(rig.core.rows[0].edges[0], 70_700 + 16_800);
    assert_eq!(rig.figures().best_edge, Some(Usd::new(87_500)));
    rig.fee(P, 12, Some(FeeRule::curve(0, 1).unwrap()));
    assert_eq!(rig.core.rows[0].edges[0], 100_000, "neither venue charges anything");
    assert_eq!(rig.changes(), [(0, 10), (0, 11), (0, 12)]);
    assert_eq!(rig.figures().evaluations, 4, "one of a book, three of fees");
}

#[test]
fn a_candidate_goes_and_comes_with_the_fee() {
    let mut rig = Rig::new(&one(), watching());
    rig.gap(1);
    assert_eq!((rig.opened().len(), rig.core.candidates_by(PairId(0))), (1, [1, 0, 0]));
    rig.fee(K, 102, Some(quadratic(10)));
    let closed: Vec<Closed> = rig.out.closed();
    assert_eq!((closed[0].lived, closed[0].closed_by), (Ns(100), Venue::Kalshi));
    assert_eq!(rig.core.candidates_by(PairId(0)), [1, 0, 0]);
    rig.book(P, 0, 110, 5_000, 5_100);
    assert_eq!(rig.core.candidates_by(PairId(0)), [1, 0, 0], "the next book has it too");
    rig.fee(K, 200, Some(quadratic(1)));
    let opened = rig.opened()[1];
    assert_eq!((opened.at, opened.by, opened.edge), (Ns(200), Venue::Kalshi, Usd::new(70_700)));
    assert_eq!(rig.core.candidates_by(PairId(0)), [2, 0, 0]);
}

#[test]
fn nothing_is_opened_from_a_close_on_that_came_nearer() {
    let mut rig = Rig::new(&one(), CoreConfig { cooldown: Ns(0), ..config() });
    let close = |rig: &mut Rig, at: u64, close: u64| {
        let control = Control::Close { market: market(Venue::Kalshi, 0), at: Ns(close) };
        rig.core.on_control(Now::at(Ns(at)), &control, &mut rig.out);
        rig.figures().decision_hash
    };
    let before = rig.figures().decision_hash;
    let moved = close(&mut rig, 1, 100);
    assert!(before != moved && moved != close(&mut rig, 2, 100), "a repetition must take it too");
    rig.gap(100);
    assert_eq!((rig.figures().candidates, rig.figures().decisions), (1, 0));
    close(&mut rig, 200, 1_000);
    rig.gap(300);
    assert_eq!(rig.figures().decisions, 1);
    let told =
        |event: &&Event| matches!(event, Event::PairChanged { change: PairChange::Close, .. });
    assert_eq!(rig.out.events.iter().filter(told).count(), 2, "what is known is no change");
}

#[test]
fn nothing_is_decided_under_an_unknown_fee_until_the_own_one_is_back() {
    let mut rig = Rig::new(&one(), config());
    rig.fee(K, 1, Some(FeeRule::Unknown));
    rig.gap(2);
    // Both tokens of the second venue for 0.90: its own fee is known, the pair is stopped.
    rig.book(P, 0, 4, 6_000, 5_000);
    assert_eq!((rig.figures().decisions, rig.out.bundles.len()), (0, 0));
    rig.fee(K, 5, None);
    assert_eq!(rig.figures().decisions, 1, "at once, by the books that stand");
    assert_eq!(rig.out.decisions()[0].at, Ns(5));
    assert_eq!(rig.changes(), [(0, 1), (0, 5)]);
}

#[test]
fn a_fee_decides_for_no_pair_that_somebody_objects_to() {
    let mut pairs = one();
    pairs[0].verdict = Verdict::NeedsReview;
    let mut rig = Rig::new(&pairs, config());
    rig.fee(K, 1, Some(FeeRule::Unknown));
    rig.fee(K, 2, None);
    rig.gap(3);
    assert_eq!(rig.figures().decisions, 0);
    // A pair whose own fee is unknown is back where it was, and an override makes it tradable.
    let mut pairs = one();
    pairs[0].sides[0].fee = FeeRule::Unknown;
    let mut rig = Rig::new(&pairs, config());
    rig.gap(3);
    assert_eq!(rig.figures().decisions, 0);
    rig.fee(K, 9, Some(quadratic(1)));
    assert_eq!(rig.figures().decisions, 1);
}

#[test]
fn every_pair_of_the_market_is_charged_and_no_other() {
    let pairs = [
        pair("a", 0, 0, Polarity::Same),
        pair("b", 0, 1, Polarity::Inverted),
        pair("c", 1, 0, Polarity::Same),
    ];
    let mut rig = Rig::new(&pairs, watching());
    for index in 0..2 {
        rig.book(K, index, 1, 3_900, 4_000);
        rig.book(P, index, 2, 5_000, 5_100);
    }
    let before: Vec<_> = rig.core.rows.iter().map(|row| row.edges).collect();
    rig.fee(K, 7, Some(quadratic(2)));
    let after: Vec<_> = rig.core.rows.iter().map(|row| row.edges).collect();
    let lost = |pair: usize, by: usize| before[pair][by] - after[pair][by];
    // YES is bought at 0.40, NO at 0.61; both tokens of the second venue cost what they did.
    for paid in [0, 1] {
        assert_eq!([0, 1, 2].map(|by| lost(paid, by)), [16_800, 16_653, 0]);
    }
    assert_eq!(before[2], after[2]);
    assert_eq!(rig.changes(), [(0, 7), (1, 7)]);
    // The second venue's market is in other pairs.
    rig.fee(P, 8, Some(FeeRule::Unknown));
    assert_eq!(rig.changes()[2..], [(0, 8), (2, 8)]);
}

#[test]
fn a_pair_is_then_as_if_it_had_been_made_so() {
    for (multiplier, polarity) in [(0, Polarity::Same), (3, Polarity::Inverted)] {
        let mut pairs = vec![pair("a", 0, 0, polarity)];
        let mut changed = Rig::new(&pairs, config());
        changed.fee(K, 1, Some(quadratic(multiplier)));
        pairs[0].sides[0].fee = quadratic(multiplier);
        let mut made = Rig::new(&pairs, config());
        for rig in [&mut changed, &mut made] {
            rig.gap(2);
            rig.book(P, 0, 4, 4_600, 4_700);
        }
        assert_eq!(changed.figures().edge_hash, made.figures().edge_hash);
        assert_eq!(changed.out.bundles, made.out.bundles);
        assert!(!made.out.bundles.is_empty());
        assert_ne!(changed.figures().decision_hash, made.figures().decision_hash);
    }
}

#[test]
fn a_fee_that_is_in_force_already_changes_nothing_but_the_digest() {
    let mut rig = Rig::new(&one(), watching());
    rig.gap(1);
    let before = rig.figures();
    rig.fee(K, 9, Some(quadratic(1)));
    let after = rig.figures();
    assert_ne!(after.decision_hash, before.decision_hash, "a replay that loses it is another one");
    assert_eq!(Figures { decision_hash: before.decision_hash, ..after }, before);
    assert_eq!(rig.changes(), []);
}

#[test]
fn a_market_without_a_pair_or_without_a_place_is_no_harm() {
    let mut rig = Rig::new(&one(), watching());
    for index in [3, 30_000] {
        let control = Control::Fee { market: market(Venue::Polymarket, index), fee: None };
        rig.core.on_control(Now::at(Ns(1)), &control, &mut rig.out);
    }
    rig.core.on_control(Now::at(Ns(2)), &Control::EndOfFrame, &mut rig.out);
    assert_eq!(rig.out.events, []);
}
