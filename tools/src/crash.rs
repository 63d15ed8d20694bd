//! Crash points: the process kills itself at a numbered step of an order's way, so that a test can
//! show what the next start makes of it. Nothing asks for one but `demo --crash-at`, and without it
//! all of this is a branch on `None` beside a call into the kernel.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use clap::ValueEnum;
use engine::event::{Feedback, ReportKind};
use engine::tile::Now;
use exec::gate::net::{Net, TlsNet};
use exec::http::exchange::Link;
use exec::journal::files::Files;
use exec::journal::storage::{Storage, StorageError, Synced};
use exec::journal::{Record, frame};
use exec::pool::Dial;
use feeds::transport::{Stream, WebSocket};

/// The order at which the process dies: some have gone before it, so that there is something to
/// lose.
const ORDER: u32 = 4;

/// Segments of a run that is to die where one ends: some thousand records.
pub const SHORT_SEGMENT_BYTES: usize = 256 << 10;

/// Tries to get half a request out.
const DRIVES_MAX: usize = 1_000;

/// Where the process dies, in the order of an order's way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
pub enum CrashPoint {
    /// 1: both venues were asked, and nothing of what they said is written down.
    Recovered,
    /// 2: the segment of the run is there, and nothing in it.
    Opened,
    /// 3: the order is made, and no byte of it left; another leg may have.
    Unsent,
    /// 4: half of its request left.
    Half,
    /// 5: its request left, and nobody read the answer.
    Unanswered,
    /// 6: one leg is acknowledged, and the journal holds that; no byte of the other leg left.
    Between,
    /// 7: the journal was about to write that it leaves.
    Unwritten,
    /// 8: half of the commit that says so is on the disk.
    Torn,
    /// 9: the disk holds that it leaves, and nobody was told so.
    Unconfirmed,
    /// 10: its fill was heard, and is not on the disk.
    Unheard,
    /// 11: its fill is on the disk, and nobody was told so.
    Heard,
    /// 12: a segment is full and the next one was made.
    Rolled,
}

/// What kills the process at a point. Clones count together.
#[derive(Clone, Debug)]
pub struct Fuse {
    point: CrashPoint,
    seen: Arc<AtomicU32>,
    /// How far the leg is that is to be acknowledged alone: see [`Leg`].
    leg: Arc<AtomicU32>,
}

/// How far the leg is that is to be acknowledged while no byte of another leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
enum Leg {
    /// It has not left.
    Waits = 0,
    /// It left: from now on no other does.
    Left = 1,
    /// The venue took it.
    Acked = 2,
}

impl Fuse {
    /// Dies at that point.
    pub fn new(point: CrashPoint) -> Fuse {
        Fuse { point, seen: Arc::default(), leg: Arc::default() }
    }

    /// Where.
    pub const fn point(&self) -> CrashPoint {
        self.point
    }

    /// True the `count`th time that the process is at that point.
    fn is_at(&self, point: CrashPoint, count: u32) -> bool {
        // A counter that nothing else hangs on.
        self.point == point && self.seen.fetch_add(1, Relaxed) + 1 == count
    }

    fn leg_is(&self, leg: Leg) -> bool {
        self.leg.load(Relaxed) == leg as u32
    }

    /// Dies where that is the point.
    pub fn pass(&self, point: CrashPoint) {
        if self.is_at(point, 1) {
            die();
        }
    }
}

/// As `kill -9` from outside: nothing is flushed, closed or dropped.
fn die() -> ! {
    // Where the system refuses, the process ends all the same.
    let _ = signal_hook::low_level::raise(signal_hook::consts::SIGKILL);
    std::process::abort()
}

/// Something that may have a fuse in it.
#[derive(Clone)]
pub struct Fused<T> {
    inner: T,
    fuse: Option<Fuse>,
    /// The leg that is to be acknowledged left here.
    carries: bool,
}

impl<T> Fused<T> {
    /// With or without one.
    pub const fn new(inner: T, fuse: Option<Fuse>) -> Fused<T> {
        Fused { inner, fuse, carries: false }
    }
}

impl Dial for Fused<TlsNet> {
    type Link = Fused<Stream>;

    fn dial(&mut self, attempt: usize) -> io::Result<Fused<Stream>> {
        Ok(Fused::new(self.inner.dial(attempt)?, self.fuse.clone()))
    }
}

impl Net for Fused<TlsNet> {
    type Channel = WebSocket;

    fn channel(&mut self, attempt: usize, lines: &[u8]) -> io::Result<WebSocket> {
        self.inner.channel(attempt, lines)
    }
}

impl Link for Fused<Stream> {
    fn drive(&mut self) -> io::Result<bool> {
        self.inner.drive()
    }

    fn is_writing(&self) -> bool {
        Link::is_writing(&self.inner)
    }

    fn close(&mut self) {
        if self.carries {
            self.carried(Leg::Waits);
        }
        Link::close(&mut self.inner);
    }
}

impl Read for Fused<Stream> {
    #[inline]
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(to);
        if self.carries {
            self.answered(&read, to);
        }
        read
    }
}

impl Write for Fused<Stream> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.fuse {
            None => self.inner.write(bytes),
            Some(fuse) if fuse.point == CrashPoint::Between => self.write_alone(bytes),
            Some(fuse) => write_fused(&mut self.inner, fuse, bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Fused<Stream> {
    /// Writes the leg that is to be acknowledged, and from then on no other.
    #[cold]
    fn write_alone(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(fuse) = self.fuse.as_ref().filter(|_| is_order(bytes)) else {
            return self.inner.write(bytes);
        };
        if !fuse.leg_is(Leg::Waits) {
            return Ok(bytes.len()); // As if it left: nobody will ask for its answer any more.
        }
        if fuse.seen.fetch_add(1, Relaxed) + 1 >= ORDER {
            fuse.leg.store(Leg::Left as u32, Relaxed);
            self.carries = true;
        }
        self.inner.write(bytes)
    }

    /// The answer to that leg comes: where it was refused or lost, another one is tried.
    #[cold]
    fn answered(&mut self, read: &io::Result<usize>, bytes: &[u8]) {
        let taken = match read {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(_) => false,
            Ok(read) => bytes[..*read].starts_with(b"HTTP/1.1 20"),
        };
        self.carried(if taken { Leg::Acked } else { Leg::Waits });
    }

    fn carried(&mut self, leg: Leg) {
        self.carries = false;
        if let Some(fuse) = &self.fuse {
            fuse.leg.store(leg as u32, Relaxed);
        }
    }
}

#[cold]
fn write_fused(link: &mut Stream, fuse: &Fuse, bytes: &[u8]) -> io::Result<usize> {
    if !is_order(bytes) {
        return link.write(bytes);
    }
    if fuse.is_at(CrashPoint::Unsent, ORDER) {
        die();
    }
    let half = fuse.is_at(CrashPoint::Half, ORDER);
    let taken = link.write(if half { &bytes[..bytes.len() / 2] } else { bytes })?;
    if half || fuse.is_at(CrashPoint::Unanswered, ORDER) {
        for _ in 0..DRIVES_MAX {
            if !Link::is_writing(link) || link.drive().is_err() {
                break;
            }
        }
        die();
    }
    Ok(taken)
}

/// True for a request that makes an order.
fn is_order(request: &[u8]) -> bool {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let ends = |path: &[u8]| line.strip_suffix(b" HTTP/1.1").is_some_and(|l| l.ends_with(path));
    line.starts_with(b"POST ") && (ends(b"/portfolio/events/orders") || ends(b" /order"))
}

impl Storage for Fused<Files> {
    fn segments(&mut self) -> Result<Vec<u64>, StorageError> {
        self.inner.segments()
    }

    fn read(&mut self, segment: u64, to: &mut Vec<u8>) -> Result<(), StorageError> {
        self.inner.read(segment, to)
    }

    fn create(&mut self, segment: u64, bytes: usize, head: &[u8]) -> Result<(), StorageError> {
        self.inner.create(segment, bytes, head)?;
        if let Some(fuse) = &self.fuse {
            fuse.pass(CrashPoint::Opened);
            // The run's own segment is its first.
            if fuse.is_at(CrashPoint::Rolled, 2) {
                die();
            }
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let Some(fuse) = &self.fuse else { return self.inner.append(bytes) };
        use CrashPoint::{Heard, Torn, Unconfirmed, Unheard, Unwritten};
        if fuse.point == CrashPoint::Between {
            self.inner.append(bytes)?;
            if fuse.leg_is(Leg::Acked) && records(bytes).any(|record| is_acked(&record)) {
                self.inner.sync(Now::default())?;
                die();
            }
            return Ok(());
        }
        let wanted: fn(&Record) -> bool = match fuse.point {
            Unwritten | Torn | Unconfirmed => |record| matches!(record, Record::Order(_)),
            Unheard | Heard => is_fill,
            _ => return self.inner.append(bytes),
        };
        let count = records(bytes).filter(wanted).count();
        let is_it = (0..count).any(|_| fuse.is_at(fuse.point, ORDER));
        match fuse.point {
            Unwritten | Unheard if is_it => die(),
            Torn if is_it => {
                self.inner.append(&bytes[..bytes.len() / 2])?;
                self.inner.sync(Now::default())?;
                die()
            }
            Unconfirmed | Heard if is_it => {
                self.inner.append(bytes)?;
                self.inner.sync(Now::default())?;
                die()
            }
            _ => self.inner.append(bytes),
        }
    }

    fn sync(&mut self, now: Now) -> Result<Synced, StorageError> {
        self.inner.sync(now)
    }

    fn cut(&mut self, segment: u64, len: usize) -> Result<(), StorageError> {
        self.inner.cut(segment, len)
    }
}

/// The records of a commit.
fn records(mut bytes: &[u8]) -> impl Iterator<Item = Record> {
    std::iter::from_fn(move || {
        let frame = frame::get(bytes)?;
        bytes = &bytes[frame.size()..];
        Some(Record::decode(frame.payload))
    })
    .flatten()
}

fn is_acked(record: &Record) -> bool {
    let Record::Heard(Feedback::Report(report)) = record else { return false };
    report.kind == ReportKind::Acked
}

fn is_fill(record: &Record) -> bool {
    let Record::Heard(Feedback::Report(report)) = record else { return false };
    matches!(report.kind, ReportKind::Filled { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_alone_are_orders() {
        for (request, is) in [
            ("POST /trade-api/v2/portfolio/events/orders HTTP/1.1\r\n", true),
            ("POST /order HTTP/1.1\r\nhost: x\r\n", true),
            ("POST /trade-api/v2/portfolio/order_groups/create HTTP/1.1\r\n", false),
            ("DELETE /order HTTP/1.1\r\n", false),
            ("GET /trade-api/v2/portfolio/events/orders HTTP/1.1\r\n", false),
            ("", false),
        ] {
            assert_eq!(is_order(request.as_bytes()), is, "{request}");
        }
    }

    #[test]
    fn a_fuse_counts_its_own_point_alone_and_clones_count_together() {
        let fuse = Fuse::new(CrashPoint::Half);
        let other = fuse.clone();
        assert!(!fuse.is_at(CrashPoint::Half, 2) && !fuse.is_at(CrashPoint::Unsent, 1));
        assert!(other.is_at(CrashPoint::Half, 2) && !fuse.is_at(CrashPoint::Half, 2));
    }
}
