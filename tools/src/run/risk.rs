//! What may be at stake, as values that a tape carries.

use engine::risk::calendar::{Calendar, Weekly};
use engine::risk::limits::{Cap, Rate, RiskLimits};
use engine::units::{Ns, Px, Shares, Usd, Venue};
use serde::{Deserialize, Serialize};

/// A [`Cap`] in plain numbers: 1e-6 contracts and micro-dollars.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapSpec {
    /// Contracts.
    pub qty: u64,
    /// Money.
    pub notional: i64,
}

/// A [`Rate`] in plain numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateSpec {
    /// How many.
    pub count: u32,
    /// In which span; nanoseconds.
    pub within: u64,
}

/// A weekly pause of a venue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PauseSpec {
    /// Whose.
    pub venue: String,
    /// Its first minute of New York's week, from Sunday on.
    pub from: u16,
    /// How many minutes.
    pub minutes: u16,
}

/// [`RiskLimits`] in plain numbers: money in micro-dollars, times in nanoseconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskSpec {
    /// One order.
    pub order: CapSpec,
    /// One pair.
    pub pair: CapSpec,
    /// One event.
    pub event: CapSpec,
    /// Each venue.
    pub venue: [CapSpec; 2],
    /// Both venues.
    pub total: CapSpec,
    /// The most that one pair may lose where the venues do not resolve alike. Tapes of before it
    /// was a limit have none.
    #[serde(default = "no_void_loss")]
    pub void_loss: i64,
    /// The largest loss of a day.
    pub day_loss: i64,
    /// Bundles of all pairs.
    pub bundles: RateSpec,
    /// Bundles of one pair.
    pub repeats: RateSpec,
    /// Errors in a row.
    pub errors: u32,
    /// Rest after them.
    pub error_rest: u64,
    /// How far the clock may be off.
    pub clock_off: u64,
    /// The oldest book to act on.
    pub book_age: u64,
    /// Collar in 1e-4 dollars.
    pub collar: u16,
    /// Before a close.
    pub before_close: u64,
    /// Before a game.
    pub before_game: Option<u64>,
    /// Least money on both venues together.
    pub shutdown_balance: i64,
    /// Money that is not touched on each.
    pub wallet_min: i64,
    /// Pauses of the venues.
    pub pauses: Vec<PauseSpec>,
}

fn no_void_loss() -> i64 {
    RiskLimits::NONE.void_loss.e6()
}

impl From<Cap> for CapSpec {
    fn from(cap: Cap) -> CapSpec {
        CapSpec { qty: cap.qty.e6(), notional: cap.notional.e6() }
    }
}

impl From<CapSpec> for Cap {
    fn from(spec: CapSpec) -> Cap {
        Cap { qty: Shares::new(spec.qty), notional: Usd::new(spec.notional) }
    }
}

impl From<Rate> for RateSpec {
    fn from(rate: Rate) -> RateSpec {
        RateSpec { count: rate.count, within: rate.within.0 }
    }
}

impl From<RateSpec> for Rate {
    fn from(spec: RateSpec) -> Rate {
        Rate { count: spec.count, within: Ns(spec.within) }
    }
}

impl From<&RiskLimits> for RiskSpec {
    fn from(limits: &RiskLimits) -> RiskSpec {
        let pause = |pause: &Weekly| PauseSpec {
            venue: pause.venue.name().to_owned(),
            from: pause.from,
            minutes: pause.minutes,
        };
        RiskSpec {
            order: limits.order.into(),
            pair: limits.pair.into(),
            event: limits.event.into(),
            venue: limits.venue.map(Into::into),
            total: limits.total.into(),
            void_loss: limits.void_loss.e6(),
            day_loss: limits.day_loss.e6(),
            bundles: limits.bundles.into(),
            repeats: limits.repeats.into(),
            errors: limits.errors,
            error_rest: limits.error_rest.0,
            clock_off: limits.clock_off.0,
            book_age: limits.book_age.0,
            collar: limits.collar.e4(),
            before_close: limits.before_close.0,
            before_game: limits.before_game.map(|span| span.0),
            shutdown_balance: limits.shutdown_balance.e6(),
            wallet_min: limits.wallet_min.e6(),
            pauses: limits.calendar.pauses().map(pause).collect(),
        }
    }
}

impl RiskSpec {
    /// The limits.
    ///
    /// # Errors
    /// A value that no limit can have.
    pub fn limits(&self) -> Result<RiskLimits, String> {
        let pauses: Option<Vec<Weekly>> = self.pauses.iter().map(PauseSpec::weekly).collect();
        let calendar = pauses.and_then(|pauses| Calendar::new(&pauses));
        Ok(RiskLimits {
            order: self.order.into(),
            pair: self.pair.into(),
            event: self.event.into(),
            venue: self.venue.map(Into::into),
            total: self.total.into(),
            void_loss: Usd::new(self.void_loss),
            day_loss: Usd::new(self.day_loss),
            bundles: self.bundles.into(),
            repeats: self.repeats.into(),
            errors: self.errors,
            error_rest: Ns(self.error_rest),
            clock_off: Ns(self.clock_off),
            book_age: Ns(self.book_age),
            collar: Px::new(self.collar).ok_or("the collar is above a dollar")?,
            before_close: Ns(self.before_close),
            before_game: self.before_game.map(Ns),
            shutdown_balance: Usd::new(self.shutdown_balance),
            wallet_min: Usd::new(self.wallet_min),
            calendar: calendar.ok_or("a pause is no part of a week")?,
        })
    }
}

impl PauseSpec {
    fn weekly(&self) -> Option<Weekly> {
        let venue = Venue::from_name(&self.venue)?;
        Some(Weekly { venue, from: self.from, minutes: self.minutes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_survive_their_numbers() {
        let pause = Weekly { venue: Venue::Polymarket, from: 9, minutes: 5 };
        let cap = |n| Cap { qty: Shares::new(n), notional: Usd::new(n as i64 + 1) };
        let limits = RiskLimits {
            order: cap(1),
            pair: cap(2),
            event: cap(3),
            venue: [cap(4), cap(5)],
            total: cap(6),
            void_loss: Usd::new(21),
            day_loss: Usd::new(7),
            bundles: Rate { count: 8, within: Ns(9) },
            repeats: Rate { count: 10, within: Ns(11) },
            errors: 12,
            error_rest: Ns(13),
            clock_off: Ns(14),
            book_age: Ns(15),
            collar: Px::lit(16),
            before_close: Ns(17),
            before_game: Some(Ns(18)),
            shutdown_balance: Usd::new(19),
            wallet_min: Usd::new(20),
            calendar: Calendar::new(&[pause]).unwrap(),
        };
        for limits in [limits, RiskLimits::NONE] {
            let spec = RiskSpec::from(&limits);
            let text = serde_json::to_string(&spec).unwrap();
            let spec: RiskSpec = serde_json::from_str(&text).unwrap();
            assert_eq!(spec.limits(), Ok(limits));
        }
        let mut wrong = RiskSpec::from(&RiskLimits::NONE);
        wrong.pauses = vec![PauseSpec { venue: "kalshi".to_owned(), from: 0, minutes: 0 }];
        assert!(wrong.limits().is_err());
    }
}
