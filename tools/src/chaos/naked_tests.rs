use engine::event::{BundleId, Leg};
use engine::top::MarketId;
use engine::units::{Px, Qty};

use super::*;
use crate::chaos::fixture::{bundle, leg};

const PAIR: PairId = PairId(0);

fn naked(most: i64) -> Naked {
    let polarities = vec![Polarity::Same];
    Naked { polarities, most, rows: vec![Row::default()], processes: 1, count: 0 }
}

fn opens(reserve: i64) -> Bundle {
    let first = leg(Venue::Kalshi, Outcome::Yes, reserve);
    bundle(Purpose::Open, 2, [first, leg(Venue::Polymarket, Outcome::No, reserve)])
}

fn report(bundle: u64, leg: u8, kind: ReportKind) -> Report {
    let (market, outcome) = match leg {
        0 => (MarketId::new(Venue::Kalshi, 0).unwrap(), Outcome::Yes),
        _ => (MarketId::new(Venue::Polymarket, 0).unwrap(), Outcome::No),
    };
    let (bundle, action, at) = (BundleId(bundle), Action::Buy, Ns(0));
    Report { bundle, pair: PAIR, leg, market, outcome, action, at, kind }
}

fn filled(shares: u64) -> ReportKind {
    let cash = Usd::new(shares as i64 * 4 / 10);
    ReportKind::Filled { shares: Shares::new(shares), px: Px::lit(4_000), cash, fee: Usd::ZERO }
}

#[test]
fn either_leg_of_a_bundle_is_within_the_bound_and_so_is_what_it_leaves_alone() {
    let mut naked = naked(4_000_000);
    assert!(naked.decided(&opens(4_000_001)).is_err());
    naked.decided(&opens(4_000_000)).unwrap();
    naked.filled(&report(7, 0, filled(10_000_000))).unwrap();
    assert_eq!(naked.rows[0].alone_e6(), 10_000_000);
    naked.filled(&report(7, 1, filled(9_995_000))).unwrap();
    naked.ended(PAIR, BundleId(7));
    assert_eq!(naked.rows[0].alone_e6(), 5_000, "dust");
    naked.decided(&opens(4_000_000)).unwrap();
}

#[test]
fn what_nobody_decided_widens_the_bound_until_it_is_closed() {
    let mut naked = naked(4_000_000);
    naked.decided(&opens(4_000_000)).unwrap();
    naked.filled(&report(7, 0, filled(10_000_000))).unwrap();
    naked.filled(&report(7, 1, filled(10_000_000))).unwrap();
    naked.ended(PAIR, BundleId(7));
    let undone = ReportKind::Undone {
        shares: Shares::new(10_000_000),
        px: Px::lit(4_000),
        cash: Usd::new(4_000_000),
        fee: Usd::ZERO,
    };
    naked.filled(&report(7, 1, undone)).unwrap();
    assert_eq!((naked.rows[0].alone_e6(), naked.rows[0].beyond), (10_000_000, 10_000_000));
    naked.filled(&report(6, 1, filled(10_000_000))).unwrap();
    assert_eq!((naked.rows[0].alone_e6(), naked.rows[0].beyond), (0, 0));
}

#[test]
fn nothing_is_opened_beside_what_lies_alone_and_no_repair_is_larger_than_it() {
    let mut naked = naked(100_000_000);
    naked.decided(&opens(4_000_000)).unwrap();
    naked.filled(&report(7, 0, filled(9_000_000))).unwrap();
    naked.ended(PAIR, BundleId(7));
    assert!(naked.decided(&opens(4_000_000)).is_err());
    let legs = [leg(Venue::Polymarket, Outcome::No, 4_000_000); 2];
    let repair = |legs| Repair {
        bundle: bundle(Purpose::Chase, 1, legs),
        naked: Shares::ZERO,
        pays: Outcome::Yes,
        value: Usd::ZERO,
        fair: Usd::ZERO,
        tries: 0,
    };
    assert!(naked.repairs(&repair(legs)).is_err(), "ten contracts to close nine");
    let nine = legs.map(|leg| Leg { qty: Qty::lit(900), ..leg });
    naked.repairs(&repair(nine)).unwrap();
}

#[test]
fn what_lies_alone_while_everything_works_is_closed_or_told_in_time() {
    let mut naked = naked(100_000_000);
    naked.decided(&opens(4_000_000)).unwrap();
    naked.filled(&report(7, 0, filled(9_000_000))).unwrap();
    let late = CLOSED_WITHIN.after(Ns(2));
    naked.look(Ns(1), None).unwrap();
    naked.look(late, None).unwrap();
    naked.look(late, Some(Ns(2))).unwrap();
    assert!(naked.look(late, Some(Ns(1))).is_err());
    let risk = Risk::Unhedged;
    naked.event(&Event::RiskTripped { pair: PAIR, at: Ns(0), risk }).unwrap();
    naked.look(late, Some(Ns(1))).unwrap();
    assert!(naked.is_told(PAIR));
}
