//! All markets of a session: which there are, and what the venue says beside their books.

use engine::book::Side;
use engine::grid::Grid;
use engine::slab::Slab;
use engine::top::{MarketId, Top};
use engine::units::{Ns, Venue};

use super::life::{LIFECYCLE, Life};
use super::market::{Market, crossing_of, publish};
use super::{IDENTITY_MAX, Options, TICKER_MAX};
use crate::figures::Figures;
use crate::fitness::{Fitness, Verdict};
use crate::kalshi::fast;
use crate::kalshi::hint::Hint;
use crate::kalshi::message::{Body, Frame, Lifecycle, LifecycleEvent};
use crate::kalshi::sequence::{Order, Sequences};
use crate::market::{AddError, Crossing, Standing, Trust, UNASSIGNED, Watch};
use crate::registry::{self, Registry};
use crate::sink::{Change, Notice, Sink};

/// All but the decoder's buffers, which a decoded frame borrows.
pub(super) struct State {
    pub(super) options: Options,
    pub(super) markets: Vec<Market>,
    pub(super) index: Registry,
    /// By the venue's own id of the market.
    pub(super) ids: Registry,
    pub(super) slab: Slab,
    pub(super) sequences: Sequences,
    /// What the next delta should begin with.
    pub(super) hint: Hint,
    pub(super) figures: Figures,
    pub(super) connected: bool,
    pub(super) watch: Watch,
    pub(super) life: Life,
}

/// Error codes after which a subscription is dead: channel error, and buffer overflow, which says
/// that we read too slowly (kalshi.md section 2, "Error codes").
const ERRORS_TERMINAL: [u64; 2] = [10, 25];

impl State {
    pub(super) fn reserve(&mut self, more: usize) {
        self.markets.reserve_exact(more);
        let (markets, room) = (&self.markets, self.markets.len() + more);
        self.watch.reserve(room);
        self.index.reserve(room, |n| registry::hash(markets[n].ticker()));
        self.ids.reserve(room, |n| markets[n].id_hash());
    }

    /// No market yet.
    pub(super) fn new(options: Options, slab: Slab) -> State {
        State {
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
            life: Life::default(),
        }
    }

    pub(super) fn add_market(&mut self, ticker: &str, grid: &Grid) -> Result<MarketId, AddError> {
        let plain = ticker.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        if ticker.is_empty() || ticker.len() > TICKER_MAX || !plain {
            return Err(AddError::Name);
        }
        if let Some(number) = self.find(ticker.as_bytes()) {
            return Err(AddError::Known(self.markets[number].top.market));
        }
        let vacant = self.markets.iter().position(Market::is_vacant);
        let number = vacant.unwrap_or(self.markets.len());
        let id = MarketId::new(Venue::Kalshi, number).ok_or(AddError::TooMany)?;
        let book = self.slab.take(grid).map_err(|e| AddError::ReserveEmpty { steps: e.steps })?;
        let mut identity = [0; IDENTITY_MAX];
        identity[..ticker.len()].copy_from_slice(ticker.as_bytes());
        // Tops of a number that had another market before count on.
        let mut top = Top::unknown(id);
        top.generation = vacant.map_or(0, |number| self.markets[number].top.generation);
        let market = Market {
            top,
            book,
            standing: Standing::NEW,
            crossing: Crossing::default(),
            owner: (0, 0),
            conn: UNASSIGNED,
            learnt: false,
            ticker_len: ticker.len() as u8,
            identity_len: 0,
            identity,
        };
        match vacant {
            Some(number) => self.markets[number] = market,
            None => self.markets.push(market),
        }
        self.markets[number].standing.wonder(self.life.asked);
        let markets = &self.markets;
        self.watch.reserve(markets.len());
        let hash_of = |n: usize| registry::hash(markets[n].ticker());
        self.index.insert(hash_of(number), number, hash_of);
        Ok(id)
    }

    pub(super) fn known_or_learnt(&mut self, ticker: &str) -> Option<usize> {
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

    pub(super) fn find(&self, ticker: &[u8]) -> Option<usize> {
        self.index.find(registry::hash(ticker), |number| self.markets[number].ticker() == ticker)
    }

    /// The market of a usual delta: looked up by its id, compared in full.
    #[inline(always)]
    pub(super) fn find_identity(&self, identity: &[u8]) -> Option<usize> {
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
    pub(super) fn identify(&mut self, number: usize, market_id: &str) {
        if self.markets[number].set_identity(market_id) {
            let markets = &self.markets;
            let hash_of = |n: usize| markets[n].id_hash();
            self.ids.insert(hash_of(number), number, hash_of);
        }
    }

    pub(super) fn on_message(
        &mut self,
        conn: u32,
        recv: Ns,
        frame: &Frame<'_>,
        sink: &mut impl Sink,
    ) {
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
            Body::EventLifecycle(_) => {
                self.figures.lifecycle += 1;
                sink.notice(&Notice::Listed { venue: Venue::Kalshi });
            }
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
                if channel == LIFECYCLE {
                    self.on_life_subscribed((conn, sid), recv, sink);
                }
            }
            Body::Ok { .. } => self.figures.control += 1,
            Body::Unsubscribed => {
                self.figures.control += 1;
                if let Some(sid) = frame.sid {
                    self.sequences.end(conn, sid);
                    self.lose_life(|from| from == (conn, sid), recv, sink);
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

    fn on_lifecycle(&mut self, lifecycle: &Lifecycle<'_>, recv: Ns, sink: &mut impl Sink) {
        self.figures.lifecycle += 1;
        let Some(number) = self.find(lifecycle.ticker.as_bytes()) else {
            if lifecycle.event == LifecycleEvent::Created {
                sink.notice(&Notice::Listed { venue: Venue::Kalshi });
            }
            return;
        };
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
            Change::Paused(on) => market.standing.hear_pause(on),
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

    /// Takes a market out that no frame is to find any more. It says a last word.
    fn retire(&mut self, number: usize, recv: Ns, sink: &mut impl Sink) {
        let markets = &self.markets;
        let Some(market) = markets.get(number) else { return };
        if self.find(market.ticker()) != Some(number) {
            return;
        }
        let name_of = |n: usize| registry::hash(markets[n].ticker());
        self.index.remove(name_of(number), number, name_of);
        if market.identity_len != 0 {
            let id_of = |n: usize| markets[n].id_hash();
            self.ids.remove(id_of(number), number, id_of);
        }
        let market = &mut self.markets[number];
        market.identity_len = 0;
        market.standing.hear(Fitness::Retired);
        self.watch.forget(number, &mut market.crossing);
        publish(market, recv, sink);
        sink.notice(&Notice::MarketRetired { market: market.top.market });
    }

    /// True where the number's market was retired: no frame finds it.
    pub(super) fn has_departed(&self, number: usize) -> bool {
        let market = self.markets.get(number);
        market.is_some_and(|market| self.find(market.ticker()) != Some(number))
    }

    /// Frees the number and the book of a market that was retired.
    fn vacate(&mut self, number: usize) {
        if !self.has_departed(number) || self.markets[number].is_vacant() {
            return;
        }
        let market = &mut self.markets[number];
        market.ticker_len = 0;
        self.slab.give(market.book);
    }

    #[cold]
    pub(super) fn on_verdict(&mut self, verdict: Verdict, recv: Ns, sink: &mut impl Sink) {
        match verdict.says {
            Fitness::Retired => return self.retire(verdict.market.index(), recv, sink),
            Fitness::Vacant => return self.vacate(verdict.market.index()),
            Fitness::Asked => return self.on_asked(recv, sink),
            Fitness::Unfit
            | Fitness::Fit
            | Fitness::Removed
            | Fitness::Restored
            | Fitness::Listed(_) => {}
        }
        if self.has_departed(verdict.market.index()) {
            return; // Its last word was said.
        }
        if let Fitness::Listed(listed) = verdict.says {
            return self.on_listed(verdict.market.index(), listed, recv, sink);
        }
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
    pub(super) fn on_time(&mut self, now: Ns, sink: &mut impl Sink) {
        let mut at = 0;
        while let Some(number) =
            self.watch.next_overdue(now, &mut at, &mut self.markets, crossing_of)
        {
            if self.markets[number].standing.trust() == Trust::Whole {
                self.doubt(number, now, sink);
            }
        }
    }
}
