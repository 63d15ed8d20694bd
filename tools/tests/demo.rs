//! The demonstration as its user runs it: both exchanges in a process of their own, TLS between,
//! ledgers compared, the tape repeated, and no secret in anything that it leaves.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::fs;
use std::path::Path;
use std::process::Command;

use parallax::tape::{Body, TapeReader};
use serde_json::Value;

fn parallax(args: &[&str]) -> (Option<i32>, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_parallax")).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code(), text(out.stdout), text(out.stderr))
}

/// Every secret that the folder's trader has, as text that must turn up nowhere else.
fn secrets(dir: &Path) -> Vec<String> {
    let pem = fs::read_to_string(dir.join("kalshi.pem")).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let wallet = fs::read_to_string(dir.join("polymarket.key")).unwrap();
    let wallet = wallet.trim().trim_start_matches("0x").to_owned();
    // The venue's journal is its own, and holds what clients sent: the credentials are in there.
    let journal = fs::read_to_string(dir.join("journal.jsonl")).unwrap();
    let after = |name: &str| {
        let at = journal.to_lowercase().find(name)? + name.len();
        let rest: String =
            journal[at..].chars().skip_while(|c| !c.is_ascii_hexdigit()).take(64).collect();
        rest.bytes().all(|b| b.is_ascii_hexdigit()).then_some(rest)
    };
    let mut all = vec![body, wallet];
    all.extend(after("poly_passphrase"));
    all.iter().for_each(|secret| assert!(secret.len() >= 40, "{} bytes", secret.len()));
    all
}

#[test]
fn both_legs_fill_the_ledgers_agree_the_tape_repeats_and_no_secret_leaks() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let at = dir.to_str().unwrap();
    let args = [
        "demo",
        "--dir",
        at,
        "--seconds",
        "6",
        "--no-tui",
        "--json",
        "--inject",
        "0:first-yes:0.04",
    ];
    let (code, out, err) = parallax(&args);
    assert_eq!(code, Some(0), "{out}{err}");
    let summary: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!(summary["ledgers_agree"], true, "{summary}");
    assert!(summary["legs_filled"].as_u64().unwrap() >= 2, "{summary}");
    assert!(summary["taken"].as_u64().unwrap() >= 1, "{summary}");
    assert_eq!(summary["unknown_orders"], 0, "{summary}");
    // One more market was listed meanwhile. Where the time was enough it joined, and else that is
    // said; either way the ledgers agree on it too.
    assert!(err.contains("both exchanges list one more market"), "{err}");
    let joined = summary["joined"][0]["after_ms"].is_u64();
    assert!(joined != err.contains("did not join"), "{summary}{err}");
    assert!(summary["wire_to_wire_ns"]["count"].as_u64().unwrap() >= 2, "{summary}");
    let journal = &summary["journal"];
    assert!(journal["records"].as_u64() > summary["orders"].as_u64(), "{journal}");
    assert_eq!(journal["lost"], 0, "{journal}");
    assert!(summary["stages_ns"]["journal_commit"]["p50"].as_u64().unwrap() > 0, "{summary}");
    for key in ["opportunities", "missed", "orders", "realised_profit_micro_usd", "report"] {
        assert!(!summary[key].is_null(), "{key}");
    }

    let tape = summary["tape"].as_str().unwrap();
    let (code, again, err) = parallax(&["replay", tape, "--json"]);
    assert_eq!(code, Some(0), "{again}{err}");
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["decision_hash"], summary["decision_hash"]);
    assert!(again["tops"].as_u64().unwrap() > 100, "{again}");

    let secrets = secrets(&dir);
    let clean = |what: &str, bytes: &[u8]| {
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "a secret stands in {what}");
        }
    };
    clean("standard output", out.as_bytes());
    clean("standard error", err.as_bytes());
    let mut reader = TapeReader::open(Path::new(tape)).unwrap();
    while let Some(record) = reader.next().unwrap() {
        match record.body {
            Body::Frame(bytes) | Body::Mark(_, bytes) => clean("the tape", bytes),
            Body::Connected => {}
        }
    }
    for file in ["summary.json", "pairs.toml", "parallax.toml", "report/report.html"] {
        clean(file, &fs::read(dir.join(file)).unwrap());
    }
}
