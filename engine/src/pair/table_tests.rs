//! A table of pairs: what it refuses, and pairs that come and go.

use super::*;
use crate::fixture::pair;
use crate::pair::Polarity;

#[test]
fn a_table_refuses_what_it_cannot_tell_apart() {
    let one = pair("a", 0, 0, Polarity::Same);
    let error = PairTable::new(vec![one.clone(), one.clone()]).unwrap_err();
    assert_eq!(error.to_string(), "pair id \"a\" is used twice; rename one");
    let mut swapped = one.clone();
    swapped.sides.reverse();
    assert_eq!(PairTable::new(vec![swapped]).unwrap_err(), PairError::Sides("a".to_owned()));
    let table = PairTable::new(vec![one]).unwrap();
    assert_eq!(table.get(PairId(0)).unwrap().id, "a");
    assert_eq!(table.get(PairId(1)), None);
}

#[test]
fn a_pair_that_joins_stands_where_it_would_have_stood_from_the_start() {
    // One market of several pairs, an event of two, in every order of joining.
    let mut pairs = vec![
        pair("a", 0, 0, Polarity::Same),
        pair("b", 1, 0, Polarity::Inverted),
        pair("c", 0, 1, Polarity::Same),
        pair("d", 2, 2, Polarity::Same),
    ];
    for at in [1, 3] {
        pairs[at].event = Some("e".to_owned());
    }
    let whole = PairTable::new(pairs.clone()).unwrap();
    for known in 1..=pairs.len() {
        let mut table = PairTable::new(pairs[..known].to_vec()).unwrap();
        table = table.with_reserve(pairs.len() - known).unwrap();
        table.lay_out();
        for (number, pair) in pairs.iter().enumerate().skip(known) {
            let event = pair.event.as_deref().and_then(|name| table.event_named(name));
            let id = table.vacant().unwrap();
            let listing = Listing::of(id, event.unwrap_or(id), pair);
            assert!(table.list(&listing), "{known} {number}");
            table.name(id, &pair.id, pair.event.as_deref());
            assert!(!table.list(&listing), "nothing joins twice");
        }
        assert_eq!((table.vacant(), table.slots()), (None, pairs.len()));
        assert_eq!(table.pairs(), whole.pairs());
        for id in (0..4).map(PairId) {
            assert_eq!(table.after(id), whole.after(id), "{known}: {id:?}");
            assert_eq!(table.first_of_event(id), whole.first_of_event(id), "{known}");
        }
        for market in pairs.iter().flat_map(|pair| pair.sides.map(|side| side.market)) {
            assert_eq!(table.head(market), whole.head(market), "{known}");
        }
    }
}
