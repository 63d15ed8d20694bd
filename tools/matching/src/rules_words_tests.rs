use super::*;

#[test]
fn the_case_of_no_result_is_told_from_a_no() {
    let of = |text: &str| has_no_result(&format!(" {} ", spaced(text)));
    for text in [
        "If no winner of the award has been declared by Friday, it goes to Other.",
        "If the report is not released in time, a fair price is paid.",
        "Should the cup be cancelled, or not be completed by then, it is void.",
        "If the figure has not yet been published",
    ] {
        assert!(of(text), "{text}");
    }
    for text in [
        "If the figure is published, this will resolve to \"No\" once announced.",
        "The figure is not published by us.",
        "If he is not the winner, it resolves to No.",
        "",
        "no",
        "if not",
    ] {
        assert!(!of(text), "{text}");
    }
}

#[test]
fn figures_are_rounded_printed_and_adjusted_in_few_ways() {
    for (text, want) in [
        ("The unrounded figure counts", Some("unrounded")),
        ("with all decimal places", Some("unrounded")),
        ("rounded to one decimal place", Some("1 decimal")),
        ("rounded to the nearest tenth", Some("1 decimal")),
        ("to the nearest whole degree", Some("0 decimals")),
        ("2 decimal places", Some("2 decimals")),
        ("decimal", None),
        ("The figure counts", None),
    ] {
        assert_eq!(rounded(text).as_deref(), want, "{text}");
    }
    assert_eq!(rounded("Rounded as they like").as_deref(), Some("rounded as they like"));
    for (text, want) in [
        ("later revisions will not be considered", Some("first")),
        ("the figure of the first release", Some("first")),
        ("the revised figure counts", Some("revised")),
        ("the figure counts", None),
    ] {
        assert_eq!(revised(text), want, "{text}");
    }
    for (text, want) in [
        ("the not seasonally adjusted rate", Some("unadjusted")),
        ("the non-seasonally-adjusted rate", Some("unadjusted")),
        ("the seasonally adjusted rate", Some("adjusted")),
        ("the rate", None),
    ] {
        assert_eq!(adjusted(text), want, "{text}");
    }
}

#[test]
fn a_clock_has_the_zone_that_is_named_beside_it() {
    let of = |text: &str| timed(&tokens(text));
    for (text, zone) in [
        ("11:59 PM ET", Some("ET")),
        ("11:59 pm Eastern Time", Some("ET")),
        ("11:59 PM (PT)", Some("PT")),
        ("11:59 PM UTC", Some("UTC")),
        ("11:59 PM China Standard Time", Some("China")),
        ("11:59 PM this evening", None),
        ("11:59 PM", None),
    ] {
        assert_eq!(of(text), Some((1_439, zone.map(str::to_owned))), "{text}");
    }
    assert_ne!(of("11:59 PM GMT+8"), of("11:59 PM GMT"));
    assert_eq!(of("in 2026"), None);
}
