//! Markets of pairs that join while a gate trades.

use super::kalshi::body;
use super::rig::*;
use crate::answer::Answer;
use crate::armed::ArmedOrder;
use crate::armed::tests::{armory, terms as armed_terms};
use crate::gate::orders::Orders;
use crate::gate::polymarket::PolymarketClerk;
use crate::gate::*;
use crate::id::Id;
use crate::private::{FillNews, TradeStands};
use crate::report::Fate;
use crate::sign::position::MarketVersion;
use crate::terms::{KalshiTerms, PolymarketTerms};
use crate::token::TokenId;
use engine::event::{Feedback, Reject, ReportKind, Risk};
use engine::fee::FillFees;
use engine::grid::Grid;
use engine::pair::{FeeRule, Instrument, Listing, Outcome, PairId, Polarity, SizeRule, Verdict};
use engine::risk::Word;
use engine::risk::limits::RiskLimits;
use engine::units::{Px, Qty, Shares, Usd, Venue};

fn listing(index: usize) -> Listing {
    let side = |venue| Instrument {
        market: market(venue, index),
        fee: FeeRule::Quadratic { multiplier_e6: 1_000_000 },
        size: SizeRule { min_qty: Qty::ZERO, min_notional: Usd::ZERO, whole_cents: false },
        tick: Px::lit(100),
        taker_delay: Ns(0),
    };
    Listing {
        pair: PairId(8),
        event: PairId(8),
        polarity: Polarity::Same,
        legs: None,
        verdict: Verdict::Approved,
        sides: Venue::ALL.map(side),
        worst_payoff: Px::ZERO,
        expected_resolution: None,
        close_time: None,
        game_start: None,
    }
}

#[test]
fn an_order_for_a_market_that_came_follows_its_pair_and_not_before() {
    let (rig, _headers) = kalshi();
    let (mut tell, markets) = rtrb::RingBuffer::new(TERMS_RING_DEPTH);
    let mut rig = rig.with_markets(markets);
    let came = market(Venue::Kalshi, 5);
    let mut legs = legs();
    legs[0] = leg(came, Outcome::No, 4_000, 1_000);
    // Nobody told of it: what the core never sends is refused, not sent wrongly.
    let bundle = rig.bundle(legs);
    rig.send(bundle);
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Rejected(Reject::Malformed)]);
    let terms = KalshiTerms { ticker: "KXNEW-1".to_owned(), exchange_index: 3, grid: Grid::CENT };
    assert!(tell.push((came, terms)).is_ok());
    // Rules are taken before the bundle that follows from them, in one step.
    assert!(rig.rules.push(Control::Join(listing(5))).is_ok());
    let (_, request) = rig.fire(legs);
    let order = body(&request);
    assert_eq!((&order["ticker"], &order["exchange_index"]), (&"KXNEW-1".into(), &3.into()));
}

const YES: &str = "43393808330987478239817922562313374653940164041067500389519301341071746577812";
const NO: &str = "43393808330987478239817922562313374653940164041067500389519301341071746577813";

/// True where the core was told that the market is forgotten.
fn vacates<K: Clerk>(rig: &mut Rig<K>, market: MarketId, generation: u32) -> bool {
    assert!(rig.rules.push(Control::Vacate { market, generation }).is_ok());
    rig.run(3);
    rig.feedback().contains(&Feedback::Vacated { market, generation })
}

#[test]
fn a_market_that_is_forgotten_takes_its_terms_along_and_its_number_is_another_ones() {
    let (rig, _headers) = kalshi();
    let (mut tell, markets) = rtrb::RingBuffer::new(TERMS_RING_DEPTH);
    let mut rig = rig.with_markets(markets);
    let (known, second) = (market(Venue::Kalshi, 1), market(Venue::Kalshi, 5));
    let terms = |ticker: &str| KalshiTerms {
        ticker: ticker.to_owned(),
        exchange_index: 0,
        grid: Grid::CENT,
    };
    // Both came before the gate took any rule: what belongs to a later pair waits for it.
    assert!(tell.push((second, terms("KXSECOND"))).is_ok());
    assert!(tell.push((known, terms("KXNEXT"))).is_ok());
    assert!(rig.rules.push(Control::Join(listing(5))).is_ok());
    assert!(vacates(&mut rig, known, 9));
    let bundle = rig.bundle(legs());
    rig.send(bundle);
    rig.run(1);
    assert_eq!(rig.reports(), [ReportKind::Rejected(Reject::Malformed)]);
    assert!(rig.rules.push(Control::Join(listing(1))).is_ok());
    let (_, request) = rig.fire(legs());
    assert_eq!(&body(&request)["ticker"], "KXNEXT");
    // While an order of it may still come to something, nothing is forgotten.
    assert!(!vacates(&mut rig, known, 10));
}

#[test]
fn a_pair_that_left_leaves_no_block_to_the_next_one_of_its_market() {
    let (rig, _headers) = kalshi();
    let (rig, mut words) = rig.guarded(&RiskLimits::NONE);
    let (mut tell, markets) = rtrb::RingBuffer::new(TERMS_RING_DEPTH);
    let mut rig = rig.with_markets(markets);
    let known = market(Venue::Kalshi, 1);
    let next = Control::Join(Listing { pair: PairId(7), event: PairId(7), ..listing(1) });
    let terms = || KalshiTerms { ticker: "KXNEXT".into(), exchange_index: 3, grid: Grid::CENT };
    for blocked in [false, true] {
        assert!(rig.rules.push(next).is_ok());
        assert!(words.push(Word::Block { market: known, blocked }).is_ok());
        assert!(rig.rules.push(Control::Retire(PairId(7))).is_ok());
        rig.run(2);
        let bundle = rig.bundle(legs());
        rig.send(bundle);
        rig.run(1);
        assert_eq!(rig.reports(), [ReportKind::Rejected(Reject::Limit)]);
        assert!(vacates(&mut rig, known, 9));
        assert!(tell.push((known, terms())).is_ok());
    }
    assert!(rig.rules.push(next).is_ok());
    let (_, request) = rig.fire(legs());
    assert_eq!(&body(&request)["ticker"], "KXNEXT");
}

#[test]
fn what_lies_ready_for_a_market_that_is_gone_is_not_sent_for_the_next_one() {
    let (rig, mut filler) = polymarket();
    let (mut tell, markets) = rtrb::RingBuffer::new(TERMS_RING_DEPTH);
    let mut rig = rig.with_markets(markets);
    let (legs, known) = (legs(), market(Venue::Polymarket, 1));
    let mut order = ArmedOrder::EMPTY;
    let mut ready = |rig: &mut Rig<PolymarketClerk>, slot| {
        order.slot = slot;
        armory().arm(&legs[1], &armed_terms(), rig.now().wall, &mut order).unwrap();
        assert!(filler.push(&order));
        rig.run(2);
    };
    ready(&mut rig, 0);
    assert!(vacates(&mut rig, known, 3));
    let tokens = [YES, NO].map(|text| TokenId::parse(text).unwrap());
    let next = PolymarketTerms::new(tokens, MarketVersion::V1, true, Px::lit(10)).unwrap();
    assert!(tell.push((known, next)).is_ok());
    assert!(rig.rules.push(Control::Join(listing(1))).is_ok());
    rig.run(2);
    // The signer was slow: this one it made by the terms of the market that is gone.
    ready(&mut rig, 1);
    rig.feedback();
    let (_, request) = rig.fire(legs);
    assert_eq!((rig.gate.figures().hits, rig.gate.figures().inline), (0, 1));
    assert!(request.contains(YES), "{request}");
}

#[test]
fn nothing_is_told_of_orders_of_a_market_that_is_gone() {
    let (mut rig, _) = polymarket();
    let bundle = rig.bundle(legs());
    let (feedback_tx, mut feedback) = rtrb::RingBuffer::new(256);
    let (mut out, mut figures) = (Outbox::new(feedback_tx), GateFigures::default());
    let mut orders = Orders::new(Patience::default());
    let [first, second] = ["0xours", "0xother"].map(|text| Id::parse(text).unwrap());
    let fees = FillFees::new(FeeRule::Quadratic { multiplier_e6: 0 }, Usd::new(1));
    let keys = [first, second]
        .map(|id| orders.sent(&bundle, 1, (id, Some(id)), fees, rig.now(), &mut out));
    let answer =
        Answer { fate: Fate::Killed, order: None, expect: None, rests: false, closed: None };
    let mono = rig.now().mono;
    let market = bundle.legs[1].market;
    for key in keys {
        assert!(!orders.forget(market, mono), "one has not ended");
        orders.answered(key, &answer, mono, &mut figures, &mut out);
    }
    let fill = |orders: &mut Orders, order, out: &mut Outbox, figures: &mut GateFigures| {
        let (trade, shares) = (Id::parse("trade").unwrap(), Shares::new(1_000_000));
        let stands = TradeStands::Made;
        let news = FillNews {
            order,
            client: None,
            trade,
            part: 0,
            more: false,
            shares,
            px: Px::lit(5_500),
            fee: None,
            stands,
        };
        orders.fill(&news, mono, figures, out);
    };
    // One comes late: it is of the pair, and of none once that has left.
    fill(&mut orders, first, &mut out, &mut figures);
    orders.leave(bundle.pair, PairId(u16::MAX));
    fill(&mut orders, second, &mut out, &mut figures);
    let pairs: Vec<_> = std::iter::from_fn(|| feedback.pop().ok())
        .filter_map(|feedback| match feedback {
            Feedback::Report(report) => Some((report.kind, report.pair)),
            _ => None,
        })
        .filter(|(kind, _)| matches!(kind, ReportKind::Filled { .. }))
        .map(|(_, pair)| pair)
        .collect();
    assert_eq!(pairs, [bundle.pair, PairId(u16::MAX)]);
    // A trade of one may still fail: what that says is of a position.
    let settled = mono.after(Patience::default().trades);
    assert!(!orders.forget(market, Ns(settled.0 - 1)));
    assert!(orders.forget(market, settled));
    fill(&mut orders, second, &mut out, &mut figures);
    // It is that of an order that nobody knows: no report of it, and a person hears.
    let (pair, risk) = (PairId(u16::MAX), Risk::Foreign);
    assert_eq!(feedback.pop(), Ok(Feedback::Tripped { pair, at: mono, risk }));
    assert!(feedback.pop().is_err());
    assert_eq!(figures.foreign, 1);
}
