//! What may not be true of two pairs at once, across all files.

use std::collections::HashMap;

use engine::top::MARKETS_MAX;

use super::{PairError, PairErrorKind, Place, Placed, PolymarketSpec};

/// Refuses the first pair that contradicts one before it.
pub(super) fn check(pairs: &[Placed<'_>]) -> Result<(), PairError> {
    if let Some(beyond) = pairs.get(MARKETS_MAX) {
        return Err(beyond.error("id", PairErrorKind::TooManyPairs(pairs.len())));
    }
    let mut ids = HashMap::new();
    let mut pairings = HashMap::new();
    let mut tickers = HashMap::new();
    let mut conditions = HashMap::new();
    let mut tokens = HashMap::new();
    for pair in pairs {
        let (kalshi, polymarket) = (&pair.spec.kalshi, &pair.spec.polymarket);
        let condition = polymarket.condition_id.as_str();

        let first = *ids.entry(pair.spec.id.as_str()).or_insert(pair);
        if !core::ptr::eq(first, pair) {
            return Err(pair.error("id", PairErrorKind::DuplicateId { first: first.place() }));
        }
        let first = *pairings.entry((kalshi.ticker.as_str(), condition)).or_insert(pair);
        if !core::ptr::eq(first, pair) {
            let (id, first) = (first.spec.id.clone(), first.place());
            return Err(pair.error("kalshi", PairErrorKind::DuplicatePairing { id, first }));
        }
        for (field, token) in
            [("polymarket.yes", &polymarket.yes), ("polymarket.no", &polymarket.no)]
        {
            let first = *tokens.entry(token.as_str()).or_insert(pair);
            if first.spec.polymarket.condition_id != condition {
                let (id, first) = (first.spec.id.clone(), first.place());
                return Err(pair.error(field, PairErrorKind::TokenOfTwoConditions { id, first }));
            }
        }
        // One market has one book, and so one grid, one fee and one minimum.
        let first = *tickers.entry(kalshi.ticker.as_str()).or_insert(pair);
        if first.spec.kalshi != *kalshi {
            let (id, first) = (first.spec.id.clone(), first.place());
            return Err(pair.error("kalshi", PairErrorKind::Contradiction { id, first }));
        }
        let first = *conditions.entry(condition).or_insert(pair);
        if !same_market(&first.spec.polymarket, polymarket) {
            let (id, first) = (first.spec.id.clone(), first.place());
            return Err(pair.error("polymarket", PairErrorKind::Contradiction { id, first }));
        }
    }
    Ok(())
}

/// True where two descriptions of one condition agree, whichever outcome each calls YES.
fn same_market(a: &PolymarketSpec, b: &PolymarketSpec) -> bool {
    let turned = PolymarketSpec { yes: b.no.clone(), no: b.yes.clone(), ..b.clone() };
    *a == *b || *a == turned
}

impl Placed<'_> {
    fn place(&self) -> String {
        format!("{} line {}", self.source.name, self.source.line(self.at))
    }

    fn error(&self, field: &str, kind: PairErrorKind) -> PairError {
        let place = Place {
            file: self.source.name.to_owned(),
            line: Some(self.source.line(self.at)),
            pair: Some(format!("\"{}\"", self.spec.id)),
            field: Some(field.to_owned()),
        };
        PairError { place: Box::new(place), kind }
    }
}
