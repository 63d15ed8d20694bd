//! Tapes of both forms: lossless round trips, cut tails, damage, merging.
#![allow(clippy::unwrap_used)] // the helpers of tests, too

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use engine::units::{Ns, Venue};
use parallax::tape::{
    Body, LINE_LEN_MAX, LineError, MergedTapes, Preloaded, Record, TapeError, TapeKind, TapeReader,
    TapeWriter,
};
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
            Body::Connected | Body::Mark(..) => None,
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

fn bytes_of(name: &str, records: &[Owned], flush_every: usize) -> Vec<u8> {
    let dir = tempdir().unwrap();
    let path = dir.path().join(name);
    write(&path, records, flush_every);
    fs::read(path).unwrap()
}

/// A tape cut at every byte gives a prefix of its records, says that it is cut, and loses none
/// that stood whole before the cut.
fn cut_everywhere(name: &str, kind: TapeKind, step: usize) {
    let records = &sample()[..40];
    let whole = bytes_of(name, records, 5);
    let mut most = 0;
    for len in (0..whole.len()).step_by(step) {
        let tape = TapeReader::from_bytes(whole[..len].to_vec(), kind).unwrap();
        let (got, tape, error) = read_all(tape);
        assert!(error.is_none(), "cut at {len}: {error:?}");
        assert!(records.starts_with(&got), "cut at {len}: {got:?}");
        assert!(got.len() >= most, "cut at {len}: fewer records than with a shorter file");
        most = got.len();
        // Between two lines of plain text nothing shows that more belonged there.
        let between_lines =
            kind == TapeKind::Lines && (len == 0 || whole[len - 1] == b'\n' || whole[len] == b'\n');
        let after_data = got.len() == records.len();
        if !between_lines && !after_data && len > 0 {
            assert!(tape.truncated().is_some(), "cut at {len} of {}", whole.len());
        }
    }
    assert_eq!(most, records.len());
}

#[test]
fn a_cut_container_is_read_to_its_last_whole_chunk() {
    cut_everywhere("a.mcap", TapeKind::Container, 1);
}

#[test]
fn a_cut_text_is_read_to_its_last_whole_line() {
    cut_everywhere("a.jsonl", TapeKind::Lines, 1);
    cut_everywhere("a.jsonl.zst", TapeKind::LinesZstd, 1);
}

#[test]
fn a_cut_tail_is_measured() {
    let records = &sample()[..10];
    let whole = bytes_of("a.mcap", records, 5);
    // The second chunk begins behind the first and the index of its messages.
    let cut = 8 + whole[8..]
        .windows(9)
        .rposition(|w| w[0] == 6 && w[1..] == 22u64.to_le_bytes())
        .unwrap_or(400);
    let (got, tape, _) =
        read_all(TapeReader::from_bytes(whole[..cut].to_vec(), TapeKind::Container).unwrap());
    let tail = tape.truncated().unwrap();
    assert_eq!(tail.at + tail.lost, cut as u64);
    assert!(got.len() < records.len());
}

/// One flipped bit anywhere: never a panic, and never a record that was not written, unless the
/// bit is in text that nothing protects (plain lines).
#[test]
fn flipped_bits_in_a_container_are_seen_or_harmless() {
    let records = &sample()[..40];
    let whole = bytes_of("a.mcap", records, 8);
    for at in 0..whole.len() {
        for bit in [0, 3, 7] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            let (got, tape, error) =
                read_all(TapeReader::from_bytes(bytes, TapeKind::Container).unwrap());
            assert!(records.starts_with(&got), "byte {at} bit {bit}");
            let quiet = error.is_none() && tape.truncated().is_none();
            assert!(
                !quiet || got.len() == records.len(),
                "byte {at} bit {bit}: {} records and no word",
                got.len()
            );
        }
    }
}

#[test]
fn flipped_bits_in_lines_never_panic() {
    for (name, kind) in [("a.jsonl", TapeKind::Lines), ("a.jsonl.zst", TapeKind::LinesZstd)] {
        let whole = bytes_of(name, &sample()[..20], 5);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            let _ = read_all(TapeReader::from_bytes(bytes, kind).unwrap());
        }
    }
}

/// The container as its own library reads it, index and statistics included: other programs will.
#[test]
fn other_programs_read_the_container() {
    let records = sample();
    let bytes = bytes_of("a.mcap", &records, 10);
    let summary = mcap::Summary::read(&bytes).unwrap().unwrap();
    assert_eq!(summary.stats.unwrap().message_count, records.len() as u64);
    assert!(summary.chunk_indexes.len() >= 4);
    for (message, record) in mcap::MessageStream::new(&bytes).unwrap().zip(&records) {
        let message = message.unwrap();
        assert_eq!(
            (message.log_time, message.channel.message_encoding.as_str()),
            (record.recv, "json")
        );
        let event = if record.frame.is_some() { "" } else { "/event" };
        assert_eq!(message.channel.topic, format!("{}/{}{event}", record.venue, record.conn));
        assert!(message.data == record.frame.as_deref().unwrap_or(b"{\"event\":\"connected\"}"));
    }
}

#[test]
fn damage_names_the_chunk() {
    let whole = bytes_of("a.mcap", &sample()[..40], 10);
    let mut bytes = whole.clone();
    // Header and metadata take some hundred bytes; then comes the first chunk, of 1 KiB or more.
    let middle = 500;
    bytes[middle] ^= 0xff;
    let (_, _, error) = read_all(TapeReader::from_bytes(bytes, TapeKind::Container).unwrap());
    let Some(TapeError::Container { at, reason, .. }) = error else { panic!("{error:?}") };
    assert!((at as usize) < middle && at > 0 && reason.contains("damaged"), "{at}: {reason}");
}

#[test]
fn a_forged_length_takes_no_memory() {
    let whole = bytes_of("a.mcap", &sample()[..10], 5);
    // The first record behind the magic is the header; let it claim 10 GiB, then 60 MiB.
    for claim in [10u64 << 30, 60 << 20, u64::MAX] {
        let mut bytes = whole.clone();
        bytes[9..17].copy_from_slice(&claim.to_le_bytes());
        let (got, tape, error) =
            read_all(TapeReader::from_bytes(bytes, TapeKind::Container).unwrap());
        assert!(got.is_empty() && error.is_none(), "{error:?}");
        assert_eq!(tape.truncated().unwrap().at, 8);
    }
    // A chunk that claims to unpack to 10 GiB.
    let chunk = 17 + u64::from_le_bytes(whole[9..17].try_into().unwrap()) as usize;
    let meta =
        chunk + 9 + u64::from_le_bytes(whole[chunk + 1..chunk + 9].try_into().unwrap()) as usize;
    assert_eq!(whole[meta], 6, "a chunk follows the metadata");
    let mut bytes = whole.clone();
    bytes[meta + 9 + 16..meta + 9 + 24].copy_from_slice(&(10u64 << 30).to_le_bytes());
    let (_, _, error) = read_all(TapeReader::from_bytes(bytes, TapeKind::Container).unwrap());
    assert!(error.unwrap().to_string().contains("refused"));
}

#[test]
fn a_foreign_container_is_refused() {
    let mut writer = mcap::Writer::new(std::io::Cursor::new(Vec::new())).unwrap();
    let id = writer.add_channel(0, "kalshi/1", "json", &Default::default()).unwrap();
    let header =
        mcap::records::MessageHeader { channel_id: id, sequence: 0, log_time: 1, publish_time: 1 };
    writer.write_to_known_channel(&header, b"{}").unwrap();
    writer.finish().unwrap();
    let bytes = writer.into_inner().into_inner();
    let (_, _, error) = read_all(TapeReader::from_bytes(bytes, TapeKind::Container).unwrap());
    assert!(error.unwrap().to_string().contains("no tape of this program"));
    let (_, _, error) =
        read_all(TapeReader::from_bytes(b"{\"a\"".to_vec(), TapeKind::Container).unwrap());
    assert!(error.unwrap().to_string().contains(".jsonl"));
    let (_, _, error) = read_all(
        TapeReader::from_bytes(b"{\"recv_ns\":1}\n".to_vec(), TapeKind::Container).unwrap(),
    );
    assert!(error.unwrap().to_string().contains(".jsonl"));
}

#[test]
fn errors_of_lines_name_the_line_and_the_field() {
    let good = "{\"recv_ns\":1,\"venue\":\"kalshi\",\"conn\":1,\"frame\":\"x\"}\n";
    let text =
        format!("{good}\n  \r\n{good}{}\n", good.trim_end().replace(":1,\"frame", ":-1,\"frame"));
    let (got, _, error) =
        read_all(TapeReader::from_bytes(text.into_bytes(), TapeKind::Lines).unwrap());
    assert_eq!(got.len(), 2, "blank lines are skipped");
    let Some(TapeError::Line { line, source, .. }) = &error else { panic!("{error:?}") };
    assert_eq!(*line, 5);
    assert!(matches!(source, LineError::Wrong { field: "conn", .. }));
    assert!(error.unwrap().to_string().contains("line 5: field `conn` must be"));
}

#[test]
fn a_line_is_bounded() {
    let mut text = b"{\"recv_ns\":1,\"venue\":\"kalshi\",\"conn\":1,\"frame\":\"".to_vec();
    text.resize(LINE_LEN_MAX + 2, b'x');
    let (_, _, error) = read_all(TapeReader::from_bytes(text, TapeKind::Lines).unwrap());
    assert!(matches!(error, Some(TapeError::LineTooLong { line: 1, .. })), "{error:?}");
    // As zstd this is a few kilobytes; the reader must not unpack all of it first.
    let bomb = zstd::encode_all(std::io::repeat(b'x').take(1 << 30), 1).unwrap();
    let (_, _, error) = read_all(TapeReader::from_bytes(bomb, TapeKind::LinesZstd).unwrap());
    assert!(matches!(error, Some(TapeError::LineTooLong { line: 1, .. })), "{error:?}");
}

#[test]
fn merging_keeps_each_tape_in_its_own_order() {
    let dir = tempdir().unwrap();
    let tape = |name: &str, conn: u32, times: &[u64]| -> PathBuf {
        let path = dir.path().join(name);
        let record = |(i, recv): (usize, &u64)| Owned {
            recv: *recv,
            venue: Venue::Kalshi,
            conn,
            frame: Some(format!("{i}").into_bytes()),
        };
        write(&path, &times.iter().enumerate().map(record).collect::<Vec<_>>(), 2);
        path
    };
    // The second tape's clock steps back at its third record, which its head must wait for.
    let paths = [
        tape("a.mcap", 1, &[10, 20, 30, 40]),
        tape("b.jsonl", 2, &[10, 35, 5, 40]),
        tape("c.jsonl.zst", 3, &[]),
    ];
    let order: Vec<(u64, u32)> = {
        let mut merged = MergedTapes::open(&paths).unwrap();
        let mut order = Vec::new();
        while let Some(record) = merged.next().unwrap() {
            order.push((record.recv.0, record.conn));
        }
        assert!(merged.next().unwrap().is_none(), "stays at its end");
        assert_eq!(merged.bytes_read(), merged.bytes_total());
        order
    };
    assert_eq!(order, [(10, 1), (10, 2), (20, 1), (30, 1), (35, 2), (5, 2), (40, 1), (40, 2)]);
    let loaded = Preloaded::load(&paths).unwrap();
    assert_eq!(loaded.iter().map(|r| (r.recv.0, r.conn)).collect::<Vec<_>>(), order);
    assert_eq!(loaded.len(), 8);
    assert_eq!(loaded.get(4).unwrap().body, Body::Frame(b"1"));
}

/// Recorded tapes come back byte for byte from a container.
#[test]
fn recorded_tapes_survive_import_and_export() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/tapes"));
    let Ok(entries) = fs::read_dir(folder) else {
        eprintln!("skipped: {} is absent", folder.display());
        return;
    };
    let dir = tempdir().unwrap();
    let mut tapes = 0;
    for path in entries.map(|e| e.unwrap().path()).filter(|p| TapeKind::of(p).is_ok()) {
        let container = dir.path().join("t.mcap");
        let text = dir.path().join("t.jsonl");
        for (from, to) in [(&path, &container), (&container, &text)] {
            let mut tape = TapeReader::open(from).unwrap();
            let mut writer = TapeWriter::create(to, true).unwrap();
            while let Some(record) = tape.next().unwrap() {
                writer.write(&record).unwrap();
            }
            assert_eq!(tape.truncated(), None);
            writer.finish().unwrap();
        }
        let original = zstd::decode_all(fs::File::open(&path).unwrap()).unwrap();
        assert!(fs::read(&text).unwrap() == original, "{}", path.display());
        tapes += 1;
    }
    assert!(tapes > 0, "no tape in {}", folder.display());
}
