//! The engine's process in a simulation: it starts as the shipped one does. Its journal is read,
//! the venues are asked until every order of the last run is known and all figures agree, and what
//! was found begins the next run.

use std::time::Duration;

use engine::units::{Ns, Venue};
use exec::journal::memory::Memory;
use exec::journal::tile::JournalConfig;
use feeds::feed::TOP_RING_DEPTH;
use sim::host::SiteId;
use sim::rng::Rng;

use super::books::Courier;
use super::checks::Violation;
use super::door::Door;
use super::figures::Figures;
use super::glance::Glances;
use super::seed::Simulation;
use super::trader::{Parts, Trader};
use crate::config::Environment;
use crate::journal::keep::Kept;
use crate::journal::recover::{AGAIN, Recovery, Turn};
use crate::journal::start;

/// Bytes of a segment of the journal.
const SEGMENT_BYTES: usize = 1 << 20;
/// Bundles whose ids are reserved at once.
const IDS_BLOCK: u64 = 64;
/// A start that the disk did not allow is tried again after this.
const RETRY: Ns = Ns::from_ms(2_000);

/// One that is refused for its keys after this.
const REFUSED: Ns = Ns::from_ms(30_000);

/// A start under way: the journal is read, the venues are being asked.
pub(super) struct Starting {
    kept: Kept<Memory>,
    recovery: Recovery,
    /// When it began.
    began: Ns,
}

/// How a process is set up beside its configuration: drawn anew with every start.
struct Setting {
    /// Depth of the rings from the feeds to the core.
    tops: usize,
    /// A recorder is there and stands still.
    records: bool,
}

impl Setting {
    fn draw(rng: &mut Rng, harsh: bool) -> Setting {
        if !harsh {
            return Setting { tops: TOP_RING_DEPTH, records: false };
        }
        // A ring that holds next to nothing is full all the time.
        let tiny = rng.chance(1, 4);
        let tops = if tiny { rng.between(1, 6) as usize } else { TOP_RING_DEPTH };
        Setting { tops, records: rng.chance(1, 4) }
    }
}

impl Simulation {
    /// Starts the process, or goes on with a start; whether it runs now.
    pub(super) fn start(&mut self, now: Ns) -> Result<bool, Violation> {
        let broken = |detail| Violation { invariant: "starts", detail };
        if !self.owner.start(&self.config)? {
            // Whoever is told so makes the files theirs alone.
            self.owner.expose(&self.config, false)?;
            self.back_at = now.after(RETRY);
            return Ok(false);
        }
        let Starting { kept, mut recovery, began } = match self.starting.take() {
            Some(starting) => starting,
            None => match self.open(now) {
                Ok(starting) => starting,
                // A disk that fails is mended by somebody before the process can start.
                Err(_) if self.disk_until < Ns(u64::MAX) => {
                    self.back_at = now.after(RETRY);
                    return Ok(false);
                }
                Err(detail) => return Err(broken(detail)),
            },
        };
        let cut = self.lobby.borrow().refuses_until.map(|until| now < until);
        let wall = self.now().wall;
        let door = Door { host: &mut self.world, revoked: self.revoked };
        let courier = Courier::new(door, now, wall, cut);
        let answer = courier.ask(&self.config, &self.keys, recovery.wanted());
        let turn = recovery.hear(span(now.since(began)), answer);
        if let Turn::Again { cancels, .. } = &turn {
            for row in cancels {
                // Whether it worked shows with the next question.
                let _ = courier.cancel(&self.config, &self.keys, row);
            }
        }
        let mut effects = courier.effects();
        self.fabric.deliver(&mut effects);
        let revoked = (0..2).any(|site| self.revoked.since(now, SiteId(site)).is_some());
        let found = match turn {
            Turn::Done(_) if revoked => {
                let detail = "a start went through with keys that open nothing".to_owned();
                return Err(Violation { invariant: "keys", detail });
            }
            Turn::Done(found) => *found,
            Turn::Failed(_) if revoked => {
                // It is right not to start. Somebody tries again once there are other keys.
                *self.faults.entry("host/start_refused").or_default() += 1;
                self.owner.end();
                self.back_at = now.after(REFUSED);
                return Ok(false);
            }
            Turn::Again { .. } => {
                self.starting = Some(Starting { kept, recovery, began });
                self.back_at = now.after(Ns(AGAIN.as_nanos() as u64));
                return Ok(false);
            }
            Turn::Failed(list) => {
                let detail = format!("the journal and the venues do not agree:\n{list}");
                return Err(Violation { invariant: "recovers", detail });
            }
        };
        if self.config.repair.is_some_and(|repair| !repair.adopt) {
            self.checks.told(found.alone.keys());
        }
        let told = self.now();
        self.clock.set(told);
        let run = self.rng.bits() & ((1 << 59) - 1);
        let table = self.spec.setup().map_err(broken)?.table;
        let head = (run, told.wall, true);
        let pairs = (&self.file, &table);
        let journal = match start::begin(kept, found, &mut self.spec, head, true, pairs, told) {
            Ok(journal) => journal,
            Err(_) if self.disk_until < Ns(u64::MAX) => {
                self.back_at = now.after(RETRY);
                return Ok(false);
            }
            Err(detail) => return Err(broken(detail)),
        };
        // Whoever was down heard of nothing.
        self.doubt.restarted();
        self.checks.restarted(now, self.world.standing(Venue::Kalshi).overfilled);
        self.disk.run = run;
        self.disk.before = Venue::ALL.map(|venue| self.world.standing(venue).orders as usize);
        let harsh = !self.plan.host.is_empty();
        let Setting { tops, records } = Setting::draw(&mut self.rng, harsh);
        let full = tops < TOP_RING_DEPTH;
        for (on, name) in [(full, "host/full_rings"), (records, "host/slow_recorder")] {
            if on {
                *self.faults.entry(name).or_default() += 1;
            }
        }
        let parts = Parts {
            config: &self.config,
            spec: &self.spec,
            keys: &self.keys,
            lobby: &self.lobby,
            clock: &self.clock,
            tops,
            records,
        };
        let mut trader = Trader::new(&parts, journal, &mut self.rng).map_err(broken)?;
        let verdicts = trader.verdicts();
        self.glances = verdicts.map(|rings| Glances::new(&table, &self.file, rings, now));
        self.naked.begin(|pair| trader.core().naked(pair));
        self.works = self.works.map(|_| now);
        if self.held {
            trader.hold();
        }
        self.trader = Some(trader);
        self.figures = Some(Figures::new(&self.spec, &self.file, &table, now));
        self.inputs = 0;
        Ok(true)
    }

    /// Reads the journal that is there.
    fn open(&self, now: Ns) -> Result<Starting, String> {
        let layout = JournalConfig { segment_bytes: SEGMENT_BYTES, ids_block: IDS_BLOCK };
        let kept =
            Kept::read(self.disk.memory.clone(), layout).map_err(|error| error.to_string())?;
        let table = self.spec.setup()?.table;
        let patience = start::patience(Environment::Sim, false);
        let recovery = Recovery::new(kept.state.clone(), self.file.clone(), &table, patience);
        Ok(Starting { kept, recovery, began: now })
    }

    /// The process is gone: what it sent arrives now, or never.
    pub(super) fn end(&mut self, now: Ns, back_at: Ns) {
        self.count_inputs();
        self.mix();
        self.fabric.abandon(now);
        self.trader = None;
        self.figures = None;
        self.glances = None;
        self.starting = None;
        self.owner.end();
        self.back_at = back_at;
    }
}

fn span(ns: Ns) -> Duration {
    Duration::from_nanos(ns.0)
}
