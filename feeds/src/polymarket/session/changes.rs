//! Changes of books: each `price_change`, and whether it led where the venue says it does.

use engine::book::Side;
use engine::slab::BookId;
use engine::top::Health;
use engine::units::{Ns, Px, Qty};

use super::market::{EMPTY, follow, overlaps, unsettled};
use super::state::State;
use crate::market;
use crate::polymarket::fast::{self, Change, ENTRIES_MAX, Pair};
use crate::polymarket::message::PriceChange;
use crate::sink::Sink;

/// So many messages of a token in a row that are older than the last one applied are no late
/// copies: the time of that one was wrong, and the book would stand still for ever.
const BEHIND_MAX: u8 = 64;

impl State {
    /// The usual `price_change`: one entry for each token, and both books are sound before it.
    #[inline(always)]
    pub(super) fn on_pair(
        &mut self,
        number: usize,
        pair: &Pair<'_>,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
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

    /// A `price_change` of the usual shape with any number of entries, or of an unusual moment;
    /// false where it must be left to the general decoder.
    #[cold]
    pub(super) fn on_entries(
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

    pub(super) fn on_price_change(
        &mut self,
        change: &PriceChange<'_>,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
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

    /// Publishes a market once, also where it came to be doubted on the way.
    #[inline(always)]
    fn end_of_frame(&mut self, number: usize, changed: bool, recv: Ns, sink: &mut impl Sink) {
        if !self.touched.is_empty() {
            self.publish_touched(recv, sink);
        } else if changed {
            self.publish(number, recv, sink);
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

    /// Whether a token's best prices are those that a change names.
    #[inline]
    fn agrees(&self, number: usize, change: &Change<'_>) -> bool {
        let [bid, ask] = self.markets[number].tokens[change.token].best;
        change.best_bid.is_none_or(|stated| stated == bid)
            && change.best_ask.is_none_or(|stated| stated == ask)
    }

    /// Judges a token's book after one of its messages.
    #[inline(always)]
    pub(super) fn judge(&mut self, number: usize, token: usize, recv: Ns, sink: &mut impl Sink) {
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
    pub(super) fn end_transition(
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

    #[cold]
    fn mismatch(&mut self, number: usize, token: usize, sink: &mut impl Sink) {
        self.figures.best_mismatches += 1;
        self.doubt(number, token, sink);
    }

    /// Drops a message that is older than the last one applied to the token.
    #[cold]
    pub(super) fn fall_behind(&mut self, number: usize, token: usize, sink: &mut impl Sink) {
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
}
