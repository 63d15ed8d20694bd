//! Bad input.

use super::*;

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
