//! Both gates against the simulated venues behind TLS, under a clock of numbers: what they report
//! of every order is what the venues' ledgers say.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use engine::clock::Clock;
use engine::event::{
    Action, Bundle, BundleId, Dispatch, Feedback, Grounds, Leg, Purpose, Report, ReportKind, Ticket,
};
use engine::grid::Grid;
use engine::pair::{Direction, FeeRule, Outcome, PairId};
use engine::tile::{Now, Tile};
use engine::top::MarketId;
use engine::units::{Ns, Px, Qty, Shares, Usd, Venue};
use exec::armed::armed_ring;
use exec::armory::Armory;
use exec::gate::kalshi::{KalshiAccount, KalshiClerk, KalshiLimits};
use exec::gate::net::TlsNet;
use exec::gate::orders::Patience;
use exec::gate::polymarket::{PolymarketAccount, PolymarketClerk, PolymarketLimits};
use exec::gate::{GateConfig, GateEnds, KalshiGate, PolymarketGate};
use exec::request::Origin;
use exec::sign::address::Address;
use exec::sign::kalshi::{KalshiSigner, WS_PATH};
use exec::sign::key::{KalshiKey, PolymarketKey};
use exec::sign::l2::{ApiCredentials, L2Signer};
use exec::sign::order::WalletKind;
use exec::sign::polymarket::{Chain, PolymarketSigner, Wallet};
use exec::sign::pool::{HeaderSpread, header_pool};
use exec::sign::position::MarketVersion;
use exec::terms::{KalshiTerms, PolymarketTerms, TermsTable};
use exec::token::TokenId;
use feeds::transport::{Endpoint, Roots, tls};
use rtrb::{Consumer, Producer, RingBuffer};
use serde_json::{Value, json};
use sim::accounts;
use sim::ca::Authority;
use sim::cast;
use sim::fault::Level;
use sim::front::Server;
use sim::host::{Effects, Host, SiteId};
use sim::model;
use sim::universe::{MarketSpec, Universe};
use sim::venue::Request;
use sim::world::{Options, World};

const MARKETS: usize = 6;
const START: Ns = Ns(1_795_000_000_000_000_000);
const KEY_ID: &str = "0b9f3d7e-1c52-4a6f-9d80-5e3c7a1b2d4f";
const EPOCH: u32 = 1;

#[derive(Clone)]
struct Timer(Rc<Cell<Now>>);

impl Clock for Timer {
    fn now(&self) -> Now {
        self.0.get()
    }
    fn raw(&self) -> u64 {
        self.0.get().mono.0
    }
    fn delta_ns(&self, start: u64, end: u64) -> u64 {
        end.saturating_sub(start)
    }
}

/// What the core was told of an order: shares, cash and fees, whether it ended, and how.
#[derive(Clone, Copy, Default, Debug)]
struct Told {
    shares: u64,
    cash: i64,
    fees: i64,
    ended: bool,
    unknown: bool,
    undone: bool,
}

struct Rig {
    server: Server,
    world: World,
    kalshi: KalshiGate<Timer>,
    polymarket: PolymarketGate<Timer>,
    bundles: [Producer<Dispatch>; 2],
    feedback: [Consumer<Feedback>; 2],
    ready: [bool; 2],
    told: BTreeMap<(u64, u8), Told>,
    timer: Timer,
    bundle: u64,
    run: u64,
}

fn market(venue: Venue, index: usize) -> MarketId {
    MarketId::new(venue, index).unwrap()
}

/// An API key, as the venue makes one for the wallet that asks.
fn api_key(world: &mut World, signer: &mut PolymarketSigner) -> ApiCredentials {
    let proof = signer.prove(START.0 / 1_000_000_000, 0);
    let lines = String::from_utf8(proof.as_bytes().to_vec()).unwrap();
    let headers: Vec<(&str, &str)> =
        lines.lines().filter_map(|line| line.split_once(": ")).collect();
    let request =
        Request { method: "POST", path: "/auth/api-key", query: "", headers: &headers, body: b"" };
    let answer = world.request(START, SiteId(1), &request, &mut Effects::default());
    let key: Value = serde_json::from_slice(&answer.reply.body).unwrap();
    let text = |name: &str| key[name].as_str().unwrap();
    ApiCredentials::new(text("apiKey"), text("secret"), text("passphrase")).unwrap()
}

fn config(seed: u64) -> GateConfig {
    // The simulated Kalshi takes stamps of at most ten seconds.
    let patience = Patience { absence: Ns::from_ms(15_000), ..Patience::default() };
    GateConfig { patience, seed, ..GateConfig::default() }
}

fn kalshi_account(markets: &[MarketSpec], pem: &[u8], host: &str, run: u64) -> KalshiAccount {
    let (mut terms, mut fees) = (TermsTable::new(Venue::Kalshi), TermsTable::new(Venue::Kalshi));
    for (index, spec) in markets.iter().enumerate() {
        let grid = Grid::banded(&spec.kalshi.bands).unwrap();
        let (ticker, exchange_index) = (spec.kalshi.ticker.clone(), spec.kalshi.exchange_index);
        let at = market(Venue::Kalshi, index);
        terms.set(at, KalshiTerms { ticker, exchange_index, grid }).unwrap();
        fees.set(at, FeeRule::quadratic(spec.kalshi.fee_multiplier_e6).unwrap()).unwrap();
    }
    let key = KalshiKey::from_pem(pem).unwrap();
    KalshiAccount {
        signer: KalshiSigner::new(key, KEY_ID, [1; 32]).unwrap(),
        headers: header_pool(HeaderSpread::default()).1,
        origin: Origin::new(host, "parallax-test/1").unwrap(),
        terms,
        fees,
        balance_grid: Usd::new(100),
        limits: KalshiLimits {
            write_rate: 1_200,
            write_capacity: 3_600,
            read_rate: 1_200,
            read_capacity: 1_200,
        },
        run,
    }
}

fn polymarket_account(
    markets: &[MarketSpec],
    orders: PolymarketSigner,
    credentials: ApiCredentials,
    host: &str,
) -> PolymarketAccount {
    let venue = Venue::Polymarket;
    let (mut terms, mut fees) = (TermsTable::new(venue), TermsTable::new(venue));
    for (index, spec) in markets.iter().enumerate() {
        let spec = &spec.polymarket;
        let tokens = [0, 1].map(|n: usize| TokenId::parse(&spec.tokens[n]).unwrap());
        let version = if spec.is_v2 { MarketVersion::V2 } else { MarketVersion::V1 };
        let tick = Px::lit(spec.tick);
        let row = PolymarketTerms::new(tokens, version, spec.neg_risk, tick).unwrap();
        terms.set(market(venue, index), row).unwrap();
        let rule = FeeRule::curve(spec.fee_rate_e6, spec.fee_exponent).unwrap();
        fees.set(market(venue, index), rule).unwrap();
    }
    let login = L2Signer::new(orders.owner(), credentials);
    PolymarketAccount {
        armory: Armory::new(orders, login, host, "parallax-test/1", [3; 32]).unwrap(),
        armed: armed_ring().1,
        origin: Origin::new(host, "parallax-test/1").unwrap(),
        terms,
        fees,
        limits: PolymarketLimits {
            order_rate: 40,
            order_burst: 60,
            cancel_rate: 80,
            cancel_burst: 120,
        },
        heartbeat: true,
    }
}

impl Rig {
    fn new(seed: u64, faults: Level) -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let public = accounts::make_kalshi(dir.path(), accounts::KalshiKey::Ed25519).unwrap();
        let owner = accounts::make_polymarket(dir.path()).unwrap();
        let mut markets = cast::markets(seed, MARKETS, START);
        markets[1].polymarket.taker_delay_ms = 250;
        let universe = Universe {
            markets: markets.clone(),
            kalshi: vec![accounts::kalshi(KEY_ID, public)],
            polymarket: vec![accounts::polymarket(owner, 3)],
        };
        let authority = Authority::new().unwrap();
        let listeners = [0, 0].map(|port: u16| {
            (TcpListener::bind(("127.0.0.1", port)).unwrap(), Arc::clone(&authority.server))
        });
        let server = Server::new(listeners.into()).unwrap();
        let ends = [0, 1].map(|site| {
            let addr = server.local_addr(SiteId(site)).unwrap();
            Endpoint::at("localhost", addr.port(), vec![addr]).unwrap()
        });
        let venues: Vec<(Venue, Box<dyn sim::venue::Venue>)> = vec![
            (Venue::Kalshi, Box::new(sim::kalshi::Kalshi::new(&universe, START))),
            (Venue::Polymarket, Box::new(sim::polymarket::Polymarket::new(&universe, START))),
        ];
        let options = Options {
            model: model::Options { seed, ..model::Options::default() },
            faults,
            admin_token: "token".into(),
        };
        let mut world = World::new(&markets, venues, options, START);

        let pem = std::fs::read(dir.path().join(accounts::KALSHI_FILE)).unwrap();
        let hex = std::fs::read_to_string(dir.path().join(accounts::POLYMARKET_FILE)).unwrap();
        let funder = Address::parse(&universe.polymarket[0].funder).unwrap();
        let wallet = Wallet { kind: WalletKind::Deposit, funder: Some(funder) };
        let key = PolymarketKey::from_hex(hex.trim()).unwrap();
        let cost_max = Usd::new(10_000_000_000);
        let mut signer = PolymarketSigner::new(key, Chain::Polygon, wallet, cost_max).unwrap();
        let credentials = api_key(&mut world, &mut signer);

        let tls = tls::client_config(Roots::Only(authority.pem.as_bytes())).unwrap();
        let timer = Timer(Rc::new(Cell::new(Now { mono: Ns(1_000_000_000), wall: START })));
        let net = |end: &Endpoint, path: &str| TlsNet {
            orders: end.clone(),
            channel: end.clone(),
            channel_path: path.to_owned(),
            tls: Arc::clone(&tls),
        };
        let rings = || {
            let ((bundles, taken), (told, feedback)) = (RingBuffer::new(64), RingBuffer::new(64));
            let kill_epoch = Arc::new(AtomicU32::new(EPOCH));
            (bundles, GateEnds { bundles: taken, feedback: told, kill_epoch }, feedback)
        };
        let run = seed | 1 << 59;
        let (kalshi_tx, kalshi_ends, kalshi_rx) = rings();
        let account = kalshi_account(&markets, &pem, &ends[0].authority(), run);
        let clerk = KalshiClerk::new(account);
        let kalshi = KalshiGate::new(
            clerk,
            net(&ends[0], WS_PATH),
            kalshi_ends,
            config(seed),
            timer.clone(),
        );
        let (polymarket_tx, polymarket_ends, polymarket_rx) = rings();
        let account = polymarket_account(&markets, signer, credentials, &ends[1].authority());
        let clerk = PolymarketClerk::new(account);
        let polymarket = PolymarketGate::new(
            clerk,
            net(&ends[1], "/ws/user"),
            polymarket_ends,
            config(seed + 1),
            timer.clone(),
        );
        Rig {
            server,
            world,
            kalshi,
            polymarket,
            bundles: [kalshi_tx, polymarket_tx],
            feedback: [kalshi_rx, polymarket_rx],
            ready: [false; 2],
            told: BTreeMap::new(),
            timer,
            bundle: 0,
            run,
        }
    }

    /// Everything steps once; time passes.
    fn step(&mut self) {
        let now = self.timer.now();
        let mut done = self.kalshi.step(now) + self.polymarket.step(now);
        self.server.wait(Duration::ZERO).unwrap();
        done += self.server.step(now.wall, &mut self.world);
        for venue in 0..2 {
            while let Ok(feedback) = self.feedback[venue].pop() {
                match feedback {
                    Feedback::Report(report) => self.hear(&report),
                    Feedback::Gate { ready, .. } => self.ready[venue] = ready,
                    Feedback::Tripped { risk, .. } => panic!("no limit is set: {risk:?}"),
                    Feedback::Vacated { market, .. } => panic!("nobody left: {market:?}"),
                }
            }
        }
        let pass = if done > 0 { Ns(20_000) } else { Ns(4_000_000) };
        let later = Now { mono: now.mono.after(pass), wall: now.wall.after(pass) };
        self.timer.0.set(later);
    }

    fn hear(&mut self, report: &Report) {
        let told = self.told.get_mut(&(report.bundle.0, report.leg)).expect("of an order of ours");
        match report.kind {
            ReportKind::Filled { shares, cash, fee, .. } => {
                assert!(!told.ended, "{report:?} of an order that ended");
                told.shares += shares.e6();
                told.cash += cash.e6();
                told.fees += fee.e6();
            }
            ReportKind::Undone { shares, cash, fee, .. } => {
                told.shares -= shares.e6();
                told.cash -= cash.e6();
                told.fees -= fee.e6();
                told.undone = true;
            }
            ReportKind::Unknown => told.unknown = true,
            kind if kind.is_final() => {
                assert!(!told.ended, "{report:?} ends twice");
                told.ended = true;
            }
            _ => {}
        }
    }

    /// Steps until `done` says so, or that much time has passed; whether it did.
    fn until(&mut self, ms: u64, mut done: impl FnMut(&Rig) -> bool) -> bool {
        let end = self.timer.now().mono.after(Ns::from_ms(ms));
        while self.timer.now().mono < end {
            if done(self) {
                return true;
            }
            self.step();
        }
        false
    }

    /// A call of the simulation's administrator.
    fn admin(&mut self, path: &str, body: &Value) {
        let now = self.timer.now().wall;
        let headers = [("x-sim-token", "token")];
        let body = body.to_string();
        let body = body.as_bytes();
        let request = Request { method: "POST", path, query: "", headers: &headers, body };
        let answer = self.world.request(now, SiteId(0), &request, &mut Effects::default());
        assert_eq!(answer.reply.status, 200, "{}", String::from_utf8_lossy(&answer.reply.body));
    }

    fn is_ready(&self) -> bool {
        self.ready == [true; 2]
    }

    fn all_ended(&self) -> bool {
        self.told.values().all(|told| told.ended)
    }

    /// Buys that many contracts of a market on each venue, or both outcomes on Polymarket, at
    /// nearly any price.
    fn fire(&mut self, index: usize, contracts: u64, both: bool) {
        self.bundle += 1;
        let now = self.timer.now();
        let leg = |venue, outcome| {
            let (limit, qty) = (Px::lit(9_500), Qty::lit(contracts * 100));
            Leg {
                market: market(venue, index),
                outcome,
                action: Action::Buy,
                spends: venue == Venue::Polymarket,
                limit,
                qty,
                budget: qty.at(limit),
                expected: Shares::from(qty),
                cost: qty.at(limit),
                fee: Usd::ZERO,
                reserve: qty.at(limit),
                generation: 1,
            }
        };
        let first = if both { Venue::Polymarket } else { Venue::Kalshi };
        let outcome = if self.bundle.is_multiple_of(2) { Outcome::Yes } else { Outcome::No };
        let bundle = Bundle {
            id: BundleId(self.bundle),
            pair: PairId(index as u16),
            direction: Direction::FirstYes,
            purpose: Purpose::Open,
            count: 2,
            legs: [leg(first, outcome), leg(Venue::Polymarket, outcome.opposite())],
            recv: now.wall,
            decided: now.mono,
            deadline: now.mono.after(Ns::from_ms(50)),
            kill_epoch: EPOCH,
            collar: [Px::ONE; 2],
            ticket: Ticket::AtGate,
        };
        for number in [0, 1] {
            self.told.insert((self.bundle, number), Told::default());
        }
        let dispatch = Dispatch { bundle, grounds: Grounds::PERFECT };
        if !both {
            self.bundles[0].push(dispatch).unwrap();
        }
        self.bundles[1].push(dispatch).unwrap();
    }

    /// Compares every order with the ledgers, to the micro-dollar.
    fn audit(&mut self) {
        let ledger = self.world.ledger();
        let account = |venue: &str| ledger["venues"][venue]["accounts"][0].clone();
        let (kalshi, polymarket) = (account("kalshi"), account("polymarket"));
        let number = |value: &Value| value.as_i64().unwrap();
        // By order, then by the ids that this run gave to legs.
        let mut there: BTreeMap<String, (u64, i64, i64)> = BTreeMap::new();
        for fill in kalshi["fills"].as_array().unwrap() {
            let sum = there.entry(fill["client_order_id"].as_str().unwrap().into()).or_default();
            sum.0 += number(&fill["count_e2"]) as u64 * 10_000;
            sum.1 += number(&fill["cost"]);
            sum.2 += number(&fill["fee"]);
        }
        let mut ours = 0;
        for ((bundle, leg), told) in &self.told {
            let id = KalshiClerk::client_order_id(self.run, *bundle, usize::from(*leg));
            let id = exec::id::Id::uuid(id);
            if let Some(sum) = there.get(id.as_str()) {
                assert_eq!(*sum, (told.shares, told.cash, told.fees), "bundle {bundle} leg {leg}");
                ours += 1;
            }
        }
        assert_eq!(ours, there.len(), "every fill is of an order of ours");
        assert!(number(&ledger["venues"]["kalshi"]["orders_by_client_order_id"]) <= 1);
        assert_eq!(ledger["venues"]["kalshi"]["reused_headers"], 0);
        // Polymarket's ids are not told; the sums of all orders are.
        let sum = |field: &str| -> i64 {
            polymarket["fills"].as_array().unwrap().iter().map(|fill| number(&fill[field])).sum()
        };
        let kalshi_sums = there.values().fold((0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
        let all = self.told.values();
        let all = all.fold((0, 0, 0), |a, t| (a.0 + t.shares, a.1 + t.cash, a.2 + t.fees));
        let rest = (all.0 - kalshi_sums.0, all.1 - kalshi_sums.1, all.2 - kalshi_sums.2);
        assert_eq!(rest, (sum("shares") as u64, -sum("cash"), sum("fee")), "Polymarket");
    }
}

#[test]
fn what_the_gates_report_is_what_the_venues_did() {
    let mut rig = Rig::new(7, Level::None);
    assert!(rig.until(5_000, Rig::is_ready), "both gates get ready");
    for round in 0..48 {
        let both = round % 4 == 3;
        // From less than a level to several of them.
        let contracts = [10, 250, 1_500][round % 3];
        rig.fire(round % MARKETS, contracts, both);
        assert!(rig.until(5_000, Rig::all_ended), "round {round}: {:?}", rig.told.last_key_value());
    }
    rig.audit();
    let (kalshi, polymarket) = (rig.kalshi.figures(), rig.polymarket.figures());
    assert_eq!((kalshi.fired, polymarket.fired), (36, 60));
    assert!(rig.told.values().all(|told| told.shares > 0 && !told.unknown));
    for figures in [kalshi, polymarket] {
        assert_eq!(
            (figures.unknown, figures.foreign, figures.undone, figures.excess),
            (0, 0, 0, 0)
        );
        assert_eq!((figures.unread, figures.rested, figures.refused_total()), (0, 0, 0));
    }
    // Heartbeats do not disturb, and nothing is asked where nothing is in doubt.
    assert_eq!((kalshi.questions, polymarket.questions), (0, 0));
}

#[test]
fn whatever_goes_wrong_the_ledgers_agree() {
    let (mut unknown, mut questions) = (0, 0);
    for seed in [1, 2] {
        let mut rig = Rig::new(seed, Level::High);
        assert!(rig.until(60_000, Rig::is_ready), "seed {seed}");
        let (mut rounds, mut restarts, mut pauses) = (0, 0, 0);
        while rounds < 60 {
            rig.until(400, |_| false);
            match rounds {
                20 if rig.polymarket.is_ready() && restarts == 0 => {
                    restarts += 1;
                    rig.admin("/sim/restart", &json!({"venue": "polymarket"}));
                }
                40 if pauses == 0 => {
                    pauses += 1;
                    rig.admin("/sim/pause", &json!({"venue": "kalshi", "paused": true}));
                    rig.until(20_000, |_| false);
                    rig.admin("/sim/pause", &json!({"venue": "kalshi", "paused": false}));
                }
                _ => {}
            }
            if rig.is_ready() && rig.told.values().filter(|told| !told.ended).count() < 20 {
                rig.fire(rounds % MARKETS, 10 + (rounds as u64 % 7) * 60, rounds % 5 == 4);
                rounds += 1;
            }
            assert!(rig.timer.now().mono < Ns::from_ms(1_800_000), "seed {seed}: it gets nowhere");
        }
        let over = rig.until(180_000, Rig::all_ended);
        let open: Vec<_> = rig.told.iter().filter(|(_, told)| !told.ended).collect();
        assert!(over, "seed {seed}: {open:?}");
        rig.audit();
        for figures in [rig.kalshi.figures(), rig.polymarket.figures()] {
            unknown += figures.unknown;
            questions += figures.questions;
            assert_eq!(figures.unknown, figures.resolved, "seed {seed}");
            assert_eq!((figures.undone, figures.excess), (0, 0), "seed {seed}");
        }
    }
    assert!(unknown > 5 && questions > 10, "{unknown} {questions}: faults that show nothing");
}

#[test]
fn a_trade_that_fails_on_chain_shows() {
    let mut rig = Rig::new(9, Level::None);
    assert!(rig.until(5_000, Rig::is_ready));
    rig.admin("/sim/fault", &json!({"venue": "polymarket", "kind": "settlement_failed"}));
    rig.fire(0, 10, false);
    assert!(rig.until(5_000, Rig::all_ended));
    assert!(rig.until(120_000, |rig| rig.told.values().any(|told| told.undone)), "it is undone");
    assert_eq!(rig.polymarket.figures().undone, 1);
    assert_eq!(rig.polymarket.open_orders(), [0, 0]);
}
