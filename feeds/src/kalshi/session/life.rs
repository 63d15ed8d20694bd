//! Whether markets trade, as far as words about that may have been missed. The channel that tells
//! of pauses, closes and outcomes has no snapshot: who did not hear it for a moment, or misses one
//! of its numbers, knows nothing of any market until the venue's REST API was asked again.

use engine::units::Ns;

use super::market::publish;
use super::state::State;
use crate::fitness::Listed;
use crate::market::{Trust, health};
use crate::sink::{Change, Notice, Sink};

/// The channel that tells what becomes of markets.
pub(super) const LIFECYCLE: &str = "market_lifecycle_v2";

/// What is known of the channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Life {
    /// Somebody asks the venue whether markets trade. While nobody does, a market is taken to
    /// trade until the channel says otherwise: a tape of frames has nothing else.
    pub(super) asked: bool,
    /// Connection and subscription on which it is heard.
    from: Option<(u32, u64)>,
    /// The stretch of words without a gap; 0 before the first.
    heard: u16,
}

impl Life {
    fn is_on(&self, of: impl Fn((u32, u64)) -> bool) -> bool {
        self.from.is_some_and(of)
    }
}

impl State {
    /// Whoever asks says so: nothing is known of any market yet.
    pub(super) fn on_asked(&mut self, recv: Ns, sink: &mut impl Sink) {
        self.life.asked = true;
        self.doubt_life(recv, sink);
    }

    /// The channel is subscribed to: what it says from now on is whole, and a question that is
    /// asked from now on misses nothing.
    pub(super) fn on_life_subscribed(&mut self, from: (u32, u64), recv: Ns, sink: &mut impl Sink) {
        self.life.from = Some(from);
        self.begin_stretch(recv, sink);
    }

    /// Words of these subscriptions were missed, and it goes on.
    #[cold]
    pub(super) fn miss_life(
        &mut self,
        of: impl Fn((u32, u64)) -> bool,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
        if self.life.is_on(of) {
            self.begin_stretch(recv, sink);
        }
    }

    /// These subscriptions ended: nothing is heard until there is another one.
    #[cold]
    pub(super) fn lose_life(
        &mut self,
        of: impl Fn((u32, u64)) -> bool,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
        if self.life.is_on(of) {
            self.life.from = None;
            sink.notice(&Notice::Heard { stretch: None });
            self.doubt_life(recv, sink);
        }
    }

    fn begin_stretch(&mut self, recv: Ns, sink: &mut impl Sink) {
        self.life.heard = self.life.heard.wrapping_add(1);
        sink.notice(&Notice::Heard { stretch: Some(self.life.heard) });
        self.doubt_life(recv, sink);
        // A market may have been paused and have begun again: its resting orders are gone then,
        // and the book that stood before says nothing of it.
        for number in 0..self.markets.len() {
            if self.life.asked && self.markets[number].standing.trust() == Trust::Whole {
                self.doubt(number, recv, sink);
            }
        }
    }

    /// Nobody knows which markets trade.
    fn doubt_life(&mut self, recv: Ns, sink: &mut impl Sink) {
        if !self.life.asked {
            return;
        }
        for number in 0..self.markets.len() {
            if !self.has_departed(number) {
                self.set_standing(number, recv, sink, |standing| standing.wonder(true));
            }
        }
    }

    /// The venue's REST API answered for a market that is here.
    pub(super) fn on_listed(
        &mut self,
        number: usize,
        listed: Listed,
        recv: Ns,
        sink: &mut impl Sink,
    ) {
        let life = self.life;
        if !life.asked || life.from.is_none() || listed.heard != life.heard {
            return; // It was asked before words were missed.
        }
        let Some(market) = self.markets.get(number) else { return };
        let (id, before) = (market.top.market, market.standing);
        // Reads lag: the answer may be of before the pause that was heard.
        let trades = listed.trades && !before.heard_pause();
        let resumes = before.is_paused() && trades;
        if resumes && before.trust() == Trust::Whole {
            // As where the channel says so: resting orders are cancelled when trading begins again.
            let standing = &mut self.markets[number].standing;
            standing.wonder(false);
            standing.pause(false);
            self.doubt(number, recv, sink);
        } else {
            self.set_standing(number, recv, sink, |standing| {
                standing.wonder(false);
                standing.pause(!trades);
            });
        }
        if listed.close_s != 0 {
            let change = Change::CloseMoved(u64::from(listed.close_s));
            sink.notice(&Notice::Lifecycle { market: id, change });
        }
    }

    /// Changes a market's standing, and says so where its health follows.
    fn set_standing(
        &mut self,
        number: usize,
        recv: Ns,
        sink: &mut impl Sink,
        change: impl Fn(&mut crate::market::Standing),
    ) {
        let market = &mut self.markets[number];
        change(&mut market.standing);
        if health(market.standing, market.crossing.is_on()) != market.top.health {
            publish(market, recv, sink);
        }
    }
}
