//! A leg as an order on Kalshi. Every order there names the YES leg: a side, a YES price and a
//! count, so that buying NO is asking for YES (kalshi.md section 3, table of intents).

use core::fmt;

use engine::grid::Grid;
use engine::pair::Outcome;
use engine::units::{Px, Qty};

use crate::action::Action;
use crate::id::Id;

/// Which side of the YES book an order is on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// Buys YES, or sells NO.
    Bid,
    /// Sells YES, or buys NO.
    Ask,
}

/// How long an order may live.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tif {
    /// What is there now; the rest is cancelled.
    Ioc,
    /// All of it now or nothing. A kill is answered with HTTP 409 (kalshi.md section 4).
    Fok,
    /// Rests until it is cancelled.
    Gtc,
}

/// An order that Kalshi can take. Made by [`KalshiIntent::new`], which refuses all others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct KalshiIntent {
    /// Side of the YES book.
    pub side: Side,
    /// Worst YES price, on the market's grid, above 0 and below 1 dollar.
    pub price: Px,
    /// Contracts, at least 0.01.
    pub count: Qty,
    /// How long it may live.
    pub tif: Tif,
    /// Never goes beyond the position that is there; [`Tif::Ioc`] only.
    pub reduce_only: bool,
    /// The market's own shard. Auto-routing would be billed to every shard (kalshi.md section 4).
    pub exchange_index: u32,
    /// Our unique id of the order, sent as a UUID. The venue takes each id once, for good.
    pub client_order_id: u128,
}

/// Why a leg cannot be an order on Kalshi.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refused {
    /// A price of nothing or of a whole dollar cannot be ordered.
    Price(Px),
    /// The YES price is not on the market's grid.
    OffGrid(Px),
    /// No contract at all.
    Count,
    /// `reduce_only` is for immediate-or-cancel orders only.
    ReduceOnly,
}

impl KalshiIntent {
    /// The order that does `action` with `count` contracts of `outcome` at `limit` each or better.
    ///
    /// `limit` is the outcome's own price; `grid` is the market's, in YES prices.
    #[allow(clippy::too_many_arguments)] // The order's fields; a struct of them would be this one.
    pub fn new(
        action: Action,
        outcome: Outcome,
        limit: Px,
        count: Qty,
        tif: Tif,
        reduce_only: bool,
        exchange_index: u32,
        client_order_id: u128,
        grid: &Grid,
    ) -> Result<KalshiIntent, Refused> {
        let (side, price) = match (action, outcome) {
            (Action::Buy, Outcome::Yes) => (Side::Bid, limit),
            (Action::Sell, Outcome::Yes) => (Side::Ask, limit),
            (Action::Buy, Outcome::No) => (Side::Ask, limit.complement()),
            (Action::Sell, Outcome::No) => (Side::Bid, limit.complement()),
        };
        if price == Px::ZERO || price == Px::ONE {
            return Err(Refused::Price(price));
        }
        if grid.step_of(price).is_none() {
            return Err(Refused::OffGrid(price));
        }
        if count.is_zero() {
            return Err(Refused::Count);
        }
        if reduce_only && tif != Tif::Ioc {
            return Err(Refused::ReduceOnly);
        }
        Ok(KalshiIntent { side, price, count, tif, reduce_only, exchange_index, client_order_id })
    }

    /// Replaces `out` by the JSON body of `POST /portfolio/events/orders` (kalshi.md section 4,
    /// "Orders: V2 only"). Allocates nothing once `out` has held a body of that market.
    ///
    /// The ticker must be one that the pair table let through: it is written as it is, because
    /// none of its characters needs an escape.
    pub fn write_body(&self, ticker: &str, out: &mut Vec<u8>) {
        self.write_body_in(ticker, None, out);
    }

    /// The same for an order of a group, which the venue cancels with it, and when trading pauses;
    /// says which id was written.
    pub fn write_body_in(&self, ticker: &str, group: Option<&Id>, out: &mut Vec<u8>) -> Id {
        let client = Id::uuid(self.client_order_id);
        out.clear();
        out.extend_from_slice(b"{\"ticker\":\"");
        out.extend_from_slice(ticker.as_bytes());
        out.extend_from_slice(b"\",\"client_order_id\":\"");
        out.extend_from_slice(client.as_bytes());
        out.extend_from_slice(match self.side {
            Side::Bid => b"\",\"side\":\"bid\",\"count\":\"",
            Side::Ask => b"\",\"side\":\"ask\",\"count\":\"",
        });
        write_decimal(self.count.e2(), 2, out);
        out.extend_from_slice(b"\",\"price\":\"");
        write_decimal(u64::from(self.price.e4()), 4, out);
        out.extend_from_slice(b"\",\"time_in_force\":\"");
        out.extend_from_slice(match self.tif {
            Tif::Ioc => b"immediate_or_cancel",
            Tif::Fok => b"fill_or_kill",
            Tif::Gtc => b"good_till_canceled",
        });
        out.extend_from_slice(b"\",\"self_trade_prevention_type\":\"taker_at_cross\"");
        if self.reduce_only {
            out.extend_from_slice(b",\"reduce_only\":true");
        }
        if let Some(group) = group {
            out.extend_from_slice(b",\"cancel_order_on_pause\":true,\"order_group_id\":\"");
            out.extend_from_slice(group.as_bytes());
            out.push(b'"');
        }
        out.extend_from_slice(b",\"exchange_index\":");
        write_decimal(u64::from(self.exchange_index), 0, out);
        out.push(b'}');
        client
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Price(px) => write!(f, "a YES price of {px} cannot be ordered"),
            Refused::OffGrid(px) => write!(f, "YES price {px} is not on the market's grid"),
            Refused::Count => write!(f, "an order needs at least 0.01 contract"),
            Refused::ReduceOnly => write!(f, "reduce_only needs immediate_or_cancel"),
        }
    }
}

impl core::error::Error for Refused {}

/// Appends `value` x 10^-`decimals` with exactly that many decimals.
pub(crate) fn write_decimal(mut value: u64, decimals: usize, out: &mut Vec<u8>) {
    // 20 digits of a u64 and a point, filled from the right.
    let mut text = [0u8; 21];
    let mut at = text.len();
    let mut digit = |at: &mut usize, value: &mut u64| {
        *at -= 1;
        text[*at] = b'0' + (*value % 10) as u8;
        *value /= 10;
    };
    if decimals != 0 {
        (0..decimals).for_each(|_| digit(&mut at, &mut value));
        at -= 1;
    }
    let point = at;
    digit(&mut at, &mut value);
    while value != 0 {
        digit(&mut at, &mut value);
    }
    if decimals != 0 {
        text[point] = b'.';
    }
    out.extend_from_slice(&text[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const DECI: Grid = Grid::DECI_CENT;

    fn order(action: Action, outcome: Outcome, limit: u16) -> (Side, Px) {
        let made = KalshiIntent::new(
            action,
            outcome,
            Px::lit(limit),
            Qty::ONE,
            Tif::Ioc,
            false,
            0,
            1,
            &DECI,
        )
        .unwrap();
        (made.side, made.price)
    }

    #[test]
    fn the_four_intents_of_the_protocol() {
        assert_eq!(order(Action::Buy, Outcome::Yes, 5_610), (Side::Bid, Px::lit(5_610)));
        assert_eq!(order(Action::Sell, Outcome::Yes, 5_610), (Side::Ask, Px::lit(5_610)));
        assert_eq!(order(Action::Buy, Outcome::No, 5_610), (Side::Ask, Px::lit(4_390)));
        assert_eq!(order(Action::Sell, Outcome::No, 5_610), (Side::Bid, Px::lit(4_390)));
    }

    #[test]
    fn what_the_venue_would_refuse_is_refused_here() {
        let new = |limit: u16, count: u64, tif, reduce_only| {
            KalshiIntent::new(
                Action::Buy,
                Outcome::No,
                Px::lit(limit),
                Qty::lit(count),
                tif,
                reduce_only,
                0,
                1,
                &Grid::CENT,
            )
        };
        assert_eq!(new(10_000, 1, Tif::Ioc, false), Err(Refused::Price(Px::ZERO)));
        assert_eq!(new(0, 1, Tif::Ioc, false), Err(Refused::Price(Px::ONE)));
        assert_eq!(new(4_410, 1, Tif::Ioc, false), Err(Refused::OffGrid(Px::lit(5_590))));
        assert_eq!(new(4_400, 0, Tif::Ioc, false), Err(Refused::Count));
        assert_eq!(new(4_400, 1, Tif::Fok, true), Err(Refused::ReduceOnly));
        assert_eq!(new(4_400, 1, Tif::Gtc, true), Err(Refused::ReduceOnly));
        assert!(new(4_400, 1, Tif::Ioc, true).is_ok());
    }

    fn body(intent: &KalshiIntent, ticker: &str) -> String {
        let mut out = b"left over".to_vec();
        intent.write_body(ticker, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_body_byte_for_byte() {
        let intent = KalshiIntent::new(
            Action::Sell,
            Outcome::No,
            Px::lit(9_440),
            Qty::lit(123_456_789),
            Tif::Ioc,
            true,
            3,
            0x0123_4567_89ab_cdef_0011_2233_4455_6677,
            &DECI,
        )
        .unwrap();
        assert_eq!(
            body(&intent, "KXFED-26DEC-T3.50"),
            "{\"ticker\":\"KXFED-26DEC-T3.50\",\
             \"client_order_id\":\"01234567-89ab-cdef-0011-223344556677\",\
             \"side\":\"bid\",\"count\":\"1234567.89\",\"price\":\"0.0560\",\
             \"time_in_force\":\"immediate_or_cancel\",\
             \"self_trade_prevention_type\":\"taker_at_cross\",\
             \"reduce_only\":true,\"exchange_index\":3}"
        );
        let smallest = KalshiIntent { count: Qty::lit(1), tif: Tif::Fok, ..intent };
        assert!(body(&smallest, "A").contains(
            "\"count\":\"0.01\",\"price\":\"0.0560\",\"time_in_force\":\"fill_or_kill\""
        ));
        let largest = KalshiIntent { count: Qty::MAX, exchange_index: u32::MAX, ..intent };
        assert!(body(&largest, "A").contains("\"count\":\"10000000000000.00\""));
        assert!(body(&largest, "A").ends_with("\"exchange_index\":4294967295}"));
    }

    #[test]
    fn a_second_body_allocates_nothing() {
        let intent = KalshiIntent::new(
            Action::Buy,
            Outcome::Yes,
            Px::lit(100),
            Qty::ONE,
            Tif::Gtc,
            false,
            0,
            7,
            &DECI,
        )
        .unwrap();
        let mut out = Vec::new();
        intent.write_body("KXFED-26DEC-T3.50", &mut out);
        let (at, capacity) = (out.as_ptr(), out.capacity());
        intent.write_body("KXFED-26DEC-T3.50", &mut out);
        assert_eq!((out.as_ptr(), out.capacity()), (at, capacity));
    }

    /// The order that a fixture states, read back from its fields.
    fn intent_of(fixture: &Value) -> KalshiIntent {
        let e = |key: &str, scale: u32| {
            let (whole, part) = fixture[key].as_str().unwrap().split_once('.').unwrap();
            assert_eq!(part.len(), scale as usize);
            whole.parse::<u64>().unwrap() * 10u64.pow(scale) + part.parse::<u64>().unwrap()
        };
        let id = fixture["client_order_id"].as_str().unwrap().replace('-', "");
        let action = if fixture["side"] == "bid" { Action::Buy } else { Action::Sell };
        let gtc = fixture["time_in_force"] == "good_till_canceled";
        KalshiIntent::new(
            action,
            Outcome::Yes,
            Px::lit(e("price", 4) as u16),
            Qty::lit(e("count", 2)),
            if gtc { Tif::Gtc } else { Tif::Ioc },
            false,
            fixture["exchange_index"].as_u64().unwrap() as u32,
            u128::from_str_radix(&id, 16).unwrap(),
            &DECI,
        )
        .unwrap()
    }

    #[test]
    fn bodies_equal_the_fixtures_as_values() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/protocol/fixtures/kalshi");
        for name in ["rest_create_order_request", "rest_create_order_request_ioc_buy_no"] {
            let Ok(text) = std::fs::read_to_string(format!("{dir}/{name}.json")) else {
                eprintln!("skipped: {name}.json is not there");
                continue;
            };
            let mut fixture: Value = serde_json::from_str(&text).unwrap();
            let intent = intent_of(&fixture);
            if name.ends_with("buy_no") {
                let (side, price) = order(Action::Buy, Outcome::No, 5_600);
                assert_eq!((intent.side, intent.price), (side, price), "buys NO at 0.56");
            }
            let ticker = fixture["ticker"].as_str().unwrap().to_owned();
            // Fields that are optional and hold their default we leave out.
            let fields = fixture.as_object_mut().unwrap();
            for flag in ["post_only", "cancel_order_on_pause", "reduce_only"] {
                assert_ne!(fields.remove(flag), Some(Value::Bool(true)), "{flag}");
            }
            assert!(fields.remove("subaccount").is_none_or(|account| account == 0));
            let ours: Value = serde_json::from_str(&body(&intent, &ticker)).unwrap();
            assert_eq!(ours, fixture, "{name}");
        }
    }
}
