//! How what one leg filled alone is closed, as values that a tape carries.

use engine::pair::LegOrder;
use engine::repair::RepairConfig;
use engine::units::{Ns, Usd};
use serde::{Deserialize, Serialize};

/// [`RepairConfig`] in plain numbers: money in micro-dollars, times in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepairSpec {
    /// Which leg leaves first, by its place in [`LegOrder::ALL`].
    #[serde(default)]
    pub order: u8,
    /// Most that closing may cost a contract at the first try.
    pub give_first: i64,
    /// And at the last.
    pub give_max: i64,
    /// What holding a contract is taken to cost.
    pub hold_cost: i64,
    /// Most that may be lost on what is held because of that.
    pub hold_max: i64,
    /// First wait after a fruitless try.
    pub wait_first: u64,
    /// Longest.
    pub wait_max: u64,
    /// Fruitless tries until somebody is told.
    pub tries_max: u8,
    /// What was alone when the run began is closed too.
    #[serde(default)]
    pub adopt: bool,
    /// Most money at risk on one side of an event; `None` is no limit.
    pub naked_max: Option<i64>,
}

impl From<RepairConfig> for RepairSpec {
    fn from(config: RepairConfig) -> RepairSpec {
        let naked_max = (config.naked_max != engine::core::NO_LIMIT).then(|| config.naked_max.e6());
        RepairSpec {
            order: config.order as u8,
            give_first: config.give_first.e6(),
            give_max: config.give_max.e6(),
            hold_cost: config.hold_cost.e6(),
            hold_max: config.hold_max.e6(),
            wait_first: config.wait_first.0,
            wait_max: config.wait_max.0,
            tries_max: config.tries_max,
            adopt: config.adopt,
            naked_max,
        }
    }
}

impl From<RepairSpec> for RepairConfig {
    fn from(spec: RepairSpec) -> RepairConfig {
        RepairConfig {
            order: LegOrder::ALL.get(usize::from(spec.order)).copied().unwrap_or_default(),
            give_first: Usd::new(spec.give_first),
            give_max: Usd::new(spec.give_max),
            hold_cost: Usd::new(spec.hold_cost),
            hold_max: Usd::new(spec.hold_max),
            wait_first: Ns(spec.wait_first),
            wait_max: Ns(spec.wait_max),
            tries_max: spec.tries_max,
            adopt: spec.adopt,
            naked_max: spec.naked_max.map_or(engine::core::NO_LIMIT, Usd::new),
        }
    }
}
