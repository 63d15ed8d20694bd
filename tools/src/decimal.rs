//! Amounts as people write them, on the command line and in files: decimals that become integers
//! exactly or not at all.

use std::str::FromStr;

use engine::units::{Px, Qty, Usd};

/// Most micro-dollars that are taken as meant: a billion dollars.
const USD_E6_MAX: u64 = 1_000_000_000_000_000;

/// Most hundredths of a contract that are taken as meant: ten million contracts.
const QTY_E2_MAX: u64 = 1_000_000_000;

/// Dollars with up to six decimals, from zero to a billion, exactly.
///
/// # Errors
/// Says what to write instead.
pub fn usd(text: &str) -> Result<Usd, String> {
    let e6 = decimal(text, 6)
        .ok_or_else(|| format!("`{text}` is no amount: write dollars such as 0.01 or 10000"))?;
    i64::try_from(e6)
        .ok()
        .filter(|_| e6 <= USD_E6_MAX)
        .map(Usd::new)
        .ok_or_else(|| format!("`{text}` is above a billion dollars"))
}

/// Contracts with up to two decimals, from 0.01 to ten million.
///
/// # Errors
/// Says what to write instead.
pub fn contracts(text: &str) -> Result<Qty, String> {
    decimal(text, 2)
        .filter(|e2| (1..=QTY_E2_MAX).contains(e2))
        .and_then(Qty::new)
        .ok_or_else(|| format!("`{text}` is no size: write contracts from 0.01 to 10000000"))
}

/// A price inside of a dollar with up to four decimals.
///
/// # Errors
/// Says what to write instead.
pub fn price(text: &str) -> Result<Px, String> {
    decimal(text, 4)
        .and_then(|e4| u16::try_from(e4).ok())
        .filter(|e4| (1..10_000).contains(e4))
        .and_then(Px::new)
        .ok_or_else(|| format!("`{text}` is no price: write dollars from 0.0001 to 0.9999"))
}

/// What Kalshi rounds an account's balance to (kalshi.md section 6).
///
/// # Errors
/// Names both grids.
pub fn balance_grid(text: &str) -> Result<Usd, String> {
    match usd(text)?.e6() {
        100 => Ok(Usd::new(100)),
        10_000 => Ok(Usd::new(10_000)),
        _ => Err(format!("`{text}`: Kalshi knows 0.0001 (direct members) and 0.01 (brokers)")),
    }
}

/// A plain decimal as an integer of 10^-`places`; `None` where it is none or is finer than that.
pub fn decimal(text: &str, places: usize) -> Option<u64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > places {
        return None;
    }
    let scale = 10u64.checked_pow(u32::try_from(places).ok()?)?;
    let fraction = u64::from_str(&format!("{decimals:0<places$}")).ok()?;
    u64::from_str(whole).ok()?.checked_mul(scale)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        assert_eq!(usd("0"), Ok(Usd::ZERO));
        assert_eq!(usd("0.0123"), Ok(Usd::new(12_300)));
        assert_eq!(usd("10000"), Ok(Usd::new(10_000_000_000)));
        for text in ["", "-1", "1e3", "0.1234567", ".5", "5.", "1,000", "NaN", "99999999999"] {
            assert!(usd(text).is_err(), "{text}");
        }
        assert_eq!(contracts("0.01"), Ok(Qty::lit(1)));
        assert!(contracts("0").is_err());
        assert_eq!(balance_grid("0.01"), Ok(Usd::new(10_000)));
        assert!(balance_grid("0.02").is_err());
        assert_eq!(price("0.5601"), Ok(Px::lit(5_601)));
        for text in ["0", "1", "1.0", "0.00001", "56"] {
            assert!(price(text).is_err(), "{text}");
        }
    }
}
