//! Every recorded frame decodes, and the counts are those of an independent program.

use feeds::kalshi::general::General as Kalshi;
use feeds::kalshi::message::Body;
use feeds::polymarket::general::General as Polymarket;
use feeds::polymarket::message::Object;
use serde_json::Value;

use crate::shared;

/// What a tape holds, by type.
#[derive(Default, PartialEq, Eq, Debug)]
struct Counts {
    snapshots: usize,
    deltas: usize,
    tickers: usize,
    oks: usize,
    subscribed: usize,
    books: usize,
    price_changes: usize,
    entries: usize,
    trades: usize,
    others: usize,
}

#[derive(Default)]
struct Decoders {
    kalshi: Kalshi,
    polymarket: Polymarket,
    counts: Counts,
}

impl Decoders {
    fn kalshi(&mut self, frame: &str) {
        let counts = &mut self.counts;
        let body =
            self.kalshi.decode(frame.as_bytes()).unwrap_or_else(|e| panic!("{e}: {frame}")).body;
        *match body {
            Body::Snapshot(_) => &mut counts.snapshots,
            Body::Delta(_) => &mut counts.deltas,
            Body::Ticker(_) => &mut counts.tickers,
            Body::Ok { .. } => &mut counts.oks,
            Body::Subscribed(_) => &mut counts.subscribed,
            _ => &mut counts.others,
        } += 1;
    }

    fn polymarket(&mut self, frame: &str) {
        let counts = &mut self.counts;
        let outcome = self.polymarket.decode(frame.as_bytes(), &mut |object| {
            *match object.unwrap_or_else(|r| panic!("{}: {frame}", r.error)) {
                Object::Book(_) => &mut counts.books,
                Object::PriceChange(change) => {
                    counts.entries += change.entries.len();
                    &mut counts.price_changes
                }
                Object::LastTrade(_) => &mut counts.trades,
                _ => &mut counts.others,
            } += 1;
        });
        outcome.unwrap_or_else(|e| panic!("{e}: {frame}"));
    }

    fn line(&mut self, line: &str) {
        let line: Value = serde_json::from_str(line).unwrap();
        let Some(frame) = line["frame"].as_str() else { return };
        match line["venue"].as_str() {
            Some("kalshi") => self.kalshi(frame),
            Some("polymarket") => self.polymarket(frame),
            other => panic!("{other:?}"),
        }
    }
}

fn kalshi(
    snapshots: usize,
    deltas: usize,
    tickers: usize,
    oks: usize,
    subscribed: usize,
) -> Counts {
    Counts { snapshots, deltas, tickers, oks, subscribed, ..Counts::default() }
}

#[test]
fn every_tape_decodes_to_the_known_counts() {
    for (tape, want) in [
        ("kxbtc15m_20260511T053112Z_30s", kalshi(1, 2_964, 29, 0, 2)),
        ("kxbtc15m_20260511T053741Z_900s", kalshi(3, 70_962, 788, 0, 4)),
        ("kxbtc15m_20260513T1259Z_1080s", kalshi(5, 43_620, 860, 0, 6)),
        ("kxbtc15m_20260513T1541Z_500s", kalshi(3, 59_652, 472, 0, 4)),
        ("kxbtc15m_20260514T043808Z_900s_reconnects", kalshi(4, 101_703, 842, 0, 6)),
        ("mlb12_20260807", kalshi(12, 245, 0, 11, 1)),
        (
            "fed_jul26_20260720",
            Counts { books: 2, price_changes: 24, entries: 48, trades: 1, ..Counts::default() },
        ),
        ("worldcup_mexico_england_20260706", Counts { books: 13_444, ..kalshi(6_722, 0, 0, 0, 1) }),
    ] {
        let Some(lines) = shared::lines(&format!("data/tapes/{tape}.tape.jsonl.zst")) else {
            return;
        };
        let mut decoders = Decoders::default();
        lines.iter().for_each(|line| decoders.line(line));
        assert_eq!(decoders.counts, want, "{tape}");
    }
}

#[test]
fn every_generated_frame_decodes() {
    let mut decoders = Decoders::default();
    for (file, is_kalshi) in [
        ("kalshi_snapshots_fp", true),
        ("kalshi_deltas_fp", true),
        ("poly_books", false),
        ("poly_price_changes", false),
        ("mixed/kalshi_snapshots", true),
        ("mixed/kalshi_deltas", true),
        ("mixed/poly_books", false),
        ("mixed/poly_price_changes", false),
    ] {
        let Some(lines) = shared::lines(&format!("data/bench/{file}.jsonl.zst")) else { return };
        for line in &lines {
            if is_kalshi { decoders.kalshi(line) } else { decoders.polymarket(line) }
        }
    }
    let counts = decoders.counts;
    assert_eq!((counts.snapshots, counts.deltas), (2 * 64, 2 * 20_000));
    assert_eq!((counts.price_changes, counts.entries), (2 * 20_000, 4 * 20_000));
    assert_eq!(counts.others, 0);
}
