//! Answers and private messages as JSON, read tolerantly: a field that is missing, null or of
//! another type is simply not there.

use engine::units::{Px, Qty, Shares, Usd};
use feeds::json::Value;

/// Decimals of a micro-dollar and of a millionth of a share.
const MICRO_DECIMALS: usize = 6;

/// The field `key` of an object, unless it is null.
pub fn get<'t, 'a, 'f>(object: Value<'t, 'a, 'f>, key: &str) -> Option<Value<'t, 'a, 'f>> {
    let mut entries = object.entries("").ok()?;
    entries.find(|(name, _)| *name == key).map(|(_, value)| value).filter(|v| !v.is_null())
}

/// A text field.
pub fn text<'a>(object: Value<'_, 'a, '_>, key: &str) -> Option<&'a str> {
    get(object, key)?.text("").ok()
}

/// A price field.
pub fn price(object: Value<'_, '_, '_>, key: &str) -> Option<Px> {
    get(object, key)?.price("").ok()
}

/// A field of contracts in 0.01.
pub fn qty(object: Value<'_, '_, '_>, key: &str) -> Option<Qty> {
    get(object, key)?.size("").ok()
}

/// A field of shares in 1e-6.
pub fn shares(object: Value<'_, '_, '_>, key: &str) -> Option<Shares> {
    micro(get(object, key)?).map(Shares::new)
}

/// A field of dollars in 1e-6, not negative.
pub fn usd(object: Value<'_, '_, '_>, key: &str) -> Option<Usd> {
    i64::try_from(micro(get(object, key)?)?).ok().map(Usd::new)
}

/// A true-or-false field; false where it is absent.
pub fn flag(object: Value<'_, '_, '_>, key: &str) -> bool {
    get(object, key).is_some_and(|value| value.flag("").unwrap_or(false))
}

fn micro(value: Value<'_, '_, '_>) -> Option<u64> {
    match value.text("") {
        Ok(text) => micro_of_text(text),
        Err(_) => value.ratio_e6("").ok(),
    }
}

/// Millionths of a decimal text without sign or exponent; `None` where it is finer than that.
fn micro_of_text(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + part.len() == 0 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let mut value = 0u64;
    let (kept, cut) = part.split_at(part.len().min(MICRO_DECIMALS));
    if cut.bytes().any(|b| b != b'0') {
        return None;
    }
    let zeros = core::iter::repeat_n(b'0', MICRO_DECIMALS - kept.len());
    for digit in whole.bytes().chain(kept.bytes()).chain(zeros) {
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn millionths_are_exact_or_nothing() {
        for (text, e6) in [
            ("13.25", 13_250_000),
            ("25", 25_000_000),
            (".48", 480_000),
            ("5.", 5_000_000),
            ("219.217767", 219_217_767),
            ("0.0000010", 1),
            ("18446744073709.551615", u64::MAX),
        ] {
            assert_eq!(micro_of_text(text), Some(e6), "{text}");
        }
        for text in ["", ".", "-1", "+1", "1e3", "1.0000001", "18446744073709.551616", "1.2.3", "x"]
        {
            assert_eq!(micro_of_text(text), None, "{text}");
        }
    }
}
