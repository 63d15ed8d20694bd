//! Amounts as decimal text, spelled as the venue spells them.

use engine::units::Px;

/// Millionths without trailing zeros: `310.55`, `1200`.
pub fn e6(value: u64) -> String {
    scaled(value, 6, 0)
}

/// A price without trailing zeros: `0.5`.
pub fn price(px: Px) -> String {
    scaled(u64::from(px.e4()), 4, 0)
}

/// A price of 1e-4 dollar as a tick is written: `0.01`.
pub fn tick(e4: u16) -> String {
    scaled(u64::from(e4), 4, 0)
}

/// The price of the last trade keeps three decimals: `0.520`.
pub fn last_price(px: Px) -> String {
    scaled(u64::from(px.e4()), 4, 3)
}

fn scaled(value: u64, decimals: u32, least: usize) -> String {
    // Written backwards: every level of every book comes through here.
    let (mut rest, mut places) = (value, decimals as usize);
    while places > least && rest.is_multiple_of(10) {
        (rest, places) = (rest / 10, places - 1);
    }
    let mut text = [0; 32];
    let mut at = text.len();
    let mut put = |byte| {
        at -= 1;
        text[at] = byte;
    };
    for _ in 0..places {
        put(b'0' + (rest % 10) as u8);
        rest /= 10;
    }
    if places > 0 {
        put(b'.');
    }
    loop {
        put(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text[at..].iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_spelled_as_the_venue_does() {
        assert_eq!(e6(310_550_000), "310.55");
        assert_eq!(e6(1_200_000_000), "1200");
        assert_eq!(e6(7_575_758), "7.575758");
        assert_eq!(e6(0), "0");
        assert_eq!(price(Px::lit(5_000)), "0.5");
        assert_eq!(price(Px::ONE), "1");
        assert_eq!(last_price(Px::lit(5_200)), "0.520");
        assert_eq!(last_price(Px::lit(5_225)), "0.5225");
        assert_eq!(tick(25), "0.0025");
        assert_eq!(e6(u64::MAX), "18446744073709.551615");
    }

    #[test]
    fn amounts_are_those_of_a_slow_twin() {
        let slow = |value: u64, decimals: u32, least: usize| {
            let unit = 10_u64.pow(decimals);
            let part = format!("{:0width$}", value % unit, width = decimals as usize);
            let kept = part.trim_end_matches('0').len().max(least);
            match &part[..kept] {
                "" => (value / unit).to_string(),
                part => format!("{}.{part}", value / unit),
            }
        };
        let mut rng = crate::rng::Rng::new(7);
        for _ in 0..20_000 {
            let value = rng.bits() >> (8 + rng.below(56));
            let value = value / 10_u64.pow(rng.below(7) as u32) * 10_u64.pow(rng.below(3) as u32);
            for (decimals, least) in [(6, 0), (4, 0), (4, 3)] {
                assert_eq!(scaled(value, decimals, least), slow(value, decimals, least), "{value}");
            }
        }
    }
}
