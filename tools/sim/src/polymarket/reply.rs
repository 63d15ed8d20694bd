//! Answers and refusals in the venue's own form (polymarket.md section 5.4).

use serde_json::{Value, json};

use crate::venue::Reply;

/// Why a request is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// `error`, or `errorMsg` inside a batch.
    pub text: String,
    /// In post-only mode: seconds until it ends.
    pub post_only_for: Option<u64>,
}

impl Refusal {
    /// A refusal.
    pub fn new(status: u16, text: impl Into<String>) -> Refusal {
        Refusal { status, text: text.into(), post_only_for: None }
    }

    /// Post-only mode for that many seconds yet (section 9).
    pub fn post_only(seconds: u64) -> Refusal {
        let text = "post-only mode: only post-only orders and cancels are allowed";
        Refusal { post_only_for: Some(seconds), ..Refusal::new(503, text) }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Reply {
        let mut body = json!({ "error": refusal.text });
        let mut headers = Vec::new();
        if let Some(seconds) = refusal.post_only_for {
            body["code"] = json!("post_only_mode");
            body["retry_after_seconds"] = json!(seconds);
            headers.push(("Retry-After", seconds.to_string()));
        }
        Reply { headers, ..json_reply(refusal.status, &body) }
    }
}

/// A JSON answer.
pub fn json_reply(status: u16, body: &Value) -> Reply {
    Reply::json(status, body.to_string())
}

/// A JSON answer of status 200.
pub fn ok(body: &Value) -> Reply {
    json_reply(200, body)
}

/// A refusal as an answer.
pub fn error(status: u16, text: &str) -> Reply {
    Refusal::new(status, text).into()
}

/// A JSON number of decimal text: prices are numbers in some listings.
pub fn number(decimal: &str) -> Value {
    serde_json::from_str(decimal).unwrap_or(Value::Null)
}

/// The first page's cursor.
const FIRST_CURSOR: &str = "MA==";
/// The cursor after the last page.
pub const LAST_CURSOR: &str = "LTE=";
/// Rows a page.
const PAGE: usize = 100;

/// One page of rows (section 5.5).
pub fn page(rows: Vec<Value>, cursor: Option<&str>) -> Reply {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let cursor = cursor.filter(|text| !text.is_empty()).unwrap_or(FIRST_CURSOR);
    let offset = base64.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(offset) = offset.and_then(|text| text.parse::<i64>().ok()) else {
        return error(400, "Invalid next_cursor");
    };
    // The last cursor is -1: a page of nothing.
    let offset = usize::try_from(offset).unwrap_or(rows.len());
    let more = rows.len() > offset.saturating_add(PAGE);
    let data: Vec<Value> = rows.into_iter().skip(offset).take(PAGE).collect();
    let next =
        if more { base64.encode((offset + PAGE).to_string()) } else { LAST_CURSOR.to_owned() };
    ok(&json!({ "limit": PAGE, "count": data.len(), "next_cursor": next, "data": data }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_their_cursors() {
        let rows: Vec<Value> = (0..250).map(Value::from).collect();
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let body: Value =
                serde_json::from_slice(&page(rows.clone(), cursor.as_deref()).body).unwrap();
            seen.extend(body["data"].as_array().unwrap().clone());
            let next = body["next_cursor"].as_str().unwrap().to_owned();
            if next == LAST_CURSOR {
                break;
            }
            cursor = Some(next);
        }
        assert_eq!(seen, rows);
        assert_eq!(page(rows, Some("?")).status, 400);
    }
}
