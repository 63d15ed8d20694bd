//! The `.mcap` form: one channel for the frames of a venue's connection (`kalshi/1`), one for its
//! events (`kalshi/1/event`), one for each kind of mark that a run makes beside them
//! (`run/core-input/kalshi/0`), in chunks that are packed with zstd and checked by CRC.
//!
//! Log time is the time of receipt and may step back; the order of the records in the file is
//! the order of the tape. Their `sequence` counts the records of the tape from 0 (modulo 2^32),
//! so that a chunk that went missing is seen. Chunks are read whole: what was cut off in the
//! middle of one is given up, and said.

mod chunk; // unpacked and checked

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::Path;

use engine::tap::TapKind;
use engine::units::{Ns, Venue};
use mcap::McapError;
use mcap::records::{Metadata, Record as McapRecord, op};
use mcap::sans_io::linear_reader::{LinearReadEvent, LinearReader, LinearReaderOptions};

use super::error::TapeError;
use super::line::Head;
use super::reader::Truncation;
use super::record::Record;
use super::source::Source;
use super::{CONTAINER_SCHEMA, METADATA_NAME};
use chunk::{CHUNK_LEN_MAX, Fault, damaged, le_u64, unpack};

/// Uncompressed bytes after which a chunk is closed.
///
/// What a kill can lose is the chunk being filled. At the 30 to 100 KB/s of a busy pair of feeds
/// that is some ten seconds; smaller chunks pack worse.
pub const CHUNK_LEN: usize = 1 << 20;

/// Bytes asked of the file at once, see [`super::source`].
const BLOCK: usize = 128 << 10;

/// Operation code and length before each record.
const RECORD_HEAD: usize = 1 + 8;

/// Channel, sequence, log time and publish time before the data of a message.
const MESSAGE_HEAD: usize = 2 + 4 + 8 + 8;

/// Name of a channel: venue and connection, and `/event` for connection events.
pub fn topic(venue: Venue, conn: u32, event: bool) -> String {
    format!("{venue}/{conn}{}", if event { "/event" } else { "" })
}

/// A tape in a container.
pub struct Container {
    source: Source,
    file: LinearReader,
    /// Offset in the file of the record that comes next.
    at: u64,
    unpack: zstd::bulk::Decompressor<'static>,
    /// The records of one chunk, and how far they are read.
    chunk: Vec<u8>,
    chunk_at: u64,
    read: usize,
    channels: Vec<(u16, Channel)>,
    sequence: u32,
    head: Option<Head>,
    schema_seen: bool,
    /// What a run wrote down about itself, by name.
    notes: Vec<Note>,
    ended: bool,
    truncation: Option<Truncation>,
}

/// What begins the names of a run's notes.
pub const NOTE_PREFIX: &str = "parallax.run";

/// The most notes that are kept; a run makes two.
const NOTES_MAX: usize = 16;

/// What a run wrote down about itself: how it was set up, how it ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// Its name, which begins with [`NOTE_PREFIX`].
    pub name: String,
    /// What it says.
    pub values: BTreeMap<String, String>,
}

/// What the messages of a channel are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Channel {
    Frames(Venue, u32),
    Events(Venue, u32),
    /// What a run wrote down beside frames.
    Marks(TapKind, Venue, u32),
    /// Not of the tape proper; skipped.
    Other,
}

impl Container {
    /// The records of `source`.
    ///
    /// # Errors
    /// Those of the decompressor's set-up: no memory.
    pub fn new(source: Source) -> std::io::Result<Container> {
        let options = LinearReaderOptions::default()
            .with_emit_chunks(true)
            .with_skip_end_magic(true)
            .with_validate_data_section_crc(true)
            .with_record_length_limit(CHUNK_LEN_MAX);
        Ok(Container {
            source,
            file: LinearReader::new_with_options(options),
            at: mcap::MAGIC.len() as u64,
            unpack: zstd::bulk::Decompressor::new()?,
            chunk: Vec::new(),
            chunk_at: 0,
            read: 0,
            channels: Vec::new(),
            sequence: 0,
            head: None,
            schema_seen: false,
            notes: Vec::new(),
            ended: false,
            truncation: None,
        })
    }

    /// Moves to the next record; false at the end.
    ///
    /// # Errors
    /// [`TapeError`] with `path` in it.
    pub fn advance(&mut self, path: &Path) -> Result<bool, TapeError> {
        self.head = None;
        loop {
            while self.read < self.chunk.len() {
                match self.next_in_chunk() {
                    Ok(None) => {}
                    Ok(head) => {
                        self.head = head;
                        return Ok(true);
                    }
                    Err(reason) => {
                        self.ended = true;
                        self.read = self.chunk.len();
                        return Err(TapeError::Container {
                            path: path.to_owned(),
                            at: self.chunk_at,
                            reason,
                        });
                    }
                }
            }
            if self.ended || !self.next_in_file(path).inspect_err(|_| self.ended = true)? {
                self.ended = true;
                return Ok(false);
            }
        }
    }

    /// The record that the last [`Self::advance`] moved to.
    pub fn current(&self) -> Option<Record<'_>> {
        self.head.map(|head| head.record(&self.chunk))
    }

    /// What was cut off, once the end was reached.
    pub fn truncation(&self) -> Option<Truncation> {
        self.truncation
    }

    /// What a run wrote down about itself before what was read so far, by name; in the order of
    /// the file.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The file underneath.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The next record of the chunk, if it is one of the tape.
    fn next_in_chunk(&mut self) -> Result<Option<Head>, Fault> {
        let start = self.read;
        let (code, len) = match self.chunk.get(start..start + RECORD_HEAD) {
            Some(head) => (head[0], le_u64(&head[1..])),
            None => return Err(damaged("a record's head is cut off")),
        };
        let body = start + RECORD_HEAD;
        let end = usize::try_from(len).ok().and_then(|len| body.checked_add(len));
        let end = match end.filter(|end| *end <= self.chunk.len()) {
            Some(end) => end,
            None => return Err(damaged("a record is longer than its chunk")),
        };
        self.read = end;
        match code {
            op::MESSAGE => self.message(body, end),
            op::CHANNEL => match mcap::parse_record(code, &self.chunk[body..end]) {
                Ok(McapRecord::Channel(channel)) => {
                    self.add_channel(channel.id, &channel.topic).map(|()| None)
                }
                _ => Err(damaged("a channel cannot be read")),
            },
            _ => Ok(None),
        }
    }

    fn message(&mut self, body: usize, end: usize) -> Result<Option<Head>, Fault> {
        let data = body + MESSAGE_HEAD;
        if data > end {
            return Err(damaged("a message's head is cut off"));
        }
        let head = &self.chunk[body..data];
        let id = u16::from_le_bytes([head[0], head[1]]);
        let sequence = u32::from_le_bytes([head[2], head[3], head[4], head[5]]);
        let recv = Ns(le_u64(&head[6..14]));
        let channel = match self.channels.iter().find(|(known, _)| *known == id) {
            Some((_, channel)) => *channel,
            None => {
                return Err(damaged(&format!(
                    "a message names channel {id}, which the file does not declare"
                )));
            }
        };
        let (venue, conn, frame, mark) = match channel {
            Channel::Frames(venue, conn) => (venue, conn, Some((data, end)), None),
            Channel::Events(venue, conn) => (venue, conn, None, None),
            Channel::Marks(kind, venue, conn) => (venue, conn, Some((data, end)), Some(kind)),
            Channel::Other => return Ok(None),
        };
        if frame.is_none() && &self.chunk[data..end] != CONNECTED {
            return Err(
                "an event that this version does not know; use a newer version of parallax"
                    .to_owned(),
            );
        }
        if sequence != self.sequence {
            return Err(format!(
                "record {sequence} follows where record {} belongs: records are missing or were filtered out, and books built from the rest would be wrong; fetch the file again",
                self.sequence
            ));
        }
        self.sequence = sequence.wrapping_add(1);
        Ok(Some(Head { recv, venue, conn, frame, mark }))
    }

    fn add_channel(&mut self, id: u16, topic: &str) -> Result<(), Fault> {
        let channel = match parse_topic(topic) {
            Some(channel) => channel,
            None => {
                return Err(format!(
                    "channel `{topic}` is no `venue/connection`, `venue/connection/event` or mark of a run: no tape of this program"
                ));
            }
        };
        match self.channels.iter().find(|(known, _)| *known == id) {
            Some((_, known)) if *known == channel => Ok(()),
            Some(_) => Err(damaged(&format!("channel {id} is declared twice, differently"))),
            None => {
                self.channels.push((id, channel));
                Ok(())
            }
        }
    }

    /// Takes one record of the file, outside of chunks; false at the end of the data.
    fn next_in_file(&mut self, path: &Path) -> Result<bool, TapeError> {
        let fail =
            |at: u64, reason: Fault| TapeError::Container { path: path.to_owned(), at, reason };
        // What the file still holds from the next record on; nothing may claim more.
        let rest = self.source.total().saturating_sub(self.at);
        loop {
            let want = match self.file.next_event() {
                None => return Ok(false),
                Some(Ok(LinearReadEvent::ReadRequest(want))) => want,
                Some(Ok(LinearReadEvent::Record { opcode, data })) => {
                    let at = self.at;
                    self.at += (RECORD_HEAD + data.len()) as u64;
                    let taken = match opcode {
                        op::CHUNK => {
                            self.chunk_at = at;
                            self.read = 0;
                            unpack(data, &mut self.unpack, &mut self.chunk)
                        }
                        // Other writers may leave chunks out; such a record is a chunk of one.
                        op::MESSAGE | op::CHANNEL => {
                            self.chunk_at = at;
                            self.read = 0;
                            self.chunk.clear();
                            self.chunk.push(opcode);
                            self.chunk.extend_from_slice(&(data.len() as u64).to_le_bytes());
                            self.chunk.extend_from_slice(data);
                            Ok(())
                        }
                        op::METADATA => take_metadata(data, &mut self.schema_seen, &mut self.notes),
                        op::DATA_END => return Ok(false),
                        _ => Ok(()),
                    };
                    let taken = match taken {
                        Ok(()) if !self.schema_seen && !self.chunk.is_empty() => Err(format!(
                            "no metadata record `{METADATA_NAME}` before the first message: an .mcap, but no tape of this program"
                        )),
                        taken => taken,
                    };
                    return match taken {
                        Ok(()) => Ok(true),
                        Err(reason) => {
                            self.chunk.clear();
                            Err(fail(at, reason))
                        }
                    };
                }
                // A length that the file does not hold: a cut tail, or a recorder that was
                // killed before it wrote the true one.
                Some(Err(McapError::RecordTooLarge { len, .. })) if len > rest => {
                    self.truncation = Some(Truncation { at: self.at, lost: rest });
                    return Ok(false);
                }
                Some(Err(McapError::BadMagic)) => return Err(fail(0, NO_CONTAINER.to_owned())),
                Some(Err(error)) => {
                    return Err(fail(
                        self.at,
                        format!("{error}; the file is damaged here: fetch it again"),
                    ));
                }
            };
            // The request itself is bounded by the record limit, and by what the file holds.
            let have = self.source.total().saturating_sub(self.source.count());
            if want as u64 > have {
                return self.cut_tail().map_err(|reason| fail(0, reason));
            }
            let read = loop {
                match self.source.read(self.file.insert(want.max(BLOCK))) {
                    Err(e) if e.kind() == ErrorKind::Interrupted => {}
                    read => break read,
                }
            };
            match read {
                // The file became shorter under our hands.
                Ok(0) => return self.cut_tail().map_err(|reason| fail(0, reason)),
                Ok(n) => self.file.notify_read(n),
                Err(source) => {
                    return Err(TapeError::Read {
                        path: path.to_owned(),
                        at: self.source.count(),
                        source,
                    });
                }
            }
        }
    }
}

impl Container {
    /// Ends the tape where the file ends although more belongs there.
    fn cut_tail(&mut self) -> Result<bool, Fault> {
        let total = self.source.total();
        // Cut within its first bytes: at least these must be right.
        if total < self.at {
            let mut found = Vec::new();
            let read = (&mut self.source).take(total).read_to_end(&mut found);
            if read.is_err() || !mcap::MAGIC.starts_with(&found) {
                return Err(NO_CONTAINER.to_owned());
            }
            self.at = 0;
        }
        self.truncation = Some(Truncation { at: self.at, lost: total - self.at });
        Ok(false)
    }
}

const NO_CONTAINER: &str = "the file does not begin as an .mcap does; a tape in the line format is named .jsonl or .jsonl.zst";

/// The data of a connection event's message.
pub const CONNECTED: &[u8] = b"{\"event\":\"connected\"}";

/// True for our metadata record, of a schema that we know.
/// Takes in a metadata record: the schema, or a note of a run. Others are of other programs.
fn take_metadata(body: &[u8], schema_seen: &mut bool, notes: &mut Vec<Note>) -> Result<(), Fault> {
    let meta = match mcap::parse_record(op::METADATA, body) {
        Ok(McapRecord::Metadata(meta)) => meta,
        _ => return Err(damaged("a metadata record cannot be read")),
    };
    if meta.name == METADATA_NAME {
        check_schema(&meta)?;
        *schema_seen = true;
    } else if meta.name.starts_with(NOTE_PREFIX) && notes.len() < NOTES_MAX {
        notes.push(Note { name: meta.name, values: meta.metadata });
    }
    Ok(())
}

fn check_schema(meta: &Metadata) -> Result<(), Fault> {
    match meta.metadata.get("schema").map(String::as_str) {
        Some(CONTAINER_SCHEMA) => Ok(()),
        found => Err(format!(
            "`{METADATA_NAME}` is of schema {}; this version reads schema {CONTAINER_SCHEMA}: use the version that wrote it",
            found.unwrap_or("(none)")
        )),
    }
}

/// Names of the marks in topics, in the order of [`TapKind::ALL`]; frames have topics of their own.
const MARK_NAMES: [&str; 9] =
    ["frame", "sent", "opened", "closed", "tick", "verdict", "core-input", "dropped", "market"];

/// Name of a channel of marks.
pub fn mark_topic(kind: TapKind, venue: Venue, conn: u32) -> String {
    format!("run/{}/{venue}/{conn}", MARK_NAMES[kind as usize])
}

fn parse_mark(run: &str) -> Option<Channel> {
    let mut parts = run.split('/');
    let (name, venue, conn) = (parts.next()?, parts.next()?, parts.next()?);
    let at = MARK_NAMES.iter().position(|known| *known == name)?;
    let venue = Venue::from_name(venue)?;
    parts.next().is_none().then_some(Channel::Marks(TapKind::ALL[at], venue, conn.parse().ok()?))
}

/// What a topic stands for; `None` where it begins with a venue's name and goes on wrongly.
fn parse_topic(topic: &str) -> Option<Channel> {
    if let Some(run) = topic.strip_prefix("run/") {
        return parse_mark(run);
    }
    let (venue, rest) = match topic.split_once('/') {
        Some((name, rest)) => match Venue::from_name(name) {
            Some(venue) => (venue, rest),
            None => return Some(Channel::Other),
        },
        None => return Some(Channel::Other),
    };
    let (conn, event) = match rest.strip_suffix("/event") {
        Some(conn) => (conn, true),
        None => (rest, false),
    };
    let conn: u32 = conn.parse().ok()?;
    Some(if event { Channel::Events(venue, conn) } else { Channel::Frames(venue, conn) })
}
