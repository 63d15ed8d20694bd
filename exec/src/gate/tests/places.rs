//! How long an order is known whose trades may fail.

use engine::event::{Feedback, Report, ReportKind, Risk};
use engine::fee::FillFees;
use engine::pair::FeeRule;
use engine::units::{Ns, Px, Shares, Usd};
use rtrb::{Consumer, RingBuffer};

use super::rig::*;
use crate::answer::Answer;
use crate::gate::figures::GateFigures;
use crate::gate::orders::{ORDERS_MAX, Orders, Patience};
use crate::gate::outbox::Outbox;
use crate::id::Id;
use crate::private::{Expect, FillNews, TradeStands};
use crate::report::Fate;
use engine::event::Bundle;
use engine::tile::Now;

struct Bare {
    orders: Orders,
    figures: GateFigures,
    out: Outbox,
    feedback: Consumer<Feedback>,
    bundle: Bundle,
    now: Now,
}

impl Bare {
    fn new() -> Bare {
        let (mut rig, _) = polymarket();
        let (feedback_tx, feedback) = RingBuffer::new(64);
        Bare {
            orders: Orders::new(Patience::default()),
            figures: GateFigures::default(),
            out: Outbox::new(feedback_tx),
            feedback,
            bundle: rig.bundle(legs()),
            now: rig.now(),
        }
    }

    fn pass(&mut self, ns: u64) {
        self.now = Now { mono: self.now.mono.after(Ns(ns)), wall: self.now.wall.after(Ns(ns)) };
    }

    /// An order that leaves and ends with a match.
    fn matched(&mut self, number: usize) {
        let ours = order(number);
        let fees = FillFees::new(FeeRule::curve(50_000, 1).unwrap(), Usd::new(1));
        let (now, ids) = (self.now, (ours, Some(ours)));
        let key = self.orders.sent(&self.bundle, 1, ids, fees, now, &mut self.out);
        let answer = Answer {
            order: Some(ours),
            expect: Some(Expect::Trades(1)),
            ..Answer::of(Fate::Accepted)
        };
        self.orders.answered(key, &answer, now.mono, &mut self.figures, &mut self.out);
        self.hear(number, TradeStands::Made);
        assert_eq!(self.orders.open(), 0);
    }

    fn hear(&mut self, number: usize, stands: TradeStands) {
        let news = FillNews {
            more: false,
            order: order(number),
            client: None,
            trade: Id::parse(&format!("trade-{number}")).unwrap(),
            part: 0,
            shares: Shares::new(1_000_000),
            px: Px::lit(4_000),
            fee: None,
            stands,
        };
        self.orders.fill(&news, self.now.mono, &mut self.figures, &mut self.out);
    }

    fn has_room(&mut self) -> bool {
        self.orders.has_room(1, self.now.mono)
    }

    /// Orders with a trade that was taken back since, and safeguards that were told.
    fn undone(&mut self) -> (usize, Vec<Risk>) {
        let (mut undone, mut risks) = (0, Vec::new());
        self.out.flush();
        while let Ok(told) = self.feedback.pop() {
            match told {
                Feedback::Report(Report { kind: ReportKind::Undone { .. }, .. }) => undone += 1,
                Feedback::Tripped { risk, .. } => risks.push(risk),
                _ => {}
            }
            self.out.flush();
        }
        (undone, risks)
    }
}

/// Ids whose last characters are the same for many.
fn order(number: usize) -> Id {
    Id::parse(&format!("0x{number:08}-same-{}", number % 7)).unwrap()
}

#[test]
fn a_trade_that_fails_is_undone_however_many_orders_came_after() {
    let mut bare = Bare::new();
    bare.matched(0);
    for number in 1..2 * ORDERS_MAX {
        bare.pass(MS);
        assert!(bare.has_room(), "{number}");
        bare.matched(number);
        bare.hear(number, TradeStands::Confirmed);
    }
    assert_eq!(bare.undone(), (0, vec![]));
    bare.hear(0, TradeStands::Failed);
    assert_eq!(bare.undone(), (1, vec![]));
}

#[test]
fn while_every_trade_may_fail_no_order_leaves() {
    let mut bare = Bare::new();
    for number in 0..ORDERS_MAX {
        assert!(bare.has_room(), "{number}");
        bare.matched(number);
        bare.pass(MS);
    }
    assert!(!bare.has_room());
    bare.hear(17, TradeStands::Confirmed);
    assert!(bare.has_room());
    bare.matched(ORDERS_MAX);
    assert!(!bare.has_room());
    bare.undone();
    bare.hear(0, TradeStands::Failed);
    bare.hear(ORDERS_MAX - 1, TradeStands::Failed);
    assert_eq!(bare.undone(), (2, vec![]));

    // The first ones are too old to fail.
    let Patience { trades, .. } = Patience::default();
    bare.pass(trades.0 - ORDERS_MAX as u64 / 2 * MS);
    assert!(bare.has_room());
    (0..ORDERS_MAX / 2).for_each(|number| bare.matched(2 * ORDERS_MAX + number));
    bare.undone();
    bare.hear(ORDERS_MAX - 2, TradeStands::Failed);
    assert_eq!(bare.undone(), (1, vec![]), "that one is younger");
}

/// Positions are not what somebody believes them to be: of an order of the run before, or by hand.
#[test]
fn a_failed_trade_of_an_order_that_nobody_knows_is_told() {
    let mut bare = Bare::new();
    bare.hear(5, TradeStands::Settling);
    bare.hear(5, TradeStands::Confirmed);
    assert_eq!(bare.undone(), (0, vec![]));
    bare.hear(5, TradeStands::Failed);
    assert_eq!(bare.undone(), (0, vec![Risk::Foreign]));
    assert_eq!(bare.figures.foreign, 1);
}
