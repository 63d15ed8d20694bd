//! A recorded run and its repetition.

use super::*;
use crate::core::CoreConfig;
use crate::event::{Dispatch, Purpose, Report, ReportKind};
use crate::fixture::{Recorder, config, market, pair, table, top};
use crate::pair::{Outcome, Polarity};
use crate::paper::PaperCore;
use crate::repair::RepairConfig;
use crate::tap::tap;
use crate::units::{Px, Qty, Shares, Usd};

struct Rig {
    tile: LiveTile,
    tops: Vec<Producer<Top>>,
    controls: Vec<Producer<Control>>,
    feedback: Producer<Feedback>,
    commands: Producer<Command>,
    bundles: Vec<Consumer<Dispatch>>,
    events: Consumer<Event>,
    tape: crate::tap::TapReader,
}

fn rig(desk: Desk, gates: usize) -> Rig {
    let (tops, tops_rx): (Vec<_>, Vec<_>) = (0..2).map(|_| rtrb::RingBuffer::new(64)).unzip();
    let (controls, controls_rx): (Vec<_>, Vec<_>) =
        (0..2).map(|_| rtrb::RingBuffer::new(8)).unzip();
    let (feedback, feedback_rx) = rtrb::RingBuffer::new(64);
    let (commands, commands_rx) = rtrb::RingBuffer::new(4);
    let (gate_tx, bundles): (Vec<_>, Vec<_>) = (0..gates).map(|_| rtrb::RingBuffer::new(4)).unzip();
    let (event_tx, events) = rtrb::RingBuffer::new(256);
    let (tap_tx, tape) = tap(1 << 16);
    let feeds = tops_rx.into_iter().zip(controls_rx);
    let feeds = feeds.map(|(tops, controls)| FeedEnds { tops, controls }).collect();
    let out = LiveOutlet::new(gate_tx, None, event_tx);
    let tile = LiveTile::new(desk, feeds, vec![feedback_rx], commands_rx, out, Some(tap_tx));
    Rig { tile, tops, controls, feedback, commands, bundles, events, tape }
}

fn mending(repair: Option<RepairConfig>) -> Desk {
    let pairs = table(&[pair("a", 0, 0, Polarity::Same)]);
    let config = CoreConfig { repair, ..config() };
    Desk::Paper(PaperCore::new(pairs, [0, 0], config, [Ns(50), Ns(70)]))
}

fn real() -> Desk {
    Desk::Real(Core::new(table(&[pair("a", 0, 0, Polarity::Same)]), [0, 0], config()))
}

fn at(mono: u64) -> Now {
    Now { mono: Ns(mono), wall: Ns(1_000_000 + mono) }
}

/// Plays the tape of a run into a fresh desk.
fn repeat(tape: &mut crate::tap::TapReader, mut desk: Desk) -> Desk {
    let (mut payload, mut out) = (Vec::new(), Recorder::default());
    while let Some(head) = tape.next(&mut payload) {
        assert_eq!(head.kind, TapKind::CoreInput);
        let (now, input) = CoreInput::decode(&payload).unwrap();
        desk.take(now, &input, &mut out);
    }
    desk
}

#[test]
fn a_paper_run_repeats_from_its_tape() {
    paper_run(None);
    // Repairs are sent when time has passed, too: that is an input like any other.
    let (wait_first, give_max) = (Ns(40), Usd::new(300_000));
    paper_run(Some(RepairConfig { wait_first, give_max, ..RepairConfig::default() }));
}

fn paper_run(repair: Option<RepairConfig>) {
    let mut rig = rig(mending(repair), 0);
    let book = |venue, recv, bid, ask| top(market(venue, 0), recv, &[(bid, 900)], &[(ask, 900)]);
    let (mut clock, mut events) = (10, 0);
    for round in 0..40u16 {
        let shift = round % 7 * 50;
        rig.tops[0].push(book(Venue::Kalshi, clock, 3_900 + shift, 4_000 + shift)).unwrap();
        rig.tops[1].push(book(Venue::Polymarket, clock, 5_000 - shift, 5_100 - shift)).unwrap();
        clock += 13;
        rig.tile.step(at(clock));
        while rig.events.pop().is_ok() {
            events += 1;
        }
        if repair.is_some() && round % 3 == 0 {
            // The second leg comes too late.
            clock += 1;
            rig.tops[1].push(book(Venue::Polymarket, clock, 3_500, 3_600)).unwrap();
            rig.tile.step(at(clock));
        }
        while let Some(due) = rig.tile.next_deadline().filter(|due| due.0 < clock + 60) {
            clock = clock.max(due.0);
            rig.tile.step(at(clock));
        }
    }
    let figures = rig.tile.core().figures();
    assert!(figures.decisions > 3 && figures.fills > 3, "{figures:?}");
    assert_eq!(rig.tile.lost(), Lost::default());
    assert_eq!(figures.repairs > 0, repair.is_some(), "{figures:?}");
    let again = repeat(&mut rig.tape, mending(repair));
    assert_eq!(again.core().figures(), figures);
    assert_eq!(again.core().accounts(), rig.tile.core().accounts());
    assert!(events > 0);
}

#[test]
fn a_real_run_sends_each_leg_to_its_gate_and_repeats_from_its_tape() {
    let mut rig = rig(real(), 2);
    let ask = |venue, recv, bid, ask| top(market(venue, 0), recv, &[(bid, 900)], &[(ask, 900)]);
    rig.feedback.push(Feedback::Gate { venue: Venue::Kalshi, at: Ns(1), ready: false }).unwrap();
    rig.tops[0].push(ask(Venue::Kalshi, 5, 3_900, 4_000)).unwrap();
    rig.tops[1].push(ask(Venue::Polymarket, 6, 5_000, 5_100)).unwrap();
    rig.tile.step(at(10));
    assert!(rig.bundles[0].is_empty(), "a gate is down");
    rig.feedback.push(Feedback::Gate { venue: Venue::Kalshi, at: Ns(11), ready: true }).unwrap();
    rig.tops[1].push(ask(Venue::Polymarket, 12, 5_050, 5_100)).unwrap();
    rig.tile.step(at(20));
    let sent = rig.bundles[0].pop().expect("the gate is back");
    assert_eq!(rig.bundles[1].pop(), Ok(sent), "both gates get it");
    let bundle = sent.bundle;
    assert_eq!((bundle.recv, bundle.decided), (Ns(12), Ns(20)));
    for (leg, part) in bundle.legs.iter().enumerate() {
        let (shares, px) = (Shares::from(Qty::lit(900)), Px::lit(4_000));
        let (cash, fee) = (Usd::new(3_600_000), Usd::new(9));
        for kind in [ReportKind::Filled { shares, px, cash, fee }, ReportKind::Done] {
            let report = Report {
                bundle: bundle.id,
                pair: bundle.pair,
                leg: leg as u8,
                market: part.market,
                outcome: if leg == 0 { Outcome::Yes } else { Outcome::No },
                action: part.action,
                at: Ns(21),
                kind,
            };
            rig.feedback.push(Feedback::Report(report)).unwrap();
        }
    }
    rig.tile.step(at(30));
    assert_eq!(rig.tile.core().accounts().realised, Usd::new(9_000_000 - 7_200_000 - 18));
    rig.commands.push(Command::Kill).unwrap();
    rig.tops[1].push(ask(Venue::Polymarket, 40, 5_060, 5_100)).unwrap();
    rig.tile.step(at(40));
    assert!(rig.bundles[0].is_empty(), "killed");
    let figures = rig.tile.core().figures();
    assert_eq!(repeat(&mut rig.tape, real()).core().figures(), figures);
}

#[test]
fn rules_hold_before_the_top_that_announces_them() {
    let mut rig = rig(real(), 2);
    let mut announced = top(market(Venue::Kalshi, 0), 5, &[(3_900, 9)], &[(4_000, 9)]);
    announced.flags = Top::CONTROL | Top::LAST_OF_FRAME;
    rig.tops[0].push(announced).unwrap();
    let fee =
        Control::Fee { market: market(Venue::Kalshi, 0), fee: Some(crate::pair::FeeRule::Unknown) };
    rig.controls[0].push(fee).unwrap();
    assert_eq!(rig.tile.step(at(6)), 0);
    assert_eq!(rig.tile.core().top(announced.market).unwrap().recv, Ns(0), "it waits");
    rig.controls[0].push(Control::EndOfFrame).unwrap();
    assert_eq!(rig.tile.step(at(7)), 1);
    assert_eq!(rig.tile.core().top(announced.market).unwrap().recv, Ns(5));
}

#[test]
fn both_legs_leave_where_each_gate_has_a_connection_at_once_or_neither() {
    let lanes = [Arc::new(Lanes::new()), Arc::new(Lanes::new())];
    let (gates, mut taken): (Vec<_>, Vec<_>) = (0..2).map(|_| rtrb::RingBuffer::new(16)).unzip();
    let (events, _) = rtrb::RingBuffer::new(16);
    let mut out = LiveOutlet::new(gates, None, events).with_lanes(lanes.clone());
    let mut send = |purpose, count| {
        let bundle = Bundle { purpose, count, ..crate::flight::tests::bundle() };
        out.bundle(&bundle, &Grounds::PERFECT);
        let at = usize::from(taken[0].is_empty());
        let first = taken[at].pop().unwrap().bundle;
        taken.iter_mut().for_each(|ring| while ring.pop().is_ok() {});
        first.ticket
    };
    assert_eq!(send(Purpose::Open, 2), Ticket::Refused, "no gate told anything");
    // Each has taken one leg, and has so many connections idle.
    lanes[0].tell(1, 2);
    lanes[1].tell(1, 1);
    assert_eq!(send(Purpose::Open, 2), Ticket::AtGate);
    assert_eq!(send(Purpose::Open, 2), Ticket::Refused, "the second gate has none left");
    assert_eq!(send(Purpose::Chase, 1), Ticket::AtGate, "what repairs waits for one");
    // What was refused was taken as well.
    lanes[0].tell(4, 1);
    lanes[1].tell(3, 1);
    assert_eq!(send(Purpose::Open, 2), Ticket::AtGate);
}

#[test]
fn tokens_of_both_legs_are_taken_before_the_gates_see_a_bundle() {
    use crate::budget::{Budget, OrderBudgets};
    use crate::event::Reject;
    let mut rig = rig(real(), 2);
    let venue = |rate| Arc::new(OrderBudgets::new(vec![Budget::new(rate, rate, 0)], vec![], 1));
    let budgets = [venue(100), venue(1)];
    let (gates, taken): (Vec<_>, Vec<_>) = (0..2).map(|_| rtrb::RingBuffer::new(4)).unzip();
    let (events, _) = rtrb::RingBuffer::new(256);
    rig.tile.out = LiveOutlet::new(gates, None, events).with_budgets(budgets.clone());
    rig.bundles = taken;
    let book = |venue, recv, bid, ask| top(market(venue, 0), recv, &[(bid, 900)], &[(ask, 900)]);
    rig.tops[0].push(book(Venue::Kalshi, 5, 3_900, 4_000)).unwrap();
    for (round, want) in [(0, Ticket::Taken), (1, Ticket::Refused)] {
        rig.tops[1].push(book(Venue::Polymarket, 6 + round, 5_000, 5_100)).unwrap();
        rig.tile.step(at(10 + round));
        let sent = rig.bundles[0].pop().expect("a bundle a round");
        assert_eq!(rig.bundles[1].pop(), Ok(sent));
        let bundle = sent.bundle;
        assert_eq!(bundle.ticket, want);
        for (leg, part) in bundle.legs.iter().enumerate() {
            let report = Report {
                bundle: bundle.id,
                pair: bundle.pair,
                leg: leg as u8,
                market: part.market,
                outcome: part.outcome,
                action: part.action,
                at: Ns(10 + round),
                kind: ReportKind::Rejected(Reject::Budget),
            };
            rig.feedback.push(Feedback::Report(report)).unwrap();
        }
        rig.tile.step(at(10 + round));
    }
    let left = budgets.map(|b| b.of(market(Venue::Kalshi, 0)).tokens(Ns(11)));
    assert_eq!(left, [99, 0], "the refused bundle took none");
}

#[test]
fn rules_go_to_gates_and_signer_before_the_core_decides_by_them() {
    use crate::grid::Grid;
    use crate::pair::FeeRule;
    let mut rig = rig(real(), 2);
    let (events, _) = rtrb::RingBuffer::new(256);
    let (rules, mut heard): (Vec<_>, Vec<_>) = (0..3).map(|_| rtrb::RingBuffer::new(1)).unzip();
    rig.tile.out = LiveOutlet::new(Vec::new(), None, events).with_rules(rules);
    let id = market(Venue::Kalshi, 0);
    let mut announced = top(id, 5, &[(3_900, 9)], &[(4_000, 9)]);
    announced.flags = Top::CONTROL | Top::LAST_OF_FRAME;
    rig.tops[0].push(announced).unwrap();
    let grid = Control::Grid { market: id, grid: Grid::DECI_CENT };
    for control in [grid, Control::Fee { market: id, fee: None }, Control::EndOfFrame] {
        rig.controls[0].push(control).unwrap();
    }
    assert_eq!(rig.tile.step(at(6)), 0, "one found room, and the other has to wait");
    for ring in &mut heard {
        assert_eq!(ring.pop(), Ok(grid));
    }
    assert_eq!(rig.tile.step(at(7)), 0, "no room, for all that anybody knows");
    // The fee of the pair table, in its own words.
    let fee = Some(FeeRule::Quadratic { multiplier_e6: 1_000_000 });
    for ring in &mut heard {
        assert_eq!(ring.pop(), Ok(Control::Fee { market: id, fee }));
    }
    assert_eq!(rig.tile.step(at(8)), 1);
    assert_eq!(rig.tile.core().top(id).unwrap().recv, Ns(5));
}

#[test]
fn what_money_depends_on_finds_room_when_nothing_else_does() {
    let (events, mut heard) = rtrb::RingBuffer::new(8);
    let mut out = LiveOutlet::new(Vec::new(), None, events);
    let health = |recv| {
        let (from, to) = (crate::top::Health::Sound, crate::top::Health::Stale);
        Event::FeedHealthChanged { market: market(Venue::Kalshi, 0), recv: Ns(recv), from, to }
    };
    let latch = |at| {
        let risk = crate::event::Risk::Overfilled;
        Event::RiskTripped { pair: PairId(0), at: Ns(at), risk }
    };
    (0..5).for_each(|recv| out.event(&health(recv)));
    assert_eq!(out.lost, Lost { events: 3, ..Lost::default() }, "the rest is for facts");
    (0..7).for_each(|at| out.event(&latch(at)));
    assert_eq!(out.lost, Lost { events: 3, facts: 1, ..Lost::default() });
    let all: Vec<Event> = std::iter::from_fn(|| heard.pop().ok()).collect();
    let want: Vec<Event> = (0..2).map(health).chain((0..6).map(latch)).collect();
    assert_eq!(all, want, "in their order");
    out.event(&health(9));
    assert_eq!((heard.pop(), out.lost.events), (Ok(health(9)), 3), "there is room again");
}
