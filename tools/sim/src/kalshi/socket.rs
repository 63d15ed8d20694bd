//! WebSocket sessions: commands, subscriptions, and news as frames (kalshi.md section 2).

use std::collections::{BTreeMap, BTreeSet};

use engine::units::{Ns, Qty};
use serde_json::{Value, json};

use super::exchange::Exchange;
use super::news::News;
use super::text::{contracts, ms, rfc3339, secs, size};
use crate::venue::{ClientId, Outbox, Push, Side};

/// Between two pings of the venue.
const HEARTBEAT: Ns = Ns::from_ms(10_000);

/// Commands a second that a session may send.
const COMMANDS_MAX: u32 = 10_000;

/// What can be subscribed here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Channel {
    Orderbook,
    Ticker,
    Trade,
    Fill,
    UserOrders,
    Positions,
    Lifecycle,
    Groups,
}

impl Channel {
    fn from_name(name: &str) -> Option<Channel> {
        Some(match name {
            "orderbook_delta" => Channel::Orderbook,
            "ticker" => Channel::Ticker,
            "trade" => Channel::Trade,
            "fill" => Channel::Fill,
            "user_orders" => Channel::UserOrders,
            "market_positions" => Channel::Positions,
            "market_lifecycle_v2" => Channel::Lifecycle,
            "order_group_updates" => Channel::Groups,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Channel::Orderbook => "orderbook_delta",
            Channel::Ticker => "ticker",
            Channel::Trade => "trade",
            Channel::Fill => "fill",
            Channel::UserOrders => "user_orders",
            Channel::Positions => "market_positions",
            Channel::Lifecycle => "market_lifecycle_v2",
            Channel::Groups => "order_group_updates",
        }
    }

    const fn is_counted(self) -> bool {
        match self {
            Channel::Orderbook | Channel::Trade | Channel::Lifecycle | Channel::Groups => true,
            Channel::Ticker | Channel::Fill | Channel::UserOrders | Channel::Positions => false,
        }
    }

    /// True where tickers narrow what it sends.
    const fn is_filtered(self) -> bool {
        !matches!(self, Channel::Lifecycle | Channel::Groups)
    }
}

struct Subscription {
    sid: u64,
    channel: Channel,
    /// `None` for all markets.
    markets: Option<BTreeSet<usize>>,
    seq: u64,
    use_yes_price: bool,
    skip_ticker_ack: bool,
}

impl Subscription {
    fn hears(&self, market: usize) -> bool {
        self.markets.as_ref().is_none_or(|markets| markets.contains(&market))
    }

    /// `,"sid":1,"seq":2`; the number is used up.
    fn count(&mut self) -> String {
        if !self.channel.is_counted() {
            return format!(",\"sid\":{}", self.sid);
        }
        self.seq += 1;
        format!(",\"sid\":{},\"seq\":{}", self.sid, self.seq)
    }
}

struct Session {
    account: usize,
    subscriptions: Vec<Subscription>,
    last_sid: u64,
    ping_due: Ns,
    /// The current second and its commands.
    commands: (u64, u32),
}

/// An error of a command: code, text, and tickers that it is about.
struct CommandError(u32, &'static str, Vec<String>);

impl CommandError {
    const fn new(code: u32, text: &'static str) -> CommandError {
        CommandError(code, text, Vec::new())
    }
}

/// What a ticker frame says of a market.
#[derive(Clone, PartialEq, Eq)]
struct TickerState {
    tops: [(engine::units::Px, u64); 2],
    last: Option<(engine::units::Px, Qty)>,
    volume_e2: u64,
    open_e2: u64,
}

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

impl Session {
    fn obey(
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

    fn subscribe(
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
                let all = || (0..exchange.markets.len()).collect();
                for market in added.unwrap_or_else(all) {
                    say(subscription.initial(exchange, market, None));
                }
            }
        }
        Ok(())
    }

    fn unsubscribe(
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

    fn update(
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

    fn place_of(&self, sid: u64) -> Option<usize> {
        self.subscriptions.iter().position(|subscription| subscription.sid == sid)
    }
}

impl Subscription {
    /// Adds markets; those that are new. Everything stays everything.
    fn add(&mut self, more: Option<BTreeSet<usize>>) -> Option<BTreeSet<usize>> {
        match (&mut self.markets, more) {
            (Some(markets), Some(more)) => {
                let new: BTreeSet<usize> = more.difference(markets).copied().collect();
                markets.extend(&new);
                Some(new)
            }
            (Some(_), None) => {
                self.markets = None;
                None
            }
            (None, _) => Some(BTreeSet::new()),
        }
    }

    /// The answer to an update.
    fn ok(&mut self, exchange: &Exchange, id: Option<u64>) -> String {
        let id = id.map_or(String::new(), |id| format!("\"id\":{id}"));
        let tickers = self.markets.iter().flatten().map(|market| &exchange.markets[*market]);
        let msg = match self.skip_ticker_ack {
            true => json!({}),
            false => json!({
                "market_tickers": tickers.map(|market| json!(market.spec.ticker)).collect::<Value>()
            }),
        };
        let frame = format!("{{{id}{},\"type\":\"ok\",\"msg\":{msg}}}", self.count());
        frame.replacen("{,", "{", 1)
    }

    /// The state of a market as its channel shows it at first.
    fn initial(&mut self, exchange: &Exchange, market: usize, id: Option<u64>) -> String {
        if self.channel == Channel::Ticker {
            return TickerState::of(exchange, market).frame(exchange, market, self);
        }
        let id = id.map_or(String::new(), |id| format!(",\"id\":{id}"));
        let market = &exchange.markets[market];
        let mut body = String::new();
        for (key, side) in [("yes_dollars_fp", Side::Bid), ("no_dollars_fp", Side::Ask)] {
            let flips = side == Side::Ask && !self.use_yes_price;
            let price = |px: engine::units::Px| if flips { px.complement() } else { px };
            let levels = market.book.levels(side);
            let level = |(px, e2)| format!("[\"{}\",\"{}\"]", price(px), size(e2));
            // Ascending in the prices that are shown.
            let levels: Vec<String> = match side == Side::Bid || flips {
                true => levels.rev().map(level).collect(),
                false => levels.map(level).collect(),
            };
            if !levels.is_empty() {
                body += &format!(",\"{key}\":[{}]", levels.join(","));
            }
        }
        format!(
            "{{\"type\":\"orderbook_snapshot\"{id},\"sending_ts_ms\":{}{},\"msg\":{{\"market_ticker\":{},\"market_id\":\"{}\"{body}}}}}",
            ms(exchange.now),
            self.count(),
            json!(market.spec.ticker),
            market.id,
        )
    }

    /// A piece of news as this subscription tells it; nothing where it does not.
    fn frame(&mut self, exchange: &Exchange, account: usize, news: &News) -> Option<String> {
        let (kind, msg) = match (self.channel, news) {
            (Channel::Orderbook, News::Level { market, side, px, delta_e2, by })
                if self.hears(*market) =>
            {
                let msg = self.delta(exchange, account, *market, (*side, *px), *delta_e2, *by);
                ("orderbook_delta", msg)
            }
            (Channel::Trade, News::Trade(trade)) if self.hears(trade.market) => {
                ("trade", trade.message(&exchange.markets[trade.market]).to_string())
            }
            (Channel::Fill, News::Fill(fill))
                if fill.account == account && self.hears(fill.market) =>
            {
                let order = &exchange.orders[fill.order];
                ("fill", fill.message(order, &exchange.markets[fill.market]).to_string())
            }
            (Channel::UserOrders, News::Order(order))
                if order.account == account && self.hears(order.asked.market) =>
            {
                let group = order.asked.group.map(|group| exchange.groups[group].id.as_str());
                let market = &exchange.markets[order.asked.market];
                let user_id = &exchange.accounts[account].user_id;
                ("user_order", order.message(user_id, market, group).to_string())
            }
            (Channel::Positions, News::Position { account: owner, market })
                if *owner == account && self.hears(*market) =>
            {
                ("market_position", exchange.position_message(account, *market).to_string())
            }
            (Channel::Lifecycle, News::Lifecycle(kind, msg)) => (*kind, msg.to_string()),
            (Channel::Groups, News::Group { group, event }) => {
                let group = &exchange.groups[*group];
                if group.account != account {
                    return None;
                }
                let mut msg = json!({"event_type": event, "order_group_id": group.id});
                if matches!(*event, "created" | "limit_updated") {
                    msg["contracts_limit_fp"] = json!(group.limit.to_string());
                }
                msg["ts_ms"] = json!(ms(exchange.now));
                ("order_group_updates", msg.to_string())
            }
            _ => return None,
        };
        let at = ms(exchange.now);
        let count = self.count();
        Some(format!("{{\"type\":\"{kind}\",\"sending_ts_ms\":{at}{count},\"msg\":{msg}}}"))
    }

    fn delta(
        &self,
        exchange: &Exchange,
        account: usize,
        market: usize,
        (side, px): (Side, engine::units::Px),
        delta_e2: i64,
        by: Option<usize>,
    ) -> String {
        let market = &exchange.markets[market];
        let (name, px) = match side {
            Side::Bid => ("yes", px),
            Side::Ask if self.use_yes_price => ("no", px),
            Side::Ask => ("no", px.complement()),
        };
        let own = by.map(|number| &exchange.orders[number]).filter(|o| o.account == account);
        let own = own.map_or(String::new(), |order| {
            format!(",\"client_order_id\":{},\"subaccount\":0", json!(order.asked.client_order_id))
        });
        format!(
            "{{\"market_ticker\":{},\"market_id\":\"{}\",\"price_dollars\":\"{px}\",\"delta_fp\":\"{}\",\"side\":\"{name}\",\"ts\":\"{}\",\"ts_ms\":{}{own}}}",
            json!(market.spec.ticker),
            market.id,
            contracts(delta_e2),
            rfc3339(exchange.now),
            ms(exchange.now),
        )
    }
}

impl TickerState {
    fn of(exchange: &Exchange, market: usize) -> TickerState {
        let market = &exchange.markets[market];
        TickerState {
            tops: [market.top(Side::Bid), market.top(Side::Ask)],
            last: market.last,
            volume_e2: market.volume_e2,
            open_e2: market.open_e2,
        }
    }

    fn frame(&self, exchange: &Exchange, market: usize, subscription: &mut Subscription) -> String {
        let market = &exchange.markets[market];
        let [(bid, bid_size), (ask, ask_size)] = self.tops;
        let (last, last_size) = self.last.unwrap_or_default();
        let msg = json!({
            "market_id": market.id,
            "market_ticker": market.spec.ticker,
            "price_dollars": last.to_string(),
            "yes_bid_dollars": bid.to_string(),
            "yes_ask_dollars": ask.to_string(),
            "volume_fp": size(self.volume_e2),
            "open_interest_fp": size(self.open_e2),
            "dollar_volume": market.volume_usd_e6 / 1_000_000,
            "dollar_open_interest": self.open_e2 / 100,
            "yes_bid_size_fp": size(bid_size),
            "yes_ask_size_fp": size(ask_size),
            "last_trade_size_fp": last_size.to_string(),
            "ts": secs(exchange.now),
            "ts_ms": ms(exchange.now),
            "time": rfc3339(exchange.now),
        });
        let (at, count) = (ms(exchange.now), subscription.count());
        format!("{{\"type\":\"ticker\",\"sending_ts_ms\":{at}{count},\"msg\":{msg}}}")
    }
}

/// The markets that a command names by ticker; `None` where it names none.
fn tickers_of(exchange: &Exchange, params: &Value) -> Result<Option<Vec<usize>>, CommandError> {
    named(params, "market_ticker", "market_tickers", |ticker| exchange.tickers.get(ticker).copied())
}

/// The markets that a command names by id.
fn ids_of(exchange: &Exchange, params: &Value) -> Result<Option<Vec<usize>>, CommandError> {
    let find = |id: &str| exchange.markets.iter().position(|market| market.id == id);
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
