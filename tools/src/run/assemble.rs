//! From a configuration and a spec to tiles with rings: whoever trades starts here.

use std::path::PathBuf;

use engine::clock::TscClock;
use engine::tile::Now;
use engine::units::Usd;
use exec::sign::stamps::Lane;
use feeds::live::polymarket::ASSETS_A_LINE_MAX;
use feeds::live::{self, Options};

use super::doors::{self, KalshiLogin};
use super::gates;
use super::spec::{Fills, RunSpec};
use crate::config::Config;
use crate::rest::{Agent, keys};
use crate::topology::live::{LiveEnds, LiveParts, LivePlan, LiveTiles};

/// A run that is ready to start.
pub struct Assembled {
    /// Its tiles.
    pub tiles: LiveTiles,
    /// Ends of rings that stay outside.
    pub ends: LiveEnds,
    /// Its threads.
    pub plan: LivePlan,
    /// Its clock, and when it began.
    pub clock: (TscClock, Now),
}

/// The spec of a run with this configuration, over these pair files.
///
/// # Errors
/// What is wrong with a file, in words that name it.
pub fn spec(
    config: &Config,
    files: &[PathBuf],
    fills: Fills,
    cash: [Usd; 2],
) -> Result<RunSpec, String> {
    let files = if files.is_empty() { &config.pairs } else { files };
    let mut texts = Vec::with_capacity(files.len());
    for path in files {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("pair file {}: {error}", path.display()))?;
        texts.push((path.display().to_string(), text));
    }
    let wanted = config.load_pairs(files).map_err(|error| error.to_string())?;
    if wanted.pairs.is_empty() {
        return Err(
            "no pair is left to trade: the pair files are empty, or `targets` name none of them"
                .to_owned(),
        );
    }
    let strategy = &config.strategy;
    let limit = |limit: Option<Usd>| limit.map(Usd::e6);
    Ok(RunSpec {
        fills,
        min_profit: strategy.min_profit.e6(),
        max_qty: strategy.max_qty.e2(),
        cash: cash.map(Usd::e6),
        cooldown: strategy.cooldown.0,
        deadline: strategy.deadline.0,
        balance_grid: config.kalshi.balance_grid.e6(),
        max_notional: limit(config.limits.order_notional_max),
        max_unsettled: limit(config.limits.unsettled_notional_max),
        arm_within: Some(strategy.arm_margin.e6()).filter(|e6| *e6 > 0 && fills == Fills::Venues),
        latency: config.paper.latency.map(|latency| latency.0),
        markets_a_line: [
            config.kalshi.markets_per_connection,
            (config.polymarket.assets_per_connection.min(ASSETS_A_LINE_MAX) / 2).max(1),
        ],
        wanted: wanted.pairs.iter().map(|pair| pair.id.clone()).collect(),
        multiplier_min_e6: config.kalshi.multiplier_min_e6(),
        ..RunSpec::new(texts)
    })
}

/// Makes everything that a run consists of.
///
/// # Errors
/// What cannot be found, read or opened, in words that name it.
pub fn assemble(
    config: &Config,
    spec: &RunSpec,
    agent: &Agent,
    record: bool,
) -> Result<Assembled, String> {
    let setup = spec.setup()?;
    let clock = super::trade::clock();
    let gates = match spec.fills {
        Fills::Paper => None,
        Fills::Venues => {
            let file = spec.pair_file()?;
            Some(gates::gates(config, &file, &setup.table, agent, (&clock.0, clock.1))?)
        }
    };
    let desk = spec.desk(&setup)?;
    let tls = doors::tls(config)?;
    let signer = keys::kalshi(config).map_err(|problem| problem.0)?.ok_or(
        "Kalshi shows its books to nobody without a key: set kalshi.key_id and kalshi.key_file (or KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH)",
    )?;
    let seed = u64::from_le_bytes(
        *keys::seed().map_err(|problem| problem.0)?.first_chunk().ok_or("no seed")?,
    );
    let options = |door, salt: u64| Options {
        door,
        seed: seed ^ salt,
        rotate_every: None,
        mark_frames: false,
    };
    let kalshi_door = doors::door(&config.kalshi.ws, config.kalshi.ws.path(), &tls)?;
    let market = format!("{}/market", config.polymarket.ws.path());
    let polymarket_door = doors::door(&config.polymarket.ws, &market, &tls)?;
    let [kalshi_a_line, polymarket_a_line] = spec.markets_a_line;
    let parts = LiveParts {
        kalshi: (
            live::kalshi::Kalshi { markets_a_line: kalshi_a_line, trades: false },
            setup.kalshi,
            options(kalshi_door, 1),
            KalshiLogin::new(signer, Lane::Feed),
        ),
        events: setup.events,
        polymarket: (
            live::polymarket::Polymarket { markets_a_line: polymarket_a_line },
            setup.polymarket,
            options(polymarket_door, 2),
        ),
        desk,
        gates,
        record,
    };
    let plan = LivePlan::new(&config.threads, spec.fills == Fills::Venues);
    let (tiles, ends) = crate::topology::live::live(parts, clock.1)
        .map_err(|error| format!("opening the feeds: {error}"))?;
    Ok(Assembled { tiles, ends, plan, clock })
}
