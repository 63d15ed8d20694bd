//! From a frame on a TLS socket to an order on another, on loopback: the shipped feed, core and
//! gate on one core, a venue of the simplest kind on the other; and a bare TLS echo beside it.

mod engine_side; // the shipped tiles, and the echo
mod venue_side; // the venue's sockets

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use engine::pin::{CoreList, pin_current};
use sim::ca::Authority;

/// A median and a 99th percentile, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spread {
    /// The middle one.
    pub p50: u64,
    /// One in a hundred is above.
    pub p99: u64,
}

impl Spread {
    fn of(nanos: &[u64]) -> Spread {
        let mut nanos = nanos.to_vec();
        nanos.sort_unstable();
        let at = |percent: usize| nanos.get(nanos.len() * percent / 100).copied();
        Spread { p50: at(50).unwrap_or_default(), p99: at(99).unwrap_or_default() }
    }

    /// The round with the least median: what else the machine does only ever adds.
    fn of_best_round(nanos: &[u64], a_round: usize) -> Spread {
        let rounds = nanos.chunks_exact(a_round).skip(WARM_UP_ROUNDS).map(Spread::of);
        rounds.min_by_key(|spread| spread.p50).unwrap_or(Spread { p50: 0, p99: 0 })
    }
}

/// One way through the machine, taken many times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Path {
    /// From before the venue's call that makes the frame readable to after the call with which
    /// the other side wrote its answer.
    pub there: Spread,
    /// From the same moment until the venue has read and decrypted that answer.
    pub and_back: Spread,
}

/// What was measured.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Wire {
    /// A market's frame, and the order that it causes.
    pub order: Path,
    /// As many bytes, answered with as many by a client that does nothing but read and write.
    pub echo: Path,
    /// From before the venue's call that makes a frame readable to its Top in the core's ring.
    pub pushed: Spread,
    /// From the core's decision to the kernel having the order.
    pub sent: Spread,
    /// Bytes of the frame and of the order's request.
    pub bytes: [usize; 2],
    /// Orders that found no header signed ahead.
    pub inline: u64,
    /// Calls for memory by the tiles, and TLS records that they read and wrote meanwhile.
    pub tiles: Calls,
    /// The same of the echo, which has nothing above TLS.
    pub bare: Calls,
}

/// Calls for memory of one thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Calls {
    /// Calls.
    pub calls: u64,
    /// TLS records that were read or written.
    pub records: u64,
}

/// Rounds that are not counted: caches, predictors and buffers find their shape.
const WARM_UP_ROUNDS: usize = 1;

/// What both threads know of each other beside their sockets.
#[derive(Default)]
struct Flags {
    /// The tiles are ready for a frame that makes an order.
    ready: AtomicBool,
    /// The echo has its turn, not the tiles.
    echoes: AtomicBool,
    /// One of them is done, or has failed.
    over: AtomicBool,
    /// Ticks of the processor's counter before the last frame was written.
    written: AtomicU64,
    /// Bytes of an order's request, once there was one: what an echo sends.
    order_bytes: AtomicUsize,
}

impl Flags {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

/// Ends the other thread too, however this one ends.
struct Ends<'a>(&'a Flags);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Release);
    }
}

/// How much is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Orders a round, and echoes after them.
    pub a_round: usize,
    /// Rounds that count.
    pub rounds: usize,
}

impl Plan {
    const fn all_rounds(self) -> usize {
        WARM_UP_ROUNDS + self.rounds
    }

    const fn warm_up(self) -> usize {
        WARM_UP_ROUNDS * self.a_round
    }

    const fn total(self) -> usize {
        self.a_round * self.all_rounds()
    }
}

/// Measures orders and echoes in turns.
///
/// # Errors
/// Fewer than two cores, sockets that fail, or an order that does not come.
pub fn measure(plan: Plan) -> Result<Wire, String> {
    let allowed = CoreList::allowed();
    let &[here, there, ..] = allowed.cores() else {
        return Err(format!("two cores are needed, {} may be used", allowed.len()));
    };
    let words = |error: std::io::Error| error.to_string();
    let authority = Authority::new().map_err(words)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(words)?;
    let port = listener.local_addr().map_err(words)?.port();
    let flags = Flags::default();
    thread::scope(|scope| {
        let (flags, authority) = (&flags, &authority);
        let venue = scope.spawn(move || {
            let _ends = Ends(flags);
            pin_current(there).map_err(|error| error.to_string())?;
            venue_side::run(&listener, &authority.server, plan, flags)
        });
        let engine = scope.spawn(move || {
            let _ends = Ends(flags);
            pin_current(here).map_err(|error| error.to_string())?;
            engine_side::run(port, authority.pem.as_bytes(), plan, flags)
        });
        let joined = |_| "a thread panicked".to_owned();
        let (venue, engine) = (venue.join().map_err(joined)?, engine.join().map_err(joined)?);
        // Whichever failed first made the other one fail too.
        let (venue, engine) = match (venue, engine) {
            (Ok(venue), Ok(engine)) => (venue, engine),
            (Err(one), Err(other)) => return Err(format!("{one}; {other}")),
            (Err(one), Ok(_)) | (Ok(_), Err(one)) => return Err(one),
        };
        if engine.orders.len() != plan.total() || engine.echoes.len() != plan.total() {
            let [orders, echoes] = [engine.orders.len(), engine.echoes.len()];
            return Err(format!("{orders} orders and {echoes} echoes left, not {}", plan.total()));
        }
        let path = |there: &[u64], and_back: &[u64]| Path {
            there: Spread::of_best_round(there, plan.a_round),
            and_back: Spread::of_best_round(and_back, plan.a_round),
        };
        Ok(Wire {
            order: path(&engine.orders, &venue.orders),
            echo: path(&engine.echoes, &venue.echoes),
            pushed: engine.pushed,
            sent: engine.sent,
            bytes: [venue_side::frame_bytes(), flags.order_bytes.load(Ordering::Acquire)],
            inline: engine.inline,
            tiles: engine.tiles,
            bare: engine.bare,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_brings_its_order() {
        if CoreList::allowed().len() < 2 {
            eprintln!("skipped: two cores are needed");
            return;
        }
        let wire = measure(Plan { a_round: 5, rounds: 2 }).unwrap();
        assert_eq!(wire.inline, 0, "all of them were signed ahead");
        assert_eq!((wire.tiles.records, wire.bare.records), (2 * 5 * 4, 2 * 5 * 2));
        for path in [wire.order, wire.echo] {
            // Each way has a best round of its own, so that one says nothing of the other.
            assert!(path.there.p50 > 0 && path.and_back.p50 > 0, "{path:?}");
        }
        assert!(wire.pushed.p50 > 0 && wire.sent.p50 > 0);
    }

    #[test]
    fn the_best_round_is_the_one_with_the_least_median_after_the_warm_up() {
        let nanos = [1, 1, 1, 9, 8, 7, 5, 4, 90];
        assert_eq!(Spread::of_best_round(&nanos, 3), Spread { p50: 5, p99: 90 });
    }
}
