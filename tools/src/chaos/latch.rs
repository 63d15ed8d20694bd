//! A run that stopped until a person arms it: it outlives the process, as the file of a real run
//! does, and until then nothing is decided.

use engine::event::{Event, Risk};
use engine::units::Ns;

use super::checks::Violation;

/// After so long a person has looked.
const LOOKS_AFTER: Ns = Ns::from_ms(20_000);
/// A kill cancels all orders, and Kalshi may do so with those of the next minute: its gate waits.
const RESTS: Ns = Ns::from_ms(75_000);

/// What stopped it, and when.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latch {
    why: Option<Risk>,
    /// When a person arms it.
    arm_at: Ns,
    /// When it was stopped last.
    at: Option<Ns>,
    /// How many checks were made.
    pub count: u64,
}

impl Latch {
    /// Something happened in the core.
    ///
    /// # Errors
    /// Where it decided though it was stopped.
    pub fn event(&mut self, now: Ns, event: &Event) -> Result<(), Violation> {
        match (event, self.why) {
            (Event::RiskTripped { risk, .. }, _) if asks_for_a_person(*risk) => {
                self.arm_at = if self.why.is_none() { now.after(LOOKS_AFTER) } else { self.arm_at };
                (self.why, self.at) = (Some(*risk), Some(now));
                Ok(())
            }
            (Event::ExecuteTrade(_) | Event::RepairSent(_), why) => {
                self.count += 1;
                let Some(why) = why else { return Ok(()) };
                let detail = format!("{} stopped it, and nobody armed it: {event:?}", why.name());
                Err(Violation { invariant: "latched", detail })
            }
            _ => Ok(()),
        }
    }

    /// True while it waits for a person.
    pub const fn holds(&self) -> bool {
        self.why.is_some()
    }

    /// When a person arms it, where it waits for one.
    pub fn due(&self) -> Option<Ns> {
        self.why.map(|_| self.arm_at)
    }

    /// A person arms it.
    pub const fn arm(&mut self) {
        self.why = None;
    }

    /// Somebody looks at once.
    pub fn hurry(&mut self, now: Ns) {
        self.arm_at = self.arm_at.min(now);
    }

    /// It was stopped so lately that a gate may still rest for it.
    pub fn rests(&self, now: Ns) -> bool {
        self.at.is_some_and(|at| now.since(at) < RESTS)
    }
}

/// Said here anew: a list that is shared with the engine would be wrong with it.
const fn asks_for_a_person(risk: Risk) -> bool {
    matches!(
        risk,
        Risk::Repeated | Risk::Balance | Risk::Breaker | Risk::Overfilled | Risk::Refused
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::pair::PairId;

    #[test]
    fn a_latch_lasts_until_a_person_arms_it() {
        let trip = |risk| Event::RiskTripped { pair: PairId(0), at: Ns(0), risk };
        let mut latch = Latch::default();
        latch.event(Ns(5), &trip(Risk::Unhedged)).unwrap();
        assert!(!latch.holds() && latch.due().is_none());
        latch.event(Ns(5), &trip(Risk::Overfilled)).unwrap();
        latch.event(Ns(9), &trip(Risk::Breaker)).unwrap();
        assert_eq!(latch.due(), Some(Ns(5).after(LOOKS_AFTER)), "a second reason delays nobody");
        assert!(latch.rests(Ns(10)) && !latch.rests(Ns(9).after(RESTS)));
        latch.hurry(Ns(7));
        assert_eq!(latch.due(), Some(Ns(7)));
        latch.arm();
        assert!(!latch.holds());
    }
}
