//! What the crates may know of each other and of the machine (architecture.md, "Top level" and
//! "What is deliberately absent"). A rule that is only written down wears off; this one fails.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::fs;
use std::path::{Path, PathBuf};

use toml::Table;

/// Package, and the packages of this workspace that it may import. A crate of the workspace that
/// stands here with nothing may import nothing.
const LAYERS: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("feeds", &["engine"]),
    ("exec", &["engine", "feeds"]),
    ("sim", &["engine"]),
    ("matching", &[]),
    ("parallax", &["engine", "feeds", "exec", "sim", "matching"]),
    ("benches", &["engine", "feeds", "exec", "sim", "matching", "parallax"]),
    ("parallax-fuzz", &["engine", "feeds", "exec", "parallax"]),
];

/// (package, parts of dependency names that it must not have, why)
const ABSENT: &[(&str, &[&str], &str)] = &[
    ("engine", &["json", "serde", "toml"], "engine has no JSON"),
    ("engine", SOCKETS, "engine has no sockets"),
    ("engine", KEYS, "engine has no keys"),
    ("feeds", KEYS, "feeds has no keys: a login header comes in as bytes"),
    ("engine", ASYNC, "nothing outside tools is async"),
    ("feeds", ASYNC, "nothing outside tools is async"),
    ("exec", ASYNC, "nothing outside tools is async"),
];
const SOCKETS: &[&str] =
    &["mio", "socket2", "tungstenite", "rustls", "httparse", "ureq", "reqwest", "hyper", "polling"];
const KEYS: &[&str] = &["rsa", "ed25519", "k256", "secp256k1", "hmac", "pkcs"];
const ASYNC: &[&str] = &["tokio", "async", "futures", "smol", "axum", "hyper"];

/// Files of shipped crates that may contain `unsafe`.
const UNSAFE_FILES: &[&str] = &["feeds/src/wide.rs", "tools/src/replay/stream.rs"];

/// Files of engine, feeds and exec that may name a float: none. A percentile or a picture is made
/// for a person, and that is done in tools.
const FLOAT_FILES: &[&str] = &[];

/// Files of engine, feeds and exec that may read a clock. Tiles are told the time.
const CLOCK_FILES: &[&str] = &["engine/src/clock.rs"];

/// Files that may read the environment.
const ENVIRONMENT_FILES: &[&str] = &["tools/src/config.rs", "tools/src/main.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A member of the workspace: its folder below the root, and its manifest.
struct Member {
    folder: String,
    name: String,
    manifest: Table,
}

fn members() -> Vec<Member> {
    let read = |path: PathBuf| -> Table {
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    let workspace = read(root().join("Cargo.toml"));
    let list = workspace["workspace"]["members"].as_array().unwrap();
    let mut folders: Vec<String> = list.iter().map(|m| m.as_str().unwrap().to_owned()).collect();
    if root().join("fuzz/Cargo.toml").exists() {
        folders.push("fuzz".to_owned()); // A workspace of its own, and under the same rules.
    }
    folders
        .into_iter()
        .map(|folder| {
            let manifest = read(root().join(&folder).join("Cargo.toml"));
            let name = manifest["package"]["name"].as_str().unwrap().to_owned();
            Member { folder, name, manifest }
        })
        .collect()
}

/// Names of a manifest's dependencies: `[dependencies]` and build scripts, those of a target too,
/// and with `dev` also those of tests. A renamed dependency counts under its real name.
fn dependencies(manifest: &Table, dev: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut collect = |table: &Table| {
        for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
            if kind == "dev-dependencies" && !dev {
                continue;
            }
            for (name, spec) in table.get(kind).and_then(|t| t.as_table()).into_iter().flatten() {
                let real = spec.get("package").and_then(|p| p.as_str());
                found.push(real.unwrap_or(name).to_owned());
            }
        }
    };
    collect(manifest);
    for table in manifest.get("target").and_then(|t| t.as_table()).into_iter().flatten() {
        collect(table.1.as_table().unwrap());
    }
    found
}

/// The Rust files below a folder, as paths below the root.
fn sources(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(root().join(&folder)) else { continue };
        for entry in entries.map(Result::unwrap) {
            let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The code of a file that ships: comments, texts and test modules are blanked, lines are kept.
fn code(path: &str) -> String {
    if path.ends_with("/tests.rs") || path.contains("/tests/") {
        return String::new();
    }
    let text = fs::read_to_string(root().join(path)).unwrap();
    without_tests(&without_prose(&text))
}

/// Blanks comments, strings and character literals.
fn without_prose(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out: Vec<u8> = bytes.to_vec();
    let starts = |at: usize, what: &str| bytes[at..].starts_with(what.as_bytes());
    let find = |from: usize, what: &str| {
        let from = from.min(bytes.len());
        bytes[from..].windows(what.len()).position(|w| w == what.as_bytes()).map(|n| from + n)
    };
    let mut at = 0;
    while at < bytes.len() {
        let in_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let end = if starts(at, "//") {
            find(at, "\n").unwrap_or(bytes.len())
        } else if starts(at, "/*") {
            let (mut depth, mut to) = (1, at + 2);
            while depth > 0 && to < bytes.len() {
                match (starts(to, "/*"), starts(to, "*/")) {
                    (true, _) => (depth, to) = (depth + 1, to + 2),
                    (_, true) => (depth, to) = (depth - 1, to + 2),
                    _ => to += 1,
                }
            }
            to
        } else if let Some(hashes) = (!in_word).then(|| raw_string(&bytes[at..])).flatten() {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = find(at, "\"").unwrap_or(bytes.len());
            find(open + 1, &close).map_or(bytes.len(), |to| to + close.len())
        } else if bytes[at] == b'"' {
            let mut to = at + 1;
            while to < bytes.len() && bytes[to] != b'"' {
                to += if bytes[to] == b'\\' { 2 } else { 1 };
            }
            to + 1
        } else if bytes[at] == b'\'' && bytes.get(at + 1) == Some(&b'\\') {
            find(at + 3, "'").map_or(bytes.len(), |to| to + 1)
        } else if bytes[at] == b'\'' {
            // A character and its closing quote; without the quote it is a lifetime.
            let wide = text[at + 1..].chars().next().map_or(1, char::len_utf8);
            if bytes.get(at + 1 + wide) == Some(&b'\'') { at + 2 + wide } else { at + 1 }
        } else {
            at += 1;
            continue;
        };
        let end = end.min(bytes.len());
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8(out).unwrap()
}

/// Number of `#` of the raw string that starts here.
fn raw_string(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(b"b").unwrap_or(bytes).strip_prefix(b"r")?;
    let hashes = rest.iter().take_while(|b| **b == b'#').count();
    (rest.get(hashes) == Some(&b'"')).then_some(hashes)
}

/// Blanks what `#[cfg(test)]` stands before: up to a semicolon, or a block with all its braces.
fn without_tests(code: &str) -> String {
    let mut out = code.as_bytes().to_vec();
    let mut from = 0;
    while let Some(start) = code[from..].find("#[cfg(test)]").map(|n| from + n) {
        let mut depth = 0;
        let mut end = code.len();
        for (n, byte) in code.bytes().enumerate().skip(start) {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(byte, b'}' | b';') {
                end = n + 1;
                break;
            }
        }
        out[start..end].iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
        from = end;
    }
    String::from_utf8(out).unwrap()
}

/// Where `word` stands in the code of these folders, outside of the allowed files, as `file:line`.
/// A word matches whole: neighbours that are part of a name do not count.
fn found(folders: &[&str], words: &[&str], allowed: &[&str]) -> Vec<String> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let mut places = Vec::new();
    for path in folders.iter().flat_map(|folder| sources(folder)) {
        if allowed.contains(&path.as_str()) {
            continue;
        }
        for (number, line) in code(&path).lines().enumerate() {
            for word in words {
                let hit = line.match_indices(word).any(|(at, _)| {
                    !line[..at].ends_with(part) && !line[at + word.len()..].starts_with(part)
                });
                if hit {
                    places.push(format!("{path}:{}: {word}", number + 1));
                }
            }
        }
    }
    places
}

/// Fails on a permission that is no longer used: a stale list hides the next misuse.
fn still_needed(allowed: &[&str], words: &[&str]) {
    for path in allowed {
        if !root().join(path).exists() {
            continue;
        }
        let (folder, _) = path.rsplit_once('/').unwrap();
        let used = found(&[folder], words, &[]);
        assert!(
            used.iter().any(|place| place.starts_with(&format!("{path}:"))),
            "{path} needs its permission for {words:?} no longer; take it off the list"
        );
    }
}

/// The page of what can go wrong says by which test each line is shown.
#[test]
fn every_test_that_the_readme_names_is_there() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let page = readme.split("## What can go wrong").nth(1).unwrap();
    let page = page.split("\n## ").next().unwrap();
    let tests: String = ["engine", "feeds", "exec", "tools"]
        .iter()
        .flat_map(|folder| sources(folder))
        .map(|path| fs::read_to_string(root().join(path)).unwrap())
        .collect();
    let mut named = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        for name in row.rsplit(" | ").next().unwrap().split('`').skip(1).step_by(2) {
            assert!(tests.contains(&format!("fn {name}(")), "no test is called {name}");
            named += 1;
        }
    }
    assert!(named > 25, "{named} tests named");
}

#[test]
fn imports_run_one_way() {
    for member in members() {
        let Member { folder, name, manifest } = member;
        let layer = LAYERS.iter().find(|(package, _)| *package == name);
        let (_, may) = layer.unwrap_or_else(|| panic!("{folder}: give `{name}` a place in LAYERS"));
        for dependency in dependencies(&manifest, true) {
            let ours = LAYERS.iter().any(|(package, _)| *package == dependency);
            assert!(
                !ours || may.contains(&dependency.as_str()),
                "{folder}/Cargo.toml: `{name}` must not import `{dependency}`; it may import {may:?}"
            );
        }
    }
}

#[test]
fn what_a_crate_must_not_depend_on() {
    for Member { folder, name, manifest } in members() {
        for (package, absent, why) in ABSENT {
            if *package != name {
                continue;
            }
            for dependency in dependencies(&manifest, false) {
                let hit = absent.iter().find(|part| dependency.contains(*part));
                assert!(hit.is_none(), "{folder}/Cargo.toml: `{dependency}`: {why}");
            }
        }
    }
}

#[test]
fn engine_opens_no_socket() {
    let sockets = ["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "std::net"];
    assert_eq!(found(&["engine/src"], &sockets, &[]), [""; 0]);
}

#[test]
fn only_tools_is_async() {
    let places = found(&["engine/src", "feeds/src", "exec/src"], &["async", "await"], &[]);
    assert_eq!(places, [""; 0], "nothing outside tools is async");
}

#[test]
fn unsafe_lives_in_named_files() {
    let shipped =
        ["engine/src", "feeds/src", "exec/src", "tools/src", "tools/sim/src", "tools/matching/src"];
    let words = ["unsafe", "unsafe_code"];
    assert_eq!(found(&shipped, &words, UNSAFE_FILES), [""; 0], "see UNSAFE_FILES");
    still_needed(UNSAFE_FILES, &["unsafe"]);
}

#[test]
fn no_float_where_money_is() {
    let money = ["engine/src", "feeds/src", "exec/src"];
    let words = ["f32", "f64", "float_arithmetic"];
    assert_eq!(found(&money, &words, FLOAT_FILES), [""; 0], "money is an integer");
    still_needed(FLOAT_FILES, &words);
}

#[test]
fn one_file_reads_the_environment() {
    let all =
        ["engine/src", "feeds/src", "exec/src", "tools/src", "tools/sim/src", "tools/matching/src"];
    let words = ["env::var", "env::vars", "env::var_os", "env::vars_os", "env::set_var"];
    assert_eq!(found(&all, &words, ENVIRONMENT_FILES), [""; 0], "configuration becomes types once");
}

#[test]
fn tiles_are_told_the_time() {
    let told = ["engine/src", "feeds/src", "exec/src"];
    let words = ["SystemTime::now", "Instant::now", "quanta", "_rdtsc"];
    assert_eq!(found(&told, &words, CLOCK_FILES), [""; 0], "a tile never reads a clock");
    still_needed(CLOCK_FILES, &words);
}

#[test]
fn the_search_sees_code_and_nothing_else() {
    let text = r##"
use a; // unsafe f64
/* unsafe /* nested */ unsafe */
const A: &str = "unsafe \" f64"; const B: &str = r#"unsafe " "#; const C: char = '"';
fn f<'a>(x: &'a u8) -> char { '\'' }
let y = unsafe { z };
#[cfg(test)]
mod tests { fn t() { f64 } }
struct S { x: f32 }
"##;
    let code = without_tests(&without_prose(text));
    assert_eq!(code.matches("unsafe").count(), 1, "{code}");
    assert!(code.contains("= unsafe { z };") && code.contains("x: f32"), "{code}");
    assert!(!code.contains("f64"), "{code}");
    assert_eq!(code.lines().count(), text.lines().count());
}
