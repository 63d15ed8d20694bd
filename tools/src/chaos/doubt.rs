//! Whether a venue that does not know our key is left alone: no order leaves once it has said so,
//! until it shows that it knows us, and somebody is told.

use engine::event::{Event, Risk};
use engine::units::{Ns, Venue};
use exec::gate::figures::GateFigures;

use super::checks::Violation;

/// What was seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Doubt {
    /// By site: how often its gate heard that it is not known, and when last.
    heard: [(u64, Option<Ns>); 2],
    /// How often somebody was told.
    told: u64,
    /// How many checks were made.
    pub count: u64,
}

fn broken(detail: String) -> Result<(), Violation> {
    Err(Violation { invariant: "keys", detail })
}

impl Doubt {
    /// Another process heard of nothing yet.
    pub fn restarted(&mut self) {
        *self = Doubt { count: self.count, ..Doubt::default() };
    }

    /// Something happened in the core.
    pub fn event(&mut self, event: &Event) {
        self.told += u64::from(matches!(event, Event::RiskTripped { risk: Risk::Identity, .. }));
    }

    /// The tiles have come to rest.
    ///
    /// # Errors
    /// Where a gate heard that it is not known, and nobody was told.
    pub fn look(&mut self, now: Ns, figures: &[GateFigures; 2]) -> Result<(), Violation> {
        self.count += 1;
        for (heard, figures) in self.heard.iter_mut().zip(figures) {
            if figures.doubted > heard.0 {
                *heard = (figures.doubted, Some(now));
            }
        }
        let heard: u64 = self.heard.iter().map(|(count, _)| count).sum();
        match self.told < heard {
            true => {
                broken(format!("venues did not know us {heard} times, and we told {}", self.told))
            }
            false => Ok(()),
        }
    }

    /// An order arrived at a venue that has not known our keys since `since`.
    ///
    /// # Errors
    /// Where its gate had heard that before it wrote the order.
    pub fn arrived(&mut self, venue: Venue, since: Ns, wrote_at: Ns) -> Result<(), Violation> {
        self.count += 1;
        match self.heard[venue.index()].1.filter(|heard| *heard >= since && *heard < wrote_at) {
            None => Ok(()),
            Some(heard) => broken(format!(
                "{venue}: an order left at {} ns with a key that it had refused at {} ns",
                wrote_at.0, heard.0
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::pair::PairId;

    #[test]
    fn an_order_after_the_refusal_and_a_refusal_that_nobody_hears_of_are_seen() {
        let mut doubt = Doubt::default();
        let figures =
            [GateFigures { doubted: 1, ..GateFigures::default() }, GateFigures::default()];
        assert!(doubt.look(Ns(10), &figures).is_err(), "nobody was told");
        doubt.event(&Event::RiskTripped { pair: PairId(0), at: Ns(1), risk: Risk::Identity });
        doubt.look(Ns(11), &figures).unwrap();
        doubt.arrived(Venue::Kalshi, Ns(5), Ns(10)).unwrap();
        assert!(doubt.arrived(Venue::Kalshi, Ns(5), Ns(12)).is_err());
        doubt.arrived(Venue::Kalshi, Ns(11), Ns(12)).unwrap();
        doubt.arrived(Venue::Polymarket, Ns(5), Ns(12)).unwrap();
    }
}
