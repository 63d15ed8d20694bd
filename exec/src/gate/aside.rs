//! What no order may wait for: questions, cancels, probes, heartbeats, upkeep.

use engine::clock::Clock;
use engine::tile::Now;
use engine::units::Ns;

use crate::answer::{CancelAnswer, Closed};
use crate::gate::Gate;
use crate::gate::clerk::{Clerk, NotNow};
use crate::gate::fire::Errand;
use crate::gate::net::Net;
use crate::gate::orders::{OrderKey, Question};
use crate::http::exchange::Progress;
use crate::pool::News;
use crate::private::{Page, PrivateEvent};

/// A cancel that failed is repeated after this long.
const CANCEL_AGAIN: Ns = Ns::from_ms(500);

/// How often connections are looked after.
const UPKEEP_EVERY: Ns = Ns::from_ms(50);

/// What the connection for everything else is busy with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Task {
    Ask(OrderKey, Question),
    Cancel(OrderKey),
    Sweep,
    Probe {
        /// The venue was to show that it knows us.
        doubted: bool,
    },
    Chore,
}

impl<K: Clerk, N: Net, T: Clock> Gate<K, N, T> {
    /// Goes on with questions, cancels and chores: one at a time.
    pub(super) fn poll_aside(&mut self, now: Now) -> usize {
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
        let (mono, status) = (now.mono, head.status);
        let (orders, figures, out) = (&mut self.orders, &mut self.figures, &mut self.ends.out);
        match task {
            Task::Ask(key, question) => {
                let channel = &mut self.channel;
                let Some(client) = orders.get(key).map(|order| order.client) else { return };
                let reply = (head, body);
                let page = self.clerk.hear(question, client, reply, &mut |event| match event {
                    PrivateEvent::Fill(fill) => {
                        if let Some(since) = orders.found(&fill, mono, figures, out) {
                            channel.owes(since, mono);
                        }
                    }
                    PrivateEvent::Order(news) => orders.news(&news, mono, figures, out),
                    PrivateEvent::Position(_)
                    | PrivateEvent::Stopped(_)
                    | PrivateEvent::Deleted(_)
                    | PrivateEvent::Subscribed
                    | PrivateEvent::Broken => {}
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
            Task::Sweep if self.clerk.swept(head) => {
                self.figures.swept += 1;
                self.brake.sweep = false;
                self.brake.clear_at = mono.after(self.config.sweep_rest);
                orders.ask_for_all(mono);
            }
            Task::Sweep => self.cancel_at = mono.after(CANCEL_AGAIN),
            Task::Probe { doubted } => {
                let passes = self.clerk.passes(doubted, head, body);
                self.shut.probed(passes, mono, &mut self.rng);
                // A doubt that came while anybody was told the same is not answered by that.
                if passes && doubted {
                    self.doubted = false;
                    self.cancel_at = mono; // What waited for it need not any more.
                }
            }
            Task::Chore => self.clerk.chore_done(Some((head, body))),
        }
        // All of these carry who we are.
        if status == 401 && !matches!(task, Task::Probe { .. }) {
            self.close_door(Closed::Identity, mono);
            // A cancel goes on being tried, ever more rarely, whatever becomes of questions.
            if matches!(task, Task::Cancel(_) | Task::Sweep) {
                self.cancel_at = self.shut.probe_at().unwrap_or(mono).max(self.cancel_at);
            }
        }
    }

    fn task_lost(&mut self, now: Now) {
        match self.task.take() {
            Some(Task::Ask(key, question)) => {
                self.orders.unanswered(key);
                self.after_question(key, question, now);
            }
            Some(Task::Probe { .. }) => self.shut.probed(false, now.mono, &mut self.rng),
            Some(Task::Chore) => self.clerk.chore_done(None),
            Some(Task::Cancel(_) | Task::Sweep) => self.cancel_at = now.mono.after(CANCEL_AGAIN),
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
        if self.brake.sweep && now.mono >= self.cancel_at {
            if self.clerk.sweep(now, request) {
                return self.send_task(Task::Sweep, now);
            }
            self.cancel_at = now.mono.after(CANCEL_AGAIN);
        }
        let cancel = self.orders.to_cancel().filter(|_| now.mono >= self.cancel_at);
        if let Some((key, order)) = cancel.and_then(|key| Some((key, self.orders.get(key)?))) {
            if self.clerk.cancel(order, now, request) {
                return self.send_task(Task::Cancel(key), now);
            }
            self.cancel_at = now.mono.after(CANCEL_AGAIN);
        }
        // Before questions: a heartbeat that waits behind many of them comes too late.
        if self.clerk.chore(now, request) {
            return self.send_task(Task::Chore, now);
        }
        if self.shut.probe_at().is_some_and(|at| now.mono >= at)
            && self.clerk.probe(self.doubted, now, request)
        {
            self.shut.probing();
            return self.send_task(Task::Probe { doubted: self.doubted }, now);
        }
        if self.round.is_none()
            && let Some(key) = self.orders.due_inquiry(now.mono)
        {
            self.orders.inquire(key, now.mono);
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
                    self.send_task(Task::Ask(key, question), now);
                }
                Ok(false) => self.after_question(key, question, now),
                Err(NotNow) => {}
            }
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
    pub(super) fn upkeep(&mut self, now: Now) {
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
}
