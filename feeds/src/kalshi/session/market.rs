//! A market with its book, as a session keeps it.

use engine::book::Side;
use engine::slab::{BookId, Slab};
use engine::top::Top;
use engine::units::{Ns, Px, Qty};

use super::IDENTITY_MAX;
use crate::kalshi::fast;
use crate::market::{self, Crossing, Standing};
use crate::sink::Sink;
use crate::wide;

pub(super) struct Market {
    pub(super) top: Top,
    pub(super) book: BookId,
    pub(super) standing: Standing,
    pub(super) crossing: Crossing,
    /// Connection and subscription of the last snapshot.
    pub(super) owner: (u32, u64),
    /// The connection that it is subscribed to on.
    pub(super) conn: u32,
    pub(super) learnt: bool,
    pub(super) ticker_len: u8,
    pub(super) identity_len: u8,
    pub(super) identity: [u8; IDENTITY_MAX],
}

impl Market {
    pub(super) fn ticker(&self) -> &[u8] {
        &self.identity[..usize::from(self.ticker_len)]
    }

    /// True of a number that no market has; its book is somebody else's.
    pub(super) const fn is_vacant(&self) -> bool {
        self.ticker_len == 0
    }

    #[inline]
    pub(super) fn has_identity(&self, identity: &[u8]) -> bool {
        wide::equal(&self.identity[..usize::from(self.identity_len)], identity)
    }

    /// Notes the venue's id of the market, so that the usual frames are known by their bytes;
    /// true where it had none before.
    pub(super) fn set_identity(&mut self, market_id: &str) -> bool {
        let ticker_len = usize::from(self.ticker_len);
        let first = self.identity_len == 0;
        if !fast::put_market_id(&mut self.identity, ticker_len, market_id) {
            return false;
        }
        self.identity_len = fast::identity_len(ticker_len) as u8;
        first
    }

    /// The hash of the venue's id of the market.
    pub(super) fn id_hash(&self) -> u64 {
        fast::id_hash(&self.identity[..usize::from(self.identity_len)])
    }
}

impl Market {
    /// Lets the top follow a change of its book; false where it must be shown anew.
    #[inline(always)]
    pub(super) fn follow(&mut self, side: Side, px: Px, total: Qty) -> bool {
        match side {
            Side::Bid => self.top.change_bids(px, total),
            Side::Ask => self.top.change_asks(px, total),
        }
    }

    /// Copies one side of the book into the top.
    #[inline(never)]
    pub(super) fn show(&mut self, slab: &Slab, side: Side) {
        let levels = slab.top(self.book, side);
        match side {
            Side::Bid => self.top.set_bids(&levels),
            Side::Ask => self.top.set_asks(&levels),
        }
    }

    pub(super) fn show_both(&mut self, slab: &Slab) {
        self.show(slab, Side::Bid);
        self.show(slab, Side::Ask);
    }

    /// False where the best bid is below the best ask, and was.
    #[inline(always)]
    pub(super) fn may_be_crossed(&self) -> bool {
        let (bid, ask) = (self.top.best_bid_raw(), self.top.best_ask_raw());
        (bid.0 >= ask.0 && bid.1 != 0 && ask.1 != 0) || self.crossing.is_on()
    }
}

#[inline]
pub(super) fn publish(market: &mut Market, recv: Ns, sink: &mut impl Sink) {
    let health = market::health(market.standing, market.crossing.is_on());
    market::publish(&mut market.top, health, recv, sink);
}

pub(super) fn crossing_of(markets: &mut [Market], number: usize) -> &mut Crossing {
    &mut markets[number].crossing
}
