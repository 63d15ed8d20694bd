//! What a gate counted and how long it took.

use engine::event::Reject;
use engine::latency::StageHistogram;

/// Reasons of [`Reject`], in the order of their discriminants.
pub const REJECTS: usize = Reject::ALL.len();

/// What a gate did so far.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct GateFigures {
    /// Orders whose bytes left.
    pub fired: u64,
    /// Those that were signed ahead of time.
    pub hits: u64,
    /// Those that were signed when they left.
    pub inline: u64,
    /// Bundles whose orders had to wait for the journal.
    pub parked: u64,
    /// Orders that our own gate refused, by [`Reject`].
    pub refused: [u64; REJECTS],
    /// Bundles that a safeguard of this gate refused.
    pub tripped: u64,
    /// Times that all orders of the account were cancelled.
    pub swept: u64,
    /// Orders that the venue refused.
    pub rejected: u64,
    /// Orders whose fate was unknown for a while.
    pub unknown: u64,
    /// Those whose fate became known.
    pub resolved: u64,
    /// Fills that counted.
    pub fills: u64,
    /// Fills that were told again.
    pub duplicates: u64,
    /// Words on how far the settlement of a fill is: each fill of Polymarket has some.
    pub settling: u64,
    /// Fills that the venue undid afterwards: shares that we do not have.
    pub undone: u64,
    /// Fills of orders that are not ours, or not any more.
    pub foreign: u64,
    /// Fills beyond what the venue said of their order.
    pub excess: u64,
    /// Orders that rested though none is meant to; each was cancelled.
    pub rested: u64,
    /// Questions asked to find out what became of an order.
    pub questions: u64,
    /// Private frames that could not be read.
    pub unread: u64,
    /// Times that the private channel was lost.
    pub channels_lost: u64,
    /// Times that the venue took no orders.
    pub closed: u64,
    /// Times that it did not know who we are.
    pub doubted: u64,
}

impl GateFigures {
    /// Orders refused here, for whatever reason.
    pub fn refused_total(&self) -> u64 {
        self.refused.iter().sum()
    }
}

/// How long the parts of firing took.
#[derive(Default)]
pub struct GateStages {
    /// From the decision to the step that took the bundle.
    pub admitted: StageHistogram,
    /// From the decision to the kernel having the order.
    pub fire: StageHistogram,
    /// From the receive stamp of the frame that caused it to the kernel having the order.
    pub wire: StageHistogram,
    /// From there to the answer.
    pub ack: StageHistogram,
}
