//! Which two markets are one event, and what each venue demands of an order there.
//!
//! Fees and size rules are values that a pair carries: nothing below the pair table asks which
//! venue it deals with.

mod listing; // a pair that joins or leaves a table while markets trade
mod table; // all pairs, and which of them a market belongs to

use crate::top::MarketId;
use crate::units::{Ns, Px, Qty, Usd};

pub use listing::Listing;
pub use table::{PairError, PairTable};

/// Most pairs in one process. The number after the last one ends a chain of pairs.
pub const PAIRS_MAX: usize = u16::MAX as usize;

/// The largest fee multiplier taken as meant: a hundred times the published fee.
pub const MULTIPLIER_E6_MAX: u32 = 100_000_000;

/// A pair, numbered by its place in the pair table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct PairId(pub u16);

impl PairId {
    /// The number as an index.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One of the two outcomes of a market.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Outcome {
    /// The market's YES.
    Yes = 0,
    /// The market's NO.
    No = 1,
}

impl Outcome {
    /// The lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Yes => "yes",
            Outcome::No => "no",
        }
    }

    /// The other one.
    #[inline]
    #[must_use]
    pub const fn opposite(self) -> Outcome {
        match self {
            Outcome::Yes => Outcome::No,
            Outcome::No => Outcome::Yes,
        }
    }
}

/// How the second venue's outcomes answer the first venue's question.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Polarity {
    /// YES pays on both venues together.
    Same = 0,
    /// The first venue's YES pays when the second venue's NO pays.
    Inverted = 1,
}

/// What is bought. Each direction buys two legs of which exactly one pays a dollar.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Direction {
    /// YES on the first venue, its opposite on the second.
    FirstYes = 0,
    /// NO on the first venue, its opposite on the second.
    FirstNo = 1,
    /// Both outcomes of the second venue's market.
    SecondBoth = 2,
}

impl Direction {
    /// All directions in the order of their discriminants.
    pub const ALL: [Direction; 3] =
        [Direction::FirstYes, Direction::FirstNo, Direction::SecondBoth];

    /// The column in tables by direction.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name used in reports: who is bought where.
    pub const fn name(self, polarity: Polarity) -> &'static str {
        match (self, polarity) {
            (Direction::FirstYes, Polarity::Same) => "kalshi_yes_polymarket_no",
            (Direction::FirstNo, Polarity::Same) => "kalshi_no_polymarket_yes",
            (Direction::FirstYes, Polarity::Inverted) => "kalshi_yes_polymarket_yes",
            (Direction::FirstNo, Polarity::Inverted) => "kalshi_no_polymarket_no",
            (Direction::SecondBoth, _) => "polymarket_yes_polymarket_no",
        }
    }

    /// Side of the pair and outcome of each leg.
    #[inline]
    pub const fn legs(self, polarity: Polarity) -> [(usize, Outcome); 2] {
        let first = match self {
            Direction::FirstYes => Outcome::Yes,
            Direction::FirstNo => Outcome::No,
            Direction::SecondBoth => return [(1, Outcome::Yes), (1, Outcome::No)],
        };
        let second = match polarity {
            Polarity::Same => first.opposite(),
            Polarity::Inverted => first,
        };
        [(0, first), (1, second)]
    }
}

/// What a person or discovery said about a pair.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// Found equal by discovery's own rules.
    Tradable,
    /// Found equal by a person.
    Approved,
    /// Perhaps not the same event.
    NeedsReview,
    /// Not to be traded.
    Blocked,
    /// Nobody said anything; good enough for replay, not for live trading.
    Unspecified,
}

impl Verdict {
    /// True where a decision may be made at all.
    pub const fn may_decide(self) -> bool {
        !matches!(self, Verdict::NeedsReview | Verdict::Blocked)
    }

    /// True where the decision may reach a real venue.
    pub const fn trades_live(self) -> bool {
        matches!(self, Verdict::Tradable | Verdict::Approved)
    }
}

/// How a venue charges a taker. Construct by [`FeeRule::quadratic`] and [`FeeRule::curve`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FeeRule {
    /// 0.07 x multiplier x contracts x p(1-p), rounded up to a micro-dollar a fill and settled
    /// on the account's balance grid (kalshi.md section 6).
    Quadratic {
        /// The multiplier in millionths.
        multiplier_e6: u32,
    },
    /// rate x shares x (p(1-p))^exponent, rounded down to 1e-5 dollar a match
    /// (polymarket.md section 6).
    Curve {
        /// The rate in millionths, at most 1.
        rate_e6: u32,
        /// 1 or 2.
        exponent: u8,
    },
    /// A fee without a known formula: no net edge, no trade.
    Unknown,
}

impl FeeRule {
    /// A quadratic rule with a multiplier in millionths, at most [`MULTIPLIER_E6_MAX`].
    pub const fn quadratic(multiplier_e6: u32) -> Result<FeeRule, PairError> {
        if multiplier_e6 > MULTIPLIER_E6_MAX {
            return Err(PairError::Multiplier(multiplier_e6));
        }
        Ok(FeeRule::Quadratic { multiplier_e6 })
    }

    /// A curve with a rate in millionths, at most 1, and an exponent of 1 or 2.
    ///
    /// Above 2 the exact product leaves 128 bits. At 0 the fee of a BUY that spends an amount has
    /// no bound, because a falling price buys ever more shares. No market has either today.
    pub const fn curve(rate_e6: u32, exponent: u8) -> Result<FeeRule, PairError> {
        if rate_e6 > 1_000_000 {
            return Err(PairError::Rate(rate_e6));
        }
        if exponent == 0 || exponent > 2 {
            return Err(PairError::Exponent(exponent));
        }
        Ok(FeeRule::Curve { rate_e6, exponent })
    }

    /// What holds once an override is cleared that may stand in this rule: never less than the usual
    /// multiplier. Too dear a fee misses a trade; too cheap a one loses money with each.
    #[must_use]
    pub fn without_override(self) -> FeeRule {
        match self {
            FeeRule::Quadratic { multiplier_e6 } => {
                FeeRule::Quadratic { multiplier_e6: multiplier_e6.max(1_000_000) }
            }
            other => other,
        }
    }

    /// False where no net edge can be computed.
    pub const fn is_known(self) -> bool {
        !matches!(self, FeeRule::Unknown)
    }
}

/// What a taker BUY must look like.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SizeRule {
    /// The smallest size of an order.
    pub min_qty: Qty,
    /// The smallest limit price x size of an order.
    pub min_notional: Usd,
    /// The order is an amount of whole cents, and a better price buys more for it
    /// (polymarket.md 5.4 and 5.6). Otherwise it is a number of contracts, and a better price
    /// leaves money over.
    pub whole_cents: bool,
}

impl SizeRule {
    /// Sizes at limit price `px` are multiples of this many 1e-2 contracts.
    ///
    /// Price x size is whole cents when the size is a multiple of 10000 / gcd(p, 10000)
    /// (pairs.md, "Snapping").
    #[inline]
    pub const fn step_e2(&self, px: Px) -> u64 {
        if !self.whole_cents {
            return 1;
        }
        let (mut a, mut b) = (px.e4() as u64, 10_000);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        10_000 / a
    }
}

/// Which leg of a bundle leaves first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum LegOrder {
    /// Both at once.
    Both = 0,
    /// The first venue's; the second venue's follows its fills.
    First = 1,
    /// The second venue's; the first venue's follows its fills.
    Second = 2,
    /// The slower or less certain one, as measured, where that is clearly so; otherwise both.
    #[default]
    Auto = 3,
}

impl LegOrder {
    /// All in the order of their discriminants.
    pub const ALL: [LegOrder; 4] =
        [LegOrder::Both, LegOrder::First, LegOrder::Second, LegOrder::Auto];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            LegOrder::Both => "both",
            LegOrder::First => "kalshi-first",
            LegOrder::Second => "polymarket-first",
            LegOrder::Auto => "auto",
        }
    }

    /// The one of that name.
    pub fn from_name(name: &str) -> Option<LegOrder> {
        LegOrder::ALL.into_iter().find(|order| order.name() == name)
    }
}

/// One market of a pair and the rules of its venue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Instrument {
    /// Which market.
    pub market: MarketId,
    /// What a taker pays.
    pub fee: FeeRule,
    /// What an order must look like.
    pub size: SizeRule,
    /// The step of its prices; of several the coarsest. Every multiple of it is a price.
    pub tick: Px,
    /// How long the venue holds a marketable order before it matches it.
    pub taker_delay: Ns,
}

/// Two markets that are one event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pair {
    /// Our unique name of it.
    pub id: String,
    /// Groups pairs for limits an event.
    pub event: Option<String>,
    /// How the outcomes map.
    pub polarity: Polarity,
    /// Which leg leaves first; `None` leaves that to the run's own choice.
    pub legs: Option<LegOrder>,
    /// Whether it may be traded.
    pub verdict: Verdict,
    /// The first venue's market and the second's: Kalshi, Polymarket.
    pub sides: [Instrument; 2],
    /// When the dollar is expected to be paid; Unix nanoseconds.
    pub expected_resolution: Option<Ns>,
    /// When trading on the first venue ends; Unix nanoseconds.
    pub close_time: Option<Ns>,
    /// When the game begins that both ask about; Unix nanoseconds.
    pub game_start: Option<Ns>,
    /// The least that one contract of each leg pays together, however the venues resolve: a dollar
    /// only where no case is known in which one is void and the other is not.
    pub worst_payoff: Px,
}

impl Pair {
    /// Becomes another pair. Its names are emptied and keep their memory: whoever takes a pair in
    /// while markets trade allocates nothing and gives nothing back.
    fn succeed(&mut self, listing: &Listing) {
        let (mut id, mut event) = (core::mem::take(&mut self.id), self.event.take());
        id.clear();
        event.iter_mut().for_each(String::clear);
        *self = Pair { id, event, ..listing.to_pair() };
    }

    /// True where the core may decide on it: nobody objected and both fees are known.
    pub fn may_decide(&self) -> bool {
        self.verdict.may_decide() && self.sides.iter().all(|s| s.fee.is_known())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::CURVE;
    use crate::units::Venue;

    #[test]
    fn an_amount_snaps_to_whole_cents() {
        let amount = SizeRule { min_qty: Qty::ZERO, min_notional: Usd::ZERO, whole_cents: true };
        for px in 1..10_000 {
            let step = amount.step_e2(Px::lit(px));
            assert_eq!(Qty::lit(step).at(Px::lit(px)).e6() % 10_000, 0, "{px}");
            let finer = (1..step).any(|s| (s * u64::from(px)).is_multiple_of(10_000));
            assert!(!finer, "{px}: a smaller step would do");
        }
        // Whole shares always pass on a cent, half ones at 0.50, and 0.2345 wants twenty.
        assert_eq!([5_300, 5_000, 2_345].map(|p| amount.step_e2(Px::lit(p))), [100, 2, 2_000]);
        let contracts = SizeRule { whole_cents: false, ..amount };
        assert_eq!(contracts.step_e2(Px::lit(2_345)), 1);
    }

    #[test]
    fn names_say_who_is_bought_where() {
        let all = |polarity| Direction::ALL.map(|d| d.name(polarity));
        assert_eq!(
            all(Polarity::Same),
            [
                "kalshi_yes_polymarket_no",
                "kalshi_no_polymarket_yes",
                "polymarket_yes_polymarket_no"
            ]
        );
        assert_eq!(
            all(Polarity::Inverted),
            [
                "kalshi_yes_polymarket_yes",
                "kalshi_no_polymarket_no",
                "polymarket_yes_polymarket_no"
            ]
        );
        for polarity in [Polarity::Same, Polarity::Inverted] {
            for direction in Direction::ALL {
                let words = direction
                    .legs(polarity)
                    .map(|(side, o)| format!("{}_{}", Venue::ALL[side], o.name()));
                assert_eq!(direction.name(polarity), words.join("_"), "name and legs agree");
            }
        }
    }

    #[test]
    fn impossible_fees_are_refused() {
        assert_eq!(FeeRule::curve(40_000, 3), Err(PairError::Exponent(3)));
        assert_eq!(FeeRule::curve(40_000, 0), Err(PairError::Exponent(0)));
        assert_eq!(FeeRule::curve(1_000_001, 1), Err(PairError::Rate(1_000_001)));
        assert_eq!(FeeRule::quadratic(100_000_001), Err(PairError::Multiplier(100_000_001)));
        assert_eq!(FeeRule::curve(50_000, 1), Ok(CURVE));
    }
}
