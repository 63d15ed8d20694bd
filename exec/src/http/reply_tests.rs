use proptest::prelude::*;

use super::*;

const MAX: usize = 4_096;

/// The answer after all of `bytes` came in pieces of `step`.
fn read(bytes: &[u8], step: usize) -> Result<Option<(Head, Vec<u8>)>, BadReply> {
    let mut reader = ReplyReader::new(MAX);
    let mut whole = false;
    for piece in bytes.chunks(step) {
        whole = reader.push(piece)?;
    }
    assert_eq!(whole, reader.reply().is_some());
    Ok(reader.reply().map(|(head, body)| (head, body.to_vec())))
}

fn at_any_pace(bytes: &[u8]) -> Result<Option<(Head, Vec<u8>)>, BadReply> {
    let whole = read(bytes, bytes.len());
    for step in 1..bytes.len() {
        assert_eq!(read(bytes, step), whole, "in pieces of {step}");
    }
    whole
}

#[test]
fn a_length_and_chunks_tell_the_same_body() {
    let head = Head { status: 201, retry_after_s: None, signer_limiter: false, keeps_alive: true };
    let plain = b"HTTP/1.1 201 Created\r\ncontent-length: 11\r\n\r\n{\"a\":[1,2]}";
    assert_eq!(at_any_pace(plain), Ok(Some((head, b"{\"a\":[1,2]}".to_vec()))));
    let chunks = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n\
        4;x=y\r\n{\"a\"\r\n7\r\n:[1,2]}\r\n0\r\nT: railer\r\n\r\n";
    assert_eq!(at_any_pace(chunks), Ok(Some((head, b"{\"a\":[1,2]}".to_vec()))));
    let early = [&b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"[..], plain].concat();
    assert_eq!(at_any_pace(&early), Ok(Some((head, b"{\"a\":[1,2]}".to_vec()))));
    let none = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    let head = Head { status: 204, keeps_alive: false, ..head };
    assert_eq!(at_any_pace(none), Ok(Some((head, Vec::new()))));
}

#[test]
fn the_limiters_headers_are_seen() {
    let reply = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\n\
        poly-ratelimit-remaining: -2\r\nContent-Length: 0\r\n\r\n";
    let (head, body) = at_any_pace(reply).unwrap().unwrap();
    assert_eq!((head.status, head.retry_after_s, body.len()), (429, Some(3), 0));
    assert!(head.signer_limiter);
}

#[test]
fn a_body_without_a_length_ends_with_the_connection() {
    let mut reader = ReplyReader::new(MAX);
    assert_eq!(reader.push(b"HTTP/1.0 200 OK\r\n\r\nabc"), Ok(false));
    assert!(reader.reply().is_none());
    assert_eq!(reader.end(), Ok(true));
    let (head, body) = reader.reply().unwrap();
    assert_eq!((head.keeps_alive, body), (false, &b"abc"[..]));
    reader.reset();
    assert_eq!(reader.push(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"), Ok(false));
    assert_eq!(reader.end(), Err(BadReply::CutOff), "two of three bytes");
    reader.reset();
    assert_eq!(reader.end(), Err(BadReply::CutOff));
}

#[test]
fn what_is_no_answer_is_refused() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let cases = [
        ("hello there\r\n\r\n".to_owned(), BadReply::NotHttp),
        ("HTTP/1.1 101 Switching\r\n\r\n".to_owned(), BadReply::NotHttp),
        (format!("{ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), BadReply::Length),
        (format!("{ok}Content-Length: -1\r\n\r\n"), BadReply::Length),
        (format!("{ok}Content-Length: +1\r\n\r\n"), BadReply::Length),
        (format!("{ok}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), BadReply::Length),
        (format!("{ok}Transfer-Encoding: gzip\r\n\r\n"), BadReply::Length),
        (format!("{ok}Content-Length: {}\r\n\r\n", MAX + 1), BadReply::BodyTooLong),
        (format!("{ok}Transfer-Encoding: chunked\r\n\r\n1\r\nabc"), BadReply::Chunk),
        (format!("{ok}Transfer-Encoding: chunked\r\n\r\nzz\r\n"), BadReply::Chunk),
        (format!("{ok}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", MAX + 1), BadReply::BodyTooLong),
        (format!("{ok}\r\n{}", "x".repeat(MAX + 1)), BadReply::BodyTooLong),
        (format!("{ok}A: {}", "x".repeat(HEAD_MAX)), BadReply::HeadTooLong),
        (format!("{ok}{}\r\n", "A: b\r\n".repeat(HEADERS_MAX + 1)), BadReply::HeadTooLong),
        (format!("{ok}Content-Length: 1\r\n\r\nab"), BadReply::Unasked),
    ];
    for (text, why) in cases {
        assert_eq!(
            read(text.as_bytes(), text.len()),
            Err(why),
            "{:?}",
            &text[..text.len().min(80)]
        );
    }
    let in_front = format!("\r\n\r\n{ok}Content-Length: 0\r\n\r\n");
    let chunk_size =
        format!("{ok}Transfer-Encoding: chunked\r\n\r\n0;{}\r\n\r\n", "x".repeat(LINE_MAX));
    for step in [1, 2, 3, in_front.len(), chunk_size.len()] {
        assert_eq!(read(in_front.as_bytes(), step), Err(BadReply::NotHttp), "in steps of {step}");
        assert_eq!(read(chunk_size.as_bytes(), step), Err(BadReply::Chunk), "in steps of {step}");
    }
    let mut reader = ReplyReader::new(MAX);
    assert_eq!(reader.push(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Ok(true));
    assert_eq!(reader.push(b"H"), Err(BadReply::Unasked));
}

/// Pieces of answers, so that arbitrary ones get somewhere.
const PIECES: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close\r\n",
    "\r\n",
    "\n",
    "5\r\n",
    "0\r\n",
    "hello",
    "ffffffffffffffff\r\n",
    "A: b\r\n",
];

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_never_grow(
        pieces in proptest::collection::vec(
            prop_oneof![
                (0..PIECES.len()).prop_map(|n| PIECES[n].as_bytes().to_vec()),
                proptest::collection::vec(any::<u8>(), 0..40),
            ],
            0..40,
        ),
        step in 1usize..64,
    ) {
        let bytes = pieces.concat();
        let mut reader = ReplyReader::new(MAX);
        for piece in bytes.chunks(step) {
            if reader.push(piece).is_err() {
                break;
            }
            let kept = reader.received.len() + reader.joined.len();
            prop_assert!(kept <= HEAD_MAX + 2 * MAX + 2 * LINE_MAX, "{} bytes", kept);
        }
        // Where it ends does not depend on how it came.
        prop_assert_eq!(read(&bytes, step.max(1)).ok(), read(&bytes, bytes.len().max(1)).ok());
    }
}
