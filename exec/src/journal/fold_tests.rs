//! Money and positions from records alone, and what a crash leaves open.

use super::super::record::name;
use super::super::record::tests::samples;
use super::*;
use engine::event::{BundleId, Purpose, Reject};
use engine::ledger::NetLedger;
use engine::pair::PairId;
use engine::units::{Px, Qty};

fn market(venue: Venue) -> MarketId {
    MarketId::new(venue, 0).unwrap()
}

fn order(bundle: u64, leg: u8, venue: Venue, outcome: Outcome) -> OrderRecord {
    OrderRecord {
        bundle: BundleId(bundle),
        pair: PairId(0),
        leg,
        market: market(venue),
        outcome,
        action: Action::Buy,
        purpose: Purpose::Open,
        spends: venue == Venue::Polymarket,
        limit: Px::lit(4_000),
        qty: Qty::lit(1_000),
        budget: Usd::new(4_000_000),
        reserve: Usd::new(5_000_000),
        client: Id::uuid(u128::from(bundle) << 8 | u128::from(leg)),
        venue: None,
        wall: Ns(9),
    }
}

fn heard(order: &OrderRecord, kind: ReportKind) -> Record {
    Record::Heard(Feedback::Report(Report {
        bundle: order.bundle,
        pair: order.pair,
        leg: order.leg,
        market: order.market,
        outcome: order.outcome,
        action: order.action,
        at: Ns(3),
        kind,
    }))
}

fn fill(shares: u64, cash: i64, fee: i64) -> ReportKind {
    let (shares, px) = (Shares::new(shares), Px::lit(4_000));
    ReportKind::Filled { shares, px, cash: Usd::new(cash), fee: Usd::new(fee) }
}

fn begun() -> State {
    let mut state = State::default();
    state.take(&samples()[7]); // of a run before: forgotten
    state.take(&Record::Run { run: 7, wall: Ns(1), live: false });
    for venue in Venue::ALL {
        state.take(&Record::Cash { venue, cash: Usd::new(100_000_000) });
    }
    let kalshi = market(Venue::Kalshi);
    state.take(&Record::Market { market: kalshi, name: name("KX") });
    state.take(&Record::Held { market: kalshi, outcome: Outcome::Yes, e6: -4_000_000 });
    state.take(&Record::Ids { first: 1, last: 64 });
    state
}

#[test]
fn money_is_conserved_to_the_micro_dollar() {
    let mut state = begun();
    let yes = order(1, 0, Venue::Kalshi, Outcome::Yes);
    let no = order(1, 1, Venue::Polymarket, Outcome::No);
    for order in [&yes, &no] {
        state.take(&Record::Order(*order));
        state.take(&heard(order, ReportKind::Sent));
    }
    assert_eq!(state.ledgers().at_risk, [Usd::new(5_000_000); 2]);
    state.take(&heard(&yes, fill(10_000_000, 4_000_000, 70)));
    state.take(&heard(&yes, ReportKind::Done));
    state.take(&heard(&no, fill(3_000_001, 1_200_001, 9)));
    // Six of ten are YES, four paid their dollar against the four NO of before.
    assert_eq!(state.held[&(0, 0)], [6_000_000, 0]);
    assert_eq!(state.held[&(1, 0)], [0, 3_000_001]);
    assert_eq!(
        state.cash,
        [Usd::new(100_000_000 - 4_000_070 + 4_000_000), Usd::new(100_000_000 - 1_200_010)]
    );
    let ledgers = state.ledgers();
    assert_eq!(ledgers.at_risk, [Usd::ZERO, Usd::new(5_000_000 - 1_200_010)]);
    assert_eq!((ledgers.matched, ledgers.settled), (state.cash, [Usd::new(100_000_000); 2]));
    assert_eq!((state.open().count(), state.contradictions), (1, 0));
}

#[test]
fn evidence_closes_what_a_crash_left_open_and_counts_no_fill_twice() {
    let mut state = begun();
    let no = order(2, 1, Venue::Polymarket, Outcome::No);
    state.take(&Record::Order(no));
    state.take(&heard(&no, fill(3_000_000, 1_200_000, 9)));
    state.take(&heard(&no, ReportKind::Unknown));
    assert!(state.open().all(|known| known.unknown));
    let found = Finding {
        venue: Venue::Polymarket,
        client: no.client,
        exists: true,
        shares: Shares::new(5_000_000),
        cash: Usd::new(2_000_000),
        fee: Usd::new(15),
    };
    state.take(&Record::Found(found));
    assert_eq!(state.held[&(1, 0)], [0, 5_000_000]);
    assert_eq!(state.cash[1], Usd::new(100_000_000 - 2_000_015));
    assert_eq!((state.open().count(), state.contradictions), (0, 0));
    state.take(&Record::Found(found));
    assert_eq!(state.held[&(1, 0)], [0, 5_000_000]);
}

#[test]
fn two_orders_of_one_intent_and_reports_about_none_are_contradictions() {
    let mut state = begun();
    let one = order(3, 0, Venue::Kalshi, Outcome::Yes);
    state.take(&heard(&one, ReportKind::Rejected(Reject::Expired)));
    assert_eq!(state.contradictions, 0, "the gate let it not out");
    state.take(&heard(&one, ReportKind::Acked));
    assert_eq!(state.contradictions, 1);
    state.take(&Record::Order(one));
    state.take(&Record::Order(one));
    assert_eq!(state.contradictions, 2);
}

#[test]
fn signed_orders_are_kept_until_they_leave_or_are_too_old() {
    let mut state = begun();
    let Record::Armed { id, market, outcome, limit, qty, .. } = samples()[6] else {
        unreachable!()
    };
    let arm = |n: u8, wall| Record::Armed {
        id: crate::sign::order::OrderId([n; 32]),
        market,
        outcome,
        limit,
        qty,
        wall,
    };
    assert_ne!(id.0, [1; 32]);
    state.take(&arm(1, Ns(5)));
    state.take(&arm(2, Ns(6)));
    let client = Id::hash(&[1; 32]);
    state.take(&Record::Order(OrderRecord { client, ..order(4, 1, Venue::Polymarket, outcome) }));
    assert_eq!(state.armed.len(), 1);
    state.take(&arm(3, Ns(7).after(ARMED_KEPT)));
    assert_eq!(state.armed.len(), 1, "the first is too old");
}

#[test]
fn positions_net_sell_and_come_back_as_in_the_engines_own_ledger() {
    for seed in 0..200 {
        let mut rng = crate::backoff::Rng::new(seed);
        let mut state = begun();
        let mut ledger = NetLedger::new(Usd::new(100_000_000), 1);
        ledger.begin_with(0, -4_000_000);
        for bundle in 1..40 {
            let outcome = if rng.next().is_multiple_of(2) { Outcome::Yes } else { Outcome::No };
            let mut order = order(bundle, 0, Venue::Kalshi, outcome);
            let held = ledger.position_e6(0) * if outcome == Outcome::Yes { 1 } else { -1 };
            let sells = held > 0 && rng.next().is_multiple_of(3);
            order.action = if sells { Action::Sell } else { Action::Buy };
            let most = if sells { held as u64 } else { 9_000_000 };
            let (shares, cash, fee) =
                (1 + rng.next() % most, (rng.next() % 5_000_000) as i64, (rng.next() % 99) as i64);
            state.take(&Record::Order(order));
            state.take(&heard(&order, fill(shares, cash, fee)));
            let amount = Shares::new(shares);
            if sells {
                ledger.sell(0, outcome, amount, Usd::new(cash - fee));
            } else {
                ledger.buy(0, outcome, amount, Usd::new(cash + fee));
                if rng.next().is_multiple_of(4) {
                    let (shares, px) = (amount, Px::lit(4_000));
                    let (cash, fee) = (Usd::new(cash), Usd::new(fee));
                    state.take(&heard(&order, ReportKind::Undone { shares, px, cash, fee }));
                    ledger.sell(0, outcome, amount, cash + fee);
                }
            }
            assert_eq!(state.held[&(0, 0)][0], ledger.position_e6(0), "seed {seed}");
            assert_eq!(state.cash[0], ledger.purse().cash(), "seed {seed}");
        }
    }
}

#[test]
fn a_settlement_moves_all_ledgers_and_leaves_nothing_held() {
    let mut state = begun();
    let (kalshi, polymarket) =
        (order(1, 0, Venue::Kalshi, Outcome::No), order(1, 1, Venue::Polymarket, Outcome::Yes));
    for order in [&kalshi, &polymarket] {
        state.take(&Record::Order(*order));
        state.take(&heard(order, fill(10_000_000, 4_000_000, 7)));
        state.take(&heard(order, ReportKind::Done));
    }
    let before = state.ledgers();
    for (order, each) in [(&kalshi, Px::ONE), (&polymarket, Px::ZERO)] {
        let (market, outcome) = (order.market, order.outcome);
        let held = state.held[&key(market)];
        let shares = Shares::new(held[0].unsigned_abs());
        assert_ne!(shares, Shares::ZERO);
        let paid = Usd::new(held[0].abs() * i64::from(each == Px::ONE));
        state.take(&Record::Paid(Payout { market, outcome, shares, each, paid }));
        assert_eq!(state.held[&key(market)], [0; 2], "{held:?}");
    }
    let after = state.ledgers();
    let paid = |one: [Usd; 2], other: [Usd; 2]| [0, 1].map(|at| (one[at] - other[at]).e6());
    assert_eq!(paid(after.matched, before.matched), [14_000_000, 0], "with what was there before");
    assert_eq!(paid(after.settled, before.settled), [14_000_000, 0]);
    assert_eq!(after.at_risk, [Usd::ZERO; 2]);
}

#[test]
fn markets_that_come_back_under_other_numbers_are_known_once() {
    let mut state = begun();
    let at = |venue, index| MarketId::new(venue, index).unwrap();
    let come = |state: &mut State, index: usize, pair: &str| {
        for venue in Venue::ALL {
            state.take(&Record::Market { market: at(venue, index), name: name(pair) });
        }
        for (outcome, text) in [(Outcome::Yes, "yes"), (Outcome::No, "no")] {
            let market = at(Venue::Polymarket, index);
            state.take(&Record::Token { market, outcome, name: name(&format!("{pair}-{text}")) });
        }
    };
    come(&mut state, 1, "one");
    come(&mut state, 2, "two");
    for (index, venue) in [(1, Venue::Kalshi), (2, Venue::Polymarket)] {
        let market = at(venue, index);
        state.take(&Record::Held { market, outcome: Outcome::Yes, e6: 0 });
    }
    // They left, the second first, and came back in the order in which their places were free.
    come(&mut state, 1, "two");
    come(&mut state, 2, "one");
    for venue in Venue::ALL {
        let names = |known: &str| {
            let keys = state.markets.iter().filter(|(_, name)| *name == known);
            keys.filter(|(key, _)| key.0 == venue.index()).map(|(key, _)| key.1).collect::<Vec<_>>()
        };
        assert_eq!((names("one"), names("two")), (vec![2], vec![1]));
    }
    // What a lower number holds counts for its market, and no higher one says otherwise.
    come(&mut state, 3, "one");
    come(&mut state, 0, "one");
    let polymarket = Venue::Polymarket.index();
    let tokens: Vec<usize> = state
        .tokens
        .iter()
        .filter(|(key, tokens)| key.0 == polymarket && tokens[0] == "one-yes")
        .map(|(key, _)| key.1)
        .collect();
    assert_eq!(tokens, [0]);
    // What is held keeps its name, wherever it is: a person has to look.
    let market = at(Venue::Kalshi, 0);
    state.take(&Record::Held { market, outcome: Outcome::Yes, e6: 5 });
    come(&mut state, 4, "one");
    assert_eq!(state.markets.get(&(Venue::Kalshi.index(), 0)).map(String::as_str), Some("one"));
}

#[test]
fn an_opening_that_is_torn_leaves_what_was_there_before() {
    let mut before = begun();
    let one = order(1, 0, Venue::Kalshi, Outcome::Yes);
    before.take(&Record::Order(one));
    before.take(&heard(&one, fill(10_000_000, 4_000_000, 7)));
    let kalshi = market(Venue::Kalshi);
    let cash = |venue| Record::Cash { venue, cash: Usd::new(5) };
    let opening = [
        Record::Run { run: 8, wall: Ns(2), live: false },
        Record::Market { market: kalshi, name: name("KX") },
        cash(Venue::Kalshi),
        cash(Venue::Polymarket),
        Record::Held { market: kalshi, outcome: Outcome::Yes, e6: 3 },
        Record::Seen { trade: Id::uuid(99) },
        Record::Ids { first: 1, last: 64 },
    ];
    let known = |state: &State| {
        let State { run, began, cash, held, orders, markets, past, ids, .. } = state.clone();
        (run, began, cash, held, orders, markets, past, ids)
    };
    for torn in 0..opening.len() {
        let mut state = before.clone();
        opening[..torn].iter().for_each(|record| state.take(record));
        assert_eq!(known(&state), known(&before), "torn after {torn} records");
        // The next start settles what that run left, and begins anew.
        let (shares, cash, fee) = (Shares::new(10_000_000), Usd::new(4_000_000), Usd::new(7));
        let client = one.client;
        let venue = Venue::Kalshi;
        state.take(&Record::Found(Finding { venue, client, exists: true, shares, cash, fee }));
        assert_eq!(state.open().count(), 0);
        opening.iter().for_each(|record| state.take(record));
        assert_eq!((state.run, state.ids, state.orders.len()), (Some(8), 64, 0));
        assert_eq!((state.held[&key(kalshi)], state.cash), ([3, 0], [Usd::new(5); 2]));
        let past = before.past.iter().copied().chain([one.client, Id::uuid(99)]);
        assert_eq!(state.past, past.collect::<VecDeque<Id>>());
    }
}
