//! Each limit with a case that trips it and one just below.

use super::*;
use crate::event::{BundleId, Reject};
use crate::fixture::{market, pair, table};
use crate::pair::{Direction, Outcome, Pair, Polarity};
use crate::risk::calendar::{Calendar, Weekly};
use crate::risk::limits::{Cap, Rate};
use crate::units::{Px, Qty};
use proptest::prelude::*;

const BOTH: [usize; 2] = [0, 1];
const NOW: Now = Now { mono: Ns(1_000), wall: Ns(1_790_000_000_000_000_000) };

const fn limits() -> RiskLimits {
    RiskLimits::NONE
}

fn guard(limits: &RiskLimits, pairs: &[Pair]) -> Guard {
    Guard::new(limits, &table(pairs))
}

fn one(limits: &RiskLimits) -> Guard {
    guard(limits, &[pair("a", 0, 0, Polarity::Same)])
}

fn at(mono: u64) -> Now {
    Now { mono: Ns(mono), ..NOW }
}

fn fire(guard: &mut Guard, now: Now) -> Result<(), Risk> {
    guard.may_fire(now, PairId(0), BOTH, Ns(0))
}

/// Whether a leg stays within its bounds and its caps.
fn may_take(guard: &Guard, bundle: &Bundle, leg: usize) -> Result<(), Risk> {
    let it = &bundle.legs[leg];
    guard.bounds(it, bundle.collar[leg])?;
    if bundle.purpose != Purpose::Open {
        let dispatch = Dispatch { bundle: *bundle, grounds: Grounds::PERFECT };
        let admitted = guard.clone().admit(&dispatch, it.market.venue(), &[leg]);
        return admitted.map_err(|(_, risk)| risk);
    }
    guard.clone().board(bundle, it.market.venue(), &[leg])
}

/// Ten contracts at 0.40 on the first venue and at 0.50 on the second: 9 dollars.
fn bundle(pair: u16) -> Bundle {
    let leg = |side: usize, outcome, px| Leg {
        market: market(Venue::ALL[side], usize::from(pair)),
        outcome,
        action: Action::Buy,
        spends: side == 1,
        limit: Px::lit(px),
        qty: Qty::lit(1_000),
        budget: Qty::lit(1_000).at(Px::lit(px)),
        expected: Shares::new(10_000_000),
        cost: Qty::lit(1_000).at(Px::lit(px)),
        fee: Usd::ZERO,
        reserve: Qty::lit(1_000).at(Px::lit(px)),
        generation: 1,
    };
    Bundle {
        id: BundleId(1),
        pair: PairId(pair),
        direction: Direction::FirstYes,
        purpose: Purpose::Open,
        count: 2,
        legs: [leg(0, Outcome::Yes, 4_000), leg(1, Outcome::No, 5_000)],
        recv: Ns(0),
        decided: Ns(0),
        deadline: Ns(10),
        kill_epoch: 0,
        collar: [Px::ONE; 2],
        ticket: crate::event::Ticket::AtGate,
    }
}

fn report(leg: usize, kind: ReportKind) -> Report {
    let it = bundle(0).legs[leg];
    Report {
        bundle: BundleId(1),
        pair: PairId(0),
        leg: leg as u8,
        market: it.market,
        outcome: it.outcome,
        action: Action::Buy,
        at: Ns(5),
        kind,
    }
}

fn filled(shares: u64, cash: i64) -> ReportKind {
    ReportKind::Filled {
        shares: Shares::new(shares),
        px: Px::lit(4_000),
        cash: Usd::new(cash),
        fee: Usd::new(7),
    }
}

fn cap(qty: u64, notional: i64) -> Cap {
    Cap { qty: Shares::new(qty), notional: Usd::new(notional) }
}

const DOLLAR: i64 = 1_000_000;

#[test]
fn every_cap_admits_what_just_fits_and_refuses_a_micro_dollar_and_a_micro_contract_more() {
    // By the time the second leg asks, the first is on its way: 4 dollars and 5 dollars.
    type Set = fn(&mut RiskLimits, Cap);
    let caps: [(Set, Risk, u64, i64); 5] = [
        (|l, c| l.order = c, Risk::Order, 10, 5),
        (|l, c| l.pair = c, Risk::Pair, 20, 9),
        (|l, c| l.event = c, Risk::Event, 20, 9),
        (|l, c| l.venue[1] = c, Risk::Venue, 10, 5),
        (|l, c| l.total = c, Risk::Total, 20, 9),
    ];
    for (set, risk, qty, dollars) in caps {
        let (qty, notional) = (qty * 1_000_000, dollars * DOLLAR);
        for (cap, want) in [
            (cap(qty, notional), Ok(())),
            (cap(qty - 1, notional), Err(risk)),
            (cap(qty, notional - 1), Err(risk)),
        ] {
            let mut limits = limits();
            set(&mut limits, cap);
            let mut guard = one(&limits);
            if risk != Risk::Order {
                assert_eq!(may_take(&guard, &bundle(0), 0), Ok(()), "{risk:?}");
            }
            guard.fly(&bundle(0), 0);
            assert_eq!(may_take(&guard, &bundle(0), 1), want, "{cap:?}");
        }
    }
}

#[test]
fn an_event_sums_its_pairs_and_a_pair_without_one_is_its_own() {
    let mut pairs = [0, 1, 2].map(|n| pair(["a", "b", "c"][n], n, n, Polarity::Same));
    pairs[0].event = Some("rain".to_owned());
    pairs[1].event = Some("rain".to_owned());
    let limits = RiskLimits { event: cap(u64::MAX / 4, 9 * DOLLAR), ..limits() };
    let mut guard = guard(&limits, &pairs);
    (0..2).for_each(|leg| guard.fly(&bundle(0), leg));
    assert_eq!(may_take(&guard, &bundle(1), 0), Err(Risk::Event));
    assert_eq!(may_take(&guard, &bundle(2), 0), Ok(()));
    assert_eq!(guard.room(PairId(1), BOTH).notional, Usd::ZERO);
    assert_eq!(guard.room(PairId(1), BOTH).by[0], Risk::Event);
    assert_eq!(guard.room(PairId(2), BOTH).notional, Usd::new(9 * DOLLAR / 2));
}

#[test]
fn exposure_falls_when_an_order_ends_a_position_closes_and_a_market_settles() {
    let mut guard = one(&limits());
    let total = |guard: &Guard| {
        let Stake { qty, notional } = guard.exposure().total();
        assert_eq!(guard.exposure().pair(PairId(0)), Stake { qty, notional });
        (qty.e6(), notional.e6())
    };
    (0..2).for_each(|leg| guard.fly(&bundle(0), leg));
    assert_eq!(total(&guard), (20_000_000, 9 * DOLLAR));
    // Six contracts at 0.39 and no more: what was not spent is free again.
    guard.hear(&report(0, filled(6_000_000, 2_340_000)));
    assert_eq!(total(&guard), (20_000_000, 9 * DOLLAR));
    guard.hear(&report(0, ReportKind::Cancelled));
    assert_eq!(total(&guard), (16_000_000, 7_340_000));
    // Improvement buys more than was signed.
    guard.hear(&report(1, filled(12_000_000, 5 * DOLLAR)));
    guard.hear(&report(1, ReportKind::Done));
    assert_eq!(total(&guard), (18_000_000, 7_340_000));
    // NO on the first venue cancels YES out; the second venue's tokens do not.
    let mut no = report(0, filled(2_000_000, 1_300_000));
    no.outcome = Outcome::No;
    guard.hear(&no);
    assert_eq!(total(&guard), (16_000_000, 7_340_000 - 780_000));
    let mut yes = report(1, filled(1_000_000, 400_000));
    yes.outcome = Outcome::Yes;
    guard.hear(&yes);
    assert_eq!(total(&guard), (17_000_000, 6_960_000));
    let second = market(Venue::Polymarket, 0);
    let closed = Word::Closed {
        pair: PairId(0),
        market: second,
        outcome: Outcome::No,
        shares: Shares::new(6_000_000),
    };
    guard.tell(closed);
    assert_eq!(total(&guard), (11_000_000, 4_460_000));
    guard.tell(Word::Settled { market: second });
    assert_eq!(total(&guard), (4_000_000, 1_560_000));
    guard.tell(Word::Settled { market: market(Venue::Kalshi, 0) });
    assert_eq!(total(&guard), (0, 0));
    for venue in Venue::ALL {
        assert_eq!(guard.exposure().venue(venue), Stake::default());
    }
}

#[test]
fn a_late_fill_frees_nothing_of_an_order_at_the_other_venue() {
    let mut guard = one(&limits());
    let mut repair = bundle(0);
    repair.legs.swap(0, 1);
    (repair.purpose, repair.count) = (Purpose::Chase, 1);
    guard.fly(&repair, 0);
    // What the first leg of the bundle before it bought at Kalshi is told now.
    guard.hear(&report(0, filled(6_000_000, 2_340_000)));
    let by_venue = |guard: &Guard| {
        Venue::ALL.map(|venue| guard.exposure().venue(venue)).map(|it| it.notional.e6())
    };
    assert_eq!(by_venue(&guard), [2_340_000, 5 * DOLLAR]);
    let mut end = report(0, ReportKind::Cancelled);
    end.market = repair.legs[0].market;
    guard.hear(&end);
    assert_eq!(by_venue(&guard), [2_340_000, 0]);
    guard.tell(Word::Settled { market: market(Venue::Kalshi, 0) });
    assert_eq!((by_venue(&guard), guard.exposure().total()), ([0; 2], Stake::default()));
}

#[test]
fn what_was_held_before_counts_half_a_dollar_where_it_is_hedged_and_a_dollar_where_not() {
    let mut guard = one(&limits());
    guard.begin_with(PairId(0), -8_000_000, [Shares::new(5_000_000), Shares::ZERO]);
    let venue = |v| guard.exposure().venue(v).notional.e6();
    assert_eq!(venue(Venue::Kalshi), 8_000_000 - 2_500_000);
    assert_eq!(venue(Venue::Polymarket), 2_500_000);
    // The same outcome at both venues hedges nothing, unless the pair is inverted.
    for (polarity, want) in [(Polarity::Same, 8_000_000), (Polarity::Inverted, 4_000_000)] {
        let mut guard = self::guard(&limits(), &[pair("a", 0, 0, polarity)]);
        guard.begin_with(PairId(0), 8_000_000, [Shares::new(8_000_000), Shares::ZERO]);
        for venue in Venue::ALL {
            assert_eq!(guard.exposure().venue(venue).notional.e6(), want, "{polarity:?}");
        }
    }
}

#[test]
fn a_leg_above_its_ceiling_is_refused() {
    let guard = one(&limits());
    let mut it = bundle(0);
    it.collar = [Px::lit(4_000), Px::lit(4_999)];
    assert_eq!(may_take(&guard, &it, 0), Ok(()));
    assert_eq!(may_take(&guard, &it, 1), Err(Risk::Collar));
    // A sale may not get less.
    it.legs.iter_mut().for_each(|leg| leg.action = Action::Sell);
    assert_eq!(may_take(&guard, &it, 1), Ok(()));
    it.collar[1] = Px::lit(5_001);
    assert_eq!(may_take(&guard, &it, 1), Err(Risk::Collar));
}

#[test]
fn a_repair_is_held_to_the_size_of_an_order_and_not_to_what_is_at_stake_already() {
    let mut limits =
        RiskLimits { total: cap(0, 0), order: cap(10_000_000, 5 * DOLLAR), ..limits() };
    let mut it = bundle(0);
    assert_eq!(may_take(&one(&limits), &it, 1), Err(Risk::Total));
    it.purpose = Purpose::Chase;
    assert_eq!(may_take(&one(&limits), &it, 1), Ok(()));
    limits.order.notional = Usd::new(5 * DOLLAR - 1);
    assert_eq!(may_take(&one(&limits), &it, 1), Err(Risk::Order));
}

#[test]
fn sales_and_fills_that_are_taken_back_change_what_is_at_stake() {
    let mut guard = one(&limits());
    let mut told = report(1, filled(10_000_000, 5 * DOLLAR));
    guard.hear(&told);
    let total = |guard: &Guard| guard.exposure().total().notional.e6();
    told.action = Action::Sell;
    told.kind = filled(4_000_000, DOLLAR);
    guard.hear(&told);
    assert_eq!(total(&guard), 3 * DOLLAR, "at its cost, whatever the sale brought");
    let undone = |shares, cash| ReportKind::Undone {
        shares: Shares::new(shares),
        px: Px::lit(2_500),
        cash: Usd::new(cash),
        fee: Usd::ZERO,
    };
    told.kind = undone(4_000_000, DOLLAR);
    guard.hear(&told);
    assert_eq!(total(&guard), 4 * DOLLAR);
    (told.action, told.kind) = (Action::Buy, undone(10_000_000, 5 * DOLLAR));
    guard.hear(&told);
    assert_eq!(total(&guard), 0);
}

fn leaves(purpose: Purpose, now: u64) -> Bundle {
    Bundle { purpose, decided: Ns(now), ..bundle(0) }
}

#[test]
fn repairs_count_for_no_rate_of_opening_and_have_a_bound_of_their_own() {
    let rate = Rate { count: 1, within: Ns(1_000) };
    let mut guard = one(&RiskLimits { bundles: rate, repeats: rate, ..limits() });
    for now in 10..74 {
        assert_eq!(guard.may_mend(Ns(now)), Ok(()), "{now}");
        guard.fired(&leaves(Purpose::SellBack, now));
    }
    assert_eq!(guard.may_mend(Ns(74)), Err(Risk::Rate));
    assert_eq!((fire(&mut guard, at(74)), guard.latched()), (Ok(()), None));
    // Nobody can lift it early: the core and a gate would hear the word at different times.
    guard.tell(Word::Arm);
    assert_eq!(guard.may_mend(Ns(74)), Err(Risk::Rate));
    assert_eq!(guard.may_mend(Ns(1_000_000_010)), Ok(()), "the first is a second ago");
}

#[test]
fn too_many_bundles_wait_and_too_many_of_one_pair_wait_for_a_person() {
    let rate = Rate { count: 2, within: Ns(100) };
    let mut all = one(&RiskLimits { bundles: rate, ..limits() });
    for now in [10, 20] {
        assert_eq!(fire(&mut all, at(now)), Ok(()));
        all.fired(&leaves(Purpose::Open, now));
    }
    assert_eq!(fire(&mut all, at(109)), Err(Risk::Rate));
    assert_eq!(fire(&mut all, at(110)), Ok(()), "the first is a span ago");
    let mut again = one(&RiskLimits { repeats: rate, ..limits() });
    for now in [10, 20] {
        assert_eq!(fire(&mut again, at(now)), Ok(()));
        again.fired(&leaves(Purpose::Open, now));
    }
    assert_eq!(again.latched(), None);
    assert_eq!(fire(&mut again, at(109)), Err(Risk::Repeated));
    assert_eq!(fire(&mut again, at(1_000_000)), Err(Risk::Repeated), "time does not lift it");
    again.tell(Word::Arm);
    assert_eq!(fire(&mut again, at(1_000_001)), Ok(()));
}

#[test]
fn errors_in_a_row_make_it_rest_and_our_own_limits_are_no_errors() {
    let mut guard = one(&RiskLimits { errors: 2, error_rest: Ns(50), ..limits() });
    let refused = |reason| report(0, ReportKind::Rejected(reason));
    use Reject::{Budget, Expired, Killed, Limit, OtherLeg, Shut};
    for reason in [Expired, Killed, OtherLeg, Limit, Budget, Budget, Shut, Shut] {
        assert_eq!(guard.hear(&refused(reason)), None);
    }
    assert_eq!(fire(&mut guard, at(6)), Ok(()));
    assert_eq!(guard.hear(&refused(Reject::Venue)), None);
    assert_eq!(guard.hear(&report(0, ReportKind::Acked)), None, "it works again");
    assert_eq!(guard.hear(&refused(Reject::Venue)), None);
    assert_eq!(fire(&mut guard, at(6)), Ok(()));
    assert_eq!(guard.hear(&report(1, ReportKind::Unknown)), Some(Risk::Errors));
    assert_eq!(fire(&mut guard, at(54)), Err(Risk::Errors));
    assert_eq!(fire(&mut guard, at(55)), Ok(()));
}

#[test]
fn a_venue_that_says_too_much_came_is_an_error() {
    let mut guard = one(&RiskLimits { errors: 1, error_rest: Ns(50), ..limits() });
    let told = guard.hear(&report(0, ReportKind::Rejected(Reject::RateLimit)));
    assert_eq!((told, fire(&mut guard, at(54))), (Some(Risk::Errors), Err(Risk::Errors)));
}

#[test]
fn what_works_at_one_venue_hides_no_errors_at_the_other() {
    let mut guard = one(&RiskLimits { errors: 2, error_rest: Ns(50), ..limits() });
    let mut told = Vec::new();
    let mut refusals = |guard: &mut Guard, now| {
        for _ in 0..2 {
            guard.hear(&report(0, ReportKind::Acked));
            guard.hear(&report(0, ReportKind::Done));
            let refused = report(1, ReportKind::Rejected(Reject::Funds));
            told.extend(guard.hear(&Report { at: Ns(now), ..refused }));
        }
    };
    let both = |guard: &mut Guard, now| fire(guard, at(now));
    let one_side =
        |guard: &mut Guard, now, side| guard.may_fire(at(now), PairId(0), [side; 2], Ns(0));
    refusals(&mut guard, 100);
    assert_eq!(both(&mut guard, 149), Err(Risk::Errors));
    assert_eq!(one_side(&mut guard, 149, 1), Err(Risk::Errors));
    assert_eq!(one_side(&mut guard, 149, 0), Ok(()), "the other venue works");
    assert!(guard.rests(Venue::Polymarket, Ns(149)) && !guard.rests(Venue::Kalshi, Ns(149)));
    assert_eq!(both(&mut guard, 150), Ok(()));
    refusals(&mut guard, 200);
    assert_eq!(guard.latched(), None);
    refusals(&mut guard, 300);
    assert_eq!(guard.latched(), Some(Risk::Refused), "it takes nothing, however long one waits");
    assert_eq!(both(&mut guard, 9_000), Err(Risk::Refused));
    assert_eq!(told, [Risk::Errors, Risk::Errors, Risk::Refused]);
    guard.tell(Word::Arm);
    assert_eq!(both(&mut guard, 9_000), Ok(()));
}

#[test]
fn a_blocked_market_stops_its_pairs_until_it_is_free() {
    let mut guard = one(&limits());
    let word = |blocked| Word::Block { market: market(Venue::Polymarket, 0), blocked };
    guard.tell(word(true));
    assert_eq!(fire(&mut guard, NOW), Err(Risk::Blocked));
    assert_eq!(guard.may_fire(NOW, PairId(0), [0, 0], Ns(0)), Ok(()), "the other side");
    guard.tell(word(false));
    assert_eq!(fire(&mut guard, NOW), Ok(()));
    assert_eq!(guard.may_fire(NOW, PairId(9), BOTH, Ns(0)), Err(Risk::Blocked), "no such pair");
}

#[test]
fn a_pair_that_stops_blocks_none_that_has_or_gets_its_markets() {
    let [old, new] = [pair("old", 0, 0, Polarity::Same), pair("new", 0, 1, Polarity::Same)];
    let pairs = table(&[old]).with_reserve(1).unwrap();
    let mut guard = Guard::new(&limits(), &pairs);
    let word = |blocked| Word::Block { market: market(Venue::Kalshi, 0), blocked };
    let second = |guard: &mut Guard| guard.may_fire(NOW, PairId(1), BOTH, Ns(0));
    guard.stop(PairId(0));
    guard.list(&Listing::of(PairId(1), PairId(1), &new));
    assert_eq!((fire(&mut guard, NOW), second(&mut guard)), (Err(Risk::Close), Ok(())));
    // No word of a market starts it again.
    guard.tell(word(true));
    assert_eq!(second(&mut guard), Err(Risk::Blocked));
    guard.tell(word(false));
    assert_eq!((fire(&mut guard, NOW), second(&mut guard)), (Err(Risk::Close), Ok(())));
}

/// A guard of one pair that pays so much at worst and may lose ten dollars by that.
fn worst(px: u16, polarity: Polarity) -> Guard {
    let pair = Pair { worst_payoff: Px::lit(px), ..pair("a", 0, 0, polarity) };
    guard(&RiskLimits { void_loss: Usd::new(10 * DOLLAR), ..limits() }, &[pair])
}

/// What a pair of that guard would lose, in dollars, and how many contracts it may still have.
fn void(guard: &Guard) -> (i64, u64) {
    let lost = guard.exposure().void_loss(PairId(0)).e6();
    assert_eq!(lost % DOLLAR, 0);
    (lost / DOLLAR, guard.room(PairId(0), BOTH).qty.e2() / 100)
}

#[test]
fn hedged_contracts_count_for_what_they_cost_less_what_they_pay_at_worst() {
    for (px, before, flying, hedged) in [
        // Nobody said what it pays at worst: all of it may be lost.
        (0, (0, 10), (9, 1), (9, 1)),
        // Half a dollar comes back: ten contracts that cost nine dollars may lose four.
        (5_000, (0, 20), (9, 2), (4, 12)),
        (9_000, (0, 100), (9, 10), (0, 100)),
    ] {
        let mut guard = worst(px, Polarity::Same);
        assert_eq!(void(&guard), before, "{px}");
        (0..2).for_each(|leg| guard.fly(&bundle(0), leg));
        assert_eq!(void(&guard), flying, "{px}: an order under way pays nothing yet");
        for (leg, cash) in [(0, 4 * DOLLAR), (1, 5 * DOLLAR)] {
            guard.hear(&report(leg, filled(10_000_000, cash)));
        }
        assert_eq!(void(&guard), hedged, "{px}");
        guard.tell(Word::Settled { market: market(Venue::Kalshi, 0) });
        guard.tell(Word::Settled { market: market(Venue::Polymarket, 0) });
        assert_eq!(void(&guard), before, "{px}: what paid out is at stake no more");
    }
    let mut guard = worst(10_000, Polarity::Same);
    let most = guard.room(PairId(0), BOTH).qty;
    assert!(most > Qty::lit(1_000_000_000), "a pair that always pays its dollar has no bound");
    // A pair that joins in its place brings its own.
    let new = Pair { worst_payoff: Px::lit(5_000), ..pair("new", 0, 0, Polarity::Same) };
    guard.list(&Listing::of(PairId(0), PairId(0), &new));
    assert_eq!(void(&guard), (0, 20));
}

#[test]
fn what_does_not_hedge_across_the_venues_has_no_worst_payment() {
    // One leg alone.
    let mut guard = worst(5_000, Polarity::Same);
    guard.hear(&report(0, filled(10_000_000, 4 * DOLLAR)));
    assert_eq!(void(&guard), (4, 12));
    // Both legs pay in the same case.
    let mut guard = worst(5_000, Polarity::Inverted);
    guard.hear(&report(0, filled(10_000_000, 4 * DOLLAR)));
    guard.hear(&report(1, filled(10_000_000, 5 * DOLLAR)));
    assert_eq!(void(&guard), (9, 2));
    // Both outcomes of one market pay a dollar, whatever becomes of the other.
    let mut guard = worst(0, Polarity::Same);
    let mut yes = report(1, filled(10_000_000, 4 * DOLLAR));
    yes.outcome = Outcome::Yes;
    guard.hear(&yes);
    guard.hear(&report(1, filled(10_000_000, 5 * DOLLAR)));
    assert_eq!(void(&guard), (0, 10));
    assert!(guard.room(PairId(0), [1, 1]).qty > Qty::lit(1_000_000_000), "no bound on them");
}

#[test]
fn what_was_said_of_a_market_ends_with_it_and_not_with_its_pair() {
    let new = Listing::of(PairId(0), PairId(0), &pair("new", 0, 0, Polarity::Same));
    let known = market(Venue::Kalshi, 0);
    let mut guard = one(&limits());
    guard.tell(Word::Block { market: known, blocked: true });
    guard.stop(PairId(0));
    guard.list(&new);
    assert_eq!(fire(&mut guard, NOW), Err(Risk::Blocked), "it is the same market still");
    guard.stop(PairId(0));
    guard.vacate(known);
    guard.list(&new);
    assert_eq!(fire(&mut guard, NOW), Ok(()), "it is another one");
}

#[test]
fn the_clock_and_the_books_may_be_off_by_so_much() {
    let mut guard = one(&RiskLimits { clock_off: Ns(250), book_age: Ns(10), ..limits() });
    for (ahead, want) in [(250, Ok(())), (-251, Err(Risk::Clock)), (0, Ok(()))] {
        guard.tell(Word::Clock { venue: Venue::Kalshi, ahead });
        assert_eq!(fire(&mut guard, NOW), want);
    }
    assert_eq!(guard.may_fire(NOW, PairId(0), BOTH, Ns(10)), Ok(()));
    assert_eq!(guard.may_fire(NOW, PairId(0), BOTH, Ns(11)), Err(Risk::BookAge));
}

#[test]
fn nothing_is_opened_in_a_pause_before_a_close_or_before_a_game() {
    // NOW is Monday 2026-09-21, 10:13 in New York, minutes 2,053 of the week.
    let window = |from| Weekly { venue: Venue::Polymarket, from, minutes: 5 };
    for (from, want) in [(2_053, Err(Risk::Calendar)), (2_048, Ok(())), (2_054, Ok(()))] {
        let calendar = Calendar::new(&[window(from)]).unwrap();
        let mut guard = one(&RiskLimits { calendar, ..limits() });
        assert_eq!(fire(&mut guard, NOW), want, "{from}");
        assert_eq!(guard.may_fire(NOW, PairId(0), [0, 0], Ns(0)), Ok(()));
    }
    let limits = RiskLimits { before_close: Ns(100), before_game: Some(Ns(200)), ..limits() };
    let after = |ns: u64| Some(Ns(NOW.wall.0 + ns));
    for (close, game, want) in [
        (after(101), after(201), Ok(())),
        (after(100), None, Err(Risk::Close)),
        (None, after(200), Err(Risk::Close)),
        (None, None, Ok(())),
    ] {
        let mut it = pair("a", 0, 0, Polarity::Same);
        (it.close_time, it.game_start) = (close, game);
        assert_eq!(fire(&mut guard(&limits, &[it]), NOW), want);
    }
}

#[test]
fn a_close_that_moves_moves_the_last_moment_of_its_pairs_and_of_no_stopped_one() {
    let after = |ns: u64| Ns(NOW.wall.0 + ns);
    let limits = RiskLimits { before_close: Ns(100), before_game: Some(Ns(0)), ..limits() };
    let mut game = pair("b", 0, 1, Polarity::Same);
    game.game_start = Some(NOW.wall);
    let other = pair("c", 1, 2, Polarity::Same);
    let pairs = [pair("a", 0, 0, Polarity::Same), game, other, pair("d", 0, 3, Polarity::Same)];
    let mut guard = guard(&limits, &pairs);
    guard.stop(PairId(3));
    let known = market(Venue::Kalshi, 0);
    let fire =
        |guard: &mut Guard| [0, 1, 2, 3].map(|id| guard.may_fire(NOW, PairId(id), BOTH, Ns(0)));
    const NO: Result<(), Risk> = Err(Risk::Close);
    assert_eq!(fire(&mut guard), [Ok(()), NO, Ok(()), NO]);
    assert!(guard.close(known, after(100)));
    assert_eq!(fire(&mut guard), [NO, NO, Ok(()), NO]);
    assert!(!guard.close(known, after(100)), "it is known");
    assert!(guard.close(known, after(101)));
    assert_eq!(fire(&mut guard), [Ok(()), NO, Ok(()), NO], "neither game nor stop is a close");
    assert!(!guard.close(market(Venue::Kalshi, 7), after(0)), "a market of no pair");
}

#[test]
fn a_gate_holds_the_grounds_of_a_bundle_against_the_limits_whatever_the_core_thought() {
    let limits = RiskLimits {
        shutdown_balance: Usd::new(100),
        day_loss: Usd::new(50),
        wallet_min: Usd::new(20),
        ..limits()
    };
    let good = Grounds {
        cash: Usd::new(100),
        today: Usd::new(-49),
        unsettled: Usd::new(70),
        left: [Usd::new(20), Usd::new(19)],
        ..Grounds::PERFECT
    };
    let out = Grounds { unsettled: Usd::new(71), ..good };
    let crossed = Grounds { health: Health::Crossed, ..good };
    let lost = Grounds { today: Usd::new(-50), ..good };
    let poor = Grounds { cash: Usd::new(99), ..good };
    let one_sided = Bundle { count: 1, ..bundle(0) };
    for (grounds, bundle, opens, mends) in [
        (good, one_sided, Ok(()), Ok(())),
        (good, bundle(0), Err(Risk::Balance), Ok(())),
        (lost, one_sided, Err(Risk::DayLoss), Ok(())),
        (poor, one_sided, Err(Risk::Balance), Ok(())),
        (out, one_sided, Err(Risk::Unsettled), Ok(())),
        (crossed, one_sided, Err(Risk::Book), Err(Risk::Book)),
    ] {
        for (purpose, want) in [(Purpose::Open, opens), (Purpose::SellBack, mends)] {
            let mut guard = one(&limits).with_unsettled(Usd::new(70));
            let bundle = Bundle { purpose, ..bundle };
            assert_eq!(guard.may_stand_on(&grounds, &bundle), want, "{grounds:?}");
            assert_eq!(guard.latched(), want.err().filter(|risk| risk.latches()));
        }
    }
    // What is wrong with one leg keeps the other one from leaving as well.
    let small = RiskLimits { order: Cap { notional: Usd::new(4_500_000), ..Cap::NONE }, ..limits };
    let low = Bundle { collar: [Px::ONE, Px::lit(4_999)], ..bundle(0) };
    let fine = Grounds { left: [Usd::new(20); 2], ..good };
    assert_eq!(one(&small).may_stand_on(&fine, &bundle(0)), Err(Risk::Order));
    assert_eq!(one(&limits).may_stand_on(&fine, &low), Err(Risk::Collar));
    assert_eq!(one(&limits).may_stand_on(&fine, &bundle(0)), Ok(()));
}

#[test]
fn too_little_money_latches_and_a_days_loss_does_not() {
    let limits = RiskLimits { shutdown_balance: Usd::new(100), day_loss: Usd::new(50), ..limits() };
    let mut guard = one(&limits);
    assert_eq!(guard.may_spend(Usd::new(100), Usd::new(-49)), Ok(()));
    assert_eq!(guard.may_spend(Usd::new(100), Usd::new(-50)), Err(Risk::DayLoss));
    assert_eq!(fire(&mut guard, NOW), Ok(()), "another day may come");
    assert_eq!(guard.may_spend(Usd::new(99), Usd::ZERO), Err(Risk::Balance));
    assert_eq!(fire(&mut guard, NOW), Err(Risk::Balance));
    assert_eq!(guard.latched(), Some(Risk::Balance));
    guard.tell(Word::Arm);
    assert_eq!(fire(&mut guard, NOW), Ok(()));
}

#[test]
fn legs_at_one_venue_leave_together_or_not_at_all() {
    let both = Bundle { count: 2, ..bundle(0) };
    let spent = both.legs[0].budget + both.legs[1].budget;
    let total = |notional| RiskLimits { total: Cap { notional, ..Cap::NONE }, ..limits() };
    let mut guard = one(&total(spent));
    assert_eq!(guard.board(&both, Venue::Kalshi, &[0, 1]), Ok(()));
    assert_eq!(guard.exposure().total().notional, spent);
    assert_eq!(guard.exposure().venue(Venue::Kalshi).notional, spent);
    assert_eq!(guard.exposure().pair(PairId(0)), guard.exposure().event(PairId(0)));
    for leg in 0..2 {
        guard.hear(&report(leg, ReportKind::Cancelled));
    }
    assert_eq!(guard.exposure().total(), Stake::default(), "each of them ended");

    let mut guard = one(&total(spent - Usd::new(1)));
    assert_eq!(guard.board(&both, Venue::Kalshi, &[0, 1]), Err(Risk::Total));
    assert_eq!(guard.exposure().total(), Stake::default(), "none of them is at stake");
    assert_eq!(guard.board(&both, Venue::Kalshi, &[1]), Ok(()), "one alone has room");
}

#[test]
fn limits_beyond_every_number_and_below_nothing_stay_limits() {
    let most = Cap { qty: Shares::new(u64::MAX), notional: Usd::new(i64::MAX) };
    let vast = RiskLimits { order: most, total: most, day_loss: Usd::new(i64::MIN), ..limits() };
    let mut guard = one(&vast);
    let mut huge = bundle(0);
    huge.legs[0].budget = Usd::new(i64::MAX);
    assert_eq!(may_take(&guard, &huge, 0), Err(Risk::Order), "no order is as large as that");
    assert_eq!(guard.may_spend(Usd::ZERO, Usd::ZERO), Err(Risk::DayLoss));
    assert_eq!(guard.may_spend(Usd::ZERO, Usd::new(1)), Ok(()));
}

/// The slow twin keeps every order and every position apart and sums all of them.
#[derive(Default)]
struct Slow {
    flying: [Vec<(u64, i64)>; 2],
    held: [[Vec<(u64, i64)>; 2]; 2],
}

impl Slow {
    fn total(&self) -> (u64, i64) {
        let held = self.held.iter().flatten().flatten();
        self.flying.iter().flatten().chain(held).fold((0, 0), |(q, n), x| (q + x.0, n + x.1))
    }
}

proptest! {
    /// Without netting, where costs are split, both must agree to the micro-dollar.
    #[test]
    fn exposure_is_the_sum_of_its_parts(
        steps in proptest::collection::vec((0u8..4, 0usize..2, 1u64..1_000, 1i64..1_000), 1..60),
    ) {
        let mut fast = one(&limits());
        let mut slow = Slow::default();
        for (what, leg, qty, notional) in steps {
            match what {
                0 if slow.flying[leg].is_empty() => {
                    let mut it = bundle(0);
                    it.legs[leg].qty = Qty::lit(qty);
                    it.legs[leg].budget = Usd::new(notional);
                    fast.fly(&it, leg);
                    slow.flying[leg].push((qty * 10_000, notional));
                }
                1 => {
                    fast.hear(&report(leg, filled(qty, notional)));
                    for (left, cost) in &mut slow.flying[leg] {
                        *left = left.saturating_sub(qty);
                        *cost = (*cost - notional).max(0);
                    }
                    slow.held[leg][0].push((qty, notional));
                }
                2 => {
                    fast.hear(&report(leg, ReportKind::Cancelled));
                    slow.flying[leg].clear();
                }
                3 => {
                    fast.tell(Word::Settled { market: market(Venue::ALL[leg], 0) });
                    slow.held[leg] = Default::default();
                }
                _ => {}
            }
            let stake = fast.exposure().total();
            prop_assert_eq!((stake.qty.e6(), stake.notional.e6()), slow.total());
            prop_assert_eq!(fast.exposure().pair(PairId(0)), stake);
            prop_assert_eq!(fast.exposure().event(PairId(0)), stake);
        }
    }
}
