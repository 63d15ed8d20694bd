//! Reading whole listings of both venues, or what changed in them: politely, to their end, and
//! keeping what came when something fails.

use std::collections::HashSet;
use std::time::Duration;

use engine::units::Venue;
use serde_json::Value;

use super::page::{Contents, Found, next_cursor};

/// Most pages of one listing. A wrong cursor was seen to be accepted with a first page as the
/// answer (kalshi.md section 4), so that a listing may never end by itself.
const PAGES_MAX: usize = 5_000;

/// Rows of a page that is asked for by its offset.
const BESIDE_PAGE: usize = 100;

/// How often a request is tried.
const TRIES: u32 = 4;

/// Most words about rows that are kept; all are counted.
const NOTES_MAX: usize = 200;

/// A venue's clocks and ours differ, and its lists lag: changes are asked for from so long before
/// the last time.
const OVERLAP_S: i64 = 120;

/// Why a request gave nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// In words, with what was asked.
    pub what: String,
    /// It may go better the next time.
    pub again: bool,
}

/// Whoever answers for the venues.
pub trait Source {
    /// The page of a listing.
    ///
    /// # Errors
    /// Where there is no answer, no success or no JSON.
    fn get(&mut self, venue: Venue, path: &str, query: &str) -> Result<Value, Trouble>;

    /// Waits before a request is tried again.
    fn rest(&mut self, so_long: Duration);
}

/// Whoever keeps what is found.
pub trait Keep {
    /// What goes wrong with keeping.
    type Error;

    /// Keeps a page; how many of its rows are new or differ from what was kept, and whether each
    /// market on it was known.
    ///
    /// # Errors
    /// Where it cannot be kept.
    fn keep(&mut self, page: &[Found]) -> Result<Kept, Self::Error>;
}

/// What became of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Kept {
    /// Rows that are new, or differ from what was kept.
    pub changed: usize,
    /// Events and markets that were not known before.
    pub new: usize,
}

/// How far a crawl is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Of whom.
    pub venue: Venue,
    /// Which listing.
    pub listing: &'static str,
    /// Pages of it so far.
    pub pages: usize,
    /// Rows of the whole crawl so far.
    pub rows: usize,
}

/// What a crawl did and could not do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Account {
    /// Pages that were read.
    pub pages: usize,
    /// Rows on them.
    pub rows: usize,
    /// Rows that were new or differed.
    pub changed: usize,
    /// Whether all that was asked for came, of Kalshi and of Polymarket.
    pub complete: [bool; 2],
    /// What was missing or unreadable, in words; not more than some hundred.
    pub notes: Vec<String>,
    /// All notes, those that are not kept too.
    pub notes_count: usize,
}

impl Account {
    /// Adds words about something that went wrong.
    pub fn note(&mut self, words: String) {
        self.notes_count += 1;
        if self.notes.len() < NOTES_MAX {
            self.notes.push(words);
        }
    }
}

/// What is wanted of a listing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Everything that is open.
    Whole,
    /// What changed since then; Unix seconds.
    Since(i64),
}

/// A crawl of both venues.
pub struct Crawl<'c, S, K> {
    source: &'c mut S,
    keep: &'c mut K,
    progress: &'c mut dyn FnMut(Progress),
    account: Account,
}

/// When a listing may end before its last page.
enum Until {
    /// Never.
    Last,
    /// When a page in the order of change is older than this; Unix seconds.
    OlderThan(i64),
    /// When a page holds nothing new.
    AllKnown,
}

impl<'c, S: Source, K: Keep> Crawl<'c, S, K> {
    /// A crawl that asks `source` and tells `keep`.
    pub fn new(
        source: &'c mut S,
        keep: &'c mut K,
        progress: &'c mut dyn FnMut(Progress),
    ) -> Crawl<'c, S, K> {
        let account = Account { complete: [true; 2], ..Account::default() };
        Crawl { source, keep, progress, account }
    }

    /// Reads one venue. What fails is noted, and the rest goes on.
    ///
    /// # Errors
    /// Only where what came cannot be kept.
    pub fn venue(&mut self, venue: Venue, scope: Scope) -> Result<(), K::Error> {
        match (venue, scope) {
            (Venue::Kalshi, Scope::Whole) => {
                self.listing(venue, "series", "/series", "", &Until::Last)?;
                let nested = "limit=200&with_nested_markets=true&status=";
                self.listing(venue, "events", "/events", &format!("{nested}open"), &Until::Last)?;
                let soon = format!("{nested}unopened");
                self.listing(venue, "unopened events", "/events", &soon, &Until::Last)
            }
            (Venue::Kalshi, Scope::Since(then)) => {
                let then = then - OVERLAP_S;
                let since = format!("min_updated_ts={then}");
                self.listing(venue, "changed series", "/series", &since, &Until::Last)?;
                let events = format!("limit=200&{since}");
                self.listing(venue, "changed events", "/events", &events, &Until::Last)?;
                let markets = format!("limit=1000&{since}&mve_filter=exclude");
                self.listing(venue, "changed markets", "/markets", &markets, &Until::Last)
            }
            (Venue::Polymarket, Scope::Whole) => {
                let all = "closed=false&limit=100";
                self.listing(venue, "events", "/events/keyset", all, &Until::Last)?;
                self.listing(venue, "markets", "/markets/keyset", all, &Until::Last)
            }
            (Venue::Polymarket, Scope::Since(then)) => {
                let order = "closed=false&limit=100&ascending=false&order=";
                let new = format!("{order}createdAt");
                self.listing(venue, "new events", "/events/keyset", &new, &Until::AllKnown)?;
                let changed = format!("{order}updatedAt");
                let until = Until::OlderThan(then - OVERLAP_S);
                self.listing(venue, "changed markets", "/markets/keyset", &changed, &until)
            }
        }
    }

    /// Reads what Gamma lists beside markets; whether all of it came. These listings have no
    /// cursor, and one of them no pages: each ends where a page shows nothing new.
    ///
    /// # Errors
    /// As [`Crawl::venue`].
    pub fn beside(&mut self) -> Result<bool, K::Error> {
        let mut is_whole = true;
        for (name, path) in [("tags", "/tags"), ("sports", "/sports"), ("teams", "/teams")] {
            let mut seen = HashSet::new();
            let mut offset = 0;
            for number in 1..=PAGES_MAX {
                let query = format!("limit={BESIDE_PAGE}&offset={offset}");
                let page = match self.ask(Venue::Polymarket, path, &query) {
                    Ok(page) => page,
                    Err(what) => {
                        is_whole = false;
                        let kept = "what was known of them is kept";
                        self.account
                            .note(format!("polymarket {name}, page {number}: {what}; {kept}"));
                        break;
                    }
                };
                let mut found = Contents::of(&page).found;
                found.retain(|one| seen.insert(one.id().to_owned()));
                if found.is_empty() {
                    break;
                }
                offset += BESIDE_PAGE;
                self.account.pages += 1;
                self.account.rows += found.len();
                self.account.changed += self.keep.keep(&found)?.changed;
                let rows = self.account.rows;
                let venue = Venue::Polymarket;
                (self.progress)(Progress { venue, listing: name, pages: number, rows });
            }
        }
        Ok(is_whole)
    }

    /// True where all that was asked for of a venue came so far.
    pub const fn is_complete(&self, venue: Venue) -> bool {
        self.account.complete[venue.index()]
    }

    /// What was done.
    pub fn end(self) -> Account {
        self.account
    }

    fn listing(
        &mut self,
        venue: Venue,
        name: &'static str,
        path: &str,
        query: &str,
        until: &Until,
    ) -> Result<(), K::Error> {
        let mut cursors = HashSet::new();
        let mut seen = HashSet::new();
        let mut cursor = String::new();
        for number in 1..=PAGES_MAX {
            let name_of = match venue {
                Venue::Kalshi => "cursor",
                Venue::Polymarket => "after_cursor",
            };
            let query = match cursor.is_empty() {
                true => query.to_owned(),
                false => format!("{query}&{name_of}={}", encoded(&cursor)),
            };
            let page = match self.ask(venue, path, &query) {
                Ok(page) => page,
                Err(what) => {
                    let kept = "what was known of the rest is kept";
                    self.lost(venue, format!("{venue} {name}, page {number}: {what}; {kept}"));
                    return Ok(());
                }
            };
            let Contents { mut found, wrong } = Contents::of(&page);
            for words in wrong {
                self.account.note(format!("{name}: {words}"));
            }
            let rows = found.len();
            let kind = core::mem::discriminant::<Found>;
            let fresh = found.iter().filter(|one| seen.insert((kind(one), one.id().to_owned())));
            let repeats = fresh.count() == 0 && rows > 0;
            self.account.pages += 1;
            self.account.rows += rows;
            if repeats {
                let words = format!("{venue} {name}, page {number}: it repeats what came before");
                self.lost(venue, words);
                return Ok(());
            }
            // Twice on one page: the later one counts.
            let mut ids = HashSet::new();
            found.reverse();
            found.retain(|one| ids.insert((kind(one), one.id().to_owned())));
            found.reverse();
            let kept = self.keep.keep(&found)?;
            self.account.changed += kept.changed;
            let rows = self.account.rows;
            (self.progress)(Progress { venue, listing: name, pages: number, rows });
            let Some(next) = next_cursor(&page) else { return Ok(()) };
            if ends(until, &found, kept) {
                return Ok(());
            }
            if !cursors.insert(next.to_owned()) {
                self.lost(venue, format!("{venue} {name}, page {number}: its cursor repeats"));
                return Ok(());
            }
            cursor = next.to_owned();
        }
        self.lost(venue, format!("{venue} {name}: more than {PAGES_MAX} pages"));
        Ok(())
    }

    fn lost(&mut self, venue: Venue, words: String) {
        self.account.complete[venue.index()] = false;
        self.account.note(words);
    }

    /// Asks until there is an answer or no hope.
    fn ask(&mut self, venue: Venue, path: &str, query: &str) -> Result<Value, String> {
        let mut tried = 1;
        loop {
            match self.source.get(venue, path, query) {
                Ok(page) => return Ok(page),
                Err(trouble) if trouble.again && tried < TRIES => {
                    self.source.rest(Duration::from_millis(250 << tried));
                    tried += 1;
                }
                Err(trouble) if tried > 1 => {
                    return Err(format!("{} (tried {tried} times)", trouble.what));
                }
                Err(trouble) => return Err(trouble.what),
            }
        }
    }
}

/// True where nothing of interest follows. A venue that ignores the order that it was asked for is
/// read to its end: an end is taken only from a page whose times fall.
fn ends(until: &Until, page: &[Found], kept: Kept) -> bool {
    match until {
        Until::Last => false,
        Until::AllKnown => {
            let events = page.iter().filter_map(|one| match one {
                Found::PolymarketEvent(event) => event.created,
                _ => None,
            });
            kept.new == 0 && fall(&events.collect::<Vec<i64>>())
        }
        Until::OlderThan(then) => {
            let markets = page.iter().filter(|one| matches!(one, Found::PolymarketMarket(_)));
            let times: Vec<i64> = markets.filter_map(Found::updated).collect();
            fall(&times) && times.last().is_some_and(|last| last < then)
        }
    }
}

/// True for times that fall, of which there are enough to show it.
fn fall(times: &[i64]) -> bool {
    times.len() > 1 && times.is_sorted_by(|a, b| a >= b)
}

/// A cursor as a query needs it.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
#[path = "crawl_tests.rs"]
mod tests;
