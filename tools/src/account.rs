//! The accounts on both venues by hand: what is there, and single orders. Read the modules in this
//! order.

mod session; // configuration and keys -> clients of both venues
pub mod balances; // `parallax balances`
pub mod positions; // `parallax positions`
mod ask; // what an order by hand asks for, proved against its market
mod preview; // what the book would fill
pub mod order; // `parallax order`

use std::io;

use crate::config::ConfigError;
use crate::config::live::Refusal;
use crate::pairs::PairError;
use crate::rest::RestError;
use crate::rest::keys::KeyProblem;

pub use session::{Session, credentials};

/// What went wrong. The text names the place and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyProblem),
    /// A venue gave no usable answer.
    #[error(transparent)]
    Rest(#[from] RestError),
    /// A pair file cannot be used.
    #[error(transparent)]
    Pairs(#[from] PairError),
    /// Neither venue has a key.
    #[error(
        "no key is configured: set KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH, or \
         POLY_PRIVATE_KEY, in the environment or in .env; `parallax config` has the file's keys"
    )]
    NoKey,
    /// Nothing was sent, because live trading is refused.
    #[error("nothing was sent, because live trading is refused:{}", list(.0))]
    Refused(Vec<Refusal>),
    /// The order cannot be made as it was asked for.
    #[error("{0}")]
    Order(String),
    /// It was sent, and nobody knows what became of it.
    #[error("{0}")]
    Unknown(String),
    /// Standard output cannot be written.
    #[error("standard output: {0}")]
    Print(#[from] io::Error),
}

fn list(refusals: &[Refusal]) -> String {
    refusals.iter().map(|refusal| format!("\n  - {refusal}")).collect()
}
