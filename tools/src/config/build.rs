//! A file's text and variables -> types, with every rule checked.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use engine::pin::CoreList;
use engine::units::{Ns, Usd};
use exec::armed::ARMED_MAX;
use exec::sign::pool::HeaderSpread;
use exec::sign::stamps::WINDOW_MS;

use super::JournalSettings;
use super::file::{File, KalshiFile, PolymarketFile, ThreadsFile};
use super::{
    ApiCredentials, Config, ConfigError, DiscoveryConfig, Environment, Grouping, IdleChoice,
    KalshiConfig, KalshiKey, KalshiTier, Mode, PaperTerms, PolymarketConfig, Signing, Strategy,
    Threads, Url, Variables, WalletKey,
};
use crate::decimal::{balance_grid, contracts, decimal, usd};

/// Longest delay taken as meant, in milliseconds.
const DELAY_MS_MAX: u32 = 86_400_000;

/// Most assets on one of Polymarket's sockets: more were seen to stall (polymarket.md section 2.1).
const ASSETS_MAX: u32 = 200;

/// Most markets on one of Kalshi's (kalshi.md section 2, "Limits").
const MARKETS_MAX: u32 = 500_000;

/// Most connections for orders that a venue gets.
const ORDER_CONNECTIONS_MAX: u32 = 16;

/// Where values come from.
pub(super) struct Source<'a> {
    path: &'a Path,
    variables: &'a Variables,
    environment: Environment,
}

pub(super) fn build(
    file: &File,
    path: &Path,
    variables: &Variables,
    asked: Option<Environment>,
) -> Result<Config, ConfigError> {
    let environment = environment(file, path, variables, asked)?;
    let source = Source { path, variables, environment };
    let ca_file = file.ca_file.as_ref().map(|text| source.resolved(text));
    if ca_file.is_some() != (environment == Environment::Sim) {
        let want = "the simulators' CA: needed in the environment \"sim\", and refused in others";
        return Err(source.key("ca_file", want));
    }
    let limits = super::limits::limits(&file.limits, &source)?;
    let strategy = strategy(file, &source)?;
    Ok(Config {
        mode: match file.mode.as_str() {
            "paper" => Mode::Paper,
            "live" => Mode::Live,
            _ => return Err(source.key("mode", "\"paper\" or \"live\"")),
        },
        environment,
        dry_run: dry_run(variables)?,
        pairs: file.pairs.iter().map(|text| source.resolved(text)).collect(),
        targets: targets(file, variables),
        ca_file,
        state_dir: source.resolved(&file.state_dir),
        kalshi: kalshi(&file.kalshi, &source)?,
        polymarket: polymarket(&file.polymarket, &source)?,
        strategy,
        rotate_every: rotate_every(file),
        signing: signing(file, &source)?,
        repair: super::legs::repair(&file.legs, limits.order_notional_max, &source)?,
        limits,
        paper: PaperTerms {
            latency: [
                source.ms("paper.kalshi_latency_ms", file.paper.kalshi_latency_ms, 0)?,
                source.ms("paper.polymarket_latency_ms", file.paper.polymarket_latency_ms, 0)?,
            ],
            cash: [
                source.usd("paper.kalshi_cash", &file.paper.kalshi_cash)?,
                source.usd("paper.polymarket_cash", &file.paper.polymarket_cash)?,
            ],
        },
        record_dir: file.record.dir.as_ref().map(|text| source.resolved(text)),
        journal: JournalSettings {
            dir: source.resolved(&file.journal.dir),
            durable: file.journal.durable,
            keep: (file.journal.keep_days > 0)
                .then(|| Duration::from_secs(86_400 * u64::from(file.journal.keep_days))),
        },
        crash_at: None,
        threads: threads(&file.threads, &source)?,
        discovery: discovery(file, &source)?,
        secret_file: variables.secret_file(),
    })
}

fn environment(
    file: &File,
    path: &Path,
    variables: &Variables,
    asked: Option<Environment>,
) -> Result<Environment, ConfigError> {
    let want = "prod, demo or sim";
    let of = |text: &str| match text {
        "prod" => Some(Environment::Prod),
        "demo" => Some(Environment::Demo),
        "sim" => Some(Environment::Sim),
        _ => None,
    };
    match (asked, variables.first(&["APP_ENV"])) {
        (Some(asked), _) => Ok(asked),
        (None, Some(said)) => of(said.value).ok_or_else(|| said.error(want)),
        (None, None) => of(&file.environment).ok_or_else(|| ConfigError::Key {
            file: path.display().to_string(),
            key: "environment".into(),
            want: want.into(),
        }),
    }
}

/// On where nothing is said: money needs a word.
fn dry_run(variables: &Variables) -> Result<bool, ConfigError> {
    let want = "1 or true (orders on paper), 0 or false (orders may cost money)";
    Ok(switch(variables, "DRY_RUN", want)?.unwrap_or(true))
}

/// A variable that is on or off.
fn switch(
    variables: &Variables,
    name: &'static str,
    want: &str,
) -> Result<Option<bool>, ConfigError> {
    let Some(said) = variables.first(&[name]) else { return Ok(None) };
    match said.value {
        "1" | "true" => Ok(Some(true)),
        "0" | "false" => Ok(Some(false)),
        _ => Err(said.error(want)),
    }
}

/// Longest time between two looks at the catalogues, in seconds.
const DISCOVERY_S_MAX: u32 = 7 * 86_400;

/// Most pairs that may join a run.
const DISCOVERY_RESERVE_MAX: usize = 8_192;

fn discovery(file: &File, source: &Source<'_>) -> Result<DiscoveryConfig, ConfigError> {
    let variables = source.variables;
    let seconds = |key: &str, seconds: u32| match seconds <= DISCOVERY_S_MAX {
        true => Ok(seconds),
        false => Err(source.key(key, format!("from 0 to {DISCOVERY_S_MAX} seconds"))),
    };
    let file = &file.discovery;
    let only = "1 or true (find pairs and end), 0 or false (trade)";
    let force = "1 or true (ask the venues for everything), 0 or false (for changes)";
    Ok(DiscoveryConfig {
        enabled: file.enabled,
        only: switch(variables, "DISCOVERY_ONLY", only)?.unwrap_or(false),
        force: switch(variables, "FORCE_DISCOVERY", force)?.unwrap_or(false),
        store: source.resolved(&file.store),
        cache_ttl_s: seconds("discovery.cache_ttl_s", file.cache_ttl_s)?,
        every_s: seconds("discovery.every_s", file.every_s)?,
        reserve: match usize::from(file.reserve) {
            reserve if reserve <= DISCOVERY_RESERVE_MAX => reserve,
            _ => {
                let most = format!("from 0 to {DISCOVERY_RESERVE_MAX} pairs");
                return Err(source.key("discovery.reserve", most));
            }
        },
    })
}

fn targets(file: &File, variables: &Variables) -> Vec<String> {
    match variables.first(&["TARGET_MARKETS"]) {
        None => file.targets.clone(),
        Some(said) => said
            .value
            .split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect(),
    }
}

fn kalshi(file: &KalshiFile, source: &Source<'_>) -> Result<KalshiConfig, ConfigError> {
    let (rest, ws) = match source.environment {
        Environment::Prod => (
            Some("https://external-api.kalshi.com/trade-api/v2"),
            Some("wss://external-api-ws.kalshi.com/trade-api/ws/v2"),
        ),
        Environment::Demo => (
            Some("https://external-api.demo.kalshi.co/trade-api/v2"),
            Some("wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2"),
        ),
        Environment::Sim => (None, None),
    };
    let belongs = |url: &Url| url.is_kalshi(source.environment);
    let (ids, paths): (&[_], &[_]) = match source.environment {
        Environment::Prod => (
            &["KALSHI_PROD_API_KEY", "KALSHI_API_KEY_ID"],
            &["KALSHI_PROD_PRIVATE_KEY_PATH", "KALSHI_PRIVATE_KEY_PATH"],
        ),
        Environment::Demo => (
            &["KALSHI_DEMO_API_KEY", "KALSHI_API_KEY_ID"],
            &["KALSHI_DEMO_PRIVATE_KEY_PATH", "KALSHI_PRIVATE_KEY_PATH"],
        ),
        Environment::Sim => (&["KALSHI_API_KEY_ID"], &["KALSHI_PRIVATE_KEY_PATH"]),
    };
    let id = source.variables.first(ids).map(|said| said.value.to_owned());
    let key_path = source.variables.first(paths).map(|said| PathBuf::from(said.value));
    let id = id.or_else(|| file.key_id.clone());
    let key_path = key_path.or_else(|| file.key_file.as_ref().map(|text| source.resolved(text)));
    let plain = |id: &str| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let key = match (id, key_path) {
        (None, None) => None,
        (Some(id), Some(path)) if !id.is_empty() && plain(&id) => {
            Some(KalshiKey { id, file: path })
        }
        (Some(_), Some(_)) => {
            return Err(source.key("kalshi.key_id", "the key's id, letters, digits and dashes"));
        }
        (Some(_), None) => {
            let want = "missing beside key_id; or set KALSHI_PRIVATE_KEY_PATH";
            return Err(source.key("kalshi.key_file", want));
        }
        (None, Some(_)) => {
            let want = "missing beside key_file; or set KALSHI_API_KEY_ID";
            return Err(source.key("kalshi.key_id", want));
        }
    };
    let want = "basic, advanced, expert, premier, paragon, prime or prestige";
    let tier = KalshiTier::ALL.into_iter().find(|tier| tier.name == file.tier);
    Ok(KalshiConfig {
        rest: source.url("kalshi.rest", &file.rest, rest, "https", belongs)?,
        ws: source.url("kalshi.ws", &file.ws, ws, "wss", belongs)?,
        key,
        tier: tier.ok_or_else(|| source.key("kalshi.tier", want))?,
        balance_grid: balance_grid(&file.balance_grid)
            .map_err(|want| source.key("kalshi.balance_grid", want))?,
        fee_rate_min_e6: fee_rate(file, source)?,
        markets_per_connection: source.count(
            "kalshi.markets_per_connection",
            file.markets_per_connection,
            MARKETS_MAX,
        )?,
        order_connections: source.count(
            "kalshi.order_connections",
            file.order_connections,
            ORDER_CONNECTIONS_MAX,
        )?,
    })
}

fn fee_rate(file: &KalshiFile, source: &Source<'_>) -> Result<Option<u32>, ConfigError> {
    let want = "a rate from 0 to 1 with at most 6 decimals, such as 0.07";
    let rate = |text: &str| {
        decimal(text, 6).and_then(|e6| u32::try_from(e6).ok()).filter(|e6| *e6 <= 1_000_000)
    };
    if let Some(said) = source.variables.first(&["KALSHI_FEE_RATE"]) {
        return rate(said.value).map(Some).ok_or_else(|| said.error(want));
    }
    let Some(text) = &file.fee_rate_min else { return Ok(None) };
    rate(text).map(Some).ok_or_else(|| source.key("kalshi.fee_rate_min", want))
}

fn polymarket(file: &PolymarketFile, source: &Source<'_>) -> Result<PolymarketConfig, ConfigError> {
    let real = |text: &'static str| (source.environment != Environment::Sim).then_some(text);
    let belongs = |url: &Url| url.is_polymarket(source.environment);
    let variables = source.variables;
    let key = match variables.secret(&["POLY_PRIVATE_KEY", "POLYMARKET_WALLET_PRIVATE_KEY"]) {
        Some(text) => Some(WalletKey::Text(text)),
        None => file.key_file.as_ref().map(|text| WalletKey::File(source.resolved(text))),
    };
    let want = "an address: 0x and 40 hexadecimal digits";
    let funder = match variables.first(&["POLY_FUNDER", "POLYMARKET_WALLET_ADDR"]) {
        Some(said) if is_address(said.value) => Some(said.value.to_owned()),
        Some(said) => return Err(said.error(want)),
        None => match &file.funder {
            Some(text) if !is_address(text) => return Err(source.key("polymarket.funder", want)),
            funder => funder.clone(),
        },
    };
    let want = "0 (the key's own address), 1 (proxy), 2 (Safe) or 3 (deposit wallet)";
    let signature_type = match variables.first(&["POLY_SIGNATURE_TYPE"]) {
        Some(said) => {
            said.value.parse().ok().filter(|t| *t <= 3).ok_or_else(|| said.error(want))?
        }
        None => u8::try_from(file.signature_type)
            .ok()
            .filter(|t| *t <= 3)
            .ok_or_else(|| source.key("polymarket.signature_type", want))?,
    };
    if signature_type == 3 && key.is_some() && funder.is_none() {
        let want = "missing: signature type 3 signs for the deposit wallet; or set POLY_FUNDER";
        return Err(source.key("polymarket.funder", want));
    }
    Ok(PolymarketConfig {
        clob: source.url(
            "polymarket.clob",
            &file.clob,
            real("https://clob.polymarket.com"),
            "https",
            belongs,
        )?,
        ws: source.url(
            "polymarket.ws",
            &file.ws,
            real("wss://ws-subscriptions-clob.polymarket.com/ws"),
            "wss",
            belongs,
        )?,
        gamma: source.url(
            "polymarket.gamma",
            &file.gamma,
            real("https://gamma-api.polymarket.com"),
            "https",
            belongs,
        )?,
        geoblock: source.url(
            "polymarket.geoblock",
            &file.geoblock,
            real("https://polymarket.com/api/geoblock"),
            "https",
            belongs,
        )?,
        key,
        funder,
        signature_type,
        heartbeat: file.heartbeat,
        credentials: credentials(variables)?,
        assets_per_connection: source.count(
            "polymarket.assets_per_connection",
            file.assets_per_connection,
            ASSETS_MAX,
        )?,
        order_connections: source.count(
            "polymarket.order_connections",
            file.order_connections,
            ORDER_CONNECTIONS_MAX,
        )?,
    })
}

/// All three or none.
fn credentials(variables: &Variables) -> Result<Option<ApiCredentials>, ConfigError> {
    let names = ["POLYMARKET_API_KEY", "POLYMARKET_API_SECRET", "POLYMARKET_API_PASSPHRASE"];
    let [key, secret, passphrase] = names.map(|name| variables.secret(&[name]));
    match (key, secret, passphrase) {
        (None, None, None) => Ok(None),
        (Some(key), Some(secret), Some(passphrase)) => {
            Ok(Some(ApiCredentials { key, secret, passphrase }))
        }
        _ => Err(ConfigError::Variable {
            from: names.join(", "),
            want: "all three, or none: then they are derived from the wallet's key".into(),
        }),
    }
}

fn strategy(file: &File, source: &Source<'_>) -> Result<Strategy, ConfigError> {
    let file = &file.strategy;
    let min_profit = match source.variables.first(&["MIN_PROFIT_THRESHOLD"]) {
        Some(said) => usd(said.value).map_err(|want| said.error(want))?,
        None => source.usd("strategy.min_profit", &file.min_profit)?,
    };
    Ok(Strategy {
        min_profit,
        max_qty: contracts(&file.max_qty).map_err(|want| source.key("strategy.max_qty", want))?,
        cooldown: source.ms("strategy.cooldown_ms", file.cooldown_ms, 0)?,
        deadline: source.ms("strategy.deadline_ms", file.deadline_ms, 1)?,
        arm_margin: source.usd("strategy.arm_margin", &file.arm_margin)?,
    })
}

fn rotate_every(file: &File) -> Option<Ns> {
    let minutes = file.feeds.rotate_every_min;
    (minutes != 0).then(|| Ns::from_ms(u64::from(minutes) * 60_000))
}

fn signing(file: &File, source: &Source<'_>) -> Result<Signing, ConfigError> {
    let file = &file.signing;
    let spread = HeaderSpread::new(file.headers as usize, u64::from(file.header_window_ms));
    let headers = spread.ok_or_else(|| {
        let (each, widest) = (HeaderSpread::MS_A_HEADER, 2 * WINDOW_MS);
        source.key(
            "signing.headers",
            format!(
                "at least 1, with {each} ms of header_window_ms each, which is {widest} at most"
            ),
        )
    })?;
    let most = u32::try_from(ARMED_MAX).unwrap_or(u32::MAX);
    Ok(Signing { headers, orders: source.count("signing.orders", file.orders, most)? })
}

fn threads(file: &ThreadsFile, source: &Source<'_>) -> Result<Threads, ConfigError> {
    let cores = file.cores.as_deref().map(CoreList::from_str).transpose();
    Ok(Threads {
        grouping: match file.grouping.as_str() {
            "auto" => Grouping::Auto,
            "grouped" => Grouping::Grouped,
            "pinned" => Grouping::Pinned,
            _ => return Err(source.key("threads.grouping", "auto, grouped or pinned")),
        },
        cores: cores.map_err(|error| source.key("threads.cores", error.to_string()))?,
        idle: match file.idle.as_str() {
            "auto" => IdleChoice::Auto,
            "spin" => IdleChoice::SPIN,
            "yield" => IdleChoice::YIELD,
            "park" => IdleChoice::PARK,
            _ => return Err(source.key("threads.idle", "auto, spin, yield or park")),
        },
    })
}

fn is_address(text: &str) -> bool {
    text.strip_prefix("0x")
        .is_some_and(|hex| hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

impl Source<'_> {
    pub(super) fn key(&self, key: &str, want: impl Into<String>) -> ConfigError {
        let file = self.path.display().to_string();
        ConfigError::Key { file, key: key.to_owned(), want: want.into() }
    }

    /// A path in the file, seen from the file's own folder.
    fn resolved(&self, text: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(text)
    }

    pub(super) fn usd(&self, key: &str, text: &str) -> Result<Usd, ConfigError> {
        usd(text).map_err(|want| self.key(key, want))
    }

    /// What the environment says.
    pub(super) fn first(&self, name: &'static str) -> Option<super::variables::Said<'_>> {
        self.variables.first(&[name])
    }

    pub(super) fn ms(&self, key: &str, ms: u32, least: u32) -> Result<Ns, ConfigError> {
        if (least..=DELAY_MS_MAX).contains(&ms) {
            return Ok(Ns::from_ms(u64::from(ms)));
        }
        Err(self.key(key, format!("from {least} to {DELAY_MS_MAX} milliseconds")))
    }

    fn count(&self, key: &str, count: u32, most: u32) -> Result<usize, ConfigError> {
        if (1..=most).contains(&count) {
            return Ok(count as usize);
        }
        Err(self.key(key, format!("from 1 to {most}")))
    }

    fn url(
        &self,
        key: &str,
        said: &Option<String>,
        usual: Option<&str>,
        scheme: &'static str,
        belongs: impl Fn(&Url) -> bool,
    ) -> Result<Url, ConfigError> {
        let environment = self.environment.name();
        let text = said.as_deref().or(usual).ok_or_else(|| {
            self.key(
                key,
                format!("missing: the environment \"{environment}\" has no usual address"),
            )
        })?;
        let url = Url::parse(text, scheme).map_err(|want| self.key(key, want))?;
        if !belongs(&url) {
            let host = url.host();
            let want = format!("host {host} does not belong to the environment \"{environment}\"");
            return Err(self.key(key, want));
        }
        Ok(url)
    }
}
