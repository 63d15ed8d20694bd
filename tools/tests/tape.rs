//! Tapes of both forms: lossless round trips, cut tails, damage, merging.

use std::fs;
use std::path::Path;

use engine::units::{Ns, Venue};
use parallax::tape::{Body, Record, TapeError, TapeReader, TapeWriter};
use tempfile::tempdir;

/// A record that owns its frame.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Owned {
    recv: u64,
    venue: Venue,
    conn: u32,
    frame: Option<Vec<u8>>,
}

impl Owned {
    fn of(record: &Record<'_>) -> Owned {
        let frame = match record.body {
            Body::Frame(frame) => Some(frame.to_vec()),
            Body::Connected => None,
        };
        Owned { recv: record.recv.0, venue: record.venue, conn: record.conn, frame }
    }

    fn record(&self) -> Record<'_> {
        let body = self.frame.as_deref().map_or(Body::Connected, Body::Frame);
        Record { recv: Ns(self.recv), venue: self.venue, conn: self.conn, body }
    }
}

/// Records with clocks that step back, escapes, unicode, empty frames and long ones.
fn sample() -> Vec<Owned> {
    let frames = [
        "{\"type\":\"orderbook_delta\",\"sid\":1,\"seq\":2}",
        "PONG",
        "",
        "tab\there, feed\n, quote \" backslash \\ slash / bell \u{7} null \u{0} del \u{7f}",
        "Müller – 東京 🎲 \u{10ffff}",
        "[{\"event_type\":\"book\"}]\n",
    ];
    let mut all = Vec::new();
    for i in 0..40u64 {
        let venue = Venue::ALL[(i % 2) as usize];
        let conn = 1 + (i / 13) as u32;
        let recv = 1_795_000_000_000_000_000 + i * 1_000 - (i % 3) * 5_000;
        let frame = (i % 13 != 0).then(|| frames[(i % 6) as usize].as_bytes().to_vec());
        all.push(Owned { recv, venue, conn, frame });
    }
    all.push(Owned {
        recv: u64::MAX,
        venue: Venue::Kalshi,
        conn: u32::MAX,
        frame: Some(vec![b'x'; 3 << 20]),
    });
    all.push(Owned { recv: 0, venue: Venue::Polymarket, conn: 0, frame: Some(b"\"".repeat(1000)) });
    all
}

fn write(path: &Path, records: &[Owned], flush_every: usize) {
    let mut writer = TapeWriter::create(path, false).unwrap();
    for (i, record) in records.iter().enumerate() {
        writer.write(&record.record()).unwrap();
        if (i + 1) % flush_every == 0 {
            writer.flush().unwrap();
        }
    }
    writer.finish().unwrap();
}

fn read_all(mut tape: TapeReader) -> (Vec<Owned>, TapeReader, Option<TapeError>) {
    let mut all = Vec::new();
    loop {
        match tape.next() {
            Ok(Some(record)) => all.push(Owned::of(&record)),
            Ok(None) => return (all, tape, None),
            Err(error) => return (all, tape, Some(error)),
        }
    }
}

fn read(path: &Path) -> Vec<Owned> {
    let (all, tape, error) = read_all(TapeReader::open(path).unwrap());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(tape.truncated(), None);
    assert_eq!(tape.bytes_read(), tape.bytes_total());
    all
}

#[test]
fn every_form_gives_back_what_was_written() {
    let dir = tempdir().unwrap();
    for name in ["a.mcap", "a.jsonl", "a.tape.jsonl.zst"] {
        let path = dir.path().join(name);
        for records in [sample(), Vec::new()] {
            write(&path, &records, 7);
            assert!(read(&path) == records, "{name}");
            fs::remove_file(&path).unwrap();
        }
    }
}

#[test]
fn an_existing_file_is_kept_unless_forced() {
    let dir = tempdir().unwrap();
    for name in ["a.mcap", "a.jsonl"] {
        let path = dir.path().join(name);
        write(&path, &sample(), 100);
        let refused = TapeWriter::create(&path, false).map(drop);
        assert!(
            matches!(&refused, Err(TapeError::Exists { path: p }) if *p == path),
            "{refused:?}"
        );
        TapeWriter::create(&path, true).unwrap().finish().unwrap();
        assert_eq!(read(&path), []);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no .partial is left");
}

#[test]
fn a_tape_has_its_name_only_when_whole() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    let partial = dir.path().join("a.mcap.partial");
    let mut writer = TapeWriter::create(&path, false).unwrap();
    writer.write(&sample()[0].record()).unwrap();
    writer.flush().unwrap();
    assert!(!path.exists());
    // A reader sees the chunk that was flushed, and that the file is not complete.
    let (seen, tape, error) = read_all(TapeReader::open(&partial).unwrap());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(seen, sample()[..1]);
    assert!(tape.truncated().is_some());
    assert!(
        matches!(TapeWriter::create(&path, false).map(drop), Err(TapeError::Exists { .. })),
        "two writers"
    );
    writer.discard();
    assert!(!partial.exists() && !path.exists());
}
