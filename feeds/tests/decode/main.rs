//! The general decoders against the documented messages, recorded frames, a slow twin and
//! hostile input.

#![allow(clippy::unwrap_used)] // helpers of tests too may unwrap
#![allow(clippy::needless_pass_by_value)] // `impl ToString` reads better by value

mod fixtures_kalshi;
mod fixtures_polymarket;
mod hostile;
mod shared;
mod tapes;
mod twin;
mod twin_kalshi;
mod twin_polymarket;
