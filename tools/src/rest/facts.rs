//! What a live start must know: how far the clock is off, and whether Polymarket serves this host.

use std::thread;
use std::time::Duration;

use engine::units::Venue;

use super::RestError;
use super::kalshi::KalshiRest;
use super::polymarket::PolymarketRest;
use crate::config::live::{self, ClockBounds, Facts, can_trade};
use crate::config::{Config, Environment};
use crate::pairs::PairFile;

/// Answers that tell the clock's offset. Each shows whole seconds only; spread over one second,
/// they bound it within the pause between two of them and the way there and back.
const SAMPLES: u32 = 12;

/// A twelfth of a second, so that the answers spread over one.
const PAUSE: Duration = Duration::from_millis(85);

/// Asks both venues what a live start must know; takes some seconds. Simulators share this host's
/// clock and serve everybody, so that nothing is asked of them.
pub fn gather<'p>(
    config: &Config,
    pairs: Option<&'p PairFile>,
    kalshi: &mut KalshiRest,
    polymarket: &mut PolymarketRest,
) -> Facts<'p> {
    let files = live::secret_files(config);
    let files = files.into_iter().map(|path| (path.clone(), live::permissions(&path))).collect();
    if config.environment == Environment::Sim {
        let geoblock = Ok((false, String::new()));
        return Facts { clock: Vec::new(), geoblock, files, pairs };
    }
    let mut clock = vec![(Venue::Kalshi, bounds(|| kalshi.date()))];
    let mut geoblock = Ok((false, String::new()));
    if can_trade(config.environment, Venue::Polymarket) {
        clock.push((Venue::Polymarket, bounds(|| polymarket.time())));
        geoblock = match polymarket.geoblock() {
            Ok(said) => Ok((said.blocked, said.country)),
            Err(error) => Err(error.to_string()),
        };
    }
    Facts { clock, geoblock, files, pairs }
}

/// How far the clock is ahead of both venues', as far as that is known: the farther bound of each.
pub fn clocks(kalshi: &mut KalshiRest, polymarket: &mut PolymarketRest) -> Vec<(Venue, i64)> {
    let all = [
        (Venue::Kalshi, bounds(|| kalshi.date())),
        (Venue::Polymarket, bounds(|| polymarket.time())),
    ];
    let known = all.into_iter().filter_map(|(venue, bounds)| Some((venue, bounds.ok()?)));
    known.map(|(venue, bounds)| (venue, bounds.farthest_ms().saturating_mul(1_000_000))).collect()
}

/// What some answers together tell of the clock.
fn bounds(
    mut ask: impl FnMut() -> Result<(i64, i64, i64), RestError>,
) -> Result<ClockBounds, String> {
    let mut all: Option<ClockBounds> = None;
    for _ in 0..SAMPLES {
        let (sent, second, came) = ask().map_err(|error| error.to_string())?;
        let one = ClockBounds::of_second(sent, came, second);
        all = Some(all.map_or(one, |so_far| so_far.and(one)));
        thread::sleep(PAUSE);
    }
    all.ok_or_else(|| "nothing was asked".into())
}
