//! Kalshi's market channels: frames in, books and tops out. No socket, no clock, no key.
//!
//! One session owns the books of all Kalshi connections of a feed. `seq` is counted per
//! connection and subscription over every frame that carries one (kalshi.md section 2).

mod changes; // the hot path: changes of books
mod life; // whether markets trade
mod loss; // what takes books out of trading
mod market; // what is kept of a market
mod state; // all markets

use engine::book::Side;
use engine::grid::Grid;
use engine::slab::Slab;
use engine::top::{MarketId, Top};
use engine::units::{Ns, Px, Qty};

use self::market::Market;
use self::state::State;
use crate::figures::Figures;
use crate::fitness::Verdict;
use crate::kalshi::fast;
use crate::kalshi::general::General;
use crate::market::AddError;
use crate::sink::Sink;

/// Longest ticker: combination markets have some 60 letters.
pub const TICKER_MAX: usize = 80;

const IDENTITY_MAX: usize = fast::identity_len(TICKER_MAX);

/// How the subscription writes prices of the no side (kalshi.md section 2, `use_yes_price`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum NoSide {
    /// In NO prices: a no bid at 0.48 reads 0.48.
    #[default]
    NoPrice,
    /// In YES prices: it reads 0.52.
    YesPrice,
}

/// What a session does with what it is not told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// The convention of the subscription.
    pub no_side: NoSide,
    /// Whether a market that was not added is learnt from its first snapshot.
    pub learn: bool,
}

/// Bytes that one market takes here beside its book and its place in the registry.
pub const MARKET_BYTES: usize = size_of::<Market>() + size_of::<u16>();

/// The state of every Kalshi market of a feed.
pub struct Session {
    general: General,
    state: State,
}

impl Session {
    /// No market yet; books come out of `slab`.
    pub fn new(options: Options, slab: Slab) -> Session {
        let state = State::new(options, slab);
        Session { general: General::new(), state }
    }

    /// Adds a market with its price grid.
    pub fn add_market(&mut self, ticker: &str, grid: &Grid) -> Result<MarketId, AddError> {
        self.state.add_market(ticker, grid)
    }

    /// Takes the memory of that many more markets at once.
    pub fn reserve(&mut self, markets: usize) {
        self.state.reserve(markets);
    }

    /// Number of markets that memory was taken for.
    pub fn room(&self) -> usize {
        self.state.markets.capacity()
    }

    /// Says on which connection a market is subscribed to, where there are several.
    pub fn assign(&mut self, number: usize, conn: u32) {
        self.state.markets[number].conn = conn;
    }

    /// What was counted so far.
    pub const fn figures(&self) -> &Figures {
        &self.state.figures
    }

    /// Number of markets.
    pub fn markets(&self) -> usize {
        self.state.markets.len()
    }

    /// The ticker of a market number.
    pub fn ticker(&self, number: usize) -> &str {
        core::str::from_utf8(self.state.markets[number].ticker()).unwrap_or_default()
    }

    /// The number of a ticker.
    pub fn number_of(&self, ticker: &str) -> Option<usize> {
        self.state.find(ticker.as_bytes())
    }

    /// How the subscription writes prices of the no side.
    pub const fn no_side(&self) -> NoSide {
        self.state.options.no_side
    }

    /// Whether the market's book is not whole, and a snapshot would make it so.
    pub fn awaits_book(&self, number: usize) -> bool {
        self.state.markets[number].standing.awaits_book()
    }

    /// The market's last top.
    pub fn top(&self, number: usize) -> &Top {
        &self.state.markets[number].top
    }

    /// One side of a book, YES prices ascending. Allocates: for digests and audits.
    pub fn levels(&self, number: usize, side: Side) -> Vec<(Px, Qty)> {
        self.state.slab.levels(self.state.markets[number].book, side)
    }

    /// Best bid and ask of the YES book.
    pub fn best(&self, number: usize) -> (Option<Px>, Option<Px>) {
        let (slab, book) = (&self.state.slab, self.state.markets[number].book);
        (slab.best(book, Side::Bid), slab.best(book, Side::Ask))
    }

    /// A new connection of the venue: every book starts afresh.
    pub fn on_connected(&mut self, recv: Ns, sink: &mut impl Sink) {
        self.state.on_connected(recv, sink);
    }

    /// A connection opened: the books of its own markets start afresh.
    pub fn on_opened(&mut self, conn: u32, recv: Ns, sink: &mut impl Sink) {
        self.state.on_closed(conn, recv, sink);
    }

    /// A connection is gone: the books of its markets leave trading.
    pub fn on_closed(&mut self, conn: u32, recv: Ns, sink: &mut impl Sink) {
        self.state.on_closed(conn, recv, sink);
    }

    /// Something is said of a book from outside.
    pub fn on_verdict(&mut self, verdict: Verdict, recv: Ns, sink: &mut impl Sink) {
        self.state.on_verdict(verdict, recv, sink);
    }

    /// The time after which [`Session::on_time`] has work to do.
    #[inline]
    pub fn due(&self) -> Option<Ns> {
        self.state.watch.due()
    }

    /// One frame, as on the socket. `recv` is its receive stamp.
    #[inline]
    pub fn on_frame(&mut self, conn: u32, recv: Ns, frame: &[u8], sink: &mut impl Sink) {
        let state = &mut self.state;
        state.figures.frames += 1;
        if state.watch.is_due(recv) {
            state.on_time(recv, sink);
        }
        if let Some(delta) = fast::delta_like(frame, &state.hint)
            && let Some(number) = state.find_identity(delta.identity)
        {
            state.figures.fast += 1;
            state.hint.follow(delta.sid, delta.seq);
            return state.on_delta(conn, recv, number, &delta, sink);
        }
        self.on_other(conn, recv, frame, sink);
    }

    /// Judges crossed books again: silence does not make them sound.
    pub fn on_time(&mut self, now: Ns, sink: &mut impl Sink) {
        self.state.on_time(now, sink);
    }

    /// Every frame that is not a delta of the usual shape about a known market.
    #[cold]
    fn on_other(&mut self, conn: u32, recv: Ns, frame: &[u8], sink: &mut impl Sink) {
        match self.general.decode(frame) {
            Ok(frame) => self.state.on_message(conn, recv, &frame, sink),
            Err(error) => {
                self.state.figures.parse_errors += 1;
                let envelope = self.general.envelope();
                let lost = (envelope.sid, envelope.seq);
                self.state.on_refused(conn, lost, &error, recv, sink);
            }
        }
    }
}
