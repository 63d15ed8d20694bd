//! `parallax discover`: catalogues in, pairs out.

mod explain; // two markets on one screen
pub mod show; // pairs as lines and as JSON

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Args;
use engine::units::Venue;
use indicatif::{ProgressBar, ProgressStyle};
use matching::index::Found as Alike;
use matching::judgement::Judgement;

use crate::catalogue::crawl::{Account, Keep as _, Progress};
use crate::catalogue::delays;
use crate::catalogue::discovery::{Changes, Discovery, Freshness};
use crate::catalogue::names;
use crate::catalogue::store::{Store, StoreError, Which};
use crate::catalogue::table::{self, Entry};
use crate::catalogue::venues::Venues;
use crate::catalogue::{finding, offline};
use crate::config::{self, Config, ConfigArgs, Environment};
use crate::rest::{RestError, wall};
use crate::stdout;

/// Rows that go into the store at once from files.
const ROWS_AT_ONCE: usize = 1_000;

/// Words about rows that are shown; the number of all is.
const NOTES_SHOWN: usize = 12;

/// Find the same event on both venues, and refuse what only looks the same.
///
/// Reads both catalogues (all of it once a day, changes in between), compares every market with
/// those that could be its other side, and prints the pairs with what may be done with each:
/// "tradable" where both rules are known to agree in every field that decides money, "approved"
/// where a person said so (`parallax pairs`), "needs-review" otherwise. Two markets of which it is
/// not certain which outcome answers which are never tradable.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  parallax discover --out pairs.toml                  find pairs, write the table that `run` reads
  parallax discover --only-leagues epl,nba --min-apr 5
  parallax discover --explain KXFED-26DEC-T3.50       the likest market of the other venue, and what differs
  parallax discover --offline dumps/ --json           from saved pages, without a network

What cannot be read is said, and what was known of it is kept; a pair with an open position is
never dropped. Exit code: 0, also where a venue was down and something older stands in (see the
warnings); 1 where nothing could be done: no market of a venue is known, a league or a ticker is
not, or a table that holds pairs would become one that holds none.")]
pub struct DiscoverArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Ask for everything again, whatever is known.
    #[arg(long)]
    force: bool,
    /// Only pairs of these leagues, with commas: epl, nba, cs2 ...
    #[arg(long, value_name = "LEAGUES", value_delimiter = ',')]
    only_leagues: Vec<String>,
    /// Only pairs of this market; one that is not known yet is asked for.
    #[arg(long, value_name = "TICKER")]
    kalshi_ticker: Option<String>,
    /// Pages from files instead of the venues: a folder or a file of .json, .jsonl, .tar, also .zst.
    /// Nothing is kept.
    #[arg(long, value_name = "DUMP_DIR", conflicts_with = "force")]
    offline: Option<PathBuf>,
    /// Show on one screen why a market (ticker, condition, slug) or a pair is or is not paired.
    #[arg(long, value_name = "ID")]
    explain: Option<String>,
    /// Only pairs that would earn so many percent a year by the quotes of the last look.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_apr: Option<i64>,
    /// Write the pairs as the table that `run` and `replay` read.
    #[arg(long, value_name = "FILE.toml", conflicts_with = "explain")]
    out: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long, conflicts_with = "explain")]
    json: bool,
    /// Replace a table that holds pairs by one that holds none.
    #[arg(long, requires = "out")]
    allow_empty: bool,
}

/// Why discovery did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The client.
    #[error(transparent)]
    Rest(#[from] RestError),
    /// Something in words.
    #[error("{0}")]
    Words(String),
}

/// Percent with at most two decimals, as hundredths.
fn percent(text: &str) -> Result<i64, String> {
    let want = || format!("\"{text}\" is no percentage such as 5 or 2.5");
    crate::rest::E2::parse(text).map(|percent| percent.0).ok_or_else(want)
}

/// What stands in a run's or a command's place: now.
pub(crate) fn now_s() -> i64 {
    i64::try_from(wall().0 / 1_000_000_000).unwrap_or(i64::MAX)
}

/// Runs `parallax discover`.
///
/// # Errors
/// [`DiscoverError`]
pub fn run(args: &DiscoverArgs) -> Result<(), DiscoverError> {
    let now = now_s();
    let mut asked = None;
    let (mut discovery, account) = match &args.offline {
        Some(dir) => {
            // Nothing of a configuration is used, but one that was named must be there.
            if args.config.config.is_some() || args.config.env_file.is_some() {
                config::load(&args.config)?;
            }
            let mut discovery = Discovery::new(Store::in_memory(now)?);
            let account = take(&mut discovery, dir)?;
            (discovery, Some(account))
        }
        None => {
            let config = config::load(&args.config)?;
            let mut discovery = open(&config, now)?;
            let mut venues = Venues::new(&config, 100)?;
            let fresh = freshness(&config, args.force);
            let account = look(&mut discovery, &mut venues, fresh, now)?;
            if let Some(ticker) = &args.kalshi_ticker {
                discovery.ask_for(&mut venues, ticker)?;
            }
            asked = Some(venues);
            (discovery, account)
        }
    };
    if let Some(venue) = unheard(discovery.store.counts()?) {
        told(account.as_ref(), &Changes::default());
        return Err(DiscoverError::Words(match &args.offline {
            Some(dir) => format!(
                "{}: no open market of {venue} is in there: nothing can be compared",
                dir.display()
            ),
            None => format!(
                "{venue} did not answer or lists nothing, and no market of it was known: nothing \
                 can be compared"
            ),
        }));
    }
    are_known(&discovery, args)?;
    let spinner = waiting("matching");
    let changes = discovery.rematch(now)?;
    spinner.finish_and_clear();
    told(account.as_ref(), &changes);
    if let Some(id) = &args.explain {
        let text = explanation(&mut discovery, id)?;
        return print(&text);
    }
    let mut entries = discovery.entries(now)?;
    entries.retain(|entry| entry.held || is_wanted(args, entry));
    if let Some(venues) = &mut asked {
        ask_delays(&discovery, &mut entries, venues, now)?;
    }
    if let Some(out) = &args.out {
        replace_table(out, &entries, args.allow_empty)?;
    }
    let counts = discovery.store.counts()?;
    print(&match args.json {
        true => show::json(&entries, counts, account.as_ref(), &changes),
        false => show::lines(&entries, counts, args.out.is_none()),
    })
}

/// Refuses a league or a ticker that nobody knows: a look for it would find nothing, and a table
/// that is written of that would lose every pair.
fn are_known(discovery: &Discovery, args: &DiscoverArgs) -> Result<(), DiscoverError> {
    if let Some(ticker) = &args.kalshi_ticker {
        let known = [ticker.clone(), ticker.to_uppercase()];
        if !known.iter().any(|name| matches!(discovery.store.kalshi(name), Ok(Some(_)))) {
            return Err(DiscoverError::Words(format!(
                "--kalshi-ticker {ticker}: Kalshi lists no such market"
            )));
        }
    }
    for league in &args.only_leagues {
        let is_known = show::is_league(league) || {
            let markets = discovery.store.ids(Venue::Kalshi, Which::Open)?;
            markets.iter().any(|(ticker, _)| show::is_of(ticker, league))
        };
        if !is_known {
            return Err(DiscoverError::Words(format!(
                "--only-leagues {league}: neither a league ({}) nor a series of which Kalshi lists \
                 a market",
                show::leagues()
            )));
        }
    }
    Ok(())
}

/// A venue of which no market is known: because it did not answer, or nothing of it was saved. A
/// table written now would lose every pair.
fn unheard(counts: [u64; 2]) -> Option<Venue> {
    Venue::ALL.into_iter().find(|venue| counts[venue.index()] == 0)
}

/// Opens the store of a configuration; another environment's is refused.
///
/// # Errors
/// [`DiscoverError`]
pub(crate) fn open(config: &Config, now: i64) -> Result<Discovery, DiscoverError> {
    let store = Store::open(&config.discovery.store, now)?;
    let whose = match config.environment {
        // Simulators come and go; whose catalogue it is shows in what they list.
        Environment::Sim => "sim".to_owned(),
        _ => format!("{} {}", config.kalshi.rest.as_str(), config.polymarket.gamma.as_str()),
    };
    match store.remark("venues")? {
        None => store.set_remark("venues", &whose)?,
        Some(known) if known == whose => {}
        Some(known) => {
            return Err(DiscoverError::Words(format!(
                "{}: it holds the catalogues of {known}, and the configuration means {whose}; \
                 set discovery.store to another file",
                config.discovery.store.display()
            )));
        }
    }
    let (aliases, text) = names::read(&config.discovery.store)
        .map_err(|error| DiscoverError::Words(error.to_string()))?;
    Ok(Discovery::new(store).with_names(aliases, &text))
}

/// How fresh the configuration wants its catalogues.
pub(crate) fn freshness(config: &Config, force: bool) -> Freshness {
    Freshness {
        // A simulated catalogue is small, and is another one after each start.
        force: force || config.discovery.force || config.environment == Environment::Sim,
        ttl_s: i64::from(config.discovery.cache_ttl_s),
    }
}

/// Asks both venues, with a bar.
///
/// # Errors
/// [`DiscoverError`]
pub(crate) fn look(
    discovery: &mut Discovery,
    venues: &mut Venues,
    fresh: Freshness,
    now: i64,
) -> Result<Option<Account>, DiscoverError> {
    let bar = waiting("reading catalogues");
    let mut progress = |at: Progress| {
        let Progress { venue, listing, pages, rows } = at;
        bar.set_message(format!("{venue} {listing}: page {pages}, {rows} rows in all"));
    };
    let account = discovery.refresh(venues, fresh, now, &mut progress)?;
    bar.finish_and_clear();
    Ok(account)
}

/// Asks how long Polymarket holds orders of what may trade, with a bar, tells it to the entries,
/// and says of how many it is not known.
///
/// # Errors
/// [`StoreError`]
pub(crate) fn ask_delays(
    discovery: &Discovery,
    entries: &mut [Entry],
    venues: &mut Venues,
    now: i64,
) -> Result<(), StoreError> {
    let bar = waiting("asking how long Polymarket holds orders");
    let delays::Asked { silent, left } =
        delays::ask(&discovery.store, entries, venues, now, &mut |done| {
            bar.set_message(format!("asking how long Polymarket holds orders: {done} markets"));
        })?;
    bar.finish_and_clear();
    if silent > 0 {
        eprintln!(
            "warning: Polymarket did not say of {silent} markets how long it holds orders; what was \
             known of them stands"
        );
    }
    if left > 0 {
        eprintln!(
            "warning: of {left} markets that may trade it was not asked how long Polymarket holds \
             orders ({} a look are asked, the best paid first); what its catalogue says stands until \
             the next look",
            delays::ASKED_A_LOOK
        );
    }
    Ok(())
}

/// Takes pages from files.
fn take(discovery: &mut Discovery, dir: &Path) -> Result<Account, DiscoverError> {
    let dump = offline::read(dir)
        .map_err(|error| DiscoverError::Words(format!("{}: {error}", dir.display())))?;
    let mut account = Account { pages: dump.files, rows: dump.found.len(), ..Account::default() };
    account.complete = [true; 2];
    for rows in dump.found.chunks(ROWS_AT_ONCE) {
        account.changed += discovery.store.keep(rows)?.changed;
    }
    for wrong in dump.wrong {
        account.note(wrong);
    }
    Ok(account)
}

/// Says what went wrong and what changed.
pub(crate) fn told(account: Option<&Account>, changes: &Changes) {
    if let Some(account) = account {
        for note in account.notes.iter().take(NOTES_SHOWN) {
            eprintln!("warning: {note}");
        }
        if account.notes_count > NOTES_SHOWN {
            eprintln!("warning: and {} more", account.notes_count - NOTES_SHOWN);
        }
        for venue in Venue::ALL.into_iter().filter(|venue| !account.complete[venue.index()]) {
            eprintln!("warning: {venue} did not come whole; what was known of the rest stands");
        }
    }
    for id in &changes.paused {
        eprintln!("paused: {id}: it may not be traded as its rules stand now");
    }
}

fn waiting(words: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(words.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    bar
}

fn is_wanted(args: &DiscoverArgs, entry: &Entry) -> bool {
    let apr = entry.worth.map(|worth| worth.apr_bp);
    let earns = args.min_apr.is_none_or(|least| apr.is_some_and(|apr| apr >= least));
    let ticker = args.kalshi_ticker.as_ref();
    let named = ticker.is_none_or(|ticker| ticker.eq_ignore_ascii_case(&entry.row.kalshi));
    earns && named && show::in_leagues(entry, &args.only_leagues)
}

/// Writes the table beside and moves it into place, so that nobody reads half of it.
pub(crate) fn write_table(out: &Path, entries: &[Entry]) -> Result<(), DiscoverError> {
    let head = "Pairs that discovery found: the best paid first. Only tradable and approved ones trade live.";
    let (text, left_out) = table::toml(entries, head);
    for (id, gaps) in &left_out {
        eprintln!("warning: {id} is not in the table: {}", gaps.fatal.join("; "));
    }
    let fresh = out.with_extension("toml.new");
    let written = std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, out));
    written.map_err(|error| DiscoverError::Words(format!("{}: {error}", out.display())))
}

/// Writes the table in the place of another one; a table that holds pairs is not replaced by one
/// that holds none, unless that is meant.
pub(crate) fn replace_table(
    out: &Path,
    entries: &[Entry],
    allow_empty: bool,
) -> Result<(), DiscoverError> {
    let has_pair = |text: &str| text.contains("[[pair]]");
    let is_empty = !has_pair(&table::toml(entries, "").0);
    let holds = std::fs::read_to_string(out).is_ok_and(|text| has_pair(&text));
    if is_empty && holds && !allow_empty {
        return Err(DiscoverError::Words(format!(
            "{}: left as it is: it holds pairs, and nothing was found to put in their place; \
             --allow-empty replaces it all the same",
            out.display()
        )));
    }
    write_table(out, entries)
}

/// The screen for `--explain`.
fn explanation(discovery: &mut Discovery, id: &str) -> Result<String, DiscoverError> {
    let unknown = || {
        DiscoverError::Words(format!(
            "{id} is neither a pair nor an open market that is known: give a ticker, a condition id, \
             a slug, or a ticker and a condition with a comma"
        ))
    };
    if let Some((ticker, condition)) = id.split_once(',') {
        let finding = discovery.judge(ticker.trim(), condition.trim())?.ok_or_else(unknown)?;
        return screen_of(discovery, ticker.trim(), condition.trim(), &finding);
    }
    if let Some(row) = discovery.store.pair(id)? {
        let finding = discovery.judge(&row.kalshi, &row.polymarket)?.ok_or_else(unknown)?;
        return screen_of(discovery, &row.kalshi, &row.polymarket, &finding);
    }
    let (venue, market) = discovery.store.market_named(id)?.ok_or_else(unknown)?;
    let alike = discovery.look_alikes(venue, &market)?;
    let Some(Alike { kalshi, polymarket, judgement: judged }) = alike.first() else {
        return Ok(format!("{id}: nothing on the other venue looks like it\n"));
    };
    let mut text = screen_of(discovery, kalshi, polymarket, judged)?;
    for Alike { kalshi, polymarket, judgement: judged } in alike.iter().skip(1).take(3) {
        let other = match venue {
            Venue::Kalshi => polymarket,
            Venue::Polymarket => kalshi,
        };
        let fields: Vec<&str> =
            finding::against(judged).iter().map(|f| f.field.as_str()).take(4).collect();
        let line = format!(
            "  less like it: {other} (score {}; {})",
            judged.equality.score,
            fields.join(", ")
        );
        text.push_str(&explain::cut(&line, 110));
        text.push('\n');
    }
    Ok(text)
}

pub(crate) fn screen_of(
    discovery: &Discovery,
    ticker: &str,
    condition: &str,
    judged: &Judgement,
) -> Result<String, DiscoverError> {
    let (here, there) = (discovery.store.kalshi(ticker)?, discovery.store.polymarket(condition)?);
    let known = discovery.store.pairs_of(ticker)?;
    let row = known.iter().find(|row| row.polymarket == condition);
    let mut standing = row.map(|row| discovery.store.standing(row)).transpose()?;
    // What the table says of it is what holds: a page that lacks a fee keeps it from trading.
    if let (Some(row), Some(standing)) = (row, &mut standing)
        && let Some(entry) = discovery.entry(row.clone(), &[], now_s())?
    {
        (standing.verdict, standing.why) = (entry.verdict(), entry.why());
    }
    let (here, there) = (here.unwrap_or_default(), there.unwrap_or_default());
    Ok(explain::screen(&here, &there, judged, standing.as_ref()))
}

fn print(text: &str) -> Result<(), DiscoverError> {
    stdout::print(text).map_err(|error| DiscoverError::Words(error.to_string()))
}
