//! A pair file beside what is known now: what came, what went, and what changed its terms.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::catalogue::table::{self, Entry};
use crate::discover::DiscoverError;
use crate::pairs::{self, PairSpec};

/// One line for each difference.
///
/// # Errors
/// What is wrong with the file.
pub fn with_file(path: &Path, entries: &[Entry]) -> Result<String, DiscoverError> {
    let words = |error: pairs::PairError| DiscoverError::Words(error.to_string());
    let file = pairs::load(&[path]).map_err(words)?;
    let (text, _) = table::toml(entries, "");
    let known = pairs::parse(&text, "what is known").map_err(words)?;
    Ok(between(&file.pairs, &known.pairs))
}

fn between(file: &[PairSpec], known: &[PairSpec]) -> String {
    type Key<'p> = (&'p str, &'p str);
    fn key(pair: &PairSpec) -> Key<'_> {
        (&pair.kalshi.ticker, &pair.polymarket.condition_id)
    }
    let mut before: BTreeMap<Key<'_>, &PairSpec> = file.iter().map(|p| (key(p), p)).collect();
    let mut text = String::new();
    for pair in known {
        let Some(old) = before.remove(&key(pair)) else {
            let _ = writeln!(text, "+ {}: {:?}, not in the file", pair.id, pair.verdict);
            continue;
        };
        for (field, was, is) in changes(old, pair) {
            let _ = writeln!(text, "~ {}: {field}: {was} -> {is}", old.id);
        }
    }
    for pair in before.values() {
        let _ = writeln!(text, "- {}: not known as a pair now", pair.id);
    }
    if text.is_empty() {
        text.push_str("no difference\n");
    }
    text
}

/// Fields that differ, with both values.
fn changes(old: &PairSpec, new: &PairSpec) -> Vec<(&'static str, String, String)> {
    let mut list = Vec::new();
    let mut compare = |field, was: String, is: String| {
        if was != is {
            list.push((field, was, is));
        }
    };
    compare("polarity", format!("{:?}", old.polarity), format!("{:?}", new.polarity));
    compare("verdict", format!("{:?}", old.verdict), format!("{:?}", new.verdict));
    let (a, b) = (&old.kalshi, &new.kalshi);
    compare("kalshi.grid", format!("{:?}", a.grid), format!("{:?}", b.grid));
    compare("kalshi.fee_type", format!("{:?}", a.fee_type), format!("{:?}", b.fee_type));
    let fee = |e6: u32| format!("{e6}e-6");
    compare("kalshi.fee_multiplier", fee(a.fee_multiplier_e6), fee(b.fee_multiplier_e6));
    compare("kalshi.exchange_index", a.exchange_index.to_string(), b.exchange_index.to_string());
    compare("kalshi.close_time", format!("{:?}", a.close_time), format!("{:?}", b.close_time));
    let (a, b) = (&old.polymarket, &new.polymarket);
    compare("polymarket.yes", a.yes.clone(), b.yes.clone());
    compare("polymarket.no", a.no.clone(), b.no.clone());
    compare("polymarket.tick", a.tick.to_string(), b.tick.to_string());
    compare("polymarket.min_size", a.min_size_text.clone(), b.min_size_text.clone());
    compare("polymarket.fee_rate", fee(a.fee_rate_e6), fee(b.fee_rate_e6));
    compare("polymarket.neg_risk", a.neg_risk.to_string(), b.neg_risk.to_string());
    compare("polymarket.version", format!("{:?}", a.version), format!("{:?}", b.version));
    let delay = |pair: &PairSpec| pair.polymarket.taker_delay_ms.to_string();
    compare("polymarket.taker_delay_ms", delay(old), delay(new));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_what_went_and_what_changed() {
        let now = engine::units::Ns(1_795_284_000_000_000_000);
        let text = sim::cast::pairs_toml(&sim::cast::markets(3, 3, now));
        let file = pairs::parse(&text, "a").unwrap().pairs;
        assert_eq!(between(&file, &file), "no difference\n");
        let mut known = file.clone();
        known[0].polymarket.fee_rate_e6 = 7;
        known[0].kalshi.exchange_index = 9;
        let gone = known.remove(1);
        let mut new = known[1].clone();
        new.kalshi.ticker.push('X');
        known.push(new);
        let lines = between(&file, &known);
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines[0].contains("kalshi.exchange_index: 0 -> 9"), "{lines:?}");
        assert!(lines[1].contains("fee_rate: 40000e-6 -> 7e-6"), "{lines:?}");
        assert!(
            lines[2].starts_with('+')
                && lines[3] == format!("- {}: not known as a pair now", gone.id)
        );
    }
}
