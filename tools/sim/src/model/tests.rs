use std::collections::BTreeMap;

use super::*;
use crate::cast;

const START: Ns = Ns(1_795_284_000_000_000_000);

/// Both books as makers made them; it panics where they cross.
#[derive(Default)]
struct Books(BTreeMap<(Venue, usize, bool), BTreeMap<u16, Qty>>);

impl Floor for Books {
    fn quote(&mut self, venue: Venue, market: usize, side: Side, px: Px, qty: Qty) {
        let levels = self.0.entry((venue, market, side == Side::Bid)).or_default();
        match qty.is_zero() {
            true => levels.remove(&px.e4()),
            false => levels.insert(px.e4(), qty),
        };
        let best = |bids| self.best(venue, market, bids);
        if let (Some(bid), Some(ask)) = (best(true), best(false)) {
            assert!(bid < ask, "{venue} {market}: {bid} crosses {ask}");
        }
    }

    fn quoted(&self, venue: Venue, market: usize, side: Side, px: Px) -> Qty {
        let levels = self.0.get(&(venue, market, side == Side::Bid));
        levels.and_then(|levels| levels.get(&px.e4()).copied()).unwrap_or(Qty::ZERO)
    }
}

impl Books {
    fn best(&self, venue: Venue, market: usize, bids: bool) -> Option<u16> {
        let mut prices = self.0.get(&(venue, market, bids))?.keys();
        if bids { prices.next_back().copied() } else { prices.next().copied() }
    }

    /// The best edge of a direction, from the books alone.
    fn edge(&self, model: &Model, market: usize, direction: Direction) -> i32 {
        let best = |venue| {
            (self.best(venue, market, true).unwrap(), self.best(venue, market, false).unwrap())
        };
        let (kalshi, polymarket) = (best(Venue::Kalshi), best(Venue::Polymarket));
        model.markets[market].edge(Venue::Kalshi, kalshi, polymarket, direction)
    }
}

fn run(model: &mut Model, books: &mut Books, until: Ns, mut each: impl FnMut(&Model, &Books)) {
    while let Some(at) = model.next_due().filter(|at| *at <= until) {
        model.tick(at, books);
        each(model, books);
    }
}

#[test]
fn arbitrage_opens_at_the_rate_and_nowhere_else() {
    let markets = cast::markets(5, 6, START);
    let open_ms = |arb_per_minute| {
        let options = Options { seed: 5, arb_per_minute, ..Options::default() };
        let (mut model, mut books) =
            (Model::new(options, &markets, &Venue::ALL, START), Books::default());
        model.tick(START, &mut books);
        let (mut open, mut last) = (0, START);
        let end = START.after(Ns::from_ms(120_000));
        run(&mut model, &mut books, end, |model, books| {
            let now = model.next_due().unwrap();
            let is_open = (0..6).any(|market| {
                [Direction::FirstYes, Direction::FirstNo]
                    .into_iter()
                    .any(|direction| books.edge(model, market, direction) >= 5_000)
            });
            open += if is_open { now.since(last).0 / 1_000_000 } else { 0 };
            last = now;
        });
        (model.opened, open)
    };
    assert_eq!(open_ms(0), (0, 0), "no arbitrage by itself");
    let (opened, open) = open_ms(30);
    assert!((40..=80).contains(&opened), "{opened} in two minutes, want some 60");
    assert!(open > opened * 50, "{open} ms of {opened} arbitrages");
}

#[test]
fn an_injected_arbitrage_has_the_edge_and_ends() {
    let markets = cast::markets(7, 6, START);
    let options = Options { seed: 7, arb_per_minute: 0, ..Options::default() };
    let (mut model, mut books) =
        (Model::new(options, &markets, &Venue::ALL, START), Books::default());
    model.tick(START, &mut books);
    let mut now = START;
    for market in 0..6 {
        for direction in [Direction::FirstYes, Direction::FirstNo] {
            let span = Ns::from_ms(500);
            assert!(books.edge(&model, market, direction) < 0);
            assert!(model.inject(now, market, direction, 12_000, span, &mut books));
            let edge = books.edge(&model, market, direction);
            assert!((12_000..40_000).contains(&edge), "market {market} {direction:?}: {edge}");
            now = now.after(Ns::from_ms(3_000));
            run(&mut model, &mut books, now, |_, _| {});
            assert!(books.edge(&model, market, direction) < 0, "market {market} {direction:?}");
        }
    }
    assert!(
        !model.inject(now, 0, Direction::FirstYes, 900_000, Ns(1), &mut books),
        "no such price"
    );
    assert!(!model.inject(now, 99, Direction::FirstYes, 1, Ns(1), &mut books), "no such market");
}

#[test]
fn what_is_taken_comes_back_and_what_is_cleared_is_gone() {
    let markets = cast::markets(9, 2, START);
    let options = Options { seed: 9, arb_per_minute: 0, ..Options::default() };
    let (mut model, mut books) =
        (Model::new(options, &markets, &Venue::ALL, START), Books::default());
    model.tick(START, &mut books);
    let depth = |books: &Books| books.0.values().map(BTreeMap::len).sum::<usize>();
    let full = depth(&books);
    let until = START.after(Ns::from_ms(300));
    model.thin(Venue::Kalshi, 0, 0, until, &mut books);
    assert_eq!(books.best(Venue::Kalshi, 0, true), None);
    assert!(depth(&books) < full);
    run(&mut model, &mut books, START.after(Ns::from_ms(290)), |_, _| {});
    assert_eq!(books.best(Venue::Kalshi, 0, false), None, "makers stay away");
    run(&mut model, &mut books, START.after(Ns::from_ms(900)), |_, _| {});
    assert_eq!(depth(&books), full);

    Model::new(options, &markets, &Venue::ALL, START).clear(&mut books);
    assert_eq!(depth(&books), 0);
}
