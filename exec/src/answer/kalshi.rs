//! Kalshi's answers (kalshi.md section 4).

use engine::units::{Qty, Shares};
use feeds::json::{Parser, Value};

use crate::answer::{Answer, CancelAnswer, Closed};
use crate::http::reply::Head;
use crate::id::Id;
use crate::json::{get, qty, text};
use crate::private::Expect;
use crate::report::{ErrorReply, Fate, RejectCode, kalshi_created, kalshi_error};

/// What an order's state is after a request that changed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Changed {
    /// The venue's id of it.
    pub order: Id,
    /// Our own id of it, where it is told.
    pub client: Option<Id>,
    /// Filled so far, where it is told.
    pub filled: Option<Qty>,
    /// What rests now, where it is told.
    pub remaining: Option<Qty>,
    /// What a cancel took away.
    pub reduced_by: Option<Qty>,
}

/// Reads the answer to `POST /portfolio/events/orders` with the `client_order_id` that was sent.
///
/// An answer that describes another order, or none that can be read, leaves ours unknown
/// (section 7, point 13).
pub fn create(parser: &mut Parser, head: Head, body: &[u8], client: Id) -> Answer {
    if !matches!(head.status, 200 | 201) {
        return refused(parser, head, body);
    }
    let Ok(doc) = parser.parse(body) else { return Answer::of(Fate::Unknown) };
    created(doc.root(), client).unwrap_or(Answer::of(Fate::Unknown))
}

/// Reads the answer to a batch of creates: `tell` hears of each order that was sent, in order.
///
/// Items are known by their `client_order_id`; one that is missing is unknown.
pub fn batch(
    parser: &mut Parser,
    head: Head,
    body: &[u8],
    clients: &[Id],
    tell: &mut impl FnMut(usize, Answer),
) {
    if !matches!(head.status, 200 | 201) {
        let answer = refused(parser, head, body);
        (0..clients.len()).for_each(|number| tell(number, answer));
        return;
    }
    let doc = parser.parse(body).ok();
    for (number, client) in clients.iter().enumerate() {
        let orders = doc.as_ref().and_then(|doc| get(doc.root(), "orders"));
        let mut items = orders.and_then(|list| list.elements("").ok()).into_iter().flatten();
        let ours = items.find(|item| client_of(*item) == Some(*client));
        tell(number, ours.map_or(Answer::of(Fate::Unknown), |item| batch_item(item, *client)));
    }
}

/// Reads the answer to a cancel.
pub fn cancel(parser: &mut Parser, head: Head, body: &[u8], order: Id) -> CancelAnswer {
    match head.status {
        200 if changed(parser, body).is_some_and(|c| c.order == order) => CancelAnswer::Cancelled,
        404 => CancelAnswer::NotThere,
        _ => CancelAnswer::Failed,
    }
}

/// Reads the answer of a cancel, an amend or a decrease that succeeded.
pub fn changed(parser: &mut Parser, body: &[u8]) -> Option<Changed> {
    let doc = parser.parse(body).ok()?;
    let root = doc.root();
    Some(Changed {
        order: Id::parse(text(root, "order_id")?)?,
        client: client_of(root),
        filled: qty(root, "fill_count"),
        remaining: qty(root, "remaining_count"),
        reduced_by: qty(root, "reduced_by"),
    })
}

/// Reads the answer to `POST /portfolio/order_groups/create`: the group's id.
pub fn group_created(parser: &mut Parser, body: &[u8]) -> Option<Id> {
    let doc = parser.parse(body).ok()?;
    text(doc.root(), "order_group_id").and_then(Id::parse)
}

/// Reads `GET /exchange/status`: whether orders are taken. The top-level flags speak for shard 0
/// only, so the shard's own are looked at where they are told (section 8).
pub fn takes_orders(parser: &mut Parser, body: &[u8], shard: u32) -> bool {
    let Ok(doc) = parser.parse(body) else { return false };
    let both = |object| {
        let is = |key| get(object, key).and_then(|v| v.flag("").ok()).unwrap_or(false);
        is("exchange_active") && is("trading_active")
    };
    let list = get(doc.root(), "exchange_index_statuses").and_then(|list| list.elements("").ok());
    let own = list.into_iter().flatten().find(|one| {
        get(*one, "exchange_index").and_then(|v| v.unsigned("").ok()) == Some(u64::from(shard))
    });
    both(own.unwrap_or(doc.root()))
}

fn client_of(object: Value<'_, '_, '_>) -> Option<Id> {
    text(object, "client_order_id").and_then(Id::parse)
}

fn created(object: Value<'_, '_, '_>, client: Id) -> Option<Answer> {
    if client_of(object) != Some(client) {
        return None; // Whose it is, is not said: nothing of ours.
    }
    let order = Id::parse(text(object, "order_id")?)?;
    let (filled, remaining) = (qty(object, "fill_count")?, qty(object, "remaining_count")?);
    Some(Answer {
        fate: kalshi_created(filled, remaining),
        order: Some(order),
        expect: remaining.is_zero().then_some(Expect::Shares(Shares::from(filled))),
        rests: !remaining.is_zero(),
        closed: None,
    })
}

fn batch_item(item: Value<'_, '_, '_>, client: Id) -> Answer {
    let Some(error) = get(item, "error") else {
        return created(item, client).unwrap_or(Answer::of(Fate::Unknown));
    };
    // An item's status is not told; its codes are those of a 400 but for the two of a 409.
    let code = text(error, "code").unwrap_or_default();
    let status = match code {
        "order_already_exists" | "fill_or_kill_insufficient_resting_volume" => 409,
        _ => 400,
    };
    Answer::of(kalshi_error(Some(ErrorReply {
        status,
        code,
        details: text(error, "details").unwrap_or_default(),
        signer_limiter: false,
    })))
}

/// The four shapes of error (section 4), or none of them.
fn refused(parser: &mut Parser, head: Head, body: &[u8]) -> Answer {
    let doc = parser.parse(body).ok();
    let root = doc.as_ref().map(|doc| doc.root());
    let error = root.and_then(|root| get(root, "error"));
    let field = |key| {
        let inner = error.and_then(|error| text(error, key));
        inner.or_else(|| root.and_then(|root| text(root, key))).unwrap_or_default()
    };
    let code = match error.and_then(|error| error.text("").ok()) {
        Some(code) => code,
        None => field("code"),
    };
    let details = field("details");
    let reply = ErrorReply { status: head.status, code, details, signer_limiter: false };
    let fate = kalshi_error(Some(reply));
    let retry_after_s = head.retry_after_s;
    let closed = match fate {
        Fate::Rejected { code: RejectCode::Mode } => Some(Closed::Mode { retry_after_s }),
        // It passed the door: what is missing is the permission (section 4, the table of errors).
        _ if head.status == 403 => Some(Closed::Account),
        Fate::Rejected { code: RejectCode::Identity } => Some(Closed::Identity),
        Fate::Rejected { code: RejectCode::Account } => Some(Closed::Account),
        _ if head.status >= 500 => Some(Closed::Mode { retry_after_s }),
        _ => None,
    };
    Answer { closed, ..Answer::of(fate) }
}

#[cfg(test)]
#[path = "kalshi_tests.rs"]
mod tests;
