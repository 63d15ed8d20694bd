//! Every record survives its bytes, and arbitrary bytes never panic.

use super::*;
use engine::event::{Report, ReportKind};
use proptest::prelude::*;

/// One record of every kind, so that a new one without a way to disk shows.
pub fn samples() -> Vec<Record> {
    let market = MarketId::new(Venue::Polymarket, 7).unwrap();
    let first = MarketId::new(Venue::Kalshi, 3).unwrap();
    let (client, wall) = (Id::uuid(5), Ns(1_700_000_000_000_000_000));
    let order = OrderRecord {
        bundle: BundleId(9),
        pair: PairId(2),
        leg: 1,
        market,
        outcome: Outcome::No,
        action: Action::Sell,
        purpose: Purpose::Chase,
        spends: true,
        limit: Px::lit(4_100),
        qty: Qty::lit(1_200),
        budget: Usd::new(4_920_000),
        reserve: Usd::new(5_000_000),
        client,
        venue: Some(Id::hash(&[0xcd; 32])),
        wall,
    };
    let report = Report {
        bundle: BundleId(9),
        pair: PairId(2),
        leg: 1,
        market,
        outcome: Outcome::No,
        action: Action::Buy,
        at: Ns(4),
        kind: ReportKind::Filled {
            shares: Shares::new(12_000_001),
            px: Px::lit(4_000),
            cash: Usd::new(4_800_000),
            fee: Usd::new(17),
        },
    };
    let settled = Settled {
        bundle: BundleId(9),
        pair: PairId(2),
        at: Ns(77),
        filled: [Shares::new(1), Shares::new(2)],
        matched: Shares::new(1),
        profit: Usd::new(-3),
        excess: Usd::new(4),
    };
    let found = Finding {
        venue: Venue::Kalshi,
        client,
        exists: true,
        shares: Shares::new(8),
        cash: Usd::new(9),
        fee: Usd::new(10),
    };
    vec![
        Record::Run { run: u64::MAX, wall, live: true },
        Record::Market { market: first, name: name("KXFED-26DEC-T3.50") },
        Record::Token { market, outcome: Outcome::No, name: name(&"7".repeat(78)) },
        Record::Cash { venue: Venue::Polymarket, cash: Usd::new(-1) },
        Record::Held { market: first, outcome: Outcome::Yes, e6: -5_000_000 },
        Record::Ids { first: 1, last: 1_024 },
        Record::Armed {
            id: OrderId([0xab; 32]),
            market,
            outcome: Outcome::Yes,
            limit: Px::lit(9_990),
            qty: Qty::MAX,
            wall,
        },
        Record::Order(order),
        Record::Order(OrderRecord { venue: None, ..order }),
        Record::Heard(Feedback::Report(report)),
        Record::Heard(Feedback::Gate { venue: Venue::Kalshi, at: Ns(1), ready: false }),
        Record::Ended(settled),
        Record::Tripped { pair: PairId(1), at: Ns(2), risk: 3 },
        Record::Found(found),
        Record::Differs {
            venue: Venue::Kalshi,
            what: name(&"ä".repeat(90)),
            ours: i64::MIN,
            theirs: i64::MAX,
            taken: true,
        },
        Record::End { unknown: 1, open: 2 },
        Record::Seen { trade: Id::uuid(7) },
        Record::Said { wall, text: name("KILL  odd fills") },
        Record::Merged { market, e6: -5_000_001 },
        Record::Paid(Payout {
            market,
            outcome: Outcome::No,
            shares: Shares::new(9_000_001),
            each: Px::ONE,
            paid: Usd::new(9_000_001),
        }),
    ]
}

#[test]
fn every_record_survives_its_bytes_and_no_other_length() {
    let mut bytes = Vec::new();
    for record in samples() {
        bytes.clear();
        record.encode(&mut bytes);
        assert!(bytes.len() <= RECORD_LEN_MAX, "{record:?}");
        assert_eq!(Record::decode(&bytes), Some(record));
        assert_eq!(Record::decode(&bytes[..bytes.len() - 1]), None, "{record:?}");
        bytes.push(0);
        assert_eq!(Record::decode(&bytes), None, "{record:?}");
    }
    let cut = name(&"ä".repeat(90));
    assert_eq!(cut.as_bytes().len(), NAME_LEN_MAX);
    assert!(core::str::from_utf8(cut.as_bytes()).is_ok());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Record::decode(&bytes);
    }

    #[test]
    fn a_changed_byte_never_panics(which in 0usize..17, at in any::<usize>(), to in any::<u8>()) {
        let mut bytes = Vec::new();
        samples()[which].encode(&mut bytes);
        let at = at % bytes.len();
        bytes[at] = to;
        let _ = Record::decode(&bytes);
    }
}

#[test]
fn what_a_person_was_told_is_kept_whole() {
    let wall = Ns(5);
    for length in [0, 1, NAME_LEN_MAX, NAME_LEN_MAX + 1, 5 * NAME_LEN_MAX + 7] {
        // Of characters of two bytes, none is cut.
        let words: String = "xé".chars().cycle().take(length).collect();
        let mut text = Vec::new();
        for record in said(wall, &words) {
            let Record::Said { wall: at, text: part } = record else { panic!("{record:?}") };
            assert_eq!(at, wall);
            assert!(core::str::from_utf8(part.as_bytes()).is_ok());
            text.extend_from_slice(part.as_bytes());
        }
        assert_eq!(String::from_utf8(text).unwrap(), words);
    }
}
