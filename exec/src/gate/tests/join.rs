//! Markets of pairs that join while a gate trades.

use super::kalshi::body;
use super::rig::*;
use crate::gate::*;
use crate::terms::KalshiTerms;
use engine::event::{Reject, ReportKind};
use engine::grid::Grid;
use engine::pair::{FeeRule, Instrument, Listing, Outcome, PairId, Polarity, SizeRule, Verdict};
use engine::units::{Px, Qty, Usd, Venue};

fn listing(index: usize) -> Listing {
    let side = |venue| Instrument {
        market: market(venue, index),
        fee: FeeRule::Quadratic { multiplier_e6: 1_000_000 },
        size: SizeRule { min_qty: Qty::ZERO, min_notional: Usd::ZERO, whole_cents: false },
        tick: Px::lit(100),
        taker_delay: Ns(0),
    };
    Listing {
        pair: PairId(8),
        event: PairId(8),
        polarity: Polarity::Same,
        legs: None,
        verdict: Verdict::Approved,
        sides: Venue::ALL.map(side),
        expected_resolution: None,
        close_time: None,
        game_start: None,
    }
}

#[test]
fn an_order_for_a_market_that_came_follows_its_pair_and_not_before() {
    let (rig, _headers) = kalshi();
    let (mut tell, markets) = rtrb::RingBuffer::new(TERMS_RING_DEPTH);
    let mut rig = rig.with_markets(markets);
    let came = market(Venue::Kalshi, 5);
    let mut legs = legs();
    legs[0] = leg(came, Outcome::No, 4_000, 1_000);
    // Nobody told of it: what the core never sends is refused, not sent wrongly.
    let bundle = rig.bundle(legs);
    rig.send(bundle);
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Rejected(Reject::Malformed)]);
    let terms = KalshiTerms { ticker: "KXNEW-1".to_owned(), exchange_index: 3, grid: Grid::CENT };
    assert!(tell.push((came, terms)).is_ok());
    // Rules are taken before the bundle that follows from them, in one step.
    assert!(rig.rules.push(Control::Join(listing(5))).is_ok());
    let (_, request) = rig.fire(legs);
    let order = body(&request);
    assert_eq!((&order["ticker"], &order["exchange_index"]), (&"KXNEW-1".into(), &3.into()));
}
