//! What an order needs to know of its market beyond what the core decides on.

use core::fmt;

use engine::event::Control;
use engine::grid::Grid;
use engine::pair::Outcome;
use engine::top::MarketId;
use engine::units::{Px, Venue};

use crate::sign::position::{Exchange, MarketVersion, WrongExchange};
use crate::token::TokenId;

/// Of a market on Kalshi.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KalshiTerms {
    /// Its ticker: printable ASCII that needs no escape.
    pub ticker: String,
    /// Its shard.
    pub exchange_index: u32,
    /// Its prices, of YES.
    pub grid: Grid,
}

/// Of a market on Polymarket. Made by [`PolymarketTerms::new`], which refuses what would be
/// signed for the wrong contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PolymarketTerms {
    tokens: [TokenId; 2],
    exchange: Exchange,
    tick: Px,
}

impl PolymarketTerms {
    /// The terms of a market whose ids are `tokens`, of YES and NO. Catalogue and ids must agree
    /// on the exchange.
    pub fn new(
        tokens: [TokenId; 2],
        version: MarketVersion,
        neg_risk: bool,
        tick: Px,
    ) -> Result<PolymarketTerms, WrongExchange> {
        let exchange = Exchange::of(version, neg_risk, tokens[0])?;
        Exchange::of(version, neg_risk, tokens[1])?;
        Ok(PolymarketTerms { tokens, exchange, tick })
    }

    /// The id of an outcome.
    #[inline]
    pub const fn token(&self, outcome: Outcome) -> TokenId {
        self.tokens[outcome as usize]
    }

    /// Who settles its orders.
    #[inline]
    pub const fn exchange(&self) -> Exchange {
        self.exchange
    }

    /// The step of its prices.
    #[inline]
    pub const fn tick(&self) -> Px {
        self.tick
    }

    /// The venue changed the step.
    pub const fn set_tick(&mut self, tick: Px) {
        self.tick = tick;
    }
}

/// Terms by market of one venue, laid out at start.
#[derive(Clone)]
pub struct TermsTable<T> {
    venue: Venue,
    rows: Vec<Option<T>>,
}

/// A market of another venue was put into a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrongVenue(pub MarketId);

impl<T> TermsTable<T> {
    /// No market yet.
    pub const fn new(venue: Venue) -> TermsTable<T> {
        TermsTable { venue, rows: Vec::new() }
    }

    /// Adds or replaces a market.
    pub fn set(&mut self, market: MarketId, terms: T) -> Result<(), WrongVenue> {
        if market.venue() != self.venue {
            return Err(WrongVenue(market));
        }
        if market.index() >= self.rows.len() {
            self.rows.resize_with(market.index() + 1, || None);
        }
        self.rows[market.index()] = Some(terms);
        Ok(())
    }

    /// Takes a market out.
    pub fn clear(&mut self, market: MarketId) {
        if market.venue() == self.venue
            && let Some(row) = self.rows.get_mut(market.index())
        {
            *row = None;
        }
    }

    /// Makes room for that many more markets, so that setting them takes no memory.
    pub fn reserve(&mut self, markets: usize) {
        self.rows.resize_with(self.rows.len() + markets, || None);
    }

    /// Adds a market where nothing is known of it; what is known is in force, and stays.
    pub fn set_first(&mut self, market: MarketId, terms: T) {
        if self.get(market).is_none() {
            // A market of the other venue has no place here.
            let _ = self.set(market, terms);
        }
    }

    /// The terms of all markets in the order of their numbers.
    pub fn rows(&self) -> impl Iterator<Item = Option<&T>> {
        self.rows.iter().map(Option::as_ref)
    }

    /// The terms of a market.
    #[inline]
    pub fn get(&self, market: MarketId) -> Option<&T> {
        if market.venue() != self.venue {
            return None;
        }
        self.rows.get(market.index())?.as_ref()
    }

    /// The terms of all markets.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().flatten()
    }

    /// The terms of a market, to change.
    pub fn get_mut(&mut self, market: MarketId) -> Option<&mut T> {
        if market.venue() != self.venue {
            return None;
        }
        self.rows.get_mut(market.index())?.as_mut()
    }
}

impl TermsTable<PolymarketTerms> {
    /// Takes in a rule that changed: another tick, if it is one of these markets.
    pub fn rule(&mut self, rule: &Control) {
        if let Control::Grid { market, grid } = rule
            && let Some(terms) = self.get_mut(*market)
        {
            terms.set_tick(grid.coarsest());
        }
    }
}

impl fmt::Display for WrongVenue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "market {} of {} is of the other venue", self.0.index(), self.0.venue())
    }
}

impl core::error::Error for WrongVenue {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_answers_for_its_own_venue_and_a_market_for_both_its_ids() {
        let market = |venue, index| MarketId::new(venue, index).unwrap();
        let mut table = TermsTable::new(Venue::Polymarket);
        let (ours, theirs) = (market(Venue::Polymarket, 3), market(Venue::Kalshi, 3));
        assert_eq!(table.set(ours, 7), Ok(()));
        assert_eq!(table.set(theirs, 8), Err(WrongVenue(theirs)));
        assert_eq!((table.get(ours), table.get(theirs)), (Some(&7), None));
        assert_eq!(table.get(market(Venue::Polymarket, 2)), None);
        assert_eq!(table.get(market(Venue::Polymarket, 4)), None);

        let id = |text| TokenId::parse(text).unwrap();
        let token =
            id("43393808330987478239817922562313374653940164041067500389519301341071746577812");
        let position =
            id("863709537467894982018350065199546296137308605343988394974484454766253451520");
        let new = |tokens, version| {
            PolymarketTerms::new(tokens, version, false, Px::lit(100)).map(|t| t.exchange())
        };
        assert_eq!(new([token; 2], MarketVersion::V1), Ok(Exchange::V2));
        let mixed = new([token, position], MarketVersion::V1);
        assert_eq!(mixed, Err(WrongExchange::PositionInV1));
        let mixed = new([position, token], MarketVersion::V2);
        assert_eq!(mixed, Err(WrongExchange::TokenInV2));
    }
}
