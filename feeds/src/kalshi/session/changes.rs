//! Changes of books: deltas, one level each, and snapshots.

use engine::book::Side;
use engine::grid::Grid;
use engine::units::{Ns, Px, Qty};

use super::market::publish;
use super::state::State;
use super::{NoSide, Options};
use crate::figures::Figures;
use crate::kalshi::fast::FastDelta;
use crate::kalshi::message::{BookSide, Delta, Snapshot};
use crate::kalshi::sequence::Order;
use crate::market::{self, Trust};
use crate::sink::{Notice, Sink};

/// A bid of either side, on the one YES book.
#[inline]
fn on_yes_book(options: Options, side: BookSide, px: Px) -> (Side, Px) {
    match (side, options.no_side) {
        (BookSide::Yes, _) => (Side::Bid, px),
        (BookSide::No, NoSide::NoPrice) => (Side::Ask, px.complement()),
        (BookSide::No, NoSide::YesPrice) => (Side::Ask, px),
    }
}

#[inline(always)]
fn count_change(figures: &mut Figures) {
    figures.book_messages += 1;
    figures.deltas += 1;
    figures.changes += 1;
}

impl State {
    #[inline]
    pub(super) fn on_delta(
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

    pub(super) fn on_general_delta(
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

    pub(super) fn on_snapshot(
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
}
