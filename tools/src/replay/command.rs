//! `parallax replay`: from arguments to files, a summary and an exit status.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::clock::TscClock;
use engine::event::{Closed, Event};
use engine::latency::StageHistogram;
use engine::pair::PairTable;
use engine::paper::PaperCore;
use engine::pin::{CoreList, PinError};
use engine::units::Ns;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::feeder::Frames;
use super::options::ReplayArgs;
use super::outputs::{self, Clash};
use super::record::{self, Lines};
use super::run::{self, Outcome, Watcher};
use super::setup::{self, FeedOptions, SetupError};
use super::summary;
use crate::host::{HostFacts, HostRoot};
use crate::jitter;
use crate::pairs::{self, PairError, PairFile};
use crate::report::{self, Episode, ReportError, RunReport, Seconds, StageLatency};
use crate::run::repeat::{self, RepeatError};
use crate::run::summary::hash_text;
use crate::stdout;
use crate::tape::{MergedTapes, Preloaded, TapeError};
use crate::topology::{Grouping, Plan};

/// Opportunities kept for the report; the miss log has them all.
const EPISODES_MAX: usize = 10_000;

/// How long the host is watched for interruptions before a run that writes a report.
const JITTER_PROBE: Duration = Duration::from_millis(300);

/// Why a replay failed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A tape cannot be read, or is damaged.
    #[error(transparent)]
    Tape(#[from] TapeError),
    /// A pair file is wrong.
    #[error(transparent)]
    Pairs(#[from] PairError),
    /// The pairs do not fit into the engine.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A core that was asked for is not there.
    #[error("--cores: {0}")]
    Cores(#[from] PinError),
    /// The report cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// An output is also an input, or another output.
    #[error(transparent)]
    Clash(#[from] Clash),
    /// The summary cannot be printed.
    #[error("standard output: {0}")]
    Print(io::Error),
    /// An output file cannot be written, or the golden file not be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The golden file is no JSON.
    #[error("{}: not the --json of a replay: {source}", path.display())]
    GoldenSyntax {
        /// Which file.
        path: PathBuf,
        /// The parser's reason.
        source: serde_json::Error,
    },
    /// The golden file is JSON of something else.
    #[error("{}: not the --json of a replay: it has no `{key}`", path.display())]
    GoldenKey {
        /// Which file.
        path: PathBuf,
        /// What every replay prints and this file lacks.
        key: &'static str,
    },
    /// A run cannot be repeated.
    #[error(transparent)]
    Repeat(#[from] RepeatError),
    /// A run that is repeated decides otherwise.
    #[error("{}: the run wrote decision hash {recorded}, its repetition has {hash}", path.display())]
    Repeated {
        /// The tape.
        path: PathBuf,
        /// What the run wrote.
        recorded: String,
        /// What came out.
        hash: String,
    },
    /// The replay is not the golden one.
    #[error("this replay differs from {}\n  first difference: {difference}", path.display())]
    Golden {
        /// Which file.
        path: PathBuf,
        /// Where, and both values.
        difference: String,
    },
}

/// Repeats a run that recorded itself, and compares it with what it wrote at its end.
fn repeated(args: &ReplayArgs, tape: &Path) -> Result<(), ReplayError> {
    let again = repeat::repeat(tape)?;
    let hash = hash_text(again.figures.decision_hash);
    let text = if args.json {
        json!({
            "repeated": true,
            "agrees": again.agrees(),
            "decision_hash": hash,
            "recorded_decision_hash": again.recorded,
            "edge_hash": format!("{:016x}", again.figures.edge_hash),
            "frames": again.frames,
            "core_inputs": again.inputs,
            "tops": again.tops,
            "evaluations": again.figures.evaluations,
            "decisions": again.figures.decisions,
            "fills": again.figures.fills,
            "realised_micro_usd": again.accounts.realised.e6(),
        })
        .to_string()
    } else {
        format!(
            "A run that recorded itself, repeated: {} frames made {} books again, and the core took \
             {} inputs in the order in which it took them.\n\
             decisions       {}\nfills           {}\nrealised        {}\ndecision hash   {hash}\n\
             recorded hash   {}",
            again.frames,
            again.tops,
            again.inputs,
            again.figures.decisions,
            again.figures.fills,
            again.accounts.realised,
            again.recorded.as_deref().unwrap_or("none: the run was cut off before its end"),
        )
    };
    stdout::print(&format!("{text}\n")).map_err(ReplayError::Print)?;
    match &again.recorded {
        Some(recorded) if *recorded != hash => {
            Err(ReplayError::Repeated { path: tape.to_owned(), recorded: recorded.clone(), hash })
        }
        _ => Ok(()),
    }
}

/// Runs `parallax replay`.
///
/// # Errors
/// [`ReplayError`], whose text names the file, the place and the remedy.
pub fn run(args: &ReplayArgs) -> Result<(), ReplayError> {
    outputs::check(args)?;
    // A run knows its own pairs and settings; with others it is a tape like any other.
    if let [tape] = args.tapes.as_slice()
        && args.pairs.is_empty()
        && repeat::is_run(tape)?
    {
        return repeated(args, tape);
    }
    let golden = args.golden.as_deref().map(read_golden).transpose()?;
    let pair_file = pairs::load(&args.pairs)?;
    let allowed = CoreList::allowed();
    let cores = match &args.cores {
        Some(cores) => {
            cores.check(&allowed)?;
            cores.clone()
        }
        None => allowed,
    };
    let pin = args.topology == Grouping::Pinned || args.cores.is_some();
    let plan = Plan::replay(args.topology, &cores, pin);

    let tapes = MergedTapes::open(&args.tapes)?;
    if let Some(dir) = &args.report {
        report::prepare(dir)?;
    }
    let bytes_total = tapes.bytes_total();
    let mut frames = Frames::Files(tapes);
    if args.preload {
        frames = preload(frames)?;
    }
    let mut watcher = Collector::new(args, bytes_total)?;
    let (outcome, truncations) = play(args, &pair_file, &plan, &mut frames, &mut watcher)?;
    let summary = summary::summary(&outcome, grouping_name(args.topology), &args.speed.to_string());
    let missed = watcher.finish()?;

    for truncation in &truncations {
        eprintln!("warning: {truncation}");
    }
    for error in &outcome.pin_errors {
        eprintln!("warning: {error}");
    }
    let report = report_of(args, &outcome, &plan, summary, &missed, truncations);
    if let Some(dir) = &args.report {
        let page = report::write(dir, &report)?;
        eprintln!("report: {}", page.display());
    }
    let text = match args.json {
        true => format!("{}\n", report.summary),
        false => report::text::summary(&report),
    };
    stdout::print(&text).map_err(ReplayError::Print)?;
    match (golden, &args.golden) {
        (Some(golden), Some(path)) => match summary::first_difference(&golden, &report.summary) {
            Some(difference) => Err(ReplayError::Golden { path: path.clone(), difference }),
            None => {
                eprintln!("equal to {}", path.display());
                Ok(())
            }
        },
        _ => Ok(()),
    }
}

/// Plays the frames; says too which tapes end before their end.
fn play(
    args: &ReplayArgs,
    pair_file: &PairFile,
    plan: &Plan,
    frames: &mut Frames,
    watcher: &mut Collector,
) -> Result<(Outcome, Vec<String>), ReplayError> {
    let feeds = FeedOptions { no_side: args.no_side(), audit_every: args.audit_every, learn: true };
    let setup = setup::setup(pair_file, feeds)?;
    let latency = [Ns::from_ms(args.fill_latency_ms); 2];
    let core = PaperCore::new(setup.table.clone(), setup.markets, args.core_config(), latency);
    watcher.table = Some(setup.table.clone());
    let outcome = run::run(setup, core, frames, args.speed, (args.topology, plan), watcher)?;
    let truncations = match frames {
        Frames::Files(tapes) => tapes.truncated().map(truncation_text).collect(),
        Frames::Memory(tapes) => tapes.truncated().map(truncation_text).collect(),
    };
    Ok((outcome, truncations))
}

fn truncation_text((path, truncation): (&Path, crate::tape::Truncation)) -> String {
    let crate::tape::Truncation { at, lost } = truncation;
    format!(
        "{}: cut off at byte {at}; {lost} bytes behind the last whole record were left out",
        path.display()
    )
}

fn preload(frames: Frames) -> Result<Frames, ReplayError> {
    match frames {
        Frames::Files(mut tapes) => Ok(Frames::Memory(Preloaded::read(&mut tapes)?)),
        Frames::Memory(_) => Ok(frames),
    }
}

fn read_golden(path: &Path) -> Result<Value, ReplayError> {
    let text = fs::read_to_string(path)
        .map_err(|source| ReplayError::File { path: path.to_owned(), source })?;
    let golden = serde_json::from_str(&text)
        .map_err(|source| ReplayError::GoldenSyntax { path: path.to_owned(), source })?;
    match summary::missing_key(&golden) {
        None => Ok(golden),
        Some(key) => Err(ReplayError::GoldenKey { path: path.to_owned(), key }),
    }
}

fn grouping_name(grouping: Grouping) -> &'static str {
    match grouping {
        Grouping::Single => "single",
        Grouping::Pinned => "pinned",
    }
}

/// Writes down what happens, and shows how far the replay is.
struct Collector {
    table: Option<PairTable>,
    decisions: Option<Lines>,
    misses: Option<Lines>,
    latencies_ms: Vec<u64>,
    closed: Vec<Closed>,
    /// The first failure of a file; the replay goes on and reports it at its end.
    failed: Option<ReplayError>,
    bar: Option<ProgressBar>,
}

impl Collector {
    fn new(args: &ReplayArgs, bytes_total: u64) -> Result<Collector, ReplayError> {
        let create = |path: &PathBuf| {
            Lines::create(path).map_err(|source| ReplayError::File { path: path.clone(), source })
        };
        let bar = (io::stderr().is_terminal() && !args.preload).then(|| {
            let style = ProgressStyle::with_template(
                "replay {bar:32} {percent:>3}% {bytes}/{total_bytes} {msg} {eta}",
            );
            let bar = ProgressBar::new(bytes_total);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Ok(Collector {
            table: None,
            decisions: args.decisions.as_ref().map(create).transpose()?,
            misses: args.miss_log.as_ref().map(create).transpose()?,
            latencies_ms: args.latency_ms.clone(),
            closed: Vec::new(),
            failed: None,
            bar,
        })
    }

    fn write(&mut self, lines: Option<Lines>, value: Option<Value>) -> Option<Lines> {
        let mut lines = lines?;
        if let Some(value) = value
            && let Err(source) = lines.add(&value)
            && self.failed.is_none()
        {
            self.failed = Some(ReplayError::File { path: lines.path().to_owned(), source });
        }
        Some(lines)
    }

    /// Ends the files; gives the opportunities for the report.
    fn finish(mut self) -> Result<Vec<Closed>, ReplayError> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        for lines in [self.decisions.take(), self.misses.take()].into_iter().flatten() {
            let path = lines.path().to_owned();
            lines.finish().map_err(|source| ReplayError::File { path, source })?;
        }
        self.failed.map_or(Ok(self.closed), Err)
    }
}

impl Watcher for Collector {
    fn event(&mut self, event: &Event) {
        match event {
            Event::ExecuteTrade(decision) => {
                let value = self.table.as_ref().map(|table| record::decision(table, decision));
                let lines = self.decisions.take();
                self.decisions = self.write(lines, value);
            }
            Event::OpportunityClosed(closed) => {
                let latencies = &self.latencies_ms;
                let table = self.table.as_ref();
                let value = table.map(|table| record::opportunity(table, closed, latencies));
                let lines = self.misses.take();
                self.misses = self.write(lines, value);
                if self.closed.len() < EPISODES_MAX {
                    self.closed.push(*closed);
                }
            }
            _ => {}
        }
    }

    fn progress(&mut self, bytes: u64, records: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
            bar.set_message(format!("{records} frames"));
        }
    }
}

/// Everything the report shows.
fn report_of(
    args: &ReplayArgs,
    outcome: &Outcome,
    plan: &Plan,
    summary: Value,
    closed: &[Closed],
    truncations: Vec<String>,
) -> RunReport {
    let records: u64 = outcome.sent.records.iter().sum();
    let interval_ns =
        u64::try_from(outcome.elapsed.as_nanos()).unwrap_or(u64::MAX) / records.max(1);
    let stages = outcome
        .stages
        .iter()
        .map(|(stage, histogram)| stage_latency(stage.name(), histogram, interval_ns.max(1)))
        .collect();
    let table = outcome.core.core().pairs();
    let episodes: Vec<Episode> = closed
        .iter()
        .filter_map(|closed| {
            let pair = table.get(closed.pair)?;
            Some(Episode {
                pair: pair.id.clone(),
                direction: closed.direction.name(pair.polarity).to_owned(),
                opened_ns: closed.opened.0,
                lived_ns: closed.lived.0,
                peak_edge_micro_usd: closed.peak_edge.e6(),
                peak_qty_e2: closed.peak_size.e2(),
                opened_by: closed.opened_by.name().to_owned(),
                closed_by: closed.closed_by.name().to_owned(),
                still_there: args
                    .latency_ms
                    .iter()
                    .map(|ms| (*ms, record::still_there(closed, *ms)))
                    .collect(),
            })
        })
        .collect();
    let names: Vec<String> = args.tapes.iter().map(|path| path.display().to_string()).collect();
    let mut notes = vec![
        format!(
            "Raw latencies are of frames as they were handled. Corrected ones add what frames would \
             have waited behind a stall, had one come every {interval_ns} ns, the mean of this run."
        ),
        format!(
            "Orders were filled on paper: {} ms after the decision, against the depth shown then, \
             each level only once until it changes.",
            args.fill_latency_ms
        ),
    ];
    if args.pairs.is_empty() {
        notes.push("No pair file was given, so books were followed but nothing was priced.".into());
    }
    if closed.len() == EPISODES_MAX {
        notes.push(format!(
            "Only the first {EPISODES_MAX} opportunities are shown; --miss-log has all."
        ));
    }
    notes.extend(truncations);
    RunReport {
        title: format!("Replay of {}", names.join(", ")),
        tapes: names,
        started_ns: outcome.sent.first.unwrap_or_default().0,
        summary,
        stages,
        throughput: outcome.sent.per_second.clone(),
        throughput_clock: Seconds::Tape,
        episodes,
        host: host(args, plan),
        notes,
    }
}

fn stage_latency(name: &str, histogram: &StageHistogram, interval_ns: u64) -> StageLatency {
    StageLatency {
        name: name.to_owned(),
        raw: histogram.raw().clone(),
        corrected: Some((histogram.corrected(interval_ns), interval_ns)),
    }
}

fn host(args: &ReplayArgs, plan: &Plan) -> HostFacts {
    let mut host = HostFacts::gather(&HostRoot::real());
    host.pinning = plan
        .hot()
        .map(|thread| match thread.core {
            Some(core) => format!("{} on core {core}", thread.name),
            None => format!("{} floats", thread.name),
        })
        .collect::<Vec<_>>()
        .join(", ");
    host.idle = plan.idle_reason.to_owned();
    host.clock = TscClock::new().describe().to_owned();
    if args.report.is_some() {
        host.jitter = Some(jitter::probe(JITTER_PROBE));
    }
    host
}
