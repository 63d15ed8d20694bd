//! The shipped tiles of one venue, stepped in turn as a run steps them; and a client that echoes.

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use engine::clock::{Clock, TscClock};
use engine::core::{Core, CoreConfig};
use engine::desk::Desk;
use engine::event::{Bundle, Dispatch, Feedback, Reject, Report, ReportKind};
use engine::grid::Grid;
use engine::live_tile::{FeedEnds, LiveOutlet, LiveTile};
use engine::pair::PairTable;
use engine::slab::Slab;
use engine::tile::{Now, Tile};
use engine::top::{Health, Levels, Top};
use engine::units::{Ns, Qty, Venue};
use exec::gate::kalshi::KalshiClerk;
use exec::gate::net::TlsNet;
use exec::gate::{GateConfig, GateEnds, KalshiGate};
use exec::sign::pool::{HeaderSpread, header_pool};
use exec::signer::{HeaderDuty, SignerTile};
use feeds::kalshi::session;
use feeds::live::line::Door;
use feeds::live::{self, Ends, LiveFeed, Options};
use feeds::transport::tls::{Roots, client_config};
use feeds::transport::{Endpoint, Stream};
use rtrb::{Consumer, Producer, RingBuffer};

use super::venue_side::{ECHO, FEED_PATH, PRIVATE_PATH, frame_bytes};
use super::{Calls, Flags, Plan, Spread};
use crate::pipeline::pair;
use crate::{accounts, alloc};

const HOST: &str = "127.0.0.1";
const RING: usize = 64;
/// TLS records of an order: the frame that causes it, the order, its refusal, and the frame that
/// takes the price away again.
const RECORDS_AN_ORDER: u64 = 4;
/// TLS records of an echo.
const RECORDS_AN_ECHO: u64 = 2;

/// What this thread saw; times in nanoseconds, in their order.
pub struct Seen {
    /// From the venue's stamp of the frame to the kernel having the order.
    pub orders: Vec<u64>,
    /// The same of the echo.
    pub echoes: Vec<u64>,
    /// From the venue's stamp of a frame to its Top in the core's ring.
    pub pushed: Spread,
    /// From the decision to the kernel having the order.
    pub sent: Spread,
    /// Orders that found no header ready.
    pub inline: u64,
    /// Calls for memory by feed, core and gate.
    pub tiles: Calls,
    /// The same of the echo.
    pub bare: Calls,
}

/// Trades and echoes in turns, until the venue has enough.
pub fn run(port: u16, ca_pem: &[u8], plan: Plan, flags: &Flags) -> Result<Seen, String> {
    let tls = client_config(Roots::Only(ca_pem)).map_err(|error| error.to_string())?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let endpoint = Endpoint::at(HOST, port, vec![address]).map_err(|error| error.to_string())?;
    let clock = TscClock::new();
    let words = |error: std::io::Error| format!("the echo: {error}");
    let mut echo = Echo::connect(&endpoint, &tls, plan, flags).map_err(words)?;
    let mut tiles = Tiles::new(&endpoint, &tls, &clock, plan)?;
    while !flags.is_over() {
        if flags.echoes.load(Ordering::Acquire) {
            tiles.counts = true; // Everything that the warm-up caused has been heard.
            match echo.step(&clock, flags) {
                Err(error) if !flags.is_over() => return Err(words(error)),
                _ => continue,
            }
        }
        tiles.step(&clock, flags);
        if tiles.is_ready() {
            flags.ready.store(true, Ordering::Release);
        }
    }
    let fire = tiles.gate.stages().fire.raw();
    let sent = Spread { p50: fire.value_at_quantile(0.5), p99: fire.value_at_quantile(0.99) };
    let records = |seen: &[u64], each| each * (seen.len().saturating_sub(plan.warm_up())) as u64;
    Ok(Seen {
        pushed: Spread::of(&tiles.pushed),
        sent,
        inline: tiles.gate.figures().inline,
        tiles: Calls { calls: tiles.calls, records: records(&tiles.orders, RECORDS_AN_ORDER) },
        bare: Calls { calls: echo.calls, records: records(&echo.nanos, RECORDS_AN_ECHO) },
        orders: tiles.orders,
        echoes: echo.nanos,
    })
}

/// Reads a frame and writes as much as an order at once.
struct Echo {
    stream: Stream,
    frame: Vec<u8>,
    filled: usize,
    answer: Vec<u8>,
    nanos: Vec<u64>,
    warm_up: usize,
    calls: u64,
}

impl Echo {
    fn connect(
        endpoint: &Endpoint,
        tls: &Arc<rustls::ClientConfig>,
        plan: Plan,
        flags: &Flags,
    ) -> std::io::Result<Echo> {
        let mut stream = Stream::connect(endpoint, tls)?;
        while !stream.drive()? {
            if flags.is_over() {
                return Err(ErrorKind::NotConnected.into());
            }
        }
        stream.write_all(ECHO)?;
        Ok(Echo {
            stream,
            frame: vec![0; frame_bytes()],
            filled: 0,
            answer: Vec::new(),
            nanos: Vec::with_capacity(plan.total()),
            warm_up: plan.warm_up(),
            calls: 0,
        })
    }

    fn step(&mut self, clock: &TscClock, flags: &Flags) -> std::io::Result<()> {
        if self.answer.is_empty() {
            self.answer = vec![b'x'; flags.order_bytes.load(Ordering::Acquire)];
        }
        let before = alloc::own_calls();
        match self.stream.read(&mut self.frame[self.filled..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(taken) => self.filled += taken,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if self.filled == self.frame.len() {
            self.stream.write_all(&self.answer)?;
            let left = clock.raw();
            self.filled = 0;
            self.nanos.push(clock.delta_ns(flags.written.load(Ordering::Acquire), left));
        }
        if self.nanos.len() > self.warm_up {
            self.calls += alloc::own_calls() - before;
        }
        Ok(())
    }
}

/// The gate's clock, and the ticks at which it was last asked: when an order had left.
#[derive(Clone)]
struct Noted {
    clock: TscClock,
    last: Rc<Cell<u64>>,
}

impl Clock for Noted {
    fn now(&self) -> Now {
        let now = self.clock.now();
        self.last.set(self.clock.raw());
        now
    }

    fn raw(&self) -> u64 {
        self.clock.raw()
    }

    fn delta_ns(&self, start_raw: u64, end_raw: u64) -> u64 {
        self.clock.delta_ns(start_raw, end_raw)
    }
}

/// Feed, core and gate of one venue, and what stands for the other.
struct Tiles {
    feed: LiveFeed<live::kalshi::Kalshi, (), ()>,
    core: LiveTile,
    gate: KalshiGate<Noted>,
    /// When the last order had left, in ticks.
    left: Rc<Cell<u64>>,
    signer: SignerTile,
    orders: Vec<u64>,
    pushed: Vec<u64>,
    /// The warm-up is over.
    counts: bool,
    calls: u64,
    /// Legs of the other venue, which refuses them.
    other: Consumer<Dispatch>,
    refusals: Producer<Feedback>,
    // Ends that nobody uses, held so that their rings are not abandoned.
    _rest: Vec<Box<dyn std::any::Any>>,
}

impl Tiles {
    fn new(
        endpoint: &Endpoint,
        tls: &Arc<rustls::ClientConfig>,
        clock: &TscClock,
        plan: Plan,
    ) -> Result<Tiles, String> {
        let now = clock.now();
        let mut slab = [0; 3];
        slab[Slab::class_of(&Grid::CENT)] = 1;
        let options = session::Options { no_side: Default::default(), learn: false };
        let mut session = session::Session::new(options, Slab::new(slab));
        let market = session
            .add_market(&accounts::ticker(0), &Grid::CENT)
            .map_err(|error| format!("{error:?}"))?;
        let other_market = accounts::market(Venue::Polymarket, 0);
        let table = PairTable::new(vec![pair("wire".to_owned(), [market, other_market])])
            .map_err(|error| error.to_string())?;

        let (tops, tops_rx) = RingBuffer::new(RING);
        let (controls, controls_rx) = RingBuffer::new(RING);
        let (verdicts, verdicts_rx) = RingBuffer::new(RING);
        let door = Door {
            endpoint: endpoint.clone(),
            path: FEED_PATH.to_owned(),
            tls: Arc::clone(tls),
            busy_poll_us: None,
        };
        let options = Options { door, seed: 1, rotate_every: None, mark_frames: false };
        let ends =
            Ends { tops, controls, verdicts: verdicts_rx, markets: None, tap: None, notices: () };
        let dialect = live::kalshi::Kalshi { markets_a_line: RING, trades: false };
        let feed = LiveFeed::new(dialect, session, options, (), ends, now)
            .map_err(|error| error.to_string())?;

        let (mut other_tops, other_tops_rx) = RingBuffer::new(RING);
        let (other_controls, other_controls_rx) = RingBuffer::new(1);
        let _ = other_tops.push(other_top(now.wall)); // the ring is empty
        let (feedback, feedback_rx) = RingBuffer::new(RING);
        let (mut refusals, refusals_rx) = RingBuffer::new(RING);
        let ready = Feedback::Gate { venue: Venue::Polymarket, at: now.mono, ready: true };
        let _ = refusals.push(ready); // so is this one
        let (bundles, bundles_rx) = RingBuffer::new(1);
        let (other_bundles, other) = RingBuffer::new(1);
        let (events, events_rx) = RingBuffer::new(RING);
        let (commands, commands_rx) = RingBuffer::new(1);
        let config = CoreConfig {
            trade: true,
            cooldown: Ns(0),
            max_qty: Qty::lit(1_000),
            ..CoreConfig::default()
        };
        let core = LiveTile::new(
            Desk::Real(Core::new(table, [1, 1], config)),
            vec![
                FeedEnds { tops: tops_rx, controls: controls_rx },
                FeedEnds { tops: other_tops_rx, controls: other_controls_rx },
            ],
            vec![feedback_rx, refusals_rx],
            commands_rx,
            LiveOutlet::new(vec![bundles, other_bundles], None, events),
            None,
        );

        let (filler, headers) = header_pool(HeaderSpread::default());
        let account = accounts::kalshi(headers, &endpoint.authority());
        let net = TlsNet {
            orders: endpoint.clone(),
            channel: endpoint.clone(),
            channel_path: PRIVATE_PATH.to_owned(),
            tls: Arc::clone(tls),
        };
        let kill_epoch = Arc::new(AtomicU32::new(0));
        let ends = GateEnds { bundles: bundles_rx, feedback, kill_epoch };
        let config = GateConfig { warm_every: Ns(u64::MAX), ..GateConfig::default() };
        let clerk = KalshiClerk::new(account);
        let left = Rc::new(Cell::new(0));
        let noted = Noted { clock: clock.clone(), last: Rc::clone(&left) };
        let gate = KalshiGate::new(clerk, net, ends, config, noted);
        let duty = HeaderDuty { signer: accounts::ed25519(), filler };
        let mut signer = SignerTile::new(Some(duty), None);
        while signer.step(clock.now()) > 0 {}
        let _rest: Vec<Box<dyn std::any::Any>> = vec![
            Box::new(verdicts),
            Box::new(other_tops),
            Box::new(other_controls),
            Box::new(events_rx),
            Box::new(commands),
        ];
        Ok(Tiles {
            feed,
            core,
            gate,
            left,
            signer,
            orders: Vec::with_capacity(plan.total()),
            pushed: Vec::with_capacity(2 * plan.total()),
            counts: false,
            calls: 0,
            other,
            refusals,
            _rest,
        })
    }

    fn is_ready(&self) -> bool {
        self.gate.is_ready() && self.core.core().is_gate_ready(Venue::Kalshi)
    }

    /// As a run's thread steps the tiles that share it.
    fn step(&mut self, clock: &TscClock, flags: &Flags) {
        let before = alloc::own_calls();
        if self.feed.step(clock.now()) == 1 && self.counts {
            let written = flags.written.load(Ordering::Acquire);
            self.pushed.push(clock.delta_ns(written, clock.raw()));
        }
        self.core.step(clock.now());
        let now = clock.now();
        let fired = self.gate.figures().fired;
        self.gate.step(now);
        if self.gate.figures().fired != fired {
            let written = flags.written.load(Ordering::Acquire);
            self.orders.push(clock.delta_ns(written, self.left.get()));
        }
        if self.counts {
            self.calls += alloc::own_calls() - before;
        }
        while let Ok(Dispatch { bundle, .. }) = self.other.pop() {
            self.refuse(&bundle, now.mono);
        }
        // A thread of its own in a run that has the cores: here behind the order, before the next
        // frame.
        if self.gate.figures().fired != fired {
            self.signer.step(now);
        }
    }

    fn refuse(&mut self, bundle: &Bundle, at: Ns) {
        let legs = bundle.orders().iter().enumerate();
        for (leg, it) in legs.filter(|(_, it)| it.market.venue() == Venue::Polymarket) {
            let report = Feedback::Report(Report {
                bundle: bundle.id,
                pair: bundle.pair,
                leg: leg as u8,
                market: it.market,
                outcome: it.outcome,
                action: it.action,
                at,
                kind: ReportKind::Rejected(Reject::Venue),
            });
            let _ = self.refusals.push(report); // one bundle at a time: there is room
        }
    }
}

/// The other venue's book: YES at 57 cents, NO at 45.
fn other_top(wall: Ns) -> Top {
    let mut top = Top::unknown(accounts::market(Venue::Polymarket, 0));
    let level = |px| Levels { qty: [10_000, 0, 0, 0], px: [px, 0, 0, 0] };
    top.set_bids(&level(5_500));
    top.set_asks(&level(5_700));
    top.recv = wall;
    top.generation = 1;
    top.health = Health::Sound;
    top
}
