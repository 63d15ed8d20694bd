//! Numbers, times and names as Kalshi writes them (kalshi.md section 0).

use engine::payoff::Settlement;
use engine::units::{Ns, Px, Qty, Usd};
use serde_json::Value;
use time::OffsetDateTime;

/// Contracts, signed, from 1e-2 contract.
pub fn contracts(e2: i64) -> String {
    let sign = if e2 < 0 { "-" } else { "" };
    let abs = e2.unsigned_abs();
    format!("{sign}{}.{:02}", abs / 100, abs % 100)
}

/// Contracts from a size of the book.
pub fn size(e2: u64) -> String {
    format!("{}.{:02}", e2 / 100, e2 % 100)
}

/// Dollars with six decimals.
pub fn dollars6(usd: Usd) -> String {
    usd.to_string()
}

/// Dollars with four decimals, or with six where four would lose something.
pub fn dollars4(usd: Usd) -> String {
    let mut text = usd.to_string();
    if usd.e6() % 100 == 0 {
        text.truncate(text.len() - 2);
    }
    text
}

/// How a market ended: `scalar` where a contract pays a part of its dollar.
pub fn result(settlement: Settlement) -> &'static str {
    match settlement {
        Settlement::YES => "yes",
        Settlement::NO => "no",
        _ => "scalar",
    }
}

/// A price as a number of cents, with a part of one only where there is one.
pub fn cents(px: Px) -> Value {
    number(u64::from(px.e4()), 2)
}

/// An integer of `scale` decimals as the shortest number that is written so.
pub fn number(scaled: u64, scale: u32) -> Value {
    let one = 10_u64.pow(scale);
    if scaled.is_multiple_of(one) {
        return Value::from(scaled / one);
    }
    let part = format!("{:0width$}", scaled % one, width = scale as usize);
    let text = format!("{}.{}", scaled / one, part.trim_end_matches('0'));
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// A count of an order: up to two decimals; `None` where it is none.
pub fn parse_count(text: &str) -> Option<Qty> {
    Qty::new(scaled(text, 0, 2)?)
}

/// A price of an order: two to four decimals.
pub fn parse_price(text: &str) -> Option<Px> {
    Px::new(u16::try_from(scaled(text, 2, 4)?).ok()?)
}

/// A decimal number as an integer of `scale` decimals.
fn scaled(text: &str, decimals_min: usize, scale: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = !whole.is_empty() && whole.len() <= 13 && digits(whole) && digits(part);
    if !is_plain || part.len() < decimals_min || part.len() > scale || text.ends_with('.') {
        return None;
    }
    format!("{whole}{part:0<scale$}").parse().ok()
}

/// Unix milliseconds.
pub const fn ms(at: Ns) -> u64 {
    at.0 / 1_000_000
}

/// Unix seconds.
pub const fn secs(at: Ns) -> u64 {
    at.0 / 1_000_000_000
}

/// The stamp of Unix seconds.
pub const fn from_secs(secs: u64) -> Ns {
    Ns(secs.saturating_mul(1_000_000_000))
}

/// RFC 3339 with microseconds, UTC.
pub fn rfc3339(at: Ns) -> String {
    let head = rfc3339_secs(secs(at));
    format!("{}.{:06}Z", head.trim_end_matches('Z'), at.0 / 1_000 % 1_000_000)
}

/// RFC 3339 with whole seconds, UTC. Beyond the calendar it is the calendar's beginning.
pub fn rfc3339_secs(secs: u64) -> String {
    let secs = i64::try_from(secs).unwrap_or_default();
    let at = OffsetDateTime::from_unix_timestamp(secs).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = at.to_hms();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A UUID that a number always gets again.
pub fn uuid(space: u64, number: u64) -> String {
    let high = mixed(mixed(space).wrapping_add(number));
    let low = mixed(high ^ number);
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

/// The finaliser of SplitMix64: a bijection, so different numbers stay different.
const fn mixed(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_prices_are_read_as_the_venue_does() {
        assert_eq!(parse_count("10.00"), Some(Qty::lit(1_000)));
        assert_eq!(parse_count("2.5"), Some(Qty::lit(250)));
        assert_eq!(parse_count("7"), Some(Qty::lit(700)));
        for bad in ["", ".5", "1.", "1.001", "-1", "1e3", " 1", "99999999999999"] {
            assert_eq!(parse_count(bad), None, "{bad}");
        }
        assert_eq!(parse_price("0.56"), Some(Px::lit(5_600)));
        assert_eq!(parse_price("0.0321"), Some(Px::lit(321)));
        for bad in ["0.5", "1", "0.56000", "1.0001", "x"] {
            assert_eq!(parse_price(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_and_money_are_written_as_the_venue_does() {
        assert_eq!(rfc3339(Ns(1_781_159_370_164_956_000)), "2026-06-11T06:29:30.164956Z");
        assert_eq!(rfc3339_secs(1_669_149_841), "2022-11-22T20:44:01Z");
        assert_eq!(dollars4(Usd::new(78_018_600)), "78.0186");
        assert_eq!(dollars4(Usd::new(-17_472)), "-0.017472");
        assert_eq!(contracts(-5_405), "-54.05");
        for (e4, cents_told) in [(10_000, "100"), (0, "0"), (3_700, "37"), (3_705, "37.05")] {
            assert_eq!(cents(Px::lit(e4)).to_string(), cents_told);
        }
        assert_eq!(number(500_000, 6).to_string(), "0.5");
        let split = Settlement::split(Px::lit(1));
        assert_eq!([Settlement::YES, Settlement::NO, split].map(result), ["yes", "no", "scalar"]);
    }

    #[test]
    fn ids_look_like_uuids_and_differ() {
        let ids: std::collections::HashSet<_> = (0..1_000).map(|n| uuid(1, n)).collect();
        assert_eq!(ids.len(), 1_000);
        let one = uuid(1, 7);
        assert_eq!(
            (one.len(), one.as_bytes()[14], one.matches('-').count()),
            (36, b'4', 4),
            "{one}"
        );
    }
}
