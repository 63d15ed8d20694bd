//! The tile between the core and a venue: bundles in, orders out, reports back. Read the modules
//! in this order.

pub mod figures; // what was counted
pub mod outbox; // reports on their way to the core
pub mod orders; // what was sent, and what is known of it
pub mod clerk; // what is particular to a venue
pub mod kalshi; // Kalshi's
pub mod polymarket; // Polymarket's
pub mod net; // sockets, or what stands for them
pub mod channel; // the private channel
pub mod shut; // while the venue takes no orders

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use engine::clock::Clock;
use engine::event::{Bundle, Feedback, Reject, Report, ReportKind};
use engine::tile::{Now, Tile};
use engine::units::Ns;
use rtrb::{Consumer, Producer};

use crate::answer::CancelAnswer;
use crate::backoff::Rng;
use crate::gate::channel::{ChannelConfig, ChannelNews, PrivateChannel};
use crate::gate::clerk::{Clerk, Made, NotNow};
use crate::gate::figures::{GateFigures, GateStages};
use crate::gate::net::{Net, TlsNet};
use crate::gate::orders::{OrderKey, Orders, Patience, Question};
use crate::gate::outbox::Outbox;
use crate::gate::shut::{Shut, ShutConfig};
use crate::http::exchange::Progress;
use crate::pool::{News, Pool, PoolConfig};
use crate::private::{Page, PrivateEvent};
use crate::report::Fate;

/// Longest request of any kind.
const REQUEST_CAPACITY: usize = 8_192;

/// A cancel that failed is repeated after this long.
const CANCEL_AGAIN: Ns = Ns::from_ms(500);

/// How often connections are looked after.
const UPKEEP_EVERY: Ns = Ns::from_ms(50);

/// Bundles taken in one step before answers have their turn.
const BUNDLES_A_STEP: usize = 4;

/// Kalshi's gate.
pub type KalshiGate<T> = Gate<kalshi::KalshiClerk, TlsNet, T>;

/// Polymarket's gate.
pub type PolymarketGate<T> = Gate<polymarket::PolymarketClerk, TlsNet, T>;

/// How a gate behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GateConfig {
    /// Connections for orders.
    pub orders: PoolConfig,
    /// The private channel.
    pub channel: ChannelConfig,
    /// How long to wait for what was announced, and how to ask for it.
    pub patience: Patience,
    /// What to do while the venue takes no orders.
    pub shut: ShutConfig,
    /// An idle connection for orders is used at least this often, so that it stays warm.
    pub warm_every: Ns,
    /// Seed of the waits between tries.
    pub seed: u64,
}

impl Default for GateConfig {
    fn default() -> GateConfig {
        GateConfig {
            orders: PoolConfig::default(),
            channel: ChannelConfig::default(),
            patience: Patience::default(),
            shut: ShutConfig::default(),
            warm_every: Ns::from_ms(15_000),
            seed: 0,
        }
    }
}

/// The ends of a gate's rings, and the kill switch.
pub struct GateEnds {
    /// What the core decided.
    pub bundles: Consumer<Bundle>,
    /// What the core hears.
    pub feedback: Producer<Feedback>,
    /// The epoch in force: bundles of an earlier one are void. Raised by whoever stops trading,
    /// before the core hears of it.
    pub kill_epoch: Arc<AtomicU32>,
}

/// What a connection for orders is busy with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Errand {
    Order {
        key: OrderKey,
        left: Ns,
    },
    /// Nothing that anybody waits for.
    Warm,
}

/// What the connection for everything else is busy with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Task {
    Ask(OrderKey, Question),
    Cancel(OrderKey),
    Probe,
    Chore,
}

/// A gate. `T` times the parts of firing; nothing that the gate does depends on it.
pub struct Gate<K: Clerk, N: Net, T> {
    clerk: K,
    net: N,
    ends: Ends,
    orders: Orders,
    fire: Pool<N>,
    errands: Vec<Option<Errand>>,
    /// One connection for questions, cancels and chores, so that no order waits for them.
    aside: Pool<N>,
    task: Option<Task>,
    channel: PrivateChannel<N::Channel>,
    shut: Shut,
    /// The next question of the round that is under way.
    round: Option<(OrderKey, Question)>,
    /// A cancel that failed is not repeated before.
    cancel_at: Ns,
    upkeep_at: Ns,
    /// A bundle that found no idle connection yet.
    held: Option<Bundle>,
    ready: bool,
    /// A leg's request each.
    requests: [Vec<u8>; 2],
    config: GateConfig,
    rng: Rng,
    timer: T,
    figures: GateFigures,
    stages: GateStages,
}

struct Ends {
    bundles: Consumer<Bundle>,
    out: Outbox,
    kill_epoch: Arc<AtomicU32>,
}

impl<K: Clerk, N: Net + Clone, T: Clock> Gate<K, N, T> {
    /// A gate that begins to connect with its first step.
    pub fn new(clerk: K, net: N, ends: GateEnds, config: GateConfig, timer: T) -> Gate<K, N, T> {
        let mut rng = Rng::new(config.seed);
        let aside = PoolConfig { size: 1, ..config.orders };
        Gate {
            clerk,
            orders: Orders::new(config.patience),
            fire: Pool::new(net.clone(), config.orders, rng.next()),
            errands: vec![None; config.orders.size],
            aside: Pool::new(net.clone(), aside, rng.next()),
            net,
            ends: Ends {
                bundles: ends.bundles,
                out: Outbox::new(ends.feedback),
                kill_epoch: ends.kill_epoch,
            },
            task: None,
            channel: PrivateChannel::new(config.channel),
            shut: Shut::new(config.shut),
            round: None,
            cancel_at: Ns(0),
            upkeep_at: Ns(0),
            held: None,
            ready: false,
            requests: [0; 2].map(|_| Vec::with_capacity(REQUEST_CAPACITY)),
            config,
            rng,
            timer,
            figures: GateFigures::default(),
            stages: GateStages::default(),
        }
    }
}

impl<K: Clerk, N: Net, T: Clock> Gate<K, N, T> {
    /// What it did so far.
    pub fn figures(&self) -> GateFigures {
        GateFigures { unread: self.channel.unread(), ..self.figures }
    }

    /// How long firing took.
    pub const fn stages(&self) -> &GateStages {
        &self.stages
    }

    /// The venue's clerk, for its figures.
    pub const fn clerk(&self) -> &K {
        &self.clerk
    }

    /// True where an order can leave and its fills are heard of.
    pub const fn is_ready(&self) -> bool {
        self.ready
    }

    /// Orders that have not ended, and those of them whose fate is unknown.
    pub fn open_orders(&self) -> [usize; 2] {
        [self.orders.open(), self.orders.unknown()]
    }

    /// Connections for orders lost and replaced.
    pub const fn turnover(&self) -> [u64; 2] {
        self.fire.turnover()
    }

    /// Ends all connections. What is still open stays unknown.
    pub fn close(&mut self) {
        self.fire.close();
        self.aside.close();
        self.channel.close();
    }

    fn take_bundles(&mut self, now: Now) -> usize {
        for done in 0..BUNDLES_A_STEP {
            let bundle = match self.held.take() {
                Some(bundle) => bundle,
                None => match self.ends.bundles.pop() {
                    Ok(bundle) => bundle,
                    Err(_) => return done,
                },
            };
            if !self.take_bundle(&bundle, now) {
                self.held = Some(bundle);
                return done;
            }
        }
        BUNDLES_A_STEP
    }

    /// Sends the legs of a bundle that are ours, or refuses them; false where it must wait for a
    /// connection.
    fn take_bundle(&mut self, bundle: &Bundle, now: Now) -> bool {
        let mut ours = [0; 2];
        let mut count = 0;
        for (number, leg) in bundle.legs.iter().enumerate() {
            if leg.market.venue() == K::VENUE {
                ours[count] = number;
                count += 1;
            }
        }
        let ours = &ours[..count];
        // SYNC: whoever stops trading stores with Release; nothing else is read through it.
        let epoch = self.ends.kill_epoch.load(Ordering::Acquire);
        let refused = if bundle.kill_epoch != epoch {
            Some(Reject::Killed)
        } else if now.mono > bundle.deadline {
            Some(Reject::Expired)
        } else if !self.shut.is_open() || !self.channel.is_subscribed() {
            Some(Reject::Venue)
        } else if self.fire.idle() < count {
            return false;
        } else {
            None
        };
        if let Some(reason) = refused {
            ours.iter().for_each(|leg| self.refuse(bundle, *leg, reason, now.mono));
            return true;
        }
        if let Err(why) = self.admit(bundle, ours, now) {
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
        for (place, leg) in ours.iter().enumerate() {
            if let Some(order) = made[place] {
                self.fire_leg(bundle, *leg, place, order, now);
            }
        }
        true
    }

    /// Makes sure of everything that the legs need before a byte of any of them leaves.
    fn admit(&mut self, bundle: &Bundle, ours: &[usize], now: Now) -> Result<(), (usize, Reject)> {
        if !self.orders.has_room(ours.len()) {
            return Err((ours.first().copied().unwrap_or(0), Reject::RateLimit));
        }
        for leg in ours {
            self.clerk.admit(&bundle.legs[*leg]).map_err(|reason| (*leg, reason))?;
        }
        for (taken, leg) in ours.iter().enumerate() {
            if !self.clerk.take_tokens(&bundle.legs[*leg], now.mono) {
                for leg in &ours[..taken] {
                    self.clerk.give_back(&bundle.legs[*leg]);
                }
                return Err((*leg, Reject::RateLimit));
            }
        }
        Ok(())
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
            self.stages.wire.record(left.wall.since(bundle.recv).0);
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
            at,
            kind: ReportKind::Rejected(reason),
        }));
    }

    /// Hears what the connections for orders have to say.
    fn poll_orders(&mut self, now: Now) -> usize {
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
            self.stages.ack.record(now.mono.since(left).0);
            let answer = self.orders.get(key).map(|o| self.clerk.answer(head, body, o, now.mono));
            if let Some(answer) = answer {
                if matches!(answer.fate, Fate::Accepted | Fate::Killed) {
                    self.shut.works();
                }
                if let Some(why) = answer.closed {
                    self.figures.closed += u64::from(self.shut.is_open());
                    self.shut.close(why, now.mono, &mut self.rng);
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

    /// Hears the private channel.
    fn poll_channel(&mut self, now: Now) -> usize {
        let (orders, figures, out) = (&mut self.orders, &mut self.figures, &mut self.ends.out);
        let mut tell = |event: PrivateEvent| match event {
            PrivateEvent::Fill(fill) => orders.fill(&fill, now.mono, figures, out),
            PrivateEvent::Order(news) => orders.news(&news, now.mono, figures, out),
            PrivateEvent::Subscribed | PrivateEvent::Broken => {}
        };
        let (clerk, net, rng) = (&mut self.clerk, &mut self.net, &mut self.rng);
        let (done, news) = self.channel.step(now, clerk, net, rng, &mut tell);
        match news {
            // Nothing is replayed: what happened in between must be asked for.
            Some(ChannelNews::Subscribed) => self.orders.ask_for_all(now.mono),
            Some(ChannelNews::Lost) => self.figures.channels_lost += 1,
            None => {}
        }
        done
    }

    /// Goes on with questions, cancels and chores: one at a time.
    fn poll_aside(&mut self, now: Now) -> usize {
        let mut done = 0;
        while let Some(news) = self.aside.poll(0, now.mono) {
            done += 1;
            match news {
                News::Progress(Progress::Answered) => {
                    self.task_done(now);
                    self.aside.finish(0, now.mono);
                }
                News::Progress(_) => {}
                News::Lost(..) => self.task_lost(now),
            }
        }
        if self.task.is_none() && self.aside.fastest_idle().is_some() {
            self.begin_task(now);
        }
        done
    }

    fn task_done(&mut self, now: Now) {
        let Some((task, (head, body))) = self.task.take().zip(self.aside.reply(0)) else { return };
        let mono = now.mono;
        let (orders, figures, out) = (&mut self.orders, &mut self.figures, &mut self.ends.out);
        match task {
            Task::Ask(key, question) => {
                let page = self.clerk.hear(question, head, body, &mut |event| match event {
                    PrivateEvent::Fill(fill) => orders.fill(&fill, mono, figures, out),
                    PrivateEvent::Order(news) => orders.news(&news, mono, figures, out),
                    PrivateEvent::Subscribed | PrivateEvent::Broken => {}
                });
                if page != Page::Whole {
                    orders.unanswered(key);
                }
                self.after_question(key, question, now);
            }
            Task::Cancel(key) => {
                let answer = orders.get(key).map(|o| self.clerk.cancelled(head, body, o));
                match answer {
                    Some(CancelAnswer::Failed) => self.cancel_at = mono.after(CANCEL_AGAIN),
                    Some(CancelAnswer::Cancelled | CancelAnswer::NotThere) => {
                        orders.cancelled(key, mono);
                    }
                    None => {}
                }
            }
            Task::Probe => {
                let passes = self.clerk.passes(head, body);
                self.shut.probed(passes, mono, &mut self.rng);
            }
            Task::Chore => self.clerk.chore_done(Some((head, body))),
        }
    }

    fn task_lost(&mut self, now: Now) {
        match self.task.take() {
            Some(Task::Ask(key, question)) => {
                self.orders.unanswered(key);
                self.after_question(key, question, now);
            }
            Some(Task::Probe) => self.shut.probed(false, now.mono, &mut self.rng),
            Some(Task::Chore) => self.clerk.chore_done(None),
            Some(Task::Cancel(_)) => self.cancel_at = now.mono.after(CANCEL_AGAIN),
            None => {}
        }
    }

    /// The next question of a round, or its end.
    fn after_question(&mut self, key: OrderKey, asked: Question, now: Now) {
        self.round = match asked {
            Question::Order => Some((key, Question::Fills)),
            Question::Fills => {
                let (figures, out) = (&mut self.figures, &mut self.ends.out);
                self.orders.judge(key, now.mono, figures, out);
                None
            }
        };
    }

    /// Begins what is most urgent of what is due, if its tokens are there.
    fn begin_task(&mut self, now: Now) {
        let request = &mut self.requests[0];
        let cancel = self.orders.to_cancel().filter(|_| now.mono >= self.cancel_at);
        if let Some((key, order)) = cancel.and_then(|key| Some((key, self.orders.get(key)?))) {
            if self.clerk.cancel(order, now, request) {
                return self.send_task(Task::Cancel(key), now);
            }
            self.cancel_at = now.mono.after(CANCEL_AGAIN);
        }
        if self.shut.probe_at().is_some_and(|at| now.mono >= at) && self.clerk.probe(now, request) {
            self.shut.probing();
            return self.send_task(Task::Probe, now);
        }
        if self.round.is_none()
            && let Some((key, due)) = self.orders.next_inquiry()
            && now.mono >= due
        {
            self.orders.inquire(key);
            self.round = Some((key, Question::Order));
        }
        if let Some((key, question)) = self.round {
            let Some(order) = self.orders.get(key) else {
                self.round = None;
                return;
            };
            match self.clerk.ask(question, order, now, request) {
                Ok(true) => {
                    self.round = None;
                    self.figures.questions += 1;
                    return self.send_task(Task::Ask(key, question), now);
                }
                Ok(false) => return self.after_question(key, question, now),
                Err(NotNow) => {}
            }
        }
        if self.clerk.chore(now, request) {
            self.send_task(Task::Chore, now);
        }
    }

    fn send_task(&mut self, task: Task, now: Now) {
        self.task = Some(task);
        if self.aside.send(0, &self.requests[0], now.mono).is_err() {
            self.task_lost(now);
        }
    }

    /// Keeps connections warm and young.
    #[cold]
    fn upkeep(&mut self, now: Now) {
        self.upkeep_at = now.mono.after(UPKEEP_EVERY);
        self.fire.rotate(now.mono);
        let Some((slot, since)) = self.fire.longest_idle() else { return };
        if self.fire.idle() > 1
            && now.mono.since(since) >= self.config.warm_every
            && self.clerk.warm(now, &mut self.requests[0])
            && self.fire.send(slot, &self.requests[0], now.mono).is_ok()
        {
            self.errands[slot] = Some(Errand::Warm);
        }
    }

    /// Tells the core where that changed whether it may count on this gate.
    fn tell_ready(&mut self, now: Now) {
        let reaches = self.fire.warm() > 0 && self.channel.is_subscribed();
        let ready = reaches && self.shut.is_open() && !self.ends.out.is_full();
        if ready != self.ready {
            self.ready = ready;
            self.ends.out.tell(Feedback::Gate { venue: K::VENUE, at: now.mono, ready });
        }
    }
}

impl<K: Clerk, N: Net, T: Clock> Tile for Gate<K, N, T> {
    const NAME: &'static str = K::NAME;

    /// Takes bundles first, then answers, then the private channel, then what can wait.
    fn step(&mut self, now: Now) -> usize {
        self.ends.out.flush();
        if self.ends.out.is_full() {
            return 0; // back-pressure: what became of orders is never dropped
        }
        let mut done = self.take_bundles(now);
        done += self.poll_orders(now);
        done += self.poll_channel(now);
        done += self.poll_aside(now);
        if done == 0 {
            done += self.clerk.idle(now);
            if now.mono >= self.upkeep_at {
                self.upkeep(now);
            }
        }
        self.tell_ready(now);
        done
    }

    fn next_deadline(&self) -> Option<Ns> {
        let inquiry = self.orders.next_inquiry().map(|(_, due)| due);
        let cancel = self.orders.to_cancel().map(|_| self.cancel_at);
        let held = self.held.map(|bundle| bundle.deadline);
        let pools = [self.fire.next_deadline(), self.aside.next_deadline()];
        let always = [Some(self.channel.next_deadline()), Some(self.upkeep_at)];
        let rare = [inquiry, cancel, held, self.shut.probe_at()];
        pools.into_iter().chain(always).chain(rare).flatten().min()
    }
}

#[cfg(test)]
mod tests;
