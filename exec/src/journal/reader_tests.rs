//! Whatever is cut, flipped or left out: the good prefix is kept, and damage is named.

use super::super::durable::{Durable, rings};
use super::super::memory::Memory;
use super::super::record::tests::samples;
use super::super::tile::{JournalConfig, JournalTile};
use super::*;
use engine::tile::{Now, Tile as _};
use proptest::prelude::*;

/// Some records in several commits and segments.
fn journal(commits: usize) -> (Memory, Vec<Record>) {
    let (disk, durable) = (Memory::new(), Durable::new());
    let ([mut writer, ..], ends) = rings(&durable);
    let config = JournalConfig { segment_bytes: 4_096, ids_block: 1 << 40 };
    let opened = JournalTile::open(disk.clone(), ends, durable, config, &mut |_, _| {});
    let mut tile = opened.unwrap().0;
    let all = samples();
    tile.begin(&all[..1], Now::default()).unwrap();
    for commit in 0..commits {
        for record in all.iter().skip(commit % 7).take(1 + commit % 4) {
            writer.write(record);
        }
        while tile.is_busy() {
            tile.step(Now::default());
        }
    }
    let mut written = Vec::new();
    let found = read(&mut disk.clone(), &mut |_, record| written.push(*record)).unwrap();
    assert_eq!((found.verdict, found.rest), (Verdict::Whole, 0));
    assert_eq!(found.records, written.len() as u64);
    (disk, written)
}

fn reread(disk: &Memory) -> (Verified, Vec<Record>) {
    let mut records = Vec::new();
    let found = read(&mut disk.clone(), &mut |seq, record| {
        records.push(*record);
        assert_eq!(seq, records.len() as u64);
    });
    (found.unwrap(), records)
}

#[test]
fn what_is_written_is_read_and_segments_follow_each_other() {
    let (disk, written) = journal(60);
    assert!(disk.contents().len() > 3, "{} segments", disk.contents().len());
    let (found, records) = reread(&disk);
    assert_eq!((found.segments as usize, found.last), (disk.contents().len(), found.records));
    assert_eq!(records, written);
}

#[test]
fn whoever_follows_a_journal_reads_each_record_once_and_nothing_again() {
    let (disk, durable) = (Memory::new(), Durable::new());
    let ([mut writer, ..], ends) = rings(&durable);
    let config = JournalConfig { segment_bytes: 4_096, ids_block: 1 << 40 };
    let opened = JournalTile::open(disk.clone(), ends, durable, config, &mut |_, _| {});
    let mut tile = opened.unwrap().0;
    let all = samples();
    tile.begin(&all[..1], Now::default()).unwrap();
    let (mut followed, mut found) = (Vec::new(), Verified::EMPTY);
    for commit in 0..60 {
        for record in all.iter().skip(commit % 7).take(1 + commit % 4) {
            writer.write(record);
        }
        while tile.is_busy() {
            tile.step(Now::default());
        }
        let before = found.last;
        let mut take = |seq, record: &Record| {
            assert!(seq > before, "{seq} again");
            followed.push(*record);
        };
        found = read_on(&mut disk.clone(), &found, &mut take).unwrap();
        assert_eq!(found.verdict, Verdict::Whole, "commit {commit}");
    }
    let (whole, records) = reread(&disk);
    assert_eq!((found, followed), (whole, records));
    assert!(found.segments > 3);
    // What was read is not looked at again.
    disk.flip(disk.contents()[0].0, SEGMENT_HEAD + 40, 1);
    assert!(matches!(reread(&disk).0.verdict, Verdict::Damaged(_)));
    let again = read_on(&mut disk.clone(), &found, &mut |seq, _| panic!("{seq}")).unwrap();
    assert_eq!(again, found);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_flipped_bit_anywhere_keeps_the_prefix_and_shows(place in any::<u64>(), bit in 0u8..8) {
        let (disk, written) = journal(24);
        let contents = disk.contents();
        let (segment, _, used) = &contents[(place % contents.len() as u64) as usize];
        let byte = (place / 8) as usize % used;
        disk.flip(*segment, byte, bit);
        let (found, records) = reread(&disk);
        prop_assert!(found.verdict != Verdict::Whole, "segment {segment} byte {byte}");
        prop_assert!(records.len() < written.len());
        prop_assert_eq!(&records[..], &written[..records.len()]);
        let (last, _, _) = contents.last().unwrap();
        // Only the last commit of all may be taken for a crash.
        if found.verdict == Verdict::Torn {
            prop_assert_eq!(segment, last);
            prop_assert!(written.len() - records.len() <= 5, "{}", written.len() - records.len());
        }
    }

    #[test]
    fn a_cut_keeps_the_prefix_and_is_torn_or_whole(len in any::<usize>()) {
        let (disk, written) = journal(12);
        let (segment, _, used) = disk.contents().pop().unwrap();
        let len = SEGMENT_HEAD + len % (used - SEGMENT_HEAD + 1);
        disk.clone().cut(segment, len).unwrap();
        let (found, records) = reread(&disk);
        prop_assert!(matches!(found.verdict, Verdict::Whole | Verdict::Torn), "{found:?}");
        prop_assert_eq!(&records[..], &written[..records.len()]);
        prop_assert!(found.end + found.rest <= len, "{found:?}");
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let mut disk = Memory::new();
        disk.create(1, bytes.len(), &bytes).unwrap();
        let found = read(&mut disk, &mut |_, _| {}).unwrap();
        prop_assert_eq!(found.verdict, Verdict::Damaged(Damage::Head));
    }
}

#[test]
fn a_segment_that_is_missing_shows() {
    let (disk, written) = journal(60);
    let (mut bytes, mut without) = (Vec::new(), Memory::new());
    for (number, all, _) in disk.contents() {
        if number != 3 {
            bytes.clone_from(&all);
            without.create(number, 0, &bytes).unwrap();
        }
    }
    let (found, records) = reread(&without);
    assert_eq!(found.verdict, Verdict::Damaged(Damage::Missing));
    assert_eq!(records[..], written[..records.len()]);
}
