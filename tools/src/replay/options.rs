//! `parallax replay` on the command line.

use std::path::PathBuf;

use clap::Args;
use engine::core::CoreConfig;
use engine::pin::CoreList;
use engine::units::{Ns, Qty, Usd};
use feeds::kalshi::session::NoSide;

use super::speed::Speed;
use crate::decimal::{balance_grid, contracts, usd};
use crate::topology::Grouping;

/// Play recorded frames through the shipped decoders, books, rings and the arbitrage core.
///
/// Every frame goes the way it would go live: decoded, applied to its book, sent to the core as
/// the market's best four levels, and priced against the same event on the other venue. What the
/// core decides is filled on paper against the depth that stands some milliseconds later, so a
/// decision has consequences. Equal tapes, pairs and options give equal hashes, with one thread
/// or with many, at any speed.
///
/// Without --pairs the markets are learnt from the tape, and only books and their figures result.
///
/// Exit status: 0 when the tapes were played to their end, or to where one was cut off, which is
/// said as a warning; 1 when a tape is damaged, a pair file is wrong or a golden file differs; 2
/// when the command line is wrong.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  parallax replay day.mcap
  parallax replay kalshi.tape.jsonl.zst polymarket.tape.jsonl.zst --pairs pairs.toml --json
  parallax replay day.mcap --pairs pairs.toml --report report/ --decisions decisions.jsonl
  parallax replay day.mcap --pairs pairs.toml --miss-log missed.jsonl --latency-ms 0,5,50
  parallax replay day.mcap --pairs pairs.toml --json > golden.json
  parallax replay day.mcap --pairs pairs.toml --golden golden.json --topology pinned")]
pub struct ReplayArgs {
    /// Tapes (.mcap, .jsonl, .jsonl.zst); several are merged by the time of receipt.
    #[arg(value_name = "TAPE", required = true)]
    pub tapes: Vec<PathBuf>,
    /// Which markets of the two venues are the same event. May be given several times.
    #[arg(long, value_name = "FILE.toml")]
    pub pairs: Vec<PathBuf>,
    /// As fast as it goes (max), or a multiple of the tape's own time (1x, 20x, 0.5x).
    #[arg(long, value_name = "max|Nx", default_value = "max")]
    pub speed: Speed,
    /// All tiles on one thread, or a pinned thread a tile.
    #[arg(long, value_enum, default_value_t = Grouping::Single)]
    pub topology: Grouping,
    /// Cores for the hot threads, such as 2,3,4 or 2-4 [default: the allowed ones].
    #[arg(long, value_name = "LIST")]
    pub cores: Option<CoreList>,
    /// Least net gain a contract that a decision needs, in dollars.
    #[arg(long, value_name = "USD", default_value = "0.001", value_parser = usd)]
    pub min_profit: Usd,
    /// Most contracts of one decision.
    #[arg(long, value_name = "N", default_value = "1000", value_parser = contracts)]
    pub max_contracts: Qty,
    /// Paper money on each venue, in dollars.
    #[arg(long, value_name = "USD", default_value = "10000", value_parser = usd)]
    pub cash: Usd,
    /// How long a paper order takes to reach the book, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(..=60_000))]
    pub fill_latency_ms: u64,
    /// Rest of a pair after a decision on it ended, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(..=86_400_000))]
    pub cooldown_ms: u64,
    /// What the Kalshi account's balance is rounded to: 0.0001 for direct members, 0.01 through a
    /// broker.
    #[arg(long, value_name = "USD", default_value = "0.0001", value_parser = balance_grid)]
    pub balance_grid: Usd,
    /// The tape's Kalshi frames write NO bids in YES prices (subscribed with use_yes_price).
    #[arg(long)]
    pub use_yes_price: bool,
    /// Compare the hash of every so many Polymarket books with the venue's; 0 is never.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub audit_every: u32,
    /// Read the tapes into memory first, so that the disk and unpacking take no part.
    #[arg(long)]
    pub preload: bool,
    /// Write the report here: report.html, percentiles.txt, .hgrm and V2 logs, summary.json.
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// Write each decision as a line of JSON, with the books that led to it.
    #[arg(long, value_name = "FILE.jsonl")]
    pub decisions: Option<PathBuf>,
    /// Write each opportunity as a line of JSON: how long it lived, who opened and closed it, and
    /// whether an order some milliseconds later would still have found it.
    #[arg(long, value_name = "FILE.jsonl")]
    pub miss_log: Option<PathBuf>,
    /// Latencies that the miss log asks about, in milliseconds.
    #[arg(long, value_name = "MS,...", default_value = "0,5,50,200", value_delimiter = ',')]
    pub latency_ms: Vec<u64>,
    /// Compare with the --json of an earlier run; exit 1 and show the first difference.
    #[arg(long, value_name = "FILE.json")]
    pub golden: Option<PathBuf>,
    /// Print one JSON object instead of the summary.
    #[arg(long)]
    pub json: bool,
}

impl ReplayArgs {
    /// What the core may do in this replay.
    pub fn core_config(&self) -> CoreConfig {
        CoreConfig {
            min_profit: self.min_profit,
            max_qty: self.max_contracts,
            cash: [self.cash; 2],
            cooldown: Ns::from_ms(self.cooldown_ms),
            // Paper orders expire by their deadline too; the latency asked for must fit into it.
            deadline: Ns::from_ms(self.fill_latency_ms + 500),
            balance_grid: self.balance_grid,
            trade: true,
            ..CoreConfig::default()
        }
    }

    /// The convention of the tape's Kalshi frames.
    pub fn no_side(&self) -> NoSide {
        if self.use_yes_price { NoSide::YesPrice } else { NoSide::NoPrice }
    }
}
