//! How long Polymarket holds marketable orders before it matches them. No page of its catalogue
//! tells that of every market, so the order book service is asked, market by market, of those alone
//! that may trade (polymarket.md section 4, "itode").

use super::store::{Store, StoreError};
use super::table::Entry;
use crate::rest::RestError;
use crate::rest::polymarket::ClobMarket;

/// What was asked longer ago than this is asked again; seconds.
const FRESH_S: i64 = 86_400;

/// Most markets that are asked in one look: the rest come in the next ones.
pub const ASKED_A_LOOK: usize = 100;

/// Where `itode` is on and no other delay is told (polymarket.md section 6, "Taker delay").
const ITODE_MS: u64 = 250;

/// Whoever knows the parameters of a market.
pub trait Parameters {
    /// Asks for those of a condition.
    ///
    /// # Errors
    /// [`RestError`]
    fn parameters(&mut self, condition: &str) -> Result<ClobMarket, RestError>;
}

/// How long a market holds marketable orders, in milliseconds.
pub fn delay_ms(market: &ClobMarket) -> u64 {
    let told = market.delay_s.unwrap_or(0).saturating_mul(1_000);
    told.max(if market.taker_delay { ITODE_MS } else { 0 })
}

/// What was found out of a market, and when; `None` where nothing was.
pub(super) fn known(store: &Store, condition: &str) -> Result<Option<(u64, i64)>, StoreError> {
    let said = store.remark(&key(condition))?;
    Ok(said.and_then(|text| {
        let (ms, at) = text.split_once(' ')?;
        Some((ms.parse().ok()?, at.parse().ok()?))
    }))
}

fn key(condition: &str) -> String {
    format!("delay {condition}")
}

/// What became of asking.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    /// Markets that did not answer: what was known of them stands.
    pub silent: usize,
    /// Markets that may trade and are still to be asked: the next looks do.
    pub left: usize,
}

/// Asks for the delays of those markets that may trade and were not asked for of late, and tells
/// them to the entries; `progress` hears how many were asked. What does not answer keeps what was
/// known of it.
///
/// # Errors
/// [`StoreError`]
pub fn ask(
    store: &Store,
    entries: &mut [Entry],
    venue: &mut impl Parameters,
    now: i64,
    progress: &mut dyn FnMut(usize),
) -> Result<Asked, StoreError> {
    let (mut asked, mut said_nothing, mut left) = (0, 0, 0);
    for entry in entries {
        let condition = entry.row.polymarket.as_str();
        let trades = entry.row.live && (entry.held || entry.verdict().trades_live());
        let fresh = known(store, condition)?.is_some_and(|(_, at)| now - at < FRESH_S);
        if !trades || fresh {
            continue;
        }
        if asked == ASKED_A_LOOK {
            left += 1;
            continue;
        }
        asked += 1;
        progress(asked);
        match venue.parameters(condition) {
            Ok(market) => {
                let said = format!("{} {now}", delay_ms(&market));
                store.set_remark(&key(condition), &said)?;
                entry.delay_ms = delay_ms(&market);
            }
            Err(_) => said_nothing += 1,
        }
    }
    Ok(Asked { silent: said_nothing, left })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::{E2, E4, E6};

    #[test]
    fn the_longest_delay_that_is_told_counts() {
        let market = |taker_delay, delay_s| ClobMarket {
            tokens: Vec::new(),
            min_size: E2::parse("5").unwrap(),
            tick: E4::parse("0.01").unwrap(),
            neg_risk: false,
            fee_rate: E6::parse("0").unwrap(),
            fee_exponent: 1,
            taker_delay,
            delay_s,
        };
        assert_eq!(delay_ms(&market(false, None)), 0);
        assert_eq!(delay_ms(&market(true, None)), 250);
        assert_eq!(delay_ms(&market(true, Some(3))), 3_000);
        assert_eq!(delay_ms(&market(false, Some(1))), 1_000);
        assert_eq!(delay_ms(&market(true, Some(u64::MAX))), u64::MAX);
    }

    #[test]
    fn what_was_found_out_is_kept_with_its_time() {
        let store = Store::in_memory(5).unwrap();
        assert_eq!(known(&store, "0x1").unwrap(), None);
        store.set_remark(&key("0x1"), "250 77").unwrap();
        store.set_remark(&key("0x2"), "nonsense").unwrap();
        assert_eq!(known(&store, "0x1").unwrap(), Some((250, 77)));
        assert_eq!(known(&store, "0x2").unwrap(), None);
    }
}
