//! Bytes that no venue should send: a clear error or a defined reading, never a panic, never
//! memory without bound.

use engine::grid::GridError;
use engine::units::Px;
use feeds::error::{DecodeError, DecodeErrorKind as Kind};
use feeds::json::{DEPTH_MAX, FRAME_MAX, TOKENS_MAX};
use feeds::kalshi::general::{Envelope, General as Kalshi};
use feeds::kalshi::message::Body;
use feeds::level::LEVELS_MAX;
use feeds::number::NumberError;
use feeds::polymarket::general::General as Polymarket;
use feeds::polymarket::message::Object;
use proptest::prelude::*;

const DELTA: &str = r#"{"type":"orderbook_delta","sid":2,"seq":3,"msg":{"market_ticker":"A","market_id":"B","price_dollars":"0.9600","delta_fp":"-54.00","side":"yes","ts_ms":1669149841000}}"#;
const BOOK: &str = r#"{"event_type":"book","market":"0x1","asset_id":"7","timestamp":"1","hash":"","bids":[{"price":"0.5","size":"1"}],"asks":[]}"#;

fn kalshi(frame: impl AsRef<[u8]>) -> Result<(), DecodeError> {
    Kalshi::new().decode(frame.as_ref()).map(|_| ())
}

/// The error of the frame, or of its only object.
fn polymarket(frame: impl AsRef<[u8]>) -> Result<(), DecodeError> {
    let mut object_outcome = Ok(());
    Polymarket::new().decode(frame.as_ref(), &mut |object| {
        object_outcome = object.map(|_| ()).map_err(|refused| refused.error);
    })?;
    object_outcome
}

fn kind(outcome: Result<(), DecodeError>) -> Option<Kind> {
    outcome.err().map(|error| error.kind)
}

/// `DELTA` with one piece of text replaced.
fn delta(from: &str, to: &str) -> String {
    assert!(DELTA.contains(from));
    DELTA.replacen(from, to, 1)
}

#[test]
fn frames_that_are_no_json() {
    for (frame, want) in [
        (&b""[..], Kind::Empty),
        (b" \r\n", Kind::Empty),
        (b"\0", Kind::Json),
        (b"garbage", Kind::Json),
        (b"{", Kind::Json),
        (b"{\"type\":", Kind::Json),
        (b"{\"type\":\"ok\"", Kind::Json),
        (b"{\"type\":\"ok\"}}", Kind::Json),
        (b"{\"type\":\"ok\"} {}", Kind::Json),
        (b"{\"type\":\"ok\"},", Kind::Json),
        (b"{\"type\":\"ok\",}", Kind::Json),
        (b"{\"type\":\"ok\",\"x\":NaN}", Kind::Json),
        (b"{\"type\":\"ok\",\"x\":Infinity}", Kind::Json),
        (b"{\"type\":\"ok\",\"x\":.5}", Kind::Json),
        (b"{\"type\":\"ok\",\"x\":01}", Kind::Json),
        (b"{\"type\":\"ok\",\"x\":\"a\nb\"}", Kind::Json),
        (b"{\"type\":\"ok\",\"x\":\"a\0b\"}", Kind::Json),
        (b"{\"type\":\"ok\",\"x\":\"\xff\"}", Kind::Text),
        (b"{\"type\":\"ok\",\"x\":\"\xed\xa0\x80\"}", Kind::Text),
        (b"{\"type\":\"ok\",\"x\":\"\\ud800\"}", Kind::Text),
        (b"{\"type\":\"ok\",\"x\":\"\\q\"}", Kind::Text),
        (b"[[1]]", Kind::Type),
        (b"1", Kind::Type),
    ] {
        let text = String::from_utf8_lossy(frame);
        assert_eq!(kind(kalshi(frame)), Some(want), "{text}");
        if !matches!(want, Kind::Empty) {
            assert!(polymarket(frame).is_err(), "{text}");
        }
    }
    assert_eq!(kalshi(format!(" {DELTA}\r\n")), Ok(()), "white space around it is allowed");
    assert_eq!(kind(kalshi(format!("{DELTA}\0"))), Some(Kind::Json));
    assert_eq!(
        kalshi("{\"type\":\"ok\",\"x\":\"a\\u0000b\"}"),
        Ok(()),
        "an escaped NUL is a character"
    );
}

#[test]
fn a_cut_frame_is_never_read() {
    for cut in 0..DELTA.len() {
        assert!(kalshi(&DELTA[..cut]).is_err(), "{cut}");
    }
    for cut in 0..BOOK.len() {
        assert!(polymarket(&BOOK[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        format!("{{\"type\":\"new\",\"x\":{open}{close}}}")
    };
    assert_eq!(kalshi(nested(DEPTH_MAX)), Ok(()));
    assert_eq!(kind(kalshi(nested(DEPTH_MAX + 1))), Some(Kind::TooDeep));
    assert_eq!(kind(kalshi("[".repeat(100_000))), Some(Kind::TooDeep));
    assert_eq!(kind(polymarket("{\"a\":".repeat(100_000))), Some(Kind::TooDeep));
}

#[test]
fn frames_of_64_mib() {
    let mut general = Kalshi::new();
    let mut refused = |frame: &[u8]| general.decode(frame).unwrap_err().kind;
    assert_eq!(refused(&vec![b'['; FRAME_MAX]), Kind::TooManyValues);
    assert_eq!(refused(&vec![b'"'; FRAME_MAX]), Kind::TooManyValues);
    assert_eq!(refused(&b"1 ".repeat(FRAME_MAX / 2)), Kind::TooManyValues);
    assert_eq!(refused(&vec![b'x'; FRAME_MAX]), Kind::Json);
    assert_eq!(refused(&vec![0xff; FRAME_MAX]), Kind::Text);
    assert_eq!(refused(&vec![b' '; FRAME_MAX]), Kind::Empty);
    assert_eq!(refused(&vec![b' '; FRAME_MAX + 1]), Kind::FrameTooLong);
    assert_eq!(refused(&vec![b'['; TOKENS_MAX]), Kind::TooDeep);

    let mut long = DELTA.as_bytes().to_vec();
    long.resize(FRAME_MAX, b' ');
    assert!(general.decode(&long).is_ok(), "a long frame is no bad frame");
    assert!(general.decode(DELTA.as_bytes()).is_ok(), "the buffers are as good as before");
    assert_eq!(kind(polymarket(vec![b'['; FRAME_MAX])), Some(Kind::TooManyValues));
    assert_eq!(kind(polymarket(vec![b' '; FRAME_MAX + 1])), Some(Kind::FrameTooLong));
}

#[test]
fn numbers_as_json_numbers_are_exact() {
    let px = |literal: &str| {
        let frame = delta("\"0.9600\"", literal);
        let mut general = Kalshi::new();
        match general.decode(frame.as_bytes()).map(|f| f.body) {
            Ok(Body::Delta(delta)) => Ok(delta.px.e4()),
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert_eq!(error.field, "price_dollars");
                assert_eq!(error.offset as usize, DELTA.find("\"0.9600\"").unwrap());
                Err(error.kind)
            }
        }
    };
    for hundredth in 0..=100u16 {
        let text = format!("{}.{:02}", hundredth / 100, hundredth % 100);
        assert_eq!(px(&text), Ok(hundredth * 100));
    }
    assert_eq!(px("0.48"), Ok(4_800));
    assert_eq!(px("0.4800000000000000000000000000"), Ok(4_800));
    assert_eq!(px("1"), Ok(10_000));
    assert_eq!(px("0.0001"), Ok(1));
    for (literal, want) in [
        ("0.30000000000000004", NumberError::TooFine),
        ("0.47999999999999998", NumberError::TooFine),
        ("-0.48", NumberError::Negative),
        ("-1", NumberError::Negative),
        ("2", NumberError::TooLarge),
        ("4.8e-1", NumberError::Digit),
        ("1E0", NumberError::Digit),
    ] {
        assert_eq!(px(literal), Err(Kind::Number(want)), "{literal}");
    }

    // The parser takes no whole number beyond 64 bits, in whatever field it stands.
    let forty = delta("\"0.9600\"", &"1".repeat(40));
    assert_eq!(kind(kalshi(forty)), Some(Kind::Json));

    let change = |literal: &str| {
        let frame = delta("\"-54.00\"", literal);
        match Kalshi::new().decode(frame.as_bytes()).map(|f| f.body) {
            Ok(Body::Delta(delta)) => Some(delta.delta_e2),
            _ => None,
        }
    };
    assert_eq!(change("-54"), Some(-5_400));
    assert_eq!(change("-7.77"), Some(-777));
    assert_eq!(change("0.1"), Some(10));
    assert_eq!(change("0.30000000000000004"), None);
}

#[test]
fn a_long_list_of_json_numbers_takes_linear_time() {
    let pairs: Vec<_> =
        (0..=10_000).map(|e4| format!("[{}.{:04},1.5]", e4 / 10_000, e4 % 10_000)).collect();
    let frame = format!(
        r#"{{"type":"orderbook_snapshot","msg":{{"market_ticker":"A","yes_dollars_fp":[{}]}}}}"#,
        pairs.join(",")
    );
    let mut general = Kalshi::new();
    let Ok(Body::Snapshot(book)) = general.decode(frame.as_bytes()).map(|f| f.body) else {
        panic!()
    };
    assert_eq!(book.yes.len(), 10_001);
    assert!(book.yes.iter().enumerate().all(|(e4, level)| level.0 == Px::lit(e4 as u16)));
}

#[test]
fn a_long_list_of_bad_objects_takes_linear_time() {
    let bad =
        r#"{"event_type":"price_change","price_changes":[{"price":0.5,"x":0.5},{"price":1.5}]}"#;
    let frame = format!("[{}]", vec![bad; 50_000].join(","));
    let (mut last, mut count) = (0, 0);
    let outcome = Polymarket::new().decode(frame.as_bytes(), &mut |object| {
        let offset = object.unwrap_err().error.offset as usize;
        assert_eq!(offset - last, if count == 0 { offset } else { bad.len() + 1 });
        (last, count) = (offset, count + 1);
    });
    assert_eq!((outcome, count), (Ok(()), 50_000));
}

#[test]
fn fields_of_a_kalshi_message() {
    for (frame, field, want) in [
        (delta("0.9600", "1.0100"), "price_dollars", Kind::Number(NumberError::TooLarge)),
        (delta("0.9600", "0.96001"), "price_dollars", Kind::Number(NumberError::TooFine)),
        (delta("-54.00", "-54.001"), "delta_fp", Kind::Number(NumberError::TooFine)),
        (delta("-54.00", &"9".repeat(40)), "delta_fp", Kind::Number(NumberError::TooLarge)),
        (delta("\"-54.00\"", "null"), "delta_fp", Kind::Missing),
        (delta("\"-54.00\"", "true"), "delta_fp", Kind::Type),
        (delta("\"yes\"", "\"maybe\""), "side", Kind::Word),
        (delta("\"side\":\"yes\",", ""), "side", Kind::Missing),
        (delta("\"side\":\"yes\"", "\"side\":\"yes\",\"side\":\"no\""), "side", Kind::Duplicate),
        (delta("\"market_ticker\":\"A\"", "\"market_ticker\":7"), "market_ticker", Kind::Type),
        (delta("\"seq\":3", "\"seq\":3.5"), "seq", Kind::Number(NumberError::Digit)),
        (delta("\"seq\":3", "\"seq\":-3"), "seq", Kind::Number(NumberError::Negative)),
        (delta("\"seq\":3", "\"seq\":3,\"seq\":4"), "seq", Kind::Duplicate),
        (delta("\"type\":\"orderbook_delta\",", ""), "type", Kind::Missing),
        (r#"{"type":"orderbook_delta"}"#.to_owned(), "msg", Kind::Missing),
        (r#"{"type":"orderbook_delta","msg":[]}"#.to_owned(), "msg", Kind::Type),
        (r#"{"type":"ok","msg":7}"#.to_owned(), "msg", Kind::Type),
    ] {
        let error = kalshi(&frame).unwrap_err();
        assert_eq!((error.field, error.kind), (field, want), "{frame}");
        assert!(error.to_string().starts_with(&format!("{field} at byte ")), "{error}");
    }
    let twice = delta("\"ts_ms\"", "\"x\":1,\"x\":2,\"ts_ms\"");
    assert_eq!(kalshi(twice), Ok(()), "an unknown field may stand twice");
    let quoted = delta("\"seq\":3", "\"seq\":\"3\"");
    assert_eq!(kalshi(quoted), Ok(()), "a number may come as a text");
}

#[test]
fn the_envelope_of_a_refused_frame_is_known() {
    let mut general = Kalshi::new();
    assert!(general.decode(delta("0.9600", "9").as_bytes()).is_err());
    let want = Envelope { sid: Some(2), seq: Some(3), ..Envelope::default() };
    assert_eq!(general.envelope(), want);
    assert!(general.decode(b"{").is_err());
    assert_eq!(general.envelope(), Envelope::default(), "nothing of the frame before is left");
}

#[test]
fn levels_of_a_snapshot() {
    let snapshot = |list: &str| {
        let frame = format!(
            r#"{{"type":"orderbook_snapshot","msg":{{"market_ticker":"A","yes_dollars_fp":{list}}}}}"#
        );
        kind(kalshi(frame))
    };
    assert_eq!(snapshot(r#"[["0.5","1"],["0.4","1"],["0.6","1"]]"#), None, "any order");
    assert_eq!(snapshot(r#"[["0.5","1"],["0.50","1"]]"#), Some(Kind::DuplicateLevel));
    assert_eq!(snapshot(r#"[["0.5","1"],["0.4","1"],["0.5","1"]]"#), Some(Kind::DuplicateLevel));
    assert_eq!(snapshot(r#"[["0.5"]]"#), Some(Kind::Type));
    assert_eq!(snapshot(r#"[["0.5","1","2"]]"#), Some(Kind::Type));
    assert_eq!(snapshot(r#"{"0.5":"1"}"#), Some(Kind::Type));
    assert_eq!(snapshot(r#"[["0.5","-1"]]"#), Some(Kind::Number(NumberError::Negative)));
    let many = |n: usize| format!("[{}]", vec!["0"; n].join(","));
    assert_eq!(snapshot(&many(LEVELS_MAX)), Some(Kind::Type));
    assert_eq!(snapshot(&many(LEVELS_MAX + 1)), Some(Kind::TooManyItems));
}

#[test]
fn a_bad_grid_still_names_its_market() {
    let lifecycle = |ranges: &str| {
        let frame = format!(
            r#"{{"type":"market_lifecycle_v2","msg":{{"market_ticker":"A","event_type":"new_word","price_ranges":{ranges}}}}}"#
        );
        let mut general = Kalshi::new();
        let Ok(Body::Lifecycle(life)) = general.decode(frame.as_bytes()).map(|f| f.body) else {
            panic!()
        };
        assert_eq!(life.ticker, "A");
        let error = life.grid.unwrap().unwrap_err();
        assert!(["price_ranges", "start", "end", "step"].contains(&error.field));
        error.kind
    };
    let band = |start, end, step| format!(r#"{{"start":"{start}","end":"{end}","step":"{step}"}}"#);
    assert_eq!(lifecycle("[]"), Kind::Grid(GridError::Empty));
    assert_eq!(
        lifecycle(&format!("[{}]", band("0", "1", "0.003"))),
        Kind::Grid(GridError::Step { band: 0 })
    );
    assert_eq!(
        lifecycle(&format!("[{},{}]", band("0", "0.1", "0.01"), band("0.2", "1", "0.01"))),
        Kind::Grid(GridError::Hole { band: 1 })
    );
    assert_eq!(
        lifecycle(&format!("[{}]", vec![band("0", "1", "0.01"); 9].join(","))),
        Kind::TooManyItems
    );
    assert_eq!(lifecycle("[{\"start\":\"0\",\"end\":\"1\"}]"), Kind::Missing);
    assert_eq!(lifecycle("7"), Kind::Type);
}

#[test]
fn one_bad_object_leaves_the_others() {
    let bad_book = BOOK.replacen("0.5", "5", 1).replacen("\"7\"", "\"8\"", 1);
    let bad_change = r#"{"event_type":"price_change","market":"0x2","timestamp":"1","price_changes":[
        {"asset_id":"1","price":"0.5","size":"1","side":"BUY"},
        {"asset_id":"2","price":"0.5","size":"1","side":"HOLD"}]}"#;
    let frame = format!("[{BOOK},{bad_book},7,{bad_change},{{\"market\":\"0x3\"}},{BOOK}]");
    let mut seen = Vec::new();
    let outcome = Polymarket::new().decode(frame.as_bytes(), &mut |object| {
        seen.push(match object {
            Ok(Object::Book(book)) => format!("book {}", book.asset_id),
            Ok(other) => panic!("{other:?}"),
            Err(refused) => {
                let (market, asset_id) = (refused.market, refused.asset_id);
                format!("{} {market:?} {asset_id:?} {:?}", refused.error.field, refused.error.kind)
            }
        });
    });
    assert_eq!(outcome, Ok(()));
    assert_eq!(
        seen,
        [
            "book 7",
            "price Some(\"0x1\") Some(\"8\") Number(TooLarge)",
            "frame None None Type",
            "side Some(\"0x2\") Some(\"2\") Word",
            "event_type Some(\"0x3\") None Missing",
            "book 7",
        ]
    );
}

#[test]
fn fields_of_a_polymarket_object() {
    for (from, to, field, want) in [
        ("\"0.5\"", "0.5", "", None),
        ("\"timestamp\":\"1\"", "\"timestamp\":1", "", None),
        ("\"asks\":[]", "\"asks\":null", "asks", Some(Kind::Missing)),
        ("\"asks\":[]", "\"sells\":[]", "asks", Some(Kind::Missing)),
        ("\"event_type\":\"book\",", "", "event_type", Some(Kind::Missing)),
        ("\"asks\":[]", "\"asks\":[],\"asks\":[]", "asks", Some(Kind::Duplicate)),
        (
            "\"asks\":[]",
            "\"asks\":[],\"tick_size\":\"0.003\"",
            "tick_size",
            Some(Kind::Grid(GridError::Step { band: 0 })),
        ),
        (
            "\"asks\":[]",
            "\"asks\":[],\"tick_size\":\"0\"",
            "tick_size",
            Some(Kind::Grid(GridError::Step { band: 0 })),
        ),
        ("\"size\":\"1\"", "\"size\":\"NaN\"", "size", Some(Kind::Number(NumberError::Digit))),
        ("\"size\":\"1\"", "\"size\":\"1\",\"size\":\"2\"", "size", Some(Kind::Duplicate)),
    ] {
        assert!(BOOK.contains(from));
        let outcome = polymarket(BOOK.replacen(from, to, 1));
        assert_eq!(outcome.err().map(|e| (e.field, e.kind)), want.map(|w| (field, w)), "{to}");
    }
    assert_eq!(polymarket("[]"), Ok(()), "an empty dump is a frame without objects");
}

#[test]
fn an_error_is_small() {
    assert!(size_of::<DecodeError>() <= 48, "{}", size_of::<DecodeError>());
    let error = kalshi(delta("0.9600", "x")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "price_dollars at byte 101: the number is no plain decimal number"
    );
}

/// A sound frame with some bytes overwritten, doubled or dropped.
fn mutated(frames: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let edits =
        proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..6);
    (prop::sample::select(frames), edits).prop_map(|(frame, edits)| {
        let mut bytes = frame.as_bytes().to_vec();
        for (at, byte, how) in edits {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes[at] = b"{}[]:,\"\\0.-e"[usize::from(byte) % 12],
                2 => bytes.insert(at, byte),
                _ if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => {}
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]
    #[test]
    fn arbitrary_bytes_never_panic(
        frame in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "[\\[\\]{}:,\" 0-9.eE+-]{0,80}".prop_map(String::into_bytes),
            mutated(&[DELTA, BOOK]),
        ]
    ) {
        let (mut first, mut second) = (Kalshi::new(), Polymarket::new());
        let again = first.decode(&frame).map(|f| format!("{f:?}"));
        prop_assert_eq!(Kalshi::new().decode(&frame).map(|f| format!("{f:?}")), again);
        let _ = second.decode(&frame, &mut |_| ());
        let _ = second.decode_book_texts(&frame, &mut |_| ());
        // Whatever came before, a sound frame is read.
        prop_assert!(first.decode(DELTA.as_bytes()).is_ok());
        let mut sound = false;
        prop_assert_eq!(second.decode(BOOK.as_bytes(), &mut |o| sound = o.is_ok()), Ok(()));
        prop_assert!(sound);
    }
}
