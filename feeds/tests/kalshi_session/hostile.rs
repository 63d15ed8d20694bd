//! Bad input.

use super::*;

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
