//! Looks for changes while a run lasts, and has pairs join and leave.

use std::collections::{HashMap, HashSet};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use engine::pair::{PairId, PairTable};
use engine::units::Venue;
use rtrb::Consumer;

use super::decisions::Decisions;
use super::roster::{self, Key, Roster, Seat};
use super::{is_described, standing};
use crate::catalogue::crawl::Source;
use crate::catalogue::delays;
use crate::catalogue::discovery::{Discovery, Freshness};
use crate::catalogue::store::StoreError;
use crate::catalogue::table::{self, Entry};
use crate::catalogue::venues::Venues;
use crate::catalogue::worth;
use crate::config::Config;
use crate::discover::{self, DiscoverError};
use crate::journal::truth::Books;
use crate::pairs::{PairFile, PairSpec};
use crate::run::joins::joiner::Joiner;
use crate::run::joins::terms::Terms;
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

/// How long after texts were read they are read again, where that is all that is looked at.
const TEXTS_EVERY: Duration = Duration::from_secs(900);

/// How long the thread sleeps before it looks whether the run is over.
const NAP: Duration = Duration::from_millis(200);

/// What a watcher must know beside the catalogues.
pub struct Beside {
    /// The user's files: what they describe is left to them.
    pub own: PairFile,
    /// Whoever says what the account holds, before a pair joins; nobody on paper.
    pub books: Option<Box<dyn Books + Send>>,
}

/// Looks for changes while a run lasts, on threads of its own: one that waits for venues, and one that
/// does not.
pub struct Watcher<'c> {
    looks: Looks<'c>,
    decisions: Decisions,
}

/// The one that waits.
struct Looks<'c> {
    config: &'c Config,
    discovery: Discovery,
    venues: Venues,
    every: Duration,
    roster: Arc<Mutex<Roster>>,
    /// How many pairs wait for the next start, as it was said last.
    waiting: usize,
    joiner: Joiner,
    /// Pairs that cannot join.
    refused: HashSet<Key>,
    /// Pairs that cannot join yet, with why as it was said last.
    later: HashMap<Key, String>,
    /// Word that a venue lists something new, by venue.
    listed: [Consumer<Venue>; 2],
    /// Only pairs join that somebody quotes on both venues.
    only_quoted: bool,
    /// Pairs that join are added to this table.
    table: Option<PathBuf>,
    /// The pairs of the user's files.
    own: PairFile,
    /// Nobody wants pairs to be found: only the texts of the run's own are read again.
    only_texts: bool,
}

impl<'c> Watcher<'c> {
    /// A watcher of a run over these pairs, and what it says.
    ///
    /// # Errors
    /// [`DiscoverError`]
    pub fn new(
        config: &'c Config,
        file: &PairFile,
        table: &PairTable,
        ends: JoinEnds,
        listed: [Consumer<Venue>; 2],
        beside: Beside,
    ) -> Result<(Watcher<'c>, Watched), DiscoverError> {
        let now = discover::now_s();
        let Beside { own, books } = beside;
        let ((tell, changes), (told, heard)) = (channel(), channel());
        let joiner = Joiner::new(ends, file, table, tell, heard).asking(books);
        let ids: HashMap<&str, PairId> =
            table.live().map(|(place, pair)| (pair.id.as_str(), place)).collect();
        let mut roster = Roster::new(joiner.stopper());
        for pair in &file.pairs {
            let Some(place) = ids.get(pair.id.as_str()) else { continue };
            let key = (pair.kalshi.ticker.clone(), pair.polymarket.condition_id.clone());
            let said = own.pairs.iter().find(|own| own.id == pair.id).map(|own| own.verdict);
            roster.add(key, Seat::new(*place, Terms::of(pair), said));
        }
        let roster = Arc::new(Mutex::new(roster));
        let looks = Looks {
            config,
            joiner,
            discovery: discover::open(config, now)?,
            venues: Venues::new(config, SHARE)?,
            every: Duration::from_secs(u64::from(config.discovery.every_s)),
            roster: Arc::clone(&roster),
            waiting: 0,
            refused: HashSet::new(),
            later: HashMap::new(),
            listed,
            only_quoted: false,
            table: None,
            own,
            only_texts: false,
        };
        let decisions = Decisions::open(&config.discovery.store, now, roster)?;
        Ok((Watcher { looks, decisions }, Watched { changes, told }))
    }

    /// Begins with what somebody found already. Only pairs join that are quoted on both venues, and
    /// they are added to the table of those that are traded: whoever goes on with it must know them.
    #[must_use]
    pub fn only_quoted(self, discovery: Discovery, table: PathBuf) -> Watcher<'c> {
        let looks = Looks { discovery, only_quoted: true, table: Some(table), ..self.looks };
        Watcher { looks, ..self }
    }

    /// Finds nothing: only the texts of the run's own pairs are read again from time to time, and
    /// what people decide about them is heard.
    #[must_use]
    pub fn only_texts(self) -> Watcher<'c> {
        let looks = Looks { only_texts: true, every: TEXTS_EVERY, ..self.looks };
        Watcher { looks, ..self }
    }

    /// Looks until the run is over: as often as it was told, and where a venue says that it lists
    /// something. A venue that does not answer stops nothing: what was known stands. What people
    /// decide is read meanwhile.
    pub fn run(&mut self, end: &AtomicBool) {
        let Watcher { looks, decisions } = self;
        thread::scope(|scope| {
            scope.spawn(|| decisions.run(end));
            looks.run(end);
        });
    }
}

impl Looks<'_> {
    fn run(&mut self, end: &AtomicBool) {
        let (mut last, mut announced, mut looked) = (Instant::now(), false, false);
        while !end.load(Relaxed) {
            for listed in &mut self.listed {
                announced |= listed.pop().is_ok() && !self.only_texts;
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
        // Nobody stops a pair between its leaving and its being forgotten: its place may be given away
        // then.
        let mut roster = roster::lock(&self.roster);
        // Where nobody listens the run is over.
        for went in self.joiner.tend(end).unwrap_or_default() {
            for key in roster.leave(&went) {
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
        if self.only_texts {
            read_texts(&self.roster, &mut self.discovery, &mut self.venues, now)?;
            return self.stop(&self.discovery.entries(now)?);
        }
        let fresh = Freshness { force: false, ttl_s: 0 };
        let account = self.discovery.refresh(&mut self.venues, fresh, now, &mut |_| {})?;
        if let Some(account) = account.filter(|account| account.complete != [true; 2]) {
            for venue in Venue::ALL.into_iter().filter(|v| !account.complete[v.index()]) {
                eprintln!("discovery: {venue} did not answer; what was known of it stands");
            }
        }
        self.discovery.rematch(now)?;
        let mut entries = self.discovery.entries(now)?;
        // Before anything else is asked of anybody.
        self.stop(&entries)?;
        if self.only_quoted {
            entries.retain(|entry| entry.worth.is_some());
        }
        delays::ask(&self.discovery.store, &mut entries, &mut self.venues, now, &mut |_| {})?;
        self.join_all(&entries, end)
    }

    /// Stops those of the run's pairs that may no longer be traded, and those whose orders would be
    /// made from what no longer holds.
    fn stop(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let known: HashMap<Key, &Entry> =
            entries.iter().map(|entry| (key_of(entry), entry)).collect();
        let trading = roster::lock(&self.roster).all_trading();
        for (key, seat) in trading {
            let why = match standing::ending(&self.discovery.store, &key, seat.own)? {
                Some(why) => Some(why),
                None => known.get(&key).and_then(|entry| self.outdated(&seat, entry)),
            };
            if let Some(why) = why {
                roster::lock(&self.roster).stop(&key, &why);
            }
        }
        Ok(())
    }

    /// What of a pair's terms is no longer as the run has it, in words.
    fn outdated(&self, seat: &Seat, entry: &Entry) -> Option<String> {
        let (spec, _) = self.spec_of(entry)?;
        let (was, mut now) = (&seat.terms, Terms::of(&spec));
        // What a page leaves out is no change, and an override of the fee is told by the feed.
        if entry.kalshi.market.exchange_index.is_none() {
            now.shard = was.shard;
        }
        let is_overridden = entry.kalshi.event.as_ref().is_some_and(|event| {
            event.fee_type_override.is_some() || event.fee_multiplier_override.is_some()
        });
        if is_overridden || entry.kalshi.series.is_none() {
            now.kalshi_fee = was.kalshi_fee.clone();
        }
        if worth::rate_e6(&entry.polymarket).is_none() {
            now.polymarket_fee = was.polymarket_fee;
        }
        if seat.own.is_none() {
            return was.change(&now).map(|change| format!("{change}: it joins anew"));
        }
        // How its outcomes answer each other and what it costs is what its file says.
        let at = |venue| was.change_at(venue, &now);
        let change = Venue::ALL.into_iter().find_map(at)?;
        Some(format!("{change}: correct its file, and start again"))
    }

    /// A pair as a file would have it, and that file's text.
    fn spec_of(&self, entry: &Entry) -> Option<(PairSpec, String)> {
        let (note, _) = table::toml(std::slice::from_ref(entry), "");
        // What the table cannot hold was said by `discover`.
        let mut spec = joins::read_note(note.as_bytes())?;
        self.config.assume(&mut spec);
        Some((spec, note))
    }

    /// Has pairs join that may be traded and are not in the run.
    fn join_all(&mut self, entries: &[Entry], end: &AtomicBool) -> Result<(), StoreError> {
        let mut waiting = Vec::new();
        for entry in entries {
            let key = key_of(entry);
            // A file says how it is traded, also after it left; and what was refused is as wrong as it
            // was.
            if roster::lock(&self.roster).has(&key)
                || is_described(&self.own, entry)
                || self.refused.contains(&key)
                || !entry.row.live
                || !entry.verdict().trades_live()
                // Somebody may have decided since the look: venues were asked, and may be for each.
                || standing::ending(&self.discovery.store, &key, None)?.is_some()
            {
                continue;
            }
            waiting.extend(self.join(key, entry, end));
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
    fn join(&mut self, key: Key, entry: &Entry, end: &AtomicBool) -> Option<String> {
        let (spec, note) = self.spec_of(entry)?;
        if !self.config.wants(&spec) || self.config.blocks(&spec) {
            return None;
        }
        let id = entry.row.id.clone();
        match self.joiner.join(&spec, &note, end) {
            Ok(place) => {
                let ago = listed_ago(entry, discover::now_s());
                eprintln!("discovery: {id} is new and joins{ago}");
                self.add_to_table(&note);
                self.later.remove(&key);
                let seat = Seat::new(place, Terms::of(&spec), None);
                roster::lock(&self.roster).add(key, seat);
                None
            }
            Err(NotJoined::Full) => Some(id),
            Err(NotJoined::Over) => None,
            Err(NotJoined::Later(why)) => {
                let said = self.later.insert(key, why.clone());
                if said.as_ref() != Some(&why) {
                    eprintln!("discovery: {id} does not join yet: {why}");
                }
                None
            }
            Err(NotJoined::Words(why)) => {
                eprintln!("discovery: {id} cannot join: {why}");
                self.refused.insert(key);
                None
            }
        }
    }

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

/// Asks the venues for the texts of the run's pairs again. One that does not answer stops nothing:
/// what was known stands.
fn read_texts(
    roster: &Mutex<Roster>,
    discovery: &mut Discovery,
    source: &mut impl Source,
    now: i64,
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for (key, _) in roster::lock(roster).all_trading() {
        let known = discovery.store.pairs_of(&key.0)?;
        rows.extend(known.into_iter().find(|row| row.polymarket == key.1));
    }
    for words in discovery.ask_again(source, &rows, now)? {
        eprintln!("discovery: {words}; what was known stands");
    }
    discovery.rematch(now)?;
    Ok(())
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
#[path = "watcher_tests.rs"]
mod tests;
