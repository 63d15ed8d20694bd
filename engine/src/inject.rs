//! A test arbitrage on paper: for a while one book is shown to the core with a level that nobody
//! offers, so that everything behind it can be watched at work. It follows from the inputs alone, so
//! that such a run repeats like any other.

use crate::core::Core;
use crate::pair::{Direction, Outcome, PairId};
use crate::tile::Now;
use crate::top::{Levels, TOP_LEVELS, Top};
use crate::units::{Ns, Px, Qty, Usd};

/// How long the level is shown: longer than any paper order takes to meet the book.
pub const SHOWN_FOR: Ns = Ns::from_ms(2_000);

/// What is to be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Injection {
    /// On which pair.
    pub pair: PairId,
    /// Which way round; one that reaches both venues.
    pub direction: Direction,
    /// What a contract earns after both fees, at least.
    pub edge: Usd,
    /// How many contracts are offered.
    pub qty: Qty,
}

/// A level that is shown.
#[derive(Clone, Copy)]
struct Shown {
    outcome: Outcome,
    px: Px,
    qty: Qty,
    until: Ns,
    /// The book as the venue has it.
    real: Top,
}

/// Opens one arbitrage, once its pair's books allow it.
#[derive(Default)]
pub struct Injector {
    wanted: Option<Injection>,
    shown: Option<Shown>,
    opened: bool,
}

impl Injector {
    /// Asks for an arbitrage; one that was asked for before and has not opened is forgotten.
    pub const fn want(&mut self, injection: Injection) {
        self.wanted = Some(injection);
    }

    /// True while one is asked for or shown.
    #[inline]
    pub const fn is_busy(&self) -> bool {
        self.wanted.is_some() || self.shown.is_some()
    }

    /// True where one was opened.
    pub const fn has_opened(&self) -> bool {
        self.opened
    }

    /// The book as the core is to see it.
    #[inline]
    pub fn show(&mut self, top: Top) -> Top {
        match &mut self.shown {
            Some(shown) if shown.real.market == top.market => {
                shown.real = top;
                with_level(top, shown.outcome, shown.px, shown.qty)
            }
            _ => top,
        }
    }

    /// Opens what is wanted, or ends what was shown long enough: the book that the core has to see
    /// now. To be called after each book while it is busy, so that time alone changes nothing.
    pub fn turn(&mut self, now: Now, core: &Core) -> Option<Top> {
        if let Some(mut shown) = self.shown.take_if(|shown| now.mono >= shown.until) {
            (shown.real.recv, shown.real.flags) = (now.wall, 0);
            return Some(shown.real);
        }
        if self.shown.is_some() {
            return None;
        }
        let Injection { pair, direction, edge, qty } = self.wanted?;
        let (market, outcome, px) = core.price_for(pair, direction, edge)?;
        let real = *core.top(market)?;
        (self.wanted, self.opened) = (None, true);
        self.shown = Some(Shown { outcome, px, qty, until: now.mono.after(SHOWN_FOR), real });
        let mut shown = with_level(real, outcome, px, qty);
        (shown.recv, shown.flags) = (now.wall, 0);
        Some(shown)
    }
}

/// A book with one more offer of an outcome, and without the orders that it would have met.
fn with_level(mut top: Top, outcome: Outcome, px: Px, qty: Qty) -> Top {
    let size = u32::try_from(qty.e2()).unwrap_or(u32::MAX);
    match outcome {
        Outcome::Yes => {
            top.set_asks(&merged(&top.asks(), (px.e4(), size), |level| level > px.e4()));
            top.set_bids(&merged(&top.bids(), (0, 0), |level| level < px.e4()));
        }
        Outcome::No => {
            let bid = px.complement().e4();
            top.set_bids(&merged(&top.bids(), (bid, size), |level| level < bid));
            top.set_asks(&merged(&top.asks(), (0, 0), |level| level > bid));
        }
    }
    top
}

/// One level, if it has a size, before those that may stay.
fn merged(levels: &Levels, (px, qty): (u16, u32), stays: impl Fn(u16) -> bool) -> Levels {
    let rest = levels.iter().filter(|(px, _)| stays(px.e4()));
    let rest = rest.map(|(px, qty)| (px.e4(), u32::try_from(qty.e2()).unwrap_or(u32::MAX)));
    let all = (qty > 0).then_some((px, qty)).into_iter().chain(rest).take(TOP_LEVELS);
    let mut out = Levels::EMPTY;
    for (at, (px, qty)) in all.enumerate() {
        (out.px[at], out.qty[at]) = (px, qty);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::CoreConfig;
    use crate::fixture::{Recorder, config, market, pair, table, top};
    use crate::pair::Polarity;
    use crate::units::Venue;

    #[test]
    fn an_arbitrage_opens_once_the_books_allow_it_and_ends_after_a_while() {
        for (polarity, direction) in [
            (Polarity::Same, Direction::FirstYes),
            (Polarity::Same, Direction::FirstNo),
            (Polarity::Inverted, Direction::FirstYes),
            (Polarity::Inverted, Direction::FirstNo),
        ] {
            let config = CoreConfig { min_profit: Usd::new(10_000), ..config() };
            let mut core = Core::new(table(&[pair("a", 0, 0, polarity)]), [0, 0], config);
            let (mut injector, mut out) = (Injector::default(), Recorder::default());
            let edge = Usd::new(30_000);
            injector.want(Injection { pair: PairId(0), direction, edge, qty: Qty::lit(5_000) });
            assert!(injector.turn(Now::at(Ns(1)), &core).is_none(), "no books yet");
            for venue in Venue::ALL {
                let real = top(market(venue, 0), 5, &[(4_900, 9_000)], &[(5_000, 9_000)]);
                core.on_top(Now::at(Ns(5)), &injector.show(real), &mut out);
            }
            assert!(out.bundles.is_empty() && !injector.has_opened());
            let opened = injector.turn(Now::at(Ns(6)), &core).expect("the books allow it");
            core.on_top(Now::at(Ns(6)), &opened, &mut out);
            assert!(injector.has_opened());
            let decision = out.decisions()[0];
            assert_eq!(decision.bundle.direction, direction);
            assert!(decision.edge >= edge && decision.edge < Usd::new(32_000), "{decision:?}");
            assert!(decision.bundle.legs[0].qty >= Qty::lit(4_000));
            // The venue's own news in between changes nothing of it, and all else.
            let real = top(opened.market, 7, &[(4_800, 7)], &[(5_000, 8)]);
            let shown = injector.show(real);
            let best = |top: &Top| (top.bids().best(), top.asks().best());
            let injected =
                |top: &Top| top.asks().qty.contains(&5_000) || top.bids().qty.contains(&5_000);
            assert!(injected(&shown) && best(&shown) != best(&real));
            let other = top(market(Venue::Polymarket, 0), 7, &[(4_800, 7)], &[(5_000, 8)]);
            assert_eq!(injector.show(other), other);
            assert!(injector.turn(Now::at(Ns(8)), &core).is_none());
            let end = Now::at(Ns(6).after(SHOWN_FOR));
            let after = injector.turn(end, &core).expect("it ends");
            assert_eq!((best(&after), after.market), (best(&real), real.market));
            assert!(injector.turn(end, &core).is_none(), "once");
        }
    }
}
