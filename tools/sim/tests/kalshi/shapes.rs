use std::collections::BTreeSet;
use std::path::PathBuf;

use engine::payoff::Settlement;
use serde_json::{Value, json};
use sim::venue::{Side, Venue as _};

use crate::rig::{ORDERS, Rig, TICKERS};

/// The protocol's fixtures, where they are.
fn folder() -> Option<PathBuf> {
    let root = env!("CARGO_MANIFEST_DIR");
    let folder = PathBuf::from(root).join("../../../shared/protocol/fixtures/kalshi");
    if !folder.is_dir() {
        eprintln!("skipped: {} is absent", folder.display());
        return None;
    }
    Some(folder)
}

/// Every key of a value by its path; elements of a list are one.
fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = format!("{path}.{key}");
                found.insert(path.clone());
                keys(value, &path, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                keys(item, &format!("{path}[]"), found);
            }
        }
        _ => {}
    }
}

/// Our reply has the keys of the fixture, but for those named: `+` is ours alone, `-` is its alone.
fn same(fixture: &str, ours: &Value, but: &[&str]) {
    let Some(folder) = folder() else { return };
    let text = std::fs::read_to_string(folder.join(fixture)).expect(fixture);
    let theirs: Value = serde_json::from_str(&text).expect(fixture);
    let (mut expected, mut found) = (BTreeSet::new(), BTreeSet::new());
    keys(&theirs, "", &mut expected);
    keys(ours, "", &mut found);
    let more = found.difference(&expected).map(|key| format!("+{key}"));
    let less = expected.difference(&found).map(|key| format!("-{key}"));
    let differences: BTreeSet<String> = more.chain(less).collect();
    let but: BTreeSet<String> = but.iter().map(|key| (*key).to_owned()).collect();
    assert_eq!(differences, but, "{fixture}: {ours}");
}

/// A venue where everything happened: trades as taker and maker, a rest, a settlement.
fn busy() -> Rig {
    let mut rig = Rig::new();
    rig.quote(0, Side::Ask, 5_200, 700);
    rig.quote(0, Side::Bid, 4_000, 700);
    rig.quote(1, Side::Bid, 4_000, 700);
    rig.quote(2, Side::Ask, 6_000, 700);
    rig.placed(0, 0, "bid", "3.00", "0.5200");
    rig.placed(0, 2, "bid", "3.00", "0.6000");
    rig.venue.settle(rig.now, 2, Settlement::YES, &mut rig.out);
    rig
}

#[test]
fn catalogue_replies_have_the_keys_of_the_fixtures() {
    let mut rig = busy();
    same("rest_market_single.json", &rig.get(0, &format!("/markets/{}", TICKERS[0])), &[]);
    same("rest_markets_page.json", &rig.get(0, "/markets?limit=2"), &[]);
    same("rest_markets_last_page.json", &rig.get(0, "/markets?status=unopened"), &[]);
    same(
        "rest_event_with_nested_markets.json",
        &rig.get(0, "/events/KXA-1?with_nested_markets=true"),
        &[],
    );
    same("rest_series.json", &rig.get(0, "/series/KXA"), &[]);
    same("rest_orderbook.json", &rig.get(0, &format!("/markets/{}/orderbook", TICKERS[0])), &[]);
    let both = format!("/markets/orderbooks?tickers={}&tickers={}", TICKERS[0], TICKERS[1]);
    let books = rig.get(0, &both);
    assert_eq!(books["orderbooks"].as_array().unwrap().len(), 2);
    same("rest_orderbooks_batch.json", &books, &[]);
    same("rest_trades.json", &rig.get(0, "/markets/trades"), &[]);
    same("rest_exchange_status.json", &rig.get(0, "/exchange/status"), &[]);
    same("rest_exchange_schedule.json", &rig.get(0, "/exchange/schedule"), &[]);
    let items = |key: &str| {
        ["id", "series_ticker", "scheduled_ts"].map(|field| format!("-.{key}[].{field}"))
    };
    let mut none = items("series_fee_change_arr").to_vec();
    none.extend(
        ["fee_type", "fee_multiplier"].map(|field| format!("-.series_fee_change_arr[].{field}")),
    );
    let none: Vec<&str> = none.iter().map(String::as_str).collect();
    same("rest_series_fee_changes.json", &rig.get(0, "/series/fee_changes"), &none);
    let events = rig.get(0, "/events?limit=1&with_nested_markets=true");
    assert_eq!(events["events"][0]["markets"].as_array().unwrap().len(), 2);
    assert_ne!(events["cursor"], "");
    let next =
        rig.get(0, &format!("/events?limit=1&cursor={}", events["cursor"].as_str().unwrap()));
    assert_eq!(
        (&next["events"][0]["event_ticker"], &next["cursor"]),
        (&json!("KXB-1"), &json!(""))
    );
    assert_eq!(rig.get(0, "/series")["series"].as_array().unwrap().len(), 2);
}

#[test]
fn portfolio_replies_have_the_keys_of_the_fixtures() {
    let mut rig = busy();
    same("rest_balance.json", &rig.get(0, "/portfolio/balance"), &[]);
    same("rest_positions.json", &rig.get(0, "/portfolio/positions"), &[]);
    same("rest_fills.json", &rig.get(0, "/portfolio/fills"), &[]);
    same("rest_orders_list.json", &rig.get(0, "/portfolio/orders"), &[]);
    same("rest_settlements.json", &rig.get(0, "/portfolio/settlements"), &[]);
    // A grant of ours does not end.
    same("rest_account_limits.json", &rig.get(0, "/account/limits"), &["-.grants[].expires_ts"]);
    same("rest_account_endpoint_costs.json", &rig.get(0, "/account/endpoint_costs"), &[]);
    let id = rig.get(0, "/portfolio/orders")["orders"][0]["order_id"].clone();
    let order = rig.get(0, &format!("/portfolio/orders/{}", id.as_str().unwrap()));
    same("rest_orders_list.json", &json!({"cursor": "", "orders": [order["order"]]}), &[]);
    assert!(rig.get(0, "/exchange/user_data_timestamp")["as_of_time"].is_string());
    assert_eq!(rig.get(0, "/api_keys")["api_keys"][0]["api_key_id"], "key-0");
}

#[test]
fn order_replies_have_the_keys_of_the_fixtures() {
    let mut rig = Rig::new();
    let resting = rig.placed(0, 0, "bid", "10.00", "0.5600");
    same("rest_create_order_response_resting.json", &resting, &[]);
    let id = resting["order_id"].as_str().unwrap().to_owned();
    let decrease = json!({"reduce_by": "2.00", "exchange_index": 0});
    let (_, reply) = rig.call(0, "POST", &format!("{ORDERS}/{id}/decrease"), &decrease);
    same("rest_decrease_order_response.json", &reply, &[]);
    let amend = json!({"ticker": TICKERS[0], "side": "bid", "price": "0.5700", "count": "8.00", "exchange_index": 0});
    let (_, reply) = rig.call(0, "POST", &format!("{ORDERS}/{id}/amend"), &amend);
    same("rest_amend_order_response.json", &reply, &[]);
    let (_, reply) =
        rig.call(0, "DELETE", &format!("{ORDERS}/{id}?exchange_index=0"), &Value::Null);
    same("rest_cancel_order_response.json", &reply, &[]);

    rig.quote(0, Side::Ask, 5_200, 600);
    let mut ioc = rig.order(0, "bid", "1.00", "0.9900");
    ioc["time_in_force"] = json!("immediate_or_cancel");
    same("rest_create_order_response_ioc_filled.json", &rig.place(0, &ioc).1, &[]);
    let mut ioc = rig.order(0, "bid", "1.00", "0.0100");
    ioc["time_in_force"] = json!("immediate_or_cancel");
    same("rest_create_order_response_zero_fill_201.json", &rig.place(0, &ioc).1, &[]);

    let (rest, take) =
        (rig.order(0, "bid", "1.00", "0.0100"), rig.order(0, "bid", "5.00", "0.5900"));
    let mut cross = rig.order(0, "ask", "1.00", "0.0100");
    cross["post_only"] = json!(true);
    let (_, reply) =
        rig.call(0, "POST", &format!("{ORDERS}/batched"), &json!({"orders": [rest, take, cross]}));
    same("rest_batch_create_response_partial_error.json", &reply, &[]);
    let cancels =
        json!({"orders": [{"order_id": reply["orders"][0]["order_id"]}, {"order_id": "none"}]});
    let (_, reply) = rig.call(0, "DELETE", &format!("{ORDERS}/batched"), &cancels);
    same("rest_batch_cancel_response.json", &reply, &[]);
    let group = json!({"contracts_limit_fp": "150.00", "subaccount": 0, "exchange_index": 0});
    let (_, reply) = rig.call(0, "POST", "/trade-api/v2/portfolio/order_groups/create", &group);
    same("rest_order_group_create_response.json", &reply, &[]);
}

#[test]
fn frames_have_the_keys_of_the_fixtures() {
    let mut rig = Rig::new();
    rig.quote(0, Side::Bid, 4_000, 500);
    rig.quote(0, Side::Ask, 4_400, 1_777);
    rig.quote(1, Side::Bid, 4_000, 500);
    let client = rig.connect(0, 1);
    let channels = [
        "orderbook_delta",
        "ticker",
        "trade",
        "fill",
        "user_orders",
        "market_positions",
        "market_lifecycle_v2",
        "order_group_updates",
    ];
    let subscribe = json!({"id": 1, "cmd": "subscribe", "params": {"channels": channels, "market_tickers": [TICKERS[0], TICKERS[1]]}});
    let frames = rig.say(client, &subscribe);
    same("ws_subscribed.json", &frames[0], &[]);
    let snapshots: Vec<&Value> =
        frames.iter().filter(|frame| frame["type"] == "orderbook_snapshot").collect();
    same("ws_orderbook_snapshot.json", snapshots[0], &[]);
    same("ws_orderbook_snapshot_one_side_absent.json", snapshots[1], &[]);
    let ask = json!({"id": 127, "cmd": "update_subscription", "params": {"sids": [1], "market_tickers": [TICKERS[0]], "action": "get_snapshot"}});
    same("ws_orderbook_snapshot_get_snapshot_reply.json", &rig.say(client, &ask)[0], &[]);
    let more = json!({"id": 123, "cmd": "update_subscription", "params": {"sids": [1], "market_tickers": [TICKERS[2]], "action": "add_markets"}});
    same("ws_ok_update_subscription.json", &rig.say(client, &more)[0], &[]);
    let list = rig.say(client, &json!({"id": 3, "cmd": "list_subscriptions"}));
    same("ws_ok_list_subscriptions.json", &list[0], &[]);
    let wrong =
        rig.say(client, &json!({"id": 123, "cmd": "unsubscribe", "params": {"sids": [77]}}));
    same("ws_error_command.json", &wrong[0], &[]);

    rig.quote(0, Side::Bid, 3_900, 500);
    // Our sending time is on every frame of data; some fixtures are without it.
    let sent = "+.sending_ts_ms";
    same("ws_orderbook_delta.json", &rig.heard(client)[0], &[]);
    let groups = json!({"contracts_limit_fp": "150.00"});
    let (_, group) = rig.call(0, "POST", "/trade-api/v2/portfolio/order_groups/create", &groups);
    same("ws_order_group_updates.json", &rig.heard(client)[0], &[sent]);
    let mut order = rig.order(0, "bid", "20.00", "0.4400");
    order["order_group_id"] = group["order_group_id"].clone();
    order["expiration_time"] = json!(rig.now.0 / 1_000_000_000 + 60);
    rig.place(0, &order);
    let frames = rig.heard(client);
    let of = |kind: &str| frames.iter().find(|frame| frame["type"] == kind).expect(kind);
    same("ws_trade.json", of("trade"), &[sent]);
    same("ws_fill.json", of("fill"), &[]);
    same("ws_ticker.json", of("ticker"), &[]);
    same("ws_market_position.json", of("market_position"), &[sent]);
    let own = |frame: &&Value| frame["type"] == "orderbook_delta" && frame["msg"]["side"] == "yes";
    let own = frames.iter().find(own).unwrap();
    same("ws_orderbook_delta_own_order_fractional.json", own, &["+.msg.ts"]);
    let updated = ["+.msg.last_update_reason", "+.msg.last_updated_ts_ms", sent];
    same("ws_user_order_resting.json", of("user_order"), &updated);
    rig.wait(60_000);
    let frames = rig.heard(client);
    let canceled = frames.iter().find(|frame| frame["type"] == "user_order").unwrap();
    same("ws_user_order_canceled.json", canceled, &[sent]);

    rig.venue.pause(rig.now, 0, true, &mut rig.out);
    let paused = rig.heard(client);
    let paused = paused.iter().find(|frame| frame["type"] == "market_lifecycle_v2").unwrap();
    same("ws_market_lifecycle_deactivated.json", paused, &[sent]);
    rig.venue.close(rig.now, 2, &mut rig.out);
    let closed = rig.heard(client);
    let closed = closed.iter().find(|frame| frame["type"] == "market_lifecycle_v2").unwrap();
    same("ws_market_lifecycle_close_date_updated.json", closed, &[sent]);
    rig.venue.settle(rig.now, 0, Settlement::YES, &mut rig.out);
    let settled = rig.heard(client);
    let settled = settled.iter().find(|frame| frame["msg"]["event_type"] == "determined").unwrap();
    same("ws_market_lifecycle_determined.json", settled, &[sent]);
    rig.venue.override_fee(rig.now, "KXA-1", None, &mut rig.out);
    same("ws_event_fee_update_cleared.json", &rig.heard(client)[0], &[sent]);
    let gone = rig.say(client, &json!({"id": 102, "cmd": "unsubscribe", "params": {"sids": [1]}}));
    same("ws_unsubscribed.json", &gone[0], &[]);
}

/// The fixtures of requests are read as orders: they fail for their market alone.
#[test]
fn request_fixtures_are_understood() {
    let Some(folder) = folder() else { return };
    let mut rig = Rig::new();
    for name in ["rest_create_order_request.json", "rest_create_order_request_ioc_buy_no.json"] {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let mut order: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(rig.place(0, &order).1["error"]["code"], "market_not_found", "{name}");
        order["ticker"] = json!(TICKERS[0]);
        assert_eq!(rig.place(0, &order).0, 201, "{name}");
    }
}
