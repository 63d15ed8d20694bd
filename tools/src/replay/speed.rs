//! How fast a tape is played: as fast as it goes, or at a multiple of its own time.

use std::fmt;
use std::str::FromStr;

use engine::units::Ns;

/// A multiple of the tape's own speed in thousandths; none is as fast as it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Speed(Option<u32>);

impl Speed {
    /// As fast as it goes.
    pub const MAX: Speed = Speed(None);

    /// True where the tape's own time does not matter.
    pub const fn is_max(self) -> bool {
        self.0.is_none()
    }

    /// How long a span of the tape takes.
    pub fn span(self, on_tape: Ns) -> Ns {
        let Some(thousandths) = self.0 else { return Ns(0) };
        let ns = u128::from(on_tape.0) * 1_000 / u128::from(thousandths);
        Ns(u64::try_from(ns).unwrap_or(u64::MAX))
    }
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Speed, String> {
        let wrong = || {
            format!(
                "`{text}` is no speed: write `max`, or a multiple from 0.001x to 1000000x such as `1x` or `20x`"
            )
        };
        if text == "max" {
            return Ok(Speed::MAX);
        }
        let number = text.strip_suffix('x').ok_or_else(wrong)?;
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |t: &str, most: usize| {
            (!t.is_empty() && t.len() <= most && t.bytes().all(|b| b.is_ascii_digit()))
                .then(|| t.parse::<u32>().ok())
                .flatten()
        };
        let thousandths =
            digits(decimals, 3).ok_or_else(wrong)? * 10u32.pow(3 - decimals.len() as u32);
        let whole = digits(whole, 7).filter(|w| *w <= 1_000_000).ok_or_else(wrong)?;
        match whole * 1_000 + thousandths {
            0 => Err(wrong()),
            speed => Ok(Speed(Some(speed))),
        }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("max"),
            Some(e3) if e3 % 1_000 == 0 => write!(f, "{}x", e3 / 1_000),
            Some(e3) => write!(f, "{}.{:03}x", e3 / 1_000, e3 % 1_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds() {
        for (text, span) in [("1x", 3_000), ("20x", 150), ("0.5x", 6_000), ("1.25x", 2_400)] {
            let speed: Speed = text.parse().unwrap();
            assert_eq!(speed.span(Ns(3_000)), Ns(span), "{text}");
        }
        assert!("max".parse::<Speed>().unwrap().is_max());
        for text in ["", "x", "1", "0x", "-1x", "1.2345x", "fast", "99999999x", "NaNx", "1e3x"] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
        assert_eq!("20x".parse::<Speed>().unwrap().to_string(), "20x");
    }
}
