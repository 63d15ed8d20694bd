//! One record as a line of JSON.
//!
//! `{"recv_ns":N,"venue":"kalshi","conn":N,"frame":"..."}`, or `"event":"connected"` in place of
//! `frame`. Recorders write these keys in this order, so a reader for exactly that shape stands
//! in front of the general one and gives up at the first surprise; a property test holds both to
//! equal answers.

use std::borrow::Cow;
use std::fmt;

use engine::units::{Ns, Venue};
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, Visitor};

use super::error::LineError;
use super::record::{Body, Record};

const WANT_RECV: &str = "the receive time: whole Unix nanoseconds, 0 to 18446744073709551615";
const WANT_VENUE: &str = "\"kalshi\" or \"polymarket\"";
const WANT_CONN: &str = "the connection's number: a whole number, 0 to 4294967295";
const WANT_FRAME: &str = "a string: the text frame as on the socket";
const WANT_EVENT: &str = "\"connected\"";
const WANT_BODY: &str = "the text frame as on the socket, or `event` with the value \"connected\"";

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
/// Returns false, and appends nothing, where the frame is not UTF-8: JSON cannot hold it.
#[must_use]
pub fn write_line(record: &Record<'_>, out: &mut Vec<u8>) -> bool {
    let mut digits = [0u8; 20];
    let text = match record.body {
        Body::Frame(frame) => match std::str::from_utf8(frame) {
            Ok(text) => Some(text),
            Err(_) => return false,
        },
        Body::Connected => None,
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
    /// Start and end of the frame in the buffer; `None` for a connection event.
    pub frame: Option<(usize, usize)>,
}

impl Head {
    /// The record, whose frame is in `buffer`.
    pub fn record(self, buffer: &[u8]) -> Record<'_> {
        let body = match self.frame {
            Some((start, end)) => Body::Frame(&buffer[start..end]),
            None => Body::Connected,
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

/// The shape that recorders write, or `None` for every other.
fn parse_usual(bytes: &[u8], scratch: &mut Vec<u8>) -> Option<Head> {
    let rest = bytes.strip_prefix(b"{\"recv_ns\":")?;
    let (recv, rest) = whole_number(rest)?;
    let rest = rest.strip_prefix(b",\"venue\":\"")?;
    let (venue, rest) = match rest.strip_prefix(b"kalshi\",\"conn\":") {
        Some(rest) => (Venue::Kalshi, rest),
        None => (Venue::Polymarket, rest.strip_prefix(b"polymarket\",\"conn\":")?),
    };
    let (conn, rest) = whole_number(rest)?;
    let conn = u32::try_from(conn).ok()?;
    let frame = match rest.strip_prefix(b",\"frame\":\"") {
        Some(rest) => {
            let text = rest.strip_suffix(b"\"}")?;
            std::str::from_utf8(text).ok()?;
            Some((0, unescape(text, scratch)?))
        }
        None if rest == b",\"event\":\"connected\"}" => None,
        None => return None,
    };
    Some(Head { recv: Ns(recv), venue, conn, frame })
}

/// A JSON integer from 0 to `u64::MAX` and what follows it.
fn whole_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    let mut len = 0;
    while let Some(digit) = bytes.get(len).map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10) {
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        len += 1;
    }
    // JSON knows no leading zero.
    if len == 0 || (len > 1 && bytes[0] == b'0') {
        return None;
    }
    Some((value, &bytes[len..]))
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Marks (bit 7 of a byte) the first quote, backslash or control character of eight bytes.
/// Marks above the first one may be false; the first never is.
#[inline]
fn first_special(word: u64) -> u64 {
    let zero_of = |w: u64| w.wrapping_sub(LOW) & !w & HIGH;
    let quote = zero_of(word ^ (LOW * 0x22));
    let backslash = zero_of(word ^ (LOW * 0x5c));
    let control = word.wrapping_sub(LOW * 0x20) & !word & HIGH;
    quote | backslash | control
}

/// The text of a JSON string without its quotes, into `out`; its length, or `None` for `\u`
/// escapes, stray quotes, control characters and escapes that do not exist.
///
/// Escapes stand some seven bytes apart in a frame of JSON, too dense for a search that starts
/// anew at each: eight bytes are copied at once, wanted or not, and the next copy overwrites
/// what was too much.
fn unescape(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    const WORD: usize = 8;
    if out.len() < text.len() + WORD {
        out.resize(text.len() + WORD, 0);
    }
    let (mut read, mut wrote) = (0, 0);
    while let Some(bytes) = text.get(read..read + WORD) {
        let word = u64::from_le_bytes(bytes.try_into().ok()?);
        // `wrote <= read`, and `out` is a word longer than `text`.
        out[wrote..wrote + WORD].copy_from_slice(&word.to_le_bytes());
        let marks = first_special(word);
        if marks == 0 {
            read += WORD;
            wrote += WORD;
            continue;
        }
        let plain = (marks.trailing_zeros() / 8) as usize;
        read += plain;
        wrote += plain;
        out[wrote] = unescape_one(text, read)?;
        read += 2;
        wrote += 1;
    }
    while let Some(&byte) = text.get(read) {
        if byte == b'"' || byte < 0x20 {
            return None;
        }
        if byte == b'\\' {
            out[wrote] = unescape_one(text, read)?;
            read += 2;
        } else {
            out[wrote] = byte;
            read += 1;
        }
        wrote += 1;
    }
    Some(wrote)
}

/// What the escape at `at` stands for; `None` where there is no two-byte escape.
#[inline]
fn unescape_one(text: &[u8], at: usize) -> Option<u8> {
    if text[at] != b'\\' {
        return None;
    }
    match *text.get(at + 1)? {
        same @ (b'"' | b'\\' | b'/') => Some(same),
        b'n' => Some(b'\n'),
        b't' => Some(b'\t'),
        b'r' => Some(b'\r'),
        b'b' => Some(0x08),
        b'f' => Some(0x0c),
        _ => None,
    }
}

/// Any line that is JSON.
fn parse_any(bytes: &[u8], scratch: &mut Vec<u8>) -> Result<Head, LineError> {
    let text = std::str::from_utf8(bytes).map_err(|e| match e.error_len() {
        Some(_) => LineError::NotUtf8 { at: e.valid_up_to() },
        None => LineError::Cut,
    })?;
    let mut fields = Fields::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let done = de::Deserializer::deserialize_any(&mut json, &mut fields).and_then(|()| json.end());
    if let Err(error) = done {
        return Err(match error.classify() {
            serde_json::error::Category::Eof => LineError::Cut,
            serde_json::error::Category::Data => LineError::NotObject,
            _ => LineError::NotJson { column: error.column() },
        });
    }
    fields.head(scratch)
}

/// A field's value as far as a record needs it.
enum Scalar<'a> {
    Whole(u64),
    Text(Cow<'a, str>),
    Other,
}

/// The fields of one line; the first fault is kept so that JSON errors further on come first.
#[derive(Default)]
struct Fields<'a> {
    recv: Option<Scalar<'a>>,
    venue: Option<Scalar<'a>>,
    conn: Option<Scalar<'a>>,
    frame: Option<Scalar<'a>>,
    event: Option<Scalar<'a>>,
    twice: Option<&'static str>,
}

impl<'a> Fields<'a> {
    fn put(&mut self, key: &str, value: Scalar<'a>) {
        let (slot, field) = match key {
            "recv_ns" => (&mut self.recv, "recv_ns"),
            "venue" => (&mut self.venue, "venue"),
            "conn" => (&mut self.conn, "conn"),
            "frame" => (&mut self.frame, "frame"),
            "event" => (&mut self.event, "event"),
            _ => return,
        };
        if slot.replace(value).is_some() {
            self.twice.get_or_insert(field);
        }
    }

    fn head(self, scratch: &mut Vec<u8>) -> Result<Head, LineError> {
        if let Some(field) = self.twice {
            return Err(LineError::Duplicate { field });
        }
        let recv = match self.recv {
            Some(Scalar::Whole(ns)) => Ns(ns),
            Some(_) => return Err(LineError::Wrong { field: "recv_ns", want: WANT_RECV }),
            None => return Err(LineError::Missing { field: "recv_ns", want: WANT_RECV }),
        };
        let venue = match &self.venue {
            Some(Scalar::Text(name)) => Venue::from_name(name),
            Some(_) => None,
            None => return Err(LineError::Missing { field: "venue", want: WANT_VENUE }),
        };
        let venue = venue.ok_or(LineError::Wrong { field: "venue", want: WANT_VENUE })?;
        let conn = match self.conn {
            Some(Scalar::Whole(conn)) => u32::try_from(conn).ok(),
            Some(_) => None,
            None => return Err(LineError::Missing { field: "conn", want: WANT_CONN }),
        };
        let conn = conn.ok_or(LineError::Wrong { field: "conn", want: WANT_CONN })?;
        let frame = match (self.frame, self.event) {
            (Some(_), Some(_)) => return Err(LineError::FrameAndEvent),
            (None, None) => return Err(LineError::Missing { field: "frame", want: WANT_BODY }),
            (Some(Scalar::Text(text)), None) => {
                scratch.clear();
                scratch.extend_from_slice(text.as_bytes());
                Some((0, scratch.len()))
            }
            (Some(_), None) => return Err(LineError::Wrong { field: "frame", want: WANT_FRAME }),
            (None, Some(Scalar::Text(event))) if event == "connected" => None,
            (None, Some(_)) => return Err(LineError::Wrong { field: "event", want: WANT_EVENT }),
        };
        Ok(Head { recv, venue, conn, frame })
    }
}

impl<'de> Visitor<'de> for &mut Fields<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Text)? {
            match &*key {
                "recv_ns" | "venue" | "conn" | "frame" | "event" => {
                    let value = map.next_value_seed(AnyScalar)?;
                    self.put(&key, value);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Reads a string, borrowed where it has no escapes.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;
    fn deserialize<D: de::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Reads any value, and keeps whole numbers and strings.
struct AnyScalar;

impl<'de> DeserializeSeed<'de> for AnyScalar {
    type Value = Scalar<'de>;
    fn deserialize<D: de::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Scalar<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Whole(value))
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
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
