//! The threads of a replay: each steps its tiles and stamps what they do. The tiles themselves
//! read no clock.

use std::sync::atomic::Ordering::Relaxed;
use std::thread::{self, Scope, ScopedJoinHandle};

use engine::clock::{Clock, TscClock};
use engine::core_tile::CoreTile;
use engine::idle::Idler;
use engine::latency::{Stage, StageHistogram};
use engine::pin::{PinError, pin_current};
use engine::tile::{Now, Tile};
use engine::units::Venue;
use feeds::feed::{FeedTile, NoticeSink, VenueSession};
use rtrb::{Consumer, Producer};

use super::feeder::Shared;
use super::frames::BatchSource;
use crate::topology::{KalshiTile, PolymarketTile, Thread};

/// Histograms by stage.
pub type Stages = Vec<(Stage, StageHistogram)>;

/// When a feed began and ended a frame, in ticks of the clock.
pub type Stamp = (u64, u64);

/// Stamps on their way from a feed's thread to the core's: one a frame, as the frames' tops.
const STAMP_RING_DEPTH: usize = feeds::feed::TOP_RING_DEPTH;

/// How often a thread tells how far it is.
const PROGRESS_EVERY: u64 = 256;

/// Tiles when their threads have ended, and what each stage took.
pub struct Driven {
    /// Kalshi's feed.
    pub kalshi: KalshiTile,
    /// Polymarket's feed.
    pub polymarket: PolymarketTile,
    /// The core.
    pub core: CoreTile,
    /// What each stage took.
    pub stages: Stages,
    /// Pins that failed, in words.
    pub pin_errors: Vec<String>,
}

/// Stops the other threads when this one unwinds.
struct StopOnPanic<'a>(&'a Shared);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop.store(true, Relaxed);
        }
    }
}

fn pin(thread: &Thread) -> Result<(), PinError> {
    thread.core.map_or(Ok(()), pin_current)
}

/// All tiles on one thread, frame by frame.
pub fn single(
    shared: &Shared,
    thread: &Thread,
    clock: &TscClock,
    mut kalshi: KalshiTile,
    mut polymarket: PolymarketTile,
    mut core: CoreTile,
) -> Driven {
    let _guard = StopOnPanic(shared);
    let pin_errors = pin(thread).err().map(|e| e.to_string()).into_iter().collect();
    let mut idler = Idler::new(thread.idle);
    let (mut decode, mut decision, mut total) =
        (StageHistogram::new(), StageHistogram::new(), StageHistogram::new());
    let (mut frames, mut drained) = (0, false);
    let now = Now::default(); // the tiles of a replay live in the time of their frames
    while !shared.is_stopped() {
        let done = shared.is_done();
        let Some(venue) = core.next_venue() else {
            if done && drained && core.is_flushed() {
                break;
            }
            if done && !drained {
                core.drain();
                drained = true;
            }
            idler.idle(0);
            continue;
        };
        // What is left to do of reading the tape is no part of what a frame takes.
        match venue {
            Venue::Kalshi => kalshi.prepare(),
            Venue::Polymarket => polymarket.prepare(),
        }
        let began = clock.raw();
        let fed = match venue {
            Venue::Kalshi => kalshi.step(now),
            Venue::Polymarket => polymarket.step(now),
        };
        let decoded = clock.raw();
        let taken = core.step(now);
        if fed & taken == 1 {
            let decided = clock.raw();
            decode.record(clock.delta_ns(began, decoded));
            decision.record(clock.delta_ns(decoded, decided));
            total.record(clock.delta_ns(began, decided));
        }
        frames += taken as u64;
        if frames % PROGRESS_EVERY == 0 {
            shared.frames_done.store(frames, Relaxed);
        }
        idler.idle(fed + taken);
    }
    shared.frames_done.store(frames, Relaxed);
    let stages = vec![(Stage::Decode, decode), (Stage::Decision, decision), (Stage::Total, total)];
    Driven { kalshi, polymarket, core, stages, pin_errors }
}

/// A thread a tile. Returns when all have ended.
pub fn pinned(
    shared: &Shared,
    threads: [&Thread; 3],
    clock: &TscClock,
    kalshi: KalshiTile,
    polymarket: PolymarketTile,
    core: CoreTile,
) -> Driven {
    let (kalshi_tx, kalshi_rx) = rtrb::RingBuffer::new(STAMP_RING_DEPTH);
    let (polymarket_tx, polymarket_rx) = rtrb::RingBuffer::new(STAMP_RING_DEPTH);
    thread::scope(|scope| {
        let kalshi = start(scope, threads[0].name, move || {
            feed(shared, threads[0], clock, kalshi, kalshi_tx)
        });
        let polymarket = start(scope, threads[1].name, move || {
            feed(shared, threads[1], clock, polymarket, polymarket_tx)
        });
        let stamps = [kalshi_rx, polymarket_rx];
        let core =
            start(scope, threads[2].name, move || decide(shared, threads[2], clock, core, stamps));
        let (kalshi, mut decode, kalshi_pin) = join(kalshi);
        let (polymarket, polymarket_decode, polymarket_pin) = join(polymarket);
        let (core, mut stages, core_pin) = join(core);
        decode.merge(&polymarket_decode);
        stages.insert(0, (Stage::Decode, decode));
        let pin_errors = [kalshi_pin, polymarket_pin, core_pin].into_iter().flatten().collect();
        Driven { kalshi, polymarket, core, stages, pin_errors }
    })
}

/// Starts a thread under its name, by which the system's tools know it too.
pub(super) fn start<'s, T: Send + 's>(
    scope: &'s Scope<'s, '_>,
    name: &str,
    run: impl FnOnce() -> T + Send + 's,
) -> ScopedJoinHandle<'s, T> {
    match thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, run) {
        Ok(handle) => handle,
        Err(error) => panic!("the system refused a thread: {error}"),
    }
}

fn join<T>(handle: ScopedJoinHandle<'_, T>) -> T {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn feed<S: VenueSession, N: NoticeSink>(
    shared: &Shared,
    thread: &Thread,
    clock: &TscClock,
    mut tile: FeedTile<S, BatchSource, N>,
    mut stamps: Producer<Stamp>,
) -> (FeedTile<S, BatchSource, N>, StageHistogram, Option<String>) {
    let _guard = StopOnPanic(shared);
    let pin_error = pin(thread).err().map(|e| e.to_string());
    let mut idler = Idler::new(thread.idle);
    let mut decode = StageHistogram::new();
    let now = Now::default();
    while !shared.is_stopped() {
        let done = shared.is_done();
        tile.prepare();
        let began = clock.raw();
        let fed = tile.step(now);
        if fed == 1 {
            let decoded = clock.raw();
            decode.record(clock.delta_ns(began, decoded));
            let mut stamp = (began, decoded);
            while let Err(rtrb::PushError::Full(back)) = stamps.push(stamp) {
                stamp = back;
                if shared.is_stopped() {
                    break;
                }
                thread::yield_now();
            }
        } else if done && tile.is_flushed() {
            break;
        }
        idler.idle(fed);
    }
    (tile, decode, pin_error)
}

fn decide(
    shared: &Shared,
    thread: &Thread,
    clock: &TscClock,
    mut core: CoreTile,
    mut stamps: [Consumer<Stamp>; 2],
) -> (CoreTile, Stages, Option<String>) {
    let _guard = StopOnPanic(shared);
    let pin_error = pin(thread).err().map(|e| e.to_string());
    let mut idler = Idler::new(thread.idle);
    let (mut hop, mut decision, mut total) =
        (StageHistogram::new(), StageHistogram::new(), StageHistogram::new());
    let (mut frames, mut drained) = (0, false);
    let now = Now::default();
    while !shared.is_stopped() {
        let done = shared.is_done();
        let venue = core.next_venue();
        let took = clock.raw();
        let taken = core.step(now);
        match venue {
            Some(venue) if taken == 1 => {
                let decided = clock.raw();
                if let Some((began, decoded)) = stamp_of(shared, &mut stamps[venue.index()]) {
                    hop.record(clock.delta_ns(decoded, took));
                    decision.record(clock.delta_ns(took, decided));
                    total.record(clock.delta_ns(began, decided));
                }
                frames += 1;
                if frames % PROGRESS_EVERY == 0 {
                    shared.frames_done.store(frames, Relaxed);
                }
            }
            None if done && !drained => {
                core.drain();
                drained = true;
            }
            None if done && core.is_flushed() => break,
            _ => {}
        }
        idler.idle(taken);
    }
    shared.frames_done.store(frames, Relaxed);
    let stages = vec![(Stage::Hop, hop), (Stage::Decision, decision), (Stage::Total, total)];
    (core, stages, pin_error)
}

/// The stamp of a frame whose tops have come: the feed's thread sends it right after them.
fn stamp_of(shared: &Shared, stamps: &mut Consumer<Stamp>) -> Option<Stamp> {
    loop {
        if let Ok(stamp) = stamps.pop() {
            return Some(stamp);
        }
        if shared.is_stopped() {
            return None;
        }
        thread::yield_now();
    }
}
