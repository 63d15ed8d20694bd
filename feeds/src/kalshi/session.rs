//! Kalshi's market channels: frames in, books and tops out. No socket, no clock, no key.
//!
//! One session owns the books of all Kalshi connections of a feed. `seq` is counted per
//! connection and subscription over every frame that carries one (kalshi.md section 2).

use engine::book::Side;
use engine::grid::Grid;
use engine::slab::{BookId, Slab};
use engine::top::{MarketId, Top};
use engine::units::{Ns, Px, Qty, Venue};

use crate::error::{DecodeError, DecodeErrorKind};
use crate::figures::Figures;
use crate::fitness::{Fitness, Verdict};
use crate::kalshi::fast::{self, FastDelta};
use crate::kalshi::general::General;
use crate::kalshi::hint::Hint;
use crate::kalshi::message::{Body, BookSide, Delta, Frame, Lifecycle, LifecycleEvent, Snapshot};
use crate::kalshi::sequence::{Order, Sequences};
use crate::market::{self, AddError, Crossing, Standing, Trust, UNASSIGNED, Watch};
use crate::registry::{self, Registry};
use crate::sink::{Change, Notice, Sink};
use crate::wide;

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

struct Market {
    top: Top,
    book: BookId,
    standing: Standing,
    crossing: Crossing,
    /// Connection and subscription of the last snapshot.
    owner: (u32, u64),
    /// The connection that it is subscribed to on.
    conn: u32,
    learnt: bool,
    ticker_len: u8,
    identity_len: u8,
    identity: [u8; IDENTITY_MAX],
}

impl Market {
    fn ticker(&self) -> &[u8] {
        &self.identity[..usize::from(self.ticker_len)]
    }

    #[inline]
    fn has_identity(&self, identity: &[u8]) -> bool {
        wide::equal(&self.identity[..usize::from(self.identity_len)], identity)
    }

    /// Notes the venue's id of the market, so that the usual frames are known by their bytes;
    /// true where it had none before.
    fn set_identity(&mut self, market_id: &str) -> bool {
        let ticker_len = usize::from(self.ticker_len);
        let first = self.identity_len == 0;
        if !fast::put_market_id(&mut self.identity, ticker_len, market_id) {
            return false;
        }
        self.identity_len = fast::identity_len(ticker_len) as u8;
        first
    }

    /// The hash of the venue's id of the market.
    fn id_hash(&self) -> u64 {
        fast::id_hash(&self.identity[..usize::from(self.identity_len)])
    }
}

impl Market {
    /// Lets the top follow a change of its book; false where it must be shown anew.
    #[inline(always)]
    fn follow(&mut self, side: Side, px: Px, total: Qty) -> bool {
        match side {
            Side::Bid => self.top.change_bids(px, total),
            Side::Ask => self.top.change_asks(px, total),
        }
    }

    /// Copies one side of the book into the top.
    #[inline(never)]
    fn show(&mut self, slab: &Slab, side: Side) {
        let levels = slab.top(self.book, side);
        match side {
            Side::Bid => self.top.set_bids(&levels),
            Side::Ask => self.top.set_asks(&levels),
        }
    }

    fn show_both(&mut self, slab: &Slab) {
        self.show(slab, Side::Bid);
        self.show(slab, Side::Ask);
    }

    /// False where the best bid is below the best ask, and was.
    #[inline(always)]
    fn may_be_crossed(&self) -> bool {
        let (bid, ask) = (self.top.best_bid_raw(), self.top.best_ask_raw());
        (bid.0 >= ask.0 && bid.1 != 0 && ask.1 != 0) || self.crossing.is_on()
    }
}

#[inline(always)]
fn count_change(figures: &mut Figures) {
    figures.book_messages += 1;
    figures.deltas += 1;
    figures.changes += 1;
}

/// Bytes that one market takes here beside its book and its place in the registry.
pub const MARKET_BYTES: usize = size_of::<Market>() + size_of::<u16>();

/// The state of every Kalshi market of a feed.
pub struct Session {
    general: General,
    state: State,
}

/// All but the decoder's buffers, which a decoded frame borrows.
struct State {
    options: Options,
    markets: Vec<Market>,
    index: Registry,
    /// By the venue's own id of the market.
    ids: Registry,
    slab: Slab,
    sequences: Sequences,
    /// What the next delta should begin with.
    hint: Hint,
    figures: Figures,
    connected: bool,
    watch: Watch,
}

impl Session {
    /// No market yet; books come out of `slab`.
    pub fn new(options: Options, slab: Slab) -> Session {
        let state = State {
            options,
            markets: Vec::new(),
            index: Registry::with_capacity(64),
            ids: Registry::with_capacity(64),
            slab,
            sequences: Sequences::default(),
            hint: Hint::NONE,
            figures: Figures::default(),
            connected: false,
            watch: Watch::default(),
        };
        Session { general: General::new(), state }
    }

    /// Adds a market with its price grid.
    pub fn add_market(&mut self, ticker: &str, grid: &Grid) -> Result<MarketId, AddError> {
        self.state.add_market(ticker, grid)
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

impl State {
    fn add_market(&mut self, ticker: &str, grid: &Grid) -> Result<MarketId, AddError> {
        let plain = ticker.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        if ticker.is_empty() || ticker.len() > TICKER_MAX || !plain {
            return Err(AddError::Name);
        }
        if let Some(number) = self.find(ticker.as_bytes()) {
            return Err(AddError::Known(self.markets[number].top.market));
        }
        let number = self.markets.len();
        let id = MarketId::new(Venue::Kalshi, number).ok_or(AddError::TooMany)?;
        let book = self.slab.take(grid).map_err(|e| AddError::ReserveEmpty { steps: e.steps })?;
        let mut identity = [0; IDENTITY_MAX];
        identity[..ticker.len()].copy_from_slice(ticker.as_bytes());
        self.markets.push(Market {
            top: Top::unknown(id),
            book,
            standing: Standing::NEW,
            crossing: Crossing::default(),
            owner: (0, 0),
            conn: UNASSIGNED,
            learnt: false,
            ticker_len: ticker.len() as u8,
            identity_len: 0,
            identity,
        });
        let markets = &self.markets;
        self.watch.reserve(markets.len());
        let hash_of = |n: usize| registry::hash(markets[n].ticker());
        self.index.insert(hash_of(number), number, hash_of);
        Ok(id)
    }

    fn on_connected(&mut self, recv: Ns, sink: &mut impl Sink) {
        self.figures.resets += u64::from(self.connected);
        self.connected = true;
        self.sequences.clear();
        self.watch.clear(&mut self.markets, crossing_of);
        sink.notice(&Notice::Connected { venue: Venue::Kalshi, recv });
        for market in &mut self.markets {
            if market.standing.trust() != Trust::AwaitSnapshot {
                market.crossing.clear();
                market.standing.set(Trust::AwaitSnapshot);
                publish(market, recv, sink);
            }
        }
    }

    #[cold]
    fn on_closed(&mut self, conn: u32, recv: Ns, sink: &mut impl Sink) {
        self.sequences.end_all_of(conn);
        let of_conn = |market: &Market| match market.conn {
            UNASSIGNED => market.owner.0 == conn,
            assigned => assigned == conn,
        };
        self.forget(of_conn, recv, sink);
    }

    #[cold]
    fn on_verdict(&mut self, verdict: Verdict, recv: Ns, sink: &mut impl Sink) {
        let Some(market) = self.markets.get_mut(verdict.market.index()) else { return };
        let before = market.standing;
        market.standing.hear(verdict.says);
        if verdict.says == Fitness::Unfit && market.standing.trust() == Trust::Whole {
            self.doubt(verdict.market.index(), recv, sink);
        } else if market.standing != before {
            if market.standing.trust() == Trust::AwaitSnapshot {
                market.crossing.clear();
            }
            publish(market, recv, sink);
        }
    }

    #[cold]
    fn on_time(&mut self, now: Ns, sink: &mut impl Sink) {
        let mut at = 0;
        while let Some(number) =
            self.watch.next_overdue(now, &mut at, &mut self.markets, crossing_of)
        {
            if self.markets[number].standing.trust() == Trust::Whole {
                self.doubt(number, now, sink);
            }
        }
    }

    fn on_message(&mut self, conn: u32, recv: Ns, frame: &Frame<'_>, sink: &mut impl Sink) {
        let place = frame.sid.zip(frame.seq);
        if let Some((sid, seq)) = place {
            let control = matches!(
                frame.body,
                Body::Subscribed(_) | Body::Unsubscribed | Body::Ok { .. } | Body::Error { .. }
            );
            let order = match control {
                true => self.sequences.advance_control(conn, sid, seq),
                false => self.sequences.advance(conn, sid, seq),
            };
            match order {
                Order::Old if !control => return self.figures.out_of_order += 1,
                Order::Next | Order::Old => {}
                Order::Gap => self.on_gap(conn, sid, recv, sink),
            }
        }
        let owner = place.map(|(sid, _)| (conn, sid));
        match &frame.body {
            Body::Delta(delta) => self.on_general_delta(owner, delta, recv, sink),
            Body::Snapshot(snapshot) => self.on_snapshot(owner, snapshot, recv, sink),
            Body::Ticker(_) => self.figures.tickers += 1,
            Body::Trade(_) => self.figures.trades += 1,
            Body::Lifecycle(lifecycle) => self.on_lifecycle(lifecycle, recv, sink),
            Body::EventLifecycle(_) => self.figures.lifecycle += 1,
            Body::EventFee(fee) => {
                self.figures.lifecycle += 1;
                sink.notice(&Notice::EventFee {
                    event: fee.event_ticker,
                    fee: fee.fee_type.and_then(|kind| Ok((kind, fee.multiplier_e6?))),
                });
            }
            Body::Subscribed(subscription) => {
                self.figures.control += 1;
                let (channel, sid) = (subscription.channel, subscription.sid);
                sink.notice(&Notice::Subscribed { channel, sid });
            }
            Body::Ok { .. } => self.figures.control += 1,
            Body::Unsubscribed => {
                self.figures.control += 1;
                if let Some(sid) = frame.sid {
                    self.sequences.end(conn, sid);
                    self.forget(|market| market.owner == (conn, sid), recv, sink);
                }
            }
            Body::Error { code, text } => {
                self.figures.control += 1;
                sink.notice(&Notice::VenueError { code: *code, sid: frame.sid, text });
                if ERRORS_TERMINAL.contains(code) {
                    self.on_terminal(conn, frame.sid, recv, sink);
                }
            }
            Body::Other => self.figures.unknown_types += 1,
        }
    }

    /// The market of a usual delta: looked up by its id, compared in full.
    #[inline(always)]
    fn find_identity(&self, identity: &[u8]) -> Option<usize> {
        let hash = fast::id_hash(identity);
        let likely = self.ids.likely(hash);
        match self.markets.get(likely) {
            Some(market) if market.has_identity(identity) => Some(likely),
            _ => self.find_identity_on(hash, identity),
        }
    }

    #[cold]
    #[inline(never)]
    fn find_identity_on(&self, hash: u64, identity: &[u8]) -> Option<usize> {
        self.ids.find(hash, |number| self.markets[number].has_identity(identity))
    }

    /// Notes the venue's id of a market. Only the first one is looked up by: an id that changes
    /// makes its market's frames slower, not the table larger.
    fn identify(&mut self, number: usize, market_id: &str) {
        if self.markets[number].set_identity(market_id) {
            let markets = &self.markets;
            let hash_of = |n: usize| markets[n].id_hash();
            self.ids.insert(hash_of(number), number, hash_of);
        }
    }

    fn on_general_delta(
        &mut self,
        owner: Option<(u32, u64)>,
        delta: &Delta<'_>,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
        let Some(number) = self.find(delta.ticker.as_bytes()) else {
            return self.figures.unknown_markets += 1;
        };
        self.figures.fallback += 1;
        self.identify(number, delta.market_id);
        let Some(owner) = owner else { return self.unplaced(number, recv, sink) };
        if self.markets[number].owner != owner {
            return self.figures.before_snapshot += 1;
        }
        self.apply(number, delta.side, delta.px, delta.delta_e2, recv, sink);
    }

    /// A book message without a number in a subscription: what came before it and what is missing
    /// cannot be told, so it is not applied and the book leaves trading.
    #[cold]
    fn unplaced(&mut self, number: usize, recv: Ns, sink: &mut impl Sink) {
        self.figures.rejected_changes += 1;
        self.doubt(number, recv, sink);
    }

    fn on_snapshot(
        &mut self,
        owner: Option<(u32, u64)>,
        snapshot: &Snapshot<'_>,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
        let Some(number) = self.known_or_learnt(snapshot.ticker) else {
            return self.figures.unknown_markets += 1;
        };
        let Some(owner) = owner else { return self.unplaced(number, recv, sink) };
        self.identify(number, snapshot.market_id);
        let market = &mut self.markets[number];
        market.owner = owner;
        self.slab.clear(market.book);
        market.crossing.clear();
        market.standing.set(Trust::Whole);
        self.figures.book_messages += 1;
        self.figures.snapshots += 1;
        for (side, levels) in [(BookSide::Yes, snapshot.yes), (BookSide::No, snapshot.no)] {
            for &(px, qty) in levels {
                let (side, px) = on_yes_book(self.options, side, px);
                if !self.put(number, side, px, qty) {
                    self.figures.rejected_changes += 1;
                    self.markets[number].show_both(&self.slab);
                    return self.doubt(number, recv, sink);
                }
            }
        }
        let market = &mut self.markets[number];
        market.show_both(&self.slab);
        sink.notice(&Notice::Snapshot { market: market.top.market, recv });
        self.settle(number, recv, sink);
    }

    /// Sets a level; a grid that was learnt is refined where it must be.
    fn put(&mut self, number: usize, side: Side, px: Px, qty: Qty) -> bool {
        let market = &mut self.markets[number];
        if market::is_end(px) && !qty.is_zero() {
            return false;
        }
        if self.slab.set(market.book, side, px, qty).is_ok() {
            return true;
        }
        market.learnt
            && self.slab.refine(&mut market.book, &Grid::CENTI_CENT).is_ok()
            && self.slab.set(market.book, side, px, qty).is_ok()
    }

    fn known_or_learnt(&mut self, ticker: &str) -> Option<usize> {
        if let Some(number) = self.find(ticker.as_bytes()) {
            return Some(number);
        }
        if !self.options.learn {
            return None;
        }
        match self.add_market(ticker, &Grid::DECI_CENT) {
            Ok(id) => {
                self.markets[id.index()].learnt = true;
                Some(id.index())
            }
            Err(AddError::ReserveEmpty { .. }) => {
                self.figures.reserve_empty += 1;
                None
            }
            Err(_) => None,
        }
    }

    fn on_lifecycle(&mut self, lifecycle: &Lifecycle<'_>, recv: Ns, sink: &mut impl Sink) {
        self.figures.lifecycle += 1;
        let Some(number) = self.find(lifecycle.ticker.as_bytes()) else { return };
        let change = match lifecycle.event {
            LifecycleEvent::Activated => Change::Paused(false),
            LifecycleEvent::Deactivated => Change::Paused(true),
            LifecycleEvent::CloseDateUpdated => match lifecycle.close_ts_s {
                Some(close) => Change::CloseMoved(close),
                None => return,
            },
            LifecycleEvent::Determined => Change::Determined,
            LifecycleEvent::Settled => Change::Settled,
            LifecycleEvent::GridUpdated => return self.on_grid(number, lifecycle, recv, sink),
            LifecycleEvent::Created | LifecycleEvent::MetadataUpdated | LifecycleEvent::Other => {
                return;
            }
        };
        let market = &mut self.markets[number];
        let before = market.standing;
        match change {
            Change::Paused(on) => market.standing.pause(on),
            Change::Determined | Change::Settled => market.standing.end(),
            Change::CloseMoved(_) => {}
        }
        let market_id = market.top.market;
        // All resting orders are cancelled when trading begins again (kalshi.md section 7, point
        // 10); that each of them is also a change on this channel is not documented.
        if change == Change::Paused(false) && market.standing.trust() == Trust::Whole {
            self.doubt(number, recv, sink);
        } else if market.standing != before {
            publish(market, recv, sink);
        }
        sink.notice(&Notice::Lifecycle { market: market_id, change });
    }

    /// The venue refined an open market's grid: resting orders are kept, so the levels are too.
    fn on_grid(
        &mut self,
        number: usize,
        lifecycle: &Lifecycle<'_>,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
        let market = &mut self.markets[number];
        market.learnt = false;
        let grid = lifecycle.grid.as_ref().and_then(|grid| grid.as_ref().ok()).copied();
        sink.notice(&Notice::GridChanged { market: market.top.market, grid });
        let Some(Ok(grid)) = &lifecycle.grid else {
            self.figures.rejected_changes += 1;
            return self.doubt(number, recv, sink);
        };
        if self.slab.refine(&mut market.book, grid).is_err() {
            self.figures.reserve_empty += 1;
            return self.doubt(number, recv, sink);
        }
        let (bids, asks) =
            (self.slab.top(market.book, Side::Bid), self.slab.top(market.book, Side::Ask));
        let same = bids == market.top.bids() && asks == market.top.asks();
        market.top.set_bids(&bids);
        market.top.set_asks(&asks);
        if same {
            publish(market, recv, sink);
        } else {
            self.doubt(number, recv, sink);
        }
    }

    #[inline]
    fn on_delta(
        &mut self,
        conn: u32,
        recv: Ns,
        number: usize,
        delta: &FastDelta<'_>,
        sink: &mut impl Sink,
    ) {
        match self.sequences.advance(conn, delta.sid, delta.seq) {
            Order::Next => {}
            Order::Old => return self.figures.out_of_order += 1,
            Order::Gap => self.on_gap(conn, delta.sid, recv, sink),
        }
        // Two connections may carry one market; its book follows the one its snapshot came on,
        // or every change would be added twice.
        if self.markets[number].owner != (conn, delta.sid) {
            return self.figures.before_snapshot += 1;
        }
        self.apply(number, delta.side, delta.px, delta.delta_e2, recv, sink);
    }

    /// Adds to one level and publishes the market.
    #[inline(always)]
    fn apply(
        &mut self,
        number: usize,
        side: BookSide,
        px: Px,
        delta_e2: i64,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
        let State { options, markets, slab, figures, .. } = self;
        let market = &mut markets[number];
        if !market.standing.takes_changes() {
            return figures.before_snapshot += 1;
        }
        let (side, px) = on_yes_book(*options, side, px);
        if market::is_end(px) {
            figures.rejected_changes += 1;
            return self.doubt(number, recv, sink);
        }
        let Ok(total) = slab.add(market.book, side, px, delta_e2) else {
            return self.apply_refined(number, side, px, delta_e2, recv, sink);
        };
        count_change(figures);
        if !market.follow(side, px, total) {
            market.show(slab, side);
        }
        if market.may_be_crossed() {
            return self.settle_crossed(number, recv, sink);
        }
        publish(market, recv, sink);
    }

    /// The same where the book refused the change: a grid that was learnt is refined, any other
    /// doubt ends with a snapshot.
    #[cold]
    fn apply_refined(
        &mut self,
        number: usize,
        side: Side,
        px: Px,
        delta_e2: i64,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
        let State { markets, slab, figures, .. } = self;
        let market = &mut markets[number];
        let off_grid = slab.grid(market.book).step_of(px).is_none();
        if !(off_grid
            && market.learnt
            && slab.refine(&mut market.book, &Grid::CENTI_CENT).is_ok()
            && slab.add(market.book, side, px, delta_e2).is_ok())
        {
            figures.rejected_changes += 1;
            return self.doubt(number, recv, sink);
        }
        count_change(figures);
        market.show(slab, side);
        self.settle(number, recv, sink);
    }

    /// Judges a book after one of its messages, and publishes it.
    fn settle(&mut self, number: usize, recv: Ns, sink: &mut impl Sink) {
        let market = &mut self.markets[number];
        if market.may_be_crossed() {
            return self.settle_crossed(number, recv, sink);
        }
        publish(market, recv, sink);
    }

    /// The same for a book that is crossed now, or was.
    #[cold]
    fn settle_crossed(&mut self, number: usize, recv: Ns, sink: &mut impl Sink) {
        let market = &mut self.markets[number];
        let bid = market.top.bids().best().map(|level| level.0);
        let ask = market.top.asks().best().map(|level| level.0);
        let was_on = market.crossing.is_on();
        let overdue = market.crossing.judge(bid, ask, recv, &mut self.figures);
        if market.crossing.is_on() && !was_on {
            self.watch.add(number, &mut market.crossing);
        }
        if overdue && market.standing.trust() == Trust::Whole {
            return self.doubt(number, recv, sink);
        }
        publish(market, recv, sink);
    }

    /// Takes a book out of trading until its next snapshot.
    #[cold]
    fn doubt(&mut self, number: usize, recv: Ns, sink: &mut impl Sink) {
        let market = &mut self.markets[number];
        if market.standing.trust() == Trust::Whole {
            market.standing.set(Trust::Doubted);
            self.figures.resyncs += 1;
            sink.notice(&Notice::SnapshotWanted { market: market.top.market });
        }
        publish(market, recv, sink);
    }

    /// A frame could not be read. Where it still names its subscription, the books of that leave
    /// trading now; where it does not, it may have been about any book of the connection.
    fn on_refused(
        &mut self,
        conn: u32,
        (sid, seq): (Option<u64>, Option<u64>),
        error: &DecodeError,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
        match (sid, seq) {
            (Some(sid), Some(seq)) => match self.sequences.advance(conn, sid, seq) {
                Order::Old => self.figures.out_of_order += 1,
                Order::Next => self.lose(|owner| owner == (conn, sid), recv, sink),
                Order::Gap => self.on_gap(conn, sid, recv, sink),
            },
            (Some(sid), None) if error.field == "seq" => {
                self.lose(|owner| owner == (conn, sid), recv, sink);
            }
            (Some(_), None) => {} // no number, so no change of a book: a ticker, say
            (None, _) if error.kind == DecodeErrorKind::Empty => {}
            (None, _) => self.lose(|owner| owner.0 == conn, recv, sink),
        }
    }

    /// The venue ended a subscription, or did not say which (kalshi.md section 2, "Error codes").
    #[cold]
    fn on_terminal(&mut self, conn: u32, sid: Option<u64>, recv: Ns, sink: &mut impl Sink) {
        match sid {
            Some(sid) => {
                self.sequences.end(conn, sid);
                self.lose(|owner| owner == (conn, sid), recv, sink);
            }
            None => self.lose(|owner| owner.0 == conn, recv, sink),
        }
    }

    #[cold]
    fn on_gap(&mut self, conn: u32, sid: u64, recv: Ns, sink: &mut impl Sink) {
        self.figures.sequence_gaps += 1;
        self.lose(|owner| owner == (conn, sid), recv, sink);
    }

    /// Every book of these subscriptions is suspect: one of them misses a change.
    fn lose(&mut self, of: impl Fn((u32, u64)) -> bool, recv: Ns, sink: &mut impl Sink) {
        for market in &mut self.markets {
            if market.standing.takes_changes() && of(market.owner) {
                market.standing.set(Trust::Gap);
                market.crossing.clear();
                self.figures.resyncs += 1;
                sink.notice(&Notice::SnapshotWanted { market: market.top.market });
                publish(market, recv, sink);
            }
        }
    }

    /// A subscription or connection ended: its books hear no more and wait for another one.
    #[cold]
    fn forget(&mut self, of: impl Fn(&Market) -> bool, recv: Ns, sink: &mut impl Sink) {
        for market in &mut self.markets {
            if market.standing.trust() != Trust::AwaitSnapshot && of(market) {
                market.standing.set(Trust::AwaitSnapshot);
                market.crossing.clear();
                publish(market, recv, sink);
            }
        }
    }

    fn find(&self, ticker: &[u8]) -> Option<usize> {
        self.index.find(registry::hash(ticker), |number| self.markets[number].ticker() == ticker)
    }
}

/// Error codes after which a subscription is dead: channel error, and buffer overflow, which says
/// that we read too slowly (kalshi.md section 2, "Error codes").
const ERRORS_TERMINAL: [u64; 2] = [10, 25];

fn crossing_of(markets: &mut [Market], number: usize) -> &mut Crossing {
    &mut markets[number].crossing
}

/// A bid of either side, on the one YES book.
#[inline]
fn on_yes_book(options: Options, side: BookSide, px: Px) -> (Side, Px) {
    match (side, options.no_side) {
        (BookSide::Yes, _) => (Side::Bid, px),
        (BookSide::No, NoSide::NoPrice) => (Side::Ask, px.complement()),
        (BookSide::No, NoSide::YesPrice) => (Side::Ask, px),
    }
}

#[inline]
fn publish(market: &mut Market, recv: Ns, sink: &mut impl Sink) {
    let health = market::health(market.standing, market.crossing.is_on());
    market::publish(&mut market.top, health, recv, sink);
}
