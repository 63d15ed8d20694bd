//! Polymarket's user channel and lists (polymarket.md sections 3 and 5.5). The reader is tolerant:
//! texts may be empty, lists null, and a frame one object or an array of them.

use engine::units::{Px, Shares};
use feeds::json::{Parser, Value};

use crate::id::Id;
use crate::json::{get, price, shares, text};
use crate::private::{Expect, FillNews, OrderNews, Page, PrivateEvent, Stand, TradeStands};

/// The cursor of the last page.
const LAST_PAGE: &str = "LTE=";

/// Resting orders of one trade that are looked at; a trade with more is taken by its own size.
const MAKERS_MAX: usize = 64;

/// Takes a frame of the user channel in and tells what is in it; false where it, or a part of it,
/// cannot be read.
pub fn frame(parser: &mut Parser, frame: &[u8], tell: &mut impl FnMut(PrivateEvent)) -> bool {
    let Ok(doc) = parser.parse(frame) else { return false };
    let root = doc.root();
    match root.elements("") {
        Ok(list) => list.filter(|one| !message(*one, tell)).count() == 0,
        Err(_) => message(root, tell),
    }
}

/// Reads `GET /data/trades`.
pub fn trades(parser: &mut Parser, body: &[u8], tell: &mut impl FnMut(FillNews)) -> Page {
    let Ok(doc) = parser.parse(body) else { return Page::Unreadable };
    let list = get(doc.root(), "data").and_then(|list| list.elements("").ok());
    let Some(list) = list else { return Page::Unreadable };
    let all = list.filter(|row| !trade_row(*row, tell)).count() == 0;
    match text(doc.root(), "next_cursor") {
        Some(LAST_PAGE | "") | None if all => Page::Whole,
        _ => Page::Part,
    }
}

/// Reads a success of `GET /data/order/{id}`; `Ok(None)` where the venue says that there is no such
/// order.
///
/// # Errors
/// [`NoSuchAnswer`] where it says nothing of that order: the page of an edge, another order, a status
/// that nobody knows. It proves nothing, least of all that the order never was.
pub fn order(parser: &mut Parser, body: &[u8], id: Id) -> Result<Option<OrderNews>, NoSuchAnswer> {
    let doc = parser.parse(body).map_err(|_| NoSuchAnswer)?;
    // Some versions wrap the row.
    let row = get(doc.root(), "order").unwrap_or(doc.root());
    if row.is_null() {
        return Ok(None);
    }
    order_row(row).filter(|news| news.order == id).map(Some).ok_or(NoSuchAnswer)
}

/// True where a refusal is the venue's own word that it does not know an order; the page of an edge
/// in front of it is none.
pub fn is_unknown(parser: &mut Parser, body: &[u8]) -> bool {
    parser.parse(body).is_ok_and(|doc| doc.root().is_object())
}

/// An answer that says nothing of what was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSuchAnswer;

fn message(one: Value<'_, '_, '_>, tell: &mut impl FnMut(PrivateEvent)) -> bool {
    match text(one, "event_type") {
        Some("trade") => trade_row(one, &mut |fill| tell(PrivateEvent::Fill(fill))),
        Some("order") => match order_row(one) {
            Some(order) => {
                tell(PrivateEvent::Order(order));
                true
            }
            None => false,
        },
        Some(_) => true,
        None => false,
    }
}

/// A trade as fills of its taker order, one a price, or of the resting orders, whichever are ours.
///
/// The taker's price of a match is the maker's, or its complement where the maker's asset is the
/// opposite outcome: a BUY of YES may meet a BUY of NO (polymarket.md section 3). Matches at one
/// price are one fill, because fees are rounded that way (section 6).
fn trade_row(row: Value<'_, '_, '_>, tell: &mut impl FnMut(FillNews)) -> bool {
    let Some((trade, stands)) = text(row, "id").and_then(Id::parse).zip(stands(row)) else {
        return false;
    };
    let asset = text(row, "asset_id").unwrap_or_default();
    let fill = |order: Id, shares: Shares, px: Px| FillNews {
        order,
        client: None,
        trade,
        part: px.e4(),
        more: false,
        shares,
        px,
        fee: None,
        stands,
    };
    let makers = || {
        let list = get(row, "maker_orders").and_then(|list| list.elements("").ok());
        list.into_iter().flatten().take(MAKERS_MAX)
    };
    // What a resting order gave, and at which price of the taker's outcome.
    let matched = |maker: Value<'_, '_, '_>| {
        let px = price(maker, "price")?;
        let is_same = text(maker, "asset_id").is_none_or(|theirs| theirs == asset);
        Some((shares(maker, "matched_amount")?, if is_same { px } else { px.complement() }))
    };
    // Whose part in it is told; both, where that is not said.
    let side = text(row, "trader_side");
    let resting = makers().filter(|_| side != Some("TAKER"));
    for maker in resting {
        let Some(order) = text(maker, "order_id").and_then(Id::parse) else { continue };
        if let Some((amount, px)) = shares(maker, "matched_amount").zip(price(maker, "price")) {
            tell(fill(order, amount, px));
        }
    }
    if side == Some("MAKER") {
        return true;
    }
    let Some(taker) = text(row, "taker_order_id").and_then(Id::parse) else { return false };
    let top = shares(row, "size").zip(price(row, "price"));
    let sum = makers().try_fold(Shares::ZERO, |sum, maker| Some(sum + matched(maker)?.0));
    // The matches are believed where they add up to what the trade itself says.
    let add_up =
        sum.is_some_and(|sum| sum != Shares::ZERO && top.is_none_or(|(size, _)| size == sum));
    if !add_up {
        return top.map(|(size, px)| tell(fill(taker, size, px))).is_some();
    }
    let prices = || makers().filter_map(|maker| Some(matched(maker)?.1));
    let is_first = |number: usize, px: Px| !prices().take(number).any(|before| before == px);
    for (number, px) in prices().enumerate().filter(|(number, px)| is_first(*number, *px)) {
        let at_px = makers().filter_map(matched).filter(|(_, other)| *other == px);
        let shares = at_px.fold(Shares::ZERO, |sum, (amount, _)| sum + amount);
        let mut rest = prices().enumerate().skip(number + 1);
        let more = rest.any(|(later, px)| is_first(later, px));
        tell(FillNews { more, ..fill(taker, shares, px) });
    }
    true
}

fn stands(row: Value<'_, '_, '_>) -> Option<TradeStands> {
    let status = text(row, "status")?;
    match status.strip_prefix("TRADE_STATUS_").unwrap_or(status) {
        "MATCHED" => Some(TradeStands::Made),
        "MINED" | "RETRYING" => Some(TradeStands::Settling),
        "CONFIRMED" => Some(TradeStands::Confirmed),
        "FAILED" => Some(TradeStands::Failed),
        _ => None,
    }
}

fn order_row(row: Value<'_, '_, '_>) -> Option<OrderNews> {
    let status = text(row, "status")?;
    let status = status.strip_prefix("ORDER_STATUS_").unwrap_or(status);
    let stand = match status {
        "LIVE" | "UNMATCHED" => Stand::Resting,
        "DELAYED" => Stand::Held,
        "MATCHED" | "INVALID" => Stand::Ended,
        // Free text may follow (polymarket.md section 3).
        _ if status.starts_with("CANCELED") || status.starts_with("CANCELLED") => Stand::Ended,
        _ => return None,
    };
    let trades = get(row, "associate_trades").and_then(|list| list.elements("").ok());
    let count = trades.map(|list| u16::try_from(list.len()).unwrap_or(u16::MAX));
    // A match without its trades says nothing of how much.
    let count = count.filter(|count| *count > 0 || status != "MATCHED");
    Some(OrderNews {
        order: Id::parse(text(row, "id")?)?,
        client: None,
        stand,
        expect: count.map(Expect::Trades),
    })
}

#[cfg(test)]
#[path = "polymarket_tests.rs"]
mod tests;
