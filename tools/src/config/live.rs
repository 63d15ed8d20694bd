//! What must be true before money is at stake. Facts come in, reasons come out.

use std::fmt;
use std::path::{Path, PathBuf};

use engine::units::Venue;

use super::{Config, Environment, Mode, WalletKey};
use crate::pairs::PairFile;

/// The clock may be off by no more than this: Kalshi was seen to accept ten seconds, Polymarket
/// says nothing, and deadlines and stamps are compared with the venues'.
pub const CLOCK_OFF_MS_MAX: i64 = 250;

/// Whether orders cost money.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trading {
    /// No, and why.
    Paper(WhyPaper),
    /// Yes, unless [`refusals`] finds something.
    Live,
}

/// Why orders are paper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhyPaper {
    /// Nobody asked for anything else.
    NotAsked,
    /// `--live` was given, and the file says paper.
    Mode,
    /// `--live` was given, and so was `DRY_RUN`, or it was left at its default.
    DryRun,
}

impl fmt::Display for WhyPaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WhyPaper::NotAsked => "orders are paper: --live was not given",
            WhyPaper::Mode => {
                "orders are paper in spite of --live: set mode = \"live\" in the file"
            }
            WhyPaper::DryRun => {
                "orders are paper in spite of --live: DRY_RUN is on; set DRY_RUN=0 to trade"
            }
        })
    }
}

/// Whether orders cost money: `--live`, the file and `DRY_RUN` must all say so.
pub fn trading(config: &Config, live: bool) -> Trading {
    match (live, config.mode, config.dry_run) {
        (false, _, _) => Trading::Paper(WhyPaper::NotAsked),
        (true, Mode::Paper, _) => Trading::Paper(WhyPaper::Mode),
        (true, Mode::Live, true) => Trading::Paper(WhyPaper::DryRun),
        (true, Mode::Live, false) => Trading::Live,
    }
}

/// True where orders to this venue may cost money at all: Polymarket has no demo venue.
pub fn can_trade(environment: Environment, venue: Venue) -> bool {
    environment != Environment::Demo || venue == Venue::Kalshi
}

/// How far this host's clock is ahead of a venue's, as far as it can be told; milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockBounds {
    /// At least this much ahead.
    pub least_ms: i64,
    /// At most this much.
    pub most_ms: i64,
}

impl ClockBounds {
    /// What one answer tells: the request left at `sent_ms`, the answer came at `came_ms` (Unix
    /// milliseconds of this host), and between them the venue's clock showed `second`.
    pub fn of_second(sent_ms: i64, came_ms: i64, second: i64) -> ClockBounds {
        let shown_ms = second.saturating_mul(1_000);
        ClockBounds {
            least_ms: sent_ms.saturating_sub(shown_ms.saturating_add(1_000)),
            most_ms: came_ms.saturating_sub(shown_ms),
        }
    }

    /// What two answers tell together. A clock that was stepped between them leaves nothing.
    #[must_use]
    pub fn and(self, other: ClockBounds) -> ClockBounds {
        ClockBounds {
            least_ms: self.least_ms.max(other.least_ms),
            most_ms: self.most_ms.min(other.most_ms),
        }
    }

    /// The bound that is farther from nothing.
    pub const fn farthest_ms(self) -> i64 {
        if self.least_ms.unsigned_abs() > self.most_ms.unsigned_abs() {
            self.least_ms
        } else {
            self.most_ms
        }
    }

    /// Why this clock cannot be trusted; `None` where it is shown to be good enough.
    pub fn problem(self) -> Option<String> {
        let ClockBounds { least_ms, most_ms } = self;
        if least_ms > most_ms {
            return Some("it was stepped while it was measured".into());
        }
        if least_ms >= -CLOCK_OFF_MS_MAX && most_ms <= CLOCK_OFF_MS_MAX {
            return None;
        }
        Some(format!("it is between {least_ms} and {most_ms} ms ahead"))
    }
}

/// What was found out before a live start.
pub struct Facts<'f> {
    /// How far the clock is ahead of each venue, or why that is not known.
    pub clock: Vec<(Venue, Result<ClockBounds, String>)>,
    /// Whether Polymarket refuses this host, with the country; or why that is not known.
    pub geoblock: Result<(bool, String), String>,
    /// The permission bits of each file that holds a secret, or why they are not known.
    pub files: Vec<(PathBuf, Result<u32, String>)>,
    /// The pairs; `None` where a person chose a market.
    pub pairs: Option<&'f PairFile>,
}

/// A reason not to trade live, with its remedy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The files that hold secrets of this configuration.
pub fn secret_files(config: &Config) -> Vec<PathBuf> {
    let mut files = Vec::new();
    files.extend(config.kalshi.key.as_ref().map(|key| key.file.clone()));
    if let Some(WalletKey::File(path)) = &config.polymarket.key {
        files.push(path.clone());
    }
    files.extend(config.secret_file.clone());
    files
}

/// The permission bits of a file.
///
/// # Errors
/// The system's reason.
#[cfg(unix)]
pub fn permissions(path: &Path) -> Result<u32, String> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map(|data| data.mode() & 0o777).map_err(|error| error.to_string())
}

/// Everything that forbids to trade live; empty where nothing does. That the hosts belong to the
/// environment was settled when the configuration was read.
pub fn refusals(config: &Config, facts: &Facts<'_>) -> Vec<Refusal> {
    let mut list = Vec::new();
    let mut refuse = |text: String| list.push(Refusal(text));
    let trades = |venue| can_trade(config.environment, venue);
    if config.kalshi.key.is_none() {
        refuse("Kalshi has no key: set KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH".into());
    }
    if config.polymarket.key.is_none() && trades(Venue::Polymarket) {
        refuse("Polymarket has no key: set POLY_PRIVATE_KEY, or polymarket.key_file".into());
    }
    for (name, limit) in [
        ("order_notional_max", config.limits.order_notional_max),
        ("unsettled_notional_max", config.limits.unsettled_notional_max),
        ("day_loss_max", config.limits.day_loss_max),
    ] {
        if limit.is_none_or(|limit| limit.e6() <= 0) {
            refuse(format!("limits.{name} is not set: say in dollars what may be at stake"));
        }
    }
    if !config.journal.durable {
        refuse("journal.durable is off: with money at stake no order leaves that the disk does not hold".into());
    }
    for (path, mode) in &facts.files {
        let path = path.display();
        match mode {
            Err(reason) => refuse(format!("{path}: {reason}")),
            Ok(mode) if mode & 0o077 != 0 => refuse(format!(
                "{path} holds a secret and others may read it (mode {mode:03o}): chmod 600 {path}"
            )),
            Ok(_) => {}
        }
    }
    for (venue, bounds) in &facts.clock {
        let problem = match bounds {
            Ok(bounds) => bounds.problem(),
            Err(reason) => Some(format!("nobody knows how far it is off: {reason}")),
        };
        if let Some(problem) = problem {
            let venue = venue.name();
            refuse(format!(
                "the clock is not shown to be within {CLOCK_OFF_MS_MAX} ms of {venue}'s: {problem}; \
                 run chrony or systemd-timesyncd"
            ));
        }
    }
    if trades(Venue::Polymarket) {
        match &facts.geoblock {
            Ok((false, _)) => {}
            Ok((true, country)) => {
                refuse(format!("Polymarket does not serve this host's place ({country})"));
            }
            Err(reason) => refuse(format!("Polymarket's geoblock is not known: {reason}")),
        }
    }
    if facts.pairs.is_some_and(|file| file.pairs.is_empty()) {
        refuse("no pair is left: look at pairs and targets".into());
    }
    let pairs = facts.pairs.map_or(&[][..], |file| &file.pairs);
    for pair in pairs.iter().filter(|pair| !pair.verdict.trades_live()) {
        refuse(format!(
            "pair \"{}\": nobody said that both markets are one event: compare their rules, then \
             set verdict = \"approved\", or leave it out by targets",
            pair.id
        ));
    }
    list
}

/// What would protect the account if this process were gone, and is switched off.
pub fn caution(config: &Config) -> Option<&'static str> {
    (!config.polymarket.heartbeat).then_some(
        "polymarket.heartbeat is off: Polymarket cancels nothing when this process is gone",
    )
}
