//! What the venues charge, to the micro-dollar, in integers.
//!
//! Sources: kalshi.md section 6 and polymarket.md section 6. Every rounding is a named step, so
//! that the paper model and a venue's own figures can be compared.

use crate::pair::FeeRule;
use crate::units::{PX_ONE, Px, Shares, Usd};

/// Who pays a quadratic fee.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// Takes what rests: 0.07.
    Taker,
    /// Rests, in a series without maker fees: nothing.
    Maker,
    /// Rests, in a series with maker fees: a quarter of the taker's fee.
    MakerQuarter,
    /// Rests, in a combo series with maker fees: half of the taker's fee.
    MakerHalf,
}

impl Role {
    /// The rate in 1/400: the largest unit that all of them are whole in, to spare bits.
    const fn rate_400(self) -> u128 {
        match self {
            Role::Taker => 28,
            Role::Maker => 0,
            Role::MakerQuarter => 7,
            Role::MakerHalf => 14,
        }
    }
}

/// p(1-p) in 1e-8, at most 25,000,000.
#[inline]
const fn spread_e8(px: Px) -> u32 {
    let p = px.e4() as u32;
    p * (PX_ONE as u32 - p)
}

/// Dollars for `shares` at `px`, rounded up to a micro-dollar.
///
/// A fill's cash is the venue's own figure; this is the one rule where it must be computed.
/// Exact for whole 1e-2 contracts; upwards below that, so that a plan never costs less than
/// it will.
#[inline]
pub const fn cost_of(shares: Shares, px: Px) -> Usd {
    saturated((shares.e6() as u128 * px.e4() as u128).div_ceil(PX_ONE as u128))
}

/// What `budget` buys at `px`, rounded down to 1e-6 shares; nothing at a price of zero or for
/// less than no money.
#[inline]
pub const fn bought_for(budget: Usd, px: Px) -> Shares {
    if budget.e6() <= 0 || px.e4() == 0 {
        return Shares::ZERO;
    }
    let e6 = budget.e6() as u128 * PX_ONE as u128 / px.e4() as u128;
    Shares::new(if e6 > u64::MAX as u128 { u64::MAX } else { e6 as u64 })
}

/// Fee of one fill under [`FeeRule::Quadratic`] before the balance grid: the model fee with the
/// multiplier inside, rounded up to a micro-dollar (kalshi.md section 6, step 1).
#[inline]
pub const fn quadratic_fee(shares: Shares, px: Px, multiplier_e6: u32, role: Role) -> Usd {
    // 1/400 x 1e-6 x 1e-8 x 1e-6 dollars; the product stays below 2^126 for any input.
    let product =
        role.rate_400() * shares.e6() as u128 * spread_e8(px) as u128 * multiplier_e6 as u128;
    saturated(product.div_ceil(400 * 100_000_000_000_000))
}

/// Fee of one match under [`FeeRule::Curve`], rounded down to 1e-5 dollar
/// (polymarket.md section 6). Saturates where no order can be.
#[inline]
pub const fn curve_fee(shares: Shares, px: Px, rate_e6: u32, exponent: u8) -> Usd {
    // 1e-6 x 1e-6 x (1e-8)^exponent dollars, wanted in 1e-5.
    let mut product = shares.e6() as u128 * rate_e6 as u128;
    let mut unit: u128 = 10_000_000;
    let mut left = exponent;
    while left > 0 {
        product = match product.checked_mul(spread_e8(px) as u128) {
            Some(next) => next,
            None => return Usd::new(i64::MAX),
        };
        unit *= 100_000_000;
        left -= 1;
    }
    saturated(product / unit * 10)
}

const fn saturated(e6: u128) -> Usd {
    Usd::new(if e6 > i64::MAX as u128 { i64::MAX } else { e6 as i64 })
}

/// Rounding of an order's fills on the account's balance grid: the balance moves by whole steps,
/// and what that takes too much comes back as soon as it makes a step
/// (kalshi.md section 6, steps 2 to 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderFees {
    grid: i64,
    accumulator: i64,
}

impl OrderFees {
    /// Of an order without fills. `grid` above zero: 100 micro-dollars for a direct member,
    /// 10,000 through a broker; anything below one micro-dollar counts as one.
    pub const fn new(grid: Usd) -> OrderFees {
        OrderFees { grid: if grid.e6() < 1 { 1 } else { grid.e6() }, accumulator: 0 }
    }

    /// Net fee of the next fill. `revenue` is negative for buys.
    pub const fn fill(&mut self, revenue: Usd, trade_fee: Usd) -> Usd {
        let exact = revenue.e6().saturating_sub(trade_fee.e6());
        let rounding = exact.rem_euclid(self.grid);
        self.accumulator += rounding;
        let charged = trade_fee.e6().saturating_add(rounding);
        let ready = self.accumulator - self.accumulator % self.grid;
        let allowed = charged - charged.rem_euclid(self.grid);
        let rebate = if ready < allowed { ready } else { allowed };
        self.accumulator -= rebate;
        Usd::new(charged - rebate)
    }
}

/// Net taker fees of one order, fill by fill, whatever its rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FillFees {
    rule: FeeRule,
    order: OrderFees,
}

impl FillFees {
    /// Of an order without fills.
    pub const fn new(rule: FeeRule, balance_grid: Usd) -> FillFees {
        FillFees { rule, order: OrderFees::new(balance_grid) }
    }

    /// Net fee of buying `shares` at `px` for `cost`. An unknown rule charges more than there is.
    pub const fn buy(&mut self, shares: Shares, px: Px, cost: Usd) -> Usd {
        match self.rule {
            FeeRule::Quadratic { multiplier_e6 } => {
                let trade_fee = quadratic_fee(shares, px, multiplier_e6, Role::Taker);
                self.order.fill(Usd::new(-cost.e6()), trade_fee)
            }
            FeeRule::Curve { rate_e6, exponent } => curve_fee(shares, px, rate_e6, exponent),
            FeeRule::Unknown => Usd::new(i64::MAX),
        }
    }
}

/// Taker fee of exactly one contract as constants, so that the hot path multiplies once.
///
/// p(1-p) times a 64-bit reciprocal is the fee in the high word, in micro-dollars rounded up for a
/// quadratic rule and in tens of them rounded down for a curve of exponent 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, packed)] // Two of them share a cache line with all else that a pair's evaluation needs.
pub struct OneFee {
    /// 2^64 x the fee of p(1-p) = 1e-8 in the rule's unit, rounded up; for a curve of exponent 2
    /// its rate.
    scale: u64,
    /// Micro-dollars the product counts in: 1 rounds up, 10 down. 0 is an exponent of 2.
    unit: u8,
}

/// What a product in units of 1e-8 x 1e-6 x 1e4 divides by to be whole.
const ONE_DIVISOR: u128 = 10_000_000_000;
/// Just below one, as a fraction of 2^64: added before a floor it makes a ceiling. The gap, half of
/// 1e-10, tells an exact product from the next one, 1e-10 above.
const CEILING: u64 = u64::MAX - (u64::MAX as u128 / (2 * ONE_DIVISOR)) as u64;
// The reciprocal is too large by less than 1, so the product by less than the largest p(1-p).
const _: () = assert!(25_000_000 < u64::MAX - CEILING);

impl OneFee {
    /// The fee of an unknown rule: no edge survives it, and a few of them fit 32 bits.
    pub const PROHIBITIVE: i32 = 1 << 29;

    /// The constants of a rule.
    pub const fn new(rule: FeeRule) -> OneFee {
        const fn reciprocal(scale: u32) -> u64 {
            // At most 7e8 x 2^64 / 1e10, below 2^61.
            ((scale as u128) << 64).div_ceil(ONE_DIVISOR) as u64
        }
        match rule {
            FeeRule::Quadratic { multiplier_e6 } => {
                OneFee { scale: reciprocal(multiplier_e6.saturating_mul(7)), unit: 1 }
            }
            FeeRule::Curve { rate_e6, exponent: 1 } => {
                OneFee { scale: reciprocal(rate_e6.saturating_mul(10)), unit: 10 }
            }
            FeeRule::Curve { rate_e6, .. } => OneFee { scale: rate_e6 as u64, unit: 0 },
            FeeRule::Unknown => OneFee { scale: u64::MAX, unit: 0 },
        }
    }

    /// Micro-dollars for one contract at `e4`, a price in 1e-4 dollar up to 10,000.
    #[inline]
    pub fn e6(self, e4: u16) -> i32 {
        let (scale, unit) = (self.scale, self.unit);
        if unit == 0 {
            return squared_e6(scale, e4);
        }
        let p = u32::from(e4);
        let spread = p.wrapping_mul(u32::from(PX_ONE).wrapping_sub(p));
        let carry = if unit == 1 { CEILING } else { 0 };
        let product = u128::from(spread) * u128::from(scale) + u128::from(carry);
        // At most 1.75 dollars times a multiplier of a hundred.
        ((product >> 64) as u32).wrapping_mul(u32::from(unit)) as i32
    }
}

/// Exponent 2, which no market has today; or no known rule.
#[cold]
#[inline(never)]
fn squared_e6(scale: u64, e4: u16) -> i32 {
    let Ok(rate_e6) = u32::try_from(scale) else { return OneFee::PROHIBITIVE };
    let px = Px::new(e4).unwrap_or(Px::ONE);
    // At most a sixteenth of a dollar.
    curve_fee(Shares::new(1_000_000), px, rate_e6, 2).e6() as i32
}

/// More than the taker fee of one contract at any price up to `limit`, in micro-dollars, so that
/// cash set aside is enough where the fill is better, and its fee higher, than planned.
///
/// For a curve the fee grows with what the money buys: the bound is per contract *of budget*,
/// which is rate x limit, because shares x (p(1-p))^n is at most budget for n of 1 and 2.
pub const fn worst_fee_e6(rule: FeeRule, limit: Px) -> i64 {
    match rule {
        FeeRule::Quadratic { multiplier_e6 } => {
            let worst = if limit.e4() < PX_ONE / 2 { limit } else { Px::lit(PX_ONE / 2) };
            quadratic_fee(Shares::new(1_000_000), worst, multiplier_e6, Role::Taker).e6()
        }
        FeeRule::Curve { rate_e6, .. } => {
            (limit.e4() as i64 * rate_e6 as i64).div_euclid(PX_ONE as i64) + 1
        }
        FeeRule::Unknown => i64::MAX / 4,
    }
}

#[cfg(test)]
#[path = "fee_tests.rs"]
mod tests;
