//! What the tests of the sessions share.
#![allow(dead_code)] // each test file uses its part

use engine::top::{Health, MarketId, Top};
use engine::units::{Ns, Px, Qty, Venue};
use feeds::sink::{Change, Notice, Sink};

/// A notice without what it borrows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    Connected,
    Snapshot(usize),
    Health(usize, Health, Health),
    SnapshotWanted(usize),
    GridChanged(usize),
    Lifecycle(usize, Change),
    MarketAdded(usize, String),
    MarketRetired(usize),
    Listed(Venue),
    Heard(Option<u16>),
    EventFee(String, bool),
    MarketFee(usize, Option<(u64, u64)>),
    Subscribed(String, u64),
    VenueError(u64),
}

/// Keeps everything that a session says.
#[derive(Default)]
pub struct Recorder {
    pub tops: Vec<Top>,
    pub said: Vec<Said>,
}

impl Recorder {
    pub fn last(&self) -> &Top {
        self.tops.last().expect("a top was sent")
    }

    /// How often a snapshot of the market was asked for.
    pub fn wanted(&self, market: usize) -> usize {
        self.said.iter().filter(|said| **said == Said::SnapshotWanted(market)).count()
    }

    pub fn forget(&mut self) {
        self.tops.clear();
        self.said.clear();
    }
}

impl Sink for Recorder {
    fn top(&mut self, top: &Top) {
        self.tops.push(*top);
    }

    fn notice(&mut self, notice: &Notice<'_>) {
        let number = |market: MarketId| market.index();
        self.said.push(match *notice {
            Notice::Connected { .. } => Said::Connected,
            Notice::Snapshot { market, .. } => Said::Snapshot(number(market)),
            Notice::Health { market, from, to, .. } => Said::Health(number(market), from, to),
            Notice::SnapshotWanted { market } => Said::SnapshotWanted(number(market)),
            Notice::GridChanged { market, .. } => Said::GridChanged(number(market)),
            Notice::Lifecycle { market, change } => Said::Lifecycle(number(market), change),
            Notice::MarketRetired { market } => Said::MarketRetired(number(market)),
            Notice::MarketAdded { market, event } => {
                Said::MarketAdded(number(market), event.to_owned())
            }
            Notice::Listed { venue } => Said::Listed(venue),
            Notice::Heard { stretch } => Said::Heard(stretch),
            Notice::EventFee { event, fee } => Said::EventFee(event.to_owned(), fee.is_ok()),
            Notice::MarketFee { market, curve } => Said::MarketFee(number(market), curve.ok()),
            Notice::Subscribed { channel, sid } => Said::Subscribed(channel.to_owned(), sid),
            Notice::VenueError { code, .. } => Said::VenueError(code),
        });
    }
}

/// A file of the reference material, or `None` with a printed reason.
pub fn shared(path: &str) -> Option<String> {
    let full = format!("{}/../../shared/{path}", env!("CARGO_MANIFEST_DIR"));
    match std::fs::read_to_string(&full) {
        Ok(text) => Some(text),
        Err(error) => {
            eprintln!("skipped: {path} is not here: {error}");
            None
        }
    }
}

/// Levels as plain numbers, to compare with literals.
pub fn plain(levels: &[(Px, Qty)]) -> Vec<(u16, u64)> {
    levels.iter().map(|(px, qty)| (px.e4(), qty.e2())).collect()
}

pub const MS: u64 = 1_000_000;

pub fn ms(ms: u64) -> Ns {
    Ns::from_ms(ms)
}
