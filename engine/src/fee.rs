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

/// Taker fee of exactly one contract as constants, so that the hot path multiplies and shifts.
///
/// fee = (p(1-p) x `scale` + `carry`) / 1e10 x `unit`: for a quadratic rule scale = 7M, rounded up
/// to one micro-dollar; for a curve of exponent 1 scale = 10 rate, rounded down to ten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct OneFee {
    carry: u64,
    scale: u32,
    /// 0: no such form; `rate` of a curve of exponent 2 is in `scale`.
    unit: u8,
}

const ONE_DIVISOR: u64 = 10_000_000_000;
// The largest scale times the largest p(1-p) stays inside 64 bits, and inside 32 by itself.
const _: () = assert!(7 * (crate::pair::MULTIPLIER_E6_MAX as u64) <= u32::MAX as u64);
const _: () = assert!(ONE_DIVISOR < u64::MAX / OneFee::PROHIBITIVE as u64);

impl OneFee {
    /// The fee of an unknown rule: no edge survives it, and a few of them fit 32 bits.
    pub const PROHIBITIVE: i32 = 1 << 29;

    /// The constants of a rule.
    pub const fn new(rule: FeeRule) -> OneFee {
        match rule {
            FeeRule::Quadratic { multiplier_e6 } => {
                OneFee { carry: ONE_DIVISOR - 1, scale: multiplier_e6.saturating_mul(7), unit: 1 }
            }
            FeeRule::Curve { rate_e6, exponent: 1 } => {
                OneFee { carry: 0, scale: rate_e6.saturating_mul(10), unit: 10 }
            }
            FeeRule::Curve { rate_e6, .. } => OneFee { carry: 0, scale: rate_e6, unit: 0 },
            FeeRule::Unknown => {
                OneFee { carry: ONE_DIVISOR * OneFee::PROHIBITIVE as u64, scale: 0, unit: 1 }
            }
        }
    }

    /// Micro-dollars for one contract at `e4`, a price in 1e-4 dollar up to 10,000.
    #[inline]
    pub fn e6(self, e4: u16) -> i32 {
        if self.unit == 0 {
            return self.squared_e6(e4);
        }
        let p = u32::from(e4);
        let spread = u64::from(p.wrapping_mul(u32::from(PX_ONE).wrapping_sub(p)));
        let quotient = (spread * u64::from(self.scale)).wrapping_add(self.carry) / ONE_DIVISOR;
        // At most 1.75 dollars times a multiplier of a hundred.
        (quotient as u32).wrapping_mul(u32::from(self.unit)) as i32
    }

    #[cold]
    fn squared_e6(self, e4: u16) -> i32 {
        let px = Px::new(e4).unwrap_or(Px::ONE);
        // At most a sixteenth of a dollar.
        curve_fee(Shares::new(1_000_000), px, self.scale, 2).e6() as i32
    }
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
