use super::*;

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

fn trade(status: &str, size: &str, makers: &str) -> String {
    format!(
        r#"{{"event_type":"trade","type":"TRADE","id":"t1","taker_order_id":"0xAB","market":"0x9","asset_id":"52","side":"BUY","size":"{size}","price":"0.53","status":"{status}","transaction_hash":"","bucket_index":0,"maker_orders":{makers},"trader_side":"TAKER"}}"#
    )
}

fn maker(id: &str, asset: &str, amount: &str, price: &str) -> String {
    format!(
        r#"{{"order_id":"{id}","matched_amount":"{amount}","price":"{price}","asset_id":"{asset}","side":"SELL"}}"#
    )
}

fn read(text: &str) -> (Vec<PrivateEvent>, bool) {
    let mut told = Vec::new();
    let understood = frame(&mut Parser::new(), text.as_bytes(), &mut |event| told.push(event));
    (told, understood)
}

/// (order, part, shares, price) of each fill.
fn fills_of(text: &str) -> Vec<(Id, u16, u64, u16)> {
    let (told, understood) = read(text);
    assert!(understood, "{text}");
    let fill = |event: &PrivateEvent| match event {
        PrivateEvent::Fill(fill) => (fill.order, fill.part, fill.shares.e6(), fill.px.e4()),
        other => panic!("{other:?}"),
    };
    told.iter().map(fill).collect()
}

#[test]
fn a_sweep_is_told_price_by_price_in_our_outcome() {
    let makers = [
        maker("m1", "52", "20.5", "0.53"),
        maker("m2", "71", "4.5", "0.46"),
        maker("m3", "71", "1", "0.47"),
    ]
    .join(",");
    assert_eq!(
        fills_of(&trade("MATCHED", "26", &format!("[{makers}]"))),
        [(id("0xab"), 5_300, 21_500_000, 5_300), (id("0xab"), 5_400, 4_500_000, 5_400),]
    );
    // Whoever counts trades has not heard all of this one before its last price.
    let told = read(&trade("MATCHED", "26", &format!("[{makers}]"))).0;
    let more = told.iter().map(|event| matches!(event, PrivateEvent::Fill(fill) if fill.more));
    assert_eq!(more.collect::<Vec<_>>(), [true, false]);
    // As the one that rested hears of it, in its own outcome's price.
    let resting = trade("MATCHED", "26", &format!("[{makers}]")).replace("TAKER", "MAKER");
    assert_eq!(
        fills_of(&resting),
        [
            (id("m1"), 5_300, 20_500_000, 5_300),
            (id("m2"), 4_600, 4_500_000, 4_600),
            (id("m3"), 4_700, 1_000_000, 4_700),
        ]
    );
    // Matches that do not add up are not believed for the taker.
    let fills = fills_of(&trade("MINED", "27", &format!("[{makers}]")));
    assert_eq!(fills, [(id("0xab"), 5_300, 27_000_000, 5_300)]);
    let many = vec![maker("m", "52", "1", "0.53"); 100].join(",");
    let fills = fills_of(&trade("MINED", "100", &format!("[{many}]")));
    assert_eq!(fills, [(id("0xab"), 5_300, 100_000_000, 5_300)]);
    for makers in ["[]", "null"] {
        let fills = fills_of(&trade("CONFIRMED", "25", makers));
        assert_eq!(fills, [(id("0xab"), 5_300, 25_000_000, 5_300)]);
    }
}

#[test]
fn a_failed_trade_is_told_as_such() {
    let stands = |status: &str| match read(&trade(status, "25", "[]")).0[0] {
        PrivateEvent::Fill(fill) => fill.stands,
        other => panic!("{other:?}"),
    };
    assert_eq!(stands("MATCHED"), TradeStands::Made);
    for status in ["MINED", "RETRYING", "TRADE_STATUS_MINED"] {
        assert_eq!(stands(status), TradeStands::Settling);
    }
    assert_eq!(stands("CONFIRMED"), TradeStands::Confirmed);
    assert_eq!(stands("TRADE_STATUS_CONFIRMED"), TradeStands::Confirmed);
    assert_eq!(stands("FAILED"), TradeStands::Failed);
}

fn order(status: &str, trades: &str) -> String {
    format!(
        r#"{{"id":"0xAB","event_type":"order","type":"UPDATE","size_matched":"","created_at":"","expiration":null,"associate_trades":{trades},"status":"{status}"}}"#
    )
}

#[test]
fn an_order_tells_how_many_trades_it_was() {
    for (status, trades, stand, expect) in [
        ("LIVE", "[]", Stand::Resting, Some(0)),
        ("DELAYED", "null", Stand::Held, None),
        ("MATCHED", "[\"t1\",\"t2\"]", Stand::Ended, Some(2)),
        ("MATCHED", "[]", Stand::Ended, None),
        ("CANCELED", "[\"t1\"]", Stand::Ended, Some(1)),
        ("CANCELED_order couldn't be fully filled. FOK", "[]", Stand::Ended, Some(0)),
        ("ORDER_STATUS_CANCELED_EXPIRED_ORDER", "[]", Stand::Ended, Some(0)),
    ] {
        let expect = expect.map(Expect::Trades);
        let news = OrderNews { order: id("0xab"), client: None, stand, expect };
        let text = order(status, trades);
        assert_eq!(read(&text), (vec![PrivateEvent::Order(news)], true), "{status}");
        assert_eq!(super::order(&mut Parser::new(), text.as_bytes(), id("0xab")), Ok(Some(news)));
        let wrapped = format!(r#"{{"order":{text}}}"#);
        let read = super::order(&mut Parser::new(), wrapped.as_bytes(), id("0xab"));
        assert_eq!(read, Ok(Some(news)));
    }
}

#[test]
fn a_frame_may_be_an_array_and_hold_what_nobody_knows() {
    let both =
        format!("[{},{{\"event_type\":\"new\"}},{}]", order("LIVE", "[]"), order("LIVE", "[]"));
    let (told, understood) = read(&both);
    assert_eq!((told.len(), understood), (2, true));
    let (told, understood) = read(&format!("[{},1]", order("LIVE", "[]")));
    assert_eq!((told.len(), understood), (1, false), "what can be read is told all the same");
    for text in [
        "PONG",
        "",
        "{",
        "{}",
        &order("NEW", "[]"),
        &trade("NEW", "1", "[]"),
        &trade("MATCHED", "x", "[]"),
    ] {
        assert_eq!(read(text), (vec![], false), "{text}");
    }
}

#[test]
fn a_page_tells_whether_it_is_the_last() {
    let page = |cursor: &str, rows: &str| {
        let body = format!(r#"{{"limit":100,"count":1,"next_cursor":"{cursor}","data":[{rows}]}}"#);
        let mut count = 0;
        (trades(&mut Parser::new(), body.as_bytes(), &mut |_| count += 1), count)
    };
    assert_eq!(page("LTE=", &trade("CONFIRMED", "25", "[]")), (Page::Whole, 1));
    assert_eq!(page("MTAw", ""), (Page::Part, 0));
    assert_eq!(page("LTE=", "{}"), (Page::Part, 0), "a row that cannot be read may be ours");
    assert_eq!(trades(&mut Parser::new(), b"null", &mut |_| {}), Page::Unreadable);
}

#[test]
fn only_the_venues_own_word_says_that_an_order_is_not_there() {
    let read = |text: &str| super::order(&mut Parser::new(), text.as_bytes(), id("0xab"));
    assert_eq!(read("null"), Ok(None));
    let others = order("LIVE", "[]").replace("0xAB", "0xAC");
    let news = order("ON_HOLD", "[]");
    for text in ["<html>busy</html>", "", "{}", "[]", r#""ok""#, &others, &news] {
        assert_eq!(read(text), Err(NoSuchAnswer), "{text}");
    }
    let is_unknown = |text: &str| is_unknown(&mut Parser::new(), text.as_bytes());
    assert!(is_unknown(r#"{"error":"order not found"}"#));
    assert!(!is_unknown("<html>not found</html>") && !is_unknown(""));
}
