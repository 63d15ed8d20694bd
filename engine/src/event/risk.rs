//! What a safeguard stopped, and which of them wait for a person.

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
    /// Contracts lie on one side alone and are not closed after five seconds, or after several tries:
    /// somebody should look.
    Unhedged = 22,
    /// The venue itself stopped our orders because too much filled at once: off until a person arms
    /// it.
    Breaker = 23,
    /// A venue filled an order beyond what it asked for: booked as the truth that it is, and off until
    /// a person arms it, because nobody can say what the next order would become.
    Overfilled = 24,
    /// A venue does not know who we are: the key is wrong, or was revoked, or the clock is off.
    /// Nothing leaves there until it does again; somebody should look.
    Identity = 25,
    /// An order filled on our account that this engine did not send: somebody trades by hand, or
    /// a second engine somewhere else. What it changed shows when the venues' figures are compared.
    Foreign = 26,
    /// A venue takes no order of ours: the account or the key may not trade, or it refused one after
    /// the other through several rests. Off until a person arms it, because the other venue would
    /// go on to fill its legs alone.
    Refused = 27,
    /// More of a pair could be lost than may be if one venue calls its market void, or judges it
    /// differently.
    Void = 28,
    /// An order was decided on a book that is not sound. Its gate refused it, and trading is off until
    /// a person arms it: the core is wrong.
    Book = 29,
}

impl Risk {
    /// All safeguards in the order of their discriminants.
    pub const ALL: [Risk; 30] = [
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
        Risk::Identity,
        Risk::Foreign,
        Risk::Refused,
        Risk::Void,
        Risk::Book,
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
            Risk::Identity => "identity",
            Risk::Foreign => "foreign",
            Risk::Refused => "refused",
            Risk::Void => "void",
            Risk::Book => "book",
        }
    }

    /// True where trading stays off until a person arms it.
    pub const fn latches(self) -> bool {
        matches!(
            self,
            Risk::Repeated
                | Risk::Balance
                | Risk::Breaker
                | Risk::Overfilled
                | Risk::Refused
                | Risk::Book
        )
    }
}
