//! Changes -> Kalshi's frames: one subscription a channel, `seq` over all markets of a
//! subscription. NO prices on the no side, as the venue does unless told otherwise.

use std::fmt::Write as _;

use engine::units::{Ns, Venue};

use super::START;
use super::ladder::{Change, Side};
use super::market::{Market, contracts, dollars};
use super::outbox::Outbox;
use super::rng::Rng;
use crate::tape::utc;

const TICKER_SID: u32 = 1;
const BOOK_SID: u32 = 2;
const TRADE_SID: u32 = 3;
const LIFECYCLE_SID: u32 = 4;

/// From the change in the matching engine to our receipt, in nanoseconds: 4 ms are usual.
const DELAY: u64 = 4_000_000;

/// Between two frames of one transition, in nanoseconds.
const SPACING: u64 = 180_000;

/// The venue's end of the socket.
#[derive(Default)]
pub struct Kalshi {
    conn: u32,
    up: bool,
    /// The last `seq` of each subscription, by its number.
    seq: [u64; 5],
}

impl Kalshi {
    /// A new connection: subscriptions, and a snapshot of every book with `seq` from 1.
    pub fn connect(&mut self, now: u64, markets: &[Market], rng: &mut Rng, out: &mut Outbox) {
        self.conn += 1;
        self.up = true;
        self.seq = [0; 5];
        out.push(now, Venue::Kalshi, self.conn, None);
        let channels = [
            ("ticker", TICKER_SID),
            ("orderbook_delta", BOOK_SID),
            ("trade", TRADE_SID),
            ("market_lifecycle_v2", LIFECYCLE_SID),
        ];
        for (id, (channel, sid)) in channels.into_iter().enumerate() {
            let frame = format!(
                "{{\"type\":\"subscribed\",\"id\":{},\"msg\":{{\"channel\":\"{channel}\",\"sid\":{sid}}}}}",
                id + 1
            );
            out.push(now + 25_000_000, Venue::Kalshi, self.conn, Some(frame));
        }
        for market in markets {
            let ladder = &market.ladders[Venue::Kalshi.index()];
            let mut body = String::new();
            levels(&mut body, "yes_dollars_fp", ladder.bids.iter().map(|(px, qty)| (*px, *qty)));
            levels(
                &mut body,
                "no_dollars_fp",
                ladder.asks.iter().rev().map(|(px, qty)| (10_000 - *px, *qty)),
            );
            let at = out.next(now + 26_000_000, Venue::Kalshi);
            let head = self.head("orderbook_snapshot", BOOK_SID, true, at, rng, out);
            let frame = format!(
                "{head},\"msg\":{{\"market_ticker\":\"{}\",\"market_id\":\"{}\"{body}}}}}",
                market.ticker, market.market_id
            );
            out.push(at, Venue::Kalshi, self.conn, Some(frame));
        }
    }

    /// The socket dies: nothing is heard until [`Kalshi::connect`].
    pub fn disconnect(&mut self) {
        self.up = false;
    }

    /// One delta a change.
    pub fn changes(
        &mut self,
        now: u64,
        market: &Market,
        changes: &[Change],
        rng: &mut Rng,
        out: &mut Outbox,
    ) {
        if !self.up {
            return;
        }
        for (i, change) in changes.iter().enumerate() {
            let at = out.next(now + i as u64 * SPACING, Venue::Kalshi);
            let (side, px) = match change.side {
                Side::Bid => ("yes", change.px_e4),
                Side::Ask => ("no", 10_000 - change.px_e4),
            };
            let (sign, size) = match change.new_e2 >= change.old_e2 {
                true => ("", change.new_e2 - change.old_e2),
                false => ("-", change.old_e2 - change.new_e2),
            };
            let stamp = at.saturating_sub(DELAY);
            // An order of our own now and then: its id comes along.
            let own = match rng.chance(1, 400) {
                true => format!(",\"client_order_id\":\"{}\",\"subaccount\":0", rng.uuid()),
                false => String::new(),
            };
            let head = self.head("orderbook_delta", BOOK_SID, true, at, rng, out);
            let frame = format!(
                "{head},\"msg\":{{\"market_ticker\":\"{}\",\"market_id\":\"{}\",\"price_dollars\":\"{}\",\"delta_fp\":\"{sign}{}\",\"side\":\"{side}\",\"ts\":\"{}\",\"ts_ms\":{}{own}}}}}",
                market.ticker,
                market.market_id,
                dollars(px),
                contracts(size),
                utc::micros(START.after(Ns(stamp))),
                out.unix_ms(stamp),
            );
            out.push(at, Venue::Kalshi, self.conn, Some(frame));
        }
    }

    /// A public trade; `side` is the side of the book that was taken.
    #[expect(
        clippy::too_many_arguments,
        reason = "one call; a struct for it would only rename them"
    )]
    pub fn trade(
        &mut self,
        now: u64,
        market: &Market,
        side: Side,
        px_e4: u16,
        qty_e2: u64,
        rng: &mut Rng,
        out: &mut Outbox,
    ) {
        if !self.up {
            return;
        }
        let at = out.next(now, Venue::Kalshi);
        let (taker, book_side) = if side == Side::Ask { ("yes", "bid") } else { ("no", "ask") };
        let stamp_ms = out.unix_ms(at.saturating_sub(DELAY));
        let id = rng.uuid();
        let head = self.head("trade", TRADE_SID, true, at, rng, out);
        let frame = format!(
            "{head},\"msg\":{{\"trade_id\":\"{id}\",\"market_ticker\":\"{}\",\"yes_price_dollars\":\"{}\",\"no_price_dollars\":\"{}\",\"count_fp\":\"{}\",\"taker_side\":\"{taker}\",\"taker_outcome_side\":\"{taker}\",\"taker_book_side\":\"{book_side}\",\"is_block_trade\":false,\"ts\":{},\"ts_ms\":{stamp_ms}}}}}",
            market.ticker,
            dollars(px_e4),
            dollars(10_000 - px_e4),
            contracts(qty_e2),
            stamp_ms / 1_000,
        );
        out.push(at, Venue::Kalshi, self.conn, Some(frame));
    }

    /// The top of the book on the ticker channel, which has no `seq`.
    pub fn ticker(&mut self, now: u64, market: &Market, rng: &mut Rng, out: &mut Outbox) {
        let ladder = &market.ladders[Venue::Kalshi.index()];
        let (Some(bid), Some(ask)) = (ladder.bids.last_key_value(), ladder.asks.first_key_value())
        else {
            return;
        };
        if !self.up {
            return;
        }
        let at = out.next(now, Venue::Kalshi);
        let stamp = at.saturating_sub(DELAY);
        let stamp_ms = out.unix_ms(stamp);
        let head = self.head("ticker", TICKER_SID, false, at, rng, out);
        let volume = 10_000 + now / 50_000_000;
        let frame = format!(
            "{head},\"msg\":{{\"market_id\":\"{}\",\"market_ticker\":\"{}\",\"price_dollars\":\"{}\",\"yes_bid_dollars\":\"{}\",\"yes_ask_dollars\":\"{}\",\"volume_fp\":\"{volume}.00\",\"open_interest_fp\":\"{}.00\",\"dollar_volume\":{},\"dollar_open_interest\":{},\"yes_bid_size_fp\":\"{}\",\"yes_ask_size_fp\":\"{}\",\"last_trade_size_fp\":\"25.00\",\"ts\":{},\"ts_ms\":{stamp_ms},\"time\":\"{}\"}}}}",
            market.market_id,
            market.ticker,
            dollars(market.last_e4[Venue::Kalshi.index()]),
            dollars(*bid.0),
            dollars(*ask.0),
            volume / 2,
            volume / 2,
            volume / 4,
            contracts(*bid.1),
            contracts(*ask.1),
            stamp_ms / 1_000,
            utc::micros(START.after(Ns(stamp))),
        );
        out.push(at, Venue::Kalshi, self.conn, Some(frame));
    }

    /// The reply to a command on the book subscription: it consumes a `seq`.
    pub fn acknowledge(&mut self, now: u64, markets: &[Market], out: &mut Outbox) {
        if !self.up {
            return;
        }
        let tickers: Vec<String> = markets.iter().map(|m| format!("\"{}\"", m.ticker)).collect();
        let seq = self.count(BOOK_SID);
        let frame = format!(
            "{{\"type\":\"ok\",\"id\":5,\"sid\":{BOOK_SID},\"seq\":{seq},\"msg\":{{\"market_tickers\":[{}]}}}}",
            tickers.join(",")
        );
        out.push(now, Venue::Kalshi, self.conn, Some(frame));
    }

    /// A harmless change of a market's description.
    pub fn lifecycle(&mut self, now: u64, market: &Market, out: &mut Outbox) {
        if !self.up {
            return;
        }
        let seq = self.count(LIFECYCLE_SID);
        let frame = format!(
            "{{\"type\":\"market_lifecycle_v2\",\"sid\":{LIFECYCLE_SID},\"seq\":{seq},\"msg\":{{\"event_type\":\"metadata_updated\",\"market_ticker\":\"{}\",\"strike_type\":\"greater\",\"floor_strike\":4}}}}",
            market.ticker
        );
        out.push(now, Venue::Kalshi, self.conn, Some(frame));
    }

    /// The beginning of a frame. The venue adds its sending time to most frames.
    fn head(
        &mut self,
        kind: &str,
        sid: u32,
        counted: bool,
        at: u64,
        rng: &mut Rng,
        out: &Outbox,
    ) -> String {
        let sending = match rng.chance(2, 3) {
            true => format!(",\"sending_ts_ms\":{}", out.unix_ms(at.saturating_sub(DELAY / 2))),
            false => String::new(),
        };
        let seq = if counted { format!(",\"seq\":{}", self.count(sid)) } else { String::new() };
        format!("{{\"type\":\"{kind}\"{sending},\"sid\":{sid}{seq}")
    }

    fn count(&mut self, sid: u32) -> u64 {
        let seq = &mut self.seq[sid as usize];
        *seq += 1;
        *seq
    }
}

/// One side of a snapshot; the key is absent where the side is empty.
fn levels(out: &mut String, key: &str, side: impl Iterator<Item = (u16, u64)>) {
    let mut opening = format!(",\"{key}\":[");
    let mut any = false;
    for (px, qty) in side {
        // Writing to a string cannot fail.
        let _ = write!(out, "{opening}[\"{}\",\"{}\"]", dollars(px), contracts(qty));
        opening = ",".to_owned();
        any = true;
    }
    if any {
        out.push(']');
    }
}
