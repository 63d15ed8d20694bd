use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signer as _, SigningKey};
use engine::pair::Polarity;
use engine::units::{Ns, Px, Qty, Usd};
use serde_json::{Value, json};
use sim::kalshi::{Kalshi, Tier};
use sim::universe::{KalshiAccount, KalshiMarket, MarketSpec, PolymarketMarket, Universe};
use sim::venue::{ClientId, Outbox, Push, Reply, Request, Side, Venue};

/// Saturday, 2026-11-21 12:00 UTC.
pub const START: Ns = Ns(1_795_262_400_000_000_000);
/// The markets by number: shard 0, shard 2 with a tapered grid, shard 0 with maker fees.
pub const TICKERS: [&str; 3] = ["KXA-1-YES", "KXB-1-YES", "KXA-1-NO"];
/// Where orders go.
pub const ORDERS: &str = "/trade-api/v2/portfolio/events/orders";

/// A venue with two members: 0 is direct, 1 comes through a broker.
pub struct Rig {
    pub venue: Kalshi,
    pub out: Outbox,
    pub now: Ns,
    keys: Vec<SigningKey>,
    stamps: u64,
    client_ids: u64,
}

fn market(number: usize) -> MarketSpec {
    let ticker = TICKERS[number];
    let tapered = vec![(0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10)];
    let is_tapered = number == 1;
    MarketSpec {
        polarity: Polarity::Same,
        kalshi: KalshiMarket {
            ticker: ticker.to_owned(),
            event: ticker.rsplit_once('-').unwrap().0.to_owned(),
            series: ticker.split('-').next().unwrap().to_owned(),
            title: format!("Title of \"{ticker}\""),
            yes_sub_title: "It happens".to_owned(),
            bands: if is_tapered { tapered } else { vec![(0, 10_000, 100)] },
            price_level_structure: if is_tapered { "tapered_deci_cent" } else { "linear_cent" }
                .to_owned(),
            fee_type: if number == 2 { "quadratic_with_maker_fees" } else { "quadratic" }
                .to_owned(),
            fee_multiplier_e6: 1_000_000,
            exchange_index: if is_tapered { 2 } else { 0 },
            close_time: START.0 / 1_000_000_000 + 3_600,
            about: Default::default(),
        },
        polymarket: PolymarketMarket {
            gamma_id: 1,
            condition_id: String::new(),
            tokens: [String::new(), String::new()],
            outcomes: [String::new(), String::new()],
            question: String::new(),
            slug: String::new(),
            tick: 100,
            min_size: Qty::ONE,
            fee_rate_e6: 0,
            fee_exponent: 1,
            neg_risk: false,
            is_v2: false,
            taker_delay_ms: 0,
            end_time: 0,
            about: Default::default(),
        },
    }
}

impl Rig {
    pub fn new() -> Rig {
        Rig::with_tier(Tier::Prestige)
    }

    pub fn with_tier(tier: Tier) -> Rig {
        let keys: Vec<SigningKey> =
            (1..=2).map(|seed| SigningKey::from_bytes(&[seed; 32])).collect();
        let accounts = keys.iter().enumerate().map(|(number, key)| KalshiAccount {
            key_id: format!("key-{number}"),
            public_key_pem: key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap(),
            cash: vec![(0, Usd::new(100_000_000)), (2, Usd::new(50_000_000))],
            balance_grid: Usd::new(if number == 0 { 100 } else { 10_000 }),
        });
        let universe = Universe {
            markets: (0..TICKERS.len()).map(market).collect(),
            kalshi: accounts.collect(),
            polymarket: Vec::new(),
        };
        Rig {
            venue: Kalshi::with_tier(&universe, START, tier),
            out: Outbox::default(),
            now: START,
            keys,
            stamps: 0,
            client_ids: 0,
        }
    }

    /// A venue that lists the markets from this number on later.
    pub fn withholding(first: usize) -> Rig {
        let rig = Rig::new();
        Rig { venue: rig.venue.withholding(first), ..rig }
    }

    /// Three headers for a request, each time with another stamp.
    pub fn headers(
        &mut self,
        member: usize,
        method: &str,
        path: &str,
    ) -> [(&'static str, String); 3] {
        self.stamps += 1;
        let stamp = self.now.0 / 1_000_000 - 4_000 + self.stamps % 8_000;
        self.headers_at(member, method, path, stamp)
    }

    pub fn headers_at(
        &self,
        member: usize,
        method: &str,
        path: &str,
        stamp: u64,
    ) -> [(&'static str, String); 3] {
        let signature = self.keys[member].sign(format!("{stamp}{method}{path}").as_bytes());
        [
            ("Kalshi-Access-Key", format!("key-{member}")),
            ("KALSHI-ACCESS-TIMESTAMP", stamp.to_string()),
            ("kalshi-access-signature", STANDARD.encode(signature.to_bytes())),
        ]
    }

    pub fn raw(
        &mut self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, String)],
        body: &[u8],
    ) -> Reply {
        let mut headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.push(("Content-Type", "application/json"));
        let request = Request { method, path, query, headers: &headers, body };
        self.venue.request(self.now, &request, &mut self.out)
    }

    /// A signed request; status and body. `target` may have a query.
    pub fn call(
        &mut self,
        member: usize,
        method: &str,
        target: &str,
        body: &Value,
    ) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = self.headers(member, method, path);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let reply = self.raw(method, path, query, &headers, body.as_bytes());
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
    }

    pub fn get(&mut self, member: usize, target: &str) -> Value {
        let (status, body) =
            self.call(member, "GET", &format!("/trade-api/v2{target}"), &Value::Null);
        assert_eq!(status, 200, "{target}: {body}");
        body
    }

    /// An order's body: good till cancelled, with a client id of its own.
    pub fn order(&mut self, market: usize, side: &str, count: &str, price: &str) -> Value {
        self.client_ids += 1;
        json!({
            "ticker": TICKERS[market],
            "client_order_id": format!("c{}", self.client_ids),
            "side": side,
            "count": count,
            "price": price,
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
        })
    }

    pub fn place(&mut self, member: usize, order: &Value) -> (u16, Value) {
        self.call(member, "POST", ORDERS, order)
    }

    /// Places an order that must be taken.
    pub fn placed(
        &mut self,
        member: usize,
        market: usize,
        side: &str,
        count: &str,
        price: &str,
    ) -> Value {
        let order = self.order(market, side, count, price);
        let (status, reply) = self.place(member, &order);
        assert_eq!(status, 201, "{reply}");
        reply
    }

    pub fn quote(&mut self, market: usize, side: Side, e4: u16, e2: u64) {
        self.venue.quote(self.now, market, side, Px::lit(e4), Qty::lit(e2), &mut self.out);
    }

    /// A level of the public book, in YES prices of its own side.
    pub fn level(&mut self, market: usize, side: &str, price: &str) -> Option<String> {
        let book = self.get(0, &format!("/markets/{}/orderbook", TICKERS[market]));
        let levels = book["orderbook_fp"][side].as_array().unwrap().clone();
        let level = levels.iter().find(|level| level[0] == price)?;
        Some(level[1].as_str().unwrap().to_owned())
    }

    /// A member's part of the ledger.
    pub fn ledger(&self, member: usize) -> Value {
        self.venue.ledger()["accounts"][member].clone()
    }

    pub fn cash(&self, member: usize, shard: u32) -> i64 {
        self.ledger(member)["cash"][shard.to_string()].as_i64().unwrap()
    }

    pub fn money(&self) -> i64 {
        self.venue.ledger()["money"].as_i64().unwrap()
    }

    pub fn wait(&mut self, ms: u64) {
        self.now = self.now.after(Ns::from_ms(ms));
        self.venue.tick(self.now, &mut self.out);
    }

    /// A WebSocket of a member.
    pub fn connect(&mut self, member: usize, client: u64) -> ClientId {
        let path = "/trade-api/ws/v2";
        let headers = self.headers(member, "GET", path);
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = Request { method: "GET", path, query: "", headers: &headers, body: b"" };
        let client = ClientId(client);
        self.venue.open(self.now, client, &request, &mut self.out).unwrap();
        client
    }

    pub fn say(&mut self, client: ClientId, command: &Value) -> Vec<Value> {
        self.out.pushes.clear();
        self.venue.text(self.now, client, &command.to_string(), &mut self.out);
        self.heard(client)
    }

    /// What a client heard since the last time.
    pub fn heard(&mut self, client: ClientId) -> Vec<Value> {
        let pushes = std::mem::take(&mut self.out.pushes);
        let texts = pushes.into_iter().filter_map(|push| match push {
            Push::Text(to, text) if to == client => Some(serde_json::from_str(&text).expect(&text)),
            _ => None,
        });
        texts.collect()
    }
}
