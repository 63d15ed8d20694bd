//! From HTTP to WebSocket (RFC 6455 section 4): the request, and whether the answer fits it.

use core::fmt;

use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;

/// Longest head of an answer.
pub const HEAD_MAX: usize = 16 << 10;

/// Most headers of an answer.
const HEADERS_MAX: usize = 64;

/// An upgrade that was asked for.
pub struct Upgrade {
    accept: String,
}

/// Why a host did not upgrade.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// It answered with another status than 101.
    Status {
        /// The status, such as 401 or 429.
        status: u16,
        /// Seconds that the host asks us to wait.
        retry_after_s: Option<u32>,
    },
    /// It does not speak HTTP, or its answer is longer than [`HEAD_MAX`].
    NotHttp,
    /// A header that RFC 6455 demands is missing or says something else.
    Header(&'static str),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Status { status, retry_after_s: Some(wait) } => {
                write!(f, "the host answered {status} and asks to wait {wait} s")
            }
            Refused::Status { status, .. } => write!(f, "the host answered {status}"),
            Refused::NotHttp => write!(f, "the answer is not HTTP"),
            Refused::Header(name) => write!(f, "the answer's header {name} does not fit"),
        }
    }
}

impl Upgrade {
    /// Appends the request to `to`. `headers` are further lines, each with its CRLF, such as a
    /// signed login. Compression is not offered.
    pub fn ask(authority: &str, path: &str, headers: &[u8], to: &mut Vec<u8>) -> Upgrade {
        let key = generate_key();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        );
        to.extend_from_slice(head.as_bytes());
        to.extend_from_slice(headers);
        to.extend_from_slice(b"\r\n");
        Upgrade { accept: derive_accept_key(key.as_bytes()) }
    }

    /// Judges the bytes that came so far: the length of the answer's head once it is complete, so
    /// that what follows belongs to the WebSocket.
    pub fn judge(&self, bytes: &[u8]) -> Result<Option<usize>, Refused> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut answer = httparse::Response::new(&mut headers);
        let status = answer.parse(bytes).map_err(|_| Refused::NotHttp)?;
        let httparse::Status::Complete(len) = status else {
            return if bytes.len() < HEAD_MAX { Ok(None) } else { Err(Refused::NotHttp) };
        };
        let value = |name: &str| {
            let header = answer.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name))?;
            core::str::from_utf8(header.value).ok().map(str::trim)
        };
        let says = |name: &str, want: &str| {
            value(name).is_some_and(|value| {
                value.split(',').any(|word| word.trim().eq_ignore_ascii_case(want))
            })
        };
        let status = answer.code.unwrap_or(0);
        if status != 101 {
            let retry_after_s = value("Retry-After").and_then(|text| text.parse().ok());
            return Err(Refused::Status { status, retry_after_s });
        }
        if !says("Upgrade", "websocket") {
            return Err(Refused::Header("Upgrade"));
        }
        if !says("Connection", "Upgrade") {
            return Err(Refused::Header("Connection"));
        }
        if value("Sec-WebSocket-Accept") != Some(self.accept.as_str()) {
            return Err(Refused::Header("Sec-WebSocket-Accept"));
        }
        // Nothing was offered, so nothing can have been agreed on.
        for name in ["Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"] {
            if value(name).is_some() {
                return Err(Refused::Header(name));
            }
        }
        Ok(Some(len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> (Upgrade, String) {
        let mut request = Vec::new();
        let upgrade = Upgrade::ask("h:1", "/ws", b"A: b\r\n", &mut request);
        (upgrade, String::from_utf8(request).unwrap())
    }

    #[test]
    fn the_request_carries_the_callers_headers_and_offers_no_compression() {
        let (_, request) = asked();
        assert!(request.starts_with("GET /ws HTTP/1.1\r\nHost: h:1\r\n"), "{request}");
        assert!(request.ends_with("\r\nA: b\r\n\r\n"), "{request}");
        assert!(!request.contains("Extensions"), "{request}");
        assert_ne!(request, asked().1, "a key is used once");
    }

    #[test]
    fn only_an_answer_that_fits_the_request_upgrades() {
        let (upgrade, _) = asked();
        let accept = format!("Sec-WebSocket-Accept: {}\r\n", upgrade.accept);
        let base =
            "HTTP/1.1 101 Switching\r\nupgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n";
        let good = format!("{base}{accept}\r\n");
        assert_eq!(upgrade.judge(format!("{good}\x01").as_bytes()), Ok(Some(good.len())));
        for len in 0..good.len() {
            assert_eq!(upgrade.judge(&good.as_bytes()[..len]), Ok(None));
        }
        let bad = |text: String| upgrade.judge(text.as_bytes()).unwrap_err();
        let header = |name| Refused::Header(name);
        assert_eq!(bad(format!("{base}\r\n")), header("Sec-WebSocket-Accept"));
        assert_eq!(bad(good.replace("upgrade: WebS", "upgrade: w")), header("Upgrade"));
        assert_eq!(bad(good.replace(", Upgrade", "")), header("Connection"));
        let deflate = format!("{base}{accept}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
        assert_eq!(bad(deflate), header("Sec-WebSocket-Extensions"));
        let busy = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n\r\n";
        assert_eq!(bad(busy.to_owned()), Refused::Status { status: 429, retry_after_s: Some(7) });
        assert_eq!(bad("\u{7f}nonsense\r\n\r\n".to_owned()), Refused::NotHttp);
        let endless = format!("HTTP/1.1 101 X\r\nA: {}", "a".repeat(HEAD_MAX));
        assert_eq!(bad(endless), Refused::NotHttp);
    }
}
