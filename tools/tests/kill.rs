//! The kill switch as a person uses it: a demonstration is stopped and armed while it trades, and
//! what was stopped stays stopped through a restart.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

fn parallax(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    command.args(args).current_dir(dir).env("DRY_RUN", "0");
    command
}

fn output(dir: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let out: Output = parallax(dir, args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code(), text(out.stdout), text(out.stderr))
}

/// A process that ends with the test.
struct Running(Option<Child>);

impl Running {
    fn output(mut self) -> Output {
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

/// Asks until the answer is there.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Orders that both venues were asked to take so far, by their own journal.
fn orders(demo: &Path) -> usize {
    let journal = fs::read_to_string(demo.join("journal.jsonl")).unwrap_or_default();
    let is_order = |line: &&str| {
        line.contains("\"method\":\"POST\"")
            && (line.contains("/portfolio/events/orders\"") || line.contains("\"/order\""))
    };
    journal.lines().filter(is_order).count()
}

#[test]
fn a_kill_stops_new_orders_cancels_what_rests_survives_a_restart_and_is_lifted() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, demo) = (folder.path(), folder.path().join("parallax-demo"));
    let args = ["demo", "--seconds", "25", "--arb-per-minute", "900", "--no-tui", "--json"];
    let child = parallax(dir, &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let running = Running(Some(child.unwrap()));
    until("it never traded", || (orders(&demo) > 2).then_some(()));
    // Somebody's order rests at each venue.
    let pairs = fs::read_to_string(demo.join("pairs.toml")).unwrap();
    let pairs: toml::Table = toml::from_str(&pairs).unwrap();
    let text = |side: &str, key: &str| pairs["pair"][0][side][key].as_str().unwrap().to_owned();
    let with = ["--config", "parallax-demo/parallax.toml", "--env-file", "parallax-demo/sim.env"];
    let by_hand = |args: &[&str]| {
        let (code, out, err) = output(dir, &[args, &with, &["--json"]].concat());
        assert_eq!(code, Some(0), "{args:?}: {err}");
        serde_json::from_str::<Value>(&out).unwrap()
    };
    let resting = || {
        let seen = by_hand(&["positions"]);
        ["kalshi", "polymarket"].map(|venue| seen[venue]["orders"].as_array().unwrap().len())
    };
    let rest = |venue: &str, market: &str| {
        by_hand(&["order", venue, "buy", market, "yes", "200", "0.01", "--tif", "gtc", "--live"])
    };
    rest("kalshi", &text("kalshi", "ticker"));
    rest("polymarket", &text("polymarket", "condition_id"));
    until("they do not rest", || (resting() == [1, 1]).then_some(()));

    let (code, out, err) = output(dir, &["kill", "--reason", "a test", "--dir", "parallax-demo"]);
    assert_eq!(code, Some(0), "{out}{err}");
    until("what rests was not cancelled", || (resting() == [0, 0]).then_some(()));
    // What had left before is there by now; opportunities come and go, and nothing is sent.
    let stopped = orders(&demo);
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(orders(&demo), stopped, "orders after a kill");

    let (code, out, err) = output(dir, &["arm", "--dir", "parallax-demo"]);
    assert!(code == Some(0) && out.contains("a test"), "{out}{err}");
    until("it does not go on", || (orders(&demo) > stopped).then_some(()));

    // Stopped again, by nobody in this process, it ends well and cannot be started.
    assert_eq!(output(dir, &["kill", "--dir", "parallax-demo"]).0, Some(0));
    let done = running.output();
    let told = String::from_utf8(done.stdout).unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{told}{errors}");
    let summary: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(summary["ledgers_agree"], true, "{summary}");
    assert!(summary["killed"].as_str().unwrap().starts_with("parallax kill"), "{summary}");

    for again in [
        &["demo", "--seconds", "1", "--no-tui"][..],
        &["demo", "--resume", "parallax-demo", "--no-tui"],
    ] {
        let (code, _, err) = output(dir, again);
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains("trading was stopped") && err.contains("parallax arm --dir"), "{err}");
    }
    let (code, _, err) = output(dir, &[&["run", "--live", "--no-tui"], &with[..]].concat());
    assert!(code == Some(2) && err.contains("trading was stopped"), "{err}");
    // Without a word which, the folder's own runs and its demonstration are meant.
    let (code, out, err) = output(dir, &["arm"]);
    assert!(code == Some(0) && out.contains("parallax-demo: armed"), "{out}{err}");
    let (code, out, err) = output(dir, &["demo", "--seconds", "2", "--no-tui", "--json"]);
    assert_eq!(code, Some(0), "{out}{err}");
}
