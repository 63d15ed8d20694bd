use super::*;
use crate::token::tokens;

fn read(text: &str) -> Vec<(SpanKind, String, String)> {
    let found = tokens(text);
    let mut used = vec![false; found.len()];
    let anchor = Day::new(2026, 7, 1);
    let all = spans(&found, &mut used, anchor);
    all.into_iter().map(|s| (s.kind, s.first.text(), s.last.text())).collect()
}

fn one(text: &str) -> (SpanKind, String) {
    let all = read(text);
    assert_eq!(all.len(), 1, "{text}: {all:?}");
    (all[0].0, all[0].2.clone())
}

#[test]
fn by_before_in_and_on_are_not_the_same() {
    use SpanKind::{Deadline, On, Within};
    let cases = [
        ("by June 30, 2026", Deadline, "2026-06-30"),
        ("by June 30", Deadline, "2026-06-30"),
        ("before Jan 2027", Deadline, "2026-12-31"),
        ("before 2027", Deadline, "2026-12-31"),
        ("before Jan 1, 2027", Deadline, "2026-12-31"),
        ("by end of 2026", Deadline, "2026-12-31"),
        ("before the end of 2026", Deadline, "2026-12-31"),
        ("at the end of 2026", On, "2026-12-31"),
        ("best model end of July?", On, "2026-07-31"),
        ("ends in July", Within, "2026-07-31"),
        ("on July 12-15, 2026", Within, "2026-07-15"),
        ("before April?", Deadline, "2026-03-31"),
        ("in 2026", Within, "2026-12-31"),
        ("in June 2026", Within, "2026-06-30"),
        ("Q2 2026", Within, "2026-06-30"),
        ("on July 28-29, 2026", On, "2026-07-29"),
        ("on 3 March 2026", On, "2026-03-03"),
        ("before 2026-02-01T15:00:00.000Z?", Deadline, "2026-01-31"),
        ("rise in May?", Within, "2026-05-31"),
    ];
    for (text, kind, last) in cases {
        assert_eq!(one(text), (kind, last.to_owned()), "{text}");
    }
}

#[test]
fn words_that_look_like_dates_are_none() {
    for text in ["it may rain", "Will May win?", "march on", "70% of 45", "B8 vs 9z", "2,026 cases"]
    {
        let all = read(text);
        assert!(all.is_empty(), "{text}: {all:?}");
    }
}

#[test]
fn a_season_is_two_years() {
    let all = read("for the Knicks in 2026-27?");
    assert_eq!(all, [(SpanKind::Within, "2026-07-01".to_owned(), "2027-06-30".to_owned())]);
}
