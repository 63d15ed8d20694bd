//! Recorded frames on their way from the tape's thread to the feed tiles: in batches that are
//! used again, so that a replay allocates nothing once it runs.

use engine::units::{Ns, Venue};
use feeds::feed::{Input, Source};
use rtrb::{Consumer, Producer};

use super::stream::{Open, Sealed, WORDS};
use crate::tape::record::{Body, Record};
use crate::tape::{QUOTED_MAX, unquote};

/// Frames of one batch: enough that handing over a batch costs next to nothing a frame, few enough
/// that a feed begins soon after the tape's thread, and ends soon after it.
pub const BATCH_FRAMES: usize = 256;
/// Bytes after which a batch is handed over, however few its frames are.
pub const BATCH_BYTES: usize = 128 * 1024;
/// Room for the frame that fills a batch; a longer one makes its batch grow, once.
const BATCH_SLACK: usize = 16 * 1024;
/// Batches on their way to one feed.
pub const BATCH_RING_DEPTH: usize = 32;
/// Frames in a row that the core may be told of ahead: all batches on their way.
pub const ORDER_RING_DEPTH: usize = 65_536;
// Whatever the tape's thread may announce fits, so announcing never has to wait for a feed that
// waits for the core.
const _: () = assert!(ORDER_RING_DEPTH >= 2 * BATCH_RING_DEPTH * BATCH_FRAMES);

/// What a record of a batch is.
const FRAME: u8 = 0;
const CONNECTED: u8 = 1;
/// A frame whose quotes are escaped still.
const QUOTED: u8 = 2;

/// Records of one venue in the order of the tape, each behind its receive stamp and the number of
/// its connection.
struct Filling {
    records: Open,
    count: usize,
}

impl Filling {
    fn push(&mut self, record: &Record<'_>, quoted: bool) {
        let (kind, frame) = match record.body {
            Body::Connected | Body::Mark(..) => (CONNECTED, &[][..]),
            Body::Frame(frame) if quoted => (QUOTED, frame),
            Body::Frame(frame) => (FRAME, frame),
        };
        let mut words = [kind; WORDS];
        words[..8].copy_from_slice(&record.recv.0.to_le_bytes());
        words[8..12].copy_from_slice(&record.conn.to_le_bytes());
        self.records.push(words, frame);
        self.count += 1;
    }

    fn is_full(&self) -> bool {
        self.count >= BATCH_FRAMES || self.records.len() >= BATCH_BYTES
    }
}

/// The tape thread's end of a venue: fills batches and sends them.
pub struct BatchSender {
    batch: Filling,
    full: Producer<Sealed>,
    empty: Consumer<Open>,
}

/// The feed tile's end of a venue: a source of frames.
pub struct BatchSource {
    batch: Sealed,
    /// Where the next record stands.
    at: usize,
    /// Room for a frame whose quotes were escaped, and the next frame's length where it is there.
    unquoted: Box<[u8]>,
    ready: Option<usize>,
    full: Consumer<Sealed>,
    empty: Producer<Open>,
}

/// Both ends of a venue's way from the tape to its feed.
pub fn batches() -> (BatchSender, BatchSource) {
    let (full_tx, full_rx) = rtrb::RingBuffer::new(BATCH_RING_DEPTH);
    // All batches that exist fit: one at either end and those on their way.
    let (mut empty_tx, empty_rx) = rtrb::RingBuffer::new(BATCH_RING_DEPTH + 2);
    let new = || Open::with_room(BATCH_BYTES + BATCH_SLACK);
    for _ in 0..BATCH_RING_DEPTH {
        // A new ring has that much room.
        let _ = empty_tx.push(new());
    }
    let batch = Filling { records: new(), count: 0 };
    let sender = BatchSender { batch, full: full_tx, empty: empty_rx };
    let source = BatchSource {
        batch: new().seal(),
        at: 0,
        unquoted: vec![0; QUOTED_MAX].into(),
        ready: None,
        full: full_rx,
        empty: empty_tx,
    };
    (sender, source)
}

impl BatchSender {
    /// Batches that the feed has not begun.
    pub fn waiting(&self) -> usize {
        BATCH_RING_DEPTH - self.full.slots()
    }

    /// Adds a record; true where the batch should be sent now.
    #[inline]
    pub fn push(&mut self, record: &Record<'_>) -> bool {
        self.batch.push(record, false);
        self.batch.is_full()
    }

    /// The same of a record whose frame's quotes are escaped still.
    #[inline]
    pub fn push_quoted(&mut self, record: &Record<'_>) -> bool {
        self.batch.push(record, true);
        self.batch.is_full()
    }

    /// Sends what was gathered, if the feed has room; false where it has to be tried again.
    pub fn send(&mut self) -> bool {
        if self.batch.count == 0 {
            return true;
        }
        if self.full.is_full() {
            return false;
        }
        let Ok(next) = self.empty.pop() else { return false };
        self.batch.count = 0;
        let batch = core::mem::replace(&mut self.batch.records, next);
        // Checked above, and nobody else pushes.
        self.full.push(batch.seal()).is_ok()
    }
}

impl BatchSource {
    /// Moves to the next batch where this one is done; false where none has come.
    #[inline]
    fn refill(&mut self) -> bool {
        if self.at == self.batch.end() {
            let Ok(next) = self.full.pop() else { return false };
            let done = core::mem::replace(&mut self.batch, next);
            // The ring has room for every batch there is.
            let _ = self.empty.push(done.reopen());
            self.at = 0;
        }
        true
    }

    /// Unescapes the next record of the batch where that is left to do.
    #[inline]
    fn unquote_next(&mut self) {
        if self.ready.is_none()
            && let Some(([.., QUOTED], text, _)) = self.batch.get(self.at)
        {
            self.ready = Some(unquote(text, &mut self.unquoted));
        }
    }
}

impl Source for BatchSource {
    #[inline]
    fn prepare(&mut self) {
        if self.refill() {
            self.unquote_next();
        }
    }

    #[inline]
    fn next(&mut self) -> Option<(u32, Ns, Input<'_>)> {
        if !self.refill() {
            return None;
        }
        self.unquote_next();
        let (words, frame, next) = self.batch.get(self.at)?;
        self.at = next;
        let [a, b, c, d, e, f, g, h, i, j, k, l, kind] = words;
        let recv = Ns(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
        let conn = u32::from_le_bytes([i, j, k, l]);
        let input = match (kind, self.ready.take()) {
            (CONNECTED, _) => Input::Connected,
            (_, Some(len)) => Input::Frame(&self.unquoted[..len]),
            (_, None) => Input::Frame(frame),
        };
        Some((conn, recv, input))
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
        // As a whole: a core that waits for its next frame fetches the ring's end from this
        // thread once, not after each.
        if self.ring.push_entire_slice(&self.gathered).is_err() {
            return false;
        }
        self.gathered.clear();
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
            // Every third frame is escaped, and means the same.
            let quoted = sent.is_multiple_of(3);
            let frame = if quoted { format!("\\\"{sent}\\\"") } else { format!("\"{sent}\"") };
            let body = if sent.is_multiple_of(97) {
                Body::Connected
            } else {
                Body::Frame(frame.as_bytes())
            };
            let record = Record { recv: Ns(sent), venue: Venue::Kalshi, conn: 3, body };
            let full = if quoted { sender.push_quoted(&record) } else { sender.push(&record) };
            sent += 1;
            if (full || sent.is_multiple_of(611)) && sender.send() {
                loop {
                    if expected.is_multiple_of(2) {
                        source.prepare(); // or not: the frame is the same
                    }
                    let Some((conn, recv, input)) = source.next() else { break };
                    assert_eq!((conn, recv), (3, Ns(expected)));
                    match input {
                        Input::Connected => assert!(expected.is_multiple_of(97)),
                        Input::Frame(frame) => {
                            assert_eq!(frame, format!("\"{expected}\"").as_bytes());
                        }
                        other => panic!("a tape of frames has no {other:?}"),
                    }
                    expected += 1;
                }
            }
        }
    }
}
