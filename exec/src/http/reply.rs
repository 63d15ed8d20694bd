//! An HTTP/1.1 answer, read as its bytes come: no socket, no clock, bounded memory.

use core::fmt;

use httparse::{EMPTY_HEADER, Status};

/// Longest head of an answer.
pub const HEAD_MAX: usize = 16 << 10;

/// Most headers of an answer; edges in front of venues add some thirty.
const HEADERS_MAX: usize = 96;

/// What every answer begins with.
const PROTOCOL: &[u8] = b"HTTP/1.";

/// Longest line that gives a chunk's size, and longest trailer.
const LINE_MAX: usize = 1 << 10;

/// What an answer's first lines say, as far as orders care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// Seconds that the venue asks us to wait.
    pub retry_after_s: Option<u32>,
    /// A `Poly-RateLimit-*` header: the venue's own limiter answered, and not the edge in front
    /// of it (polymarket.md section 9).
    pub signer_limiter: bool,
    /// False where the connection ends with this answer.
    pub keeps_alive: bool,
}

/// Why bytes are no answer. The connection is of no more use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BadReply {
    /// Not HTTP/1.
    NotHttp,
    /// The head is longer than [`HEAD_MAX`] or has too many headers.
    HeadTooLong,
    /// The body is longer than allowed.
    BodyTooLong,
    /// Its length is told twice, differently, or is no number.
    Length,
    /// A chunk's size or end is wrong.
    Chunk,
    /// Bytes came that no request asked for.
    Unasked,
    /// The connection ended in the middle.
    CutOff,
}

impl fmt::Display for BadReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadReply::NotHttp => "the answer is not HTTP/1",
            BadReply::HeadTooLong => "the answer's head is too long",
            BadReply::BodyTooLong => "the answer's body is too long",
            BadReply::Length => "the answer's length is contradictory or no number",
            BadReply::Chunk => "a chunk of the answer is malformed",
            BadReply::Unasked => "bytes came that no request asked for",
            BadReply::CutOff => "the connection ended within the answer",
        })
    }
}

impl core::error::Error for BadReply {}

/// How far an answer has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Its head; so many bytes were searched for the end of it.
    Head { searched: usize },
    /// A body of that many bytes.
    Length { head: Head, from: usize, len: usize },
    /// Chunks: the size line of the next one stands at `at` of what was received.
    ChunkSize { head: Head, at: usize },
    /// Bytes of a chunk, and the line end behind them.
    ChunkData { head: Head, at: usize, left: usize },
    /// Lines behind the last chunk.
    Trailer { head: Head, at: usize },
    /// A body that ends with the connection.
    UntilEnd { head: Head, from: usize },
    /// All of it.
    Whole { head: Head, is_chunked: bool, from: usize, len: usize },
}

/// Reads one answer after the other. Its buffers are reused: nothing is allocated once they have
/// held the largest answer.
pub struct ReplyReader {
    received: Vec<u8>,
    /// Bodies that came in chunks, put together.
    joined: Vec<u8>,
    state: State,
    body_max: usize,
}

impl ReplyReader {
    /// A reader that refuses bodies of more than `body_max` bytes.
    pub fn new(body_max: usize) -> ReplyReader {
        ReplyReader {
            received: Vec::with_capacity(HEAD_MAX),
            joined: Vec::with_capacity(HEAD_MAX),
            state: State::Head { searched: 0 },
            body_max,
        }
    }

    /// Forgets the answer, so that the next one can come.
    pub fn reset(&mut self) {
        self.received.clear();
        self.joined.clear();
        self.state = State::Head { searched: 0 };
    }

    /// True where no byte of an answer came.
    pub fn is_empty(&self) -> bool {
        self.received.is_empty()
    }

    /// True where the head is known.
    pub const fn has_head(&self) -> bool {
        !matches!(self.state, State::Head { .. })
    }

    /// The answer, once it is whole.
    pub fn reply(&self) -> Option<(Head, &[u8])> {
        let State::Whole { head, is_chunked, from, len } = self.state else { return None };
        let home = if is_chunked { &self.joined } else { &self.received };
        Some((head, home.get(from..from + len).unwrap_or_default()))
    }

    /// Takes bytes; true once the answer is whole. What follows a whole answer is an error: one
    /// request is on its way at a time.
    pub fn push(&mut self, bytes: &[u8]) -> Result<bool, BadReply> {
        if matches!(self.state, State::Whole { .. }) && !bytes.is_empty() {
            return Err(BadReply::Unasked);
        }
        self.received.extend_from_slice(bytes);
        while self.advance()? {}
        // What was put together is not needed twice: a body of many chunks stays small.
        if let State::ChunkSize { at, .. }
        | State::ChunkData { at, .. }
        | State::Trailer { at, .. } = &mut self.state
        {
            self.received.drain(..core::mem::take(at));
        }
        Ok(matches!(self.state, State::Whole { .. }))
    }

    /// The connection ended: true where that completes the answer.
    pub fn end(&mut self) -> Result<bool, BadReply> {
        match self.state {
            State::UntilEnd { head, from } => {
                let len = self.received.len() - from;
                self.state = State::Whole { head, is_chunked: false, from, len };
                Ok(true)
            }
            State::Whole { .. } => Ok(true),
            _ => Err(BadReply::CutOff),
        }
    }

    /// Goes one step further in what was received; false where more has to come.
    fn advance(&mut self) -> Result<bool, BadReply> {
        match self.state {
            State::Head { searched } => self.on_head(searched),
            State::Length { head, from, len } => {
                let is_whole = self.received.len() >= from + len;
                if is_whole {
                    self.state = State::Whole { head, is_chunked: false, from, len };
                    self.nothing_behind(from + len)?;
                }
                Ok(is_whole)
            }
            State::ChunkSize { head, at } => self.on_chunk_size(head, at),
            State::ChunkData { head, at, left } => self.on_chunk_data(head, at, left),
            State::Trailer { head, at } => self.on_trailer(head, at),
            State::UntilEnd { from, .. } if self.received.len() - from > self.body_max => {
                Err(BadReply::BodyTooLong)
            }
            State::UntilEnd { .. } | State::Whole { .. } => Ok(false),
        }
    }

    fn nothing_behind(&self, end: usize) -> Result<(), BadReply> {
        if self.received.len() > end { Err(BadReply::Unasked) } else { Ok(()) }
    }

    fn on_head(&mut self, searched: usize) -> Result<bool, BadReply> {
        // The parser would step over empty lines in front, where they came together with the rest.
        if !self.received.iter().zip(PROTOCOL).all(|(is, due)| is == due) {
            return Err(BadReply::NotHttp);
        }
        // The end of a head is an empty line; the parser is asked only where one is.
        let fresh = self.received.get(searched.saturating_sub(3)..).unwrap_or_default();
        let has_end = (0..fresh.len())
            .any(|at| fresh[at..].starts_with(b"\n\r\n") || fresh[at..].starts_with(b"\n\n"));
        if !has_end {
            self.state = State::Head { searched: self.received.len() };
            return if self.received.len() > HEAD_MAX {
                Err(BadReply::HeadTooLong)
            } else {
                Ok(false)
            };
        }
        let mut headers = [EMPTY_HEADER; HEADERS_MAX];
        let mut answer = httparse::Response::new(&mut headers);
        let from = match answer.parse(&self.received) {
            Ok(Status::Complete(from)) if from <= HEAD_MAX => from,
            Ok(Status::Complete(_)) | Err(httparse::Error::TooManyHeaders) => {
                return Err(BadReply::HeadTooLong);
            }
            // The parser wants more than the empty line that it was shown.
            Ok(Status::Partial) | Err(_) => return Err(BadReply::NotHttp),
        };
        let (Some(status), Some(version)) = (answer.code, answer.version) else {
            return Err(BadReply::NotHttp);
        };
        if status < 200 {
            // An interim answer; the true one follows. Nothing asked for another protocol.
            if status == 101 {
                return Err(BadReply::NotHttp);
            }
            self.received.drain(..from);
            self.state = State::Head { searched: 0 };
            return Ok(!self.received.is_empty());
        }
        let Facts { head, body } = Facts::of(status, version, answer.headers)?;
        self.state = match body {
            _ if matches!(status, 204 | 304) => State::Length { head, from, len: 0 },
            BodyIs::Chunked => State::ChunkSize { head, at: from },
            BodyIs::Length(len) if len > self.body_max => return Err(BadReply::BodyTooLong),
            BodyIs::Length(len) => State::Length { head, from, len },
            BodyIs::UntilEnd => State::UntilEnd { head: Head { keeps_alive: false, ..head }, from },
        };
        Ok(true)
    }

    fn on_chunk_size(&mut self, head: Head, at: usize) -> Result<bool, BadReply> {
        let line = self.received.get(at..).unwrap_or_default();
        match httparse::parse_chunk_size(line) {
            // Told here as below, so that it is one however it came.
            Ok(Status::Complete((used, _))) if used > LINE_MAX => return Err(BadReply::Chunk),
            Ok(Status::Complete((used, 0))) => self.state = State::Trailer { head, at: at + used },
            Ok(Status::Complete((used, size))) => {
                let room = self.body_max - self.joined.len();
                let left = usize::try_from(size).ok().filter(|left| *left <= room);
                let left = left.ok_or(BadReply::BodyTooLong)?;
                self.state = State::ChunkData { head, at: at + used, left };
            }
            Ok(Status::Partial) if line.len() < LINE_MAX => return Ok(false),
            Ok(Status::Partial) | Err(_) => return Err(BadReply::Chunk),
        }
        Ok(true)
    }

    fn on_chunk_data(&mut self, head: Head, at: usize, left: usize) -> Result<bool, BadReply> {
        let end = at + left;
        let Some(line_end) = self.received.get(end..end + 2) else { return Ok(false) };
        if line_end != b"\r\n" {
            return Err(BadReply::Chunk);
        }
        self.joined.extend_from_slice(&self.received[at..end]);
        self.state = State::ChunkSize { head, at: end + 2 };
        Ok(true)
    }

    fn on_trailer(&mut self, head: Head, at: usize) -> Result<bool, BadReply> {
        let rest = self.received.get(at..).unwrap_or_default();
        match rest.iter().position(|byte| *byte == b'\n') {
            None if rest.len() > LINE_MAX => Err(BadReply::Chunk),
            None => Ok(false),
            Some(end) if matches!(&rest[..end], b"" | b"\r") => {
                let len = self.joined.len();
                self.state = State::Whole { head, is_chunked: true, from: 0, len };
                self.nothing_behind(at + end + 1)?;
                Ok(true)
            }
            Some(end) if end > LINE_MAX => Err(BadReply::Chunk),
            Some(end) => {
                self.state = State::Trailer { head, at: at + end + 1 };
                Ok(true)
            }
        }
    }
}

/// What the headers say.
struct Facts {
    head: Head,
    body: BodyIs,
}

enum BodyIs {
    Length(usize),
    Chunked,
    UntilEnd,
}

impl Facts {
    fn of(status: u16, version: u8, headers: &[httparse::Header<'_>]) -> Result<Facts, BadReply> {
        let mut head =
            Head { status, retry_after_s: None, signer_limiter: false, keeps_alive: version == 1 };
        let (mut length, mut is_chunked) = (None, false);
        for header in headers {
            let text = core::str::from_utf8(header.value).unwrap_or_default().trim();
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            if is("content-length") {
                let told = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok());
                let told: usize = told.flatten().ok_or(BadReply::Length)?;
                if length.is_some_and(|before| before != told) {
                    return Err(BadReply::Length);
                }
                length = Some(told);
            } else if is("transfer-encoding") {
                if !text.eq_ignore_ascii_case("chunked") {
                    return Err(BadReply::Length);
                }
                is_chunked = true;
            } else if is("connection") {
                for word in text.split(',').map(str::trim) {
                    if word.eq_ignore_ascii_case("close") {
                        head.keeps_alive = false;
                    } else if word.eq_ignore_ascii_case("keep-alive") {
                        head.keeps_alive = true;
                    }
                }
            } else if is("retry-after") {
                head.retry_after_s = text.parse().ok();
            } else if starts_with_ignoring_case(header.name, "poly-ratelimit-") {
                head.signer_limiter = true;
            }
        }
        let body = match (is_chunked, length) {
            // Both would let two readers disagree where the answer ends.
            (true, Some(_)) => return Err(BadReply::Length),
            (true, None) => BodyIs::Chunked,
            (false, Some(length)) => BodyIs::Length(length),
            (false, None) => BodyIs::UntilEnd,
        };
        Ok(Facts { head, body })
    }
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|part| part.eq_ignore_ascii_case(start))
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
