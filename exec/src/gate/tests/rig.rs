//! A gate, the venue's side of its connections, and the core's side of its rings.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ed25519_dalek::pkcs8::EncodePrivateKey;
use engine::clock::Clock;
use engine::event::{Action, Bundle, BundleId, Control, Dispatch, Grounds, Leg, Purpose, Ticket};
use engine::grid::Grid;
use engine::pair::{
    Direction, FeeRule, Instrument, Outcome, Pair, PairId, PairTable, Polarity, SizeRule, Verdict,
};
use engine::risk::limits::RiskLimits;
use engine::risk::{Guard, Word};
use engine::top::MarketId;
use engine::units::{Px, Qty, Shares, Usd, Venue};
use rtrb::RingBuffer;

use crate::armed::tests::{WALL, armory, terms};
use crate::armed::{ArmedFiller, armed_ring};
use crate::gate::kalshi::{KalshiAccount, KalshiClerk, KalshiLimits};
use crate::gate::polymarket::{PolymarketAccount, PolymarketClerk, PolymarketLimits};
use crate::gate::*;
use crate::request::Origin;
use crate::script::{ChannelPeer, Peer, Scripts};
use crate::sign::kalshi::KalshiSigner;
use crate::sign::key::KalshiKey;
use crate::sign::pool::{HeaderFiller, HeaderSpread, header_pool};
use crate::terms::{KalshiTerms, TermsTable};
use engine::event::ReportKind;

pub const MS: u64 = 1_000_000;
pub const S: u64 = 1_000 * MS;
/// Connections for orders; the next one that is dialled is for everything else.
pub const ORDERS: usize = 2;

/// Time as the test sets it.
#[derive(Clone)]
pub struct Timer(Rc<Cell<Now>>);

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

pub struct Rig<K: Clerk> {
    pub gate: Gate<K, Scripts, Timer>,
    pub scripts: Scripts,
    pub epoch: Arc<AtomicU32>,
    bundles: Producer<Dispatch>,
    pub rules: Producer<Control>,
    feedback: Consumer<Feedback>,
    timer: Timer,
    pub bundle: u64,
}

pub fn market(venue: Venue, index: usize) -> MarketId {
    MarketId::new(venue, index).unwrap()
}

pub fn kalshi_signer() -> KalshiSigner {
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let pem = key.to_pkcs8_pem(Default::default()).unwrap();
    KalshiSigner::new(KalshiKey::from_pem(pem.as_bytes()).unwrap(), "key-id", [1; 32]).unwrap()
}

/// Eight pairs of a market each.
fn pairs() -> PairTable {
    let side = |venue, index| Instrument {
        market: market(venue, index),
        fee: FeeRule::Unknown,
        size: SizeRule { min_qty: Qty::ZERO, min_notional: Usd::ZERO, whole_cents: false },
        taker_delay: Ns(0),
        tick: Px::lit(100),
    };
    let pairs = (0..8).map(|index| Pair {
        id: index.to_string(),
        event: None,
        polarity: Polarity::Same,
        legs: None,
        verdict: Verdict::Approved,
        sides: Venue::ALL.map(|venue| side(venue, index)),
        worst_payoff: Px::ZERO,
        expected_resolution: None,
        close_time: None,
        game_start: None,
    });
    PairTable::new(pairs.collect()).unwrap()
}

/// Ten creates a second, thirty at once.
pub fn kalshi() -> (Rig<KalshiClerk>, HeaderFiller) {
    let (clerk, filler) = kalshi_clerk();
    (Rig::new(clerk), filler)
}

/// What it writes with.
pub fn kalshi_clerk() -> (KalshiClerk, HeaderFiller) {
    let (filler, headers) = header_pool(HeaderSpread::default());
    let mut terms = TermsTable::new(Venue::Kalshi);
    let mut fees = TermsTable::new(Venue::Kalshi);
    for index in 0..4 {
        let ticker = format!("KXTEST-{index}");
        let at = market(Venue::Kalshi, index);
        terms.set(at, KalshiTerms { ticker, exchange_index: 2, grid: Grid::CENT }).unwrap();
        fees.set(at, FeeRule::quadratic(1_000_000).unwrap()).unwrap();
    }
    let account = KalshiAccount {
        signer: kalshi_signer(),
        headers,
        origin: Origin::new("kalshi.test", "parallax/1").unwrap(),
        terms,
        fees,
        balance_grid: Usd::new(100),
        limits: KalshiLimits {
            write_rate: 100,
            write_capacity: 300,
            read_rate: 200,
            read_capacity: 200,
        },
        run: 0x0123_4567_89ab_cdef,
    };
    (KalshiClerk::new(account), filler)
}

/// Four orders at once, and one a second.
pub fn polymarket() -> (Rig<PolymarketClerk>, ArmedFiller) {
    let (clerk, filler) = polymarket_clerk(false);
    (Rig::new(clerk), filler)
}

/// The same, which may send heartbeats.
pub fn polymarket_clerk(heartbeat: bool) -> (PolymarketClerk, ArmedFiller) {
    let (filler, armed) = armed_ring();
    let mut table = TermsTable::new(Venue::Polymarket);
    let mut fees = TermsTable::new(Venue::Polymarket);
    for index in 0..4 {
        table.set(market(Venue::Polymarket, index), terms()).unwrap();
        fees.set(market(Venue::Polymarket, index), FeeRule::curve(50_000, 1).unwrap()).unwrap();
    }
    let account = PolymarketAccount {
        armory: armory(),
        armed,
        origin: Origin::new("clob.test", "parallax/1").unwrap(),
        terms: table,
        fees,
        limits: PolymarketLimits {
            order_rate: 1,
            order_burst: 4,
            cancel_rate: 10,
            cancel_burst: 10,
        },
        heartbeat,
    };
    (PolymarketClerk::new(account), filler)
}

impl<K: Clerk> Rig<K> {
    /// A gate whose connections and private channel are up.
    fn new(clerk: K) -> Rig<K> {
        let mut rig = Rig::cold(clerk, 4_096);
        rig.subscribe();
        rig.run(4);
        assert!(rig.gate.is_ready());
        let feedback = rig.feedback();
        let ready = |f: &Feedback| matches!(f, Feedback::Gate { ready: true, .. });
        assert!(feedback.len() == 1 && ready(&feedback[0]), "{feedback:?}");
        rig
    }

    /// A gate that has just been made, with room for so much feedback.
    pub fn cold(clerk: K, room: usize) -> Rig<K> {
        let scripts = Scripts { up: true, ..Scripts::default() };
        let (bundles, bundles_rx) = RingBuffer::new(16);
        let (feedback_tx, feedback) = RingBuffer::new(room);
        let epoch = Arc::new(AtomicU32::new(3));
        let ends =
            GateEnds { bundles: bundles_rx, feedback: feedback_tx, kill_epoch: Arc::clone(&epoch) };
        let timer = Timer(Rc::new(Cell::new(Now { mono: Ns(S), wall: WALL })));
        let config = GateConfig {
            orders: PoolConfig { size: ORDERS, ..PoolConfig::default() },
            ..GateConfig::default()
        };
        let (rules, rules_rx) = RingBuffer::new(4);
        let gate = Gate::new(clerk, scripts.clone(), ends, config, timer.clone());
        let gate = gate.with_rules(rules_rx);
        Rig { gate, scripts, epoch, bundles, rules, feedback, timer, bundle: 0 }
    }

    /// The same with a journal.
    pub fn with_markets(self, markets: Consumer<NewTerms<K::Terms>>) -> Rig<K> {
        Rig { gate: self.gate.with_markets(markets), ..self }
    }

    pub fn journalled(self, journal: JournalWriter) -> Rig<K> {
        Rig { gate: self.gate.with_journal(journal, true), ..self }
    }

    /// The same, and what it tells of its connections.
    pub fn with_lanes(self) -> (Rig<K>, Arc<Lanes>) {
        let lanes = Arc::new(Lanes::new());
        (Rig { gate: self.gate.with_lanes(Arc::clone(&lanes)), ..self }, lanes)
    }

    /// The same with a guard, and a way to tell it words.
    pub fn guarded(self, limits: &RiskLimits) -> (Rig<K>, Producer<Word>) {
        let (words, heard) = RingBuffer::new(8);
        let guard = Guard::new(limits, &pairs());
        (Rig { gate: self.gate.with_guard(guard, heard), ..self }, words)
    }

    /// Has the venue acknowledge the subscription of the newest private channel.
    pub fn subscribe(&mut self) {
        self.run(3);
        let acks: &[&str] = match K::VENUE {
            Venue::Kalshi => &[r#"{"type":"subscribed","id":1,"msg":{"channel":"x","sid":1}}"#; 4],
            Venue::Polymarket => &["PONG"],
        };
        for ack in acks {
            self.hear(ack);
        }
    }

    pub fn now(&self) -> Now {
        self.timer.0.get()
    }

    /// The host's clock is set.
    pub fn set_wall(&mut self, wall: Ns) {
        let now = self.timer.0.get();
        self.timer.0.set(Now { wall, ..now });
    }

    /// Lets time pass.
    pub fn pass(&mut self, ns: u64) {
        let now = self.now();
        self.timer.0.set(Now { mono: now.mono.after(Ns(ns)), wall: now.wall.after(Ns(ns)) });
    }

    /// Steps so many times, 6 ms each: idle connections are looked at every 5 ms.
    pub fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            self.pass(6 * MS);
            let now = self.now();
            self.gate.step(now);
        }
    }

    /// The venue's side of the connection that was dialled as number `n`.
    pub fn peer(&self, n: usize) -> Rc<RefCell<Peer>> {
        Rc::clone(&self.scripts.peers.borrow()[n])
    }

    pub fn channel(&self) -> Rc<RefCell<ChannelPeer>> {
        Rc::clone(self.scripts.channels.borrow().last().unwrap())
    }

    /// The venue says something on the private channel.
    pub fn hear(&mut self, text: &str) {
        self.channel().borrow_mut().to_hear.push_back(Some(text.to_owned()));
    }

    /// Requests that were written since, by the number of their connection.
    pub fn requests(&self) -> Vec<(usize, String)> {
        let peers = self.scripts.peers.borrow();
        let all = peers.iter().enumerate();
        all.flat_map(|(n, peer)| {
            peer.borrow_mut().requests().into_iter().map(move |request| (n, request))
        })
        .collect()
    }

    /// The one request that was written since.
    pub fn request(&self) -> (usize, String) {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests.remove(0)
    }

    /// What the core was told since.
    pub fn feedback(&mut self) -> Vec<Feedback> {
        std::iter::from_fn(|| self.feedback.pop().ok()).collect()
    }

    /// What it was told of orders.
    pub fn reports(&mut self) -> Vec<ReportKind> {
        let kind = |feedback| match feedback {
            Feedback::Report(report) => Some(report.kind),
            Feedback::Gate { .. } | Feedback::Tripped { .. } | Feedback::Vacated { .. } => None,
        };
        self.feedback().into_iter().filter_map(kind).collect()
    }

    /// A bundle of these legs that may leave within 50 ms.
    pub fn bundle(&mut self, legs: [Leg; 2]) -> Bundle {
        self.bundle += 1;
        let now = self.now();
        Bundle {
            id: BundleId(self.bundle),
            pair: PairId(7),
            direction: Direction::FirstYes,
            purpose: Purpose::Open,
            count: 2,
            legs,
            recv: now.wall,
            decided: now.mono,
            deadline: now.mono.after(Ns(50 * MS)),
            kill_epoch: 3,
            collar: [Px::ONE; 2],
            ticket: Ticket::AtGate,
        }
    }

    pub fn send(&mut self, bundle: Bundle) {
        let wall = self.now().wall;
        self.dispatch(bundle, Grounds { wall, ..Grounds::PERFECT });
    }

    pub fn dispatch(&mut self, bundle: Bundle, grounds: Grounds) {
        self.bundles.push(Dispatch { bundle, grounds }).unwrap();
    }

    /// Fires a bundle and gives the connection and the request of its only order here.
    pub fn fire(&mut self, legs: [Leg; 2]) -> (usize, String) {
        let bundle = self.bundle(legs);
        self.send(bundle);
        self.run(1);
        assert_eq!(self.reports(), [ReportKind::Sent]);
        self.request()
    }
}

impl<K: Clerk> Gate<K, Scripts, Timer> {
    /// Our own id of the order that left last.
    pub fn order_id(&self) -> String {
        self.orders.last().client.to_string()
    }
}

/// A leg that counts contracts, or one that spends.
pub fn leg(market: MarketId, outcome: Outcome, limit: u16, qty: u64) -> Leg {
    let (limit, qty) = (Px::lit(limit), Qty::lit(qty));
    Leg {
        market,
        outcome,
        action: Action::Buy,
        spends: market.venue() == Venue::Polymarket,
        limit,
        qty,
        budget: qty.at(limit),
        expected: Shares::from(qty),
        cost: qty.at(limit),
        fee: Usd::ZERO,
        reserve: qty.at(limit),
        generation: 1,
    }
}

/// Ten contracts at 40 cents there, and as many at 55 cents here.
pub fn legs() -> [Leg; 2] {
    [
        leg(market(Venue::Kalshi, 1), Outcome::No, 4_000, 1_000),
        leg(market(Venue::Polymarket, 1), Outcome::Yes, 5_500, 1_000),
    ]
}

pub fn filled(shares_e6: u64, px: u16, cash: i64, fee: i64) -> ReportKind {
    let (shares, px) = (Shares::new(shares_e6), Px::lit(px));
    ReportKind::Filled { shares, px, cash: Usd::new(cash), fee: Usd::new(fee) }
}
