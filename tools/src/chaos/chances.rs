//! What becomes of opportunities once everything works again: each pair has to take one, or to
//! have a reason not to that somebody was told of.

use std::collections::BTreeSet;

use engine::event::{Event, Miss};
use engine::pair::PairId;
use engine::units::{Ns, Usd};

use super::checks::Violation;
use crate::pairs::PairFile;

/// Opportunities of a pair that it may miss before somebody asks why.
const MISSED_MIN: usize = 5;
/// A shorter one may be gone before anybody can take it.
const LIVED_MIN: Ns = Ns::from_ms(250);

/// One pair.
#[derive(Clone, Debug, Default)]
struct Row {
    decided: bool,
    /// Its markets trade no more.
    over: bool,
    /// Why opportunities beyond the least that is wanted were not taken.
    missed: Vec<Miss>,
}

impl Row {
    const fn is_done(&self) -> bool {
        self.decided || self.over
    }
}

/// The pairs, since everything works.
#[derive(Clone, Debug, Default)]
pub struct Chances {
    rows: Vec<Row>,
    least: Usd,
    /// Whose turn it is to be offered something.
    turn: usize,
    /// Pairs that a safeguard stopped, and said so, since they decided last.
    tripped: BTreeSet<PairId>,
}

impl Chances {
    /// Nothing was offered yet; what earns `least` a contract is worth taking. What was told before
    /// is known: a safeguard tells once until its pair decides again.
    pub fn begin(&mut self, file: &PairFile, least: Usd, is_over: impl Fn(PairId) -> bool) {
        let row = |at| Row { over: is_over(PairId(at as u16)), ..Row::default() };
        self.rows = (0..file.pairs.len()).map(row).collect();
        self.least = least;
    }

    /// Something happened in the core. What goes by while it `waits` for a person is no one's fault.
    pub fn event(&mut self, event: &Event, waits: bool) {
        match event {
            Event::RiskTripped { pair, .. } => {
                self.tripped.insert(*pair);
            }
            Event::ExecuteTrade(decision) => {
                let pair = decision.bundle.pair;
                self.tripped.remove(&pair);
                if let Some(row) = self.rows.get_mut(pair.index()) {
                    row.decided = true;
                }
            }
            Event::OpportunityClosed(closed) if !waits => {
                let worth = closed.peak_edge >= self.least && closed.lived >= LIVED_MIN;
                let row = self.rows.get_mut(closed.pair.index()).filter(|_| worth);
                if let (Some(row), Some(missed)) = (row, closed.missed) {
                    row.missed.push(missed);
                }
            }
            _ => {}
        }
    }

    /// The next pair that has decided nothing yet.
    pub fn offer(&mut self) -> Option<PairId> {
        let all = self.rows.len();
        let at =
            (self.turn..self.turn + all).map(|at| at % all).find(|at| !self.rows[*at].is_done())?;
        self.turn = at + 1;
        Some(PairId(at as u16))
    }

    /// Time is up. A pair of which something lies alone opens nothing, where somebody `is_told`.
    ///
    /// # Errors
    /// Where a pair let opportunities go by, or none decided anything at all.
    pub fn taken(&self, is_told: impl Fn(PairId) -> bool) -> Result<(), Violation> {
        let broken = |detail| Err(Violation { invariant: "trading_resumes", detail });
        for (at, row) in self.rows.iter().enumerate().filter(|(_, row)| !row.is_done()) {
            let pair = PairId(at as u16);
            let right = |miss: &Miss| match miss {
                Miss::Unhedged => is_told(pair),
                Miss::Limit => self.tripped.contains(&pair),
                // Of different moments only the books of both tokens are, for an instant.
                Miss::TooSmall | Miss::BelowMinimum | Miss::Torn => true,
                Miss::InFlight
                | Miss::Cooldown
                | Miss::GateDown
                | Miss::NotTradable
                | Miss::Off => false,
            };
            let wrong = row.missed.iter().filter(|miss| !right(miss)).count();
            if wrong >= MISSED_MIN {
                return broken(format!("pair {at} decided nothing and missed {:?}", row.missed));
            }
        }
        // A limit stops all of them, or what lies alone; short of that some pair finds something.
        let limited = |row: &Row| row.missed.contains(&Miss::Limit);
        let may_rest = |(at, row): (usize, &Row)| row.over || is_told(PairId(at as u16));
        let rests = self.rows.iter().enumerate().all(may_rest);
        match rests || self.rows.iter().any(|row| row.decided || limited(row)) {
            true => Ok(()),
            false => broken(format!("no pair has decided anything: {self:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::event::Closed;
    use engine::pair::Direction;
    use engine::units::{Qty, Venue};

    use super::*;

    fn missed(missed: Miss) -> Event {
        Event::OpportunityClosed(Closed {
            pair: PairId(1),
            direction: Direction::FirstYes,
            opened: Ns(0),
            lived: LIVED_MIN,
            opened_by: Venue::Kalshi,
            closed_by: Venue::Kalshi,
            peak_edge: Usd::new(20_000),
            peak_size: Qty::ONE,
            seen: 3,
            missed: Some(missed),
        })
    }

    fn after(miss: Miss) -> Chances {
        let rows = vec![Row { decided: true, ..Row::default() }, Row::default()];
        let mut chances = Chances { rows, least: Usd::new(10_000), ..Chances::default() };
        (0..MISSED_MIN).for_each(|_| chances.event(&missed(miss), false));
        chances
    }

    #[test]
    fn a_pair_that_lets_opportunities_go_by_is_seen_unless_somebody_was_told_why() {
        assert!(after(Miss::InFlight).taken(|_| true).is_err());
        assert!(after(Miss::TooSmall).taken(|_| false).is_ok());
        assert!(after(Miss::Unhedged).taken(|_| true).is_ok());
        assert!(after(Miss::Unhedged).taken(|_| false).is_err());
        let mut limited = after(Miss::Limit);
        assert!(limited.taken(|_| true).is_err(), "a limit that nobody was told of");
        let risk = engine::event::Risk::Pair;
        limited.event(&Event::RiskTripped { pair: PairId(1), at: Ns(0), risk }, false);
        assert!(limited.taken(|_| true).is_ok());
        assert_eq!(limited.offer(), Some(PairId(1)), "the other one has decided");
    }
}
