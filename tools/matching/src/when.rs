//! Days and seconds of the civil calendar, and the eastern time that both venues' rules speak.

use serde::{Deserialize, Serialize};

/// Seconds since 1970, UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UnixTime(pub i64);

/// Days since 1970.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Day(pub i32);

const DAY_S: i64 = 86_400;
/// Years outside of this range are no dates of a market.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

impl Day {
    /// The day of a civil date; none where there is no such date.
    #[must_use]
    pub fn new(year: i32, month: u32, day: u32) -> Option<Day> {
        let valid = YEARS.contains(&year) && (1..=12).contains(&month);
        if !valid || day == 0 || day > days_in(year, month) {
            return None;
        }
        // Days from civil, by Howard Hinnant: March is the first month, so that leap days end a year.
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let month = i32::try_from((month + 9) % 12).ok()?;
        let of_year = (153 * month + 2) / 5 + i32::try_from(day).ok()? - 1;
        let days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        Some(Day(era * 146_097 + days - 719_468))
    }

    /// Year, month, day.
    #[must_use]
    pub fn civil(self) -> (i32, u32, u32) {
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let of_era_year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = of_era_year + era * 400 + i32::from(month <= 2);
        (year, month.unsigned_abs(), day.unsigned_abs())
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.civil().0
    }

    /// Midnight UTC at its beginning.
    #[must_use]
    pub fn start(self) -> UnixTime {
        UnixTime(i64::from(self.0) * DAY_S)
    }

    /// `YYYY-MM-DD`.
    #[must_use]
    pub fn text(self) -> String {
        let (year, month, day) = self.civil();
        format!("{year:04}-{month:02}-{day:02}")
    }
}

/// Days of a month.
#[must_use]
pub fn days_in(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl UnixTime {
    /// The day in UTC.
    #[must_use]
    pub fn day(self) -> Day {
        Day(i32::try_from(self.0.div_euclid(DAY_S)).unwrap_or_default())
    }

    /// Seconds after midnight UTC.
    #[must_use]
    pub fn second_of_day(self) -> i64 {
        self.0.rem_euclid(DAY_S)
    }

    /// The same instant on a clock in New York, as if that clock were UTC.
    #[must_use]
    pub fn eastern(self) -> UnixTime {
        UnixTime(self.0 - eastern_offset(self))
    }

    /// The day in New York.
    #[must_use]
    pub fn eastern_day(self) -> Day {
        self.eastern().day()
    }

    /// An instant given by a clock in New York.
    #[must_use]
    pub fn from_eastern(day: Day, second: i64) -> UnixTime {
        let standard = UnixTime(day.start().0 + second + 5 * 3600);
        UnixTime(day.start().0 + second + eastern_offset(standard))
    }

    /// `YYYY-MM-DDTHH:MM:SSZ`.
    #[must_use]
    pub fn text(self) -> String {
        let second = self.second_of_day();
        let (hour, minute) = (second / 3600, second / 60 % 60);
        format!("{}T{hour:02}:{minute:02}:{:02}Z", self.day().text(), second % 60)
    }

    /// Reads `2026-11-03T00:00:00Z`, with a fraction, an offset or a blank for the `T`, as both
    /// venues write it; a bare date is its midnight UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<UnixTime> {
        let text = text.trim();
        let date = text.get(..10)?;
        let mut parts = date.split('-');
        let year = parts.next()?.parse().ok()?;
        let (month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let start = Day::new(year, month, day)?.start().0;
        let rest = text.get(10..)?;
        if rest.is_empty() {
            return Some(UnixTime(start));
        }
        let rest = rest.strip_prefix(['T', ' ', 't'])?;
        let clock_end = rest.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.'));
        let (clock, zone) = rest.split_at(clock_end.unwrap_or(rest.len()));
        let mut parts = clock.split(':');
        let hour: i64 = parts.next()?.parse().ok()?;
        let minute: i64 = parts.next()?.parse().ok()?;
        let second: i64 = match parts.next() {
            Some(second) => second.split('.').next()?.parse().ok()?,
            None => 0,
        };
        if hour > 24 || minute > 59 || second > 60 {
            return None;
        }
        let offset = match zone.trim() {
            "" | "Z" | "z" | "UTC" => 0,
            zone => {
                let sign = match zone.as_bytes().first()? {
                    b'+' => 1,
                    b'-' => -1,
                    _ => return None,
                };
                let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
                let hours: i64 = digits.get(..2)?.parse().ok()?;
                let minutes: i64 = digits.get(2..4).unwrap_or("0").parse().ok()?;
                sign * (hours * 3600 + minutes * 60)
            }
        };
        Some(UnixTime(start + hour * 3600 + minute * 60 + second - offset))
    }
}

/// Seconds that New York is behind UTC. The rule is that of 2007 and later: daylight saving from
/// the second Sunday of March to the first Sunday of November, at two o'clock local time.
fn eastern_offset(at: UnixTime) -> i64 {
    let (year, _, _) = at.day().civil();
    let sunday = |month: u32, nth: i32| {
        let first = Day::new(year, month, 1).unwrap_or_default();
        // 1970-01-01 was a Thursday: day 3 was the first Sunday.
        let to_sunday = (3 - first.0).rem_euclid(7);
        first.0 + to_sunday + 7 * (nth - 1)
    };
    let begin = i64::from(sunday(3, 2)) * DAY_S + 7 * 3600;
    let end = i64::from(sunday(11, 1)) * DAY_S + 6 * 3600;
    if (begin..end).contains(&at.0) { 4 * 3600 } else { 5 * 3600 }
}

#[cfg(test)]
#[path = "when_tests.rs"]
mod tests;
