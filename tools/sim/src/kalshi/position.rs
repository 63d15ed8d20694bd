//! One signed, netting position: what is bought against it closes it and gives a dollar a pair
//! back (kalshi.md section 3).

use engine::pair::Outcome;
use engine::payoff::Settlement;
use engine::units::{Ns, Px, Qty, Usd};

use crate::venue::Side;

/// Somebody's holding in a market.
#[derive(Clone, Default, Debug)]
pub struct Position {
    /// 1e-2 contracts; YES above zero, NO below.
    pub e2: i64,
    /// What the open part cost, without fees.
    pub cost: Usd,
    /// The open part's share of the fees.
    pub fee_cost: Usd,
    /// Gain of what was closed, without fees.
    pub realized: Usd,
    /// All fees.
    pub fees: Usd,
    /// Contracts traded; 1e-2.
    pub volume_e2: u64,
    /// What they cost on the outcome that was bought.
    pub traded: Usd,
    /// Bought on the side of YES and of NO, without fees.
    pub bought: [Usd; 2],
    /// The last change.
    pub updated: Ns,
}

/// The price of the outcome that an order on this side buys.
pub const fn leg(side: Side, px: Px) -> Px {
    match side {
        Side::Bid => px,
        Side::Ask => px.complement(),
    }
}

/// The outcome that an order on this side buys.
pub const fn outcome(side: Side) -> Outcome {
    match side {
        Side::Bid => Outcome::Yes,
        Side::Ask => Outcome::No,
    }
}

impl Position {
    /// How much of an order on this side would close the position; 1e-2 contract.
    pub fn closable(&self, side: Side) -> u64 {
        match side {
            Side::Bid => self.e2.min(0).unsigned_abs(),
            Side::Ask => self.e2.max(0).unsigned_abs(),
        }
    }

    /// Money that a trade moves, fees aside: below zero where it costs.
    pub fn revenue(&self, side: Side, px: Px, size: Qty) -> Usd {
        let closing = Qty::new(self.closable(side)).map_or(size, |most| most.min(size));
        let leg = leg(side, px);
        closing.at(leg.complement()) - size.saturating_sub(closing).at(leg)
    }

    /// Trades, and says what money that moved.
    pub fn trade(&mut self, side: Side, px: Px, size: Qty, fee: Usd, now: Ns) -> Usd {
        let revenue = self.revenue(side, px, size);
        let leg = leg(side, px);
        let closing = self.closable(side).min(size.e2());
        let opening = size.e2() - closing;
        let held = self.e2.unsigned_abs();
        let closed_cost = portion(self.cost, closing, held);
        self.realized += revenue + qty(opening).at(leg) - closed_cost;
        self.cost = self.cost - closed_cost + qty(opening).at(leg);
        self.fee_cost = self.fee_cost - portion(self.fee_cost, closing, held)
            + portion(fee, opening, size.e2());
        self.fees += fee;
        self.volume_e2 += size.e2();
        self.traded += size.at(leg);
        self.bought[outcome(side) as usize] += size.at(leg);
        let signed = i64::try_from(size.e2()).unwrap_or(i64::MAX);
        self.e2 = match side {
            Side::Bid => self.e2.saturating_add(signed),
            Side::Ask => self.e2.saturating_sub(signed),
        };
        self.updated = now;
        revenue
    }

    /// What it pays when the market settles, to the micro-dollar; the position is gone then.
    pub fn settle(&mut self, settlement: Settlement, now: Ns) -> Usd {
        let held = if self.e2 > 0 { Outcome::Yes } else { Outcome::No };
        let pays = qty(self.e2.unsigned_abs()).at(settlement.each(held));
        self.realized += pays - self.cost;
        (self.e2, self.cost, self.fee_cost, self.updated) = (0, Usd::ZERO, Usd::ZERO, now);
        pays
    }
}

/// `of * part / whole`, down; nothing of nothing.
fn portion(of: Usd, part: u64, whole: u64) -> Usd {
    if whole == 0 {
        return Usd::ZERO;
    }
    let share = i128::from(of.e6()) * i128::from(part) / i128::from(whole);
    Usd::new(i64::try_from(share).unwrap_or(i64::MAX))
}

/// A size of the book's; nothing is larger than the largest that there is.
pub fn qty(e2: u64) -> Qty {
    Qty::new(e2).unwrap_or(Qty::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opposite_side_nets_and_gives_a_dollar_a_pair_back() {
        let mut position = Position::default();
        let buy = position.trade(Side::Bid, Px::lit(4_000), Qty::lit(1_000), Usd::ZERO, Ns(1));
        assert_eq!(buy, Usd::new(-4_000_000));
        // Buying 15 NO at 0.55 costs 8.25, and ten pairs give ten dollars back.
        let sell = position.trade(Side::Ask, Px::lit(4_500), Qty::lit(1_500), Usd::ZERO, Ns(2));
        assert_eq!(sell, Usd::new(10_000_000 - 8_250_000));
        assert_eq!((position.e2, position.cost), (-500, Usd::new(2_750_000)));
        assert_eq!(position.realized, Usd::new(500_000));
        let mut void = position.clone();
        assert_eq!(position.settle(Settlement::NO, Ns(3)), Usd::new(5_000_000));
        assert_eq!(position.realized, Usd::new(500_000 + 2_250_000));
        let split = Settlement::split(Px::lit(3_700));
        assert_eq!(void.settle(split, Ns(3)), Usd::new(3_150_000), "0.63 a NO");
        assert_eq!((void.e2, void.realized), (0, Usd::new(500_000 + 400_000)));
    }
}
