//! Headers of Kalshi orders, signed ahead: some sixty, with stamps spread over the window that
//! the venue accepts, each used once, renewed as they age. Firing takes one and signs nothing.

use engine::units::Ns;
use rtrb::{Consumer, Producer, RingBuffer};

use super::kalshi::{KalshiSigner, SignedHeader};
use super::stamps::{Lane, Stamps, WINDOW_MS, ms};

/// Headers that lie ready, unless the configuration says otherwise. More than the orders that the
/// venue's burst limit lets through at once (kalshi.md section 5), and few enough to renew on a
/// shared core.
pub const HEADERS_MAX: usize = 64;

/// How many headers lie ready, and over which window their stamps are spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeaderSpread {
    headers: usize,
    window_ms: u64,
}

impl Default for HeaderSpread {
    fn default() -> HeaderSpread {
        HeaderSpread { headers: HEADERS_MAX, window_ms: WINDOW_MS }
    }
}

impl HeaderSpread {
    /// Milliseconds of window that a header needs at least: while nothing is fired the stamps span
    /// the window, and a tenth of the window ahead has room for all of them again, each in its
    /// lane, so that a burst that empties the pool can be replaced at once.
    pub const MS_A_HEADER: u64 = 10 * Lane::COUNT;

    /// `headers` over the window of `window_ms` either way; `None` where it has no room for them,
    /// or is wider than was ever seen to be accepted.
    pub const fn new(headers: usize, window_ms: u64) -> Option<HeaderSpread> {
        let needs = headers as u64 * HeaderSpread::MS_A_HEADER;
        if headers == 0 || window_ms < needs || window_ms > 2 * WINDOW_MS {
            return None;
        }
        Some(HeaderSpread { headers, window_ms })
    }

    /// Milliseconds between the stamps of two headers while nothing is fired: together they span
    /// the window, from its past end to its future end.
    const fn spacing_ms(self) -> u64 {
        2 * self.window_ms / self.headers as u64
    }

    /// The last part of the window ahead, kept for the headers that replace those a burst took.
    const fn burst_ms(self) -> u64 {
        self.window_ms / 10
    }
}

const _: () = assert!(HeaderSpread::new(HEADERS_MAX, WINDOW_MS).is_some());

/// The two ends of a pool: for the signer tile, and for the gate.
pub fn header_pool(spread: HeaderSpread) -> (HeaderFiller, HeaderPool) {
    let (ready_tx, ready_rx) = RingBuffer::new(spread.headers);
    let stamps = |lane| Stamps::within(lane, spread.window_ms);
    let filler = HeaderFiller { ready: ready_tx, stamps: stamps(Lane::Ahead), spread };
    let pool = HeaderPool {
        ready: ready_rx,
        stamps: stamps(Lane::Gate),
        window_ms: spread.window_ms,
        figures: PoolFigures::default(),
    };
    (filler, pool)
}

/// The signer's end: keeps the pool full.
pub struct HeaderFiller {
    /// Oldest stamp first.
    ready: Producer<SignedHeader>,
    stamps: Stamps,
    spread: HeaderSpread,
}

impl HeaderFiller {
    /// Signs one header if there is room for it; says whether it did.
    pub fn fill(&mut self, signer: &mut KalshiSigner, wall: Ns) -> bool {
        if self.ready.is_full() {
            return false;
        }
        let (spread, window_ms) = (self.spread, self.spread.window_ms);
        let oldest = ms(wall).saturating_sub(window_ms) + spread.spacing_ms();
        let spaced = (self.stamps.last_ms() + spread.spacing_ms()).max(oldest);
        // After a burst the window ahead is used up but for the part that is kept for it.
        let latest = ms(wall) + window_ms - spread.burst_ms();
        let from = if spaced <= latest { spaced } else { 0 };
        let Some(stamp_ms) = self.stamps.draw(from, wall) else { return false };
        self.ready.push(signer.order(stamp_ms)).is_ok()
    }

    /// Headers that could be signed now.
    pub fn missing(&self) -> usize {
        self.ready.slots()
    }
}

/// What became of the headers of a pool.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PoolFigures {
    /// Orders that found a header ready.
    pub hits: u64,
    /// Orders that had to be signed when they left.
    pub inline: u64,
    /// Headers that aged unused.
    pub stale: u64,
}

/// The gate's end: headers to take, and stamps for what must be signed on the spot.
pub struct HeaderPool {
    ready: Consumer<SignedHeader>,
    stamps: Stamps,
    window_ms: u64,
    figures: PoolFigures,
}

impl HeaderPool {
    /// The oldest header whose stamp the venue accepts now. No signature, no allocation.
    #[inline]
    pub fn take(&mut self, wall: Ns) -> Option<SignedHeader> {
        self.drop_stale(wall);
        let ahead = self.ready.peek().ok()?.stamp_ms() > ms(wall) + self.window_ms;
        if ahead {
            return None; // The clock was set back; they come into their time again.
        }
        let header = self.ready.pop().ok()?;
        self.figures.hits += 1;
        Some(header)
    }

    /// A header that lay ready, or one signed on the spot. `None` where this millisecond's
    /// stamps are used up or the clock was set back: the order must not leave.
    pub fn take_or_sign(&mut self, signer: &mut KalshiSigner, wall: Ns) -> Option<SignedHeader> {
        if let Some(header) = self.take(wall) {
            return Some(header);
        }
        let stamp_ms = self.stamps.now(wall)?;
        self.figures.inline += 1;
        Some(signer.order(stamp_ms))
    }

    /// True where the next order would find a stamp: not after a clock was set back further than what
    /// was drawn ahead of it.
    pub fn has_stamp(&self, wall: Ns) -> bool {
        let latest = ms(wall).saturating_add(self.window_ms);
        let lies_ready = self.ready.peek().is_ok_and(|header| header.stamp_ms() <= latest);
        // The lane's next one is less than its step behind the last.
        lies_ready || self.stamps.last_ms() + Lane::COUNT <= latest
    }

    /// A stamp for another request of the gate, unlike all others.
    pub fn stamp(&mut self, wall: Ns) -> Option<u64> {
        self.stamps.now(wall)
    }

    /// Drops headers that are too old, so that the signer renews them. To be called while idle.
    pub fn drop_stale(&mut self, wall: Ns) {
        let oldest = ms(wall).saturating_sub(self.window_ms);
        while self.ready.peek().is_ok_and(|header| header.stamp_ms() < oldest) {
            let _ = self.ready.pop();
            self.figures.stale += 1;
        }
    }

    /// Headers that lie ready.
    pub fn ready(&self) -> usize {
        self.ready.slots()
    }

    /// What became of the headers so far.
    pub const fn figures(&self) -> PoolFigures {
        self.figures
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
