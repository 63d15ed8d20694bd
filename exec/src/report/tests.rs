use std::collections::BTreeMap;

use serde_json::Value;

use super::*;

fn reply<'a>(status: u16, code: &'a str) -> Option<ErrorReply<'a>> {
    Some(ErrorReply { status, code, details: "", signer_limiter: false })
}

const fn rejected(code: RejectCode) -> Fate {
    Fate::Rejected { code }
}

/// All `rest_error_*` fixtures of a venue by name, or nothing where they are absent.
fn fixtures(venue: &str, prefix: &str) -> BTreeMap<String, Value> {
    let dir = format!("{}/../../shared/protocol/fixtures/{venue}", env!("CARGO_MANIFEST_DIR"));
    let Ok(entries) = std::fs::read_dir(&dir) else {
        eprintln!("skipped: the fixtures of {venue} are not there");
        return BTreeMap::new();
    };
    let mut all = BTreeMap::new();
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name.starts_with(prefix) {
            let text = std::fs::read_to_string(&path).unwrap();
            all.insert(name, serde_json::from_str(&text).unwrap());
        }
    }
    all
}

#[test]
fn kalshi_errors_by_fixture() {
    use RejectCode as C;
    let want: BTreeMap<&str, Fate> = [
        ("rest_error_400_insufficient_balance", rejected(C::Funds)),
        ("rest_error_400_invalid_price", rejected(C::Price)),
        ("rest_error_400_post_only_cross", rejected(C::PostOnlyCross)),
        ("rest_error_400_query_validation", rejected(C::Other)),
        ("rest_error_400_unparseable_body_flat", rejected(C::Other)),
        ("rest_error_401_bad_signature", rejected(C::Identity)),
        ("rest_error_401_missing_signature", rejected(C::Identity)),
        ("rest_error_401_timestamp_expired", rejected(C::Identity)),
        ("rest_error_401_unknown_key", rejected(C::Identity)),
        ("rest_error_404_not_found", rejected(C::Market)),
        ("rest_error_409_duplicate_client_order_id", Fate::Duplicate),
        ("rest_error_409_fok_killed", Fate::Killed),
        ("rest_error_429", rejected(C::RateLimit)),
    ]
    .into();
    let all = fixtures("kalshi", "rest_error_");
    assert!(all.is_empty() || all.len() == want.len(), "a fixture is not covered");
    for (name, body) in &all {
        let status = name["rest_error_".len()..][..3].parse().unwrap();
        // The four shapes of a body (kalshi.md section 4, "Error bodies").
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let inner = &body["error"];
        let code = if inner.is_object() {
            text(&inner["code"])
        } else if inner.is_string() {
            text(inner)
        } else {
            text(&body["code"])
        };
        let details = text(if inner.is_object() { &inner["details"] } else { &body["details"] });
        let reply = ErrorReply { status, code: &code, details: &details, signer_limiter: false };
        assert_eq!(kalshi_error(Some(reply)), want[name.as_str()], "{name}");
        // The same body under a status that proves nothing proves nothing.
        for status in [408, 500, 502, 503, 504, 520] {
            assert_eq!(kalshi_error(Some(ErrorReply { status, ..reply })), Fate::Unknown);
        }
    }
}

#[test]
fn kalshi_statuses_with_unknown_codes() {
    for status in 100..=599 {
        let fate = kalshi_error(reply(status, "brand_new_code"));
        match status {
            400 | 404 | 409 | 410 => assert_eq!(fate, rejected(RejectCode::Other), "{status}"),
            403 => assert_eq!(fate, rejected(RejectCode::Identity)),
            429 => assert_eq!(fate, rejected(RejectCode::RateLimit)),
            _ => assert_eq!(fate, Fate::Unknown, "{status}"),
        }
    }
    assert_eq!(kalshi_error(None), Fate::Unknown, "silence is no refusal");
    assert_eq!(kalshi_error(reply(400, "MARKET_INACTIVE")), rejected(RejectCode::Market));
    assert_eq!(kalshi_error(reply(400, "market_inactive")), rejected(RejectCode::Other));
    assert_eq!(kalshi_error(reply(400, "user_not_found:_1")), rejected(RejectCode::Account));
    assert_eq!(
        kalshi_error(reply(400, "fill_or_kill_insufficient_resting_volume")),
        rejected(RejectCode::Other),
        "a kill is known by status and code together; a refusal either way"
    );
}

#[test]
fn kalshi_created_by_fixture() {
    let all = fixtures("kalshi", "rest_create_order_response");
    for (name, body) in &all {
        let count = |key: &str| {
            let digits = body[key].as_str().unwrap().replace('.', "");
            Qty::lit(digits.parse().unwrap())
        };
        let want = if name.ends_with("zero_fill_201") { Fate::Killed } else { Fate::Accepted };
        assert_eq!(kalshi_created(count("fill_count"), count("remaining_count")), want, "{name}");
    }
    assert_eq!(kalshi_created(Qty::ZERO, Qty::ZERO), Fate::Killed);
    assert_eq!(kalshi_created(Qty::lit(1), Qty::ZERO), Fate::Accepted);
}

#[test]
fn polymarket_errors_by_fixture() {
    use RejectCode as C;
    let want: BTreeMap<&str, Fate> = [
        ("rest_error_400_fak", Fate::Killed),
        ("rest_error_400_fok", Fate::Killed),
        ("rest_error_400_tick", rejected(C::Price)),
        ("rest_error_400_version", rejected(C::Version)),
        ("rest_error_425_restart", Fate::Unknown),
        ("rest_error_429_signer", rejected(C::RateLimit)),
        ("rest_error_503_cancel_only", rejected(C::Mode)),
        ("rest_error_503_post_only", rejected(C::Mode)),
    ]
    .into();
    let all = fixtures("polymarket", "rest_error_");
    assert!(all.is_empty() || all.len() == want.len(), "a fixture is not covered");
    for (name, file) in &all {
        let wrapped = !file["status"].is_null();
        let body = if wrapped { &file["body"] } else { file };
        let headers = file["headers"].as_object();
        let limiter = headers.is_some_and(|h| h.keys().any(|k| k.starts_with("Poly-RateLimit-")));
        let reply = ErrorReply {
            status: name["rest_error_".len()..][..3].parse().unwrap(),
            code: body["error"].as_str().unwrap_or_default(),
            details: "",
            signer_limiter: limiter,
        };
        assert_eq!(polymarket_error(Some(reply)), want[name.as_str()], "{name}");
        for status in [408, 425, 502, 504, 520] {
            assert_eq!(polymarket_error(Some(ErrorReply { status, ..reply })), Fate::Unknown);
        }
        if reply.status == 429 {
            let edge = ErrorReply { signer_limiter: false, ..reply };
            assert_eq!(polymarket_error(Some(edge)), Fate::Unknown, "the edge proves nothing");
        }
    }
}

#[test]
fn polymarket_texts_of_the_table() {
    use RejectCode as C;
    for (status, text, want) in [
        (400, "invalid signature", rejected(C::Identity)),
        (
            400,
            "the order signer address has to be the address of the API KEY",
            rejected(C::Identity),
        ),
        (400, "not enough balance / allowance", rejected(C::Funds)),
        (400, "order 0x1 is invalid. Size (1) lower than the minimum: 5", rejected(C::Size)),
        (400, "invalid amount for a marketable BUY order ($0.5), min size: $1", rejected(C::Size)),
        (
            400,
            "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals",
            rejected(C::Size),
        ),
        (400, "order 0x1 is invalid. Duplicated.", Fate::Duplicate),
        (500, "FOK orders are filled or killed", Fate::Killed),
        (500, "order timed out", rejected(C::Other)),
        (500, "internal error", Fate::Unknown),
        (400, "invalid post-only order: order crosses book", rejected(C::PostOnlyCross)),
        (400, "the market is not yet ready to process new orders", rejected(C::Market)),
        (400, "order match delayed due to market conditions", Fate::Unknown),
        (400, "context canceled", Fate::Unknown),
        (400, "'0x1' address banned", rejected(C::Account)),
        (400, "something new", rejected(C::Other)),
        (401, "Unauthorized/Invalid api key", rejected(C::Identity)),
        (403, "", rejected(C::Identity)),
        (404, "market not found", rejected(C::Other)),
        (429, "Too Many Requests", Fate::Unknown),
        (503, "Trading is currently disabled. Check polymarket.com for updates", rejected(C::Mode)),
        (503, "upstream connect error", Fate::Unknown),
    ] {
        assert_eq!(polymarket_error(reply(status, text)), want, "{status} {text}");
    }
    assert_eq!(polymarket_error(None), Fate::Unknown, "silence is no refusal");
}

#[test]
fn polymarket_answers() {
    for (name, body) in fixtures("polymarket", "rest_post_order_response_") {
        let text = |key: &str| body[key].as_str().unwrap_or_default();
        let success = body["success"].as_bool().unwrap_or_default();
        let fate = polymarket_answer(success, text("errorMsg"), text("orderID"));
        let refused = matches!(fate, Fate::Rejected { .. } | Fate::Killed);
        assert_eq!(refused, name.ends_with("rejected"), "{name}: {fate:?}");
        assert_eq!(fate == Fate::Accepted, !name.ends_with("rejected"), "{name}: {fate:?}");
    }
    let funds = "not enough balance / allowance";
    assert_eq!(polymarket_answer(true, funds, "0x1"), rejected(RejectCode::Funds));
    assert_eq!(polymarket_answer(true, "", ""), Fate::Unknown);
    assert_eq!(polymarket_answer(false, "", "0x1"), Fate::Unknown);
    assert_eq!(
        polymarket_answer(true, "order match delayed due to market conditions", "0x1"),
        Fate::Unknown
    );
    assert_eq!(polymarket_answer(false, "something new", ""), Fate::Unknown);
}

#[test]
fn reasons_for_the_core() {
    assert_eq!(RejectCode::Funds.reason(), Reject::Funds);
    assert_eq!(RejectCode::RateLimit.reason(), Reject::RateLimit);
    assert_eq!(RejectCode::Price.reason(), Reject::Venue);
}
