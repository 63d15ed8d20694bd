//! Pairs that a run finds by itself: at its start, and while it lasts. Read the modules in this
//! order.

mod standing; // whether a pair may be traded, by store and files
mod roster; // the run's pairs, shared by whoever may stop them
mod decisions; // what people decide, heard at once
mod watcher; // looks at the catalogues, and has pairs join and leave

use std::collections::HashSet;
use std::path::PathBuf;

use engine::core::Core;
use engine::pair::{Outcome, Pair};
use engine::units::Venue;
use exec::journal::fold::State;

use crate::catalogue::discovery::Discovery;
use crate::catalogue::store::{PairRow, Store, StoreError};
use crate::catalogue::table::Entry;
use crate::catalogue::venues::Venues;
use crate::config::Config;
use crate::discover::{self, DiscoverError};
use crate::journal::start;
use crate::pairs::{self, PairFile, PairSpec};

pub use watcher::{Beside, Watcher};

/// True where a run looks for changes while it lasts.
pub const fn is_watched(config: &Config) -> bool {
    config.discovery.enabled && config.discovery.every_s != 0
}

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
    discover::ask_delays(&discovery, &mut discovery.entries(now)?, &mut venues, now)?;
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

/// Leaves out what discovery put beside the user's files though it may not be traded: something of
/// it is held. Its books are kept, nothing is decided on it, and nobody has to answer for it.
pub fn only_answered_for(config: &Config, file: &mut PairFile, own: &PairFile) {
    if !config.discovery.enabled && !config.discovery.force {
        return;
    }
    let is_own = |pair: &PairSpec| own.pairs.iter().any(|own| own.id == pair.id);
    file.pairs.retain(|pair| pair.verdict.trades_live() || is_own(pair));
}

/// True where the user's files have a pair of that name or of a market of it.
fn is_described(own: &PairFile, entry: &Entry) -> bool {
    own.pairs.iter().any(|pair| {
        pair.id == entry.row.id
            || pair.kalshi.ticker == entry.row.kalshi
            || pair.polymarket.condition_id == entry.row.polymarket
    })
}

/// Asks the venues for the texts of a file's pairs again, so that [`objections`] are about what
/// stands there now, and says of which pairs they could not be had. A pair that the store does not
/// know is its file's business.
///
/// # Errors
/// [`DiscoverError`]
pub fn read_again(config: &Config, file: &PairFile) -> Result<Vec<String>, DiscoverError> {
    if !config.discovery.store.exists() {
        return Ok(Vec::new());
    }
    let now = discover::now_s();
    let mut discovery = discover::open(config, now)?;
    let mut known = Vec::new();
    for pair in file.pairs.iter().filter(|pair| pair.verdict.trades_live()) {
        let rows = discovery.store.pairs_of(&pair.kalshi.ticker)?;
        known.extend(rows.into_iter().find(|row| row.polymarket == pair.polymarket.condition_id));
    }
    let silent = discovery.ask_again(&mut Venues::new(config, 100)?, &known, now)?;
    discover::told(None, &discovery.rematch(now)?);
    let again = "the rules of its pairs could not be read again";
    Ok(silent.into_iter().map(|words| format!("{words}: {again}")).collect())
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
        if let Some(why) = standing::objection(&store, row, Some(pair.verdict))? {
            reasons.push(format!(
                "pair \"{}\": {why}; read it with `parallax pairs show {}`",
                pair.id, row.id
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

#[cfg(test)]
mod tests {
    use super::*;
    use engine::top::MarketId;
    use exec::journal::Record;
    use exec::journal::record::name;

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
