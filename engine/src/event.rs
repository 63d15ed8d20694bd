//! Everything that happens, as plain values: what the core sends, hears back and tells others.
//!
//! All of it is `Copy` and of bounded size, so that it crosses rings and lies in files as it is.

use crate::grid::Grid;
use crate::pair::{Direction, FeeRule, Listing, Outcome, PairId};
use crate::top::{Health, MarketId, Top};
use crate::units::{Ns, Px, Qty, Shares, Usd, Venue};

/// A bundle, numbered by the core from 1 in the order of decisions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct BundleId(pub u64);

/// Whether contracts of an outcome are bought or sold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Action {
    /// Money is given for contracts.
    Buy = 0,
    /// Contracts are given for money.
    Sell = 1,
}

/// What a bundle is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Purpose {
    /// It opens a position: of two legs that together gain, or the first of them alone where the
    /// other follows its fills.
    Open = 0,
    /// It buys on the other venue what hedges contracts that one leg filled alone.
    Chase = 1,
    /// It buys on the same venue what pays when those contracts do not.
    Complement = 2,
    /// It sells those contracts again.
    SellBack = 3,
}

impl Purpose {
    /// All purposes in the order of their discriminants.
    pub const ALL: [Purpose; 4] =
        [Purpose::Open, Purpose::Chase, Purpose::Complement, Purpose::SellBack];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Purpose::Open => "open",
            Purpose::Chase => "chase",
            Purpose::Complement => "complement",
            Purpose::SellBack => "sell_back",
        }
    }
}

/// One order of a bundle: a taker's, which never rests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leg {
    /// Where.
    pub market: MarketId,
    /// Which outcome is bought or sold.
    pub outcome: Outcome,
    /// Which of both.
    pub action: Action,
    /// True where the order is an amount: it spends up to `budget` and a better price buys more.
    /// Otherwise it is for `qty` contracts and a better price leaves money over. A sale never
    /// spends.
    pub spends: bool,
    /// The worst price accepted, of `outcome`.
    pub limit: Px,
    /// The size on the order.
    pub qty: Qty,
    /// `limit` x `qty`, without fees.
    pub budget: Usd,
    /// What the books promised to fill.
    pub expected: Shares,
    /// What that costs, or brings, without fees.
    pub cost: Usd,
    /// The net fees on it.
    pub fee: Usd,
    /// Cash set aside for the order until it ends: worst price and worst fee. A sale takes none.
    pub reserve: Usd,
    /// Generation of the [`Top`] that the decision saw.
    pub generation: u32,
}

/// Who takes the rate tokens that the orders of a bundle cost.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Ticket {
    /// Each gate those of its own legs.
    AtGate = 0,
    /// They were taken for all legs at once, before the bundle came to any gate.
    Taken = 1,
    /// Some leg's were not there, so none were taken: no leg may leave.
    Refused = 2,
}

/// Orders that belong together: two, or one alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bundle {
    /// Its number.
    pub id: BundleId,
    /// For which pair.
    pub pair: PairId,
    /// Which way round.
    pub direction: Direction,
    /// What it is for.
    pub purpose: Purpose,
    /// How many of `legs` are orders: 1 or 2.
    pub count: u8,
    /// The orders, see [`Bundle::orders`]. Where there is one, the second is the leg that is
    /// planned to follow it, or a copy.
    pub legs: [Leg; 2],
    /// Receive stamp of the frame that caused it; Unix nanoseconds.
    pub recv: Ns,
    /// When it was decided; monotonic.
    pub decided: Ns,
    /// No byte of it leaves later than this; monotonic.
    pub deadline: Ns,
    /// A kill raises the epoch; bundles of an earlier one are void.
    pub kill_epoch: u32,
    /// The price collar, from the best prices of both books: no leg that buys pays more, and none
    /// that sells gets less, whatever its size was walked to. The gate holds it.
    pub collar: [Px; 2],
    /// Who takes its rate tokens.
    pub ticket: Ticket,
}

impl Bundle {
    /// The legs that are orders.
    #[inline]
    pub fn orders(&self) -> &[Leg] {
        &self.legs[..usize::from(self.count).min(self.legs.len())]
    }
}

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
    /// No rate tokens were left.
    RateLimit = 3,
    /// The venue says there is not enough money.
    Funds = 4,
    /// The venue refused the price, the size or the market's state.
    Venue = 5,
    /// The bundle broke a rule of its own: our fault.
    Malformed = 6,
    /// A limit or a safeguard of the gate forbade it; [`Feedback::Tripped`] says which.
    Limit = 7,
}

impl Reject {
    /// All reasons in the order of their discriminants.
    pub const ALL: [Reject; 8] = [
        Reject::Expired,
        Reject::Killed,
        Reject::OtherLeg,
        Reject::RateLimit,
        Reject::Funds,
        Reject::Venue,
        Reject::Malformed,
        Reject::Limit,
    ];

    /// True where something went wrong, and may again: neither haste nor a limit of our own.
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
}

/// An order that the core would send next if a price came its way: to be signed ahead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArmRequest {
    /// For which pair.
    pub pair: PairId,
    /// Which way round.
    pub direction: Direction,
    /// Which of the pair's orders that way round; the likelier ones first. A later request for it
    /// takes its place.
    pub rank: u8,
    /// The order.
    pub leg: Leg,
    /// When it was asked for; monotonic.
    pub at: Ns,
}

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

/// Which safeguard stopped something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Risk {
    /// An order's fate is unknown: its pair is blocked and its cash stays set aside.
    UnknownOrder = 0,
    /// A report for a bundle that is not in flight; a fill of it is booked all the same.
    StrayReport = 1,
    /// A report that the order's state does not allow.
    IllegalTransition = 2,
    /// A fill came after its order had ended, or was taken back: a leg is open again.
    LateFill = 3,
    /// Somebody, or a safeguard that asks for a person, stopped trading.
    Killed = 4,
    /// More than one order may have.
    Order = 5,
    /// More than one pair may have at stake.
    Pair = 6,
    /// More than one event may have at stake.
    Event = 7,
    /// More than one venue may have at stake.
    Venue = 8,
    /// More than may be at stake in all.
    Total = 9,
    /// More money out than may be.
    Unsettled = 10,
    /// As much was lost today as may be.
    DayLoss = 11,
    /// Too many bundles in a short time.
    Rate = 12,
    /// The same pair fired again and again: off until a person arms it.
    Repeated = 13,
    /// Too many errors in a row: trading rests.
    Errors = 14,
    /// The market is on the list of those not to be traded.
    Blocked = 15,
    /// The clock is too far from a venue's.
    Clock = 16,
    /// A book is too old.
    BookAge = 17,
    /// The venue's calendar: a pause or a restart.
    Calendar = 18,
    /// The market closes, or its game starts.
    Close = 19,
    /// There is less money than there must be: off until a person arms it.
    Balance = 20,
    /// An order would pay more than the books allow.
    Collar = 21,
    /// Contracts are held on one side alone, and several tries to close them came to nothing:
    /// somebody should look.
    Unhedged = 22,
    /// The venue itself stopped our orders because too much filled at once: off until a person arms
    /// it.
    Breaker = 23,
    /// A venue filled an order beyond what it asked for: booked as the truth that it is.
    Overfilled = 24,
}

impl Risk {
    /// All safeguards in the order of their discriminants.
    pub const ALL: [Risk; 25] = [
        Risk::UnknownOrder,
        Risk::StrayReport,
        Risk::IllegalTransition,
        Risk::LateFill,
        Risk::Killed,
        Risk::Order,
        Risk::Pair,
        Risk::Event,
        Risk::Venue,
        Risk::Total,
        Risk::Unsettled,
        Risk::DayLoss,
        Risk::Rate,
        Risk::Repeated,
        Risk::Errors,
        Risk::Blocked,
        Risk::Clock,
        Risk::BookAge,
        Risk::Calendar,
        Risk::Close,
        Risk::Balance,
        Risk::Collar,
        Risk::Unhedged,
        Risk::Breaker,
        Risk::Overfilled,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Risk::UnknownOrder => "unknown_order",
            Risk::StrayReport => "stray_report",
            Risk::IllegalTransition => "illegal_transition",
            Risk::LateFill => "late_fill",
            Risk::Killed => "killed",
            Risk::Order => "order",
            Risk::Pair => "pair",
            Risk::Event => "event",
            Risk::Venue => "venue",
            Risk::Total => "total",
            Risk::Unsettled => "unsettled",
            Risk::DayLoss => "day_loss",
            Risk::Rate => "rate",
            Risk::Repeated => "repeated",
            Risk::Errors => "errors",
            Risk::Blocked => "blocked",
            Risk::Clock => "clock",
            Risk::BookAge => "book_age",
            Risk::Calendar => "calendar",
            Risk::Close => "close",
            Risk::Balance => "balance",
            Risk::Collar => "collar",
            Risk::Unhedged => "unhedged",
            Risk::Breaker => "breaker",
            Risk::Overfilled => "overfilled",
        }
    }

    /// True where trading stays off until a person arms it.
    pub const fn latches(self) -> bool {
        matches!(self, Risk::Repeated | Risk::Balance | Risk::Breaker)
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
    /// A pair joins. No feed says so: it comes from whoever finds pairs, once everybody else who
    /// must know its markets does.
    Join(Listing),
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
}

// Rings of these are laid out at start; a field too many shows here and not as memory.
const _: () = assert!(size_of::<Event>() <= 512);
const _: () = assert!(size_of::<Bundle>() <= 256);
const _: () = assert!(size_of::<Report>() <= 80);
const _: () = assert!(size_of::<Feedback>() <= 96);
// A pair that joins is the largest; it crosses by value, so that nobody has to give memory back.
const _: () = assert!(size_of::<Control>() <= 176);
