//! Kalshi's private channels and lists (kalshi.md section 2, "Other channels", and section 4).

use engine::units::Shares;
use feeds::json::{Parser, Value};

use crate::id::Id;
use crate::json::{get, price, qty, text, usd};
use crate::private::{
    Expect, FillNews, OrderNews, Page, PositionNews, PrivateEvent, Stand, TICKER_LEN_MAX,
    TradeStands,
};
use crate::sign::text::Text;

/// Subscribes to what concerns our own orders and holdings.
pub const SUBSCRIBE: &str = r#"{"id":1,"cmd":"subscribe","params":{"channels":["fill","user_orders","market_positions","order_group_updates"]}}"#;

/// Channels that [`SUBSCRIBE`] names; each is acknowledged.
const CHANNELS: u8 = 4;

/// Reads the frames of one connection.
#[derive(Default)]
pub struct KalshiPrivate {
    acknowledged: u8,
}

impl KalshiPrivate {
    /// Takes a frame in and tells what is in it. Frames of other kinds, and what cannot be read,
    /// say nothing; the return value is false for the latter.
    pub fn frame(
        &mut self,
        parser: &mut Parser,
        frame: &[u8],
        tell: &mut impl FnMut(PrivateEvent),
    ) -> bool {
        if frame.trim_ascii().is_empty() {
            return true;
        }
        let Ok(doc) = parser.parse(frame) else { return false };
        let root = doc.root();
        let (Some(kind), Some(message)) = (text(root, "type"), get(root, "msg")) else {
            return text(root, "type").is_some();
        };
        match kind {
            "fill" => {
                return fill_row(message).map(|fill| tell(PrivateEvent::Fill(fill))).is_some();
            }
            "user_order" => {
                return order_row(message).map(|order| tell(PrivateEvent::Order(order))).is_some();
            }
            "market_position" => {
                let position = position_row(message);
                return position.map(|held| tell(PrivateEvent::Position(held))).is_some();
            }
            "order_group_updates" => {
                let event: fn(Id) -> PrivateEvent = match text(message, "event_type") {
                    Some("triggered") => PrivateEvent::Stopped,
                    Some("deleted") => PrivateEvent::Deleted,
                    _ => return true,
                };
                let group = text(message, "order_group_id").and_then(Id::parse);
                return group.map(|id| tell(event(id))).is_some();
            }
            "subscribed" => {
                self.acknowledged = self.acknowledged.saturating_add(1);
                if self.acknowledged == CHANNELS {
                    tell(PrivateEvent::Subscribed);
                }
            }
            "error" => tell(PrivateEvent::Broken),
            _ => {}
        }
        true
    }
}

/// Reads `GET /portfolio/orders`.
pub fn orders(parser: &mut Parser, body: &[u8], tell: &mut impl FnMut(OrderNews)) -> Page {
    rows(parser, body, "orders", &mut |row| order_row(row).map(&mut *tell).is_some())
}

/// Reads `GET /portfolio/fills`.
pub fn fills(parser: &mut Parser, body: &[u8], tell: &mut impl FnMut(FillNews)) -> Page {
    rows(parser, body, "fills", &mut |row| fill_row(row).map(&mut *tell).is_some())
}

fn rows(
    parser: &mut Parser,
    body: &[u8],
    key: &str,
    take: &mut dyn FnMut(Value<'_, '_, '_>) -> bool,
) -> Page {
    let Ok(doc) = parser.parse(body) else { return Page::Unreadable };
    let list = get(doc.root(), key).and_then(|list| list.elements("").ok());
    let Some(list) = list else { return Page::Unreadable };
    let all = list.filter(|row| !take(*row)).count() == 0;
    // The last page has an empty cursor (kalshi.md section 4).
    match text(doc.root(), "cursor").unwrap_or_default() {
        "" if all => Page::Whole,
        _ => Page::Part,
    }
}

fn fill_row(row: Value<'_, '_, '_>) -> Option<FillNews> {
    let trade = text(row, "trade_id").or_else(|| text(row, "fill_id"))?;
    let yes = price(row, "yes_price_dollars")?;
    // All prices are per YES; the direction says which outcome was bought (section 3).
    let buys_no = match text(row, "outcome_side").or_else(|| text(row, "book_side"))? {
        "yes" | "bid" => false,
        "no" | "ask" => true,
        _ => return None,
    };
    Some(FillNews {
        order: Id::parse(text(row, "order_id")?)?,
        client: text(row, "client_order_id").and_then(Id::parse),
        trade: Id::parse(trade)?,
        part: 0,
        more: false,
        shares: Shares::from(qty(row, "count_fp")?),
        px: if buys_no { yes.complement() } else { yes },
        fee: usd(row, "fee_cost"),
        stands: TradeStands::Made,
    })
}

fn position_row(row: Value<'_, '_, '_>) -> Option<PositionNews> {
    let ticker = text(row, "market_ticker").filter(|ticker| ticker.len() <= TICKER_LEN_MAX)?;
    let mut news = PositionNews { ticker: Text::EMPTY, contracts_e2: 0 };
    news.ticker.push(ticker.as_bytes());
    news.contracts_e2 = get(row, "position_fp")?.delta_e2("position_fp").ok()?;
    Some(news)
}

fn order_row(row: Value<'_, '_, '_>) -> Option<OrderNews> {
    let stand = match text(row, "status")? {
        "resting" => Stand::Resting,
        "canceled" | "executed" => Stand::Ended,
        _ => return None,
    };
    Some(OrderNews {
        order: Id::parse(text(row, "order_id")?)?,
        client: text(row, "client_order_id").and_then(Id::parse),
        stand,
        expect: qty(row, "fill_count_fp").map(|filled| Expect::Shares(Shares::from(filled))),
    })
}

#[cfg(test)]
#[path = "kalshi_tests.rs"]
mod tests;
