//! A bundle in, the bytes of its order out: the shipped gates over connections in memory, with
//! what they need signed ahead, and without.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use engine::clock::TscClock;
use engine::event::{ArmRequest, Dispatch, Feedback, Grounds};
use engine::pair::PairTable;
use engine::risk::Guard;
use engine::risk::limits::{Cap, RATE_MAX, Rate, RiskLimits};
use engine::tile::{Now, Tile};
use engine::top::MarketId;
use engine::units::{Ns, Shares, Usd, Venue};
use exec::armed::{ARMED_MAX, armed_ring};
use exec::gate::clerk::Clerk;
use exec::gate::kalshi::KalshiClerk;
use exec::gate::net::{Channel, Heard, Net, Over};
use exec::gate::orders::ORDERS_MAX;
use exec::gate::polymarket::PolymarketClerk;
use exec::gate::{Gate, GateConfig, GateEnds};
use exec::http::exchange::Link;
use exec::journal::durable::rings;
use exec::journal::memory::Memory as Disk;
use exec::journal::tile::JournalConfig;
use exec::journal::{Durable, JournalTile, JournalWriter, Record};
use exec::pool::{Dial, PoolConfig};
use exec::sign::pool::{HeaderSpread, header_pool};
use exec::signer::{ArmDuty, HeaderDuty, SignerTile};
use quanta::Clock;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::accounts::{self, MARKETS};
use crate::alloc;
use crate::callgrind::Span;
use crate::sign::{START, a_second_later, ask_for_all};

/// Instructions are counted from the beginning of `fire_once` to `hand_over`.
pub const SPAN: Span =
    Span { inside: "benches::fire::fire_once*", until: Some("benches::fire::hand_over*") };

const HOST: &str = "venue.test";
/// Between two orders: more than a stamp's lane.
const APART: Ns = Ns::from_ms(8);
/// Steps within which a gate is ready, and within which an answer is read.
const STEPS_MAX: usize = 10_000;
/// Rounds that are not counted: as many orders as a gate keeps, so that the next one takes the
/// place of another.
const ROUNDS_BEFORE: usize = ORDERS_MAX / MARKETS;
const NEVER: Ns = Ns::from_ms(100 * 3_600_000);

/// A guard that looks at every limit and reaches none.
fn guard() -> Result<Guard, String> {
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
    let markets = Venue::ALL.map(|venue| MarketId::new(venue, 0));
    let [Some(first), Some(second)] = markets else { return Err("no market".to_owned()) };
    let pair = crate::pipeline::pair("fired".to_owned(), [first, second]);
    let table = PairTable::new(vec![pair]).map_err(|error| error.to_string())?;
    Ok(Guard::new(&limits, &table))
}

/// The step of a gate that finds a bundle in its ring: all of it, from the bundle to the request
/// that the connection took, and the rest of the step's looking around. The connection copies the
/// bytes where TLS would encrypt them.
#[inline(never)]
fn fire_once<K: Clerk>(gate: &mut Gate<K, Memory, TscClock>, now: Now) -> usize {
    gate.step(now)
}

/// Takes a request, where TLS would encrypt it and hand it to the kernel.
#[inline(never)]
fn hand_over(request: &[u8], taken: &mut Vec<u8>) {
    taken.extend_from_slice(request);
}

/// What firing came to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Shots {
    /// Of each, ascending.
    nanos: Vec<u64>,
    /// Calls for memory.
    pub allocations: u64,
    /// Signatures made.
    pub public_key_ops: u64,
    /// HMACs made.
    pub hmacs: u64,
}

impl Shots {
    /// Number of orders.
    pub fn count(&self) -> usize {
        self.nanos.len()
    }

    /// The middle one.
    pub fn median_ns(&self) -> u64 {
        self.nanos.get(self.nanos.len() / 2).copied().unwrap_or_default()
    }
}

/// What a gate does beside sending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Care {
    /// Nothing: what safety costs is measured against that.
    Bare,
    /// It holds limits.
    Guarded,
    /// It writes orders down too, and they leave only when that is durable.
    Journalled,
}

impl Care {
    /// All of them, the least first.
    pub const ALL: [Care; 3] = [Care::Bare, Care::Guarded, Care::Journalled];
}

/// Fires at one venue: [`MARKETS`] orders a round, after some rounds that are not counted. `ahead`
/// says whether what they need lies ready.
///
/// # Errors
/// Where an order does not leave, or not as it should.
pub fn fire(venue: Venue, rounds: usize, ahead: bool, care: Care) -> Result<Shots, String> {
    match venue {
        Venue::Kalshi => Range::kalshi(care)?.run(rounds, ahead),
        Venue::Polymarket => Range::polymarket(care)?.run(rounds, ahead),
    }
}

/// A clerk that counts what it signs.
trait Counts: Clerk {
    /// Signatures and HMACs so far.
    fn operations(&self) -> [u64; 2];
    /// The venue's refusal of an order for want of money: nothing follows from it.
    const REFUSAL: &'static str;
    /// What its private channel says to a login.
    const GREETING: &'static [&'static str];
}

impl Counts for KalshiClerk {
    fn operations(&self) -> [u64; 2] {
        [self.public_key_ops(), 0]
    }
    const REFUSAL: &'static str = r#"{"error":{"code":"insufficient_balance"}}"#;
    const GREETING: &'static [&'static str] =
        &[r#"{"type":"subscribed","id":1,"msg":{"channel":"x","sid":1}}"#; 4];
}

impl Counts for PolymarketClerk {
    fn operations(&self) -> [u64; 2] {
        PolymarketClerk::operations(self)
    }
    const REFUSAL: &'static str =
        r#"{"error":"not enough balance / allowance: the balance is not enough"}"#;
    const GREETING: &'static [&'static str] = &["PONG"];
}

/// A gate and all that is around it.
struct Range<K: Clerk> {
    gate: Gate<K, Memory, TscClock>,
    bundles: Producer<Dispatch>,
    feedback: Consumer<Feedback>,
    answers: Rc<Cell<bool>>,
    signer: SignerTile,
    requests: Option<Producer<ArmRequest>>,
    journal: Option<JournalTile<Disk>>,
    now: Now,
    fired: u64,
}

impl Range<KalshiClerk> {
    fn kalshi(care: Care) -> Result<Range<KalshiClerk>, String> {
        let (filler, headers) = header_pool(HeaderSpread::default());
        let clerk = KalshiClerk::new(accounts::kalshi(headers, HOST));
        let duty = HeaderDuty { signer: accounts::ed25519(), filler };
        Range::new(clerk, SignerTile::new(Some(duty), None), None, care)
    }
}

impl Range<PolymarketClerk> {
    fn polymarket(care: Care) -> Result<Range<PolymarketClerk>, String> {
        let (filler, armed) = armed_ring();
        let clerk = PolymarketClerk::new(accounts::polymarket(armed, HOST));
        let (requests_tx, requests) = RingBuffer::new(MARKETS);
        let (armory, terms) = (accounts::armory(HOST, 2), accounts::polymarket_terms());
        let duty = ArmDuty { armory, terms, requests, rules: None, filler, orders_max: ARMED_MAX };
        Range::new(clerk, SignerTile::new(None, Some(duty)), Some(requests_tx), care)
    }
}

impl<K: Counts> Range<K> {
    fn new(
        clerk: K,
        signer: SignerTile,
        requests: Option<Producer<ArmRequest>>,
        care: Care,
    ) -> Result<Range<K>, String> {
        let (bundles, bundles_rx) = RingBuffer::new(1);
        let (feedback_tx, feedback) = RingBuffer::new(64);
        let kill_epoch = Arc::new(AtomicU32::new(0));
        let ends = GateEnds { bundles: bundles_rx, feedback: feedback_tx, kill_epoch };
        let usual = GateConfig::default();
        let mut config = GateConfig {
            orders: PoolConfig { size: 1, ..usual.orders },
            warm_every: NEVER,
            ..usual
        };
        config.channel.silence = NEVER;
        let answers = Rc::new(Cell::new(false));
        let (refusal, greeting) = (K::REFUSAL, K::GREETING);
        let net = Memory { answers: Rc::clone(&answers), refusal, greeting };
        let gate = Gate::new(clerk, net, ends, config, TscClock::new());
        let gate = match care {
            Care::Bare => gate,
            Care::Guarded | Care::Journalled => gate.with_guard(guard()?, RingBuffer::new(1).1),
        };
        let (gate, signer, journal) = match care {
            Care::Bare | Care::Guarded => (gate, signer, None),
            Care::Journalled => {
                let (tile, [kalshi, polymarket, ahead, _]) = journalled()?;
                let own = if K::VENUE == Venue::Kalshi { kalshi } else { polymarket };
                (gate.with_journal(own, true), signer.with_journal(ahead), Some(tile))
            }
        };
        let now = START;
        Ok(Range { gate, bundles, feedback, answers, signer, requests, journal, now, fired: 0 })
    }

    fn run(mut self, rounds: usize, ahead: bool) -> Result<Shots, String> {
        self.step_until(|range| range.gate.is_ready())?;
        while self.feedback.pop().is_ok() {}
        let (clock, mut shots) = (Clock::new(), Shots::default());
        for round in 0..ROUNDS_BEFORE + rounds {
            if ahead {
                self.refill();
            }
            // The last first: it is the one that is searched for longest.
            for number in (0..MARKETS).rev() {
                let before = self.gate.figures();
                self.load(number)?;
                if round < ROUNDS_BEFORE {
                    self.gate.step(self.now);
                } else {
                    self.shoot(&clock, &mut shots);
                }
                let after = self.gate.figures();
                let fired = (after.fired - before.fired, after.hits - before.hits);
                if fired != (1, u64::from(ahead)) {
                    return Err(format!("{}: fired and hit {fired:?}, not once", K::NAME));
                }
                self.hear()?;
            }
        }
        shots.nanos.sort_unstable();
        Ok(shots)
    }

    /// A bundle lies in the ring.
    fn load(&mut self, number: usize) -> Result<(), String> {
        self.pass(APART);
        self.fired += 1;
        let bundle = accounts::bundle(self.fired, number, self.now);
        let dispatch = Dispatch { bundle, grounds: Grounds::PERFECT };
        self.bundles.push(dispatch).map_err(|_| format!("{}: the last bundle still waits", K::NAME))
    }

    fn shoot(&mut self, clock: &Clock, shots: &mut Shots) {
        let operations = self.gate.clerk().operations();
        let calls = alloc::calls();
        let start = clock.raw();
        fire_once(&mut self.gate, self.now);
        let end = clock.raw();
        shots.allocations += alloc::calls() - calls;
        shots.nanos.push(clock.delta_as_nanos(start, end));
        let [signatures, hmacs] = self.gate.clerk().operations();
        shots.public_key_ops += signatures - operations[0];
        shots.hmacs += hmacs - operations[1];
    }

    /// The venue refuses the order, so that nothing is left of it.
    fn hear(&mut self) -> Result<(), String> {
        self.answers.set(true);
        self.step_until(|range| range.gate.open_orders() == [0, 0])?;
        self.answers.set(false);
        while self.feedback.pop().is_ok() {}
        self.write_down();
        Ok(())
    }

    /// The journal takes what came, as its own thread would by now.
    fn write_down(&mut self) {
        if let Some(journal) = &mut self.journal {
            while journal.is_busy() {
                journal.step(self.now);
            }
        }
    }

    /// Everything that can be signed ahead is, a second later.
    fn refill(&mut self) {
        self.now = a_second_later(self.now);
        if let Some(requests) = &mut self.requests {
            ask_for_all(requests, self.now);
        }
        // The gate takes over what it can hold, four at a time.
        while self.signer.step(self.now) + self.gate.step(self.now) > 0 {}
        self.write_down();
    }

    fn step_until(&mut self, done: impl Fn(&Range<K>) -> bool) -> Result<(), String> {
        for _ in 0..STEPS_MAX {
            if done(self) {
                return Ok(());
            }
            self.gate.step(self.now);
            // Idle connections are looked at now and then.
            self.pass(Ns(100_000));
        }
        Err(format!("{}: nothing came of {STEPS_MAX} steps", K::NAME))
    }

    fn pass(&mut self, time: Ns) {
        self.now = Now { mono: self.now.mono.after(time), wall: self.now.wall.after(time) };
    }
}

/// A journal in memory, its writers by source.
fn journalled() -> Result<(JournalTile<Disk>, [JournalWriter; 4]), String> {
    let durable = Durable::new();
    let (writers, ends) = rings(&durable);
    let config = JournalConfig { ids_block: 1 << 32, ..JournalConfig::default() };
    let opened = JournalTile::open(Disk::new(), ends, durable, config, &mut |_, _| {});
    let (mut tile, _) = opened.map_err(|error| error.to_string())?;
    let run = Record::Run { run: 1, wall: START.wall, live: false };
    tile.begin(&[run], START).map_err(|error| error.to_string())?;
    Ok((tile, writers))
}

/// Connections in memory.
#[derive(Clone)]
struct Memory {
    answers: Rc<Cell<bool>>,
    refusal: &'static str,
    greeting: &'static [&'static str],
}

/// A connection to a venue that takes every request whole and refuses it once it may.
struct Wire {
    answers: Rc<Cell<bool>>,
    answer: Vec<u8>,
    taken: Vec<u8>,
}

impl Dial for Memory {
    type Link = Wire;

    fn dial(&mut self, _attempt: usize) -> io::Result<Wire> {
        let length = self.refusal.len();
        let answer =
            format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {length}\r\n\r\n{}", self.refusal);
        let (answers, taken) = (Rc::clone(&self.answers), Vec::with_capacity(8_192));
        Ok(Wire { answers, answer: answer.into_bytes(), taken })
    }
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.taken.is_empty() || !self.answers.get() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.taken.clear();
        (&self.answer[..]).read(buf)
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        hand_over(buf, &mut self.taken);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Link for Wire {
    fn drive(&mut self) -> io::Result<bool> {
        Ok(true)
    }

    fn is_writing(&self) -> bool {
        false
    }

    fn close(&mut self) {}
}

/// A private channel that greets and is silent from then on.
struct Silent {
    opened: bool,
    greeting: std::slice::Iter<'static, &'static str>,
}

impl Channel for Silent {
    fn poll(&mut self) -> Result<Option<Heard<'_>>, Over> {
        if !self.opened {
            self.opened = true;
            return Ok(Some(Heard::Opened));
        }
        Ok(self.greeting.next().map(|text| Heard::Text(text.as_bytes())))
    }

    fn send(&mut self, _text: &str) -> Result<(), Over> {
        Ok(())
    }

    fn close(&mut self) {}
}

impl Net for Memory {
    type Channel = Silent;

    fn channel(&mut self, _attempt: usize, _lines: &[u8]) -> io::Result<Silent> {
        Ok(Silent { opened: false, greeting: self.greeting.iter() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_signs_nothing_and_a_miss_does() {
        for venue in Venue::ALL {
            let hits = fire(venue, 1, true, Care::Guarded).unwrap();
            assert_eq!((hits.count(), hits.public_key_ops, hits.hmacs), (MARKETS, 0, 0));
            let misses = fire(venue, 1, false, Care::Guarded).unwrap();
            assert_eq!(misses.public_key_ops, MARKETS as u64);
        }
    }
}
