//! Markets settle while a run holds them, and between two runs: what they paid is booked, and
//! nobody has to take the venues' word for it.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use parallax::rest::Agent;
use parallax::run::child::Venues;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(120);

/// A process that ends with its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Both venues in a folder, and an account that holds one leg of a pair on each.
struct Sim {
    dir: PathBuf,
    _folder: tempfile::TempDir,
    _process: Process,
}

impl Sim {
    fn start() -> Sim {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("sim");
        let mut child = Command::new(env!("CARGO_BIN_EXE_parallax"))
            .args(["sim", "both", "--until-stdin-closes", "--for", "300", "--arb-per-minute", "0"])
            .args(["--catalogue", "none", "--markets", "2", "--dir", dir.to_str().unwrap()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        assert!(ready.contains("\"ready\""), "{ready}");
        let sim = Sim { dir, _folder: folder, _process: Process(child) };
        let pairs = parallax::pairs::load(&[sim.dir.join("pairs.toml")]).unwrap().pairs;
        let (first, second) = (&pairs[0].kalshi.ticker, &pairs[0].polymarket.condition_id);
        for order in [["kalshi", first, "yes", "10"], ["polymarket", second, "no", "20"]] {
            let [venue, market, outcome, count] = order.map(|text: &str| text.to_owned());
            let args = ["order", &venue, "buy", &market, &outcome, &count, "0.99", "--live"];
            let out = sim.run(&args).output().unwrap();
            assert!(out.status.success(), "{}", text(&out.stderr));
        }
        // A run that begins right after a trade by hand cannot tell on which side of its beginning
        // it was: venue clocks may be that far off.
        std::thread::sleep(Duration::from_secs(12));
        sim
    }

    fn run(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
        command.args(args).args(["--config", "parallax.toml", "--env-file", "sim.env"]);
        command.current_dir(&self.dir).env("DRY_RUN", "0");
        command
    }

    fn settle(&self) {
        let agent = Agent::new(Some(&self.dir.join("ca.pem"))).unwrap();
        Venues::find(&self.dir).unwrap().settle_all(&agent).unwrap();
    }

    /// What the journal says of payouts.
    fn payouts(&self) -> Vec<String> {
        let journal = self.dir.join("journal");
        if !journal.is_dir() {
            return Vec::new();
        }
        let args = ["journal", "show", journal.to_str().unwrap()];
        let out = Command::new(env!("CARGO_BIN_EXE_parallax")).args(args).output().unwrap();
        let shown = text(&out.stdout);
        shown.lines().filter(|line| line.contains("Paid")).map(str::to_owned).collect()
    }

    /// Money on both venues.
    fn cash(&self) -> [i64; 2] {
        let out = self.run(&["balances", "--json"]).output().unwrap();
        let told: Value = serde_json::from_slice(&out.stdout).unwrap();
        ["kalshi", "polymarket"].map(|venue| told[venue]["cash_micro_usd"].as_i64().unwrap())
    }

    /// Money on both venues by the journal.
    fn believed(&self) -> Value {
        let journal = self.dir.join("journal");
        let args = ["journal", "verify", journal.to_str().unwrap(), "--json"];
        let out = Command::new(env!("CARGO_BIN_EXE_parallax")).args(args).output().unwrap();
        serde_json::from_slice(&out.stdout).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn has_segments(dir: &Path) -> bool {
    fs::read_dir(dir.join("journal")).is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|e| e.path().extension().is_some_and(|x| x == "plj")))
    })
}

const RUN: [&str; 4] = ["run", "--live", "--no-tui", "--json"];

#[test]
fn what_settles_during_a_run_is_booked_and_stops_nothing() {
    let sim = Sim::start();
    let mut command = sim.run(&RUN);
    command.args(["--seconds", "120"]).stdout(Stdio::piped());
    command.stderr(fs::File::create(sim.dir.join("run.log")).unwrap());
    let mut run = Process(command.spawn().unwrap());
    let log = || fs::read_to_string(sim.dir.join("run.log")).unwrap();
    let began = Instant::now();
    while !has_segments(&sim.dir) {
        assert!(run.0.try_wait().unwrap().is_none() && began.elapsed() < PATIENCE, "{}", log());
        std::thread::sleep(Duration::from_millis(20));
    }
    sim.settle();
    while sim.payouts().len() < 2 {
        let goes_on = run.0.try_wait().unwrap().is_none() && began.elapsed() < PATIENCE;
        assert!(goes_on, "{}{:?}", log(), sim.payouts());
        std::thread::sleep(Duration::from_millis(200));
    }
    let pid = run.0.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status().unwrap();
    let mut told = String::new();
    run.0.stdout.as_mut().unwrap().read_to_string(&mut told).unwrap();
    assert!(run.0.wait().unwrap().success(), "{told}{}", log());
    let summary: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert!(summary["killed"].is_null(), "{summary}");
    let believed = sim.believed();
    assert_eq!(believed["matched_micro_usd"], serde_json::json!(sim.cash()), "{believed}");
    assert_eq!(believed["settled_micro_usd"], believed["matched_micro_usd"], "{believed}");
    // The next start has nothing to explain.
    let out: Output = sim.run(&RUN).args(["--seconds", "1"]).output().unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert!(!text(&out.stderr).contains("settled:"), "{}", text(&out.stderr));
}

#[test]
fn what_settles_between_two_runs_is_explained_by_the_venues_own_lists() {
    let sim = Sim::start();
    let out = sim.run(&RUN).args(["--seconds", "1"]).output().unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
    sim.settle();
    let out = sim.run(&RUN).args(["--seconds", "1"]).output().unwrap();
    let told = text(&out.stderr);
    assert!(out.status.success(), "no --adopt was needed: {told}");
    assert_eq!(told.matches("settled: ").count(), 2, "{told}");
    assert_eq!(sim.payouts().len(), 2);
}
