//! What no order and no run may exceed, as the configuration says it.

use engine::risk::calendar::{Calendar, Weekly};
use engine::risk::limits::{Cap, RATE_MAX, Rate, RiskLimits};
use engine::units::{Ns, Qty, Shares, Usd, Venue};
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::build::Source;
use crate::decimal::{contracts, price, usd};

/// Every key of the limits with its meaning and its default.
pub const DEFAULT_LIMITS: &str = include_str!("limits.toml");

/// Longest span taken as meant, in seconds.
const SPAN_S_MAX: u32 = 7 * 86_400;

/// Limits as they stand in the file.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LimitsFile {
    pub order_notional_max: Option<String>,
    pub unsettled_notional_max: Option<String>,
    pub day_loss_max: Option<String>,
    pub order_qty_max: Option<String>,
    pub pair_notional_max: Option<String>,
    pub pair_qty_max: Option<String>,
    pub pair_void_loss_max: Option<String>,
    pub event_notional_max: Option<String>,
    pub event_qty_max: Option<String>,
    pub kalshi_notional_max: Option<String>,
    pub kalshi_qty_max: Option<String>,
    pub polymarket_notional_max: Option<String>,
    pub polymarket_qty_max: Option<String>,
    pub total_notional_max: Option<String>,
    pub total_qty_max: Option<String>,
    pub shutdown_balance: Option<String>,
    pub wallet_min: String,
    pub collar: String,
    pub bundles_max: u32,
    pub bundles_ms: u32,
    pub repeats_max: u32,
    pub repeats_ms: u32,
    pub errors_max: u32,
    pub error_rest_ms: u32,
    pub clock_off_ms: u32,
    pub book_age_s: u32,
    pub before_close_s: u32,
    pub before_game_s: u32,
    pub in_play: bool,
    pub pauses: Vec<String>,
    pub blocked: Vec<String>,
    pub kalshi_fills_15s_max: String,
}

/// What no order and no run may exceed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Most dollars of one order.
    pub order_notional_max: Option<Usd>,
    /// Most dollars in positions that are not settled.
    pub unsettled_notional_max: Option<Usd>,
    /// The largest loss of a day.
    pub day_loss_max: Option<Usd>,
    /// All of it as the engine holds it.
    pub risk: RiskLimits,
    /// Names of what is never traded.
    pub blocked: Vec<String>,
    /// Most contracts that fill on Kalshi in fifteen seconds; `None` sends orders in no group.
    pub kalshi_group: Qty,
}

/// Reads the limits.
pub(super) fn limits(file: &LimitsFile, source: &Source<'_>) -> Result<Limits, ConfigError> {
    let key = |name: &str, want: String| source.key(&format!("limits.{name}"), want);
    let money = |name: &str, text: &Option<String>| -> Result<Option<Usd>, ConfigError> {
        let Some(text) = text else { return Ok(None) };
        usd(text).map(Some).map_err(|want| key(name, want))
    };
    let count = |name: &str, text: &Option<String>| -> Result<Option<Qty>, ConfigError> {
        let Some(text) = text else { return Ok(None) };
        contracts(text).map(Some).map_err(|want| key(name, want))
    };
    let cap = |name: &str, notional, qty| -> Result<Cap, ConfigError> {
        let notional = money(&format!("{name}_notional_max"), notional)?;
        let qty = count(&format!("{name}_qty_max"), qty)?;
        Ok(Cap {
            notional: notional.unwrap_or(Cap::NONE.notional),
            qty: qty.map_or(Cap::NONE.qty, Shares::from),
        })
    };
    let span = |name: &str, seconds: u32| match seconds <= SPAN_S_MAX {
        true => Ok(Ns::from_ms(u64::from(seconds) * 1_000)),
        false => Err(key(name, format!("from 0 to {SPAN_S_MAX} seconds"))),
    };
    let rate = |name: &str, most: u32, span: u32, limit: u32| match (1..=limit).contains(&most) {
        true => Ok(Rate { count: most, within: source.ms(&format!("limits.{name}_ms"), span, 0)? }),
        false => Err(key(&format!("{name}_max"), format!("from 1 to {limit}"))),
    };
    // A person's word of the hour comes before the file.
    let said = |name: &'static str, field: &str, text: &Option<String>| match source.first(name) {
        Some(said) => usd(said.value).map(Some).map_err(|want| said.error(want)),
        None => money(field, text),
    };
    let order_notional_max = money("order_notional_max", &file.order_notional_max)?;
    let day_loss_max = money("day_loss_max", &file.day_loss_max)?;
    let wallet_min = Some(file.wallet_min.clone());
    let pauses: Result<Vec<Weekly>, ConfigError> = file
        .pauses
        .iter()
        .map(|text| pause(text).ok_or_else(|| key("pauses", format!("{PAUSE}, not `{text}`"))))
        .collect();
    let calendar = Calendar::new(&pauses?)
        .ok_or_else(|| key("pauses", "at most 8, none longer than a day".to_owned()))?;
    let wanted = |want| key("kalshi_fills_15s_max", want);
    let group = contracts(&file.kalshi_fills_15s_max).map_err(wanted)?;
    if !(100..=100_000_000).contains(&group.e2()) {
        return Err(wanted("from \"1\" to \"1000000\"".to_owned()));
    }
    let risk = RiskLimits {
        order: cap("order", &file.order_notional_max, &file.order_qty_max)?,
        pair: cap("pair", &file.pair_notional_max, &file.pair_qty_max)?,
        event: cap("event", &file.event_notional_max, &file.event_qty_max)?,
        venue: [
            cap("kalshi", &file.kalshi_notional_max, &file.kalshi_qty_max)?,
            cap("polymarket", &file.polymarket_notional_max, &file.polymarket_qty_max)?,
        ],
        total: cap("total", &file.total_notional_max, &file.total_qty_max)?,
        void_loss: money("pair_void_loss_max", &file.pair_void_loss_max)?
            .unwrap_or(RiskLimits::NONE.void_loss),
        day_loss: day_loss_max.unwrap_or(RiskLimits::NONE.day_loss),
        bundles: rate("bundles", file.bundles_max, file.bundles_ms, RATE_MAX[0])?,
        repeats: rate("repeats", file.repeats_max, file.repeats_ms, RATE_MAX[1])?,
        errors: file.errors_max,
        error_rest: source.ms("limits.error_rest_ms", file.error_rest_ms, 0)?,
        clock_off: source.ms("limits.clock_off_ms", file.clock_off_ms, 1)?,
        book_age: span("book_age_s", file.book_age_s)?,
        collar: price(&file.collar).map_err(|want| key("collar", want))?,
        before_close: span("before_close_s", file.before_close_s)?,
        before_game: match file.in_play {
            true => None,
            false => Some(span("before_game_s", file.before_game_s)?),
        },
        shutdown_balance: said("SHUTDOWN_BALANCE", "shutdown_balance", &file.shutdown_balance)?
            .unwrap_or(RiskLimits::NONE.shutdown_balance),
        wallet_min: said("MINIMUM_WALLET_BALANCE", "wallet_min", &wallet_min)?.unwrap_or(Usd::ZERO),
        calendar,
    };
    Ok(Limits {
        order_notional_max,
        unsettled_notional_max: money("unsettled_notional_max", &file.unsettled_notional_max)?,
        day_loss_max,
        risk,
        blocked: file.blocked.clone(),
        kalshi_group: group,
    })
}

const PAUSE: &str = "a venue, a day and two times, such as \"kalshi thu 03:00-05:00\"";

/// A weekly pause; one that ends before it begins ends on the next day.
fn pause(text: &str) -> Option<Weekly> {
    const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    let mut words = text.split_whitespace();
    let (venue, day, times) = (words.next()?, words.next()?, words.next()?);
    let day = DAYS.iter().position(|name| *name == day)?;
    let (from, to) = times.split_once('-')?;
    let minute = |time: &str| -> Option<u16> {
        let (hour, minute) = time.split_once(':')?;
        let two = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok())?;
        let (hour, minute) = (two(hour)?, two(minute)?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let (from, to) = (minute(from)?, minute(to)?);
    let minutes = if to > from { to - from } else { to + 1_440 - from };
    let nothing_more = words.next().is_none();
    let from = u16::try_from(day).ok()? * 1_440 + from;
    nothing_more.then_some(Weekly { venue: Venue::from_name(venue)?, from, minutes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_a_day_and_two_times() {
        let thursday = Weekly { venue: Venue::Kalshi, from: 4 * 1_440 + 180, minutes: 120 };
        assert_eq!(pause("kalshi thu 03:00-05:00"), Some(thursday));
        let night = Weekly { venue: Venue::Polymarket, from: 7 * 1_440 - 30, minutes: 60 };
        assert_eq!(pause("polymarket sat 23:30-00:30"), Some(night));
        for wrong in [
            "kalshi thu 3:00-05:00",
            "kalshi thu 03:00",
            "kalshi thu 24:00-05:00",
            "kalshi thursday 03:00-05:00",
            "nobody thu 03:00-05:00",
            "kalshi thu 03:00-05:00 and more",
            "",
        ] {
            assert_eq!(pause(wrong), None, "{wrong}");
        }
    }
}
