//! What may be at stake, how often, and when.

use crate::risk::calendar::Calendar;
use crate::units::{Ns, PX_ONE, Px, Shares, Usd};

/// The most bundles of all pairs, and of one pair, that a [`Rate`] may count.
pub const RATE_MAX: [u32; 2] = [64, 16];

/// The most repairs of all pairs that leave in a moment. Whoever closes what a burst left alone needs
/// fewer; one that repairs without end, a hundredth of a contract at a time, pays a fee each time.
pub const REPAIRS: Rate = Rate { count: REPAIRS_MAX as u32, within: Ns::from_ms(1_000) };

/// Its count, as a length.
pub(super) const REPAIRS_MAX: usize = 64;

/// Most contracts and most money.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cap {
    /// Contracts; both legs of a bundle count.
    pub qty: Shares,
    /// Money paid for them, or that orders may still pay, without fees.
    pub notional: Usd,
}

impl Cap {
    /// A cap that nothing reaches, with room to add to it.
    pub const NONE: Cap = Cap { qty: Shares::new(u64::MAX / 4), notional: Usd::new(i64::MAX / 4) };

    /// At most [`Cap::NONE`], and nothing where it is below that.
    fn capped(self) -> Cap {
        Cap {
            qty: self.qty.min(Cap::NONE.qty),
            notional: self.notional.clamp(Usd::ZERO, Cap::NONE.notional),
        }
    }
}

/// At most `count` in any span of `within`. A span of nothing is no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// How many; at most what [`RATE_MAX`] says.
    pub count: u32,
    /// In which span.
    pub within: Ns,
}

impl Rate {
    /// No limit.
    pub const NONE: Rate = Rate { count: 1, within: Ns(0) };

    fn capped(self, most: u32) -> Rate {
        Rate { count: self.count.min(most), ..self }
    }
}

/// What no order, no pair and no run may exceed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RiskLimits {
    /// One order.
    pub order: Cap,
    /// One pair: both legs, open positions and orders under way.
    pub pair: Cap,
    /// All pairs of one event.
    pub event: Cap,
    /// Each venue.
    pub venue: [Cap; 2],
    /// Both venues together.
    pub total: Cap,
    /// The most that hedged contracts of one pair may lose where both venues do not resolve alike:
    /// what they cost less the worst that the pair pays.
    pub void_loss: Usd,
    /// The largest loss of a day, UTC. What only one leg holds counts as lost until it is closed.
    pub day_loss: Usd,
    /// Bundles of all pairs.
    pub bundles: Rate,
    /// Bundles of one pair; more of them look like a fault, and a person must look.
    pub repeats: Rate,
    /// So many errors in a row make trading rest; 0 is no limit.
    pub errors: u32,
    /// For how long it rests.
    pub error_rest: Ns,
    /// The clock may be off by so much.
    pub clock_off: Ns,
    /// A book older than this is not acted on.
    pub book_age: Ns,
    /// No order pays more than this above the best price of its book.
    pub collar: Px,
    /// Nothing is opened so long before a market closes,
    pub before_close: Ns,
    /// and before its game starts, and while it is played; `None` looks at no game.
    pub before_game: Option<Ns>,
    /// With less money than this on both venues together trading stays off until a person arms it.
    pub shutdown_balance: Usd,
    /// Money that is not touched on each venue.
    pub wallet_min: Usd,
    /// When the venues pause.
    pub calendar: Calendar,
}

impl RiskLimits {
    /// The same, of numbers that may be added to each other and negated, and of counts that windows
    /// have room for.
    #[must_use]
    pub(super) fn capped(&self) -> RiskLimits {
        RiskLimits {
            order: self.order.capped(),
            pair: self.pair.capped(),
            event: self.event.capped(),
            venue: self.venue.map(Cap::capped),
            total: self.total.capped(),
            bundles: self.bundles.capped(RATE_MAX[0]),
            repeats: self.repeats.capped(RATE_MAX[1]),
            day_loss: self.day_loss.clamp(Usd::ZERO, Cap::NONE.notional),
            ..*self
        }
    }

    /// Limits that nothing reaches.
    pub const NONE: RiskLimits = RiskLimits {
        order: Cap::NONE,
        pair: Cap::NONE,
        event: Cap::NONE,
        venue: [Cap::NONE; 2],
        total: Cap::NONE,
        void_loss: Cap::NONE.notional,
        day_loss: Cap::NONE.notional,
        bundles: Rate::NONE,
        repeats: Rate::NONE,
        errors: 0,
        error_rest: Ns(0),
        clock_off: Ns(u64::MAX),
        book_age: Ns(u64::MAX),
        collar: Px::lit(PX_ONE),
        before_close: Ns(0),
        before_game: None,
        shutdown_balance: Usd::new(i64::MIN / 4),
        wallet_min: Usd::ZERO,
        calendar: Calendar::NONE,
    };
}
