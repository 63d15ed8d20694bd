//! What a venue says of our own orders and trades, on its private channel and in answer to
//! questions: the rows are alike, so they are read alike.

pub mod kalshi; // fill, user_order
pub mod polymarket; // trade, order

use engine::units::{Px, Shares, Usd};

use crate::id::Id;
use crate::sign::text::Text;

/// A piece of news.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // It lives on the stack of whoever reads it.
pub enum PrivateEvent {
    /// So much of an order was filled, or a fill changed its standing.
    Fill(FillNews),
    /// An order stands so.
    Order(OrderNews),
    /// The venue's word on what we hold.
    Position(PositionNews),
    /// The venue stopped this group of our orders, and takes no more into it.
    Stopped(Id),
    /// Somebody deleted this group of our orders: none may be sent in it.
    Deleted(Id),
    /// The channel is subscribed: from now on nothing is missed.
    Subscribed,
    /// The venue refused or ended the subscription: connect anew.
    Broken,
}

/// Whether a trade counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TradeStands {
    /// It counts, though it may not be final.
    Made,
    /// It counts, and is on its way to be final: told before, unless that was missed.
    Settling,
    /// It counts for good: nothing undoes it any more.
    Confirmed,
    /// It failed for good: the fill is undone (polymarket.md section 3).
    Failed,
}

/// A fill. It counts once by (trade, part) of its order, however often it is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FillNews {
    /// The venue's id of our order.
    pub order: Id,
    /// Our own id of it, where the venue tells it.
    pub client: Option<Id>,
    /// The trade.
    pub trade: Id,
    /// Which part of it: a trade may be at several prices.
    pub part: u16,
    /// Another part of the same trade follows at once: who counts trades has not heard all of it.
    pub more: bool,
    /// How much.
    pub shares: Shares,
    /// The price of the outcome that was bought.
    pub px: Px,
    /// The fee, where the venue tells it.
    pub fee: Option<Usd>,
    /// Whether it counts.
    pub stands: TradeStands,
}

/// What we hold of a market, as the venue sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PositionNews {
    /// The market's ticker.
    pub ticker: Text<TICKER_LEN_MAX>,
    /// Contracts in 0.01: above zero YES, below it NO.
    pub contracts_e2: i64,
}

/// Longest ticker.
pub const TICKER_LEN_MAX: usize = 96;

/// How an order stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderNews {
    /// The venue's id of it.
    pub order: Id,
    /// Our own id of it, where the venue tells it.
    pub client: Option<Id>,
    /// Whether more can happen to it.
    pub stand: Stand,
    /// How much was filled, where that is told.
    pub expect: Option<Expect>,
}

/// Whether more can happen to an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stand {
    /// It rests in the book.
    Resting,
    /// It is held back and not matched yet (polymarket.md section 9, "Taker delay").
    Held,
    /// It ended.
    Ended,
}

/// How much was filled of an order that ended: what its fills must add up to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Expect {
    /// So many contracts.
    Shares(Shares),
    /// So many trades, whatever they are of.
    Trades(u16),
}

impl Expect {
    /// True where nothing was filled.
    pub const fn is_nothing(self) -> bool {
        match self {
            Expect::Shares(shares) => shares.e6() == 0,
            Expect::Trades(trades) => trades == 0,
        }
    }
}

/// A page of rows that answered a question.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Page {
    /// All rows that the question asked for were there.
    Whole,
    /// There are more behind it: what is not on it may be there.
    Part,
    /// It is no such page.
    Unreadable,
}
