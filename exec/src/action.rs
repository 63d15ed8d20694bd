//! Which way an order goes.

/// Whether a leg's outcome is bought or sold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Money is given for contracts.
    Buy,
    /// Contracts are given for money.
    Sell,
}
