//! A digest of every book of a venue, to compare with other programs' books.
//!
//! SHA-256 over one line a level; the first 32 hex digits. Kalshi: `ticker|yes-or-no|price|size`
//! with four and two decimals, NO levels in NO prices, markets sorted by ticker, yes before no,
//! prices ascending. Polymarket: `asset|bid-or-ask|price|size` with the shortest decimals, every
//! token that ever had a book, sorted by token, bids before asks, prices ascending.

use std::fmt::Write as _;

use engine::book::Side;
use engine::units::{Px, Qty};
use feeds::{kalshi, polymarket};
use sha2::{Digest, Sha256};

/// The digest of all Kalshi books.
pub fn kalshi(session: &kalshi::session::Session) -> String {
    let mut markets: Vec<usize> = (0..session.markets()).collect();
    markets.sort_by_key(|number| session.ticker(*number));
    let mut lines = Lines::default();
    for number in markets {
        let ticker = session.ticker(number);
        for (px, qty) in session.levels(number, Side::Bid) {
            lines.add(format_args!("{ticker}|yes|{px}|{qty}\n"));
        }
        // Descending YES asks are ascending NO bids.
        for (px, qty) in session.levels(number, Side::Ask).into_iter().rev() {
            lines.add(format_args!("{ticker}|no|{}|{qty}\n", px.complement()));
        }
    }
    lines.finish()
}

/// The digest of all Polymarket books.
pub fn polymarket(session: &polymarket::session::Session) -> String {
    let mut books: Vec<(usize, usize)> = (0..session.markets())
        .flat_map(|number| [(number, 0), (number, 1)])
        .filter(|(number, token)| session.has_book(*number, *token))
        .collect();
    books.sort_by_key(|(number, token)| session.token(*number, *token));
    let mut lines = Lines::default();
    for (number, token) in books {
        let asset = session.token(number, token);
        for (side, name) in [(Side::Bid, "bid"), (Side::Ask, "ask")] {
            for (px, qty) in session.levels(number, token, side) {
                let (px, qty) = (shortest_px(px), shortest_qty(qty));
                lines.add(format_args!("{asset}|{name}|{px}|{qty}\n"));
            }
        }
    }
    lines.finish()
}

#[derive(Default)]
struct Lines {
    sha: Sha256,
    line: String,
}

impl Lines {
    fn add(&mut self, line: std::fmt::Arguments<'_>) {
        self.line.clear();
        // Writing to a string cannot fail.
        let _ = self.line.write_fmt(line);
        self.sha.update(self.line.as_bytes());
    }

    fn finish(self) -> String {
        let mut hex = String::with_capacity(32);
        for byte in &self.sha.finalize()[..16] {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
}

fn shortest_px(px: Px) -> String {
    shorten(&px.to_string())
}

fn shortest_qty(qty: Qty) -> String {
    shorten(&qty.to_string())
}

/// Without trailing zeros, and without a point that nothing follows.
fn shorten(decimal: &str) -> String {
    decimal.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_decimals() {
        assert_eq!(shortest_px(Px::lit(9_240)), "0.924");
        assert_eq!(shortest_px(Px::lit(10)), "0.001");
        assert_eq!(shortest_px(Px::ONE), "1");
        assert_eq!(shortest_qty(Qty::lit(2_100_606_500)), "21006065");
        assert_eq!(shortest_qty(Qty::lit(780)), "7.8");
    }
}
