//! WebSocket of a server (RFC 6455): the upgrade, masked frames in, plain frames out.
//!
//! Written here and not taken from a library, so that clients meet an end that is not their own,
//! and so that a fault may cut a frame in two.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// Most bytes of a client's message: a subscription to thousands of markets.
pub const MESSAGE_MAX: usize = 4 * 1024 * 1024;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What a client said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// A text, whole.
    Text(String),
    /// A ping: answer with the same body.
    Ping(Vec<u8>),
    /// A pong, which only shows that the client lives.
    Pong,
    /// The client says good-bye.
    Close,
}

/// Why a client is cut off, as a close code of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Violation {
    /// Not the protocol.
    Protocol = 1002,
    /// Binary frames are not spoken here.
    Binary = 1003,
    /// Text that is not UTF-8.
    Utf8 = 1007,
    /// Longer than [`MESSAGE_MAX`].
    TooLong = 1009,
}

/// The value of `Sec-WebSocket-Accept` for a client's key.
pub fn accept(key: &str) -> String {
    let mut sha = Sha1::new();
    sha.update(key.as_bytes());
    sha.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(sha.finalize())
}

/// Puts a client's frames together.
#[derive(Default, Debug)]
pub struct Reader {
    /// A text whose last frame is not here yet.
    partial: Option<Vec<u8>>,
}

impl Reader {
    /// The first message of `input` and the bytes that it took; `None` where more are needed.
    /// Frames of a longer text are taken from `input` as they come.
    ///
    /// # Errors
    /// What no client may send.
    pub fn next(&mut self, input: &mut Vec<u8>) -> Result<Option<Message>, Violation> {
        loop {
            let Some(frame) = Frame::parse(input)? else { return Ok(None) };
            let mut body = input[frame.head..frame.head + frame.len].to_vec();
            for (byte, mask) in body.iter_mut().zip(frame.mask.iter().cycle()) {
                *byte ^= mask;
            }
            input.drain(..frame.head + frame.len);
            let text = match (frame.opcode, self.partial.take()) {
                (PING | PONG | CLOSE, partial) => {
                    self.partial = partial;
                    return Ok(Some(match frame.opcode {
                        PING => Message::Ping(body),
                        PONG => Message::Pong,
                        _ => Message::Close,
                    }));
                }
                (TEXT, None) => body,
                (CONTINUATION, Some(mut text)) => {
                    text.extend_from_slice(&body);
                    text
                }
                (BINARY, _) => return Err(Violation::Binary),
                _ => return Err(Violation::Protocol),
            };
            if text.len() > MESSAGE_MAX {
                return Err(Violation::TooLong);
            }
            if frame.last {
                return String::from_utf8(text)
                    .map(|text| Some(Message::Text(text)))
                    .map_err(|_| Violation::Utf8);
            }
            self.partial = Some(text);
        }
    }
}

/// A frame's head, and that its body is there.
struct Frame {
    last: bool,
    opcode: u8,
    mask: [u8; 4],
    head: usize,
    len: usize,
}

impl Frame {
    fn parse(input: &[u8]) -> Result<Option<Frame>, Violation> {
        let &[first, second, ref rest @ ..] = input else { return Ok(None) };
        let (opcode, short) = (first & 0x0f, usize::from(second & 0x7f));
        // Extensions are never agreed to, and clients mask.
        if first & 0x70 != 0 || second & 0x80 == 0 {
            return Err(Violation::Protocol);
        }
        let (last, control) = (first & 0x80 != 0, opcode & 0x08 != 0);
        if control && (short > 125 || !last) {
            return Err(Violation::Protocol);
        }
        let wide = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let (Some(long), Some(mask)) = (rest.get(..wide), rest.get(wide..wide + 4)) else {
            return Ok(None);
        };
        let len = match wide {
            0 => short as u64,
            _ => long.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        };
        if len > MESSAGE_MAX as u64 {
            return Err(Violation::TooLong);
        }
        let mask = [mask[0], mask[1], mask[2], mask[3]];
        let (head, len) = (2 + wide + 4, len as usize);
        let whole = input.len() >= head + len;
        Ok(whole.then_some(Frame { last, opcode, mask, head, len }))
    }
}

/// Appends a text frame.
pub fn text(out: &mut Vec<u8>, text: &str) {
    frame(out, TEXT, text.as_bytes());
}

/// Appends a ping.
pub fn ping(out: &mut Vec<u8>, body: &[u8]) {
    frame(out, PING, body);
}

/// Appends a pong.
pub fn pong(out: &mut Vec<u8>, body: &[u8]) {
    frame(out, PONG, body);
}

/// Appends a good-bye.
pub fn close(out: &mut Vec<u8>, code: u16) {
    frame(out, CLOSE, &code.to_be_bytes());
}

fn frame(out: &mut Vec<u8>, opcode: u8, body: &[u8]) {
    out.push(0x80 | opcode);
    match body.len() {
        short @ 0..=125 => out.push(short as u8),
        middle @ 126..=0xffff => {
            out.push(126);
            out.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            out.push(127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(first: u8, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        frame(&mut out, 0, body);
        out[0] = first;
        out[1] |= 0x80;
        let head = out.len() - body.len();
        let mask = [7, 0, 255, 32];
        let body: Vec<u8> = body.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m).collect();
        out.truncate(head);
        out.extend_from_slice(&mask);
        out.extend_from_slice(&body);
        out
    }

    #[test]
    fn the_key_of_the_rfc_is_accepted_as_it_says() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn frames_make_messages_however_they_are_cut() {
        let long = "x".repeat(70_000);
        let mut bytes = Vec::new();
        for part in [
            masked(0x01, b"hel"), // a text in two frames, and a ping between them
            masked(0x89, b"beat"),
            masked(0x80, b"lo"),
            masked(0x81, long.as_bytes()),
            masked(0x8a, b""),
            masked(0x88, &1000u16.to_be_bytes()),
        ] {
            bytes.extend_from_slice(&part);
        }
        let expected = [
            Message::Ping(b"beat".to_vec()),
            Message::Text("hello".to_owned()),
            Message::Text(long),
            Message::Pong,
            Message::Close,
        ];
        for step in [1, 7, 4_096, bytes.len()] {
            let (mut reader, mut input, mut got) = (Reader::default(), Vec::new(), Vec::new());
            for part in bytes.chunks(step) {
                input.extend_from_slice(part);
                while let Some(message) = reader.next(&mut input).unwrap() {
                    got.push(message);
                }
            }
            assert_eq!(got, expected, "in steps of {step}");
        }
    }

    #[test]
    fn what_no_client_may_send_is_refused() {
        let next = |mut bytes: Vec<u8>| Reader::default().next(&mut bytes);
        assert_eq!(next(vec![0x81, 0x01, b'a']), Err(Violation::Protocol), "not masked");
        assert_eq!(next(masked(0xc1, b"a")), Err(Violation::Protocol), "an extension");
        assert_eq!(next(masked(0x80, b"a")), Err(Violation::Protocol), "no beginning");
        assert_eq!(next(masked(0x82, b"a")), Err(Violation::Binary));
        assert_eq!(next(masked(0x81, b"\xff")), Err(Violation::Utf8));
        assert_eq!(
            next(vec![0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            Err(Violation::TooLong)
        );
    }
}
