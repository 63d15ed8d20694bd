//! `parallax config` on the command line.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Config, ConfigError, DEFAULT, DEFAULT_LIMITS, Environment, Mode, Variables};
use crate::stdout;

/// Print the commented default configuration, or verify a file.
///
/// With --check the file is read as a run would read it, without the environment and without a
/// .env file, and what it comes to is told. Pair files and key files are not opened.
///
/// Exit status: 0 when the file can be used, 1 when it cannot, 2 when the command line is wrong.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  parallax config > parallax.toml
  parallax config limits > limits.toml
  parallax config --check parallax.toml")]
pub struct CommandArgs {
    /// Print this part alone, as a file that `limits_file` may name.
    #[arg(value_enum, conflicts_with = "check")]
    pub part: Option<Part>,
    /// Verify this file instead of printing the default.
    #[arg(long, value_name = "FILE.toml")]
    pub check: Option<PathBuf>,
}

/// A part of the configuration that may be a file of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Part {
    /// What no order and no run may exceed.
    Limits,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The file cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Standard output cannot be written.
    #[error("standard output: {0}")]
    Print(#[from] io::Error),
}

/// Runs `parallax config`.
///
/// # Errors
/// [`CommandError`].
pub fn run(args: &CommandArgs) -> Result<(), CommandError> {
    let Some(path) = &args.check else {
        return Ok(stdout::print(match args.part {
            Some(Part::Limits) => DEFAULT_LIMITS,
            None => DEFAULT,
        })?);
    };
    let config = check(path)?;
    Ok(stdout::print(&format!("{}: good\n{}", path.display(), Overview(&config)))?)
}

fn check(path: &Path) -> Result<Config, ConfigError> {
    let text = fs::read_to_string(path)
        .map_err(|error| ConfigError::Read { file: path.to_owned(), reason: error.to_string() })?;
    super::parse(&text, path, &Variables::default(), None)
}

/// A configuration in some lines, without its secrets.
pub struct Overview<'c>(pub &'c Config);

impl fmt::Display for Overview<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Config { kalshi, polymarket, strategy, limits, .. } = self.0;
        let mode = match self.0.mode {
            Mode::Paper => "paper",
            Mode::Live => "live, with --live and DRY_RUN=0",
        };
        writeln!(f, "  mode         {mode}")?;
        let demo = match self.0.environment {
            Environment::Demo => " (Polymarket's orders are paper there)",
            _ => "",
        };
        writeln!(f, "  environment  {}{demo}", self.0.environment.name())?;
        let pairs: Vec<String> = self.0.pairs.iter().map(|p| p.display().to_string()).collect();
        writeln!(f, "  pairs        {}", pairs.join(", "))?;
        let key = match &kalshi.key {
            Some(key) => format!("key {} in {}", key.id, key.file.display()),
            None => "no key".to_owned(),
        };
        writeln!(f, "  kalshi       {}, {key}, tier {}", kalshi.rest, kalshi.tier.name)?;
        let key = if polymarket.key.is_some() { "a key" } else { "no key" };
        let signature_type = polymarket.signature_type;
        writeln!(f, "  polymarket   {}, {key}, type {signature_type}", polymarket.clob)?;
        let (qty, least) = (strategy.max_qty, strategy.min_profit);
        writeln!(f, "  strategy     at most {qty} contracts, at least ${least} a contract")?;
        let shown = |limit: Option<engine::units::Usd>| {
            limit.map_or("none".to_owned(), |limit| format!("${limit}"))
        };
        let order = shown(limits.order_notional_max);
        let unsettled = shown(limits.unsettled_notional_max);
        let day = shown(limits.day_loss_max);
        writeln!(f, "  limits       an order {order}, unsettled {unsettled}, a day's loss {day}")?;
        super::live::caution(self.0)
            .iter()
            .try_for_each(|what| writeln!(f, "  caution      {what}"))
    }
}
