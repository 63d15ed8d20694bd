//! Frames of both venues, told in order of receipt.

use std::collections::VecDeque;

use engine::units::{Ns, Venue};

use crate::tape::{Body, Record, TapeError};

/// Two sockets' frames on their way to the recorder.
pub struct Outbox {
    start: Ns,
    waiting: [VecDeque<Waiting>; 2],
    /// The last time of receipt of each venue; a socket delivers in order.
    last: [u64; 2],
}

struct Waiting {
    at: u64,
    conn: u32,
    /// Nothing for a connection event.
    frame: Option<Vec<u8>>,
}

impl Outbox {
    /// Times are told from `start`.
    pub fn new(start: Ns) -> Outbox {
        Outbox { start, waiting: [VecDeque::new(), VecDeque::new()], last: [0; 2] }
    }

    /// A frame received at `at` nanoseconds from the start, or just after the venue's last one;
    /// `None` is a new connection. Returns the time.
    pub fn push(&mut self, at: u64, venue: Venue, conn: u32, frame: Option<String>) -> u64 {
        let at = self.next(at, venue);
        self.last[venue.index()] = at;
        self.waiting[venue.index()].push_back(Waiting {
            at,
            conn,
            frame: frame.map(String::into_bytes),
        });
        at
    }

    /// When a frame that comes in at `at` will be received.
    pub fn next(&self, at: u64, venue: Venue) -> u64 {
        at.max(self.last[venue.index()] + 2_000)
    }

    /// Unix milliseconds of `at`.
    pub fn unix_ms(&self, at: u64) -> u64 {
        (self.start.0 + at) / 1_000_000
    }

    /// Tells everything received before `now`: nothing earlier can come any more.
    pub fn flush(
        &mut self,
        now: u64,
        tell: &mut dyn FnMut(&Record<'_>) -> Result<(), TapeError>,
    ) -> Result<(), TapeError> {
        loop {
            let first = Venue::ALL
                .into_iter()
                .filter_map(|venue| Some((self.waiting[venue.index()].front()?.at, venue)))
                .min();
            let Some((_, venue)) = first.filter(|(at, _)| *at < now) else { return Ok(()) };
            if let Some(Waiting { at, conn, frame }) = self.waiting[venue.index()].pop_front() {
                let body = frame.as_deref().map_or(Body::Connected, Body::Frame);
                tell(&Record { recv: self.start.after(Ns(at)), venue, conn, body })?;
            }
        }
    }
}
