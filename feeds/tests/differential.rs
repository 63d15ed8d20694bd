//! The fast paths against the general decoders, and whole sessions with and without them against
//! slow twins that keep their books in sorted maps.
//!
//! A frame with a blank in front means the same, and no fast path takes it: so the same session
//! is sent through the general decoder.

#![allow(clippy::unwrap_used)] // the helpers of tests are tests too

mod common;

use std::collections::BTreeMap;

use common::{Recorder, plain};
use engine::book::Side;
use engine::grid::Grid;
use engine::slab::Slab;
use engine::top::Health;
use engine::units::Ns;
use feeds::figures::Figures;
use feeds::kalshi::message::Body;
use feeds::polymarket::fast::{Change, ENTRIES_MAX, TokenText};
use feeds::polymarket::message::Object;
use feeds::{kalshi, polymarket};
use proptest::prelude::*;

/// One step of damage to a frame's bytes.
#[derive(Clone, Debug)]
enum Damage {
    Flip(usize, u8),
    Delete(usize, usize),
    Insert(usize, &'static str),
    Cut(usize),
    /// Copies a part to another place: keys and entries twice, or in another order.
    Copy(usize, usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let pieces = prop::sample::select(vec![
        "0",
        "00",
        "9",
        ".",
        "-",
        "+",
        "e3",
        "E-1",
        "\"",
        "\\",
        "\\u0031",
        "\\\"",
        " ",
        "\n",
        "\t",
        ",",
        ":",
        "{",
        "}",
        "[",
        "]",
        "null",
        "true",
        "NaN",
        "ä",
        "\u{0}",
        "\u{7f}",
        "1111111111111111111111111111111111111111",
        ",\"seq\":7",
        ",\"sid\":7",
        ",\"side\":\"no\"",
        "\"price\":\"0.5\",",
        "\"ts_ms\":1,",
        "0.",
        "1.0000",
        "},{",
        ",\"event_type\":\"book\"",
        "\r\n",
        "\"a\":1,",
        "}}",
    ]);
    prop_oneof![
        4 => (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        2 => (any::<usize>(), 1usize..12).prop_map(|(at, n)| Damage::Delete(at, n)),
        6 => (any::<usize>(), pieces).prop_map(|(at, piece)| Damage::Insert(at, piece)),
        1 => any::<usize>().prop_map(Damage::Cut),
        2 => (any::<usize>(), 1usize..40, any::<usize>()).prop_map(|(a, n, b)| Damage::Copy(a, n, b)),
    ]
}

fn damaged(frame: &str, steps: &[Damage]) -> Vec<u8> {
    let mut bytes = frame.as_bytes().to_vec();
    for step in steps {
        let len = bytes.len();
        if len == 0 {
            break;
        }
        match *step {
            Damage::Flip(at, byte) => bytes[at % len] = byte,
            Damage::Delete(at, n) => drop(bytes.drain(at % len..(at % len + n).min(len))),
            Damage::Insert(at, piece) => drop(bytes.splice(at % len..at % len, piece.bytes())),
            Damage::Cut(at) => bytes.truncate(at % len),
            Damage::Copy(from, n, to) => {
                let part = bytes[from % len..(from % len + n).min(len)].to_vec();
                drop(bytes.splice(to % len..to % len, part));
            }
        }
    }
    bytes
}

fn px_text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (1u32..100).prop_map(|c| format!("0.{c:02}00")),
        2 => (0u32..10_001).prop_map(|e4| format!("{}.{:04}", e4 / 10_000, e4 % 10_000)),
        2 => "0\\.[0-9]{1,5}",
        1 => "[01]",
        1 => "\\.[0-9]{2}",
    ]
}

fn size_text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "(0|[1-9][0-9]{0,6})(\\.[0-9]{1,2})?",
        1 => "[0-9]{1,9}\\.[0-9]{1,3}",
        1 => Just("10000000000000.00".to_owned()),
    ]
}

fn integer_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0u64..3_000).prop_map(|n| n.to_string()),
        2 => (1_700_000_000_000u64..1_900_000_000_000).prop_map(|n| n.to_string()),
        1 => any::<u64>().prop_map(|n| n.to_string()),
        1 => "[0-9]{1,22}",
    ]
}

const TICKERS: [&str; 3] =
    ["KXA", "KXNBAGAME-26NOV25BOSDET-BOS", "KXMVE-S2026ABCDEF0123456789-0123456789ABCDEF01234567"];
const ID: &str = "f5ed38e2-0991-4c8f-817e-08c4fd9cbfdb";

prop_compose! {
    /// A delta in the forms that live sockets send, and in some that they do not.
    fn kalshi_frame()(
        sent in prop::option::of(integer_text()),
        sid in integer_text(),
        seq in integer_text(),
        ticker in prop::sample::select(TICKERS.to_vec()),
        px in px_text(),
        minus in prop::bool::ANY,
        size in size_text(),
        side in prop::sample::select(vec!["yes", "no", "no", "maybe"]),
        ts in prop::option::weighted(0.9, "[0-9TZ:.-]{0,40}"),
        ts_ms in integer_text(),
        own in prop::option::weighted(0.2, ("[a-z0-9-]{0,40}", "[0-9]{1,9}")),
        end in prop::sample::select(vec!["", "", "\n", " ", "\n\n"]),
    ) -> String {
        let sent = sent.map_or(String::new(), |ms| format!(r#""sending_ts_ms":{ms},"#));
        let minus = if minus { "-" } else { "" };
        let ts = ts.map_or(String::new(), |ts| format!(r#""ts":"{ts}","#));
        let own = own.map_or(String::new(), |(id, account)| {
            format!(r#","client_order_id":"{id}","subaccount":{account}"#)
        });
        format!(
            r#"{{"type":"orderbook_delta",{sent}"sid":{sid},"seq":{seq},"msg":{{"market_ticker":"{ticker}","market_id":"{ID}","price_dollars":"{px}","delta_fp":"{minus}{size}","side":"{side}",{ts}"ts_ms":{ts_ms}{own}}}}}{end}"#
        )
    }
}

/// What the fast path takes the general decoder takes, with the same values.
fn kalshi_agrees(frame: &[u8]) -> Result<bool, TestCaseError> {
    let Some(fast) = kalshi::fast::delta(frame) else { return Ok(false) };
    // The session takes it only where these bytes are a known market's.
    let known = TICKERS.iter().find(|ticker| {
        let mut identity = [0; 160];
        identity[..ticker.len()].copy_from_slice(ticker.as_bytes());
        let put = kalshi::fast::put_market_id(&mut identity, ticker.len(), ID);
        put && identity[..kalshi::fast::identity_len(ticker.len())] == *fast.identity
    });
    let Some(ticker) = known else { return Ok(false) };
    let mut general = kalshi::general::General::new();
    let decoded = general.decode(frame);
    prop_assert!(decoded.is_ok(), "{decoded:?}: {}", String::from_utf8_lossy(frame));
    let decoded = decoded.unwrap();
    prop_assert_eq!((decoded.sid, decoded.seq), (Some(fast.sid), Some(fast.seq)));
    prop_assert_eq!((decoded.sent_ms, decoded.id), (fast.sent_ms, None));
    let Body::Delta(delta) = decoded.body else { panic!("{:?}", decoded.body) };
    prop_assert_eq!(
        (delta.ticker, delta.ticker.as_bytes(), delta.market_id),
        (*ticker, fast.ticker, ID)
    );
    prop_assert_eq!((delta.px, delta.delta_e2, delta.side), (fast.px, fast.delta_e2, fast.side));
    prop_assert_eq!((delta.ts_ms, delta.own), (Some(fast.ts_ms), fast.own));
    Ok(true)
}

const MARKET: &str = "0x9b1c6f0d2a7e4b58c3d1e0f4a59687766554433221100ffeeddccbbaa9988770";
const TOKENS: [&str; 2] = [
    "52114319501245915516055106046884209969926127482827954674443846427813813222426",
    "71321045679252212594626385532706912750332728571942532289631379312455583992563",
];

prop_compose! {
    fn entry_text()(
        token in prop::sample::select(vec![TOKENS[0], TOKENS[1], TOKENS[0], TOKENS[1], "123"]),
        px in px_text(),
        size in size_text(),
        side in prop::sample::select(vec!["BUY", "SELL"]),
        hash in prop_oneof![9 => "[0-9a-f]{40}", 1 => "[0-9a-f]{0,44}"],
        bid in prop_oneof![px_text(), Just("0".to_owned())],
        ask in prop_oneof![px_text(), Just("1".to_owned())],
    ) -> String {
        format!(r#"{{"asset_id":"{token}","price":"{px}","size":"{size}","side":"{side}","hash":"{hash}","best_bid":"{bid}","best_ask":"{ask}"}}"#)
    }
}

prop_compose! {
    fn polymarket_frame()(
        first in prop::bool::ANY,
        time in integer_text(),
        entries in prop::collection::vec(entry_text(), 0..11),
        end in prop::sample::select(vec!["", "", "\n", " "]),
    ) -> String {
        let entries = entries.join(",");
        if first {
            format!(r#"{{"event_type":"price_change","market":"{MARKET}","timestamp":"{time}","price_changes":[{entries}]}}{end}"#)
        } else {
            format!(r#"{{"market":"{MARKET}","price_changes":[{entries}],"timestamp":"{time}","event_type":"price_change"}}{end}"#)
        }
    }
}

/// What the decoder for the usual frame accepts, the one for any entries must accept, with the
/// same values: also where it recognises what an earlier frame said.
fn pair_agrees(frame: &[u8], texts: &mut [TokenText; 2]) -> Result<bool, TestCaseError> {
    let Some(head) = polymarket::fast::head(frame) else { return Ok(false) };
    let mut changes = [Change::NONE; ENTRIES_MAX];
    let entries = head.entries([&texts[0], &texts[1]], &mut changes);
    let [yes, no] = texts;
    let Some(pair) = head.pair(yes, no) else { return Ok(false) };
    prop_assert_eq!(entries, Some((2, pair.timestamp_ms)));
    changes[..2].sort_by_key(|change| change.token);
    let pair = pair.changes();
    prop_assert_eq!(&pair[..], &changes[..2]);
    Ok(true)
}

fn polymarket_agrees(frame: &[u8]) -> Result<bool, TestCaseError> {
    let Some(head) = polymarket::fast::head(frame) else { return Ok(false) };
    if head.condition != MARKET.as_bytes() {
        return Ok(false);
    }
    let texts = TOKENS.map(|token| TokenText::new(token).unwrap());
    let mut changes = [Change::NONE; ENTRIES_MAX];
    let Some((count, time)) = head.entries([&texts[0], &texts[1]], &mut changes) else {
        return Ok(false);
    };
    let mut objects = 0;
    let mut general = polymarket::general::General::new();
    let decoded = general.decode(frame, &mut |object| {
        objects += 1;
        let Ok(Object::PriceChange(change)) = object else {
            panic!("{object:?}: {}", String::from_utf8_lossy(frame))
        };
        assert_eq!(
            (change.market, change.timestamp_ms, change.entries.len()),
            (MARKET, time, count)
        );
        for (entry, fast) in change.entries.iter().zip(&changes) {
            assert_eq!(entry.asset_id, TOKENS[fast.token]);
            assert_eq!((entry.px, entry.qty, entry.side), (fast.px, fast.qty, fast.side));
            assert_eq!(entry.hash.as_bytes(), fast.hash);
            assert_eq!((entry.best_bid, entry.best_ask), (fast.best_bid, fast.best_ask));
        }
    });
    prop_assert_eq!((decoded, objects), (Ok(()), 1));
    Ok(true)
}

#[test]
fn the_usual_shapes_take_the_fast_path() {
    // Without this the tests below would pass on a fast path that takes nothing.
    for sent in ["", r#""sending_ts_ms":1795284000006,"#] {
        for own in
            ["", r#","client_order_id":"8c35ecb3-328f-4f52-8c7c-0f4b9862f8d1","subaccount":0"#]
        {
            for end in ["", "\n"] {
                let frame = format!(
                    r#"{{"type":"orderbook_delta",{sent}"sid":2,"seq":66,"msg":{{"market_ticker":"KXA","market_id":"{ID}","price_dollars":"0.2300","delta_fp":"-200.00","side":"no","ts":"2026-11-21T18:00:00.000000Z","ts_ms":1795284000000{own}}}}}{end}"#
                );
                assert!(kalshi_agrees(frame.as_bytes()).unwrap(), "{frame}");
            }
        }
    }
    let entry = format!(
        r#"{{"asset_id":"{}","price":"0.66","size":"1644.12","side":"SELL","hash":"b6589fc6ab0dc82cf12099d1c2d40ab994e8410c","best_bid":"0","best_ask":"1"}}"#,
        TOKENS[1]
    );
    for count in 1..=ENTRIES_MAX {
        let entries = vec![entry.clone(); count].join(",");
        let last = format!(
            r#"{{"market":"{MARKET}","price_changes":[{entries}],"timestamp":"1795284001000","event_type":"price_change"}}"#
        );
        let first = format!(
            r#"{{"event_type":"price_change","market":"{MARKET}","timestamp":"1795284001000","price_changes":[{entries}]}}"#
        );
        assert!(polymarket_agrees(last.as_bytes()).unwrap());
        assert!(polymarket_agrees(first.as_bytes()).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn kalshi_fast_implies_general(frame in kalshi_frame(), steps in prop::collection::vec(damage(), 0..3)) {
        kalshi_agrees(frame.as_bytes())?;
        kalshi_agrees(&damaged(&frame, &steps))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn polymarket_fast_implies_general(frame in polymarket_frame(), steps in prop::collection::vec(damage(), 0..3)) {
        polymarket_agrees(frame.as_bytes())?;
        polymarket_agrees(&damaged(&frame, &steps))?;
    }
}

prop_compose! {
    /// Two entries, most of them mirrored, of two tokens.
    fn pair_frame()(
        first in prop::bool::ANY,
        order in prop::sample::select(vec![[0, 1], [0, 1], [1, 0], [1, 0], [0, 0]]),
        time in prop_oneof![
            8 => (1_795_284_000_000u64..1_795_284_300_000).prop_map(|time| time.to_string()),
            1 => integer_text(),
        ],
        px in prop_oneof![6 => (1u32..100).prop_map(|px| format!("0.{px:02}")), 1 => px_text()],
        sizes in prop_oneof![
            6 => size_text().prop_map(|size| [size.clone(), size]),
            1 => [size_text(), size_text()],
        ],
        sides in prop::sample::select(vec![["BUY", "SELL"], ["SELL", "BUY"], ["BUY", "BUY"], ["SELL", "SELL"]]),
        hashes in prop_oneof![9 => ["[0-9a-f]{40}", "[0-9a-f]{40}"], 1 => ["[0-9A-Z]{40}", "[0-9a-f]{38,42}"]],
        best in prop::sample::select(vec![["0.59", "0.61"], ["0.6", "0.61"], ["0", "1"], ["0.059", "0.0611"], ["0", "0.5"]]),
        end in prop::sample::select(vec!["", "", "\n", " "]),
    ) -> String {
        let entries: Vec<String> = (0..2)
            .map(|i| format!(
                r#"{{"asset_id":"{}","price":"{px}","size":"{}","side":"{}","hash":"{}","best_bid":"{}","best_ask":"{}"}}"#,
                TOKENS[order[i]], sizes[i], sides[i], hashes[i], best[0], best[1],
            ))
            .collect();
        let entries = entries.join(",");
        if first {
            format!(r#"{{"event_type":"price_change","market":"{MARKET}","timestamp":"{time}","price_changes":[{entries}]}}{end}"#)
        } else {
            format!(r#"{{"market":"{MARKET}","price_changes":[{entries}],"timestamp":"{time}","event_type":"price_change"}}{end}"#)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_usual_pair_is_what_its_entries_are(
        frames in prop::collection::vec((pair_frame(), prop::collection::vec(damage(), 0..2)), 1..12),
    ) {
        let mut texts = TOKENS.map(|token| TokenText::new(token).unwrap());
        for (frame, steps) in frames {
            pair_agrees(&damaged(&frame, &steps), &mut texts)?;
            pair_agrees(frame.as_bytes(), &mut texts)?;
            polymarket_agrees(frame.as_bytes())?;
        }
    }
}

#[test]
fn the_usual_pair_is_taken() {
    let mut texts = TOKENS.map(|token| TokenText::new(token).unwrap());
    for [one, two] in [TOKENS, [TOKENS[1], TOKENS[0]]] {
        for time in ["1795284001000", "1795284001007", "1795284101000"] {
            let frame = format!(
                r#"{{"market":"{MARKET}","price_changes":[{{"asset_id":"{one}","price":"0.6","size":"1644.12","side":"SELL","hash":"b6589fc6ab0dc82cf12099d1c2d40ab994e8410c","best_bid":"0","best_ask":"0.6"}},{{"asset_id":"{two}","price":"0.4","size":"1644.12","side":"BUY","hash":"d8273e2f4a7c0a59554544c6605cdd8b117848aa","best_bid":"0.4","best_ask":"1"}}],"timestamp":"{time}","event_type":"price_change"}}"#
            );
            assert!(pair_agrees(frame.as_bytes(), &mut texts).unwrap(), "{frame}");
        }
    }
}

/// Figures that both ways to decode must share.
fn common_figures(figures: &Figures) -> Figures {
    Figures { fast: 0, fallback: 0, ..*figures }
}

// Kalshi: two sessions and a twin.

struct KalshiPair {
    sessions: [kalshi::session::Session; 2],
    sinks: [Recorder; 2],
}

impl KalshiPair {
    fn new() -> KalshiPair {
        let sessions = [(); 2].map(|()| {
            let options = kalshi::session::Options { no_side: Default::default(), learn: false };
            let mut session = kalshi::session::Session::new(options, Slab::new([8, 8, 1]));
            for ticker in TICKERS {
                session.add_market(ticker, &Grid::CENT).unwrap();
            }
            session
        });
        KalshiPair { sessions, sinks: Default::default() }
    }

    fn connected(&mut self, recv: Ns) {
        for (session, sink) in self.sessions.iter_mut().zip(&mut self.sinks) {
            session.on_connected(recv, sink);
        }
    }

    fn frame(&mut self, conn: u32, recv: Ns, frame: &[u8]) {
        let [fast, general] = &mut self.sessions;
        fast.on_frame(conn, recv, frame, &mut self.sinks[0]);
        general.on_frame(conn, recv, &[b" ", frame].concat(), &mut self.sinks[1]);
    }

    fn agree(&self) -> Result<(), TestCaseError> {
        let [fast, general] = &self.sessions;
        prop_assert_eq!(common_figures(fast.figures()), common_figures(general.figures()));
        prop_assert_eq!(general.figures().fast, 0);
        prop_assert_eq!(&self.sinks[0].tops, &self.sinks[1].tops);
        prop_assert_eq!(&self.sinks[0].said, &self.sinks[1].said);
        for market in 0..TICKERS.len() {
            for side in [Side::Bid, Side::Ask] {
                prop_assert_eq!(fast.levels(market, side), general.levels(market, side));
            }
        }
        Ok(())
    }
}

#[derive(Clone, Debug)]
enum KalshiOp {
    Snapshot {
        place: usize,
        market: usize,
        yes: Vec<(u16, u64)>,
        no: Vec<(u16, u64)>,
    },
    Delta {
        place: usize,
        market: usize,
        yes: bool,
        px: u16,
        change: i64,
        form: u8,
    },
    Ok {
        place: usize,
    },
    /// A frame that never came.
    Lost {
        place: usize,
    },
    /// The last frame of the subscription once more.
    Again {
        place: usize,
    },
    Garbage {
        place: usize,
    },
    Unsubscribed {
        place: usize,
    },
    Connected,
    Refine {
        market: usize,
    },
    Damaged {
        place: usize,
        market: usize,
        steps: Vec<Damage>,
    },
}

/// (connection, subscription)
const PLACES: [(u32, u64); 3] = [(1, 1), (1, 2), (2, 1)];

fn kalshi_op() -> impl Strategy<Value = KalshiOp> {
    let place = prop_oneof![6 => Just(0usize), 1 => Just(1), 1 => Just(2)];
    let market = 0..TICKERS.len();
    let px = prop_oneof![12 => (35u16..65).prop_map(|c| c * 100), 1 => (350u16..650).prop_map(|m| m * 10), 1 => Just(10_000u16)];
    let side = || {
        prop::collection::btree_map((30u16..52).prop_map(|c| c * 100), 1u64..2_000, 0..4)
            .prop_map(|map| map.into_iter().collect::<Vec<_>>())
    };
    prop_oneof![
        5 => (place.clone(), market.clone(), side(), side())
            .prop_map(|(place, market, yes, no)| KalshiOp::Snapshot { place, market, yes, no }),
        30 => (place.clone(), market.clone(), any::<bool>(), px, -600i64..1_500, any::<u8>())
            .prop_map(|(place, market, yes, px, change, form)| KalshiOp::Delta { place, market, yes, px, change, form }),
        2 => place.clone().prop_map(|place| KalshiOp::Ok { place }),
        1 => place.clone().prop_map(|place| KalshiOp::Lost { place }),
        2 => place.clone().prop_map(|place| KalshiOp::Again { place }),
        1 => place.clone().prop_map(|place| KalshiOp::Garbage { place }),
        1 => place.clone().prop_map(|place| KalshiOp::Unsubscribed { place }),
        1 => Just(KalshiOp::Connected),
        1 => market.clone().prop_map(|market| KalshiOp::Refine { market }),
        2 => (place, market, prop::collection::vec(damage(), 1..4))
            .prop_map(|(place, market, steps)| KalshiOp::Damaged { place, market, steps }),
    ]
}

/// The frames of a stream, and what they mean.
#[derive(Default)]
struct KalshiVenue {
    seq: [u64; 3],
    last: [Option<String>; 3],
}

impl KalshiVenue {
    fn head(&mut self, place: usize) -> (u64, u64) {
        self.seq[place] += 1;
        (PLACES[place].1, self.seq[place])
    }

    fn snapshot(
        &mut self,
        place: usize,
        market: usize,
        yes: &[(u16, u64)],
        no: &[(u16, u64)],
    ) -> String {
        let (sid, seq) = self.head(place);
        let list = |levels: &[(u16, u64)]| {
            let levels: Vec<String> = levels
                .iter()
                .map(|(px, qty)| format!(r#"["0.{px:04}","{}.{:02}"]"#, qty / 100, qty % 100))
                .collect();
            levels.join(",")
        };
        format!(
            r#"{{"type":"orderbook_snapshot","sid":{sid},"seq":{seq},"msg":{{"market_ticker":"{}","market_id":"{ID}","yes_dollars_fp":[{}],"no_dollars_fp":[{}]}}}}"#,
            TICKERS[market],
            list(yes),
            list(no)
        )
    }

    fn delta(
        &mut self,
        place: usize,
        market: usize,
        yes: bool,
        px: u16,
        change: i64,
        form: u8,
    ) -> String {
        let (sid, seq) = self.head(place);
        let sent = if form & 1 == 0 { "" } else { r#""sending_ts_ms":1795284000006,"# };
        let own =
            if form & 6 == 6 { r#","client_order_id":"my-order-1","subaccount":0"# } else { "" };
        let end = if form & 8 == 8 { "\n" } else { "" };
        let minus = if change < 0 { "-" } else { "" };
        let (whole, part) = (change.abs() / 100, change.abs() % 100);
        format!(
            r#"{{"type":"orderbook_delta",{sent}"sid":{sid},"seq":{seq},"msg":{{"market_ticker":"{}","market_id":"{ID}","price_dollars":"{}.{:04}","delta_fp":"{minus}{whole}.{part:02}","side":"{}","ts":"2026-11-21T18:00:00.000000Z","ts_ms":1795284000000{own}}}}}{end}"#,
            TICKERS[market],
            px / 10_000,
            px % 10_000,
            if yes { "yes" } else { "no" }
        )
    }

    fn control(&mut self, place: usize, kind: &str) -> String {
        let (sid, seq) = self.head(place);
        format!(r#"{{"id":4,"sid":{sid},"seq":{seq},"type":"{kind}","msg":{{}}}}"#)
    }
}

fn refined(market: usize) -> String {
    format!(
        r#"{{"type":"market_lifecycle_v2","sid":13,"msg":{{"market_ticker":"{}","event_type":"price_level_structure_updated","price_ranges":[{{"start":"0.0000","end":"1.0000","step":"0.0010"}}]}}}}"#,
        TICKERS[market]
    )
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Belief {
    Nothing,
    Whole,
    Suspended,
    Doubted,
}

struct KalshiBook {
    bids: BTreeMap<u16, u64>,
    asks: BTreeMap<u16, u64>,
    belief: Belief,
    owner: (u32, u64),
    step: u16,
    crossed_run: u32,
}

/// kalshi.md section 2 and 3, as slow as can be.
struct KalshiTwin {
    last: BTreeMap<(u32, u64), u64>,
    books: Vec<KalshiBook>,
}

impl KalshiTwin {
    fn new() -> KalshiTwin {
        let books = TICKERS.iter().map(|_| KalshiBook {
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            belief: Belief::Nothing,
            owner: (0, 0),
            step: 100,
            crossed_run: 0,
        });
        KalshiTwin { last: BTreeMap::new(), books: books.collect() }
    }

    fn suspend(&mut self, of: impl Fn((u32, u64)) -> bool) {
        for book in &mut self.books {
            if of(book.owner) && matches!(book.belief, Belief::Whole | Belief::Doubted) {
                book.belief = Belief::Suspended;
                book.crossed_run = 0;
            }
        }
    }

    /// False for a number that came before.
    fn count(&mut self, place: (u32, u64), seq: u64) -> bool {
        match self.last.insert(place, seq) {
            Some(last) if seq <= last => {
                self.last.insert(place, last);
                return false;
            }
            Some(last) if seq != last + 1 => self.suspend(|owner| owner == place),
            _ => {}
        }
        true
    }

    fn judge(book: &mut KalshiBook) {
        let bid = book.bids.last_key_value().map(|level| *level.0);
        let ask = book.asks.first_key_value().map(|level| *level.0);
        match bid.zip(ask) {
            Some((bid, ask)) if bid >= ask => book.crossed_run += 1,
            _ => book.crossed_run = 0,
        }
        if book.crossed_run > 16 && book.belief == Belief::Whole {
            book.belief = Belief::Doubted;
        }
    }

    fn snapshot(
        &mut self,
        place: (u32, u64),
        market: usize,
        yes: &[(u16, u64)],
        no: &[(u16, u64)],
    ) {
        let book = &mut self.books[market];
        book.bids = yes.iter().copied().collect();
        book.asks = no.iter().map(|(px, qty)| (10_000 - px, *qty)).collect();
        book.owner = place;
        book.belief = Belief::Whole;
        book.crossed_run = 0;
        KalshiTwin::judge(book);
    }

    fn delta(&mut self, place: (u32, u64), market: usize, yes: bool, px: u16, change: i64) {
        let book = &mut self.books[market];
        if book.owner != place || matches!(book.belief, Belief::Nothing | Belief::Suspended) {
            return;
        }
        let (side, px) = if yes { (&mut book.bids, px) } else { (&mut book.asks, 10_000 - px) };
        let sum = side.get(&px).map_or(0, |qty| *qty as i64) + change;
        if !px.is_multiple_of(book.step) || px == 0 || px == 10_000 || sum < 0 {
            if book.belief == Belief::Whole {
                book.belief = Belief::Doubted;
            }
            return;
        }
        if sum == 0 {
            side.remove(&px)
        } else {
            side.insert(px, sum as u64)
        };
        KalshiTwin::judge(book);
    }

    fn agree(&self, session: &kalshi::session::Session) -> Result<(), TestCaseError> {
        for (market, book) in self.books.iter().enumerate() {
            let want = match book.belief {
                Belief::Nothing => Health::AwaitSnapshot,
                Belief::Suspended => Health::Gap,
                Belief::Doubted => Health::Stale,
                Belief::Whole if book.crossed_run > 0 => Health::Crossed,
                Belief::Whole => Health::Sound,
            };
            prop_assert_eq!(session.top(market).health, want, "market {}", market);
            let levels = |side: &BTreeMap<u16, u64>| {
                side.iter().map(|(px, qty)| (*px, *qty)).collect::<Vec<_>>()
            };
            prop_assert_eq!(plain(&session.levels(market, Side::Bid)), levels(&book.bids));
            prop_assert_eq!(plain(&session.levels(market, Side::Ask)), levels(&book.asks));
            if want == Health::Sound {
                let top = session.top(market);
                let bids: Vec<_> = top.bids().iter().map(|(px, qty)| (px.e4(), qty.e2())).collect();
                let asks: Vec<_> = top.asks().iter().map(|(px, qty)| (px.e4(), qty.e2())).collect();
                prop_assert_eq!(
                    bids,
                    levels(&book.bids).into_iter().rev().take(4).collect::<Vec<_>>()
                );
                prop_assert_eq!(asks, levels(&book.asks).into_iter().take(4).collect::<Vec<_>>());
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn kalshi_sessions_agree_with_a_slow_twin(ops in prop::collection::vec(kalshi_op(), 1..120)) {
        let (mut pair, mut twin, mut venue) = (KalshiPair::new(), KalshiTwin::new(), KalshiVenue::default());
        let recv = Ns(1);
        for op in &ops {
            match op {
                KalshiOp::Snapshot { place, market, yes, no } => {
                    let frame = venue.snapshot(*place, *market, yes, no);
                    pair.frame(PLACES[*place].0, recv, frame.as_bytes());
                    venue.last[*place] = Some(frame);
                    if twin.count(PLACES[*place], venue.seq[*place]) {
                        twin.snapshot(PLACES[*place], *market, yes, no);
                    }
                }
                KalshiOp::Delta { place, market, yes, px, change, form } => {
                    let frame = venue.delta(*place, *market, *yes, *px, *change, *form);
                    pair.frame(PLACES[*place].0, recv, frame.as_bytes());
                    venue.last[*place] = Some(frame);
                    if twin.count(PLACES[*place], venue.seq[*place]) {
                        twin.delta(PLACES[*place], *market, *yes, *px, *change);
                    }
                }
                KalshiOp::Ok { place } => {
                    pair.frame(PLACES[*place].0, recv, venue.control(*place, "ok").as_bytes());
                    venue.last[*place] = None;
                    twin.count(PLACES[*place], venue.seq[*place]);
                }
                KalshiOp::Lost { place } => venue.seq[*place] += 1,
                KalshiOp::Again { place } => {
                    // A copy of each frame at most: sixteen in a row would end the count.
                    if let Some(frame) = venue.last[*place].take() {
                        pair.frame(PLACES[*place].0, recv, frame.as_bytes());
                    }
                }
                KalshiOp::Garbage { place } => {
                    let (conn, _) = PLACES[*place];
                    pair.frame(conn, recv, b"{\"type\":\"orderbook_de");
                    twin.suspend(|owner| owner.0 == conn);
                }
                KalshiOp::Unsubscribed { place } => {
                    let frame = venue.control(*place, "unsubscribed");
                    pair.frame(PLACES[*place].0, recv, frame.as_bytes());
                    twin.count(PLACES[*place], venue.seq[*place]);
                    twin.last.remove(&PLACES[*place]);
                    venue.seq[*place] = 0;
                    venue.last[*place] = None;
                    for book in twin.books.iter_mut().filter(|book| book.owner == PLACES[*place]) {
                        book.belief = Belief::Nothing;
                        book.crossed_run = 0;
                    }
                }
                KalshiOp::Connected => {
                    pair.connected(recv);
                    twin.last.clear();
                    venue.last = Default::default();
                    for book in &mut twin.books {
                        book.belief = Belief::Nothing;
                        book.crossed_run = 0;
                    }
                }
                KalshiOp::Refine { market } => {
                    pair.frame(1, recv, refined(*market).as_bytes());
                    twin.books[*market].step = 10;
                }
                KalshiOp::Damaged { .. } => {}
            }
            pair.agree()?;
            twin.agree(&pair.sessions[0])?;
        }
    }

    #[test]
    fn damaged_kalshi_streams_are_one_for_both_ways(ops in prop::collection::vec(kalshi_op(), 1..80)) {
        let (mut pair, mut venue) = (KalshiPair::new(), KalshiVenue::default());
        for (n, op) in ops.iter().enumerate() {
            let recv = Ns(700_000 * n as u64);
            let (place, frame) = match op {
                KalshiOp::Snapshot { place, market, yes, no } => (*place, venue.snapshot(*place, *market, yes, no).into_bytes()),
                KalshiOp::Delta { place, market, yes, px, change, form } => {
                    (*place, venue.delta(*place, *market, *yes, *px, *change, *form).into_bytes())
                }
                KalshiOp::Damaged { place, market, steps } => {
                    let whole = venue.delta(*place, *market, true, 4_000, 100, 1);
                    (*place, damaged(&whole, steps))
                }
                KalshiOp::Connected => {
                    pair.connected(recv);
                    continue;
                }
                KalshiOp::Refine { market } => (0, refined(*market).into_bytes()),
                _ => continue,
            };
            pair.frame(PLACES[place].0, recv, &frame);
        }
        pair.agree()?;
    }
}

// Polymarket: two sessions and a twin.

const OTHER: &str = "0x6ade2c1de80844a803bbec0110ad83e814533deb50d279a9b27d5cc218745f1d";

struct PolymarketPair {
    sessions: [polymarket::session::Session; 2],
    sinks: [Recorder; 2],
}

impl PolymarketPair {
    fn new() -> PolymarketPair {
        let sessions = [(); 2].map(|()| {
            let options = polymarket::session::Options { learn: false, audit_every: 0 };
            let mut session = polymarket::session::Session::new(options, Slab::new([8, 8, 1]));
            session.add_market(MARKET, TOKENS, &Grid::CENT, None).unwrap();
            session.add_market(OTHER, ["1", "2"], &Grid::CENT, None).unwrap();
            session
        });
        PolymarketPair { sessions, sinks: Default::default() }
    }

    fn connected(&mut self, recv: Ns) {
        for (session, sink) in self.sessions.iter_mut().zip(&mut self.sinks) {
            session.on_connected(recv, sink);
        }
    }

    fn frame(&mut self, recv: Ns, frame: &[u8]) {
        let [fast, general] = &mut self.sessions;
        fast.on_frame(recv, frame, &mut self.sinks[0]);
        general.on_frame(recv, &[b" ", frame].concat(), &mut self.sinks[1]);
    }

    fn agree(&self) -> Result<(), TestCaseError> {
        let [fast, general] = &self.sessions;
        prop_assert_eq!(common_figures(fast.figures()), common_figures(general.figures()));
        prop_assert_eq!(general.figures().fast, 0);
        prop_assert_eq!(&self.sinks[0].tops, &self.sinks[1].tops);
        prop_assert_eq!(&self.sinks[0].said, &self.sinks[1].said);
        for (token, side) in [(0, Side::Bid), (0, Side::Ask), (1, Side::Bid), (1, Side::Ask)] {
            prop_assert_eq!(fast.levels(0, token, side), general.levels(0, token, side));
        }
        Ok(())
    }
}

/// One changed level: token, side, price, size, which transition it belongs to, and whether the
/// best prices it names are those of the book after this frame.
type EntryOp = (usize, bool, u16, u64, u8, bool);

#[derive(Clone, Debug)]
enum PolymarketOp {
    Book { token: usize, back: u64, bids: Vec<(u16, u64)>, asks: Vec<(u16, u64)> },
    Change { back: u64, step: u64, first: bool, entries: Vec<EntryOp> },
    Tick { token: usize },
    Garbage,
    Connected,
    Damaged { entries: Vec<EntryOp>, steps: Vec<Damage> },
}

fn entry_op() -> impl Strategy<Value = EntryOp> {
    let px = prop_oneof![12 => (35u16..65).prop_map(|c| c * 100), 1 => (350u16..650).prop_map(|m| m * 10)];
    let qty = prop_oneof![1 => Just(0u64), 3 => 1u64..90_000];
    (0..2usize, any::<bool>(), px, qty, 0..3u8, prop::bool::weighted(0.9))
}

fn polymarket_op() -> impl Strategy<Value = PolymarketOp> {
    let back = || prop_oneof![8 => Just(0u64), 1 => 1u64..4];
    let side = |from: u16, to: u16| {
        prop::collection::btree_map((from..to).prop_map(|c| c * 100), 1u64..2_000, 0..4)
            .prop_map(|map| map.into_iter().collect::<Vec<_>>())
    };
    let entries = || prop::collection::vec(entry_op(), 1..5);
    prop_oneof![
        6 => (0..2usize, back(), side(35, 51), side(50, 65))
            .prop_map(|(token, back, bids, asks)| PolymarketOp::Book { token, back, bids, asks }),
        30 => (back(), 0..2u64, any::<bool>(), entries())
            .prop_map(|(back, step, first, entries)| PolymarketOp::Change { back, step, first, entries }),
        1 => (0..2usize).prop_map(|token| PolymarketOp::Tick { token }),
        1 => Just(PolymarketOp::Garbage),
        1 => Just(PolymarketOp::Connected),
        2 => (entries(), prop::collection::vec(damage(), 1..4))
            .prop_map(|(entries, steps)| PolymarketOp::Damaged { entries, steps }),
    ]
}

fn hash_of(time: u64, transition: u8) -> String {
    format!("{:040x}", u128::from(time) * 16 + u128::from(transition))
}

fn shortest(px: u16) -> String {
    match px {
        0 => "0".to_owned(),
        10_000 => "1".to_owned(),
        _ => format!("0.{px:04}").trim_end_matches('0').to_owned(),
    }
}

fn book_frame(token: usize, time: u64, bids: &[(u16, u64)], asks: &[(u16, u64)]) -> String {
    let list = |levels: &mut dyn Iterator<Item = &(u16, u64)>| {
        let levels: Vec<String> = levels
            .map(|(px, qty)| {
                format!(
                    r#"{{"price":"{}","size":"{}.{:02}"}}"#,
                    shortest(*px),
                    qty / 100,
                    qty % 100
                )
            })
            .collect();
        levels.join(",")
    };
    format!(
        r#"[{{"event_type":"book","market":"{MARKET}","asset_id":"{}","timestamp":"{time}","hash":"{}","bids":[{}],"asks":[{}]}}]"#,
        TOKENS[token],
        hash_of(time, 9),
        list(&mut bids.iter()),
        list(&mut asks.iter().rev())
    )
}

/// An entry with the best prices that it names.
type Stated = (EntryOp, (u16, u16));

fn change_frame(time: u64, first: bool, entries: &[Stated]) -> String {
    let entries: Vec<String> = entries
        .iter()
        .map(|((token, bid_side, px, qty, transition, _), (bid, ask))| {
            format!(
                r#"{{"asset_id":"{}","price":"{}","size":"{}.{:02}","side":"{}","hash":"{}","best_bid":"{}","best_ask":"{}"}}"#,
                TOKENS[*token],
                shortest(*px),
                qty / 100,
                qty % 100,
                if *bid_side { "BUY" } else { "SELL" },
                hash_of(time, *transition),
                shortest(*bid),
                shortest(*ask)
            )
        })
        .collect();
    let entries = entries.join(",");
    if first {
        format!(
            r#"{{"event_type":"price_change","market":"{MARKET}","timestamp":"{time}","price_changes":[{entries}]}}"#
        )
    } else {
        format!(
            r#"{{"market":"{MARKET}","price_changes":[{entries}],"timestamp":"{time}","event_type":"price_change"}}"#
        )
    }
}

#[derive(Clone)]
struct TokenTwin {
    bids: BTreeMap<u16, u64>,
    asks: BTreeMap<u16, u64>,
    belief: Belief,
    time: u64,
    step: u16,
    /// The transition whose best prices were not ours.
    unsettled: Option<(u64, u8)>,
    crossed_run: u32,
}

impl TokenTwin {
    fn new() -> TokenTwin {
        TokenTwin {
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            belief: Belief::Nothing,
            time: 0,
            step: 100,
            unsettled: None,
            crossed_run: 0,
        }
    }

    fn best(&self) -> (u16, u16) {
        let bid = self.bids.last_key_value().map_or(0, |level| *level.0);
        let ask = self.asks.first_key_value().map_or(10_000, |level| *level.0);
        (bid, ask)
    }

    fn doubt(&mut self) {
        if self.belief == Belief::Whole {
            self.belief = Belief::Doubted;
        }
    }

    fn judge(&mut self) {
        let (bid, ask) = self.best();
        self.crossed_run = if bid >= ask { self.crossed_run + 1 } else { 0 };
        if self.crossed_run > 16 {
            self.doubt();
        }
    }

    /// The entries of one frame that are this token's; counts mismatches.
    fn change(&mut self, time: u64, entries: &[Stated], mismatches: &mut u64) {
        if self.belief == Belief::Nothing || time < self.time || entries.is_empty() {
            return;
        }
        // Entries of one transition stand together; where one ends its best prices must be ours.
        let mut open = self.unsettled.take().map(|name| (name, false));
        for ((_, bid_side, px, qty, transition, _), stated) in entries {
            let name = (time, *transition);
            if let Some((before, agrees)) = open
                && before != name
                && !agrees
            {
                *mismatches += 1;
                self.doubt();
            }
            if px.is_multiple_of(self.step) {
                let side = if *bid_side { &mut self.bids } else { &mut self.asks };
                if *qty == 0 {
                    side.remove(px)
                } else {
                    side.insert(*px, *qty)
                };
            } else {
                self.doubt();
            }
            open = Some((name, self.best() == *stated));
        }
        self.unsettled = open.filter(|(_, agrees)| !agrees).map(|(name, _)| name);
        self.time = time;
        self.judge();
    }

    fn health(&self) -> Health {
        match self.belief {
            Belief::Nothing | Belief::Suspended => Health::AwaitSnapshot,
            Belief::Doubted => Health::Stale,
            Belief::Whole if self.crossed_run > 0 => Health::Crossed,
            Belief::Whole if self.unsettled.is_some() => Health::Stale,
            Belief::Whole => Health::Sound,
        }
    }
}

/// What each entry names as best: of the book after the frame, or a lie.
fn stated(twins: &[TokenTwin; 2], time: u64, entries: &[EntryOp]) -> Vec<Stated> {
    let blank: Vec<Stated> = entries.iter().map(|entry| (*entry, (0, 0))).collect();
    let after = [0, 1].map(|token| {
        let mut twin = twins[token].clone();
        let own: Vec<Stated> =
            blank.iter().filter(|(entry, _)| entry.0 == token).copied().collect();
        twin.change(time, &own, &mut 0);
        twin.best()
    });
    let best = |entry: &EntryOp| if entry.5 { after[entry.0] } else { (100, 9_900) };
    entries.iter().map(|entry| (*entry, best(entry))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn polymarket_sessions_agree_with_a_slow_twin(ops in prop::collection::vec(polymarket_op(), 1..120)) {
        let mut pair = PolymarketPair::new();
        let mut twins = [TokenTwin::new(), TokenTwin::new()];
        let (mut now, mut mismatches) = (1_000u64, 0u64);
        let recv = Ns(1);
        for op in &ops {
            match op {
                PolymarketOp::Book { token, back, bids, asks } => {
                    let time = now - back;
                    pair.frame(recv, book_frame(*token, time, bids, asks).as_bytes());
                    let twin = &mut twins[*token];
                    if time >= twin.time {
                        // No transition of a change has the hash of a book here.
                        mismatches += u64::from(twin.unsettled.take().is_some());
                        *twin = TokenTwin {
                            bids: bids.iter().copied().collect(),
                            asks: asks.iter().copied().collect(),
                            belief: Belief::Whole,
                            time,
                            step: twin.step,
                            ..TokenTwin::new()
                        };
                        twin.judge();
                    }
                }
                PolymarketOp::Change { back, step, first, entries } => {
                    now += step;
                    let time = now - back;
                    let entries = stated(&twins, time, entries);
                    pair.frame(recv, change_frame(time, *first, &entries).as_bytes());
                    for (token, twin) in twins.iter_mut().enumerate() {
                        let own: Vec<Stated> = entries.iter().filter(|(entry, _)| entry.0 == token).copied().collect();
                        twin.change(time, &own, &mut mismatches);
                    }
                }
                PolymarketOp::Tick { token } => {
                    let frame = format!(
                        r#"{{"event_type":"tick_size_change","market":"{MARKET}","asset_id":"{}","old_tick_size":"0.01","new_tick_size":"0.001","timestamp":"{now}"}}"#,
                        TOKENS[*token]
                    );
                    pair.frame(recv, frame.as_bytes());
                    let time = twins[*token].time.max(now);
                    twins[*token] = TokenTwin { step: 10, time, ..TokenTwin::new() };
                }
                PolymarketOp::Garbage => {
                    pair.frame(recv, b"{\"event_type\":\"price_ch");
                    twins.iter_mut().for_each(TokenTwin::doubt);
                }
                PolymarketOp::Connected => {
                    pair.connected(recv);
                    for twin in &mut twins {
                        twin.belief = Belief::Nothing;
                        twin.time = 0;
                        twin.unsettled = None;
                        twin.crossed_run = 0;
                    }
                }
                PolymarketOp::Damaged { .. } => {}
            }
            pair.agree()?;
            let session = &pair.sessions[0];
            for (token, twin) in twins.iter().enumerate() {
                for (side, levels) in [(Side::Bid, &twin.bids), (Side::Ask, &twin.asks)] {
                    let want: Vec<_> = levels.iter().map(|(px, qty)| (*px, *qty)).collect();
                    prop_assert_eq!(plain(&session.levels(0, token, side)), want, "token {}", token);
                }
            }
            let weight = |health| match health {
                Health::Sound => 0,
                Health::Crossed => 1,
                Health::Stale => 2,
                _ => 3,
            };
            let worst = twins.iter().map(TokenTwin::health).max_by_key(|health| weight(*health));
            prop_assert_eq!(session.top(0).health, worst.unwrap());
            prop_assert_eq!(session.figures().best_mismatches, mismatches);
            if session.top(0).health == Health::Sound {
                let top = session.top(0);
                let asks: Vec<_> = top.asks().iter().map(|(px, qty)| (px.e4(), qty.e2())).collect();
                let bids: Vec<_> = top.bids().iter().map(|(px, qty)| (px.e4(), qty.e2())).collect();
                let best = |twin: &TokenTwin| twin.asks.iter().map(|(px, qty)| (*px, *qty)).take(4).collect::<Vec<_>>();
                prop_assert_eq!(asks, best(&twins[0]));
                prop_assert_eq!(bids, best(&twins[1]).into_iter().map(|(px, qty)| (10_000 - px, qty)).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn damaged_polymarket_streams_are_one_for_both_ways(ops in prop::collection::vec(polymarket_op(), 1..80)) {
        let mut pair = PolymarketPair::new();
        let lies = |entries: &[EntryOp]| entries.iter().map(|entry| (*entry, (4_000, 6_000))).collect::<Vec<_>>();
        let mut time = 1_000;
        for (n, op) in ops.iter().enumerate() {
            let recv = Ns(700_000 * n as u64);
            let frame = match op {
                PolymarketOp::Book { token, back, bids, asks } => book_frame(*token, time - back, bids, asks).into_bytes(),
                PolymarketOp::Change { back, step, first, entries } => {
                    time += step;
                    change_frame(time - back, *first, &lies(entries)).into_bytes()
                }
                PolymarketOp::Damaged { entries, steps } => damaged(&change_frame(time, false, &lies(entries)), steps),
                PolymarketOp::Connected => {
                    pair.connected(recv);
                    continue;
                }
                PolymarketOp::Tick { .. } | PolymarketOp::Garbage => continue,
            };
            pair.frame(recv, &frame);
        }
        pair.agree()?;
    }
}
