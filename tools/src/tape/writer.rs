//! Records -> file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use engine::tap::TapKind;
use engine::units::Venue;
use mcap::records::{MessageHeader, Metadata};

use super::container::{CHUNK_LEN, CONNECTED, Note, mark_topic, topic};
use super::error::TapeError;
use super::line::write_line;
use super::reader::TapeKind;
use super::record::{Body, Record};
use super::{CONTAINER_SCHEMA, LINE_LEN_MAX, METADATA_NAME};

/// zstd level of packed lines: the level of the `zstd` tool when not told otherwise.
const ZSTD_LEVEL: i32 = 3;

/// Writes a tape; the end of the file's name tells the form.
///
/// The bytes go to `NAME.partial`, which becomes `NAME` in [`TapeWriter::finish`]; a file that
/// has its name is whole. A `.partial` that a kill left behind is readable up to its last chunk.
pub struct TapeWriter {
    path: PathBuf,
    partial: Option<PathBuf>,
    force: bool,
    sink: Sink,
    records: u64,
    line: Vec<u8>,
}

enum Sink {
    Lines(Box<dyn Write + Send>),
    File(BufWriter<File>),
    LinesZstd(zstd::Encoder<'static, BufWriter<File>>),
    Container(Box<ContainerSink>),
}

/// What a channel holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Frame,
    Event,
    Mark(TapKind),
}

struct ContainerSink {
    writer: mcap::Writer<BufWriter<File>>,
    channels: Vec<(String, u16)>,
    /// The channel of the last record: most follow their like.
    last: Option<((Venue, u32, What), u16)>,
}

impl TapeWriter {
    /// Begins the tape `path`. An existing file is refused, unless `force` allows to replace it.
    ///
    /// # Errors
    /// [`TapeError::UnknownEnding`], [`TapeError::Exists`] (also where `NAME.partial` exists:
    /// another writer may be at work), [`TapeError::Write`].
    pub fn create(path: &Path, force: bool) -> Result<TapeWriter, TapeError> {
        let kind = TapeKind::of(path)?;
        if !force && path.exists() {
            return Err(TapeError::Exists { path: path.to_owned() });
        }
        let mut name = OsString::from(path);
        name.push(".partial");
        let partial = PathBuf::from(name);
        let mut options = OpenOptions::new();
        options.write(true);
        if force {
            options.create(true).truncate(true)
        } else {
            options.create_new(true)
        };
        let file = match options.open(&partial) {
            Ok(file) => BufWriter::with_capacity(CHUNK_LEN, file),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                return Err(TapeError::Exists { path: partial });
            }
            Err(reason) => return Err(TapeError::Write { path: partial, reason }),
        };
        let sink = match kind {
            TapeKind::Lines => Ok(Sink::File(file)),
            TapeKind::LinesZstd => zstd::Encoder::new(file, ZSTD_LEVEL).map(Sink::LinesZstd),
            TapeKind::Container => {
                ContainerSink::new(file).map(|sink| Sink::Container(Box::new(sink)))
            }
        };
        match sink {
            Ok(sink) => Ok(TapeWriter {
                path: path.to_owned(),
                partial: Some(partial),
                force,
                sink,
                records: 0,
                line: Vec::new(),
            }),
            Err(reason) => Err(TapeError::Write { path: partial, reason }),
        }
    }

    /// Writes lines to something that is no file of ours, standard output say; `name` is what
    /// errors call it.
    pub fn lines_to(out: Box<dyn Write + Send>, name: &str) -> TapeWriter {
        let path = PathBuf::from(name);
        TapeWriter {
            path,
            partial: None,
            force: false,
            sink: Sink::Lines(out),
            records: 0,
            line: Vec::new(),
        }
    }

    /// Appends a record.
    ///
    /// # Errors
    /// [`TapeError::Write`], [`TapeError::NotText`], [`TapeError::FrameTooLong`].
    pub fn write(&mut self, record: &Record<'_>) -> Result<(), TapeError> {
        let number = self.records + 1;
        let too_long = || TapeError::FrameTooLong { path: self.path.clone(), record: number };
        let written = match &mut self.sink {
            Sink::Container(sink) => match record.body {
                Body::Frame(bytes) | Body::Mark(_, bytes) if bytes.len() > LINE_LEN_MAX => {
                    return Err(too_long());
                }
                _ => sink.write(record, self.records),
            },
            lines => {
                self.line.clear();
                if !write_line(record, &mut self.line) {
                    return Err(TapeError::NotText { path: self.path.clone(), record: number });
                }
                if self.line.len() > LINE_LEN_MAX {
                    return Err(too_long());
                }
                match lines {
                    Sink::File(out) => out.write_all(&self.line),
                    Sink::LinesZstd(out) => out.write_all(&self.line),
                    Sink::Lines(out) => out.write_all(&self.line),
                    Sink::Container(_) => Ok(()),
                }
            }
        };
        written.map_err(|reason| self.failed(reason))?;
        self.records = number;
        Ok(())
    }

    /// Closes the chunk that is being filled and hands everything to the operating system: what
    /// was written so far survives a kill. Costs packing, so call it every few seconds at most.
    ///
    /// # Errors
    /// [`TapeError::Write`].
    pub fn flush(&mut self) -> Result<(), TapeError> {
        let done = match &mut self.sink {
            Sink::File(out) => out.flush(),
            Sink::LinesZstd(out) => out.flush(),
            Sink::Lines(out) => out.flush(),
            Sink::Container(sink) => sink.writer.flush().map_err(io_error),
        };
        done.map_err(|reason| self.failed(reason))
    }

    /// Writes a run's note about itself. The line forms have none.
    ///
    /// # Errors
    /// [`TapeError::Write`].
    pub fn note(&mut self, note: Note) -> Result<(), TapeError> {
        let Sink::Container(sink) = &mut self.sink else { return Ok(()) };
        let meta = Metadata { name: note.name, metadata: note.values };
        sink.writer.write_metadata(&meta).map_err(io_error).map_err(|reason| self.failed(reason))
    }

    /// True for the line forms, which hold no marks of a run.
    pub fn is_lines(&self) -> bool {
        !matches!(self.sink, Sink::Container(_))
    }

    /// Records written.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Completes the tape and gives the file its name.
    ///
    /// # Errors
    /// [`TapeError::Write`]; [`TapeError::Exists`] where the name was taken meanwhile. The
    /// `.partial` is left in place then.
    pub fn finish(self) -> Result<(), TapeError> {
        let TapeWriter { path, partial, force, sink, .. } = self;
        let fail = |reason| TapeError::Write { path: path.clone(), reason };
        let file = match sink {
            Sink::Lines(mut out) => return out.flush().map_err(fail),
            Sink::File(out) => out,
            Sink::LinesZstd(out) => out.finish().map_err(fail)?,
            Sink::Container(mut sink) => {
                sink.writer.finish().map_err(io_error).map_err(fail)?;
                sink.writer.into_inner()
            }
        };
        let file = file.into_inner().map_err(|e| fail(e.into_error()))?;
        file.sync_all().map_err(fail)?;
        let Some(partial) = partial else { return Ok(()) };
        if !force && path.exists() {
            return Err(TapeError::Exists { path });
        }
        fs::rename(&partial, &path).map_err(fail)
    }

    /// Gives the tape up and removes its `.partial`.
    pub fn discard(self) {
        let TapeWriter { partial, sink, .. } = self;
        drop(sink);
        if let Some(partial) = partial {
            // Best effort: the error that led here is the one to tell.
            let _ = fs::remove_file(partial);
        }
    }

    fn failed(&self, reason: io::Error) -> TapeError {
        TapeError::Write { path: self.path.clone(), reason }
    }
}

impl ContainerSink {
    fn new(file: BufWriter<File>) -> io::Result<ContainerSink> {
        let mut writer = mcap::WriteOptions::new()
            .profile("")
            .library(concat!("parallax ", env!("CARGO_PKG_VERSION")))
            .chunk_size(Some(CHUNK_LEN as u64))
            // A chunk is written whole, with its true length, so a kill leaves no half-filled
            // head behind.
            .disable_seeking(true)
            // Packing 1 MiB takes a few milliseconds; threads of its own would be noise.
            .compression_threads(0)
            .create(file)
            .map_err(io_error)?;
        let schema = BTreeMap::from([("schema".to_owned(), CONTAINER_SCHEMA.to_owned())]);
        writer
            .write_metadata(&Metadata { name: METADATA_NAME.to_owned(), metadata: schema })
            .map_err(io_error)?;
        Ok(ContainerSink { writer, channels: Vec::new(), last: None })
    }

    fn write(&mut self, record: &Record<'_>, number: u64) -> io::Result<()> {
        let (what, data) = match record.body {
            Body::Frame(frame) => (What::Frame, frame),
            Body::Connected => (What::Event, CONNECTED),
            Body::Mark(kind, payload) => (What::Mark(kind), payload),
        };
        let channel_id = self.channel(record.venue, record.conn, what)?;
        // The counter wraps, as `container` says.
        let sequence = number as u32;
        let header = MessageHeader {
            channel_id,
            sequence,
            log_time: record.recv.0,
            publish_time: record.recv.0,
        };
        self.writer.write_to_known_channel(&header, data).map_err(io_error)
    }

    fn channel(&mut self, venue: Venue, conn: u32, what: What) -> io::Result<u16> {
        if let Some((last, id)) = self.last
            && last == (venue, conn, what)
        {
            return Ok(id);
        }
        let (topic, encoding) = match what {
            What::Frame => (topic(venue, conn, false), "json"),
            What::Event => (topic(venue, conn, true), "json"),
            What::Mark(kind) => (mark_topic(kind, venue, conn), "application/octet-stream"),
        };
        let known = self.channels.iter().find(|(name, _)| *name == topic).map(|(_, id)| *id);
        let id = match known {
            Some(id) => id,
            None => {
                let none = BTreeMap::new();
                let id = self.writer.add_channel(0, &topic, encoding, &none).map_err(io_error)?;
                self.channels.push((topic, id));
                id
            }
        };
        self.last = Some(((venue, conn, what), id));
        Ok(id)
    }
}

fn io_error(error: mcap::McapError) -> io::Error {
    match error {
        mcap::McapError::Io(error) => error,
        other => io::Error::other(other),
    }
}
