//! What takes books out of trading: connections that end, gaps, frames that cannot be read, doubt.

use engine::units::{Ns, Venue};

use super::market::{Market, crossing_of, publish};
use super::state::State;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::kalshi::sequence::Order;
use crate::market::{Trust, UNASSIGNED};
use crate::sink::{Notice, Sink};

impl State {
    pub(super) fn on_connected(&mut self, recv: Ns, sink: &mut impl Sink) {
        self.figures.resets += u64::from(self.connected);
        self.connected = true;
        self.sequences.clear();
        self.watch.clear(&mut self.markets, crossing_of);
        sink.notice(&Notice::Connected { venue: Venue::Kalshi, recv });
        self.lose_life(|_| true, recv, sink);
        for market in &mut self.markets {
            if market.standing.trust() != Trust::AwaitSnapshot {
                market.crossing.clear();
                market.standing.set(Trust::AwaitSnapshot);
                publish(market, recv, sink);
            }
        }
    }

    #[cold]
    pub(super) fn on_closed(&mut self, conn: u32, recv: Ns, sink: &mut impl Sink) {
        self.sequences.end_all_of(conn);
        let of_conn = |market: &Market| match market.conn {
            UNASSIGNED => market.owner.0 == conn,
            assigned => assigned == conn,
        };
        self.forget(of_conn, recv, sink);
        self.lose_life(|from| from.0 == conn, recv, sink);
    }

    /// The venue ended a subscription, or did not say which (kalshi.md section 2, "Error codes").
    #[cold]
    pub(super) fn on_terminal(
        &mut self,
        conn: u32,
        sid: Option<u64>,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
        match sid {
            Some(sid) => {
                self.sequences.end(conn, sid);
                self.lose(|owner| owner == (conn, sid), recv, sink);
                self.lose_life(|from| from == (conn, sid), recv, sink);
            }
            None => {
                self.lose(|owner| owner.0 == conn, recv, sink);
                self.lose_life(|from| from.0 == conn, recv, sink);
            }
        }
    }

    #[cold]
    pub(super) fn on_gap(&mut self, conn: u32, sid: u64, recv: Ns, sink: &mut impl Sink) {
        self.figures.sequence_gaps += 1;
        self.miss(|owner| owner == (conn, sid), recv, sink);
    }

    /// A message of these subscriptions is missing, or could not be read.
    fn miss(&mut self, of: impl Fn((u32, u64)) -> bool, recv: Ns, sink: &mut impl Sink) {
        self.lose(&of, recv, sink);
        self.miss_life(of, recv, sink);
    }

    /// A frame could not be read. Where it still names its subscription, the books of that leave
    /// trading now; where it does not, it may have been about any book of the connection.
    pub(super) fn on_refused(
        &mut self,
        conn: u32,
        (sid, seq): (Option<u64>, Option<u64>),
        error: &DecodeError,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
        match (sid, seq) {
            (Some(sid), Some(seq)) => match self.sequences.advance(conn, sid, seq) {
                Order::Old => self.figures.out_of_order += 1,
                Order::Next => self.miss(|owner| owner == (conn, sid), recv, sink),
                Order::Gap => self.on_gap(conn, sid, recv, sink),
            },
            (Some(sid), None) if error.field == "seq" => {
                self.miss(|owner| owner == (conn, sid), recv, sink);
            }
            (Some(_), None) => {} // no number, so no change of a book: a ticker, say
            (None, _) if error.kind == DecodeErrorKind::Empty => {}
            (None, _) => self.miss(|owner| owner.0 == conn, recv, sink),
        }
    }

    /// A book message without a number in a subscription: what came before it and what is missing
    /// cannot be told, so it is not applied and the book leaves trading.
    #[cold]
    pub(super) fn unplaced(&mut self, number: usize, recv: Ns, sink: &mut impl Sink) {
        self.figures.rejected_changes += 1;
        self.doubt(number, recv, sink);
    }

    /// Takes a book out of trading until its next snapshot.
    #[cold]
    pub(super) fn doubt(&mut self, number: usize, recv: Ns, sink: &mut impl Sink) {
        let market = &mut self.markets[number];
        if market.standing.trust() == Trust::Whole {
            market.standing.set(Trust::Doubted);
            self.figures.resyncs += 1;
            sink.notice(&Notice::SnapshotWanted { market: market.top.market });
        }
        publish(market, recv, sink);
    }

    /// Every book of these subscriptions is suspect: one of them misses a change.
    fn lose(&mut self, of: impl Fn((u32, u64)) -> bool, recv: Ns, sink: &mut impl Sink) {
        for market in &mut self.markets {
            if market.standing.takes_changes() && of(market.owner) {
                market.standing.set(Trust::Gap);
                market.crossing.clear();
                self.figures.resyncs += 1;
                sink.notice(&Notice::SnapshotWanted { market: market.top.market });
                publish(market, recv, sink);
            }
        }
    }

    /// A subscription or connection ended: its books hear no more and wait for another one.
    #[cold]
    pub(super) fn forget(&mut self, of: impl Fn(&Market) -> bool, recv: Ns, sink: &mut impl Sink) {
        for market in &mut self.markets {
            if market.standing.trust() != Trust::AwaitSnapshot && of(market) {
                market.standing.set(Trust::AwaitSnapshot);
                market.crossing.clear();
                publish(market, recv, sink);
            }
        }
    }
}
