//! An arbitrage on request: `PAIR:DIRECTION:EDGE`.

use std::str::FromStr;

use engine::pair::{Direction, PairId};
use engine::units::{Qty, Usd};

use super::child::{ChildError, Venues};
use crate::decimal::decimal;
use crate::pairs::PairSpec;
use crate::rest::{Agent, RestErrorKind};

/// Contracts that a test arbitrage on paper offers.
const CONTRACTS: Qty = Qty::lit(10_000);

/// What is to be opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Injection {
    /// A pair's id, its ticker, or its number in the pair file.
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
            "PAIR:DIRECTION:EDGE such as 0:first-yes:0.03 (a pair's id, ticker or number; \
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
    /// With the pair's id in place of its number among these, from 0.
    ///
    /// # Errors
    /// Where there is no such pair.
    pub fn named(mut self, pairs: &[PairSpec]) -> Result<Injection, String> {
        let number = self.pair.parse().ok().and_then(|at: usize| pairs.get(at));
        let is = |pair: &&PairSpec| pair.id == self.pair || pair.kalshi.ticker == self.pair;
        let found = number.or_else(|| pairs.iter().find(is));
        let found = found.ok_or_else(|| {
            let ids: Vec<&str> = pairs.iter().map(|pair| pair.id.as_str()).collect();
            format!("--inject: no pair `{}`; there are {}", self.pair, ids.join(", "))
        })?;
        self.pair = found.id.clone();
        Ok(self)
    }

    /// As a core on paper is told, by the numbers of these pairs.
    ///
    /// # Errors
    /// As [`Injection::named`].
    pub fn on_paper(&self, pairs: &[PairSpec]) -> Result<engine::inject::Injection, String> {
        let named = self.clone().named(pairs)?;
        let at = pairs.iter().position(|pair| pair.id == named.pair);
        let number = at.and_then(|at| u16::try_from(at).ok());
        let pair = PairId(number.ok_or("--inject: more pairs than a run has")?);
        let direction = match self.direction {
            "FirstYes" => Direction::FirstYes,
            _ => Direction::FirstNo,
        };
        Ok(engine::inject::Injection { pair, direction, edge: self.edge, qty: CONTRACTS })
    }

    /// Asks the venues to open it; false where the books do not allow it just now.
    ///
    /// # Errors
    /// Where they refuse.
    pub fn open(&self, venues: &Venues, agent: &Agent) -> Result<bool, ChildError> {
        match venues.inject(agent, &self.pair, self.direction, self.edge.e6()) {
            Err(ChildError::Call(error))
                if matches!(error.kind, RestErrorKind::Status { status: 409, .. }) =>
            {
                Ok(false)
            }
            done => done.map(|()| true),
        }
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

    #[test]
    fn a_pair_is_named_by_id_ticker_or_number() {
        let model = crate::model::Model::new(crate::model::Options::default());
        let pairs = crate::pairs::parse(&model.pairs_toml(), "model").unwrap().pairs;
        for name in ["1", &pairs[1].id, &pairs[1].kalshi.ticker] {
            let wanted: Injection = format!("{name}:first-yes:0.01").parse().unwrap();
            let on_paper = wanted.on_paper(&pairs).unwrap();
            assert_eq!((on_paper.pair, on_paper.direction), (PairId(1), Direction::FirstYes));
            assert_eq!(wanted.named(&pairs).unwrap().pair, pairs[1].id, "{name}");
        }
        let wanted: Injection = "99:first-yes:0.01".parse().unwrap();
        assert!(wanted.named(&pairs).unwrap_err().contains(&pairs[0].id));
    }
}
