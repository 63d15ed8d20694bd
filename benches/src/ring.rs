//! A hop between two pinned threads: a Top through the rings as the tiles use them, against bare
//! `rtrb` rings of the same depth, one with the same Top in it and one with a single word.

use engine::pin::{CoreList, pin_current};
use engine::tile::{Now, Tile};
use engine::top::Top;
use engine::units::{Ns, Venue};
use feeds::feed::{FeedTile, Input, Outbox, Source, TOP_RING_DEPTH, VenueSession};
use feeds::sink::Sink;
use quanta::Clock;
use rtrb::{Consumer, Producer, RingBuffer};

/// Half a round trip, the median of many, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hops {
    /// A Top, from one feed tile's step to the other side's pop.
    pub top_ns: u64,
    /// The same through a bare ring.
    pub bare_ns: u64,
    /// One word through a bare ring. Eight of them share a cache line, so most of its hops find
    /// their slot where the last one left it.
    pub bare_word_ns: u64,
}

/// Why there is no figure.
pub type Reason = String;

/// Measures both in turns, `rounds` times, and takes the middle round of each.
///
/// # Errors
/// Fewer than two cores, or a pin that does not hold.
pub fn measure(round_trips: usize, rounds: usize) -> Result<Hops, Reason> {
    let allowed = CoreList::allowed();
    let &[here, there, ..] = allowed.cores() else {
        return Err(format!("two cores are needed, {} may be used", allowed.len()));
    };
    let (mut tops, mut bares, mut words) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds.max(1) {
        tops.push(ping_pong::<Tiles>([here, there], round_trips)?);
        bares.push(ping_pong::<Bare<Top>>([here, there], round_trips)?);
        words.push(ping_pong::<Bare<u64>>([here, there], round_trips)?);
    }
    let half = |values| middle(values) / 2;
    Ok(Hops { top_ns: half(tops), bare_ns: half(bares), bare_word_ns: half(words) })
}

fn middle(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}

/// One thread's end of a pair of rings.
trait End: Send + Sized {
    fn pair() -> [Self; 2];
    fn send(&mut self);
    fn take(&mut self) -> bool;
}

/// The median round trip in nanoseconds.
fn ping_pong<E: End>(cores: [usize; 2], round_trips: usize) -> Result<u64, Reason> {
    let [mut ping, mut pong] = E::pair();
    let warm_up = round_trips / 10;
    let echo = std::thread::scope(|scope| {
        let echo = scope.spawn(move || {
            pin_current(cores[1]).map_err(|error| error.to_string())?;
            for _ in 0..warm_up + round_trips {
                while !pong.take() {
                    std::hint::spin_loop();
                }
                pong.send();
            }
            Ok::<(), Reason>(())
        });
        let hit = scope.spawn(move || {
            pin_current(cores[0]).map_err(|error| error.to_string())?;
            let clock = Clock::new();
            let mut nanos = Vec::with_capacity(round_trips);
            for number in 0..warm_up + round_trips {
                let start = clock.raw();
                ping.send();
                while !ping.take() {
                    std::hint::spin_loop();
                }
                if number >= warm_up {
                    nanos.push(clock.delta_as_nanos(start, clock.raw()));
                }
            }
            Ok::<u64, Reason>(middle(nanos))
        });
        let joined = |_| "a thread of the ping-pong panicked".to_owned();
        (echo.join().map_err(joined), hit.join().map_err(joined))
    });
    echo.0??;
    echo.1?
}

/// A bare ring each way, and what goes through it.
struct Bare<T> {
    out: Producer<T>,
    back: Consumer<T>,
    value: T,
}

/// What a bare ring is measured with.
trait Message: Copy + Send {
    fn new() -> Self;
    fn next(&mut self);
}

impl Message for u64 {
    fn new() -> u64 {
        0
    }

    #[inline]
    fn next(&mut self) {
        *self += 1;
    }
}

impl Message for Top {
    fn new() -> Top {
        Top::empty_frame(Venue::Kalshi, Ns(7))
    }

    #[inline]
    fn next(&mut self) {
        self.generation = self.generation.wrapping_add(1);
    }
}

impl<T: Message> End for Bare<T> {
    fn pair() -> [Bare<T>; 2] {
        let (there, from_here) = RingBuffer::new(TOP_RING_DEPTH);
        let (back, from_there) = RingBuffer::new(TOP_RING_DEPTH);
        let end = |out, back| Bare { out, back, value: T::new() };
        [end(there, from_there), end(back, from_here)]
    }

    #[inline]
    fn send(&mut self) {
        self.value.next();
        let _ = self.out.push(self.value); // there is room: one is on its way at most
    }

    #[inline]
    fn take(&mut self) -> bool {
        self.back.pop().map(std::hint::black_box).is_ok()
    }
}

/// A feed tile each way, whose session makes one Top of each frame.
struct Tiles {
    tile: FeedTile<OneTop, Always, ()>,
    back: Consumer<Top>,
}

struct OneTop(Top);

impl VenueSession for OneTop {
    const NAME: &'static str = "feed-bench";
    const VENUE: Venue = Venue::Kalshi;

    #[inline]
    fn due(&self) -> Option<Ns> {
        None
    }

    fn take(&mut self, _conn: u32, recv: Ns, _input: Input<'_>, sink: &mut impl Sink) {
        self.0.generation = self.0.generation.wrapping_add(1);
        self.0.recv = recv;
        sink.top(&self.0);
    }
}

struct Always;

impl Source for Always {
    #[inline]
    fn next(&mut self) -> Option<(u32, Ns, Input<'_>)> {
        Some((1, Ns(7), Input::Frame(b"")))
    }
}

impl End for Tiles {
    fn pair() -> [Tiles; 2] {
        let (there, from_here) = RingBuffer::new(TOP_RING_DEPTH);
        let (back, from_there) = RingBuffer::new(TOP_RING_DEPTH);
        let tile = |ring| {
            let (controls, _) = RingBuffer::new(1); // no frame here makes any
            let outbox = Outbox::new((ring, controls), 1, false, ());
            FeedTile::new(OneTop(Message::new()), Always, outbox)
        };
        [Tiles { tile: tile(there), back: from_there }, Tiles { tile: tile(back), back: from_here }]
    }

    #[inline]
    fn send(&mut self) {
        self.tile.step(Now::default());
    }

    #[inline]
    fn take(&mut self) -> bool {
        self.back.pop().map(std::hint::black_box).is_ok()
    }
}
