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
