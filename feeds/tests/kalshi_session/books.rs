//! Books, counts and grids.

use super::*;

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
