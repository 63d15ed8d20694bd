//! A hop between two pinned threads: a Top through the rings as the tiles use them, against a
//! bare `rtrb` ring with one word.

use engine::pin::{CoreList, pin_current};
use engine::tile::{Now, Tile};
use engine::top::{MarketId, Top};
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
    /// One word through a bare ring.
    pub bare_ns: u64,
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
    let (mut tops, mut bares) = (Vec::new(), Vec::new());
    for _ in 0..rounds.max(1) {
        tops.push(ping_pong::<Tiles>([here, there], round_trips)?);
        bares.push(ping_pong::<Bare>([here, there], round_trips)?);
    }
    Ok(Hops { top_ns: middle(tops) / 2, bare_ns: middle(bares) / 2 })
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

/// A bare ring each way.
struct Bare {
    out: Producer<u64>,
    back: Consumer<u64>,
}

impl End for Bare {
    fn pair() -> [Bare; 2] {
        let (there, from_here) = RingBuffer::new(TOP_RING_DEPTH);
        let (back, from_there) = RingBuffer::new(TOP_RING_DEPTH);
        [Bare { out: there, back: from_there }, Bare { out: back, back: from_here }]
    }

    #[inline]
    fn send(&mut self) {
        let _ = self.out.push(7); // there is room: one word is on its way at most
    }

    #[inline]
    fn take(&mut self) -> bool {
        self.back.pop().is_ok()
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
            let market = MarketId::new(Venue::Kalshi, 0).unwrap_or_else(|| unreachable!());
            let session = OneTop(Top::unknown(market));
            FeedTile::new(session, Always, Outbox::new(ring, 1, false, ()))
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
