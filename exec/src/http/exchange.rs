//! One connection: a request goes out in one write, its answer comes in, and then the next.

use std::io::{self, ErrorKind, Read, Write};

use engine::units::Ns;

use crate::http::reply::{BadReply, Head, ReplyReader};

/// Bytes asked of a connection at once: a TLS record is no longer.
const READ_BYTES: usize = 16 << 10;

/// Longest body of an answer: a page of orders or trades.
pub const BODY_MAX: usize = 1 << 20;

/// A connection below HTTP: TLS over a socket, or a script. Nothing in it blocks.
pub trait Link: Read + Write {
    /// Goes on with connecting; true once requests can be written.
    fn drive(&mut self) -> io::Result<bool>;

    /// True where bytes that were taken have not reached the kernel.
    fn is_writing(&self) -> bool;

    /// Says goodbye, as far as that goes without waiting.
    fn close(&mut self);
}

/// How long each part of an exchange may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// Connecting, and the handshake.
    pub open: Ns,
    /// Until the kernel has the whole request.
    pub write: Ns,
    /// From there to the first byte of the answer.
    pub first_byte: Ns,
    /// From there to its last.
    pub body: Ns,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            open: Ns::from_ms(5_000),
            write: Ns::from_ms(1_000),
            first_byte: Ns::from_ms(5_000),
            body: Ns::from_ms(5_000),
        }
    }
}

/// What a connection is doing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Phase {
    /// It connects.
    Opening,
    /// It is warm and waits for a request.
    Idle,
    /// The kernel does not have the whole request yet: the venue cannot have understood it.
    Writing,
    /// The kernel has the request; no byte of the answer came.
    Waiting,
    /// A part of the answer came.
    Reading,
    /// The answer is there.
    Answered,
}

/// Why a connection is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lost {
    /// It took longer than allowed.
    TimedOut,
    /// The peer ended it.
    Closed,
    /// The socket or its TLS failed.
    Failed(ErrorKind),
    /// What came is no answer.
    Bad(BadReply),
}

/// What happened on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// It is warm.
    Ready,
    /// The kernel has the whole request.
    Sent,
    /// The first byte of the answer is here; the answer may be too.
    FirstByte,
    /// The answer is whole: [`Exchange::reply`], then [`Exchange::finish`].
    Answered,
}

/// A connection and the exchange on it.
pub struct Exchange<L> {
    link: L,
    reader: ReplyReader,
    scratch: Box<[u8]>,
    /// What of a request the link did not take at once.
    rest: Vec<u8>,
    phase: Phase,
    since: Ns,
}

impl<L: Link> Exchange<L> {
    /// A connection that began to open at `now`; monotonic, as all stamps here.
    pub fn new(link: L, now: Ns) -> Exchange<L> {
        Exchange {
            link,
            reader: ReplyReader::new(BODY_MAX),
            scratch: vec![0; READ_BYTES].into_boxed_slice(),
            rest: Vec::new(),
            phase: Phase::Opening,
            since: now,
        }
    }

    /// What it is doing.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Since when.
    pub const fn since(&self) -> Ns {
        self.since
    }

    /// Writes a request in one call. `Ok(true)` where the kernel has all of it.
    ///
    /// An error says that the venue cannot have understood the request: a part of it never left.
    /// The connection must be idle.
    #[inline]
    pub fn send(&mut self, request: &[u8], now: Ns) -> Result<bool, Lost> {
        if self.phase != Phase::Idle {
            return Err(Lost::Failed(ErrorKind::NotConnected));
        }
        let taken = match self.link.write(request) {
            Ok(taken) => taken,
            Err(error) if is_not_now(&error) => 0,
            Err(error) => return Err(Lost::Failed(error.kind())),
        };
        let is_sent = taken == request.len() && !self.link.is_writing();
        if taken < request.len() {
            self.rest.clear();
            self.rest.extend_from_slice(&request[taken..]);
        }
        self.enter(if is_sent { Phase::Waiting } else { Phase::Writing }, now);
        Ok(is_sent)
    }

    /// Goes on with whatever is under way; `None` where there is no news. An error ends the
    /// connection: [`Exchange::phase`] tells what it was doing then.
    #[inline]
    pub fn poll(&mut self, now: Ns, limits: &Timeouts) -> Result<Option<Progress>, Lost> {
        match self.phase {
            Phase::Opening => match self.link.drive() {
                Ok(true) => return Ok(self.enter_with(Phase::Idle, now, Progress::Ready)),
                Ok(false) => {}
                Err(error) => return Err(Lost::Failed(error.kind())),
            },
            Phase::Writing => {
                if self.write_rest()? {
                    return Ok(self.enter_with(Phase::Waiting, now, Progress::Sent));
                }
            }
            Phase::Idle | Phase::Waiting | Phase::Reading => {
                if let Some(progress) = self.read(now)? {
                    return Ok(Some(progress));
                }
            }
            Phase::Answered => return Ok(None),
        }
        if self.deadline(limits).is_some_and(|deadline| now >= deadline) {
            return Err(Lost::TimedOut);
        }
        Ok(None)
    }

    /// When the phase has taken too long; an idle connection may stay so.
    pub fn deadline(&self, limits: &Timeouts) -> Option<Ns> {
        let limit = match self.phase {
            Phase::Opening => limits.open,
            Phase::Writing => limits.write,
            Phase::Waiting => limits.first_byte,
            Phase::Reading => limits.body,
            Phase::Idle | Phase::Answered => return None,
        };
        Some(self.since.after(limit))
    }

    /// The answer, once it is whole.
    pub fn reply(&self) -> Option<(Head, &[u8])> {
        self.reader.reply()
    }

    /// Is done with the answer; false where the connection ends with it.
    pub fn finish(&mut self, now: Ns) -> bool {
        let keeps_alive = self.reply().is_some_and(|(head, _)| head.keeps_alive);
        self.reader.reset();
        self.enter(Phase::Idle, now);
        keeps_alive
    }

    /// Ends the connection.
    pub fn close(&mut self) {
        self.link.close();
    }

    fn enter(&mut self, phase: Phase, now: Ns) {
        self.phase = phase;
        self.since = now;
    }

    fn enter_with(&mut self, phase: Phase, now: Ns, progress: Progress) -> Option<Progress> {
        self.enter(phase, now);
        Some(progress)
    }

    #[cold]
    fn write_rest(&mut self) -> Result<bool, Lost> {
        while !self.rest.is_empty() {
            match self.link.write(&self.rest) {
                Ok(taken) => drop(self.rest.drain(..taken)),
                Err(error) if is_not_now(&error) => return Ok(false),
                Err(error) => return Err(Lost::Failed(error.kind())),
            }
        }
        match self.link.flush() {
            Ok(()) => Ok(!self.link.is_writing()),
            Err(error) if is_not_now(&error) => Ok(false),
            Err(error) => Err(Lost::Failed(error.kind())),
        }
    }

    #[inline]
    fn read(&mut self, now: Ns) -> Result<Option<Progress>, Lost> {
        let taken = match self.link.read(&mut self.scratch) {
            Ok(taken) => taken,
            Err(error) if is_not_now(&error) => return Ok(None),
            // Many hosts end TLS without saying goodbye; where nothing is under way that is an
            // end, and elsewhere the answer is cut off.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(Lost::Failed(error.kind())),
        };
        if taken == 0 {
            if self.phase != Phase::Reading {
                return Err(Lost::Closed);
            }
            self.reader.end().map_err(Lost::Bad)?;
            return Ok(self.enter_with(Phase::Answered, now, Progress::Answered));
        }
        if self.phase == Phase::Idle {
            return Err(Lost::Bad(BadReply::Unasked));
        }
        let is_first = self.phase == Phase::Waiting;
        let bytes = self.scratch.get(..taken).unwrap_or_default();
        if self.reader.push(bytes).map_err(Lost::Bad)? {
            return Ok(self.enter_with(Phase::Answered, now, Progress::Answered));
        }
        if is_first {
            return Ok(self.enter_with(Phase::Reading, now, Progress::FirstByte));
        }
        Ok(None)
    }
}

fn is_not_now(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
