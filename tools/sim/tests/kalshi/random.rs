use engine::payoff::Settlement;
use engine::units::Px;
use proptest::prelude::*;
use serde_json::{Value, json};
use sim::venue::{Request, Side, Venue as _};

use crate::rig::{ORDERS, Rig, TICKERS};

#[derive(Clone, Debug)]
enum Step {
    Place { member: usize, market: usize, is_bid: bool, e2: u32, cents: u16, kind: u8 },
    Cancel { member: usize, order: usize },
    Amend { member: usize, order: usize, e2: u32, cents: u16 },
    Decrease { member: usize, order: usize, e2: u32 },
    Quote { market: usize, is_bid: bool, e2: u32, cents: u16 },
    Settle { market: usize, yes_e4: u16 },
    Pause { market: usize, is_paused: bool },
    Close { market: usize },
    Wait { ms: u16 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (member, market, e2, cents) = (0..2usize, 0..3usize, 0..5_000u32, 1..100u16);
    let place = (member.clone(), market.clone(), any::<bool>(), e2.clone(), cents.clone(), 0..8u8);
    let step = prop_oneof![
        6 => place.prop_map(|(member, market, is_bid, e2, cents, kind)| Step::Place {
            member, market, is_bid, e2, cents, kind
        }),
        5 => (market.clone(), any::<bool>(), e2.clone(), cents.clone())
            .prop_map(|(market, is_bid, e2, cents)| Step::Quote { market, is_bid, e2, cents }),
        1 => (member.clone(), 0..30usize).prop_map(|(member, order)| Step::Cancel { member, order }),
        1 => (member.clone(), 0..30usize, e2.clone(), cents)
            .prop_map(|(member, order, e2, cents)| Step::Amend { member, order, e2, cents }),
        1 => (member, 0..30usize, e2)
            .prop_map(|(member, order, e2)| Step::Decrease { member, order, e2 }),
        1 => (market.clone(), any::<bool>()).prop_map(|(market, is_paused)| Step::Pause { market, is_paused }),
        1 => market.clone().prop_map(|market| Step::Close { market }),
        1 => (market, prop_oneof![Just(0), Just(10_000), 0..10_000u16])
            .prop_map(|(market, yes_e4)| Step::Settle { market, yes_e4 }),
        1 => any::<u16>().prop_map(|ms| Step::Wait { ms }),
    ];
    prop::collection::vec(step, 1..60)
}

fn id_of(rig: &Rig, member: usize, order: usize) -> String {
    let ledger = rig.ledger(member);
    ledger["orders"][order]["id"].as_str().unwrap_or("none").to_owned()
}

fn text(e2: u32) -> String {
    format!("{}.{:02}", e2 / 100, e2 % 100)
}

fn act(rig: &mut Rig, step: &Step) {
    let side = |is_bid| if is_bid { ("bid", Side::Bid) } else { ("ask", Side::Ask) };
    match step.clone() {
        Step::Place { member, market, is_bid, e2, cents, kind } => {
            let price = format!("0.{cents:02}00");
            let mut order = rig.order(market, side(is_bid).0, &text(e2), &price);
            let tifs =
                ["good_till_canceled", "immediate_or_cancel", "fill_or_kill", "good_till_canceled"];
            order["time_in_force"] = json!(tifs[usize::from(kind % 4)]);
            order["reduce_only"] = json!(kind == 5);
            order["post_only"] = json!(kind == 3);
            order["self_trade_prevention_type"] =
                json!(if kind > 3 { "maker" } else { "taker_at_cross" });
            if kind == 7 {
                order["expiration_time"] = json!(rig.now.0 / 1_000_000_000 + 20);
            }
            rig.place(member, &order);
        }
        Step::Cancel { member, order } => {
            let target = format!("{ORDERS}/{}?market_ticker=", id_of(rig, member, order));
            rig.call(member, "DELETE", &target, &Value::Null);
        }
        Step::Amend { member, order, e2, cents } => {
            let known = rig.ledger(member)["orders"][order].clone();
            let body = json!({
                "ticker": known["ticker"].as_str().unwrap_or("none"),
                "side": known["side"].as_str().unwrap_or("bid"),
                "price": format!("0.{cents:02}00"),
                "count": text(e2),
            });
            let target = format!("{ORDERS}/{}/amend", id_of(rig, member, order));
            rig.call(member, "POST", &target, &body);
        }
        Step::Decrease { member, order, e2 } => {
            let target = format!("{ORDERS}/{}/decrease", id_of(rig, member, order));
            rig.call(member, "POST", &target, &json!({"reduce_to": text(e2)}));
        }
        Step::Quote { market, is_bid, e2, cents } => {
            rig.quote(market, side(is_bid).1, cents * 100, u64::from(e2));
        }
        Step::Settle { market, yes_e4 } => {
            let settlement = Settlement::split(Px::lit(yes_e4));
            rig.venue.settle(rig.now, market, settlement, &mut rig.out);
        }
        Step::Pause { market, is_paused } => {
            rig.venue.pause(rig.now, market, is_paused, &mut rig.out);
        }
        Step::Close { market } => {
            rig.venue.close(rig.now, market, &mut rig.out);
        }
        Step::Wait { ms } => rig.wait(u64::from(ms)),
    }
}

/// What holds after every step, by the ledger alone.
fn check(rig: &Rig, start: i64) {
    assert_eq!(rig.money(), start, "money came or went");
    for member in 0..2 {
        let ledger = rig.ledger(member);
        let mut cash = [100_000_000_i64, 50_000_000];
        let shard_of = |ticker: &Value| usize::from(ticker == TICKERS[1]);
        for fill in ledger["fills"].as_array().unwrap() {
            let int = |key: &str| fill[key].as_i64().unwrap();
            cash[shard_of(&fill["ticker"])] -= int("cost") + int("fee");
        }
        for paid in ledger["settlements"].as_array().unwrap() {
            let revenue = paid["revenue"].as_i64().unwrap();
            assert_eq!(revenue % 10_000, 0, "whole cents: {paid}");
            cash[shard_of(&paid["ticker"])] += revenue;
        }
        for (place, shard) in ["0", "2"].into_iter().enumerate() {
            assert_eq!(ledger["cash"][shard], cash[place], "member {member}, shard {shard}");
            let reserved = ledger["reserved"][shard].as_i64().unwrap_or(0);
            assert!(
                reserved >= 0 && cash[place] >= 0,
                "member {member}: {} of {}",
                reserved,
                cash[place]
            );
        }
        let mut kept = [0, 0];
        for order in ledger["orders"].as_array().unwrap() {
            let int = |key: &str| order[key].as_i64().unwrap();
            assert!(int("filled_e2") + int("remaining_e2") <= int("count_e2"), "{order}");
            assert_eq!(order["state"] == "resting", int("remaining_e2") > 0, "{order}");
            let fills = ledger["fills"].as_array().unwrap().iter();
            let own = fills.filter(|fill| fill["order_id"] == order["id"]);
            let (mut filled, mut fees) = (0, 0);
            for fill in own {
                filled += fill["count_e2"].as_i64().unwrap();
                fees += fill["fee"].as_i64().unwrap();
            }
            assert_eq!((filled, fees), (int("filled_e2"), int("fees")), "{order}");
            if order["state"] == "resting" {
                kept[shard_of(&order["ticker"])] += 1;
            }
        }
        for (place, shard) in ["0", "2"].into_iter().enumerate() {
            let reserved = ledger["reserved"][shard].as_i64().unwrap_or(0);
            assert!(kept[place] > 0 || reserved == 0, "nothing rests, {reserved} is kept");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_money_comes_or_goes(steps in steps()) {
        let mut rig = Rig::new();
        let start = rig.money();
        for step in &steps {
            act(&mut rig, step);
            check(&rig, start);
        }
        for market in 0..3 {
            rig.venue.settle(rig.now, market, Settlement::YES, &mut rig.out);
        }
        check(&rig, start);
        let ledger = rig.venue.ledger();
        prop_assert!(ledger["orders_by_client_order_id"].as_u64().unwrap() <= 1);
    }

    #[test]
    fn equal_requests_get_equal_answers(steps in steps()) {
        let run = || {
            let mut rig = Rig::new();
            let client = rig.connect(0, 1);
            rig.say(client, &json!({"cmd": "subscribe", "params": {"channels": ["fill", "trade", "ticker"]}}));
            steps.iter().for_each(|step| act(&mut rig, step));
            (rig.venue.ledger().to_string(), rig.heard(client))
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn any_bytes_get_an_answer(
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "[{}\\[\\]\":,a-z0-9_.-]{0,120}".prop_map(String::into_bytes),
        ],
        path in "(/trade-api/v2)?(/(portfolio|events|orders|markets|batched|order_groups|amend|decrease|limit|[a-z%0-9]{0,6})){0,6}",
        query in "[a-z_]{0,8}=[^#]{0,20}(&(limit|cursor|depth|tickers|exchange_index|min_ts)=[^#]{0,12}){0,3}",
        method in "GET|POST|DELETE|PUT|PATCH|",
        command in ".{0,120}",
    ) {
        let mut rig = Rig::new();
        let headers = rig.headers(0, &method, &path);
        let reply = rig.raw(&method, &path, &query, &headers, &body);
        prop_assert!((200..500).contains(&reply.status));
        let borrowed = [("KALSHI-ACCESS-KEY", command.as_str()), ("KALSHI-ACCESS-TIMESTAMP", command.as_str()), ("KALSHI-ACCESS-SIGNATURE", command.as_str())];
        let request = Request { method: &method, path: &path, query: &query, headers: &borrowed, body: &body };
        rig.venue.request(rig.now, &request, &mut rig.out);
        let client = rig.connect(0, 1);
        rig.venue.text(rig.now, client, &command, &mut rig.out);
    }

    #[test]
    fn any_value_in_any_field_gets_an_answer(
        field in prop::sample::select(vec![
            "ticker", "side", "count", "price", "time_in_force", "self_trade_prevention_type",
            "client_order_id", "expiration_time", "post_only", "reduce_only", "exchange_index",
            "order_group_id", "subaccount",
        ]),
        value in prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(|n| json!(n)),
            any::<u64>().prop_map(|n| json!(n)),
            any::<bool>().prop_map(|b| json!(b)),
            ".{0,12}".prop_map(|text| json!(text)),
            "[0-9]{1,16}(\\.[0-9]{0,3})?".prop_map(|text| json!(text)),
            Just(json!([])), Just(json!({"a": 1})),
        ],
        channel in prop::sample::select(vec!["orderbook_delta", "ticker", "trade", "fill"]),
    ) {
        let mut rig = Rig::new();
        rig.quote(0, Side::Ask, 5_000, 100);
        let mut order = rig.order(0, "bid", "1.00", "0.5000");
        order[field] = value.clone();
        let (status, _) = rig.place(0, &order);
        prop_assert!((200..500).contains(&status));
        let client = rig.connect(0, 1);
        for name in ["channels", "market_ticker", "market_tickers", "sid", "sids", "action", "id"] {
            let mut params = json!({"channels": [channel], "market_tickers": [TICKERS[0]], "sid": 1, "sids": [1], "action": "get_snapshot"});
            params[name] = value.clone();
            for cmd in ["subscribe", "update_subscription", "unsubscribe", "list_subscriptions"] {
                rig.say(client, &json!({"id": 1, "cmd": cmd, "params": params}));
                rig.say(client, &json!({"id": value, "cmd": cmd, "params": value}));
            }
        }
    }
}
