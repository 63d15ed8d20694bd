//! What a recovery waits for, and what it takes back, told what the venues say.

use super::*;
use crate::model::{Model, Options};
use crate::run::spec::RunSpec;
use engine::top::MarketId;
use engine::units::{Ns, Px};
use exec::gate::kalshi::KalshiClerk;
use exec::journal::record::name;
use exec::private::Stand;

const RUN: u64 = 77;

const PATIENCE: Patience =
    Patience { arrival: Duration::from_secs(60), longest: Duration::from_secs(180), adopt: false };

/// A recovery of a run that began with nothing, and left these records.
fn recovery(records: &[Record]) -> Recovery {
    let model = Model::new(Options::default());
    let spec = RunSpec::new(vec![("model".to_owned(), model.pairs_toml())]);
    let (file, table) = (spec.pair_file().unwrap(), spec.setup().unwrap().table);
    let market = MarketId::new(Venue::Kalshi, 0).unwrap();
    let opening = [
        Record::Run { run: RUN, wall: Ns(1), live: false },
        Record::Market { market, name: name("KX") },
        Record::Ids { first: 1, last: 64 },
    ];
    let mut state = State::default();
    opening.iter().chain(records).for_each(|record| state.take(record));
    Recovery::new(state, file, &table, PATIENCE)
}

#[test]
fn an_order_that_rests_is_taken_back_though_no_record_of_it_is_left() {
    let row = OrderRow {
        venue: Venue::Kalshi,
        order: Id::uuid(9),
        client: Some(Id::uuid(KalshiClerk::client_order_id(RUN, 3, 0))),
        name: "KX".to_owned(),
        outcome: Outcome::Yes,
        limit: Px::lit(4_000),
        shard: 0,
        stand: Stand::Resting,
        expect: None,
    };
    let mut truth = Truth { orders: vec![row.clone()], ..Truth::default() };
    let mut recovery = recovery(&[]);
    let hear =
        |recovery: &mut Recovery, truth: &Truth| recovery.hear(PATIENCE.arrival, Ok(truth.clone()));
    let Turn::Again { problem, cancels } = hear(&mut recovery, &truth) else { panic!() };
    assert!(problem.contains("rests in the book"), "{problem}");
    assert_eq!(cancels, [row]);
    // Nobody else's order is touched, and none that ended.
    truth.orders[0].client = Some(Id::uuid(KalshiClerk::client_order_id(RUN + 1, 3, 0)));
    assert!(matches!(hear(&mut recovery, &truth), Turn::Done(_)));
    truth.orders[0].client = cancels[0].client;
    truth.orders[0].stand = Stand::Ended;
    assert!(matches!(hear(&mut recovery, &truth), Turn::Done(_)));
}

#[test]
fn what_left_before_a_crash_is_waited_for_from_the_start_on_and_after_an_orderly_end_nothing_is() {
    let ended = Record::End { unknown: 0, open: 0 };
    let all = || Ok(Truth::default());
    let mut after_crash = recovery(&[]);
    for waited in [Duration::ZERO, PATIENCE.arrival - Duration::from_nanos(1)] {
        let turn = after_crash.hear(waited, all());
        assert!(matches!(&turn, Turn::Again { problem, .. } if problem.contains("on its way")));
    }
    assert!(matches!(after_crash.hear(PATIENCE.arrival, all()), Turn::Done(_)));
    assert!(matches!(recovery(&[ended]).hear(Duration::ZERO, all()), Turn::Done(_)));
    // An end that left something open proves nothing.
    let unknown = Record::End { unknown: 1, open: 0 };
    assert!(matches!(recovery(&[unknown]).hear(Duration::ZERO, all()), Turn::Again { .. }));
}

/// A recovery of a run that held nothing, and the tokens of the pair that it was over.
fn of_nothing() -> (Recovery, [String; 2]) {
    let model = Model::new(Options::default());
    let spec = RunSpec::new(vec![("model".to_owned(), model.pairs_toml())]);
    let (file, table) = (spec.pair_file().unwrap(), spec.setup().unwrap().table);
    let opening = crate::journal::opening::records(
        (RUN, Ns(1), false),
        &file,
        &table,
        [Usd::new(100_000_000); 2],
        &BTreeMap::new(),
    );
    let mut state = State::default();
    let ids = Record::Ids { first: 1, last: 64 };
    opening.iter().chain([&ids]).for_each(|record| state.take(record));
    let p = &file.pairs[0].polymarket;
    let tokens = [p.yes.clone(), p.no.clone()];
    (Recovery::new(state, file, &table, PATIENCE), tokens)
}

/// What somebody bought by hand, ten contracts of YES at a price of 40 cents.
fn by_hand(venue: Venue, name: &str) -> crate::journal::truth::FillRow {
    crate::journal::truth::FillRow {
        venue,
        order: Id::uuid(91),
        trade: Id::uuid(92),
        name: name.to_owned(),
        outcome: Outcome::Yes,
        action: engine::event::Action::Buy,
        shares: Shares::new(10_000_000),
        px: Px::lit(4_000),
        fee: Some(Usd::ZERO),
        stands: true,
        is_final: true,
    }
}

#[test]
fn what_was_bought_by_hand_and_settled_since_is_asked_about_and_explained() {
    for venue in Venue::ALL {
        let (mut recovery, tokens) = of_nothing();
        assert_eq!(recovery.wanted().held, []);
        let pair = recovery.file.pairs[0].clone();
        let (ticker, condition) = (pair.kalshi.ticker, pair.polymarket.condition_id);
        let (name, over) = match venue {
            Venue::Kalshi => (&ticker, &ticker),
            Venue::Polymarket => (&tokens[0], &condition),
        };
        // It is gone again: its market paid a dollar each.
        let mut truth = Truth { fills: vec![by_hand(venue, name)], ..Truth::default() };
        truth.cash = [Usd::new(100_000_000); 2];
        truth.cash[venue.index()] += Usd::new(10_000_000 - 4_000_000);
        truth.tokens = tokens.iter().map(|token| (token.clone(), 0)).collect();
        let turn = recovery.hear(PATIENCE.arrival, Ok(truth.clone()));
        assert!(matches!(turn, Turn::Again { .. }), "{turn:?}");
        let held = recovery.wanted().held.iter().find(|row| row.name == *over);
        assert_eq!(held.map(|row| row.held), Some([10_000_000, 0]), "{venue}");
        let paid = (venue == Venue::Kalshi).then(|| Usd::new(10_000_000));
        let row = crate::journal::truth::PaidRow { venue, name: over.clone(), yes: Px::ONE, paid };
        truth.paid = vec![row];
        let turn = recovery.hear(PATIENCE.arrival, Ok(truth));
        let Turn::Done(done) = turn else { panic!("{turn:?}") };
        assert!(done.notes.iter().any(|note| note.contains("settled")), "{:?}", done.notes);
    }
}

#[test]
fn a_page_that_cannot_be_read_is_named_beside_what_differs() {
    let (mut recovery, tokens) = of_nothing();
    let mut truth = Truth { cash: [Usd::new(100_000_000); 2], ..Truth::default() };
    truth.tokens = tokens.iter().map(|token| (token.clone(), 5)).collect();
    truth.unread = vec!["0xcd: no such page".to_owned()];
    let turn = recovery.hear(PATIENCE.arrival, Ok(truth));
    let Turn::Again { problem, .. } = turn else { panic!("{turn:?}") };
    assert!(problem.contains("not read: 0xcd: no such page"), "{problem}");
}

#[test]
fn a_day_counts_money_and_the_dollars_of_what_is_hedged() {
    let (recovery, _) = of_nothing();
    let markets = Venue::ALL.map(|venue| MarketId::new(venue, 0).unwrap());
    let cash = |venue, cents: i64| Record::Cash { venue, cash: Usd::new(cents * 10_000) };
    let hold = |market, outcome, e6| Record::Held { market, outcome, e6 };
    let is_same = recovery.file.pairs[0].polarity == Polarity::Same;
    let (with, against) =
        if is_same { (Outcome::Yes, Outcome::No) } else { (Outcome::No, Outcome::Yes) };
    let first = [cash(Venue::Kalshi, 9_600), hold(markets[0], Outcome::Yes, 10_000_000)];
    let since = recovery.since(&first);
    assert_eq!((since.traded, since.settled), (Usd::new(-4_000_000), Usd::ZERO));
    let alike = recovery.since(&[first[1], hold(markets[1], with, 4_000_000)]);
    assert_eq!(alike.traded, Usd::ZERO, "both pay alike");
    let second = [cash(Venue::Polymarket, 9_430), hold(markets[1], against, 9_000_000)];
    let since = recovery.since(&[first, second].concat());
    assert_eq!(since.traded, Usd::new(9_000_000 - 9_700_000));
    let paid = Record::Paid(engine::risk::Payout {
        market: markets[0],
        outcome: Outcome::Yes,
        shares: Shares::new(10_000_000),
        each: Px::ONE,
        paid: Usd::new(10_000_000),
    });
    let since = recovery.since(&[first.to_vec(), second.to_vec(), vec![paid]].concat());
    assert_eq!(since.settled, Usd::new(1_000_000), "nine were counted as a dollar");
}

#[test]
fn a_difference_that_lasts_refuses_a_start_and_is_named() {
    let (mut recovery, tokens) = of_nothing();
    let mut truth = Truth { cash: [Usd::new(100_000_000); 2], ..Truth::default() };
    truth.tokens = tokens.iter().map(|token| (token.clone(), 0)).collect();
    truth.cash[1] += Usd::new(1);
    let first = recovery.hear(PATIENCE.arrival, Ok(truth.clone()));
    assert!(matches!(first, Turn::Again { .. }), "a read may lag: {first:?}");
    let again = recovery.hear(PATIENCE.arrival + STUBBORN, Ok(truth.clone()));
    let Turn::Failed(list) = again else { panic!("{again:?}") };
    assert!(list.contains("polymarket") && list.contains("(+1)"), "{list}");
    // Whoever takes the venues' word begins with it.
    recovery.patience.adopt = true;
    let taken = recovery.hear(PATIENCE.arrival + STUBBORN, Ok(truth.clone()));
    assert!(matches!(&taken, Turn::Done(done) if done.cash == truth.cash), "{taken:?}");
}

#[test]
fn what_either_venue_could_still_close_is_told_and_dust_is_not() {
    let model = Model::new(Options::default());
    let spec = RunSpec::new(vec![("model".to_owned(), model.pairs_toml())]);
    let file = spec.pair_file().unwrap();
    let of = |net| BTreeMap::from([(file.pairs[0].id.clone(), [net, 0, 0])]);
    assert_eq!(alone(&file, &of(9_999)).len(), 0);
    assert_eq!(alone(&file, &of(-220_000)).into_values().collect::<Vec<_>>(), [220_000]);
}
