//! What a feed says that it should not: messages spoilt on their way to the engine.

use engine::units::Ns;
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
}

impl Spoil {
    /// All of them.
    pub const ALL: [Spoil; 4] =
        [Spoil::OffGrid, Spoil::OldSnapshot, Spoil::WrongMarket, Spoil::BadSize];

    /// Its name in the figures.
    pub const fn name(self) -> &'static str {
        match self {
            Spoil::OffGrid => "feed/off_grid",
            Spoil::OldSnapshot => "feed/old_snapshot",
            Spoil::WrongMarket => "feed/wrong_market",
            Spoil::BadSize => "feed/bad_size",
        }
    }
}

/// What is to be spoilt at one site, and what was seen there.
#[derive(Default)]
pub struct Spoiler {
    armed: Vec<Spoil>,
    /// The first snapshots of connections, with their client.
    snapshots: Vec<Push>,
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
        if is_snapshot && self.snapshots.len() < SNAPSHOTS_MAX {
            self.snapshots.push(push.clone());
        }
        if !is_change {
            return (vec![push], None);
        }
        let Some(spoil) = self.armed.pop() else { return (vec![push], None) };
        let made = match spoil {
            Spoil::OffGrid => {
                replaced(text, &["\"price_dollars\":\"", "\"price\":\""], |_| "0.43217".to_owned())
            }
            Spoil::BadSize => replaced(text, &["\"delta_fp\":\"", "\"size\":\""], |size| {
                format!("-9{}", size.trim_start_matches('-'))
            }),
            Spoil::WrongMarket => {
                let markers = ["\"market_ticker\":\"", "\"asset_id\":\""];
                let copy = replaced(text, &markers, |name| format!("{}7", &name[..name.len() - 1]));
                let copy = copy.map(|copy| Push::Text(*client, copy));
                let done = copy.is_some().then_some(spoil);
                return (copy.into_iter().chain([push]).collect(), done);
            }
            Spoil::OldSnapshot => {
                let own = |old: &&Push| matches!(old, Push::Text(to, _) if to == client);
                let old: Vec<&Push> = self.snapshots.iter().filter(own).collect();
                if old.is_empty() {
                    return (vec![push], None);
                }
                let old = (*rng.pick(&old)).clone();
                return (vec![push, old], Some(spoil));
            }
        };
        match made {
            Some(text) => (vec![Push::Text(*client, text)], Some(spoil)),
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
