//! Markets that settled: what the venues paid for, of what was believed to be held.

use std::fmt;

use engine::pair::Outcome;
use engine::payoff::Settlement;
use engine::risk::Payout;
use engine::top::MarketId;
use engine::units::{Px, Shares, Usd, Venue};
use exec::journal::fold::State;

use super::truth::{HeldRow, PaidRow, Truth};

/// What is believed to be held: where a venue holds less, it may have settled.
pub fn held(state: &State) -> Vec<HeldRow> {
    let mut rows = Vec::new();
    for (key, _) in state.held.iter().filter(|(_, held)| **held != [0; 2]) {
        let Some(name) = state.markets.get(key).cloned() else { continue };
        rows.push(HeldRow { name, tokens: state.tokens.get(key).cloned() });
    }
    rows
}

/// What the venues paid: contracts that a settled market has fewer of than we believe.
pub fn payouts(state: &State, truth: &Truth) -> Vec<Payout> {
    let mut found: Vec<Payout> = truth.paid.iter().flat_map(|row| of(state, truth, row)).collect();
    // A balance that lost its content reads as nothing: contracts that left for money are gone
    // where the money is there.
    let at = Venue::Polymarket.index();
    let here = |payout: &&Payout| payout.market.venue() == Venue::Polymarket;
    let paid: Usd = found.iter().filter(here).map(|payout| payout.paid).sum();
    let moved = truth.cash[at] - state.cash[at];
    // A void market may split its dollar otherwise than in halves: only the money tells that it
    // did not.
    let is_void =
        found.iter().filter(here).any(|payout| !matches!(payout.each, Px::ZERO | Px::ONE));
    if moved < paid || (is_void && moved != paid) {
        found.retain(|payout| payout.market.venue() != Venue::Polymarket);
    }
    found
}

/// Markets that are over, of which something is held all the same: nobody redeemed it yet.
pub fn over(state: &State, truth: &Truth) -> Vec<MarketId> {
    let held = |row: &&PaidRow| {
        let key = key_of(state, row);
        key.is_some_and(|key| state.held.get(&key).is_some_and(|held| *held != [0; 2]))
    };
    let rows = truth.paid.iter().filter(held);
    rows.filter_map(|row| MarketId::new(row.venue, key_of(state, row)?.1)).collect()
}

/// The market that a row is about, where this run knows it.
fn key_of(state: &State, row: &PaidRow) -> Option<(usize, usize)> {
    let named = |(key, name): (&(usize, usize), &String)| {
        (key.0 == row.venue.index() && *name == row.name).then_some(*key)
    };
    state.markets.iter().find_map(named)
}

fn of(state: &State, truth: &Truth, row: &PaidRow) -> Vec<Payout> {
    let Some(key) = key_of(state, row) else { return Vec::new() };
    let Some(market) = MarketId::new(row.venue, key.1) else { return Vec::new() };
    let held = state.held.get(&key).copied().unwrap_or_default();
    let gone = match row.venue {
        Venue::Kalshi if truth.net.contains_key(&row.name) => return Vec::new(),
        Venue::Kalshi => [held[0].max(0), (-held[0]).max(0)],
        Venue::Polymarket => {
            let Some(tokens) = state.tokens.get(&key) else { return Vec::new() };
            let mut gone = [0; 2];
            for ((token, held), gone) in tokens.iter().zip(held).zip(&mut gone) {
                *gone = truth.tokens.get(token).map_or(0, |theirs| (held - theirs).max(0));
            }
            gone
        }
    };
    let settlement = Settlement::split(row.yes);
    let pays = |(outcome, gone): (Outcome, i64)| {
        let shares = Shares::new(gone.unsigned_abs());
        let paid = row.paid.unwrap_or_else(|| settlement.pays(outcome, shares));
        (gone > 0).then(|| Payout { market, outcome, shares, each: settlement.each(outcome), paid })
    };
    [Outcome::Yes, Outcome::No].into_iter().zip(gone).filter_map(pays).collect()
}

/// A payout in words.
pub struct Told<'a>(pub &'a Payout, pub &'a str);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told(Payout { market, outcome, shares, each, paid }, name) = self;
        let venue = market.venue();
        write!(f, "{venue}: {name} settled: {shares} {} at {each} paid {paid}", outcome.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::units::{Px, Usd};
    use exec::journal::Record;
    use exec::journal::record::name;

    fn begun() -> (State, Truth) {
        let market = |venue| MarketId::new(venue, 0).unwrap();
        let (first, second) = (market(Venue::Kalshi), market(Venue::Polymarket));
        let mut state = State::default();
        for record in [
            Record::Market { market: first, name: name("KX") },
            Record::Market { market: second, name: name("0xcd") },
            Record::Token { market: second, outcome: Outcome::Yes, name: name("11") },
            Record::Token { market: second, outcome: Outcome::No, name: name("22") },
            Record::Held { market: first, outcome: Outcome::Yes, e6: -5_000_000 },
            Record::Held { market: second, outcome: Outcome::Yes, e6: 7_000_001 },
            Record::Held { market: second, outcome: Outcome::No, e6: 2_000_000 },
        ] {
            state.take(&record);
        }
        let paid = [
            PaidRow {
                venue: Venue::Kalshi,
                name: "KX".to_owned(),
                yes: Px::ZERO,
                paid: Some(Usd::new(5_000_000)),
            },
            PaidRow { venue: Venue::Polymarket, name: "0xcd".to_owned(), yes: Px::ONE, paid: None },
        ];
        let tokens = [("11", 0), ("22", 2_000_000)].map(|(token, held)| (token.to_owned(), held));
        let cash = [Usd::ZERO, Usd::new(7_000_001)];
        (state, Truth { cash, tokens: tokens.into(), paid: paid.into(), ..Truth::default() })
    }

    #[test]
    fn what_settled_and_is_gone_was_paid_for() {
        let (state, truth) = begun();
        assert_eq!(held(&state).len(), 2);
        let found = payouts(&state, &truth);
        let all: Vec<_> = found.iter().map(|p| (p.outcome, p.shares.e6(), p.paid.e6())).collect();
        let (yes, no) = (Outcome::Yes, Outcome::No);
        assert_eq!(all, [(no, 5_000_000, 5_000_000), (yes, 7_000_001, 7_000_001)]);
        let mut after = state.clone();
        found.iter().for_each(|payout| after.take(&Record::Paid(*payout)));
        assert_eq!(payouts(&after, &truth), [], "each once");
        let second = MarketId::new(Venue::Polymarket, 0).unwrap();
        assert_eq!(over(&after, &truth), [second], "what lost is still there");
        let told = Told(&found[0], "KX").to_string();
        assert!(
            told.starts_with("kalshi: KX settled: 5.00") && told.ends_with("paid 5.000000"),
            "{told}"
        );
    }

    #[test]
    fn a_void_market_paid_halves_where_the_money_says_so_to_the_micro_dollar() {
        let (state, mut truth) = begun();
        truth.paid.retain(|row| row.venue == Venue::Polymarket);
        truth.paid.iter_mut().for_each(|row| row.yes = Px::lit(5_000));
        truth.tokens.values_mut().for_each(|held| *held = 0);
        // 7.000001 YES and 2 NO: halves are rounded down.
        for (cash, explained) in [(4_500_000, 2), (4_499_999, 0), (4_500_001, 0), (7_000_001, 0)] {
            truth.cash[1] = state.cash[1] + Usd::new(cash);
            assert_eq!(payouts(&state, &truth).len(), explained, "{cash}");
        }
    }

    #[test]
    fn what_is_still_there_or_brought_no_money_was_not() {
        let (state, mut truth) = begun();
        truth.net.insert("KX".to_owned(), -5_000_000);
        truth.cash[1] = Usd::new(7_000_000);
        assert_eq!(payouts(&state, &truth), [], "a suspect zero");
        assert_eq!(over(&state, &truth).len(), 2, "and yet they are over");
        truth.paid.clear();
        truth.net.clear();
        assert_eq!(payouts(&state, &truth), [], "no settlement is listed");
    }
}
