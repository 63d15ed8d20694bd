//! Fees.

use engine::fee::curve_fee;
use engine::units::{Px, Shares};

use crate::{decimal, each_row};

#[test]
fn vectors_of_fees() {
    each_row("polymarket_fees.json", |row| {
        let exact = |key: &str, scale: usize| {
            let (value, exact) = decimal(row.text(key), scale);
            assert!(exact, "{}: {key}", row.what);
            value
        };
        assert_eq!(row.text("liquidity"), "taker", "{}: makers pay nothing", row.what);
        let (shares_e6, price_e4) = (exact("shares", 6), exact("price", 4));
        let fee = curve_fee(
            Shares::new(shares_e6 as u64),
            Px::new(price_e4 as u16).unwrap(),
            exact("rate", 6) as u32,
            row.number("exponent") as u8,
        );
        row.gives("feeBaseUnits", &fee.e6().to_string());
        // Money in units of 1e-10: shares x price is exact there.
        let (fee_e10, cost_e10) = (fee.e6() as u128 * 10_000, shares_e6 * price_e4);
        for (key, want) in [
            ("feePusd", fee_e10),
            ("buyTotalPusdIfShares", cost_e10 + fee_e10),
            ("sellNetPusd", cost_e10 - fee_e10),
        ] {
            let stated = row.output(key).as_str().unwrap();
            assert_eq!(decimal(stated, 10), (want, true), "{}: {key}", row.what);
        }
    });
}
