//! Makes orders of Polymarket ready: leg -> signed order -> the whole bytes of its request.
//! Used ahead of need by the signer tile, and on the spot by the gate where nothing lies ready.

use core::fmt;

use engine::event::Leg;
use engine::units::Ns;
use zeroize::Zeroizing;

use crate::action::Action;
use crate::armed::{ArmedOrder, LegKey, SECONDS, STAMP_LEN};
use crate::polymarket::{OrderType, PolymarketIntent, Refused};
use crate::sign::l2::{HMAC_TEXT_LEN, L2Signer, NAMES};
use crate::sign::order::Placement;
use crate::sign::polymarket::{NotSigned, PolymarketSigner};
use crate::sign::rng::SignerRng;
use crate::sign::text::{Digits, Text};
use crate::terms::PolymarketTerms;

/// Path of `POST` that creates an order (polymarket.md section 5.4).
pub const ORDER_PATH: &str = "/order";

/// Longest host name.
pub const HOST_LEN_MAX: usize = 253;
/// Longest user agent.
pub const USER_AGENT_LEN_MAX: usize = 128;

/// Room for the longest body, so that writing one allocates nothing.
const BODY_CAPACITY: usize = 2_048;

/// Why a leg was not made ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotArmed {
    /// It is no order there.
    Order(Refused),
    /// It buys and counts contracts, or sells and does not: a taker BUY there is an amount, a SELL
    /// is a number of shares.
    CountsContracts,
    /// Its budget is not its price x size.
    Budget,
    /// The signer refused.
    Signer(NotSigned),
    /// The wall clock is before 2001 or after 2286.
    Clock,
}

/// Why no armory could be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadHost {
    /// The host name cannot stand in a header.
    Host,
    /// The user agent is empty or cannot stand in a header; the venue's edge refuses some
    /// libraries' own (polymarket.md section 1).
    UserAgent,
}

/// Makes orders ready for one account.
pub struct Armory {
    orders: PolymarketSigner,
    login: L2Signer,
    rng: SignerRng,
    /// The request up to the first byte that differs; it holds the passphrase.
    head: Zeroizing<Vec<u8>>,
    body: Vec<u8>,
}

impl Armory {
    /// An armory. `login` must be of the account that `orders` signs for; `seed` feeds the salts
    /// and must never repeat between two runs of one account.
    pub fn new(
        orders: PolymarketSigner,
        login: L2Signer,
        host: &str,
        user_agent: &str,
        seed: [u8; 32],
    ) -> Result<Armory, BadHost> {
        let plain = |text: &str, max: usize| {
            !text.is_empty() && text.len() <= max && text.bytes().all(|b| matches!(b, b' '..=b'~'))
        };
        if !plain(host, HOST_LEN_MAX) || host.contains(' ') {
            return Err(BadHost::Host);
        }
        if !plain(user_agent, USER_AGENT_LEN_MAX) {
            return Err(BadHost::UserAgent);
        }
        let mut head = Zeroizing::new(Vec::with_capacity(1_024));
        for part in ["POST ", ORDER_PATH, " HTTP/1.1\r\nHost: ", host] {
            head.extend_from_slice(part.as_bytes());
        }
        for part in ["\r\nUser-Agent: ", user_agent, "\r\nContent-Type: application/json\r\n"] {
            head.extend_from_slice(part.as_bytes());
        }
        login.push_identity(&mut head);
        let body = Vec::with_capacity(BODY_CAPACITY);
        Ok(Armory { orders, login, rng: SignerRng::new(seed), head, body })
    }

    /// Makes a leg ready for this second and the next.
    pub fn arm(
        &mut self,
        leg: &Leg,
        terms: &PolymarketTerms,
        wall: Ns,
        out: &mut ArmedOrder,
    ) -> Result<(), NotArmed> {
        self.make(leg, terms, wall, SECONDS, out)
    }

    /// Makes a leg ready for this second only: for one that goes out at once.
    pub fn sign_now(
        &mut self,
        leg: &Leg,
        terms: &PolymarketTerms,
        wall: Ns,
        out: &mut ArmedOrder,
    ) -> Result<(), NotArmed> {
        self.make(leg, terms, wall, 1, out)
    }

    /// Signatures of orders, and HMACs, made so far.
    pub const fn operations(&self) -> [u64; 2] {
        [self.orders.public_key_ops(), self.login.hmacs()]
    }

    /// The signer of other private requests of the account.
    pub const fn login(&mut self) -> &mut L2Signer {
        &mut self.login
    }

    fn make(
        &mut self,
        leg: &Leg,
        terms: &PolymarketTerms,
        wall: Ns,
        seconds: usize,
        out: &mut ArmedOrder,
    ) -> Result<(), NotArmed> {
        *out = ArmedOrder { slot: out.slot, ..ArmedOrder::EMPTY };
        if leg.spends != (leg.action == Action::Buy) {
            return Err(NotArmed::CountsContracts);
        }
        let token = terms.token(leg.outcome);
        // Killed where it finds nothing: never rests.
        let kind = OrderType::Fak;
        let intent =
            PolymarketIntent::new(leg.action, token, leg.limit, leg.qty, kind, terms.tick())
                .map_err(NotArmed::Order)?;
        if i64::try_from(intent.money()) != Ok(leg.budget.e6()) {
            return Err(NotArmed::Budget);
        }
        let first_s = wall.0 / 1_000_000_000;
        if first_s.checked_ilog10() != Some(STAMP_LEN as u32 - 1) {
            return Err(NotArmed::Clock);
        }
        let order = self.orders.order(&intent, self.rng.salt(), wall.0 / 1_000_000);
        let signed = self.orders.sign(terms.exchange(), &order).map_err(NotArmed::Signer)?;
        self.body.clear();
        signed.push_body(&Placement::taker(kind), self.login.owner(), &mut self.body);
        for second in 0..seconds {
            let stamp = first_s + second as u64;
            out.stamps[second].copy_from_slice(Digits::of(stamp).as_bytes());
            out.hmacs[second] = self.login.hmac(stamp, "POST", ORDER_PATH, &self.body);
        }
        let request = &mut out.request;
        *request = Text::EMPTY;
        request.push(&self.head);
        let mut place = |name: &str, value: &[u8]| {
            let at = request.as_bytes().len() + name.len() + ": ".len();
            request.push_line(name, value);
            at as u16
        };
        out.hmac_at = place(NAMES[1], &[b'='; HMAC_TEXT_LEN]);
        out.stamp_at = place(NAMES[2], &[b'0'; STAMP_LEN]);
        request.push_line("Content-Length", Digits::of(self.body.len() as u64).as_bytes());
        request.push(b"\r\n");
        request.push(&self.body);
        out.key = Some(LegKey::of(leg));
        out.token = Some(token);
        out.id = signed.id;
        out.made = wall;
        out.first_s = first_s;
        out.seconds = seconds as u8;
        Ok(())
    }
}

impl fmt::Display for NotArmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotArmed::Order(refused) => fmt::Display::fmt(refused, f),
            NotArmed::CountsContracts => {
                f.write_str("a taker BUY there is an amount to spend, a SELL a number of shares")
            }
            NotArmed::Budget => f.write_str("the budget is not price x size"),
            NotArmed::Signer(refused) => fmt::Display::fmt(refused, f),
            NotArmed::Clock => f.write_str("the wall clock is wrong"),
        }
    }
}

impl core::error::Error for NotArmed {}

impl fmt::Display for BadHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadHost::Host => "the host name is empty, too long or cannot stand in a header",
            BadHost::UserAgent => "the user agent is empty, too long or cannot stand in a header",
        })
    }
}

impl core::error::Error for BadHost {}
