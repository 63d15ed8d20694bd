//! Kalshi's paths and bodies beside that of one create (kalshi.md section 4). Each function
//! replaces `out`.

use engine::units::{Ns, Px, Qty};

use crate::id::Id;
use crate::kalshi::{KalshiIntent, Side, write_decimal};

/// `POST`: several creates. `DELETE`: several cancels.
pub const BATCH_PATH: &str = "/trade-api/v2/portfolio/events/orders/batched";

/// `GET`: what the account has.
pub const BALANCE_PATH: &str = "/trade-api/v2/portfolio/balance";

/// `GET`: whether orders are taken.
pub const STATUS_PATH: &str = "/trade-api/v2/exchange/status";

/// `POST`: a new order group.
pub const GROUP_CREATE_PATH: &str = "/trade-api/v2/portfolio/order_groups/create";

/// `POST`: an order. `DELETE`: cancels all orders on every shard.
pub const ALL_ORDERS_PATH: &str = "/trade-api/v2/portfolio/events/orders";

/// Rows asked for at once.
const PAGE_ROWS: u64 = 200;

/// Seconds before an order left that its search begins: the venue's clock may be behind ours.
const SEARCH_MARGIN_S: u64 = 60;

/// What may be done to an order group.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GroupChange {
    /// `PUT`: cancel its orders and take no more.
    Trigger,
    /// `PUT`: take orders again.
    Reset,
    /// `PUT` with [`group_limit`] as body.
    Limit,
    /// `DELETE` or `GET` of the group itself.
    Itself,
}

/// An order's own path: `GET` reads it.
pub fn order_path(order: Id, out: &mut String) {
    replace(out, &["/trade-api/v2/portfolio/orders/", order.as_str()]);
}

/// `DELETE`: cancels. Ticker and shard go into the query: without them the request goes to
/// shard 0 and does not find the order.
pub fn cancel_path(order: Id, ticker: &str, exchange_index: u32, out: &mut String) {
    replace(out, &["/trade-api/v2/portfolio/events/orders/", order.as_str()]);
    push_place(ticker, exchange_index, out);
}

/// `POST`: changes price or total count.
pub fn amend_path(order: Id, out: &mut String) {
    replace(out, &["/trade-api/v2/portfolio/events/orders/", order.as_str(), "/amend"]);
}

/// `POST`: takes contracts away.
pub fn decrease_path(order: Id, out: &mut String) {
    replace(out, &["/trade-api/v2/portfolio/events/orders/", order.as_str(), "/decrease"]);
}

/// A group's path.
pub fn group_path(group: Id, change: GroupChange, out: &mut String) {
    let end = match change {
        GroupChange::Trigger => "/trigger",
        GroupChange::Reset => "/reset",
        GroupChange::Limit => "/limit",
        GroupChange::Itself => "",
    };
    replace(out, &["/trade-api/v2/portfolio/order_groups/", group.as_str(), end]);
}

/// `GET`: orders of a market since some time before `sent`, Unix.
pub fn orders_path(ticker: &str, sent: Ns, out: &mut String) {
    replace(out, &["/trade-api/v2/portfolio/orders?ticker=", ticker, "&min_ts="]);
    push_number((sent.0 / 1_000_000_000).saturating_sub(SEARCH_MARGIN_S), out);
    out.push_str("&limit=");
    push_number(PAGE_ROWS, out);
}

/// `GET`: fills of an order.
pub fn fills_path(order: Id, out: &mut String) {
    replace(out, &["/trade-api/v2/portfolio/fills?order_id=", order.as_str(), "&limit="]);
    push_number(PAGE_ROWS, out);
}

/// The body of a batch of creates: at most as many as the write bucket has tokens for, or all of
/// it is refused (section 5).
pub fn batch<'a>(orders: impl IntoIterator<Item = (&'a KalshiIntent, &'a str)>, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"{\"orders\":[");
    let (start, mut one) = (out.len(), Vec::new());
    for (intent, ticker) in orders {
        if out.len() > start {
            out.push(b',');
        }
        intent.write_body(ticker, &mut one);
        out.extend_from_slice(&one);
    }
    out.extend_from_slice(b"]}");
}

/// The body of a batch of cancels, of (order, ticker, shard).
pub fn batch_cancel<'a>(orders: impl IntoIterator<Item = (Id, &'a str, u32)>, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"{\"orders\":[");
    let start = out.len();
    for (order, ticker, exchange_index) in orders {
        if out.len() > start {
            out.push(b',');
        }
        push_text(out, "{\"order_id\":\"", order.as_str());
        push_text(out, "\",\"market_ticker\":\"", ticker);
        out.extend_from_slice(b"\",\"exchange_index\":");
        write_decimal(u64::from(exchange_index), 0, out);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

/// The body of an amend: what the order is to be. `total` counts what was filled already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Amend<'a> {
    /// The market.
    pub ticker: &'a str,
    /// The order's own side; it cannot change.
    pub side: Side,
    /// The new price.
    pub price: Px,
    /// Filled and wanted together.
    pub total: Qty,
    /// Its id now, and the one it gets: each id is taken once.
    pub client: [Id; 2],
    /// The market's shard.
    pub exchange_index: u32,
}

impl Amend<'_> {
    /// Writes the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        push_text(out, "{\"ticker\":\"", self.ticker);
        push_text(out, "\",\"side\":\"", if self.side == Side::Bid { "bid" } else { "ask" });
        out.extend_from_slice(b"\",\"price\":\"");
        write_decimal(u64::from(self.price.e4()), 4, out);
        out.extend_from_slice(b"\",\"count\":\"");
        write_decimal(self.total.e2(), 2, out);
        push_text(out, "\",\"client_order_id\":\"", self.client[0].as_str());
        push_text(out, "\",\"updated_client_order_id\":\"", self.client[1].as_str());
        out.extend_from_slice(b"\",\"exchange_index\":");
        write_decimal(u64::from(self.exchange_index), 0, out);
        out.push(b'}');
    }
}

/// The body of a decrease by so many contracts.
pub fn decrease(by: Qty, exchange_index: u32, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"{\"reduce_by\":\"");
    write_decimal(by.e2(), 2, out);
    out.extend_from_slice(b"\",\"exchange_index\":");
    write_decimal(u64::from(exchange_index), 0, out);
    out.push(b'}');
}

/// The body of a new order group that stops after so many contracts in 15 seconds.
pub fn group_create(contracts: Qty, exchange_index: u32, out: &mut Vec<u8>) {
    group_limit(contracts, out);
    out.pop();
    out.extend_from_slice(b",\"exchange_index\":");
    write_decimal(u64::from(exchange_index), 0, out);
    out.push(b'}');
}

/// The body of a new limit of an order group.
pub fn group_limit(contracts: Qty, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"{\"contracts_limit_fp\":\"");
    write_decimal(contracts.e2(), 2, out);
    out.extend_from_slice(b"\"}");
}

fn push_place(ticker: &str, exchange_index: u32, out: &mut String) {
    out.push_str("?market_ticker=");
    out.push_str(ticker);
    out.push_str("&exchange_index=");
    push_number(u64::from(exchange_index), out);
}

fn push_text(out: &mut Vec<u8>, key: &str, value: &str) {
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(value.as_bytes());
}

fn push_number(value: u64, out: &mut String) {
    let digits = crate::sign::text::Digits::of(value);
    out.push_str(core::str::from_utf8(digits.as_bytes()).unwrap_or_default());
}

fn replace(out: &mut String, parts: &[&str]) {
    out.clear();
    parts.iter().for_each(|part| out.push_str(part));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Action;
    use crate::kalshi::Tif;
    use engine::grid::Grid;
    use engine::pair::Outcome;
    use serde_json::{Value, json};

    fn id(text: &str) -> Id {
        Id::parse(text).unwrap()
    }

    fn body(write: impl FnOnce(&mut Vec<u8>)) -> Value {
        let mut out = b"left over".to_vec();
        write(&mut out);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn bodies() {
        assert_eq!(
            body(|out| decrease(Qty::lit(205), 3, out)),
            json!({"reduce_by": "2.05", "exchange_index": 3})
        );
        assert_eq!(
            body(|out| group_create(Qty::lit(15_000), 2, out)),
            json!({"contracts_limit_fp": "150.00", "exchange_index": 2})
        );
        assert_eq!(
            body(|out| group_limit(Qty::lit(1), out)),
            json!({"contracts_limit_fp": "0.01"})
        );
        let amend = Amend {
            ticker: "T-1",
            side: Side::Ask,
            price: Px::lit(5_700),
            total: Qty::lit(800),
            client: [id("a"), id("b")],
            exchange_index: 0,
        };
        assert_eq!(
            body(|out| amend.write(out)),
            json!({"ticker": "T-1", "side": "ask", "price": "0.5700", "count": "8.00",
                "client_order_id": "a", "updated_client_order_id": "b", "exchange_index": 0})
        );
        assert_eq!(
            body(|out| batch_cancel([(id("o1"), "T", 1), (id("o2"), "U", 0)], out)),
            json!({"orders": [
                {"order_id": "o1", "market_ticker": "T", "exchange_index": 1},
                {"order_id": "o2", "market_ticker": "U", "exchange_index": 0}]})
        );
        let new = |client| {
            let (limit, count) = (Px::lit(5_600), Qty::lit(1_000));
            let (buy, yes) = (Action::Buy, Outcome::Yes);
            KalshiIntent::new(buy, yes, limit, count, Tif::Ioc, false, 0, client, &Grid::CENT)
                .unwrap()
        };
        let many = body(|out| batch([(&new(1), "T"), (&new(2), "U")], out));
        assert_eq!(many["orders"].as_array().unwrap().len(), 2);
        assert_eq!(many["orders"][1]["ticker"], "U");
    }

    #[test]
    fn paths() {
        let path = |write: &dyn Fn(&mut String)| {
            let mut out = "left over".to_owned();
            write(&mut out);
            out.strip_prefix("/trade-api/v2/portfolio/").unwrap().to_owned()
        };
        let cancel = path(&|out| cancel_path(id("o1"), "T-1", 3, out));
        assert_eq!(cancel, "events/orders/o1?market_ticker=T-1&exchange_index=3");
        assert_eq!(path(&|out| amend_path(id("o1"), out)), "events/orders/o1/amend");
        assert_eq!(path(&|out| decrease_path(id("o1"), out)), "events/orders/o1/decrease");
        assert_eq!(path(&|out| order_path(id("o1"), out)), "orders/o1");
        let sent = Ns(1_795_000_000 * 1_000_000_000);
        let orders = path(&|out| orders_path("T-1", sent, out));
        assert_eq!(orders, "orders?ticker=T-1&min_ts=1794999940&limit=200");
        assert_eq!(path(&|out| fills_path(id("o1"), out)), "fills?order_id=o1&limit=200");
        let group = |change| path(&|out| group_path(id("g"), change, out));
        assert_eq!(group(GroupChange::Trigger), "order_groups/g/trigger");
        assert_eq!(group(GroupChange::Itself), "order_groups/g");
    }
}
