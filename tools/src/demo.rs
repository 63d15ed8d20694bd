//! `parallax demo`: two simulated exchanges on this host, an engine that trades between them, and
//! an account of what it did.

mod find; // which pairs it trades
mod late; // one more, which is listed meanwhile

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use clap::Args;
use engine::clock::Clock as _;
use engine::repair::RepairConfig;
use engine::units::{Usd, Venue};
use exec::journal::Record;
use exec::journal::record::name;

use crate::account::Session;
use crate::config::Environment;
use crate::crash::{CrashPoint, Fuse};
use crate::host::{HostFacts, HostRoot};
use crate::journal::lock::Lock;
use crate::journal::{opening, start};
use crate::pairs::PairFile;
use crate::rest::Agent;
use crate::run::approvals;
use crate::run::assemble::{self, Assembled};
use crate::run::audit::{Audit, audit, paid_out, positions, standing};
use crate::run::child::{ChildError, LOCKED, Ledgers, Venues, Wanted};
use crate::run::discovered::{Beside, Watcher};
use crate::run::inject::Injection;
use crate::run::joins;
use crate::run::reported;
use crate::run::spec::Fills;
use crate::run::summary::Summary;
use crate::run::trade::{self, Tape, Watch};
use crate::sim_command::FaultLevel;
use crate::state::day::Whose;
use crate::state::{State, StateError};
use crate::stdout;
use late::{Late, Newcomers};

/// An arbitrage on request opens so long after the start, when books have come,
const INJECT_AFTER: Duration = Duration::from_secs(1);
/// and is asked for again so long after the venues could not open it.
const INJECT_AGAIN: Duration = Duration::from_millis(250);

/// What discovery knows, in the folder.
const STORE: &str = "catalogue.sqlite";
/// Where the venues announce nothing, or the word is lost, their catalogues are read so often.
const LOOK_EVERY_S: u32 = 5;
/// Pairs that may join.
const RESERVE: usize = 4;

/// Watch Parallax find, take and settle arbitrage between two exchanges.
///
/// Kalshi and Polymarket run as simulators in a process of their own, behind real TLS on loopback,
/// and check every signature, price and fee as the real ones do. Discovery reads their catalogues
/// and finds the markets that are one contract, among hundreds that only look it. A market model moves both; now and
/// then one is late, and for some milliseconds YES here and NO there cost less than the dollar that
/// one of them must pay. After some seconds both list one more market, which is found, joins and is
/// traded without a new start. The engine that would trade with money finds it, takes both legs and
/// records what it did. At the end the markets settle and our books are compared with both venues'
/// ledgers to the micro-dollar. No key, no network, no account: everything stays in one folder.
#[derive(Args, Clone, Debug)]
#[command(after_help = "It leaves in the folder:
  run.mcap                what the sockets said and what the core took in; repeat it with
                          `parallax replay DIR/run.mcap`
  report/report.html      the page to open in a browser
  summary.json            what --json prints
  parallax.toml, sim.env  with which any other command trades with the same venues
  journal                 the engine's own journal; see `parallax journal verify DIR/journal`
  journal.jsonl, ledger.json   the venues' own books

Exit code: 0 when both ledgers agree with us, 1 when they do not or the run failed.")]
pub struct DemoArgs {
    /// The folder to write; what an earlier demo left there is replaced.
    #[arg(long, value_name = "DIR", default_value = "parallax-demo")]
    pub dir: PathBuf,
    /// Seconds to trade.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Chooses the markets, how they move, and the faults.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How much goes wrong by itself: connections, messages, answers, orders.
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = FaultLevel::None)]
    pub faults: FaultLevel,
    /// How many arbitrages open a minute.
    #[arg(long, value_name = "COUNT", default_value_t = 120)]
    pub arb_per_minute: u32,
    /// Go on with the venues, accounts and positions of that folder. Where the last engine died
    /// the venues live on for a minute: what it left open is recovered from its journal and from
    /// what the venues say, before anything new is sent.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["dir", "seed"])]
    pub resume: Option<PathBuf>,
    /// Open one more arbitrage after a second: a pair's id, ticker or number, which way round
    /// (first-yes, first-no), and its edge in dollars a contract.
    #[arg(long, value_name = "PAIR:DIRECTION:EDGE")]
    pub inject: Option<Injection>,
    /// Kill this process with SIGKILL at a step of an order's way: for the tests of recovery.
    #[arg(long, value_enum, value_name = "STEP", hide = true)]
    pub crash_at: Option<CrashPoint>,
    /// No live view.
    #[arg(long)]
    pub no_tui: bool,
    /// Print the summary as one JSON object, last.
    #[arg(long)]
    pub json: bool,
}

/// Why a demonstration did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The venues.
    #[error(transparent)]
    Venues(#[from] ChildError),
    /// Trading was stopped, or the folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The tape.
    #[error(transparent)]
    Tape(#[from] crate::tape::TapeError),
    /// The report.
    #[error(transparent)]
    Report(#[from] crate::report::ReportError),
    /// Something in words.
    #[error("{0}")]
    Words(String),
    /// It came to its end, and the books are not the venues'.
    #[error("the venues' ledgers and our books differ: see the summary above")]
    Ledgers,
}

/// Runs `parallax demo`.
///
/// # Errors
/// [`DemoError`]
pub fn run(args: &DemoArgs) -> Result<(), DemoError> {
    let dir = args.resume.as_ref().unwrap_or(&args.dir);
    let mut state = State::open(dir, Whose { environment: Environment::Sim, live: true })?;
    let (mut venues, _lock) = open(args, dir)?;
    if args.resume.is_none() {
        // New accounts have lost nothing yet.
        state.day.forget().map_err(words)?;
    }
    let mut config = venues.config()?;
    // The simulated books stand some cents from an arbitrage: all of them are close enough.
    config.strategy.arm_margin = Usd::new(80_000);
    config.crash_at = args.crash_at.map(Fuse::new);
    // Nobody else trades for these accounts.
    config.repair = config.repair.map(|repair| RepairConfig { adopt: true, ..repair });
    config.discovery.enabled = true;
    config.discovery.store = dir.join(STORE);
    (config.discovery.every_s, config.discovery.reserve) = (LOOK_EVERY_S, RESERVE);
    let agent = Agent::new(config.ca_file.as_deref()).map_err(words)?;
    let pairs = dir.join("pairs.toml");
    let discovery = find::find(&config, &pairs, args.resume.is_some())?;
    let nothing = [Usd::ZERO; 2];
    let mut spec = config.run_spec(Fills::Venues, nothing, &[]).map_err(DemoError::Words)?;
    spec.today = state.day.spec();
    let mut file = spec.pair_file().map_err(DemoError::Words)?;
    let mut session = Session::open_patiently(&config).map_err(words)?;
    let short = approvals::objections(&config, &file, &mut session.polymarket).map_err(words)?;
    if let Some(why) = short.first() {
        return Err(DemoError::Words(why.clone()));
    }
    let asked = start::Asked { live: false, adopt: false, day: state.day.kept() };
    let kept = start::start(&config, &mut spec, &mut session, asked).map_err(DemoError::Words)?;
    let injection = args.inject.clone().map(|wanted| wanted.named(&file.pairs)).transpose();
    let mut injection = injection.map_err(DemoError::Words)?;
    let Assembled { tiles, ends, plan, clock: (clock, _) } =
        assemble::assemble(&config, &spec, &agent, true, Some(kept)).map_err(DemoError::Words)?;
    eprintln!("{}\n{plan}", HostFacts::gather(&HostRoot::real()));
    let stop = stop_on_signals()?;
    let mut journal = reported::Journal::default();
    let (mut failed, mut inject_at) = (None, INJECT_AFTER);
    // It has no files of a user's: the table is what was found.
    let books = Box::new(Session::open_patiently(&config).map_err(words)?);
    let beside = Beside { own: PairFile::default(), books: Some(books) };
    let table = tiles.core.core().pairs();
    let watcher = Watcher::new(&config, &file, table, ends.joins, ends.listed, beside);
    let (watcher, watched) = watcher.map_err(words)?;
    let mut watcher = watcher.only_quoted(discovery, pairs);
    let late = Late::new(args.seconds);
    let mut newcomers = Newcomers { watched, late: &late };
    let over = AtomicBool::new(false);
    let mut watch = Watch {
        title: format!("demo on simulated exchanges, faults {}", args.faults.name()),
        seconds: Some(args.seconds),
        screen: !args.no_tui && std::io::stdout().is_terminal(),
        hold: false,
        inject: None,
        stop: &stop,
        words: &mut || None,
        joins: &mut newcomers,
        tick: &mut |elapsed: Duration| {
            if venues.are_gone() {
                stop.store(true, Relaxed); // Nobody is there to trade with, or to wait for.
            }
            late.borrow_mut().tick(elapsed, &venues, &agent);
            if elapsed < inject_at {
                return;
            }
            let Some(wanted) = injection.take() else { return };
            match wanted.open(&venues, &agent) {
                Ok(true) => {}
                // An opportunity is open there already, or the books are too far apart.
                Ok(false) => (injection, inject_at) = (Some(wanted), elapsed + INJECT_AGAIN),
                Err(error) => failed = Some(error.to_string()),
            }
        },
        event: &mut |event| journal.take(event),
        view: &mut |_| {},
    };
    let tape = Tape { path: dir.join("run.mcap"), taps: ends.taps };
    let (mut tiles, mut ended) = std::thread::scope(|scope| {
        scope.spawn(|| watcher.run(&over));
        let done = trade::run(
            &spec,
            tiles,
            (&plan, &clock),
            ends.outside,
            Some(tape),
            &mut state,
            &mut watch,
        );
        over.store(true, Relaxed);
        done
    })?;
    let mut late = late.into_inner();
    for (place, pair, _) in &late.joined {
        joins::seat(&mut file, *place, pair);
    }
    let settled = settle(&venues, &agent, &file, tiles.core.core());
    if let Ok((_, _, after)) = &settled {
        let records = paid(after, &file, tiles.core.core());
        let now = clock.now();
        ended.warnings.extend(tiles.write_down(&mut ended.journal, &records, now));
    }
    let audit = settled.as_ref().ok().map(|(audit, ..)| audit);
    let mut summary =
        Summary::new(&ended.story, &ended.figures, &ended.accounts, ended.open, audit);
    summary.joined = late.told(&ended.story);
    ended.warnings.append(&mut late.troubles);
    summary.settled_micro_usd = settled.as_ref().ok().map(|(_, paid, _)| *paid);
    // What was done is told even where the venues are no longer there to confirm it.
    let failure = settled.err().or(venues.end(&agent).err().map(DemoError::Venues));
    let agrees = summary.ledgers_agree == Some(true);
    tell(args, dir, &spec, &tiles, &ended, &journal, summary)?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    match failed.or(injection.map(|_| "the books never allowed it".to_owned())) {
        Some(error) => Err(DemoError::Words(format!("--inject: {error}"))),
        None if agrees => Ok(()),
        None => Err(DemoError::Ledgers),
    }
}

/// Removes what an earlier demonstration left, and nothing else. What is gone on with keeps its
/// journal.
fn clear(dir: &Path, resumes: bool) -> Result<(), DemoError> {
    std::fs::create_dir_all(dir)
        .map_err(|error| DemoError::Words(format!("{}: {error}", dir.display())))?;
    let journal = dir.join("journal");
    if !resumes && journal.is_dir() {
        std::fs::remove_dir_all(&journal)
            .map_err(|error| DemoError::Words(format!("{}: {error}", journal.display())))?;
    }
    // The catalogues of other venues are worth nothing with these.
    let catalogue = ["", "-wal", "-shm"].map(|end| format!("{STORE}{end}"));
    let others = ["run.mcap", "run.mcap.partial", "summary.json"];
    for name in catalogue.iter().map(String::as_str).chain(others) {
        let path = dir.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(DemoError::Words(format!("{}: {error}", path.display())));
            }
            _ => {}
        }
    }
    Ok(())
}

fn words(error: impl std::fmt::Display) -> DemoError {
    DemoError::Words(error.to_string())
}

/// The venues of the folder, living or started, and the lock of our account there.
fn open(args: &DemoArgs, dir: &Path) -> Result<(Venues, Lock), DemoError> {
    let keys = [LOCKED, sim::accounts::POLYMARKET_FILE].map(|name| dir.join(name));
    let lock = || Lock::of(&[&keys[0], &keys[1]]).map_err(words);
    // Where there is an account already, nobody else may be at it.
    let earlier = if keys.iter().all(|key| key.is_file()) { Some(lock()?) } else { None };
    let living = Venues::find(dir);
    clear(dir, args.resume.is_some())?;
    let venues = match (living, &args.resume) {
        (Some(venues), Some(_)) => {
            eprintln!("both exchanges still run in {}", dir.display());
            venues
        }
        (living, _) => {
            if let Some(left) = living {
                let agent = Agent::new(left.config()?.ca_file.as_deref()).map_err(words)?;
                left.end(&agent)?;
            }
            eprintln!("starting both exchanges in {} ...", dir.display());
            Venues::start(&Wanted {
                dir,
                resume: args.resume.is_some(),
                seed: args.seed,
                faults: args.faults,
                arb_per_minute: args.arb_per_minute,
                spin_us: 0,
            })?
        }
    };
    // New venues have new keys: those are locked that are there now.
    drop(earlier);
    Ok((venues, lock()?))
}

/// Compares the books with the ledgers, settles all markets, and says what they paid.
fn settle(
    venues: &Venues,
    agent: &Agent,
    file: &crate::pairs::PairFile,
    core: &engine::core::Core,
) -> Result<(Audit, [i64; 2], Ledgers), DemoError> {
    let before = venues.ledgers(agent)?;
    let audited = audit(core, file, &before.kalshi, &before.polymarket);
    venues.settle_all(agent)?;
    let after = venues.ledgers(agent)?;
    let paid = paid_out(&audited, &after.kalshi, &after.polymarket);
    Ok((audited, paid, after))
}

/// What the settlement made of money and positions, for the journal: whoever goes on with this
/// folder begins there.
fn paid(after: &Ledgers, file: &PairFile, core: &engine::core::Core) -> Vec<Record> {
    let before = [core.net().purse().cash(), core.tokens().purse.cash()];
    let cash = audit(core, file, &after.kalshi, &after.polymarket).cash.map(Usd::new);
    let differs = |(venue, (ours, theirs)): (Venue, (Usd, Usd))| Record::Differs {
        venue,
        what: name("cash in micro-dollars: all markets were settled"),
        ours: ours.e6(),
        theirs: theirs.e6(),
        taken: true,
    };
    let mut records: Vec<Record> =
        Venue::ALL.into_iter().zip(before.into_iter().zip(cash)).map(differs).collect();
    let ledgers = [(Venue::Kalshi, &after.kalshi), (Venue::Polymarket, &after.polymarket)];
    let stand = ledgers.map(|(venue, ledger)| standing(venue, ledger).unwrap_or_default());
    let held = positions(file, &stand);
    records.extend(opening::standing(file, core.pairs(), cash, &held));
    records
}

/// Raised by SIGINT and SIGTERM.
fn stop_on_signals() -> Result<Arc<AtomicBool>, DemoError> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(words)?;
    }
    Ok(stop)
}

/// Writes the report and the summary, and shows the latter.
fn tell(
    args: &DemoArgs,
    dir: &Path,
    spec: &crate::run::spec::RunSpec,
    tiles: &crate::topology::live::LiveTiles,
    ended: &trade::Ended,
    journal: &reported::Journal,
    mut summary: Summary,
) -> Result<(), DemoError> {
    tiles.sum_up(&mut summary);
    if let Some((path, recorded)) = &ended.tape {
        summary.tape = Some(path.display().to_string());
        summary.tape_dropped = recorded.dropped;
    }
    let page = dir.join("report");
    summary.report = Some(page.join("report.html").display().to_string());
    let mut notes = ended.warnings.clone();
    notes.push(format!("{} pairs on simulated exchanges of this host", spec.wanted.len()));
    let table = tiles.core.core().pairs();
    reported::write(&page, "Demo", &summary, journal, table, &tiles.histograms(), notes)?;
    let json = summary.to_json();
    let path = dir.join("summary.json");
    std::fs::write(&path, format!("{json}\n"))
        .map_err(|error| DemoError::Words(format!("{}: {error}", path.display())))?;
    for warning in &ended.warnings {
        eprintln!("warning: {warning}");
    }
    let text = if args.json { json } else { summary.to_string() };
    stdout::print(&format!("{text}\n")).map_err(words)?;
    if !args.json {
        eprintln!(
            "\nNext: open {} in a browser, repeat the run with\n  parallax replay {}\n\
             or trade with the same venues again: parallax demo --resume {}",
            page.join("report.html").display(),
            dir.join("run.mcap").display(),
            dir.display()
        );
    }
    Ok(())
}
