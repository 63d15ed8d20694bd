//! Prices, sizes and money as integers, each with its unit in its type.
//!
//! `Px` x `Qty` is exactly micro-dollars (1e-4 x 1e-2 = 1e-6), so no rational number is needed
//! between a book and an order.

use core::fmt;
use core::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// A whole dollar in the unit of [`Px`].
pub const PX_ONE: u16 = 10_000;

/// One contract in the unit of [`Qty`].
pub const QTY_ONE: u64 = 100;

/// Which exchange a market trades on.
///
/// It is an address, never a rule: what a venue charges and how it rounds are values that a
/// pair carries ([`crate::pair`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Venue {
    /// Kalshi: one book a market, two ladders of bids.
    Kalshi = 0,
    /// Polymarket: two tokens a market, a book each.
    Polymarket = 1,
}

impl Venue {
    /// Both venues, in the order of their discriminants.
    pub const ALL: [Venue; 2] = [Venue::Kalshi, Venue::Polymarket];

    /// The lower-case name used in tapes, reports and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Venue::Kalshi => "kalshi",
            Venue::Polymarket => "polymarket",
        }
    }

    /// The venue of that lower-case name.
    pub fn from_name(name: &str) -> Option<Venue> {
        Venue::ALL.into_iter().find(|v| v.name() == name)
    }

    /// 0 or 1, for tables with a column a venue.
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Venue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Price of one contract in 1e-4 dollar. Invariant: 0..=10,000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Px(u16);

impl Px {
    /// Nothing, and the price that stands for an empty bid side.
    pub const ZERO: Px = Px(0);
    /// One dollar, and the price that stands for an empty ask side.
    pub const ONE: Px = Px(PX_ONE);

    /// The price, or `None` above one dollar.
    #[inline]
    pub const fn new(e4: u16) -> Option<Px> {
        if e4 <= PX_ONE { Some(Px(e4)) } else { None }
    }

    /// The price of a literal. Panics above one dollar, which a constant shows at compile time.
    pub const fn lit(e4: u16) -> Px {
        assert!(e4 <= PX_ONE);
        Px(e4)
    }

    /// 1e-4 dollars, 0..=10,000.
    #[inline]
    pub const fn e4(self) -> u16 {
        self.0
    }

    /// A NO bid at `self` is a YES ask at the complement.
    #[inline]
    #[must_use]
    pub const fn complement(self) -> Px {
        Px(PX_ONE - self.0)
    }
}

impl fmt::Display for Px {
    /// Dollars with four decimals, as Kalshi writes them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:04}", self.0 / PX_ONE, self.0 % PX_ONE)
    }
}

impl fmt::Debug for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Number of contracts in 1e-2 contract, for books and orders.
///
/// 64 bits: levels above 21,000,000 contracts were seen, close to the end of 32 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Qty(u64);

impl Qty {
    /// No contract.
    pub const ZERO: Qty = Qty(0);
    /// One contract.
    pub const ONE: Qty = Qty(QTY_ONE);
    /// The largest size a book or an order may hold: 10^13 contracts, so that price x size and
    /// sums of levels stay far inside 64 bits.
    pub const MAX: Qty = Qty(1_000_000_000_000_000);

    /// The size, or `None` above [`Qty::MAX`].
    #[inline]
    pub const fn new(e2: u64) -> Option<Qty> {
        if e2 <= Qty::MAX.0 { Some(Qty(e2)) } else { None }
    }

    /// The size of a literal. Panics above [`Qty::MAX`].
    pub const fn lit(e2: u64) -> Qty {
        assert!(e2 <= Qty::MAX.0);
        Qty(e2)
    }

    /// 1e-2 contracts.
    #[inline]
    pub const fn e2(self) -> u64 {
        self.0
    }

    /// True for no contract at all.
    #[inline]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The smaller of two sizes.
    #[inline]
    #[must_use]
    pub const fn min(self, other: Qty) -> Qty {
        if self.0 < other.0 { self } else { other }
    }

    /// `self - other`, and nothing where that would be negative.
    #[inline]
    #[must_use]
    pub const fn saturating_sub(self, other: Qty) -> Qty {
        Qty(self.0.saturating_sub(other.0))
    }

    /// `self + other`, at most [`Qty::MAX`].
    #[inline]
    #[must_use]
    pub const fn saturating_add(self, other: Qty) -> Qty {
        let sum = self.0.saturating_add(other.0);
        if sum > Qty::MAX.0 { Qty::MAX } else { Qty(sum) }
    }

    /// Dollars for `self` contracts at `px` each; exact.
    #[inline]
    pub const fn at(self, px: Px) -> Usd {
        // At most 1e15 x 1e4 = 1e19 would not fit; books stop at 1e15 and orders far below,
        // so saturate rather than wrap should a venue ever send such a level.
        let product = self.0 as i128 * px.0 as i128;
        if product > i64::MAX as i128 { Usd(i64::MAX) } else { Usd(product as i64) }
    }
}

impl fmt::Display for Qty {
    /// Contracts with two decimals, as Kalshi writes them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / QTY_ONE, self.0 % QTY_ONE)
    }
}

impl fmt::Debug for Qty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Contracts as filled, in 1e-6 contract: Polymarket fills are that fine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Shares(u64);

impl Shares {
    /// No share.
    pub const ZERO: Shares = Shares(0);

    /// `e6` millionths of a contract.
    #[inline]
    pub const fn new(e6: u64) -> Shares {
        Shares(e6)
    }

    /// 1e-6 contracts.
    #[inline]
    pub const fn e6(self) -> u64 {
        self.0
    }

    /// The part that a book or an order can express; the rest is dust.
    #[inline]
    pub const fn floor_qty(self) -> Qty {
        Qty(self.0 / 10_000)
    }

    /// What is below 0.01 contract.
    #[inline]
    #[must_use]
    pub const fn dust(self) -> Shares {
        Shares(self.0 % 10_000)
    }

    /// The smaller of two amounts.
    #[inline]
    #[must_use]
    pub const fn min(self, other: Shares) -> Shares {
        if self.0 < other.0 { self } else { other }
    }

    /// `self - other`, and nothing where that would be negative.
    #[inline]
    #[must_use]
    pub const fn saturating_sub(self, other: Shares) -> Shares {
        Shares(self.0.saturating_sub(other.0))
    }
}

impl From<Qty> for Shares {
    #[inline]
    fn from(qty: Qty) -> Shares {
        // Below 2^64 for [`Qty::MAX`], and for what `floor_qty` makes of any number.
        Shares(qty.0 * 10_000)
    }
}

impl Add for Shares {
    type Output = Shares;
    #[inline]
    fn add(self, other: Shares) -> Shares {
        Shares(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Shares {
    #[inline]
    fn add_assign(&mut self, other: Shares) {
        *self = *self + other;
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Money in micro-dollars, signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Usd(i64);

impl Usd {
    /// No money.
    pub const ZERO: Usd = Usd(0);
    /// One dollar: what a winning contract pays.
    pub const ONE: Usd = Usd(1_000_000);

    /// `e6` micro-dollars.
    #[inline]
    pub const fn new(e6: i64) -> Usd {
        Usd(e6)
    }

    /// Micro-dollars.
    #[inline]
    pub const fn e6(self) -> i64 {
        self.0
    }
}

impl Add for Usd {
    type Output = Usd;
    #[inline]
    fn add(self, other: Usd) -> Usd {
        Usd(self.0.saturating_add(other.0))
    }
}

impl Sub for Usd {
    type Output = Usd;
    #[inline]
    fn sub(self, other: Usd) -> Usd {
        Usd(self.0.saturating_sub(other.0))
    }
}

impl Neg for Usd {
    type Output = Usd;
    #[inline]
    fn neg(self) -> Usd {
        Usd(self.0.saturating_neg())
    }
}

impl AddAssign for Usd {
    #[inline]
    fn add_assign(&mut self, other: Usd) {
        *self = *self + other;
    }
}

impl SubAssign for Usd {
    #[inline]
    fn sub_assign(&mut self, other: Usd) {
        *self = *self - other;
    }
}

impl core::iter::Sum for Usd {
    fn sum<I: Iterator<Item = Usd>>(iter: I) -> Usd {
        iter.fold(Usd::ZERO, Add::add)
    }
}

impl fmt::Display for Usd {
    /// Dollars with six decimals and a sign where negative.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let abs = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:06}", abs / 1_000_000, abs % 1_000_000)
    }
}

impl fmt::Debug for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Nanoseconds: a duration, or a stamp of the clock that the name beside it says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(transparent)]
pub struct Ns(pub u64);

impl Ns {
    /// A duration of whole milliseconds.
    pub const fn from_ms(ms: u64) -> Ns {
        Ns(ms.saturating_mul(1_000_000))
    }

    /// The time from `earlier` to `self`; zero where a clock stepped back.
    #[inline]
    #[must_use]
    pub const fn since(self, earlier: Ns) -> Ns {
        Ns(self.0.saturating_sub(earlier.0))
    }

    /// `self + span`.
    #[inline]
    #[must_use]
    pub const fn after(self, span: Ns) -> Ns {
        Ns(self.0.saturating_add(span.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_times_size_is_exact_micro_dollars() {
        // 100 contracts at 0.5217 cost 52.17 dollars.
        assert_eq!(Qty::lit(10_000).at(Px::lit(5_217)), Usd::new(52_170_000));
        assert_eq!(Qty::MAX.at(Px::ONE), Usd::new(i64::MAX), "saturates, never wraps");
    }

    #[test]
    fn numbers_print_as_the_venues_write_them() {
        assert_eq!(Px::lit(560).to_string(), "0.0560");
        assert_eq!(Px::ONE.to_string(), "1.0000");
        assert_eq!(Qty::lit(777).to_string(), "7.77");
        assert_eq!(Usd::new(-1_500).to_string(), "-0.001500");
        assert_eq!(Shares::new(7_575_758).to_string(), "7.575758");
    }

    #[test]
    fn prices_above_a_dollar_do_not_exist() {
        assert_eq!(Px::new(10_001), None);
        assert_eq!(Px::new(10_000), Some(Px::ONE));
        assert_eq!(Px::lit(4_800).complement(), Px::lit(5_200));
    }

    #[test]
    fn dust_is_what_an_order_cannot_express() {
        let fill = Shares::new(7_575_758);
        assert_eq!(fill.floor_qty(), Qty::lit(757));
        assert_eq!(fill.dust(), Shares::new(5_758));
    }
}
