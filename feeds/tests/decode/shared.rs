//! Reference material beside the repository: used where it is there, never copied.

use std::fs;
use std::path::{Path, PathBuf};

/// The reference folder's `part`, or `None` with the reason printed.
pub fn folder(part: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")).join(part);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: no {}", path.display());
    None
}

/// A file of the reference folder.
pub fn file(part: &str) -> Option<Vec<u8>> {
    Some(fs::read(folder(part)?).unwrap())
}

/// A compressed file of the reference folder, as lines.
pub fn lines(part: &str) -> Option<Vec<String>> {
    let text = zstd::decode_all(file(part)?.as_slice()).unwrap();
    Some(String::from_utf8(text).unwrap().lines().map(str::to_owned).collect())
}

/// Names of the `ws_*.json` fixtures of a venue.
pub fn fixtures(venue: &str) -> Vec<String> {
    let Some(folder) = folder(&format!("protocol/fixtures/{venue}")) else { return Vec::new() };
    let names =
        fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> =
        names.filter(|n| n.starts_with("ws_") && n.ends_with(".json")).collect();
    names.sort();
    assert!(names.len() > 10, "{venue}: {names:?}");
    names
}
