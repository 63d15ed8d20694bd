//! What a venue's state machine hears and says: requests, sockets' texts and time come in, answers
//! and texts go out. No socket, no clock: the same machine runs behind TLS and in memory.

use std::collections::BTreeMap;

use engine::payoff::Settlement;
use engine::units::{Ns, Px, Qty};

/// A WebSocket of a client, numbered by the front.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientId(pub u64);

/// An HTTP request, whole.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET` and its kin.
    pub method: &'a str,
    /// The path without the query, from its slash.
    pub path: &'a str,
    /// What follows the question mark, without it; empty where there is none.
    pub query: &'a str,
    /// Names as they were sent, and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// A header's value; names are compared without case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// An HTTP answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers beside length and connection.
    pub headers: Vec<(&'static str, String)>,
    /// `application/json` unless it says otherwise.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A JSON answer.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply { status, headers: Vec::new(), content_type: "application/json", body: body.into() }
    }
}

/// What goes out to WebSockets, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Push {
    /// A text frame.
    Text(ClientId, String),
    /// A ping with a body.
    Ping(ClientId, Vec<u8>),
    /// The venue hangs up.
    Close(ClientId),
}

/// Gathers what goes out.
#[derive(Clone, Default, Debug)]
pub struct Outbox {
    /// In the order of sending.
    pub pushes: Vec<Push>,
}

impl Outbox {
    /// A text frame to a client.
    pub fn text(&mut self, client: ClientId, text: impl Into<String>) {
        self.pushes.push(Push::Text(client, text.into()));
    }
}

/// Which side of the YES book.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// Bids for YES.
    Bid,
    /// Asks of YES.
    Ask,
}

/// What an operator, or a chain, may do to a venue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Upset {
    /// The matching engine restarts (polymarket.md section 9).
    Restart,
    /// The next trade that is matched fails to settle (polymarket.md section 3).
    FailSettlement,
    /// Trading stops everywhere, or goes on (kalshi.md section 8).
    PauseAll(bool),
    /// The next order that is filled whole is filled beyond what it asked for.
    OverFill,
}

/// What an account has, and how much it did: its ledger without the history, which costs no more
/// after a day than after a minute.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Standing {
    /// All its money; micro-dollars.
    pub cash: i64,
    /// What it holds, by ticker in 1e-2 contracts with NO below zero, or by token in 1e-6 shares.
    pub held: BTreeMap<String, i64>,
    /// Orders that came into being.
    pub orders: u64,
    /// Fills that did not fail, and what was charged for them; micro-dollars.
    pub fills: u64,
    /// See `fills`.
    pub fees: i64,
    /// Fills that failed.
    pub failed: u64,
    /// The most orders that one id of the client's got.
    pub orders_of_an_id: u64,
    /// Signed headers that came more than once.
    pub reused_headers: u64,
    /// Orders that were filled beyond what they asked for, by a fault.
    pub overfilled: u64,
}

/// A venue. `now` is Unix nanoseconds; it never steps back. Markets are numbered as in the
/// universe.
pub trait Venue {
    /// Answers a request.
    fn request(&mut self, now: Ns, request: &Request<'_>, out: &mut Outbox) -> Reply;

    /// A client asks for a WebSocket; the answer refuses it. What `out` gets follows the upgrade.
    ///
    /// # Errors
    /// The answer to send in place of the upgrade.
    fn open(
        &mut self,
        now: Ns,
        client: ClientId,
        request: &Request<'_>,
        out: &mut Outbox,
    ) -> Result<(), Reply>;

    /// A client's text frame.
    fn text(&mut self, now: Ns, client: ClientId, text: &str, out: &mut Outbox);

    /// A client is gone.
    fn closed(&mut self, client: ClientId);

    /// Does what is due.
    fn tick(&mut self, now: Ns, out: &mut Outbox);

    /// When something is due next.
    fn next_due(&self) -> Option<Ns>;

    /// The market's makers want `qty` to rest at YES price `px`, in place of what they have there.
    /// What crosses orders of accounts trades with them first. An impossible price is ignored.
    fn quote(&mut self, now: Ns, market: usize, side: Side, px: Px, qty: Qty, out: &mut Outbox);

    /// What rests of the makers at that YES price.
    fn quoted(&self, market: usize, side: Side, px: Px) -> Qty;

    /// Trading in a market stops or goes on.
    fn pause(&mut self, now: Ns, market: usize, paused: bool, out: &mut Outbox);

    /// A market that was withheld so far is listed and announced; false where it is listed already.
    fn list(&mut self, _now: Ns, _market: usize, _out: &mut Outbox) -> bool {
        false
    }

    /// The market's prices become tenths of a cent while it trades; false where they are already.
    fn refine(&mut self, _now: Ns, _market: usize, _out: &mut Outbox) -> bool {
        false
    }

    /// Another fee for all markets of a market's event: its type and multiplier in millionths;
    /// `None` brings the series' back. False where the venue tells of no such change.
    fn set_fee(
        &mut self,
        _now: Ns,
        _market: usize,
        _fee: Option<(&str, u32)>,
        _out: &mut Outbox,
    ) -> bool {
        false
    }

    /// Trading in a market ends before its time, and before anybody knows how the market ends: no
    /// order rests beyond it. False where it has ended already.
    fn close(&mut self, _now: Ns, _market: usize, _out: &mut Outbox) -> bool {
        false
    }

    /// It is known how the market ends: it pays, and takes no more orders. `settlement` is that of
    /// the venue's own market (Polymarket: YES is the first token).
    fn settle(&mut self, now: Ns, market: usize, settlement: Settlement, out: &mut Outbox);

    /// Something that only some venues know; false where this one does not.
    fn upset(&mut self, _now: Ns, _what: Upset, _out: &mut Outbox) -> bool {
        false
    }

    /// What was ordered of it and has not struck yet never will.
    fn heal(&mut self) {}

    /// The truth about every account: cash, positions, every order with its fills and fees. Money
    /// in micro-dollars, shares in 1e-6. Its form is documented where it is written.
    fn ledger(&self) -> serde_json::Value;

    /// How an account stands, by its number; `None` where there is none.
    fn standing(&self, account: usize) -> Option<Standing>;

    /// Another number whenever an order came, or a fill was made or undone.
    fn moves(&self) -> u64;

    /// An account's orders as the ledger has them, in the order of coming, without the first
    /// `from`.
    fn orders(&self, account: usize, from: usize) -> Vec<serde_json::Value>;
}
