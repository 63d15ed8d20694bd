//! How what one leg filled alone is closed, as the configuration says it.

use engine::core::NO_LIMIT;
use engine::pair::LegOrder;
use engine::repair::RepairConfig;
use engine::units::Usd;

use super::ConfigError;
use super::build::Source;
use super::file::LegsFile;

/// Reads `[legs]`; `None` where repairs are switched off. Unless it is said, two orders as large as
/// one may be are what an event may have at risk.
pub(super) fn repair(
    file: &LegsFile,
    order_max: Option<Usd>,
    source: &Source<'_>,
) -> Result<Option<RepairConfig>, ConfigError> {
    let naked_max = match &file.naked_max {
        Some(text) => source.usd("legs.naked_max", text)?,
        None => order_max.map_or(NO_LIMIT, |most| most + most),
    };
    let tries = u8::try_from(file.tries_max).ok().filter(|tries| (1..=100).contains(tries));
    let want = "both, kalshi-first, polymarket-first or auto";
    let repair = RepairConfig {
        order: LegOrder::from_name(&file.order).ok_or_else(|| source.key("legs.order", want))?,
        give_first: source.usd("legs.give_first", &file.give_first)?,
        give_max: source.usd("legs.give_max", &file.give_max)?,
        hold_cost: source.usd("legs.hold_cost", &file.hold_cost)?,
        hold_max: source.usd("legs.hold_max", &file.hold_max)?,
        wait_first: source.ms("legs.wait_ms", file.wait_ms, 1)?,
        wait_max: source.ms("legs.wait_max_ms", file.wait_max_ms, 1)?,
        tries_max: tries.ok_or_else(|| source.key("legs.tries_max", "from 1 to 100"))?,
        adopt: file.adopt,
        naked_max,
    };
    if repair.give_max < repair.give_first {
        return Err(source.key("legs.give_max", "at least give_first"));
    }
    if repair.wait_max < repair.wait_first {
        return Err(source.key("legs.wait_max_ms", "at least wait_ms"));
    }
    Ok(file.repair.then_some(repair))
}
