//! A leg as an order on Polymarket: what is given and what is got, in millionths, exactly as the
//! venue recomputes it (polymarket.md section 5.6).

use core::fmt;

use engine::pair::SizeRule;
use engine::units::{PX_ONE, Px, Qty, Usd};

use crate::action::Action;
use crate::token::TokenId;

/// Micro-dollars of a cent.
const CENT_E6: u64 = 10_000;

/// How an order is matched (`orderType`, polymarket.md section 5.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OrderType {
    /// Rests until it is cancelled.
    Gtc,
    /// Rests until then. The venue ends it a minute early and wants 180 s at least.
    Gtd {
        /// Unix seconds.
        until_s: u64,
    },
    /// All of it now or nothing.
    Fok,
    /// What is there now; the rest is killed.
    Fak,
}

/// What an order gives and gets, in millionths of a pUSD and of a share.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Amounts {
    /// What we give: pUSD of a BUY, shares of a SELL.
    pub maker_amount: u64,
    /// What we get: shares of a BUY, pUSD of a SELL.
    pub taker_amount: u64,
}

/// An order that Polymarket can take. Made by [`PolymarketIntent::new`], which refuses all others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PolymarketIntent {
    /// Bought or sold.
    pub side: Action,
    /// Which outcome.
    pub token: TokenId,
    /// Worst price of that outcome.
    pub price: Px,
    /// Shares on the order. A marketable BUY may fill more of them (polymarket.md section 5.4).
    pub size: Qty,
    /// How it is matched.
    pub order_type: OrderType,
    /// What we give; signed.
    pub maker_amount: u64,
    /// What we get; signed.
    pub taker_amount: u64,
}

/// Why a leg cannot be an order on Polymarket.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refused {
    /// The tick does not divide a dollar into steps.
    Tick(Px),
    /// The price is no multiple of the tick, or not inside of tick..=1 - tick.
    Price(Px),
    /// No share of 0.01, no cent, or more than 64 bits hold.
    Size,
    /// A marketable BUY that is no whole number of cents; snap its size by [`snap_taker_buy`].
    Cents,
}

impl PolymarketIntent {
    /// The order that does `side` with `size` shares of `token` at `price` each or better.
    pub fn new(
        side: Action,
        token: TokenId,
        price: Px,
        size: Qty,
        order_type: OrderType,
        tick: Px,
    ) -> Result<PolymarketIntent, Refused> {
        let Amounts { maker_amount, taker_amount } = limit_amounts(side, price, size, tick)?;
        let taker = matches!(order_type, OrderType::Fok | OrderType::Fak);
        if taker && side == Action::Buy && !maker_amount.is_multiple_of(CENT_E6) {
            return Err(Refused::Cents);
        }
        Ok(PolymarketIntent { side, token, price, size, order_type, maker_amount, taker_amount })
    }
}

impl PolymarketIntent {
    /// Micro-dollars that it gives, or gets at its limit.
    pub const fn money(&self) -> u64 {
        match self.side {
            Action::Buy => self.maker_amount,
            Action::Sell => self.taker_amount,
        }
    }
}

/// Amounts of an order built from price and size, whatever its type. Always exact: a price of at
/// most 4 decimals times a size of 2 is whole micro-dollars.
pub fn limit_amounts(side: Action, price: Px, size: Qty, tick: Px) -> Result<Amounts, Refused> {
    check_price(price, tick)?;
    if size.is_zero() {
        return Err(Refused::Size);
    }
    let shares_e6 = size.e2().checked_mul(10_000).ok_or(Refused::Size)?;
    let pusd_e6 = size.e2().checked_mul(u64::from(price.e4())).ok_or(Refused::Size)?;
    Ok(match side {
        Action::Buy => Amounts { maker_amount: pusd_e6, taker_amount: shares_e6 },
        Action::Sell => Amounts { maker_amount: shares_e6, taker_amount: pusd_e6 },
    })
}

/// Amounts of a marketable BUY that spends `budget`, floored to cents: the server takes no finer
/// amount. Shares are truncated to the decimals that the tick allows, which keeps given / got at
/// or above `price`, so that an ask exactly there still matches.
pub fn market_buy_amounts(price: Px, budget: Usd, tick: Px) -> Result<Amounts, Refused> {
    let unit_e6 = check_price(price, tick)?;
    let budget_e6 = u64::try_from(budget.e6()).map_err(|_| Refused::Size)?;
    let maker_amount = budget_e6 - budget_e6 % CENT_E6;
    if maker_amount == 0 {
        return Err(Refused::Size);
    }
    let exact = u128::from(maker_amount) * u128::from(PX_ONE) / u128::from(price.e4());
    let shares_e6 = u64::try_from(exact).map_err(|_| Refused::Size)?;
    Ok(Amounts { maker_amount, taker_amount: shares_e6 - shares_e6 % unit_e6 })
}

/// The largest size up to `size` at which a marketable BUY at `price` is a whole number of cents.
pub fn snap_taker_buy(price: Px, size: Qty) -> Qty {
    let rule = SizeRule { min_qty: Qty::ZERO, min_notional: Usd::ZERO, whole_cents: true };
    let step_e2 = rule.step_e2(price);
    size.saturating_sub(Qty::new(size.e2() % step_e2).unwrap_or(Qty::ZERO))
}

/// Proves the price and gives the smallest part of a share, in millionths, that an amount on this
/// tick may hold: 2 decimals more than the tick has (polymarket.md section 5.6, first table).
fn check_price(price: Px, tick: Px) -> Result<u64, Refused> {
    let (price_e4, tick_e4) = (price.e4(), tick.e4());
    if tick_e4 == 0 || !PX_ONE.is_multiple_of(tick_e4) {
        return Err(Refused::Tick(tick));
    }
    let inside = price_e4 >= tick_e4 && price_e4 <= PX_ONE - tick_e4;
    if !inside || !price_e4.is_multiple_of(tick_e4) {
        return Err(Refused::Price(price));
    }
    Ok(match tick_e4 {
        t if t.is_multiple_of(1_000) => 1_000,
        t if t.is_multiple_of(100) => 100,
        t if t.is_multiple_of(10) => 10,
        _ => 1,
    })
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Tick(px) => write!(f, "a tick of {px} does not divide a dollar"),
            Refused::Price(px) => write!(f, "price {px} is off the tick or outside of it"),
            Refused::Size => write!(f, "the size is below the smallest or above 64 bits"),
            Refused::Cents => write!(f, "price x size of a marketable BUY is no whole cents"),
        }
    }
}

impl core::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> TokenId {
        TokenId::parse("55617098058076723215002744096").unwrap()
    }

    #[test]
    fn a_marketable_buy_is_whole_cents_and_nothing_else_needs_to_be() {
        let new = |side, price: u16, size: u64, kind| {
            PolymarketIntent::new(side, token(), Px::lit(price), Qty::lit(size), kind, Px::lit(1))
        };
        let (buy, sell) = (Action::Buy, Action::Sell);
        assert_eq!(new(buy, 2_345, 100, OrderType::Fok), Err(Refused::Cents));
        assert_eq!(new(buy, 2_345, 100, OrderType::Fak), Err(Refused::Cents));
        assert!(new(buy, 2_345, 100, OrderType::Gtc).is_ok());
        assert!(new(sell, 2_345, 100, OrderType::Fok).is_ok());
        let order = new(buy, 2_345, 2_000, OrderType::Fok).unwrap();
        assert_eq!((order.maker_amount, order.taker_amount), (4_690_000, 20_000_000));
        assert_eq!((order.side, order.token), (buy, token()));
        let order = new(sell, 2_345, 2_000, OrderType::Fak).unwrap();
        assert_eq!((order.maker_amount, order.taker_amount), (20_000_000, 4_690_000));
    }

    #[test]
    fn snapping_finds_the_largest_size_of_whole_cents() {
        for (price, size, want) in
            [(5_000, 12_345, 12_344), (100, 199, 100), (9_900, 250, 200), (2_345, 3_999, 2_000)]
        {
            assert_eq!(snap_taker_buy(Px::lit(price), Qty::lit(size)), Qty::lit(want));
        }
        // The slow twin: count down until price x size is whole cents.
        for price in (1..10_000u64).step_by(7) {
            for size in [1, 99, 100, 12_345, 20_001] {
                let slow = (0..=size).rev().find(|q| (q * price).is_multiple_of(10_000));
                let snapped = snap_taker_buy(Px::lit(price as u16), Qty::lit(size));
                assert_eq!(Some(snapped.e2()), slow, "{price} {size}");
            }
        }
    }

    #[test]
    fn impossible_orders() {
        let limit = |price, size, tick| {
            limit_amounts(Action::Buy, Px::lit(price), Qty::lit(size), Px::lit(tick))
        };
        assert_eq!(limit(5_000, 100, 0), Err(Refused::Tick(Px::ZERO)));
        assert_eq!(limit(5_000, 100, 300), Err(Refused::Tick(Px::lit(300))));
        assert_eq!(limit(0, 100, 100), Err(Refused::Price(Px::ZERO)));
        assert_eq!(limit(10_000, 100, 100), Err(Refused::Price(Px::ONE)));
        assert_eq!(limit(5_050, 100, 100), Err(Refused::Price(Px::lit(5_050))));
        assert_eq!(limit(5_000, 0, 100), Err(Refused::Size));
        assert!(limit(9_999, Qty::MAX.e2(), 1).is_ok(), "the largest order fits 64 bits");
        let spend = |price, e6| market_buy_amounts(Px::lit(price), Usd::new(e6), Px::lit(1));
        assert_eq!(spend(5_000, 9_999), Err(Refused::Size));
        assert_eq!(spend(5_000, -10_000), Err(Refused::Size));
        assert_eq!(spend(1, i64::MAX), Err(Refused::Size));
    }
}
