//! Where a session puts what it found out.

use engine::grid::Grid;
use engine::top::{Health, MarketId, Top};
use engine::units::{Ns, Venue};

use crate::error::DecodeError;

/// Receives a session's output. The session calls it while it works, so an implementation must
/// not block.
pub trait Sink {
    /// The market's new top, after the whole frame was applied.
    fn top(&mut self, top: &Top);

    /// Something rarer than a price.
    fn notice(&mut self, notice: &Notice<'_>);
}

/// What a session has to say beside tops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice<'a> {
    /// A connection began: its books start afresh.
    Connected {
        /// The venue.
        venue: Venue,
        /// Receive stamp.
        recv: Ns,
    },
    /// A book was replaced.
    Snapshot {
        /// The market.
        market: MarketId,
        /// Receive stamp.
        recv: Ns,
    },
    /// A book may be acted on, or no longer.
    Health {
        /// The market.
        market: MarketId,
        /// What it was.
        from: Health,
        /// What it is.
        to: Health,
        /// Receive stamp.
        recv: Ns,
    },
    /// This market's book must be asked for.
    SnapshotWanted {
        /// The market.
        market: MarketId,
    },
    /// The market's price grid changed.
    GridChanged {
        /// The market.
        market: MarketId,
        /// The grid in force; `None` where what the venue said makes none.
        grid: Option<Grid>,
    },
    /// The market's life changed.
    Lifecycle {
        /// The market.
        market: MarketId,
        /// What happened.
        change: Change,
    },
    /// What the venue says of its markets' lives misses nothing from now on.
    Heard {
        /// Which stretch without a gap began; `None` while nothing is heard.
        stretch: Option<u16>,
    },
    /// A market came while the feed runs.
    MarketAdded {
        /// The market.
        market: MarketId,
        /// The venue's name of its event.
        event: &'a str,
    },
    /// A market went while the feed runs.
    MarketRetired {
        /// The market.
        market: MarketId,
    },
    /// A market or an event was made that this feed does not follow.
    Listed {
        /// The venue.
        venue: Venue,
    },
    /// Fees of a whole event changed.
    EventFee {
        /// The venue's name of the event.
        event: &'a str,
        /// The fee type in force and the multiplier in 1e-6, two times `None` where the override
        /// was cleared; or why they could not be read.
        fee: Result<(Option<&'a str>, Option<u64>), DecodeError>,
    },
    /// What a taker pays on a market, as the venue says.
    MarketFee {
        /// The market.
        market: MarketId,
        /// Rate and exponent in 1e-6; or why they could not be read.
        curve: Result<(u64, u64), DecodeError>,
    },
    /// A channel delivers under this number from now on.
    Subscribed {
        /// The venue's name of the channel.
        channel: &'a str,
        /// The number, counted by connection.
        sid: u64,
    },
    /// The venue refused a command or ended a subscription.
    VenueError {
        /// Its code.
        code: u64,
        /// The subscription that it is about.
        sid: Option<u64>,
        /// Its words.
        text: &'a str,
    },
}

/// Lifecycle changes that trading must know. The market's tops say already what follows: they are
/// [`Health::Stale`] while it is paused, and for good once its outcome is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Trading in it stopped, or began again.
    Paused(bool),
    /// Its closing time moved; Unix seconds.
    CloseMoved(u64),
    /// Its outcome is known.
    Determined,
    /// It paid out.
    Settled,
}
