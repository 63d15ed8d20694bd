//! Polymarket's session against the rules of polymarket.md section 2, one test a rule.

#![allow(clippy::unwrap_used)] // the helpers of tests are tests too

mod common;

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

#[test]
fn the_documented_book_and_changes_give_the_documented_book() {
    let files = ["ws_book_initial_dump_array", "ws_price_change", "ws_book_after_price_change"]
        .map(|name| shared(&format!("protocol/fixtures/polymarket/{name}.json")));
    let [Some(dump), Some(changes), Some(after)] = files else { return };
    let terms = HashTerms { min_order_size: "5".into(), neg_risk: false };
    let mut t = Bench::with(Options { learn: false, audit_every: 1 }, Some(terms));
    t.frame(&dump);
    assert_eq!((t.health(), t.sink.tops.len()), (Health::Sound, 1), "one top a frame");
    t.frame(&changes);
    assert_eq!(t.health(), Health::Sound);
    let rebuilt = [t.levels(YES, Side::Bid), t.levels(YES, Side::Ask)];
    let top = *t.session.top(M);
    assert_eq!(top.bids().best().unwrap().0.e4(), 5_100, "the mirror of the best NO offer");
    assert_eq!(top.asks().best().unwrap().0.e4(), 5_300);
    t.frame(&after);
    assert_eq!([t.levels(YES, Side::Bid), t.levels(YES, Side::Ask)], rebuilt);
    let figures = t.session.figures();
    assert_eq!((figures.snapshots, figures.deltas, figures.changes), (3, 1, 4));
    assert_eq!((figures.best_mismatches, figures.hash_audits, figures.hash_mismatches), (0, 3, 0));
}

#[test]
fn a_change_before_its_book_is_ignored() {
    let mut t = Bench::new();
    t.frame(&change(100, &[(YES, "BUY", "0.40", "5", 1, "0.40", "1")]));
    assert_eq!((t.session.figures().before_snapshot, t.health()), (1, Health::AwaitSnapshot));
    t.frame(&book(YES, 100, "[]", "[]"));
    assert_eq!(t.levels(YES, Side::Bid), []);
    assert_eq!(t.health(), Health::AwaitSnapshot, "the sibling's book is missing still");
    t.frame(&change(101, &[(NO, "BUY", "0.40", "5", 1, "0.40", "1")]));
    assert_eq!(t.session.figures().before_snapshot, 2);
}

#[test]
fn an_older_time_is_dropped_and_an_equal_one_is_not() {
    let mut t = Bench::with_books();
    t.frame(&change(99, &[(YES, "BUY", "0.41", "5", 1, "0.41", "0.60")]));
    t.frame(&format!(" {}", change(99, &[(YES, "BUY", "0.41", "5", 1, "0.41", "0.60")])));
    t.frame(&book(YES, 99, "[[0.30,1]]", "[]"));
    assert_eq!(
        (t.session.figures().out_of_order, t.levels(YES, Side::Bid)),
        (3, vec![(4_000, 500)])
    );
    assert_eq!(t.health(), Health::Sound);
    t.frame(&change(100, &[(YES, "BUY", "0.41", "5", 1, "0.41", "0.60")]));
    assert_eq!(t.levels(YES, Side::Bid), [(4_000, 500), (4_100, 500)]);
    t.frame(&book(YES, 100, "[[0.30,1]]", "[]"));
    assert_eq!(t.levels(YES, Side::Bid), [(3_000, 100)]);
}

#[test]
fn times_are_of_each_token() {
    let mut t = Bench::with_books();
    t.frame(&change(200, &[(YES, "BUY", "0.41", "5", 1, "0.41", "0.60")]));
    assert_eq!(t.session.top(M).flags, Top::TORN);
    t.frame(&change(
        150,
        &[
            (YES, "BUY", "0.42", "5", 2, "0.42", "0.60"),
            (NO, "SELL", "0.59", "5", 2, "0.40", "0.59"),
        ],
    ));
    assert_eq!((t.session.figures().out_of_order, t.levels(NO, Side::Ask)[0]), (1, (5_900, 500)));
    t.frame(&change(200, &[(NO, "SELL", "0.59", "0", 3, "0.40", "0.60")]));
    assert_eq!(t.session.top(M).flags, 0, "a flag of one top is not kept for the next");
}

#[test]
fn a_best_price_that_differs_counts_once_a_later_transition_comes() {
    let mut t = Bench::with_books();
    t.frame(&change(101, &[(YES, "BUY", "0.41", "5", 1, "0.42", "0.60")]));
    assert_eq!((t.session.figures().best_mismatches, t.health()), (0, Health::Stale), "not yet");
    assert_eq!(t.sink.wanted(M), 0);
    t.frame(&change(102, &[(NO, "BUY", "0.41", "5", 2, "0.41", "0.60")]));
    assert_eq!(t.session.figures().best_mismatches, 0, "another asset's");
    t.frame(&change(102, &[(YES, "BUY", "0.41", "6", 2, "0.41", "0.60")]));
    assert_eq!((t.session.figures().best_mismatches, t.health()), (1, Health::Stale));
    assert_eq!(t.sink.wanted(M), 1);
    t.frame(&book(YES, 103, "[[0.41,6]]", "[[0.60,5]]"));
    assert_eq!((t.health(), t.session.figures().best_mismatches), (Health::Sound, 1));
}

#[test]
fn a_transition_in_two_frames_is_no_mismatch() {
    for lead in ["", " "] {
        let mut t = Bench::with_books();
        t.frame(&format!("{lead}{}", change(101, &[(YES, "BUY", "0.41", "5", 7, "0.42", "0.60")])));
        assert_eq!(t.health(), Health::Stale, "not tradable between the two");
        t.frame(&format!("{lead}{}", change(101, &[(YES, "BUY", "0.42", "5", 7, "0.42", "0.60")])));
        assert_eq!(t.health(), Health::Sound);
        t.frame(&change(102, &[(YES, "BUY", "0.42", "6", 8, "0.42", "0.60")]));
        assert_eq!((t.session.figures().best_mismatches, t.health()), (0, Health::Sound));
    }
}

#[test]
fn two_transitions_in_one_frame_are_judged_each() {
    let mut t = Bench::with_books();
    t.frame(&change(
        101,
        &[
            (YES, "BUY", "0.41", "5", 1, "0.42", "0.60"),
            (YES, "BUY", "0.43", "5", 2, "0.43", "0.60"),
        ],
    ));
    assert_eq!((t.session.figures().best_mismatches, t.health()), (1, Health::Stale));
    // A time that is shared by two hashes is two transitions too.
    let mut t = Bench::with_books();
    t.frame(&change(101, &[(YES, "BUY", "0.41", "5", 1, "0.42", "0.60")]));
    t.frame(&change(101, &[(YES, "BUY", "0.43", "5", 2, "0.43", "0.60")]));
    assert_eq!(t.session.figures().best_mismatches, 1);
}

#[test]
fn a_book_ends_a_transition_as_a_change_does() {
    let mut t = Bench::with_books();
    t.frame(&change(101, &[(YES, "BUY", "0.41", "5", 1, "0.42", "0.60")]));
    t.frame(&book(YES, 102, "[[0.42,5]]", "[[0.60,5]]"));
    assert_eq!((t.session.figures().best_mismatches, t.health()), (1, Health::Sound));
}

#[test]
fn an_empty_side_is_spelt_nothing_and_a_dollar() {
    let mut t = Bench::with_books();
    t.frame(&change(
        101,
        &[(YES, "BUY", "0.40", "0", 1, "0", "0.60"), (YES, "SELL", "0.60", "0", 1, "0", "1")],
    ));
    t.frame(&change(102, &[(YES, "BUY", "0.40", "1", 2, "0.40", "1")]));
    assert_eq!((t.session.figures().best_mismatches, t.health()), (0, Health::Sound));
    assert_eq!(t.session.top(M).asks().best(), None);
}

#[test]
fn a_new_tick_drops_the_book_and_waits() {
    let Some(tick) = shared("protocol/fixtures/polymarket/ws_tick_size_change.json") else {
        return;
    };
    let at = |time: u64| 1_795_000_000_000 + time;
    let mut t = Bench::with_books();
    t.frame(&tick); // at 1,000
    assert_eq!((t.health(), t.sink.wanted(M)), (Health::AwaitSnapshot, 1));
    assert!(t.sink.said.contains(&Said::GridChanged(M)));
    assert_eq!((t.levels(YES, Side::Bid), t.session.top(M).asks().best()), (vec![], None));
    t.frame(&change(at(1_001), &[(YES, "BUY", "0.40", "5", 1, "0.40", "0.60")]));
    assert_eq!(t.session.figures().before_snapshot, 1);
    t.frame(&book(YES, at(999), "[[0.40,5]]", "[[0.60,5]]"));
    assert_eq!(
        (t.health(), t.session.figures().out_of_order),
        (Health::AwaitSnapshot, 1),
        "an old book"
    );
    t.frame(&book(YES, at(1_002), "[[0.401,5]]", "[[0.60,5]]"));
    assert_eq!((t.health(), t.levels(YES, Side::Bid)), (Health::Sound, vec![(4_010, 500)]));
}

#[test]
fn a_tick_that_changes_again_and_again_asks_for_the_book_once() {
    let mut t = Bench::with_books();
    for (time, tick) in [(101, "0.001"), (102, "0.01"), (103, "0.001"), (104, "0.01")] {
        let token = TOKENS[YES];
        t.frame(&format!(
            r#"{{"event_type":"tick_size_change","market":"{MARKET}","asset_id":"{token}","old_tick_size":"","new_tick_size":"{tick}","timestamp":"{time}"}}"#
        ));
        assert_eq!((t.health(), t.sink.wanted(M)), (Health::AwaitSnapshot, 1), "{time}");
    }
    t.frame(&book(YES, 105, "[[0.40,5]]", "[[0.60,5]]"));
    assert_eq!((t.health(), t.session.figures().resyncs), (Health::Sound, 1));
}

#[test]
fn a_known_market_that_is_announced_again_says_its_fees() {
    let mut t = Bench::with_books();
    let schedule = |rate: &str| format!(r#"{{"rate":{rate},"exponent":"1","taker_only":true}}"#);
    for (market, fee, want) in [
        (MARKET, schedule(r#""0.05""#), Some(Said::MarketFee(M, Some((50_000, 1_000_000))))),
        (MARKET, schedule(r#""dear""#), Some(Said::MarketFee(M, None))),
        (MARKET, r#""none""#.to_owned(), Some(Said::MarketFee(M, None))),
        (MARKET, "null".to_owned(), None),
        ("0xelse", schedule("0.05"), None),
    ] {
        t.sink.forget();
        t.frame(&format!(
            r#"{{"event_type":"new_market","market":"{market}","timestamp":"101","fee_schedule":{fee}}}"#
        ));
        assert_eq!(t.sink.said, Vec::from_iter(want), "{market} {fee}");
        assert_eq!((t.health(), t.session.figures().parse_errors), (Health::Sound, 0));
    }
}

#[test]
fn a_book_brings_its_own_grid() {
    let mut t = Bench::with_books();
    let fine = book(YES, 101, "[[0.401,5]]", "[[0.60,5]]")
        .replace("\"hash\"", "\"tick_size\":\"0.001\",\"hash\"");
    t.frame(&fine);
    assert_eq!((t.health(), t.levels(YES, Side::Bid)), (Health::Sound, vec![(4_010, 500)]));
    // The only book of the finest class can be taken once.
    let finest = |token| {
        book(token, 102, "[[0.4001,5]]", "[[0.60,5]]")
            .replace("\"hash\"", "\"tick_size\":\"0.0001\",\"hash\"")
    };
    t.frame(&finest(YES));
    assert_eq!((t.health(), t.session.figures().reserve_empty), (Health::Sound, 0));
    t.frame(&finest(NO));
    assert_eq!((t.health(), t.session.figures().reserve_empty), (Health::Stale, 1));
    assert_eq!(t.sink.wanted(M), 1);
}

#[test]
fn a_crossed_book_is_not_tradable_at_once_and_asked_for_only_later() {
    let mut t = Bench::with_books();
    t.frame(&change(101, &[(YES, "BUY", "0.60", "5", 1, "0.60", "0.60")]));
    assert_eq!((t.health(), t.sink.wanted(M)), (Health::Crossed, 0));
    t.now = t.now.after(ms(5));
    t.session.on_time(t.now, &mut t.sink);
    assert_eq!((t.health(), t.sink.wanted(M)), (Health::Crossed, 0));
    t.session.on_time(Ns(t.now.0 + 1), &mut t.sink);
    assert_eq!((t.health(), t.sink.wanted(M)), (Health::Stale, 1));
    t.frame(&change(102, &[(YES, "BUY", "0.60", "0", 2, "0.40", "0.60")]));
    assert_eq!(t.health(), Health::Stale, "only a book ends a doubt");
    let mut t = Bench::with_books();
    for n in 1..=16 {
        t.frame(&change(101, &[(NO, "BUY", "0.61", &n.to_string(), n, "0.61", "0.60")]));
        assert_eq!((t.health(), t.sink.wanted(M)), (Health::Crossed, 0), "{n}");
    }
    t.frame(&change(101, &[(NO, "BUY", "0.61", "17", 17, "0.61", "0.60")]));
    assert_eq!((t.health(), t.sink.wanted(M)), (Health::Stale, 1));
    assert_eq!(t.session.figures().crossed_states, 17);
}

#[test]
fn a_new_connection_starts_every_book_afresh() {
    let mut t = Bench::with_books();
    t.session.on_connected(t.now, &mut t.sink);
    assert_eq!((t.session.figures().resets, t.health()), (0, Health::AwaitSnapshot));
    t.frame(&change(101, &[(YES, "BUY", "0.41", "5", 1, "0.41", "0.60")]));
    t.frame(&book(YES, 50, "[[0.40,5]]", "[[0.60,5]]"));
    t.frame(&book(NO, 50, "[[0.40,5]]", "[[0.60,5]]"));
    assert_eq!((t.session.figures().before_snapshot, t.health()), (1, Health::Sound));
    t.session.on_connected(t.now, &mut t.sink);
    assert_eq!(t.session.figures().resets, 1);
    let tops = t.sink.tops.len();
    t.session.on_connected(t.now, &mut t.sink);
    assert_eq!(t.sink.tops.len(), tops, "nothing new to tell");
}

#[test]
fn what_nobody_asked_for_is_counted_and_ignored() {
    let mut t = Bench::with_books();
    let stranger = change(101, &[(YES, "BUY", "0.41", "5", 1, "0.41", "0.60")]);
    t.frame(&stranger.replace(MARKET, &MARKET.replace("9b1c", "9b1d")));
    t.frame(&stranger.replace(TOKENS[YES], "12345"));
    t.frame(&book(YES, 101, "[]", "[]").replace(TOKENS[YES], "12345"));
    t.frame(r#"{"event_type":"brand_new","market":"0x1"}"#);
    assert_eq!(t.levels(YES, Side::Bid), [(4_000, 500)]);
    let figures = t.session.figures();
    assert_eq!((figures.unknown_markets, figures.unknown_types, figures.parse_errors), (3, 1, 0));
    assert_eq!(t.health(), Health::Sound);
}

#[test]
fn a_market_is_known_by_every_letter_of_its_name() {
    // The registry's hash takes both ends of a name, so these share hash and slot.
    let names: Vec<String> =
        (0..64).map(|n| format!("0x9b1c6f0d2a7e4b58{n:032x}100ffeeddccbbaa9")).collect();
    assert!(names.iter().all(|name| name.len() == 66));
    let mut session =
        Session::new(Options { learn: false, audit_every: 0 }, Slab::new([128, 0, 0]));
    for name in &names {
        session.add_market(name, TOKENS, &Grid::CENT, None).unwrap();
    }
    let mut sink = Recorder::default();
    for (number, name) in names.iter().enumerate() {
        for token in [YES, NO] {
            let px = format!("[[0.{:02},1]]", 10 + number);
            session.on_frame(
                ms(1),
                book(token, 1, &px, "[]").replace(MARKET, name).as_bytes(),
                &mut sink,
            );
        }
        let frame = change(2, &[(YES, "BUY", "0.09", "1", 1, "0.09", "1")]).replace(MARKET, name);
        session.on_frame(ms(1), frame.as_bytes(), &mut sink);
        assert_eq!(session.number_of(name), Some(number));
    }
    assert_eq!(session.figures().fast, 64);
    for number in 0..64 {
        let want = [(900, 100), (1_000 + 100 * number as u16, 100)];
        assert_eq!(plain(&session.levels(number, YES, Side::Bid)), want);
    }
}

#[test]
fn the_hash_is_audited_where_its_terms_are_known() {
    let Some(frame) = shared("protocol/fixtures/polymarket/ws_book.json") else { return };
    let terms = |min: &str| Some(HashTerms { min_order_size: min.into(), neg_risk: false });
    let options = Options { learn: false, audit_every: 1 };
    for (terms, frame, want) in [
        (terms("5"), frame.clone(), (1, 0)),
        (terms("15"), frame.clone(), (1, 1)),
        (terms("5"), frame.replace("310.55", "310.56"), (1, 1)),
        (None, frame.clone(), (0, 0)),
        (terms("5"), frame.replace("last_trade_price", "lost"), (0, 0)),
    ] {
        let mut t = Bench::with(options, terms);
        t.frame(&frame);
        t.frame(&book(NO, 1, "[]", "[]"));
        let figures = t.session.figures();
        assert_eq!((figures.hash_audits, figures.hash_mismatches), want);
        let health = if want.1 == 0 { Health::Sound } else { Health::Stale };
        assert_eq!((t.health(), t.sink.wanted(M)), (health, want.1 as usize));
    }
}

#[test]
fn every_vector_of_the_hash_agrees() {
    let Some(text) = shared("protocol/vectors/polymarket_book_hash.json") else { return };
    let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut audited = 0;
    for vector in vectors.as_array().unwrap() {
        let mut object = vector["inputs"].clone();
        let inputs = vector["inputs"].clone();
        let (Some(min), Some(neg)) =
            (inputs["min_order_size"].as_str(), inputs["neg_risk"].as_bool())
        else {
            continue;
        };
        let map = object.as_object_mut().unwrap();
        map.insert("event_type".into(), "book".into());
        map.insert("hash".into(), vector["outputs"]["sha1"].clone());
        map.remove("min_order_size");
        map.remove("neg_risk");
        let mut session =
            Session::new(Options { learn: false, audit_every: 1 }, Slab::new([0, 8, 8]));
        let terms = Some(HashTerms { min_order_size: min.into(), neg_risk: neg });
        let tokens = [inputs["asset_id"].as_str().unwrap(), "1"];
        session
            .add_market(inputs["market"].as_str().unwrap(), tokens, &Grid::DECI_CENT, terms)
            .unwrap();
        session.on_frame(ms(1), object.to_string().as_bytes(), &mut Recorder::default());
        let figures = session.figures();
        assert_eq!((figures.parse_errors, figures.hash_mismatches), (0, 0), "{vector}");
        audited += figures.hash_audits;
    }
    assert!(audited > 0);
}

#[test]
fn a_resolved_market_never_trades_again_and_keeps_its_books() {
    let mut t = Bench::with_books();
    let resolved =
        format!(r#"{{"event_type":"market_resolved","market":"{MARKET}","timestamp":"200"}}"#);
    t.frame(&resolved);
    assert_eq!((t.sink.tops.len(), t.sink.last().health), (1, Health::Stale), "told at once");
    t.frame(&book(YES, 300, "[[0.45,5]]", "[[0.55,5]]"));
    t.frame(&book(NO, 300, "[[0.45,5]]", "[[0.55,5]]"));
    assert_eq!((t.health(), t.levels(YES, Side::Bid)), (Health::Stale, vec![(4_500, 500)]));
    assert_eq!(t.sink.last().best_ask_raw(), (5_500, 500));
    t.session.on_connected(t.now, &mut t.sink);
    assert_eq!(t.health(), Health::AwaitSnapshot);
    t.frame(&book(YES, 400, "[[0.40,5]]", "[[0.60,5]]"));
    t.frame(&book(NO, 400, "[[0.40,5]]", "[[0.60,5]]"));
    assert_eq!(t.health(), Health::Stale);
    assert_eq!(t.session.top(1).health, Health::AwaitSnapshot, "the other market is untouched");
}

#[test]
fn heartbeats_arrays_and_other_events() {
    let mut t = Bench::with_books();
    for frame in ["PONG", "PONG\n", "PING"] {
        t.frame(frame);
    }
    t.frame("[]");
    t.frame(&format!(
        r#"[{{"event_type":"market_resolved","market":"{MARKET}","timestamp":"1"}}]"#
    ));
    assert!(t.sink.said.contains(&Said::Lifecycle(M, Change::Determined)));
    let figures = t.session.figures();
    assert_eq!((figures.control, figures.lifecycle, figures.parse_errors), (3, 1, 0));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/protocol/fixtures/polymarket");
    let Ok(files) = std::fs::read_dir(folder) else {
        eprintln!("skipped: the protocol's fixtures are not here");
        return;
    };
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let private = ["user", "subscribe", "heartbeat"].iter().any(|part| name.contains(part));
        if name.starts_with("ws_") && !private {
            t.frame(&std::fs::read_to_string(&path).unwrap());
            assert_eq!(t.session.figures().parse_errors, 0, "{name}");
        }
    }
}

// Bad input.

#[test]
fn a_bad_element_takes_its_market_along_and_no_other() {
    let good = book(YES, 200, "[[0.45,5]]", "[[0.60,5]]");
    let bad = book(NO, 200, "[[0.45,5]]", "[[0.60,5]]").replace("0.45", "NaN");
    let mut t = Bench::with_books();
    for token in OTHERS {
        let other = book(YES, 100, "[]", "[]").replace(MARKET, OTHER).replace(TOKENS[YES], token);
        t.frame(&other);
    }
    t.frame(&format!("[{good},{bad}]"));
    assert_eq!(t.session.figures().parse_errors, 1);
    assert_eq!((t.health(), t.session.top(1).health), (Health::Stale, Health::Sound));
    assert_eq!(t.levels(YES, Side::Bid), [(4_500, 500)], "the sound element is applied");
    t.frame(&format!("[{},7]", book(YES, 201, "[]", "[]")));
    assert_eq!(t.session.top(1).health, Health::Stale, "this one may have been anybody's");
}

#[test]
fn what_cannot_be_read_takes_every_book_along() {
    let sound = change(101, &[(YES, "BUY", "0.41", "5", 1, "0.41", "0.60")]);
    for (frame, want) in [
        (sound[..sound.len() - 5].to_owned(), Health::Stale),
        ("garbage".into(), Health::Stale),
        ("[".repeat(100_000), Health::Stale),
        ("7".into(), Health::Stale),
        ("[7]".into(), Health::Stale),
        (sound.replace("0.41\",\"size", "NaN\",\"size"), Health::Stale),
        (sound.replace("\"5\"", "\"-5\""), Health::Stale),
        (sound.replace("\"5\"", "\"1111111111111111111111111111111111111111\""), Health::Stale),
        (sound.replace("\"price\":\"0.41", "\"price\":\"1.41"), Health::Stale),
        (sound.replace("\"101\"", "\"-101\""), Health::Stale),
        (
            sound.replace("\"timestamp\":\"101\"", "\"timestamp\":\"101\",\"timestamp\":\"102\""),
            Health::Stale,
        ),
        (String::new(), Health::Sound),
        ("\n".into(), Health::Sound),
    ] {
        let mut t = Bench::with_books();
        t.frame(&frame);
        let name = &frame[..frame.len().min(300)];
        assert_eq!((t.health(), t.session.figures().parse_errors), (want, 1), "{name}");
        assert_eq!(t.levels(YES, Side::Bid), [(4_000, 500)], "{name}");
    }
}

#[test]
fn a_level_that_cannot_be_makes_the_book_stale() {
    for (side, px) in
        [("BUY", "0.405"), ("SELL", "0.0"), ("SELL", "0"), ("BUY", "1"), ("BUY", "1.0")]
    {
        for lead in ["", " "] {
            let mut t = Bench::with_books();
            t.frame(&format!("{lead}{}", change(101, &[(YES, side, px, "5", 1, "0.40", "0.60")])));
            assert_eq!((t.health(), t.sink.wanted(M)), (Health::Stale, 1), "{side} {px}");
            assert_eq!(t.session.figures().rejected_changes, 1);
            assert_eq!(t.levels(YES, Side::Ask), [(6_000, 500)]);
        }
    }
    let mut t = Bench::with_books();
    t.frame(&book(YES, 101, "[]", "[[0,5]]"));
    assert_eq!((t.health(), t.session.figures().rejected_changes), (Health::Stale, 1));
}

#[test]
fn a_time_far_ahead_does_not_freeze_a_sound_book() {
    let mut t = Bench::with_books();
    t.frame(&change(u64::MAX, &[(YES, "BUY", "0.41", "5", 1, "0.41", "0.60")]));
    t.frame(&format!(" {}", change(u64::MAX, &[(YES, "BUY", "0.41", "5", 1, "0.41", "0.60")])));
    assert_eq!(t.levels(YES, Side::Bid)[1], (4_100, 500));
    for n in 0..64 {
        t.frame(&change(101 + n, &[(YES, "BUY", "0.42", "5", 1, "0.42", "0.60")]));
    }
    assert_eq!((t.health(), t.sink.wanted(M)), (Health::Stale, 1));
    t.frame(&book(YES, 200, "[[0.42,5]]", "[[0.60,5]]"));
    t.frame(&book(NO, 200, "[[0.40,5]]", "[[0.58,5]]"));
    assert_eq!(t.health(), Health::Sound, "and it heals");
}

#[test]
fn a_frame_of_bad_elements_costs_no_more_than_its_length() {
    let mut session =
        Session::new(Options { learn: false, audit_every: 0 }, Slab::new([2 * MARKETS_MAX, 0, 0]));
    for n in 0..MARKETS_MAX {
        let id = session.add_market(&format!("0x{n:064x}"), TOKENS, &Grid::CENT, None).unwrap();
        assert_eq!((id.index(), id.venue()), (n, Venue::Polymarket));
    }
    let more = session.add_market(OTHER, TOKENS, &Grid::CENT, None);
    assert_eq!(more, Err(AddError::TooMany));
    let frame = format!("[{}7]", "7,".repeat(1_000_000));
    let mut sink = Recorder::default();
    // Were each element held against each market, this would not end today.
    session.on_frame(ms(1), frame.as_bytes(), &mut sink);
    assert_eq!(session.figures().parse_errors, 1_000_001);
    let last = format!("0x{:064x}", MARKETS_MAX - 1);
    for token in [YES, NO] {
        session.on_frame(
            ms(1),
            book(token, 1, "[]", "[]").replace(MARKET, &last).as_bytes(),
            &mut sink,
        );
    }
    assert_eq!((sink.last().market.index(), sink.last().health), (MARKETS_MAX - 1, Health::Sound));
}

#[test]
fn a_frame_of_64_mib_is_refused_without_harm() {
    let mut t = Bench::with_books();
    t.frame(&" ".repeat((64 << 20) + 1));
    assert_eq!((t.session.figures().parse_errors, t.health()), (1, Health::Stale));
    t.frame(&"[".repeat(64 << 20));
    assert_eq!(t.session.figures().parse_errors, 2);
}

#[test]
fn endless_new_markets_end_at_the_reserve() {
    let mut t = Bench::with(Options { learn: true, audit_every: 0 }, None);
    for n in 0..200 {
        t.frame(&book(YES, 100, "[[0.40,5]]", "[]").replace(MARKET, &format!("0x{n:064x}")));
    }
    let figures = *t.session.figures();
    assert_eq!(
        (t.session.markets(), figures.reserve_empty, figures.unknown_markets),
        (4, 196, 196)
    );
    // A learnt market takes one sibling; a third token is a stranger.
    let first = format!("0x{:064x}", 0);
    t.frame(&book(NO, 100, "[]", "[]").replace(MARKET, &first));
    assert_eq!((t.session.token(0, YES), t.session.token(0, NO)), (TOKENS[0], TOKENS[1]));
    t.frame(&book(NO, 101, "[[0.1,1]]", "[]").replace(MARKET, &first).replace(TOKENS[NO], "3"));
    assert_eq!(
        (t.session.figures().unknown_markets, t.session.levels(0, NO, Side::Bid)),
        (197, vec![])
    );
}

#[test]
fn names_are_checked() {
    let mut t = Bench::new();
    for (condition, tokens) in [
        ("", ["1", "2"]),
        (&"a".repeat(67) as &str, ["1", "2"]),
        ("0x\"", ["1", "2"]),
        ("0x3", ["1", "1"]),
        ("0x3", ["", "2"]),
        ("0x3", ["1", "0x2"]),
        ("0x3", ["1", &"9".repeat(79)]),
    ] {
        let refused = t.session.add_market(condition, tokens, &Grid::CENT, None);
        assert_eq!(refused, Err(AddError::Name), "{condition} {tokens:?}");
    }
    assert!(matches!(
        t.session.add_market(MARKET, ["1", "2"], &Grid::CENT, None),
        Err(AddError::Known(id)) if id.index() == M
    ));
}
