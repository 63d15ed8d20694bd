//! What the venues say settles what a crash left open, and nothing else passes for an explanation.

use std::collections::BTreeMap;

use super::*;
use engine::event::{Feedback, Report, ReportKind};
use exec::journal::record::name;

const RUN: u64 = 77;
const FEE: FeeRule = FeeRule::Curve { rate_e6: 0, exponent: 1 };

fn market(venue: Venue) -> MarketId {
    MarketId::new(venue, 0).unwrap()
}

fn kalshi_id(bundle: u64) -> Id {
    Id::uuid(KalshiClerk::client_order_id(RUN, bundle, 0))
}

fn order(bundle: u64, venue: Venue) -> OrderRecord {
    let (leg, outcome, client) = match venue {
        Venue::Kalshi => (0, Outcome::Yes, kalshi_id(bundle)),
        Venue::Polymarket => (1, Outcome::No, Id::hash(&[bundle as u8; 32])),
    };
    OrderRecord {
        bundle: BundleId(bundle),
        pair: PairId(0),
        leg,
        market: market(venue),
        outcome,
        action: Action::Buy,
        purpose: Purpose::Open,
        spends: leg == 1,
        limit: Px::lit(5_000),
        qty: Qty::lit(1_000),
        budget: Usd::new(5_000_000),
        reserve: Usd::new(5_100_000),
        client,
        venue: (leg == 1).then_some(client),
        wall: Ns(5),
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

/// A run that began with a hundred dollars on each venue.
fn state(records: &[Record]) -> State {
    let mut state = State::default();
    let (first, second) = (market(Venue::Kalshi), market(Venue::Polymarket));
    let opening = [
        Record::Run { run: RUN, wall: Ns(1), live: false },
        Record::Market { market: first, name: name("KX") },
        Record::Market { market: second, name: name("0xcd") },
        Record::Token { market: second, outcome: Outcome::Yes, name: name("11") },
        Record::Token { market: second, outcome: Outcome::No, name: name("22") },
        Record::Cash { venue: Venue::Kalshi, cash: Usd::new(100_000_000) },
        Record::Cash { venue: Venue::Polymarket, cash: Usd::new(100_000_000) },
        Record::Ids { first: 1, last: 64 },
    ];
    opening.iter().chain(records).for_each(|record| state.take(record));
    state
}

/// Ten contracts at 40 cents filled of an order; the fee on Kalshi is 7 micro-dollars.
fn fill(order: &OrderRecord, id: Id) -> FillRow {
    let venue = order.market.venue();
    FillRow {
        venue,
        order: id,
        trade: Id::uuid(u128::from(order.bundle.0)),
        name: if venue == Venue::Kalshi { "KX" } else { "22" }.to_owned(),
        outcome: order.outcome,
        action: Action::Buy,
        shares: Shares::new(10_000_000),
        px: Px::lit(4_000),
        fee: (venue == Venue::Kalshi).then_some(Usd::new(7)),
        stands: true,
        is_final: true,
    }
}

fn listed(order: &OrderRecord, id: Id, stand: Stand, filled: u64) -> OrderRow {
    OrderRow {
        venue: order.market.venue(),
        order: id,
        client: Some(order.client),
        name: "KX".to_owned(),
        outcome: order.outcome,
        limit: order.limit,
        shard: 0,
        stand,
        expect: Some(Expect::Shares(Shares::new(filled))),
    }
}

fn truth(cash: [i64; 2], net: i64, no: i64) -> Truth {
    Truth {
        cash: cash.map(Usd::new),
        net: BTreeMap::from([("KX".to_owned(), net)]),
        tokens: BTreeMap::from([("11".to_owned(), 0), ("22".to_owned(), no)]),
        ..Truth::default()
    }
}

fn judged(state: &State, truth: &Truth, quiet: bool) -> Judgement {
    judge(state, truth, quiet, &|_| FEE)
}

#[test]
fn what_agrees_needs_no_word() {
    let (yes, no) = (order(1, Venue::Kalshi), order(1, Venue::Polymarket));
    let kind = ReportKind::Filled {
        shares: Shares::new(10_000_000),
        px: Px::lit(4_000),
        cash: Usd::new(4_000_000),
        fee: Usd::new(7),
    };
    let none = ReportKind::Rejected(engine::event::Reject::Funds);
    let records = [
        Record::Order(yes),
        heard(&yes, kind),
        heard(&yes, ReportKind::Done),
        Record::Order(no),
        heard(&no, none),
    ];
    let id = Id::uuid(9);
    let mut all = truth([95_999_993, 100_000_000], 10_000_000, 0);
    all.fills.push(fill(&yes, id));
    all.orders.push(listed(&yes, id, Stand::Ended, 10_000_000));
    let found = judged(&state(&records), &all, false);
    let row = HeldRow { name: "KX".to_owned(), tokens: None, held: [10_000_000, 0] };
    assert_eq!(found, Judgement { held: vec![row], ..Judgement::default() });
    all.cash[0] += Usd::new(1);
    let found = judged(&state(&records), &all, true);
    assert_eq!(found.differences.len(), 1, "a micro-dollar shows");
    assert!(found.differences[0].to_string().contains("95999994"), "{}", found.differences[0]);
}

#[test]
fn an_unknown_order_is_settled_by_its_fills_or_by_its_absence() {
    let (yes, no) = (order(1, Venue::Kalshi), order(1, Venue::Polymarket));
    let state = state(&[Record::Order(yes), Record::Order(no), heard(&no, ReportKind::Unknown)]);
    let mut all = truth([100_000_000, 96_000_000], 0, 10_000_000);
    all.fills.push(fill(&no, no.client));
    let found = judged(&state, &all, false);
    assert_eq!(found.open.len(), 1, "Kalshi's may still be on its way: {:?}", found.open);
    let found = judged(&state, &all, true);
    assert!(found.is_settled(), "{found:?}");
    let exists = |record: &Record| match record {
        Record::Found(found) => Some((found.venue, found.exists, found.shares.e6())),
        _ => None,
    };
    let told: Vec<_> = found.records.iter().filter_map(exists).collect();
    assert_eq!(told, [(Venue::Kalshi, false, 0), (Venue::Polymarket, true, 10_000_000)]);
    // A trade that may still fail settles nothing.
    all.fills[0].is_final = false;
    assert!(!judged(&state, &all, true).open.is_empty());
    // One that failed takes its money back.
    (all.fills[0].is_final, all.fills[0].stands) = (true, false);
    assert_eq!(judged(&state, &all, true).differences.len(), 2);
}

#[test]
fn a_fee_whose_rule_nobody_knows_any_more_is_what_the_gate_counted_or_a_difference() {
    let no = order(1, Venue::Polymarket);
    let kind = ReportKind::Filled {
        shares: Shares::new(10_000_000),
        px: Px::lit(4_000),
        cash: Usd::new(4_000_000),
        fee: Usd::new(70_000),
    };
    let unknown = |state: &State, truth: &Truth| judge(state, truth, true, &|_| FeeRule::Unknown);
    let mut all = truth([100_000_000, 95_930_000], 0, 10_000_000);
    all.fills.push(fill(&no, no.client));
    // The gate heard of the fill, and the pair has left the table since.
    let told = state(&[Record::Order(no), heard(&no, kind), heard(&no, ReportKind::Unknown)]);
    let found = unknown(&told, &all);
    assert!(found.is_settled(), "{found:?}");
    // It did not hear of it.
    let untold = state(&[Record::Order(no), heard(&no, ReportKind::Unknown)]);
    let found = unknown(&untold, &all);
    let by: Vec<_> = found.differences.iter().map(|it| it.theirs - it.ours).collect();
    assert_eq!(by, [-70_000], "the fee alone: {found:?}");
    assert!(found.notes.iter().any(|note| note.contains("fee is not known")), "{found:?}");
    // An order of somebody else in such a market.
    let found = unknown(&state(&[]), &all);
    let by: Vec<_> = found.differences.iter().map(|it| it.theirs - it.ours).collect();
    assert_eq!(by, [-70_000], "the fee alone: {found:?}");
}

#[test]
fn an_order_after_the_last_durable_record_is_found_by_its_reserved_id() {
    let lost = order(9, Venue::Kalshi);
    let armed = order(9, Venue::Polymarket);
    let state = state(&[Record::Armed {
        id: exec::sign::order::OrderId([9; 32]),
        market: armed.market,
        outcome: armed.outcome,
        limit: armed.limit,
        qty: armed.qty,
        wall: Ns(5),
    }]);
    let id = Id::uuid(9);
    let mut all = truth([95_999_993, 96_000_000], 10_000_000, 10_000_000);
    all.orders.push(listed(&lost, id, Stand::Ended, 10_000_000));
    all.fills.extend([fill(&lost, id), fill(&armed, armed.client)]);
    let found = judged(&state, &all, true);
    assert!(found.is_settled(), "{found:?}");
    assert_eq!(found.records.len(), 4, "two orders and what they came to");
    // The same of another run's id is somebody else's doing, and said to be.
    all.orders[0].client = Some(Id::uuid(KalshiClerk::client_order_id(RUN + 1, 9, 0)));
    let found = judged(&state, &all, true);
    assert!(found.is_settled(), "{found:?}");
    assert!(found.notes.iter().any(|note| note.contains("not the engine's")), "{found:?}");
}

#[test]
fn what_rests_or_is_held_or_lags_is_open() {
    let yes = order(1, Venue::Kalshi);
    let state = state(&[Record::Order(yes)]);
    let id = Id::uuid(9);
    for (stand, filled) in [(Stand::Resting, 0), (Stand::Held, 0), (Stand::Ended, 10_000_000)] {
        let mut all = truth([100_000_000; 2], 0, 0);
        all.orders.push(listed(&yes, id, stand, filled));
        let found = judged(&state, &all, true);
        assert_eq!(found.open.len(), 1, "{stand:?}");
    }
}

#[test]
fn a_list_that_lacks_a_fill_that_was_told_is_no_evidence_against_it() {
    let yes = order(1, Venue::Kalshi);
    let kind = ReportKind::Filled {
        shares: Shares::new(10_000_000),
        px: Px::lit(4_000),
        cash: Usd::new(4_000_000),
        fee: Usd::new(7),
    };
    let state = state(&[Record::Order(yes), heard(&yes, kind), heard(&yes, ReportKind::Done)]);
    let found = judged(&state, &truth([100_000_000; 2], 0, 0), true);
    assert!(found.records.is_empty() && found.open.len() == 1, "{found:?}");
}

/// A run that holds ten YES and seven NO on Polymarket.
fn both_tokens() -> State {
    let market = market(Venue::Polymarket);
    state(&[
        Record::Held { market, outcome: Outcome::Yes, e6: 10_000_000 },
        Record::Held { market, outcome: Outcome::No, e6: 7_000_000 },
    ])
}

fn tokens(cash: i64, yes: i64, no: i64) -> Truth {
    let mut truth = truth([100_000_000, cash], 0, no);
    truth.tokens.insert("11".to_owned(), yes);
    truth
}

#[test]
fn tokens_that_were_merged_by_hand_are_explained_by_their_dollars_and_by_nothing_less() {
    let state = both_tokens();
    let market = market(Venue::Polymarket);
    let found = judged(&state, &tokens(107_000_000, 3_000_000, 0), true);
    assert!(found.is_settled(), "{found:?}");
    assert_eq!(found.records, [Record::Merged { market, e6: 7_000_000 }]);
    assert!(found.notes[0].contains("0xcd: 7.00"), "{:?}", found.notes);
    let found = judged(&state, &tokens(95_000_000, 15_000_000, 12_000_000), true);
    assert!(found.is_settled() && found.notes[0].contains("split"), "{found:?}");
    // Balances without their money, or with other money, are no merge: a micro-dollar is enough.
    for cash in [100_000_000, 106_999_999, 107_000_001] {
        let found = judged(&state, &tokens(cash, 3_000_000, 0), true);
        assert!(found.records.is_empty() && found.differences.len() >= 2, "{cash}: {found:?}");
    }
    // One token alone is none either.
    assert!(!judged(&state, &tokens(107_000_000, 3_000_000, 7_000_000), true).is_settled());
}

#[test]
fn what_was_traded_by_hand_just_before_a_run_began_counts_once() {
    let order = order(9, Venue::Kalshi);
    let by_hand = Id::uuid(99);
    let row = fill(&order, by_hand);
    let mut truth = truth([100_000_000, 100_000_000], 0, 0);
    truth.fills.push(row.clone());
    // The run began with what that trade had left; the venue lists it all the same.
    let seen = state(&[Record::Seen { trade: row.trade }]);
    assert!(judged(&seen, &truth, true).is_settled());
    let not_seen = judged(&state(&[]), &truth, true);
    assert!(!not_seen.is_settled(), "and one that came later moves something");
    // A run later it is still known.
    let mut later = seen;
    later.take(&Record::Run { run: RUN + 1, wall: Ns(1), live: false });
    later.take(&Record::Ids { first: 1, last: 64 });
    assert!(later.past.contains(&row.trade));
}

#[test]
fn a_run_of_very_many_orders_is_judged_by_their_ids_and_not_by_comparing_each_with_each() {
    // Every order with every fill, and each of those with every row, would be 10^13 comparisons.
    let orders: Vec<OrderRecord> = (1..=20_000).map(|n| order(n, Venue::Kalshi)).collect();
    let kind = ReportKind::Filled {
        shares: Shares::new(10_000_000),
        px: Px::lit(4_000),
        cash: Usd::new(4_000_000),
        fee: Usd::new(7),
    };
    let tell = |order: &OrderRecord| {
        [Record::Order(*order), heard(order, kind), heard(order, ReportKind::Done)]
    };
    let records: Vec<Record> = orders.iter().flat_map(tell).collect();
    let mut all = truth([100_000_000, 100_000_000], 0, 0);
    for order in &orders {
        let id = Id::uuid(u128::from(order.bundle.0) << 64);
        all.orders.push(listed(order, id, Stand::Ended, 10_000_000));
        all.fills.push(fill(order, id));
    }
    let total = orders.len() as i64;
    all.cash[0] -= Usd::new(total * 4_000_007);
    all.net.insert("KX".to_owned(), total * 10_000_000);
    // What somebody else did is among it, and explained.
    let by_hand = order(20_001, Venue::Kalshi);
    all.fills.push(fill(&by_hand, Id::uuid(5)));
    all.cash[0] -= Usd::new(4_000_007);
    *all.net.get_mut("KX").unwrap() += 10_000_000;
    let found = judged(&state(&records), &all, true);
    assert!(found.is_settled() && found.records.is_empty(), "{:?}", found.differences);
    assert_eq!(found.notes.len(), 1, "{:?}", found.notes);
}

/// Ten contracts that an order was told to have filled, and its end.
fn filled(order: &OrderRecord) -> [Record; 3] {
    let kind = ReportKind::Filled {
        shares: Shares::new(10_000_000),
        px: Px::lit(4_000),
        cash: Usd::new(4_000_000),
        fee: Usd::new(7),
    };
    [Record::Order(*order), heard(order, kind), heard(order, ReportKind::Done)]
}

#[test]
fn what_a_venue_does_not_list_any_more_is_what_it_was_told_to_be() {
    let yes = order(1, Venue::Kalshi);
    let state = state(&filled(&yes));
    let mut all = truth([95_999_993, 100_000_000], 10_000_000, 0);
    // Soon after it left a list may lag, and later it does not.
    all.asked = yes.wall.after(LAGS_MAX);
    assert_eq!(judged(&state, &all, true).open.len(), 1);
    all.asked = all.asked.after(Ns(1));
    let found = judged(&state, &all, true);
    assert!(found.is_settled() && found.records.is_empty(), "{found:?}");
    assert!(found.notes[0].contains("1 orders of long ago"), "{:?}", found.notes);
    // Money and positions are compared all the same.
    all.cash[0] += Usd::new(1);
    assert_eq!(judged(&state, &all, true).differences.len(), 1);
    all.cash[0] -= Usd::new(1);
    // Its fills may be listed still, and only they name it then; they count once.
    let id = Id::uuid(9);
    all.fills.push(fill(&yes, id));
    let found = judged(&state, &all, true);
    assert!(found.is_settled() && found.notes.len() == 1, "{found:?}");
    // Twice the same is somebody else's order too.
    let mut twice = all.clone();
    twice.fills.push(FillRow { order: Id::uuid(10), trade: Id::uuid(11), ..fill(&yes, id) });
    assert_eq!(judged(&state, &twice, true).differences.len(), 2);
    // Its row may be listed still, without its fills.
    all.fills.clear();
    all.orders.push(listed(&yes, id, Stand::Ended, 10_000_000));
    assert!(judged(&state, &all, true).is_settled());
    // One that rests is not over, however old it is.
    all.orders[0].stand = Stand::Resting;
    assert_eq!(judged(&state, &all, true).open.len(), 1);
}

#[test]
fn a_trade_that_failed_long_ago_is_still_taken_back() {
    let no = order(1, Venue::Polymarket);
    let state = state(&filled(&no));
    let mut all = truth([100_000_000, 100_000_000], 0, 0);
    all.asked = no.wall.after(LAGS_MAX).after(Ns(1));
    all.fills.push(FillRow { stands: false, ..fill(&no, no.client) });
    let found = judged(&state, &all, true);
    assert!(found.is_settled() && found.records.len() == 1, "{found:?}");
}
