//! Pairs that a run finds by itself: at its start, and while it lasts.

use std::collections::{HashMap, HashSet};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use engine::core::Core;
use engine::pair::{Outcome, Pair, PairId, PairTable};
use engine::units::Venue;
use exec::journal::fold::State;
use rtrb::Consumer;

use crate::catalogue::delays;
use crate::catalogue::discovery::{Discovery, Freshness};
use crate::catalogue::store::{PairRow, Store, StoreError};
use crate::catalogue::table::{self, Entry};
use crate::catalogue::venues::Venues;
use crate::config::Config;
use crate::discover::{self, DiscoverError};
use crate::journal::start;
use crate::journal::truth::Books;
use crate::pairs::{self, PairFile};
use crate::run::joins::joiner::Joiner;
use crate::run::joins::{self, JoinEnds, NotJoined, Watched};

/// Share of the read budget that looks beside a run may use, in percent: reconciliation and
/// cross-checks come first.
const SHARE: u32 = 20;

/// A look follows on the word that something is listed, but not sooner after the last one ended:
/// venues list many markets at a time, their lists lag, and a venue where something is listed all
/// the time is not asked without a pause.
const LOOK_APART: Duration = Duration::from_secs(5);

/// The same where this run has not looked yet.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// How long the thread sleeps before it looks whether the run is over.
const NAP: Duration = Duration::from_millis(200);

/// Looks at both catalogues, and says what came of it. Also `DISCOVERY_ONLY`.
///
/// # Errors
/// [`DiscoverError`]
pub fn look(config: &Config) -> Result<Discovery, DiscoverError> {
    let now = discover::now_s();
    let mut discovery = discover::open(config, now)?;
    let mut venues = Venues::new(config, 100)?;
    let fresh = discover::freshness(config, false);
    let account = discover::look(&mut discovery, &mut venues, fresh, now)?;
    let changes = discovery.rematch(now)?;
    discover::told(account.as_ref(), &changes);
    discover::ask_delays(&discovery, &mut venues, now)?;
    Ok(discovery)
}

/// The pair files of a run: those that were given or configured, and one with what discovery found
/// beside them; and the pairs of the former. What a file describes is left to it.
///
/// # Errors
/// [`DiscoverError`]
pub fn files(
    config: &Config,
    given: &[PathBuf],
) -> Result<(Vec<PathBuf>, PairFile), DiscoverError> {
    let named = if given.is_empty() { &config.pairs } else { given };
    // The usual file need not be there where pairs are found.
    let mut files: Vec<PathBuf> =
        named.iter().filter(|file| !given.is_empty() || file.exists()).cloned().collect();
    let own = pairs::load(&files).map_err(|error| DiscoverError::Words(error.to_string()))?;
    let discovery = look(config)?;
    let mut entries = discovery.entries(discover::now_s())?;
    entries.retain(|entry| entry.held || entry.verdict().trades_live());
    entries.retain(|entry| !is_described(&own, entry));
    let table = config.discovery.store.with_extension("pairs.toml");
    discover::write_table(&table, &entries)?;
    eprintln!("discovery: {} pairs beside {} of your files", entries.len(), own.pairs.len());
    files.push(table);
    Ok((files, own))
}

/// True where the user's files have a pair of that name or of a market of it.
fn is_described(own: &PairFile, entry: &Entry) -> bool {
    own.pairs.iter().any(|pair| {
        pair.id == entry.row.id
            || pair.kalshi.ticker == entry.row.kalshi
            || pair.polymarket.condition_id == entry.row.polymarket
    })
}

/// Why pairs of a file may not trade live though the file allows it: somebody blocked them, or
/// their rules changed since they were approved.
///
/// # Errors
/// [`StoreError`]
pub fn objections(config: &Config, file: &PairFile) -> Result<Vec<String>, StoreError> {
    let path = &config.discovery.store;
    if !path.exists() {
        return Ok(Vec::new());
    }
    let store = Store::open(path, discover::now_s())?;
    let mut reasons = Vec::new();
    for pair in file.pairs.iter().filter(|pair| pair.verdict.trades_live()) {
        let rows = store.pairs_of(&pair.kalshi.ticker)?;
        let known = rows.iter().find(|row| row.polymarket == pair.polymarket.condition_id);
        let Some(row) = known else { continue };
        let standing = store.standing(row)?;
        // What a person wrote into a file of theirs is their word on what nobody decided.
        let own_word = pair.verdict == engine::pair::Verdict::Approved && standing.is_open();
        if !standing.verdict.trades_live() && !own_word {
            reasons.push(format!(
                "pair \"{}\": {}; read it with `parallax pairs show {}`",
                pair.id, standing.why, row.id
            ));
        }
    }
    Ok(reasons)
}

/// Notes in the store which pairs of a run have an open position, where there is a store.
///
/// # Errors
/// [`StoreError`]
pub fn note_held(
    config: &Config,
    file: &PairFile,
    is_held: impl Fn(&str) -> bool,
) -> Result<(), StoreError> {
    let path = &config.discovery.store;
    if !path.exists() {
        return Ok(());
    }
    let now = discover::now_s();
    let mut store = Store::open(path, now)?;
    let mut said = Vec::new();
    for pair in &file.pairs {
        let rows = store.pairs_of(&pair.kalshi.ticker)?;
        let known = rows.into_iter().find(|r| r.polymarket == pair.polymarket.condition_id);
        said.extend(known.map(|row| (row.id, is_held(&pair.id))));
    }
    store.hold(&said, now)
}

/// Notes in the store which pairs a journal says are held, before it is asked which pairs to trade:
/// a run that was killed noted nothing. A pair is one that the run had, so that a market alone
/// brings no pair in which nobody ever traded.
///
/// # Errors
/// [`StoreError`]
pub fn note_left(config: &Config, left: &State) -> Result<(), StoreError> {
    let path = &config.discovery.store;
    if !path.exists() {
        return Ok(());
    }
    let now = discover::now_s();
    let mut store = Store::open(path, now)?;
    hold_left(&mut store, left, now)
}

fn hold_left(store: &mut Store, left: &State, now: i64) -> Result<(), StoreError> {
    let had: HashSet<(usize, &str)> =
        left.markets.iter().map(|(key, name)| (key.0, name.as_str())).collect();
    let mut said = Vec::new();
    for name in start::touched(left) {
        let rows = store.pairs_of(&name)?;
        let is_had = |row: &PairRow| {
            had.contains(&(Venue::Kalshi.index(), &row.kalshi))
                && had.contains(&(Venue::Polymarket.index(), &row.polymarket))
        };
        said.extend(rows.into_iter().filter(is_had).map(|row| (row.id, true)));
    }
    store.hold(&said, now)
}

/// Ids of the pairs that a core holds something of.
pub fn held_by(core: &Core) -> HashSet<String> {
    let holds = |pair: &&Pair| {
        let [first, second] = pair.sides.map(|side| side.market.index());
        let tokens = [Outcome::Yes, Outcome::No].map(|o| core.tokens().balance(second, o).e6());
        core.net().position_e6(first) != 0 || tokens != [0, 0]
    };
    let live = core.pairs().live().map(|(_, pair)| pair);
    live.filter(holds).map(|pair| pair.id.clone()).collect()
}

/// Looks for changes while a run lasts, on a thread of its own.
pub struct Watcher<'c> {
    config: &'c Config,
    discovery: Discovery,
    venues: Venues,
    every: Duration,
    /// The place of each of the run's pairs, by ticker and condition.
    pairs: HashMap<(String, String), PairId>,
    /// Pairs that were stopped, and have not left yet.
    stopped: HashSet<(String, String)>,
    /// How many pairs wait for the next start, as it was said last.
    waiting: usize,
    joiner: Joiner,
    /// Pairs that cannot join.
    refused: HashSet<(String, String)>,
    /// Word that a venue lists something new, by venue.
    listed: [Consumer<Venue>; 2],
    /// Only pairs join that somebody quotes on both venues.
    only_quoted: bool,
    /// Pairs that join are added to this table.
    table: Option<PathBuf>,
    /// The pairs of the user's files.
    own: PairFile,
}

impl<'c> Watcher<'c> {
    /// A watcher and what it says; `None` where none is wanted.
    ///
    /// # Errors
    /// [`DiscoverError`]
    pub fn new(
        config: &'c Config,
        file: &PairFile,
        table: &PairTable,
        ends: JoinEnds,
        listed: [Consumer<Venue>; 2],
    ) -> Result<Option<(Watcher<'c>, Watched)>, DiscoverError> {
        if !config.discovery.enabled || config.discovery.every_s == 0 {
            return Ok(None);
        }
        let ids: HashMap<&str, PairId> =
            table.live().map(|(place, pair)| (pair.id.as_str(), place)).collect();
        let pairs = file.pairs.iter().filter_map(|pair| {
            let place = *ids.get(pair.id.as_str())?;
            let key = (pair.kalshi.ticker.clone(), pair.polymarket.condition_id.clone());
            Some((key, place))
        });
        let ((tell, changes), (told, heard)) = (channel(), channel());
        let watcher = Watcher {
            config,
            joiner: Joiner::new(ends, file, table, tell, heard),
            discovery: discover::open(config, discover::now_s())?,
            venues: Venues::new(config, SHARE)?,
            every: Duration::from_secs(u64::from(config.discovery.every_s)),
            pairs: pairs.collect(),
            stopped: HashSet::new(),
            refused: HashSet::new(),
            waiting: 0,
            listed,
            only_quoted: false,
            table: None,
            own: PairFile::default(),
        };
        Ok(Some((watcher, Watched { changes, told })))
    }

    /// Leaves to the user's files what they describe, and asks the venues what is held before a
    /// pair joins: nobody on paper.
    #[must_use]
    pub fn beside(self, own: PairFile, books: Option<Box<dyn Books + Send>>) -> Watcher<'c> {
        Watcher { own, joiner: self.joiner.asking(books), ..self }
    }

    /// Begins with what somebody found already. Only pairs join that are quoted on both venues, and
    /// they are added to the table of those that are traded: whoever goes on with it must know them.
    #[must_use]
    pub fn only_quoted(self, discovery: Discovery, table: PathBuf) -> Watcher<'c> {
        Watcher { discovery, only_quoted: true, table: Some(table), ..self }
    }

    /// Looks until the run is over: as often as it was told, and where a venue says that it lists
    /// something. A venue that does not answer stops nothing: what was known stands.
    pub fn run(&mut self, end: &AtomicBool) {
        let (mut last, mut announced, mut looked) = (Instant::now(), false, false);
        while !end.load(Relaxed) {
            for listed in &mut self.listed {
                announced |= listed.pop().is_ok();
            }
            self.tend(end);
            if last.elapsed() < wait(self.every, announced, looked) {
                thread::sleep(NAP);
                continue;
            }
            (announced, looked) = (false, true);
            if let Err(error) = self.step(discover::now_s(), end) {
                eprintln!("discovery: {error}; what was known stands");
            }
            // A look may take longer than the pause after it.
            last = Instant::now();
        }
    }

    /// Goes on with the pairs that leave. One that left may come again, where it may be traded.
    fn tend(&mut self, end: &AtomicBool) {
        // Where nobody listens the run is over.
        for went in self.joiner.tend(end).unwrap_or_default() {
            for (key, _) in self.pairs.extract_if(|_, its| *its == went.place) {
                self.stopped.remove(&key);
                if went.refused {
                    eprintln!("discovery: {} was not taken in; it waits for the next start", key.0);
                    self.refused.insert(key);
                } else {
                    eprintln!("discovery: {} left: its place is free", key.0);
                }
            }
        }
    }

    fn step(&mut self, now: i64, end: &AtomicBool) -> Result<(), StoreError> {
        let fresh = Freshness { force: false, ttl_s: 0 };
        let account = self.discovery.refresh(&mut self.venues, fresh, now, &mut |_| {})?;
        if let Some(account) = account.filter(|account| account.complete != [true; 2]) {
            for venue in Venue::ALL.into_iter().filter(|v| !account.complete[v.index()]) {
                eprintln!("discovery: {venue} did not answer; what was known of it stands");
            }
        }
        self.discovery.rematch(now)?;
        let mut entries = self.discovery.entries(now)?;
        if self.only_quoted {
            let is_ours = |entry: &Entry| self.pairs.contains_key(&key_of(entry));
            entries.retain(|entry| entry.worth.is_some() || is_ours(entry));
        }
        delays::ask(&self.discovery.store, &mut entries, &mut self.venues, now)?;
        self.apply(&entries, end)
    }

    /// Tells the core which of its pairs may no longer be traded, and has new ones join.
    fn apply(&mut self, entries: &[Entry], end: &AtomicBool) -> Result<(), StoreError> {
        let mut waiting = Vec::new();
        let mut may = HashMap::new();
        for entry in entries {
            let key = key_of(entry);
            if self.pairs.contains_key(&key) {
                let why = match entry.row.live {
                    true => entry.standing.why.clone(),
                    false => "one of its markets is over".to_owned(),
                };
                may.insert(key, (entry.row.live && entry.standing.verdict.may_decide(), why));
            } else if is_described(&self.own, entry) {
                // Its file says how it is traded, also after it left.
            } else if self.refused.contains(&key) {
                // It is as wrong as it was.
            } else if entry.row.live && entry.verdict().trades_live() {
                waiting.extend(self.join(key.clone(), entry, end));
                // One that joins is known from here on, and may be traded.
                may.insert(key, (true, String::new()));
            }
        }
        for (key, place) in &self.pairs {
            let known = self.discovery.store.pairs_of(&key.0)?;
            let is_known = known.iter().any(|row| row.polymarket == key.1);
            let over = (false, "one of its markets is over".to_owned());
            // A pair of a file that discovery never saw is that file's business.
            let (open, why) = match may.remove(key) {
                Some(said) => said,
                None if is_known => over,
                None => continue,
            };
            if open || self.stopped.contains(key) {
                continue;
            }
            self.stopped.insert(key.clone());
            eprintln!("discovery: {} stops, and leaves once nothing of it is open: {why}", key.0);
            self.joiner.retire(*place);
        }
        if waiting.len() > self.waiting {
            let some: Vec<&str> = waiting.iter().map(String::as_str).take(4).collect();
            eprintln!(
                "discovery: {} new pairs find no place until others leave, or the next start \
                 (discovery.reserve): {} ...",
                waiting.len(),
                some.join(", ")
            );
        }
        self.waiting = waiting.len();
        Ok(())
    }

    /// Has a new pair join; its name where no place is left for it.
    fn join(&mut self, key: (String, String), entry: &Entry, end: &AtomicBool) -> Option<String> {
        let (note, _) = table::toml(std::slice::from_ref(entry), "");
        // What the table cannot hold was said by `discover`.
        let mut spec = joins::read_note(note.as_bytes())?;
        if !self.config.wants(&spec) || self.config.blocks(&spec) {
            return None;
        }
        self.config.assume(&mut spec);
        let id = entry.row.id.clone();
        match self.joiner.join(&spec, &note, end) {
            Ok(place) => {
                eprintln!(
                    "discovery: {id} is new and joins{}",
                    listed_ago(entry, discover::now_s())
                );
                self.add_to_table(&note);
                self.pairs.insert(key, place);
                None
            }
            Err(NotJoined::Full) => Some(id),
            Err(NotJoined::Over) => None,
            Err(NotJoined::Later(why)) => {
                eprintln!("discovery: {id} does not join yet: {why}");
                None
            }
            Err(NotJoined::Words(why)) => {
                eprintln!("discovery: {id} cannot join: {why}");
                self.refused.insert(key);
                None
            }
        }
    }
}

impl Watcher<'_> {
    /// Adds the one pair of a table to the table of those that are traded.
    fn add_to_table(&self, note: &str) {
        let (Some(path), Some(at)) = (&self.table, note.find("[[pair]]")) else { return };
        let pair = format!("\n{}", &note[at..]);
        let file = OpenOptions::new().append(true).open(path);
        if let Err(error) = file.and_then(|mut file| file.write_all(pair.as_bytes())) {
            eprintln!("discovery: {}: {error}; the pair is traded all the same", path.display());
        }
    }
}

/// How long after the last look the next one follows.
fn wait(every: Duration, announced: bool, looked: bool) -> Duration {
    match (announced, looked) {
        (false, _) => every,
        (true, true) => every.min(LOOK_APART),
        (true, false) => every.min(FIRST_LOOK),
    }
}

/// What names a pair by its markets.
fn key_of(entry: &Entry) -> (String, String) {
    (entry.row.kalshi.clone(), entry.row.polymarket.clone())
}

/// How long ago the second of both venues listed a pair, where both say it and it was not long ago.
fn listed_ago(entry: &Entry, now: i64) -> String {
    let here = entry.kalshi.market.open_time;
    let there = entry.polymarket.event.as_ref().and_then(|event| event.created);
    let last = here.zip(there).map(|(here, there)| here.max(there));
    match last.map(|last| now - last) {
        Some(ago @ 0..3_600) => format!(", {ago} s after both venues list it"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::top::MarketId;
    use exec::journal::Record;
    use exec::journal::record::name;

    #[test]
    fn the_first_word_leads_to_a_look_at_once_and_the_others_wait_for_a_pause() {
        let s = Duration::from_secs;
        assert_eq!((wait(s(60), false, false), wait(s(60), false, true)), (s(60), s(60)));
        assert_eq!((wait(s(60), true, false), wait(s(60), true, true)), (s(1), LOOK_APART));
        assert_eq!(wait(s(2), true, true), s(2), "never later than without a word");
    }

    #[test]
    fn what_a_killed_run_held_is_held_before_the_next_one_looks_for_its_pairs() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("store"), 1).unwrap();
        let row = |id: &str, condition: &str| PairRow {
            id: id.to_owned(),
            kalshi: "KX".to_owned(),
            polymarket: condition.to_owned(),
            ..crate::catalogue::store::example()
        };
        store.put_pair(&row("traded", "0xcd")).unwrap();
        store.put_pair(&row("never", "0xef")).unwrap();
        let mut left = State::default();
        let market = |venue| MarketId::new(venue, 0).unwrap();
        for (venue, text) in [(Venue::Kalshi, "KX"), (Venue::Polymarket, "0xcd")] {
            left.take(&Record::Market { market: market(venue), name: name(text) });
        }
        hold_left(&mut store, &left, 2).unwrap();
        assert_eq!(store.held().unwrap(), [""; 0]);
        let (market, outcome) = (market(Venue::Polymarket), Outcome::No);
        left.take(&Record::Held { market, outcome, e6: 5 });
        hold_left(&mut store, &left, 3).unwrap();
        assert_eq!(store.held().unwrap(), ["traded"]);
    }
}
