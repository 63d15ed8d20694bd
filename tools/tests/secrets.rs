//! Canary keys: what `sim` makes for its trader turns up in nothing that `sim`, `run`, `record`,
//! `order` and the account commands print, record or write, whether they work or fail. And the test
//! arbitrage of a paper run, end to end, because it is the same run.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use parallax::tape::{Body, TapeReader};
use serde_json::Value;

/// Both simulated venues in a process of their own; they end with their standard input.
struct Sim {
    child: Child,
    stdin: Option<ChildStdin>,
    said: String,
}

impl Sim {
    fn start(dir: &Path) -> Sim {
        let errors = fs::File::create(dir.join("sim.err")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_parallax"))
            .args(["sim", "both", "--until-stdin-closes", "--for", "120", "--arb-per-minute", "0"])
            .arg("--dir")
            .arg(dir.join("sim"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let stdin = child.stdin.take();
        Sim { child, stdin, said }
    }

    fn end(mut self) -> String {
        drop(self.stdin.take());
        self.child.wait().unwrap();
        std::mem::take(&mut self.said)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// Runs a command, in a folder where no `.env` is, without the caller's own keys.
fn parallax(
    dir: &Path,
    args: &[&str],
    variables: &[(&str, &str)],
) -> (Option<i32>, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_parallax"))
        .args(args)
        .env_clear()
        .envs(variables.iter().copied())
        .env("RUST_BACKTRACE", "1")
        .current_dir(dir)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code(), text(out.stdout), text(out.stderr))
}

/// Every secret of the trader, as text.
fn canaries(sim: &Path) -> Vec<String> {
    let pem = fs::read_to_string(sim.join("kalshi.pem")).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let wallet = fs::read_to_string(sim.join("polymarket.key")).unwrap();
    let wallet = wallet.trim().trim_start_matches("0x").to_owned();
    assert!(body.len() >= 40 && wallet.len() == 64);
    vec![body, wallet.to_uppercase(), wallet]
}

/// Every secret that a client sent: it stands in the venues' own journal, and there alone.
fn sent(sim: &Path) -> Vec<String> {
    let journal = fs::read_to_string(sim.join("journal.jsonl")).unwrap();
    let lower = journal.to_lowercase();
    let mut all = Vec::new();
    for name in ["poly_passphrase", "poly_signature", "kalshi-access-signature"] {
        let mut from = 0;
        while let Some(at) = lower[from..].find(name) {
            from += at + name.len();
            let rest = journal[from..].trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
            let is_text = |c: char| c.is_ascii_alphanumeric() || "+/=-_".contains(c);
            let value = &rest[..rest.find(|c| !is_text(c)).unwrap_or(rest.len())];
            if value.len() >= 40 {
                all.push(value.to_owned());
            }
        }
    }
    assert!(!all.is_empty(), "the venues heard logins");
    all.sort_unstable();
    all.dedup();
    all
}

/// All files below a folder.
fn files(dir: &Path, out: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

#[test]
fn no_key_or_signature_turns_up_in_any_output() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let sim = Sim::start(dir);
    let config = dir.join("sim/parallax.toml");
    let config = config.to_str().unwrap();
    let with = |args: &[&'static str]| -> Vec<String> {
        args.iter().copied().chain(["--config", config]).map(str::to_owned).collect()
    };
    let mut said = Vec::new();
    let mut call = |args: Vec<String>, variables: &[(&str, &str)], want: Option<i32>| {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let (code, out, err) = parallax(dir, &words, variables);
        assert!(want.is_none() || code == want, "{words:?}: {code:?}\n{out}{err}");
        said.push((words.join(" "), format!("{out}{err}")));
        out
    };
    let run = [
        "run",
        "--seconds",
        "5",
        "--no-tui",
        "--json",
        "--record",
        "tapes",
        "--report",
        "report",
        "--inject",
        "0:first-yes:0.04",
    ];
    let out = call(with(&run), &[], Some(0));
    let summary: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    // Nothing else opens: the venues' own model was told to open none.
    assert!(summary["taken"].as_u64().unwrap() >= 1, "the test arbitrage is taken: {summary}");
    assert!(summary["legs_filled"].as_u64().unwrap() >= 2, "{summary}");
    let tape = summary["tape"].as_str().unwrap().to_owned();
    let again = call(vec!["replay".into(), tape, "--json".into()], &[], Some(0));
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["decision_hash"], summary["decision_hash"], "it repeats like any other run");

    call(with(&["record", "--seconds", "2", "--no-tui", "--dir", "books"]), &[], Some(0));
    let pairs = parallax::pairs::load(&[dir.join("sim/pairs.toml")]).unwrap();
    let ticker: &'static str = pairs.pairs[0].kalshi.ticker.clone().leak();
    let order = ["order", "kalshi", "buy", ticker, "yes", "1", "0.99"];
    call(with(&order), &[], Some(0));
    let mut live = with(&order);
    live.push("--live".into());
    call(live, &[("DRY_RUN", "0")], None);
    call(with(&["balances"]), &[], Some(0));
    call(with(&["positions"]), &[], Some(0));
    call(vec!["config".into(), "--check".into(), config.into()], &[], None);
    // What fails tells as little: nobody listens any more.
    let secrets = [canaries(&dir.join("sim")), sent(&dir.join("sim"))].concat();
    let ready = sim.end();
    for args in [&["run", "--seconds", "1", "--no-tui"][..], &["balances"][..], &order[..]] {
        let mut args = with(args);
        if args[0] == "order" {
            args.push("--live".into());
        }
        call(args, &[("DRY_RUN", "0")], None);
    }
    said.push(("the first line of sim".to_owned(), ready));
    said.push(("sim".to_owned(), fs::read_to_string(dir.join("sim.err")).unwrap()));

    let clean = |what: &str, bytes: &[u8]| {
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "a secret stands in {what}");
        }
    };
    for (command, text) in &said {
        clean(&format!("what `{command}` printed"), text.as_bytes());
    }
    let (mut written, mut tapes) = (Vec::new(), 0);
    ["tapes", "report", "books"].iter().for_each(|name| files(&dir.join(name), &mut written));
    for path in written {
        let name = path.display().to_string();
        clean(&name, &fs::read(&path).unwrap());
        if path.extension().is_some_and(|kind| kind == "mcap") {
            tapes += 1;
            let mut reader = TapeReader::open(&path).unwrap();
            while let Some(record) = reader.next().unwrap() {
                match record.body {
                    Body::Frame(bytes) | Body::Mark(_, bytes) => clean(&name, bytes),
                    Body::Connected => {}
                }
            }
        }
    }
    assert_eq!(tapes, 2, "one of the run, one of the books");
}
