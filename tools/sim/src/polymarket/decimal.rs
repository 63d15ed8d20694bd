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
    let unit = 10_u64.pow(decimals);
    let (whole, part) = (value / unit, value % unit);
    let mut text = format!("{part:0width$}", width = decimals as usize);
    while text.len() > least && text.ends_with('0') {
        text.pop();
    }
    if text.is_empty() { whole.to_string() } else { format!("{whole}.{text}") }
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
    }
}
