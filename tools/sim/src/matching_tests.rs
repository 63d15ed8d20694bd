use proptest::prelude::*;

use super::*;

/// The slow twin: every place in one list, in the order of arrival.
#[derive(Default)]
struct SlowBook {
    places: Vec<(Side, Px, Owner, u64)>,
}

impl SlowBook {
    /// Which place a taker meets next: best price, then first come.
    fn front(&self, side: Side, limit: Px) -> Option<usize> {
        let mut best: Option<usize> = None;
        for (at, (resting, px, ..)) in self.places.iter().enumerate() {
            let reachable = if side == Side::Bid { *px <= limit } else { *px >= limit };
            if *resting != side.opposite() || !reachable {
                continue;
            }
            let better = best.is_none_or(|best| {
                let held = self.places[best].1;
                if side == Side::Bid { *px < held } else { *px > held }
            });
            if better {
                best = Some(at);
            }
        }
        best
    }

    fn take(&mut self, side: Side, limit: Px, mut size: u64) -> Vec<(Owner, Px, u64)> {
        let mut taken: Vec<(Owner, Px, u64)> = Vec::new();
        while size > 0
            && let Some(at) = self.front(side, limit)
        {
            let (_, px, owner, left) = &mut self.places[at];
            let fill = (*left).min(size);
            *left -= fill;
            size -= fill;
            taken.push((*owner, *px, fill));
            self.places.retain(|place| place.3 > 0);
        }
        taken
    }

    fn set_makers(&mut self, side: Side, px: Px, size: u64) {
        let theirs = |place: &&mut (Side, Px, Owner, u64)| {
            place.0 == side && place.1 == px && place.2 == Owner::Makers
        };
        let now: u64 = self.places.iter_mut().filter(theirs).map(|place| place.3).sum();
        if now < size {
            self.places.push((side, px, Owner::Makers, size - now));
        }
        let mut excess = now.saturating_sub(size);
        for place in self.places.iter_mut().rev().filter(theirs) {
            let gone = place.3.min(excess);
            place.3 -= gone;
            excess -= gone;
        }
        self.places.retain(|place| place.3 > 0);
    }

    fn size_at(&self, side: Side, px: Px) -> u64 {
        self.places
            .iter()
            .filter(|place| place.0 == side && place.1 == px)
            .map(|place| place.3)
            .sum()
    }
}

/// Neighbouring makers' places are one place in the book and may be two in its twin.
fn merged(fills: impl IntoIterator<Item = (Owner, Px, u64)>) -> Vec<(Owner, Px, u64)> {
    let mut merged: Vec<(Owner, Px, u64)> = Vec::new();
    for fill in fills {
        match merged.last_mut() {
            Some(last) if last.0 == Owner::Makers && last.0 == fill.0 && last.1 == fill.1 => {
                last.2 += fill.2;
            }
            _ => merged.push(fill),
        }
    }
    merged
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Take(u64),
    Rest(u64),
    Makers(u64),
    Reduce(u64, u64),
}

fn steps() -> impl Strategy<Value = Vec<(bool, u16, Step)>> {
    let step = prop_oneof![
        (1..40u64).prop_map(Step::Take),
        (1..20u64).prop_map(Step::Rest),
        (0..30u64).prop_map(Step::Makers),
        (0..60u64, 0..20u64).prop_map(|(order, size)| Step::Reduce(order, size)),
    ];
    prop::collection::vec((any::<bool>(), 1..8u16, step), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_book_equals_its_slow_twin(steps in steps()) {
        let (mut fast, mut slow) = (Book::new(), SlowBook::default());
        for (number, (is_bid, step_px, step)) in steps.into_iter().enumerate() {
            let side = if is_bid { Side::Bid } else { Side::Ask };
            let px = Px::lit(step_px * 1_000);
            let order = number as u64;
            match step {
                Step::Take(size) => {
                    let fills = fast.take(side, px, size);
                    let fills = merged(fills.into_iter().map(|fill| (fill.owner, fill.px, fill.size)));
                    prop_assert_eq!(fills, merged(slow.take(side, px, size)));
                }
                Step::Rest(size) => {
                    fast.rest(side, px, size, order);
                    slow.places.push((side, px, Owner::Order(order), size));
                }
                Step::Makers(size) => {
                    fast.set_makers(side, px, size);
                    slow.set_makers(side, px, size);
                    prop_assert_eq!(fast.makers_at(side, px), size);
                }
                Step::Reduce(order, size) => {
                    let place = slow.places.iter_mut().find(|place| place.2 == Owner::Order(order));
                    prop_assert_eq!(fast.size_of(order), place.as_ref().map(|place| place.3));
                    prop_assert_eq!(fast.reduce(order, size), place.as_ref().map(|place| place.3));
                    if let Some(place) = place {
                        place.3 = place.3.min(size);
                    }
                    slow.places.retain(|place| place.3 > 0);
                }
            }
            for e4 in (1_000..8_000).step_by(1_000) {
                for side in [Side::Bid, Side::Ask] {
                    let px = Px::lit(e4);
                    prop_assert_eq!(fast.size_at(side, px), slow.size_at(side, px));
                    let facing: u64 = fast.takeable(side, px);
                    let reachable = |place: &&(Side, Px, Owner, u64)| {
                        place.0 != side && if side == Side::Bid { place.1 <= px } else { place.1 >= px }
                    };
                    prop_assert_eq!(facing, slow.places.iter().filter(reachable).map(|p| p.3).sum::<u64>());
                }
            }
        }
    }
}

#[test]
fn levels_come_best_first() {
    let mut book = Book::new();
    for (side, e4) in
        [(Side::Bid, 4_000), (Side::Bid, 4_200), (Side::Ask, 4_500), (Side::Ask, 4_400)]
    {
        book.set_makers(side, Px::lit(e4), 7);
    }
    let prices = |side| book.levels(side).map(|(px, _)| px.e4()).collect::<Vec<_>>();
    assert_eq!((prices(Side::Bid), prices(Side::Ask)), (vec![4_200, 4_000], vec![4_400, 4_500]));
    assert_eq!(
        (book.best(Side::Bid), book.best(Side::Ask)),
        (Some(Px::lit(4_200)), Some(Px::lit(4_400)))
    );
}
