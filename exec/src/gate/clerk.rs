//! What is particular to a venue at its gate: how orders, questions and logins are written, what
//! they cost, and what the answers say.

use engine::event::{Bundle, Control, Leg, Reject};
use engine::fee::FillFees;
use engine::pair::Listing;
use engine::tile::Now;
use engine::top::MarketId;
use engine::units::{Ns, Venue};

use crate::answer::{Answer, CancelAnswer};
use crate::gate::orders::{Order, Question};
use crate::http::reply::Head;
use crate::id::Id;
use crate::journal::durable::Cover;
use crate::private::{Page, PrivateEvent};

/// An order whose request was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Made {
    /// Our own id of it.
    pub client: Id,
    /// The venue's id of it, where that is known beforehand.
    pub venue: Option<Id>,
    /// Its signature lay ready.
    pub ahead: bool,
    /// What of the journal covers it already.
    pub cover: Cover,
}

/// A venue's rules at its gate. Nothing here does input or output; requests are whole HTTP/1.1
/// bytes that replace `out`. `false` and `None` say that it cannot be done now: no tokens, no
/// stamps.
pub trait Clerk {
    /// Thread name and metric prefix of the gate.
    const NAME: &'static str;
    /// Whose gate.
    const VENUE: Venue;

    /// Whether a leg is an order that the venue could take.
    fn admit(&self, leg: &Leg) -> Result<(), Reject>;

    /// Takes what an order of this leg costs.
    fn take_tokens(&mut self, leg: &Leg, now: Ns) -> bool;

    /// Puts it back: the order did not leave.
    fn give_back(&mut self, leg: &Leg);

    /// Writes the request of an order.
    fn order(
        &mut self,
        bundle: &Bundle,
        leg: usize,
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<Made, Reject>;

    /// How the fees of a leg's fills are computed where the venue does not tell them.
    fn fees(&self, leg: &Leg) -> FillFees;

    /// What an order needs to know of a market.
    type Terms;

    /// A market came: orders for it may follow.
    fn market(&mut self, market: MarketId, terms: Self::Terms);

    /// A market is gone: its number may become another one's.
    fn forget(&mut self, market: MarketId);

    /// A pair joined: its market's fee, unless one is known already.
    fn join(&mut self, listing: &Listing);

    /// A rule of one of its markets changed.
    fn rule(&mut self, rule: &Control);

    /// Reads the answer to an order.
    fn answer(&mut self, head: Head, body: &[u8], order: &Order, now: Ns) -> Answer;

    /// Writes a question about an order; `Ok(false)` for one that makes no sense yet, and an
    /// error where it must wait.
    fn ask(
        &mut self,
        question: Question,
        order: &Order,
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<bool, NotNow>;

    /// Reads the answer to a question about the order that is ours under that id.
    fn hear(
        &mut self,
        question: Question,
        client: Id,
        reply: (Head, &[u8]),
        tell: &mut dyn FnMut(PrivateEvent),
    ) -> Page;

    /// Writes the cancel of an order, if its id is known.
    fn cancel(&mut self, order: &Order, now: Now, out: &mut Vec<u8>) -> bool;

    /// Reads the answer to a cancel.
    fn cancelled(&mut self, head: Head, body: &[u8], order: &Order) -> CancelAnswer;

    /// Writes the cancel of all orders of the account, whoever sent them.
    fn sweep(&mut self, now: Now, out: &mut Vec<u8>) -> bool;

    /// Whether the answer says that they are cancelled.
    fn swept(&mut self, head: Head) -> bool {
        matches!(head.status, 200..=204)
    }

    /// True where the next order would find what a request must carry; `wall` is Unix time. A leg
    /// without it would stay while the other venue's leaves.
    fn has_stamp(&self, _wall: Ns) -> bool {
        true
    }

    /// True where the venue itself cancels what rests, or stops what runs away, without us. Until
    /// then, and from when it is lost, no order leaves.
    fn is_guarded(&self, _now: Ns) -> bool {
        true
    }

    /// True once for each time that the venue stopped us.
    fn take_stop(&mut self) -> bool {
        false
    }

    /// A person says that trading may go on.
    fn arm(&mut self) {}

    /// Writes a question whose answer tells whether orders are taken; where the venue is `doubted` to
    /// know us, whether it does.
    fn probe(&mut self, doubted: bool, now: Now, out: &mut Vec<u8>) -> bool;

    /// Whether the answer to a probe says so.
    fn passes(&mut self, doubted: bool, head: Head, body: &[u8]) -> bool;

    /// Writes a cheap request that keeps a connection warm.
    fn warm(&mut self, now: Now, out: &mut Vec<u8>) -> bool;

    /// Writes a request that is due by the clock alone, if one is.
    fn chore(&mut self, _now: Now, _out: &mut Vec<u8>) -> bool {
        false
    }

    /// Reads the answer to a chore; `None` where it was lost.
    fn chore_done(&mut self, _reply: Option<(Head, &[u8])>) {}

    /// Does what can wait until nothing else is to be done; says how much that was.
    fn idle(&mut self, _now: Now) -> usize {
        0
    }

    /// Writes the header lines of the private channel's upgrade.
    fn login(&mut self, now: Now, lines: &mut Vec<u8>) -> bool;

    /// Writes the first frame of the private channel. It may hold a secret.
    fn greet(&mut self, frame: &mut Vec<u8>);

    /// The text frame that the venue wants to hear every so often, and which asks for a sign of
    /// life.
    fn heartbeat(&self) -> Option<&'static str> {
        None
    }

    /// Reads a frame of the private channel; false where it cannot be read.
    fn frame(&mut self, frame: &[u8], tell: &mut dyn FnMut(PrivateEvent)) -> bool;
}

/// It must wait: no tokens, or no stamp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotNow;
