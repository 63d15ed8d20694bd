//! Arbitrary text as a pair table: an error that names its place, or a table that keeps its word.
#![no_main]

use std::collections::HashSet;

use engine::top::MARKETS_MAX;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let pairs = match parallax::pairs::parse(text, "fuzz.pairs.toml") {
        Ok(file) => file.pairs,
        Err(error) => {
            let lines = text.matches('\n').count() + 1;
            assert!(error.place.line.is_none_or(|line| (1..=lines).contains(&line)), "{error}");
            return;
        }
    };
    assert!(pairs.len() <= MARKETS_MAX);
    let ids: HashSet<&str> = pairs.iter().map(|pair| pair.id.as_str()).collect();
    assert_eq!(ids.len(), pairs.len());
    for pair in &pairs {
        let market = &pair.polymarket;
        assert_ne!(market.yes, market.no);
        assert!(exec::token::TokenId::parse(&market.yes).is_some(), "{}", market.yes);
        assert!(exec::token::TokenId::parse(&market.no).is_some(), "{}", market.no);
        assert_eq!(market.condition_id.len(), 66);
        assert!(market.grid.step_of(market.tick).is_some());
        assert!(market.fee_rate_e6 < 1_000_000 && (1..=2).contains(&market.fee_exponent));
    }
});
