//! The market and the user channel (polymarket.md sections 2 and 3).

use std::collections::BTreeSet;

use engine::units::{Ns, Px};
use serde_json::{Value, json};

use crate::polymarket::Polymarket;
use crate::polymarket::catalogue;
use crate::polymarket::eip712::Address;
use crate::polymarket::market::{Change, Market, Print};
use crate::polymarket::order::{Order, View};
use crate::polymarket::wallet::TokenKey;
use crate::venue::{ClientId, Outbox, Push};

/// Assets that a socket may name; the venue publishes no limit, a simulator needs one.
const ASSETS_MAX: usize = 10_000;

/// A socket of a client.
#[derive(Clone, Debug)]
pub enum Client {
    /// `/ws/market`.
    Market {
        /// What it listens to.
        assets: BTreeSet<TokenKey>,
        /// It wants `best_bid_ask`, `new_market` and `market_resolved`.
        custom: bool,
    },
    /// `/ws/user`.
    User {
        /// Whose account, once it said so.
        address: Option<Address>,
        /// Condition ids in lower case; empty for all.
        markets: BTreeSet<String>,
    },
}

impl Client {
    /// A market socket that listens to nothing.
    pub const fn market() -> Client {
        Client::Market { assets: BTreeSet::new(), custom: false }
    }

    /// A user socket that said nothing.
    pub const fn user() -> Client {
        Client::User { address: None, markets: BTreeSet::new() }
    }
}

fn texts<'a>(frame: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    frame[key].as_array().into_iter().flatten().filter_map(Value::as_str)
}

impl Polymarket {
    /// A client's frame.
    pub(super) fn hear(&mut self, client: ClientId, text: &str, out: &mut Outbox) {
        if text == "PING" {
            return out.text(client, "PONG");
        }
        let Ok(frame) = serde_json::from_str::<Value>(text) else {
            return out.text(client, "INVALID OPERATION");
        };
        match self.clients.get(&client) {
            Some(Client::Market { .. }) => self.hear_market(client, &frame, out),
            Some(Client::User { .. }) => self.hear_user(client, &frame, out),
            None => {}
        }
    }

    fn hear_market(&mut self, client: ClientId, frame: &Value, out: &mut Outbox) {
        let named: Vec<TokenKey> =
            texts(frame, "assets_ids").filter_map(|id| self.tokens.get(id).copied()).collect();
        let Some(Client::Market { assets, custom }) = self.clients.get_mut(&client) else { return };
        // The flag counts even where every asset is a duplicate.
        if let Some(flag) = frame["custom_feature_enabled"].as_bool() {
            *custom = flag;
        }
        match frame["operation"].as_str() {
            Some("unsubscribe") => {
                assets.retain(|asset| !named.contains(asset));
            }
            Some("subscribe") | None => {
                let room = ASSETS_MAX.saturating_sub(assets.len());
                let named = named.into_iter().take(room);
                let new: Vec<TokenKey> = named.filter(|asset| assets.insert(*asset)).collect();
                if frame["initial_dump"].as_bool() != Some(false) && !new.is_empty() {
                    let books = new.iter().map(|asset| self.markets[asset.0].book_event(asset.1));
                    out.text(client, format!("[{}]", books.collect::<Vec<String>>().join(",")));
                }
            }
            Some(_) => out.text(client, "INVALID OPERATION"),
        }
    }

    fn hear_user(&mut self, client: ClientId, frame: &Value, out: &mut Outbox) {
        let named: Vec<String> = texts(frame, "markets").map(str::to_lowercase).collect();
        let known = self.keys.of_frame(&frame["auth"]).map(|key| key.address);
        let Some(Client::User { address, markets }) = self.clients.get_mut(&client) else { return };
        if address.is_none() {
            *address = known;
            markets.extend(named);
            if address.is_none() {
                out.pushes.push(Push::Close(client));
            }
            return;
        }
        match frame["operation"].as_str() {
            Some("subscribe") => markets.extend(named),
            Some("unsubscribe") => markets.retain(|market| !named.contains(market)),
            _ => out.text(client, "INVALID OPERATION"),
        }
    }

    /// Market sockets that listen to any of a market's tokens, with those tokens and the flag.
    fn listeners(&self, market: usize) -> Vec<(ClientId, Vec<usize>, bool)> {
        let mut found = Vec::new();
        for (client, socket) in &self.clients {
            let Client::Market { assets, custom } = socket else { continue };
            let own = [0, 1].into_iter().filter(|token| assets.contains(&(market, *token)));
            let own: Vec<usize> = own.collect();
            if !own.is_empty() {
                found.push((*client, own, *custom));
            }
        }
        found
    }

    /// Tells what changed in a market's book, and what was traded.
    pub(super) fn publish(&mut self, now: Ns, number: usize, prints: &[Print], out: &mut Outbox) {
        let listeners = self.listeners(number);
        let market = &mut self.markets[number];
        let before = market.told_best;
        let changes = market.changes(now);
        market.told_best = market.best(0);
        let moved = market.told_best != before;
        if !listeners.is_empty() {
            tell(market, &listeners, prints, &changes, moved, now, out);
        }
        if let Some(tick) = market.due_tick() {
            self.retick(now, number, tick, out);
        }
    }

    /// A market gets another tick, and both its books begin anew.
    pub(super) fn retick(&mut self, now: Ns, number: usize, tick: u16, out: &mut Outbox) {
        let listeners = self.listeners(number);
        let market = &mut self.markets[number];
        let old = std::mem::replace(&mut market.tick, tick);
        for (client, tokens, _) in &listeners {
            for token in tokens {
                out.text(*client, market.tick_change(*token, old, now.0 / 1_000_000));
                out.text(*client, market.book_event(*token));
            }
        }
    }

    fn view<'a>(&'a self, order: &Order) -> View<'a> {
        let spec = &self.markets[order.token.0].spec;
        View {
            wallet: &self.wallets[order.wallet],
            condition: &spec.condition_id,
            asset: &spec.tokens[order.token.1],
            outcome: &spec.outcomes[order.token.1],
            trades: order.trades.iter().map(|trade| self.trades[*trade].id.as_str()).collect(),
        }
    }

    /// A row of an order for REST.
    pub(super) fn order_row(&self, number: usize) -> Value {
        let order = &self.orders[number];
        order.row(&self.view(order))
    }

    /// User sockets of an account that listen to a market.
    fn owners(&self, owner: &Address, market: usize) -> Vec<ClientId> {
        let condition = self.markets[market].spec.condition_id.to_lowercase();
        let mut found = Vec::new();
        for (client, socket) in &self.clients {
            if let Client::User { address: Some(address), markets } = socket
                && address == owner
                && (markets.is_empty() || markets.contains(&condition))
            {
                found.push(*client);
            }
        }
        found
    }

    /// An `order` event to its owner.
    pub(super) fn tell_order(&self, now: Ns, number: usize, what: &str, out: &mut Outbox) {
        let order = &self.orders[number];
        let owners = self.owners(&self.wallets[order.wallet].signer, order.token.0);
        if !owners.is_empty() {
            let event = order.event(&self.view(order), what, now).to_string();
            for client in owners {
                out.text(client, event.clone());
            }
        }
    }

    /// A `trade` event to everybody who has a part in it.
    pub(super) fn tell_trade(&self, now: Ns, number: usize, out: &mut Outbox) {
        let trade = &self.trades[number];
        let mut told = BTreeSet::new();
        for (at, party) in trade.parties().enumerate() {
            let Some(wallet) = party.moves.wallet else { continue };
            let role = if at == 0 { "TAKER" } else { "MAKER" };
            if !told.insert((role, party.owner.as_str())) {
                continue;
            }
            for client in self.owners(&self.wallets[wallet].signer, party.token.0) {
                out.text(client, trade.event(role, &party.owner, now).to_string());
            }
        }
    }

    fn tell_custom(&self, event: &Value, out: &mut Outbox) {
        for (client, socket) in &self.clients {
            if matches!(socket, Client::Market { custom: true, .. }) {
                out.text(*client, event.to_string());
            }
        }
    }

    /// A `new_market` to all who want it, subscribed or not.
    pub(super) fn announce(&self, number: usize, now: Ns, out: &mut Outbox) {
        self.tell_custom(&catalogue::new_market(&self.markets[number], now), out);
    }

    /// A `market_resolved` to all who want it.
    pub(super) fn tell_resolved(&self, now: Ns, number: usize, out: &mut Outbox) {
        let market = &self.markets[number];
        let spec = &market.spec;
        let pays = market.pays().unwrap_or_default();
        let winner = pays.iter().position(|px| *px == Px::ONE);
        let of_winner = |names: &[String; 2]| winner.map_or("", |at| names[at].as_str()).to_owned();
        let event = json!({
            "event_type": "market_resolved",
            "id": spec.gamma_id.to_string(),
            "market": spec.condition_id,
            "assets_ids": spec.tokens,
            "winning_asset_id": of_winner(&spec.tokens),
            "winning_outcome": of_winner(&spec.outcomes),
            "event_message": catalogue::event_message(spec),
            "timestamp": (now.0 / 1_000_000).to_string(),
            "tags": [],
        });
        self.tell_custom(&event, out);
    }
}

fn tell(
    market: &Market,
    listeners: &[(ClientId, Vec<usize>, bool)],
    prints: &[Print],
    changes: &[Change],
    moved: bool,
    now: Ns,
    out: &mut Outbox,
) {
    let change = (!changes.is_empty()).then(|| market.price_change(changes));
    let books = (!prints.is_empty()).then(|| [market.book_event(0), market.book_event(1)]);
    for (client, tokens, custom) in listeners {
        for print in prints.iter().filter(|print| tokens.contains(&print.token)) {
            out.text(*client, market.print(print, now.0 / 1_000_000));
        }
        if let Some(change) = &change {
            out.text(*client, change.clone());
        }
        for token in tokens {
            if let Some(books) = &books {
                out.text(*client, books[*token].clone());
            }
            if *custom && moved {
                out.text(*client, market.best_bid_ask(*token));
            }
        }
    }
}
