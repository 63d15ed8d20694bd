//! What a venue answers to an order: the fate of it, and what its fills must add up to.

pub mod kalshi; // created, or one of four shapes of error
pub mod polymarket; // success, or an error in words

use crate::id::Id;
use crate::private::Expect;
use crate::report::Fate;

/// What an answer says of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// What became of it.
    pub fate: Fate,
    /// The venue's id of it, where it has one.
    pub order: Option<Id>,
    /// What its fills must add up to, where it ended with the answer.
    pub expect: Option<Expect>,
    /// It rests in the book, though no order of ours is meant to.
    pub rests: bool,
    /// The venue takes no orders for now, whatever they are.
    pub closed: Option<Closed>,
}

/// For how long a venue takes no orders.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Closed {
    /// It restarts, and will take resting orders only for a while after (polymarket.md section 9).
    Restart {
        /// Seconds that it asks us to wait.
        retry_after_s: Option<u32>,
    },
    /// It is in a mode, or in trouble.
    Mode {
        /// Seconds that it asks us to wait.
        retry_after_s: Option<u32>,
    },
    /// It does not believe who we are: the clock or the key.
    Identity,
    /// It knows who we are, and takes no order of ours: the account is banned or may only close, the
    /// key lacks a permission, the place is barred, orders are signed for somebody else or for
    /// another version. Nothing but an order shows when that is over, so none leaves until a person
    /// has looked.
    Account,
}

impl Answer {
    /// An answer that says no more than this.
    pub const fn of(fate: Fate) -> Answer {
        Answer { fate, order: None, expect: None, rests: false, closed: None }
    }
}

/// What an answer to a cancel says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CancelAnswer {
    /// It rests no more.
    Cancelled,
    /// It had ended before, or was never there: look at its fills.
    NotThere,
    /// Refused, or nobody knows: try again.
    Failed,
}
