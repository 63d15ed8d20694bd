//! Fees and halts in the middle of a tape: what they change, and that threads change nothing.
#![allow(clippy::unwrap_used)] // the helpers of tests, too

use std::path::Path;

use engine::core::{Accounts, CoreConfig, Figures};
use engine::event::{Event, PairChange};
use engine::paper::PaperCore;
use engine::pin::CoreList;
use engine::units::{Ns, Qty, Usd, Venue};
use feeds::kalshi::session::NoSide;
use parallax::model::{Model, Options};
use parallax::pairs::{self, PairFile};
use parallax::replay::feeder::Frames;
use parallax::replay::run::{Watcher, run};
use parallax::replay::setup::{FeedOptions, setup};
use parallax::replay::speed::Speed;
use parallax::tape::{Body, MergedTapes, Record, TapeWriter};
use parallax::topology::{Grouping, Plan};
use tempfile::tempdir;

/// A generated market: its pair file, and its records in order of receipt.
struct Tape {
    file: PairFile,
    records: Vec<(Ns, Venue, u32, Option<Vec<u8>>)>,
}

impl Tape {
    fn new() -> Tape {
        let model = Model::new(Options { seed: 11, minutes: 3, markets: 3 });
        let file = pairs::parse(&model.pairs_toml(), "model").unwrap();
        let mut records = Vec::new();
        model
            .run(&mut |record| {
                let frame = match record.body {
                    Body::Frame(frame) => Some(frame.to_vec()),
                    Body::Connected | Body::Mark(..) => None,
                };
                records.push((record.recv, record.venue, record.conn, frame));
                Ok(())
            })
            .unwrap();
        Tape { file, records }
    }

    /// The tape with more frames of Kalshi: each comes where `thirds` thirds of it are over.
    /// Says too when they come.
    fn write(&self, path: &Path, more: &[(usize, String)]) -> Vec<Ns> {
        let mut writer = TapeWriter::create(path, false).unwrap();
        let mut came = Vec::new();
        let mut conn = 0;
        for (at, (recv, venue, number, frame)) in self.records.iter().enumerate() {
            let body = frame.as_deref().map_or(Body::Connected, Body::Frame);
            writer.write(&Record { recv: *recv, venue: *venue, conn: *number, body }).unwrap();
            if *venue == Venue::Kalshi {
                conn = *number;
            }
            for (thirds, frame) in more {
                if at == thirds * self.records.len() / 3 {
                    let body = Body::Frame(frame.as_bytes());
                    let record = Record { recv: *recv, venue: Venue::Kalshi, conn, body };
                    writer.write(&record).unwrap();
                    came.push(*recv);
                }
            }
        }
        writer.finish().unwrap();
        came
    }

    fn play(&self, path: &Path, grouping: Grouping) -> Played {
        let setup = setup(
            &self.file,
            FeedOptions { no_side: NoSide::NoPrice, audit_every: 16, learn: true },
        )
        .unwrap();
        let config = CoreConfig {
            min_profit: Usd::ZERO,
            max_qty: Qty::lit(1_000),
            cooldown: Ns::from_ms(50),
            trade: true,
            ..CoreConfig::default()
        };
        let core = PaperCore::new(setup.table.clone(), setup.markets, config, [Ns::from_ms(5); 2]);
        let plan = Plan::replay(grouping, &CoreList::allowed(), grouping == Grouping::Pinned);
        let mut frames = Frames::Files(MergedTapes::open(&[path.to_owned()]).unwrap());
        let mut seen = Seen::default();
        let outcome =
            run(setup, core, &mut frames, Speed::MAX, (grouping, &plan), &mut seen).unwrap();
        let core = outcome.core.core();
        Played { figures: core.figures(), accounts: core.accounts(), seen }
    }

    /// Plays the tape both ways, and wants one result.
    fn play_both(&self, path: &Path) -> Played {
        let single = self.play(path, Grouping::Single);
        assert_eq!(single, self.play(path, Grouping::Pinned));
        assert!(single.figures.fills > 0 && single.figures.decisions > 10, "too few to compare");
        single
    }
}

#[derive(PartialEq, Debug)]
struct Played {
    figures: Figures,
    accounts: Accounts,
    seen: Seen,
}

impl Played {
    /// Decisions on the first pair from `from` until before `to`.
    fn decided(&self, from: Ns, to: Ns) -> usize {
        let inside = |(at, pair): &&(Ns, u16)| *pair == 0 && (from..to).contains(at);
        self.seen.decided.iter().filter(inside).count()
    }
}

#[derive(Default, PartialEq, Debug)]
struct Seen {
    decided: Vec<(Ns, u16)>,
    fees: Vec<(Ns, u16)>,
}

impl Watcher for Seen {
    fn event(&mut self, event: &Event) {
        match *event {
            Event::ExecuteTrade(d) => self.decided.push((d.at, d.bundle.pair.0)),
            Event::PairChanged { pair, at, change: PairChange::Fee } => {
                self.fees.push((at, pair.0));
            }
            _ => {}
        }
    }

    fn progress(&mut self, _bytes: u64, _records: u64) {}
}

const END: Ns = Ns(u64::MAX);
const NS_A_SECOND: u64 = 1_000_000_000;

fn fee(seq: u64, event: &str, fee_type: &str, multiplier: &str) -> String {
    format!(
        r#"{{"type":"event_fee_update","sid":40,"seq":{seq},"msg":{{"event_ticker":"{event}","fee_type_override":{fee_type},"fee_multiplier_override":{multiplier}}}}}"#
    )
}

#[test]
fn a_fee_in_the_middle_of_a_tape_changes_what_follows_on_any_threads() {
    let (model, dir) = (Tape::new(), tempdir().unwrap());
    let event = model.file.pairs[0].kalshi.event.as_str();
    let path = |name: &str| dir.path().join(name);
    model.write(&path("plain.jsonl"), &[]);
    let plain = model.play_both(&path("plain.jsonl"));
    assert_eq!(plain.seen.fees, []);

    let dear = [(1, fee(1, event, r#""quadratic_with_maker_fees""#, "4"))];
    let at = model.write(&path("dear.jsonl"), &dear)[0];
    let changed = model.play_both(&path("dear.jsonl"));
    assert_eq!(changed.seen.fees, [(at, 0)]);
    assert_ne!(changed.figures.edge_hash, plain.figures.edge_hash);
    assert_ne!(changed.figures.decision_hash, plain.figures.decision_hash);
    let candidates = [&changed, &plain].map(|played| played.figures.candidates);
    assert!(candidates[0] < candidates[1], "{candidates:?}");
    assert_eq!(changed.decided(Ns(0), at), plain.decided(Ns(0), at), "until then it is the same");

    let none = [(1, fee(1, "KXELSEWHERE-26DEC", "null", "null"))];
    model.write(&path("none.jsonl"), &none);
    assert_eq!(model.play_both(&path("none.jsonl")), plain, "an event that no pair is of");

    // What is in force already changes nothing, and yet a replay without it is another one.
    let same = [(1, fee(1, event, r#""quadratic""#, "1"))];
    model.write(&path("same.jsonl"), &same);
    let same = model.play_both(&path("same.jsonl"));
    assert_eq!((&same.seen, same.figures.edge_hash), (&plain.seen, plain.figures.edge_hash));
    assert_ne!(same.figures.decision_hash, plain.figures.decision_hash);
}

#[test]
fn a_fee_that_cannot_be_computed_stops_its_event_until_it_is_cleared() {
    let (model, dir) = (Tape::new(), tempdir().unwrap());
    let event = model.file.pairs[0].kalshi.event.as_str();
    let path = dir.path().join("stop.jsonl");
    let stop = fee(1, event, r#""flat""#, "null");
    let came = model.write(&path, &[(1, stop), (2, fee(2, event, "null", "null"))]);
    let played = model.play_both(&path);
    assert_eq!(played.seen.fees, [(came[0], 0), (came[1], 0)]);
    assert!(played.decided(Ns(0), came[0]) > 0);
    assert_eq!(played.decided(came[0], came[1]), 0);
    assert!(played.decided(came[1], END) > 0, "its own fee is back");
}

#[test]
fn a_fee_that_cannot_be_read_stops_its_event_until_it_is_known() {
    let (model, dir) = (Tape::new(), tempdir().unwrap());
    let event = model.file.pairs[0].kalshi.event.as_str();
    for (number, fee_type, multiplier) in [
        (1, r#""quadratic""#, r#""much""#),
        (2, "[]", "1"),
        (3, "null", "1"), // a multiplier of nothing
    ] {
        let path = dir.path().join(format!("stop{number}.jsonl"));
        let stop = fee(1, event, fee_type, multiplier);
        let came = model.write(&path, &[(1, stop), (2, fee(2, event, r#""quadratic""#, "1"))]);
        let played = model.play_both(&path);
        assert_eq!(played.seen.fees, [(came[0], 0), (came[1], 0)], "{fee_type} {multiplier}");
        assert!(played.decided(Ns(0), came[0]) > 0);
        assert_eq!(played.decided(came[0], came[1]), 0, "{fee_type} {multiplier}");
        assert!(played.decided(came[1], END) > 0, "it is known again");
    }
}

#[test]
fn nothing_is_opened_after_a_close_that_came_nearer_on_any_threads() {
    let (model, dir) = (Tape::new(), tempdir().unwrap());
    let close = |seq: u64, at_s: u64| {
        let ticker = &model.file.pairs[0].kalshi.ticker;
        format!(
            r#"{{"type":"market_lifecycle_v2","sid":40,"seq":{seq},"msg":{{"market_ticker":"{ticker}","event_type":"close_date_updated","close_ts":{at_s}}}}}"#
        )
    };
    let path = dir.path().join("close.jsonl");
    let later = model.records.last().map_or(0, |record| record.0.0 / NS_A_SECOND) + 9;
    // A close that is far off holds nothing up.
    let far = [(1, close(1, later)), (2, close(2, later))];
    let came = model.write(&path, &far);
    let free = model.play_both(&path);
    let between = |(at, pair): &&(Ns, u16)| *pair == 0 && (came[0]..came[1]).contains(at);
    let decided: Vec<_> = free.seen.decided.iter().filter(between).collect();
    assert!(decided.len() > 2, "too few to tell: {decided:?}");
    let at_s = decided[decided.len() / 2].0.0 / NS_A_SECOND;
    let at = Ns(at_s * NS_A_SECOND);
    let path = dir.path().join("near.jsonl");
    model.write(&path, &[(1, close(1, at_s)), (2, close(2, later))]);
    let played = model.play_both(&path);
    assert_eq!(played.decided(Ns(0), at), free.decided(Ns(0), at), "until then it trades");
    assert!(free.decided(at, came[1]) > 0);
    assert_eq!(played.decided(at, came[1]), 0);
    assert!(played.decided(came[1], END) > 0, "it was put off");
}

#[test]
fn a_halted_market_is_not_traded() {
    let (model, dir) = (Tape::new(), tempdir().unwrap());
    let life = |seq: u64, event: &str| {
        let ticker = &model.file.pairs[0].kalshi.ticker;
        format!(
            r#"{{"type":"market_lifecycle_v2","sid":40,"seq":{seq},"msg":{{"market_ticker":"{ticker}","event_type":"{event}"}}}}"#
        )
    };
    for stop in ["deactivated", "determined"] {
        let path = dir.path().join(format!("{stop}.jsonl"));
        let came = model.write(&path, &[(1, life(1, stop)), (2, life(2, "activated"))]);
        let played = model.play_both(&path);
        assert!(played.decided(Ns(0), came[0]) > 0);
        assert_eq!(played.decided(came[0], came[1]), 0, "{stop}");
        // The tape holds no snapshot after the activation, and the outcome is final.
        assert_eq!(played.decided(came[1], END), 0, "{stop}");
    }
}
