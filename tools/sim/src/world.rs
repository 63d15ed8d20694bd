//! The venues, the market that moves them, and the faults between them and their clients.

mod admin; // calls of the administrator, under /sim/

#[cfg(test)]
mod end_tests;
#[cfg(test)]
mod listing_tests;
#[cfg(test)]
pub(crate) mod tests;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use engine::pair::{FeeRule, Outcome, Polarity};
use engine::payoff::Settlement;
use engine::units::{Ns, Px, Qty, Venue as VenueId};
use serde_json::{Value, json};

use crate::fault::{Faults, Kind, Level, ReplyFault};
use crate::host::{Answer, Break, Effects, Host, SiteId};
use crate::ledger::{self, Journal, Recorded, ReplayError};
use crate::model::{self, Floor, Model};
use crate::rng::Rng;
use crate::universe::MarketSpec;
use crate::venue::{ClientId, Outbox, Reply, Request, Side, Standing, Venue};

/// How a world is.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the market does.
    pub model: model::Options,
    /// How much goes wrong by itself.
    pub faults: Level,
    /// What the administrator's calls carry in `x-sim-token`.
    pub admin_token: String,
}

/// All of it, behind a front.
pub struct World {
    markets: Vec<MarketSpec>,
    sites: Vec<Site>,
    model: Model,
    faults: Faults,
    rng: Rng,
    journal: Option<Rc<RefCell<Journal>>>,
    /// The first failure of the journal: from then on nothing is answered.
    broken: Option<io::Error>,
    settled: Vec<usize>,
    /// Sites that closed a market before its time, and the market.
    closed: Vec<(usize, usize)>,
    late: Late,
    admin_token: String,
    /// Raised where the administrator asks for the end.
    end: Arc<AtomicBool>,
}

/// Markets that the venues know and withhold: each is listed while they run.
#[derive(Default)]
struct Late {
    /// In the order of their numbers, which follow those of the world's markets.
    markets: VecDeque<MarketSpec>,
    /// How long after the last one the next is listed by itself, and when that is.
    every: Option<(Ns, Ns)>,
}

struct Site {
    id: VenueId,
    venue: Box<dyn Venue>,
    /// Its WebSockets.
    clients: Vec<ClientId>,
}

impl World {
    /// Venues that start at `now`, each a site, in memory alone.
    pub fn new(
        markets: &[MarketSpec],
        venues: Vec<(VenueId, Box<dyn Venue>)>,
        options: Options,
        now: Ns,
    ) -> World {
        let sites: Vec<Site> =
            venues.into_iter().map(|(id, venue)| Site { id, venue, clients: Vec::new() }).collect();
        let ids: Vec<VenueId> = sites.iter().map(|site| site.id).collect();
        World {
            markets: markets.to_vec(),
            model: Model::new(options.model, markets, &ids, now),
            faults: Faults::new(options.model.seed, options.faults, sites.len(), now),
            rng: Rng::new(options.model.seed ^ 0x0077_6f72_6c64),
            sites,
            journal: None,
            broken: None,
            settled: Vec::new(),
            closed: Vec::new(),
            late: Late::default(),
            end: Arc::default(),
            admin_token: options.admin_token,
        }
    }

    /// Has markets that are listed later: by the administrator, or one after the other, `every` so
    /// long after the start and the one before. The venues must know and withhold them.
    #[must_use]
    pub fn listing_later(mut self, markets: Vec<MarketSpec>, every: Option<Ns>, now: Ns) -> World {
        self.late =
            Late { markets: markets.into(), every: every.map(|every| (every, now.after(every))) };
        self
    }

    /// Writes every change to a new journal in `dir` from now on. `begin` describes the universe.
    ///
    /// # Errors
    /// Where the journal cannot be made.
    pub fn record(mut self, dir: &Path, begin: Value) -> io::Result<World> {
        let journal = Journal::create(dir, begin)?;
        self.write_to(journal);
        Ok(self)
    }

    /// Brings the venues to where the journal of `dir` leads, and goes on with it. Makers of the
    /// earlier life leave.
    ///
    /// # Errors
    /// Where the journal cannot be read or leads elsewhere.
    pub fn resume(mut self, dir: &Path, now: Ns) -> Result<World, ReplayError> {
        let mut venues: Vec<Box<dyn Venue>> = Vec::new();
        let mut others = Vec::new();
        for site in self.sites.drain(..) {
            venues.push(site.venue);
            others.push((site.id, site.clients));
        }
        let replayed = ledger::replay(dir, &mut venues)?;
        self.sites = venues
            .into_iter()
            .zip(others)
            .map(|(venue, (id, clients))| Site { id, venue, clients })
            .collect();
        for market in &replayed.listed {
            // What an earlier life listed late may be there from the start by now.
            if *market == self.markets.len()
                && let Some(spec) = self.late.markets.pop_front()
            {
                self.model.list(now, &spec);
                self.markets.push(spec);
            }
        }
        for market in &replayed.settled {
            self.model.settle(*market);
        }
        self.settled = replayed.settled;
        for (site, market) in &replayed.closed {
            self.model.leave(self.sites[*site].id, *market);
        }
        self.closed = replayed.closed;
        for (site, market, multiplier_e6) in replayed.fees {
            self.charge(SiteId(site), market, multiplier_e6);
        }
        self.write_to(Journal::resume(dir)?);
        let (now, mut effects) = (now.max(replayed.last), Effects::default());
        let World { model, sites, faults, .. } = &mut self;
        model.clear(&mut Booths { sites, faults, now, effects: &mut effects });
        Ok(self)
    }

    fn write_to(&mut self, journal: Journal) {
        let journal = Rc::new(RefCell::new(journal));
        for (number, site) in self.sites.drain(..).enumerate().collect::<Vec<_>>() {
            let venue = Recorded::new(site.venue, number, Rc::clone(&journal));
            self.sites.push(Site { venue: Box::new(venue), ..site });
        }
        self.journal = Some(journal);
    }

    /// Raised where the administrator asks for the end.
    pub fn end(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.end)
    }

    /// The truth about both venues, what went wrong, and what the market did:
    /// `{"venues":{NAME:..},"faults":{NAME:{KIND:COUNT}},"model":{..},"settled":[ticker..]}`.
    pub fn ledger(&self) -> Value {
        let mut venues = serde_json::Map::new();
        let mut faults = serde_json::Map::new();
        for (number, site) in self.sites.iter().enumerate() {
            venues.insert(site.id.name().to_owned(), site.venue.ledger());
            faults.insert(site.id.name().to_owned(), self.faults.ledger(SiteId(number)));
        }
        let settled: Vec<&str> = self
            .settled
            .iter()
            .map(|market| self.markets[*market].kalshi.ticker.as_str())
            .collect();
        json!({
            "venues": venues,
            "faults": faults,
            "model": self.model.ledger(),
            "settled": settled,
        })
    }

    /// How the first account of a venue stands.
    pub fn standing(&self, venue: VenueId) -> Standing {
        let site = self.sites.iter().find(|site| site.id == venue);
        site.and_then(|site| site.venue.standing(0)).unwrap_or_default()
    }

    /// Another number whenever an order came to a venue, or a fill was made or undone.
    pub fn moves(&self) -> u64 {
        self.sites.iter().map(|site| site.venue.moves()).sum()
    }

    /// The orders of a venue's first account as its ledger has them, without the first `from`.
    pub fn orders(&self, venue: VenueId, from: usize) -> Vec<Value> {
        let site = self.sites.iter().find(|site| site.id == venue);
        site.map_or_else(Vec::new, |site| site.venue.orders(0, from))
    }

    /// Plans these kinds of faults, each with its mean time between two of them at a site, in place
    /// of what was planned.
    pub fn disturb(&mut self, now: Ns, kinds: &[(Kind, Ns)]) {
        self.faults.plan(now, kinds);
    }

    /// Nothing goes wrong by itself from now on.
    pub fn heal(&mut self) {
        self.faults.heal();
        self.sites.iter_mut().for_each(|site| site.venue.heal());
    }

    /// What the makers of a venue offer in a market at a price of its own YES.
    pub fn quoted(&self, venue: VenueId, market: usize, side: Side, px: Px) -> Qty {
        let site = self.sites.iter().find(|site| site.id == venue);
        site.map_or(Qty::ZERO, |site| site.venue.quoted(market, side, px))
    }

    /// Markets that still trade on all venues.
    pub fn open_markets(&self) -> Vec<MarketSpec> {
        let is_over = |number: &usize| {
            self.settled.contains(number) || self.closed.iter().any(|(_, market)| market == number)
        };
        let open = self.markets.iter().enumerate().filter(|(number, _)| !is_over(number));
        open.map(|(_, market)| market.clone()).collect()
    }

    /// Why the world no longer answers, if so.
    pub fn failure(&self) -> Option<&io::Error> {
        self.broken.as_ref()
    }

    /// Settles a market on both venues; `ends` says how each of them judges, by
    /// [`VenueId::index`], in terms of the first venue's market.
    fn settle(&mut self, now: Ns, market: usize, ends: [Settlement; 2], effects: &mut Effects) {
        if self.settled.contains(&market) {
            return;
        }
        self.settled.push(market);
        self.model.settle(market);
        for number in 0..self.sites.len() {
            let told = self.faults.clock(SiteId(number), now);
            let site = &mut self.sites[number];
            let end = ends[site.id.index()];
            let own = match (site.id, self.markets[market].polarity) {
                (VenueId::Polymarket, Polarity::Inverted) => {
                    Settlement::split(end.each(Outcome::No))
                }
                _ => end,
            };
            site.venue.settle(told, market, own, &mut effects.outbox);
        }
    }

    /// Closes a market on one venue before its time; false where it is closed there already.
    fn close(&mut self, now: Ns, site: SiteId, market: usize, effects: &mut Effects) -> bool {
        let told = self.faults.clock(site, now);
        let entry = &mut self.sites[site.0];
        let closed = entry.venue.close(told, market, &mut effects.outbox);
        if closed {
            self.model.leave(entry.id, market);
            self.closed.push((site.0, market));
        }
        closed
    }

    /// Changes the fee of a market's event on one venue; false where that tells of no such change.
    fn set_fee(
        &mut self,
        now: Ns,
        site: SiteId,
        market: usize,
        fee: Option<(&str, u32)>,
        effects: &mut Effects,
    ) -> bool {
        let told = self.faults.clock(site, now);
        let venue = &mut self.sites[site.0].venue;
        let changed = venue.set_fee(told, market, fee, &mut effects.outbox);
        if changed {
            self.charge(site, market, fee.map(|(_, multiplier_e6)| multiplier_e6));
        }
        changed
    }

    /// The market knows of a fee: without it an injected edge would not be what it was asked to be.
    fn charge(&mut self, site: SiteId, market: usize, multiplier_e6: Option<u32>) {
        let venue = self.sites[site.0].id;
        let Some(event) = self.markets.get(market).map(|market| &market.kalshi.event) else {
            return;
        };
        for (number, spec) in self.markets.iter().enumerate() {
            if spec.kalshi.event == *event {
                let multiplier_e6 = multiplier_e6.unwrap_or(spec.kalshi.fee_multiplier_e6);
                self.model.charge(venue, number, FeeRule::Quadratic { multiplier_e6 });
            }
        }
    }

    /// Lists the next of the withheld markets on all venues; its number.
    fn list_next(&mut self, now: Ns, effects: &mut Effects) -> Option<usize> {
        let spec = self.late.markets.pop_front()?;
        let market = self.markets.len();
        for number in 0..self.sites.len() {
            let site = SiteId(number);
            let told = self.faults.clock(site, now);
            let from = effects.outbox.pushes.len();
            self.sites[number].venue.list(told, market, &mut effects.outbox);
            self.faults.pushes(site, now, &mut effects.outbox, from);
        }
        self.model.list(now, &spec);
        self.markets.push(spec);
        Some(market)
    }

    /// Lists what is due.
    fn list_due(&mut self, now: Ns, effects: &mut Effects) {
        while let Some((every, at)) = self.late.every
            && at <= now
        {
            self.late.every = Some((every, at.after(every)));
            if self.list_next(now, effects).is_none() {
                self.late.every = None;
            }
        }
    }

    /// The market whose ticker or token an order names.
    fn market_of(&self, venue: VenueId, body: &[u8]) -> Option<usize> {
        let body = std::str::from_utf8(body).ok()?;
        self.markets.iter().position(|market| match venue {
            VenueId::Kalshi => body.contains(&format!("\"{}\"", market.kalshi.ticker)),
            VenueId::Polymarket => {
                market.polymarket.tokens.iter().any(|token| body.contains(token.as_str()))
            }
        })
    }

    /// Makers hurry away just before an order, where a fault says so.
    fn thin(&mut self, now: Ns, site: SiteId, request: &Request<'_>, effects: &mut Effects) {
        let venue = self.sites[site.0].id;
        let Some(market) = self.market_of(venue, request.body) else { return };
        let Some(keep_e3) = self.faults.thinned(site) else { return };
        let until = now.after(Ns::from_ms(self.rng.between(200, 600)));
        let World { model, sites, faults, .. } = self;
        let mut booths = Booths { sites, faults, now, effects };
        model.thin(venue, market, keep_e3, until, &mut booths);
    }

    /// Writes the journal; nothing that follows from an unwritten change leaves.
    fn commit(&mut self) -> bool {
        let Some(journal) = &self.journal else { return true };
        if let Err(error) = journal.borrow_mut().flush() {
            self.broken.get_or_insert(error);
        }
        self.broken.is_none()
    }
}

/// What a request is, as far as faults care.
fn is_order(request: &Request<'_>) -> bool {
    request.method == "POST" && (request.path.contains("/orders") || request.path == "/order")
}

/// No answer.
fn lost(how: Break) -> Answer {
    Answer { lost: Some(how), ..Answer::from(Reply::json(503, "")) }
}

fn changes_orders(request: &Request<'_>) -> bool {
    request.method != "GET" && !request.path.contains("/auth/")
}

impl Host for World {
    fn request(
        &mut self,
        now: Ns,
        site: SiteId,
        request: &Request<'_>,
        effects: &mut Effects,
    ) -> Answer {
        if request.path.starts_with("/sim/") {
            let reply = self.admin(now, request, effects);
            self.commit();
            return reply.into();
        }
        if let Some(how) = self.faults.muted(site) {
            return lost(how);
        }
        if let Some(refusal) = self.faults.refused(site, self.sites[site.0].id, now) {
            return refusal.into();
        }
        if is_order(request) {
            self.thin(now, site, request, effects);
        }
        let told = self.faults.clock(site, now);
        let from = effects.outbox.pushes.len();
        let reply = self.sites[site.0].venue.request(told, request, &mut effects.outbox);
        self.faults.pushes(site, now, &mut effects.outbox, from);
        if !self.commit() {
            effects.outbox.pushes.clear();
            return lost(Break::Reset);
        }
        let fault = match changes_orders(request) && reply.status < 300 {
            true => self.faults.reply(site),
            false => None,
        };
        let mut answer = Answer::from(reply);
        match fault {
            None => {}
            Some(ReplyFault::Late(span)) => answer.at = now.after(span),
            Some(ReplyFault::Lost(how)) => answer.lost = Some(how),
            Some(ReplyFault::Other(reply)) => answer.reply = reply,
        }
        answer
    }

    fn open(
        &mut self,
        now: Ns,
        site: SiteId,
        client: ClientId,
        request: &Request<'_>,
        effects: &mut Effects,
    ) -> Result<(), Answer> {
        if let Some(how) = self.faults.muted(site) {
            return Err(lost(how));
        }
        let told = self.faults.clock(site, now);
        let entry = &mut self.sites[site.0];
        entry.venue.open(told, client, request, &mut effects.outbox).map_err(Answer::from)?;
        entry.clients.push(client);
        Ok(())
    }

    fn text(&mut self, now: Ns, site: SiteId, client: ClientId, text: &str, effects: &mut Effects) {
        let told = self.faults.clock(site, now);
        self.sites[site.0].venue.text(told, client, text, &mut effects.outbox);
    }

    fn closed(&mut self, site: SiteId, client: ClientId) {
        let entry = &mut self.sites[site.0];
        entry.clients.retain(|other| *other != client);
        entry.venue.closed(client);
    }

    fn tick(&mut self, now: Ns, effects: &mut Effects) {
        self.faults.tick(now);
        self.list_due(now, effects);
        let World { model, sites, faults, .. } = self;
        model.tick(now, &mut Booths { sites, faults, now, effects });
        for number in 0..self.sites.len() {
            let site = SiteId(number);
            let told = self.faults.clock(site, now);
            self.faults.late(site, now, &mut effects.outbox);
            let from = effects.outbox.pushes.len();
            self.sites[number].venue.tick(told, &mut effects.outbox);
            self.faults.pushes(site, now, &mut effects.outbox, from);
            let clients = &self.sites[number].clients;
            effects.breaks.extend(self.faults.broken(site, now, clients));
        }
        if !self.commit() {
            effects.outbox.pushes.clear();
        }
    }

    fn next_due(&self) -> Option<Ns> {
        let venues = self.sites.iter().enumerate().filter_map(|(number, site)| {
            site.venue.next_due().map(|told| self.faults.real(SiteId(number), told))
        });
        let late = self.late.every.map(|(_, at)| at);
        venues.chain(self.model.next_due()).chain(self.faults.next_due()).chain(late).min()
    }
}

/// Where the model quotes: the venues that run.
struct Booths<'a> {
    sites: &'a mut Vec<Site>,
    faults: &'a mut Faults,
    now: Ns,
    effects: &'a mut Effects,
}

impl Floor for Booths<'_> {
    fn quote(&mut self, venue: VenueId, market: usize, side: Side, px: Px, qty: Qty) {
        let found = self.sites.iter().position(|site| site.id == venue);
        let Some(number) = found else { return };
        let told = self.faults.clock(SiteId(number), self.now);
        let outbox: &mut Outbox = &mut self.effects.outbox;
        let from = outbox.pushes.len();
        self.sites[number].venue.quote(told, market, side, px, qty, outbox);
        self.faults.pushes(SiteId(number), self.now, outbox, from);
    }

    fn quoted(&self, venue: VenueId, market: usize, side: Side, px: Px) -> Qty {
        let site = self.sites.iter().find(|site| site.id == venue);
        site.map_or(Qty::ZERO, |site| site.venue.quoted(market, side, px))
    }
}
