//! The matching of markets, from outside: recorded pages in, pairs out; labelled pairs in, figures out.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Recorded data beside the project; nothing where it is not there.
fn shared(path: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(path);
    if root.exists() {
        return Some(root);
    }
    println!("skipped: {} is not there", root.display());
    None
}

fn parallax(args: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_parallax")).args(args).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{args:?}: {e}: {error}"))
}

/// Text of the members of a tar archive, by name.
fn members(tar: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(header) = tar.get(at..at + 512).filter(|h| h[0] != 0) {
        let text = |from: usize, to: usize| {
            let field = String::from_utf8_lossy(&header[from..to]).into_owned();
            field.trim_matches(['\0', ' ']).to_owned()
        };
        let length = usize::from_str_radix(&text(124, 136), 8).unwrap();
        found.push((text(0, 100), tar[at + 512..at + 512 + length].to_vec()));
        at += 512 + length.div_ceil(512) * 512;
    }
    found
}

#[test]
fn the_pairs_of_a_manifest_are_found_from_raw_pages() {
    let Some(dump) = shared("rest-dumps/tinli_20260720_both_venues_rest.tar.zst") else { return };
    let packed = std::fs::read(&dump).unwrap();
    let files = members(&zstd::decode_all(packed.as_slice()).unwrap());
    let json = |end: &str| -> Value {
        let (_, bytes) = files.iter().find(|(name, _)| name.ends_with(end)).unwrap();
        serde_json::from_slice(bytes).unwrap()
    };
    let manifest = json("manifest.json");
    let found = parallax(&["discover", "--offline", dump.to_str().unwrap(), "--json"]);
    let pairs = found["pairs"].as_array().unwrap();
    for want in manifest["pairs"].as_array().unwrap() {
        let (ticker, condition) = (&want["kalshi_ticker"], &want["pm_condition_id"]);
        let pair = pairs.iter().find(|pair| &pair["kalshi_ticker"] == ticker);
        let pair = pair.unwrap_or_else(|| panic!("{ticker} has no pair"));
        assert_eq!(&pair["condition_id"], condition, "{ticker}");
        assert_eq!(pair["polarity"], "same", "{ticker}");
        let page = json(&format!("gamma_{}.json", condition.as_str().unwrap()));
        let page = if page.is_array() { page[0].clone() } else { page };
        let tokens: Vec<String> =
            serde_json::from_str(page["clobTokenIds"].as_str().unwrap()).unwrap();
        assert_eq!(page["outcomes"], "[\"Yes\", \"No\"]");
        assert_eq!(pair["yes"], tokens[0].as_str(), "{ticker}");
        assert_eq!(pair["no"], tokens[1].as_str(), "{ticker}");
    }
    assert_eq!(manifest["pairs"].as_array().unwrap().len(), 8);
}

#[test]
fn figures_of_labelled_pairs_count_every_row_in_one_half() {
    let folder = tempfile::tempdir().unwrap();
    let labels = folder.path().join("labels.jsonl");
    let row = |k: &str, p: &str, label: &str, polarity: &str| {
        serde_json::json!({
            "kalshi_id": k, "polymarket_id": "0x1", "kalshi_title": k, "polymarket_title": p,
            "label": label, "polarity": polarity, "kalshi_rules": null, "polymarket_close_time": null,
        })
        .to_string()
    };
    let rows = [
        row("Will Bitcoin end 2026 up?", "Will Bitcoin end 2026 up?", "true_match", "aligned"),
        row("Will Bitcoin end 2026 up?", "Will Bitcoin end 2026 down?", "true_match", "inverted"),
        // Labels that are wrong: each is one confusion.
        row("Will Bitcoin end 2026 up?", "Will Bitcoin end 2027 up?", "true_match", "aligned"),
        row("Will Ada win in 2026?", "Will Ada win in 2026?", "false_match", "unknown"),
        row("Will Ada not win in 2026?", "Will Ada win in 2026?", "true_match", "aligned"),
    ];
    std::fs::write(&labels, rows.join("\n")).unwrap();
    let figures = parallax(&["match-eval", "--json", "--labels", labels.to_str().unwrap()]);
    assert_eq!((&figures["true"], &figures["false"]), (&4.into(), &1.into()), "{figures:#}");
    assert_eq!((&figures["precision"], &figures["recall"]), (&0.75.into(), &0.75.into()));
    assert_eq!(figures["polarity_errors"], 1);
    assert_eq!(figures["confusions"].as_array().unwrap().len(), 3);
    assert!(figures["verdicts"]["all"]["tradable"].is_null(), "no rules, nothing tradable");
    let rows = |split: &str| figures["splits"][split]["rows"].as_u64().unwrap();
    assert_eq!(rows("tuned") + rows("held-out"), 5);

    std::fs::write(&labels, "{\"label\": \"perhaps\"}").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_parallax"))
        .args(["match-eval", "--labels", labels.to_str().unwrap()])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("line 1: label is `perhaps`"), "{error}");
}

#[test]
fn labelled_pairs_are_decided_as_people_decided_them() {
    for (file, labelled) in [
        ("pairs/kalshi_polymarket_labeled_693.jsonl.zst", 264),
        ("pairs/kalshi_polymarket_precision_regression_33.jsonl", 12),
    ] {
        let Some(labels) = shared(file) else { return };
        let figures = parallax(&["match-eval", "--json", "--labels", labels.to_str().unwrap()]);
        assert_eq!(figures["true"], labelled);
        let of = |name: &str| figures[name].as_f64().unwrap();
        assert!(of("precision") >= 0.995 && of("recall") >= 0.98, "{:#}", figures["confusions"]);
        assert_eq!(figures["polarity_errors"], 0, "{:#}", figures["confusions"]);
        assert!(figures["verdicts"]["all"]["tradable"].is_null(), "rules are missing");
    }
}

/// Folders that hold no market of a venue: nothing is found in them, and nothing is written.
#[test]
fn pages_that_hold_nothing_are_an_error_and_leave_the_table_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let table = "schema = 1\n# mine\n[[pair]]\n";
    std::fs::write(path("pairs.toml"), table).unwrap();
    for dump in ["empty", "broken"] {
        std::fs::create_dir(path(dump)).unwrap();
    }
    std::fs::write(path("broken/a.json"), "<html>down</html>").unwrap();
    std::fs::write(path("broken/b.json"), "{\"events\": [").unwrap();
    std::fs::write(path("labels.jsonl"), "").unwrap();
    let fails = |args: &[&str], says: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_parallax"));
        let out = command.args(args).current_dir(folder.path()).output().unwrap();
        let err = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.code() == Some(1) && err.contains(says), "{args:?}: {err}");
        assert!(out.stdout.is_empty(), "{args:?}");
    };
    for dump in ["empty", "broken"] {
        fails(&["discover", "--offline", dump, "--out", "pairs.toml"], "no open market");
    }
    fails(&["discover", "--offline", "empty", "--config", "gone.toml"], "gone.toml");
    fails(&["match-eval", "--labels", "labels.jsonl"], "no labelled pair");
    assert_eq!(std::fs::read_to_string(path("pairs.toml")).unwrap(), table);
}
