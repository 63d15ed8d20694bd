//! What `parallax sim` is asked for.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use engine::units::Venue;
use sim::accounts::KalshiKey;
use sim::fault::Level;
use sim::{cast, model};

/// Run the simulated venues on this host, for Parallax or any other client.
///
/// Kalshi and Polymarket as state machines behind real TLS: REST and WebSocket on one port each,
/// every signature checked, exact fees, a market that moves both books so that arbitrage opens and
/// closes, and faults on request. It makes a certificate authority and client keys in the folder,
/// prints one line of JSON when it is ready, and ends on SIGINT or SIGTERM with the final ledger.
#[derive(Args, Clone, Debug)]
#[command(after_help = "It leaves in the folder:
  ca.pem                        what clients have to trust
  kalshi.pem, polymarket.key    the keys of the one trader
  sim.env                       the same as environment variables
  sim.json                      ports, addresses, and the administrator's token
  pairs.toml                    which markets of the two venues are the same event
  parallax.toml                 a configuration of Parallax for both venues
  journal.jsonl, ledger.json    everything that moved an account, and what came of it

The administrator's calls are under /sim/ on both ports: GET ledger, universe;
POST close, end, fault, fee, inject, list, pause, refine, restart, settle, settle-all; with the header x-sim-token.")]
pub struct SimArgs {
    /// Which venues run.
    #[arg(value_enum)]
    pub venues: Which,
    /// The port of the first venue; with both, the next one is Polymarket's. 0 takes free ones.
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// The address to listen on; anything but loopback shows the venues to the network.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub bind: IpAddr,
    /// Chooses the markets, how they move, and the faults.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How much goes wrong by itself.
    #[arg(long, value_enum, default_value_t = FaultLevel::None)]
    pub faults: FaultLevel,
    /// How many arbitrages open a minute.
    #[arg(long, default_value_t = model::Options::default().arb_per_minute)]
    pub arb_per_minute: u32,
    /// The folder to write; what an earlier simulation left there is replaced.
    #[arg(long, value_name = "DIR", default_value = "parallax-sim")]
    pub dir: PathBuf,
    /// Go on where the simulation of that folder ended, with its markets, keys and accounts.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["dir", "seed", "markets", "kalshi_key", "signature_type"])]
    pub resume: Option<PathBuf>,
    /// How many markets, each on both venues.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=cast::MARKETS_MAX as i64))]
    pub markets: u16,
    /// The kind of the Kalshi key.
    #[arg(long, value_enum, default_value_t = KeyKind::Ed25519)]
    pub kalshi_key: KeyKind,
    /// Polymarket's signature type: 0 EOA, 1 proxy, 2 Safe, 3 deposit wallet.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=3))]
    pub signature_type: u8,
    /// What both venues list beside the markets that trade: a few hundred events of every kind and
    /// their look-alikes, with what is true of them in catalogue-truth.json; or nothing.
    #[arg(long, value_enum, default_value_t = Catalogue::Full)]
    pub catalogue: Catalogue,
    /// List one more market on both venues so many seconds after the start, and again after as many
    /// more, up to eight: announced on the venues' channels, in their catalogues from then on. The
    /// administrator's `list` does the same at once.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub list_every: Option<u64>,
    /// End after so many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    pub seconds: Option<u64>,
    /// Spin this many microseconds after the last work before sleeping.
    #[arg(long, value_name = "MICROSECONDS", default_value_t = 0)]
    pub spin: u64,
    /// End when standard input closes, so that the death of a parent process ends this one too.
    #[arg(long)]
    pub until_stdin_closes: bool,
    /// End when nobody has held the lock of this file for so long as --linger says: an engine that
    /// dies can be started again and finds the venues as they are.
    #[arg(long, value_name = "FILE")]
    pub while_locked: Option<PathBuf>,
    /// Seconds to wait for the next engine.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "while_locked")]
    pub linger: u64,
    /// Print the final ledger as one more line of JSON.
    #[arg(long)]
    pub json: bool,
}

/// Which venues run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Which {
    /// Kalshi alone.
    Kalshi,
    /// Polymarket alone.
    Polymarket,
    /// Both, with one market behind them.
    Both,
}

impl Which {
    /// In the order of their ports.
    pub const fn venues(self) -> &'static [Venue] {
        match self {
            Which::Kalshi => &[Venue::Kalshi],
            Which::Polymarket => &[Venue::Polymarket],
            Which::Both => &Venue::ALL,
        }
    }
}

/// What is listed beside the markets that trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Catalogue {
    /// Nothing.
    None,
    /// A few hundred events.
    Full,
}

/// How much goes wrong by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum FaultLevel {
    /// Nothing.
    None,
    /// Now and then.
    Low,
    /// All the time.
    High,
}

impl FaultLevel {
    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            FaultLevel::None => "none",
            FaultLevel::Low => "low",
            FaultLevel::High => "high",
        }
    }
}

impl From<FaultLevel> for Level {
    fn from(level: FaultLevel) -> Level {
        match level {
            FaultLevel::None => Level::None,
            FaultLevel::Low => Level::Low,
            FaultLevel::High => Level::High,
        }
    }
}

/// The kind of a Kalshi key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum KeyKind {
    /// What Kalshi recommends.
    Ed25519,
    /// What Kalshi's older keys are.
    Rsa,
}

impl From<KeyKind> for KalshiKey {
    fn from(kind: KeyKind) -> KalshiKey {
        match kind {
            KeyKind::Ed25519 => KalshiKey::Ed25519,
            KeyKind::Rsa => KalshiKey::Rsa,
        }
    }
}
