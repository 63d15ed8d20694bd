//! What is made of messages of both venues.

use sim::venue::ClientId;

use super::*;

const DELTA: &str = r#"{"type":"orderbook_delta","sid":2,"seq":3,"msg":{"market_ticker":"A-B","price_dollars":"0.5600","delta_fp":"-54.00","side":"yes"}}"#;
const CHANGE: &str = r#"{"event_type":"price_change","price_changes":[{"asset_id":"12","price":"0.5","size":"10","side":"BUY","best_bid":"0.5","best_ask":"0.52"},{"asset_id":"34","price":"0.5","size":"10","side":"SELL","best_bid":"0","best_ask":"0.5"}]}"#;
const SNAPSHOT: &str = r#"{"type":"orderbook_snapshot","sid":2,"seq":2,"msg":{"market_ticker":"A-B","yes_dollars_fp":[["0.0800","300.00"]],"no_dollars_fp":[]}}"#;

fn spoilt(spoil: Spoil, text: &str) -> Option<Value> {
    let mut spoiler = Spoiler::default();
    spoiler.arm(spoil);
    let push = Push::Text(ClientId(1), text.to_owned());
    let (said, done) = spoiler.pass(Ns(0), push.clone(), &mut Rng::new(1));
    match done {
        None => {
            assert_eq!(said, [push]);
            assert_eq!(spoiler.armed, [spoil], "it waits for a message that it fits");
            None
        }
        Some(done) => {
            assert_eq!((done, spoiler.armed.len()), (spoil, 0));
            let [Push::Text(_, text)] = said.as_slice() else { panic!("{said:?}") };
            Some(serde_json::from_str(text).unwrap())
        }
    }
}

#[test]
fn a_copy_for_another_market_never_takes_the_place_of_its_original() {
    for (text, original_at) in [(DELTA, 0), (CHANGE, 1)] {
        let mut spoiler = Spoiler::default();
        spoiler.arm(Spoil::WrongMarket);
        let push = Push::Text(ClientId(1), text.to_owned());
        let (said, done) = spoiler.pass(Ns(0), push.clone(), &mut Rng::new(1));
        assert_eq!((said.len(), done), (2, Some(Spoil::WrongMarket)));
        assert_eq!(said[original_at], push);
        assert_ne!(said[1 - original_at], push);
    }
}

#[test]
fn books_are_crossed_locked_and_emptied() {
    let kalshi = spoilt(Spoil::Crossed, DELTA).unwrap();
    assert_eq!(kalshi["msg"]["price_dollars"], "0.9900");
    assert_eq!(kalshi["msg"]["delta_fp"], "25.00", "a level that is there");
    let changes = &spoilt(Spoil::Crossed, CHANGE).unwrap()["price_changes"];
    assert_eq!((&changes[0]["price"], &changes[1]["price"]), (&"0.99".into(), &"0.01".into()));
    let changes = &spoilt(Spoil::Locked, CHANGE).unwrap()["price_changes"];
    assert_eq!(changes[0]["price"], "0.52", "at the best ask");
    assert_eq!(changes[1]["price"], "0.5", "nobody bids there, so it stays");
    assert!(spoilt(Spoil::Locked, DELTA).is_none(), "Kalshi's changes tell no best price");
    let empty = spoilt(Spoil::Empty, SNAPSHOT).unwrap();
    assert_eq!(empty["msg"]["yes_dollars_fp"], Value::Array(Vec::new()));
    assert_eq!(empty["msg"]["market_ticker"], "A-B");
    assert!(spoilt(Spoil::Empty, DELTA).is_none());
}
