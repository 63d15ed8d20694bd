use super::*;

fn head(status: u16) -> Head {
    Head { status, retry_after_s: None, signer_limiter: false, keeps_alive: true }
}

fn ours() -> Id {
    Id::hash(&[0xab; 32])
}

fn placed(status: &str, trades: &str) -> String {
    format!(
        r#"{{"success":true,"errorMsg":"","orderID":"{}","status":"{status}","makingAmount":"13.25","takingAmount":"25","tradeIDs":{trades}}}"#,
        ours().as_str().to_uppercase().replacen("0X", "0x", 1),
    )
}

fn answer(status: u16, body: &str) -> Answer {
    order(&mut Parser::new(), head(status), body.as_bytes(), ours())
}

#[test]
fn fills_are_expected_by_their_trades() {
    let accepted = Answer { order: Some(ours()), ..Answer::of(Fate::Accepted) };
    let two = Some(Expect::Trades(2));
    assert_eq!(answer(200, &placed("matched", r#"["a","b"]"#)), Answer { expect: two, ..accepted });
    assert_eq!(answer(200, &placed("matched", "null")), accepted, "the channel will tell");
    assert_eq!(answer(200, &placed("delayed", "[]")), accepted);
    let rests = Answer { rests: true, ..accepted };
    assert_eq!(answer(200, &placed("live", "[]")), rests);
    assert_eq!(answer(200, &placed("unmatched", "[]")), rests);
    let other = placed("matched", r#"["a"]"#).replace("AB", "CD");
    assert_eq!(answer(200, &other), Answer::of(Fate::Unknown), "another order's answer");
    for body in ["", "{}", "[]", "<html>"] {
        assert_eq!(answer(200, body), Answer::of(Fate::Unknown), "{body}");
    }
}

#[test]
fn refusals_and_what_they_mean_for_the_next_order() {
    let fate = |code| Fate::Rejected { code };
    let error = |status, text: &str| answer(status, &format!(r#"{{"error":"{text}"}}"#));
    let kill = "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.";
    assert_eq!(error(400, kill), Answer::of(Fate::Killed));
    let funds = error(400, "not enough balance / allowance: the balance is not enough");
    assert_eq!(funds, Answer::of(fate(RejectCode::Funds)));
    let version = error(400, "order_version_mismatch");
    assert_eq!(version.closed, Some(Closed::Account));
    for text in ["invalid signature", "address banned", "address in closed only mode"] {
        assert_eq!(error(400, text).closed, Some(Closed::Account), "a cancel would pass: {text}");
    }
    assert_eq!(error(401, "Unauthorized/Invalid api key").closed, Some(Closed::Identity));
    assert_eq!(error(403, "Trading restricted in your region").closed, Some(Closed::Account));
    let restart = error(425, "restart");
    assert_eq!(restart.fate, Fate::Unknown);
    assert_eq!(restart.closed, Some(Closed::Restart { retry_after_s: None }));
    let body =
        r#"{"error":"post-only mode: only","code":"post_only_mode","retry_after_seconds":97}"#;
    let mode = answer(503, body);
    assert_eq!(mode.fate, fate(RejectCode::Mode));
    assert_eq!(mode.closed, Some(Closed::Mode { retry_after_s: Some(97) }));
    let page = answer(403, "<html>");
    assert_eq!((page.fate, page.closed), (fate(RejectCode::Identity), Some(Closed::Account)));
    let busy = Head { signer_limiter: true, ..head(429) };
    let limited = order(&mut Parser::new(), busy, b"Too Many Requests", ours());
    assert_eq!(limited, Answer::of(fate(RejectCode::RateLimit)));
    assert_eq!(
        answer(429, "Too Many Requests"),
        Answer::of(Fate::Unknown),
        "the edge proves nothing"
    );
    assert_eq!(answer(502, "").fate, Fate::Unknown);
    let inside = placed("", "[]").replace(r#""errorMsg":"""#, r#""errorMsg":"post-only mode: x""#);
    assert_ne!(answer(200, &inside).fate, Fate::Accepted);
}

#[test]
fn answers_to_a_batch_go_by_place() {
    let ids = [ours(), Id::hash(&[1; 32])];
    let refused = r#"{"success":true,"errorMsg":"not enough balance","orderID":"","status":""}"#;
    let body = format!("[{},{refused}]", placed("matched", r#"["a"]"#));
    let mut told = Vec::new();
    orders(&mut Parser::new(), head(200), body.as_bytes(), &ids, &mut |n, a| {
        told.push((n, a.fate));
    });
    let funds = Fate::Rejected { code: RejectCode::Funds };
    assert_eq!(told, [(0, Fate::Accepted), (1, funds)]);
    told.clear();
    let short = format!("[{refused}]");
    orders(&mut Parser::new(), head(200), short.as_bytes(), &ids, &mut |n, a| {
        told.push((n, a.fate));
    });
    assert_eq!(told, [(0, Fate::Unknown), (1, Fate::Unknown)]);
}

#[test]
fn a_cancel_says_whether_the_order_was_there() {
    let cancel =
        |status, body: &str| cancel(&mut Parser::new(), head(status), body.as_bytes(), ours());
    let done = format!(r#"{{"canceled":["{}"],"not_canceled":{{}}}}"#, ours());
    assert_eq!(cancel(200, &done), CancelAnswer::Cancelled);
    let gone = format!(
        r#"{{"canceled":[],"not_canceled":{{"{}":"already canceled or matched"}}}}"#,
        ours()
    );
    assert_eq!(cancel(200, &gone), CancelAnswer::NotThere);
    assert_eq!(cancel(200, r#"{"canceled":[],"not_canceled":{}}"#), CancelAnswer::Failed);
    assert_eq!(cancel(425, &done), CancelAnswer::Failed);
}

#[test]
fn a_wrong_heartbeat_tells_the_right_one() {
    let beat = |status, body: &str| heartbeat(&mut Parser::new(), head(status), body.as_bytes());
    let id = Id::parse("550e8400-e29b");
    assert_eq!(beat(200, r#"{"heartbeat_id":"550e8400-e29b"}"#), id);
    let wrong = r#"{"error_msg":"Invalid Heartbeat ID","heartbeat_id":"550e8400-e29b"}"#;
    assert_eq!(beat(400, wrong), id);
    assert_eq!(beat(503, wrong), None);
}
