//! Weekly pauses of the venues, in New York's time as both venues tell them.

use crate::units::{Ns, Venue};

/// Most windows of a calendar.
pub const WINDOWS_MAX: usize = 8;

const MINUTE_NS: u64 = 60_000_000_000;
const DAY_MINUTES: u64 = 24 * 60;
const WEEK_MINUTES: u64 = 7 * DAY_MINUTES;

/// A pause that comes back every week. Minutes count from Sunday, midnight in New York.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Weekly {
    /// Whose.
    pub venue: Venue,
    /// Its first minute, below the minutes of a week.
    pub from: u16,
    /// How many minutes, at most a day: in the autumn an hour of Sunday comes twice.
    pub minutes: u16,
}

/// The pauses of both venues, and what was found for the present minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Calendar {
    windows: [Option<Weekly>; WINDOWS_MAX],
    /// The minute that `closed` was found for, by its first moment; far ahead before the first.
    minute: Ns,
    closed: [bool; 2],
}

impl Calendar {
    /// No pause.
    pub const NONE: Calendar = Calendar {
        windows: [None; WINDOWS_MAX],
        minute: Ns(u64::MAX - MINUTE_NS),
        closed: [false; 2],
    };

    /// A calendar of these pauses; `None` for more than [`WINDOWS_MAX`], or one that is no part of
    /// a week.
    pub fn new(pauses: &[Weekly]) -> Option<Calendar> {
        let fits = |w: &Weekly| {
            u64::from(w.from) < WEEK_MINUTES && (1..=DAY_MINUTES).contains(&u64::from(w.minutes))
        };
        if pauses.len() > WINDOWS_MAX || !pauses.iter().all(fits) {
            return None;
        }
        let mut calendar = Calendar::NONE;
        for (place, pause) in calendar.windows.iter_mut().zip(pauses) {
            *place = Some(*pause);
        }
        Some(calendar)
    }

    /// The pauses.
    pub fn pauses(&self) -> impl Iterator<Item = &Weekly> {
        self.windows.iter().flatten()
    }

    /// True while the venue pauses; `wall` is Unix time.
    #[inline]
    pub fn is_closed(&mut self, venue: Venue, wall: Ns) -> bool {
        // Windows begin and end with minutes, so a minute is looked up once. A moment before it
        // wraps to far behind it.
        if wall.0.wrapping_sub(self.minute.0) >= MINUTE_NS {
            self.look_up(wall.0 / MINUTE_NS);
        }
        self.closed[venue.index()]
    }

    #[cold]
    fn look_up(&mut self, minute: u64) {
        let local = (minute + 4 * DAY_MINUTES - offset_minutes(minute)) % WEEK_MINUTES;
        self.minute = Ns(minute * MINUTE_NS);
        self.closed = [false; 2];
        for window in self.windows.iter().flatten() {
            let since = (local + WEEK_MINUTES - u64::from(window.from)) % WEEK_MINUTES;
            self.closed[window.venue.index()] |= since < u64::from(window.minutes);
        }
    }
}

/// How far New York is behind UTC. Summer time runs from the second Sunday of March, 07:00 UTC, to
/// the first Sunday of November, 06:00 UTC.
fn offset_minutes(minute: u64) -> u64 {
    let day = minute / DAY_MINUTES;
    let march_first = march_first(day);
    // The epoch's day was a Thursday; Sunday is 0.
    let first_sunday_from = |day: u64| day + (7 - (day + 4) % 7) % 7;
    let begins = (first_sunday_from(march_first) + 7) * DAY_MINUTES + 7 * 60;
    // November begins 245 days after the first of March, in every year.
    let ends = first_sunday_from(march_first + 245) * DAY_MINUTES + 6 * 60;
    if (begins..ends).contains(&minute) { 4 * 60 } else { 5 * 60 }
}

/// The last first of March that is not after `day`, as days since the epoch. Years that begin in
/// March end with the leap day, which makes their lengths regular.
fn march_first(day: u64) -> u64 {
    // Days since the first of March of the year 0.
    let shifted = day + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    (era * 146_097 + 365 * year + year / 4 - year / 100).saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Unix seconds, checked with `date -d`.
    const THURSDAY_3_00_WINTER: u64 = 1_796_889_600; // 2026-12-10T08:00:00Z
    const THURSDAY_3_00_SUMMER: u64 = 1_783_580_400; // 2026-07-09T07:00:00Z

    fn thursday() -> Calendar {
        let pause = Weekly { venue: Venue::Kalshi, from: 4 * 1_440 + 3 * 60, minutes: 120 };
        Calendar::new(&[pause]).unwrap()
    }

    fn closed(calendar: &mut Calendar, second: u64) -> bool {
        calendar.is_closed(Venue::Kalshi, Ns(second * 1_000_000_000))
    }

    #[test]
    fn thursdays_pause_follows_new_yorks_clock() {
        let mut calendar = thursday();
        for start in [THURSDAY_3_00_WINTER, THURSDAY_3_00_SUMMER] {
            assert!(!closed(&mut calendar, start - 1), "just before");
            assert!(closed(&mut calendar, start));
            assert!(closed(&mut calendar, start + 2 * 3_600 - 1));
            assert!(!closed(&mut calendar, start + 2 * 3_600));
            assert!(
                !closed(&mut calendar, start - 86_400) && !closed(&mut calendar, start + 86_400)
            );
            assert!(closed(&mut calendar, start + 7 * 86_400));
            assert!(!calendar.is_closed(Venue::Polymarket, Ns(start * 1_000_000_000)));
        }
    }

    #[test]
    fn summer_time_begins_and_ends_on_its_sundays() {
        // Minutes since the epoch of changes that are known: 2024 to 2027, a leap year among them.
        let begins = [1_710_054_000u64, 1_741_503_600, 1_772_953_200, 1_805_007_600];
        let ends = [1_730_613_600u64, 1_762_063_200, 1_793_512_800, 1_825_567_200];
        for (begins, ends) in begins.into_iter().zip(ends) {
            let offsets = [begins - 60, begins, ends - 60, ends].map(|s| offset_minutes(s / 60));
            assert_eq!(offsets, [300, 240, 240, 300]);
        }
    }

    #[test]
    fn a_window_may_run_into_the_next_week() {
        let night = Weekly { venue: Venue::Polymarket, from: 7 * 1_440 - 10, minutes: 20 };
        let mut calendar = Calendar::new(&[night]).unwrap();
        // Sunday 2026-12-13, midnight in New York.
        let sunday = 1_797_138_000u64;
        let at = |calendar: &mut Calendar, second: u64| {
            calendar.is_closed(Venue::Polymarket, Ns(second * 1_000_000_000))
        };
        assert!(!at(&mut calendar, sunday - 601) && at(&mut calendar, sunday - 600));
        assert!(at(&mut calendar, sunday + 599) && !at(&mut calendar, sunday + 600));
    }

    #[test]
    fn what_is_no_part_of_a_week_is_refused() {
        let window = |from, minutes| Weekly { venue: Venue::Kalshi, from, minutes };
        assert_eq!(Calendar::new(&[window(10_080, 1)]), None);
        assert_eq!(Calendar::new(&[window(0, 0)]), None);
        assert_eq!(Calendar::new(&[window(0, 1_441)]), None);
        assert_eq!(Calendar::new(&[window(0, 1); WINDOWS_MAX + 1]), None);
    }
}
