//! From catalogues to pairs: what is asked of the venues, what is matched again, and what became
//! of the pairs.

use std::collections::{BTreeSet, HashMap, HashSet};

use engine::pair::Verdict;
use engine::units::Venue;

use matching::alias::Aliases;
use matching::index::{Found as Alike, Index};
use matching::judgement::Judgement;
use matching::listing::{self as listed, Listing};
use matching::matcher::Matcher;

use super::beside;
use super::crawl::{Account, Crawl, Keep as _, Progress, Scope, Source};
use super::delays;
use super::finding::{self, polarity_word};
use super::likeness::likeness;
use super::listing;
use super::page::{Contents, Found};
use super::rules;
use super::store::{PairRow, PolymarketRow, Standing, Store, StoreError, Which};
use super::table::Entry;
use super::worth::worth;

/// A whole catalogue is asked for again after so long; until then changes are enough.
const WHOLE_S: i64 = 86_400;

/// What is listed beside the markets is asked for again so long after it did not come.
const BESIDE_AGAIN_S: i64 = 3_600;

/// Most markets of Polymarket that are asked for by name at once: an address has its limits.
const CONDITIONS_A_PAGE: usize = 20;

/// What pairs are made by. Another number judges all of them anew.
const MATCHER: &str = "4";

/// What is known, and the matcher that knows it.
pub struct Discovery {
    /// Catalogues, pairs, decisions.
    pub store: Store,
    index: Index,
    /// What pairs are made by: the program's rules, and the names that were added to them.
    made_by: String,
    /// The names that a person added.
    names: Aliases,
    own: String,
    /// The names that Polymarket's teams added.
    teams: String,
    /// The leagues that its tags name.
    leagues: HashMap<String, String>,
    /// The store may know other names than these.
    names_due: bool,
    loaded: bool,
}

/// What a look at the catalogues changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// Pairs that were not known or had ended.
    pub found: Vec<String>,
    /// Pairs whose markets are over or no longer equal.
    pub ended: Vec<String>,
    /// Pairs that may be decided on no longer.
    pub paused: Vec<String>,
    /// Markets that were matched.
    pub matched: usize,
}

impl Changes {
    /// True where nothing changed for anybody who trades.
    pub const fn is_nothing(&self) -> bool {
        self.found.is_empty() && self.ended.is_empty() && self.paused.is_empty()
    }
}

/// How fresh a catalogue must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Freshness {
    /// Ask for everything, whatever is known.
    pub force: bool,
    /// Ask for nothing that is younger than this; seconds.
    pub ttl_s: i64,
}

impl Discovery {
    /// Works on a store.
    pub fn new(store: Store) -> Discovery {
        let names = Aliases::builtin();
        Discovery {
            store,
            index: Index::new(Matcher::new(names.clone())),
            made_by: MATCHER.to_owned(),
            names,
            own: String::new(),
            teams: String::new(),
            leagues: HashMap::new(),
            names_due: true,
            loaded: false,
        }
    }

    /// Works with further names, and with their text: where it changed, all pairs are judged anew.
    #[must_use]
    pub fn with_names(self, names: Aliases, text: &str) -> Discovery {
        let made_by = made_by(text);
        let index = Index::new(Matcher::new(names.clone()));
        let own = text.to_owned();
        Discovery { index, made_by, names, own, names_due: true, loaded: false, ..self }
    }

    /// Takes the names of Polymarket's teams and leagues as the store has them now. Where they
    /// changed, all pairs are judged anew.
    fn take_names(&mut self) -> Result<(), StoreError> {
        let beside = self.store.beside()?;
        self.names_due = false;
        let teams = beside::names(&beside, &self.names);
        let leagues = beside::leagues(&beside, &self.names);
        if (&teams, &leagues) == (&self.teams, &self.leagues) {
            return Ok(());
        }
        let mut names = self.names.clone();
        // Lines of known leagues, of four columns each: they are read, or the names stay as they are.
        if names.extend(&teams).is_err() {
            return Ok(());
        }
        let mut tags: Vec<String> =
            leagues.iter().map(|(tag, league)| format!("{tag}\t{league}\n")).collect();
        tags.sort();
        self.made_by = made_by(&format!("{}{teams}{}", self.own, tags.concat()));
        self.index = Index::new(Matcher::new(names));
        (self.teams, self.leagues, self.loaded) = (teams, leagues, false);
        Ok(())
    }

    /// Asks the venues for what is not fresh enough. `None` where everything is.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn refresh(
        &mut self,
        source: &mut impl Source,
        fresh: Freshness,
        now: i64,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Option<Account>, StoreError> {
        let mut scopes = Vec::new();
        for venue in Venue::ALL {
            let time = |key: &str| -> Result<i64, StoreError> {
                let said = self.store.remark(&format!("{key} {}", venue.name()))?;
                Ok(said.and_then(|text| text.parse().ok()).unwrap_or(i64::MIN))
            };
            let (whole, looked) = (time("whole")?, time("looked")?);
            if fresh.force || whole < now - WHOLE_S {
                scopes.push((venue, Scope::Whole));
            } else if looked <= now - fresh.ttl_s {
                scopes.push((venue, Scope::Since(looked)));
            }
        }
        let time = |key: &str| -> Result<i64, StoreError> {
            Ok(self.store.remark(key)?.and_then(|text| text.parse().ok()).unwrap_or(i64::MIN))
        };
        let (named, tried) = (time("beside")?, time("beside tried")?);
        let names = fresh.force || (named < now - WHOLE_S && tried < now - BESIDE_AGAIN_S);
        if scopes.is_empty() {
            return Ok(None);
        }
        self.store.at(now);
        let mut crawl = Crawl::new(source, &mut self.store, progress);
        for (venue, scope) in &scopes {
            crawl.venue(*venue, *scope)?;
        }
        // A venue that does not answer for its markets is not asked for more.
        let asks = names && crawl.is_complete(Venue::Polymarket);
        let named = asks && crawl.beside()?;
        let account = crawl.end();
        if asks {
            // Some of it may have come, and what did not would not come with the next look.
            self.names_due = true;
            self.store.set_remark("beside tried", &now.to_string())?;
        }
        if named {
            self.store.set_remark("beside", &now.to_string())?;
        }
        for (venue, scope) in scopes.into_iter().filter(|(v, _)| account.complete[v.index()]) {
            // What an incomplete listing lacks may be there all the same.
            if scope == Scope::Whole {
                self.store.retire(venue, now)?;
                self.store.set_remark(&format!("whole {}", venue.name()), &now.to_string())?;
            }
            self.store.set_remark(&format!("looked {}", venue.name()), &now.to_string())?;
        }
        Ok(Some(account))
    }

    /// Asks for one market of Kalshi with its event, where it is not known yet.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn ask_for(&mut self, source: &mut impl Source, ticker: &str) -> Result<(), StoreError> {
        if self.store.kalshi(ticker)?.is_some() {
            return Ok(());
        }
        let Ok(page) = source.get(Venue::Kalshi, &format!("/markets/{ticker}"), "") else {
            return Ok(()); // Whoever asked sees that there is no such pair.
        };
        let mut found = Contents::of(&page).found;
        let event = found.iter().find_map(|one| match one {
            Found::KalshiMarket(market) => Some(market.event.clone()),
            _ => None,
        });
        if let Some(event) = event
            && let Ok(page) = source.get(Venue::Kalshi, &format!("/events/{event}"), "")
        {
            found.extend(Contents::of(&page).found);
        }
        self.store.keep(&found)?;
        Ok(())
    }

    /// Asks for the markets of some pairs again, whatever is known of them, and says in words what
    /// did not answer.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn ask_again(
        &mut self,
        source: &mut impl Source,
        pairs: &[PairRow],
        now: i64,
    ) -> Result<Vec<String>, StoreError> {
        let mut requests = Vec::new();
        let mut events = BTreeSet::new();
        for row in pairs {
            events.extend(self.store.kalshi(&row.kalshi)?.map(|known| known.market.event));
        }
        let nested = "with_nested_markets=true".to_owned();
        requests.extend(events.iter().map(|event| {
            (Venue::Kalshi, format!("/events/{event}"), nested.clone(), format!("event {event}"))
        }));
        for some in pairs.chunks(CONDITIONS_A_PAGE) {
            let ids: Vec<String> =
                some.iter().map(|row| format!("condition_ids={}", row.polymarket)).collect();
            let (path, query) =
                ("/markets/keyset".to_owned(), format!("limit=100&{}", ids.join("&")));
            let what = format!("{} markets, {} among them", some.len(), some[0].id);
            requests.push((Venue::Polymarket, path, query, what));
        }
        self.store.at(now);
        let mut silent = Vec::new();
        for (venue, path, query, what) in requests {
            match source.get(venue, &path, &query) {
                Ok(page) => {
                    self.store.keep(&Contents::of(&page).found)?;
                }
                Err(trouble) => silent.push(format!("{venue}, {what}: {}", trouble.what)),
            }
        }
        Ok(silent)
    }

    /// Matches what changed.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn rematch(&mut self, now: i64) -> Result<Changes, StoreError> {
        let made_by = self.store.remark("matcher")?;
        // Others may have brought names into the store, too.
        if self.names_due || made_by.as_deref() != Some(self.made_by.as_str()) {
            self.take_names()?;
        }
        let whole = made_by.as_deref() != Some(self.made_by.as_str());
        let mut due = false;
        for venue in Venue::ALL {
            due |= !self.store.ids(venue, Which::Unmatched)?.is_empty();
        }
        if !whole && !due {
            return Ok(Changes::default()); // A catalogue takes a while to load.
        }
        self.load()?;
        let mut changes = Changes::default();
        let mut todo: Vec<(Venue, String)> = Vec::new();
        let mut fresh = Vec::new();
        for venue in Venue::ALL {
            for (id, open) in self.store.ids(venue, Which::Unmatched)? {
                if open {
                    fresh.extend(self.listing(venue, &id)?);
                    todo.push((venue, id));
                } else {
                    self.index.remove(side(venue), &id);
                    for row in self.store.pairs_of(&id)?.into_iter().filter(|row| row.live) {
                        self.store.end_pair(&row.id)?;
                        changes.ended.push(row.id);
                    }
                }
            }
        }
        self.index.put_all(fresh, threads());
        if whole {
            // A pair is found from either of its markets.
            let ids = self.store.ids(Venue::Kalshi, Which::Open)?;
            todo = ids.into_iter().map(|(id, _)| (Venue::Kalshi, id)).collect();
        }
        let markets: Vec<(matching::Venue, &str)> =
            todo.iter().map(|(venue, id)| (side(*venue), id.as_str())).collect();
        let found = self.index.matches_of(&markets, threads());
        changes.matched = todo.len();
        let (mut judged, mut kept) = (HashSet::new(), HashSet::new());
        let mut before: BTreeSet<String> = BTreeSet::new();
        for ((_, id), found) in todo.iter().zip(found) {
            before.extend(self.store.pairs_of(id)?.into_iter().filter(|r| r.live).map(|r| r.id));
            for Alike { kalshi, polymarket, judgement: found } in found {
                if judged.insert((kalshi.clone(), polymarket.clone())) {
                    kept.insert(self.keep(&kalshi, &polymarket, &found, now, &mut changes)?);
                }
            }
        }
        for id in before.into_iter().filter(|id| !kept.contains(id)) {
            self.store.end_pair(&id)?;
            changes.ended.push(id);
        }
        self.store.all_matched()?;
        self.store.set_remark("matcher", &self.made_by)?;
        Ok(changes)
    }

    fn load(&mut self) -> Result<(), StoreError> {
        if self.loaded {
            return Ok(());
        }
        let mut all = Vec::new();
        for venue in Venue::ALL {
            for (id, _) in self.store.ids(venue, Which::Open)? {
                all.extend(self.listing(venue, &id)?);
            }
        }
        self.index.put_all(all, threads());
        self.loaded = true;
        Ok(())
    }

    fn put(&mut self, venue: Venue, id: &str) -> Result<(), StoreError> {
        if let Some(listing) = self.listing(venue, id)? {
            self.index.put(listing);
        }
        Ok(())
    }

    fn listing(&self, venue: Venue, id: &str) -> Result<Option<Listing>, StoreError> {
        Ok(match venue {
            Venue::Kalshi => self.store.kalshi(id)?.map(|row| listing::kalshi(&row)),
            Venue::Polymarket => self.store.polymarket(id)?.map(|row| self.tagged(&row)),
        })
    }

    /// A market of Polymarket with the league that its event's tags name, where none of them is one.
    fn tagged(&self, row: &PolymarketRow) -> Listing {
        let mut listing = listing::polymarket(row);
        let is_league = |tag: &String| self.names.league(&tag.to_lowercase()).is_some();
        if !listing.tags.iter().any(is_league)
            && let Some(league) = listing.tags.iter().find_map(|tag| self.leagues.get(tag))
        {
            listing.tags.push(league.clone());
        }
        listing
    }

    /// Writes a pair as it is judged now; its id.
    fn keep(
        &mut self,
        ticker: &str,
        condition: &str,
        judged: &Judgement,
        now: i64,
        changes: &mut Changes,
    ) -> Result<String, StoreError> {
        let (Some(here), Some(there)) =
            (self.store.kalshi(ticker)?, self.store.polymarket(condition)?)
        else {
            return Ok(String::new());
        };
        let known = self.store.pairs_of(ticker)?;
        let before = known.iter().find(|row| row.polymarket == condition);
        let stood = before.map(|row| self.store.standing(row)).transpose()?;
        let polarity = finding::polarity(judged, &there.market.tokens);
        let word = polarity_word(polarity);
        let verdict = match finding::verdict(judged) {
            // Nobody can trade what nobody can map.
            Verdict::Tradable if polarity.is_none() => Verdict::NeedsReview,
            verdict => verdict,
        };
        let row = PairRow {
            id: match before {
                Some(row) => row.id.clone(),
                None => name(ticker, condition, known.is_empty()),
            },
            kalshi: ticker.to_owned(),
            polymarket: condition.to_owned(),
            polarity: word.to_owned(),
            verdict,
            score: judged.equality.score,
            judgement: serde_json::to_string(judged).unwrap_or_default(),
            like: likeness(
                &listing::kalshi(&here),
                &listing::polymarket(&there),
                word,
                self.index.matcher().aliases(),
            ),
            rules: rules::with_settlement(
                &rules::hash(&[&here.market.rules_hash(), &there.market.rules_hash()]),
                here.settled_by().as_deref(),
            ),
            first: String::new(),
            found: now,
            judged: now,
            live: true,
        };
        let was_live = before.is_some_and(|row| row.live);
        self.store.put_pair(&row)?;
        if !was_live {
            changes.found.push(row.id.clone());
        }
        let could = stood.is_some_and(|stood| stood.verdict.trades_live());
        if could && was_live && !self.standing(&row.id)?.verdict.trades_live() {
            changes.paused.push(row.id.clone());
        }
        Ok(row.id)
    }

    fn standing(&self, id: &str) -> Result<Standing, StoreError> {
        match self.store.pair(id)? {
            Some(row) => self.store.standing(&row),
            None => Ok(Standing {
                verdict: Verdict::NeedsReview,
                why: "not known".to_owned(),
                changed: false,
            }),
        }
    }

    /// All pairs with what a table says of them, the best paid first; those of unknown worth last,
    /// in the order of their ids.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn entries(&self, now: i64) -> Result<Vec<Entry>, StoreError> {
        let held = self.store.held()?;
        let mut entries = Vec::new();
        for row in self.store.pairs(false)? {
            entries.extend(self.entry(row, &held, now)?);
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.worth.map(|worth| worth.apr_bp)));
        Ok(entries)
    }

    /// One pair with what a table says of it; `None` where a market of it is not stored.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn entry(
        &self,
        row: PairRow,
        held: &[String],
        now: i64,
    ) -> Result<Option<Entry>, StoreError> {
        let (Some(kalshi), Some(polymarket)) =
            (self.store.kalshi(&row.kalshi)?, self.store.polymarket(&row.polymarket)?)
        else {
            return Ok(None);
        };
        let judged: Option<Judgement> = serde_json::from_str(&row.judgement).ok();
        let tokens = &polymarket.market.tokens;
        let polarity = judged.and_then(|judged| finding::polarity(&judged, tokens));
        let worth = polarity.and_then(|polarity| worth(&kalshi, &polymarket, polarity, now));
        let standing = self.store.standing(&row)?;
        let held = held.contains(&row.id);
        let delay_ms = delays::known(&self.store, &row.polymarket)?.map_or(0, |(ms, _)| ms);
        Ok(Some(Entry { row, standing, kalshi, polymarket, polarity, held, worth, delay_ms }))
    }

    /// The markets that could be the other side of one, judged, the likest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn look_alikes(&mut self, venue: Venue, id: &str) -> Result<Vec<Alike>, StoreError> {
        self.load()?;
        self.put(venue, id)?;
        Ok(self.index.look_alikes(side(venue), id))
    }

    /// What the matcher says of two markets; `None` where one of them is not stored.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn judge(
        &mut self,
        ticker: &str,
        condition: &str,
    ) -> Result<Option<Judgement>, StoreError> {
        self.take_names()?;
        let (Some(here), Some(there)) =
            (self.store.kalshi(ticker)?, self.store.polymarket(condition)?)
        else {
            return Ok(None);
        };
        let (here, there) = (listing::kalshi(&here), self.tagged(&there));
        Ok(Some(self.index.matcher().judge(&here, &there)))
    }
}

/// What pairs are made by, with names added.
fn made_by(text: &str) -> String {
    match text {
        "" => MATCHER.to_owned(),
        text => format!("{MATCHER} {:08x}", crc32fast::hash(text.as_bytes())),
    }
}

/// The matcher's word for a venue.
const fn side(venue: Venue) -> listed::Venue {
    match venue {
        Venue::Kalshi => listed::Venue::Kalshi,
        Venue::Polymarket => listed::Venue::Polymarket,
    }
}

/// Threads for matching: a run leaves its cores to others, and matching is over soon.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(4))
}

/// Our name of a pair: the ticker, and where it has several partners, a digest of the partner too;
/// conditions of one event can begin and end alike.
fn name(ticker: &str, condition: &str, is_only: bool) -> String {
    let ticker = ticker.to_lowercase();
    match is_only {
        true => ticker,
        false => format!("{ticker}+{}", &rules::hash(&[condition])[..10]),
    }
}

#[cfg(test)]
#[path = "discovery_tests.rs"]
pub(crate) mod tests;
