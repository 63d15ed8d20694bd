//! Bundles to orders on the wire, and answers to what they say of them.

use std::sync::atomic::Ordering;

use engine::clock::Clock;
use engine::event::{Bundle, Dispatch, Feedback, Purpose, Reject, Report, ReportKind, Ticket};
use engine::tile::Now;
use engine::units::Ns;

use crate::gate::Gate;
use crate::gate::clerk::{Clerk, Made};
use crate::gate::net::Net;
use crate::gate::orders::OrderKey;
use crate::http::exchange::Progress;
use crate::journal::durable::Cover;
use crate::journal::record::OrderRecord;
use crate::pool::News;
use crate::report::Fate;

/// Bundles taken in one step before answers have their turn.
const BUNDLES_A_STEP: usize = 4;

/// What a connection for orders is busy with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Errand {
    /// Somebody's order, whose last byte left then; monotonic.
    Order { key: OrderKey, left: Ns },
    /// Nothing that anybody waits for.
    Warm,
}

/// Orders of a bundle that are made, and wait until the journal holds them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parked {
    pub(super) bundle: Bundle,
    made: [Option<Made>; 2],
}

/// An order as the journal keeps it.
fn noted(bundle: &Bundle, leg: usize, made: &Made, now: Now) -> OrderRecord {
    let it = &bundle.legs[leg];
    OrderRecord {
        bundle: bundle.id,
        pair: bundle.pair,
        leg: leg as u8,
        market: it.market,
        outcome: it.outcome,
        action: it.action,
        purpose: bundle.purpose,
        spends: it.spends,
        limit: it.limit,
        qty: it.qty,
        budget: it.budget,
        reserve: it.reserve,
        client: made.client,
        venue: made.venue,
        wall: now.wall,
    }
}

/// The legs of a bundle that are a venue's, and how many these are.
fn legs_of<K: Clerk>(bundle: &Bundle) -> ([usize; 2], usize) {
    let (mut ours, mut count) = ([0; 2], 0);
    for (number, leg) in bundle.orders().iter().enumerate() {
        if leg.market.venue() == K::VENUE {
            ours[count] = number;
            count += 1;
        }
    }
    (ours, count)
}

impl<K: Clerk, N: Net, T: Clock> Gate<K, N, T> {
    /// Takes what the core decided.
    pub(super) fn take_bundles(&mut self, now: Now) -> usize {
        if self.parked.is_some() && !self.unpark(now) {
            return 0;
        }
        for done in 0..BUNDLES_A_STEP {
            if self.parked.is_some() {
                return done;
            }
            let dispatch = match self.held.take() {
                Some(dispatch) => dispatch,
                None => match self.ends.bundles.pop() {
                    Ok(dispatch) => dispatch,
                    Err(_) => return done,
                },
            };
            // What the core knew when it decided is in their ring by now.
            self.take_rules(now);
            if !self.take_bundle(&dispatch, now) {
                self.held = Some(dispatch);
                return done;
            }
            let (_, count) = legs_of::<K>(&dispatch.bundle);
            self.taken = self.taken.wrapping_add(count as u32);
        }
        BUNDLES_A_STEP
    }

    /// Sends the legs of a bundle that are ours, or refuses them; false where it must wait for a
    /// connection.
    fn take_bundle(&mut self, dispatch: &Dispatch, now: Now) -> bool {
        let bundle = &dispatch.bundle;
        let (ours, count) = legs_of::<K>(bundle);
        let ours = &ours[..count];
        if let Some(reason) = self.void(bundle, now) {
            self.pay_back(bundle, ours);
            ours.iter().for_each(|leg| self.refuse(bundle, *leg, reason, now.mono));
            return true;
        }
        if self.fire.idle() < count {
            return false;
        }
        if let Err(why) =
            self.hold(dispatch, ours, now).and_then(|()| self.admit(bundle, ours, now))
        {
            self.pay_back(bundle, ours);
            self.refuse_all(bundle, ours, why, now.mono);
            return true;
        }
        self.stages.admitted.record(now.mono.since(bundle.decided).0);
        // Every order exists before a byte of any leaves.
        let mut made = [None; 2];
        for (place, leg) in ours.iter().enumerate() {
            match self.clerk.order(bundle, *leg, now, &mut self.requests[place]) {
                Ok(order) => made[place] = Some(order),
                Err(reason) => {
                    ours.iter().for_each(|leg| self.clerk.give_back(&bundle.legs[*leg]));
                    self.refuse_all(bundle, ours, (*leg, reason), now.mono);
                    return true;
                }
            }
        }
        let mut covered = true;
        for (place, leg) in ours.iter().enumerate() {
            if let Some(order) = &mut made[place] {
                let noted = self.ends.out.order(&noted(bundle, *leg, order, now));
                if order.cover == Cover::Nothing {
                    order.cover = noted;
                }
                covered &= self.ends.out.covers(order.cover);
            }
        }
        if covered {
            self.fire_legs(bundle, ours, &made, now);
        } else {
            self.figures.parked += 1;
            core::mem::swap(&mut self.requests, &mut self.parked_requests);
            self.parked = Some(Parked { bundle: *bundle, made });
        }
        true
    }

    /// Lets the parked orders out as soon as the journal holds them, or refuses them; false where
    /// they have to wait on.
    #[cold]
    fn unpark(&mut self, now: Now) -> bool {
        let Some(Parked { bundle, made }) = self.parked else { return true };
        let (ours, count) = legs_of::<K>(&bundle);
        let ours = &ours[..count];
        if let Some(reason) = self.void(&bundle, now) {
            self.parked = None;
            for leg in ours {
                self.clerk.give_back(&bundle.legs[*leg]);
                self.refuse(&bundle, *leg, reason, now.mono);
            }
            return true;
        }
        let covered = made.iter().flatten().all(|order| self.ends.out.covers(order.cover));
        if !covered || self.fire.idle() < count {
            return false;
        }
        self.parked = None;
        core::mem::swap(&mut self.requests, &mut self.parked_requests);
        self.fire_legs(&bundle, ours, &made, now);
        true
    }

    /// Why nothing of a bundle may leave any more.
    fn void(&self, bundle: &Bundle, now: Now) -> Option<Reject> {
        // SYNC: whoever stops trading stores with Release; nothing else is read through it.
        let epoch = self.ends.kill_epoch.load(Ordering::Acquire);
        let takes = self.shut.is_open() && self.channel.is_subscribed() && self.is_clear(now.mono);
        if bundle.kill_epoch != epoch {
            Some(Reject::Killed)
        } else if now.mono > bundle.deadline {
            Some(Reject::Expired)
        } else if !takes || !self.ends.out.may_begin() {
            Some(Reject::Shut)
        } else if bundle.ticket == Ticket::Refused {
            Some(Reject::Budget)
        } else {
            None
        }
    }

    fn fire_legs(&mut self, bundle: &Bundle, ours: &[usize], made: &[Option<Made>; 2], now: Now) {
        for (place, leg) in ours.iter().enumerate() {
            if let Some(order) = made[place] {
                self.fire_leg(bundle, *leg, place, order, now);
            }
        }
    }

    /// Makes sure of everything that the legs need before a byte of any of them leaves.
    fn admit(&mut self, bundle: &Bundle, ours: &[usize], now: Now) -> Result<(), (usize, Reject)> {
        if !self.orders.has_room(ours.len(), now.mono) {
            return Err((ours.first().copied().unwrap_or(0), Reject::Budget));
        }
        for leg in ours {
            self.clerk.admit(&bundle.legs[*leg]).map_err(|reason| (*leg, reason))?;
        }
        match bundle.ticket {
            Ticket::AtGate => self.take_tokens(bundle, ours, now),
            // One that was refused is void and never comes here.
            Ticket::Taken | Ticket::Refused => Ok(()),
        }
    }

    /// Takes what the legs cost, or nothing.
    fn take_tokens(
        &mut self,
        bundle: &Bundle,
        ours: &[usize],
        now: Now,
    ) -> Result<(), (usize, Reject)> {
        for (taken, leg) in ours.iter().enumerate() {
            if !self.clerk.take_tokens(&bundle.legs[*leg], now.mono) {
                for leg in &ours[..taken] {
                    self.clerk.give_back(&bundle.legs[*leg]);
                }
                return Err((*leg, Reject::Budget));
            }
        }
        Ok(())
    }

    /// Puts back what was taken for these legs before the bundle came: none of them leaves.
    fn pay_back(&mut self, bundle: &Bundle, ours: &[usize]) {
        if bundle.ticket == Ticket::Taken {
            ours.iter().for_each(|leg| self.clerk.give_back(&bundle.legs[*leg]));
        }
    }

    /// Writes one leg's order to the connection that answers fastest.
    fn fire_leg(&mut self, bundle: &Bundle, leg: usize, place: usize, made: Made, now: Now) {
        let it = &bundle.legs[leg];
        // A connection that fails here has not let the request out, so the next one may.
        while let Some(slot) = self.fire.fastest_idle() {
            if self.fire.send(slot, &self.requests[place], now.mono).is_err() {
                continue;
            }
            let left = self.timer.now();
            self.stages.fire.record(left.mono.since(bundle.decided).0);
            if bundle.purpose == Purpose::Open {
                self.stages.wire.record(left.wall.since(bundle.recv).0);
            }
            self.figures.fired += 1;
            self.figures.hits += u64::from(made.ahead);
            self.figures.inline += u64::from(!made.ahead);
            let fees = self.clerk.fees(it);
            let ids = (made.client, made.venue);
            let key = self.orders.sent(bundle, leg, ids, fees, now, &mut self.ends.out);
            self.errands[slot] = Some(Errand::Order { key, left: left.mono });
            return;
        }
        self.clerk.give_back(it);
        self.refuse(bundle, leg, Reject::Expired, now.mono);
    }

    /// Refuses one leg for its reason and the others because of it.
    fn refuse_all(&mut self, bundle: &Bundle, ours: &[usize], why: (usize, Reject), at: Ns) {
        for leg in ours {
            let reason = if *leg == why.0 { why.1 } else { Reject::OtherLeg };
            self.refuse(bundle, *leg, reason, at);
        }
    }

    fn refuse(&mut self, bundle: &Bundle, leg: usize, reason: Reject, at: Ns) {
        self.figures.refused[reason as usize] += 1;
        let it = &bundle.legs[leg];
        self.ends.out.tell(Feedback::Report(Report {
            bundle: bundle.id,
            pair: bundle.pair,
            leg: leg as u8,
            market: it.market,
            outcome: it.outcome,
            action: it.action,
            at,
            kind: ReportKind::Rejected(reason),
        }));
    }

    /// Hears what the connections for orders have to say.
    pub(super) fn poll_orders(&mut self, now: Now) -> usize {
        let mut done = 0;
        for slot in 0..self.fire.len() {
            while let Some(news) = self.fire.poll(slot, now.mono) {
                done += 1;
                match news {
                    News::Progress(Progress::Answered) => self.answered(slot, now),
                    News::Progress(_) => {}
                    News::Lost(..) => self.lost(slot, now),
                }
            }
        }
        done
    }

    fn answered(&mut self, slot: usize, now: Now) {
        let errand = self.errands[slot].take();
        if let (Some(Errand::Order { key, left }), Some((head, body))) =
            (errand, self.fire.reply(slot))
        {
            // Read anew: an answer may come in the very step that wrote the order, which was told
            // a time before both.
            self.stages.ack.record(self.timer.now().mono.since(left).0);
            let answer = self.orders.get(key).map(|o| self.clerk.answer(head, body, o, now.mono));
            if let Some(answer) = answer {
                if matches!(answer.fate, Fate::Accepted | Fate::Killed) {
                    self.shut.works();
                }
                if let Some(why) = answer.closed {
                    self.close_door(why, now.mono);
                }
                let (figures, out) = (&mut self.figures, &mut self.ends.out);
                self.orders.answered(key, &answer, now.mono, figures, out);
            }
        }
        self.fire.finish(slot, now.mono);
    }

    /// A connection is lost, and the answer to what was sent on it.
    fn lost(&mut self, slot: usize, now: Now) {
        if let Some(Errand::Order { key, .. }) = self.errands[slot].take() {
            let (figures, out) = (&mut self.figures, &mut self.ends.out);
            self.orders.lost(key, now.mono, figures, out);
        }
    }
}
