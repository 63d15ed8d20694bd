//! What is known of both venues' catalogues, in one SQLite file.
//!
//! SQLite through `rusqlite`: discovery is synchronous, and only the control plane is not. Its
//! version shares the C library with `sqlx` 0.9, so that both can be in one program.

mod decisions; // what people decided
mod pairs; // what the matcher found

use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::units::Venue;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use decisions::{Action, Decision};
pub use pairs::word;
pub use pairs::{PairRow, Standing};

use super::beside::Beside;
use super::crawl::{Keep, Kept};
use super::page::Found;
use super::{kalshi, polymarket};

/// The schema that this program writes.
const SCHEMA: i64 = 1;

/// How long another process may hold the file.
const BUSY: Duration = Duration::from_secs(5);

/// What goes wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite says no.
    #[error("{}: {source}; if the file is damaged, move it away and discover again", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// Another version wrote it.
    #[error("{}: schema {found} is not {SCHEMA}, the one this program writes; move the file away and discover again", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// What it has.
        found: i64,
    },
    /// A row is not what was written.
    #[error("{}: the row of {id} is damaged: {reason}; discover again with --force", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// Whose row.
        id: String,
        /// Why.
        reason: String,
    },
}

/// A market of Kalshi with what stands above it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KalshiRow {
    /// The market.
    pub market: kalshi::Market,
    /// Its event, where it is known.
    pub event: Option<kalshi::Event>,
    /// Its series, where it is known.
    pub series: Option<kalshi::Series>,
}

impl KalshiRow {
    /// A digest of who its outcome is read from and of the contract that says how; `None` until
    /// its series is known.
    pub fn settled_by(&self) -> Option<String> {
        let series = self.series.as_ref()?;
        let own = self.event.as_ref().map(|event| &event.sources).filter(|own| !own.is_empty());
        let sources = own.unwrap_or(&series.sources);
        let named = sources.iter().flat_map(|(name, address)| [name.as_str(), address.as_str()]);
        let texts: Vec<&str> = series.contract.iter().map(String::as_str).chain(named).collect();
        Some(super::rules::hash(&texts))
    }
}

/// A market of Polymarket with its event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PolymarketRow {
    /// The market.
    pub market: polymarket::Market,
    /// Its event, where it is known.
    pub event: Option<polymarket::Event>,
}

/// The store.
pub struct Store {
    db: Connection,
    path: PathBuf,
    /// What rows are stamped with.
    now: i64,
}

impl Store {
    /// Opens the file, or makes it. `now` (Unix seconds) is what new rows are stamped with.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn open(path: &Path, now: i64) -> Result<Store, StoreError> {
        let fail = |source| StoreError::Sqlite { path: path.to_owned(), source };
        let db = Connection::open(path).map_err(fail)?;
        db.busy_timeout(BUSY).map_err(fail)?;
        // A crash may cost the last crawl, which is asked for again; decisions are synced below.
        db.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
        Store::begin(db, path, now)
    }

    /// A store that lasts as long as the process.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn in_memory(now: i64) -> Result<Store, StoreError> {
        let path = Path::new("(memory)");
        let fail = |source| StoreError::Sqlite { path: path.to_owned(), source };
        Store::begin(Connection::open_in_memory().map_err(fail)?, path, now)
    }

    fn begin(mut db: Connection, path: &Path, now: i64) -> Result<Store, StoreError> {
        let fail = |source| StoreError::Sqlite { path: path.to_owned(), source };
        // At once, so that two processes do not both make the tables.
        let begin = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate);
        let begin = begin.map_err(fail)?;
        let found: i64 =
            begin.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fail)?;
        match found {
            SCHEMA => {}
            0 => {
                begin.execute_batch(include_str!("store/schema.sql")).map_err(fail)?;
                begin.pragma_update(None, "user_version", SCHEMA).map_err(fail)?;
            }
            found => return Err(StoreError::Schema { path: path.to_owned(), found }),
        }
        begin.commit().map_err(fail)?;
        Ok(Store { db, path: path.to_owned(), now })
    }

    /// What rows are stamped with from now on; Unix seconds.
    pub const fn at(&mut self, now: i64) {
        self.now = now;
    }

    fn fail(&self) -> impl Fn(rusqlite::Error) -> StoreError + use<> {
        let path = self.path.clone();
        move |source| StoreError::Sqlite { path: path.clone(), source }
    }

    fn row<T: DeserializeOwned>(&self, id: &str, body: &str) -> Result<T, StoreError> {
        serde_json::from_str(body).map_err(|error| StoreError::Row {
            path: self.path.clone(),
            id: id.to_owned(),
            reason: error.to_string(),
        })
    }

    /// A remark of ours, such as the time of a crawl.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn remark(&self, key: &str) -> Result<Option<String>, StoreError> {
        let text = "SELECT value FROM meta WHERE key = ?1";
        self.db.query_row(text, [key], |row| row.get(0)).optional().map_err(self.fail())
    }

    /// Writes a remark.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn set_remark(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let text = "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)";
        self.db.execute(text, [key, value]).map_err(self.fail())?;
        Ok(())
    }

    /// All tags, sports and teams that are known, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn beside(&self) -> Result<Vec<Beside>, StoreError> {
        let text = "SELECT id, body FROM series WHERE venue = ?1 ORDER BY id";
        let mut read = self.db.prepare_cached(text).map_err(self.fail())?;
        let venue = Venue::Polymarket.index() as i64;
        let rows = read.query_map([venue], |row| Ok((row.get(0)?, row.get(1)?)));
        let rows: Result<Vec<(String, String)>, _> = rows.map_err(self.fail())?.collect();
        let rows = rows.map_err(self.fail())?;
        rows.iter().map(|(id, body)| self.row(id, body)).collect()
    }

    /// Marks as over whatever of a venue a whole crawl that began at `since` did not show. Rows
    /// stay: a pair that is held must be found in here.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn retire(&self, venue: Venue, since: i64) -> Result<usize, StoreError> {
        let text =
            "UPDATE market SET open = 0, dirty = 1 WHERE venue = ?1 AND open = 1 AND seen < ?2";
        self.db.execute(text, params![venue.index() as i64, since]).map_err(self.fail())
    }

    /// Markets that trade or will, of Kalshi and of Polymarket.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn counts(&self) -> Result<[u64; 2], StoreError> {
        let count = |venue: Venue| -> Result<u64, StoreError> {
            let text = "SELECT count(*) FROM market WHERE venue = ?1 AND open = 1";
            let count: i64 = self
                .db
                .query_row(text, [venue.index() as i64], |row| row.get(0))
                .map_err(self.fail())?;
            Ok(u64::try_from(count).unwrap_or(0))
        };
        Ok([count(Venue::Kalshi)?, count(Venue::Polymarket)?])
    }

    /// Ids of markets of a venue: those that are open, or those that were not matched as they are.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn ids(&self, venue: Venue, which: Which) -> Result<Vec<(String, bool)>, StoreError> {
        let text = match which {
            Which::Open => "SELECT id, open FROM market WHERE venue = ?1 AND open = 1 ORDER BY id",
            Which::Unmatched => {
                "SELECT id, open FROM market WHERE venue = ?1 AND dirty = 1 ORDER BY id"
            }
        };
        let fail = self.fail();
        let mut query = self.db.prepare_cached(text).map_err(&fail)?;
        let rows = query
            .query_map([venue.index() as i64], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? == 1)))
            .map_err(&fail)?;
        rows.collect::<Result<_, _>>().map_err(fail)
    }

    /// An open market by its ticker, condition or slug.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn market_named(&self, name: &str) -> Result<Option<(Venue, String)>, StoreError> {
        let text = "SELECT venue, id FROM market WHERE open = 1 AND (id = ?1 OR id = upper(?1) \
                    OR id = lower(?1) OR (venue = 1 AND body ->> 'slug' = ?1)) LIMIT 1";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get(1)?));
        let found = self.db.query_row(text, [name], read).optional().map_err(self.fail())?;
        Ok(found.map(|(venue, id)| (Venue::ALL[usize::from(venue == 1)], id)))
    }

    /// Notes that everything is matched as it is now.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn all_matched(&self) -> Result<(), StoreError> {
        self.db.execute("UPDATE market SET dirty = 0 WHERE dirty = 1", []).map_err(self.fail())?;
        Ok(())
    }

    fn body(&self, table: &str, venue: Venue, id: &str) -> Result<Option<String>, StoreError> {
        let fail = self.fail();
        let text = format!("SELECT body FROM {table} WHERE venue = ?1 AND id = ?2");
        let mut query = self.db.prepare_cached(&text).map_err(&fail)?;
        query
            .query_row(params![venue.index() as i64, id], |row| row.get(0))
            .optional()
            .map_err(fail)
    }

    fn quotes(&self, venue: Venue, id: &str) -> Result<[Option<String>; 2], StoreError> {
        let fail = self.fail();
        let text = "SELECT bid, ask FROM market WHERE venue = ?1 AND id = ?2";
        let mut query = self.db.prepare_cached(text).map_err(&fail)?;
        query
            .query_row(params![venue.index() as i64, id], |row| Ok([row.get(0)?, row.get(1)?]))
            .map_err(fail)
    }

    /// The digest of an open market's rules as they stand; `None` where it is over.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn open_rules(&self, venue: Venue, id: &str) -> Result<Option<String>, StoreError> {
        let fail = self.fail();
        let text = "SELECT rules FROM market WHERE venue = ?1 AND id = ?2 AND open = 1";
        let mut query = self.db.prepare_cached(text).map_err(&fail)?;
        let rules = query.query_row(params![venue.index() as i64, id], |row| row.get(0));
        rules.optional().map_err(fail)
    }

    /// A market of Kalshi by its ticker.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn kalshi(&self, ticker: &str) -> Result<Option<KalshiRow>, StoreError> {
        let venue = Venue::Kalshi;
        let Some(body) = self.body("market", venue, ticker)? else { return Ok(None) };
        let mut market: kalshi::Market = self.row(ticker, &body)?;
        [market.yes_bid, market.yes_ask] = self.quotes(venue, ticker)?;
        let event = self.body("event", venue, &market.event)?;
        let event: Option<kalshi::Event> =
            event.map(|body| self.row(&market.event, &body)).transpose()?;
        let series = match &event {
            Some(event) => self.body("series", venue, &event.series)?,
            None => None,
        };
        let series = series.map(|body| self.row(ticker, &body)).transpose()?;
        Ok(Some(KalshiRow { market, event, series }))
    }

    /// A market of Polymarket by its condition.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn polymarket(&self, condition: &str) -> Result<Option<PolymarketRow>, StoreError> {
        let venue = Venue::Polymarket;
        let Some(body) = self.body("market", venue, condition)? else { return Ok(None) };
        let mut market: polymarket::Market = self.row(condition, &body)?;
        [market.best_bid, market.best_ask] = self.quotes(venue, condition)?;
        let event = self.body("event", venue, &market.event)?;
        let event = event.map(|body| self.row(&market.event, &body)).transpose()?;
        Ok(Some(PolymarketRow { market, event }))
    }
}

/// Which markets are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// Those that trade or will.
    Open,
    /// Those that changed since they were matched.
    Unmatched,
}

impl Keep for Store {
    type Error = StoreError;

    fn keep(&mut self, page: &[Found]) -> Result<Kept, StoreError> {
        let fail = self.fail();
        let now = self.now;
        let writes = self.db.transaction().map_err(&fail)?;
        let mut kept = Kept::default();
        for found in page {
            let one = write(&writes, now, found).map_err(&fail)?;
            kept.changed += one.changed;
            kept.new += one.new;
        }
        writes.commit().map_err(fail)?;
        Ok(kept)
    }
}

/// Writes one row; what it means for others is noted with it.
fn write(db: &Transaction<'_>, now: i64, found: &Found) -> Result<Kept, rusqlite::Error> {
    let venue = found.venue().index() as i64;
    let id = found.id();
    match found {
        Found::KalshiSeries(series) => {
            let kept = put(db, "series", venue, id, None, &json(series)?)?;
            if kept.changed > 0 && kept.new == 0 {
                let text = "UPDATE market SET dirty = 1 WHERE venue = ?1 AND open = 1 AND event IN \
                            (SELECT id FROM event WHERE venue = ?1 AND series = ?2)";
                db.prepare_cached(text)?.execute(params![venue, id])?;
            }
            Ok(Kept { new: 0, ..kept })
        }
        Found::KalshiEvent(event) => put_event(db, venue, id, &event.series, &json(event)?),
        Found::PolymarketEvent(event) => {
            let body = polymarket::Event { updated: None, ..event.clone() };
            put_event(db, venue, id, &event.series, &json(&body)?)
        }
        Found::PolymarketGlimpse(event) => {
            let text = "SELECT 1 FROM event WHERE venue = ?1 AND id = ?2";
            if db.prepare_cached(text)?.exists(params![venue, id])? {
                return Ok(Kept::default());
            }
            let body = polymarket::Event { updated: None, ..event.clone() };
            put_event(db, venue, id, &event.series, &json(&body)?)
        }
        Found::KalshiMarket(market) => {
            let plain = kalshi::Market {
                yes_bid: None,
                yes_ask: None,
                updated: None,
                ..(**market).clone()
            };
            let row = MarketRow {
                event: &market.event,
                open: market.is_open() && !market.is_combo,
                rules: market.rules_hash(),
                body: json(&plain)?,
                quotes: [&market.yes_bid, &market.yes_ask],
            };
            put_market(db, now, venue, id, &row)
        }
        Found::PolymarketMarket(market) => {
            let mut plain = polymarket::Market {
                best_bid: None,
                best_ask: None,
                updated: None,
                ..(**market).clone()
            };
            if plain.event.is_empty() {
                // Not every page says whose market it is; one that did is believed.
                let text = "SELECT event FROM market WHERE venue = ?1 AND id = ?2";
                let known: Option<String> = db
                    .prepare_cached(text)?
                    .query_row(params![venue, id], |row| row.get(0))
                    .optional()?;
                plain.event = known.unwrap_or_default();
            }
            let row = MarketRow {
                event: &plain.event,
                open: market.is_open(),
                rules: market.rules_hash(),
                body: json(&plain)?,
                quotes: [&market.best_bid, &market.best_ask],
            };
            put_market(db, now, venue, id, &row)
        }
        Found::PolymarketBeside(_, one) => {
            // What follows for markets is found when names are read the next time.
            let kept = put(db, "series", venue, id, None, &json(one)?)?;
            Ok(Kept { new: 0, ..kept })
        }
    }
}

fn put_event(
    db: &Transaction<'_>,
    venue: i64,
    id: &str,
    series: &str,
    body: &str,
) -> Result<Kept, rusqlite::Error> {
    let kept = put(db, "event", venue, id, Some(series), body)?;
    if kept.changed > 0 && kept.new == 0 {
        let text = "UPDATE market SET dirty = 1 WHERE venue = ?1 AND event = ?2 AND open = 1";
        db.prepare_cached(text)?.execute(params![venue, id])?;
    }
    Ok(kept)
}

/// Writes a series or an event.
fn put(
    db: &Transaction<'_>,
    table: &str,
    venue: i64,
    id: &str,
    series: Option<&str>,
    body: &str,
) -> Result<Kept, rusqlite::Error> {
    let text = format!("SELECT body FROM {table} WHERE venue = ?1 AND id = ?2");
    let before: Option<String> =
        db.prepare_cached(&text)?.query_row(params![venue, id], |row| row.get(0)).optional()?;
    if before.as_deref() == Some(body) {
        return Ok(Kept::default());
    }
    match series {
        None => db
            .prepare_cached("INSERT OR REPLACE INTO series (venue, id, body) VALUES (?1, ?2, ?3)")?
            .execute(params![venue, id, body])?,
        Some(series) => db
            .prepare_cached(
                "INSERT OR REPLACE INTO event (venue, id, series, body) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![venue, id, series, body])?,
    };
    Ok(Kept { changed: 1, new: usize::from(before.is_none()) })
}

struct MarketRow<'m> {
    event: &'m str,
    open: bool,
    rules: String,
    body: String,
    quotes: [&'m Option<String>; 2],
}

fn put_market(
    db: &Transaction<'_>,
    now: i64,
    venue: i64,
    id: &str,
    row: &MarketRow<'_>,
) -> Result<Kept, rusqlite::Error> {
    let MarketRow { event, open, rules, body, quotes: [bid, ask] } = row;
    let text = "SELECT body = ?3 AND open = ?4 FROM market WHERE venue = ?1 AND id = ?2";
    let same: Option<bool> = db
        .prepare_cached(text)?
        .query_row(params![venue, id, body, open], |row| row.get(0))
        .optional()?;
    match same {
        // What is over, and was never open here, is nobody's concern.
        None if !open => return Ok(Kept::default()),
        Some(true) => {
            let text =
                "UPDATE market SET bid = ?3, ask = ?4, seen = ?5 WHERE venue = ?1 AND id = ?2";
            db.prepare_cached(text)?.execute(params![venue, id, bid, ask, now])?;
            return Ok(Kept::default());
        }
        Some(false) => {
            let text = "UPDATE market SET event = ?3, open = ?4, rules = ?5, body = ?6, bid = ?7, \
                        ask = ?8, seen = ?9, dirty = 1 WHERE venue = ?1 AND id = ?2";
            db.prepare_cached(text)?
                .execute(params![venue, id, event, open, rules, body, bid, ask, now])?;
        }
        None => {
            let text = "INSERT INTO market (venue, id, event, open, rules, body, bid, ask, \
                        first_seen, seen, dirty) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, 1)";
            db.prepare_cached(text)?
                .execute(params![venue, id, event, open, rules, body, bid, ask, now])?;
        }
    }
    Ok(Kept { changed: 1, new: usize::from(same.is_none()) })
}

fn json(value: &impl Serialize) -> Result<String, rusqlite::Error> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

#[cfg(test)]
pub(crate) fn example() -> PairRow {
    tests::pair("rules", engine::pair::Verdict::Tradable)
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
