//! How a gate reaches its venue: TLS in the process, scripts in tests.

use std::io;
use std::sync::Arc;

use feeds::transport::upgrade::Refused;
use feeds::transport::{Endpoint, Incoming, Stream, WebSocket, Wire, WsError};
use rustls::ClientConfig;

use crate::http::exchange::Link;
use crate::pool::Dial;

/// Longest private message: a list of an account's orders is far below.
const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// What came over a private channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard<'a> {
    /// It is open.
    Opened,
    /// A text message.
    Text(&'a [u8]),
    /// A sign of life.
    Alive,
}

/// The channel is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// It broke, or was ended.
    Lost,
    /// The venue did not take who we said we are.
    Refused,
}

/// A private channel below its meaning. Nothing in it blocks.
pub trait Channel {
    /// The next message, if one is there.
    fn poll(&mut self) -> Result<Option<Heard<'_>>, Over>;

    /// Sends a text message.
    fn send(&mut self, text: &str) -> Result<(), Over>;

    /// Says goodbye.
    fn close(&mut self);
}

/// Makes connections of both kinds.
pub trait Net: Dial {
    /// A private channel.
    type Channel: Channel;

    /// Begins to open the private channel. `lines` are header lines of the upgrade; `attempt`
    /// counts from 0.
    fn channel(&mut self, attempt: usize, lines: &[u8]) -> io::Result<Self::Channel>;
}

/// The venue's hosts behind TLS.
#[derive(Clone)]
pub struct TlsNet {
    /// Where orders go.
    pub orders: Endpoint,
    /// Where the private channel is.
    pub channel: Endpoint,
    /// Its path.
    pub channel_path: String,
    /// Whom we believe.
    pub tls: Arc<ClientConfig>,
}

impl Dial for TlsNet {
    type Link = Stream;

    fn dial(&mut self, attempt: usize) -> io::Result<Stream> {
        Stream::connect_nth(&self.orders, attempt, &self.tls)
    }
}

impl Net for TlsNet {
    type Channel = WebSocket;

    fn channel(&mut self, attempt: usize, lines: &[u8]) -> io::Result<WebSocket> {
        let stream = Stream::connect_nth(&self.channel, attempt, &self.tls)?;
        let authority = self.channel.authority();
        Ok(WebSocket::open(stream, &authority, &self.channel_path, lines, MESSAGE_BYTES_MAX))
    }
}

impl Link for Stream {
    fn drive(&mut self) -> io::Result<bool> {
        Stream::drive(self)
    }

    fn is_writing(&self) -> bool {
        Stream::is_writing(self)
    }

    fn close(&mut self) {
        Stream::close(self);
    }
}

impl<W: Wire> Channel for WebSocket<W> {
    fn poll(&mut self) -> Result<Option<Heard<'_>>, Over> {
        match WebSocket::poll(self) {
            Ok(None) => Ok(None),
            Ok(Some(Incoming::Opened)) => Ok(Some(Heard::Opened)),
            Ok(Some(Incoming::Text(text))) => Ok(Some(Heard::Text(text))),
            Ok(Some(_)) => Ok(Some(Heard::Alive)),
            Err(WsError::Refused(Refused::Status { status: 401 | 403, .. })) => Err(Over::Refused),
            Err(_) => Err(Over::Lost),
        }
    }

    fn send(&mut self, text: &str) -> Result<(), Over> {
        self.send_text(text).map_err(|_| Over::Lost)
    }

    fn close(&mut self) {
        WebSocket::close(self);
    }
}
