//! Decimal text to integers. No float, no allocation, nothing rounded silently.
//!
//! The grammar is one for every field of both venues: digits, then at most one point followed by
//! digits; the digits before the point may be missing (`".48"` stands in polymarket.md section
//! 2.2). No exponent, no plus sign, no blank, no `NaN`.

use core::fmt;

use engine::units::{Px, Qty};

/// Longest text that is read as a number. A venue sends some 20 characters at most; the limit
/// keeps a hostile number from costing time.
pub const TEXT_MAX: usize = 64;

/// Largest multiplier, ratio or rate in 1e-6: one million.
pub const RATIO_E6_MAX: u64 = 1_000_000_000_000;

/// Why a text is not the number that the field asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NumberError {
    /// No text at all.
    Empty,
    /// A character that has no place in a plain decimal: a letter, an exponent, a second point.
    Digit,
    /// Below zero where nothing below zero exists.
    Negative,
    /// More decimals than the unit of the field holds, and they are not zero.
    TooFine,
    /// Above the largest value of the field.
    TooLarge,
    /// More than [`TEXT_MAX`] characters.
    TooLong,
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NumberError::Empty => "is empty, a decimal number was expected",
            NumberError::Digit => "is no plain decimal number",
            NumberError::Negative => "is negative",
            NumberError::TooFine => "has more decimals than the unit holds",
            NumberError::TooLarge => "is too large",
            NumberError::TooLong => "is longer than any number a venue sends",
        })
    }
}

impl core::error::Error for NumberError {}

/// A price in dollars, 0 to 1, at most four decimals that are not zero.
#[inline]
pub fn price(text: &[u8]) -> Result<Px, NumberError> {
    if let [b'0', b'.', decimals @ ..] = text {
        // Nearly every price on the wire has this form: four characters, one load.
        let digits = match *decimals {
            [a] => [a, b'0', b'0', b'0'],
            [a, b] => [a, b, b'0', b'0'],
            [a, b, c] => [a, b, c, b'0'],
            [a, b, c, d] => [a, b, c, d],
            _ => return price_slow(text),
        };
        if let Some(px) = four_digits(digits).and_then(Px::new) {
            return Ok(px);
        }
    }
    price_slow(text)
}

/// A number of contracts, floored to 0.01: the book shows no more than what is there.
#[inline]
pub fn size_floor(text: &[u8]) -> Result<Qty, NumberError> {
    if text.first() == Some(&b'-') {
        return Err(NumberError::Negative);
    }
    let (e2, _) = scaled(text, 2)?;
    Qty::new(e2).ok_or(NumberError::TooLarge)
}

/// A signed change in 0.01 contract; at most [`Qty::MAX`] either way. Never rounded: a finer
/// change would leave the level wrong for good.
#[inline]
pub fn delta_e2(text: &[u8]) -> Result<i64, NumberError> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let (e2, exact) = scaled(digits, 2)?;
    if e2 > Qty::MAX.e2() {
        return Err(NumberError::TooLarge);
    }
    if !exact {
        return Err(NumberError::TooFine);
    }
    Ok(if negative { -(e2 as i64) } else { e2 as i64 })
}

/// A multiplier or rate in 1e-6, exact, at most [`RATIO_E6_MAX`].
pub fn ratio_e6(text: &[u8]) -> Result<u64, NumberError> {
    if text.first() == Some(&b'-') {
        return Err(NumberError::Negative);
    }
    let (e6, exact) = scaled(text, 6)?;
    if e6 > RATIO_E6_MAX {
        return Err(NumberError::TooLarge);
    }
    if exact { Ok(e6) } else { Err(NumberError::TooFine) }
}

/// A whole number: a timestamp, a counter, an id.
#[inline]
pub fn unsigned(text: &[u8]) -> Result<u64, NumberError> {
    match text {
        [] => return Err(NumberError::Empty),
        [b'-', ..] => return Err(NumberError::Negative),
        _ if text.len() > TEXT_MAX => return Err(NumberError::TooLong),
        _ => {}
    }
    let mut value = 0u64;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(NumberError::Digit);
        }
        value = value
            .checked_mul(10)
            .and_then(|v| v.checked_add(u64::from(digit)))
            .ok_or(NumberError::TooLarge)?;
    }
    Ok(value)
}

/// A whole number with an optional minus sign.
pub fn signed(text: &[u8]) -> Result<i64, NumberError> {
    match text {
        [b'-', digits @ ..] => {
            let abs = unsigned(digits).map_err(|e| match e {
                NumberError::Negative => NumberError::Digit, // a second minus
                other => other,
            })?;
            0i64.checked_sub_unsigned(abs).ok_or(NumberError::TooLarge)
        }
        digits => i64::try_from(unsigned(digits)?).map_err(|_| NumberError::TooLarge),
    }
}

#[cold]
fn price_slow(text: &[u8]) -> Result<Px, NumberError> {
    if text.first() == Some(&b'-') {
        return Err(NumberError::Negative);
    }
    let (e4, exact) = scaled(text, 4)?;
    let px = u16::try_from(e4).ok().and_then(Px::new).ok_or(NumberError::TooLarge)?;
    if !exact {
        // 1.00001 is above a dollar before it is too fine.
        return Err(if px == Px::ONE { NumberError::TooLarge } else { NumberError::TooFine });
    }
    Ok(px)
}

/// Four decimal digits, the first the most significant.
#[inline]
fn four_digits(digits: [u8; 4]) -> Option<u16> {
    let v = u32::from_le_bytes(digits) ^ 0x3030_3030;
    // A byte above 9 carries into its top bit, and one above 0x7f has it already.
    if (v.wrapping_add(0x7676_7676) | v) & 0x8080_8080 != 0 {
        return None;
    }
    // Neighbouring digits to pairs, then pairs to the number; no sum leaves its byte or half.
    let pairs = (v * 10 + (v >> 8)) & 0x00ff_00ff;
    Some(((pairs & 0xffff) * 100 + (pairs >> 16)) as u16)
}

/// The unsigned decimal in units of 10^-`scale`, floored, and whether nothing was cut off.
/// A value beyond 64 bits saturates, which every caller's limit refuses.
#[inline]
fn scaled(text: &[u8], scale: usize) -> Result<(u64, bool), NumberError> {
    if text.is_empty() {
        return Err(NumberError::Empty);
    }
    if text.len() > TEXT_MAX {
        return Err(NumberError::TooLong);
    }
    let mut value = 0u64;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.saturating_mul(10).saturating_add(u64::from(digit));
        at += 1;
    }
    let decimals: &[u8] = match text.get(at) {
        None => &[],
        Some(b'.') if at + 1 < text.len() => &text[at + 1..],
        Some(_) => return Err(NumberError::Digit),
    };
    let mut exact = true;
    for (place, &byte) in decimals.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(NumberError::Digit);
        }
        if place < scale {
            value = value.saturating_mul(10).saturating_add(u64::from(digit));
        } else {
            exact &= digit == 0;
        }
    }
    for _ in decimals.len()..scale {
        value = value.saturating_mul(10);
    }
    Ok((value, exact))
}

#[cfg(test)]
mod tests {
    use super::*;
    use NumberError::*;
    use proptest::prelude::*;

    #[test]
    fn prices_in_every_spelling() {
        for (text, want) in [
            ("0.5600", Ok(5_600)),
            (".48", Ok(4_800)),
            ("0.920", Ok(9_200)),
            ("0.0001", Ok(1)),
            ("0.1", Ok(1_000)),
            ("1", Ok(10_000)),
            ("1.0000", Ok(10_000)),
            ("1.00000000", Ok(10_000)),
            ("0", Ok(0)),
            ("0.0000", Ok(0)),
            ("00.5", Ok(5_000)),
            ("0.48000000000000000000000000000000000000", Ok(4_800)),
            ("", Err(Empty)),
            (".", Err(Digit)),
            ("0.", Err(Digit)),
            ("-0.5", Err(Negative)),
            ("+0.5", Err(Digit)),
            ("NaN", Err(Digit)),
            ("1e-2", Err(Digit)),
            ("0.5e1", Err(Digit)),
            ("0.5 ", Err(Digit)),
            ("0.1.2", Err(Digit)),
            ("0.00001", Err(TooFine)),
            ("0.30000000000000004", Err(TooFine)),
            ("1.0001", Err(TooLarge)),
            ("1.00001", Err(TooLarge)),
            ("5210", Err(TooLarge)),
            ("1000000000000000000000000000000000000000", Err(TooLarge)),
            ("\u{0660}.5", Err(Digit)),
        ] {
            assert_eq!(price(text.as_bytes()).map(Px::e4), want, "{text:?}");
        }
        assert_eq!(price(&[b'0'; TEXT_MAX + 1]), Err(TooLong));
    }

    #[test]
    fn sizes_are_floored_and_changes_are_exact() {
        assert_eq!(size_floor(b"1644.12"), Ok(Qty::lit(164_412)));
        assert_eq!(size_floor(b"21006065"), Ok(Qty::lit(2_100_606_500)));
        assert_eq!(size_floor(b"7.575758"), Ok(Qty::lit(757)));
        assert_eq!(size_floor(b"0.009999"), Ok(Qty::ZERO));
        assert_eq!(size_floor(b"10000000000000"), Ok(Qty::MAX));
        assert_eq!(size_floor(b"10000000000000.01"), Err(TooLarge));
        assert_eq!(size_floor(b"-1"), Err(Negative));

        assert_eq!(delta_e2(b"-200.00"), Ok(-20_000));
        assert_eq!(delta_e2(b"7.77"), Ok(777));
        assert_eq!(delta_e2(b"-0.00"), Ok(0));
        assert_eq!(delta_e2(b"1.500000"), Ok(150));
        assert_eq!(delta_e2(b"-0.001"), Err(TooFine));
        assert_eq!(delta_e2(b"--1"), Err(Digit));
        assert_eq!(delta_e2(b"-"), Err(Empty));
        assert_eq!(delta_e2(b"99999999999999999999999"), Err(TooLarge));
    }

    #[test]
    fn whole_numbers_and_ratios() {
        assert_eq!(unsigned(b"1795000000123"), Ok(1_795_000_000_123));
        assert_eq!(unsigned(b"18446744073709551615"), Ok(u64::MAX));
        assert_eq!(unsigned(b"18446744073709551616"), Err(TooLarge));
        assert_eq!(unsigned(b"1.0"), Err(Digit));
        assert_eq!(unsigned(b"-1"), Err(Negative));
        assert_eq!(unsigned(b""), Err(Empty));
        assert_eq!(signed(b"-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(signed(b"9223372036854775808"), Err(TooLarge));
        assert_eq!(signed(b"--1"), Err(Digit));
        assert_eq!(ratio_e6(b"1"), Ok(1_000_000));
        assert_eq!(ratio_e6(b"0.07"), Ok(70_000));
        assert_eq!(ratio_e6(b"0.0000001"), Err(TooFine));
    }

    /// The slow twin: the decimal in 1e-80, as digits of equal length that text order compares.
    fn wide(text: &str) -> Option<String> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let sound = digits(whole)
            && digits(part)
            && !(whole.is_empty() && part.is_empty())
            && !(part.is_empty() && text.contains('.'));
        sound.then(|| format!("{whole:0>80}{part:0<80}"))
    }

    fn slow(text: &str, scale: usize) -> Option<(u128, bool)> {
        let wide = wide(text)?;
        let (kept, cut) = wide.split_at(80 + scale);
        let kept = kept.trim_start_matches('0');
        let value = if kept.is_empty() { 0 } else { kept.parse().unwrap_or(u128::MAX) };
        Some((value, cut.bytes().all(|b| b == b'0')))
    }

    proptest! {
        #[test]
        fn numbers_agree_with_the_slow_twin(
            text in prop_oneof![
                "[0-9]{0,6}\\.?[0-9]{0,7}",
                "[01]\\.[0-9]{0,5}0{0,3}",
                "[0-9.eE+-]{0,8}",
                "[0-9]{15,45}\\.?[0-9]{0,3}",
            ]
        ) {
            let bytes = text.as_bytes();
            let twin = |scale: usize| slow(&text, scale);
            prop_assert_eq!(
                price(bytes).ok().map(|px| u128::from(px.e4())),
                twin(4).filter(|&(v, exact)| exact && v <= 10_000).map(|(v, _)| v)
            );
            prop_assert_eq!(
                size_floor(bytes).ok().map(|q| u128::from(q.e2())),
                twin(2).filter(|&(v, _)| v <= u128::from(Qty::MAX.e2())).map(|(v, _)| v)
            );
            let change = twin(2)
                .filter(|&(v, exact)| exact && v <= u128::from(Qty::MAX.e2()))
                .map(|(v, _)| v as i64);
            prop_assert_eq!(delta_e2(bytes).ok().filter(|_| !text.starts_with('-')), change);
            prop_assert_eq!(
                delta_e2(format!("-{text}").as_bytes()).ok(),
                change.map(|v| -v)
            );
            prop_assert_eq!(
                ratio_e6(bytes).ok().map(u128::from),
                twin(6).filter(|&(v, exact)| exact && v <= u128::from(RATIO_E6_MAX)).map(|(v, _)| v)
            );
            let whole = text.parse::<u64>().ok().filter(|_| !text.starts_with('+'));
            prop_assert_eq!(unsigned(bytes).ok(), whole);
            let whole = text.parse::<i64>().ok().filter(|_| !text.starts_with('+'));
            prop_assert_eq!(signed(bytes).ok(), whole);
        }
    }
}
