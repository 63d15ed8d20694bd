//! Arbitrary bytes as a decimal number: the fast readings against digits in a long line.
#![no_main]

use engine::units::Qty;
use feeds::number::{
    RATIO_E6_MAX, TEXT_MAX, delta_e2, price, ratio_e6, signed, size_floor, unsigned,
};
use libfuzzer_sys::fuzz_target;

/// The decimal in units of 10^-`scale`, cut, and whether nothing was lost.
fn slow(text: &str, scale: usize) -> Option<(u128, bool)> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if text.len() > TEXT_MAX || text.is_empty() || text.ends_with('.') {
        return None;
    }
    if !digits(whole) || !digits(part) {
        return None;
    }
    let line = format!("{whole}{part:0<scale$}");
    let (kept, cut) = line.split_at(whole.len() + scale);
    let kept = kept.trim_start_matches('0');
    let value = if kept.is_empty() { 0 } else { kept.parse().unwrap_or(u128::MAX) };
    Some((value, cut.bytes().all(|b| b == b'0')))
}

fuzz_target!(|bytes: &[u8]| {
    let text = core::str::from_utf8(bytes).unwrap_or("not a number");
    let exact = |text: &str, scale: usize, max: u64| {
        slow(text, scale).filter(|&(v, exact)| exact && v <= u128::from(max)).map(|(v, _)| v)
    };
    assert_eq!(price(bytes).ok().map(|px| u128::from(px.e4())), exact(text, 4, 10_000));
    assert_eq!(ratio_e6(bytes).ok().map(u128::from), exact(text, 6, RATIO_E6_MAX));
    let floored = slow(text, 2).filter(|&(v, _)| v <= u128::from(Qty::MAX.e2()));
    assert_eq!(size_floor(bytes).ok().map(|q| u128::from(q.e2())), floored.map(|(v, _)| v));

    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    // The sign is no digit: it does not count against the length.
    let change = exact(digits, 2, Qty::MAX.e2()).map(|v| sign * v as i64);
    assert_eq!(delta_e2(bytes).ok(), change);

    let plain = !text.contains('+') && text.len() <= TEXT_MAX;
    assert_eq!(unsigned(bytes).ok(), text.parse::<u64>().ok().filter(|_| plain));
    let plain = !text.contains('+') && digits.len() <= TEXT_MAX;
    assert_eq!(signed(bytes).ok(), text.parse::<i64>().ok().filter(|_| plain));
});
