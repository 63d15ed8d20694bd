//! The top of a market as the ticker channel shows it.

use engine::units::{Px, Qty};
use serde_json::json;

use super::subscription::Subscription;
use crate::kalshi::exchange::Exchange;
use crate::kalshi::text::{ms, rfc3339, secs, size};
use crate::venue::Side;

/// What a ticker frame says of a market.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct TickerState {
    pub(super) tops: [(Px, u64); 2],
    pub(super) last: Option<(Px, Qty)>,
    pub(super) volume_e2: u64,
    pub(super) open_e2: u64,
}

impl TickerState {
    pub(super) fn of(exchange: &Exchange, market: usize) -> TickerState {
        let market = &exchange.markets[market];
        TickerState {
            tops: [market.top(Side::Bid), market.top(Side::Ask)],
            last: market.last,
            volume_e2: market.volume_e2,
            open_e2: market.open_e2,
        }
    }

    pub(super) fn frame(
        &self,
        exchange: &Exchange,
        market: usize,
        subscription: &mut Subscription,
    ) -> String {
        let market = &exchange.markets[market];
        let [(bid, bid_size), (ask, ask_size)] = self.tops;
        let (last, last_size) = self.last.unwrap_or_default();
        let msg = json!({
            "market_id": market.id,
            "market_ticker": market.spec.ticker,
            "price_dollars": last.to_string(),
            "yes_bid_dollars": bid.to_string(),
            "yes_ask_dollars": ask.to_string(),
            "volume_fp": size(self.volume_e2),
            "open_interest_fp": size(self.open_e2),
            "dollar_volume": market.volume_usd_e6 / 1_000_000,
            "dollar_open_interest": self.open_e2 / 100,
            "yes_bid_size_fp": size(bid_size),
            "yes_ask_size_fp": size(ask_size),
            "last_trade_size_fp": last_size.to_string(),
            "ts": secs(exchange.now),
            "ts_ms": ms(exchange.now),
            "time": rfc3339(exchange.now),
        });
        let (at, count) = (ms(exchange.now), subscription.count());
        format!("{{\"type\":\"ticker\",\"sending_ts_ms\":{at}{count},\"msg\":{msg}}}")
    }
}
