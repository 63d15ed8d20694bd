//! How the tiles reach the venues: connections in memory in place of TLS over sockets.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::rc::Rc;

use engine::units::Ns;
use exec::gate::net::Net;
use exec::pool::Dial;
use feeds::live::Network;
use feeds::transport::WebSocket;
use feeds::transport::ws::MESSAGE_MAX;
use sim::host::SiteId;
use sim::rng::Rng;

use super::pipe::{Moment, Pipe, PipeEnd, SharedPipe, calls};

/// The host name of both venues: it stands in requests and nowhere else.
pub const HOST: &str = "venue.test";

/// Where new connections wait for the venues to take them.
pub struct Lobby {
    /// True time.
    pub moment: Moment,
    /// Taken by nobody yet.
    pub waiting: Vec<(SiteId, SharedPipe)>,
    /// Least latency and how much more it may be, by site.
    pub latency: [(Ns, Ns); 2],
    /// A site refuses connections until then.
    pub refuses_until: [Ns; 2],
    rng: Rng,
}

impl Lobby {
    /// A lobby that nobody refuses.
    pub fn new(moment: Moment, latency: [(Ns, Ns); 2], rng: Rng) -> Lobby {
        Lobby { moment, waiting: Vec::new(), latency, refuses_until: [Ns(0); 2], rng }
    }

    fn dial(&mut self, site: SiteId) -> io::Result<SharedPipe> {
        let now = self.moment.get();
        if now < self.refuses_until[site.0] {
            return Err(ErrorKind::ConnectionRefused.into());
        }
        let rng = Rng::new(self.rng.bits());
        let pipe = Rc::new(RefCell::new(Pipe::dial(now, self.latency[site.0], rng)));
        self.waiting.push((site, Rc::clone(&pipe)));
        Ok(pipe)
    }
}

/// A venue as a gate reaches it.
#[derive(Clone)]
pub struct Pipes {
    /// Where connections begin.
    pub lobby: Rc<RefCell<Lobby>>,
    /// Which venue.
    pub site: SiteId,
    /// Path of its WebSocket.
    pub path: &'static str,
}

impl Pipes {
    fn dial_pipe(&self) -> io::Result<(SharedPipe, PipeEnd)> {
        let mut lobby = self.lobby.borrow_mut();
        let pipe = lobby.dial(self.site)?;
        let end = PipeEnd::new(Rc::clone(&pipe), Rc::clone(&lobby.moment));
        Ok((pipe, end))
    }
}

impl Dial for Pipes {
    type Link = PipeEnd;

    fn dial(&mut self, _attempt: usize) -> io::Result<PipeEnd> {
        self.dial_pipe().map(|(_, end)| end)
    }
}

impl Net for Pipes {
    type Channel = WebSocket<PipeEnd>;

    fn channel(&mut self, _attempt: usize, lines: &[u8]) -> io::Result<WebSocket<PipeEnd>> {
        let (_, end) = self.dial_pipe()?;
        Ok(WebSocket::open(end, HOST, self.path, lines, MESSAGE_MAX))
    }
}

/// A venue as a feed reaches it.
pub struct FeedPipes {
    pipes: Pipes,
    lines: Vec<Option<SharedPipe>>,
}

impl FeedPipes {
    /// Connections of a feed.
    pub fn new(pipes: Pipes) -> FeedPipes {
        FeedPipes { pipes, lines: Vec::new() }
    }
}

impl Network for FeedPipes {
    type Wire = PipeEnd;

    fn dial(
        &mut self,
        line: usize,
        _attempt: usize,
        headers: &[u8],
    ) -> io::Result<WebSocket<PipeEnd>> {
        let (pipe, end) = self.pipes.dial_pipe()?;
        pipe.borrow_mut().shows_books = true;
        self.lines.resize_with(self.lines.len().max(line + 1), || None);
        self.lines[line] = Some(pipe);
        Ok(WebSocket::open(end, HOST, self.pipes.path, headers, MESSAGE_MAX))
    }

    fn readable(&mut self, mark: impl FnMut(usize)) {
        let now = self.pipes.lobby.borrow().moment.get();
        let lines = self.lines.iter().enumerate();
        lines
            .filter(|(_, pipe)| pipe.as_ref().is_some_and(|pipe| calls(pipe, now)))
            .map(|(line, _)| line)
            .for_each(mark);
    }

    fn forget(&mut self, _socket: &mut WebSocket<PipeEnd>) {
        // A pipe that its end has left names no line any more.
    }
}
