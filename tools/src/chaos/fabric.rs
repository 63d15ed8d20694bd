//! The venues' end of every connection: bytes to calls of the host, answers and pushes to bytes,
//! and what the network does to both.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use engine::units::Ns;
use sim::front::connection::{Connection, State};
use sim::host::{Break, Effects, Host, SiteId};
use sim::rng::Rng;
use sim::venue::{ClientId, Push};

use super::net::Lobby;
use super::pipe::{End, SharedPipe};
use super::spoil::{Spoil, Spoiler};

/// What is due at once happens after this long.
const SOON: Ns = Ns(20_000);

/// What a network does to a connection, beside what the venues do to it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Trouble {
    /// Reset between two frames.
    Reset,
    /// Reset inside of a frame.
    Cut,
    /// Nothing gets through for a while, either way.
    Stall,
    /// What the venue pushes is swallowed; pings are answered.
    Zombie,
    /// Nothing gets through in one direction for a while.
    OneWay,
    /// Bytes come in crumbs for a while.
    Dribble,
    /// No new connection for a while.
    Refuse,
    /// The answer to the next order stays away while its connection stays open.
    HalfOpen,
    /// What is written on the connections for orders arrives seconds later, if they last so long
    /// or not: an order that was given up for lost comes to be all the same.
    LateOrder,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Trouble; 9] = [
        Trouble::Reset,
        Trouble::Cut,
        Trouble::Stall,
        Trouble::Zombie,
        Trouble::OneWay,
        Trouble::Dribble,
        Trouble::Refuse,
        Trouble::HalfOpen,
        Trouble::LateOrder,
    ];

    /// Its name in the figures.
    pub const fn name(self) -> &'static str {
        match self {
            Trouble::Reset => "network/reset",
            Trouble::Cut => "network/reset_inside_frame",
            Trouble::Stall => "network/stall",
            Trouble::Zombie => "network/zombie",
            Trouble::OneWay => "network/one_way",
            Trouble::Dribble => "network/dribble",
            Trouble::Refuse => "network/refused",
            Trouble::HalfOpen => "network/half_open_order",
            Trouble::LateOrder => "network/late_order",
        }
    }
}

/// A request that a venue got, as far as checks care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrived {
    /// Which venue.
    pub site: SiteId,
    /// When its bytes were written; Unix nanoseconds.
    pub wrote_at: Ns,
}

struct Slot {
    pipe: SharedPipe,
    connection: Connection,
    zombie: bool,
    /// Something of the market data that it should show was swallowed.
    starved: bool,
    /// An order came on it.
    fires: bool,
}

/// All connections.
pub struct Fabric {
    lobby: Rc<RefCell<Lobby>>,
    slots: Vec<Slot>,
    last_client: u64,
    rng: Rng,
    /// Answers to orders that are to stay away, by site.
    swallow: [u32; 2],
    /// What is said wrongly, by site.
    spoilers: [Spoiler; 2],
    /// How often each trouble struck.
    pub counts: BTreeMap<&'static str, u64>,
    /// Requests of orders that came in since they were taken.
    pub arrived: Vec<Arrived>,
}

impl Fabric {
    /// A fabric without connections.
    pub fn new(lobby: Rc<RefCell<Lobby>>, rng: Rng) -> Fabric {
        Fabric {
            lobby,
            slots: Vec::new(),
            last_client: 0,
            rng,
            swallow: [0; 2],
            spoilers: [Spoiler::default(), Spoiler::default()],
            counts: BTreeMap::new(),
            arrived: Vec::new(),
        }
    }

    /// When something is due next, after `now`.
    pub fn next(&self, now: Ns, host: &impl Host) -> Option<Ns> {
        // A venue whose clock is wrong may name a time that it has not reached yet.
        let soon = now.after(SOON);
        let slots = self.slots.iter().flat_map(|slot| {
            let due = slot.connection.next_due().map(|due| due.max(soon));
            [slot.pipe.borrow().next(now), due]
        });
        let waiting = &self.lobby.borrow().waiting;
        let dialled = (!waiting.is_empty()).then_some(soon);
        slots.chain([host.next_due().map(|due| due.max(soon)), dialled]).flatten().min()
    }

    /// Does what is due; the number of requests, messages and pushes.
    pub fn step(&mut self, now: Ns, host: &mut impl Host) -> usize {
        for (site, pipe) in self.lobby.borrow_mut().waiting.drain(..) {
            self.last_client += 1;
            let connection = Connection::new(ClientId(self.last_client), site);
            self.slots.push(Slot { pipe, connection, zombie: false, starved: false, fires: false });
        }
        let mut effects = Effects::default();
        let mut moved: usize = 0;
        for at in 0..self.slots.len() {
            moved += usize::from(self.hear(at, now, host, &mut effects));
            self.deliver(&mut effects);
        }
        host.tick(now, &mut effects);
        moved += effects.outbox.pushes.len();
        self.deliver(&mut effects);
        self.flush(now, host);
        moved
    }

    fn hear(&mut self, at: usize, now: Ns, host: &mut impl Host, effects: &mut Effects) -> bool {
        let slot = &mut self.slots[at];
        if slot.connection.is_quiet(now) {
            return false;
        }
        let before = slot.connection.input.len();
        slot.pipe.borrow_mut().up.take(now, &mut slot.connection.input);
        let came = slot.connection.input.len() - before;
        let due = slot.connection.next_due().is_some_and(|due| due <= now);
        if came == 0 && !due {
            return false;
        }
        let orders = is_order(&slot.connection.input);
        slot.connection.step(now, host, effects);
        if orders {
            slot.fires = true;
            let site = slot.connection.site;
            let wrote_at = slot.pipe.borrow().wrote_at;
            self.arrived.push(Arrived { site, wrote_at });
            if self.swallow[site.0] > 0 {
                self.swallow[site.0] -= 1;
                slot.connection.output.clear();
                slot.connection.spoil(Break::Silence);
                *self.counts.entry(Trouble::HalfOpen.name()).or_default() += 1;
            }
        }
        true
    }

    /// Hands pushes and faults to the connections that they are meant for.
    pub fn deliver(&mut self, effects: &mut Effects) {
        for push in effects.outbox.pushes.drain(..) {
            let (Push::Text(client, _) | Push::Ping(client, _) | Push::Close(client)) = &push;
            let Some(slot) = self.slots.iter_mut().find(|slot| slot.connection.client == *client)
            else {
                continue;
            };
            let swallowed = matches!(&push, Push::Text(_, text) if slot.zombie && text != "PONG");
            if swallowed {
                slot.starved |= slot.pipe.borrow().shows_books;
                continue;
            }
            let now = self.lobby.borrow().moment.get();
            let spoiler = &mut self.spoilers[slot.connection.site.0];
            let (said, spoilt) = spoiler.pass(now, push, &mut self.rng);
            said.iter().for_each(|push| slot.connection.push(push));
            if let Some(spoilt) = spoilt {
                *self.counts.entry(spoilt.name()).or_default() += 1;
            }
        }
        for (client, how) in effects.breaks.drain(..) {
            let slot = self.slots.iter_mut().find(|slot| slot.connection.client == client);
            if let Some(slot) = slot {
                slot.connection.spoil(how);
            }
        }
    }

    /// Writes what waits, and removes connections that ended.
    fn flush(&mut self, now: Ns, host: &mut impl Host) {
        let mut at = 0;
        while at < self.slots.len() {
            let Slot { pipe, connection, .. } = &mut self.slots[at];
            let mut pipe = pipe.borrow_mut();
            if !connection.is_quiet(now) {
                pipe.say(now, &connection.output);
                connection.output.clear();
                match connection.state {
                    State::Open => {}
                    State::Closing => pipe.hang_up(now, End::Closed),
                    State::Resetting => pipe.hang_up(now, End::Reset),
                }
            }
            let left = pipe.up.ended(now).is_some();
            let gone = left || (connection.state != State::Open && !connection.is_quiet(now));
            drop(pipe);
            if gone {
                let slot = self.slots.remove(at);
                if slot.connection.is_websocket() {
                    host.closed(slot.connection.site, slot.connection.client);
                }
            } else {
                at += 1;
            }
        }
    }

    /// Something happens to the network between us and a site.
    pub fn strike(&mut self, now: Ns, trouble: Trouble, site: SiteId) {
        let ms = |rng: &mut Rng, low, high| now.after(Ns::from_ms(rng.between(low, high)));
        let rng = &mut self.rng;
        match trouble {
            Trouble::Refuse => {
                self.lobby.borrow_mut().refuses_until[site.0] = ms(rng, 100, 20_000);
            }
            Trouble::HalfOpen => {
                self.swallow[site.0] += 1;
                return; // It counts when it strikes.
            }
            Trouble::LateOrder => {
                let until = ms(rng, 1_000, 9_000);
                let own = self.slots.iter().filter(|slot| slot.connection.site == site);
                let mut held = 0;
                for slot in own.filter(|slot| slot.fires) {
                    slot.pipe.borrow_mut().hold(until, true, false);
                    held += 1;
                }
                if held == 0 {
                    return;
                }
            }
            _ => {
                // Only a connection that is told things can answer pings and show nothing.
                let fits = |slot: &Slot| {
                    slot.connection.site == site
                        && (trouble != Trouble::Zombie || slot.connection.is_websocket())
                };
                let own: Vec<usize> =
                    (0..self.slots.len()).filter(|at| fits(&self.slots[*at])).collect();
                if own.is_empty() {
                    return;
                }
                let slot = &mut self.slots[*rng.pick(&own)];
                let mut pipe = slot.pipe.borrow_mut();
                match trouble {
                    Trouble::Reset => pipe.reset(now, false),
                    Trouble::Cut => pipe.reset(now, true),
                    Trouble::Stall => pipe.hold(ms(rng, 50, 20_000), true, true),
                    Trouble::OneWay => {
                        let up = rng.chance(1, 2);
                        pipe.hold(ms(rng, 1_000, 60_000), up, !up);
                    }
                    Trouble::Dribble => pipe.crumble(ms(rng, 1_000, 30_000)),
                    Trouble::Zombie => {
                        drop(pipe);
                        slot.zombie = true;
                    }
                    Trouble::Refuse | Trouble::HalfOpen | Trouble::LateOrder => {}
                }
            }
        }
        *self.counts.entry(trouble.name()).or_default() += 1;
    }

    /// The process is gone: what it sent arrives now, or never.
    pub fn abandon(&mut self, now: Ns) {
        self.slots.iter().for_each(|slot| slot.pipe.borrow_mut().reset(now, true));
    }

    /// A venue says something wrong when it can.
    pub fn spoil(&mut self, spoil: Spoil, site: SiteId) {
        self.spoilers[site.0].arm(spoil);
    }

    /// What is still broken ends: connections that can never recover are reset, as the last
    /// router on their way would do.
    pub fn heal(&mut self, now: Ns) {
        self.lobby.borrow_mut().refuses_until = [Ns(0); 2];
        self.swallow = [0; 2];
        self.spoilers.iter_mut().for_each(Spoiler::heal);
        for slot in &mut self.slots {
            if slot.zombie || slot.connection.is_silent() {
                slot.pipe.borrow_mut().reset(now, false);
            }
        }
    }

    /// Nothing is on its way to any client of a site. What a zombie swallows is not.
    pub fn is_still(&self, now: Ns, site: SiteId) -> bool {
        let mut own = self.slots.iter().filter(|slot| slot.connection.site == site);
        own.all(|slot| !slot.connection.is_quiet(now) && slot.pipe.borrow().is_still(now))
    }

    /// A connection for market data of a site is kept that swallowed what it should show.
    pub fn starves(&self, site: SiteId) -> bool {
        self.slots.iter().any(|slot| slot.starved && slot.connection.site == site)
    }

    /// Open connections, and bytes on their way.
    pub fn load(&self) -> (usize, usize) {
        let waiting = self.slots.iter().map(|slot| slot.pipe.borrow().backlog()).sum();
        (self.slots.len(), waiting)
    }
}

/// True for the beginning of a request that makes an order.
fn is_order(input: &[u8]) -> bool {
    input.starts_with(b"POST /order ")
        || (input.starts_with(b"POST /trade-api/v2/portfolio/") && {
            let line = input.split(|byte| *byte == b'\r').next().unwrap_or_default();
            line.windows(6).any(|word| word == b"orders")
        })
}
