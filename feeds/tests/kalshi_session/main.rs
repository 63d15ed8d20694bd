//! Kalshi's session against the rules of kalshi.md sections 2 and 3, one test a rule.

#![allow(clippy::unwrap_used)] // the helpers of tests are tests too

#[path = "../common/mod.rs"]
mod common;

mod books; // books, counts and grids
mod life; // what a market goes through, and fees
mod listed; // which markets trade, where words about it were missed
mod hostile; // bad input

use common::{Recorder, Said, ms, plain, shared};
use engine::book::Side;
use engine::grid::Grid;
use engine::slab::Slab;
use engine::top::{Health, MARKETS_MAX};
use engine::units::{Ns, Qty, Venue};
use feeds::kalshi::sequence::{OLD_MAX, SEQUENCES_MAX};
use feeds::kalshi::session::{NoSide, Options, Session, TICKER_MAX};
use feeds::market::AddError;
use feeds::sink::Change;

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

struct Bench {
    session: Session,
    sink: Recorder,
    now: Ns,
}

impl Bench {
    fn new() -> Bench {
        Bench::with(Options { no_side: NoSide::NoPrice, learn: false }, &["KXA", "KXB", "KXC"])
    }

    fn with(options: Options, tickers: &[&str]) -> Bench {
        let mut session = Session::new(options, Slab::new([8, 8, 1]));
        for ticker in tickers {
            session.add_market(ticker, &Grid::CENT).unwrap();
        }
        Bench { session, sink: Recorder::default(), now: ms(1_000) }
    }

    fn frame(&mut self, frame: &str) {
        self.on(1, frame);
    }

    fn on(&mut self, conn: u32, frame: &str) {
        self.session.on_frame(conn, self.now, frame.as_bytes(), &mut self.sink);
    }

    fn connected(&mut self) {
        self.session.on_connected(self.now, &mut self.sink);
    }

    fn health(&self, market: usize) -> Health {
        self.session.top(market).health
    }

    fn bids(&self, market: usize) -> Vec<(u16, u64)> {
        plain(&self.session.levels(market, Side::Bid))
    }

    fn asks(&self, market: usize) -> Vec<(u16, u64)> {
        plain(&self.session.levels(market, Side::Ask))
    }
}

const ID: &str = "f5ed38e2-0991-4c8f-817e-08c4fd9cbfdb";

/// A snapshot with bids at 0.40 and asks at 0.60, 5 contracts each.
fn snapshot(sid: u64, seq: u64, ticker: &str) -> String {
    book(sid, seq, ticker, r#"[["0.4000","5.00"]]"#, r#"[["0.4000","5.00"]]"#)
}

fn book(sid: u64, seq: u64, ticker: &str, yes: &str, no: &str) -> String {
    format!(
        r#"{{"type":"orderbook_snapshot","sid":{sid},"seq":{seq},"msg":{{"market_ticker":"{ticker}","market_id":"{ID}","yes_dollars_fp":{yes},"no_dollars_fp":{no}}}}}"#
    )
}

/// A delta of the shape that the fast path takes.
fn delta(sid: u64, seq: u64, ticker: &str, side: &str, px: &str, change: &str) -> String {
    format!(
        r#"{{"type":"orderbook_delta","sid":{sid},"seq":{seq},"msg":{{"market_ticker":"{ticker}","market_id":"{ID}","price_dollars":"{px}","delta_fp":"{change}","side":"{side}","ts":"2026-11-21T18:00:00.000000Z","ts_ms":1795284000000}}}}"#
    )
}

fn more(sid: u64, seq: u64, ticker: &str) -> String {
    delta(sid, seq, ticker, "yes", "0.4000", "1.00")
}
