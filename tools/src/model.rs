//! A seeded model of two venues, which writes the demonstration tape.
//!
//! Each market has a latent fair value that wanders and sometimes jumps. The makers of both
//! venues quote around it; after a jump one venue follows within milliseconds and the other
//! lags for 5 ms to 2 s, and while it lags, buying there and on the other venue's opposite
//! outcome may cost less than the dollar that it pays. The frames have the wire forms of both
//! venues' market channels, with true sequence numbers, best prices and book hashes. Integers
//! only: the same seed gives the same bytes on every machine.

mod rng; // the only source of chance
mod grid; // which prices a market knows
mod ladder; // one market's book on one venue, and how makers move it
mod market; // names, fees and the pair file
mod kalshi; // changes -> Kalshi's frames
mod polymarket; // changes -> Polymarket's frames
mod outbox; // frames of both venues in order of receipt

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use engine::units::{Ns, Venue};

use crate::tape::{Record, TapeError};
use kalshi::Kalshi;
use ladder::{Ladder, Side};
use market::Market;
use outbox::Outbox;
use rng::Rng;

/// The most markets that a model has: names are made for so many.
pub const MARKETS_MAX: usize = 64;

/// The longest tape in minutes: a day.
pub const MINUTES_MAX: u32 = 1_440;

/// The first time of receipt: 2026-11-21T18:00:00Z in Unix nanoseconds.
pub const START: Ns = Ns(1_795_284_000_000_000_000);

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// What to model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Chooses the tape; equal seeds give equal tapes.
    pub seed: u64,
    /// Length of the tape in minutes, 1..=[`MINUTES_MAX`].
    pub minutes: u32,
    /// Number of markets, each on both venues, 1..=[`MARKETS_MAX`].
    pub markets: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options { seed: 1, minutes: 10, markets: 6 }
    }
}

/// Something that happens, by the number of its market.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Happening {
    /// A level away from the best changes its size.
    Churn(Venue, usize),
    /// The fair value moves a little.
    Drift(usize),
    /// The fair value jumps.
    News(usize),
    /// A venue's makers move their quotes to the fair value.
    Requote(Venue, usize),
    /// A taker trades at the best price.
    Hit(Venue, usize),
    /// Kalshi's ticker.
    Ticker(usize),
    /// Polymarket answers our ping.
    Pong,
    /// Polymarket tells the best prices.
    BestBidAsk(usize),
    /// Kalshi acknowledges a command.
    Acknowledge,
    /// Kalshi changes a market's description.
    Lifecycle(usize),
    /// Kalshi publishes an order's rest before the removals of what it hit.
    Cross(usize),
    /// Kalshi's socket dies.
    Disconnect,
    /// Kalshi's socket is back.
    Reconnect,
}

/// The model. [`Model::run`] tells its story once.
pub struct Model {
    options: Options,
    rng: Rng,
    markets: Vec<Market>,
    kalshi: Kalshi,
    outbox: Outbox,
    queue: BinaryHeap<Reverse<(u64, u64, Happening)>>,
    queued: u64,
}

impl Model {
    /// A model at its start. Options beyond their ranges are brought into them.
    pub fn new(options: Options) -> Model {
        let options = Options {
            seed: options.seed,
            minutes: options.minutes.clamp(1, MINUTES_MAX),
            markets: options.markets.clamp(1, MARKETS_MAX),
        };
        let mut rng = Rng::new(options.seed);
        let markets: Vec<Market> = (0..options.markets).map(|i| Market::new(i, &mut rng)).collect();
        Model {
            options,
            rng,
            markets,
            kalshi: Kalshi::default(),
            outbox: Outbox::new(START),
            queue: BinaryHeap::new(),
            queued: 0,
        }
    }

    /// The pair file that belongs to the tape, as text.
    pub fn pairs_toml(&self) -> String {
        market::pairs_toml(self.options, &self.markets)
    }

    /// Tells all records in order of receipt.
    ///
    /// # Errors
    /// The first that `tell` returns.
    pub fn run(
        mut self,
        tell: &mut dyn FnMut(&Record<'_>) -> Result<(), TapeError>,
    ) -> Result<(), TapeError> {
        let end = u64::from(self.options.minutes) * 60 * SECOND;
        self.kalshi.connect(0, &self.markets, &mut self.rng, &mut self.outbox);
        polymarket::connect(40 * MS, &mut self.markets, &mut self.outbox);
        self.plan(end);
        while let Some(Reverse((now, _, happening))) = self.queue.pop() {
            if now > end {
                break;
            }
            self.outbox.flush(now, tell)?;
            self.happen(now, happening);
        }
        self.outbox.flush(u64::MAX, tell)
    }

    /// Sets the first of each kind in motion.
    fn plan(&mut self, end: u64) {
        for market in 0..self.markets.len() {
            for venue in Venue::ALL {
                self.soon(200 * MS, 200 * MS, Happening::Churn(venue, market));
                self.soon(2 * SECOND, 8 * SECOND, Happening::Hit(venue, market));
            }
            self.soon(SECOND, SECOND, Happening::Drift(market));
            // Early enough for a short tape to have some.
            self.soon(3 * SECOND, 60 * SECOND, Happening::News(market));
            self.soon(SECOND, 2 * SECOND, Happening::Ticker(market));
            self.soon(5 * SECOND, 20 * SECOND, Happening::BestBidAsk(market));
        }
        self.at(10 * SECOND, Happening::Pong);
        let last = self.markets.len() - 1;
        self.at(end / 5, Happening::Acknowledge);
        self.at(end / 10 * 3, Happening::Cross(0));
        self.at(end / 2, Happening::Lifecycle(last));
        self.at(end / 10 * 6, Happening::Disconnect);
    }

    fn at(&mut self, time: u64, happening: Happening) {
        self.queue.push(Reverse((time, self.queued, happening)));
        self.queued += 1;
    }

    /// At `from`, and up to twice `mean` later.
    fn soon(&mut self, from: u64, mean: u64, happening: Happening) {
        let time = from + self.rng.below(2 * mean);
        self.at(time, happening);
    }

    fn happen(&mut self, now: u64, happening: Happening) {
        match happening {
            Happening::Churn(venue, market) => {
                self.churn(now, venue, market);
                // Four in ten follow each other closely, as orders of one program do.
                let mean = match (self.rng.chance(4, 10), venue) {
                    (true, _) => 2 * MS,
                    (false, Venue::Kalshi) => 270 * MS,
                    (false, Venue::Polymarket) => 380 * MS,
                };
                self.soon(now + MS / 10, mean, happening);
            }
            Happening::Drift(market) => {
                let step = self.rng.below(2 * self.markets[market].drift_e4_max + 1);
                self.markets[market].drift(step);
                for venue in Venue::ALL {
                    self.soon(now + 2 * MS, 20 * MS, Happening::Requote(venue, market));
                }
                self.soon(now, 2 * SECOND, happening);
            }
            Happening::News(market) => {
                self.news(now, market);
                self.soon(now + 20 * SECOND, 40 * SECOND, happening);
            }
            Happening::Requote(venue, market) => self.requote(now, venue, market),
            Happening::Hit(venue, market) => {
                self.hit(now, venue, market);
                self.soon(now, 9 * SECOND, happening);
                self.soon(now + 3 * MS, 60 * MS, Happening::Requote(venue, market));
            }
            Happening::Ticker(market) => {
                self.kalshi.ticker(now, &self.markets[market], &mut self.rng, &mut self.outbox);
                self.soon(now + 200 * MS, 2 * SECOND, happening);
            }
            Happening::Pong => {
                polymarket::pong(now, &mut self.outbox);
                self.at(now + 10 * SECOND, happening);
            }
            Happening::BestBidAsk(market) => {
                polymarket::best_bid_ask(now, &mut self.markets[market], &mut self.outbox);
                self.soon(now, 20 * SECOND, happening);
            }
            Happening::Acknowledge => self.kalshi.acknowledge(now, &self.markets, &mut self.outbox),
            Happening::Lifecycle(market) => {
                self.kalshi.lifecycle(now, &self.markets[market], &mut self.outbox);
            }
            Happening::Cross(market) => self.cross(now, market),
            Happening::Disconnect => {
                self.kalshi.disconnect();
                self.at(now + 800 * MS, Happening::Reconnect);
            }
            Happening::Reconnect => {
                self.kalshi.connect(now, &self.markets, &mut self.rng, &mut self.outbox);
            }
        }
    }

    fn churn(&mut self, now: u64, venue: Venue, market: usize) {
        let ladder = self.markets[market].ladder_mut(venue);
        if let Some(change) = ladder.churn(&mut self.rng) {
            self.publish(now, venue, market, &[change]);
        }
    }

    fn requote(&mut self, now: u64, venue: Venue, market: usize) {
        if now < self.markets[market].blind_until[venue.index()] {
            return;
        }
        let fair = self.markets[market].fair(venue);
        let changes = self.markets[market].ladder_mut(venue).move_to(fair, &mut self.rng);
        self.publish(now, venue, market, &changes);
    }

    /// A jump that one venue follows at once and the other late.
    fn news(&mut self, now: u64, market: usize) {
        let size = self.rng.below(self.markets[market].jump_e4_range);
        let up = self.rng.chance(1, 2);
        self.markets[market].jump(size, up);
        let (leader, laggard) = match self.rng.chance(1, 2) {
            true => (Venue::Kalshi, Venue::Polymarket),
            false => (Venue::Polymarket, Venue::Kalshi),
        };
        // Short lags are as likely as long ones: 8 to 16 ms, 16 to 32 ms ... 1 to 2 s.
        let base = (8 * MS) << self.rng.below(8);
        let lag = (base + self.rng.below(base)).min(2 * SECOND);
        let end = now + lag;
        self.markets[market].blind_until[laggard.index()] = end;
        self.at(end, Happening::Requote(laggard, market));
        self.soon(now + MS, MS, Happening::Requote(leader, market));
    }

    /// A taker takes part of the best level.
    fn hit(&mut self, now: u64, venue: Venue, market: usize) {
        if now < self.markets[market].blind_until[venue.index()] {
            return;
        }
        let side = if self.rng.chance(1, 2) { Side::Bid } else { Side::Ask };
        let Some((change, qty_e2)) =
            self.markets[market].ladder_mut(venue).hit(side, &mut self.rng)
        else {
            return;
        };
        let market = &mut self.markets[market];
        market.last_e4[venue.index()] = change.px_e4;
        match venue {
            Venue::Kalshi => {
                self.kalshi.trade(
                    now,
                    market,
                    side,
                    change.px_e4,
                    qty_e2,
                    &mut self.rng,
                    &mut self.outbox,
                );
                self.kalshi.changes(now, market, &[change], &mut self.rng, &mut self.outbox);
            }
            Venue::Polymarket => {
                polymarket::trade(
                    now,
                    market,
                    side,
                    change.px_e4,
                    qty_e2,
                    &mut self.rng,
                    &mut self.outbox,
                );
            }
        }
    }

    /// A Kalshi bid above the best ask whose matches are published after it, all within 3 ms.
    fn cross(&mut self, now: u64, market: usize) {
        let market_ref = &mut self.markets[market];
        let changes = market_ref.ladder_mut(Venue::Kalshi).cross(&mut self.rng);
        self.kalshi.changes(now, market_ref, &changes, &mut self.rng, &mut self.outbox);
        self.at(now + 100 * MS, Happening::Requote(Venue::Kalshi, market));
    }

    fn publish(&mut self, now: u64, venue: Venue, market: usize, changes: &[ladder::Change]) {
        let market = &mut self.markets[market];
        match venue {
            Venue::Kalshi => {
                self.kalshi.changes(now, market, changes, &mut self.rng, &mut self.outbox);
            }
            Venue::Polymarket => {
                polymarket::changes(now, market, changes, &mut self.rng, &mut self.outbox);
            }
        }
    }
}

impl Market {
    fn ladder_mut(&mut self, venue: Venue) -> &mut Ladder {
        &mut self.ladders[venue.index()]
    }
}
