//! The states of an order and the only ways between them.

use core::fmt;

/// What is known of an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum OrderState {
    /// Decided; no byte of it exists.
    Planned = 0,
    /// Its bytes exist.
    Signed = 1,
    /// Its bytes left.
    Sent = 2,
    /// The venue has it; nothing is filled.
    Open = 3,
    /// A part is filled and more may come.
    PartiallyFilled = 4,
    /// It ended filled.
    Filled = 5,
    /// It never came into being.
    Rejected = 6,
    /// It ended, at least in part unfilled.
    Cancelled = 7,
    /// Nobody knows: it counts as if it were filled, and as if it still could be.
    Unknown = 8,
}

/// A step that an order cannot take: somebody's report contradicts what was known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IllegalStep {
    /// Where the order was, and still is.
    pub from: OrderState,
    /// Where it was told to go.
    pub to: OrderState,
}

impl fmt::Display for IllegalStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an order cannot go from {:?} to {:?}", self.from, self.to)
    }
}

impl std::error::Error for IllegalStep {}

impl OrderState {
    /// Every state in the order of their discriminants.
    pub const ALL: [OrderState; 9] = [
        OrderState::Planned,
        OrderState::Signed,
        OrderState::Sent,
        OrderState::Open,
        OrderState::PartiallyFilled,
        OrderState::Filled,
        OrderState::Rejected,
        OrderState::Cancelled,
        OrderState::Unknown,
    ];

    /// True once nothing more can happen to the order.
    #[inline]
    pub const fn is_final(self) -> bool {
        matches!(self, OrderState::Filled | OrderState::Rejected | OrderState::Cancelled)
    }

    /// True where the venue may know the order, so that silence proves nothing.
    #[inline]
    pub const fn is_exposed(self) -> bool {
        !self.is_final() && !matches!(self, OrderState::Planned | OrderState::Signed)
    }

    /// The state after a step to `to`, or why there is no such step.
    ///
    /// Before any byte left, the gate itself may refuse or drop the order. After that only the
    /// venue's word ends it: a timeout leads to `Unknown`, and only evidence leads out of there.
    /// Fills repeat, and so may doubt.
    pub const fn step(self, to: OrderState) -> Result<OrderState, IllegalStep> {
        use OrderState::{
            Cancelled, Filled, Open, PartiallyFilled, Planned, Rejected, Sent, Signed, Unknown,
        };
        let legal = match (self, to) {
            (Planned, Signed) | (Planned | Signed, Sent | Rejected | Cancelled) => true,
            (Sent | Unknown, Open | Rejected) => true,
            (
                Sent | Open | PartiallyFilled | Unknown,
                PartiallyFilled | Filled | Cancelled | Unknown,
            ) => true,
            (Planned | Signed | Sent | Open | PartiallyFilled | Unknown, _) => false,
            (Filled | Rejected | Cancelled, _) => false,
        };
        if legal { Ok(to) } else { Err(IllegalStep { from: self, to }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows: from; columns: to; both in the order of `OrderState::ALL`.
    const LEGAL: [&str; 9] = [
        // P S s O p F R C U
        ". x x . . . x x .", // Planned: signing may happen at the gate, unseen
        ". . x . . . x x .", // Signed
        ". . . x x x x x x", // Sent
        ". . . . x x . x x", // Open
        ". . . . x x . x x", // PartiallyFilled
        ". . . . . . . . .", // Filled
        ". . . . . . . . .", // Rejected
        ". . . . . . . . .", // Cancelled
        ". . . x x x x x x", // Unknown
    ];

    #[test]
    fn every_step_is_in_the_table() {
        for (from, row) in OrderState::ALL.into_iter().zip(LEGAL) {
            let cells: Vec<&str> = row.split(' ').collect();
            assert_eq!(cells.len(), 9);
            for (to, cell) in OrderState::ALL.into_iter().zip(cells) {
                let want = if cell == "x" { Ok(to) } else { Err(IllegalStep { from, to }) };
                assert_eq!(from.step(to), want, "{from:?} -> {to:?}");
            }
        }
    }

    #[test]
    fn what_has_ended_stays_ended() {
        for from in OrderState::ALL.into_iter().filter(|s| s.is_final()) {
            assert!(OrderState::ALL.into_iter().all(|to| from.step(to).is_err()));
            assert!(!from.is_exposed());
        }
        assert!(OrderState::Unknown.is_exposed() && OrderState::Sent.is_exposed());
        assert!(!OrderState::Planned.is_exposed());
        let error = OrderState::Filled.step(OrderState::Open).unwrap_err();
        assert_eq!(error.to_string(), "an order cannot go from Filled to Open");
    }
}
