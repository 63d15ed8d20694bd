//! Polymarket's clerk: fill-and-kill orders whose id is known before they leave, armed ahead.

use std::sync::Arc;

use engine::budget::{Budget, OrderBudgets};
use engine::event::{Bundle, Control, Leg, Reject};
use engine::fee::FillFees;
use engine::pair::{FeeRule, Listing};
use engine::tile::Now;
use engine::top::MarketId;
use engine::units::{Ns, Usd, Venue};
use feeds::json::Parser;

use crate::action::Action;
use crate::answer::{self, Answer, CancelAnswer};
use crate::armed::{ArmedBook, ArmedFigures, ArmedOrder, LegKey};
use crate::armory::Armory;
use crate::gate::clerk::{Clerk, Made, NotNow};
use crate::gate::orders::{Order, Question};
use crate::http::reply::Head;
use crate::id::Id;
use crate::journal::durable::Cover;
use crate::polymarket::{OrderType, PolymarketIntent};
use crate::private::{self, Page, PrivateEvent};
use crate::report::{Fate, RejectCode};
use crate::request::{Origin, polymarket as request};
use crate::sign::order::{OrderId, write_cancel};
use crate::terms::{PolymarketTerms, TermsTable};

/// Private reads a second; the edge allows 500 in ten seconds (polymarket.md section 9).
const READS: u32 = 20;
/// Armed orders taken over from the signer in one idle step.
const REFRESH_MAX: usize = 4;
/// How often a heartbeat is sent (polymarket.md section 5.5).
const HEARTBEAT_EVERY: Ns = Ns::from_ms(5_000);
/// One that failed is sent again after this long.
const HEARTBEAT_AGAIN: Ns = Ns::from_ms(500);
/// The venue waits for the next one this long, and some time more that nobody should count on.
const HEARTBEAT_SPAN: Ns = Ns::from_ms(10_000);

/// What the account's tier allows (polymarket.md section 9).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PolymarketLimits {
    /// Orders a second.
    pub order_rate: u32,
    /// Orders at once.
    pub order_burst: u32,
    /// Cancels a second.
    pub cancel_rate: u32,
    /// Cancels at once.
    pub cancel_burst: u32,
}

/// An account on Polymarket and the markets it trades.
pub struct PolymarketAccount {
    /// Signs what is not armed.
    pub armory: Armory,
    /// Orders that lie ready.
    pub armed: ArmedBook,
    /// Where requests go; the armory's own host.
    pub origin: Origin,
    /// Tokens, exchange and tick of each market.
    pub terms: TermsTable<PolymarketTerms>,
    /// Fees of each market: a trade does not tell its own.
    pub fees: TermsTable<FeeRule>,
    /// Tier.
    pub limits: PolymarketLimits,
    /// Sends the order-safety heartbeat: the venue cancels all orders of these credentials when
    /// it stops. Orders of a gate never rest, so this protects only orders made elsewhere with
    /// the same credentials, and cancels those when the gate ends.
    pub heartbeat: bool,
}

/// The heartbeat's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Heartbeat {
    last: Option<Id>,
    due: Ns,
    /// When the one under way was sent.
    sent: Ns,
    /// The venue waits at least until then; `None` before the first.
    until: Option<Ns>,
}

/// Writes to and reads from Polymarket.
pub struct PolymarketClerk {
    account: PolymarketAccount,
    orders: Arc<OrderBudgets>,
    cancels: Budget,
    reads: Budget,
    parser: Parser,
    scratch: Box<ArmedOrder>,
    body: Vec<u8>,
    path: String,
    /// A pong proves that the frame before it, our login, was read.
    greeted: bool,
    beat: Heartbeat,
}

impl PolymarketClerk {
    /// A clerk whose budgets are full.
    pub fn new(account: PolymarketAccount) -> PolymarketClerk {
        let PolymarketLimits { order_rate, order_burst, cancel_rate, cancel_burst } =
            account.limits;
        PolymarketClerk {
            account,
            orders: Arc::new(OrderBudgets::new(
                vec![Budget::new(order_rate, order_burst, 0)],
                Vec::new(),
                1,
            )),
            cancels: Budget::new(cancel_rate, cancel_burst, 0),
            reads: Budget::new(READS, READS, 0),
            parser: Parser::new(),
            scratch: Box::new(ArmedOrder::EMPTY),
            body: Vec::with_capacity(1_024),
            path: String::with_capacity(256),
            greeted: false,
            beat: Heartbeat::default(),
        }
    }

    /// What the venue lets us send: for whoever takes tokens before a bundle comes here.
    pub fn budgets(&self) -> Arc<OrderBudgets> {
        Arc::clone(&self.orders)
    }

    /// What became of armed orders.
    pub const fn armed(&self) -> ArmedFigures {
        self.account.armed.figures()
    }

    /// Signatures of orders, and HMACs, made on the spot.
    pub const fn operations(&self) -> [u64; 2] {
        self.account.armory.operations()
    }

    /// Writes a request with `self.path` and `self.body`, authenticated.
    fn sign_and_write(&mut self, method: &str, now: Now, out: &mut Vec<u8>) {
        let seconds = now.wall.0 / 1_000_000_000;
        let header = self.account.armory.login().sign(seconds, method, &self.path, &self.body);
        self.account.origin.write(method, &self.path, header.as_bytes(), &self.body, out);
    }

    fn cancel_id(&mut self, id: OrderId, now: Now, out: &mut Vec<u8>) -> bool {
        if !self.cancels.take(1, now.mono) {
            return false;
        }
        write_cancel(id, &mut self.body);
        self.path.clear();
        self.path.push_str(request::ORDER_PATH);
        self.sign_and_write("DELETE", now, out);
        true
    }
}

impl Clerk for PolymarketClerk {
    const NAME: &'static str = "polymarket_gate";
    const VENUE: Venue = Venue::Polymarket;

    fn admit(&self, leg: &Leg) -> Result<(), Reject> {
        let terms = self.account.terms.get(leg.market).ok_or(Reject::Malformed)?;
        let token = terms.token(leg.outcome);
        let kind = OrderType::Fak;
        let intent =
            PolymarketIntent::new(leg.action, token, leg.limit, leg.qty, kind, terms.tick());
        let money = intent.ok().and_then(|intent| i64::try_from(intent.money()).ok());
        // A taker BUY there is an amount, a SELL is a number of shares.
        let says_so = leg.spends == (leg.action == Action::Buy);
        let is_order = says_so && money == Some(leg.budget.e6());
        if is_order { Ok(()) } else { Err(Reject::Malformed) }
    }

    fn take_tokens(&mut self, leg: &Leg, now: Ns) -> bool {
        self.orders.take(leg.market, now)
    }

    fn give_back(&mut self, leg: &Leg) {
        self.orders.give_back(leg.market);
    }

    fn order(
        &mut self,
        bundle: &Bundle,
        leg: usize,
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<Made, Reject> {
        let it = &bundle.legs[leg];
        out.clear();
        if let Some(fired) = self.account.armed.take(&LegKey::of(it), now.wall) {
            out.extend_from_slice(fired.request);
            let (id, cover) = (Id::hash(&fired.id.0), fired.cover);
            return Ok(Made { client: id, venue: Some(id), ahead: true, cover });
        }
        let terms = self.account.terms.get(it.market).ok_or(Reject::Malformed)?;
        self.account
            .armory
            .sign_now(it, terms, now.wall, &mut self.scratch)
            .map_err(|_| Reject::Malformed)?;
        let id = Id::hash(&self.scratch.id().0);
        out.extend_from_slice(self.scratch.request(now.wall).ok_or(Reject::Malformed)?);
        Ok(Made { client: id, venue: Some(id), ahead: false, cover: Cover::Nothing })
    }

    fn fees(&self, leg: &Leg) -> FillFees {
        let rule = self.account.fees.get(leg.market).copied().unwrap_or(FeeRule::Unknown);
        // Curve fees know no balance grid.
        FillFees::new(rule, Usd::new(1))
    }

    type Terms = PolymarketTerms;

    fn market(&mut self, market: MarketId, terms: PolymarketTerms) {
        // A market of the other venue is no market of this gate: it stays without terms.
        let _ = self.account.terms.set(market, terms);
    }

    fn forget(&mut self, market: MarketId) {
        self.account.terms.clear(market);
        self.account.fees.clear(market);
        self.account.armed.forget(market);
    }

    fn join(&mut self, listing: &Listing) {
        let side = &listing.sides[1];
        self.account.fees.set_first(side.market, side.fee);
    }

    fn rule(&mut self, rule: &Control) {
        self.account.terms.rule(rule);
        if let Control::Fee { market, fee: Some(fee) } = *rule
            && let Some(rule) = self.account.fees.get_mut(market)
        {
            *rule = fee;
        }
    }

    fn answer(&mut self, head: Head, body: &[u8], order: &Order, now: Ns) -> Answer {
        let answer = answer::polymarket::order(&mut self.parser, head, body, order.client);
        if answer.fate == (Fate::Rejected { code: RejectCode::RateLimit }) {
            self.orders.of(order.market).empty(now);
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
        let token = terms.token(order.outcome());
        if !self.reads.take(1, now.mono) {
            return Err(NotNow);
        }
        match question {
            Question::Order => request::order_path(order.client, &mut self.path),
            Question::Fills => request::trades_path(token, order.sent.wall, &mut self.path),
        }
        self.body.clear();
        self.sign_and_write("GET", now, out);
        Ok(true)
    }

    fn hear(
        &mut self,
        question: Question,
        client: Id,
        (head, body): (Head, &[u8]),
        tell: &mut dyn FnMut(PrivateEvent),
    ) -> Page {
        match (question, head.status) {
            (Question::Order, 200) => {
                match private::polymarket::order(&mut self.parser, body, client) {
                    Ok(Some(order)) => tell(PrivateEvent::Order(order)),
                    Ok(None) => {}
                    Err(private::polymarket::NoSuchAnswer) => return Page::Unreadable,
                }
                Page::Whole
            }
            (Question::Order, 404) if private::polymarket::is_unknown(&mut self.parser, body) => {
                Page::Whole
            }
            (Question::Fills, 200) => {
                private::polymarket::trades(&mut self.parser, body, &mut |fill| {
                    tell(PrivateEvent::Fill(fill));
                })
            }
            _ => Page::Unreadable,
        }
    }

    fn cancel(&mut self, order: &Order, now: Now, out: &mut Vec<u8>) -> bool {
        let id = OrderId::parse(order.client.as_str());
        id.is_some_and(|id| self.cancel_id(id, now, out))
    }

    fn cancelled(&mut self, head: Head, body: &[u8], order: &Order) -> CancelAnswer {
        answer::polymarket::cancel(&mut self.parser, head, body, order.client)
    }

    fn sweep(&mut self, now: Now, out: &mut Vec<u8>) -> bool {
        if !self.cancels.take(1, now.mono) {
            return false;
        }
        self.body.clear();
        self.path.clear();
        self.path.push_str(request::CANCEL_ALL_PATH);
        self.sign_and_write("DELETE", now, out);
        true
    }

    fn is_guarded(&self, now: Ns) -> bool {
        !self.account.heartbeat || self.beat.until.is_some_and(|until| now < until)
    }

    /// Cancels an order that never was: order requests answer 425 while the venue restarts, and
    /// cancels work in every other mode (polymarket.md section 9).
    /// A cancel of what never was proves who asks, too.
    fn probe(&mut self, _doubted: bool, now: Now, out: &mut Vec<u8>) -> bool {
        self.cancel_id(OrderId([0; 32]), now, out)
    }

    fn passes(&mut self, _doubted: bool, head: Head, _body: &[u8]) -> bool {
        // Whatever it says of that order, the request was let in and understood.
        matches!(head.status, 200 | 400 | 404)
    }

    fn warm(&mut self, _now: Now, out: &mut Vec<u8>) -> bool {
        self.account.origin.write("GET", request::TIME_PATH, b"", b"", out);
        true
    }

    fn chore(&mut self, now: Now, out: &mut Vec<u8>) -> bool {
        if !self.account.heartbeat || now.mono < self.beat.due {
            return false;
        }
        self.beat.due = now.mono.after(HEARTBEAT_EVERY);
        self.beat.sent = now.mono;
        request::heartbeat(self.beat.last, &mut self.body);
        self.path.clear();
        self.path.push_str(request::HEARTBEAT_PATH);
        self.sign_and_write("POST", now, out);
        true
    }

    fn chore_done(&mut self, reply: Option<(Head, &[u8])>) {
        if let Some((head, body)) = reply {
            let told = answer::polymarket::heartbeat(&mut self.parser, head, body);
            self.beat.last = told.or(self.beat.last);
            if told.is_some() && head.status == 200 {
                self.beat.until = Some(self.beat.sent.after(HEARTBEAT_SPAN));
                return;
            }
        }
        // It named another id, or was lost: at once again, and then ever so often.
        self.beat.due = self.beat.sent.after(HEARTBEAT_AGAIN);
    }

    /// Takes over what the signer made ready.
    fn idle(&mut self, _now: Now) -> usize {
        let terms = &self.account.terms;
        self.account.armed.refresh_if(REFRESH_MAX, |key, token| {
            terms.get(key.market).is_some_and(|terms| terms.token(key.outcome) == token)
        })
    }

    fn login(&mut self, _now: Now, _lines: &mut Vec<u8>) -> bool {
        true
    }

    fn greet(&mut self, frame: &mut Vec<u8>) {
        self.greeted = false;
        frame.extend_from_slice(b"{\"type\":\"user\",\"auth\":");
        self.account.armory.login().push_channel_auth(frame);
        frame.extend_from_slice(b",\"markets\":[]}");
    }

    fn heartbeat(&self) -> Option<&'static str> {
        Some("PING")
    }

    fn frame(&mut self, frame: &[u8], tell: &mut dyn FnMut(PrivateEvent)) -> bool {
        if frame == b"PONG" {
            if !self.greeted {
                self.greeted = true;
                tell(PrivateEvent::Subscribed);
            }
            return true;
        }
        private::polymarket::frame(&mut self.parser, frame, &mut |event| tell(event))
    }
}
