//! The TOML text as it stands: what is said, and what the built-in default says where it is silent.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::ConfigError;
use super::limits::LimitsFile;

/// Every key with its meaning and its default.
pub const DEFAULT: &str =
    concat!(include_str!("default.toml"), "\n[limits]\n", include_str!("limits.toml"));

/// A configuration file. A key without a value in the built-in default may stay unsaid.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub mode: String,
    pub environment: String,
    pub pairs: Vec<String>,
    pub targets: Vec<String>,
    pub ca_file: Option<String>,
    pub state_dir: String,
    pub limits_file: Option<String>,
    pub kalshi: KalshiFile,
    pub polymarket: PolymarketFile,
    pub strategy: StrategyFile,
    pub feeds: FeedsFile,
    pub signing: SigningFile,
    pub legs: LegsFile,
    pub limits: LimitsFile,
    pub paper: PaperFile,
    pub record: RecordFile,
    pub journal: JournalFile,
    pub threads: ThreadsFile,
    pub discovery: DiscoveryFile,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KalshiFile {
    pub rest: Option<String>,
    pub ws: Option<String>,
    pub key_id: Option<String>,
    pub key_file: Option<String>,
    pub tier: String,
    pub balance_grid: String,
    pub fee_rate_min: Option<String>,
    pub markets_per_connection: u32,
    pub order_connections: u32,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PolymarketFile {
    pub clob: Option<String>,
    pub ws: Option<String>,
    pub gamma: Option<String>,
    pub geoblock: Option<String>,
    pub key_file: Option<String>,
    pub funder: Option<String>,
    pub signature_type: u32,
    pub heartbeat: bool,
    pub assets_per_connection: u32,
    pub order_connections: u32,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct StrategyFile {
    pub min_profit: String,
    pub max_qty: String,
    pub cooldown_ms: u32,
    pub deadline_ms: u32,
    pub arm_margin: String,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LegsFile {
    pub repair: bool,
    pub order: String,
    pub give_first: String,
    pub give_max: String,
    pub hold_cost: String,
    pub hold_max: String,
    pub wait_ms: u32,
    pub wait_max_ms: u32,
    pub tries_max: u32,
    pub adopt: bool,
    pub naked_max: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FeedsFile {
    pub rotate_every_min: u32,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SigningFile {
    pub headers: u32,
    pub header_window_ms: u32,
    pub orders: u32,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PaperFile {
    pub kalshi_latency_ms: u32,
    pub polymarket_latency_ms: u32,
    pub kalshi_cash: String,
    pub polymarket_cash: String,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RecordFile {
    pub dir: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct JournalFile {
    pub dir: String,
    pub durable: bool,
    pub keep_days: u32,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ThreadsFile {
    pub grouping: String,
    pub cores: Option<String>,
    pub idle: String,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DiscoveryFile {
    pub enabled: bool,
    pub store: String,
    pub cache_ttl_s: u32,
    pub every_s: u32,
    pub reserve: u16,
}

/// Reads `text`, completed by the built-in default. `name` is what errors call the file; `open`
/// gives a file that it names, with the name that errors call it.
pub(super) fn read(
    text: &str,
    name: &str,
    open: impl FnOnce(&str) -> Result<(String, String), ConfigError>,
) -> Result<File, ConfigError> {
    let syntax = |error: toml::de::Error| ConfigError::Syntax {
        file: name.to_owned(),
        reason: error.to_string().trim_end().to_owned(),
    };
    // Typed first, because only this way an error shows its line.
    let typed = toml::from_str::<File>(text).map_err(syntax)?;
    let mut said: Table = toml::from_str(text).map_err(syntax)?;
    if let Some(path) = typed.limits_file {
        if said.contains_key("limits") {
            return Err(ConfigError::Key {
                file: name.to_owned(),
                key: "limits".into(),
                want: format!("limits stand in one place: here, or in limits_file ({path})"),
            });
        }
        let (text, name) = open(&path)?;
        said.insert("limits".into(), Value::Table(limits_of(&text, &name)?));
    }
    let default: Table = toml::from_str(DEFAULT).map_err(syntax)?;
    File::deserialize(Value::Table(completed(said, default))).map_err(syntax)
}

/// The limits of a file of their own.
fn limits_of(text: &str, name: &str) -> Result<Table, ConfigError> {
    let syntax = |error: toml::de::Error| ConfigError::Syntax {
        file: name.to_owned(),
        reason: error.to_string().trim_end().to_owned(),
    };
    toml::from_str::<LimitsFile>(text).map_err(syntax)?;
    toml::from_str(text).map_err(syntax)
}

/// `said`, and of `default` what it does not say.
fn completed(said: Table, mut default: Table) -> Table {
    for (key, value) in said {
        let merged = match (value, default.remove(&key)) {
            (Value::Table(said), Some(Value::Table(default))) => {
                Value::Table(completed(said, default))
            }
            (said, _) => said,
        };
        default.insert(key, merged);
    }
    default
}
