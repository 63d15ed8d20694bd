//! Why the venue says no, in its own words (kalshi.md section 4, "Error bodies").

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::venue::Reply;

/// A refusal in one of the venue's four shapes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// `{"error":{"code","message","details"}}`.
    Coded {
        /// The HTTP status.
        status: u16,
        /// Its code.
        code: &'static str,
        /// What more is to be said; empty where nothing is.
        details: Cow<'static, str>,
    },
    /// 400: the body could not be read.
    Body(String),
    /// 400: a parameter of the query is none.
    Query(String),
    /// 429.
    TooMany,
}

impl Refusal {
    /// A code and nothing more.
    pub const fn new(status: u16, code: &'static str) -> Refusal {
        Refusal::Coded { status, code, details: Cow::Borrowed("") }
    }

    /// A code with details.
    pub fn with(status: u16, code: &'static str, details: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal::Coded { status, code, details: details.into() }
    }

    /// 400 `invalid_order`.
    pub fn invalid_order(details: &'static str) -> Refusal {
        Refusal::with(400, "invalid_order", details)
    }

    /// 404 `not_found`.
    pub const fn not_found() -> Refusal {
        Refusal::new(404, "not_found")
    }

    /// 404 `market_not_found`: no such ticker, or not on that shard.
    pub const fn no_market() -> Refusal {
        Refusal::new(404, "market_not_found")
    }

    /// 400 `missing_parameters`.
    pub fn missing(what: &'static str) -> Refusal {
        Refusal::with(400, "missing_parameters", what)
    }

    /// What a person reads. One code of the venue's is its own message.
    fn message(code: &str) -> String {
        if code == "authentication_error" {
            return code.to_owned();
        }
        code.replace('_', " ").to_lowercase()
    }

    /// The answer to a request.
    pub fn reply(&self) -> Reply {
        let (status, body) = match self {
            Refusal::Coded { status, code, details } => {
                let mut error = json!({"code": code, "message": Refusal::message(code)});
                if !details.is_empty() {
                    error["details"] = json!(details);
                }
                (*status, json!({ "error": error }))
            }
            Refusal::Body(details) => {
                (400, json!({"code": "bad_request", "message": "bad request", "details": details}))
            }
            Refusal::Query(message) => (400, json!({ "msg": message })),
            Refusal::TooMany => (429, json!({"error": "too many requests"})),
        };
        Reply::json(status, body.to_string())
    }

    /// The `error` of an item in a batch: details are always there.
    pub fn item(&self) -> Value {
        let (code, details) = match self {
            Refusal::Coded { code, details, .. } => (*code, details.to_string()),
            Refusal::Body(details) | Refusal::Query(details) => ("bad_request", details.clone()),
            Refusal::TooMany => ("too_many_requests", String::new()),
        };
        json!({"code": code, "message": Refusal::message(code), "details": details})
    }
}
