use engine::pair::Outcome;

use super::*;
use crate::chaos::fixture::{self, leg};

fn bundle() -> Bundle {
    let legs = Venue::ALL.map(|venue| leg(venue, Outcome::Yes, 4_000_000));
    fixture::bundle(Purpose::Open, 2, legs)
}

fn accounts(kalshi_e2: i64, token_e6: i64, cash: i64) -> [Standing; 2] {
    [("KX", kalshi_e2), ("11", token_e6)].map(|(name, held)| Standing {
        cash: cash / 2,
        held: [(name.to_owned(), held)].into(),
        ..Standing::default()
    })
}

fn stakes(most: Option<[u64; 3]>, spent_max: Option<Usd>) -> Stakes {
    Stakes { most, spent_max, had: Usd::new(100_000_000), count: 0 }
}

#[test]
fn what_venues_hold_and_a_bundle_wants_stays_within_each_limit() {
    let most = Some([100_000_000, 100_000_000, 150_000_000]);
    let decided =
        |kalshi, token| stakes(most, None).decided(&bundle(), &accounts(kalshi, token, 0)).is_ok();
    assert!(decided(-9_000, 40_000_000), "NO is below zero");
    assert!(!decided(-11_000, 0) && !decided(0, 110_000_000));
    assert!(!decided(8_000, 80_000_000), "both together");
}

#[test]
fn money_that_is_out_stays_within_its_limit() {
    let decided = |cash| {
        stakes(None, Some(Usd::new(50_000_000))).decided(&bundle(), &accounts(0, 0, cash)).is_ok()
    };
    assert!(decided(60_000_000) && !decided(48_000_000));
}
