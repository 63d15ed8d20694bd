//! Connections that follow a script, for tests: what was written is kept, what is to be read is
//! put there.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

use crate::gate::net::{Channel, Heard, Net, Over};
use crate::http::exchange::Link;
use crate::pool::Dial;

/// The peer's side of a scripted connection.
#[derive(Default)]
pub struct Peer {
    /// The handshake is done.
    pub is_up: bool,
    /// What was written and not taken by the test.
    pub written: Vec<u8>,
    /// What is to be read.
    pub to_read: VecDeque<u8>,
    /// The peer hung up, behind what is to be read.
    pub is_over: bool,
    /// The socket fails with this.
    pub fails: Option<ErrorKind>,
    /// Bytes that a write takes at most.
    pub takes: Option<usize>,
    /// Bytes that were taken wait below.
    pub is_clogged: bool,
    /// We hung up.
    pub closed: bool,
}

/// Our side.
pub struct Script(pub Rc<RefCell<Peer>>);

impl Peer {
    /// The whole requests that were written.
    pub fn requests(&mut self) -> Vec<String> {
        let text = String::from_utf8(core::mem::take(&mut self.written)).unwrap();
        let (mut rest, mut requests) = (text.as_str(), Vec::new());
        while let Some(head) = rest.find("\r\n\r\n") {
            let length = rest[..head]
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)
                })
                .map_or(0, |n| n.parse().unwrap());
            let (request, after) = rest.split_at(head + 4 + length);
            requests.push(request.to_owned());
            rest = after;
        }
        assert!(rest.is_empty(), "half a request: {rest}");
        requests
    }

    /// Puts an answer there.
    pub fn answer(&mut self, status: u16, headers: &str, body: &str) {
        let text =
            format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len());
        self.to_read.extend(text.into_bytes());
    }
}

impl Read for Script {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut peer = self.0.borrow_mut();
        if let Some(kind) = peer.fails {
            return Err(kind.into());
        }
        if peer.to_read.is_empty() && !peer.is_over {
            return Err(ErrorKind::WouldBlock.into());
        }
        peer.to_read.read(buf)
    }
}

impl Write for Script {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let mut peer = self.0.borrow_mut();
        if let Some(kind) = peer.fails {
            return Err(kind.into());
        }
        let taken = peer.takes.unwrap_or(usize::MAX).min(buf.len());
        if taken == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        peer.written.extend_from_slice(&buf[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Link for Script {
    fn drive(&mut self) -> io::Result<bool> {
        let peer = self.0.borrow();
        match peer.fails {
            Some(kind) => Err(kind.into()),
            None => Ok(peer.is_up),
        }
    }

    fn is_writing(&self) -> bool {
        self.0.borrow().is_clogged
    }

    fn close(&mut self) {
        self.0.borrow_mut().closed = true;
    }
}

/// Dials scripts; the test sees all of them.
#[derive(Clone, Default)]
pub struct Scripts {
    pub peers: Rc<RefCell<Vec<Rc<RefCell<Peer>>>>>,
    pub channels: Rc<RefCell<Vec<Rc<RefCell<ChannelPeer>>>>>,
    /// New connections are up at once.
    pub up: bool,
}

impl Dial for Scripts {
    type Link = Script;

    fn dial(&mut self, _attempt: usize) -> io::Result<Script> {
        let peer = Rc::new(RefCell::new(Peer { is_up: self.up, ..Peer::default() }));
        self.peers.borrow_mut().push(Rc::clone(&peer));
        Ok(Script(peer))
    }
}

/// The peer's side of a scripted private channel.
#[derive(Default)]
pub struct ChannelPeer {
    /// Header lines of the upgrade.
    pub lines: Vec<u8>,
    /// What is to be heard; `None` is a sign of life.
    pub to_hear: VecDeque<Option<String>>,
    /// What was sent.
    pub sent: Vec<String>,
    /// The upgrade is done.
    pub is_open: bool,
    /// The peer hung up.
    pub is_over: bool,
    /// It did so because it does not know us.
    pub is_refused: bool,
}

/// Our side.
pub struct ScriptChannel {
    peer: Rc<RefCell<ChannelPeer>>,
    opened: bool,
    last: String,
}

impl Channel for ScriptChannel {
    fn poll(&mut self) -> Result<Option<Heard<'_>>, Over> {
        let mut peer = self.peer.borrow_mut();
        if peer.is_over {
            return Err(if peer.is_refused { Over::Refused } else { Over::Lost });
        }
        if !self.opened {
            self.opened = peer.is_open;
            return Ok(self.opened.then_some(Heard::Opened));
        }
        match peer.to_hear.pop_front() {
            None => Ok(None),
            Some(None) => Ok(Some(Heard::Alive)),
            Some(Some(text)) => {
                self.last = text;
                Ok(Some(Heard::Text(self.last.as_bytes())))
            }
        }
    }

    fn send(&mut self, text: &str) -> Result<(), Over> {
        let mut peer = self.peer.borrow_mut();
        assert!(peer.is_open, "nothing is sent before the upgrade");
        peer.sent.push(text.to_owned());
        Ok(())
    }

    fn close(&mut self) {
        self.peer.borrow_mut().is_over = true;
    }
}

impl Net for Scripts {
    type Channel = ScriptChannel;

    fn channel(&mut self, _attempt: usize, lines: &[u8]) -> io::Result<ScriptChannel> {
        let peer =
            ChannelPeer { lines: lines.to_vec(), is_open: self.up, ..ChannelPeer::default() };
        let peer = Rc::new(RefCell::new(peer));
        self.channels.borrow_mut().push(Rc::clone(&peer));
        Ok(ScriptChannel { peer, opened: false, last: String::new() })
    }
}
