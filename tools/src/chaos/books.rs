//! How a process that starts, or looks after its figures, asks the simulated venues: the shipped clients of their REST APIs,
//! with requests that are carried in memory, in simulated time.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Mutex;
use std::time::Instant;

use engine::units::{Ns, Venue};
use exec::sign::l2::ApiCredentials;
use sim::host::{Effects, Host, SiteId};
use sim::venue::Request;
use sim::world::World;
use zeroize::Zeroizing;

use super::door::Door;
use super::seed::PORTS;
use super::trader::Keys;
use crate::config::Config;
use crate::crosscheck::{Asked, CrossCheck, Seen};
use crate::journal::compare::{Compared, Comparison, Rounds};
use crate::journal::truth::{Books, Clients, OrderRow, Truth, Wanted};
use crate::rest::kalshi::KalshiRest;
use crate::rest::polymarket::PolymarketRest;
use crate::rest::{Answer, Call, Carrier, RestError, RestErrorKind};

/// Carries requests to the venues of a world at one instant.
pub struct Courier<'a> {
    venues: RefCell<Door<'a, World>>,
    effects: RefCell<Effects>,
    /// True time, and what the engine's wall clock shows.
    now: Ns,
    wall: Ns,
    /// Sites that nobody reaches.
    cut: [bool; 2],
}

impl<'a> Courier<'a> {
    /// A courier at an instant; sites that are `cut` are out of reach.
    pub fn new(venues: Door<'a, World>, now: Ns, wall: Ns, cut: [bool; 2]) -> Courier<'a> {
        let (venues, effects) = (RefCell::new(venues), RefCell::default());
        Courier { venues, effects, now, wall, cut }
    }

    /// What the venues said to others meanwhile.
    pub fn effects(self) -> Effects {
        self.effects.into_inner()
    }

    /// Asks everything that is wanted, as a start of the engine does.
    ///
    /// # Errors
    /// In words.
    pub fn ask(&self, config: &Config, keys: &Keys, wanted: &Wanted) -> Result<Truth, String> {
        self.with(config, keys, |books| books.ask(wanted))
    }

    /// Compares what the run believes with what the venues say, as the shipped run does now and
    /// then.
    ///
    /// # Errors
    /// In words.
    pub fn compare(
        &self,
        config: &Config,
        keys: &Keys,
        (rounds, comparison): (&mut Rounds, &Mutex<Comparison>),
        asked: Instant,
    ) -> Result<Option<Compared>, String> {
        self.with(config, keys, |books| Ok(rounds.turn(books, comparison, asked).ok()))
    }

    /// Asks Kalshi which markets trade, as the shipped cross-check does.
    pub fn learn<S: Deref<Target = Seen>>(&self, config: &Config, check: &mut CrossCheck<S>) {
        check.learn(&mut KalshiRest::new(&config.kalshi, self, None));
    }

    /// Asks a venue for its books, as the shipped cross-check does; public data needs no key.
    pub fn show<S: Deref<Target = Seen>>(
        &self,
        config: &Config,
        venue: Venue,
        check: &mut CrossCheck<S>,
    ) -> Vec<Asked> {
        let parts = 0..check.parts();
        match venue {
            Venue::Kalshi => {
                let mut kalshi = KalshiRest::new(&config.kalshi, self, None);
                parts.filter_map(|part| check.ask(&mut kalshi, part)).collect()
            }
            Venue::Polymarket => {
                let mut polymarket = PolymarketRest::new(&config.polymarket, self);
                parts.filter_map(|part| check.ask(&mut polymarket, part)).collect()
            }
        }
    }

    /// Sends an order to Kalshi that no engine knows of, as a person does, or an engine on another
    /// host; true where it filled something.
    pub fn by_hand(&self, config: &Config, keys: &Keys, body: &[u8]) -> bool {
        let Ok(signer) = keys.kalshi() else { return false };
        let created = KalshiRest::new(&config.kalshi, self, Some(signer)).create(body);
        created.is_ok_and(|created| created.fill_count.0 > 0)
    }

    /// Takes an order back.
    ///
    /// # Errors
    /// In words.
    pub fn cancel(&self, config: &Config, keys: &Keys, order: &OrderRow) -> Result<(), String> {
        self.with(config, keys, |books| books.cancel(order))
    }

    fn with<T>(
        &self,
        config: &Config,
        keys: &Keys,
        ask: impl FnOnce(&mut dyn Books) -> Result<T, String>,
    ) -> Result<T, String> {
        let mut kalshi = KalshiRest::new(&config.kalshi, self, Some(keys.kalshi()?));
        let mut polymarket = PolymarketRest::new(&config.polymarket, self);
        let given: ApiCredentials = keys.credentials()?;
        let logged = polymarket.log_in(&mut keys.polymarket()?, Some(given));
        logged.map_err(|error| error.to_string())?;
        ask(&mut Clients { kalshi: &mut kalshi, polymarket: &mut polymarket })
    }
}

impl Carrier for &Courier<'_> {
    fn send(&self, call: &Call<'_>) -> Result<Answer, RestError> {
        let lost = |why: &str| RestError {
            method: call.method,
            url: call.url.clone(),
            kind: RestErrorKind::NoAnswer(why.to_owned()),
        };
        let rest = call.url.split_once("://").map_or(call.url.as_str(), |(_, rest)| rest);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let port = host.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        let site = PORTS.iter().position(|own| port == Some(*own));
        let site = SiteId(site.ok_or_else(|| lost("no such host"))?);
        if self.cut[site.0] {
            return Err(lost("the connection was refused"));
        }
        let text = String::from_utf8_lossy(call.headers);
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let mut headers: Vec<(&str, &str)> =
            lines.map(|(name, value)| (name.trim(), value.trim())).collect();
        if call.body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let path = format!("/{path}");
        let request = Request {
            method: call.method,
            path: &path,
            query: call.query,
            headers: &headers,
            body: call.body.unwrap_or_default(),
        };
        let effects = &mut *self.effects.borrow_mut();
        let answer = self.venues.borrow_mut().request(self.now, site, &request, effects);
        match answer.lost {
            Some(_) => Err(lost("the connection was lost")),
            None => Ok(Answer {
                status: answer.reply.status,
                date: None,
                body: Zeroizing::new(answer.reply.body),
            }),
        }
    }

    fn wall(&self) -> Ns {
        self.wall
    }

    fn mono(&self) -> Ns {
        self.now
    }

    /// Whoever asks too fast is refused by the venue, and asks again: time stands still here.
    fn wait(&self, _span: Ns) {}
}
