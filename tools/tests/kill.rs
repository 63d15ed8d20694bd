//! The kill switch as a person uses it: a demonstration is stopped and armed while it trades, and
//! what was stopped stays stopped through a restart.

#![allow(clippy::unwrap_used)] // helpers of tests

#[path = "common/rig.rs"]
mod rig;

use std::fs;
use std::path::Path;
use std::time::Duration;

use rig::{Process, last_json};

const PATIENCE: Duration = Duration::from_secs(60);

fn parallax(dir: &Path, args: &[&str]) -> std::process::Command {
    let mut command = rig::parallax(args);
    command.current_dir(dir).env("DRY_RUN", "0");
    command
}

fn output(dir: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    rig::output(&mut parallax(dir, args))
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
    let running = Process::start(&mut parallax(dir, &args), &dir.join("demo"));
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        rig::until(what, PATIENCE, &|| running.log(), || holds().then_some(()));
    };
    until("it never traded", &|| orders(&demo) > 2);
    // Somebody's order rests at each venue.
    let pairs = fs::read_to_string(demo.join("pairs.toml")).unwrap();
    let pairs: toml::Table = toml::from_str(&pairs).unwrap();
    let text = |side: &str, key: &str| pairs["pair"][0][side][key].as_str().unwrap().to_owned();
    let with = ["--config", "parallax-demo/parallax.toml", "--env-file", "parallax-demo/sim.env"];
    let by_hand = |args: &[&str]| {
        let (code, out, err) = output(dir, &[args, &with, &["--json"]].concat());
        assert_eq!(code, Some(0), "{args:?}: {err}");
        last_json(&out)
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
    until("they do not rest", &|| resting() == [1, 1]);

    let (code, out, err) = output(dir, &["kill", "--reason", "a test", "--dir", "parallax-demo"]);
    assert_eq!(code, Some(0), "{out}{err}");
    until("what rests was not cancelled", &|| resting() == [0, 0]);
    // What had left before is there by now; opportunities come and go, and nothing is sent.
    let stopped = orders(&demo);
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(orders(&demo), stopped, "orders after a kill");

    let (code, out, err) = output(dir, &["arm", "--dir", "parallax-demo"]);
    assert!(code == Some(0) && out.contains("a test"), "{out}{err}");
    until("it does not go on", &|| orders(&demo) > stopped);

    // Stopped again, by nobody in this process, it ends well and cannot be started.
    assert_eq!(output(dir, &["kill", "--dir", "parallax-demo"]).0, Some(0));
    let (code, told, errors) = running.end();
    assert_eq!(code, Some(0), "{told}{errors}");
    let summary = last_json(&told);
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
