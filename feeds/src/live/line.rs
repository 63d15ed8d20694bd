//! One connection's place: waiting, dialling, open, and waiting again.

use std::io;
use std::sync::Arc;

use engine::tile::Now;
use engine::units::Ns;
use rustls::ClientConfig;

use crate::live::backoff::{Backoff, PROVED_NS};
use crate::live::figures::LineFigures;
use crate::live::login::Login;
use crate::live::network::Network;
use crate::transport::upgrade::Refused;
use crate::transport::{Endpoint, Incoming, WebSocket, Wire, WsError};

/// From dialling to the upgrade.
pub const DIAL_NS_MAX: Ns = Ns::from_ms(10_000);

/// A login that is not there yet is asked for again after this time.
const LOGIN_AGAIN_NS: Ns = Ns::from_ms(20);

/// Where connections go.
#[derive(Clone, Debug)]
pub struct Door {
    /// The host.
    pub endpoint: Endpoint,
    /// Path of the WebSocket.
    pub path: String,
    /// Whom we believe.
    pub tls: Arc<ClientConfig>,
    /// Microseconds that the kernel may poll the network card for a read, where it lets us.
    pub busy_poll_us: Option<u32>,
}

enum State<W> {
    /// Until then.
    Waiting(Ns),
    /// It must be open by then.
    Dialling(WebSocket<W>, Ns),
    /// Since then.
    Open(WebSocket<W>, Ns),
}

/// A connection's place, whatever stands in it.
pub struct Line<L, W> {
    /// What the dialect knows of the connection.
    pub talk: L,
    /// The socket may have more.
    pub readable: bool,
    /// When it proved its life last; monotonic.
    pub alive_at: Ns,
    /// When we pinged last; monotonic.
    pub pinged_at: Ns,
    /// From then on it is to be replaced; monotonic.
    pub rotate_at: Option<Ns>,
    /// What was counted.
    pub figures: LineFigures,
    state: State<W>,
    /// What will stand here next, dialled while the old connection serves; it must be open by then.
    next: Option<(WebSocket<W>, Ns)>,
    backoff: Backoff,
    headers: Vec<u8>,
}

/// Why a line ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The connection failed, was refused, or was closed by the peer.
    Lost {
        /// The host asked to wait so long.
        wait: Ns,
    },
    /// It has not proved its life for too long.
    Silent,
    /// Its books did not come back, or its subscription died.
    GivenUp,
    /// Its time is over, and what replaces it is open.
    Rotated,
}

impl End {
    /// What an error says of the next attempt.
    pub fn of(error: &WsError) -> End {
        let wait = match error {
            WsError::Refused(Refused::Status { retry_after_s: Some(seconds), .. }) => {
                Ns::from_ms(1_000 * u64::from(*seconds).min(600))
            }
            _ => Ns(0),
        };
        End::Lost { wait }
    }
}

impl<L: Default, W: Wire> Line<L, W> {
    /// A place whose first connection is dialled from then on.
    pub fn new(seed: u64, dial_from: Ns) -> Line<L, W> {
        Line {
            talk: L::default(),
            readable: false,
            alive_at: Ns(0),
            pinged_at: Ns(0),
            rotate_at: None,
            figures: LineFigures::default(),
            state: State::Waiting(dial_from),
            next: None,
            backoff: Backoff::new(seed),
            headers: Vec::new(),
        }
    }

    /// True while messages can be sent.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open(..))
    }

    /// The socket, where there is one.
    #[inline]
    pub const fn socket(&mut self) -> Option<&mut WebSocket<W>> {
        match &mut self.state {
            State::Waiting(_) => None,
            State::Dialling(socket, _) | State::Open(socket, _) => Some(socket),
        }
    }

    /// Dials as line `at` where it is time to; true where a connection ought to be open by now and is not.
    pub fn attend(
        &mut self,
        now: Now,
        (network, at): (&mut impl Network<Wire = W>, usize),
        login: &mut impl Login,
    ) -> bool {
        match self.state {
            State::Waiting(until) if now.mono >= until => {
                match self.dial(now, (network, at), login) {
                    None => self.state = State::Waiting(now.mono.after(LOGIN_AGAIN_NS)),
                    Some(Err(_)) => return true,
                    Some(Ok(socket)) => {
                        self.readable = true;
                        self.state = State::Dialling(socket, now.mono.after(DIAL_NS_MAX));
                    }
                }
                false
            }
            State::Waiting(_) | State::Open(..) => false,
            State::Dialling(_, until) => now.mono >= until,
        }
    }

    /// Begins to connect; `None` where there is no login yet.
    fn dial(
        &mut self,
        now: Now,
        (network, at): (&mut impl Network<Wire = W>, usize),
        login: &mut impl Login,
    ) -> Option<io::Result<WebSocket<W>>> {
        self.headers.clear();
        if !login.headers(now, &mut self.headers) {
            return None;
        }
        let attempt = self.figures.dialled as usize;
        self.figures.dialled += 1;
        Some(network.dial(at, attempt, &self.headers))
    }

    /// Dials what replaces the connection of line `at`; true once the host upgraded that. The old
    /// one serves meanwhile, and goes on where the new one does not come.
    pub fn is_succeeded(
        &mut self,
        now: Now,
        (network, at): (&mut impl Network<Wire = W>, usize),
        login: &mut impl Login,
    ) -> bool {
        let Some((socket, until)) = &mut self.next else {
            match self.dial(now, (network, at), login) {
                None => self.rotate_at = Some(now.mono.after(LOGIN_AGAIN_NS)),
                Some(Ok(socket)) => self.next = Some((socket, now.mono.after(DIAL_NS_MAX))),
                Some(Err(_)) => self.postpone(now),
            }
            return false;
        };
        match socket.poll() {
            Ok(Some(Incoming::Opened)) => return true,
            Ok(None) if now.mono < *until => return false,
            // An error, silence, or words before the upgrade.
            Ok(_) | Err(_) => {}
        }
        network.forget(socket);
        socket.close();
        self.next = None;
        self.postpone(now);
        false
    }

    /// What was to replace the connection did not come.
    fn postpone(&mut self, now: Now) {
        self.figures.refused += 1;
        self.rotate_at = Some(now.mono.after(self.backoff.failed()));
    }

    /// The host upgraded.
    pub fn opened(&mut self, now: Now, rotate_every: Option<Ns>) {
        self.state = match core::mem::replace(&mut self.state, State::Waiting(now.mono)) {
            State::Dialling(socket, _) => State::Open(socket, now.mono),
            other => other,
        };
        self.figures.opened += 1;
        self.alive_at = now.mono;
        self.pinged_at = now.mono;
        // Connections that opened together do not end together.
        self.rotate_at = rotate_every.map(|every| {
            let spread = self.backoff.chance().below(every.0 / 4 + 1);
            now.mono.after(Ns(every.0.saturating_sub(spread)))
        });
    }

    /// Ends what stands here and says whether it was open. The next attempt waits, where it is not
    /// under way.
    pub fn end(&mut self, now: Now, end: End, network: &mut impl Network<Wire = W>) -> bool {
        let since = match &mut self.state {
            State::Waiting(_) => None,
            State::Dialling(socket, _) | State::Open(socket, _) => {
                network.forget(socket);
                socket.close();
                match self.state {
                    State::Open(_, since) => Some(since),
                    _ => None,
                }
            }
        };
        if since.is_some_and(|since| now.mono.since(since) >= PROVED_NS) {
            self.backoff.proved();
        }
        let wait = match end {
            End::Rotated => Ns(0),
            End::Lost { wait } => self.backoff.failed().max(wait),
            End::Silent | End::GivenUp => self.backoff.failed(),
        };
        // What was to come later comes now.
        self.readable = self.next.is_some();
        self.state = match self.next.take() {
            Some((socket, until)) => State::Dialling(socket, until),
            None => State::Waiting(now.mono.after(wait)),
        };
        match since {
            Some(_) => self.figures.lost += 1,
            None => self.figures.refused += 1,
        }
        match end {
            End::Lost { .. } => {}
            End::Silent => self.figures.silent += 1,
            End::GivenUp => self.figures.given_up += 1,
            End::Rotated => self.figures.rotated += 1,
        }
        since.is_some()
    }
}
