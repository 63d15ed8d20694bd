//! What cancels out, what comes back, and that no micro-dollar is lost on the way.

use super::*;
use proptest::prelude::*;

fn lot(shares: u64, cost: i64) -> Lot {
    Lot { shares: Shares::new(shares), cost: Usd::new(cost) }
}

#[test]
fn what_pays_together_leaves_whatever_bundle_it_came_from() {
    let mut stock = Stock::new(Polarity::Same);
    stock.add(0, Outcome::Yes, lot(3_000_000, 1_200_000));
    assert_eq!(stock.pair_off(), Lot::default());
    assert_eq!(stock.sums(), [Shares::new(3_000_000), Shares::ZERO]);
    stock.add(1, Outcome::No, lot(2_000_000, 1_000_001));
    assert_eq!(stock.pair_off(), lot(2_000_000, 800_000 + 1_000_001));
    assert_eq!(stock.open(0, Outcome::Yes), lot(1_000_000, 400_000));
    assert_eq!(stock.cost(), Usd::new(400_000));
    // The complement on the same venue does as well.
    stock.add(0, Outcome::No, lot(1_000_000, 650_000));
    assert_eq!(stock.pair_off(), lot(1_000_000, 1_050_000));
    assert_eq!((stock.sums(), stock.cost()), ([Shares::ZERO; 2], Usd::ZERO));
}

#[test]
fn an_inverted_pair_hedges_yes_with_yes() {
    let mut stock = Stock::new(Polarity::Inverted);
    stock.add(0, Outcome::Yes, lot(5, 2));
    stock.add(1, Outcome::Yes, lot(5, 2));
    assert_eq!(stock.pair_off(), lot(5, 4));
    stock.add(0, Outcome::Yes, lot(5, 2));
    stock.add(1, Outcome::No, lot(5, 2));
    assert_eq!(stock.pair_off(), Lot::default(), "both pay together");
}

#[test]
fn what_was_matched_is_open_again_when_its_counterpart_goes() {
    let mut stock = Stock::new(Polarity::Same);
    for (side, outcome, cost) in [(0, Outcome::Yes, 400), (1, Outcome::No, 500)] {
        stock.note(side, outcome, lot(1_000, cost));
        stock.add(side, outcome, lot(1_000, cost));
    }
    stock.pair_off();
    let out = stock.withdraw(1, Outcome::No, Shares::new(600));
    assert_eq!((out.open, out.reopened, out.cost), (Usd::ZERO, Shares::new(600), Usd::new(240)));
    assert_eq!(stock.open(0, Outcome::Yes), lot(600, 240));
    // What is open goes first.
    stock.add(1, Outcome::Yes, lot(100, 50));
    let out = stock.withdraw(1, Outcome::Yes, Shares::new(40));
    assert_eq!((out.open, out.reopened), (Usd::new(20), Shares::ZERO));
    // Of what was never bought nothing is known but that a contract costs a dollar at most.
    let mut fresh = Stock::new(Polarity::Same);
    let out = fresh.withdraw(1, Outcome::No, Shares::new(7));
    assert_eq!((out.reopened, out.cost), (Shares::new(7), Usd::new(7)));
    assert_eq!(fresh.sums(), [Shares::new(7), Shares::ZERO], "a short NO is a naked YES");
}

proptest! {
    /// Whatever comes in which order: contracts and cost that went in are open or came off.
    #[test]
    fn nothing_is_lost(
        inverted: bool,
        moves in proptest::collection::vec((0..4usize, 1..5_000_000u64, 0..5_000_000i64), 1..40),
    ) {
        let polarity = if inverted { Polarity::Inverted } else { Polarity::Same };
        let mut stock = Stock::new(polarity);
        let (mut cost, mut off, mut sums) = (0, Lot::default(), [0u64; 2]);
        for (asset, shares, paid) in moves {
            let (side, outcome) = ASSETS[asset];
            stock.add(side, outcome, lot(shares, paid));
            sums[pays(polarity, side, outcome) as usize] += shares;
            cost += paid;
            let gone = stock.pair_off();
            off.join(gone);
            let left = stock.sums().map(Shares::e6);
            prop_assert!(left.contains(&0), "all that can cancel out did");
            prop_assert_eq!(left[0] as i64 - left[1] as i64, sums[0] as i64 - sums[1] as i64);
            prop_assert_eq!(stock.cost().e6() + off.cost.e6(), cost);
            prop_assert_eq!(off.shares.e6() + left[0].max(left[1]), sums[0].max(sums[1]));
        }
    }
}
