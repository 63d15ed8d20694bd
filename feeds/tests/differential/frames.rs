//! What a fast path takes, the general decoder takes with the same values.

use feeds::kalshi::message::Body;
use feeds::polymarket::fast::{Change, ENTRIES_MAX, TokenText};
use feeds::polymarket::message::Object;
use feeds::{kalshi, polymarket};
use proptest::prelude::*;

use super::damage::{damage, damaged};
use super::{ID, MARKET, TICKERS, TOKENS};

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
