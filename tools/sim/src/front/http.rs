//! HTTP/1.1 of a server: bytes -> whole requests, answers -> bytes.

use std::fmt::Write as _;
use std::ops::Range;

use crate::venue::Reply;

/// Most bytes of a request's line and headers.
pub const HEAD_MAX: usize = 32 * 1024;
/// Most bytes of a body: fifteen orders, or three thousand order ids, with room to spare.
pub const BODY_MAX: usize = 1024 * 1024;
/// Most headers of a request.
const HEADERS_MAX: usize = 64;

/// A request whose bytes are all there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    /// `GET` and its kin.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query without the question mark.
    pub query: String,
    /// Names as they were sent, and values.
    pub headers: Vec<(String, String)>,
    /// The body, chunks put together.
    pub body: Vec<u8>,
    /// True where the client wants the connection to last.
    pub keep_alive: bool,
    /// Bytes of the input that it took.
    pub len: usize,
}

impl Parsed {
    /// A header's value; names are compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// True where a comma-separated header names `token`.
    pub fn header_has(&self, name: &str, token: &str) -> bool {
        let value = self.header(name).unwrap_or_default();
        value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token))
    }
}

/// Why bytes are no request; the connection ends after the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadRequest {
    /// Not HTTP.
    Malformed,
    /// The headers are longer than [`HEAD_MAX`], or more than there is room for.
    HeadTooLong,
    /// The body is longer than [`BODY_MAX`].
    BodyTooLong,
}

impl BadRequest {
    /// The status of the answer.
    pub const fn status(self) -> u16 {
        match self {
            BadRequest::Malformed => 400,
            BadRequest::HeadTooLong => 431,
            BadRequest::BodyTooLong => 413,
        }
    }
}

/// The first request of `input`; `None` where more bytes are needed.
///
/// # Errors
/// Bytes that can never become a request.
pub fn parse(input: &[u8]) -> Result<Option<Parsed>, BadRequest> {
    let mut room = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut room);
    let head = match request.parse(input) {
        Ok(httparse::Status::Complete(head)) if head <= HEAD_MAX => head,
        Ok(httparse::Status::Partial) if input.len() <= HEAD_MAX => return Ok(None),
        Err(httparse::Error::TooManyHeaders) | Ok(_) => return Err(BadRequest::HeadTooLong),
        Err(_) => return Err(BadRequest::Malformed),
    };
    let mut headers = Vec::with_capacity(request.headers.len());
    for header in request.headers.iter() {
        let value = std::str::from_utf8(header.value).map_err(|_| BadRequest::Malformed)?;
        headers.push((header.name.to_owned(), value.trim().to_owned()));
    }
    let target = request.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut parsed = Parsed {
        method: request.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Vec::new(),
        keep_alive: false,
        len: head,
    };
    parsed.keep_alive = request.version == Some(1) && !parsed.header_has("connection", "close");
    let rest = &input[head..];
    if parsed.header_has("transfer-encoding", "chunked") {
        let Some((body, len)) = chunks(rest)? else { return Ok(None) };
        (parsed.body, parsed.len) = (body, head + len);
    } else if let Some(length) = parsed.header("content-length") {
        let length: usize = length.parse().map_err(|_| BadRequest::Malformed)?;
        if length > BODY_MAX {
            return Err(BadRequest::BodyTooLong);
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        (parsed.body, parsed.len) = (body.to_vec(), head + length);
    }
    Ok(Some(parsed))
}

/// A chunked body and the bytes that it took; `None` where more are needed.
fn chunks(input: &[u8]) -> Result<Option<(Vec<u8>, usize)>, BadRequest> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let rest = &input[at..];
        let (used, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) if rest.len() < HEAD_MAX => return Ok(None),
            _ => return Err(BadRequest::Malformed),
        };
        let size = usize::try_from(size).map_err(|_| BadRequest::BodyTooLong)?;
        if size > BODY_MAX - body.len() {
            return Err(BadRequest::BodyTooLong);
        }
        let Range { start, end } = at + used..at + used + size;
        let Some(closed) = input.get(end..end + 2) else { return Ok(None) };
        if closed != b"\r\n" {
            return Err(BadRequest::Malformed); // trailers are not spoken here
        }
        body.extend_from_slice(&input[start..end]);
        at = end + 2;
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

/// Appends an answer.
pub fn write(out: &mut Vec<u8>, reply: &Reply, keep_alive: bool, to_head: bool) {
    let mut head = format!("HTTP/1.1 {} {}\r\n", reply.status, reason(reply.status));
    // Writing to a string cannot fail.
    let _ = write!(
        head,
        "content-type: {}\r\ncontent-length: {}\r\n",
        reply.content_type,
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str(if keep_alive { "\r\n" } else { "connection: close\r\n\r\n" });
    out.extend_from_slice(head.as_bytes());
    if !to_head {
        out.extend_from_slice(&reply.body);
    }
}

/// The phrase of a status, for people who read captures.
pub const fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        413 => "Content Too Large",
        425 => "Too Early",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_whole_or_not_yet() {
        let two = b"POST /a/b?c=d&e HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n\r\n";
        let first = 61;
        for cut in 0..first {
            assert_eq!(parse(&two[..cut]), Ok(None), "cut at {cut}");
        }
        let request = parse(two).unwrap().unwrap();
        assert_eq!((request.len, request.body.as_slice()), (first, b"hello".as_slice()));
        assert_eq!((request.path.as_str(), request.query.as_str()), ("/a/b", "c=d&e"));
        assert_eq!(parse(&two[first..]).unwrap().unwrap().method, "GET");
    }

    #[test]
    fn chunks_are_put_together_within_the_limit() {
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let whole = format!("{head}3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
        for cut in 0..whole.len() {
            assert_eq!(parse(&whole.as_bytes()[..cut]), Ok(None), "cut at {cut}");
        }
        let request = parse(whole.as_bytes()).unwrap().unwrap();
        assert_eq!((request.body.as_slice(), request.len), (b"abcde".as_slice(), whole.len()));
        let long = format!("{head}ffffffffffffffff\r\n");
        assert_eq!(parse(long.as_bytes()), Err(BadRequest::BodyTooLong));
        let long = "POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n";
        assert_eq!(parse(long.as_bytes()), Err(BadRequest::BodyTooLong));
        assert_eq!(parse(&[b'a'; HEAD_MAX + 1]), Err(BadRequest::HeadTooLong));
        assert_eq!(parse(b"\x16\x03\x01 hello\r\n\r\n"), Err(BadRequest::Malformed));
    }
}
