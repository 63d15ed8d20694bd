//! The way of raw frames and core inputs to the recorder: a ring of bytes that never makes a tile
//! wait. What finds no room is dropped, counted, and the count is written before the next record.

use rtrb::{Consumer, Producer};

use crate::units::{Ns, Venue};

/// Bytes of a tap's ring: some seconds of a busy feed, so that a slow disk costs nothing at first.
pub const TAP_RING_BYTES: usize = 16 << 20;

/// The longest payload: Kalshi's largest message is longer, and would be dropped and counted.
pub const TAP_PAYLOAD_MAX: usize = TAP_RING_BYTES / 4;

/// Length, kind, venue, two spare bytes, connection, receive stamp.
const HEAD: usize = 4 + 4 + 4 + 8;

/// What a tapped record is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum TapKind {
    /// A text frame that was received.
    Frame = 0,
    /// A text frame that we sent, secrets taken out.
    Sent = 1,
    /// A connection opened: its books start afresh.
    Opened = 2,
    /// A connection is gone: its books are stale.
    Closed = 3,
    /// The session was told the time; the receive stamp is that time.
    Tick = 4,
    /// Markets were declared unfit, or fit again; the payload says which.
    Verdict = 5,
    /// An input of the core, in the bytes of `CoreInput`.
    CoreInput = 6,
    /// That many records found no room; the payload is a little-endian u64.
    Dropped = 7,
    /// A market came while the feed runs; the payload tells of it, as its sender wrote it.
    Market = 8,
}

impl TapKind {
    /// All kinds in the order of their discriminants.
    pub const ALL: [TapKind; 9] = [
        TapKind::Frame,
        TapKind::Sent,
        TapKind::Opened,
        TapKind::Closed,
        TapKind::Tick,
        TapKind::Verdict,
        TapKind::CoreInput,
        TapKind::Dropped,
        TapKind::Market,
    ];
}

/// The head of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TapHead {
    /// What it is.
    pub kind: TapKind,
    /// Whose it is.
    pub venue: Venue,
    /// Of which connection.
    pub conn: u32,
    /// Receive stamp; Unix nanoseconds.
    pub recv: Ns,
}

/// A tile's end of a tap.
pub struct TapWriter {
    ring: Producer<u8>,
    waiting: u64,
    dropped: u64,
}

/// The recorder's end of a tap.
pub struct TapReader {
    ring: Consumer<u8>,
}

/// Both ends of a tap of `bytes`; all memory is taken here.
pub fn tap(bytes: usize) -> (TapWriter, TapReader) {
    let (tx, rx) = rtrb::RingBuffer::new(bytes);
    (TapWriter { ring: tx, waiting: 0, dropped: 0 }, TapReader { ring: rx })
}

impl TapWriter {
    /// Writes a record, or counts it as dropped where there is no room.
    #[inline]
    pub fn write(&mut self, head: TapHead, payload: &[u8]) {
        if self.waiting != 0 {
            let count = self.waiting.to_le_bytes();
            let head = TapHead { kind: TapKind::Dropped, ..head };
            if !self.put(head, &count) {
                return self.drop_one();
            }
            self.waiting = 0;
        }
        if !self.put(head, payload) {
            self.drop_one();
        }
    }

    /// Records that found no room so far.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    #[cold]
    fn drop_one(&mut self) {
        self.waiting += 1;
        self.dropped += 1;
    }

    fn put(&mut self, head: TapHead, payload: &[u8]) -> bool {
        if payload.len() > TAP_PAYLOAD_MAX {
            return false;
        }
        let Ok(mut chunk) = self.ring.write_chunk(HEAD + payload.len()) else { return false };
        let (first, second) = chunk.as_mut_slices();
        let mut to = Spread { first, second };
        to.put(&(payload.len() as u32).to_le_bytes());
        to.put(&[head.kind as u8, head.venue as u8, 0, 0]);
        to.put(&head.conn.to_le_bytes());
        to.put(&head.recv.0.to_le_bytes());
        to.put(payload);
        chunk.commit_all();
        true
    }
}

/// The two parts of a ring's free space, filled in order.
struct Spread<'a> {
    first: &'a mut [u8],
    second: &'a mut [u8],
}

impl Spread<'_> {
    /// Writes `bytes`; the caller made sure of the room.
    fn put(&mut self, bytes: &[u8]) {
        let cut = bytes.len().min(self.first.len());
        let (here, there) = bytes.split_at(cut);
        let (to, rest) = core::mem::take(&mut self.first).split_at_mut(cut);
        to.copy_from_slice(here);
        self.first = rest;
        let (to, rest) = core::mem::take(&mut self.second).split_at_mut(there.len());
        to.copy_from_slice(there);
        self.second = rest;
    }
}

impl TapReader {
    /// The next record; its payload replaces `payload`.
    pub fn next(&mut self, payload: &mut Vec<u8>) -> Option<TapHead> {
        let mut head = [0; HEAD];
        self.copy(HEAD, |at, part| head[at..at + part.len()].copy_from_slice(part))?;
        let word = |at: usize| [head[at], head[at + 1], head[at + 2], head[at + 3]];
        let len = u32::from_le_bytes(word(0)) as usize;
        payload.clear();
        self.copy(len, |_, part| payload.extend_from_slice(part))?;
        let low = u64::from(u32::from_le_bytes(word(12)));
        let high = u64::from(u32::from_le_bytes(word(16)));
        Some(TapHead {
            kind: TapKind::ALL[usize::from(head[4]) % TapKind::ALL.len()],
            venue: Venue::ALL[usize::from(head[5]) % Venue::ALL.len()],
            conn: u32::from_le_bytes(word(8)),
            recv: Ns(high << 32 | low),
        })
    }

    /// Reads `len` bytes; a record is written whole, so after its head its payload is there.
    fn copy(&mut self, len: usize, mut take: impl FnMut(usize, &[u8])) -> Option<()> {
        let chunk = self.ring.read_chunk(len).ok()?;
        let (first, second) = chunk.as_slices();
        take(0, first);
        take(first.len(), second);
        chunk.commit_all();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(n: u64) -> TapHead {
        TapHead { kind: TapKind::Frame, venue: Venue::Polymarket, conn: 7, recv: Ns(n << 33 | n) }
    }

    #[test]
    fn records_cross_in_order_around_the_end_of_the_ring() {
        let (mut tx, mut rx) = tap(257);
        let mut payload = Vec::new();
        for n in 0..1_000u64 {
            let text = n.to_string().repeat((n % 11) as usize);
            tx.write(head(n), text.as_bytes());
            assert_eq!(rx.next(&mut payload), Some(head(n)));
            assert_eq!(payload, text.as_bytes());
        }
        assert_eq!((rx.next(&mut payload), tx.dropped()), (None, 0));
    }

    #[test]
    fn what_finds_no_room_is_counted_where_it_is_missing() {
        let (mut tx, mut rx) = tap(3 * (HEAD + 8));
        for n in 0..5 {
            tx.write(head(n), &[n as u8; 8]);
        }
        assert_eq!(tx.dropped(), 2);
        let mut payload = Vec::new();
        for n in 0..3 {
            assert_eq!(rx.next(&mut payload), Some(head(n)));
        }
        tx.write(head(9), b"after");
        let lost = rx.next(&mut payload).unwrap();
        assert_eq!((lost.kind, payload.as_slice()), (TapKind::Dropped, &2u64.to_le_bytes()[..]));
        assert_eq!(rx.next(&mut payload), Some(head(9)));
        assert_eq!(payload, b"after");
        tx.write(head(10), &vec![0; TAP_PAYLOAD_MAX + 1]);
        assert_eq!(tx.dropped(), 3, "too long for any ring");
    }
}
