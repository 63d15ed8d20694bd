//! Slow, blocking requests to both venues: balances, positions, catalogue, clocks, orders by hand.
//! Nothing here is on the way of a decision. Read the modules in this order.

mod error; // what went wrong with a request, and what to do
mod number; // decimals of JSON -> integers
mod pace; // how fast requests may follow each other
mod patience; // asks again where a venue is busy
mod agent; // one HTTPS client with time-outs and a budget
pub mod keys; // configured keys -> signers
pub mod kalshi; // Kalshi's replies as types
pub mod polymarket; // Polymarket's replies as types
pub mod facts; // what a live start must know of clocks and places

pub use agent::{Agent, Answer, Call, Carrier};
pub use error::{RestError, RestErrorKind};
pub use number::{Decimal, E2, E4, E6};
pub use patience::patiently;

use std::time::{SystemTime, UNIX_EPOCH};

use engine::units::{Ns, Px, Qty};

/// Unix nanoseconds of this host. A clock before 1970 reads as 1970.
pub fn wall() -> Ns {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ns(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// A level of a book, its size given in hundredths; `None` for nothing, and for what no book has.
fn level(px: E4, e2: i64) -> Option<(Px, Qty)> {
    let px = u16::try_from(px.0).ok().and_then(Px::new)?;
    let qty = u64::try_from(e2).ok().and_then(Qty::new)?;
    (!qty.is_zero()).then_some((px, qty))
}
