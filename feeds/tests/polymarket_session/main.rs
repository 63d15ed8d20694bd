//! Polymarket's session against the rules of polymarket.md section 2, one test a rule.

#![allow(clippy::unwrap_used)] // the helpers of tests are tests too

#[path = "../common/mod.rs"]
mod common;

mod books; // books, times and ticks
mod terms; // names, hashes and ends of markets
mod hostile; // bad input

use common::{Recorder, Said, ms, plain, shared};
use engine::book::Side;
use engine::grid::Grid;
use engine::slab::Slab;
use engine::top::{Health, MARKETS_MAX, Top};
use engine::units::{Ns, Venue};
use feeds::market::AddError;
use feeds::polymarket::session::{HashTerms, Options, Session};
use feeds::sink::Change;

const M: usize = 0;
const YES: usize = 0;
const NO: usize = 1;

const MARKET: &str = "0x9b1c6f0d2a7e4b58c3d1e0f4a59687766554433221100ffeeddccbbaa9988770";
const OTHER: &str = "0x6ade2c1de80844a803bbec0110ad83e814533deb50d279a9b27d5cc218745f1d";
const TOKENS: [&str; 2] = [
    "52114319501245915516055106046884209969926127482827954674443846427813813222426",
    "71321045679252212594626385532706912750332728571942532289631379312455583992563",
];
const OTHERS: [&str; 2] = ["111", "222"];

struct Bench {
    session: Session,
    sink: Recorder,
    now: Ns,
}

impl Bench {
    fn new() -> Bench {
        Bench::with(Options { learn: false, audit_every: 0 }, None)
    }

    fn with(options: Options, terms: Option<HashTerms>) -> Bench {
        let mut session = Session::new(options, Slab::new([8, 8, 1]));
        if !options.learn {
            session.add_market(MARKET, TOKENS, &Grid::CENT, terms).unwrap();
            session.add_market(OTHER, OTHERS, &Grid::CENT, None).unwrap();
        }
        Bench { session, sink: Recorder::default(), now: ms(1_000) }
    }

    fn frame(&mut self, frame: &str) {
        self.session.on_frame(self.now, frame.as_bytes(), &mut self.sink);
    }

    /// Both books of the market at time 100: YES 0.40 to 0.60, NO its mirror, 5 contracts each.
    fn with_books() -> Bench {
        let mut t = Bench::new();
        t.frame(&book(YES, 100, "[[0.40,5]]", "[[0.60,5]]"));
        t.frame(&book(NO, 100, "[[0.40,5]]", "[[0.60,5]]"));
        assert_eq!(t.health(), Health::Sound);
        t.sink.forget();
        t
    }

    fn health(&self) -> Health {
        self.session.top(M).health
    }

    fn levels(&self, token: usize, side: Side) -> Vec<(u16, u64)> {
        plain(&self.session.levels(M, token, side))
    }
}

/// `[[price,size],...]` in the venue's spelling.
fn levels(list: &str) -> String {
    let inner = list.trim_start_matches('[').trim_end_matches(']');
    let pairs = inner.split("],[").filter(|pair| !pair.is_empty()).map(|pair| {
        let (px, qty) = pair.split_once(',').unwrap();
        format!(r#"{{"price":"{px}","size":"{qty}"}}"#)
    });
    format!("[{}]", pairs.collect::<Vec<_>>().join(","))
}

fn book(token: usize, time: u64, bids: &str, asks: &str) -> String {
    format!(
        r#"{{"event_type":"book","market":"{MARKET}","asset_id":"{}","timestamp":"{time}","hash":"{}","bids":{},"asks":{}}}"#,
        TOKENS[token],
        hash(0),
        levels(bids),
        levels(asks)
    )
}

fn hash(n: u32) -> String {
    format!("{n:040x}")
}

/// (token, side, price, size, hash, best bid, best ask)
type Entry<'a> = (usize, &'a str, &'a str, &'a str, u32, &'a str, &'a str);

fn change(time: u64, entries: &[Entry<'_>]) -> String {
    let entries: Vec<String> = entries
        .iter()
        .map(|(token, side, px, size, h, bid, ask)| {
            format!(
                r#"{{"asset_id":"{}","price":"{px}","size":"{size}","side":"{side}","hash":"{}","best_bid":"{bid}","best_ask":"{ask}"}}"#,
                TOKENS[*token],
                hash(*h)
            )
        })
        .collect();
    format!(
        r#"{{"market":"{MARKET}","price_changes":[{}],"timestamp":"{time}","event_type":"price_change"}}"#,
        entries.join(",")
    )
}
