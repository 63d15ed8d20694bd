//! The loss of a day outlives the process that made it, and ends with the day.

#![allow(clippy::unwrap_used)] // helpers of tests

#[path = "common/rig.rs"]
mod rig;

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use rig::{Sim, last_json};
use serde_json::Value;

/// Days since the epoch.
fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400
}

/// Trades some seconds with venues on which there is always something to earn.
fn trade(sim: &Sim) -> Value {
    last_json(&sim.good(&["run", "--live", "--no-tui", "--json", "--seconds", "6"]))
}

#[test]
fn a_days_loss_stops_the_next_run_of_that_day_and_no_other() {
    let sim = Sim::start(&["--catalogue", "none", "--arb-per-minute", "1200"]);

    // The configuration allows a loss of 2,000 dollars a day: an earlier run made it.
    fs::write(sim.path("day-sim-live"), format!("{} -2000000000\n", today())).unwrap();
    // What paper gained pays for none of it.
    fs::write(sim.path("day-sim-paper"), format!("{} 4000000000\n", today())).unwrap();
    let stopped = trade(&sim);
    assert_eq!(stopped["orders"], 0, "{stopped}");
    assert!(stopped["risk_trips"]["day_loss"].as_u64().is_some_and(|n| n > 0), "{stopped}");

    // It was yesterday's: today has one of its own, which is written down.
    fs::write(sim.path("day-sim-live"), format!("{} -2000000000\n", today() - 1)).unwrap();
    let traded = trade(&sim);
    assert!(traded["orders"].as_u64().unwrap() > 0, "{traded}");
    let kept = fs::read_to_string(sim.path("day-sim-live")).unwrap();
    assert!(kept.starts_with(&format!("{} ", today())), "{kept}");
}
