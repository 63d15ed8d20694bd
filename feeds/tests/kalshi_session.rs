//! Kalshi's session against the rules of kalshi.md sections 2 and 3, one test a rule.

#![allow(clippy::unwrap_used)] // the helpers of tests are tests too

mod common;

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

#[test]
fn a_frame_that_is_missing_suspends_the_book_of_the_recorded_session() {
    let Some(frames) = shared("protocol/fixtures/kalshi/ws_session_with_seq_gap.jsonl") else {
        return;
    };
    let mut t =
        Bench::with(Options { no_side: NoSide::NoPrice, learn: false }, &["KXEXAMPLE-26NOV21-A"]);
    for (number, frame) in frames.lines().enumerate() {
        t.frame(frame);
        let want = if number == 0 {
            Health::AwaitSnapshot
        } else if number < 5 {
            Health::Sound
        } else {
            Health::Gap
        };
        assert_eq!(t.health(A), want, "after frame {number}");
    }
    let figures = t.session.figures();
    assert_eq!((figures.sequence_gaps, figures.resyncs, figures.before_snapshot), (1, 1, 1));
    assert_eq!((figures.fast, figures.deltas, figures.control), (4, 3, 1));
    assert_eq!(t.sink.wanted(A), 1);
    assert_eq!((t.bids(A), t.asks(A)), (vec![(4_700, 300)], vec![]), "the late change is dropped");
}

#[test]
fn both_conventions_of_the_no_side_give_one_book() {
    let (Some(no_price), Some(yes_price)) = (
        shared("protocol/fixtures/kalshi/ws_orderbook_snapshot.json"),
        shared("protocol/fixtures/kalshi/ws_orderbook_snapshot_use_yes_price.json"),
    ) else {
        return;
    };
    let mut books = Vec::new();
    for (no_side, frame) in [(NoSide::NoPrice, no_price), (NoSide::YesPrice, yes_price)] {
        let mut t = Bench::with(Options { no_side, learn: false }, &["FED-23DEC-T3.00"]);
        t.frame(&frame);
        assert_eq!(t.health(A), Health::Sound);
        let px = if no_side == NoSide::NoPrice { "0.5600" } else { "0.4400" };
        t.frame(&delta(2, 3, "FED-23DEC-T3.00", "no", px, "-46.00"));
        assert_eq!(t.health(A), Health::Sound);
        books.push((t.bids(A), t.asks(A), t.session.top(A).asks()));
    }
    assert_eq!(books[0], books[1]);
    assert_eq!(books[0].1, [(4_400, 10_000), (4_600, 2_000)]);
}

#[test]
fn a_level_below_nothing_makes_the_documented_book_stale() {
    let (Some(snapshot), Some(delta)) = (
        shared("protocol/fixtures/kalshi/ws_orderbook_snapshot.json"),
        shared("protocol/fixtures/kalshi/ws_orderbook_delta.json"),
    ) else {
        return;
    };
    let mut t =
        Bench::with(Options { no_side: NoSide::NoPrice, learn: false }, &["FED-23DEC-T3.00"]);
    t.frame(&snapshot);
    let before = (t.bids(A), t.asks(A));
    t.frame(&delta); // -54 at 0.96, where the snapshot has nothing
    assert_eq!(t.health(A), Health::Stale);
    assert_eq!((t.bids(A), t.asks(A)), before, "a level never holds less than nothing");
    assert_eq!(t.session.figures().rejected_changes, 1);
    assert_eq!(t.sink.wanted(A), 1);
    t.frame(&snapshot.replace("\"seq\":2", "\"seq\":4"));
    assert_eq!(t.health(A), Health::Sound);
}

#[test]
fn the_reply_to_get_snapshot_heals() {
    let Some(reply) =
        shared("protocol/fixtures/kalshi/ws_orderbook_snapshot_get_snapshot_reply.json")
    else {
        return;
    };
    let mut t = Bench::with(Options { no_side: NoSide::NoPrice, learn: false }, &["MARKET-1"]);
    t.frame(&snapshot(456, 237, "MARKET-1"));
    t.frame(&more(456, 239, "MARKET-1"));
    assert_eq!(t.health(A), Health::Gap);
    t.frame(&reply); // seq 240, with the id of our command
    assert_eq!(t.health(A), Health::Sound);
    assert_eq!((t.bids(A), t.asks(A)), (vec![(800, 30_000)], vec![(4_400, 14_600)]));
    t.frame(&more(456, 241, "MARKET-1"));
    assert_eq!((t.health(A), t.session.figures().sequence_gaps), (Health::Sound, 1));
}

#[test]
fn a_gap_takes_every_book_of_its_subscription_and_no_other() {
    let mut t = Bench::new();
    t.on(1, &snapshot(1, 1, "KXA"));
    t.on(1, &snapshot(1, 2, "KXB"));
    t.on(2, &snapshot(1, 1, "KXC")); // another connection's subscription of that number
    t.sink.forget();
    t.on(1, &more(1, 4, "KXA"));
    assert_eq!((t.health(A), t.health(B), t.health(C)), (Health::Gap, Health::Gap, Health::Sound));
    assert_eq!((t.sink.wanted(A), t.sink.wanted(B), t.sink.wanted(C)), (1, 1, 0));
    t.on(1, &snapshot(1, 5, "KXB"));
    assert_eq!((t.health(A), t.health(B)), (Health::Gap, Health::Sound), "each heals alone");
    t.on(2, &more(1, 2, "KXC"));
    assert_eq!(t.bids(C), [(4_000, 600)]);
}

#[test]
fn a_number_that_came_before_is_dropped_and_counted() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    for seq in [2, 2, 1, 3, 3] {
        t.frame(&more(1, seq, "KXA"));
    }
    assert_eq!((t.bids(A), t.health(A)), (vec![(4_000, 700)], Health::Sound));
    assert_eq!(t.session.figures().out_of_order, 3);
    t.frame(&format!(" {}", more(1, 3, "KXA")));
    assert_eq!((t.bids(A), t.session.figures().out_of_order), (vec![(4_000, 700)], 4));
}

#[test]
fn replies_take_a_number() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(r#"{"type":"ok","id":4,"sid":1,"seq":2,"msg":{"market_tickers":["KXA","KXB"]}}"#);
    t.frame(r#"{"type":"error","id":5,"sid":1,"seq":3,"msg":{"code":7,"msg":"Unknown"}}"#);
    t.frame(&more(1, 4, "KXA"));
    assert_eq!((t.health(A), t.bids(A)), (Health::Sound, vec![(4_000, 600)]));
    assert_eq!((t.session.figures().control, t.session.figures().sequence_gaps), (2, 0));
    t.frame(r#"{"type":"ok","id":6,"sid":1,"seq":6,"msg":{}}"#);
    assert_eq!(t.health(A), Health::Gap, "a reply shows a gap too");
}

#[test]
fn a_change_with_the_number_of_a_reply_is_not_taken_for_a_copy() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(r#"{"type":"ok","id":4,"sid":1,"seq":2,"msg":{}}"#);
    t.frame(&more(1, 2, "KXA"));
    assert_eq!(t.health(A), Health::Gap, "or the change would be missing from a sound book");
    // A reply that repeats the last change's number takes none, and nothing is missing.
    t.frame(&snapshot(1, 3, "KXA"));
    t.frame(r#"{"type":"ok","id":5,"sid":1,"seq":3,"msg":{}}"#);
    t.frame(&more(1, 4, "KXA"));
    assert_eq!((t.health(A), t.bids(A)), (Health::Sound, vec![(4_000, 600)]));
}

#[test]
fn a_subscription_that_ended_leaves_no_sound_book() {
    for end in [
        r#"{"type":"error","sid":1,"seq":2,"msg":{"code":25,"msg":"Subscription buffer overflow"}}"#,
        r#"{"type":"error","sid":1,"seq":2,"msg":{"code":10,"msg":"Channel error"}}"#,
        r#"{"type":"error","msg":{"code":10,"msg":"Channel error"}}"#,
        r#"{"id":102,"sid":1,"seq":2,"type":"unsubscribed"}"#,
        r#"{"id":102,"sid":1,"seq":1,"type":"unsubscribed"}"#,
    ] {
        let mut t = Bench::new();
        t.on(1, &snapshot(1, 1, "KXA"));
        t.on(2, &snapshot(1, 1, "KXB"));
        t.on(1, end);
        assert_ne!(t.health(A), Health::Sound, "{end}");
        assert_eq!(t.health(B), Health::Sound, "another connection's: {end}");
        if end.contains("\"sid\"") {
            t.on(1, &snapshot(1, 1, "KXA"));
            t.on(1, &more(1, 2, "KXA"));
            assert_eq!(t.health(A), Health::Sound, "its number may be given again: {end}");
        }
    }
    let Some(end) = shared("protocol/fixtures/kalshi/ws_error_terminal_buffer_overflow.json")
    else {
        return;
    };
    let mut t = Bench::new();
    t.frame(&snapshot(1, 9_000, "KXA"));
    t.frame(&end);
    assert_eq!(t.health(A), Health::Gap);
    assert!(t.sink.said.contains(&Said::VenueError(25)));
}

#[test]
fn an_error_that_ends_nothing_leaves_the_books() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(r#"{"id":123,"type":"error","msg":{"code":7,"msg":"Unknown subscription ID"}}"#);
    assert_eq!(t.health(A), Health::Sound);
    assert!(t.sink.said.contains(&Said::VenueError(7)));
}

#[test]
fn a_market_follows_the_subscription_of_its_snapshot() {
    let mut t = Bench::new();
    t.on(1, &snapshot(1, 1, "KXA"));
    t.on(2, &more(1, 1, "KXA")); // the same market on a second connection
    t.on(2, &format!(" {}", more(1, 2, "KXA")));
    t.on(1, &more(1, 2, "KXA"));
    assert_eq!((t.bids(A), t.session.figures().before_snapshot), (vec![(4_000, 600)], 2));
    t.on(2, &snapshot(1, 3, "KXA"));
    t.on(1, &more(1, 3, "KXA"));
    t.on(2, &more(1, 4, "KXA"));
    assert_eq!((t.bids(A), t.health(A)), (vec![(4_000, 600)], Health::Sound));
}

#[test]
fn an_empty_snapshot_at_the_close_clears_the_book() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(&format!(
        r#"{{"type":"orderbook_snapshot","sid":1,"seq":2,"msg":{{"market_ticker":"KXA","market_id":"{ID}"}}}}"#
    ));
    assert_eq!((t.bids(A), t.asks(A), t.health(A)), (vec![], vec![], Health::Sound));
    assert_eq!(t.session.top(A).bids().best(), None);
    let figures = t.session.figures();
    assert_eq!((figures.resyncs, figures.resets, figures.snapshots), (0, 0, 2));
}

#[test]
fn a_crossed_book_is_not_tradable_at_once_and_asked_for_only_later() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(&delta(1, 2, "KXA", "yes", "0.6000", "5.00"));
    assert_eq!(t.health(A), Health::Crossed, "locked");
    t.frame(&delta(1, 3, "KXA", "yes", "0.6100", "5.00"));
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Crossed, 0));
    t.frame(&delta(1, 4, "KXA", "no", "0.4000", "-5.00"));
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Sound, 0));
    let figures = t.session.figures();
    assert_eq!((figures.locked_states, figures.crossed_states, figures.resyncs), (1, 1, 0));
}

#[test]
fn a_crossing_is_asked_for_beyond_sixteen_messages() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    for seq in 2..=17 {
        t.frame(&delta(1, seq, "KXA", "yes", "0.6100", "1.00"));
        assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Crossed, 0), "seq {seq}");
    }
    t.frame(&delta(1, 18, "KXA", "yes", "0.6100", "1.00"));
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Stale, 1));
    t.frame(&delta(1, 19, "KXA", "yes", "0.6100", "-17.00"));
    assert_eq!(t.health(A), Health::Stale, "only a snapshot ends a doubt");
    t.frame(&snapshot(1, 20, "KXA"));
    assert_eq!((t.health(A), t.session.figures().resyncs), (Health::Sound, 1));
}

#[test]
fn a_crossing_is_asked_for_after_five_milliseconds() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(&snapshot(1, 2, "KXB"));
    t.frame(&delta(1, 3, "KXA", "yes", "0.6100", "1.00"));
    t.now = t.now.after(ms(5));
    t.frame(&more(1, 4, "KXB"));
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Crossed, 0));
    t.now = Ns(t.now.0 + 1);
    t.frame(&more(1, 5, "KXB")); // another market's frame brings the time
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Stale, 1));
    assert_eq!(t.health(B), Health::Sound);
}

#[test]
fn a_crossing_is_asked_for_when_nothing_more_is_said() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(&delta(1, 2, "KXA", "yes", "0.6100", "1.00"));
    t.session.on_time(t.now.after(ms(5)), &mut t.sink);
    assert_eq!(t.health(A), Health::Crossed);
    t.session.on_time(Ns(t.now.0 + 5 * common::MS + 1), &mut t.sink);
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Stale, 1));
    t.session.on_time(t.now.after(ms(900)), &mut t.sink);
    assert_eq!(t.sink.wanted(A), 1, "asked for once");
}

#[test]
fn a_second_crossing_has_its_own_five_milliseconds() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(&delta(1, 2, "KXA", "yes", "0.6100", "1.00"));
    t.now = t.now.after(ms(3));
    t.frame(&delta(1, 3, "KXA", "yes", "0.6100", "-1.00"));
    t.frame(&delta(1, 4, "KXA", "yes", "0.6100", "1.00"));
    t.now = t.now.after(ms(5));
    t.frame(&more(1, 5, "KXA"));
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Crossed, 0));
    t.session.on_time(Ns(t.now.0 + 1), &mut t.sink);
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Stale, 1));
}

#[test]
fn a_new_connection_starts_every_book_afresh() {
    let mut t = Bench::new();
    t.connected();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(&snapshot(1, 2, "KXB"));
    t.frame(&delta(1, 3, "KXB", "yes", "0.6100", "1.00"));
    assert_eq!(t.session.figures().resets, 0, "the first connection is no reset");
    t.sink.forget();
    t.connected();
    assert_eq!(t.session.figures().resets, 1);
    assert_eq!((t.health(A), t.health(B)), (Health::AwaitSnapshot, Health::AwaitSnapshot));
    assert_eq!(t.sink.tops.len(), 2, "markets that never had a book are not told again");
    t.frame(&more(1, 4, "KXA"));
    assert_eq!((t.health(A), t.session.figures().before_snapshot), (Health::AwaitSnapshot, 1));
    t.session.on_time(t.now.after(ms(100)), &mut t.sink);
    assert_eq!(t.sink.wanted(B), 0, "the old crossing is forgotten");
    t.on(2, &snapshot(1, 1, "KXA"));
    assert_eq!((t.health(A), t.session.figures().sequence_gaps), (Health::Sound, 0));
    assert_eq!(t.bids(A), [(4_000, 500)]);
}

#[test]
fn a_refined_grid_keeps_the_levels() {
    let Some(refined) =
        shared("protocol/fixtures/kalshi/ws_market_lifecycle_price_level_updated.json")
    else {
        return;
    };
    let ticker = "INXD-23SEP14-B4487";
    let mut t = Bench::with(Options { no_side: NoSide::NoPrice, learn: false }, &[ticker]);
    t.frame(&snapshot(2, 1, ticker));
    t.frame(&delta(2, 2, ticker, "yes", "0.4010", "1.00"));
    assert_eq!((t.health(A), t.session.figures().rejected_changes), (Health::Stale, 1), "off grid");
    t.frame(&snapshot(2, 3, ticker));
    t.frame(&refined);
    assert!(t.sink.said.contains(&Said::GridChanged(A)));
    assert_eq!((t.bids(A), t.asks(A)), (vec![(4_000, 500)], vec![(6_000, 500)]));
    t.frame(&delta(2, 4, ticker, "yes", "0.4010", "1.00"));
    assert_eq!((t.health(A), t.bids(A)), (Health::Sound, vec![(4_000, 500), (4_010, 100)]));
}

#[test]
fn a_grid_that_finds_no_room_is_visible() {
    let mut t = Bench::new();
    t.session =
        Session::new(Options { no_side: NoSide::NoPrice, learn: false }, Slab::new([1, 0, 0]));
    t.session.add_market("KXA", &Grid::CENT).unwrap();
    assert_eq!(
        t.session.add_market("KXB", &Grid::CENT),
        Err(AddError::ReserveEmpty { steps: engine::slab::CLASS_STEPS[0] })
    );
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(
        r#"{"type":"market_lifecycle_v2","sid":13,"seq":4,"msg":{"market_ticker":"KXA","event_type":"price_level_structure_updated","price_ranges":[{"start":"0.0000","end":"1.0000","step":"0.0010"}]}}"#,
    );
    assert_eq!((t.health(A), t.session.figures().reserve_empty), (Health::Stale, 1));
    assert_eq!(t.sink.wanted(A), 1);
}

#[test]
fn a_grid_that_is_none_is_counted_as_refused() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(
        r#"{"type":"market_lifecycle_v2","sid":13,"seq":4,"msg":{"market_ticker":"KXA","event_type":"price_level_structure_updated","price_ranges":[{"start":"0.0000","end":"1.0000","step":"0.0300"}]}}"#,
    );
    assert_eq!(t.health(A), Health::Stale);
    assert_eq!((t.session.figures().reserve_empty, t.session.figures().rejected_changes), (0, 1));
}

#[test]
fn a_coarser_grid_that_loses_a_level_asks_for_the_book() {
    let mut t = Bench::new();
    t.frame(&book(1, 1, "KXA", r#"[["0.4100","5.00"]]"#, "[]"));
    t.frame(
        r#"{"type":"market_lifecycle_v2","sid":13,"seq":4,"msg":{"market_ticker":"KXA","event_type":"price_level_structure_updated","price_ranges":[{"start":"0.0000","end":"1.0000","step":"0.1000"}]}}"#,
    );
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Stale, 1));
}

#[test]
fn life_and_fees_are_told() {
    let mut t = Bench::new();
    for (seq, event, want) in [
        (1, r#""event_type":"deactivated""#, Change::Paused(true)),
        (2, r#""event_type":"activated""#, Change::Paused(false)),
        (3, r#""event_type":"close_date_updated","close_ts":77"#, Change::CloseMoved(77)),
        (4, r#""event_type":"determined","result":"yes""#, Change::Determined),
        (5, r#""event_type":"settled""#, Change::Settled),
    ] {
        t.frame(&format!(
            r#"{{"type":"market_lifecycle_v2","sid":13,"seq":{seq},"msg":{{"market_ticker":"KXB",{event}}}}}"#
        ));
        assert_eq!(t.sink.said.last(), Some(&Said::Lifecycle(B, want)));
    }
    let Some(fee) = shared("protocol/fixtures/kalshi/ws_event_fee_update.json") else { return };
    t.frame(&fee);
    assert_eq!(t.sink.said.last(), Some(&Said::EventFee("KXBTCD-26MAY2018".into(), true)));
    assert_eq!(t.session.figures().lifecycle, 6);
}

#[test]
fn a_fee_that_cannot_be_read_is_told_of_its_event() {
    let mut t = Bench::new();
    for (number, fields, readable) in [
        (1, r#""fee_type_override":"quadratic","fee_multiplier_override":1"#, true),
        (2, r#""fee_type_override":7,"fee_multiplier_override":1"#, false),
        (3, r#""fee_type_override":"quadratic","fee_multiplier_override":"much""#, false),
        (4, r#""fee_type_override":"quadratic","fee_multiplier_override":-1"#, false),
        (5, r#""fee_type_override":null,"fee_multiplier_override":[]"#, false),
    ] {
        t.frame(&format!(
            r#"{{"type":"event_fee_update","sid":13,"seq":{number},"msg":{{"event_ticker":"EV",{fields}}}}}"#
        ));
        assert_eq!(t.sink.said.last(), Some(&Said::EventFee("EV".into(), readable)), "{fields}");
    }
    assert_eq!((t.session.figures().lifecycle, t.session.figures().parse_errors), (5, 0));
}

/// A frame that tells of the market's life.
fn life(seq: u64, ticker: &str, event: &str) -> String {
    format!(
        r#"{{"type":"market_lifecycle_v2","sid":13,"seq":{seq},"msg":{{"market_ticker":"{ticker}","event_type":"{event}"}}}}"#
    )
}

#[test]
fn a_paused_market_is_not_tradable_until_it_is_activated() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(&snapshot(1, 2, "KXB"));
    t.sink.forget();
    t.frame(&life(1, "KXA", "deactivated"));
    assert_eq!((t.sink.tops.len(), t.sink.last().health), (1, Health::Stale), "told at once");
    assert_eq!((t.health(A), t.health(B)), (Health::Stale, Health::Sound));
    t.frame(&life(2, "KXA", "deactivated"));
    assert_eq!(t.sink.tops.len(), 1, "nothing new");
    // Its book is kept up by deltas of both shapes and by snapshots, and stays out of trading.
    t.frame(&more(1, 3, "KXA"));
    assert_eq!((t.bids(A), t.health(A)), (vec![(4_000, 600)], Health::Stale));
    assert_eq!(t.sink.last().best_bid_raw(), (4_000, 600));
    t.frame(&snapshot(1, 4, "KXA"));
    assert_eq!((t.bids(A), t.health(A)), (vec![(4_000, 500)], Health::Stale));
    // A new connection forgets the book, not the pause.
    t.connected();
    assert_eq!(t.health(A), Health::AwaitSnapshot);
    t.frame(&snapshot(1, 1, "KXA"));
    assert_eq!(t.health(A), Health::Stale);
    assert_eq!(t.sink.wanted(A), 0, "the book is whole: there is nothing to ask for");
    t.frame(&life(1, "KXA", "activated"));
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Stale, 1), "its orders are cancelled");
    t.frame(&snapshot(1, 2, "KXA"));
    assert_eq!((t.health(A), t.sink.last().health), (Health::Sound, Health::Sound));
}

#[test]
fn a_pause_hides_no_gap_and_heals_none() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(&life(1, "KXA", "deactivated"));
    t.frame(&more(1, 5, "KXA"));
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Gap, 1));
    t.frame(&life(2, "KXA", "activated"));
    assert_eq!(t.health(A), Health::Gap);
    t.frame(&snapshot(1, 6, "KXA"));
    assert_eq!(t.health(A), Health::Sound);
}

#[test]
fn a_market_with_an_outcome_never_trades_again() {
    for end in ["determined", "settled"] {
        let mut t = Bench::new();
        t.frame(&snapshot(1, 1, "KXA"));
        t.sink.forget();
        t.frame(&life(1, "KXA", end));
        assert_eq!((t.sink.tops.len(), t.sink.last().health), (1, Health::Stale), "{end}");
        t.frame(&life(2, "KXA", "activated"));
        t.frame(&more(1, 2, "KXA"));
        t.frame(&snapshot(1, 3, "KXA"));
        assert_eq!(t.health(A), Health::Stale, "{end}");
        t.connected();
        t.frame(&snapshot(1, 1, "KXA"));
        assert_eq!((t.bids(A), t.health(A)), (vec![(4_000, 500)], Health::Stale), "{end}");
    }
}

#[test]
fn a_market_that_trades_again_is_asked_for_since_its_orders_were_cancelled() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(
        r#"{"type":"market_lifecycle_v2","sid":13,"seq":4,"msg":{"market_ticker":"KXA","event_type":"activated"}}"#,
    );
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Stale, 1));
    t.frame(&snapshot(1, 2, "KXA"));
    assert_eq!(t.health(A), Health::Sound);
}

#[test]
fn every_documented_frame_is_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/protocol/fixtures/kalshi");
    let Ok(files) = std::fs::read_dir(folder) else {
        eprintln!("skipped: the protocol's fixtures are not here");
        return;
    };
    let mut t = Bench::new();
    let mut frames = 0;
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("ws_") || name.starts_with("ws_cmd") || name.ends_with("jsonl") {
            continue;
        }
        frames += 1;
        t.on(frames, &std::fs::read_to_string(&path).unwrap());
        assert_eq!(t.session.figures().parse_errors, 0, "{name}");
    }
    assert!(frames > 20);
}

#[test]
fn a_frame_of_the_own_order_is_no_surprise() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    let own = more(1, 2, "KXA").replace(
        "000}}",
        r#"000,"client_order_id":"8c35ecb3-328f-4f52-8c7c-0f4b9862f8d1","subaccount":0}}"#,
    );
    t.frame(&own);
    assert_eq!((t.bids(A), t.session.figures().fast), (vec![(4_000, 600)], 1));
}

// Bad input.

#[test]
fn a_frame_that_cannot_be_read_takes_its_books_along() {
    let broken = more(1, 2, "KXA");
    for (frame, want) in [
        (broken.replace("0.4000", "NaN"), [Health::Gap, Health::Sound]),
        (broken.replace("1.00", "1e5"), [Health::Gap, Health::Sound]),
        (broken.replace("1.00", "0.001"), [Health::Gap, Health::Sound]),
        (broken.replace("0.4000", "-0.4000"), [Health::Gap, Health::Sound]),
        (broken.replace("0.4000", "1.0100"), [Health::Gap, Health::Sound]),
        (
            broken.replace("1.00", "1111111111111111111111111111111111111111"),
            [Health::Gap, Health::Sound],
        ),
        (broken.replace("yes", "maybe"), [Health::Gap, Health::Sound]),
        (broken.replace("\"seq\":2", "\"seq\":-2"), [Health::Gap, Health::Sound]),
        // Nothing tells whose these are, so they are anybody's of the connection.
        (broken[..broken.len() - 9].to_owned(), [Health::Gap, Health::Gap]),
        (broken.replace("\"sid\":1", "\"sid\":1,\"sid\":1"), [Health::Gap, Health::Gap]),
        ("garbage".to_owned(), [Health::Gap, Health::Gap]),
        ("[".repeat(100_000), [Health::Gap, Health::Gap]),
        ("{\"a\":".repeat(100_000), [Health::Gap, Health::Gap]),
        ("\u{0}".to_owned(), [Health::Gap, Health::Gap]),
        // These change no book.
        (String::new(), [Health::Sound, Health::Sound]),
        ("\n".to_owned(), [Health::Sound, Health::Sound]),
        (r#"{"type":"ticker","sid":9,"msg":{}}"#.to_owned(), [Health::Sound, Health::Sound]),
    ] {
        let mut t = Bench::new();
        t.on(1, &snapshot(1, 1, "KXA"));
        t.on(1, &snapshot(2, 1, "KXB"));
        t.on(2, &snapshot(1, 1, "KXC"));
        t.on(1, &frame);
        let name = &frame[..frame.len().min(200)];
        assert_eq!([t.health(A), t.health(B)], want, "{name}");
        assert_eq!(t.health(C), Health::Sound, "{name}");
        assert_eq!(t.session.figures().parse_errors, 1, "{name}");
        assert_eq!((t.bids(A), t.asks(A)), (vec![(4_000, 500)], vec![(6_000, 500)]), "{name}");
    }
}

#[test]
fn a_frame_of_64_mib_is_refused_without_harm() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(&" ".repeat((64 << 20) + 1));
    t.frame(&"[".repeat(64 << 20));
    t.frame(&"{},".repeat((64 << 20) / 3));
    assert_eq!((t.session.figures().parse_errors, t.health(A)), (3, Health::Gap));
}

#[test]
fn a_change_off_the_grid_or_beyond_every_size_makes_the_book_stale() {
    for (side, px, change) in [
        ("yes", "0.4050", "1.00"),
        ("yes", "0.4000", "-5.01"),
        ("yes", "0.4000", "9999999999999.99"),
        ("yes", "1.0000", "1.00"),
        ("yes", "0.0000", "1.00"),
        // A no bid at a dollar is a yes offer for nothing: money on the street.
        ("no", "1.0000", "1.00"),
        ("no", "0.0000", "1.00"),
    ] {
        for lead in ["", " "] {
            let mut t = Bench::new();
            t.frame(&snapshot(1, 1, "KXA"));
            t.frame(&format!("{lead}{}", delta(1, 2, "KXA", side, px, change)));
            assert_eq!(t.health(A), Health::Stale, "{side} {px} {change}");
            assert_eq!(t.session.figures().rejected_changes, 1, "{side} {px} {change}");
            assert_eq!((t.bids(A), t.asks(A)), (vec![(4_000, 500)], vec![(6_000, 500)]));
        }
    }
}

#[test]
fn a_snapshot_with_a_level_that_cannot_be_makes_the_book_stale() {
    for (yes, no) in [
        (r#"[["0.4050","5.00"]]"#, "[]"),
        (r#"[["1.0000","5.00"]]"#, "[]"),
        ("[]", r#"[["1.0000","5.00"]]"#),
    ] {
        let mut t = Bench::new();
        t.frame(&snapshot(1, 1, "KXA"));
        t.frame(&book(1, 2, "KXA", yes, no));
        assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Stale, 1), "{yes} {no}");
        assert_eq!(t.session.figures().rejected_changes, 1);
    }
}

#[test]
fn a_book_message_outside_every_count_is_not_believed() {
    for strip in ["\"sid\":1,", "\"seq\":2,"] {
        let mut t = Bench::new();
        t.frame(&snapshot(1, 1, "KXA"));
        t.frame(&more(1, 2, "KXA").replace(strip, ""));
        assert_eq!((t.health(A), t.bids(A)), (Health::Stale, vec![(4_000, 500)]), "{strip}");
        let mut t = Bench::new();
        t.frame(&snapshot(1, 2, "KXA").replace(strip, ""));
        assert_ne!(t.health(A), Health::Sound, "{strip}");
        assert_eq!(t.session.figures().rejected_changes, 1, "{strip}");
    }
}

#[test]
fn the_last_number_there_is_ends_a_count_without_harm() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, u64::MAX, "KXA"));
    for seq in [0, 1, u64::MAX] {
        t.frame(&format!(" {}", more(1, seq, "KXA")));
    }
    assert_eq!((t.session.figures().out_of_order, t.bids(A)), (3, vec![(4_000, 500)]));
}

#[test]
fn a_count_that_is_wrong_does_not_freeze_a_sound_book() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1 << 50, "KXA"));
    for seq in 1..=u64::from(OLD_MAX) {
        t.frame(&more(1, seq, "KXA"));
    }
    assert_eq!(t.health(A), Health::Gap);
    t.frame(&snapshot(1, u64::from(OLD_MAX) + 1, "KXA"));
    assert_eq!(t.health(A), Health::Sound, "and it heals");
}

#[test]
fn more_subscriptions_than_can_be_counted_are_not_believed() {
    let mut t = Bench::new();
    for sid in 0..SEQUENCES_MAX as u64 {
        t.frame(&format!(r#"{{"type":"ok","sid":{sid},"seq":1,"msg":{{}}}}"#));
    }
    t.frame(&snapshot(100_000, 1, "KXA"));
    t.frame(&more(100_000, 3, "KXA"));
    assert_ne!(t.health(A), Health::Sound);
    assert!(t.session.figures().sequence_gaps > 0);
}

#[test]
fn a_market_id_that_would_read_otherwise_as_bytes_is_never_compared() {
    // As text, this id would close its string in a frame and hide a second price in it.
    let id = r#"a\",\"price_dollars\":\"0.9900\",\"x\":\"bb"#;
    let raw = r#"a","price_dollars":"0.9900","x":"bb"#;
    assert_eq!(raw.len(), 36 - 1);
    let (id, raw) = (format!("{id}c"), format!("{raw}c"));
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA").replace(ID, &id));
    assert_eq!(t.health(A), Health::Sound);
    t.frame(&more(1, 2, "KXA").replace(ID, &raw));
    assert_eq!(t.session.figures().fast, 0);
    assert_eq!((t.session.figures().parse_errors, t.health(A)), (1, Health::Gap), "a field twice");
}

#[test]
fn endless_new_tickers_end_at_the_reserve() {
    let mut t = Bench::with(Options { no_side: NoSide::NoPrice, learn: true }, &[]);
    for n in 0..200 {
        t.frame(&snapshot(1, n + 1, &format!("KXNEW-{n}")));
    }
    let figures = *t.session.figures();
    assert_eq!(
        (t.session.markets(), figures.reserve_empty, figures.unknown_markets),
        (8, 192, 192)
    );
    let long = "K".repeat(TICKER_MAX + 1);
    t.frame(&snapshot(1, 201, &long));
    assert_eq!((t.session.markets(), t.session.figures().unknown_markets), (8, 193));
}

#[test]
fn a_learnt_market_is_refined_where_a_price_asks_for_it() {
    let mut t = Bench::with(Options { no_side: NoSide::NoPrice, learn: true }, &[]);
    t.frame(&snapshot(1, 1, "KXNEW"));
    t.frame(&delta(1, 2, "KXNEW", "yes", "0.4001", "1.00"));
    assert_eq!((t.health(A), t.bids(A)), (Health::Sound, vec![(4_000, 500), (4_001, 100)]));
}

#[test]
fn the_largest_sizes_there_are_stay_exact() {
    let mut t = Bench::new();
    t.frame(&book(1, 1, "KXA", r#"[["0.4000","10000000000000.00"]]"#, "[]"));
    assert_eq!((t.bids(A), t.health(A)), (vec![(4_000, Qty::MAX.e2())], Health::Sound));
    assert_eq!(t.session.top(A).best_bid_raw(), (4_000, u32::MAX), "understated, never overstated");
    t.frame(&more(1, 2, "KXA"));
    assert_eq!((t.bids(A), t.health(A)), (vec![(4_000, Qty::MAX.e2())], Health::Stale));
}

#[test]
fn as_many_markets_as_a_venue_may_have() {
    let mut session = Session::new(
        Options { no_side: NoSide::NoPrice, learn: false },
        Slab::new([MARKETS_MAX + 1, 0, 0]),
    );
    for n in 0..MARKETS_MAX {
        let id = session.add_market(&format!("KXM-{n}"), &Grid::CENT).unwrap();
        assert_eq!((id.index(), id.venue()), (n, Venue::Kalshi));
    }
    assert_eq!(session.add_market("KXMORE", &Grid::CENT), Err(AddError::TooMany));
    let mut sink = Recorder::default();
    let last = MARKETS_MAX - 1;
    session.on_frame(1, ms(1), snapshot(1, 1, &format!("KXM-{last}")).as_bytes(), &mut sink);
    session.on_frame(1, ms(1), more(1, 2, &format!("KXM-{last}")).as_bytes(), &mut sink);
    assert_eq!((session.figures().fast, sink.last().market.index()), (1, last));
}

#[test]
fn names_are_checked() {
    let mut t = Bench::new();
    for bad in ["", "K X", "KX\"", "KX\\", "KXÄ", &"K".repeat(TICKER_MAX + 1)] {
        assert_eq!(t.session.add_market(bad, &Grid::CENT), Err(AddError::Name), "{bad}");
    }
    assert!(
        matches!(t.session.add_market("KXA", &Grid::CENT), Err(AddError::Known(id)) if id.index() == A)
    );
    let longest = "K".repeat(TICKER_MAX);
    let number = t.session.add_market(&longest, &Grid::CENT).unwrap().index();
    t.frame(&snapshot(1, 1, &longest));
    t.frame(&more(1, 2, &longest));
    assert_eq!((t.session.figures().fast, t.bids(number)), (1, vec![(4_000, 600)]));
}

#[test]
fn what_nobody_asked_for_is_counted_and_ignored() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(&snapshot(1, 2, "KXZ"));
    t.frame(&more(1, 3, "KXZ"));
    t.frame(r#"{"type":"whatever","sid":1,"seq":4,"msg":[1,{"a":null}]}"#);
    t.frame(&more(1, 5, "KXA"));
    let figures = t.session.figures();
    assert_eq!((figures.unknown_markets, figures.unknown_types, figures.sequence_gaps), (2, 1, 0));
    assert_eq!(t.health(A), Health::Sound);
}
