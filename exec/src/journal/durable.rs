//! Who writes into the journal, and what they may count on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Release};

use rtrb::{Consumer, Producer, RingBuffer};

use super::record::Record;

/// Records on their way to the journal: an order causes some ten, so that this is the work of
/// some hundred orders while the disk takes its time.
pub const JOURNAL_RING_DEPTH: usize = 4_096;

/// With less room than this, nothing new is begun: what is under way still causes records.
const ROOM_MIN: usize = JOURNAL_RING_DEPTH / 2;

/// Who writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Source {
    /// Kalshi's gate.
    Kalshi = 0,
    /// Polymarket's gate.
    Polymarket = 1,
    /// The signer.
    Signer = 2,
    /// Whoever watches the run.
    Watch = 3,
}

impl Source {
    /// All of them in the order of their numbers.
    pub const ALL: [Source; 4] =
        [Source::Kalshi, Source::Polymarket, Source::Signer, Source::Watch];
}

/// What an order needs to be durable before it may leave.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cover {
    /// The block of ids that this bundle belongs to.
    Ids(u64),
    /// So many records of a source.
    Records(Source, u64),
    /// Something that is not written yet.
    Nothing,
}

#[derive(Debug, Default)]
struct Shared {
    seq: AtomicU64,
    ids: AtomicU64,
    records: [AtomicU64; Source::ALL.len()],
    shut: AtomicBool,
}

/// How far the journal is durable. Clones are the same journal.
#[derive(Clone, Debug, Default)]
pub struct Durable(Arc<Shared>);

impl Durable {
    /// Nothing yet.
    pub fn new() -> Durable {
        Durable::default()
    }

    /// The sequence number up to which all is durable.
    pub fn seq(&self) -> u64 {
        self.0.seq.load(Acquire) // SYNC: the Release store in `publish`
    }

    /// The last bundle whose ids are reserved durably.
    pub fn ids(&self) -> u64 {
        self.0.ids.load(Acquire) // SYNC: the Release store in `publish`
    }

    /// True while the journal can be counted on. Once it is not, it stays so until a restart.
    #[inline]
    pub fn is_open(&self) -> bool {
        !self.0.shut.load(Acquire) // SYNC: the Release store in `shut`
    }

    /// Whether that is durable.
    #[inline]
    pub fn covers(&self, cover: Cover) -> bool {
        match cover {
            Cover::Ids(bundle) => bundle <= self.ids(),
            // SYNC: the Release store in `publish`
            Cover::Records(source, count) => count <= self.0.records[source as usize].load(Acquire),
            Cover::Nothing => false,
        }
    }

    /// The journal cannot be counted on any more: no order may leave.
    pub fn shut(&self) {
        self.0.shut.store(true, Release); // SYNC: the Acquire load in `is_open`
    }

    pub(super) fn publish(&self, seq: u64, ids: u64, records: &[u64; Source::ALL.len()]) {
        for (to, count) in self.0.records.iter().zip(records) {
            to.store(*count, Release); // SYNC: the Acquire load in `covers`
        }
        self.0.ids.store(ids, Release); // SYNC: the Acquire load in `ids`
        self.0.seq.store(seq, Release); // SYNC: the Acquire load in `seq`
    }
}

/// A tile's end of the journal.
#[derive(Debug)]
pub struct JournalWriter {
    ring: Producer<Record>,
    source: Source,
    written: u64,
    durable: Durable,
}

impl JournalWriter {
    /// Writes a record, and says what to ask for to know that it is durable.
    ///
    /// Without room the record is lost, and with it the journal: it shuts, and no order leaves any
    /// more. Whoever heeds [`JournalWriter::has_room`] never gets there.
    #[inline]
    pub fn write(&mut self, record: &Record) -> Cover {
        if self.ring.push(*record).is_err() {
            self.durable.shut();
            return Cover::Nothing;
        }
        self.written += 1;
        Cover::Records(self.source, self.written)
    }

    /// True while new work may be begun: the journal works and its ring is far from full.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.durable.is_open() && self.ring.slots() >= ROOM_MIN
    }

    /// How far the journal is durable.
    pub const fn durable(&self) -> &Durable {
        &self.durable
    }
}

/// The ends of a journal's rings, by [`Source`]: for those who write, and for the tile.
pub fn rings(durable: &Durable) -> ([JournalWriter; 4], [Consumer<Record>; 4]) {
    let pairs = Source::ALL.map(|source| {
        let (ring, from) = RingBuffer::new(JOURNAL_RING_DEPTH);
        (JournalWriter { ring, source, written: 0, durable: durable.clone() }, from)
    });
    let [(a, one), (b, two), (c, three), (d, four)] = pairs;
    ([a, b, c, d], [one, two, three, four])
}
