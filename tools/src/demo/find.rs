//! Which pairs a demonstration trades: those that discovery finds in both catalogues, and that
//! somebody quotes.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::{DemoError, words};
use crate::catalogue::discovery::{Discovery, Freshness};
use crate::catalogue::table::Entry;
use crate::catalogue::venues::Venues;
use crate::config::Config;
use crate::discover;
use crate::pairs;

/// How long the venues may take to quote their first market.
const QUOTED: Duration = Duration::from_secs(3);
/// How long after a look that found no quotes the next one follows.
const AGAIN: Duration = Duration::from_millis(50);

/// Reads both catalogues, matches them, and writes the table of what can be traded. A resumed run
/// may hold some of a pair that nobody quotes at this moment, so it takes such pairs too where the
/// table that the venues left there names them. What was found may be looked at further.
///
/// # Errors
/// Where a venue does not answer, or nothing is found.
pub(super) fn find(config: &Config, table: &Path, resumed: bool) -> Result<Discovery, DemoError> {
    let began = Instant::now();
    let now = discover::now_s();
    let mut discovery = discover::open(config, now).map_err(words)?;
    let mut venues = Venues::new(config, 100).map_err(words)?;
    let fresh = Freshness { force: true, ttl_s: 0 };
    let earlier = match resumed {
        true => pairs::load(&[table]).map_err(words)?.pairs,
        false => Vec::new(),
    };
    let had = |entry: &Entry| earlier.iter().any(|pair| pair.id == entry.row.id);
    let mut found = Vec::new();
    let mut count = 0;
    while found.is_empty() {
        let account = discovery.refresh(&mut venues, fresh, now, &mut |_| {}).map_err(words)?;
        if let Some(account) = account.filter(|account| account.complete != [true; 2]) {
            return Err(DemoError::Words(account.notes.join("; ")));
        }
        discovery.rematch(now).map_err(words)?;
        found = discovery.entries(now).map_err(words)?;
        count = found.len();
        // An empty book has nothing to trade with.
        found
            .retain(|entry| entry.verdict().trades_live() && (entry.worth.is_some() || had(entry)));
        if found.is_empty() && began.elapsed() > QUOTED {
            let words = "discovery found no pair that both venues quote and whose rules agree";
            return Err(DemoError::Words(words.to_owned()));
        }
        if found.is_empty() {
            thread::sleep(AGAIN);
        }
    }
    found.sort_by(|a: &Entry, b: &Entry| a.row.id.cmp(&b.row.id));
    let [kalshi, polymarket] = discovery.store.counts().map_err(words)?;
    eprintln!(
        "discovery: {count} pairs in {kalshi} x {polymarket} listings, {} of them quoted and tradable \
         ({} ms)",
        found.len(),
        began.elapsed().as_millis()
    );
    discover::write_table(table, &found).map_err(words)?;
    Ok(discovery)
}
