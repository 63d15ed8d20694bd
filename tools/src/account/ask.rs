//! What an order by hand asks for, proved against its market.

use engine::grid::Grid;
use engine::pair::Outcome;
use engine::units::{Px, Qty, Usd};
use exec::action::Action;
use exec::kalshi::{KalshiIntent, Tif};
use exec::polymarket::{OrderType, PolymarketIntent};
use exec::sign::position::{Exchange, MarketVersion};
use exec::token::TokenId;

use super::AccountError;
use crate::pairs::{PairFile, PairSpec, Version};
use crate::rest::kalshi::Market;

/// How long an order by hand may live.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Life {
    /// What is there now; the rest is cancelled.
    Ioc,
    /// All of it now or nothing.
    Fok,
    /// Rests until it is cancelled.
    Gtc,
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ask {
    /// Bought or sold.
    pub action: Action,
    /// Which outcome.
    pub outcome: Outcome,
    /// How many contracts.
    pub qty: Qty,
    /// Worst price of that outcome.
    pub price: Px,
    /// How long it may live.
    pub life: Life,
}

/// The pair that a name means: its id, or a name that its market has on a venue.
pub fn named<'p>(pairs: &'p PairFile, name: &str) -> Option<&'p PairSpec> {
    pairs.pairs.iter().find(|pair| {
        [&pair.id, &pair.kalshi.ticker, &pair.polymarket.condition_id].contains(&&name.to_owned())
    })
}

impl Ask {
    /// Price times size: what a BUY costs at most, or a SELL brings at least.
    pub fn notional(&self) -> Usd {
        self.qty.at(self.price)
    }

    /// The order on Kalshi. A sale closes a position and never opens one, where the venue knows
    /// how: immediate or cancel.
    pub fn kalshi(&self, market: &Market, id: u128) -> Result<KalshiIntent, AccountError> {
        let mut bands = Vec::with_capacity(market.price_ranges.len());
        for band in &market.price_ranges {
            let of = |d: crate::rest::E4| u16::try_from(d.0).unwrap_or(u16::MAX);
            bands.push((of(band.start), of(band.end), of(band.step)));
        }
        let ticker = &market.ticker;
        let grid = Grid::banded(&bands)
            .map_err(|error| AccountError::Order(format!("{ticker}: its price grid: {error}")))?;
        if market.status != "active" {
            let status = &market.status;
            return Err(AccountError::Order(format!("{ticker} takes no orders: it is {status}")));
        }
        let tif = match self.life {
            Life::Ioc => Tif::Ioc,
            Life::Fok => Tif::Fok,
            Life::Gtc => Tif::Gtc,
        };
        let reduce_only = self.action == Action::Sell && tif == Tif::Ioc;
        KalshiIntent::new(
            self.action,
            self.outcome,
            self.price,
            self.qty,
            tif,
            reduce_only,
            market.exchange_index,
            id,
            &grid,
        )
        .map_err(|refused| AccountError::Order(format!("{ticker}: {refused}")))
    }

    /// The order on Polymarket, and the exchange that it is signed for.
    pub fn polymarket(
        &self,
        pair: &PairSpec,
    ) -> Result<(PolymarketIntent, Exchange), AccountError> {
        let market = &pair.polymarket;
        let refuse = |reason: String| AccountError::Order(format!("{}: {reason}", pair.id));
        let text = match self.outcome {
            Outcome::Yes => &market.yes,
            Outcome::No => &market.no,
        };
        let token =
            TokenId::parse(text).ok_or_else(|| refuse(format!("`{text}` is no token id")))?;
        let version = match market.version {
            Version::V1 => MarketVersion::V1,
            Version::V2 => MarketVersion::V2,
        };
        let exchange = Exchange::of(version, market.neg_risk, token)
            .map_err(|error| refuse(error.to_string()))?;
        if self.qty < market.min_size {
            return Err(refuse(format!("its smallest order is {}", market.min_size)));
        }
        let order_type = match self.life {
            Life::Ioc => OrderType::Fak,
            Life::Fok => OrderType::Fok,
            Life::Gtc => OrderType::Gtc,
        };
        PolymarketIntent::new(self.action, token, self.price, self.qty, order_type, market.tick)
            .map(|intent| (intent, exchange))
            .map_err(|refused| refuse(refused.to_string()))
    }
}
