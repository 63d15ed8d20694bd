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
use crate::tape::record::Record;

/// What the threads of a replay tell each other beside the rings.
#[derive(Default)]
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
}

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
        Feeder { shared, batches, order, pace }
    }

    /// Sends every record, and says how many of each venue.
    pub fn run(mut self, frames: &mut Frames) -> Result<[u64; 2], TapeError> {
        let mut counts = [0; 2];
        match frames {
            Frames::Files(tapes) => {
                let mut until_progress = 0u32;
                while let Some(record) = tapes.next()? {
                    if !self.take(&record, &mut counts) {
                        break;
                    }
                    until_progress = until_progress.wrapping_sub(1);
                    if until_progress % 1_024 == 0 {
                        self.shared.bytes_read.store(tapes.bytes_read(), Relaxed);
                    }
                }
                self.shared.bytes_read.store(tapes.bytes_read(), Relaxed);
            }
            Frames::Memory(preloaded) => {
                for record in preloaded.iter() {
                    if !self.take(&record, &mut counts) {
                        break;
                    }
                }
            }
        }
        self.flush();
        Ok(counts)
    }

    /// Sends one record when its time has come; false where the run was stopped.
    fn take(&mut self, record: &Record<'_>, counts: &mut [u64; 2]) -> bool {
        self.wait_for(record.recv);
        counts[record.venue.index()] += 1;
        self.order.push(record.venue);
        let full = self.batches[record.venue.index()].push(record);
        if full || self.order.is_full() { self.flush() } else { true }
    }

    /// Hands over all that was gathered: first the frames, then their order, so that the core
    /// never waits for a frame that is not on its way.
    fn flush(&mut self) -> bool {
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
    fn wait_for(&mut self, recv: Ns) {
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
