//! Kalshi's clerk: immediate-or-cancel orders under ids of our own, headers signed ahead.

use std::sync::Arc;

use engine::budget::{Budget, OrderBudgets};
use engine::event::{Bundle, Control, Leg, Reject};
use engine::fee::FillFees;
use engine::pair::{FeeRule, Listing};
use engine::tile::Now;
use engine::top::MarketId;
use engine::units::{Ns, Qty, Usd, Venue};
use feeds::json::Parser;

use crate::action::Action;
use crate::answer::{self, Answer, CancelAnswer};
use crate::gate::clerk::{Clerk, Made, NotNow};
use crate::gate::groups::Groups;
use crate::gate::orders::{Order, Question};
use crate::http::reply::Head;
use crate::id::Id;
use crate::journal::durable::Cover;
use crate::kalshi::{KalshiIntent, Tif};
use crate::private::kalshi::{KalshiPrivate, SUBSCRIBE};
use crate::private::{self, Page, PositionNews, PrivateEvent};
use crate::report::{Fate, RejectCode};
use crate::request::{Origin, kalshi as request};
use crate::sign::kalshi::{KalshiSigner, ORDERS_PATH};
use crate::sign::pool::{HeaderPool, PoolFigures};
use crate::terms::{KalshiTerms, TermsTable};

/// Tokens of a create, an amend, a decrease and most other requests (kalshi.md section 5).
const COST: u32 = 10;
/// Tokens of a cancel.
const CANCEL_COST: u32 = 2;
/// Shards with a write bucket of their own; an index beyond shares the last one.
const SHARDS: usize = 8;
/// Write tokens that only cancels may take: ten of them.
const RESERVE: u32 = 10 * CANCEL_COST;
/// Markets whose positions are kept.
const POSITIONS_MAX: usize = 1_024;
/// Longest request.
const REQUEST_CAPACITY: usize = 4_096;

/// What the account's tier allows: `GET /account/limits` (kalshi.md section 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KalshiLimits {
    /// Write tokens a second.
    pub write_rate: u32,
    /// Write tokens at once: three seconds of them above Basic.
    pub write_capacity: u32,
    /// Read tokens a second.
    pub read_rate: u32,
    /// Read tokens at once.
    pub read_capacity: u32,
}

/// An account on Kalshi and the markets it trades.
pub struct KalshiAccount {
    /// Signs what is not signed ahead.
    pub signer: KalshiSigner,
    /// Headers signed ahead.
    pub headers: HeaderPool,
    /// Where requests go.
    pub origin: Origin,
    /// Ticker, shard and grid of each market.
    pub terms: TermsTable<KalshiTerms>,
    /// Fees of each market; used where a fill does not tell its own.
    pub fees: TermsTable<FeeRule>,
    /// The account's balance grid (kalshi.md section 6).
    pub balance_grid: Usd,
    /// Tier.
    pub limits: KalshiLimits,
    /// Number of this run, of which 60 bits count: with bundle and leg it makes the ids of
    /// orders, so it must never repeat for an account.
    pub run: u64,
}

/// Writes to and reads from Kalshi.
pub struct KalshiClerk {
    account: KalshiAccount,
    writes: Arc<OrderBudgets>,
    reads: Budget,
    parser: Parser,
    private: KalshiPrivate,
    body: Vec<u8>,
    path: String,
    positions: Vec<PositionNews>,
    /// The shard whose answers said last that no orders are taken.
    closed_shard: u32,
    groups: Option<Groups>,
}

impl KalshiClerk {
    /// A clerk whose budgets are full.
    pub fn new(account: KalshiAccount) -> KalshiClerk {
        let KalshiLimits { write_rate, write_capacity, read_rate, read_capacity } = account.limits;
        let shards = (0..SHARDS).map(|_| Budget::new(write_rate, write_capacity, RESERVE));
        let of = account.terms.rows().map(|terms| terms.map_or(0, shard)).collect();
        let writes = Arc::new(OrderBudgets::new(shards.collect(), of, COST));
        KalshiClerk {
            account,
            writes,
            reads: Budget::new(read_rate, read_capacity, 0),
            parser: Parser::new(),
            private: KalshiPrivate::default(),
            body: Vec::with_capacity(REQUEST_CAPACITY),
            path: String::with_capacity(256),
            positions: Vec::with_capacity(POSITIONS_MAX),
            closed_shard: 0,
            groups: None,
        }
    }

    /// Sends every order in an order group of its shard, in which no more than so many contracts
    /// fill in fifteen seconds, and has it cancelled when trading pauses. No order leaves before
    /// the groups are there.
    #[must_use]
    pub fn with_groups(mut self, contracts: Qty) -> KalshiClerk {
        let used = self.account.terms.iter().map(|terms| terms.exchange_index);
        self.groups = Some(Groups::new(contracts, SHARDS, used));
        self
    }

    /// The group that a market's orders go into; an error where it is not there.
    fn group_of(&self, market: MarketId) -> Result<Option<Id>, Reject> {
        let Some(groups) = &self.groups else { return Ok(None) };
        groups.open(self.shard_of(market)).map(Some).ok_or(Reject::Shut)
    }

    /// What became of the headers signed ahead.
    pub const fn headers(&self) -> PoolFigures {
        self.account.headers.figures()
    }

    /// What the venue said that we hold, each market once: to compare with our own books.
    pub fn positions(&self) -> &[PositionNews] {
        &self.positions
    }

    /// Signatures made on the spot.
    pub const fn public_key_ops(&self) -> u64 {
        self.account.signer.public_key_ops()
    }

    /// The id of an order: a UUID (RFC 9562, version 8) of run, bundle and leg, so that no two
    /// orders ever have the same and each tells where it came from.
    pub fn client_order_id(run: u64, bundle: u64, leg: usize) -> u128 {
        let run = u128::from(run & ((1 << 60) - 1));
        let rest = u128::from(bundle & ((1 << 54) - 1)) << 8 | (leg as u128 & 0xff);
        (run >> 12) << 80 | 0x8 << 76 | (run & 0xfff) << 64 | 0b10 << 62 | rest
    }

    /// Bundle and leg of an id that [`KalshiClerk::client_order_id`] made for this run.
    pub fn order_of(run: u64, id: &Id) -> Option<(u64, u8)> {
        let digits: String = id.as_str().chars().filter(|c| *c != '-').collect();
        let number = u128::from_str_radix(&digits, 16).ok()?;
        let (bundle, leg) = ((number >> 8) as u64 & ((1 << 54) - 1), number as u8);
        let made = KalshiClerk::client_order_id(run, bundle, usize::from(leg));
        (Id::uuid(made) == *id).then_some((bundle, leg))
    }

    fn shard_of(&self, market: MarketId) -> u32 {
        self.account.terms.get(market).map_or(0, |terms| terms.exchange_index)
    }

    /// What the venue lets us write: for whoever takes tokens before a bundle comes here.
    pub fn budgets(&self) -> Arc<OrderBudgets> {
        Arc::clone(&self.writes)
    }

    /// Writes a request with `self.path`, signed on the spot.
    fn sign_and_write(&mut self, method: &str, now: Now, out: &mut Vec<u8>) -> bool {
        let Some(stamp) = self.account.headers.stamp(now.wall) else { return false };
        let header = self.account.signer.sign(stamp, method, &self.path);
        self.account.origin.write(method, &self.path, header.as_bytes(), b"", out);
        true
    }
}

impl Clerk for KalshiClerk {
    const NAME: &'static str = "kalshi_gate";
    const VENUE: Venue = Venue::Kalshi;

    fn admit(&self, leg: &Leg) -> Result<(), Reject> {
        let terms = self.account.terms.get(leg.market).ok_or(Reject::Malformed)?;
        // The price that leaves is the limit itself, so it is inside its bounds by being on the
        // grid; the money set aside must be what the order may take.
        // Nothing is sold there: opposite contracts cancel out, so buying those does it.
        let buys = leg.action == Action::Buy && !leg.spends;
        let is_order = buys && leg.budget == leg.qty.at(leg.limit);
        intent(leg, terms, 0).filter(|_| is_order).map(|_| ()).ok_or(Reject::Malformed)
    }

    fn take_tokens(&mut self, leg: &Leg, now: Ns) -> bool {
        self.writes.take(leg.market, now)
    }

    fn give_back(&mut self, leg: &Leg) {
        self.writes.give_back(leg.market);
    }

    fn order(
        &mut self,
        bundle: &Bundle,
        leg: usize,
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<Made, Reject> {
        let it = &bundle.legs[leg];
        let terms = self.account.terms.get(it.market).ok_or(Reject::Malformed)?;
        let id = KalshiClerk::client_order_id(self.account.run, bundle.id.0, leg);
        let intent = intent(it, terms, id).ok_or(Reject::Malformed)?;
        let group = self.group_of(it.market)?;
        let client = intent.write_body_in(&terms.ticker, group.as_ref(), &mut self.body);
        let before = self.account.headers.figures().hits;
        let header = self.account.headers.take_or_sign(&mut self.account.signer, now.wall);
        // Without a stamp of its own the request would be refused, or taken twice.
        let header = header.ok_or(Reject::Budget)?;
        let ahead = self.account.headers.figures().hits > before;
        self.account.origin.write("POST", ORDERS_PATH, header.as_bytes(), &self.body, out);
        let cover = Cover::Ids(bundle.id.0);
        Ok(Made { client, venue: None, ahead, cover })
    }

    fn fees(&self, leg: &Leg) -> FillFees {
        let rule = self.account.fees.get(leg.market).copied().unwrap_or(FeeRule::Unknown);
        FillFees::new(rule, self.account.balance_grid)
    }

    type Terms = KalshiTerms;

    fn market(&mut self, market: MarketId, terms: KalshiTerms) {
        self.writes.assign(market, shard(&terms));
        if let Some(groups) = &mut self.groups {
            groups.need(terms.exchange_index);
        }
        // A market of the other venue is no market of this gate: it stays without terms.
        let _ = self.account.terms.set(market, terms);
    }

    fn forget(&mut self, market: MarketId) {
        self.account.terms.clear(market);
        self.account.fees.clear(market);
    }

    fn join(&mut self, listing: &Listing) {
        let side = &listing.sides[0];
        self.account.fees.set_first(side.market, side.fee);
    }

    fn rule(&mut self, rule: &Control) {
        match *rule {
            Control::Grid { market, grid } => {
                if let Some(terms) = self.account.terms.get_mut(market) {
                    terms.grid = grid;
                }
            }
            Control::Fee { market, fee: Some(fee) } => {
                if let Some(rule) = self.account.fees.get_mut(market) {
                    *rule = fee;
                }
            }
            Control::Fee { fee: None, .. }
            | Control::Close { .. }
            | Control::Join(_)
            | Control::Retire(_)
            | Control::Vacate { .. }
            | Control::EndOfFrame => {}
        }
    }

    fn answer(&mut self, head: Head, body: &[u8], order: &Order, now: Ns) -> Answer {
        let answer = answer::kalshi::create(&mut self.parser, head, body, order.client);
        if answer.fate == (Fate::Rejected { code: RejectCode::RateLimit }) {
            self.writes.of(order.market).empty(now);
        }
        let shard = self.shard_of(order.market);
        if let Some(groups) = self.groups.as_mut().filter(|_| head.status >= 400) {
            groups.refused(shard, head.status, body);
        }
        if answer.closed.is_some() {
            self.closed_shard = self.shard_of(order.market);
        }
        answer
    }

    fn ask(
        &mut self,
        question: Question,
        order: &Order,
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<bool, NotNow> {
        let Some(terms) = self.account.terms.get(order.market) else { return Ok(false) };
        match (question, order.venue) {
            (Question::Order, _) => {
                request::orders_path(&terms.ticker, order.sent.wall, &mut self.path);
            }
            (Question::Fills, Some(venue)) => request::fills_path(venue, &mut self.path),
            (Question::Fills, None) => return Ok(false),
        }
        if !self.reads.take(COST, now.mono) || !self.sign_and_write("GET", now, out) {
            return Err(NotNow);
        }
        Ok(true)
    }

    fn hear(
        &mut self,
        question: Question,
        _client: Id,
        (head, body): (Head, &[u8]),
        tell: &mut dyn FnMut(PrivateEvent),
    ) -> Page {
        if head.status != 200 {
            return Page::Unreadable;
        }
        match question {
            Question::Order => private::kalshi::orders(&mut self.parser, body, &mut |order| {
                tell(PrivateEvent::Order(order));
            }),
            Question::Fills => private::kalshi::fills(&mut self.parser, body, &mut |fill| {
                tell(PrivateEvent::Fill(fill));
            }),
        }
    }

    fn cancel(&mut self, order: &Order, now: Now, out: &mut Vec<u8>) -> bool {
        let Some((venue, terms)) = order.venue.zip(self.account.terms.get(order.market)) else {
            return false;
        };
        request::cancel_path(venue, &terms.ticker, terms.exchange_index, &mut self.path);
        self.writes.of(order.market).take_reserved(CANCEL_COST, now.mono)
            && self.sign_and_write("DELETE", now, out)
    }

    fn cancelled(&mut self, head: Head, body: &[u8], order: &Order) -> CancelAnswer {
        let Some(venue) = order.venue else { return CancelAnswer::Failed };
        answer::kalshi::cancel(&mut self.parser, head, body, venue)
    }

    fn sweep(&mut self, now: Now, out: &mut Vec<u8>) -> bool {
        self.path.clear();
        self.path.push_str(request::ALL_ORDERS_PATH);
        self.writes.first().take_reserved(CANCEL_COST, now.mono)
            && self.sign_and_write("DELETE", now, out)
    }

    fn has_stamp(&self, wall: Ns) -> bool {
        self.account.headers.has_stamp(wall)
    }

    fn is_guarded(&self, _now: Ns) -> bool {
        self.groups.as_ref().is_none_or(Groups::stand)
    }

    fn take_stop(&mut self) -> bool {
        self.groups.as_mut().is_some_and(Groups::take_stop)
    }

    fn arm(&mut self) {
        if let Some(groups) = &mut self.groups {
            groups.arm();
        }
    }

    fn chore(&mut self, now: Now, out: &mut Vec<u8>) -> bool {
        let Some(groups) = self.groups.as_mut().filter(|groups| groups.is_due(now.mono)) else {
            return false;
        };
        if !self.writes.first().take(COST, now.mono) {
            return false;
        }
        let method = groups.ask(now.mono, &mut self.path, &mut self.body);
        let Some((method, stamp)) = method.zip(self.account.headers.stamp(now.wall)) else {
            return false;
        };
        let header = self.account.signer.sign(stamp, method, &self.path);
        self.account.origin.write(method, &self.path, header.as_bytes(), &self.body, out);
        true
    }

    fn chore_done(&mut self, reply: Option<(Head, &[u8])>) {
        let Some(groups) = &mut self.groups else { return };
        let Some((head, body)) = reply else { return };
        match head.status {
            200..=204 => groups.done(answer::kalshi::group_created(&mut self.parser, body)),
            404 => groups.missing(),
            _ => {}
        }
    }

    fn probe(&mut self, doubted: bool, now: Now, out: &mut Vec<u8>) -> bool {
        self.path.clear();
        // How the exchange does is told to anybody; what we have is not.
        self.path.push_str(if doubted { request::BALANCE_PATH } else { request::STATUS_PATH });
        self.reads.take(COST, now.mono) && self.sign_and_write("GET", now, out)
    }

    fn passes(&mut self, doubted: bool, head: Head, body: &[u8]) -> bool {
        let is_known = head.status == 200;
        if doubted {
            return is_known;
        }
        is_known && answer::kalshi::takes_orders(&mut self.parser, body, self.closed_shard)
    }

    fn warm(&mut self, now: Now, out: &mut Vec<u8>) -> bool {
        let allowed = self.reads.take(COST, now.mono);
        if allowed {
            // Anybody may ask for it.
            self.account.origin.write("GET", request::STATUS_PATH, b"", b"", out);
        }
        allowed
    }

    /// Drops headers that aged, so that the signer renews them before they are needed.
    fn idle(&mut self, now: Now) -> usize {
        self.account.headers.drop_stale(now.wall);
        0
    }

    fn login(&mut self, now: Now, lines: &mut Vec<u8>) -> bool {
        let Some(stamp) = self.account.headers.stamp(now.wall) else { return false };
        self.account.signer.login(stamp).write(lines);
        true
    }

    fn greet(&mut self, frame: &mut Vec<u8>) {
        self.private = KalshiPrivate::default();
        frame.extend_from_slice(SUBSCRIBE.as_bytes());
    }

    fn frame(&mut self, frame: &[u8], tell: &mut dyn FnMut(PrivateEvent)) -> bool {
        let (positions, groups) = (&mut self.positions, &mut self.groups);
        self.private.frame(&mut self.parser, frame, &mut |event| match event {
            PrivateEvent::Position(held) => note(positions, held),
            PrivateEvent::Stopped(id) => groups.iter_mut().for_each(|groups| groups.stopped(id)),
            PrivateEvent::Deleted(id) => groups.iter_mut().for_each(|groups| groups.deleted(id)),
            other => tell(other),
        })
    }
}

/// Keeps the last word on each market.
fn note(positions: &mut Vec<PositionNews>, held: PositionNews) {
    if let Some(before) = positions.iter_mut().find(|before| before.ticker == held.ticker) {
        *before = held;
    } else if positions.len() < POSITIONS_MAX {
        positions.push(held);
    }
}

/// A leg as an order.
/// The budget and the group of a market's orders.
fn shard(terms: &KalshiTerms) -> u8 {
    (terms.exchange_index as usize).min(SHARDS - 1) as u8
}

fn intent(leg: &Leg, terms: &KalshiTerms, id: u128) -> Option<KalshiIntent> {
    let (outcome, limit, qty) = (leg.outcome, leg.limit, leg.qty);
    let (shard, grid) = (terms.exchange_index, &terms.grid);
    KalshiIntent::new(Action::Buy, outcome, limit, qty, Tif::Ioc, false, shard, id, grid).ok()
}
