//! A number that several markets have one after the other: each has its own books, and nothing that
//! was said of one reaches the next.

#![allow(clippy::unwrap_used)] // helpers of tests

use engine::grid::Grid;
use engine::slab::Slab;
use engine::top::{Health, MarketId, Top};
use engine::units::{Ns, Venue};
use feeds::fitness::{Fitness, Verdict};
use feeds::kalshi::session as kalshi;
use feeds::market::AddError;
use feeds::polymarket::session as polymarket;
use feeds::sink::{Notice, Sink};

#[derive(Default)]
struct Heard {
    tops: Vec<Top>,
    retired: Vec<MarketId>,
}

impl Sink for Heard {
    fn top(&mut self, top: &Top) {
        self.tops.push(*top);
    }

    fn notice(&mut self, notice: &Notice<'_>) {
        if let Notice::MarketRetired { market } = notice {
            self.retired.push(*market);
        }
    }
}

fn id(venue: Venue, number: usize) -> MarketId {
    MarketId::new(venue, number).unwrap()
}

const NO_BOOK: AddError = AddError::ReserveEmpty { steps: 104 };

/// A snapshot of a ticker under the venue's id of it.
fn snapshot(seq: u64, ticker: &str, bid: &str) -> String {
    format!(
        r#"{{"type":"orderbook_snapshot","sid":1,"seq":{seq},"msg":{{"market_ticker":"{ticker}","market_id":"9b0f6b43-5b68-4f9f-9f02-{seq:012}","yes_dollars_fp":[["{bid}","7.00"]],"no_dollars_fp":[["0.3000","5.00"]]}}}}"#
    )
}

#[test]
fn kalshis_next_market_of_a_number_sees_nothing_of_the_last_one() {
    let options = kalshi::Options { no_side: kalshi::NoSide::NoPrice, learn: false };
    let mut session = kalshi::Session::new(options, Slab::new([2, 0, 0]));
    let mut heard = Heard::default();
    let add = |session: &mut kalshi::Session, name: &str| session.add_market(name, &Grid::CENT);
    let say = |session: &mut kalshi::Session, heard: &mut Heard, number, says| {
        let market = id(Venue::Kalshi, number);
        session.on_verdict(Verdict { market, says }, Ns(9), heard);
    };
    assert_eq!(add(&mut session, "A"), Ok(id(Venue::Kalshi, 0)));
    assert_eq!(add(&mut session, "B"), Ok(id(Venue::Kalshi, 1)));
    assert_eq!(add(&mut session, "C"), Err(NO_BOOK));
    session.on_frame(1, Ns(1), snapshot(1, "A", "0.4000").as_bytes(), &mut heard);
    session.on_frame(1, Ns(2), snapshot(2, "B", "0.4100").as_bytes(), &mut heard);
    assert_eq!((session.top(0).health, session.top(1).health), (Health::Sound, Health::Sound));
    // A number is free only after its market was retired, and once.
    say(&mut session, &mut heard, 0, Fitness::Vacant);
    assert_eq!(add(&mut session, "C"), Err(NO_BOOK));
    say(&mut session, &mut heard, 0, Fitness::Retired);
    let last = *heard.tops.last().unwrap();
    assert_eq!((last.market, last.health), (id(Venue::Kalshi, 0), Health::AwaitSnapshot));
    assert_eq!((heard.retired.as_slice(), session.number_of("A")), (&[last.market][..], None));
    // What is still on its way to the old one finds nobody.
    let said = heard.tops.len();
    session.on_frame(1, Ns(3), snapshot(3, "A", "0.4200").as_bytes(), &mut heard);
    session.on_closed(1, Ns(3), &mut heard);
    for says in [Fitness::Unfit, Fitness::Fit, Fitness::Removed, Fitness::Restored] {
        say(&mut session, &mut heard, 0, says);
    }
    assert!(heard.tops[said..].iter().all(|top| top.market != last.market));
    assert_eq!(add(&mut session, "C"), Err(NO_BOOK));
    say(&mut session, &mut heard, 0, Fitness::Vacant);
    say(&mut session, &mut heard, 0, Fitness::Vacant);
    assert_eq!(add(&mut session, "C"), Ok(last.market));
    assert_eq!(add(&mut session, "D"), Err(NO_BOOK), "one book was given back");
    session.on_frame(1, Ns(4), snapshot(4, "C", "0.4300").as_bytes(), &mut heard);
    let top = heard.tops.last().unwrap();
    assert_eq!((top.market, top.generation), (last.market, last.generation + 1), "it counts on");
    assert_eq!(top.best_bid_raw().0, 4_300);
    // The old name may come again, under another number.
    say(&mut session, &mut heard, 1, Fitness::Retired);
    say(&mut session, &mut heard, 1, Fitness::Vacant);
    assert_eq!(add(&mut session, "A"), Ok(id(Venue::Kalshi, 1)));
    assert_eq!((session.number_of("A"), session.number_of("B")), (Some(1), None));
}

#[test]
fn polymarkets_next_market_of_a_number_has_both_books() {
    let options = polymarket::Options { learn: false, audit_every: 0 };
    let mut session = polymarket::Session::new(options, Slab::new([4, 0, 0]));
    let mut heard = Heard::default();
    let add = |session: &mut polymarket::Session, name: &str, tokens| {
        session.add_market(name, tokens, &Grid::CENT, None)
    };
    let say = |session: &mut polymarket::Session, heard: &mut Heard, says| {
        let market = id(Venue::Polymarket, 0);
        session.on_verdict(Verdict { market, says }, Ns(9), heard);
    };
    assert!(add(&mut session, "0xa", ["1", "2"]).is_ok());
    assert!(add(&mut session, "0xb", ["3", "4"]).is_ok());
    say(&mut session, &mut heard, Fitness::Retired);
    assert_eq!((session.number_of("0xa"), heard.retired.len()), (None, 1));
    let said = heard.tops.len();
    for says in [Fitness::Unfit, Fitness::Fit, Fitness::Removed, Fitness::Restored] {
        say(&mut session, &mut heard, says);
    }
    assert_eq!(heard.tops.len(), said, "its last word was said");
    assert_eq!(add(&mut session, "0xc", ["5", "6"]), Err(NO_BOOK));
    say(&mut session, &mut heard, Fitness::Vacant);
    assert_eq!(add(&mut session, "0xc", ["5", "6"]), Ok(id(Venue::Polymarket, 0)));
    assert_eq!((session.token(0, 0), session.condition(0)), ("5", "0xc"));
    assert_eq!(add(&mut session, "0xd", ["7", "8"]), Err(NO_BOOK));
}
