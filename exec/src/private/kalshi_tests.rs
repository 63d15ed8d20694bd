use engine::units::{Px, Usd};

use super::*;

const FILL: &str = r#"{"type":"fill","sending_ts_ms":1671899397123,"sid":13,"msg":{"trade_id":"d91b-1","order_id":"ee58-1","client_order_id":"my-order-1","market_ticker":"T","exchange_index":2,"is_taker":true,"side":"no","yes_price_dollars":"0.7500","count_fp":"278.05","fee_cost":"0.010001","action":"sell","ts_ms":1671899397000,"post_position_fp":"-500.00","outcome_side":"no","book_side":"ask"}}"#;

fn read(frames: &[&str]) -> Vec<PrivateEvent> {
    let (mut parser, mut private, mut told) = (Parser::new(), KalshiPrivate::default(), Vec::new());
    for frame in frames {
        assert!(private.frame(&mut parser, frame.as_bytes(), &mut |e| told.push(e)), "{frame}");
    }
    told
}

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

#[test]
fn a_fill_of_a_no_is_told_in_the_price_of_no() {
    let fill = FillNews {
        order: id("ee58-1"),
        client: Some(id("my-order-1")),
        trade: id("d91b-1"),
        part: 0,
        more: false,
        shares: Shares::new(278_050_000),
        px: Px::lit(2_500),
        fee: Some(Usd::new(10_001)),
        stands: TradeStands::Made,
    };
    assert_eq!(read(&[FILL]), [PrivateEvent::Fill(fill)]);
    // The list spells a trade's id twice and has no id of ours.
    let row = r#"{"fill_id":"d91b-1","order_id":"ee58-1","count_fp":"278.05","yes_price_dollars":"0.75","book_side":"ask","fee_cost":"0.010001"}"#;
    let mut told = Vec::new();
    let body = format!(r#"{{"cursor":"","fills":[{row}]}}"#);
    assert_eq!(fills(&mut Parser::new(), body.as_bytes(), &mut |f| told.push(f)), Page::Whole);
    assert_eq!(told, [FillNews { client: None, ..fill }]);
}

#[test]
fn an_order_that_ended_tells_what_was_filled() {
    let frame = |status: &str| {
        format!(
            r#"{{"type":"user_order","sid":22,"msg":{{"order_id":"o","ticker":"T","status":"{status}","fill_count_fp":"10.00","client_order_id":null,"created_ts_ms":null}}}}"#
        )
    };
    for (status, stand) in
        [("resting", Stand::Resting), ("canceled", Stand::Ended), ("executed", Stand::Ended)]
    {
        let expect = Some(Expect::Shares(Shares::new(10_000_000)));
        let order = OrderNews { order: id("o"), client: None, stand, expect };
        assert_eq!(read(&[&frame(status)]), [PrivateEvent::Order(order)]);
    }
}

#[test]
fn all_channels_must_be_acknowledged() {
    let ack = r#"{"type":"subscribed","id":1,"msg":{"channel":"fill","sid":1}}"#;
    assert_eq!(read(&[ack, ack, ack]), []);
    assert_eq!(read(&[ack, ack, ack, ack]), [PrivateEvent::Subscribed]);
    let broken = r#"{"type":"error","sid":2,"msg":{"code":25,"msg":"overflow"}}"#;
    assert_eq!(read(&[broken]), [PrivateEvent::Broken]);
    assert_eq!(read(&[r#"{"type":"new","x":1}"#, "\n"]), []);
    let group = |event| {
        format!(
            r#"{{"type":"order_group_updates","sid":21,"seq":7,"msg":{{"event_type":"{event}","order_group_id":"og_123","ts_ms":1733047200000}}}}"#
        )
    };
    assert_eq!(read(&[&group("triggered")]), [PrivateEvent::Stopped(id("og_123"))]);
    assert_eq!(read(&[&group("deleted")]), [PrivateEvent::Deleted(id("og_123"))]);
    assert_eq!(read(&[&group("reset")]), []);
    let held = r#"{"type":"market_position","sid":14,"msg":{"market_ticker":"KX-T3.50","position_fp":"-100.05"}}"#;
    let [PrivateEvent::Position(held)] = read(&[held])[..] else { panic!() };
    assert_eq!((held.ticker.as_bytes(), held.contracts_e2), (&b"KX-T3.50"[..], -10_005));
}

#[test]
fn what_cannot_be_read_is_counted_and_never_panics() {
    let (mut parser, mut private) = (Parser::new(), KalshiPrivate::default());
    for frame in [
        "{",
        "[]",
        "{}",
        &FILL.replace("0.7500", "2.0"),
        &FILL.replace("278.05", "-1"),
        &FILL.replace("\"no\",\"book", "\"maybe\",\"book"),
        &FILL.replace("d91b-1", "a b"),
        r#"{"type":"user_order","msg":{"order_id":"o","status":"unknown"}}"#,
    ] {
        let understood = private.frame(&mut parser, frame.as_bytes(), &mut |e| panic!("{e:?}"));
        assert!(!understood, "{frame}");
    }
}

#[test]
fn a_page_with_a_cursor_proves_no_absence() {
    let page = |body: &str| orders(&mut Parser::new(), body.as_bytes(), &mut |_| {});
    assert_eq!(page(r#"{"cursor":"","orders":[]}"#), Page::Whole);
    assert_eq!(page(r#"{"cursor":"abc","orders":[]}"#), Page::Part);
    assert_eq!(page(r#"{"cursor":"","orders":[{"order_id":"o","status":"new"}]}"#), Page::Part);
    assert_eq!(page(r#"{"cursor":""}"#), Page::Unreadable);
    assert_eq!(page("nothing"), Page::Unreadable);
}
