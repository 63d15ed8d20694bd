//! Time stamps of signed requests, each used once.
//!
//! Nobody knows whether Kalshi takes one stamp and signature twice (kalshi.md section 1,
//! "Timestamp window and replay"), so every request has a millisecond of its own. Several places
//! sign at once without asking each other: each draws from a lane of its own.

use engine::units::Ns;

/// How far from the venue's clock a stamp may be, either way, in milliseconds: half of what was
/// seen to be accepted.
pub const WINDOW_MS: u64 = 5_000;

/// Who draws stamps. A stamp's remainder by [`Lane::COUNT`] is its lane, so that no two lanes
/// ever meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// Headers signed ahead.
    Ahead = 0,
    /// The gate: orders that found none, cancels, evidence, its private channel.
    Gate = 1,
    /// Market data channels.
    Feed = 2,
    /// Slow requests: catalogue, balances, orders by hand.
    Rest = 3,
}

impl Lane {
    /// Number of lanes; also the milliseconds between two stamps of one.
    pub const COUNT: u64 = 4;
}

/// Draws the stamps of one lane. There must be one such for a lane and a key.
pub struct Stamps {
    lane: Lane,
    window_ms: u64,
    /// The highest stamp drawn so far; all drawn are at or below it.
    last_ms: u64,
}

impl Stamps {
    /// The stamps of `lane`, up to the usual window ahead.
    pub const fn new(lane: Lane) -> Stamps {
        Stamps::within(lane, WINDOW_MS)
    }

    /// The stamps of `lane`, up to `window_ms` ahead.
    pub const fn within(lane: Lane, window_ms: u64) -> Stamps {
        Stamps { lane, window_ms, last_ms: 0 }
    }

    /// The first unused stamp at or after `from_ms`, or `None` where it would be more than the
    /// window ahead of `wall`: the lane is used up, or the clock was set back.
    pub fn draw(&mut self, from_ms: u64, wall: Ns) -> Option<u64> {
        let from = from_ms.max(self.last_ms.saturating_add(1));
        let over = from % Lane::COUNT;
        let stamp = from.checked_add((self.lane as u64 + Lane::COUNT - over) % Lane::COUNT)?;
        if stamp > ms(wall) + self.window_ms {
            return None;
        }
        self.last_ms = stamp;
        Some(stamp)
    }

    /// The first unused stamp from now on.
    pub fn now(&mut self, wall: Ns) -> Option<u64> {
        self.draw(ms(wall), wall)
    }

    /// The highest stamp drawn so far, 0 before the first.
    pub const fn last_ms(&self) -> u64 {
        self.last_ms
    }
}

/// Whole milliseconds.
#[inline]
pub const fn ms(time: Ns) -> u64 {
    time.0 / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_stamp_is_drawn_twice_whatever_the_clock_does() {
        let mut lanes = [Lane::Ahead, Lane::Gate, Lane::Feed, Lane::Rest].map(Stamps::new);
        let mut seen = HashSet::new();
        let mut refused = 0;
        // A clock that runs, stands, steps forward and steps back.
        for step in 0..20_000u64 {
            let wall = match step % 97 {
                0..50 => 1_000_000 + step,
                50..60 => 1_000_000,
                60..63 => 1_020_000,
                _ => 1_000_000 + step * 3,
            };
            let now = Ns::from_ms(wall);
            for lane in &mut lanes {
                match lane.draw(wall.saturating_sub(step % 7 * 1_000), now) {
                    Some(stamp) => {
                        assert!(seen.insert(stamp), "{stamp} twice");
                        assert!(stamp <= wall + WINDOW_MS);
                    }
                    None => refused += 1,
                }
            }
        }
        assert!(seen.len() > 10_000 && refused > 0, "{} {refused}", seen.len());
    }

    #[test]
    fn a_lane_gives_every_fourth_millisecond() {
        let (mut gate, wall) = (Stamps::new(Lane::Gate), Ns::from_ms(1_000));
        assert_eq!(gate.now(wall), Some(1_001));
        assert_eq!(gate.now(wall), Some(1_005));
        assert_eq!(gate.now(Ns::from_ms(2_001)), Some(2_001));
        assert_eq!(gate.last_ms(), 2_001);
        let burst = (0..2_000).map_while(|_| gate.now(wall)).count();
        assert_eq!(burst, (1_000 + 5_000 - 2_001) / 4, "up to the end of the window");
    }
}
