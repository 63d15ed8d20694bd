//! What a seed stands for: the market, the network, and what goes wrong how often.

use engine::units::Ns;
use sim::fault::Kind;
use sim::model;
use sim::rng::Rng;

use super::fabric::Trouble;
use super::spoil::Spoil;

/// What an administrator, or a chain, does to the venues now and then.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Upset {
    /// Polymarket restarts.
    Restart,
    /// Kalshi pauses all trading for a while.
    PauseAll,
    /// A market of Kalshi is paused for a while.
    PauseMarket,
    /// A trade that was matched fails to settle.
    FailSettlement,
    /// Kalshi fills an order beyond what it asked for.
    OverFill,
    /// A market's prices become finer while it trades.
    Refine,
    /// The other venue pauses when the first leg of a bundle has just arrived.
    PauseBetween,
    /// The markets of a pair settle.
    Settle,
    /// One market of a pair closes before its time, and both settle some time later.
    Close,
    /// Kalshi charges another fee.
    Fee,
}

impl Upset {
    /// All of them.
    pub const ALL: [Upset; 10] = [
        Upset::Restart,
        Upset::PauseAll,
        Upset::PauseMarket,
        Upset::FailSettlement,
        Upset::OverFill,
        Upset::Refine,
        Upset::PauseBetween,
        Upset::Settle,
        Upset::Close,
        Upset::Fee,
    ];

    /// Its name in the figures.
    pub const fn name(self) -> &'static str {
        match self {
            Upset::Restart => "orders/restart",
            Upset::PauseAll => "orders/pause_all",
            Upset::PauseMarket => "orders/pause_market",
            Upset::FailSettlement => "orders/settlement_failed",
            Upset::OverFill => "orders/over_fill",
            Upset::Refine => "feed/grid_change",
            Upset::PauseBetween => "orders/pause_between_legs",
            Upset::Settle => "orders/settled",
            Upset::Close => "orders/closed_early",
            Upset::Fee => "orders/fee_change",
        }
    }
}

/// What happens to the machine that the engine runs on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mishap {
    /// The process is killed and started again.
    Crash,
    /// The process gets no processor for a while.
    Sleep,
    /// The wall clock is set.
    ClockStep,
    /// The journal's disk takes long to make sure of anything.
    SlowDisk,
    /// The disk is full for a while.
    FullDisk,
    /// The disk fails for a while.
    BrokenDisk,
    /// A venue does not know our key any more, until somebody brings another.
    KeysRevoked,
    /// Others may read the files of the keys when the process starts again.
    KeysReadable,
    /// Somebody starts a second engine on the same accounts.
    SecondEngine,
    /// The process ends, and somebody trades by hand on its account before it starts again.
    ByHand,
}

impl Mishap {
    /// All of them.
    pub const ALL: [Mishap; 10] = [
        Mishap::Crash,
        Mishap::Sleep,
        Mishap::ClockStep,
        Mishap::SlowDisk,
        Mishap::FullDisk,
        Mishap::BrokenDisk,
        Mishap::KeysRevoked,
        Mishap::KeysReadable,
        Mishap::SecondEngine,
        Mishap::ByHand,
    ];

    /// Its name in the figures.
    pub const fn name(self) -> &'static str {
        match self {
            Mishap::Crash => "host/crash",
            Mishap::Sleep => "host/no_processor",
            Mishap::ClockStep => "host/clock_step",
            Mishap::SlowDisk => "host/slow_fsync",
            Mishap::FullDisk => "host/disk_full",
            Mishap::BrokenDisk => "host/failing_fsync",
            Mishap::KeysRevoked => "host/keys_revoked",
            Mishap::KeysReadable => "host/keys_readable",
            Mishap::SecondEngine => "host/second_engine",
            Mishap::ByHand => "host/traded_by_hand",
        }
    }
}

/// What a seed stands for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Markets on both venues.
    pub markets: usize,
    /// Polymarket holds marketable orders back for so long; milliseconds.
    pub taker_delay_ms: u64,
    /// The market.
    pub model: model::Options,
    /// Least latency of each site and how much more it may be, one way.
    pub latency: [(Ns, Ns); 2],
    /// The host looks after its tiles at least this far apart where nothing comes.
    pub nap: Ns,
    /// The disk takes so long to make sure of anything; nothing on a quiet day.
    pub sync: Ns,
    /// Faults of the venues, with the mean time between two at a site.
    pub venue: Vec<(Kind, Ns)>,
    /// What feeds say wrongly, likewise.
    pub feeds: Vec<(Spoil, Ns)>,
    /// Troubles of the network, likewise.
    pub network: Vec<(Trouble, Ns)>,
    /// What is done to the venues, likewise.
    pub upsets: Vec<(Upset, Ns)>,
    /// What happens to the host, likewise.
    pub host: Vec<(Mishap, Ns)>,
}

const S: u64 = 1_000_000_000;

impl Plan {
    /// A change of a book may be replaced by another under its own number, so that no number tells
    /// that it is missing.
    pub fn replaces_changes(&self) -> bool {
        self.feeds.iter().any(|(spoil, _)| matches!(spoil, Spoil::Crossed | Spoil::Empty))
    }

    /// What `seed` stands for. Without `faults` nothing goes wrong.
    pub fn new(seed: u64, faults: bool) -> Plan {
        let mut rng = Rng::new(seed ^ 0x0063_6861_6f73);
        let latency = [(); 2].map(|()| {
            let least = rng.between(50_000, 20_000_000);
            (Ns(least), Ns(rng.between(0, least)))
        });
        let mut plan = Plan {
            markets: rng.between(2, 6) as usize,
            taker_delay_ms: if rng.chance(1, 3) { rng.between(50, 1_500) } else { 0 },
            model: model::Options {
                seed,
                arb_per_minute: rng.between(1, 3) as u32,
                edge_e6: (8_000, 30_000),
                lag: (Ns::from_ms(250), Ns::from_ms(8_000)),
                churn: Ns(rng.between(2, 6) * S),
                drift: Ns(rng.between(3, 8) * S),
            },
            latency,
            nap: Ns(rng.between(5, 25) * 1_000_000),
            sync: Ns(0),
            venue: Vec::new(),
            feeds: Vec::new(),
            network: Vec::new(),
            upsets: Vec::new(),
            host: Vec::new(),
        };
        if faults {
            // Each class is on in about half of the seeds, so that they meet in all combinations.
            let mut draw = |least: u64, most: u64| {
                let on = rng.chance(1, 2);
                let mean = Ns(rng.between(least, most) * S);
                on.then_some(mean)
            };
            let pairs = Kind::ALL.iter().map(|kind| (*kind, draw(20, 400)));
            plan.venue = pairs.filter_map(|(kind, mean)| Some((kind, mean?))).collect();
            let pairs = Spoil::ALL.iter().map(|kind| (*kind, draw(30, 600)));
            plan.feeds = pairs.filter_map(|(kind, mean)| Some((kind, mean?))).collect();
            let pairs = Trouble::ALL.iter().map(|kind| match kind {
                Trouble::LateOrder | Trouble::HalfOpen => (*kind, draw(20, 300)),
                _ => (*kind, draw(60, 900)),
            });
            plan.network = pairs.filter_map(|(kind, mean)| Some((kind, mean?))).collect();
            let pairs = Upset::ALL.iter().map(|kind| {
                let (least, most) = match kind {
                    Upset::Restart | Upset::PauseAll | Upset::PauseMarket => (600, 3_600),
                    Upset::Settle | Upset::Close => (600, 2_400),
                    Upset::FailSettlement | Upset::OverFill => (60, 900),
                    Upset::Refine | Upset::PauseBetween | Upset::Fee => (120, 1_200),
                };
                (*kind, draw(least, most))
            });
            plan.upsets = pairs.filter_map(|(kind, mean)| Some((kind, mean?))).collect();
            let pairs = Mishap::ALL.iter().map(|kind| match kind {
                Mishap::Crash => (*kind, draw(60, 900)),
                _ => (*kind, draw(300, 3_600)),
            });
            plan.host = pairs.filter_map(|(kind, mean)| Some((kind, mean?))).collect();
            if rng.chance(1, 2) {
                plan.sync = Ns(rng.between(100, 5_000) * 1_000);
            }
        }
        plan
    }
}

/// Something that the plan brings about, and how often.
pub struct Timed<T> {
    what: T,
    mean: Ns,
    at: Ns,
}

impl<T: Copy> Timed<T> {
    /// Each of them, from a moment on.
    pub fn all(list: &[(T, Ns)], from: Ns, rng: &mut Rng) -> Vec<Timed<T>> {
        let entry = |(what, mean): &(T, Ns)| {
            let (what, mean) = (*what, *mean);
            Timed { what, mean, at: from.after(Ns(rng.between(1, 2 * mean.0))) }
        };
        list.iter().map(entry).collect()
    }

    /// What is due, planned anew.
    pub fn due(list: &mut [Timed<T>], now: Ns, rng: &mut Rng) -> Vec<T> {
        let mut due = Vec::new();
        for entry in list.iter_mut().filter(|entry| entry.at <= now) {
            due.push(entry.what);
            entry.at = now.after(Ns(rng.between(1, 2 * entry.mean.0)));
        }
        due
    }
}
