//! A pair that joins while markets trade, as a value: whoever takes it in allocates nothing.

use super::{Instrument, LegOrder, Pair, PairId, Polarity, Verdict};
use crate::units::{Ns, Px};

/// A pair without its names, and its place in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listing {
    /// The place: the first one that is free.
    pub pair: PairId,
    /// The first pair of its event; itself where it is the first.
    pub event: PairId,
    /// How the outcomes map.
    pub polarity: Polarity,
    /// Which leg leaves first; `None` leaves that to the run's own choice.
    pub legs: Option<LegOrder>,
    /// Whether it may be traded.
    pub verdict: Verdict,
    /// Both markets. Of one that the table knows already, what is in force holds.
    pub sides: [Instrument; 2],
    /// As [`Pair::expected_resolution`].
    pub expected_resolution: Option<Ns>,
    /// As [`Pair::close_time`].
    pub close_time: Option<Ns>,
    /// As [`Pair::game_start`].
    pub game_start: Option<Ns>,
    /// As [`Pair::worst_payoff`].
    pub worst_payoff: Px,
}

impl Listing {
    /// What joins when that pair does.
    pub const fn of(place: PairId, event: PairId, pair: &Pair) -> Listing {
        Listing {
            pair: place,
            event,
            polarity: pair.polarity,
            legs: pair.legs,
            verdict: pair.verdict,
            sides: pair.sides,
            expected_resolution: pair.expected_resolution,
            close_time: pair.close_time,
            game_start: pair.game_start,
            worst_payoff: pair.worst_payoff,
        }
    }

    /// The pair; an empty name takes no memory.
    pub const fn to_pair(self) -> Pair {
        Pair {
            id: String::new(),
            event: None,
            polarity: self.polarity,
            legs: self.legs,
            verdict: self.verdict,
            sides: self.sides,
            expected_resolution: self.expected_resolution,
            close_time: self.close_time,
            game_start: self.game_start,
            worst_payoff: self.worst_payoff,
        }
    }
}
