//! One record as a line of JSON.
//!
//! `{"recv_ns":N,"venue":"kalshi","conn":N,"frame":"..."}`, or `"event":"connected"` in place of
//! `frame`. Recorders write these keys in this order, so a reader for exactly that shape stands
//! in front of the general one and gives up at the first surprise; a property test holds both to
//! equal answers.

mod general; // any line that is JSON
mod usual; // the shape that recorders write, quickly

use engine::tap::TapKind;
use engine::units::{Ns, Venue};

use super::error::LineError;
use super::record::{Body, Record};
use general::parse_any;
pub(super) use usual::parse_quoted;
use usual::parse_usual;
pub use usual::{QUOTED_MAX, unquote};

/// Parses one line, without its line feed. `Ok(None)` is a blank line.
///
/// The frame is unescaped into `scratch`, which is reused from line to line; any key order is
/// read and unknown keys are ignored.
///
/// # Errors
/// [`LineError`], for whatever is no record. No bytes make it panic.
pub fn parse_line<'a>(
    bytes: &[u8],
    scratch: &'a mut Vec<u8>,
) -> Result<Option<Record<'a>>, LineError> {
    Ok(parse_head(bytes, scratch)?.map(|head| head.record(scratch)))
}

/// Appends `record` to `out` as one line with its line feed.
///
/// Returns false, and appends nothing, where the frame is not UTF-8 (JSON cannot hold it) or the
/// record is a run's mark (the line format has none).
#[must_use]
pub fn write_line(record: &Record<'_>, out: &mut Vec<u8>) -> bool {
    let mut digits = [0u8; 20];
    let text = match record.body {
        Body::Frame(frame) => match std::str::from_utf8(frame) {
            Ok(text) => Some(text),
            Err(_) => return false,
        },
        Body::Connected => None,
        Body::Mark(..) => return false,
    };
    out.extend_from_slice(b"{\"recv_ns\":");
    out.extend_from_slice(decimal(record.recv.0, &mut digits));
    out.extend_from_slice(b",\"venue\":\"");
    out.extend_from_slice(record.venue.name().as_bytes());
    out.extend_from_slice(b"\",\"conn\":");
    out.extend_from_slice(decimal(u64::from(record.conn), &mut digits));
    match text {
        Some(text) => {
            out.extend_from_slice(b",\"frame\":\"");
            escape(text.as_bytes(), out);
            out.extend_from_slice(b"\"}\n");
        }
        None => out.extend_from_slice(b",\"event\":\"connected\"}\n"),
    }
    true
}

/// A record without its bytes: those of a frame are somewhere in a buffer of the reader.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub recv: Ns,
    pub venue: Venue,
    pub conn: u32,
    /// Start and end of the frame, or of the mark's payload, in the buffer; `None` for a
    /// connection event.
    pub frame: Option<(usize, usize)>,
    /// What it is where it is neither frame nor connection event.
    pub mark: Option<TapKind>,
}

impl Head {
    /// The record, whose frame is in `buffer`.
    pub fn record(self, buffer: &[u8]) -> Record<'_> {
        let body = match (self.frame, self.mark) {
            (Some((start, end)), None) => Body::Frame(&buffer[start..end]),
            (Some((start, end)), Some(kind)) => Body::Mark(kind, &buffer[start..end]),
            (None, _) => Body::Connected,
        };
        Record { recv: self.recv, venue: self.venue, conn: self.conn, body }
    }
}

/// [`parse_line`] for callers that keep `scratch` and read the frame later.
pub(super) fn parse_head(bytes: &[u8], scratch: &mut Vec<u8>) -> Result<Option<Head>, LineError> {
    if let Some(head) = parse_usual(bytes, scratch) {
        return Ok(Some(head));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    parse_any(bytes, scratch).map(Some)
}

/// `value` in decimal, in the tail of `digits`.
fn decimal(mut value: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return &digits[at..];
        }
    }
}

/// Escapes what JSON demands and nothing more: quotes, backslashes, control characters.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    let mut from = 0;
    for (at, &byte) in text.iter().enumerate() {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            0..0x20 => b'u',
            _ => continue,
        };
        out.extend_from_slice(&text[from..at]);
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(&[
                b'0',
                b'0',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]);
        }
        from = at + 1;
    }
    out.extend_from_slice(&text[from..]);
}

#[cfg(test)]
mod tests {
    use super::general::{WANT_BODY, WANT_CONN, WANT_EVENT, WANT_FRAME, WANT_RECV, WANT_VENUE};
    use super::*;
    use proptest::prelude::*;

    type Parsed = Option<(u64, Venue, u32, Option<Vec<u8>>)>;

    fn parse(line: &str) -> Result<Parsed, LineError> {
        let mut scratch = Vec::new();
        let record = parse_line(line.as_bytes(), &mut scratch)?;
        Ok(record.map(|r| {
            let frame = match r.body {
                Body::Frame(frame) => Some(frame.to_vec()),
                Body::Connected | Body::Mark(..) => None,
            };
            (r.recv.0, r.venue, r.conn, frame)
        }))
    }

    #[test]
    fn any_key_order_and_unknown_keys_are_read() {
        let want = Ok(Some((7, Venue::Polymarket, 3, Some("é😀\n".as_bytes().to_vec()))));
        assert_eq!(
            parse(
                r#" { "frame" : "\u00e9\ud83d\ude00\n", "x":[{"y":1}], "conn":3,"venue":"polymarket","z":{"frame":1}, "recv_ns":7 } "#
            ),
            want
        );
        assert_eq!(parse(r#"{"recv_ns":7,"venue":"polymarket","conn":3,"frame":"é😀\n"}"#), want);
        let connected = Ok(Some((0, Venue::Kalshi, 0, None)));
        assert_eq!(
            parse(r#"{"recv_ns":0,"venue":"kalshi","conn":0,"event":"connected"}"#),
            connected
        );
        assert_eq!(
            parse(r#"{"event":"connected","recv_ns":0,"venue":"kalshi","conn":0}"#),
            connected
        );
    }

    #[test]
    fn what_is_no_record_is_refused_by_name() {
        let line = |recv: &str, venue: &str, conn: &str, rest: &str| {
            parse(&format!("{{\"recv_ns\":{recv},\"venue\":{venue},\"conn\":{conn}{rest}}}"))
                .unwrap_err()
        };
        let (k, f) = ("\"kalshi\"", ",\"frame\":\"x\"");
        for recv in
            ["-1", "1.0", "1e9", "18446744073709551616", "\"1\"", "null", "true", "[1]", "{}"]
        {
            assert_eq!(
                line(recv, k, "1", f),
                LineError::Wrong { field: "recv_ns", want: WANT_RECV },
                "{recv}"
            );
        }
        assert!(matches!(line("01", k, "1", f), LineError::NotJson { .. }));
        for conn in ["4294967296", "-1", "\"1\""] {
            assert_eq!(
                line("1", k, conn, f),
                LineError::Wrong { field: "conn", want: WANT_CONN },
                "{conn}"
            );
        }
        for venue in ["\"nyse\"", "1", "\"Kalshi\""] {
            assert_eq!(
                line("1", venue, "1", f),
                LineError::Wrong { field: "venue", want: WANT_VENUE }
            );
        }
        assert_eq!(line("1", k, "1", ""), LineError::Missing { field: "frame", want: WANT_BODY });
        let rest = ",\"event\":\"closed\"";
        assert_eq!(line("1", k, "1", rest), LineError::Wrong { field: "event", want: WANT_EVENT });
        let rest = ",\"event\":\"connected\",\"frame\":\"x\"";
        assert_eq!(line("1", k, "1", rest), LineError::FrameAndEvent);
        let rest = ",\"frame\":\"x\",\"frame\":\"y\"";
        assert_eq!(line("1", k, "1", rest), LineError::Duplicate { field: "frame" });
        assert_eq!(
            line("1", k, "1", ",\"frame\":1"),
            LineError::Wrong { field: "frame", want: WANT_FRAME }
        );
        assert!(matches!(line("1", k, "1", ",\"frame\":\"\\x\""), LineError::NotJson { .. }));
        assert!(matches!(line("1", k, "1", ",\"frame\":\"\\ud800\""), LineError::NotJson { .. }));
        assert!(matches!(line("1", k, "1", ",\"frame\":\"\u{1}\""), LineError::NotJson { .. }));
        assert_eq!(parse("[1]"), Err(LineError::NotObject));
        assert_eq!(parse("{\"recv_ns\":1"), Err(LineError::Cut));
        assert_eq!(
            parse("{\"venue\":\"kalshi\"}"),
            Err(LineError::Missing { field: "recv_ns", want: WANT_RECV })
        );
        assert_eq!(parse(" \r"), Ok(None));
        let mut scratch = Vec::new();
        assert_eq!(
            parse_line(b"{\"a\":\"\xff\"}", &mut scratch),
            Err(LineError::NotUtf8 { at: 6 })
        );
        assert_eq!(parse_line(b"{\"a\":\"\xc3", &mut scratch), Err(LineError::Cut));
    }

    /// A line whose text may stay as it is, read in both ways.
    fn read_in_both_ways(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
        let line =
            format!("{{\"recv_ns\":1,\"venue\":\"kalshi\",\"conn\":1,\"frame\":\"{text}\"}}");
        let (from, to) = parse_quoted(line.as_bytes())?.frame.unwrap();
        let mut late = vec![7; to - from];
        let len = usual::unquote(&line.as_bytes()[from..to], &mut late);
        late.truncate(len);
        let mut scratch = Vec::new();
        let record = parse_usual(line.as_bytes(), &mut scratch).unwrap().record(&scratch);
        let Body::Frame(frame) = record.body else { panic!("no frame: {line}") };
        Some((late, frame.to_vec()))
    }

    #[test]
    fn only_text_that_escapes_nothing_but_quotes_may_stay_as_it_is() {
        for pad in 0..140 {
            let (x, y) = ("x".repeat(pad), "y".repeat(pad % 19));
            let text = format!("{x}\\\"{y}\\\"\\\"{x}\\\"");
            let (late, now) = read_in_both_ways(&text).unwrap();
            assert_eq!(late, now, "{text}");
            for other in ["\\\\", "\\\\\\\"", "\\n", "\\/", "\\u0022", "\"", "\u{1}", "\\\\\""] {
                let text = format!("{x}{other}{y}");
                assert_eq!(read_in_both_ways(&text), None, "{text}");
            }
        }
        assert_eq!(read_in_both_ways(""), Some((Vec::new(), Vec::new())));
        assert!(read_in_both_ways(&"x".repeat(QUOTED_MAX)).is_some());
        assert!(read_in_both_ways(&"x".repeat(QUOTED_MAX + 1)).is_none());
    }

    #[test]
    fn escapes_may_stand_anywhere_in_a_block() {
        for pad in 0..140 {
            for escapes in ["\\\\", "\\\\\\\"", "\\n\\\\", "\\\"\\\\\\/\\t"] {
                let text = format!("{}{escapes}{}", "x".repeat(pad), "y".repeat(pad % 19));
                let line = format!(
                    "{{\"recv_ns\":1,\"venue\":\"kalshi\",\"conn\":1,\"frame\":\"{text}\"}}"
                );
                let (mut fast, mut slow) = (Vec::new(), Vec::new());
                let quick = parse_usual(line.as_bytes(), &mut fast).unwrap().record(&fast);
                assert_eq!(
                    quick,
                    parse_any(line.as_bytes(), &mut slow).unwrap().record(&slow),
                    "{line}"
                );
            }
        }
    }

    /// Text with the characters that matter, some of them escaped in ways that a recorder would
    /// not choose, and some broken.
    fn json_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            8 => "[ -~]{0,12}",
            4 => "\\PC{0,4}",
            4 => prop::sample::select(vec![
                "\\\"", "\\\\", "\\/", "\\n", "\\t", "\\r", "\\b", "\\f", "\\u00e9", "\\ud83d\\ude00", "\\u0022",
            ]).prop_map(str::to_owned),
            1 => prop::sample::select(vec!["\\", "\"", "\\x", "\\ud83d", "\u{1}", "\\u12", "\t", "\"}", "\\\"}"])
                .prop_map(str::to_owned),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        /// The reader for the usual shape answers as the general one does, or not at all.
        #[test]
        fn both_readers_agree(
            recv in prop_oneof![any::<u64>().prop_map(|n| n.to_string()), "[0-9]{0,21}", Just("-1".to_owned())],
            venue in prop::sample::select(vec!["kalshi", "polymarket", "nyse"]),
            conn in prop_oneof![any::<u32>().prop_map(|n| n.to_string()), "[0-9]{0,11}"],
            text in json_text(),
            cut in 0usize..400,
        ) {
            let line = format!("{{\"recv_ns\":{recv},\"venue\":\"{venue}\",\"conn\":{conn},\"frame\":\"{text}\"}}");
            let line = &line.as_bytes()[..cut.max(60).min(line.len())];
            let (mut fast, mut slow) = (vec![7; 3], Vec::new());
            if let Some(head) = parse_usual(line, &mut fast) {
                let other = parse_any(line, &mut slow);
                prop_assert!(other.is_ok(), "{other:?}");
                prop_assert_eq!(head.record(&fast), other.unwrap().record(&slow));
            }
        }

        /// The usual shape is taken by the quick reader whatever the text, so that it is worth having.
        #[test]
        fn what_is_written_is_read_quickly(recv in any::<u64>(), conn in any::<u32>(), text in "\\PC{0,80}", raw in "[ -~\n\t\r]{0,40}") {
            let text = text + &raw;
            let record = Record { recv: Ns(recv), venue: Venue::Kalshi, conn, body: Body::Frame(text.as_bytes()) };
            let (mut line, mut scratch) = (Vec::new(), Vec::new());
            prop_assert!(write_line(&record, &mut line));
            prop_assert_eq!(line.pop(), Some(b'\n'));
            let head = parse_usual(&line, &mut scratch);
            prop_assert!(head.is_some());
            prop_assert_eq!(head.unwrap().record(&scratch), record);
            // And as any JSON writer would have it.
            let json: serde_json::Value = serde_json::from_slice(&line).unwrap();
            prop_assert_eq!(json["frame"].as_str(), Some(text.as_str()));
        }

        /// What may stay as it is means the same once its backslashes are gone.
        #[test]
        fn a_text_read_late_is_the_same(text in json_text()) {
            if let Some((late, now)) = read_in_both_ways(&text) {
                prop_assert_eq!(late, now, "{}", text);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_line(&bytes, &mut Vec::new());
        }
    }

    #[test]
    fn control_characters_are_written_as_json_writers_do() {
        let text = "\u{0}\u{1f}\u{7f}\u{8}\u{c}";
        let record = Record {
            recv: Ns(1),
            venue: Venue::Kalshi,
            conn: 1,
            body: Body::Frame(text.as_bytes()),
        };
        let mut line = Vec::new();
        assert!(write_line(&record, &mut line));
        let want = format!(
            "{{\"recv_ns\":1,\"venue\":\"kalshi\",\"conn\":1,\"frame\":{}}}\n",
            serde_json::to_string(text).unwrap()
        );
        assert_eq!(String::from_utf8(line).unwrap(), want);
    }
}
