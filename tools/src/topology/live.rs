//! Every ring and every thread of a run that trades, made in one place.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use engine::desk::Desk;
use engine::idle::Idle;
use engine::latency::StageHistogram;
use engine::live_tile::{
    ARM_RING_DEPTH, EVENT_RING_DEPTH, FEEDBACK_RING_DEPTH, FeedEnds, LiveOutlet, LiveTile,
    RULE_RING_DEPTH,
};
use engine::pin::CoreList;
use engine::tap::{TAP_RING_BYTES, TapReader, tap};
use engine::tile::Now;
use engine::units::Venue;
use exec::armed::ARMED_MAX;
use exec::gate::figures::GateFigures;
use exec::journal::files::Files;
use exec::journal::{JournalTile, JournalWriter, Record};
use exec::sign::pool::HEADERS_MAX;
use feeds::controls::{EventMarkets, MarketRules};
use feeds::feed::{CONTROL_RING_DEPTH, TOP_RING_DEPTH};
use feeds::fitness::Verdict;
use feeds::listed::{Announced, LISTED_RING_DEPTH};
use feeds::live::figures::LineFigures;
use feeds::live::tile::VERDICT_RING_DEPTH;
use feeds::live::{self, Ends, LiveFeed, Options};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::config::{Grouping, Threads};
use crate::crash::Fused;
use crate::run::brakes::Brakes;
use crate::run::doors::KalshiLogin;
use crate::run::gates::{GateRings, Gates};
use crate::run::joins::{JoinEnds, arrivals};
use crate::run::summary::{JournalCost, Percentiles, Summary};
use crate::run::threads::{Group, Stepped};
use crate::run::trade::Outside;

/// Commands of an operator on their way to the core.
const COMMAND_RING_DEPTH: usize = 16;

/// Pictures of the core on their way to whoever looks. More pairs than it holds are shown in turns;
/// the largest table takes eight, which is less than a cross-check waits for.
const VIEW_RING_DEPTH: usize = 4_096;

/// Kalshi's live feed.
pub type KalshiFeed = LiveFeed<live::kalshi::Kalshi, KalshiLogin, Announced<EventMarkets>>;
/// Polymarket's live feed.
pub type PolymarketFeed = LiveFeed<live::polymarket::Polymarket, (), Announced<MarketRules>>;

/// What a run is made of before it has rings.
pub struct LiveParts {
    /// Kalshi's markets, how they are subscribed to and where.
    pub kalshi: (live::kalshi::Kalshi, feeds::kalshi::session::Session, Options, KalshiLogin),
    /// Kalshi's markets by their events.
    pub events: EventMarkets,
    /// Polymarket's markets, how they are subscribed to and where.
    pub polymarket: (live::polymarket::Polymarket, feeds::polymarket::session::Session, Options),
    /// The core with what stands behind it.
    pub desk: Desk,
    /// The tiles that send orders and their rings; none on paper.
    pub gates: Option<(Gates, GateRings)>,
    /// Whether it is recorded.
    pub record: bool,
    /// Writes the journal, and the end of it for whoever watches.
    pub journal: Option<(JournalTile<Fused<Files>>, JournalWriter)>,
}

/// The tiles of a run that trades.
pub struct LiveTiles {
    /// Kalshi's sockets to tops and controls.
    pub kalshi: KalshiFeed,
    /// Polymarket's sockets to tops.
    pub polymarket: PolymarketFeed,
    /// Tops to decisions.
    pub core: LiveTile,
    /// Decisions to orders; none on paper.
    pub gates: Option<Gates>,
    /// Writes down what they send and hear.
    pub journal: Option<JournalTile<Fused<Files>>>,
}

/// The ends of rings that stay outside of the tiles.
pub struct LiveEnds {
    /// For whoever watches.
    pub outside: Outside,
    /// For the recorder.
    pub taps: Vec<TapReader>,
    /// For whoever cross-checks the books, by venue.
    pub verdicts: [Producer<Verdict>; 2],
    /// For whoever finds pairs.
    pub joins: JoinEnds,
    /// Word that there may be new ones, by venue.
    pub listed: [Consumer<Venue>; 2],
}

/// All rings of a run, each end in the tile that owns it.
///
/// # Errors
/// Where the system has no more handles.
pub fn live(parts: LiveParts, now: Now) -> io::Result<(LiveTiles, LiveEnds)> {
    let mut taps = Vec::new();
    let mut tapped = || {
        parts.record.then(|| {
            let (writer, reader) = tap(TAP_RING_BYTES);
            taps.push(reader);
            writer
        })
    };
    let (kalshi_tops, kalshi_tops_rx) = RingBuffer::new(TOP_RING_DEPTH);
    let (kalshi_controls, kalshi_controls_rx) = RingBuffer::new(CONTROL_RING_DEPTH);
    let (kalshi_verdicts, kalshi_verdicts_rx) = RingBuffer::new(VERDICT_RING_DEPTH);
    let (polymarket_tops, polymarket_tops_rx) = RingBuffer::new(TOP_RING_DEPTH);
    let (polymarket_controls, polymarket_controls_rx) = RingBuffer::new(CONTROL_RING_DEPTH);
    let (polymarket_verdicts, polymarket_verdicts_rx) = RingBuffer::new(VERDICT_RING_DEPTH);
    let (kalshi_arrivals, kalshi_coming) = arrivals();
    let (polymarket_arrivals, polymarket_coming) = arrivals();
    let (kalshi_listed, kalshi_listed_rx) = RingBuffer::new(LISTED_RING_DEPTH);
    let (polymarket_listed, polymarket_listed_rx) = RingBuffer::new(LISTED_RING_DEPTH);
    let (commands, commands_rx) = RingBuffer::new(COMMAND_RING_DEPTH);
    let (events_tx, events) = RingBuffer::new(EVENT_RING_DEPTH);
    let (views_tx, views) = RingBuffer::new(VIEW_RING_DEPTH);

    let (dialect, session, options, login) = parts.kalshi;
    let ends = Ends {
        tops: kalshi_tops,
        controls: kalshi_controls,
        verdicts: kalshi_verdicts_rx,
        markets: Some(kalshi_coming),
        tap: tapped(),
        notices: Announced::new(kalshi_listed, parts.events),
    };
    let kalshi = LiveFeed::new(dialect, session, options, login, ends, now)?;
    let (dialect, session, options) = parts.polymarket;
    let ends = Ends {
        tops: polymarket_tops,
        controls: polymarket_controls,
        verdicts: polymarket_verdicts_rx,
        markets: Some(polymarket_coming),
        tap: tapped(),
        notices: Announced::new(polymarket_listed, MarketRules),
    };
    let polymarket = LiveFeed::new(dialect, session, options, (), ends, now)?;
    let feeds = vec![
        FeedEnds { tops: kalshi_tops_rx, controls: kalshi_controls_rx },
        FeedEnds { tops: polymarket_tops_rx, controls: polymarket_controls_rx },
    ];
    let (gates, feedback, outlet, brakes, terms) = match parts.gates {
        None => {
            let outlet = LiveOutlet::new(Vec::new(), None, events_tx);
            (None, Vec::new(), outlet, Brakes::default(), None)
        }
        Some((gates, mut rings)) => {
            let terms = rings.terms.take();
            let (feedback, outlet, brakes) = rings.ends(events_tx);
            (Some(gates), feedback, outlet, brakes, terms)
        }
    };
    let core = LiveTile::new(parts.desk, feeds, feedback, commands_rx, outlet, tapped())
        .with_views(views_tx);
    let (journal, writer) = parts.journal.unzip();
    let outside = Outside { events, views, commands, brakes, journal: writer };
    let verdicts = [kalshi_verdicts, polymarket_verdicts];
    let joins = JoinEnds { kalshi: kalshi_arrivals, polymarket: polymarket_arrivals, terms };
    Ok((
        LiveTiles { kalshi, polymarket, core, gates, journal },
        LiveEnds {
            outside,
            taps,
            verdicts,
            joins,
            listed: [kalshi_listed_rx, polymarket_listed_rx],
        },
    ))
}

impl LiveTiles {
    /// The tiles by thread, as the plan says; the signer's is not hot.
    pub fn groups(&mut self, plan: &LivePlan) -> Vec<Group<'_>> {
        let group = |at: usize, tiles| {
            let thread = &plan.threads[at];
            Group { name: thread.name, core: thread.core, idle: thread.idle, tiles }
        };
        let mut hot: Vec<&mut dyn Stepped> =
            vec![&mut self.kalshi, &mut self.polymarket, &mut self.core];
        let mut cold = Vec::new();
        if let Some(gates) = &mut self.gates {
            hot.push(&mut gates.kalshi);
            hot.push(&mut gates.polymarket);
            let tiles: Vec<&mut dyn Stepped> = vec![&mut gates.signer];
            cold.push(Group { name: "signer", core: None, idle: Idle::COLD, tiles });
        }
        if let Some(journal) = &mut self.journal {
            let tiles: Vec<&mut dyn Stepped> = vec![journal];
            cold.push(Group { name: "journal", core: None, idle: Idle::COLD, tiles });
        }
        let mut groups = if plan.threads.len() == 1 {
            vec![group(0, hot)]
        } else {
            hot.into_iter().enumerate().map(|(at, tile)| group(at, vec![tile])).collect()
        };
        groups.append(&mut cold);
        groups
    }

    /// Writes records of a run that is over, durably; says in words where that fails.
    pub fn write_down(
        &mut self,
        writer: &mut Option<JournalWriter>,
        records: &[Record],
        now: Now,
    ) -> Option<String> {
        let (tile, writer) = self.journal.as_mut().zip(writer.as_mut())?;
        for record in records {
            // More than a ring holds is written in parts.
            if !writer.has_room() {
                while tile.is_busy() {
                    Stepped::step(tile, now);
                }
            }
            writer.write(record);
        }
        while tile.is_busy() {
            Stepped::step(tile, now);
        }
        tile.failed().map(|error| format!("the journal is incomplete: {error}"))
    }

    /// What each connection of Kalshi and Polymarket counted.
    pub fn lines(&self) -> [Vec<LineFigures>; 2] {
        [self.kalshi.figures().copied().collect(), self.polymarket.figures().copied().collect()]
    }

    /// Latencies by name.
    pub fn histograms(&self) -> Vec<(&'static str, &StageHistogram)> {
        let mut all = vec![
            ("kalshi_feed", self.kalshi.pushed()),
            ("polymarket_feed", self.polymarket.pushed()),
            ("feed_to_core", self.core.reached()),
        ];
        if let Some(gates) = &self.gates {
            let (kalshi, polymarket) = (gates.kalshi.stages(), gates.polymarket.stages());
            all.extend([
                ("kalshi_fire", &kalshi.fire),
                ("kalshi_wire_to_wire", &kalshi.wire),
                ("kalshi_ack", &kalshi.ack),
                ("polymarket_fire", &polymarket.fire),
                ("polymarket_wire_to_wire", &polymarket.wire),
                ("polymarket_ack", &polymarket.ack),
            ]);
        }
        if let Some(journal) = &self.journal {
            all.push(("journal_commit", journal.commits()));
        }
        all
    }

    /// Adds what the tiles measured and counted to a summary.
    pub fn sum_up(&self, summary: &mut Summary) {
        let lost = self.core.lost();
        (summary.events_lost, summary.facts_lost) = (lost.events, lost.facts);
        let stages = self.histograms().into_iter();
        summary.stages_ns =
            stages.map(|(name, all)| (name.to_owned(), Percentiles::of(all))).collect();
        if let Some(gates) = &self.gates {
            let mut wire = gates.kalshi.stages().wire.clone();
            wire.merge(&gates.polymarket.stages().wire);
            summary.wire_to_wire_ns = Percentiles::of(&wire);
            let figures = [gates.kalshi.figures(), gates.polymarket.figures()];
            summary.signed_ahead =
                [figures[0].hits + figures[1].hits, figures[0].inline + figures[1].inline];
            let counts = Venue::ALL.into_iter().zip(figures);
            summary.gates = counts.map(|(venue, f)| (venue.name(), gate_counts(&f))).collect();
            let waited = figures[0].parked + figures[1].parked;
            summary.journal = self.journal.as_ref().map(|tile| JournalCost::of(tile, waited));
        }
    }
}

/// What a gate counted, by name.
fn gate_counts(figures: &GateFigures) -> BTreeMap<&'static str, u64> {
    BTreeMap::from([
        ("fired", figures.fired),
        ("signed_ahead", figures.hits),
        ("signed_inline", figures.inline),
        ("waited_for_journal", figures.parked),
        ("refused_here", figures.refused_total()),
        ("tripped", figures.tripped),
        ("swept", figures.swept),
        ("rejected", figures.rejected),
        ("unknown", figures.unknown),
        ("resolved", figures.resolved),
        ("fills", figures.fills),
        ("duplicate_fills", figures.duplicates),
        ("settlement_steps", figures.settling),
        ("undone_fills", figures.undone),
        ("foreign_fills", figures.foreign),
        ("excess_fills", figures.excess),
        ("questions", figures.questions),
        ("unread_frames", figures.unread),
        ("channels_lost", figures.channels_lost),
        ("closed", figures.closed),
        ("doubted", figures.doubted),
    ])
}

/// One thread of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveThread {
    /// Its name.
    pub name: &'static str,
    /// Its tiles.
    pub tiles: &'static str,
    /// The core it is pinned to; `None` floats.
    pub core: Option<usize>,
    /// What it does without work.
    pub idle: Idle,
}

/// The hot threads of a run, and why they idle as they do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LivePlan {
    /// In the order of the data.
    pub threads: Vec<LiveThread>,
    /// Why they idle as they do.
    pub reason: &'static str,
}

impl LivePlan {
    /// Tiles that want a core of their own: two feeds, the core, two gates.
    pub const TILES: usize = 5;

    /// The threads for these cores: one a tile where there is a core for each and one to spare,
    /// otherwise all tiles on one.
    pub fn new(threads: &Threads, gates: bool) -> LivePlan {
        const APART: [(&str, &str); 5] = [
            ("feed-kalshi", "feed"),
            ("feed-polymarket", "feed"),
            ("core", "core"),
            ("gate-kalshi", "gate"),
            ("gate-polymarket", "gate"),
        ];
        const TOGETHER: [[(&str, &str); 1]; 2] =
            [[("engine", "both feeds, core")], [("engine", "both feeds, core, both gates")]];
        let apart_tiles = &APART[..if gates { 5 } else { 3 }];
        let cores = threads.cores.clone().unwrap_or_else(CoreList::allowed);
        let apart = match threads.grouping {
            Grouping::Pinned => true,
            Grouping::Grouped => false,
            Grouping::Auto => cores.len() > apart_tiles.len(),
        };
        let hot: &[(&'static str, &'static str)] =
            if apart { apart_tiles } else { &TOGETHER[usize::from(gates)] };
        let (idle, reason) = threads.idle.policy(cores.len(), hot.len());
        let threads = hot.iter().enumerate().map(|(at, (name, tiles))| LiveThread {
            name,
            tiles,
            core: cores.cores().get(at % cores.len().max(1)).copied(),
            idle,
        });
        LivePlan { threads: threads.collect(), reason }
    }
}

impl fmt::Display for LivePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "rings  feeds ══ Top x {TOP_RING_DEPTH}, Control x {CONTROL_RING_DEPTH} ══▶ core ══ Bundle, \
             one a pair, Control x {RULE_RING_DEPTH} ══▶ gates ══ Feedback x {FEEDBACK_RING_DEPTH} ══▶ core"
        )?;
        writeln!(
            f,
            "       core ══ ArmRequest x {ARM_RING_DEPTH} ══▶ signer ══ header x {HEADERS_MAX}, order x \
             {ARMED_MAX} ══▶ gates;  core ══ Event x {EVENT_RING_DEPTH} ══▶ whoever watches"
        )?;
        for thread in &self.threads {
            let core = thread.core.map_or("floating".to_owned(), |core| format!("core {core}"));
            let idle = thread.idle.to_string();
            writeln!(f, "thread {:<16} {core:<9} {idle:<28} {}", thread.name, thread.tiles)?;
        }
        write!(f, "{}", self.reason)
    }
}
