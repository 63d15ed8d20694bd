//! `parallax chaos` itself: seeds on all cores, their figures, and what broke.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use clap::Args;
use engine::digest::Digest;
use engine::units::Ns;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value, json};

use super::seed::{self, Outcome, SPAN_MIN};
use crate::stdout;

/// Most seeds of one command: a day's work and more.
const SEEDS_MAX: u64 = 1_000_000;

/// Tries to break the engine: seeded faults of networks, feeds, orders and hosts, in simulated time
///
/// Every seed draws a market, a network and the faults that are on. The shipped feeds, core,
/// signer and gates run against both simulated venues in memory; after every event the venues'
/// truth is compared with what the engine believes. Then everything is healed, and trading has to
/// resume. An hour costs its events, not its seconds.
///
/// Exit codes: 0, every promise was kept; 1, one was broken: the seed, the promise and what
/// happened last are printed, and `--seed` repeats it bit for bit; 2, the command line is wrong.
#[derive(Args, Debug)]
pub struct ChaosArgs {
    /// How many seeds are tried, from 1 or from --first on
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=SEEDS_MAX))]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=u64::MAX - SEEDS_MAX))]
    first: u64,
    /// This one seed alone
    #[arg(long, conflicts_with_all = ["seeds", "first"])]
    seed: Option<u64>,
    /// Simulated hours of each seed
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    hours: u64,
    /// Simulated minutes of each seed, in place of hours; at least 10
    #[arg(long, conflicts_with = "hours", value_parser = clap::value_parser!(u64).range(10..=60_000))]
    minutes: Option<u64>,
    /// Nothing goes wrong: what the engine does on a quiet day
    #[arg(long)]
    calm: bool,
    /// Seeds at the same time; a core each by default
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// End with the first broken promise
    #[arg(long)]
    fail_fast: bool,
    /// Figures as one JSON object
    #[arg(long)]
    json: bool,
}

/// Why chaos did not end well.
#[derive(thiserror::Error, Debug)]
pub enum ChaosError {
    /// A simulation could not be made.
    #[error("seed {0} cannot be simulated: {1}")]
    NotMade(u64, String),
    /// Promises were broken.
    #[error("{0} of {1} seeds broke a promise; repeat one with `parallax chaos --seed N`")]
    Broken(usize, usize),
    /// The same seed came to something else.
    #[error("seed {0} did not repeat: its hash was {1:016x} and then {2:016x}")]
    NotRepeated(u64, u64, u64),
    /// Nobody reads what is printed.
    #[error("printing: {0}")]
    Print(#[from] std::io::Error),
}

/// Runs seeds and prints what they came to.
///
/// # Errors
/// Where a promise was broken.
pub fn run(args: &ChaosArgs) -> Result<(), ChaosError> {
    let span = Ns(args.minutes.unwrap_or(60 * args.hours) * 60_000_000_000).max(SPAN_MIN);
    let seeds: Vec<u64> = match args.seed {
        Some(seed) => vec![seed],
        None => (args.first..args.first + args.seeds).collect(),
    };
    let began = Instant::now();
    let outcomes = all(args, &seeds, span)?;
    let first = &outcomes[0];
    // The first seed is run again: a simulation that does not repeat proves nothing.
    let again = one(first.seed, span, args)?;
    let figures = figures(&outcomes, began.elapsed().as_millis());
    if args.json {
        stdout::print(&format!("{figures}\n"))?;
    } else {
        stdout::print(&format!("{}\n", text(&figures)))?;
    }
    for outcome in &outcomes {
        let Some((violation, tail)) = &outcome.broken else { continue };
        eprintln!("seed {}: {}: {}", outcome.seed, violation.invariant, violation.detail);
        tail.iter().for_each(|line| eprintln!("    {line}"));
    }
    if again.hash != first.hash {
        return Err(ChaosError::NotRepeated(first.seed, first.hash, again.hash));
    }
    match outcomes.iter().filter(|outcome| outcome.broken.is_some()).count() {
        0 => Ok(()),
        broken => Err(ChaosError::Broken(broken, outcomes.len())),
    }
}

fn one(seed: u64, span: Ns, args: &ChaosArgs) -> Result<Outcome, ChaosError> {
    seed::run(seed, span, !args.calm).map_err(|reason| ChaosError::NotMade(seed, reason))
}

/// All seeds, several at a time, in their order.
fn all(args: &ChaosArgs, seeds: &[u64], span: Ns) -> Result<Vec<Outcome>, ChaosError> {
    let bar = ProgressBar::with_draw_target(
        Some(seeds.len() as u64),
        if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        },
    );
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {eta} left") {
        bar.set_style(style);
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = args.threads.map_or(cores, usize::from).min(seeds.len());
    let (next, ended) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                // Each takes the next seed that nobody has; nothing else is read through it.
                while let Some(seed) = seeds.get(next.fetch_add(1, Relaxed) as usize) {
                    let outcome = one(*seed, span, args);
                    let stop = match &outcome {
                        Ok(outcome) => outcome.broken.is_some() && args.fail_fast,
                        Err(_) => true,
                    };
                    if stop {
                        next.store(u64::from(u32::MAX), Relaxed);
                    }
                    if let Ok(mut ended) = ended.lock() {
                        ended.push((*seed, outcome));
                    }
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut ended = ended.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    ended.sort_by_key(|(seed, _)| *seed);
    ended.into_iter().map(|(_, outcome)| outcome).collect()
}

/// The figures of all seeds together.
fn figures(outcomes: &[Outcome], took_ms: u128) -> Value {
    let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).sum::<u64>();
    let mut faults: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    let mut digest = Digest::default();
    for outcome in outcomes {
        digest.mix(outcome.hash);
        for (name, count) in &outcome.faults {
            let (class, kind) = name.split_once('/').unwrap_or(("other", name));
            *faults.entry(class).or_default().entry(kind).or_default() += count;
        }
    }
    let broken: Vec<Value> = outcomes
        .iter()
        .filter_map(|outcome| {
            let (violation, _) = outcome.broken.as_ref()?;
            Some(json!({
                "seed": outcome.seed,
                "invariant": violation.invariant,
                "detail": violation.detail,
            }))
        })
        .collect();
    let seconds = sum(|outcome| outcome.simulated.0 / 1_000_000_000);
    let mut all = Map::new();
    let mut put = |name: &str, value: Value| all.insert(name.to_owned(), value);
    put("seeds", outcomes.len().into());
    put("simulated_hours", hours(seconds));
    put("events", sum(|outcome| outcome.events).into());
    put("events_an_hour", (sum(|outcome| outcome.events) * 3_600 / seconds.max(1)).into());
    put("checks", sum(|outcome| outcome.checks).into());
    put("faults", json!(faults));
    put("decisions", sum(|outcome| outcome.decisions).into());
    put("orders", sum(|outcome| outcome.orders).into());
    put("fills", sum(|outcome| outcome.fills).into());
    put("violations", broken.len().into());
    put("broken", broken.into());
    put("journal_hash", format!("{:016x}", digest.value()).into());
    put("took_ms", u64::try_from(took_ms).unwrap_or(u64::MAX).into());
    if let Some(kb) = peak_memory_kb() {
        put("peak_memory_mb", (kb / 1_024).into());
    }
    Value::Object(all)
}

/// The most memory that this process had at once, where the system tells.
fn peak_memory_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[expect(clippy::float_arithmetic, reason = "hours for a person; no money")]
fn hours(seconds: u64) -> Value {
    (seconds as f64 / 3_600.0).into()
}

/// The figures for a person.
fn text(figures: &Value) -> String {
    let mut text = String::new();
    for (name, value) in figures.as_object().into_iter().flatten() {
        match value {
            Value::Object(classes) => {
                for (class, kinds) in classes {
                    let kinds = kinds.as_object().into_iter().flatten();
                    let kinds: Vec<String> =
                        kinds.map(|(kind, count)| format!("{kind} {count}")).collect();
                    text.push_str(&format!(
                        "{:<18} {}\n",
                        format!("faults: {class}"),
                        kinds.join(", ")
                    ));
                }
            }
            Value::Array(_) => {}
            Value::String(value) => text.push_str(&format!("{name:<18} {value}\n")),
            value => text.push_str(&format!("{name:<18} {value}\n")),
        }
    }
    text.trim_end().to_owned()
}
