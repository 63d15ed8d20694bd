//! A member's session: what it commands.

use std::collections::BTreeSet;

use engine::units::Ns;
use serde_json::{Value, json};

use super::channel::Channel;
use super::subscription::Subscription;
use crate::kalshi::exchange::Exchange;
use crate::kalshi::text::{ms, secs};

/// Commands a second that a session may send.
const COMMANDS_MAX: u32 = 10_000;

/// A member's WebSocket.
pub(super) struct Session {
    pub(super) account: usize,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) last_sid: u64,
    pub(super) ping_due: Ns,
    /// The current second and its commands.
    pub(super) commands: (u64, u32),
}

/// An error of a command: code, text, and tickers that it is about.
pub(super) struct CommandError(pub(super) u32, pub(super) &'static str, pub(super) Vec<String>);

impl CommandError {
    pub(super) const fn new(code: u32, text: &'static str) -> CommandError {
        CommandError(code, text, Vec::new())
    }
}

impl Session {
    pub(super) fn obey(
        &mut self,
        exchange: &Exchange,
        command: &Value,
        id: Option<u64>,
        say: &mut impl FnMut(String),
    ) -> Result<(), CommandError> {
        let second = secs(exchange.now);
        let so_far = if self.commands.0 == second { self.commands.1 } else { 0 };
        self.commands = (second, so_far + 1);
        if so_far >= COMMANDS_MAX {
            return Err(CommandError::new(27, "Too many requests"));
        }
        let readable = command.is_object() && (command["id"].is_null() || command["id"].is_u64());
        let name = command["cmd"].as_str().filter(|_| readable);
        let name = name.ok_or(CommandError::new(1, "Unable to process message"))?;
        let params = &command["params"];
        if name == "list_subscriptions" {
            let list = self.subscriptions.iter().map(|subscription| {
                json!({"channel": subscription.channel.name(), "sid": subscription.sid})
            });
            let id = id.map_or(String::new(), |id| format!("\"id\":{id},"));
            say(format!("{{{id}\"type\":\"ok\",\"msg\":{}}}", list.collect::<Value>()));
            return Ok(());
        }
        if !matches!(name, "subscribe" | "unsubscribe" | "update_subscription") {
            return Err(CommandError::new(5, "Unknown command"));
        }
        if !params.is_object() {
            return Err(CommandError::new(2, "Params required"));
        }
        match name {
            "subscribe" => self.subscribe(exchange, params, id, say),
            "unsubscribe" => self.unsubscribe(params, id, say),
            _ => self.update(exchange, params, id, say),
        }
    }

    pub(super) fn subscribe(
        &mut self,
        exchange: &Exchange,
        params: &Value,
        id: Option<u64>,
        say: &mut impl FnMut(String),
    ) -> Result<(), CommandError> {
        let names = params["channels"].as_array().filter(|names| !names.is_empty());
        let names = names.ok_or(CommandError::new(3, "Channels required"))?;
        let channels: Option<Vec<Channel>> =
            names.iter().map(|name| name.as_str().and_then(Channel::from_name)).collect();
        let channels = channels.ok_or(CommandError::new(8, "Unknown channel name"))?;
        let flag = |name: &str| params[name].as_bool().unwrap_or(false);
        let tickers = tickers_of(exchange, params)?;
        let ids = ids_of(exchange, params)?;
        if channels.contains(&Channel::Orderbook) && tickers.is_none() {
            return Err(CommandError::new(14, "Market Ticker required"));
        }
        if ids.is_some() && channels.iter().any(|channel| *channel != Channel::Ticker) {
            return Err(CommandError::new(14, "Market Ticker required"));
        }
        for channel in channels {
            let markets = match (&tickers, &ids) {
                _ if !channel.is_filtered() => None,
                (None, None) => None,
                (tickers, ids) => {
                    Some(tickers.iter().chain(ids).flatten().copied().collect::<BTreeSet<usize>>())
                }
            };
            let known = self.subscriptions.iter().position(|known| known.channel == channel);
            let (place, added) = match known {
                None => {
                    self.last_sid += 1;
                    let subscription = Subscription {
                        sid: self.last_sid,
                        channel,
                        markets: markets.clone(),
                        seq: 0,
                        use_yes_price: flag("use_yes_price"),
                        skip_ticker_ack: flag("skip_ticker_ack"),
                    };
                    let id = id.map_or(String::new(), |id| format!("\"id\":{id},"));
                    let (name, sid) = (channel.name(), subscription.sid);
                    let at = ms(exchange.now);
                    say(format!(
                        "{{\"type\":\"subscribed\",{id}\"msg\":{{\"channel\":\"{name}\",\"sid\":{sid}}},\"sending_ts_ms\":{at}}}"
                    ));
                    self.subscriptions.push(subscription);
                    (self.subscriptions.len() - 1, markets)
                }
                Some(place) => {
                    let subscription = &mut self.subscriptions[place];
                    let added = subscription.add(markets);
                    say(subscription.ok(exchange, id));
                    (place, added)
                }
            };
            let subscription = &mut self.subscriptions[place];
            let wants = match channel {
                Channel::Orderbook => true,
                Channel::Ticker => flag("send_initial_snapshot"),
                _ => false,
            };
            if wants {
                let all = || exchange.listed().map(|(market, _)| market).collect();
                for market in added.unwrap_or_else(all) {
                    say(subscription.initial(exchange, market, None));
                }
            }
        }
        Ok(())
    }

    pub(super) fn unsubscribe(
        &mut self,
        params: &Value,
        id: Option<u64>,
        say: &mut impl FnMut(String),
    ) -> Result<(), CommandError> {
        let sids = params["sids"].as_array().filter(|sids| !sids.is_empty());
        let sids = sids.ok_or(CommandError::new(4, "Subscription IDs required"))?;
        let places: Option<Vec<u64>> = sids.iter().map(Value::as_u64).collect();
        let places = places.ok_or(CommandError::new(11, "Invalid parameter"))?;
        if places.iter().any(|sid| self.place_of(*sid).is_none()) {
            return Err(CommandError::new(7, "Unknown subscription ID"));
        }
        for sid in places {
            let Some(place) = self.place_of(sid) else { continue };
            let mut subscription = self.subscriptions.remove(place);
            let id = id.map_or(String::new(), |id| format!("\"id\":{id}"));
            let frame = format!("{{{id}{},\"type\":\"unsubscribed\"}}", subscription.count());
            say(frame.replacen("{,", "{", 1));
        }
        Ok(())
    }

    pub(super) fn update(
        &mut self,
        exchange: &Exchange,
        params: &Value,
        id: Option<u64>,
        say: &mut impl FnMut(String),
    ) -> Result<(), CommandError> {
        let single = &params["sid"];
        let sid = match (params["sids"].as_array().map(Vec::as_slice), single.is_null()) {
            (None, false) => single,
            (Some([sid]), true) => sid,
            _ => return Err(CommandError::new(12, "Exactly one subscription ID is required")),
        };
        let sid = sid.as_u64().ok_or(CommandError::new(11, "Invalid parameter"))?;
        let place = self.place_of(sid).ok_or(CommandError::new(7, "Unknown subscription ID"))?;
        let action = params["action"].as_str().ok_or(CommandError::new(15, "Action required"))?;
        let subscription = &mut self.subscriptions[place];
        if !matches!(action, "add_markets" | "delete_markets" | "get_snapshot") {
            return Err(CommandError::new(13, "Unsupported action"));
        }
        let only_list = action == "get_snapshot" && params["market_tickers"].is_null();
        let tickers = tickers_of(exchange, params)?.filter(|_| !only_list);
        let ids = match subscription.channel {
            Channel::Ticker => ids_of(exchange, params)?,
            _ => None,
        };
        let named = match (tickers, ids) {
            (None, None) => return Err(CommandError::new(14, "Market Ticker required")),
            (tickers, ids) => tickers.into_iter().chain(ids).flatten().collect::<BTreeSet<usize>>(),
        };
        match action {
            "add_markets" => {
                let added = subscription.add(Some(named));
                say(subscription.ok(exchange, id));
                if subscription.channel == Channel::Orderbook {
                    for market in added.into_iter().flatten() {
                        say(subscription.initial(exchange, market, None));
                    }
                }
            }
            "delete_markets" => {
                let all = || (0..exchange.markets.len()).collect();
                let markets = subscription.markets.get_or_insert_with(all);
                markets.retain(|market| !named.contains(market));
                say(subscription.ok(exchange, id));
            }
            _ if subscription.channel != Channel::Orderbook => {
                return Err(CommandError::new(13, "Unsupported action"));
            }
            _ => {
                for market in named {
                    if subscription.hears(market) {
                        say(subscription.initial(exchange, market, id));
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn place_of(&self, sid: u64) -> Option<usize> {
        self.subscriptions.iter().position(|subscription| subscription.sid == sid)
    }
}

/// The markets that a command names by ticker; `None` where it names none.
fn tickers_of(exchange: &Exchange, params: &Value) -> Result<Option<Vec<usize>>, CommandError> {
    named(params, "market_ticker", "market_tickers", |ticker| exchange.tickers.get(ticker).copied())
}

/// The markets that a command names by id.
fn ids_of(exchange: &Exchange, params: &Value) -> Result<Option<Vec<usize>>, CommandError> {
    let find = |id: &str| {
        let found = exchange.listed().find(|(_, market)| market.id == id);
        found.map(|(number, _)| number)
    };
    named(params, "market_id", "market_ids", find)
}

fn named(
    params: &Value,
    one: &str,
    many: &str,
    find: impl Fn(&str) -> Option<usize>,
) -> Result<Option<Vec<usize>>, CommandError> {
    let names: Vec<&Value> = match (&params[one], &params[many]) {
        (Value::Null, Value::Null) => return Ok(None),
        (Value::Null, Value::Array(names)) => names.iter().collect(),
        (name @ Value::String(_), Value::Null) => vec![name],
        _ => return Err(CommandError::new(11, "Invalid parameter")),
    };
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for name in names {
        let name = name.as_str().ok_or(CommandError::new(11, "Invalid parameter"))?;
        match find(name) {
            Some(market) => found.push(market),
            None => unknown.push(name.to_owned()),
        }
    }
    if !unknown.is_empty() {
        return Err(CommandError(11, "Invalid parameter", unknown));
    }
    Ok(if found.is_empty() { None } else { Some(found) })
}
