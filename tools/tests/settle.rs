//! Markets settle while a run holds them, and between two runs: what they paid is booked, and
//! nobody has to take the venues' word for it.

#![allow(clippy::unwrap_used)] // helpers of tests

#[path = "common/rig.rs"]
mod rig;

use std::fs;
use std::path::Path;
use std::time::Duration;

use parallax::rest::Agent;
use parallax::run::child::Venues;
use rig::{Process, Sim, last_json, output, until};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(120);

/// Venues on which an account holds one leg of a pair on each.
fn venues() -> Sim {
    let sim = Sim::start(&["--arb-per-minute", "0", "--catalogue", "none", "--markets", "2"]);
    let pairs = sim.pairs("pairs.toml").pairs;
    let (first, second) = (&pairs[0].kalshi.ticker, &pairs[0].polymarket.condition_id);
    for order in [["kalshi", first, "yes", "10"], ["polymarket", second, "no", "20"]] {
        let [venue, market, outcome, count] = order;
        sim.good(&["order", venue, "buy", market, outcome, count, "0.99", "--live"]);
    }
    // A run that begins right after a trade by hand cannot tell on which side of its beginning
    // it was: venue clocks may be that far off.
    std::thread::sleep(Duration::from_secs(12));
    sim
}

fn settle(sim: &Sim) {
    let agent = Agent::new(Some(&sim.path("ca.pem"))).unwrap();
    Venues::find(sim.dir()).unwrap().settle_all(&agent).unwrap();
}

/// What the journal says of payouts.
fn payouts(sim: &Sim) -> Vec<String> {
    if !sim.path("journal").is_dir() {
        return Vec::new();
    }
    let (_, shown, _) = output(&mut sim.command(&["journal", "show", "journal"]));
    shown.lines().filter(|line| line.contains("Paid")).map(str::to_owned).collect()
}

/// Money on both venues.
fn cash(sim: &Sim) -> [i64; 2] {
    let told = last_json(&sim.good(&["balances", "--json"]));
    ["kalshi", "polymarket"].map(|venue| told[venue]["cash_micro_usd"].as_i64().unwrap())
}

/// Money on both venues by the journal.
fn believed(sim: &Sim) -> Value {
    last_json(&output(&mut sim.command(&["journal", "verify", "journal", "--json"])).1)
}

fn has_segments(dir: &Path) -> bool {
    fs::read_dir(dir.join("journal")).is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|e| e.path().extension().is_some_and(|x| x == "plj")))
    })
}

/// A run of so many seconds.
const fn run(seconds: &str) -> [&str; 6] {
    ["run", "--live", "--no-tui", "--json", "--seconds", seconds]
}

#[test]
fn what_settles_during_a_run_is_booked_and_stops_nothing() {
    let sim = venues();
    let running = Process::start(&mut sim.configured(&run("120")), &sim.path("run"));
    let log = || running.log();
    until("it does not begin", PATIENCE, &log, || has_segments(sim.dir()).then_some(()));
    settle(&sim);
    until("nothing is paid", PATIENCE, &log, || (payouts(&sim).len() >= 2).then_some(()));
    running.interrupt();
    let (code, told, errors) = running.end();
    assert_eq!(code, Some(0), "{told}{errors}");
    let summary = last_json(&told);
    assert!(summary["killed"].is_null(), "{summary}");
    let believed = believed(&sim);
    assert_eq!(believed["matched_micro_usd"], serde_json::json!(cash(&sim)), "{believed}");
    assert_eq!(believed["settled_micro_usd"], believed["matched_micro_usd"], "{believed}");
    // The next start has nothing to explain.
    let (code, _, errors) = output(&mut sim.configured(&run("1")));
    assert!(code == Some(0) && !errors.contains("settled:"), "{errors}");
}

#[test]
fn what_settles_between_two_runs_is_explained_by_the_venues_own_lists() {
    let sim = venues();
    sim.good(&run("1"));
    settle(&sim);
    let (code, _, told) = output(&mut sim.configured(&run("1")));
    assert_eq!(code, Some(0), "no --adopt was needed: {told}");
    assert_eq!(told.matches("settled: ").count(), 2, "{told}");
    assert_eq!(payouts(&sim).len(), 2);
}
