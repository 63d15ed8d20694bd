//! A connection in memory: bytes both ways that take their time, and can be cut, held up, or come
//! in crumbs.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

use engine::units::Ns;
use exec::http::exchange::Link;
use feeds::transport::Wire;
use sim::rng::Rng;

/// True time in Unix nanoseconds, as the world sets it.
pub type Moment = Rc<Cell<Ns>>;

/// How a direction of a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// In order.
    Closed,
    /// By a reset.
    Reset,
}

/// Bytes on their way in one direction.
#[derive(Debug, Default)]
pub struct Flow {
    parts: VecDeque<(Ns, Vec<u8>)>,
    /// Nothing arrives before.
    held_until: Ns,
    /// Until then what is written arrives in crumbs.
    crumbs_until: Ns,
    /// The latest arrival so far: bytes never overtake each other.
    last: Ns,
    end: Option<(Ns, End)>,
}

impl Flow {
    /// Writes bytes that take `latency`.
    fn push(&mut self, now: Ns, latency: Ns, bytes: &[u8], rng: &mut Rng) {
        if self.end.is_some() || bytes.is_empty() {
            return;
        }
        let mut at = now.after(latency).max(self.last).max(self.held_until);
        if now < self.crumbs_until {
            let mut rest = bytes;
            while !rest.is_empty() {
                let (crumb, more) = rest.split_at(rest.len().min(rng.between(1, 200) as usize));
                self.parts.push_back((at, crumb.to_vec()));
                at = at.after(Ns(rng.between(10_000, 5_000_000)));
                rest = more;
            }
        } else {
            self.parts.push_back((at, bytes.to_vec()));
        }
        self.last = at;
    }

    /// Ends it behind what is on its way.
    fn finish(&mut self, now: Ns, latency: Ns, how: End) {
        if self.end.is_none() {
            let at = now.after(latency).max(self.last).max(self.held_until);
            self.end = Some((at, how));
        }
    }

    /// Ends it at once; of the last part that is on its way half arrives before.
    fn cut(&mut self, now: Ns) {
        if let Some((_, part)) = self.parts.back_mut() {
            part.truncate(part.len() / 2);
        }
        for (at, _) in &mut self.parts {
            *at = (*at).min(now);
        }
        self.end = Some((now, End::Reset));
    }

    /// Nothing arrives before `until`.
    fn hold(&mut self, until: Ns) {
        self.held_until = self.held_until.max(until);
        for (at, _) in &mut self.parts {
            *at = (*at).max(until);
        }
        self.last = self.last.max(until);
        if let Some((at, _)) = &mut self.end {
            *at = (*at).max(until);
        }
    }

    /// Appends what has arrived.
    pub fn take(&mut self, now: Ns, to: &mut Vec<u8>) {
        while self.parts.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, part)) = self.parts.pop_front() {
                to.extend_from_slice(&part);
            }
        }
    }

    /// How it ended, once everything has arrived.
    pub fn ended(&self, now: Ns) -> Option<End> {
        let (at, how) = self.end?;
        (at <= now && self.parts.is_empty()).then_some(how)
    }

    fn has_news(&self, now: Ns) -> bool {
        self.parts.front().is_some_and(|(at, _)| *at <= now) || self.ended(now).is_some()
    }

    /// When something arrives next, after `now`.
    fn next(&self, now: Ns) -> Option<Ns> {
        let next = self.parts.front().map(|(at, _)| *at).or(self.end.map(|(at, _)| at));
        next.filter(|at| *at > now)
    }

    /// Bytes on their way.
    fn len(&self) -> usize {
        self.parts.iter().map(|(_, part)| part.len()).sum()
    }
}

/// One connection.
#[derive(Debug)]
pub struct Pipe {
    /// From the client.
    pub up: Flow,
    /// To the client.
    pub down: Flow,
    /// When it is connected.
    opens_at: Ns,
    /// The client knows that it is.
    told_open: bool,
    /// When the client wrote last.
    pub wrote_at: Ns,
    /// Market data comes on it.
    pub shows_books: bool,
    /// Least latency, and how much more it may be.
    latency: (Ns, Ns),
    rng: Rng,
}

/// A connection as both of its ends hold it.
pub type SharedPipe = Rc<RefCell<Pipe>>;

impl Pipe {
    /// A connection that is dialled now.
    pub fn dial(now: Ns, latency: (Ns, Ns), mut rng: Rng) -> Pipe {
        // Three ways across until TLS would let a request out.
        let opens_at = now.after(Ns(3 * one_way(latency, &mut rng).0));
        let (up, down) = (Flow::default(), Flow::default());
        let (told_open, shows_books, wrote_at) = (false, false, Ns(0));
        Pipe { up, down, opens_at, told_open, wrote_at, shows_books, latency, rng }
    }

    /// The venue writes.
    pub fn say(&mut self, now: Ns, bytes: &[u8]) {
        let latency = one_way(self.latency, &mut self.rng);
        self.down.push(now, latency, bytes, &mut self.rng);
    }

    /// The venue ends it.
    pub fn hang_up(&mut self, now: Ns, how: End) {
        let latency = one_way(self.latency, &mut self.rng);
        self.down.finish(now, latency, how);
    }

    /// It is reset between two frames, or inside of one, for both ends.
    pub fn reset(&mut self, now: Ns, inside: bool) {
        if inside {
            self.down.cut(now);
            self.up.cut(now);
        } else {
            self.down.finish(now, Ns(0), End::Reset);
            self.up.finish(now, Ns(0), End::Reset);
        }
    }

    /// Nothing gets through before `until`: from the client, to it.
    pub fn hold(&mut self, until: Ns, up: bool, down: bool) {
        if up {
            self.up.hold(until);
        }
        if down {
            self.down.hold(until);
        }
    }

    /// What is written before `until` arrives in crumbs.
    pub fn crumble(&mut self, until: Ns) {
        self.up.crumbs_until = until;
        self.down.crumbs_until = until;
    }

    /// Nothing is on its way to the client, and nothing is held up.
    pub fn is_still(&self, now: Ns) -> bool {
        self.down.parts.is_empty() && self.down.end.is_none() && self.down.held_until <= now
    }

    /// When something happens at either end, after `now`.
    pub fn next(&self, now: Ns) -> Option<Ns> {
        let opens = (self.opens_at > now).then_some(self.opens_at);
        [opens, self.up.next(now), self.down.next(now)].into_iter().flatten().min()
    }

    /// Bytes on their way both ways.
    pub fn backlog(&self) -> usize {
        self.up.len() + self.down.len()
    }
}

fn one_way((least, more): (Ns, Ns), rng: &mut Rng) -> Ns {
    Ns(rng.between(least.0, least.0 + more.0))
}

/// The client's end.
pub struct PipeEnd {
    pipe: SharedPipe,
    moment: Moment,
}

impl PipeEnd {
    /// The client's end of a pipe.
    pub fn new(pipe: SharedPipe, moment: Moment) -> PipeEnd {
        PipeEnd { pipe, moment }
    }
}

/// True where the client has something to do about a pipe: bytes, its end, or that it opened.
pub fn calls(pipe: &SharedPipe, now: Ns) -> bool {
    let mut pipe = pipe.borrow_mut();
    let opened = !pipe.told_open && now >= pipe.opens_at;
    pipe.told_open |= opened;
    opened || pipe.down.has_news(now)
}

impl Read for PipeEnd {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let now = self.moment.get();
        let flow = &mut self.pipe.borrow_mut().down;
        let mut taken = 0;
        while taken < buf.len() {
            let Some((_, part)) = flow.parts.front_mut().filter(|(at, _)| *at <= now) else {
                break;
            };
            let some = part.len().min(buf.len() - taken);
            buf[taken..taken + some].copy_from_slice(&part[..some]);
            taken += some;
            if some == part.len() {
                flow.parts.pop_front();
            } else {
                part.drain(..some);
            }
        }
        match (taken, flow.ended(now)) {
            (0, None) => Err(ErrorKind::WouldBlock.into()),
            (0, Some(End::Reset)) => Err(ErrorKind::ConnectionReset.into()),
            (taken, _) => Ok(taken),
        }
    }
}

impl Write for PipeEnd {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let now = self.moment.get();
        let pipe = &mut *self.pipe.borrow_mut();
        if now < pipe.opens_at {
            return Err(ErrorKind::WouldBlock.into());
        }
        if pipe.down.end.is_some_and(|(at, how)| how == End::Reset && at <= now) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        pipe.wrote_at = now;
        let latency = one_way(pipe.latency, &mut pipe.rng);
        pipe.up.push(now, latency, buf, &mut pipe.rng);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PipeEnd {
    fn leave(&mut self) {
        let now = self.moment.get();
        let pipe = &mut *self.pipe.borrow_mut();
        let latency = one_way(pipe.latency, &mut pipe.rng);
        pipe.up.finish(now, latency, End::Closed);
        pipe.told_open = true;
    }
}

impl Drop for PipeEnd {
    /// The system closes what a process leaves behind.
    fn drop(&mut self) {
        self.leave();
    }
}

impl Wire for PipeEnd {
    fn close(&mut self) {
        self.leave();
    }
}

impl Link for PipeEnd {
    fn drive(&mut self) -> io::Result<bool> {
        let now = self.moment.get();
        let mut pipe = self.pipe.borrow_mut();
        if pipe.down.ended(now) == Some(End::Reset) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        let open = now >= pipe.opens_at;
        pipe.told_open |= open;
        Ok(open)
    }

    fn is_writing(&self) -> bool {
        false
    }

    fn close(&mut self) {
        self.leave();
    }
}
