//! All markets of a session: which there are, and what takes one out of trading.

use engine::grid::Grid;
use engine::slab::Slab;
use engine::top::{Health, MarketId, Top};
use engine::units::{Ns, Venue};

use super::market::{EMPTY, Market, Token, crossing_of, health, worse};
use super::{CONDITION_MAX, HashTerms, Options};
use crate::figures::Figures;
use crate::fitness::{Fitness, Verdict};
use crate::market::{self, AddError, Crossing, Standing, Trust, UNASSIGNED, Watch};
use crate::polymarket::fast::TokenText;
use crate::polymarket::message::{NewMarket, Object, Refused};
use crate::registry::{self, Registry};
use crate::sink::{self, Notice, Sink};
use crate::wide;

/// All but the decoder's buffers, which a decoded frame borrows.
pub(super) struct State {
    pub(super) options: Options,
    pub(super) markets: Vec<Market>,
    pub(super) index: Registry,
    pub(super) slab: Slab,
    pub(super) touched: Vec<u16>,
    pub(super) figures: Figures,
    pub(super) connected: bool,
    pub(super) watch: Watch,
    /// How many books had come when all of a connection were doubted last: until one more comes,
    /// there is none of it left to doubt.
    pub(super) doubted_all_at: Option<(u32, u64)>,
}

/// Condition ids are hashes themselves: a few of their digits tell them apart, and the whole is
/// compared in any case.
#[inline]
fn name_hash(condition: &[u8]) -> u64 {
    match (condition.get(2..10).and_then(<[u8]>::first_chunk), condition.last_chunk()) {
        (Some(head), Some(tail)) => {
            registry::mix(0, u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
        }
        _ => registry::hash(condition),
    }
}

impl State {
    pub(super) fn reserve(&mut self, more: usize) {
        self.markets.reserve_exact(more);
        let (markets, room) = (&self.markets, self.markets.len() + more);
        self.watch.reserve(2 * room);
        self.touched.reserve(room - self.touched.len());
        self.index.reserve(room, |n| name_hash(markets[n].condition()));
    }

    /// No market yet.
    pub(super) fn new(options: Options, slab: Slab) -> State {
        State {
            options,
            markets: Vec::new(),
            index: Registry::with_capacity(64),
            slab,
            touched: Vec::new(),
            figures: Figures::default(),
            connected: false,
            watch: Watch::default(),
            doubted_all_at: None,
        }
    }

    pub(super) fn add_market(
        &mut self,
        condition: &str,
        tokens: &[TokenText; 2],
        grid: &Grid,
        terms: Option<HashTerms>,
    ) -> Result<MarketId, AddError> {
        let plain = condition.bytes().all(|b| b.is_ascii_alphanumeric());
        let twins = tokens[0].id() == tokens[1].id();
        if condition.is_empty() || condition.len() > CONDITION_MAX || !plain || twins {
            return Err(AddError::Name);
        }
        if let Some(number) = self.find(condition.as_bytes()) {
            return Err(AddError::Known(self.markets[number].top.market));
        }
        let vacant = self.markets.iter().position(Market::is_vacant);
        let number = vacant.unwrap_or(self.markets.len());
        let id = MarketId::new(Venue::Polymarket, number).ok_or(AddError::TooMany)?;
        let yes = self.slab.take(grid).map_err(|e| AddError::ReserveEmpty { steps: e.steps })?;
        let no = self.slab.take(grid).map_err(|e| {
            self.slab.give(yes);
            AddError::ReserveEmpty { steps: e.steps }
        })?;
        let mut name = [0; CONDITION_MAX];
        name[..condition.len()].copy_from_slice(condition.as_bytes());
        let token = |text: TokenText, book| Token {
            text,
            book,
            standing: Standing::NEW,
            crossing: Crossing::default(),
            timestamp_ms: 0,
            unsettled: None,
            behind: 0,
            seen_book: false,
            best: EMPTY,
        };
        // Tops of a number that had another market before count on.
        let mut top = Top::unknown(id);
        top.generation = vacant.map_or(0, |number| self.markets[number].top.generation);
        let market = Market {
            top,
            tokens: [token(tokens[0], yes), token(tokens[1], no)],
            condition_len: condition.len() as u8,
            condition: name,
            touched: false,
            learnt: false,
            conn: UNASSIGNED,
            terms: terms.map(Box::new),
        };
        match vacant {
            Some(number) => self.markets[number] = market,
            None => self.markets.push(market),
        }
        let markets = &self.markets;
        self.watch.reserve(2 * markets.len());
        // One frame may touch every market.
        self.touched.reserve(markets.len() - self.touched.len());
        let hash_of = |n: usize| name_hash(markets[n].condition());
        self.index.insert(hash_of(number), number, hash_of);
        Ok(id)
    }

    #[inline]
    pub(super) fn find_hex(&self, condition: &[u8; CONDITION_MAX]) -> Option<usize> {
        let found = |number: usize| {
            let market = &self.markets[number];
            wide::equal_names(&market.condition, condition)
                && usize::from(market.condition_len) == CONDITION_MAX
        };
        self.index.find(name_hash(condition), found)
    }

    pub(super) fn find(&self, condition: &[u8]) -> Option<usize> {
        let found = |number: usize| self.markets[number].condition() == condition;
        self.index.find(name_hash(condition), found)
    }

    pub(super) fn on_connected(&mut self, recv: Ns, sink: &mut impl Sink) {
        self.figures.resets += u64::from(self.connected);
        self.connected = true;
        self.watch.clear(&mut self.markets, crossing_of);
        sink.notice(&Notice::Connected { venue: Venue::Polymarket, recv });
        for number in 0..self.markets.len() {
            self.forget(number, recv, sink);
        }
    }

    #[cold]
    pub(super) fn on_closed(&mut self, conn: u32, recv: Ns, sink: &mut impl Sink) {
        for number in 0..self.markets.len() {
            if self.markets[number].conn == conn {
                self.forget(number, recv, sink);
            }
        }
    }

    /// The market's subscription ended: its books hear no more and wait for another one.
    fn forget(&mut self, number: usize, recv: Ns, sink: &mut impl Sink) {
        for token in &mut self.markets[number].tokens {
            token.standing.set(Trust::AwaitSnapshot);
            token.crossing.clear();
            token.unsettled = None;
            token.timestamp_ms = 0;
            token.behind = 0;
        }
        if self.markets[number].top.health != Health::AwaitSnapshot {
            self.publish(number, recv, sink);
        }
    }

    /// Takes a market out that no frame is to find any more. It says a last word.
    fn retire(&mut self, number: usize, recv: Ns, sink: &mut impl Sink) {
        let markets = &self.markets;
        let Some(market) = markets.get(number) else { return };
        if self.find(market.condition()) != Some(number) {
            return;
        }
        let name_of = |n: usize| name_hash(markets[n].condition());
        self.index.remove(name_of(number), number, name_of);
        let market = &mut self.markets[number];
        for (token, book) in market.tokens.iter_mut().zip(2 * number..) {
            token.standing.hear(Fitness::Retired);
            token.unsettled = None;
            self.watch.forget(book, &mut token.crossing);
        }
        let id = market.top.market;
        self.publish(number, recv, sink);
        sink.notice(&Notice::MarketRetired { market: id });
    }

    /// True where the number's market was retired: no frame finds it.
    fn has_departed(&self, number: usize) -> bool {
        let market = self.markets.get(number);
        market.is_some_and(|market| self.find(market.condition()) != Some(number))
    }

    /// Frees the number and the books of a market that was retired.
    fn vacate(&mut self, number: usize) {
        if !self.has_departed(number) || self.markets[number].is_vacant() {
            return;
        }
        let market = &mut self.markets[number];
        market.condition_len = 0;
        for token in &market.tokens {
            self.slab.give(token.book);
        }
    }

    #[cold]
    pub(super) fn on_verdict(&mut self, verdict: Verdict, recv: Ns, sink: &mut impl Sink) {
        match verdict.says {
            Fitness::Retired => return self.retire(verdict.market.index(), recv, sink),
            Fitness::Vacant => return self.vacate(verdict.market.index()),
            Fitness::Unfit | Fitness::Fit | Fitness::Removed | Fitness::Restored => {}
            // Its market channel says in every book whether there is one: nobody asks here.
            Fitness::Asked | Fitness::Listed(_) => return,
        }
        let number = verdict.market.index();
        if self.has_departed(number) {
            return; // Its last word was said.
        }
        let Some(market) = self.markets.get_mut(number) else { return };
        let before = market.tokens.each_ref().map(|token| token.standing);
        market.tokens.iter_mut().for_each(|token| token.standing.hear(verdict.says));
        let whole = market.tokens.iter().any(|token| token.standing.trust() == Trust::Whole);
        if verdict.says == Fitness::Unfit && whole {
            self.doubt(number, 0, sink);
            self.doubt(number, 1, sink);
            return self.publish(number, recv, sink);
        }
        if market.tokens.each_ref().map(|token| token.standing) == before {
            return;
        }
        if matches!(verdict.says, Fitness::Removed | Fitness::Restored) {
            self.forget(number, recv, sink);
        } else {
            self.publish(number, recv, sink);
        }
    }

    #[cold]
    pub(super) fn on_time(&mut self, now: Ns, sink: &mut impl Sink) {
        let mut at = 0;
        while let Some(book) = self.watch.next_overdue(now, &mut at, &mut self.markets, crossing_of)
        {
            let (number, token) = (book / 2, book % 2);
            if self.markets[number].tokens[token].standing.trust() == Trust::Whole {
                self.doubt(number, token, sink);
                self.publish(number, now, sink);
            }
        }
    }

    /// Whether the number of books passed a multiple of [`Options::audit_every`] since `before`.
    pub(super) fn audit_due(&self, before: u64) -> bool {
        let every = u64::from(self.options.audit_every);
        every != 0 && before / every != self.figures.snapshots / every
    }

    pub(super) fn on_object(&mut self, object: &Object<'_>, recv: Ns, sink: &mut impl Sink) {
        match object {
            Object::Book(book) => self.on_book(book, recv, sink),
            Object::PriceChange(change) => self.on_price_change(change, recv, sink),
            Object::TickSize(tick) => self.on_tick_size(tick, sink),
            Object::LastTrade(_) => self.figures.trades += 1,
            Object::BestBidAsk(_) => self.figures.tickers += 1,
            Object::NewMarket(new) => self.on_new_market(new, sink),
            Object::Resolved(resolved) => {
                self.figures.lifecycle += 1;
                if let Some(number) = self.find(resolved.market.as_bytes()) {
                    self.markets[number].tokens.iter_mut().for_each(|token| token.standing.end());
                    self.touch(number);
                    let market = self.markets[number].top.market;
                    sink.notice(&Notice::Lifecycle { market, change: sink::Change::Determined });
                }
            }
            Object::Ping | Object::Pong => self.figures.control += 1,
            Object::Other => self.figures.unknown_types += 1,
        }
    }

    /// An object that could not be read takes its market out of trading; where not even that is
    /// known, all of its connection.
    pub(super) fn on_refused(
        &mut self,
        conn: u32,
        refused: &Refused<'_>,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
        self.figures.parse_errors += 1;
        match refused.market {
            Some(market) => {
                if let Some(number) = self.find(market.as_bytes()) {
                    self.doubt(number, 0, sink);
                    self.doubt(number, 1, sink);
                    self.touch(number);
                }
            }
            None => self.doubt_all(conn, recv, sink),
        }
    }

    /// A market was made; of one that is known already its fees are said again.
    fn on_new_market(&mut self, new: &NewMarket<'_>, sink: &mut impl Sink) {
        self.figures.lifecycle += 1;
        let Some(number) = self.find(new.market.as_bytes()) else {
            return sink.notice(&Notice::Listed { venue: Venue::Polymarket });
        };
        let Some(schedule) = new.fee.transpose() else { return };
        let market = self.markets[number].top.market;
        let curve = schedule.map(|fee| (fee.rate_e6, fee.exponent_e6));
        sink.notice(&Notice::MarketFee { market, curve });
    }

    /// Takes a token's book out of trading until its next `book`.
    #[cold]
    pub(super) fn doubt(&mut self, number: usize, token: usize, sink: &mut impl Sink) {
        let market = &mut self.markets[number];
        if market.tokens[token].standing.trust() == Trust::Whole {
            market.tokens[token].standing.set(Trust::Doubted);
            self.figures.resyncs += 1;
            sink.notice(&Notice::SnapshotWanted { market: market.top.market });
        }
    }

    #[cold]
    pub(super) fn doubt_all(&mut self, conn: u32, recv: Ns, sink: &mut impl Sink) {
        let books = Some((conn, self.figures.snapshots));
        if core::mem::replace(&mut self.doubted_all_at, books) == books {
            return;
        }
        for number in 0..self.markets.len() {
            let market = &self.markets[number];
            if market.conn != conn && market.conn != UNASSIGNED {
                continue;
            }
            let known = market.tokens.iter().any(|token| token.standing.trust() == Trust::Whole);
            if known {
                self.doubt(number, 0, sink);
                self.doubt(number, 1, sink);
                self.publish(number, recv, sink);
            }
        }
    }

    pub(super) fn touch(&mut self, number: usize) {
        let market = &mut self.markets[number];
        if !market.touched {
            market.touched = true;
            self.touched.push(number as u16);
        }
    }

    pub(super) fn publish_touched(&mut self, recv: Ns, sink: &mut impl Sink) {
        for at in 0..self.touched.len() {
            let number = usize::from(self.touched[at]);
            self.markets[number].touched = false;
            self.publish(number, recv, sink);
        }
        self.touched.clear();
    }

    #[inline(always)]
    pub(super) fn publish(&mut self, number: usize, recv: Ns, sink: &mut impl Sink) {
        let market = &mut self.markets[number];
        let [yes, no] = &market.tokens;
        let health = worse(health(yes), health(no));
        let torn = yes.timestamp_ms != no.timestamp_ms;
        market.top.flags = if torn { Top::TORN } else { 0 };
        market::publish(&mut market.top, health, recv, sink);
    }
}
