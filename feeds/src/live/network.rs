//! How a feed reaches its venue: TLS and the kernel's readiness, or what stands for them.

use std::io::{self, ErrorKind};
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};

use crate::live::line::Door;
use crate::transport::ws::MESSAGE_MAX;
use crate::transport::{Stream, WebSocket, Wire};

/// Readiness events taken at once; more come with the next look.
const EVENTS_AT_ONCE: usize = 256;

/// Makes a feed's connections and tells which of them have something. Nothing in it blocks.
pub trait Network {
    /// What a connection stands on.
    type Wire: Wire;

    /// Begins to open the WebSocket of a line. `attempt` counts from 0; `headers` are further
    /// header lines of the upgrade, each with its CRLF.
    fn dial(
        &mut self,
        line: usize,
        attempt: usize,
        headers: &[u8],
    ) -> io::Result<WebSocket<Self::Wire>>;

    /// Names the lines that may have something to read since they were named last.
    fn readable(&mut self, mark: impl FnMut(usize));

    /// A connection is about to be closed.
    fn forget(&mut self, socket: &mut WebSocket<Self::Wire>);
}

/// A host behind TLS.
pub struct TlsNetwork {
    door: Door,
    poll: Poll,
    events: Events,
}

impl TlsNetwork {
    /// Connections through this door.
    ///
    /// # Errors
    /// Where the system has no more handles.
    pub fn new(door: Door) -> io::Result<TlsNetwork> {
        Ok(TlsNetwork { door, poll: Poll::new()?, events: Events::with_capacity(EVENTS_AT_ONCE) })
    }
}

impl Network for TlsNetwork {
    type Wire = Stream;

    fn dial(&mut self, line: usize, attempt: usize, headers: &[u8]) -> io::Result<WebSocket> {
        let door = &self.door;
        let mut stream = Stream::connect_nth(&door.endpoint, attempt, &door.tls)?;
        if let Some(us) = door.busy_poll_us {
            // Without the capability for it the host's own setting stays.
            let _ = stream.set_busy_poll_us(us);
        }
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(line), interest)?;
        let authority = door.endpoint.authority();
        Ok(WebSocket::open(stream, &authority, &door.path, headers, MESSAGE_MAX))
    }

    /// Asks the kernel, without waiting.
    #[inline]
    fn readable(&mut self, mark: impl FnMut(usize)) {
        match self.poll.poll(&mut self.events, Some(Duration::ZERO)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => return,
            // The descriptor is ours and the buffer is valid: what is left is that the kernel has
            // no memory, and the next look asks again.
            Err(_) => return,
        }
        self.events.iter().map(|event| event.token().0).for_each(mark);
    }

    fn forget(&mut self, socket: &mut WebSocket) {
        // A socket that is over has left already.
        let _ = self.poll.registry().deregister(socket);
    }
}
