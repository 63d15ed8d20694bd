//! What time and words from outside bring about: dialling, silence, pings, books that must be
//! asked for, markets that come and go.

use engine::tap::TapKind;
use engine::tile::Now;
use engine::units::Ns;

use super::{LOOK_NS, LiveFeed, conn_of, new_line, write};
use crate::feed::{Input, NoticeSink, VenueSession};
use crate::fitness::{Fitness, Verdict};
use crate::live::arrival::{Arrival, Going};
use crate::live::dialect::{Books, Dialect};
use crate::live::line::End;
use crate::live::login::Login;
use crate::live::network::Network;
use crate::live::rescue::Step;
use crate::sink::{Notice, Sink};

impl<D: Dialect, L: Login, N: NoticeSink, W: Network> LiveFeed<D, L, N, W> {
    /// Looks at every deadline.
    #[cold]
    pub(super) fn look(&mut self, now: Now) {
        self.look_at = now.mono.after(LOOK_NS);
        self.find_readable();
        for at in 0..self.lines.len() {
            if self.lines[at].attend(now, (&mut self.network, at), &mut self.login) {
                self.end(at, now, End::Lost { wait: Ns(0) });
            }
            if self.lines[at].is_open() {
                self.look_at_open(at, now);
            }
        }
        if let Ok(verdict) = self.verdicts.pop() {
            self.look_at = now.mono; // there may be more
            self.on_verdict(now, verdict);
        }
        if let Some(arrivals) = &mut self.markets
            && !arrivals.gone.is_full()
            && let Ok(going) = arrivals.going.pop()
        {
            self.let_go(now, going);
        }
        if let Some(arrivals) = &mut self.markets
            && !arrivals.answers.is_full()
            && let Ok(arrival) = arrivals.coming.pop()
        {
            self.add_market(now, &arrival);
        }
    }

    fn look_at_open(&mut self, at: usize, now: Now) {
        let line = &mut self.lines[at];
        if now.mono.since(line.alive_at) > D::SILENCE_NS_MAX {
            return self.end(at, now, End::Silent);
        }
        if line.rotate_at.is_some_and(|rotate_at| now.mono >= rotate_at)
            && line.is_succeeded(now, (&mut self.network, at), &mut self.login)
        {
            self.end(at, now, End::Rotated);
            return self.on_opened(at, now);
        }
        if let Some((ping, every)) = D::PING
            && now.mono.since(line.pinged_at) >= every
        {
            line.pinged_at = now.mono;
            if !self.send(at, now, ping) {
                return;
            }
        }
        let LiveFeed { session, outbox, .. } = self;
        let awaits = |market: u16| session.awaits_book(usize::from(market));
        let rescue = &mut outbox.notices().rescue;
        match rescue.look(at, now.mono, D::REFRESH_RESUBSCRIBES, awaits) {
            None => {}
            Some(Step::Refresh) => {
                self.lines[at].figures.refreshes += 1;
                self.say(at, now, |dialect, session, talk, rescue, say| {
                    dialect.refresh(session, talk, rescue.batch(), say);
                });
            }
            Some(Step::Resubscribe) => self.resubscribe(at, now),
            Some(Step::GiveUp) => self.end(at, now, End::GivenUp),
        }
    }

    fn on_verdict(&mut self, now: Now, verdict: Verdict) {
        let number = verdict.market.index();
        if verdict.market.venue() != D::Session::VENUE || number >= self.session.count() {
            return;
        }
        let market = number as u16;
        match verdict.says {
            Fitness::Unfit | Fitness::Fit | Fitness::Listed(_) => {
                self.put(0, now, Input::Verdict(verdict));
            }
            // Whoever lets markets go has a ring of its own, and who asks says so at the start.
            Fitness::Retired | Fitness::Vacant | Fitness::Asked => {}
            Fitness::Removed => {
                let line = self.outbox.notices().rescue.line_of(market);
                if let Some(at) = line
                    && self.outbox.notices().rescue.remove(market)
                {
                    self.put(0, now, Input::Verdict(verdict));
                    if self.lines[at].is_open() {
                        self.say(at, now, |dialect, session, talk, _, say| {
                            dialect.remove(session, talk, market, say);
                        });
                    }
                }
            }
            Fitness::Restored => {
                if let Some(at) = self.outbox.notices().rescue.restore(market) {
                    self.put(0, now, Input::Verdict(verdict));
                    self.begin(at, now, market);
                }
            }
        }
    }

    fn add_market(&mut self, now: Now, arrival: &Arrival<D::NewMarket>) {
        let added = self.dialect.add_market(&mut self.session, &arrival.market);
        if let Some(arrivals) = &mut self.markets {
            // There is room, as was seen before it was taken.
            let _ = arrivals.answers.push(added);
        }
        let Ok(id) = added else { return };
        let market = id.index() as u16;
        if let Some(event) = self.dialect.event_of(&arrival.market) {
            self.outbox.notice(&Notice::MarketAdded { market: id, event });
        }
        let rescue = &mut self.outbox.notices().rescue;
        let at = match rescue.roomiest(self.dialect.markets_a_line()) {
            Some(at) => at,
            None => {
                let at = rescue.add_line();
                self.lines.push(new_line(self.pace.seed, at, now.mono));
                at
            }
        };
        rescue.add(at, market);
        self.session.assign(usize::from(market), conn_of(at));
        let tap = self.tap.as_mut();
        write(tap, D::Session::VENUE, TapKind::Market, conn_of(at), now, &arrival.note);
        self.begin(at, now, market);
    }

    /// Ends a market's subscription for good, or frees its number.
    fn let_go(&mut self, now: Now, going: Going) {
        let (id, says) = match going {
            Going::Retire(id) => (id, Fitness::Retired),
            Going::Vacate(id) => (id, Fitness::Vacant),
        };
        let number = id.index();
        if id.venue() != D::Session::VENUE || number >= self.session.count() {
            return;
        }
        let market = number as u16;
        let line = self.outbox.notices().rescue.line_of(market);
        self.outbox.notices().rescue.remove(market);
        self.put(0, now, Input::Verdict(Verdict { market: id, says }));
        if let Some(at) = line.filter(|at| self.lines[*at].is_open()) {
            self.say(at, now, |dialect, session, talk, _, say| {
                dialect.remove(session, talk, market, say);
            });
        }
        let generation = self.session.generation(number);
        if let Some(arrivals) = &mut self.markets {
            // There is room, as was seen before it was taken.
            let _ = arrivals.gone.push((going, generation));
        }
    }

    /// Subscribes to one market where its line is open; otherwise it comes with all of them.
    fn begin(&mut self, at: usize, now: Now, market: u16) {
        if self.lines[at].is_open() {
            self.outbox.notices().rescue.await_one(market, now.mono);
            self.say(at, now, |dialect, session, talk, _, say| {
                dialect.add(session, talk, market, say);
            });
        }
    }
}
