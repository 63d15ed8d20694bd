//! Pairs that join while markets trade are as those that were there from the start.

use super::*;
use crate::core::{CoreConfig, Shares};
use crate::event::{Action, Bundle, Control};
use crate::fixture::{Recorder, config, market, pair, table, top};
use crate::input::{CORE_INPUT_LEN_MAX, CoreInput};
use crate::pair::{FeeRule, Pair, PairId, Polarity};
use crate::risk::Word;
use crate::risk::limits::RiskLimits;
use crate::top::Top;
use crate::units::{Ns, Venue};

fn pairs() -> Vec<Pair> {
    let mut pairs = vec![
        pair("a", 0, 0, Polarity::Same),
        pair("b", 1, 0, Polarity::Inverted),
        pair("c", 0, 1, Polarity::Same),
        pair("d", 2, 2, Polarity::Same),
    ];
    for at in [1, 3] {
        pairs[at].event = Some("e".to_owned());
    }
    pairs
}

fn listing(core: &Core, pair: &Pair) -> Listing {
    let event = pair.event.as_deref().and_then(|name| core.pairs().event_named(name));
    let id = core.pairs().vacant().unwrap();
    Listing::of(id, event.unwrap_or(id), pair)
}

fn join(core: &mut Core, pair: &Pair, out: &mut Recorder) {
    let control = Control::Join(listing(core, pair));
    core.on_control(Now::at(Ns(1)), &control, out);
    let id = PairId(core.pairs().pairs().len() as u16 - 1);
    core.name(id, &pair.id, pair.event.as_deref());
}

/// A core that knew `known` pairs at the start and was told of the others before any book came.
fn joined(known: usize, config: CoreConfig, out: &mut Recorder) -> Core {
    let all = pairs();
    let table = table(&all[..known]).with_reserve(all.len() - known).unwrap();
    let mut core = Core::new(table, [3, 3], config);
    all[known..].iter().for_each(|pair| join(&mut core, pair, out));
    core
}

/// Books that move at random, of three markets a venue.
fn books(seed: u64, count: u64) -> impl Iterator<Item = Top> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move |most: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % most
    };
    (0..count).map(move |at| {
        let id = market(Venue::ALL[next(2) as usize], next(3) as usize);
        let bid = 3_000 + next(30) as u16 * 100;
        let ask = bid + 100 + next(3) as u16 * 100;
        let qty = 1_000 + next(9) as u32 * 1_000;
        top(id, 10 + at, &[(bid, qty)], &[(ask, qty)])
    })
}

#[test]
fn a_core_that_was_told_of_a_pair_decides_as_one_that_always_knew_it() {
    for seed in 1..40 {
        let mut decided = Vec::new();
        for known in 1..=4 {
            let mut out = Recorder::default();
            let mut core = joined(known, config(), &mut out);
            for top in books(seed, 300) {
                core.on_top(Now::at(top.recv), &top, &mut out);
            }
            let figures = core.figures();
            let candidates = (0..4).map(|id| core.candidates_by(PairId(id))).collect::<Vec<_>>();
            decided.push((figures.edge_hash, figures.decisions, out.bundles, candidates));
        }
        assert!(decided[0].1 > 0, "seed {seed}: nothing was decided");
        assert!(decided.iter().all(|one| *one == decided[0]), "seed {seed}");
    }
}

#[test]
fn books_that_stand_are_taken_at_once_by_the_terms_in_force() {
    let all = pairs();
    let mut core = Core::new(table(&all[..1]).with_reserve(1).unwrap(), [1, 1], config());
    let mut out = Recorder::default();
    // Its books come first, as those of a market that nobody pairs yet.
    for (venue, bid, ask) in [(Venue::Kalshi, 3_900, 4_000), (Venue::Polymarket, 5_000, 5_100)] {
        let top = top(market(venue, 1), 5, &[(bid, 10_000)], &[(ask, 10_000)]);
        core.on_top(Now::at(Ns(5)), &top, &mut out);
    }
    let fee = Control::Fee { market: market(Venue::Kalshi, 0), fee: Some(FeeRule::Unknown) };
    core.on_control(Now::at(Ns(6)), &fee, &mut out);
    assert_eq!((out.bundles.len(), core.figures().unlisted), (0, 0));
    join(&mut core, &pair("new", 1, 1, Polarity::Same), &mut out);
    let [Bundle { pair: PairId(1), legs, .. }] = out.bundles[..] else {
        panic!("{:?}", out.bundles)
    };
    assert_eq!(legs.map(|leg| (leg.market.index(), leg.action)), [(1, Action::Buy); 2]);
    // No place is left, and none is taken twice.
    let again = Listing::of(PairId(2), PairId(2), &all[3]);
    let late = Listing::of(PairId(1), PairId(1), &all[3]);
    for listing in [again, late] {
        core.on_control(Now::at(Ns(7)), &Control::Join(listing), &mut out);
        assert_eq!(core.pairs().pairs().len(), 2);
    }
}

#[test]
fn what_is_said_of_a_market_holds_for_a_pair_that_joins_it() {
    let all = pairs();
    let table = table(&all[..1]).with_reserve(2).unwrap();
    let mut core = Core::new(table, [3, 3], config());
    let mut out = Recorder::default();
    let no_fee = Control::Fee { market: market(Venue::Kalshi, 0), fee: Some(FeeRule::Unknown) };
    core.on_control(Now::at(Ns(1)), &no_fee, &mut out);
    core.on_word(
        Now::at(Ns(0)),
        Word::Block { market: market(Venue::Polymarket, 0), blocked: true },
    );
    join(&mut core, &all[1], &mut out); // the blocked market
    join(&mut core, &all[2], &mut out); // the market whose fee nobody knows
    for number in 0..2 {
        for (venue, bid, ask) in [(Venue::Kalshi, 3_000, 3_100), (Venue::Polymarket, 5_000, 5_100)]
        {
            let top = top(market(venue, number), 5, &[(bid, 10_000)], &[(ask, 10_000)]);
            core.on_top(Now::at(Ns(5)), &top, &mut out);
        }
    }
    assert_eq!(out.bundles.len(), 0, "{:?}", out.bundles);
    core.on_word(
        Now::at(Ns(0)),
        Word::Block { market: market(Venue::Polymarket, 0), blocked: false },
    );
    let top = top(market(Venue::Kalshi, 1), 6, &[(3_000, 9_000)], &[(3_100, 9_000)]);
    core.on_top(Now::at(Ns(6)), &top, &mut out);
    assert_eq!(out.bundles.len(), 1, "the pair that joined is free again");
}

#[test]
fn what_overrides_a_fee_ends_for_a_pair_that_joined_meanwhile_too() {
    let all = pairs();
    let mut core = Core::new(table(&all[..1]).with_reserve(2).unwrap(), [3, 3], config());
    let mut out = Recorder::default();
    let kalshi = market(Venue::Kalshi, 0);
    let free = FeeRule::Quadratic { multiplier_e6: 0 };
    let joins = all[1..].iter().find(|it| it.sides[0].market == kalshi).unwrap();
    core.on_control(Now::at(Ns(1)), &Control::Fee { market: kalshi, fee: Some(free) }, &mut out);
    join(&mut core, joins, &mut out);
    let fee = |core: &Core| core.states[1].terms[0].fee;
    assert_eq!(fee(&core), free, "the market's terms in force");
    core.on_control(Now::at(Ns(2)), &Control::Fee { market: kalshi, fee: None }, &mut out);
    assert_eq!((fee(&core), core.states[1].decides), (joins.sides[0].fee, true));
}

#[test]
fn limits_hold_for_a_pair_that_joined() {
    let mut all = pairs();
    all[3].close_time = Some(Ns(1_000));
    let limits = RiskLimits { before_close: Ns(100), ..RiskLimits::NONE };
    let mut core = Core::new(table(&all[..1]).with_reserve(3).unwrap(), [3, 3], config())
        .with_limits(&limits, Default::default());
    let mut out = Recorder::default();
    all[1..].iter().for_each(|pair| join(&mut core, pair, &mut out));
    let mut gap = |core: &mut Core, at: u64| {
        for (venue, bid, ask) in [(Venue::Kalshi, 3_900, 4_000), (Venue::Polymarket, 5_000, 5_100)]
        {
            let top = top(market(venue, 2), at, &[(bid, at as u32)], &[(ask, at as u32)]);
            core.on_top(Now::at(Ns(at)), &top, &mut out);
        }
        out.bundles.len()
    };
    assert_eq!(gap(&mut core, 950), 0, "too close to its close");
    assert_eq!(gap(&mut core, 850), 1);
    let exposure = core.guard().exposure();
    let [b, d] = [1, 3].map(|id| exposure.event(PairId(id)));
    assert!(b == d && b.qty > Shares::ZERO, "one event counts for both of its pairs");
    assert_eq!(exposure.event(PairId(2)).qty, Shares::ZERO);
}

#[test]
fn a_listing_survives_its_bytes() {
    let mut all = pairs();
    all[3].close_time = Some(Ns(7));
    all[3].game_start = Some(Ns(u64::MAX - 1));
    all[3].legs = Some(crate::pair::LegOrder::Second);
    all[2].worst_payoff = crate::units::Px::lit(5_000);
    for (number, pair) in all.iter().enumerate() {
        let input = CoreInput::Control(Control::Join(Listing::of(PairId(9), PairId(3), pair)));
        let mut bytes = [0; CORE_INPUT_LEN_MAX];
        let len = input.encode(Now::at(Ns(3)), &mut bytes);
        assert_eq!(CoreInput::decode(&bytes[..len]), Some((Now::at(Ns(3)), input)), "{number}");
        (17..len).for_each(|cut| assert_eq!(CoreInput::decode(&bytes[..cut]), None, "{cut}"));
    }
}
