//! Every ring and every thread of a run, made in one place: a ring's end is moved into the tile
//! that owns it, so a miswiring does not compile.

pub mod live; // the same for a run that trades

use std::fmt;

use engine::core_tile::{CoreTile, EVENT_RING_DEPTH, EventRing};
use engine::event::Event;
use engine::idle::Idle;
use engine::paper::PaperCore;
use engine::pin::CoreList;
use engine::tile::Tile;
use feeds::controls::{EventMarkets, MarketRules};
use feeds::feed::{CONTROL_RING_DEPTH, FeedTile, Outbox, TOP_RING_DEPTH, VenueSession};
use feeds::{kalshi, polymarket};
use rtrb::Consumer;

pub use live::{LivePlan, LiveTiles};

use crate::replay::frames::{self, BatchSender, BatchSource, ORDER_RING_DEPTH, OrderSender};

/// The feed tile of Kalshi, reading a tape.
pub type KalshiTile = FeedTile<kalshi::session::Session, BatchSource, EventMarkets>;
/// The feed tile of Polymarket, reading a tape.
pub type PolymarketTile = FeedTile<polymarket::session::Session, BatchSource, MarketRules>;

/// The tiles of a replay and the ends of their rings that stay outside.
pub struct ReplayTiles {
    /// Kalshi's frames to tops, and its fees to controls.
    pub kalshi: KalshiTile,
    /// Polymarket's frames to tops, and its rules to controls.
    pub polymarket: PolymarketTile,
    /// Tops to decisions.
    pub core: CoreTile,
    /// The tape's thread fills these, by venue.
    pub batches: [BatchSender; 2],
    /// ...and says in which order the core takes them.
    pub order: OrderSender,
    /// What the core did.
    pub events: Consumer<Event>,
}

/// All rings of a replay, each end in the tile that owns it. `events` are Kalshi's.
pub fn replay(
    kalshi: kalshi::session::Session,
    events: EventMarkets,
    polymarket: polymarket::session::Session,
    core: PaperCore,
    markets: [usize; 2],
) -> ReplayTiles {
    let (kalshi_batches, kalshi_source) = frames::batches();
    let (polymarket_batches, polymarket_source) = frames::batches();
    let (order, order_rx) = frames::order();
    let (kalshi_tx, kalshi_rx) = rtrb::RingBuffer::new(TOP_RING_DEPTH);
    let (polymarket_tx, polymarket_rx) = rtrb::RingBuffer::new(TOP_RING_DEPTH);
    let (kalshi_controls, kalshi_controls_rx) = rtrb::RingBuffer::new(CONTROL_RING_DEPTH);
    let (polymarket_controls, polymarket_controls_rx) = rtrb::RingBuffer::new(CONTROL_RING_DEPTH);
    let (event_tx, event_rx) = rtrb::RingBuffer::new(EVENT_RING_DEPTH);
    let [kalshi_markets, polymarket_markets] = markets;
    let kalshi_out = Outbox::new((kalshi_tx, kalshi_controls), kalshi_markets, true, events);
    let polymarket_out =
        Outbox::new((polymarket_tx, polymarket_controls), polymarket_markets, true, MarketRules);
    ReplayTiles {
        kalshi: FeedTile::new(kalshi, kalshi_source, kalshi_out),
        polymarket: FeedTile::new(polymarket, polymarket_source, polymarket_out),
        core: CoreTile::new(
            core,
            [kalshi_rx, polymarket_rx],
            [kalshi_controls_rx, polymarket_controls_rx],
            order_rx,
            EventRing::new(event_tx),
        ),
        batches: [kalshi_batches, polymarket_batches],
        order,
        events: event_rx,
    }
}

/// How tiles share threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Grouping {
    /// All tiles on one thread, stepped frame by frame.
    Single,
    /// A thread a tile, each pinned to a core.
    Pinned,
}

/// One thread of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Thread {
    /// Its name.
    pub name: &'static str,
    /// Tiles on it, in the order of their steps.
    pub tiles: &'static [&'static str],
    /// The core it is pinned to; `None` floats.
    pub core: Option<usize>,
    /// What it does without work.
    pub idle: Idle,
}

/// The threads of a run, and why they idle as they do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Hot threads first.
    pub threads: Vec<Thread>,
    /// Why the hot threads idle as they do.
    pub idle_reason: &'static str,
}

const FEED_KALSHI: &str = <kalshi::session::Session as VenueSession>::NAME;
const FEED_POLYMARKET: &str = <polymarket::session::Session as VenueSession>::NAME;
const CORE: &str = CoreTile::NAME;

impl Plan {
    /// The threads of a replay on the given cores, used in turn where there are too few.
    pub fn replay(grouping: Grouping, cores: &CoreList, pin: bool) -> Plan {
        let hot: &[(&str, &[&str])] = match grouping {
            Grouping::Single => &[("engine", &[FEED_KALSHI, FEED_POLYMARKET, CORE])],
            Grouping::Pinned => &[
                (FEED_KALSHI, &[FEED_KALSHI]),
                (FEED_POLYMARKET, &[FEED_POLYMARKET]),
                (CORE, &[CORE]),
            ],
        };
        let (idle, idle_reason) = Idle::choose(cores.len(), hot.len());
        let mut threads: Vec<Thread> = hot
            .iter()
            .enumerate()
            .map(|(at, (name, tiles))| {
                let core = cores.cores().get(at % cores.len().max(1)).copied();
                Thread { name, tiles, core: core.filter(|_| pin), idle }
            })
            .collect();
        threads.push(Thread { name: "tape", tiles: &["tape"], core: None, idle: Idle::COLD });
        Plan { threads, idle_reason }
    }

    /// The hot threads.
    pub fn hot(&self) -> impl Iterator<Item = &Thread> {
        self.threads.iter().filter(|thread| thread.name != "tape")
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "tape ══ batches of frames ══▶ {FEED_KALSHI} ══ Top x {TOP_RING_DEPTH}, Control x {CONTROL_RING_DEPTH} ══▶ ┐"
        )?;
        writeln!(
            f,
            "tape ══ batches of frames ══▶ {FEED_POLYMARKET} ══ Top x {TOP_RING_DEPTH}, Control x {CONTROL_RING_DEPTH} ══▶ {CORE} ══ Event x {EVENT_RING_DEPTH} ══▶ report"
        )?;
        writeln!(f, "tape ══ order x {ORDER_RING_DEPTH} ════════════════════════════════════▶ ┘")?;
        for thread in &self.threads {
            let core = thread.core.map_or("floating".to_owned(), |core| format!("core {core}"));
            let tiles = thread.tiles.join(", ");
            writeln!(
                f,
                "  thread {:<16} {core:<9} {:<28} runs {tiles}",
                thread.name,
                thread.idle.to_string()
            )?;
        }
        write!(f, "  {}", self.idle_reason)
    }
}
