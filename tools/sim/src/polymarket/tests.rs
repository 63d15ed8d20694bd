use engine::pair::Polarity;
use engine::units::{Shares, Usd};
use serde_json::{Value, json};

use super::*;
use crate::universe::{KalshiMarket, MarketSpec, PolymarketAccount};
use crate::venue::Push;
use client::{Trader, trader};

mod client;
mod properties;
mod rules;

const START: Ns = Ns::from_ms(1_795_000_000_000);
const YES: usize = 0;
const NO: usize = 1;
const MARKET_SOCKET: ClientId = ClientId(1);
const USER_SOCKET: ClientId = ClientId(2);

fn spec(number: u64) -> PolymarketMarket {
    PolymarketMarket {
        gamma_id: 500 + number,
        condition_id: format!("0x{number:064x}"),
        // Bits 40 to 103 are not zero in the first two markets' ids.
        tokens: [0, 1].map(|at| format!("5211431950124591551605510604688420{number}{at}")),
        outcomes: ["Yes".into(), "No".into()],
        question: format!("Will {number} happen?"),
        slug: format!("will-{number}-happen"),
        tick: 100,
        min_size: Qty::lit(500),
        fee_rate_e6: 40_000,
        fee_exponent: 1,
        neg_risk: number == 1,
        is_v2: number == 2,
        taker_delay_ms: if number == 1 { 250 } else { 0 },
        end_time: 1_798_761_540,
        about: Default::default(),
    }
}

fn listed(number: u64) -> MarketSpec {
    MarketSpec {
        polarity: Polarity::Same,
        kalshi: KalshiMarket {
            ticker: String::new(),
            event: String::new(),
            series: String::new(),
            title: String::new(),
            yes_sub_title: String::new(),
            bands: Vec::new(),
            price_level_structure: String::new(),
            fee_type: String::new(),
            fee_multiplier_e6: 0,
            exchange_index: 0,
            close_time: 0,
            about: Default::default(),
        },
        polymarket: spec(number),
    }
}

/// Three markets and three traders: an EOA, one with a Safe and one with a deposit wallet; each has
/// 1,000 dollars and 100 shares of both tokens of the first market.
fn venue() -> (Polymarket, [Trader; 3]) {
    let mut traders = [trader(1, 0), trader(2, 2), trader(3, 3)];
    let account = |trader: &Trader| PolymarketAccount {
        signer: eip712::hex(&trader.address),
        funder: eip712::hex(&trader.funder),
        signature_type: trader.kind,
        cash: Usd::new(1_000_000_000),
        shares: spec(0).tokens.iter().map(|id| (id.clone(), Shares::new(100_000_000))).collect(),
    };
    let universe = Universe {
        markets: (0..3).map(listed).collect(),
        kalshi: Vec::new(),
        polymarket: traders.iter().map(account).collect(),
    };
    let mut venue = Polymarket::new(&universe, START);
    for trader in &mut traders {
        trader.log_in(&mut venue, START);
    }
    (venue, traders)
}

fn quote(venue: &mut Polymarket, market: usize, side: Side, px: u16, shares: u64) -> Outbox {
    let mut out = Outbox::default();
    let qty = Qty::new(shares * 100).unwrap();
    venue.quote(START, market, side, Px::new(px).unwrap(), qty, &mut out);
    out
}

/// The frames that a socket got, arrays taken apart.
fn frames(out: &Outbox, socket: ClientId) -> Vec<Value> {
    let mut all = Vec::new();
    for push in &out.pushes {
        if let Push::Text(client, text) = push
            && *client == socket
        {
            match serde_json::from_str(text).unwrap() {
                Value::Array(many) => all.extend(many),
                one => all.push(one),
            }
        }
    }
    all
}

fn kinds(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|frame| frame["event_type"].as_str().unwrap()).collect()
}

fn open_socket(venue: &mut Polymarket, client: ClientId, path: &str, hello: &Value) -> Outbox {
    let request = Request { method: "GET", path, query: "", headers: &[], body: b"" };
    let mut out = Outbox::default();
    venue.open(START, client, &request, &mut out).unwrap();
    venue.text(START, client, &hello.to_string(), &mut out);
    out
}

fn listen(venue: &mut Polymarket, market: u64, custom: bool) -> Outbox {
    let hello = json!({
        "type": "market", "assets_ids": spec(market).tokens, "custom_feature_enabled": custom,
    });
    open_socket(venue, MARKET_SOCKET, "/ws/market", &hello)
}

fn cash(venue: &Polymarket, trader: usize) -> i64 {
    venue.ledger()["accounts"][trader]["cash"].as_i64().unwrap()
}

fn shares(venue: &Polymarket, trader: usize, token: usize) -> i64 {
    venue.ledger()["accounts"][trader]["shares"][&spec(0).tokens[token]].as_i64().unwrap_or(0)
}

/// Ticks until nothing is due; the frames of the user socket.
fn wait_out(venue: &mut Polymarket) -> Vec<Value> {
    let mut out = Outbox::default();
    while let Some(at) = venue.next_due() {
        venue.tick(at, &mut out);
    }
    frames(&out, USER_SOCKET)
}

#[test]
fn a_buy_takes_improves_and_settles() {
    let (mut venue, [eoa, _, _]) = venue();
    quote(&mut venue, 0, Side::Ask, 5_000, 10);
    quote(&mut venue, 0, Side::Ask, 5_200, 1_000);
    open_socket(&mut venue, USER_SOCKET, "/ws/user", &eoa.hello());
    assert_eq!(kinds(&frames(&listen(&mut venue, 0, false), MARKET_SOCKET)), ["book", "book"]);

    let mut out = Outbox::default();
    // 20 shares at 0.53: 10.60 dollars buy 10 at 0.50 and 10.769230 at 0.52.
    let body = eoa.order(&venue, 0, YES, "BUY", 10_600_000, 20_000_000, "FAK");
    let (status, answer) = eoa.send(&mut venue, START, "POST", "/order", &body, &mut out);
    assert_eq!((status, &answer["status"]), (200, &json!("matched")), "{answer}");
    assert_eq!(answer["makingAmount"], "10.6");
    assert_eq!(answer["takingAmount"], "20.76923");
    assert_eq!(answer["tradeIDs"].as_array().unwrap().len(), 2);
    assert_eq!(answer["orderID"], eoa.id(&venue, 0, &body), "the id is the digest");

    let told = frames(&out, MARKET_SOCKET);
    assert_eq!(
        kinds(&told),
        ["last_trade_price", "last_trade_price", "price_change", "book", "book"]
    );
    assert_eq!(told[2]["price_changes"][0]["hash"], told[3]["hash"], "the resulting book's hash");
    assert_eq!(told[3]["asks"], json!([{"price": "0.52", "size": "989.23"}]));
    assert_eq!(told[4]["bids"], json!([{"price": "0.48", "size": "989.23"}]));
    let events = frames(&out, USER_SOCKET);
    assert_eq!(kinds(&events), ["trade", "trade", "order"]);
    assert_eq!((&events[0]["price"], &events[0]["size"]), (&json!("0.5"), &json!("10")));
    assert_eq!((&events[1]["price"], &events[1]["size"]), (&json!("0.52"), &json!("10.76923")));
    assert_eq!(events[2]["status"], "MATCHED");

    // Fees: 10 x 0.04 x 0.25 and 10.76923 x 0.04 x 0.2496, each floored to 1e-5.
    let fees = 100_000 + 107_510;
    assert_eq!(cash(&venue, 0), 1_000_000_000 - 10_600_000 - fees);
    assert_eq!(shares(&venue, 0, YES), 120_769_230);
    assert_eq!(venue.ledger()["accounts"][0]["unsettled_shares"][&spec(0).tokens[0]], 20_769_230);
    // What is not mined cannot be sold.
    let more = eoa.order(&venue, 0, YES, "SELL", 110_000_000, 11_000_000, "GTC");
    let (status, answer) = eoa.send(&mut venue, START, "POST", "/order", &more, &mut out);
    assert_eq!((status, &answer["error"]), (400, &json!("not enough balance / allowance")));

    let later = wait_out(&mut venue);
    let statuses: Vec<&str> = later.iter().map(|event| event["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["MINED", "MINED", "CONFIRMED", "CONFIRMED"]);
    assert_ne!(later[0]["transaction_hash"], "");
    venue.settle(START, 0, Settlement::YES, &mut out);
    assert_eq!(cash(&venue, 0), 1_000_000_000 - 10_600_000 - fees + 120_769_230);
    assert_eq!((shares(&venue, 0, YES), shares(&venue, 0, NO)), (0, 0));
}

#[test]
fn two_buyers_mint_and_a_failed_settlement_undoes_it() {
    let (mut venue, [eoa, safe, _]) = venue();
    let mut out = Outbox::default();
    open_socket(&mut venue, USER_SOCKET, "/ws/user", &safe.hello());
    let rests = safe.order(&venue, 0, NO, "BUY", 4_000_000, 10_000_000, "GTC");
    let (_, answer) = safe.send(&mut venue, START, "POST", "/order", &rests, &mut out);
    assert_eq!(answer["status"], "live", "{answer}");
    assert_eq!(venue.markets[0].book.best(Side::Ask), Some(Px::lit(6_000)), "a bid for NO");
    venue.fail_next_settlement();
    let takes = eoa.order(&venue, 0, YES, "BUY", 6_000_000, 10_000_000, "FOK");
    let (_, answer) = eoa.send(&mut venue, START, "POST", "/order", &takes, &mut out);
    assert_eq!(answer["status"], "matched", "{answer}");
    assert_eq!(cash(&venue, 0), 1_000_000_000 - 6_000_000 - 96_000);
    assert_eq!(cash(&venue, 1), 1_000_000_000 - 4_000_000, "makers pay no fee");
    assert_eq!((shares(&venue, 0, YES), shares(&venue, 1, NO)), (110_000_000, 110_000_000));
    let told = frames(&out, USER_SOCKET);
    let maker = told.iter().find(|event| event["event_type"] == "trade").unwrap();
    assert_eq!(maker["trader_side"], "MAKER");
    assert_eq!(maker["maker_orders"][0]["order_id"], safe.id(&venue, 0, &rests));
    assert_eq!(maker["maker_orders"][0]["price"], "0.4");
    assert_eq!((&maker["price"], &maker["outcome"]), (&json!("0.6"), &json!("Yes")));

    let later = wait_out(&mut venue);
    assert_eq!(later[0]["status"], "RETRYING");
    assert_eq!(later[1]["status"], "FAILED");
    assert_eq!((cash(&venue, 0), cash(&venue, 1)), (1_000_000_000, 1_000_000_000));
    assert_eq!((shares(&venue, 0, YES), shares(&venue, 1, NO)), (100_000_000, 100_000_000));
    assert_eq!(venue.ledger()["fees"], 0);
}

#[test]
fn makers_of_the_model_trade_with_resting_orders_first() {
    let (mut venue, [_, _, deposit]) = venue();
    let mut out = Outbox::default();
    let rests = deposit.order(&venue, 0, YES, "SELL", 30_000_000, 16_500_000, "GTC");
    let (_, answer) = deposit.send(&mut venue, START, "POST", "/order", &rests, &mut out);
    assert_eq!(answer["status"], "live", "{answer}");
    quote(&mut venue, 0, Side::Ask, 5_500, 7);
    quote(&mut venue, 0, Side::Bid, 5_600, 100);
    assert_eq!(cash(&venue, 2), 1_000_000_000 + 16_500_000, "at its own price, without a fee");
    assert_eq!(venue.quoted(0, Side::Bid, Px::lit(5_600)), Qty::lit(7_000));
    assert_eq!(venue.quoted(0, Side::Ask, Px::lit(5_500)), Qty::ZERO, "pulled before a cross");
    quote(&mut venue, 0, Side::Bid, 5_650, 100);
    assert_eq!(venue.quoted(0, Side::Bid, Px::lit(5_650)), Qty::ZERO, "off the grid");
}

#[test]
fn a_delayed_order_meets_the_book_of_its_time() {
    let (mut venue, [eoa, _, _]) = venue();
    quote(&mut venue, 1, Side::Ask, 5_000, 10);
    open_socket(&mut venue, USER_SOCKET, "/ws/user", &eoa.hello());
    let mut out = Outbox::default();
    let body = eoa.order(&venue, 1, YES, "BUY", 5_000_000, 10_000_000, "FAK");
    let (status, answer) = eoa.send(&mut venue, START, "POST", "/order", &body, &mut out);
    assert_eq!((status, &answer["status"]), (200, &json!("delayed")), "{answer}");
    let id = eoa.id(&venue, 1, &body);
    let cancel = json!({ "orderID": id });
    let (_, refused) = eoa.send(&mut venue, START, "DELETE", "/order", &cancel, &mut out);
    assert_eq!(refused["canceled"], json!([]));
    // Half of it is gone by then, and the rest is dearer but for 4 shares.
    quote(&mut venue, 1, Side::Ask, 5_000, 4);
    let told = wait_out(&mut venue);
    assert_eq!(kinds(&told)[..3], ["trade", "order", "order"]);
    assert_eq!((&told[0]["status"], &told[0]["size"]), (&json!("MATCHED"), &json!("4")));
    assert_eq!(told[2]["type"], "CANCELLATION");
    let (_, row) = eoa.get(&mut venue, START, &format!("/data/order/{id}"), "");
    assert_eq!((&row["status"], &row["size_matched"]), (&json!("CANCELED"), &json!("2")));

    quote(&mut venue, 1, Side::Ask, 5_000, 10);
    let body = eoa.order(&venue, 1, YES, "BUY", 2_500_000, 5_000_000, "FOK");
    eoa.send(&mut venue, START, "POST", "/order", &body, &mut out);
    quote(&mut venue, 1, Side::Ask, 5_000, 0);
    let told = wait_out(&mut venue);
    let killed = "CANCELED_order couldn't be fully filled. FOK orders are fully filled or killed.";
    assert_eq!(told[0]["status"], killed);
    assert_eq!(told[0]["original_size"], "2.5", "a market BUY is an amount of money");
}

#[test]
fn sockets_follow_the_subscription_rules() {
    let (mut venue, _) = venue();
    let mut out = listen(&mut venue, 0, false);
    venue.text(START, MARKET_SOCKET, "PING", &mut out);
    assert_eq!(out.pushes.last(), Some(&Push::Text(MARKET_SOCKET, "PONG".into())));
    // A duplicate brings no book, but its flag counts.
    let again = json!({
        "operation": "subscribe", "assets_ids": spec(0).tokens, "custom_feature_enabled": true,
    });
    let mut out = Outbox::default();
    venue.text(START, MARKET_SOCKET, &again.to_string(), &mut out);
    assert!(out.pushes.is_empty());
    quote(&mut venue, 0, Side::Ask, 9_800, 10);
    let told = frames(&quote(&mut venue, 0, Side::Bid, 9_700, 10), MARKET_SOCKET);
    let seen = ["price_change", "best_bid_ask", "best_bid_ask", "tick_size_change", "book"];
    assert_eq!(kinds(&told)[..5], seen, "near its end a cent becomes a tenth");
    assert_eq!(told[3]["new_tick_size"], "0.001");
    // The sibling's entries come, its book does not.
    let one = json!({ "operation": "unsubscribe", "assets_ids": [spec(0).tokens[1]] });
    venue.text(START, MARKET_SOCKET, &one.to_string(), &mut out);
    let told = frames(&quote(&mut venue, 0, Side::Bid, 9_700, 20), MARKET_SOCKET);
    assert_eq!(kinds(&told), ["price_change"]);
    assert_eq!(told[0]["price_changes"].as_array().unwrap().len(), 2);
    let mut out = Outbox::default();
    let number = venue.list_market(&spec(7), START, &mut out);
    venue.settle(START, 0, Settlement::NO, &mut out);
    let told = frames(&out, MARKET_SOCKET);
    assert_eq!(kinds(&told), ["new_market", "price_change", "best_bid_ask", "market_resolved"]);
    assert_eq!((number, &told[3]["winning_outcome"]), (3, &json!("No")));
}

#[test]
fn a_user_socket_without_credentials_is_closed() {
    let (mut venue, [eoa, _, _]) = venue();
    let mut hello = eoa.hello();
    hello["auth"]["passphrase"] = json!("x");
    let out = open_socket(&mut venue, USER_SOCKET, "/ws/user", &hello);
    assert_eq!(out.pushes, [Push::Close(USER_SOCKET)]);
}
