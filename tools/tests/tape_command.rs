//! `parallax tape` from its arguments to its files.
#![allow(clippy::unwrap_used)] // the helpers of tests, too

use std::fs;
use std::path::Path;

use clap::Parser;
use parallax::tape::command::{TapeArgs, run};
use parallax::tape::info::TapeInfo;
use parallax::tape::{TapeError, TapeReader};
use tempfile::tempdir;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    tape: TapeArgs,
}

fn tape(dir: &Path, line: &str) -> Result<(), TapeError> {
    // Words that look like files are put into `dir`.
    let words = line.split_whitespace().map(|word| match word.contains('.') {
        true => dir.join(word).into_os_string(),
        false => word.into(),
    });
    run(&Cli::try_parse_from(["tape".into()].into_iter().chain(words)).unwrap().tape)
}

#[test]
fn a_demonstration_goes_through_all_forms() {
    let temp = tempdir().unwrap();
    let dir = temp.path();
    tape(dir, "demo -o a.mcap --pairs-out a.toml --minutes 1 --seed 5").unwrap();
    tape(dir, "export a.mcap -o a.jsonl").unwrap();
    tape(dir, "import a.jsonl -o b.mcap").unwrap();
    tape(dir, "export b.mcap -o b.jsonl.zst").unwrap();
    let text = fs::read(dir.join("a.jsonl")).unwrap();
    assert!(zstd::decode_all(&fs::read(dir.join("b.jsonl.zst")).unwrap()[..]).unwrap() == text);
    assert!(text.len() > 1_000_000);
    // The demonstration needs no detour: it writes lines as well.
    tape(dir, "demo -o c.jsonl --pairs-out c.toml --minutes 1 --seed 5").unwrap();
    assert!(fs::read(dir.join("c.jsonl")).unwrap() == text);
    assert_eq!(fs::read(dir.join("a.toml")).unwrap(), fs::read(dir.join("c.toml")).unwrap());
    tape(dir, "info a.mcap --json").unwrap();
    tape(dir, "info a.mcap").unwrap();
}

#[test]
fn nothing_is_overwritten_without_force() {
    let temp = tempdir().unwrap();
    let dir = temp.path();
    tape(dir, "demo -o a.mcap --pairs-out a.toml --minutes 1").unwrap();
    for line in [
        "demo -o a.mcap --pairs-out b.toml --minutes 1",
        "demo -o b.mcap --pairs-out a.toml --minutes 1",
        "import a.mcap -o a.mcap",
    ] {
        assert!(matches!(tape(dir, line), Err(TapeError::Exists { .. })), "{line}");
    }
    assert_eq!(fs::read_dir(dir).unwrap().count(), 2, "nothing is left behind");
    tape(dir, "demo -o a.mcap --pairs-out a.toml --minutes 1 --seed 2 --force").unwrap();
    assert!(fs::read_to_string(dir.join("a.toml")).unwrap().contains("# seed 2,"));
}

#[test]
fn a_bad_tape_leaves_no_output() {
    let temp = tempdir().unwrap();
    let dir = temp.path();
    fs::write(
        dir.join("bad.jsonl"),
        "{\"recv_ns\":1,\"venue\":\"kalshi\",\"conn\":1,\"event\":\"connected\"}\n{}\n",
    )
    .unwrap();
    let error = tape(dir, "import bad.jsonl -o out.mcap").unwrap_err().to_string();
    assert!(error.contains("bad.jsonl: line 2: field `recv_ns` is missing"), "{error}");
    assert!(matches!(tape(dir, "import none.jsonl -o out.mcap"), Err(TapeError::Open { .. })));
    assert!(matches!(
        tape(dir, "import bad.jsonl -o out.txt"),
        Err(TapeError::UnknownEnding { .. })
    ));
    assert!(matches!(
        tape(dir, "export bad.jsonl -o out.mcap"),
        Err(TapeError::ExportEnding { .. })
    ));
    assert_eq!(fs::read_dir(dir).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn a_cut_tape_is_converted_as_far_as_it_goes() {
    let temp = tempdir().unwrap();
    let dir = temp.path();
    tape(dir, "demo -o a.mcap --pairs-out a.toml --minutes 1").unwrap();
    let whole = fs::read(dir.join("a.mcap")).unwrap();
    fs::write(dir.join("cut.mcap"), &whole[..whole.len() * 2 / 3]).unwrap();
    tape(dir, "import cut.mcap -o rest.mcap").unwrap();
    let info = |name: &str| {
        TapeInfo::read(&mut TapeReader::open(&dir.join(name)).unwrap(), |_| {}).unwrap()
    };
    let (all, cut, rest) = (info("a.mcap"), info("cut.mcap"), info("rest.mcap"));
    assert!(0 < cut.records && cut.records < all.records);
    assert_eq!(cut.records, rest.records);
    assert!(cut.truncated.is_some() && rest.truncated.is_none() && all.truncated.is_none());
    assert!(cut.to_string().contains("CUT OFF at byte"));
    let json: serde_json::Value = serde_json::to_value(&cut).unwrap();
    assert_eq!(json["truncated"]["at"], cut.truncated.unwrap().at);
    assert_eq!(json["by_venue"]["kalshi"]["connections"]["1"]["connected"], 1);
}

/// The counts of the recorded tapes, by a throw-away program on the side (`validation.md`).
#[test]
fn the_counts_of_recorded_tapes() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/tapes"));
    if !folder.is_dir() {
        eprintln!("skipped: {} is absent", folder.display());
        return;
    }
    let info = |name: &str| {
        let path = folder.join(format!("{name}.tape.jsonl.zst"));
        serde_json::to_value(TapeInfo::read(&mut TapeReader::open(&path).unwrap(), |_| {}).unwrap())
            .unwrap()
    };
    let types = &info("kxbtc15m_20260511T053112Z_30s")["by_venue"]["kalshi"]["types"];
    assert_eq!(
        (&types["orderbook_snapshot"], &types["orderbook_delta"], &types["ticker"]),
        (&1.into(), &2_964.into(), &29.into())
    );
    let types = &info("mlb12_20260807")["by_venue"]["kalshi"]["types"];
    assert_eq!(
        (&types["orderbook_snapshot"], &types["orderbook_delta"], &types["ok"]),
        (&12.into(), &245.into(), &11.into())
    );
    let fed = info("fed_jul26_20260720");
    assert_eq!((&fed["records"], &fed["frames"]), (&28.into(), &27.into()));
    let types = &fed["by_venue"]["polymarket"]["types"];
    assert_eq!(
        (&types["book"], &types["price_change"], &types["last_trade_price"]),
        (&2.into(), &24.into(), &1.into())
    );
    let world = info("worldcup_mexico_england_20260706");
    assert_eq!(world["by_venue"]["polymarket"]["types"]["book"], 13_444);
    assert_eq!(world["by_venue"]["kalshi"]["types"]["orderbook_snapshot"], 6_722);
}

#[test]
fn the_arguments_are_sound() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
    assert!(
        Cli::try_parse_from([
            "tape",
            "demo",
            "-o",
            "a.mcap",
            "--pairs-out",
            "a.toml",
            "--minutes",
            "0"
        ])
        .is_err()
    );
    assert!(
        Cli::try_parse_from([
            "tape",
            "demo",
            "-o",
            "a.mcap",
            "--pairs-out",
            "a.toml",
            "--markets",
            "65"
        ])
        .is_err()
    );
}

/// The figures that the README states of the generated tape are those of the program.
#[test]
fn the_generated_tape_gives_the_figures_that_are_stated_of_it() {
    let temp = tempdir().unwrap();
    let parallax = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_parallax"));
        let out = command.args(args).current_dir(temp.path()).output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        out.stdout
    };
    parallax(&["tape", "demo", "-o", "d.mcap", "--pairs-out", "d.toml"]);
    let told = parallax(&["replay", "d.mcap", "--pairs", "d.toml", "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
    let count = |key: &str| told[key].as_i64().unwrap();
    let dollars = |key: &str| {
        let e4 = (count(key) + 50) / 100;
        format!("${}.{:04}", e4 / 10_000, e4 % 10_000)
    };
    let stated = format!(
        "gives {},{:03} frames, {} opportunities ({} candidates), {} decisions, {} fills, {} realised, \
         and {} unhedged",
        count("frames") / 1_000,
        count("frames") % 1_000,
        count("opportunities"),
        count("candidates"),
        count("decisions"),
        count("fills"),
        dollars("realised_profit_micro_usd"),
        dollars("unhedged_micro_usd"),
    );
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let readme = readme.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(readme.contains(&stated), "the README does not say: {stated}");
}
