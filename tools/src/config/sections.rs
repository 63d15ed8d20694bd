//! The configuration as types: every value checked, every amount an integer.

use exec::sign::pool::HeaderSpread;
use feeds::live::polymarket::ASSETS_A_LINE_MAX;
use std::path::PathBuf;
use std::time::Duration;

use engine::idle::{Idle, SPINS_BEFORE_YIELD};
use engine::pin::CoreList;
use engine::repair::RepairConfig;
use engine::units::{Ns, Qty, Usd};

use super::{Limits, Secret, Url};
use crate::crash::Fuse;
use crate::pairs::{self, PairFile, PairSpec};
use crate::run::spec::{Fills, RunSpec};

/// Whether the file allows orders with money.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Live books, orders filled on paper.
    Paper,
    /// Orders with money, if asked for on the command line too.
    Live,
}

/// Which venues are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Environment {
    /// The venues where money is.
    Prod,
    /// Kalshi's demo venue; Polymarket's books with orders on paper.
    Demo,
    /// Simulators on this machine.
    Sim,
}

impl Environment {
    /// The lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Environment::Prod => "prod",
            Environment::Demo => "demo",
            Environment::Sim => "sim",
        }
    }
}

/// A rate-limit tier of Kalshi (kalshi.md section 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KalshiTier {
    /// Its name in lower case.
    pub name: &'static str,
    /// Tokens a second for reads.
    pub read_per_s: u32,
    /// The most tokens that reads can save up.
    pub read_burst: u32,
    /// Tokens a second for writes.
    pub write_per_s: u32,
    /// The most tokens that writes can save up.
    pub write_burst: u32,
}

impl KalshiTier {
    const fn new(name: &'static str, read: u32, write: u32, seconds: [u32; 2]) -> KalshiTier {
        let (read_burst, write_burst) = (read * seconds[0], write * seconds[1]);
        KalshiTier { name, read_per_s: read, read_burst, write_per_s: write, write_burst }
    }

    /// All tiers. Reads of the first two and writes above the first save up three seconds.
    pub const ALL: [KalshiTier; 7] = [
        KalshiTier::new("basic", 200, 100, [3, 1]),
        KalshiTier::new("advanced", 300, 300, [3, 3]),
        KalshiTier::new("expert", 600, 600, [1, 3]),
        KalshiTier::new("premier", 1_200, 1_200, [1, 3]),
        KalshiTier::new("paragon", 2_400, 2_400, [1, 3]),
        KalshiTier::new("prime", 4_800, 4_800, [1, 3]),
        KalshiTier::new("prestige", 12_000, 9_600, [1, 3]),
    ];
}

/// An API key of Kalshi.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KalshiKey {
    /// `KALSHI-ACCESS-KEY`.
    pub id: String,
    /// PEM of the private key.
    pub file: PathBuf,
}

/// How Kalshi is reached.
pub struct KalshiConfig {
    /// REST, with `/trade-api/v2`.
    pub rest: Url,
    /// WebSocket, with its path.
    pub ws: Url,
    /// Who we are there.
    pub key: Option<KalshiKey>,
    /// Which budgets we have there.
    pub tier: KalshiTier,
    /// What the account's balance is rounded to.
    pub balance_grid: Usd,
    /// The taker rate to assume at least, in millionths.
    pub fee_rate_min_e6: Option<u32>,
    /// Markets on one market-data connection.
    pub markets_per_connection: usize,
    /// Warm connections for orders.
    pub order_connections: usize,
}

/// Where a wallet's key is.
#[derive(Clone)]
pub enum WalletKey {
    /// Hexadecimal text in a file.
    File(PathBuf),
    /// Hexadecimal text.
    Text(Secret),
}

/// L2 credentials of Polymarket (polymarket.md section 4.2). Derived by L1 where they are absent.
#[derive(Clone)]
pub struct ApiCredentials {
    /// The key's UUID.
    pub key: Secret,
    /// Base64url.
    pub secret: Secret,
    /// Hexadecimal.
    pub passphrase: Secret,
}

/// How Polymarket is reached.
pub struct PolymarketConfig {
    /// CLOB REST.
    pub clob: Url,
    /// WebSocket, without `/market` and `/user`.
    pub ws: Url,
    /// Gamma.
    pub gamma: Url,
    /// Where it says whether it serves us.
    pub geoblock: Url,
    /// The wallet's key.
    pub key: Option<WalletKey>,
    /// Holder of the funds: `0x` and 40 hex digits; the key's own address where absent.
    pub funder: Option<String>,
    /// 0 to 3 (polymarket.md section 5.3).
    pub signature_type: u8,
    /// Sends the order-safety heartbeat.
    pub heartbeat: bool,
    /// L2 credentials, where they were given.
    pub credentials: Option<ApiCredentials>,
    /// Assets on one market-data connection.
    pub assets_per_connection: usize,
    /// Warm connections for orders.
    pub order_connections: usize,
}

/// When and how much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Strategy {
    /// Least net gain a contract.
    pub min_profit: Usd,
    /// Most contracts a decision.
    pub max_qty: Qty,
    /// Rest of a pair after a decision.
    pub cooldown: Ns,
    /// From the decision until the bytes leave.
    pub deadline: Ns,
    /// Sign ahead for pairs that miss `min_profit` by no more than this.
    pub arm_margin: Usd,
}

/// What lies signed ahead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signing {
    /// Headers of Kalshi orders, and over which window.
    pub headers: HeaderSpread,
    /// Orders of Polymarket at most.
    pub orders: usize,
}

/// The paper venues, each by [`engine::units::Venue::index`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PaperTerms {
    /// From the decision until the order meets the book.
    pub latency: [Ns; 2],
    /// Paper money.
    pub cash: [Usd; 2],
}

/// How tiles share threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grouping {
    /// Pinned where there are cores enough, grouped otherwise.
    Auto,
    /// Feeds and core on one thread, gates on another.
    Grouped,
    /// A thread a tile.
    Pinned,
}

/// What hot threads do without work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdleChoice {
    /// By the number of cores.
    Auto,
    /// Always this, and the reason is that it was asked for.
    Fixed(Idle),
}

impl IdleChoice {
    pub(super) const SPIN: IdleChoice = IdleChoice::Fixed(Idle::Spin);
    pub(super) const YIELD: IdleChoice =
        IdleChoice::Fixed(Idle::SpinThenYield { spins: SPINS_BEFORE_YIELD });
    pub(super) const PARK: IdleChoice = IdleChoice::Fixed(Idle::COLD);

    /// The policy for `hot` threads on `cores` cores, and why.
    pub fn policy(self, cores: usize, hot: usize) -> (Idle, &'static str) {
        match self {
            IdleChoice::Auto => Idle::choose(cores, hot),
            IdleChoice::Fixed(idle) => (idle, "as the configuration says"),
        }
    }
}

/// Which threads run where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Threads {
    /// How tiles share them.
    pub grouping: Grouping,
    /// Cores for the hot ones, in their order; those that the process may use where absent.
    pub cores: Option<CoreList>,
    /// What they do without work.
    pub idle: IdleChoice,
}

/// Where pairs come from beside files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiscoveryConfig {
    /// A run trades what is found.
    pub enabled: bool,
    /// `DISCOVERY_ONLY`: a run finds pairs and ends.
    pub only: bool,
    /// `FORCE_DISCOVERY`: what is known is asked for again.
    pub force: bool,
    /// The store.
    pub store: PathBuf,
    /// How long a catalogue counts as fresh; seconds.
    pub cache_ttl_s: u32,
    /// How often a run looks for changes; seconds, 0 is never.
    pub every_s: u32,
    /// How many pairs may join a run.
    pub reserve: usize,
}

/// The engine's journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalSettings {
    /// Its folder.
    pub dir: PathBuf,
    /// Orders leave only when they are durable.
    pub durable: bool,
    /// Runs that were written so long ago are deleted by a start; `None` keeps all.
    pub keep: Option<Duration>,
}

/// What a run may do and with whom. It has no `Debug`: it may hold secrets.
pub struct Config {
    /// Whether the file allows orders with money.
    pub mode: Mode,
    /// Which venues are meant.
    pub environment: Environment,
    /// `DRY_RUN`: on beats `--live`.
    pub dry_run: bool,
    /// Files of pairs.
    pub pairs: Vec<PathBuf>,
    /// Names of the pairs that are wanted; none is all.
    pub targets: Vec<String>,
    /// The only CA that is trusted, in [`Environment::Sim`].
    pub ca_file: Option<PathBuf>,
    /// Folder of what outlives a run.
    pub state_dir: PathBuf,
    /// Kalshi.
    pub kalshi: KalshiConfig,
    /// Polymarket.
    pub polymarket: PolymarketConfig,
    /// When and how much.
    pub strategy: Strategy,
    /// Market-data connections are replaced so often; `None` is never.
    pub rotate_every: Option<Ns>,
    /// What lies signed ahead.
    pub signing: Signing,
    /// How what one leg filled alone is closed; `None` leaves it open.
    pub repair: Option<RepairConfig>,
    /// Limits.
    pub limits: Limits,
    /// Paper venues.
    pub paper: PaperTerms,
    /// Where tapes are written, if they are.
    pub record_dir: Option<PathBuf>,
    /// Where orders are written down.
    pub journal: JournalSettings,
    /// Where the process kills itself, for tests; no file and no variable sets it.
    pub crash_at: Option<Fuse>,
    /// Threads.
    pub threads: Threads,
    /// Where pairs come from beside files.
    pub discovery: DiscoveryConfig,
    /// A `.env` file that holds a secret.
    pub secret_file: Option<PathBuf>,
}

impl Config {
    /// The pairs that are wanted, with the fees that are assumed. `files` may stand in for the
    /// configured ones; none does not.
    ///
    /// # Errors
    /// What is wrong with a pair file.
    pub fn load_pairs(&self, files: &[PathBuf]) -> Result<PairFile, pairs::PairError> {
        let mut file = pairs::load(if files.is_empty() { &self.pairs } else { files })?;
        file.pairs.retain(|pair| self.wants(pair));
        file.pairs.iter_mut().for_each(|pair| self.assume(pair));
        Ok(file)
    }

    /// Raises a pair's fee to what is assumed at least.
    pub fn assume(&self, pair: &mut PairSpec) {
        if let Some(rate_e6) = self.kalshi.fee_rate_min_e6 {
            let own = &mut pair.kalshi.fee_multiplier_e6;
            *own = (*own).max(multiplier_e6(rate_e6));
        }
    }

    /// True where the pair passes the filter of targets.
    pub fn wants(&self, pair: &PairSpec) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|target| is_named(pair, target))
    }

    /// True where the pair is never traded.
    pub fn blocks(&self, pair: &PairSpec) -> bool {
        self.limits.blocked.iter().any(|name| is_named(pair, name))
    }

    /// How a run is set up that has `cash` on each venue. `files` as for [`Config::load_pairs`].
    ///
    /// # Errors
    /// What is wrong with a pair file, or that no pair is left.
    pub fn run_spec(
        &self,
        fills: Fills,
        cash: [Usd; 2],
        files: &[PathBuf],
    ) -> Result<RunSpec, String> {
        let files = if files.is_empty() { &self.pairs } else { files };
        let texts = pairs::texts(files).map_err(|error| error.to_string())?;
        self.spec_of(fills, cash, texts)
    }

    /// The same over pair files that are given whole: name and text.
    ///
    /// # Errors
    /// As [`Config::run_spec`].
    pub fn spec_of(
        &self,
        fills: Fills,
        cash: [Usd; 2],
        texts: Vec<(String, String)>,
    ) -> Result<RunSpec, String> {
        let all = pairs::parse_all(&texts).map_err(|error| error.to_string())?;
        let mut wanted = Vec::new();
        let joins = self.discovery.enabled && self.discovery.every_s > 0;
        if !self.targets.is_empty() {
            wanted.extend(all.pairs.iter().filter(|p| self.wants(p)).map(|p| p.id.clone()));
            if wanted.is_empty() {
                return Err(format!("no pair is left: targets are {}", self.targets.join(", ")));
            }
        }
        Ok(RunSpec {
            fills,
            reserve: if joins { self.discovery.reserve } else { 0 },
            min_profit: self.strategy.min_profit.e6(),
            max_qty: self.strategy.max_qty.e2(),
            cash: cash.map(Usd::e6),
            cooldown: self.strategy.cooldown.0,
            deadline: self.strategy.deadline.0,
            balance_grid: self.kalshi.balance_grid.e6(),
            repair: self.repair.map(Into::into),
            risk: Some((&self.limits.risk).into()),
            blocked: all.pairs.iter().filter(|p| self.blocks(p)).map(|p| p.id.clone()).collect(),
            max_notional: self.limits.order_notional_max.map(Usd::e6),
            max_unsettled: self.limits.unsettled_notional_max.map(Usd::e6),
            arm_within: Some(self.strategy.arm_margin.e6())
                .filter(|margin| *margin > 0 && fills == Fills::Venues),
            latency: self.paper.latency.map(|latency| latency.0),
            markets_a_line: [
                self.kalshi.markets_per_connection,
                (self.polymarket.assets_per_connection.min(ASSETS_A_LINE_MAX) / 2).max(1),
            ],
            wanted,
            multiplier_min_e6: self.kalshi.fee_rate_min_e6.map_or(0, multiplier_e6),
            ..RunSpec::new(texts)
        })
    }
}

/// True where a name, or the start of one before a `*`, is the pair's.
fn is_named(pair: &PairSpec, wanted: &str) -> bool {
    let names = [&pair.id, &pair.kalshi.ticker, &pair.kalshi.event, &pair.polymarket.condition_id];
    names.iter().any(|name| match wanted.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => *name == wanted,
    })
}

/// Kalshi's published taker rate, whose multiplier is 1 (kalshi.md section 6).
const KALSHI_RATE_E6: u64 = 70_000;

/// The multiplier that gives a taker rate at least.
fn multiplier_e6(rate_e6: u32) -> u32 {
    let exact = (u64::from(rate_e6) * 1_000_000).div_ceil(KALSHI_RATE_E6);
    u32::try_from(exact).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assumed_rate_is_never_below_what_was_asked() {
        assert_eq!(multiplier_e6(70_000), 1_000_000);
        assert_eq!(multiplier_e6(35_000), 500_000);
        let odd = u64::from(multiplier_e6(80_000));
        assert!(odd * 70_000 >= 80_000 * 1_000_000 && (odd - 1) * 70_000 < 80_000 * 1_000_000);
    }
}
