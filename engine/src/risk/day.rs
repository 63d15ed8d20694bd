//! What today came to: UTC days, because a day must be the same for everyone who reads the books.

use crate::units::{Ns, Usd};

const DAY_NS: u64 = 86_400_000_000_000;

/// A day and what it came to, as it is written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DayResult {
    /// Days since the epoch.
    pub day: u64,
    /// Below zero is a loss.
    pub result: Usd,
}

/// Follows the result of the present day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Day {
    day: u64,
    /// What was there when this run, or the day, began: it came before.
    carried: Usd,
    base: Usd,
}

impl Day {
    /// Goes on from what an earlier run wrote down.
    pub const fn new(before: DayResult) -> Day {
        Day { day: before.day, carried: before.result, base: Usd::ZERO }
    }

    /// The day of `wall`, Unix time, begins where it has not: what everything since the start of the
    /// run came to so far, `sum`, is not its. Whoever books something says this first.
    pub fn turn(&mut self, wall: Ns, sum: Usd) {
        let day = wall.0 / DAY_NS;
        // A clock that steps back does not bring yesterday's limit back.
        if day > self.day {
            *self = Day { day, carried: Usd::ZERO, base: sum };
        }
    }

    /// The result of the day of `wall` where everything since the start of the run came to `sum`.
    pub fn result(&mut self, wall: Ns, sum: Usd) -> DayResult {
        self.turn(wall, sum);
        DayResult { day: self.day, result: self.carried + sum - self.base }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_carried_over_a_restart_and_forgotten_with_its_day() {
        let at = |day: u64, ns: u64| Ns(day * DAY_NS + ns);
        let before = DayResult { day: 20_000, result: Usd::new(-70) };
        let mut day = Day::new(before);
        assert_eq!(day.result(at(20_000, 5), Usd::ZERO), before);
        assert_eq!(day.result(at(20_000, DAY_NS - 1), Usd::new(-30)).result, Usd::new(-100));
        assert_eq!(
            day.result(at(20_001, 0), Usd::new(-40)),
            DayResult { day: 20_001, result: Usd::ZERO },
            "what came just before is yesterday's"
        );
        assert_eq!(day.result(at(20_000, 7), Usd::new(-45)).result, Usd::new(-5));
        // What was written down long ago is not today's.
        let mut day = Day::new(before);
        assert_eq!(day.result(at(20_009, 1), Usd::new(3)).result, Usd::ZERO);
    }
}
