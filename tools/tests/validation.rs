//! Books of the recorded tapes against figures that an independent program made.
//!
//! The tapes are not part of the project; where they are absent the test says so and passes.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::path::PathBuf;

use engine::slab::Slab;
use engine::top::Top;
use feeds::sink::{Notice, Sink};
use feeds::{kalshi, polymarket};
use parallax::digest;
use parallax::tape::reader::TapeReader;
use parallax::tape::record::Body;

struct Quiet;

impl Sink for Quiet {
    fn top(&mut self, _top: &Top) {}
    fn notice(&mut self, _notice: &Notice<'_>) {}
}

fn tape(name: &str) -> Option<TapeReader> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/tapes")
        .join(format!("{name}.tape.jsonl.zst"));
    if !path.exists() {
        eprintln!("skipped: the recorded tape {} is not here", path.display());
        return None;
    }
    Some(TapeReader::open(&path).unwrap())
}

fn kalshi_session() -> kalshi::session::Session {
    let options = kalshi::session::Options { no_side: Default::default(), learn: true };
    kalshi::session::Session::new(options, Slab::new([64, 64, 8]))
}

fn polymarket_session() -> polymarket::session::Session {
    let options = polymarket::session::Options { learn: true, audit_every: 0 };
    polymarket::session::Session::new(options, Slab::new([64, 64, 8]))
}

/// Book message numbers and the digest after each.
type Digests = &'static [(u64, &'static str)];

/// Snapshots, deltas, tickers, resets, crossed and locked states.
fn kalshi_tape(name: &str, counts: [u64; 6], digests: Digests) {
    let Some(mut tape) = tape(name) else { return };
    let mut session = kalshi_session();
    let mut at = digests.iter();
    let mut next = at.next();
    while let Some(record) = tape.next().unwrap() {
        match record.body {
            Body::Connected => session.on_connected(record.recv, &mut Quiet),
            Body::Frame(frame) => session.on_frame(record.conn, record.recv, frame, &mut Quiet),
            Body::Mark(..) => {} // no recording of a venue has any
        }
        if let Some((message, want)) = next
            && session.figures().book_messages == *message
        {
            assert_eq!(digest::kalshi(&session), *want, "{name} after book message {message}");
            next = at.next();
        }
    }
    assert_eq!(next, None, "{name}: not every digest was reached");
    let f = session.figures();
    let got = [f.snapshots, f.deltas, f.tickers, f.resets, f.crossed_states, f.locked_states];
    assert_eq!(got, counts, "{name}");
    let bad =
        [f.parse_errors, f.sequence_gaps, f.before_snapshot, f.rejected_changes, f.out_of_order];
    assert_eq!(bad, [0; 5], "{name}");
    assert!(
        f.fallback * 20 < f.fast + f.fallback + 20,
        "{name}: {} of {} fell back",
        f.fallback,
        f.fast
    );
}

#[test]
fn kxbtc15m_30s() {
    kalshi_tape(
        "kxbtc15m_20260511T053112Z_30s",
        [1, 2_964, 29, 0, 0, 0],
        &[
            (741, "5de19be9bfcea4de0ebd116063b6c7d5"),
            (1_482, "8855f31990dc8ee3bc608d64b4e19479"),
            (2_223, "ce57efc2717f4b3f06a0935d1faa8424"),
            (2_965, "30186c5f0e144ba1be73d082cfbd5a8f"),
        ],
    );
}

#[test]
fn kxbtc15m_900s() {
    kalshi_tape(
        "kxbtc15m_20260511T053741Z_900s",
        [3, 70_962, 788, 1, 2, 1],
        &[
            (17_741, "de62701c6a444db86fb3d0512f562543"),
            (35_482, "7e1d13aad77fd37ad14df98d64a748a4"),
            (53_223, "c604506f068bb53a00a13f5c6f4ebac7"),
            (70_965, "47fa0b04fdb30f91b4ab8a0f865ad41b"),
        ],
    );
}

#[test]
fn kxbtc15m_1080s() {
    kalshi_tape(
        "kxbtc15m_20260513T1259Z_1080s",
        [5, 43_620, 860, 2, 3, 0],
        &[
            (10_906, "f93c4ed49a0d8cdc0957019357de9d5e"),
            (21_812, "e9819eb4c910b9303f1bdf480c579899"),
            (32_718, "a83b7ee99e06ffb700422f7054dc817f"),
            (43_625, "7a936bb9a4bcd7a36becdf4ea80b2e19"),
        ],
    );
}

#[test]
fn kxbtc15m_500s_with_crossed_states() {
    kalshi_tape(
        "kxbtc15m_20260513T1541Z_500s",
        [3, 59_652, 472, 1, 140, 61],
        &[
            (14_913, "244014c53a51b8d7a3d9242a55050bec"),
            (29_827, "fdc274a9d2289a6ee0b3e8612b5c0b2f"),
            (44_741, "0fef02061a344424bbe548ae4ebd37a8"),
            (59_655, "935120cad034655c0ac30d7544976f2e"),
        ],
    );
}

#[test]
fn kxbtc15m_900s_with_reconnects() {
    kalshi_tape(
        "kxbtc15m_20260514T043808Z_900s_reconnects",
        [4, 101_703, 842, 2, 0, 6],
        &[
            (25_426, "11b61f9c306774a8b30964004f1160fb"),
            (50_853, "9c4e0c69b0611c25e77c10c72f9c04fd"),
            (76_280, "c78ae5e60c1dcb03240dc467ae37f4e6"),
            (101_707, "a92fd236f49210b208d68632994086ea"),
        ],
    );
}

#[test]
fn mlb12_with_acknowledgements_in_sequence() {
    kalshi_tape(
        "mlb12_20260807",
        [12, 245, 0, 0, 0, 0],
        &[(257, "c1c63b30ad36bf011bb728c254aace63")],
    );
}

#[test]
fn fed_jul26() {
    let Some(mut tape) = tape("fed_jul26_20260720") else { return };
    let mut session = polymarket_session();
    while let Some(record) = tape.next().unwrap() {
        match record.body {
            Body::Connected => session.on_connected(record.recv, &mut Quiet),
            Body::Frame(frame) => session.on_frame(record.recv, frame, &mut Quiet),
            Body::Mark(..) => {}
        }
    }
    let f = session.figures();
    let counts = [f.frames, f.snapshots, f.deltas, f.changes, f.before_snapshot, f.trades];
    assert_eq!(counts, [27, 2, 24, 24, 24, 1]);
    assert_eq!([f.parse_errors, f.best_mismatches, f.crossed_states, f.locked_states], [0; 4]);
    assert_eq!(digest::polymarket(&session), "01492125ed99cc410843f9fcb11b74bd");
    let (bid, ask) = session.best(0, 0);
    assert_eq!((bid.unwrap().e4(), ask.unwrap().e4()), (9_240, 9_250));
    let depth = |side| session.levels(0, 0, side).len();
    assert_eq!((depth(engine::book::Side::Bid), depth(engine::book::Side::Ask)), (100, 62));
}

#[test]
fn worldcup() {
    let Some(mut tape) = tape("worldcup_mexico_england_20260706") else { return };
    let (mut kalshi, mut polymarket) = (kalshi_session(), polymarket_session());
    while let Some(record) = tape.next().unwrap() {
        match (record.venue, record.body) {
            (engine::units::Venue::Kalshi, Body::Connected) => {
                kalshi.on_connected(record.recv, &mut Quiet);
            }
            (engine::units::Venue::Kalshi, Body::Frame(frame)) => {
                kalshi.on_frame(record.conn, record.recv, frame, &mut Quiet);
            }
            (_, Body::Connected) => polymarket.on_connected(record.recv, &mut Quiet),
            (_, Body::Frame(frame)) => polymarket.on_frame(record.recv, frame, &mut Quiet),
            (_, Body::Mark(..)) => {}
        }
    }
    assert_eq!(digest::kalshi(&kalshi), "1e6028f807e4696bf75a455c06aaf4de");
    let (k, p) = (kalshi.figures(), polymarket.figures());
    assert_eq!((k.snapshots, k.crossed_states, k.locked_states), (6_722, 0, 0));
    assert_eq!((p.frames, p.book_messages, p.snapshots), (6_722, 13_444, 13_444));
    assert_eq!((p.crossed_states, p.parse_errors, k.parse_errors), (0, 0, 0));
}
