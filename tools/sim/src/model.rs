//! A seeded market that moves both venues' books.
//!
//! Each market has a fair value that wanders; makers of both venues quote around what they know of
//! it. Now and then one venue learns of a jump late: until it follows, buying there and the other
//! outcome on the other venue costs less than the dollar that one of them pays. The jump is as
//! large as the wanted edge needs, with both fees and both spreads. What is taken from a maker
//! comes back some hundred milliseconds later.

pub mod bands; // which prices a market knows
pub mod ladder; // what makers want to rest on one venue

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use engine::edge::{Quote, edges};
use engine::fee::OneFee;
use engine::pair::{Direction, FeeRule, Outcome, Polarity};
use engine::units::{Ns, PX_ONE, Px, Qty, Venue};

use crate::rng::Rng;
use crate::universe::MarketSpec;
use crate::venue::Side;
use ladder::Ladder;

/// The fair value stays between this and its complement; 1e-4 dollar.
const FAIR_MIN: i32 = 1_200;
/// Fair values of fresh markets are between this and its complement; 1e-4 dollar.
const FAIR_START_MIN: u64 = 3_000;
/// Until then makers are absent who never come back.
const NEVER: Ns = Ns(u64::MAX);
/// How far a jump may go beyond the usual range; 1e-4 dollar.
const JUMP_MIN: i32 = 500;

/// Where makers quote.
pub trait Floor {
    /// As [`crate::venue::Venue::quote`]; nothing where the venue does not run.
    fn quote(&mut self, venue: Venue, market: usize, side: Side, px: Px, qty: Qty);
    /// As [`crate::venue::Venue::quoted`].
    fn quoted(&self, venue: Venue, market: usize, side: Side, px: Px) -> Qty;
}

/// How lively it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Chooses the story.
    pub seed: u64,
    /// Arbitrages that open a minute, over all markets.
    pub arb_per_minute: u32,
    /// Least and largest net edge of an opened arbitrage, micro-dollars a contract.
    pub edge_e6: (u32, u32),
    /// How long an arbitrage stays open.
    pub lag: (Ns, Ns),
    /// Mean time between two changes of a level behind the best, each venue and market.
    pub churn: Ns,
    /// Mean time between two small moves of a market's fair value.
    pub drift: Ns,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seed: 1,
            arb_per_minute: 30,
            edge_e6: (5_000, 30_000),
            lag: (Ns::from_ms(50), Ns::from_ms(2_000)),
            churn: Ns::from_ms(120),
            drift: Ns::from_ms(1_000),
        }
    }
}

/// Something that happens, by the number of its market.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Happening {
    /// A level away from the best changes its size.
    Churn(Venue, usize),
    /// The fair value moves a little.
    Drift(usize),
    /// A venue's makers move their quotes to what they know, and fill what was taken.
    Requote(Venue, usize),
    /// A venue that was late learns of the jump.
    Follow(Venue, usize),
    /// An arbitrage opens somewhere.
    Open,
}

/// The model.
pub struct Model {
    options: Options,
    rng: Rng,
    markets: Vec<Market>,
    /// By [`Venue::index`]: whether the venue is there at all.
    runs: [bool; 2],
    queue: BinaryHeap<Reverse<(Ns, u64, Happening)>>,
    queued: u64,
    opened: u64,
    injected: u64,
}

struct Market {
    polarity: Polarity,
    fees: [OneFee; 2],
    /// By [`Venue::index`], each of its venue's own YES.
    ladders: [Ladder; 2],
    /// The fair value of the first venue's YES as each venue knows it; 1e-4 dollar.
    known: [i32; 2],
    /// Until when a venue's makers neither move nor fill.
    absent_until: [Ns; 2],
    is_settled: bool,
}

impl Model {
    /// A model whose makers have not quoted yet. Only `venues` have makers.
    pub fn new(options: Options, markets: &[MarketSpec], venues: &[Venue], now: Ns) -> Model {
        let mut rng = Rng::new(options.seed);
        let markets = markets.iter().map(|spec| Market::new(spec, &mut rng)).collect();
        let (queue, queued) = (BinaryHeap::new(), 0);
        let runs = Venue::ALL.map(|venue| venues.contains(&venue));
        let mut model =
            Model { options, rng, markets, runs, queue, queued, opened: 0, injected: 0 };
        for market in 0..model.markets.len() {
            model.begin(now, market);
        }
        model.plan_open(now);
        model
    }

    /// One more market, which makers quote from now on; its number follows the last one's.
    pub fn list(&mut self, now: Ns, spec: &MarketSpec) {
        let market = self.markets.len();
        self.markets.push(Market::new(spec, &mut self.rng));
        self.begin(now, market);
    }

    /// Plans the life of a market.
    fn begin(&mut self, now: Ns, market: usize) {
        let runs = self.runs;
        for venue in Venue::ALL.into_iter().filter(|venue| runs[venue.index()]) {
            self.at(now, Happening::Requote(venue, market));
            self.soon(now, self.options.churn, Happening::Churn(venue, market));
        }
        self.soon(now, self.options.drift, Happening::Drift(market));
    }

    /// Takes away what makers left on the floor in an earlier life.
    pub fn clear(&self, floor: &mut dyn Floor) {
        for (number, market) in self.markets.iter().enumerate() {
            for venue in Venue::ALL {
                let bands = market.ladders[venue.index()].bands();
                let mut e4 = 0;
                while e4 < PX_ONE {
                    e4 = bands::up(bands, e4);
                    let Some(px) = Px::new(e4) else { break };
                    for side in [Side::Bid, Side::Ask] {
                        if !floor.quoted(venue, number, side, px).is_zero() {
                            floor.quote(venue, number, side, px, Qty::ZERO);
                        }
                    }
                }
            }
        }
    }

    /// When something happens next.
    pub fn next_due(&self) -> Option<Ns> {
        self.queue.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Lets happen what is due.
    pub fn tick(&mut self, now: Ns, floor: &mut dyn Floor) {
        while let Some(Reverse((at, _, _))) = self.queue.peek() {
            if *at > now {
                return;
            }
            let Some(Reverse((_, _, happening))) = self.queue.pop() else { return };
            self.happen(now, happening, floor);
        }
    }

    /// Opens an arbitrage of at least `edge_e6` micro-dollars a contract, net of both fees, for
    /// `span`; false where no price leads to it.
    pub fn inject(
        &mut self,
        now: Ns,
        market: usize,
        direction: Direction,
        edge_e6: i32,
        span: Ns,
        floor: &mut dyn Floor,
    ) -> bool {
        // The venue that is late is drawn; the other one takes its place where it cannot be.
        let first = if self.rng.chance(1, 2) { Venue::Kalshi } else { Venue::Polymarket };
        let done = self.open(now, market, direction, first, edge_e6, span, floor)
            || self.open(now, market, direction, other(first), edge_e6, span, floor);
        self.injected += u64::from(done);
        done
    }

    /// Makers keep so many thousandths of what they offer, until then.
    pub fn thin(
        &mut self,
        venue: Venue,
        market: usize,
        keep_e3: u64,
        until: Ns,
        floor: &mut dyn Floor,
    ) {
        let is_there =
            |market: &&mut Market| !market.is_settled && market.absent_until[venue.index()] < NEVER;
        let Some(entry) = self.markets.get_mut(market).filter(is_there) else { return };
        entry.ladders[venue.index()].thin(venue, market, keep_e3, floor);
        let absent = &mut entry.absent_until[venue.index()];
        *absent = (*absent).max(until);
        let at = *absent;
        self.at(at, Happening::Requote(venue, market));
    }

    /// The outcome that the fair value makes likelier: of the first venue's market.
    pub fn likely(&self, market: usize) -> Outcome {
        match self.markets[market].known[0] >= i32::from(PX_ONE / 2) {
            true => Outcome::Yes,
            false => Outcome::No,
        }
    }

    /// What a venue charges in a market from now on.
    pub fn charge(&mut self, venue: Venue, market: usize, rule: FeeRule) {
        self.markets[market].fees[venue.index()] = OneFee::new(rule);
    }

    /// Makers leave a market on one venue for good.
    pub fn leave(&mut self, venue: Venue, market: usize) {
        self.markets[market].absent_until[venue.index()] = NEVER;
    }

    /// Makers leave a market for good.
    pub fn settle(&mut self, market: usize) {
        self.markets[market].is_settled = true;
    }

    /// What happened so far.
    pub fn ledger(&self) -> serde_json::Value {
        serde_json::json!({ "opened": self.opened, "injected": self.injected })
    }

    fn at(&mut self, time: Ns, happening: Happening) {
        self.queue.push(Reverse((time, self.queued, happening)));
        self.queued += 1;
    }

    /// Up to twice `mean` after `from`.
    fn soon(&mut self, from: Ns, mean: Ns, happening: Happening) {
        let time = from.after(Ns(self.rng.between(1, 2 * mean.0)));
        self.at(time, happening);
    }

    fn plan_open(&mut self, now: Ns) {
        if self.options.arb_per_minute > 0 {
            let mean = Ns(60_000_000_000 / u64::from(self.options.arb_per_minute));
            self.soon(now, mean, Happening::Open);
        }
    }

    fn happen(&mut self, now: Ns, happening: Happening, floor: &mut dyn Floor) {
        match happening {
            Happening::Churn(venue, market) => {
                self.churn(now, venue, market, floor);
                self.soon(now, self.options.churn, happening);
            }
            Happening::Drift(market) => {
                self.drift(now, market);
                self.soon(now, self.options.drift, happening);
            }
            Happening::Requote(venue, market) => self.requote(now, venue, market, floor),
            Happening::Follow(venue, market) => {
                let entry = &mut self.markets[market];
                if entry.absent_until[venue.index()] <= now {
                    entry.known[venue.index()] = entry.known[other(venue).index()];
                    self.requote(now, venue, market, floor);
                }
            }
            Happening::Open => {
                self.open_somewhere(now, floor);
                self.plan_open(now);
            }
        }
    }

    fn churn(&mut self, now: Ns, venue: Venue, market: usize, floor: &mut dyn Floor) {
        let entry = &mut self.markets[market];
        if entry.is_settled || now < entry.absent_until[venue.index()] {
            return;
        }
        let ladder = &mut entry.ladders[venue.index()];
        ladder.churn(venue, market, &mut self.rng, floor);
        if ladder.was_hit(venue, market, floor) {
            self.soon(
                now.after(Ns::from_ms(100)),
                Ns::from_ms(150),
                Happening::Requote(venue, market),
            );
        }
    }

    /// Both venues learn of a small move at nearly the same time.
    fn drift(&mut self, now: Ns, market: usize) {
        let entry = &mut self.markets[market];
        let is_late = entry.absent_until.iter().any(|until| now < *until);
        if entry.is_settled || is_late || entry.known[0] != entry.known[1] {
            return;
        }
        // Back to the middle rather than away from it.
        let away = entry.known[0] - i32::from(PX_ONE / 2);
        let step = self.rng.below(61) as i32 - 30 - away / 200;
        let fair = (entry.known[0] + step).clamp(FAIR_MIN, i32::from(PX_ONE) - FAIR_MIN);
        entry.known = [fair; 2];
        for venue in Venue::ALL {
            self.soon(now, Ns::from_ms(10), Happening::Requote(venue, market));
        }
    }

    fn requote(&mut self, now: Ns, venue: Venue, market: usize, floor: &mut dyn Floor) {
        let entry = &mut self.markets[market];
        let is_absent = !self.runs[venue.index()] || now < entry.absent_until[venue.index()];
        if entry.is_settled || is_absent {
            return;
        }
        let fair = entry.own(venue, entry.known[venue.index()]);
        entry.ladders[venue.index()].move_to(venue, market, fair, &mut self.rng, floor);
    }

    fn open_somewhere(&mut self, now: Ns, floor: &mut dyn Floor) {
        if self.markets.is_empty() {
            return;
        }
        let market = self.rng.below(self.markets.len() as u64) as usize;
        let venue = if self.rng.chance(1, 2) { Venue::Kalshi } else { Venue::Polymarket };
        let (low, high) = self.options.edge_e6;
        let edge_e6 = self.rng.between(u64::from(low), u64::from(high)) as i32;
        // As many short lags as long ones: each doubling is as likely.
        let (short, long) = self.options.lag;
        let doublings = u64::from((long.0 / short.0.max(1)).max(1).ilog2());
        let base = short.0 << self.rng.below(doublings.max(1));
        let lag = Ns(self.rng.between(base, 2 * base).min(long.0));
        // The jump leads back to the middle.
        let is_high = self.markets[market].known[0] > i32::from(PX_ONE / 2);
        let direction = match (venue, is_high) {
            (Venue::Kalshi, true) | (Venue::Polymarket, false) => Direction::FirstNo,
            (Venue::Kalshi, false) | (Venue::Polymarket, true) => Direction::FirstYes,
        };
        let late = venue;
        self.opened += u64::from(self.open(now, market, direction, late, edge_e6, lag, floor));
    }

    /// The other venue than `late` jumps far enough.
    #[expect(clippy::too_many_arguments, reason = "a struct for it would only rename them")]
    fn open(
        &mut self,
        now: Ns,
        market: usize,
        direction: Direction,
        late: Venue,
        edge_e6: i32,
        span: Ns,
        floor: &mut dyn Floor,
    ) -> bool {
        let Some(entry) = self.markets.get_mut(market) else { return false };
        let is_busy = entry.absent_until.iter().any(|until| now < *until);
        if entry.is_settled || is_busy || direction == Direction::SecondBoth {
            return false;
        }
        let leader = other(late);
        let still = match self.runs[late.index()] {
            true => entry.best(late, market, floor),
            false => {
                let fair = entry.own(late, entry.known[late.index()]);
                entry.ladders[late.index()].best_at(fair)
            }
        };
        // Buying the first venue's YES pays where the second venue's price is the higher one.
        let up = (direction == Direction::FirstYes) == (leader == Venue::Polymarket);
        let mut fair = entry.known[leader.index()];
        let found = loop {
            fair += if up { 10 } else { -10 };
            if !(JUMP_MIN..=i32::from(PX_ONE) - JUMP_MIN).contains(&fair) {
                break None;
            }
            let ladder = &entry.ladders[leader.index()];
            let moved = ladder.best_at(entry.own(leader, fair));
            if entry.edge(leader, moved, still, direction) >= edge_e6 {
                break Some(fair);
            }
        };
        let Some(fair) = found else { return false };
        entry.known[leader.index()] = fair;
        let until = now.after(span);
        entry.absent_until[late.index()] = until;
        self.requote(now, leader, market, floor);
        self.at(until, Happening::Follow(late, market));
        true
    }
}

impl Market {
    fn new(spec: &MarketSpec, rng: &mut Rng) -> Market {
        let tick = [(0, PX_ONE, spec.polymarket.tick)];
        let most = u64::from(PX_ONE) - FAIR_START_MIN;
        let fair = rng.between(FAIR_START_MIN, most) as i32;
        let rules = [
            FeeRule::Quadratic { multiplier_e6: spec.kalshi.fee_multiplier_e6 },
            FeeRule::Curve {
                rate_e6: spec.polymarket.fee_rate_e6,
                exponent: spec.polymarket.fee_exponent,
            },
        ];
        Market {
            polarity: spec.polarity,
            fees: rules.map(OneFee::new),
            ladders: [Ladder::new(spec.kalshi.bands.clone()), Ladder::new(tick.to_vec())],
            known: [fair; 2],
            absent_until: [Ns(0); 2],
            is_settled: false,
        }
    }

    /// The fair value of a venue's own YES; 1e-4 dollar.
    fn own(&self, venue: Venue, fair: i32) -> u16 {
        let fair = fair.clamp(0, i32::from(PX_ONE)) as u16;
        match (venue, self.polarity) {
            (Venue::Polymarket, Polarity::Inverted) => PX_ONE - fair,
            _ => fair,
        }
    }

    /// The best bid and ask that rest, of the venue's own YES.
    fn best(&self, venue: Venue, market: usize, floor: &dyn Floor) -> (u16, u16) {
        self.ladders[venue.index()].best(venue, market, floor)
    }

    /// The net edge of one contract with the leader's best at `moved` and the other's at `still`.
    fn edge(
        &self,
        leader: Venue,
        moved: (u16, u16),
        still: (u16, u16),
        direction: Direction,
    ) -> i32 {
        let mut best = [still; 2];
        best[leader.index()] = moved;
        let quote = |venue: usize| {
            let ((bid, ask), fee) = (best[venue], self.fees[venue]);
            let yes = i32::from(ask) * 100 + fee.e6(ask);
            let no = i32::from(PX_ONE - bid) * 100 + fee.e6(bid);
            match (venue, self.polarity) {
                (1, Polarity::Inverted) => Quote { yes: no, no: yes },
                _ => Quote { yes, no },
            }
        };
        edges(quote(0), quote(1))[direction.index()]
    }
}

const fn other(venue: Venue) -> Venue {
    match venue {
        Venue::Kalshi => Venue::Polymarket,
        Venue::Polymarket => Venue::Kalshi,
    }
}
