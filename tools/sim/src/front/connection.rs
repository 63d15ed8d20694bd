//! One client's connection without its socket: plain bytes come in, calls of the host and plain
//! bytes go out.

use engine::units::Ns;

use super::http::{self, BadRequest, Parsed};
use super::ws::{self, Message};
use crate::host::{Answer, Break, Effects, Host, SiteId};
use crate::venue::{ClientId, Push, Reply, Request};

/// Most plain bytes that wait for a slow reader before it is cut off.
pub const BACKLOG_MAX: usize = 16 * 1024 * 1024;

/// What the owner of the socket has to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Go on.
    Open,
    /// Write what there is, then close.
    Closing,
    /// Write what there is, then reset.
    Resetting,
}

/// A connection.
pub struct Connection {
    /// Its number, also that of its WebSocket.
    pub client: ClientId,
    /// Whose listener took it.
    pub site: SiteId,
    /// Bytes that came and were not understood yet.
    pub input: Vec<u8>,
    /// Bytes to write.
    pub output: Vec<u8>,
    /// What has to happen to the socket.
    pub state: State,
    /// True once it asked for a WebSocket and got it.
    upgraded: Option<ws::Reader>,
    /// An answer that waits for its time; the requests behind it wait too.
    held: Option<(Answer, Tail)>,
    /// Nothing is read or written before; Unix nanoseconds.
    quiet_until: Ns,
    /// The next frame is the last, and half of it.
    halve: bool,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug)]
struct Tail {
    keep_alive: bool,
    to_head: bool,
}

impl Connection {
    /// A connection that has said nothing yet.
    pub fn new(client: ClientId, site: SiteId) -> Connection {
        Connection {
            client,
            site,
            input: Vec::new(),
            output: Vec::new(),
            state: State::Open,
            upgraded: None,
            held: None,
            quiet_until: Ns(0),
            halve: false,
        }
    }

    /// True for a WebSocket.
    pub fn is_websocket(&self) -> bool {
        self.upgraded.is_some()
    }

    /// True while nothing is read or written.
    pub fn is_quiet(&self, now: Ns) -> bool {
        now < self.quiet_until
    }

    /// True where nothing is ever read or written again.
    pub fn is_silent(&self) -> bool {
        self.quiet_until == Ns(u64::MAX)
    }

    /// When it has something to do without new bytes; `None` for never.
    pub fn next_due(&self) -> Option<Ns> {
        let held = self.held.as_ref().map(|(answer, _)| answer.at.max(self.quiet_until));
        let stalled = (self.quiet_until > Ns(0) && self.quiet_until < Ns(u64::MAX))
            .then_some(self.quiet_until);
        held.or(stalled)
    }

    /// Spoils it.
    pub fn spoil(&mut self, how: Break) {
        match how {
            Break::Drop => {
                self.output.clear();
                self.state = State::Closing;
            }
            Break::Reset => {
                self.output.clear();
                self.state = State::Resetting;
            }
            Break::ResetMidFrame => self.halve = true,
            Break::Stall(until) => self.quiet_until = self.quiet_until.max(until),
            Break::Silence => self.quiet_until = Ns(u64::MAX),
        }
    }

    /// Understands what came, calls the host, and appends what goes out. What other clients get is
    /// in `effects`.
    pub fn step(&mut self, now: Ns, host: &mut impl Host, effects: &mut Effects) {
        if self.is_quiet(now) {
            return;
        }
        self.quiet_until = Ns(0);
        if let Some((answer, tail)) = self.held.take_if(|(answer, _)| answer.at <= now) {
            self.answer(&answer, tail);
        }
        while self.state == State::Open && self.held.is_none() && !self.is_quiet(now) {
            let went_on = match self.upgraded.is_some() {
                true => self.frame(now, host, effects),
                false => self.request(now, host, effects),
            };
            if !went_on {
                break;
            }
        }
    }

    /// Appends what the host pushes to this WebSocket.
    pub fn push(&mut self, push: &Push) {
        if self.state != State::Open || self.is_silent() {
            return;
        }
        let start = self.output.len();
        match push {
            Push::Text(_, text) => ws::text(&mut self.output, text),
            Push::Ping(_, body) => ws::ping(&mut self.output, body),
            Push::Close(_) => {
                ws::close(&mut self.output, 1000);
                self.state = State::Closing;
            }
        }
        if self.halve {
            let half = (self.output.len() - start) / 2;
            self.output.truncate(start + half);
            self.state = State::Resetting;
        } else if self.output.len() > BACKLOG_MAX {
            self.spoil(Break::Reset);
        }
    }

    fn frame(&mut self, now: Ns, host: &mut impl Host, effects: &mut Effects) -> bool {
        let Some(reader) = &mut self.upgraded else { return false };
        match reader.next(&mut self.input) {
            Ok(None) => return false,
            Ok(Some(Message::Text(text))) => {
                host.text(now, self.site, self.client, &text, effects);
            }
            Ok(Some(Message::Ping(body))) => ws::pong(&mut self.output, &body),
            Ok(Some(Message::Pong)) => {}
            Ok(Some(Message::Close)) => {
                ws::close(&mut self.output, 1000);
                self.state = State::Closing;
            }
            Err(violation) => {
                ws::close(&mut self.output, violation as u16);
                self.state = State::Closing;
            }
        }
        true
    }

    fn request(&mut self, now: Ns, host: &mut impl Host, effects: &mut Effects) -> bool {
        let parsed = match http::parse(&self.input) {
            Ok(None) => return false,
            Ok(Some(parsed)) => parsed,
            Err(bad) => {
                self.refuse(bad);
                return true;
            }
        };
        self.input.drain(..parsed.len);
        let headers: Vec<(&str, &str)> =
            parsed.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let request = Request {
            method: &parsed.method,
            path: &parsed.path,
            query: &parsed.query,
            headers: &headers,
            body: &parsed.body,
        };
        let tail = Tail { keep_alive: parsed.keep_alive, to_head: parsed.method == "HEAD" };
        let wants_websocket =
            parsed.header_has("upgrade", "websocket") && parsed.header_has("connection", "upgrade");
        let answer = match wants_websocket {
            true => match self.upgrade(now, host, &parsed, &request, effects) {
                None => return true,
                Some(refusal) => refusal,
            },
            false => host.request(now, self.site, &request, effects),
        };
        if answer.at > now {
            self.held = Some((answer, tail));
        } else {
            self.answer(&answer, tail);
        }
        true
    }

    /// Answers the wish for a WebSocket, or says why not.
    fn upgrade(
        &mut self,
        now: Ns,
        host: &mut impl Host,
        parsed: &Parsed,
        request: &Request<'_>,
        effects: &mut Effects,
    ) -> Option<Answer> {
        let key = parsed.header("sec-websocket-key").filter(|key| key.len() == 24);
        let version = parsed.header("sec-websocket-version") == Some("13");
        let (Some(key), true, "GET") = (key, version, parsed.method.as_str()) else {
            let refusal = Reply::json(400, "{\"error\":\"not a WebSocket of version 13\"}");
            return Some(refusal.into());
        };
        // The answer goes out before what the venue pushes to the new client.
        if let Err(refusal) = host.open(now, self.site, self.client, request, effects) {
            return Some(refusal);
        }
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
             sec-websocket-accept: {}\r\n\r\n",
            ws::accept(key)
        );
        self.output.extend_from_slice(answer.as_bytes());
        self.upgraded = Some(ws::Reader::default());
        None
    }

    fn answer(&mut self, answer: &Answer, tail: Tail) {
        if let Some(how) = answer.lost {
            self.spoil(how);
            return;
        }
        http::write(&mut self.output, &answer.reply, tail.keep_alive, tail.to_head);
        if self.output.len() > BACKLOG_MAX {
            self.spoil(Break::Reset);
        } else if !tail.keep_alive {
            self.state = State::Closing;
        }
    }

    fn refuse(&mut self, bad: BadRequest) {
        let body = format!("{{\"error\":\"{}\"}}", http::reason(bad.status()));
        http::write(&mut self.output, &Reply::json(bad.status(), body), false, false);
        self.state = State::Closing;
    }
}
