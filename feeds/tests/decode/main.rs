//! The general decoders against the documented messages, recorded frames, a slow twin and
//! hostile input.

mod fixtures_kalshi;
mod fixtures_polymarket;
mod hostile;
mod shared;
mod tapes;
mod twin;
mod twin_kalshi;
mod twin_polymarket;
