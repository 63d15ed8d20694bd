//! The venues themselves as the source of a crawl, each within its own budget of reads.

use std::thread;
use std::time::Duration;

use engine::units::Venue;
use serde_json::Value;

use super::crawl::{Source, Trouble};
use super::delays::Parameters;
use crate::config::Config;
use crate::rest::kalshi::KalshiRest;
use crate::rest::polymarket::{ClobMarket, PolymarketRest};
use crate::rest::{Agent, RestError};

/// Both venues over REST, without keys: catalogues are public.
pub struct Venues {
    kalshi: KalshiRest,
    polymarket: PolymarketRest,
}

impl Venues {
    /// The venues of a configuration. `share` of Kalshi's budget of reads is used, in percent: a
    /// crawl beside a run must leave the run its own.
    ///
    /// # Errors
    /// Where the client cannot be set up.
    pub fn new(config: &Config, share: u32) -> Result<Venues, RestError> {
        let agent = Agent::new(config.ca_file.as_deref())?;
        Ok(Venues {
            kalshi: KalshiRest::reading(&config.kalshi, agent.clone(), share),
            polymarket: PolymarketRest::new(&config.polymarket, agent),
        })
    }
}

impl Parameters for Venues {
    fn parameters(&mut self, condition: &str) -> Result<ClobMarket, RestError> {
        self.polymarket.clob_market(condition)
    }
}

impl Source for Venues {
    fn get(&mut self, venue: Venue, path: &str, query: &str) -> Result<Value, Trouble> {
        let answer = match venue {
            Venue::Kalshi => self.kalshi.listing(path, query),
            Venue::Polymarket => self.polymarket.listing(path, query),
        };
        answer.map_err(|error| Trouble { again: error.kind.may_pass(), what: error.to_string() })
    }

    fn rest(&mut self, so_long: Duration) {
        thread::sleep(so_long);
    }
}
