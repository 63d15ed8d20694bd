//! From a configuration and a spec to tiles with rings: whoever trades starts here.

use engine::clock::TscClock;
use engine::tile::Now;
use exec::sign::stamps::Lane;
use feeds::live::{self, Options};

use super::doors::{self, KalshiLogin};
use super::gates::{self, GateJournal};
use super::spec::{Fills, RunSpec};
use crate::config::Config;
use crate::journal::keep::Journalled;
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

/// Makes everything that a run consists of.
///
/// # Errors
/// What cannot be found, read or opened, in words that name it.
pub fn assemble(
    config: &Config,
    spec: &RunSpec,
    agent: &Agent,
    record: bool,
    journal: Option<Journalled>,
) -> Result<Assembled, String> {
    let setup = spec.setup()?;
    let clock = super::trade::clock();
    let (gate_journal, journal) = journal
        .map(|Journalled { tile, writers: [first, second, ahead, watch], run, waits }| {
            (GateJournal { run, writers: [first, second, ahead], waits }, (tile, watch))
        })
        .unzip();
    let gates = match spec.fills {
        Fills::Paper => None,
        Fills::Venues => {
            let file = spec.pair_file()?;
            Some(gates::gates(config, spec, (&file, &setup.table), agent, &clock.0, gate_journal)?)
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
        rotate_every: config.rotate_every,
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
        journal,
    };
    let plan = LivePlan::new(&config.threads, spec.fills == Fills::Venues);
    let (tiles, ends) = crate::topology::live::live(parts, clock.1)
        .map_err(|error| format!("opening the feeds: {error}"))?;
    Ok(Assembled { tiles, ends, plan, clock })
}
