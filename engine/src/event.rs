//! Everything that happens, as plain values: what the core sends, hears back and tells others.
//!
//! All of it is `Copy` and of bounded size, so that it crosses rings and lies in files as it is.

use crate::grid::Grid;
use crate::pair::{Direction, FeeRule, Listing, Outcome, PairId};
use crate::top::{Health, MarketId, Top};
use crate::units::{Ns, Px, Qty, Shares, Usd, Venue};

mod bundle; // what the core sends, and asks to be signed
mod report; // what became of it
mod risk; // what a safeguard stopped

pub use bundle::{Action, ArmRequest, Bundle, BundleId, Dispatch, Grounds, Leg, Purpose, Ticket};
pub use report::{Feedback, Reject, Report, ReportKind};
pub use risk::Risk;

/// A decision with everything that led to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Receive stamp of the frame that caused it; Unix nanoseconds.
    pub at: Ns,
    /// What was sent.
    pub bundle: Bundle,
    /// Best price of each leg's outcome.
    pub best: [Px; 2],
    /// Contracts that both legs are expected to fill.
    pub qty: Shares,
    /// Net gain of the first contract.
    pub edge: Usd,
    /// Net gain of all of it: `qty` dollars minus costs and net fees of both legs.
    pub profit: Usd,
    /// The books as decided upon, the first venue's and the second's.
    pub tops: [Top; 2],
}

/// Why nothing was sent although an opportunity was there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Miss {
    /// It earned less a contract than the least that is wanted.
    BelowMinimum = 0,
    /// What was left of the depth, the money or the limits was less than the venues take.
    TooSmall = 1,
    /// A bundle of the pair was under way.
    InFlight = 2,
    /// The pair rested after a bundle.
    Cooldown = 3,
    /// A gate could not get an order through.
    GateDown = 4,
    /// The two tokens' books were of different moments.
    Torn = 5,
    /// The pair may not be traded: somebody objects, or its fee is not known.
    NotTradable = 6,
    /// Trading is switched off.
    Off = 7,
    /// A limit or a safeguard forbade it; [`Event::RiskTripped`] says which.
    Limit = 8,
    /// The pair holds contracts on one side alone.
    Unhedged = 9,
}

impl Miss {
    /// All reasons in the order of their discriminants.
    pub const ALL: [Miss; 10] = [
        Miss::BelowMinimum,
        Miss::TooSmall,
        Miss::InFlight,
        Miss::Cooldown,
        Miss::GateDown,
        Miss::Torn,
        Miss::NotTradable,
        Miss::Off,
        Miss::Limit,
        Miss::Unhedged,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Miss::BelowMinimum => "below_minimum",
            Miss::TooSmall => "too_small",
            Miss::InFlight => "in_flight",
            Miss::Cooldown => "cooldown",
            Miss::GateDown => "gate_down",
            Miss::Torn => "torn",
            Miss::NotTradable => "not_tradable",
            Miss::Off => "off",
            Miss::Limit => "limit",
            Miss::Unhedged => "unhedged",
        }
    }
}

/// An opportunity begins: the net edge of one contract turned positive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opened {
    /// Which pair.
    pub pair: PairId,
    /// Which way round.
    pub direction: Direction,
    /// Receive stamp; Unix nanoseconds.
    pub at: Ns,
    /// Whose book opened it.
    pub by: Venue,
    /// Net edge of one contract.
    pub edge: Usd,
    /// Contracts that earn anything over the visible depth.
    pub size: Qty,
}

/// An opportunity ends: the edge is gone, or a book is no longer sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed {
    /// Which pair.
    pub pair: PairId,
    /// Which way round.
    pub direction: Direction,
    /// When it opened; receive stamp, Unix nanoseconds.
    pub opened: Ns,
    /// For how long.
    pub lived: Ns,
    /// Whose book opened it.
    pub opened_by: Venue,
    /// Whose book closed it.
    pub closed_by: Venue,
    /// The largest net edge of one contract.
    pub peak_edge: Usd,
    /// The most contracts that earned anything over the visible depth.
    pub peak_size: Qty,
    /// Evaluations during its life that found it.
    pub seen: u64,
    /// Why it was not taken, as it stood last; `None` where it was.
    pub missed: Option<Miss>,
}

/// A book message as the feed applied it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BookReceived {
    /// Whose book.
    pub market: MarketId,
    /// Receive stamp; Unix nanoseconds.
    pub recv: Ns,
    /// Generation of the Top that carries it.
    pub generation: u32,
}

/// An order in an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderRef {
    /// Its bundle.
    pub bundle: BundleId,
    /// Its pair.
    pub pair: PairId,
    /// Its leg.
    pub leg: u8,
    /// When; monotonic.
    pub at: Ns,
}

/// A bundle whose orders have both ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settled {
    /// Which bundle.
    pub bundle: BundleId,
    /// Of which pair.
    pub pair: PairId,
    /// When; monotonic.
    pub at: Ns,
    /// Filled by each leg.
    pub filled: [Shares; 2],
    /// Contracts that both legs filled; each pays a dollar.
    pub matched: Shares,
    /// Those dollars minus their part of the costs and all fees.
    pub profit: Usd,
    /// Cost of what only one leg filled.
    pub excess: Usd,
}

/// An order leaves that closes contracts which one leg filled alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Repair {
    /// The order, and what its kind is called.
    pub bundle: Bundle,
    /// Contracts that are held alone.
    pub naked: Shares,
    /// With which outcome of the pair's first venue they pay.
    pub pays: Outcome,
    /// What the first contract closed so is worth.
    pub value: Usd,
    /// What it is worth by the middle of the books.
    pub fair: Usd,
    /// Fruitless tries before.
    pub tries: u8,
}

/// Such an order ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Repaired {
    /// Which.
    pub bundle: BundleId,
    /// Of which pair.
    pub pair: PairId,
    /// What it was for.
    pub purpose: Purpose,
    /// When; monotonic.
    pub at: Ns,
    /// Contracts that it filled.
    pub filled: Shares,
    /// Contracts that are still held alone.
    pub left: Shares,
    /// What it gained against what the contracts had cost, after its fees; mostly a loss.
    pub profit: Usd,
}

/// Why contracts that are held alone are not closed now.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Wait {
    /// Closing costs more than holding, and no more can be lost than allowed.
    Hold = 0,
    /// Every way out costs more than it may.
    Dear = 1,
    /// No book, gate, money or minimum allows a way out.
    NoWay = 2,
}

impl Wait {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Wait::Hold => "hold",
            Wait::Dear => "dear",
            Wait::NoWay => "no_way",
        }
    }
}

/// What changed about a pair.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum PairChange {
    /// Nothing is decided on it until evidence comes.
    Blocked = 0,
    /// Evidence came.
    Unblocked = 1,
    /// A venue changed what it charges for one of its markets.
    Fee = 2,
    /// A venue changed which prices one of its markets knows.
    Grid = 3,
    /// It joined while markets trade.
    Joined = 4,
    /// Nothing is decided on it any more; it leaves once nothing of it is open.
    Stopped = 5,
    /// It left: its place is free for another one.
    Left = 6,
    /// It was to join, and is not taken in: its place is not free, or a market has none.
    Refused = 7,
    /// A venue moved the close of one of its markets.
    Close = 8,
}

/// What a feed tells the core beside books: rules that change while markets trade.
///
/// It travels on a ring of its own. The last [`Top`] of its frame carries [`Top::CONTROL`], so
/// that it takes its place among the books however the threads run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// A market's taker fee changed.
    Fee {
        /// Whose.
        market: MarketId,
        /// The rule in force; `None` is again the one that the pair table gives.
        fee: Option<FeeRule>,
    },
    /// A market's prices lie on another grid.
    Grid {
        /// Whose.
        market: MarketId,
        /// The grid in force.
        grid: Grid,
    },
    /// A market closes at another time than was known.
    Close {
        /// Which.
        market: MarketId,
        /// When; Unix nanoseconds.
        at: Ns,
    },
    /// A pair joins. No feed says so: it comes from whoever finds pairs, once everybody else who
    /// must know its markets does.
    Join(Listing),
    /// A pair is to leave. Nothing is decided on it any more, and it goes where nothing of it is
    /// open; otherwise it is asked again later. It comes from whoever finds pairs.
    Retire(PairId),
    /// A market is to be forgotten that no pair has and whose feed says nothing more of it. It comes
    /// from whoever finds pairs, and is asked again where it could not be done yet.
    Vacate {
        /// Which.
        market: MarketId,
        /// Of the last Top that its feed sent.
        generation: u32,
    },
    /// All controls of a frame have come.
    EndOfFrame,
}

/// The one enum of everything that happens, for telemetry, journal, stream and database alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // It crosses rings by value; boxing would allocate.
pub enum Event {
    /// A whole book came.
    BookSnapshotReceived(BookReceived),
    /// A book changed.
    BookDeltaReceived(BookReceived),
    /// A book may, or may no longer, be acted on.
    FeedHealthChanged {
        /// Whose book.
        market: MarketId,
        /// Receive stamp; Unix nanoseconds.
        recv: Ns,
        /// Before.
        from: Health,
        /// Now.
        to: Health,
    },
    /// An edge turned positive.
    OpportunityFound(Opened),
    /// It is gone.
    OpportunityClosed(Closed),
    /// A bundle leaves.
    ExecuteTrade(Decision),
    /// An order's bytes left.
    OrderSent(OrderRef),
    /// A venue has an order.
    OrderAcked(OrderRef),
    /// An order's fate is unknown.
    OrderUnknown(OrderRef),
    /// A part of an order was filled; the report is of kind [`ReportKind::Filled`].
    Fill(Report),
    /// A fill was taken back; the report is of kind [`ReportKind::Undone`].
    FillUndone(Report),
    /// The first leg of a bundle filled; the other one follows its fills, as a repair.
    LegFollows(Settled),
    /// An order leaves that closes what one leg filled alone.
    RepairSent(Repair),
    /// Such an order ended.
    RepairEnded(Repaired),
    /// What one leg filled alone stays open for now, for another reason than before.
    RepairWaits {
        /// Of which pair.
        pair: PairId,
        /// When; monotonic.
        at: Ns,
        /// How many contracts.
        naked: Shares,
        /// Why.
        why: Wait,
    },
    /// A bundle ended and both legs filled something.
    TradeSettled(Settled),
    /// A bundle ended and at most one leg filled anything.
    TradeFailed(Settled),
    /// A safeguard stopped something.
    RiskTripped {
        /// On which pair.
        pair: PairId,
        /// When; monotonic.
        at: Ns,
        /// Which.
        risk: Risk,
    },
    /// A pair changed.
    PairChanged {
        /// Which.
        pair: PairId,
        /// When; monotonic.
        at: Ns,
        /// How.
        change: PairChange,
    },
    /// A market is forgotten by the core and by its gate: its number is free for another one.
    MarketVacated {
        /// Which.
        market: MarketId,
        /// Of the last Top that its feed sent.
        generation: u32,
    },
}

impl Event {
    /// True where money, or whether anything is traded, depends on who hears it: everything else
    /// is for a person who looks, and gives way where there is no room.
    #[inline]
    pub fn is_fact(&self) -> bool {
        match self {
            Event::Fill(_)
            | Event::FillUndone(_)
            | Event::TradeSettled(_)
            | Event::TradeFailed(_)
            | Event::PairChanged { change: PairChange::Left | PairChange::Refused, .. }
            | Event::MarketVacated { .. } => true,
            Event::RiskTripped { risk, .. } => risk.latches(),
            _ => false,
        }
    }
}

// Rings of these are laid out at start; a field too many shows here and not as memory.
const _: () = assert!(size_of::<Event>() <= 512);
const _: () = assert!(size_of::<Bundle>() <= 256);
const _: () = assert!(size_of::<Report>() <= 80);
const _: () = assert!(size_of::<Feedback>() <= 96);
// A pair that joins is the largest; it crosses by value, so that nobody has to give memory back.
const _: () = assert!(size_of::<Control>() <= 176);
