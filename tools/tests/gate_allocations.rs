//! A gate that fires what lies ready allocates nothing, signs nothing and hashes nothing; what
//! TLS below it does is not counted here.

#![allow(clippy::unwrap_used)] // helpers of tests

#[path = "../../engine/tests/common/counting.rs"]
mod counting;

use counting::allocations;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use ed25519_dalek::pkcs8::EncodePrivateKey;
use engine::clock::FakeClock;
use engine::event::{
    Action, Bundle, BundleId, Dispatch, Feedback, Grounds, Leg, Purpose, ReportKind, Ticket,
};
use engine::grid::Grid;
use engine::pair::{
    Direction, FeeRule, Instrument, Outcome, Pair, PairId, PairTable, Polarity, SizeRule, Verdict,
};
use engine::risk::Guard;
use engine::risk::limits::{Cap, RATE_MAX, Rate, RiskLimits};
use engine::tile::{Now, Tile};
use engine::top::MarketId;
use engine::units::{Ns, Px, Qty, Shares, Usd, Venue};
use exec::armed::{ArmedFiller, ArmedOrder, armed_ring};
use exec::armory::Armory;
use exec::gate::clerk::Clerk;
use exec::gate::kalshi::{KalshiAccount, KalshiClerk, KalshiLimits};
use exec::gate::net::{Channel, Heard, Net, Over};
use exec::gate::polymarket::{PolymarketAccount, PolymarketClerk, PolymarketLimits};
use exec::gate::{Gate, GateConfig, GateEnds};
use exec::http::exchange::Link;
use exec::pool::Dial;
use exec::request::Origin;
use exec::sign::address::Address;
use exec::sign::kalshi::KalshiSigner;
use exec::sign::key::{KalshiKey, PolymarketKey};
use exec::sign::l2::{ApiCredentials, L2Signer};
use exec::sign::order::WalletKind;
use exec::sign::polymarket::{Chain, PolymarketSigner, Wallet};
use exec::sign::pool::{HeaderFiller, HeaderSpread, header_pool};
use exec::sign::position::MarketVersion;
use exec::terms::{KalshiTerms, PolymarketTerms, TermsTable};
use exec::token::TokenId;
use rtrb::{Consumer, Producer, RingBuffer};

const WALL: Ns = Ns(1_795_000_000_250_000_000);

/// What crosses a gate's connections; all memory is taken at start.
struct Wire {
    written: Vec<u8>,
    to_read: VecDeque<u8>,
    to_hear: VecDeque<&'static [u8]>,
}

#[derive(Clone)]
struct Wires(Rc<RefCell<Wire>>);

struct End {
    wire: Wires,
    opened: bool,
}

impl Read for End {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut wire = self.wire.0.borrow_mut();
        if wire.to_read.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        wire.to_read.read(buf)
    }
}

impl Write for End {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.wire.0.borrow_mut().written.extend_from_slice(buf);
        Ok(buf.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Link for End {
    fn drive(&mut self) -> io::Result<bool> {
        Ok(true)
    }
    fn is_writing(&self) -> bool {
        false
    }
    fn close(&mut self) {}
}

impl Channel for End {
    fn poll(&mut self) -> Result<Option<Heard<'_>>, Over> {
        if !self.opened {
            self.opened = true;
            return Ok(Some(Heard::Opened));
        }
        Ok(self.wire.0.borrow_mut().to_hear.pop_front().map(Heard::Text))
    }
    fn send(&mut self, _text: &str) -> Result<(), Over> {
        Ok(())
    }
    fn close(&mut self) {}
}

impl Dial for Wires {
    type Link = End;
    fn dial(&mut self, _attempt: usize) -> io::Result<End> {
        Ok(End { wire: self.clone(), opened: false })
    }
}

impl Net for Wires {
    type Channel = End;
    fn channel(&mut self, attempt: usize, _lines: &[u8]) -> io::Result<End> {
        self.dial(attempt)
    }
}

struct Rig<K: Clerk> {
    gate: Gate<K, Wires, FakeClock>,
    wire: Wires,
    bundles: Producer<Dispatch>,
    feedback: Consumer<Feedback>,
    now: Now,
    bundle: u64,
}

/// A guard that looks at every limit and reaches none.
fn guard() -> Guard {
    let side = |venue| Instrument {
        market: MarketId::new(venue, 0).unwrap(),
        fee: FeeRule::Unknown,
        size: SizeRule { min_qty: Qty::ZERO, min_notional: Usd::ZERO, whole_cents: false },
        tick: Px::lit(100),
        taker_delay: Ns(0),
    };
    let pair = Pair {
        id: "fired".to_owned(),
        event: None,
        polarity: Polarity::Same,
        legs: None,
        verdict: Verdict::Approved,
        sides: Venue::ALL.map(side),
        worst_payoff: Px::ZERO,
        expected_resolution: None,
        close_time: None,
        game_start: None,
    };
    let cap = Cap { qty: Shares::new(1 << 60), notional: Usd::new(1 << 60) };
    let often = |count| Rate { count, within: Ns(1) };
    let limits = RiskLimits {
        order: cap,
        pair: cap,
        event: cap,
        venue: [cap; 2],
        total: cap,
        bundles: often(RATE_MAX[0]),
        repeats: often(RATE_MAX[1]),
        ..RiskLimits::NONE
    };
    Guard::new(&limits, &PairTable::new(vec![pair]).unwrap())
}

impl<K: Clerk> Rig<K> {
    fn new(clerk: K, acks: &[&'static [u8]]) -> Rig<K> {
        let wire = Wires(Rc::new(RefCell::new(Wire {
            written: Vec::with_capacity(1 << 16),
            to_read: VecDeque::with_capacity(1 << 16),
            to_hear: VecDeque::with_capacity(64),
        })));
        let ((bundles, taken), (told, feedback)) = (RingBuffer::new(8), RingBuffer::new(64));
        let kill_epoch = Arc::new(AtomicU32::new(0));
        let ends = GateEnds { bundles: taken, feedback: told, kill_epoch };
        let now = Now { mono: Ns(1_000_000_000), wall: WALL };
        let timer = FakeClock::at(now);
        let gate = Gate::new(clerk, wire.clone(), ends, GateConfig::default(), timer)
            .with_guard(guard(), RingBuffer::new(1).1);
        let mut rig = Rig { gate, wire, bundles, feedback, now, bundle: 0 };
        rig.wire.0.borrow_mut().to_hear.extend(acks);
        for _ in 0..4 {
            rig.step();
        }
        assert!(rig.gate.is_ready());
        while rig.feedback.pop().is_ok() {}
        rig
    }

    /// Steps a millisecond later, and gives the allocations of it.
    fn step(&mut self) -> u64 {
        self.now.mono = self.now.mono.after(Ns(1_000_000));
        self.now.wall = self.now.wall.after(Ns(1_000_000));
        let before = allocations();
        self.gate.step(self.now);
        allocations() - before
    }

    /// Fires a leg, and gives the allocations of it and the request's body.
    fn fire(&mut self, leg: Leg) -> (u64, String) {
        self.bundle += 1;
        let mut other = leg;
        other.market = MarketId::new(Venue::ALL[1 - leg.market.venue().index()], 0).unwrap();
        let bundle = Bundle {
            id: BundleId(self.bundle),
            pair: PairId(0),
            direction: Direction::FirstYes,
            purpose: Purpose::Open,
            count: 2,
            legs: [leg, other],
            recv: self.now.wall,
            decided: self.now.mono,
            deadline: self.now.mono.after(Ns::from_ms(50)),
            kill_epoch: 0,
            collar: [Px::ONE; 2],
            ticket: Ticket::AtGate,
        };
        self.bundles.push(Dispatch { bundle, grounds: Grounds::PERFECT }).unwrap();
        let allocations = self.step();
        assert_eq!(self.report(), Some(ReportKind::Sent));
        let mut wire = self.wire.0.borrow_mut();
        let text = String::from_utf8(wire.written.clone()).unwrap();
        wire.written.clear();
        (allocations, text.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    /// The venue answers; the allocations of taking it in.
    fn answer(&mut self, status: u16, body: &str) -> u64 {
        let text = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        self.wire.0.borrow_mut().to_read.extend(text.into_bytes());
        self.step()
    }

    fn report(&mut self) -> Option<ReportKind> {
        match self.feedback.pop() {
            Ok(Feedback::Report(report)) => Some(report.kind),
            _ => None,
        }
    }
}

fn leg(venue: Venue) -> Leg {
    let (limit, qty) = (Px::lit(4_000), Qty::lit(1_000));
    Leg {
        market: MarketId::new(venue, 0).unwrap(),
        outcome: Outcome::Yes,
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
}

fn signer() -> KalshiSigner {
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let pem = key.to_pkcs8_pem(Default::default()).unwrap();
    KalshiSigner::new(KalshiKey::from_pem(pem.as_bytes()).unwrap(), "key-id", [1; 32]).unwrap()
}

fn kalshi() -> (Rig<KalshiClerk>, HeaderFiller) {
    const ACK: &[u8] = br#"{"type":"subscribed","id":1,"msg":{"channel":"fill","sid":1}}"#;
    let (filler, headers) = header_pool(HeaderSpread::default());
    let (mut terms, mut fees) = (TermsTable::new(Venue::Kalshi), TermsTable::new(Venue::Kalshi));
    let market = MarketId::new(Venue::Kalshi, 0).unwrap();
    let row = KalshiTerms { ticker: "KXTEST".into(), exchange_index: 0, grid: Grid::CENT };
    terms.set(market, row).unwrap();
    fees.set(market, FeeRule::quadratic(1_000_000).unwrap()).unwrap();
    let account = KalshiAccount {
        signer: signer(),
        headers,
        origin: Origin::new("kalshi.test", "parallax-test/1").unwrap(),
        terms,
        fees,
        balance_grid: Usd::new(100),
        limits: KalshiLimits {
            write_rate: 1_000,
            write_capacity: 10_000,
            read_rate: 100,
            read_capacity: 100,
        },
        run: 1,
    };
    (Rig::new(KalshiClerk::new(account), &[ACK; 4]), filler)
}

fn armory() -> Armory {
    let key = PolymarketKey::from_hex(&"11".repeat(32)).unwrap();
    let wallet = Wallet { kind: WalletKind::Deposit, funder: Some(Address::new([0xab; 20])) };
    let cost_max = Usd::new(1_000_000_000);
    let orders = PolymarketSigner::new(key, Chain::Polygon, wallet, cost_max).unwrap();
    let secret = "-_--_14ir5IZd9Aqd6huNbcxFR1Bcc76FJZ9UO1mAwg=";
    let credentials = ApiCredentials::new("the-key", secret, "the-pass").unwrap();
    let login = L2Signer::new(orders.owner(), credentials);
    Armory::new(orders, login, "clob.test", "parallax-test/1", [5; 32]).unwrap()
}

fn terms() -> PolymarketTerms {
    let tokens = [
        "115792089237316195423570985008687907853269984665640564039457584007913129639935",
        "43393808330987478239817922562313374653940164041067500389519301341071746577812",
    ];
    let tokens = tokens.map(|text| TokenId::parse(text).unwrap());
    PolymarketTerms::new(tokens, MarketVersion::V1, true, Px::lit(10)).unwrap()
}

fn polymarket() -> (Rig<PolymarketClerk>, ArmedFiller) {
    let (filler, armed) = armed_ring();
    let venue = Venue::Polymarket;
    let (mut table, mut fees) = (TermsTable::new(venue), TermsTable::new(venue));
    let market = MarketId::new(venue, 0).unwrap();
    table.set(market, terms()).unwrap();
    fees.set(market, FeeRule::curve(50_000, 1).unwrap()).unwrap();
    let account = PolymarketAccount {
        armory: armory(),
        armed,
        origin: Origin::new("clob.test", "parallax-test/1").unwrap(),
        terms: table,
        fees,
        limits: PolymarketLimits {
            order_rate: 1_000,
            order_burst: 1_000,
            cancel_rate: 10,
            cancel_burst: 10,
        },
        heartbeat: false,
    };
    (Rig::new(PolymarketClerk::new(account), &[b"PONG"]), filler)
}

/// Rounds: the first lets buffers find their size, and the last ones take the places of orders
/// that ended.
const ROUNDS: usize = 600;

#[test]
fn firing_on_kalshi_with_a_header_ready_allocates_nothing() {
    let (mut rig, mut filler) = kalshi();
    let mut signer = signer();
    for round in 0..ROUNDS {
        // Stamps are milliseconds, and a quarter of them are for headers signed ahead.
        (0..4).for_each(|_| assert_eq!(rig.step(), 0, "nothing to do"));
        while filler.fill(&mut signer, rig.now.wall) {}
        let (fired, body) = rig.fire(leg(Venue::Kalshi));
        let order: serde_json::Value = serde_json::from_str(&body).unwrap();
        let client = &order["client_order_id"];
        let answer = format!(
            r#"{{"order_id":"O-{round}","client_order_id":{client},"fill_count":"0.00","remaining_count":"0.00"}}"#
        );
        let heard = rig.answer(201, &answer);
        assert_eq!(rig.report(), Some(ReportKind::Acked));
        assert_eq!(rig.report(), Some(ReportKind::Cancelled));
        assert!(round == 0 || (fired, heard) == (0, 0), "round {round}: {fired} {heard}");
    }
    let figures = rig.gate.figures();
    assert_eq!((figures.hits, figures.inline), (ROUNDS as u64, 0));
    assert_eq!(rig.gate.clerk().public_key_ops(), 1, "but for the login of the channel");
}

#[test]
fn firing_an_armed_order_on_polymarket_allocates_nothing() {
    let (mut rig, mut filler) = polymarket();
    let mut armory = armory();
    let before = rig.gate.clerk().operations();
    for round in 0..ROUNDS {
        while filler.pop_used().is_some() {}
        let mut order = ArmedOrder::EMPTY;
        armory.arm(&leg(Venue::Polymarket), &terms(), rig.now.wall, &mut order).unwrap();
        assert!(filler.push(&order));
        rig.step();
        let (fired, _) = rig.fire(leg(Venue::Polymarket));
        let kill = r#"{"error":"no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found."}"#;
        let heard = rig.answer(400, kill);
        assert_eq!(rig.report(), Some(ReportKind::Acked));
        assert_eq!(rig.report(), Some(ReportKind::Cancelled));
        assert!(round == 0 || (fired, heard) == (0, 0), "round {round}: {fired} {heard}");
    }
    let figures = rig.gate.figures();
    assert_eq!((figures.hits, figures.inline), (ROUNDS as u64, 0));
    assert_eq!(rig.gate.clerk().operations(), before, "no signature, no HMAC");
}
