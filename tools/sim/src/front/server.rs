//! Listeners, TLS and the loop: one thread serves every site.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use engine::units::Ns;
use mio::{Events, Interest, Poll, Token};
use rustls::ServerConfig;

use super::connection::{Connection, State};
use super::wire::{Progress, Wire};
use crate::host::{Break, Effects, Host, SiteId};
use crate::venue::{ClientId, Push};

/// Most connections at once: two hundred WebSockets of a member, and requests beside them.
pub const CONNECTIONS_MAX: usize = 1_024;
/// Most bytes that wait to be understood: a message at its limit and what came with it.
const INPUT_MAX: usize = super::ws::MESSAGE_MAX + 512 * 1024;
/// Most events of one wait.
const EVENTS_MAX: usize = 256;
/// The longest wait, so that a wish to stop is heard.
const WAIT_MAX: Duration = Duration::from_millis(20);

/// What the loop does when there is nothing to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Idle {
    /// How long it spins after the last work before it sleeps until an event.
    pub spin: Duration,
}

/// Serves sites.
pub struct Server {
    poll: Poll,
    events: Events,
    sites: Vec<Site>,
    /// By the token of its socket, less the number of sites.
    slots: Vec<Option<Slot>>,
    by_client: HashMap<ClientId, usize>,
    last_client: u64,
}

struct Site {
    listener: mio::net::TcpListener,
    config: Arc<ServerConfig>,
}

struct Slot {
    wire: Wire,
    connection: Connection,
    /// The socket may have more to read.
    readable: bool,
    /// The client has said all.
    ended: bool,
}

impl Server {
    /// A server of these listeners, which number the sites.
    ///
    /// # Errors
    /// Where a listener cannot be polled.
    pub fn new(listeners: Vec<(TcpListener, Arc<ServerConfig>)>) -> io::Result<Server> {
        let poll = Poll::new()?;
        let mut sites = Vec::new();
        for (number, (listener, config)) in listeners.into_iter().enumerate() {
            listener.set_nonblocking(true)?;
            let mut listener = mio::net::TcpListener::from_std(listener);
            poll.registry().register(&mut listener, Token(number), Interest::READABLE)?;
            sites.push(Site { listener, config });
        }
        Ok(Server {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            sites,
            slots: Vec::new(),
            by_client: HashMap::new(),
            last_client: 0,
        })
    }

    /// Where a site listens.
    ///
    /// # Errors
    /// Where the system does not know.
    pub fn local_addr(&self, site: SiteId) -> io::Result<SocketAddr> {
        self.sites[site.0].listener.local_addr()
    }

    /// Serves until `stop` says so. `clock` gives Unix nanoseconds and never steps back.
    ///
    /// # Errors
    /// Where the system no longer tells what happens.
    pub fn run(
        &mut self,
        host: &mut impl Host,
        idle: Idle,
        mut clock: impl FnMut() -> Ns,
        mut stop: impl FnMut(Ns) -> bool,
    ) -> io::Result<()> {
        let spin = Ns(idle.spin.as_nanos() as u64);
        let mut worked_at = Ns(0);
        loop {
            let now = clock();
            if stop(now) {
                return Ok(());
            }
            let timeout = match now.since(worked_at) < spin {
                true => Duration::ZERO,
                false => match self.next_due(host, now) {
                    Some(due) => Duration::from_nanos(due.since(now).0).min(WAIT_MAX),
                    None => WAIT_MAX,
                },
            };
            self.wait(timeout)?;
            let now = clock();
            if self.step(now, host) > 0 {
                worked_at = now;
            }
        }
    }

    /// When there is something to do without new bytes.
    pub fn next_due(&self, host: &impl Host, now: Ns) -> Option<Ns> {
        let mut due = host.next_due();
        for slot in self.slots.iter().flatten() {
            let at = match slot.readable && !slot.connection.is_quiet(now) {
                true => Some(now),
                false => slot.connection.next_due(),
            };
            due = due.into_iter().chain(at).min();
        }
        due
    }

    /// Waits for the sockets, at most that long.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn wait(&mut self, timeout: Duration) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => self.events.clear(),
            done => done?,
        }
        for event in &self.events {
            let Some(index) = event.token().0.checked_sub(self.sites.len()) else { continue };
            if let Some(Some(slot)) = self.slots.get_mut(index) {
                let over = event.is_read_closed() || event.is_error();
                slot.readable |= event.is_readable() || over;
                // Nobody reads on a silent connection, so this is all that tells its end.
                slot.ended |= over && slot.connection.is_silent();
            }
        }
        Ok(())
    }

    /// Does what the sockets and the time ask for; the number of things done.
    pub fn step(&mut self, now: Ns, host: &mut impl Host) -> usize {
        let mut effects = Effects::default();
        let mut done = self.accept();
        for index in 0..self.slots.len() {
            let Some(slot) = &mut self.slots[index] else { continue };
            let due = slot.connection.next_due().is_some_and(|due| due <= now);
            if (!slot.readable && !due) || slot.connection.is_quiet(now) {
                continue;
            }
            done += 1;
            if slot.readable && !slot.ended {
                slot.read();
            }
            slot.connection.step(now, host, &mut effects);
            if slot.connection.is_websocket() {
                self.by_client.insert(slot.connection.client, index);
            }
            if slot.connection.input.len() > INPUT_MAX {
                slot.connection.spoil(Break::Reset);
            }
            self.deliver(&mut effects);
        }
        host.tick(now, &mut effects);
        done += effects.outbox.pushes.len();
        self.deliver(&mut effects);
        self.flush(now, host);
        done
    }

    fn accept(&mut self) -> usize {
        let mut accepted = 0;
        for number in 0..self.sites.len() {
            // The listeners are asked each time: an answer costs less than keeping score.
            while let Ok((mut socket, _)) = self.sites[number].listener.accept() {
                accepted += 1;
                let free = self.slots.iter().position(Option::is_none);
                let index = free.unwrap_or(self.slots.len());
                if index >= CONNECTIONS_MAX {
                    continue; // Closed at once: the client tries again.
                }
                let token = Token(index + self.sites.len());
                let interest = Interest::READABLE | Interest::WRITABLE;
                if self.poll.registry().register(&mut socket, token, interest).is_err() {
                    continue;
                }
                let Ok(wire) = Wire::new(socket, &self.sites[number].config) else { continue };
                self.last_client += 1;
                let client = ClientId(self.last_client);
                let connection = Connection::new(client, SiteId(number));
                let slot = Slot { wire, connection, readable: true, ended: false };
                match free {
                    Some(index) => self.slots[index] = Some(slot),
                    None => self.slots.push(Some(slot)),
                }
            }
        }
        accepted
    }

    /// Hands pushes and faults to the connections that they are meant for.
    fn deliver(&mut self, effects: &mut Effects) {
        for push in effects.outbox.pushes.drain(..) {
            let (Push::Text(client, _) | Push::Ping(client, _) | Push::Close(client)) = &push;
            if let Some(connection) = self.websocket(*client) {
                connection.push(&push);
            }
        }
        for (client, how) in effects.breaks.drain(..) {
            if let Some(connection) = self.websocket(client) {
                connection.spoil(how);
            }
        }
    }

    fn websocket(&mut self, client: ClientId) -> Option<&mut Connection> {
        let index = *self.by_client.get(&client)?;
        self.slots.get_mut(index)?.as_mut().map(|slot| &mut slot.connection)
    }

    /// Writes what waits, and removes connections that ended.
    fn flush(&mut self, now: Ns, host: &mut impl Host) {
        for index in 0..self.slots.len() {
            let Some(slot) = &mut self.slots[index] else { continue };
            let mut gone = slot.ended && slot.connection.next_due().is_none();
            let Slot { wire, connection, .. } = slot;
            let waits = !connection.output.is_empty() || wire.is_backlogged();
            if waits && !connection.is_quiet(now) {
                gone |= wire.write(&mut connection.output).is_err();
            }
            let written = connection.output.is_empty() && !wire.is_backlogged();
            gone |= connection.state != State::Open && written;
            if gone {
                self.remove(index, host);
            }
        }
    }

    fn remove(&mut self, index: usize, host: &mut impl Host) {
        let Some(mut slot) = self.slots[index].take() else { return };
        let Connection { client, site, state, .. } = slot.connection;
        // A socket that the system no longer knows needs no farewell.
        let _ = self.poll.registry().deregister(slot.wire.socket());
        if self.by_client.remove(&client).is_some() {
            host.closed(site, client);
        }
        match state {
            State::Resetting => slot.wire.reset(),
            State::Open | State::Closing => slot.wire.close(),
        }
    }
}

impl Slot {
    fn read(&mut self) {
        match self.wire.read(&mut self.connection.input) {
            Ok(Progress::More) => {}
            Ok(Progress::Drained) => self.readable = false,
            Ok(Progress::End) | Err(_) => (self.readable, self.ended) = (false, true),
        }
    }
}
