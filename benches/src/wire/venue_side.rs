//! A venue of the simplest kind: one thread, whatever sockets come, one market.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use quanta::Clock;
use rustls::{ServerConfig, ServerConnection};
use sha1::{Digest, Sha1};

use super::{Flags, Plan};
use crate::accounts;

/// What the client of an echo says first.
pub const ECHO: &[u8] = b"ECHO";
/// Path of the market data.
pub const FEED_PATH: &str = "/feed";
/// Path of the private channel.
pub const PRIVATE_PATH: &str = "/private";

/// From RFC 6455, section 1.3.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Between two frames. An order takes two of them (its price comes, and goes), and headers are
/// signed ahead at one every four milliseconds at most.
const REST_NS: u64 = 2_500_000;
/// Longest wait for an answer.
const WAIT_NS: u64 = 5_000_000_000;
/// Number of the first frame, so that all numbers have as many digits, and all frames one length.
const FIRST_SEQ: u64 = 100_000;
const REFUSAL: &str = r#"{"error":{"code":"insufficient_balance"}}"#;

/// How long each answer took to be read here, in nanoseconds, in their order.
pub struct Heard {
    /// Of orders.
    pub orders: Vec<u64>,
    /// Of echoes.
    pub echoes: Vec<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    New,
    Feed { greeted: bool },
    Private { greeted: bool },
    Orders,
    Echo,
}

struct Conn {
    tcp: TcpStream,
    tls: ServerConnection,
    kind: Kind,
    heard: Vec<u8>,
}

struct Desk<'a> {
    listener: &'a TcpListener,
    tls: &'a Arc<ServerConfig>,
    conns: Vec<Conn>,
    clock: Clock,
    flags: &'a Flags,
    seq: u64,
}

/// Orders, then echoes, round by round.
pub fn run(
    listener: &TcpListener,
    tls: &Arc<ServerConfig>,
    plan: Plan,
    flags: &Flags,
) -> Result<Heard, String> {
    listener.set_nonblocking(true).map_err(|error| error.to_string())?;
    let mut desk =
        Desk { listener, tls, conns: Vec::new(), clock: Clock::new(), flags, seq: FIRST_SEQ };
    let mut heard = Heard { orders: Vec::new(), echoes: Vec::new() };
    let outcome = desk.rounds(plan, &mut heard);
    // Before the sockets close: to the other side that is the end, and no failure.
    flags.over.store(true, Ordering::Release);
    outcome.map_err(|error| {
        let [orders, echoes] = [heard.orders.len(), heard.echoes.len()];
        format!("the venue, after {orders} orders and {echoes} echoes: {error}")
    })?;
    Ok(heard)
}

impl Desk<'_> {
    fn rounds(&mut self, plan: Plan, heard: &mut Heard) -> io::Result<()> {
        self.serve_until(WAIT_NS, |desk, _| desk.flags.ready.load(Ordering::Acquire))?;
        for _ in 0..plan.all_rounds() {
            self.flags.echoes.store(false, Ordering::Release);
            for _ in 0..plan.a_round {
                heard.orders.push(self.frame_for(Kind::Orders)?);
                self.rest()?;
                self.send_delta(false)?;
                self.rest()?;
            }
            self.flags.echoes.store(true, Ordering::Release);
            for _ in 0..plan.a_round {
                heard.echoes.push(self.frame_for(Kind::Echo)?);
                self.rest()?;
            }
        }
        Ok(())
    }

    /// Sends the frame that makes an order possible, or one like it to the echo; nanoseconds
    /// until the answer was read.
    fn frame_for(&mut self, answerer: Kind) -> io::Result<u64> {
        let sent = match answerer {
            Kind::Echo => self.send(Kind::Echo, &delta(self.seq, true))?,
            _ => self.send_delta(true)?,
        };
        let answered = self.serve_until(WAIT_NS, |_, answer| answer == Some(answerer))?;
        Ok(self.clock.delta_as_nanos(sent, answered))
    }

    /// Both sides come to rest. Whoever sends anything now was not asked.
    fn rest(&mut self) -> io::Result<()> {
        let (clock, start) = (self.clock.clone(), self.clock.raw());
        let mut answers = 0;
        self.serve_until(WAIT_NS, |_, answer| {
            answers += usize::from(answer.is_some());
            clock.delta_as_nanos(start, clock.raw()) >= REST_NS
        })?;
        if answers == 0 { Ok(()) } else { Err(io::Error::other("an order that nobody asked for")) }
    }

    fn send_delta(&mut self, comes: bool) -> io::Result<u64> {
        self.seq += 1;
        self.send(Kind::Feed { greeted: true }, &delta(self.seq, comes))
    }

    /// Sends a text; the stamp before the call that makes it readable.
    fn send(&mut self, to: Kind, text: &str) -> io::Result<u64> {
        let Some(conn) = self.conns.iter_mut().find(|conn| conn.kind == to) else {
            return Err(ErrorKind::NotConnected.into());
        };
        conn.seal(&frame(text))?;
        let stamp = self.clock.raw();
        self.flags.written.store(stamp, Ordering::Release);
        conn.flush()?;
        Ok(stamp)
    }

    /// Serves all sockets until `is_done`, which hears of each whole order and echo, says so; the
    /// stamp of that moment.
    fn serve_until(
        &mut self,
        longest: u64,
        mut is_done: impl FnMut(&Self, Option<Kind>) -> bool,
    ) -> io::Result<u64> {
        let start = self.clock.raw();
        loop {
            match self.listener.accept() {
                Ok((tcp, _)) => self.conns.push(Conn::new(tcp, self.tls)?),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            let mut answer = None;
            for conn in &mut self.conns {
                if !conn.pump()? {
                    continue;
                }
                let stamp = self.clock.raw();
                let bytes = self.flags.order_bytes.load(Ordering::Acquire);
                let Some(whole) = conn.take(bytes)? else { continue };
                answer = Some((conn.kind, stamp));
                if conn.kind == Kind::Orders {
                    self.flags.order_bytes.store(whole, Ordering::Release);
                    conn.refuse()?;
                }
            }
            if is_done(self, answer.map(|(kind, _)| kind)) {
                return Ok(answer.map_or_else(|| self.clock.raw(), |(_, stamp)| stamp));
            }
            if self.clock.delta_as_nanos(start, self.clock.raw()) > longest {
                return Err(ErrorKind::TimedOut.into());
            }
            if self.flags.is_over() {
                return Err(io::Error::other("the engine's side has ended"));
            }
        }
    }
}

impl Conn {
    fn new(tcp: TcpStream, tls: &Arc<ServerConfig>) -> io::Result<Conn> {
        tcp.set_nonblocking(true)?;
        tcp.set_nodelay(true)?;
        let tls = ServerConnection::new(Arc::clone(tls)).map_err(io::Error::other)?;
        Ok(Conn { tcp, tls, kind: Kind::New, heard: Vec::new() })
    }

    /// Hears what came; true where that is something.
    fn pump(&mut self) -> io::Result<bool> {
        match self.tls.read_tls(&mut self.tcp) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(false),
            Err(error) => return Err(error),
        }
        self.tls.process_new_packets().map_err(io::Error::other)?;
        self.flush()?;
        let before = self.heard.len();
        match self.tls.reader().read_to_end(&mut self.heard) {
            Err(error)
                if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::UnexpectedEof) =>
            {
                return Err(error);
            }
            _ => {}
        }
        Ok(self.heard.len() > before)
    }

    /// Answers what was heard; the length of a whole order or a whole echo, which has `echo`
    /// bytes.
    fn take(&mut self, echo: usize) -> io::Result<Option<usize>> {
        match self.kind {
            Kind::New if self.heard.starts_with(ECHO) => {
                self.kind = Kind::Echo;
                self.heard.clear();
            }
            Kind::New if self.heard.starts_with(b"POST ") => self.kind = Kind::Orders,
            Kind::New if self.heard.ends_with(b"\r\n\r\n") => self.upgrade()?,
            Kind::Feed { greeted: false } => {
                self.kind = Kind::Feed { greeted: true };
                self.send(&[
                    r#"{"type":"subscribed","id":2,"msg":{"channel":"orderbook_delta","sid":2}}"#,
                    &snapshot(),
                ])?;
            }
            Kind::Private { greeted: false } => {
                self.kind = Kind::Private { greeted: true };
                let said = r#"{"type":"subscribed","id":1,"msg":{"channel":"x","sid":1}}"#;
                self.send(&[said; 4])?;
            }
            _ => {}
        }
        let whole = match self.kind {
            Kind::Orders => self.heard.ends_with(b"}"),
            Kind::Echo => !self.heard.is_empty() && self.heard.len() >= echo,
            _ => false,
        };
        let length = self.heard.len();
        if whole || matches!(self.kind, Kind::Feed { .. } | Kind::Private { .. }) {
            self.heard.clear();
        }
        Ok(whole.then_some(length))
    }

    fn upgrade(&mut self) -> io::Result<()> {
        let text = String::from_utf8_lossy(&self.heard).into_owned();
        let key = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim())
        });
        let key = key.ok_or(ErrorKind::InvalidData)?;
        let accept = BASE64_STANDARD.encode(Sha1::digest(format!("{key}{GUID}")));
        let private = text.contains(PRIVATE_PATH);
        self.kind =
            if private { Kind::Private { greeted: false } } else { Kind::Feed { greeted: false } };
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        self.write(answer.as_bytes())
    }

    fn refuse(&mut self) -> io::Result<()> {
        let length = REFUSAL.len();
        let answer =
            format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {length}\r\n\r\n{REFUSAL}");
        self.write(answer.as_bytes())
    }

    fn send(&mut self, texts: &[&str]) -> io::Result<()> {
        texts.iter().try_for_each(|text| self.write(&frame(text)))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.seal(bytes)?;
        self.flush()
    }

    /// Encrypts what [`Conn::flush`] then writes.
    fn seal(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tls.writer().write_all(bytes)
    }

    /// A full socket buffer does not come about with what is sent here.
    fn flush(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.tcp)?;
        }
        Ok(())
    }
}

/// A text frame of a server: RFC 6455, section 5.2.
fn frame(text: &str) -> Vec<u8> {
    let length = (text.len() as u16).to_be_bytes();
    let head: &[u8] = if text.len() < 126 { &[0x81, length[1]] } else { &[0x81, 126] };
    let long: &[u8] = if text.len() < 126 { &[] } else { &length };
    [head, long, text.as_bytes()].concat()
}

/// Bytes of the frame that makes a price good.
pub fn frame_bytes() -> usize {
    frame(&delta(FIRST_SEQ, true)).len()
}

fn snapshot() -> String {
    format!(
        r#"{{"type":"orderbook_snapshot","sid":2,"seq":{FIRST_SEQ},"msg":{{"market_ticker":"{}","market_id":"00000000-0000-4000-8000-000000000000","yes_dollars_fp":[["0.3000","100.00"]],"no_dollars_fp":[["0.4000","100.00"]]}}}}"#,
        accounts::ticker(0)
    )
}

/// A hundred contracts of YES at 40 cents come, or go.
fn delta(seq: u64, comes: bool) -> String {
    let sign = if comes { "" } else { "-" };
    format!(
        r#"{{"type":"orderbook_delta","sid":2,"seq":{seq},"msg":{{"market_ticker":"{}","market_id":"00000000-0000-4000-8000-000000000000","price_dollars":"0.6000","delta_fp":"{sign}100.00","side":"no","ts":"2026-11-21T18:00:00.000000Z","ts_ms":1795284000000}}}}"#,
        accounts::ticker(0)
    )
}
