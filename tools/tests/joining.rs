//! A pair that is found while a run lasts joins it: it is traded without a new start and without a
//! new connection, the venues' ledgers agree, and the tape repeats it.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use engine::tap::TapKind;
use parallax::pairs;
use parallax::tape::{Body, TapeReader};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(90);

/// Both simulated venues in a process of their own.
struct Sim {
    child: Child,
    dir: tempfile::TempDir,
}

impl Sim {
    fn start() -> Sim {
        let dir = tempfile::tempdir().unwrap();
        let args = ["sim", "both", "--until-stdin-closes", "--for", "300", "--port", "0"];
        let mut child = Command::new(env!("CARGO_BIN_EXE_parallax"))
            .args(args)
            .args(["--catalogue", "none", "--arb-per-minute", "1200", "--dir"])
            .arg(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("\"ready\":true"), "{line}");
        // Found pairs trade, and what changes is looked for all the time.
        let path = dir.path().join("parallax.toml");
        let mut text = fs::read_to_string(&path).unwrap();
        text = text.replace("pairs = [\"pairs.toml\"]\n", "pairs = []\n");
        text.push_str("\n[discovery]\nenabled = true\nevery_s = 1\n");
        fs::write(&path, text).unwrap();
        Sim { child, dir }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
        command.current_dir(self.dir.path()).env("DRY_RUN", "0").args(args);
        command
    }

    fn good(&self, args: &[&str]) -> String {
        let (command, rest) = args.split_first().unwrap();
        let config: &[&str] =
            if *command == "journal" { &[] } else { &["--config", "parallax.toml"] };
        let out = self.command(&[command]).args(config).args(rest).output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{args:?}: {}", text(&out.stderr));
        text(&out.stdout)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A run that ends with the test.
struct Running(Option<Child>);

impl Running {
    fn end(mut self) -> Output {
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn a_pair_that_is_found_while_a_run_lasts_is_traded_without_a_start_or_a_connection() {
    let sim = Sim::start();
    let own = pairs::load(&[sim.path("pairs.toml")]).unwrap();
    // Nobody lets this one trade when the run begins.
    let late = &own.pairs[0];
    sim.good(&["discover"]);
    sim.good(&["pairs", "block", &late.id, "--who", "ann", "--why", "a test"]);
    let run = ["run", "--live", "--no-tui", "--json", "--seconds", "45", "--record", "tapes"];
    let child = sim
        .command(&run)
        .args(["--config", "parallax.toml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::from(fs::File::create(sim.path("run.log")).unwrap()))
        .spawn();
    let running = Running(Some(child.unwrap()));
    let log = || fs::read_to_string(sim.path("run.log")).unwrap();
    let orders = || {
        let venues = fs::read_to_string(sim.path("journal.jsonl")).unwrap_or_default();
        venues.matches("/portfolio/events/orders\"").count()
    };
    until("it does not trade", &log, || orders() > 2);
    sim.good(&["pairs", "approve", &late.id, "--who", "bob", "--why", "a test"]);
    until("it does not join", &log, || log().contains(&format!("{} is new and joins", late.id)));
    let out = running.end();
    let (told, errors) = (text(&out.stdout), log());
    assert_eq!(out.status.code(), Some(0), "{told}{errors}");
    let summary: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();

    // The engine's journal tells of its market while the run lasts, and then of its orders.
    let shown = sim.good(&["journal", "show", "journal"]);
    let lines: Vec<&str> = shown.lines().collect();
    let heard = lines.iter().position(|line| line.contains("Heard of bundle")).unwrap();
    let is_its = format!(" is {}", late.kalshi.ticker);
    let named = lines.iter().position(|line| line.ends_with(&is_its)).unwrap();
    assert!(heard < named, "it was there from the start: {}", lines[named]);
    let place = lines[named].split("Market ").nth(1).unwrap().split(" is ").next().unwrap();
    let is_filled = |line: &&&str| line.contains(&format!("at {place}: Filled"));
    assert!(lines[named..].iter().any(|line| is_filled(&line)), "{summary}{errors}");

    // Nothing was connected again for it, and each feed was told of one market.
    let tape = fs::read_dir(sim.path("tapes")).unwrap().next().unwrap().unwrap().path();
    let mut reader = TapeReader::open(&tape).unwrap();
    let (mut opened, mut came) = ([0; 2], [0; 2]);
    while reader.advance().unwrap() {
        let Some(record) = reader.current() else { continue };
        match record.body {
            Body::Mark(TapKind::Opened, _) => opened[record.venue.index()] += 1,
            Body::Mark(TapKind::Market, _) => came[record.venue.index()] += 1,
            _ => {}
        }
    }
    assert_eq!((opened, came), ([1, 1], [1, 1]), "{errors}");

    // The tape says the same again.
    let replayed = sim.command(&["replay", tape.to_str().unwrap()]).output().unwrap();
    let said = text(&replayed.stdout);
    assert_eq!(replayed.status.code(), Some(0), "{said}{}", text(&replayed.stderr));
    let hash = |name: &str| {
        let line = said.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(hash("decision hash"), hash("recorded hash"), "{said}");
}

fn until(what: &str, log: &dyn Fn() -> String, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}: {}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
}
