//! `parallax run` and `parallax record`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use engine::pair::PairId;
use engine::pin::CoreList;
use engine::risk::Word;
use engine::units::{Usd, Venue};
use engine::view::View;
use feeds::live::hearing::Hearing;

use super::approvals;
use super::assemble::{self, Assembled};
use super::clocks;
use super::discovered::{self, Beside, Watcher};
use super::inject::Injection;
use super::joins::{self, Joined, Joins, Move, Told, Watched};
use super::reported;
use super::shards;
use super::spec::{Fills, RunSpec};
use super::summary::Summary;
use super::trade::{self, Ended, Tape, Watch};
use crate::account::Session;
use crate::catalogue::discovery::Changes;
use crate::config::live::{self, Trading};
use crate::config::{self, Config, ConfigArgs, Environment};
use crate::crosscheck::{self, CrossCheck, Seen};
use crate::discover::{DiscoverError, now_s, show};
use crate::host::{HostFacts, HostRoot};
use crate::journal::compare::{self, Comparison, Listeners};
use crate::journal::keep::Journalled;
use crate::journal::lock::Lock;
use crate::journal::start;
use crate::journal::truth::Books;
use crate::pairs::{PairFile, PairSpec};
use crate::recorder::tape_path;
use crate::rest::kalshi::KalshiRest;
use crate::rest::polymarket::PolymarketRest;
use crate::rest::{Agent, facts, patiently, wall};
use crate::state::day::Whose;
use crate::state::{State, StateError};
use crate::stdout;
use crate::topology::live::LiveTiles;

/// Trade: find arbitrage on live books and take it, on paper unless told otherwise three times.
///
/// Orders cost money only with --live, mode = "live" in the configuration and DRY_RUN=0; and even
/// then the start is refused, with all reasons, when a limit is missing, a key file is readable by
/// others, the clock is off, Polymarket does not serve this place, a host is of another environment
/// or a pair was not approved. On paper the books are the venues' own and orders fill against the
/// depth that they show, after a latency (`parallax config` explains the model).
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Ends on SIGINT, SIGTERM, q in the live view, or after --seconds: decides nothing more, waits for
what is under way, prints the summary.

Exit code: 0 when everything ended, 1 when something failed or orders are still open or unknown,
2 when a live start is refused, or trading was stopped (see `parallax kill`)."
)]
pub struct RunArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Pairs, in place of the configured files; may be repeated.
    #[arg(long, value_name = "FILE.toml")]
    pairs: Vec<PathBuf>,
    /// Send orders with money (see above).
    #[arg(long)]
    live: bool,
    /// Where a venue's figures differ from the journal and nothing explains it, take the venue's
    /// word. Look at the list that a start without this prints, first.
    #[arg(long, requires = "live")]
    adopt: bool,
    /// Trade for so many seconds; without it until told to end.
    #[arg(long)]
    seconds: Option<u64>,
    /// Record the run as a tape in this folder, in place of the configured one.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// On paper: show the engine one arbitrage that is not there, and watch it being taken. A pair's
    /// id, ticker or number, which way round (first-yes, first-no), and its edge in dollars a
    /// contract.
    #[arg(long, value_name = "PAIR:DIRECTION:EDGE", conflicts_with = "live")]
    inject: Option<Injection>,
    /// Write a report into this folder.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// No live view.
    #[arg(long)]
    no_tui: bool,
    /// Print the summary as one JSON object, last.
    #[arg(long)]
    json: bool,
}

/// Record both venues' market data for the configured pairs, and trade nothing.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "The tape holds every frame as it came, what was sent, and what the core took in. Play it with
`parallax replay TAPE.mcap --pairs PAIRS.toml --use-yes-price`, look at it with `parallax tape info TAPE.mcap`."
)]
pub struct RecordArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Pairs, in place of the configured files; may be repeated.
    #[arg(long, value_name = "FILE.toml")]
    pairs: Vec<PathBuf>,
    /// The folder of the tape.
    #[arg(long, value_name = "DIR", default_value = "tapes")]
    dir: PathBuf,
    /// Record for so many seconds; without it until told to end.
    #[arg(long)]
    seconds: Option<u64>,
    /// No live view.
    #[arg(long)]
    no_tui: bool,
}

/// Why a run did not start or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    /// An account.
    #[error(transparent)]
    Account(#[from] crate::account::AccountError),
    /// A request.
    #[error(transparent)]
    Rest(#[from] crate::rest::RestError),
    /// The state folder cannot be used.
    #[error(transparent)]
    State(StateError),
    /// Somebody stopped trading.
    #[error("{0}")]
    Killed(StateError),
    /// The tape.
    #[error(transparent)]
    Tape(#[from] crate::tape::TapeError),
    /// The report.
    #[error(transparent)]
    Report(#[from] crate::report::ReportError),
    /// Something in words.
    #[error("{0}")]
    Words(String),
    /// Live trading is refused.
    #[error("live trading is refused:\n{0}")]
    Refused(String),
    /// Orders are not known to have ended.
    #[error(
        "{unknown} orders of unknown fate and {open} bundles that have not ended: look at both venues before the next run"
    )]
    Open {
        /// Orders.
        unknown: u64,
        /// Bundles.
        open: u64,
    },
}

impl RunError {
    /// What the process exits with.
    pub const fn exit_code(&self) -> u8 {
        match self {
            RunError::Refused(_) | RunError::Killed(_) => 2,
            _ => 1,
        }
    }
}

/// What both commands share.
struct Wish<'a> {
    config: &'a Config,
    spec: RunSpec,
    title: String,
    seconds: Option<u64>,
    screen: bool,
    hold: bool,
    inject: Option<engine::inject::Injection>,
    tape_dir: Option<PathBuf>,
    tape_stem: &'a str,
    /// The pairs of the user's own files.
    own: PairFile,
}

/// Runs `parallax run`.
///
/// # Errors
/// [`RunError`]
pub fn run(args: &RunArgs) -> Result<(), RunError> {
    let config = config::load(&args.config)?;
    // Before anything is asked of a venue: what was stopped stays stopped.
    let (fills, why) = match live::trading(&config, args.live) {
        Trading::Paper(why) => (Fills::Paper, why.to_string()),
        Trading::Live => (Fills::Venues, "orders cost money".to_owned()),
    };
    let whose = Whose { environment: config.environment, live: fills == Fills::Venues };
    let mut state = open_state(&config.state_dir, whose)?;
    let words = |error: DiscoverError| RunError::Words(error.to_string());
    if config.discovery.only {
        let found = discovered::look(&config).map_err(words)?;
        let entries = found.entries(now_s()).map_err(|error| words(error.into()))?;
        let counts = found.store.counts().map_err(|error| words(error.into()))?;
        let text = match args.json {
            true => show::json(&entries, counts, None, &Changes::default()),
            false => show::lines(&entries, counts, true),
        };
        return stdout::print(&text).map_err(|error| RunError::Words(error.to_string()));
    }
    eprintln!("{why}");
    tell_environment(&config);
    if fills == Fills::Venues {
        let left = start::left(&config.journal.dir).map_err(RunError::Words)?;
        discovered::note_left(&config, &left)
            .map_err(|error| RunError::Words(error.to_string()))?;
    }
    let (pairs, own) = match config.discovery.enabled || config.discovery.force {
        true => discovered::files(&config, &args.pairs).map_err(words)?,
        false => (args.pairs.clone(), PairFile::default()),
    };
    let mut session = Session::signing(&config)?;
    let mut spec = config.run_spec(fills, config.paper.cash, &pairs).map_err(RunError::Words)?;
    spec.today = state.day.spec();
    let (_lock, journal) = match fills {
        Fills::Paper => (None, None),
        Fills::Venues => {
            refuse(&config, &pairs, &own, &mut session)?;
            live::caution(&config).iter().for_each(|what| eprintln!("warning: {what}"));
            if !discovered::is_watched(&config) && !config.discovery.store.exists() {
                eprintln!(
                    "warning: {} is not there, so that no text of a pair is known: what a venue \
                     changes in the rules stops nothing. `parallax discover` reads them",
                    config.discovery.store.display()
                );
            }
            let lock = Lock::take(&config).map_err(|e| RunError::Refused(format!("  - {e}\n")))?;
            // Whoever had the lock may have lost money until now.
            state.day.reload().map_err(RunError::State)?;
            spec.today = state.day.spec();
            session = Session::open_patiently(&config)?;
            let file = spec.pair_file().map_err(RunError::Words)?;
            let mut short = approvals::objections(&config, &file, &mut session.polymarket)?;
            let held = patiently(|| session.kalshi.positions())?;
            let is_held = |ticker: &str| held.iter().any(|position| position.ticker == ticker);
            let money = patiently(|| session.kalshi.balance())?;
            short.extend(shards::objections(&file, &money, &is_held));
            if !short.is_empty() {
                return Err(RunError::Refused(
                    short.iter().map(|it| format!("  - {it}\n")).collect(),
                ));
            }
            let asked = start::Asked { live: true, adopt: args.adopt, day: state.day.kept() };
            let journal = start::start(&config, &mut spec, &mut session, asked);
            let journal = journal.map_err(RunError::Refused)?;
            // Of the same moment as the money that the run begins with, as near as can be.
            spec.shards = shards::of(&patiently(|| session.kalshi.balance())?);
            (Some(lock), Some(journal))
        }
    };
    let inject = match &args.inject {
        None => None,
        Some(wanted) => {
            let pairs = spec.pair_file().map_err(RunError::Words)?.pairs;
            Some(wanted.on_paper(&pairs).map_err(RunError::Words)?)
        }
    };
    let mode = match fills {
        Fills::Paper => "paper",
        Fills::Venues => "LIVE",
    };
    let wish = Wish {
        config: &config,
        spec,
        title: format!("{mode} on {}", config.environment.name()),
        seconds: args.seconds,
        screen: !args.no_tui && std::io::stdout().is_terminal(),
        hold: false,
        inject,
        tape_dir: args.record.clone().or_else(|| config.record_dir.clone()),
        tape_stem: "run",
        own,
    };
    let mut file = wish.spec.pair_file().map_err(RunError::Words)?;
    let note = |file: &PairFile, is_held: &dyn Fn(&str) -> bool| match fills {
        Fills::Paper => Ok(()),
        Fills::Venues => discovered::note_held(&config, file, is_held)
            .map_err(|error| RunError::Words(error.to_string())),
    };
    note(&file, &|id| wish.spec.held.get(id).is_some_and(|held| *held != [0; 3]))?;
    let (tiles, ended, journal, newcomers) = trade_on(&wish, session, journal, state)?;
    let held = discovered::held_by(tiles.core.core());
    let joined = newcomers.iter().map(|(_, it)| ended.story.joined(&it.id)).collect();
    newcomers.iter().for_each(|(place, pair)| joins::seat(&mut file, *place, pair));
    note(&file, &|id| held.contains(id))?;
    let summary = told(&tiles, &ended, &journal, args.report.as_deref(), &wish)?;
    let summary = Summary { joined, ..summary };
    let text = if args.json { summary.to_json() } else { summary.to_string() };
    stdout::print(&format!("{text}\n")).map_err(|error| RunError::Words(error.to_string()))?;
    match ended.open {
        [0, 0] if args.inject.is_some() && !tiles.core.has_injected() => {
            Err(RunError::Words("--inject: the books never allowed it".to_owned()))
        }
        [0, 0] => Ok(()),
        [unknown, open] => Err(RunError::Open { unknown, open }),
    }
}

/// Runs `parallax record`.
///
/// # Errors
/// [`RunError`]
pub fn record(args: &RecordArgs) -> Result<(), RunError> {
    let config = config::load(&args.config)?;
    tell_environment(&config);
    let session = Session::signing(&config)?;
    let spec =
        config.run_spec(Fills::Paper, [Usd::ZERO; 2], &args.pairs).map_err(RunError::Words)?;
    let wish = Wish {
        config: &config,
        spec,
        title: format!("recording {}", config.environment.name()),
        seconds: args.seconds,
        screen: !args.no_tui && std::io::stdout().is_terminal(),
        hold: true,
        inject: None,
        tape_dir: Some(args.dir.clone()),
        tape_stem: "books",
        own: PairFile::default(),
    };
    // Nothing is traded, so that nothing needs to be armed.
    let whose = Whose { environment: config.environment, live: false };
    let state = open_state(&args.dir, whose)?;
    let (_, ended, ..) = trade_on(&wish, session, None, state)?;
    for warning in &ended.warnings {
        eprintln!("warning: {warning}");
    }
    let Some((path, recorded)) = &ended.tape else {
        return Err(RunError::Words("there is no tape: see the warning above".to_owned()));
    };
    let text = format!(
        "{}: {} records, {} found no room\n",
        path.display(),
        recorded.records,
        recorded.dropped
    );
    stdout::print(&text).map_err(|error| RunError::Words(error.to_string()))
}

/// Says which environment it is, where prices of it are not what they look like.
fn tell_environment(config: &Config) {
    if config.environment == Environment::Demo {
        eprintln!(
            "warning: the environment is \"demo\": Kalshi's books are its demo's, where nobody \
             trades for money, and Polymarket's are real, for it has no demo; what seems to be an \
             arbitrage is none. `environment = \"prod\"` in the configuration or --environment prod \
             reads both exchanges; orders stay on paper"
        );
    }
}

/// Refuses a live start that must not be, with every reason.
fn refuse(
    config: &Config,
    pairs: &[PathBuf],
    own: &PairFile,
    session: &mut Session,
) -> Result<(), RunError> {
    let mut file = config.load_pairs(pairs).map_err(|error| RunError::Words(error.to_string()))?;
    discovered::only_answered_for(config, &mut file, own);
    let facts = facts::gather(config, Some(&file), &mut session.kalshi, &mut session.polymarket);
    let mut reasons: Vec<String> =
        live::refusals(config, &facts).into_iter().map(|refusal| refusal.0).collect();
    // A run that looks for pairs itself has just read them.
    if !config.discovery.enabled && !config.discovery.force {
        let words = |error: DiscoverError| RunError::Words(error.to_string());
        reasons.extend(discovered::read_again(config, &file).map_err(words)?);
    }
    let objections = discovered::objections(config, &file);
    reasons.extend(objections.map_err(|error| RunError::Words(error.to_string()))?);
    for venue in Venue::ALL {
        if !live::can_trade(config.environment, venue) {
            reasons.push(format!(
                "{venue} has no demo venue, and a pair needs both: trade on paper, or set environment = \"prod\""
            ));
        }
    }
    // A pin that fails is a warning on paper; with money at stake a hot thread must not float.
    let threads = &config.threads;
    if let Some(cores) = &threads.cores
        && let Err(error) = cores.check(&CoreList::allowed())
    {
        reasons.push(format!("threads.cores: {error}"));
    }
    if reasons.is_empty() {
        return Ok(());
    }
    Err(RunError::Refused(reasons.iter().map(|reason| format!("  - {reason}\n")).collect()))
}

/// What outlives a run.
fn open_state(dir: &Path, whose: Whose) -> Result<State, RunError> {
    State::open(dir, whose).map_err(|error| match error {
        StateError::Killed { .. } => RunError::Killed(error),
        StateError::Io { .. } => RunError::State(error),
    })
}

/// Makes the run, starts the cross-checks beside it, and trades.
fn trade_on(
    wish: &Wish<'_>,
    session: Session,
    kept: Option<Journalled>,
    mut state: State,
) -> Result<(LiveTiles, Ended, reported::Journal, Joiners), RunError> {
    let Wish { config, spec, .. } = wish;
    let sends = kept.is_some();
    let agent = Agent::new(config.ca_file.as_deref())?;
    let tape_path = match &wish.tape_dir {
        None => None,
        Some(dir) => {
            std::fs::create_dir_all(dir)
                .map_err(|error| RunError::Words(format!("{}: {error}", dir.display())))?;
            Some(tape_path(dir, wish.tape_stem, wall().0 / 1_000_000_000))
        }
    };
    let Assembled { mut tiles, ends, plan, clock: (clock, began) } =
        assemble::assemble(config, spec, &agent, tape_path.is_some(), kept)
            .map_err(RunError::Words)?;
    eprintln!("{}\n{plan}", HostFacts::gather(&HostRoot::real()));
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| RunError::Words(error.to_string()))?;
    }
    let file = spec.pair_file().map_err(RunError::Words)?;
    let table = tiles.core.core().pairs().clone();
    let hearing = Arc::new(Hearing::default());
    tiles.kalshi = tiles.kalshi.asked(Arc::clone(&hearing), began);
    let (seen, checks_end) = (Seen::default(), AtomicBool::new(false));
    let mut journal = reported::Journal::default();
    let tape = tape_path.map(|path| Tape { path, taps: ends.taps });
    let [kalshi_verdicts, polymarket_verdicts] = ends.verdicts;
    // On paper there is nothing to compare with.
    let mut books = match sends {
        true => Some(Session::open_patiently(config)?),
        false => None,
    };
    let comparison = Mutex::new(Comparison::new(spec, &file, &table));
    let (settle, settled) = std::sync::mpsc::channel::<Word>();
    let switch = state.switch.handle();
    let Session { mut kalshi, mut polymarket, .. } = session;
    // A run with money that looks for no pairs hears all the same what becomes of its own.
    let finds = !wish.hold && discovered::is_watched(config);
    let watcher = match finds || (sends && config.discovery.store.exists()) {
        false => None,
        true => {
            let books = match finds && sends {
                true => Some(Box::new(Session::open_patiently(config)?) as Box<dyn Books + Send>),
                false => None,
            };
            let own = if finds { wish.own.clone() } else { file.clone() };
            let beside = Beside { own, books };
            let (watcher, watched) =
                Watcher::new(config, &file, &table, ends.joins, ends.listed, beside)
                    .map_err(|error| RunError::Words(error.to_string()))?;
            Some((if finds { watcher } else { watcher.only_texts() }, watched))
        }
    };
    let (watcher, watched) = watcher.unzip();
    let mut newcomers =
        Newcomers { watched, seen: &seen, comparison: &comparison, pairs: Vec::new() };
    let (tiles, ended) = std::thread::scope(|scope| {
        let check = |venue, verdicts| {
            CrossCheck::new(&seen, venue, crosscheck::markets(venue, &table, &file), verdicts)
        };
        let mut first = check(Venue::Kalshi, kalshi_verdicts).hearing(hearing);
        let mut second = check(Venue::Polymarket, polymarket_verdicts);
        let end = &checks_end;
        let [kalshi_says, polymarket_says] = [switch.clone(), switch.clone()];
        scope.spawn(move || {
            let mut trouble = |text| kalshi_says.trouble(text);
            first.run(&mut kalshi, crosscheck::EVERY, &mut trouble, end);
        });
        scope.spawn(move || {
            let mut trouble = |text| polymarket_says.trouble(text);
            second.run(&mut polymarket, crosscheck::EVERY, &mut trouble, end);
        });
        if let Some(books) = &mut books {
            let (comparison, file) = (&comparison, &file);
            // Simulated lists do not lag, and whoever watches a simulation wants to see it.
            let every = match config.environment {
                Environment::Sim => Duration::from_secs(2),
                _ => compare::EVERY,
            };
            scope.spawn(move || {
                let mut tell = |word| {
                    // Where nobody listens any more the run is over.
                    let _ = settle.send(word);
                };
                let mut alarm = |why: &str| switch.kill(why);
                let mut trouble = |text| switch.trouble(text);
                let mut told =
                    Listeners { settled: &mut tell, alarm: &mut alarm, trouble: &mut trouble };
                compare::watch(books, file, comparison, (every, end), &mut told);
            });
        }
        // Simulators share this host's clock.
        if sends && config.environment != Environment::Sim {
            let kalshi = KalshiRest::new(&config.kalshi, agent.clone(), None);
            let polymarket = PolymarketRest::new(&config.polymarket, agent.clone());
            let run = state.switch.handle();
            scope.spawn(move || clocks::watch(kalshi, polymarket, &run, end));
        }
        if let Some(mut watcher) = watcher {
            scope.spawn(move || watcher.run(end));
        }
        let mut watch = Watch {
            title: wish.title.clone(),
            seconds: wish.seconds,
            screen: wish.screen,
            hold: wish.hold,
            inject: wish.inject,
            stop: &stop,
            words: &mut || settled.try_recv().ok(),
            joins: &mut newcomers,
            tick: &mut |_| {},
            event: &mut |event| {
                comparison
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .heard(Instant::now(), event);
                journal.take(event);
            },
            view: &mut |view| {
                if let View::Pair { tops, .. } = view {
                    tops.iter().for_each(|top| seen.put(top));
                }
            },
        };
        let ended =
            trade::run(spec, tiles, (&plan, &clock), ends.outside, tape, &mut state, &mut watch);
        checks_end.store(true, Relaxed);
        ended
    })?;
    Ok((tiles, ended, journal, newcomers.pairs))
}

/// Pairs that joined, with their places, in the order in which they came.
type Joiners = Vec<(PairId, PairSpec)>;

/// Pairs that join, and who else must know of them.
struct Newcomers<'a> {
    watched: Option<Watched>,
    seen: &'a Seen,
    comparison: &'a Mutex<Comparison>,
    pairs: Joiners,
}

impl Joins for Newcomers<'_> {
    fn next(&mut self) -> Option<Move> {
        self.watched.as_ref()?.changes.try_recv().ok()
    }

    fn told(&mut self, told: Told) {
        if let Told::Vacated(market, _) = told {
            self.comparison.lock().unwrap_or_else(PoisonError::into_inner).leave(market);
        }
        if let Some(watched) = &self.watched {
            // Where the watcher is gone the run is over.
            let _ = watched.told.send(told);
        }
    }

    fn joined(&mut self, joined: &Joined) {
        joins::checked(joined).into_iter().for_each(|checked| self.seen.add(checked));
        let mut comparison = self.comparison.lock().unwrap_or_else(PoisonError::into_inner);
        comparison.join(Instant::now(), &joined.spec, joined.markets());
        self.pairs.push((joined.listing.pair, joined.spec.clone()));
    }
}

/// Sums a run up and writes its report.
fn told(
    tiles: &LiveTiles,
    ended: &Ended,
    journal: &reported::Journal,
    report: Option<&Path>,
    wish: &Wish<'_>,
) -> Result<Summary, RunError> {
    let mut summary = Summary::new(&ended.story, &ended.figures, &ended.accounts, ended.open, None);
    tiles.sum_up(&mut summary);
    if let Some((path, recorded)) = &ended.tape {
        summary.tape = Some(path.display().to_string());
        summary.tape_dropped = recorded.dropped;
    }
    for warning in &ended.warnings {
        eprintln!("warning: {warning}");
    }
    if let Some(dir) = report {
        let table = tiles.core.core().pairs();
        let notes = ended.warnings.clone();
        let stages = tiles.histograms();
        let page = reported::write(dir, &wish.title, &summary, journal, table, &stages, notes)?;
        summary.report = Some(page.display().to_string());
    }
    if wish.config.environment == Environment::Sim {
        eprintln!("these were simulated venues");
    }
    Ok(summary)
}
