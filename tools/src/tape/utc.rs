//! Unix time as people write it, in UTC (RFC 3339).

use engine::units::Ns;

/// `2026-11-21T18:00:00.000007Z`: to the microsecond, cut off.
pub fn micros(unix: Ns) -> String {
    format!("{}.{:06}Z", to_second(unix), unix.0 % 1_000_000_000 / 1_000)
}

/// `2026-11-21T18:00:00.000007919Z`: to the nanosecond.
pub fn nanos(unix: Ns) -> String {
    format!("{}.{:09}Z", to_second(unix), unix.0 % 1_000_000_000)
}

fn to_second(unix: Ns) -> String {
    let seconds = unix.0 / 1_000_000_000;
    let (year, month, day) = date_of(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// Year, month and day of a day counted from 1970-01-01 (Hinnant, "chrono-compatible low-level
/// date algorithms", `civil_from_days`, for days after the epoch).
fn date_of(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468; // days from 0000-03-01
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        assert_eq!(nanos(Ns(0)), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(micros(Ns(1_795_284_000_007_919_999)), "2026-11-21T18:00:00.007919Z");
        assert_eq!(nanos(Ns(951_782_399_999_999_999)), "2000-02-28T23:59:59.999999999Z");
        assert_eq!(nanos(Ns(951_782_400_000_000_000)), "2000-02-29T00:00:00.000000000Z");
        assert_eq!(nanos(Ns(1_709_251_200_000_000_000)), "2024-03-01T00:00:00.000000000Z");
        assert_eq!(nanos(Ns(u64::MAX)), "2554-07-21T23:34:33.709551615Z");
    }
}
