//! Warm connections to one host: the one that answered fastest of late goes first, a lost one
//! comes back after a while, and an old one makes room for a new one.

use std::io;

use engine::units::Ns;

use crate::backoff::{Backoff, Rng};
use crate::http::exchange::{Exchange, Link, Lost, Phase, Progress, Timeouts};
use crate::http::reply::Head;

/// Makes connections.
pub trait Dial {
    /// What it makes.
    type Link: Link;

    /// Begins to connect; `attempt` counts from 0, so that several addresses take turns.
    fn dial(&mut self, attempt: usize) -> io::Result<Self::Link>;
}

/// How a pool behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolConfig {
    /// Connections.
    pub size: usize,
    /// Limits of each part of an exchange.
    pub timeouts: Timeouts,
    /// First wait after a connection is lost.
    pub retry_first: Ns,
    /// Longest such wait.
    pub retry_longest: Ns,
    /// A connection this old is replaced while it is idle and another one is ready.
    pub rotate_after: Ns,
    /// So is one that served that many requests: a host closes after some 20,000
    /// (polymarket.md section 9).
    pub rotate_requests: u32,
    /// How often idle connections are looked at: a host that closed one is noticed then.
    pub look_every: Ns,
}

impl Default for PoolConfig {
    fn default() -> PoolConfig {
        PoolConfig {
            size: 2,
            timeouts: Timeouts::default(),
            retry_first: Ns::from_ms(100),
            retry_longest: Ns::from_ms(10_000),
            rotate_after: Ns::from_ms(30 * 60_000),
            rotate_requests: 10_000,
            look_every: Ns::from_ms(5),
        }
    }
}

/// News of a connection, by its number in the pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// The exchange on it goes on.
    Progress(Progress),
    /// It is lost; what it was doing tells what that means for the request on it.
    Lost(Lost, Phase),
}

struct Slot<L> {
    exchange: Option<Exchange<L>>,
    backoff: Backoff,
    retry_at: Ns,
    dials: usize,
    opened: Ns,
    served: u32,
    /// Smoothed time from the request's last byte to the answer's first; 0 where it was not
    /// tried yet, so that it is.
    answers_in: u64,
    sent_at: Ns,
    look_at: Ns,
}

/// The connections.
pub struct Pool<D: Dial> {
    dial: D,
    slots: Vec<Slot<D::Link>>,
    config: PoolConfig,
    rng: Rng,
    lost: u64,
    rotated: u64,
}

impl<D: Dial> Pool<D> {
    /// A pool whose connections are opened by its first [`Pool::poll`].
    pub fn new(dial: D, config: PoolConfig, seed: u64) -> Pool<D> {
        let slot = || Slot {
            exchange: None,
            backoff: Backoff::new(config.retry_first, config.retry_longest),
            retry_at: Ns(0),
            dials: 0,
            opened: Ns(0),
            served: 0,
            answers_in: 0,
            sent_at: Ns(0),
            look_at: Ns(0),
        };
        let slots = (0..config.size).map(|_| slot()).collect();
        Pool { dial, slots, config, rng: Rng::new(seed), lost: 0, rotated: 0 }
    }

    /// Number of connections, warm or not.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// True for a pool without connections.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Connections that are warm, busy or not.
    pub fn warm(&self) -> usize {
        self.slots.iter().filter(|slot| slot.phase().is_some_and(|p| p != Phase::Opening)).count()
    }

    /// Connections that are warm and have nothing to do.
    pub fn idle(&self) -> usize {
        self.slots.iter().filter(|slot| slot.phase() == Some(Phase::Idle)).count()
    }

    /// Connections lost and replaced so far.
    pub const fn turnover(&self) -> [u64; 2] {
        [self.lost, self.rotated]
    }

    /// The idle connection that answered fastest of late.
    #[inline]
    pub fn fastest_idle(&self) -> Option<usize> {
        let idle = self.slots.iter().enumerate().filter(|(_, s)| s.phase() == Some(Phase::Idle));
        idle.min_by_key(|(_, slot)| slot.answers_in).map(|(number, _)| number)
    }

    /// The idle connection that was idle for longest, and since when.
    pub fn longest_idle(&self) -> Option<(usize, Ns)> {
        let idle = self.slots.iter().enumerate().filter(|(_, s)| s.phase() == Some(Phase::Idle));
        let since = |slot: &Slot<D::Link>| slot.exchange.as_ref().map_or(Ns(0), Exchange::since);
        idle.map(|(number, slot)| (number, since(slot))).min_by_key(|(_, since)| *since)
    }

    /// Writes a request on an idle connection; see [`Exchange::send`]. A connection that fails is
    /// given up at once.
    #[inline]
    pub fn send(&mut self, number: usize, request: &[u8], now: Ns) -> Result<bool, Lost> {
        let Some(slot) = self.slots.get_mut(number) else { return Err(Lost::Closed) };
        let Some(exchange) = &mut slot.exchange else { return Err(Lost::Closed) };
        let sent = exchange.send(request, now);
        match sent {
            Ok(_) => {
                slot.served += 1;
                slot.sent_at = now;
            }
            Err(_) => self.give_up(number, now),
        }
        sent
    }

    /// The next news of a connection, if it has any; opens it where that is due. To be asked
    /// again until there is none.
    #[inline]
    pub fn poll(&mut self, number: usize, now: Ns) -> Option<News> {
        let slot = self.slots.get_mut(number)?;
        let Some(exchange) = &mut slot.exchange else {
            if now >= slot.retry_at {
                self.open(number, now);
            }
            return None;
        };
        let phase = exchange.phase();
        if phase == Phase::Idle {
            if now < slot.look_at {
                return None;
            }
            slot.look_at = now.after(self.config.look_every);
        }
        match exchange.poll(now, &self.config.timeouts) {
            Ok(None) => None,
            Ok(Some(progress)) => {
                match progress {
                    Progress::Ready => slot.backoff.reset(),
                    Progress::Sent => slot.sent_at = now,
                    Progress::FirstByte | Progress::Answered => {
                        if phase == Phase::Waiting {
                            let took = now.since(slot.sent_at).0.max(1);
                            slot.answers_in = match slot.answers_in {
                                0 => took,
                                before => (3 * before + took) / 4,
                            };
                        }
                    }
                }
                Some(News::Progress(progress))
            }
            Err(lost) => {
                self.give_up(number, now);
                Some(News::Lost(lost, phase))
            }
        }
    }

    /// The answer on a connection, once it is whole.
    pub fn reply(&self, number: usize) -> Option<(Head, &[u8])> {
        self.slots.get(number)?.exchange.as_ref()?.reply()
    }

    /// Is done with the answer on a connection.
    pub fn finish(&mut self, number: usize, now: Ns) {
        let Some(slot) = self.slots.get_mut(number) else { return };
        let Some(exchange) = &mut slot.exchange else { return };
        if !exchange.finish(now) {
            // The host said so beforehand: that is no failure.
            self.give_up(number, now);
            self.slots[number].retry_at = now;
        }
    }

    /// Replaces an old idle connection, one at a time and only while another is ready.
    pub fn rotate(&mut self, now: Ns) {
        let idle = |slot: &Slot<D::Link>| slot.phase() == Some(Phase::Idle);
        if self.slots.iter().filter(|slot| idle(slot)).count() < 2 {
            return;
        }
        let config = self.config;
        let is_old = |slot: &Slot<D::Link>| {
            now.since(slot.opened) >= config.rotate_after || slot.served >= config.rotate_requests
        };
        if let Some(number) = self.slots.iter().position(|slot| idle(slot) && is_old(slot)) {
            self.rotated += 1;
            if let Some(mut exchange) = self.slots[number].exchange.take() {
                exchange.close();
            }
            self.slots[number].retry_at = now;
        }
    }

    /// When something is due though no byte comes.
    pub fn next_deadline(&self) -> Option<Ns> {
        let due = |slot: &Slot<D::Link>| match &slot.exchange {
            None => Some(slot.retry_at),
            Some(exchange) if exchange.phase() == Phase::Idle => Some(slot.look_at),
            Some(exchange) => exchange.deadline(&self.config.timeouts),
        };
        self.slots.iter().filter_map(due).min()
    }

    /// Ends all connections.
    pub fn close(&mut self) {
        for slot in &mut self.slots {
            if let Some(mut exchange) = slot.exchange.take() {
                exchange.close();
            }
            slot.retry_at = Ns(u64::MAX);
        }
    }

    #[cold]
    fn open(&mut self, number: usize, now: Ns) {
        let Some(slot) = self.slots.get_mut(number) else { return };
        let attempt = slot.dials;
        slot.dials += 1;
        match self.dial.dial(attempt) {
            Ok(link) => {
                slot.exchange = Some(Exchange::new(link, now));
                (slot.opened, slot.served, slot.answers_in, slot.look_at) = (now, 0, 0, now);
            }
            Err(_) => slot.retry_at = now.after(slot.backoff.wait(&mut self.rng)),
        }
    }

    #[cold]
    fn give_up(&mut self, number: usize, now: Ns) {
        let Some(slot) = self.slots.get_mut(number) else { return };
        if let Some(mut exchange) = slot.exchange.take() {
            exchange.close();
        }
        self.lost += 1;
        slot.retry_at = now.after(slot.backoff.wait(&mut self.rng));
    }
}

impl<L: Link> Slot<L> {
    fn phase(&self) -> Option<Phase> {
        self.exchange.as_ref().map(Exchange::phase)
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
