//! What a pair would earn on the money that it locks up, by the quotes of the last crawl: for
//! ranking, never for trading.

use engine::pair::Polarity;

use super::store::{KalshiRow, PolymarketRow};
use crate::rest::E6;

/// Days shorter than this are taken as this: no capital comes back at once.
const LOCKED_S_MIN: i64 = 3_600;

const YEAR_S: i128 = 365 * 86_400;
const DOLLAR_E6: i64 = 1_000_000;

/// What a pair would earn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Worth {
    /// Of one contract, both fees paid, in micro-dollars; below zero it costs.
    pub gain_e6: i64,
    /// A year, in hundredths of a percent of the money that is locked up.
    pub apr_bp: i64,
    /// Seconds until the dollar is expected.
    pub locked_s: i64,
}

/// The better of both directions; `None` where a quote, a fee or the end is not known.
pub fn worth(
    kalshi: &KalshiRow,
    polymarket: &PolymarketRow,
    polarity: Polarity,
    now: i64,
) -> Option<Worth> {
    let locked_s = (resolution(kalshi, polymarket)? - now).max(LOCKED_S_MIN);
    let price = |text: &Option<String>| E6::parse(text.as_deref()?).map(|price| price.0);
    // Asks of YES and NO on each venue; Polymarket's are of its first outcome and its second.
    let asks = |bid: &Option<String>, ask: &Option<String>| {
        let inside = |e6: &i64| (1..DOLLAR_E6).contains(e6);
        let no = price(bid).map(|bid| DOLLAR_E6 - bid);
        [price(ask).filter(inside), no.filter(inside)]
    };
    let here = asks(&kalshi.market.yes_bid, &kalshi.market.yes_ask);
    let there = asks(&polymarket.market.best_bid, &polymarket.market.best_ask);
    let (multiplier, rate) = (multiplier_e6(kalshi)?, rate_e6(polymarket)?);
    let gain = |yes: bool| -> Option<(i64, i64)> {
        let first = here[usize::from(!yes)]?;
        // YES here is hedged by whatever pays there when it does not.
        let hedge_is_first = (polarity == Polarity::Same) != yes;
        let second = there[usize::from(!hedge_is_first)]?;
        let fee = |price: i64, rate_e6: i128| -> i64 {
            let price = i128::from(price);
            let fee = rate_e6 * price * (i128::from(DOLLAR_E6) - price);
            i64::try_from(fee / 1_000_000_000_000).unwrap_or(i64::MAX)
        };
        let kalshi_rate = 70_000 * i128::from(multiplier) / 1_000_000;
        let cost = first + second + fee(first, kalshi_rate) + fee(second, i128::from(rate));
        Some((DOLLAR_E6 - cost, cost))
    };
    let best = [gain(true), gain(false)].into_iter().flatten().max_by_key(|(gain, _)| *gain)?;
    let (gain_e6, cost) = best;
    let apr = i128::from(gain_e6) * 10_000 * YEAR_S / i128::from(cost) / i128::from(locked_s);
    Some(Worth { gain_e6, apr_bp: i64::try_from(apr).unwrap_or(i64::MAX), locked_s })
}

/// When the dollar of a pair is expected: the later of both sides, as far as they say. A deadline
/// stands in where nothing else is said.
pub fn resolution(kalshi: &KalshiRow, polymarket: &PolymarketRow) -> Option<i64> {
    let here = kalshi.market.expected_expiration.or(kalshi.market.close_time);
    let there = polymarket.market.end.or_else(|| polymarket.event.as_ref()?.end);
    here.max(there)
}

/// Kalshi's fee multiplier in millionths.
pub(super) fn multiplier_e6(row: &KalshiRow) -> Option<i64> {
    let event = row.event.as_ref().and_then(|event| event.fee_multiplier_override.as_deref());
    let series = row.series.as_ref().and_then(|series| series.fee_multiplier.as_deref());
    E6::parse(event.or(series)?).map(|multiplier| multiplier.0).filter(|e6| *e6 >= 0)
}

/// Polymarket's fee rate in millionths; 0 where the market is free.
pub(crate) fn rate_e6(row: &PolymarketRow) -> Option<i64> {
    match row.market.fees_enabled {
        Some(false) => Some(0),
        _ => E6::parse(row.market.fee_rate.as_deref()?).map(|rate| rate.0).filter(|e6| *e6 >= 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{kalshi, polymarket};

    fn rows(bid: &str, ask: &str, first_bid: &str, first_ask: &str) -> (KalshiRow, PolymarketRow) {
        let kalshi = KalshiRow {
            market: kalshi::Market {
                yes_bid: Some(bid.into()),
                yes_ask: Some(ask.into()),
                close_time: Some(73 * 86_400),
                ..kalshi::Market::default()
            },
            series: Some(kalshi::Series {
                fee_multiplier: Some("1".into()),
                ..kalshi::Series::default()
            }),
            event: None,
        };
        let polymarket = PolymarketRow {
            market: polymarket::Market {
                best_bid: Some(first_bid.into()),
                best_ask: Some(first_ask.into()),
                fees_enabled: Some(false),
                ..polymarket::Market::default()
            },
            event: None,
        };
        (kalshi, polymarket)
    }

    #[test]
    fn the_better_direction_counts_with_both_fees_over_the_locked_time() {
        // YES at 0.40 here, and NO there at 1 - 0.50.
        let (kalshi, polymarket) = rows("0.3900", "0.4000", "0.5", "0.52");
        let worth = worth(&kalshi, &polymarket, Polarity::Same, 0).unwrap();
        assert_eq!(worth.gain_e6, 100_000 - 16_800);
        // 0.0832 on 0.9168 in a fifth of a year.
        assert_eq!(worth.apr_bp, 83_200 * 10_000 * 5 / 916_800);
        // Turned round, YES here is hedged by YES there: the other way is 0.61 + 0.50.
        let turned = super::worth(&kalshi, &polymarket, Polarity::Inverted, 0).unwrap();
        assert_eq!(turned.gain_e6, 1_000_000 - 400_000 - 520_000 - 16_800);
    }

    #[test]
    fn an_empty_side_or_an_unknown_fee_is_worth_nothing_known() {
        let (mut kalshi, polymarket) = rows("0.0000", "1.0000", "0.5", "0.52");
        assert_eq!(worth(&kalshi, &polymarket, Polarity::Same, 0), None);
        kalshi.market.yes_ask = Some("0.40".into());
        assert!(worth(&kalshi, &polymarket, Polarity::Same, 0).is_some());
        kalshi.series = None;
        assert_eq!(worth(&kalshi, &polymarket, Polarity::Same, 0), None);
    }
}
