//! The engine is killed with SIGKILL at random moments and started again, while both venues live on
//! and break connections, answers and orders all the time. In the end the ledgers agree to the
//! micro-dollar, no order was sent twice, and the journal knows every order.
//!
//! `PARALLAX_KILLS` says how often; `scripts/kill-and-resume.sh` does it ten times.

#![allow(clippy::unwrap_used)] // helpers of tests

#[path = "common/rig.rs"]
mod rig;

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use exec::journal::files::Files;
use exec::journal::reader;
use exec::journal::record::{ADOPTED_FROM, Record};
use rig::{Process, json_file, last_json, parallax, until};
use serde_json::Value;

/// Longest wait for a run to begin: it recovers first.
const BEGIN: Duration = Duration::from_secs(180);

fn output(args: &[&str]) -> (Option<i32>, String, String) {
    rig::output(&mut parallax(args))
}

fn segments(dir: &Path) -> usize {
    let entries = fs::read_dir(dir.join("journal")).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|e| e == "plj")).count()
}

/// Starts an engine, waits until its run has begun, and kills it `after` that.
fn run_and_kill(dir: &Path, resumes: bool, after: Duration) {
    let before = if resumes { segments(dir) } else { 0 };
    let at = dir.to_str().unwrap();
    let place = if resumes { ["--resume", at] } else { ["--dir", at] };
    let wish = ["--seconds", "600", "--faults", "high", "--arb-per-minute", "600", "--no-tui"];
    let mut command = parallax(&["demo"]);
    let mut engine = Process::start(command.args(place).args(wish), dir);
    let log = || fs::read_to_string(dir.with_extension("err")).unwrap_or_default();
    // A journal of a run begins with a segment of its own.
    until("it does not begin", BEGIN, &log, || {
        assert!(engine.ended().is_none(), "it ended by itself:\n{}", log());
        (segments(dir) > before).then_some(())
    });
    std::thread::sleep(after);
    if !resumes {
        let (code, out, err) = output(&["demo", "--resume", at, "--seconds", "1", "--no-tui"]);
        assert_eq!(code, Some(1), "a second engine on the account: {out}{err}");
        assert!(err.contains("another engine") && err.contains("one engine an account"), "{err}");
        assert!(err.contains(&format!("process {}", engine.id())), "{err}");
    }
    engine.kill();
    assert!(!log().contains("contradict"), "what the run before wrote down:\n{}", log());
}

#[test]
fn killed_again_and_again_it_loses_nothing_and_sends_nothing_twice() {
    let kills: u64 = std::env::var("PARALLAX_KILLS").map_or(2, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
    for kill in 0..kills {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(kill | 1);
        let after = Duration::from_millis(700 + (random >> 33) % 4_000);
        eprintln!("kill {} of {kills}, {after:?} into its run", kill + 1);
        run_and_kill(&dir, kill > 0, after);
    }
    ends_well(&dir);
}

/// Every point at which the process kills itself, in the order of an order's way.
const POINTS: [&str; 12] = [
    "recovered",
    "opened",
    "unsent",
    "half",
    "unanswered",
    "between",
    "unwritten",
    "torn",
    "unconfirmed",
    "unheard",
    "heard",
    "rolled",
];

/// Those of every test run: one of each kind of loss.
const FEW: [&str; 4] = ["half", "unanswered", "between", "torn"];

#[test]
fn killed_at_each_step_of_an_order_it_loses_nothing_and_sends_nothing_twice() {
    use std::os::unix::process::ExitStatusExt as _;

    let all = std::env::var("PARALLAX_CRASH_POINTS").is_ok_and(|which| which == "all");
    let points = if all { &POINTS[..] } else { &FEW[..] };
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let at = dir.to_str().unwrap();
    let log = || fs::read_to_string(dir.with_extension("err")).unwrap_or_default();
    for (number, point) in points.iter().enumerate() {
        let place = if number > 0 { ["--resume", at] } else { ["--dir", at] };
        let wish = ["--seconds", "600", "--faults", "low", "--arb-per-minute", "900", "--no-tui"];
        let mut command = parallax(&["demo"]);
        let mut engine =
            Process::start(command.args(place).args(wish).args(["--crash-at", point]), &dir);
        let began = Instant::now();
        let what = format!("{point}: it is never there");
        let status = until(&what, BEGIN, &log, || engine.ended());
        let told = log();
        assert_eq!(status.signal(), Some(9), "{point}: {status}\n{told}");
        eprintln!("{point}: killed itself after {:?}", began.elapsed());
    }
    ends_well(&dir);
}

/// No leg of any bundle, of any of the runs, was written down as an order twice, and no name of an
/// order stands for two.
fn written_once(journal: &Path) {
    let (mut run, mut legs, mut names, mut twice) = (0, HashSet::new(), HashSet::new(), Vec::new());
    let mut files = Files::open(journal).unwrap();
    let found = reader::read(&mut files, &mut |_, record| match record {
        Record::Run { run: number, .. } => run = *number,
        // What recovery itself numbered was another run's before.
        Record::Order(order) if order.bundle.0 < ADOPTED_FROM => {
            let is_new = legs.insert((run, order.bundle.0, order.leg))
                & names.insert(order.client.as_str().to_owned());
            if !is_new {
                twice.push(*order);
            }
        }
        _ => {}
    });
    found.unwrap();
    assert!(twice.is_empty(), "written twice: {twice:?}");
    assert!(!legs.is_empty());
}

/// One more run ends with ledgers that agree, nothing open, and each order in the journal once.
fn ends_well(dir: &Path) {
    let at = dir.to_str().unwrap();
    let (_, shown, err) = output(&["journal", "verify", &format!("{at}/journal"), "--json"]);
    let verdict = last_json(&shown)["verdict"].as_str().map(str::to_owned);
    assert!(matches!(verdict.as_deref(), Some("whole" | "torn")), "{shown}{err}");

    let (code, out, err) = output(&[
        "demo",
        "--resume",
        at,
        "--seconds",
        "10",
        "--faults",
        "high",
        "--arb-per-minute",
        "600",
        "--no-tui",
        "--json",
    ]);
    eprintln!("{err}");
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(!err.contains("contradict"), "{err}");
    assert!(err.contains("both exchanges still run"), "the venues lived on: {err}");
    let summary = last_json(&out);
    assert_eq!(summary["ledgers_agree"], true, "{summary}");
    assert_eq!(summary["unknown_orders"], 0, "{summary}");

    let (code, shown, err) = output(&["journal", "verify", &format!("{at}/journal"), "--json"]);
    assert_eq!(code, Some(0), "{shown}{err}");
    let told = last_json(&shown);
    assert_eq!((&told["verdict"], &told["ended"]), (&Value::from("whole"), &Value::from(true)));
    assert_eq!(told["contradictions"], 0, "{told}");
    // Every order that a venue has of us is in the journal.
    let (_, records, _) = output(&["journal", "show", &format!("{at}/journal")]);
    let ledger: Value = json_file(&dir.join("ledger.json"));
    let mut orders = 0;
    for (venue, id) in [("kalshi", "client_order_id"), ("polymarket", "id")] {
        for order in ledger["venues"][venue]["accounts"][0]["orders"].as_array().unwrap() {
            let id = order[id].as_str().unwrap_or_else(|| panic!("no {id} in {order}"));
            assert!(records.contains(id), "{venue}: {order} is not in the journal");
            orders += 1;
        }
    }
    written_once(&dir.join("journal"));
    eprintln!("{orders} orders, every one in the journal");
    assert!(orders > 0);
    let pid = json_file(&dir.join("sim.json"))["pid"].as_u64().unwrap();
    assert!(!Path::new(&format!("/proc/{pid}/exe")).exists(), "the venues ended with the demo");
}
