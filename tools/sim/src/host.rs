//! What stands behind a front: answers requests of its sites, and says what to send and what to
//! break. It knows no socket, so that it also runs in memory with a clock that jumps.

use engine::units::Ns;

use crate::venue::{ClientId, Outbox, Reply, Request};

/// A listener's number: each venue has its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SiteId(pub usize);

/// How a connection is spoilt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Break {
    /// Closed in order, without a word of the protocol above.
    Drop,
    /// Reset.
    Reset,
    /// Reset when half of the next frame is out.
    ResetMidFrame,
    /// Nothing is read or written until then; Unix nanoseconds.
    Stall(Ns),
    /// Nothing is ever read or written again.
    Silence,
}

/// An answer and how it travels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// What the client gets.
    pub reply: Reply,
    /// When it is sent; Unix nanoseconds. The past is at once.
    pub at: Ns,
    /// Instead of the answer, this happens to the connection.
    pub lost: Option<Break>,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Answer {
        Answer { reply, at: Ns(0), lost: None }
    }
}

/// What a call leaves to be done on the sockets.
#[derive(Clone, Default, Debug)]
pub struct Effects {
    /// To WebSockets, in order.
    pub outbox: Outbox,
    /// Then these connections are spoilt.
    pub breaks: Vec<(ClientId, Break)>,
}

/// What stands behind a front. `now` is Unix nanoseconds and never steps back; every client has
/// a number that no other client of any site ever had.
pub trait Host {
    /// Answers a request.
    fn request(
        &mut self,
        now: Ns,
        site: SiteId,
        request: &Request<'_>,
        effects: &mut Effects,
    ) -> Answer;

    /// A client asks for a WebSocket.
    ///
    /// # Errors
    /// The answer to send in place of the upgrade.
    fn open(
        &mut self,
        now: Ns,
        site: SiteId,
        client: ClientId,
        request: &Request<'_>,
        effects: &mut Effects,
    ) -> Result<(), Answer>;

    /// A client's text frame.
    fn text(&mut self, now: Ns, site: SiteId, client: ClientId, text: &str, effects: &mut Effects);

    /// A WebSocket is gone.
    fn closed(&mut self, site: SiteId, client: ClientId);

    /// Does what is due.
    fn tick(&mut self, now: Ns, effects: &mut Effects);

    /// When something is due next; Unix nanoseconds.
    fn next_due(&self) -> Option<Ns>;
}
