//! Arbitrary bytes as an HTTP answer, cut into pieces: no panic, bounded memory, and where whole
//! and pieces are both taken they say the same.
#![no_main]

use exec::http::reply::{BadReply, ReplyReader};
use libfuzzer_sys::fuzz_target;

const BODY_MAX: usize = 4_096;

fn read(reader: &mut ReplyReader, pieces: impl Iterator<Item = Vec<u8>>) -> Result<bool, BadReply> {
    let mut whole = false;
    for piece in pieces {
        whole = reader.push(&piece)?;
    }
    if whole { Ok(true) } else { reader.end() }
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let (mut at_once, mut cut) = (ReplyReader::new(BODY_MAX), ReplyReader::new(BODY_MAX));
    let first = read(&mut at_once, std::iter::once(bytes.to_vec()));
    let pieces = bytes.chunks(usize::from(size).max(1)).map(<[u8]>::to_vec);
    let second = read(&mut cut, pieces);
    if first.is_ok() && second.is_ok() {
        assert_eq!(at_once.reply(), cut.reply());
    }
    if let Some((_, body)) = at_once.reply() {
        assert!(body.len() <= BODY_MAX.max(bytes.len()));
    }
    // The same reader takes the next answer as if nothing had been.
    at_once.reset();
    let next = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    assert_eq!(at_once.push(next), Ok(true));
    assert_eq!(at_once.reply().map(|(head, body)| (head.status, body)), Some((200, &b"{}"[..])));
});
