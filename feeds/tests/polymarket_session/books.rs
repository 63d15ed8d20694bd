//! Books, times and ticks.

use super::*;

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
    let token = TOKENS[YES];
    let tick = format!(
        r#"{{"event_type":"tick_size_change","market":"{MARKET}","asset_id":"{token}","old_tick_size":"0.01","new_tick_size":"0.001","timestamp":"1795000001000"}}"#
    );
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
        // That of another market says only that there is one.
        ("0xelse", schedule("0.05"), Some(Said::Listed(Venue::Polymarket))),
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
