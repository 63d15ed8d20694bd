//! What happened on the exchange, for those who listen.

use engine::units::Px;
use serde_json::Value;

use super::order::{Fill, Order, Trade};
use crate::venue::Side;

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum News {
    /// A level of a book changed.
    Level {
        /// The market's number.
        market: usize,
        /// The side of the YES book.
        side: Side,
        /// The YES price.
        px: Px,
        /// Contracts more or less; 1e-2.
        delta_e2: i64,
        /// The order that did it.
        by: Option<usize>,
    },
    /// A public trade.
    Trade(Trade),
    /// A member's part of a trade.
    Fill(Fill),
    /// An order as it is now.
    Order(Box<Order>),
    /// A position changed.
    Position {
        /// The account's number.
        account: usize,
        /// The market's number.
        market: usize,
    },
    /// `market_lifecycle_v2`, `event_fee_update`: the kind of frame and its `msg`.
    Lifecycle(&'static str, Value),
    /// `order_group_updates`.
    Group {
        /// The group's number.
        group: usize,
        /// `created` and its kin.
        event: &'static str,
    },
}
