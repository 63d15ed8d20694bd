//! What one contract of each direction earns at the best levels, after both taker fees.
//!
//! A side of a pair is priced once into a [`Quote`], so an update of one book costs two fees and
//! three subtractions, whatever the other book does.

use crate::fee::OneFee;
use crate::pair::{Direction, Polarity};
use crate::top::Top;
use crate::units::{PX_ONE, Usd};

/// Stands for the price of what nobody sells: beyond any real one, so that every edge through
/// it is far below zero, and small enough that a difference of two stays inside 32 bits.
pub const NEVER: i32 = OneFee::PROHIBITIVE;

/// One dollar in micro-dollars.
const DOLLAR: i32 = 1_000_000;

/// What one contract of each outcome costs, fee included, in micro-dollars. The outcomes are
/// named as the pair's first venue names them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Quote {
    /// YES.
    pub yes: i32,
    /// NO.
    pub no: i32,
}

impl Quote {
    /// A market where nothing can be bought.
    pub const NONE: Quote = Quote { yes: NEVER, no: NEVER };

    /// Prices the best levels: YES at the best ask, NO at the complement of the best bid, whose
    /// fee is that of the bid, because both venues charge p and 1-p alike.
    #[inline]
    pub fn of(top: &Top, fee: OneFee, polarity: Polarity) -> Quote {
        let (bid_px, bid_qty) = top.best_bid_raw();
        let (ask_px, ask_qty) = top.best_ask_raw();
        let yes = i32::from(ask_px) * 100 + fee.e6(ask_px);
        let no = (i32::from(PX_ONE) - i32::from(bid_px)) * 100 + fee.e6(bid_px);
        let yes = if ask_qty == 0 { NEVER } else { yes };
        let no = if bid_qty == 0 { NEVER } else { no };
        match polarity {
            Polarity::Same => Quote { yes, no },
            Polarity::Inverted => Quote { yes: no, no: yes },
        }
    }
}

/// Net edge of one contract in micro-dollars by [`Direction`]; far below any real one where a
/// side is empty.
#[inline]
pub const fn edges(first: Quote, second: Quote) -> [i32; 3] {
    [
        DOLLAR - first.yes - second.no,
        DOLLAR - first.no - second.yes,
        DOLLAR - second.yes - second.no,
    ]
}

/// True for an edge whose levels all exist.
#[inline]
pub const fn exists(edge_e6: i32) -> bool {
    // A real edge is at least minus a dollar and two fees of at most 175 dollars.
    edge_e6 > -NEVER / 2
}

/// The edge of one direction as money, or `None` where a needed side is empty.
pub const fn edge(first: Quote, second: Quote, direction: Direction) -> Option<Usd> {
    let e6 = edges(first, second)[direction.index()];
    if exists(e6) { Some(Usd::new(e6 as i64)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fee::{Role, curve_fee, quadratic_fee};
    use crate::pair::{FeeRule, Outcome};
    use crate::top::{Levels, MarketId};
    use crate::units::{Shares, Venue};
    use proptest::prelude::*;

    const K: FeeRule = FeeRule::Quadratic { multiplier_e6: 1_000_000 };
    const P: FeeRule = FeeRule::Curve { rate_e6: 50_000, exponent: 1 };

    fn top(venue: Venue, bid: Option<u16>, ask: Option<u16>) -> Top {
        let mut top = Top::unknown(MarketId::new(venue, 0).unwrap());
        let side = |px: Option<u16>| {
            let mut levels = Levels::EMPTY;
            if let Some(px) = px {
                (levels.px[0], levels.qty[0]) = (px, 500);
            }
            levels
        };
        top.set_bids(&side(bid));
        top.set_asks(&side(ask));
        top
    }

    /// Price and fee of one contract of `outcome`, from the general rules.
    fn slow_cost(top: &Top, outcome: Outcome, rule: FeeRule) -> Option<i64> {
        let px = match outcome {
            Outcome::Yes => top.asks().best()?.0,
            Outcome::No => top.bids().best()?.0.complement(),
        };
        let one = Shares::new(1_000_000);
        let fee = match rule {
            FeeRule::Quadratic { multiplier_e6 } => {
                quadratic_fee(one, px, multiplier_e6, Role::Taker)
            }
            FeeRule::Curve { rate_e6, exponent } => curve_fee(one, px, rate_e6, exponent),
            FeeRule::Unknown => return None,
        };
        Some(i64::from(px.e4()) * 100 + fee.e6())
    }

    fn check(tops: [Top; 2], rules: [FeeRule; 2]) {
        for polarity in [Polarity::Same, Polarity::Inverted] {
            let first = Quote::of(&tops[0], OneFee::new(rules[0]), Polarity::Same);
            let second = Quote::of(&tops[1], OneFee::new(rules[1]), polarity);
            for direction in Direction::ALL {
                let costs = direction
                    .legs(polarity)
                    .map(|(side, outcome)| slow_cost(&tops[side], outcome, rules[side]));
                let want = match costs {
                    [Some(a), Some(b)] => Some(Usd::new(1_000_000 - a - b)),
                    _ => None,
                };
                assert_eq!(edge(first, second, direction), want, "{direction:?} {polarity:?}");
            }
        }
    }

    #[test]
    fn a_gap_between_venues_is_an_edge_one_way_only() {
        // Buy YES at 0.40 here, NO at 1 - 0.45 there: 5 cents minus 0.0168 and 0.01237.
        let tops = [
            top(Venue::Kalshi, Some(3_900), Some(4_000)),
            top(Venue::Polymarket, Some(4_500), Some(4_600)),
        ];
        let first = Quote::of(&tops[0], OneFee::new(K), Polarity::Same);
        let second = Quote::of(&tops[1], OneFee::new(P), Polarity::Same);
        assert_eq!(edges(first, second)[0], 50_000 - 16_800 - 12_370);
        assert!(edges(first, second)[1] < 0 && edges(first, second)[2] < 0);
        check(tops, [K, P]);
    }

    #[test]
    fn an_unknown_fee_or_an_empty_side_leaves_no_edge() {
        for polarity in [Polarity::Same, Polarity::Inverted] {
            let full = top(Venue::Polymarket, Some(9_999), Some(1));
            let unknown = Quote::of(&full, OneFee::new(FeeRule::Unknown), polarity);
            let known = Quote::of(&full, OneFee::new(P), polarity);
            assert!(edges(unknown, known)[..2].iter().all(|e| !exists(*e)));
            assert!(edges(unknown, known)[2] > 0, "the second market alone");
            assert!(edges(known, unknown).into_iter().all(|e| !exists(e)));
            assert!(edges(unknown, unknown).into_iter().all(|e| !exists(e)));
        }
        assert_eq!(edge(Quote::NONE, Quote::NONE, Direction::FirstYes), None);
        let second = top(Venue::Polymarket, Some(4_500), Some(4_600));
        let quote = Quote::of(&second, OneFee::new(P), Polarity::Inverted);
        assert_eq!(edge(Quote::NONE, quote, Direction::FirstNo), None);
        assert!(edge(Quote::NONE, quote, Direction::SecondBoth).is_some());
    }

    fn px() -> impl Strategy<Value = Option<u16>> {
        proptest::option::weighted(0.9, 0u16..=10_000)
    }

    proptest! {
        #[test]
        fn edges_agree_with_the_general_fees(
            a in px(), b in px(), c in px(), d in px(),
            m in 0u32..=100_000_000, r in 0u32..=1_000_000, exp in 1u8..=2,
        ) {
            check(
                [top(Venue::Kalshi, a, b), top(Venue::Polymarket, c, d)],
                [FeeRule::quadratic(m).unwrap(), FeeRule::curve(r, exp).unwrap()],
            );
        }
    }
}
