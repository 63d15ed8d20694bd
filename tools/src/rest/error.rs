//! What went wrong with a request, and what to do about it. No header and no body of ours is ever
//! part of it, so that no secret can be.

use std::fmt;

use serde_json::Value;

/// Longest part of a venue's own text that is repeated.
const TEXT_CHARS_MAX: usize = 200;

/// A request that gave no usable answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RestError {
    /// `GET` and its kin.
    pub method: &'static str,
    /// The address without what follows the question mark.
    pub url: String,
    /// What went wrong.
    pub kind: RestErrorKind,
}

/// What went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RestErrorKind {
    /// No whole answer came. An order or a cancel may have arrived all the same.
    NoAnswer(String),
    /// The answer is an error of the venue.
    Status {
        /// HTTP status.
        status: u16,
        /// The venue's own words.
        text: String,
    },
    /// The answer is no JSON of the expected form.
    Form(String),
    /// What is asked for needs a key that is not configured.
    NoKey(&'static str),
    /// The signer has no stamp left, or the clock was set back.
    NoStamp,
    /// The CA file or the client's own set-up is wrong.
    SetUp(String),
}

impl RestErrorKind {
    /// True where the same request may go better later: half a page and an edge's page of HTML too.
    pub const fn may_pass(&self) -> bool {
        match self {
            RestErrorKind::NoAnswer(_) | RestErrorKind::Form(_) => true,
            RestErrorKind::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            RestErrorKind::NoKey(_) | RestErrorKind::NoStamp | RestErrorKind::SetUp(_) => false,
        }
    }

    /// The error that an answer of this status is.
    pub(super) fn status(status: u16, body: &[u8]) -> RestErrorKind {
        RestErrorKind::Status { status, text: words(body) }
    }
}

/// The words of an error's body: all the shapes of both venues (kalshi.md section 4, "Error
/// bodies"; polymarket.md section 5.4).
fn words(body: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        let text = String::from_utf8_lossy(body);
        let page = text.trim_start().starts_with('<');
        return if page { "a page instead of JSON".into() } else { shown(&text) };
    };
    let inner = value.get("error").filter(|error| error.is_object()).unwrap_or(&value);
    let parts: Vec<&str> = ["code", "error", "error_msg", "msg", "message", "details"]
        .iter()
        .filter_map(|key| inner.get(key).and_then(Value::as_str))
        .collect();
    let mut distinct: Vec<&str> = Vec::new();
    for part in parts {
        if !distinct.contains(&part) && !part.is_empty() {
            distinct.push(part);
        }
    }
    shown(&distinct.join(": "))
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        None => text.escape_debug().to_string(),
        Some((end, _)) => format!("{}...", text[..end].escape_debug()),
    }
}

/// What to do about a status, where that is known.
fn remedy(status: u16, text: &str) -> Option<&'static str> {
    match status {
        401 if text.contains("header_timestamp_expired") => {
            Some("set the clock: it is further from the venue's than it allows")
        }
        401 => Some("check the key, its id and the environment: demo and prod share no keys"),
        403 if text.contains("instead of JSON") => {
            Some("the edge in front of the venue refuses this host")
        }
        403 => Some("the key lacks the scope, or this host's place is not served"),
        404 => Some("check the name, and the environment"),
        425 | 503 => Some("the venue restarts; try again in some minutes"),
        429 => Some("too many requests; try again later"),
        500.. => Some("the venue failed; whether it did what was asked is not known"),
        _ => None,
    }
}

impl fmt::Display for RestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.method, self.url)?;
        match &self.kind {
            RestErrorKind::NoAnswer(reason) => write!(f, "no answer: {reason}"),
            RestErrorKind::Status { status, text } => {
                write!(f, "HTTP {status}")?;
                if !text.is_empty() {
                    write!(f, " {text}")?;
                }
                remedy(*status, text).map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
            }
            RestErrorKind::Form(reason) => {
                write!(f, "the answer is not of the known form: {reason}")
            }
            RestErrorKind::NoKey(remedy) => write!(f, "this needs a key: {remedy}"),
            RestErrorKind::NoStamp => f.write_str("the clock was set back, or runs too fast"),
            RestErrorKind::SetUp(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for RestError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> String {
        let kind = RestErrorKind::status(status, body.as_bytes());
        RestError { method: "GET", url: "https://a/b".into(), kind }.to_string()
    }

    #[test]
    fn every_shape_of_an_error_is_read() {
        let nested = r#"{"error":{"code":"authentication_error","message":"authentication_error","details":"NOT_FOUND"}}"#;
        assert!(
            told(401, nested).contains("HTTP 401 authentication_error: NOT_FOUND; check the key")
        );
        assert!(
            told(400, r#"{"code":"bad_request","message":"m"}"#)
                .ends_with("HTTP 400 bad_request: m")
        );
        assert!(told(429, r#"{"error":"too many requests"}"#).contains("429 too many requests; "));
        assert!(told(400, r#"{"msg":"Parameter"}"#).ends_with("Parameter"));
        assert!(
            told(503, r#"{"error":"post-only mode","code":"post_only_mode"}"#)
                .contains("post_only_mode: post-only")
        );
        assert!(told(403, "<html>no</html>").contains("a page instead of JSON; the edge"));
        assert!(told(500, "").contains("HTTP 500; the venue failed"));
        assert!(told(400, &"x".repeat(9_999)).len() < 300);
    }
}
