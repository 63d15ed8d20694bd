//! Polymarket's market channel: frames in, books and tops out. No socket, no clock, no key.
//!
//! There is no sequence number. What stands in for it (polymarket.md section 2.5): changes wait
//! for a `book`, older timestamps are dropped, and once a transition is complete our own best
//! prices must be the ones the venue named.

use engine::book::{BookError, Side};
use engine::grid::Grid;
use engine::slab::{BookId, Slab};
use engine::top::{Health, MarketId, Top};
use engine::units::{Ns, Px, Qty, Venue};

use crate::error::DecodeErrorKind;
use crate::figures::Figures;
use crate::fitness::{Fitness, Verdict};
use crate::market::{self, AddError, Crossing, Standing, Trust, UNASSIGNED, Watch};
use crate::polymarket::fast::{self, Change, ENTRIES_MAX, Pair, TokenText};
use crate::polymarket::general::General;
use crate::polymarket::hash;
use crate::polymarket::message::{Book, NewMarket, Object, PriceChange, Refused, TickSize};
use crate::registry::{self, Registry};
use crate::sink::{self, Notice, Sink};
use crate::wide;

/// Longest condition id: `0x` and 64 hex digits.
pub const CONDITION_MAX: usize = fast::CONDITION_LEN;

const HASH_MAX: usize = 40;

/// What a session does with what it is not told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whether markets and tokens that were not added are learnt from their first `book`.
    pub learn: bool,
    /// Every how many `book` objects the hash is compared, where the market's minimum size and
    /// neg-risk flag are known; 0 is never.
    pub audit_every: u32,
}

/// What must be known of a market before its book can be hashed (polymarket.md section 2.4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HashTerms {
    /// `min_order_size` as REST spells it, such as `5`.
    pub min_order_size: String,
    /// `neg_risk`.
    pub neg_risk: bool,
}

/// A transition whose stated best prices are not ours yet: more of its entries may follow.
#[derive(Clone, Copy)]
struct Unsettled {
    timestamp_ms: u64,
    hash: [u8; HASH_MAX],
}

struct Token {
    text: TokenText,
    book: BookId,
    standing: Standing,
    crossing: Crossing,
    /// The venue's time of the last message applied; Unix milliseconds.
    timestamp_ms: u64,
    unsettled: Option<Unsettled>,
    /// Messages in a row that were older than the last one applied.
    behind: u8,
    seen_book: bool,
    /// Best bid and ask of the book, followed change by change; of an empty side what the venue
    /// writes then: [`EMPTY`].
    best: [Px; 2],
}

/// Best bid and ask of an empty book, as the venue writes them. No level can stand there.
const EMPTY: [Px; 2] = [Px::ZERO, Px::ONE];

impl Token {
    /// Whether the book is sound and a change of that time can be applied to it.
    #[inline(always)]
    fn is_calm(&self, timestamp_ms: u64) -> bool {
        self.standing.is_whole()
            && !self.crossing.is_on()
            && self.unsettled.is_none()
            && timestamp_ms >= self.timestamp_ms
    }
}

/// So many messages of a token in a row that are older than the last one applied are no late
/// copies: the time of that one was wrong, and the book would stand still for ever.
const BEHIND_MAX: u8 = 64;

struct Market {
    top: Top,
    tokens: [Token; 2],
    condition_len: u8,
    condition: [u8; CONDITION_MAX],
    /// In the list of markets to publish when the frame ends.
    touched: bool,
    learnt: bool,
    /// The connection that it is subscribed to on.
    conn: u32,
    terms: Option<Box<HashTerms>>,
}

impl Market {
    fn condition(&self) -> &[u8] {
        &self.condition[..usize::from(self.condition_len)]
    }

    fn token_of(&self, id: &str) -> Option<usize> {
        self.tokens.iter().position(|token| token.text.id() == id.as_bytes())
    }
}

/// Bytes that one market takes here beside its two books and its place in the registry.
pub const MARKET_BYTES: usize = size_of::<Market>() + 3 * size_of::<u16>();

/// The state of every Polymarket market of a feed.
pub struct Session {
    general: General,
    state: State,
    /// What an audit hashes; reused.
    preimage: String,
}

/// All but the decoder's buffers, which a decoded frame borrows.
struct State {
    options: Options,
    markets: Vec<Market>,
    index: Registry,
    slab: Slab,
    touched: Vec<u16>,
    figures: Figures,
    connected: bool,
    watch: Watch,
    /// How many books had come when all of a connection were doubted last: until one more comes,
    /// there is none of it left to doubt.
    doubted_all_at: Option<(u32, u64)>,
}

impl Session {
    /// No market yet; books come out of `slab`.
    pub fn new(options: Options, slab: Slab) -> Session {
        let state = State {
            options,
            markets: Vec::new(),
            index: Registry::with_capacity(64),
            slab,
            touched: Vec::new(),
            figures: Figures::default(),
            connected: false,
            watch: Watch::default(),
            doubted_all_at: None,
        };
        Session { general: General::new(), state, preimage: String::new() }
    }

    /// Adds a market with its two tokens, the one that is YES first, and its price grid.
    pub fn add_market(
        &mut self,
        condition: &str,
        tokens: [&str; 2],
        grid: &Grid,
        terms: Option<HashTerms>,
    ) -> Result<MarketId, AddError> {
        let texts = [TokenText::new(tokens[0]), TokenText::new(tokens[1])];
        let [Some(yes), Some(no)] = texts else { return Err(AddError::Name) };
        self.state.add_market(condition, &[yes, no], grid, terms)
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

    /// The condition id of a market number.
    pub fn condition(&self, number: usize) -> &str {
        core::str::from_utf8(self.state.markets[number].condition()).unwrap_or_default()
    }

    /// A token's id; empty where only its sibling is known yet.
    pub fn token(&self, number: usize, token: usize) -> &str {
        core::str::from_utf8(self.state.markets[number].tokens[token].text.id()).unwrap_or_default()
    }

    /// The number of a condition id.
    pub fn number_of(&self, condition: &str) -> Option<usize> {
        self.state.find(condition.as_bytes())
    }

    /// Whether one of the market's books is not whole, and a `book` would make it so.
    pub fn awaits_book(&self, number: usize) -> bool {
        self.state.markets[number].tokens.iter().any(|token| token.standing.awaits_book())
    }

    /// The market's last top.
    pub fn top(&self, number: usize) -> &Top {
        &self.state.markets[number].top
    }

    /// Whether a token ever had a `book`: only such books belong to a digest.
    pub fn has_book(&self, number: usize, token: usize) -> bool {
        self.state.markets[number].tokens[token].seen_book
    }

    /// One side of a token's book, prices ascending. Allocates: for digests and audits.
    pub fn levels(&self, number: usize, token: usize, side: Side) -> Vec<(Px, Qty)> {
        self.state.slab.levels(self.state.markets[number].tokens[token].book, side)
    }

    /// Best bid and ask of a token's book.
    pub fn best(&self, number: usize, token: usize) -> (Option<Px>, Option<Px>) {
        let (slab, book) = (&self.state.slab, self.state.markets[number].tokens[token].book);
        (slab.best(book, Side::Bid), slab.best(book, Side::Ask))
    }

    /// A new connection of the venue: every book starts afresh, nothing is replayed.
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

    /// One frame of a venue that is heard on one connection.
    #[inline]
    pub fn on_frame(&mut self, recv: Ns, frame: &[u8], sink: &mut impl Sink) {
        self.on_frame_of(UNASSIGNED, recv, frame, sink);
    }

    /// One frame, as on the socket. `recv` is its receive stamp.
    #[inline]
    pub fn on_frame_of(&mut self, conn: u32, recv: Ns, frame: &[u8], sink: &mut impl Sink) {
        let state = &mut self.state;
        state.figures.frames += 1;
        if state.watch.is_due(recv) {
            state.on_time(recv, sink);
        }
        if let Some(head) = fast::head(frame)
            && let Some(number) = state.find_hex(head.condition)
        {
            let [yes, no] = &mut state.markets[number].tokens;
            if let Some(pair) = head.pair(&mut yes.text, &mut no.text)
                && yes.is_calm(pair.timestamp_ms)
                && no.is_calm(pair.timestamp_ms)
            {
                state.figures.fast += 1;
                return state.on_pair(number, &pair, recv, sink);
            }
            if state.on_entries(number, head, recv, sink) {
                return;
            }
        }
        self.on_other(conn, recv, frame, sink);
    }

    /// Judges crossed books again: silence does not make them sound.
    pub fn on_time(&mut self, now: Ns, sink: &mut impl Sink) {
        self.state.on_time(now, sink);
    }

    /// Every frame that is not a `price_change` of the usual shape about a known market.
    #[cold]
    fn on_other(&mut self, conn: u32, recv: Ns, frame: &[u8], sink: &mut impl Sink) {
        let state = &mut self.state;
        let books_before = state.figures.snapshots;
        let decoded = self.general.decode(frame, &mut |object| match object {
            Ok(object) => state.on_object(&object, recv, sink),
            Err(refused) => state.on_refused(conn, &refused, recv, sink),
        });
        if let Err(error) = decoded {
            state.figures.parse_errors += 1;
            // Nothing says whose change was lost, and there is no sequence to tell later.
            if error.kind != DecodeErrorKind::Empty {
                state.doubt_all(conn, recv, sink);
            }
        }
        let due = state.audit_due(books_before);
        if due {
            self.audit(recv, frame, sink);
        } else {
            state.publish_touched(recv, sink);
        }
    }

    /// Compares the hashes of a frame's books with the venue's; a difference takes the book out
    /// of trading. A sample, not a gate: only a `book` that carries tick size and last trade price
    /// can be checked, and rebuilding the spelling of every level after each change costs more
    /// than the best-price check that every change gets.
    fn audit(&mut self, recv: Ns, frame: &[u8], sink: &mut impl Sink) {
        let Session { general, state, preimage } = self;
        // The frame was decoded a moment ago, so an error here would repeat one that was counted.
        let _ = general.decode_book_texts(frame, &mut |book| {
            let Ok(mut book) = book else { return };
            let Some(number) = state.find(book.market.as_bytes()) else { return };
            let Some(terms) = &state.markets[number].terms else { return };
            let Some(token) = state.markets[number].token_of(book.asset_id) else { return };
            book.min_order_size = Some(&terms.min_order_size);
            book.neg_risk = Some(terms.neg_risk);
            match hash::audit(&book, preimage) {
                hash::Verdict::Unknown => {}
                hash::Verdict::Equal => state.figures.hash_audits += 1,
                hash::Verdict::Different => {
                    state.figures.hash_audits += 1;
                    state.figures.hash_mismatches += 1;
                    state.doubt(number, token, sink);
                    state.touch(number);
                }
            }
        });
        state.publish_touched(recv, sink);
    }
}

impl State {
    fn add_market(
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
        let number = self.markets.len();
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
        self.markets.push(Market {
            top: Top::unknown(id),
            tokens: [token(tokens[0], yes), token(tokens[1], no)],
            condition_len: condition.len() as u8,
            condition: name,
            touched: false,
            learnt: false,
            conn: UNASSIGNED,
            terms: terms.map(Box::new),
        });
        let markets = &self.markets;
        self.watch.reserve(2 * markets.len());
        // One frame may touch every market.
        self.touched.reserve(markets.len() - self.touched.len());
        let hash_of = |n: usize| name_hash(markets[n].condition());
        self.index.insert(hash_of(number), number, hash_of);
        Ok(id)
    }

    #[inline]
    fn find_hex(&self, condition: &[u8; CONDITION_MAX]) -> Option<usize> {
        let found = |number: usize| {
            let market = &self.markets[number];
            wide::equal_names(&market.condition, condition)
                && usize::from(market.condition_len) == CONDITION_MAX
        };
        self.index.find(name_hash(condition), found)
    }

    fn find(&self, condition: &[u8]) -> Option<usize> {
        let found = |number: usize| self.markets[number].condition() == condition;
        self.index.find(name_hash(condition), found)
    }

    fn on_connected(&mut self, recv: Ns, sink: &mut impl Sink) {
        self.figures.resets += u64::from(self.connected);
        self.connected = true;
        self.watch.clear(&mut self.markets, crossing_of);
        sink.notice(&Notice::Connected { venue: Venue::Polymarket, recv });
        for number in 0..self.markets.len() {
            self.forget(number, recv, sink);
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

    #[cold]
    fn on_closed(&mut self, conn: u32, recv: Ns, sink: &mut impl Sink) {
        for number in 0..self.markets.len() {
            if self.markets[number].conn == conn {
                self.forget(number, recv, sink);
            }
        }
    }

    #[cold]
    fn on_verdict(&mut self, verdict: Verdict, recv: Ns, sink: &mut impl Sink) {
        let number = verdict.market.index();
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
    fn on_time(&mut self, now: Ns, sink: &mut impl Sink) {
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
    fn audit_due(&self, before: u64) -> bool {
        let every = u64::from(self.options.audit_every);
        every != 0 && before / every != self.figures.snapshots / every
    }

    fn on_object(&mut self, object: &Object<'_>, recv: Ns, sink: &mut impl Sink) {
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
    fn on_refused(&mut self, conn: u32, refused: &Refused<'_>, recv: Ns, sink: &mut impl Sink) {
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

    fn on_book(&mut self, book: &Book<'_>, recv: Ns, sink: &mut impl Sink) {
        let Some((number, token)) = self.known_or_learnt(book) else {
            return self.figures.unknown_markets += 1;
        };
        let market = &mut self.markets[number];
        let state = &mut market.tokens[token];
        if book.timestamp_ms < state.timestamp_ms {
            return self.fall_behind(number, token, sink);
        }
        self.end_transition(number, token, book.timestamp_ms, book.hash.as_bytes(), sink);
        let market = &mut self.markets[number];
        let state = &mut market.tokens[token];
        self.figures.book_messages += 1;
        self.figures.snapshots += 1;
        state.timestamp_ms = book.timestamp_ms;
        state.unsettled = None;
        state.behind = 0;
        state.seen_book = true;
        state.crossing.clear();
        state.standing.set(Trust::Whole);
        let known = self.slab.grid(state.book);
        let tick =
            book.tick_size.filter(|tick| Grid::uniform(tick.e4()).is_ok_and(|g| g != *known));
        if let Some(tick) = tick
            && !(market.learnt && known.steps() > usize::from(Px::ONE.e4() / tick.e4()) + 1)
            && !self.regrid(number, token, tick, sink)
        {
            return self.refuse_book(number, token, sink);
        }
        let id = self.markets[number].tokens[token].book;
        self.slab.clear(id);
        for (side, levels) in [(Side::Bid, book.bids), (Side::Ask, book.asks)] {
            for &(px, qty) in levels {
                if self.store(number, token, side, px, qty).is_err() {
                    return self.refuse_book(number, token, sink);
                }
            }
        }
        self.reread(number, token);
        self.judge(number, token, recv, sink);
        self.touch(number);
        let market = self.markets[number].top.market;
        sink.notice(&Notice::Snapshot { market, recv });
    }

    fn refuse_book(&mut self, number: usize, token: usize, sink: &mut impl Sink) {
        self.figures.rejected_changes += 1;
        self.reread(number, token);
        self.doubt(number, token, sink);
        self.touch(number);
    }

    /// Sets a level; a grid that was learnt is refined where it must be.
    #[inline(always)]
    fn store(
        &mut self,
        number: usize,
        token: usize,
        side: Side,
        px: Px,
        qty: Qty,
    ) -> Result<(), BookError> {
        if market::is_end(px) && !qty.is_zero() {
            return Err(BookError::OffGrid(px));
        }
        let book = self.markets[number].tokens[token].book;
        match self.slab.set(book, side, px, qty) {
            Ok(()) => Ok(()),
            Err(error) => self.store_refined(number, token, side, px, qty, error),
        }
    }

    #[cold]
    fn store_refined(
        &mut self,
        number: usize,
        token: usize,
        side: Side,
        px: Px,
        qty: Qty,
        error: BookError,
    ) -> Result<(), BookError> {
        let market = &mut self.markets[number];
        let book = &mut market.tokens[token].book;
        if !market.learnt || self.slab.refine(book, &Grid::CENTI_CENT).is_err() {
            return Err(error);
        }
        self.slab.set(*book, side, px, qty)
    }

    /// Sets a level, and lets best price and top follow.
    #[inline(always)]
    fn put(
        &mut self,
        number: usize,
        token: usize,
        side: Side,
        px: Px,
        qty: Qty,
    ) -> Result<(), BookError> {
        self.store(number, token, side, px, qty)?;
        let market = &mut self.markets[number];
        let mut follows = follow(&mut market.tokens[token].best, side, px, qty);
        if side == Side::Ask {
            follows &= match token {
                0 => market.top.change_asks(px, qty),
                _ => market.top.change_bids(px.complement(), qty),
            };
        }
        if !follows {
            self.reread(number, token);
        }
        Ok(())
    }

    /// Reads a token's best prices and what the top shows of it from its book: its asks, because
    /// YES is bought there and NO at the other token's asks, whose mirror are the YES bids.
    #[inline(never)]
    fn reread(&mut self, number: usize, token: usize) {
        let market = &mut self.markets[number];
        let state = &mut market.tokens[token];
        let asks = self.slab.top(state.book, Side::Ask);
        let bid = self.slab.best(state.book, Side::Bid);
        let ask = asks.best().map(|level| level.0);
        state.best = [bid.unwrap_or(EMPTY[0]), ask.unwrap_or(EMPTY[1])];
        if token == 0 {
            market.top.set_asks(&asks);
        } else {
            market.top.set_bids(&asks.mirrored());
        }
    }

    fn on_price_change(&mut self, change: &PriceChange<'_>, recv: Ns, sink: &mut impl Sink) {
        let Some(number) = self.find(change.market.as_bytes()) else {
            return self.figures.unknown_markets += 1;
        };
        self.figures.fallback += 1;
        if self.markets[number].learnt {
            for entry in change.entries {
                self.learn_token(number, entry.asset_id);
            }
        }
        let texts = self.markets[number].tokens.each_ref().map(|token| token.text);
        let mut strangers = 0;
        let changes = change.entries.iter().filter_map(|entry| {
            let token = texts.iter().position(|text| text.id() == entry.asset_id.as_bytes());
            strangers += u64::from(token.is_none());
            Some(Change {
                token: token?,
                side: entry.side,
                px: entry.px,
                qty: entry.qty,
                hash: entry.hash.as_bytes(),
                best_bid: entry.best_bid,
                best_ask: entry.best_ask,
            })
        });
        if self.on_changes(number, change.timestamp_ms, changes, recv, sink) {
            self.touch(number);
        }
        self.figures.unknown_markets += strangers;
    }

    /// The usual `price_change`: one entry for each token, and both books are sound before it.
    #[inline(always)]
    fn on_pair(&mut self, number: usize, pair: &Pair<'_>, recv: Ns, sink: &mut impl Sink) {
        let ([yes_side, no_side], [yes_px, no_px]) = (pair.sides, pair.prices);
        let [yes_qty, no_qty] = pair.sizes;
        let market = &mut self.markets[number];
        let [yes, no] = &mut market.tokens;
        let mut set = |book: BookId, side: Side, px: Px, qty: Qty| {
            (!market::is_end(px) || qty.is_zero()) && self.slab.set(book, side, px, qty).is_ok()
        };
        if !set(yes.book, yes_side, yes_px, yes_qty) || !set(no.book, no_side, no_px, no_qty) {
            return self.on_odd_pair(number, pair, recv, sink);
        }
        let mut yes_follows = follow(&mut yes.best, yes_side, yes_px, yes_qty);
        let mut no_follows = follow(&mut no.best, no_side, no_px, no_qty);
        if yes_side == Side::Ask {
            yes_follows &= market.top.change_asks(yes_px, yes_qty);
        }
        if no_side == Side::Ask {
            no_follows &= market.top.change_bids(no_px.complement(), no_qty);
        }
        if !(yes_follows & no_follows) {
            self.reread_some(number, pair.sides, [!yes_follows, !no_follows]);
        }
        let market = &mut self.markets[number];
        let [yes, no] = &mut market.tokens;
        if [yes.best, no.best] != pair.best || overlaps(yes.best) || overlaps(no.best) {
            return self.on_odd_pair(number, pair, recv, sink);
        }
        for token in [yes, no] {
            token.timestamp_ms = pair.timestamp_ms;
            token.behind = 0;
        }
        self.figures.book_messages += 1;
        self.figures.deltas += 1;
        self.figures.changes += 2;
        let top = &mut market.top;
        top.flags = 0; // both tokens are of one time now
        if top.health != Health::Sound {
            return self.publish_other(number, recv, sink);
        }
        // As `market::publish`, which would be a call.
        top.generation = top.generation.wrapping_add(1);
        top.recv = recv;
        sink.top(top);
    }

    /// [`State::publish`] where it is not worth to be inlined.
    #[cold]
    fn publish_other(&mut self, number: usize, recv: Ns, sink: &mut impl Sink) {
        self.publish(number, recv, sink);
    }

    #[inline(never)]
    fn reread_some(&mut self, number: usize, sides: [Side; 2], which: [bool; 2]) {
        for token in [0, 1] {
            match sides[token] {
                _ if !which[token] => {}
                Side::Ask => self.reread(number, token),
                // Of a token's bids nothing is shown but whether the best is the venue's.
                Side::Bid => {
                    let state = &mut self.markets[number].tokens[token];
                    state.best[0] = self.slab.best(state.book, Side::Bid).unwrap_or(EMPTY[0]);
                }
            }
        }
    }

    /// [`State::on_pair`] where a change was refused, a book is crossed now, or its best prices
    /// are not those that the venue named. What was applied is applied again: a change names a
    /// total, so that alters nothing.
    #[cold]
    fn on_odd_pair(&mut self, number: usize, pair: &Pair<'_>, recv: Ns, sink: &mut impl Sink) {
        let changes = pair.changes();
        for change in &changes {
            self.apply(number, change, sink);
        }
        self.figures.book_messages += 1;
        self.figures.deltas += 1;
        for change in &changes {
            self.conclude(number, pair.timestamp_ms, change, recv, sink);
        }
        self.end_of_frame(number, true, recv, sink);
    }

    /// Publishes a market once, also where it came to be doubted on the way.
    #[inline(always)]
    fn end_of_frame(&mut self, number: usize, changed: bool, recv: Ns, sink: &mut impl Sink) {
        if !self.touched.is_empty() {
            self.publish_touched(recv, sink);
        } else if changed {
            self.publish(number, recv, sink);
        }
    }

    /// A `price_change` of the usual shape with any number of entries, or of an unusual moment;
    /// false where it must be left to the general decoder.
    #[cold]
    fn on_entries(
        &mut self,
        number: usize,
        head: fast::Head<'_>,
        recv: Ns,
        sink: &mut impl Sink,
    ) -> bool {
        let mut changes = [Change::NONE; ENTRIES_MAX];
        let tokens = &self.markets[number].tokens;
        let texts = [&tokens[0].text, &tokens[1].text];
        let Some((count, timestamp_ms)) = head.entries(texts, &mut changes) else { return false };
        self.figures.fast += 1;
        let changes = changes[..count].iter().copied();
        let changed = self.on_changes(number, timestamp_ms, changes, recv, sink);
        self.end_of_frame(number, changed, recv, sink);
        true
    }

    /// Applies the entries of one `price_change`; true where a book changed.
    fn on_changes<'a>(
        &mut self,
        number: usize,
        timestamp_ms: u64,
        changes: impl Iterator<Item = Change<'a>>,
        recv: Ns,
        sink: &mut impl Sink,
    ) -> bool {
        // The last entry of each token names the best prices that its book must have in the end.
        let mut last: [Option<Change<'a>>; 2] = [None; 2];
        for change in changes {
            let token = &self.markets[number].tokens[change.token];
            if !token.standing.takes_changes() {
                self.figures.before_snapshot += 1;
                continue;
            }
            if timestamp_ms < token.timestamp_ms {
                self.fall_behind(number, change.token, sink);
                continue;
            }
            if let Some(before) = &last[change.token] {
                if before.hash != change.hash && !self.agrees(number, before) {
                    self.mismatch(number, change.token, sink);
                }
            } else if token.unsettled.is_some() {
                self.end_transition(number, change.token, timestamp_ms, change.hash, sink);
            }
            self.apply(number, &change, sink);
            last[change.token] = Some(change);
        }
        if last[0].is_none() && last[1].is_none() {
            return false;
        }
        self.figures.book_messages += 1;
        self.figures.deltas += 1;
        for change in last.iter().flatten() {
            self.conclude(number, timestamp_ms, change, recv, sink);
        }
        true
    }

    /// Drops a message that is older than the last one applied to the token.
    #[cold]
    fn fall_behind(&mut self, number: usize, token: usize, sink: &mut impl Sink) {
        self.figures.out_of_order += 1;
        let state = &mut self.markets[number].tokens[token];
        state.behind += 1;
        if state.behind >= BEHIND_MAX {
            state.behind = 0;
            state.timestamp_ms = 0;
            state.unsettled = None;
            self.doubt(number, token, sink);
            self.touch(number);
        }
    }

    /// Applies one entry.
    #[inline(always)]
    fn apply(&mut self, number: usize, change: &Change<'_>, sink: &mut impl Sink) {
        if self.put(number, change.token, change.side, change.px, change.qty).is_ok() {
            self.figures.changes += 1;
        } else {
            self.figures.rejected_changes += 1;
            self.doubt(number, change.token, sink);
        }
    }

    /// After the last entry of a token: its best prices should be the ones that the entry names.
    #[inline(always)]
    fn conclude(
        &mut self,
        number: usize,
        timestamp_ms: u64,
        change: &Change<'_>,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
        self.judge(number, change.token, recv, sink);
        let agrees = self.agrees(number, change);
        let state = &mut self.markets[number].tokens[change.token];
        state.timestamp_ms = timestamp_ms;
        state.unsettled = None;
        state.behind = 0;
        if !agrees {
            state.unsettled = Some(unsettled(timestamp_ms, change.hash));
        }
    }

    /// Judges a token's book after one of its messages.
    #[inline(always)]
    fn judge(&mut self, number: usize, token: usize, recv: Ns, sink: &mut impl Sink) {
        let state = &self.markets[number].tokens[token];
        if overlaps(state.best) || state.crossing.is_on() {
            self.judge_crossed(number, token, recv, sink);
        }
    }

    /// The same for a book that is crossed now, or was.
    #[cold]
    fn judge_crossed(&mut self, number: usize, token: usize, recv: Ns, sink: &mut impl Sink) {
        let state = &mut self.markets[number].tokens[token];
        let [bid, ask] = state.best;
        let was_on = state.crossing.is_on();
        // An empty side overlaps with nothing, whatever stands for its price.
        let overdue = state.crossing.judge(Some(bid), Some(ask), recv, &mut self.figures);
        if state.crossing.is_on() && !was_on {
            self.watch.add(2 * number + token, &mut state.crossing);
        }
        if overdue {
            self.doubt(number, token, sink);
        }
    }

    /// A message of another transition has come: the one before it is complete, so our best
    /// prices had to be the ones it named.
    fn end_transition(
        &mut self,
        number: usize,
        token: usize,
        timestamp_ms: u64,
        hash: &[u8],
        sink: &mut impl Sink,
    ) {
        let state = &mut self.markets[number].tokens[token];
        let Some(before) = state.unsettled else { return };
        let now = unsettled(timestamp_ms, hash);
        if (before.timestamp_ms, before.hash) != (now.timestamp_ms, now.hash) {
            state.unsettled = None;
            self.mismatch(number, token, sink);
        }
    }

    /// Whether a token's best prices are those that a change names.
    #[inline]
    fn agrees(&self, number: usize, change: &Change<'_>) -> bool {
        let [bid, ask] = self.markets[number].tokens[change.token].best;
        change.best_bid.is_none_or(|stated| stated == bid)
            && change.best_ask.is_none_or(|stated| stated == ask)
    }

    #[cold]
    fn mismatch(&mut self, number: usize, token: usize, sink: &mut impl Sink) {
        self.figures.best_mismatches += 1;
        self.doubt(number, token, sink);
    }

    /// Takes a token's book out of trading until its next `book`.
    #[cold]
    fn doubt(&mut self, number: usize, token: usize, sink: &mut impl Sink) {
        let market = &mut self.markets[number];
        if market.tokens[token].standing.trust() == Trust::Whole {
            market.tokens[token].standing.set(Trust::Doubted);
            self.figures.resyncs += 1;
            sink.notice(&Notice::SnapshotWanted { market: market.top.market });
        }
    }

    #[cold]
    fn doubt_all(&mut self, conn: u32, recv: Ns, sink: &mut impl Sink) {
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

    /// A market was made; of one that is known already its fees are said again.
    fn on_new_market(&mut self, new: &NewMarket<'_>, sink: &mut impl Sink) {
        self.figures.lifecycle += 1;
        let Some(number) = self.find(new.market.as_bytes()) else { return };
        let Some(schedule) = new.fee.transpose() else { return };
        let market = self.markets[number].top.market;
        let curve = schedule.map(|fee| (fee.rate_e6, fee.exponent_e6));
        sink.notice(&Notice::MarketFee { market, curve });
    }

    fn on_tick_size(&mut self, tick: &TickSize<'_>, sink: &mut impl Sink) {
        self.figures.lifecycle += 1;
        let Some(number) = self.find(tick.market.as_bytes()) else { return };
        let Some(token) = self.markets[number].token_of(tick.asset_id) else { return };
        // The book is dropped: the venue sends a fresh one on the new grid when asked.
        let moved = self.regrid(number, token, tick.new, sink);
        self.figures.rejected_changes += u64::from(!moved);
        let market = &mut self.markets[number];
        let state = &mut market.tokens[token];
        self.slab.clear(state.book);
        state.crossing.clear();
        state.unsettled = None;
        // A book that is awaited already is asked for already, however often the grid changes.
        let awaited = state.standing.trust() == Trust::AwaitSnapshot;
        state.standing.set(Trust::AwaitSnapshot);
        // What the venue said of the token before that is of the old grid.
        state.timestamp_ms = state.timestamp_ms.max(tick.timestamp_ms);
        if !awaited {
            self.figures.resyncs += 1;
            sink.notice(&Notice::SnapshotWanted { market: market.top.market });
        }
        self.reread(number, token);
        self.touch(number);
    }

    /// Moves a token's book to a uniform grid, which empties it.
    fn regrid(&mut self, number: usize, token: usize, tick: Px, sink: &mut impl Sink) -> bool {
        let market = &mut self.markets[number];
        let Ok(grid) = Grid::uniform(tick.e4()) else { return false };
        if self.slab.regrid(&mut market.tokens[token].book, &grid).is_err() {
            self.figures.reserve_empty += 1;
            return false;
        }
        let market = market.top.market;
        sink.notice(&Notice::GridChanged { market, grid: Some(grid) });
        true
    }

    fn known_or_learnt(&mut self, book: &Book<'_>) -> Option<(usize, usize)> {
        let number = match self.find(book.market.as_bytes()) {
            Some(number) => number,
            None if self.options.learn => {
                let grid = book.tick_size.and_then(|tick| Grid::uniform(tick.e4()).ok());
                let text = TokenText::new(book.asset_id)?;
                let grid = grid.unwrap_or(Grid::DECI_CENT);
                match self.add_market(book.market, &[text, TokenText::NONE], &grid, None) {
                    Ok(id) => {
                        self.markets[id.index()].learnt = true;
                        id.index()
                    }
                    Err(error) => {
                        let empty = matches!(error, AddError::ReserveEmpty { .. });
                        self.figures.reserve_empty += u64::from(empty);
                        return None;
                    }
                }
            }
            None => return None,
        };
        self.learn_token(number, book.asset_id);
        self.markets[number].token_of(book.asset_id).map(|token| (number, token))
    }

    /// The sibling of a learnt market's first token is the next one that it names.
    fn learn_token(&mut self, number: usize, asset_id: &str) {
        let market = &mut self.markets[number];
        if market.learnt
            && market.tokens[1].text.id().is_empty()
            && market.token_of(asset_id).is_none()
            && let Some(text) = TokenText::new(asset_id)
        {
            market.tokens[1].text = text;
        }
    }

    fn touch(&mut self, number: usize) {
        let market = &mut self.markets[number];
        if !market.touched {
            market.touched = true;
            self.touched.push(number as u16);
        }
    }

    fn publish_touched(&mut self, recv: Ns, sink: &mut impl Sink) {
        for at in 0..self.touched.len() {
            let number = usize::from(self.touched[at]);
            self.markets[number].touched = false;
            self.publish(number, recv, sink);
        }
        self.touched.clear();
    }

    #[inline(always)]
    fn publish(&mut self, number: usize, recv: Ns, sink: &mut impl Sink) {
        let market = &mut self.markets[number];
        let [yes, no] = &market.tokens;
        let health = worse(health(yes), health(no));
        let torn = yes.timestamp_ms != no.timestamp_ms;
        market.top.flags = if torn { Top::TORN } else { 0 };
        market::publish(&mut market.top, health, recv, sink);
    }
}

/// A book's number is twice its market's, plus its token's.
fn crossing_of(markets: &mut [Market], book: usize) -> &mut Crossing {
    &mut markets[book / 2].tokens[book % 2].crossing
}

#[inline]
fn health(token: &Token) -> Health {
    match market::health(token.standing, token.crossing.is_on()) {
        Health::Sound if token.unsettled.is_some() => Health::Stale,
        health => health,
    }
}

/// The health of a market whose two books have these: what is missing weighs more than what is
/// crossed.
#[inline]
const fn worse(a: Health, b: Health) -> Health {
    const fn weight(health: Health) -> u8 {
        match health {
            Health::Sound => 0,
            Health::Crossed => 1,
            Health::Stale => 2,
            Health::Gap => 3,
            Health::AwaitSnapshot => 4,
        }
    }
    if matches!(a, Health::Sound) || weight(a) < weight(b) { b } else { a }
}

/// Lets the best prices follow a change of one level; false where the level that was the best is
/// gone, so that the next one must be read from the book.
#[inline(always)]
fn follow(best: &mut [Px; 2], side: Side, px: Px, qty: Qty) -> bool {
    if qty == Qty::ZERO {
        return best[side as usize] != px;
    }
    match side {
        Side::Bid => best[0] = px.max(best[0]),
        Side::Ask => best[1] = px.min(best[1]),
    }
    true
}

/// True where a book is crossed or locked.
#[inline(always)]
fn overlaps([bid, ask]: [Px; 2]) -> bool {
    bid >= ask
}

fn unsettled(timestamp_ms: u64, hash: &[u8]) -> Unsettled {
    let mut text = [0; HASH_MAX];
    let len = hash.len().min(HASH_MAX);
    text[..len].copy_from_slice(&hash[..len]);
    Unsettled { timestamp_ms, hash: text }
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
