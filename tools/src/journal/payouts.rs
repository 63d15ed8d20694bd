//! Markets that settled: what the venues paid for, of what was believed to be held.

use std::fmt;

use engine::pair::Outcome;
use engine::payoff::Settlement;
use engine::risk::Payout;
use engine::top::MarketId;
use engine::units::{Px, Shares, Usd, Venue};
use exec::journal::fold::State;

use super::truth::{HeldRow, PaidRow, Truth};

/// Kalshi tells what it paid in whole cents.
const CENT: Usd = Usd::new(10_000);

/// What is believed to be held: where a venue holds less, it may have settled.
pub fn held(state: &State) -> Vec<HeldRow> {
    let mut rows = Vec::new();
    for (key, held) in state.held.iter().filter(|(_, held)| **held != [0; 2]) {
        let Some(name) = state.markets.get(key).cloned() else { continue };
        rows.push(HeldRow { name, tokens: state.tokens.get(key).cloned(), held: *held });
    }
    rows
}

/// What a market that is over would have paid for what is gone of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The market.
    pub market: MarketId,
    /// By outcome.
    pub payouts: Vec<Payout>,
}

impl Claim {
    /// What it paid in all.
    pub fn paid(&self) -> Usd {
        self.payouts.iter().map(|payout| payout.paid).sum()
    }

    /// A void market of Polymarket may split its dollar otherwise than its page says: only the
    /// money tells that it did not. Kalshi tells what it paid.
    pub fn is_void(&self) -> bool {
        let is_split = |payout: &Payout| !matches!(payout.each, Px::ZERO | Px::ONE);
        self.market.venue() == Venue::Polymarket && self.payouts.iter().any(is_split)
    }
}

/// Contracts that a settled market has fewer of than we believe, market by market.
pub fn claims(state: &State, truth: &Truth) -> Vec<Claim> {
    truth.paid.iter().filter_map(|row| of(state, truth, row)).collect()
}

/// What the venues paid, as one answer alone shows it: a balance that lost its content reads as
/// nothing, so that what left for money is gone where the money is there.
pub fn payouts(state: &State, truth: &Truth) -> Vec<Payout> {
    let mut claims = claims(state, truth);
    let at = Venue::Polymarket.index();
    let moved = truth.cash[at] - state.cash[at];
    let here = |claim: &&Claim| claim.market.venue() == Venue::Polymarket;
    let paid: Usd = claims.iter().filter(here).map(Claim::paid).sum();
    if moved != paid {
        claims.retain(|claim| !claim.is_void());
    }
    let paid: Usd = claims.iter().filter(here).map(Claim::paid).sum();
    if moved < paid {
        claims.retain(|claim| claim.market.venue() != Venue::Polymarket);
    }
    claims.into_iter().flat_map(|claim| claim.payouts).collect()
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

fn of(state: &State, truth: &Truth, row: &PaidRow) -> Option<Claim> {
    let key = key_of(state, row)?;
    let market = MarketId::new(row.venue, key.1)?;
    let held = state.held.get(&key).copied().unwrap_or_default();
    let gone = match row.venue {
        Venue::Kalshi if truth.net.contains_key(&row.name) => return None,
        Venue::Kalshi => [held[0].max(0), (-held[0]).max(0)],
        Venue::Polymarket => missing(state.tokens.get(&key)?, held, truth),
    };
    let settlement = Settlement::split(row.yes);
    // The venue tells one sum for the market, of which a part may be booked.
    let left = row.paid.map(|all| all - state.paid_out.get(&key).copied().unwrap_or_default());
    let pays = |(outcome, gone): (Outcome, i64)| {
        let shares = Shares::new(gone.unsigned_abs());
        let by_price = settlement.pays(outcome, shares);
        let paid = left.map_or(by_price, |left| part_of(left, by_price));
        (gone > 0).then(|| Payout { market, outcome, shares, each: settlement.each(outcome), paid })
    };
    let payouts: Vec<Payout> =
        [Outcome::Yes, Outcome::No].into_iter().zip(gone).filter_map(pays).collect();
    (!payouts.is_empty()).then_some(Claim { market, payouts })
}

/// How much less of each token is there than is believed; 1e-6.
pub fn missing(tokens: &[String; 2], held: [i64; 2], truth: &Truth) -> [i64; 2] {
    let mut gone = [0; 2];
    for ((token, held), gone) in tokens.iter().zip(held).zip(&mut gone) {
        *gone = truth.tokens.get(token).map_or(0, |theirs| (held - theirs).max(0));
    }
    gone
}

/// What contracts that should bring `by_price` bring of what is left of a market's sum. That is in
/// whole cents; what is more than a cent beyond is for contracts that nobody told of yet.
fn part_of(left: Usd, by_price: Usd) -> Usd {
    match (left - by_price).e6().abs() < CENT.e6() {
        true => left,
        false => by_price.min(left.max(Usd::ZERO)),
    }
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
    fn a_sum_that_kalshi_tells_is_booked_once_however_late_a_fill_is_heard() {
        let (mut state, mut truth) = begun();
        truth.paid.retain(|row| row.venue == Venue::Kalshi);
        // The venue paid for eight, of which we knew five.
        truth.paid.iter_mut().for_each(|row| row.paid = Some(Usd::new(8_000_000)));
        let mut booked = Vec::new();
        for late in [-3_000_000, 0, -4_000_000] {
            for payout in payouts(&state, &truth) {
                booked.push((payout.shares.e6(), payout.paid.e6()));
                state.take(&Record::Paid(payout));
            }
            let market = MarketId::new(Venue::Kalshi, 0).unwrap();
            state.take(&Record::Held { market, outcome: Outcome::Yes, e6: late });
        }
        assert_eq!(booked, [(5_000_000, 5_000_000), (3_000_000, 3_000_000)]);
        let beyond: Vec<_> = payouts(&state, &truth).iter().map(|it| it.paid.e6()).collect();
        assert_eq!(beyond, [0], "never more than it was");
        // A sum in whole cents is the venue's own word.
        let mut state = begun().0;
        let market = MarketId::new(Venue::Kalshi, 0).unwrap();
        state.take(&Record::Held { market, outcome: Outcome::Yes, e6: -7_990_000 });
        let found: Vec<_> = payouts(&state, &truth).iter().map(|it| it.paid.e6()).collect();
        assert_eq!(found, [7_990_000], "a contract less than was paid for");
        truth.paid.iter_mut().for_each(|row| row.paid = Some(Usd::new(7_980_001)));
        let found: Vec<_> = payouts(&state, &truth).iter().map(|it| it.paid.e6()).collect();
        assert_eq!(found, [7_980_001]);
    }

    #[test]
    fn a_void_market_withholds_no_winner() {
        let (mut state, mut truth) = begun();
        let other = MarketId::new(Venue::Polymarket, 1).unwrap();
        for record in [
            Record::Market { market: other, name: name("0xef") },
            Record::Token { market: other, outcome: Outcome::Yes, name: name("33") },
            Record::Token { market: other, outcome: Outcome::No, name: name("44") },
            Record::Held { market: other, outcome: Outcome::Yes, e6: 1_000_000 },
        ] {
            state.take(&record);
        }
        truth.tokens.extend(["33", "44"].map(|token| (token.to_owned(), 0)));
        let venue = Venue::Polymarket;
        truth.paid.retain(|row| row.venue == venue);
        truth.paid.push(PaidRow {
            venue,
            name: "0xef".to_owned(),
            yes: Px::lit(5_000),
            paid: None,
        });
        for (cash, booked) in [(7_500_001, 2), (7_900_000, 1), (7_000_001, 1), (7_000_000, 0)] {
            truth.cash[1] = Usd::new(cash);
            assert_eq!(payouts(&state, &truth).len(), booked, "{cash}");
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
