//! What Polymarket's exchanges may take from the wallet. Without its allowance every order is refused
//! there, while the other venue fills its leg.

use std::collections::{BTreeMap, BTreeSet};

use engine::units::Usd;
use exec::sign::address::Address;
use exec::sign::polymarket::Chain;

use super::gates::polymarket_terms;
use crate::config::Config;
use crate::pairs::PairFile;
use crate::rest::polymarket::PolymarketRest;
use crate::rest::{Carrier, RestError, patiently};

/// Why orders of these pairs would be refused for want of an allowance; empty where none would.
///
/// # Errors
/// [`RestError`] of the question, which needs credentials.
pub fn objections<A: Carrier>(
    config: &Config,
    file: &PairFile,
    polymarket: &mut PolymarketRest<A>,
) -> Result<Vec<String>, RestError> {
    // Pairs whose terms are wrong are refused elsewhere, with their reason.
    let terms = file.pairs.iter().filter_map(|pair| polymarket_terms(pair).ok());
    let used: BTreeSet<Address> =
        terms.map(|terms| Chain::Polygon.contract(terms.exchange())).collect();
    if used.is_empty() {
        return Ok(Vec::new());
    }
    let least = config.limits.unsettled_notional_max.unwrap_or(Usd::new(1));
    Ok(short(&used, &patiently(|| polymarket.allowances())?, least))
}

/// A sentence for each exchange that may take less than a run may have out.
fn short(used: &BTreeSet<Address>, allowed: &BTreeMap<Address, Usd>, least: Usd) -> Vec<String> {
    let may = used.iter().map(|it| (it, allowed.get(it).copied().unwrap_or(Usd::ZERO)));
    let short = may.filter(|(_, may)| *may < least);
    let words = short.map(|(exchange, may)| {
        format!(
            "Polymarket's exchange {exchange} may take ${may} of the wallet's pUSD, and \
             limits.unsettled_notional_max is ${least}: approve that much for the wallet, then call \
             /balance-allowance/update, because the venue remembers the old figure"
        )
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::polymarket::allowances_of;
    use exec::sign::position::Exchange;

    /// The form of the venue's answer (polymarket.md section 7): everything, a dollar, nothing.
    const ANSWER: &str = r#"{
        "0xe111180000d2663C0091e4f400237545B87B996B":
            "115792089237316195423570985008687907853269984665640564039457584007913129639935",
        "0xe2222d279d744050d28e00520010520000310F59": "1000000",
        "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa": "0",
        "0xsomebody": "7"
    }"#;

    #[test]
    fn an_exchange_that_may_not_take_what_a_run_may_spend_is_named() {
        let allowed = allowances_of(&serde_json::from_str(ANSWER).unwrap()).unwrap();
        let used = |all: &[Exchange]| all.iter().map(|it| Chain::Polygon.contract(*it)).collect();
        let short = |all: &[Exchange], least| super::short(&used(all), &allowed, Usd::new(least));
        assert!(short(&[Exchange::V2], i64::MAX).is_empty(), "it may take everything");
        assert!(short(&[Exchange::V2NegRisk], 1_000_000).is_empty());
        let few = short(&[Exchange::V2, Exchange::V2NegRisk], 1_000_001);
        assert_eq!(few.len(), 1);
        assert!(few[0].contains("0xe2222d279d744050d28e00520010520000310F59"), "{few:?}");
        assert!(few[0].contains("$1.0"), "{few:?}");
        assert_eq!(short(&[Exchange::V3], 1).len(), 1);
        let nobody = super::short(&used(&[Exchange::V2]), &BTreeMap::new(), Usd::new(1));
        assert_eq!(nobody.len(), 1, "what the venue does not name is not allowed");
        let wrong = serde_json::from_str(r#"{"0xe111180000d2663C0091e4f400237545B87B996B": "x"}"#);
        assert_eq!(allowances_of(&wrong.unwrap()), None);
        assert_eq!(allowances_of(&serde_json::Value::Null), None, "nobody knows");
    }
}
