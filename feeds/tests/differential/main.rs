//! The fast paths against the general decoders, and whole sessions with and without them against
//! slow twins that keep their books in sorted maps.
//!
//! A frame with a blank in front means the same, and no fast path takes it: so the same session
//! is sent through the general decoder.

#![allow(clippy::unwrap_used)] // the helpers of tests are tests too

#[path = "../common/mod.rs"]
mod common;

mod damage; // steps that spoil a frame
mod frames; // each fast path against the general decoder
mod kalshi_twin; // Kalshi's session, twice, and a twin
mod polymarket_twin; // Polymarket's

use feeds::figures::Figures;

const TICKERS: [&str; 3] =
    ["KXA", "KXNBAGAME-26NOV25BOSDET-BOS", "KXMVE-S2026ABCDEF0123456789-0123456789ABCDEF01234567"];
const ID: &str = "f5ed38e2-0991-4c8f-817e-08c4fd9cbfdb";

const MARKET: &str = "0x9b1c6f0d2a7e4b58c3d1e0f4a59687766554433221100ffeeddccbbaa9988770";
const TOKENS: [&str; 2] = [
    "52114319501245915516055106046884209969926127482827954674443846427813813222426",
    "71321045679252212594626385532706912750332728571942532289631379312455583992563",
];

/// Figures that both ways to decode must share.
fn common_figures(figures: &Figures) -> Figures {
    Figures { fast: 0, fallback: 0, ..*figures }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Belief {
    Nothing,
    Whole,
    Suspended,
    Doubted,
}
