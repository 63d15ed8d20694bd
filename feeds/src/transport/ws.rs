//! A WebSocket client over a [`Wire`]: messages in, messages out, nothing blocks.

use core::fmt;
use std::io::{self, ErrorKind};

use mio::event::Source;
use mio::{Interest, Registry, Token};
use tungstenite::protocol::{Message, Role, WebSocketConfig};

use crate::transport::Stream;
use crate::transport::upgrade::{HEAD_MAX, Refused, Upgrade};
use crate::transport::wire::Wire;

/// Longest message of Kalshi (kalshi.md section 2).
pub const MESSAGE_MAX: usize = 64 << 20;

/// Bytes asked of the stream at once. A TLS record is no longer, and the buffer's free part is
/// zeroed before each read.
const READ_BYTES: usize = 16 << 10;

/// What we wrote and the peer did not take yet. Our longest message names some thousands of
/// markets.
const UNSENT_MAX: usize = 8 << 20;

/// What came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Incoming<'a> {
    /// The host upgraded: messages may be sent from now on.
    Opened,
    /// A text message, whole: UTF-8.
    Text(&'a [u8]),
    /// A binary message, whole.
    Binary(&'a [u8]),
    /// A ping; it is answered already.
    Ping(&'a [u8]),
    /// An answer to [`WebSocket::ping`], or an unasked one.
    Pong(&'a [u8]),
}

/// Why a connection is over. None of these is worth another try on the same connection.
#[derive(Debug)]
pub enum WsError {
    /// The socket or its TLS failed; the text says how.
    Io(io::Error),
    /// The host did not upgrade.
    Refused(Refused),
    /// The peer broke the protocol.
    Protocol(tungstenite::error::ProtocolError),
    /// A message or frame is longer than allowed, or the peer takes nothing of what we send.
    TooLong,
    /// A text message is not UTF-8.
    NotUtf8,
    /// The peer closed, or we did.
    Closed {
        /// The peer's reason (RFC 6455 section 7.4), where it gave one.
        code: Option<u16>,
    },
    /// A message was to be sent before the connection was open.
    NotOpen,
}

impl fmt::Display for WsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WsError::Io(error) => write!(f, "{error}"),
            WsError::Refused(refused) => write!(f, "no upgrade: {refused}"),
            WsError::Protocol(error) => write!(f, "{error}"),
            WsError::TooLong => write!(f, "a message is longer than allowed"),
            WsError::NotUtf8 => write!(f, "a text message is not UTF-8"),
            WsError::Closed { code: Some(code) } => write!(f, "closed by the peer: {code}"),
            WsError::Closed { code: None } => write!(f, "closed"),
            WsError::NotOpen => write!(f, "the connection is not open"),
        }
    }
}

impl core::error::Error for WsError {}

impl From<io::Error> for WsError {
    fn from(error: io::Error) -> WsError {
        WsError::Io(error)
    }
}

impl From<tungstenite::Error> for WsError {
    fn from(error: tungstenite::Error) -> WsError {
        use tungstenite::Error;
        match error {
            Error::Io(error) => WsError::Io(error),
            Error::Protocol(error) => WsError::Protocol(error),
            Error::Capacity(_) | Error::WriteBufferFull(_) => WsError::TooLong,
            Error::Utf8(_) => WsError::NotUtf8,
            Error::ConnectionClosed | Error::AlreadyClosed => WsError::Closed { code: None },
            // The rest belongs to handshakes, which are not made by that library here.
            other => WsError::Io(io::Error::other(other.to_string())),
        }
    }
}

/// A client's end of a WebSocket.
pub struct WebSocket<W = Stream> {
    state: State<W>,
    /// The message that was handed out last: its bytes are given back before the next is read.
    last: Message,
    /// Something of ours may not have reached the stream yet.
    unsent: bool,
    message_bytes_max: usize,
}

// One of these a connection, and the last state is the one it stays in.
#[allow(clippy::large_enum_variant)]
enum State<W> {
    /// The request goes out, and the answer comes in.
    Opening {
        stream: W,
        upgrade: Upgrade,
        request: Vec<u8>,
        sent: usize,
        answer: Vec<u8>,
    },
    Open(tungstenite::WebSocket<W>),
    /// It ended with an error.
    Over,
}

impl<W: Wire> WebSocket<W> {
    /// Begins to upgrade a connection that may not even be connected yet. `headers` are further
    /// header lines, each with its CRLF; no message may be longer than `message_bytes_max`.
    pub fn open(
        stream: W,
        authority: &str,
        path: &str,
        headers: &[u8],
        message_bytes_max: usize,
    ) -> WebSocket<W> {
        let mut request = Vec::with_capacity(512 + headers.len());
        let upgrade = Upgrade::ask(authority, path, headers, &mut request);
        let answer = Vec::with_capacity(1_024);
        WebSocket {
            state: State::Opening { stream, upgrade, request, sent: 0, answer },
            last: Message::Pong(tungstenite::Bytes::new()),
            unsent: false,
            message_bytes_max,
        }
    }

    /// True where messages can be sent.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// The connection below; `None` once it is over.
    pub fn stream(&mut self) -> Option<&mut W> {
        match &mut self.state {
            State::Opening { stream, .. } => Some(stream),
            State::Open(socket) => Some(socket.get_mut()),
            State::Over => None,
        }
    }

    /// The next message, or `None` where the socket has no more now: under edge-triggered
    /// readiness it is called until then. An error ends the connection.
    #[inline]
    pub fn poll(&mut self) -> Result<Option<Incoming<'_>>, WsError> {
        match self.take() {
            Ok(Some(true)) => Ok(Some(Incoming::Opened)),
            Ok(Some(false)) => Ok(Some(match &self.last {
                Message::Text(text) => Incoming::Text(text.as_bytes()),
                Message::Binary(bytes) => Incoming::Binary(bytes),
                Message::Ping(bytes) => Incoming::Ping(bytes),
                Message::Pong(bytes) => Incoming::Pong(bytes),
                Message::Close(_) | Message::Frame(_) => unreachable!("`take` hands out none"),
            })),
            Ok(None) => Ok(None),
            Err(error) => {
                self.state = State::Over;
                Err(error)
            }
        }
    }

    /// Sends a text message. What the peer does not take now is kept and goes out with later
    /// calls of [`WebSocket::poll`].
    pub fn send_text(&mut self, text: &str) -> Result<(), WsError> {
        self.send(Message::text(text))
    }

    /// Sends a ping; the peer answers with the same bytes.
    pub fn ping(&mut self, bytes: &[u8]) -> Result<(), WsError> {
        self.send(Message::Ping(tungstenite::Bytes::copy_from_slice(bytes)))
    }

    /// Says goodbye and ends the connection, as far as that goes without waiting.
    pub fn close(&mut self) {
        if let State::Open(socket) = &mut self.state {
            // Whatever fails now would have been an end too.
            let _ = socket.close(None);
        }
        if let Some(stream) = self.stream() {
            stream.close();
        }
        self.state = State::Over;
    }

    fn send(&mut self, message: Message) -> Result<(), WsError> {
        let State::Open(socket) = &mut self.state else { return Err(WsError::NotOpen) };
        let written = none_if_not_now(socket.write(message));
        self.unsent = true;
        let done = written.and_then(|_| self.flush());
        if done.is_err() {
            self.state = State::Over;
        }
        done
    }

    fn flush(&mut self) -> Result<(), WsError> {
        if let State::Open(socket) = &mut self.state {
            self.unsent = none_if_not_now(socket.flush())?.is_none();
        }
        Ok(())
    }

    /// `Some(true)` where the host upgraded, `Some(false)` where a message is in `last`.
    #[inline]
    fn take(&mut self) -> Result<Option<bool>, WsError> {
        if self.unsent {
            self.flush()?;
        }
        let socket = match &mut self.state {
            State::Open(socket) => socket,
            State::Opening { .. } => return self.drive_upgrade(),
            State::Over => return Err(WsError::Closed { code: None }),
        };
        self.last = Message::Pong(tungstenite::Bytes::new());
        let Some(message) = none_if_not_now(socket.read())? else { return Ok(None) };
        self.last = message;
        match &self.last {
            Message::Text(_) | Message::Binary(_) | Message::Pong(_) => {}
            Message::Ping(_) => self.flush()?,
            Message::Close(frame) => {
                let code = frame.as_ref().map(|frame| u16::from(frame.code));
                self.flush()?;
                return Err(WsError::Closed { code });
            }
            Message::Frame(_) => return Ok(None),
        }
        Ok(Some(false))
    }

    #[cold]
    fn drive_upgrade(&mut self) -> Result<Option<bool>, WsError> {
        let State::Opening { stream, upgrade, request, sent, answer } = &mut self.state else {
            return Ok(None);
        };
        while *sent < request.len() {
            match stream.write(&request[*sent..]) {
                Ok(taken) => *sent += taken,
                Err(error) if is_not_now(&error) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        match stream.flush() {
            Err(error) if !is_not_now(&error) => return Err(error.into()),
            _ => {}
        }
        let len = loop {
            if let Some(len) = upgrade.judge(answer).map_err(WsError::Refused)? {
                break len;
            }
            let mut part = [0; 1_024];
            let room = part.len().min(HEAD_MAX - answer.len());
            match stream.read(&mut part[..room]) {
                Ok(0) => return Err(WsError::Io(ErrorKind::UnexpectedEof.into())),
                Ok(taken) => answer.extend_from_slice(&part[..taken]),
                Err(error) if is_not_now(&error) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        };
        let rest = answer.split_off(len);
        let limits = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(UNSENT_MAX)
            .max_message_size(Some(self.message_bytes_max))
            .max_frame_size(Some(self.message_bytes_max));
        let State::Opening { stream, .. } = core::mem::replace(&mut self.state, State::Over) else {
            return Ok(None);
        };
        let client = Role::Client;
        let open = tungstenite::WebSocket::from_partially_read(stream, rest, client, Some(limits));
        self.state = State::Open(open);
        Ok(Some(true))
    }
}

fn is_not_now(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn none_if_not_now<T>(result: Result<T, tungstenite::Error>) -> Result<Option<T>, WsError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(tungstenite::Error::Io(error)) if is_not_now(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl<W: Wire + Source> Source for WebSocket<W> {
    fn register(&mut self, to: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        self.stream().map_or(Ok(()), |stream| stream.register(to, token, interest))
    }

    fn reregister(&mut self, to: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        self.stream().map_or(Ok(()), |stream| stream.reregister(to, token, interest))
    }

    fn deregister(&mut self, from: &Registry) -> io::Result<()> {
        self.stream().map_or(Ok(()), |stream| stream.deregister(from))
    }
}
