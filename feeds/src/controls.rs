//! From what a venue says of its fees, prices and closes to the rules that the core works by.

use std::collections::HashMap;

use engine::event::Control;
use engine::pair::FeeRule;
use engine::top::MarketId;
use engine::units::Ns;

use crate::feed::{ControlBox, NoticeSink};
use crate::sink::{Change, Notice};

const NS_A_SECOND: u64 = 1_000_000_000;
/// One times the published fee, in millionths.
const MULTIPLIER_ONE_E6: u64 = 1_000_000;
/// An exponent of one, in millionths.
const EXPONENT_ONE_E6: u64 = 1_000_000;

/// The markets of each event, by the venue's name of the event: fees are overridden for a whole
/// event at once (kalshi.md section 6). The names are looked up some few times a day.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventMarkets {
    events: HashMap<String, Vec<MarketId>>,
}

impl EventMarkets {
    /// Adds a market to an event; once, however often it is named.
    pub fn add(&mut self, event: &str, market: MarketId) {
        let markets = self.events.entry(event.to_owned()).or_default();
        if !markets.contains(&market) {
            markets.push(market);
        }
    }

    /// Takes a market out: its number may become another one's.
    pub fn drop(&mut self, market: MarketId) {
        self.events.values_mut().for_each(|markets| markets.retain(|one| *one != market));
    }

    /// The markets of an event in the order in which they were added.
    pub fn of(&self, event: &str) -> &[MarketId] {
        self.events.get(event).map_or(&[], Vec::as_slice)
    }
}

impl NoticeSink for EventMarkets {
    /// Tells the core of every market whose event has another fee.
    fn notice(&mut self, notice: &Notice<'_>, controls: &mut ControlBox) {
        match *notice {
            Notice::EventFee { event, fee } => {
                let fee = match fee {
                    Ok((fee_type, multiplier_e6)) => overriding_fee(fee_type, multiplier_e6),
                    // The fee that was in force before is not in force any more.
                    Err(_) => Some(FeeRule::Unknown),
                };
                for &market in self.of(event) {
                    controls.send(Control::Fee { market, fee });
                }
            }
            Notice::MarketAdded { market, event } => self.add(event, market),
            Notice::MarketRetired { market } => self.drop(market),
            _ => MarketRules.notice(notice, controls),
        }
    }
}

/// Tells the core of every market whose prices lie on another grid, whose own fee is told, or that
/// closes at another time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MarketRules;

impl NoticeSink for MarketRules {
    fn notice(&mut self, notice: &Notice<'_>, controls: &mut ControlBox) {
        match *notice {
            Notice::GridChanged { market, grid: Some(grid) } => {
                controls.send(Control::Grid { market, grid });
            }
            Notice::Lifecycle { market, change: Change::CloseMoved(at_s) } => {
                let at = Ns(at_s.saturating_mul(NS_A_SECOND));
                controls.send(Control::Close { market, at });
            }
            Notice::MarketFee { market, curve } => {
                let rule = curve.ok().and_then(|(rate_e6, exponent)| curve_of(rate_e6, exponent));
                let fee = Some(rule.unwrap_or(FeeRule::Unknown));
                controls.send(Control::Fee { market, fee });
            }
            _ => {}
        }
    }
}

/// The curve of a whole exponent; `None` for one that cannot be computed.
fn curve_of(rate_e6: u64, exponent_e6: u64) -> Option<FeeRule> {
    let rate_e6 = u32::try_from(rate_e6).ok()?;
    let whole = exponent_e6.is_multiple_of(EXPONENT_ONE_E6);
    let exponent = u8::try_from(exponent_e6 / EXPONENT_ONE_E6).ok().filter(|_| whole)?;
    FeeRule::curve(rate_e6, exponent).ok()
}

/// The rule that an event's override makes; `None` where it was cleared and the series' own fee
/// holds again.
///
/// The three quadratic types differ in what makers pay alone (kalshi.md section 6). What cannot be
/// computed is [`FeeRule::Unknown`], which is not tradable: another type, a multiplier without a
/// type, and a multiplier above [`engine::pair::MULTIPLIER_E6_MAX`].
pub fn overriding_fee(fee_type: Option<&str>, multiplier_e6: Option<u64>) -> Option<FeeRule> {
    let rule = match fee_type {
        None if multiplier_e6.is_none() => return None,
        Some("quadratic" | "quadratic_with_maker_fees" | "quadratic_with_combo_maker_fees") => {
            u32::try_from(multiplier_e6.unwrap_or(MULTIPLIER_ONE_E6))
                .ok()
                .and_then(|multiplier_e6| FeeRule::quadratic(multiplier_e6).ok())
        }
        _ => None,
    };
    Some(rule.unwrap_or(FeeRule::Unknown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::units::Venue;

    #[test]
    fn an_override_is_a_rule_that_is_known_or_stops_trading() {
        let quadratic = |e6| Some(FeeRule::Quadratic { multiplier_e6: e6 });
        for name in ["quadratic", "quadratic_with_maker_fees", "quadratic_with_combo_maker_fees"] {
            for (multiplier, want) in [
                (None, quadratic(1_000_000)),
                (Some(0), quadratic(0)),
                (Some(500_000), quadratic(500_000)),
                (Some(100_000_000), quadratic(100_000_000)),
                (Some(100_000_001), Some(FeeRule::Unknown)),
                (Some(u64::MAX), Some(FeeRule::Unknown)),
                // Of 32 bits it would be one.
                (Some((1 << 32) + 1_000_000), Some(FeeRule::Unknown)),
            ] {
                assert_eq!(overriding_fee(Some(name), multiplier), want, "{name} {multiplier:?}");
            }
        }
        for name in ["flat", "margin_market_maker_program_fees", "Quadratic", ""] {
            assert_eq!(overriding_fee(Some(name), Some(1_000_000)), Some(FeeRule::Unknown));
        }
        assert_eq!(overriding_fee(None, Some(1_000_000)), Some(FeeRule::Unknown));
        assert_eq!(overriding_fee(None, None), None);
    }

    #[test]
    fn a_close_that_moves_is_told() {
        let market = MarketId::new(Venue::Kalshi, 4).unwrap();
        let (ring, mut told) = rtrb::RingBuffer::new(4);
        let mut controls = ControlBox::new(ring, 4);
        for (close_s, at) in [(77, Ns(77_000_000_000)), (u64::MAX, Ns(u64::MAX))] {
            let change = Change::CloseMoved(close_s);
            let notice = Notice::Lifecycle { market, change };
            EventMarkets::default().notice(&notice, &mut controls);
            assert_eq!(told.pop(), Ok(Control::Close { market, at }));
        }
        let change = Change::Paused(true);
        MarketRules.notice(&Notice::Lifecycle { market, change }, &mut controls);
        assert!(told.pop().is_err(), "its tops say so");
    }

    #[test]
    fn an_event_has_each_of_its_markets_once() {
        let market = |index| MarketId::new(Venue::Kalshi, index).unwrap();
        let mut events = EventMarkets::default();
        for (event, index) in [("A", 2), ("B", 1), ("A", 0), ("A", 2)] {
            events.add(event, market(index));
        }
        assert_eq!(events.of("A"), [market(2), market(0)]);
        assert_eq!(events.of("B"), [market(1)]);
        assert_eq!(events.of("C"), []);
    }

    #[test]
    fn a_fee_of_a_market_is_its_curve_or_unknown() {
        let curve = |rate_e6| FeeRule::curve(rate_e6, 1).ok();
        assert_eq!(curve_of(50_000, 1_000_000), curve(50_000));
        assert_eq!(curve_of(0, 1_000_000), curve(0), "free");
        assert_eq!(curve_of(50_000, 2_000_000), FeeRule::curve(50_000, 2).ok());
        for (rate_e6, exponent_e6) in [
            (50_000, 1_500_000),
            (50_000, 0),
            (50_000, 257_000_000),
            (1_000_001, 1_000_000),
            ((1 << 32) + 50_000, 1_000_000),
        ] {
            assert_eq!(curve_of(rate_e6, exponent_e6), None, "{rate_e6} {exponent_e6}");
        }
    }
}
