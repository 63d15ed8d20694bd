//! What the book that stands would fill of an order, before it is sent.

use engine::fee::{Role, bought_for, cost_of, curve_fee, quadratic_fee};
use engine::pair::Outcome;
use engine::units::{Px, Qty, Shares, Usd};
use exec::action::Action;

use crate::pairs::{FeeType, PairSpec};
use crate::rest::kalshi;

/// How the venue charges takers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TakerFee {
    /// Kalshi's formula with its multiplier.
    Quadratic(u32),
    /// Polymarket's formula: rate and exponent.
    Curve(u32, u8),
    /// Nobody said.
    Unknown,
}

impl TakerFee {
    /// As the pair file states it.
    pub fn of_kalshi(pair: Option<&PairSpec>) -> TakerFee {
        match pair.map(|pair| (&pair.kalshi.fee_type, pair.kalshi.fee_multiplier_e6)) {
            None | Some((FeeType::Other(_), _)) => TakerFee::Unknown,
            Some((_, multiplier_e6)) => TakerFee::Quadratic(multiplier_e6),
        }
    }

    fn on(self, shares: Shares, px: Px) -> Option<Usd> {
        match self {
            TakerFee::Quadratic(m_e6) => Some(quadratic_fee(shares, px, m_e6, Role::Taker)),
            TakerFee::Curve(rate_e6, exponent) => Some(curve_fee(shares, px, rate_e6, exponent)),
            TakerFee::Unknown => None,
        }
    }
}

/// What would be filled at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Preview {
    /// Contracts.
    pub shares: Shares,
    /// What they cost, or bring, without fees.
    pub cash: Usd,
    /// The fees; `None` where nobody said how they are charged.
    pub fee: Option<Usd>,
}

/// What ends an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// So many contracts; a better price leaves money over.
    Filled(Qty),
    /// So much money; a better price buys more. Takers that buy on Polymarket (polymarket.md
    /// section 5.4).
    Spent(Usd),
}

/// Walks `levels`, the best first, up to the limit.
pub fn preview(
    action: Action,
    levels: &[(Px, Qty)],
    limit: Px,
    until: Until,
    fee: TakerFee,
) -> Preview {
    let mut done =
        Preview { shares: Shares::ZERO, cash: Usd::ZERO, fee: fee.on(Shares::ZERO, limit) };
    for (px, standing) in levels {
        let beyond = match action {
            Action::Buy => *px > limit,
            Action::Sell => *px < limit,
        };
        let want = match until {
            Until::Filled(qty) => Shares::from(qty).saturating_sub(done.shares),
            Until::Spent(money) => bought_for(money - done.cash, *px),
        };
        let shares = want.min(Shares::from(*standing));
        if beyond || shares == Shares::ZERO {
            break;
        }
        done.shares = Shares::new(done.shares.e6() + shares.e6());
        done.cash += cost_of(shares, *px);
        done.fee = done.fee.and_then(|so_far| Some(so_far + fee.on(shares, *px)?));
    }
    done
}

/// Whom an order on Kalshi would meet, best first, in prices of its own outcome: bids are published
/// for both outcomes, and a bid for one is an ask of the other (kalshi.md section 3).
pub fn kalshi_levels(book: &kalshi::Book, action: Action, outcome: Outcome) -> Vec<(Px, Qty)> {
    let (own, other) = match outcome {
        Outcome::Yes => (&book.yes, &book.no),
        Outcome::No => (&book.no, &book.yes),
    };
    match action {
        Action::Sell => own.clone(),
        Action::Buy => other.iter().map(|(px, qty)| (px.complement(), *qty)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_stops_at_the_limit_and_at_the_size() {
        let book = kalshi::Book {
            yes: vec![(Px::lit(4_200), Qty::lit(1_300)), (Px::lit(4_100), Qty::lit(1_000))],
            no: vec![(Px::lit(5_600), Qty::lit(1_700)), (Px::lit(4_500), Qty::lit(2_000))],
        };
        let asks = kalshi_levels(&book, Action::Buy, Outcome::Yes);
        assert_eq!(asks[0], (Px::lit(4_400), Qty::lit(1_700)));
        let fee = TakerFee::Quadratic(1_000_000);
        let of = |limit, until| preview(Action::Buy, &asks, Px::lit(limit), until, fee);
        let filled = |e2| Until::Filled(Qty::lit(e2));
        assert_eq!(of(4_300, filled(100)).shares, Shares::ZERO);
        let one = of(4_400, filled(100));
        assert_eq!((one.shares.e6(), one.cash), (1_000_000, Usd::new(440_000)));
        assert_eq!(one.fee, Some(Usd::new(17_248)));
        assert_eq!(of(5_500, filled(9_900)).shares.e6(), 37_000_000);
        // Ten at 0.55 are 5.5 dollars, and those buy 12.5 at 0.44.
        let spent = of(5_500, Until::Spent(Usd::new(5_500_000)));
        assert_eq!((spent.shares.e6(), spent.cash), (12_500_000, Usd::new(5_500_000)));
        let bids = kalshi_levels(&book, Action::Sell, Outcome::No);
        let limit = Px::lit(5_000);
        let sold = preview(Action::Sell, &bids, limit, filled(9_900), TakerFee::Unknown);
        assert_eq!((sold.shares.e6(), sold.fee), (17_000_000, None));
    }
}
