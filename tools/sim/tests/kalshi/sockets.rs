use engine::payoff::Settlement;
use serde_json::{Value, json};
use sim::venue::{ClientId, Push, Side, Venue as _};

use crate::rig::{ORDERS, Rig, START, TICKERS};

fn subscribe(channels: &[&str], more: &Value) -> Value {
    let mut params = json!({ "channels": channels });
    for (key, value) in more.as_object().into_iter().flatten() {
        params[key] = value.clone();
    }
    json!({"id": 1, "cmd": "subscribe", "params": params})
}

/// A book as a client keeps it: YES bids and NO bids in the prices that it is told.
#[derive(Default, PartialEq, Debug)]
struct Mirror {
    levels: std::collections::BTreeMap<(String, String), i64>,
    seq: u64,
}

fn e2(text: &Value) -> i64 {
    text.as_str().unwrap().replace('.', "").parse().unwrap()
}

impl Mirror {
    fn hear(&mut self, frame: &Value, ticker: &str) {
        if frame["sid"] == 1 {
            self.seq += 1;
            assert_eq!(frame["seq"], self.seq, "{frame}");
        }
        let msg = &frame["msg"];
        if msg["market_ticker"] != ticker {
            return;
        }
        match frame["type"].as_str().unwrap() {
            "orderbook_snapshot" => {
                self.levels.clear();
                for (side, key) in [("yes", "yes_dollars_fp"), ("no", "no_dollars_fp")] {
                    for level in msg[key].as_array().into_iter().flatten() {
                        let price = level[0].as_str().unwrap().to_owned();
                        self.levels.insert((side.to_owned(), price), e2(&level[1]));
                    }
                }
            }
            "orderbook_delta" => {
                let text = |key: &str| msg[key].as_str().unwrap().to_owned();
                let level = self.levels.entry((text("side"), text("price_dollars"))).or_default();
                *level += e2(&msg["delta_fp"]);
                assert!(*level >= 0, "{frame}");
                self.levels.retain(|_, size| *size > 0);
            }
            _ => {}
        }
    }

    /// What REST shows, which is always in NO prices on the no side.
    fn of_rest(rig: &mut Rig, market: usize, use_yes_price: bool) -> Mirror {
        let book = rig.get(0, &format!("/markets/{}/orderbook", TICKERS[market]));
        let mut mirror = Mirror::default();
        for (side, key) in [("yes", "yes_dollars"), ("no", "no_dollars")] {
            for level in book["orderbook_fp"][key].as_array().unwrap() {
                let mut price = level[0].as_str().unwrap().to_owned();
                if side == "no" && use_yes_price {
                    price = format!("0.{:04}", 10_000 - e2(&json!(price)));
                }
                mirror.levels.insert((side.to_owned(), price), e2(&level[1]));
            }
        }
        mirror
    }
}

#[test]
fn snapshot_and_deltas_give_the_book_that_rest_shows() {
    for use_yes_price in [false, true] {
        let mut rig = Rig::new();
        rig.quote(0, Side::Bid, 4_000, 500);
        rig.quote(0, Side::Ask, 4_400, 1_777);
        rig.quote(0, Side::Ask, 4_600, 100);
        let client = rig.connect(1, 7);
        let ask =
            json!({"market_tickers": [TICKERS[0], TICKERS[2]], "use_yes_price": use_yes_price});
        let mut mirror = Mirror::default();
        let frames = rig.say(client, &subscribe(&["orderbook_delta"], &ask));
        assert_eq!(frames[0]["msg"], json!({"channel": "orderbook_delta", "sid": 1}));
        assert_eq!(frames.len(), 3);
        for frame in &frames[1..] {
            mirror.hear(frame, TICKERS[0]);
        }
        let no = if use_yes_price {
            json!([["0.4400", "17.77"], ["0.4600", "1.00"]])
        } else {
            json!([["0.5400", "1.00"], ["0.5600", "17.77"]])
        };
        assert_eq!(frames[1]["msg"]["no_dollars_fp"], no);
        assert!(frames[2]["msg"].get("yes_dollars_fp").is_none(), "an empty side has no key");
        // Orders, trades and quotes of two markets that share one count.
        rig.placed(0, 0, "bid", "3.00", "0.4100");
        rig.placed(0, 2, "ask", "3.00", "0.7000");
        rig.placed(1, 0, "bid", "18.00", "0.4400");
        rig.quote(0, Side::Ask, 4_100, 900);
        rig.quote(0, Side::Bid, 4_000, 0);
        rig.call(0, "DELETE", ORDERS, &Value::Null);
        for frame in rig.heard(client) {
            mirror.hear(&frame, TICKERS[0]);
        }
        assert!(!mirror.levels.is_empty());
        assert_eq!(mirror.levels, Mirror::of_rest(&mut rig, 0, use_yes_price).levels);
        // A snapshot on request carries the command's id.
        let ask = json!({"id": 9, "cmd": "update_subscription", "params": {"sids": [1], "market_tickers": [TICKERS[0]], "action": "get_snapshot"}});
        let frames = rig.say(client, &ask);
        assert_eq!(
            (frames.len(), &frames[0]["id"], &frames[0]["type"]),
            (1, &json!(9), &json!("orderbook_snapshot"))
        );
        mirror.hear(&frames[0], TICKERS[0]);
        assert_eq!(mirror.levels, Mirror::of_rest(&mut rig, 0, use_yes_price).levels);
    }
}

#[test]
fn a_member_hears_of_its_own_orders_alone() {
    let mut rig = Rig::new();
    rig.quote(0, Side::Ask, 5_000, 100);
    let (taker, maker) = (rig.connect(0, 1), rig.connect(1, 2));
    let channels = ["fill", "user_orders", "market_positions", "trade", "orderbook_delta"];
    for client in [taker, maker] {
        let frames =
            rig.say(client, &subscribe(&channels, &json!({"market_tickers": [TICKERS[0]]})));
        let sids: Vec<&Value> = frames[..5].iter().map(|frame| &frame["msg"]["sid"]).collect();
        assert_eq!(sids, [1, 2, 3, 4, 5]);
    }
    rig.placed(1, 0, "ask", "2.00", "0.5000");
    rig.out.pushes.clear();
    rig.placed(0, 0, "bid", "2.00", "0.5000");
    let pushes = rig.out.pushes.clone();
    let frames = |rig: &mut Rig, client: ClientId, kind: &str| -> Vec<Value> {
        rig.out.pushes = pushes.clone();
        rig.heard(client).into_iter().filter(|frame| frame["type"] == kind).collect()
    };
    let fills = frames(&mut rig, taker, "fill");
    assert_eq!(fills.len(), 2);
    let last = &fills[1]["msg"];
    assert_eq!((&last["post_position_fp"], &last["is_taker"]), (&json!("2.00"), &json!(true)));
    assert!(fills[1].get("seq").is_none() && fills[1]["sending_ts_ms"].is_u64());
    let theirs = frames(&mut rig, maker, "fill");
    assert_eq!(theirs.len(), 1);
    let theirs = &theirs[0]["msg"];
    assert_eq!((&theirs["outcome_side"], &theirs["is_taker"]), (&json!("no"), &json!(false)));
    assert_eq!(theirs["trade_id"], last["trade_id"]);
    let orders = frames(&mut rig, taker, "user_order");
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0]["msg"]["status"], "executed");
    assert_eq!(frames(&mut rig, maker, "user_order")[0]["msg"]["remaining_count_fp"], "1.00");
    assert_eq!(frames(&mut rig, maker, "market_position")[0]["msg"]["position_fp"], "-1.00");
    let trades = frames(&mut rig, maker, "trade");
    assert_eq!(
        trades.iter().map(|trade| trade["seq"].as_u64().unwrap()).collect::<Vec<_>>(),
        [1, 2]
    );
    // The order's id on a delta shows to its owner alone.
    assert_eq!(frames(&mut rig, taker, "orderbook_delta")[0]["msg"]["client_order_id"], "c2");
    assert!(frames(&mut rig, maker, "orderbook_delta")[0]["msg"].get("client_order_id").is_none());
}

#[test]
fn subscriptions_merge_change_and_end() {
    let mut rig = Rig::new();
    let client = rig.connect(0, 1);
    rig.say(client, &subscribe(&["orderbook_delta"], &json!({"market_ticker": TICKERS[0]})));
    let merged =
        rig.say(client, &subscribe(&["orderbook_delta"], &json!({"market_ticker": TICKERS[1]})));
    assert_eq!(
        (&merged[0]["type"], &merged[0]["sid"], &merged[0]["seq"]),
        (&json!("ok"), &json!(1), &json!(2))
    );
    assert_eq!(merged[1]["msg"]["market_ticker"], TICKERS[1]);
    let update = |action: &str, market: usize| json!({"id": 5, "cmd": "update_subscription", "params": {"sid": 1, "market_tickers": [TICKERS[market]], "action": action}});
    let frames = rig.say(client, &update("add_markets", 2));
    assert_eq!(frames[0]["msg"], json!({"market_tickers": TICKERS}));
    assert_eq!(frames[1]["seq"], 5, "the answer used 4");
    let frames = rig.say(client, &update("delete_markets", 0));
    assert_eq!(frames[0]["msg"], json!({"market_tickers": TICKERS[1..]}));
    rig.quote(0, Side::Bid, 4_000, 100);
    assert_eq!(rig.heard(client), [json!(null); 0], "no more of that market");
    rig.say(client, &subscribe(&["ticker"], &json!({"skip_ticker_ack": true})));
    let list = rig.say(client, &json!({"id": 3, "cmd": "list_subscriptions"}));
    assert_eq!(
        list,
        [
            json!({"id": 3, "type": "ok", "msg": [{"channel": "orderbook_delta", "sid": 1}, {"channel": "ticker", "sid": 2}]})
        ]
    );
    let gone = rig.say(client, &json!({"id": 6, "cmd": "unsubscribe", "params": {"sids": [1, 2]}}));
    assert_eq!(gone[0], json!({"id": 6, "sid": 1, "seq": 7, "type": "unsubscribed"}));
    assert_eq!(gone[1], json!({"id": 6, "sid": 2, "type": "unsubscribed"}));
    rig.quote(1, Side::Bid, 4_000, 100);
    assert_eq!(rig.heard(client), [json!(null); 0]);
}

#[test]
fn commands_that_are_none_get_their_code() {
    let mut rig = Rig::new();
    let client = rig.connect(0, 1);
    rig.say(client, &subscribe(&["trade"], &json!({})));
    let update = |params: Value| json!({"id": 4, "cmd": "update_subscription", "params": params});
    let one = TICKERS[0];
    let bad = [
        (json!([1]), 1),
        (json!({"id": "x", "cmd": "subscribe"}), 1),
        (json!({"id": 4, "cmd": "subscribe"}), 2),
        (json!({"id": 4, "cmd": "subscribe", "params": {}}), 3),
        (json!({"id": 4, "cmd": "unsubscribe", "params": {}}), 4),
        (json!({"id": 4, "cmd": "dance"}), 5),
        (json!({"id": 4, "cmd": "unsubscribe", "params": {"sids": [99]}}), 7),
        (update(json!({"sid": 99, "action": "add_markets", "market_tickers": [one]})), 7),
        (subscribe(&["weather"], &json!({})), 8),
        (subscribe(&["trade"], &json!({"market_tickers": 7})), 11),
        (subscribe(&["trade"], &json!({"market_tickers": ["NONE"]})), 11),
        (update(json!({"sids": [1, 2], "action": "add_markets", "market_tickers": [one]})), 12),
        (update(json!({"action": "add_markets", "market_tickers": [one]})), 12),
        (update(json!({"sid": 1, "action": "dance", "market_tickers": [one]})), 13),
        (update(json!({"sid": 1, "action": "get_snapshot", "market_tickers": [one]})), 13),
        (subscribe(&["orderbook_delta"], &json!({})), 14),
        (update(json!({"sid": 1, "action": "add_markets"})), 14),
        (update(json!({"sid": 1, "market_tickers": [one]})), 15),
    ];
    for (command, code) in bad {
        let frames = rig.say(client, &command);
        assert_eq!(frames.len(), 1, "{command}");
        assert_eq!(
            (&frames[0]["type"], &frames[0]["msg"]["code"]),
            (&json!("error"), &json!(code)),
            "{command}"
        );
    }
    let unknown =
        rig.say(client, &json!({"id": 123, "cmd": "unsubscribe", "params": {"sids": [9]}}));
    assert_eq!(
        unknown,
        [json!({"id": 123, "type": "error", "msg": {"code": 7, "msg": "Unknown subscription ID"}})]
    );
    for command in 0..10_000 {
        rig.venue.text(
            rig.now,
            client,
            &json!({"id": command, "cmd": "x"}).to_string(),
            &mut rig.out,
        );
    }
    assert_eq!(rig.heard(client).last().unwrap()["msg"]["code"], 27);
}

#[test]
fn tickers_speak_when_something_shown_changes() {
    let mut rig = Rig::new();
    rig.quote(0, Side::Bid, 4_000, 500);
    let client = rig.connect(0, 1);
    let frames = rig.say(
        client,
        &subscribe(
            &["ticker"],
            &json!({"market_tickers": [TICKERS[0]], "send_initial_snapshot": true}),
        ),
    );
    assert_eq!(
        (&frames[1]["msg"]["yes_bid_dollars"], &frames[1]["msg"]["yes_ask_dollars"]),
        (&json!("0.4000"), &json!("1.0000"))
    );
    rig.quote(0, Side::Bid, 3_900, 500);
    assert_eq!(rig.heard(client).len(), 0, "behind the best");
    rig.quote(0, Side::Bid, 4_100, 500);
    rig.quote(1, Side::Bid, 4_100, 500);
    let frames = rig.heard(client);
    assert_eq!((frames.len(), &frames[0]["msg"]["yes_bid_size_fp"]), (1, &json!("5.00")));
    assert!(frames[0].get("seq").is_none());
}

#[test]
fn a_market_that_is_listed_late_is_announced_and_its_event_where_it_is_the_first() {
    let mut rig = Rig::withholding(1);
    let client = rig.connect(0, 1);
    rig.say(client, &subscribe(&["market_lifecycle_v2"], &json!({})));
    let books = subscribe(&["orderbook_delta"], &json!({"market_tickers": [TICKERS[1]]}));
    let refused = rig.say(client, &books);
    assert_eq!(refused[0]["msg"]["code"], 11, "nobody can name it yet: {refused:?}");
    for (number, want) in [(1, &["event_lifecycle", "created"][..]), (2, &["created"])] {
        assert!(rig.venue.list(rig.now, number, &mut rig.out));
        let frames = rig.heard(client);
        let told = frames.iter().map(|frame| match frame["msg"]["event_type"].as_str() {
            Some(event) => event,
            None => frame["type"].as_str().unwrap(),
        });
        assert_eq!(told.collect::<Vec<&str>>(), want);
        let last = &frames.last().unwrap()["msg"];
        assert_eq!(last["market_ticker"], TICKERS[number]);
        assert_eq!(last["open_ts"], rig.now.0 / 1_000_000_000);
        assert!(!rig.venue.list(rig.now, number, &mut rig.out), "once");
    }
}

#[test]
fn life_of_markets_fees_and_groups_is_told() {
    let mut rig = Rig::new();
    let client = rig.connect(0, 1);
    rig.say(client, &subscribe(&["market_lifecycle_v2", "order_group_updates"], &json!({})));
    rig.venue.override_fee(rig.now, "KXA-1", Some(("quadratic", 500_000)), &mut rig.out);
    rig.venue.pause(rig.now, 0, true, &mut rig.out);
    rig.venue.settle(rig.now, 0, Settlement::YES, &mut rig.out);
    rig.call(
        0,
        "POST",
        "/trade-api/v2/portfolio/order_groups/create",
        &json!({"contracts_limit_fp": "5.00"}),
    );
    let frames = rig.heard(client);
    assert_eq!(
        frames[0]["msg"].to_string(),
        r#"{"event_ticker":"KXA-1","fee_type_override":"quadratic","fee_multiplier_override":0.5}"#
    );
    let events: Vec<&str> =
        frames[1..4].iter().map(|frame| frame["msg"]["event_type"].as_str().unwrap()).collect();
    assert_eq!(events, ["deactivated", "determined", "settled"]);
    assert_eq!((&frames[3]["seq"], &frames[4]["seq"]), (&json!(4), &json!(1)));
    assert_eq!(frames[4]["msg"]["contracts_limit_fp"], "5.00");
    rig.quote(2, Side::Ask, 5_000, 10_000);
    rig.placed(0, 2, "bid", "100.00", "0.5000");
    assert_eq!(rig.ledger(0)["fills"][0]["fee"], 875_000, "half the fee by the override");
}

#[test]
fn a_fee_changes_while_a_market_trades_and_later_fills_pay_it() {
    let mut rig = Rig::new();
    let client = rig.connect(0, 1);
    rig.say(client, &subscribe(&["market_lifecycle_v2", "fill"], &json!({})));
    rig.quote(0, Side::Ask, 5_000, 100_000);
    rig.quote(2, Side::Ask, 5_000, 100_000);
    let rests = |rig: &mut Rig| rig.placed(1, 0, "bid", "10.00", "0.4000");
    let start = rig.money();
    rests(&mut rig);
    let mut paid = Vec::new();
    let fees = [None, Some(("quadratic_with_maker_fees", 2_000_000)), None, Some(("flat", 0))];
    for (round, fee) in fees.into_iter().enumerate() {
        if round > 0 {
            assert!(
                rig.venue.set_fee(rig.now, 2, fee, &mut rig.out),
                "of the event, by any market"
            );
        }
        rig.placed(0, 0, "bid", "10.00", "0.5000");
        rig.placed(0, 2, "bid", "10.00", "0.5000");
        let frames = rig.heard(client);
        let fills = frames.iter().filter(|frame| frame["type"] == "fill");
        let fees = fills.map(|frame| frame["msg"]["fee_cost"].as_str().unwrap().to_owned());
        paid.push(fees.collect::<Vec<String>>().join(" "));
        let told = frames.iter().filter(|frame| frame["type"] == "event_fee_update");
        let told: Vec<_> = told.map(|frame| frame["msg"]["fee_type_override"].clone()).collect();
        let want = fee.map_or(Value::Null, |(fee_type, _)| json!(fee_type));
        assert_eq!(told, vec![want; usize::from(round > 0)]);
        if round == 1 {
            // Who rests pays by the new type too: 0.0175 x 10 x 0.4 x 0.6 twice, in a broker's cents.
            rig.quote(0, Side::Ask, 4_000, 1_000);
            assert_eq!(rig.ledger(1)["fills"][0]["fee"], 90_000);
        }
    }
    assert_eq!(
        paid,
        ["0.175000 0.175000", "0.350000 0.350000", "0.175000 0.175000", "0.000000 0.000000"]
    );
    assert_eq!(rig.money(), start);
    assert!(!rig.venue.set_fee(rig.now, 3, None, &mut rig.out), "no such market");
}

#[test]
fn a_market_that_closes_early_says_so_and_takes_nothing_more() {
    let mut rig = Rig::new();
    rig.quote(0, Side::Ask, 5_000, 700);
    rig.placed(0, 0, "bid", "2.00", "0.5000");
    let rests = rig.placed(0, 0, "bid", "3.00", "0.4000");
    let client = rig.connect(0, 1);
    let only = json!({"market_tickers": [TICKERS[0]], "use_yes_price": true});
    rig.say(client, &subscribe(&["orderbook_delta"], &only));
    rig.say(client, &subscribe(&["market_lifecycle_v2", "user_orders"], &json!({})));
    rig.wait(1_500);
    assert!(rig.venue.close(rig.now, 0, &mut rig.out));
    let frames = rig.heard(client);
    let is_life = |frame: &&Value| frame["type"] == "market_lifecycle_v2";
    let life: Vec<&Value> = frames.iter().filter(is_life).collect();
    let close = rig.now.0 / 1_000_000_000;
    let message =
        json!({"market_ticker": TICKERS[0], "close_ts": close, "event_type": "close_date_updated"});
    assert_eq!(life.iter().map(|frame| &frame["msg"]).collect::<Vec<_>>(), [&message]);
    let gone = frames.iter().filter(|frame| frame["type"] == "orderbook_delta");
    let gone: Vec<_> = gone.map(|frame| frame["msg"]["delta_fp"].as_str().unwrap()).collect();
    assert_eq!(gone, ["-3.00", "-5.00"], "ours and the makers'");
    let order = frames.iter().find(|frame| frame["type"] == "user_order").unwrap();
    assert_eq!(order["msg"]["last_update_reason"], "CloseCancel");
    assert_eq!(rig.get(0, "/portfolio/balance")["balance_breakdown"][0]["balance"], "98.9650");

    rig.quote(0, Side::Ask, 5_000, 700);
    let order = rig.order(0, "bid", "1.00", "0.5000");
    let (status, refused) = rig.place(0, &order);
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("MARKET_INACTIVE")));
    let target = format!("{ORDERS}/{}", rests["order_id"].as_str().unwrap());
    assert_ne!(rig.call(0, "DELETE", &target, &Value::Null).0, 200);
    let market = rig.get(0, &format!("/markets/{}", TICKERS[0]))["market"].clone();
    assert_eq!((&market["status"], &market["yes_ask_size_fp"]), (&json!("closed"), &json!("0.00")));
    assert_eq!(market["close_time"], "2026-11-21T12:00:01Z");
    rig.venue.pause(rig.now, 0, true, &mut rig.out);
    rig.venue.pause(rig.now, 0, false, &mut rig.out);
    assert!(!rig.venue.close(rig.now, 0, &mut rig.out), "once");
    rig.wait(3_600_000);
    let told = rig.heard(client);
    assert!(!told.iter().any(|frame| is_life(&frame)), "its old close date is forgotten");
    assert_eq!(rig.venue.ledger()["markets"][0]["status"], "closed");
    rig.venue.settle(rig.now, 0, Settlement::YES, &mut rig.out);
    assert_eq!(rig.ledger(0)["settlements"][0]["revenue"], 2_000_000);
}

#[test]
fn the_venue_pings_every_ten_seconds() {
    let mut rig = Rig::new();
    let client = rig.connect(0, 1);
    assert_eq!(rig.venue.next_due(), Some(START.after(engine::units::Ns::from_ms(10_000))));
    for _ in 0..8 {
        rig.wait(9_999);
        assert_eq!(rig.out.pushes, []);
        rig.wait(1);
        assert_eq!(
            std::mem::take(&mut rig.out.pushes),
            [Push::Ping(client, b"heartbeat".to_vec())]
        );
    }
    rig.venue.closed(client);
    rig.wait(30_000);
    assert_eq!(rig.out.pushes, []);
}
