//! What holds whatever happens.

use engine::pair::Outcome;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Quote {
        market: usize,
        side: Side,
        px: u16,
        shares: u64,
    },
    Order {
        who: usize,
        market: usize,
        token: usize,
        buys: bool,
        cents: u64,
        size: u64,
        kind: usize,
    },
    CancelAll(usize),
    Fail,
    Wait(u64),
    Settle(usize, Settlement),
    Close(usize),
}

/// Orders at prices so close to each other that most of them meet, makers' too.
fn step() -> impl Strategy<Value = Step> {
    let side = prop_oneof![Just(Side::Bid), Just(Side::Ask)];
    let market = || prop_oneof![6 => Just(0_usize), 1 => 1..3_usize];
    let order =
        (0..3_usize, market(), 0..2_usize, any::<bool>(), 40..60_u64, 500..5_000_u64, 0..4_usize);
    prop_oneof![
        3 => (market(), side, 40..60_u16, 0..30_u64).prop_map(|(market, side, px, shares)| {
            Step::Quote { market, side, px: px * 100, shares }
        }),
        16 => order.prop_map(|(who, market, token, buys, cents, size, kind)| {
            Step::Order { who, market, token, buys, cents, size, kind }
        }),
        1 => (0..3_usize).prop_map(Step::CancelAll),
        1 => Just(Step::Fail),
        4 => (0..4_000_u64).prop_map(Step::Wait),
        1 => (1..3_usize).prop_map(Step::Close),
        1 => (1..3_usize, settlement()).prop_map(|(market, end)| Step::Settle(market, end)),
    ]
}

fn settlement() -> impl Strategy<Value = Settlement> {
    let void = prop_oneof![Just(5_000), 1..10_000_u16];
    let split = void.prop_map(|e4| Settlement::split(Px::lit(e4)));
    prop_oneof![Just(Settlement::YES), Just(Settlement::NO), split]
}

/// Cash, fees and a dollar a pair of shares of open markets; and both tokens' shares, by market.
fn sums(venue: &Polymarket) -> (i64, Vec<[i64; 2]>) {
    let wallets = || venue.wallets.iter().chain([&venue.house]);
    let cash: i64 = wallets().map(|wallet| wallet.cash.total).sum();
    let shares = (0..3).map(|market| {
        [0, 1].map(|token| wallets().map(|wallet| wallet.of((market, token)).total).sum::<i64>())
    });
    (cash + venue.fees, shares.collect())
}

fn check(venue: &Polymarket) {
    for wallet in &venue.wallets {
        for balance in wallet.shares.values().chain([&wallet.cash]) {
            assert!(balance.held >= 0 && balance.pending >= 0, "{wallet:?}");
            assert!(balance.free() >= 0, "{wallet:?}");
        }
    }
    for market in &venue.markets {
        let (bid, ask) = market.best(0);
        assert!(bid.is_none() || ask.is_none() || bid < ask, "crossed: {market:?}");
    }
}

fn play(venue: &mut Polymarket, traders: &[Trader], now: &mut Ns, step: &Step, out: &mut Outbox) {
    venue.set_rate_limits(false);
    match *step {
        Step::Quote { market, side, px, shares } => {
            let qty = Qty::new(shares * 100).unwrap();
            venue.quote(*now, market, side, Px::new(px).unwrap(), qty, out);
        }
        Step::Order { who, market, token, buys, cents, size, kind } => {
            let kind = ["GTC", "GTC", "FAK", "FOK"][kind];
            // Whole shares for takers keep them in cents.
            let size = if kind == "GTC" { size } else { size / 100 * 100 };
            let (shares, cash) = (size * 10_000, size * cents * 100);
            let (side, maker, taker) =
                if buys { ("BUY", cash, shares) } else { ("SELL", shares, cash) };
            let body = traders[who].order(venue, market, token, side, maker, taker, kind);
            traders[who].send(venue, *now, "POST", "/order", &body, out);
        }
        Step::CancelAll(who) => {
            traders[who].send(venue, *now, "DELETE", "/cancel-all", &Value::Null, out);
        }
        Step::Fail => venue.fail_next_settlement(),
        Step::Wait(ms) => {
            *now = now.after(Ns::from_ms(ms));
            venue.tick(*now, out);
        }
        Step::Close(market) => _ = venue.close(*now, market, out),
        Step::Settle(market, end) => venue.settle(*now, market, end, out),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// A journal that is replayed leads to the same ledger, whoever looked in between.
    #[test]
    fn looking_changes_nothing(steps in prop::collection::vec(step(), 1..60)) {
        let [(mut venue, _), (mut twin, traders)] = [super::venue(), super::venue()];
        let (mut now, mut out) = (START, Outbox::default());
        for step in steps {
            let before = now;
            play(&mut venue, &traders, &mut now, &step, &mut out);
            let mut then = before;
            if now > before {
                traders[0].get(&mut twin, Ns(before.0.midpoint(now.0)), "/data/trades", "");
            }
            play(&mut twin, &traders, &mut then, &step, &mut out);
        }
        prop_assert_eq!(venue.ledger(), twin.ledger());
    }

    #[test]
    fn nothing_is_made_or_lost(steps in prop::collection::vec(step(), 1..60)) {
        let (mut venue, traders) = venue();
        let (start, existing) = sums(&venue);
        let mut now = START;
        let mut paid = 0;
        let mut out = Outbox::default();
        for step in steps {
            if let Step::Settle(market, end) = step
                && venue.markets[market].settled.is_none()
            {
                // Shares of the start were paid for before it.
                let each = [Outcome::Yes, Outcome::No].map(|of| i64::from(end.each(of).e4()));
                let worth = [0, 1].map(|token| existing[market][token] * each[token]);
                paid += (worth[0] + worth[1]) / 10_000;
            }
            play(&mut venue, &traders, &mut now, &step, &mut out);
            check(&venue);
        }
        let (cash, shares) = sums(&venue);
        let mut minted = 0;
        for (market, shares) in shares.iter().enumerate() {
            if venue.markets[market].settled.is_none() {
                let more = [0, 1].map(|token| shares[token] - existing[market][token]);
                prop_assert_eq!(more[0], more[1], "pairs only");
                minted += more[0];
            }
        }
        prop_assert_eq!(cash + minted, start + paid);
        for account in venue.ledger()["accounts"].as_array().unwrap() {
            let begun = 1_000_000_000;
            let moved: i64 = account["fills"].as_array().unwrap().iter()
                .filter(|fill| fill["status"] != "FAILED")
                .map(|fill| fill["cash"].as_i64().unwrap() - fill["fee"].as_i64().unwrap())
                .sum();
            if venue.markets.iter().all(|market| market.settled.is_none()) {
                prop_assert_eq!(account["cash"].as_i64().unwrap(), begun + moved);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(
        method in prop_oneof![Just("GET"), Just("POST"), Just("DELETE"), Just("")],
        path in prop_oneof![
            "(/[a-z0-9-]{0,12}){0,4}",
            Just("/order".to_owned()), Just("/orders".to_owned()), Just("/books".to_owned()),
            Just("/data/trades".to_owned()), Just("/v1/heartbeats".to_owned()),
            Just("/markets/keyset".to_owned()), Just("/balance-allowance".to_owned()),
        ],
        query in "[a-z_=&%0-9]{0,40}",
        body in prop::collection::vec(any::<u8>(), 0..80),
        text in "\\PC{0,60}",
    ) {
        let (mut venue, [eoa, _, _]) = venue();
        let mut out = Outbox::default();
        let headers = [("POLY_ADDRESS", query.as_str()), ("POLY_SIGNATURE", text.as_str())];
        let request = Request { method, path: &path, query: &query, headers: &headers, body: &body };
        let reply = venue.request(START, &request, &mut out);
        prop_assert!((200..600).contains(&reply.status));
        // And with a signature that fits.
        let body = serde_json::from_slice(&body).unwrap_or_else(|_| json!({ "order": text }));
        eoa.reply(&mut venue, START, method, &path, &query, &body, &mut out);
        listen(&mut venue, 0, true);
        venue.text(START, MARKET_SOCKET, &text, &mut out);
        prop_assert!(venue.ledger()["accounts"].is_array());
    }
}
