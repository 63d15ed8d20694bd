//! Orders as the core sends them: two legs, when they must leave, what they are for.

use crate::pair::{Direction, Outcome, PairId};
use crate::top::{Health, MarketId};
use crate::units::{Ns, Px, Qty, Shares, Usd};

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
    /// Generation of the [`Top`](crate::top::Top) that the decision saw.
    pub generation: u32,
}

impl Leg {
    /// True where so much, for so much money without fees, is more than the order asked for. What a
    /// venue rounds is below a hundredth of a contract.
    pub fn is_overfilled(&self, filled: Shares, cost: Usd) -> bool {
        // An amount buys more of what is cheaper.
        let more = !self.spends || cost > self.budget + Usd::new(i64::from(self.limit.e4()));
        more && filled > Shares::from(self.qty)
    }
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

    /// The legs that are orders, and the one that is to follow the fills of the first.
    #[inline]
    pub fn planned(&self) -> &[Leg] {
        match self.purpose {
            Purpose::Open => &self.legs,
            _ => self.orders(),
        }
    }
}

/// What the core decided a bundle on. Its gates hold the limits against that once more, as they do
/// with the collar, and each of them comes to the same verdict: a leg that one of them refuses
/// would leave the other one alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grounds {
    /// When it was decided, by the clock of which calendars and closes tell; Unix.
    pub wall: Ns,
    /// How old the older of its books was.
    pub age: Ns,
    /// The worst state of one of its books.
    pub health: Health,
    /// All money at both venues.
    pub cash: Usd,
    /// What the day came to; below zero is a loss.
    pub today: Usd,
    /// Money out that has not settled, with what its own orders may cost.
    pub unsettled: Usd,
    /// By venue: what is left once every order in flight, its own too, took all that it may.
    pub left: [Usd; 2],
}

impl Grounds {
    /// What no limit has anything against.
    pub const PERFECT: Grounds = Grounds {
        wall: Ns(0),
        age: Ns(0),
        health: Health::Sound,
        cash: Usd::new(i64::MAX),
        today: Usd::ZERO,
        unsettled: Usd::ZERO,
        left: [Usd::new(i64::MAX); 2],
    };
}

/// A bundle on its way to a gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dispatch {
    /// Which.
    pub bundle: Bundle,
    /// What it was decided on.
    pub grounds: Grounds,
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
