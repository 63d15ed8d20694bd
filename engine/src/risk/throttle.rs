//! How often: the last so many moments, and errors in a row.

use crate::risk::limits::Rate;
use crate::units::Ns;

/// The last `N` moments at which something happened; `N` is a power of two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window<const N: usize> {
    /// Monotonic; zero where nothing happened yet.
    at: [Ns; N],
    next: u8,
}

impl<const N: usize> Window<N> {
    /// Nothing has happened.
    pub const NONE: Window<N> = {
        assert!(N.is_power_of_two() && N <= 128);
        Window { at: [Ns(0); N], next: 0 }
    };

    /// True where one more would be no more than `rate` allows, in whichever span of its length; its
    /// count is at most `N`. A clock that stepped back allows nothing.
    #[inline]
    pub fn allows(&self, rate: Rate, now: Ns) -> bool {
        if rate.within == Ns(0) {
            return true;
        }
        debug_assert!(rate.count as usize <= N);
        if rate.count == 0 {
            return false;
        }
        let oldest = self.at[usize::from(self.next).wrapping_sub(rate.count as usize) & (N - 1)];
        oldest == Ns(0) || now >= oldest.after(rate.within)
    }

    /// It happened.
    #[inline]
    pub fn note(&mut self, now: Ns) {
        // Zero stands for never.
        self.at[usize::from(self.next)] = now.max(Ns(1));
        self.next = (self.next + 1) & (N as u8 - 1);
    }
}

/// Errors in a row, and the rest that follows too many.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Streak {
    errors: u32,
    /// Rests since something worked.
    rests: u32,
    until: Ns,
}

impl Streak {
    /// An error; true where it is one too many, and trading rests from now on.
    pub fn error(&mut self, most: u32, rest: Ns, now: Ns) -> bool {
        self.errors = self.errors.saturating_add(1);
        if most == 0 || self.errors < most {
            return false;
        }
        self.errors = 0;
        self.rests = self.rests.saturating_add(1);
        self.until = now.after(rest);
        true
    }

    /// How many rests there were since something worked.
    pub const fn rested(&self) -> u32 {
        self.rests
    }

    /// Something worked.
    #[inline]
    pub const fn works(&mut self) {
        self.errors = 0;
        self.rests = 0;
    }

    /// True while trading rests.
    #[inline]
    pub fn rests(&self, now: Ns) -> bool {
        now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_rate_without_a_span_is_no_limit_and_one_of_nothing_allows_nothing() {
        let mut window = Window::<4>::NONE;
        (0..9).for_each(|_| window.note(Ns(0)));
        assert!(window.allows(Rate::NONE, Ns(0)));
        assert!(!Window::<4>::NONE.allows(Rate { count: 0, within: Ns(1) }, Ns(5)));
    }

    #[test]
    fn errors_in_a_row_make_a_rest_and_a_success_between_them_none() {
        let mut streak = Streak::default();
        assert!(!streak.error(3, Ns(100), Ns(1)) && !streak.error(3, Ns(100), Ns(2)));
        streak.works();
        assert!(!streak.error(3, Ns(100), Ns(3)) && !streak.error(3, Ns(100), Ns(4)));
        assert!(streak.error(3, Ns(100), Ns(5)), "the third in a row");
        assert!(streak.rests(Ns(104)) && !streak.rests(Ns(105)));
        assert!(!streak.error(3, Ns(100), Ns(200)), "counting begins again");
        assert_eq!(streak.rested(), 1);
        streak.works();
        assert_eq!(streak.rested(), 0);
        assert!((0..99).all(|_| !streak.error(0, Ns(1), Ns(300))), "no limit");
    }

    proptest! {
        /// The slow twin keeps every moment and counts those of every span.
        #[test]
        fn no_span_ever_holds_more_than_the_rate(
            count in 1u32..=8,
            within in 1u64..50,
            steps in proptest::collection::vec(0u64..12, 1..200),
        ) {
            let rate = Rate { count, within: Ns(within) };
            let (mut window, mut taken, mut now) = (Window::<8>::NONE, Vec::<u64>::new(), 1);
            for step in steps {
                now += step;
                let recent = taken.iter().filter(|at| now - **at < within).count();
                let allowed = window.allows(rate, Ns(now));
                prop_assert_eq!(allowed, recent < count as usize, "at {}", now);
                if allowed {
                    window.note(Ns(now));
                    taken.push(now);
                }
            }
            for start in &taken {
                let in_span = taken.iter().filter(|at| (*start..start + within).contains(*at));
                prop_assert!(in_span.count() <= count as usize);
            }
        }
    }
}
