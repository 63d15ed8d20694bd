use serde_json::{Value, json};
use sim::kalshi::Tier;
use sim::venue::{Request, Side, Venue as _};

use crate::rig::{ORDERS, Rig, TICKERS};

fn balance(rig: &mut Rig, headers: &[(&str, String)]) -> (u16, Value) {
    let reply = rig.raw("GET", "/trade-api/v2/portfolio/balance", "exchange_index=0", headers, b"");
    (reply.status, serde_json::from_slice(&reply.body).unwrap())
}

#[test]
fn logins_are_checked_and_refused_verbatim() {
    let mut rig = Rig::new();
    let path = "/trade-api/v2/portfolio/balance";
    let now = rig.now.0 / 1_000_000;
    for offset in [-10_000, -2_000, 0, 10_000] {
        let headers = rig.headers_at(0, "GET", path, now.saturating_add_signed(offset));
        assert_eq!(balance(&mut rig, &headers).0, 200, "{offset}");
    }
    let expired = json!({"error": {"code": "header_timestamp_expired", "message": "header timestamp expired"}});
    for offset in [-10_001, 10_001, -300_000] {
        let headers = rig.headers_at(0, "GET", path, now.saturating_add_signed(offset));
        assert_eq!(balance(&mut rig, &headers), (401, expired.clone()), "{offset}");
    }
    let wrong = |details| json!({"error": {"code": "authentication_error", "message": "authentication_error", "details": details}});
    let mut headers = rig.headers_at(0, "GET", path, now);
    headers[1].1 = (now + 1).to_string();
    assert_eq!(balance(&mut rig, &headers), (401, wrong("INCORRECT_API_KEY_SIGNATURE")));
    let headers = rig.headers_at(0, "POST", path, now);
    assert_eq!(balance(&mut rig, &headers), (401, wrong("INCORRECT_API_KEY_SIGNATURE")));
    let with_query = format!("{path}?exchange_index=0");
    let headers = rig.headers_at(0, "GET", &with_query, now);
    assert_eq!(balance(&mut rig, &headers).0, 401, "the query is not signed");
    let mut headers = rig.headers_at(0, "GET", path, now);
    headers[0].1 = "nobody".to_owned();
    assert_eq!(balance(&mut rig, &headers), (401, wrong("NOT_FOUND")));
    let headers = rig.headers_at(0, "GET", path, now);
    let missing = json!({"error": {"code": "signature_is_missing_from_headers", "message": "signature is missing from headers"}});
    assert_eq!(balance(&mut rig, &headers[..2]), (401, missing));
    // The socket asks the same.
    let request =
        Request { method: "GET", path: "/trade-api/ws/v2", query: "", headers: &[], body: b"" };
    let refused = rig.venue.open(rig.now, sim::venue::ClientId(1), &request, &mut rig.out);
    assert_eq!(refused.unwrap_err().status, 401);
}

#[test]
fn a_header_that_comes_twice_is_counted() {
    let mut rig = Rig::new();
    let headers = rig.headers(0, "POST", ORDERS);
    for times in 0..3 {
        let order = rig.order(0, "bid", "1.00", "0.5000").to_string();
        assert_eq!(rig.raw("POST", ORDERS, "", &headers, order.as_bytes()).status, 201);
        assert_eq!(rig.venue.ledger()["reused_headers"], times);
    }
}

#[test]
fn terms_are_checked_field_by_field() {
    let mut rig = Rig::new();
    rig.quote(0, Side::Ask, 6_000, 100);
    let base = rig.order(0, "bid", "1.00", "0.5000");
    let past = rig.now.0 / 1_000_000_000;
    let bad = [
        ("count", json!("0.00"), "invalid_order_size"),
        ("count", json!("0.001"), "invalid_order_size"),
        ("count", json!(""), "missing_parameters"),
        ("price", json!("0.5050"), "invalid_price"),
        ("price", json!("0.0000"), "invalid_price"),
        ("price", json!("1.0000"), "invalid_price"),
        ("price", json!("0.5"), "invalid_price"),
        ("price", Value::Null, "missing_parameters"),
        ("time_in_force", json!("day"), "invalid_order"),
        ("time_in_force", Value::Null, "missing_parameters"),
        ("self_trade_prevention_type", Value::Null, "missing_parameters"),
        ("side", json!("yes"), "invalid_order"),
        ("reduce_only", json!(true), "invalid_order"),
        ("expiration_time", json!(past), "invalid_order"),
        ("ticker", json!("NONE"), "market_not_found"),
        ("exchange_index", json!(2), "market_not_found"),
        ("subaccount", json!(1), "not_found"),
        ("order_group_id", json!("none"), "not_found"),
        ("count", json!("500.00"), "insufficient_balance"),
    ];
    for (field, value, code) in bad {
        let mut order = base.clone();
        order[field] = value;
        let (status, reply) = rig.place(0, &order);
        let expected = if code.ends_with("not_found") { 404 } else { 400 };
        assert_eq!((status, &reply["error"]["code"]), (expected, &json!(code)), "{field}: {order}");
    }
    let mut order = base.clone();
    order["post_only"] = json!(true);
    order["price"] = json!("0.6000");
    assert_eq!(
        rig.place(0, &order),
        (
            400,
            json!({"error": {"code": "invalid_order", "message": "invalid order", "details": "post only cross"}})
        )
    );
    let mut order = base.clone();
    order["count"] = json!(1);
    assert_eq!(
        rig.place(0, &order),
        (
            400,
            json!({"code": "bad_request", "message": "bad request", "details": "json: cannot unmarshal number into Go struct field CreateOrderV2Request.count of type string"})
        )
    );
    assert_eq!(rig.place(0, &base).0, 201, "none of them took the id");
    let duplicate =
        json!({"error": {"code": "order_already_exists", "message": "order already exists"}});
    assert_eq!(rig.place(0, &base), (409, duplicate));
    // The grid is finer at the ends of the tapered market, and whole cents are valid in its middle.
    for (price, status) in [("0.0990", 201), ("0.1000", 201), ("0.1010", 400), ("0.9010", 201)] {
        let order = rig.order(1, "bid", "1.00", price);
        assert_eq!(rig.place(0, &order).0, status, "{price}");
    }
}

#[test]
fn cancels_find_their_shard_or_nothing() {
    let mut rig = Rig::new();
    for (query, status) in [
        ("", 404),
        ("?exchange_index=0", 404),
        ("?exchange_index=2&market_ticker=KXA-1-YES", 404),
        ("?exchange_index=-1", 400),
        ("?exchange_index=2", 200),
        ("?market_ticker=KXB-1-YES", 200),
        ("?exchange_index=-1&market_ticker=KXB-1-YES", 200),
    ] {
        let order = rig.placed(0, 1, "bid", "1.00", "0.5000");
        let target = format!("{ORDERS}/{}{query}", order["order_id"].as_str().unwrap());
        assert_ne!(rig.call(1, "DELETE", &target, &Value::Null).0, 200, "another's order");
        assert_eq!(rig.call(0, "DELETE", &target, &Value::Null).0, status, "{query}");
    }
}

#[test]
fn buckets_refuse_with_the_venues_429() {
    let mut rig = Rig::with_tier(Tier::Basic);
    let mut order = rig.order(0, "bid", "1.00", "0.5000");
    order["exchange_index"] = json!(0);
    for number in 0..10 {
        order["client_order_id"] = json!(format!("b{number}"));
        assert_eq!(rig.place(0, &order).0, 201);
    }
    order["client_order_id"] = json!("late");
    assert_eq!(rig.place(0, &order), (429, json!({"error": "too many requests"})));
    let mut elsewhere = rig.order(1, "bid", "1.00", "0.5000");
    elsewhere["exchange_index"] = json!(2);
    assert_eq!(rig.place(0, &elsewhere).0, 201, "shard 2 has a bucket of its own");
    elsewhere["exchange_index"] = json!(-1);
    assert_eq!(rig.place(0, &elsewhere).0, 429, "a routed request is charged to every bucket");
    rig.wait(100);
    assert_eq!(rig.place(0, &order).0, 201);
    rig.wait(100);
    let batch: Vec<Value> = (0..2).map(|_| rig.order(0, "bid", "1.00", "0.5000")).collect();
    assert_eq!(rig.call(0, "POST", &format!("{ORDERS}/batched"), &json!({"orders": batch})).0, 429);
    assert_eq!(
        rig.get(0, "/account/limits")["write"],
        json!({"refill_rate": 100, "bucket_capacity": 100})
    );
}

#[test]
fn what_is_not_there_is_said_so() {
    let mut rig = Rig::new();
    let not_found = json!({"error": {"code": "not_found", "message": "not found"}});
    for target in [
        "/nothing",
        "/markets/NONE",
        "/events/NONE",
        "/portfolio/orders/none",
        "/portfolio/orders/c1",
    ] {
        let reply = rig.call(0, "GET", &format!("/trade-api/v2{target}"), &Value::Null);
        assert_eq!(reply, (404, not_found.clone()), "{target}");
    }
    let (status, reply) = rig.call(0, "POST", "/trade-api/v2/portfolio/orders", &json!({}));
    assert_eq!((status, &reply["error"]["code"]), (400, &json!("bad_request")), "V1 is gone");
    // The catalogue needs no key, the portfolio does.
    let path = format!("/trade-api/v2/markets/{}", TICKERS[0]);
    assert_eq!(rig.raw("GET", &path, "", &[], b"").status, 200);
    assert_eq!(rig.raw("GET", "/trade-api/v2/portfolio/orders", "", &[], b"").status, 401);
    let (status, reply) = rig.call(0, "GET", "/trade-api/v2/markets?limit=1001", &Value::Null);
    assert_eq!(status, 400);
    assert!(reply["msg"].as_str().unwrap().contains("'GetMarketsParams.Limit'"));
}
