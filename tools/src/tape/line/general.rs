//! Any line that is JSON, and what is wrong with those that are no record.

use std::borrow::Cow;
use std::fmt;

use engine::units::{Ns, Venue};
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, Visitor};

use super::super::error::LineError;
use super::Head;

pub const WANT_RECV: &str = "the receive time: whole Unix nanoseconds, 0 to 18446744073709551615";
pub const WANT_VENUE: &str = "\"kalshi\" or \"polymarket\"";
pub const WANT_CONN: &str = "the connection's number: a whole number, 0 to 4294967295";
pub const WANT_FRAME: &str = "a string: the text frame as on the socket";
pub const WANT_EVENT: &str = "\"connected\"";
pub const WANT_BODY: &str =
    "the text frame as on the socket, or `event` with the value \"connected\"";

/// Any line that is JSON.
pub fn parse_any(bytes: &[u8], scratch: &mut Vec<u8>) -> Result<Head, LineError> {
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
        Ok(Head { recv, venue, conn, frame, mark: None })
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
