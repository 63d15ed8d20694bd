//! The kill switch as a person uses it: a demonstration is stopped and armed while it trades, and
//! what was stopped stays stopped through a restart.

#![allow(clippy::unwrap_used)] // helpers of tests

#[path = "common/rig.rs"]
mod rig;

use std::fs;
use std::path::Path;
use std::time::Duration;

use parallax::config::Environment;
use parallax::state::State;
use parallax::state::day::Whose;
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
    // Whoever reads the journal later finds it there.
    let (code, out, err) = output(dir, &["journal", "show", "parallax-demo/journal"]);
    assert_eq!(code, Some(0), "{err}");
    let said: Vec<&str> = out.lines().filter(|line| line.contains("Said at")).collect();
    for words in ["KILL  parallax kill", "a test", "arm   trading goes on"] {
        assert!(said.iter().any(|line| line.contains(words)), "{words}: {said:?}");
    }

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

/// What keeps a run from starting keeps nobody from stopping one that runs: its file is edited
/// while it trades.
#[test]
fn a_kill_reads_nothing_but_the_folder_and_never_makes_one_up() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let at = |name: &str| dir.join(name);
    let run = |args: &[&str], dry_run: &str| {
        let mut command = rig::parallax(args);
        command.current_dir(dir).env("DRY_RUN", dry_run);
        rig::output(&mut command)
    };
    let kill = |args: &[&str]| run(&[&["kill"], args].concat(), "maybe");
    let latched = |name: &str| at(name).join("killed").exists();
    let disarm = || {
        for name in ["s", "parallax-state", "parallax-demo"] {
            let _ = fs::remove_file(at(name).join("killed"));
        }
    };
    // Nothing is here, so nothing is stopped, and no folder says that it were.
    let (code, out, err) = kill(&[]);
    assert!(code == Some(1) && err.contains("nothing is stopped"), "{out}{err}");
    let (code, out, err) = kill(&["--dir", "typo"]);
    assert!(code == Some(1) && err.contains("typo"), "{out}{err}");
    assert_eq!(fs::read_dir(dir).unwrap().count(), 0);

    fs::create_dir(at("parallax-demo")).unwrap();
    fs::create_dir(at("parallax-state")).unwrap();
    fs::write(at(".env"), "no line of it is good\n").unwrap();
    for (text, stops, code) in [
        // What a run would refuse.
        ("nonsense = 1\nstate_dir = \"s\"\n", ["s", "parallax-demo"], 0),
        ("limits_file = \"gone.toml\"\nstate_dir = \"s\"\n", ["s", "parallax-demo"], 0),
        ("environment = \"moon\"\n", ["parallax-state", "parallax-demo"], 0),
        // Half a file: what may be meant is stopped, and a person is told.
        ("state_dir = \"s\"\npairs = [\n", ["s", "parallax-state"], 1),
        ("state_dir = \"s\n", ["parallax-state", "parallax-demo"], 1),
        ("state_dir = 7\n", ["parallax-state", "parallax-demo"], 1),
    ] {
        fs::write(at("parallax.toml"), text).unwrap();
        let (ended, out, err) = kill(&["--reason", "edited"]);
        assert_eq!(ended, Some(code), "{text}: {out}{err}");
        assert!(stops.into_iter().all(latched), "{text}: {out}{err}");
        assert!(code == 0 || err.contains("parallax.toml"), "{err}");
        assert!(out.contains("no run is on it"), "{out}");
        assert!(err.contains("no run was found"), "{err}");
        if code == 1 {
            let (ended, out, err) = run(&["arm"], "1");
            assert!(ended == Some(1) && stops.into_iter().all(latched), "{out}{err}");
        }
        disarm();
    }
    // A configuration that is not there stops what may be meant, too.
    let (code, _, err) = kill(&["--config", "gone.toml"]);
    assert!(code == Some(1) && err.contains("gone.toml") && latched("parallax-state"), "{err}");
    disarm();

    // A run on the folder is seen.
    let whose = Whose { environment: Environment::Demo, live: false };
    let state = State::open(&at("parallax-state"), whose).unwrap();
    let (code, out, err) = kill(&["--dir", "parallax-state"]);
    assert!(code == Some(0) && out.contains("a run is on it"), "{out}{err}");
    drop(state);
    let (code, out, _) = kill(&["--dir", "parallax-state"]);
    assert!(code == Some(0) && out.contains("no run is on it"), "{out}");
}
