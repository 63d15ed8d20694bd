//! Polymarket's market channel: frames in, books and tops out. No socket, no clock, no key.
//!
//! There is no sequence number. What stands in for it (polymarket.md section 2.5): changes wait
//! for a `book`, older timestamps are dropped, and once a transition is complete our own best
//! prices must be the ones the venue named.

mod books; // whole books and grids
mod changes; // the hot path: changes of books
mod market; // what is kept of a market
mod state; // all markets

use engine::book::Side;
use engine::grid::Grid;
use engine::slab::Slab;
use engine::top::{MarketId, Top};
use engine::units::{Ns, Px, Qty};

use self::market::Market;
use self::state::State;
use crate::error::DecodeErrorKind;
use crate::figures::Figures;
use crate::fitness::Verdict;
use crate::market::{AddError, UNASSIGNED};
use crate::polymarket::fast::{self, TokenText};
use crate::polymarket::general::General;
use crate::polymarket::hash;
use crate::sink::Sink;

/// Longest condition id: `0x` and 64 hex digits.
pub const CONDITION_MAX: usize = fast::CONDITION_LEN;

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

/// Bytes that one market takes here beside its two books and its place in the registry.
pub const MARKET_BYTES: usize = size_of::<Market>() + 3 * size_of::<u16>();

/// The state of every Polymarket market of a feed.
pub struct Session {
    general: General,
    state: State,
    /// What an audit hashes; reused.
    preimage: String,
}

impl Session {
    /// No market yet; books come out of `slab`.
    pub fn new(options: Options, slab: Slab) -> Session {
        let state = State::new(options, slab);
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
