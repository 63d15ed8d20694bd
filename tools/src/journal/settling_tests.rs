//! When a market that is over was paid for, by what its answers say one after the other.

use super::*;
use engine::pair::Outcome;
use engine::units::{Px, Shares};

const HALF: Px = Px::lit(5_000);

fn market(index: usize) -> MarketId {
    MarketId::new(Venue::Polymarket, index).unwrap()
}

fn claim(index: usize, each: Px, paid: i64) -> Claim {
    let shares = Shares::new(10_000_000);
    let (market, outcome, paid) = (market(index), Outcome::Yes, Usd::new(paid));
    Claim { market, payouts: vec![Payout { market, outcome, shares, each, paid }] }
}

/// What is booked of these claims, all of whose tokens read nothing, when so much money came.
fn hear(settling: &mut Settling, claims: &[Claim], moved: i64) -> Vec<usize> {
    let missing: Vec<Missing> = claims
        .iter()
        .map(|it| Missing { market: it.market, shares: [10_000_000, 0], is_known: false })
        .collect();
    let found = settling.hear(&missing, claims.to_vec(), [Usd::new(moved); 2]);
    found.iter().map(|payout| payout.market.index()).collect()
}

#[test]
fn a_winner_is_paid_where_its_money_is_there_or_three_answers_say_that_it_is_gone() {
    let won = [claim(0, Px::ONE, 10), claim(1, Px::ONE, 7)];
    let mut settling = Settling::default();
    assert_eq!(hear(&mut settling, &won, 17), [0, 1], "its money is there");
    let mut settling = Settling::default();
    assert_eq!(hear(&mut settling, &won, 16), [0; 0]);
    assert_eq!(hear(&mut settling, &won, 16), [0; 0]);
    assert_eq!(hear(&mut settling, &[], -1), [0; 0], "both were there again");
    for _ in 0..2 {
        assert_eq!(hear(&mut settling, &won, -5), [0; 0]);
    }
    assert_eq!(hear(&mut settling, &won, -5), [0, 1], "whatever else moved money");
}

#[test]
fn what_paid_nothing_is_gone_after_three_answers_and_what_changes_begins_anew() {
    let lost = [claim(0, Px::ZERO, 0)];
    let mut settling = Settling::default();
    let found: Vec<_> = (0..3).map(|_| hear(&mut settling, &lost, 100).len()).collect();
    assert_eq!(found, [0, 0, 1]);
    let won = [claim(0, Px::ONE, 10)];
    let mut settling = Settling::default();
    let mut turn = |shares| {
        let missing = [Missing { market: market(0), shares, is_known: false }];
        settling.hear(&missing, won.to_vec(), [Usd::ZERO; 2]).len()
    };
    assert_eq!([turn([9, 0]), turn([9, 0]), turn([8, 0])], [0; 3]);
    assert_eq!([turn([8, 0]), turn([8, 0])], [0, 1]);
}

#[test]
fn what_was_told_to_be_gone_was_paid_for_where_its_money_came_since() {
    let won = [claim(0, Px::ONE, 10)];
    for (came, booked) in [(9, 0), (10, 1)] {
        let mut settling = Settling::default();
        assert_eq!(hear(&mut settling, &[], -100), [0; 0], "of long before");
        let mut turn = |claims: &[Claim], news| {
            let missing = [Missing { market: market(0), shares: [10, 0], is_known: true }];
            let moved = [Usd::new(came - 100), Usd::new(news)];
            settling.hear(&missing, claims.to_vec(), moved).len()
        };
        (0..9).for_each(|_| assert_eq!(turn(&[], came), 0, "nobody named a winner"));
        assert_eq!(turn(&won, 0), booked, "{came}");
    }
}

#[test]
fn a_void_market_waits_for_its_own_money_and_for_no_other() {
    let void = claim(0, HALF, 50);
    let mut settling = Settling::default();
    // Somebody took ten before: that is what it is told against.
    assert_eq!(hear(&mut settling, &[], -10), [0; 0]);
    for _ in 0..9 {
        assert_eq!(
            hear(&mut settling, std::slice::from_ref(&void), 31),
            [0; 0],
            "a fill is unheard"
        );
    }
    // Another market pays as well, and waits for its answers.
    let both = [void.clone(), claim(1, Px::ONE, 7)];
    let mut found = Vec::new();
    for _ in 0..3 {
        found.extend(hear(&mut settling, &both, 40 + 6));
    }
    assert_eq!(found, [1], "a micro-dollar of the other's is missing");
    assert_eq!(hear(&mut settling, std::slice::from_ref(&void), 40), [0]);
    // Two that were paid together.
    let two = [claim(2, HALF, 50), claim(3, HALF, 30)];
    let mut settling = Settling::default();
    assert_eq!(hear(&mut settling, &two, 79), [0; 0]);
    assert_eq!(hear(&mut settling, &two, 80), [2, 3]);
    // One whose split is another one is never explained.
    let mut settling = Settling::default();
    for _ in 0..50 {
        assert_eq!(hear(&mut settling, std::slice::from_ref(&void), 70), [0; 0]);
    }
}
