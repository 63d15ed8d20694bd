//! What is in a tape: counts by venue, connection and type of message.

use std::collections::BTreeMap;
use std::fmt;

use engine::tap::TapKind;
use engine::units::{Ns, Venue};
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::error::TapeError;
use super::reader::{TapeReader, Truncation};
use super::record::{Body, Record};
use super::utc;

/// Types counted apart for each venue; a forged tape cannot make the table longer.
const TYPES_MAX: usize = 64;

/// Length up to which a type's name is kept, in bytes.
const TYPE_LEN_MAX: usize = 48;

/// Where the types beyond [`TYPES_MAX`] are counted.
const OTHERS: &str = "(others)";

/// Text that is no JSON, `PONG` for one.
const TEXT: &str = "text";

/// JSON that names no type.
const UNTYPED: &str = "(untyped)";

/// Counts of one tape.
#[derive(Default)]
pub struct TapeInfo {
    /// All records.
    pub records: u64,
    /// Records that are frames.
    pub frames: u64,
    /// Bytes of all frames.
    pub frame_bytes: u64,
    /// The longest frame in bytes.
    pub frame_bytes_max: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// The earliest and the latest time of receipt.
    pub span: Option<(Ns, Ns)>,
    /// Records received before the one that stands before them: the recorder's clock stepped.
    pub steps_back: u64,
    /// Records that a run made beside frames: what it sent, what its core took in.
    pub marks: u64,
    /// By venue.
    pub venues: [VenueInfo; 2],
    /// The tail that could not be read.
    pub truncated: Option<Truncation>,
    last: Ns,
}

/// Counts of one venue.
#[derive(Default)]
pub struct VenueInfo {
    /// Frames.
    pub frames: u64,
    /// Bytes of the frames.
    pub frame_bytes: u64,
    /// Objects by type: an array counts each of its objects.
    pub types: BTreeMap<String, u64>,
    /// Frames and `connected` events by connection.
    pub connections: BTreeMap<u32, (u64, u64)>,
}

impl TapeInfo {
    /// Reads `tape` to its end; `progress` is told the bytes of the file that were read.
    ///
    /// # Errors
    /// [`TapeError`] of the reader.
    pub fn read(
        tape: &mut TapeReader,
        mut progress: impl FnMut(u64),
    ) -> Result<TapeInfo, TapeError> {
        let mut info = TapeInfo { file_bytes: tape.bytes_total(), ..TapeInfo::default() };
        while tape.advance()? {
            if let Some(record) = tape.current() {
                info.count(&record);
            }
            if info.records.is_multiple_of(1_024) {
                progress(tape.bytes_read());
            }
        }
        info.truncated = tape.truncated();
        Ok(info)
    }

    /// Counts one record.
    pub fn count(&mut self, record: &Record<'_>) {
        let recv = record.recv;
        self.steps_back += u64::from(self.records > 0 && recv < self.last);
        self.last = recv;
        self.records += 1;
        let (first, last) = self.span.unwrap_or((recv, recv));
        self.span = Some((first.min(recv), last.max(recv)));
        if matches!(record.body, Body::Mark(kind, _) if kind != TapKind::Opened) {
            self.marks += 1;
            return;
        }
        let venue = &mut self.venues[record.venue.index()];
        let (frames, connected) = venue.connections.entry(record.conn).or_default();
        let frame = match record.body {
            Body::Frame(frame) => frame,
            Body::Connected | Body::Mark(..) => {
                *connected += 1;
                return;
            }
        };
        *frames += 1;
        let bytes = frame.len() as u64;
        venue.frames += 1;
        venue.frame_bytes += bytes;
        self.frames += 1;
        self.frame_bytes += bytes;
        self.frame_bytes_max = self.frame_bytes_max.max(bytes);
        count_types(record.venue, frame, &mut venue.types);
    }

    /// The venue's counts.
    pub fn venue(&self, venue: Venue) -> &VenueInfo {
        &self.venues[venue.index()]
    }
}

/// Counts the types of one frame's objects.
struct Types {
    venue: Venue,
    counts: BTreeMap<String, u64>,
}

/// Counts the types of `frame` into `all`. What is no JSON to its end is text, whatever it began
/// with.
fn count_types(venue: Venue, frame: &[u8], all: &mut BTreeMap<String, u64>) {
    let mut types = Types { venue, counts: BTreeMap::new() };
    let mut json = serde_json::Deserializer::from_slice(frame);
    match json.deserialize_any(&mut types).and_then(|()| json.end()) {
        Ok(()) => types.counts.iter().for_each(|(kind, n)| add(all, kind, *n)),
        Err(_) => add(all, TEXT, 1),
    }
}

fn add(counts: &mut BTreeMap<String, u64>, kind: &str, n: u64) {
    if let Some(count) = counts.get_mut(kind) {
        *count += n;
    } else if counts.len() < TYPES_MAX {
        counts.insert(kind.to_owned(), n);
    } else {
        *counts.entry(OTHERS.to_owned()).or_default() += n;
    }
}

impl<'de> Visitor<'de> for &mut Types {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // Kalshi names its types in `type`. Polymarket does in `event_type`, and has a `type`
        // of another meaning beside it on its private channel.
        let (first, second) = match self.venue {
            Venue::Kalshi => ("type", "event_type"),
            Venue::Polymarket => ("event_type", "type"),
        };
        let (mut best, mut other) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            if key == first {
                best = Some(short(&map.next_value::<serde_json::Value>()?));
            } else if key == second {
                other = Some(short(&map.next_value::<serde_json::Value>()?));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        add(&mut self.counts, best.or(other).as_deref().unwrap_or(UNTYPED), 1);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(One(self))?.is_some() {}
        Ok(())
    }
}

/// One element of an array, which is counted like a frame of its own.
struct One<'a>(&'a mut Types);

impl<'de> serde::de::DeserializeSeed<'de> for One<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self.0)
    }
}

/// The name of a type, cut where it is too long to be one.
fn short(value: &serde_json::Value) -> String {
    let text = value.as_str().unwrap_or(UNTYPED);
    let mut end = text.len().min(TYPE_LEN_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

impl fmt::Display for TapeInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connected = self.records - self.frames - self.marks;
        writeln!(
            f,
            "records      {:>12}   {} frames, {connected} connections",
            self.records, self.frames
        )?;
        if let Some((first, last)) = self.span {
            writeln!(f, "first        {}", utc::nanos(first))?;
            writeln!(f, "last         {}", utc::nanos(last))?;
            let ms = last.since(first).0 / 1_000_000;
            writeln!(f, "span         {:>12}.{:03} s", ms / 1_000, ms % 1_000)?;
        }
        writeln!(
            f,
            "frame bytes  {:>12}   the longest {}",
            self.frame_bytes, self.frame_bytes_max
        )?;
        writeln!(f, "file bytes   {:>12}", self.file_bytes)?;
        if self.marks > 0 {
            writeln!(
                f,
                "marks        {:>12}   a run recorded itself: `parallax replay` repeats it",
                self.marks
            )?;
        }
        if self.steps_back > 0 {
            writeln!(
                f,
                "steps back   {:>12}   records stand behind later ones: {}",
                self.steps_back,
                if self.marks > 0 {
                    "several tiles wrote, each in its own order"
                } else {
                    "the recorder's clock stepped"
                }
            )?;
        }
        for venue in Venue::ALL {
            let info = self.venue(venue);
            if info.connections.is_empty() {
                continue;
            }
            writeln!(f, "\n{venue}: {} frames, {} bytes", info.frames, info.frame_bytes)?;
            for (conn, (frames, connected)) in &info.connections {
                writeln!(
                    f,
                    "  connection {conn:<10} {frames:>12} frames, connected {connected} times"
                )?;
            }
            for (kind, count) in &info.types {
                // Types come from the tape; nothing in them may steer a terminal.
                writeln!(f, "  {:<21} {count:>12}", kind.escape_debug().to_string())?;
            }
        }
        if let Some(cut) = self.truncated {
            writeln!(
                f,
                "\nCUT OFF at byte {}: {} bytes behind it could not be read; all before them was",
                cut.at, cut.lost
            )?;
        }
        Ok(())
    }
}

impl Serialize for TapeInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("records", &self.records)?;
        map.serialize_entry("frames", &self.frames)?;
        map.serialize_entry("connected", &(self.records - self.frames))?;
        map.serialize_entry("frame_bytes", &self.frame_bytes)?;
        map.serialize_entry("frame_bytes_max", &self.frame_bytes_max)?;
        map.serialize_entry("file_bytes", &self.file_bytes)?;
        map.serialize_entry("first_ns", &self.span.map(|s| s.0.0))?;
        map.serialize_entry("last_ns", &self.span.map(|s| s.1.0))?;
        map.serialize_entry("first_utc", &self.span.map(|s| utc::nanos(s.0)))?;
        map.serialize_entry("last_utc", &self.span.map(|s| utc::nanos(s.1)))?;
        map.serialize_entry("span_ns", &self.span.map(|s| s.1.since(s.0).0))?;
        map.serialize_entry("steps_back", &self.steps_back)?;
        map.serialize_entry("marks", &self.marks)?;
        let by_venue: BTreeMap<&str, &VenueInfo> =
            Venue::ALL.iter().map(|v| (v.name(), self.venue(*v))).collect();
        map.serialize_entry("by_venue", &by_venue)?;
        let cut = self.truncated.map(|cut| BTreeMap::from([("at", cut.at), ("lost", cut.lost)]));
        map.serialize_entry("truncated", &cut)?;
        map.end()
    }
}

impl Serialize for VenueInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("frames", &self.frames)?;
        map.serialize_entry("frame_bytes", &self.frame_bytes)?;
        map.serialize_entry("types", &self.types)?;
        let connection = |(conn, (frames, connected)): (&u32, &(u64, u64))| {
            (conn.to_string(), BTreeMap::from([("frames", *frames), ("connected", *connected)]))
        };
        let connections: BTreeMap<String, _> = self.connections.iter().map(connection).collect();
        map.serialize_entry("connections", &connections)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(venue: Venue, frames: &[&str]) -> TapeInfo {
        let mut info = TapeInfo::default();
        for (i, frame) in frames.iter().enumerate() {
            let recv = Ns(10_000 - i as u64);
            info.count(&Record { recv, venue, conn: 1, body: Body::Frame(frame.as_bytes()) });
        }
        info
    }

    #[test]
    fn each_object_of_an_array_counts() {
        let frames = [
            "[{\"event_type\":\"book\"},{\"event_type\":\"book\"}]",
            "PONG",
            "{\"a\":1}",
            "{\"type\":\"TRADE\",\"event_type\":\"trade\"}",
            "[]",
            "{\"event_type\":",
            "[1]",
        ];
        let info = info(Venue::Polymarket, &frames);
        let want = [("(untyped)", 1), ("book", 2), ("text", 3), ("trade", 1)];
        assert_eq!(
            info.venue(Venue::Polymarket).types,
            want.map(|(k, n)| (k.to_owned(), n)).into()
        );
        assert_eq!(info.steps_back, frames.len() as u64 - 1);
        assert_eq!(info.frame_bytes_max, frames[0].len() as u64);
    }

    #[test]
    fn a_type_within_the_message_is_none_of_the_frame() {
        let info = info(
            Venue::Kalshi,
            &["{\"sid\":1,\"msg\":{\"event_type\":\"created\"},\"type\":\"market_lifecycle_v2\"}"],
        );
        assert_eq!(
            info.venue(Venue::Kalshi).types,
            BTreeMap::from([("market_lifecycle_v2".to_owned(), 1)])
        );
    }

    #[test]
    fn the_table_of_types_is_bounded() {
        let frames: Vec<String> =
            (0..1_000).map(|i| format!("{{\"type\":\"{i}{}\"}}", "x".repeat(1_000))).collect();
        let info = info(Venue::Kalshi, &frames.iter().map(String::as_str).collect::<Vec<_>>());
        let types = &info.venue(Venue::Kalshi).types;
        assert!(types.len() <= TYPES_MAX + 1 && types.keys().all(|k| k.len() <= TYPE_LEN_MAX));
        assert_eq!(types.values().sum::<u64>(), 1_000);
    }
}
