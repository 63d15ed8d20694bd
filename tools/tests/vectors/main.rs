//! Golden vectors of both venues, row by row. `cargo test --release vectors` runs exactly these.
//!
//! They are read from the folder in `PARALLAX_VECTORS`, relative to the workspace, by default
//! `../shared/protocol/vectors`. Kalshi's file is looked for there first, then beside the recorded
//! fixtures. A missing file fails, unless there is no folder at all and none was named.

#![allow(clippy::unwrap_used)] // helpers of tests

mod kalshi;
mod logins;
mod money;
mod orders;
mod shapes;

use std::path::{Path, PathBuf};

use exec::action::Action;
use serde_json::Value;

/// The text of a file of vectors, or `None`, said aloud, where there are none to be had.
fn file(name: &str, beside: Option<&str>) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let named = std::env::var_os("PARALLAX_VECTORS").map(|folder| root.join(folder));
    let folder = named.clone().unwrap_or_else(|| root.join("../shared/protocol/vectors"));
    let places: Vec<PathBuf> =
        std::iter::once(folder.clone()).chain(beside.map(|place| root.join(place))).collect();
    let found = places.iter().map(|place| place.join(name)).find(|path| path.exists());
    let Some(path) = found else {
        assert!(named.is_none() && !folder.exists(), "{name} is missing in {}", folder.display());
        eprintln!("skipped: {} is not there", folder.display());
        return None;
    };
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Some(serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

/// Every row of one of Polymarket's files, with its name or number for messages.
fn each_row(name: &str, mut check: impl FnMut(&Row<'_>)) {
    let Some(value) = file(name, None) else { return };
    let rows = value.as_array().unwrap_or_else(|| panic!("{name}: rows"));
    assert!(!rows.is_empty(), "{name}: no rows");
    for (at, row) in rows.iter().enumerate() {
        let what = format!("{name}, row {at} {}", row["name"].as_str().unwrap_or_default());
        check(&Row { what, function: row["function"].as_str().unwrap(), value: row });
    }
}

/// One row: what goes in, and what must come out.
struct Row<'a> {
    what: String,
    function: &'a str,
    value: &'a Value,
}

impl<'a> Row<'a> {
    fn input(&self, key: &str) -> &'a Value {
        &self.value["inputs"][key]
    }

    fn output(&self, key: &str) -> &'a Value {
        &self.value["outputs"][key]
    }

    /// An input that must be text.
    fn text(&self, key: &str) -> &'a str {
        self.input(key).as_str().unwrap_or_else(|| panic!("{}: {key}", self.what))
    }

    /// A number, given as one or as text.
    fn number(&self, key: &str) -> u64 {
        number(self.input(key)).unwrap_or_else(|| panic!("{}: {key}", self.what))
    }

    fn action(&self) -> Action {
        if self.text("side") == "BUY" { Action::Buy } else { Action::Sell }
    }

    /// `got` must be the output of that name, as text.
    fn gives(&self, key: &str, got: &str) {
        assert_eq!(Some(got), self.output(key).as_str(), "{}: {key}", self.what);
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// `0x` and lower-case hex.
fn hex(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    exec::sign::text::push_hex(bytes, &mut out);
    String::from_utf8(out).unwrap()
}

/// The value of a header among written lines.
fn header<'a>(lines: &'a [u8], name: &str) -> &'a str {
    let text = std::str::from_utf8(lines).unwrap();
    assert!(text.ends_with("\r\n"), "whole lines");
    let mut values = text.lines().filter_map(|line| line.split_once(": "));
    values.find(|(key, _)| *key == name).unwrap_or_else(|| panic!("no {name} in {text}")).1
}

/// Decimal text in units of 10^-`scale`, and whether nothing finer was cut off.
fn decimal(text: &str, scale: usize) -> (u128, bool) {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let (kept, cut) = part.split_at(part.len().min(scale));
    let value = format!("{whole}{kept:0<scale$}").parse().unwrap();
    (value, cut.bytes().all(|b| b == b'0'))
}
