//! Commits, what they cover, and disks that do not do as they are told.

use super::super::durable::{Cover, JournalWriter, rings};
use super::super::memory::{DiskFaults, Memory};
use super::super::record::tests::samples;
use super::*;

const MS: u64 = 1_000_000;

fn at(ms: u64) -> Now {
    Now::at(Ns(ms * MS))
}

struct Rig {
    disk: Memory,
    tile: JournalTile<Memory>,
    writers: [JournalWriter; 4],
    durable: Durable,
    before: Vec<Record>,
    found: Verified,
}

fn rig(disk: &Memory, config: JournalConfig) -> Result<Rig, NotOpened> {
    let (durable, mut before) = (Durable::new(), Vec::new());
    let (writers, ends) = rings(&durable);
    let mut take = |_, record: &Record| before.push(*record);
    let opened = JournalTile::open(disk.clone(), ends, durable.clone(), config, &mut take);
    let (tile, found) = opened?;
    Ok(Rig { disk: disk.clone(), tile, writers, durable, before, found })
}

fn begun() -> Rig {
    let mut rig = rig(&Memory::new(), JournalConfig::default()).unwrap();
    rig.tile.begin(&samples()[..1], at(0)).unwrap();
    rig
}

#[test]
fn nothing_is_covered_before_its_commit_is_durable() {
    let mut rig = begun();
    rig.disk.set_faults(DiskFaults { sync: Ns(5 * MS), ..DiskFaults::default() });
    assert_eq!((rig.durable.seq(), rig.durable.ids()), (2, 1_024), "the run and its first block");
    let record = samples()[6];
    let first = rig.writers[2].write(&record);
    assert_eq!(first, Cover::Records(Source::Signer, 1));
    assert!(!rig.durable.covers(first));
    assert_eq!(rig.tile.step(at(1)), 1);
    let second = rig.writers[2].write(&record);
    assert_eq!(rig.tile.step(at(5)), 0, "the disk is busy");
    assert!(!rig.durable.covers(first) && rig.durable.seq() == 2);
    assert_eq!(rig.tile.step(at(6)), 1, "and goes on with what came meanwhile");
    assert!(rig.durable.covers(first) && !rig.durable.covers(second));
    rig.tile.step(at(11));
    assert!(rig.durable.covers(second) && !rig.tile.is_busy());
    assert!(!rig.durable.covers(Cover::Nothing));
    assert_eq!(rig.tile.figures().commits, 3);
}

#[test]
fn a_commit_took_as_long_as_the_disk_and_is_measured_once() {
    let mut rig = begun();
    rig.tile.stamp(at(0));
    rig.disk.set_faults(DiskFaults { sync: Ns(5 * MS), ..DiskFaults::default() });
    rig.writers[2].write(&samples()[6]);
    rig.tile.step(at(1));
    rig.tile.stamp(at(2));
    assert_eq!(rig.tile.commits().len(), 1, "the opening; this one is not durable");
    rig.tile.step(at(6));
    rig.tile.stamp(at(7));
    rig.tile.stamp(at(8));
    assert_eq!(rig.tile.commits().len(), 2);
    let longest = rig.tile.commits().raw().max();
    assert!((6 * MS..6 * MS + MS / 100).contains(&longest), "{longest}");
}

#[test]
fn many_records_are_one_commit() {
    let mut rig = begun();
    for _ in 0..200 {
        for writer in &mut rig.writers {
            writer.write(&samples()[12]);
        }
    }
    assert_eq!(rig.tile.step(at(1)), 800);
    let figures = rig.tile.figures();
    assert_eq!((figures.records, figures.commits, rig.disk.syncs()), (802, 2, 2));
}

#[test]
fn ids_are_reserved_before_they_run_out() {
    let mut rig = begun();
    let Record::Order(mut order) = samples()[7] else { unreachable!() };
    for bundle in 1..=3_000 {
        assert!(rig.durable.covers(Cover::Ids(bundle)), "bundle {bundle}");
        order.bundle.0 = bundle;
        rig.writers[0].write(&Record::Order(order));
        rig.tile.step(at(bundle));
    }
    assert!(!rig.durable.covers(Cover::Ids(3_000 + 2 * 1_024)), "and not without bound");
    // What recovery numbered is no bundle that comes next.
    order.bundle.0 = ADOPTED_FROM + 1;
    rig.writers[0].write(&Record::Order(order));
    rig.tile.step(at(3_001));
    assert!(!rig.durable.covers(Cover::Ids(3_000 + 2 * 1_024)));
}

#[test]
fn a_disk_that_fails_or_is_full_shuts_the_journal_and_holds_nobody_up() {
    for faults in [
        DiskFaults { sync_fails: true, ..DiskFaults::default() },
        DiskFaults { full: true, ..DiskFaults::default() },
    ] {
        let mut rig = begun();
        rig.disk.set_faults(faults);
        let cover = rig.writers[0].write(&samples()[7]);
        assert!(rig.writers[1].has_room());
        rig.tile.step(at(1));
        assert!(!rig.durable.is_open() && !rig.writers[1].has_room());
        let error = if faults.full { StorageError::Full } else { StorageError::Failed };
        assert_eq!(rig.tile.failed(), Some(error));
        rig.disk.set_faults(DiskFaults::default());
        for _ in 0..10_000 {
            rig.writers[0].write(&samples()[9]);
            rig.tile.step(at(2));
        }
        assert!(!rig.durable.covers(cover), "what failed once is never said to be durable");
        assert_eq!(rig.tile.figures().dropped, 10_000);
    }
}

#[test]
fn a_ring_that_overflows_shuts_the_journal() {
    let mut rig = begun();
    let mut begun = 0;
    while rig.writers[0].has_room() {
        rig.writers[0].write(&samples()[9]);
        begun += 1;
    }
    assert!(begun > 1_000 && rig.durable.is_open(), "there is room for what is under way");
    while rig.durable.is_open() {
        rig.writers[0].write(&samples()[9]);
        begun += 1;
    }
    assert!(begun > 4_000);
    assert_eq!(rig.writers[0].write(&samples()[9]), Cover::Nothing);
}

#[test]
fn after_any_crash_all_that_was_covered_is_there_and_the_next_run_goes_on() {
    for seed in 0..300 {
        let config = JournalConfig { segment_bytes: 8_192, ids_block: 64 };
        let disk = Memory::new();
        let mut covered = Vec::new();
        for run in 0..3 {
            let mut rig = rig(&disk, config).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
            assert!(rig.before.len() >= covered.len(), "seed {seed}, run {run}");
            assert_eq!(rig.before[..covered.len()], covered, "seed {seed}, run {run}");
            assert_eq!(rig.found.records, rig.before.len() as u64);
            rig.tile.begin(&samples()[..3], at(0)).unwrap();
            disk.set_faults(DiskFaults { sync: Ns(2 * MS), ..DiskFaults::default() });
            for step in 0..20 + seed % 13 {
                for record in samples().iter().take((step % 5) as usize) {
                    rig.writers[(step % 4) as usize].write(record);
                }
                rig.tile.step(at(step));
            }
            let durable = rig.durable.seq() as usize;
            disk.crash(seed * 7 + run);
            disk.set_faults(DiskFaults::default());
            covered.clear();
            let found = reader::read(&mut disk.clone(), &mut |_, r| covered.push(*r)).unwrap();
            assert!(!matches!(found.verdict, Verdict::Damaged(_)), "seed {seed}: {found:?}");
            assert!(covered.len() >= durable, "seed {seed}: {} of {durable}", covered.len());
        }
    }
}
