//! One seed from its first event to its verdict: the loop that lets time jump, the faults of its
//! plan, and the phases: chaos, healing, rest.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use engine::core::NO_LIMIT;
use engine::digest::Digest;
use engine::event::Event;
use engine::pair::PairId;
use engine::tile::Now;
use engine::units::{Ns, Usd, Venue};
use exec::sign::pool::HeaderSpread;
use serde_json::Value;
use sim::cast;
use sim::fault::Level;
use sim::host::SiteId;
use sim::rng::Rng;
use sim::universe::Universe;
use sim::world::{Options, World};

use super::chances::Chances;
use super::checks::{Checks, Violation};
use super::disk::Disk;
use super::door::{Door, Revoked};
use super::doubt::Doubt;
use super::fabric::Fabric;
use super::figures::Figures;
use super::glance::Glances;
use super::latch::Latch;
use super::naked::Naked;
use super::net::Lobby;
use super::owner::Owner;
use super::plan::{Plan, Timed, Upset};
use super::process::Starting;
use super::stakes::{Stakes, cash_of};
use super::tail::Tail;
use super::trader::{HostClock, KEY_ID, Keys, Trader};
use super::watch::Watch;
use crate::config::{self, Config, Simulated, Variables};
use crate::pairs::PairFile;
use crate::run::spec::{Fills, RunSpec};

/// When every simulation begins: 2026-11-18, Unix nanoseconds.
const START: Ns = Ns(1_795_000_000_000_000_000);
/// The engine's monotonic clock then.
const MONO_START: Ns = Ns::from_ms(1_000);
/// Nothing goes wrong before.
const WARM: Ns = Ns::from_ms(20_000);
/// From the end of all faults to the end of the simulation.
const HEALED: Ns = Ns::from_ms(240_000);
/// After the end of all faults everything works again within this.
const RESUMED: Ns = Ns::from_ms(30_000);
/// ...and something was decided within this, where opportunities are put there.
const DECIDED: Ns = Ns::from_ms(60_000);
/// Nothing is decided any more for so long before the end.
const REST: Ns = Ns::from_ms(100_000);
/// A kill takes back what rests within this, though nothing but the reserve for cancels is left.
const SWEPT: Ns = Ns::from_ms(30_000);
/// How often books are compared.
const BOOKS_EVERY: Ns = Ns::from_ms(5_000);
/// How often opportunities are put there after healing.
const INJECT_EVERY: Ns = Ns::from_ms(2_000);
/// The shortest simulation: warm, some chaos, healed.
pub const SPAN_MIN: Ns = Ns::from_ms(600_000);
/// Connections that may be open at once, and bytes that may be on their way: bounds of what the
/// engine may pile up.
const CONNECTIONS_MAX: usize = 64;
/// See [`CONNECTIONS_MAX`].
const BACKLOG_MAX: usize = 4 << 20;
/// Ports in the addresses of both venues, which say which of them is meant.
pub(super) const PORTS: [u16; 2] = [1, 2];
/// Signed headers and orders that lie ready.
const HEADERS: usize = 16;
/// See [`HEADERS`].
const ARMED: usize = 8;
/// What the administrator's calls carry; the engine does not know it.
pub(super) const TOKEN: &str = "chaos";

/// What a seed came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Time that passed in it.
    pub simulated: Ns,
    /// Requests, messages, pushes and inputs of the core.
    pub events: u64,
    /// Checks that were made.
    pub checks: u64,
    /// Faults that struck, by class and kind.
    pub faults: BTreeMap<String, u64>,
    /// Bundles that were decided.
    pub decisions: u64,
    /// Orders that the venues know.
    pub orders: u64,
    /// Their fills.
    pub fills: u64,
    /// Over everything that was decided and became of it.
    pub hash: u64,
    /// The promise that was broken, and what happened last.
    pub broken: Option<(Violation, Vec<String>)>,
}

/// A simulation.
pub(super) struct Simulation {
    pub(super) plan: Plan,
    pub(super) world: World,
    pub(super) fabric: Fabric,
    pub(super) moment: Rc<Cell<Ns>>,
    pub(super) lobby: Rc<RefCell<Lobby>>,
    pub(super) clock: HostClock,
    pub(super) keys: Keys,
    pub(super) config: Config,
    pub(super) spec: RunSpec,
    pub(super) file: PairFile,
    /// None while the process is down.
    pub(super) trader: Option<Trader>,
    /// A start of it that is under way.
    pub(super) starting: Option<Starting>,
    /// What stopped it until a person arms it again.
    pub(super) latch: Latch,
    /// When it is started again, or gets a processor again.
    pub(super) back_at: Ns,
    pub(super) disk: Disk,
    /// The disk's faults end then.
    pub(super) disk_until: Ns,
    pub(super) checks: Checks,
    /// What one leg filled alone.
    pub(super) naked: Naked,
    /// What may be at stake.
    stakes: Stakes,
    /// Since when nothing has gone wrong, and a person has looked at the engine that runs.
    pub(super) works: Option<Ns>,
    /// What the process compares with the venues while it runs.
    pub(super) figures: Option<Figures>,
    /// ...and the books of its feeds.
    pub(super) glances: Option<Glances>,
    pub(super) watch: Watch,
    /// What becomes of opportunities once everything works again.
    chances: Chances,
    /// Nothing more is to be decided, by this process or the next.
    pub(super) held: bool,
    /// What the gates of that process had taken back when it was killed at the end.
    pub(super) killed: Option<(i64, [u64; 2])>,
    pub(super) rng: Rng,
    /// Until when keys open nothing.
    pub(super) revoked: Revoked,
    /// Where keys are, and which process has them.
    pub(super) owner: Owner,
    pub(super) doubt: Doubt,
    /// How far the engine's wall clock is ahead.
    pub(super) wall_ahead: i64,
    pub(super) paused: Vec<(Ns, Value)>,
    /// When the markets settle of which one is closed.
    pub(super) closed: Vec<(Ns, PairId)>,
    /// How often a venue is to pause between the legs of a bundle.
    pub(super) between: u32,
    /// The process dies as soon as a commit is under way.
    pub(super) dying: bool,
    digest: Digest,
    decisions: u64,
    events: u64,
    pub(super) faults: BTreeMap<&'static str, u64>,
    pub(super) tail: Tail,
    stepped_at: Ns,
    /// What had happened on the accounts when they were compared last.
    moves: u64,
    /// The core's inputs that were counted.
    pub(super) inputs: u64,
}

/// Runs a seed for `span` of simulated time, at least [`SPAN_MIN`].
///
/// # Errors
/// Where a simulation cannot be made: no promise of the engine's.
pub fn run(seed: u64, span: Ns, faults: bool) -> Result<Outcome, String> {
    let mut simulation = Simulation::new(seed, Plan::new(seed, faults))?;
    // A tile that panics takes the process with it; here it is a promise that was broken.
    let went = catch_unwind(AssertUnwindSafe(|| simulation.go(span.max(SPAN_MIN), faults)));
    let broken = went.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))).err();
    Ok(simulation.outcome(seed, faults, broken))
}

fn panicked(panic: &(dyn Any + Send)) -> Violation {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    Violation { invariant: "no_panic", detail: text.unwrap_or("a tile panicked").to_owned() }
}

impl Simulation {
    fn new(seed: u64, plan: Plan) -> Result<Simulation, String> {
        let mut rng = Rng::new(seed ^ 0x7365_6564);
        let mut markets = cast::markets(seed, plan.markets, START);
        for market in &mut markets {
            market.polymarket.taker_delay_ms = plan.taker_delay_ms;
        }
        let mut universe = Universe { markets: markets.clone(), ..Universe::default() };
        let mut polymarket = None;
        let (keys, public, wallet) = Keys::new(|owner| {
            let wallets = vec![sim::accounts::polymarket(owner.to_owned(), 3)];
            let own =
                Universe { markets: markets.clone(), polymarket: wallets, kalshi: Vec::new() };
            let mut venue = sim::polymarket::Polymarket::new(&own, START);
            let given = venue.credentials(owner, 0);
            polymarket = Some(venue);
            given.map(|given| [given.key, given.secret, given.passphrase])
        })?;
        universe.kalshi = vec![sim::accounts::kalshi(KEY_ID, public)];
        universe.polymarket = vec![wallet];
        let kalshi = sim::kalshi::Kalshi::new(&universe, START);
        let polymarket = polymarket.ok_or("no Polymarket")?;
        let venues: Vec<(Venue, Box<dyn sim::venue::Venue>)> =
            vec![(Venue::Kalshi, Box::new(kalshi)), (Venue::Polymarket, Box::new(polymarket))];
        let options =
            Options { model: plan.model, faults: Level::None, admin_token: TOKEN.to_owned() };
        let world = World::new(&markets, venues, options, START);

        let owner = keys.owner()?;
        let mut config = configuration(&keys, &owner)?;
        config.polymarket.heartbeat = rng.chance(1, 2);
        if let Some(repair) = &mut config.repair {
            repair.adopt = rng.chance(3, 4);
            repair.naked_max = Usd::new(rng.between(15, 120) as i64 * 1_000_000);
        }
        if !plan.host.is_empty() && rng.chance(1, 4) {
            // Reached once so much is out, which does not come back here.
            let out = Usd::new(rng.between(500, 5_000) as i64 * 1_000_000);
            config.limits.risk.shutdown_balance = cash_of(|venue| world.standing(venue)) - out;
        }
        let had = cash_of(|venue| world.standing(venue));
        let limits = &mut config.limits;
        let stakes =
            Stakes::draw(&mut rng, &mut limits.risk, &mut limits.unsettled_notional_max, had);
        let naked_max = config.repair.map_or(NO_LIMIT, |repair| repair.naked_max);
        let pairs = vec![("chaos".to_owned(), cast::pairs_toml(&markets))];
        let mut spec = config.spec_of(Fills::Venues, [Usd::ZERO; 2], pairs)?;
        spec.max_qty = 10_000;
        spec.cooldown = 1_000_000_000;
        spec.deadline = 500_000_000;
        spec.arm_within = Some(20_000);
        spec.audit_every = 4;
        let file = spec.pair_file()?;

        let moment = Rc::new(Cell::new(START));
        let lobby_rng = Rng::new(rng.bits());
        let lobby = Lobby::new(Rc::clone(&moment), plan.latency, lobby_rng);
        let lobby = Rc::new(RefCell::new(lobby));
        let fabric = Fabric::new(Rc::clone(&lobby), Rng::new(rng.bits()));
        let disk = Disk::new();
        let watch = Watch::new(disk.memory.clone());
        let mut simulation = Simulation {
            plan,
            world,
            fabric,
            moment,
            lobby,
            clock: HostClock::default(),
            keys,
            config,
            spec,
            starting: None,
            latch: Latch::default(),
            checks: Checks::new(file.clone()),
            naked: Naked::new(&file, naked_max),
            stakes,
            works: None,
            file,
            trader: None,
            back_at: START,
            disk,
            figures: None,
            glances: None,
            watch,
            disk_until: Ns(u64::MAX),
            chances: Chances::default(),
            held: false,
            killed: None,
            rng,
            revoked: Revoked::default(),
            owner,
            doubt: Doubt::default(),
            wall_ahead: 0,
            paused: Vec::new(),
            closed: Vec::new(),
            between: 0,
            dying: false,
            digest: Digest::default(),
            decisions: 0,
            events: 0,
            faults: BTreeMap::new(),
            tail: Tail::default(),
            stepped_at: START,
            moves: 0,
            inputs: 0,
        };
        match simulation.start(START) {
            Ok(true) => Ok(simulation),
            Ok(false) => Err("the first start does not end at once".to_owned()),
            Err(Violation { detail, .. }) => Err(detail),
        }
    }

    /// The engine's clocks.
    pub(super) fn now(&self) -> Now {
        let time = self.moment.get();
        let mono = mono_of(time);
        Now { mono, wall: Ns(time.0.saturating_add_signed(self.wall_ahead)) }
    }

    /// When the engine's monotonic clock shows `mono`.
    fn time_of(mono: Ns) -> Ns {
        START.after(mono.since(MONO_START))
    }

    fn go(&mut self, span: Ns, faults: bool) -> Result<(), Violation> {
        let (chaos, heal, end) =
            (START.after(WARM), START.after(Ns(span.0 - HEALED.0)), START.after(span));
        if faults {
            self.until(chaos, &mut |_, _| Ok(()))?;
            self.world.disturb(chaos, &self.plan.venue);
            self.disk.usual = self.plan.sync;
            self.disk.mend();
            let (mut rng, plan) = (Rng::new(self.rng.bits()), self.plan.clone());
            let mut feeds = Timed::all(&plan.feeds, chaos, &mut rng);
            let mut network = Timed::all(&plan.network, chaos, &mut rng);
            let mut upsets = Timed::all(&plan.upsets, chaos, &mut rng);
            let mut host = Timed::all(&plan.host, chaos, &mut rng);
            self.until(heal, &mut |own, now| {
                for trouble in Timed::due(&mut network, now, &mut rng) {
                    let site = SiteId(rng.below(2) as usize);
                    own.tail.fault(now, trouble.name());
                    own.fabric.strike(now, trouble, site);
                }
                for spoil in Timed::due(&mut feeds, now, &mut rng) {
                    own.fabric.spoil(spoil, SiteId(rng.below(2) as usize));
                }
                for upset in Timed::due(&mut upsets, now, &mut rng) {
                    own.upset(now, upset, heal);
                }
                for mishap in Timed::due(&mut host, now, &mut rng) {
                    own.mishap(now, mishap, &mut rng)?;
                }
                own.die(now, &mut rng)
            })?;
        }
        self.until(heal, &mut |_, _| Ok(()))?;
        self.heal(heal);
        self.until(heal.after(RESUMED), &mut |_, _| Ok(()))?;
        self.resumed()?;
        let least = Usd::new(self.spec.min_profit);
        self.chances.begin(&self.file, least, |pair| self.checks.is_over(pair));
        let mut inject_at = Ns(0);
        self.until(heal.after(RESUMED).after(DECIDED), &mut |own, now| {
            if now >= inject_at
                && let Some(pair) = own.chances.offer()
            {
                inject_at = now.after(INJECT_EVERY);
                own.inject(pair);
            }
            Ok(())
        })?;
        // With too little money left nothing is opened, however often a person arms it.
        if self.trader.as_ref().is_none_or(|trader| cash(trader) >= self.least_cash()) {
            let is_told = |pair| self.naked.is_told(pair) || self.checks.is_left_alone(pair);
            self.chances.taken(is_told)?;
        }
        let rest = Ns(end.0 - REST.0);
        self.until(rest, &mut |_, _| Ok(()))?;
        self.stop();
        self.until(rest.after(SWEPT), &mut |_, _| Ok(()))?;
        self.swept()?;
        self.until(end, &mut |_, _| Ok(()))?;
        self.ended()
    }

    /// Lets everything happen until then; `also` is called at every event.
    fn until(
        &mut self,
        end: Ns,
        also: &mut dyn FnMut(&mut Simulation, Ns) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        let mut books_at = self.moment.get().after(BOOKS_EVERY);
        loop {
            let now = self.moment.get();
            if now >= end {
                return Ok(());
            }
            let tiles =
                self.trader.as_ref().and_then(Trader::next_deadline).map(|mono| {
                    Simulation::time_of(mono).max(self.stepped_at.after(self.plan.nap))
                });
            let tiles = tiles.map(|at| at.max(self.back_at));
            let fabric = self.fabric.next(now, &self.world);
            let back = (self.back_at > now).then_some(self.back_at);
            let armed = self.latch.due().map(|at| at.max(self.back_at));
            let glance = self.glances.as_ref().map(|glances| glances.due().max(self.back_at));
            let next = [Some(end), Some(books_at), tiles, fabric, back, armed, glance];
            let next = next.into_iter().flatten().min().unwrap_or(end).max(now);
            self.moment.set(next);
            self.step(next)?;
            also(self, next)?;
            if next >= books_at {
                books_at = next.after(BOOKS_EVERY);
                self.look(next)?;
            }
        }
    }

    /// Everything that is due happens, and what must hold then is checked.
    fn step(&mut self, now: Ns) -> Result<(), Violation> {
        let mut door = Door { host: &mut self.world, revoked: self.revoked };
        self.events += self.fabric.step(now, &mut door) as u64;
        let mut dirty = self.arrivals()?;
        self.unpause(now);
        self.settle_closed(now);
        self.mend_disk(now);
        if now < self.back_at {
            return Ok(());
        }
        self.attend(now);
        // Nothing starts while it waits for a person.
        if self.trader.is_none() && (self.latch.holds() || !self.start(now)?) {
            return Ok(());
        }
        self.glance(now);
        let told = self.now();
        self.clock.set(told);
        self.stepped_at = now;
        let Some(trader) = &mut self.trader else { return Ok(()) };
        if self.killed.is_some() {
            trader.exhaust(told.mono);
        }
        let had = cash(trader);
        if trader.settle(told).is_none() {
            return Err(Violation {
                invariant: "rest",
                detail: "the tiles never come to rest at one instant".to_owned(),
            });
        }
        self.watch.look(now, trader.is_shut())?;
        while let Some(event) = self.trader.as_mut().and_then(Trader::event) {
            dirty |= matches!(
                event,
                Event::Fill(_)
                    | Event::FillUndone(_)
                    | Event::RepairEnded(_)
                    | Event::TradeSettled(_)
                    | Event::TradeFailed(_)
            );
            self.decisions += u64::from(matches!(event, Event::ExecuteTrade(_)));
            self.tail.event(now, &event);
            if let Some(figures) = &mut self.figures {
                figures.heard(now, &event);
            }
            self.latch.event(now, &event)?;
            self.doubt.event(&event);
            self.checks.event(&event)?;
            self.naked.event(&event)?;
            if let Event::ExecuteTrade(decision) = &event {
                let accounts = Venue::ALL.map(|venue| self.world.standing(venue));
                self.stakes.decided(&decision.bundle, &accounts)?;
            }
            self.chances.event(&event, self.latch.holds());
            self.spends(&event, had)?;
        }
        self.look_after_naked(now)?;
        if let Some(trader) = &self.trader {
            self.doubt.look(now, &trader.figures())?;
        }
        self.compare_figures(now)?;
        let moves = self.world.moves();
        match dirty || moves != self.moves {
            true => {
                self.moves = moves;
                self.compare(now)
            }
            false => Ok(()),
        }
    }

    /// Nothing is opened with less money than there must be; of what there was before this step and
    /// what there is, the more counts.
    fn spends(&mut self, event: &Event, had: Usd) -> Result<(), Violation> {
        let (Event::ExecuteTrade(_), Some(trader)) = (event, &self.trader) else { return Ok(()) };
        let (most, least) = (had.max(cash(trader)), self.least_cash());
        match most < least {
            true => Err(Violation {
                invariant: "low_balance",
                detail: format!("a bundle was decided with {most}, and {least} must be there"),
            }),
            false => Ok(()),
        }
    }

    const fn least_cash(&self) -> Usd {
        self.config.limits.risk.shutdown_balance
    }

    /// Contracts that lie alone are within their bound at every event; how long they do is asked
    /// while everything works.
    fn look_after_naked(&mut self, now: Ns) -> Result<(), Violation> {
        let called = self.figures.as_ref().is_some_and(Figures::has_called);
        let works = self.works.filter(|_| !self.latch.holds() && !called);
        self.naked.look(now, works)
    }

    /// Orders that a venue has just got. Of each it is asked whether it may have left before any of
    /// them is told apart from what was intended.
    fn arrivals(&mut self) -> Result<bool, Violation> {
        let arrived = std::mem::take(&mut self.fabric.arrived);
        let now = self.moment.get();
        for order in &arrived {
            self.tail.order(now, order.site);
            let venue = Venue::ALL[order.site.0];
            self.checks.left(venue, mono_of(order.wrote_at))?;
            if let Some(since) = self.revoked.since(now, order.site) {
                self.doubt.arrived(venue, since, order.wrote_at)?;
            }
        }
        for (venue, site) in Venue::ALL.into_iter().zip([0, 1].map(SiteId)) {
            let own = arrived.iter().filter(|order| order.site == site);
            // Of orders that come at once, one that was held up beside one that was not, a ledger
            // does not tell which is which.
            let wrote = own.clone().map(|order| order.wrote_at);
            let (Some(first), Some(latest)) = (wrote.clone().min(), wrote.max()) else { continue };
            self.watch.left(venue, latest, &self.world)?;
            self.checks.orders_written(venue, mono_of(first), &self.world)?;
            own.for_each(|_| self.pause_between(now, site));
        }
        Ok(!arrived.is_empty())
    }

    /// The venues' truth beside what the engine believes.
    fn compare(&mut self, now: Ns) -> Result<(), Violation> {
        let Some(trader) = &self.trader else { return Ok(()) };
        if self.figures.as_ref().is_some_and(Figures::has_called) {
            return Ok(()); // Nothing more leaves, and a person was told why.
        }
        let core = trader.core();
        let quiet = core.open_orders() == [0, 0] && trader.open_orders() == 0;
        self.checks.ledgers(now, &self.world, core, quiet)
    }

    /// What is looked at now and then.
    fn look(&mut self, now: Ns) -> Result<(), Violation> {
        let still = [0, 1].map(|site| self.fabric.is_still(now, SiteId(site)));
        let starved = [0, 1].map(|site| self.fabric.starves(SiteId(site)));
        let (connections, backlog) = self.fabric.load();
        if connections > CONNECTIONS_MAX || backlog > BACKLOG_MAX {
            return Err(Violation {
                invariant: "bounded",
                detail: format!("{connections} connections, {backlog} bytes on their way"),
            });
        }
        let Some(trader) = &self.trader else { return Ok(()) };
        if now >= self.back_at {
            self.checks.closed_feeds(trader.core(), trader.open_lines())?;
        }
        if trader.lost() > 0 {
            return Err(Violation {
                invariant: "bounded",
                detail: format!("{} events found no room", trader.lost()),
            });
        }
        self.watch.ended(&trader.figures())?;
        if still[0] && !starved[0] && !self.plan.replaces_changes() {
            self.watch.books(now, &self.world, trader.core())?;
        }
        let exact = !self.plan.replaces_changes();
        self.checks.books(now, &self.world, trader.core(), (still, starved), exact)
    }

    /// Everything works again.
    fn resumed(&self) -> Result<(), Violation> {
        let fail = |detail: String| Err(Violation { invariant: "trading_resumes", detail });
        let Some(trader) = &self.trader else { return fail("the engine is down".to_owned()) };
        if !trader.is_ready() && !self.latch.rests(self.moment.get()) {
            return fail("a gate is not ready 30 s after everything was healed".to_owned());
        }
        let pairs = trader.core().pairs().pairs().iter().zip(0..);
        for (pair, _) in pairs.filter(|(_, at)| !self.checks.is_over(PairId(*at))) {
            for side in pair.sides {
                let health = trader.core().top(side.market).map(|top| top.health);
                // Crossed books are the venue's doing and end by themselves.
                if !health.is_some_and(|h| {
                    matches!(h, engine::top::Health::Sound | engine::top::Health::Crossed)
                }) && !self.checks.was_sound(self.moment.get(), side.market)
                {
                    return fail(format!(
                        "{:?} is {health:?} 30 s after everything was healed",
                        side.market
                    ));
                }
            }
        }
        Ok(())
    }

    /// After a kill each gate took back what rests.
    fn swept(&self) -> Result<(), Violation> {
        let (Some((process, before)), Some(trader)) = (self.killed, &self.trader) else {
            return Ok(());
        };
        let after = trader.figures().map(|figures| figures.swept);
        match process == self.naked.processes && (0..2).any(|at| after[at] == before[at]) {
            true => Err(Violation {
                invariant: "cancels_leave",
                detail: format!("{before:?} sweeps before the kill and {after:?} after it"),
            }),
            false => Ok(()),
        }
    }

    /// What must hold when everything is over.
    fn ended(&mut self) -> Result<(), Violation> {
        let now = self.moment.get();
        self.disk.keeps(&self.keys.secrets())?;
        self.tail.keeps(&self.keys.secrets())?;
        let Some(trader) = &self.trader else {
            // A person who has not been there yet is the one good reason after so long.
            return match self.latch.holds() {
                true => Ok(()),
                false => Err(Violation {
                    invariant: "starts",
                    detail: format!(
                        "the engine is down at the end; a start is under way: {}",
                        self.starting.is_some()
                    ),
                }),
            };
        };
        let [unknown, open] = trader.core().open_orders();
        if open > 0 || trader.open_orders() > 0 {
            return Err(Violation {
                invariant: "everything_ends",
                detail: format!(
                    "{open} bundles, {unknown} unknown orders of the core and {} orders of the gates have not ended",
                    trader.open_orders()
                ),
            });
        }
        self.checks.naked(&self.world, self.naked.processes)?;
        let reserved = trader.core().accounts().reserved;
        if reserved != [Usd::ZERO; 2] {
            return Err(Violation {
                invariant: "everything_ends",
                detail: format!("{reserved:?} is still set aside though nothing is under way"),
            });
        }
        self.checks.ledgers(now, &self.world, trader.core(), true)
    }

    /// Counts what the core took since.
    pub(super) fn count_inputs(&mut self) {
        if let Some(trader) = &self.trader {
            self.events += trader.inputs() - self.inputs;
            self.inputs = trader.inputs();
        }
    }

    /// Takes into the hash what the engine came to.
    pub(super) fn mix(&mut self) {
        if let Some(trader) = &self.trader {
            let figures = trader.core().figures();
            for word in [figures.edge_hash, figures.decision_hash, figures.fills] {
                self.digest.mix(word);
            }
        }
    }

    fn outcome(mut self, seed: u64, disturbed: bool, broken: Option<Violation>) -> Outcome {
        self.count_inputs();
        self.mix();
        let mut faults: BTreeMap<String, u64> = BTreeMap::new();
        let own = self.faults.iter().chain(&self.fabric.counts);
        own.for_each(|(name, count)| *faults.entry((*name).to_owned()).or_default() += count);
        let ledger = self.world.ledger();
        for venue in Venue::ALL {
            let counts = ledger["faults"][venue.name()].as_object();
            for (kind, count) in counts.into_iter().flatten() {
                *faults.entry(class_of(kind)).or_default() += count.as_u64().unwrap_or(0);
            }
        }
        // What strikes only where an order is there for it. On a quiet day a delay that ends in
        // nothing is how the market is.
        let venues = &ledger["venues"];
        for (name, count) in [
            (Upset::OverFill.name(), &venues["kalshi"]["overfilled_orders"]),
            ("orders/delayed_unmatched", &venues["polymarket"]["delayed_unmatched"]),
            ("orders/storm_425", &venues["polymarket"]["too_early"]),
        ] {
            if let Some(count) = count.as_u64().filter(|count| disturbed && *count > 0) {
                faults.insert(name.to_owned(), count);
            }
        }
        let tail = self.tail.lines(START);
        Outcome {
            seed,
            simulated: self.moment.get().since(START),
            events: self.events,
            checks: self.checks.count
                + self.watch.count
                + self.naked.count
                + self.stakes.count
                + self.latch.count
                + self.doubt.count
                + self.owner.count,
            faults,
            decisions: self.decisions,
            orders: self.checks.orders,
            fills: self.checks.fills,
            hash: self.digest.value() ^ self.disk.hash().rotate_left(1),
            broken: broken.map(|violation| (violation, tail)),
        }
    }
}

/// The configuration of simulated venues, as `parallax sim` writes it, with room for a day's trade.
fn configuration(keys: &Keys, owner: &Owner) -> Result<Config, String> {
    let simulated = Simulated {
        kalshi_port: PORTS[0],
        polymarket_port: PORTS[1],
        key_id: KEY_ID,
        funder: &keys.funder(),
        signature_type: 3,
    };
    let text = simulated.toml();
    // Nothing settles here, so that what is out never comes back.
    let text =
        text.replace("unsettled_notional_max = \"5000\"", "unsettled_notional_max = \"900000\"");
    let text = text.replace("day_loss_max = \"2000\"", "day_loss_max = \"20000\"");
    let parsed = config::parse(&text, &owner.config_path(), &Variables::default(), None);
    let mut config = parsed.map_err(|error| error.to_string())?;
    // Each that lies ready costs signatures all the time.
    config.signing.headers = HeaderSpread::new(HEADERS, 5_000).ok_or("too many headers")?;
    config.signing.orders = ARMED;
    Ok(config)
}

/// What the engine's monotonic clock shows at a moment.
fn mono_of(moment: Ns) -> Ns {
    moment.since(START).after(MONO_START)
}

/// Money at both venues, as the engine knows it.
fn cash(trader: &Trader) -> Usd {
    let core = trader.core();
    core.net().purse().cash() + core.tokens().purse.cash()
}

/// The class of a venue's fault, and its name.
fn class_of(kind: &str) -> String {
    let class = match kind {
        "gap" | "duplicate" | "reorder" | "garbage" => "feed",
        "drop" | "stall" | "half_open" | "reset_mid_frame" => "network",
        "clock_skew" => "host",
        _ => "orders",
    };
    format!("{class}/{kind}")
}
