//! What a feed says that it should not: messages spoilt on their way to the engine.

use std::collections::VecDeque;

use engine::units::Ns;
use serde_json::Value;
use sim::rng::Rng;
use sim::venue::Push;

/// How a market data message is spoilt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Spoil {
    /// A price that the market's grid does not have.
    OffGrid,
    /// An earlier snapshot of the same connection comes again.
    OldSnapshot,
    /// A copy that names a market nobody asked for.
    WrongMarket,
    /// A size below nothing.
    BadSize,
    /// A level beyond the other side of the book.
    Crossed,
    /// A level at the best price of the other side.
    Locked,
    /// A snapshot without levels.
    Empty,
}

impl Spoil {
    /// All of them.
    pub const ALL: [Spoil; 7] = [
        Spoil::OffGrid,
        Spoil::OldSnapshot,
        Spoil::WrongMarket,
        Spoil::BadSize,
        Spoil::Crossed,
        Spoil::Locked,
        Spoil::Empty,
    ];

    /// Its name in the figures.
    pub const fn name(self) -> &'static str {
        match self {
            Spoil::OffGrid => "feed/off_grid",
            Spoil::OldSnapshot => "feed/old_snapshot",
            Spoil::WrongMarket => "feed/wrong_market",
            Spoil::BadSize => "feed/bad_size",
            Spoil::Crossed => "feed/crossed",
            Spoil::Locked => "feed/locked",
            Spoil::Empty => "feed/empty_book",
        }
    }
}

/// What is to be spoilt at one site, and what was seen there.
#[derive(Default)]
pub struct Spoiler {
    armed: Vec<Spoil>,
    /// The last snapshots, with their client.
    snapshots: VecDeque<Push>,
}

/// Snapshots kept to be said again.
const SNAPSHOTS_MAX: usize = 16;

impl Spoiler {
    /// The next message that can be is spoilt so.
    pub fn arm(&mut self, spoil: Spoil) {
        if !self.armed.contains(&spoil) {
            self.armed.push(spoil);
        }
    }

    /// Nothing is spoilt any more.
    pub fn heal(&mut self) {
        self.armed.clear();
    }

    /// Spoils a message, perhaps: what is said in its place, and what was done to it.
    pub fn pass(&mut self, _now: Ns, push: Push, rng: &mut Rng) -> (Vec<Push>, Option<Spoil>) {
        let Push::Text(client, text) = &push else { return (vec![push], None) };
        let is_snapshot =
            text.contains("\"orderbook_snapshot\"") || text.contains("\"event_type\":\"book\"");
        let is_change = text.contains("\"orderbook_delta\"") && text.contains("delta_fp")
            || text.contains("\"price_changes\"");
        if is_snapshot {
            if self.snapshots.len() == SNAPSHOTS_MAX {
                self.snapshots.pop_front();
            }
            self.snapshots.push_back(push.clone());
        }
        let fits = |spoil: &Spoil| match spoil {
            Spoil::Empty => is_snapshot,
            _ => is_change,
        };
        let Some(at) = self.armed.iter().rposition(fits) else { return (vec![push], None) };
        let spoil = self.armed[at];
        let made = match spoil {
            Spoil::OffGrid => {
                replaced(text, &["\"price_dollars\":\"", "\"price\":\""], |_| "0.43217".to_owned())
            }
            Spoil::BadSize => replaced(text, &["\"delta_fp\":\"", "\"size\":\""], |size| {
                // More than ever lies on a level: less might be true, and nobody could tell.
                format!("-99999{}", size.trim_start_matches('-'))
            }),
            Spoil::Crossed => levels(text, |level| match level.buys {
                true => Some("0.99".to_owned()),
                false => Some("0.01".to_owned()),
            }),
            Spoil::Locked => levels(text, |level| level.opposite),
            Spoil::Empty => emptied(text),
            Spoil::WrongMarket => {
                let markers = ["\"market_ticker\":\"", "\"asset_id\":\""];
                let copy = replaced(text, &markers, |name| format!("{}7", &name[..name.len() - 1]));
                let copy = copy.map(|copy| Push::Text(*client, copy));
                let Some(copy) = copy else { return (vec![push], None) };
                self.armed.remove(at);
                // A copy has the number of its original: before it, it would take its place.
                let said = if text.contains("\"seq\":") { [push, copy] } else { [copy, push] };
                return (said.into(), Some(spoil));
            }
            Spoil::OldSnapshot => {
                let own = |old: &&Push| matches!(old, Push::Text(to, _) if to == client);
                let old: Vec<&Push> = self.snapshots.iter().filter(own).collect();
                if old.is_empty() {
                    return (vec![push], None);
                }
                let old = (*rng.pick(&old)).clone();
                self.armed.remove(at);
                return (vec![push, old], Some(spoil));
            }
        };
        match made {
            Some(text) => {
                self.armed.remove(at);
                (vec![Push::Text(*client, text)], Some(spoil))
            }
            None => (vec![push], None),
        }
    }
}

/// The text with every value behind these markers replaced; `None` where there is none.
fn replaced(text: &str, markers: &[&str], value: impl Fn(&str) -> String) -> Option<String> {
    let marker = markers.iter().find(|marker| text.contains(**marker))?;
    let mut made = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find(marker) {
        let (before, behind) = rest.split_at(at + marker.len());
        let end = behind.find('"')?;
        made.push_str(before);
        made.push_str(&value(&behind[..end]));
        rest = &behind[end..];
    }
    made.push_str(rest);
    Some(made)
}

/// A level that a message names.
struct Level {
    /// It is a bid: of YES, or on Kalshi of NO.
    buys: bool,
    /// The best price of the other side, where the message tells.
    opposite: Option<String>,
}

/// The text with the prices of its levels moved, and something offered there; `None` where no
/// level is.
fn levels(text: &str, price: impl Fn(Level) -> Option<String>) -> Option<String> {
    let mut message: Value = serde_json::from_str(text).ok()?;
    let mut moved = false;
    if let Some(delta) = message.get_mut("msg").filter(|msg| msg["delta_fp"].is_string()) {
        // Both sides of Kalshi's book are bids.
        let new = price(Level { buys: true, opposite: None })?;
        delta["price_dollars"] = format!("{new:0<6}").into();
        delta["delta_fp"] = "25.00".into();
        moved = true;
    }
    for change in message["price_changes"].as_array_mut().into_iter().flatten() {
        let buys = change["side"] == "BUY";
        let best = change[if buys { "best_ask" } else { "best_bid" }].as_str();
        let opposite = best.filter(|best| !matches!(*best, "0" | "1")).map(str::to_owned);
        if let Some(new) = price(Level { buys, opposite }) {
            change["price"] = new.into();
            change["size"] = "25".into();
            moved = true;
        }
    }
    moved.then(|| message.to_string())
}

/// A snapshot without its levels; `None` where it has none.
fn emptied(text: &str) -> Option<String> {
    let mut message: Value = serde_json::from_str(text).ok()?;
    let mut removed = false;
    let books = match &mut message {
        Value::Array(books) => books.iter_mut().collect(),
        one => vec![one],
    };
    for book in books {
        let book = if book["msg"].is_object() { &mut book["msg"] } else { book };
        for side in ["yes_dollars_fp", "no_dollars_fp", "bids", "asks"] {
            if let Some(levels) = book.get_mut(side).and_then(Value::as_array_mut) {
                removed |= !levels.is_empty();
                levels.clear();
            }
        }
    }
    removed.then(|| message.to_string())
}

#[cfg(test)]
#[path = "spoil_tests.rs"]
mod tests;
