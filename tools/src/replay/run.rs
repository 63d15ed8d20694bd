//! One replay from its first record to its outcome: starts the threads, collects events, joins.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use engine::clock::TscClock;
use engine::event::Event;
use engine::latency::{Stage, StageHistogram};
use engine::paper::PaperCore;
use feeds::{kalshi, polymarket};
use rtrb::Consumer;

use super::drive::{self, Driven};
use super::feeder::{Feeder, Frames, Sent, Shared};
use super::setup::Setup;
use super::speed::Speed;
use crate::tape::TapeError;
use crate::topology::{self, Grouping, Plan};

/// How often the collecting thread looks at how far the others are.
const SAMPLE: Duration = Duration::from_millis(50);

/// How long that thread sleeps between two looks at the events: from the first after there were
/// some to the longest. The ring holds what the core says meanwhile.
const NAP_MIN: Duration = Duration::from_micros(500);
const NAP_MAX: Duration = Duration::from_millis(4);

/// What a replay left behind.
pub struct Outcome {
    /// Kalshi's books and counts.
    pub kalshi: kalshi::session::Session,
    /// Polymarket's books and counts.
    pub polymarket: polymarket::session::Session,
    /// Pairs, figures and accounts.
    pub core: PaperCore,
    /// What each stage took.
    pub stages: Vec<(Stage, StageHistogram)>,
    /// What the tapes held.
    pub sent: Sent,
    /// From the start of the threads to the end of the last one.
    pub elapsed: Duration,
    /// Pins that failed, in words.
    pub pin_errors: Vec<String>,
}

/// Receives what happens while a replay runs, on the thread that called [`run`].
pub trait Watcher {
    /// The core said something.
    fn event(&mut self, event: &Event);

    /// That many bytes of the tapes are read, and that many records done.
    fn progress(&mut self, bytes: u64, records: u64);
}

/// Replays `frames` through the tiles of `setup`. A damaged tape ends the replay with its error.
pub fn run(
    setup: Setup,
    core: PaperCore,
    frames: &mut Frames,
    speed: Speed,
    (grouping, plan): (Grouping, &Plan),
    watcher: &mut impl Watcher,
) -> Result<Outcome, TapeError> {
    let Setup { kalshi, events, polymarket, table: _, markets } = setup;
    let tiles = topology::replay(kalshi, events, polymarket, core, markets);
    let shared = Shared::default();
    let feeder = Feeder::new(&shared, tiles.batches, tiles.order, speed);
    let hot: Vec<_> = plan.hot().collect();
    let ended = AtomicBool::new(false);
    let collector = thread::current();
    // The first one of a process measures the counter for a while; that is no part of the run.
    let clock = TscClock::new();
    let began = Instant::now();
    thread::scope(|scope| {
        let tape = drive::start(scope, "tape", || {
            let sent = feeder.run(frames);
            // What was sent stands; a tape that broke ends the run after what it gave.
            shared.tape_done.store(true, SeqCst);
            sent
        });
        let engine = drive::start(scope, "engine", || {
            let _wake = WakeAtEnd(&ended, collector);
            match (grouping, hot.as_slice()) {
                (Grouping::Pinned, &[kalshi, polymarket, core]) => drive::pinned(
                    &shared,
                    [kalshi, polymarket, core],
                    &clock,
                    tiles.kalshi,
                    tiles.polymarket,
                    tiles.core,
                ),
                (_, threads) => drive::single(
                    &shared,
                    threads[0],
                    &clock,
                    tiles.kalshi,
                    tiles.polymarket,
                    tiles.core,
                ),
            }
        });
        collect(&shared, tiles.events, &ended, watcher);
        let Driven { kalshi, polymarket, core, stages, pin_errors } =
            engine.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let elapsed = began.elapsed();
        let sent = tape.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(Outcome {
            kalshi: kalshi.into_parts().0,
            polymarket: polymarket.into_parts().0,
            core: core.into_core(),
            stages,
            sent,
            elapsed,
            pin_errors,
        })
    })
}

/// Tells the collecting thread at once that the engine has ended, be it in a panic: a short tape
/// would otherwise be over long before anyone looks.
struct WakeAtEnd<'a>(&'a AtomicBool, Thread);

impl Drop for WakeAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Release);
        self.1.unpark();
    }
}

/// Hands events on until the engine has ended and its ring is empty.
fn collect(
    shared: &Shared,
    mut events: Consumer<Event>,
    ended: &AtomicBool,
    watcher: &mut impl Watcher,
) {
    let mut next_sample = Instant::now() + SAMPLE;
    let mut nap = NAP_MIN;
    loop {
        let last = ended.load(Acquire);
        let mut some = false;
        while let Ok(event) = events.pop() {
            watcher.event(&event);
            some = true;
        }
        let now = Instant::now();
        if now >= next_sample || last {
            next_sample = now + SAMPLE;
            let records = shared.frames_done.load(Relaxed);
            watcher.progress(shared.bytes_read.load(Relaxed), records);
        }
        if last {
            return;
        }
        nap = if some { NAP_MIN } else { (nap * 2).min(NAP_MAX) };
        if !some {
            thread::park_timeout(nap);
        }
    }
}
