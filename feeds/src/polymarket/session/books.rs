//! Whole books, and the grids they stand on.

use engine::book::{BookError, Side};
use engine::grid::Grid;
use engine::units::{Ns, Px, Qty};

use super::market::{EMPTY, follow};
use super::state::State;
use crate::market::{self, AddError, Trust};
use crate::polymarket::fast::TokenText;
use crate::polymarket::message::{Book, TickSize};
use crate::sink::{Notice, Sink};

impl State {
    pub(super) fn on_book(&mut self, book: &Book<'_>, recv: Ns, sink: &mut impl Sink) {
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

    pub(super) fn on_tick_size(&mut self, tick: &TickSize<'_>, sink: &mut impl Sink) {
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
    pub(super) fn learn_token(&mut self, number: usize, asset_id: &str) {
        let market = &mut self.markets[number];
        if market.learnt
            && market.tokens[1].text.id().is_empty()
            && market.token_of(asset_id).is_none()
            && let Some(text) = TokenText::new(asset_id)
        {
            market.tokens[1].text = text;
        }
    }

    /// Sets a level, and lets best price and top follow.
    #[inline(always)]
    pub(super) fn put(
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

    /// Reads a token's best prices and what the top shows of it from its book: its asks, because
    /// YES is bought there and NO at the other token's asks, whose mirror are the YES bids.
    #[inline(never)]
    pub(super) fn reread(&mut self, number: usize, token: usize) {
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
}
