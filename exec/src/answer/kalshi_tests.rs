use super::*;

fn head(status: u16) -> Head {
    Head { status, retry_after_s: None, signer_limiter: false, keeps_alive: true }
}

fn ours() -> Id {
    Id::uuid(7)
}

fn order(filled: &str, remaining: &str, client: &str) -> String {
    format!(
        r#"{{"order_id":"o-1","client_order_id":{client},"fill_count":"{filled}","remaining_count":"{remaining}","average_fill_price":"0.5200","ts_ms":1}}"#
    )
}

fn answer(status: u16, body: &str) -> Answer {
    create(&mut Parser::new(), head(status), body.as_bytes(), ours())
}

fn own() -> String {
    format!("\"{}\"", ours())
}

#[test]
fn a_created_order_tells_what_its_fills_must_add_up_to() {
    let accepted = Answer {
        fate: Fate::Accepted,
        order: Id::parse("o-1"),
        expect: Some(Expect::Shares(Shares::new(1_000_000))),
        rests: false,
        closed: None,
    };
    assert_eq!(answer(201, &order("1.00", "0.00", &own())), accepted);
    let killed =
        Answer { fate: Fate::Killed, expect: Some(Expect::Shares(Shares::ZERO)), ..accepted };
    assert_eq!(answer(201, &order("0.00", "0.00", &own())), killed);
    let rests = Answer { expect: None, rests: true, ..accepted };
    assert_eq!(answer(201, &order("1.00", "2.00", &own())), rests);
}

#[test]
fn an_answer_of_another_order_or_of_none_says_nothing_of_ours() {
    for body in [
        order("1.00", "0.00", "\"someone-else\""),
        order("1.00", "0.00", "null"),
        order("x", "0.00", &own()),
        "{}".to_owned(),
        "<html>".to_owned(),
        String::new(),
    ] {
        assert_eq!(answer(201, &body), Answer::of(Fate::Unknown), "{body}");
    }
}

#[test]
fn the_four_shapes_of_error() {
    let rejected = |code| Answer::of(Fate::Rejected { code });
    let funds = r#"{"error":{"code":"insufficient_balance","message":"m"}}"#;
    assert_eq!(answer(400, funds), rejected(RejectCode::Funds));
    let cross = r#"{"error":{"code":"invalid_order","message":"m","details":"post only cross"}}"#;
    assert_eq!(answer(400, cross), rejected(RejectCode::PostOnlyCross));
    let flat = r#"{"code":"invalid_price","message":"m","details":"d"}"#;
    assert_eq!(answer(400, flat), rejected(RejectCode::Price));
    let busy = r#"{"error":"too many requests"}"#;
    assert_eq!(answer(429, busy), rejected(RejectCode::RateLimit));
    assert_eq!(answer(400, r#"{"msg":"Parameter validation"}"#), rejected(RejectCode::Other));
    let again = r#"{"error":{"code":"order_already_exists"}}"#;
    assert_eq!(answer(409, again), Answer::of(Fate::Duplicate));
    let late = r#"{"error":{"code":"header_timestamp_expired"}}"#;
    let closed = Some(Closed::Identity);
    assert_eq!(answer(401, late), Answer { closed, ..rejected(RejectCode::Identity) });
    let closed = Some(Closed::Account);
    let scope = r#"{"error":{"code":"insufficient_scope"}}"#;
    assert_eq!(answer(403, scope), Answer { closed, ..rejected(RejectCode::Identity) });
    let unknown = r#"{"error":{"code":"user_not_found:_1"}}"#;
    assert_eq!(answer(400, unknown), Answer { closed, ..rejected(RejectCode::Account) });
    let paused = r#"{"error":{"code":"TRADING_PAUSED"}}"#;
    let closed = Some(Closed::Mode { retry_after_s: None });
    assert_eq!(answer(409, paused), Answer { closed, ..rejected(RejectCode::Mode) });
    for status in [408, 500, 502, 503] {
        assert_eq!(answer(status, "<html>").fate, Fate::Unknown);
    }
    assert_eq!(answer(503, "").closed, closed);
}

#[test]
fn each_item_of_a_batch_has_a_fate_of_its_own() {
    let clients = [Id::uuid(1), Id::uuid(2), Id::uuid(3)];
    let body = format!(
        r#"{{"orders":[{{"client_order_id":"{}","fill_count":null,"error":{{"code":"invalid_order","details":"post only cross"}}}},{}]}}"#,
        clients[2],
        order("5.00", "0.00", &format!("\"{}\"", clients[0])),
    );
    let mut told = Vec::new();
    batch(&mut Parser::new(), head(201), body.as_bytes(), &clients, &mut |n, a| {
        told.push((n, a.fate));
    });
    let cross = Fate::Rejected { code: RejectCode::PostOnlyCross };
    assert_eq!(told, [(0, Fate::Accepted), (1, Fate::Unknown), (2, cross)]);
    told.clear();
    let busy = br#"{"error":"too many requests"}"#;
    batch(&mut Parser::new(), head(429), busy, &clients, &mut |n, a| told.push((n, a.fate)));
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|(_, f)| *f == Fate::Rejected { code: RejectCode::RateLimit }));
}

#[test]
fn a_cancel_of_what_has_ended_is_told_apart() {
    let id = Id::parse("o-1").unwrap();
    let cancel = |status, body: &str| cancel(&mut Parser::new(), head(status), body.as_bytes(), id);
    let done = r#"{"order_id":"o-1","reduced_by":"10.00","ts_ms":1}"#;
    assert_eq!(cancel(200, done), CancelAnswer::Cancelled);
    assert_eq!(cancel(200, &done.replace("o-1", "o-2")), CancelAnswer::Failed);
    assert_eq!(cancel(404, r#"{"error":{"code":"not_found"}}"#), CancelAnswer::NotThere);
    assert_eq!(cancel(503, ""), CancelAnswer::Failed);
    let amended = changed(&mut Parser::new(), order("0.00", "8.00", &own()).as_bytes()).unwrap();
    assert_eq!((amended.filled, amended.remaining), (Some(Qty::ZERO), Some(Qty::lit(800))));
    let group = br#"{"order_group_id":"3e-1","subaccount":0}"#;
    assert_eq!(group_created(&mut Parser::new(), group), Id::parse("3e-1"));
}

#[test]
fn a_shard_may_be_paused_alone() {
    let body = br#"{"exchange_active":true,"trading_active":true,"exchange_index_statuses":[{"exchange_index":0,"exchange_active":true,"trading_active":true},{"exchange_index":2,"exchange_active":true,"trading_active":false}]}"#;
    let takes = |shard| takes_orders(&mut Parser::new(), body, shard);
    assert_eq!([takes(0), takes(2), takes(9)], [true, false, true]);
    assert!(!takes_orders(&mut Parser::new(), b"{}", 0));
}
