//! What became known of an order.

use super::{Action, BundleId, Risk};
use crate::pair::{Outcome, PairId};
use crate::top::MarketId;
use crate::units::{Ns, Px, Shares, Usd, Venue};

/// Why an order was refused, by the venue or by our own gate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Reject {
    /// Its deadline passed before it could leave.
    Expired = 0,
    /// A kill came first.
    Killed = 1,
    /// The other leg could not be admitted.
    OtherLeg = 2,
    /// The venue says that too much came.
    RateLimit = 3,
    /// The venue says there is not enough money.
    Funds = 4,
    /// The venue refused the price, the size or the market's state.
    Venue = 5,
    /// The bundle broke a rule of its own: our fault.
    Malformed = 6,
    /// A limit or a safeguard of the gate forbade it; [`Feedback::Tripped`] says which.
    Limit = 7,
    /// Our own budget has nothing left for it: rate tokens, places for orders, stamps of headers.
    Budget = 8,
    /// Our gate could send nothing at that moment: no private channel, no room in the journal, a venue
    /// that takes nothing. It says so to the core at once.
    Shut = 9,
    /// The venue takes no orders at all now: a pause, a restart, a mode in which it only cancels. Its
    /// gate is shut for that until it does, so that nothing else has to follow.
    Closed = 10,
}

impl Reject {
    /// All reasons in the order of their discriminants.
    pub const ALL: [Reject; 11] = [
        Reject::Expired,
        Reject::Killed,
        Reject::OtherLeg,
        Reject::RateLimit,
        Reject::Funds,
        Reject::Venue,
        Reject::Malformed,
        Reject::Limit,
        Reject::Budget,
        Reject::Shut,
        Reject::Closed,
    ];

    /// True where something went wrong, and may again: neither haste, nor a limit of our own, nor a
    /// venue that is shut to everybody.
    pub const fn is_error(self) -> bool {
        matches!(self, Reject::RateLimit | Reject::Funds | Reject::Venue | Reject::Malformed)
    }
}

/// What became known of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReportKind {
    /// Its bytes left. A gate may leave this out: every answer but a refusal implies it.
    Sent,
    /// The venue has it.
    Acked,
    /// A part of it was filled.
    Filled {
        /// How much.
        shares: Shares,
        /// At which price of the leg's outcome.
        px: Px,
        /// What it cost, or brought, without the fee: the venue's own figure where it gives one.
        cash: Usd,
        /// The net fee of this fill.
        fee: Usd,
    },
    /// A fill that was told before is taken back: its trade failed for good. The figures are those
    /// of the fill; each fill is taken back once at most.
    Undone {
        /// How much.
        shares: Shares,
        /// At which price of the leg's outcome.
        px: Px,
        /// What it had cost, or brought, without the fee.
        cash: Usd,
        /// The net fee of that fill.
        fee: Usd,
    },
    /// It ended, completely filled as far as the venue is concerned.
    Done,
    /// It never came into being.
    Rejected(Reject),
    /// It ended with a part, or all, unfilled.
    Cancelled,
    /// Nobody knows: neither a refusal nor a fill, until evidence comes.
    Unknown,
}

impl ReportKind {
    /// True for the last report of an order, save for a fill that comes late or is taken back.
    #[inline]
    pub const fn is_final(&self) -> bool {
        matches!(self, ReportKind::Done | ReportKind::Rejected(_) | ReportKind::Cancelled)
    }
}

/// What became known of one leg of a bundle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// Which bundle.
    pub bundle: BundleId,
    /// Of which pair.
    pub pair: PairId,
    /// Which of its legs: 0 or 1.
    pub leg: u8,
    /// The leg's market: a fill is money even where the bundle is forgotten.
    pub market: MarketId,
    /// The leg's outcome.
    pub outcome: Outcome,
    /// Whether the leg buys or sells it.
    pub action: Action,
    /// When it became known; monotonic.
    pub at: Ns,
    /// What.
    pub kind: ReportKind,
}

/// What a gate tells the core.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Feedback {
    /// Something became known of an order.
    Report(Report),
    /// The gate can, or can no longer, get an order to its venue and hear of its fills. While a
    /// gate cannot, nothing is decided that needs it.
    Gate {
        /// Whose gate.
        venue: Venue,
        /// When; monotonic.
        at: Ns,
        /// Whether it can.
        ready: bool,
    },
    /// A safeguard of the gate refused an order of this pair.
    Tripped {
        /// Which pair.
        pair: PairId,
        /// When; monotonic.
        at: Ns,
        /// Which safeguard.
        risk: Risk,
    },
    /// The gate has forgotten a market, as it was told to: it has reported all that it will ever
    /// report of it.
    Vacated {
        /// Which.
        market: MarketId,
        /// As it was told.
        generation: u32,
    },
}
