//! How far the clock is off while a run goes on: it was right at the start, and may be stepped. What
//! signs and stamps runs by the processor's counter, which may stand while the host is paused: it is
//! set right here, so that what is measured is what orders carry.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use engine::clock::TscClock;
use engine::risk::Word;

use crate::rest::facts;
use crate::rest::kalshi::KalshiRest;
use crate::rest::polymarket::PolymarketRest;
use crate::state::switch::KillHandle;

/// How often it is measured.
const EVERY: Duration = Duration::from_secs(60);
/// How often the end is looked for.
const REST: Duration = Duration::from_millis(100);
/// How often the engine's clock is compared with the system's,
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
/// and how far it may be off before it is set right: a tenth of what a signature may be.
const FOLLOW_NS: u64 = 20_000_000;

/// Holds the engine's clock to the system's until `end`.
pub fn follow(clock: &TscClock, end: &AtomicBool) {
    let mut looked: Option<Instant> = None;
    while !end.load(Relaxed) {
        if looked.is_none_or(|at| at.elapsed() >= FOLLOW_EVERY) {
            looked = Some(Instant::now());
            clock.follow(FOLLOW_NS);
        }
        thread::sleep(REST);
    }
}

/// Measures against both venues' clocks until `end`, and tells the run. A venue that does not
/// answer leaves what was known of it.
pub fn watch(
    mut kalshi: KalshiRest,
    mut polymarket: PolymarketRest,
    run: &KillHandle,
    end: &AtomicBool,
) {
    let mut measured: Option<Instant> = None;
    while !end.load(Relaxed) {
        if measured.is_none_or(|at| at.elapsed() >= EVERY) {
            measured = Some(Instant::now());
            for (venue, ahead) in facts::clocks(&mut kalshi, &mut polymarket) {
                run.tell(Word::Clock { venue, ahead });
            }
        }
        thread::sleep(REST);
    }
}
