use engine::payoff::Settlement;
use engine::units::{Ns, Px};
use serde_json::{Value, json};
use sim::venue::{Side, Venue as _};

use crate::rig::{ORDERS, Rig, START, TICKERS};

#[test]
fn an_ioc_takes_the_better_price_and_pays_the_recorded_fee() {
    let mut rig = Rig::new();
    rig.quote(0, Side::Ask, 5_200, 100);
    let mut order = rig.order(0, "bid", "1.00", "0.9900");
    order["time_in_force"] = json!("immediate_or_cancel");
    let (status, reply) = rig.place(0, &order);
    assert_eq!(status, 201);
    assert_eq!((&reply["fill_count"], &reply["remaining_count"]), (&json!("1.00"), &json!("0.00")));
    assert_eq!(reply["average_fill_price"], "0.5200");
    assert_eq!(reply["average_fee_paid"], "0.0175");
    assert_eq!(rig.cash(0, 0), 100_000_000 - 537_500);
    assert_eq!(rig.get(0, "/portfolio/fills")["fills"][0]["fee_cost"], "0.017500");
    // The same through a broker.
    rig.quote(0, Side::Ask, 5_200, 100);
    rig.placed(1, 0, "bid", "1.00", "0.5200");
    assert_eq!(rig.cash(1, 0), 100_000_000 - 540_000);
    let order = &rig.get(1, "/portfolio/orders?status=executed")["orders"][0];
    assert_eq!(order["taker_fees_dollars"], "0.020000");
}

#[test]
fn ten_small_fills_of_one_order_cost_what_a_large_one_does() {
    let mut rig = Rig::new();
    for _ in 0..10 {
        // Ten queue places: makers' own quantity would merge.
        rig.placed(1, 0, "ask", "1.00", "0.5200");
    }
    rig.placed(0, 0, "bid", "10.00", "0.5200");
    assert_eq!(rig.cash(0, 0), 100_000_000 - 5_200_000 - 174_800);
    assert_eq!(rig.get(0, "/portfolio/fills?limit=3")["fills"].as_array().unwrap().len(), 3);
}

#[test]
fn makers_pay_where_the_series_says_so() {
    let mut rig = Rig::new();
    rig.placed(0, 2, "bid", "100.00", "0.30");
    rig.placed(1, 2, "ask", "100.00", "0.3000");
    assert_eq!(rig.cash(0, 0), 100_000_000 - 30_367_500);
    assert_eq!(rig.ledger(0)["fills"][0]["fee"], 367_500);
    assert_eq!(rig.ledger(0)["fills"][0]["is_taker"], false);
}

#[test]
fn price_comes_before_time_and_time_before_the_rest() {
    let mut rig = Rig::new();
    rig.quote(0, Side::Ask, 5_000, 300);
    rig.placed(1, 0, "ask", "2.00", "0.5000");
    rig.placed(1, 0, "ask", "1.00", "0.4900");
    rig.placed(0, 0, "bid", "5.00", "0.5000");
    let prices: Vec<i64> = rig.ledger(0)["fills"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fill| fill["price_e4"].as_i64().unwrap())
        .collect();
    assert_eq!(prices, [4_900, 5_000, 5_000]);
    assert_eq!(rig.level(0, "no_dollars", "0.5000").as_deref(), Some("1.00"));
    // The makers were first at 0.50: all that is left there is the member's.
    assert_eq!(rig.venue.quoted(0, Side::Ask, engine::units::Px::lit(5_000)).e2(), 0);
}

#[test]
fn buying_no_nets_and_settlement_pays_the_rest() {
    let mut rig = Rig::new();
    let before = rig.money();
    rig.quote(0, Side::Ask, 4_000, 10_000);
    rig.placed(0, 0, "bid", "10.00", "0.4000");
    let paid = rig.cash(0, 0);
    rig.quote(0, Side::Ask, 4_000, 0);
    rig.quote(0, Side::Bid, 4_500, 10_000);
    rig.placed(0, 0, "ask", "15.00", "0.4500");
    // Ten pairs give ten dollars back; five NO are left at 0.55 each.
    let fee = 7 * 1_500 * 4_500 * 5_500_i64 / 1_000_000;
    let moved = rig.cash(0, 0) - paid;
    assert!((0..100).contains(&(10_000_000 - 8_250_000 - fee - moved)), "{moved} and fee {fee}");
    let position = &rig.get(0, "/portfolio/positions")["market_positions"][0];
    assert_eq!(
        (&position["position_fp"], &position["market_exposure_dollars"]),
        (&json!("-5.00"), &json!("2.750000"))
    );
    assert_eq!(position["realized_pnl_dollars"], "0.500000");
    let before_settling = rig.cash(0, 0);
    rig.venue.settle(rig.now, 0, Settlement::NO, &mut rig.out);
    assert_eq!(rig.cash(0, 0), before_settling + 5_000_000);
    assert_eq!(rig.money(), before);
    let settled = &rig.get(0, "/portfolio/settlements")["settlements"][0];
    assert_eq!((&settled["revenue"], &settled["no_count_fp"]), (&json!(500), &json!("5.00")));
    assert_eq!(rig.get(0, "/portfolio/positions")["market_positions"], json!([]));
    assert_eq!(rig.get(0, &format!("/markets/{}", TICKERS[0]))["market"]["result"], "no");
}

#[test]
fn a_void_market_pays_both_sides_a_part_of_the_dollar_in_whole_cents() {
    let mut rig = Rig::new();
    let before = rig.money();
    rig.quote(0, Side::Ask, 4_000, 10_000);
    rig.quote(0, Side::Bid, 3_900, 10_000);
    rig.placed(0, 0, "bid", "7.07", "0.4000");
    rig.placed(1, 0, "ask", "3.00", "0.3900");
    let fees = rig.ledger(0)["positions"][TICKERS[0]]["fees"].as_i64().unwrap();
    let cash = [rig.cash(0, 0), rig.cash(1, 0)];
    let client = rig.connect(0, 1);
    rig.say(client, &json!({"cmd": "subscribe", "params": {"channels": ["market_lifecycle_v2"]}}));
    rig.venue.settle(rig.now, 0, Settlement::split(Px::lit(3_705)), &mut rig.out);
    // 7.07 YES at 0.3705 are 2.619435, and 3 NO at 0.6295 are 1.8885.
    assert_eq!([rig.cash(0, 0) - cash[0], rig.cash(1, 0) - cash[1]], [2_610_000, 1_880_000]);
    assert_eq!(rig.money(), before, "what is below a cent is a fee");
    let frames = rig.heard(client);
    let told = frames.iter().find(|frame| frame["msg"]["event_type"] == "determined").unwrap();
    let told = (&told["msg"]["result"], &told["msg"]["settlement_value"]);
    assert_eq!(told, (&json!("scalar"), &json!("0.3705")));
    let paid = rig.get(0, "/portfolio/settlements")["settlements"][0].clone();
    assert_eq!((&paid["market_result"], &paid["revenue"]), (&json!("scalar"), &json!(261)));
    assert_eq!(paid["value"].to_string(), "37.05", "of a cent too");
    let dollars = |e6: i64| format!("0.{e6:06}").trim_end_matches("00").to_owned();
    assert_eq!(paid["fee_cost"], dollars(fees + 9_435));
    let market = rig.get(0, &format!("/markets/{}", TICKERS[0]))["market"].clone();
    assert_eq!((&market["status"], &market["result"]), (&json!("finalized"), &json!("scalar")));
    let of_market = &rig.venue.ledger()["markets"][0];
    let told = (&of_market["result"], &of_market["yes_pays_e4"]);
    assert_eq!(told, (&json!("scalar"), &json!(3_705)));
    rig.venue.settle(rig.now, 0, Settlement::YES, &mut rig.out);
    assert_eq!(rig.cash(0, 0) - cash[0], 2_610_000, "once");
}

#[test]
fn a_resting_order_keeps_its_money_and_a_cancel_frees_it() {
    let mut rig = Rig::new();
    let order = rig.placed(0, 0, "bid", "100.00", "0.6000");
    let balance = rig.get(0, "/portfolio/balance");
    assert_eq!(balance["balance_breakdown"][0], json!({"balance": "40.0000", "exchange_index": 0}));
    assert_eq!(balance["balance_dollars"], "90.0000");
    let next = rig.order(0, "bid", "100.00", "0.5000");
    let (status, refused) = rig.place(0, &next);
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("insufficient_balance")));
    let target = format!("{ORDERS}/{}", order["order_id"].as_str().unwrap());
    let (status, reply) = rig.call(0, "DELETE", &target, &Value::Null);
    assert_eq!((status, &reply["reduced_by"]), (200, &json!("100.00")));
    assert_eq!(rig.get(0, "/portfolio/balance")["balance_dollars"], "150.0000");
    // The refused order's id was not taken: it was never an order.
    assert_eq!(rig.place(0, &next).0, 201);
}

#[test]
fn makers_who_come_across_an_order_trade_with_it_first() {
    let mut rig = Rig::new();
    rig.quote(0, Side::Ask, 5_500, 500);
    rig.placed(0, 0, "bid", "3.00", "0.5000");
    rig.quote(0, Side::Ask, 5_000, 1_000);
    assert_eq!(rig.ledger(0)["positions"][TICKERS[0]]["position_e2"], 300);
    assert_eq!(rig.level(0, "no_dollars", "0.5000").as_deref(), Some("7.00"));
    // Their own bid across their asks takes those away.
    rig.quote(0, Side::Bid, 5_500, 100);
    assert_eq!(rig.level(0, "no_dollars", "0.5000"), None);
    assert_eq!(rig.level(0, "yes_dollars", "0.5500").as_deref(), Some("1.00"));
}

#[test]
fn an_order_that_can_no_longer_be_paid_is_cancelled_not_filled() {
    let mut rig = Rig::new();
    rig.quote(0, Side::Ask, 5_000, 10_000);
    rig.placed(0, 0, "bid", "100.00", "0.5000");
    rig.placed(0, 0, "ask", "100.00", "0.6000");
    // What would have covered it is sold, and the money kept for another order.
    rig.quote(0, Side::Bid, 5_500, 10_000);
    rig.placed(0, 0, "ask", "100.00", "0.5500");
    rig.placed(0, 0, "bid", "190.00", "0.5000");
    let reply = rig.placed(1, 0, "bid", "100.00", "0.6000");
    assert_eq!(reply["fill_count"], "0.00");
    assert_eq!(rig.ledger(0)["orders"][1]["reason"], "MarginCancel");
    assert_eq!(rig.level(0, "no_dollars", "0.4000"), None);
}

#[test]
fn self_trade_prevention_stops_the_one_that_is_named() {
    let mut rig = Rig::new();
    rig.quote(0, Side::Ask, 5_000, 100);
    rig.placed(0, 0, "ask", "2.00", "0.5100");
    let taker = rig.placed(0, 0, "bid", "5.00", "0.5100");
    assert_eq!((&taker["fill_count"], &taker["remaining_count"]), (&json!("1.00"), &json!("0.00")));
    let mut order = rig.order(0, "bid", "5.00", "0.5100");
    order["self_trade_prevention_type"] = json!("maker");
    let (_, reply) = rig.place(0, &order);
    assert_eq!(reply["remaining_count"], "5.00", "the resting one gave way");
    assert_eq!(rig.level(0, "no_dollars", "0.4900"), None);
    // Fill-or-kill keeps what it took before it met its own.
    rig.placed(0, 0, "ask", "1.00", "0.5300");
    rig.quote(0, Side::Ask, 5_200, 100);
    let mut order = rig.order(0, "bid", "2.00", "0.5300");
    order["time_in_force"] = json!("fill_or_kill");
    let (status, reply) = rig.place(0, &order);
    assert_eq!((status, &reply["fill_count"]), (201, &json!("1.00")));
}

#[test]
fn a_killed_fok_is_a_409_and_an_empty_ioc_a_201() {
    let mut rig = Rig::new();
    rig.quote(0, Side::Ask, 5_000, 100);
    let mut order = rig.order(0, "bid", "1.01", "0.5000");
    order["time_in_force"] = json!("fill_or_kill");
    let (status, reply) = rig.place(0, &order);
    assert_eq!(status, 409);
    assert_eq!(
        reply,
        json!({"error": {"code": "fill_or_kill_insufficient_resting_volume", "message": "fill or kill insufficient resting volume"}})
    );
    order["count"] = json!("1.00");
    let (status, reply) = rig.place(0, &order);
    assert_eq!((status, &reply["error"]["code"]), (409, &json!("order_already_exists")));
    let mut order = rig.order(0, "bid", "1.00", "0.4900");
    order["time_in_force"] = json!("immediate_or_cancel");
    let (status, reply) = rig.place(0, &order);
    assert_eq!(status, 201);
    assert_eq!((&reply["fill_count"], &reply["remaining_count"]), (&json!("0.00"), &json!("0.00")));
    assert!(reply.get("average_fill_price").is_none());
    assert_eq!(rig.venue.ledger()["orders_by_client_order_id"], 1);
}

#[test]
fn amending_and_decreasing_keep_or_lose_the_place() {
    let mut rig = Rig::new();
    let first = rig.placed(0, 0, "bid", "4.00", "0.5000");
    rig.placed(1, 0, "bid", "4.00", "0.5000");
    let id = first["order_id"].as_str().unwrap().to_owned();
    let (status, reply) = rig.call(
        0,
        "POST",
        &format!("{ORDERS}/{id}/decrease"),
        &json!({"reduce_by": "1.00", "exchange_index": 0}),
    );
    assert_eq!((status, &reply["remaining_count"]), (200, &json!("3.00")));
    let queue = |rig: &mut Rig| {
        let target = format!("/portfolio/orders/{id}/queue_position");
        rig.get(0, &target)["queue_position_fp"].clone()
    };
    assert_eq!(queue(&mut rig), "0.00");
    let amend = json!({"ticker": TICKERS[0], "side": "bid", "price": "0.5000", "count": "6.00", "updated_client_order_id": "new", "exchange_index": 0});
    let (status, reply) = rig.call(0, "POST", &format!("{ORDERS}/{id}/amend"), &amend);
    assert_eq!(
        (status, &reply["remaining_count"], &reply["client_order_id"]),
        (200, &json!("6.00"), &json!("new"))
    );
    assert_eq!(queue(&mut rig), "4.00", "more goes to the end");
    rig.quote(0, Side::Ask, 5_000, 700);
    // The other was filled first. Amending counts what is filled; a better price takes.
    rig.quote(0, Side::Ask, 5_100, 100);
    let amend = json!({"ticker": TICKERS[0], "side": "bid", "price": "0.5100", "count": "5.00"});
    let (status, reply) = rig.call(0, "POST", &format!("{ORDERS}/{id}/amend"), &amend);
    assert_eq!(
        (status, &reply["fill_count"], &reply["remaining_count"]),
        (200, &json!("4.00"), &json!("1.00"))
    );
    for (field, value, code) in [
        ("ticker", TICKERS[2], "order_ticker_mismatch"),
        ("side", "ask", "order_side_mismatch"),
        ("client_order_id", "c1", "order_id_and_client_order_id_mismatch"),
        ("count", "4.00", "invalid_order_size"),
    ] {
        let mut amend = amend.clone();
        amend[field] = json!(value);
        let (status, reply) = rig.call(0, "POST", &format!("{ORDERS}/{id}/amend"), &amend);
        assert_eq!((status, &reply["error"]["code"]), (400, &json!(code)));
    }
}

#[test]
fn orders_expire_and_markets_close() {
    let mut rig = Rig::new();
    let mut order = rig.order(0, "bid", "1.00", "0.5000");
    order["expiration_time"] = json!(START.0 / 1_000_000_000 + 10);
    let (_, reply) = rig.place(0, &order);
    assert_eq!(rig.venue.next_due(), Some(START.after(Ns::from_ms(10_000))));
    rig.wait(9_999);
    assert!(rig.level(0, "yes_dollars", "0.5000").is_some());
    rig.wait(1);
    assert_eq!(rig.level(0, "yes_dollars", "0.5000"), None);
    assert_eq!(rig.ledger(0)["orders"][0]["reason"], "ExpiryCancel");
    let id = reply["order_id"].as_str().unwrap().to_owned();
    let target = format!("{ORDERS}/{id}");
    let (status, refused) = rig.call(0, "DELETE", &target, &Value::Null);
    assert_eq!(
        (status, refused),
        (404, json!({"error": {"code": "not_found", "message": "not found"}}))
    );
    let resting = rig.placed(0, 0, "bid", "1.00", "0.5000");
    rig.wait(3_600_000);
    assert_eq!(rig.ledger(0)["orders"][1]["reason"], "CloseCancel");
    let next = rig.order(0, "bid", "1.00", "0.5000");
    assert_eq!(rig.place(0, &next).1["error"]["code"], "MARKET_INACTIVE");
    let target = format!("{ORDERS}/{}", resting["order_id"].as_str().unwrap());
    let (_, refused) = rig.call(0, "DELETE", &target, &Value::Null);
    assert_eq!(refused["error"]["code"], "MARKET_INACTIVE", "cancels too");
    assert_eq!(rig.get(0, "/markets?status=closed")["markets"].as_array().unwrap().len(), 3);
}

#[test]
fn pauses_refuse_orders_and_take_cancels() {
    let mut rig = Rig::new();
    let kept = rig.placed(0, 0, "bid", "1.00", "0.5000");
    let mut order = rig.order(0, "bid", "1.00", "0.4900");
    order["cancel_order_on_pause"] = json!(true);
    rig.place(0, &order);
    rig.venue.pause_all(rig.now, true, &mut rig.out);
    assert_eq!(rig.level(0, "yes_dollars", "0.4900"), None);
    assert_eq!(rig.get(0, "/exchange/status")["trading_active"], false);
    let next = rig.order(0, "bid", "1.00", "0.5000");
    assert_eq!(rig.place(0, &next).1["error"]["code"], "TRADING_PAUSED");
    // Makers neither: what rests stays.
    rig.quote(0, Side::Ask, 5_000, 100);
    assert_eq!(rig.level(0, "yes_dollars", "0.5000").as_deref(), Some("1.00"));
    let target = format!("{ORDERS}/{}", kept["order_id"].as_str().unwrap());
    assert_eq!(rig.call(0, "DELETE", &target, &Value::Null).0, 200);
    rig.venue.pause_all(rig.now, false, &mut rig.out);
    assert_eq!(rig.place(0, &next).0, 201);
    rig.venue.pause(rig.now, 0, true, &mut rig.out);
    let next = rig.order(0, "bid", "1.00", "0.5000");
    assert_eq!(rig.place(0, &next).1["error"]["code"], "MARKET_INACTIVE");
    assert_eq!(rig.level(0, "yes_dollars", "0.5000").as_deref(), Some("1.00"));
    rig.venue.pause(rig.now, 0, false, &mut rig.out);
    assert_eq!(rig.level(0, "yes_dollars", "0.5000"), None, "nothing survives re-activation");
}

#[test]
fn reduce_only_never_opens() {
    let mut rig = Rig::new();
    rig.quote(0, Side::Ask, 4_000, 300);
    rig.placed(0, 0, "bid", "2.00", "0.4000");
    rig.quote(0, Side::Ask, 4_000, 0);
    rig.quote(0, Side::Bid, 3_900, 1_000);
    let mut order = rig.order(0, "ask", "5.00", "0.3900");
    order["reduce_only"] = json!(true);
    assert_eq!(rig.place(0, &order).1["error"]["code"], "invalid_order", "resting");
    order["time_in_force"] = json!("immediate_or_cancel");
    assert_eq!(rig.place(0, &order).1["fill_count"], "2.00");
    order["client_order_id"] = json!("again");
    let (status, reply) = rig.place(0, &order);
    assert_eq!((status, &reply["fill_count"]), (201, &json!("0.00")));
}

#[test]
fn a_group_breaks_on_too_many_fills() {
    let mut rig = Rig::new();
    let groups = "/trade-api/v2/portfolio/order_groups";
    let (status, group) = rig.call(
        0,
        "POST",
        &format!("{groups}/create"),
        &json!({"contracts_limit_fp": "5.00", "exchange_index": 0}),
    );
    assert_eq!(status, 201);
    let id = group["order_group_id"].as_str().unwrap().to_owned();
    rig.quote(0, Side::Ask, 5_000, 600);
    for (count, price) in [("1.00", "0.40"), ("6.00", "0.5000")] {
        let mut order = rig.order(0, "bid", count, price);
        order["order_group_id"] = json!(id);
        assert_eq!(rig.place(0, &order).0, 201);
    }
    assert_eq!(rig.level(0, "yes_dollars", "0.4000"), None);
    let mut order = rig.order(0, "bid", "1.00", "0.40");
    order["order_group_id"] = json!(id);
    assert_eq!(rig.place(0, &order).1["error"]["code"], "EXCEEDED_ORDER_GROUP_RISK_LIMIT");
    assert_eq!(rig.call(0, "PUT", &format!("{groups}/{id}/reset"), &Value::Null).0, 200);
    assert_eq!(rig.place(0, &order).0, 201);
    let shown = rig.get(0, &format!("/portfolio/order_groups/{id}"));
    assert_eq!(shown["orders"].as_array().unwrap().len(), 1);
    assert_eq!(rig.call(0, "DELETE", &format!("{groups}/{id}"), &Value::Null).0, 200);
    assert_eq!(rig.level(0, "yes_dollars", "0.4000"), None);
    assert_eq!(rig.get(0, "/portfolio/order_groups")["order_groups"], json!([]));
}

#[test]
fn batches_answer_item_by_item() {
    let mut rig = Rig::new();
    rig.quote(0, Side::Ask, 9_000, 100);
    let good = rig.order(0, "bid", "1.00", "0.5000");
    let mut crossing = rig.order(0, "bid", "1.00", "0.9900");
    crossing["post_only"] = json!(true);
    let (status, reply) =
        rig.call(0, "POST", &format!("{ORDERS}/batched"), &json!({"orders": [good, crossing]}));
    assert_eq!(status, 201);
    assert_eq!(reply["orders"][0]["error"], Value::Null);
    assert_eq!(reply["orders"][1]["error"]["details"], "post only cross");
    let items = json!({"orders": [
        {"order_id": reply["orders"][0]["order_id"], "exchange_index": 0},
        {"order_id": "none", "exchange_index": 0},
    ]});
    let (status, reply) = rig.call(0, "DELETE", &format!("{ORDERS}/batched"), &items);
    assert_eq!((status, &reply["orders"][0]["reduced_by"]), (200, &json!("1.00")));
    assert_eq!(
        reply["orders"][1]["error"],
        json!({"code": "not_found", "message": "not found", "details": ""})
    );
    for _ in 0..3 {
        rig.placed(0, 0, "bid", "1.00", "0.5000");
    }
    rig.placed(0, 1, "bid", "1.00", "0.5000");
    assert_eq!(rig.call(0, "DELETE", ORDERS, &Value::Null).0, 204);
    assert_eq!(rig.get(0, "/portfolio/orders?status=resting")["orders"], json!([]));
}

#[test]
fn money_moves_between_shards_on_request_only() {
    let mut rig = Rig::new();
    let order = rig.order(1, "bid", "100.00", "0.6000");
    assert_eq!(
        rig.place(0, &order).1["error"]["code"],
        "insufficient_balance",
        "150 dollars, but elsewhere"
    );
    let transfer = json!({"source": "event_contract", "destination": "event_contract", "amount": 200_000, "source_exchange_shard": 0, "destination_exchange_shard": 2});
    let target = "/trade-api/v2/portfolio/intra_exchange_instance_transfer";
    assert_eq!(rig.call(0, "POST", target, &transfer).0, 200);
    assert_eq!((rig.cash(0, 0), rig.cash(0, 2)), (80_000_000, 70_000_000));
    assert_eq!(rig.place(0, &order).0, 201);
}
