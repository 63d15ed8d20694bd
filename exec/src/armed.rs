//! Orders of Polymarket made ready to the last byte: signed, and with the HMAC of this second and
//! of the next. Firing one copies a time stamp and an HMAC into place; it signs and hashes
//! nothing.

use engine::event::Leg;
use engine::pair::Outcome;
use engine::top::MarketId;
use engine::units::{Ns, Px, Qty};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::journal::durable::Cover;
use crate::sign::l2::HMAC_TEXT_LEN;
use crate::sign::order::OrderId;
use crate::sign::text::Text;
use crate::token::TokenId;

/// Orders that lie ready at once: some prices and sizes of both directions of the pairs that are
/// near their threshold. Each is signed anew every second, so that this many take some tens of
/// milliseconds of it.
pub const ARMED_MAX: usize = 256;

/// The longest request: the head with the longest credentials, and the body of a deposit wallet.
pub const REQUEST_LEN_MAX: usize = 2_304;

/// An order older than this is not fired: nobody says how old the venue lets its time stamp be.
pub const ARMED_AGE: Ns = Ns::from_ms(2_000);

/// Seconds that an armed order has an HMAC for.
pub const SECONDS: usize = 2;

/// Characters of a time stamp in Unix seconds, until the year 2286.
pub const STAMP_LEN: usize = 10;

/// The key of no order.
const NO_KEY: u64 = 0;

/// An order exactly as the core fires it; anything else is another order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LegKey {
    /// The market, which with the outcome names the token.
    pub market: MarketId,
    /// Which outcome.
    pub outcome: Outcome,
    /// True for an amount to spend (FAK), false for a number of contracts.
    pub spends: bool,
    /// Worst price.
    pub limit: Px,
    /// Size; price x size is the amount.
    pub qty: Qty,
}

impl LegKey {
    /// All of it in one word, so that a search compares words; [`NO_KEY`] for a size of nothing and
    /// for one of 42 million contracts and more, which never lie ready.
    #[inline]
    fn packed(&self) -> u64 {
        let Ok(qty) = u32::try_from(self.qty.e2()) else { return NO_KEY };
        let market = (self.market.venue() as u64) << 15 | self.market.index() as u64;
        let kind = u64::from(self.spends) << 1 | self.outcome as u64;
        if qty == 0 {
            return NO_KEY;
        }
        // A price is below 2^14 and a market below 2^16: the bits do not meet.
        u64::from(qty) << 32 | market << 16 | kind << 14 | u64::from(self.limit.e4())
    }

    /// The key of a leg.
    #[inline]
    pub const fn of(leg: &Leg) -> LegKey {
        LegKey {
            market: leg.market,
            outcome: leg.outcome,
            spends: leg.spends,
            limit: leg.limit,
            qty: leg.qty,
        }
    }
}

/// The whole bytes of one `POST /order`, for one second or two.
#[derive(Clone, Copy)]
pub struct ArmedOrder {
    pub(crate) slot: u16,
    pub(crate) key: Option<LegKey>,
    /// What it buys or sells.
    pub(crate) token: Option<TokenId>,
    pub(crate) id: OrderId,
    /// The record that makes it durable.
    pub(crate) cover: Cover,
    /// Unix nanoseconds.
    pub(crate) made: Ns,
    /// The first second that it has an HMAC for, Unix.
    pub(crate) first_s: u64,
    pub(crate) stamps: [[u8; STAMP_LEN]; SECONDS],
    pub(crate) hmacs: [[u8; HMAC_TEXT_LEN]; SECONDS],
    /// How many of them are filled.
    pub(crate) seconds: u8,
    pub(crate) stamp_at: u16,
    pub(crate) hmac_at: u16,
    pub(crate) request: Text<REQUEST_LEN_MAX>,
}

impl ArmedOrder {
    /// No order: it is ready at no time.
    pub const EMPTY: ArmedOrder = ArmedOrder {
        slot: 0,
        key: None,
        token: None,
        id: OrderId([0; 32]),
        cover: Cover::Nothing,
        made: Ns(0),
        first_s: 0,
        stamps: [[0; STAMP_LEN]; SECONDS],
        hmacs: [[0; HMAC_TEXT_LEN]; SECONDS],
        seconds: 0,
        stamp_at: 0,
        hmac_at: 0,
        request: Text::EMPTY,
    };

    /// Its id at the venue.
    #[inline]
    pub const fn id(&self) -> OrderId {
        self.id
    }

    /// For which leg; `None` of no order.
    #[inline]
    pub const fn key(&self) -> Option<LegKey> {
        self.key
    }

    /// The request as it must be sent now, or `None` where it has no HMAC for this second or is
    /// too old.
    #[inline]
    pub fn request(&mut self, wall: Ns) -> Option<&[u8]> {
        let second = (wall.0 / 1_000_000_000).checked_sub(self.first_s)?;
        if second >= u64::from(self.seconds) || wall.since(self.made) > ARMED_AGE {
            return None;
        }
        let second = second as usize;
        self.request.patch(usize::from(self.stamp_at), &self.stamps[second]);
        self.request.patch(usize::from(self.hmac_at), &self.hmacs[second]);
        Some(self.request.as_bytes())
    }
}

/// The two ends of the way from the signer tile to the gate.
pub fn armed_ring() -> (ArmedFiller, ArmedBook) {
    let (ready_tx, ready_rx) = RingBuffer::new(ARMED_MAX);
    let (used_tx, used_rx) = RingBuffer::new(ARMED_MAX);
    let filler = ArmedFiller { ready: ready_tx, used: used_rx };
    let book = ArmedBook {
        ready: ready_rx,
        used: used_tx,
        keys: Box::new([NO_KEY; ARMED_MAX]),
        orders: vec![ArmedOrder::EMPTY; ARMED_MAX].into_boxed_slice(),
        figures: ArmedFigures::default(),
    };
    (filler, book)
}

/// The signer's end.
pub struct ArmedFiller {
    ready: Producer<ArmedOrder>,
    used: Consumer<u16>,
}

impl ArmedFiller {
    /// True where there is room for one more.
    pub fn has_room(&self) -> bool {
        !self.ready.is_full()
    }

    /// Hands an order over; false where there is no room.
    pub fn push(&mut self, order: &ArmedOrder) -> bool {
        self.ready.push(*order).is_ok()
    }

    /// A slot whose order was fired since: it can be filled again.
    pub fn pop_used(&mut self) -> Option<u16> {
        self.used.pop().ok()
    }
}

/// What became of armed orders.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ArmedFigures {
    /// Orders that came over.
    pub armed: u64,
    /// Legs that found theirs.
    pub hits: u64,
    /// Legs that found none.
    pub misses: u64,
    /// Orders that were found but too old.
    pub stale: u64,
}

/// An armed order on its way out: it is not in the book any more.
pub struct Fired<'a> {
    /// Its id at the venue.
    pub id: OrderId,
    /// The request, to be written in one call.
    pub request: &'a [u8],
    /// The record that makes it durable.
    pub cover: Cover,
}

/// The gate's end: orders that lie ready, each fired at most once.
pub struct ArmedBook {
    ready: Consumer<ArmedOrder>,
    used: Producer<u16>,
    /// What lies in each slot, apart from the bulk so that a search touches little memory.
    keys: Box<[u64; ARMED_MAX]>,
    orders: Box<[ArmedOrder]>,
    figures: ArmedFigures,
}

impl ArmedBook {
    /// Takes over what the signer made since, at most `max` orders; a newer one replaces the one
    /// in its slot. To be called while idle. Returns how many.
    pub fn refresh(&mut self, max: usize) -> usize {
        self.refresh_if(max, |_, _| true)
    }

    /// The same, of those alone whose token their market still has: the number of a market may have
    /// become another one's while the signer worked.
    pub fn refresh_if(&mut self, max: usize, has: impl Fn(&LegKey, TokenId) -> bool) -> usize {
        let mut taken = 0;
        while taken < max {
            let Ok(order) = self.ready.pop() else { break };
            let slot = usize::from(order.slot);
            if let Some(place) = self.orders.get_mut(slot) {
                let key = order.key.filter(|key| order.token.is_some_and(|token| has(key, token)));
                self.keys[slot] = key.map_or(NO_KEY, |key| key.packed());
                *place = order;
                self.figures.armed += 1;
            }
            taken += 1;
        }
        taken
    }

    /// Forgets what lies ready for a market.
    pub fn forget(&mut self, market: MarketId) {
        for (key, order) in self.keys.iter_mut().zip(&self.orders) {
            if order.key.is_some_and(|its| its.market == market) {
                *key = NO_KEY;
            }
        }
    }

    /// The order that lies ready for a leg, out of the book. No signature, no HMAC, no
    /// allocation.
    pub fn take(&mut self, key: &LegKey, wall: Ns) -> Option<Fired<'_>> {
        // The loop ends on an index, because a borrow of the order would outlast it.
        let mut found = None;
        let wanted = key.packed();
        while wanted != NO_KEY
            && let Some(slot) = self.keys.iter().position(|lies| *lies == wanted)
        {
            self.keys[slot] = NO_KEY;
            if self.orders[slot].request(wall).is_some() {
                found = Some(slot);
                break;
            }
            self.figures.stale += 1;
        }
        let Some(slot) = found else {
            self.figures.misses += 1;
            return None;
        };
        self.figures.hits += 1;
        // A full ring only means that the signer hears of it by the next second.
        let _ = self.used.push(slot as u16);
        let order = &self.orders[slot];
        Some(Fired { id: order.id, request: order.request.as_bytes(), cover: order.cover })
    }

    /// What became of armed orders so far.
    pub const fn figures(&self) -> ArmedFigures {
        self.figures
    }
}

#[cfg(test)]
#[path = "armed_tests.rs"]
pub(crate) mod tests;
