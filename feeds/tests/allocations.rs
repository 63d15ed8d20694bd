//! Once their buffers have grown, the decoders allocate nothing, whatever comes; and what comes
//! cannot make them grow beyond a limit.
#![allow(clippy::unwrap_used)] // helpers of tests too may unwrap

#[path = "../../engine/tests/common/counting.rs"]
mod counting;

use std::fs;
use std::path::Path;

use counting::{allocations, grown_by};
use feeds::json::{FRAME_MAX, TOKENS_MAX};
use feeds::kalshi::general::General as Kalshi;
use feeds::polymarket::general::General as Polymarket;

fn calls(work: impl FnOnce()) -> u64 {
    let before = allocations();
    work();
    allocations() - before
}

/// Frames of our own, of every kind the decoders tell apart, sound and not.
const KALSHI: &[&str] = &[
    r#"{"type":"orderbook_delta","sid":2,"seq":3,"msg":{"market_ticker":"A","price_dollars":0.96,"delta_fp":"-54.00","side":"yes"}}"#,
    r#"{"type":"orderbook_snapshot","sid":2,"seq":2,"msg":{"market_ticker":"A","yes_dollars_fp":[["0.08","300"],["0.02","3"]],"no_dollars_fp":[[0.5,1]]}}"#,
    r#"{"type":"ok","msg":{"market_tickers":["A","B\u0041"]}}"#,
    r#"{"type":"ok","msg":[{"channel":"ticker","sid":1}]}"#,
    r#"{"type":"market_lifecycle_v2","msg":{"market_ticker":"A","event_type":"created","price_ranges":[]}}"#,
    r#"{"type":"orderbook_delta","msg":{}}"#,
    r#"{"type":"orderbook_delta""#,
    "\u{0}",
    "",
];
const POLYMARKET: &[&str] = &[
    r#"[{"event_type":"book","market":"0x1","asset_id":"7","timestamp":"1","hash":"","bids":[{"price":"0.5","size":"1"}],"asks":[]},7]"#,
    r#"{"event_type":"price_change","market":"0x2","timestamp":"1","price_changes":[{"asset_id":"1","price":"0.5","size":"1","side":"BUY"},{"asset_id":"2","price":"0.5","size":"1","side":"SELL"}]}"#,
    r#"{"event_type":"new_market","market":"0x2","timestamp":"1","assets_ids":["1","2"],"outcomes":["Yes","No"]}"#,
    r#"{"event_type":"book","market":"0x1"}"#,
    "PONG",
    "7",
    "[",
];

/// Our frames and every documented one of that venue.
fn frames(venue: &str, ours: &[&str]) -> Vec<Vec<u8>> {
    let mut frames: Vec<_> = ours.iter().map(|frame| frame.as_bytes().to_vec()).collect();
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/protocol/fixtures"));
    match fs::read_dir(folder.join(venue)) {
        Ok(files) => {
            let paths = files.map(|file| file.unwrap().path());
            frames.extend(paths.map(|path| fs::read(path).unwrap()));
        }
        Err(error) => eprintln!("skipped the fixtures: {}: {error}", folder.display()),
    }
    frames
}

#[test]
fn kalshi_allocates_nothing_in_steady_state() {
    let frames = frames("kalshi", KALSHI);
    let mut general = Kalshi::new();
    let mut all = || frames.iter().filter(|frame| general.decode(frame).is_ok()).count();
    let sound = all();
    assert!(sound >= 5);
    assert_eq!(calls(|| assert_eq!(all(), sound)), 0);
}

#[test]
fn polymarket_allocates_nothing_in_steady_state() {
    let frames = frames("polymarket", POLYMARKET);
    let mut general = Polymarket::new();
    let mut all = || {
        let mut sound = 0;
        for frame in &frames {
            let _ = general.decode(frame, &mut |object| sound += usize::from(object.is_ok()));
            let _ =
                general.decode_book_texts(frame, &mut |book| sound += usize::from(book.is_ok()));
        }
        sound
    };
    let sound = all();
    assert!(sound >= 4);
    assert_eq!(calls(|| assert_eq!(all(), sound)), 0);
}

#[test]
fn memory_has_a_limit() {
    let frames = [
        vec![b'['; FRAME_MAX],
        vec![b'['; TOKENS_MAX],
        vec![b'"'; FRAME_MAX],
        vec![b'x'; FRAME_MAX],
        vec![b' '; FRAME_MAX + 1],
        b"0,".repeat(TOKENS_MAX / 2),
    ];
    let mut general = Kalshi::new();
    let grown = grown_by(|| {
        for frame in &frames {
            assert!(general.decode(frame).is_err());
        }
    });
    // Two copies of the frame, and 28 bytes for each value, each grown by doubling at worst.
    assert!(grown < 2 * (2 * FRAME_MAX + 28 * TOKENS_MAX), "{grown}");
}
