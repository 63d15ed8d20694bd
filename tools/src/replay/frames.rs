//! Recorded frames on their way from the tape's thread to the feed tiles: in batches that are
//! used again, so that a replay allocates nothing once it runs.

use engine::units::{Ns, Venue};
use feeds::feed::{Input, Source};
use rtrb::{Consumer, Producer};

use crate::tape::record::{Body, Record};

/// Frames of one batch: enough that handing over a batch costs nothing a frame, few enough that
/// two venues' batches stay in the second-level cache.
pub const BATCH_FRAMES: usize = 512;
/// Bytes after which a batch is handed over, however few its frames are.
pub const BATCH_BYTES: usize = 256 * 1024;
/// Batches on their way to one feed.
pub const BATCH_RING_DEPTH: usize = 16;
/// Frames in a row that the core may be told of ahead: all batches on their way.
pub const ORDER_RING_DEPTH: usize = 65_536;
// Whatever the tape's thread may announce fits, so announcing never has to wait for a feed that
// waits for the core.
const _: () = assert!(ORDER_RING_DEPTH >= 2 * BATCH_RING_DEPTH * BATCH_FRAMES);

/// Frames of one venue in the order of the tape.
pub struct Batch {
    bytes: Vec<u8>,
    index: Vec<Entry>,
}

struct Entry {
    recv: Ns,
    conn: u32,
    /// End of the frame in `bytes`; `None` for a new connection.
    end: Option<usize>,
}

impl Batch {
    fn with_room() -> Batch {
        Batch { bytes: Vec::with_capacity(BATCH_BYTES), index: Vec::with_capacity(BATCH_FRAMES) }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.index.clear();
    }

    fn push(&mut self, record: &Record<'_>) {
        let end = match record.body {
            Body::Connected | Body::Mark(..) => None,
            Body::Frame(frame) => {
                self.bytes.extend_from_slice(frame);
                Some(self.bytes.len())
            }
        };
        self.index.push(Entry { recv: record.recv, conn: record.conn, end });
    }

    fn is_full(&self) -> bool {
        self.index.len() >= BATCH_FRAMES || self.bytes.len() >= BATCH_BYTES
    }
}

/// The tape thread's end of a venue: fills batches and sends them.
pub struct BatchSender {
    batch: Box<Batch>,
    full: Producer<Box<Batch>>,
    empty: Consumer<Box<Batch>>,
}

/// The feed tile's end of a venue: a source of frames.
pub struct BatchSource {
    batch: Box<Batch>,
    at: usize,
    /// Where the next frame starts.
    start: usize,
    full: Consumer<Box<Batch>>,
    empty: Producer<Box<Batch>>,
}

/// Both ends of a venue's way from the tape to its feed.
pub fn batches() -> (BatchSender, BatchSource) {
    let (full_tx, full_rx) = rtrb::RingBuffer::new(BATCH_RING_DEPTH);
    // All batches that exist fit: one at either end and those on their way.
    let (mut empty_tx, empty_rx) = rtrb::RingBuffer::new(BATCH_RING_DEPTH + 2);
    for _ in 0..BATCH_RING_DEPTH {
        // A new ring has that much room.
        let _ = empty_tx.push(Box::new(Batch::with_room()));
    }
    let sender =
        BatchSender { batch: Box::new(Batch::with_room()), full: full_tx, empty: empty_rx };
    let source = BatchSource {
        batch: Box::new(Batch::with_room()),
        at: 0,
        start: 0,
        full: full_rx,
        empty: empty_tx,
    };
    (sender, source)
}

impl BatchSender {
    /// Adds a record; true where the batch should be sent now.
    pub fn push(&mut self, record: &Record<'_>) -> bool {
        self.batch.push(record);
        self.batch.is_full()
    }

    /// Sends what was gathered, if the feed has room; false where it has to be tried again.
    pub fn send(&mut self) -> bool {
        if self.batch.index.is_empty() {
            return true;
        }
        if self.full.is_full() {
            return false;
        }
        let Ok(next) = self.empty.pop() else { return false };
        let batch = core::mem::replace(&mut self.batch, next);
        // Checked above, and nobody else pushes.
        self.full.push(batch).is_ok()
    }
}

impl Source for BatchSource {
    #[inline]
    fn next(&mut self) -> Option<(u32, Ns, Input<'_>)> {
        if self.at == self.batch.index.len() {
            let next = self.full.pop().ok()?;
            let mut done = core::mem::replace(&mut self.batch, next);
            done.clear();
            // The ring has room for every batch there is.
            let _ = self.empty.push(done);
            self.at = 0;
            self.start = 0;
        }
        let entry = self.batch.index.get(self.at)?;
        self.at += 1;
        let Some(end) = entry.end else { return Some((entry.conn, entry.recv, Input::Connected)) };
        let frame = &self.batch.bytes[self.start..end];
        self.start = end;
        Some((entry.conn, entry.recv, Input::Frame(frame)))
    }
}

/// The order in which the core takes the feeds' frames: a venue a frame.
pub struct OrderSender {
    ring: Producer<Venue>,
    gathered: Vec<Venue>,
}

/// Both ends of the order.
pub fn order() -> (OrderSender, Consumer<Venue>) {
    let (ring, order) = rtrb::RingBuffer::new(ORDER_RING_DEPTH);
    (OrderSender { ring, gathered: Vec::with_capacity(2 * BATCH_FRAMES) }, order)
}

impl OrderSender {
    /// The next frame is one of that venue's.
    pub fn push(&mut self, venue: Venue) {
        self.gathered.push(venue);
    }

    /// True where the order should be announced before more is gathered.
    pub fn is_full(&self) -> bool {
        self.gathered.len() >= 2 * BATCH_FRAMES
    }

    /// Announces what was gathered, once the batches it speaks of are sent; false where it has to
    /// be tried again.
    pub fn send(&mut self) -> bool {
        let room = self.ring.slots();
        if room < self.gathered.len() {
            return false;
        }
        for venue in self.gathered.drain(..) {
            // There is room for all of them.
            let _ = self.ring.push(venue);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_in_order_whatever_the_batches() {
        let (mut sender, mut source) = batches();
        let mut expected = 0u64;
        let mut sent = 0u64;
        while expected < 5_000 {
            let frame = sent.to_string();
            let body = if sent.is_multiple_of(97) {
                Body::Connected
            } else {
                Body::Frame(frame.as_bytes())
            };
            let record = Record { recv: Ns(sent), venue: Venue::Kalshi, conn: 3, body };
            let full = sender.push(&record);
            sent += 1;
            if (full || sent.is_multiple_of(611)) && sender.send() {
                while let Some((conn, recv, input)) = source.next() {
                    assert_eq!((conn, recv), (3, Ns(expected)));
                    match input {
                        Input::Connected => assert!(expected.is_multiple_of(97)),
                        Input::Frame(frame) => assert_eq!(frame, expected.to_string().as_bytes()),
                        other => panic!("a tape of frames has no {other:?}"),
                    }
                    expected += 1;
                }
            }
        }
    }
}
