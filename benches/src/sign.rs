//! Signing, and taking what was signed ahead: nanoseconds each.

use std::hint::black_box;

use engine::event::ArmRequest;
use engine::pair::{Direction, PairId};
use engine::tile::{Now, Tile};
use engine::units::Ns;
use exec::armed::{ARMED_MAX, ArmedBook, LegKey, armed_ring};
use exec::polymarket::OrderType;
use exec::sign::kalshi::KalshiSigner;
use exec::sign::order::Placement;
use exec::sign::pool::{HEADERS_MAX, HeaderFiller, HeaderPool, HeaderSpread, header_pool};
use exec::signer::{ArmDuty, SignerTile};
use quanta::Clock;
use rtrb::{Producer, RingBuffer};

use crate::accounts::{self, MARKETS};

/// 2026, at the beginning of a second.
pub const START: Now = Now { mono: Ns(1_000_000_000), wall: Ns(1_795_284_000_000_000_000) };

/// How long something took so many times in a row, in the middle round of several.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its figure.
    pub name: &'static str,
    /// Of all of them, in nanoseconds.
    pub total_ns: u64,
    /// How many.
    pub count: usize,
}

/// Measures all rows, `rounds` rounds each.
pub fn measure(rounds: usize) -> Vec<Row> {
    let kalshi = |name, calls, signer: KalshiSigner| {
        row(
            name,
            calls,
            rounds,
            &mut (signer, 0),
            |_| {},
            |(signer, stamp): &mut (_, u64)| {
                *stamp += 1;
                black_box(KalshiSigner::order(signer, START.wall.0 / 1_000_000 + *stamp));
            },
        )
    };
    vec![
        kalshi("sign_rsa_ns", 20, accounts::rsa()),
        kalshi("sign_ed25519_ns", 200, accounts::ed25519()),
        k256(rounds),
        hmac(rounds),
        row("header_take_ns", HEADERS_MAX, rounds, &mut Headers::new(), Headers::refill, |it| {
            assert!(black_box(it.pool.take(it.now.wall)).is_some(), "it was filled");
        }),
        row("armed_take_ns", MARKETS, rounds, &mut Armed::new(), Armed::refill, |it| {
            let key = LegKey::of(&accounts::legs(it.next)[1]);
            it.next += 1;
            assert!(black_box(it.book.take(&key, it.now.wall)).is_some(), "it was armed");
        }),
    ]
}

/// Times `calls` calls, each round after `prepare`.
fn row<S>(
    name: &'static str,
    calls: usize,
    rounds: usize,
    state: &mut S,
    mut prepare: impl FnMut(&mut S),
    mut call: impl FnMut(&mut S),
) -> Row {
    let clock = Clock::new();
    let mut nanos: Vec<u64> = (0..rounds.max(1))
        .map(|_| {
            prepare(state);
            let start = clock.raw();
            for _ in 0..calls {
                call(state);
            }
            clock.delta_as_nanos(start, clock.raw())
        })
        .collect();
    nanos.sort_unstable();
    Row { name, total_ns: nanos[nanos.len() / 2], count: calls }
}

/// An order's hashes and its signature.
fn k256(rounds: usize) -> Row {
    let mut wallet = accounts::wallet();
    let order = order(&wallet);
    row(
        "sign_k256_ns",
        50,
        rounds,
        &mut wallet,
        |_| {},
        |wallet| {
            assert!(
                black_box(wallet.sign(order.0, black_box(&order.1))).is_ok(),
                "within its limit"
            );
        },
    )
}

/// The HMAC over the body of an order.
fn hmac(rounds: usize) -> Row {
    let (mut wallet, mut login) = (accounts::wallet(), accounts::login());
    let (exchange, order) = order(&wallet);
    let signed = wallet.sign(exchange, &order).expect("within its limit");
    let mut body = Vec::new();
    signed.push_body(&Placement::taker(OrderType::Fak), login.owner(), &mut body);
    row(
        "sign_hmac_ns",
        500,
        rounds,
        &mut login,
        |_| {},
        |login| {
            let stamp = START.wall.0 / 1_000_000_000;
            black_box(login.hmac(stamp, "POST", "/order", black_box(&body)));
        },
    )
}

fn order(
    wallet: &exec::sign::polymarket::PolymarketSigner,
) -> (exec::sign::position::Exchange, exec::sign::order::Order) {
    let (leg, table) = (accounts::legs(0)[1], accounts::polymarket_terms());
    let terms = table.get(leg.market).expect("a market of the benchmark");
    let intent = accounts::intent(&leg, terms);
    (terms.exchange(), wallet.order(&intent, 1, START.wall.0 / 1_000_000))
}

/// A pool that is filled before every round.
struct Headers {
    filler: HeaderFiller,
    pool: HeaderPool,
    signer: KalshiSigner,
    now: Now,
}

impl Headers {
    fn new() -> Headers {
        let (filler, pool) = header_pool(HeaderSpread::default());
        Headers { filler, pool, signer: accounts::ed25519(), now: START }
    }

    fn refill(&mut self) {
        self.now = a_second_later(self.now);
        while self.filler.fill(&mut self.signer, self.now.wall) {}
    }
}

/// A book that is filled before every round.
struct Armed {
    signer: SignerTile,
    requests: Producer<ArmRequest>,
    book: ArmedBook,
    now: Now,
    next: usize,
}

impl Armed {
    fn new() -> Armed {
        let (filler, book) = armed_ring();
        let (requests, requests_rx) = RingBuffer::new(MARKETS);
        let duty = ArmDuty {
            armory: accounts::armory("clob.test", 2),
            terms: accounts::polymarket_terms(),
            requests: requests_rx,
            rules: None,
            filler,
            orders_max: ARMED_MAX,
        };
        Armed { signer: SignerTile::new(None, Some(duty)), requests, book, now: START, next: 0 }
    }

    fn refill(&mut self) {
        self.now = a_second_later(self.now);
        ask_for_all(&mut self.requests, self.now);
        while self.signer.step(self.now) > 0 {}
        self.book.refresh(MARKETS);
        self.next = 0;
    }
}

/// The same place in the next second.
pub fn a_second_later(now: Now) -> Now {
    let second = Ns(1_000_000_000);
    let wall = now.wall.0 / second.0 * second.0;
    Now { mono: now.mono.after(second), wall: Ns(wall).after(second) }
}

/// Asks for the order of every market.
pub fn ask_for_all(requests: &mut Producer<ArmRequest>, now: Now) {
    for number in 0..MARKETS {
        let [_, leg] = accounts::legs(number);
        let pair = PairId(number as u16);
        let request =
            ArmRequest { pair, direction: Direction::FirstYes, rank: 0, leg, at: now.mono };
        assert!(requests.push(request).is_ok(), "the ring has room for all");
    }
}
