//! WebSocket sessions: commands, subscriptions, and news as frames (kalshi.md section 2).

mod channel; // what can be subscribed
mod ticker; // the top of a market as a frame
mod subscription; // one channel of a session
mod session; // commands

use std::collections::{BTreeMap, BTreeSet};

use engine::units::Ns;
use serde_json::{Value, json};

use channel::Channel;
use session::{CommandError, Session};
use ticker::TickerState;

use super::exchange::Exchange;
use super::news::News;
use crate::venue::{ClientId, Outbox, Push};

/// Between two pings of the venue.
const HEARTBEAT: Ns = Ns::from_ms(10_000);

/// All sessions.
#[derive(Default)]
pub struct Sockets {
    sessions: BTreeMap<ClientId, Session>,
    /// What was said last on the ticker channel, by market.
    tickers: BTreeMap<usize, TickerState>,
}

impl Sockets {
    /// A session of a member.
    pub fn open(&mut self, now: Ns, client: ClientId, account: usize) {
        let session = Session {
            account,
            subscriptions: Vec::new(),
            last_sid: 0,
            ping_due: now.after(HEARTBEAT),
            commands: (0, 0),
        };
        self.sessions.insert(client, session);
    }

    /// A session is over.
    pub fn close(&mut self, client: ClientId) {
        self.sessions.remove(&client);
    }

    /// The next ping.
    pub fn next_due(&self) -> Option<Ns> {
        self.sessions.values().map(|session| session.ping_due).min()
    }

    /// Pings who is due.
    pub fn tick(&mut self, now: Ns, out: &mut Outbox) {
        for (client, session) in &mut self.sessions {
            if session.ping_due <= now {
                session.ping_due = now.after(HEARTBEAT);
                out.pushes.push(Push::Ping(*client, b"heartbeat".to_vec()));
            }
        }
    }

    /// A command of a client.
    pub fn command(&mut self, exchange: &Exchange, client: ClientId, text: &str, out: &mut Outbox) {
        let Some(session) = self.sessions.get_mut(&client) else { return };
        let mut say = |frame: String| out.text(client, frame + "\n");
        let command: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        let id = command["id"].as_u64().filter(|id| *id > 0);
        if let Err(error) = session.obey(exchange, &command, id, &mut say) {
            let CommandError(code, text, tickers) = error;
            let mut msg = json!({"code": code, "msg": text});
            if !tickers.is_empty() {
                msg["market_tickers"] = json!(tickers);
            }
            let id = id.map_or(String::new(), |id| format!("\"id\":{id},"));
            say(format!("{{{id}\"type\":\"error\",\"msg\":{msg}}}"));
        }
    }

    /// Tells what happened to those who listen.
    pub fn publish(&mut self, exchange: &Exchange, news: &[News], out: &mut Outbox) {
        let mut touched = BTreeSet::new();
        for one in news {
            match one {
                News::Level { market, .. } => _ = touched.insert(*market),
                News::Trade(trade) => _ = touched.insert(trade.market),
                _ => {}
            }
        }
        for (client, session) in &mut self.sessions {
            let account = session.account;
            for subscription in &mut session.subscriptions {
                for one in news {
                    if let Some(frame) = subscription.frame(exchange, account, one) {
                        out.text(*client, frame + "\n");
                    }
                }
            }
        }
        for market in touched {
            let state = TickerState::of(exchange, market);
            if self.tickers.get(&market) == Some(&state) {
                continue;
            }
            for (client, session) in &mut self.sessions {
                for subscription in &mut session.subscriptions {
                    if subscription.channel == Channel::Ticker && subscription.hears(market) {
                        out.text(*client, state.frame(exchange, market, subscription) + "\n");
                    }
                }
            }
            self.tickers.insert(market, state);
        }
    }
}
