//! A market: its book, its state, and how the catalogue shows it.

use engine::grid::Grid;
use engine::pair::Outcome;
use engine::payoff::Settlement;
use engine::units::{Ns, Px, Qty};
use serde_json::{Value, json};

use super::text::{from_secs, rfc3339, rfc3339_secs, secs, size, uuid};
use crate::matching::Book;
use crate::universe::KalshiMarket;
use crate::venue::Side;

/// What may be done in a market.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// It trades.
    Active,
    /// Paused: cancels only.
    Inactive,
    /// Beyond its close: nothing.
    Closed,
    /// Paid out.
    Finalized(Settlement),
}

/// A market of the venue.
pub struct Market {
    /// As the universe has it.
    pub spec: KalshiMarket,
    /// `market_id`.
    pub id: String,
    /// Prices that it knows; none where the universe's bands are no grid.
    pub grid: Option<Grid>,
    /// Who rests.
    pub book: Book,
    /// What may be done.
    pub phase: Phase,
    /// It is in the catalogue; before, nobody can name it.
    pub is_listed: bool,
    /// Open contracts; 1e-2.
    pub open_e2: u64,
    /// Contracts traded; 1e-2.
    pub volume_e2: u64,
    /// Dollars traded; micro-dollars.
    pub volume_usd_e6: u64,
    /// The last trade's price and size.
    pub last: Option<(Px, Qty)>,
    /// What the catalogue says it opened at.
    pub opened: Ns,
    /// The last change.
    pub updated: Ns,
}

impl Market {
    /// An empty market.
    pub fn new(number: usize, spec: &KalshiMarket, now: Ns) -> Market {
        Market {
            spec: spec.clone(),
            id: uuid(super::MARKET_IDS, number as u64),
            grid: Grid::banded(&spec.bands).ok(),
            book: Book::new(),
            phase: Phase::Active,
            is_listed: true,
            open_e2: 0,
            volume_e2: 0,
            volume_usd_e6: 0,
            last: None,
            opened: Ns(now.0.saturating_sub(86_400_000_000_000)),
            updated: now,
        }
    }

    /// When trading ends.
    pub const fn closes(&self) -> Ns {
        from_secs(self.spec.close_time)
    }

    /// True where an order may have this price.
    pub fn knows(&self, px: Px) -> bool {
        let on_grid = self.grid.as_ref().is_some_and(|grid| grid.step_of(px).is_some());
        // Whole cents are valid everywhere (kalshi.md section 3, "Price grid").
        px > Px::ZERO && px < Px::ONE && (on_grid || px.e4().is_multiple_of(100))
    }

    /// The best price of a side with its size; the end of the scale where it is empty.
    pub fn top(&self, side: Side) -> (Px, u64) {
        let end = match side {
            Side::Bid => Px::ZERO,
            Side::Ask => Px::ONE,
        };
        self.book.levels(side).next().unwrap_or((end, 0))
    }

    /// The catalogue's word for its state.
    pub const fn status(&self) -> &'static str {
        match self.phase {
            Phase::Active => "active",
            Phase::Inactive => "inactive",
            Phase::Closed => "closed",
            Phase::Finalized(_) => "finalized",
        }
    }

    /// The filter of `GET /markets` that it falls under.
    pub const fn status_filter(&self) -> &'static str {
        match self.phase {
            Phase::Active => "open",
            Phase::Inactive => "paused",
            Phase::Closed => "closed",
            Phase::Finalized(_) => "settled",
        }
    }

    /// The bands as the venue writes them.
    pub fn price_ranges(&self) -> Value {
        let text = |e4: u16| format!("{}.{:04}", e4 / 10_000, e4 % 10_000);
        let band = |&(start, end, step): &(u16, u16, u16)| json!({"start": text(start), "end": text(end), "step": text(step)});
        self.spec.bands.iter().map(band).collect()
    }

    /// The message of `market_lifecycle_v2` that tells of its making.
    pub fn created(&self) -> Value {
        json!({
            "market_ticker": self.spec.ticker,
            "event_type": "created",
            "open_ts": secs(self.opened),
            "close_ts": self.spec.close_time,
            "exchange_index": self.spec.exchange_index,
            "additional_metadata": {
                "name": self.spec.title,
                "title": self.spec.about.title,
                "yes_sub_title": self.spec.yes_sub_title,
                "no_sub_title": self.spec.yes_sub_title,
                "rules_primary": self.spec.about.rules[0],
                "rules_secondary": self.spec.about.rules[1],
                "can_close_early": true,
                "event_ticker": self.spec.event,
            },
            "price_level_structure": self.spec.price_level_structure,
            "price_ranges": self.price_ranges(),
        })
    }

    /// `Market` of the catalogue.
    pub fn json(&self) -> Value {
        let ((bid, bid_size), (ask, ask_size)) = (self.top(Side::Bid), self.top(Side::Ask));
        let last = self.last.map_or(Px::ZERO, |(px, _)| px).to_string();
        let close = rfc3339_secs(self.spec.close_time);
        let expiry = rfc3339_secs(self.spec.close_time.saturating_add(3_600));
        let about = &self.spec.about;
        let or = |text: &str, usual: &str| if text.is_empty() { usual } else { text }.to_owned();
        let number = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
        let [rule, more] = &about.rules;
        let [strike_type, floor, cap] = &about.strike;
        let usual_rule =
            format!("If {} comes true, then the market resolves to Yes.", self.spec.yes_sub_title);
        let result = match self.phase {
            Phase::Finalized(settlement) => super::text::result(settlement),
            _ => "",
        };
        let mut row = json!({
            "ticker": self.spec.ticker,
            "event_ticker": self.spec.event,
            "market_type": "binary",
            "title": or(&about.title, &self.spec.title),
            "subtitle": "",
            "yes_sub_title": self.spec.yes_sub_title,
            "no_sub_title": self.spec.yes_sub_title,
            "created_time": rfc3339(self.opened),
            "updated_time": rfc3339(self.updated),
            "open_time": rfc3339(self.opened),
            "close_time": close,
            "expected_expiration_time": expiry,
            "expiration_time": expiry,
            "latest_expiration_time": expiry,
            "settlement_timer_seconds": 3_600,
            "status": self.status(),
            "yes_bid_dollars": bid.to_string(),
            "yes_bid_size_fp": size(bid_size),
            "yes_ask_dollars": ask.to_string(),
            "yes_ask_size_fp": size(ask_size),
            "no_bid_dollars": ask.complement().to_string(),
            "no_ask_dollars": bid.complement().to_string(),
            "last_price_dollars": last,
            "volume_fp": size(self.volume_e2),
            "volume_24h_fp": size(self.volume_e2),
            "result": result,
            "can_close_early": true,
            "open_interest_fp": size(self.open_e2),
            "notional_value_dollars": "1.0000",
            "previous_yes_bid_dollars": bid.to_string(),
            "previous_yes_ask_dollars": ask.to_string(),
            "previous_price_dollars": last,
            "expiration_value": result,
            "occurrence_datetime": about.occurrence.map(rfc3339_secs),
            "early_close_condition": or(
                &about.early_close,
                "This market will close early once the outcome is known.",
            ),
            "strike_type": or(strike_type, "custom"),
            "floor_strike": number(floor),
            "rules_primary": or(rule, &usual_rule),
            "rules_secondary": more,
            "price_level_structure": self.spec.price_level_structure,
            "price_ranges": self.price_ranges(),
            "settlement_bounds_type": "default",
            "exchange_index": self.spec.exchange_index,
        });
        // Left out where they say nothing.
        if !cap.is_empty() {
            row["cap_strike"] = number(cap);
        }
        if let Some((name, value)) = &about.custom {
            row["custom_strike"] = json!({ name.as_str(): value });
        }
        row
    }

    /// One side as bids in its own prices, ascending, best last; at most `depth` of the best, all
    /// for zero.
    pub fn bids_of(&self, outcome: Outcome, depth: usize) -> Vec<(Px, u64)> {
        let depth = if depth == 0 { usize::MAX } else { depth };
        let mut levels: Vec<(Px, u64)> = match outcome {
            Outcome::Yes => self.book.levels(Side::Bid).take(depth).collect(),
            Outcome::No => {
                let asks = self.book.levels(Side::Ask).take(depth);
                asks.map(|(px, size)| (px.complement(), size)).collect()
            }
        };
        levels.reverse();
        levels
    }

    /// `orderbook_fp` of the REST calls: NO prices on the no side.
    pub fn orderbook(&self, depth: usize) -> Value {
        let levels = |outcome| -> Value {
            let levels = self.bids_of(outcome, depth);
            levels.into_iter().map(|(px, e2)| json!([px.to_string(), size(e2)])).collect()
        };
        json!({"yes_dollars": levels(Outcome::Yes), "no_dollars": levels(Outcome::No)})
    }
}
