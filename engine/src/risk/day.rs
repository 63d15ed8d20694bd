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

impl DayResult {
    /// The day of a time; Unix.
    pub const fn day_of(wall: Ns) -> u64 {
        wall.0 / DAY_NS
    }
}

impl Day {
    /// Goes on from what an earlier run wrote down.
    pub const fn new(before: DayResult) -> Day {
        Day { day: before.day, carried: before.result, base: Usd::ZERO }
    }

    /// The day of `wall`, Unix time, begins where it has not: what everything since the start of the
    /// run realised so far is not its. Whoever books something says this first.
    pub fn turn(&mut self, wall: Ns, realised: Usd) {
        let day = DayResult::day_of(wall);
        // A clock that steps back does not bring yesterday's limit back.
        if day > self.day {
            *self = Day { day, carried: Usd::ZERO, base: realised };
        }
    }

    /// The result of the day of `wall`, where everything since the start of the run realised
    /// `realised`, and what is held on one side alone cost `open`: that counts as lost until it is
    /// closed, also where it was bought the day before, for what closes it is no gain beyond its
    /// cost.
    pub fn result(&mut self, wall: Ns, realised: Usd, open: Usd) -> DayResult {
        self.turn(wall, realised);
        DayResult { day: self.day, result: self.carried + realised - self.base - open }
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
        assert_eq!(day.result(at(20_000, 5), Usd::ZERO, Usd::ZERO), before);
        assert_eq!(
            day.result(at(20_000, DAY_NS - 1), Usd::new(-30), Usd::ZERO).result,
            Usd::new(-100)
        );
        assert_eq!(
            day.result(at(20_001, 0), Usd::new(-40), Usd::ZERO),
            DayResult { day: 20_001, result: Usd::ZERO },
            "what came just before is yesterday's"
        );
        assert_eq!(day.result(at(20_000, 7), Usd::new(-45), Usd::ZERO).result, Usd::new(-5));
        // What was written down long ago is not today's.
        let mut day = Day::new(before);
        assert_eq!(day.result(at(20_009, 1), Usd::new(3), Usd::ZERO).result, Usd::ZERO);
    }

    #[test]
    fn what_was_held_overnight_brings_no_more_than_it_cost() {
        let at = |day: u64| Ns(day * DAY_NS + 1);
        let mut day = Day::new(DayResult { day: 20_000, result: Usd::ZERO });
        let mut result = |wall, realised: i64, open: i64| {
            day.result(wall, Usd::new(realised), Usd::new(open)).result.e6()
        };
        assert_eq!(result(at(20_000), 5, 40), -35);
        assert_eq!(result(at(20_001), 5, 40), -40, "it may be lost today as well");
        // It cost 40 and is sold for 45.
        assert_eq!(result(at(20_001), 10, 0), 5);
    }
}
