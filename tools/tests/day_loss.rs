//! The loss of a day outlives the process that made it, and ends with the day.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// A process that ends with its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn parallax(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    command.args(args);
    command
}

/// Days since the epoch.
fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400
}

/// Trades some seconds with venues on which there is always something to earn.
fn trade(dir: &Path) -> Value {
    let args = ["run", "--live", "--no-tui", "--json", "--seconds", "6"];
    let with = ["--config", "parallax.toml", "--env-file", "sim.env"];
    let mut command = parallax(&args);
    let out = command.args(with).current_dir(dir).env("DRY_RUN", "0").output().unwrap();
    let told = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{told}{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_str(told.lines().last().unwrap()).unwrap()
}

#[test]
fn a_days_loss_stops_the_next_run_of_that_day_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("sim");
    let mut child = parallax(&["sim", "both", "--until-stdin-closes", "--for", "300"])
        .args(["--catalogue", "none", "--arb-per-minute", "1200", "--dir", dir.to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    assert!(ready.contains("\"ready\""), "{ready}");
    let _sim = Process(child);

    // The configuration allows a loss of 2,000 dollars a day: an earlier run made it.
    fs::write(dir.join("day"), format!("{} -2000000000\n", today())).unwrap();
    let stopped = trade(&dir);
    assert_eq!(stopped["orders"], 0, "{stopped}");
    assert!(stopped["risk_trips"]["day_loss"].as_u64().is_some_and(|n| n > 0), "{stopped}");

    // It was yesterday's: today has one of its own, which is written down.
    fs::write(dir.join("day"), format!("{} -2000000000\n", today() - 1)).unwrap();
    let traded = trade(&dir);
    assert!(traded["orders"].as_u64().unwrap() > 0, "{traded}");
    let kept = fs::read_to_string(dir.join("day")).unwrap();
    assert!(kept.starts_with(&format!("{} ", today())), "{kept}");
}
