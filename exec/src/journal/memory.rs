//! A journal in memory that fails on request: what survives a crash is decided by a seed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::tile::Now;
use engine::units::Ns;

use super::storage::{Storage, StorageError, Synced};
use crate::backoff::Rng;

/// Unsynced bytes survive a crash, or do not, in pieces of this size.
const SECTOR: usize = 512;

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DiskFaults {
    /// A sync takes so long.
    pub sync: Ns,
    /// Every sync fails.
    pub sync_fails: bool,
    /// No byte more fits.
    pub full: bool,
}

#[derive(Debug, Default)]
struct Segment {
    bytes: Vec<u8>,
    /// Up to here it is appended to.
    end: usize,
    /// Up to here it is durable.
    durable: usize,
}

#[derive(Debug, Default)]
struct Disk {
    segments: BTreeMap<u64, Segment>,
    open: Option<u64>,
    /// When the sync under way ends.
    done_at: Option<Ns>,
    faults: DiskFaults,
    syncs: u64,
}

/// A disk in memory. Clones are the same disk: one is given to the journal, the other kept to
/// break it with.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Disk>>);

impl Memory {
    /// An empty disk on which nothing goes wrong.
    pub fn new() -> Memory {
        Memory::default()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        // Bytes are bytes, whatever became of the thread that wrote them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this goes wrong.
    pub fn set_faults(&self, faults: DiskFaults) {
        self.disk().faults = faults;
    }

    /// Syncs that ended.
    pub fn syncs(&self) -> u64 {
        self.disk().syncs
    }

    /// The power fails: what is durable stays, of the rest each sector stays or not, and the last
    /// one that stays may be torn.
    pub fn crash(&self, seed: u64) {
        let (mut rng, mut disk) = (Rng::new(seed), self.disk());
        disk.done_at = None;
        disk.open = None;
        for segment in disk.segments.values_mut() {
            let mut at = segment.durable;
            while at < segment.end {
                let to = (at / SECTOR * SECTOR + SECTOR).min(segment.end);
                let keep = match rng.next() % 4 {
                    0 | 1 => to,
                    2 => at,
                    _ => at + (rng.next() % (to - at + 1) as u64) as usize,
                };
                segment.bytes[keep..to].fill(0);
                at = to;
            }
            segment.durable = segment.end;
        }
    }

    /// Flips one bit.
    pub fn flip(&self, segment: u64, byte: usize, bit: u8) {
        let mut disk = self.disk();
        if let Some(byte) = disk.segments.get_mut(&segment).and_then(|s| s.bytes.get_mut(byte)) {
            *byte ^= 1 << (bit % 8);
        }
    }

    /// What is durable behind so many bytes of a segment, and of every later one: its number, where
    /// the bytes begin, and they.
    pub fn durable_behind(&self, segment: u64, byte: usize) -> Vec<(u64, usize, Vec<u8>)> {
        let disk = self.disk();
        let parts = disk.segments.range(segment..).map(|(number, found)| {
            let from = if *number == segment { byte.min(found.durable) } else { 0 };
            (*number, from, found.bytes[from..found.durable].to_vec())
        });
        parts.filter(|(.., bytes)| !bytes.is_empty()).collect()
    }

    /// Copies of all segments: number, bytes, and how many of them were written.
    pub fn contents(&self) -> Vec<(u64, Vec<u8>, usize)> {
        let disk = self.disk();
        disk.segments.iter().map(|(n, s)| (*n, s.bytes.clone(), s.end)).collect()
    }
}

impl Storage for Memory {
    fn segments(&mut self) -> Result<Vec<u64>, StorageError> {
        Ok(self.disk().segments.keys().copied().collect())
    }

    fn read(&mut self, segment: u64, to: &mut Vec<u8>) -> Result<(), StorageError> {
        to.clear();
        let disk = self.disk();
        to.extend_from_slice(&disk.segments.get(&segment).ok_or(StorageError::Failed)?.bytes);
        Ok(())
    }

    fn create(&mut self, segment: u64, bytes: usize, head: &[u8]) -> Result<(), StorageError> {
        let mut disk = self.disk();
        if disk.faults.full {
            return Err(StorageError::Full);
        }
        let mut room = vec![0; bytes.max(head.len())];
        room[..head.len()].copy_from_slice(head);
        let (end, durable) = (head.len(), head.len());
        disk.segments.insert(segment, Segment { bytes: room, end, durable });
        disk.open = Some(segment);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let mut disk = self.disk();
        if disk.faults.full {
            return Err(StorageError::Full);
        }
        let open = disk.open.ok_or(StorageError::Failed)?;
        let segment = disk.segments.get_mut(&open).ok_or(StorageError::Failed)?;
        let (at, to) = (segment.end, segment.end + bytes.len());
        let room = segment.bytes.get_mut(at..to).ok_or(StorageError::Full)?;
        room.copy_from_slice(bytes);
        segment.end = to;
        Ok(())
    }

    fn sync(&mut self, now: Now) -> Result<Synced, StorageError> {
        let mut disk = self.disk();
        if disk.faults.sync_fails {
            return Err(StorageError::Failed);
        }
        let slow = disk.faults.sync;
        let done_at = *disk.done_at.get_or_insert(now.mono.after(slow));
        if now.mono < done_at {
            return Ok(Synced::Pending);
        }
        disk.done_at = None;
        disk.syncs += 1;
        disk.segments.values_mut().for_each(|segment| segment.durable = segment.end);
        Ok(Synced::Done)
    }

    fn cut(&mut self, segment: u64, len: usize) -> Result<(), StorageError> {
        let mut disk = self.disk();
        let segment = disk.segments.get_mut(&segment).ok_or(StorageError::Failed)?;
        segment.bytes.truncate(len);
        segment.end = segment.end.min(len);
        segment.durable = segment.durable.min(len);
        Ok(())
    }
}
