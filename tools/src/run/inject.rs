//! An arbitrage on request: `PAIR:DIRECTION:EDGE`.

use std::str::FromStr;

use engine::units::Usd;

use super::child::{ChildError, Venues};
use crate::decimal::decimal;
use crate::rest::Agent;

/// What is to be opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Injection {
    /// A pair's id, a ticker, or a market's number.
    pub pair: String,
    /// As the simulated venues spell it.
    pub direction: &'static str,
    /// What a contract is to earn.
    pub edge: Usd,
}

impl FromStr for Injection {
    type Err = String;

    fn from_str(text: &str) -> Result<Injection, String> {
        let want = || {
            "PAIR:DIRECTION:EDGE such as 0:first-yes:0.03 (a pair's id or a market's number; \
             first-yes or first-no; dollars a contract)"
                .to_owned()
        };
        let mut parts = text.rsplitn(3, ':');
        let (edge, direction, pair) = match (parts.next(), parts.next(), parts.next()) {
            (Some(edge), Some(direction), Some(pair)) if !pair.is_empty() => {
                (edge, direction, pair)
            }
            _ => return Err(want()),
        };
        let direction = match direction {
            "first-yes" => "FirstYes",
            "first-no" => "FirstNo",
            _ => return Err(want()),
        };
        let edge = decimal(edge, 6).and_then(|e6| i64::try_from(e6).ok()).ok_or_else(want)?;
        if !(1..1_000_000).contains(&edge) {
            return Err(want());
        }
        Ok(Injection { pair: pair.to_owned(), direction, edge: Usd::new(edge) })
    }
}

impl Injection {
    /// Asks the venues to open it.
    ///
    /// # Errors
    /// Where they refuse.
    pub fn open(&self, venues: &Venues, agent: &Agent) -> Result<(), ChildError> {
        venues.inject(agent, &self.pair, self.direction, self.edge.e6())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parts_from_the_right() {
        let want = Injection { pair: "a:b".into(), direction: "FirstNo", edge: Usd::new(30_000) };
        assert_eq!("a:b:first-no:0.03".parse(), Ok(want));
        for wrong in
            ["", "a", "a:first-yes", ":first-yes:1", "a:up:0.1", "a:first-yes:1", "a:first-yes:-1"]
        {
            assert!(wrong.parse::<Injection>().is_err(), "{wrong}");
        }
    }
}
