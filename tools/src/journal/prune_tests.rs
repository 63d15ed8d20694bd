//! Old runs go, the last one never, and what is left is whole and says the same.

use super::*;
use crate::journal::keep::Kept;
use engine::tile::{Now, Tile as _};
use engine::units::{Ns, Usd, Venue};
use exec::journal::durable::{Durable, rings};
use exec::journal::fold::State;
use exec::journal::frame::{self, SEGMENT_HEAD};
use exec::journal::reader::Verified;
use exec::journal::tile::{JournalConfig, JournalTile};

const DAY: Duration = Duration::from_secs(86_400);

/// Three runs, each of several segments.
fn journal(dir: &Path) {
    for run in 1..=3 {
        let (durable, files) = (Durable::new(), Files::open(dir).unwrap());
        let ([mut writer, ..], ends) = rings(&durable);
        let config = JournalConfig { segment_bytes: 2_048, ids_block: 1 << 40 };
        let opened = JournalTile::open(files, ends, durable, config, &mut |_, _| {});
        let mut tile = opened.unwrap().0;
        let cash = |cash| Record::Cash { venue: Venue::Kalshi, cash: Usd::new(cash) };
        let opening = [Record::Run { run, wall: Ns(run), live: false }, cash(run as i64)];
        tile.begin(&opening, Now::default()).unwrap();
        for more in 0..120 {
            writer.write(&cash(1_000 * run as i64 + more));
            while tile.is_busy() {
                tile.step(Now::default());
            }
        }
    }
}

fn read(dir: &Path) -> (Verified, State) {
    let mut state = State::default();
    let mut files = Files::open(dir).unwrap();
    let found = reader::read(&mut files, &mut |_, record| state.take(record)).unwrap();
    (found, state)
}

#[test]
fn old_runs_go_and_what_is_left_verifies_and_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    journal(&dir);
    let (before, state) = read(&dir);
    assert!(before.segments > 6, "{before:?}");
    let now = SystemTime::now();
    let none = prune(&dir, DAY, now, &Fate::Delete).unwrap();
    assert_eq!((none.segments, none.bytes), (0, 0), "nothing is old");
    let later = now + 2 * DAY;
    let archive = folder.path().join("archive");
    let gone = prune(&dir, DAY, later, &Fate::Move(archive.clone())).unwrap();
    let (after, same) = read(&dir);
    assert_eq!(after.verdict, Verdict::Whole);
    assert_eq!((after.last, after.chain), (before.last, before.chain));
    assert_eq!(after.segments + gone.segments, before.segments);
    assert_eq!((same.run, same.cash, same.held), (state.run, state.cash, state.held));
    assert_eq!(
        (fs::read_dir(&archive).unwrap().count() as u64, same.run),
        (gone.segments, Some(3))
    );
    assert!(after.segments >= 2 && gone.bytes > 0, "the last run stays, however old it is");
    assert_eq!(prune(&dir, DAY, later, &Fate::Delete).unwrap().segments, 0);
    // The next run goes on behind it.
    journal(&dir);
    assert_eq!(read(&dir).0.verdict, Verdict::Whole);
    assert!(prune(&dir, Duration::ZERO, later, &Fate::Move(archive)).unwrap().segments > 0);
}

#[test]
fn a_run_whose_opening_is_torn_is_no_last_run() {
    let folder = tempfile::tempdir().unwrap();
    journal(folder.path());
    let (_, before) = read(folder.path());
    let mut files = Files::open(folder.path()).unwrap();
    // The last run's own segments go, but for the first records of its opening.
    let head = |files: &mut Files, segment| {
        let mut bytes = Vec::new();
        files.read(segment, &mut bytes).unwrap();
        let frame = frame::get(&bytes[SEGMENT_HEAD..]).unwrap();
        let begins = matches!(Record::decode(frame.payload), Some(Record::Run { run: 3, .. }));
        begins.then_some(SEGMENT_HEAD + frame.size())
    };
    let segments = files.segments().unwrap();
    let found = segments.iter().find_map(|it| Some((*it, head(&mut files, *it)?)));
    let (last, end) = found.unwrap();
    for segment in segments.iter().filter(|segment| **segment > last) {
        fs::remove_file(files.path(*segment)).unwrap();
    }
    files.cut(last, end).unwrap();
    let (found, state) = read(folder.path());
    assert_eq!((found.verdict, state.run, before.run), (Verdict::Whole, Some(2), Some(3)));
    let later = SystemTime::now() + 2 * DAY;
    prune(folder.path(), DAY, later, &Fate::Delete).unwrap();
    assert_eq!(read(folder.path()).1, state);
}

#[test]
fn nothing_of_a_damaged_journal_goes() {
    let folder = tempfile::tempdir().unwrap();
    journal(folder.path());
    let path = Files::open(folder.path()).unwrap().path(2);
    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    fs::write(&path, bytes).unwrap();
    let later = SystemTime::now() + 2 * DAY;
    let told = prune(folder.path(), DAY, later, &Fate::Delete).unwrap_err();
    assert!(told.contains("damaged"), "{told}");
    assert!(Files::open(folder.path()).unwrap().path(1).exists());
}

#[test]
fn no_run_begins_on_a_journal_that_is_damaged_before_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    journal(&dir);
    let read = |dir: &Path| Kept::open(dir, None).map(|kept| kept.found.verdict);
    assert_eq!(read(&dir), Ok(Verdict::Whole));
    let mut segments: Vec<_> = fs::read_dir(&dir).unwrap().map(|it| it.unwrap().path()).collect();
    segments.retain(|path| fs::metadata(path).is_ok_and(|it| it.len() > SEGMENT_HEAD as u64));
    segments.sort();
    for (at, byte) in [(0, 200), (0, SEGMENT_HEAD + 3), (segments.len() / 2, 300)] {
        let whole = fs::read(&segments[at]).unwrap();
        let mut spoilt = whole.clone();
        spoilt[byte] ^= 4;
        fs::write(&segments[at], &spoilt).unwrap();
        let why = read(&dir).unwrap_err();
        assert!(why.contains("the journal is damaged after record"), "{why}");
        assert!(why.contains("journal verify") && why.contains("move the folder away"), "{why}");
        assert_eq!(fs::read(&segments[at]).unwrap(), spoilt, "nothing is mended or cut");
        fs::write(&segments[at], whole).unwrap();
    }
    assert_eq!(read(&dir), Ok(Verdict::Whole));
}
