//! What the journal does not hold durably does not leave; what left is in the journal.

use engine::event::{Reject, ReportKind};
use engine::tile::{Now, Tile as _};
use engine::units::Ns;
use rtrb::Consumer;

use super::rig::*;
use crate::armed::ArmedOrder;
use crate::armed::tests::{armory, terms};
use crate::gate::kalshi::KalshiClerk;
use crate::journal::durable::{Durable, Source, rings};
use crate::journal::memory::{DiskFaults, Memory};
use crate::journal::record::Record;
use crate::journal::tile::{JournalConfig, JournalTile};
use crate::journal::{JournalWriter, reader};

/// A journal on a disk that takes 20 ms, its writers by source.
struct Kept {
    disk: Memory,
    tile: JournalTile<Memory>,
    writers: [Option<JournalWriter>; 4],
}

fn kept(ids_block: u64) -> Kept {
    let (disk, durable) = (Memory::new(), Durable::new());
    let (writers, ends): (_, [Consumer<Record>; 4]) = rings(&durable);
    let config = JournalConfig { ids_block, ..JournalConfig::default() };
    let opened = JournalTile::open(disk.clone(), ends, durable, config, &mut |_, _| {});
    let mut tile = opened.unwrap().0;
    let run = Record::Run { run: 1, wall: Ns(1), live: false };
    tile.begin(&[run], Now::default()).unwrap();
    disk.set_faults(DiskFaults { sync: Ns(20 * MS), ..DiskFaults::default() });
    Kept { disk, tile, writers: writers.map(Some) }
}

impl Kept {
    fn writer(&mut self, source: Source) -> JournalWriter {
        self.writers[source as usize].take().unwrap()
    }

    fn durably(&mut self, now: Now) {
        let mut now = now;
        while self.tile.is_busy() {
            self.tile.step(now);
            now.mono = now.mono.after(Ns(20 * MS));
        }
    }

    fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        reader::read(&mut self.disk.clone(), &mut |_, record| records.push(*record)).unwrap();
        records
    }
}

#[test]
fn an_order_signed_on_the_spot_leaves_once_it_is_durable() {
    let (rig, _) = polymarket();
    let mut kept = kept(64);
    let (mut rig, lanes) = rig.journalled(kept.writer(Source::Polymarket)).with_lanes();
    let bundle = rig.bundle(legs());
    rig.send(bundle);
    rig.run(2);
    assert_eq!((rig.requests().len(), rig.reports()), (0, vec![]), "it waits");
    assert_eq!(lanes.free(1), 0, "and so would what comes after it");
    kept.durably(rig.now());
    rig.run(1);
    assert_eq!(lanes.free(1), 1);
    assert_eq!(rig.reports(), [ReportKind::Sent]);
    let (_, request) = rig.request();
    assert!(request.starts_with("POST /order"), "{request}");
    assert_eq!(rig.gate.figures().parked, 1);
    kept.durably(rig.now());
    let order = kept.records().into_iter().find_map(|record| match record {
        Record::Order(order) => Some(order),
        _ => None,
    });
    let order = order.expect("it is written down");
    assert_eq!(order.client.to_string(), rig.gate.order_id());
    assert_eq!((order.bundle, order.leg, order.reserve), (bundle.id, 1, legs()[1].reserve));
}

#[test]
fn an_order_that_waits_too_long_or_is_killed_never_leaves() {
    for killed in [false, true] {
        let (rig, _) = polymarket();
        let mut kept = kept(64);
        let mut rig = rig.journalled(kept.writer(Source::Polymarket));
        let bundle = rig.bundle(legs());
        rig.send(bundle);
        rig.run(1);
        if killed {
            rig.epoch.store(4, std::sync::atomic::Ordering::Release);
        } else {
            rig.pass(60 * MS);
        }
        kept.durably(rig.now());
        rig.run(1);
        let reason = if killed { Reject::Killed } else { Reject::Expired };
        assert_eq!(rig.reports(), [ReportKind::Rejected(reason)]);
        let orders = rig.requests().into_iter().filter(|(_, r)| r.starts_with("POST "));
        assert_eq!(orders.count(), 0);
    }
}

#[test]
fn an_armed_order_leaves_at_once_where_the_journal_holds_it_and_not_before() {
    for durable in [true, false] {
        let (rig, mut filler) = polymarket();
        let mut kept = kept(64);
        let mut signer = kept.writer(Source::Signer);
        let mut rig = rig.journalled(kept.writer(Source::Polymarket));
        let mut armed = ArmedOrder::EMPTY;
        armory().arm(&legs()[1], &terms(), rig.now().wall, &mut armed).unwrap();
        let leg = legs()[1];
        armed.cover = signer.write(&Record::Armed {
            id: armed.id(),
            market: leg.market,
            outcome: leg.outcome,
            limit: leg.limit,
            qty: leg.qty,
            wall: rig.now().wall,
        });
        assert!(filler.push(&armed));
        if durable {
            kept.durably(rig.now());
        }
        rig.run(1);
        let bundle = rig.bundle(legs());
        rig.send(bundle);
        rig.run(1);
        assert_eq!(rig.requests().len(), usize::from(durable));
        assert_eq!(rig.gate.figures().parked, u64::from(!durable));
    }
}

#[test]
fn kalshis_orders_need_no_commit_of_their_own_within_a_block_of_ids() {
    let (rig, _filler) = kalshi();
    let mut kept = kept(2);
    let mut rig = rig.journalled(kept.writer(Source::Kalshi));
    for _ in 0..2 {
        let (slot, _) = rig.fire(legs());
        rig.peer(slot).borrow_mut().answer(400, "", r#"{"error":{"code":"insufficient_balance"}}"#);
        rig.run(1);
        rig.reports();
    }
    let bundle = rig.bundle(legs());
    rig.send(bundle);
    rig.run(1);
    assert_eq!(rig.requests().len(), 0, "the third is beyond the block");
    kept.durably(rig.now());
    rig.run(1);
    let (_, request) = rig.request();
    assert!(request.contains("POST"), "{request}");
    let id = crate::id::Id::parse(&rig.gate.order_id()).unwrap();
    let run = 0x0123_4567_89ab_cdef;
    assert_eq!(KalshiClerk::order_of(run, &id), Some((bundle.id.0, 0)));
    assert_eq!(KalshiClerk::order_of(run + 1, &id), None);
}

#[test]
fn a_journal_that_fails_closes_the_gate_and_cancels_still_go_out() {
    let (rig, _filler) = kalshi();
    let mut kept = kept(64);
    let mut rig = rig.journalled(kept.writer(Source::Kalshi));
    let (slot, _) = rig.fire(legs());
    // It rests though it must not: the gate cancels it.
    let resting = |id: &str| {
        format!(
            r#"{{"order_id":"ord-1","client_order_id":"{id}","fill_count":"0.00","remaining_count":"10.00","ts_ms":1}}"#
        )
    };
    kept.disk.set_faults(DiskFaults { sync_fails: true, ..DiskFaults::default() });
    kept.tile.step(rig.now());
    assert!(kept.tile.failed().is_some());
    rig.run(1);
    assert!(!rig.gate.is_ready(), "the core hears at once");
    let bundle = rig.bundle(legs());
    rig.send(bundle);
    let id = rig.gate.order_id();
    rig.peer(slot).borrow_mut().answer(201, "", &resting(&id));
    rig.run(4);
    let reports = rig.reports();
    assert!(reports.contains(&ReportKind::Rejected(Reject::Shut)), "{reports:?}");
    let requests = rig.requests();
    assert!(requests.iter().all(|(_, request)| !request.starts_with("POST")), "{requests:#?}");
    assert!(requests.iter().any(|(_, request)| request.starts_with("DELETE")), "{requests:#?}");
}
