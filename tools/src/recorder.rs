//! What a run was and did, on one tape: its frames, what it sent, and every input of its core.
//!
//! Tiles hand bytes to taps that never make them wait; this thread alone touches the disk. A slow
//! disk costs records, which are counted and written where they are missing, and never time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use engine::tap::{TapKind, TapReader};

use crate::tape::container::Note;
use crate::tape::{Body, Record, TapeError, TapeWriter};

/// What begins a run's tape: how it was set up.
pub const NOTE_START: &str = "parallax.run.start";
/// What ends it: what came of it.
pub const NOTE_END: &str = "parallax.run.end";

/// How often what was written is handed to the operating system: what a kill can lose.
const FLUSH_EVERY: Duration = Duration::from_secs(5);

/// How long the recorder rests when nothing came. The taps hold seconds.
const REST: Duration = Duration::from_millis(1);

/// What a recorder wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Recorded {
    /// Records on the tape.
    pub records: u64,
    /// Records that found no room in a tap.
    pub dropped: u64,
}

/// Drains taps onto a tape.
pub struct Recorder {
    taps: Vec<TapReader>,
    writer: TapeWriter,
    payload: Vec<u8>,
    dropped: u64,
}

impl Recorder {
    /// Begins the tape `path`; an existing one is refused.
    ///
    /// # Errors
    /// [`TapeError`]
    pub fn create(
        path: &Path,
        taps: Vec<TapReader>,
        start: BTreeMap<String, String>,
    ) -> Result<Recorder, TapeError> {
        let mut writer = TapeWriter::create(path, false)?;
        writer.note(Note { name: NOTE_START.to_owned(), values: start })?;
        Ok(Recorder { taps, writer, payload: Vec::new(), dropped: 0 })
    }

    /// Writes what the taps hold; says how many records that were.
    ///
    /// # Errors
    /// [`TapeError::Write`]
    pub fn drain(&mut self) -> Result<usize, TapeError> {
        let mut written = 0;
        for tap in &mut self.taps {
            while let Some(head) = tap.next(&mut self.payload) {
                if head.kind == TapKind::Dropped {
                    let count = self.payload.first_chunk().map_or(0, |le| u64::from_le_bytes(*le));
                    self.dropped += count;
                }
                let body = match head.kind {
                    TapKind::Frame => Body::Frame(&self.payload),
                    kind => Body::Mark(kind, &self.payload),
                };
                let record = Record { recv: head.recv, venue: head.venue, conn: head.conn, body };
                self.writer.write(&record)?;
                written += 1;
            }
        }
        Ok(written)
    }

    /// Writes until `ended` says that nobody taps any more, and then the rest.
    ///
    /// # Errors
    /// [`TapeError::Write`]: the tape is given up where it stands; the run goes on without one.
    pub fn run(&mut self, ended: &AtomicBool) -> Result<(), TapeError> {
        let mut flushed = Instant::now();
        loop {
            let last = ended.load(SeqCst);
            let written = self.drain()?;
            if last {
                return Ok(());
            }
            if flushed.elapsed() >= FLUSH_EVERY {
                self.writer.flush()?;
                flushed = Instant::now();
            }
            if written == 0 {
                thread::park_timeout(REST);
            }
        }
    }

    /// Completes the tape.
    ///
    /// # Errors
    /// [`TapeError`]
    pub fn finish(mut self, end: BTreeMap<String, String>) -> Result<Recorded, TapeError> {
        self.drain()?;
        let recorded = Recorded { records: self.writer.records(), dropped: self.dropped };
        self.writer.note(Note { name: NOTE_END.to_owned(), values: end })?;
        self.writer.finish()?;
        Ok(recorded)
    }
}

/// A name for a new tape in `dir` that no other run has: by time and process.
pub fn tape_path(dir: &Path, stem: &str, unix_seconds: u64) -> PathBuf {
    dir.join(format!("{stem}-{unix_seconds}-{}.mcap", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::TapeReader;
    use engine::tap::{TapHead, tap};
    use engine::units::{Ns, Venue};

    #[test]
    fn a_tape_holds_frames_marks_and_what_went_missing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.mcap");
        let (mut tx, rx) = tap(256);
        let start = BTreeMap::from([("pairs".to_owned(), "schema = 1".to_owned())]);
        let mut recorder = Recorder::create(&path, vec![rx], start.clone()).unwrap();
        let head = |kind, recv| TapHead { kind, venue: Venue::Polymarket, conn: 3, recv: Ns(recv) };
        tx.write(head(TapKind::Opened, 1), b"");
        tx.write(head(TapKind::Frame, 2), b"{}");
        recorder.drain().unwrap();
        (0..9).for_each(|n| tx.write(head(TapKind::CoreInput, 3 + n), &[7; 40]));
        recorder.drain().unwrap();
        tx.write(head(TapKind::Sent, 20), b"subscribe");
        let end = BTreeMap::from([("decision_hash".to_owned(), "9".to_owned())]);
        let recorded = recorder.finish(end.clone()).unwrap();
        assert_eq!((recorded.dropped, tx.dropped()), (5, 5), "four of nine fit");

        let mut tape = TapeReader::open(&path).unwrap();
        let mut seen = Vec::new();
        while let Some(record) = tape.next().unwrap() {
            assert_eq!((record.venue, record.conn), (Venue::Polymarket, 3));
            seen.push(match record.body {
                Body::Frame(frame) => (TapKind::Frame, frame.len()),
                Body::Mark(kind, payload) => (kind, payload.len()),
                Body::Connected => unreachable!("a run marks connections one by one"),
            });
        }
        let mut want = vec![(TapKind::Opened, 0), (TapKind::Frame, 2)];
        want.extend([(TapKind::CoreInput, 40); 4]);
        want.extend([(TapKind::Dropped, 8), (TapKind::Sent, 9)]);
        assert_eq!(seen, want);
        assert_eq!(recorded.records, want.len() as u64);
        let notes: Vec<_> = tape.notes().iter().map(|n| (n.name.as_str(), &n.values)).collect();
        assert_eq!(notes, [(NOTE_START, &start), (NOTE_END, &end)]);
    }
}
