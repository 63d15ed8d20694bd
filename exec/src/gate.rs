//! The tile between the core and a venue: bundles in, orders out, reports back. Read the modules
//! in this order.

pub mod figures; // what was counted
pub mod outbox; // reports on their way to the core
pub mod orders; // what was sent, and what is known of it
pub mod clerk; // what is particular to a venue
mod groups; // Kalshi's order groups
pub mod kalshi; // Kalshi's
pub mod polymarket; // Polymarket's
pub mod net; // sockets, or what stands for them
pub mod channel; // the private channel
pub mod shut; // while the venue takes no orders
pub mod admit; // what the gate itself holds against a bundle
mod fire; // bundles -> orders -> answers
mod aside; // questions, cancels, probes, upkeep

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use engine::clock::Clock;
use engine::event::{Control, Dispatch, Feedback, Risk};
use engine::lanes::Lanes;
use engine::pair::{Listing, PairId};
use engine::tile::{Now, Tile};
use engine::top::MarketId;
use engine::units::Ns;
use rtrb::{Consumer, Producer};

use crate::answer::Closed;
use crate::backoff::Rng;
use crate::gate::admit::Brake;
use crate::gate::aside::Task;
use crate::gate::channel::{ChannelConfig, ChannelNews, PrivateChannel};
use crate::gate::clerk::Clerk;
use crate::gate::figures::{GateFigures, GateStages};
use crate::gate::fire::{Errand, Parked};
use crate::gate::net::{Net, TlsNet};
use crate::gate::orders::{OrderKey, Orders, Patience, Question};
use crate::gate::outbox::Outbox;
use crate::gate::shut::{Shut, ShutConfig};
use crate::journal::JournalWriter;
use crate::pool::{Pool, PoolConfig};
use crate::private::PrivateEvent;

/// Longest request of any kind.
const REQUEST_CAPACITY: usize = 8_192;

/// What is about no pair alone.
const NO_PAIR: PairId = PairId(u16::MAX);

/// A market that came, and what its orders need.
pub type NewTerms<T> = (MarketId, T);

/// Markets on their way to a gate or the signer; as many as a feed takes at a time.
pub const TERMS_RING_DEPTH: usize = 16;

/// Kalshi's gate.
pub type KalshiGate<T, N = TlsNet> = Gate<kalshi::KalshiClerk, N, T>;

/// Polymarket's gate.
pub type PolymarketGate<T, N = TlsNet> = Gate<polymarket::PolymarketClerk, N, T>;

/// How a gate behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GateConfig {
    /// Connections for orders: at least two where both legs of a bundle may be this venue's,
    /// because each carries one order at a time.
    pub orders: PoolConfig,
    /// The private channel.
    pub channel: ChannelConfig,
    /// How long to wait for what was announced, and how to ask for it.
    pub patience: Patience,
    /// What to do while the venue takes no orders.
    pub shut: ShutConfig,
    /// An idle connection for orders is used at least this often, so that it stays warm.
    pub warm_every: Ns,
    /// Cancelling all orders may reach those that are sent up to so much later (kalshi.md section
    /// 4): none is.
    pub sweep_rest: Ns,
    /// Seed of the waits between tries.
    pub seed: u64,
}

impl Default for GateConfig {
    fn default() -> GateConfig {
        GateConfig {
            orders: PoolConfig::default(),
            channel: ChannelConfig::default(),
            patience: Patience::default(),
            shut: ShutConfig::default(),
            warm_every: Ns::from_ms(15_000),
            sweep_rest: Ns::from_ms(60_000),
            seed: 0,
        }
    }
}

/// The ends of a gate's rings, and the kill switch.
pub struct GateEnds {
    /// What the core decided.
    pub bundles: Consumer<Dispatch>,
    /// What the core hears.
    pub feedback: Producer<Feedback>,
    /// The epoch in force: bundles of an earlier one are void. Raised by whoever stops trading,
    /// before the core hears of it.
    pub kill_epoch: Arc<AtomicU32>,
}

/// A gate. `T` times the parts of firing; nothing that the gate does depends on it.
pub struct Gate<K: Clerk, N: Net, T> {
    clerk: K,
    net: N,
    ends: Ends,
    markets: Option<Consumer<NewTerms<K::Terms>>>,
    orders: Orders,
    fire: Pool<N>,
    errands: Vec<Option<Errand>>,
    /// One connection for questions, cancels and chores, so that no order waits for them.
    aside: Pool<N>,
    task: Option<Task>,
    channel: PrivateChannel<N::Channel>,
    shut: Shut,
    /// The venue said that it does not know us, and has not shown otherwise.
    doubted: bool,
    brake: Brake,
    /// The next question of the round that is under way.
    round: Option<(OrderKey, Question)>,
    /// A cancel that failed is not repeated before.
    cancel_at: Ns,
    upkeep_at: Ns,
    /// A bundle that found no idle connection yet.
    held: Option<Dispatch>,
    /// Who decides is told here how many orders could leave at once.
    lanes: Option<Arc<Lanes>>,
    /// Legs that were taken, wrapping: sent, parked or refused.
    taken: u32,
    /// Orders that are made and may not leave yet.
    parked: Option<Parked>,
    ready: bool,
    /// A leg's request each.
    requests: [Vec<u8>; 2],
    /// Those of the parked orders.
    parked_requests: [Vec<u8>; 2],
    config: GateConfig,
    rng: Rng,
    timer: T,
    figures: GateFigures,
    stages: GateStages,
}

struct Ends {
    bundles: Consumer<Dispatch>,
    /// Rules of markets that changed; none where nobody tells.
    rules: Option<Consumer<Control>>,
    out: Outbox,
    kill_epoch: Arc<AtomicU32>,
}

impl<K: Clerk, N: Net + Clone, T: Clock> Gate<K, N, T> {
    /// A gate that begins to connect with its first step.
    pub fn new(clerk: K, net: N, ends: GateEnds, config: GateConfig, timer: T) -> Gate<K, N, T> {
        let mut rng = Rng::new(config.seed);
        let aside = PoolConfig { size: 1, ..config.orders };
        // SYNC: as in `obey`.
        let epoch = ends.kill_epoch.load(Ordering::Acquire);
        Gate {
            clerk,
            orders: Orders::new(config.patience),
            fire: Pool::new(net.clone(), config.orders, rng.next()),
            errands: vec![None; config.orders.size],
            aside: Pool::new(net.clone(), aside, rng.next()),
            net,
            ends: Ends {
                bundles: ends.bundles,
                rules: None,
                out: Outbox::new(ends.feedback),
                kill_epoch: ends.kill_epoch,
            },
            markets: None,
            task: None,
            channel: PrivateChannel::new(config.channel),
            shut: Shut::new(config.shut),
            doubted: false,
            // A kill from before this gate was is not its own.
            brake: Brake::new(epoch),
            round: None,
            cancel_at: Ns(0),
            upkeep_at: Ns(0),
            held: None,
            lanes: None,
            taken: 0,
            parked: None,
            ready: false,
            requests: [0; 2].map(|_| Vec::with_capacity(REQUEST_CAPACITY)),
            parked_requests: [0; 2].map(|_| Vec::with_capacity(REQUEST_CAPACITY)),
            config,
            rng,
            timer,
            figures: GateFigures::default(),
            stages: GateStages::default(),
        }
    }
}

impl<K: Clerk, N: Net, T: Clock> Gate<K, N, T> {
    /// Writes down all that is sent and heard. With `waits`, an order leaves only when the journal
    /// holds it durably.
    #[must_use]
    pub fn with_journal(mut self, journal: JournalWriter, waits: bool) -> Gate<K, N, T> {
        self.ends.out.keep(journal, waits);
        self
    }

    /// Tells here, after every step, how many orders could leave at once.
    #[must_use]
    pub fn with_lanes(mut self, lanes: Arc<Lanes>) -> Gate<K, N, T> {
        self.lanes = Some(lanes);
        self
    }

    /// Hears of rules that change while markets trade through this ring: each must be in it before
    /// a bundle that follows from it is in the other one.
    #[must_use]
    pub fn with_rules(mut self, rules: Consumer<Control>) -> Gate<K, N, T> {
        self.ends.rules = Some(rules);
        self
    }

    /// Learns the markets of pairs that join through this ring: each must be in it before the pair
    /// is in that of the rules.
    #[must_use]
    pub fn with_markets(mut self, markets: Consumer<NewTerms<K::Terms>>) -> Gate<K, N, T> {
        self.markets = Some(markets);
        self
    }

    /// Takes in a pair, and first the market that came for it. Those of later pairs wait: what a
    /// number still stands for may have to be forgotten before.
    #[cold]
    fn join(&mut self, listing: &Listing) {
        let own = listing.sides[K::VENUE.index()].market;
        while let Some(markets) = &mut self.markets
            && markets.peek().is_ok_and(|(market, _)| *market == own)
            && let Ok((market, terms)) = markets.pop()
        {
            self.clerk.market(market, terms);
        }
        self.clerk.join(listing);
        // What is still told of orders of the pair that had this place before is of no pair.
        self.orders.leave(listing.pair, NO_PAIR);
        if let Some(guard) = self.ends.out.guard_mut() {
            guard.list(listing);
        }
    }

    /// Forgets a market with the orders that it had, and says so: what comes of them after this is
    /// of orders that nobody knows. While one may come to something else nothing is forgotten nor
    /// said, and whoever wants it asks again.
    #[cold]
    fn vacate(&mut self, market: MarketId, generation: u32, now: Ns) {
        if market.venue() == K::VENUE && self.orders.forget(market, now) {
            self.clerk.forget(market);
            if let Some(guard) = self.ends.out.guard_mut() {
                guard.vacate(market);
            }
            self.ends.out.tell(Feedback::Vacated { market, generation });
        }
    }

    /// Takes in the rules that changed.
    fn take_rules(&mut self, now: Now) -> usize {
        let mut taken = 0;
        while let Some(rule) = self.ends.rules.as_mut().and_then(|rules| rules.pop().ok()) {
            match &rule {
                Control::Join(listing) => self.join(listing),
                Control::Retire(pair) => {
                    if let Some(guard) = self.ends.out.guard_mut() {
                        guard.stop(*pair);
                    }
                }
                Control::Close { market, at } => {
                    if let Some(guard) = self.ends.out.guard_mut() {
                        guard.close(*market, *at);
                    }
                }
                Control::Vacate { market, generation } => {
                    self.vacate(*market, *generation, now.mono);
                }
                rule => self.clerk.rule(rule),
            }
            taken += 1;
        }
        taken
    }

    /// What it did so far.
    pub fn figures(&self) -> GateFigures {
        GateFigures { unread: self.channel.unread(), ..self.figures }
    }

    /// How long firing took.
    pub const fn stages(&self) -> &GateStages {
        &self.stages
    }

    /// The venue's clerk, for its figures.
    pub const fn clerk(&self) -> &K {
        &self.clerk
    }

    /// True where an order can leave and its fills are heard of.
    pub const fn is_ready(&self) -> bool {
        self.ready
    }

    /// Orders that have not ended, and those of them whose fate is unknown.
    pub fn open_orders(&self) -> [usize; 2] {
        [self.orders.open(), self.orders.unknown()]
    }

    /// Connections for orders lost and replaced.
    pub const fn turnover(&self) -> [u64; 2] {
        self.fire.turnover()
    }

    /// Ends all connections. What is still open stays unknown.
    pub fn close(&mut self) {
        self.fire.close();
        self.aside.close();
        self.channel.close();
    }

    /// Hears the private channel.
    fn poll_channel(&mut self, now: Now) -> usize {
        let (orders, figures, out) = (&mut self.orders, &mut self.figures, &mut self.ends.out);
        let mut tell = |event: PrivateEvent| match event {
            PrivateEvent::Fill(fill) => {
                orders.fill(&fill, now.mono, figures, out);
            }
            PrivateEvent::Order(news) => orders.news(&news, now.mono, figures, out),
            PrivateEvent::Position(_)
            | PrivateEvent::Stopped(_)
            | PrivateEvent::Deleted(_)
            | PrivateEvent::Subscribed
            | PrivateEvent::Broken => {}
        };
        let (clerk, net, rng) = (&mut self.clerk, &mut self.net, &mut self.rng);
        let (done, news) = self.channel.step(now, clerk, net, rng, &mut tell);
        match news {
            // Nothing is replayed: what happened in between must be asked for.
            Some(ChannelNews::Subscribed) => self.orders.ask_for_all(now.mono),
            Some(ChannelNews::Lost) => self.figures.channels_lost += 1,
            Some(ChannelNews::Refused) => {
                self.figures.channels_lost += 1;
                self.close_door(Closed::Identity, now.mono);
            }
            None => {}
        }
        done
    }

    /// The venue takes no orders. Where it does not know us, somebody is told once, and it is asked
    /// with proof of who asks before anything more leaves: a key that opens nothing is not tried
    /// on orders. Where it knows us and lets us trade no more, a person must look first.
    #[cold]
    fn close_door(&mut self, why: Closed, at: Ns) {
        if why == Closed::Identity && self.doubted && self.shut.probe_at().is_some() {
            return; // It is known, and saying it again does not put off the question.
        }
        self.figures.closed += u64::from(self.shut.is_open());
        if why == Closed::Account {
            if !self.shut.is_barred() {
                let (pair, risk) = (NO_PAIR, Risk::Refused);
                self.ends.out.tell(Feedback::Tripped { pair, at, risk });
            }
            // Once a person has looked, whoever asks proves who asks.
            self.doubted = true;
        }
        self.shut.close(why, at, &mut self.rng);
        if why == Closed::Identity && !self.doubted {
            self.doubted = true;
            self.figures.doubted += 1;
            let (pair, risk) = (NO_PAIR, Risk::Identity);
            self.ends.out.tell(Feedback::Tripped { pair, at, risk });
        }
    }

    /// Tells how many orders could leave at once: none while one waits, for its connection or for the
    /// disk, because what comes after it waits too.
    fn tell_lanes(&self) {
        if let Some(lanes) = &self.lanes {
            let waits = self.held.is_some() || self.parked.is_some();
            lanes.tell(self.taken, if waits { 0 } else { self.fire.idle() });
        }
    }

    /// Tells the core where that changed whether it may count on this gate.
    fn tell_ready(&mut self, now: Now) {
        let reaches = self.fire.warm() > 0 && self.channel.is_subscribed();
        let takes = !self.ends.out.is_full() && self.ends.out.may_begin();
        // A leg that this gate would refuse leaves the other one alone.
        let rests = self.ends.out.rests(K::VENUE, now.mono);
        let opens = self.shut.is_open() && takes && !rests && self.orders.has_room(2, now.mono);
        let signs = self.clerk.has_stamp(now.wall);
        let ready = reaches && opens && signs && self.is_clear(now.mono);
        if ready != self.ready {
            self.ready = ready;
            self.ends.out.tell(Feedback::Gate { venue: K::VENUE, at: now.mono, ready });
        }
        if !ready && self.clerk.take_stop() {
            self.figures.tripped += 1;
            let (pair, risk) = (NO_PAIR, Risk::Breaker);
            self.ends.out.tell(Feedback::Tripped { pair, at: now.mono, risk });
        }
    }
}

impl<K: Clerk, N: Net, T: Clock> Tile for Gate<K, N, T> {
    const NAME: &'static str = K::NAME;

    /// Takes bundles first, then answers, then the private channel, then what can wait.
    fn step(&mut self, now: Now) -> usize {
        self.ends.out.flush();
        if self.ends.out.is_full() {
            return 0; // back-pressure: what became of orders is never dropped
        }
        self.obey();
        let mut done = self.take_bundles(now);
        done += self.poll_orders(now);
        done += self.poll_channel(now);
        done += self.poll_aside(now);
        if done == 0 {
            done += self.take_rules(now);
            done += self.clerk.idle(now);
            if now.mono >= self.upkeep_at {
                self.upkeep(now);
            }
        }
        self.tell_lanes();
        self.tell_ready(now);
        done
    }

    fn next_deadline(&self) -> Option<Ns> {
        let inquiry = self.orders.next_inquiry();
        let cancel = self.orders.to_cancel().map(|_| self.cancel_at);
        let held = self.held.map(|dispatch| dispatch.bundle.deadline);
        let parked = self.parked.map(|parked| parked.bundle.deadline);
        let pools = [self.fire.next_deadline(), self.aside.next_deadline()];
        let always = [Some(self.channel.next_deadline()), Some(self.upkeep_at)];
        let sweep = self.brake.sweep.then_some(self.cancel_at);
        let clear = Some(self.brake.clear_at).filter(|_| !self.ready && !self.brake.sweep);
        let rare = [inquiry, cancel, held, parked, sweep, clear, self.shut.probe_at()];
        pools.into_iter().chain(always).chain(rare).flatten().min()
    }
}

#[cfg(test)]
mod tests;
