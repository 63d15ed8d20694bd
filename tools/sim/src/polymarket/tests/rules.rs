//! What the venue refuses, in its own words.

use super::*;

/// What one order is told, and the venue after it.
fn refusal(venue: &mut Polymarket, trader: &Trader, body: &Value) -> (u16, String) {
    let out = &mut Outbox::default();
    let (status, answer) = trader.send(venue, START, "POST", "/order", body, out);
    (status, answer["error"].as_str().unwrap_or_default().to_owned())
}

fn error(venue: &mut Polymarket, trader: &Trader, body: &Value) -> String {
    let (status, text) = refusal(venue, trader, body);
    assert_eq!(status, 400, "{text}");
    text
}

#[test]
fn identities_must_fit() {
    let (mut venue, [eoa, safe, deposit]) = venue();
    let owner = "the order owner has to be the owner of the API KEY";
    let signer = "the order signer address has to be the address of the API KEY";
    let mut body = eoa.order(&venue, 0, YES, "BUY", 2_500_000, 5_000_000, "GTC");
    body["owner"] = json!(safe.api().key);
    assert_eq!(error(&mut venue, &eoa, &body), owner);
    let body = eoa.order(&venue, 0, YES, "BUY", 2_500_000, 5_000_000, "GTC");
    let stolen = {
        let mut body = body.clone();
        body["owner"] = json!(safe.api().key);
        body
    };
    assert_eq!(error(&mut venue, &safe, &stolen), signer);
    let mut dearer = body.clone();
    dearer["order"]["makerAmount"] = json!("2600000");
    assert_eq!(error(&mut venue, &eoa, &dearer), "invalid signature");
    // Made for the exchange of another version, and for the other one of the same version.
    let mut moved = eoa.order(&venue, 2, YES, "BUY", 2_500_000, 5_000_000, "GTC");
    moved["order"]["tokenId"] = json!(spec(0).tokens[0]);
    let wrong = eoa.signed(&venue, 2, moved.clone());
    assert_eq!(error(&mut venue, &eoa, &wrong), "order_version_mismatch");
    let wrong = eoa.signed(&venue, 1, moved);
    assert_eq!(error(&mut venue, &eoa, &wrong), "invalid signature");
    // A Safe that is not the signer's, a deposit wallet whose order names the EOA.
    let mut foreign = safe.order(&venue, 0, YES, "BUY", 2_500_000, 5_000_000, "GTC");
    foreign["order"]["maker"] = json!(format!("0x{}", "11".repeat(20)));
    let foreign = safe.signed(&venue, 0, foreign);
    assert_eq!(error(&mut venue, &safe, &foreign), "invalid signature");
    let mut plain = deposit.order(&venue, 0, YES, "BUY", 2_500_000, 5_000_000, "GTC");
    plain["order"]["signer"] = json!(eip712::hex(&deposit.address));
    let plain = deposit.signed(&venue, 0, plain);
    assert_eq!(error(&mut venue, &deposit, &plain), signer);
    for (trader, market) in [(&eoa, 0), (&safe, 1), (&deposit, 2)] {
        let body = trader.order(&venue, market, NO, "BUY", 2_500_000, 5_000_000, "GTC");
        assert_eq!(refusal(&mut venue, trader, &body).0, 200);
    }
}

#[test]
fn orders_must_keep_the_rules() {
    let (mut venue, [eoa, _, _]) = venue();
    quote(&mut venue, 0, Side::Ask, 1_000, 1_000);
    let order = |venue: &Polymarket, side: &str, maker, taker, kind: &str| {
        eoa.order(venue, 0, YES, side, maker, taker, kind)
    };
    let cases = [
        ("BUY", 515_000, 10_000_000, "GTC", "Price (0.0515) breaks minimum tick size rule: 0.01"),
        ("BUY", 200_000, 4_000_000, "GTC", "Size (4) lower than the minimum: 5"),
        ("BUY", 500_000, 5_000_000, "GTC", "a marketable BUY order ($0.5), min size: $1"),
        ("BUY", 1_111_100, 5_000_000, "FAK", "market buy orders maker amount supports a max"),
        ("SELL", 19_690_000, 4_331_900, "GTC", "a $0.22 order of size 19.69 should be '4.3318'"),
        ("SELL", 100_010_000, 50_005_000, "GTC", "not enough balance / allowance"),
        ("BUY", 1_000_000_000, 2_000_000_000, "GTC", "not enough balance / allowance"),
        ("SELL", 50_000_000, 25_000_000, "FOK", "FOK orders are fully filled or killed."),
        ("SELL", 50_000_000, 25_000_000, "FAK", "no orders found to match with FAK order."),
    ];
    for (side, maker, taker, kind, said) in cases {
        let body = order(&venue, side, maker, taker, kind);
        let text = error(&mut venue, &eoa, &body);
        assert!(text.contains(said), "{text}");
    }
    let mut body = order(&venue, "BUY", 250_000, 5_000_000, "GTC");
    body["order"]["expiration"] = json!("1795000300");
    assert_eq!(error(&mut venue, &eoa, &body), "invalid expiration");
    body["orderType"] = json!("GTD");
    body["order"]["expiration"] = json!("1795000179");
    assert_eq!(error(&mut venue, &eoa, &body), "invalid expiration");
    body["order"]["expiration"] = json!("1795000180");
    assert_eq!(refusal(&mut venue, &eoa, &body), (200, String::new()));
    let id = eoa.id(&venue, 0, &body);
    assert_eq!(error(&mut venue, &eoa, &body), format!("order {id} is invalid. Duplicated."));
    assert_eq!(venue.next_due(), Some(START.after(Ns::from_ms(120_000))), "a minute early");
    wait_out(&mut venue);
    let (_, row) = eoa.get(&mut venue, START, &format!("/data/order/{id}"), "");
    assert_eq!(row["status"], "CANCELED_EXPIRED_ORDER");
    let mut body = order(&venue, "BUY", 5_000_000, 10_000_000, "GTC");
    body["postOnly"] = json!(true);
    let crosses = "invalid post-only order: order crosses book";
    assert_eq!(error(&mut venue, &eoa, &body), crosses);
    let mut unknown = order(&venue, "BUY", 5_000_000, 10_000_000, "GTC");
    unknown["order"]["tokenId"] = json!("7");
    assert_eq!(error(&mut venue, &eoa, &unknown), "the orderbook 7 does not exist");
    venue.pause(START, 0, true, &mut Outbox::default());
    let body = order(&venue, "BUY", 5_000_000, 10_000_000, "GTC");
    let text = error(&mut venue, &eoa, &body);
    assert_eq!(text, "the market is not yet ready to process new orders");
}

#[test]
fn a_buy_needs_its_fee_on_top() {
    let (mut venue, [eoa, _, _]) = venue();
    quote(&mut venue, 0, Side::Ask, 5_000, 10_000);
    // 2,000 shares at 0.50 are all the money; the fee of 1,961 is 19.61.
    let all = eoa.order(&venue, 0, YES, "BUY", 1_000_000_000, 2_000_000_000, "FAK");
    assert_eq!(error(&mut venue, &eoa, &all), "not enough balance / allowance");
    let fits = eoa.order(&venue, 0, YES, "BUY", 980_000_000, 1_960_000_000, "FAK");
    assert_eq!(refusal(&mut venue, &eoa, &fits).0, 200);
    assert_eq!(cash(&venue, 0), 1_000_000_000 - 980_000_000 - 19_600_000);
}

#[test]
fn modes_refuse_as_the_venue_does() {
    let (mut venue, [eoa, _, _]) = venue();
    let out = &mut Outbox::default();
    let body = eoa.order(&venue, 0, YES, "BUY", 2_500_000, 5_000_000, "GTC");
    venue.restart(START);
    let reply = eoa.reply(&mut venue, START, "POST", "/order", "", &body, out);
    assert_eq!((reply.status, &reply.headers[0]), (425, &("Retry-After", "1".to_owned())));
    let after = START.after(Ns::from_ms(91_000));
    let reply = eoa.reply(&mut venue, after, "POST", "/order", "", &body, out);
    assert!(reply.headers.contains(&("Retry-After", "119".to_owned())), "{:?}", reply.headers);
    let said: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((reply.status, &said["code"]), (503, &json!("post_only_mode")));
    let (status, mixed) = eoa.send(&mut venue, after, "POST", "/orders", &json!([body]), out);
    assert_eq!((status, &mixed[0]["success"]), (200, &json!(true)));
    assert_ne!(mixed[0]["errorMsg"], "");
    let mut rests = body.clone();
    rests["postOnly"] = json!(true);
    assert_eq!(eoa.send(&mut venue, after, "POST", "/order", &rests, out).0, 200);
    venue.set_cancel_only(true);
    let later = START.after(Ns::from_ms(300_000));
    let body = eoa.order(&venue, 0, YES, "BUY", 2_500_000, 5_000_000, "GTC");
    assert_eq!(eoa.send(&mut venue, later, "POST", "/order", &body, out).0, 503);
    let (status, answer) = eoa.send(&mut venue, later, "DELETE", "/cancel-all", &Value::Null, out);
    assert_eq!((status, answer["canceled"].as_array().unwrap().len()), (200, 1));
    let id = &answer["canceled"][0];
    let (_, answer) = eoa.send(&mut venue, later, "DELETE", "/orders", &json!([id]), out);
    assert_eq!(answer["not_canceled"][id.as_str().unwrap()], "already canceled or matched");
}

#[test]
fn a_signer_has_sixty_orders_at_once() {
    let (mut venue, [eoa, _, _]) = venue();
    let out = &mut Outbox::default();
    let batch: Vec<Value> = (0..15).map(|_| json!({})).collect();
    for _ in 0..4 {
        let (status, _) = eoa.send(&mut venue, START, "POST", "/orders", &json!(batch), out);
        assert_eq!(status, 200);
    }
    let reply = eoa.reply(&mut venue, START, "POST", "/order", "", &json!({}), out);
    assert_eq!(reply.status, 429);
    assert!(reply.headers.contains(&("Poly-RateLimit-Tier", "standard".to_owned())));
    venue.set_rate_limits(false);
    assert_eq!(eoa.send(&mut venue, START, "POST", "/order", &json!({}), out).0, 400);
    let (status, _) = eoa.send(&mut venue, START, "POST", "/orders", &json!([]), out);
    assert_eq!(status, 400, "an empty batch");
}

#[test]
fn a_missed_heartbeat_cancels() {
    let (mut venue, [eoa, _, _]) = venue();
    let out = &mut Outbox::default();
    let body = eoa.order(&venue, 0, YES, "BUY", 2_500_000, 5_000_000, "GTC");
    eoa.send(&mut venue, START, "POST", "/order", &body, out);
    let beat = |venue: &mut Polymarket, now, id: &Value| {
        let body = json!({ "heartbeat_id": id });
        eoa.send(venue, now, "POST", "/v1/heartbeats", &body, &mut Outbox::default())
    };
    let (_, first) = beat(&mut venue, START, &json!(""));
    let later = START.after(Ns::from_ms(10_000));
    let (status, wrong) = beat(&mut venue, later, &json!("x"));
    assert_eq!((status, &wrong["heartbeat_id"]), (400, &first["heartbeat_id"]));
    let (status, second) = beat(&mut venue, later, &first["heartbeat_id"]);
    assert_eq!(status, 200);
    assert_ne!(first, second);
    venue.tick(later.after(Ns::from_ms(14_999)), out);
    assert_eq!(eoa.get(&mut venue, later, "/data/orders", "").1["count"], 1);
    venue.tick(later.after(Ns::from_ms(15_000)), out);
    assert_eq!(eoa.get(&mut venue, later, "/data/orders", "").1["count"], 0);
}

/// Every key of the fixture is there, with a value of the same JSON type, and no other key.
fn same_form(got: &Value, fixture: &str) {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/protocol/fixtures/polymarket/");
    let Ok(bytes) = std::fs::read(format!("{path}{fixture}")) else {
        eprintln!("skipped: {path}{fixture} is absent");
        return;
    };
    compare(got, &serde_json::from_slice(&bytes).unwrap(), fixture);
}

fn compare(got: &Value, want: &Value, at: &str) {
    match (got, want) {
        (Value::Object(got), Value::Object(want)) => {
            // Left out where they say nothing, or for a person only.
            const FREE: [&str; 7] =
                ["transaction_hash", "itode", "sd", "fd", "$schema", "next_cursor", "secondsDelay"];
            let keys = |map: &serde_json::Map<String, Value>| {
                let kept = map.keys().filter(|key| !FREE.contains(&key.as_str()));
                kept.cloned().collect::<std::collections::BTreeSet<String>>()
            };
            assert_eq!(keys(got), keys(want), "{at}");
            for (key, value) in want {
                // A map by id, and a fee that this market has not.
                if key != "not_canceled" && got.contains_key(key) {
                    compare(&got[key], value, &format!("{at}.{key}"));
                }
            }
        }
        (Value::Array(got), Value::Array(want)) => {
            if let (Some(got), Some(want)) = (got.first(), want.first()) {
                compare(got, want, &format!("{at}[0]"));
            }
        }
        _ => assert!(
            want.is_null() || std::mem::discriminant(got) == std::mem::discriminant(want),
            "{at}: {got} where the venue sends {want}"
        ),
    }
}

#[test]
fn answers_and_events_have_the_venues_form() {
    let (mut venue, [eoa, safe, _]) = venue();
    let out = &mut Outbox::default();
    quote(&mut venue, 0, Side::Ask, 5_300, 100);
    quote(&mut venue, 0, Side::Bid, 5_100, 100);
    let mut told = frames(&listen(&mut venue, 0, true), MARKET_SOCKET);
    same_form(&told[0], "ws_book.json");
    same_form(&eoa.api().json(), "rest_api_key.json");
    open_socket(&mut venue, USER_SOCKET, "/ws/user", &eoa.hello());

    let body = eoa.order(&venue, 0, YES, "BUY", 5_000_000, 10_000_000, "GTC");
    let (_, live) = eoa.send(&mut venue, START, "POST", "/order", &body, out);
    same_form(&live, "rest_post_order_response_live.json");
    let orders = eoa.get(&mut venue, START, "/data/orders", "market=&next_cursor=MA%3D%3D").1;
    same_form(&orders, "rest_open_orders_page.json");
    let cancel = json!({ "orderID": live["orderID"] });
    let (_, gone) = eoa.send(&mut venue, START, "DELETE", "/order", &cancel, out);
    same_form(&gone, "rest_cancel_response.json");
    let body = eoa.order(&venue, 0, YES, "BUY", 5_300_000, 10_000_000, "FOK");
    let (_, matched) = eoa.send(&mut venue, START, "POST", "/order", &body, out);
    same_form(&matched, "rest_post_order_response_matched.json");
    let body = eoa.order(&venue, 0, YES, "BUY", 530_000_000, 1_000_000_000, "FOK");
    let (_, killed) = eoa.send(&mut venue, START, "POST", "/order", &body, out);
    same_form(&killed, "rest_error_400_fok.json");
    let trades = eoa.get(&mut venue, START, "/data/trades", "").1;
    same_form(&trades, "rest_trades_page.json");
    assert_eq!(safe.get(&mut venue, START, "/data/trades", "").1["count"], 0, "not its trade");
    let events = frames(out, USER_SOCKET);
    let kinds: Vec<&Value> = events.iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["PLACEMENT", "CANCELLATION", "TRADE", "UPDATE", "CANCELLATION"]);
    let forms = ["order_placement", "order_cancellation", "trade_matched", "order_update_matched"];
    for (event, form) in events.iter().zip(forms.into_iter().chain(["order_fok_killed"])) {
        same_form(event, &format!("ws_user_{form}.json"));
    }
    for event in wait_out(&mut venue) {
        same_form(&event, "ws_user_trade_confirmed.json");
    }

    let mut get = |path: &str, query: &str| eoa.get(&mut venue, START, path, query).1;
    let (token, condition) = (format!("token_id={}", spec(0).tokens[0]), spec(0).condition_id);
    same_form(&get("/book", &token), "rest_book.json");
    same_form(&get("/tick-size", &token), "rest_tick_size.json");
    same_form(&get("/neg-risk", &token), "rest_neg_risk.json");
    same_form(&get("/fee-rate", &token), "rest_fee_rate.json");
    same_form(&get("/version", ""), "rest_version.json");
    same_form(&get("/api/geoblock", ""), "rest_geoblock.json");
    same_form(&get(&format!("/clob-markets/{condition}"), ""), "rest_clob_market_info.json");
    let by_token = format!("/markets-by-token/{}", spec(0).tokens[1]);
    same_form(&get(&by_token, ""), "rest_markets_by_token.json");
    let collateral = get("/balance-allowance", "asset_type=COLLATERAL&signature_type=0");
    same_form(&collateral, "rest_balance_allowance.json");
    assert_eq!(collateral["balance"], cash(&venue, 0).to_string());
    let mut get = |path: &str, query: &str| eoa.get(&mut venue, START, path, query).1;
    same_form(&get("/markets/500", ""), "gamma_market_v1.json");
    same_form(&get("/markets/slug/will-2-happen", ""), "gamma_market_v2.json");
    let page = get("/markets/keyset", "closed=false&limit=2");
    same_form(&page, "gamma_markets_keyset.json");
    let next = format!("limit=2&after_cursor={}", page["next_cursor"].as_str().unwrap());
    let last = get("/markets/keyset", &next);
    assert_eq!((last["markets"].as_array().unwrap().len(), last.get("next_cursor")), (1, None));
    assert_eq!(get("/markets", "condition_ids=0x0&version=v1"), json!([]));
    assert_eq!(get(&format!("/markets/{condition}"), "")["tokens"][0]["outcome"], "Yes");
    assert_eq!(get("/markets", "next_cursor=MA%3D%3D")["count"], 3);
    assert_eq!(get("/midpoint", &token)["mid"], "0.52");
    assert_eq!(get("/price", &format!("{token}&side=BUY"))["price"], "0.51");
    assert_eq!(get("/time", ""), json!(1_795_000_000));

    told = frames(&quote(&mut venue, 0, Side::Bid, 5_200, 10), MARKET_SOCKET);
    same_form(&told[0], "ws_price_change.json");
    same_form(&told[1], "ws_best_bid_ask.json");
    let out = &mut Outbox::default();
    venue.list_market(&spec(8), START, out);
    venue.settle(START, 0, Settlement::YES, out);
    told = frames(out, MARKET_SOCKET);
    same_form(&told[0], "ws_new_market.json");
    same_form(told.last().unwrap(), "ws_market_resolved.json");
    assert_eq!(told.last().unwrap()["winning_asset_id"], spec(0).tokens[0].as_str());
}

#[test]
fn a_market_that_closes_early_takes_no_orders_and_settles_later() {
    let (mut venue, [eoa, safe, _]) = venue();
    let mut out = Outbox::default();
    quote(&mut venue, 0, Side::Ask, 5_200, 100);
    quote(&mut venue, 1, Side::Ask, 5_200, 100);
    let rests = eoa.order(&venue, 0, YES, "BUY", 5_000_000, 10_000_000, "GTC");
    eoa.send(&mut venue, START, "POST", "/order", &rests, &mut out);
    let waits = safe.order(&venue, 1, YES, "BUY", 5_200_000, 10_000_000, "FAK");
    let (_, answer) = safe.send(&mut venue, START, "POST", "/order", &waits, &mut out);
    assert_eq!(answer["status"], "delayed");
    listen(&mut venue, 0, true);
    open_socket(&mut venue, USER_SOCKET, "/ws/user", &eoa.hello());
    out.pushes.clear();
    assert!(venue.close(START, 0, &mut out) && venue.close(START, 1, &mut out));
    let told = frames(&out, USER_SOCKET);
    assert_eq!(
        (&told[0]["type"], &told[0]["status"]),
        (&json!("CANCELLATION"), &json!("CANCELED"))
    );
    let told = frames(&out, MARKET_SOCKET);
    assert!(kinds(&told).iter().all(|kind| ["price_change", "best_bid_ask"].contains(kind)));
    assert_eq!(told.last().unwrap()["best_ask"], "1", "nothing is left of the book");
    quote(&mut venue, 0, Side::Ask, 5_200, 100);
    assert_eq!(venue.markets[0].book.best(Side::Ask), None, "makers have left");

    venue.pause(START, 0, true, &mut out);
    venue.pause(START, 0, false, &mut out);
    let late = eoa.order(&venue, 0, YES, "BUY", 5_200_000, 10_000_000, "FAK");
    let text = error(&mut venue, &eoa, &late);
    assert_eq!(text, "the market is not yet ready to process new orders");
    let (_, row) = eoa.get(&mut venue, START, &format!("/markets/{}", spec(0).condition_id), "");
    assert_eq!((&row["closed"], &row["accepting_orders"]), (&json!(false), &json!(false)));
    let (_, row) = eoa.get(&mut venue, START, "/markets/slug/will-0-happen", "");
    assert_eq!((&row["closed"], &row["acceptingOrders"]), (&json!(false), &json!(false)));
    wait_out(&mut venue);
    assert_eq!((cash(&venue, 0), cash(&venue, 1)), (1_000_000_000, 1_000_000_000), "nobody traded");
    assert!(!venue.close(START, 0, &mut out), "once");
    venue.settle(START, 0, Settlement::YES, &mut out);
    assert_eq!(cash(&venue, 0), 1_000_000_000 + 100_000_000);
    assert!(!venue.close(START, 0, &mut out));
}

#[test]
fn a_void_market_pays_a_part_of_every_token_and_has_no_single_winner() {
    let (mut venue, [eoa, _, _]) = venue();
    let mut out = Outbox::default();
    quote(&mut venue, 0, Side::Ask, 5_200, 100);
    let takes = eoa.order(&venue, 0, YES, "BUY", 5_600_000, 10_769_200, "FAK");
    eoa.send(&mut venue, START, "POST", "/order", &takes, &mut out);
    let (held, before) = ([YES, NO].map(|token| shares(&venue, 0, token)), cash(&venue, 0));
    let all = |venue: &Polymarket| {
        let accounts: i64 = (0..3).map(|number| cash(venue, number)).sum();
        accounts + venue.house.cash.total
    };
    let (money, owed) = (all(&venue), venue.house.of((0, YES)).total);
    assert_eq!((held, owed), ([110_769_230, 100_000_000], -10_769_230));
    listen(&mut venue, 0, true);
    out.pushes.clear();
    venue.settle(START, 0, Settlement::split(Px::lit(3_333)), &mut out);
    // 110.76923 x 0.3333 is 36.919384359, and 100 x 0.6667 is 66.67.
    assert_eq!(cash(&venue, 0), before + 36_919_384 + 66_670_000);
    // A hundred pairs of each account pay a dollar each; who sold what was not there pays for it.
    assert_eq!(all(&venue), money + 3 * 100_000_000);
    let told = frames(&out, MARKET_SOCKET);
    same_form(told.last().unwrap(), "ws_market_resolved.json");
    assert_eq!(told.last().unwrap()["winning_asset_id"], "");
    let settled = &venue.ledger()["markets"][0];
    assert_eq!((&settled["settled"], &settled["yes_pays_e4"]), (&json!("void"), &json!(3_333)));

    venue.settle(START, 1, Settlement::split(Px::lit(5_000)), &mut out);
    venue.settle(START, 2, Settlement::NO, &mut out);
    let mut market = |number: u64| {
        let path = format!("/markets/{}", spec(number).condition_id);
        let long = eoa.get(&mut venue, START, &path, "").1;
        let tokens = [0, 1].map(|at| long["tokens"][at].clone());
        let winners = tokens.clone().map(|token| token["winner"].as_bool().unwrap());
        let prices = tokens.map(|token| token["price"].to_string());
        assert_eq!((&long["closed"], &long["accepting_orders"]), (&json!(true), &json!(false)));
        let path = format!("/markets/slug/will-{number}-happen");
        let gamma = eoa.get(&mut venue, START, &path, "").1;
        assert_eq!(
            (&gamma["closed"], &gamma["umaResolutionStatus"]),
            (&json!(true), &json!("resolved"))
        );
        let halves = long["is_50_50_outcome"].as_bool().unwrap();
        (winners, prices.join(" "), halves, gamma["outcomePrices"].as_str().unwrap().to_owned())
    };
    let told = |winners, prices: &str, halves, gamma: &str| {
        (winners, prices.to_owned(), halves, gamma.to_owned())
    };
    assert_eq!(market(0), told([true, true], "0.3333 0.6667", false, r#"["0.3333","0.6667"]"#));
    assert_eq!(market(1), told([true, true], "0.5 0.5", true, r#"["0.5","0.5"]"#));
    assert_eq!(market(2), told([false, true], "0 1", false, r#"["0","1"]"#));
}
