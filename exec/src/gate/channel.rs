//! The private channel of a gate over its lives: connect, log in, listen, notice silence, come
//! back.

use engine::tile::Now;
use engine::units::Ns;
use zeroize::Zeroizing;

use crate::backoff::{Backoff, Rng};
use crate::gate::clerk::Clerk;
use crate::gate::net::{Channel, Heard, Net, Over};
use crate::private::PrivateEvent;

/// Messages taken in one step.
const MESSAGES_A_STEP: usize = 16;

/// How a channel behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelConfig {
    /// How long connecting and subscribing may take.
    pub open: Ns,
    /// Silence after which it is dead: Kalshi pings every 10 s, Polymarket answers our pings.
    pub silence: Ns,
    /// How often our own ping is sent, where the venue wants one.
    pub ping_every: Ns,
    /// What an answer told first must be told here within this: a channel that is silent about our
    /// orders answers pings all the same.
    pub tells_within: Ns,
    /// First wait after it was lost.
    pub retry_first: Ns,
    /// Longest such wait.
    pub retry_longest: Ns,
}

impl Default for ChannelConfig {
    fn default() -> ChannelConfig {
        ChannelConfig {
            open: Ns::from_ms(10_000),
            silence: Ns::from_ms(25_000),
            ping_every: Ns::from_ms(10_000),
            tells_within: Ns::from_ms(3_000),
            retry_first: Ns::from_ms(250),
            retry_longest: Ns::from_ms(10_000),
        }
    }
}

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It connects and upgrades.
    Opening,
    /// Our first frame left.
    Greeted,
    /// The venue acknowledged it.
    Subscribed,
}

struct Life<C> {
    channel: C,
    stage: Stage,
    since: Ns,
    heard: Ns,
    ping_at: Ns,
    /// Since when nothing is missed.
    subscribed: Ns,
    /// It owes us a word by then.
    owes_by: Ns,
}

/// What became of the channel in a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChannelNews {
    /// It is subscribed: what happened before may have been missed.
    Subscribed,
    /// It is lost.
    Lost,
    /// It is lost, because the venue does not know who we are.
    Refused,
}

/// The channel.
pub struct PrivateChannel<C> {
    life: Option<Life<C>>,
    retry_at: Ns,
    config: ChannelConfig,
    backoff: Backoff,
    attempts: usize,
    unread: u64,
    /// What logs us in, while it is written.
    secret: Zeroizing<Vec<u8>>,
}

impl<C: Channel> PrivateChannel<C> {
    /// A channel that connects in its first step.
    pub fn new(config: ChannelConfig) -> PrivateChannel<C> {
        PrivateChannel {
            life: None,
            retry_at: Ns(0),
            config,
            backoff: Backoff::new(config.retry_first, config.retry_longest),
            attempts: 0,
            unread: 0,
            secret: Zeroizing::new(Vec::with_capacity(2_048)),
        }
    }

    /// True where nothing is missed.
    pub fn is_subscribed(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.stage == Stage::Subscribed)
    }

    /// Frames that could not be read.
    pub const fn unread(&self) -> u64 {
        self.unread
    }

    /// An answer told what happened after `since`, and nobody told it here. A channel that was
    /// subscribed by then has to tell of our orders soon, or is left for a new one.
    pub fn owes(&mut self, since: Ns, now: Ns) {
        let by = now.after(self.config.tells_within);
        if let Some(life) = &mut self.life
            && life.stage == Stage::Subscribed
            && life.subscribed <= since
        {
            life.owes_by = life.owes_by.min(by);
        }
    }

    /// When something is due though nothing comes.
    pub fn next_deadline(&self) -> Ns {
        let Some(life) = &self.life else { return self.retry_at };
        life.dies_at(&self.config).min(life.ping_at)
    }

    /// Goes on; `tell` hears what came. Returns the number of messages and what became of it.
    pub fn step<K: Clerk, N: Net<Channel = C>>(
        &mut self,
        now: Now,
        clerk: &mut K,
        net: &mut N,
        rng: &mut Rng,
        tell: &mut dyn FnMut(PrivateEvent),
    ) -> (usize, Option<ChannelNews>) {
        let Some(life) = &mut self.life else {
            if now.mono >= self.retry_at {
                self.connect(now, clerk, net, rng);
            }
            return (0, None);
        };
        let was = life.stage;
        let mut done = 0;
        let mut alive = Ok(true);
        while done < MESSAGES_A_STEP && matches!(alive, Ok(true)) {
            alive = life.take(now.mono, clerk, &mut self.secret, &mut self.unread, tell);
            done += usize::from(matches!(alive, Ok(true)));
        }
        let alive = alive.and_then(|_| life.ping(now.mono, clerk, &self.config));
        let over = alive.err();
        if over.is_some() || now.mono >= life.dies_at(&self.config) {
            life.channel.close();
            self.life = None;
            self.retry_at = now.mono.after(self.backoff.wait(rng));
            let news = match over {
                Some(Over::Refused) => ChannelNews::Refused,
                Some(Over::Lost) | None => ChannelNews::Lost,
            };
            return (done, Some(news));
        }
        if was != Stage::Subscribed && life.stage == Stage::Subscribed {
            self.backoff.reset();
            return (done, Some(ChannelNews::Subscribed));
        }
        (done, None)
    }

    /// Says goodbye for good.
    pub fn close(&mut self) {
        if let Some(mut life) = self.life.take() {
            life.channel.close();
        }
        self.retry_at = Ns(u64::MAX);
    }

    #[cold]
    fn connect<K: Clerk, N: Net<Channel = C>>(
        &mut self,
        now: Now,
        clerk: &mut K,
        net: &mut N,
        rng: &mut Rng,
    ) {
        self.secret.clear();
        let may = clerk.login(now, &mut self.secret);
        let opened = may.then(|| net.channel(self.attempts, &self.secret));
        self.secret.clear();
        self.attempts += 1;
        match opened {
            Some(Ok(channel)) => {
                let (since, never) = (now.mono, Ns(u64::MAX));
                let stage = Stage::Opening;
                self.life = Some(Life {
                    channel,
                    stage,
                    since,
                    heard: since,
                    ping_at: never,
                    subscribed: never,
                    owes_by: never,
                });
            }
            Some(Err(_)) | None => self.retry_at = now.mono.after(self.backoff.wait(rng)),
        }
    }
}

impl<C: Channel> Life<C> {
    /// Takes one message; false where there is none.
    fn take<K: Clerk>(
        &mut self,
        now: Ns,
        clerk: &mut K,
        secret: &mut Vec<u8>,
        unread: &mut u64,
        tell: &mut dyn FnMut(PrivateEvent),
    ) -> Result<bool, Over> {
        let heard = match self.channel.poll() {
            Ok(Some(heard)) => heard,
            Ok(None) => return Ok(false),
            Err(over) => return Err(over),
        };
        self.heard = now;
        match heard {
            Heard::Alive => {}
            Heard::Opened => {
                clerk.greet(secret);
                let sent = core::str::from_utf8(secret).is_ok_and(|f| self.channel.send(f).is_ok());
                secret.clear();
                if !sent {
                    return Err(Over::Lost);
                }
                self.stage = Stage::Greeted;
                self.ping_at = now; // A ping follows at once: its answer proves the login read.
            }
            Heard::Text(text) => {
                let (mut subscribed, mut broken, mut told) = (false, false, false);
                let understood = clerk.frame(text, &mut |event| match event {
                    PrivateEvent::Subscribed => subscribed = true,
                    PrivateEvent::Broken => broken = true,
                    other => {
                        told |= matches!(other, PrivateEvent::Fill(_) | PrivateEvent::Order(_));
                        tell(other);
                    }
                });
                if told {
                    self.owes_by = Ns(u64::MAX);
                }
                *unread += u64::from(!understood);
                if broken {
                    return Err(Over::Lost);
                }
                if subscribed {
                    if self.stage != Stage::Subscribed {
                        self.subscribed = now;
                    }
                    self.stage = Stage::Subscribed;
                }
            }
        }
        Ok(true)
    }

    fn ping<K: Clerk>(&mut self, now: Ns, clerk: &K, config: &ChannelConfig) -> Result<bool, Over> {
        if now < self.ping_at {
            return Ok(false);
        }
        let Some(text) = clerk.heartbeat() else {
            self.ping_at = Ns(u64::MAX);
            return Ok(false);
        };
        self.ping_at = now.after(config.ping_every);
        self.channel.send(text).map(|()| true)
    }

    fn dies_at(&self, config: &ChannelConfig) -> Ns {
        match self.stage {
            Stage::Opening | Stage::Greeted => self.since.after(config.open),
            Stage::Subscribed => self.heard.after(config.silence).min(self.owes_by),
        }
    }
}
