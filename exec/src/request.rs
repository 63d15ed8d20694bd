//! Requests as whole HTTP/1.1 bytes, so that each leaves in one write.

pub mod kalshi; // paths and bodies of Kalshi
pub mod polymarket; // paths and bodies of Polymarket beside those that `sign` writes

use crate::sign::text::{Digits, is_plain};

/// Longest host with its port.
const HOST_LEN_MAX: usize = 260;

/// Longest user agent.
const USER_AGENT_LEN_MAX: usize = 128;

/// Where requests go and who says they come from; the lines of every head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    lines: String,
}

/// Why requests cannot have such lines: the host or the user agent is empty, too long or has
/// characters that cannot stand there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadOrigin;

impl core::fmt::Display for BadOrigin {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the host or the user agent cannot stand in a request's head")
    }
}

impl core::error::Error for BadOrigin {}

impl Origin {
    /// Requests to `host` (with its port, where that is not 443) from `user_agent`: Polymarket's
    /// edge refuses some libraries' own (polymarket.md section 1).
    pub fn new(host: &str, user_agent: &str) -> Result<Origin, BadOrigin> {
        let words = user_agent.split(' ').all(|word| is_plain(word, USER_AGENT_LEN_MAX));
        if !is_plain(host, HOST_LEN_MAX) || !words || user_agent.len() > USER_AGENT_LEN_MAX {
            return Err(BadOrigin);
        }
        let lines = format!("Host: {host}\r\nUser-Agent: {user_agent}\r\n");
        Ok(Origin { lines })
    }

    /// Replaces `out` by a request. `path` may have a query; `lines` are further header lines,
    /// each with its end, such as signatures.
    pub fn write(&self, method: &str, path: &str, lines: &[u8], body: &[u8], out: &mut Vec<u8>) {
        out.clear();
        for part in [method, " ", path, " HTTP/1.1\r\n", self.lines.as_str()] {
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(lines);
        if method != "GET" {
            // A body of nothing has a length too: some hosts insist.
            if !body.is_empty() {
                out.extend_from_slice(b"Content-Type: application/json\r\n");
            }
            out.extend_from_slice(b"Content-Length: ");
            out.extend_from_slice(Digits::of(body.len() as u64).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_its_head_and_its_body() {
        let origin = Origin::new("h.example:8443", "parallax/0.1 (x)").unwrap();
        let mut out = b"left over".to_vec();
        origin.write("GET", "/a?b=c", b"X: y\r\n", b"", &mut out);
        let host = "Host: h.example:8443\r\nUser-Agent: parallax/0.1 (x)\r\n";
        assert_eq!(out, format!("GET /a?b=c HTTP/1.1\r\n{host}X: y\r\n\r\n").into_bytes());
        origin.write("POST", "/a", b"", b"{}", &mut out);
        let body = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(out, format!("POST /a HTTP/1.1\r\n{host}{body}").into_bytes());
        origin.write("DELETE", "/a", b"", b"", &mut out);
        assert!(out.ends_with(b"\r\nContent-Length: 0\r\n\r\n"));
        for (host, agent) in [("", "a"), ("h", ""), ("h\r\nX: y", "a"), ("h", "a\r\nX: y")] {
            assert_eq!(Origin::new(host, agent), Err(BadOrigin));
        }
    }
}
