//! Lists of price levels as they come from the wire.

use engine::units::{PX_ONE, Px, Qty};

use crate::error::{DecodeError, DecodeErrorKind};
use crate::json::Value;

/// Most levels of one side: twice the prices that exist, so that a longer list is no book.
pub const LEVELS_MAX: usize = 2 * (PX_ONE as usize + 1);

/// Fills `levels` with the list's prices and sizes in the order of the wire. No list is accepted
/// that is too long or names a price twice, since then one of the two sizes would be lost.
pub(crate) fn read<'t, 'a, 'f>(
    list: Value<'t, 'a, 'f>,
    field: &'static str,
    levels: &mut Vec<(Px, Qty)>,
    level: impl Fn(Value<'t, 'a, 'f>) -> Result<(Px, Qty), DecodeError>,
) -> Result<(), DecodeError> {
    let elements = list.elements(field)?;
    if elements.len() > LEVELS_MAX {
        return Err(list.error(DecodeErrorKind::TooManyItems, field));
    }
    for element in elements {
        levels.push(level(element)?);
    }
    if has_twin(levels) {
        return Err(list.error(DecodeErrorKind::DuplicateLevel, field));
    }
    Ok(())
}

fn has_twin(levels: &[(Px, Qty)]) -> bool {
    // Both venues sort, one way or the other; only a list out of order needs the bitmap.
    let ascends = levels.windows(2).all(|pair| pair[0].0 < pair[1].0);
    if ascends || levels.windows(2).all(|pair| pair[0].0 > pair[1].0) {
        return false;
    }
    let mut seen = [0u64; (PX_ONE as usize + 1).div_ceil(64)];
    levels.iter().any(|&(px, _)| {
        let e4 = usize::from(px.e4());
        let (word, bit) = (e4 / 64, 1 << (e4 % 64));
        let twin = seen[word] & bit != 0;
        seen[word] |= bit;
        twin
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(prices: &[u16]) -> Vec<(Px, Qty)> {
        prices.iter().map(|&e4| (Px::lit(e4), Qty::ONE)).collect()
    }

    #[test]
    fn a_price_that_stands_twice_is_seen_in_any_order() {
        for (prices, want) in [
            (&[][..], false),
            (&[0], false),
            (&[0, 63, 64, 10_000], false),
            (&[10_000, 64, 63, 0], false),
            (&[64, 0, 10_000], false),
            (&[0, 0], true),
            (&[5, 4, 4], true),
            (&[10_000, 3, 10_000], true),
        ] {
            assert_eq!(has_twin(&levels(prices)), want, "{prices:?}");
        }
    }
}
