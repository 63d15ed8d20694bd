//! How far the clock is off while a run goes on: it was right at the start, and may be stepped.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use engine::risk::Word;

use crate::rest::facts;
use crate::rest::kalshi::KalshiRest;
use crate::rest::polymarket::PolymarketRest;
use crate::state::switch::KillHandle;

/// How often it is measured.
const EVERY: Duration = Duration::from_secs(60);
/// How often the end is looked for.
const REST: Duration = Duration::from_millis(100);

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
