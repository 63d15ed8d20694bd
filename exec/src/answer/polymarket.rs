//! Polymarket's answers (polymarket.md sections 5.4 and 5.5).

use feeds::json::{Parser, Value};

use crate::answer::{Answer, CancelAnswer, Closed};
use crate::http::reply::Head;
use crate::id::Id;
use crate::json::{flag, get, text};
use crate::private::Expect;
use crate::report::{ErrorReply, Fate, RejectCode, polymarket_answer, polymarket_error};

/// Seconds for which a mode that names no time is believed to last.
const MODE_S: u32 = 30;

/// Reads the answer to `POST /order` for the order with that id.
///
/// An answer that names another order leaves ours unknown.
pub fn order(parser: &mut Parser, head: Head, body: &[u8], id: Id) -> Answer {
    if head.status != 200 {
        return refused(parser, head, body);
    }
    let Ok(doc) = parser.parse(body) else { return Answer::of(Fate::Unknown) };
    placed(doc.root(), id)
}

/// Reads the answer to `POST /orders`: `tell` hears of each order that was sent, in order.
///
/// Answers come in the order of the requests; a refused one has no id, so its place counts.
pub fn orders(
    parser: &mut Parser,
    head: Head,
    body: &[u8],
    ids: &[Id],
    tell: &mut impl FnMut(usize, Answer),
) {
    if head.status != 200 {
        let answer = refused(parser, head, body);
        (0..ids.len()).for_each(|number| tell(number, answer));
        return;
    }
    let doc = parser.parse(body).ok();
    let list = doc.as_ref().and_then(|doc| doc.root().elements("").ok());
    // As many answers as orders, or nobody knows which is whose.
    let mut list = list.filter(|list| list.len() == ids.len());
    for (number, id) in ids.iter().enumerate() {
        let item = list.as_mut().and_then(Iterator::next);
        tell(number, item.map_or(Answer::of(Fate::Unknown), |item| placed(item, *id)));
    }
}

/// Reads the answer to a cancel of one order.
pub fn cancel(parser: &mut Parser, head: Head, body: &[u8], id: Id) -> CancelAnswer {
    let Ok(doc) = parser.parse(body) else { return CancelAnswer::Failed };
    if head.status != 200 {
        return CancelAnswer::Failed;
    }
    let list = get(doc.root(), "canceled").and_then(|list| list.elements("").ok());
    if list.into_iter().flatten().any(|one| one.text("").ok().and_then(Id::parse) == Some(id)) {
        return CancelAnswer::Cancelled;
    }
    let refused = get(doc.root(), "not_canceled");
    let mut names = refused.iter().filter_map(|r| r.entries("").ok()).flatten();
    match names.any(|(name, _)| Id::parse(name) == Some(id)) {
        true => CancelAnswer::NotThere,
        false => CancelAnswer::Failed,
    }
}

/// Reads the answer to a heartbeat: the id to send next, whether the last one was right or wrong.
pub fn heartbeat(parser: &mut Parser, head: Head, body: &[u8]) -> Option<Id> {
    if !matches!(head.status, 200 | 400) {
        return None;
    }
    let doc = parser.parse(body).ok()?;
    text(doc.root(), "heartbeat_id").and_then(Id::parse)
}

fn placed(object: Value<'_, '_, '_>, id: Id) -> Answer {
    let error = text(object, "errorMsg").unwrap_or_default();
    let told = text(object, "orderID").unwrap_or_default();
    let fate = polymarket_answer(flag(object, "success"), error, told);
    if fate != Fate::Accepted {
        return Answer { closed: closed_by(fate, 200, None), ..Answer::of(fate) };
    }
    if Id::parse(told) != Some(id) {
        return Answer::of(Fate::Unknown);
    }
    let status = text(object, "status").unwrap_or_default();
    let trades = get(object, "tradeIDs").and_then(|list| list.elements("").ok());
    let count = trades.and_then(|list| u16::try_from(list.len()).ok()).filter(|count| *count > 0);
    Answer {
        fate,
        order: Some(id),
        // The amounts' unit is not certain, so fills are counted by their trades.
        expect: count.filter(|_| status == "matched").map(Expect::Trades),
        rests: matches!(status, "live" | "unmatched"),
        closed: None,
    }
}

fn refused(parser: &mut Parser, head: Head, body: &[u8]) -> Answer {
    let doc = parser.parse(body).ok();
    let root = doc.as_ref().map(|doc| doc.root());
    let code = root.and_then(|root| text(root, "error")).unwrap_or_default();
    let reply =
        ErrorReply { status: head.status, code, details: "", signer_limiter: head.signer_limiter };
    let fate = polymarket_error(Some(reply));
    let told = root.and_then(|root| get(root, "retry_after_seconds"));
    let told = told.and_then(|told| told.unsigned("").ok()).and_then(|s| u32::try_from(s).ok());
    let retry_after_s = told.or(head.retry_after_s);
    let closed = match head.status {
        425 => Some(Closed::Restart { retry_after_s }),
        // Cancels pass in such a mode, so that a question with one proves nothing for a while.
        503 => Some(Closed::Mode { retry_after_s: retry_after_s.or(Some(MODE_S)) }),
        // Cancels may pass where orders do not, so that no question proves the contrary: an account
        // or a place that is barred, or an edge that shows a page (polymarket.md section 1).
        403 => Some(Closed::Account),
        500.. if fate == Fate::Unknown => Some(Closed::Mode { retry_after_s }),
        status => closed_by(fate, status, retry_after_s),
    };
    Answer { closed, ..Answer::of(fate) }
}

fn closed_by(fate: Fate, status: u16, retry_after_s: Option<u32>) -> Option<Closed> {
    match fate {
        Fate::Rejected { code: RejectCode::Mode } => Some(Closed::Mode { retry_after_s }),
        Fate::Rejected { code: RejectCode::Identity } if status == 401 => Some(Closed::Identity),
        // The request passed the door, so that a question would too; the order in it is signed by
        // the wrong key, or made for another version.
        Fate::Rejected {
            code: RejectCode::Identity | RejectCode::Account | RejectCode::Version,
        } => Some(Closed::Account),
        _ => None,
    }
}

#[cfg(test)]
#[path = "polymarket_tests.rs"]
mod tests;
