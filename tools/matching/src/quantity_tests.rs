use super::*;
use crate::quantity_read::quantities;
use crate::token::tokens;

fn read(text: &str) -> String {
    let found = tokens(text);
    let mut used = vec![false; found.len()];
    let all = quantities(&found, &mut used);
    all.into_iter().map(Quantity::text).collect::<Vec<_>>().join("; ")
}

#[test]
fn comparisons_are_read_before_and_behind_a_number() {
    let cases = [
        ("rise more than 0.6%", "> 0.6 %"),
        ("be 0.6% or more", ">= 0.6 %"),
        ("above $100,000", "> 100000 $"),
        ("at least 10000 cases", ">= 10000"),
        ("hit $1.5m", "1500000 $"),
        ("$2 trillion or above", ">= 2000000000000 $"),
        ("80° to 81°", "80 to 81°"),
        ("80-81°F", "80 to 81°F"),
        ("between 3.5% and 4%", "3.5 to 4 %"),
        ("226-229 seats", "226 to 229"),
        ("50+ bps decrease", ">= 0.5 %"),
        ("25 basis points", "0.25 %"),
        ("over 2.5 goals", ">= 3"),
        ("no more than 5", "<= 5"),
        ("longer than 30 days", "> 30"),
        ("less than or equal to 5", "<= 5"),
        ("fewer than 5", "< 5"),
        ("below -0.1%", "< -0.1 %"),
        ("10–15%", "10 to 15 %"),
        ("B8 and 9z", ""),
    ];
    for (text, want) in cases {
        assert_eq!(read(text), want, "{text}");
    }
}

#[test]
fn bounds_compare_by_the_numbers_they_let_in() {
    let percent = |v: &str| micro(v).unwrap();
    let above = |v, included| Quantity::above(percent(v), included, Unit::Percent);
    assert_eq!(above("0.6", false).compare(above("0.6", false)), Match::Equal);
    assert_eq!(above("0.6", false).compare(above("0.6", true)), Match::Boundary);
    assert_eq!(above("0.6", false).compare(above("0.7", false)), Match::Different);
    let below = |v, included| Quantity::below(percent(v), included, Unit::Percent);
    assert_eq!(above("0.6", false).compare(below("0.6", true)), Match::Complement);
    assert_eq!(above("0.6", false).compare(below("0.6", false)), Match::ComplementBoundary);
    let count = |v, included| Quantity::above(percent(v), included, Unit::Count);
    assert_eq!(count("2.5", false).compare(count("3", true)), Match::Equal);
    assert_eq!(count("87", false).compare(count("88", true)), Match::Equal);
    assert_eq!(count("87", false).compare(count("87", true)), Match::Boundary);
    let dollars = |v| Quantity::above(percent(v), true, Unit::Dollar);
    assert_eq!(dollars("99999.99").compare(dollars("100000")), Match::Boundary);
    assert_eq!(dollars("99000").compare(dollars("100000")), Match::Different);
}

#[test]
fn decimals_come_back() {
    for text in ["0", "-0.1", "100000", "3.141592"] {
        assert_eq!(decimal(micro(text).unwrap()), text);
    }
    for text in ["", "x", "1.2.3", "1e5", "99999999999999999999"] {
        assert_eq!(micro(text), None, "{text}");
    }
}
