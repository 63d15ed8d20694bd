//! Fills and failures in any order, told any number of times.

use engine::event::{Feedback, ReportKind, Risk};
use engine::fee::{FillFees, cost_of, curve_fee};
use engine::pair::FeeRule;
use engine::units::{Px, Shares, Usd};
use proptest::prelude::*;

use super::rig::*;
use crate::answer::Answer;
use crate::gate::figures::GateFigures;
use crate::gate::orders::{Orders, Patience};
use crate::gate::outbox::Outbox;
use crate::id::Id;
use crate::private::{Expect, FillNews, TradeStands};

const RATE_E6: u32 = 50_000;

/// A trade: shares in millionths, price in cents, whether it fails in the end.
type Trade = (u64, u16, bool);

/// Trades, and everything that is told of them: each match at least once, a failure after its
/// match or before it, or its confirmation, shuffled.
fn told() -> impl Strategy<Value = (Vec<Trade>, Vec<(usize, TradeStands)>)> {
    let trade = (1..3_000_000u64, 1..99u16, any::<bool>());
    (proptest::collection::vec(trade, 1..8), 1..4usize).prop_flat_map(|(trades, times)| {
        let mut news = Vec::new();
        for (number, (_, _, fails)) in trades.iter().enumerate() {
            for _ in 0..times {
                news.push((number, TradeStands::Made));
                news.push((number, TradeStands::Settling));
                news.push(match fails {
                    true => (number, TradeStands::Failed),
                    false => (number, TradeStands::Confirmed),
                });
            }
        }
        (Just(trades), Just(news).prop_shuffle())
    })
}

proptest! {
    #[test]
    fn fills_commute_and_count_once((trades, news) in told()) {
        let (mut rig, _) = polymarket();
        let bundle = rig.bundle(legs());
        let (feedback_tx, mut feedback) = rtrb::RingBuffer::new(256);
        let (mut out, mut figures) = (Outbox::new(feedback_tx), GateFigures::default());
        let mut orders = Orders::new(Patience::default());
        let ours = Id::parse("0xours").unwrap();
        let rule = FeeRule::curve(RATE_E6, 1).unwrap();
        let fees = FillFees::new(rule, Usd::new(1));
        orders.sent(&bundle, 1, (ours, Some(ours)), fees, rig.now(), &mut out);
        let part = |number: usize| (Shares::new(trades[number].0), Px::lit(trades[number].1 * 100));
        for (number, stands) in &news {
            let (shares, px) = part(*number);
            let trade = Id::parse(&format!("trade-{number}")).unwrap();
            let news = FillNews {
                order: ours, client: None, trade, part: 0, more: false, shares, px, fee: None,
                stands: *stands,
            };
            orders.fill(&news, rig.now().mono, &mut figures, &mut out);
        }
        let mut sums = [0i64; 3];
        while let Ok(Feedback::Report(report)) = feedback.pop() {
            let (sign, shares, cash, fee) = match report.kind {
                ReportKind::Filled { shares, cash, fee, .. } => (1, shares, cash, fee),
                ReportKind::Undone { shares, cash, fee, .. } => (-1, shares, cash, fee),
                _ => continue,
            };
            let part = [shares.e6() as i64, cash.e6(), fee.e6()];
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += sign * part);
            prop_assert!(sums[0] >= 0, "nothing is taken back that was not told");
        }
        let mut want = [0i64; 3];
        for number in (0..trades.len()).filter(|number| !trades[*number].2) {
            let (shares, px) = part(number);
            want[0] += shares.e6() as i64;
            want[1] += cost_of(shares, px).e6();
            want[2] += curve_fee(shares, px, RATE_E6, 1).e6();
        }
        prop_assert_eq!(sums, want);
    }
}

/// A fill of an order that is over tells nobody in the core that it is one too many: the gate does.
#[test]
fn more_than_an_ended_order_asked_for_is_told_once() {
    let (mut rig, _) = polymarket();
    let mut bundle = rig.bundle(legs());
    bundle.legs[1].spends = false;
    let (feedback_tx, mut feedback) = rtrb::RingBuffer::new(64);
    let (mut out, mut figures) = (Outbox::new(feedback_tx), GateFigures::default());
    let mut orders = Orders::new(Patience::default());
    let ours = Id::parse("0xours").unwrap();
    let fees = FillFees::new(FeeRule::curve(RATE_E6, 1).unwrap(), Usd::new(1));
    let key = orders.sent(&bundle, 1, (ours, Some(ours)), fees, rig.now(), &mut out);
    let asked = Shares::from(bundle.legs[1].qty);
    let mut fill = |orders: &mut Orders, number: usize, shares| {
        let trade = Id::parse(&format!("trade-{number}")).unwrap();
        let (px, stands) = (Px::lit(4_000), TradeStands::Made);
        let news = FillNews {
            order: ours,
            client: None,
            trade,
            part: 0,
            more: false,
            shares,
            px,
            fee: None,
            stands,
        };
        orders.fill(&news, rig.now().mono, &mut figures, &mut out);
    };
    fill(&mut orders, 0, asked);
    let answer = Answer {
        order: Some(ours),
        expect: Some(Expect::Trades(1)),
        ..Answer::of(crate::report::Fate::Accepted)
    };
    orders.answered(key, &answer, rig.now().mono, &mut GateFigures::default(), &mut silent());
    assert_eq!(orders.open(), 0);
    fill(&mut orders, 1, Shares::new(1));
    fill(&mut orders, 2, Shares::new(1));
    let trips = std::iter::from_fn(|| feedback.pop().ok())
        .filter(|told| matches!(told, Feedback::Tripped { risk: Risk::Overfilled, .. }));
    assert_eq!(trips.count(), 1);
}

/// An outbox that nobody listens to.
fn silent() -> Outbox {
    Outbox::new(rtrb::RingBuffer::new(8).0)
}

/// A trade may meet several prices, each of which is a fill of its own.
#[test]
fn an_order_ends_with_the_last_price_of_its_last_trade() {
    let (mut rig, _) = polymarket();
    let bundle = rig.bundle(legs());
    let (feedback_tx, mut feedback) = rtrb::RingBuffer::new(64);
    let (mut out, mut figures) = (Outbox::new(feedback_tx), GateFigures::default());
    let mut orders = Orders::new(Patience::default());
    let ours = Id::parse("0xours").unwrap();
    let fees = FillFees::new(FeeRule::curve(RATE_E6, 1).unwrap(), Usd::new(1));
    let key = orders.sent(&bundle, 1, (ours, Some(ours)), fees, rig.now(), &mut out);
    let answer = Answer {
        order: Some(ours),
        expect: Some(Expect::Trades(1)),
        ..Answer::of(crate::report::Fate::Accepted)
    };
    orders.answered(key, &answer, rig.now().mono, &mut figures, &mut out);
    let (trade, stands) = (Id::parse("trade-1").unwrap(), TradeStands::Made);
    for (part, more) in [(5_000, true), (5_100, false)] {
        assert_eq!(orders.open(), 1, "not before its last price");
        let (shares, px) = (Shares::new(1_000_000), Px::lit(part));
        let news = FillNews {
            order: ours,
            client: None,
            trade,
            part,
            more,
            shares,
            px,
            fee: None,
            stands,
        };
        orders.fill(&news, rig.now().mono, &mut figures, &mut out);
    }
    assert_eq!(orders.open(), 0);
    let kinds: Vec<ReportKind> = std::iter::from_fn(|| match feedback.pop() {
        Ok(Feedback::Report(report)) => Some(report.kind),
        _ => None,
    })
    .collect();
    let ends =
        kinds.iter().position(|kind| matches!(kind, ReportKind::Done | ReportKind::Cancelled));
    assert_eq!(ends, Some(kinds.len() - 1), "all fills come before the end: {kinds:?}");
    assert_eq!(figures.excess, 0);
}
