//! What tests of chaos tell it: a leg and a bundle of one pair.

use engine::event::{Action, Bundle, BundleId, Leg, Purpose, Ticket};
use engine::pair::{Direction, Outcome, PairId};
use engine::top::MarketId;
use engine::units::{Ns, Px, Qty, Shares, Usd, Venue};

/// A leg of ten contracts at forty cents that may cost `reserve`.
pub fn leg(venue: Venue, outcome: Outcome, reserve: i64) -> Leg {
    Leg {
        market: MarketId::new(venue, 0).unwrap(),
        outcome,
        action: Action::Buy,
        spends: false,
        limit: Px::lit(4_000),
        qty: Qty::lit(1_000),
        budget: Usd::new(4_000_000),
        expected: Shares::new(10_000_000),
        cost: Usd::new(4_000_000),
        fee: Usd::ZERO,
        reserve: Usd::new(reserve),
        generation: 0,
    }
}

/// Bundle 7 of the first pair.
pub fn bundle(purpose: Purpose, count: u8, legs: [Leg; 2]) -> Bundle {
    Bundle {
        id: BundleId(7),
        pair: PairId(0),
        direction: Direction::FirstYes,
        purpose,
        count,
        legs,
        recv: Ns(0),
        decided: Ns(0),
        deadline: Ns(0),
        kill_epoch: 0,
        collar: [Px::ONE; 2],
        ticket: Ticket::AtGate,
    }
}
