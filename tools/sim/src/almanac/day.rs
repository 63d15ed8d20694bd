//! Dates as tickers, slugs and rules write them.

use time::{Date, Duration, OffsetDateTime};

/// A day, in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Day(Date);

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Day {
    /// The day of Unix seconds; a time beyond all calendars is 1970.
    pub fn of(seconds: u64) -> Day {
        let seconds = i64::try_from(seconds).unwrap_or(0);
        let at = OffsetDateTime::from_unix_timestamp(seconds);
        Day(at.unwrap_or(OffsetDateTime::UNIX_EPOCH).date())
    }

    /// So many days later.
    pub fn plus(self, days: u64) -> Day {
        let days = i64::try_from(days).unwrap_or(0);
        Day(self.0.checked_add(Duration::days(days)).unwrap_or(self.0))
    }

    /// The last day of its month.
    pub fn month_end(self) -> Day {
        let (year, month, _) = self.0.to_calendar_date();
        let last = month.length(year);
        Day(Date::from_calendar_date(year, month, last).unwrap_or(self.0))
    }

    /// Unix seconds of an hour and a minute of it.
    pub fn at(self, hour: u64, minute: u64) -> u64 {
        let midnight = self.0.midnight().assume_utc().unix_timestamp();
        u64::try_from(midnight).unwrap_or(0) + hour * 3_600 + minute * 60
    }

    /// `26NOV24`.
    pub fn code(self) -> String {
        let (year, month, day) = self.0.to_calendar_date();
        let name = MONTHS[usize::from(u8::from(month)) - 1][..3].to_uppercase();
        format!("{:02}{name}{day:02}", year.rem_euclid(100))
    }

    /// `26NOV`.
    pub fn month_code(self) -> String {
        self.code()[..5].to_owned()
    }

    /// `2026-11-24`.
    pub fn iso(self) -> String {
        let (year, month, day) = self.0.to_calendar_date();
        format!("{year:04}-{:02}-{day:02}", u8::from(month))
    }

    /// `Nov 24, 2026`.
    pub fn short(self) -> String {
        let (year, _, day) = self.0.to_calendar_date();
        format!("{} {day}, {year}", &self.month()[..3])
    }

    /// `November 24`.
    pub fn long(self) -> String {
        format!("{} {}", self.month(), self.0.day())
    }

    /// `November 24, 2026`.
    pub fn full(self) -> String {
        format!("{}, {}", self.long(), self.year())
    }

    /// `November`.
    pub fn month(self) -> &'static str {
        MONTHS[usize::from(u8::from(self.0.month())) - 1]
    }

    /// The year.
    pub const fn year(self) -> i32 {
        self.0.year()
    }

    /// Its month of a later month, the first day.
    pub fn next_month(self) -> Day {
        self.month_end().plus(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling() {
        let day = Day::of(1_795_262_400).plus(3);
        assert_eq!((day.code(), day.iso()), ("26NOV24".into(), "2026-11-24".into()));
        assert_eq!((day.short(), day.full()), ("Nov 24, 2026".into(), "November 24, 2026".into()));
        assert_eq!(
            (day.month_end().iso(), day.next_month().iso()),
            ("2026-11-30".into(), "2026-12-01".into())
        );
        assert_eq!(day.at(1, 2), 1_795_262_400 - 43_200 + 3 * 86_400 + 3_720);
        assert_eq!(Day::of(u64::MAX).iso(), "1970-01-01");
    }
}
