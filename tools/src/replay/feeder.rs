//! The tape's thread: records in, batches and their order out, at the wanted speed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use engine::units::{Ns, Venue};

use super::frames::{BatchSender, OrderSender};
use super::speed::Speed;
use crate::tape::TapeError;
use crate::tape::merge::MergedTapes;
use crate::tape::preload::Preloaded;
use crate::tape::record::{Body, Record};

/// What the threads of a replay tell each other beside the rings.
///
/// Cache lines of its own (they are fetched in pairs): every step looks here, and nothing that
/// another thread changes at each record may be near.
#[derive(Default)]
#[repr(align(128))]
pub struct Shared {
    /// The tape's thread has sent everything.
    pub tape_done: AtomicBool,
    /// A thread failed: the others stop.
    pub stop: AtomicBool,
    /// Records that the core has taken; written now and then.
    pub frames_done: AtomicU64,
    /// Bytes of the tapes read so far.
    pub bytes_read: AtomicU64,
}

impl Shared {
    /// True where every thread should end at once.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// True where nothing more will be sent. What was sent before is visible to who sees this.
    pub fn is_done(&self) -> bool {
        self.tape_done.load(SeqCst)
    }
}

/// What the tape's thread sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sent {
    /// Records of each venue, connections included.
    pub records: [u64; 2],
    /// Receive stamp of the first record; Unix nanoseconds.
    pub first: Option<Ns>,
    /// Records by second of the tape since its first record, ascending; at most
    /// [`SECONDS_MAX`] of them.
    pub per_second: Vec<(u64, u64)>,
}

/// Seconds of a tape that are counted apart: eleven days.
pub const SECONDS_MAX: usize = 1_000_000;

impl Sent {
    #[inline]
    fn count(&mut self, record: &Record<'_>) {
        self.records[record.venue.index()] += 1;
        let first = *self.first.get_or_insert(record.recv);
        let second = record.recv.since(first).0 / 1_000_000_000;
        let room = self.per_second.len() < SECONDS_MAX;
        match self.per_second.last_mut() {
            // A clock that stepped back counts for the second it left.
            Some((last, count)) if second <= *last => *count += 1,
            _ if room => self.per_second.push((second, 1)),
            _ => {}
        }
    }
}

/// Where the records come from.
pub enum Frames {
    /// Files, read while the replay runs.
    Files(MergedTapes),
    /// Memory.
    Memory(Preloaded),
}

/// Fills the batches.
pub struct Feeder<'a> {
    shared: &'a Shared,
    batches: [BatchSender; 2],
    order: OrderSender,
    pace: Option<Pace>,
    /// The feeds wait for frames, so they are lent a part of the work: to unescape.
    lends: bool,
}

/// Batches that may wait while the feeds count as waiting themselves: one a venue.
const LEND_WAITING_MAX: usize = 2;

struct Pace {
    speed: Speed,
    began: Option<(Instant, Ns)>,
}

impl<'a> Feeder<'a> {
    /// A feeder of these ring ends.
    pub fn new(
        shared: &'a Shared,
        batches: [BatchSender; 2],
        order: OrderSender,
        speed: Speed,
    ) -> Feeder<'a> {
        let pace = (!speed.is_max()).then_some(Pace { speed, began: None });
        Feeder { shared, batches, order, pace, lends: false }
    }

    /// Sends every record, and says what it sent.
    pub fn run(mut self, frames: &mut Frames) -> Result<Sent, TapeError> {
        let mut sent = Sent::default();
        match frames {
            Frames::Files(tapes) => {
                let mut until_progress = 0u32;
                loop {
                    // A tape is unescaped by whichever thread has less to do. Not at a pace: then
                    // this one sleeps more than it works.
                    let next = match self.lends {
                        true => tapes.next_as_is()?,
                        false => tapes.next()?.map(|record| (record, false)),
                    };
                    let Some((record, quoted)) = next else { break };
                    if !self.take(&record, quoted, &mut sent) {
                        break;
                    }
                    until_progress = until_progress.wrapping_sub(1);
                    if until_progress.is_multiple_of(1_024) {
                        self.shared.bytes_read.store(tapes.bytes_read(), Relaxed);
                    }
                }
                self.shared.bytes_read.store(tapes.bytes_read(), Relaxed);
            }
            Frames::Memory(preloaded) => {
                for record in preloaded.iter() {
                    if !self.take(&record, false, &mut sent) {
                        break;
                    }
                }
            }
        }
        self.flush();
        Ok(sent)
    }

    /// Sends one record when its time has come; false where the run was stopped.
    #[inline(always)]
    fn take(&mut self, record: &Record<'_>, quoted: bool, sent: &mut Sent) -> bool {
        if matches!(record.body, Body::Mark(..)) {
            return true; // what a run wrote down is repeated, not fed
        }
        self.wait_for(record.recv);
        sent.count(record);
        self.order.push(record.venue);
        let batch = &mut self.batches[record.venue.index()];
        let full = if quoted { batch.push_quoted(record) } else { batch.push(record) };
        if full || self.order.is_full() { self.flush() } else { true }
    }

    /// Hands over all that was gathered: first the frames, then their order, so that the core
    /// never waits for a frame that is not on its way.
    fn flush(&mut self) -> bool {
        let waiting: usize = self.batches.iter().map(BatchSender::waiting).sum();
        self.lends = self.pace.is_none() && waiting <= LEND_WAITING_MAX;
        for venue in Venue::ALL {
            while !self.batches[venue.index()].send() {
                if self.shared.is_stopped() {
                    return false;
                }
                thread::yield_now();
            }
        }
        while !self.order.send() {
            if self.shared.is_stopped() {
                return false;
            }
            thread::yield_now();
        }
        true
    }

    /// Sleeps until a record is due. What was gathered before it leaves first.
    #[inline]
    fn wait_for(&mut self, recv: Ns) {
        if self.pace.is_some() {
            self.wait_at_pace(recv);
        }
    }

    #[cold]
    fn wait_at_pace(&mut self, recv: Ns) {
        let Some(pace) = &mut self.pace else { return };
        let (began, first) = *pace.began.get_or_insert_with(|| (Instant::now(), recv));
        let due = began + Duration::from_nanos(pace.speed.span(recv.since(first)).0);
        if Instant::now() >= due {
            return;
        }
        self.flush();
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() || self.shared.is_stopped() {
                return;
            }
            // A sleep overshoots by some 60 us, so the last stretch is spent yielding. It is cut
            // into pieces so that a stop is noticed.
            match left.checked_sub(Duration::from_micros(200)) {
                Some(sleep) => thread::sleep(sleep.min(Duration::from_millis(50))),
                None => thread::yield_now(),
            }
        }
    }
}
