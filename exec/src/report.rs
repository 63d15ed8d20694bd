//! What an answer of a venue, or none, says of an order that was sent.
//!
//! The one mistake that costs money twice is to read silence as a refusal and send again. So an
//! order is refused only where the venue's rules say so; whatever they do not say is
//! [`Fate::Unknown`] and stays it until other evidence comes.

use engine::event::Reject;
use engine::units::Qty;

/// What became of an order as far as the answer to it tells.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fate {
    /// The venue took it. How much was filled is for the fill messages to say.
    Accepted,
    /// It was taken and ended at once with nothing filled.
    Killed,
    /// Refused because an order of this id came before. That one is alive or ended: look it up.
    Duplicate,
    /// It never came into being.
    Rejected {
        /// Why.
        code: RejectCode,
    },
    /// Nobody knows: it may be in the book, filled, or nowhere.
    Unknown,
}

/// Why an order never came into being: what to do next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RejectCode {
    /// Not enough money or allowance where the order needs it: fund, or lower the size.
    Funds,
    /// The price is off the grid: the grid that we hold is stale.
    Price,
    /// The size is too small, or finer than the venue takes.
    Size,
    /// A post-only order would have matched: the book that we hold is stale.
    PostOnlyCross,
    /// The market takes no orders: closed, unknown, paused or not yet ready.
    Market,
    /// The venue is in a mode that refuses this order: disabled, cancel-only, post-only.
    Mode,
    /// Out of rate tokens; try later.
    RateLimit,
    /// Key, signature, clock or scope is wrong: nothing sent will pass until that is mended.
    Identity,
    /// The account may not trade: banned, close-only.
    Account,
    /// The order was made for another version of the venue's contracts: read the version again.
    Version,
    /// Another reason. A refusal all the same.
    Other,
}

/// An answer that is no success, already taken out of its HTTP and JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ErrorReply<'a> {
    /// HTTP status.
    pub status: u16,
    /// Kalshi: `error.code`, or `code` at the top, or `error` where that is a text. Polymarket:
    /// `error`. Empty where there is none.
    pub code: &'a str,
    /// `error.details`, or `details` at the top; empty where there is none.
    pub details: &'a str,
    /// True where a `Poly-RateLimit-*` header stands beside it: the limiter of the venue itself
    /// answered and not the edge in front of it (polymarket.md section 9).
    pub signer_limiter: bool,
}

impl RejectCode {
    /// The reason as the core hears it.
    pub const fn reason(self) -> Reject {
        match self {
            RejectCode::Funds => Reject::Funds,
            RejectCode::RateLimit => Reject::RateLimit,
            RejectCode::Mode => Reject::Closed,
            _ => Reject::Venue,
        }
    }
}

/// The fate of a Kalshi order that was answered with HTTP 201.
///
/// A remaining count of 0 does not mean filled: an order that matched nothing and rests nowhere is
/// a 201 with two zeros (kalshi.md section 4 and section 7, point 1).
pub const fn kalshi_created(fill_count: Qty, remaining_count: Qty) -> Fate {
    if fill_count.is_zero() && remaining_count.is_zero() { Fate::Killed } else { Fate::Accepted }
}

/// The fate of a Kalshi order that was answered with an error, or not at all (`None`).
///
/// 400, 403, 404, 409, 410 and 429 are refusals even with an unknown code; 408, any 5xx and a
/// dropped connection are not (kalshi.md section 4, "When the outcome is unknown"). A 401 is one
/// with the codes of that section's table: the request did not pass the door.
pub fn kalshi_error(reply: Option<ErrorReply<'_>>) -> Fate {
    let Some(reply) = reply else { return Fate::Unknown };
    let code = match (reply.status, reply.code) {
        (409, "fill_or_kill_insufficient_resting_volume") => return Fate::Killed,
        (409, "order_already_exists") => return Fate::Duplicate,
        (401, "header_timestamp_expired" | "authentication_error")
        | (401, "signature_is_missing_from_headers")
        | (403, _) => RejectCode::Identity,
        (429, _) => RejectCode::RateLimit,
        (400 | 404 | 409 | 410, code) => kalshi_code(code, reply.details),
        _ => return Fate::Unknown,
    };
    Fate::Rejected { code }
}

/// The fate of a Polymarket order that was answered with HTTP 200, or of one leg of a batch.
///
/// Taken only if `success`, no error text and an order id (polymarket.md section 5.4): refused
/// legs of a batch say `success` beside their error.
pub fn polymarket_answer(success: bool, error: &str, order_id: &str) -> Fate {
    match (success, error) {
        (true, "") if !order_id.is_empty() => Fate::Accepted,
        (_, "") => Fate::Unknown,
        (_, error) => polymarket_text(error).unwrap_or(Fate::Unknown),
    }
}

/// The fate of a Polymarket order that was answered with an error, or not at all (`None`).
///
/// Timeout, lost connection, 425, 429 without the signer limiter's headers and every 5xx that the
/// venue's table does not list are unknown (polymarket.md section 5.4). So are two 400s: one says
/// that the match is delayed, the other that the venue's own call was cut off on the way.
pub fn polymarket_error(reply: Option<ErrorReply<'_>>) -> Fate {
    let Some(reply) = reply else { return Fate::Unknown };
    let other = Fate::Rejected { code: RejectCode::Other };
    match reply.status {
        400 if reply.code.contains("context canceled") => Fate::Unknown,
        400 if reply.code.contains("order match delayed") => Fate::Unknown,
        400 | 404 => polymarket_text(reply.code).unwrap_or(other),
        401 | 403 => {
            polymarket_text(reply.code).unwrap_or(Fate::Rejected { code: RejectCode::Identity })
        }
        429 if reply.signer_limiter => Fate::Rejected { code: RejectCode::RateLimit },
        500 if reply.code.contains("order timed out") => other, // Before the book; safe to resend.
        500 if reply.code.contains("FOK orders are filled or killed") => Fate::Killed,
        503 if MODES.iter().any(|mode| reply.code.contains(mode)) => {
            Fate::Rejected { code: RejectCode::Mode }
        }
        _ => Fate::Unknown,
    }
}

/// Texts of a 503 that tell a mode, which is decided before the book.
const MODES: &[&str] = &["Trading is currently disabled", "cancel-only", "post-only mode"];

/// Kalshi's codes. Match is case-sensitive: some come from the engine in upper case.
fn kalshi_code(code: &str, details: &str) -> RejectCode {
    match code {
        "insufficient_balance" | "available_balance_too_low" => RejectCode::Funds,
        "invalid_price" => RejectCode::Price,
        "invalid_order_size" => RejectCode::Size,
        "invalid_order" if details == "post only cross" => RejectCode::PostOnlyCross,
        "not_found" | "market_not_found" | "MARKET_INACTIVE" | "MARKET_ALREADY_CLOSED" => {
            RejectCode::Market
        }
        "EXCHANGE_PAUSED" | "TRADING_PAUSED" => RejectCode::Mode,
        code if code.starts_with("user_not_found:_") => RejectCode::Account,
        _ => RejectCode::Other,
    }
}

/// What Polymarket's texts say, in the order of its table (polymarket.md section 5.4).
fn polymarket_text(text: &str) -> Option<Fate> {
    use RejectCode as C;
    const TEXTS: &[(&str, Fate)] = &[
        ("order_version_mismatch", Fate::Rejected { code: C::Version }),
        ("invalid signature", Fate::Rejected { code: C::Identity }),
        ("the order signer address has to be", Fate::Rejected { code: C::Identity }),
        ("the order owner has to be", Fate::Rejected { code: C::Identity }),
        ("not enough balance", Fate::Rejected { code: C::Funds }),
        ("allowance is not enough", Fate::Rejected { code: C::Funds }),
        ("breaks minimum tick size rule", Fate::Rejected { code: C::Price }),
        ("lower than the minimum", Fate::Rejected { code: C::Size }),
        ("invalid amount for a marketable BUY order", Fate::Rejected { code: C::Size }),
        ("invalid amounts", Fate::Rejected { code: C::Size }),
        ("is invalid. Duplicated", Fate::Duplicate),
        ("FOK orders are fully filled or killed", Fate::Killed),
        ("FOK orders are filled or killed", Fate::Killed),
        ("no orders found to match with FAK order", Fate::Killed),
        ("invalid expiration", Fate::Rejected { code: C::Other }),
        ("order crosses book", Fate::Rejected { code: C::PostOnlyCross }),
        ("crosses the book", Fate::Rejected { code: C::PostOnlyCross }),
        ("the market is not yet ready", Fate::Rejected { code: C::Market }),
        ("address banned", Fate::Rejected { code: C::Account }),
        ("address in closed only mode", Fate::Rejected { code: C::Account }),
        ("Unauthorized/Invalid api key", Fate::Rejected { code: C::Identity }),
        ("Invalid L1 Request headers", Fate::Rejected { code: C::Identity }),
    ];
    TEXTS.iter().find(|(part, _)| text.contains(part)).map(|(_, fate)| *fate)
}

#[cfg(test)]
mod tests;
