//! Whether a pair may be traded: what the rules say, what people decided, and what a file of the
//! user's says. The one place where a start and a run ask, so that neither refuses what the other
//! lets trade.

use engine::pair::Verdict;
use engine::units::Venue;

use super::roster::Key;
use crate::catalogue::rules;
use crate::catalogue::store::{PairRow, Store, StoreError};

/// Why a pair may not be traded; `None` where it may. `own` is the verdict of a file of the user's
/// that has it.
pub(super) fn objection(
    store: &Store,
    row: &PairRow,
    own: Option<Verdict>,
) -> Result<Option<String>, StoreError> {
    let standing = store.standing(row)?;
    if standing.verdict.trades_live() {
        return Ok(None);
    }
    // What a person wrote into a file of theirs is their word on what nobody decided.
    let own_word = own == Some(Verdict::Approved) && standing.is_open();
    Ok((!own_word).then_some(standing.why))
}

/// Why a pair of a run may be traded no longer; `None` where it may. One that discovery never saw
/// is the business of the file that has it.
pub(super) fn ending(
    store: &Store,
    key: &Key,
    own: Option<Verdict>,
) -> Result<Option<String>, StoreError> {
    let rows = store.pairs_of(&key.0)?;
    let Some(row) = rows.into_iter().find(|row| row.polymarket == key.1) else { return Ok(None) };
    if row.live {
        return objection(store, &row, own);
    }
    let said = [
        store.open_rules(Venue::Kalshi, &row.kalshi)?,
        store.open_rules(Venue::Polymarket, &row.polymarket)?,
    ];
    let [Some(first), Some(second)] = said else {
        return Ok(Some("one of its markets is over".to_owned()));
    };
    // Both are open, and nobody finds them any more. A person's own word stands while the rules do
    // that were read.
    if own != Some(Verdict::Approved) {
        return Ok(Some("its markets are no longer found to be one contract".to_owned()));
    }
    let settled_by = store.kalshi(&row.kalshi)?.and_then(|known| known.settled_by());
    let rules = rules::with_settlement(&rules::hash(&[&first, &second]), settled_by.as_deref());
    if !rules::is_same(&rules, &row.rules) {
        return Ok(Some("a side's rules changed since they were last compared".to_owned()));
    }
    objection(store, &row, own)
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;
