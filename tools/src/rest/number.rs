//! Decimals of JSON, written as texts or as numbers, as integers of a fixed unit. What is finer
//! than the unit is an error: money is never rounded in silence.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A decimal in units of 10^-`PLACES`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Debug)]
pub struct Decimal<const PLACES: u32>(pub i64);

/// Hundredths: contracts.
pub type E2 = Decimal<2>;
/// Ten-thousandths: prices.
pub type E4 = Decimal<4>;
/// Millionths: money and shares.
pub type E6 = Decimal<6>;

impl<const PLACES: u32> Decimal<PLACES> {
    /// Reads a decimal; zeros behind the last place that counts are allowed, as is an empty whole
    /// part (`.48`).
    pub fn parse(text: &str) -> Option<Decimal<PLACES>> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let part = part.trim_end_matches('0');
        let places = PLACES as usize;
        let plain = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole)
            || !plain(part)
            || part.len() > places
            || digits.trim_end_matches('.').is_empty()
        {
            return None;
        }
        let mut value: i64 = 0;
        let padding = std::iter::repeat_n(b'0', places - part.len());
        for digit in whole.bytes().chain(part.bytes()).chain(padding) {
            value = value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
        }
        Some(Decimal(if negative { -value } else { value }))
    }
}

impl<'de, const PLACES: u32> Deserialize<'de> for Decimal<PLACES> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads<const PLACES: u32>;

        impl<const PLACES: u32> Visitor<'_> for Reads<PLACES> {
            type Value = Decimal<PLACES>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a decimal with at most {PLACES} decimals, as text or number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let wrong = || E::invalid_value(de::Unexpected::Str(text), &self);
                Decimal::parse(text).ok_or_else(wrong)
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
                self.visit_str(&value.to_string())
            }

            // The shortest decimal that reads back as this number: the one that was written.
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
                self.visit_str(&value.to_string())
            }
        }

        deserializer.deserialize_any(Reads)
    }
}

impl<const PLACES: u32> fmt::Display for Decimal<PLACES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (value, scale) = (self.0.unsigned_abs(), 10u64.pow(PLACES));
        write!(f, "{sign}{}.{:02$}", value / scale, value % scale, PLACES as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_are_exact() {
        let read = |json: &str| serde_json::from_str::<E4>(json).map(|d| d.0).ok();
        assert_eq!(read("\"0.5600\""), Some(5_600));
        assert_eq!(read("\"-3.00\""), Some(-30_000));
        assert_eq!(read("\".48\""), Some(4_800));
        assert_eq!(read("0.0001"), Some(1));
        assert_eq!(read("0.07"), Some(700));
        assert_eq!(read("5"), Some(50_000));
        assert_eq!(read("-5"), Some(-50_000));
        assert_eq!(read("\"0.560000000\""), Some(5_600));
        for bad in ["\"0.00001\"", "\"\"", "\".\"", "\"1e3\"", "\"-\"", "\"+1\"", "null", "1e300"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(E2::parse("123456789012345678901"), None);
        for text in ["0.01", "-12.30", "7.00"] {
            assert_eq!(E2::parse(text).unwrap().to_string(), text);
        }
    }
}
