//! The tile that writes the journal: takes what came, commits all of it at once, and says how far
//! it is durable.

use engine::latency::StageHistogram;
use engine::tile::{Now, Tile};
use engine::units::Ns;
use rtrb::Consumer;

use super::durable::{Durable, Source};
use super::frame::{self, Chain, FRAME_LEN_MAX, SEGMENT_HEAD, SegmentHead};
use super::reader::{self, Verdict, Verified};
use super::record::{ADOPTED_FROM, RECORD_LEN_MAX, Record};
use super::storage::{SEGMENT_BYTES, Storage, StorageError, Synced};

/// Records of one source in one commit, so that no source waits for another.
const BATCH: usize = 256;

/// Room for one commit.
const BUFFER_BYTES: usize = Source::ALL.len() * (BATCH + 1) * FRAME_LEN_MAX;

/// How a journal is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JournalConfig {
    /// Bytes of a segment.
    pub segment_bytes: usize,
    /// Bundles whose ids are reserved at once; the next block follows when half of one is used.
    pub ids_block: u64,
}

impl Default for JournalConfig {
    fn default() -> JournalConfig {
        JournalConfig { segment_bytes: SEGMENT_BYTES, ids_block: 1_024 }
    }
}

/// Why a journal cannot be written on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotOpened {
    /// The storage.
    Storage(StorageError),
    /// It is damaged before its end. Nobody may trade on what is left of it.
    Damaged(Verified),
}

impl core::fmt::Display for NotOpened {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            NotOpened::Storage(error) => core::fmt::Display::fmt(error, f),
            NotOpened::Damaged(Verified { verdict, segment, end, last, .. }) => {
                let what = match verdict {
                    Verdict::Damaged(damage) => damage.to_string(),
                    Verdict::Whole | Verdict::Torn => "it is not whole".to_owned(),
                };
                write!(
                    f,
                    "the journal is damaged after record {last} (segment {segment}, byte {end}): {what}"
                )
            }
        }
    }
}

impl core::error::Error for NotOpened {}

/// What the tile did.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct JournalFigures {
    /// Records written.
    pub records: u64,
    /// Commits that became durable.
    pub commits: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Records that came after the storage had failed.
    pub dropped: u64,
}

/// Writes the journal.
pub struct JournalTile<S> {
    storage: S,
    rings: [Consumer<Record>; Source::ALL.len()],
    durable: Durable,
    config: JournalConfig,
    /// The next record's number, and the chain before it.
    next: u64,
    chain: Chain,
    segment: u64,
    /// Bytes of it that are written, and all.
    used: usize,
    room: usize,
    buffer: Vec<u8>,
    scratch: Vec<u8>,
    /// Records in the buffer.
    back: u32,
    /// Taken from each ring.
    taken: [u64; Source::ALL.len()],
    /// The last bundle that was seen, and the last whose ids are reserved.
    seen: u64,
    reserved: u64,
    /// A commit was appended and is not durable yet; since when, monotonic.
    syncing: Option<Ns>,
    /// One became durable in this step that had begun then.
    done: Option<Ns>,
    failed: Option<StorageError>,
    figures: JournalFigures,
    latency: StageHistogram,
}

impl<S: Storage> JournalTile<S> {
    /// Reads the journal that is there, hands every record to `take`, cuts a torn tail off, and
    /// makes the tile that goes on behind it. Nothing is written before [`JournalTile::begin`].
    ///
    /// # Errors
    /// Where the storage fails, or the journal is damaged before its end.
    pub fn open(
        mut storage: S,
        rings: [Consumer<Record>; Source::ALL.len()],
        durable: Durable,
        config: JournalConfig,
        take: &mut dyn FnMut(u64, &Record),
    ) -> Result<(JournalTile<S>, Verified), NotOpened> {
        let found = reader::read(&mut storage, take).map_err(NotOpened::Storage)?;
        match found.verdict {
            Verdict::Damaged(_) => return Err(NotOpened::Damaged(found)),
            Verdict::Torn => {
                storage.cut(found.segment, found.end).map_err(NotOpened::Storage)?;
            }
            Verdict::Whole => {}
        }
        let tile = JournalTile {
            storage,
            rings,
            durable,
            config,
            next: found.last + 1,
            chain: found.chain,
            segment: found.segment,
            used: 0,
            room: 0,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            scratch: Vec::with_capacity(RECORD_LEN_MAX),
            back: 0,
            taken: [0; Source::ALL.len()],
            seen: 0,
            reserved: 0,
            syncing: None,
            done: None,
            failed: None,
            figures: JournalFigures::default(),
            latency: StageHistogram::new(),
        };
        Ok((tile, found))
    }

    /// Begins a run in a segment of its own with these records and the first block of ids. On
    /// storage that blocks all of it is durable when this returns.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn begin(&mut self, opening: &[Record], now: Now) -> Result<(), StorageError> {
        // However many pairs there are, it is one commit in one segment.
        let bytes = SEGMENT_HEAD + (opening.len() + 1) * FRAME_LEN_MAX;
        self.turn(bytes.max(self.config.segment_bytes))?;
        opening.iter().for_each(|record| self.put(record));
        self.reserve();
        self.commit(now)
    }

    /// What it did so far.
    pub const fn figures(&self) -> JournalFigures {
        self.figures
    }

    /// From where what came is taken into a commit to where the storage holds it.
    pub const fn commits(&self) -> &StageHistogram {
        &self.latency
    }

    /// Why it cannot write any more.
    pub const fn failed(&self) -> Option<StorageError> {
        self.failed
    }

    /// True while something is not durable yet.
    pub fn is_busy(&self) -> bool {
        self.failed.is_none()
            && (self.syncing.is_some() || self.rings.iter().any(|ring| !ring.is_empty()))
    }

    /// The storage, to look at it.
    pub const fn storage(&self) -> &S {
        &self.storage
    }

    /// Begins the next segment, before anything of the next commit is put.
    fn turn(&mut self, bytes: usize) -> Result<(), StorageError> {
        let number = self.segment + 1;
        let mut head = Vec::with_capacity(SEGMENT_HEAD);
        SegmentHead { number, first: self.next, chain: self.chain }.put(&mut head);
        self.storage.create(number, bytes, &head)?;
        (self.segment, self.used, self.room) = (number, SEGMENT_HEAD, bytes);
        Ok(())
    }

    /// True where one more record fits into the segment, whatever it is.
    fn fits(&self) -> bool {
        let end = self.used.saturating_add(self.buffer.len() + FRAME_LEN_MAX);
        end <= self.room
    }

    fn put(&mut self, record: &Record) {
        // Recovery's own numbers are no bundle's: blocks of ids do not follow them.
        if let Record::Order(order) = record
            && order.bundle.0 < ADOPTED_FROM
        {
            self.seen = self.seen.max(order.bundle.0);
        }
        self.scratch.clear();
        record.encode(&mut self.scratch);
        let (seq, back) = (self.next, self.back);
        self.chain = frame::put(&self.scratch, seq, back, &self.chain, &mut self.buffer);
        self.next += 1;
        self.back += 1;
    }

    /// Reserves the next block of ids where half of the last one is used.
    fn reserve(&mut self) {
        if self.reserved == 0
            || self.reserved - self.seen.min(self.reserved) < self.config.ids_block / 2
        {
            let first = self.reserved + 1;
            self.reserved = self.reserved.max(self.seen) + self.config.ids_block;
            self.put(&Record::Ids { first, last: self.reserved });
        }
    }

    /// Appends what was put, and makes it durable or begins to.
    fn commit(&mut self, now: Now) -> Result<(), StorageError> {
        self.storage.append(&self.buffer)?;
        self.used += self.buffer.len();
        self.figures.bytes += self.buffer.len() as u64;
        self.figures.records += u64::from(self.back);
        self.buffer.clear();
        self.back = 0;
        self.syncing = Some(now.mono);
        self.sync(now)
    }

    fn sync(&mut self, now: Now) -> Result<(), StorageError> {
        if self.storage.sync(now)? == Synced::Done {
            self.done = self.syncing.take();
            self.figures.commits += 1;
            self.durable.publish(self.next - 1, self.reserved, &self.taken);
        }
        Ok(())
    }

    /// Takes what came into one commit.
    fn gather(&mut self, now: Now) -> Result<usize, StorageError> {
        if self.rings.iter().all(Consumer::is_empty) {
            return Ok(0);
        }
        if !self.fits() {
            self.turn(self.config.segment_bytes)?;
        }
        let mut done = 0;
        for number in 0..self.rings.len() {
            for _ in 0..BATCH {
                if !self.fits() {
                    break;
                }
                let Ok(record) = self.rings[number].pop() else { break };
                self.put(&record);
                self.taken[number] += 1;
                done += 1;
            }
        }
        if self.fits() {
            self.reserve();
        }
        self.commit(now)?;
        Ok(done)
    }

    fn work(&mut self, now: Now) -> Result<usize, StorageError> {
        if self.syncing.is_some() {
            self.sync(now)?;
            if self.syncing.is_some() {
                return Ok(0);
            }
        }
        self.gather(now)
    }
}

impl<S: Storage> Tile for JournalTile<S> {
    const NAME: &'static str = "journal";

    /// One commit. Whatever the storage does, those who write never wait: after a failure their
    /// records are counted and dropped, and no order leaves any more.
    fn step(&mut self, now: Now) -> usize {
        if self.failed.is_some() {
            let dropped: usize = self.rings.iter_mut().map(drain).sum();
            self.figures.dropped += dropped as u64;
            return dropped;
        }
        self.work(now).unwrap_or_else(|error| {
            self.failed = Some(error);
            self.durable.shut();
            0
        })
    }

    /// The disk was waited for in the step that ended now.
    fn stamp(&mut self, now: Now) {
        if let Some(began) = self.done.take() {
            self.latency.record(now.mono.since(began).0);
        }
    }

    fn next_deadline(&self) -> Option<Ns> {
        None
    }
}

fn drain(ring: &mut Consumer<Record>) -> usize {
    let mut count = 0;
    while ring.pop().is_ok() {
        count += 1;
    }
    count
}

#[cfg(test)]
#[path = "tile_tests.rs"]
mod tests;
