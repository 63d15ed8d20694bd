//! A pair that joins, as bytes; the worst that it pays stands behind them, where it is known.

use super::{Get, Put, get_fee, put_fee};
use crate::pair::{FeeRule, Instrument, LegOrder, Listing, PairId, Polarity, SizeRule, Verdict};
use crate::units::{Ns, Px, Qty};

const VERDICTS: [Verdict; 5] = [
    Verdict::Tradable,
    Verdict::Approved,
    Verdict::NeedsReview,
    Verdict::Blocked,
    Verdict::Unspecified,
];

pub(super) fn put_listing(put: &mut Put<'_>, listing: &Listing) {
    put.u16(listing.pair.0);
    put.u16(listing.event.0);
    put.u8(listing.polarity as u8);
    put.u8(listing.legs.map_or(0, |order| order as u8 + 1));
    put.u8(VERDICTS.iter().position(|v| *v == listing.verdict).unwrap_or_default() as u8);
    for side in &listing.sides {
        put_side(put, side);
    }
    for at in [listing.expected_resolution, listing.close_time, listing.game_start] {
        // No moment is the last one that there is.
        put.u64(at.map_or(u64::MAX, |at| at.0));
    }
}

pub(super) fn get_listing(get: &mut Get<'_>) -> Option<Listing> {
    let (pair, event) = (PairId(get.u16()?), PairId(get.u16()?));
    let polarity = *[Polarity::Same, Polarity::Inverted].get(usize::from(get.u8()?))?;
    let legs = match get.u8()? {
        0 => None,
        order => Some(*LegOrder::ALL.get(usize::from(order) - 1)?),
    };
    let verdict = *VERDICTS.get(usize::from(get.u8()?))?;
    let sides = [get_side(get)?, get_side(get)?];
    let [expected_resolution, close_time, game_start] = [moment(get)?, moment(get)?, moment(get)?];
    Some(Listing {
        pair,
        event,
        polarity,
        legs,
        verdict,
        sides,
        expected_resolution,
        close_time,
        game_start,
        worst_payoff: Px::ZERO,
    })
}

fn put_side(put: &mut Put<'_>, side: &Instrument) {
    put.market(side.market);
    put_fee(put, Some(side.fee));
    put.u64(side.size.min_qty.e2());
    put.u64(side.size.min_notional.e6().cast_unsigned());
    put.u8(u8::from(side.size.whole_cents));
    put.u16(side.tick.e4());
    put.u64(side.taker_delay.0);
}

fn get_side(get: &mut Get<'_>) -> Option<Instrument> {
    let market = get.market()?;
    let fee: FeeRule = get_fee(get)??;
    let size = SizeRule {
        min_qty: Qty::new(get.u64()?)?,
        min_notional: get.usd()?,
        whole_cents: get.bool()?,
    };
    Some(Instrument { market, fee, size, tick: get.px()?, taker_delay: Ns(get.u64()?) })
}

fn moment(get: &mut Get<'_>) -> Option<Option<Ns>> {
    let at = get.u64()?;
    Some((at != u64::MAX).then_some(Ns(at)))
}
