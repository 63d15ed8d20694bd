use super::*;

#[test]
fn a_day_comes_back_from_its_civil_date() {
    for day in (-25_000..80_000).step_by(7) {
        let (year, month, of_month) = Day(day).civil();
        assert_eq!(Day::new(year, month, of_month), Some(Day(day)));
    }
    assert_eq!(Day::new(2026, 2, 29), None);
    assert_eq!(Day::new(2028, 2, 29).unwrap().text(), "2028-02-29");
}

#[test]
fn venues_write_times_in_several_ways() {
    let want = UnixTime(1_767_243_540);
    for text in [
        "2026-01-01T04:59:00Z",
        "2026-01-01 04:59:00+00",
        "2026-01-01T04:59:00.123456Z",
        "2025-12-31T23:59:00-05:00",
        "2026-01-01T04:59:00",
    ] {
        assert_eq!(UnixTime::parse(text), Some(want), "{text}");
    }
    for text in
        ["", "2026-13-01", "yesterday", "2026-01-01T99:00:00Z", "2026-01-01Tx", "0000-00-00"]
    {
        assert_eq!(UnixTime::parse(text), None, "{text}");
    }
}

#[test]
fn new_york_changes_its_clock_twice_a_year() {
    let eastern = |text: &str| UnixTime::parse(text).unwrap().eastern().text();
    assert_eq!(eastern("2026-07-01T03:59:00Z"), "2026-06-30T23:59:00Z");
    assert_eq!(eastern("2027-01-01T04:59:00Z"), "2026-12-31T23:59:00Z");
    assert_eq!(eastern("2026-03-08T06:59:59Z"), "2026-03-08T01:59:59Z");
    assert_eq!(eastern("2026-03-08T07:00:00Z"), "2026-03-08T03:00:00Z");
    assert_eq!(eastern("2026-11-01T06:00:00Z"), "2026-11-01T01:00:00Z");
    let day = Day::new(2026, 8, 7).unwrap();
    let start = UnixTime::from_eastern(day, 21 * 3600 + 40 * 60);
    assert_eq!(start.text(), "2026-08-08T01:40:00Z");
}
